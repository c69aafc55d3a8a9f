"""A batch through the model, as a session would take its clips: prompts, corrections, tracking, memories."""
from dataclasses import dataclass

import numpy as np
import torch

from . import data, losses, prompts
from .grid import unfold
from .lean import Lean

LOGIT_LIMIT = 32.0  # of a mask that is fed back
PROMPTED_SLOT = 6  # of the time table; a frame tracked d ticks ago has d - 1
POINTER_SPAN = 15  # ticks, on a long shot


@dataclass
class Decoded:
    """Before the object score has its say."""

    logits: torch.Tensor  # [B,M,n] folded
    ious: torch.Tensor  # [B,M]
    pointers: torch.Tensor  # [B,M,D]
    score: torch.Tensor  # [B,1]

    def shown(self):
        """Each target's mask [B,1,n] and pointer [B,D]."""
        row = torch.arange(len(self.ious), device=self.ious.device)
        best = self.ious.argmax(1)
        return self.logits[row, best][:, None], self.pointers[row, best]


@dataclass
class Remembered:
    tick: int
    prompted: bool
    memory: torch.Tensor  # [B,g*g,C]
    pointer: torch.Tensor  # [B,D]


class Tracker:
    def __init__(self, model, config):
        self.lean, self.model, self.config = Lean(model).to(config.device), model, config
        self.device = torch.device(config.device)

    def autocast(self):
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.config.bf16)

    def tensor(self, x, **kind):
        return torch.as_tensor(np.ascontiguousarray(x), device=self.device, **kind)

    def decode(self, rows, seen, points=None, labels=None, mask=None, several=True, answer=True):
        fine, middle = seen
        logits, ious, pointers, score = self.lean.decode(rows, fine, middle, points, labels, mask, answer)
        pick = slice(1, None) if several else slice(0, 1)
        return Decoded(logits[:, pick], ious[:, pick], pointers[:, pick], score)

    def remember(self, tick, rows, folded, pointer, score, prompted):
        """`folded`: logits [B,1,n]. Absent things get the learned stand-ins; masks give no gradient."""
        m = self.model
        here = (score > 0).float()
        shown = unfold(torch.where(here[..., None] > 0, folded.detach().float(), -1024.0))
        memory = self.lean.remember(rows, shown, score, prompted)
        return Remembered(tick, prompted, memory, here * pointer + (1 - here) * m.no_obj_ptr)

    def condition(self, rows, tick, remembered, with_pointers, recent=PROMPTED_SLOT):
        """`recent`: how many of the last frames are recalled beside the prompted ones."""
        memories, slots = self.recalled(tick, remembered, recent)
        pointed = remembered if with_pointers else []
        pointers = torch.stack([r.pointer for r in pointed], 1) if pointed else torch.zeros(len(remembered[0].pointer), 0, self.model.hidden_dim, device=self.device)
        times = torch.tensor([tick - r.tick for r in pointed], device=self.device, dtype=torch.float32) / POINTER_SPAN
        return self.lean.condition(rows, memories, slots, pointers, times)

    @staticmethod
    def recalled(tick, remembered, recent):
        """The memories that a frame is tracked by, and their rows of the time table."""
        slots = [PROMPTED_SLOT if r.prompted else tick - r.tick - 1 for r in remembered]
        near = [(r.memory, s) for r, s in zip(remembered, slots) if r.prompted or s < recent]
        return [memory for memory, _ in near], [s for _, s in near]

    def again(self, rows, seen, truth, shown, xy, labels):
        """A decoding with one more click, from the mask shown before."""
        xy, labels = prompts.corrected(truth, unfold(shown), xy, labels)
        back = unfold(shown.detach()).clamp(-LOGIT_LIMIT, LOGIT_LIMIT)
        return self.decode(rows, seen, self.tensor(xy), self.tensor(labels), back, several=labels.shape[1] <= 1), xy, labels

    def certain(self, targets):
        """The object scores of given masks."""
        return torch.full((targets, 1), 10.0, device=self.device)

    def pictures(self, batch):
        """[T*K,3,S,S] as the encoder takes them, in the batch's light."""
        frames = self.tensor(batch.frames).flatten(0, 1).permute(0, 3, 1, 2).float()  # channels last as it lies
        return ((frames * self.tensor(batch.gain) + self.tensor(batch.lift)).clamp(0, 255) - 127) / 128

    def first(self, batch, raw, seen, truth, visible, rng, with_pointers):
        """The prompted frame: logits [B,1,n], pointers [B,D], scores [B,1], loss, IoUs."""
        c, targets = self.config, len(batch.masks[0])
        spread = raw.repeat_interleave(targets // len(raw), 0)
        if batch.kind == data.MASK:
            pointers = torch.zeros(targets, self.model.hidden_dim, device=self.device)
            if with_pointers:
                full = self.tensor(batch.masks[0]).float()[:, None]
                pointers = self.decode(spread, seen, mask=self.model.mask_downsample(full), several=False).pointers[:, 0]
            return truth * 20 - 10, pointers, self.certain(targets), 0.0, {}
        pix, ious = self.lean.unremembered(spread), {}
        xy, labels = batch.xy, batch.labels
        several = labels.shape[1] <= 1
        out = self.decode(pix, seen, self.tensor(xy), self.tensor(labels), several=several)
        loss, ious[batch.kind] = losses.decoded_loss(out, truth, visible, c, not several)
        shown, pointers = out.shown()
        for _ in range(int(rng.integers(1, 3)) if rng.random() < c.correction_share else 0):
            out, xy, labels = self.again(pix, seen, batch.masks[0], shown, xy, labels)
            part, ious["corrected"] = losses.decoded_loss(out, truth, visible, c, True)
            loss = loss + 0.5 * part
            shown, pointers = out.shown()
        # A prompted thing is there: a wrong score must not wipe its memory in training.
        return shown, pointers, out.score.detach().clamp(min=1.0), loss, ious

    def run(self, batch, progress=1.0):
        """Loss of a batch, and IoU by prompt and by frame; `progress` is the run's, 0 to 1."""
        c = self.config
        rng = np.random.default_rng([c.seed, batch.number, 2])
        length, clips = batch.frames.shape[:2]
        with_pointers = rng.random() >= c.pointerless_share
        second = int(rng.integers(1, length)) if rng.random() < c.second_prompt_share else None
        # True masks in memory first: a model that tracks poorly would learn that memories tell nothing.
        forced = rng.random() < max(0.0, 1 - progress / c.forced_until)
        remembered, loss, report = [], 0.0, {}
        with self.autocast():
            every = self.lean.features(self.pictures(batch))
            for t, tick in enumerate(int(v) for v in batch.ticks):
                fine, middle, raw = (x[t * clips : (t + 1) * clips] for x in every)
                seen = (fine, middle)
                masks = self.tensor(batch.masks[t])
                truth, visible = losses.coverage(masks), masks.flatten(1).any(1).float()
                if t == 0:
                    shown, pointers, score, part, ious = self.first(batch, raw, seen, truth, visible, rng, with_pointers)
                    loss = loss + part
                    report.update(ious)
                else:
                    pix = self.condition(raw, tick, remembered, with_pointers)
                    out = self.decode(pix, seen)
                    part, report[f"{batch.kind}{t}"] = losses.decoded_loss(out, truth, visible, c, True)
                    loss = loss + part / (length - 1) ** 0.5
                    if t == second:
                        out, _, _ = self.again(pix, seen, batch.masks[t], out.shown()[0], None, None)
                        part, report["second"] = losses.decoded_loss(out, truth, visible, c, False)
                        loss = loss + 0.5 * part
                    (shown, pointers), score = out.shown(), out.score.detach()
                if t + 1 < length:
                    if forced:
                        shown, score = truth * 20 - 10, visible[:, None] * 20 - 10
                    remembered.append(self.remember(tick, raw, shown, pointers, score, t == 0 or t == second))
        return loss, report
