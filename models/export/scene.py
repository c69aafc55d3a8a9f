"""A small made-up shot: a striped ball that turns and rolls over a patchy floor. Seeded, nobody's picture."""

import numpy as np

SIDE = 256


def patches(rng, cells, levels, side):
    """Value noise in [0, 1], bilinear between `cells` x `cells` random values, in few levels so that PNG packs it."""
    grid = rng.random((cells + 1, cells + 1))
    at = np.linspace(0, cells, side, endpoint=False)
    cell, part = at.astype(int), at % 1
    rows = grid[cell] * (1 - part)[:, None] + grid[cell + 1] * part[:, None]
    full = rows[:, cell] * (1 - part) + rows[:, cell + 1] * part
    return np.round(full * (levels - 1)) / (levels - 1)


def frames(count, seed=7, side=SIDE):
    """u8 [count, side, side, 3], RGB, and the ball's masks, bool [count, side, side]."""
    rng = np.random.default_rng(seed)
    red, green, blue = patches(rng, 5, 12, side), patches(rng, 7, 12, side), patches(rng, 3, 8, side)
    floor = np.stack([60 + 90 * red, 95 + 70 * green, 50 + 50 * blue], -1)
    y, x = (np.mgrid[:side, :side] + 0.5) * (SIDE / side)
    pictures, masks = [], []
    for t in range(count):
        across, down, turn = 84 + 9 * t, 118 + 14 * np.sin(0.7 * t), 0.25 * t
        u, v = x - across, y - down
        ball = u * u + v * v < 44**2
        along = u * np.cos(turn) + v * np.sin(turn)
        stripe = (along // 11).astype(int) % 2 == 0
        colour = np.where(stripe[..., None], [215, 60, 45], [240, 220, 205])
        light = 1 - 0.35 * np.clip((u + v) / 88, 0, 1)
        picture = np.where(ball[..., None], colour * np.round(light * 16)[..., None] / 16, floor)
        pictures.append(np.round(picture).astype(np.uint8))
        masks.append(ball)
    return np.stack(pictures), np.stack(masks)
