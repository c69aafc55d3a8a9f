"""Labels handed on by likeness."""
import unittest

import torch

from .. import begin_matching, grid, matching
from ..config import Config
from ..lean import Lean
from ..model import build

SIDE = 128
GRID = SIDE // 16


class Matching(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.manual_seed(5)
        torch.set_num_threads(1)
        cls.model = build(Config(image_size=SIDE, matching=True)).eval().requires_grad_(False)
        cls.lean = Lean(cls.model)
        cls.frames = torch.randn(2, 3, SIDE, SIDE)
        features = cls.model.image_encoder.trunk(cls.frames)
        begin_matching.begin(cls.model, grid.tokens(cls.model.image_encoder.neck(features)[0][2]).flatten(0, 1))

    def mask(self):
        """A block of squares, as logits."""
        shown = torch.full((1, SIDE // 4, SIDE // 4), -10.0)
        shown[:, 8:20, 4:16] = 10.0
        return shown

    def test_the_hint_comes_back_as_it_was_put_in_and_leaves_the_other_features(self):
        rows, hint = torch.randn(2, GRID * GRID, self.model.hidden_dim), torch.randn(2, GRID * GRID, 16)
        m = self.model.matching
        left, found = m.taken(m.carried(rows, hint))
        self.assertLess((found - hint).abs().max().item(), 1e-4)
        self.assertLess((left - m.cleared(rows)).abs().max().item(), 1e-4)

    def test_features_of_the_encoder_carry_no_hint(self):
        _, _, rows = self.lean.features(self.frames)
        for seen in (rows, self.lean.unremembered(rows)):
            seen, _ = self.lean.apart(seen)
            self.assertLess(self.model.matching.taken(seen)[1].abs().max().item(), 1e-3)

    def test_a_mask_is_handed_on_to_the_same_picture(self):
        _, _, rows = self.lean.features(self.frames[:1])
        memory = self.lean.remember(rows, self.mask()[:, None], torch.ones(1, 1), True)
        pix = self.lean.condition(rows, [memory], [6], torch.zeros(1, 0, self.model.hidden_dim), torch.zeros(0))
        hint = matching.pixels(self.model.matching.taken(self.lean.apart(pix)[0])[1])
        self.assertGreater(((hint > 0) == (self.mask() > 0)).float().mean().item(), 0.97)

    def test_memories_carry_whose_picture_they_are_and_the_mask_itself(self):
        _, _, rows = self.lean.features(self.frames)
        shown = torch.randn(6, 1, SIDE // 4, SIDE // 4)
        found = self.lean.remember(rows, shown, torch.ones(6, 1), False)
        self.assertTrue(torch.equal(matching.pixels(found[..., matching.LABELS]), shown[:, 0].sigmoid()))
        keys, (own, quarters) = found[..., matching.OF_FRAME[0]], self.lean.apart(rows)
        self.assertTrue(torch.equal(keys, self.model.matching.keys(own).repeat_interleave(3, 0)))
        self.assertTrue(torch.equal(found[..., matching.OF_FRAME[1]], quarters.repeat_interleave(3, 0)))

    def test_what_is_unlike_counts_for_nothing_and_makes_no_denormal_numbers(self):
        """One square asks two: one like it, one that couldn't be less so."""
        answers, labels = torch.tensor([[40.0], [-90.0]]), torch.tensor([[0.25], [1.0]])
        found, old, share = matching.recalled(torch.ones(1, 1), answers, labels, torch.ones(2, 1))
        self.assertEqual(found.item(), 0.25)
        self.assertAlmostEqual(old.item(), 0.25, places=5)
        self.assertEqual(share.item(), 1.0)
        self.assertGreater(torch.softmax(answers.clamp(min=matching.LEAST_LIKENESS), 0)[1].item(), torch.finfo(torch.float32).tiny)

    def test_nearness_is_the_squared_distance_whatever_the_frame(self):
        m, at = self.model.matching, matching.places(GRID)
        keys = torch.zeros(len(at), matching.KEY_CHANNELS)
        rows = torch.randn(len(at), self.model.hidden_dim)
        near = m.questions(rows, at) @ m.answers(keys, torch.full((len(at), 1), 3.0), at).t()
        self.assertLess((near + 3 * torch.cdist(at, at).square()).abs().max().item(), 1e-4)


if __name__ == "__main__":
    unittest.main()
