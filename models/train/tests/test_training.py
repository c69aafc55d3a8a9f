"""What needs PyTorch and the model's packages (requirements.txt)."""
import os
import tempfile
import unittest

import numpy as np
import torch

from .. import attention, data, losses
from ..blend import blend
from ..config import Config
from ..model import build
from ..synth import scene
from ..tracker import Tracker
from ..train import rate
from .test_synth import made_up


class Losses(unittest.TestCase):
    def test_a_right_mask_costs_nothing_and_a_wrong_one_much(self):
        masks = torch.zeros(1, 64, 64, dtype=torch.bool)
        masks[:, 16:48, 8:40] = True
        truth = losses.targets_for(masks)
        logits = (truth[..., ::2, ::2] * 40 - 20).expand(-1, 3, -1, -1)
        right, iou = losses.mask_losses(logits, truth, Config())
        wrong, _ = losses.mask_losses(-logits, truth, Config())
        self.assertLess(right.max().item(), 0.1)
        self.assertGreater(iou.min().item(), 0.9)
        self.assertGreater(wrong.min().item(), 1.0)


class Schedule(unittest.TestCase):
    def test_the_rate_warms_up_then_falls_to_about_nothing(self):
        c = Config()
        self.assertLess(rate(0.0, 0, c), 0.1)
        self.assertGreater(rate(0.05, 1000, c), 0.98)
        self.assertLess(rate(1.0, 1000, c), 0.01)

    def test_a_configuration_survives_its_file_and_strange_settings_are_named(self):
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "config.json")
            c = Config(lr=1e-3, cutouts=["a", "b"])
            c.save(path)
            self.assertEqual(Config.load(path), c)
            with open(path, "w") as f:
                f.write('{"learning_rate": 1}')
            with self.assertRaisesRegex(ValueError, "learning_rate"):
                Config.load(path)


class Blend(unittest.TestCase):
    def test_a_quarter_of_the_second_prefers_averaged_weights_and_refuses_other_shapes(self):
        first, second = {"model": {"w": torch.zeros(2)}}, {"model": {"w": torch.ones(2) * 9}, "ema": {"w": torch.ones(2) * 4}}
        self.assertEqual(blend(first, second, 0.25)["w"].tolist(), [1.0, 1.0])
        with self.assertRaisesRegex(ValueError, "different shape"):
            blend(first, {"model": {"w": torch.ones(3)}}, 0.5)


class Attention(unittest.TestCase):
    def test_plain_products_equal_the_fused_kernel(self):
        g = torch.Generator().manual_seed(0)
        q, k, v = (torch.randn(2, 4, n, 16, generator=g) for n in (5, 9, 9))
        plain = attention._Functional.scaled_dot_product_attention(q, k, v)
        self.assertTrue(torch.allclose(plain, torch.nn.functional.scaled_dot_product_attention(q, k, v), atol=1e-6))


class Steps(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.manual_seed(0)
        torch.set_num_threads(1)
        cls.config = Config(clips=1, frames=3, targets=3, image_size=128, bf16=False, second_prompt_share=1.0, frozen_stride=0)
        cls.model = build(cls.config).eval()
        cls.source = made_up()

    def test_a_step_s_batch_is_always_the_same(self):
        a, b = (data.make(self.source, self.config, 3) for _ in range(2))
        self.assertTrue(np.array_equal(a.frames, b.frames) and np.array_equal(a.kinds, b.kinds))
        self.assertEqual(a.points, b.points)

    def test_regions_get_masks_only(self):
        for step in range(20):
            c = self.config
            when = scene.ticks(c.frames, np.random.default_rng([c.seed, step]), c.gap_share)
            clip = scene.clip(self.source, np.random.default_rng([c.seed, step, 0]), c.frames, c.image_size, c.targets, when, c.pace)
            batch = data.make(self.source, c, step)
            for i, kind in enumerate(batch.kinds):
                if not clip.things[i % len(clip.things)]:
                    self.assertEqual(kind, data.MASK)

    def test_every_part_of_the_model_learns_from_a_few_batches(self):
        self.model.zero_grad()
        for step in range(4):
            loss, _ = Tracker(self.model, self.config).clip(data.make(self.source, self.config, step))
            loss.backward()
        silent = [n for n, p in self.model.named_parameters() if p.requires_grad and (p.grad is None or not p.grad.abs().sum() > 0)]
        # Used only by settings that this model doesn't have, or by time distances a short clip doesn't reach.
        allowed = ("no_mem_pos_enc", "point_embeddings.0", "mask_downscaling", "output_hypernetworks_mlps")
        self.assertEqual([n for n in silent if not any(a in n for a in allowed)], [])
        # Of three candidate masks only the best learns, so one may stay silent; not all.
        self.assertLess(len([n for n in silent if "output_hypernetworks_mlps" in n]), 12)


if __name__ == "__main__":
    unittest.main()
