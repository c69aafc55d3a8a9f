"""Decoder, memory encoder and memory attention as modules over a SAM 2 model's weights; image_encoder.py has the first.

Inputs and outputs are the graph contract's. Rewrites are exact: rotary encoding in real numbers, values attended
in their memory channels and projected afterwards (a softmax row sums to 1), position tables as constants. `attend` is
one of attention.py's.
"""

import copy
import math
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path.append(str(Path(__file__).resolve().parents[1]))

from train import local, matching  # noqa: E402
from train.grid import channel_norm, through, tokens  # noqa: E402


def matching_of(model):
    """rotomask-nano's matching; None for SAM 2's own models."""
    return getattr(model, "matching", None)


def local_of(model):
    """rotomask-nano's keys of quarters; None for SAM 2's own models."""
    return model.refine.local if matching_of(model) else None


class ShortNorm(nn.Module):
    """SAM 2's LayerNorm2d over so few channels that a LayerNormalization takes longer than what it is made of. The
    convolution before it gives no mean."""

    MOST = 16

    def __init__(self, norm):
        super().__init__()
        self.eps = norm.eps
        self.weight, self.bias = (nn.Parameter(x.detach()[:, None, None].clone()) for x in (norm.weight, norm.bias))
        # A mean of ReduceMean's would have other last bits in a batch than alone.
        self.register_buffer("share", torch.full((1, len(norm.weight), 1, 1), 1 / len(norm.weight)))

    def forward(self, x):
        return x * torch.rsqrt(F.conv2d(x * x, self.share) + self.eps) * self.weight + self.bias


def short_norms(module):
    """A copy of the module that has them."""
    module = copy.deepcopy(module)
    for layers in [m for m in module.modules() if isinstance(m, nn.Sequential)]:
        for at, (conv, norm) in enumerate(zip(layers, layers[1:])):
            if type(norm).__name__ == "LayerNorm2d" and len(norm.weight) <= ShortNorm.MOST:
                for x in (conv.weight, conv.bias):
                    x.data -= x.data.mean(0, keepdim=True)
                layers[at + 1] = ShortNorm(norm)
    return module


