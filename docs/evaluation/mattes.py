"""How good the matte chain's edges are: coarse masks of known mattes, finished, against the truth.

    python docs/evaluation/mattes.py --rotomask target/release/rotomask --pairs PEOPLE --from 905 --to 1004 -o OUT.json
    python docs/evaluation/mattes.py --rotomask target/release/rotomask --cutouts 'EMOJI/*.png' --over PHOTOS -o OUT.json

PEOPLE holds NNNN.jpg and NNNN.png (0 is background). Cut-outs are PNGs with alpha, each laid over a photo. A true matte
is reduced to 16, 32, 64 and 256 squares of coverage a side, as a model's mask is; what is compared are ways back.

Measures are the matting benchmark's (Rhemann et al. 2009): SAD in thousands of pixels, MSE in thousandths, gradient
(Gaussian derivatives, deviation 1.4) and connectivity (steps of 0.1) in thousands; and boundary F within 1 and 2 pixels,
of mattes cut at a half.

Needs numpy, opencv-python-headless, scipy and pymatting.
"""

import argparse
import glob
import json
import subprocess
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pymatting
from scipy import ndimage

SIDES = (16, 32, 64, 256)


def reduced(matte, side):
    """Exact means over side x side rectangles."""

    def along(count):
        edges = np.arange(side + 1) * count / side
        pixels = np.arange(count)
        overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
        return np.clip(overlap, 0, None) * side / count

    height, width = matte.shape
    return along(height) @ matte @ along(width).T


def boundary(matte):
    inside = matte > 0.5
    return inside & ~ndimage.binary_erosion(inside, np.ones((3, 3)), border_value=1)


def boundary_f(found, truth, within_px):
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * within_px + 1,) * 2)
    found, truth = boundary(found), boundary(truth)
    near = lambda edge: cv2.dilate(edge.astype(np.uint8), disk) > 0
    precision = (found & near(truth)).sum() / max(found.sum(), 1)
    recall = (truth & near(found)).sum() / max(truth.sum(), 1)
    return 2 * precision * recall / max(precision + recall, 1e-9)


def gradient_error(found, truth):
    slope = lambda matte: ndimage.gaussian_gradient_magnitude(matte, 1.4)
    return ((slope(found) - slope(truth)) ** 2).sum() / 1000


def connectivity_error(found, truth):
    """How far each pixel's opacity lies above the last step at which it still hangs together with the core."""
    steps = np.arange(0, 1.01, 0.1)
    level = np.full(truth.shape, -1.0)
    for before, step in zip(steps, steps[1:]):
        both, count = ndimage.label((found >= step) & (truth >= step))
        core = both == (1 + np.argmax(np.bincount(both.ravel())[1:])) if count else np.zeros_like(both, bool)
        level[(level == -1) & ~core] = before
    level[level == -1] = 1
    hanging = lambda matte: 1 - np.where(matte - level >= 0.15, matte - level, 0)
    return np.abs(hanging(found) - hanging(truth)).sum() / 1000


def measures(found, truth):
    return {
        "SAD": np.abs(found - truth).sum() / 1000,
        "MSE": ((found - truth) ** 2).mean() * 1000,
        "gradient": gradient_error(found, truth),
        "connectivity": connectivity_error(found, truth),
        "F 1 px": boundary_f(found, truth, 1),
        "F 2 px": boundary_f(found, truth, 2),
    }


def guided_filter(plate, matte, radius_px):
    """OpenCV's own operations, as in He, Sun and Tang 2013, for one colour picture."""
    mean = lambda plane: cv2.blur(plane, (2 * radius_px + 1,) * 2, borderType=cv2.BORDER_REFLECT)
    colour, cover = mean(plate), mean(matte)
    product = mean(plate * matte[..., None]) - colour * cover[..., None]
    covariance = np.empty(matte.shape + (3, 3))
    for i in range(3):
        for j in range(3):
            covariance[..., i, j] = mean(plate[..., i] * plate[..., j]) - colour[..., i] * colour[..., j]
    slope = np.linalg.solve(covariance + 1e-4 * np.eye(3), product[..., None])[..., 0]
    offset = cover - (slope * colour).sum(-1)
    return np.clip((mean(slope) * plate).sum(-1) + mean(offset), 0, 1)


def closed_form(plate, matte, radius_px):
    """Levin, Lischinski and Weiss 2008, from a trimap of that radius."""
    inside = ndimage.distance_transform_edt(matte > 0.5)
    outside = ndimage.distance_transform_edt(matte <= 0.5)
    trimap = np.where(inside > radius_px, 1.0, np.where(outside > radius_px, 0.0, 0.5))
    return pymatting.estimate_alpha_cf(plate[..., ::-1].astype(np.float64), trimap)


CHAIN = {
    "rotomask, contour": {},
    "rotomask, refined, hard": {"refine_px": 1.0, "refine_softness": 0},
    "rotomask, refined": {"refine_px": 1.0},
    "rotomask, refined, soft": {"refine_px": 1.0, "refine_softness": 50},
    "rotomask, refined, feathered 1 px": {"refine_px": 1.0, "feather_inner_px": 1, "feather_outer_px": 1},
}


