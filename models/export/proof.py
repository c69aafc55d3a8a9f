"""What SAM 2's own modules give for a graph's inputs, and how near the graph has to come.

None of it goes through the rewrites in graphs.py and image_encoder.py.
"""

import copy
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

sys.path.append(str(Path(__file__).resolve().parents[1]))

from train import grid, local  # noqa: E402
from train.grid import tokens  # noqa: E402
from train.lean import Lean  # noqa: E402

TOLERANCE = {"pix_feat": 1e-4, "masks": 5e-4}
"""Largest error of any number of an output, as a share of the output's root mean square where that is above 1."""
OTHERWISE = 1e-4

DOUBT = 2.0
"""An output beyond its tolerance passes if it is no further from PyTorch in fp64 than this many times PyTorch in fp32."""


def image_encoder(model, image):
    fine, middle, coarse = model.forward_image(image)["backbone_fpn"]
    bare = coarse + model.no_mem_embed.reshape(1, -1, 1, 1)
    if hasattr(model, "refine"):
        keys = model.refine.local.keys(coarse, middle)
        coarse, bare = torch.cat([coarse, keys], 1), torch.cat([bare, 0 * keys], 1)
    return fine, middle, coarse, bare


def mask_decoder(model, pix, fine, middle, coords, labels, mask, has_mask):
    clicked = hasattr(model, "clicks") and bool((labels >= 0).any())
    sparse, dense = model.sam_prompt_encoder(points=(coords, labels), boxes=None, masks=mask if has_mask > 0 and not clicked else None)
    objects, (pix, carried) = pix.shape[0], apart(model, pix)
    masks, ious, picked, score = model.sam_mask_decoder.predict_masks(
        image_embeddings=pix, image_pe=model.sam_prompt_encoder.get_dense_pe(), sparse_prompt_embeddings=sparse,
        dense_prompt_embeddings=dense, repeat_image=False,
        high_res_features=[fine.expand(objects, -1, -1, -1), middle.expand(objects, -1, -1, -1)],
    )
    if hasattr(model, "clicks"):
        own, hint = model.matching.taken(pix.flatten(2).transpose(1, 2))
        seen = own.transpose(1, 2).reshape(pix.shape), middle, fine
        hints = model.matching.prompt(hint)[0], *local.handed(tokens(carried))
        masks = model.refine.followed(seen, labels, masks, ious, hints, has_mask)
        masks, ious = model.clicks.answered(seen, coords, labels, masks, ious, mask, has_mask)
    here = (score > 0).to(score.dtype)[..., None]
    return masks, ious, here * model.obj_ptr_proj(picked) + (1 - here) * model.no_obj_ptr, score


def memory_encoder(model, coarse, logits, score, binarize):
    coarse, carried = apart(model, coarse)
    large = F.interpolate(logits, size=(model.image_size,) * 2, mode="bilinear", align_corners=False)
    model.binarize_mask_from_pts_for_mem_enc = True
    feature = coarse.flatten(2).permute(2, 0, 1).expand(-1, len(logits), -1)
    memory, _ = model._encode_new_memory([feature], [coarse.shape[-2:]], large, score, bool(binarize > 0))
    memory = memory.flatten(2).permute(0, 2, 1)
    if hasattr(model, "matching"):
        keys = tokens(carried).expand(len(logits), -1, -1)
        memory = torch.cat([memory * binarize, model.matching.recorded(tokens(coarse), logits), keys], 2)
    return (memory,)


def memory_attention(model, coarse, memory, mem_tpos, ptrs, ptr_tpos):
    """Frame 3, prompted on frame 0, tracked on 1 and 2: what `described`'s time positions say."""
    objects, g, narrow, whole = memory.shape[0], coarse.shape[-1], model.mem_dim, memory
    (coarse, carried), memory = apart(model, coarse), memory[..., :narrow]
    place = model.memory_encoder.position_encoding(torch.zeros(objects, narrow, g, g)).to(coarse.dtype)
    image = lambda x: x.permute(0, 2, 1).reshape(objects, narrow, g, g)
    # Memories come as prompted, oldest to newest; pointers as prompted, newest to oldest.
    frame = lambda i, p: {"maskmem_features": image(memory[:, i]), "maskmem_pos_enc": [place], "obj_ptr": ptrs[:, p]}
    recalled = {"cond_frame_outputs": {0: frame(0, 0)}, "non_cond_frame_outputs": {1: frame(1, 2), 2: frame(2, 1)}}
    sequence = lambda x: x.flatten(2).permute(2, 0, 1).expand(-1, objects, -1)
    position = model.image_encoder.neck.position_encoding(torch.zeros_like(coarse)).to(coarse.dtype)
    pix = model._prepare_memory_conditioned_features(3, False, [sequence(coarse)], [sequence(position)], [(g, g)], recalled, 16)
    if not hasattr(model, "matching"):
        return (pix,)
    lean, slots, found = Lean(model), mem_tpos.tolist(), []
    for one in whole:  # what the trainer's passes hand on
        old = lean.handed_on(tokens(coarse), one[None, None], slots)[1]
        found.append(local.filled(torch.cat([old, lean.nearby(tokens(carried), one[None, None], slots)], 2)))
    return (torch.cat([pix, grid.image(torch.cat(found))], 1),)


