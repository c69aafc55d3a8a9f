"""Writes a trainer's checkpoint as four ONNX graphs and constants.json, and proves each graph against PyTorch.

    python models/export/from_checkpoint.py CHECKPOINT EXPORTED [--pack CARD.toml NAME.rotomodel]

The averaged weights are taken. Needs what models/train/requirements.txt lists.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import warnings

import numpy as np
import onnxruntime
import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import graphs  # noqa: E402
from train.config import Config  # noqa: E402
from train.model import MEMORY_DIM, build, load_weights  # noqa: E402

OPSET = 17
# Largest error of an output against PyTorch's, as root mean square over the output's own. Both compute in fp32 and
# differ in the order of sums only, but the trunk's 50 layers make that some 1e-6; a wrong rewrite gives 1e-2 and more.
TOLERANCE = 1e-4


def read(path):
    """The model in the checkpoint, at its averaged weights."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    shape = {k: state[k] for k in ("image_size", "hidden_dim", "layers", "trunk") if k in state}
    model = build(Config(**shape))
    left = load_weights(model, state.get("ema") or state["model"])
    if left:
        raise SystemExit(f"{path}: {len(left)} weights don't fit the model it names, such as {left[0]}")
    return model.eval()


def described(model):
    """{graph: (module, example inputs, input names, output names, free sides)}"""
    s, d = model.image_size, model.hidden_dim
    g, m, objects, memories, points = s // 16, s // 4, 2, 3, 5
    random = torch.Generator().manual_seed(7)
    r = lambda *shape: torch.randn(*shape, generator=random)
    fine, middle, coarse = r(1, d // 8, m, m), r(1, d // 4, m // 2, m // 2), r(1, d, g, g)
    b = {0: "B"}
    return {
        "image_encoder": (graphs.ImageEncoder(model), (r(1, 3, s, s),), ["image"], ["feat_s0", "feat_s1", "feat_s2", "feat_s2_nomem"], {}),
        "mask_decoder": (
            graphs.MaskDecoder(model),
            (r(objects, d, g, g), fine, middle, torch.rand(objects, points, 2, generator=random) * s, torch.tensor([[2, 3, 1, 0, -1]] * objects), 10 * r(objects, 1, m, m), torch.ones(1)),
            ["pix_feat", "feat_s0", "feat_s1", "point_coords", "point_labels", "mask_input", "has_mask"],
            ["masks", "ious", "obj_ptrs", "object_score"],
            {"pix_feat": b, "point_coords": {0: "B", 1: "P"}, "point_labels": {0: "B", 1: "P"}, "mask_input": b, "masks": b, "ious": b, "obj_ptrs": b, "object_score": b},
        ),
        "memory_encoder": (
            graphs.MemoryEncoder(model), (coarse, 10 * r(objects, 1, m, m), torch.tensor([[3.0], [-3.0]]), torch.zeros(1)),
            ["feat_s2", "low_res_mask", "object_score", "binarize"], ["memory"], {"low_res_mask": b, "object_score": b, "memory": b},
        ),
        "memory_attention": (
            graphs.MemoryAttention(model),
            (coarse, r(objects, memories, g * g, MEMORY_DIM), torch.tensor([6, 1, 0]), r(objects, 3, d), torch.tensor([3.0, 1.0, 2.0]) / 15),
            ["feat_s2", "memory", "mem_tpos", "ptrs", "ptr_tpos"], ["pix_feat"],
            {"memory": {0: "B", 1: "M"}, "mem_tpos": {0: "M"}, "ptrs": {0: "B", 1: "P"}, "ptr_tpos": {0: "P"}, "pix_feat": b},
        ),
    }


# What SAM 2's own modules give for the same inputs; none of this goes through graphs.py.


def official_image_encoder(model, image):
    fine, middle, coarse = model.forward_image(image)["backbone_fpn"]
    return fine, middle, coarse, coarse + model.no_mem_embed.reshape(1, -1, 1, 1)


def official_mask_decoder(model, pix, fine, middle, coords, labels, mask, has_mask):
    sparse, dense = model.sam_prompt_encoder(points=(coords, labels), boxes=None, masks=mask if has_mask > 0 else None)
    objects = pix.shape[0]
    masks, ious, picked, score = model.sam_mask_decoder.predict_masks(
        image_embeddings=pix, image_pe=model.sam_prompt_encoder.get_dense_pe(), sparse_prompt_embeddings=sparse,
        dense_prompt_embeddings=dense, repeat_image=False,
        high_res_features=[fine.expand(objects, -1, -1, -1), middle.expand(objects, -1, -1, -1)],
    )
    here = (score > 0).float()[..., None]
    return masks, ious, here * model.obj_ptr_proj(picked) + (1 - here) * model.no_obj_ptr, score


def official_memory_encoder(model, coarse, logits, score, binarize):
    large = torch.nn.functional.interpolate(logits, size=(model.image_size,) * 2, mode="bilinear", align_corners=False)
    model.binarize_mask_from_pts_for_mem_enc = bool(binarize > 0)
    feature = coarse.flatten(2).permute(2, 0, 1).expand(-1, len(logits), -1)
    memory, _ = model._encode_new_memory([feature], [coarse.shape[-2:]], large, score, bool(binarize > 0))
    return (memory.flatten(2).permute(0, 2, 1),)


def official_memory_attention(model, coarse, memory, mem_tpos, ptrs, ptr_tpos):
    """Frame 3, prompted on frame 0, tracked on 1 and 2: what the example's time positions say."""
    objects, g = memory.shape[0], coarse.shape[-1]
    place = model.memory_encoder.position_encoding(torch.zeros(objects, MEMORY_DIM, g, g))
    image = lambda x: x.permute(0, 2, 1).reshape(objects, MEMORY_DIM, g, g)
    # Memories come as prompted, oldest to newest; pointers as prompted, newest to oldest.
    frame = lambda i, p: {"maskmem_features": image(memory[:, i]), "maskmem_pos_enc": [place], "obj_ptr": ptrs[:, p]}
    recalled = {"cond_frame_outputs": {0: frame(0, 0)}, "non_cond_frame_outputs": {1: frame(1, 2), 2: frame(2, 1)}}
    sequence = lambda x: x.flatten(2).permute(2, 0, 1).expand(-1, objects, -1)
    position = model.image_encoder.neck.position_encoding(torch.zeros_like(coarse))
    return (model._prepare_memory_conditioned_features(3, False, [sequence(coarse)], [sequence(position)], [(g, g)], recalled, 16),)


OFFICIAL = {"image_encoder": official_image_encoder, "mask_decoder": official_mask_decoder, "memory_encoder": official_memory_encoder, "memory_attention": official_memory_attention}


def variations(name, inputs):
    """The example, and the branches that it leaves out."""
    yield inputs
    if name == "mask_decoder":
        # Tracking: no mask, and the dummy point that stands for no points.
        one = (inputs[0][:1], *inputs[1:3], torch.zeros(1, 1, 2), -torch.ones(1, 1, dtype=torch.int64), inputs[5][:1], torch.zeros(1))
        yield one
    if name == "memory_encoder":
        yield (*inputs[:3], torch.ones(1))


def prove(model, name, path, inputs, names):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    worst = 0.0
    for given in variations(name, inputs):
        wanted = OFFICIAL[name](model, *given)
        found = session.run(None, {n: x.numpy() for n, x in zip(names, given)})
        for port, w, f in zip(session.get_outputs(), wanted, found):
            w = w.numpy().astype(np.float64)
            error = np.sqrt(np.mean((f - w) ** 2)) / max(np.sqrt(np.mean(w**2)), 1e-12)
            worst = max(worst, error)
            if not (f.shape == w.shape and error <= TOLERANCE):
                raise SystemExit(f"{name}.{port.name}: shape {f.shape}, error {error:.1e}; wanted {w.shape}, at most {TOLERANCE:.0e}")
    print(f"{name}: {path.stat().st_size / 1e6:.2f} MB, error against PyTorch at most {worst:.1e}")


def export(model, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, (module, inputs, ins, outs, free) in described(model).items():
        path = folder / f"{name}.onnx"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(module.eval(), inputs, str(path), input_names=ins, output_names=outs, dynamic_axes=free, opset_version=OPSET, dynamo=False, do_constant_folding=True)
        prove(model, name, path, inputs, ins)
    constants = {
        "no_obj_ptr": model.no_obj_ptr[0].tolist(),
        "mask_downsample_weight": model.mask_downsample.weight.flatten().tolist(),
        "mask_downsample_bias": model.mask_downsample.bias.item(),
        "image_size": model.image_size, "hidden_dim": model.hidden_dim, "mem_dim": MEMORY_DIM,
        "mean": [127 / 255] * 3, "std": [128 / 255] * 3,
    }
    (folder / "constants.json").write_text(json.dumps(constants, indent=1))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("checkpoint", type=pathlib.Path)
    p.add_argument("exported", type=pathlib.Path)
    p.add_argument("--pack", nargs=2, metavar=("CARD", "TARGET"), help="then writes the package, by pack.py")
    a = p.parse_args()
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    export(read(a.checkpoint), a.exported)
    if a.pack:
        subprocess.run([sys.executable, str(HERE / "pack.py"), str(a.exported), *a.pack], check=True)


if __name__ == "__main__":
    main()
