"""SAM 2's losses: focal and dice on the masks, the predicted IoU, and whether the thing is there at all."""
import torch
import torch.nn.functional as F

from .grid import fold

# Image pixels per mask logit, each way.
STRIDE = 4


def coverage(masks):
    """[B,S,S] bool to [B,1,n] float: how much of each logit's square the thing covers, folded as logits are."""
    return fold(F.avg_pool2d(masks[:, None].float(), STRIDE))


def mask_losses(logits, truth, config):
    """logits [B,M,n], truth [B,1,n] in 0..1; gives the loss [B,M] and the IoU reached [B,M].

    Covered shares are the targets, so that the zero level of the upsampled logits meets the edge between two pixels.
    """
    x, y = logits.clamp(-40, 40), truth.expand_as(logits)
    p = x.sigmoid()
    share = config.focal_positive_share
    focal = (1 - share + (2 * share - 1) * y) * (p - y).square() * F.binary_cross_entropy_with_logits(x, y, reduction="none")
    dice = 1 - (2 * (p * y).sum(2) + 1) / (p.square().sum(2) + y.square().sum(2) + 1)
    loss = config.focal_weight * focal.mean(2) + config.dice_weight * dice
    return loss, overlap(x, y)


def overlap(logits, truth):
    """IoU of masks over their last dimension: logits [..,n], covered shares [..,n]."""
    found, there = logits > 0, truth > 0.5
    return (found & there).sum(-1) / (found | there).sum(-1).clamp(min=1)


def decoded_loss(decoded, truth, visible, config, unambiguous):
    """One decoding's loss and the mean IoU of the masks it would show.

    Of several masks the best is supervised most, the others a little, so that none dies. Where the prompt leaves no doubt
    (`unambiguous`: tracking) all are, and the chosen one most, since it is what the user gets.
    """
    loss, iou = mask_losses(decoded.logits, truth, config)
    row = torch.arange(len(loss), device=loss.device)
    chosen = decoded.ious.argmax(1)
    mask = 0.5 * loss.mean(1) + 0.5 * loss[row, chosen] if unambiguous else 0.7 * loss.min(1).values + 0.3 * loss.mean(1)
    seen = visible.sum().clamp(min=1)
    score = ((decoded.ious - iou).abs().mean(1) * visible).sum() / seen
    present = F.binary_cross_entropy_with_logits(decoded.score[:, 0], visible)
    total = (mask * visible).sum() / len(visible) + config.iou_weight * score + config.object_weight * present
    return total, ((iou[row, chosen] * visible).sum() / seen).item()
