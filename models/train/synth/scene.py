"""Composes a clip: a background, things in front of each other, a camera, and the exact masks of some of them."""
from dataclasses import dataclass

import cv2
import numpy as np

from . import layers, motion
from .finish import develop
from .layers import Layer

# A target must cover this share of the first frame.
SMALLEST_TARGET = 0.004
TRIES = 8
# Labels from here on are arbitrary regions, not parts of anything.
FIRST_REGION = 200
MOST_REGIONS = 255 - FIRST_REGION
# What a target is: a region only its mask can name; a part, which a box or several clicks can; or a whole thing.
REGION, PART, WHOLE = 0, 1, 2


@dataclass
class Clip:
    frames: np.ndarray  # [T,S,S,3] RGB u8
    masks: np.ndarray  # [targets,T,S,S] bool
    levels: np.ndarray  # [targets] REGION, PART or WHOLE
    ticks: np.ndarray  # [T] time of each frame; the first is 0
    kind: str


def ticks(frames, rng, gap_share=0.5):
    """Mostly every tick; sometimes a jump after the first frame or others: long memories at a short clip's cost."""
    steps = np.ones(frames - 1, int)
    if frames > 1:
        if rng.random() < gap_share:
            steps[0] = rng.integers(2, 8)
        for i in range(1, frames - 1):
            if rng.random() < 0.3 * gap_share:
                steps[i] = rng.integers(2, 4)
    return np.concatenate([[0], np.cumsum(steps)])


def clip(material, rng, frames=5, side=256, targets=4, when=None, pace=0.022):
    """One clip. Everything random comes from `rng`; `when` sets the frames' times.

    `pace` is the median speed, as a share of the frame's side per tick.
    """
    for _ in range(TRIES):
        made = _compose(material, rng, ticks(frames, rng) if when is None else when, side, targets, pace)
        if made is not None:
            return made
    raise RuntimeError(f"no clip with a visible target in {TRIES} tries; found {len(material.people)} people and {len(material.cutouts)} cut-outs")


def _compose(material, rng, when, side, targets, median_pace):
    # Video is wide and the model's frame square: most clips are squeezed as 16:9 would be.
    squeeze = 9 / 16 if rng.random() < 0.55 else rng.uniform(0.5, 1.1)
    lens = motion.place(side / 2, side / 2) @ motion.scale(squeeze, 1) @ motion.place(-side / 2, -side / 2)
    pace = float(np.clip(median_pace * np.exp(rng.normal(0, 0.7)), 0.1 * median_pace, 0.09))
    camera = motion.Motion(rng, side, pace * rng.uniform(0.2, 1.2), turn=0.02, zoom=0.02, tilt=0.02)
    kind = rng.choice(["in place", "one photo", "collage"], p=[0.35, 0.2, 0.45])
    stack = _in_place(material, rng, side, pace) if kind == "in place" else _one_photo(material, rng, side, pace) if kind == "one photo" else _collage(material, rng, side, pace, squeeze)
    _divide(stack, rng)
    subject = next((l for l in stack if not l.whole), stack[0])
    follow = rng.uniform(0.6, 1) if kind != "one photo" and rng.random() < 0.4 else 0.0
    if len(when) > 2 and kind != "one photo":
        _disappearances(stack, subject, rng, when, side)
    shutter = rng.uniform(0, 0.7) if rng.random() < 0.5 else 0.0

    pictures, claims = [], []
    for t in when:
        shift = lambda s: -follow * (subject.own.shift(s) + camera.shift(s) * subject.nearness)
        frame = np.zeros((side, side, 3), np.float32)
        seen = []
        for layer in stack:
            drawn, labels = layer.draw(t, side, camera, shift(t), lens)
            if shutter > 0:
                v = layer.speed(t, shutter, camera, shift(t - shutter), shift(t))
                drawn = motion.smear(drawn, v[0] * squeeze, v[1])
            alpha = drawn[..., 3:] / 255
            frame = frame * (1 - alpha) + drawn[..., :3]
            seen = claim(seen, drawn, labels)
        pictures.append(frame)
        claims.append(seen)
    masks, levels = _targets(stack, claims, rng, targets, side)
    if not masks:
        return None
    return Clip(develop(pictures, when, rng)[..., ::-1].copy(), np.stack(masks), np.array(levels), when, str(kind))


def _divide(stack, rng):
    """Gives layers without parts regions of their own, along the edges that are in the picture."""
    for layer in stack:
        if layer.labels is None:
            count = rng.integers(10, MOST_REGIONS + 1) if layer.whole else rng.integers(2, 7)
            layer.labels = layers.regions(layer.picture, rng, int(count), FIRST_REGION)


