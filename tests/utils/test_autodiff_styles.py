"""explain_none on functions in many styles, written without a look at how it works."""

import functools
import linecache
import math
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy import tanh as nptanh
from tensorflow import constant as const

from utils.autodiff import explain_none

CASES = []


def case(cause, fragment, *inputs):
    def keep(f):
        CASES.append((f, inputs, cause, fragment))
        return f

    return keep


keras.utils.set_random_seed(1)
w = tf.Variable(tf.ones((3, 1)), name="w")
b = tf.Variable(0.5, name="b")
k = tf.Variable(2)
X = tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
Y = tf.constant([[1.0], [0.0]])
net = keras.Sequential(
    [
        keras.Input((3,)),
        keras.layers.Dense(4, activation="relu"),
        keras.layers.Dropout(0.5),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(2, activation="softmax"),
    ]
)
emb = keras.layers.Embedding(10, 4)
emb.build((None,))


@case("numpy", "nptanh(x)", 0.5)
def a_ufunc_imported_by_name(x):
    return tf.square(nptanh(x))


@case("constant_not_watched", None)
def a_constant_made_by_an_imported_name():
    x = const(2.0)
    with tf.GradientTape() as tape:
        y = x * b
    return tape.gradient(y, x)


@case("argmax", "tf.argmax")
def accuracy_as_loss():
    with tf.GradientTape() as tape:
        p = net(X)
        hits = tf.equal(tf.argmax(p, axis=1), [1, 0])
        accuracy = tf.reduce_mean(tf.cast(hits, tf.float32))
    return tape.gradient(accuracy, net.trainable_variables)


@case("state", None)
def a_metric_as_loss():
    metric = keras.metrics.Mean()
    with tf.GradientTape() as tape:
        metric.update_state(b * 2.0)
        loss = metric.result()
    return tape.gradient(loss, b)


@case("argmax", "tf.argsort(x)", [3.0, 1.0, 2.0])
def sorted_positions(x):
    order = tf.argsort(x)
    return tf.reduce_sum(tf.cast(order, tf.float32))


@case("numpy", "v.numpy() for v in x", [1.0, 2.0])
def numpy_in_a_comprehension(x):
    values = [v.numpy() for v in x]
    return tf.reduce_sum(values)


@case("numpy", "np.dot", [[1.0, 2.0], [3.0, 4.0]])
def numpy_dot(x):
    return tf.reduce_sum(tf.convert_to_tensor(np.dot(x, np.eye(2))))


class Loss:
    def __init__(self):
        self.history = []

    def __call__(self, x):
        value = self.measure(x)
        self.history.append(value)
        return value * b

    def measure(self, x):
        return float(tf.reduce_sum(x)) ** 2


@case("python_number", "float(tf.reduce_sum(x))", [1.0, 2.0])
def a_callable_object_with_a_method(x):
    return Loss()(x)


@case("constant_not_watched", "x * x", 2.0)
def the_other_tape_watches(x):
    with tf.GradientTape() as t1:
        with tf.GradientTape() as t2:
            t1.watch(x)
            y = x * x
    return t2.gradient(y, x)


@case("variable_replaced", "w2 = w2 - 0.1 * g")
def three_steps_that_replace_the_variable():
    w2 = tf.Variable(1.0)
    for _step in range(3):
        with tf.GradientTape() as tape:
            loss = (w2 * 3 - 1) ** 2
        g = tape.gradient(loss, w2)
        w2 = w2 - 0.1 * g
    return w2


@case("integer", None)
def sources_in_a_dict():
    with tf.GradientTape() as tape:
        y = b * tf.cast(k, tf.float32)
    return tape.gradient(y, {"b": b, "k": k})


@case("integer_cast", "tf.cast(image * 255, tf.uint8)", [[0.1, 0.9]])
def an_image_as_bytes(image):
    pixels = tf.cast(image * 255, tf.uint8)
    return tf.reduce_mean(tf.cast(pixels, tf.float32) / 255)


@case("python_number", "float(x)", 2.0)
def a_python_sum(x):
    total = 0.0
    while total < 5:
        total += float(x)
    return tf.constant(total) * b


@case("comparison", "x > 0", [-1.0, 2.0])
def boolean_mask_of_constants(x):
    return tf.reduce_sum(tf.boolean_mask([1.0, 2.0], x > 0))


@case("rounding", None, 2.6)
def rint(x):
    return round(x) * b if False else tf.math.rint(x) * b


stages = [lambda q: q * 1.0, lambda q: tf.floor(q)]


@case("rounding", "tf.floor(q)", 2.6)
def a_list_of_lambdas(x):
    for g in stages:
        x = g(x)
    return x


@case("unconnected", None, 2.0, 3.0)
def one_of_two_inputs(x, y):
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, y])
        u = x * x
        y * y
    return tape.gradient(u, [x, y])


