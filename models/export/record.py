"""Records what the reference gives on small cases, for the engine's tests: sdk/tests/data/{parity,preprocess}.

usage: record.py REPOSITORY_ROOT
"""

import json
import pathlib
import shutil
import sys

import cv2
import numpy as np
from PIL import Image
from safetensors.numpy import save_file

import reference
import scene

BLACK = -1
"""Stands for an all-zero picture in a case's list of pictures."""

SURE = 3e-4
"""A choice between masks closer than this could fall the other way on another processor; such a case isn't recorded."""

CLICK = {"click": {"frame": 0, "x": 84.0, "y": 118.0, "positive": True}}
ELSEWHERE = {"click": {"frame": 0, "x": 200.5, "y": 30.25, "positive": False}}
BOX = {"box": {"frame": 0, "x0": 40.0, "y0": 74.0, "x1": 128.0, "y1": 162.0}}
MASK = {"mask": {"frame": 0}}
LOWER_LEFT = {"click": {"frame": 0, "x": 70.0, "y": 140.0, "positive": True}}
ON_FRAME_3 = {"click": {"frame": 3, "x": 118.0, "y": 92.5, "positive": True}}
ON_FRAME_5 = {"click": {"frame": 5, "x": 129.0, "y": 113.0, "positive": True}}


def pushes(*frames):
    return [{"push": frame} for frame in frames]


CASES = {
    "click": [CLICK, *pushes(*range(12))],
    "clicks": [CLICK, ELSEWHERE, *pushes(*range(4))],
    "box": [BOX, *pushes(*range(4))],
    "box_and_click": [CLICK, BOX, *pushes(*range(4))],
    "mask": [MASK, *pushes(*range(4))],
    "empty_mask": [{"mask": {"frame": 0, "empty": True}}, *pushes(*range(4))],
    "refined": [CLICK, *pushes(0), LOWER_LEFT, "refine", ELSEWHERE, "refine", *pushes(1, 2)],
    "corrected": [CLICK, *pushes(0, 1, 2, 3), ON_FRAME_3, "refine", *pushes(4, 5, 6)],
    "prompted_twice": [CLICK, *pushes(0, 1, 2, 3, 4), ON_FRAME_5, *pushes(5, 6, 7)],
    "prompted_ahead": [CLICK, *pushes(0), ON_FRAME_5, *pushes(5, 1, 2, 3, 4, 6, 7)],
    "long": [CLICK, *pushes(*range(20))],
}
"""What the user does, in order. Prompts for a frame come before its push or, on the frame pushed last, before refine."""

PICTURES = {"click": [*range(9), BLACK, BLACK, 4], "long": [abs((t + 8) % 16 - 8) for t in range(20)]}
"""Which picture is at each frame, where it isn't frame t's picture t."""

STEADY = 1e-3
"""Logits that unoptimised graphs don't give to within this could miss the tests' tolerance on another processor. A frame's are
kept if they are steady, otherwise those of the latest frame before it whose are."""

LOGITS = {"click": (0, 1, 8, 9, 11), "empty_mask": (0, 2), "long": (6, 7, 16, 19)}
"""Frames whose logits are wanted; otherwise the first and the last."""

ATTENTION = {"click": (7,), "corrected": (3, 4, 6), "prompted_twice": (6, 7), "prompted_ahead": (2, 6), "long": (7, 17)}
"""Frames on which memory attention's inputs and its output are kept."""

WHOLE_MEMORY = {"corrected": (6,)}

def scaled(step, by):
    """A step of a case whose pictures are `by` times as large."""
    if step == "refine":
        return step
    (verb, what), = step.items()
    if verb not in ("click", "box"):
        return step
    return {verb: {name: value * by if name[0] in "xy" else value for name, value in what.items()}}


def play(package, name, steps, pictures, ball):
    """Gives the case's outputs: [(step, frame, Output)]."""
    stream, outputs = reference.Stream(package), []
    for index, step in enumerate(steps):
        verb, what = ("refine", None) if step == "refine" else next(iter(step.items()))
        match verb:
            case "click":
                stream.click(**what)
            case "box":
                stream.box(**what)
            case "mask":
                stream.mask(what["frame"], np.zeros_like(ball) if what.get("empty") else ball)
            case "push":
                shown = PICTURES[name][what] if name in PICTURES else what
                picture = np.zeros_like(pictures[0]) if shown == BLACK else pictures[shown]
                outputs.append((index, what, stream.push(what, picture)))
            case "refine":
                outputs.append((index, stream.frame, stream.refine()))
    return outputs


def save(tensors, path):
    save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, path)
    path.chmod(0o644)


