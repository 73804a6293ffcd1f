"""What a call of the learner's function records: ops, lines, names, tapes, values that leave.

The only module that imports a private part of TensorFlow: `op_callbacks`, the hook of TensorFlow's
own debugger. It is called after every op that runs eagerly. tests/utils/test_autodiff_recorder.py
guards what we rely on.
"""

from __future__ import annotations

import dis
import functools
import io
import itertools
import operator
import random
import sys
import threading
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from typing import Any
from unittest import mock

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework import op_callbacks

from utils.autodiff.learner_frames import call, is_library, learner_places
from utils.autodiff.learner_inputs import held
from utils.autodiff.learner_tapes import tape_methods
from utils.autodiff.recording import (
    EagerTensor,
    Exit,
    Op,
    Recording,
    Step,
    differentiable,
    is_variable,
    plain,
    quiet,
)

_TENSOR_BASE: Any = next(c for c in EagerTensor.__mro__ if "numpy" in vars(c))
_VARIABLE: Any = type(tf.Variable(0.0))
_FUNCTION: Any = type(tf.function(lambda: 0.0))
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
_SCALAR_EXITS = ("__float__", "__int__", "__bool__", "__index__", "__complex__", "__format__")
_ARRAY_MAKERS = ("array", "asarray", "asanyarray", "ascontiguousarray", "asfarray")
_MAKERS = ("constant", "convert_to_tensor")
_RANDOM = ("Random", "StatelessRandom", "Multinomial", "TruncatedNormal", "ParameterizedTrunc")


def record(
    f: Callable[..., Any],
    args: Sequence[Any],
    *,
    watch: Sequence[Any] = (),
    sources: Sequence[Any] = (),
    trace: bool = True,
    eager_functions: bool = True,
    watch_along: bool = False,
    change_exits: frozenset[int] = frozenset(),
    change: Callable[[Any], Any] | None = None,
    replay: Recording | None = None,
) -> Recording:
    """Call `f(*args)` and return what it recorded; the learner's variables are put back.

    `watch` names tensors and variables the observing tape watches from the start, `sources` the
    tensors that a second tape watches, as the learner's would. The exits
    numbered in `change_exits` hand out `change(value)` instead of their value. With `replay` the
    random ops repeat what they drew there and nothing is printed. With `eager_functions` the
    bodies of tf.functions and py_functions run op by op. With `watch_along` our tape watches what
    the learner's are told to, from then on. An exception of `f` is kept in `error`.
    """
    recording = Recording()
    recording.watches_along = watch_along
    observer = _Observer(recording, change_exits, change, replay)
    with _PATCHING, ExitStack() as stack:
        stack.enter_context(quiet())  # TensorFlow warns of functions that run eagerly
        stack.enter_context(_state_put_back(observer))
        stack.enter_context(observer.patched())
        if replay is not None:
            stack.enter_context(redirect_stdout(io.StringIO()))
            stack.enter_context(mock.patch.object(tf, "print", lambda *_, **__: None))
            write = tf.TensorArray.write.__wrapped__  # without a word on what is never read
            stack.enter_context(mock.patch.object(tf.TensorArray, "write", write))
        if eager_functions:  # TensorFlow answers for the gradient of a py_function only once
            stack.enter_context(mock.patch.object(tf, "py_function", _opened(recording)))
        called = _FUNCTION.__call__
        if not eager_functions:
            stack.enter_context(_set(_FUNCTION, "__call__", _afresh_where_a_variable_died(called)))
        elif not tf.config.functions_run_eagerly():
            tf.config.run_functions_eagerly(True)
            stack.callback(tf.config.run_functions_eagerly, False)

            def call_function(*args: Any, **kwargs: Any) -> Any:
                recording.opened.add("a tf.function")
                return numbers_to_tensors(called(*args, **kwargs))

            stack.enter_context(_set(_FUNCTION, "__call__", call_function))
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
                    recording.result = call(tf.autograph.experimental.do_not_convert(f), args)
                finally:
                    sys.settrace(before)
                    op_callbacks.remove_op_callback(observer.on_op)
        except ERRORS as error:
            recording.error = error
        recording.alive.append(observer)
    return recording


