import unittest

import numpy as np

from .. import prompts


def rectangle(x, y, w, h, side=64):
    mask = np.zeros((side, side), bool)
    mask[y : y + h, x : x + w] = True
    return mask


class Prompts(unittest.TestCase):
    def test_the_centre_is_the_deepest_pixel_of_a_wide_mask(self):
        x, y = prompts.centre(rectangle(10, 20, 41, 11))
        self.assertEqual(y, 25)
        self.assertTrue(15 <= x <= 45)

    def test_the_frame_s_border_counts_as_outside(self):
        x, y = prompts.centre(rectangle(0, 0, 11, 64))
        self.assertEqual(x, 5)

    def test_clicks_lie_inside(self):
        mask = rectangle(3, 40, 9, 20)
        for seed in range(30):
            (x, y), = prompts.click(mask, np.random.default_rng(seed))[0]
            self.assertTrue(mask[y, x])

    def test_a_box_goes_from_the_upper_left_to_the_lower_right_near_the_mask(self):
        for seed in range(30):
            (x0, y0), (x1, y1) = prompts.box(rectangle(10, 20, 31, 11), np.random.default_rng(seed))[0]
            self.assertTrue(abs(x0 - 10) < 6 and abs(x1 - 40) < 6 and abs(y0 - 20) < 3 and abs(y1 - 30) < 3)

    def test_a_correction_adds_what_is_missing_or_removes_what_is_extra_whichever_is_larger(self):
        truth, found = rectangle(10, 10, 20, 20), rectangle(20, 10, 30, 20)
        (x, y), label = prompts.correction(truth, found)
        self.assertEqual(label, prompts.NEGATIVE)
        self.assertTrue(found[y, x] and not truth[y, x])
        (x, y), label = prompts.correction(found, truth)
        self.assertEqual(label, prompts.POSITIVE)
        self.assertTrue(found[y, x] and not truth[y, x])

    def test_nothing_to_correct_is_padding(self):
        mask = rectangle(5, 5, 9, 9)
        self.assertEqual(prompts.correction(mask, mask)[1], prompts.PADDING)


if __name__ == "__main__":
    unittest.main()
