"""rotomask for Python hosts: the whole of rotomask.h in one file, over ctypes; nothing is built.

Python 3.9 and later, as in Blender, Natron, Nuke and Jupyter. NumPy is used where it is there: masks are then arrays.
Without it they are memoryviews of the same shape, and frames may be anything with a buffer.

    with rotomask.Model() as model, model.session(1280, 720) as session:
        session.click("Rabbit", 0, 640, 360)
        for frame, masks in session.propagate(frames):
            masks["Rabbit"]                         # uint8, 0 or 255, the frame's size

Pixels are arrays of rows: `(height, width, 3)` RGB, `(height, width, 4)` RGBA, or `(height, width)` for masks, of uint8,
uint16, float16 or float32. Rows may lie any way in memory, also bottom up; they are read and written where they are.
Where pixels of a row are apart, as in `bgr[..., ::-1]`, a copy is read. `Frame` tells of bytes without a shape, and of BGRA.

A call that fails raises `Error` with a `status`. A callback's exception stops the work and comes out of the call.
Calls on one object wait for each other; `cancel` doesn't. Ctrl-C stops within a stage of the work.

Copyright rotomask's authors. MIT or Apache-2.0, as you like.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import ctypes.util
import enum
import json
import logging
import os
import struct
import sys
import threading
import time
import weakref
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from ctypes import POINTER, byref, c_char_p, c_double, c_float, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional, Union

try:
    import numpy as np
except ImportError:  # Natron's Python, for one, may come without.
    np = None

__all__ = [
    "Automatic", "AutomaticMask", "Badge", "Cancelled", "Candidate", "Combine", "Direction", "Error", "Frame", "Image", "Layer",
    "Level", "Masks", "Matte", "MatteSettings", "Model", "Options", "Preview", "Result", "Salvaged", "Session",
    "SessionFile", "Stage", "Status", "Stopped", "Stretch", "TrackReport", "Way", "abi_version", "info", "kernel_code",
    "kernels", "load", "log_to_logging", "matte_parameters", "options_table", "png", "preview", "read_image", "set_log", "version",
    "write_png",
]

# --- constants: the header's, by its names ---------------------------------------------------------------------------

ABI_VERSION = 1
VERSION_MAJOR, VERSION_MINOR, VERSION_PATCH = 0, 1, 0
STAGE_COUNT = 5
NO_FRAME = 2**64 - 1


class Status(enum.IntEnum):
    """How a call ended."""

    OK = 0
    ERROR_NULL = 1
    ERROR_ARGUMENT = 2
    ERROR_FRAME = 3
    ERROR_PROMPT = 4
    ERROR_STATE = 5
    ERROR_MODEL = 6
    ERROR_RUNTIME = 7
    ERROR_DEVICE = 8
    ERROR_CANCELLED = 9
    ERROR_BUFFER = 10
    ERROR_PANIC = 11
    ERROR_SESSION = 12


class Format(enum.IntEnum):
    """How a pixel lies in memory."""

    RGBA8, BGRA8, RGB8, GRAY8, GRAY_F32 = 1, 2, 3, 4, 5
    RGBA16, BGRA16, RGB16, GRAY16 = 6, 7, 8, 9
    RGBA_F16, BGRA_F16, RGB_F16, GRAY_F16 = 10, 11, 12, 13
    RGBA_F32, BGRA_F32, RGB_F32 = 14, 15, 16


class Gpu(enum.IntEnum):
    """Where mattes are finished: AUTO is a hardware adapter if there is one, otherwise the CPU; ADAPTER the one that is named."""

    AUTO, OFF, SOFTWARE, ADAPTER = 0, 1, 2, 3


class Units(enum.IntEnum):
    """What places are counted in."""

    PIXELS, NORMALISED = 0, 1


class Keep(enum.IntEnum):
    """What a session keeps of frames that were answered."""

    WINDOW, TEMPORARY, FILE = 0, 1, 2


class Direction(enum.IntEnum):
    """Which way an object was followed."""

    FORWARD, REVERSE = 0, 1


class Mask(enum.IntEnum):
    """What of a mask is written."""

    LOGITS, COVERAGE, BINARY = 0, 1, 2


class Way(enum.IntEnum):
    """Which frames are tracked: OUTDATED is what prompts have made wrong since it was tracked."""

    FORWARD, REVERSE, BOTH, OUTDATED = 0, 1, 2, 3


class Stopped(enum.IntEnum):
    """Why tracking ended."""

    DONE, AT_CUT, BY_CALLER = 0, 1, 2


class Stage(enum.IntEnum):
    """A part of the work on a frame."""

    PREPROCESS, IMAGE_ENCODER, MEMORY_ATTENTION, MASK_DECODER, MEMORY_ENCODER = 0, 1, 2, 3, 4


class Combine(enum.IntEnum):
    """What an object does to those before it."""

    ADD, SUBTRACT, INTERSECT, MIN, MAX, MULTIPLY = 0, 1, 2, 3, 4, 5


class Badge(enum.IntEnum):
    """What the status view's badge tells of a frame."""

    UNTRACKED, PROMPTED, TRACKED, REVIEW, MISSING = 0, 1, 2, 3, 4


class Level(enum.IntEnum):
    """How much a message matters."""

    ERROR, WARN, INFO, DEBUG = 1, 2, 3, 4


class Language(enum.IntEnum):
    """A draft, as the kernels are."""

    WGSL, SPIRV, GLSL, HLSL, MSL = 0, 1, 2, 3, 4


_PREFIXES = {
    Status: "", Format: "FORMAT_", Gpu: "GPU_", Units: "UNITS_", Keep: "KEEP_", Direction: "", Mask: "MASK_", Way: "WAY_",
    Stopped: "STOPPED_", Stage: "STAGE_", Combine: "COMBINE_", Badge: "BADGE_", Level: "LEVEL_", Language: "LANGUAGE_",
}

#: Every constant by its name in C; a test holds them against the headers.
CONSTANTS: dict[str, int] = {
    f"ROTOMASK_{prefix}{member.name}": int(member) for kind, prefix in _PREFIXES.items() for member in kind
}
CONSTANTS.update(
    ROTOMASK_ABI_VERSION=ABI_VERSION, ROTOMASK_VERSION_MAJOR=VERSION_MAJOR, ROTOMASK_VERSION_MINOR=VERSION_MINOR,
    ROTOMASK_VERSION_PATCH=VERSION_PATCH, ROTOMASK_STAGE_COUNT=STAGE_COUNT, ROTOMASK_NO_FRAME=NO_FRAME,
)

# --- structs and functions as ctypes; the same test ------------------------------------------------------------------

#: Every struct by its name in C.
STRUCTS: dict[str, Any] = {}


def _struct(name: str, *fields: tuple[str, Any]) -> Any:
    STRUCTS[name] = type(name, (ctypes.Structure,), {"_fields_": list(fields)})
    return STRUCTS[name]


def _sized(name: str, *fields: tuple[str, Any]) -> Any:
    return _struct(name, ("struct_size", c_uint32), *fields)


_ModelOptions = _sized(
    "rotomask_model_options",
    ("threads", c_uint32), ("onnxruntime", c_char_p), ("providers", c_char_p), ("device", c_uint32),
    ("deterministic", c_uint32), ("device_memory_bytes", c_uint64),
)
_SessionOptions = _sized(
    "rotomask_session_options",
    ("keep", c_uint32), ("path", c_char_p), ("half_precision", c_uint32), ("non_overlap_masks", c_uint32),
    ("memory_ceiling", c_uint64), ("fill_hole_area", c_int32), ("add_all_frames_to_correct_as_cond", c_uint32),
    ("clear_non_cond_mem_around_input", c_uint32), ("max_cond_frames_in_attn", c_int32),
    ("memory_temporal_stride_for_eval", c_uint32), ("detect_cuts", c_uint32), ("units", c_uint32), ("reserved", c_uint32),
)
_PIXELS = (("format", c_uint32), ("width_px", c_uint32), ("height_px", c_uint32), ("stride_bytes", c_int64), ("pixels", c_void_p))
_Frame = _sized("rotomask_frame", *_PIXELS)
_Canvas = _sized("rotomask_canvas", *_PIXELS)
_Result = _sized(
    "rotomask_result",
    ("prompted", c_uint32), ("seen", c_uint32), ("logits_width", c_uint32), ("logits_height", c_uint32),
    ("predicted_iou", c_float), ("object_score", c_float),
)
_Timings = _sized("rotomask_timings", ("stage_ms", c_float * STAGE_COUNT))
_TrackRequest = _sized(
    "rotomask_track_request",
    ("way", c_uint32), ("start", c_uint64), ("first", c_uint64), ("last", c_uint64), ("max_frames", c_uint64),
    ("overwrite", c_uint32), ("reserved", c_uint32),
)
_Stretch = _struct("rotomask_stretch", ("object", c_uint32), ("direction", c_uint32), ("first", c_uint64), ("last", c_uint64))
_TrackReport = _sized(
    "rotomask_track_report",
    ("stopped", c_uint32), ("stopped_at", c_uint64), ("kept", c_uint64), ("stretches", POINTER(_Stretch)),
    ("capacity", c_size_t), ("count", c_size_t),
)
_ImageOptions = _sized(
    "rotomask_image_options",
    ("max_hole_area", c_uint32), ("max_sprinkle_area", c_uint32), ("mask_threshold", c_float), ("units", c_uint32),
)
_Point = _struct("rotomask_point", ("x", c_float), ("y", c_float), ("positive", c_uint32))
_ImagePrompts = _sized(
    "rotomask_image_prompts",
    ("point_count", c_uint32), ("points", POINTER(_Point)), ("mask_input", POINTER(_Frame)), ("has_box", c_uint32),
    ("bounds", c_float * 4), ("multimask_output", c_uint32),
)
_Candidate = _sized(
    "rotomask_candidate",
    ("logits_width", c_uint32), ("logits_height", c_uint32), ("predicted_iou", c_float), ("stability_score", c_float),
    ("object_score", c_float), ("area_px", c_uint64), ("bounds_px", c_uint32 * 4),
)
_AutomaticOptions = _sized(
    "rotomask_automatic_options",
    ("points_per_side", c_uint32), ("points_per_batch", c_uint32), ("crop_n_layers", c_uint32),
    ("crop_n_points_downscale_factor", c_uint32), ("min_mask_region_area", c_uint32), ("use_m2m", c_uint32),
    ("multimask_output", c_uint32), ("pred_iou_thresh", c_float), ("stability_score_thresh", c_float),
    ("stability_score_offset", c_float), ("mask_threshold", c_float), ("box_nms_thresh", c_float),
    ("crop_nms_thresh", c_float), ("crop_overlap_ratio", c_double), ("point_grids", POINTER(c_double)),
    ("point_counts", POINTER(c_uint32)),
)
_AutomaticMask = _sized(
    "rotomask_automatic_mask",
    ("predicted_iou", c_float), ("stability_score", c_float), ("point_coords", c_float * 2), ("bounds_px", c_uint32 * 4),
    ("crop_box_px", c_uint32 * 4), ("width_px", c_uint32), ("height_px", c_uint32), ("area_px", c_uint64),
)
_ObjectOptions = _sized(
    "rotomask_object_options",
    ("max_objects", c_uint32), ("min_area", c_float), ("max_area", c_float), ("min_uncovered", c_float),
    ("size_weight", c_float), ("iou_threshold", c_float),
)
_Salvaged = _sized(
    "rotomask_salvaged",
    ("reserved", c_uint32), ("objects", c_uint64), ("prompts", c_uint64), ("answers", c_uint64), ("lost", c_uint64),
    ("gaps", c_uint64),
)
_Neighbour = _sized("rotomask_neighbour", ("offset", c_int32), ("mask", POINTER(_Frame)))
_Layer = _sized(
    "rotomask_layer",
    ("kind", c_uint32), ("mask", POINTER(_Frame)), ("neighbours", POINTER(_Neighbour)), ("neighbour_count", c_size_t),
    ("settings", c_void_p), ("combine", c_uint32), ("keep", c_uint32),
)
_Window = _sized("rotomask_window", ("x_px", c_uint32), ("y_px", c_uint32), ("width_px", c_uint32), ("height_px", c_uint32))
_MatteJob = _sized(
    "rotomask_matte_job",
    ("badge", c_uint32), ("settings", c_void_p), ("frame", c_uint64), ("plate", POINTER(_Frame)), ("layers", POINTER(_Layer)),
    ("layer_count", c_size_t), ("garbage", POINTER(_Frame)), ("holdout", POINTER(_Frame)), ("background", POINTER(_Frame)),
    ("curve", POINTER(c_float)), ("curve_count", c_size_t), ("window", POINTER(_Window)), ("scale_x", c_double),
    ("scale_y", c_double),
)
_MatteOptions = _sized(
    "rotomask_matte_options", ("gpu", c_uint32), ("host_memory_bytes", c_uint64), ("device_memory_bytes", c_uint64),
    ("adapter", c_char_p),
)

