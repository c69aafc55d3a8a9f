"""What the networks beside the decoder see of a frame: its features at three strides, of deviation 1, and how alike places are.

Sums over channels are convolutions and means over places are pooled: ReduceSum's and ReduceMean's last bits depend on the batch.
"""
import torch
from torch import nn
from torch.nn import functional as F

from .grid import channel_norm

LIMIT = 4.0  # of logits, as these networks see them


def bounded(logits):
    return logits / (1 + logits.abs() / LIMIT)


class Features(nn.Module):
    """`embedded`: dimensions in which places are compared, of the finest strides."""

    def __init__(self, channels, embedded):
        super().__init__()
        self.widths = (channels, channels // 4, channels // 8)
        # `begin` sets these. Memories leave coarse features of another size, so they are normalised first.
        self.norm = nn.LayerNorm(self.widths[0])
        self.scales = nn.ParameterList(nn.Parameter(torch.ones(w, 1, 1)) for w in self.widths[1:])
        self.shifts = nn.ParameterList(nn.Parameter(torch.zeros(w, 1, 1)) for w in self.widths[1:])
        self.embeddings = nn.ModuleList(nn.Conv2d(w, e, 1) for w, e in zip(self.widths[-len(embedded) :], embedded))
        for e in embedded:
            self.register_buffer(f"ones_{e}", torch.ones(1, e, 1, 1), persistent=False)

    @torch.no_grad()
    def begin(self, coarse, middle, fine):
        """Sets what stands by the features of some pictures, [N,C,side,side]: their size, and likeness as that of what they vary by most."""
        rows = lambda x: x.permute(1, 0, 2, 3).flatten(1)
        x = rows(channel_norm(self.norm, coarse))
        self.norm.weight.div_(x.std(1))
        self.norm.bias.sub_(x.mean(1) / x.std(1))
        for scale, shift, x in zip(self.scales, self.shifts, map(rows, (middle, fine))):
            scale.copy_((1 / x.std(1))[:, None, None])
            shift.copy_((-x.mean(1) / x.std(1))[:, None, None])
        alike = self.alike(coarse, middle, fine)[-len(self.embeddings) :]
        for embedding, x in zip(self.embeddings, map(rows, alike)):
            best = torch.linalg.eigh(torch.cov(x))[1].t().flip(0)[: len(embedding.weight)]
            embedding.weight.copy_(best[..., None, None])
            embedding.bias.zero_()

    def alike(self, coarse, middle, fine):
        """Features of deviation 1."""
        return channel_norm(self.norm, coarse), *(x * scale + shift for x, scale, shift in zip((middle, fine), self.scales, self.shifts))

    @staticmethod
    def of(features, objects):
        """The features of some objects, by their places in the batch; middle and fine ones are each object's or their one frame's, and
        stay so."""
        coarse, *shared = features
        return coarse[objects], *(x if x.shape[0] == 1 else x[objects] for x in shared)

    def summed(self, x):
        """[B,C,h,w] to [B,1,h,w]."""
        return F.conv2d(x, getattr(self, f"ones_{x.shape[1]}"))

    def directions(self, embedding, x):
        """Features embedded, of length 1."""
        e = embedding(x)
        return e * torch.rsqrt(self.summed(e * e) + 1e-6)
