"""Pictures without a shot, masks that nobody asked for, and the matte chain."""

import unittest

import numpy as np

import support
from support import rotomask

PLATE = support.disc()
SEARCH = {"points_per_side": 4, "pred_iou_thresh": 0.3, "stability_score_thresh": 0.2}


class Pictures(unittest.TestCase):
    def test_a_click_gives_three_candidates_and_one_of_them_refines(self):
        with support.model().image(PLATE) as image:
            three = image.predict([(62, 55)])
            self.assertEqual([each.index for each in three], [0, 1, 2])
            best = max(three, key=lambda each: support.overlap(each.binary(), support.inside()))
            self.assertGreater(support.overlap(best.binary(), support.inside()), 0.8)
            self.assertEqual(best.area_px, int((best.binary() > 0).sum()))
            left, top, right, bottom = best.bounds_px
            self.assertTrue((best.binary()[top:bottom, left:right] > 0).any())
            self.assertEqual(best.coverage(dtype="float32").max() <= 1, True)
            logits = best.logits()
            again = image.predict([(62, 55)], negative=[(2, 2)], mask=logits, multimask=False)
            self.assertEqual(len(again), 1)
            self.assertGreater(support.overlap(again[0].binary(), support.inside()), 0.8)
            boxed = image.predict(box=(35, 28, 90, 83), multimask=False)[0]
            self.assertGreater(support.overlap(boxed.binary(), support.inside()), 0.6)

    def test_a_place_can_be_a_share_of_the_picture(self):
        with support.model().image(PLATE) as pixels, support.model().image(PLATE, units="normalised") as shares:
            one = pixels.predict([(62, 55)], multimask=False)[0].binary()
            two = shares.predict([(62 / support.WIDTH, 55 / support.HEIGHT)], multimask=False)[0].binary()
            self.assertGreater(support.overlap(one, two > 0), 0.99)

    def test_a_picture_is_asked_for_first(self):
        with support.model().image() as image, self.assertRaises(rotomask.Error) as caught:
            image.predict([(1, 1)])
        self.assertEqual(caught.exception.status, rotomask.Status.ERROR_STATE)

    def test_automatic_masks_are_a_sequence_and_become_objects(self):
        told = []
        with support.model().automatic(PLATE, lambda *at: told.append(at), **SEARCH) as masks:
            self.assertGreater(len(masks), 0)
            self.assertEqual(told[-1], (16, 16))
            for mask in masks:
                self.assertEqual(mask.area_px, int((mask.binary() > 0).sum()))
                self.assertEqual(sum(mask.run_lengths()), PLATE.shape[0] * PLATE.shape[1])
                self.assertEqual(sum(mask.run_lengths()[1::2]), mask.area_px)
            self.assertEqual(masks[-1].index, len(masks) - 1)
            self.assertIsInstance(masks[0].rle()["counts"], str)
            self.assertEqual(len(masks[:1]), 1)
            with self.assertRaises(IndexError):
                masks[len(masks)]
            with masks.objects(max_objects=1) as objects:
                self.assertLessEqual(len(objects), 1)

    def test_points_of_ones_own_take_the_grids_place(self):
        told = []
        points = [[(62 / support.WIDTH, 55 / support.HEIGHT), (0.9, 0.9)]]
        support.model().automatic(PLATE, lambda *at: told.append(at), point_grids=points).close()
        self.assertEqual(told[-1], (2, 2))
        with self.assertRaises(ValueError):
            support.model().automatic(PLATE, point_grids=points * 2)

    def test_a_search_stops_when_its_progress_says_so_or_raises(self):
        with self.assertRaises(rotomask.Cancelled):
            support.model().automatic(PLATE, lambda *_: False, **SEARCH)
        with self.assertRaises(ZeroDivisionError):
            support.model().automatic(PLATE, lambda *_: 1 / 0, **SEARCH)


