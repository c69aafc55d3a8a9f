"""Records what OpenCV, pycocotools and sam2 1.1.0 make of small made-up masks, boxes and frames."""

import json
from pathlib import Path

import cv2
import numpy as np
from pycocotools import mask as coco
from sam2.utils.amg import mask_to_rle_pytorch
import torch

FOLDER = Path(__file__).parent


def masks(random):
    yield np.zeros((5, 9), np.uint8)
    yield np.ones((3, 7), np.uint8)
    yield np.array([[1]], np.uint8)
    for height, width, share in [(7, 31, 0.5), (23, 13, 0.35), (11, 41, 0.7), (1, 17, 0.5), (19, 1, 0.5)]:
        yield (random.random((height, width)) < share).astype(np.uint8)
    for height, width in [(37, 61), (53, 29)]:
        noise = cv2.GaussianBlur(random.random((height, width)), (0, 0), 2)
        yield (noise > np.median(noise)).astype(np.uint8)


def describe(mask):
    rle = coco.encode(np.asfortranarray(mask))
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    [uncompressed] = mask_to_rle_pytorch(torch.from_numpy(mask)[None] > 0)
    return {
        "rows": ["".join(map(str, row)) for row in mask],
        "counts": uncompressed["counts"],
        "compressed": rle["counts"].decode(),
        "area": int(coco.area(rle)),
        "bbox": coco.toBbox(rle).tolist(),
        "components": sorted(stats[1:count, cv2.CC_STAT_AREA].tolist()),
    }


def write(name, rows):
    lines = ",\n".join(json.dumps(row) for row in rows)
    (FOLDER / name).write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    random = np.random.default_rng(20)
    write("masks.json", [describe(mask) for mask in masks(random)])
