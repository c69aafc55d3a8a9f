"""Lists of shots, runs that are killed, and a task of Slurm's job array by hand."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import support

import shots


class Held(unittest.TestCase):
    def setUp(self):
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.folder = Path(held.name)


class Lists(Held):
    def test_text_and_json_say_the_same(self):
        text, listed = self.folder / "a.txt", self.folder / "a.json"
        text.write_text("# two shots\n'my clip.mkv' 3,4 !5,6 7,8@9\n\nb.mkv 1,2\n")
        listed.write_text(json.dumps([
            {"clip": "my clip.mkv", "objects": [
                {"frame": 0, "name": "Object 1", "points": [[3, 4]], "negative": [[5, 6]]},
                {"frame": 9, "name": "Object 1", "points": [[7, 8]], "negative": []}]},
            {"clip": "b.mkv", "objects": [{"frame": 0, "name": "Object 1", "points": [[1, 2]], "negative": []}]},
        ]))
        self.assertEqual(shots.read_list(text), shots.read_list(listed))
        self.assertEqual([shot.name for shot in shots.read_list(text)], ["my clip", "b"])

    def test_a_folder_has_its_clips_with_what_lies_beside_them(self):
        for name in ("b.mkv", "a.mp4", "notes.txt"):
            (self.folder / name).touch()
        (self.folder / "seq").mkdir()
        (self.folder / "seq/1.png").touch()
        (self.folder / "a.mp4.json").write_text('{"name": "first", "automatic": {}}')
        found = shots.read_list(self.folder, {"objects": [{"box": [1, 2, 3, 4]}]})
        self.assertEqual([shot.name for shot in found], ["first", "b", "seq"])
        with self.assertRaisesRegex(shots.BadList, "nothing is said"):
            shots.read_list(self.folder)

    def test_what_is_wrong_with_a_list_is_told_with_its_place(self):
        said = {"clip": "a.mkv", "objects": [{"points": [[1, 2]]}]}
        wrong = [
            ("a.mkv 1;2", "line 1"), ("a.mkv", "nothing is said"), ("", "no shot"), ("[", "Expecting"),
            (json.dumps([said, said]), "twice"), (json.dumps([{**said, "name": "../out"}]), "'../out'"),
            (json.dumps([{**said, "clop": 1}]), "clop"), ('[{"clip": 3}]', "shot 0"), ("[3]", "shot 0"),
            ('[{"clip": "a", "objects": [{}]}]', "points"),
        ]
        path = self.folder / "list"
        for text, words in wrong:
            path.write_text(text)
            with self.assertRaisesRegex(shots.BadList, words):
                shots.read_list(path)


class Runs(Held):
    def run_whole(self, listed: Path) -> Path:
        out = self.folder / "whole"
        done = support.script("batch.py", listed, "-o", out, "--threads", 1)
        self.assertEqual(done.returncode, 0, done.stderr)
        return out

    def test_a_run_that_is_killed_loses_no_finished_frame_and_ends_with_the_same_bytes(self):
        listed = support.made_list(self.folder, shots=1, frames=24)
        whole = self.run_whole(listed)
        # On the way there, and on the way back from the prompt on frame 3.
        for stop in (4, 22):
            with self.subTest(stop=stop):
                self.killed_after(stop, listed, whole, self.folder / f"killed{stop}")

    def killed_after(self, masks: int, listed: Path, whole: Path, out: Path) -> None:
        command = [sys.executable, "-B", str(support.PYTHON / "batch.py"), str(listed), "-o", str(out), "--threads", "1"]
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while len(list(out.rglob("*.png"))) < masks:
            self.assertIsNone(running.poll(), "it was done before it could be killed")
            time.sleep(0.01)
        running.send_signal(signal.SIGKILL)
        running.wait()
        finished = len(list(out.rglob("*.png")))
        self.assertFalse((out / "shot0.json").exists())
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        now = int(done.stdout.split("frames, ")[1].split()[0])
        self.assertLessEqual(now, 24 - finished, done.stdout)
        self.assertEqual(support.bytes_of(out), support.bytes_of(whole))
        self.assertEqual(list(out.rglob("*.part")), [])

    def test_the_tasks_of_a_job_array_make_what_one_machine_makes(self):
        listed = support.made_list(self.folder, shots=2, frames=4)
        whole, out = self.run_whole(listed), self.folder / "array"
        count = support.script("batch.py", listed, "--count").stdout
        self.assertEqual(count.strip(), "2")
        script = support.ROOT / "host-examples/ray/shots.sbatch"
        environment = {
            **os.environ, "PYTHON": sys.executable, "SLURM_SUBMIT_DIR": str(support.ROOT), "SLURM_CPUS_PER_TASK": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        for task in range(int(count)):
            # As Slurm does: a copy of the script, elsewhere.
            copied = self.folder / "slurm_script"
            copied.write_bytes(script.read_bytes())
            done = subprocess.run(
                ["bash", copied, listed, out], env={**environment, "SLURM_ARRAY_TASK_ID": str(task)}, capture_output=True, text=True
            )
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue((out / f"shot{task}.json").is_file())
        self.assertEqual(support.bytes_of(out), support.bytes_of(whole))
        for arguments, given in (([listed, out], {}), ([listed], {"SLURM_ARRAY_TASK_ID": "0"}), ([listed, out], {"SLURM_ARRAY_TASK_ID": "2"})):
            done = subprocess.run(["bash", script, *arguments], env={**environment, **given}, capture_output=True, text=True)
            self.assertNotEqual(done.returncode, 0)
            self.assertNotIn("Traceback", done.stderr)


if __name__ == "__main__":
    unittest.main()
