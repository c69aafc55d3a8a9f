"""Random weights at which a SAM 2 is well-conditioned: every part has a say, and nothing amplifies rounding.

A fresh model won't do for comparisons: its memory encoder's blocks are scaled by 1e-6, its embeddings are nearly zero
and its logits are all of one sign, so that most mistakes would not show.
"""

import re

import torch
from torch import nn

# What a residual adds, so that many layers don't drown the first.
RESIDUAL = re.compile(r"(attn\.proj|out_proj|mlp\.layers\.1|linear2|pwconv2)$")
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
    masks, score = decode(model, picture, side * torch.rand(20, 2, generator=random))
    for i, mlp in enumerate(decoder.output_hypernetworks_mlps):
        scale = LOGITS * (SINGLE_MASK if i == 0 else 1) / masks[:, i].std()
        mlp.layers[-1].weight.data *= scale
        mlp.layers[-1].bias.data *= scale
    head, scale = decoder.pred_obj_score_head.layers[-1], SCORES / score.std()
    head.weight.data *= scale
    head.bias.data = (head.bias.data - score.quantile(ABSENT)) * scale


def decode(model, image, clicks):
    """Masks [n,4,m,m] and scores [n,1] for a click each, without memory."""
    features = model.forward_image(image)["backbone_fpn"]
    n = len(clicks)
    labels = torch.ones(n, 1, dtype=torch.int32)
    sparse, dense = model.sam_prompt_encoder(points=(clicks[:, None], labels), boxes=None, masks=None)
    masks, _, _, score = model.sam_mask_decoder.predict_masks(
        image_embeddings=(features[2] + model.no_mem_embed.reshape(1, -1, 1, 1)).expand(n, -1, -1, -1),
        image_pe=model.sam_prompt_encoder.get_dense_pe(), sparse_prompt_embeddings=sparse, dense_prompt_embeddings=dense,
        repeat_image=False, high_res_features=[f.expand(n, -1, -1, -1) for f in features[:2]],
    )
    return masks, score
