"""Labels handed on between quarters of squares."""
import unittest

import torch

from .. import grid, local, matching

SIDE = 128
GRID = SIDE // 16


class Local(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(8)
        torch.set_num_threads(1)
        self.local = local.Local(64, SIDE).eval().requires_grad_(False)
        self.local.sharpness.fill_(4.0)
        self.local.nearness.zero_()
        # No two quarters look alike.
        self.picture = torch.nn.functional.normalize(torch.randn(1, local.KEY_CHANNELS, 2 * GRID, 2 * GRID), dim=1)
        self.mask = torch.rand(1, 4 * GRID, 4 * GRID)

    def rows(self, picture):
        """Keys of quarters [1,C,2g,2g] as rows carry them."""
        return grid.tokens(picture.reshape(1, -1, GRID, 2, GRID, 2).permute(0, 3, 5, 1, 2, 4).reshape(1, -1, GRID, GRID))

    def labels(self, mask):
        return matching.squares(mask).reshape(1, 1, -1, 4)

    def found(self, questions, answers, masks, kinds=(local.LATEST,)):
        answers, labels = torch.stack([self.rows(x) for x in answers], 1), torch.cat([self.labels(m) for m in masks], 1)
        hint = self.local.hint(self.rows(questions), answers, labels, list(kinds))
        return matching.pixels(hint.reshape(1, GRID * GRID, -1))

    def inner(self, x, quarters):
        """Without what so many quarters at the edge may have lost."""
        return x[..., 2 * quarters : -2 * quarters, 2 * quarters : -2 * quarters]

    def test_what_moves_by_half_a_square_takes_its_mask_along(self):
        by = (1, -3)
        moved = torch.roll(self.picture, by, (2, 3))
        wanted = torch.roll(self.mask, tuple(2 * x for x in by), (1, 2))
        error = self.found(moved, [self.picture], [self.mask]) - wanted
        self.assertLess(self.inner(error, 3).abs().max().item(), 0.01)

    def test_what_moves_further_than_quarters_look_is_not_found(self):
        moved, wanted = torch.roll(self.picture, local.BLOCK, 2), torch.roll(self.mask, 2 * local.BLOCK, 1)
        error = (self.found(moved, [self.picture], [self.mask]) - wanted).abs()[:, 2 * local.BLOCK :].unflatten(1, (2, -1))
        self.assertGreater(error[:, 0].mean().item(), 0.1)  # the second block's upper half is too far from the first's
        self.assertLess(error[:, 1].mean().item(), 0.01)  # its lower half is not

    def test_of_frames_that_look_alike_the_preferred_one_is_believed(self):
        other = torch.rand_like(self.mask)
        self.local.bias[local.PROMPTED] = 20.0
        found = self.found(self.picture, [self.picture] * 2, [other, self.mask], (local.LATEST, local.PROMPTED))
        self.assertLess((found - self.mask).abs().max().item(), 0.01)

    def test_of_places_that_look_alike_the_nearest_is_believed(self):
        self.local.nearness[0] = 100.0
        flat = torch.ones_like(self.picture) / local.KEY_CHANNELS**0.5
        self.assertLess((self.found(flat, [flat], [self.mask]) - self.mask).abs().max().item(), 0.01)

    def test_keys_are_of_length_1_and_lie_as_a_token_unfolds(self):
        coarse, middle = torch.randn(2, 64, GRID, GRID), torch.randn(2, 16, 2 * GRID, 2 * GRID)
        keys = self.local.keys(coarse, middle)
        each = keys.unflatten(1, (4, -1))
        self.assertLess((each.square().sum(2) - 1).abs().max().item(), 1e-4)
        wanted = self.local.middle(middle) + self.local.coarse(coarse).repeat_interleave(2, 2).repeat_interleave(2, 3)
        wanted = torch.nn.functional.normalize(wanted, dim=1)[:, :, 1::2, 0::2]  # lower left
        self.assertLess((each[:, 2] - wanted).abs().max().item(), 1e-4)

    def test_what_is_handed_on_comes_out_as_it_was_put_in(self):
        old, near = torch.randn(2, 2, GRID * GRID, 16)
        for found, wanted in zip(local.handed(local.filled(torch.cat([old, near], 2))), (old, near)):
            self.assertTrue(torch.equal(found[:, 0], matching.pixels(wanted)))


if __name__ == "__main__":
    unittest.main()
