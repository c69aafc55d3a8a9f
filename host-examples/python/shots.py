"""Shots and what is said about them; each to a session and to masks. What batch.py, Ray and Slurm have in common, so that
their results can't differ.

A list is JSON:

    [{"clip": "walk.mkv", "name": "walk", "options": {"detect_cuts": false},
      "objects": [{"name": "Person", "frame": 12, "points": [[310, 200]], "negative": [[40, 40]], "box": [250, 90, 380, 420]}]},
     {"clip": "desk.mp4", "automatic": {"points_per_side": 8}}]

or text, a shot a line: `walk.mkv 310,200@12 !40,40@12`, with places of one object, those with `!` not on it. Or a folder:
each of its clips, with what is said in `CLIP.json` beside it, as one such element. Clips are relative to the list.

A shot gives NAME.rotosession, NAME/OBJECT/FRAME.png and at last NAME.json. Whatever is there is gone on with: a job that was
stopped or killed, on this machine or another, loses no finished frame.
"""

from __future__ import annotations

import functools
import json
import re
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

import rotomask
from video import PICTURES, VIDEOS, Video


@dataclass(frozen=True)
class Shot:
    """A clip, and what is said about it."""

    name: str
    clip: str
    objects: list[dict[str, Any]] = field(default_factory=list)
    automatic: Optional[dict[str, Any]] = None
    options: dict[str, Any] = field(default_factory=dict)


class BadList(ValueError):
    """A list that can't be used: which part of it, what was found, what is expected."""


def _shot(said: Any, folder: Path, where: str) -> Shot:
    if not isinstance(said, dict) or not isinstance(said.get("clip"), str):
        raise BadList(f"{where}: found no `clip`")
    unknown = set(said) - {"clip", "name", "objects", "automatic", "options"}
    if unknown:
        raise BadList(f"{where}: found {', '.join(sorted(unknown))}, expected clip, name, objects, automatic, options")
    name = said.get("name", Path(said["clip"]).stem)
    if not isinstance(name, str) or not re.fullmatch(r"[^./\\\0][^/\\\0]*", name):
        raise BadList(f"{where}: its name is {name!r}, expected one that a file can have")
    if not said.get("objects") and said.get("automatic") is None:
        raise BadList(f"{where}: nothing is said about it, expected `objects` or `automatic`")
    for each in said.get("objects", []):
        if not isinstance(each, dict) or not ({"points", "box", "mask"} & set(each)):
            raise BadList(f"{where}: an object has no `points`, `box` or `mask`")
    return Shot(name, str(folder / said["clip"]), said.get("objects", []), said.get("automatic"), said.get("options", {}))


PLACE = re.compile(r"(!?)(-?[\d.]+),(-?[\d.]+)(?:@(\d+))?")


def _of_line(line: str, folder: Path, where: str) -> Shot:
    clip, *places = shlex.split(line)
    by_frame: dict[int, dict[str, Any]] = {}
    for place in places:
        found = PLACE.fullmatch(place)
        if found is None:
            raise BadList(f"{where}: found {place}, expected X,Y[@F] or !X,Y[@F]")
        at = by_frame.setdefault(int(found[4] or 0), {"name": "Object 1", "points": [], "negative": []})
        at["negative" if found[1] else "points"].append([float(found[2]), float(found[3])])
    objects = [{"frame": frame, **said} for frame, said in sorted(by_frame.items())]
    return _shot({"clip": clip, "objects": objects}, folder, where)


def _of_folder(folder: Path, said_of_all: Optional[dict[str, Any]]) -> list[Shot]:
    shots = []
    for clip in sorted(folder.iterdir()):
        sequence = clip.is_dir() and any(each.suffix.lower() in PICTURES for each in clip.iterdir())
        if clip.suffix.lower() not in VIDEOS and not sequence:
            continue
        beside = clip.with_name(clip.name + ".json")
        said = json.loads(beside.read_text("utf-8")) if beside.is_file() else dict(said_of_all or {})
        shots.append(_shot({"clip": clip.name, **said}, folder, str(clip)))
    return shots


