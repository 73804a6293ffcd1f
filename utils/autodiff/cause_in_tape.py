"""A differentiable computation that the learner's own tape saw only in part: why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from utils.autodiff.dependencies import input_keys, key_of, needed_for, path_between
from utils.autodiff.explanation import Finding
from utils.autodiff.recording import GradientCall, Op, Recording, is_variable


def why_tape(
    recording: Recording,
    call: GradientCall,
    targets: list[Any],
    source: Any,
    name: str,
) -> Finding:
    """The computation is differentiable: so the learner's tape did not see all of it."""
    tape = id(call.tape)
    events = [event for event in recording.events if event.tape == tape]
    reset = max((e.op_index for e in events if e.kind == "reset"), default=-1)
    key = key_of(source)
    path = path_between(recording, targets, source)
    first = path[0] if path else None
    watches = [e for e in events if e.kind == "watch" and e.tensor is source]
    variable = is_variable(source)
    accessed = recording.watch_accessed.get(tape, True)
    automatic = variable and source.trainable and accessed

    if not watches and not automatic:
        if variable and not source.trainable:
            return Finding(
                "not_trainable",
                f"`{name}` was made with trainable=False, and a tape watches only trainable "
                "variables by itself.",
                f"Call tape.watch({name}) before it is used, or make it trainable.",
                first.place if first else None,
            )
        if variable:
            return Finding(
                "not_watched",
                "The tape was opened with watch_accessed_variables=False, so it watches "
                f"nothing by itself, and `{name}` was never watched.",
                f"Call tape.watch({name}) inside the tape, before it is used.",
                first.place if first else None,
            )
        op = recording.producer.get(id(source))
        if op is None or not comes_from_watched(recording, op, events):
            if reset < 0 or op is None:
                return Finding(
                    "constant_not_watched",
                    f"`{name}` is a plain tensor, not a variable. A tape watches trainable "
                    "variables by itself, but no other tensor.",
                    f"Call tape.watch({name}) inside the tape, before {name} is used, or make "
                    f"it a tf.Variable.",
                    first.place if first else None,
                )
        elif tape not in op.tapes:
            return replaced(recording, source, name, call)
    forgotten = [i for i, e in enumerate(events) if e.kind == "reset"]
    if watches and forgotten and not automatic:
        if max(i for i, e in enumerate(events) if e in watches) < forgotten[-1]:
            return after_reset(events, first)
    started = [e.op_index for e in watches]
    used_inside = first is not None and tape in first.tapes
    if watches and first is not None and min(started) > first.index and used_inside and reset < 0:
        return Finding(
            "watch_too_late",
            f"`{name}` is watched only after it was used: the tape does not look back.",
            f"Move tape.watch({name}) above the first line that uses {name}.",
            next(e.place for e in watches) or first.place,
        )
    reached = {key}
    for op in path:
        if not any(i in reached for i in input_keys(recording, op)):
            continue
        seen = tape in op.tapes and op.index >= reset
        if seen:
            reached.update(id(output) for output in op.outputs)
            continue
        return unseen(recording, op, tape, events, reset, name)
    return Finding(
        "outside_tape",
        f"The tape did not record how `{name}` leads to the result.",
        "Compute the result inside `with tf.GradientTape() as tape:`.",
        first.place if first else None,
    )


def unwatched(recording: Recording, call: GradientCall, source: Any, name: str) -> tuple[str, ...]:
    """Say that the tape does not watch a source, where something else stops the gradient first."""
    watched = any(
        e.kind == "watch" and e.tape == id(call.tape) and e.tensor is source
        for e in recording.events
    )
    if watched or id(source) in recording.producer:
        return ()
    if not is_variable(source):
        return (
            f"The tape does not watch `{name}` either, a plain tensor: call tape.watch({name}).",
        )
    if not source.trainable:
        return (f"`{name}` was made with trainable=False, so the tape does not watch it either.",)
    return ()


def unseen(
    recording: Recording, op: Op, tape: int, events: Sequence[Any], reset: int, name: str
) -> Finding:
    if op.call is not None and op.call < len(recording.calls):
        inner = recording.calls[op.call]
        return Finding(
            "inner_gradient_outside",
            "The inner gradient is computed outside the outer tape, so the outer tape has not "
            "recorded it and cannot differentiate it again.",
            "Indent this inner gradient call: it must run inside the outer `with` block.",
            inner.places[0] if inner.places else None,
        )
    if op.index < reset:
        return after_reset(events, op)
    paused = sum(
        (e.kind == "pause") - (e.kind == "resume") for e in events if e.op_index <= op.index
    )
    entered = [e.op_index for e in events if e.kind == "enter"]
    left = [e.op_index for e in events if e.kind == "exit"]
    if paused > 0 and not (left and op.index >= left[-1]):
        return Finding(
            "stop_recording",
            "This line runs inside tape.stop_recording(): the tape is switched off there.",
            "Move the line out of the stop_recording block.",
            op.place,
        )
    when = (
        "before the tape is opened"
        if not entered or op.index < entered[0]
        else ("after the tape is closed")
    )
    return Finding(
        "outside_tape",
        f"This line runs {when}, so the tape does not record it.",
        "Move it into the `with tf.GradientTape() as tape:` block.",
        op.place,
    )


def after_reset(events: Sequence[Any], op: Op | None) -> Finding:
    place = next((e.place for e in events if e.kind == "reset"), op.place if op else None)
    return Finding(
        "reset",
        "tape.reset() throws away all that was recorded and watched before it.",
        "Do without the reset, or after it watch again and compute again all that the gradient "
        "needs.",
        place,
    )


def comes_from_watched(recording: Recording, op: Op, events: Sequence[Any]) -> bool:
    """Tell whether a tensor was computed from a variable or from something watched."""
    needed = needed_for(recording, op.outputs)
    watched = {id(e.tensor) for e in events if e.kind == "watch"}
    variables = {h for h, v in recording.variables.items() if v.trainable}
    variables |= {id(v.handle) for v in recording.tape.watched_variables()}
    return bool(needed & (watched | variables))


def replaced(recording: Recording, source: Any, name: str, call: GradientCall | None) -> Finding:
    op = recording.producer.get(id(source))
    if is_variable(source):
        op = next((o for o in recording.ops if o.outputs and o.outputs[0] is source.handle), op)
        return Finding(
            "variable_copy",
            f"`{name}` is now a new variable: a copy of the value, with no link to what the "
            "tape recorded.",
            "Differentiate with respect to the variable that the computation used, and change "
            "a variable in place with assign.",
            op.place if op else None,
        )
    bound = recording.bound.get(name, [])
    if op is not None and bound and set(bound) <= {id(source)}:  # the name never was another
        return Finding(
            "constant_not_watched",
            f"`{name}` is what this line computes: a plain tensor, made where the tape did not "
            "record. A tape watches trainable variables by itself, but no other tensor.",
            f"Call tape.watch({name}) inside the tape before {name} is used; or compute {name} "
            "inside the tape and differentiate with respect to the variable that it comes from.",
            op.place,
        )
    return Finding(
        "variable_replaced",
        f"After this line the name `{name}` stands for a new plain tensor, not for the "
        "variable (or watched tensor) that the tape knows.",
        f"Change a variable in place: `{name}.assign_add(...)` or `{name}.assign(...)`; or "
        "give the new value another name.",
        op.place if op else (call.places[0] if call and call.places else None),
    )
