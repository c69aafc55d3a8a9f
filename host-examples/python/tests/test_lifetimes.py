"""Closing in any order, use after close, garbage, threads, shared weights."""

import gc
import os
import subprocess
import sys
import tempfile
import threading
import unittest

import numpy as np

import support
from support import rotomask

FRAMES = support.clip(8)


def opened(model=None, **more) -> rotomask.Session:
    return (model or support.model()).session(support.WIDTH, support.HEIGHT, **more)


def resident() -> int:
    """Bytes of this process that lie in memory."""
    with open("/proc/self/statm") as told:
        return int(told.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Closing(unittest.TestCase):
    def test_a_model_may_be_closed_before_what_was_opened_with_it(self):
        model = rotomask.Model(threads=1)
        session, image = opened(model), model.image(FRAMES[0])
        model.close()
        model.close()
        self.assertTrue(model.closed)
        self.assertEqual(len(support.tracked(session, FRAMES)), 8)
        self.assertEqual(len(image.predict([(62, 55)])), 3)
        with self.assertRaises(rotomask.Error) as caught:
            opened(model)
        self.assertEqual(caught.exception.status, rotomask.Status.ERROR_STATE)
        session.close()
        image.close()

    def test_whatever_is_closed_answers_with_an_error_and_nothing_else(self):
        with opened() as session, support.model().image(FRAMES[0]) as image, rotomask.MatteSettings() as settings:
            candidate = image.predict([(62, 55)])[0]
        uses = (session.describe, session.cancel, session.undo, session.last_error, lambda: session.push(0, FRAMES[0]),
                candidate.binary, image.cancel, settings.preset, lambda: settings["view"])
        for use in uses:
            with self.assertRaisesRegex(rotomask.Error, "is closed"):
                use()

    def test_what_nobody_has_any_more_is_closed_and_its_file_let_go(self):
        with tempfile.TemporaryDirectory() as folder:
            path = folder + "/a.rotosession"
            session = opened(file=path)
            session.on_progress(lambda *_: session.width)  # A cycle, which only the collector finds.
            with self.assertRaises(rotomask.Error):
                opened(file=path)
            del session
            gc.collect()
            opened(file=path).close()

    def test_a_candidate_of_an_earlier_question_is_gone(self):
        with support.model().image(FRAMES[0]) as image:
            old = image.predict([(62, 55)])[0]
            image.predict([(5, 5)])
            with self.assertRaisesRegex(rotomask.Error, "something else"):
                old.binary()

    def test_nothing_is_said_when_the_interpreter_ends_with_everything_open(self):
        script = (
            f"import sys; sys.path.insert(0, {str(support.PYTHON)!r}); import rotomask\n"
            "rotomask.set_log(lambda *_: None, rotomask.Level.DEBUG)\n"
            "model = rotomask.Model(threads=1); session = model.session(64, 48); image = model.image()\n"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_an_interpreter_that_ends_stops_a_daemon_thread_at_its_work(self):
        script = (
            f"import sys; sys.path[:0] = [{str(support.PYTHON / 'tests')!r}]; import support, threading\n"
            "session = support.model().session(161, 119); session.click(1, 0, 62, 55); begun = threading.Event()\n"
            "session.on_progress(lambda *_: begun.set())\n"
            "def work():\n"
            "    try:\n"
            "        for n in range(10**6): session.push(n % 2, support.disc())\n"
            "    except support.rotomask.Error: pass\n"
            "threading.Thread(target=work, daemon=True).start(); begun.wait()\n"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    @unittest.skipUnless(hasattr(os, "fork"), "there is no fork here")
    def test_a_forked_child_closes_nothing_of_its_parents(self):
        session = opened(keep="temporary")
        child = os.fork()
        if child == 0:
            del session
            gc.collect()
            os._exit(0)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual(len(support.tracked(session, FRAMES)), 8)
        session.close()


class Threads(unittest.TestCase):
    def test_of_two_sessions_in_two_threads_the_one_that_is_cancelled_stops_and_the_other_is_untouched(self):
        with opened() as alone:
            wanted = support.tracked(alone, FRAMES)
        found, raised, begun = {}, [], threading.Event()
        with opened() as kept, opened() as stopped:
            def cancelled():
                stopped.click("Disc", 0, 62, 55)
                stopped.on_progress(lambda *_: begun.set())
                try:
                    while True:
                        stopped.push(0, FRAMES[0])
                        stopped.push(1, FRAMES[1])
                except rotomask.Cancelled as error:
                    raised.append(error)

            threads = [
                threading.Thread(target=lambda: found.update(support.tracked(kept, FRAMES))),
                threading.Thread(target=cancelled),
            ]
            for thread in threads:
                thread.start()
            begun.wait()
            stopped.cancel()
            for thread in threads:
                thread.join()
            self.assertEqual(len(raised), 1)
            self.assertEqual(list(found), list(wanted))
            for frame, mask in wanted.items():
                np.testing.assert_array_equal(found[frame], mask)

    def test_what_another_thread_uses_is_not_closed_under_it(self):
        session, begun, go_on = opened(), threading.Event(), threading.Event()
        session.click("Disc", 0, 62, 55)
        session.on_progress(lambda *_: (begun.set(), go_on.wait()) and None)
        thread = threading.Thread(target=lambda: session.push(0, FRAMES[0]))
        thread.start()
        begun.wait()
        with self.assertRaisesRegex(rotomask.Error, "in use"):
            session.close()
        go_on.set()
        thread.join()
        session.close()

    def test_python_goes_on_while_the_library_works(self):
        counted, done = [0], threading.Event()

        def count():
            while not done.is_set():
                counted[0] += 1

        with opened() as session:
            session.click("Disc", 0, 62, 55)
            thread = threading.Thread(target=count)
            thread.start()
            before = counted[0]
            session.push(0, FRAMES[0])
            after = counted[0]
            done.set()
            thread.join()
        self.assertGreater(after, before)

    def test_sixteen_sessions_share_one_copy_of_the_weights(self):
        weights = sum(
            path.stat().st_size for path in (support.ROOT / "models/rotomask-nano.rotomodel").rglob("*.onnx")
        )
        model = rotomask.Model(threads=1)
        sessions = [opened(model)]
        support.tracked(sessions[0], FRAMES[:2])
        first = resident()
        sessions += [opened(model) for _ in range(15)]
        idle = resident()
        for session in sessions[1:]:
            support.tracked(session, FRAMES[:2])
        used = resident()
        print(f"\nweights {weights / 1e6:.1f} MB in files; fifteen more sessions: {(idle - first) / 1e6:.1f} MB opened, "
              f"{(used - first) / 1e6:.1f} MB after two frames each", file=sys.stderr)
        # Copies would take at least fifteen times the files.
        self.assertLess(idle - first, 4 * weights)
        for session in sessions:
            session.close()


if __name__ == "__main__":
    unittest.main()
