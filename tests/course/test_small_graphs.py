"""That grading computes Jacobians without graphs, and that nobody can tell by what comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from course.grading import small_graphs

Tensors = Any
X = [0.3, 0.7, -1.1]


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Compute few rows without a graph; note what is vectorised all the same."""
    made: list[int] = []
    jacobian = tf.GradientTape.jacobian

    def noted(self: Any, *arguments: Any, **named: Any) -> Any:
        made.extend([1] if named.get("experimental_use_pfor", True) else [])
        return jacobian(self, *arguments, **named)

    monkeypatch.setattr(tf.GradientTape, "_push_tape", tf.GradientTape._push_tape)
    monkeypatch.setattr(tf.GradientTape, "jacobian", noted)
    small_graphs.compute_few_rows_without_a_graph()
    yield made


def jacobian_of(f: Callable[[Any], Any], x: Any, **options: Any) -> Any:
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.jacobian(y, [x, TABLE], **options)


TABLE = tf.Variable(np.arange(15, dtype=np.float32).reshape(5, 3))
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "product": lambda x: x * x * tf.sin(x),
    "one number": lambda x: tf.reduce_sum(x) ** 2,
    "matrix": lambda x: tf.tensordot(x, x, 0),
    "parts": lambda x: tf.stack([x[0] * x[1], tf.exp(x[2])]),
    "rows of a variable": lambda x: tf.gather(TABLE, [1, 1]) * x,
    "not connected": lambda x: tf.cast(tf.constant([1, 2]), tf.float32),
    "softmax": tf.nn.softmax,
    "determinant": lambda x: tf.cumsum(x) * tf.linalg.det(tf.tensordot(x, x, 0) + tf.eye(3)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("unconnected", ["none", "zero"])
def test_a_jacobian_is_the_same_row_by_row(name: str, unconnected: str, graphs: list[int]) -> None:
    options = {"unconnected_gradients": unconnected}
    found = jacobian_of(FUNCTIONS[name], tf.constant(X), **options)
    assert graphs == []
    vectorised = jacobian_of(FUNCTIONS[name], tf.constant(X), experimental_use_pfor=True, **options)
    assert graphs == [1]
    for mine, theirs in zip(found, vectorised, strict=True):
        assert (mine is None) == (theirs is None)
        if mine is not None:
            assert mine.shape == theirs.shape and mine.dtype == theirs.dtype
            np.testing.assert_allclose(mine, theirs, rtol=2e-6, atol=1e-6)


def test_a_hessian_and_what_an_outer_tape_makes_of_it_are_right(graphs: list[int]) -> None:
    x = tf.constant(X)
    with tf.GradientTape() as outermost:
        outermost.watch(x)
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = tf.reduce_sum(x**4)
            gradient = inner.gradient(y, x)
        hessian = outer.jacobian(gradient, x)
        trace = tf.linalg.trace(hessian)
    np.testing.assert_allclose(hessian, np.diag(12 * np.square(X)), rtol=1e-5)
    np.testing.assert_allclose(outermost.gradient(trace, x), 24 * np.array(X), rtol=1e-5)
    assert graphs == []


def test_a_tape_refuses_what_it_refused(graphs: list[int]) -> None:
    x = tf.Variable(X)
    with tf.GradientTape() as tape:
        y = x * x
    assert tape.jacobian(y, x).shape == (3, 3)
    assert [each.ref() for each in tape.watched_variables()] == [x.ref()]
    for ask in (tape.jacobian, tape.gradient):
        with pytest.raises(RuntimeError, match="only be used to compute one set"):
            ask(y, x)
    with tf.GradientTape() as tape:
        y = x * x
    assert tape.gradient(y, x) is not None
    with pytest.raises(RuntimeError, match="only be used to compute one set"):
        tape.gradient(y, x)
    with tf.GradientTape() as tape:
        y = x * x
    with pytest.raises(RuntimeError, match="persistent=True"):
        tape.jacobian(y, x, experimental_use_pfor=False)
    with pytest.raises(AttributeError):
        tape.jacobian(None, x)


def test_a_persistent_tape_goes_on(graphs: list[int]) -> None:
    x = tf.constant(X)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
    for _ in range(2):
        np.testing.assert_allclose(tape.jacobian(y, x), np.diag(2 * np.array(X)), rtol=1e-6)
    assert graphs == []


def test_many_rows_and_graphs_stay_as_they_were(graphs: list[int]) -> None:
    many = tf.ones(small_graphs.ROWS + 1)
    assert jacobian_of(tf.square, many)[0].shape == (33, 33)
    inside = tf.function(lambda x: jacobian_of(tf.square, x)[0])(tf.constant(X))
    np.testing.assert_allclose(inside, np.diag(2 * np.array(X)), rtol=1e-6)
    with tf.GradientTape() as tape:
        tape.watch(many)
        y = many[:3] ** 2
        assert tape.jacobian(y, many).shape == (3, 33)
    assert graphs == [1, 1, 1]
