"""Models by name: SAM 2's own configurations, small ones for tests, and the trainer's."""

import sys
from pathlib import Path

import torch
from torch import nn

# Configurations inside PyPI's sam2.
OFFICIAL = {
    f"{family}_hiera_{size}": f"configs/{family}/{family}_hiera_{short}.yaml"
    for family in ("sam2", "sam2.1")
    for size, short in {"tiny": "t", "small": "s", "base_plus": "b+", "large": "l"}.items()
}
SMALL = {"sam2_test": "sam2_hiera_tiny", "sam2.1_test": "sam2.1_hiera_tiny"}
"""Models of kilobytes that keep every code path of the one named."""

TRAINED = "rotomask-nano"
NAMES = [*OFFICIAL, *SMALL, TRAINED]

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""What sam2/utils/misc.py normalises frames by."""

# A side of 128 has windows that must be padded (6 into 8), pooled stages and global attention, as 1024 has.
_TRUNK = {
    "embed_dim": 8, "num_heads": 1, "stages": [1, 1, 2, 1], "window_spec": [8, 4, 6, 3], "global_att_blocks": [3],
    "window_pos_embed_bkg_spatial_size": [7, 7],
}
_SIDE, _CHANNELS, _MEMORY, _HIDDEN = 128, 32, 8, 32


def _small_overrides():
    d, grid = _CHANNELS, _SIDE // 16
    model, attention = "++model.", "++model.memory_attention."
    lines = [f"{model}image_encoder.trunk.{key}={value}" for key, value in _TRUNK.items()]
    lines += [
        f"{model}image_size={_SIDE}", f"{model}image_encoder.neck.d_model={d}",
        f"{model}image_encoder.neck.backbone_channel_list=[64,32,16,8]",
        f"{model}image_encoder.neck.position_encoding.num_pos_feats={d}",
        f"{attention}d_model={d}", f"{attention}layer.d_model={d}", f"{attention}layer.dim_feedforward={_HIDDEN}",
        f"{model}memory_encoder.out_dim={_MEMORY}", f"{model}memory_encoder.in_dim={d}",
        f"{model}memory_encoder.position_encoding.num_pos_feats={_MEMORY}",
        f"{model}memory_encoder.mask_downsampler.embed_dim={d}", f"{model}memory_encoder.fuser.layer.dim={d}",
    ]
    for kind in ("self_attention", "cross_attention"):
        lines += [f"{attention}layer.{kind}.embedding_dim={d}", f"{attention}layer.{kind}.feat_sizes=[{grid},{grid}]"]
    return [*lines, f"{attention}layer.cross_attention.kv_in_dim={_MEMORY}"]


def _shrink(model):
    """SAM 2 fixes these widths in code, where they would be most of a small model."""
    from sam2.modeling.sam.transformer import TwoWayTransformer
    from sam2.modeling.sam2_utils import MLP, LayerNorm2d

    decoder = model.sam_mask_decoder
    decoder.transformer = TwoWayTransformer(depth=2, embedding_dim=_CHANNELS, mlp_dim=_HIDDEN, num_heads=8)
    decoder.iou_prediction_head = MLP(_CHANNELS, _HIDDEN, decoder.num_mask_tokens, 3, sigmoid_output=True)
    # 1, 4, 16, 64, 256 channels by SAM 2's rule.
    widths, layers = [1, 4, 8, 8, 8], nn.Sequential()
    for before, after in zip(widths, widths[1:]):
        layers.extend([nn.Conv2d(before, after, 3, 2, 1), LayerNorm2d(after), nn.GELU()])
    layers.append(nn.Conv2d(widths[-1], _CHANNELS, 1))
    model.memory_encoder.mask_downsampler.encoder = layers


def build(name, overrides=()):
    """The named model as SAM 2's own video predictor, with fresh weights. `overrides` are hydra's."""
    try:
        from sam2.build_sam import build_sam2_video_predictor
    except ImportError as missing:
        raise SystemExit(f"{name}: {missing}; wanted the packages in models/export/requirements.txt") from missing
    small = name in SMALL
    # The builder would fill holes, which it can't without CUDA; who wants it says so.
    lines = [*(_small_overrides() if small else ()), "++model.fill_hole_area=0", *overrides]
    # Added after the builder's own, so that they win.
    model = build_sam2_video_predictor(OFFICIAL[SMALL.get(name, name)], None, "cpu", hydra_overrides_extra=_Last(lines))
    if small:
        _shrink(model)
    return model.eval()


SIDES = range(256, 1024, 64)
"""Sides of a smaller input: every stage's cells and every pool of memories come out whole."""


