"""Writes a model package, NAME.rotomodel, of four exported graphs.

Weights may be stored as fp16 with a Cast to fp32 behind each, which ONNX Runtime folds while it loads: the package is
half as large, and inputs, outputs and arithmetic stay fp32. Nothing is written where stored and given graphs disagree.
"""

import hashlib
import json
import re
import shutil
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import contract
import proof

FORMAT = 1
"""The manifest's format version, as the library reads it."""

LARGE = 128 * 128
"""Tensors of fewer elements stay fp32. They are few bytes together, and among them are biases, norms, tables
and the trunk's first and depthwise layers, whose rounding would be most of the encoder's error."""

FP16_WEIGHT_ERROR = 1e-3
"""Largest error that storing one tensor may cause, as a share of its own norm. Rounding alone gives about 2e-4."""

TOLERANCE = {"fp32": 1e-5, "fp16": 2e-3}
"""Largest error of an output on random inputs, as root mean square over the given graph's. Rounding weights to 11 bits
moves each by up to 2^-12 of itself; through the trunk's 50 layers that grows to about one part in a thousand."""


def half_weights(graph):
    """Stores the graph's large weights as fp16. Gives how many were stored, and the names left alone for range."""
    casts, kept, left = [], [], []
    for tensor in graph.initializer:
        weights = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or weights.size < LARGE:
            kept.append(tensor)
            continue
        with np.errstate(over="ignore"):
            halved = weights.astype(np.float16)
        error = np.linalg.norm(halved.astype(np.float32) - weights) / max(np.linalg.norm(weights), 1e-30)
        if not error <= FP16_WEIGHT_ERROR:
            left.append(tensor.name)
            kept.append(tensor)
            continue
        stored = tensor.name + ".fp16"
        kept.append(numpy_helper.from_array(halved, stored))
        casts.append(helper.make_node("Cast", [stored], [tensor.name], stored + "_to_fp32", to=TensorProto.FLOAT))
    nodes = casts + list(graph.node)
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    return len(casts), left


def declare_shapes(graph, name, inputs, outputs):
    """Writes the contract's shapes over the exporter's guesses, which leave fixed sides open."""
    for declared, wanted in ((graph.input, inputs), (graph.output, outputs)):
        found = {value.name: value for value in declared}
        if list(found) != list(wanted):
            raise SystemExit(f"{name}.onnx: has {list(found)}, wanted {list(wanted)}")
        for port, shape in wanted.items():
            kind = found[port].type.tensor_type.elem_type
            if kind != (TensorProto.INT64 if port in contract.INTEGERS else TensorProto.FLOAT):
                raise SystemExit(f"{name}.onnx: {port} has element type {TensorProto.DataType.Name(kind)}")
            found[port].CopyFrom(helper.make_tensor_value_info(port, kind, shape))


def compare(given, stored, name, sizes, storage):
    """Runs both graphs on random inputs, prints how far they are apart, and stops beyond TOLERANCE."""
    shapes, worst = contract.graphs(sizes)[name][1], 0.0
    given, stored = proof.session(given), proof.session(stored)
    for seed in (0, 1):
        inputs = contract.random_inputs(sizes, name, seed)
        for port, a, b in zip(shapes, given.run(None, inputs), stored.run(None, inputs)):
            wanted = [2 if side == "B" else side for side in shapes[port]]
            if list(b.shape) != wanted:
                raise SystemExit(f"{name}.onnx: {port} has shape {list(b.shape)}, wanted {wanted}")
            error = np.sqrt(np.mean(np.square(b - a, dtype=np.float64)) / np.mean(np.square(a, dtype=np.float64)))
            worst = max(worst, error)
            if not error <= TOLERANCE[storage]:
                raise SystemExit(f"{name}.{port}: error {error:.2e}, wanted at most {TOLERANCE[storage]:.0e}")
    return worst


def manifest(card, sizes, normal, memory, variant, constants):
    """`model.json` but for its files. normal: mean and deviation of red, green and blue, 0 to 1; variant: how the graphs attend."""
    return {
        "format": FORMAT, "name": card["name"], "family": "sam2",
        **{key: card[key] for key in ("version", "licence", "provenance")},
        "input": {"size": sizes.image, "mean": normal[0], "deviation": normal[1], "resize": card["input"]["resize"]},
        "mask_stride": sizes.mask_stride, "channels": sizes.channels, "memory_channels": sizes.memory_channels,
        **({"carried_channels": sizes.carried_channels} if sizes.carried_channels else {}),
        "memory_slots": memory["slots"], "pointers": memory["pointers"], "variant": variant,
        "constants": constants,
    }


def write_manifest(folder, manifest):
    text = json.dumps(manifest, indent=2)
    # A list of numbers reads better on one line.
    text = re.sub(r"\[[\s\d.,eE+-]+\]", lambda numbers: re.sub(r"\s+", " ", numbers[0]), text)
    (folder / "model.json").write_text(text.replace("[ ", "[").replace(" ]", "]") + "\n")


def pack(graphs, target, manifest, sizes, storage):
    """graphs: {name: path of a graph in fp32}. `target` appears whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".pack-") as scratch:
        folder, files = Path(scratch) / "package", {}
        folder.mkdir()
        for name, (inputs, outputs) in contract.graphs(sizes).items():
            model = onnx.load(graphs[name])
            declare_shapes(model.graph, name, inputs, outputs)
            stored, left = half_weights(model.graph) if storage == "fp16" else (0, [])
            onnx.checker.check_model(model)
            path = folder / f"{name}.onnx"
            onnx.save(model, path)
            worst = compare(graphs[name], path, name, sizes, storage)
            print(f"{name}: {path.stat().st_size / 1e6:.2f} MB, {stored} tensors as fp16, out of range: {left or 'none'}, error {worst:.1e}")
            files[name] = {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        write_manifest(folder, {**manifest, "files": files})
        if target.exists():
            shutil.rmtree(target)
        folder.rename(target)
    print(f"{target}: {sum(f.stat().st_size for f in target.iterdir()) / 1e6:.2f} MB")
