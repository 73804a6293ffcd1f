"""A source that the result is not computed from: an idle name, a branch that did not run."""

from __future__ import annotations

import dis
import re
import types
from collections.abc import Iterator
from typing import Any

from utils.autodiff.dependencies import input_keys, key_of, needed_for
from utils.autodiff.explanation import Finding
from utils.autodiff.recording import Place, Recording

_ABOUT_SHAPE = "shape|ndim|get_shape|row_lengths|row_splits|nrows|dense_shape|indices"


def unconnected(recording: Recording, targets: list[Any], source: Any, name: str) -> Finding:
    unused = unexecuted(recording, name)
    users = [o for o in recording.ops if key_of(source) in input_keys(recording, o)]
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
    if (shape := _shape_only(recording, name)) is not None:
        return Finding(
            "only_shape",
            f"Only the shape of `{name}` is used, not its values, and a shape has no gradient.",
            f"Compute with the values of `{name}`.",
            shape,
        )
    made = recording.producer.get(id(source))
    if made is not None and needed_for(recording, [source]) & needed_for(recording, targets):
        return Finding(
            "unconnected",
            f"`{name}` is a tensor of its own, computed here. The result comes from the same "
            "values, but not by way of this tensor.",
            "Differentiate with respect to what the result was computed from; of that gradient "
            "take the part you want, as in tape.gradient(y, x)[0].",
            made.place,
        )
    return Finding(
        "unconnected",
        f"The result is not computed from `{name}`: it takes no part in the computation.",
        f"Check the name: is `{name}` what you meant, and does the result use it?",
        place_of(recording, key_of(targets[0])) if targets else None,
    )


def unexecuted(recording: Recording, name: str) -> Place | None:
    """Return an instruction that would have used the name, but did not run."""
    root = re.split(r"[.\[]", name)[0]
    for code, executed in recording.executed.items():
        ran = {Place(code, offset).lineno for offset in executed}
        for place in _loads(code, root):
            if place.instruction not in executed:
                return place
        for inner in code.co_consts:
            if isinstance(inner, types.CodeType) and inner not in recording.executed:
                if inner.co_firstlineno not in ran and root in inner.co_freevars:
                    return Place(inner, 0)
    return None


def _shape_only(recording: Recording, name: str) -> Place | None:
    """Return a line that ran and asks for the shape or length of what has this name."""
    shown = re.escape(name)
    asks = re.compile(rf"\b{shown}\.(?:{_ABOUT_SHAPE})\b|\blen\({shown}\)")
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
