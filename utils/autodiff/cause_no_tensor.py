"""A target or a source of tape.gradient that is no tensor: a number, an array, None, a model."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from utils.autodiff.exits import how_it_left, moves, sites
from utils.autodiff.explanation import Explanation, Finding, said
from utils.autodiff.recording import GradientCall, Place, is_variable
from utils.autodiff.source_text import argument, assignment_of, instruction_of, written
from utils.autodiff.trial import Trial, outcome


def no_tensor(trial: Trial, call: GradientCall) -> Explanation | None:
    """Explain a call that failed because what it was given is no tensor; None if it is one."""
    place = call.places[0] if call.places else None
    targets, sources = tf.nest.flatten(call.target), tf.nest.flatten(call.sources)
    wrong = _no_tensors(targets, _names(place, 0, "target", call.target, len(targets)))
    wrong_sources = _no_tensors(sources, _names(place, 1, "sources", call.sources, len(sources)))
    if wrong:
        name, value = wrong[0]
        if value is None:
            finding = _returns_nothing(call, name)
        elif callable(value):
            finding = Finding(
                "no_tensor",
                f"`{name}` is the function itself, and what is differentiated is its result.",
                f"Call it inside the tape, y = {name}(...), and give tape.gradient that result.",
                place,
            )
        else:
            finding = _number(trial, call, name)
        also = tuple(_as_source(*each, place).why for each in wrong_sources[:1])
        return said(
            replace(finding, also=(*finding.also, *also)),
            what=f"`{name}` is {described(value)}, not a tensor: there is no gradient of it.",
        )
    if wrong_sources:
        name, value = wrong_sources[0]
        return said(
            _as_source(name, value, place),
            name,
            what=f"`{name}` is {described(value)}, not a tensor: there is no gradient with "
            "respect to it.",
        )
    return None


def _names(place: Place | None, index: int, keyword: str, value: Any, count: int) -> list[str]:
    """Return what the parts of an argument are called: as written, or `losses[0]`, `losses[1]`."""
    if names := written(place, index, keyword, count):
        return names
    node = argument(place, index, keyword)
    whole = ast.unparse(node) if node is not None else f"the {keyword.removesuffix('s')}"
    numbered = isinstance(value, (list, tuple)) and len(value) == count
    return [f"{whole}[{i}]" if numbered else whole for i in range(count)]


def _no_tensors(values: list[Any], names: list[str]) -> list[tuple[str, Any]]:
    return [
        (name, value)
        for name, value in zip(names, values, strict=True)
        if not (tf.is_tensor(value) or is_variable(value))
    ]


def _returns_nothing(call: GradientCall, name: str) -> Finding:
    place, maker = _maker(call, name)
    if isinstance(maker, ast.Call):
        function = ast.unparse(maker.func)
        return Finding(
            "no_tensor",
            f"`{function}` returns nothing: a function without `return` gives None.",
            f"End {function} with `return` and the tensor to differentiate.",
            place,
        )
    return Finding(
        "no_tensor",
        "None stands there in place of a tensor: a function without `return`, for one, gives None.",
        "Compute a tensor inside the tape, and give tape.gradient that tensor.",
        place,
    )


def _number(trial: Trial, call: GradientCall, name: str) -> Finding:
    """Find the last value that left TensorFlow and that decides the number."""
    base = outcome(trial.recording, call)
    before = [e for e in trial.recording.exits if e.op_index <= call.first_op]
    for group in reversed(sites(before)[-16:]):
        if moves(trial, group, base, call):
            return how_it_left(trial, group[0], "")
    maker = _maker(call, name)[0]
    for exit_ in reversed(before):  # what is no number cannot be moved: text, Keras's History
        if exit_.places and exit_.places[0].on_the_line_of(maker):
            return how_it_left(trial, exit_, "")
    return Finding(
        "no_tensor",
        "A tape follows only tensors, and this value was not computed by an op of TensorFlow.",
        "Compute it with TensorFlow's ops inside the tape, and give tape.gradient that tensor.",
        maker,
    )


def _maker(call: GradientCall, name: str) -> tuple[Place | None, ast.expr | None]:
    """Return where the target was computed, and the expression there."""
    place = call.places[0] if call.places else None
    if place is None:
        return None, None
    statement = assignment_of(place, name)
    node = statement.value if statement is not None else argument(place, 0, "target")
    at = instruction_of(place.code, node) if node is not None else None
    return (Place(place.code, at) if at is not None else place), node


def _as_source(name: str, value: Any, place: Place | None) -> Finding:
    if isinstance(value, keras.Layer):
        why = f"`{name}` is a whole model, and a gradient is taken with respect to its variables."
        mend = f"Ask for the gradient with respect to {name}.trainable_variables."
    else:
        shown = value if isinstance(value, (int, float)) else "..."
        why = (
            "A tape follows only tensors and variables: to it, "
            f"`{name}` ({described(value)}) is a constant."
        )
        mend = (
            f"Make it a variable before the tape, {name} = tf.Variable({shown}), and compute with "
            "that variable."
            if name.isidentifier() and isinstance(value, (int, float, np.ndarray, np.generic))
            else "Give tape.gradient the tensors or variables that the result is computed from."
        )
    return Finding("no_tensor", why, mend, place)


def described(value: Any) -> str:
    if tf.is_tensor(value) or is_variable(value):
        return "a tensor, the result of a call"
    if isinstance(value, np.ndarray):
        return "a NumPy array"
    if isinstance(value, np.generic):
        return "a NumPy number"
    if value is None or isinstance(value, (int, float, str)):
        return f"{value!r}"[:60]
    return f"a {type(value).__name__}"
