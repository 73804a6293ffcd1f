"""Gradients that are there, but of a part of the computation only: the rest left on the way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from utils.autodiff.breaks import find_break
from utils.autodiff.cause_in_op import blocked
from utils.autodiff.cause_in_tape import lost_steps, unseen
from utils.autodiff.dependencies import (
    READS,
    dependent_on,
    exit_key,
    input_keys,
    key_of,
    path_between,
    writes_state,
)
from utils.autodiff.exits import as_far, how_it_left, sites
from utils.autodiff.explanation import Explanation, Finding, said
from utils.autodiff.recording import (
    Exit,
    GradientCall,
    Op,
    Place,
    Recording,
    agree,
    array_of,
    differentiable,
    numbers,
    plain,
    tensors_in,
)
from utils.autodiff.trial import Trial

_WHOLE = ("__bool__", "__int__", "__index__")  # decisions and counts have no slope to lose
_SMOOTH = ("state", "variable_copy", "text", "dataset", "custom_gradient")
_MISSING = "The part of the slope that comes by this way is missing."


def incomplete(
    trial: Trial,
    sources: Sequence[tuple[str, Any]],
    targets: list[Any],
    call: GradientCall | None,
    fine: Explanation,
) -> Explanation | None:
    """Find a part of the slope that is missing from gradients which are not None."""
    recording = trial.recording
    found = _left(trial, sources, call)
    for name, source in sources:
        if name not in found or found[name].cause == "fine":
            finding = _blocked(recording, targets, source, name, call)
            if call is not None and (finding is None or finding.cause == "fine"):
                finding = _unseen(recording, call, targets, source, name) or finding
            if finding is not None:
                found[name] = finding
    lost = [name for name, _ in sources if name in found and found[name].cause != "fine"]
    for name in (lost or list(found))[:1]:
        finding = replace(found[name], why=f"{found[name].why} {_MISSING}")
        if not lost:
            what = f"The gradient with respect to `{name}` is fine, not None; a part is held back."
            return said(finding, name, fine.notes, what)
        return said(
            replace(finding, cause="incomplete"),
            name,
            (*fine.notes[:1], *_others(found, lost)),  # the values; not that a 0 would be right
            f"The gradient with respect to `{name}` is not None, but incomplete.",
        )
    return None


def _others(found: dict[str, Finding], lost: Sequence[str]) -> Iterable[str]:
    """Name the other sources whose gradients are incomplete, line by line."""
    lines: dict[Any, list[str]] = {}
    for name in lost[1:]:
        place = found[name].place
        lines.setdefault(place and place.lineno, []).append(f"`{name}`")
    for line, names in lines.items():
        verb = "is" if len(names) == 1 else "are"
        yield f"{', '.join(names)} {verb} incomplete too" + (f" (line {line})." if line else ".")


# -- values that left TensorFlow


def _left(
    trial: Trial, sources: Sequence[tuple[str, Any]], call: GradientCall | None
) -> dict[str, Finding]:
    """Find values that came from a source, left TensorFlow, and move the result smoothly."""
    recording = trial.recording
    smooth = [
        (exit_, exit_key(recording, exit_))
        for exit_ in recording.exits
        if exit_.kind not in _WHOLE and not exit_.custom and differentiable(exit_.tensor.dtype)
    ]
    names: dict[int, list[str]] = {}
    for name, source in sources if smooth else ():
        stored = _stored_at(recording, call, source)
        dependent = dependent_on(recording, [key_of(source)], since=stored)
        for exit_, key in smooth:
            used = call is None or exit_.op_index <= call.first_op
            if key in dependent and used and stored <= exit_.op_index:
                if _smoothly(recording, exit_.tensor, source, name, dependent):
                    names.setdefault(exit_.index, []).append(name)
    found: dict[str, Finding] = {}
    base = _outcome(recording, call)
    if not names or not agree(base, _outcome(trial.record(replay=recording, trace=False), call)):
        return found
    for group in sites([e for e in recording.exits if e.index in names])[:16]:
        new = [n for e in group for n in names[e.index] if n not in found]
        if new and _has_slope(trial, group, base, call):
            for name in new:
                found[name] = how_it_left(trial, group[0], name)
                if call is not None and id(call.tape) not in group[-1].tapes:
                    if _before(recording, group[-1].op_index - 1, call):
                        found[name] = _held_constant(group[-1].places[0])
    return found


def _smoothly(
    recording: Recording, tensor: Any, source: Any, name: str, dependent: set[int]
) -> bool:
    """Tell whether a value has a slope in the source, or had one until a variable's memory."""
    if _connected(recording, [tensor], source):
        return True
    stop = find_break(recording, [tensor], source, name, dependent)
    return stop is None or stop.cause in _SMOOTH