_LogCallback = ctypes.CFUNCTYPE(None, c_void_p, c_uint32, c_char_p)
_ProgressCallback = ctypes.CFUNCTYPE(c_int32, c_void_p, c_uint32, c_float)
_ReadFrameCallback = ctypes.CFUNCTYPE(c_int32, c_void_p, c_uint64, POINTER(_Frame))
_TrackedCallback = ctypes.CFUNCTYPE(c_int32, c_void_p, c_uint64)
_AutomaticCallback = ctypes.CFUNCTYPE(c_int32, c_void_p, c_uint64, c_uint64)

#: Every callback by its name in C.
CALLBACKS = {
    "rotomask_log_callback": _LogCallback, "rotomask_progress_callback": _ProgressCallback,
    "rotomask_read_frame_callback": _ReadFrameCallback, "rotomask_tracked_callback": _TrackedCallback,
    "rotomask_automatic_callback": _AutomaticCallback,
}

_H, _OUT, _TEXT, _SIZE = c_void_p, POINTER(c_void_p), c_char_p, POINTER(c_size_t)
_S, _U, _F, _CANVAS, _PICTURE = c_int32, c_uint32, c_uint64, POINTER(_Canvas), POINTER(_Frame)
_NUMBERS = POINTER(c_uint32)

#: Every function by its name without `rotomask_`: what it returns, what it takes.
FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "last_error": (c_char_p, []),
    "log_set": (_S, [_LogCallback, c_void_p, _U]),
    "abi_version": (_U, []),
    "version": (c_char_p, []),
    "info": (_S, [_TEXT, _TEXT, _SIZE]),
    "model_open": (_S, [_TEXT, POINTER(_ModelOptions), _OUT]),
    "model_describe": (_S, [_H, _TEXT, _SIZE]),
    "model_close": (None, [_H]),
    "session_open": (_S, [_H, _U, _U, _OUT]),
    "session_open_with": (_S, [_H, _U, _U, POINTER(_SessionOptions), _OUT]),
    "session_close": (None, [_H]),
    "session_set_progress": (_S, [_H, _ProgressCallback, c_void_p]),
    "session_cancel": (_S, [_H]),
    "session_last_error": (_S, [_H, _TEXT, _SIZE]),
    "session_click": (_S, [_H, _U, _F, c_float, c_float, _U]),
    "session_box": (_S, [_H, _U, _F, c_float, c_float, c_float, c_float]),
    "session_mask": (_S, [_H, _U, _F, _PICTURE]),
    "session_push": (_S, [_H, _F, _PICTURE]),
    "session_push_toward": (_S, [_H, _F, _U, _PICTURE]),
    "session_refine": (_S, [_H]),
    "session_forget": (_S, [_H]),
    "session_result": (_S, [_H, _U, POINTER(_Result)]),
    "session_timings": (_S, [_H, POINTER(_Timings)]),
    "session_logits": (_S, [_H, _U, _CANVAS]),
    "session_coverage": (_S, [_H, _U, _CANVAS]),
    "session_binary": (_S, [_H, _U, _CANVAS]),
    "session_add_object": (_S, [_H, _U, _TEXT]),
    "session_rename_object": (_S, [_H, _U, _TEXT]),
    "session_remove_object": (_S, [_H, _U]),
    "session_clear_frame": (_S, [_H, _U, _F]),
    "session_clear_object": (_S, [_H, _U]),
    "session_reset": (_S, [_H]),
    "session_undo": (_S, [_H]),
    "session_redo": (_S, [_H]),
    "session_describe": (_S, [_H, _TEXT, _SIZE]),
    "session_review": (_S, [_H, _U, _TEXT, _SIZE]),
    "session_result_at": (_S, [_H, _U, _F, POINTER(_Result)]),
    "session_mask_at": (_S, [_H, _U, _F, _U, _CANVAS]),
    "session_rle_at": (_S, [_H, _U, _F, _TEXT, _SIZE]),
    "session_track": (_S, [_H, POINTER(_TrackRequest), _ReadFrameCallback, _TrackedCallback, c_void_p, POINTER(_TrackReport)]),
    "image_open": (_S, [_H, POINTER(_ImageOptions), _OUT]),
    "image_close": (None, [_H]),
    "image_cancel": (_S, [_H]),
    "image_last_error": (_S, [_H, _TEXT, _SIZE]),
    "image_set": (_S, [_H, _PICTURE]),
    "image_predict": (_S, [_H, POINTER(_ImagePrompts), _NUMBERS]),
    "image_candidate": (_S, [_H, _U, POINTER(_Candidate)]),
    "image_logits": (_S, [_H, _U, _CANVAS]),
    "image_coverage": (_S, [_H, _U, _CANVAS]),
    "image_binary": (_S, [_H, _U, _CANVAS]),
    "automatic_generate": (_S, [_H, _PICTURE, POINTER(_AutomaticOptions), _AutomaticCallback, c_void_p, _OUT]),
    "automatic_close": (None, [_H]),
    "automatic_count": (_S, [_H, _NUMBERS]),
    "automatic_describe": (_S, [_H, _U, POINTER(_AutomaticMask)]),
    "automatic_rle": (_S, [_H, _U, _TEXT, _SIZE]),
    "automatic_run_lengths": (_S, [_H, _U, _NUMBERS, _SIZE]),
    "automatic_binary": (_S, [_H, _U, _CANVAS]),
    "automatic_objects": (_S, [_H, POINTER(_ObjectOptions), _OUT]),
    "session_add_automatic": (
        _S,
        [_H, _F, _PICTURE, POINTER(_AutomaticOptions), POINTER(_ObjectOptions), _AutomaticCallback, c_void_p, _NUMBERS, _SIZE],
    ),
    "session_file_open": (_S, [_TEXT, _OUT]),
    "session_file_close": (None, [_H]),
    "session_file_describe": (_S, [_H, _TEXT, _SIZE]),
    "session_file_check": (_S, [_H, _TEXT, _SIZE]),
    "session_file_binary": (_S, [_H, _U, _F, _CANVAS]),
    "session_file_result": (_S, [_H, _U, _F, POINTER(_Result)]),
    "session_file_mask": (_S, [_H, _U, _F, _U, _CANVAS]),
    "session_file_salvage": (_S, [_TEXT, _TEXT, POINTER(_Salvaged)]),
    "matte_parameters": (_S, [_TEXT, _SIZE]),
    "matte_settings_open": (_S, [_TEXT, _OUT]),
    "matte_settings_close": (None, [_H]),
    "matte_settings_set": (_S, [_H, _TEXT, _TEXT]),
    "matte_settings_set_at": (_S, [_H, _F, _TEXT, _TEXT]),
    "matte_settings_get": (_S, [_H, _F, _TEXT, _TEXT, _SIZE]),
    "matte_settings_preset": (_S, [_H, _TEXT, _SIZE]),
    "matte_open": (_S, [POINTER(_MatteOptions), _OUT]),
    "matte_close": (None, [_H]),
    "matte_last_error": (_S, [_H, _TEXT, _SIZE]),
    "matte_describe": (_S, [_H, _TEXT, _SIZE]),
    "matte_render": (_S, [_H, POINTER(_MatteJob), _CANVAS]),
    "options_table": (_S, [_TEXT, _SIZE]),
    "options_open": (_S, [_OUT]),
    "options_close": (None, [_H]),
    "option_set": (_S, [_H, _TEXT, _TEXT]),
    "option_get": (_S, [_H, _TEXT, _TEXT, _SIZE]),
    "model_open_options": (_S, [_TEXT, _H, _OUT]),
    "session_open_options": (_S, [_H, _U, _U, _H, _OUT]),
    "image_open_options": (_S, [_H, _H, _OUT]),
    "matte_open_options": (_S, [_H, _OUT]),
}
_INITS = (
    _ModelOptions, _SessionOptions, _TrackRequest, _ImageOptions, _ImagePrompts, _AutomaticOptions, _ObjectOptions, _MatteJob,
    _Layer, _Neighbour, _Window, _MatteOptions,
)
FUNCTIONS.update({f"{kind.__name__[9:]}_init": (None, [POINTER(kind), c_size_t]) for kind in _INITS})