def at(side):
    """Overrides for another side of the input than the weights were trained at: tables of places follow it."""
    grid = side // 16
    kinds = ("self_attention", "cross_attention")
    return [f"++model.image_size={side}", *(f"++model.memory_attention.layer.{kind}.feat_sizes=[{grid},{grid}]" for kind in kinds)]


class _Last(list):
    """Overrides that stay behind whatever the builder appends to its copy of them."""

    def copy(self):
        return _Last(self)

    def __iadd__(self, more):
        self[:0] = more
        return self


def load(model, path):
    """The weights of a checkpoint, official or fine-tuned: `{"model": weights}` or the weights themselves."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    state = state.get("model", state)
    missing, unexpected = model.load_state_dict(state, strict=False)
    wrong = [f"{len(missing)} missing, such as {missing[0]}"] if missing else []
    wrong += [f"{len(unexpected)} unknown, such as {unexpected[0]}"] if unexpected else []
    if wrong:
        raise SystemExit(f"{path}: weights don't fit the configuration: {'; '.join(wrong)}")


def trained(path, slots):
    """The trainer's model at its averaged weights; with fewer `slots`, the prompted frame and the latest are recalled."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from train.config import Config, shape, weights_of
    from train.model import build as build_trained
    from train.model import load_weights

    state = torch.load(path, map_location="cpu", weights_only=True)
    model = build_trained(Config(**shape(state)))
    left = load_weights(model, weights_of(state))
    if left:
        raise SystemExit(f"{path}: {len(left)} weights don't fit the model it names, such as {left[0]}")
    times = model.maskmem_tpos_enc.data
    if not 3 <= slots <= len(times):
        raise SystemExit(f"{path}: {slots} slots, wanted 3 to {len(times)}")
    if slots < len(times):
        # A row for each distance, then the prompted frame's.
        model.maskmem_tpos_enc = torch.nn.Parameter(torch.cat([times[: slots - 1], times[-1:]]))
        model.num_maskmem = slots
    return model.eval()


ASSUMED = {
    "num_maskmem": 7, "max_obj_ptrs_in_encoder": 16, "backbone_stride": 16, "directly_add_no_mem_embed": True,
    "use_high_res_features_in_sam": True, "multimask_output_in_sam": True, "multimask_min_pt_num": 0,
    "multimask_max_pt_num": 1, "multimask_output_for_tracking": True, "use_multimask_token_for_obj_ptr": True,
    "use_obj_ptrs_in_encoder": True, "only_obj_ptrs_in_the_past_for_eval": True, "pred_obj_scores": True,
    "fixed_no_obj_ptr": True, "soft_no_obj_ptr": False, "use_mask_input_as_output_without_sam": True,
    "memory_temporal_stride_for_eval": 1,
}
"""What the library takes for granted of every SAM 2; a model that differs would be tracked wrongly."""


def check(name, model):
    """Refuses a model that the graphs or the library can't stand for."""
    for option, wanted in ASSUMED.items():
        found = getattr(model, option)
        if found != wanted and option not in ("num_maskmem", "max_obj_ptrs_in_encoder"):
            raise SystemExit(f"{name}: {option} is {found}, wanted {wanted}")
    neck = model.image_encoder.neck
    plain = neck.fuse_type == "sum" and neck.fpn_interp_model == "nearest"
    if neck.fpn_top_down_levels != [2, 3] or not plain or len(neck.convs) != 4:
        raise SystemExit(f"{name}: the neck goes down from levels {neck.fpn_top_down_levels}, wanted 2 and 3 of four, summed")
    for layer in model.memory_attention.layers:
        heads = {layer.self_attn.num_heads, layer.cross_attn_image.num_heads}
        at = (layer.pos_enc_at_attn, layer.pos_enc_at_cross_attn_queries, layer.pos_enc_at_cross_attn_keys)
        if heads != {1} or at != (False, False, True):
            raise SystemExit(f"{name}: memory attention has {heads} heads and positions at {at}, wanted one head, at keys only")
