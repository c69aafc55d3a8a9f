"""Holds librotomask, through its C interface, against SAM 2's own video predictor in fp32, on the same frames and prompts.

Ends with one line of figures, and fails where they are beyond the tolerance. `cargo xtask parity` calls it.

A prompt is {"frame", "object", "points"?, "labels"?, "box"?, "mask"?} in pixels of the frame: points [[x, y], ...] with a
label each (1 on the object, 0 not), box [x0, y0, x1, y1], mask a picture's path (above half is the object) or rows of 0
and 1. What is said of an object on one frame, in however many prompts, is taken together.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import models
import scene
from library import Library, Session
from official import Official

LOGITS, MASKS = 5e-4, 0.9999
"""Largest error of a logit, and smallest overlap of an object's masks over all frames. The logits range over +-60, and
PyTorch in fp32 is itself some 1e-4 from fp64; a mistake moves them by 1e-2 and more. A pixel whose logit is nearer to 0
than that may fall either way, which is what the overlap allows."""
SURE = 1e-4
"""A choice between masks, or a sign of a score, that is nearer than this is a coin toss, and said to be one."""
WINDOW = 16
"""SAM 2 measures pointers' distances by a clip's length below so many frames. A stream doesn't know its length, so that
the library takes every clip to be longer, and the predictor is told the same."""
SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}


def frames_in(folder):
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES) if folder.is_dir() else []
    if not found:
        raise SystemExit(f"{folder}: no pictures; wanted a folder of {', '.join(sorted(SUFFIXES))} files")
    return found


def made_up(folder, count):
    """A striped ball that rolls over a patchy floor, 640x400."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures, balls = scene.frames(count)
    for at, picture in enumerate(pictures):
        Image.fromarray(picture).resize((640, 400), Image.Resampling.BICUBIC).save(folder / f"{at:05}.png")
    return frames_in(folder)


DEFAULT = [
    {"frame": 0, "object": 1, "points": [[210.0, 184.5]], "labels": [1]},
    {"frame": 0, "object": 2, "box": [100.0, 115.0, 320.0, 253.0], "points": [[500.5, 60.0]], "labels": [0]},
]


def mask_of(given, folder, size):
    if isinstance(given, str):
        mask = np.array(Image.open(folder / given).convert("L")) > 127
    else:
        mask = np.array(given) > 0
    if mask.shape != size:
        raise SystemExit(f"a mask is {mask.shape[::-1]}, wanted the frames' {size[::-1]}")
    return mask


def read_prompts(path, frames, size):
    """[{frame, object, points, labels, box, mask}], by frame, then by object; one for each object on a frame."""
    given, folder = (json.loads(path.read_text()), path.parent) if path else (DEFAULT, Path())
    known, merged = {"frame", "object", "points", "labels", "box", "mask"}, {}
    if not isinstance(given, list) or not given:
        raise SystemExit(f"{path}: wanted an array of prompts")
    for prompt in given:
        wrong = not isinstance(prompt, dict) or set(prompt) - known or not {"frame", "object"} <= set(prompt)
        points, labels = ([], []) if wrong else (prompt.get("points") or [], prompt.get("labels") or [])
        if wrong or len(points) != len(labels) or not 0 <= prompt["frame"] < frames or not set(labels) <= {0, 1}:
            raise SystemExit(f"{path}: {json.dumps(prompt)}: wanted {', '.join(sorted(known))}, a frame below {frames}, a label of 0 or 1 a point")
        whole = merged.setdefault((prompt["frame"], prompt["object"]), {"frame": prompt["frame"], "object": prompt["object"], "points": [], "labels": [], "box": None, "mask": None})
        whole["points"] += points
        whole["labels"] += labels
        whole["box"] = prompt.get("box") or whole["box"]
        if prompt.get("mask") is not None:
            whole["mask"] = mask_of(prompt["mask"], folder, size)
    return [merged[key] for key in sorted(merged)]


def passes(way, prompts, frames):
    """(start, end) of each pass through the shot, both included."""
    first, last = prompts[0]["frame"], prompts[-1]["frame"]
    return {"forward": [(first, frames - 1)], "reverse": [(last, 0)], "both": [(first, frames - 1), (first, 0)]}[way]


def theirs(model, pictures, prompts, way):
    """{(frame, object): (Answer, mask)}, and seconds of each frame tracked."""
    official = Official(model, pictures)
    official.state["num_frames"] = max(len(pictures), WINDOW)
    for prompt in prompts:
        prompt = dict(prompt)
        mask = prompt.pop("mask")
        if mask is not None:
            official.prompt(prompt["frame"], prompt["object"], mask=mask)
        if mask is None or prompt["points"] or prompt["box"]:
            official.prompt(**prompt)
    answers, seconds, start = {}, [], time.monotonic()
    for begin, end in passes(way, prompts, len(pictures)):
        if begin == end and way != "forward":
            continue  # SAM 2 has nothing to do before the first frame
        for frame, found, masks in official.track(begin, end):
            seconds.append(time.monotonic() - start)
            answers |= {(frame, object): (answer, masks[object]) for object, answer in found.items()}
            print(f"  SAM 2, frame {frame}: {seconds[-1]:.1f} s", flush=True)
            start = time.monotonic()
    return answers, seconds[1:] or seconds


