"""Trains rotomask-nano: python -m train.train OUT [--minutes N] [--init CHECKPOINT or NAME.rotomodel] [settings of config.py].

OUT holds config.json, curves.jsonl and checkpoint.pt; the same command goes on from them. The learning
rate follows the clock: the run ends when its minutes are over, whatever the machine did meanwhile.
"""
import argparse
import json
import math
import os
import signal
import sys
import time

import torch
from torch import nn

from . import data
from . import config as settings
from .model import build, freeze, load_weights
from .tracker import Tracker


# What only a clip can teach.
MEMORY = ("memory_", "maskmem_", "obj_ptr", "no_obj", "mask_downsample", "matching.")


def rate(progress, step, config):
    """Share of the full learning rate: a warm-up by steps, then a cosine by the clock."""
    warm = min(1.0, (step + 1) / config.warmup_steps)
    return warm * (0.5 * (1 + math.cos(math.pi * min(1.0, progress))) + 0.005)


def optimiser(model, config):
    trunk = set(map(id, model.image_encoder.trunk.parameters()))
    groups = {}
    for name, p in model.named_parameters():
        if p.requires_grad:
            share = config.trunk_lr_share if id(p) in trunk else config.memory_lr_share if name.startswith(MEMORY) else 1.0
            # Biases, norms and embeddings of one row aren't decayed.
            groups.setdefault((share, p.ndim > 1), []).append(p)
    return torch.optim.AdamW(
        [{"params": ps, "share": share, "weight_decay": config.weight_decay if d else 0.0} for (share, d), ps in groups.items()],
        lr=config.lr, betas=(0.9, 0.98),
    )


def starting_point(path):
    """A checkpoint, or a model package as one."""
    if os.path.isdir(path):
        sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "export"))
        import unpack  # needs onnx, which training alone doesn't

        return unpack.read(path)
    return torch.load(path, map_location="cpu", weights_only=True)


def save(path, **state):
    torch.save(state, path + ".part")
    os.replace(path + ".part", path)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("out")
    p.add_argument("--until", help="end at this UTC time today, HH:MM, instead of after --minutes")
    p.add_argument("--steps", type=int, help="stop after this many steps: for trials")
    settings.add_arguments(p)
    args = p.parse_args()
    os.makedirs(args.out, exist_ok=True)
    paths = {n: os.path.join(args.out, n) for n in ("config.json", "curves.jsonl", "checkpoint.pt")}
    resumed = torch.load(paths["checkpoint.pt"], map_location="cpu", weights_only=True) if os.path.exists(paths["checkpoint.pt"]) else None
    c = settings.from_arguments(args, settings.Config.load(paths["config.json"]) if resumed else settings.Config())
    c.save(paths["config.json"])

    torch.set_num_threads(c.threads)
    torch.manual_seed(c.seed)
    device = torch.device(c.device)
    model = build(c, pretrained=not (resumed or c.init))
    if not resumed and c.init:
        fresh = load_weights(model, settings.weights_of(starting_point(c.init)))
        print(f"{c.init}: {len(fresh)} tensors stay as built {fresh[:4]}", flush=True)
    if resumed:
        model.load_state_dict(resumed["model"])
    freeze(model, c)
    # Running means and variances stay ImageNet's: batches are too alike to re-estimate them.
    model.to(device, memory_format=torch.channels_last).eval()
    opt = optimiser(model, c)
    ema = {k: v.detach().clone() for k, v in model.state_dict().items()}
    step, spent = 0, 0.0
    if resumed:
        opt.load_state_dict(resumed["optimiser"])
        ema = {k: v.to(device) for k, v in resumed["ema"].items()}
        step, spent = resumed["step"], resumed["spent_s"]
    began = time.time()
    if args.until:
        hour, minute = map(int, args.until.split(":"))
        now = time.gmtime(began)
        left = ((hour - now.tm_hour) * 60 + minute - now.tm_min) % (24 * 60) * 60 - now.tm_sec
    else:
        left = c.minutes * 60 - spent
    whole = spent + left

    def checkpoint():
        save(paths["checkpoint.pt"], model=model.state_dict(), ema=ema, optimiser=opt.state_dict(), step=step, spent_s=spent + time.time() - began,
             **settings.shape(vars(c)))

    tracker, last_save, curve, waited, last_log = Tracker(model, c), time.time(), {}, 0.0, time.time()
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))  # ends after the step, with a checkpoint
    live = dict(model.named_parameters())
    batches = data.Stream(c, step * c.accumulate)
    with open(paths["curves.jsonl"], "a") as log:
        while True:
            progress = (spent + time.time() - began) / whole
            if progress >= 1 or stop or (args.steps is not None and step >= args.steps):
                break
            for g in opt.param_groups:
                g["lr"] = c.lr * g["share"] * rate(progress, step, c)
            opt.zero_grad(set_to_none=True)
            batches.progress, total = progress, 0.0
            for _ in range(c.accumulate):
                asked = time.time()
                batch = next(batches)
                waited += time.time() - asked
                loss, report = tracker.run(batch, progress)
                (loss / c.accumulate).backward()
                total += loss.item() / c.accumulate
                for k, v in report.items():
                    curve.setdefault(k, []).append(v)
            norm = nn.utils.clip_grad_norm_(live.values(), c.clip_norm)
            if torch.isfinite(norm):
                opt.step()
            step += 1
            keep = min(c.ema, (1 + step) / (10 + step))
            with torch.no_grad():
                moving = [k for k in live if live[k].requires_grad]
                torch._foreach_lerp_([ema[k] for k in moving], [live[k].detach() for k in moving], 1 - keep)
            for k, v in {"loss": total, "norm": float(norm)}.items():
                curve.setdefault(k, []).append(v)
            if step % c.log_steps == 0:
                line = {"step": step, "minutes": round((spent + time.time() - began) / 60, 2), "left": round((1 - progress) * whole / 60, 1),
                        "lr": round(c.lr * rate(progress, step - 1, c), 7), "step_s": round((time.time() - last_log) / c.log_steps, 2), "waited_s": round(waited / c.log_steps, 2)}
                line.update({k: round(sum(v) / len(v), 4) for k, v in curve.items()})
                log.write(json.dumps(line) + "\n")
                log.flush()
                print(line, flush=True)
                curve, waited, last_log = {}, 0.0, time.time()
            if time.time() - last_save > c.save_minutes * 60:
                checkpoint()
                last_save = time.time()
    checkpoint()
    print(f"{paths['checkpoint.pt']}: step {step}, {'stopped' if stop else 'done'}", flush=True)


if __name__ == "__main__":
    main()
