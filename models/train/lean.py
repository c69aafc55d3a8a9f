"""SAM 2's forward passes over its own modules' weights, laid out for training many targets of few frames.

What a frame's targets share (features, the first self-attention) is computed once a frame; images are rows of tokens;
masks stay in the order in which the decoder unfolds them. Equal to SAM 2's own passes, which the tests compare.

K frames with O targets each make B = K * O targets; tokens are [.., g*g, C], row by row.
"""
import functools
import math

import torch
from torch import nn
from torch.nn import functional as F

from . import local, matching
from .grid import fold, image, through, tokens, unfold


def attend(q, k, v):
    """By plain products: at these sizes several times faster both ways than the fused kernel on a CPU."""
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    return torch.softmax(scores, -1, dtype=None if scores.dtype == torch.bfloat16 else torch.float32).to(v.dtype) @ v


@functools.cache
def rotation(channels, grid, device):
    rate = 10000.0 ** -(torch.arange(channels // 4) * 4 / channels)
    at = torch.arange(grid * grid)
    angle = torch.cat([(at % grid)[:, None] * rate, (at // grid)[:, None] * rate], 1)
    return angle.cos().to(device), angle.sin().to(device)


def rotary(linear, x, grid=None):
    """Projects, with neighbouring channels apart, and turns them by their place; without `grid` only projects."""
    c = linear.out_features
    w, b = linear.weight.unflatten(0, (-1, 2)).transpose(0, 1).flatten(0, 1), linear.bias.unflatten(0, (-1, 2)).t().flatten()
    y = F.linear(x, w, b)
    if grid is None:
        return y
    cos, sin = (t.to(y.dtype) for t in rotation(c, grid, x.device))
    first, second = y.chunk(2, -1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], -1)


def enlarged(shown, side, prompted):
    """Logits [B,1,4g,4g] as SAM 2 remembers them: at the picture's size, 0 to 1, with hard edges on a prompted frame."""
    masks = F.interpolate(shown, size=(side, side), mode="bilinear", align_corners=False)
    return (masks > 0).float() if prompted else masks.sigmoid()


class Lean(nn.Module):
    """The passes, over the weights of `model` (a SAM2Base)."""

    def __init__(self, model):
        super().__init__()
        self.model = model
        self.grid = model.image_size // 16
        d, narrow = model.hidden_dim, model.mem_dim
        keep = lambda name, x: self.register_buffer(name, x, persistent=False)
        with torch.no_grad():
            keep("place", tokens(model.image_encoder.neck.position_encoding(torch.zeros(1, d, self.grid, self.grid))).clone())
            own = model.memory_encoder.position_encoding(torch.zeros(1, narrow, self.grid, self.grid))
            keep("memory_place", tokens(own)[..., : matching.SAM_CHANNELS].clone())
            keep("at", matching.places(self.grid))
            keep("periods", 10000.0 ** (2 * torch.div(torch.arange(d // 2), 2, rounding_mode="floor") / (d // 2)))

    def features(self, frames):
        """[N,3,S,S] to folded fine [N,16*g*g,D/8] and middle [N,4*g*g,D/4] features, and rows [N,g*g,D]; with a matching, rows have
        their quarters' keys behind, [N,g*g,D+C]."""
        m = self.model
        with torch.set_grad_enabled(torch.is_grad_enabled() and any(p.requires_grad for p in m.image_encoder.trunk.parameters())):
            trunk = m.image_encoder.trunk(frames)
        pyramid = m.image_encoder.neck(trunk)[0]
        fine, middle = m.sam_mask_decoder.conv_s0(pyramid[0]), m.sam_mask_decoder.conv_s1(pyramid[1])
        twice = middle.permute(0, 2, 3, 1).unflatten(2, (self.grid, 2)).unflatten(1, (self.grid, 2)).transpose(2, 3)
        coarse = torch.cat([pyramid[2], self.local.keys(pyramid[2], middle)], 1) if self.match else pyramid[2]
        return fold(fine).transpose(1, 2).contiguous(), twice.flatten(1, 4), tokens(coarse).contiguous()

    @property
    def match(self):
        """The model's matching, if it has one."""
        return getattr(self.model, "matching", None)

    @property
    def local(self):
        return self.model.refine.local

    def prompted(self, slots):
        """Which of some rows of the time table are a prompted frame's."""
        return [slot == len(self.model.maskmem_tpos_enc) - 1 for slot in slots]

    def apart(self, rows):
        """Rows [..,n,D+C] as features [..,n,D] and what they carry [..,n,C]."""
        return rows.split([self.model.hidden_dim, rows.shape[-1] - self.model.hidden_dim], -1)

    def remember(self, rows, shown, score, prompted):
        """rows [K,g*g,D+C] as features() gives them; shown [B,1,4g,4g] logits, which get no gradient; score [B,1]; gives memories
        [B,g*g,C]. With a matching, SAM 2's channels are 0 but on prompted frames."""
        own, keys = self.apart(rows)
        if not self.match:
            return self._encoded(own, shown, score, prompted)
        memory = self._encoded(own, shown, score, True) if prompted else own.new_zeros(len(shown), own.shape[1], matching.SAM_CHANNELS)
        keys = keys[:, None].expand(-1, len(shown) // len(rows), -1, -1).flatten(0, 1)
        return torch.cat([memory, self.match.recorded(own, shown).to(memory.dtype), keys], -1)

    def _encoded(self, rows, shown, score, prompted):
        """SAM 2's memory of a mask: [B,g*g,64]."""
        m, e = self.model, self.model.memory_encoder
        with torch.no_grad():
            masks = enlarged(shown, m.image_size, prompted)
        masks = masks * m.sigmoid_scale_for_mem_enc + m.sigmoid_bias_for_mem_enc
        stages = e.mask_downsampler.encoder
        x = through(stages[:3], masks.contiguous(memory_format=torch.channels_last))
        x = through(stages[3:], x)
        own = F.linear(rows, e.pix_feat_proj.weight.flatten(1), e.pix_feat_proj.bias)
        x = (tokens(x).unflatten(0, (len(rows), -1)) + own[:, None]).flatten(0, 1)
        for block in e.fuser.layers:
            with torch.set_grad_enabled(torch.is_grad_enabled() and block.dwconv.weight.requires_grad):
                y = tokens(block.dwconv(image(x)))  # where it is frozen, what lies before doesn't learn by it either
            y = F.layer_norm(y, block.norm.weight.shape, block.norm.weight, block.norm.bias, block.norm.eps)
            x = x + block.pwconv2(F.gelu(block.pwconv1(y))) * block.gamma.to(y.dtype)
        memory = F.linear(x, e.out_proj.weight.flatten(1), e.out_proj.bias)
        absent = (score <= 0).to(memory.dtype)[..., None]
        return memory + absent * m.no_obj_embed_spatial.to(memory.dtype)

    def unremembered(self, rows):
        """rows [B,g*g,D+C] of a frame that nothing is remembered for."""
        none = self.model.no_mem_embed
        rows, keys = self.apart(rows)
        return torch.cat([rows + (self.match.cleared(none) if self.match else none).to(rows.dtype), torch.zeros_like(keys)], -1)

    def condition(self, rows, memories, slots, pointers, times):
        """rows [K,g*g,D+C]; memories: M of [B,g*g,C] with rows `slots` of the time table; pointers [B,P,D], P may be 0,
        at `times` [P]; gives [B,g*g,D+C]. A frame's targets are remembered of the same frames: their memories' keys are alike."""
        m, frames = self.model, len(rows)
        whole = torch.stack(memories, 1).to(rows.dtype)  # [B,M,g*g,C]
        objects = len(whole) // frames
        (rows, keys), raw = self.apart(rows), whole[..., : matching.SAM_CHANNELS]
        if self.match:
            of_frames = whole.unflatten(0, (frames, objects))
            hint, *handed = self.handed_on(rows, of_frames, slots)
            handed = torch.cat([*handed, self.nearby(keys, of_frames, slots)], 2)
            asked = [i for i, prompted in enumerate(self.prompted(slots)) if prompted]
            raw, slots = raw[:, asked], [slots[i] for i in asked]
        slots = m.maskmem_tpos_enc[slots][..., : matching.SAM_CHANNELS].reshape(1, len(slots), 1, -1)
        placed = raw + (self.memory_place[:, None] + slots).to(raw.dtype)
        angle = times[:, None] / self.periods
        time = m.obj_ptr_tpos_proj(torch.cat([angle.sin(), angle.cos()], -1)).unflatten(1, (-1, matching.SAM_CHANNELS))
        parts = pointers.unflatten(2, (-1, matching.SAM_CHANNELS)).to(raw.dtype)
        pointer_keys = (parts + time.to(raw.dtype)).flatten(1, 2)
        values = torch.cat([raw.flatten(1, 2), parts.flatten(1, 2)], 1)
        x = rows + (0.1 * self.place).to(rows.dtype)
        for i, layer in enumerate(m.memory_attention.layers):
            own, cross = layer.self_attn, layer.cross_attn_image
            norm = lambda n, x: F.layer_norm(x, n.weight.shape, n.weight, n.bias, n.eps)
            y = norm(layer.norm1, x)
            x = x + own.out_proj(attend(rotary(own.q_proj, y, self.grid), rotary(own.k_proj, y, self.grid), own.v_proj(y)))
            q = rotary(cross.q_proj, norm(layer.norm2, x), self.grid)
            if i == 0:  # until here one frame's rows served all its targets
                x, q = (t.repeat_interleave(objects, 0) for t in (x, q))
            k = torch.cat([rotary(cross.k_proj, placed, self.grid).flatten(1, 2), rotary(cross.k_proj, pointer_keys)], 1)
            # Memories are attended in their own 64 channels and projected afterwards: a softmax row sums to 1.
            x = x + cross.out_proj(cross.v_proj(attend(q, k, values)))
            x = x + layer.linear2(F.relu(layer.linear1(norm(layer.norm3, x))))
        n = m.memory_attention.norm
        x = F.layer_norm(x, n.weight.shape, n.weight, n.bias, n.eps)
        return torch.cat([self.match.carried(x, hint), local.filled(handed)], 2) if self.match else x

    def handed_on(self, rows, memories, slots):
        """rows [K,n,D], memories [K,O,M,n,C] at rows `slots` of the time table; gives logits [K*O,n,16], and the same of prompted frames."""
        m, times = self.match, self.model.maskmem_tpos_enc[slots, 0, 0]
        labels, keys = memories[..., matching.LABELS], memories[:, 0, ..., matching.OF_FRAME[0]]
        nearness = m.nearness(times)[:, None, None].to(keys.dtype)
        answers = m.answers(keys, nearness, self.at).flatten(1, 2)
        prompted = torch.tensor(self.prompted(slots), device=rows.device).repeat_interleave(len(self.at))[None, :, None].expand(len(rows), -1, -1)
        labels = labels.permute(0, 2, 3, 1, 4).flatten(3).flatten(1, 2)  # [K,M*n,O*16]
        found, old, share = matching.recalled(m.questions(rows, self.at), answers, labels, prompted)
        every, old = matching.logits(found.float()), matching.remembered_of_old(old.float(), share.float())
        return [x.unflatten(2, (-1, matching.LABEL_CHANNELS)).transpose(1, 2).flatten(0, 1).to(rows.dtype) for x in (every, old)]

    def nearby(self, keys, memories, slots):
        """The hint of quarters: keys [K,n,C] as rows carry them, memories [K,O,M,n,C]; gives logits [K*O,n,16]."""
        prompted = self.prompted(slots)
        near = [i for i, slot in enumerate(slots) if slot == 0 or prompted[i]]
        kinds, memories = [local.PROMPTED if prompted[i] else local.LATEST for i in near], memories[:, :, near]
        labels = memories[..., matching.LABELS].unflatten(4, (4, -1)).flatten(3, 4).permute(0, 2, 3, 1, 4)  # [K,M,4*n,O,4]
        l, answers = self.local, memories[:, 0, ..., matching.OF_FRAME[1]]
        found = l.hint(keys, answers, labels.flatten(3), kinds)
        return matching.logits(found).unflatten(2, (labels.shape[3], -1)).transpose(1, 2).flatten(0, 1).reshape(-1, len(self.at), 16)

    def middle(self, folded):
        """Middle features as features() gives them, as an image."""
        g = self.grid
        return folded.unflatten(1, (g, g, 2, 2)).permute(0, 5, 1, 3, 2, 4).flatten(4, 5).flatten(2, 3)

    def decode(self, rows, fine, middle, points=None, labels=None, mask=None, answer=True):
        """rows [B,g*g,D+C], fine and middle as features() gives them for K frames; points [B,P,2] in the square's pixels
        and labels [B,P]; mask [B,1,4g,4g] logits. Gives folded logits [B,4,16*g*g], IoUs [B,4], pointers [B,4,D],
        scores [B,1]. Without `answer`, the decoder's own masks: not what clicks make of them, and not refined."""
        m, d, p, b = self.model, self.model.sam_mask_decoder, self.model.sam_prompt_encoder, len(rows)
        if points is None:
            points, labels = torch.zeros(b, 1, 2, device=rows.device), torch.full((b, 1), -1, device=rows.device)
        given = None if mask is None else tokens(through(p.mask_downscaling, mask))
        rows, carried = self.apart(rows)
        if self.match:
            rows, hint = self.match.taken(rows)
            handed, share = self.match.prompt(hint)
            dense = torch.lerp(p.no_mask_embed.weight, tokens(through(p.mask_downscaling, handed)), share[..., 0])
            clicked = (labels >= 0).any(1)[:, None, None]
            dense = dense if given is None else torch.where(clicked, dense, given)
        else:
            dense = p.no_mask_embed.weight if given is None else given
        table = torch.cat([p.not_a_point_embed.weight] + [e.weight for e in p.point_embeddings])
        every = torch.cat([labels, labels[:, :1] * 0 - 1], 1).long()
        at = torch.cat([points + 0.5, points[:, :1] * 0], 1) * (2 / m.image_size) - 1
        angle = 2 * math.pi * at @ p.pe_layer.positional_encoding_gaussian_matrix.float()
        sparse = torch.cat([angle.sin(), angle.cos()], -1) * (every >= 0)[..., None] + table[every + 1]
        queries = torch.cat([d.obj_score_token.weight, d.iou_token.weight, d.mask_tokens.weight])
        asked = torch.cat([queries.expand(b, -1, -1), sparse], 1).to(rows.dtype)
        place = tokens(p.get_dense_pe()).to(rows.dtype)
        q, k = self._two_ways(d.transformer, asked, rows + dense.to(rows.dtype), place)

        up1, norm, act, up2, _ = d.output_upscaling
        frames = len(fine)
        doubled = lambda up, x: F.linear(x, up.weight.permute(2, 3, 1, 0).flatten(0, 2), up.bias.repeat(4))
        share = lambda x, s: (x.unflatten(0, (frames, -1)) + s[:, None].to(x.dtype)).flatten(0, 1)
        x = doubled(up1, k).unflatten(2, (4, -1)).flatten(1, 2)
        x = act(F.layer_norm(share(x, middle), norm.weight.shape, norm.weight, norm.bias, norm.eps))
        x = act(share(doubled(up2, x).unflatten(2, (4, -1)).flatten(1, 2), fine))
        picked = q[:, 2 : 2 + d.num_mask_tokens]
        weights = torch.stack([mlp(picked[:, i]) for i, mlp in enumerate(d.output_hypernetworks_mlps)], 1)
        logits = weights @ x.transpose(1, 2)
        ious = d.iou_prediction_head(q[:, 1])
        if self.match:
            logits = logits + self.match.hint_share * hint.flatten(1)[:, None]
            if answer:
                logits, ious = self._answered(rows, (fine, middle), (points, labels, mask), logits, ious, (handed, *local.handed(carried)))
        return logits.float(), ious.float(), m.obj_ptr_proj(picked).float(), d.pred_obj_score_head(q[:, 0]).float()

    def seen(self, rows, fine, middle):
        """A frame as what stands beside the decoder takes it: coarse features of every target, middle and fine ones of each or of the
        one frame."""
        spread = lambda x: x if len(x) == 1 else x.repeat_interleave(len(rows) // len(x), 0)
        return image(rows), spread(self.middle(middle)), spread(unfold(fine.transpose(1, 2)))

    def _answered(self, rows, seen, given, logits, ious, hints):
        """The decoder's folded logits and IoUs, and where something was clicked those of model.clicks; refined where nothing was said."""
        points, labels, mask = given
        features = self.seen(rows, *seen)
        has = torch.full((1,), float(mask is not None), device=rows.device)
        masks = self.model.refine.followed(features, labels, unfold(logits), ious, hints, has)
        masks, ious = self.model.clicks.answered(features, points, labels, masks, ious, torch.zeros_like(masks[:, :1]) if mask is None else mask, has)
        return fold(masks), ious

    def _two_ways(self, t, points, k, place):
        q = points
        for layer in t.layers:
            if layer.skip_first_layer_pe:
                q = self._cross(layer.self_attn, q, q, q)
            else:
                q = q + self._cross(layer.self_attn, q + points, q + points, q)
            q = layer.norm1(q)
            placed = k + place
            q = layer.norm2(q + self._cross(layer.cross_attn_token_to_image, q + points, placed, k))
            q = layer.norm3(q + layer.mlp(q))
            k = layer.norm4(k + self._cross(layer.cross_attn_image_to_token, placed, q + points, q))
        q = q + self._cross(t.final_attn_token_to_image, q + points, k + place, k)
        return t.norm_final_attn(q), k

    @staticmethod
    def _cross(layer, q, k, v):
        heads = lambda x: x.unflatten(2, (layer.num_heads, -1)).transpose(1, 2)
        mixed = attend(heads(layer.q_proj(q)), heads(layer.k_proj(k)), heads(layer.v_proj(v)))
        return layer.out_proj(mixed.transpose(1, 2).flatten(2))
