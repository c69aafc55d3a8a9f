"""What clicks make of the decoder's masks."""
import argparse
import os
import tempfile
import unittest

import numpy as np
import torch

from .. import answer, clicks, clips, data, prompts
from ..config import Config
from ..model import build
from ..tracker import Tracker
from .test_synth import made_up

SIDE = 128
GRID = SIDE // 16


class Clicks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.manual_seed(6)
        torch.set_num_threads(1)
        cls.clicks = clicks.Clicks(128, SIDE).eval().requires_grad_(False)
        cls.features = torch.randn(3, 128, GRID, GRID), torch.randn(1, 32, 2 * GRID, 2 * GRID), torch.randn(1, 16, 4 * GRID, 4 * GRID)
        cls.masks, cls.ious = 3 * torch.randn(3, 4, 4 * GRID, 4 * GRID), torch.rand(3, 4)
        cls.points = torch.rand(3, 4, 2) * SIDE

    def answered(self, labels, points=None, which=slice(None), before=None):
        own, *shared = self.features
        points = self.points[which] if points is None else points
        before, has = torch.zeros_like(self.masks[which, :1]) if before is None else before, torch.tensor([float(before is not None)])
        return self.clicks.answered((own[which], *shared), points, torch.tensor(labels), self.masks[which], self.ious[which], before, has)

    def test_where_nothing_is_clicked_the_decoders_masks_stay_to_the_bit(self):
        masks, ious = self.answered([[-1] * 4, [1, 0, -1, -1], [-1] * 4])
        for row, stays in ((0, True), (1, False), (2, True)):
            self.assertEqual(torch.equal(masks[row], self.masks[row]), stays)
            self.assertEqual(torch.equal(ious[row], self.ious[row]), stays)

    def test_every_object_is_answered_as_it_would_be_alone(self):
        labels = [[1, -1, -1, -1], [2, 3, 1, 0], [1, 1, 0, -1]]
        together, _ = self.answered(labels)
        for i in range(3):
            alone, _ = self.answered(labels[i : i + 1], which=slice(i, i + 1))
            self.assertLess((alone[0] - together[i]).abs().max().item(), 1e-5)

    def test_the_order_of_clicks_and_padding_say_nothing(self):
        one = slice(0, 1)
        wanted, _ = self.answered([[1, 0, 1, -1]], which=one)
        turned, _ = self.answered([[1, -1, 1, 0]], points=self.points[one][:, [2, 3, 0, 1]], which=one)
        self.assertLess((turned - wanted).abs().max().item(), 1e-5)

    def test_a_mask_that_is_corrected_counts_and_where_there_is_none_nothing_does(self):
        one = slice(0, 1)
        plain, _ = self.answered([[1, 0, 1, -1]], which=one)
        given, _ = self.answered([[1, 0, 1, -1]], which=one, before=torch.full((1, 1, 4 * GRID, 4 * GRID), 9.0))
        self.assertGreater((given - plain).abs().max().item(), 1e-3)

    def test_places_are_inside_a_box_up_to_its_edges(self):
        box = torch.tensor([[[32.0, 16.0], [95.0, 111.0]]])
        points, labels, told = self.clicks.pointed(box, torch.tensor([[prompts.BOX_START, prompts.BOX_END]]))
        self.assertEqual(labels.tolist(), [[prompts.BOX_START, prompts.BOX_END, clicks.BOX_MIDDLE]])
        self.assertEqual((points[0, 2] * SIDE).tolist(), [64.0, 64.0])
        inside = torch.zeros(2 * GRID, 2 * GRID)
        inside[2:14, 4:12] = 1  # squares of 8 pixels
        self.assertTrue(torch.equal(told[0, 0], inside))
        _, labels, told = self.clicks.pointed(box, torch.tensor([[1, 0]]))
        self.assertEqual((labels[0, 2].item(), told.abs().max().item()), (-1, 0.0))

    def test_likeness_begins_as_that_of_features_of_deviation_one(self):
        fresh = clicks.Clicks(128, SIDE)
        features = 7 * torch.randn(5, 128, GRID, GRID) + 3, 0.1 * torch.randn(5, 32, 2 * GRID, 2 * GRID), torch.randn(5, 16, 4 * GRID, 4 * GRID) - 2
        fresh.begin(*features)
        for x in fresh.alike(*features):
            rows = x.permute(1, 0, 2, 3).flatten(1)
            self.assertLess(rows.mean(1).abs().max().item(), 1e-3)
            self.assertLess((rows.std(1) - 1).abs().max().item(), 1e-3)


class Answers(unittest.TestCase):
    def test_what_a_clip_shows_makes_batches_of_every_kind_and_steps_make_answers_better(self):
        torch.manual_seed(6)
        torch.set_num_threads(1)
        config = Config(image_size=SIDE, matching=True, bf16=False)
        with tempfile.TemporaryDirectory() as folder:
            settings = argparse.Namespace(frames=3, side=SIDE, targets=4, pace=0.02, seed=1)
            clips._shard(made_up(), os.path.join(folder, "001-00000"), 0, settings)
            few = clips.Clips(folder)
            few.starts = np.array([0, 4])
            model = build(config).eval().requires_grad_(False)
            seen = answer.see_all(Tracker(model, config), few, os.path.join(folder, "seen"))
            self.assertEqual(len(os.listdir(os.path.join(folder, "seen"))), 4)
        kinds = {b.kind: b for b in (answer.batch(seen, n) for n in range(20))}
        self.assertEqual(set(kinds), {answer.TRACKED, data.BOX, data.CLICK})
        self.assertTrue(np.array_equal(answer.batch(seen, 3).masks, answer.batch(seen, 3).masks))
        fresh = clicks.Clicks(config.hidden_dim, SIDE)
        fresh.begin(*(torch.from_numpy(np.stack([s[name][0] for s in seen])).float() for name in ("coarse", "middle", "fine")))
        opt, scores = torch.optim.AdamW(fresh.parameters(), lr=3e-3), []
        for _ in range(25):
            opt.zero_grad()
            loss, report = answer.answers(fresh, kinds[data.CLICK], 1, config, learn=True)
            opt.step()
            scores.append(loss)
        self.assertLess(scores[-1], 0.8 * scores[0])
        self.assertEqual(set(report), {"click0", "click1"})
        self.assertEqual(set(answer.answers(fresh, kinds[answer.TRACKED], 0, config)[1]), {"tracked0"})


if __name__ == "__main__":
    unittest.main()
