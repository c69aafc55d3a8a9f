"""What the tests share: where things lie, and clips that they make themselves."""

import functools
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PYTHON = ROOT / "host-examples/python"
sys.path.insert(0, str(PYTHON))

import numpy as np  # noqa: E402

import rotomask  # noqa: E402

# Wide and odd, so that swapped axes and packed rows can't pass.
WIDTH, HEIGHT, RADIUS = 161, 119, 27


def library() -> Path:
    """The library that is tested: the test's runner names it."""
    return Path(os.environ["ROTOMASK_LIBRARY"])


def inside(x: float = 62, y: float = 55, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """The true mask of a disc."""
    rows, columns = np.mgrid[:height, :width]
    return np.hypot(columns - x, rows - y) < RADIUS


def disc(x: float = 62, y: float = 55, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """A bright disc on a dark ground, RGB."""
    frame = np.empty((height, width, 3), np.uint8)
    frame[:] = (25, 40, 60)
    frame[inside(x, y, width, height)] = (235, 205, 80)
    return frame


def clip(count: int = 6) -> list:
    """A disc that moves to the right, two pixels a frame."""
    return [disc(62 + 2 * n) for n in range(count)]


def overlap(mask, true) -> float:
    """IoU."""
    mask = np.asarray(mask) > 0
    return float((mask & true).sum() / (mask | true).sum())


def tracked(session, frames, frame: int = 0, **more) -> dict:
    """Clicks on the disc of a frame, tracks, and gives copies of all masks by frame."""
    session.click("Disc", frame, 62 + 2 * frame, 55)
    return {index: masks["Disc"].copy() for index, masks in session.propagate(frames, **more)}


@functools.lru_cache(maxsize=None)
def model() -> rotomask.Model:
    """One model for all tests of a file: its weights are loaded once."""
    return rotomask.Model(threads=1)


def write_clip(path: Path, frames: list) -> Path:
    """A lossless clip of RGB frames."""
    from video import Writer

    height, width = frames[0].shape[:2]
    with Writer(path, width, height, "25", channels=3) as writer:
        for frame in frames:
            writer.write(np.ascontiguousarray(frame))
    return path


def script(name: str, *arguments, python: str = sys.executable, **more):
    """Runs an example as a person would."""
    command = [python, "-B", str(PYTHON / name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, **more)
