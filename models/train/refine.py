"""Tracked masks, refined by their own frame.

What is handed on from memory is as coarse as the squares that are compared, sixteen pixels wide. A small network moves its edge to
where the frame has one: it sees the decoder's mask, three hints (matching.py's, the same of prompted frames alone, and local.py's), the
frame's features at three strides, and how much each place looks like what is inside and outside, in the whole frame and nearby.
(Refinement by local appearance: as in guided and cost-volume filtering, He et al. 2013.)

It is taught on its own memories (follow.py), so that what it gives can be handed on in turn without creeping.

Masks are [B,1,4g,4g], and features [B,C,side,side] of g, 2g and 4g squares.
"""
import torch
from torch import nn
from torch.nn import functional as F

from .features import Features, bounded
from .grid import channel_norm
from .local import Local

SPARE = 2  # channels of zeros: convolutions take them by fours, and otherwise take twice as long
NEARBY = (13, 11)  # squares of 8 and of 4 pixels: what lies nearby, some 100 and 44 pixels


def averaged(x, window):
    """The mean around each place, with zeros beyond the frame."""
    rows = F.avg_pool2d(x, (window, 1), 1, (window // 2, 0))
    return F.avg_pool2d(rows, (1, window), 1, (0, window // 2))


class Refine(Features):
    """Changes nothing until it is taught."""

    def __init__(self, channels, image_size, width=40, deep=48):
        super().__init__(channels, (16, 8))
        self.grid, widths = image_size // 16, self.widths
        self.local = Local(channels, image_size)
        self.enter = nn.Conv2d(widths[1] + 4 + 4, width, 1)
        self.entered, self.widened = nn.LayerNorm(width), nn.LayerNorm(deep)
        self.coarse = nn.Conv2d(widths[0], width, 1)
        self.wide = nn.Sequential(nn.Conv2d(2 * width, deep, 3, padding=1), nn.ReLU(), nn.Conv2d(deep, deep, 3, padding=2, dilation=2), nn.ReLU())
        self.up = nn.ConvTranspose2d(deep, width, 2, 2)
        self.join = nn.Conv2d(width, width, 3, padding=1)
        self.up_again = nn.ConvTranspose2d(width, 16, 2, 2)
        self.mix = nn.Conv2d(16 + widths[2] + 6 + SPARE, 16, 3, padding=1)
        self.last = nn.Conv2d(16 + 6, 1, 1)
        self.share = nn.Parameter(torch.zeros(1, 1, 1))  # of the decoder's mask, added to it
        self.register_buffer("spare", torch.zeros(1, SPARE, image_size // 4, image_size // 4), persistent=False)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, coarse, middle, fine, shown, hints):
        """Middle and fine features are each object's or their one frame's. `shown` is the decoder's mask, and the hints are what was added to
        it, what prompted frames gave and what lies nearby: all logits. Gives what is to be added."""
        coarse, middle, fine = self.alike(coarse, middle, fine)
        told, inside = torch.cat([bounded(x) for x in (shown, *hints)], 1), shown.sigmoid()
        half, each = lambda x: F.avg_pool2d(x, 2), lambda x: x.expand(shown.shape[0], -1, -1, -1)
        e = self.directions(self.embeddings[0], middle)
        alike = self.nearby(e, half(inside), NEARBY[0]) + self.everywhere(e, half(inside))
        x = F.relu(channel_norm(self.entered, self.enter(torch.cat([each(middle), half(told), *alike], 1))))
        y = channel_norm(self.widened, self.wide(torch.cat([half(x), self.coarse(coarse)], 1)))
        x = F.relu(self.join(F.relu(x + self.up(y))))
        maps = torch.cat([told, *self.nearby(self.directions(self.embeddings[1], fine), inside, NEARBY[1])], 1)
        x = F.relu(self.mix(torch.cat([self.up_again(x), each(fine), maps, each(self.spare)], 1)))
        return self.last(torch.cat([x, maps], 1)) + shown * self.share

    def nearby(self, e, inside, window):
        """How alike each place is to the mean of what is nearby inside, and outside."""
        return [self.summed(e * averaged(w * e, window) / (averaged(w, window) + 1e-3)) for w in (inside, 1 - inside)]

    def everywhere(self, e, inside):
        """The same of the whole frame."""
        side = 2 * self.grid
        whole = lambda x: F.avg_pool2d(x, side)
        return [self.summed(e * (whole(w * e) / (whole(w) + 1 / side**2))) for w in (inside, 1 - inside)]

    def followed(self, features, labels, masks, ious, hints, has_mask):
        """The decoder's masks [B,4,4g,4g], and in their place the refined ones where nothing was said of the frame: no click, and
        no mask given (`has_mask` [1] is 0). `features` as Clicks takes them; three hints [B,1,4g,4g]."""
        tracked = ((labels < 0).all(1) & (has_mask < 0.5)).nonzero()[:, 0]
        best = ious[tracked, 1:].argmax(1) + 1
        more = self(*self.of(features, tracked), masks[tracked, best][:, None], [x[tracked] for x in hints])
        return masks.index_put((tracked,), masks[tracked] + more)
