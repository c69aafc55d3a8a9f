"""Answers to clicks and boxes: what points at, joined with what stands out.

SAM 2's decoder, trained for hours instead of weeks, finds what stands out and hardly asks where the click was. So what
a click says is worked out beside it: how much each place looks like the clicked one, at three strides, and how near it is
to it. A small network joins this with the decoder's mask and the mask before, and gives the masks of a prompted frame. (Maps
of clicks as a network's input: Sofiiuk et al. 2021; likeness to what was pointed at: as in matching.py.)

Masks are [B,..,4g,4g] and features [B,C,side,side] of g, 2g and 4g squares; points [B,P,2] are in the picture's pixels.
"""
import torch
from torch import nn
from torch.nn import functional as F

from .features import LIMIT, Features, bounded
from .grid import channel_norm
from .prompts import BOX_END, BOX_START, NEGATIVE, POSITIVE

BOX_MIDDLE = 4  # beside the labels of prompts
MASKS = 4  # the single one, then three to choose from
NEAR = (0.02, 0.07, 0.25)  # how far it is near, in shares of the side
# What it gives is that many times what it learnt to: half-hearted logits of a focal loss have no clear edge, and count as unstable.
SHARPNESS = 2.5


def flat(x, n):
    """[B,C,h,w] to [B,C,n], also where B is 0, which leaves nothing to infer `n` from."""
    return x.reshape(x.shape[0], x.shape[1], n)


