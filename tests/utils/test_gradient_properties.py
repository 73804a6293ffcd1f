"""The tape's gradient is the slope that values alone give, for functions drawn at random."""

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from utils.autodiff import compare_gradients, explain_none, finite_difference

numbers = st.floats(-2, 2, width=32)
vectors = arrays(np.float64, st.integers(1, 4), elements=numbers)
matrices = arrays(np.float64, st.tuples(st.integers(1, 3), st.integers(1, 3)), elements=numbers)

STEPS = {
    "square": tf.square,
    "sin": tf.sin,
    "tanh": tf.tanh,
    "sigmoid": tf.sigmoid,
    "softplus": tf.math.softplus,
    "shift": lambda x: x + 1.5,
    "scale": lambda x: -0.5 * x,
    "exp": lambda x: tf.exp(tf.tanh(x)),
    "share": lambda x: x / (1.0 + tf.square(x)),
    "sum": lambda x: x * tf.reduce_sum(tf.sin(x)),
    "product": lambda x: x * tf.reduce_mean(x),
}
chains = st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=4)


def tape_gradient(f, x):
    x = tf.constant(x, dtype=tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x)


def agree(f, x):
    slope, gradient = finite_difference(f, x), tape_gradient(f, x)
    size = max(1.0, float(np.max(np.abs(gradient))))
    return compare_gradients(slope=slope, tape=gradient).largest_difference <= 1e-5 * size


def chain(names):
    def f(x):
        for name in names:
            x = STEPS[name](x)
        return x

    return f


@settings(deadline=None, max_examples=60)
@given(chains, vectors)
def test_chains_of_ops_have_the_slope_that_the_tape_gives(names, x):
    assert agree(chain(names), x)


@settings(deadline=None, max_examples=40)
@given(matrices)
def test_products_of_matrices_have_the_slope_that_the_tape_gives(x):
    assert agree(lambda m: tf.reduce_sum(tf.tanh(m @ tf.transpose(m))), x)


@settings(deadline=None, max_examples=40)
@given(st.floats(-2, 2, width=32), st.integers(0, 7))
def test_the_branch_and_the_rounds_taken_are_differentiated(x, rounds):
    def f(value):
        output = value * 0.0 + 1.0
        for i in range(rounds):
            if 1 < i < 5:
                output = output * value
        return output

    assert agree(f, x)


@settings(deadline=None, max_examples=25)
@given(chains, st.floats(-1.5, 1.5, width=32))
def test_a_chain_of_smooth_ops_never_raises_an_alarm(names, x):
    assert explain_none(chain(names), float(x)).cause == "fine"


@settings(deadline=None, max_examples=25)
@given(chains, chains, st.floats(0.25, 1.5, width=32))
def test_a_rounding_anywhere_in_a_chain_is_found(before, after, x):
    def f(value):
        value = chain(before)(value)
        value = tf.round(value)
        return chain(after)(value)

    explanation = explain_none(f, float(x))
    assert explanation.cause == "rounding"
    assert explanation.line == "value = tf.round(value)"
