"""Labels handed on nearby: likeness at half of matching.py's stride.

A whole square of sixteen pixels takes over another's labels as they lie; what moves by less than that blurs its edge. So squares are
compared by their quarters too, of eight pixels: a quarter looks for keys like its own within some thirty pixels, in the latest
frame and in prompted ones, and takes over the coverage of its 2x2 mask pixels. Keys travel behind a frame's features and behind its memories;
what they find travels behind the features to refine.py. (Matching in a local window: Yang et al. 2021, short-term attention.)

Quarters [..,4*n,C] are a token's four together, row by row, as the decoder unfolds them.
"""
import torch
from torch import nn
from torch.nn import functional as F

from .matching import LABEL_CHANNELS, pixels, places

KEY_CHANNELS = 12
CARRIED_CHANNELS = 4 * KEY_CHANNELS  # of a token: its quarters' keys
SHARPNESS_SCALE = 20.0  # of likeness, a cosine
BLOCK, MARGIN = 8, 4  # quarters: a block of them looks at itself and so many more on each side
NEARNESS_SCALE = 100.0
LATEST, PROMPTED = 0, 1  # what is compared


class Local(nn.Module):
    def __init__(self, channels, image_size):
        super().__init__()
        self.middle = nn.Conv2d(channels // 4, KEY_CHANNELS, 1)
        self.coarse = nn.Conv2d(channels, KEY_CHANNELS, 1, bias=False)
        self.sharpness = nn.Parameter(torch.tensor(1.0))
        self.nearness, self.bias = nn.Parameter(torch.ones(2)), nn.Parameter(torch.zeros(2))
        side = image_size // 8
        self.grid = side // 2
        keep = lambda name, x: self.register_buffer(name, x, persistent=False)
        at = torch.arange(side)
        quarter = (at[:, None] // 2 * self.grid + at // 2) * 4 + at[:, None] % 2 * 2 + at % 2  # [side,side]: where each stands
        blocks = torch.arange(0, side, BLOCK)[:, None]
        of = lambda along: quarter[along[:, None, :, None], along[None, :, None, :]].flatten(2).flatten(0, 1)
        keep("own", of((blocks + torch.arange(BLOCK)).clamp(max=side - 1)))  # [blocks,64]
        keep("window", of((blocks + torch.arange(-MARGIN, BLOCK + MARGIN)).clamp(0, side - 1)))  # [blocks,256]
        back = torch.empty(side * side, dtype=torch.long)
        back[self.own.flatten()] = torch.arange(self.own.numel())
        keep("back", back)
        place = torch.empty(side * side, 2)
        place[quarter.flatten()] = places(side)
        far = place.square().sum(1, keepdim=True)
        # Behind keys: their products are bias less nearness times the squared distance.
        none = torch.zeros(side * side, KEY_CHANNELS)
        keep("asking", torch.cat([none, place, torch.ones_like(far), far], 1))
        keep("answering", torch.cat([none, 2 * place, -far, -torch.ones_like(far)], 1))
        keep("biased", torch.cat([none[0], torch.tensor([0.0, 0.0, 1.0, 0.0])]))
        keep("ones", torch.ones(1, KEY_CHANNELS, 1, 1))

    @torch.no_grad()
    def begin(self, coarse, middle):
        """Keys become what features of some pictures vary by most."""
        fine = middle.permute(0, 2, 3, 1).flatten(0, 2)
        wide = F.interpolate(coarse, scale_factor=2.0).permute(0, 2, 3, 1).flatten(0, 2)
        sizes = fine.std(0).mean(), 2 * wide.std(0).mean()
        best = torch.linalg.eigh(torch.cov(torch.cat([fine / sizes[0], wide / sizes[1]], 1).t()))[1].t().flip(0)[:KEY_CHANNELS]
        own, their = best[:, : fine.shape[1]] / sizes[0], best[:, fine.shape[1] :] / sizes[1]
        self.middle.weight.copy_(own[..., None, None])
        self.coarse.weight.copy_(their[..., None, None])
        self.middle.bias.copy_(-(own @ fine.mean(0)) - their @ wide.mean(0))

    def keys(self, coarse, middle):
        """[N,D,g,g] and [N,D/4,2g,2g] to keys of length 1, as features carry them: [N,C,g,g]."""
        x = self.middle(middle) + F.interpolate(self.coarse(coarse), scale_factor=2.0, mode="nearest")
        x = x * torch.rsqrt(F.conv2d(x * x, self.ones) + 1e-6)
        g = self.grid
        return x.reshape(-1, KEY_CHANNELS, g, 2, g, 2).permute(0, 3, 5, 1, 2, 4).reshape(-1, CARRIED_CHANNELS, g, g)

    def hint(self, questions, answers, labels, kinds):
        """questions [K,n,C] and answers [K,M,n,C], keys as rows carry them, of frames that are the LATEST or PROMPTED by `kinds` [M]; their
        labels [K,M,4*n,L], or [B,M,4*n,L] of several objects in one frame. Gives [K or B,4*n,L]."""
        frames, quarters = questions.shape[0], len(self.back)
        q = F.pad(questions.reshape(frames, quarters, KEY_CHANNELS) * SHARPNESS_SCALE * self.sharpness, (0, 4)) + self.asking
        of_kind = lambda table: table[kinds][:, None, None]
        place = NEARNESS_SCALE * of_kind(self.nearness) * self.answering + of_kind(self.bias) * self.biased
        k = F.pad(answers.reshape(frames, -1, quarters, KEY_CHANNELS), (0, 4)) + place
        around = lambda x: x[:, :, self.window].transpose(1, 2).reshape(x.shape[0], len(self.window), -1, x.shape[-1])
        share = torch.softmax(q[:, self.own] @ around(k).transpose(-1, -2), -1)
        return (share @ around(labels)).reshape(labels.shape[0], quarters, labels.shape[-1])[:, self.back]


def filled(handed):
    """What prompted frames and nearby quarters gave, logits [B,n,32], as wide as what features carry."""
    return F.pad(handed, (0, CARRIED_CHANNELS - 2 * LABEL_CHANNELS))


def handed(carried):
    """`filled` taken apart, as masks [B,1,4g,4g]."""
    return [pixels(x)[:, None] for x in carried[..., : 2 * LABEL_CHANNELS].split(LABEL_CHANNELS, -1)]
