"""Why a gradient is None: the cause in the learner's own code, in words."""

from __future__ import annotations

import dis
import functools
import html
import inspect
import re
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from utils.errors import CourseError
from utils.tape_recording import (
    EagerTensor,
    Exit,
    GradientCall,
    Op,
    Place,
    Recording,
    agree,
    differentiable,
    is_variable,
    numbers,
    plain,
    record,
)

_ROUNDING = {"Round", "Rint", "Floor", "Ceil", "FloorDiv", "TruncateDiv"}
_POSITIONS = {"ArgMax", "ArgMin", "Bucketize", "SearchSorted", "UpperBound", "LowerBound", "Where"}
_COMPARISONS = {
    *("Greater", "GreaterEqual", "Less", "LessEqual", "Equal", "NotEqual", "ApproximateEqual"),
    *("IsNan", "IsFinite", "IsInf", "LogicalAnd", "LogicalOr", "LogicalNot", "InTopKV2", "InTopK"),
}
_SHAPES = {"Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike"}
_READS = {"ReadVariableOp", "ResourceGather", "ResourceGatherNd", "VarIsInitializedOp"}
_DRAWS = ("Random", "StatelessRandom", "Multinomial", "StatelessMulti", "StatefulRandom")
_FLAT = {
    *("Sign", "Relu", "Relu6", "Maximum", "Minimum", "ClipByValue", "SelectV2", "Select"),
    *("Elu", "LeakyRelu", "Max", "Min", "Abs"),
}
_NUMPY_TO_TF = {
    **{"sum": "tf.reduce_sum", "mean": "tf.reduce_mean", "max": "tf.reduce_max"},
    **{"min": "tf.reduce_min", "prod": "tf.reduce_prod", "log": "tf.math.log", "dot": "tf.tensordot"},
    **{"power": "tf.pow", "absolute": "tf.abs", "amax": "tf.reduce_max", "amin": "tf.reduce_min"},
    **{"var": "tf.math.reduce_variance", "std": "tf.math.reduce_std", "array": "tf.stack"},
    **{"concatenate": "tf.concat", "float_power": "tf.pow", "add": "+", "multiply": "*"},
}


@dataclass(frozen=True)
class Explanation:
    """What `explain_none` found; `str()` and Jupyter show it in words.

    `cause` is a short stable word ("fine" where no gradient is None), `source` the name of what
    the gradient is taken with respect to, `line` and `lineno` the learner's line, `expression` the
    part of it that is to blame.
    """

    cause: str
    what: str
    why: str
    mend: str = ""
    source: str | None = None
    line: str | None = None
    lineno: int | None = None
    function: str | None = None
    expression: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        return f"{self.what} {self.why}".strip()

    @property
    def where(self) -> str | None:
        if self.lineno is None:
            return None
        name = self.function or ""
        place = f"line {self.lineno}" + (f" of {name}" if name.isidentifier() else "")
        if self.line is None:
            return place
        part = self.expression
        shown = f"{place}:  {self.line}"
        if part and part not in self.line:
            return f"{shown}   (in {part})"
        return shown + (f"   (here: {part})" if part and part != self.line else "")

    def _rows(self) -> list[tuple[str, str]]:
        rows = [("Why", self.why), ("Where", self.where or ""), ("Mend", self.mend)]
        return [(name, text) for name, text in rows if text] + [("Note", n) for n in self.notes]

    def __str__(self) -> str:
        return "\n".join([self.what, *(f"  {name + ':':7}{text}" for name, text in self._rows())])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        fine = self.cause == "fine"
        colour = "#009E73" if fine else "#0072B2"
        cells = "".join(
            f'<tr><th style="text-align:left;vertical-align:top;padding:2px 12px 2px 0">{name}</th>'
            f'<td style="text-align:left;padding:2px 0">{_code_html(text)}</td></tr>'
            for name, text in self._rows()
        )
        return (
            f'<div style="border-left:4px solid {colour};padding:6px 12px;max-width:46em">'
            f"<strong>{_code_html(self.what)}</strong>"
            f'<table style="border:none;margin:4px 0 0 0">{cells}</table></div>'
        )


def _code_html(text: str) -> str:
    place = re.fullmatch(r"(line \d+(?: of \w+)?:)  (.*)", text)
    if place:
        return f"{html.escape(place[1])} <code>{html.escape(place[2])}</code>"
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(text))


@dataclass(frozen=True)
class _Finding:
    cause: str
    why: str
    mend: str = ""
    place: Place | None = None


def explain_none(f: Callable[..., Any], *inputs: Any) -> Explanation:
    """Say why a gradient is None, or that it is not, for `f(*inputs)`.

    `f` is the function to differentiate with respect to its inputs (without inputs: with respect
    to the variables it uses), or a function that holds its own tapes and returns the gradient.
    Python floats become float32 tensors.

    `f` runs once, and again where a value may have left TensorFlow on the way: with printing
    switched off, the same random numbers, and every variable put back to its value afterwards.
    Lists and files that `f` changes are not put back. An exception of `f` passes through, unless it
    comes of a gradient that is None.

    Raises CourseError where `f` cannot be called or returns nothing that has a gradient.
    """
    if not callable(f):
        raise CourseError(
            f"explain_none needs the function itself, but was given {_described(f)}: write "
            "explain_none(f, x), not explain_none(f(x))."
        )
    return _Inquiry(f, inputs).explain()


