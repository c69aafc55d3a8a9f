"""The pictures clips are made of: people with part labels, photos, and cut-outs with alpha."""
import glob
import os
import pickle
from dataclasses import dataclass, field

import cv2
import numpy as np

# People from this number on are held out for evaluation.
FIRST_HELD_OUT_PERSON = 905
# Cut-outs are kept no larger than this: a clip never shows them bigger than its frame.
CUTOUT_SIDE_PX = 256
PACK_VERSION = 1


@dataclass
class Material:
    """Decoded pictures, BGR u8; cut-outs BGRA u8, straight alpha."""

    people: list = field(default_factory=list)  # (photo [h,w,3], part labels [h,w], photo without the person [h,w,3])
    photos: list = field(default_factory=list)
    cutouts: list = field(default_factory=list)


def load(root, cutout_globs=(), pack=None, cutouts_per_glob=3500):
    """Reads `root`/people and `root`/backgrounds and the cut-outs.

    `pack`: a file that keeps the decoded result; made when missing. It holds this machine's
    own decoding only and is never part of a release.
    """
    if pack and os.path.exists(pack):
        with open(pack, "rb") as f:
            version, material = pickle.load(f)
        if version != PACK_VERSION:
            raise ValueError(f"{pack}: version {version}, wanted {PACK_VERSION}; delete it to make it anew")
        return material
    material = Material()
    for path in sorted(glob.glob(f"{root}/people/*.jpg")):
        if int(os.path.splitext(os.path.basename(path))[0]) >= FIRST_HELD_OUT_PERSON:
            continue
        photo, labels = cv2.imread(path), cv2.imread(path[:-4] + ".png", cv2.IMREAD_UNCHANGED)
        if photo is None or labels is None or photo.shape[:2] != labels.shape[:2] or (labels > 0).sum() < 500:
            continue
        material.people.append((photo, labels, without(photo, labels > 0)))
    for path in sorted(glob.glob(f"{root}/backgrounds/*.jpg")):
        photo = cv2.imread(path)
        if photo is not None:
            material.photos.append(photo)
    for pattern in cutout_globs:
        files = sorted(glob.glob(pattern, recursive=True))
        files = files[:: max(1, len(files) // cutouts_per_glob)]
        material.cutouts += [c for c in map(read_cutout, files) if c is not None]
    if not material.people or not material.photos:
        raise ValueError(f"{root}: found {len(material.people)} people and {len(material.photos)} backgrounds, wanted some of each")
    if pack:
        part = f"{pack}.{os.getpid()}.part"  # several may make it at once
        with open(part, "wb") as f:
            pickle.dump((PACK_VERSION, material), f, protocol=5)
        os.replace(part, pack)
    return material


def read_cutout(path):
    """A picture with alpha, cropped to it and scaled down; None where its alpha outlines nothing useful."""
    picture = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    if picture is None or picture.ndim != 3 or picture.shape[2] != 4 or picture.dtype != np.uint8:
        return None
    solid = picture[..., 3] > 128
    if min(picture.shape[:2]) < 48 or not 0.06 < solid.mean() < 0.92:
        return None
    x, y, w, h = cv2.boundingRect(solid.astype(np.uint8))
    picture = picture[y : y + h, x : x + w]
    k = CUTOUT_SIDE_PX / max(w, h)
    if k < 1:
        # Averaged with alpha as weight: the colour of clear pixels must not bleed in.
        alpha = picture[..., 3:].astype(np.float32)
        size = (max(1, round(w * k)), max(1, round(h * k)))
        colour = cv2.resize(picture[..., :3] * alpha, size, interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)[..., None]
        picture = np.dstack([colour / np.maximum(alpha, 1), alpha]).clip(0, 255).astype(np.uint8)
    return picture


def without(photo, hole):
    """The photo with `hole` filled: by what stands beside it where that is free, otherwise smoothly from the rim."""
    hole = cv2.dilate(hole.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    smooth = _pull_push(photo.astype(np.float32), (~hole).astype(np.float32))
    x, _, w, _ = cv2.boundingRect(hole.astype(np.uint8))
    shift = w if x + w / 2 < photo.shape[1] / 2 else -w
    beside, taken = np.roll(photo, -shift, 1), np.roll(hole, -shift, 1)
    fill = np.where(taken[..., None], smooth, beside)
    soft = cv2.GaussianBlur(hole.astype(np.float32), (0, 0), 2)[..., None]
    soft = np.where(hole[..., None], np.maximum(soft, 0.999), soft)
    return (photo * (1 - soft) + fill * soft).clip(0, 255).astype(np.uint8)


def _pull_push(colour, weight):
    h, w = weight.shape
    mean = colour * weight[..., None]
    if min(h, w) <= 2:
        total = max(float(weight.sum()), 1e-6)
        return np.full(colour.shape, mean.sum((0, 1)) / total, np.float32)
    half = ((w + 1) // 2, (h + 1) // 2)
    light = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)
    low = cv2.resize(mean, half, interpolation=cv2.INTER_AREA) / np.maximum(light, 1e-6)[..., None]
    coarse = _pull_push(low, np.minimum(light * 2, 1))
    coarse = cv2.resize(coarse, (w, h), interpolation=cv2.INTER_LINEAR)
    return mean + coarse * (1 - weight[..., None])
