"""explain_none on functions that were kept back until it was finished."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from utils.autodiff import explain_none

CASES = []


def case(cause, fragment, *inputs):
    def keep(f):
        CASES.append((f, inputs, cause, fragment))
        return f

    return keep


keras.utils.set_random_seed(1)
v = tf.Variable(2.0)
cnt = tf.Variable(0, trainable=False)
fz = tf.Variable([1.0, 2.0], trainable=False)
cl = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
IMG = np.random.RandomState(0).randint(0, 255, (2, 4)).astype("uint8")
LAB = np.array([0, 2])


@case("fine", None, IMG, LAB)
def training_on_bytes(images, labels):
    with tf.GradientTape() as tape:
        p = cl(tf.cast(images, tf.float32) / 255.0)
        loss = keras.losses.SparseCategoricalCrossentropy()(labels, p)
    return tape.gradient(loss, cl.trainable_variables)


@case("integer", None)
def watched_bytes():
    images = tf.constant(IMG)
    with tf.GradientTape() as tape:
        tape.watch(images)
        p = tf.reduce_sum(cl(tf.cast(images, tf.float32)))
    return tape.gradient(p, images)


@case("numpy", "np.argmax(cl(x), axis=1)", [[1.0, 2.0, 3.0, 4.0]])
def numpy_argmax(x):
    best = np.argmax(cl(x), axis=1)
    return tf.reduce_sum(tf.gather(tf.constant([1.0, 2.0, 3.0]), best))


@case("fine", None, [[1.0, 2.0, 3.0, 4.0]])
def the_most_likely_probability(x):
    p = cl(x)
    best = int(tf.argmax(p[0]))
    return p[0, best]


@case("variable_replaced", "theta = theta - 0.1")
def descent_by_rebinding():
    theta = tf.Variable([1.0, 2.0])
    losses = []
    for _i in range(4):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(theta**2)
        grads = tape.gradient(loss, theta)
        losses.append(loss)
        theta = theta - 0.1 * grads
    return losses


@case("outside_tape", "loss_value = loss_fn(w * 3.0)")
def an_empty_tape():
    w = tf.Variable(1.0)

    def loss_fn(z):
        return (z - 1) ** 2

    with tf.GradientTape() as tape:
        pass
    loss_value = loss_fn(w * 3.0)
    return tape.gradient(loss_value, w)


@case("constant_not_watched", None, 2.0)
def two_gradients_one_of_them_none(x):
    with tf.GradientTape(persistent=True) as tape:
        y = x * v
    return tape.gradient(y, v), tape.gradient(y, x)


@case("not_trainable", "fz")
def a_fixed_vector():
    with tf.GradientTape() as tape:
        tape.watch(v)
        s = tf.reduce_sum(fz * v)
    return tape.gradient(s, fz)


@case("state", "cnt", 2.0)
def elements_assigned(x):
    store = tf.Variable([0.0, 0.0, 0.0])
    for i in range(3):
        store[i].assign(x * float(i))
    return tf.reduce_sum(store * (cnt is not None))


CASES[-1] = (elements_assigned, (2.0,), "state", "store[i].assign")


@case("fine", None, 2.0)
def a_counter(x):
    cnt.assign_add(1)
    return x * x * tf.cast(cnt, tf.float32)


@case("condition", "tf.abs(x) < 1", 0.5)
def a_ternary_on_the_size(x):
    return tf.constant(0.5) * v if tf.abs(x) < 1 else tf.abs(x)


@case("comparison", "tf.equal", [1.0, 2.0])
def equal_share(x):
    return tf.reduce_mean(tf.cast(tf.equal(x, [1.0, 3.0]), tf.float32))


@case("numpy", ".numpy()", [1.0, 2.0])
def rows_as_numpy(x):
    total = 0.0
    for row in x:
        total = total + row.numpy()
    return v * total


@case("fine", None, [1.0, 2.0])
def printed_statistics(x):
    print("mean", np.mean(x), x.numpy().max())
    return tf.norm(x)


@case("inner_gradient_outside", None)
def the_second_derivative_too_late():
    x = tf.Variable(2.0)
    with tf.GradientTape() as t2:
        with tf.GradientTape() as t1:
            y = x**4
        pass
    g = t1.gradient(y, x)
    h = t2.gradient(g, x)
    return h


@case("fine", None, 1.0)
def a_gradient_penalty(x):
    def f(x):
        return x**3

    with tf.GradientTape() as t2:
        t2.watch(x)
        with tf.GradientTape() as t1:
            t1.watch(x)
            y = f(x)
        g = t1.gradient(y, x)
        penalty = (g - 1) ** 2
    return t2.gradient(penalty, x)


class Lin(keras.layers.Layer):
    def __init__(s):
        super().__init__()
        s.w = s.add_weight(shape=(4, 2), initializer="ones")
        s.b = s.add_weight(shape=(2,), initializer="zeros", trainable=False)

    def call(s, x):
        return tf.floor(x @ s.w) + s.b


lin = Lin()


@case("rounding", "tf.floor(x @ s.w)")
def a_layer_that_floors():
    with tf.GradientTape() as t:
        y = tf.reduce_sum(lin(tf.ones((1, 4)) * 0.3))
    return t.gradient(y, lin.trainable_weights)


@case("not_trainable", None)
def a_weight_not_trained():
    with tf.GradientTape() as t:
        y = tf.reduce_sum(lin(tf.ones((1, 4)) * 0.3))
    return t.gradient(y, lin.b)


@case("stop_gradient", None, 2.0)
def stopped_twice(x):
    with tf.GradientTape() as t:
        t.watch(x)
        y = x * tf.stop_gradient(x)
        z = tf.stop_gradient(y)
    return t.gradient(z, x)


@case("no_registered_gradient", None, [1.0, 2.0, 2.0])
def unique_values(x):
    return tf.reduce_sum(tf.unique(x)[0])


@case("fine", None, tf.Variable([[1.0, 2.0], [3.0, 4.0]]))
def trace_of_a_square(m):
    return tf.linalg.trace(m @ m)


@case("integer", None, tf.Variable([[1, 2], [3, 4]]))
def trace_of_integers(m):
    return tf.linalg.trace(m @ m)


@case("text", "tf.strings.as_string(x)", 2.0)
def through_text(x):
    return tf.strings.to_number(tf.strings.as_string(x))


@case("fine", None, 2.0)
def an_endless_loop_with_a_break(x):
    while True:
        x = x * 1.5
        if x > 10:
            break
    return x


@case("branch_not_taken", "a = x * 2", 2.0, -1.0)
def a_branch_in_a_try(x, y):
    try:
        if y > 0:
            a = x * 2
            return a
        return y * 3
    finally:
        pass


@case("unconnected", None)
def a_dict_with_one_unused():
    a = tf.Variable(1.0)
    b = tf.Variable(2.0)
    with tf.GradientTape() as t:
        c = a * 3
    return t.gradient(c, {"a": a, "b": b})


@case("numpy", "np.add", [1.0, 2.0])
def numpy_add(x):
    return tf.reduce_sum(tf.constant(np.add(x, 1)))


@case("left_tensorflow", "np.float32(x)", 2.0)
def a_numpy_scalar(x):
    return tf.constant(np.float32(x)) * v


@case("fine", None, 2.0)
def a_reduction_by_functools(x):
    return functools.reduce(lambda a, b: a * b, [x] * 3)


@case("fine", None, tf.ones((2, 3)))
def batch_normalisation(x):
    bn = keras.layers.BatchNormalization()
    y = bn(x * [1.0, 2.0, 3.0] + tf.constant([[0.0, 1.0, 2.0], [5.0, 3.0, 1.0]]), training=True)
    return tf.reduce_sum(y**3)


@case("fine", None, 2.0)
def sums_over_a_dataset(x):
    d = tf.data.Dataset.range(3).map(lambda i: tf.cast(i, tf.float32))
    for e in d:
        x = x + e
    return x * x


def _name(case):
    return getattr(case[0], "__name__", type(case[0]).__name__)


@pytest.mark.parametrize(
    "f, inputs, cause, fragment", [pytest.param(*c, id=_name(c)) for c in CASES]
)
def test_the_cause_is_named_and_the_line_quoted(f, inputs, cause, fragment):
    explanation = explain_none(f, *inputs)

    assert explanation.cause == cause, str(explanation)
    if fragment is not None:
        assert fragment in f"{explanation.line} | {explanation.expression}", str(explanation)