class Mattes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.matte = rotomask.Matte(gpu="off")
        cls.mask = np.where(support.inside(), 255, 0).astype(np.uint8)

    def test_settings_are_a_preset_with_keyframes(self):
        with rotomask.MatteSettings({"rotomask_preset": 1, "view": "matte"}, grow_px=2, invert=True) as settings:
            settings.set_at(0, "smooth_px", 0)
            settings.set_at(10, "smooth_px", 5)
            self.assertEqual(float(settings.get("smooth_px", 4)), 2)
            self.assertEqual((settings["view"], settings["invert"]), ("matte", "on"))
            settings["background_colour"] = (1, 0, 0)
            preset = settings.preset()
            self.assertEqual(preset["grow_px"], 2)
            with rotomask.MatteSettings(preset) as again:
                self.assertEqual(again.preset(), preset)
            with self.assertRaises(rotomask.Error):
                settings["grow_px"] = 999
        ids = {each["id"] for each in rotomask.matte_parameters()}
        self.assertIn("feather_outer_px", ids)

    def test_layers_combine_in_their_order(self):
        hole = np.where(support.inside(62, 55) & (np.mgrid[: support.HEIGHT, : support.WIDTH][1] > 62), 255, 0).astype(np.uint8)
        with rotomask.MatteSettings(view="matte", feather_inner_px=0, feather_outer_px=0) as settings:
            out = np.zeros(PLATE.shape[:2], np.float32)
            layers = [self.mask, rotomask.Layer(hole, combine=rotomask.Combine.SUBTRACT)]
            done = self.matte.render(PLATE, layers, settings, out=out)
            self.assertIs(done, out)
            self.assertEqual((out[55, 50], out[55, 75], out[2, 2]), (1, 0, 0))

    def test_logits_neighbours_windows_and_every_input_are_taken(self):
        with support.model().session(support.WIDTH, support.HEIGHT, keep="temporary") as session:
            session.click(1, 0, 62, 55)
            session.track(support.clip(3))
            logits = [session.logits(1, n) for n in range(3)]
        with rotomask.MatteSettings(view="composite", background="picture", dechatter=50) as settings, \
                rotomask.MatteSettings(grow_px=1) as edge:
            layer = rotomask.Layer(logits[1], logits=True, neighbours={-1: logits[0], 1: logits[2]}, settings=edge)
            green = np.zeros_like(PLATE)
            green[:] = (0, 200, 0)
            zero = np.zeros(PLATE.shape[:2], np.uint8)
            whole = self.matte.render(
                PLATE, [layer], settings, frame=1, background=green, garbage=zero, holdout=zero, badge=rotomask.Badge.TRACKED
            )
            self.assertEqual(tuple(whole[2, 2, :3]), (0, 200, 0))
            self.assertEqual(tuple(whole[55, 64, :3]), tuple(PLATE[55, 64]))
            part = self.matte.render(PLATE, [layer], settings, frame=1, background=green, window=(40, 30, 50, 40))
            np.testing.assert_array_equal(part, whole[30:70, 40:90])
            with self.assertRaises(rotomask.Error) as caught:
                self.matte.render(PLATE, [layer], settings)
            self.assertEqual(caught.exception.status, rotomask.Status.ERROR_FRAME)
            self.assertIn("picture", self.matte.last_error())
            settings["transfer"], settings["background"] = "curve", "colour"
            curved = self.matte.render(PLATE, [layer], settings, curve=[0, 0.2, 1])
            self.assertEqual(curved.shape, (support.HEIGHT, support.WIDTH, 4))

    def test_a_chain_tells_what_it_runs_on(self):
        self.assertEqual(set(self.matte.describe()), {"name", "backend", "kind"})

    def test_a_preview_shows_masks_in_colours_over_the_plate(self):
        shown = rotomask.preview({1: self.mask, 2: self.mask[::-1]}, PLATE).pixels
        self.assertEqual(shown.shape, PLATE.shape)
        np.testing.assert_array_equal(shown[2, 2], PLATE[2, 2])
        self.assertFalse((shown[55, 62] == PLATE[55, 62]).all())


if __name__ == "__main__":
    unittest.main()
