"""Labels handed on by likeness: the second way in which memory reaches a frame.

A memory carries, behind SAM 2's 64 channels, each square's key (what its picture looks like) and how much of each of its
4x4 mask pixels is covered. A new frame's squares look for keys like their own, nearby in recent frames, and take over the
coverage they find: the hint. It travels to the decoder inside the image features, in a subspace of 16 dimensions that they
leave free, and is added to the masks' logits; so the graph contract stays as it is. (After the readout of space-time memory
networks, Oh et al. 2019, and label propagation as the self-supervised literature evaluates features by.)

Everything here is on tokens, [..,n,C] with n = grid * grid, row by row.
"""
import math

import torch
from torch import nn
from torch.nn import functional as F
from sam2.modeling.memory_attention import MemoryAttention
from sam2.modeling.position_encoding import PositionEmbeddingSine
from sam2.modeling.backbones.image_encoder import FpnNeck
from sam2.modeling.sam.mask_decoder import MaskDecoder
from sam2.modeling.sam.transformer import RoPEAttention

from .grid import fold, image, tokens, unfold

SAM_CHANNELS, KEY_CHANNELS, LABEL_CHANNELS = 64, 48, 16
MEMORY_CHANNELS = SAM_CHANNELS + KEY_CHANNELS + LABEL_CHANNELS
POOL = 2  # squares each way that SAM 2's own memory attention takes together: what is fine, the hint brings
LEAST = 0.01  # coverage is kept this far from 0 and 1, where a logit would have no end
HINT_SCALE = 0.15  # of logits, among image features whose deviation is about 1
SHARPNESS_SCALE = 50.0  # of likeness, a cosine
NEARNESS_SCALE = 100.0  # of a time table's last channel, which is then of the size of the others


def squares(masks):
    """[B,4g,4g] to [B,g*g,16]: the mask pixels of each square, in the order in which the decoder unfolds them."""
    folded = fold(masks)
    return folded.reshape(*folded.shape[:-1], -1, LABEL_CHANNELS)


def pixels(rows):
    """The reverse of squares."""
    return unfold(rows.flatten(-2))


def pooled(rows):
    """[..,g*g,C] to [..,g*g/4,C]: the mean over cells of POOL x POOL squares."""
    lead, g, c = rows.shape[:-2], math.isqrt(rows.shape[-2]) // POOL, int(rows.shape[-1])
    return rows.reshape(*lead, g, POOL, g, POOL, c).mean((-4, -2)).reshape(*lead, g * g, c)


