"""Gives a model that was trained without matching a matching to begin with: python -m train.begin_matching FIRST PICTURES OUT

FIRST is a checkpoint or a package of SAM 2's own 64 memory channels. Keys become the principal components of its features
over PICTURES (a glob), the hint takes the directions in which features vary least, and logits are the mean of the decoder's
and the hint's. The small memory encoder is fitted to what SAM 2's makes of masks; nothing else is trained.
"""
import argparse
import glob

import cv2
import torch
from torch.nn import functional as F
from sam2.modeling.memory_encoder import MaskDownSampler

from . import data, matching
from .config import Config, shape
from .grid import tokens
from .lean import enlarged
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
    """The weights of 64 memory channels as those of the wider memory, but for the memory encoder's way of masks."""
    more = matching.MEMORY_CHANNELS - matching.SAM_CHANNELS
    state, times = dict(state), state["maskmem_tpos_enc"]
    state["maskmem_tpos_enc"] = torch.cat([times, times.new_zeros(*times.shape[:-1], more)], -1)
    outer, inner = (state[f"memory_encoder.{n}.weight"].flatten(1) for n in ("out_proj", "pix_feat_proj"))
    state["memory_encoder.picture.weight"] = outer @ inner
    state["memory_encoder.picture.bias"] = outer @ state["memory_encoder.pix_feat_proj.bias"] + state["memory_encoder.out_proj.bias"]
    state["memory_encoder.absent"] = state["no_obj_embed_spatial"][0]
    for name in ("obj_ptr_tpos_proj.weight", "obj_ptr_tpos_proj.bias"):  # a pointer's two halves were told time alike
        state[name] = torch.cat([state[name]] * 2)
    return state


def blots(count, side, g):
    """Logits [count,1,side,side] of made-up masks, with edges of any softness."""
    noise = sum(F.interpolate(torch.randn(count, 1, n, n, generator=g), size=(side, side), mode="bicubic") for n in (3, 6, 12))
    level, steepness = torch.randn(count, 1, 1, 1, generator=g), torch.rand(count, 1, 1, 1, generator=g) * 3 + 0.5
    return (noise + level) * steepness.exp()


def fit(memory, weights, side, steps=600):
    """Fits the memory encoder's way of masks to SAM 2's, of a checkpoint's weights."""
    d = weights["memory_encoder.pix_feat_proj.bias"].numel()
    theirs = MaskDownSampler(embed_dim=d, kernel_size=3, stride=2, padding=1)
    name = "memory_encoder.mask_downsampler."
    theirs.load_state_dict({k.removeprefix(name): v for k, v in weights.items() if k.startswith(name)})
    outer, g = weights["memory_encoder.out_proj.weight"], torch.Generator().manual_seed(1)
    opt = torch.optim.Adam(memory.mask.parameters(), lr=4e-3)
    plan = torch.optim.lr_scheduler.CosineAnnealingLR(opt, steps)
    for step in range(steps):
        shown, binary = blots(8, side // 4, g), float(step % 4 == 0)
        with torch.no_grad():
            wanted = F.conv2d(theirs(enlarged(shown, side, binary > 0) * 20 - 10), outer)
        with torch.enable_grad():
            loss = (memory.mask(memory.seen(shown, binary)) - wanted).square().mean() / wanted.var()
            opt.zero_grad()
            loss.backward()
        opt.step()
        plan.step()
    print(f"masks in memory: {loss.item():.3f} of the variance is not explained", flush=True)


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
    model.sam_prompt_encoder.mask_downscaling[0].weight /= m.own_share
    model.mask_downsample.weight *= m.own_share
    model.mask_downsample.bias *= m.own_share


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
    torch.manual_seed(1)  # of the weights that are fitted
    first = starting_point(a.first)
    if first.get("matching"):
        p.error(f"{a.first}: has a matching already, wanted a model without one")
    config = Config(**{**shape(first), "matching": True})
    config.image_size = a.image_size or config.image_size
    model = build(config).eval()
    model.matching.free.zero_()  # nothing is cleared yet
    weights = first.get("ema") or first["model"]
    left = load_weights(model, widened(weights))
    print(f"{a.first}: {len(left)} tensors stay as built {left}", flush=True)
    begin(model, features(model, paths))
    fit(model.memory_encoder, weights, model.image_size)
    torch.save({"model": model.state_dict(), "step": 0, **shape(vars(config))}, a.out)


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    main()
