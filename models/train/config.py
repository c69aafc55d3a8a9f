"""Everything that decides a run, in one place; written beside its checkpoint."""
import dataclasses
import json
from dataclasses import dataclass, field


SHAPE = ("image_size", "hidden_dim", "layers", "trunk", "matching")
"""What a checkpoint says of its model."""


def shape(checkpoint):
    """What it says, as settings; what it doesn't say is as the settings have it."""
    return {name: checkpoint[name] for name in SHAPE if name in checkpoint}


def weights_of(checkpoint):
    """Its averaged weights, if it has them."""
    return checkpoint.get("ema") or checkpoint["model"]


@dataclass
class Config:
    # Model. The graph contract fixes the rest: strides 4, 8 and 16. SAM 2 has 64 memory channels.
    image_size: int = 256
    hidden_dim: int = 128
    layers: int = 2
    trunk: str = "efficientnet-lite0"
    # Trunk stages up to this stride keep their weights: their gradients cost most and change least.
    frozen_stride: int = 32
    # Wide depthwise weights and the first layer over full masks: on a CPU, some 30 times dearer than the forward pass.
    train_dear: bool = False
    # Labels handed on by likeness beside SAM 2's memory (matching.py): what begin_matching.py makes.
    matching: bool = False
    # With it, features at stride 16 and the keys made of them learn too. Still pictures teach them less than ImageNet did.
    train_features: bool = False
    # Data: folders made by train.clips. A batch is `clips` clips with `targets` targets each, given by masks, or twice
    # as many with half as many targets, given by a box or a click.
    pairs: str = ""
    long: str = ""
    seed: int = 1
    clips: int = 4
    targets: int = 12
    frames: int = 6  # of a long clip
    makers: int = 1  # threads that make batches
    # From this progress on, batches are long clips more and more often, half-way to the end in this share.
    long_from: float = 0.1
    long_share: float = 0.6
    box_share: float = 0.1
    click_share: float = 0.2
    correction_share: float = 0.2  # corrective clicks on the first frame
    second_prompt_share: float = 0.1  # a corrected later frame becomes a second prompted one
    pointerless_share: float = 0.35  # tracking by the memories of masks alone
    absent_share: float = 0.2  # batches in which one clip's targets are gone
    # At first memories hold the true mask; the share falls to none at this progress.
    forced_until: float = 0.4
    # Optimiser.
    accumulate: int = 2  # batches a step
    lr: float = 8e-4
    memory_lr_share: float = 1.25
    trunk_lr_share: float = 0.15
    weight_decay: float = 0.02
    clip_norm: float = 1.0
    warmup_steps: int = 50
    ema: float = 0.997
    focal_weight: float = 10.0
    focal_positive_share: float = 0.5  # SAM 2 takes 0.25, which shrinks the masks of an unsure model
    dice_weight: float = 1.0
    iou_weight: float = 1.0
    object_weight: float = 1.0
    # The run.
    device: str = "cpu"
    threads: int = 1
    bf16: bool = True
    minutes: float = 90.0
    save_minutes: float = 3.0
    log_steps: int = 10
    init: str = ""

    @staticmethod
    def load(path):
        with open(path) as f:
            values = json.load(f)
        known = {f.name for f in dataclasses.fields(Config)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"{path}: unknown settings {unknown}, wanted some of {sorted(known)}")
        return Config(**values)

    def save(self, path):
        with open(path, "w") as f:
            json.dump(dataclasses.asdict(self), f, indent=1)


def add_arguments(parser):
    """One option per setting, so that a command line is a whole configuration."""
    for f in dataclasses.fields(Config):
        name = "--" + f.name.replace("_", "-")
        if f.type in (bool, "bool"):
            parser.add_argument(name, action="store_true", default=None)
            parser.add_argument("--no-" + f.name.replace("_", "-"), dest=f.name, action="store_false", default=None)
        elif f.type in (list, "list"):
            parser.add_argument(name, nargs="*")
        else:
            kind = {"int": int, "float": float, "str": str}[f.type if isinstance(f.type, str) else f.type.__name__]
            parser.add_argument(name, type=kind)


def from_arguments(args, base):
    given = {f.name: getattr(args, f.name) for f in dataclasses.fields(Config) if getattr(args, f.name) is not None}
    return dataclasses.replace(base, **given)