class _Inquiry:
    def __init__(self, f: Callable[..., Any], inputs: Sequence[Any]) -> None:
        self.shown = f
        self.f = getattr(f, "python_function", f)  # the body of a tf.function
        self.reachable = dict(reachable(self.f))
        self.inputs = [to_tensors(value) for value in inputs]
        self.sources = [
            (name, plain(value))
            for name, value in named_inputs(self.f, self.inputs)
            if is_variable(value) or isinstance(value, EagerTensor)
        ]
        self.recording = self._record()
        if self.recording.error is not None and not self.recording.calls:
            smaller = [to_float32(value) for value in self.inputs]
            if any(a is not b for a, b in zip(smaller, self.inputs, strict=True)):
                error, kept = self.recording.error, (self.inputs, self.sources, self.recording)
                self.inputs = smaller
                self.sources = [
                    (name, plain(value))
                    for name, value in named_inputs(self.f, self.inputs)
                    if is_variable(value) or isinstance(value, EagerTensor)
                ]
                self.recording = self._record()
                if self.recording.error is not None:
                    self.inputs, self.sources, self.recording = kept
                    self.recording.error = error

    def _record(self, inputs: Sequence[Any] | None = None, **options: Any) -> Recording:
        watch = [value for _, value in self.sources] + [v for v in self.reachable.values()]
        return record(
            self.f,
            self.inputs if inputs is None else inputs,
            watch=[value for value in watch if is_variable(value) or isinstance(value, EagerTensor)],
            sources=[value for _, value in self.sources],
            **options,
        )

    def explain(self) -> Explanation:
        recording = self.recording
        missing = [call for call in recording.calls if call.error is None and _has_none(call)]
        if recording.error is not None:
            failed = next((c for c in recording.calls if c.error is recording.error), None)
            if failed is not None:
                return self._failed_call(failed)
            if not missing:
                raise recording.error
        if missing:
            return self._explain_call(missing[-1])
        if recording.calls:
            return self._explain_call(recording.calls[-1])
        return self._explain_function()

    # -- a function that holds its own tape

    def _failed_call(self, call: GradientCall) -> Explanation:
        error = call.error
        place = call.places[0] if call.places else None
        if isinstance(error, RuntimeError) and "persistent" in str(error):
            return self._said(
                _Finding(
                    "tape_used_up",
                    "A plain tape gives its recording away with the first call of gradient: the "
                    "second finds nothing left.",
                    "Open it as tf.GradientTape(persistent=True) and `del tape` when done, or ask "
                    "for all gradients in one call: tape.gradient(y, [a, b]).",
                    place,
                ),
                what="The gradient is not None: the call raises a RuntimeError.",
            )
        if isinstance(error, LookupError):
            return self._said(
                self._no_registered_gradient(error),
                what="The gradient is not None: the call raises a LookupError.",
            )
        assert error is not None
        raise error

    def _explain_call(self, call: GradientCall) -> Explanation:
        targets = _tensors(call.target)
        sources = tf.nest.flatten(call.sources)
        results = tf.nest.flatten(call.result)
        names = [self._name(source, i, len(sources), call) for i, source in enumerate(sources)]
        hidden = []
        if call.zeros:
            hidden = [
                i
                for i, source in enumerate(sources)
                if _all(results[i], lambda a: a == 0) and self._connected(targets, source) is False
            ]
        none = [i for i, result in enumerate(results) if result is None] or hidden
        if not none:
            return self._fine(
                list(zip(names, [plain(s) for s in sources], results, strict=False)), targets, call
            )
        findings = [self._why_in_call(call, targets, plain(sources[i]), names[i]) for i in none]
        notes = self._also(names, none, findings)
        what = None
        if hidden and none == hidden:
            what = (
                f"The gradient with respect to `{names[none[0]]}` is 0 only because you asked for "
                "zeros in place of None (unconnected_gradients)."
            )
        return self._said(findings[0], names[none[0]], notes, what, len(none), len(sources))

    def _why_in_call(
        self, call: GradientCall, targets: list[Any], source: Any, name: str
    ) -> _Finding:
        if finding := self._no_number(source, name):
            return finding
        recording = self.recording
        if not targets:
            return _Finding(
                "no_tensor",
                "What you differentiate is not a tensor.",
                "Give tape.gradient the tensor that was computed inside the tape.",
                call.places[0] if call.places else None,
            )
        connected = self._connected(targets, source)
        if connected is None:
            return self._no_registered_gradient(self._lookup_error)
        if not connected:
            finding = self._rebound(call, targets, source, name) or self._why(
                targets, source, name, call
            )
            unseen = id(source) not in recording.watched and id(source) not in recording.producer
            if is_variable(source) or not unseen or finding.cause != "no_gradient":
                return finding  # else not even our tape could watch it before it was used
        return self._why_tape(recording, call, targets, source, name)

    def _connected(self, targets: list[Any], source: Any) -> bool | None:
        """Tell whether a tape that watches all finds a gradient; None: LookupError on the way."""
        source = plain(source)
        try:
            return self.recording.gradients(targets, [source])[0] is not None
        except LookupError as error:
            self._lookup_error = error
            return None

    def _rebound(
        self, call: GradientCall | None, targets: list[Any], source: Any, name: str
    ) -> _Finding | None:
        """Find out whether the name stood for something else while the target was computed."""
        recording = self.recording
        if name not in recording.bound:
            return None
        needed = _needed(recording, targets)
        key = _key(source)
        if key in needed:
            return None
        for other in recording.bound[name]:
            variable = next((v for v in recording.variables.values() if id(v) == other), None)
            other_key = id(variable.handle) if variable is not None else other
            if other_key in needed and other not in (id(source), key):
                if call is None:
                    return _Finding(
                        "rebound",
                        f"The name `{name}` is given a new value, and the result is computed from "
                        "that one: your input takes no part.",
                        f"Use another name for the new value, or compute it from `{name}`.",
                        self._first_place(other),
                    )
                return self._replaced(source, name, call)
        return None

    def _replaced(self, source: Any, name: str, call: GradientCall | None) -> _Finding:
        op = self.recording.producer.get(id(source))
        if is_variable(source):
            op = next((o for o in self.recording.ops if o.outputs and o.outputs[0] is source.handle), op)
            return _Finding(
                "variable_copy",
                f"`{name}` is now a new variable: a copy of the value, with no link to what the "
                "tape recorded.",
                "Differentiate with respect to the variable that the computation used, and change "
                "a variable in place with assign.",
                op.place if op else None,
            )
        return _Finding(
            "variable_replaced",
            f"After this line the name `{name}` stands for a new plain tensor, not for the "
            "variable (or watched tensor) that the tape knows.",
            f"Change a variable in place: `{name}.assign_add(...)` or `{name}.assign(...)`; or "
            "give the new value another name.",
            op.place if op else (call.places[0] if call and call.places else None),
        )

    def _why_tape(
        self,
        recording: Recording,
        call: GradientCall,
        targets: list[Any],
        source: Any,
        name: str,
    ) -> _Finding:
        """The computation is differentiable: so the learner's tape did not see all of it."""
        tape = id(call.tape)
        events = [event for event in recording.events if event.tape == tape]
        reset = max((e.op_index for e in events if e.kind == "reset"), default=-1)
        key = _key(source)
        path = _path(recording, targets, source)
        first = path[0] if path else None
        watches = [e for e in events if e.kind == "watch" and e.tensor is source]
        variable = is_variable(source)
        accessed = recording.watch_accessed.get(tape, True)
        automatic = variable and source.trainable and accessed

        if not watches and not automatic:
            if variable and not source.trainable:
                return _Finding(
                    "not_trainable",
                    f"`{name}` was made with trainable=False, and a tape watches only trainable "
                    "variables by itself.",
                    f"Call tape.watch({name}) before it is used, or make it trainable.",
                    first.place if first else None,
                )
            if variable:
                return _Finding(
                    "not_watched",
                    "The tape was opened with watch_accessed_variables=False, so it watches nothing "
                    f"by itself, and `{name}` was never watched.",
                    f"Call tape.watch({name}) inside the tape, before it is used.",
                    first.place if first else None,
                )
            op = recording.producer.get(id(source))
            if op is None or not self._comes_from_watched(op, events):
                if reset < 0 or op is None:
                    return _Finding(
                        "constant_not_watched",
                        f"`{name}` is a plain tensor, not a variable. A tape watches trainable "
                        "variables by itself, but no other tensor.",
                        f"Call tape.watch({name}) inside the tape, before {name} is used, or make "
                        f"it a tf.Variable.",
                        first.place if first else None,
                    )
            elif tape not in op.tapes and op.index >= 0 and not self._seen_by(op, tape, events):
                return self._replaced(source, name, call)
        forgotten = [i for i, e in enumerate(events) if e.kind == "reset"]
        if watches and forgotten and not automatic:
            if max(i for i, e in enumerate(events) if e in watches) < forgotten[-1]:
                return self._after_reset(events, first)
        started = [e.op_index for e in watches]
        if watches and first is not None and min(started) > first.index and reset < 0:
            return _Finding(
                "watch_too_late",
                f"`{name}` is watched only after it was used: the tape does not look back.",
                f"Move tape.watch({name}) above the first line that uses {name}.",
                next(e.place for e in watches) or first.place,
            )
        reached = {key}
        for op in path:
            if not any(i in reached for i in _input_keys(recording, op)):
                continue
            seen = tape in op.tapes and op.index >= reset
            if seen:
                reached.update(id(output) for output in op.outputs)
                continue
            return self._unseen(op, tape, events, reset, name)
        return _Finding(
            "outside_tape",
            f"The tape did not record how `{name}` leads to the result.",
            "Compute the result inside `with tf.GradientTape() as tape:`.",
            first.place if first else None,
        )

    @staticmethod
    def _after_reset(events: Sequence[Any], op: Op | None) -> _Finding:
        place = next((e.place for e in events if e.kind == "reset"), op.place if op else None)
        return _Finding(
            "reset",
            "tape.reset() throws away all that was recorded and watched before it.",
            "Do without the reset, or after it watch again and compute again all that the gradient "
            "needs.",
            place,
        )

    @staticmethod
    def _seen_by(op: Op, tape: int, events: Sequence[Any]) -> bool:
        return tape in op.tapes

    def _comes_from_watched(self, op: Op, events: Sequence[Any]) -> bool:
        """Tell whether a tensor was computed from a variable or from something watched."""
        recording = self.recording
        needed = _needed(recording, op.outputs)
        watched = {id(e.tensor) for e in events if e.kind == "watch"}
        variables = {h for h, v in recording.variables.items() if v.trainable}
        variables |= {id(v.handle) for v in recording.tape.watched_variables()}
        return bool(needed & (watched | variables))

    def _unseen(
        self, op: Op, tape: int, events: Sequence[Any], reset: int, name: str
    ) -> _Finding:
        if op.call is not None and op.call < len(self.recording.calls):
            inner = self.recording.calls[op.call]
            return _Finding(
                "inner_gradient_outside",
                "The inner gradient is computed outside the outer tape, so the outer tape has not "
                "recorded it and cannot differentiate it again.",
                "Indent this inner gradient call: it must run inside the outer `with` block.",
                inner.places[0] if inner.places else None,
            )
        if op.index < reset:
            return self._after_reset(events, op)
        paused = sum((e.kind == "pause") - (e.kind == "resume") for e in events if e.op_index <= op.index)
        entered = [e.op_index for e in events if e.kind == "enter"]
        left = [e.op_index for e in events if e.kind == "exit"]
        if paused > 0 and not (left and op.index >= left[-1]):
            return _Finding(
                "stop_recording",
                "This line runs inside tape.stop_recording(): the tape is switched off there.",
                "Move the line out of the stop_recording block.",
                op.place,
            )
        when = "before the tape is opened" if not entered or op.index < entered[0] else (
            "after the tape is closed"
        )
        return _Finding(
            "outside_tape",
            f"This line runs {when}, so the tape does not record it.",
            "Move it into the `with tf.GradientTape() as tape:` block.",
            op.place,
        )

    # -- the function to differentiate

    def _explain_function(self) -> Explanation:
        recording = self.recording
        targets = _tensors(recording.result)
        sources = self._function_sources(targets)
        if not targets:
            return self._not_a_tensor(sources)
        names = [name for name, _ in sources]
        values = [value for _, value in sources]
        usable = [v for v in values if differentiable(v.dtype)]
        floats = [t for t in targets if differentiable(t.dtype)]
        try:
            found = (
                recording.plain_tape.gradient(floats, [v for v in usable]) if floats and usable else []
            )
        except LookupError as error:
            return self._said(
                self._no_registered_gradient(error),
                what="The gradient is not None: asking for it raises a LookupError.",
            )
        except tf.errors.OpError:
            op = next((o for o in recording.ops if o.type == "EagerPyFunc"), None)
            if op is None:
                raise
            return self._said(
                _Finding(
                    "numpy",
                    f"{self._what(op)}: the Python code inside leaves TensorFlow (by NumPy or a "
                    "plain number), so py_function finds no gradient through it.",
                    "Use TensorFlow's ops inside it.",
                    op.place,
                ),
                what="The gradient is not None: asking for it raises an error.",
            )
        by_id = {id(v): g for v, g in zip(usable, found, strict=False)}
        results = [by_id.get(id(v)) for v in values]
        none = [i for i, result in enumerate(results) if result is None]
        notes: list[str] = []
        if len(none) < len(values):  # an index or a label beside inputs with a gradient
            labels = [i for i in none if not is_variable(values[i]) and self._is_label(values[i])]
            none = [i for i in none if i not in labels]
            notes += [
                f"`{names[i]}` holds {values[i].dtype.name}, so it has no gradient (None): that "
                "is as it should be for a label, an index or a count."
                for i in labels
            ]
        if not none:
            kept = [r for r in zip(names, values, results, strict=True) if r[2] is not None]
            return self._fine(kept, targets, None, notes)
        findings = [self._why_in_function(targets, values[i], names[i]) for i in none]
        notes += self._also(names, none, findings)
        return self._said(findings[0], names[none[0]], notes, None, len(none), len(values))

    def _is_label(self, value: Any) -> bool:
        if differentiable(value.dtype):
            return False
        own = [
            op
            for op in self.recording.ops
            if op.type == "Cast" and any(i is value for i in op.inputs) and _own_cast(op)
        ]
        return not own

    def _function_sources(self, targets: list[Any]) -> list[tuple[str, Any]]:
        recording = self.recording
        if self.sources:
            return self.sources
        if self.inputs and not recording.tape.watched_variables():
            whole = [
                (name, tf.constant(value))
                for name, value in named_inputs(self.f, self.inputs)
                if isinstance(value, (int, np.ndarray, np.generic, str)) and value is not None
            ]
            if whole:
                return whole
        used = [plain(v) for v in recording.tape.watched_variables()]
        names = {id(plain(v)): n for n, v in self.reachable.items()}
        found = [(self._variable_name(v, names), v) for v in used]
        tracked = {id(v) for v in used}
        for name, value in self.reachable.items():
            if is_variable(value) and id(plain(value)) not in tracked:
                tracked.add(id(plain(value)))
                found.append((name, plain(value)))
        if not any(v.trainable for _, v in found):
            found += [(n, v) for n, v in self.reachable.items() if isinstance(v, EagerTensor)]
        if not found:
            raise CourseError(
                f"{_function_name(self.f)} was given no input and uses no variable: there is "
                "nothing to differentiate with respect to; give explain_none the inputs too."
            )
        return found

    def _variable_name(self, variable: Any, names: dict[int, str]) -> str:
        recorded = self.recording.names.get(id(variable))
        return names.get(id(variable)) or recorded or variable.name.partition(":")[0]

    def _why_in_function(self, targets: list[Any], source: Any, name: str) -> _Finding:
        if finding := self._no_number(source, name):
            return finding
        connected = self._connected(targets, source)
        if connected is None:
            return self._no_registered_gradient(self._lookup_error)
        if connected:
            path = _path(self.recording, targets, source)
            if is_variable(source):
                return _Finding(
                    "not_trainable",
                    f"`{name}` was made with trainable=False, and a tape watches only trainable "
                    "variables by itself.",
                    f"Call tape.watch({name}) before it is used, or make it trainable.",
                    path[0].place if path else None,
                )
            return _Finding(
                "constant_not_watched",
                f"`{name}` is a plain tensor, not a variable, and no tape watches it.",
                f"Call tape.watch({name}), make it a tf.Variable, or make it an input of the "
                "function.",
                path[0].place if path else None,
            )
        return self._rebound(None, targets, source, name) or self._why(targets, source, name, None)

    def _not_a_tensor(self, sources: list[tuple[str, Any]]) -> Explanation:
        result = self.recording.result
        name = _function_name(self.f)
        if result is None:
            raise CourseError(f"{name} returned None: end it with `return` and the tensor to differentiate.")
        for _, source in sources:
            dependent = _dependent(self.recording, [_key(source)])
            for exit_ in self.recording.exits:
                if _exit_key(self.recording, exit_) in dependent:
                    finding = self._left(exit_, self._display(exit_.tensor))
                    return self._said(
                        finding,
                        what=f"{name} returns {_described(result)}, not a tensor: there is no "
                        "gradient of it.",
                    )
        raise CourseError(
            f"{name} returned {_described(result)}, which is not a tensor: let it return a tensor "
            "that TensorFlow computed."
        )

    # -- causes that both share

    def _no_number(self, source: Any, name: str) -> _Finding | None:
        dtype = getattr(source, "dtype", None)
        if not isinstance(dtype, tf.DType) or differentiable(dtype):
            return None
        kind = "string" if dtype == tf.string else "integer"
        what = "variable" if is_variable(source) else "tensor"
        first = next(
            (o for o in self.recording.ops if _key(source) in _input_keys(self.recording, o)), None
        )
        made = self.recording.made.get(id(source)) or next(
            (
                o.place
                for o in self.recording.ops
                if o.type == "VarHandleOp" and id(o.outputs[0]) == _key(source)
            ),
            None,
        )
        return _Finding(
            kind,
            f"`{name}` is a {what} of {dtype.name}. Only floating-point numbers can change by a "
            "little, so only they have a gradient."
            + (" TensorFlow does not warn of it." if is_variable(source) else ""),
            "Make it a float: 3.0 instead of 3, or dtype=tf.float32."
            if kind == "integer"
            else "Differentiate with respect to numbers, not text.",
            made or (first.place if first else None),
        )

    def _no_registered_gradient(self, error: LookupError) -> _Finding:
        match = re.search(r"entry for: (\w+)|operation '(\w+)'|op type: (\w+)", str(error))
        kind = next((g for g in match.groups() if g), "?") if match else "?"
        op = next((o for o in self.recording.ops if o.type == kind), None)
        if op is not None and op.type.startswith(_DRAWS):
            return _Finding(
                "random",
                f"{self._what(op)} draws at random: how its parameters shift the draw is not "
                "recorded, and the tape raises a LookupError.",
                "Draw noise that depends on no parameter and scale it: mean + spread * noise.",
                op.place,
            )
        return _Finding(
            "no_registered_gradient",
            f"TensorFlow has no gradient registered for the op {kind}, so the tape raises a "
            "LookupError instead of answering.",
            "Compute it with other ops, or wrap it with tf.custom_gradient and say yourself what "
            "its gradient is.",
            op.place if op else None,
        )

    def _why(
        self, targets: list[Any], source: Any, name: str, call: GradientCall | None
    ) -> _Finding:
        """Explain a gradient that even a tape that watches everything does not find."""
        recording = self.recording
        dependent = _dependent(recording, [_key(source)])
        blocked: _Finding | None = None
        if any(_key(t) in dependent for t in targets):
            blocked = self._break(targets, source, name, dependent)
            if blocked is not None and blocked.cause != "only_shape":
                return blocked
        return (
            self._exit(targets, source, name, dependent, call)
            or blocked
            or self._other_door(source, name, call)
            or self._unconnected(targets, source, name, dependent)
        )

    def _break(
        self, targets: list[Any], source: Any, name: str, dependent: set[int]
    ) -> _Finding | None:
        """Find the ops, nearest to the source first, that let the value through but no gradient."""
        recording = self.recording
        culprits: list[tuple[int, _Finding]] = []
        frontier = list(targets)
        visited: set[int] = set()
        for _ in range(12):
            tensors, path = _path_tensors(recording, frontier, dependent)
            try:
                found = recording.gradients(frontier, [*tensors, source])
            except LookupError as error:
                return self._no_registered_gradient(error)
            reached = {
                id(t) for t, g in zip(tensors, found, strict=False) if g is not None
            } | {id(t) for t in frontier}
            if found[-1] is not None:
                break
            frontier = []
            for op in reversed(path):
                if id(op) in visited or not any(id(o) in reached for o in _group_out(path, op)):
                    continue
                for value in _group_in(recording, path, op):
                    if _key(value) in dependent and id(value) not in reached:
                        visited.add(id(op))
                        culprit, before = self._blame(op, value, dependent)
                        culprits.append((culprit.index, self._blocked(culprit, op, name, source)))
                        frontier += before
            frontier = [t for t in frontier if differentiable(t.dtype)]
            if not frontier:
                break
        if not culprits:
            return None
        culprits.sort(key=lambda item: (item[1].cause == "only_shape", item[0]))
        return culprits[0][1]

    def _blame(self, op: Op, value: Any, dependent: set[int]) -> tuple[Op, list[Any]]:
        """Walk from a tensor of integers or truth values up to the op that made it of floats."""
        recording = self.recording
        writer = _writer(recording, op, value)
        if writer is not None:
            return writer, [value]
        if differentiable(value.dtype):
            return op, [value]
        seen: set[int] = set()
        while True:
            maker = recording.producer.get(id(value))
            if maker is None or id(maker) in seen:
                return op, []
            seen.add(id(maker))
            op = maker
            inputs = [i for i in _values_in(recording, maker) if _key(i) in dependent]
            floats = [i for i in inputs if differentiable(i.dtype)]
            if floats:
                return maker, floats
            handles = [i for i in inputs if i.dtype == tf.resource]
            if handles or not inputs:
                return maker, []
            value = inputs[0]

    def _blocked(self, op: Op, after: Op, name: str, source: Any) -> _Finding:
        kind, place = op.type, op.place
        shown = self._what(op)
        if op.custom is not None:
            return _Finding(
                "custom_gradient",
                f"{shown} runs inside a tf.custom_gradient function, and the gradient function "
                "that it returns gives None for this input.",
                "Let the inner grad function return a tensor for each input: upstream * derivative.",
                op.places[1] if len(op.places) > 1 and place is not None else place,
            )
        if kind == "StopGradient":
            return _Finding(
                "stop_gradient",
                f"{shown} passes the value on and holds the gradient back: that is its purpose.",
                "Leave it out where the gradient has to flow.",
                place,
            )
        if kind in ("ReadVariableOp", "ResourceGather") or _writes(op):
            write = op if _writes(op) else self._write_before(op)
            made = write is not None and any(
                o.type == "VarHandleOp"
                and o.outputs[0] is write.inputs[0]
                and o.place == write.place  # the first value is assigned by tf.Variable(...) itself
                for o in self.recording.ops
            )
            place = write.place if write is not None and write.place else place
            if made:
                return _Finding(
                    "variable_copy",
                    "tf.Variable(...) copies the value into a new variable. The copy does not know "
                    "where its value came from, so the gradient ends there.",
                    "Compute with the tensor itself; make variables before the tape, once.",
                    place,
                )
            return _Finding(
                "state",
                f"The value goes through a variable's memory: it is stored with assign and read "
                f"back. A tape follows ops, not memory, so the way from `{name}` ends at the store.",
                "Compute the result from the tensor that you assign, not from the variable.",
                place,
            )
        if kind in _ROUNDING:
            return _Finding(
                "rounding",
                f"{shown} jumps from step to step and is flat in between: TensorFlow gives it no "
                "gradient.",
                "Leave the rounding out while differentiating, or round after the gradient is taken.",
                place,
            )
        if kind in _POSITIONS:
            return _Finding(
                "argmax",
                f"{shown} gives a position, a whole number: it does not change when "
                f"`{name}` changes by a little.",
                "Use something smooth: tf.reduce_max for the largest value, tf.nn.softmax for a "
                "soft choice.",
                place,
            )
        if kind in ("Cast", "Bitcast"):
            return _Finding(
                "integer_cast",
                f"{shown} turns the numbers into {_output_type(op)}: whole numbers carry no gradient, "
                "and casting back to float does not bring it back.",
                "Stay with floating-point numbers all the way.",
                place,
            )
        if kind in _COMPARISONS:
            return _Finding(
                "comparison",
                f"{shown} answers True or False: the value of `{name}` decides, but is not itself "
                "part of the result.",
                "A condition has no gradient. Let the value itself enter the result, or use a "
                "smooth switch such as tf.sigmoid.",
                place,
            )
        if kind in _SHAPES:
            return _Finding(
                "only_shape",
                f"{shown} uses only the shape of `{name}`, not its values.",
                f"Compute with the values of `{name}`.",
                place,
            )
        if kind in ("AsString", "StringFormat", "StringToNumber"):
            return _Finding(
                "text",
                f"{shown} turns the number into text, and text has no gradient.",
                "Stay with numbers all the way.",
                place,
            )
        if kind == "PyFunc" or kind == "PyFuncStateless":
            return self._numpy_function(place)
        if "Dataset" in kind or "Iterator" in kind or "Queue" in kind:
            return _Finding(
                "dataset",
                f"{shown} sends the value through a pipeline of data, which no tape follows.",
                "Take the data out of the pipeline first, then compute inside the tape.",
                place,
            )
        if kind.startswith(_DRAWS):
            return _Finding(
                "random",
                f"{shown} draws at random: how `{name}` shifts the draw is not recorded.",
                "Draw noise that does not depend on it and scale it: mean + spread * noise.",
                place,
            )
        return _Finding(
            "no_gradient",
            f"{shown} lets the value through, but TensorFlow defines no gradient for this input "
            f"of the op {kind}.",
            "Use ops that have a gradient, or tf.custom_gradient.",
            place,
        )

    def _write_before(self, read: Op) -> Op | None:
        writes = [
            o
            for o in self.recording.ops[: read.index]
            if _writes(o) and any(o.inputs[0] is i for i in read.inputs)
        ]
        return writes[-1] if writes else None

    def _what(self, op: Op) -> str:
        expression = op.place.expression if op.place else None
        if expression and len(expression) <= 60:
            return f"`{expression}`"
        return f"The op {op.type}"

    def _numpy_function(self, place: Place | None) -> _Finding:
        return _Finding(
            "numpy_function",
            "tf.numpy_function runs plain NumPy code, which no tape can follow.",
            "Use TensorFlow's ops, or tf.py_function, which runs the code under a tape of its own.",
            place,
        )

    # -- values that leave TensorFlow

    def _exit(
        self,
        targets: list[Any],
        source: Any,
        name: str,
        dependent: set[int],
        call: GradientCall | None,
    ) -> _Finding | None:
        groups: dict[Any, list[Exit]] = {}
        for exit_ in self.recording.exits:
            if _exit_key(self.recording, exit_) in dependent:
                site = (exit_.kind, exit_.through, exit_.places[0] if exit_.places else None)
                groups.setdefault(site, []).append(exit_)
        if not groups:
            return None
        base = self._outcome(self.recording, call)
        steady = agree(base, self._outcome(self._record(replay=self.recording, trace=False), call))
        ordered = sorted(groups.values(), key=lambda g: (g[0].kind == "__bool__", g[0].index))
        if not steady:
            return self._left(ordered[0][0], name)
        for group in ordered[:16]:
            for change in (_a_little, _a_lot):
                changed = self._record(
                    replay=self.recording,
                    trace=False,
                    change_exits=frozenset(e.index for e in group),
                    change=change,
                )
                if changed.error is None and not agree(base, self._outcome(changed, call)):
                    return self._left(group[0], name)
                if group[0].kind == "__bool__":
                    break
        return None

    @staticmethod
    def _outcome(recording: Recording, call: GradientCall | None) -> list[Any]:
        if call is None:
            return numbers(recording.result)
        if call.index >= len(recording.calls):
            return []
        return numbers(recording.calls[call.index].target)

    def _left(self, exit_: Exit, name: str) -> _Finding:
        place = exit_.places[0] if exit_.places else None
        shown = self._display(exit_.tensor) or name
        expression = place.expression if place else None
        said = f"`{expression}`" if expression and len(expression) <= 60 else "This line"
        if exit_.through == "numpy_function":
            return self._numpy_function(place)
        if exit_.kind == "__bool__":
            unused = self._unexecuted(name)
            more = f" The branch that uses it (line {unused.lineno}) was not taken." if unused else ""
            return _Finding(
                "condition",
                f"`{name}` only decides which way Python goes ({said}); its value does not enter "
                f"the result, and a decision has no gradient.{more}",
                f"Let `{name}` itself enter the result in the branch that is taken, or use a smooth "
                "switch such as tf.sigmoid.",
                place,
            )
        if exit_.kind.startswith("np."):
            function = exit_.kind[3:]
            instead = _NUMPY_TO_TF.get(function)
            if instead is None:
                module = "tf" if hasattr(tf, function) else "tf.math" if hasattr(tf.math, function) else ""
                instead = f"{module}.{function}" if module else ""
            mend = f"Use `{instead}` instead" if instead else "Use TensorFlow's own ops instead"
            return _Finding(
                "numpy",
                f"{said} leaves TensorFlow: {exit_.kind} computes in NumPy, which no tape can see. "
                "What comes back is a constant.",
                f"{mend}, and keep tensors until the gradient is taken.",
                place,
            )
        if exit_.kind in ("numpy", "__array__"):
            return _Finding(
                "numpy",
                f"{said} leaves TensorFlow: it makes a NumPy value of `{shown}`, and a tape follows "
                "only tensors. What is computed from it is a constant to the tape.",
                f"Leave out the conversion and compute with the tensor `{shown}` itself, with "
                "TensorFlow's ops.",
                place,
            )
        number = {"__format__": "text", "__float__": "a Python number", "__int__": "a Python int"}
        return _Finding(
            "text" if exit_.kind == "__format__" else "python_number",
            f"{said} leaves TensorFlow: it makes {number.get(exit_.kind, 'a Python number')} of "
            f"`{shown}`, and a tape follows only tensors.",
            f"Compute with the tensor `{shown}` itself: leave out the conversion, and use tf.sin "
            "and its like in place of Python's math.",
            place,
        )

    def _other_door(self, source: Any, name: str, call: GradientCall | None) -> _Finding | None:
        """Change the source itself: does the target move although nothing recorded links them?"""
        base = self._outcome(self.recording, call)
        for change in (_a_little, _a_lot):
            if is_variable(source):
                before = source.read_value()
                try:
                    source.assign(tf.constant(change(before.numpy()), dtype=before.dtype))
                    changed = self._record(replay=self.recording, trace=False)
                except (TypeError, ValueError, tf.errors.OpError):
                    return None
                finally:
                    source.assign(before)
            else:
                moved = tf.nest.map_structure(
                    lambda part, change=change: (
                        tf.constant(change(part.numpy()), dtype=part.dtype)
                        if part is source
                        else part
                    ),
                    self.inputs,
                )
                if not any(part is source for part in tf.nest.flatten(self.inputs)):
                    return None
                changed = self._record(moved, replay=self.recording, trace=False)
            outcome = self._outcome(changed, call)
            if changed.error is not None or agree(base, outcome):
                continue
            if not agree(base, self._outcome(self._record(replay=self.recording, trace=False), call)):
                return None
            place = self._reentry(changed)
            return _Finding(
                "left_tensorflow",
                f"The result changes with `{name}`, but no recorded op links the two: on the way the "
                "value leaves TensorFlow and comes back as a constant, at this line at the latest.",
                "Use TensorFlow's ops all the way from the input to the result.",
                place,
            )
        return None

    def _reentry(self, changed: Recording) -> Place | None:
        for op, other in zip(self.recording.ops, changed.ops, strict=False):
            if op.type != other.type:
                return op.place
            for one, two in zip(op.inputs, other.inputs, strict=False):
                leaf = id(one) not in self.recording.producer
                if leaf and one.dtype not in (tf.resource, tf.variant):
                    if not agree(numbers(one), numbers(two)):
                        return self.recording.made.get(id(one)) or op.place
        return None

    # -- nothing links them

    def _unconnected(
        self, targets: list[Any], source: Any, name: str, dependent: set[int]
    ) -> _Finding:
        unused = self._unexecuted(name)
        users = [
            o for o in self.recording.ops if _key(source) in _input_keys(self.recording, o)
        ]
        if not users and unused is not None:
            return _Finding(
                "branch_not_taken",
                f"`{name}` is used only in a branch that did not run this time, and a tape records "
                "only what runs.",
                f"Nothing to mend if that is meant: for this input the result does not depend on "
                f"`{name}` (ask for zeros with unconnected_gradients=tf.UnconnectedGradients.ZERO).",
                unused,
            )
        if users:
            return _Finding(
                "unconnected",
                f"`{name}` is used, but what is computed from it never reaches the result that is "
                "differentiated.",
                f"Check that the result is computed from it, or leave `{name}` out of the sources.",
                next((o.place for o in users if o.place), None),
            )
        return _Finding(
            "unconnected",
            f"The result is not computed from `{name}`: it takes no part in the computation.",
            f"Check the name: is `{name}` what you meant, and does the result use it?",
            self._first_place(_key(targets[0])) if targets else None,
        )

    def _unexecuted(self, name: str) -> Place | None:
        """Return an instruction that would have used the name, but did not run."""
        root = re.split(r"[.\[]", name)[0]
        for code, executed in self.recording.executed.items():
            ran = {Place(code, offset).lineno for offset in executed}
            for place in _loads(code, root):
                if place.instruction not in executed:
                    return place
            for inner in code.co_consts:
                if isinstance(inner, types.CodeType) and inner not in self.recording.executed:
                    if inner.co_firstlineno not in ran and root in inner.co_freevars:
                        return Place(inner, 0)
        return None

    def _first_place(self, key: int) -> Place | None:
        op = self.recording.producer.get(key)
        return op.place if op else self.recording.made.get(key)

    # -- words

    def _display(self, value: Any) -> str:
        value = plain(value)
        for name, known in self.sources:
            if known is value:
                return name
        named = self.recording.names.get(id(value))
        if named:
            return named
        if not is_variable(value) and id(value) not in self.recording.producer:
            handle = self.recording.variable_read(value)
        else:
            op = self.recording.producer.get(id(value))
            handle = id(op.inputs[0]) if op is not None and op.type == "ReadVariableOp" else None
        if handle is not None and handle in self.recording.variables:
            return self._variable_name(
                self.recording.variables[handle],
                {id(plain(v)): n for n, v in self.reachable.items()},
            )
        return ""

    def _name(self, source: Any, index: int, count: int, call: GradientCall) -> str:
        value = plain(source)
        named = call.names.get(id(value)) or self._display(value)
        if named:
            return named
        if isinstance(source, keras.Variable):
            return source.path
        if is_variable(value):
            return self._variable_name(value, {id(plain(v)): n for n, v in self.reachable.items()})
        return "the source" if count == 1 else f"source number {index + 1}"

    @staticmethod
    def _also(names: list[str], none: list[int], findings: list[_Finding]) -> list[str]:
        notes = []
        same = [names[i] for i, f in zip(none[1:], findings[1:], strict=True) if f == findings[0]]
        if same:
            notes.append("The same holds for " + ", ".join(f"`{n}`" for n in same) + ".")
        for i, finding in zip(none[1:], findings[1:], strict=True):
            if finding == findings[0]:
                continue
            place = f" (line {finding.place.lineno})" if finding.place else ""
            notes.append(f"`{names[i]}` is None too{place}: {finding.why}")
        fine = [n for i, n in enumerate(names) if i not in none]
        if fine:
            verb = "are" if len(fine) > 1 else "is"
            shown = ", ".join(f"`{n}`" for n in fine[:6]) + (" ..." if len(fine) > 6 else "")
            notes.append(f"With respect to {shown} the gradient{'s' * (len(fine) > 1)} {verb} there.")
        return notes

    def _said(
        self,
        finding: _Finding,
        name: str | None = None,
        notes: Iterable[str] = (),
        what: str | None = None,
        none: int = 1,
        of: int = 1,
    ) -> Explanation:
        place = finding.place
        if what is None:
            what = f"The gradient with respect to `{name}` is None."
            if of > 1:
                what = f"{none} of {of} gradients " + ("is" if none == 1 else "are") + (
                    f" None: the one with respect to `{name}`"
                    + (" first." if none > 1 else ".")
                )
        return Explanation(
            cause=finding.cause,
            what=what,
            why=finding.why,
            mend=finding.mend,
            source=name,
            line=place.line if place else None,
            lineno=place.lineno if place else None,
            function=place.function if place else None,
            expression=place.expression if place else None,
            notes=tuple(notes),
        )

    # -- nothing is None

    def _fine(
        self,
        gradients: list[tuple[str, Any, Any]],
        targets: list[Any],
        call: GradientCall | None,
        notes: Sequence[str] = (),
    ) -> Explanation:
        untracked = self._untracked(targets, gradients, call)
        if untracked is not None:
            return untracked
        notes = list(notes)
        for name, source, gradient in gradients:
            if isinstance(gradient, tf.IndexedSlices):
                notes.append(
                    f"The gradient with respect to `{name}` is an IndexedSlices: only the rows that "
                    "were looked up, with their numbers. tf.convert_to_tensor makes it a full tensor."
                )
            elif _any(gradient, lambda a: ~np.isfinite(a)):
                return self._not_finite(name, source, gradient, targets, notes)
        zero = [
            (n, s, g) for n, s, g in gradients if _size(g) and _all(g, lambda a: a == 0)
        ]
        if zero:
            finding = self._zero(zero[0], targets)
            if finding.cause == "zero" and len(zero) == len(gradients):
                return self._said(
                    finding,
                    zero[0][0],
                    notes,
                    f"The gradient with respect to `{zero[0][0]}` is not None, but 0 everywhere.",
                )
            notes.append(finding.why)
        names = ", ".join(f"`{n}`" for n, _, _ in gradients[:6]) + (" ..." if len(gradients) > 6 else "")
        what = f"The gradient with respect to {names} is fine: it is not None." if gradients else (
            "No gradient was asked for: the list of sources is empty."
        )
        if len(gradients) > 1:
            what = f"All {len(gradients)} gradients are fine, none is None: {names}."
        shown = [f"{n}: {_short(g)}" for n, _, g in gradients[:6]]
        return Explanation(
            cause="fine" if gradients else "no_sources",
            what=what,
            why="Every step from there to the result is recorded and differentiable."
            if gradients
            else "tape.gradient was given nothing to differentiate with respect to.",
            mend="" if gradients else "Name the variables: a frozen model has no trainable_variables.",
            source=gradients[0][0] if gradients else None,
            notes=(*(("; ".join(shown) + ".",) if shown else ()), *notes),
        )

    def _flow_stop(self, source: Any, targets: list[Any], lost: Callable[[Any], Any]) -> Op | None:
        """Find the first op, seen from the result, whose input gradient is lost."""
        recording = self.recording
        dependent = _dependent(recording, [_key(source)])
        tensors, path = _path_tensors(recording, targets, dependent)
        try:
            found = recording.gradients(targets, tensors)
        except LookupError:
            return None
        gradients = {id(t): g for t, g in zip(tensors, found, strict=True)}
        for target in targets:
            gradients.setdefault(id(target), tf.ones_like(target))
        for op in reversed(path):
            out = [gradients.get(id(o)) for o in op.outputs]
            into = [
                gradients.get(id(i), gradients.get(_key(i))) for i in _values_in(recording, op)
                if _key(i) in dependent
            ]
            if any(g is not None and not lost(g) for g in out):
                known = [g for g in into if g is not None]
                if (known and all(lost(g) for g in known)) or not known:
                    return op
        return None

    def _not_finite(
        self, name: str, source: Any, gradient: Any, targets: list[Any], notes: Sequence[str]
    ) -> Explanation:
        op = self._flow_stop(source, targets, lambda g: _any(g, lambda a: ~np.isfinite(a)))
        shown = f" {self._what(op)} is to blame: its slope has no finite value here." if op else ""
        return self._said(
            _Finding(
                "not_finite",
                f"It holds {_short(gradient)}: at this input the slope is infinite or undefined "
                f"(like that of a square root at 0).{shown}",
                "Keep the input away from that point: tf.maximum(x, 1e-7), or x + 1e-7, before it.",
                op.place if op else None,
            ),
            name,
            notes,
            f"The gradient with respect to `{name}` is not None, but not finite.",
        )

    def _zero(self, gradient: tuple[str, Any, Any], targets: list[Any]) -> _Finding:
        name, source, _ = gradient
        op = self._flow_stop(source, targets, lambda g: _all(g, lambda a: a == 0))
        if op is None or op.type not in _FLAT:
            return _Finding(
                "fine",
                f"The gradient with respect to `{name}` is 0 at this input: a small change there "
                "does not change the result (as at the bottom of a valley).",
            )
        why = {
            "Sign": "the sign of a number does not change when the number changes by a little, so "
            "its slope is 0 everywhere",
            "Relu": "a ReLU is flat at and below 0, and every value that enters it here is",
        }.get(op.type, "it is flat here: a small change of its input does not change its output")
        return _Finding(
            "zero",
            f"{self._what(op)}: {why}.",
            "Use something with a slope (tf.tanh for a soft sign, another starting value or a leaky "
            "ReLU), or leave it out.",
            op.place,
        )

    def _untracked(
        self,
        targets: list[Any],
        gradients: list[tuple[str, Any, Any]],
        call: GradientCall | None,
    ) -> Explanation | None:
        """Find a tf.Variable that a Keras layer holds, uses and does not train."""
        if call is None and self.inputs:
            return None
        asked = {id(value) for _, value, _ in gradients}
        layers = [v for v in self.reachable.values() if isinstance(v, keras.Layer)]
        layers += [v for v in self.inputs if isinstance(v, keras.Layer)]
        for layer in layers:
            for path, variable in _plain_variables(layer):
                if call is not None and id(variable) in asked:
                    continue
                if not variable.trainable or not self._connected(targets, variable):
                    continue
                users = _path(self.recording, targets, variable)
                name = f"{layer.name}.{path}"
                return self._said(
                    _Finding(
                        "untracked_variable",
                        f"`{path}` is a tf.Variable. Keras 3 keeps account only of its own variables, "
                        f"so it is not in trainable_variables: no gradient is asked for it, and it "
                        "is never trained, without a word.",
                        "Make it with self.add_weight(...) (or keras.Variable) in the layer.",
                        users[0].place if users else None,
                    ),
                    name,
                    (),
                    f"No gradient is None, but `{name}` is missing among the sources.",
                )
        return None


