"""How much a matte flickers: its mean change along the optical flow, with and without de-chatter.

    python docs/evaluation/flicker.py --rotomask target/release/rotomask CLIP --mattes MASKS [--frames 100] -o OUT.json

CLIP is a video, MASKS a folder of its masks in order, as `rotomask track CLIP --point X,Y --masks MASKS` writes them. Each
way of finishing them is measured in the same places: within 12 pixels of the edge of any. A pixel's change is the matte's
at the place where the flow (DIS, on the plate) takes it, less its own. A change that the motion explains is none.

The lag is how far the finished edge lies behind, in the direction of its motion, where it moves by two pixels or more:
the mean of (matte before - matte after) over the length of such edges.

Needs numpy and opencv-python-headless.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import cv2
import numpy as np

WAYS = {
    "as tracked": [],
    "de-chatter 50 %": ["dechatter=50"],
    "de-chatter 100 %": ["dechatter=100"],
    "de-chatter 100 %, refined": ["dechatter=100", "refine_px=12"],
    "refined": ["refine_px=12"],
}


def finished(args, settings, out):
    words = [word for setting in settings for word in ("--set", setting)]
    command = [args.rotomask, "matte", args.clip, "--mattes", args.mattes, "--view", "matte"]
    subprocess.run([*command, *words, "-o", str(out / "%05d.png")], check=True, capture_output=True)
    files = sorted(out.glob("*.png"))[: args.frames]
    return [cv2.imread(str(file), cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255 for file in files]


def plates(args):
    video = cv2.VideoCapture(args.clip)
    while True:
        good, frame = video.read()
        if not good:
            return
        yield cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip")
    parser.add_argument("--rotomask", default="target/release/rotomask")
    parser.add_argument("--mattes", required=True)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("-o", "--output", required=True)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        mattes = {}
        for i, (name, settings) in enumerate(WAYS.items()):
            out = Path(folder) / str(i)
            out.mkdir()
            mattes[name] = finished(args, settings, out)
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    change = {name: [0.0, 0] for name in WAYS}
    lag = {name: [0.0, 0.0] for name in WAYS}
    reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (25, 25))
    before = None
    for at, plate in enumerate(plates(args)):
        if at >= min(len(all_) for all_ in mattes.values()):
            break
        if before is not None:
            way = flow.calc(before, plate, None)
            rows, columns = np.mgrid[: plate.shape[0], : plate.shape[1]].astype(np.float32)
            edge = np.zeros(plate.shape, np.uint8)
            for matte in mattes.values():
                hard = (matte[at - 1] > 0.5).astype(np.uint8)
                edge |= cv2.morphologyEx(hard, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
            near = cv2.dilate(edge, reach) > 0
            first = mattes["as tracked"][at - 1]
            down, across = np.gradient(cv2.GaussianBlur(first, (0, 0), 2))
            steep = np.hypot(across, down)
            # How fast the edge moves outwards: the flow against the matte's slope.
            outwards = -(way[..., 0] * across + way[..., 1] * down) / np.maximum(steep, 1e-6)
            moving = (np.abs(outwards) >= 2) & (steep > 0.02)
            length = steep[moving].sum()
            for name, matte in mattes.items():
                moved = cv2.remap(matte[at], columns + way[..., 0], rows + way[..., 1], cv2.INTER_LINEAR)
                change[name][0] += float(np.abs(moved - matte[at - 1])[near].sum())
                change[name][1] += int(near.sum())
                behind = (first - matte[at - 1]) * np.sign(outwards)
                lag[name][0] += float(behind[moving].sum())
                lag[name][1] += float(length)
        before = plate
    rows = []
    for name in WAYS:
        total, count = change[name]
        behind, length = lag[name]
        rows.append({"way": name, "change": round(total / max(count, 1), 5), "lag px": round(behind / max(length, 1e-6), 3)})
        print(" ".join(f"{key} {value}" for key, value in rows[-1].items()))
    Path(args.output).write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
