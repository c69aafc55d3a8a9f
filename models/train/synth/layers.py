"""The things in a scene: a picture with alpha, its parts, and how it is drawn at each moment."""
from dataclasses import dataclass

import cv2
import numpy as np

from . import motion

# Pictures are divided into regions at this size of their shorter side: finer edges are texture.
REGIONS_SIDE_PX = 160


@dataclass
class Layer:
    """`picture` BGRA u8, straight alpha; `labels` u8, 0 outside the parts, or None."""

    picture: np.ndarray
    rest: np.ndarray  # 3x3: the picture's pixels to the frame, before anything moves
    own: motion.Motion
    bend: motion.Bend | None = None
    labels: np.ndarray | None = None
    centre: tuple = (0.0, 0.0)  # in the frame, at rest
    nearness: float = 1.0  # how much more the camera's travel shifts it than the background
    whole: bool = False  # the background: fills the frame by reflection
    away: dict | None = None  # tick to displacement in pixels: out of sight and back
    soft: float = 0.0  # defocus, pixels

    def draw(self, t, side, camera, shift, lens):
        """BGRA f32 premultiplied [side,side,4] and labels [side,side] or None, at tick `t`.

        `camera` moves everything, `shift` follows the subject, `lens` squeezes the world into the square.
        """
        m = self.own.matrix(t, self.centre)
        if self.away and t in self.away:
            m = motion.place(*self.away[t]) @ m
        middle = side / 2
        world = motion.place(*shift) @ camera.matrix(t, (middle, middle), self.nearness) @ m @ self.rest
        total = lens @ world
        picture, labels, total = smaller(self.picture, self.labels, total)
        n = side // motion.CELL_PX + 2
        maps = motion.lookup(total, side, None if self.bend is None else self.bend.field(t, n))
        border = cv2.BORDER_REFLECT_101 if self.whole else cv2.BORDER_CONSTANT
        drawn = cv2.remap(premultiplied(picture), *maps, cv2.INTER_LINEAR, borderMode=border)
        if labels is not None:
            labels = cv2.remap(labels, *maps, cv2.INTER_NEAREST, borderMode=border)
        if self.soft > 0:
            drawn = cv2.GaussianBlur(drawn, (0, 0), self.soft)
        return drawn, labels

    def speed(self, t, dt, camera, shift_then, shift_now):
        """Displacement of its centre over `dt` before `t`, pixels."""
        move = lambda s: self.own.shift(s) + camera.shift(s) * self.nearness
        return move(t) - move(t - dt) + (np.asarray(shift_now) - np.asarray(shift_then))


def smaller(picture, labels, matrix):
    """Halves the source until drawing it samples about every pixel: no aliasing."""
    size = np.sqrt(abs(np.linalg.det(matrix[:2, :2])))
    while size < 0.6 and min(picture.shape[:2]) >= 8:
        h, w = picture.shape[0] // 2, picture.shape[1] // 2
        kx, ky = picture.shape[1] / w, picture.shape[0] / h
        picture = cv2.resize(picture, (w, h), interpolation=cv2.INTER_AREA)
        if labels is not None:
            labels = cv2.resize(labels, (w, h), interpolation=cv2.INTER_NEAREST)
        # Pixel centres: (x + 0.5) scales, x does not.
        matrix = matrix @ motion.place(-0.5, -0.5) @ motion.scale(kx, ky) @ motion.place(0.5, 0.5)
        size *= np.sqrt(kx * ky)
    return picture, labels, matrix


def premultiplied(picture):
    p = picture.astype(np.float32)
    if picture.shape[2] == 3:
        return np.dstack([p, np.full(picture.shape[:2], 255, np.float32)])
    p[..., :3] *= p[..., 3:] / 255
    return p


