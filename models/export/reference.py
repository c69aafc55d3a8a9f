"""SAM 2's streaming behaviour over a package's graphs, in NumPy, for one object going forward: what the engine must equal.

It is written for reading and for recording, not for speed, and shares no code with the engine.
"""

import json
import pathlib
from dataclasses import dataclass, field

import numpy as np
import onnxruntime

NEGATIVE, POSITIVE, BOX_FIRST, BOX_LAST, PADDING = 0, 1, 2, 3, -1


class Package:
    """The four graphs and the manifest."""

    def __init__(self, folder, threads=2, optimise=True):
        folder = pathlib.Path(folder)
        self.manifest = json.loads((folder / "model.json").read_text())
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        if not optimise:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        self.sessions = {
            name: onnxruntime.InferenceSession(folder / file["name"], options, providers=["CPUExecutionProvider"])
            for name, file in self.manifest["files"].items()
        }

    def run(self, graph, **inputs):
        return self.sessions[graph].run(None, inputs)


@dataclass
class Prompt:
    """What the user said about one frame: points in model pixels with their labels, box corners first, or a mask."""

    points: list = field(default_factory=list)  # [(x, y, label)]
    mask: np.ndarray | None = None  # [S, S] bool

    def add(self, *points):
        corners = [p for p in (*self.points, *points) if p[2] in (BOX_FIRST, BOX_LAST)]
        clicks = [p for p in (*self.points, *points) if p[2] in (NEGATIVE, POSITIVE)]
        self.points = corners + clicks


@dataclass
class Output:
    """One frame's answer, and what later frames recall of it."""

    logits: np.ndarray  # [m, m]
    pointer: np.ndarray  # [D]
    score: float
    iou: float
    picked: int | None  # which of the decoder's four masks; None for a mask prompt
    margin: float  # how far the choice was from another one; a recording near 0 would be a coin toss
    attention: dict | None = None  # what memory attention was given and gave, where it ran
    memory: np.ndarray | None = None  # [g*g, C], of bf16 precision


