"""Gradients that are there, but of a part of the computation only: the rest left on the way."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from utils.autodiff.cause_in_op import blocked
from utils.autodiff.dependencies import (
    dependent_on,
    exit_key,
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
    Recording,
    agree,
    differentiable,
    numbers,
    tensors_in,
)
from utils.autodiff.trial import Trial

_WHOLE = ("__bool__", "__int__", "__index__")  # decisions and counts have no slope to lose


def incomplete(
    trial: Trial,
    sources: Sequence[tuple[str, Any]],
    targets: list[Any],
    call: GradientCall | None,
    fine: Explanation,
) -> Explanation | None:
    """Find a part of the slope that is missing from gradients which are not None."""
    if (left := _left(trial, sources, call)) is not None:
        return _incomplete(*left, fine)
    for name, source in sources:
        if (op := _stored(trial.recording, source, targets, call)) is not None:
            return _incomplete(name, blocked(trial.recording, op, op, name, source), fine)
        if (op := _held_back(trial.recording, source, targets)) is not None:
            shown = op.place.expression if op.place else None
            finding = Finding(
                "fine",
                f"`{shown}` passes the value on and holds the gradient back: that is its "
                f"purpose. {_MISSING}",
                "Nothing to mend if that is meant; else leave it out.",
                op.place,
            )
            what = f"The gradient with respect to `{name}` is fine, not None; a part is held back."
            return said(finding, name, fine.notes, what)
    return None


def _incomplete(name: str, finding: Finding, fine: Explanation) -> Explanation:
    return said(
        replace(finding, cause="incomplete", why=f"{finding.why} {_MISSING}"),
        name,
        fine.notes[:1],  # the values; not that a 0 would be right
        f"The gradient with respect to `{name}` is not None, but incomplete.",
    )


_MISSING = "The part of the slope that comes by this way is missing."


def _left(
    trial: Trial, sources: Sequence[tuple[str, Any]], call: GradientCall | None
) -> tuple[str, Finding] | None:
    """Find a value that came from a source, left TensorFlow, and moves the result smoothly."""
    recording = trial.recording
    smooth = [
        (exit_, exit_key(recording, exit_))
        for exit_ in recording.exits
        if exit_.kind not in _WHOLE and not exit_.custom and differentiable(exit_.tensor.dtype)
    ]
    names: dict[int, str] = {}
    for name, source in sources if smooth else ():
        dependent = dependent_on(recording, [key_of(source)])
        first, last = _seen_by(recording, call, source)
        for exit_, key in smooth:
            if key in dependent and first <= exit_.op_index <= last:
                names.setdefault(exit_.index, name)
    if not names:
        return None
    base = _outcome(recording, call)
    if not agree(base, _outcome(trial.record(replay=recording, trace=False), call)):
        return None
    for group in sites([e for e in recording.exits if e.index in names])[:16]:
        if _has_slope(trial, group, base, call):
            name = names[group[0].index]
            return name, how_it_left(trial, group[0], name)
    return None


def _outcome(recording: Recording, call: GradientCall | None) -> list[Any]:
    """Return the numbers in the tensors that are differentiated, not those returned beside them."""
    if call is None:
        return numbers(tensors_in(recording.result))
    reached = call.index < len(recording.calls)
    return numbers(tensors_in(recording.calls[call.index].target)) if reached else []


def _seen_by(recording: Recording, call: GradientCall | None, source: Any) -> tuple[int, int]:
    """Return the ops between which a call's tape was open and the source had its last value."""
    if call is None:
        return 0, len(recording.ops)
    opened = [e.op_index for e in recording.events if e.tape == id(call.tape)]
    stored = [
        op.index + 1
        for op in recording.ops[: call.first_op]
        if writes_state(op) and id(op.inputs[0]) == key_of(source)
    ]
    return max(min(opened, default=0), *stored[-1:], 0), call.first_op


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


def _held_back(recording: Recording, source: Any, targets: list[Any]) -> Op | None:
    """Return a stop_gradient of the learner's that holds a part of the gradient back."""
    for op in path_between(recording, targets, source):
        written = op.place is not None and "stop_gradient" in (op.place.expression or "")
        if op.type == "StopGradient" and written and op.custom is None:
            if _connected(recording, op.inputs, source):
                return op
    return None


def _stored(
    recording: Recording, source: Any, targets: list[Any], call: GradientCall | None
) -> Op | None:
    """Return where the learner's code stores a value of the source that the result is read from."""
    first, last = _seen_by(recording, call, source)
    for op in path_between(recording, targets, source):
        if not writes_state(op) or not first <= op.index < last or op.call is not None:
            continue
        written = re.search(r"\bassign|Variable\(", (op.place and op.place.expression) or "")
        if written and id(op.inputs[0]) != key_of(source):
            if _connected(recording, op.inputs[1:], source):
                return op
    return None


def _connected(recording: Recording, tensors: Sequence[Any], source: Any) -> bool:
    try:
        return recording.gradients(tensors, [source])[0] is not None
    except LookupError:
        return False
