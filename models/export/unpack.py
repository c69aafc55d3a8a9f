"""Reads a model package back into a trainer's checkpoint: python models/export/unpack.py NAME.rotomodel CHECKPOINT.

For packages of rotomask-nano in standard operators, as export.py writes them. The weights compute what the package
computes, without being the ones it was made from: normalisations folded into the trunk's convolutions stay folded, and
where two projections became one, one of them comes back and an identity.
"""

import argparse
import json
import pathlib
import sys

import numpy as np
import onnx
import torch
from onnx import numpy_helper

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from train import matching  # noqa: E402
from train.config import Config  # noqa: E402
from train.model import build  # noqa: E402

GRAPHS = ("image_encoder", "mask_decoder", "memory_encoder", "memory_attention")
# Where the graphs' modules stand in the model.
PLACES = {
    "image_encoder": [("coarse.", "image_encoder.neck.convs.1.conv."), ("coarsest.", "image_encoder.neck.convs.0.conv."), ("local.", "refine.local.")],
    "mask_decoder": [("prompt.", "sam_prompt_encoder."), ("decoder.", "sam_mask_decoder."), ("pointer.", "obj_ptr_proj."), ("matching.", "matching."), ("clicks.", "clicks."), ("refine.", "refine.")],
    "memory_encoder": [("encoder.", "memory_encoder."), ("matching.", "matching.")],
    "memory_attention": [("norm.", "memory_attention.norm."), ("pointer_time.", "obj_ptr_tpos_proj."), ("match.matching.", "matching."), ("nearby.local.", "refine.local.")],
}


def weights(path):
    """{name: array} of one graph. Weights that the exporter renamed get the name of the bias they stand beside, and the
    trunk's convolutions that of their node."""
    graph = onnx.load(path).graph
    halves = {n.output[0]: n.input[0] for n in graph.node if n.op_type == "Cast"}
    arrays = {t.name: numpy_helper.to_array(t).astype(np.float32) for t in graph.initializer if t.data_type in (1, 10)}
    arrays.update({name: arrays[stored] for name, stored in halves.items() if stored in arrays})
    arrays.update({n.output[0]: arrays[n.input[0]] for n in graph.node if n.op_type == "Identity" and n.input[0] in arrays})
    found = {name: a for name, a in arrays.items() if "::" not in name}
    users = {i: n for n in graph.node for i in n.input}
    for n in graph.node:
        given = [arrays.get(i) for i in n.input]
        if n.op_type == "MatMul" and given[1] is not None and n.output[0] in users:
            bias = next((i for i in users[n.output[0]].input if i.endswith(".bias")), None)
            if bias:
                found[bias[: -len("bias")] + "weight"] = given[1].T
        elif n.op_type == "Conv" and "::" in n.input[1]:
            found[n.name.removesuffix("/Conv").strip("/").replace("/", ".") + ".folded"] = (given[1], given[2])
    return found


