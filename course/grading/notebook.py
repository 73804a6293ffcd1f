"""What a learner's kernel is told before the notebook's first cell, and at every check."""

from __future__ import annotations

import ast
import base64
import builtins
import io
import json
import math
import os
import pickle
import random
import signal
import socket
import struct
import sys
import tempfile
import threading
import types
from typing import Any

import keras
import numpy as np
import psutil
import tensorflow as tf
from IPython import get_ipython

import utils.checks
from course.grading.answering import SHARED_LIBRARIES, Answering
from course.grading.small_graphs import (
    compute_few_rows_without_a_graph,
    leave_graphs_as_they_are,
)
from course.grading.sources import names_bound, pieces
from course.grading.wire import Line

_line: Line | None = None
_kept: dict[str, Any] = {}
RELIED_ON: tuple[Any, ...] = (
    *(builtins, np, tf, tf.math, tf.linalg, tf.nn, keras, keras.layers, keras.losses),
    *(keras.optimizers, tf.GradientTape, tf.Tensor, tf.Variable),
    *(keras.Variable, keras.Layer, keras.activations, keras.initializers, keras.metrics),
    *(np.random, np.linalg, tf.random, base64, io, json, math, pickle, random, struct),
)
KINDS = (tf.Tensor, keras.Layer, keras.Loss, keras.Metric, keras.Optimizer)
CHANGED_BY_HAND = (
    *(type, types.FunctionType, types.BuiltinFunctionType, types.MethodDescriptorType),
    *(property, staticmethod, classmethod, np.ufunc),
)
MUCH = 2**30  # bytes


class Later:
    """What a check or a hint says while the grader is at work."""

    def __init__(self, number: str = "", *_: Any, **__: Any) -> None:
        self._number = number

    def __repr__(self) -> str:
        return f"{self._number}: the grader checks this one."


def prepare() -> None:
    """Keep the line to the judge, which was standard input, and leave checking to it."""
    global _line
    _line = Line(socket.socket(fileno=os.dup(0)))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    utils.checks.check = utils.checks.hint = Later  # type: ignore[assignment,misc]
    leave_graphs_as_they_are()
    compute_few_rows_without_a_graph()
    keep()


def answer() -> None:
    """Answer the judge's questions about what the notebook's cells have defined."""
    assert _line is not None
    os.makedirs(tempfile.gettempdir(), exist_ok=True)  # TensorFlow writes there; a cell removed it
    Answering(_line, get_ipython().user_ns).serve()


def define_the_rest(source: str) -> None:
    """Run the statements of a cell that stopped that define names which are not there yet.

    A line that works on another machine alone, such as one that opens a drive of Colab's, may stand
    above an answer. Loops are left out, since they may be what did not end.
    """
    shell = get_ipython()
    for piece in pieces(source) or []:
        is_loop = any(isinstance(each, ast.For | ast.While) for each in piece.statements)
        if names_bound(piece.statements) - shell.user_ns.keys() and not is_loop:
            shell.run_cell(piece.text)


def keep() -> None:
    """Note what all answers rely on and is not noted yet: libraries, imports, modes, threads."""
    _kept.update(_surroundings() | _kept)


def is_as_kept() -> bool:
    """Tell whether no cell has changed what was noted; threads and much memory are changes, too."""
    now = _surroundings()
    at_most = {"threads": _kept["threads"], "memory": _kept["memory"] + MUCH}
    return all(now.pop(name) <= most for name, most in at_most.items()) and all(
        now.get(name) == value for name, value in _kept.items() if name not in at_most
    )


def _surroundings() -> dict[str, Any]:
    """Return by a name for each what would be another one if a cell had changed it."""
    kinds = [each for kind in KINDS for each in (kind, *_descendants(kind))]
    shared = [each for each in kinds if each.__module__.partition(".")[0] in SHARED_LIBRARIES]
    places = [*RELIED_ON, *shared]
    own = get_ipython().user_ns
    return {
        **{
            f"{place.__name__}.{name}": id(value)
            for place in places
            for name, value in vars(place).items()
            if name != "_" and isinstance(value, CHANGED_BY_HAND)
        },
        **{name: id(value) for name, value in own.items() if isinstance(value, types.ModuleType)},
        "eager": tf.executing_eagerly(),
        "eager functions": tf.config.functions_run_eagerly(),
        "numbers": (keras.config.floatx(), keras.config.dtype_policy().name, np.geterr()),
        "layers": (keras.config.image_data_format(), keras.config.epsilon()),
        "depth": sys.getrecursionlimit(),
        "alarm": hasattr(signal, "getitimer") and signal.getitimer(signal.ITIMER_REAL)[1],
        "threads": threading.active_count(),
        "memory": psutil.Process().memory_info().rss,
    }


def _descendants(kind: type) -> list[type]:
    children: list[type] = kind.__subclasses__()
    return [each for child in children for each in (child, *_descendants(child))]
