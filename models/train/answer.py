"""Teaches the clicks of a model (clicks.py): python -m train.answer FIRST CLIPS OUT [--minutes N] [--threads N]

FIRST is a checkpoint or a package with a matching, CLIPS a folder of train.clips. All else of the model stays as it is, so what it
sees is computed once and kept in OUT/seen; OUT/checkpoint.pt is the whole model. The same command goes on where it was stopped.
"""
import argparse
import concurrent.futures
import os
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from . import data, losses, prompts, teach
from .clicks import SHARPNESS, Clicks
from .clips import Clips
from .grid import image, unfold
from .tracker import LOGIT_LIMIT, Tracker

# Of a clip: two frames as nothing is remembered for them, and one tracked by the memory of the first.
FIRST_FRAMES, TRACKED_FRAME = (0, 1), 2
DECODED_TARGETS, TRACKED_TARGETS = 5, 3
BOX_SHARE, TRACKED_SHARE = 0.2, 0.18
MOST_CORRECTIONS = 5
CLIPS, TARGETS = 6, 3  # of a batch
BEGIN_PICTURES = 100


@dataclass
class Batch:
    coarse: torch.Tensor  # [B,D,g,g], and middle and fine ones, as Clicks takes them
    middle: torch.Tensor
    fine: torch.Tensor
    shown: torch.Tensor  # [B,1,4g,4g]: the decoder's masks
    masks: np.ndarray  # [B,S,S] bool
    kind: str  # how it begins: data.CLICK, data.BOX or TRACKED
    xy: np.ndarray | None  # [B,P,2] and labels [B,P]; None where a tracked mask is corrected
    labels: np.ndarray | None


TRACKED = "tracked"


@torch.no_grad()
def see(tracker, clip, number):
    """What the model sees of a clip, as arrays by name: half precision, masks as packed bits."""
    rng = np.random.default_rng([7, number])
    frames, masks, levels = clip
    order = rng.permutation(len(frames))[:3]
    frames, masks = frames[order], masks[:, order]
    if rng.random() < 0.5:
        frames, masks = frames[:, :, ::-1], masks[..., ::-1]
    gain, lift = data.light(len(order), 1, rng)
    batch = data.Batch(number, data.CLICK, frames[:, None], gain, lift, masks.swapaxes(0, 1), np.arange(3), None, None)
    lean, match = tracker.lean, tracker.lean.match
    fine, middle, raw = lean.features(tracker.pictures(batch))
    first = lean.unremembered(raw)
    half = lambda x: x.half().numpy()
    own = lambda rows: half(image(match.taken(lean.apart(rows)[0])[0]))
    seen = {"masks": np.packbits(np.ascontiguousarray(masks), axis=-1), "levels": levels, "fine": half(unfold(fine.transpose(1, 2))),
            "middle": half(lean.middle(middle)), "coarse": own(first)}
    for t in FIRST_FRAMES:
        picked = rng.permutation(np.flatnonzero(data.large(masks[:, t])))[:DECODED_TARGETS]
        if len(picked):
            xy, labels = map(torch.tensor, zip(*(prompts.click(masks[i, t], rng) for i in picked)))
            at = slice(t, t + 1)
            decoded = tracker.decode(first[at].expand(len(picked), -1, -1), (fine[at], middle[at]), xy.float(), labels, answer=False)
            seen[f"shown{t}"] = half(unfold(decoded.shown()[0])[:, 0])
    picked = rng.permutation(np.flatnonzero(data.large(masks[:, 0]) & data.large(masks[:, TRACKED_FRAME])))[:TRACKED_TARGETS]
    if len(picked):
        given = torch.from_numpy(np.ascontiguousarray(masks[picked, 0]))
        prompt = tracker.model.mask_downsample(given.float()[:, None])
        pointers = tracker.decode(raw[:1].expand(len(picked), -1, -1), (fine[:1], middle[:1]), mask=prompt, several=False).pointers[:, 0]
        memory = tracker.remember(0, raw[:1], losses.coverage(given) * 20 - 10, pointers, tracker.certain(len(picked)), True)
        at = slice(TRACKED_FRAME, TRACKED_FRAME + 1)
        pix = tracker.condition(raw[at], int(rng.integers(1, 12)), [memory], True)
        shown, _ = tracker.decode(pix, (fine[at], middle[at])).shown()
        seen.update(tracked=picked, tracked_coarse=own(pix), tracked_shown=half(unfold(shown)[:, 0]))
    return seen


def see_all(tracker, clips, folder):
    """Every clip's, from `folder` where they are, and written there where not."""
    os.makedirs(folder, exist_ok=True)
    everything = []
    for i in range(len(clips)):
        path = f"{folder}/{i:05d}.npz"
        if not os.path.exists(path):
            with open(path + ".part", "wb") as f:
                np.savez(f, **see(tracker, clips.clip(i), i))
            os.replace(path + ".part", path)
            if i % 50 == 0:
                print(f"{folder}: {i} of {len(clips)} seen", flush=True)
        with np.load(path) as kept:
            everything.append({name: kept[name] for name in kept.files})
    return everything


