"""Weighted mean of two checkpoints of one shape: python -m train.blend FIRST SECOND SHARE OUT (SHARE of the second).

A short run from a trained model forgets some of what that model knew; between the two lies often a better one.
"""
import argparse

import torch

from .config import shape, weights_of


def blend(first, second, share):
    """Averaged weights of both, mixed; `share` is the second's, 0 to 1."""
    a, b = map(weights_of, (first, second))
    if a.keys() != b.keys() or any(a[k].shape != b[k].shape for k in a):
        raise ValueError("blend: the checkpoints are of models of different shape, wanted equal ones")
    return {k: torch.lerp(a[k], b[k], share) if a[k].is_floating_point() else b[k] for k in b}


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("first")
    p.add_argument("second")
    p.add_argument("share", type=float)
    p.add_argument("out")
    a = p.parse_args()
    if not 0 <= a.share <= 1:
        p.error(f"share: {a.share}, wanted 0 to 1")
    first, second = (torch.load(f, map_location="cpu", weights_only=True) for f in (a.first, a.second))
    torch.save({"model": blend(first, second, a.share), "step": second.get("step", 0), **shape(second)}, a.out)


if __name__ == "__main__":
    main()
