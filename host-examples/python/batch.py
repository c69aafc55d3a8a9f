"""A list or a folder of shots, one after the other: masks, and a session of each to go on with.

    python3 batch.py shots.json -o masks/            # shots.py tells what a list says
    python3 batch.py clips/ -o masks/ --point 320,180 # a folder; the click is for clips that have no CLIP.json
    python3 batch.py shots.json --count              # how many there are, for a job array
    python3 batch.py shots.json -o masks/ --index 3  # only the fourth

Run again after it was stopped, it goes on where it was. A shot that fails is told, the others are done, and the status is 1.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import rotomask
import shots


def place(text: str) -> list[float]:
    x, y = text.split(",")
    return [float(x), float(y)]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Masks for a list or a folder of shots.")
    parser.add_argument("list", type=Path, help="a list, JSON or text, or a folder of clips")
    parser.add_argument("-o", "--output", type=Path, help="the folder for masks and sessions")
    parser.add_argument("--point", type=place, action="append", metavar="X,Y", help="a click on frame 0 of clips without their own")
    parser.add_argument("--automatic", action="store_true", help="find what there is in clips without anything said")
    parser.add_argument("--model", type=Path, help="a NAME.rotomodel; the library has one built in")
    parser.add_argument("--threads", type=int, default=0, help="0: as many as there are cores")
    parser.add_argument("--count", action="store_true", help="only print how many shots there are")
    parser.add_argument("--index", type=int, help="only this shot, counted from 0")
    return parser.parse_args()


def main() -> int:
    args = arguments()
    said = {"objects": [{"points": args.point}]} if args.point else {"automatic": {}} if args.automatic else None
    try:
        listed = shots.read_list(args.list, said)
        if args.count:
            print(len(listed))
            return 0
        if args.output is None:
            raise shots.BadList("where to? give -o FOLDER")
        if args.index is not None:
            if not 0 <= args.index < len(listed):
                raise shots.BadList(f"there is no shot {args.index}, expected 0 to {len(listed) - 1}")
            listed = [listed[args.index]]
        model = rotomask.Model(args.model, threads=args.threads, deterministic=True)
    except (OSError, ValueError, rotomask.Error) as error:
        print(f"batch: {error}", file=sys.stderr)
        return 1
    failed = 0
    for shot in listed:
        start = time.monotonic()

        def progress(frames: int) -> None:
            if sys.stderr.isatty():
                print(f"\r{shot.name}: {frames} frames", end="", file=sys.stderr)

        try:
            done = shots.run_shot(model, shot, args.output, progress)
        except (OSError, ValueError, rotomask.Error) as error:
            failed += 1
            print(f"{shot.name}: {error}", file=sys.stderr)
            continue
        print(f"{shot.name}: {done['frames']} frames, {done['tracked']} of them now, {time.monotonic() - start:.1f} s")
    model.close()
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
