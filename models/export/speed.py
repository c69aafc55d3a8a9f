"""Time a frame of librotomask, through its C interface, beside SAM 2's own video predictor in PyTorch: same machine, same
frames, same number of threads, turn by turn. `cargo xtask bench reference` calls it.

Measured is the steady state: 7 memories, 16 pointers, one object, from the frame's pixels to its mask at the frame's size.
Then what 1, 2, 4 and 8 objects and a click on an encoded frame cost.
"""

import argparse
import os
import platform
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

import contract
import models
import scene
from attention import standard
from export import MODULES
from library import KEEP_WINDOW, Library, Session
from official import Official

FULL = 16
"""The first frame on which 7 memories and 16 pointers are recalled."""
STAGES = ("image_encoder", "memory_attention", "mask_decoder", "memory_encoder")


class Frames:
    """A clip of any length, forth and back over the scene, as both sides are given it: pixels."""

    def __init__(self, model, width, height):
        self.model, self.count = model, 10**6
        resize = lambda picture: Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC)
        self.pictures = [resize(picture) for picture in scene.frames(9)[0]]

    def picture(self, frame):
        return self.pictures[abs((frame + 8) % 16 - 8)]

    def __len__(self):
        return self.count

    def __getitem__(self, frame):
        """As SAM 2's loader makes it, when it is needed, as its asynchronous one does."""
        side = self.model.image_size
        image = torch.from_numpy(np.array(self.picture(frame).resize((side, side))) / 255.0).permute(2, 0, 1)
        mean, deviation = (torch.tensor(v)[:, None, None] for v in (models.MEAN, models.DEVIATION))
        return ((image - mean) / deviation).float()


class Clock:
    """Time and processor time, of all threads, since it was made, in milliseconds."""

    def __init__(self):
        self.start = time.monotonic(), time.process_time()

    def spent(self):
        return {"whole": (time.monotonic() - self.start[0]) * 1e3, "processor": (time.process_time() - self.start[1]) * 1e3}


class Theirs:
    def __init__(self, model, frames, scratch, point):
        self.spent = {}
        still = scratch / "still.png"
        frames.picture(0).save(still)
        self.official = Official(model, [still])
        state = self.official.state
        state.update(images=frames, num_frames=len(frames), cached_features={})
        self.official.prompt(0, 1, [point], [1])
        list(self.official.track(0, 1))
        # What is remembered of a frame takes the same time whatever it is.
        tracked = state["output_dict_per_obj"][0]["non_cond_frame_outputs"]
        tracked.update({frame: tracked[1] for frame in range(2, FULL)})
        for stage, owner, name in (
            ("image_encoder", model, "forward_image"), ("memory_attention", model.memory_attention, "forward"),
            ("mask_decoder", model, "_forward_sam_heads"), ("memory_encoder", model, "_encode_new_memory"),
        ):
            setattr(owner, name, self._timed(stage, getattr(owner, name)))

    def _timed(self, stage, work):
        def timed(*given, **named):
            start = time.monotonic()
            result = work(*given, **named)
            self.spent[stage] = (time.monotonic() - start) * 1e3
            return result

        return timed

    def frame(self, at):
        """Milliseconds of one frame: whole, by stage, and what memory attention recalled."""
        clock = Clock()
        steps = self.official.track(at, at)
        _, answers, _ = next(steps)
        spent = {**clock.spent(), **self.spent}
        given = answers[1].attention
        steps.close()
        return spent, (len(given["mem_tpos"]), len(given["ptr_tpos"]))


