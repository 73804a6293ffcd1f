"""Ways through a recording: what a value comes from, what comes of it, and the ops between."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import tensorflow as tf

from utils.autodiff.recording import (
    Exit,
    GradientCall,
    Op,
    Recording,
    differentiable,
    is_variable,
    plain,
)

READS = {"ReadVariableOp", "ResourceGather", "ResourceGatherNd", "VarIsInitializedOp"}


CALLED = re.compile(r"^__(?:inference|forward)_+(.+?)_\d+$")


def is_call(op: Op) -> bool:
    """Tell whether an op runs a whole graph, as a call of a tf.function does."""
    return bool(CALLED.match(op.type)) or op.type.endswith("PartitionedCall")


def key_of(value: Any) -> int:
    """A variable is known by its handle, a tensor by itself."""
    return id(plain(value).handle) if is_variable(value) else id(value)


def writes_state(op: Op) -> bool:
    return (bool(op.inputs) and op.inputs[0].dtype == tf.resource and "Assign" in op.type) or (
        op.type.startswith(("ResourceScatter", "ResourceApply"))
    )


def input_keys(recording: Recording, op: Op) -> list[int]:
    """What an op reads: its inputs and the handles of variables; not the variable it writes to."""
    inputs = op.inputs[1:] if op.type == "AssignVariableOp" else op.inputs
    keys = [id(i) for i in inputs]
    for value in inputs:
        handle = recording.variable_read(value)
        if handle is not None:
            keys.append(handle)
    return keys


def is_index(recording: Recording, source: Any) -> bool:
    """Tell whether whole numbers are used to look something up, and for nothing else."""
    own = dependent_on(recording, [key_of(source)])
    users = [o for o in recording.ops if any(id(i) in own for i in o.inputs)]
    whole = [o for o in users if not any(differentiable(out.dtype) for out in o.outputs)]
    lookups = [o for o in users if o.type in _LOOKUPS and id(o.inputs[0]) not in own]
    first = [o for o in users if any(i is source for i in o.inputs)]
    return bool(lookups) and all(o in whole or o in lookups for o in first)


_LOOKUPS = {"GatherV2", "Gather", "GatherNd", "ResourceGather", "ResourceGatherNd"}


def values_in(recording: Recording, op: Op) -> list[Any]:
    """An op's inputs and, where it reads a resource, what was written there before."""
    values = list(op.inputs)
    if writes_state(op):
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
        if op.type not in READS and any(id(i) == handle for i in op.inputs):
            if op.type == "AssignVariableOp":
                found = []
            found += [i for i in op.inputs if i.dtype != tf.resource]
    return found


def writer_of(recording: Recording, op: Op, value: Any) -> Op | None:
    """Return the op that stored `value` where `op` read it; None if it is a plain input."""
    if any(value is i for i in op.inputs):
        return None
    return next(
        (o for o in recording.ops if writes_state(o) and any(i is value for i in o.inputs)), None
    )


def dependent_on(
    recording: Recording, roots: Iterable[int], without: Collection[int] = (), since: int = 0
) -> set[int]:
    """Return the ids of all tensors (and handles) whose value comes from the roots.

    What the calls of tape.gradient numbered in `without` computed does not count, nor what ran
    before the op numbered `since`.
    """
    found = set(roots)
    for op in recording.ops[since:]:
        if op.call is not None and op.call in without:
            continue
        if any(key in found for key in input_keys(recording, op)):
            found.update(id(output) for output in op.outputs)
            if op.type not in READS:
                found.update(id(i) for i in op.inputs if i.dtype == tf.resource)
    return found


def earlier_steps(recording: Recording, call: GradientCall | None) -> list[int]:
    """Return the calls made before a call's tape was opened, as in earlier steps of training."""
    if call is None:
        return []
    opened = [e.op_index for e in recording.events if e.tape == id(call.tape)]
    return [c.index for c in recording.calls if opened and c.first_op < min(opened)]


def needed_for(recording: Recording, targets: Iterable[Any]) -> set[int]:
    """Return the ids of all tensors (and handles) that the targets are computed from."""
    found = {key_of(t) for t in targets}
    for op in reversed(recording.ops):
        outputs = any(id(o) in found for o in op.outputs)
        stored = op.type not in READS and any(
            i.dtype == tf.resource and id(i) in found for i in op.inputs
        )
        if outputs or stored:
            found.update(input_keys(recording, op))
    return found


def path_between(
    recording: Recording, targets: Sequence[Any], source: Any, since: int = 0
) -> list[Op]:
    """Return the ops between the source and the targets, in the order they ran."""
    dependent = dependent_on(recording, [key_of(source)], since=since)
    needed = needed_for(recording, targets)
    return [
        op
        for op in recording.ops[since:]
        if any(k in dependent and k in needed for k in input_keys(recording, op))
        and (any(id(o) in needed for o in op.outputs) or writes_state(op))
    ]


def tensors_between(
    recording: Recording, targets: Sequence[Any], dependent: set[int]
) -> tuple[list[Any], list[Op]]:
    needed = needed_for(recording, targets)
    path = [
        op
        for op in recording.ops
        if any(k in dependent for k in input_keys(recording, op))
        and (any(id(o) in needed for o in op.outputs) or writes_state(op))
    ]
    tensors = {
        id(t): t
        for op in path
        for t in (*values_in(recording, op), *op.outputs)
        if differentiable(t.dtype) and _reachable_key(recording, t, dependent)
    }
    return list(tensors.values()), path


def _reachable_key(recording: Recording, tensor: Any, dependent: set[int]) -> bool:
    return id(tensor) in dependent or recording.variable_read(tensor) in dependent


def group_out(path: Sequence[Op], op: Op) -> list[Any]:
    """Outputs of an op; for one inside a tf.custom_gradient call, those of the whole call."""
    if op.custom is None:
        return op.outputs
    return [o for other in path if other.custom is op.custom for o in other.outputs]


def group_in(recording: Recording, path: Sequence[Op], op: Op) -> list[Any]:
    if op.custom is None:
        values = values_in(recording, op)
        return (
            values
            if len(values) == len(op.inputs)
            else [v for v in values if v.dtype != tf.resource]
        )
    inside = {id(o) for other in path if other.custom is op.custom for o in other.outputs}
    return [
        i
        for other in path
        if other.custom is op.custom
        for i in values_in(recording, other)
        if id(i) not in inside
    ]


def exit_key(recording: Recording, exit_: Exit) -> int:
    value = exit_.tensor
    if is_variable(value):
        return key_of(value)
    handle = recording.variable_read(value)
    return handle if handle is not None else id(value)
