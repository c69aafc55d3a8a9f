"""From a model to graphs, to a package's manifest, and back."""
import json
import pathlib
import sys
import tempfile
import unittest
import unittest.mock

import torch

from .. import matching
from ..config import Config
from ..lean import Lean
from ..model import build, load_weights

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "export"))
import contract  # noqa: E402
import export  # noqa: E402
import unpack  # noqa: E402

SIDE = 128


class Package(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(2)
        torch.set_num_threads(1)

    @torch.no_grad()
    def test_a_model_read_back_from_its_package_computes_the_same(self):
        for matches in (False, True):
            self.reads_back_what_computes_the_same(Config(image_size=SIDE, matching=matches))

    def reads_back_what_computes_the_same(self, config):
        model = build(config).eval()
        for name, p in model.named_parameters():
            p.add_(0.02 * torch.randn_like(p))  # nothing is left at 0 or 1
        state = self.read_back(model)
        again = build(config).eval()
        self.assertEqual(load_weights(again, state["model"]), [])
        for wanted, found in zip(self.outputs(model), self.outputs(again)):
            self.assertLess(((found - wanted).square().mean().sqrt() / wanted.square().mean().sqrt()).item(), 1e-4)

    @torch.no_grad()
    def test_a_package_from_before_a_network_beside_the_decoder_was_there_leaves_it_to_be_taught(self):
        first, again = (build(Config(image_size=SIDE, matching=True)).eval() for _ in range(2))
        for part in ("clicks.", "refine."):
            others = [place for place in unpack.PLACES["mask_decoder"] if place[0] != part]
            with unittest.mock.patch.dict(unpack.PLACES, mask_decoder=others):
                left = load_weights(again, self.read_back(first)["model"])
            self.assertTrue(left and all(name.startswith(part) for name in left))

    @torch.no_grad()
    def test_a_package_of_fewer_memories_gives_those_and_their_like_for_the_others(self):
        plain = torch.arange(4 * 64.0).reshape(4, 1, 1, 64)
        wide = torch.zeros(4, 1, 1, matching.MEMORY_CHANNELS)
        wide[..., : matching.SAM_CHANNELS], wide[..., -1] = plain, torch.tensor([0.5, 0.25, 0.125, 0.0])[:, None, None]
        for matches, times in ((False, plain), (True, wide)):
            model = build(Config(image_size=SIDE, matching=matches)).eval()
            model.maskmem_tpos_enc, model.num_maskmem = torch.nn.Parameter(times), len(times)
            found = self.read_back(model)["model"]["maskmem_tpos_enc"]
            self.assertTrue(torch.equal(torch.as_tensor(found), times[[0, 1, 2, 2, 2, 2, 3]]))

    @staticmethod
    def read_back(model):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            sizes = contract.sizes_of(model)
            export.write(model, sizes, "std", folder)
            manifest = {"input": {"size": SIDE}, "channels": model.hidden_dim, "constants": export.constants(model)}
            (folder / "model.json").write_text(json.dumps(manifest))
            return unpack.read(folder)

    @staticmethod
    def outputs(model):
        lean, g = Lean(model), torch.Generator().manual_seed(1)
        r = lambda *shape: torch.randn(*shape, generator=g)
        fine, middle, rows = lean.features(r(1, 3, SIDE, SIDE))
        memory = lean.remember(rows, r(2, 1, SIDE // 4, SIDE // 4), torch.tensor([[1.0], [-1.0]]), False)
        pix = lean.condition(rows, [memory, memory * 0.5], [6, 2], r(2, 2, model.hidden_dim), torch.rand(2, generator=g))
        points, labels = torch.rand(2, 3, 2, generator=g) * SIDE, torch.tensor([[2, 3, 0]] * 2)
        full = (r(2, 1, SIDE, SIDE) > 0).float()
        pointers = lean.decode(pix, fine, middle, mask=model.mask_downsample(full))
        return fine, middle, memory, pix, *lean.decode(pix, fine, middle, points, labels), *pointers


if __name__ == "__main__":
    unittest.main()
