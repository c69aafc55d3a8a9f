"""Attention in two forms: of standard operators, and as ONNX Runtime's own operator, which the CPU runs without ever
holding a matrix of scores."""

import torch
from torch.nn import functional as F


def _split(x, heads):
    """[B,n,h*c] to [B,h,n,c]."""
    return x.reshape(x.shape[0], x.shape[1], heads, -1).permute(0, 2, 1, 3)


def _join(x):
    """[B,h,n,c] to [B,n,h*c]."""
    return x.permute(0, 2, 1, 3).flatten(2)


def standard(q, k, v, heads=1):
    """q [B,n,h*c], k [B,l,h*c], v [B,l,h*e] give [B,n,h*e]."""
    q = q * (q.shape[-1] // heads) ** -0.5
    if heads == 1:
        return torch.softmax(q @ k.transpose(1, 2), -1) @ v
    return _join(torch.softmax(_split(q, heads) @ _split(k, heads).transpose(2, 3), -1) @ _split(v, heads))


class _Fused(torch.autograd.Function):
    """com.microsoft::MultiHeadAttention, whose values may be narrower than its keys."""

    @staticmethod
    def forward(context, q, k, v, heads):
        return _join(F.scaled_dot_product_attention(_split(q, heads), _split(k, heads), _split(v, heads)))

    @staticmethod
    def symbolic(graph, q, k, v, heads):
        mixed = graph.op("com.microsoft::MultiHeadAttention", q, k, v, num_heads_i=heads)
        queries, values = q.type().sizes(), v.type().sizes()
        if queries is not None and values is not None:
            mixed.setType(q.type().with_sizes([queries[0], queries[1], values[2]]))
        return mixed


def fused(q, k, v, heads=1):
    """The same as `standard`."""
    return _Fused.apply(q, k, v, heads)


VARIANTS = {"mha": fused, "std": standard}
