"""Draws clips of the generator with their masks: python -m train.contact_sheet OUT --data ROOT [--cutouts GLOB ...]"""
import argparse

import cv2
import numpy as np

from .synth import material, scene

COLOURS = np.array([[255, 80, 80], [80, 255, 80], [90, 120, 255], [255, 220, 60], [240, 90, 240], [90, 230, 230]], np.float32)


def draw(clip):
    rows = []
    for t, frame in enumerate(clip.frames):
        f = frame.astype(np.float32)
        for mask, colour in zip(clip.masks[:, t], COLOURS):
            f[mask] = f[mask] * 0.55 + colour * 0.45
            rim = mask & ~(cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
            f[rim] = colour
        f = np.ascontiguousarray(f.clip(0, 255).astype(np.uint8)[..., ::-1])
        label = f"{clip.kind} t{clip.ticks[t]}"
        cv2.putText(f, label, (4, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1, cv2.LINE_AA)
        rows.append(f)
    return np.hstack(rows)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("out")
    p.add_argument("--data", required=True)
    p.add_argument("--cutouts", nargs="*", default=[])
    p.add_argument("--pack")
    p.add_argument("--clips", type=int, default=12)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--width", type=int, default=1600)
    a = p.parse_args()
    source = material.load(a.data, a.cutouts, a.pack)
    rows = [draw(scene.clip(source, np.random.default_rng([a.seed, i]), frames=4, targets=6)) for i in range(a.clips)]
    half = (len(rows) + 1) // 2
    sheet = np.hstack([np.vstack(rows[:half]), np.vstack((rows[half:] + rows[:1])[:half])])
    k = a.width / sheet.shape[1]
    cv2.imwrite(a.out, cv2.resize(sheet, None, fx=k, fy=k, interpolation=cv2.INTER_AREA))


if __name__ == "__main__":
    main()
