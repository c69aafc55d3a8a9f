"""SAM 2's own video predictor in fp32 on the CPU, with what it keeps to itself laid open: what memory attention is given
and gives, predicted IoUs, object scores, low-resolution logits.

Nothing that it computes is changed. Three things that stop it on a CPU are mended: pictures of any format are read, not
JPEG alone; holes are counted by OpenCV where its CUDA extension isn't there; and memories in bf16 are widened where no
pointer beside them does so.
"""

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from sam2 import sam2_video_predictor
from sam2.modeling import sam2_base
from sam2.utils import misc


@dataclass
class Answer:
    """What one object is on one frame."""

    logits: np.ndarray  # [m,m]
    score: float
    pointer: np.ndarray  # [D]
    iou: float | None = None  # None where an earlier answer stands
    margin: float = np.inf  # how far a choice was from another one; near 0 it is a coin toss
    attention: dict | None = None  # inputs and output of memory attention by the graph's names, where it ran
    decoded: float | None = None  # the decoder's own object score: a mask prompt's pointer is only alive above 0


@dataclass
class _Spied:
    """What the running call has shown so far."""

    times: torch.Tensor | None = None
    attention: dict | None = None
    candidates: tuple | None = None
    answers: dict = field(default_factory=dict)  # {(frame, object index): Answer}


class Official:
    def __init__(self, model, pictures):
        """pictures: paths, one a frame, all of one size."""
        self.model, self.spied = model, _Spied()
        misc.get_connected_components = connected_components
        self._spy()
        sam2_video_predictor.load_video_frames = lambda **_: load(pictures, model.image_size)
        with quiet():
            self.state = model.init_state(str(Path(pictures[0]).parent))

    def prompt(self, frame, object, points=(), labels=(), box=None, mask=None, again=False):
        """Answers a prompt in frame pixels. `again`: the points add to the frame's earlier ones. Gives an Answer."""
        self.spied = _Spied()
        if mask is not None:
            self.model.add_new_mask(self.state, frame, object, torch.from_numpy(np.asarray(mask, bool)))
        else:
            points, labels = np.float32(points).reshape(-1, 2), np.int32(labels)
            box = None if box is None else np.float32(box)
            self.model.add_new_points_or_box(self.state, frame, object, points, labels, clear_old_points=not again, box=box)
        return self.spied.answers[frame, self.state["obj_id_to_idx"][object]]

    def track(self, start, end):
        """Gives (frame, {object: Answer}, {object: bool [H,W]}) from `start` to `end`, which may lie before it."""
        objects = self.state["obj_ids"]
        with quiet():
            steps = self.model.propagate_in_video(self.state, start, abs(end - start), reverse=end < start)
            for frame, _, masks in steps:
                answers = {}
                for at, object in enumerate(objects):
                    outputs = self.state["output_dict_per_obj"][at]
                    out = outputs["cond_frame_outputs"].get(frame) or outputs["non_cond_frame_outputs"][frame]
                    answers[object] = self.spied.answers.get((frame, at)) or opened(out)
                yield frame, answers, {o: (masks[at, 0] > 0).numpy() for at, o in enumerate(objects)}
                self.spied = _Spied()

    def masks(self, frame, answers):
        """What a host would be shown for the answers to prompts: {object: bool [H,W]}."""
        low = torch.stack([torch.from_numpy(answer.logits)[None] for answer in answers.values()])
        _, large = self.model._get_orig_video_res_output(self.state, low)
        return {o: (large[at, 0] > 0).numpy() for at, o in enumerate(answers)}

    def _spy(self):
        model = self.model
        places, narrow = model.maskmem_tpos_enc[:, 0, 0], model.mem_dim
        sine = getattr(sam2_base.get_1d_sine_pe, "spied", sam2_base.get_1d_sine_pe)
        attend, run, predict = model.memory_attention.forward, model._run_single_frame_inference, model.sam_mask_decoder.predict_masks

        def see_times(positions, *rest, **named):
            self.spied.times = positions
            return sine(positions, *rest, **named)

        def see_attention(curr, curr_pos, memory, memory_pos, num_obj_ptr_tokens):
            memory = memory.float()
            given = attend(curr=curr, curr_pos=curr_pos, memory=memory, memory_pos=memory_pos, num_obj_ptr_tokens=num_obj_ptr_tokens)
            cells, frames = curr[0].shape[0], memory.shape[0] - num_obj_ptr_tokens
            place = model.memory_encoder.position_encoding(torch.zeros(1, narrow, *[int(cells**0.5)] * 2)).flatten(2)[0].T
            row = lambda at: int(((memory_pos[at, 0] - place[0]) - places).abs().sum(1).argmin())
            none = torch.zeros(0)
            self.spied.attention = {
                "memory": memory[:frames, 0].reshape(-1, cells, narrow).numpy(),
                "mem_tpos": [row(at) for at in range(0, frames, cells)],
                "ptrs": memory[frames:, 0].reshape(-1, model.hidden_dim).numpy(),
                "ptr_tpos": (self.spied.times if self.spied.times is not None else none).numpy().astype(np.float32),
                "pix_feat": given[:, 0].T.reshape(model.hidden_dim, int(cells**0.5), -1).numpy(),
            }
            return given

        def see_candidates(*given, **named):
            self.spied.candidates = predict(*given, **named)
            return self.spied.candidates

        def see_run(inference_state, output_dict, frame_idx, **named):
            self.spied.times = self.spied.attention = self.spied.candidates = None
            out = run(inference_state=inference_state, output_dict=output_dict, frame_idx=frame_idx, **named)
            at = next(at for at, known in inference_state["output_dict_per_obj"].items() if known is output_dict)
            answer = self.spied.answers[frame_idx, at] = opened(out[0])
            answer.attention = self.spied.attention
            answer.decoded = float(self.spied.candidates[3][0, 0])
            if named["mask_inputs"] is not None:
                answer.iou = 1.0
            else:
                points = named["point_inputs"]
                several = points is not None and points["point_labels"].shape[1] > 1
                answer.iou, answer.margin = chosen(model, self.spied.candidates, several)
            return out

        see_times.spied = sine
        sam2_base.get_1d_sine_pe = see_times
        model.memory_attention.forward, model._run_single_frame_inference = see_attention, see_run
        model.sam_mask_decoder.predict_masks = see_candidates