def apart(model, wide):
    """SAM 2's own channels of features, and what they carry behind."""
    return wide[:, : model.hidden_dim], wide[:, model.hidden_dim :]


OFFICIAL = {f.__name__: f for f in (image_encoder, mask_decoder, memory_encoder, memory_attention)}


def variations(name, inputs):
    """The example, and the branches that it leaves out."""
    yield inputs
    if name == "mask_decoder":
        # Tracking: no mask, and the dummy point that stands for no points.
        nothing = torch.zeros(1, 1, 2), -torch.ones(1, 1, dtype=torch.int64)
        yield (inputs[0][:1], *inputs[1:3], *nothing, inputs[5][:1], torch.zeros(1))
        yield (inputs[0][:1], *inputs[1:3], *nothing, inputs[5][:1], torch.ones(1))  # a mask alone
        yield (inputs[0][:1], *inputs[1:3], inputs[3][:1, :1], torch.ones(1, 1, dtype=torch.int64), inputs[5][:1], torch.zeros(1))  # a click
    if name == "memory_encoder":
        yield (*inputs[:3], torch.ones(1))
        yield (inputs[0], *(x[:1] for x in inputs[1:3]), inputs[3])  # one object
    if name == "memory_attention":
        coarse, memory, mem_tpos, ptrs, ptr_tpos = inputs
        yield coarse, memory[:1], mem_tpos, ptrs[:1], ptr_tpos


def in_doubles(model, name, given):
    """PyTorch's answer in fp64, by a copy of the model."""
    precise = copy.deepcopy(model).double()
    for module in precise.modules():
        if isinstance(getattr(module, "cache", None), dict):
            module.cache = {}  # position tables in fp32
        if getattr(module, "freqs_cis", None) is not None:
            module.freqs_cis = module.freqs_cis.to(torch.complex128)
    widened = [x.double() if torch.is_tensor(x) and x.is_floating_point() else x for x in given]
    torch.set_default_dtype(torch.float64)
    try:
        with _Doubles():
            return [x.numpy() for x in OFFICIAL[name](precise, *widened)]
    finally:
        torch.set_default_dtype(torch.float32)


class _Doubles(TorchFunctionMode):
    """Where SAM 2 asks for fp32 by name, it gets fp64."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        widen = lambda x: torch.float64 if x is torch.float32 else x
        function = torch.Tensor.double if function is torch.Tensor.float else function
        return function(*map(widen, args), **{name: widen(x) for name, x in (kwargs or {}).items()})


def furthest(found, wanted):
    """The largest error, as TOLERANCE counts it."""
    wanted = np.asarray(wanted, np.float64)
    if found.shape != wanted.shape or not np.isfinite(found).all():
        return np.inf
    return np.abs(found - wanted).max() / max(1.0, np.sqrt(np.mean(wanted**2)))


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 2  # warnings: a declared shape that isn't the real one is told there
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def prove(model, name, path, inputs, names):
    """Runs the graph against PyTorch, and stops where an output is too far off."""
    graph, worst, note = session(path), 0.0, ""
    for given in variations(name, inputs):
        wanted = [x.numpy() for x in OFFICIAL[name](model, *given)]
        found = graph.run(None, {n: x.numpy() for n, x in zip(names, given)})
        precise = None
        for at, (port, w, f) in enumerate(zip(graph.get_outputs(), wanted, found)):
            error, limit = furthest(f, w), TOLERANCE.get(port.name, OTHERWISE)
            worst = max(worst, error)
            if error <= limit:
                continue
            # Two computations in fp32 may both be right to their precision: fp64 decides.
            precise = precise or in_doubles(model, name, given)
            ours, theirs = furthest(f, precise[at]), furthest(w, precise[at])
            if not ours <= max(limit, DOUBT * theirs):
                raise SystemExit(
                    f"{name}.{port.name}: error {error:.1e} against PyTorch (against fp64: {ours:.1e}, where PyTorch's own "
                    f"fp32 has {theirs:.1e}), wanted at most {limit:.0e}"
                )
            note = f"; against fp64 {ours:.1e}, PyTorch's own {theirs:.1e}"
    print(f"{name}: {path.stat().st_size / 1e6:.2f} MB, error against PyTorch at most {worst:.1e}{note}")
