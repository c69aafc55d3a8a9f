"""Writes a SAM 2 as a model package, and proves each graph against PyTorch.

    python models/export/export.py --config sam2.1_hiera_tiny --checkpoint sam2.1_hiera_tiny.pt tiny.rotomodel
    python models/export/export.py --config sam2.1_hiera_tiny --random-seed 7 tiny-random.rotomodel

A fine-tuned checkpoint of the same architecture goes in the same way. Nothing is written where a graph and PyTorch, or
stored and computed weights, are further apart than proof.py and pack.py say.
"""

import argparse
import hashlib
import os
import sys
import tempfile
import tomllib
import warnings
from pathlib import Path

os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # the exporter warns of each operator that it doesn't know

import torch

import contract
import graphs
import models
import pack
import proof
import weights
from attention import VARIANTS
from image_encoder import ImageEncoder

OPSET = 17
MODULES = {
    "image_encoder": ImageEncoder, "mask_decoder": graphs.MaskDecoder, "memory_encoder": lambda model, _: graphs.memory_encoder(model),
    "memory_attention": graphs.MemoryAttention,
}


def example(name, sizes):
    """Inputs in the order of the contract. Two objects; a box, two clicks and a padding point; three memories."""
    s, d, g, m, wide = sizes.image, sizes.channels, sizes.grid, sizes.mask, sizes.feature_width
    random = torch.Generator().manual_seed(7)
    r = lambda *shape: torch.randn(*shape, generator=random)
    fine, middle, coarse = r(1, d // 8, m, m), r(1, d // 4, m // 2, m // 2), r(1, wide, g, g)
    points, memory = torch.rand(2, 5, 2, generator=random) * s, r(2, 3, g * g, sizes.memory_width)
    if sizes.carried_channels:
        memory = contract.handed_on(memory)
    return {
        "image_encoder": (r(1, 3, s, s),),
        "mask_decoder": (r(2, wide, g, g), fine, middle, points, torch.tensor([[2, 3, 1, 0, -1]] * 2), 10 * r(2, 1, m, m), torch.ones(1)),
        "memory_encoder": (coarse, 10 * r(2, 1, m, m), torch.tensor([[3.0], [-3.0]]), torch.zeros(1)),
        "memory_attention": (coarse, memory, torch.tensor([sizes.slots - 1, 1, 0]), r(2, 3, d), torch.tensor([3.0, 1.0, 2.0]) / 15),
    }[name]


def write(model, sizes, variant, folder):
    """The four graphs in fp32, each proved. Gives {graph: path}."""
    paths = {}
    for name, (inputs, outputs) in contract.graphs(sizes).items():
        paths[name], given = folder / f"{name}.onnx", example(name, sizes)
        free = {port: {i: side for i, side in enumerate(shape) if isinstance(side, str)} for port, shape in (inputs | outputs).items()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                MODULES[name](model, VARIANTS[variant]).eval(), given, str(paths[name]), input_names=list(inputs),
                output_names=list(outputs), dynamic_axes=free, opset_version=OPSET, dynamo=False, do_constant_folding=True,
                custom_opsets={"com.microsoft": 1} if variant == "mha" else None,
            )
        proof.prove(model, name, paths[name], given, list(inputs))
    return paths


def constants(model):
    decoder, single = model.sam_mask_decoder, model.sam_mask_decoder.dynamic_multimask_via_stability
    return {
        "no_object_pointer": model.no_obj_ptr[0].tolist(),
        "mask_downsample_weight": model.mask_downsample.weight.flatten().tolist(),
        "mask_downsample_bias": model.mask_downsample.bias.item(),
        # In SAM 2's code rather than in its weights.
        "mask_prompt_scale": 20.0, "mask_prompt_bias": -10.0, "dense_prompt_limit": 32.0, "no_object_logit": -1024.0,
        "stability_delta": decoder.dynamic_multimask_stability_delta if single else 0.05,
        "stability_threshold": decoder.dynamic_multimask_stability_thresh if single else 0.98,
    }


def card_of(arguments):
    """What the manifest says and the graphs can't tell."""
    if arguments.card:
        return tomllib.loads(arguments.card.read_text())
    if arguments.config == models.TRAINED:
        raise SystemExit(f"{arguments.config}: wanted --card models/export/rotomask-nano.toml")
    code = "SAM 2's own modules (PyPI sam2 1.1.0, Apache-2.0)"
    card = {"name": arguments.config, "version": arguments.config.partition("_")[0].removeprefix("sam"), "licence": arguments.licence}
    if arguments.checkpoint:
        digest = hashlib.sha256(arguments.checkpoint.read_bytes()).hexdigest()
        card["provenance"] = f"{code}, weights of {arguments.checkpoint.name}, SHA-256 {digest}"
    else:
        card["name"] += f"-random-{arguments.random_seed}"
        card["provenance"] = f"{code} at random weights of seed {arguments.random_seed}: for comparisons, not for use"
    return {**card, "input": {"resize": "bicubic"}}


def read(arguments, card):
    """The model that is asked for, and how it normalises pixels."""
    if arguments.config == models.TRAINED:
        if not arguments.checkpoint:
            raise SystemExit(f"{arguments.config}: wanted --checkpoint, as the trainer writes it")
        return models.trained(arguments.checkpoint, card["memory"]["slots"]), ([127 / 255] * 3, [128 / 255] * 3)
    model = models.build(arguments.config, models.at(arguments.size) if arguments.size else ())
    if arguments.checkpoint:
        models.load(model, arguments.checkpoint)
    else:
        weights.randomise(model, arguments.random_seed)
    return model, (models.MEAN, models.DEVIATION)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--config", required=True, metavar="NAME", help=", ".join(models.NAMES))
    which = p.add_mutually_exclusive_group(required=True)
    which.add_argument("--checkpoint", type=Path, metavar="FILE", help="official, fine-tuned or the trainer's")
    which.add_argument("--random-seed", type=int, metavar="N", help="a well-conditioned random model")
    p.add_argument("--variant", choices=VARIANTS, default="mha", help="mha: ONNX Runtime's own attention, for the CPU; std: standard operators")
    p.add_argument("--storage", choices=pack.TOLERANCE, default="fp16", help="of large weights; all arithmetic is fp32")
    p.add_argument("--card", type=Path, metavar="TOML", help="name, version, licence, provenance, resize and memories, instead of SAM 2's")
    p.add_argument("--licence", default="Apache-2.0", metavar="SPDX", help="of the weights; SAM 2's own are Apache-2.0")
    p.add_argument("--weights", type=Path, metavar="PT", help="also writes the weights as a checkpoint")
    p.add_argument("--size", type=int, metavar="PX", help="side of a smaller input than the weights' own, for speed: 256 to 960 in steps of 64")
    p.add_argument("--threads", type=int, default=os.cpu_count(), metavar="N")
    p.add_argument("target", type=Path, metavar="OUT.rotomodel", help="replaced if it exists")
    a = p.parse_args()
    if a.target.suffix != ".rotomodel":
        sys.exit(f"{a.target}: wanted a name that ends in .rotomodel")
    if a.config.startswith("edgetam"):
        sys.exit(f"{a.config}: its trunk and its perceiver are in no package on PyPI and have no graphs here; wanted one of {', '.join(models.NAMES)}")
    if a.config not in models.NAMES:
        sys.exit(f"{a.config}: no such configuration; wanted one of {', '.join(models.NAMES)}")
    if a.size and (a.config not in models.OFFICIAL or a.size not in models.SIDES):
        sys.exit(f"--size {a.size} of {a.config}: wanted 256 to 960 in steps of 64, of SAM 2's own configurations")
    if a.checkpoint and not a.checkpoint.is_file():
        sys.exit(f"{a.checkpoint}: no such file")
    torch.set_grad_enabled(False)
    torch.set_num_threads(a.threads)
    card = card_of(a)
    model, normal = read(a, card)
    models.check(a.config, model)
    sizes = contract.sizes_of(model)
    memory = {"slots": model.num_maskmem, "pointers": model.max_obj_ptrs_in_encoder}
    with tempfile.TemporaryDirectory() as scratch:
        paths = write(model, sizes, a.variant, Path(scratch))
        about = pack.manifest(card, sizes, normal, memory, a.variant, constants(model))
        if a.size:
            about["approximations"] = ["smaller_input"]
        pack.pack(paths, a.target, about, sizes, a.storage)
    if a.weights:
        torch.save({"model": model.state_dict()}, a.weights)


if __name__ == "__main__":
    main()
