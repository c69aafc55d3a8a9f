"""Gives a model that was trained without matching a matching to begin with: python -m train.begin_matching FIRST PICTURES OUT

FIRST is a checkpoint or a package of SAM 2's own 64 memory channels. Keys become the principal components of its features
over PICTURES (a glob), the hint takes the directions in which features vary least, and logits are the mean of the decoder's
and the hint's. No gradient has a part in it.
"""
import argparse
import glob

import cv2
import numpy as np
import torch

from . import matching
from .config import Config
from .model import build, load_weights
from .train import starting_point

MOST_PICTURES = 80
NEARNESS = 0.5  # of recent frames, in NEARNESS_SCALE: a deviation of a tenth of the side


def features(model, paths):
    """[N,D]: what the neck gives over pictures, uncleared."""
    rows = []
    for path in paths:
        picture = cv2.resize(cv2.imread(path), (model.image_size,) * 2, interpolation=cv2.INTER_AREA)[..., ::-1]
        picture = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float()
        fine_to_coarse, _ = model.image_encoder.neck(model.image_encoder.trunk((picture - 127) / 128))
        rows.append(fine_to_coarse[2].flatten(2)[0].t())
    return torch.cat(rows)


def widened(state):
    """The weights of 64 memory channels as those of the wider memory."""
    more = matching.MEMORY_CHANNELS - matching.SAM_CHANNELS
    pad = lambda x: torch.cat([x, x.new_zeros(*x.shape[:-1], more)], -1)
    state = dict(state)
    state["maskmem_tpos_enc"] = pad(state["maskmem_tpos_enc"])
    for name in ("obj_ptr_tpos_proj.weight", "obj_ptr_tpos_proj.bias"):  # a pointer's two halves were told time alike
        state[name] = torch.cat([state[name]] * 2)
    return state


@torch.no_grad()
def begin(model, rows):
    """Sets the matching by features [N,D], and what must agree with it."""
    m = model.matching
    mean = rows.mean(0)
    directions = torch.linalg.eigh(torch.cov(rows.t()))[1].t().flip(0)  # by how much features vary along them
    m.key.weight.copy_(directions[: matching.KEY_CHANNELS])
    m.key.bias.copy_(-m.key.weight @ mean)
    m.free.copy_(directions[-matching.LABEL_CHANNELS :])
    model.no_mem_embed.copy_(m.cleared(model.no_mem_embed))
    model.maskmem_tpos_enc[:-1, ..., -1] = NEARNESS
    model.maskmem_tpos_enc[-1, ..., -1] = 0.0
    # Masks become half as large; where they come back as prompts, that is undone.
    model.sam_prompt_encoder.mask_downscaling[0].weight /= m.mix[0]
    model.mask_downsample.weight *= m.mix[0]
    model.mask_downsample.bias *= m.mix[0]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("first")
    p.add_argument("pictures")
    p.add_argument("out")
    p.add_argument("--image-size", type=int, help="the model's own unless given")
    a = p.parse_args()
    paths = sorted(glob.glob(a.pictures, recursive=True))
    paths = paths[:: max(1, len(paths) // MOST_PICTURES)]
    if not paths:
        p.error(f"pictures: nothing matches {a.pictures}")
    first = starting_point(a.first)
    shape = {k: first[k] for k in ("image_size", "hidden_dim", "layers", "trunk") if k in first}
    shape["image_size"] = a.image_size or first.get("image_size", first.get("R"))
    model = build(Config(**shape)).eval()
    model.matching.free.zero_()  # nothing is cleared yet
    left = load_weights(model, widened(first.get("ema") or first["model"]))
    print(f"{a.first}: {len(left)} tensors stay as built {left}", flush=True)
    begin(model, features(model, paths))
    torch.save({"model": model.state_dict(), "step": 0, **shape}, a.out)


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    main()