#: Drafts, which a library may lack.
DRAFTS: dict[str, tuple[Any, list[Any]]] = {
    "kernels": (_S, [_TEXT, _SIZE]),
    "kernel_code": (_S, [_TEXT, _U, _U, POINTER(ctypes.c_uint8), _SIZE]),
}

# --- the library -----------------------------------------------------------------------------------------------------

_library: Any = None
_library_lock = threading.Lock()


class Error(Exception):
    """A call that failed: a sentence, and a `status`, mostly a `Status`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        #: Why, for a program; `str()` has it for people.
        self.status: int = Status(status) if status in set(Status) else status


class Cancelled(Error):
    """The caller stopped the work. What was finished before is kept."""


def _places() -> Iterator[str]:
    """Where the library may lie, the nearest first; the loader's own search comes last."""
    names = {"darwin": ["librotomask.dylib", "librotomask.1.dylib"], "win32": ["rotomask.dll"]}.get(
        sys.platform, ["librotomask.so", f"librotomask.so.{ABI_VERSION}"]
    )
    here = Path(__file__).resolve().parent
    near = [here, here / "rotomask", here / "rotomask" / "lib", here / "lib"]
    # Installed, it lies in share/rotomask/python.
    prefix = [folder / "lib" for folder in list(here.parents)[:3]]
    yield from (str(folder / name) for folder in near for name in names if (folder / name).is_file())
    named = os.environ.get("ROTOMASK_LIBRARY")
    if named:
        # What somebody named is used or complained about, never passed over.
        yield named
        return
    yield from (str(folder / name) for folder in prefix for name in names if (folder / name).is_file())
    found = ctypes.util.find_library("rotomask")
    if found:
        yield found
    yield from names


def load(path: Union[str, os.PathLike[str], None] = None) -> None:
    """Loads the library, once a process; the first thing that needs it does so too.

    Without a path it is looked for beside this file and in a package's folder `rotomask`, then where the environment
    variable ROTOMASK_LIBRARY says, then in `lib` of the three folders around it, then where the system's loader looks.
    Raises `OSError` if there is none, or one of another ABI.
    """
    global _library
    with _library_lock:
        if _library is not None:
            if path is not None and os.path.realpath(path) != os.path.realpath(_library._name):
                raise OSError(f"{os.fspath(path)}: {_library._name} is loaded already, and a process has one")
            return
        said = []
        for place in [os.fspath(path)] if path is not None else _places():
            try:
                library = ctypes.CDLL(place)
                break
            except OSError as error:
                said.append(f"{place}: {error}")
        else:
            raise OSError("librotomask was not found; set ROTOMASK_LIBRARY to its path. " + "; ".join(said))
        for name, (result, takes) in {**FUNCTIONS, **DRAFTS}.items():
            try:
                function = getattr(library, "rotomask_" + name)
            except AttributeError:
                if name in DRAFTS:
                    continue
                raise OSError(f"{library._name}: it has no rotomask_{name}; it is older than rotomask.py") from None
            function.restype, function.argtypes = result, takes
        found = library.rotomask_abi_version()
        if found != ABI_VERSION:
            raise OSError(f"{library._name}: its ABI is {found}, expected {ABI_VERSION}")
        _library = library


def _lib() -> Any:
    if _library is None:
        load()
    return _library


def _call(name: str, *arguments: Any) -> None:
    """Calls what answers with a status, and raises if it isn't 0."""
    library = _lib()
    status = getattr(library, "rotomask_" + name)(*arguments)
    if status:
        message = (library.rotomask_last_error() or b"").decode("utf-8", "replace")
        raise (Cancelled if status == Status.ERROR_CANCELLED else Error)(status, message)


def _told(name: str, *arguments: Any) -> str:
    """Calls what writes a text: for its size first, then for the text, again if it has grown meanwhile."""
    size = c_size_t(0)
    _call(name, *arguments, None, byref(size))
    while True:
        buffer = ctypes.create_string_buffer(size.value)
        try:
            _call(name, *arguments, buffer, byref(size))
            return buffer.value.decode("utf-8")
        except Error as error:
            if error.status != Status.ERROR_BUFFER or size.value <= len(buffer):
                raise


def _bytes(text: Union[str, os.PathLike[str], None]) -> Optional[bytes]:
    if text is None:
        return None
    coded = os.fspath(text).encode("utf-8", "surrogateescape")
    if b"\0" in coded:
        raise ValueError(f"{text!r}: it has a NUL in it")
    return coded


def _fresh(kind: Any, /, **values: Any) -> Any:
    """A struct with its defaults, then what is given by field."""
    made = kind()
    name = kind.__name__[9:] + "_init"
    if name in FUNCTIONS:
        getattr(_lib(), "rotomask_" + name)(byref(made), ctypes.sizeof(made))
    made.struct_size = ctypes.sizeof(made)
    known = [name for name, *_ in kind._fields_ if name not in ("struct_size", "reserved")]
    for key, value in values.items():
        if key not in known:
            raise TypeError(f"{kind.__name__} has no {key!r}, expected one of {', '.join(known)}")
        setattr(made, key, value)
    return made


def version() -> str:
    """The version of the library that is loaded."""
    return _lib().rotomask_version().decode()


def abi_version() -> int:
    """The ABI of the library that is loaded."""
    return _lib().rotomask_abi_version()


def info(onnxruntime: Union[str, os.PathLike[str], None] = None) -> dict[str, Any]:
    """Versions, ONNX Runtime with its providers, GPU adapters; what is missing is named with the reason."""
    return json.loads(_told("info", _bytes(onnxruntime)))


def kernels() -> list[dict[str, Any]]:
    """The matte chain's kernels. A draft: it may change with any release."""
    return json.loads(_told("kernels"))


def kernel_code(name: str, variant: int = 0, language: int = Language.WGSL) -> bytes:
    """A kernel in a language: text in UTF-8, or SPIR-V's words. A draft."""
    size = c_size_t(0)
    _call("kernel_code", _bytes(name), variant, language, None, byref(size))
    code = (ctypes.c_uint8 * size.value)()
    _call("kernel_code", _bytes(name), variant, language, code, byref(size))
    return bytes(code)


_log: Any = None


def set_log(callback: Optional[Callable[[Level, str], None]], level: int = Level.WARN) -> None:
    """Sets who is told what the library has to say, for the whole process; `None` for nobody.

    It is called on whichever thread has something to say and must not call the library. What it raises is reported as
    Python does for what nobody can catch.
    """
    global _log

    def tell(_user: Any, most: int, message: bytes) -> None:
        with _unraisable("rotomask's log callback"):
            callback(Level(most), message.decode("utf-8", "replace"))

    told = _LogCallback(tell) if callback is not None else _LogCallback()
    _call("log_set", told, None, level)
    _log = told  # The one before is let go only now that it isn't called any more.


def log_to_logging(logger: str = "rotomask", level: int = Level.INFO) -> None:
    """Sends the library's messages to Python's `logging`."""
    levels = {Level.ERROR: logging.ERROR, Level.WARN: logging.WARNING, Level.INFO: logging.INFO, Level.DEBUG: logging.DEBUG}
    set_log(lambda most, message: logging.getLogger(logger).log(levels[most], "%s", message), level)


@contextlib.contextmanager
def _unraisable(where: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        print(f"exception ignored in {where}: {error!r}", file=sys.stderr)


_ending = False
_open: weakref.WeakSet[Any] = weakref.WeakSet()


@atexit.register
def _end() -> None:
    """Before the interpreter goes down: daemon threads are stopped where they work, since a callback into a dead interpreter
    would end the process by an abort; then everything is closed, and no message arrives any more."""
    global _ending
    _ending = True
    left = list(_open)
    for each in left:
        if each._users and hasattr(each, "cancel"):
            _call(f"{each._NAME}_cancel", each._pointer)
    end = time.monotonic() + 10
    while any(each._users for each in left) and time.monotonic() < end:
        time.sleep(0.005)
    for each in left:
        each._finalizer()
    if _log is not None:
        set_log(None)


class _Calls(threading.local):
    """What callbacks of a thread's call leave behind: a callback can't raise through C. They run on the thread that called."""

    def __init__(self) -> None:
        self.raised: Optional[BaseException] = None

    def run(self, work: Callable[[], Any], broken: int = 1) -> int:
        """0 to go on. What `work` raises is kept; `False` stops."""
        if _ending:
            return broken
        try:
            return int(work() is False)
        except BaseException as error:  # Also Ctrl-C: it stops the work, then comes out of the call.
            self.raised = error
            return broken

    @contextlib.contextmanager
    def reraised(self) -> Iterator[None]:
        try:
            yield
        except Error:
            if self.raised is None:
                raise
        if self.raised is not None:
            raised, self.raised = self.raised, None
            raise raised


def _shut(close: Any, pointer: int, process: int, users: list[int], _keep: Any) -> None:
    # A forked child has no threads of its parent's, and its parent's files are none of its business. What a thread couldn't
    # be stopped from using stays.
    if os.getpid() == process and not users:
        close(pointer)


class _Handle:
    """An open thing of the library: closed by `close`, by `with`, or when nobody has it any more."""

    _NAME = ""

    def __init__(self, pointer: c_void_p, keep: Any = None) -> None:
        self._pointer = pointer.value
        self._lock = threading.Lock()
        self._users: list[int] = []
        close = getattr(_lib(), f"rotomask_{self._NAME}_close")
        self._finalizer = weakref.finalize(self, _shut, close, pointer.value, os.getpid(), self._users, keep)
        self._finalizer.atexit = False  # `_end` does it, in its order.
        _open.add(self)

    @contextlib.contextmanager
    def _use(self, beside: bool = False) -> Iterator[int]:
        """The pointer, which nobody closes meanwhile. `beside`: also while another call runs on this very thread."""
        me = threading.get_ident()
        with self._lock:
            if self._pointer is None or _ending:
                raise Error(Status.ERROR_STATE, f"the {type(self).__name__} is closed")
            if me in self._users and not beside:
                raise Error(Status.ERROR_STATE, f"a callback must not use the {type(self).__name__} that called it")
            self._users.append(me)
        try:
            yield self._pointer
        finally:
            with self._lock:
                self._users.remove(me)

    def _on(self, name: str, *arguments: Any) -> None:
        with self._use() as pointer:
            _call(f"{self._NAME}_{name}", pointer, *arguments)

    def _told(self, name: str, *arguments: Any) -> str:
        with self._use() as pointer:
            return _told(f"{self._NAME}_{name}", pointer, *arguments)

    @property
    def closed(self) -> bool:
        """Whether it was closed: it answers nothing any more."""
        return self._pointer is None

    def close(self) -> None:
        """Closes it; twice does no harm. Raises `Error` while another call runs on it."""
        with self._lock:
            if self._users:
                raise Error(Status.ERROR_STATE, f"the {type(self).__name__} is in use: it can't be closed now")
            self._pointer = None
        self._finalizer()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


def _opened(name: str, *arguments: Any) -> c_void_p:
    pointer = c_void_p()
    _call(name, *arguments, byref(pointer))
    return pointer


# --- options by name -------------------------------------------------------------------------------------------------


def options_table() -> list[dict[str, Any]]:
    """Every option: `name`, `of` what, `takes`, `default`, `help`."""
    return json.loads(_told("options_table"))


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (tuple, list)):
        return ",".join(str(float(number)) for number in value)
    return os.fspath(value) if isinstance(value, os.PathLike) else str(value)