def claim(seen, drawn, labels):
    """Adds a layer in front: what it covers, the layers behind lose. [(cover, labels)]"""
    solid = drawn[..., 3] > 127
    return [(cover & ~solid, parts) for cover, parts in seen] + [(solid, labels)]


def _own(rng, side, pace, bend=0.02):
    own = motion.Motion(rng, side, pace * rng.uniform(0.3, 1.6), turn=0.05, zoom=0.03, tilt=0.03)
    return own, motion.Bend(rng, side, bend * rng.uniform(0.2, 1.6), int(rng.integers(3, 7)))


def _backdrop(picture, rng, side, labels=None, bend=0.0, zoom=(0.95, 1.7)):
    h, w = picture.shape[:2]
    k = rng.uniform(*zoom) * side / min(h, w)
    flip = -1 if rng.random() < 0.5 else 1
    at = np.array([rng.uniform(0.35, 0.65) * w, rng.uniform(0.3, 0.7) * h])
    rest = motion.place(side / 2, side / 2) @ motion.scale(k * flip, k) @ motion.place(*-at)
    still = motion.Motion(rng, side, 0, turn=0, zoom=0)
    return Layer(picture, rest, still, motion.Bend(rng, side, bend) if bend else None, labels, (side / 2, side / 2), whole=True)


def _in_place(material, rng, side, pace):
    """Someone in their own street: the background filled in behind, moving apart by parallax and their own steps."""
    photo, labels, empty = material.people[rng.integers(len(material.people))]
    back = _backdrop(empty, rng, side, zoom=(0.6, 1.5))
    solid = cv2.GaussianBlur((labels > 0).astype(np.uint8) * 255, (3, 3), 0)
    ys, xs = np.nonzero(labels)
    centre = (back.rest @ [xs.mean(), ys.mean(), 1])[:2]
    # Bring them into view without changing how they stand in their photo.
    back.rest = motion.place(*(rng.uniform(0.3, 0.7, 2) * side - centre)) @ back.rest
    centre = tuple((back.rest @ [xs.mean(), ys.mean(), 1])[:2])
    own, bend = _own(rng, side, pace * 0.8, 0.035)
    someone = Layer(np.dstack([photo, solid]), back.rest, own, bend, labels, centre, nearness=rng.uniform(1, 1.8))
    if rng.random() < 0.25:
        back.soft = rng.uniform(0.5, 2.5)
    stack = [back, someone]
    for _ in range(int(rng.choice([0, 1, 2], p=[0.5, 0.35, 0.15]))):
        stack.append(_thing(material, rng, side, pace * 1.5, 1.0, small=0.6))
    if rng.random() < 0.3:
        stack.insert(1, _thing(material, rng, side, pace, 1.0, small=0.8))
    return stack


def _one_photo(material, rng, side, pace):
    """A photo that bends and drifts as a whole: its parts and its regions are the targets."""
    if rng.random() < 0.7:
        picture, labels, _ = material.people[rng.integers(len(material.people))]
    else:
        picture = layers.photo(material, rng)
        labels = layers.regions(picture, rng, int(rng.integers(10, MOST_REGIONS + 1)), FIRST_REGION)
    if rng.random() < 0.4:
        labels = labels.copy()
        for i in range(int(rng.integers(1, 4))):  # regions that only a mask can name
            size = int(min(labels.shape) * rng.uniform(0.25, 0.6))
            y, x = (int(rng.integers(0, n - size + 1)) for n in labels.shape)
            labels[y : y + size, x : x + size][layers.blob(rng, size) > 0] = FIRST_REGION + i
    back = _backdrop(picture, rng, side, labels, bend=rng.uniform(0.01, 0.05))
    back.own, back.bend = _own(rng, side, pace, 0.03)
    return [back]


def _collage(material, rng, side, pace, squeeze):
    back = _backdrop(layers.photo(material, rng), rng, side)
    if rng.random() < 0.2:
        back.soft = rng.uniform(0.5, 2.0)
    stack, double = [back], None
    for i in range(int(rng.integers(1, 6))):
        alike = double if double is not None and rng.random() < 0.35 else None
        layer = _thing(material, rng, side, pace, squeeze, alike=alike, back=back.picture)
        if rng.random() < 0.5 or double is None:
            double = layer
        stack.append(layer)
    return stack


