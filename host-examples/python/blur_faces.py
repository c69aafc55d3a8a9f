"""Faces, number plates or whatever is pointed at, blurred or in squares, through a whole clip.

    python3 blur_faces.py street.mp4 -o blurred.mp4 --box 300,120,380,210 --box 520,140,590,220@12
    python3 blur_faces.py street.mp4 -o blurred.mov --point 340,160 --squares 16 --grow 8

Each --box or --point is a thing of its own. Frames on which a thing may not be covered are told at the end: look at them
before you publish. Sound is not carried over. NumPy is needed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

import numpy as np

import rotomask
from video import Video, Writer


def prompt(count: int):
    """Reads `count` numbers with commas, then perhaps @FRAME."""

    def read(text: str) -> tuple[list[float], int]:
        places, _, frame = text.partition("@")
        numbers = [float(number) for number in places.split(",")]
        if len(numbers) != count:
            raise ValueError(text)
        return numbers, int(frame or 0)

    return read


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Blur what is pointed at, through a whole clip.")
    parser.add_argument("clip")
    parser.add_argument("-o", "--output", required=True, help="a .mp4, .mov or .mkv")
    parser.add_argument("--box", type=prompt(4), action="append", default=[], metavar="X0,Y0,X1,Y1[@F]")
    parser.add_argument("--point", type=prompt(2), action="append", default=[], metavar="X,Y[@F]")
    parser.add_argument("--blur", type=float, default=16, metavar="PX", help="how strongly, 0 to 64")
    parser.add_argument("--squares", type=int, metavar="PX", help="squares of this side in place of a blur")
    parser.add_argument("--grow", type=float, default=4, metavar="PX", help="how far beyond the thing")
    parser.add_argument("--session", help="keep what was tracked in this file, and go on with it")
    return parser.parse_args()


def squares(plate: np.ndarray, side: int) -> np.ndarray:
    """The plate in squares of one colour, their mean."""
    height, width = plate.shape[:2]
    rows, columns = np.arange(0, height, side), np.arange(0, width, side)
    sums = np.add.reduceat(np.add.reduceat(plate.astype(np.uint32), rows, axis=0), columns, axis=1)
    counts = np.outer(np.diff(np.append(rows, height)), np.diff(np.append(columns, width)))[..., None]
    small = (sums // counts).astype(np.uint8)
    return small.repeat(side, axis=0).repeat(side, axis=1)[:height, :width]


def blurred(
    session: rotomask.Session, video: Video, settings: rotomask.MatteSettings, side: int | None, seen: dict[int, set[int]]
) -> Iterator[np.ndarray]:
    """The clip's frames with every object of the session under a blur. `seen` gets the frames that each is on."""
    with rotomask.Matte() as matte:
        for frame, plate in enumerate(video):
            masks = session.masks(frame, "logits")
            for number, result in masks.results.items():
                if result.seen:
                    seen.setdefault(number, set()).add(frame)
            layers = [rotomask.Layer(mask, logits=True) for mask in masks.values()]
            background = None if side is None else squares(plate, side)
            yield matte.render(plate, layers, settings, frame, background=background)


def ranges(frames: list[int]) -> str:
    """1-3, 7"""
    parts: list[list[int]] = []
    for frame in frames:
        if parts and parts[-1][1] == frame - 1:
            parts[-1][1] = frame
        else:
            parts.append([frame, frame])
    return ", ".join(f"{first}-{last}" if last > first else str(first) for first, last in parts)


def main() -> int:
    args = arguments()
    keep = {"file": args.session} if args.session else {"keep": "temporary"}
    # The matte is of all but the things: they are where the background shows.
    look = {"view": "composite", "invert": True, "grow_px": args.grow, "background": "picture" if args.squares else "blur"}
    try:
        with Video(args.clip) as video, rotomask.Model() as model, \
                model.session(video.width, video.height, **keep) as session, \
                rotomask.MatteSettings(background_blur_px=args.blur, **look) as settings:
            known = len(session.objects())
            if not known and not args.box and not args.point:
                raise ValueError("point at something: --box or --point")
            for number, (bounds, frame) in enumerate(args.box, known + 1):
                session.box(f"Thing {number}", frame, bounds)
            for number, (at, frame) in enumerate(args.point, known + len(args.box) + 1):
                session.click(f"Thing {number}", frame, *at)
            session.track(video, rotomask.Way.BOTH)
            seen: dict[int, set[int]] = {}
            count = 0
            with Writer(args.output, video.width, video.height, video.rate) as writer:
                for done in blurred(session, video, settings, args.squares, seen):
                    writer.write(done)
                    count += 1
            print(f"{args.output}: {count} frames")
            for each in session.objects():
                missing = sorted(set(range(count)) - seen.get(each["id"], set()))
                if missing:
                    print(f"{each['name']} was not found on {ranges(missing)}")
                for found in session.review(each["id"]):
                    print(f"{each['name']}: look at {found['first']}-{found['last']}: {', '.join(found['reasons'])}")
    except (OSError, ValueError, rotomask.Error) as error:
        print(f"blur_faces: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