def _outcome(recording: Recording, call: GradientCall | None) -> list[Any]:
    """Return the numbers in the tensors that are differentiated, not those returned beside them."""
    if call is None:
        return numbers(tensors_in(recording.result))
    reached = call.index < len(recording.calls)
    return numbers(tensors_in(recording.calls[call.index].target)) if reached else []


def _has_slope(
    trial: Trial, group: Sequence[Exit], base: list[Any], call: GradientCall | None
) -> bool:
    """Tell a slope from a jump: half the step has to move the result by half as much."""
    shifts = []
    for step in (2e-2, 1e-2):
        changed = trial.record(
            replay=trial.recording,
            trace=False,
            change_exits=frozenset(e.index for e in group),
            change=lambda value, step=step: value + step * (np.abs(value) + 1).astype(value.dtype),
        )
        moved = _outcome(changed, call)
        if not as_far(changed, call) or [p.shape for p in moved] != [p.shape for p in base]:
            return False
        shifts.append(_flat(moved) - _flat(base))
    size = np.abs(shifts[0]).max(initial=0.0)
    noise = 1e-5 * (1 + np.abs(_flat(base)).max(initial=0.0))
    return bool(size > noise and np.abs(shifts[0] - 2 * shifts[1]).max() < size / 4)


def _flat(parts: Sequence[Any]) -> Any:
    arrays = [np.asarray(part).astype(np.complex128).ravel() for part in parts]
    return np.concatenate([np.zeros(0, np.complex128), *arrays])


# -- steps without a gradient


def _blocked(
    recording: Recording, targets: list[Any], source: Any, name: str, call: GradientCall | None
) -> Finding | None:
    """Find a step that passes a smooth value on, but no gradient: not a rounding or a choice."""
    path = path_between(recording, targets, source, since=_stored_at(recording, call, source))
    last = len(recording.ops) if call is None else call.first_op
    for op in path:
        if op.type in READS or op.index >= last:
            continue
        finding = blocked(recording, op, op, name, source)
        written = op.place.expression or "" if op.place else ""
        if finding.cause == "stop_gradient" and "stop_gradient" in written:
            finding = replace(
                finding, cause="fine", mend="Nothing to mend if that is meant; else leave it out."
            )
        elif finding.cause not in _SMOOTH or op.call is not None:
            continue
        elif _before(recording, op.index, call):
            continue
        elif finding.cause == "state" and not re.search(r"\bassign|update_state\(", written):
            continue  # a library's own memory: moving means, counts of steps
        values = op.inputs[writes_state(op) :]
        if _connected(recording, values, source) and not _connected(recording, op.outputs, source):
            if finding.cause == "fine" or _goes_on(recording, targets, op, path):
                return finding
    return None


