"""Where, between source and result, the value goes on and the gradient does not."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import tensorflow as tf

from utils.autodiff.cause_in_op import DRAWS, blocked, quoted, redraw, write_before
from utils.autodiff.dependencies import (
    dependent_on,
    group_in,
    group_out,
    key_of,
    tensors_between,
    values_in,
    writer_of,
)
from utils.autodiff.explanation import Finding
from utils.autodiff.recording import Op, Place, Recording, differentiable


def find_break(
    recording: Recording, targets: list[Any], source: Any, name: str, dependent: set[int]
) -> Finding | None:
    """Find the ops, nearest to the source first, that let the value through but no gradient."""
    culprits: list[tuple[int, Finding]] = []
    frontier = list(targets)
    visited: set[int] = set()
    for _ in range(12):
        tensors, path = tensors_between(recording, frontier, dependent)
        try:
            found = recording.gradients(frontier, [*tensors, source])
        except LookupError as error:
            return no_registered_gradient(recording, error)
        reached = {id(t) for t, g in zip(tensors, found, strict=False) if g is not None} | {
            id(t) for t in frontier
        }
        if found[-1] is not None:
            break
        frontier = []
        for op in reversed(path):
            if id(op) in visited or not any(id(o) in reached for o in group_out(path, op)):
                continue
            for value in group_in(recording, path, op):
                comes_of_it = {key_of(value), recording.variable_read(value)} & dependent
                if comes_of_it and id(value) not in reached:
                    visited.add(id(op))
                    culprit, before = blame(recording, op, value, dependent)
                    if culprit.type == "ReadVariableOp" and not write_before(recording, culprit):
                        continue  # read while no tape looked: what came of it is to blame
                    culprits.append((culprit.index, blocked(recording, culprit, op, name, source)))
                    frontier += before
        frontier = [t for t in frontier if differentiable(t.dtype)]
        if not frontier:
            break
    if not culprits:
        return None
    culprits.sort(key=lambda item: (item[1].cause == "only_shape", item[0]))
    first, *others = (finding for _, finding in culprits)
    return replace(first, also=besides(others, first.place))


_MENDABLE = ("rounding", "argmax", "integer_cast", "stop_gradient", "numpy_function", "text")


def besides(others: Sequence[Finding], first: Place | None) -> tuple[str, ...]:
    """Name breaks on other lines than the first, which the learner would meet next."""
    lines = {first.lineno} if first else set()
    notes = []
    for other in others:
        if other.place is not None and other.cause in _MENDABLE:
            if other.place.lineno not in lines:
                lines.add(other.place.lineno)
                notes.append(f"There is a further break, line {other.place.lineno}: {other.why}")
    return tuple(notes[:2])


def further(recording: Recording, targets: list[Any], start: Any, name: str) -> tuple[str, ...]:
    """Name what would stop the gradient between two tensors, after the first mend."""
    dependent = dependent_on(recording, [key_of(start)])
    if not differentiable(start.dtype) or not any(key_of(t) in dependent for t in targets):
        return ()
    stop = find_break(recording, targets, start, name, dependent)
    return (*besides([stop], None), *stop.also) if stop is not None else ()


def blame(recording: Recording, op: Op, value: Any, dependent: set[int]) -> tuple[Op, list[Any]]:
    """Walk from a tensor of integers or truth values up to the op that made it of floats."""
    writer = writer_of(recording, op, value)
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
        inputs = [i for i in values_in(recording, maker) if key_of(i) in dependent]
        floats = [i for i in inputs if differentiable(i.dtype)]
        if floats:
            return maker, floats
        handles = [i for i in inputs if i.dtype == tf.resource]
        if handles or not inputs:
            return maker, []
        value = inputs[0]


def no_registered_gradient(recording: Recording, error: LookupError) -> Finding:
    match = re.search(r"entry for: (\w+)|operation '(\w+)'|op type: (\w+)", str(error))
    kind = next((g for g in match.groups() if g), "?") if match else "?"
    op = next((o for o in recording.ops if o.type == kind), None)
    if op is not None and op.type.startswith(DRAWS):
        return Finding(
            "random",
            f"{quoted(op)} draws at random: how its parameters shift the draw is not "
            "recorded, and the tape raises a LookupError.",
            redraw(op.type),
            op.place,
        )
    return Finding(
        "no_registered_gradient",
        f"TensorFlow has no gradient registered for the op {kind}, so the tape raises a "
        "LookupError instead of answering.",
        "Compute it with other ops, or wrap it with tf.custom_gradient and say yourself what "
        "its gradient is.",
        op.place if op else None,
    )


def flow_stop(
    recording: Recording, source: Any, targets: list[Any], lost: Callable[[Any], Any]
) -> Op | None:
    """Find the first op, seen from the result, whose input gradient is lost."""
    dependent = dependent_on(recording, [key_of(source)])
    tensors, path = tensors_between(recording, targets, dependent)
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
            gradients.get(id(i), gradients.get(key_of(i)))
            for i in values_in(recording, op)
            if key_of(i) in dependent
        ]
        if any(g is not None and not lost(g) for g in out):
            known = [g for g in into if g is not None]
            if (known and all(lost(g) for g in known)) or not known:
                return op
    return None
