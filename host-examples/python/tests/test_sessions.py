"""A shot: prompts, tracking by push and by pull, corrections, files, callbacks that raise."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np

import support
from support import rotomask

FRAMES = support.clip(6)


def opened(**more) -> rotomask.Session:
    return support.model().session(support.WIDTH, support.HEIGHT, **more)


class Tracking(unittest.TestCase):
    def assert_same(self, one: dict, two: dict) -> None:
        self.assertEqual(list(one), list(two))
        for frame in one:
            np.testing.assert_array_equal(one[frame], two[frame], str(frame))

    def test_a_generator_a_sequence_a_function_and_track_give_the_same_masks(self):
        with opened() as session:
            pushed = support.tracked(session, iter(FRAMES))
        for frame, mask in pushed.items():
            self.assertGreater(support.overlap(mask, support.inside(62 + 2 * frame)), 0.75, frame)
        with opened() as session:
            self.assert_same(support.tracked(session, FRAMES), pushed)
        with opened() as session:
            self.assert_same(support.tracked(session, lambda n: FRAMES[n] if n < 6 else None), pushed)
        with opened() as session:
            self.assert_same(support.tracked(session, np.stack(FRAMES)), pushed)
        with opened(keep="temporary") as session:
            session.click(1, 0, 62, 55)
            told = []
            report = session.track(FRAMES, tracked=told.append)
            self.assertEqual((report.stopped, report.stopped_at), (rotomask.Stopped.DONE, None))
            self.assertEqual(report.stretches, [rotomask.Stretch(1, rotomask.Direction.FORWARD, 1, 5)])
            self.assertEqual(told, [1, 2, 3, 4, 5])
            self.assert_same({n: session.binary(1, n) for n in range(6)}, pushed)

    def test_both_ways_begin_at_the_prompt_and_tell_each_frame_once(self):
        with opened() as session:
            self.assertEqual(list(support.tracked(session, FRAMES, 2, way=rotomask.Way.BOTH)), [2, 3, 4, 5, 1, 0])
        with opened() as session:
            self.assertEqual(list(support.tracked(session, FRAMES, 3, way=rotomask.Way.REVERSE, first=1)), [3, 2, 1])
        with opened() as session:
            self.assertEqual(list(support.tracked(session, FRAMES, 1, last=3)), [1, 2, 3])

    def test_both_ways_reach_both_ends_of_a_shot_that_is_longer_than_memory(self):
        frames = support.clip(24)
        with opened(keep="temporary") as session:
            kept = support.tracked(session, frames, 3, way=rotomask.Way.BOTH)
        self.assertEqual(sorted(kept), list(range(24)))
        with opened(keep="temporary") as session:
            session.click("Disc", 3, 68, 55)
            session.track(frames, rotomask.Way.BOTH)
            self.assert_same({n: session.binary("Disc", n) for n in kept}, kept)

    def test_a_click_between_two_frames_counts_from_the_next_one_on(self):
        with opened() as session:
            session.click("Disc", 0, 62, 55)
            found = []
            for frame, masks in session.propagate(FRAMES):
                found.append((frame, masks.results[1].prompted))
                if frame == 2:
                    session.click("Disc", 3, 68, 55)
            self.assertEqual(found, [(0, True), (1, False), (2, False), (3, True), (4, False), (5, False)])

    def test_masks_go_by_number_and_by_name_and_outlast_the_session(self):
        with opened() as session:
            session.click(7, 0, 62, 55)
            session.rename_object(7, "Sun")
            masks = dict(session.propagate(FRAMES))
        self.assertEqual(list(masks[3]), [7])
        np.testing.assert_array_equal(masks[3]["Sun"], masks[3][7])
        with self.assertRaises(KeyError):
            masks[3]["Moon"]
        self.assertTrue(masks[3]._repr_png_().startswith(b"\x89PNG"))
        # A window of sixteen frames would not have the first one any more; here each frame has its own memory.
        self.assertFalse(np.shares_memory(masks[0][7], masks[1][7]))

    def test_coverage_logits_and_run_lengths_agree_with_the_binary_mask(self):
        with opened() as session:
            session.click(1, 0, 62, 55)
            session.push(0, FRAMES[0])
            binary = session.binary(1)
            np.testing.assert_array_equal(session.coverage(1) >= 128, binary == 255)
            self.assertEqual(session.coverage(1, 0, dtype="float32").dtype, np.float32)
            result = session.result(1)
            self.assertEqual(session.logits(1).shape, (result.logits_height, result.logits_width))
            self.assertTrue(result.prompted and result.seen)
            self.assertEqual(session.rle(1, 0)["size"], [support.HEIGHT, support.WIDTH])
            self.assertEqual(set(session.timings()), set(rotomask.Stage))
            self.assertGreater(session.timings()[rotomask.Stage.IMAGE_ENCODER], 0)

    def test_normalised_places_are_shares_of_the_frame(self):
        with opened() as session:
            pixels = support.tracked(session, FRAMES)
        with opened(units="normalised") as session:
            session.click("Disc", 0, 62 / support.WIDTH, 55 / support.HEIGHT)
            shares = {frame: masks["Disc"] for frame, masks in session.propagate(FRAMES)}
            with self.assertRaises(rotomask.Error) as caught:
                session.click("Disc", 0, 62, 55)
            self.assertEqual(caught.exception.status, rotomask.Status.ERROR_PROMPT)
        self.assert_same(pixels, shares)

    def test_a_box_and_a_mask_say_what_a_click_says(self):
        for say in (lambda s: s.box("Disc", 0, (35, 28, 90, 83)), lambda s: s.mask("Disc", 0, support.inside())):
            with opened() as session:
                say(session)
                session.push(0, FRAMES[0])
                self.assertGreater(support.overlap(session.binary("Disc"), support.inside()), 0.7)

    def test_a_correction_redoes_what_it_makes_wrong_and_undo_takes_it_back(self):
        with opened(keep="temporary") as session:
            session.click(1, 0, 62, 55)
            session.track(FRAMES)
            session.click(1, 3, 68, 55)
            session.click(1, 3, 5, 5, positive=False)
            # Frame 3 is answered, and what follows it tracked anew; what lies before it stays.
            report = session.track(FRAMES, rotomask.Way.OUTDATED)
            redone = sorted((s.first, s.last) for s in report.stretches)
            self.assertEqual((min(redone)[0], max(redone)[1]), (4, 5))
            self.assertEqual(session.describe()["undo"], "click")
            session.undo()
            session.undo()
            self.assertEqual([said["frame"] for said in session.objects()[0]["prompts"]], [0])
            session.redo()
            self.assertEqual(len(session.objects()[0]["prompts"]), 2)
            session.clear_frame(1, 3)
            session.clear_object(1)
            self.assertEqual(session.objects()[0]["prompts"], [])
            session.remove_object(1)
            session.add_object("Again")
            session.reset()
            self.assertEqual(session.objects(), [])

    def test_a_review_names_frames_where_the_object_went(self):
        frames = FRAMES + [np.full_like(FRAMES[0], 40)] * 3
        with opened(keep="temporary", detect_cuts=False) as session:
            session.click("Disc", 0, 62, 55)
            session.track(frames)
            ranges = session.review("Disc")
            self.assertTrue(all(set(each) == {"first", "last", "reasons"} for each in ranges))
        with opened() as session, self.assertRaises(rotomask.Error) as caught:
            session.click("Disc", 0, 62, 55)
            session.review("Disc")
        self.assertEqual(caught.exception.status, rotomask.Status.ERROR_STATE)

    def test_objects_that_nobody_pointed_at_are_added(self):
        told = []
        with opened() as session:
            search = {"points_per_side": 4, "pred_iou_thresh": 0.3, "stability_score_thresh": 0.2}
            added = session.add_automatic(0, FRAMES[0], search, {"max_objects": 3}, lambda *at: told.append(at))
            self.assertEqual(added, [each["id"] for each in session.objects()])
            self.assertLessEqual(len(added), 3)
            self.assertEqual(told[-1], (16, 16))
            with self.assertRaises(ZeroDivisionError):
                session.add_automatic(1, FRAMES[1], search, None, lambda *_: 1 / 0)


class Refusals(unittest.TestCase):
    def refused(self, status, work) -> str:
        with self.assertRaises(rotomask.Error) as caught:
            work()
        self.assertEqual(caught.exception.status, status)
        return str(caught.exception)

    def test_an_error_has_a_status_and_a_sentence_that_its_session_repeats(self):
        with opened() as session:
            said = self.refused(rotomask.Status.ERROR_PROMPT, lambda: session.click(1, 0, 999, 5))
            self.assertIn("999", said)
            self.assertEqual(session.last_error(), said)
            self.refused(rotomask.Status.ERROR_STATE, session.refine)
            self.refused(rotomask.Status.ERROR_STATE, lambda: session.binary(1))
            self.refused(rotomask.Status.ERROR_STATE, lambda: list(session.propagate(FRAMES)))
            self.refused(rotomask.Status.ERROR_FRAME, lambda: session.push(0, FRAMES[0][:9]))
            with self.assertRaises(KeyError):
                session.binary("Moon")

    def test_options_by_name_are_those_of_the_table(self):
        names = {each["name"] for each in rotomask.options_table()}
        with rotomask.Options(threads=2, deterministic=True, provider="cpu") as options:
            self.assertEqual((options["threads"], options["deterministic"]), ("2", "on"))
            said = self.refused(rotomask.Status.ERROR_ARGUMENT, lambda: options.__setitem__("treads", 1))
            self.assertTrue(all(name in said for name in names))
            with self.assertRaises(TypeError):
                rotomask.Model(options=options, threads=1)
        self.refused(rotomask.Status.ERROR_ARGUMENT, lambda: opened(memory_temporal_stride_for_eval=99))
        self.refused(rotomask.Status.ERROR_MODEL, lambda: rotomask.Model("/nowhere.rotomodel"))
        with self.assertRaises(ValueError):
            rotomask.Model("no\0where")
        with self.assertRaises(TypeError):
            support.model().automatic(FRAMES[0], points_per_size=3)

    def test_frames_that_cannot_be_asked_for_are_refused(self):
        with opened() as session:
            session.click(1, 0, 62, 55)
            with self.assertRaises(TypeError):
                session.track(iter(FRAMES))
            with self.assertRaises(TypeError):
                session.propagate(iter(FRAMES), way=rotomask.Way.BOTH)
            with self.assertRaises(ValueError):
                session.propagate(FRAMES, way=rotomask.Way.OUTDATED)
            with self.assertRaises(ValueError):
                session.masks(0, "soft")


class Callbacks(unittest.TestCase):
    def test_what_a_callback_raises_comes_out_of_the_call_and_finished_frames_stay(self):
        class Broken(Exception):
            pass

        def read(index):
            if index == 3:
                raise Broken("the tape ends")
            return FRAMES[index]

        with opened(keep="temporary") as session:
            session.click(1, 0, 62, 55)
            with self.assertRaisesRegex(Broken, "the tape ends"):
                session.track(read)
            self.assertEqual(session.objects()[0]["tracked"], [[1, 2]])
            with self.assertRaisesRegex(rotomask.Error, "mapped|pixels"):
                session.track(lambda index: "no picture")

            def stop(stage, milliseconds):
                if stage == rotomask.Stage.MASK_DECODER:
                    raise KeyboardInterrupt

            session.on_progress(stop)
            with self.assertRaises(KeyboardInterrupt):
                session.track(FRAMES)
            with self.assertRaises(KeyboardInterrupt):
                session.push(3, FRAMES[3])
            self.assertEqual(session.objects()[0]["tracked"], [[1, 2]])
            session.on_progress(None)
            session.track(FRAMES)
            self.assertEqual(session.objects()[0]["tracked"], [[1, 5]])

    def test_false_stops_and_everything_else_goes_on(self):
        with opened() as session:
            session.click(1, 0, 62, 55)
            report = session.track(FRAMES, tracked=lambda frame: frame < 2)
            self.assertEqual(report.stopped, rotomask.Stopped.BY_CALLER)
            session.on_progress(lambda stage, milliseconds: False)
            with self.assertRaises(rotomask.Cancelled):
                session.push(3, FRAMES[3])
            session.on_progress(lambda stage, milliseconds: 5)
            session.push(3, FRAMES[3])

    def test_a_callback_that_uses_its_session_is_told_so_in_place_of_hanging(self):
        with opened() as session:
            session.click(1, 0, 62, 55)
            for wrong in (lambda frame: session.binary(1), lambda frame: session.close()):
                with self.assertRaises(rotomask.Error) as caught:
                    session.track(FRAMES, overwrite=True, tracked=wrong)
                self.assertEqual(caught.exception.status, rotomask.Status.ERROR_STATE)
            report = session.track(FRAMES, overwrite=True, tracked=lambda frame: session.cancel())
            self.assertEqual(report.stopped, rotomask.Stopped.BY_CALLER)

    def test_messages_reach_a_callback_and_one_that_raises_does_no_harm(self):
        told = []
        rotomask.set_log(lambda level, message: told.append((level, message)), rotomask.Level.DEBUG)
        self.addCleanup(rotomask.set_log, None)
        rotomask.Model(threads=1).close()
        self.assertTrue(told)
        self.assertTrue(all(isinstance(level, rotomask.Level) and message for level, message in told))
        with self.assertLogs("rotomask", "DEBUG"):
            rotomask.log_to_logging(level=rotomask.Level.DEBUG)
            rotomask.Model(threads=1).close()


class Files(unittest.TestCase):
    def test_a_session_file_is_gone_on_with_read_exported_checked_and_salvaged(self):
        with tempfile.TemporaryDirectory() as folder:
            path, fresh = Path(folder) / "ä shot.rotosession", Path(folder) / "fresh.rotosession"
            with opened(file=path) as session:
                session.click("Disc", 0, 62, 55)
                session.track(FRAMES, last=2)
                with self.assertRaises(rotomask.Error) as caught:
                    opened(file=path)
                self.assertEqual(caught.exception.status, rotomask.Status.ERROR_SESSION)
            with opened(file=path) as session:
                report = session.track(FRAMES)
                self.assertEqual([(s.first, s.last) for s in report.stretches if s.last > 2], [(3, 5)])
                masks = {frame: session.binary("Disc", frame) for frame in range(6)}
            with opened() as session:
                straight = support.tracked(session, FRAMES)
            with rotomask.SessionFile(path) as file:
                self.assertEqual((file.size(), file.check()), ((support.WIDTH, support.HEIGHT), []))
                self.assertEqual(file.describe()["objects"][0]["name"], "Disc")
                self.assertEqual(file.export(Path(folder) / "masks"), 6)
                for frame in range(6):
                    np.testing.assert_array_equal(masks[frame], straight[frame])
                    np.testing.assert_array_equal(file.binary(1, frame), masks[frame])
                    png = Path(folder) / f"masks/1/{frame:05}.png"
                    np.testing.assert_array_equal(rotomask.read_image(png), masks[frame])
                # As they were in the session, and as soft as a matte wants them.
                logits, told = file.logits(1, 3), file.result(1, 3)
                self.assertEqual(logits.shape, (told.logits_height, told.logits_width))
                self.assertEqual((told.prompted, told.seen, file.result(1, 0).prompted), (False, True, True))
                coverage = file.coverage(1, 3, dtype="float32")
                np.testing.assert_array_equal(coverage > 0.5, masks[3] > 0)
                self.assertTrue(((coverage > 0.1) & (coverage < 0.9)).any())
                with self.assertRaises(rotomask.Error):
                    file.binary(9, 0)
            saved = rotomask.SessionFile.salvage(path, fresh)
            self.assertEqual((saved.objects, saved.answers, saved.lost), (1, 6, 0))
            path.write_bytes(b"no session")
            with self.assertRaises(rotomask.Error) as caught:
                rotomask.SessionFile(path)
            self.assertEqual(caught.exception.status, rotomask.Status.ERROR_SESSION)


class Loading(unittest.TestCase):
    def test_the_library_tells_what_it_is(self):
        self.assertEqual(rotomask.abi_version(), rotomask.ABI_VERSION)
        self.assertRegex(rotomask.version(), r"^\d+\.\d+\.\d+$")
        self.assertIn("onnxruntime", rotomask.info())
        self.assertEqual(json.dumps(support.model().describe())[:1], "{")

    def test_a_process_has_one_library(self):
        rotomask.load(support.library())
        with self.assertRaisesRegex(OSError, "loaded already"):
            rotomask.load("/nowhere/librotomask.so")

    def test_the_library_is_looked_for_beside_the_file_then_by_name_then_in_the_prefix(self):
        with tempfile.TemporaryDirectory() as folder:
            here = Path(folder).resolve() / "share/rotomask/python"
            here.mkdir(parents=True)
            (here / "rotomask.py").write_bytes((support.PYTHON / "rotomask.py").read_bytes())
            places = [here / "librotomask.so", here / "rotomask/librotomask.so", Path(folder) / "named.so", here.parent / "lib/librotomask.so"]
            for place in places:
                place.parent.mkdir(exist_ok=True)
                place.symlink_to(support.library())
            # What the system's loader would find is for no one to say here; cargo sets it.
            environment = {**os.environ, "ROTOMASK_LIBRARY": str(places[2])}
            environment.pop("LD_LIBRARY_PATH", None)

            def found(**environment) -> str:
                script = "import rotomask; rotomask.version(); print(rotomask._library._name)"
                done = subprocess.run([sys.executable, "-B", "-c", script], cwd=here, env=environment, capture_output=True, text=True)
                return done.stdout.strip() or done.stderr.strip().splitlines()[-1]

            for place in places[:3]:
                self.assertEqual(found(**environment), str(place))
                place.unlink()
            self.assertIn("named.so", found(**environment))
            del environment["ROTOMASK_LIBRARY"]
            self.assertEqual(found(**environment), str(places[3]))
            places[3].unlink()
            self.assertIn("librotomask was not found", found(**environment))

    def test_kernels_come_in_every_language(self):
        kernel = rotomask.kernels()[0]["name"]
        self.assertIn(b"fn ", rotomask.kernel_code(kernel))
        self.assertEqual(rotomask.kernel_code(kernel, 0, rotomask.Language.SPIRV)[:4], b"\x03\x02\x23\x07")


if __name__ == "__main__":
    unittest.main()