class Ours:
    def __init__(self, library, package, frames, point, threads):
        width, height = frames.picture(0).size
        self.frames, self.session = frames, Session(library, library.open(package, threads), width, height, KEEP_WINDOW)
        self.session.prompt(0, 1, [point], [1])
        self.frame(0)
        self.first_clicks = [self.click(0, (point[0] + i, point[1])) for i in range(5)]
        for at in range(1, FULL):
            self.frame(at)

    def frame(self, at):
        pixels, clock = np.array(self.frames.picture(at)), Clock()
        self.session.push(at, pixels)
        self.session.answer(1)
        return {**clock.spent(), **self.session.timings()}

    def click(self, at, point):
        """Milliseconds until a click on the frame that was pushed last is answered."""
        self.session.prompt(at, 1, [point], [1])
        start = time.monotonic()
        self.session.call("refine")
        self.session.answer(1)
        return (time.monotonic() - start) * 1e3


def several(library, frames, threads):
    """Median milliseconds of a frame with 1, 2, 4 and 8 objects, in the default model."""
    width, height = frames.picture(0).size
    costs, model = {}, library.open(None, threads)
    for objects in (1, 2, 4, 8):
        session, spent = Session(library, model, width, height, KEEP_WINDOW), []
        for object in range(objects):
            session.prompt(0, object, [((object + 0.5) * width / 8, height / 2)], [1])
        for at in range(3 * FULL):
            pixels, start = np.array(frames.picture(at)), time.monotonic()
            session.push(at, pixels)
            spent.append((time.monotonic() - start) * 1e3)
        session.close()
        costs[objects] = np.median(spent[FULL:])
    return costs


def peak(threads):
    """GFLOP a second of ONNX Runtime's own fp32 matrix product, 2048 each way: the best of ten."""
    n = 2048
    square = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [n, n])
    graph = helper.make_graph([helper.make_node("MatMul", ["a", "b"], ["c"])], "product", [square("a"), square("b")], [square("c")])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    given, best = {name: np.random.default_rng(1).standard_normal((n, n), np.float32) for name in "ab"}, 0.0
    for _ in range(10):
        start = time.monotonic()
        session.run(None, given)
        best = max(best, 2 * n**3 / (time.monotonic() - start) / 1e9)
    return best


def work(model):
    """GFLOP of our graphs for one object, 7 memories and 16 pointers, and of SAM 2's own memory attention."""
    sizes = contract.sizes_of(model)
    d, g, c = sizes.channels, sizes.grid, sizes.memory_channels
    free, done = {"B": 1, "M": 7, "P": 16}, {}
    for name, (inputs, _) in contract.graphs(sizes).items():
        shapes = {port: [(1 if name == "mask_decoder" and side == "P" else free.get(side, side)) for side in shape] for port, shape in inputs.items()}
        given = [torch.zeros(shape, dtype=torch.int64 if port in contract.INTEGERS else torch.float32, device="meta") for port, shape in shapes.items()]
        with FlopCounterMode(display=False) as counter:
            MODULES[name](model, standard).to("meta")(*given)
        done[name] = counter.get_total_flops() / 1e9
    layers, cells, long = len(model.memory_attention.layers), g * g, 7 * g * g + 16 * (d // c)
    # Values of D channels instead of c, and their projection of every memory.
    full = done["memory_attention"] + layers * (2 * cells * long * (d - c) + 2 * long * c * d + 2 * cells * d * (d - c)) / 1e9
    return done, full


def processor():
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.processor())


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--config", required=True)
    p.add_argument("--weights", type=Path, required=True)
    p.add_argument("--package", type=Path, required=True)
    p.add_argument("--approximate", type=Path, help="another package of the same model, whose graphs approximate it")
    p.add_argument("--library", type=Path, required=True)
    p.add_argument("--onnxruntime", type=Path, required=True)
    p.add_argument("--scratch", type=Path, required=True)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--repetitions", type=int, default=10)
    p.add_argument("--size", type=int, nargs=2, default=(1280, 720), metavar=("W", "H"))
    a = p.parse_args()
    torch.set_grad_enabled(False)
    torch.set_num_threads(a.threads)
    a.scratch.mkdir(parents=True, exist_ok=True)
    library, model = Library(a.library, a.onnxruntime), models.build(a.config)
    models.load(model, a.weights)
    width, height = a.size
    frames, point = Frames(model, width, height), (0.35 * width, 0.45 * height)
    before = peak(a.threads)
    rivals = {"librotomask": Ours(library, a.package, frames, point, a.threads)}
    if a.approximate:
        rivals["approximate"] = Ours(library, a.approximate, frames, point, a.threads)
    theirs = Theirs(model, frames, a.scratch, point)
    times = {name: [] for name in ("SAM 2", *rivals)}
    for at in range(FULL, FULL + a.repetitions):
        spent, recalled = theirs.frame(at)
        times["SAM 2"].append(spent)
        for name, rival in rivals.items():
            times[name].append(rival.frame(at))
        print(f"  frame {at}: " + ", ".join(f"{name} {spent[-1]['whole'] / 1e3:.2f} s" for name, spent in times.items()), flush=True)
    best = max(before, peak(a.threads))
    corrections = [rivals["librotomask"].click(at, (point[0] + i, point[1])) for i in range(2)]
    for rival in rivals.values():
        rival.session.close()
    costs = several(library, frames, a.threads)
    flops, full = work(model)
    report(a, times, best, flops, full, recalled)
    clicks = rivals["librotomask"].first_clicks
    print(f"a click on an encoded frame: {np.median(clicks):.0f} ms, median of {len(clicks)}, fastest {min(clicks):.0f}; on a tracked one, which recalls memories: {min(corrections):.0f} ms")
    print("objects in the default model, milliseconds a frame: " + ", ".join(f"{n}: {ms:.1f} ({ms / costs[1]:.2f}x)" for n, ms in costs.items()))


