"""The generator, on pictures made up here: no data needed."""
import unittest

import cv2
import numpy as np

from ..synth import layers, material, motion, scene
from ..synth.layers import Layer

SIDE = 128


def made_up():
    """A few textured pictures of odd sizes, with people that are coloured boxes of two parts."""
    rng = np.random.default_rng(5)
    texture = lambda h, w: cv2.resize(rng.integers(0, 255, (h // 8, w // 8, 3), dtype=np.uint8), (w, h))
    source = material.Material()
    for i in range(3):
        photo, labels = texture(231, 163), np.zeros((231, 163), np.uint8)
        labels[50:120, 40 + i : 110], labels[120:200, 50:100] = 3, 7
        source.people.append((photo, labels, material.without(photo, labels > 0)))
        source.photos.append(texture(140, 205))
        cutout = np.dstack([texture(72, 56), np.zeros((72, 56), np.uint8)])
        cv2.ellipse(cutout, (28, 36), (22, 30), 0, 0, 360, (40, 90, 200, 255), -1)
        source.cutouts.append(cutout)
    return source


def still(picture, x, y, labels=None, whole=False):
    rng = np.random.default_rng(0)
    return Layer(picture, motion.place(x, y), motion.Motion(rng, SIDE, 0, 0, 0), None, labels, whole=whole)


def fixed_camera():
    return motion.Motion(np.random.default_rng(0), SIDE, 0, 0, 0)


def square(side, colour):
    return np.dstack([np.full((side, side, 3), colour, np.uint8), np.full((side, side), 255, np.uint8)])


class Maps(unittest.TestCase):
    def test_a_still_picture_is_drawn_where_it_lies_to_the_pixel(self):
        picture = np.random.default_rng(1).integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)
        drawn, _ = still(picture, 0, 0, whole=True).draw(0, SIDE, fixed_camera(), (0, 0), np.eye(3))
        self.assertLess(np.abs(drawn[..., :3] - picture).max(), 1.0)

    def test_a_shift_moves_right_and_down_and_not_the_other_way(self):
        drawn, _ = still(square(20, 200), 30, 70).draw(0, SIDE, fixed_camera(), (10, 0), np.eye(3))
        ys, xs = np.nonzero(drawn[..., 3] > 127)
        self.assertEqual((xs.min(), xs.max(), ys.min(), ys.max()), (40, 59, 70, 89))

    def test_a_picture_drawn_small_stays_centred(self):
        layer = still(square(200, 200), 0, 0)
        layer.rest = motion.place(64, 48) @ motion.scale(0.2, 0.2) @ motion.place(-99.5, -99.5)
        drawn, _ = layer.draw(0, SIDE, fixed_camera(), (0, 0), np.eye(3))
        ys, xs = np.nonzero(drawn[..., 3] > 127)
        self.assertAlmostEqual(xs.mean(), 64, delta=0.6)
        self.assertAlmostEqual(ys.mean(), 48, delta=0.6)
        self.assertAlmostEqual(len(xs), 1600, delta=90)

    def test_labels_and_picture_move_together(self):
        picture, labels = square(60, 0), np.zeros((60, 60), np.uint8)
        picture[:, 30:, 2], labels[:, 30:] = 255, 9
        layer = still(picture, 20, 20, labels)
        layer.bend = motion.Bend(np.random.default_rng(3), SIDE, 0.05)
        drawn, labels = layer.draw(3, SIDE, fixed_camera(), (0, 0), np.eye(3))
        solid = drawn[..., 3] > 250
        self.assertGreater(((drawn[..., 2] > 127) == (labels == 9))[solid].mean(), 0.985)

    def test_a_path_starts_at_nothing_and_stays_bounded(self):
        for seed in range(20):
            path = motion.Path(np.random.default_rng(seed), 1, 1)
            self.assertEqual(path.at(0), 0)
            self.assertLess(abs(path.at(1000) - path.at(900)), 2 * abs(path.wobble) + 1e-6)


class Clips(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.source = made_up()

    def clip(self, seed, frames=5):
        return scene.clip(self.source, np.random.default_rng(seed), frames, SIDE, 4)

    def test_the_same_seed_gives_the_same_clip_and_another_seed_another(self):
        a, b, c = self.clip(4), self.clip(4), self.clip(5)
        self.assertTrue(np.array_equal(a.frames, b.frames) and np.array_equal(a.masks, b.masks))
        self.assertFalse(np.array_equal(a.frames, c.frames))

    def test_every_target_is_seen_on_the_first_frame(self):
        for seed in range(60):
            areas = self.clip(seed).masks[:, 0].sum((1, 2))
            self.assertTrue((areas > SIDE * SIDE * scene.SMALLEST_TARGET).all(), (seed, areas))

    def test_shapes_types_and_clock(self):
        c = self.clip(8)
        self.assertEqual(c.frames.shape, (5, SIDE, SIDE, 3))
        self.assertEqual(c.frames.dtype, np.uint8)
        self.assertEqual(c.masks.shape[1:], (5, SIDE, SIDE))
        self.assertEqual(c.ticks[0], 0)
        self.assertTrue((np.diff(c.ticks) >= 1).all())

    def test_things_leave_and_come_back_in_some_clips(self):
        back = 0
        for seed in range(80):
            seen = self.clip(seed).masks.any((2, 3))
            back += any((~s).any() and s[np.argmin(s) :].any() for s in seen)
        self.assertGreater(back, 2)

    def test_what_is_in_front_hides_what_is_behind(self):
        behind, front = still(square(60, 50), 20, 20), still(square(30, 250), 50, 50)
        stack = [still(np.full((SIDE, SIDE, 3), 90, np.uint8), 0, 0, whole=True), behind, front]
        claims = [[]]
        for layer in stack:
            drawn, labels = layer.draw(0, SIDE, fixed_camera(), (0, 0), np.eye(3))
            claims[0] = scene.claim(claims[0], drawn, labels)
        masks, levels = scene._targets(stack, claims, np.random.default_rng(0), 4, SIDE)
        areas = sorted(int(m[0].sum()) for m, level in zip(masks, levels) if level == scene.WHOLE)
        self.assertEqual(areas, [900, 3600 - 900])

    def test_there_are_things_and_parts_and_regions_and_never_more_than_asked_for(self):
        found = set()
        for seed in range(40):
            clip = self.clip(seed)
            self.assertLessEqual(len(clip.masks), 4)
            self.assertEqual(len(clip.masks), len(clip.levels))
            found |= set(clip.levels.tolist())
        self.assertEqual(found, {scene.REGION, scene.PART, scene.WHOLE})


class Pictures(unittest.TestCase):
    def test_a_filled_photo_keeps_the_rest_and_loses_the_person(self):
        photo = np.full((200, 160, 3), 100, np.uint8)
        hole = np.zeros((200, 160), bool)
        hole[60:150, 50:90] = True
        photo[hole] = (0, 0, 255)
        filled = material.without(photo, hole)
        self.assertTrue((filled[:, 120:] == 100).all())
        self.assertLess(np.abs(filled[hole].astype(int) - 100).max(), 12)

    def test_regions_fill_the_picture_and_follow_its_edges(self):
        picture = np.zeros((90, 131, 3), np.uint8)
        picture[:, 60:] = (40, 200, 90)
        labels = layers.regions(picture, np.random.default_rng(1), 12, 200)
        self.assertEqual(labels.shape, (90, 131))
        self.assertTrue(((labels >= 200) & (labels < 212)).all())
        across = set(np.unique(labels[:, :57])) & set(np.unique(labels[:, 64:]))
        self.assertEqual(across, set())

    def test_blobs_and_strokes_are_neither_empty_nor_everything(self):
        for seed in range(30):
            rng = np.random.default_rng(seed)
            for shape in (layers.blob(rng, 100), layers.strokes(rng, 100)):
                self.assertGreater((shape > 0).mean(), 0.002)
                self.assertLess((shape > 0).mean(), 0.95)


if __name__ == "__main__":
    unittest.main()