def as_bf16(values):
    """The upper halves of f32s that are of bf16 precision, as u16."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    if np.any(bits & 0xFFFF):
        raise SystemExit("a memory is not of bf16 precision")
    return (bits >> 16).astype(np.uint16)


def kept_steps(name, outputs, others):
    """The steps whose logits are kept; `others` are outputs of unoptimised graphs."""
    apart = [np.abs(a.logits - b.logits).max() for (_, _, a), (_, _, b) in zip(outputs, others)]
    wanted, kept = LOGITS.get(name, (outputs[0][1], outputs[-1][1])), set()
    for last in (i for i, (_, frame, _) in enumerate(outputs) if frame in wanted):
        steady = [i for i in range(last + 1) if apart[i] <= STEADY and i not in kept]
        kept.update(steady[-1:])
    if not kept:
        raise SystemExit(f"{name}: unoptimised graphs differ by {min(apart):.1e} in logits at least, wanted {STEADY:.0e}")
    return {outputs[i][0] for i in kept}


def describe(name, outputs, kept, tensors):
    """One case's results for JSON; its tensors go into `tensors`."""
    results = []
    for step, frame, output in outputs:
        if output.margin < SURE:
            raise SystemExit(f"{name}: frame {frame} is a near tie ({output.margin:.1e}), wanted {SURE}")
        key = f"{name}.{step}"
        result = {"step": step, "frame": frame, "predicted_iou": output.iou, "object_score": output.score}
        result["picked"] = output.picked
        if step in kept:
            tensors[f"{key}.logits"] = np.ascontiguousarray(output.logits)
        given = output.attention
        if given is not None:
            result["mem_tpos"] = given["mem_tpos"].tolist()
            result["ptr_tpos"] = [float(at) for at in given["ptr_tpos"]]
            if frame in ATTENTION.get(name, ()):
                tensors[f"{key}.ptrs"] = given["ptrs"][0]
                tensors[f"{key}.memory_part"] = as_bf16(given["memory"][0, :, ::16, ::4])
                tensors[f"{key}.pix_feat_part"] = np.ascontiguousarray(given["pix_feat"][0, ::8])
            if frame in WHOLE_MEMORY.get(name, ()):
                tensors[f"{key}.memory"] = as_bf16(given["memory"][0])
        results.append(result)
    return results


def record_parity(root):
    folder = root / "sdk/tests/data/parity"
    shutil.rmtree(folder / "pictures", ignore_errors=True)
    (folder / "pictures").mkdir(parents=True)
    nano, tensors, cases = root / "models/rotomask-nano.rotomodel", {}, []
    side = json.loads((nano / "model.json").read_text())["input"]["size"]
    pictures, balls = scene.frames(9, side=side)
    for index, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"pictures/{index}.png", optimize=True)
    Image.fromarray(balls[0].astype(np.uint8) * 255).save(folder / "mask.png", optimize=True)
    plain, careful = reference.Package(nano), reference.Package(nano, threads=1, optimise=False)
    for name, steps in CASES.items():
        steps = [scaled(step, side / scene.SIDE) for step in steps]
        outputs = play(plain, name, steps, pictures, balls[0])
        other = play(careful, name, steps, pictures, balls[0])
        kept = kept_steps(name, outputs, other)
        results = describe(name, outputs, kept, tensors)
        cases.append({"name": name, "pictures": PICTURES.get(name, [*range(9)]), "steps": steps, "results": results})
        most = max(np.abs(a.logits - b.logits).max() for (_, _, a), (_, _, b) in zip(outputs, other))
        scores = max(abs(a.score - b.score) for (_, _, a), (_, _, b) in zip(outputs, other))
        picked = "".join("m" if a.picked is None else str(a.picked) for _, _, a in outputs)
        unseen = sum(a.score <= 0 for _, _, a in outputs)
        print(f"{name}: unoptimised graphs differ by {most:.1e} in logits, {scores:.1e} in scores; masks {picked}, {unseen} unseen; kept {sorted(kept)}")
    (folder / "cases.json").write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    save(tensors, folder / "results.safetensors")


def record_preprocess(root):
    """Goldens from OpenCV and Pillow, which is what the model was trained with and what PyTorch equals."""
    folder = root / "sdk/tests/data/preprocess"
    folder.mkdir(parents=True, exist_ok=True)
    rng, tensors = np.random.default_rng(11), {}
    for name, (width, height) in {"wide": (161, 77), "large": (403, 301)}.items():
        y, x = np.mgrid[:height, :width]
        waves = [128 + 90 * np.sin(x / 7 + c) * np.cos(y / 5 - c) for c in range(3)]
        noise = rng.normal(0, 25, (height, width, 1)) if name == "wide" else 0  # noise doesn't pack
        picture = np.clip(np.stack(waves, -1) + noise, 0, 255).astype(np.uint8)
        Image.fromarray(picture).save(folder / f"{name}.png", optimize=True)
        tensors[f"{name}.bicubic_u8"] = np.asarray(Image.fromarray(picture).resize((128, 128), Image.Resampling.BICUBIC))
        tensors[f"{name}.area_u8"] = cv2.resize(picture, (64, 64), interpolation=cv2.INTER_AREA)
        tensors[f"{name}.area_f32"] = cv2.resize(picture.astype(np.float32), (64, 64), interpolation=cv2.INTER_AREA)
    logits = (8 * rng.standard_normal((16, 16))).astype(np.float32)
    tensors["logits"] = logits
    tensors["logits.at_37x23"] = cv2.resize(logits, (37, 23), interpolation=cv2.INTER_LINEAR)
    y, x = np.mgrid[:32, :32]
    mask = (x - 12.5) ** 2 / 90 + (y - 19) ** 2 / 140 < 1
    mask[:3, 25:] = True  # touches the border, where the triangle is renormalised
    tensors["mask"] = mask.astype(np.uint8)
    signed = np.where(mask, 10, -10).astype(np.float32)
    tensors["mask.quartered_logits"] = np.asarray(Image.fromarray(signed).resize((8, 8), Image.Resampling.BILINEAR))
    difference = np.abs(reference.shrink(signed, 4) - tensors["mask.quartered_logits"]).max()
    print(f"mask: the reference's quarter differs from Pillow's by {difference:.1e}")
    y, x = np.mgrid[:37, :53]
    frame_mask = ((x - 30) ** 2 / 300 + (y - 12) ** 2 / 100 < 1).astype(np.uint8)
    tensors["frame_mask"] = frame_mask
    squeezed = Image.fromarray(frame_mask.astype(np.float32)).resize((32, 32), Image.Resampling.BILINEAR)
    tensors["frame_mask.at_32x32"] = np.asarray(squeezed)
    save(tensors, folder / "goldens.safetensors")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    record_parity(pathlib.Path(sys.argv[1]))
    record_preprocess(pathlib.Path(sys.argv[1]))
