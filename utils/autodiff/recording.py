"""What a recording holds: the ops that ran, where in the learner's code, and the tapes."""

from __future__ import annotations

import ast
import functools
import itertools
import linecache
import os
import re
import types
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from utils.autodiff.source_text import node_at

# What TensorFlow may raise where a gradient could be asked for but not be computed.
NOT_COMPUTED = (tf.errors.OpError, NotImplementedError, TypeError, ValueError)
EagerTensor: Any = type(tf.constant(0.0))
_CELL = re.compile(r"^<ipython-input-|[/\\](ipykernel_\d+[/\\]|ipython-input-)[^/\\]*$")


@dataclass(frozen=True)
class Place:
    """Where in the learner's code something happened: a code object and an instruction in it."""

    code: types.CodeType
    instruction: int

    @functools.cached_property
    def position(self) -> tuple[int | None, int | None, int | None, int | None]:
        return next(itertools.islice(self.code.co_positions(), self.instruction // 2, None))

    @property
    def lineno(self) -> int:
        return self.position[0] or self.code.co_firstlineno

    def on_the_line_of(self, other: Place | None) -> bool:
        return other is not None and (self.code, self.lineno) == (other.code, other.lineno)

    @property
    def line(self) -> str | None:
        """The source of the whole line, without indentation; None where no source is to be had."""
        linecache.checkcache(self.code.co_filename)
        return linecache.getline(self.code.co_filename, self.lineno).strip() or None

    @property
    def expression(self) -> str | None:
        """The source of just this expression, folded to one line."""
        first, last, start, end = self.position
        if (node := self._method_call()) is not None:
            first, start = node.lineno, node.col_offset
        if first is None or last is None or start is None or end is None:
            return self.line
        rows = [linecache.getline(self.code.co_filename, n) for n in range(first, last + 1)]
        if not all(rows):
            return None
        data = [row.encode() for row in rows]
        data[-1] = data[-1][:end]
        data[0] = data[0][start:]
        return " ".join(part.decode(errors="replace").strip() for part in data).strip()

    def _method_call(self) -> ast.expr | None:
        """Return the whole call where Python gives only its end: a method on a line of its own."""
        first, _, start, _ = self.position
        before = linecache.getline(self.code.co_filename, first or 0).encode()[: start or 0]
        return node_at(self) if before.rstrip().endswith(b".") else None

    @property
    def function(self) -> str:
        return self.code.co_name

    @property
    def home(self) -> str:
        """What line numbers count in: "the cell", "the example", a file's name, "" if unknown."""
        filename = self.code.co_filename
        if _CELL.search(filename):
            return "the cell"
        if filename.startswith("<doctest "):
            return "the example"
        return "" if filename.startswith("<") else os.path.basename(filename)


@dataclass(eq=False)
class Op:
    """One op as it ran: `inputs` and `outputs` are eager tensors, `places` innermost first."""

    index: int
    type: str
    inputs: list[Any]
    outputs: list[Any]
    attributes: dict[str, Any]
    places: tuple[Place, ...]
    tapes: frozenset[int]  # the learner's tapes that were recording
    custom: types.FrameType | None  # the call of a tf.custom_gradient function that it ran in
    call: int | None  # the number of the tape.gradient call that ran it
    door: str | None = None  # "accuracy": it ran inside Keras's accuracies

    @property
    def place(self) -> Place | None:
        return self.places[0] if self.places else None


@dataclass(eq=False)
class Exit:
    """A value that left TensorFlow: `kind` says by which door (numpy, __float__, np.sin, ...)."""

    index: int
    op_index: int
    kind: str
    tensor: Any
    places: tuple[Place, ...]
    through: str | None  # "numpy_function" and the like
    tapes: frozenset[int]  # the learner's tapes that were recording
    custom: bool = False  # inside a tf.custom_gradient function, which gives its own gradient


@dataclass(eq=False)
class GradientCall:
    """One call of tape.gradient (or jacobian) in the learner's function."""

    index: int
    tape: Any
    method: str
    target: Any
    sources: Any
    result: Any
    zeros: bool  # unconnected gradients were asked for as zeros
    first_op: int
    places: tuple[Place, ...]
    names: dict[int, str] = field(default_factory=dict)
    error: BaseException | None = None


@dataclass(frozen=True)
class TapeEvent:
    """enter, exit, watch, pause, resume or reset of one of the learner's tapes."""

    kind: str
    tape: int
    op_index: int
    tensor: Any
    place: Place | None


@dataclass(frozen=True)
class Step:
    """A line about to run, with the learner's simple local values and what then ran of it."""

    frame: int
    code: types.CodeType
    lineno: int
    values: dict[str, str]
    ran: set[int] = field(default_factory=set)  # offsets of instructions


class Recording:
    """Everything that one call of a function left behind. Made by `record`."""

    def __init__(self) -> None:
        self.ops: list[Op] = []
        self.exits: list[Exit] = []
        self.calls: list[GradientCall] = []
        self.events: list[TapeEvent] = []
        self.steps: list[Step] = []
        self.executed: dict[types.CodeType, set[int]] = {}
        self.scopes: dict[types.CodeType, dict[str, Any]] = {}  # the global names of what ran
        self.names: dict[int, str] = {}
        # (a function's code, name) -> ids of what the name was bound to there, in order
        self.bound: dict[tuple[types.CodeType, str], list[int]] = {}
        # (a function's code, id) -> the first name that a tensor or variable had there: `params[0]`
        self.first_names: dict[tuple[types.CodeType, int], str] = {}
        self.layers: dict[int, Any] = {}  # Keras layers and models that had a name
        self.made: dict[int, Place | None] = {}  # tensors made by tf.constant
        self.alive: list[Any] = []  # ids stay unique while the objects live
        self.watch_accessed: dict[int, bool] = {}
        self.watches_along = False  # our tape watches what a learner's tape is told to watch
        self.result: Any = None
        self.error: BaseException | None = None
        self.tape = tf.GradientTape(persistent=True)  # watches everything
        self.plain_tape = tf.GradientTape(persistent=True)  # watches what a learner would
        self.producer: dict[int, Op] = {}
        self.watched: set[int] = set()
        self.opened: set[str] = set()  # what ran op by op that TensorFlow runs as one
        self.variables: dict[int, Any] = {}  # id of the handle -> tf.Variable
        self._reads: dict[int, int | None] = {}

    @functools.cached_property
    def variables_made(self) -> dict[Place | None, set[int]]:
        """The handles of the variables that were made, by place."""
        made: dict[Place | None, set[int]] = {}
        for op in self.ops:
            if op.type == "VarHandleOp":
                made.setdefault(op.place, set()).add(id(op.outputs[0]))
        return made

    def bound_to(self, name: str, codes: Iterable[types.CodeType]) -> list[int]:
        """Return the ids of what a name stood for, in order, in the first function that has it.

        Functions called by the one that asks for the gradient have names of their own, which may
        be the same. ``codes``: the function that asks, and those that called it.
        """
        for code in codes:
            if ids := self.bound.get((code, name)):
                return ids
            if held := [i for (c, i), n in self.first_names.items() if (c, n) == (code, name)]:
                return held
        return []

    def watch(self, tensor: Any) -> None:
        """Let the observing tape watch a tensor or variable, and note variables."""
        if is_variable(tensor):
            tensor = plain(tensor)
            self.variables[id(tensor.handle)] = tensor
            self.alive.append(tensor)
            if differentiable(tensor.dtype):
                self.tape.watch(tensor)
                self.watched.add(id(tensor))
        elif isinstance(tensor, EagerTensor) and differentiable(tensor.dtype):
            self.tape.watch(tensor)
            self.watched.add(id(tensor))
            self.alive.append(tensor)

    def variable_read(self, tensor: Any) -> int | None:
        """Return the id of the handle that a tensor without a producer was read from, if any.

        TensorFlow reads a variable that is not an op's first operand without telling the callback.
        """
        key = id(tensor)
        if key not in self._reads:
            self._reads[key] = None
            if key not in self.producer and differentiable(tensor.dtype):
                for variable in (*self.tape.watched_variables(), *self.variables.values()):
                    self.variables.setdefault(id(variable.handle), variable)
                fitting = [
                    (handle, variable)
                    for handle, variable in self.variables.items()
                    if variable.dtype == tensor.dtype and variable.shape == tensor.shape
                ]
                found = self.tape.gradient(tensor, [variable for _, variable in fitting])
                for (handle, _), gradient in zip(fitting, found, strict=True):
                    if gradient is not None:
                        self._reads[key] = handle
        return self._reads[key]

    def note_read(self, tensor: Any, variable: Any) -> None:
        """Note that a tensor was read from a variable while no tape looked."""
        self.variables.setdefault(id(variable.handle), variable)
        self._reads[id(tensor)] = id(variable.handle)

    def gradients(
        self, targets: Sequence[Any], sources: Sequence[Any], upstream: Sequence[Any] | None = None
    ) -> list[Any]:
        """Return d(sum of targets)/d(source) for each source, by the tape that watches all.

        With `upstream` each target counts as often as the number there says.

        Raises LookupError where an op on the way has no registered gradient.
        """
        if upstream is None:
            targets = [t for t in targets if differentiable(t.dtype)]
        if not targets or not sources:
            return [None] * len(sources)
        with quiet():
            return self.tape.gradient(
                targets, [plain(source) for source in sources], output_gradients=upstream
            )


def differentiable(dtype: tf.DType) -> bool:
    return dtype.is_floating or dtype.is_complex


def is_variable(value: Any) -> bool:
    return isinstance(value, (tf.Variable, keras.Variable))


def plain(value: Any) -> Any:
    """Return the tf.Variable inside a keras.Variable, the values of a ragged or sparse tensor."""
    if isinstance(value, keras.Variable):
        return value.value
    if isinstance(value, tf.RaggedTensor):
        return value.flat_values
    return value.values if isinstance(value, tf.SparseTensor) else value


def tensors_in(value: Any) -> list[Any]:
    """Return the tensors in a result: variables are read, of slices the values count."""
    parts = []
    for part in tf.nest.flatten(value):
        part = plain(part)
        if is_variable(part):
            part = part.read_value()
        if isinstance(part, tf.IndexedSlices):
            part = part.values
        if isinstance(part, EagerTensor):
            parts.append(part)
    return parts


@contextmanager
def quiet() -> Iterator[None]:
    """Keep TensorFlow's and Python's warnings of a repeated run away from the learner."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def array_of(value: Any) -> Any:
    """Return a tensor, array or number as an array; NumPy makes none of bfloat16 by itself."""
    return np.asarray(value.numpy() if isinstance(value, EagerTensor) else value)


def numbers(value: Any) -> list[Any]:
    """Return the arrays in a result, to tell whether two runs agree."""
    parts = []
    for part in tf.nest.flatten(value):
        if is_variable(part):
            part = plain(part).read_value()
        if isinstance(part, tf.IndexedSlices):
            part = part.values
        if isinstance(part, (EagerTensor, np.ndarray, np.generic, float, int, complex)):
            parts.append(array_of(part))
    return parts


def agree(first: Sequence[Any], second: Sequence[Any]) -> bool:
    """Tell whether two results hold the same numbers, NaN counting as equal to NaN."""
    if len(first) != len(second):
        return False
    for one, other in zip(first, second, strict=True):
        if one.shape != other.shape or one.dtype != other.dtype:
            return False
        nan = one.dtype.kind in "fc"
        if not np.array_equal(one, other, equal_nan=nan):
            return False
    return True
