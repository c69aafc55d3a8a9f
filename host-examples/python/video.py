"""Frames of a video or of a folder of pictures, through pipes of the `ffmpeg` command; nothing is installed for it.

Frames are uint8 RGB arrays, or without NumPy `rotomask.Frame`s: both are what rotomask takes. They are counted from 0 in
the order of decoding; pictures in the order of their names.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional, Union

import rotomask

try:
    import numpy as np
except ImportError:
    np = None

PICTURES = (".png", ".jpg", ".jpeg", ".exr", ".dpx", ".tif", ".tiff", ".bmp", ".ppm", ".webp")
VIDEOS = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".mxf", ".m4v", ".mpg")


def pictures_of(folder: Path) -> list[Path]:
    """The pictures of a folder, by name."""
    return sorted(each for each in folder.iterdir() if each.suffix.lower() in PICTURES)


class Video:
    """Frames by number, `video(index)`, `None` beyond the last one; or one after the other, by iterating.

    Both are how rotomask is fed: `session.track(video)`, `session.propagate(video)`. Going back decodes anew from the
    start, so that what lies just before is kept: up to `keep_bytes` of frames.
    """

    def __init__(self, path: Union[str, os.PathLike[str]], keep_bytes: int = 256 << 20) -> None:
        """Raises `OSError` if it can't be opened, or there is no ffmpeg."""
        self.path, self._keep_bytes = Path(path), keep_bytes
        self._links: Optional[tempfile.TemporaryDirectory[str]] = None
        self._input = self._of_folder() if self.path.is_dir() else ["-i", str(self.path)]
        self.width, self.height, self.rate = self._probe()
        self._decoder: Optional[subprocess.Popen[bytes]] = None
        self._next = 0
        self._held: OrderedDict[int, bytes] = OrderedDict()

    def _of_folder(self) -> list[str]:
        pictures = pictures_of(self.path)
        if not pictures:
            raise OSError(f"{self.path}: there are no pictures in it")
        self._links = tempfile.TemporaryDirectory()
        listed = Path(self._links.name) / "list.ffconcat"
        lines = ["ffconcat version 1.0"]
        for index, picture in enumerate(pictures):
            # ffmpeg takes `%d` in a name for a pattern, so such a picture gets another.
            link = Path(self._links.name) / f"{index}{picture.suffix}" if "%" in str(picture.resolve()) else picture.resolve()
            if link.parent == listed.parent:
                link.symlink_to(picture.resolve())
            quoted = str(link).replace("'", "'\\''")
            lines.append(f"file '{quoted}'\nduration 0.04")
        listed.write_text("\n".join(lines), encoding="utf-8")
        return ["-f", "concat", "-safe", "0", "-i", str(listed)]

    def _probe(self) -> tuple[int, int, str]:
        asked = ["-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height,r_frame_rate", "-of", "json"]
        try:
            done = subprocess.run(["ffprobe", *asked, *self._input], capture_output=True, text=True)
        except FileNotFoundError:
            raise OSError("there is no ffprobe: install ffmpeg") from None
        streams = json.loads(done.stdout or "{}").get("streams")
        if done.returncode or not streams or not streams[0].get("width"):
            said = done.stderr.strip().splitlines() or ["it has no video"]
            raise OSError(f"{self.path}: {said[-1]}")
        return streams[0]["width"], streams[0]["height"], streams[0]["r_frame_rate"]

    def _start(self) -> None:
        self.stop()
        command = ["ffmpeg", "-v", "error", "-nostdin", "-noautorotate", *self._input, "-map", "0:v:0", "-fps_mode", "passthrough"]
        # Scene-linear pictures are shown as a viewer would: the model has learnt from such.
        if self.path.is_dir() and pictures_of(self.path)[0].suffix.lower() == ".exr":
            command[4:4] = ["-apply_trc", "iec61966_2_1"]
        self._said = tempfile.TemporaryFile()
        command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
        self._decoder = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self._said)
        self._next = 0

    def _decode(self) -> Optional[bytes]:
        """The next frame, which is held."""
        size = 3 * self.width * self.height
        data = self._decoder.stdout.read(size)
        if len(data) < size:
            if self._decoder.wait():
                self._said.seek(0)
                said = self._said.read().decode("utf-8", "replace").strip().splitlines() or ["ffmpeg failed"]
                raise OSError(f"{self.path}: {said[-1]}")
            return None
        self._held[self._next] = data
        self._next += 1
        while len(self._held) > max(2, self._keep_bytes // size):
            self._held.popitem(last=False)
        return data

    def __call__(self, index: int) -> Any:
        """A frame, or `None` beyond the last one."""
        if index not in self._held:
            if self._decoder is None or index < self._next:
                self._held.clear()
                self._start()
            while self._next <= index:
                if self._decode() is None:
                    return None
        return self._frame(self._held[index])

    def __iter__(self) -> Iterator[Any]:
        index = 0
        while (frame := self(index)) is not None:
            yield frame
            index += 1

    def _frame(self, data: bytes) -> Any:
        if np is None:
            return rotomask.Frame(data, self.width, self.height)
        return np.frombuffer(data, np.uint8).reshape(self.height, self.width, 3)

    def stop(self) -> None:
        """Ends the decoder; the next frame starts it again."""
        if self._decoder is not None:
            self._decoder.kill()
            self._decoder.stdout.close()
            self._decoder.wait()
            self._said.close()
            self._decoder = None

    def close(self) -> None:
        """Ends it for good."""
        self.stop()
        if self._links is not None:
            self._links.cleanup()

    def __enter__(self) -> Video:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


class Writer:
    """Frames to a video, as `ffmpeg` writes it by the name's suffix: `.mp4` is H.264, `.mov` ProRes 4444 with alpha. It
    appears under its name when it is complete."""

    CODECS = {
        ".mov": ["-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le"],
        ".mp4": ["-c:v", "libx264", "-crf", "16", "-pix_fmt", "yuv420p"],
        ".mkv": ["-c:v", "ffv1", "-pix_fmt", "bgra"],
    }

    def __init__(self, path: Union[str, os.PathLike[str]], width: int, height: int, rate: str, channels: int = 4) -> None:
        self.path = Path(path)
        if self.path.suffix not in self.CODECS:
            raise OSError(f"{self.path}: expected one of {', '.join(self.CODECS)}")
        self._part = self.path.with_name(f".part-{os.getpid()}{self.path.suffix}".replace(".part", self.path.stem + ".part", 1))
        # H.264 in 4:2:0 has even sides: the last column and row are left out.
        crop = ["-vf", "crop=trunc(iw/2)*2:trunc(ih/2)*2"] if self.path.suffix == ".mp4" else []
        given = ["-f", "rawvideo", "-pix_fmt", {3: "rgb24", 4: "rgba"}[channels], "-s", f"{width}x{height}", "-r", rate, "-i", "-"]
        command = ["ffmpeg", "-v", "error", "-y", *given, *crop, *self.CODECS[self.path.suffix], str(self._part)]
        self._encoder = subprocess.Popen(command, stdin=subprocess.PIPE)

    def write(self, frame: Any) -> None:
        """Adds a frame: packed uint8."""
        self._encoder.stdin.write(memoryview(frame).cast("B"))

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._encoder.stdin.close()
        if self._encoder.wait() == 0 and kind is None:
            os.replace(self._part, self.path)
            return
        with contextlib.suppress(FileNotFoundError):
            os.remove(self._part)
        if kind is None:
            raise OSError(f"{self.path}: ffmpeg could not write it")
