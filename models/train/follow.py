"""Teaches a model to refine what it tracks (refine.py): python -m train.follow FIRST OUT --clips FOLDER... [--minutes N] [--threads N]

FIRST is a checkpoint or a package with a matching, each FOLDER one of train.clips. Targets are followed as a session would, by what was
given of them before, refined; so the network meets its own errors handed on. Clips are short: they are walked through back and forth.
And now and then what is remembered is disturbed, so that errors are mended and don't grow.
"""
import argparse

import numpy as np
import torch
from torch.nn import functional as F

from . import data, local, losses, matching, prompts, teach
from .clips import Clips
from .grid import fold, image, tokens, unfold
from .refine import Refine
from .tracker import POINTER_SPAN, Tracker

TARGETS = 4  # of a clip, one clip a step
LENGTHS = (8, 16, 24)  # frames that are walked through
LEARNT = 6  # of them, at random
RECENT = 3  # memories beside the prompted one, as in a package of four slots
CLICKED_SHARE = 0.25  # of the walks that begin with a click's answer instead of the true mask
DISTURBED_SHARE = 0.6  # of the masks that are remembered
MOST_SHIFT = 3  # mask pixels
MOST_BLOBS = 3
BLOB_RADIUS = (3, 18)  # and at most half the side of a square as large as what is remembered
BLOB_LOGIT = 4.0
BCE_WEIGHT = 8.0
NEAR_WEIGHT = 0.3  # of the near hint's own loss
FOUND = 0.3  # IoU: what was lost before teaches less
BEGIN_PICTURES = 100


def walk(length, start, steps):
    """Frames back and forth through a clip of `length`, `steps` of them from `start` on."""
    turn = 2 * length - 2
    return [length - 1 - abs(length - 1 - (start + i) % turn) for i in range(steps)]


def disturbed(masks, rng):
    """Logits [B,1,m,m] with errors as tracking makes them: too wide, too narrow, beside, with a piece too many or too few."""
    return torch.cat([_disturbed(mask[None], rng) if rng.random() < DISTURBED_SHARE else mask[None] for mask in masks])


def _disturbed(mask, rng):
    kind, by = rng.choice(["wide", "narrow", "beside", "blobs"], p=[0.22, 0.16, 0.12, 0.5]), int(rng.integers(1, MOST_SHIFT + 1))
    widened = lambda x, by: F.max_pool2d(x, 2 * by + 1, 1, by)
    if kind == "wide":
        return widened(mask, by)
    if kind == "narrow":
        return -widened(-mask, by)
    if kind == "beside":
        return torch.roll(mask, tuple(int(x) for x in rng.integers(-MOST_SHIFT, MOST_SHIFT + 1, 2)), (2, 3))
    edge = ((widened(mask, 1) > 0) & (mask <= 0))[0, 0].nonzero()
    if len(edge) == 0:
        return mask
    rows, columns = (torch.arange(n) for n in mask.shape[2:])
    widest = min(BLOB_RADIUS[1], max(BLOB_RADIUS[0], 0.5 * (mask > 0).sum().item() ** 0.5))
    for _ in range(rng.integers(1, MOST_BLOBS + 1)):
        y, x = edge[rng.integers(len(edge))].tolist()
        inside = (rows[:, None] - y) ** 2 + (columns - x) ** 2 < rng.uniform(BLOB_RADIUS[0], widest) ** 2
        mask = torch.where(inside, BLOB_LOGIT if rng.random() < 0.75 else -BLOB_LOGIT, mask)
    return mask


