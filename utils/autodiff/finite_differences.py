"""Derivatives from values alone, and gradients set side by side."""

from __future__ import annotations

import html
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from utils.errors import CourseError
from utils.plotting.figures import short_number

_DTYPE_ERRORS = (TypeError, ValueError, tf.errors.InvalidArgumentError, tf.errors.NotFoundError)


def finite_difference(f: Callable[..., Any], x: Any, h: float | None = None) -> Any:
    """Return df/dx by central differences, one element of `x` at a time.

    (f(x + h) - f(x - h)) / 2h differs from the derivative by a term in h^2, and rounding adds about
    eps / h: the sum is smallest near h = eps^(1/3), times the size of x. See Nocedal and Wright,
    Numerical Optimization (2nd ed.), section 8.1, or Wikipedia, "Numerical differentiation".

    Args:
        f: takes a value like `x` and returns a number; of a tensor the sum is differentiated,
            as by a tape. It is tried in float64 first, then in the type of `x`.
        x: number, array, tensor or variable of floats. A variable is changed in place, so that
            `f` may read it from outside and take no argument, and is put back afterwards.
        h: the step; by default chosen from the precision that `f` computes in.

    Returns:
        A float where `x` has no axes, else a float64 array of the shape of `x`. It takes 2 calls
        of `f` for each element.

    Raises:
        CourseError: `f` is no function, `x` holds no real numbers, `h` is not above 0 or vanishes
            beside `x`, or `f` returns no number.
    """
    if not callable(f):
        raise CourseError("finite_difference needs the function itself: finite_difference(f, x).")
    if h is not None and not h > 0:
        raise CourseError(f"finite_difference needs a step h above 0, but h is {h!r}.")
    variable = x.value if isinstance(x, keras.Variable) else x
    start = _real_array(variable)
    if isinstance(variable, tf.Variable):
        return _of_variable(f, x, variable, start, h)
    last: Exception | None = None
    own = variable.dtype if isinstance(variable, tf.Tensor) else tf.float32
    for dtype in dict.fromkeys((tf.float64, own, tf.float32)):

        def value(point: np.ndarray, dtype: tf.DType = dtype) -> tuple[float, float]:
            return _value(f(tf.constant(point, dtype=dtype)))

        try:
            value(start)
        except _DTYPE_ERRORS as error:
            if isinstance(error, CourseError):
                raise
            last = error
            continue
        return _central(value, start, h, dtype)
    assert last is not None
    raise last


def _of_variable(
    f: Callable[..., Any], x: Any, variable: Any, start: np.ndarray, h: float | None
) -> Any:
    try:
        arguments = (x,) if inspect.signature(f).parameters else ()
    except (TypeError, ValueError):
        arguments = (x,)

    def value(point: np.ndarray) -> tuple[float, float]:
        variable.assign(tf.constant(point, dtype=variable.dtype))
        return _value(f(*arguments))

    before = tf.identity(variable)
    try:
        return _central(value, start, h, variable.dtype)
    finally:
        variable.assign(before)


def _central(
    value: Callable[[np.ndarray], tuple[float, float]],
    start: np.ndarray,
    h: float | None,
    dtype: tf.DType,
) -> Any:
    precision = max(value(start)[1], float(np.finfo(dtype.as_numpy_dtype).eps))
    slope = np.empty_like(start)
    for index in np.ndindex(start.shape):
        at = start[index]
        step = h if h is not None else precision ** (1 / 3) * max(1.0, abs(at))
        above, below = start.copy(), start.copy()
        above[index], below[index] = at + step, at - step
        # The distance that is really taken, after rounding to the type that f sees.
        taken = float(dtype.as_numpy_dtype(above[index])) - float(
            dtype.as_numpy_dtype(below[index])
        )
        if not taken:
            raise CourseError(
                f"finite_difference: a step h of {step:g} changes nothing at x = {at:g}, which"
                f" {dtype.name} holds with fewer digits. Take a larger h, or none."
            )
        slope[index] = (value(above)[0] - value(below)[0]) / taken
    return slope.item() if slope.ndim == 0 else slope


def _value(result: Any) -> tuple[float, float]:
    """Return the sum of a result and the spacing of its type at 1."""
    parts = [part for part in tf.nest.flatten(result) if part is not None]
    try:
        arrays = [np.asarray(part) for part in parts]
        total = sum(float(np.sum(array, dtype=np.float64)) for array in arrays)
    except (TypeError, ValueError):
        arrays = []
        total = 0.0
    if not arrays:
        raise CourseError("finite_difference needs a function that returns a number.")
    eps = [np.finfo(a.dtype).eps for a in arrays if a.dtype.kind == "f"]
    return total, float(max(eps, default=0.0))


