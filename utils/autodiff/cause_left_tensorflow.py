"""Values that left TensorFlow: by which door, what to do instead, and how to move them."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import tensorflow as tf

from utils.autodiff.cause_in_op import numpy_function
from utils.autodiff.explanation import Finding
from utils.autodiff.recording import Exit, Place
from utils.autodiff.source_text import node_at

_NUMPY_TO_TF = {
    **{"sum": "tf.reduce_sum", "mean": "tf.reduce_mean", "max": "tf.reduce_max"},
    **{
        "min": "tf.reduce_min",
        "prod": "tf.reduce_prod",
        "log": "tf.math.log",
        "clip": "tf.clip_by_value",
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
    it = f"`{shown}`" if shown else "a tensor"
    if exit_.through == "numpy_function":
        return numpy_function(place)
    if exit_.through in _MODEL_METHODS:
        return _model_method(place, said, exit_.through)
    if exit_.kind == "__bool__" and not name:
        return Finding(
            "condition",
            f"{said} leaves TensorFlow: it makes True or False of {it}, and a decision has no "
            "gradient.",
            "Let the value itself enter the result, or use a smooth switch such as tf.sigmoid.",
            place,
        )
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
    if (function := _numpy_call(exit_, place)) is not None:
        return Finding(
            "numpy",
            f"{said} leaves TensorFlow: np.{function} computes in NumPy, which no tape can see. "
            "What comes back is a constant.",
            _instead_of(function),
            place,
        )
    node = node_at(place)
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
        return Finding(
            "numpy",
            f"{said} is a place in a NumPy array: what is stored there becomes a plain number, "
            "a constant to the tape.",
            "Collect the tensors in a list and join them with tf.stack.",
            place,
        )
    kind = _python_call(node) or exit_.kind
    if kind in ("numpy", "__array__") or kind.startswith("np."):
        return Finding(
            "numpy",
            f"{said} leaves TensorFlow: it makes a NumPy value of {it}, and a tape "
            "follows only tensors. What is computed from it is a constant to the tape.",
            f"Leave out the conversion and compute with {_the_tensor(shown)} itself, with "
            "TensorFlow's ops.",
            place,
        )
    text = kind == "__format__" or _formats(node)
    made, mend = {
        "__int__": ("a Python int", "a whole number of steps or pieces has no gradient."),
        "__index__": ("a Python int", "a whole number of steps or pieces has no gradient."),
    }.get(kind, ("a Python number", "use tf.sin and its like in place of Python's math."))
    if text:
        made, mend = "text", "print it with tf.print, or after the gradient is taken."
    return Finding(
        "text" if text else "python_number",
        f"{said} leaves TensorFlow: it makes {made} of {it}, and a tape follows only tensors.",
        f"Compute with {_the_tensor(shown)} itself and leave out the conversion; {mend}",
        place,
    )


def _python_call(node: ast.expr | None) -> str | None:
    """Tell Python's own conversions: those of a variable pass through NumPy."""
    called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
    if called == "int":
        return "__int__"
    return "__float__" if called == "float" or called.startswith("math.") else None


def _the_tensor(shown: str) -> str:
    return f"the tensor `{shown}`" if shown else "the tensor"


def _numpy_call(exit_: Exit, place: Place | None) -> str | None:
    """Return the NumPy function that was called, "mean" or "linalg.inv"; None if none was."""
    node = node_at(place)
    if isinstance(node, ast.Call):
        module, _, function = ast.unparse(node.func).partition(".")
        if module in ("np", "numpy") and not isinstance(_member(np, function), type):
            return function
    function = exit_.kind.removeprefix("np.")
    expression = place.expression if place else None
    return function if function != exit_.kind and function in (expression or function) else None


def _instead_of(function: str) -> str:
    if function.startswith("random."):
        return (
            "Draw noise that depends on no parameter and scale it: mean + spread * noise, with "
            "noise = tf.random.normal([])."
        )
    name = next((n for n in ("tf", "tf.math") if _member(_MODULES[n], function)), "")
    instead = _NUMPY_TO_TF.get(function) or (f"{name}.{function}" if name else "")
    mend = f"Use `{instead}` instead" if instead else "Use TensorFlow's own ops instead"
    return f"{mend}, and keep tensors until the gradient is taken."


_MODULES: dict[str, Any] = {"tf": tf, "tf.math": tf.math}


def _member(module: Any, path: str) -> Any:
    """Return a member such as "linalg.inv" of a module; None if there is none."""
    for part in path.split("."):
        module = getattr(module, part, None)
    return module


_MODEL_METHODS = {
    "predict": "a NumPy array",
    "predict_on_batch": "a NumPy array",
    "evaluate": "Python numbers",
    "test_on_batch": "Python numbers",
    "fit": "Python numbers",
    "train_on_batch": "Python numbers",
    "get_weights": "NumPy arrays",
}


def _model_method(place: Place | None, said: str, method: str) -> Finding:
    node = node_at(place)
    model, given = "model", "x"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        model = ast.unparse(node.func.value)
        given = ast.unparse(node.args[0]) if node.args else given
    returned = _MODEL_METHODS[method]
    called = f"{model}({given}, training=True)"
    if method == "get_weights":
        mend = f"Compute with the variables themselves, {model}.trainable_variables."
    elif returned == "a NumPy array":
        mend = f"Call the model instead, it returns a tensor: {called}."
    else:
        mend = f"Call the model instead, {called}, and compute the loss from what it returns."
    return Finding(
        "numpy" if "NumPy" in returned else "python_number",
        f"{said} leaves TensorFlow: {method} returns {returned}, and a tape follows only tensors. "
        "What is computed from it is a constant to the tape.",
        mend,
        place,
    )


def _formats(node: ast.expr | None) -> bool:
    """Tell whether an expression is "..." % values."""
    return (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Mod)
        and isinstance(node.left, ast.Constant)
        and isinstance(node.left.value, str)
    )


def a_little(value: np.ndarray) -> Any:
    return _moved(value, 1e-2, 0.011)


def a_lot(value: np.ndarray) -> Any:
    return _moved(value, 0.7, 1.77)


def in_another_order(value: np.ndarray) -> Any:
    """Change which element is the largest: positions depend on nothing else."""
    value = np.asarray(value)
    return np.roll(value, 1) if value.ndim else _moved(value, -3.0, -2.3)


def one_less(value: np.ndarray) -> Any:
    value = np.asarray(value)
    return (value - 1).astype(value.dtype) if value.dtype.kind in "iufc" else value


def _moved(value: np.ndarray, scale: float, shift: float) -> Any:
    value = np.asarray(value)
    if value.dtype.kind == "b":
        return ~value
    if value.dtype.kind in "iu":
        return (value + 1).astype(value.dtype)
    if value.dtype.kind in "fc":
        return (value + np.abs(value) * scale + shift).astype(value.dtype)
    return value