def _thing(material, rng, side, pace, squeeze, alike=None, back=None, small=1.0):
    if alike is not None:
        picture, labels = alike.picture, alike.labels
        if rng.random() < 0.5:  # a near double: another tint
            tint = rng.uniform(0.8, 1.2, 3)
            picture = np.dstack([np.clip(picture[..., :3] * tint, 0, 255).astype(np.uint8), picture[..., 3]])
    else:
        kind, labels = rng.random(), None
        if kind < 0.35:
            picture, labels = layers.person(material, rng)
        elif kind < 0.75 and material.cutouts:
            picture = material.cutouts[rng.integers(len(material.cutouts))]
        else:
            # Its surface comes from the very background, or from elsewhere.
            source = back if back is not None and rng.random() < 0.4 else layers.photo(material, rng)
            shape = layers.strokes(rng, 200) if rng.random() < 0.25 else layers.blob(rng, 200)
            picture = layers.textured(shape, source, rng)
    h, w = picture.shape[:2]
    size = side * rng.uniform(0.3, 1.2) * small
    k = size / max(h, w)
    wide = 0.5 / squeeze
    at = (side * rng.uniform(0.5 - wide * 0.85, 0.5 + wide * 0.85), side * rng.uniform(0.12, 0.88))
    lean = rng.normal(0, 0.2)
    turn = np.array([[np.cos(lean), -np.sin(lean), 0], [np.sin(lean), np.cos(lean), 0], [0, 0, 1]])
    flip = -1 if rng.random() < 0.5 else 1
    rest = motion.place(*at) @ turn @ motion.scale(k * flip, k) @ motion.place(-w / 2, -h / 2)
    own, bend = _own(rng, side, pace)
    soft = rng.uniform(0.4, 1.5) if rng.random() < 0.15 else 0.0
    return Layer(picture, rest, own, bend, labels, at, nearness=rng.uniform(1, 1.5), soft=soft)


def _disappearances(stack, subject, rng, when, side):
    """Something leaves and comes back, or something large passes in front."""
    if rng.random() < 0.1:
        first = int(rng.integers(1, len(when) - 1))
        gone = when[first : first + int(rng.integers(1, 3))]
        a = rng.uniform(0, 2 * np.pi)
        out = (4 * side * np.cos(a), 4 * side * np.sin(a))
        subject.away = {int(t): out for t in gone}
    front = stack[-1]
    if front is not subject and not front.whole and rng.random() < 0.3:
        # Beside the subject at first, then across it in the middle of the clip.
        to = np.asarray(subject.centre) - np.asarray(front.centre)
        middle = when[len(when) // 2]
        front.away = {int(t): tuple(to + rng.normal(0, 0.1, 2) * side - to * 0.5 * abs(t - middle)) for t in when[1:] if abs(t - middle) <= 2}


def _targets(stack, claims, rng, wanted, side):
    """Masks [T,S,S] bool and the level of each: whole things first, then parts, then regions."""
    least, most = side * side * SMALLEST_TARGET, side * side * 0.6
    covers = lambda i: [c[i][0] for c in claims]
    of = lambda i, which: [cover & np.isin(labels, which) for cover, labels in (c[i] for c in claims)]
    wholes, parts, regions = [covers(i) for i, l in enumerate(stack) if not l.whole], [], []
    for i, layer in enumerate(stack):
        if layer.labels is None:
            continue
        cover, labels = claims[0][i]
        counts = np.bincount(labels[cover], minlength=256)
        named = np.nonzero(counts[1:FIRST_REGION])[0] + 1
        if layer.whole and len(named):
            wholes.append(of(i, named))
        large = [int(p) for p in np.nonzero(counts > least)[0] if p]
        for p in large:
            (parts if p < FIRST_REGION else regions).append((i, [p]))
        # Several together: clothes of one person, neighbouring regions.
        for _ in range(2 if len(named) > 2 else 0):
            parts.append((i, rng.choice(named, int(rng.integers(2, min(6, len(named)))), replace=False)))
        for p in large:
            if p >= FIRST_REGION and rng.random() < 0.4:
                regions.append((i, [p, *_neighbours(labels * cover, p, rng)]))
    wholes = [(m, WHOLE) for m in wholes]
    if len(wholes) > 1 and rng.random() < 0.3:
        a, b = rng.choice(len(wholes), 2, replace=False)
        wholes.append(([x | y for x, y in zip(wholes[a][0], wholes[b][0])], REGION))
    shuffled = lambda items: [items[i] for i in rng.permutation(len(items))]
    usable = lambda masks: least < masks[0].sum() < most
    chosen = [w for w in shuffled(wholes) if usable(w[0])][: max(1, wanted // 2)]
    for kind, items in ((PART, shuffled(parts)[: max(1, wanted // 3)]), (REGION, shuffled(regions))):
        for i, which in items:
            if len(chosen) < wanted:
                masks = of(i, which)
                if usable(masks):
                    chosen.append((masks, kind))
    return [np.stack(m) for m, _ in chosen], [kind for _, kind in chosen]


def _neighbours(labels, region, rng):
    """One or two regions that touch `region`."""
    near = cv2.dilate((labels == region).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    touching = np.setdiff1d(labels[near], [0, region])
    touching = touching[touching >= FIRST_REGION]
    return rng.permutation(touching)[: int(rng.integers(1, 3))]