# -- walking the recording


def _key(value: Any) -> int:
    """A variable is known by its handle, a tensor by itself."""
    return id(plain(value).handle) if is_variable(value) else id(value)


def _writes(op: Op) -> bool:
    return bool(op.inputs) and op.inputs[0].dtype == tf.resource and "Assign" in op.type or (
        op.type.startswith(("ResourceScatter", "ResourceApply"))
    )


def _input_keys(recording: Recording, op: Op) -> list[int]:
    """What an op reads: its inputs and the handles of variables; not the variable it writes to."""
    inputs = op.inputs[1:] if op.type == "AssignVariableOp" else op.inputs
    keys = [id(i) for i in inputs]
    for value in inputs:
        handle = recording.variable_read(value)
        if handle is not None:
            keys.append(handle)
    return keys


def _values_in(recording: Recording, op: Op) -> list[Any]:
    """An op's inputs and, where it reads a resource, what was written there before."""
    values = list(op.inputs)
    if _writes(op):
        return values
    for value in op.inputs:
        handle = value if value.dtype == tf.resource else None
        key = id(handle) if handle is not None else recording.variable_read(value)
        if key is not None:
            values += _written(recording, key, op.index)
    return values


def _written(recording: Recording, handle: int, before: int) -> list[Any]:
    found: list[Any] = []
    for op in recording.ops[:before]:
        if op.type not in _READS and any(id(i) == handle for i in op.inputs):
            if op.type == "AssignVariableOp":
                found = []
            found += [i for i in op.inputs if i.dtype != tf.resource]
    return found


