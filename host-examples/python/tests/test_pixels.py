"""Pixels wherever they lie: strides, depths, copies, refusals."""

import tempfile
import unittest
from pathlib import Path

import numpy as np

import support
from support import rotomask


def binary(picture, **more) -> np.ndarray:
    """The mask that a click on the disc gives."""
    with support.model().image(picture) as image:
        return image.predict([(62, 55)], multimask=False)[0].binary(**more)


class Reading(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.plate = support.disc()
        cls.mask = binary(cls.plate)

    def test_the_mask_is_the_discs(self):
        self.assertEqual(self.mask.dtype, np.uint8)
        self.assertEqual(self.mask.shape, self.plate.shape[:2])
        self.assertEqual(set(np.unique(self.mask)), {0, 255})
        self.assertGreater(support.overlap(self.mask, support.inside()), 0.8)

    def test_rows_are_read_wherever_they_lie(self):
        bottom_up = np.ascontiguousarray(self.plate[::-1])[::-1]
        padded = np.zeros((support.HEIGHT, support.WIDTH + 7, 3), np.uint8)
        padded[:, : support.WIDTH] = self.plate
        every_second = np.zeros((2 * support.HEIGHT, support.WIDTH, 3), np.uint8)
        every_second[::2] = self.plate
        for picture in (bottom_up, padded[:, : support.WIDTH], every_second[::2]):
            view = rotomask._View(picture)
            # It is read where it is, not from a copy.
            self.assertEqual(view.layout[4], picture.__array_interface__["data"][0])
            self.assertEqual(view.layout[3], picture.strides[0])
            view.release()
            np.testing.assert_array_equal(binary(picture), self.mask)

    def test_pixels_that_lie_apart_are_copied(self):
        bgr = np.ascontiguousarray(self.plate[..., ::-1])
        planes = np.ascontiguousarray(self.plate.transpose(2, 0, 1)).transpose(1, 2, 0)
        mirrored = np.ascontiguousarray(self.plate[:, ::-1])[:, ::-1]
        for picture in (bgr[..., ::-1], planes, mirrored):
            np.testing.assert_array_equal(binary(picture), self.mask)

    def test_pixels_that_may_only_be_read_are_read(self):
        self.plate.flags.writeable = False
        self.addCleanup(lambda: setattr(self.plate.flags, "writeable", True))
        np.testing.assert_array_equal(binary(self.plate), self.mask)
        flat = rotomask.Frame(self.plate.tobytes(), support.WIDTH, support.HEIGHT)
        np.testing.assert_array_equal(binary(flat), self.mask)

    def test_plain_bytes_are_read_as_their_frame_says(self):
        rgba = np.dstack([self.plate, np.full(self.plate.shape[:2], 255, np.uint8)])
        bgra = np.ascontiguousarray(rgba[..., [2, 1, 0, 3]])
        size = (support.WIDTH, support.HEIGHT)
        for frame in (
            rotomask.Frame(rgba.tobytes(), *size, channels=4),
            rotomask.Frame(bgra.tobytes(), *size, channels=4, order="bgr"),
            rotomask.Frame(bgra, order="bgr"),
            rotomask.Frame(memoryview(rgba[::-1].tobytes()), *size, channels=4, stride=-4 * support.WIDTH),
        ):
            np.testing.assert_array_equal(binary(frame), self.mask)

    def test_truth_values_are_masks(self):
        frames = support.clip(2)
        with support.model().session(support.WIDTH, support.HEIGHT) as session:
            session.mask("Disc", 0, support.inside())
            session.push(0, frames[0])
            self.assertGreater(support.overlap(session.binary("Disc"), support.inside()), 0.9)

    def test_what_is_no_picture_is_refused_with_what_was_found_and_wanted(self):
        wrong = [
            (np.zeros((4, 5, 2), np.uint8), "(4, 5, 2)"), (np.zeros((4, 5, 3)), "'d'"), (b"abc", "rotomask.Frame"),
            (np.zeros((4, 5, 3), ">u2"), "'>H'"), (np.zeros((0, 5, 3), np.uint8), "5x0"), ("text", "str"), (None, "NoneType"),
            (rotomask.Frame(b"12345", 2, 1), "found 5 bytes, expected 6"), (rotomask.Frame(b"1" * 99, 2, 1, 5), "5 channels"),
            (rotomask.Frame(b"1" * 6, 2, 1, dtype="int7"), "int7"), (rotomask.Frame(b"", 0, 0), "0x0"),
        ]
        with support.model().image() as image:
            for pixels, words in wrong:
                with self.assertRaises(rotomask.Error) as caught:
                    image.set(pixels)
                self.assertEqual(caught.exception.status, rotomask.Status.ERROR_FRAME)
                self.assertIn(words, str(caught.exception))

    def test_a_picture_that_repeats_one_row_is_copied(self):
        one = np.broadcast_to(self.plate[:1], self.plate.shape)
        with support.model().image(one) as image:
            self.assertEqual(image.size, (support.WIDTH, support.HEIGHT))

    def test_every_depth_of_colour_goes_through_the_matte_chain(self):
        mask = np.where(support.inside(), 255, 0).astype(np.uint8)
        with rotomask.Matte(gpu="off") as matte, rotomask.MatteSettings(view="cutout") as settings:
            for dtype, most in (("uint8", 255), ("uint16", 65535), ("float16", 1), ("float32", 1)):
                plate = (self.plate / 255 * most).astype(dtype)
                done = matte.render(plate, [mask], settings)
                self.assertEqual((done.dtype, done.shape), (np.dtype(dtype), (support.HEIGHT, support.WIDTH, 4)))
                self.assertEqual(float(done[55, 62, 3]), most)
                self.assertEqual(float(done[2, 2, 3]), 0)


class Writing(unittest.TestCase):
    def test_masks_are_written_where_the_caller_wants_them(self):
        plate = support.disc()
        mask = binary(plate)
        canvas = np.full((support.HEIGHT + 4, support.WIDTH + 9), 7, np.uint8)
        out = canvas[2:-2, 4:-5][::-1]
        self.assertIs(binary(plate, out=out), out)
        np.testing.assert_array_equal(out, mask)
        canvas[2:-2, 4:-5] = 7
        self.assertTrue((canvas == 7).all(), "something was written beside the mask")

    def test_masks_come_as_floats_too(self):
        mask = binary(support.disc(), dtype="float32")
        self.assertEqual((mask.dtype, set(np.unique(mask))), (np.dtype(np.float32), {0.0, 1.0}))

    def test_a_canvas_that_cannot_be_written_is_refused_and_untouched(self):
        plate, right = support.disc(), (support.HEIGHT, support.WIDTH)
        locked = np.zeros(right, np.uint8)
        locked.flags.writeable = False
        wrong = (locked, b"12", np.zeros((3, 3), np.uint8), np.zeros(right[::-1], np.uint8).T, np.zeros(right, np.uint16))
        for out in wrong:
            with self.assertRaises(rotomask.Error) as caught:
                binary(plate, out=out)
            self.assertEqual(caught.exception.status, rotomask.Status.ERROR_FRAME)
            self.assertEqual(np.frombuffer(bytes(out), np.uint8).max() if out is not wrong[1] else 0, 0)


class Files(unittest.TestCase):
    def test_what_is_written_as_png_reads_back_the_same(self):
        numbers = np.random.default_rng(7)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a.png"
            for shape in ((5, 7), (5, 7, 3), (5, 7, 4)):
                for dtype in (np.uint8, np.uint16):
                    pixels = numbers.integers(0, np.iinfo(dtype).max, shape).astype(dtype)
                    rotomask.write_png(path, pixels[::-1])
                    np.testing.assert_array_equal(rotomask.read_image(path), pixels[::-1])
            rotomask.write_png(path, np.array([[0, 0.5, 1, 2]], np.float32))
            np.testing.assert_array_equal(rotomask.read_image(path), [[0, 32768, 65535, 65535]])
            self.assertEqual([each.name for each in Path(folder).iterdir()], ["a.png"])

    def test_every_filter_of_a_png_row_is_undone(self):
        # Each row says 10, 20, 30 by another filter; the row above is the same.
        coded = {0: (10, 20, 30), 1: (10, 10, 10), 2: (0, 0, 0), 3: (5, 5, 5), 4: (0, 0, 0)}
        for kind, row in coded.items():
            now = bytearray(row)
            rotomask._unfilter(kind, now, bytearray((10, 20, 30)), 1)
            self.assertEqual(tuple(now), (10, 20, 30), kind)

    def test_a_damaged_picture_is_refused_whole(self):
        whole = rotomask.png(support.disc())
        size = b"\0\xff\xff\xff"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a.png"
            for data in (b"", b"P5", b"P6 9999999 9 255 ", b"P5 3 3 7 x", b"P6 3 3 255 x", whole[:60], whole[:200],
                         whole[:16] + size + whole[20:], b"\x89PNG\r\n\x1a\n"):
                path.write_bytes(data)
                with self.assertRaises(rotomask.Error):
                    rotomask.read_image(path)

    def test_a_pnm_reads_with_its_comments(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a.pgm"
            path.write_bytes(b"P5 # grey\n# twice\n2 1\n65535\n\x01\x02\xff\xff")
            np.testing.assert_array_equal(rotomask.read_image(path), [[0x0102, 0xFFFF]])


class WithoutNumPy(unittest.TestCase):
    def test_bytes_go_in_and_a_memoryview_of_the_masks_shape_comes_out(self):
        with_numpy = binary(support.disc())
        self.addCleanup(setattr, rotomask, "np", rotomask.np)
        rotomask.np = None
        frame = rotomask.Frame(support.disc().tobytes(), support.WIDTH, support.HEIGHT)
        mask = binary(frame)
        self.assertIsInstance(mask, memoryview)
        self.assertEqual(mask.shape, with_numpy.shape)
        self.assertEqual(mask[55, 62], 255)
        self.assertEqual(bytes(mask), with_numpy.tobytes())
        self.assertEqual(binary(frame, dtype="float32")[55, 62], 1.0)
        self.assertTrue(rotomask.preview(mask)._repr_png_().startswith(b"\x89PNG"))


if __name__ == "__main__":
    unittest.main()