def opened(out):
    return Answer(out["pred_masks"][0, 0].numpy(), float(out["object_score_logits"][0, 0]), out["obj_ptr"][0].numpy())


def chosen(model, candidates, several):
    """The predicted IoU of the mask that SAM 2's rule takes, and how far the rule was from taking another."""
    masks, ious, _, score = [x[0].double() for x in candidates]
    order = 1 + torch.argsort(ious[1:], descending=True)
    iou, margin = float(ious[order[0]]), float(ious[order[0]] - ious[order[1]])
    if several:
        decoder = model.sam_mask_decoder
        stability = float(decoder._get_stability_scores(masks[:1])[0])
        wanted = decoder.dynamic_multimask_stability_thresh
        if stability >= wanted:
            iou, margin = float(ious[0]), np.inf
        margin = min(margin, abs(stability - wanted))
    return iou, min(margin, abs(float(score)))


def connected_components(mask):
    """As SAM 2's CUDA extension: labels of 8-connected parts and each pixel's part's area, [n,1,h,w]."""
    labels, areas = torch.zeros(mask.shape, dtype=torch.int64), torch.zeros(mask.shape, dtype=torch.int64)
    for at, plane in enumerate(mask[:, 0]):
        _, found, stats, _ = cv2.connectedComponentsWithStats(plane.numpy().astype(np.uint8), connectivity=8)
        labels[at, 0] = torch.from_numpy(found)
        areas[at, 0] = torch.from_numpy(np.where(found > 0, stats[found, cv2.CC_STAT_AREA], 0))
    return labels, areas


def load(pictures, side):
    """As SAM 2's loader of JPEG folders: [n,3,side,side] normalised, and the pictures' height and width."""
    images = torch.zeros(len(pictures), 3, side, side)
    for at, path in enumerate(pictures):
        images[at], height, width = misc._load_img_as_tensor(path, side)
    images -= torch.tensor((0.485, 0.456, 0.406))[:, None, None]
    images /= torch.tensor((0.229, 0.224, 0.225))[:, None, None]
    return images, height, width


class quiet:
    """Without progress bars."""

    def __enter__(self):
        self.bar = sam2_video_predictor.tqdm
        sam2_video_predictor.tqdm = lambda steps, **_: steps

    def __exit__(self, *_):
        sam2_video_predictor.tqdm = self.bar