def _goes_on(recording: Recording, targets: list[Any], op: Op, path: Sequence[Op]) -> bool:
    """Tell whether the result has a slope in what comes of an op, once that is a float again."""
    own = dependent_on(recording, [id(t) for t in (*op.outputs, *op.inputs[: writes_state(op)])])
    stores = [variable for handle, variable in recording.variables.items() if handle in own]
    again = [
        output
        for other in path
        if own.intersection(input_keys(recording, other))
        and not any(differentiable(i.dtype) for i in other.inputs)
        for output in other.outputs
    ]
    floats = [t for t in (*op.outputs, *stores, *again) if differentiable(t.dtype)]
    try:
        slopes = recording.gradients(targets, floats)
    except LookupError:
        return False
    return any(s is not None and np.any(tf.convert_to_tensor(s)) for s in slopes)


# -- steps that the learner's tape has not recorded


def _unseen(
    recording: Recording, call: GradientCall, targets: list[Any], source: Any, name: str
) -> Finding | None:
    """Find a step that carries a part of the slope and that the call's tape did not record."""
    path = path_between(recording, targets, source, since=_stored_at(recording, call, source))
    lost = lost_steps(recording, call, source, path)
    if not lost or _is_whole(recording, call, targets, source):
        return None
    asked = {id(other.tape) for other in recording.calls}
    for op in lost[:16]:
        if not _carries_slope(recording, targets, op, source):
            continue
        if _before(recording, op.index, call) and op.tapes <= asked:
            own = dependent_on(recording, [id(o) for o in op.outputs])
            after = [
                o
                for o in path
                if own.intersection(input_keys(recording, o)) and _before(recording, o.index, call)
            ]
            return _held_constant(after[-1].place if after else op.place)
        return unseen(recording, op, call, source, name, path)
    return None


def _held_constant(place: Place | None) -> Finding:
    return Finding(
        "fine",
        "This line runs before the tape is opened: what it computes is a constant to the tape.",
        "Nothing to mend if that is meant (a target, an old policy); else compute it inside the "
        "tape.",
        place,
    )


def _is_whole(recording: Recording, call: GradientCall, targets: list[Any], source: Any) -> bool:
    """Tell whether a call found the gradient that a tape finds which records everything."""
    asked = zip(tf.nest.flatten(call.sources), tf.nest.flatten(call.result), strict=False)
    found = next(gradient for part, gradient in asked if plain(part) is source)
    try:
        whole = recording.gradients(targets, [source])[0]
    except LookupError:
        return True
    one, other = (array_of(tf.convert_to_tensor(part)) for part in (found, whole))
    return one.shape == other.shape and np.allclose(one, other, rtol=1e-4, equal_nan=True)


def _carries_slope(recording: Recording, targets: list[Any], op: Op, source: Any) -> bool:
    """Tell whether a part of the slope, not 0, comes by way of an op."""
    outputs = [output for output in op.outputs if differentiable(output.dtype)]
    try:
        upstream = recording.gradients(targets, outputs)
        pairs = [(o, u) for o, u in zip(outputs, upstream, strict=True) if u is not None]
        part = recording.gradients([o for o, _ in pairs], [source], [u for _, u in pairs])[0]
    except LookupError:
        return False
    return part is not None and bool(np.any(tf.convert_to_tensor(part)))


# -- when a call's tape was opened, and the source got its value


def _before(recording: Recording, op_index: int, call: GradientCall | None) -> bool:
    opened = (e.op_index for e in recording.events if call and e.tape == id(call.tape))
    return op_index < min(opened, default=0)


def _stored_at(recording: Recording, call: GradientCall | None, source: Any) -> int:
    """Return the number of ops that ran before a variable got the value it has in a call."""
    writes = (o for o in reversed(recording.ops[: call.first_op if call else 0]) if writes_state(o))
    return next((o.index + 1 for o in writes if id(o.inputs[0]) == key_of(source)), 0)


def _connected(recording: Recording, tensors: Sequence[Any], source: Any) -> bool:
    tensors = [plain(t) for t in tensors]
    if any(t is source for t in tensors):
        return True
    try:
        return recording.gradients(tensors, [source])[0] is not None
    except LookupError:
        return False
