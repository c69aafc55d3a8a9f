"""How things move: smooth random paths, and the maps that draw a picture where it has moved to."""
import math

import cv2
import numpy as np

# Maps are computed at one node per cell and interpolated: exact for affine motion, smooth for the rest.
CELL_PX = 16


class Path:
    """A smooth random value over time, 0 at time 0, that does not run away over long gaps."""

    def __init__(self, rng, drift, wobble):
        self.drift, self.wobble = rng.normal(0, drift), rng.normal(0, wobble)
        self.rate, self.phase = rng.uniform(0.3, 1.1), rng.uniform(0, 2 * math.pi)

    def at(self, t):
        far = 5 * math.tanh(t / 5)
        return self.drift * far + self.wobble * (math.sin(self.rate * t + self.phase) - math.sin(self.phase))


class Motion:
    """Moves, turns, scales, shears and tilts about a centre. `speed` is a share of the frame's side per tick."""

    def __init__(self, rng, side, speed, turn=0.05, zoom=0.04, tilt=0.0):
        self.side, self.tilt = side, tilt
        self.x, self.y = Path(rng, speed, speed * 0.7), Path(rng, speed, speed * 0.7)
        self.turn, self.zoom = Path(rng, turn * 0.6, turn), Path(rng, zoom, zoom)
        self.shear, self.stretch = Path(rng, turn * 0.3, turn * 0.5), Path(rng, zoom * 0.3, zoom * 0.7)
        self.tilt_x, self.tilt_y = Path(rng, tilt * 0.5, tilt), Path(rng, tilt * 0.5, tilt)

    def shift(self, t):
        """Displacement in pixels."""
        return np.array([self.x.at(t), self.y.at(t)]) * self.side

    def matrix(self, t, centre, share=1.0):
        """3x3, frame to frame, about `centre`; `share` scales the shift, for parallax."""
        a, s, k = self.turn.at(t), math.exp(np.clip(self.zoom.at(t), -0.7, 0.7)), self.stretch.at(t)
        turn = np.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]]) * s
        bend = np.array([[1 + k, self.shear.at(t)], [0, 1 - k]])
        m = np.eye(3)
        m[:2, :2] = turn @ bend
        tilt = np.eye(3)
        tilt[2, :2] = np.clip([self.tilt_x.at(t), self.tilt_y.at(t)], -0.6, 0.6) / self.side
        dx, dy = self.shift(t) * share
        return place(centre[0] + dx, centre[1] + dy) @ m @ tilt @ place(-centre[0], -centre[1])


class Bend:
    """Non-rigid motion: a smooth displacement field whose nodes swing each in their own time."""

    def __init__(self, rng, side, amount, nodes=4):
        self.side = side
        self.still = rng.normal(0, amount * side * 0.5, (nodes, nodes, 2))
        self.swing = rng.normal(0, amount * side, (nodes, nodes, 2))
        self.rate, self.phase = rng.uniform(0.3, 1.2, (nodes, nodes, 1)), rng.uniform(0, 2 * math.pi, (nodes, nodes, 1))

    def field(self, t, size):
        """[size, size, 2] pixels."""
        nodes = self.still + self.swing * np.sin(self.rate * t + self.phase)
        return cv2.resize(nodes.astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)


def place(x, y):
    m = np.eye(3)
    m[0, 2], m[1, 2] = x, y
    return m


def scale(x, y):
    return np.diag([x, y, 1.0])


def lookup(matrix, side, bend=None):
    """The two maps for cv2.remap that draw a source moved by `matrix` (source to frame) in a side x side frame."""
    n = side // CELL_PX + 2
    at = ((np.arange(n) - 0.5) * CELL_PX - 0.5).astype(np.float32)
    x, y = np.meshgrid(at, at)
    if bend is not None:
        x, y = x + bend[..., 0], y + bend[..., 1]
    p = np.linalg.inv(matrix) @ np.stack([x.ravel(), y.ravel(), np.ones(n * n)])
    p = (p[:2] / np.maximum(p[2:], 1e-3)).reshape(2, n, n).astype(np.float32)
    inner = slice(CELL_PX, CELL_PX + side)
    full = (n * CELL_PX, n * CELL_PX)
    return [cv2.resize(c, full, interpolation=cv2.INTER_LINEAR)[inner, inner] for c in p]


def smear(picture, dx, dy):
    """Motion blur along (dx, dy), in pixels."""
    n = int(min(31, max(abs(dx), abs(dy)))) | 1
    if n < 3:
        return picture
    kernel = np.zeros((n, n), np.float32)
    c = n // 2
    k = c / max(abs(dx), abs(dy))
    cv2.line(kernel, (round(c - dx * k), round(c - dy * k)), (round(c + dx * k), round(c + dy * k)), 1.0)
    return cv2.filter2D(picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT_101)
