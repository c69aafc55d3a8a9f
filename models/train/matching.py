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

from .grid import fold, image, tokens, unfold

SAM_CHANNELS, KEY_CHANNELS, LABEL_CHANNELS = 64, 48, 16
MEMORY_CHANNELS = SAM_CHANNELS + KEY_CHANNELS + LABEL_CHANNELS
LABELS = slice(MEMORY_CHANNELS - LABEL_CHANNELS, MEMORY_CHANNELS)  # of a memory's channels
OF_FRAME = (slice(SAM_CHANNELS, LABELS.start), slice(MEMORY_CHANNELS, None))  # keys, which all objects of a frame share; local.py's behind
ROOM = 2.1  # how far a hint's logit stays from having no end: see `logits`
PROMPT_SHARE = 0.6  # of the hint as a mask prompt; the rest is SAM 2's constant for none
HINT_SCALE = 0.15  # of logits, among image features whose deviation is about 1
SHARPNESS_SCALE = 50.0  # of likeness, a cosine
LEAST_LIKENESS = -20.0  # far below any that counts: without it, shares are denormal numbers, which are ten times slower
LEAST_SHARE, FEW = 1e-6, 0.01  # of likeness: what is below FEW is hardly known
NEARNESS_SCALE = 100.0  # of a time table's last channel, which is then of the size of the others


def squares(masks):
    """[B,4g,4g] to [B,g*g,16]: the mask pixels of each square, in the order in which the decoder unfolds them."""
    folded = fold(masks)
    return folded.reshape(*folded.shape[:-1], -1, LABEL_CHANNELS)


def pixels(rows):
    """The reverse of squares."""
    return unfold(rows.flatten(-2))


def places(grid):
    """[g*g,2]: the middle of each square in shares of the side, y first, 0 in the middle of the picture."""
    at = torch.arange(grid * grid)
    return torch.stack([at // grid, at % grid], 1) / grid - 0.5


def logits(coverage):
    """Near ln(p / (1 - p)) where that is moderate, and at most 3.8. A logarithm's last bits would depend on how many threads
    share the numbers; these operations are rounded one by one."""
    signed = 2 * coverage - 1
    return 2 * ROOM * signed / (ROOM - signed * signed)


def recalled(questions, answers, labels, prompted):
    """What labels [..,m,L] of squares that have `answers` [..,m,C] give to squares that ask `questions` [..,n,C]: [..,n,L]. Then what
    those of prompted frames give, where `prompted` [..,m,1] is 1, and which share of all likeness is theirs [..,n,1]."""
    likeness = (questions.float() @ answers.float().transpose(-1, -2)).clamp(min=LEAST_LIKENESS)
    width, prompted = labels.shape[-1], prompted.to(labels.dtype)
    found = torch.softmax(likeness, -1).to(labels.dtype) @ torch.cat([labels, labels * prompted, prompted], -1)
    every, theirs, share = found[..., :width], found[..., width:-1], found[..., -1:]
    return every, theirs / (share + LEAST_SHARE), share


def remembered_of_old(coverage, share):
    """The logits of what prompted frames gave, nearer to 0 the less like them the square is."""
    return logits(coverage) * (share / (share + FEW))


class Matching(nn.Module):
    """What likeness needs: keys, how sharply they are told apart, and the way of the hint into features and out of them."""

    def __init__(self, channels):
        super().__init__()
        self.key = nn.Linear(channels, KEY_CHANNELS)
        self.sharpness = nn.Parameter(torch.tensor(1.0))  # in SHARPNESS_SCALE, as a weight's size suits the optimiser
        self.hint_share = nn.Parameter(torch.tensor(0.8))  # of its logits beside the decoder's
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

    def recorded(self, rows, shown):
        """What a memory carries behind SAM 2's channels [B,n,64], of B targets in K frames, as many in each: rows [K,n,D];
        shown [B,1,4g,4g] logits."""
        keys = self.keys(rows)[:, None].expand(-1, len(shown) // len(rows), -1, -1).flatten(0, 1)
        labels = squares(shown.sigmoid()[:, 0])
        return torch.cat([keys, labels.to(keys.dtype)], -1)

    def prompt(self, hint):
        """The hint [B,n,16] as a mask prompt [B,1,4g,4g] where none is given, and how much it counts [B,1,1,1]: not at all
        where nothing is remembered."""
        return self.hint_share * pixels(hint)[:, None], PROMPT_SHARE * hint.abs().mean((1, 2)).clamp(max=1)[:, None, None, None]

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


class Place(PositionEmbeddingSine):
    """SAM 2's places for its own channels, and none for the others."""

    def forward(self, x):
        return F.pad(super().forward(x[:, :SAM_CHANNELS]), (0, 0, 0, 0, 0, MEMORY_CHANNELS - SAM_CHANNELS))


class Attention(MemoryAttention):
    """SAM 2's own layers see prompted frames; likeness sees all."""

    def forward(self, curr, memory, curr_pos=None, memory_pos=None, num_obj_ptr_tokens=0):
        spatial = len(memory) - num_obj_ptr_tokens
        m, rows, past = self.matching, (curr[0] if isinstance(curr, list) else curr).transpose(0, 1), memory[:spatial].transpose(0, 1)
        times = NEARNESS_SCALE * memory_pos[:spatial, :, -1:].transpose(0, 1)
        prompted = times == NEARNESS_SCALE * self.model.maskmem_tpos_enc[-1, ..., -1:]
        # Pointers come whole; attention takes them in two.
        halves = lambda x: x.unflatten(2, (-1, SAM_CHANNELS)).transpose(1, 2).flatten(0, 1)
        narrow = lambda x: torch.cat([x[:spatial, :, :SAM_CHANNELS][prompted[0, :, 0]], halves(x[spatial:])])
        parts = MEMORY_CHANNELS // SAM_CHANNELS
        x = super().forward(curr, narrow(memory), curr_pos, narrow(memory_pos), parts * num_obj_ptr_tokens)
        at = places(math.isqrt(rows.shape[1])).to(rows)
        answers = m.answers(past[..., SAM_CHANNELS:-LABEL_CHANNELS], times, at.repeat(spatial // len(at), 1))
        found, _, _ = recalled(m.questions(rows, at), answers, past[..., -LABEL_CHANNELS:], prompted)
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
        return (masks + mask, *rest)
