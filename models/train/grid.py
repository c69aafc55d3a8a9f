"""Images as rows of tokens, and masks in the order in which the decoder unfolds them."""
import math


def tokens(image):
    """[B,C,h,w] to [B,h*w,C]."""
    return image.flatten(2).transpose(1, 2)


def image(rows):
    """[B,g*g,C] to [B,C,g,g]."""
    g = math.isqrt(rows.shape[1])
    return rows.transpose(1, 2).unflatten(2, (g, g))


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
