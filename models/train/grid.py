"""Images as rows of tokens, norms over an image's channels, and masks in the order in which the decoder unfolds them."""
import math

from torch.nn import functional as F


def tokens(image):
    """[B,C,h,w] to [B,h*w,C]."""
    return image.flatten(2).transpose(1, 2)


def image(rows):
    """[B,g*g,C] to [B,C,g,g]."""
    g = math.isqrt(rows.shape[1])
    return rows.transpose(1, 2).unflatten(2, (g, g))


def channel_norm(norm, x):
    """A norm over the channels of [B,C,h,w], such as SAM 2's LayerNorm2d, as one LayerNormalization."""
    y = F.layer_norm(x.permute(0, 2, 3, 1), tuple(norm.weight.shape), norm.weight, norm.bias, norm.eps)
    return y.permute(0, 3, 1, 2)


def through(layers, x):
    for layer in layers:
        x = channel_norm(layer, x) if type(layer).__name__ == "LayerNorm2d" else layer(x)
    return x


def fold(masks):
    """[..,4g,4g] to [..,16*g*g]: each token's sixteen mask pixels together, as two doublings unfold them."""
    lead, g, n = masks.shape[:-2], int(masks.shape[-1]) // 4, masks.ndim - 2
    split = masks.reshape(*lead, g, 2, 2, g, 2, 2)  # y, dy, ey, x, dx, ex
    return split.permute(*range(n), n, n + 3, n + 1, n + 4, n + 2, n + 5).reshape(*lead, 16 * g * g)


def unfold(folded):
    """The reverse of fold."""
    lead, g, n = folded.shape[:-1], math.isqrt(folded.shape[-1] // 16), folded.ndim - 1
    split = folded.reshape(*lead, g, g, 2, 2, 2, 2)
    return split.permute(*range(n), n, n + 2, n + 4, n + 1, n + 3, n + 5).reshape(*lead, 4 * g, 4 * g)
