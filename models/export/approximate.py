"""Makes a faster package out of an exact one, at some cost of masks: `--pool` and `--int8`, alone or together.

    python models/export/approximate.py --pool --int8 models/rotomask-nano.rotomodel nano-fast.rotomodel

`--pool`: a memory is the mean over 2x2 of its tokens. The encoder's graph gives it so, and attention places it by the
pools' middles: a quarter of the keys, and of the memory that is held.
`--int8`: matrix products with a weight in 8 bits, scaled for each input anew.

Nothing is trained again. The manifest says what was given up.
"""

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

GRAPHS = ("image_encoder", "mask_decoder", "memory_encoder", "memory_attention")
# The decoder is small and its logits are the result; the memory encoder is convolutions.
QUANTIZED = ("image_encoder", "memory_attention")


def pooled(table, grid):
    """[..., grid*grid, c] to the mean over 2x2 cells, [..., grid*grid/4, c]."""
    cells = table.reshape(*table.shape[:-2], grid // 2, 2, grid // 2, 2, table.shape[-1])
    return cells.mean((-4, -2)).reshape(*table.shape[:-2], grid * grid // 4, table.shape[-1])


def pool_encoder(graph, grid):
    """Appends the means to the graph that makes memories."""
    output = graph.output[0]
    channels = output.type.tensor_type.shape.dim[2].dim_value
    for node in graph.node:
        node.output[:] = [name.replace("memory", "memory_of_cells") if name == "memory" else name for name in node.output]
        node.input[:] = ["memory_of_cells" if name == "memory" else name for name in node.input]
    shape = lambda name, sides: numpy_helper.from_array(np.int64(sides), name)
    half = grid // 2
    graph.initializer.extend([shape("pool_cells", [-1, half, 2, half, 2, channels]), shape("pool_tokens", [-1, half * half, channels])])
    graph.node.extend([
        helper.make_node("Reshape", ["memory_of_cells", "pool_cells"], ["memory_in_pools"]),
        helper.make_node("ReduceMean", ["memory_in_pools"], ["memory_means"], axes=[2, 4], keepdims=0),
        helper.make_node("Reshape", ["memory_means", "pool_tokens"], ["memory"]),
    ])
    output.type.tensor_type.shape.dim[1].dim_value = half * half


def constants(graph):
    """Every value that no input has a part in, in fp32: initialisers, and what is cast from them."""
    known = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            known[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
        elif node.op_type in ("Cast", "Identity") and node.input[0] in known:
            known[node.output[0]] = known[node.input[0]].astype(np.float32) if node.op_type == "Cast" else known[node.input[0]]
    return known


def pool_attention(graph, grid):
    """Places memories by the middles of their pools: every table of cells that meets what memories alone made."""
    known, cells = constants(graph), grid * grid
    seen = {value.name: {value.name} for value in graph.input}
    for node in graph.node:
        made_of = set().union(*(seen.get(name, set()) for name in node.input)) if node.input else set()
        seen.update({name: made_of for name in node.output})
    found = []
    for node in graph.node:
        tables = [name for name in node.input if name in known and known[name].ndim >= 2 and known[name].shape[-2] == cells]
        others = set().union(*(seen.get(name, set()) for name in node.input))
        if tables and "memory" in others and "feat_s2" not in others:
            found += [(node, name) for name in tables]
    if not any(node.op_type == "Add" for node, _ in found) or sum(node.op_type == "Mul" for node, _ in found) < 2:
        sys.exit("memory_attention.onnx: its tables of places were not found")
    # A rotation is by a cosine and a sine, whose products are added: the middle's angle is the mean's direction.
    readers = {name: node for node in graph.node for name in node.input}
    turned = {}
    for node, name in found:
        if node.op_type == "Mul":
            turned.setdefault(readers[node.output[0]].output[0], []).append(name)
    length = {}
    for pair in turned.values():
        if len(pair) != 2:
            sys.exit(f"memory_attention.onnx: {pair} are no cosine and sine")
        size = np.hypot(*(pooled(known[name].astype(np.float64), grid) for name in pair))
        length.update({name: size for name in pair})
    for node, name in found:
        new = name + "_pooled"
        if all(tensor.name != new for tensor in graph.initializer):
            table = pooled(known[name].astype(np.float64), grid) / length.get(name, 1.0)
            graph.initializer.append(numpy_helper.from_array(table.astype(np.float32), new))
        node.input[:] = [new if given == name else given for given in node.input]
    for value in graph.input:
        if value.name == "memory":
            value.type.tensor_type.shape.dim[2].dim_value = cells // 4
    del graph.value_info[:]


def widen(graph):
    """Undoes the storage of weights as fp16: the quantiser wants them as they are computed with."""
    known, casts = constants(graph), {}
    for node in list(graph.node):
        if node.op_type == "Cast" and node.input[0] in known:
            casts[node.input[0]] = True
            graph.initializer.append(numpy_helper.from_array(known[node.output[0]], node.output[0]))
            graph.node.remove(node)
    kept = [tensor for tensor in graph.initializer if tensor.name not in casts]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--pool", action="store_true", help="memories of a quarter of the tokens")
    p.add_argument("--int8", action="store_true", help="matrix products in 8 bits")
    p.add_argument("source", type=Path, metavar="EXACT.rotomodel")
    p.add_argument("target", type=Path, metavar="OUT.rotomodel", help="replaced if it exists")
    a = p.parse_args()
    if not (a.pool or a.int8):
        p.error("wanted --pool, --int8 or both")
    manifest = json.loads((a.source / "model.json").read_text())
    before = manifest.get("approximations", [])
    if before not in ([], ["smaller_input"]):
        sys.exit(f"{a.source}: is approximate already: {before}")
    grid = manifest["input"]["size"] // 16
    with tempfile.TemporaryDirectory(dir=a.target.parent, prefix=".approximate-") as scratch:
        folder = Path(scratch) / "package"
        folder.mkdir()
        for name in GRAPHS:
            file = manifest["files"][name]
            model, path = onnx.load(a.source / file["name"]), folder / file["name"]
            if a.pool and name == "memory_encoder":
                pool_encoder(model.graph, grid)
            if a.pool and name == "memory_attention":
                if any(tensor.name == "match.nearness" for tensor in model.graph.initializer):
                    sys.exit(f"{a.source}: hands labels on square by square, which a pool of squares would blur; wanted a package without, or --int8 alone")
                pool_attention(model.graph, grid)
            widened = a.int8 and name in QUANTIZED
            if widened:
                widen(model.graph)
            weights = {tensor.name for tensor in model.graph.initializer}
            if widened and any(node.op_type == "MatMul" and node.input[1] in weights for node in model.graph.node):
                onnx.save(model, Path(scratch) / "wide.onnx")
                quantize_dynamic(Path(scratch) / "wide.onnx", path, op_types_to_quantize=["MatMul"], weight_type=QuantType.QInt8, per_channel=True,
                                 extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT})
            elif widened:
                shutil.copy(a.source / file["name"], path)  # no product with a weight
            else:
                onnx.save(model, path)
            onnx.checker.check_model(onnx.load(path))
            file["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        manifest["approximations"] = before + ["int8"] * a.int8 + ["pooled_memory"] * a.pool
        if a.pool:
            manifest["memory_tokens"] = grid * grid // 4
        (folder / "model.json").write_text(json.dumps(manifest, indent=2) + "\n")
        if a.target.exists():
            shutil.rmtree(a.target)
        folder.rename(a.target)


if __name__ == "__main__":
    main()
