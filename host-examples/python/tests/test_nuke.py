"""Nuke's menu with a module that stands in for Nuke: what is asked of it is what its documentation has."""

import sys
import tempfile
import types
import unittest
from pathlib import Path

import numpy as np

import support
from support import rotomask

import rotomask_nuke as ours


class Knob:
    def __init__(self, value):
        self.held = value

    def value(self):
        return self.held

    def setValue(self, value):
        self.held = value


class Node:
    def __init__(self, kind, **knobs):
        self.kind, self.knobs = kind, {name: Knob(value) for name, value in knobs.items()}

    def Class(self):
        return self.kind

    def height(self):
        return support.HEIGHT

    def __getitem__(self, name):
        return self.knobs.setdefault(name, Knob(None))


def stand_in(selected, typed, cancel_after=None):
    """The part of Nuke's module that is used."""
    nuke = types.ModuleType("nuke")
    nuke.told, nuke.messages, nuke.created, nuke.menus = [], [], [], {}

    class ProgressTask:
        def __init__(self, name):
            self.name = name

        def setMessage(self, text):
            nuke.told.append(text)

        def isCancelled(self):
            return cancel_after is not None and len(nuke.told) >= cancel_after

    class Menu:
        def addMenu(self, name):
            nuke.menus[name] = self
            return self

        def addCommand(self, name, command):
            nuke.menus[name] = command

    def create(kind, inpanel=True):
        if kind not in ("Read", ours.EFFECT):
            raise RuntimeError(f"{kind}: Unknown command")
        nuke.created.append(Node(kind))
        return nuke.created[-1]

    nuke.selectedNodes = lambda: selected
    nuke.filenameFilter = lambda name: name
    nuke.getInput = lambda prompt, default: typed
    nuke.createNode, nuke.message, nuke.ProgressTask = create, nuke.messages.append, ProgressTask
    nuke.menu = lambda name: Menu()
    return nuke


class WithoutNuke(unittest.TestCase):
    def test_places_are_turned_over_and_frames_counted_from_the_first(self):
        job = ours.Job(Path("/clips/a.mov"), 1001, 100)
        said = ours.places_of("10.5,99.5 !3.5,0.5@1003", job)
        self.assertEqual([each["frame"] for each in said], [0, 2])
        # The highest row of Nuke's picture is rotomask's row 0.
        self.assertEqual(said[0]["points"], [[10, 0]])
        self.assertEqual(said[1]["negative"], [[3, 99]])
        for wrong in ("", "!1,1", "1;2", "1,1@1000", "x"):
            with self.assertRaises(ValueError):
                ours.places_of(wrong, job)

    def test_a_sequence_is_its_folder_if_it_has_it_for_itself(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("a.0001.png", "a.0002.png", "notes.txt"):
                (Path(folder) / name).touch()
            for file in ("a.####.png", "a.%04d.png"):
                self.assertEqual(ours.job_of(f"{folder}/{file}", 1, 9).clip, Path(folder))
            (Path(folder) / "b.0001.png").touch()
            with self.assertRaisesRegex(ValueError, "b.0001.png"):
                ours.job_of(f"{folder}/a.####.png", 1, 9)
        self.assertEqual(ours.job_of("/clips/a.mov", 5, 9), ours.Job(Path("/clips/a.mov"), 5, 9))


class WithNuke(unittest.TestCase):
    def setUp(self):
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.addCleanup(sys.modules.pop, "nuke", None)
        self.clip = support.write_clip(Path(held.name) / "a.mkv", support.clip(5))
        self.read = Node("Read", file=str(self.clip), first=1001)
        # Nuke's y goes up.
        self.typed = f"62.5,{support.HEIGHT - 55 - 0.5}@1001"

    def test_the_selected_read_becomes_a_read_of_its_mattes_at_the_same_frames(self):
        sys.modules["nuke"] = nuke = stand_in([self.read], self.typed)
        node = ours.track_selected()
        self.assertEqual(nuke.messages, [])
        self.assertEqual((node["first"].value(), node["last"].value(), node["frame"].value()), (0, 4, "1001"))
        self.assertTrue(node["raw"].value())
        for frame in range(5):
            mask = rotomask.read_image(node["file"].value() % frame)
            self.assertGreater(support.overlap(mask, support.inside(62 + 2 * frame)), 0.7)
        self.assertEqual(nuke.told[-1], "5 frames")

    def test_the_effect_gets_the_session_and_the_offset(self):
        sys.modules["nuke"] = stand_in([self.read], self.typed)
        node = ours.track_selected("effect")
        self.assertEqual((node.Class(), node["frameOffset"].value()), (ours.EFFECT, -1001))
        with rotomask.SessionFile(node["session"].value()) as file:
            self.assertEqual(file.check(), [])

    def test_what_is_stopped_is_gone_on_with(self):
        sys.modules["nuke"] = nuke = stand_in([self.read], self.typed, cancel_after=2)
        self.assertIsNone(ours.track_selected())
        self.assertIn("stopped", nuke.messages[0])
        sys.modules["nuke"] = stand_in([self.read], self.typed)
        self.assertEqual(ours.track_selected()["last"].value(), 4)

    def test_what_is_wrong_is_told_in_a_message(self):
        for selected, typed, words in (([], "1,1", "0 Reads"), ([self.read], "1;1", "1;1"),
                                       ([Node("Read", file="/none.mov", first=1)], "1,1", "none.mov")):
            sys.modules["nuke"] = nuke = stand_in(selected, typed)
            self.assertIsNone(ours.track_selected())
            self.assertIn(words, nuke.messages[0])
        sys.modules["nuke"] = nuke = stand_in([self.read], None)
        self.assertIsNone(ours.track_selected())
        self.assertEqual(nuke.messages, [])

    def test_the_menu_has_both_commands(self):
        sys.modules["nuke"] = nuke = stand_in([self.read], self.typed)
        ours.install()
        self.assertEqual(nuke.menus["Track the selected Read"]().Class(), "Read")


if __name__ == "__main__":
    unittest.main()
