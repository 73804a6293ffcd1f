"""Gradients that are there: fine, zero everywhere, infinite, or one that nobody asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from utils.autodiff.breaks import flow_stop
from utils.autodiff.cause_in_op import quoted
from utils.autodiff.dependencies import key_of, path_between
from utils.autodiff.explanation import Explanation, Finding, said
from utils.autodiff.learner_inputs import plain_variables
from utils.autodiff.recording import Op, Place, Recording, array_of, differentiable

_FLAT = {
    *("Sign", "Relu", "Relu6", "Maximum", "Minimum", "ClipByValue", "SelectV2", "Select"),
    *("Elu", "LeakyRelu", "Max", "Min", "Abs"),
}


_INSIDE = "tf.clip_by_value(x, -1 + 1e-6, 1 - 1e-6)"
_EDGES = {  # where these functions end, their slopes have no bound
    "Acos": _INSIDE,
    "Asin": _INSIDE,
    "Atanh": _INSIDE,
    "Acosh": "tf.maximum(x, 1 + 1e-6)",
}


def explain_values(
    recording: Recording,
    gradients: list[tuple[str, Any, Any]],
    targets: list[Any],
    notes: Sequence[str] = (),
) -> Explanation:
    """Judge gradients, given as (name, source, gradient), that are all there."""
    notes = list(notes)
    for name, source, gradient in gradients:
        if isinstance(gradient, tf.IndexedSlices):
            notes.append(
                f"The gradient with respect to `{name}` is an IndexedSlices: only the rows "
                "that were looked up, with their numbers; tf.convert_to_tensor makes it full."
            )
        elif _any(gradient, lambda a: ~np.isfinite(a)):
            return _not_finite(recording, name, source, gradient, targets, notes)
    zero = [(n, s, g) for n, s, g in gradients if _size(g) and all_of(g, lambda a: a == 0)]
    if zero:
        finding = _zero(recording, zero[0], targets)
        if finding.cause == "zero" and len(zero) == len(gradients):
            return said(
                finding,
                zero[0][0],
                notes,
                f"The gradient with respect to `{zero[0][0]}` is not None, but 0.",
            )
        notes.append(finding.why)
    names = ", ".join(f"`{n}`" for n, _, _ in gradients[:6]) + (
        " ..." if len(gradients) > 6 else ""
    )
    what = f"The gradient with respect to {names} is fine: it is not None."
    if len(gradients) > 1:
        what = f"All {len(gradients)} gradients are fine, none is None: {names}."
    shown = [f"{n}: {_short(g)}" for n, _, g in gradients[:6]]
    return Explanation(
        cause="fine",
        what=what,
        why="Every step from there to the result is recorded and differentiable.",
        source=gradients[0][0],
        notes=("; ".join(shown) + ".", *notes),
    )


def no_sources(place: Place | None, layers: Sequence[Any]) -> Explanation:
    """Say that tape.gradient was asked for nothing, as of a model frozen or not yet built."""
    frozen = any(layer.variables and not layer.trainable_variables for layer in layers)
    why = {
        True: " A frozen model has no trainable_variables.",
        False: " A model has no trainable_variables before its first call.",
    }
    mend = {
        True: "Set trainable = True, or name the variables that you want.",
        False: "Give the model a keras.Input, or call it once, before you ask for its variables.",
    }
    return said(
        Finding(
            "no_sources",
            "tape.gradient was given nothing to differentiate with respect to."
            + (why[frozen] if layers else ""),
            mend[frozen] if layers else "Name the variables that you want.",
            place,
        ),
        what="No gradient was asked for: the list of sources is empty.",
    )


def _not_finite(
    recording: Recording,
    name: str,
    source: Any,
    gradient: Any,
    targets: list[Any],
    notes: Sequence[str],
) -> Explanation:
    op = flow_stop(recording, source, targets, _not_all_finite)
    why = "at this input the slope is infinite or undefined (like that of a square root at 0)."
    mend = "Keep the input away from that point: tf.maximum(x, 1e-7), or x + 1e-7, before it."
    if op is not None:
        op, value = _first_not_finite(recording, op)
        why += f" {quoted(op)} is to blame: its slope has no finite value here."
        if op.type in _EDGES:
            mend = f"Keep the input away from that point: {_EDGES[op.type]} before it."
        if value is not None and any(value is i for i in op.inputs):
            maker = recording.producer.get(id(value))
            read = {
                id(value),
                recording.variable_read(value),
                *map(id, maker.inputs if maker else ()),
            }
            shown = f"`{name}`" if key_of(source) in read else f"what enters {quoted(op)}"
            why = f"{shown} holds {_where_not_finite(value)} already, and so does what follows."
            mend = "Look for where that number comes from: missing data, or too large a step."
        elif value is not None:
            why = (
                f"{quoted(op)} is {_where_not_finite(value)} already: a number too large for "
                f"{value.dtype.name}, a division by 0, or a function outside its domain."
            )
            mend = "Keep its input where the value is finite, as with tf.clip_by_value before it."
    return said(
        Finding(
            "not_finite",
            f"It holds {_where_not_finite(gradient)}: {why}",
            mend,
            op.place if op else None,
        ),
        name,
        notes,
        f"The gradient with respect to `{name}` is not None, but not finite.",
    )


def _first_not_finite(recording: Recording, op: Op) -> tuple[Op, Any]:
    """Go back from an op to the first value on its way that is not finite; None if all are."""
    while True:
        bad = next((i for i in op.inputs if _not_all_finite(i)), None)
        if bad is None:
            return op, next((o for o in op.outputs if _not_all_finite(o)), None)
        maker = recording.producer.get(id(bad))
        if maker is None or maker.type == "ReadVariableOp":
            return op, bad
        op = maker


def _not_all_finite(value: Any) -> bool:
    return (
        value is not None
        and differentiable(value.dtype)
        and _any(value, lambda array: ~np.isfinite(array))
    )


def _zero(recording: Recording, gradient: tuple[str, Any, Any], targets: list[Any]) -> Finding:
    name, source, _ = gradient
    op = flow_stop(recording, source, targets, lambda g: all_of(g, lambda a: a == 0))
    if op is not None and op.custom is not None:
        return Finding(
            "zero",
            f"{quoted(op)} runs inside a tf.custom_gradient function, and the gradient "
            "function that it returns gives 0 here.",
            "Let the inner grad function return upstream * derivative for each input.",
            op.places[1] if len(op.places) > 1 else op.place,
        )
    if op is None or op.type not in _FLAT:
        return Finding(
            "fine",
            f"The gradient with respect to `{name}` is 0 at this input: that is right where a "
            "small change does not change the result, as at the bottom of a valley.",
        )
    why = {
        "Sign": "the sign of a number does not change when the number changes by a little, so "
        "its slope is 0 everywhere",
        "Relu": "a ReLU is flat at and below 0, and every value that enters it here is",
        "Abs": "it has a kink at 0, where TensorFlow takes 0 for the slope",
    }.get(op.type, "it is flat here: a small change of its input does not change its output")
    return Finding(
        "zero",
        f"{quoted(op)}: {why}.",
        "Use something with a slope (tf.tanh for a soft sign, another starting value or a "
        "leaky ReLU), or leave it out.",
        op.place,
    )


def untracked_variable(
    recording: Recording, targets: list[Any], layers: Sequence[Any], asked: set[int]
) -> Explanation | None:
    """Find a tf.Variable that a Keras layer holds, uses and does not train; `asked` are known."""
    for layer in layers:
        for path, variable in plain_variables(layer):
            if id(variable) in asked:
                continue
            if not variable.trainable or not _connected(recording, targets, variable):
                continue
            users = path_between(recording, targets, variable)
            name = f"{layer.name}.{path}"
            return said(
                Finding(
                    "untracked_variable",
                    f"`{path}` is a tf.Variable. Keras 3 keeps account only of its own "
                    "variables: it is not in trainable_variables, no gradient is asked for it, "
                    "and it is never trained, without a word.",
                    "Make it with self.add_weight(...) (or keras.Variable) in the layer.",
                    users[0].place if users else None,
                ),
                name,
                (),
                f"No gradient is None, but `{name}` is missing among the sources.",
            )
    return None


def _connected(recording: Recording, targets: list[Any], variable: Any) -> bool:
    try:
        return recording.gradients(targets, [variable])[0] is not None
    except LookupError:
        return True


def _array(gradient: Any) -> np.ndarray:
    return array_of(gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient)


def all_of(gradient: Any, test: Callable[[Any], Any]) -> bool:
    return gradient is not None and bool(np.all(test(_array(gradient))))


def _any(gradient: Any, test: Callable[[Any], Any]) -> bool:
    return gradient is not None and bool(np.any(test(_array(gradient))))


def _size(gradient: Any) -> int:
    return int(_array(gradient).size)


def _where_not_finite(gradient: Any) -> str:
    array = _array(gradient)
    if array.ndim == 0:
        return _short(gradient)
    places = np.argwhere(~np.isfinite(array)).tolist()
    shown = ", ".join(f"{array[tuple(place)]} at {place}" for place in places[:3])
    return shown + (f" and {len(places) - 3} more" if len(places) > 3 else "")


def _short(gradient: Any) -> str:
    array = _array(gradient)
    if array.ndim == 0:
        return f"{array.item():.4g}" if array.dtype.kind == "f" else str(array.item())
    return f"shape {array.shape}"
