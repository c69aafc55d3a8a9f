"""A clip through the model, as a session would take it: prompts, corrections, tracking, memories."""
from dataclasses import dataclass

import numpy as np
import torch

from . import data, losses, prompts

# Any number from 16 up: pointers are then placed in time as on a long shot.
LONG_SHOT = 1000
LOGIT_LIMIT = 32.0  # of a mask that is fed back


@dataclass
class Decoded:
    logits: torch.Tensor  # [B,M,m,m] before the object score has its say
    ious: torch.Tensor  # [B,M]
    pointers: torch.Tensor  # [B,M,D]
    score: torch.Tensor  # [B,1]

    def shown(self):
        """Each target's mask [B,1,m,m] and pointer [B,D], gated as at inference."""
        row = torch.arange(len(self.ious), device=self.ious.device)
        best = self.ious.argmax(1)
        return self.logits[row, best][:, None], self.pointers[row, best]


class Tracker:
    def __init__(self, model, config):
        self.model, self.config = model, config
        self.device = torch.device(config.device)

    def autocast(self):
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.config.bf16)

    def decode(self, pix, high, points=None, labels=None, mask=None, multimask=True):
        m = self.model
        if points is None:
            points = torch.zeros(len(pix), 1, 2, device=self.device)
            labels = -torch.ones(len(pix), 1, dtype=torch.int32, device=self.device)
        sparse, dense = m.sam_prompt_encoder(points=(points, labels), boxes=None, masks=mask)
        masks, ious, tokens, score = m.sam_mask_decoder.predict_masks(
            image_embeddings=pix, image_pe=m.sam_prompt_encoder.get_dense_pe(), sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense, repeat_image=False, high_res_features=high,
        )
        pick = slice(1, None) if multimask else slice(0, 1)
        return Decoded(masks[:, pick].float(), ious[:, pick].float(), m.obj_ptr_proj(tokens[:, pick]).float(), score.float())

    def remember(self, out, features, sizes, masks, pointers, score, prompted):
        """Encodes a frame's memory into `out`; absent things get the learned stand-ins."""
        m = self.model
        here = (score > 0).float()
        logits = torch.where(here[..., None, None] > 0, masks.float(), -1024.0)
        if prompted:
            logits = torch.where(logits > 0, 1024.0, -1024.0)
        large = torch.nn.functional.interpolate(logits, size=(m.image_size, m.image_size), mode="bilinear", align_corners=False)
        if prompted:
            large = torch.where(large > 0, 100.0, -100.0)
        out["obj_ptr"] = here * pointers + (1 - here) * m.no_obj_ptr
        out["maskmem_features"], out["maskmem_pos_enc"] = m._encode_new_memory(features, sizes, large, score, False)

    def prompt_first(self, batch, pix, raw, high, truth, visible):
        """Decodes the first frame by each target's own kind of prompt; gives masks, pointers, scores, loss, IoUs."""
        c, n = self.config, len(batch.kinds)
        grid = pix.shape[-1] * 4
        masks = torch.zeros(n, 1, grid, grid, device=self.device)
        scores = torch.zeros(n, 1, device=self.device)
        rows, found, loss, ious = [], [], 0.0, {}
        rng = np.random.default_rng([c.seed, batch.step, 1])
        for kind, name in ((data.MASK, "mask"), (data.BOX, "box"), (data.CLICK, "click")):
            who = np.flatnonzero(batch.kinds == kind)
            if len(who) == 0:
                continue
            at = torch.as_tensor(who, device=self.device)
            part = lambda x: x[at]
            near = [part(h) for h in high]
            if kind == data.MASK:
                full = torch.as_tensor(batch.masks[0][who], device=self.device).float()[:, None]
                out = self.decode(part(raw), near, mask=self.model.mask_downsample(full), multimask=False)
                shown = torch.nn.functional.interpolate(full * 20 - 10, size=(grid, grid), mode="bilinear", antialias=True)
                score = torch.full((len(who), 1), 10.0, device=self.device)
                pointers = out.pointers[:, 0]
            else:
                xy = np.array([batch.points[i][0] for i in who], np.float32)
                labels = np.array([batch.points[i][1] for i in who], np.int32)
                multimask = labels.shape[1] <= 1
                out = self.decode(part(pix), near, self.points(xy), self.labels(labels), multimask=multimask)
                step_loss, ious[name] = losses.decoded_loss(out, part(truth), part(visible), c, not multimask)
                loss = loss + step_loss * (len(who) / n)
                shown, pointers = out.shown()
                score = out.score
                for _ in range(2 if rng.random() < c.correction_share else 0):
                    xy, labels = self.corrected(batch.masks[0][who], shown, xy, labels)
                    out = self.decode(part(pix), near, self.points(xy), self.labels(labels), shown.detach().clamp(-LOGIT_LIMIT, LOGIT_LIMIT), False)
                    step_loss, ious["corrected"] = losses.decoded_loss(out, part(truth), part(visible), c, True)
                    loss = loss + 0.5 * step_loss * (len(who) / n)
                    shown, pointers = out.shown()
                    score = out.score
                # A prompted thing is there: a wrong score must not wipe its memory in training.
                score = score.detach().clamp(min=1.0)
            rows.append(at)
            found.append(pointers)
            masks = masks.index_copy(0, at, shown.float())
            scores = scores.index_copy(0, at, score)
        order = torch.argsort(torch.cat(rows))
        return masks, torch.cat(found)[order], scores, loss, ious

    def points(self, xy):
        return torch.as_tensor(xy, device=self.device)  # the prompt encoder itself adds the half pixel

    def labels(self, labels):
        return torch.as_tensor(labels, device=self.device)

    def corrected(self, truth, shown, xy, labels):
        large = torch.nn.functional.interpolate(shown.detach().float(), size=truth.shape[-2:], mode="bilinear", align_corners=False)
        found = (large[:, 0] > 0).cpu().numpy()
        more = [prompts.correction(t, f) for t, f in zip(truth, found)]
        new = np.array([[p] for p, _ in more], np.float32)
        which = np.array([[l] for _, l in more], np.int32)
        if xy is None:
            return new, which
        return np.concatenate([xy, new], 1), np.concatenate([labels, which], 1)

    def clip(self, batch, progress=1.0):
        """Loss of a batch, and IoU by prompt and by frame; `progress` is the run's, 0 to 1."""
        c, m = self.config, self.model
        frames = torch.as_tensor(batch.frames, device=self.device)
        steps, clips, side = frames.shape[:3]
        image = frames.flatten(0, 1).permute(0, 3, 1, 2)  # channels last as it lies
        image = (image.float() - 127) / 128
        with self.autocast():
            seen = m.forward_image(image)
        seen["backbone_fpn"] = [f.float() for f in seen["backbone_fpn"]]
        _, features, positions, sizes = m._prepare_backbone_features(seen)
        rng = np.random.default_rng([c.seed, batch.step, 2])
        again = int(rng.integers(1, steps)) if rng.random() < c.second_prompt_share else None
        # True masks in memory first: a model that tracks poorly would learn that memories tell nothing.
        forced = rng.random() < c.forced_share * max(0.0, 1 - progress / c.forced_until)
        memory = {"cond_frame_outputs": {}, "non_cond_frame_outputs": {}}
        loss, report = 0.0, {}
        for t, tick in enumerate(int(v) for v in batch.ticks):
            own = slice(t * clips, (t + 1) * clips)
            spread = lambda x: x[:, own].repeat_interleave(c.targets, 1)
            now, where = [spread(f) for f in features], [spread(positions[-1])]
            shape = lambda x, s: x.permute(1, 2, 0).reshape(x.shape[1], x.shape[2], *s)
            high, raw = [shape(f, s) for f, s in zip(now[:-1], sizes[:-1])], shape(now[-1], sizes[-1])
            masks = torch.as_tensor(batch.masks[t], device=self.device)
            truth, visible = losses.targets_for(masks), masks.flatten(1).any(1).float()
            out = {}
            with self.autocast():
                if t == 0:
                    pix = raw + m.no_mem_embed.reshape(1, -1, 1, 1)
                    shown, pointers, score, part, ious = self.prompt_first(batch, pix, raw, high, truth, visible)
                    loss = loss + part
                    report.update(ious)
                else:
                    pix = m._prepare_memory_conditioned_features(tick, False, now[-1:], where, sizes[-1:], memory, LONG_SHOT)
                    decoded = self.decode(pix, high)
                    part, report[f"track{t}"] = losses.decoded_loss(decoded, truth, visible, c, True)
                    loss = loss + part
                    shown, pointers = decoded.shown()
                    score = decoded.score.detach()
                    if t == again:
                        xy, labels = self.corrected(batch.masks[t], shown, None, None)
                        decoded = self.decode(pix, high, self.points(xy), self.labels(labels), shown.detach().clamp(-LOGIT_LIMIT, LOGIT_LIMIT))
                        part, report["second"] = losses.decoded_loss(decoded, truth, visible, c, True)
                        loss = loss + 0.5 * part
                        shown, pointers = decoded.shown()
                        score = decoded.score.detach()
                prompted = t == 0 or t == again
                if forced and t > 0:
                    shown = torch.nn.functional.interpolate(truth * 20 - 10, size=shown.shape[-2:], mode="area")
                    score = visible[:, None] * 20 - 10
                if t + 1 < steps:
                    self.remember(out, now, sizes, shown, pointers, score, prompted)
            memory["cond_frame_outputs" if prompted else "non_cond_frame_outputs"][tick] = out
        return loss, report
