"""Why a gradient is None: the cause in the learner's own code, in words."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from utils.autodiff.breaks import find_break, further, no_registered_gradient
from utils.autodiff.cause_in_tape import (
    never_opened,
    replaced,
    swapped,
    unwatched,
    what_assign_returned,
    why_tape,
)
from utils.autodiff.cause_no_tensor import described, no_tensor
from utils.autodiff.cause_unused import constant_derivative, place_of, unconnected
from utils.autodiff.dependencies import (
    dependent_on,
    earlier_steps,
    exit_key,
    input_keys,
    is_index,
    key_of,
    needed_for,
    path_between,
)
from utils.autodiff.exits import find_exit, how_it_left, other_door
from utils.autodiff.explanation import Explanation, Finding, notes_on_others, said
from utils.autodiff.learner_inputs import (
    function_name,
    named_inputs,
)
from utils.autodiff.lost_parts import incomplete
from utils.autodiff.present_gradients import all_of, explain_values, no_sources, untracked_variable
from utils.autodiff.recording import (
    EagerTensor,
    GradientCall,
    Op,
    Recording,
    differentiable,
    is_variable,
    plain,
    tensors_in,
)
from utils.autodiff.trial import Trial
from utils.errors import CourseError

_OF_WATCHING = (
    *("constant_not_watched", "not_watched", "not_trainable", "watch_too_late", "reset"),
    *("variable_replaced", "variable_copy", "unconnected", "outside_tape", "branch_not_taken"),
)


def explain_none(f: Callable[..., Any], *inputs: Any) -> Explanation:
    """Say why a gradient is None, or that it is not, for `f(*inputs)`.

    `f` is the function to differentiate with respect to its inputs (without inputs: with respect
    to the variables it uses), or a function that holds its own tapes and returns the gradient.
    Python floats become float32 tensors.

    `f` runs once, and again where a value may have left TensorFlow on the way: with printing
    switched off, the same random numbers, and every variable put back to its value afterwards.
    Lists and files that `f` changes are not put back. An exception of `f` passes through, unless it
    comes of a gradient that is None.

    Raises CourseError where `f` cannot be called, returns nothing that has a gradient, or asks
    tf.gradients for it.
    """
    if not callable(f):
        raise CourseError(
            f"explain_none needs the function itself, but was given {described(f)}: write "
            "explain_none(f, x), not explain_none(f(x))."
        )
    return _Inquiry(f, inputs).explain()


class _Inquiry(Trial):
    def explain(self) -> Explanation:
        recording = self.recording
        missing = [call for call in recording.calls if call.error is None and _has_none(call)]
        if recording.error is not None:
            failed = next((c for c in recording.calls if c.error is recording.error), None)
            if failed is not None and not (missing and failed.target is None):
                return self._failed_call(failed)
            if not missing and "tf.gradients" in str(recording.error):
                raise CourseError(
                    "explain_none runs a tf.function op by op, where tf.gradients cannot be asked: "
                    "use a tf.GradientTape in its place."
                ) from recording.error
            if not missing:
                raise recording.error
        if missing:
            return self._explain_call(missing[-1])
        if not recording.calls:
            return self._explain_function()
        last_of_each_line = {call.places[:1]: call for call in recording.calls}
        calls = sorted(last_of_each_line.values(), key=lambda call: call.index, reverse=True)
        last = self._explain_call(calls[0])
        if last.cause != "fine":
            return last
        others = (self._explain_call(call) for call in calls[1:])
        incomplete_one = next((other for other in others if other.cause == "incomplete"), None)
        return incomplete_one or self._explain_inputs_apart() or last

    def _explain_inputs_apart(self) -> Explanation | None:
        """Explain a gradient of None with respect to inputs that no tape of `f` is asked about.

        None where there is no such input, or where `f` returns what its tapes answered.
        """
        recording = self.recording
        results = {id(part) for part in tf.nest.flatten(recording.result)}
        asked = set()
        for call in recording.calls:
            asked |= {key_of(source) for source in tf.nest.flatten(call.sources)}
            if results & {id(part) for part in tf.nest.flatten(call.result)}:
                return None
        apart = [(name, value) for name, value in self.sources if key_of(value) not in asked]
        if not apart or not tensors_in(recording.result):
            return None
        self.sources = apart
        explanation = self._explain_function()
        return explanation if explanation.cause != "fine" else None

    # -- a function that holds its own tape

    def _failed_call(self, call: GradientCall) -> Explanation:
        error = call.error
        place = call.places[0] if call.places else None
        if isinstance(error, RuntimeError) and "persistent" in str(error):
            if not any(
                e.kind == "enter" and e.tape == id(call.tape) for e in self.recording.events
            ):
                return said(
                    never_opened(self.recording, call),
                    what="The gradient is not None: the call raises a RuntimeError.",
                )
            return said(
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
            return said(
                no_registered_gradient(self.recording, error),
                what="The gradient is not None: the call raises a LookupError.",
            )
        if explanation := no_tensor(self, call):
            return explanation
        assert error is not None
        raise error

    def _explain_call(self, call: GradientCall) -> Explanation:
        targets = tensors_in(call.target)
        if not targets and (explanation := no_tensor(self, call)):
            return explanation
        sources = tf.nest.flatten(call.sources)
        results = tf.nest.flatten(call.result)
        names = [
            self.source_name(source, i, len(sources), call) for i, source in enumerate(sources)
        ]
        hidden = []
        if call.zeros or call.method == "batch_jacobian":  # which gives zeros unasked
            hidden = [
                i
                for i, source in enumerate(sources)
                if all_of(results[i], lambda a: a == 0)
                and self._connected(targets, source) is False
            ]
        none = [i for i, result in enumerate(results) if result is None] or hidden
        if not none:
            return self._fine(
                list(zip(names, [plain(s) for s in sources], results, strict=False)), targets, call
            )
        findings = [self._why_in_call(call, targets, plain(sources[i]), names[i]) for i in none]
        first = plain(sources[none[0]])
        if findings[0].cause not in _OF_WATCHING:
            more = unwatched(recording=self.recording, call=call, source=first, name=names[none[0]])
            findings[0] = replace(findings[0], also=(*findings[0].also, *more))
        notes = notes_on_others(names, none, findings)
        what = self._zeros_instead(names[none[0]], lambda whole: _answer(whole, call, none[0]))
        if hidden and none == hidden:
            because = (
                "you asked for zeros in place of None (unconnected_gradients)"
                if call.zeros
                else "batch_jacobian gives zeros in place of None"
            )
            what = f"The gradient with respect to `{names[none[0]]}` is 0 only because {because}."
        return said(findings[0], names[none[0]], notes, what, len(none), len(sources))

    def _why_in_call(
        self, call: GradientCall, targets: list[Any], source: Any, name: str
    ) -> Finding:
        if finding := self._no_number(source, name, targets):
            return finding
        recording = self.recording
        if finding := what_assign_returned(recording, source, name):
            return finding
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
        given = [plain(t) for t in tf.nest.flatten(call.target)]
        if not connected and needed_for(recording, [source]) & {key_of(t) for t in given}:
            return swapped(call, name)
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
        codes = [each.code for each in call.places] if call else list(recording.executed)[:1]
        bound = recording.bound_to(name, codes)
        needed = needed_for(recording, targets)
        key = key_of(source)
        if key in needed:
            return None
        for other in bound:
            variable = next((v for v in recording.variables.values() if id(v) == other), None)
            other_key = id(variable.handle) if variable is not None else other
            if other_key in needed and other not in (id(source), key):
                if call is None:
                    return Finding(
                        "rebound",
                        f"The name `{name}` is given a new value, and the result is computed from "
                        "that one: your input takes no part.",
                        f"Use another name for the new value, or compute it from `{name}`.",
                        place_of(self.recording, other),
                    )
                return replaced(self.recording, source, name, call, bound)
        return None

    # -- the function to differentiate

    def _explain_function(self) -> Explanation:
        recording = self.recording
        targets = tensors_in(recording.result)
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
            return said(
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
        notes += notes_on_others(names, none, findings)
        if self.shown is not self.f and self._whole and self._whole.error:
            notes.append(f"Called as a tf.function it ends in {type(self._whole.error).__name__}.")
        first = values[none[0]]
        what = self._zeros_instead(
            names[none[0]],
            lambda whole: (
                whole.gradients(tensors_in(whole.result), [first])[0]
                if differentiable(first.dtype)
                else None
            ),
        )
        return said(findings[0], names[none[0]], notes, what, len(none), len(values))

    @functools.cached_property
    def _whole(self) -> Recording | None:
        """The code as it stands, if TensorFlow runs as one what was recorded op by op."""
        if not self.recording.opened:
            return None
        return self.record(f=self.shown, replay=self.recording, trace=False, graph=True)

    def _zeros_instead(self, name: str, answer: Callable[[Recording], Any]) -> str | None:
        """Say so if the code as it stands gives zeros where, op by op, its gradient is None.

        `answer` finds the gradient in a recording; None where it is not there.
        """
        whole = self._whole
        if whole is None or whole.error is not None or not all_of(answer(whole), lambda a: a == 0):
            return None
        doors = " or ".join(sorted(self.recording.opened))
        return (
            f"The gradient with respect to `{name}` is 0 in place of None: {doors} answers with "
            "zeros where no gradient comes through."
        )

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
        found = [(self.variable_name(v), v) for v in used]
        tracked = {id(v) for v in used}
        for name, value in self.reachable.items():
            if is_variable(value) and id(plain(value)) not in tracked:
                tracked.add(id(plain(value)))
                found.append((name, plain(value)))
        if not any(v.trainable for _, v in found):
            found += [(n, v) for n, v in self.reachable.items() if isinstance(v, EagerTensor)]
        if not found:
            raise CourseError(
                f"{function_name(self.f) or 'The function'} was given no input and uses no "
                "variable: there is nothing to differentiate with respect to; give explain_none "
                "the inputs too."
            )
        return found

    def _why_in_function(self, targets: list[Any], source: Any, name: str) -> Finding:
        if finding := self._no_number(source, name, targets):
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
        name = function_name(self.f) or "The function"
        if result is None:
            raise CourseError(
                f"{name} returned None: end it with `return` and the tensor to differentiate."
            )
        for _, source in sources:
            dependent = dependent_on(self.recording, [key_of(source)])
            for exit_ in self.recording.exits:
                if exit_key(self.recording, exit_) in dependent:
                    finding = how_it_left(self, exit_, self.display(exit_.tensor))
                    return said(
                        finding,
                        what=f"{name} returns {described(result)}, not a tensor: there is no "
                        "gradient of it.",
                    )
        if self.inputs and not self.sources and sources:
            first, value = named_inputs(self.f, self.inputs)[0]
            return said(
                Finding(
                    "integer",
                    f"`{first}` is {value!r}, no tensor, and no floating-point number: the "
                    "whole computation runs in Python, where no tape sees it.",
                    "Give a floating-point number: 3.0 instead of 3 (it becomes a tensor).",
                ),
                first,
                what=f"{name} returns {described(result)}, not a tensor: there is no gradient "
                "of it.",
            )
        raise CourseError(
            f"{name} returned {described(result)}, which is not a tensor: let it return a tensor "
            "that TensorFlow computed."
        )

    # -- causes that both share

    def _no_number(self, source: Any, name: str, targets: list[Any]) -> Finding | None:
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
            if kind == "integer" and not is_index(self.recording, source)
            else "An index needs no gradient: ask for that of the table or weights it looks up."
            if kind == "integer"
            else "Differentiate with respect to numbers, not text.",
            made or (first.place if first else None),
            further(self.recording, targets, self._first_float(source), name),
        )

    def _first_float(self, source: Any) -> Any:
        dependent = dependent_on(self.recording, [key_of(source)])
        outputs = (o for op in self.recording.ops for o in op.outputs if id(o) in dependent)
        return next((o for o in outputs if differentiable(o.dtype)), source)

    def _why(
        self, targets: list[Any], source: Any, name: str, call: GradientCall | None
    ) -> Finding:
        """Explain a gradient that even a tape that watches everything does not find."""
        recording = self.recording
        steps = earlier_steps(recording, call)
        dependent = dependent_on(recording, [key_of(source)], without=steps)
        stop: Finding | None = None
        if any(key_of(t) in dependent for t in targets):
            stop = find_break(self.recording, targets, source, name, dependent)
            if stop is not None and stop.cause != "only_shape":
                return stop
        return (
            find_exit(self, targets, source, name, dependent, call)
            or (call and constant_derivative(recording, call, targets, source, name))
            or stop
            or other_door(self, source, name, call)
            or unconnected(recording, targets, source, name, call)
        )

    # -- nothing is None

    def _fine(
        self,
        gradients: list[tuple[str, Any, Any]],
        targets: list[Any],
        call: GradientCall | None,
        notes: Sequence[str] = (),
    ) -> Explanation:
        recording = self.recording
        if call is not None or not self.inputs:
            layers = [v for v in self.reachable.values() if isinstance(v, keras.Layer)]
            layers += [v for v in self.inputs if isinstance(v, keras.Layer)]
            layers += sorted(
                recording.layers.values(), key=lambda v: not isinstance(v, keras.Model)
            )
            asked = {id(v) for _, v, _ in gradients} if call is not None else set()
            if untracked := untracked_variable(recording, targets, layers, asked):
                return untracked
            if not gradients:
                return no_sources(call.places[0] if call and call.places else None, layers)
        explanation = explain_values(recording, gradients, targets, notes)
        if explanation.cause != "fine":
            return explanation
        sources = [(name, source) for name, source, _ in gradients]
        return incomplete(self, sources, targets, call, explanation) or explanation


def _has_none(call: GradientCall) -> bool:
    return any(part is None for part in tf.nest.flatten(call.result))


def _answer(recording: Recording, call: GradientCall, index: int) -> Any:
    """Return what the same call of gradient gave in another run, for one of its sources."""
    if call.index >= len(recording.calls):
        return None
    return tf.nest.flatten(recording.calls[call.index].result)[index]


def _own_cast(op: Op) -> bool:
    return bool(op.place and op.place.expression and "cast" in op.place.expression)
