"""finite_difference and compare_gradients."""

import math

import numpy as np
import pytest
import tensorflow as tf

from utils.autodiff import compare_gradients, finite_difference
from utils.errors import CourseError


def test_a_cube_has_slope_twelve_at_two():
    slope = finite_difference(lambda x: x**3, 2.0)

    assert isinstance(slope, float)
    assert slope == pytest.approx(12.0, abs=1e-8)


def test_the_result_has_the_shape_of_the_input():
    x = tf.ones((2, 2))

    slope = finite_difference(lambda x: tf.reduce_sum(x) ** 2, x)

    assert slope.shape == (2, 2)
    np.testing.assert_allclose(slope, 8.0, atol=1e-7)


def test_several_outputs_give_the_slope_of_their_sum():
    np.testing.assert_allclose(
        finite_difference(lambda x: x * tf.constant([1.0, 2.0], x.dtype), [1.0, 1.0]), [1.0, 2.0]
    )


def test_a_function_fixed_to_float32_is_differentiated_in_float32():
    weight = tf.Variable(3.0)

    assert finite_difference(lambda x: weight * x * x, 2.0) == pytest.approx(12.0, rel=1e-4)


def test_python_and_numpy_functions_work_too():
    assert finite_difference(math.sin, 1.0) == pytest.approx(math.cos(1.0), abs=1e-9)
    assert finite_difference(np.sin, 1.0) == pytest.approx(math.cos(1.0), abs=1e-9)


@pytest.mark.parametrize("f", [lambda: weight**2, lambda value: value**2])
def test_a_variable_is_moved_in_place_and_put_back(f):
    assert finite_difference(f, weight) == pytest.approx(6.0, rel=1e-3)
    assert weight.numpy() == 3.0


weight = tf.Variable(3.0)


def test_the_step_can_be_chosen():
    assert finite_difference(lambda x: x**3, 1.0, h=0.5) == pytest.approx(3.25)


@pytest.mark.parametrize(
    "f, x, h, said",
    [
        (3.0, 1.0, None, "function itself"),
        (abs, 1.0, 0.0, "above 0"),
        (abs, "one", None, "real numbers"),
        (lambda x: None, 1.0, None, "returns a number"),
        (lambda x: "text", 1.0, None, "returns a number"),
    ],
)
def test_bad_use_is_said_in_a_sentence(f, x, h, said):
    with pytest.raises(CourseError, match=said):
        finite_difference(f, x, h)


def test_an_error_of_the_function_passes_through():
    with pytest.raises(ZeroDivisionError):
        finite_difference(lambda x: 1 / 0, 1.0)


def test_gradients_side_by_side_show_the_largest_difference():
    table = compare_gradients(hand=12.0, tape=tf.constant(12.5), again=np.float32(12.0))

    assert table.largest_difference == 0.5
    assert str(table).splitlines()[2].split() == ["tape", "12.5", "0.5"]
    assert "<td" in table._repr_html_()


def test_lists_of_gradients_are_compared_part_by_part():
    one = [tf.ones((2, 3)), tf.zeros(3)]
    other = [tf.ones((2, 3)), tf.constant([0.0, 0.25, 0.0])]

    assert compare_gradients(fit=one, loop=other).largest_difference == 0.25


def test_indexed_slices_are_compared_as_full_tensors():
    slices = tf.IndexedSlices(tf.ones((1, 2)), tf.constant([1]), tf.constant([3, 2]))

    assert compare_gradients(a=slices, b=[[0, 0], [1, 1], [0, 0]]).largest_difference == 0.0


def test_a_nan_is_never_agreement():
    assert math.isnan(compare_gradients(a=1.0, b=float("nan")).largest_difference)


@pytest.mark.parametrize("x, h", [(2.0, 1e-300), (1e9, 1e-8), (tf.Variable(100.0), 1e-6)])
def test_a_step_that_vanishes_beside_x_is_said_in_a_sentence(x, h):
    with pytest.raises(CourseError, match=r"changes nothing at x = .* larger h"):
        finite_difference(lambda x: x**2, x, h)


@pytest.mark.parametrize(
    "gradients, said",
    [
        ({"a": 1.0}, "at least two"),
        ({"a": 1.0, "b": None}, "b is None"),
        ({"a": [1.0, 2.0], "b": 1.0}, "has shape"),
        ({"a": 1.0, "b": "one"}, "numbers"),
    ],
)
def test_gradients_that_cannot_be_compared_are_said_in_a_sentence(gradients, said):
    with pytest.raises(CourseError, match=said):
        compare_gradients(**gradients)