def finished(rotomask, folder, plate, masks):
    """What the chain makes of each mask in each way, by one call: a frame for each, and a preset with a key for each."""
    keys = {"feather_inner_px": {}, "feather_outer_px": {}, "refine_px": {}, "refine_softness": {}}
    start = {"feather_inner_px": 0, "feather_outer_px": 0, "refine_px": 0, "refine_softness": 20}
    for name in ("frames", "masks", "out"):
        (folder / name).mkdir(exist_ok=True)
    jobs = [(side, way) for side in masks for way in CHAIN]
    for at, (side, way) in enumerate(jobs):
        cv2.imwrite(str(folder / f"frames/{at:05d}.png"), plate)
        cv2.imwrite(str(folder / f"masks/{at:05d}.png"), np.round(masks[side] * 65535).astype(np.uint16))
        cell_px = min(max(plate.shape[:2]) / side, 128)
        for key in keys:
            value = CHAIN[way].get(key, start[key])
            keys[key][str(at)] = value * cell_px if key == "refine_px" else value
    (folder / "preset.json").write_text(json.dumps({"rotomask_preset": 1, "view": "matte", **keys}))
    command = [rotomask, "matte", folder / "frames", "--mattes", folder / "masks", "--gpu", "off"]
    command += ["--preset", folder / "preset.json", "--view", "matte", "-o", folder / "out/%05d.png"]
    subprocess.run([str(word) for word in command], check=True, capture_output=True)
    for at, job in enumerate(jobs):
        found = cv2.imread(str(folder / f"out/{at:05d}.png"), cv2.IMREAD_UNCHANGED)
        yield job, (found if found.ndim == 2 else found[..., 0]) / np.iinfo(found.dtype).max


def ways(rotomask, folder, codes, truth):
    """Yields the mask's side, a way's name, and what it gives."""
    height, width = truth.shape
    plate = codes / 255.0
    masks = {side: reduced(truth, side) for side in SIDES}
    chain = dict(finished(rotomask, folder, codes, masks))
    for side, mask in masks.items():
        cell_px = max(height, width) / side
        share = np.clip(mask, 1e-3, 1 - 1e-3)
        logits = cv2.resize(np.log(share / (1 - share)), (width, height), interpolation=cv2.INTER_LINEAR)
        yield side, "bilinear logits, cut at 0 (SAM 2)", (logits > 0).astype(np.float64)
        yield side, "bilinear coverage", cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)
        for way in CHAIN:
            yield side, way, chain[side, way]
        contour = chain[side, "rotomask, contour"]
        yield side, "guided filter (OpenCV)", guided_filter(plate, contour, max(round(cell_px / 2), 1))
        yield side, "closed form (PyMatting)", closed_form(plate, contour, max(cell_px * 0.6, 1))


def pairs(args):
    for number in range(args.first, args.last + 1, args.step):
        stem = Path(args.pairs) / f"{number:04d}"
        plate = cv2.imread(f"{stem}.jpg")
        labels = cv2.imread(f"{stem}.png", cv2.IMREAD_UNCHANGED)
        labels = labels if labels.ndim == 2 else labels[..., 0]
        yield plate, (labels > 0).astype(np.float64)


def cutouts(args):
    photos = sorted(glob.glob(f"{args.over}/*.jpg"))
    names = sorted(glob.glob(args.cutouts, recursive=True))
    for i, name in enumerate(names[:: max(len(names) // args.count, 1)][: args.count]):
        cut = cv2.imread(name, cv2.IMREAD_UNCHANGED)
        photo = cv2.imread(photos[i % len(photos)])
        side = min(photo.shape[:2]) * 4 // 5
        cut = cv2.resize(cut, (side, side), interpolation=cv2.INTER_AREA)
        top, left = (photo.shape[0] - side) // 2, (photo.shape[1] - side) // 2
        truth = np.zeros(photo.shape[:2])
        truth[top : top + side, left : left + side] = cut[..., 3] / 255
        # Mixed as light, as a lens does.
        light = lambda codes: (codes / 255.0) ** 2.2
        subject = np.zeros(photo.shape)
        subject[top : top + side, left : left + side] = light(cut[..., :3])
        mixed = subject * truth[..., None] + light(photo) * (1 - truth[..., None])
        yield np.round(mixed ** (1 / 2.2) * 255).astype(np.uint8), truth


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rotomask", default="target/release/rotomask")
    parser.add_argument("--pairs")
    parser.add_argument("--from", dest="first", type=int, default=905)
    parser.add_argument("--to", dest="last", type=int, default=1004)
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--cutouts")
    parser.add_argument("--over")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("-o", "--output", required=True)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    sums = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for plate, truth in pairs(args) if args.pairs else cutouts(args):
            for side, name, found in ways(args.rotomask, folder, plate, truth):
                sums.setdefault((side, name), []).append(measures(found, truth))
    rows = []
    for (side, name), found in sums.items():
        mean = {key: round(float(np.mean([one[key] for one in found])), 4) for key in found[0]}
        rows.append({"mask": side, "way": name, "pictures": len(found), **mean})
        print(" ".join(f"{key} {value}" for key, value in rows[-1].items()), flush=True)
    Path(args.output).write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
