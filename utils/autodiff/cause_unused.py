"""A source that the result is not computed from: an idle name, a branch that did not run."""

from __future__ import annotations

import ast
import dis
import re
import types
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from utils.autodiff.dependencies import (
    READS,
    dependent_on,
    earlier_steps,
    input_keys,
    key_of,
    needed_for,
)
from utils.autodiff.explanation import Finding
from utils.autodiff.recording import (
    GradientCall,
    Op,
    Place,
    Recording,
    is_variable,
    plain,
    tensors_in,
)
from utils.autodiff.source_text import parsed, written

_ABOUT_SHAPE = "shape|ndim|get_shape|row_lengths|row_splits|nrows|dense_shape|indices"
_ASK_SHAPE = "len|size|rank|shape|shape_n|ndim|zeros_like|ones_like"


def unconnected(
    recording: Recording,
    targets: list[Any],
    source: Any,
    name: str,
    call: GradientCall | None = None,
) -> Finding:
    unused = unexecuted(recording, name)
    own = dependent_on(recording, [key_of(source)], without=earlier_steps(recording, call))
    users = [
        o
        for o in recording.ops
        if o.type not in READS
        and o.call is None  # zeros that tape.gradient makes in the shape of a source
        and any(key in own for key in input_keys(recording, o))
    ]
    if not users and unused is not None:
        return Finding(
            "branch_not_taken",
            f"`{name}` is used only in a branch that did not run this time, and a tape records "
            "only what runs.",
            f"Nothing to mend if that is meant: for this input the result does not depend "
            f"on `{name}`. For zeros instead of None: unconnected_gradients='zero'.",
            unused,
        )
    if call is not None and users and (earlier := _in_another_round(recording, users, call)):
        return Finding(
            "branch_not_taken",
            f"`{name}` is used in another round of the loop, but not in the one that is "
            "differentiated: a tape records only what runs.",
            f"Nothing to mend if that is meant: in this round the result does not depend on "
            f"`{name}`. For zeros instead of None: unconnected_gradients='zero'.",
            earlier,
        )
    if users:
        recorded = [o for o in users if call is None or id(call.tape) in o.tapes]
        return Finding(
            "unconnected",
            f"`{name}` is used, but what is computed from it never reaches the result that is "
            "differentiated."
            if recorded
            else f"`{name}` is used only outside the tape: what the tape recorded does without it.",
            f"Check that the result is computed from it, or leave `{name}` out of the sources.",
            next((o.place for o in recorded or users if o.place), None),
        )
    if (shape := _shape_only(recording, name)) is not None:
        return Finding(
            "only_shape",
            f"Only the shape of `{name}` is used, not its values, and a shape has no gradient.",
            f"Compute with the values of `{name}`.",
            shape,
        )
    made = place_of(recording, id(source))
    asked = call.places[0] if call is not None and call.places else None
    if shares(recording, source, targets):
        return Finding(
            "unconnected",
            f"`{name}` is a tensor of its own, computed here. The result comes from the same "
            "values, but not by way of this tensor.",
            _instead_of(name)
            or "Differentiate with respect to what the result was computed from; of that gradient "
            "take the part you want, as in tape.gradient(y, x)[0].",
            made or asked,
        )
    if name.endswith(")") and made is not None and made.on_the_line_of(asked):
        return Finding(
            "unconnected",
            f"`{name}` makes a tensor of its own in this line, and the result is not computed "
            "from it.",
            f"Make it once and keep it: x = {name}; watch x, compute with x, and ask for x.",
            made,
        )
    why = (
        f"The result is computed from another `{name}`, which a function or a comprehension has "
        "for itself. This one takes no part in the computation."
        if _has_namesake(recording, targets, source, name)
        else f"The result is not computed from `{name}`: it takes no part in the computation."
    )
    return Finding(
        "unconnected",
        why,
        f"Check the name: is `{name}` what you meant, and does the result use it?",
        place_of(recording, key_of(targets[0])) if targets else None,
    )


def _has_namesake(recording: Recording, targets: list[Any], source: Any, name: str) -> bool:
    """Tell whether a target comes from something that has this name in another function."""
    needed = needed_for(recording, targets) - {key_of(source)}
    keys = {id(plain(v)): id(v.handle) for v in recording.variables.values()}
    return any(
        keys.get(each, each) in needed
        for (_, own), ids in recording.bound.items()
        for each in ids
        if own == name
    )


