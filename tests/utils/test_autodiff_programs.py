"""explain_none on small programs as students write them: classes, dicts, helpers, several tapes."""

import math
from typing import NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

from utils.autodiff import explain_none

C, V = tf.constant, tf.Variable
CASES = []


def case(cause, fragment, *inputs):
    def keep(f):
        CASES.append((f, inputs, cause, fragment))
        return f

    return keep


params = {"w": V(2), "b": V(1.0)}


@case("integer", 'params["w"]')
def dict_of_parameters():
    with tf.GradientTape() as tape:
        y = tf.cast(params["w"], tf.float32) * 3.0 + params["b"]
    return tape.gradient(y, params)


@case("unconnected", None, C([1.0, 2.0]))
def wrong_loss(x):
    w = V(1.0)
    bias = V(0.5)
    with tf.GradientTape() as tape:
        tf.reduce_mean((w * x - 1.0) ** 2)
        val = tf.reduce_mean((bias * x) ** 2)
    return tape.gradient(val, [w, bias])


@case("constant_not_watched", "sum(")
def list_of_constants():
    xs = [tf.constant(float(i)) for i in range(1, 4)]
    with tf.GradientTape() as tape:
        y = sum(x * x for x in xs)
    return tape.gradient(y, xs)


def objective(p):
    return tf.reduce_sum(p**2)


@case("watch_too_late", "watch", C([1.0, 2.0]))
def late_watch(p):
    with tf.GradientTape() as t:
        loss = objective(p)
        t.watch(p)
    return t.gradient(loss, p)


dense = keras.layers.Dense(1)
dense.build((None, 2))


@case("outside_tape", "dense(", C([[1.0, 2.0]]))
def forward_outside(x):
    pred = dense(x)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(keras.losses.mean_squared_error(tf.ones((1, 1)), pred))
    return tape.gradient(loss, dense.trainable_variables)


class Line:
    def __init__(self):
        self.w = tf.Variable(1.0)

    def __call__(self, x):
        return self.w * x

    def train(self, x, y):
        for _ in range(2):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((self(x) - y) ** 2)
            g = tape.gradient(loss, self.w)
            if g is None:
                return g
            self.w = self.w - 0.1 * g
        return g


fit = Line()


@case("variable_replaced", "self.w - 0.1", C([1.0, 2.0]), C([2.0, 4.0]))
def train_line(x, y):
    fit.w = tf.Variable(1.0)
    return fit.train(x, y)


class Scale(keras.layers.Layer):
    def build(self, shape):
        self.k = self.add_weight(shape=(), initializer="ones", name="k")

    def call(self, x):
        return tf.convert_to_tensor(np.maximum((x * self.k).numpy(), 0.0))


scale = Scale()
scale.build((2,))


@case("numpy", ".numpy()", C([1.0, 2.0]))
def layer_numpy(x):
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(scale(x))
    return tape.gradient(y, scale.trainable_variables)


case("python_number", "math.exp", 2.0)(lambda t: tf.constant(math.exp(-t)) * 3)


@case("numpy", "tolist", C([1.0, 2.0]))
def via_list(x):
    return tf.add_n([tf.constant(v) ** 2 for v in x.numpy().tolist()])


@case("variable_copy", "tf.Variable(p)", C([1.0, 2.0]))
def copies(p):
    layers = [tf.Variable(p) for _ in range(2)]
    return tf.reduce_sum(layers[0] * layers[1])


@tf.function
def compiled(x):
    return tf.reduce_sum(tf.numpy_function(np.cumsum, [x], tf.float32))


case("numpy_function", "numpy_function", C([1.0, 2.0]))(compiled)

logits = V([[0.2, 0.8], [0.6, 0.4]])


@case(
    "argmax",
    "argmax",
)
def accuracy_loss():
    with tf.GradientTape() as tape:
        hits = tf.argmax(logits, axis=-1) == tf.constant([1, 0], tf.int64)
        loss = 1.0 - tf.reduce_mean(tf.cast(hits, tf.float32))
    return tape.gradient(loss, logits)


@case("rounding", "//", 7.0)
def pages(n):
    return (n // 3.0) * 2.0


@case("inner_gradient_outside", "g1 = ", 2.0)
def third(x):
    with tf.GradientTape() as t3:
        t3.watch(x)
        with tf.GradientTape() as t2:
            t2.watch(x)
            with tf.GradientTape() as t1:
                t1.watch(x)
                y = x**4
        g1 = t1.gradient(y, x)
        g2 = t2.gradient(g1, x)
    return g2


class Running:
    def __init__(self):
        self.total = tf.Variable(0.0, trainable=False)

    def add(self, v):
        self.total.assign_add(v)
        return self.total.read_value()


run = Running()


@case("state", "assign_add", 2.0)
def summed(x):
    for k in range(3):
        s = run.add(x * k)
    return s * 2


metric = keras.metrics.MeanSquaredError()
w16 = V(1.0)


@case("state", "update_state", C([1.0, 2.0]))
def metric_loss(x):
    with tf.GradientTape() as tape:
        metric.reset_state()
        metric.update_state(x, w16 * x)
        loss = metric.result()
    return tape.gradient(loss, w16)


@case("dataset", "from_tensor_slices", C([1.0, 2.0, 3.0]))
def batches(x):
    total = 0.0
    for part in tf.data.Dataset.from_tensor_slices(x).batch(2):
        total += tf.reduce_sum(part)
    return total


network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2), keras.layers.Dense(1)])


