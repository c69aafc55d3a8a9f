"""Where a user would click, and the boxes they would draw."""
import cv2
import numpy as np
import torch.nn.functional as F

NEGATIVE, POSITIVE, BOX_START, BOX_END, PADDING = 0, 1, 2, 3, -1


def depth(mask):
    """Distance to the outside, the frame's border included."""
    padded = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    return cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1]


def centre(mask):
    """The pixel (x, y) furthest from the outside."""
    y, x = np.unravel_index(depth(mask).argmax(), mask.shape)
    return int(x), int(y)


def click(mask, rng):
    """A positive click: the middle of the thing, or anywhere well inside it."""
    d = depth(mask)
    if rng.random() < 0.5:
        y, x = np.unravel_index(d.argmax(), mask.shape)
    else:
        ys, xs = np.nonzero(d > 0.3 * d.max() * rng.random())
        i = rng.integers(len(xs))
        y, x = ys[i], xs[i]
    return [(int(x), int(y))], [POSITIVE]


def box(mask, rng, slack=0.06):
    """Two corners around the mask, drawn as loosely as people draw."""
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    j = np.clip(rng.normal(0, slack, 4), -0.15, 0.15) * [w, h, w, h] * (rng.random() < 0.8)
    side = max(mask.shape) - 1
    corners = np.clip([x + j[0], y + j[1], x + w - 1 + j[2], y + h - 1 + j[3]], 0, side)
    return [tuple(corners[:2]), tuple(corners[2:])], [BOX_START, BOX_END]


def correction(truth, found):
    """The click that mends the larger error; padding where there is none."""
    missing, extra = depth(truth & ~found), depth(found & ~truth)
    if max(missing.max(), extra.max()) == 0:
        return (0, 0), PADDING
    d, label = (missing, POSITIVE) if missing.max() >= extra.max() else (extra, NEGATIVE)
    y, x = np.unravel_index(d.argmax(), d.shape)
    return (int(x), int(y)), label


def corrected(truth, shown, xy, labels):
    """The prompts so far, xy [B,P,2] and labels [B,P] or None, and a click each where a shown mask [B,1,m,m] errs most of the true
    [B,S,S]."""
    large = F.interpolate(shown.detach().float(), size=truth.shape[-2:], mode="bilinear", align_corners=False)
    more = [correction(t, f) for t, f in zip(truth, (large[:, 0] > 0).cpu().numpy())]
    new, which = np.array([[p] for p, _ in more], np.float32), np.array([[l] for _, l in more], np.int32)
    return (new, which) if xy is None else (np.concatenate([xy, new], 1), np.concatenate([labels, which], 1))
