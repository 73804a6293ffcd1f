"""A differentiable computation that the learner's own tape saw only in part: why."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from utils.autodiff.dependencies import input_keys, key_of, needed_for, path_between
from utils.autodiff.explanation import Finding
from utils.autodiff.recording import GradientCall, Op, Place, Recording, is_variable
from utils.autodiff.source_text import argument, assigned_at, node_at, statement_at


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
    path = path_between(recording, targets, source)
    first = path[0] if path else None
    watches = [e for e in events if e.kind == "watch" and e.tensor is source]
    variable = is_variable(source)
    accessed = recording.watch_accessed.get(tape, True)
    automatic = variable and source.trainable and accessed
    watch = f"{tape_name(recording, tape)}.watch({name})"

    if not watches and not automatic:
        if variable and not source.trainable:
            return Finding(
                "not_trainable",
                f"`{name}` was made with trainable=False, and a tape watches only trainable "
                "variables by itself.",
                f"Call {watch} before it is used, or make it trainable.",
                first.place if first else None,
            )
        if variable:
            return Finding(
                "not_watched",
                "The tape was opened with watch_accessed_variables=False, so it watches "
                f"nothing by itself, and `{name}` was never watched.",
                f"Call {watch} inside the tape, before it is used.",
                first.place if first else None,
            )
        op = recording.producer.get(id(source))
        if op is None or not comes_from_watched(recording, op, events):
            if reset < 0 or op is None:
                return Finding(
                    "constant_not_watched",
                    f"`{name}` is a plain tensor, not a variable. A tape watches trainable "
                    "variables by itself, but no other tensor.",
                    f"Call {watch} inside the tape, before {name} is used, or make "
                    f"it a tf.Variable.",
                    first.place if first else None,
                )
        elif tape not in op.tapes:
            bound = recording.bound_to(name, [each.code for each in call.places])
            return replaced(recording, source, name, call, bound)
    forgotten = [i for i, e in enumerate(events) if e.kind == "reset"]
    if watches and forgotten and not automatic:
        if max(i for i, e in enumerate(events) if e in watches) < forgotten[-1]:
            return after_reset(events, first)
    if lost := lost_steps(recording, call, source, path):
        return unseen(recording, lost[0], call, source, name, path)
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
        watch = f"{tape_name(recording, id(call.tape))}.watch({name})"
        return (f"The tape does not watch `{name}` either, a plain tensor: call {watch}.",)
    if not source.trainable:
        return (f"`{name}` was made with trainable=False, so the tape does not watch it either.",)
    return ()


def lost_steps(
    recording: Recording, call: GradientCall, source: Any, path: Sequence[Op]
) -> list[Op]:
    """Return the ops of a path at which the tape loses sight of what comes from the source."""
    tape, key = id(call.tape), key_of(source)
    reset, watched = _known_from(recording, call, source)
    reached, lost = {key}, []
    for op in path:
        known = reached.intersection(input_keys(recording, op))
        since = watched if known == {key} else 0
        if known and tape in op.tapes and op.index >= max(reset, since):
            reached.update(id(output) for output in op.outputs)
        elif known:
            lost.append(op)
    return lost


def _known_from(recording: Recording, call: GradientCall, source: Any) -> tuple[int, int]:
    """Return from which op on the call's tape keeps what it records, and watches the source."""
    reset = watched = 0
    for event in reversed([e for e in recording.events if e.tape == id(call.tape)]):
        if event.kind == "reset":
            reset = event.op_index
            break
        if event.kind == "watch" and event.tensor is source:
            watched = event.op_index
    variable = is_variable(source) and source.trainable
    automatic = variable and recording.watch_accessed.get(id(call.tape), True)
    return reset, 0 if automatic else watched


