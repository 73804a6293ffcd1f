"""Compares what an answer gave with what it should have given, and writes values as text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_SHOWN = 8
"""An array with more values is shown by its shape and its first ones."""


def plain(value: Any) -> Any:
    """Return tensors, variables and slices as NumPy arrays, also inside lists, tuples and dicts."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return (
            type(value)(map(plain, value))
            if type(value) in (tuple, list)
            else [plain(item) for item in value]
        )
    if hasattr(value, "indices") and hasattr(value, "dense_shape"):  # IndexedSlices
        import tensorflow as tf

        return np.asarray(tf.convert_to_tensor(value))
    if hasattr(value, "as_list") and hasattr(value, "rank"):  # TensorShape
        return tuple(value.as_list())
    if isinstance(value, str | bytes | bool | type(None) | type(...)) or callable(value):
        return value
    if hasattr(value, "__array__") or isinstance(value, int | float | complex):
        try:
            return np.asarray(value)
        except (TypeError, ValueError, NotImplementedError):  # a symbolic tensor
            return value
    return value


def agree(left: Any, right: Any, tolerance: float = 1e-4) -> bool:
    """Tell whether two values are the same: shape, structure, numbers within ``tolerance``.

    ``tolerance`` is relative, and absolute for numbers below 1. Lists and tuples are alike; a bool
    is not a number, None is only None, NaN agrees with nothing but NaN.
    """
    left, right = plain(left), plain(right)
    if isinstance(left, Mapping) or isinstance(right, Mapping):
        return (
            isinstance(left, Mapping)
            and isinstance(right, Mapping)
            and left.keys() == right.keys()
            and all(agree(left[key], right[key], tolerance) for key in left)
        )
    one, two = numbers(left), numbers(right)
    if one is not None and two is not None:
        if one.shape != two.shape:
            return False
        scale = np.maximum(1.0, np.abs(np.where(np.isfinite(two), two, 1.0)))
        with np.errstate(invalid="ignore"):
            near = np.abs(one - two) <= tolerance * scale
        same = (one == two) | (np.isnan(one) & np.isnan(two))
        return bool(np.all(near | same))
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(
            agree(a, b, tolerance) for a, b in zip(left, right, strict=True)
        )
    if isinstance(left, np.ndarray) or isinstance(right, np.ndarray):
        try:
            one, two = np.asarray(left), np.asarray(right)
        except ValueError:  # a ragged list
            return False
        return one.dtype.kind == two.dtype.kind and bool(np.array_equal(one, two))
    return type(left) is type(right) and bool(left == right)


def numbers(value: Any) -> NDArray[Any] | None:
    """Return a value as a float array when it is a number, an array of them or a list of them."""
    if isinstance(value, bool | str | bytes | Mapping) or value is None or value is ...:
        return None
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, NotImplementedError):
        return None
    return array.astype(float) if array.dtype.kind in "iuf" else None


def is_blank(value: Any) -> bool:
    """Tell whether a value is the blank of an exercise, or holds one."""
    if isinstance(value, Mapping):
        return any(map(is_blank, value.values()))
    if isinstance(value, list | tuple):
        return any(map(is_blank, value))
    return value is ... or (isinstance(value, str) and value.strip() in ("...", "…"))


def show(value: Any) -> str:
    """Write a value as a learner would: ``6.0``, ``[1.0, 2.0]``, ``an array of shape (28, 28)``."""
    value = plain(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        if not value.size and value.ndim > 1:
            return f"array{value.shape}"
        if value.size > MOST_SHOWN:
            first = ", ".join(_number(each) for each in value.ravel()[:3].tolist())
            return f"array{value.shape}: {first}, ..."
        return _nested(value.tolist())
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key!r}: {show(item)}" for key, item in value.items()) + "}"
    if isinstance(value, tuple):
        return f"({', '.join(map(show, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, list):
        return f"[{', '.join(map(show, value))}]"
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    return "..." if value is ... else shorten(repr(value))


def shorten(text: str, most: int = 120) -> str:
    """Return the first line of a text, cut to ``most`` characters."""
    line = text.strip().partition("\n")[0]
    return line if len(line) <= most else line[: most - 4] + " ..."


def _nested(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_nested, value))}]"
    return _number(value)


def _number(number: float) -> str:
    if isinstance(number, bool | int):
        return str(number)
    if not math.isfinite(number):
        return str(number)
    text = f"{number:.5g}"
    return text if set(text) & set(".e") else f"{text}.0"
