"""Everything that decides a run, in one place; written beside its checkpoint."""
import dataclasses
import json
from dataclasses import dataclass, field


@dataclass
class Config:
    # Model. The graph contract fixes the rest: strides 4, 8, 16 and 64 memory channels.
    image_size: int = 256
    hidden_dim: int = 128
    layers: int = 2
    trunk: str = "efficientnet-lite0"
    # Trunk stages up to this stride keep their weights: their gradients cost most and change least.
    frozen_stride: int = 32
    # 5x5 depthwise weights: their bf16 gradient is some 30 times dearer than the forward pass on a CPU.
    train_wide_depthwise: bool = False
    # Data.
    data: str = ""
    cutouts: list = field(default_factory=list)
    pack: str = ""
    seed: int = 1
    clips: int = 3
    frames: int = 5
    targets: int = 4
    workers: int = 1
    # Prompts on the first frame, for things; regions always get their mask.
    mask_share: float = 0.3
    box_share: float = 0.3
    correction_share: float = 0.5  # corrective clicks on the first frame
    second_prompt_share: float = 0.2  # a corrected later frame becomes a second prompted one
    # At first memories of tracked frames mostly hold the true mask; the share falls to none at this progress.
    forced_share: float = 0.8
    forced_until: float = 0.6
    # Difficulty of the clips' motion, see synth/scene.py.
    pace: float = 0.012
    gap_share: float = 0.2
    # Optimiser.
    lr: float = 2e-4
    memory_lr_share: float = 2.0
    trunk_lr_share: float = 0.15
    weight_decay: float = 0.02
    clip_norm: float = 1.0
    warmup_steps: int = 50
    ema: float = 0.996
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