def _afresh_where_a_variable_died(called: Callable[..., Any]) -> Callable[..., Any]:
    """Trace a tf.function again where its graph asks for the variable of an earlier call.

    The graph of a condition or loop holds on to the very variable it was traced with, weakly, and
    TensorFlow ends in an AssertionError once that is gone.
    """

    def call_function(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return called(self, *args, **kwargs)
        except AssertionError as error:
            if "variables which have been deleted" not in str(error):
                raise
            return called(tf.function(self.python_function), *args, **kwargs)

    return call_function


def numbers_to_tensors(result: Any) -> Any:
    """Return a result as a tf.function returns it: its numbers are tensors."""
    return tf.nest.map_structure(
        lambda part: tf.constant(part) if isinstance(part, (bool, int, float)) else part, result
    )


def _opened(recording: Recording) -> Callable[..., Any]:
    """Return what stands in for tf.py_function: what `func` computes is recorded op by op."""

    def py_function(func: Any = None, inp: Any = None, Tout: Any = None, name: Any = None) -> Any:
        recording.opened.add("tf.py_function")
        results = func(*[tf.convert_to_tensor(value) for value in inp])
        if not isinstance(Tout, (list, tuple)):
            return tf.convert_to_tensor(results, dtype=Tout)
        if not Tout:  # what runs only to log, whatever it returns
            return []
        if not isinstance(results, (list, tuple)):
            results = [results]
        return [tf.convert_to_tensor(r, dtype=t) for r, t in zip(results, Tout, strict=True)]

    return py_function


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
        self.most = 3 * (len(replay.ops) + len(replay.exits)) + 1000 if replay else None
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
        self._end_if_lost()
        kind = op_type.decode() if isinstance(op_type, bytes) else op_type
        results = list(outputs or [])
        replaced = None
        if kind.startswith(_RANDOM) and (earlier := next(self.drawn, None)) is not None:
            replaced = results = list(earlier.outputs)
        frame = sys._getframe(1)
        if kind == "StopGradient" and id(inputs[0]) not in self.recording.producer:
            # TensorFlow reads a variable here while all tapes, ours too, are switched off.
            variable = _variable_behind(inputs[0], frame)
            if variable is not None:
                self.recording.note_read(inputs[0], variable)
        places, custom, door = learner_places(frame)
        op = Op(
            index=len(self.recording.ops),
            type=kind,
            inputs=list(inputs),
            outputs=results,
            attributes=dict(zip(attributes[::2], attributes[1::2], strict=False)),
            places=places,
            tapes=self.recording_tapes(),
            custom=custom,
            call=self.call,
            door=door,
        )
        self.recording.ops.append(op)
        for output in results:
            self.recording.producer[id(output)] = op
            if differentiable(output.dtype):
                self.recording.tape.watch(output)
        return replaced

    def recording_tapes(self) -> frozenset[int]:
        return frozenset(tape for tape, on in self.active.items() if on)

    # -- values that leave TensorFlow

    def leave(self, kind: str, tensor: Any, through: Any = None) -> bool:
        """Note an exit and return whether its value is to be changed."""
        self._end_if_lost()
        recording = self.recording
        places, custom, door = learner_places(sys._getframe(2))
        if self.call is not None and places[:1] == recording.calls[self.call].places[:1]:
            return False  # TensorFlow's own gradient functions look at shapes
        if tensor.dtype == tf.bool and tensor.shape.rank == 0 and is_library(sys._getframe(2)):
            kind = "__bool__"  # tf.cond and its like ask for the answer as Python's `if` does
        if door == "switch_case":
            kind = "__bool__"
        exit_ = Exit(
            index=len(recording.exits),
            op_index=len(recording.ops),
            kind=kind,
            tensor=tensor,
            places=places,
            through=through or door,
            tapes=self.recording_tapes(),
            custom=custom is not None,
        )
        recording.exits.append(exit_)
        return exit_.index in self.change_exits

    def _end_if_lost(self) -> None:
        """End a repeated run that, with a changed value, does not find out of a loop."""
        if self.most is not None:
            steps = len(self.recording.ops) + len(self.recording.exits)
            if steps > self.most:
                raise RuntimeError("the repeated run takes far longer than the first")

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
        for name, method in tape_methods(self).items():
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
                places, _, _ = learner_places(sys._getframe(1))
                if isinstance(tensor, EagerTensor) and id(tensor) not in self.recording.made:
                    self.recording.made[id(tensor)] = places[0] if places else None
                    self.recording.alive.append(tensor)
                    self.recording.watch(tensor)
            return tensor

        return make

    # -- lines and names

    def on_call(self, frame: types.FrameType, event: str, _: Any) -> Any:
        if self.events > _MOST_EVENTS or is_library(frame):
            return None
        frame.f_trace = self.on_event  # Python 3.13 wants it before opcodes are asked for
        frame.f_trace_opcodes = True
        self.numbers[frame] = next(self.frames)
        self.recording.scopes[frame.f_code] = frame.f_globals
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
                ids = recording.bound.setdefault((frame.f_code, name), [])
                if ids and ids[-1] == id(plain(value)):
                    continue
                ids.append(id(plain(value)))
                recording.names.setdefault(id(plain(value)), name)
                recording.alive.append(value)
                recording.first_names.setdefault((frame.f_code, id(plain(value))), name)
            elif isinstance(value, (bool, int, float, str, np.integer, np.floating)):
                values[name] = repr(value) if isinstance(value, str) else str(value)
            else:
                if isinstance(value, keras.Layer):
                    recording.layers.setdefault(id(value), value)
                for part_name, part in itertools.islice(held(name, value), 100):
                    key = (frame.f_code, id(plain(part)))
                    if key not in recording.first_names:
                        recording.first_names[key] = part_name
                        recording.alive.append(part)
        if event in ("line", "return"):
            number = self.numbers.get(frame, 0)
            line = -1 if event == "return" else frame.f_lineno
            self.latest[frame] = Step(number, frame.f_code, line, values)
            recording.steps.append(self.latest[frame])
        return self.on_event


# -- helpers


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


def _variable_behind(tensor: Any, frame: types.FrameType | None) -> Any:
    """Return the variable that the library's frames were given, to read a tensor from; or None."""
    while frame is not None and is_library(frame):
        for value in frame.f_locals.values():
            if is_variable(value) and (value.dtype, value.shape) == (tensor.dtype, tensor.shape):
                return plain(value)
        frame = frame.f_back
    return None


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