def batch(everything, number):
    """Batch n is always the same."""
    rng = np.random.default_rng([11, number])
    kind = str(rng.choice([TRACKED, data.BOX, data.CLICK], p=[TRACKED_SHARE, BOX_SHARE, 1 - TRACKED_SHARE - BOX_SHARE]))
    parts = []
    while len(parts) < CLIPS * TARGETS:
        seen = everything[rng.integers(len(everything))]
        parts += (_tracked if kind == TRACKED else _first)(seen, rng)
    *features, shown, masks = zip(*parts[: CLIPS * TARGETS])
    given = [prompts.box(m, rng) if kind == data.BOX else prompts.click(m, rng) for m in masks] if kind != TRACKED else []
    xy, labels = (np.array(x) for x in zip(*given)) if given else (None, None)
    numbers = lambda x: torch.from_numpy(np.stack(x)).float()
    return Batch(*map(numbers, features), numbers(shown)[:, None], np.stack(masks), kind, None if xy is None else xy.astype(np.float32), labels)


def _first(seen, rng):
    t = int(rng.choice(FIRST_FRAMES))
    if f"shown{t}" not in seen:
        return []
    masks, levels, shown = unpacked(seen["masks"][:, t]), seen["levels"], seen[f"shown{t}"]
    picked = rng.permutation(data.asked_for(masks, levels, rng))[:TARGETS]
    # The decoder hardly asks where the click was: any target's mask will do.
    return [(seen["coarse"][t], seen["middle"][t], seen["fine"][t], shown[rng.integers(len(shown))], masks[i]) for i in picked]


def _tracked(seen, rng):
    if "tracked" not in seen:
        return []
    t, masks = TRACKED_FRAME, unpacked(seen["masks"][seen["tracked"], TRACKED_FRAME])
    return [(seen["tracked_coarse"][i], seen["middle"][t], seen["fine"][t], seen["tracked_shown"][i], masks[i]) for i in rng.permutation(len(masks))]


def unpacked(bits):
    return np.unpackbits(bits, axis=-1).astype(bool)


def answers(clicks, b, corrections, config, learn=False):
    """A batch prompted and corrected; gives the mean loss and IoU by kind and number of clicks. `learn` adds up gradients."""
    truth = F.avg_pool2d(torch.from_numpy(b.masks)[:, None].float(), losses.STRIDE).flatten(2)
    before = b.shown if b.kind == TRACKED else None
    xy, labels, total, report, row = b.xy, b.labels, 0.0, {}, torch.arange(len(b.masks))
    for n in range(corrections + 1):
        if before is not None:
            xy, labels = prompts.corrected(b.masks, before, xy, labels)
        has = torch.full((len(row),), float(before is not None))
        last = torch.zeros_like(b.shown) if before is None else before.clamp(-LOGIT_LIMIT, LOGIT_LIMIT)
        masks, ious = clicks(b.coarse, b.middle, b.fine, torch.from_numpy(xy), torch.from_numpy(labels).long(), b.shown, last, has)
        loss, iou = losses.mask_losses(masks.flatten(2) / SHARPNESS, truth, config)
        if labels.shape[1] == 1:  # SAM 2 shows the best of three, after more points mask 0 unless it is unsure of it
            loss, shown = 0.8 * loss[:, 1:].min(1).values.mean() + 0.2 * loss[:, 1:].mean(), 1 + ious[:, 1:].argmax(1)
        else:
            loss, shown = 0.6 * loss[:, 0].mean() + 0.4 * loss.mean(), torch.zeros_like(row)
        loss = loss + (ious - iou).abs().mean()
        if learn:
            (loss / (corrections + 1) ** 0.5).backward()
        total += loss.item() / (corrections + 1)
        report[f"{b.kind}{n}"] = iou[row, shown].mean().item()
        before = masks.detach()[row, shown][:, None]
    return total, report


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("first")
    p.add_argument("clips")
    teach.add_arguments(p, minutes=50, lr=2.5e-3)
    a = p.parse_args()
    model, config, fresh = teach.opened(p, a)
    everything = see_all(Tracker(model, config), Clips(a.clips), os.path.join(a.out, "seen"))
    if a.anew or any(name.startswith("clicks.") for name in fresh):
        model.clicks = Clicks(config.hidden_dim, config.image_size)
        few = everything[:: max(1, len(everything) // BEGIN_PICTURES)]
        model.clicks.begin(*(torch.from_numpy(np.stack([seen[name][0] for seen in few])).float() for name in ("coarse", "middle", "fine")))
    makers, coming = concurrent.futures.ThreadPoolExecutor(1), {}

    def learn(step):
        now = coming.pop(step, None) or makers.submit(batch, everything, step)
        coming[step + 1] = makers.submit(batch, everything, step + 1)
        corrections = int(np.random.default_rng([13, step]).integers(MOST_CORRECTIONS + 1))
        loss, report = answers(model.clicks, now.result(), corrections, config, learn=True)
        return {"loss": loss, **report}

    teach.teach(a, model, config, "clicks", learn)


if __name__ == "__main__":
    main()
