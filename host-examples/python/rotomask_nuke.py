"""Nuke: track the selected Read, and get a Read of its mattes, or its session in the OpenFX effect.

Put this file with rotomask.py, shots.py and video.py into a folder of NUKE_PATH (`~/.nuke`), and into its `menu.py`:

    import rotomask_nuke
    rotomask_nuke.install()

The menu **Nodes > Rotomask** then has *Track the selected Read*: it asks for places on a frame, tracks both ways under Nuke's
progress bar, and makes the node. What is done is kept beside the clip, in `NAME.rotomask/`, and gone on with.

Never run in Nuke; the part without Nuke, and the calls of its Python, are tested with a module that stands in for it.
(The file isn't called nuke.py: Nuke's own module has that name.)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import rotomask
import shots

EFFECT = "OFXorg.rotomask.Rotomask_v0"


@dataclass(frozen=True)
class Job:
    """A Read as rotomask needs it: where its pictures are, and how Nuke counts them."""

    clip: Path
    first: int
    height: int

    @property
    def folder(self) -> Path:
        """Where everything about it is kept."""
        return self.clip.with_name(self.clip.name + ".rotomask")


def job_of(file: str, first: int, height: int) -> Job:
    """A Read's knobs `file` and `first`. A sequence (`name.####.exr`, `name.%04d.exr`) is its folder.

    Raises `ValueError` for a sequence whose folder has other pictures as well: they would be frames.
    """
    path = Path(file)
    if not re.search(r"#+|%0?\d*d", path.name):
        return Job(path, first, height)
    pattern = re.compile(re.sub(r"\\#(\\#)*|#+|%0?\d*d", r"-?\\d+", re.escape(path.name)))
    others = [each.name for each in path.parent.iterdir() if each.suffix.lower() in shots.PICTURES and not pattern.fullmatch(each.name)]
    if others:
        raise ValueError(f"{path.parent}: {others[0]} is there as well; put the sequence into a folder of its own")
    return Job(path.parent, first, height)


def places_of(text: str, job: Job) -> list[dict[str, Any]]:
    """What was typed: `X,Y` or `X,Y@FRAME`, with `!` where it is not the object. Nuke's y goes up and its frames begin anywhere;
    rotomask's y goes down, and its frames begin at 0."""
    by_frame: dict[int, dict[str, Any]] = {}
    for word in text.split():
        found = shots.PLACE.fullmatch(word)
        if found is None:
            raise ValueError(f"found {word}, expected X,Y or X,Y@FRAME, with ! in front where it is not the object")
        frame = int(found[4]) - job.first if found[4] else 0
        if frame < 0:
            raise ValueError(f"{word} is before the first frame, {job.first}")
        # Nuke's (0, 0) is the lower left corner of the lowest pixel; rotomask's the middle of the highest.
        at = [float(found[2]) - 0.5, job.height - float(found[3]) - 0.5]
        said = by_frame.setdefault(frame, {"name": "Object 1", "frame": frame, "points": [], "negative": []})
        said["negative" if found[1] else "points"].append(at)
    if not any(said["points"] for said in by_frame.values()):
        raise ValueError("say at least one place on the object")
    return [by_frame[frame] for frame in sorted(by_frame)]


def track(job: Job, places: str, progress: Callable[[int], Any] = lambda frames: None) -> dict[str, Any]:
    """Tracks, and gives `mattes` (as a Read's `file`), `session`, and Nuke's `first` and `last` frame."""
    shot = shots.Shot("shot", str(job.clip), places_of(places, job))
    done = shots.run_shot(shots.model_of_worker(None, 0), shot, job.folder, progress)
    return {
        "mattes": (job.folder / "shot/1/%05d.png").as_posix(), "session": (job.folder / "shot.rotosession").as_posix(),
        "first": job.first, "last": job.first + done["frames"] - 1,
    }


# --- with Nuke -------------------------------------------------------------------------------------------------------


def _nuke() -> Any:
    import nuke

    return nuke


def selected() -> Job:
    """The Read that is selected. Raises `ValueError` if there is none."""
    nuke = _nuke()
    reads = [node for node in nuke.selectedNodes() if node.Class() == "Read"]
    if len(reads) != 1:
        raise ValueError(f"{len(reads)} Reads are selected, expected one")
    return job_of(nuke.filenameFilter(reads[0]["file"].value()) or reads[0]["file"].value(), int(reads[0]["first"].value()), reads[0].height())


def read_of(told: dict[str, Any]) -> Any:
    """A Read of the mattes, at the frames of the plate."""
    node = _nuke().createNode("Read", inpanel=False)
    node["file"].setValue(told["mattes"])
    # The mattes are counted from 0: shown from the plate's first frame on.
    for knob, value in (("first", 0), ("last", told["last"] - told["first"]), ("origfirst", 0)):
        node[knob].setValue(value)
    node["frame_mode"].setValue("start at")
    node["frame"].setValue(str(told["first"]))
    # A matte is coverage: no curve belongs on it.
    node["raw"].setValue(True)
    return node


def effect_of(told: dict[str, Any]) -> Any:
    """The OpenFX effect with the session. Raises `RuntimeError`, as Nuke does, where it isn't installed."""
    node = _nuke().createNode(EFFECT, inpanel=False)
    node["session"].setValue(told["session"])
    node["frameOffset"].setValue(-told["first"])
    return node


def track_selected(into: str = "Read") -> Optional[Any]:
    """The menu's command: asks, tracks, and makes a node, or tells what is wrong and gives `None`."""
    nuke = _nuke()
    try:
        job = selected()
        places = nuke.getInput("Places on the object, X,Y or X,Y@FRAME; !X,Y is not on it", "")
        if not places:
            return None
        task = nuke.ProgressTask("rotomask")

        def progress(frames: int) -> None:
            task.setMessage(f"{frames} frames")
            if task.isCancelled():
                raise rotomask.Cancelled(rotomask.Status.ERROR_CANCELLED, "stopped; track it again to go on")

        try:
            told = track(job, places, progress)
        finally:
            del task
        return effect_of(told) if into == "effect" else read_of(told)
    except (OSError, ValueError, RuntimeError, rotomask.Error) as error:
        nuke.message(f"rotomask: {error}")
        return None


def install() -> None:
    """Adds the menu."""
    menu = _nuke().menu("Nodes").addMenu("Rotomask")
    menu.addCommand("Track the selected Read", lambda: track_selected("Read"))
    menu.addCommand("Track the selected Read, finish in the effect", lambda: track_selected("effect"))
