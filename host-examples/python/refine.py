"""A frame that is wrong: click on it, and only what the click changes is tracked again.

    python3 refine.py shot.mp4 shot.rotosession --review                       # which frames to look at
    python3 refine.py shot.mp4 shot.rotosession --frame 48 --point 310,220 --masks masks/
    python3 refine.py shot.mp4 shot.rotosession --frame 48 --negative 40,40 --object Person
    python3 refine.py shot.mp4 shot.rotosession --undo --masks masks/

Prints the frames that were redone. With --masks their PNGs are written anew, and no others.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import rotomask
from batch import place
from video import Video


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Correct a frame of a session, and redo what that changes.")
    parser.add_argument("clip")
    parser.add_argument("session", type=Path, help="a NAME.rotosession, as batch.py or rotomask track --session makes them")
    parser.add_argument("--frame", type=int, help="the frame that is wrong, counted from 0")
    parser.add_argument("--point", type=place, action="append", default=[], metavar="X,Y", help="a place on the object")
    parser.add_argument("--negative", type=place, action="append", default=[], metavar="X,Y", help="a place that is not")
    parser.add_argument("--object", help="its name; not needed where there is one")
    parser.add_argument("--masks", type=Path, help="the folder of OBJECT/FRAME.png")
    parser.add_argument("--undo", action="store_true", help="take back what was said last")
    parser.add_argument("--review", action="store_true", help="only tell which frames to look at")
    return parser.parse_args()


def correct(session: rotomask.Session, video: Video, args: argparse.Namespace) -> list[rotomask.Stretch]:
    """Says what is to be said, tracks what that made wrong, and gives what was redone, the frame itself first."""
    names = [each["name"] for each in session.objects()]
    key = args.object or (names[0] if len(names) == 1 else None)
    if key not in names:
        raise ValueError(f"found object {key!r}, expected one of {', '.join(names)}")
    if args.undo:
        session.undo()
    for positive, places in ((True, args.point), (False, args.negative)):
        for x, y in places:
            session.click(key, args.frame, x, y, positive)
    waiting = session.describe()["waiting"]
    report = session.track(video, rotomask.Way.OUTDATED)
    if report.stopped == rotomask.Stopped.BY_CALLER:
        raise rotomask.Cancelled(rotomask.Status.ERROR_CANCELLED, "stopped; run it again to go on")
    answered = [rotomask.Stretch(session.object(key), rotomask.Direction.FORWARD, frame, frame) for frame in waiting]
    return answered + report.stretches


def main() -> int:
    args = arguments()
    said = args.point or args.negative
    if not (args.review or args.undo or (args.frame is not None and said)):
        print("refine: say what is wrong: --frame with --point or --negative, or --undo, or --review", file=sys.stderr)
        return 2
    if not args.session.is_file():
        print(f"refine: there is no {args.session}", file=sys.stderr)
        return 1
    try:
        with Video(args.clip) as video, rotomask.Model() as model, \
                model.session(video.width, video.height, file=args.session) as session:
            if args.review:
                for each in session.objects():
                    for found in session.review(each["id"]):
                        print(f"{each['name']}: {found['first']}-{found['last']}: {', '.join(found['reasons'])}")
                return 0
            redone = correct(session, video, args)
            written = 0
            for stretch in redone:
                print(f"object {stretch.object}: redone {stretch.first}-{stretch.last}, {stretch.direction.name.lower()}")
                for frame in range(stretch.first, stretch.last + 1) if args.masks else ():
                    folder = args.masks / str(stretch.object)
                    folder.mkdir(parents=True, exist_ok=True)
                    rotomask.write_png(folder / f"{frame:05}.png", session.binary(stretch.object, frame))
                    written += 1
            print(f"{sum(s.last - s.first + 1 for s in redone)} frames redone, {written} masks written")
    except (OSError, ValueError, rotomask.Error) as error:
        print(f"refine: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