def _real_array(x: Any) -> np.ndarray:
    try:
        array = np.asarray(x.numpy() if isinstance(x, (tf.Tensor, tf.Variable)) else x)
    except (TypeError, ValueError):
        array = np.array(None)
    if array.dtype.kind not in "fiu":
        raise CourseError(
            "finite_difference needs x as a number, array, tensor or variable of real numbers, "
            f"not a {type(x).__name__}."
        )
    return array.astype(np.float64)


@dataclass(frozen=True)
class GradientTable:
    """Gradients side by side: rows of name, value, largest absolute difference to the first."""

    rows: tuple[tuple[str, str, float], ...]

    @property
    def largest_difference(self) -> float:
        return float(np.max([difference for _, _, difference in self.rows]))

    def _cells(self) -> list[tuple[str, str, str]]:
        first = self.rows[0][0]
        head = ("gradient", "value", f"largest difference to {first}")
        return [head] + [
            (name, value, "" if i == 0 else _difference(difference))
            for i, (name, value, difference) in enumerate(self.rows)
        ]

    def __str__(self) -> str:
        cells = self._cells()
        widths = [max(len(row[i]) for row in cells) for i in range(3)]
        lines = ["  ".join(f"{c:{w}}" for c, w in zip(row, widths, strict=True)) for row in cells]
        return "\n".join(line.rstrip() for line in lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head, *rows = [[html.escape(cell) for cell in row] for row in self._cells()]
        top = "".join(f'<th style="text-align:left">{cell}</th>' for cell in head)
        body = "".join(
            "<tr>" + "".join(f'<td style="text-align:left">{cell}</td>' for cell in row) + "</tr>"
            for row in rows
        )
        return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def compare_gradients(**gradients: Any) -> GradientTable:
    """Set gradients side by side: numbers, arrays, tensors, or lists of them (one a variable).

    `compare_gradients(hand=12.0, tape=dy_dx)` shows each with its largest absolute difference to
    the first; `.largest_difference` is the largest of all, a float.

    Raises CourseError where there are fewer than two, one is None, or shapes differ.
    """
    if len(gradients) < 2:
        raise CourseError(
            "compare_gradients needs at least two named gradients: "
            "compare_gradients(hand=12.0, tape=dy_dx)."
        )
    arrays = {name: _arrays(name, value) for name, value in gradients.items()}
    first, *_ = arrays.items()
    rows = []
    for name, parts in arrays.items():
        shapes, expected = [p.shape for p in parts], [p.shape for p in first[1]]
        if shapes != expected:
            raise CourseError(
                f"compare_gradients: {name} has shape {_shapes(shapes)}, but {first[0]} has "
                f"{_shapes(expected)}; both must be gradients with respect to the same thing."
            )
        differences = [_largest(a, b) for a, b in zip(parts, first[1], strict=True)]
        rows.append((name, ", ".join(map(_short, parts)), float(np.max(differences, initial=0.0))))
    return GradientTable(tuple(rows))


def _largest(one: np.ndarray, other: np.ndarray) -> float:
    same = (one == other) | (np.isnan(one) & np.isnan(other))  # inf equals inf
    with np.errstate(invalid="ignore"):
        return float(np.max(np.where(same, 0.0, np.abs(one - other)), initial=0.0))


def _arrays(name: str, value: Any) -> list[np.ndarray]:
    parts = value if isinstance(value, (list, tuple)) else [value]
    if any(part is None for part in parts):
        raise CourseError(f"compare_gradients: {name} is None; explain_none(f, x) tells why.")
    try:
        if all(isinstance(part, (int, float, list, tuple, np.number)) for part in parts):
            return [np.asarray(value, dtype=np.float64)]  # one gradient, written as rows
        return [np.asarray(_plain(part), dtype=np.float64) for part in parts]
    except (TypeError, ValueError):
        raise CourseError(f"compare_gradients: {name} does not hold numbers.") from None


def _plain(part: Any) -> Any:
    return tf.convert_to_tensor(part) if isinstance(part, tf.IndexedSlices) else part


def _short(array: np.ndarray) -> str:
    if array.size <= 4:
        return str(np.vectorize(short_number, otypes=[object])(array).tolist()).replace("'", "")
    shown = ", ".join(short_number(v) for v in array.flat[:3])
    return f"shape {array.shape}: {shown}, ..."


def _shapes(shapes: list[tuple[int, ...]]) -> str:
    return str(shapes[0]) if len(shapes) == 1 else str(shapes)


def _difference(value: float) -> str:
    return "0" if value == 0 else f"{value:.2g}"
