"""What refining makes of tracked masks, and how it is taught."""
import os
import tempfile
import unittest
from types import SimpleNamespace

import numpy as np
import torch

from .. import clips, follow, losses, refine
from ..config import Config
from ..model import build
from ..tracker import Tracker
from .test_synth import made_up

SIDE = 128
GRID = SIDE // 16


class Refine(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(6)
        torch.set_num_threads(1)
        self.refine = refine.Refine(128, SIDE).eval().requires_grad_(False)
        self.features = torch.randn(3, 128, GRID, GRID), torch.randn(1, 32, 2 * GRID, 2 * GRID), torch.randn(1, 16, 4 * GRID, 4 * GRID)
        self.masks, self.ious, self.hints = 3 * torch.randn(3, 4, 4 * GRID, 4 * GRID), torch.rand(3, 4), torch.randn(3, 3, 1, 4 * GRID, 4 * GRID)

    def followed(self, labels, which=slice(None), given=0.0):
        own, *shared = self.features
        return self.refine.followed((own[which], *shared), torch.tensor(labels), self.masks[which], self.ious[which], self.hints[:, which], torch.tensor([given]))

    def taught(self):
        self.refine.last.weight.normal_()

    def test_it_changes_nothing_until_it_is_taught(self):
        self.assertTrue(torch.equal(self.followed([[-1]] * 3), self.masks))

    def test_masks_of_what_was_clicked_or_given_stay_to_the_bit(self):
        self.taught()
        masks = self.followed([[-1, -1], [1, -1], [-1, -1]])
        self.assertEqual([torch.equal(masks[i], self.masks[i]) for i in range(3)], [False, True, False])
        self.assertTrue(torch.equal(self.followed([[-1]] * 3, given=1.0), self.masks))

    def test_the_candidates_stay_as_far_apart_as_they_were(self):
        self.taught()
        moved = self.followed([[-1]] * 3) - self.masks
        self.assertLess((moved - moved[:, :1]).abs().max().item(), 1e-5)

    def test_every_object_is_refined_as_it_would_be_alone(self):
        self.taught()
        together = self.followed([[-1]] * 3)
        for i in range(3):
            self.assertLess((self.followed([[-1]], which=slice(i, i + 1))[0] - together[i]).abs().max().item(), 1e-5)

    def test_places_like_those_inside_are_told_from_those_outside(self):
        inside = torch.zeros(1, 1, 2 * GRID, 2 * GRID)
        inside[..., : GRID] = 1
        e = torch.nn.functional.normalize(torch.cat([inside, 1 - inside, 0.1 * torch.randn(1, 14, 2 * GRID, 2 * GRID)], 1), dim=1)
        for like_inside, like_outside in (self.refine.everywhere(e, inside), self.refine.nearby(e, inside, 5)):
            left = slice(GRID - 2, GRID)
            self.assertGreater((like_inside - like_outside)[..., left].min().item(), 0.5)
            self.assertLess((like_inside - like_outside)[..., GRID : GRID + 2].max().item(), -0.5)


class Follow(unittest.TestCase):
    def test_clips_are_walked_through_back_and_forth(self):
        self.assertEqual(follow.walk(4, 0, 9), [0, 1, 2, 3, 2, 1, 0, 1, 2])
        self.assertEqual(follow.walk(4, 5, 4), [1, 0, 1, 2])

    def test_what_is_remembered_is_disturbed_about_its_edge_and_more_often_than_not(self):
        mask = torch.full((400, 1, 32, 32), -5.0)
        mask[..., 8:24, 8:24] = 5.0
        found = follow.disturbed(mask, np.random.default_rng(1))
        changed = (found != mask).flatten(1).any(1)
        self.assertTrue(0.5 < changed.float().mean() < 0.7)
        overlaps = losses.overlap(found.flatten(1), (mask > 0).float().flatten(1))[changed]
        self.assertGreater(overlaps.min().item(), 0.2)
        self.assertLess(overlaps.min().item(), 0.7)
        nothing = torch.full((40, 1, 32, 32), -5.0)
        self.assertTrue(torch.equal(follow.disturbed(nothing, np.random.default_rng(1)), nothing))

    def test_steps_on_a_clip_make_its_masks_better(self):
        torch.manual_seed(6)
        torch.set_num_threads(1)
        config = Config(image_size=SIDE, matching=True, bf16=False)
        with tempfile.TemporaryDirectory() as folder:
            clips._shard(made_up(), os.path.join(folder, "001-00000"), 0, SimpleNamespace(frames=3, side=SIDE, targets=4, pace=0.02, seed=1))
            few = clips.Clips(folder)
            few.starts = np.array([0, 4])
            tracker = Tracker(build(config).eval().requires_grad_(False), config)
            with torch.no_grad():
                network = follow.begun(tracker, few)
            tracker.model.refine = network
            opt, found = torch.optim.AdamW(network.parameters(), lr=1e-2), []
            for _ in range(50):
                opt.zero_grad()
                found.append(follow.learn(tracker, [few], 4))
                opt.step()
        self.assertLess(found[-1]["loss"], 0.5 * found[0]["loss"])
        self.assertGreater(found[-1]["refined_iou"], 0.5)


if __name__ == "__main__":
    unittest.main()