class MaskDecoder(nn.Module):
    def __init__(self, model, attend):
        super().__init__()
        self.attend, self.matching = attend, matching_of(model)
        self.clicks, self.refine = getattr(model, "clicks", None), getattr(model, "refine", None)
        self.prompt, self.decoder, self.pointer = short_norms(model.sam_prompt_encoder), model.sam_mask_decoder, model.obj_ptr_proj
        self.side, self.channels, self.grid = model.image_size, model.hidden_dim, model.image_size // 16
        keep = lambda name, x: self.register_buffer(name, x.detach().clone())
        keep("positions", tokens(self.prompt.get_dense_pe()))
        # Row 0 is the padding's, then negative, positive and the box's two corners.
        keep("label_rows", torch.cat([self.prompt.not_a_point_embed.weight] + [e.weight for e in self.prompt.point_embeddings]))
        keep("frequencies", 2 * math.pi * self.prompt.pe_layer.positional_encoding_gaussian_matrix)
        keep("no_pointer", model.no_obj_ptr)
        keep("no_mask", self.prompt.no_mask_embed.weight.reshape(1, -1, 1, 1))
        d = self.decoder
        keep("queries", torch.cat([d.obj_score_token.weight, d.iou_token.weight, d.mask_tokens.weight])[None])

    def prompts(self, coords, labels):
        """Points as tokens, with SAM 2's closing padding point."""
        labels = torch.cat([labels, labels[:, :1] * 0 - 1], 1)
        coords = torch.cat([coords + 0.5, coords[:, :1] * 0], 1)
        angle = (coords * (2 / self.side) - 1) @ self.frequencies
        where = torch.cat([angle.sin(), angle.cos()], -1)
        real = (labels >= 0).to(where.dtype)[..., None]
        return where * real + self.label_rows[labels + 1]

    def cross(self, layer, q, k, v):
        return layer.out_proj(self.attend(layer.q_proj(q), layer.k_proj(k), layer.v_proj(v), layer.num_heads))

    def transform(self, image, points):
        t, q, k = self.decoder.transformer, points, image
        for layer in t.layers:
            if layer.skip_first_layer_pe:
                q = self.cross(layer.self_attn, q, q, q)
            else:
                q = q + self.cross(layer.self_attn, q + points, q + points, q)
            q = layer.norm1(q)
            placed = k + self.positions
            q = layer.norm2(q + self.cross(layer.cross_attn_token_to_image, q + points, placed, k))
            q = layer.norm3(q + layer.mlp(q))
            k = layer.norm4(k + self.cross(layer.cross_attn_image_to_token, placed, q + points, q))
        q = q + self.cross(t.final_attn_token_to_image, q + points, k + self.positions, k)
        return t.norm_final_attn(q), k

    def forward(self, pix_feat, feat_s0, feat_s1, point_coords, point_labels, mask_input, has_mask):
        d, g, m, share = self.decoder, self.grid, self.matching, has_mask
        image = tokens(pix_feat)
        if m:
            image, carried = image[..., : self.channels], image[..., self.channels :]
            # Where no mask is given or one is clicked at, the hint of what is remembered is the mask prompt.
            image, hint = m.taken(image)
            own, before = image.permute(0, 2, 1).reshape(-1, self.channels, g, g), mask_input
            handed, remembered = m.prompt(hint)
            alone = has_mask * (point_labels < 0).all(1).to(has_mask.dtype)[:, None, None, None]
            mask_input = mask_input * alone + handed * (1 - alone)
            share = alone + (1 - alone) * remembered
        given = through(self.prompt.mask_downscaling, mask_input)
        dense = given * share + self.no_mask * (1 - share)
        sparse = self.prompts(point_coords, point_labels)
        points = torch.cat([self.queries.expand(pix_feat.shape[0], -1, -1), sparse], 1)
        q, image = self.transform(image + tokens(dense), points)

        up1, norm, act1, up2, act2 = d.output_upscaling
        x = image.permute(0, 2, 1).reshape(-1, self.channels, g, g)
        x = act1(channel_norm(norm, up1(x) + feat_s1))
        x = act2(up2(x) + feat_s0)
        weights = torch.stack([mlp(q[:, 2 + i]) for i, mlp in enumerate(d.output_hypernetworks_mlps)], 1)
        masks = (weights @ x.flatten(2)).reshape(-1, d.num_mask_tokens, 4 * g, 4 * g)
        ious = d.iou_prediction_head(q[:, 1])
        if m:
            masks = masks + handed
        if self.clicks:
            seen = own, feat_s1, feat_s0
            masks = self.refine.followed(seen, point_labels, masks, ious, (handed, *local.handed(carried)), has_mask)
            masks, ious = self.clicks.answered(seen, point_coords, point_labels, masks, ious, before, has_mask)
        score = d.pred_obj_score_head(q[:, 0])
        here = (score > 0).to(q.dtype)[..., None]
        pointers = here * self.pointer(q[:, 2 : 2 + d.num_mask_tokens]) + (1 - here) * self.no_pointer
        return masks, ious, pointers, score


