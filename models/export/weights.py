"""Random weights at which a SAM 2 is well-conditioned: every part has a say, and nothing amplifies rounding.

A fresh model won't do for comparisons: its memory encoder's blocks are scaled by 1e-6, its embeddings are nearly zero
and its logits are all of one sign, so that most mistakes would not show.
"""

import re

import torch
from torch import nn

import proof

# What a residual adds, so that many layers don't drown the first.
RESIDUAL = re.compile(r"(attn\.proj|out_proj|mlp\.layers\.1|linear2|pwconv2)$")
MEMORY = re.compile(r"cross_attn_image\.out_proj$")
"""What memories add is a mean over thousands of tokens, and small for it."""
QUERY_OR_KEY = re.compile(r"(q_proj|k_proj)$")
EMBEDDINGS = {
    "pos_embed": 0.5, "pos_embed_window": 0.5, "maskmem_tpos_enc": 0.3, "no_mem_embed": 0.3, "no_mem_pos_enc": 0.3,
    "no_obj_ptr": 0.5, "no_obj_embed_spatial": 0.5, "gamma": 0.3,
}
LOGITS = 9.0
"""Standard deviation of the mask logits: a trained model's range, in which masks have clear edges."""
SINGLE_MASK = 0.55
"""Mask 0's share of it: its stability is then near the threshold, on either side."""
SCORES = 4.0
"""Standard deviation of the object scores over clicks."""
ABSENT = 0.2
"""Share of the clicks that meet no object, so that both signs occur."""


def randomise(model, seed):
    """Gives the model's weights values that only the seed decides."""
    random = torch.Generator().manual_seed(seed)
    normal = lambda like, deviation: torch.randn(like.shape, generator=random) * deviation
    for name, module in model.named_modules():
        weight = getattr(module, "weight", None)
        if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            inputs = weight[0].numel() if not isinstance(module, nn.ConvTranspose2d) else weight.shape[0]
            gain = 0.5 if RESIDUAL.search(name) else 0.8 if QUERY_OR_KEY.search(name) else 1.0
            gain = 2.0 if MEMORY.search(name) else gain
            weight.data = normal(weight, gain / inputs**0.5)
            if module.bias is not None:
                module.bias.data = normal(module.bias, 0.1)
        elif isinstance(module, nn.Embedding):
            weight.data = normal(weight, 0.5)
        elif weight is not None:  # a norm
            weight.data = 1 + normal(weight, 0.1)
            module.bias.data = normal(module.bias, 0.1)
    for name, parameter in model.named_parameters():
        deviation = EMBEDDINGS.get(name.rpartition(".")[2])
        if deviation:
            parameter.data = normal(parameter, deviation)
    frequencies = model.sam_prompt_encoder.pe_layer.positional_encoding_gaussian_matrix
    frequencies.copy_(normal(frequencies, 1.0))
    # As large as what the decoder makes of an earlier mask, so that a mask prompt moves the pointer.
    model.mask_downsample.weight.data = normal(model.mask_downsample.weight, 0.5)
    calibrate(model, random)


def calibrate(model, random):
    """Scales logits and object scores, and sets the scores' bias."""
    side, decoder = model.image_size, model.sam_mask_decoder
    at = torch.linspace(0, 12, side)
    waves = torch.stack([(at[:, None] * a).sin() + (at[None] * b).cos() for a, b in ((1, 2), (2.5, 1), (0.7, 3))])
    picture = (waves + 0.3 * torch.randn(waves.shape, generator=random))[None]
    masks, upscaled, score = decode(model, picture, side * torch.rand(20, 2, generator=random))
    # Masks are products with the upscaled features: at right angles to their mean, masks have edges of both signs.
    mean = upscaled.mean((0, 2, 3))
    level = torch.eye(len(mean)) - torch.outer(mean, mean) / mean.square().sum()
    for i, mlp in enumerate(decoder.output_hypernetworks_mlps):
        last = mlp.layers[-1]
        scale = LOGITS * (SINGLE_MASK if i == 0 else 1) / masks[:, i].std((1, 2)).mean()
        last.weight.data, last.bias.data = scale * level @ last.weight, scale * level @ last.bias
    head, scale = decoder.pred_obj_score_head.layers[-1], SCORES / score.std()
    lowest = min(score.quantile(ABSENT), tracked(model, picture) - score.std())
    head.weight.data *= scale
    head.bias.data = (head.bias.data - lowest) * scale


def features_of(model, image):
    fine, middle, coarse = model.forward_image(image)["backbone_fpn"]
    return fine, middle, coarse, coarse + model.no_mem_embed.reshape(1, -1, 1, 1)


def decode(model, image, clicks):
    """Masks [n,4,m,m], what they are products with [n,D/8,m,m], and scores [n,1], for a click each, without memory."""
    fine, middle, _, ground = features_of(model, image)
    n, seen = len(clicks), []
    hook = model.sam_mask_decoder.output_upscaling[-1].register_forward_hook(lambda _module, _given, result: seen.append(result))
    labels = torch.ones(n, 1, dtype=torch.int32)
    masks, _, _, score = proof.mask_decoder(model, ground.expand(n, -1, -1, -1), fine, middle, clicks[:, None], labels, None, 0)
    hook.remove()
    return masks, seen[0], score


def tracked(model, image):
    """The score where the picture's middle was clicked on, and the same picture is tracked into."""
    fine, middle, coarse, ground = features_of(model, image)
    at = torch.full((1, 1, 2), model.image_size / 2)
    label = torch.ones(1, 1, dtype=torch.int32)
    masks, _, pointers, _ = proof.mask_decoder(model, ground, fine, middle, at, label, None, 0)
    (memory,) = proof.memory_encoder(model, coarse, masks[:, 1:2], torch.ones(1, 1), torch.ones(1))
    memories, pointers = memory[:, None].expand(-1, 3, -1, -1), pointers[:, 1:2].expand(-1, 3, -1)
    (ground,) = proof.memory_attention(model, coarse, memories, None, pointers, None)
    return proof.mask_decoder(model, ground, fine, middle, at * 0, -label, None, 0)[3][0, 0]
