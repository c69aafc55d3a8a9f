"""Teaches one network of a model and leaves all else as it is: what train.answer and train.follow share.

OUT/checkpoint.pt is the whole model, with averaged weights of what is taught; OUT/curves.jsonl has the figures. The same command goes
on where it was stopped. The learning rate follows the clock.
"""
import json
import os
import time

import torch
from torch import nn

from .config import Config, shape, weights_of
from .model import build, load_weights
from .train import rate, save, starting_point

WARMUP = Config(warmup_steps=40)
EMA = 0.997
SAVE_S, LOG_STEPS = 120, 50


def add_arguments(parser, minutes, lr):
    parser.add_argument("out")
    parser.add_argument("--minutes", type=float, default=minutes)
    parser.add_argument("--lr", type=float, default=lr)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--anew", action="store_true", help="forget what was taught before")
    parser.add_argument("--steps", type=int, help="stop after this many steps: for trials")


def opened(parser, a):
    """The model that `a.first` names, its configuration, and the names of weights that it doesn't have."""
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    os.makedirs(a.out, exist_ok=True)
    first = starting_point(a.first)
    if not first.get("matching"):
        parser.error(f"{a.first}: has no matching, wanted a model that begin_matching.py or this wrote")
    config = Config(**{**shape(first), "bf16": False})
    model = build(config).eval().requires_grad_(False)
    return model, config, load_weights(model, weights_of(first))


def teach(a, model, config, name, learn):
    """Teaches `model`'s network `name`. `learn(step)` adds up the gradients of a step and gives figures by name."""
    network = getattr(model, name).requires_grad_(True)
    opt = torch.optim.AdamW(network.parameters(), lr=a.lr, weight_decay=0.01, betas=(0.9, 0.99))
    ema = {key: v.clone() for key, v in network.state_dict().items()}
    path, step, spent = os.path.join(a.out, "checkpoint.pt"), 0, 0.0
    if os.path.exists(path):
        resumed = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict(resumed["taught"])
        opt.load_state_dict(resumed["optimiser"])
        ema, step, spent = resumed["ema_taught"], resumed["step"], resumed["spent_s"]
    began = saved = logged = time.time()

    def checkpoint():
        whole = {**model.state_dict(), **{f"{name}.{key}": v for key, v in ema.items()}}
        save(path, model=whole, taught=network.state_dict(), ema_taught=ema, optimiser=opt.state_dict(), step=step, spent_s=spent + time.time() - began, **shape(vars(config)))

    curve = {}
    with open(os.path.join(a.out, "curves.jsonl"), "a") as log:
        while (progress := (spent + time.time() - began) / (a.minutes * 60)) < 1 and (a.steps is None or step < a.steps):
            for group in opt.param_groups:
                group["lr"] = a.lr * rate(progress, step, WARMUP)
            opt.zero_grad(set_to_none=True)
            figures = learn(step)
            norm = nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            if torch.isfinite(norm):
                opt.step()
            step += 1
            keep = min(EMA, (1 + step) / (10 + step))
            for key, v in network.state_dict().items():
                ema[key].lerp_(v, 1 - keep)
            for key, v in figures.items():
                curve.setdefault(key, []).append(v)
            if step % LOG_STEPS == 0:
                line = {"step": step, "left": round((1 - progress) * a.minutes, 1), "step_s": round((time.time() - logged) / LOG_STEPS, 2)}
                line.update({key: round(sum(v) / len(v), 4) for key, v in sorted(curve.items())})
                log.write(json.dumps(line) + "\n")
                log.flush()
                print(line, flush=True)
                curve, logged = {}, time.time()
            if time.time() - saved > SAVE_S:
                checkpoint()
                saved = time.time()
    checkpoint()
    print(f"{path}: step {step}, done", flush=True)