def unseen(
    recording: Recording,
    op: Op,
    call: GradientCall,
    source: Any,
    name: str,
    path: Sequence[Op],
) -> Finding:
    """Say why a call's tape did not record an op."""
    tape, reset = id(call.tape), _known_from(recording, call, source)[0]
    events = [event for event in recording.events if event.tape == tape]
    if op.call is not None and op.call < len(recording.calls):
        inner = recording.calls[op.call]
        if id(inner.tape) == tape:
            return Finding(
                "inner_gradient_outside",
                "The first gradient is computed outside the tape's `with` block, so the tape has "
                "not recorded it and cannot differentiate it again.",
                "Indent this gradient call into the `with` block, or nest two tapes.",
                inner.places[0] if inner.places else None,
            )
        return Finding(
            "inner_gradient_outside",
            "The inner gradient is computed outside the outer tape, so the outer tape has not "
            "recorded it and cannot differentiate it again.",
            "Indent this inner gradient call: it must run inside the outer `with` block.",
            _beside_the_tape(inner.places, events, "enter"),
        )
    if op.index < reset:
        return after_reset(events, op)
    if tape in op.tapes:
        return Finding(
            "watch_too_late",
            f"`{name}` is watched only after it was used: the tape does not look back.",
            f"Move {tape_name(recording, tape)}.watch({name}) above the first line that uses "
            f"{name}.",
            next((e.place for e in events if e.tensor is source), None) or op.place,
        )
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
            _beside_the_tape(op.places, events, "pause"),
        )
    if (elsewhere := _another_tape(recording, op, tape, path)) is not None:
        return elsewhere
    when = (
        "before the tape is opened"
        if not entered or op.index < entered[0]
        else ("after the tape is closed")
    )
    return Finding(
        "outside_tape",
        f"This line runs {when}, so the tape does not record it.",
        f"Move it into the `with tf.GradientTape() as {tape_name(recording, tape)}:` block.",
        _beside_the_tape(op.places, events, "enter"),
    )


def _beside_the_tape(places: Sequence[Place], events: Sequence[Any], kind: str) -> Place | None:
    """Return the place in the function of the `with` block, not the one inside a helper."""
    blocks = {event.place.code for event in events if event.kind == kind and event.place}
    return next((p for p in places if p.code in blocks), places[0] if places else None)


def _another_tape(recording: Recording, op: Op, tape: int, path: Sequence[Op]) -> Finding | None:
    """Say which tape recorded an op, if its block ran before or after the block of ours."""
    spans: dict[int, list[int]] = {}
    entered: dict[int, Place | None] = {}
    for event in recording.events:
        if event.kind in ("enter", "exit"):
            spans.setdefault(event.tape, []).append(event.op_index)
            entered.setdefault(event.tape, event.place)
    own = spans.get(tape, [])
    apart = [
        other
        for other, span in spans.items()
        if other in op.tapes and own and (min(span) >= max(own) or max(span) <= min(own))
    ]
    if not apart:
        return None
    place, names = entered[apart[0]], [tape_name(recording, each) for each in (apart[0], tape)]
    if place is not None and place == entered[tape]:
        return Finding(
            "outside_tape",
            "This line is recorded by the tape of another round: each round opens a new tape, and "
            "the one that is asked has not seen it.",
            "Compute it anew in each round and ask that round's tape; or open one tape around the "
            "whole loop.",
            op.place,
        )
    alone = all(apart[0] in each.tapes for each in path) and names[0] != names[1]
    line = f" of line {place.lineno}" if place else ""
    return Finding(
        "outside_tape",
        f"This line is recorded by another tape (the `with` block{line}), not by the one "
        "that is asked for the gradient.",
        f"Ask the tape that recorded it: {names[0]}.gradient(...)."
        if alone
        else f"Put both steps into one `with tf.GradientTape() as {names[1]}:` block.",
        op.place,
    )


def tape_name(recording: Recording, tape: int) -> str:
    """Return what the learner calls a tape, "tape" if that is not to be seen."""
    entered = next((e for e in recording.events if e.kind == "enter" and e.tape == tape), None)
    place = entered.place if entered is not None else None
    statement = statement_at(place)
    if not isinstance(statement, ast.With):
        return "tape"
    opened = node_at(place)
    item = next((i for i in statement.items if i.context_expr is opened), statement.items[0])
    name = item.optional_vars or item.context_expr
    return name.id if isinstance(name, ast.Name) else "tape"


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


