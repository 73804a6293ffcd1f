"""What a call of the learner's function records: ops, lines, names, tapes, values that leave.

The only module that imports a private part of TensorFlow: `op_callbacks`, the hook of TensorFlow's
own debugger. It is called after every op that runs eagerly. tests/utils/test_tape_recording.py
guards what we rely on.
"""

from __future__ import annotations

import dis
import functools
import io
import itertools
import linecache
import math
import operator
import os
import random
import sys
import sysconfig
import threading
import types
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework import op_callbacks

EagerTensor: Any = type(tf.constant(0.0))
_TENSOR_BASE: Any = next(c for c in EagerTensor.__mro__ if "numpy" in vars(c))
_VARIABLE: Any = type(tf.Variable(0.0))
# What the learner's function may raise and `record` keeps; anything else passes through.
ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NameError,
    RuntimeError,
    TypeError,
    ValueError,
    tf.errors.OpError,
)
_PATCHING = threading.RLock()
_MOST_EVENTS = 200_000
_LIBRARIES = (
    str(Path(sysconfig.get_path("stdlib"))),
    str(Path(__file__).parents[1]) + os.sep,
    "<frozen",
    "<__array_function__",
)
_SCALAR_EXITS = ("__float__", "__int__", "__bool__", "__index__", "__complex__", "__format__")
_ARRAY_MAKERS = ("array", "asarray", "asanyarray", "ascontiguousarray", "asfarray")
_MAKERS = ("constant", "convert_to_tensor")
_RANDOM = ("Random", "StatelessRandom", "Multinomial", "TruncatedNormal", "ParameterizedTrunc")


