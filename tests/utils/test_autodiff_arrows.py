"""Arrows of a picture pass beside its boxes, not behind them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from utils.autodiff import draw_tape


def slope_of_cube(x: Any) -> Any:
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x * x
    return tape.gradient(y, x)


def power(x: Any, n: int) -> Any:
    if n == 1:
        return x
    half = power(x, n // 2)
    return half * half * x if n % 2 == 1 else half * half


def horner(x: Any, a: Any) -> Any:
    y = a[0]
    for i in range(1, 4):
        y = y * x + a[i]
    return tf.sqrt(y + x)


def again_and_again(x: Any) -> Any:
    y = x
    for _ in range(9):
        y = tf.sin(y) * x
    return y


@pytest.mark.parametrize(
    ("f", "inputs"),
    [
        (slope_of_cube, [3.0]),
        (power, [2.0, 10]),
        (horner, [3.0, [1.0, 2.0, 3.0, 4.0]]),
        (again_and_again, [3.0]),
    ],
)
def test_no_arrow_goes_behind_a_box(f: Callable[..., Any], inputs: list[Any]) -> None:
    given = [each if isinstance(each, int) else tf.constant(each) for each in inputs]
    figure = draw_tape(f, *given)
    patches = [patch for axes in figure.axes for patch in axes.patches]
    boxes = [each.get_bbox() for each in patches if isinstance(each, FancyBboxPatch)]
    arrows = [each for each in patches if isinstance(each, FancyArrowPatch)]
    assert boxes and arrows
    for arrow in arrows:
        [line] = arrow._path_original.to_polygons(closed_only=False)
        for box in boxes:
            inner = box.expanded(0.98, 0.98)
            assert not np.any([inner.contains(*point) for point in line[3:-3]]), (box, line)
