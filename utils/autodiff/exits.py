"""Which of the values that left TensorFlow decides the result: each is moved in its own run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from utils.autodiff.breaks import further
from utils.autodiff.cause_in_op import blocked
from utils.autodiff.cause_left_tensorflow import (
    a_little,
    a_lot,
    in_another_order,
    left_tensorflow,
    one_less,
)
from utils.autodiff.cause_unused import unexecuted
from utils.autodiff.dependencies import dependent_on, exit_key, key_of
from utils.autodiff.explanation import Finding
from utils.autodiff.recording import (
    Exit,
    GradientCall,
    Op,
    Place,
    Recording,
    agree,
    differentiable,
    is_variable,
    numbers,
)
from utils.autodiff.source_text import operand
from utils.autodiff.trial import Trial, outcome

MORE_CONDITIONS = 8  # that may be asked where those before them answer otherwise


def how_it_left(trial: Trial, exit_: Exit, name: str) -> Finding:
    """Say how a value left, whatever came of it."""
    place = exit_.places[0] if exit_.places else None
    shown = trial.display(exit_.tensor) or operand(place) or name
    if exit_.kind == "__bool__" and exit_.places:
        maker = trial.recording.producer.get(id(exit_.tensor))
        while maker is not None and maker.inputs and maker.places == exit_.places:
            maker = trial.recording.producer.get(id(maker.inputs[0]))
        if len(exit_.places[0].expression or "") > 60 and maker is not None and maker.places:
            exit_ = replace(exit_, places=maker.places)  # the condition, not the whole tf.cond
    return left_tensorflow(exit_, name, shown, unexecuted(trial.recording, name))


def find_exit(
    trial: Trial,
    targets: list[Any],
    source: Any,
    name: str,
    dependent: set[int],
    call: GradientCall | None,
) -> Finding | None:
    """Find the value that left TensorFlow and on which the result depends, by moving each."""
    ordered = sorted(
        sites([e for e in trial.recording.exits if exit_key(trial.recording, e) in dependent]),
        key=lambda g: (g[0].kind == "__bool__", g[0].index),
    )
    if not ordered:
        return None
    base = outcome(trial.recording, call)
    if not agree(base, outcome(trial.record(replay=trial.recording, trace=False), call)):
        return how_it_left(trial, ordered[0][0], name)
    for group in ordered[:16]:
        if moves(trial, group, base, call):
            finding, tensor = how_it_left(trial, group[0], name), group[0].tensor
            return replace(finding, also=further(trial.recording, [tensor], source, name))
    conditions = [e for group in ordered for e in group if e.kind == "__bool__"]
    if conditions and _decide(trial, base, call):
        return how_it_left(trial, conditions[0], name)
    return None


def _decide(trial: Trial, base: list[Any], call: GradientCall | None) -> bool:
    """Tell whether the result changes where every condition, asked or not, holds or fails.

    In `x > 1 or x > 0` and in `any(...)` no single one decides.
    """
    for answer in (False, True):
        changed = trial.record(
            replay=trial.recording,
            trace=False,
            change_exits=frozenset(range(len(trial.recording.exits) + MORE_CONDITIONS)),
            change=lambda value, answer=answer: (
                np.full_like(value, answer) if value.dtype == bool else value
            ),
        )
        if as_far(changed, call) and not agree(base, outcome(changed, call)):
            return True
    return False


def sites(exits: Sequence[Exit]) -> list[list[Exit]]:
    """Group the values that left by the same door in the same place, in the order they left."""
    groups: dict[Any, list[Exit]] = {}
    for exit_ in exits:
        site = (exit_.kind, exit_.through, exit_.places[0] if exit_.places else None)
        groups.setdefault(site, []).append(exit_)
    return list(groups.values())


def moves(trial: Trial, group: Sequence[Exit], base: list[Any], call: GradientCall | None) -> bool:
    """Tell whether the result changes when the values that left at one site are changed.

    It also depends on a value that picks an entry of a list or dict where no other has an entry.
    """
    picks = []
    changes = [a_little, a_lot, in_another_order, one_less]
    if group[0].kind == "__bool__":  # True or False, or the number of a branch
        changes = [a_little, *([one_less] if group[0].tensor.dtype != tf.bool else [])]
    for change in changes:
        changed = trial.record(
            replay=trial.recording,
            trace=False,
            change_exits=frozenset(e.index for e in group),
            change=change,
        )
        if as_far(changed, call) and not agree(base, outcome(changed, call)):
            return True
        picks.append(isinstance(changed.error, (IndexError, KeyError)))
    return trial.recording.error is None and all(picks)


def as_far(changed: Recording, call: GradientCall | None) -> bool:
    """Tell whether a changed run came to its end, or to a call with the same success as before."""
    if call is None:
        return changed.error is None
    if call.index >= len(changed.calls):
        return False
    return (changed.calls[call.index].error is None) == (call.error is None)


def other_door(trial: Trial, source: Any, name: str, call: GradientCall | None) -> Finding | None:
    """Change the source itself: does the target move although nothing recorded links them?"""
    base = outcome(trial.recording, call)
    for change in (a_little, a_lot, in_another_order):
        if is_variable(source):
            before = source.read_value()
            try:
                source.assign(tf.constant(change(before.numpy()), dtype=before.dtype))
                changed = trial.record(replay=trial.recording, trace=False)
            except (TypeError, ValueError, tf.errors.OpError):
                return None
            finally:
                source.assign(before)
        else:
            moved = tf.nest.map_structure(
                lambda part, change=change: (
                    tf.constant(change(part.numpy()), dtype=part.dtype) if part is source else part
                ),
                trial.inputs,
            )
            if not any(part is source for part in tf.nest.flatten(trial.inputs)):
                return None
            changed = trial.record(moved, replay=trial.recording, trace=False)
        if not as_far(changed, call) or agree(base, outcome(changed, call)):
            continue
        if not agree(base, outcome(trial.record(replay=trial.recording, trace=False), call)):
            return None
        if (cast := _cast_to_integers(trial.recording, source)) is not None:
            return blocked(trial.recording, cast, cast, name, source)
        place = _reentry(trial, changed)
        return Finding(
            "left_tensorflow",
            f"The result changes with `{name}`, but no recorded op links the two: on the way "
            "the value leaves TensorFlow and comes back as a constant, here at the latest.",
            "Use TensorFlow's ops all the way from the input to the result.",
            place,
        )
    return None


def _cast_to_integers(recording: Recording, source: Any) -> Op | None:
    """Return the op that makes whole numbers of a source: a loop may count by them."""
    own = dependent_on(recording, [key_of(source)])
    return next(
        (
            op
            for op in recording.ops
            if op.type == "Cast"
            and id(op.inputs[0]) in own
            and differentiable(op.inputs[0].dtype)
            and not differentiable(op.outputs[0].dtype)
        ),
        None,
    )


def _reentry(trial: Trial, changed: Recording) -> Place | None:
    for op, other in zip(trial.recording.ops, changed.ops, strict=False):
        if op.type != other.type:
            return op.place
        for one, two in zip(op.inputs, other.inputs, strict=False):
            leaf = id(one) not in trial.recording.producer
            if leaf and one.dtype not in (tf.resource, tf.variant):
                if not agree(numbers(one), numbers(two)):
                    return trial.recording.made.get(id(one)) or op.place
    return None
