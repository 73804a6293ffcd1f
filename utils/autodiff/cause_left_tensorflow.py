"""Values that left TensorFlow: by which door, what to do instead, and how to move them."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from utils.autodiff.cause_in_op import numpy_function
from utils.autodiff.explanation import Finding
from utils.autodiff.recording import Exit, Place

_NUMPY_TO_TF = {
    **{"sum": "tf.reduce_sum", "mean": "tf.reduce_mean", "max": "tf.reduce_max"},
    **{
        "min": "tf.reduce_min",
        "prod": "tf.reduce_prod",
        "log": "tf.math.log",
        "dot": "tf.tensordot",
    },
    **{"power": "tf.pow", "absolute": "tf.abs", "amax": "tf.reduce_max", "amin": "tf.reduce_min"},
    **{"var": "tf.math.reduce_variance", "std": "tf.math.reduce_std", "array": "tf.stack"},
    **{"concatenate": "tf.concat", "float_power": "tf.pow", "add": "+", "multiply": "*"},
}


def left_tensorflow(exit_: Exit, name: str, shown: str, unused: Place | None) -> Finding:
    """Say by which door a value left; `shown` names it, `unused` is a branch that did not run."""
    place = exit_.places[0] if exit_.places else None
    expression = place.expression if place else None
    said = f"`{expression}`" if expression and len(expression) <= 60 else "This line"
    if exit_.through == "numpy_function":
        return numpy_function(place)
    if exit_.kind == "__bool__":
        more = f" The branch that uses it (line {unused.lineno}) was not taken." if unused else ""
        return Finding(
            "condition",
            f"`{name}` only decides what runs ({said}); its value does not enter "
            f"the result, and a decision has no gradient.{more}",
            f"Let `{name}` itself enter the result in the branch that is taken, or use a "
            "smooth switch such as tf.sigmoid.",
            place,
        )
    function = exit_.kind.removeprefix("np.")
    if function != exit_.kind and function in (expression or function):
        instead = _NUMPY_TO_TF.get(function)
        if instead is None:
            module = (
                "tf" if hasattr(tf, function) else "tf.math" if hasattr(tf.math, function) else ""
            )
            instead = f"{module}.{function}" if module else ""
        mend = f"Use `{instead}` instead" if instead else "Use TensorFlow's own ops instead"
        return Finding(
            "numpy",
            f"{said} leaves TensorFlow: {exit_.kind} computes in NumPy, which no tape can see. "
            "What comes back is a constant.",
            f"{mend}, and keep tensors until the gradient is taken.",
            place,
        )
    if exit_.kind in ("numpy", "__array__") or function != exit_.kind:
        return Finding(
            "numpy",
            f"{said} leaves TensorFlow: it makes a NumPy value of `{shown}`, and a tape "
            "follows only tensors. What is computed from it is a constant to the tape.",
            f"Leave out the conversion and compute with the tensor `{shown}` itself, with "
            "TensorFlow's ops.",
            place,
        )
    made, mend = {
        "__format__": ("text", "print it with tf.print, or after the gradient is taken."),
        "__int__": ("a Python int", "a whole number of steps or pieces has no gradient."),
        "__index__": ("a Python int", "a whole number of steps or pieces has no gradient."),
    }.get(exit_.kind, ("a Python number", "use tf.sin and its like in place of Python's math."))
    return Finding(
        "text" if exit_.kind == "__format__" else "python_number",
        f"{said} leaves TensorFlow: it makes {made} of `{shown}`, and a tape follows only tensors.",
        f"Compute with the tensor `{shown}` itself and leave out the conversion; {mend}",
        place,
    )


def a_little(value: np.ndarray) -> Any:
    return _moved(value, 1e-2, 0.011)


def a_lot(value: np.ndarray) -> Any:
    return _moved(value, 0.7, 1.77)


def in_another_order(value: np.ndarray) -> Any:
    """Change which element is the largest: positions depend on nothing else."""
    value = np.asarray(value)
    return np.roll(value, 1) if value.ndim else _moved(value, -3.0, -2.3)


def _moved(value: np.ndarray, scale: float, shift: float) -> Any:
    value = np.asarray(value)
    if value.dtype.kind == "b":
        return ~value
    if value.dtype.kind in "iu":
        return (value + 1).astype(value.dtype)
    if value.dtype.kind in "fc":
        return (value + np.abs(value) * scale + shift).astype(value.dtype)
    return value