def _writer(recording: Recording, op: Op, value: Any) -> Op | None:
    """Return the op that stored `value` where `op` read it; None if it is a plain input."""
    if any(value is i for i in op.inputs):
        return None
    return next((o for o in recording.ops if _writes(o) and any(i is value for i in o.inputs)), None)


def _dependent(recording: Recording, roots: Iterable[int]) -> set[int]:
    """Return the ids of all tensors (and handles) whose value comes from the roots."""
    found = set(roots)
    for op in recording.ops:
        if any(key in found for key in _input_keys(recording, op)):
            found.update(id(output) for output in op.outputs)
            if op.type not in _READS:
                found.update(id(i) for i in op.inputs if i.dtype == tf.resource)
    return found


def _needed(recording: Recording, targets: Iterable[Any]) -> set[int]:
    """Return the ids of all tensors (and handles) that the targets are computed from."""
    found = {_key(t) for t in targets}
    for op in reversed(recording.ops):
        outputs = any(id(o) in found for o in op.outputs)
        stored = op.type not in _READS and any(
            i.dtype == tf.resource and id(i) in found for i in op.inputs
        )
        if outputs or stored:
            found.update(_input_keys(recording, op))
    return found


def _path(recording: Recording, targets: Sequence[Any], source: Any) -> list[Op]:
    """Return the ops between the source and the targets, in the order they ran."""
    dependent = _dependent(recording, [_key(source)])
    needed = _needed(recording, targets)
    return [
        op
        for op in recording.ops
        if any(k in dependent and k in needed for k in _input_keys(recording, op))
        and (any(id(o) in needed for o in op.outputs) or _writes(op))
    ]