def person(material, rng):
    """Someone cut out of a photo: BGRA and part labels."""
    photo, labels, _ = material.people[rng.integers(len(material.people))]
    solid = (labels > 0).astype(np.uint8)
    x, y, w, h = cv2.boundingRect(solid)
    inside = np.s_[y : y + h, x : x + w]
    alpha = cv2.GaussianBlur(solid[inside] * 255, (3, 3), 0)
    return np.dstack([photo[inside], alpha]), labels[inside].copy()


def photo(material, rng):
    """Any photo, people's surroundings as often as not."""
    if rng.random() < 0.6:
        whole, _, empty = material.people[rng.integers(len(material.people))]
        return empty if rng.random() < 0.7 else whole
    return material.photos[rng.integers(len(material.photos))]


def regions(picture, rng, count, first):
    """Divides a picture along its own edges: u8 labels [h,w] from `first` on, at most `count` of them."""
    h, w = picture.shape[:2]
    k = min(1.0, REGIONS_SIDE_PX / min(h, w))
    small = cv2.resize(picture[..., :3], (max(8, round(w * k)), max(8, round(h * k))), interpolation=cv2.INTER_AREA)
    seeds = np.zeros(small.shape[:2], np.int32)
    for i in range(count):
        y, x = (int(rng.integers(1, n - 1)) for n in seeds.shape)
        seeds[y - 1 : y + 1, x - 1 : x + 1] = i + 1
    grown = cv2.watershed(cv2.GaussianBlur(small, (0, 0), rng.uniform(0.5, 1.5)), seeds)
    # The lines between regions go to one of their neighbours.
    grown = np.where(grown > 0, grown, cv2.dilate(np.maximum(grown, 0).astype(np.uint8), np.ones((3, 3), np.uint8)))
    labels = (grown + (first - 1)) * (grown > 0)
    return cv2.resize(labels.astype(np.uint8), (w, h), interpolation=cv2.INTER_NEAREST)


def blob(rng, side, holes=True):
    """A random outline, u8 0 or 255, side x side: straight-edged, round or ragged."""
    n = int(rng.integers(3, 10))
    angle = np.sort(rng.uniform(0, 2 * np.pi, n))
    radius = rng.uniform(0.3, 1, n) * side * 0.48
    points = np.stack([np.cos(angle) * radius * rng.uniform(0.5, 1), np.sin(angle) * radius], 1) + side / 2
    shape = np.zeros((side, side), np.uint8)
    cv2.fillPoly(shape, [points.astype(np.int32)], 255)
    if rng.random() < 0.6:
        shape = (cv2.GaussianBlur(shape, (0, 0), side * rng.uniform(0.02, 0.07)) > 110).astype(np.uint8) * 255
    if holes and rng.random() < 0.2:
        cv2.circle(shape, tuple(int(v) for v in rng.uniform(0.3, 0.7, 2) * side), int(side * rng.uniform(0.08, 0.2)), 0, -1)
    return shape


def strokes(rng, side):
    """Thin things: poles, ropes, frames. u8 0 or 255."""
    shape = np.zeros((side, side), np.uint8)
    for _ in range(int(rng.integers(1, 5))):
        at = rng.uniform(0.1, 0.9, (int(rng.integers(2, 5)), 2)) * side
        cv2.polylines(shape, [at.astype(np.int32)], bool(rng.random() < 0.3), 255, int(rng.integers(3, max(4, side // 18))), cv2.LINE_AA)
    return shape


def textured(shape, source, rng):
    """A cut-out of `shape` with a patch of `source` as its surface."""
    side = shape.shape[0]
    if min(source.shape[:2]) < side:
        k = side / min(source.shape[:2])
        source = cv2.resize(source, None, fx=k, fy=k)[: 4 * side, : 4 * side]
    h, w = source.shape[:2]
    y, x = int(rng.integers(0, h - side + 1)), int(rng.integers(0, w - side + 1))
    return np.dstack([source[y : y + side, x : x + side], cv2.GaussianBlur(shape, (3, 3), 0)])
