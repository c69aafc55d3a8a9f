"""Clips kept on disk, made once and read many times: python -m train.clips FOLDER --count N --data ROOT [--cutouts GLOB ...]

A shard is three arrays of SHARD clips: frames [n,T,S,S,3] u8, masks [n,O,T,S,S/8] u8 of packed bits, and levels
[n,O] i8, NONE where a clip has fewer targets. Shard i of a seed always holds the same clips; finished ones are kept,
so the same command goes on where it was stopped, and a larger count adds to what is there.
"""
import argparse
import glob
import multiprocessing as mp
import os

import cv2
import numpy as np

from .synth import material, scene

SHARD = 50
NONE = -1


class Clips:
    """All shards of a folder, mapped, not read."""

    def __init__(self, folder):
        levels = sorted(glob.glob(f"{folder}/*.levels.npy"))
        if not levels:
            raise ValueError(f"{folder}: no shards found, wanted some made by train.clips")
        named = lambda kind: [np.load(f.replace(".levels.", f".{kind}."), mmap_mode="r") for f in levels]
        self.frames, self.masks, self.levels = named("frames"), named("masks"), [np.load(f) for f in levels]
        self.starts = np.cumsum([0] + [len(l) for l in self.levels])
        self.length, self.side = self.frames[0].shape[1:3]

    def __len__(self):
        return int(self.starts[-1])

    def clip(self, i):
        """Frames [T,S,S,3] u8, masks [targets,T,S,S] bool, levels [targets]."""
        shard = int(np.searchsorted(self.starts, i, side="right")) - 1
        j = i - self.starts[shard]
        real = self.levels[shard][j] != NONE
        masks = np.unpackbits(self.masks[shard][j][real], axis=-1).astype(bool)
        return self.frames[shard][j], masks, self.levels[shard][j][real]


def make(source, seed, i, length, side, targets, pace):
    rng = np.random.default_rng([seed, i])
    return scene.clip(source, rng, length, side, targets, pace=pace)


def _shard(source, path, number, a):
    frames = np.zeros((SHARD, a.frames, a.side, a.side, 3), np.uint8)
    masks = np.zeros((SHARD, a.targets, a.frames, a.side, a.side // 8), np.uint8)
    levels = np.full((SHARD, a.targets), NONE, np.int8)
    for j in range(SHARD):
        c = make(source, a.seed, number * SHARD + j, a.frames, a.side, a.targets, a.pace)
        n = len(c.levels)
        frames[j], masks[j, :n], levels[j, :n] = c.frames, np.packbits(c.masks, axis=-1), c.levels
    for name, array in (("frames", frames), ("masks", masks), ("levels", levels)):  # levels last: they say it is whole
        with open(f"{path}.{name}.part", "wb") as f:
            np.save(f, array)
        os.replace(f"{path}.{name}.part", f"{path}.{name}.npy")


def _work(a, first):
    cv2.setNumThreads(1)
    source = material.load(a.data, a.cutouts, a.pack)
    shards = -(-a.count // SHARD)
    for number in range(first, shards, a.workers):
        path = os.path.join(a.folder, f"{a.seed:03d}-{number:05d}")
        if not os.path.exists(path + ".levels.npy"):
            _shard(source, path, number, a)
            print(f"{path}: {number + 1} of {shards}", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder")
    p.add_argument("--count", type=int, required=True)
    p.add_argument("--data", required=True)
    p.add_argument("--cutouts", nargs="*", default=[])
    p.add_argument("--pack", help="a file that keeps the decoded pictures between calls")
    p.add_argument("--frames", type=int, default=4)
    p.add_argument("--side", type=int, default=256)
    p.add_argument("--targets", type=int, default=12)
    p.add_argument("--pace", type=float, default=0.022, help="median speed, share of the side per tick")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--workers", type=int, default=1)
    a = p.parse_args()
    os.makedirs(a.folder, exist_ok=True)
    if a.workers == 1:
        return _work(a, 0)
    crew = [mp.get_context("spawn").Process(target=_work, args=(a, i)) for i in range(a.workers)]
    for w in crew:
        w.start()
    for w in crew:
        w.join()
    if any(w.exitcode for w in crew):
        raise SystemExit("a worker failed; see above")


if __name__ == "__main__":
    main()