def walked(folders, rng):
    """Frames [T,S,S,3] of a random clip and masks [T,TARGETS,S,S] of some of its targets."""
    while True:
        clips = folders[rng.integers(len(folders))]
        frames, masks, levels = clips.clip(int(rng.integers(len(clips))))
        order = walk(clips.length, int(rng.integers(2 * clips.length - 2)), int(rng.choice(LENGTHS)))
        fits = data.asked_for(masks[:, order[0]], levels, rng)
        if len(fits):
            picked = np.concatenate([rng.permutation(fits) for _ in range(-(-TARGETS // len(fits)))])[:TARGETS]
            return frames[order], masks[picked][:, order].swapaxes(0, 1)


class Walk:
    """Targets of one clip, followed."""

    def __init__(self, tracker, folders, number):
        self.tracker, self.rng = tracker, np.random.default_rng([23, number])
        frames, masks = walked(folders, self.rng)
        self.masks, self.ticks = masks, data.ticks(len(frames), self.rng)
        gain, lift = data.light(len(frames), 1, self.rng)
        batch = data.Batch(number, data.MASK, frames[:, None], gain, lift, masks, self.ticks, None, None)
        with torch.no_grad():
            self.every = tracker.lean.features(tracker.pictures(batch))
            self.remembered = [self.first()]

    def truth(self, t):
        return losses.coverage(torch.from_numpy(np.ascontiguousarray(self.masks[t])))

    def seen(self, t):
        return (x[t : t + 1] for x in self.every)

    def first(self):
        fine, middle, raw = self.seen(0)
        tracker, rows = self.tracker, raw.expand(TARGETS, -1, -1)
        if self.rng.random() < CLICKED_SHARE:
            xy, labels = map(torch.tensor, zip(*(prompts.click(mask, self.rng) for mask in self.masks[0])))
            out = tracker.decode(tracker.lean.unremembered(rows), (fine, middle), xy.float(), labels)
            (shown, pointers), score = out.shown(), out.score.clamp(min=1)
        else:
            given = tracker.model.mask_downsample(torch.from_numpy(np.ascontiguousarray(self.masks[0])).float()[:, None])
            pointers = tracker.decode(rows, (fine, middle), mask=given, several=False).pointers[:, 0]
            shown, score = self.truth(0) * 20 - 10, tracker.certain(TARGETS)
        return tracker.remember(0, raw, shown, pointers, score, True)

    def step(self, t, learn):
        """Frame `t`: the decoder's masks, the refined ones and the near hint, [B,1,4g,4g]; with gradients if `learn`."""
        tracker, lean, tick = self.tracker, self.tracker.lean, int(self.ticks[t])
        fine, middle, raw = self.seen(t)
        with torch.no_grad():
            pix = tracker.condition(raw, tick, self.remembered, True, RECENT)
            out = tracker.decode(pix, (fine, middle), answer=False)
            shown, pointers = out.shown()
            shown = unfold(shown)
            rows, carried = lean.apart(pix)
            rows, hint = lean.match.taken(rows)
            handed, (old, near) = lean.match.prompt(hint)[0], local.handed(carried)
            spread = [x.expand(TARGETS, -1, -1, -1) for x in lean.seen(rows, fine, middle)]
        with torch.set_grad_enabled(learn):
            if learn:  # once more, for what keys learn by it
                memories, slots = tracker.recalled(tick, self.remembered, RECENT)
                keys = tokens(lean.local.keys(image(lean.apart(raw)[0]), lean.middle(middle)))
                near = matching.pixels(lean.nearby(keys, torch.stack(memories, 1)[None], slots))[:, None]
            refined = shown + tracker.model.refine(*spread, shown, (handed, old, near))
        with torch.no_grad():
            kept = fold(disturbed(refined.detach(), self.rng))
            recent = [r for r in self.remembered if r.prompted or tick - r.tick < POINTER_SPAN]
            self.remembered = [*recent, tracker.remember(tick, raw, kept, pointers, out.score, False)]
        return shown, refined, near


def loss_of(logits, truth):
    """[B]: cross-entropy and dice. A focal loss would leave logits that are remembered half-heartedly."""
    x = logits.flatten(1).clamp(-30, 30)
    p = x.sigmoid()
    entropy = F.binary_cross_entropy_with_logits(x, truth, reduction="none").mean(1)
    dice = 1 - (2 * (p * truth).sum(1) + 1) / (p.square().sum(1) + truth.square().sum(1) + 1)
    return BCE_WEIGHT * entropy + dice


def learn(tracker, folders, number):
    """Adds up the gradients of one walk; gives the mean loss, and IoU before and after refining."""
    walking = Walk(tracker, folders, number)
    frames = len(walking.masks)
    learnt, figures = set(1 + walking.rng.permutation(frames - 1)[:LEARNT]), {"loss": [], "iou": [], "near_iou": [], "refined_iou": []}
    for t in range(1, frames):
        shown, refined, near = walking.step(t, t in learnt)
        truth = unfold(walking.truth(t)).flatten(1)
        there = truth.amax(1) > 0.5
        if not there.any() or t not in learnt:
            continue
        before, nearby, after = (losses.overlap(masks.flatten(1), truth)[there] for masks in (shown, near, refined))
        weight = (before / FOUND).clamp(0.1, 1)
        loss, near_loss = ((loss_of(x, truth)[there] * weight).mean() for x in (refined, near))
        ((loss + NEAR_WEIGHT * near_loss) / len(learnt) ** 0.5).backward()
        for name, value in (("loss", loss), ("iou", before.mean()), ("near_iou", nearby.mean()), ("refined_iou", after.mean())):
            figures[name].append(value.item())
    return {name: sum(values) / len(values) for name, values in figures.items() if values}


def begun(tracker, clips):
    """A network that knows how large this model's features are."""
    config, few = tracker.config, []
    for i in range(0, len(clips), max(1, len(clips) // BEGIN_PICTURES)):
        picture = torch.from_numpy(np.ascontiguousarray(clips.clip(i)[0][:1])).permute(0, 3, 1, 2).float()
        fine, middle, raw = tracker.lean.features((picture - 127) / 128)
        rows, own = (tracker.lean.apart(x)[0] for x in (tracker.lean.unremembered(raw), raw))
        few.append((*tracker.lean.seen(tracker.lean.match.taken(rows)[0], fine, middle), image(own)))
    fresh = Refine(config.hidden_dim, config.image_size)
    coarse, middle, fine, raw = (torch.cat(x) for x in zip(*few))
    fresh.begin(coarse, middle, fine)
    fresh.local.begin(raw, middle)
    return fresh


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("first")
    p.add_argument("--clips", nargs="+", required=True)
    teach.add_arguments(p, minutes=70, lr=2e-3)
    a = p.parse_args()
    model, config, fresh = teach.opened(p, a)
    tracker, folders = Tracker(model, config), [Clips(folder) for folder in a.clips]
    if a.anew or any(name.startswith("refine.") for name in fresh):
        with torch.no_grad():
            model.refine = begun(tracker, folders[-1])
    teach.teach(a, model, config, "refine", lambda step: learn(tracker, folders, step))


if __name__ == "__main__":
    main()
