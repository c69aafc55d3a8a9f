"""Batches from clips on disk. Batch n of a seed, a length and a folder is always the same."""
import collections
import concurrent.futures
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from . import prompts
from .clips import Clips
from .synth.scene import REGION, WHOLE

MASK, BOX, CLICK = "mask", "box", "click"
# A target must cover this share of the prompted frame.
SMALLEST_TARGET = 0.003
PART_SHARE, REGION_SHARE = 0.4, 0.12  # of the parts and regions that are asked for where a whole thing always is


def square(picture, side):
    """A picture, BGR u8 of any size, as the encoder takes it: [1,3,side,side]."""
    picture = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)[..., ::-1]
    return (torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float() - 127) / 128


@dataclass
class Batch:
    """K clips of T frames with O targets each, all prompted in one way on the first frame."""

    number: int
    kind: str
    frames: np.ndarray  # [T,K,S,S,3] RGB u8
    gain: np.ndarray  # [T*K,3,1,1] and lift, in 0..255: another light on every clip, changing a little in it
    lift: np.ndarray
    masks: np.ndarray  # [T,K*O,S,S] bool
    ticks: np.ndarray  # [T] made-up times: memories at these distances
    xy: np.ndarray | None  # [K*O,P,2], and labels [K*O,P]; None for masks
    labels: np.ndarray | None


def ticks(length, rng):
    """Mostly a step at a time, with jumps, so that a short clip teaches far memories too."""
    steps = rng.choice([1, 1, 1, 2, 3], length - 1)
    if rng.random() < 0.5:
        steps[0] = int(np.exp(rng.uniform(0, np.log(60))))
    return np.concatenate([[0], np.cumsum(steps)])


def shape_of(kind, length, config):
    """Clips and targets: few things can be clicked in a clip, many given by a mask. Long clips have fewer targets."""
    clips, targets = (config.clips, config.targets) if kind == MASK else (config.clips * 2, config.targets // 2)
    return clips, targets if length == 2 else max(1, targets // 2)


def make(clips, config, number, length):
    rng = np.random.default_rng([config.seed, number])
    kind = str(rng.choice([MASK, BOX, CLICK], p=[1 - config.box_share - config.click_share, config.box_share, config.click_share]))
    count, targets = shape_of(kind, length, config)
    frames, masks = [], []
    while len(frames) < count:
        one = _one(clips, kind, targets, length, rng)
        if one is not None:
            frames.append(one[0])
            masks.append(one[1])
    frames, masks = np.stack(frames, 1), np.stack(masks, 1)
    if count > 1 and rng.random() < config.absent_share:
        # The last frame is another clip's: what was asked for isn't there.
        frames[-1, 0], masks[-1, 0] = frames[-1, 1], False
    masks = masks.reshape(length, count * targets, *masks.shape[3:])
    xy = labels = None
    if kind != MASK:
        given = [prompts.box(m, rng) if kind == BOX else prompts.click(m, rng) for m in masks[0]]
        xy, labels = np.array([g[0] for g in given], np.float32), np.array([g[1] for g in given], np.int32)
    return Batch(number, kind, frames, *light(length, count, rng), masks, ticks(length, rng), xy, labels)


def _one(clips, kind, targets, length, rng):
    """Frames [T,S,S,3] of a random clip, in either direction, and masks [T,O,S,S]; None where nothing fits."""
    frames, masks, levels = clips.clip(int(rng.integers(len(clips))))
    whole = np.sort(rng.choice(clips.length, min(length, clips.length), replace=False))
    order = whole if rng.random() < 0.5 else whole[::-1]
    least = SMALLEST_TARGET * clips.side**2
    fits = masks[:, order[0]].sum((1, 2)) > least
    if kind != MASK:
        # A part is clicked now and then: which of the candidates is meant is for the predicted IoU to say.
        fits &= (levels == WHOLE) | ((levels != REGION) & (rng.random(len(levels)) < 0.4))
    found = np.flatnonzero(fits)
    if len(found) == 0:
        return None
    picked = np.concatenate([rng.permutation(found) for _ in range(-(-targets // len(found)))])[:targets]
    frames, masks = frames[order], masks[picked][:, order].swapaxes(0, 1)
    if rng.random() < 0.5:
        frames, masks = frames[:, :, ::-1], masks[..., ::-1]
    return frames, masks


def large(masks):
    """Which of masks [n,S,S] are large enough to be a target."""
    return masks.sum((1, 2)) > SMALLEST_TARGET * masks.shape[-1] ** 2


def asked_for(masks, levels, rng):
    """Places of targets that somebody might ask for, by their masks [n,S,S]: whole things, and now and then parts and regions."""
    share = np.where(levels == WHOLE, 1.0, np.where(levels == REGION, REGION_SHARE, PART_SHARE))
    return np.flatnonzero(large(masks) & (rng.random(len(levels)) < share))


def light(length, count, rng):
    gain = rng.normal(1, 0.08, (1, count, 3)) * rng.normal(1, 0.06, (length, count, 1))
    lift = rng.normal(0, 6, (1, count, 3)) + rng.normal(0, 5, (length, count, 1))
    return [x.astype(np.float32).reshape(length * count, 3, 1, 1) for x in (gain, lift)]


class Stream:
    """Batches in order from number `first` on; threads make the next ones meanwhile. `progress` is the run's, 0 to 1."""

    def __init__(self, config, first):
        self.config, self.number, self.progress = config, first, 0.0
        self.pairs = Clips(config.pairs)
        self.long = Clips(config.long) if config.long else None
        self.makers = concurrent.futures.ThreadPoolExecutor(config.makers)
        self.coming = collections.deque()

    def length(self, number):
        """Frames of batch `number`: pairs at first, then more and more often long clips."""
        c = self.config
        share = c.long_share * min(1.0, max(0.0, (self.progress - c.long_from) / (1 - c.long_from)) * 2)
        return c.frames if self.long and np.random.default_rng([c.seed, number, 1]).random() < share else 2

    def __next__(self):
        while len(self.coming) < 2 + 2 * self.config.makers:
            length = self.length(self.number)
            self.coming.append(self.makers.submit(make, self.pairs if length == 2 else self.long, self.config, self.number, length))
            self.number += 1
        return self.coming.popleft().result()