class Options(_Handle):
    """Options by name, for whatever is opened with them: `Options(provider="cuda,cpu", threads=2)`.

    Values are strings, numbers, truth values or paths; `options_table` has the names.
    """

    _NAME = "options"

    def __init__(self, **named: Any) -> None:
        super().__init__(_opened("options_open"))
        for name, value in named.items():
            self[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        with self._use() as pointer:
            _call("option_set", pointer, _bytes(name), _bytes(_as_text(value)))

    def __getitem__(self, name: str) -> str:
        with self._use() as pointer:
            return _told("option_get", pointer, _bytes(name))


@contextlib.contextmanager
def _chosen(options: Optional[Options], named: dict[str, Any]) -> Iterator[int]:
    """The pointer of the options to open with: those given, or new ones with what is named."""
    if options is not None and named:
        raise TypeError("give options either by name or as Options, not both")
    made = Options(**named) if options is None else options
    try:
        with made._use() as pointer:
            yield pointer
    finally:
        if options is None:
            made.close()


# --- pixels ----------------------------------------------------------------------------------------------------------

_CODES = {"B": "8", "H": "16", "e": "_F16", "f": "_F32"}
_DTYPES = {"uint8": "B", "uint16": "H", "float16": "e", "float32": "f"}
_ORDERS = {(1, "rgb"): "GRAY", (3, "rgb"): "RGB", (4, "rgb"): "RGBA", (4, "bgr"): "BGRA"}


class _PyBuffer(ctypes.Structure):
    """CPython's Py_buffer: the address of pixels wherever they are, also where they may only be read."""

    _fields_ = [
        ("buf", c_void_p), ("obj", c_void_p), ("len", ctypes.c_ssize_t), ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int), ("ndim", ctypes.c_int), ("format", c_char_p), ("shape", POINTER(ctypes.c_ssize_t)),
        ("strides", POINTER(ctypes.c_ssize_t)), ("suboffsets", POINTER(ctypes.c_ssize_t)), ("internal", c_void_p),
    ]


_get_buffer = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, POINTER(_PyBuffer), ctypes.c_int)(
    ("PyObject_GetBuffer", ctypes.pythonapi)
)
_release_buffer = ctypes.PYFUNCTYPE(None, POINTER(_PyBuffer))(("PyBuffer_Release", ctypes.pythonapi))
_STRIDED_WITH_FORMAT, _WRITABLE = 0x18 | 0x04, 0x01


def _refused(message: str) -> Error:
    return Error(Status.ERROR_FRAME, message)


@dataclass(frozen=True)
class Frame:
    """Pixels that don't tell their own layout.

    data      anything with a buffer, such as bytes of a pipe; or an array, to say that it is BGRA
    width, height, channels  of plain bytes; left out for an array
    dtype     of plain bytes: uint8, uint16, float16 or float32
    stride    bytes from one row's start to the next one's; by default rows are packed. Negative: bottom up, and the
              top row is the last one in `data`
    order     "rgb", or "bgr" for four channels
    """

    data: Any
    width: Optional[int] = None
    height: Optional[int] = None
    channels: int = 3
    dtype: str = "uint8"
    stride: Optional[int] = None
    order: str = "rgb"


class _View:
    """Pixels at an address, held until `release`."""

    def __init__(self, pixels: Any, writable: bool = False) -> None:
        self._buffer: Optional[_PyBuffer] = None
        told = pixels if isinstance(pixels, Frame) else Frame(pixels)
        data = told.data
        if not _has_buffer(data) and hasattr(data, "__array__") and np is not None:
            data = np.asarray(data)
        try:
            self._hold(data, writable)
            if told.width is not None:
                self._flat(told)
            else:
                self._shaped(data, told.order, writable)
        except BaseException:
            self.release()
            raise

    def _hold(self, data: Any, writable: bool) -> None:
        self._buffer, buffer = None, _PyBuffer()
        try:
            _get_buffer(data, byref(buffer), _STRIDED_WITH_FORMAT | (_WRITABLE if writable else 0))
        except (TypeError, BufferError, ValueError) as error:
            raise _refused(f"a {type(data).__name__} has no pixels to {'write' if writable else 'read'}: {error}") from error
        self._buffer = buffer

    def _flat(self, told: Frame) -> None:
        code = _DTYPES.get(told.dtype)
        if code is None or (told.channels, told.order) not in _ORDERS:
            raise _refused(f"found {told.channels} channels of {told.dtype}, {told.order}; expected 1, 3 or 4 of {', '.join(_DTYPES)}")
        packed = told.width * told.channels * struct.calcsize(code)
        stride = packed if told.stride is None else told.stride
        wanted = abs(stride) * (told.height - 1) + packed if told.height else 0
        held = self._buffer
        if not _packed(held) or held.len < wanted:
            raise _refused(f"found {held.len} bytes, expected {wanted} in one piece for {told.width}x{told.height} pixels")
        top = held.buf if stride >= 0 else held.buf - stride * (told.height - 1)
        self._set(told.width, told.height, told.channels, code, told.order, stride, top)

    def _shaped(self, data: Any, order: str, writable: bool) -> None:
        held = self._buffer
        shape = [held.shape[n] for n in range(held.ndim)]
        strides = [held.strides[n] for n in range(held.ndim)]
        code = (held.format or b"B").decode()
        code = code.lstrip("@=" + ("<" if sys.byteorder == "little" else ">"))
        channels = shape[2] if len(shape) == 3 else 1
        if code == "?" and not writable:
            # Truth values are masks; as bytes they would be 0 and 1 of 255.
            self._copy(memoryview(data).tobytes().translate(bytes([0] + [255] * 255)))
            return self._set(shape[1], shape[0], channels, "B", order, shape[1] * channels, self._buffer.buf)
        if len(shape) not in (2, 3) or code not in _CODES or (channels, order) not in _ORDERS:
            raise _refused(
                f"found pixels of shape {tuple(shape)} and format {code!r}, expected (height, width) or (height, width, 3 or 4) of "
                f"uint8, uint16, float16 or float32; rotomask.Frame tells the layout of plain bytes"
            )
        size = held.itemsize
        inner = (channels == 1 or len(shape) == 2 or strides[2] == size) and (shape[1] <= 1 or strides[1] == channels * size)
        aligned = strides[0] % size == 0 and (held.buf or 0) % size == 0
        stride, packed = strides[0], shape[1] * channels * size
        # Rows that overlap, as of a picture that was broadcast, are no layout that C knows.
        if not inner or not aligned or (abs(stride) < packed and shape[0] > 1):
            if writable:
                raise _refused("the pixels of a row must lie side by side to be written")
            self._copy(memoryview(data).tobytes())
            stride = packed
        if shape[0] <= 1:
            stride = packed
        self._set(shape[1], shape[0], channels, code, order, stride, self._buffer.buf)

    def _copy(self, data: bytes) -> None:
        self.release()
        self._hold(data, False)

    def _set(self, width: int, height: int, channels: int, code: str, order: str, stride: int, pixels: int) -> None:
        if not (0 < width <= 16384 and 0 < height <= 16384):
            raise _refused(f"the frame is {width}x{height}, expected sides from 1 to 16384")
        name = _ORDERS[channels, order] + _CODES[code]
        self.width, self.height, self.channels, self.code = width, height, channels, code
        self.layout = (Format[name], width, height, stride, pixels)

    def struct(self, kind: Any = _Frame) -> Any:
        return kind(ctypes.sizeof(kind), *self.layout)

    def release(self) -> None:
        if self._buffer is not None:
            _release_buffer(byref(self._buffer))
            self._buffer = None

    def __enter__(self) -> _View:
        return self

    def __exit__(self, *_: Any) -> None:
        self.release()

    def __del__(self) -> None:
        self.release()


def _packed(held: _PyBuffer) -> bool:
    """Whether a buffer is in one piece, the first index slowest."""
    step = held.itemsize
    for axis in reversed(range(held.ndim)):
        if held.shape[axis] > 1 and held.strides[axis] != step:
            return False
        step *= held.shape[axis]
    return True


def _has_buffer(data: Any) -> bool:
    try:
        memoryview(data).release()
        return True
    except (TypeError, BufferError, ValueError):
        return False


def _empty(shape: tuple[int, ...], code: str) -> Any:
    """Memory for pixels: an array, or without NumPy a memoryview of the same shape."""
    if np is not None:
        return np.zeros(shape, np.dtype(code))
    size = struct.calcsize(code)
    for side in shape:
        size *= side
    return memoryview(bytearray(size)).cast(code, shape)


def _written(write: Callable[[Any], None], height: int, width: int, out: Any, dtype: str = "uint8", channels: int = 1) -> Any:
    """Has a canvas written: the caller's, or a new one. Sizes that don't fit are the library's to refuse."""
    if out is None:
        if dtype not in _DTYPES:
            raise _refused(f"the dtype is {dtype}, expected one of {', '.join(_DTYPES)}")
        out = _empty((height, width) if channels == 1 else (height, width, channels), _DTYPES[dtype])
    with _View(out, writable=True) as view:
        write(byref(view.struct(_Canvas)))
    return out


# --- pictures in files, and in notebooks -----------------------------------------------------------------------------