def replaced(
    recording: Recording, source: Any, name: str, call: GradientCall, bound: Sequence[int]
) -> Finding:
    """Say that a name stands for another thing than the computation used: ``bound`` in order."""
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
    if op is not None and bound and set(bound) <= {id(source)}:  # the name never was another
        return Finding(
            "constant_not_watched",
            f"`{name}` is what this line computes: a plain tensor, made where the tape did not "
            "record. A tape watches trainable variables by itself, but no other tensor.",
            f"Call tape.watch({name}) inside the tape before {name} is used; or compute {name} "
            "inside the tape and differentiate with respect to the variable that it comes from.",
            op.place,
        )
    place = op.place if op else (call.places[0] if call.places else None)
    if op is not None:  # the line that gives the name its new value, not one inside a helper
        place = next((p for p in op.places if name in assigned_at(p)), None) or next(
            (p for p in op.places if assigned_at(p)), place
        )
    before = set(bound) - {id(source)}
    if before and not before & {id(v) for v in recording.variables.values()}:
        return Finding(
            "variable_replaced",
            f"After this line the name `{name}` stands for a new plain tensor, not for the tensor "
            "that the tape watches.",
            f"Call {tape_name(recording, id(call.tape))}.watch({name}) for "
            "each new value, or make it a tf.Variable, once, and change that in place with assign.",
            place,
        )
    return Finding(
        "variable_replaced",
        f"After this line the name `{name}` stands for a new plain tensor, not for the "
        "variable (or watched tensor) that the tape knows.",
        f"Change a variable in place: {_in_place(name, place)} or `{name}.assign(...)`; or "
        "give the new value another name.",
        place,
    )


def _in_place(name: str, place: Place | None) -> str:
    """Return the call that changes a variable as the assignment at a place meant to."""
    match statement_at(place):
        case ast.Assign([target], ast.BinOp(left, ast.Sub(), right)) if ast.unparse(
            target
        ) == ast.unparse(left):
            return f"`{ast.unparse(target)}.assign_sub({ast.unparse(right)})`"
        case ast.AugAssign(target, ast.Sub(), right):
            return f"`{ast.unparse(target)}.assign_sub({ast.unparse(right)})`"
        case ast.Assign(_, ast.ListComp(ast.BinOp(_, ast.Sub(), _))):
            return f"`{name}.assign_sub(...)`"
    return f"`{name}.assign_add(...)`"


def what_assign_returned(recording: Recording, source: Any, name: str) -> Finding | None:
    """Say that a source is what `assign` returned: it has the variable's value, and is another."""
    if type(source).__name__ != "_UnreadVariable":
        return None
    stores = [
        o
        for o in recording.ops
        if o.type.startswith("Assign") and o.inputs[0] is source.handle and o.place
    ]
    named = [o for o in stores if any(name in assigned_at(p) for p in o.places)]
    store = next(iter(reversed(named or stores)), None)
    return Finding(
        "variable_replaced",
        f"After this line `{name}` stands for what an assign method returned. That has the "
        "variable's value, but is not the variable, and no tape watches it.",
        "Let the method stand alone, as in `w.assign_sub(step)`, without `w =` before it: it "
        "changes the variable in place.",
        store.place if store else None,
    )


def never_opened(recording: Recording, call: GradientCall) -> Finding:
    """Say that a tape was made and never entered by `with`."""
    return Finding(
        "outside_tape",
        "The tape was made, but never opened: only what runs inside its `with` block is recorded.",
        "Write `with tf.GradientTape() as tape:` and indent the computation below it.",
        call.places[0] if call.places else None,
    )


def swapped(call: GradientCall, name: str) -> Finding:
    """Say that the target stands where the source belongs."""
    place = call.places[0] if call.places else None
    node, target = node_at(place), argument(place, 0, "target")
    shown, mend = "what you differentiate", "tape.gradient(result, input)"
    if isinstance(node, ast.Call) and target is not None:
        source = argument(place, 1, "sources")
        shown = f"`{ast.unparse(target)}`"
        asked = ast.unparse(source) if source is not None else name
        mend = f"{ast.unparse(node.func)}({asked}, {ast.unparse(target)})"
    return Finding(
        "swapped",
        f"`{name}` is computed from {shown}, not the other way round: target and source have "
        "changed places.",
        f"Ask for {mend}: `{name}` is the result here.",
        place,
    )
