"""SAM 2's losses: focal and dice on the masks, the predicted IoU, and whether the thing is there at all."""
import torch
import torch.nn.functional as F

# Masks are compared at half the frame's side: twice the decoder's, so that edges between its pixels count.
REDUCTION = 2


def targets_for(masks):
    """[B,S,S] bool to [B,1,S/2,S/2] float."""
    return (F.avg_pool2d(masks[:, None].float(), REDUCTION) > 0.5).float()


def mask_losses(logits, truth, config):
    """logits [B,M,m,m], truth [B,1,n,n]; gives the loss [B,M] and the IoU reached [B,M]."""
    x = F.interpolate(logits.float().clamp(-40, 40), size=truth.shape[-2:], mode="bilinear", align_corners=False)
    y = truth.expand_as(x)
    p = x.sigmoid()
    wrong = p + y - 2 * p * y
    share = config.focal_positive_share
    focal = (1 - share + (2 * share - 1) * y) * wrong.square() * F.binary_cross_entropy_with_logits(x, y, reduction="none")
    dice = 1 - (2 * (p * y).flatten(2).sum(2) + 1) / (p.flatten(2).sum(2) + y.flatten(2).sum(2) + 1)
    loss = config.focal_weight * focal.flatten(2).mean(2) + config.dice_weight * dice
    with torch.no_grad():
        found, y = x > 0, y > 0.5
        iou = (found & y).flatten(2).sum(2) / (found | y).flatten(2).sum(2).clamp(min=1)
    return loss, iou


def decoded_loss(out, truth, visible, config, unambiguous):
    """One decoding's loss and the mean IoU of the masks it would show.

    Of several masks the best is supervised, the others faintly, so that none dies. Where the prompt leaves no doubt
    (`unambiguous`: tracking) all are, and the chosen one most, since it is what the user gets.
    """
    loss, iou = mask_losses(out.logits, truth, config)
    row = torch.arange(len(loss), device=loss.device)
    chosen = out.ious.argmax(1)
    mask = 0.5 * loss.mean(1) + 0.5 * loss[row, chosen] if unambiguous else 0.9 * loss.min(1).values + 0.1 * loss.mean(1)
    seen = visible.sum().clamp(min=1)
    score = ((out.ious.float() - iou).abs().mean(1) * visible).sum() / seen
    present = F.binary_cross_entropy_with_logits(out.score.float()[:, 0], visible)
    total = (mask * visible).sum() / seen + config.iou_weight * score + config.object_weight * present
    return total, ((iou[row, chosen] * visible).sum() / seen).item()
