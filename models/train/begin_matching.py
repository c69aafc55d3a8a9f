"""Gives a model that was trained without matching a matching to begin with: python -m train.begin_matching FIRST PICTURES OUT

FIRST is a checkpoint or a package of SAM 2's own 64 memory channels. Keys become the principal components of its features
over PICTURES (a glob), the hint takes the directions in which features vary least, and the hint's
logits are added to the decoder's. Nothing is trained.
"""
import argparse
import glob

import cv2
import torch

from . import data, matching
from .config import Config, shape, weights_of
from .grid import tokens
from .model import build, load_weights
from .train import starting_point

MOST_PICTURES = 80
NEARNESS = 0.5  # of recent frames, in NEARNESS_SCALE: a deviation of a tenth of the side


def features(model, paths):
    """[N,D]: what the neck gives over pictures, uncleared."""
    encoder = model.image_encoder
    pictures = (data.square(cv2.imread(path), model.image_size) for path in paths)
    return torch.cat([tokens(encoder.neck(encoder.trunk(picture))[0][2])[0] for picture in pictures])


def widened(state):
    """The weights of 64 memory channels as those of the wider memory."""
    more = matching.MEMORY_CHANNELS - matching.SAM_CHANNELS
    state, times = dict(state), state["maskmem_tpos_enc"]
    state["maskmem_tpos_enc"] = torch.cat([times, times.new_zeros(*times.shape[:-1], more)], -1)
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
    if first.get("matching"):
        p.error(f"{a.first}: has a matching already, wanted a model without one")
    config = Config(**{**shape(first), "matching": True})
    config.image_size = a.image_size or config.image_size
    model = build(config).eval()
    model.matching.free.zero_()  # nothing is cleared yet
    left = load_weights(model, widened(weights_of(first)))
    print(f"{a.first}: {len(left)} tensors stay as built {left}", flush=True)
    begin(model, features(model, paths))
    torch.save({"model": model.state_dict(), "step": 0, **shape(vars(config))}, a.out)


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    main()