def _rows(pixels: Any) -> tuple[int, int, int, str, bytes]:
    """Width, height, channels, code and packed bytes of pixels."""
    with _View(pixels) as view:
        _, width, height, stride, start = view.layout
        packed = width * view.channels * struct.calcsize(view.code)
        lines = [ctypes.string_at(start + row * stride, packed) for row in range(height)]
        return width, height, view.channels, view.code, b"".join(lines)


def png(pixels: Any) -> bytes:
    """Pixels as a PNG: uint8 or uint16; grey, RGB or RGBA. Floats of 0 to 1 become 16 bits."""
    width, height, channels, code, data = _rows(pixels)
    if code in "ef":
        numbers = struct.unpack(f"={len(data) // struct.calcsize(code)}{code}", data)
        data = struct.pack(f">{len(numbers)}H", *(int(min(max(n, 0.0), 1.0) * 65535 + 0.5) for n in numbers))
    elif code == "H" and sys.byteorder == "little":
        swapped = bytearray(data)
        swapped[0::2], swapped[1::2] = data[1::2], data[0::2]
        data = bytes(swapped)
    depth, line = (8 if code == "B" else 16), len(data) // height
    raw = b"".join(b"\0" + data[row * line : (row + 1) * line] for row in range(height))
    head = struct.pack(">IIBBBBB", width, height, depth, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(raw, 1)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )


def write_png(path: Union[str, os.PathLike[str]], pixels: Any) -> None:
    """Writes pixels as a PNG. The file appears as a whole or not at all."""
    part = f"{os.fspath(path)}.{os.getpid()}.part"
    try:
        Path(part).write_bytes(png(pixels))
        os.replace(part, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(part)


def read_image(path: Union[str, os.PathLike[str]]) -> Any:
    """Reads a PNG (not interlaced, without palette) or a binary PNM, of 8 or 16 bits. Everything else is for the host to read."""
    data = Path(path).read_bytes()
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            width, height, channels, size, rows = _read_png(data)
        elif data[:2] in (b"P5", b"P6"):
            width, height, channels, size, rows = _read_pnm(data)
        else:
            raise ValueError("it is neither a PNG nor a binary PNM")
    except (ValueError, struct.error, IndexError, zlib.error) as error:
        raise _refused(f"{os.fspath(path)}: {error}") from error
    if size == 2 and sys.byteorder == "little":
        rows[0::2], rows[1::2] = rows[1::2], rows[0::2]
    shape = (height, width) if channels == 1 else (height, width, channels)
    code = "BH"[size - 1]
    return np.frombuffer(rows, code).reshape(shape) if np is not None else memoryview(rows).cast("B").cast(code, shape)


def _side(*sides: int) -> None:
    if not all(0 < side <= 16384 for side in sides):
        raise ValueError(f"its sides are {sides}, expected 1 to 16384")


def _read_pnm(data: bytes) -> tuple[int, int, int, int, bytearray]:
    words, at = [], 2
    while len(words) < 3:
        while data[at : at + 1].isspace():
            at += 1
        if data[at : at + 1] == b"#":
            at = data.index(b"\n", at)
            continue
        end = at
        while data[end : end + 1].isdigit() and end - at < 6:
            end += 1
        words.append(int(data[at:end]))
        at = end
    width, height, most = words
    _side(width, height)
    if most not in (255, 65535):
        raise ValueError(f"its largest number is {most}, expected 255 or 65535")
    channels, size = (3 if data[:2] == b"P6" else 1), (1 if most == 255 else 2)
    rows = bytearray(data[at + 1 : at + 1 + width * height * channels * size])
    if len(rows) != width * height * channels * size:
        raise ValueError("it ends too soon")
    return width, height, channels, size, rows


def _read_png(data: bytes) -> tuple[int, int, int, int, bytearray]:
    at, parts, head = 8, [], b""
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        at += 12 + length
        if name == b"IHDR":
            head = body
        elif name == b"IDAT":
            parts.append(body)
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", head)
    _side(width, height)
    channels = {0: 1, 2: 3, 6: 4}.get(colour)
    if channels is None or depth not in (8, 16) or interlaced:
        raise ValueError("expected grey, RGB or RGBA of 8 or 16 bits, not interlaced")
    step = channels * depth // 8
    line = width * step
    unpacker = zlib.decompressobj()
    raw = unpacker.decompress(b"".join(parts), height * (line + 1))
    if len(raw) != height * (line + 1):
        raise ValueError("it ends too soon")
    rows, above = bytearray(), bytearray(line)
    for row in range(height):
        kind, now = raw[row * (line + 1)], bytearray(raw[row * (line + 1) + 1 : (row + 1) * (line + 1)])
        _unfilter(kind, now, above, step)
        rows += now
        above = now
    return width, height, channels, depth // 8, rows


def _unfilter(kind: int, now: bytearray, above: bytearray, step: int) -> None:
    """Undoes a PNG row's filter (PNG 1.2, chapter 6) in place."""
    if kind > 4:
        raise ValueError(f"a row's filter is {kind}, expected 0 to 4")
    for x in range(len(now) if kind else 0):
        left, up = (now[x - step] if x >= step else 0), above[x]
        if kind == 1:
            guess = left
        elif kind == 2:
            guess = up
        elif kind == 3:
            guess = (left + up) // 2
        else:
            corner = above[x - step] if x >= step else 0
            far = (abs(up - corner), abs(left - corner), abs(left + up - 2 * corner))
            guess = (left, up, corner)[far.index(min(far))]
        now[x] = (now[x] + guess) & 255


class Preview:
    """Pixels that Jupyter shows."""

    def __init__(self, pixels: Any) -> None:
        self.pixels = pixels

    def _repr_png_(self) -> bytes:
        return png(self.pixels)


_TINTS = ((230, 60, 60), (60, 140, 230), (70, 190, 90), (235, 180, 50), (170, 90, 210), (60, 190, 190))


def preview(masks: Any, plate: Any = None) -> Preview:
    """A mask, or all of a frame's masks in colours, to look at in a notebook; over its uint8 RGB or RGBA plate with NumPy."""
    if not isinstance(masks, Mapping):
        masks = {0: masks}
    if np is None or not masks:
        return Preview(next(iter(masks.values()), _empty((1, 1), "B")))
    first = np.asarray(next(iter(masks.values())))
    shown = np.zeros((*first.shape, 3), np.uint8) if plate is None else np.array(np.asarray(plate)[..., :3])
    for number, mask in enumerate(masks.values()):
        mask = np.asarray(mask)
        inside = mask > (0.5 if mask.dtype.kind == "f" else np.iinfo(mask.dtype).max // 2) if mask.dtype != bool else mask
        tint = np.array(_TINTS[number % len(_TINTS)], np.uint8)
        shown[inside] = tint if plate is None else shown[inside] // 2 + tint // 2
    return Preview(shown)


# --- the model -------------------------------------------------------------------------------------------------------


class Model(_Handle):
    """A loaded model, its weights shared by all that is opened with it. Sessions outlive it."""

    _NAME = "model"

    def __init__(self, folder: Union[str, os.PathLike[str], None] = None, options: Optional[Options] = None, **named: Any) -> None:
        """`folder` is a NAME.rotomodel; without one it is the model that is part of the library."""
        with _chosen(options, named) as chosen:
            super().__init__(_opened("model_open_options", _bytes(folder), chosen))

    def describe(self) -> dict[str, Any]:
        """Name, version, licence, sizes, and who computes it."""
        return json.loads(self._told("describe"))

    def session(self, width: int, height: int, options: Optional[Options] = None, **named: Any) -> Session:
        """Opens a `Session` for frames of this size."""
        return Session(self, width, height, options, **named)

    def image(self, picture: Any = None, options: Optional[Options] = None, **named: Any) -> Image:
        """Opens an `Image`, and looks at a picture."""
        return Image(self, picture, options, **named)

    def automatic(self, picture: Any, progress: Optional[Callable[[int, int], Any]] = None, **search: Any) -> Automatic:
        """Every mask of a picture: see `Automatic`."""
        return Automatic(self, picture, progress, **search)


# --- a shot ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """What is known of an object on a frame; see `rotomask_result`."""

    prompted: bool
    seen: bool
    logits_width: int
    logits_height: int
    predicted_iou: float
    object_score: float

    @classmethod
    def of(cls, told: _Result) -> "Result":
        return cls(
            bool(told.prompted), bool(told.seen), told.logits_width, told.logits_height, told.predicted_iou, told.object_score
        )


@dataclass(frozen=True)
class Stretch:
    """Frames of an object that were tracked, the last one included."""

    object: int
    direction: Direction
    first: int
    last: int


@dataclass(frozen=True)
class TrackReport:
    """What tracking did. `stretches` has what was tracked, frames whose prompts were answered left out; `stopped_at` is the
    first frame behind a cut that was not tracked."""

    stopped: Stopped
    stopped_at: Optional[int]
    kept: int
    stretches: list[Stretch]


class Masks(Mapping):
    """The masks of a frame: by an object's number, or by its name. Jupyter shows them in colours."""

    def __init__(self, frame: int, masks: dict[int, Any], results: dict[int, Result], names: dict[str, int]) -> None:
        self.frame, self.results, self._masks, self._names = frame, results, masks, names

    def __getitem__(self, key: Union[int, str]) -> Any:
        return self._masks[self._names.get(key, -1) if isinstance(key, str) else key]

    def __iter__(self) -> Iterator[int]:
        return iter(self._masks)

    def __len__(self) -> int:
        return len(self._masks)

    def _repr_png_(self) -> bytes:
        return preview(self)._repr_png_()


Frames = Union[Callable[[int], Any], Sequence[Any], Iterable[Any]]


def _reader(frames: Frames) -> Callable[[int], Any]:
    """Frames on request, `None` beyond the last one."""
    if callable(frames):
        return frames
    if hasattr(frames, "__getitem__") and hasattr(frames, "__len__"):
        return lambda index: frames[index] if index < len(frames) else None
    raise TypeError(f"a {type(frames).__name__} can't be asked for a frame by number: give a sequence or a function")


class _Source:
    """Hands frames to the library: each is held until the next one is asked for."""

    def __init__(self, read: Callable[[int], Any], calls: _Calls) -> None:
        self.read, self.calls, self.held, self.ended = read, calls, None, False

    def callback(self, _user: Any, index: int, frame: Any) -> int:
        self.ended = False
        return self.calls.run(lambda: self._give(index, frame), broken=2) or int(self.ended)

    def _give(self, index: int, frame: Any) -> None:
        pixels = self.read(index)
        if pixels is None:
            self.ended = True
            return
        view = _View(pixels)
        if self.held is not None:
            self.held.release()
        self.held = view
        told = view.struct()
        ctypes.memmove(frame, byref(told), ctypes.sizeof(told))


class Session(_Handle):
    """A shot being worked on.

    Objects are numbers of the caller's, or names: a name that is new becomes an object with the lowest free number, which
    is a step of undo of its own.
    Places are pixels from the top left, (0, 0) the middle of the first one; or with `units="normalised"` shares of the
    frame. `file="shot.rotosession"` keeps every answer in a file, and goes on with one that is there; `keep="temporary"`
    keeps every answer while the session is open. `options_table` has all the other options.
    """

    _NAME = "session"

    def __init__(self, model: Model, width: int, height: int, options: Optional[Options] = None, **named: Any) -> None:
        for short, name in (("file", "session_file"), ("units", "session_units")):
            if short in named:
                named[name] = named.pop(short)
        self.width, self.height = width, height
        self._calls, self._progress = _Calls(), [None]
        box, calls = self._progress, self._calls

        def told(_user: Any, stage: int, milliseconds: float) -> int:
            # Always there, so that Ctrl-C is heard between stages.
            return calls.run(lambda: box[0] and box[0](Stage(stage), milliseconds))

        callback = _ProgressCallback(told)
        with model._use() as opened, _chosen(options, named) as chosen:
            super().__init__(_opened("session_open_options", opened, width, height, chosen), keep=callback)
        self._on("set_progress", callback, None)

    # What is said

    def object(self, key: Union[int, str]) -> int:
        """The number of an object. Raises `KeyError` for a name that there isn't."""
        if not isinstance(key, str):
            return int(key)
        return {each["name"]: each["id"] for each in self.objects()}[key]

    def _said_of(self, key: Union[int, str]) -> int:
        try:
            return self.object(key)
        except KeyError:
            return self.add_object(key)

    def objects(self) -> list[dict[str, Any]]:
        """Each with `id`, `name`, `prompts` and `tracked` ranges of frames."""
        return self.describe()["objects"]

    def add_object(self, name: str, number: Optional[int] = None) -> int:
        """Adds an object, and gives its number: by default the lowest that is free, from 1."""
        if number is None:
            taken = {each["id"] for each in self.objects()}
            number = next(free for free in range(1, len(taken) + 2) if free not in taken)
        self._on("add_object", number, _bytes(name))
        return number

    def rename_object(self, key: Union[int, str], name: str) -> None:
        self._on("rename_object", self.object(key), _bytes(name))

    def remove_object(self, key: Union[int, str]) -> None:
        """Removes an object with all of its masks; undo brings its prompts back."""
        self._on("remove_object", self.object(key))

    def click(self, key: Union[int, str], frame: int, x: float, y: float, positive: bool = True) -> None:
        """Says that a place on a frame is the object's, or is not. Clicks add up."""
        self._on("click", self._said_of(key), frame, x, y, int(positive))

    def box(self, key: Union[int, str], frame: int, bounds: Sequence[float]) -> None:
        """Sets the box around the object: left, top, right and bottom edge."""
        left, top, right, bottom = bounds
        self._on("box", self._said_of(key), frame, left, top, right, bottom)

    def mask(self, key: Union[int, str], frame: int, mask: Any) -> None:
        """Sets the object's mask: grey or truth values of the frame's size, above half is the object."""
        with _View(mask) as view:
            self._on("mask", self._said_of(key), frame, byref(view.struct()))

    def clear_frame(self, key: Union[int, str], frame: int) -> None:
        """Takes back all that was said of an object on a frame."""
        self._on("clear_frame", self.object(key), frame)

    def clear_object(self, key: Union[int, str]) -> None:
        """Takes back all that was ever said of an object."""
        self._on("clear_object", self.object(key))

    def reset(self) -> None:
        """Removes every object. It can't be taken back."""
        self._on("reset")

    def undo(self) -> None:
        """Takes back what was said last."""
        self._on("undo")

    def redo(self) -> None:
        """Says again what was taken back last."""
        self._on("redo")

    # The work

    def _work(self, name: str, *arguments: Any) -> None:
        with self._calls.reraised():
            self._on(name, *arguments)

    def push(self, frame: int, pixels: Any, direction: int = Direction.FORWARD) -> None:
        """Takes a frame: answers what was said of it, or tracks every object into it."""
        with _View(pixels) as view:
            self._work("push_toward", frame, direction, byref(view.struct()))

    def refine(self) -> None:
        """Answers what was said since about the frame that was pushed last."""
        self._work("refine")

    def forget(self) -> None:
        """Drops what was tracked, as after a cut."""
        self._on("forget")

    def cancel(self) -> None:
        """Stops what runs on the session, from any thread, or what runs next if nothing does."""
        with self._use(beside=True) as pointer:
            _call("session_cancel", pointer)

    def on_progress(self, callback: Optional[Callable[[Stage, float], Any]]) -> None:
        """Sets who is told after each stage how many milliseconds it took. It stops the work by returning `False`, or by
        raising, which comes out of the call. It must not use the session, but for `cancel`."""
        self._progress[0] = callback

    def track(
        self, frames: Frames, way: int = Way.FORWARD, start: Optional[int] = None, first: int = 0, last: Optional[int] = None,
        max_frames: Optional[int] = None, overwrite: bool = False, tracked: Optional[Callable[[int], Any]] = None,
    ) -> TrackReport:
        """Tracks through a shot whose frames are asked for by number: a sequence, or a function that gives `None` beyond
        the last one. `tracked` is told of each finished frame and stops by returning `False`; it must not use the
        session. What was finished stays, whatever becomes of the next frame."""
        report, _ = self._track(_reader(frames), way, start, first, last, max_frames, overwrite, tracked)
        return report

    def _track(
        self, read: Callable[[int], Any], way: int, start: Optional[int], first: int, last: Optional[int],
        max_frames: Optional[int], overwrite: bool, tracked: Optional[Callable[[int], Any]],
    ) -> tuple[TrackReport, bool]:
        source, calls = _Source(read, self._calls), self._calls
        wanted = {"start": start, "last": last, "max_frames": max_frames}
        given = {name: number for name, number in wanted.items() if number is not None}
        request = _fresh(_TrackRequest, way=way, first=first, overwrite=int(overwrite), **given)
        stretches = (_Stretch * 4096)()
        report = _fresh(_TrackReport, stretches=stretches, capacity=len(stretches))
        reading = _ReadFrameCallback(source.callback)
        telling = _TrackedCallback(lambda _user, frame: calls.run(lambda: tracked and tracked(frame)))
        try:
            self._work("track", byref(request), reading, telling, None, byref(report))
        finally:
            if source.held is not None:
                source.held.release()
        done = stretches[: min(report.count, len(stretches))]
        told = TrackReport(
            Stopped(report.stopped), None if report.stopped_at == NO_FRAME else report.stopped_at, report.kept,
            [Stretch(s.object, Direction(s.direction), s.first, s.last) for s in done],
        )
        return told, source.ended

    def propagate(
        self, frames: Frames, way: int = Way.FORWARD, start: Optional[int] = None, last: Optional[int] = None, first: int = 0,
        kind: str = "binary", dtype: str = "uint8",
    ) -> Iterator[tuple[int, Masks]]:
        """Frame after frame with its masks, prompted frames included. Between two of them the session may be used: a click
        counts from the next frame on.

        frames  pull: a sequence, or a function that gives `None` beyond the last frame; prompts anywhere are answered
                first. Push: anything else that can be iterated over, such as a decoder, its first frame numbered `start`
                or 0; forward only, and a prompt is answered when its frame comes
        start   the first frame; by default the first prompted one
        first, last   no frame beyond them is tracked
        kind    "binary" or "coverage", uint8 or float32, or "logits"
        """
        if way not in (Way.FORWARD, Way.REVERSE, Way.BOTH):
            raise ValueError(f"the way is {way!r}, expected Way.FORWARD, REVERSE or BOTH; track() redoes what is outdated")
        if not callable(frames) and not (hasattr(frames, "__getitem__") and hasattr(frames, "__len__")):
            if way != Way.FORWARD:
                raise TypeError(f"a {type(frames).__name__} goes forward only: give a sequence or a function")
            return self._pushed(iter(frames), start or 0, last, kind, dtype)
        return self._pulled(_reader(frames), way, start, first, last, kind, dtype)

    def _pushed(self, frames: Iterator[Any], index: int, last: Optional[int], kind: str, dtype: str) -> Iterator[tuple[int, Masks]]:
        for pixels in frames:
            if last is not None and index > last:
                return
            self.push(index, pixels)
            yield index, self.masks(index, kind, dtype)
            index += 1

    def _pulled(
        self, read: Callable[[int], Any], way: int, start: Optional[int], first: int, last: Optional[int], kind: str, dtype: str
    ) -> Iterator[tuple[int, Masks]]:
        if start is None:
            start = min((said["frame"] for each in self.objects() for said in each["prompts"]), default=None)
            if start is None:
                raise Error(Status.ERROR_STATE, "nothing was said of any object yet: there is nothing to track")
        if way != Way.REVERSE:
            yield from self._steps(read, Way.FORWARD, max(start, first), first, last, kind, dtype)
        if way != Way.FORWARD:
            # Both ways begin at the start, which is told once.
            begin = start if way == Way.REVERSE else start - 1
            yield from self._steps(read, Way.REVERSE, begin if last is None else min(begin, last), first, last, kind, dtype)

    def _steps(
        self, read: Callable[[int], Any], way: int, frame: int, first: int, last: Optional[int], kind: str, dtype: str
    ) -> Iterator[tuple[int, Masks]]:
        # One call a frame, because masks can't be read while the library tracks.
        while frame >= first and (last is None or frame <= last):
            report, ended = self._track(read, way, frame, frame, frame, None, False, None)
            if report.stopped == Stopped.BY_CALLER:
                raise Cancelled(Status.ERROR_CANCELLED, f"tracking was stopped at frame {frame}; what was finished is kept")
            if ended or report.stopped == Stopped.AT_CUT:
                return
            masks = self.masks(frame, kind, dtype)
            if masks:
                yield frame, masks
            frame += 1 if way == Way.FORWARD else -1

    def add_automatic(
        self, frame: int, pixels: Any, search: Optional[Mapping[str, Any]] = None, objects: Optional[Mapping[str, Any]] = None,
        progress: Optional[Callable[[int, int], Any]] = None,
    ) -> list[int]:
        """Takes a frame, looks for objects on it, adds those that are new, and gives their numbers, the best first.
        `search` has fields of `rotomask_automatic_options`, `objects` of `rotomask_object_options`."""
        added, count, calls = (c_uint32 * 256)(), c_size_t(256), self._calls
        callback = _AutomaticCallback(lambda _user, done, total: calls.run(lambda: progress and progress(done, total)))
        keep, options = _searched(search or {})
        chosen = _fresh(_ObjectOptions, **(objects or {}))
        with _View(pixels) as view:
            self._work(
                "add_automatic", frame, byref(view.struct()), byref(options), byref(chosen), callback, None, added, byref(count)
            )
        del keep
        return list(added[: min(count.value, 256)])

    # What is known

    def describe(self) -> dict[str, Any]:
        """`objects`, `waiting` frames, `outdated` stretches, `cuts`, `undo` and `redo`."""
        return json.loads(self._told("describe"))

    def review(self, key: Union[int, str]) -> list[dict[str, Any]]:
        """Ranges of frames that a person should look at: `first`, `last`, `reasons`."""
        return json.loads(self._told("review", self.object(key)))

    def result(self, key: Union[int, str], frame: Optional[int] = None) -> Result:
        """What is known of an object: on the frame that was pushed last, or on any that is kept."""
        told = _fresh(_Result)
        number = self.object(key)
        if frame is None:
            self._on("result", number, byref(told))
        else:
            self._on("result_at", number, frame, byref(told))
        return Result.of(told)

    def timings(self) -> dict[Stage, float]:
        """Milliseconds by stage of the last push or refine."""
        told = _fresh(_Timings)
        self._on("timings", byref(told))
        return {stage: told.stage_ms[stage] for stage in Stage}

    def last_error(self) -> str:
        """The sentence of the session's last call that failed, whichever thread made it."""
        with self._use(beside=True) as pointer:
            return _told("session_last_error", pointer)

    def _mask(self, name: str, key: Union[int, str], frame: Optional[int], out: Any, dtype: str) -> Any:
        number, width, height = self.object(key), self.width, self.height
        if name == "logits" and out is None:
            result = self.result(number, frame)
            width, height, dtype = result.logits_width, result.logits_height, "float32"
        if frame is None:
            return _written(lambda canvas: self._on(name, number, canvas), height, width, out, dtype)
        kind = Mask[name.upper()]
        return _written(lambda canvas: self._on("mask_at", number, frame, kind, canvas), height, width, out, dtype)

    def binary(self, key: Union[int, str], frame: Optional[int] = None, out: Any = None, dtype: str = "uint8") -> Any:
        """Which pixels are the object's: uint8 0 or 255, or float32 0 or 1. Without `frame`, on the one pushed last."""
        return self._mask("binary", key, frame, out, dtype)

    def coverage(self, key: Union[int, str], frame: Optional[int] = None, out: Any = None, dtype: str = "uint8") -> Any:
        """How likely each pixel is the object's: uint8 0 to 255, or float32 0 to 1."""
        return self._mask("coverage", key, frame, out, dtype)

    def logits(self, key: Union[int, str], frame: Optional[int] = None, out: Any = None) -> Any:
        """The mask as the model gave it, float32 of the logits' own size; above 0 is the object."""
        return self._mask("logits", key, frame, out, "float32")

    def rle(self, key: Union[int, str], frame: int) -> dict[str, Any]:
        """The mask as COCO's run lengths."""
        return json.loads(self._told("rle_at", self.object(key), frame))

    def masks(self, frame: int, kind: str = "binary", dtype: str = "uint8") -> Masks:
        """The masks of all objects that have one on a frame."""
        if kind not in ("binary", "coverage", "logits"):
            raise ValueError(f"the kind is {kind!r}, expected binary, coverage or logits")
        found, results, names = {}, {}, {}
        for each in self.objects():
            names[each["name"]] = number = each["id"]
            try:
                results[number] = self.result(number, frame)
            except Error as error:
                if error.status != Status.ERROR_STATE:
                    raise
                continue
            found[number] = self._mask(kind, number, frame, None, dtype)
        return Masks(frame, found, results, names)


@dataclass(frozen=True)
class Salvaged:
    """What came out of a damaged session file; see `rotomask_salvaged`."""

    objects: int
    prompts: int
    answers: int
    lost: int
    gaps: int


class SessionFile(_Handle):
    """A session file, open for reading, perhaps while another process writes it. No model is needed."""

    _NAME = "session_file"

    def __init__(self, path: Union[str, os.PathLike[str]]) -> None:
        super().__init__(_opened("session_file_open", _bytes(path)))

    def describe(self) -> dict[str, Any]:
        """Model, frames' size, objects with their prompts and answered `ranges`, cuts, steps."""
        return json.loads(self._told("describe"))

    def check(self) -> list[str]:
        """Reads all of it: a sentence for whatever is not as it was written."""
        return json.loads(self._told("check"))

    def binary(self, number: int, frame: int, out: Any = None, dtype: str = "uint8") -> Any:
        """An object's mask on a frame: uint8 0 or 255, or float32 0 or 1."""
        width, height = self.size()
        return _written(lambda canvas: self._on("binary", number, frame, canvas), height, width, out, dtype)

    def coverage(self, number: int, frame: int, out: Any = None, dtype: str = "uint8") -> Any:
        """How likely each pixel is an object's on a frame: uint8 0 to 255, or float32 0 to 1."""
        width, height = self.size()
        return _written(lambda canvas: self._on("mask", number, frame, Mask.COVERAGE, canvas), height, width, out, dtype)

    def logits(self, number: int, frame: int, out: Any = None) -> Any:
        """An object's mask as the model gave it, float32 of the logits' own size; what a matte's layer takes best."""
        told = self.result(number, frame)
        write = lambda canvas: self._on("mask", number, frame, Mask.LOGITS, canvas)
        return _written(write, told.logits_height, told.logits_width, out, "float32")

    def result(self, number: int, frame: int) -> Result:
        """What is known of an object on a frame."""
        told = _fresh(_Result)
        self._on("result", number, frame, byref(told))
        return Result.of(told)

    def size(self) -> tuple[int, int]:
        """Width and height of the frames, in pixels."""
        told = self.describe()
        return told["width_px"], told["height_px"]

    def export(self, folder: Union[str, os.PathLike[str]]) -> int:
        """Writes every mask as FOLDER/OBJECT/FRAME.png, and gives their number."""
        told, count = self.describe(), 0
        width, height = told["width_px"], told["height_px"]
        for each in told["objects"]:
            into = Path(folder) / str(each["id"])
            into.mkdir(parents=True, exist_ok=True)
            for stretch in each["ranges"]:
                for frame in range(stretch["first"], stretch["last"] + 1):
                    mask = _written(lambda canvas: self._on("binary", each["id"], frame, canvas), height, width, None)
                    write_png(into / f"{frame:05}.png", mask)
                    count += 1
        return count

    @staticmethod
    def salvage(damaged: Union[str, os.PathLike[str]], fresh: Union[str, os.PathLike[str]]) -> Salvaged:
        """Copies what can be read of a damaged session into a new file."""
        told = _fresh(_Salvaged)
        _call("session_file_salvage", _bytes(damaged), _bytes(fresh), byref(told))
        return Salvaged(told.objects, told.prompts, told.answers, told.lost, told.gaps)


# --- single pictures -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Candidate:
    """One of the masks that the prompts can mean. Its pixels can be had until the next question."""

    index: int
    predicted_iou: float
    stability_score: float
    object_score: float
    area_px: int
    bounds_px: tuple[int, ...]
    logits_width: int
    logits_height: int
    _image: Image = field(repr=False)
    _question: int = field(repr=False)

    def _read(self, name: str, width: int, height: int, out: Any, dtype: str) -> Any:
        image = self._image
        if image._question != self._question:
            raise Error(Status.ERROR_STATE, "the picture was asked something else since: this candidate is gone")
        return _written(lambda canvas: image._on(name, self.index, canvas), height, width, out, dtype)

    def binary(self, out: Any = None, dtype: str = "uint8") -> Any:
        """Which pixels are the object's: uint8 0 or 255, or float32 0 or 1."""
        return self._read("binary", *self._image.size, out, dtype)

    def coverage(self, out: Any = None, dtype: str = "uint8") -> Any:
        """How likely each pixel is the object's: uint8 0 to 255, or float32 0 to 1."""
        return self._read("coverage", *self._image.size, out, dtype)

    def logits(self, out: Any = None) -> Any:
        """What `predict` takes as `mask` for the next question: float32."""
        return self._read("logits", self.logits_width, self.logits_height, out, "float32")

    def _repr_png_(self) -> bytes:
        return png(self.binary())


class Image(_Handle):
    """Questions about one picture, without a shot around it. `units="normalised"` counts places in shares of it."""

    _NAME = "image"

    def __init__(self, model: Model, picture: Any = None, options: Optional[Options] = None, **named: Any) -> None:
        if "units" in named:
            named["image_units"] = named.pop("units")
        with model._use() as opened, _chosen(options, named) as chosen:
            super().__init__(_opened("image_open_options", opened, chosen))
        self._question, self.size = 0, (0, 0)
        if picture is not None:
            self.set(picture)

    def set(self, picture: Any) -> None:
        """Looks at a picture, once for all questions about it."""
        with _View(picture) as view:
            self._question += 1
            self._on("set", byref(view.struct()))
            self.size = (view.width, view.height)

    def predict(
        self, points: Sequence[Sequence[float]] = (), negative: Sequence[Sequence[float]] = (), box: Optional[Sequence[float]] = None,
        mask: Any = None, multimask: bool = True,
    ) -> list[Candidate]:
        """Asks what is at `points` and not at `negative`, in `box` (left, top, right, bottom), like `mask` (logits of an
        earlier candidate). Three candidates in the decoder's order, or one."""
        said = [(x, y, 1) for x, y in points] + [(x, y, 0) for x, y in negative]
        held = (_Point * len(said))(*said)
        prompts = _fresh(_ImagePrompts, point_count=len(said), multimask_output=int(multimask))
        if said:
            prompts.points = held
        if box is not None:
            prompts.has_box, prompts.bounds = 1, (c_float * 4)(*box)
        count = c_uint32(0)
        with contextlib.ExitStack() as open_:
            if mask is not None:
                given = open_.enter_context(_View(mask)).struct()
                prompts.mask_input = ctypes.pointer(given)
            self._question += 1
            self._on("predict", byref(prompts), byref(count))
        return [self._candidate(index) for index in range(count.value)]

    def _candidate(self, index: int) -> Candidate:
        told = _fresh(_Candidate)
        self._on("candidate", index, byref(told))
        return Candidate(
            index, told.predicted_iou, told.stability_score, told.object_score, told.area_px, tuple(told.bounds_px),
            told.logits_width, told.logits_height, self, self._question,
        )

    def cancel(self) -> None:
        """Stops what runs on it, from any thread, or what runs next if nothing does."""
        with self._use(beside=True) as pointer:
            _call("image_cancel", pointer)

    def last_error(self) -> str:
        """The sentence of the last call on it that failed, whichever thread made it."""
        with self._use(beside=True) as pointer:
            return _told("image_last_error", pointer)


def _searched(search: Mapping[str, Any]) -> tuple[Any, Any]:
    """What must be kept while they are used, and the options. `point_grids` is a list of points for each layer."""
    search, keep = dict(search), []
    grids = search.pop("point_grids", None)
    search = {name: int(value) if isinstance(value, bool) else value for name, value in search.items()}
    options = _fresh(_AutomaticOptions, **search)
    if grids is not None:
        if len(grids) != options.crop_n_layers + 1:
            raise ValueError(f"point_grids has {len(grids)} layers, expected crop_n_layers + 1 = {options.crop_n_layers + 1}")
        flat = [float(number) for grid in grids for point in grid for number in point]
        keep = [(c_double * len(flat))(*flat), (c_uint32 * len(grids))(*(len(grid) for grid in grids))]
        options.point_grids, options.point_counts = keep
    return keep, options


@dataclass(frozen=True)
class AutomaticMask:
    """One mask of a picture; see `rotomask_automatic_mask`."""

    index: int
    predicted_iou: float
    stability_score: float
    point_coords: tuple[float, ...]
    bounds_px: tuple[int, ...]
    crop_box_px: tuple[int, ...]
    width_px: int
    height_px: int
    area_px: int
    _of: Automatic = field(repr=False)

    def binary(self, out: Any = None, dtype: str = "uint8") -> Any:
        """Which pixels are the mask's, of the picture's size."""
        return _written(lambda canvas: self._of._on("binary", self.index, canvas), self.height_px, self.width_px, out, dtype)

    def rle(self) -> dict[str, Any]:
        """The mask as COCO's compressed run lengths."""
        return {"size": [self.height_px, self.width_px], "counts": self._of._told("rle", self.index)}

    def run_lengths(self) -> list[int]:
        """How many pixels are outside, inside, outside and so on, column by column."""
        count = c_size_t(0)
        self._of._on("run_lengths", self.index, None, byref(count))
        counts = (c_uint32 * count.value)()
        self._of._on("run_lengths", self.index, counts, byref(count))
        return list(counts)

    def _repr_png_(self) -> bytes:
        return png(self.binary())


class Automatic(_Handle, Sequence):
    """Every mask of a picture, by asking about points all over it: a sequence of `AutomaticMask`.

    Options are the fields of `rotomask_automatic_options`, such as `points_per_side=16`. `progress` is told how many
    points of how many were asked about, and stops by returning `False` or raising.
    """

    _NAME = "automatic"

    def __init__(self, model: Model, picture: Any, progress: Optional[Callable[[int, int], Any]] = None, **search: Any) -> None:
        calls = _Calls()
        callback = _AutomaticCallback(lambda _user, done, total: calls.run(lambda: progress and progress(done, total)))
        keep, options = _searched(search)
        with model._use() as opened, _View(picture) as view, calls.reraised():
            pointer = _opened("automatic_generate", opened, byref(view.struct()), byref(options), callback, None)
        del keep
        super().__init__(pointer)

    def __len__(self) -> int:
        count = c_uint32(0)
        self._on("count", byref(count))
        return count.value

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        at = index + len(self) if index < 0 else index
        if not 0 <= at < len(self):
            raise IndexError(f"there are {len(self)} masks, and no number {index}")
        told = _fresh(_AutomaticMask)
        self._on("describe", at, byref(told))
        return AutomaticMask(
            at, told.predicted_iou, told.stability_score, tuple(told.point_coords), tuple(told.bounds_px),
            tuple(told.crop_box_px), told.width_px, told.height_px, told.area_px, self,
        )

    def objects(self, **options: Any) -> Automatic:
        """Those that can be followed: none covers another, the best first. Options: fields of `rotomask_object_options`."""
        chosen = _fresh(_ObjectOptions, **options)
        with self._use() as pointer:
            found = _opened("automatic_objects", pointer, byref(chosen))
        made = Automatic.__new__(Automatic)
        _Handle.__init__(made, found)
        return made


# --- the matte chain -------------------------------------------------------------------------------------------------


def matte_parameters() -> list[dict[str, Any]]:
    """The matte chain's parameters: `id`, `label`, `group`, `help`, `kind`, `default`, and what they take."""
    return json.loads(_told("matte_parameters"))


class MatteSettings(_Handle):
    """How mattes are finished and shown: `MatteSettings(view="cutout", grow_px=-1)`; `settings["feather_outer_px"] = 3`.

    `preset` is a preset's text, or the same as a dictionary. Values are numbers, truth values, choices, and colours as
    `#rrggbb` or numbers from 0 to 1.
    """

    _NAME = "matte_settings"

    def __init__(self, preset: Union[str, Mapping[str, Any], None] = None, **parameters: Any) -> None:
        text = json.dumps(preset) if isinstance(preset, Mapping) else preset
        super().__init__(_opened("matte_settings_open", _bytes(text)))
        for name, value in parameters.items():
            self[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        self._on("set", _bytes(name), _bytes(_as_text(value)))

    def __getitem__(self, name: str) -> str:
        return self.get(name)

    def set_at(self, frame: int, name: str, value: Any) -> None:
        """Sets a parameter's keyframe."""
        self._on("set_at", frame, _bytes(name), _bytes(_as_text(value)))

    def get(self, name: str, frame: int = 0) -> str:
        """A parameter's value on a frame, as setting it takes it."""
        return self._told("get", frame, _bytes(name))

    def preset(self) -> dict[str, Any]:
        """What was set, as a preset."""
        return json.loads(self._told("preset"))


@dataclass
class Layer:
    """One object of a frame that is finished.

    mask        coverage, or with `logits=True` the model's own float32, any size
    neighbours  its masks on frames around, of the same kind: {-1: mask, 1: mask}
    settings    how this one's edge is finished; by default as the job's
    """

    mask: Any
    logits: bool = False
    neighbours: Mapping[int, Any] = field(default_factory=dict)
    settings: Optional[MatteSettings] = None
    combine: Combine = Combine.ADD
    keep: bool = False


class Matte(_Handle):
    """A matte chain with its device: `Matte(gpu="auto")`."""

    _NAME = "matte"

    def __init__(self, options: Optional[Options] = None, **named: Any) -> None:
        with _chosen(options, named) as chosen:
            super().__init__(_opened("matte_open_options", chosen))

    def describe(self) -> dict[str, Any]:
        """What it runs on."""
        return json.loads(self._told("describe"))

    def last_error(self) -> str:
        """The sentence of the last call on it that failed, whichever thread made it."""
        with self._use(beside=True) as pointer:
            return _told("matte_last_error", pointer)

    def render(
        self, plate: Any, layers: Iterable[Any] = (), settings: Optional[MatteSettings] = None, frame: int = 0, out: Any = None,
        channels: int = 4, window: Optional[Sequence[int]] = None, garbage: Any = None, holdout: Any = None, background: Any = None,
        curve: Optional[Sequence[float]] = None, scale: tuple[float, float] = (1.0, 1.0), badge: int = Badge.UNTRACKED,
    ) -> Any:
        """Finishes a frame, or its `window` (left, top, width, height).

        layers    `Layer`s, or masks, combined in this order
        out       where it is written: of the plate's depth, or for the view "matte" anything. By default it is made, with
                  `channels`
        frame     at which keyframes are read
        curve     for the transfer "curve": linear light at even steps of the code
        """
        with contextlib.ExitStack() as open_:
            held: list[Any] = []

            def lent(pixels: Any) -> Any:
                if pixels is None:
                    return None
                held.append(open_.enter_context(_View(pixels)).struct())
                return ctypes.pointer(held[-1])

            def used(handle: Optional[_Handle]) -> Optional[int]:
                # One object may stand in several places.
                return None if handle is None else open_.enter_context(handle._use(beside=True))

            given = open_.enter_context(_View(plate))
            layers = [layer if isinstance(layer, Layer) else Layer(layer) for layer in layers]
            made = (_Layer * len(layers))(*(self._layer(layer, lent, used, held) for layer in layers))
            shown = given.struct()
            job = _fresh(
                _MatteJob, badge=badge, settings=used(settings), frame=frame, plate=ctypes.pointer(shown), layer_count=len(layers),
                garbage=lent(garbage), holdout=lent(holdout), background=lent(background), scale_x=scale[0], scale_y=scale[1],
            )
            if layers:
                job.layers = made
            if curve is not None:
                steps = (c_float * len(curve))(*curve)
                job.curve, job.curve_count = steps, len(curve)
            width, height = given.width, given.height
            if window is not None:
                part = _fresh(_Window, **dict(zip(("x_px", "y_px", "width_px", "height_px"), window)))
                job.window, (width, height) = ctypes.pointer(part), (part.width_px, part.height_px)
            dtype = {code: name for name, code in _DTYPES.items()}[given.code]
            return _written(lambda canvas: self._on("render", byref(job), canvas), height, width, out, dtype, channels)

    @staticmethod
    def _layer(layer: Layer, lent: Any, used: Any, held: list[Any]) -> Any:
        near = [_fresh(_Neighbour, offset=offset, mask=lent(mask)) for offset, mask in layer.neighbours.items()]
        made = _fresh(
            _Layer, kind=Mask.LOGITS if layer.logits else Mask.COVERAGE, mask=lent(layer.mask), combine=layer.combine,
            keep=int(layer.keep), settings=used(layer.settings), neighbour_count=len(near),
        )
        if near:
            held.append((_Neighbour * len(near))(*near))
            made.neighbours = held[-1]
        return made