class Stream:
    """Frames go in by `push`, in any order, each once; prompts for a frame go in before it, or before `refine`."""

    def __init__(self, package):
        self.package, self.model = package, package.manifest
        self.constants = self.model["constants"]
        self.prompted, self.tracked = {}, {}  # {frame: Output}: conditioning frames, and the others
        self.prompts, self.unanswered = {}, set()
        self.frame = self.features = None

    def click(self, frame, x, y, positive):
        self._prompt(frame).add((x, y, POSITIVE if positive else NEGATIVE))

    def box(self, frame, x0, y0, x1, y1):
        self._prompt(frame).add((x0, y0, BOX_FIRST), (x1, y1, BOX_LAST))

    def mask(self, frame, mask):
        prompt = self._prompt(frame)
        prompt.points, prompt.mask = [], mask

    def push(self, frame, rgb):
        """rgb: u8 [S, S, 3]"""
        pixels = (rgb.astype(np.float32) / 255 - np.float32(self.model["input"]["mean"])) / np.float32(
            self.model["input"]["deviation"]
        )
        names = ("s0", "s1", "s2", "s2_without_memory")
        image = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])
        self.frame, self.features = frame, dict(zip(names, self.package.run("image_encoder", image=image)))
        return self._answer() if frame in self.unanswered else self._track()

    def refine(self):
        """Answers the prompts that came for the frame pushed last."""
        return self._answer()

    def _prompt(self, frame):
        self.unanswered.add(frame)
        return self.prompts.setdefault(frame, Prompt())

    def _track(self):
        attended = self._attend()
        output = self._decode(attended["pix_feat"], [], None)
        output.attention = attended
        self._remember(output, binarise=False)
        self.tracked[self.frame] = output
        return output

    def _answer(self):
        """A prompted frame is a conditioning frame, on tracked frames too: otherwise the correction would be lost."""
        prompt, attended = self.prompts[self.frame], None
        earlier = self.prompted.get(self.frame) or self.tracked.get(self.frame)
        if prompt.mask is not None:
            output = self._take_mask(prompt.mask)
        else:
            features = self.features["s2_without_memory"]
            if self.frame in self.tracked:
                attended = self._attend()
                features = attended["pix_feat"]
            output = self._decode(features, prompt.points, None if earlier is None else earlier.logits)
            output.attention = attended
        self._remember(output, binarise=True)
        self.tracked.pop(self.frame, None)
        self.prompted[self.frame] = output
        self.unanswered.discard(self.frame)
        return output

    def _decode(self, features, points, earlier_logits, dense=None):
        """dense: a mask already in the decoder's terms, which asks for its single-mask answer."""
        side = self.model["input"]["size"] // self.model["mask_stride"]
        single = dense is not None or len(points) > 1
        if earlier_logits is not None:
            limit = self.constants["dense_prompt_limit"]
            dense = np.clip(earlier_logits, -limit, limit)
        points = points or [(0.0, 0.0, PADDING)]
        masks, ious, pointers, score = self.package.run(
            "mask_decoder",
            pix_feat=features,
            feat_s0=self.features["s0"],
            feat_s1=self.features["s1"],
            point_coords=np.array([[p[:2] for p in points]], np.float32),
            point_labels=np.array([[p[2] for p in points]], np.int64),
            mask_input=(np.zeros((side, side), np.float32) if dense is None else dense)[None, None],
            has_mask=np.array([dense is not None], np.float32),
        )
        masks, ious, score = masks[0], ious[0], float(score[0, 0])
        order = 1 + np.argsort(-ious[1:], kind="stable")
        picked, token, margin = int(order[0]), int(order[0]), float(ious[order[0]] - ious[order[1]])
        if single:
            token, wanted = 0, self.constants["stability_threshold"]
            stability = self._stability(masks[0])
            if stability >= wanted:
                picked, margin = 0, np.inf
            margin = min(margin, abs(stability - wanted))
        logits = masks[picked] if score > 0 else np.full_like(masks[0], self.constants["no_object_logit"])
        return Output(logits, pointers[0, token], score, float(ious[picked]), picked, min(margin, abs(score)))

    def _stability(self, logits):
        delta = self.constants["stability_delta"]
        loose = np.count_nonzero(logits > -delta)
        return np.count_nonzero(logits > delta) / loose if loose else 1.0

    def _take_mask(self, mask):
        """The mask is the answer; the decoder is asked for the object pointer alone, on the raw features."""
        stride = self.model["mask_stride"]
        pixels = mask.astype(np.float32)
        signed = pixels * self.constants["mask_prompt_scale"] + self.constants["mask_prompt_bias"]
        weight = np.float32(self.constants["mask_downsample_weight"]).reshape(stride, stride)
        side = len(mask) // stride
        tiles = pixels.reshape(side, stride, side, stride)
        dense = np.einsum("yixj,ij->yx", tiles, weight) + np.float32(self.constants["mask_downsample_bias"])
        pointer = self._decode(self.features["s2"], [], None, dense.astype(np.float32)).pointer
        if not mask.any():
            pointer = np.float32(self.constants["no_object_pointer"])
        score = 10.0 if mask.any() else -10.0
        return Output(shrink(signed, stride), pointer, score, 1.0, None, np.inf)

    def _remember(self, output, binarise):
        (memory,) = self.package.run(
            "memory_encoder",
            feat_s2=self.features["s2"],
            low_res_mask=output.logits[None, None],
            object_score=np.array([[output.score]], np.float32),
            binarize=np.array([binarise], np.float32),
        )
        output.memory = round_to_bf16(memory[0])

    def _attend(self):
        """Runs memory attention; gives its inputs and its output by the graph's names."""
        now, slots, reach = self.frame, self.model["memory_slots"], self.model["pointers"]
        recalled = [(output.memory, slots - 1) for _, output in sorted(self.prompted.items())]
        for distance in range(slots - 1, 0, -1):
            if output := self.tracked.get(now - distance):
                recalled.append((output.memory, distance - 1))
        pointed = [(output.pointer, now - at) for at, output in sorted(self.prompted.items()) if at <= now]
        for distance in range(1, reach):
            if output := self.tracked.get(now - distance):
                pointed.append((output.pointer, distance))
        inputs = {
            "memory": np.stack([memory for memory, _ in recalled])[None],
            "mem_tpos": np.array([slot for _, slot in recalled], np.int64),
            "ptrs": np.array([pointer for pointer, _ in pointed], np.float32).reshape(1, -1, self.model["channels"]),
            # A stream doesn't know its length, so distances are always shares of the longest.
            "ptr_tpos": np.array([at for _, at in pointed], np.float32) / np.float32(reach - 1),
        }
        (features,) = self.package.run("memory_attention", feat_s2=self.features["s2"], **inputs)
        return {**inputs, "pix_feat": features}


def round_to_bf16(values):
    """Nearest bf16, ties to even, as f32."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32).astype(np.uint64)
    bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return bits.astype(np.uint32).view(np.float32)


def shrink(picture, factor):
    """[H, W] to 1/factor by a triangle as wide as two output pixels, renormalised where it leaves the picture.

    This is what PyTorch and Pillow call bilinear with antialiasing.
    """
    return _triangle(picture.shape[0], factor) @ picture @ _triangle(picture.shape[1], factor).T


def _triangle(length, factor):
    centres = factor * (np.arange(length // factor) + 0.5)
    pixels = np.arange(length) + 0.5
    weights = np.maximum(0, 1 - np.abs(pixels[None] - centres[:, None]) / factor)
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)