class Clicks(Features):
    def __init__(self, channels, image_size):
        super().__init__(channels, (32, 16, 8))
        self.side, self.grid, widths = image_size, image_size // 16, self.widths
        self.pair = nn.Sequential(nn.Linear(11, 16), nn.ReLU(), nn.Linear(16, 12), nn.ReLU())
        self.enter = nn.Conv2d(3 * (12 + 6) + 4 + 4 + widths[1], 48, 1)
        self.entered, self.widened = nn.LayerNorm(48), nn.LayerNorm(64)
        self.coarse = nn.Conv2d(widths[0], 48, 1)
        self.wide = nn.Sequential(nn.Conv2d(96, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=2, dilation=2), nn.ReLU())
        self.whole = nn.Linear(64, 64)
        self.widest = nn.Conv2d(64, 64, 3, padding=1)
        self.up = nn.ConvTranspose2d(64, 48, 2, 2)
        self.join = nn.Conv2d(48, 48, 3, padding=1)
        self.up_again = nn.ConvTranspose2d(48, 24, 2, 2)
        self.last = nn.Sequential(nn.Conv2d(24 + widths[2] + 3, 24, 1), nn.ReLU(), nn.Conv2d(24, MASKS, 1))
        self.ious = nn.Sequential(nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, MASKS))
        self.share = nn.Parameter(torch.ones(MASKS, 1, 1))  # of the decoder's mask
        at = (torch.arange(2 * self.grid) + 0.5) / (2 * self.grid)
        whole = torch.arange(2 * self.grid) // 2
        self.register_buffer("coarser", (whole[:, None] * self.grid + whole).flatten(), persistent=False)  # each square's, a stride up
        self.register_buffer("at", torch.stack([at.repeat(2 * self.grid), at.repeat_interleave(2 * self.grid)], 1), persistent=False)

    def forward(self, coarse, middle, fine, points, labels, shown, before, has_before):
        """`shown`: the decoder's mask [B,1,4g,4g]; `before`: the mask that is corrected, where `has_before` [B] is 1. Gives
        masks [B,4,4g,4g] and their IoUs [B,4]."""
        points, labels, box = self.pointed(points, labels)
        coarse, middle, fine = self.alike(coarse, middle, fine)
        shown, before = bounded(shown), bounded(before / SHARPNESS) * has_before[:, None, None, None]
        seen, earlier = F.avg_pool2d(shown, 2), F.avg_pool2d(before, 2)
        told = self.told((coarse, middle, F.avg_pool2d(fine, 2)), points, labels, seen)
        flags = torch.stack([has_before, (labels >= 0).to(shown.dtype).sum(1) / 8], 1)[:, :, None, None].expand(-1, -1, *seen.shape[2:])
        x = F.relu(channel_norm(self.entered, self.enter(torch.cat([told, box, seen, earlier, flags, middle], 1))))
        y = channel_norm(self.widened, self.wide(torch.cat([F.avg_pool2d(x, 2), self.coarse(coarse)], 1)))
        mean = lambda x: F.avg_pool2d(x, self.grid)[:, :, 0, 0]
        y = F.relu(self.widest(y + self.whole(mean(y))[:, :, None, None]) + y)
        x = F.relu(self.join(F.relu(x + self.up(y))))
        x = F.relu(self.up_again(x))
        masks = self.last(torch.cat([x, fine, shown, before, self.nearest(points, labels)], 1)) + shown * self.share
        return SHARPNESS * masks, self.ious(torch.cat([mean(y), F.max_pool2d(y, self.grid)[:, :, 0, 0]], 1)).sigmoid()

    def answered(self, features, points, labels, masks, ious, before, has_before):
        """The decoder's masks [B,4,4g,4g] and IoUs [B,4], and in their place these ones where something was clicked. `features`
        are the coarse, of each object, and the middle and fine ones of each or of their one frame; `before` [B,1,4g,4g] counts where
        `has_before` [1] is 1."""
        clicked = (labels >= 0).any(1).nonzero()[:, 0]  # often nobody: then nothing is computed
        best = ious[clicked, 1:].argmax(1) + 1
        seen = (x.expand(clicked.shape[0], -1, -1, -1) for x in self.of(features, clicked))
        own = self(*seen, points[clicked], labels[clicked], masks[clicked, best][:, None], before[clicked], has_before.expand(clicked.shape[0]))
        return tuple(x.index_put((clicked,), new) for x, new in zip((masks, ious), own))

    def pointed(self, points, labels):
        """Points in shares of the side, with a box's middle behind, and what places are to the box [B,4,2g,2g]."""
        corner = lambda which: ((labels == which).to(points.dtype)[..., None] * points).sum(1, keepdim=True)
        first, last = corner(BOX_START), corner(BOX_END)
        has = (labels == BOX_START).sum(1, keepdim=True).clamp(max=1)
        middle, size = (first + last) / 2, (last - first + 1).clamp(min=1) / (2 * self.side)
        points = (torch.cat([points, middle], 1) + 0.5) / self.side
        labels = torch.cat([labels, BOX_MIDDLE * has - (1 - has)], 1)
        off = (self.at - points[:, -1:]).abs() / size
        furthest = off.amax(2)
        box = torch.stack([(furthest < 1).to(off.dtype), 1 / (1 + furthest * furthest), *(off / (1 + off)).unbind(2)], 1)
        return points, labels, self.placed(box * has.to(off.dtype)[..., None])

    def told(self, features, points, labels, seen):
        """What negative clicks, positive ones and a box say of every place: [B,54,2g,2g]."""
        of = lambda x, side: x.gather(2, self.squares(points, side)[:, None].expand(-1, x.shape[1], -1))
        likeness = []
        for embedding, feature in zip(self.embeddings, features):
            side = 2 * self.grid if likeness else self.grid
            e = flat(self.directions(embedding, feature), side * side)
            alike = e.transpose(1, 2) @ of(e, side)
            likeness.append(alike[:, self.coarser] if side == self.grid else alike)
        off = self.at[:, None] - points[:, None]
        apart = off.square().sum(3)
        near = [1 / (1 + apart / s**2) for s in NEAR]
        seen = flat(seen, len(self.at))
        own = seen.transpose(1, 2).expand(-1, -1, points.shape[1]) / LIMIT
        there = (of(seen, 2 * self.grid) / LIMIT).expand(-1, len(self.at), -1)
        kinds = [(labels == kind).to(own.dtype)[:, None] for kind in (NEGATIVE, POSITIVE, BOX_MIDDLE)]
        told = self.pair(torch.stack([*likeness, *near, own, there, *(k.expand(-1, len(self.at), -1) for k in kinds)], 3))
        told = torch.cat([told, torch.stack([*(F.relu(x) for x in likeness), *near], 3)], 3)
        said = torch.cat([(told * kind[..., None]).amax(2) for kind in kinds], 2)
        return self.placed(said.transpose(1, 2))

    def placed(self, x):
        """[B,C,2g*2g] to [B,C,2g,2g]."""
        return x.reshape(x.shape[0], x.shape[1], 2 * self.grid, 2 * self.grid)

    def squares(self, points, side):
        """Which square of a side's rows each point lies in: [B,P]."""
        x, y = (points * side).long().clamp(0, side - 1).unbind(2)
        return y * side + x

    def nearest(self, points, labels):
        """How near the nearest positive click is, less the same of negative ones: [B,1,4g,4g]."""
        side = 4 * self.grid
        at = (torch.arange(side, device=points.device) + 0.5) / side
        x, y = points.unbind(2)
        square = (at[None, None] - x[..., None]).square()[:, :, None] + (at[None, None] - y[..., None]).square()[..., None]
        near = 1 / (1 + square / NEAR[0] ** 2)
        of = lambda kind: (near * (labels == kind).to(near.dtype)[..., None, None]).amax(1, keepdim=True)
        return of(POSITIVE) - of(NEGATIVE)
