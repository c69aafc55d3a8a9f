"""librotomask through its C interface, as any host would load it; include/rotomask.h says what each call means."""

import ctypes
import time
from ctypes import CFUNCTYPE, POINTER, byref, c_char_p, c_float, c_int32, c_int64, c_uint32, c_uint64, c_void_p

import numpy as np

RGB8, GRAY8, GRAY_F32 = 3, 4, 5
KEEP_WINDOW, KEEP_TEMPORARY, MASK_LOGITS, MASK_BINARY, NO_FRAME = 0, 1, 0, 2, 2**64 - 1
WAYS = {"forward": 0, "reverse": 1, "both": 2}
STAGES = ("preprocess", "image_encoder", "memory_attention", "mask_decoder", "memory_encoder")


class Sized(ctypes.Structure):
    """A structure that starts with its own size."""

    def __init__(self, *values):
        super().__init__(ctypes.sizeof(type(self)), *values)


class ModelOptions(Sized):
    _fields_ = [("struct_size", c_uint32), ("threads", c_uint32), ("onnxruntime", c_char_p)]


class Image(Sized):
    """rotomask_frame, and rotomask_canvas, which differ in who may write."""

    _fields_ = [("struct_size", c_uint32), ("format", c_uint32), ("width_px", c_uint32), ("height_px", c_uint32), ("stride_bytes", c_int64), ("pixels", c_void_p)]

    @classmethod
    def of(cls, array, format):
        assert array.flags.c_contiguous
        return cls(format, array.shape[1], array.shape[0], array.strides[0], array.ctypes.data)


class Result(Sized):
    _fields_ = [("struct_size", c_uint32), ("prompted", c_uint32), ("seen", c_uint32), ("logits_width", c_uint32), ("logits_height", c_uint32), ("predicted_iou", c_float), ("object_score", c_float)]


class Timings(Sized):
    _fields_ = [("struct_size", c_uint32), ("stage_ms", c_float * len(STAGES))]


class SessionOptions(Sized):
    _fields_ = [
        ("struct_size", c_uint32), ("keep", c_uint32), ("path", c_char_p), ("half_precision", c_uint32), ("non_overlap_masks", c_uint32),
        ("memory_ceiling", c_uint64), ("fill_hole_area", c_int32), ("add_all_frames_to_correct_as_cond", c_uint32),
        ("clear_non_cond_mem_around_input", c_uint32), ("max_cond_frames_in_attn", c_int32),
        ("memory_temporal_stride_for_eval", c_uint32), ("detect_cuts", c_uint32),
    ]


class TrackRequest(Sized):
    _fields_ = [
        ("struct_size", c_uint32), ("way", c_uint32), ("start", c_uint64), ("first", c_uint64), ("last", c_uint64),
        ("max_frames", c_uint64), ("overwrite", c_uint32), ("reserved", c_uint32),
    ]


ReadFrame = CFUNCTYPE(c_int32, c_void_p, c_uint64, POINTER(Image))
Tracked = CFUNCTYPE(c_int32, c_void_p, c_uint64)


class Library:
    def __init__(self, path, onnxruntime):
        self.c = ctypes.CDLL(str(path))
        self.c.rotomask_last_error.restype = c_char_p
        self.onnxruntime = str(onnxruntime).encode()

    def call(self, name, *arguments):
        if getattr(self.c, name)(*arguments):
            raise SystemExit(f"{name}: {self.c.rotomask_last_error().decode()}")

    def open(self, folder, threads):
        """The package in the folder; without one, the model that is built in."""
        options, model = ModelOptions(), c_void_p()
        self.c.rotomask_model_options_init(byref(options))
        options.threads, options.onnxruntime = threads, self.onnxruntime
        self.call("rotomask_model_open", folder and str(folder).encode(), byref(options), byref(model))
        return model


class Session:
    """A shot. As SAM 2's predictor on a CPU: cuts are not looked for, holes are not filled."""

    def __init__(self, library, model, width, height, keep=KEEP_TEMPORARY):
        self.library, self.size, self.session = library, (height, width), c_void_p()
        options = SessionOptions()
        library.c.rotomask_session_options_init(byref(options))
        options.keep, options.detect_cuts, options.fill_hole_area = keep, 0, 0
        library.call("rotomask_session_open_with", model, c_uint32(width), c_uint32(height), byref(options), byref(self.session))

    def call(self, name, *arguments):
        self.library.call(f"rotomask_session_{name}", self.session, *arguments)

    def prompt(self, frame, object, points=(), labels=(), box=None, mask=None):
        at = (c_uint32(object), c_uint64(frame))
        if mask is not None:
            pixels = np.ascontiguousarray(mask, np.uint8) * np.uint8(255)
            self.call("mask", *at, byref(Image.of(pixels, GRAY8)))
        if box is not None:
            self.call("box", *at, *[c_float(v) for v in box])
        for (x, y), label in zip(points, labels):
            self.call("click", *at, c_float(x), c_float(y), c_uint32(label))

    def push(self, frame, pixels):
        self.call("push", c_uint64(frame), byref(Image.of(np.ascontiguousarray(pixels, np.uint8), RGB8)))

    def answer(self, object):
        """(logits [m,m], score, predicted IoU, mask bool [H,W]) on the frame that was pushed last."""
        result, object = Result(), c_uint32(object)
        self.call("result", object, byref(result))
        logits = np.empty((result.logits_height, result.logits_width), np.float32)
        self.call("logits", object, byref(Image.of(logits, GRAY_F32)))
        mask = np.empty(self.size, np.uint8)
        self.call("binary", object, byref(Image.of(mask, GRAY8)))
        return logits, result.object_score, result.predicted_iou, mask > 0

    def track(self, way, start, frame):
        """Tracks all of a shot. frame(i): RGB u8 [H,W,3], or None beyond the last. Gives each finished frame's time."""
        request, held, times, failed = TrackRequest(), {}, [], []
        self.library.c.rotomask_track_request_init(byref(request))
        request.way, request.start = WAYS[way], start

        def read(_, at, image):
            try:
                pixels = frame(at)
            except Exception as error:  # it can't cross the library
                failed.append(error)
                return 2
            if pixels is None:
                return 1
            held["pixels"] = np.ascontiguousarray(pixels, np.uint8)
            image[0] = Image.of(held["pixels"], RGB8)
            return 0

        def tracked(_, at):
            times.append(time.monotonic())
            return 0

        try:
            self.call("track", byref(request), ReadFrame(read), Tracked(tracked), None, None)
        finally:
            if failed:
                raise failed[0]
        return times

    def answer_at(self, object, frame):
        """(logits [m,m], score, predicted IoU, mask bool [H,W]) on any frame."""
        result, object, frame = Result(), c_uint32(object), c_uint64(frame)
        self.call("result_at", object, frame, byref(result))
        logits = np.empty((result.logits_height, result.logits_width), np.float32)
        self.call("mask_at", object, frame, c_uint32(MASK_LOGITS), byref(Image.of(logits, GRAY_F32)))
        mask = np.empty(self.size, np.uint8)
        self.call("mask_at", object, frame, c_uint32(MASK_BINARY), byref(Image.of(mask, GRAY8)))
        return logits, result.object_score, result.predicted_iou, mask > 0

    def timings(self):
        """Milliseconds of the last push by stage."""
        timings = Timings()
        self.call("timings", byref(timings))
        return dict(zip(STAGES, timings.stage_ms))

    def close(self):
        self.library.c.rotomask_session_close(self.session)
