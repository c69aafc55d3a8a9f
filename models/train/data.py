"""Batches of clips, made in processes of their own. Batch n of a seed is always the same."""
import os
import queue
import multiprocessing as mp
from dataclasses import dataclass

import cv2
import numpy as np

from . import prompts
from .synth import material, scene

MASK, BOX, CLICK = 0, 1, 2


@dataclass
class Batch:
    step: int
    frames: np.ndarray  # [T,N,S,S,3] RGB u8
    masks: np.ndarray  # [T,N*O,S,S] bool, the targets of a clip side by side
    ticks: np.ndarray  # [T]
    kinds: np.ndarray  # [N*O] MASK, BOX or CLICK: how the first frame is prompted
    points: list  # per target: coordinates and labels, or None for a mask


def make(source, config, step):
    rng = np.random.default_rng([config.seed, step])
    when = scene.ticks(config.frames, rng, config.gap_share)  # one clock for the batch: memories sit at the same distances
    shape = (config.frames, config.image_size, config.targets, when, config.pace)
    clips = [scene.clip(source, np.random.default_rng([config.seed, step, i]), *shape) for i in range(config.clips)]
    masks, kinds, points = [], [], []
    for c in clips:
        pick = [j % len(c.masks) for j in range(config.targets)]
        for j in pick:
            first = c.masks[j, 0]
            u = rng.random()
            kind = MASK if not c.things[j] or u < config.mask_share else BOX if u < config.mask_share + config.box_share else CLICK
            masks.append(c.masks[j])
            kinds.append(kind)
            points.append(None if kind == MASK else prompts.box(first, rng) if kind == BOX else prompts.click(first, rng))
    return Batch(step, np.stack([c.frames for c in clips], 1), np.stack(masks, 1), when, np.array(kinds), points)


def _work(config, first, stride, out):
    os.nice(5)
    cv2.setNumThreads(0)
    source = material.load(config.data, config.cutouts, config.pack or None)
    step = first
    parent = os.getppid()
    while True:
        batch = make(source, config, step)
        step += stride
        while True:
            try:
                out.put(batch, timeout=10)
                break
            except queue.Full:
                if os.getppid() != parent:  # the trainer is gone, and nobody empties the pipe
                    out.cancel_join_thread()
                    return


def stream(config, first_step):
    """Yields batches in order from `first_step` on."""
    context = mp.get_context("spawn")
    queues = [context.Queue(4) for _ in range(config.workers)]
    for i, q in enumerate(queues):
        context.Process(target=_work, args=(config, first_step + i, config.workers, q), daemon=True).start()
    step = 0
    while True:
        yield queues[step % config.workers].get(timeout=900)
        step += 1
