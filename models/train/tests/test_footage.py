"""From a folder as `rotomask annotate` writes it to shards of clips."""
import tempfile
import unittest
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from .. import footage
from ..synth.scene import PART, WHOLE

WIDE = (96, 64)


class Footage(unittest.TestCase):
    def folder(self, frames, objects=(1, 2)):
        """Squares that move to the right, one below the other."""
        root = Path(tempfile.mkdtemp())
        for kind in ("JPEGImages", "Annotations"):
            (root / kind / "ball").mkdir(parents=True)
        for i in range(frames):
            mark = np.zeros(WIDE[::-1], np.uint8)
            for row, number in enumerate(objects):
                mark[4 + 30 * row : 24 + 30 * row, 10 + 3 * i : 34 + 3 * i] = number
            cv2.imwrite(str(root / "JPEGImages" / "ball" / f"{i:05d}.jpg"), np.repeat(mark[..., None] * 80, 3, -1))
            image = Image.fromarray(mark)
            image.putpalette([v for n in range(256) for v in (n, 0, 255 - n)])
            image.save(root / "Annotations" / "ball" / f"{i:05d}.png")
        return root

    def test_a_window_becomes_a_square_clip_with_a_mask_for_each_object(self):
        made = list(footage.clips(self.folder(10), 4, 32, 12, 3))
        self.assertEqual(len(made), 1)
        frames, masks, levels = made[0]
        self.assertEqual((frames.shape, masks.shape, list(levels)), ((4, 32, 32, 3), (2, 4, 32, 32), [WHOLE, WHOLE]))
        # 24 of 96 columns, 20 of 64 rows; nine columns further to the right each frame.
        self.assertTrue((abs(masks.sum((2, 3)) - 8 * 10) <= 10).all(), masks.sum((2, 3)))
        left = [int(np.flatnonzero(m.any(0))[0]) for m in masks[0]]
        self.assertEqual(left, sorted(left))
        self.assertGreater(left[-1] - left[0], 6)

    def test_what_is_to_be_reviewed_is_left_out_and_what_a_model_found_is_no_whole_thing(self):
        root = self.folder(10)
        (root / "masklets.csv").write_text(
            "sequence,object,name,type,status,reason,frames,shown,area,predicted_iou\n"
            "ball,1,1,auto,accepted,,10,10,1,0.9\nball,2,2,manual,review,lost,10,10,1,0.9\n"
        )
        (_, masks, levels), = footage.clips(root, 4, 32, 12, 3)
        self.assertEqual((len(masks), list(levels)), (1, [PART]))
        (_, masks, _), = footage.clips(root, 4, 32, 12, 3, everything=True)
        self.assertEqual(len(masks), 2)

    def test_shards_read_back_as_they_were(self):
        made = list(footage.clips(self.folder(16), 4, 32, 12, 3))
        with tempfile.TemporaryDirectory() as folder:
            footage.write(f"{folder}/footage-00000", made, 5)
            frames, masks, levels = (np.load(f"{folder}/footage-00000.{k}.npy") for k in ("frames", "masks", "levels"))
        self.assertEqual((frames.shape, levels.tolist()[0]), ((len(made), 4, 32, 32, 3), [WHOLE, WHOLE, -1, -1, -1]))
        self.assertTrue((np.unpackbits(masks[0, :2], axis=-1).astype(bool) == made[0][1]).all())

    def test_short_sequences_are_taken_at_a_smaller_stride_or_not_at_all(self):
        self.assertEqual(footage.windows(3, 4, 3), [])
        self.assertEqual(footage.windows(4, 4, 3), [[0, 1, 2, 3]])
        self.assertEqual(footage.windows(16, 4, 3), [[0, 3, 6, 9], [5, 8, 11, 14]])

    def test_missing_pictures_and_other_sizes_are_named(self):
        root = self.folder(6)
        cv2.imwrite(str(root / "JPEGImages" / "ball" / "00001.jpg"), np.zeros((8, 8, 3), np.uint8))
        with self.assertRaisesRegex(ValueError, r"00001.jpg: its size is \(8, 8\), expected \(96, 64\)"):
            list(footage.clips(root, 4, 32, 12, 1))
        (root / "JPEGImages" / "ball" / "00002.jpg").unlink()
        with self.assertRaisesRegex(ValueError, "00002.jpg: there is no such picture"):
            list(footage.clips(root, 4, 32, 12, 1))


if __name__ == "__main__":
    unittest.main()
