"""The lean passes against SAM 2's own modules."""
import unittest

import torch

from .. import grid, lean, local, matching
from ..config import Config
from ..model import build

SIDE, FRAMES, OBJECTS = 128, 2, 3
GRID = SIDE // 16


class Passes:
    """What holds with a matching and without one."""

    matching = False

    @classmethod
    def setUpClass(cls):
        torch.manual_seed(3)
        torch.set_num_threads(1)
        cls.model = build(Config(image_size=SIDE, matching=cls.matching)).eval().requires_grad_(False)
        if cls.matching:
            cls.model.matching.free.copy_(torch.linalg.qr(torch.randn(cls.model.hidden_dim, matching.LABEL_CHANNELS))[0].t())
            cls.model.maskmem_tpos_enc[..., -1] = torch.rand(7, 1, 1)
            cls.model.refine.last.weight.normal_()  # at first it changes nothing
        else:
            for block in cls.model.memory_encoder.fuser.layers:
                block.gamma.fill_(0.3)  # its first value hides the block
        cls.lean = lean.Lean(cls.model)
        cls.frames = torch.randn(FRAMES, 3, SIDE, SIDE)
        cls.seen = cls.lean.features(cls.frames)

    def near(self, found, wanted):
        self.assertEqual(found.shape, wanted.shape)
        self.assertLessEqual((found - wanted).square().mean().sqrt().item(), 1e-5 * wanted.square().mean().sqrt().item())

    def test_folding_is_undone_by_unfolding(self):
        masks = torch.randn(2, 3, 4 * GRID, 4 * GRID)
        self.assertTrue(torch.equal(grid.unfold(grid.fold(masks)), masks))

    def test_features(self):
        fine, middle, coarse = self.model.forward_image(self.frames)["backbone_fpn"]
        self.near(grid.unfold(self.seen[0].transpose(1, 2)), fine)
        self.assertEqual(self.seen[1].shape, (FRAMES, 4 * GRID * GRID, middle.shape[1]))
        d, rows = self.model.hidden_dim, grid.image(self.seen[2])
        self.near(rows[:, :d], coarse)
        if self.matching:
            self.near(rows[:, d:], self.model.refine.local.keys(coarse, middle))

    def test_tracked_features(self):
        """Frame 3, prompted on frame 0, tracked on 1 and 2."""
        m, d = self.model, self.model.hidden_dim
        memory, pointers = torch.rand(OBJECTS, 3, GRID * GRID, m.mem_dim), torch.randn(OBJECTS, 3, d)
        keys = memory[..., matching.SAM_CHANNELS : -matching.LABEL_CHANNELS]
        if self.matching:
            keys.copy_(torch.nn.functional.normalize(keys[:1] - 0.5, dim=-1))  # all targets' alike
        place = m.memory_encoder.position_encoding(torch.zeros(OBJECTS, m.mem_dim, GRID, GRID))
        frame = lambda i: {"maskmem_features": grid.image(memory[:, i, :, : m.mem_dim]), "maskmem_pos_enc": [place], "obj_ptr": pointers[:, i]}
        past = {"cond_frame_outputs": {0: frame(0)}, "non_cond_frame_outputs": {1: frame(1), 2: frame(2)}}
        if self.matching:
            memory = torch.cat([memory, torch.rand(1, 3, GRID * GRID, m.carried_channels).expand(OBJECTS, -1, -1, -1)], 3)
        row = self.seen[2][:1]
        position = m.image_encoder.neck.position_encoding(torch.zeros(OBJECTS, d, GRID, GRID))
        sequence = lambda x: x.flatten(2).permute(2, 0, 1)
        raw = sequence(grid.image(row[..., :d])).expand(-1, OBJECTS, -1)
        wanted = m._prepare_memory_conditioned_features(3, False, [raw], [sequence(position)], [(GRID, GRID)], past, 1000)
        found = self.lean.condition(row, [memory[:, i] for i in range(3)], [6, 1, 0], pointers, torch.tensor([3.0, 2.0, 1.0]) / 15)
        self.near(grid.image(found[..., :d]), wanted)
        none = self.lean.condition(row, [memory[:, 0]], [6], pointers[:, :0], torch.zeros(0))
        self.assertEqual(none.shape, found.shape)

    def test_decoding_by_points_and_mask_and_by_nothing(self):
        m, targets = self.model, FRAMES * OBJECTS
        pix, carried = torch.randn(targets, m.hidden_dim, GRID, GRID), torch.randn(targets, GRID * GRID, self.seen[2].shape[2] - m.hidden_dim)
        points, labels = torch.rand(targets, 5, 2) * SIDE, torch.tensor([[2, 3, 1, 0, -1]] * targets)
        mask = 10 * torch.randn(targets, 1, 4 * GRID, 4 * GRID)
        nothing = torch.zeros(targets, 1, 2), -torch.ones(targets, 1, dtype=torch.int64)
        fine, middle, _ = m.forward_image(self.frames)["backbone_fpn"]
        for given, wanted_given in (((points, labels, mask), (points, labels, mask)), ((), (*nothing, None))):
            sparse, dense = m.sam_prompt_encoder(wanted_given[:2], None, None if self.matching else wanted_given[2])
            masks, ious, picked, score = m.sam_mask_decoder.predict_masks(
                image_embeddings=pix, image_pe=m.sam_prompt_encoder.get_dense_pe(), sparse_prompt_embeddings=sparse,
                dense_prompt_embeddings=dense, repeat_image=False, high_res_features=[x.repeat_interleave(OBJECTS, 0) for x in (fine, middle)],
            )
            if self.matching:
                masks, ious = self.answered(pix, carried, wanted_given, masks, ious)
            found = self.lean.decode(torch.cat([grid.tokens(pix), carried], 2), *self.seen[:2], *given)
            self.near(grid.unfold(found[0]), masks)
            for f, w in zip(found[1:], (ious, m.obj_ptr_proj(picked), score)):
                self.near(f, w)

    def test_memories_of_present_and_absent_things(self):
        targets = FRAMES * OBJECTS
        shown, score = 3 * torch.randn(targets, 1, 4 * GRID, 4 * GRID), torch.tensor([[2.0], [-1.0], [1.0]] * FRAMES)
        self.model.no_obj_embed_spatial.normal_()
        raw = self.seen[2][..., : self.model.hidden_dim].transpose(0, 1).repeat_interleave(OBJECTS, 1)
        large = torch.nn.functional.interpolate(shown, scale_factor=4, mode="bilinear", align_corners=False)
        self.model.binarize_mask_from_pts_for_mem_enc = True
        for prompted in (False, True):
            wanted, _ = self.model._encode_new_memory([raw], [(GRID, GRID)], large, score, prompted)
            if self.matching and not prompted:
                wanted.zero_()  # they aren't looked at
            self.near(self.lean.remember(self.seen[2], shown, score, prompted)[..., : matching.SAM_CHANNELS], grid.tokens(wanted))


    def answered(self, pix, carried, given, masks, ious):
        """What clicks make of them, and what refining does, frame by frame."""
        points, labels, mask = given
        has, mask = torch.tensor([float(mask is not None)]), torch.zeros_like(masks[:, :1]) if mask is None else mask
        fine, middle, _ = self.model.forward_image(self.frames)["backbone_fpn"]
        own, hint = self.model.matching.taken(grid.tokens(pix))
        own, hints = grid.image(own), (self.model.matching.prompt(hint)[0], *local.handed(carried))
        parts = []
        for frame in range(FRAMES):
            at, one = slice(frame * OBJECTS, (frame + 1) * OBJECTS), slice(frame, frame + 1)
            seen = own[at], middle[one], fine[one]
            refined = self.model.refine.followed(seen, labels[at], masks[at], ious[at], [x[at] for x in hints], has)
            parts.append(self.model.clicks.answered(seen, points[at], labels[at], refined, ious[at], mask[at], has))
        return (torch.cat(x) for x in zip(*parts))


class Plain(Passes, unittest.TestCase):
    pass


class Matching(Passes, unittest.TestCase):
    matching = True


if __name__ == "__main__":
    unittest.main()
