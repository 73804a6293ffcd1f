"""The learner's frames among those of the libraries, from files and from cells alike."""

from __future__ import annotations

import functools
import os
import sys
import sysconfig
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from utils.autodiff.recording import Place

_LIBRARIES = (
    str(Path(sysconfig.get_path("stdlib"))),
    str(Path(__file__).parents[1]) + os.sep,
    "<frozen",
    "<__array_function__",
)


def call(f: Callable[..., Any], args: Sequence[Any]) -> Any:
    """Call the learner's function; frames above this one are not looked at."""
    return f(*args)


def is_library(frame: types.FrameType) -> bool:
    """Tell the libraries' frames from the learner's, which may come from a file or a cell."""
    filename = frame.f_code.co_filename
    if filename.startswith("<"):
        root = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if root in sys.stdlib_module_names or root in ("tensorflow", "keras", "numpy", "utils"):
            return True
    return _is_library_file(filename)


@functools.cache
def _is_library_file(filename: str) -> bool:
    path = filename.replace("\\", "/")
    return (
        "/site-packages/" in path
        or "/dist-packages/" in path
        or path.startswith(tuple(part.replace("\\", "/") for part in _LIBRARIES))
        or filename.startswith("<attrs generated")
    )


def learner_frame(frame: types.FrameType | None) -> types.FrameType | None:
    while frame is not None and frame.f_code is not call.__code__:
        if not is_library(frame):
            return frame
        frame = frame.f_back
    return None


def learner_places(
    frame: types.FrameType | None,
) -> tuple[tuple[Place, ...], types.FrameType | None, str | None]:
    """Return the learner's places innermost first, a tf.custom_gradient call, a door."""
    places: list[Place] = []
    custom = door = None
    while frame is not None and frame.f_code is not call.__code__:
        code = frame.f_code
        if not is_library(frame):
            places.append(Place(code, frame.f_lasti))
        elif code.co_filename.endswith("custom_gradient.py"):
            custom = frame
        elif not places and (through := _door(code)) is not None:
            door = door if door and through == "metric" else through
        frame = frame.f_back
    return tuple(places), custom, door


_OF_TENSORFLOW = ("numpy_function", "py_func", "py_function", "switch_case")
_OF_MODELS = (
    *("predict", "predict_on_batch", "evaluate", "test_on_batch", "fit", "train_on_batch"),
    "get_weights",
)


def _door(code: types.CodeType) -> str | None:
    """Name a library's function through which values leave TensorFlow, or are only counted."""
    if code.co_filename.endswith("accuracy_metrics.py"):
        return "accuracy"
    keras = f"{os.sep}keras{os.sep}" in code.co_filename
    if keras and f"{os.sep}metrics{os.sep}" in code.co_filename:
        return "metric"
    return code.co_name if code.co_name in (_OF_MODELS if keras else _OF_TENSORFLOW) else None
