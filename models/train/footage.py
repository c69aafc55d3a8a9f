"""Clips for training out of footage with masks: python -m train.footage FOLDER ROOT [ROOT ...]

ROOT is in DAVIS's layout, such as `rotomask annotate` writes: JPEGImages[/480p]/CLIP/*.jpg and
Annotations[/480p]/CLIP/*.png, where a picture's numbers are objects. What ROOT/masklets.csv says is to be reviewed
is left out, unless --all is given. Only train on footage whose licence lets the weights be shipped.

FOLDER gets shards as train.clips makes them, under names of their own, so that both kinds can lie in one folder:
frames [n,T,S,S,3] u8, masks [n,O,T,S,S/8] u8 of packed bits, levels [n,O] i8, -1 where a clip has fewer targets.
A clip is T annotated frames of a window, squeezed to a square; objects that its first frame doesn't show are left out.
"""
import argparse
import csv
import os
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from .clips import NONE, SHARD
from .synth.scene import PART, WHOLE

VOID = 255
# From this grey on a pixel belongs to the one object of a picture that has no dark numbers.
INSIDE = 128


def numbers(path):
    """[H,W] u8, an object in each number: a palette's, dark grey levels, or 1 where a mask is bright."""
    with Image.open(path) as image:
        if image.mode not in ("P", "L", "1"):
            raise ValueError(f"{path}: its mode is {image.mode}, expected a palette or grey")
        palette, levels = image.mode == "P", np.array(image).astype(np.uint8)
    if palette:
        return np.where(levels == VOID, 0, levels)
    return (levels >= INSIDE).astype(np.uint8) if (levels >= INSIDE).any() else levels


def left_out(root):
    """(clip, object) to be reviewed, and those that nobody asked for."""
    review, automatic = set(), set()
    table = root / "masklets.csv"
    if table.is_file():
        with open(table, newline="") as rows:
            for row in csv.DictReader(rows):
                which = (row["sequence"], int(row["object"]))
                if row["status"] != "accepted":
                    review.add(which)
                if row["type"] == "auto":
                    automatic.add(which)
    return review, automatic


def inner(folder):
    return folder / "480p" if (folder / "480p").is_dir() else folder


def sequences(root):
    """(name, [(picture, annotation)]) of each clip, annotated frames only."""
    root = Path(root)
    pictures, annotations = inner(root / "JPEGImages"), inner(root / "Annotations")
    if not pictures.is_dir() or not annotations.is_dir():
        raise ValueError(f"{root}: no folders JPEGImages and Annotations, as DAVIS has")
    for folder in sorted(f for f in annotations.iterdir() if f.is_dir() and not f.name.startswith(".")):
        frames = [(pictures / folder.name / (png.stem + ".jpg"), png) for png in sorted(folder.glob("*.png"))]
        missing = [str(jpg) for jpg, _ in frames if not jpg.is_file()]
        if missing:
            raise ValueError(f"{missing[0]}: there is no such picture, and {folder.name} has its mask")
        yield folder.name, frames


def windows(count, length, stride):
    """Frames of each clip, half overlapping; a short sequence is taken at a smaller stride, or not at all."""
    stride = min(stride, (count - 1) // (length - 1)) if length > 1 else 1
    if stride == 0:
        return []
    span = (length - 1) * stride + 1
    return [list(range(at, at + span, stride)) for at in range(0, count - span + 1, max(1, span // 2))]


def clip(frames, side, targets, skipped, automatic):
    """Frames [T,S,S,3], masks [O,T,S,S] bool, levels [O]; None without targets."""
    marks = [numbers(png) for _, png in frames]
    found = [int(n) for n in np.unique(marks[0]) if n and n not in skipped][:targets]
    if not found:
        return None
    pictures, masks = [], []
    for (jpg, png), mark in zip(frames, marks):
        picture = cv2.imread(str(jpg))
        if picture is None or picture.shape[:2] != mark.shape:
            size = None if picture is None else picture.shape[1::-1]
            raise ValueError(f"{jpg}: its size is {size}, expected {mark.shape[::-1]} as {png.name}")
        pictures.append(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)[..., ::-1])
        shrunk = [cv2.resize((mark == n).astype(np.float32), (side, side), interpolation=cv2.INTER_AREA) for n in found]
        masks.append(np.stack(shrunk) >= 0.5)
    levels = [PART if n in automatic else WHOLE for n in found]
    return np.stack(pictures), np.stack(masks, 1), np.array(levels, np.int8)


def clips(root, length, side, targets, stride, everything=False):
    review, automatic = left_out(Path(root))
    for name, frames in sequences(root):
        skipped = set() if everything else {n for clip_name, n in review if clip_name == name}
        asked = {n for clip_name, n in automatic if clip_name == name}
        for window in windows(len(frames), length, stride):
            made = clip([frames[i] for i in window], side, targets, skipped, asked)
            if made is not None:
                yield made


def write(path, made, targets):
    """One shard; its levels last: they say that it is whole."""
    length, side = made[0][0].shape[:2]
    frames = np.stack([frames for frames, _, _ in made])
    masks = np.zeros((len(made), targets, length, side, side // 8), np.uint8)
    levels = np.full((len(made), targets), NONE, np.int8)
    for i, (_, m, l) in enumerate(made):
        masks[i, : len(l)], levels[i, : len(l)] = np.packbits(m, axis=-1), l
    for name, array in (("frames", frames), ("masks", masks), ("levels", levels)):
        with open(f"{path}.{name}.part", "wb") as f:
            np.save(f, array)
        os.replace(f"{path}.{name}.part", f"{path}.{name}.npy")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder")
    p.add_argument("roots", nargs="+")
    p.add_argument("--frames", type=int, default=4)
    p.add_argument("--side", type=int, default=256)
    p.add_argument("--targets", type=int, default=12)
    p.add_argument("--stride", type=int, default=3, help="annotated frames from one of a clip to the next")
    p.add_argument("--all", action="store_true", help="also what is to be reviewed")
    a = p.parse_args()
    os.makedirs(a.folder, exist_ok=True)
    shard, number, total = [], 0, 0
    for root in a.roots:
        for made in clips(root, a.frames, a.side, a.targets, a.stride, a.all):
            shard.append(made)
            total += 1
            if len(shard) == SHARD:
                write(os.path.join(a.folder, f"footage-{number:05d}"), shard, a.targets)
                shard, number = [], number + 1
    if shard:
        write(os.path.join(a.folder, f"footage-{number:05d}"), shard, a.targets)
    print(f"{a.folder}: {total} clips")


if __name__ == "__main__":
    main()