def ours(session, pictures, prompts, way):
    """The same from librotomask: {(frame, object): (logits, score, iou, mask)}, and seconds of each frame tracked."""
    for prompt in prompts:
        session.prompt(**prompt)
    rgb = lambda frame: np.array(Image.open(pictures[frame]).convert("RGB")) if frame < len(pictures) else None
    times = session.track(way, passes(way, prompts, len(pictures))[0][0], rgb)
    objects = {prompt["object"] for prompt in prompts}
    frames = {frame for begin, end in passes(way, prompts, len(pictures)) for frame in range(min(begin, end), max(begin, end) + 1)}
    seconds = np.diff(times)
    return {(frame, object): session.answer_at(object, frame) for frame in frames for object in objects}, seconds


def overlap(a, b):
    return 1.0 if not (a | b).any() else (a & b).sum() / (a | b).sum()


def compare(label, wanted, found):
    """Prints each answer's error, and ends with the line of figures. Gives whether all is within the tolerance."""
    worst, scores, tosses, flipped, pixels = 0.0, 0.0, 0, 0, 0
    inside, union = {}, {}
    for (frame, object), (answer, mask) in sorted(wanted.items()):
        logits, score, _, ours_mask = found[frame, object]
        error, off = np.abs(logits - answer.logits).max(), abs(score - answer.score)
        toss = min(answer.margin, abs(answer.score)) < SURE
        print(f"  frame {frame} object {object}: score {answer.score:+.2f}, logits {answer.logits.min():.1f} to {answer.logits.max():.1f}, off by {error:.1e}; masks {mask.sum()} px, IoU {overlap(mask, ours_mask):.6f}{', a coin toss' if toss else ''}")
        worst, scores, tosses = max(worst, error), max(scores, off), tosses + toss
        flipped, pixels = flipped + (mask != ours_mask).sum(), pixels + mask.size
        inside[object] = inside.get(object, 0) + (mask & ours_mask).sum()
        union[object] = union.get(object, 0) + (mask | ours_mask).sum()
    least = min(inside[o] / union[o] if union[o] else 1.0 for o in union)
    good = worst <= LOGITS and least >= MASKS and np.isfinite(worst)
    print(
        f"{label}: {'parity' if good else 'NO PARITY'}; {len(wanted)} masks of {len(union)} objects; logits off by at most {worst:.1e} "
        f"(wanted {LOGITS:.0e}), scores by {scores:.1e}; masks IoU {least:.6f} (wanted {MASKS}), {flipped} of {pixels} pixels differ"
        f"{f'; {tosses} answers hang on a coin toss' if tosses else ''}"
    )
    return good


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--config", required=True)
    p.add_argument("--weights", type=Path, required=True, help="checkpoint from which the package was exported")
    p.add_argument("--package", type=Path, required=True)
    p.add_argument("--library", type=Path, required=True)
    p.add_argument("--onnxruntime", type=Path, required=True)
    p.add_argument("--frames", type=Path, help="folder of pictures; otherwise a made-up scene")
    p.add_argument("--prompts", type=Path, help="JSON")
    p.add_argument("--way", choices=("forward", "reverse", "both"), default="forward", help="from the first prompted frame; in reverse from the last")
    p.add_argument("--count", type=int, help="takes so many frames at most")
    p.add_argument("--scratch", type=Path, required=True, help="where the made-up scene goes")
    p.add_argument("--threads", type=int, default=os.cpu_count())
    a = p.parse_args()
    if bool(a.frames) != bool(a.prompts) and a.prompts is None:
        sys.exit("--frames: wanted --prompts too, in pixels of these frames")
    torch.set_grad_enabled(False)
    torch.set_num_threads(a.threads)
    pictures = (frames_in(a.frames) if a.frames else made_up(a.scratch, a.count or 8))[: a.count]
    width, height = Image.open(pictures[0]).size
    prompts = read_prompts(a.prompts, len(pictures), (height, width))
    library = Library(a.library, a.onnxruntime)
    session = Session(library, library.open(a.package, a.threads), width, height)
    found, our_seconds = ours(session, pictures, prompts, a.way)
    session.close()
    side = json.loads((a.package / "model.json").read_text())["input"]["size"]
    smaller = models.at(side) if side in models.SIDES else []
    model = models.build(a.config, ["++model.add_all_frames_to_correct_as_cond=true", *smaller])
    models.load(model, a.weights)
    wanted, their_seconds = theirs(model, pictures, prompts, a.way)
    print(f"seconds a frame, median: SAM 2 {np.median(their_seconds):.2f}, librotomask {np.median(our_seconds) if len(our_seconds) else 0:.2f}")
    sys.exit(0 if compare(f"{a.config}, {len(pictures)} frames of {width}x{height}, {a.way}", wanted, found) else 1)


if __name__ == "__main__":
    main()