class MemoryEncoder(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.encoder, self.side = short_norms(model.memory_encoder), model.image_size
        self.scale, self.bias = model.sigmoid_scale_for_mem_enc, model.sigmoid_bias_for_mem_enc
        # SAM 2.0 has none.
        absent = torch.zeros(len(self.encoder.out_proj.weight)) if model.no_obj_embed_spatial is None else model.no_obj_embed_spatial
        self.register_buffer("absent", absent.detach().reshape(1, 1, -1).clone())

    def forward(self, feat_s2, low_res_mask, object_score, binarize):
        logits = F.interpolate(low_res_mask, size=(self.side, self.side), mode="bilinear", align_corners=False)
        mask = binarize * (logits > 0).to(logits.dtype) + (1 - binarize) * torch.sigmoid(logits)
        x = self.encoder.pix_feat_proj(feat_s2) + through(self.encoder.mask_downsampler.encoder, mask * self.scale + self.bias)
        for block in self.encoder.fuser.layers:
            y = block.dwconv(x).permute(0, 2, 3, 1)
            y = F.layer_norm(y, tuple(block.norm.weight.shape), block.norm.weight, block.norm.bias, block.norm.eps)
            y = block.pwconv2(block.act(block.pwconv1(y))) * block.gamma
            x = x + y.permute(0, 3, 1, 2)
        x = self.encoder.out_proj(x)
        memory = x.reshape(x.shape[0], x.shape[1], (self.side // 16) ** 2).transpose(1, 2)  # also where nothing came
        return memory + (1 - (object_score > 0).to(x.dtype))[..., None] * self.absent


class MatchedMemoryEncoder(MemoryEncoder):
    """With keys and labels behind, of one frame and any number of objects: `recorded` would fix their number in tracing."""

    def __init__(self, model):
        super().__init__(model)
        self.matching, self.channels = model.matching, model.hidden_dim

    def forward(self, feat_s2, low_res_mask, object_score, binarize):
        feat_s2, carried = feat_s2[:, : self.channels], feat_s2[:, self.channels :]
        objects = low_res_mask.shape[0]
        # SAM 2's layers see prompted frames alone: for others nothing is computed.
        asked = (binarize.expand(objects) > 0.5).nonzero()[:, 0]
        own = torch.zeros(objects, carried.shape[2] * carried.shape[3], matching.SAM_CHANNELS)
        own = own.index_put((asked,), super().forward(feat_s2, low_res_mask[asked], object_score[asked], binarize))
        keys, carried = (x.expand(objects, -1, -1) for x in (self.matching.keys(tokens(feat_s2)), tokens(carried)))
        return torch.cat([own, keys, matching.squares(low_res_mask.sigmoid()[:, 0]), carried], 2)


def memory_encoder(model):
    return MatchedMemoryEncoder(model) if matching_of(model) else MemoryEncoder(model)


class Rotary(nn.Module):
    """A projection whose channel pairs are turned by their place in the grid.

    SAM 2 turns neighbouring channels as complex numbers; here all first halves of pairs come before all second ones.
    Queries and keys are reordered alike, which leaves their products as they were.
    """

    def __init__(self, projection, grid):
        super().__init__()
        c = projection.out_features
        order = torch.cat([torch.arange(0, c, 2), torch.arange(1, c, 2)])
        self.linear = nn.Linear(projection.in_features, c)
        self.linear.weight.data = projection.weight.detach()[order].clone()
        self.linear.bias.data = projection.bias.detach()[order].clone()
        rate = 10000.0 ** -(torch.arange(c // 4) * 4 / c)
        at = torch.arange(grid * grid)
        angle = torch.cat([(at % grid)[:, None] * rate, (at // grid)[:, None] * rate], 1)
        self.register_buffer("cos", torch.cat([angle.cos()] * 2, 1))
        self.register_buffer("sin", torch.cat([-angle.sin(), angle.sin()], 1))

    def forward(self, x):
        y = self.linear(x)
        first, second = y.chunk(2, -1)
        return y * self.cos + torch.cat([second, first], -1) * self.sin


class MemoryLayer(nn.Module):
    def __init__(self, layer, grid, attend):
        super().__init__()
        self.attend = attend
        own, cross = layer.self_attn, layer.cross_attn_image
        self.layer = layer
        self.own_q, self.own_k = Rotary(own.q_proj, grid), Rotary(own.k_proj, grid)
        self.cross_q, self.cross_k = Rotary(cross.q_proj, grid), Rotary(cross.k_proj, grid)
        self.values = nn.Linear(cross.v_proj.in_features, cross.out_proj.out_features)
        outer, inner = cross.out_proj.weight.detach().double(), cross.v_proj
        self.values.weight.data = (outer @ inner.weight.detach().double()).float()
        self.values.bias.data = (outer @ inner.bias.detach().double() + cross.out_proj.bias.detach()).float()

    def attend_self(self, x):
        y, own = self.layer.norm1(x), self.layer.self_attn
        return x + own.out_proj(self.attend(self.own_q(y), self.own_k(y), own.v_proj(y)))

    def attend_memory(self, x, frame_keys, pointer_keys, values):
        q = self.cross_q(self.layer.norm2(x))
        turned = self.cross_k(frame_keys).flatten(1, 2)
        k = torch.cat([turned, self.cross_k.linear(pointer_keys)], 1)
        x = x + self.values(self.attend(q.expand(values.shape[0], -1, -1), k, values))
        y = self.layer.linear2(F.relu(self.layer.linear1(self.layer.norm3(x))))
        return x + y


class MemoryAttention(nn.Module):
    def __init__(self, model, attend):
        super().__init__()
        d, grid, narrow = model.hidden_dim, model.image_size // 16, model.mem_dim
        self.match = None
        if matching_of(model):
            self.match, self.nearby, narrow = Match(model, grid), Nearby(model), matching.SAM_CHANNELS
        self.grid, self.channels, self.narrow = grid, d, narrow
        self.layers = nn.ModuleList(MemoryLayer(l, grid, attend) for l in model.memory_attention.layers)
        self.norm, self.pointer_time = model.memory_attention.norm, model.obj_ptr_tpos_proj
        # SAM 2.0 tells pointers no time.
        self.timed = float(model.add_tpos_enc_to_obj_ptrs)
        time = d if model.proj_tpos_enc_in_obj_ptrs else narrow
        keep = lambda name, x: self.register_buffer(name, x.detach().clone())
        keep("place", 0.1 * tokens(model.image_encoder.neck.position_encoding(torch.zeros(1, d, grid, grid))))
        keep("memory_place", tokens(model.memory_encoder.position_encoding(torch.zeros(1, model.mem_dim, grid, grid)))[..., :narrow])
        keep("memory_time", model.maskmem_tpos_enc.reshape(-1, model.mem_dim)[:, :narrow])
        keep("periods", 10000.0 ** (2 * torch.div(torch.arange(time // 2), 2, rounding_mode="floor") / (time // 2)))

    def forward(self, feat_s2, memory, mem_tpos, ptrs, ptr_tpos):
        objects, rows = memory.shape[0], tokens(feat_s2)
        if self.match:
            rows, keys = rows[..., : self.channels], rows[..., self.channels :]
            hint, old = self.match(rows, memory, mem_tpos)
            carried = torch.cat([old, self.nearby(keys, memory, mem_tpos)], 2)
            asked = (mem_tpos == self.match.prompted).nonzero()[:, 0]
            memory, mem_tpos = memory[:, asked, :, : self.narrow], mem_tpos[asked]
        frame_keys = memory + self.memory_place + self.memory_time[mem_tpos][:, None, :]
        angle = ptr_tpos[:, None] / self.periods
        time = self.timed * self.pointer_time(torch.cat([angle.sin(), angle.cos()], -1))
        pointers = ptrs.reshape(objects, -1, self.channels // self.narrow, self.narrow)
        flat = lambda x: x.reshape(objects, -1, self.narrow)
        # One time for all of a pointer's tokens, or one for each.
        pointer_keys = flat(pointers + time.reshape(-1, time.shape[1] // self.narrow, self.narrow))
        values = torch.cat([flat(memory), flat(pointers)], 1)
        x = rows + self.place
        for layer in self.layers:
            # Until memories come in, one frame's features serve every object.
            x = layer.attend_memory(layer.attend_self(x), frame_keys, pointer_keys, values)
        x = self.norm(x)
        if self.match:
            x = torch.cat([self.match.matching.carried(x, hint), local.filled(carried)], 2)
        return x.permute(0, 2, 1).reshape(-1, x.shape[2], self.grid, self.grid)


class Match(nn.Module):
    """The hint's logits [B,n,16], from likeness to what is remembered (models/train/matching.py), and those of prompted frames."""

    def __init__(self, model, grid):
        super().__init__()
        self.matching, self.prompted = model.matching, len(model.maskmem_tpos_enc) - 1
        self.register_buffer("at", matching.places(grid))
        self.register_buffer("nearness", model.matching.nearness(model.maskmem_tpos_enc.reshape(-1, model.mem_dim)).detach().clone())

    def forward(self, rows, memory, mem_tpos):
        m, labels = self.matching, memory[..., matching.LABELS]
        # A run's objects are remembered of the same frames: one's keys are everyone's.
        answers = m.answers(memory[:1, ..., matching.OF_FRAME[0]], self.nearness[mem_tpos].reshape(-1, 1, 1), self.at)
        prompted = (mem_tpos == self.prompted).to(labels.dtype)[:, None, None] + labels[..., :1] * 0
        flat = lambda x: x.reshape(x.shape[0], -1, x.shape[-1])
        found, old, share = matching.recalled(m.questions(rows, self.at), flat(answers), flat(labels), flat(prompted))
        return matching.logits(found), matching.remembered_of_old(old, share)


class Nearby(nn.Module):
    """The logits of quarters [B,n,16], from likeness to what is near in what is remembered (models/train/local.py)."""

    def __init__(self, model):
        super().__init__()
        self.local = model.refine.local
        self.prompted = len(model.maskmem_tpos_enc) - 1

    def forward(self, keys, memory, mem_tpos):
        near = ((mem_tpos == 0) | (mem_tpos == self.prompted)).nonzero()[:, 0]
        memory, kinds = memory[:, near], (mem_tpos[near] == self.prompted).long()
        objects, n = memory.shape[0], memory.shape[2]
        quarters = memory[..., matching.LABELS].reshape(objects, -1, 4 * n, matching.LABEL_CHANNELS // 4)
        found = self.local.hint(keys, memory[:1, ..., matching.OF_FRAME[1]], quarters, kinds)
        return matching.logits(found.reshape(objects, n, matching.LABEL_CHANNELS))