def cells(grid, size):
    """x and y [n,1] of the middles of cells of `size` x `size` squares, in squares."""
    at = torch.arange((grid // size) ** 2)
    return [(v * size + (size - 1) / 2)[:, None] for v in (at % (grid // size), at // (grid // size))]


def places(grid):
    """[g*g,2]: the middle of each square in shares of the side, y first, 0 in the middle of the picture."""
    at = torch.arange(grid * grid)
    return torch.stack([at // grid, at % grid], 1) / grid - 0.5


def logits(coverage):
    return torch.logit(coverage.clamp(LEAST, 1 - LEAST))


class Matching(nn.Module):
    """What likeness needs: keys, how sharply they are told apart, and the way of the hint into features and out of them."""

    def __init__(self, channels):
        super().__init__()
        self.key = nn.Linear(channels, KEY_CHANNELS)
        self.sharpness = nn.Parameter(torch.tensor(1.0))  # in SHARPNESS_SCALE, as a weight's size suits the optimiser
        self.own_share, self.hint_share = (nn.Parameter(torch.tensor(0.5)) for _ in range(2))  # of logits: the decoder's, the hint's
        self.register_buffer("free", torch.eye(channels)[:LABEL_CHANNELS])

    @staticmethod
    def nearness(times):
        """times [M,128]: rows of the time table; gives [M]."""
        return NEARNESS_SCALE * times[:, -1]

    def keys(self, rows):
        return F.normalize(self.key(rows), dim=-1)

    def cleared(self, rows):
        """Features without what lies in the hint's subspace."""
        return rows - (rows @ self.free.t()) @ self.free

    def carried(self, rows, hint):
        """Features that carry the hint's logits [..,n,16]."""
        return self.cleared(rows) + HINT_SCALE * hint @ self.free

    def taken(self, rows):
        """Features without the hint they carry, and the hint."""
        hint = rows @ self.free.t() / HINT_SCALE
        return self.cleared(rows), hint

    def prompt(self, hint):
        """The hint [B,n,16] as a mask prompt [B,1,4g,4g] where none is given, and how much it counts [B,1,1,1]: not at all
        where nothing is remembered."""
        return self.hint_share * pixels(hint)[:, None], hint.abs().mean((1, 2)).clamp(max=1)[:, None, None, None]

    def questions(self, rows, at):
        """What keys are compared with: rows [..,n,D], at [n,2], gives [..,n,KEY_CHANNELS+4]."""
        q = self.keys(rows) * SHARPNESS_SCALE * self.sharpness
        own = torch.cat([at, torch.ones_like(at[:, :1]), at.square().sum(1, keepdim=True)], 1)
        return torch.cat([q, own.to(q.dtype).expand(*q.shape[:-1], 4)], -1)

    @staticmethod
    def answers(keys, nearness, at):
        """keys [..,n,KEY_CHANNELS], nearness [..,1 or n,1], gives [..,n,KEY_CHANNELS+4]: with `questions`, likeness less nearness times
        the squared distance between the two squares."""
        own = torch.cat([2 * at, -at.square().sum(1, keepdim=True), -torch.ones_like(at[:, :1])], 1).to(keys.dtype)
        return torch.cat([keys, (nearness * own).expand(*keys.shape[:-1], -1)], -1)


# SAM 2's modules with a place for it. They hold the matching without owning it.


def hold(module, **held):
    for name, part in held.items():
        object.__setattr__(module, name, part)


class Neck(FpnNeck):
    def forward(self, xs):
        out, pos = super().forward(xs)
        out[2] = image(self.matching.cleared(tokens(out[2])))
        return out, pos


class Place(nn.Module):
    """SAM 2's places for its own channels, and none for the others."""

    def __init__(self):
        super().__init__()
        self.own = PositionEmbeddingSine(num_pos_feats=SAM_CHANNELS, normalize=True, scale=None, temperature=10000)

    def forward(self, x):
        return F.pad(self.own(x[:, :SAM_CHANNELS]), (0, 0, 0, 0, 0, MEMORY_CHANNELS - SAM_CHANNELS))


class Memory(nn.Module):
    """What is remembered of a mask, from its logits as they are: SAM 2 enlarges them to the picture's size and refines what it
    makes of them, which takes ten times as long; here labels bring what is fine."""

    def __init__(self, channels):
        super().__init__()
        self.position_encoding = Place()
        self.picture = nn.Linear(channels, SAM_CHANNELS)
        self.mask = nn.Sequential(nn.Conv2d(1, 32, 3, stride=2, padding=1), nn.GELU(), nn.Conv2d(32, SAM_CHANNELS, 3, stride=2, padding=1))
        self.absent = nn.Parameter(torch.zeros(SAM_CHANNELS))

    @staticmethod
    def seen(shown, binary):
        """What of a mask's logits is remembered, 0 to 1; `binary`: 1 on a prompted frame, where edges are hard, else 0."""
        there = shown.sigmoid()
        return binary * (shown > 0).to(there.dtype) + (1 - binary) * there

    def forward(self, rows, shown, score, binary, match):
        """Memories [B,n,128] of B targets in K frames, as many in each: rows [K,n,D]; shown [B,1,4g,4g] logits; score [B,1];
        binary as in `seen`; match: the model's matching."""
        by_frame = lambda x: x.unflatten(0, (len(rows), -1))
        own = by_frame(tokens(self.mask(self.seen(shown, binary)))) + self.picture(rows)[:, None]
        own = own + by_frame((score <= 0).to(own.dtype))[..., None] * self.absent
        keys = match.keys(rows)[:, None].expand(-1, own.shape[1], -1, -1)
        labels = by_frame(squares(shown.sigmoid()[:, 0]))
        return torch.cat([own, keys.to(own.dtype), labels.to(own.dtype)], -1).flatten(0, 1)


class PooledKeys(RoPEAttention):
    """SAM 2's cross-attention, with keys turned by the middles of their cells."""

    def forward(self, q, k, v, num_k_exclude_rope=0):
        grid, c, spatial = math.isqrt(q.shape[1]), self.internal_dim, k.shape[1] - num_k_exclude_rope
        rate = 10000.0 ** -(torch.arange(c // 4) * 4 / c)

        def turned(x, size):
            angle = torch.cat([at * rate for at in cells(grid, size)], 1).to(x)
            turn = torch.polar(torch.ones_like(angle), angle).repeat(x.shape[1] // len(angle), 1)
            return torch.view_as_real(torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous()) * turn).flatten(-2)

        q, k, v = turned(self.q_proj(q), 1), self.k_proj(k), self.v_proj(v)
        k = torch.cat([turned(k[:, :spatial], POOL), k[:, spatial:]], 1)
        return self.out_proj(F.scaled_dot_product_attention(q[:, None], k[:, None], v[:, None])[:, 0])


class Attention(MemoryAttention):
    def forward(self, curr, memory, curr_pos=None, memory_pos=None, num_obj_ptr_tokens=0):
        spatial = len(memory) - num_obj_ptr_tokens
        squares = math.isqrt(len(curr[0] if isinstance(curr, list) else curr)) ** 2
        pool = lambda x: pooled(x.transpose(0, 1).unflatten(1, (-1, squares))).flatten(1, 2).transpose(0, 1)
        # Pointers come whole; attention takes them in two.
        halves = lambda x: x.unflatten(2, (-1, SAM_CHANNELS)).transpose(1, 2).flatten(0, 1)
        narrow = lambda x: torch.cat([pool(x[:spatial, :, :SAM_CHANNELS]), halves(x[spatial:])])
        parts = MEMORY_CHANNELS // SAM_CHANNELS
        x = super().forward(curr, narrow(memory), curr_pos, narrow(memory_pos), parts * num_obj_ptr_tokens)
        m, rows, past = self.matching, (curr[0] if isinstance(curr, list) else curr).transpose(0, 1), memory[:spatial].transpose(0, 1)
        at = places(math.isqrt(rows.shape[1])).to(rows)
        nearness = NEARNESS_SCALE * memory_pos[:spatial, :, -1:].transpose(0, 1)
        answers = m.answers(past[..., SAM_CHANNELS:-LABEL_CHANNELS], nearness, at.repeat(spatial // len(at), 1))
        found = torch.softmax(m.questions(rows, at) @ answers.transpose(1, 2), -1) @ past[..., -LABEL_CHANNELS:]
        return m.carried(x.transpose(0, 1), logits(found)).transpose(0, 1)


class Decoder(MaskDecoder):
    """Where no mask is given, the dense prompt is SAM 2's constant, and the hint takes its place; `prompts` is SAM 2's encoder."""

    def predict_masks(self, image_embeddings, image_pe, sparse_prompt_embeddings, dense_prompt_embeddings, repeat_image, high_res_features=None):
        m, prompts = self.matching, self.prompts
        rows, hint = m.taken(tokens(image_embeddings))
        none = prompts.no_mask_embed.weight.reshape(1, -1, 1, 1).expand_as(dense_prompt_embeddings)
        mask, share = m.prompt(hint)
        dense = torch.lerp(none, prompts.mask_downscaling(mask), share) if torch.equal(dense_prompt_embeddings, none) else dense_prompt_embeddings
        masks, *rest = super().predict_masks(image(rows), image_pe, sparse_prompt_embeddings, dense, repeat_image, high_res_features)
        return (m.own_share * masks + mask, *rest)