@case("stop_recording", "y = x * 3", 2.0)
def a_paused_tape(x):
    tape = tf.GradientTape()
    with tape:
        tape.watch(x)
        with tape.stop_recording():
            y = x * 3
        y = y * 1.5
    return tape.gradient(y, x)


@case("reset", None, 2.0)
def reset_without_a_new_watch(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        tape.reset()
        y = x * x * x
    return tape.gradient(y, x)


@case("integer", None, tf.constant([1, 2]))
def indices_as_input(ids):
    return tf.reduce_sum(emb(ids))


@case("state", None, 2.0)
def scatter_into_a_variable(x):
    w.scatter_nd_update([[0, 0]], [x])
    return tf.reduce_sum(w)


def hold(scale, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.stop_gradient(x) * scale
    return tape.gradient(y, x)


CASES.append((functools.partial(hold, 3.0), (2.0,), "stop_gradient", "tf.stop_gradient(x)"))


@tf.function
def helper(x):
    return tf.numpy_function(lambda a: a * 2, [x], tf.float32)


@case("numpy_function", "tf.numpy_function", 2.0)
def numpy_function_in_a_tf_function(x):
    return helper(x) + 1.0


@case("python_number", None, [1.0, 2.0])
def a_generator_of_floats(x):
    return tf.constant(sum(float(e) ** 2 for e in x))


@case("condition", None, 2.0)
def a_ternary_on_the_input(x):
    return b if x >= b else b * 2


@case("unconnected", None, 2.0)
def second_derivative_of_a_line(x):
    with tf.GradientTape() as o:
        o.watch(x)
        with tf.GradientTape() as i:
            i.watch(x)
            y = 3.0 * x
        g = i.gradient(y, x)
    return o.gradient(g, x)


@case("numpy", "a.numpy()", 2.0)
def numpy_in_a_py_function(x):
    return tf.py_function(lambda a: np.sin(a.numpy()), [x], tf.float32)


@case("fine", None)
def a_frozen_layer_asked_by_name():
    net.layers[0].trainable = False
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(net(X)[:, 0])
    g = tape.gradient(loss, net.layers[0].kernel)
    net.layers[0].trainable = True
    return g


@case("fine", None)
def a_training_pass():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(
            keras.losses.sparse_categorical_crossentropy(tf.constant([0, 1]), net(X, training=True))
        )
    return tape.gradient(loss, net.trainable_variables)


@case("fine", None, [1.0, 2.0, 3.0])
def logsumexp_of_a_sort(x):
    return tf.reduce_logsumexp(tf.sort(x))


@case("fine", None, [1.0, 2.0, 3.0])
def largest_values(x):
    return tf.reduce_max(x) + tf.nn.silu(x)[0] + tf.math.top_k(x, 2).values[1]


@case("fine", None, 2.0)
def tensor_array(x):
    ta = tf.TensorArray(tf.float32, 3)
    for i in range(3):
        ta = ta.write(i, x * i)
    return tf.reduce_sum(ta.stack())


@case("fine", None, 2.0)
def tf_while_loop(x):
    return tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * x), [0, tf.constant(1.0)])[1]


@case("fine", None, 2.0)
def numpy_constants(x):
    return np.float64(2.0) * x + np.array(3.0, dtype=np.float32) - 1


@case("fine", None)
def two_adam_steps():
    opt = keras.optimizers.Adam(0.1)
    for _ in range(2):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((X @ w + b - Y) ** 2)
        g = tape.gradient(loss, [w, b])
        opt.apply_gradients(zip(g, [w, b], strict=False))
    return g


@case("fine", None, [[1.0, 2.0, 3.0]])
def categorical_cross_entropy(x):
    return keras.losses.CategoricalCrossentropy()(tf.constant([[1.0, 0.0]]), net(x))


@case("fine", None, 2.0)
def an_exception_caught_inside(x):
    d = {}
    d["h"] = x * x
    try:
        d["q"] = math.sqrt(-1)
    except ValueError:
        d["q"] = d["h"] * 2
    return d["q"]


@case("fine", None, 2.0)
def assertions_and_prints(x):
    assert x > 0
    tf.debugging.assert_positive(x)
    tf.print("x", x, output_stream=sys.stdout)
    return tf.cond(x > 1.0, lambda: x * 2, lambda: x)


@case("fine", None, [1.0, 2.0])
def vectorized_map(x):
    return tf.vectorized_map(lambda a: a * a, x)


@case("fine", None, [[2.0, 1.0], [1.0, 3.0]])
def determinant(m):
    return tf.linalg.det(m) + tf.linalg.trace(tf.linalg.inv(m))


@case("fine", None, [1.0, 2.0])
def einsum(x):
    return tf.einsum("i,i->", x, x)


