"""Hiera and its neck as one graph: position embedding as a constant, the decoder's convolutions of the fine features
folded into the neck's, every shape a number."""

import torch
from torch import nn
from torch.nn import functional as F

from graphs import local_of, matching_of
from train import grid


class Block(nn.Module):
    """One block of Hiera on [1,h,w,c]: windowed or global attention, pooled queries where a stage begins."""

    def __init__(self, block, side, attend):
        super().__init__()
        self.block, self.side, self.attend = block, side, attend
        self.stride = block.q_stride[0] if block.q_stride else 1
        self.window = block.window_size or side
        self.padded = -(-side // self.window) * self.window

    def windows(self, x):
        """[1,h,w,c] to [n,window,window,c], zeros beyond the edge."""
        c, n, k = x.shape[-1], self.padded // self.window, self.window
        if self.padded > self.side:
            x = F.pad(x, (0, 0, 0, self.padded - self.side, 0, self.padded - self.side))
        if n == 1:
            return x
        return x.reshape(n, k, n, k, c).permute(0, 2, 1, 3, 4).reshape(n * n, k, k, c)

    def unite(self, x, side):
        """[n,window,window,c] to [1,side,side,c]; what was padded is cut off."""
        c, n, k = x.shape[-1], self.padded // self.window, self.window // self.stride
        if n > 1:
            x = x.reshape(n, n, k, k, c).permute(0, 2, 1, 3, 4).reshape(1, n * k, n * k, c)
        return x[:, :side, :side] if n * k > side else x

    def pool(self, x):
        return F.max_pool2d(x.permute(0, 3, 1, 2), self.stride, self.stride).permute(0, 2, 3, 1)

    def mix(self, x):
        """Attention within each window."""
        a, k = self.block.attn, self.window
        q, keys, values = a.qkv(x.reshape(-1, k * k, x.shape[-1])).split(a.dim_out, -1)
        if self.stride > 1:
            q = self.pool(q.reshape(-1, k, k, a.dim_out)).flatten(1, 2)
            k //= self.stride
        return a.proj(self.attend(q, keys, values, a.num_heads)).reshape(-1, k, k, a.dim_out)

    def forward(self, x):
        b = self.block
        y = b.norm1(x)
        if b.dim != b.dim_out:
            x = b.proj(y)
            x = self.pool(x) if self.stride > 1 else x
        x = x + self.unite(self.mix(self.windows(y)), self.side // self.stride)
        return x + b.mlp(b.norm2(x))


class Hiera(nn.Module):
    def __init__(self, trunk, side, attend):
        super().__init__()
        side //= 4
        self.patches, self.ends = trunk.patch_embed, set(trunk.stage_ends)
        self.register_buffer("place", trunk._get_pos_embed((side, side)).detach().clone())
        self.blocks = nn.ModuleList()
        for block in trunk.blocks:
            self.blocks.append(Block(block, side, attend))
            side //= self.blocks[-1].stride

    def forward(self, image):
        """Gives [1,c,h,w] at strides 4, 8, 16, 32."""
        x, stages = self.patches(image) + self.place, []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in self.ends:
                stages.append(x.permute(0, 3, 1, 2))
        return stages


def fold(first, then):
    """Two 1x1 convolutions as one."""
    conv = nn.Conv2d(first.in_channels, then.out_channels, 1)
    outer, inner = then.weight.detach()[:, :, 0, 0].double(), first.weight.detach()[:, :, 0, 0].double()
    conv.weight.data = (outer @ inner).float()[:, :, None, None]
    conv.bias.data = (outer @ first.bias.detach().double() + then.bias.detach().double()).float()
    return conv


class ImageEncoder(nn.Module):
    def __init__(self, model, attend):
        super().__init__()
        trunk, neck, decoder = model.image_encoder.trunk, model.image_encoder.neck, model.sam_mask_decoder
        self.trunk = Hiera(trunk, model.image_size, attend) if hasattr(trunk, "patch_embed") else trunk
        fine, middle, coarse, coarsest = [level.conv for level in reversed(neck.convs)]
        self.fine, self.middle = fold(fine, decoder.conv_s0), fold(middle, decoder.conv_s1)
        self.coarse, self.coarsest, self.matching, self.local = coarse, coarsest, matching_of(model), local_of(model)
        self.register_buffer("no_memory", model.no_mem_embed.detach().reshape(1, -1, 1, 1).clone())

    def forward(self, image):
        fine, middle, coarse, coarsest = self.trunk(image)
        top = F.interpolate(self.coarsest(coarsest), scale_factor=2.0, mode="nearest")
        coarse = self.coarse(coarse) + top
        if self.matching:
            coarse = grid.image(self.matching.cleared(grid.tokens(coarse)))
        fine, middle, bare = self.fine(fine), self.middle(middle), coarse + self.no_memory
        if self.local:
            # Keys go behind the features; where nothing is remembered, nothing was found by them.
            keys = self.local.keys(coarse, middle)
            coarse, bare = torch.cat([coarse, keys], 1), F.pad(bare, (0, 0, 0, 0, 0, keys.shape[1]))
        return fine, middle, coarse, bare