def convolutions(trunk):
    """{name: (convolution, the normalisation behind it)} of the trunk."""
    pairs = {"stem": ("stem", "bn")}
    for i, block in enumerate(trunk.blocks):
        for conv, bn in (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")):
            if hasattr(block, conv):
                pairs[f"blocks.{i}.{conv}"] = (f"blocks.{i}.{conv}", f"blocks.{i}.{bn}")
    return pairs


def unfolded(model, name, folded, state):
    """Puts a convolution with its normalisation folded in back; the normalisation does nothing but add."""
    conv, bn = convolutions(model.image_encoder.trunk)[name]
    put = lambda module, key, x: state.__setitem__(f"image_encoder.trunk.{module}.{key}", x)
    put(conv, "weight", folded[0])
    eps = model.get_submodule(f"image_encoder.trunk.{bn}").eps
    one = np.ones_like(folded[1])
    for key, x in (("weight", one), ("bias", folded[1]), ("running_mean", 0 * one), ("running_var", one - eps)):
        put(bn, key, x)


def apart(arrays, name, width, state, neck, head):
    """One 1x1 convolution as two again: the neck's to `width` channels, and the decoder's, which picks the first few."""
    weight, bias = arrays[f"{name}.weight"], arrays[f"{name}.bias"]
    rest = width - len(weight)
    state[f"{neck}.weight"], state[f"{neck}.bias"] = np.pad(weight, ((0, rest), (0, 0), (0, 0), (0, 0))), np.pad(bias, (0, rest))
    state[f"{head}.weight"], state[f"{head}.bias"] = np.eye(len(weight), width, dtype=np.float32)[:, :, None, None], 0 * bias


def rotary(a):
    """From all first halves of channel pairs before all second ones back to neighbours."""
    return np.stack(np.split(a, 2), 1).reshape(a.shape)


def attention(arrays, layers):
    """The memory attention's layers."""
    state = {}
    for i in range(layers):
        to = f"memory_attention.layers.{i}."
        for name, a in arrays.items():
            if name.startswith(f"layers.{i}.layer."):
                state[to + name.removeprefix(f"layers.{i}.layer.")] = a
        for ours, theirs in (("own_q", "self_attn.q_proj"), ("own_k", "self_attn.k_proj"), ("cross_q", "cross_attn_image.q_proj"), ("cross_k", "cross_attn_image.k_proj")):
            for kind in ("weight", "bias"):
                state[f"{to}{theirs}.{kind}"] = rotary(arrays[f"layers.{i}.{ours}.linear.{kind}"])
        both, shift = arrays[f"layers.{i}.values.weight"], arrays[f"layers.{i}.values.bias"]
        state[f"{to}cross_attn_image.v_proj.weight"], state[f"{to}cross_attn_image.v_proj.bias"] = both, 0 * shift
        state[f"{to}cross_attn_image.out_proj.weight"], state[f"{to}cross_attn_image.out_proj.bias"] = np.eye(len(both), dtype=np.float32), shift
    return state


def read(package):
    """The package as a checkpoint."""
    package = pathlib.Path(package)
    manifest = json.loads((package / "model.json").read_text())
    arrays = {g: weights(package / f"{g}.onnx") for g in GRAPHS}
    layers = sum(n.startswith("layers.") and n.endswith("values.bias") for n in arrays["memory_attention"])
    if not layers:
        raise ValueError(f"{package}: memory_attention.onnx has no layers.0.values.bias; wanted a package of rotomask-nano that export.py wrote")
    matches = "match.nearness" in arrays["memory_attention"]
    shape = {"image_size": manifest["input"]["size"], "hidden_dim": manifest["channels"], "layers": layers, "trunk": Config().trunk, "matching": matches}
    model = build(Config(**shape))
    state = {}
    for graph, places in PLACES.items():
        for name, a in arrays[graph].items():
            for ours, theirs in places:
                if name.endswith(".folded"):
                    unfolded(model, name.split("trunk.")[1].removesuffix(".folded"), a, state)
                elif name.startswith(ours):
                    state[theirs + name.removeprefix(ours)] = a
    apart(arrays["image_encoder"], "fine", manifest["channels"], state, "image_encoder.neck.convs.3.conv", "sam_mask_decoder.conv_s0")
    apart(arrays["image_encoder"], "middle", manifest["channels"], state, "image_encoder.neck.convs.2.conv", "sam_mask_decoder.conv_s1")
    state.update(attention(arrays["memory_attention"], layers))
    decoder, constants, d = arrays["mask_decoder"], manifest["constants"], manifest["channels"]
    rows, queries = decoder["label_rows"], decoder["queries"][0]
    state["sam_prompt_encoder.not_a_point_embed.weight"] = rows[:1]
    for i in range(len(rows) - 1):
        state[f"sam_prompt_encoder.point_embeddings.{i}.weight"] = rows[i + 1 : i + 2]
    state["sam_prompt_encoder.no_mask_embed.weight"] = decoder["no_mask"].reshape(1, d)
    state["sam_prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"] = decoder["frequencies"] / (2 * np.pi)
    for name, part in (("obj_score_token", queries[:1]), ("iou_token", queries[1:2]), ("mask_tokens", queries[2:])):
        state[f"sam_mask_decoder.{name}.weight"] = part
    state["no_mem_embed"] = arrays["image_encoder"]["no_memory"].reshape(1, 1, d)
    times, rows = arrays["memory_attention"]["memory_time"], len(model.maskmem_tpos_enc)
    if matches:
        times = np.pad(times, ((0, 0), (0, matching.MEMORY_CHANNELS - matching.SAM_CHANNELS)))
        times[:, -1] = arrays["memory_attention"]["match.nearness"] / matching.NEARNESS_SCALE
    state["no_obj_embed_spatial"] = arrays["memory_encoder"]["absent"].reshape(1, -1)
    # Distances that the package doesn't recall begin as the furthest that it does.
    beyond = np.repeat(times[-2:-1], rows - len(times), axis=0)
    state["maskmem_tpos_enc"] = np.concatenate([times[:-1], beyond, times[-1:]]).reshape(model.maskmem_tpos_enc.shape)
    state["no_obj_ptr"] = np.array(constants["no_object_pointer"], np.float32)[None]
    state["mask_downsample.weight"] = np.array(constants["mask_downsample_weight"], np.float32).reshape(1, 1, 4, 4)
    state["mask_downsample.bias"] = np.array([constants["mask_downsample_bias"]], np.float32)
    own = model.state_dict()
    state = {k: v if torch.is_tensor(v) else torch.from_numpy(np.array(v)) for k, v in state.items() if k in own}
    # Norms of few channels lie along the channels' axis.
    state = {k: v.reshape(own[k].shape) if v.squeeze().shape == own[k].shape else v for k, v in state.items()}
    for part in ("clicks.", "refine."):  # none until 0.4.0 and 0.5.0, and another one until 0.6.0: still to be taught
        if any(k.startswith(part) and (k not in state or state[k].shape != v.shape) for k, v in own.items()):
            own, state = ({k: v for k, v in x.items() if not k.startswith(part)} for x in (own, state))
    # Never read: a setting that this model doesn't have, and counters.
    missing = [k for k in own if k not in state and k != "no_mem_pos_enc" and not k.endswith("num_batches_tracked")]
    wrong = [k for k, v in state.items() if v.shape != own[k].shape]
    if missing or wrong:
        raise ValueError(f"{package}: {len(missing)} weights not found, {len(wrong)} of another shape, such as {(missing + wrong)[0]}; wanted a package of rotomask-nano that export.py wrote")
    return {"model": {**own, **state}, "step": 0, **shape}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("package", type=pathlib.Path)
    p.add_argument("checkpoint", type=pathlib.Path)
    a = p.parse_args()
    torch.save(read(a.package), a.checkpoint)


if __name__ == "__main__":
    main()