def _path_tensors(
    recording: Recording, targets: Sequence[Any], dependent: set[int]
) -> tuple[list[Any], list[Op]]:
    needed = _needed(recording, targets)
    path = [
        op
        for op in recording.ops
        if any(k in dependent for k in _input_keys(recording, op))
        and (any(id(o) in needed for o in op.outputs) or _writes(op))
    ]
    tensors = {
        id(t): t
        for op in path
        for t in (*_values_in(recording, op), *op.outputs)
        if differentiable(t.dtype) and _reachable_key(recording, t, dependent)
    }
    return list(tensors.values()), path


def _reachable_key(recording: Recording, tensor: Any, dependent: set[int]) -> bool:
    return id(tensor) in dependent or recording.variable_read(tensor) in dependent


def _group_out(path: Sequence[Op], op: Op) -> list[Any]:
    """Outputs of an op; for one inside a tf.custom_gradient call, those of the whole call."""
    if op.custom is None:
        return op.outputs
    return [o for other in path if other.custom is op.custom for o in other.outputs]


def _group_in(recording: Recording, path: Sequence[Op], op: Op) -> list[Any]:
    if op.custom is None:
        values = _values_in(recording, op)
        return values if len(values) == len(op.inputs) else [
            v for v in values if v.dtype != tf.resource
        ]
    inside = {id(o) for other in path if other.custom is op.custom for o in other.outputs}
    return [
        i
        for other in path
        if other.custom is op.custom
        for i in _values_in(recording, other)
        if id(i) not in inside
    ]


