"""Records what OpenCV, pycocotools and sam2 1.1.0 make of small made-up masks, boxes and frames."""

import json
from pathlib import Path

import cv2
import numpy as np
from pycocotools import mask as coco
from sam2.utils.amg import build_point_grid, generate_crop_boxes, is_box_near_crop_edge, mask_to_rle_pytorch, uncrop_boxes_xyxy
import torch
from torchvision.ops.boxes import batched_nms

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


def boxes_within(random, count, width, height):
    x, y = np.sort(random.integers(0, width, (count, 2)), 1), np.sort(random.integers(0, height, (count, 2)), 1)
    return torch.tensor(np.stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]], 1))


def crops(size, layers, ratio):
    width, height = size
    boxes, indices = generate_crop_boxes((height, width), layers, ratio)
    rows = [[*box, layer] for box, layer in zip(boxes, indices)]
    return {"size": size, "n_layers": layers, "overlap_ratio": ratio, "boxes": rows}


def nms(random, threshold):
    boxes = boxes_within(random, 60, 61, 23)
    scores = torch.tensor(random.permutation(60) / 61, dtype=torch.float32)
    keep = batched_nms(boxes.float(), scores, torch.zeros(60), iou_threshold=threshold)
    return {"boxes": boxes.tolist(), "scores": scores.tolist(), "iou_threshold": threshold, "keep": keep.tolist()}


def edges(random, size, crop):
    boxes = boxes_within(random, 40, crop[2] - crop[0], crop[3] - crop[1])
    near = is_box_near_crop_edge(boxes, crop, [0, 0, *size])
    rows = [{"box": box, "near": n} for box, n in zip(uncrop_boxes_xyxy(boxes, crop).tolist(), near.tolist())]
    return {"size": size, "crop": crop, "boxes": rows}


def automatic(random):
    return {
        "point_grids": [{"n_per_side": n, "points": build_point_grid(n).tolist()} for n in (1, 3, 7)],
        "crops": [crops(*c) for c in [((1921, 801), 2, 512 / 1500), ((403, 1031), 1, 0.2), ((161, 77), 3, 0.5), ((64, 64), 2, 0.0)]],
        "nms": [nms(random, threshold) for threshold in (0.3, 0.7)],
        "edges": [edges(random, (403, 301), crop) for crop in ([0, 0, 253, 201], [150, 100, 403, 301], [0, 0, 403, 301])],
    }


def write(name, rows):
    lines = ",\n".join(json.dumps(row) for row in rows)
    (FOLDER / name).write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    random = np.random.default_rng(20)
    write("masks.json", [describe(mask) for mask in masks(random)])
    (FOLDER / "automatic.json").write_text(json.dumps(automatic(random)) + "\n")