@dataclass(frozen=True)
class Place:
    """Where in the learner's code something happened: a code object and an instruction in it."""

    code: types.CodeType
    instruction: int

    @functools.cached_property
    def _positions(self) -> tuple[int | None, int | None, int | None, int | None]:
        return next(itertools.islice(self.code.co_positions(), self.instruction // 2, None))

    @property
    def lineno(self) -> int:
        return self._positions[0] or self.code.co_firstlineno

    @property
    def line(self) -> str | None:
        """The source of the whole line, without indentation; None where no source is to be had."""
        linecache.checkcache(self.code.co_filename)
        return linecache.getline(self.code.co_filename, self.lineno).strip() or None

    @property
    def expression(self) -> str | None:
        """The source of just this expression, folded to one line."""
        first, last, start, end = self._positions
        if first is None or last is None or start is None or end is None:
            return self.line
        rows = [linecache.getline(self.code.co_filename, n) for n in range(first, last + 1)]
        if not all(rows):
            return None
        data = [row.encode() for row in rows]
        data[-1] = data[-1][:end]
        data[0] = data[0][start:]
        return " ".join(part.decode(errors="replace").strip() for part in data).strip()

    @property
    def function(self) -> str:
        return self.code.co_name


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
        self.names: dict[int, str] = {}
        self.bound: dict[str, list[int]] = {}  # name -> ids of what it was bound to, in order
        self.made: dict[int, Place | None] = {}  # tensors made by tf.constant
        self.alive: list[Any] = []  # ids stay unique while the objects live
        self.watch_accessed: dict[int, bool] = {}
        self.result: Any = None
        self.error: BaseException | None = None
        self.tape = tf.GradientTape(persistent=True)  # watches everything
        self.plain_tape = tf.GradientTape(persistent=True)  # watches what a learner would
        self.producer: dict[int, Op] = {}
        self.watched: set[int] = set()
        self.variables: dict[int, Any] = {}  # id of the handle -> tf.Variable
        self._reads: dict[int, int | None] = {}

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

    def gradients(self, targets: Sequence[Any], sources: Sequence[Any]) -> list[Any]:
        """Return d(sum of targets)/d(source) for each source, by the tape that watches all.

        Raises LookupError where an op on the way has no registered gradient.
        """
        targets = [t for t in targets if differentiable(t.dtype)]
        if not targets or not sources:
            return [None] * len(sources)
        with quiet():
            return self.tape.gradient(targets, [plain(source) for source in sources])


def record(
    f: Callable[..., Any],
    args: Sequence[Any],
    *,
    watch: Sequence[Any] = (),
    sources: Sequence[Any] = (),
    trace: bool = True,
    eager_functions: bool = True,
    change_exits: frozenset[int] = frozenset(),
    change: Callable[[Any], Any] | None = None,
    replay: Recording | None = None,
) -> Recording:
    """Call `f(*args)` and return what it recorded; the learner's variables are put back.

    `watch` names tensors and variables the observing tape watches from the start, `sources` the
    tensors that a second tape watches, as the learner's would. The exits
    numbered in `change_exits` hand out `change(value)` instead of their value. With `replay` the
    random ops repeat what they drew there and nothing is printed. With `eager_functions` the
    bodies of tf.functions and py_functions run op by op. An exception of `f` is kept in `error`.
    """
    recording = Recording()
    observer = _Observer(recording, change_exits, change, replay)
    with _PATCHING, ExitStack() as stack:
        stack.enter_context(quiet())  # TensorFlow warns of functions that run eagerly
        stack.enter_context(_state_put_back(observer))
        stack.enter_context(observer.patched())
        if replay is not None:
            stack.enter_context(redirect_stdout(io.StringIO()))
            stack.enter_context(mock.patch.object(tf, "print", lambda *_, **__: None))
        if eager_functions:  # TensorFlow answers for the gradient of a py_function only once
            stack.enter_context(mock.patch.object(tf, "py_function", _called_directly))
        if eager_functions and not tf.config.functions_run_eagerly():
            tf.config.run_functions_eagerly(True)
            stack.callback(tf.config.run_functions_eagerly, False)
        try:
            with recording.tape, recording.plain_tape:
                for tensor in watch:
                    recording.watch(tensor)
                for tensor in sources:
                    if not is_variable(tensor) and differentiable(tensor.dtype):
                        recording.plain_tape.watch(tensor)
                op_callbacks.add_op_callback(observer.on_op)
                before = sys.gettrace()
                if trace:
                    sys._getframe().f_trace_opcodes = True  # Python 3.12 asks only here
                    sys.settrace(observer.on_call)
                try:
                    recording.result = _call(tf.autograph.experimental.do_not_convert(f), args)
                finally:
                    sys.settrace(before)
                    op_callbacks.remove_op_callback(observer.on_op)
        except ERRORS as error:
            recording.error = error
        recording.alive.append(observer)
    return recording


def _call(f: Callable[..., Any], args: Sequence[Any]) -> Any:
    return f(*args)


def _called_directly(func: Any = None, inp: Any = None, Tout: Any = None, name: Any = None) -> Any:
    """Stand in for tf.py_function: what `func` computes is recorded op by op."""
    results = func(*[tf.convert_to_tensor(value) for value in inp])
    if not isinstance(Tout, (list, tuple)):
        return tf.convert_to_tensor(results, dtype=Tout)
    if not isinstance(results, (list, tuple)):
        results = [results]
    return [tf.convert_to_tensor(r, dtype=t) for r, t in zip(results, Tout, strict=True)]


class _Observer:
    def __init__(
        self,
        recording: Recording,
        change_exits: frozenset[int],
        change: Callable[[Any], Any] | None,
        replay: Recording | None,
    ) -> None:
        self.recording = recording
        self.change_exits = change_exits
        self.change = change
        self.thread = threading.get_ident()
        self.active: dict[int, bool] = {}
        self.call: int | None = None
        self.blind = False  # while our own ops run
        self.handed: dict[int, bool] = {}
        self.inside = 0  # inside an exit: its own conversions are no further exits
        self.events = 0
        self.frames = itertools.count()
        self.numbers: dict[types.FrameType, int] = {}
        self.latest: dict[types.FrameType, Step] = {}
        self.drawn = iter(
            [op for op in replay.ops if op.type.startswith(_RANDOM)] if replay else []
        )

    # -- ops

    def on_op(
        self,
        op_type: str | bytes,
        inputs: Sequence[Any],
        attributes: Sequence[Any],
        outputs: Sequence[Any],
        op_name: str | None = None,
        graph: Any = None,
    ) -> Sequence[Any] | None:
        if graph is not None or self.blind or threading.get_ident() != self.thread:
            return None
        kind = op_type.decode() if isinstance(op_type, bytes) else op_type
        results = list(outputs or [])
        replaced = None
        if kind.startswith(_RANDOM) and (earlier := next(self.drawn, None)) is not None:
            replaced = results = list(earlier.outputs)
        places, custom, _ = _learner_places(sys._getframe(1))
        op = Op(
            index=len(self.recording.ops),
            type=kind,
            inputs=list(inputs),
            outputs=results,
            attributes=dict(zip(attributes[::2], attributes[1::2], strict=False)),
            places=places,
            tapes=frozenset(tape for tape, on in self.active.items() if on),
            custom=custom,
            call=self.call,
        )
        self.recording.ops.append(op)
        for output in results:
            self.recording.producer[id(output)] = op
            if differentiable(output.dtype):
                self.recording.tape.watch(output)
        return replaced

    # -- values that leave TensorFlow

    def leave(self, kind: str, tensor: Any, through: Any = None) -> bool:
        """Note an exit and return whether its value is to be changed."""
        recording = self.recording
        places, _, door = _learner_places(sys._getframe(2))
        if tensor.dtype == tf.bool and tensor.shape.rank == 0 and is_library(sys._getframe(2)):
            kind = "__bool__"  # tf.cond and its like ask for the answer as Python's `if` does
        exit_ = Exit(
            len(recording.exits), len(recording.ops), kind, tensor, places, through or door
        )
        recording.exits.append(exit_)
        return exit_.index in self.change_exits

    def changed(self, value: Any) -> Any:
        assert self.change is not None
        return self.change(value)

    def patched(self) -> ExitStack:
        stack = ExitStack()
        for name in ("numpy", "__array__", *_SCALAR_EXITS):
            original = getattr(_TENSOR_BASE, name, None)
            if original is not None:
                stack.enter_context(_set(_TENSOR_BASE, name, self._door(name, original)))
        stack.enter_context(_set(_TENSOR_BASE, "__array_ufunc__", self._ufunc()))
        stack.enter_context(_set(_TENSOR_BASE, "__array_function__", self._function()))
        for name in _ARRAY_MAKERS:
            if hasattr(np, name):
                stack.enter_context(_set(np, name, self._array_maker(name, getattr(np, name))))
        stack.enter_context(_set(_VARIABLE, "__init__", self._variable_maker()))
        for name in _MAKERS:
            stack.enter_context(_set(tf, name, self._maker(getattr(tf, name))))
        for name, method in self._tape_methods().items():
            stack.enter_context(_set(tf.GradientTape, name, method))
        return stack

    def _skip(self) -> bool:
        return self.inside > 0 or threading.get_ident() != self.thread

    def _door(self, kind: str, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def door(tensor: Any, *args: Any, **kwargs: Any) -> Any:
            if self._skip():
                return original(tensor, *args, **kwargs)
            change = self.leave(kind, tensor)
            self.inside += 1
            try:
                if change and kind == "__format__":
                    return format(self.changed(original_numpy(tensor)).item(), *args)
                value = original(tensor, *args, **kwargs)
            finally:
                self.inside -= 1
            return _as(kind, self.changed(np.asarray(value))) if change else value

        original_numpy = _TENSOR_BASE.numpy
        return door

    def _ufunc(self) -> Callable[..., Any]:
        def array_ufunc(tensor: Any, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> Any:
            reflected = _reflected_operator(sys._getframe(1), ufunc)
            if reflected is not None and len(args) == 2 and not isinstance(args[0], EagerTensor):
                return reflected(tensor, args[0])  # what NumPy leaves to tensors of itself
            self.note(f"np.{ufunc.__name__}", args, sys._getframe(1))
            return getattr(ufunc, method)(*self.arrays(args), **self.arrays(kwargs))

        return array_ufunc

    def _function(self) -> Callable[..., Any]:
        def array_function(
            tensor: Any, function: Any, kinds: Any, args: Any, kwargs: dict[str, Any]
        ) -> Any:
            self.note(f"np.{function.__name__}", (args, kwargs), sys._getframe(1))
            return function(*self.arrays(args), **self.arrays(kwargs))

        return array_function

    def _array_maker(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def maker(*args: Any, **kwargs: Any) -> Any:
            if self._skip() or not args or not _eager_parts(args[0]):
                return original(*args, **kwargs)
            self.note(f"np.{name}", args[0], sys._getframe(1))
            return original(self.arrays(args[0]), *args[1:], **kwargs)

        return maker

    def note(self, kind: str, values: Any, frame: types.FrameType) -> None:
        """Note one exit for each tensor in `values`; `arrays` then hands the values out."""
        self.handed = {}
        for tensor in [] if self._skip() else _eager_parts(values):
            self.handed[id(tensor)] = self.leave(kind, tensor)

    def arrays(self, values: Any) -> Any:
        """Return `values` with each tensor as the array NumPy would have made of it."""
        if isinstance(values, (list, tuple)) and type(values) in (list, tuple):
            return type(values)(self.arrays(value) for value in values)
        if isinstance(values, dict):
            return {key: self.arrays(value) for key, value in values.items()}
        if not (isinstance(values, EagerTensor) or is_variable(values)):
            return values
        self.inside += 1
        try:
            tensor = values if isinstance(values, EagerTensor) else plain(values).read_value()
            array = np.array(tensor.numpy())
        finally:
            self.inside -= 1
        return self.changed(array) if self.handed.get(id(values)) else array

    def _variable_maker(self) -> Callable[..., Any]:
        original = _VARIABLE.__init__

        @functools.wraps(original)
        def init(variable: Any, *args: Any, **kwargs: Any) -> None:
            original(variable, *args, **kwargs)
            if not self._skip() and tf.executing_eagerly():
                self.recording.watch(variable)

        return init

    def _maker(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def make(*args: Any, **kwargs: Any) -> Any:
            tensor = original(*args, **kwargs)
            if not self._skip() and id(tensor) not in self.recording.producer:
                places, _, _ = _learner_places(sys._getframe(1))
                if isinstance(tensor, EagerTensor) and id(tensor) not in self.recording.made:
                    self.recording.made[id(tensor)] = places[0] if places else None
                    self.recording.alive.append(tensor)
                    self.recording.watch(tensor)
            return tensor

        return make

    # -- the learner's own tapes

    def _tape_methods(self) -> dict[str, Any]:
        cls, recording = tf.GradientTape, self.recording
        ours = (recording.tape, recording.plain_tape)

        def note(kind: str, tape: Any, tensor: Any = None) -> None:
            places, _, _ = _learner_places(sys._getframe(2))
            place = places[0] if places else None
            event = TapeEvent(kind, id(tape), len(recording.ops), tensor, place)
            recording.events.append(event)
            recording.alive += [tape, tensor]

        def foreign(tape: Any) -> bool:
            return tape in ours or threading.get_ident() != self.thread

        def wrapped(name: str, wrapper: Callable[..., Any]) -> Callable[..., Any]:
            original = getattr(cls, name)

            @functools.wraps(original)
            def method(tape: Any, *args: Any, **kwargs: Any) -> Any:
                if foreign(tape):
                    return original(tape, *args, **kwargs)
                return wrapper(original, tape, *args, **kwargs)

            return method

        def init(original: Any, tape: Any, *args: Any, **kwargs: Any) -> None:
            original(tape, *args, **kwargs)
            accessed = kwargs.get("watch_accessed_variables", args[1] if len(args) > 1 else True)
            recording.watch_accessed[id(tape)] = bool(accessed)

        def enter(original: Any, tape: Any) -> Any:
            result = original(tape)
            note("enter", tape)
            self.active[id(tape)] = True
            return result

        def leave(original: Any, tape: Any, *args: Any) -> Any:
            note("exit", tape)
            self.active[id(tape)] = False
            return original(tape, *args)

        def watch(original: Any, tape: Any, tensor: Any) -> Any:
            result = original(tape, tensor)
            if is_library(sys._getframe(2)):  # Keras's or py_function's own tape
                return result
            for part in tf.nest.flatten(tensor):
                note("watch", tape, plain(part))
            return result

        def reset(original: Any, tape: Any) -> Any:
            note("reset", tape)
            return original(tape)

        @contextmanager
        def stop_recording(original: Any, tape: Any) -> Iterator[None]:
            note("pause", tape)
            was, self.active[id(tape)] = self.active.get(id(tape), False), False
            try:
                with original(tape):
                    yield
            finally:
                self.active[id(tape)] = was
                note("resume", tape)

        def gradient(name: str) -> Callable[..., Any]:
            def call_it(
                original: Any, tape: Any, target: Any, sources: Any, *args: Any, **kwargs: Any
            ) -> Any:
                if self.call is not None:  # jacobian calls gradient itself
                    return original(tape, target, sources, *args, **kwargs)
                places, _, _ = _learner_places(sys._getframe(2))
                unconnected = [*args, *kwargs.values()]
                zero = tf.UnconnectedGradients.ZERO
                call = GradientCall(
                    index=len(recording.calls),
                    tape=tape,
                    method=name,
                    target=target,
                    sources=sources,
                    result=None,
                    zeros=any(
                        a is zero or (isinstance(a, str) and a == "zero") for a in unconnected
                    ),
                    first_op=len(recording.ops),
                    places=places,
                )
                frame = _learner_frame(sys._getframe(2))
                if frame is not None:
                    for scope in (frame.f_locals, frame.f_globals):
                        self._names(scope, call.names, tf.nest.flatten((target, sources)))
                recording.calls.append(call)
                recording.alive += [tape, target, sources]
                self.call = call.index
                eager = tf.config.functions_run_eagerly()
                if name != "gradient":  # a Jacobian is computed by a function of TensorFlow's own
                    tf.config.run_functions_eagerly(False)
                try:
                    call.result = original(tape, target, sources, *args, **kwargs)
                except Exception as error:
                    call.error = error
                    raise
                finally:
                    self.call = None
                    tf.config.run_functions_eagerly(eager)
                recording.alive.append(call.result)
                return call.result

            return call_it

        methods: dict[str, Any] = {
            "__init__": init,
            "__enter__": enter,
            "__exit__": leave,
            "watch": watch,
            "reset": reset,
            "stop_recording": stop_recording,
            "gradient": gradient("gradient"),
            "jacobian": gradient("jacobian"),
            "batch_jacobian": gradient("batch_jacobian"),
        }
        return {name: wrapped(name, wrapper) for name, wrapper in methods.items()}

    @staticmethod
    def _names(scope: dict[str, Any], names: dict[int, str], wanted: Sequence[Any]) -> None:
        ids = {id(value) for value in wanted}
        for name, value in list(scope.items()):
            if id(value) in ids and not name.startswith("_"):
                names.setdefault(id(plain(value)), name)

    # -- lines and names

    def on_call(self, frame: types.FrameType, event: str, _: Any) -> Any:
        if self.events > _MOST_EVENTS or is_library(frame):
            return None
        frame.f_trace = self.on_event  # Python 3.13 wants it before opcodes are asked for
        frame.f_trace_opcodes = True
        self.numbers[frame] = next(self.frames)
        return self.on_event

    def on_event(self, frame: types.FrameType, event: str, _: Any) -> Any:
        self.events += 1
        if self.events > _MOST_EVENTS:
            return None
        recording = self.recording
        if event == "opcode":
            recording.executed.setdefault(frame.f_code, set()).add(frame.f_lasti)
            if frame in self.latest:
                self.latest[frame].ran.add(frame.f_lasti)
            return self.on_event
        values = {}
        for name, value in frame.f_locals.items():
            if isinstance(value, (EagerTensor, tf.Variable, keras.Variable)):
                if (ids := recording.bound.setdefault(name, [])) and ids[-1] == id(plain(value)):
                    continue
                ids.append(id(plain(value)))
                recording.names.setdefault(id(plain(value)), name)
                recording.alive.append(value)
            elif isinstance(value, (bool, int, float, str, np.integer, np.floating)):
                values[name] = repr(value) if isinstance(value, str) else str(value)
        if event in ("line", "return"):
            number = self.numbers.get(frame, 0)
            line = -1 if event == "return" else frame.f_lineno
            self.latest[frame] = Step(number, frame.f_code, line, values)
            recording.steps.append(self.latest[frame])
        return self.on_event


# -- helpers


def differentiable(dtype: tf.DType) -> bool:
    return dtype.is_floating or dtype.is_complex


def is_variable(value: Any) -> bool:
    return isinstance(value, (tf.Variable, keras.Variable))


def plain(value: Any) -> Any:
    """Return the tf.Variable inside a keras.Variable, anything else as it is."""
    return value.value if isinstance(value, keras.Variable) else value


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


def _learner_frame(frame: types.FrameType | None) -> types.FrameType | None:
    while frame is not None and frame.f_code is not _call.__code__:
        if not is_library(frame):
            return frame
        frame = frame.f_back
    return None


def _learner_places(
    frame: types.FrameType | None,
) -> tuple[tuple[Place, ...], types.FrameType | None, str | None]:
    """Return the learner's places innermost first, a tf.custom_gradient call, a script op."""
    places: list[Place] = []
    custom = door = None
    while frame is not None and frame.f_code is not _call.__code__:
        code = frame.f_code
        if not is_library(frame):
            places.append(Place(code, frame.f_lasti))
        elif code.co_filename.endswith("custom_gradient.py"):
            custom = frame
        elif not places and code.co_name in ("numpy_function", "py_func", "py_function"):
            door = code.co_name
        frame = frame.f_back
    return tuple(places), custom, door


@contextmanager
def _set(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Set an attribute for a while; an inherited one is inherited again afterwards."""
    own = name in vars(owner)
    before = vars(owner).get(name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if own:
            setattr(owner, name, before)
        else:
            delattr(owner, name)


@contextmanager
def _state_put_back(observer: _Observer) -> Iterator[None]:
    """Put back variables and the states of Python's and NumPy's random numbers."""
    thread = threading.get_ident()
    before: dict[int, tuple[Any, Any]] = {}
    patches = ExitStack()

    def wrapped(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def method(variable: Any, *args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() == thread and tf.executing_eagerly():
                handle = variable.handle
                if id(handle) not in before:
                    was, observer.blind = observer.blind, True
                    before[id(handle)] = (variable, tf.identity(variable.read_value()))
                    observer.blind = was
            return original(variable, *args, **kwargs)

        return method

    for name in dir(_VARIABLE):
        if name.startswith(("assign", "scatter_", "batch_scatter", "sparse_")):
            patches.enter_context(_set(_VARIABLE, name, wrapped(getattr(_VARIABLE, name))))
    numpy_state, python_state = np.random.get_state(), random.getstate()
    try:
        with patches:
            yield
    finally:
        np.random.set_state(numpy_state)
        random.setstate(python_state)
        for variable, value in before.values():
            variable.assign(value)


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


def _eager_parts(values: Any) -> list[Any]:
    if isinstance(values, EagerTensor) or is_variable(values):
        return [values]
    if isinstance(values, dict):
        values = list(values.values())
    if isinstance(values, (list, tuple)) and len(values) < 1000:
        return [part for value in values for part in _eager_parts(value)]
    return []


def _as(kind: str, value: Any) -> Any:
    if kind in ("numpy", "__array__"):
        return value
    number = value.item()
    kinds: dict[str, Callable[[Any], Any]] = {
        "__float__": float,
        "__int__": int,
        "__index__": int,
        "__bool__": bool,
        "__complex__": complex,
    }
    return kinds[kind](number)


_REFLECTED = {
    "add": "__radd__",
    "subtract": "__rsub__",
    "multiply": "__rmul__",
    "divide": "__rtruediv__",
    "true_divide": "__rtruediv__",
    "floor_divide": "__rfloordiv__",
    "remainder": "__rmod__",
    "power": "__rpow__",
    "matmul": "__rmatmul__",
    "less": "__gt__",
    "less_equal": "__ge__",
    "greater": "__lt__",
    "greater_equal": "__le__",
    "equal": "__eq__",
    "not_equal": "__ne__",
}


def _reflected_operator(frame: types.FrameType, ufunc: Any) -> Callable[..., Any] | None:
    """Return the tensor's own operator where NumPy was reached by an operator, not by a call."""
    name = dis.opname[frame.f_code.co_code[frame.f_lasti]]
    if not name.startswith(("BINARY_", "COMPARE_", "INPLACE_")):
        return None
    method = _REFLECTED.get(ufunc.__name__)
    return operator.methodcaller(method) and getattr(EagerTensor, method) if method else None


def numbers(value: Any) -> list[Any]:
    """Return the arrays in a result, to tell whether two runs agree."""
    parts = []
    for part in tf.nest.flatten(value):
        if is_variable(part):
            part = plain(part).read_value()
        if isinstance(part, tf.IndexedSlices):
            part = part.values
        if isinstance(part, (EagerTensor, np.ndarray, np.generic, float, int, complex)):
            parts.append(np.asarray(part))
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


def short_number(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else str(value)