def report(a, times, best, flops, full, recalled):
    whole = lambda name: np.array([spent["whole"] for spent in times[name]])
    stage = lambda name, of: np.array([spent[of] for spent in times[name]])
    versions = f"PyTorch {torch.__version__}, ONNX Runtime {onnxruntime.__version__}, onnx {onnx.__version__}"
    print(f"\nprocessor: {processor()}, {os.cpu_count()} threads, of which {a.threads} are used; {versions}")
    print(f"{a.config}, frames of {a.size[0]}x{a.size[1]}, {recalled[0]} memories, {recalled[1]} pointers, one object, {a.repetitions} repetitions turn by turn")
    print(f"fp32 matrix product of ONNX Runtime, 2048 each way: {best:.0f} GFLOP/s; load of the machine now: {os.getloadavg()[0]:.1f}")
    print(f"{'median ms a frame':20}" + "".join(f"{name:>14}" for name in times) + f"{'ratio':>8}{'GFLOP':>8}{'of peak':>9}")
    for of in STAGES:
        theirs, ours = np.median(stage("SAM 2", of)), np.median(stage("librotomask", of))
        row = "".join(f"{np.median(stage(name, of)):14.0f}" for name in times)
        print(f"{of:20}{row}{theirs / ours:8.2f}{flops[of]:8.0f}{100 * flops[of] / ours * 1e3 / best:8.0f}%")
    print(f"{'end to end':20}" + "".join(f"{np.median(whole(name)):14.0f}" for name in times))
    print(f"{'fastest':20}" + "".join(f"{whole(name).min():14.0f}" for name in times))
    # On a machine that is shared the time waits for others; processor time does not, or little.
    print(f"{'least processor time':20}" + "".join(f"{stage(name, 'processor').min():14.0f}" for name in times))
    print(f"memory attention with values as PyTorch has them would be {full:.0f} GFLOP")
    for name in list(times)[1:]:
        ratios = whole("SAM 2") / whole(name)
        print(f"{name} against SAM 2 in PyTorch, end to end: {np.median(ratios):.2f} times as fast (turns {ratios.min():.2f} to {ratios.max():.2f}; fastest against fastest {whole('SAM 2').min() / whole(name).min():.2f}; least processor time {stage('SAM 2', 'processor').min() / stage(name, 'processor').min():.2f})")


if __name__ == "__main__":
    main()