def _exit_key(recording: Recording, exit_: Exit) -> int:
    value = exit_.tensor
    if is_variable(value):
        return _key(value)
    handle = recording.variable_read(value)
    return handle if handle is not None else id(value)


# -- the learner's function and inputs


def reachable(f: Any, depth: int = 3) -> Iterator[tuple[str, Any]]:
    """Give the names and values of tensors, variables and Keras layers that `f` can reach.

    Looks at closures, the global names its code mentions, bound objects, partial arguments, and
    the functions found there.
    """
    seen: set[int] = set()

    def look(name: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
        if id(value) in seen or isinstance(value, (types.ModuleType, type)):
            return
        seen.add(id(value))
        if is_variable(value) or isinstance(value, EagerTensor):
            yield name, value
        elif isinstance(value, keras.Layer):
            yield name, value
            for variable in value.variables:
                yield f"{name}.{variable.path.partition('/')[2] or variable.path}", variable
            for path, variable in _plain_variables(value):
                yield f"{name}.{path}", variable
        elif depth > 0:
            for inner_name, inner in _parts(name, value):
                yield from look(inner_name, inner, depth - 1)

    if isinstance(f, keras.Layer):
        yield from look("model", f, depth)
    else:
        for name, value in _parts("", f):
            yield from look(name, value, depth)


def _parts(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, functools.partial):
        for i, part in enumerate(value.args):
            yield f"argument {i + 1}", part
        yield from value.keywords.items()
        yield "", value.func
        return
    if isinstance(value, types.MethodType):
        yield "self", value.__self__
        yield "", value.__func__
        return
    if hasattr(value, "python_function"):
        yield name, value.python_function
        return
    if isinstance(value, types.FunctionType):
        code = value.__code__
        for variable, cell in zip(code.co_freevars, value.__closure__ or (), strict=False):
            try:
                yield variable, cell.cell_contents
            except ValueError:  # a cell that is not filled yet
                continue
        names = set(code.co_names)
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                names |= set(constant.co_names)
        for used in sorted(names):
            if used in value.__globals__:
                yield used, value.__globals__[used]
        return
    if isinstance(value, dict):
        for key, part in list(value.items())[:200]:
            yield f"{name}[{key!r}]", part
    elif isinstance(value, (list, tuple)):
        for i, part in enumerate(value[:200]):
            yield f"{name}[{i}]", part
    elif hasattr(value, "__dict__") and not isinstance(value, np.ndarray):
        root = type(value).__module__.partition(".")[0]
        if root in ("tensorflow", "keras", "numpy"):
            return
        for key, part in list(vars(value).items())[:200]:
            yield f"{name}.{key}" if name else key, part
        if not name and callable(value):
            yield "", type(value).__call__


def _plain_variables(layer: Any) -> Iterator[tuple[str, Any]]:
    """Give the tf.Variables that a Keras layer or its sublayers hold as attributes."""
    own = {id(plain(v)) for v in layer.variables}
    seen = set()

    def look(path: str, value: Any) -> Iterator[tuple[str, Any]]:
        if id(value) in seen:
            return
        seen.add(id(value))
        if isinstance(value, tf.Variable):
            if id(value) not in own:
                yield path, value
        elif isinstance(value, keras.Layer):
            for name, part in vars(value).items():
                if not name.startswith("_"):
                    yield from look(f"{path}.{name}" if path else name, part)
        elif isinstance(value, (list, tuple)):
            for i, part in enumerate(value):
                yield from look(f"{path}[{i}]", part)
        elif isinstance(value, dict):
            for name, part in value.items():
                yield from look(f"{path}[{name!r}]", part)

    yield from look("", layer)


def to_tensors(value: Any) -> Any:
    """Return an input with its floats, float arrays and rows of numbers as tensors."""
    if isinstance(value, (bool, int, str, bytes)) or value is None:
        return value
    if isinstance(value, (float, complex)):
        return tf.constant(float(value) if isinstance(value, float) else complex(value))
    if isinstance(value, (np.ndarray, np.generic)):
        return tf.constant(value) if value.dtype.kind in "fc" else value
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        if value and _all_numbers(value):
            if any(isinstance(part, float) for part in _flat(value)):
                try:
                    return tf.constant(value, dtype=tf.float32)
                except (TypeError, ValueError):  # rows of different lengths
                    pass
            else:
                return value
        return type(value)(to_tensors(part) for part in value)
    if isinstance(value, dict):
        return {key: to_tensors(part) for key, part in value.items()}
    return value


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from _flat(part)
    else:
        yield value


def _all_numbers(value: Any) -> bool:
    return all(isinstance(part, (float, int)) and not isinstance(part, bool) for part in _flat(value))


def to_float32(value: Any) -> Any:
    """Return an input with float64 tensors as float32, the same object where there are none."""
    if isinstance(value, EagerTensor) and value.dtype == tf.float64:
        return tf.cast(value, tf.float32)
    if type(value) in (list, tuple):
        parts = type(value)(to_float32(part) for part in value)
        return parts if any(a is not b for a, b in zip(parts, value, strict=True)) else value
    return value


def named_inputs(f: Any, inputs: Sequence[Any]) -> list[tuple[str, Any]]:
    """Give each part of the inputs with the name it has in the learner's function."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names: list[str] = []
    for i in range(len(inputs)):
        parameter = parameters[min(i, len(parameters) - 1)] if parameters else None
        if parameter is None:
            names.append("x" if len(inputs) == 1 else f"input {i + 1}")
        elif parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            names.append(f"{parameter.name}[{i - parameters.index(parameter)}]")
        else:
            names.append(parameter.name)
    found: list[tuple[str, Any]] = []

    def look(name: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, part in value.items():
                look(f"{name}[{key!r}]", part)
        elif isinstance(value, (list, tuple)):
            for i, part in enumerate(value):
                look(f"{name}[{i}]", part)
        else:
            found.append((name, value))

    for name, value in zip(names, inputs, strict=True):
        look(name, value)
    return found


def _loads(code: types.CodeType, name: str) -> Iterator[Place]:
    for instruction in dis.get_instructions(code):
        value = instruction.argval
        if instruction.opname.startswith("LOAD_") and (
            value == name or (isinstance(value, tuple) and name in value)
        ):
            yield Place(code, instruction.offset)


# -- small helpers


def _tensors(value: Any) -> list[Any]:
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


def _has_none(call: GradientCall) -> bool:
    return any(part is None for part in tf.nest.flatten(call.result))


def _own_cast(op: Op) -> bool:
    return bool(op.place and op.place.expression and "cast" in op.place.expression)


def _output_type(op: Op) -> str:
    return op.outputs[0].dtype.name if op.outputs else "whole numbers"


def _array(gradient: Any) -> np.ndarray:
    value = gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient
    return np.asarray(value)


def _all(gradient: Any, test: Callable[[Any], Any]) -> bool:
    return gradient is not None and bool(np.all(test(_array(gradient))))


def _any(gradient: Any, test: Callable[[Any], Any]) -> bool:
    return gradient is not None and bool(np.any(test(_array(gradient))))


def _size(gradient: Any) -> int:
    return int(_array(gradient).size)


def _short(gradient: Any) -> str:
    array = _array(gradient)
    if array.ndim == 0:
        return f"{array.item():.4g}" if array.dtype.kind == "f" else str(array.item())
    return f"shape {array.shape}"


def _described(value: Any) -> str:
    if isinstance(value, EagerTensor) or is_variable(value):
        return "a tensor, the result of a call"
    if isinstance(value, np.ndarray):
        return "a NumPy array"
    if isinstance(value, (int, float, str, np.generic)):
        return f"{value!r}"[:60] if not isinstance(value, np.generic) else "a NumPy number"
    return f"a {type(value).__name__}"


def _function_name(f: Any) -> str:
    if isinstance(f, functools.partial):
        return _function_name(f.func)
    name = getattr(f, "__name__", type(f).__name__)
    return "The function" if name == "<lambda>" else name


def _a_little(value: np.ndarray) -> Any:
    return _moved(value, 1e-2, 0.011)


def _a_lot(value: np.ndarray) -> Any:
    return _moved(value, 0.7, 1.77)


def _moved(value: np.ndarray, scale: float, shift: float) -> Any:
    value = np.asarray(value)
    if value.dtype.kind == "b":
        return ~value
    if value.dtype.kind in "iu":
        return (value + 1).astype(value.dtype)
    if value.dtype.kind in "fc":
        return (value + np.abs(value) * scale + shift).astype(value.dtype)
    return value