@case("numpy", "predict", C([[1.0, 2.0]]))
def predicted(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(network.predict(x, verbose=0) ** 2)
    return tape.gradient(loss, network.trainable_weights)


@case("outside_tape", None, 3.0)
def two_tapes(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    with tf.GradientTape() as tape:
        tape.watch(x)
        x + 1.0
    return tape.gradient(y, x)


class P(NamedTuple):
    w: object
    b: object


@case("constant_not_watched", None, C(1.0))
def named(x):
    p = P(w=tf.constant(2.0), b=tf.Variable(1.0))
    with tf.GradientTape() as tape:
        y = p.w * x + p.b
    return tape.gradient(y, p)


@case("text", 'f"', 2.5)
def shown(x):
    return tf.strings.to_number(tf.constant(f"{x:.1f}")) * x0


x0 = 2.0

lam = keras.layers.Lambda(lambda t: keras.ops.round(t))
case("rounding", "round", C([1.2, 2.6]))(lambda t: tf.reduce_sum(lam(t)))


def make_target(f):
    def target(x):
        return tf.stop_gradient(f(x))

    return target


case("stop_gradient", "stop_gradient", 3.0)(make_target(lambda x: x * x))


@case("integer", "tf.Variable(n)")
def int_list():
    ws = [tf.Variable(n) for n in (1, 2)]
    with tf.GradientTape() as tape:
        y = ws[0] * ws[1]
    return tape.gradient(y, ws)


w26 = V(1.0)


@case("state", "assign", 2.0)
def load_then(x):
    w26.assign(x)
    return w26 * 3.0


@case("condition", "while", 5.0)
def count_steps(x):
    n = tf.constant(0.0)
    while x > 1.0:
        x = x / 2.0
        n += 1.0
    return n


@case("constant_not_watched", None, C([1.0, 2.0]))
def watch_wrong(x):
    x2 = tf.identity(x)
    with tf.GradientTape() as tape:
        tape.watch(x2)
        y = tf.reduce_sum(x**2)
    return tape.gradient(y, x)


gen = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
disc = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])


@case("numpy", "numpy()", C([[1.0, 2.0]]))
def gan(noise):
    with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
        fake = gen(noise).numpy()
        score = disc(fake)
        g_loss = -tf.reduce_mean(score)
        d_loss = tf.reduce_mean(score)
    d_tape.gradient(d_loss, disc.trainable_variables)
    return g_tape.gradient(g_loss, gen.trainable_variables)


@case("constant_not_watched", "disc(image)", C([[1.0, 2.0]]))
def saliency(image):
    with tf.GradientTape() as tape:
        score = disc(image)[:, 0]
    return tape.gradient(score, image)


@case("unconnected", "x[0]", C([1.0, 2.0]))
def slice_source(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(x**2)
    return tape.gradient(y, x[0])


w = V([1.0, 2.0])


@case("unconnected", "w[0]")
def slice_of_variable():
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(w**2)
    return tape.gradient(y, w[0])


@case("reset", "reset", C(2.0))
def was_reset(x):
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        tape.reset()
        z = y + 1.0
    return tape.gradient(z, x)


class TwoHeads(keras.Model):
    def __init__(self):
        super().__init__()
        self.body = keras.layers.Dense(2)
        self.a = keras.layers.Dense(1)
        self.b = keras.layers.Dense(1)

    def call(self, x, training=False):
        h = self.body(x)
        return self.a(h), self.b(h)


heads = TwoHeads()
heads(C([[1.0, 2.0]]))


@case("unconnected", None, C([[1.0, 2.0]]))
def one_head(x):
    with tf.GradientTape() as tape:
        out, _ = heads(x)
        loss = tf.reduce_sum(out**2)
    return tape.gradient(loss, heads.trainable_variables)


@case("rounding", "ceil", 2.3)
def walrus(x):
    if (n := tf.math.ceil(x)) > 2.0:
        return n * 2
    return x


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


def test_a_source_computed_anew_is_called_by_its_expression():
    assert explain_none(slice_source, C([1.0, 2.0])).source == "x[0]"


def test_the_same_cause_in_several_variables_is_told_once():
    explanation = explain_none(one_head, C([[1.0, 2.0]]))
    kernel, bias = (v.path for v in heads.b.trainable_variables)
    assert explanation.source == kernel
    assert f"The same holds for `{bias}`." in explanation.notes
    assert str(explanation).count("never reaches the result") == 1
