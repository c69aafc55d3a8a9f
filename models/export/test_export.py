"""Exports the small models in every variant and storage, runs their edges, and sees refusals refused.

usage: test_export.py
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

import contract
import models
import proof
import weights

EXPORT = [sys.executable, str(Path(__file__).with_name("export.py"))]
SIZES = contract.Sizes(128, 32, 8)


def export(*arguments):
    return subprocess.run([*EXPORT, *map(str, arguments)], capture_output=True, text=True)


def refused(wanted, *arguments):
    ran = export(*arguments)
    assert ran.returncode != 0 and wanted in ran.stderr, (wanted, ran.stderr)


def run(package, graph, **changed):
    inputs = {**contract.random_inputs(SIZES, graph, 0), **changed}
    return proof.session(package / f"{graph}.onnx").run(None, inputs)


def edges(package):
    """One object, one memory, no pointer; and objects that don't disturb each other."""
    given = contract.random_inputs(SIZES, "memory_attention", 0)
    alone = {name: value[:1] if name in ("memory", "ptrs") else value for name, value in given.items()}
    (both,), (one,) = run(package, "memory_attention"), run(package, "memory_attention", **alone)
    assert np.abs(both[:1] - one).max() < 1e-5
    fewest = {"memory": given["memory"][:1, :1], "mem_tpos": given["mem_tpos"][:1], "ptrs": given["ptrs"][:1, :0], "ptr_tpos": given["ptr_tpos"][:0]}
    (least,) = run(package, "memory_attention", **fewest)
    assert least.shape == (1, 32, 8, 8) and np.isfinite(least).all()


def test_every_variant_and_storage_is_exported_and_proved(folder):
    for config in models.SMALL:
        for variant in ("mha", "std"):
            for storage in ("fp32", "fp16"):
                package = folder / f"{config}-{variant}-{storage}.rotomodel"
                ran = export("--config", config, "--random-seed", 3, "--variant", variant, "--storage", storage, package)
                assert ran.returncode == 0, ran.stderr
                assert json.loads((package / "model.json").read_text())["variant"] == variant
                edges(package)
                print(f"  {package.name}: {ran.stdout.splitlines()[-1]}")


def test_a_fine_tuned_checkpoint_gives_the_package_of_its_weights(folder):
    model, path = models.build("sam2.1_test"), folder / "tuned.pt"
    weights.randomise(model, 11)
    torch.save(model.state_dict(), path)
    package = folder / "tuned.rotomodel"
    ran = export("--config", "sam2.1_test", "--checkpoint", path, "--licence", "CC-BY-4.0", package)
    assert ran.returncode == 0 and '"licence": "CC-BY-4.0"' in (package / "model.json").read_text(), ran.stderr
    refused("weights don't fit the configuration", "--config", "sam2_test", "--checkpoint", path, folder / "no.rotomodel")
    assert not (folder / "no.rotomodel").exists()


def test_what_cannot_be_exported_is_refused_in_a_sentence(folder):
    out = folder / "no.rotomodel"
    refused("its trunk and its perceiver are in no package", "--config", "edgetam", "--random-seed", 1, out)
    refused("no such configuration; wanted one of sam2_hiera_tiny", "--config", "sam3", "--random-seed", 1, out)
    refused("wanted 256 to 960 in steps of 64", "--config", "sam2.1_hiera_tiny", "--random-seed", 1, "--size", 500, out)
    refused("wanted 256 to 960 in steps of 64", "--config", "sam2.1_test", "--random-seed", 1, "--size", 512, out)
    refused("no such file", "--config", "sam2.1_test", "--checkpoint", folder / "none.pt", out)
    refused("wanted a name that ends in .rotomodel", "--config", "sam2.1_test", "--random-seed", 1, folder / "no.zip")


def test_fp64_is_what_fp32_is_to_its_precision(folder):
    import export as exporter

    for config in models.SMALL:
        model = models.build(config)
        weights.randomise(model, 3)
        for name in contract.graphs(SIZES):
            for given in proof.variations(name, exporter.example(name, SIZES)):
                precise = proof.in_doubles(model, name, given)
                for wanted, found in zip(precise, proof.OFFICIAL[name](model, *given)):
                    assert wanted.dtype == np.float64 and 0 < proof.furthest(found.numpy(), wanted) < 2e-5, (config, name)


def test_a_wrong_rewrite_is_caught(folder):
    import export as exporter

    model, kept = models.build("sam2.1_test"), exporter.MODULES["memory_attention"]
    weights.randomise(model, 3)

    def shifted(model, attend):
        module = kept(model, attend)
        module.memory_time = module.memory_time.roll(1, 0)
        return module

    exporter.MODULES["memory_attention"] = shifted
    try:
        exporter.write(model, SIZES, "std", folder)
    except SystemExit as said:
        assert "memory_attention.pix_feat: error" in str(said) and "wanted at most 1e-04" in str(said), said
    else:
        raise AssertionError("temporal positions one off passed")
    finally:
        exporter.MODULES["memory_attention"] = kept


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            with tempfile.TemporaryDirectory() as scratch:
                test(Path(scratch))
            print(f"{name}: ok")
