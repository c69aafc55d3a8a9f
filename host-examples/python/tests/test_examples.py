"""The scripts, as a person runs them, on clips of a few frames."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import numpy as np

import support
from support import rotomask

FRAMES = support.clip(8)


class Folder(unittest.TestCase):
    def setUp(self):
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.folder = Path(held.name)

    def done(self, name, *arguments):
        done = support.script(name, *arguments)
        self.assertEqual((done.returncode, "Traceback" in done.stderr), (0, False), done.stderr)
        return done.stdout

    def refused(self, name, *arguments):
        done = support.script(name, *arguments)
        self.assertEqual((done.returncode, "Traceback" in done.stderr), (1, False), done.stderr)
        return done.stderr


class Videos(Folder):
    def test_frames_come_by_number_in_any_order_and_end_with_none(self):
        from video import Video

        clip = support.write_clip(self.folder / "a.mkv", FRAMES)
        with Video(clip, keep_bytes=2 * FRAMES[0].nbytes) as video:
            self.assertEqual((video.width, video.height), (support.WIDTH, support.HEIGHT))
            for index in (0, 5, 2, 1, 7, 0):
                np.testing.assert_array_equal(video(index), FRAMES[index])
            self.assertIsNone(video(8))
            self.assertEqual(len(list(video)), 8)

    def test_a_folder_of_pictures_is_a_clip_whatever_their_names(self):
        from video import Video

        for index, frame in enumerate(FRAMES[:3]):
            rotomask.write_png(self.folder / f"it's {index} %d.png", frame)
        with Video(self.folder) as video:
            found = list(video)
        self.assertEqual(len(found), 3)
        np.testing.assert_array_equal(np.stack(found), np.stack(FRAMES[:3]))

    def test_what_is_no_video_is_refused_in_a_sentence(self):
        from video import Video, Writer

        (self.folder / "a.mkv").write_bytes(b"no video")
        for path in ("a.mkv", "none.mkv", "."):
            with self.assertRaisesRegex(OSError, "."):
                Video(self.folder / path)
        with self.assertRaises(OSError):
            Writer(self.folder / "a.txt", 4, 4, "25")
        clip = support.write_clip(self.folder / "b.mkv", FRAMES)
        clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
        with Video(clip) as video:
            self.assertLess(len(list(video)), 8)

    def test_a_video_that_was_not_finished_leaves_no_file(self):
        from video import Writer

        with self.assertRaises(ZeroDivisionError):
            with Writer(self.folder / "a.mp4", 16, 16, "25") as writer:
                writer.write(np.zeros((16, 16, 4), np.uint8))
                1 / 0
        self.assertEqual(list(self.folder.iterdir()), [])


class Batch(Folder):
    def clips(self):
        for name in "ab":
            support.write_clip(self.folder / f"{name}.mkv", FRAMES)
        said = {"objects": [{"name": "Disc", "frame": 3, "points": [[68, 55]], "negative": [[4, 4]]}]}
        (self.folder / "b.mkv.json").write_text(json.dumps(said))
        return self.folder

    def test_a_folder_of_clips_becomes_masks_and_a_second_run_redoes_nothing(self):
        out = self.folder / "out"
        told = self.done("batch.py", self.clips(), "-o", out, "--point", "62,55")
        self.assertIn("a: 8 frames, 8 of them now", told)
        for name in "ab":
            masks = sorted((out / name / "1").iterdir())
            self.assertEqual([each.name for each in masks], [f"{n:05}.png" for n in range(8)])
            self.assertGreater(support.overlap(rotomask.read_image(masks[7]), support.inside(76)), 0.7)
        with rotomask.SessionFile(out / "b.rotosession") as file:
            self.assertEqual(file.describe()["objects"][0]["name"], "Disc")
        self.assertIn("b: 8 frames, 0 of them now", self.done("batch.py", self.folder, "-o", out, "--point", "62,55"))

    def test_a_clip_that_fails_keeps_no_other_from_being_done(self):
        self.clips()
        (self.folder / "bad.mkv").write_bytes(b"nothing")
        said = self.refused("batch.py", self.folder, "-o", self.folder / "out", "--point", "62,55")
        self.assertIn("bad", said)
        self.assertTrue((self.folder / "out/b.json").is_file())


class Refine(Folder):
    def test_a_click_redoes_what_it_changes_and_writes_only_those_masks(self):
        clip = support.write_clip(self.folder / "a.mkv", FRAMES)
        session, masks = self.folder / "a.rotosession", self.folder / "masks"
        with support.model().session(support.WIDTH, support.HEIGHT, file=session) as opened:
            support.tracked(opened, FRAMES)
        told = self.done("refine.py", clip, session, "--frame", 5, "--point", "72,55", "--masks", masks)
        self.assertIn("redone 5-5", told)
        self.assertIn("redone 6-7, forward", told)
        self.assertIn("3 frames redone, 3 masks written", told)
        self.assertEqual(sorted(each.name for each in (masks / "1").iterdir()), ["00005.png", "00006.png", "00007.png"])
        self.assertIn("redone 5-7", self.done("refine.py", clip, session, "--undo"))
        self.done("refine.py", clip, session, "--review")
        self.assertIn("Moon", self.refused("refine.py", clip, session, "--frame", 5, "--point", "1,1", "--object", "Moon"))
        self.assertIn("there is no", self.refused("refine.py", clip, self.folder / "none", "--undo"))


class Blur(Folder):
    def test_a_thing_is_blurred_wherever_it_goes_and_all_else_stays(self):
        from video import Video

        # Stripes, which a blur makes even.
        frames = [frame.copy() for frame in FRAMES]
        for frame in frames:
            frame[::2, :, :] //= 2
        clip = support.write_clip(self.folder / "a.mkv", frames)
        for more in (["--blur", 8], ["--squares", 12]):
            out = self.folder / f"out{more[1]}.mkv"
            told = self.done("blur_faces.py", clip, "-o", out, "--point", "62,55", *more)
            self.assertIn("8 frames", told)
            with Video(out) as video:
                for index, (done, frame) in enumerate(zip(video, frames)):
                    inside = (slice(50, 60), slice(57 + 2 * index, 67 + 2 * index))
                    rough = lambda picture: np.abs(np.diff(picture[inside].astype(int), axis=0)).mean()
                    self.assertLess(rough(done), rough(frame) / 3, (more, index))
                    np.testing.assert_array_equal(done[:12, :20], frame[:12, :20])
        self.assertIn("point at something", self.refused("blur_faces.py", clip, "-o", self.folder / "b.mkv"))


class Splines(Folder):
    def test_sessions_become_splines_by_the_command_or_it_is_said_that_there_is_none(self):
        session = self.folder / "a.rotosession"
        with support.model().session(support.WIDTH, support.HEIGHT, file=session) as opened:
            support.tracked(opened, FRAMES)
        command = os.environ.get("ROTOMASK_COMMAND", "")
        able = command and subprocess.run([command, "spline", "--help"], capture_output=True).returncode == 0
        if not able:
            said = self.refused("export_splines.py", session, "-o", self.folder / "out")
            self.assertRegex(said, "rotomask was not found|has no `spline`")
            self.skipTest("the command rotomask has no `spline` yet")
        told = self.done("export_splines.py", session, "-o", self.folder / "out", "--format", "svg")
        self.assertTrue(Path(told.strip()).read_text().lstrip().startswith("<"))


if __name__ == "__main__":
    unittest.main()
