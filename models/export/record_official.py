"""Records what SAM 2's own video predictor gives on small cases, for the engine's tests: sdk/tests/data/parity_official.

usage: record_official.py REPOSITORY_ROOT

The model is `sam2.1_test` at random weights: every code path of SAM 2.1's hiera_tiny, in less than a megabyte.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.numpy import save_file

import models
import scene
import weights
from official import Official

CONFIG, SEED = "sam2.1_test", 5
SURE = 3e-4
"""A choice between masks closer than this could fall the other way on another processor; such a case isn't recorded."""
WHITE = -1
"""In a list of pictures: white all over, in which this model sees no object."""
FRAMES = 32
FORTH_AND_BACK = [abs((t + 8) % 16 - 8) for t in range(FRAMES)]


def click(frame, x, y, positive=1, object=1):
    return {"prompt": {"object": object, "frame": frame, "points": [[x, y]], "labels": [positive]}}


def prompt(frame, object=1, **more):
    return {"prompt": {"object": object, "frame": frame, **more}}


def track(start, end):
    return {"track": {"start": start, "end": end}}


HERE, THERE, AWAY = (54.0, 44.5), (120.25, 60.0), (150.0, 20.0)
CASES = {
    "one_click": {"steps": [click(0, *THERE), track(0, 20)]},
    "positive_and_negative": {"steps": [prompt(0, points=[THERE, AWAY], labels=[1, 0]), track(0, 3)]},
    "box": {"steps": [prompt(0, box=[12.0, 4.5, 100.0, 84.0]), track(0, 3)]},
    "box_and_clicks": {"steps": [prompt(0, box=[12.0, 4.5, 100.0, 84.0], points=[HERE, AWAY], labels=[1, 0]), track(0, 3)]},
    "mask": {"steps": [prompt(0, mask=True), track(0, 3)]},
    "corrected": {"steps": [click(0, *THERE), track(0, 6), click(4, *HERE, 0), track(4, 9)]},
    "two_prompted": {"steps": [click(0, *THERE), click(9, *HERE), track(0, 12)]},
    "vanishing": {
        "pictures": [WHITE if 8 <= t <= 11 else shown for t, shown in enumerate(FORTH_AND_BACK)],
        "steps": [click(0, *THERE), track(0, 14)],
    },
    "three_objects": {
        "steps": [
            click(0, *THERE), track(0, 3), prompt(3, 2, box=[12.0, 4.5, 100.0, 84.0]), prompt(5, 7, mask=True), track(3, 8),
            click(6, *AWAY, 0, 2), track(6, 10),
        ],
    },
    "reverse": {"steps": [click(20, *THERE), track(20, 3)]},
    "both_ways": {"steps": [click(12, *THERE), track(12, 18), track(12, 4)]},
    "non_overlapping": {
        "options": {"non_overlap_masks": True},
        "steps": [click(0, *THERE), click(0, *HERE, 1, 2), prompt(0, 3, mask=True), track(0, 4)],
    },
    "holes": {"options": {"fill_hole_area": 8}, "steps": [click(0, *THERE), track(0, 6)]},
    "two_conditioning_frames_at_most": {
        "options": {"max_cond_frames_in_attn": 2},
        "steps": [click(0, *THERE), click(6, *HERE), click(12, *THERE), click(18, *HERE), track(0, 16)],
    },
}
"""What the user does, in order. Tracking includes both ends, and goes back where its end lies before its start."""

LOGITS = {
    "one_click": (0, 7, 20), "vanishing": (7, 9, 12, 14), "three_objects": (6, 10), "reverse": (11, 3),
    "both_ways": (18, 11, 4), "two_prompted": (4, 12), "corrected": (5, 9), "holes": (0, 1, 6),
    "two_conditioning_frames_at_most": (3, 16),
}
"""Frames whose logits and masks are kept besides the prompts' answers; otherwise 0 and 3."""
MASKS = ("one_click", "mask", "vanishing", "non_overlapping", "holes")
ATTENTION = {
    "one_click": (20,), "vanishing": (12,), "three_objects": (7,), "reverse": (4,), "both_ways": (11, 5),
    "two_prompted": (4,), "corrected": (4, 9), "mask": (1,), "two_conditioning_frames_at_most": (3, 14),
}
"""Frames on which memory attention's inputs and its output are kept."""


