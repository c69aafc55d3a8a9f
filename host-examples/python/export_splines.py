"""Sessions as animated splines, a file for each object, by the command `rotomask spline`.

    python3 export_splines.py masks/*.rotosession -o splines/ --format nk

Formats are the command's suffixes: nk (Nuke), jsx (After Effects), mlt.json (MLT, Kdenlive, Shotcut), svg, json. What follows
`--` goes to the command as it is. The command is what ROTOMASK_COMMAND names, or lies beside the library or on the PATH.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import rotomask


def command() -> str:
    """The command's path. Raises `OSError` if there is none, or it writes no splines."""
    name = "rotomask.exe" if sys.platform == "win32" else "rotomask"
    rotomask.load()
    beside = Path(rotomask._library._name).resolve().parent
    places = [os.environ.get("ROTOMASK_COMMAND"), str(beside / name), str(beside.parent / "bin" / name), shutil.which(name)]
    found = next((place for place in places if place and Path(place).is_file()), None)
    if found is None:
        raise OSError("the command rotomask was not found: set ROTOMASK_COMMAND to its path")
    asked = subprocess.run([found, "spline", "--help"], capture_output=True, text=True)
    if asked.returncode:
        raise OSError(f"{found} has no `spline`: it is older than this script")
    return found


def files_of(session: Path, folder: Path, suffix: str) -> dict[int, Path]:
    """A file for each object: NAME.nk of the only one, otherwise NAME-NUMBER.nk."""
    with rotomask.SessionFile(session) as file:
        numbers = [each["id"] for each in file.describe()["objects"]]
    name = lambda number: session.stem if len(numbers) == 1 else f"{session.stem}-{number}"
    return {number: folder / f"{name(number)}.{suffix}" for number in numbers}


def main() -> int:
    parser = argparse.ArgumentParser(description="Animated splines of sessions.")
    parser.add_argument("session", type=Path, nargs="+")
    parser.add_argument("-o", "--output", type=Path, required=True, help="a folder")
    parser.add_argument("--format", default="nk", help="nk, jsx, mlt.json, svg or json")
    own, more = sys.argv[1:], []
    if "--" in own:
        own, more = own[: own.index("--")], own[own.index("--") + 1 :]
    args = parser.parse_args(own)
    failed = 0
    try:
        program = command()
        args.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        print(f"export_splines: {error}", file=sys.stderr)
        return 1
    for session in args.session:
        try:
            wanted = files_of(session, args.output, args.format.lstrip("."))
        except rotomask.Error as error:
            failed += 1
            print(f"{session}: {error}", file=sys.stderr)
            continue
        for number, written in wanted.items():
            line = [program, "spline", str(session), "--object", str(number), "-o", str(written), *more]
            done = subprocess.run(line, capture_output=True, text=True)
            if done.returncode:
                failed += 1
                print(done.stderr.strip() or f"{session}: rotomask spline failed", file=sys.stderr)
            else:
                print(written)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
