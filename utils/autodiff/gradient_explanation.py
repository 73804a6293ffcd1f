"""Why a gradient is None: the cause in the learner's own code, in words."""

from __future__ import annotations

import functools
import re
import types
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from utils.autodiff.explanation import Explanation, Finding
from utils.autodiff.gradient_breaks import find_break, flow_stop, no_registered_gradient
from utils.autodiff.gradient_causes import numpy_function, quoted
from utils.autodiff.learner_inputs import (
    loads,
    named_inputs,
    plain_variables,
    reachable,
    to_float32,
    to_tensors,
)
from utils.autodiff.recorded_paths import (
    dependent_on,
    exit_key,
    input_keys,
    key_of,
    needed_for,
    path_between,
)
from utils.autodiff.tape_causes import replaced, why_tape
from utils.autodiff.tape_recording import (
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
from utils.errors import CourseError

_FLAT = {
    *("Sign", "Relu", "Relu6", "Maximum", "Minimum", "ClipByValue", "SelectV2", "Select"),
    *("Elu", "LeakyRelu", "Max", "Min", "Abs"),
}
_NUMPY_TO_TF = {
    **{"sum": "tf.reduce_sum", "mean": "tf.reduce_mean", "max": "tf.reduce_max"},
    **{
        "min": "tf.reduce_min",
        "prod": "tf.reduce_prod",
        "log": "tf.math.log",
        "dot": "tf.tensordot",
    },
    **{"power": "tf.pow", "absolute": "tf.abs", "amax": "tf.reduce_max", "amin": "tf.reduce_min"},
    **{"var": "tf.math.reduce_variance", "std": "tf.math.reduce_std", "array": "tf.stack"},
    **{"concatenate": "tf.concat", "float_power": "tf.pow", "add": "+", "multiply": "*"},
}


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
            watch=[
                value for value in watch if is_variable(value) or isinstance(value, EagerTensor)
            ],
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
                Finding(
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
                no_registered_gradient(self.recording, error),
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
    ) -> Finding:
        if finding := self._no_number(source, name):
            return finding
        recording = self.recording
        if not targets:
            return Finding(
                "no_tensor",
                "What you differentiate is not a tensor.",
                "Give tape.gradient the tensor that was computed inside the tape.",
                call.places[0] if call.places else None,
            )
        connected = self._connected(targets, source)
        if connected is None:
            return no_registered_gradient(self.recording, self._lookup_error)
        if not connected:
            finding = self._rebound(call, targets, source, name) or self._why(
                targets, source, name, call
            )
            unseen = id(source) not in recording.watched and id(source) not in recording.producer
            if is_variable(source) or not unseen or finding.cause != "no_gradient":
                return finding  # else not even our tape could watch it before it was used
        return why_tape(recording, call, targets, source, name)

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
    ) -> Finding | None:
        """Find out whether the name stood for something else while the target was computed."""
        recording = self.recording
        if name not in recording.bound:
            return None
        needed = needed_for(recording, targets)
        key = key_of(source)
        if key in needed:
            return None
        for other in recording.bound[name]:
            variable = next((v for v in recording.variables.values() if id(v) == other), None)
            other_key = id(variable.handle) if variable is not None else other
            if other_key in needed and other not in (id(source), key):
                if call is None:
                    return Finding(
                        "rebound",
                        f"The name `{name}` is given a new value, and the result is computed from "
                        "that one: your input takes no part.",
                        f"Use another name for the new value, or compute it from `{name}`.",
                        self._first_place(other),
                    )
                return replaced(self.recording, source, name, call)
        return None

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
                recording.plain_tape.gradient(floats, [v for v in usable])
                if floats and usable
                else []
            )
        except LookupError as error:
            return self._said(
                no_registered_gradient(self.recording, error),
                what="The gradient is not None: asking for it raises a LookupError.",
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

    def _why_in_function(self, targets: list[Any], source: Any, name: str) -> Finding:
        if finding := self._no_number(source, name):
            return finding
        connected = self._connected(targets, source)
        if connected is None:
            return no_registered_gradient(self.recording, self._lookup_error)
        if connected:
            path = path_between(self.recording, targets, source)
            if is_variable(source):
                return Finding(
                    "not_trainable",
                    f"`{name}` was made with trainable=False, and a tape watches only trainable "
                    "variables by itself.",
                    f"Call tape.watch({name}) before it is used, or make it trainable.",
                    path[0].place if path else None,
                )
            return Finding(
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
            raise CourseError(
                f"{name} returned None: end it with `return` and the tensor to differentiate."
            )
        for _, source in sources:
            dependent = dependent_on(self.recording, [key_of(source)])
            for exit_ in self.recording.exits:
                if exit_key(self.recording, exit_) in dependent:
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

    def _no_number(self, source: Any, name: str) -> Finding | None:
        dtype = getattr(source, "dtype", None)
        if not isinstance(dtype, tf.DType) or differentiable(dtype):
            return None
        kind = "string" if dtype == tf.string else "integer"
        what = "variable" if is_variable(source) else "tensor"
        first = next(
            (o for o in self.recording.ops if key_of(source) in input_keys(self.recording, o)), None
        )
        made = self.recording.made.get(id(source)) or next(
            (
                o.place
                for o in self.recording.ops
                if o.type == "VarHandleOp" and id(o.outputs[0]) == key_of(source)
            ),
            None,
        )
        return Finding(
            kind,
            f"`{name}` is a {what} of {dtype.name}. Only floating-point numbers can change by a "
            "little, so only they have a gradient."
            + (" TensorFlow does not warn of it." if is_variable(source) else ""),
            "Make it a float: 3.0 instead of 3, or dtype=tf.float32."
            if kind == "integer"
            else "Differentiate with respect to numbers, not text.",
            made or (first.place if first else None),
        )

    def _why(
        self, targets: list[Any], source: Any, name: str, call: GradientCall | None
    ) -> Finding:
        """Explain a gradient that even a tape that watches everything does not find."""
        recording = self.recording
        dependent = dependent_on(recording, [key_of(source)])
        stop: Finding | None = None
        if any(key_of(t) in dependent for t in targets):
            stop = find_break(self.recording, targets, source, name, dependent)
            if stop is not None and stop.cause != "only_shape":
                return stop
        return (
            self._exit(targets, source, name, dependent, call)
            or stop
            or self._other_door(source, name, call)
            or self._unconnected(targets, source, name, dependent)
        )

    # -- values that leave TensorFlow

    def _exit(
        self,
        targets: list[Any],
        source: Any,
        name: str,
        dependent: set[int],
        call: GradientCall | None,
    ) -> Finding | None:
        groups: dict[Any, list[Exit]] = {}
        for exit_ in self.recording.exits:
            if exit_key(self.recording, exit_) in dependent:
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
            for change in (_a_little, _a_lot, _in_another_order):
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

    def _left(self, exit_: Exit, name: str) -> Finding:
        place = exit_.places[0] if exit_.places else None
        shown = self._display(exit_.tensor) or name
        expression = place.expression if place else None
        said = f"`{expression}`" if expression and len(expression) <= 60 else "This line"
        if exit_.through == "numpy_function":
            return numpy_function(place)
        if exit_.kind == "__bool__":
            unused = self._unexecuted(name)
            more = (
                f" The branch that uses it (line {unused.lineno}) was not taken." if unused else ""
            )
            return Finding(
                "condition",
                f"`{name}` only decides which way Python goes ({said}); its value does not enter "
                f"the result, and a decision has no gradient.{more}",
                f"Let `{name}` itself enter the result in the branch that is taken, or use a "
                "smooth switch such as tf.sigmoid.",
                place,
            )
        if exit_.kind.startswith("np."):
            function = exit_.kind[3:]
            instead = _NUMPY_TO_TF.get(function)
            if instead is None:
                module = (
                    "tf"
                    if hasattr(tf, function)
                    else "tf.math"
                    if hasattr(tf.math, function)
                    else ""
                )
                instead = f"{module}.{function}" if module else ""
            mend = f"Use `{instead}` instead" if instead else "Use TensorFlow's own ops instead"
            return Finding(
                "numpy",
                f"{said} leaves TensorFlow: {exit_.kind} computes in NumPy, which no tape can see. "
                "What comes back is a constant.",
                f"{mend}, and keep tensors until the gradient is taken.",
                place,
            )
        if exit_.kind in ("numpy", "__array__"):
            return Finding(
                "numpy",
                f"{said} leaves TensorFlow: it makes a NumPy value of `{shown}`, and a tape "
                "follows only tensors. What is computed from it is a constant to the tape.",
                f"Leave out the conversion and compute with the tensor `{shown}` itself, with "
                "TensorFlow's ops.",
                place,
            )
        number = {"__format__": "text", "__float__": "a Python number", "__int__": "a Python int"}
        return Finding(
            "text" if exit_.kind == "__format__" else "python_number",
            f"{said} leaves TensorFlow: it makes {number.get(exit_.kind, 'a Python number')} of "
            f"`{shown}`, and a tape follows only tensors.",
            f"Compute with the tensor `{shown}` itself: leave out the conversion, and use tf.sin "
            "and its like in place of Python's math.",
            place,
        )

    def _other_door(self, source: Any, name: str, call: GradientCall | None) -> Finding | None:
        """Change the source itself: does the target move although nothing recorded links them?"""
        base = self._outcome(self.recording, call)
        for change in (_a_little, _a_lot, _in_another_order):
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
            if not agree(
                base, self._outcome(self._record(replay=self.recording, trace=False), call)
            ):
                return None
            place = self._reentry(changed)
            return Finding(
                "left_tensorflow",
                f"The result changes with `{name}`, but no recorded op links the two: on the way "
                "the value leaves TensorFlow and comes back as a constant, here at the latest.",
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
    ) -> Finding:
        unused = self._unexecuted(name)
        users = [o for o in self.recording.ops if key_of(source) in input_keys(self.recording, o)]
        if not users and unused is not None:
            return Finding(
                "branch_not_taken",
                f"`{name}` is used only in a branch that did not run this time, and a tape records "
                "only what runs.",
                f"Nothing to mend if that is meant: for this input the result does not depend "
                f"on `{name}`. For zeros instead of None: unconnected_gradients='zero'.",
                unused,
            )
        if users:
            return Finding(
                "unconnected",
                f"`{name}` is used, but what is computed from it never reaches the result that is "
                "differentiated.",
                f"Check that the result is computed from it, or leave `{name}` out of the sources.",
                next((o.place for o in users if o.place), None),
            )
        return Finding(
            "unconnected",
            f"The result is not computed from `{name}`: it takes no part in the computation.",
            f"Check the name: is `{name}` what you meant, and does the result use it?",
            self._first_place(key_of(targets[0])) if targets else None,
        )

    def _unexecuted(self, name: str) -> Place | None:
        """Return an instruction that would have used the name, but did not run."""
        root = re.split(r"[.\[]", name)[0]
        for code, executed in self.recording.executed.items():
            ran = {Place(code, offset).lineno for offset in executed}
            for place in loads(code, root):
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
    def _also(names: list[str], none: list[int], findings: list[Finding]) -> list[str]:
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
            notes.append(
                f"With respect to {shown} the gradient{'s' * (len(fine) > 1)} {verb} there."
            )
        return notes

    def _said(
        self,
        finding: Finding,
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
                what = (
                    f"{none} of {of} gradients "
                    + ("is" if none == 1 else "are")
                    + (
                        f" None: the one with respect to `{name}`"
                        + (" first." if none > 1 else ".")
                    )
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
                    f"The gradient with respect to `{name}` is an IndexedSlices: only the rows "
                    "that were looked up, with their numbers; tf.convert_to_tensor makes it full."
                )
            elif _any(gradient, lambda a: ~np.isfinite(a)):
                return self._not_finite(name, source, gradient, targets, notes)
        zero = [(n, s, g) for n, s, g in gradients if _size(g) and _all(g, lambda a: a == 0)]
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
        names = ", ".join(f"`{n}`" for n, _, _ in gradients[:6]) + (
            " ..." if len(gradients) > 6 else ""
        )
        what = (
            f"The gradient with respect to {names} is fine: it is not None."
            if gradients
            else ("No gradient was asked for: the list of sources is empty.")
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
            mend=""
            if gradients
            else "Name the variables: a frozen model has no trainable_variables.",
            source=gradients[0][0] if gradients else None,
            notes=(*(("; ".join(shown) + ".",) if shown else ()), *notes),
        )

    def _not_finite(
        self, name: str, source: Any, gradient: Any, targets: list[Any], notes: Sequence[str]
    ) -> Explanation:
        op = flow_stop(
            self.recording, source, targets, lambda g: _any(g, lambda a: ~np.isfinite(a))
        )
        shown = f" {quoted(op)} is to blame: its slope has no finite value here." if op else ""
        return self._said(
            Finding(
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

    def _zero(self, gradient: tuple[str, Any, Any], targets: list[Any]) -> Finding:
        name, source, _ = gradient
        op = flow_stop(self.recording, source, targets, lambda g: _all(g, lambda a: a == 0))
        if op is None or op.type not in _FLAT:
            return Finding(
                "fine",
                f"The gradient with respect to `{name}` is 0 at this input: a small change there "
                "does not change the result (as at the bottom of a valley).",
            )
        why = {
            "Sign": "the sign of a number does not change when the number changes by a little, so "
            "its slope is 0 everywhere",
            "Relu": "a ReLU is flat at and below 0, and every value that enters it here is",
        }.get(op.type, "it is flat here: a small change of its input does not change its output")
        return Finding(
            "zero",
            f"{quoted(op)}: {why}.",
            "Use something with a slope (tf.tanh for a soft sign, another starting value or a "
            "leaky ReLU), or leave it out.",
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
            for path, variable in plain_variables(layer):
                if call is not None and id(variable) in asked:
                    continue
                if not variable.trainable or not self._connected(targets, variable):
                    continue
                users = path_between(self.recording, targets, variable)
                name = f"{layer.name}.{path}"
                return self._said(
                    Finding(
                        "untracked_variable",
                        f"`{path}` is a tf.Variable. Keras 3 keeps account only of its own "
                        "variables: it is not in trainable_variables, no gradient is asked for it, "
                        "and it is never trained, without a word.",
                        "Make it with self.add_weight(...) (or keras.Variable) in the layer.",
                        users[0].place if users else None,
                    ),
                    name,
                    (),
                    f"No gradient is None, but `{name}` is missing among the sources.",
                )
        return None


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


def _in_another_order(value: np.ndarray) -> Any:
    """Change which element is the largest: positions depend on nothing else."""
    value = np.asarray(value)
    return np.roll(value, 1) if value.ndim else _moved(value, -3.0, -2.3)


def _moved(value: np.ndarray, scale: float, shift: float) -> Any:
    value = np.asarray(value)
    if value.dtype.kind == "b":
        return ~value
    if value.dtype.kind in "iu":
        return (value + 1).astype(value.dtype)
    if value.dtype.kind in "fc":
        return (value + np.abs(value) * scale + shift).astype(value.dtype)
    return value