@case("fine", None, 2.0)
def a_step_of_descent(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x**3
    g = tape.gradient(y, x)
    return x - 0.1 * g


@case("branch_not_taken", "y = y * scale", 2.0, 3.0)
def a_switch_that_is_off(x, scale, training=False):
    y = x * x
    if training:
        y = y * scale
    return y


@case("unconnected", None)
def the_last_layer_only():
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(net.layers[-1](tf.ones((1, 4))))
    return tape.gradient(loss, net.trainable_variables)


@case("variable_copy", "tf.Variable(x * 2)", 2.0)
def a_variable_of_a_product(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.Variable(x * 2)
        z = y * y
    return tape.gradient(z, x)


@case("numpy", "keras.ops.convert_to_numpy(x)", [1.0, 2.0])
def convert_to_numpy(x):
    return tf.reduce_sum(keras.ops.convert_to_numpy(x) ** 2)


@case("outside_tape", None)
def one_op_before_the_tape():
    tape = tf.GradientTape()
    y = b * b
    with tape:
        z = y + 1
    return tape.gradient(z, b)


@case("unconnected", "y", 2.0)
def the_input_is_forgotten(x):
    y = tf.constant(3.0)
    return y * y


@case("stop_gradient", "keras.ops.stop_gradient(x)", 2.0)
def keras_stop_gradient(x):
    return keras.ops.stop_gradient(x) * b


@case("stop_gradient", "tf.stop_gradient(x)", tf.Variable(3.0))
def a_variable_held_fixed(x):
    fixed = tf.stop_gradient(x)
    return fixed * 2.0


@case("stop_gradient", "tf.stop_gradient(x)", tf.Variable([1.0, 2.0]))
def a_variable_held_fixed_under_an_own_tape(x):
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(tf.stop_gradient(x) ** 2)
    return tape.gradient(y, x)


@case("stop_gradient", "keras.ops.stop_gradient(x)", keras.Variable(3.0))
def a_keras_variable_held_fixed(x):
    return keras.ops.stop_gradient(x) * 2.0


@case("stop_gradient", "tf.stop_gradient(other)", tf.Variable(3.0), tf.Variable(3.0))
def one_of_two_equal_variables_held_fixed(x, other):
    return x * tf.stop_gradient(other)


@case("fine", None, tf.Variable(3.0))
def one_of_two_factors_held_fixed(x):
    return x * tf.stop_gradient(x)


@case("stop_recording", "2.0 * x", tf.Variable(3.0))
def a_variable_read_while_the_tape_is_off(x):
    with tf.GradientTape() as tape:
        with tape.stop_recording():
            doubled = 2.0 * x
        y = doubled**2
    return tape.gradient(y, x)


@case("rounding", "keras.ops.round(x)", 2.4)
def keras_round(x):
    return keras.ops.round(x) * b


@case("text", "str(", 2.0)
def through_a_string(x):
    return tf.constant(float(str(x.numpy())[:3])) * b


CASES[-1] = (through_a_string, (2.0,), "numpy", "x.numpy()")


@case("zero", "tf.clip_by_value(x, 0.0, 1.0)", [2.0, 3.0])
def clipped_away(x):
    return tf.reduce_sum(tf.clip_by_value(x, 0.0, 1.0))


@case("not_finite", "tf.math.log(x)", 0.0)
def log_of_zero(x):
    return tf.math.log(x)


@case("integer", "tf.constant(4)")
def a_watched_integer():
    n = tf.constant(4)
    with tf.GradientTape() as tape:
        tape.watch(n)
        y = n * n
    return tape.gradient(y, n)


@case("rebound", None, 2.0)
def rebound_to_an_array(x):
    x = x.numpy()
    return tf.constant(x) * b


CASES[-1] = (rebound_to_an_array, (2.0,), "numpy", "x.numpy()")


class Net(keras.Model):
    def __init__(s):
        super().__init__()
        s.d = keras.layers.Dense(2)
        s.temps = [tf.Variable(1.0)]

    def call(s, x):
        return s.d(x) / s.temps[0]


N = Net()
N(tf.ones((1, 3)))


@case("untracked_variable", "s.temps[0]")
def a_list_of_plain_variables():
    with tf.GradientTape() as t:
        loss = tf.reduce_sum(N(X))
    return t.gradient(loss, N.trainable_weights)


@case("fine", None, [[1.0, 2.0, 3.0]])
def an_untracked_variable_and_an_input(x):
    return tf.reduce_sum(N(x))


CASES.append((N, ([[1.0, 2.0, 3.0]],), "fine", None))
CASES.append((keras.layers.Dense(2), ([[1.0, 2.0, 3.0]],), "fine", None))
CASES.append((tf.round, (2.2,), "rounding", None))
CASES.append((tf.sin, (2.2,), "fine", None))
src = """
def cell(x):
    y = tf.round(x)
    return y * 2
"""
ns = {"tf": tf}
linecache.cache["<cell 7>"] = (len(src), None, src.splitlines(True), "<cell 7>")
exec(compile(src, "<cell 7>", "exec"), ns)
CASES.append((ns["cell"], (2.2,), "rounding", "tf.round(x)"))
src2 = src.replace("cell", "bare")
exec(src2, ns)
CASES.append((ns["bare"], (2.2,), "rounding", None))


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