def play(case, pictures, mask):
    """Gives [(step, frame, object, Answer, mask at the frame's size or None)]."""
    options = {name: json.dumps(value) for name, value in case.get("options", {}).items()}
    # Otherwise corrections don't hold, and the library is always so.
    options["add_all_frames_to_correct_as_cond"] = "true"
    model = models.build(CONFIG, [f"++model.{name}={value}" for name, value in options.items()])
    weights.randomise(model, SEED)
    official, answers = Official(model, [pictures[shown] for shown in case.get("pictures", FORTH_AND_BACK)]), []
    for step, what in enumerate(case["steps"]):
        if given := what.get("track"):
            for frame, found, masks in official.track(given["start"], given["end"]):
                answers += [(step, frame, object, answer, masks[object]) for object, answer in found.items()]
        else:
            given = dict(what["prompt"])
            if given.pop("mask", False):
                given["mask"] = mask
            answers.append((step, given["frame"], given["object"], official.prompt(**given), None))
    return answers


def as_bf16(values):
    """The upper halves of f32s that are of bf16 precision, as u16."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    if np.any(bits & 0xFFFF):
        raise SystemExit("a memory is not of bf16 precision")
    return (bits >> 16).astype(np.uint16)


def describe(name, answers, tensors):
    """One case's results for JSON; its tensors go into `tensors`, as STEP.FRAME.OBJECT.WHAT behind the case's name."""
    results = []
    for step, frame, object, answer, mask in answers:
        if answer.margin < SURE:
            raise SystemExit(f"{name}: object {object} on frame {frame} is a near tie ({answer.margin:.1e}), wanted {SURE}")
        result = {"step": step, "frame": frame, "object": object, "object_score": answer.score, "predicted_iou": answer.iou}
        key, given = f"{name}.{step}.{frame}.{object}", answer.attention
        kept = mask is None or frame in LOGITS.get(name, (0, 3))
        if kept and answer.iou is not None:
            tensors[f"{key}.logits"] = answer.logits
        if kept and name in MASKS and mask is not None:
            tensors[f"{key}.mask"] = np.packbits(mask)
        if given:
            result["mem_tpos"], result["ptr_tpos"] = given["mem_tpos"], [float(at) for at in given["ptr_tpos"]]
            if frame in ATTENTION.get(name, ()):
                tensors[f"{key}.memory"] = as_bf16(given["memory"])
                tensors[f"{key}.ptrs"], tensors[f"{key}.pix_feat"] = given["ptrs"], given["pix_feat"]
        results.append(result)
    return results


def expect(name, answers, plain):
    """Refuses a case that doesn't show what it is for."""
    scores = [answer.score for _, _, _, answer, mask in answers if mask is not None]
    wants = {
        "mask": lambda: answers[0][3].decoded > 0,
        "vanishing": lambda: scores[7] > 0 and max(scores[8:12]) < 0 < min(scores[12:]),
        "holes": lambda: any(np.any(a.logits != b.logits) for (*_, a, _), (*_, b, _) in zip(answers, plain)),
        "non_overlapping": lambda: any(np.any(a != b) for (*_, a), (*_, b) in zip(answers, plain) if a is not None),
    }
    if name in wants and not wants[name]():
        raise SystemExit(f"{name}: this model and clip don't show it")


def main(root):
    folder = root / "sdk/tests/data/parity_official"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "pictures").mkdir(parents=True)
    pictures = {WHITE: folder / "pictures/white.png"}
    squares, balls = scene.frames(9)
    # 200x88: wider and lower than the model's square.
    cut = lambda picture: picture[74:162, 30:230]
    Image.fromarray(np.full_like(cut(squares[0]), 255)).save(pictures[WHITE], optimize=True)
    for at, picture in enumerate(squares):
        pictures[at] = folder / f"pictures/{at}.png"
        Image.fromarray(cut(picture)).save(pictures[at], optimize=True)
    mask = cut(balls[0])
    Image.fromarray(mask.astype(np.uint8) * 255).save(folder / "mask.png", optimize=True)
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    tensors, cases = {}, []
    for name, case in CASES.items():
        answers = play(case, pictures, mask)
        expect(name, answers, play({**case, "options": {}}, pictures, mask) if case.get("options") else answers)
        results = describe(name, answers, tensors)
        shown = case.get("pictures", FORTH_AND_BACK)
        cases.append({"name": name, "options": case.get("options", {}), "pictures": shown, "steps": case["steps"], "results": results})
        margin = min(answer.margin for _, _, _, answer, _ in answers)
        print(f"{name}: {len(answers)} answers, {sum(a.score <= 0 for *_, a, _ in answers)} unseen, nearest choice {margin:.1e}")
    (folder / "cases.json").write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, folder / "results.safetensors")
    (folder / "results.safetensors").chmod(0o644)
    export = [sys.executable, str(Path(__file__).with_name("export.py")), "--config", CONFIG, "--random-seed", str(SEED)]
    subprocess.run([*export, "--storage", "fp32", "--threads", "1", str(folder / "model.rotomodel")], check=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
