"""Scores a checkpoint on real clips in DAVIS's layout: python -m train.evaluate CHECKPOINT or NAME.rotomodel ROOT [--prompt mask click box].

One object a sequence, prompted on the first frame only, tracked forward as a session would; the first and the last
frame don't count. For watching a run; the library's own `rotomask eval` is what a release is judged by.
"""
import argparse
import glob
import math
import os

import cv2
import numpy as np
import torch

from . import data, prompts
from .config import Config, shape
from .grid import fold, unfold
from .model import build, load_weights
from .train import starting_point
from .tracker import POINTER_SPAN, Tracker

# F counts a boundary as met within this share of the frame's diagonal.
BOUNDARY_SLACK = 0.008


def overlap(truth, found):
    either = (truth | found).sum()
    return 1.0 if either == 0 else float((truth & found).sum() / either)


def contour(mask):
    """Pixels that differ from their right, lower or lower right neighbour."""
    padded = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    return (mask != padded[:-1, 1:]) | (mask != padded[1:, :-1]) | (mask != padded[1:, 1:])


def boundary(truth, found):
    r = math.ceil(BOUNDARY_SLACK * math.hypot(*truth.shape))
    y, x = np.ogrid[-r : r + 1, -r : r + 1]
    disk = (x * x + y * y <= r * r).astype(np.uint8)
    t, f = contour(truth), contour(found)
    if not t.any() or not f.any():
        return float(t.any() == f.any())
    near = lambda c: cv2.dilate(c.astype(np.uint8), disk) > 0
    precision, recall = (f & near(t)).sum() / f.sum(), (t & near(f)).sum() / t.sum()
    return 0.0 if precision + recall == 0 else float(2 * precision * recall / (precision + recall))


class Shot:
    """One object on one shot."""

    def __init__(self, model, config, recent):
        self.model, self.side, self.recent = model, config.image_size, recent
        self.tracker = Tracker(model, config)
        self.remembered, self.at = [], 0

    def encode(self, frame):
        """frame: BGR u8 of any size."""
        fine, middle, self.raw = self.tracker.lean.features(data.square(frame, self.side))
        return fine, middle

    def start(self, frame, mask=None, points=None, labels=None):
        """mask [h,w] bool of the frame's size, or points in frame pixels; gives logits [1,1,m,m]."""
        seen = self.encode(frame)
        h, w = frame.shape[:2]
        if mask is not None:
            full = cv2.resize(mask.astype(np.float32), (self.side, self.side), interpolation=cv2.INTER_AREA) > 0.5
            full = torch.from_numpy(full).float()[None, None]
            out = self.tracker.decode(self.raw, seen, mask=self.model.mask_downsample(full), several=False)
            shown = fold(torch.nn.functional.interpolate(full * 20 - 10, scale_factor=0.25, mode="bilinear", antialias=True))
            pointers, score = out.pointers[:, 0], torch.full((1, 1), 10.0)
        else:
            xy = torch.tensor([points], dtype=torch.float32) / torch.tensor([w, h]) * self.side
            out = self.tracker.decode(self.tracker.lean.unremembered(self.raw), seen, xy, torch.tensor([labels]), several=len(points) <= 1)
            (shown, pointers), score = out.shown(), out.score
        return self.keep(shown, pointers, score, True)

    def advance(self, frame):
        self.at += 1
        seen = self.encode(frame)
        pix = self.tracker.condition(self.raw, self.at, self.remembered, True, self.recent)
        out = self.tracker.decode(pix, seen)
        return self.keep(*out.shown(), out.score, False)

    def keep(self, shown, pointers, score, prompted):
        self.remembered.append(self.tracker.remember(self.at, self.raw, shown, pointers, score, prompted))
        self.remembered = [r for r in self.remembered if r.prompted or self.at - r.tick < POINTER_SPAN]
        return unfold(shown) if score.item() > 0 else torch.full_like(unfold(shown), -1024.0)


def sequence(shot, frames, truths, prompt):
    """J and F of each frame but the ends, and J of the prompted one."""
    read = lambda path: cv2.imread(path, cv2.IMREAD_GRAYSCALE) > 127
    scores, first = [], None
    for i, (frame, truth) in enumerate(zip(map(cv2.imread, frames), map(read, truths))):
        if i == 0 and prompt == "mask":
            logits = shot.start(frame, mask=truth)
        elif i == 0:
            x, y, w, h = cv2.boundingRect(truth.astype(np.uint8))
            points = [prompts.centre(truth)] if prompt == "click" else [(x, y), (x + w, y + h)]
            logits = shot.start(frame, points=points, labels=[prompts.POSITIVE] if prompt == "click" else [prompts.BOX_START, prompts.BOX_END])
        else:
            logits = shot.advance(frame)
        h, w = truth.shape
        found = cv2.resize(logits[0, 0].float().numpy(), (w, h), interpolation=cv2.INTER_LINEAR) > 0
        if i == 0:
            first = overlap(truth, found)
        elif i + 1 < len(truths):
            scores.append((overlap(truth, found), boundary(truth, found)))
    return np.mean(scores, 0), first


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("checkpoint")
    p.add_argument("root", help="has JPEGImages/480p and Annotations/480p")
    p.add_argument("--prompt", nargs="+", choices=["mask", "click", "box"], default=["mask", "click"])
    p.add_argument("--weights", choices=["ema", "model"], default="ema")
    p.add_argument("--recent", type=int, default=3, help="frames that are recalled beside the prompted one")
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.set_grad_enabled(False)
    state = starting_point(a.checkpoint)
    c = Config(bf16=False, **shape(state))
    model = build(c).eval()
    load_weights(model, state.get(a.weights) or state["model"])
    names = sorted(os.listdir(os.path.join(a.root, "JPEGImages/480p")))
    for prompt in a.prompt:
        rows = []
        for name in names:
            files = lambda kind: sorted(glob.glob(f"{a.root}/{kind}/480p/{name}/*"))
            (j, f), first = sequence(Shot(model, c, a.recent), files("JPEGImages"), files("Annotations"), prompt)
            rows.append((j, f, first))
            print(f"{prompt:6s}{name:16s} J {j:.3f} F {f:.3f} first J {first:.3f}", flush=True)
        j, f, first = np.mean(rows, 0)
        print(f"{prompt:6s}{'mean':16s} J {j:.3f} F {f:.3f} J&F {(j + f) / 2:.3f} first J {first:.3f} (step {state.get('step', 0)})", flush=True)


if __name__ == "__main__":
    main()