def read_list(path: Path, said_of_all: Optional[dict[str, Any]] = None) -> list[Shot]:
    """The shots of a list or folder. `said_of_all` is for clips of a folder that have nothing beside them.

    Raises `BadList`, or `OSError` if it can't be read.
    """
    if path.is_dir():
        shots = _of_folder(path, said_of_all)
    else:
        text = path.read_text("utf-8")
        try:
            if text.lstrip()[:1] in ("[", "{"):
                listed = json.loads(text)
                listed = listed if isinstance(listed, list) else [listed]
                shots = [_shot(said, path.parent, f"{path}, shot {n}") for n, said in enumerate(listed)]
            else:
                lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip() and line.strip()[0] != "#"]
                shots = [_of_line(line, path.parent, f"{path}, line {n}") for n, line in lines]
        except json.JSONDecodeError as error:
            raise BadList(f"{path}: {error}") from error
    names = [shot.name for shot in shots]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadList(f"{path}: {', '.join(twice)} is there twice; give each shot a `name`")
    if not shots:
        raise BadList(f"{path}: there is no shot in it")
    return shots


def _say(session: rotomask.Session, shot: Shot, video: Video) -> None:
    for number, said in enumerate(shot.objects, 1):
        name, frame = said.get("name", f"Object {number}"), int(said.get("frame", 0))
        if "mask" in said:
            session.mask(name, frame, rotomask.read_image(Path(shot.clip).parent / said["mask"]))
        if "box" in said:
            session.box(name, frame, said["box"])
        for positive, places in ((True, said.get("points", [])), (False, said.get("negative", []))):
            for x, y in places:
                session.click(name, frame, x, y, positive)
    # Last, because it answers at once: whatever has an answer has been told everything.
    if shot.automatic is not None:
        session.add_automatic(0, video(0), shot.automatic)


@functools.lru_cache(maxsize=1)
def model_of_worker(folder: Optional[str], threads: int) -> rotomask.Model:
    """The model of a process that does shot after shot: loaded once."""
    return rotomask.Model(folder, threads=threads, deterministic=True)


def _answered(session: rotomask.Session) -> set[int]:
    """Frames on which some object has a mask."""
    told = session.describe()
    frames = {frame for each in told["objects"] for first, last in each["tracked"] for frame in range(first, last + 1)}
    said = {said["frame"] for each in told["objects"] for said in each["prompts"]}
    return frames | (said - set(told["waiting"]))


def _opened(model: rotomask.Model, shot: Shot, video: Video, path: Path, patience: float) -> rotomask.Session:
    """The session. One that a dying process still holds is waited for."""
    end = time.monotonic() + patience
    while True:
        try:
            return model.session(video.width, video.height, file=path, **shot.options)
        except rotomask.Error as error:
            if error.status != rotomask.Status.ERROR_SESSION or time.monotonic() > end:
                raise
            time.sleep(0.2)


def run_shot(
    model: rotomask.Model, shot: Shot, out: Path, progress: Callable[[int], Any] = lambda frames: None, patience: float = 30
) -> dict[str, Any]:
    """Tracks a shot both ways from what is said, and writes its masks. `progress` is told how many frames are finished.

    Gives `frames`, `masks`, `tracked` (frames that this run had to track) and `kept`. Raises `rotomask.Error` or `OSError`;
    what was finished stays.
    """
    done = out / f"{shot.name}.json"
    if done.is_file():
        told = json.loads(done.read_text("utf-8"))
        progress(told["frames"])
        return {**told, "tracked": 0, "kept": told["frames"]}
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{shot.name}.rotosession"
    frames, masks_written = 0, 0
    with Video(shot.clip) as video, _opened(model, shot, video, path, patience) as session:
        # A process that was killed may have left a part of a picture; the session is ours now, and so are they.
        for part in (out / shot.name).rglob("*.part"):
            part.unlink(missing_ok=True)
        # A process may have died while it was still speaking: then all is said again.
        if not _answered(session):
            session.reset()
            _say(session, shot, video)
        before = len(_answered(session))
        for frame, masks in session.propagate(video, rotomask.Way.BOTH):
            for number, mask in masks.items():
                png = out / shot.name / str(number) / f"{frame:05}.png"
                if not png.is_file():
                    png.parent.mkdir(parents=True, exist_ok=True)
                    rotomask.write_png(png, mask)
                masks_written += 1
            frames += 1
            progress(frames)
    told = {"frames": frames, "masks": masks_written}
    part = done.with_suffix(".part")
    part.write_text(json.dumps(told), "utf-8")
    part.replace(done)
    return {**told, "tracked": frames - before, "kept": before}