def _in_another_round(recording: Recording, users: list[Op], call: GradientCall) -> Place | None:
    """Return where the tapes of other rounds, but not the one that is asked, saw a source used."""
    entered = {e.tape: e.place for e in recording.events if e.kind == "enter"}
    asked = id(call.tape)
    if entered.get(asked) is None or any(asked in op.tapes for op in users):
        return None
    rounds = {tape for tape, place in entered.items() if place == entered[asked]}
    return next((op.place for op in users if op.tapes & rounds), None)


def shares(recording: Recording, source: Any, targets: list[Any]) -> bool:
    """Tell whether a tensor was computed from what the result was computed from, too."""
    read = None if is_variable(source) else recording.variable_read(source)
    if read is None and id(source) not in recording.producer:
        return False
    return bool((needed_for(recording, [source]) | {read}) & needed_for(recording, targets))


def _instead_of(name: str) -> str:
    """Say what to ask for in the place of `tf.convert_to_tensor(x)`: x itself."""
    match parsed(name):
        case ast.Module([ast.Expr(ast.Call(_, [ast.Name(asked)]))]):
            return f"Ask for the gradient with respect to `{asked}` itself."
    return ""


def constant_derivative(
    recording: Recording, call: GradientCall, targets: list[Any], source: Any, name: str
) -> Finding | None:
    """Find a derivative, computed inside the tape, in which the source no longer occurs."""
    needed = needed_for(recording, targets)
    span = [e.op_index for e in recording.events if e.tape == id(call.tape)]
    within = [c for c in recording.calls[: call.index] if min(span) <= c.first_op <= max(span)]
    for inner in reversed(within):
        place = inner.places[0] if inner.places else None
        used = any(id(t) in needed for t in tensors_in(inner.result))
        if used and key_of(source) in needed_for(recording, tensors_in(inner.target)):
            texts = written(place, 0, "target", len(tf.nest.flatten(inner.target)))
            asked = any(plain(part) is source for part in tf.nest.flatten(inner.sources))
            why = (
                f"`{texts[0] if texts else 'The result'}` is linear in `{name}`: its derivative "
                f"is a constant that no longer contains `{name}`, and the next derivative is 0"
                if asked
                else f"The derivative that is differentiated does not contain `{name}`, so its "
                f"own derivative with respect to `{name}` is 0"
            )
            return Finding(
                "unconnected",
                f"Nothing is wrong. {why}, which TensorFlow reports as None.",
                "For zeros instead of None: unconnected_gradients='zero'.",
                place,
            )
    return None


def unexecuted(recording: Recording, name: str) -> Place | None:
    """Return an instruction that would have used the name, but did not run."""
    root = re.split(r"[.\[]", name)[0]
    for code, executed in recording.executed.items():
        ran = {Place(code, offset).lineno for offset in executed}
        for load in _loads(code, root):
            if load.instruction not in executed:
                return load
        for inner in code.co_consts:
            if isinstance(inner, types.CodeType) and inner not in recording.executed:
                if inner.co_firstlineno not in ran and root in inner.co_freevars:
                    return Place(inner, 0)
        for branch in _branches(recording, code):
            if branch not in recording.executed:
                if (place := next(_loads(branch, root), None)) is not None:
                    return place
    return None


def _branches(recording: Recording, code: types.CodeType) -> list[types.CodeType]:
    """Return the code of the functions that a choice of TensorFlow's may call."""
    if not _CHOICES & set(code.co_names):
        return []
    inner = [each for each in code.co_consts if isinstance(each, types.CodeType)]
    scope = recording.scopes.get(code, {})
    named = [scope.get(name) for name in code.co_names]
    return inner + [each.__code__ for each in named if isinstance(each, types.FunctionType)]


_CHOICES = {"cond", "case", "switch_case"}  # of TensorFlow: their branches are functions


def _shape_only(recording: Recording, name: str) -> Place | None:
    """Return a line that ran and asks for the shape or length of what has this name."""
    shown = re.escape(name)
    asks = re.compile(rf"\b{shown}\.(?:{_ABOUT_SHAPE})\b|\b(?:{_ASK_SHAPE})\({shown}\b")
    for code, executed in recording.executed.items():
        for place in _loads(code, re.split(r"[.\[]", name)[0]):
            if place.instruction in executed and asks.search(place.line or ""):
                return place
    return None


def place_of(recording: Recording, key: int) -> Place | None:
    """Return where a tensor was made."""
    op = recording.producer.get(key)
    return op.place if op else recording.made.get(key)


def _loads(code: types.CodeType, name: str) -> Iterator[Place]:
    """Give the instructions that read the name."""
    for instruction in dis.get_instructions(code):
        value = instruction.argval
        if instruction.opname.startswith("LOAD_") and (
            value == name or (isinstance(value, tuple) and name in value)
        ):
            yield Place(code, instruction.offset)
