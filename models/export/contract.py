"""The four graphs' inputs and outputs by name, and random inputs that fit them."""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1]))

from train.matching import OF_FRAME  # noqa: E402


@dataclass(frozen=True)
class Sizes:
    """Every number that the graphs' shapes are made of."""

    image: int  # side of the encoder's square, pixels
    channels: int  # of the image features at stride 16
    memory_channels: int
    slots: int = 7
    mask_stride: int = 4  # image pixels per mask logit, each way
    carried_channels: int = 0  # behind features at stride 16 and behind memories

    @property
    def grid(self):
        return self.image // 16

    @property
    def feature_width(self):
        """All channels of features at stride 16, as the graphs hand them on."""
        return self.channels + self.carried_channels

    @property
    def memory_width(self):
        return self.memory_channels + self.carried_channels

    @property
    def mask(self):
        return self.image // self.mask_stride


def sizes_of(model):
    return Sizes(model.image_size, model.hidden_dim, model.mem_dim, model.num_maskmem, carried_channels=getattr(model, "carried_channels", 0))


def graphs(sizes):
    """{graph: ({input: shape}, {output: shape})}; a name in a shape is a dimension free at run time.

    B objects, M memories, P points or pointers.
    """
    s, d, g, m = sizes.image, sizes.channels, sizes.grid, sizes.mask
    wide = sizes.feature_width
    fine, middle, coarse = [1, d // 8, m, m], [1, d // 4, m // 2, m // 2], [1, wide, g, g]
    return {
        "image_encoder": (
            {"image": [1, 3, s, s]},
            {"feat_s0": fine, "feat_s1": middle, "feat_s2": coarse, "feat_s2_nomem": coarse},
        ),
        "mask_decoder": (
            {
                "pix_feat": ["B", wide, g, g],
                "feat_s0": fine,
                "feat_s1": middle,
                "point_coords": ["B", "P", 2],
                "point_labels": ["B", "P"],
                "mask_input": ["B", 1, m, m],
                "has_mask": [1],
            },
            {"masks": ["B", 4, m, m], "ious": ["B", 4], "obj_ptrs": ["B", 4, d], "object_score": ["B", 1]},
        ),
        "memory_encoder": (
            {"feat_s2": coarse, "low_res_mask": ["B", 1, m, m], "object_score": ["B", 1], "binarize": [1]},
            {"memory": ["B", g * g, sizes.memory_width]},
        ),
        "memory_attention": (
            {
                "feat_s2": coarse,
                "memory": ["B", "M", g * g, sizes.memory_width],
                "mem_tpos": ["M"],
                "ptrs": ["B", "P", d],
                "ptr_tpos": ["P"],
            },
            {"pix_feat": ["B", wide, g, g]},
        ),
    }


def handed_on(numbers):
    """Random memories [B,..,C] as those of a model that hands labels on: labels are shares, and a frame's keys are all its objects'."""
    memory = abs(numbers) / 4
    for keys in OF_FRAME:
        memory[1:, ..., keys] = memory[:1, ..., keys]
    return memory


INTEGERS = {"point_labels", "mem_tpos"}


def random_inputs(sizes, graph, seed):
    """Inputs in the ranges that tracking gives: two objects, three memories, five points or pointers."""
    rng = np.random.default_rng(seed)
    free = {"B": 2, "M": 3, "P": 5}
    inputs = {}
    for name, shape in graphs(sizes)[graph][0].items():
        shape = [free.get(side, side) for side in shape]
        normal = rng.standard_normal(shape).astype(np.float32)
        match name:
            case "point_coords":
                inputs[name] = rng.uniform(0, sizes.image, shape).astype(np.float32)
            case "point_labels":
                inputs[name] = rng.integers(-1, 4, shape)
            case "mem_tpos":
                inputs[name] = rng.integers(0, sizes.slots, shape)
                inputs[name][0] = sizes.slots - 1  # nothing is tracked without a prompt
            case "ptr_tpos":
                inputs[name] = rng.uniform(0, 1, shape).astype(np.float32)
            case "memory" if sizes.carried_channels:
                inputs[name] = handed_on(normal)
            case "mask_input" | "low_res_mask" | "object_score":
                inputs[name] = 10 * normal
            case "has_mask" | "binarize":
                inputs[name] = np.array([seed % 2], np.float32)
            case _:
                inputs[name] = normal
    return inputs
