"""Functions written before the code that explains them was read: the cause, the line, no alarm."""

import dataclasses
import functools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from utils.autodiff import draw_tape, explain_none

CASES = []
C = tf.constant
V = tf.Variable


def case(*inputs, cause, line=None):
    def keep(f):
        CASES.append(pytest.param(f, inputs, cause, line, id=f.__name__))
        return f

    return keep


@case(V(3), cause="integer", line="return x * x")
def int_variable(x):
    return x * x


@case(C([1, 2, 3]), cause="integer", line="return tf.reduce_sum(x**2)")
def int_constant(x):
    return tf.reduce_sum(x**2)


@case(
    C([True, False]),
    C(2.0),
    cause="integer",
    line="return tf.reduce_sum(tf.cast(mask, tf.float32)) * w",
)
def bool_beside_float(mask, w):
    return tf.reduce_sum(tf.cast(mask, tf.float32)) * w


@case(V(2), C(3.0), cause="integer", line="return tf.cast(n, tf.float32) * x")
def int_beside_float(n, x):
    return tf.cast(n, tf.float32) * x


@case(3, cause="integer", line=None)
def python_int(x):
    return x * x * x


@case(np.array([1, 2, 3]), cause="integer", line=None)
def numpy_int(x):
    return tf.reduce_sum(x * x)


@case(C("hello"), C(2.0), cause="fine")
def string_input(s, x):
    return tf.cast(tf.strings.length(s), tf.float32) * x


@case(C(3.7), cause="integer_cast", line="tf.cast(x, tf.int32)")
def cast_through_int(x):
    n = tf.cast(x, tf.int32)
    return tf.cast(n, tf.float32) * 2.0


@case(C([1.0, 2.0]), cause="numpy", line="np.mean")
def np_mean_of_list(x):
    values = [x[0] * 2, x[1] * 3]
    return C(np.mean(values))


@case(C(1.0), cause="python_number", line="math.sin")
def math_sin(x):
    y = x * 2.0
    return C(math.sin(y)) * 3.0


@case(C(1.5), cause="text", line='f"{x}"')
def fstring(x):
    text = f"{x}"
    return tf.strings.to_number(text) * 2.0


@case(C(2.0), cause="python_number", line="float(y)")
def float_middle(x):
    y = x * x
    z = float(y)
    return tf.exp(tf.constant(z))


@case(C([1.0, 2.0]), cause="numpy", line=".numpy()")
def numpy_middle(x):
    h = tf.nn.relu(x).numpy()
    return tf.reduce_sum(tf.square(h))


@case(C(2.6), cause="python_number", line="int(x)")
def int_of_x(x):
    n = int(x)
    return tf.constant(1.0) * n


@case(C(7.5), cause="rounding", line="x // 2")
def floordiv(x):
    half = x // 2
    return half * 3.0


@case(C([1.0, -2.0]), cause="comparison", line="x > 0")
def comparison_cast(x):
    positive = tf.cast(x > 0, tf.float32)
    return tf.reduce_sum(positive)


logits0 = C([[0.2, 0.7], [1.0, -1.0]])


@case(logits0, cause="argmax", line="tf.argmax")
def accuracy_as_loss(logits):
    truth = C([1, 0], tf.int64)
    hits = tf.equal(tf.argmax(logits, axis=1), truth)
    return 1.0 - tf.reduce_mean(tf.cast(hits, tf.float32))


@case(C([1.0, 5.0, 2.0]), cause="argmax", line="top_k")
def topk_indices(x):
    _, indices = tf.math.top_k(x, k=2)
    return tf.reduce_sum(tf.cast(indices, tf.float32))


@case(C([1.0, 1.0, 2.0]), cause="no_registered_gradient", line="tf.unique")
def unique(x):
    y, _ = tf.unique(x)
    return tf.reduce_sum(y)


@case(C([0.2, 2.9]), cause="integer_cast", line="tf.cast")
def one_hot(x):
    return tf.reduce_sum(tf.one_hot(tf.cast(x, tf.int32), 4))


@case(C(2.0), cause="stop_gradient", line="stop_gradient")
def stop_gradient(x):
    y = x**2
    frozen = tf.stop_gradient(y)
    return frozen + 1.0


@case(C(2.0), cause="stop_gradient", line="keras.ops.stop_gradient")
def keras_stop(x):
    return keras.ops.square(keras.ops.stop_gradient(x))


@case(C(2.0), cause="variable_copy", line="tf.Variable(")
def variable_copy(x):
    v = tf.Variable(x * 2.0)
    return v * v


@case(C(2.0), cause="numpy", line=".numpy()")
def in_comprehension(x):
    parts = [tf.constant(x.numpy() * k) for k in range(3)]
    return tf.add_n(parts)


@case(C([1.0, 2.0]), cause="numpy_function", line="tf.numpy_function")
def numpy_function(x):
    y = tf.numpy_function(lambda a: np.tanh(a), [x], tf.float32)
    return tf.reduce_sum(y)


@case(C([1.4, 2.6]), cause="rounding", line="tf.round")
def round_op(x):
    return tf.reduce_sum(tf.round(x) * 2)


@case(C([1.4, 2.6]), cause="rounding", line="keras.ops.floor")
def keras_floor(x):
    return keras.ops.sum(keras.ops.floor(x))


@case(C([1.4, 2.6]), cause="zero", line="tf.sign")
def sign(x):
    return tf.reduce_sum(tf.sign(x))


@case(C([-1.0, -2.0]), cause="zero", line="relu")
def relu_inactive(x):
    return tf.reduce_sum(tf.nn.relu(x))


@case(C(1.0), C(2.0), cause="unconnected")
def unused_input(x, y):
    return y * 2.0


@case(C(1.0), cause="condition", line="if x > 0.5:")
def early_return(x):
    if x > 0.5:
        return tf.constant(0.0)
    return x * x


@case(C(1.0), C(5.0), cause="branch_not_taken", line="result = y * 2")
def branch_not_taken(x, y):
    if x < 3.0:
        result = x * x
    else:
        result = y * 2
    return result


@case(C(2.0), cause="condition", line="if x > 1")
def only_condition(x):
    if x > 1:
        return C(10.0)
    return C(20.0)


@case(C(3.0), cause="condition", line="while")
def loop_count(x):
    total = C(0.0)
    i = 0
    while i < x:
        total = total + 1.5
        i += 1
    return total


@case(C(3.0), cause="python_number", line="range(int(x))")
def range_int(x):
    y = C(1.0)
    for _ in range(int(x)):
        y = y * 2.0
    return y


@case({"w": C(2.0), "b": C(1.0)}, cause="unconnected")
def dict_unused(params):
    return params["w"] * 3.0


@case([C(2.0), C(1.0), C(5.0)], cause="unconnected")
def list_unused(ws):
    return ws[0] * ws[1]


@case(C(2.0), cause="python_number", line="float(")
def returns_float(x):
    y = x * x
    return float(y)


@case(C([1.0, 2.0]), cause="numpy", line=".numpy()")
def returns_numpy(x):
    y = x * x
    return y.numpy().sum()


@case(C(3.0), cause="constant_not_watched", line="y = x * x")
def own_tape_unwatched(x):
    with tf.GradientTape() as tape:
        y = x * x
    return tape.gradient(y, x)


@case(C(3.0), cause="watch_too_late", line="tape.watch")
def watch_late(x):
    with tf.GradientTape() as tape:
        y = x * x
        tape.watch(x)
    return tape.gradient(y, x)


w44 = V(3.0)


@case(cause="outside_tape", line="y = w44 * w44")
def op_outside_tape():
    y = w44 * w44
    with tf.GradientTape() as tape:
        C(1.0)
    return tape.gradient(y, w44)


w45 = V(3.0)


@case(cause="variable_replaced", line="w = w - 0.1")
def rebound():
    w = w45
    for _ in range(2):
        with tf.GradientTape() as tape:
            loss = (w - 1.0) ** 2
        g = tape.gradient(loss, w)
        if g is None:
            return g
        w = w - 0.1 * g
    return g


@case(C(1.0), cause="inner_gradient_outside", line="t1.gradient")
def second_outside(x):
    with tf.GradientTape() as t2:
        t2.watch(x)
        with tf.GradientTape() as t1:
            t1.watch(x)
            y = x**3
    dy = t1.gradient(y, x)
    return t2.gradient(dy, x)


@case(C(3.0), cause="tape_used_up", line="tape.gradient(z, x)")
def second_gradient(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        z = y * y
    dy = tape.gradient(y, x)
    dz = tape.gradient(z, x)
    return dy + dz


w48 = V(2.0, trainable=False)


@case(cause="not_trainable", line="y = w48**2")
def not_trainable():
    with tf.GradientTape() as tape:
        y = w48**2
    return tape.gradient(y, w48)


w49 = V(2.0)


@case(cause="not_watched", line="y = w49**2")
def no_access_watch():
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        y = w49**2
    return tape.gradient(y, w49)


w50 = V(2.0)


@case(cause="constant_not_watched", line="w50 + 1.0")
def variable_plus():
    x = w50 + 1.0
    with tf.GradientTape() as tape:
        y = x * x
    return tape.gradient(y, x)


w51 = V(2.0)


@case(cause="stop_recording", line="y = w51 * w51")
def stop_recording():
    with tf.GradientTape() as tape:
        with tape.stop_recording():
            y = w51 * w51
    return tape.gradient(y, w51)


w52 = V(2.0)


@case(cause="reset", line="tape.reset")
def reset():
    with tf.GradientTape() as tape:
        y = w52 * w52
        tape.reset()
    return tape.gradient(y, w52)


state = V(0.0)


@case(C(4.0), cause="state", line="state.assign")
def assign_read(x):
    state.assign(x * 2.0)
    return state * 3.0


counter = V(0.0)


@case(C(4.0), cause="state", line="assign_add")
def assign_add(x):
    counter.assign(0.0)
    for k in range(3):
        counter.assign_add(x * k)
    return counter.read_value()


frozen = keras.Sequential(
    [keras.Input((2,)), keras.layers.Dense(3, activation="tanh"), keras.layers.Dense(1)]
)

frozen.layers[0].trainable = False

xb = C([[0.5, -1.0], [1.0, 2.0]])


@case(cause="fine")
def frozen_layer():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(frozen(xb) ** 2)
    return tape.gradient(loss, frozen.layers[0].kernel)


class Scaled(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)
        self.scale = tf.Variable(2.0)

    def call(self, x):
        return self.dense(x) * self.scale


scaled = Scaled()

scaled(xb)


@case(cause="fine")
def tfvariable_attribute():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(scaled(xb))
    return tape.gradient(loss, scaled.scale)


clf = keras.Sequential(
    [keras.Input((2,)), keras.layers.Dense(4, activation="relu"), keras.layers.Dense(3)]
)


@case(xb, cause="numpy", line=".predict")
def predict(x):
    p = clf.predict(x, verbose=0)
    return tf.reduce_sum(p)


@case(C([[1.0, 2.0]]), cause="integer_cast", line="emb(x)")
def embedding(x):
    emb = keras.layers.Embedding(5, 2)
    vectors = emb(x)
    return tf.reduce_sum(vectors**2)


acc = keras.metrics.SparseCategoricalAccuracy()


@case(xb, cause="argmax", line="acc")
def metric_loss(x):
    acc.reset_state()
    acc.update_state([0, 1], clf(x))
    return acc.result()


metric_mean = keras.metrics.Mean()


@case(C(3.0), cause="state", line="metric_mean")
def mean_metric(x):
    metric_mean.reset_state()
    metric_mean.update_state(x * x)
    return metric_mean.result() * 2.0


two = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2), keras.layers.Dense(1)])


@case(cause="unconnected")
def skipped_layer():
    with tf.GradientTape() as tape:
        h = two.layers[1](xb)
        loss = tf.reduce_sum(h)
    return tape.gradient(loss, two.layers[0].trainable_variables)


@tf.function
def graph_round(x):
    h = x * 2.0
    r = tf.round(h)
    return r * 3.0


CASES.append(pytest.param(graph_round, (C(1.3),), "rounding", "tf.round", id="tf_function_round"))


@tf.function
def graph_stop(x):
    return tf.stop_gradient(x * x) + 1.0


@case(C(1.3), cause="stop_gradient", line="return tf.stop_gradient(x * x) + 1.0")
def calls_tf_function(x):
    y = graph_stop(x)
    return y * 2.0


@case(C([1.2, 2.7, 3.1]), cause="rounding", line="tf.floor")
def map_fn(x):
    y = tf.map_fn(lambda e: tf.floor(e), x)
    return tf.reduce_sum(y)


@case(C(0.3), cause="condition", line="tf.cond")
def cond(x):
    return tf.cond(x > 1.0, lambda: x * 2.0, lambda: C(0.0))


@case(C([1.0, 2.0]), cause="only_shape", line="tf.random.normal")
def random_shape_only(x):
    noise = tf.random.normal(tf.shape(x))
    return tf.reduce_sum(noise)


@case(C([1.0, 2.0]), cause="only_shape", line="tf.zeros_like")
def zeros_like(x):
    return tf.reduce_sum(tf.zeros_like(x) + 5.0)


@case(C(2.0), cause="text", line="tf.strings.as_string")
def as_string(x):
    s = tf.strings.as_string(x)
    return tf.strings.to_number(s) ** 2


class Net:
    def __init__(self):
        self.w = V(1.5)

    def forward(self, x):
        h = self.w * x
        return tf.math.ceil(h)


net = Net()

CASES.append(pytest.param(net.forward, (C(2.0),), "rounding", "tf.math.ceil", id="method"))

CASES.append(
    pytest.param(
        lambda x: tf.cast(tf.cast(x, tf.int64), tf.float32),
        (C(2.0),),
        "integer_cast",
        "tf.int64",
        id="lambda",
    )
)


def scale_by(k, x):
    return k * C(x.numpy())


CASES.append(
    pytest.param(functools.partial(scale_by, 3.0), (C(2.0),), "numpy", "x.numpy()", id="partial")
)


def logged(f):

    @functools.wraps(f)
    def inner(*args):
        result = f(*args)
        return result

    return inner


@case(C([1.0, 2.0]), cause="argmax", line="tf.argmax")
@logged
def decorated(x):
    i = tf.argmax(x)
    return tf.cast(i, tf.float32) * 2.0


def standardise(x):
    x = np.asarray(x)
    return (x - x.mean()) / x.std()


@case(C([1.0, 2.0, 4.0]), cause="numpy", line="np.asarray(x)")
def helper(x):
    z = standardise(x)
    return tf.reduce_sum(tf.constant(z) ** 3)


def make_closure():
    scale = C(2.0)

    def inside(x):
        y = x * scale
        return tf.constant(y.numpy().tolist())

    return inside


CASES.append(pytest.param(make_closure(), (C(4.0),), "numpy", "y.numpy()", id="closure"))


@case(C([1.0, 2.0]), cause="python_number", line="float(v)")
def sum_of_floats(x):
    return tf.constant(sum([float(v) for v in x]))


@case(C([1.0, 2.0]), C([3.0]), cause="unconnected")
def several_outputs(a, b):
    return (tf.reduce_sum(a), a * 3.0)


@case(C([0.2, 0.4]), cause="rounding", line="tf.floor")
def dict_output(x):
    return {"loss": tf.reduce_sum(tf.floor(x)), "shape": tf.shape(x)}


@case(C([[1.0, 2.0]]), cause="numpy", line=".item()")
def item(x):
    s = tf.reduce_sum(x).numpy().item()
    return tf.math.log(s)


@case(C([3.0, 1.0, 2.0]), cause="argmax", line="tf.argsort")
def argsort(x):
    order = tf.argsort(x)
    return tf.reduce_sum(tf.cast(order, tf.float32) * C([1.0, 2.0, 3.0]))


@case(C([3.0, 1.0]), cause="numpy", line="np.exp")
def py_function_numpy(x):

    def g(a):
        return tf.constant(np.exp(a.numpy()))

    return tf.reduce_sum(tf.py_function(g, [x], tf.float32))


@case(C(2.0), cause="zero", line="zero_gradient")
def custom_zero(x):

    @tf.custom_gradient
    def zero_gradient(v):
        return (v * v, lambda up: tf.zeros_like(up))

    return zero_gradient(x) * 3.0


@case(C(2.0), cause="condition", line="return C(1.0) if inside else C(0.0)")
def bool_and(x):
    inside = x > 1.0 and x < 3.0
    return C(1.0) if inside else C(0.0)


@case(tf.ragged.constant([[1.0, 2.0], [3.0]]), cause="only_shape", line="row_lengths")
def ragged_lengths(r):
    return tf.reduce_sum(tf.cast(r.row_lengths(), tf.float32))


@case(C([1.0, 2.0, 3.0]), cause="comparison", line="x > 1.5")
def where_condition(x):
    return tf.reduce_sum(tf.where(x > 1.5, 1.0, 0.0))


@case(C([1.0, 2.0, 3.0]), cause="only_shape", line="x.shape[0]")
def shape(x):
    n = x.shape[0]
    return C(1.0) * n


@case(C([0.1, 0.9]), cause="no_gradient", line="histogram")
def histogram(x):
    return tf.reduce_sum(tf.cast(tf.histogram_fixed_width(x, [0.0, 1.0], 3), tf.float32))


@case(C([1.0, 2.0]), cause="fine")
def gather(x):
    return tf.reduce_sum(tf.gather(x, [0, 1, 1]))


@case(C([1.0, 2.0]), cause="fine")
def print_inside(x):
    tf.print("x =", x[0], output_stream="file:///dev/null")
    return tf.reduce_sum(x * x)


@case(C([1.0, 2.0]), cause="fine")
def float_log(x):
    y = tf.reduce_sum(x * x)
    print("value", float(y), end="\r")
    return y


@case(C([1.0, -2.0]), cause="fine")
def boolean_mask(x):
    return tf.reduce_sum(tf.boolean_mask(x, x > 0))


@case(C([1.0, 5.0, 2.0]), cause="fine")
def topk_values(x):
    v, _ = tf.math.top_k(x, k=2)
    return tf.reduce_sum(v)


@case(C([1.0, 5.0, 2.0]), cause="fine")
def sort(x):
    return tf.reduce_sum(tf.sort(x) * C([1.0, 2.0, 3.0]))


@case(C(2.0, tf.float64), cause="fine")
def float64(x):
    return x**3


@case(C(2.0, tf.float16), cause="fine")
def float16(x):
    return tf.cast(x, tf.float32) ** 2


@case(C(1.0 + 2j), cause="fine")
def complex(z):
    return tf.math.abs(z) ** 2


@case(C(3.0), cause="fine")
def while_loop(x):
    _, y = tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * x), (0, x))
    return y


@case(C([1.0, 2.0]), cause="fine")
def scan(x):
    return tf.scan(lambda a, e: a * e + e, x)[-1]


@case(C(0.0), cause="fine")
def stationary(x):
    return x * x


@case(C(3.0), cause="fine")
def tensorarray(x):
    ta = tf.TensorArray(tf.float32, size=3)
    for i in range(3):
        ta = ta.write(i, x * float(i + 1))
    return tf.reduce_sum(ta.stack())


@case(C(3.0), cause="fine")
def py_function(x):
    return tf.py_function(lambda a: a * a, [x], tf.float32)


@case(C(3.0), cause="fine")
def second(x):
    with tf.GradientTape() as t2:
        t2.watch(x)
        with tf.GradientTape() as t1:
            t1.watch(x)
            y = x**3
        dy = t1.gradient(y, x)
    return t2.gradient(dy, x)


bn = keras.Sequential(
    [
        keras.Input((2,)),
        keras.layers.Dense(4),
        keras.layers.BatchNormalization(),
        keras.layers.ReLU(),
        keras.layers.Dense(1),
    ]
)


@case(xb, cause="fine")
def batchnorm_training(x):
    return tf.reduce_mean((bn(x, training=True) - C([[1.0], [3.0]])) ** 2)


drop = keras.Sequential(
    [keras.Input((2,)), keras.layers.Dropout(0.3, seed=4), keras.layers.Dense(1)]
)


@case(C([[0.5, -1.0], [1.0, 2.0], [3.0, 1.0]]), cause="fine")
def dropout_training(x):
    return tf.reduce_mean(drop(x, training=True) ** 2)


emb20 = keras.layers.Embedding(5, 2)

emb20(C([0]))


@case(cause="fine")
def embedding_weights():
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(emb20(C([1, 2])) ** 2)
    return tape.gradient(loss, emb20.trainable_variables)


@case(C(2.0), cause="fine")
@tf.function
def tf_function(x):
    if x > 1.0:
        return x * x
    return x


@case(C(2.0), cause="fine")
def custom_gradient(x):

    @tf.custom_gradient
    def clip(v):
        return (v, lambda up: tf.clip_by_value(up, -1.0, 1.0))

    return clip(x) ** 3


@case({"w": C([[1.0, 2.0]]), "b": [C(1.0), C(2.0)]}, cause="fine")
def nested(p):
    return tf.reduce_sum(p["w"]) * p["b"][0] + p["b"][1] ** 2


@case(C(1.5), cause="fine")
def recursion(x):

    def power(b, n):
        return C(1.0) if n == 0 else b * power(b, n - 1)

    return power(x, 4)


w25 = V(2.0)


@case(cause="fine")
def training_loop():
    for _ in range(3):
        with tf.GradientTape() as tape:
            loss = (w25 - 5.0) ** 2
        g = tape.gradient(loss, w25)
        w25.assign_sub(0.1 * g)
    return g


@case(xb, cause="fine")
def softmax_loss(x):
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)(C([0, 2]), clf(x))


w27 = V([1.0, 2.0])


@case(cause="fine")
def no_inputs_loss():
    return tf.reduce_sum(w27**2)


@case(C([2.0, 0.5]), cause="fine")
def python_branch(x):
    s = tf.reduce_sum(x)
    if float(s) > 1.0:
        return s * 2.0
    return s


@case(3.0, cause="fine")
def python_float(x):
    return tf.sin(x) * x


@case(np.array([1.0, 2.0], np.float32), cause="fine")
def numpy_float(x):
    return tf.reduce_sum(tf.exp(x))


@case(C([1.0, 2.0]), cause="fine")
def largest(x):
    return tf.reduce_max(x)


@case(C([1.0, 2.0, 3.0]), cause="fine")
def slice(x):
    return x[0] * x[2]


@case(C(2.0), cause="fine")
def stop_partly(x):
    return tf.stop_gradient(x) * x


@case(C(2.0), cause="numpy", line="z = y.numpy()")
def round_then_numpy(x):
    y = tf.round(x * 1.3)
    z = y.numpy()
    return tf.constant(z) * 2.0


@case(V(3), cause="integer", line="y = tf.stop_gradient(tf.cast(x, tf.float32))")
def int_and_stop(x):
    y = tf.stop_gradient(tf.cast(x, tf.float32))
    return y * y


@case(C(2.0), C(3.0), cause="numpy", line=".numpy()")
def two_inputs(x, y):
    a = x.numpy() * 2
    b = tf.floor(y)
    return a + b


@case(C(2.0), cause="rounding", line="tf.round")
def parallel(x):
    a = tf.round(x)
    b = tf.floor(x)
    return a * b


@case(C(3.0), cause="numpy", line="y = np.square(x)")
def tape_unwatched_numpy(x):
    with tf.GradientTape() as tape:
        y = np.square(x)
        z = tf.constant(y) * 2.0
    return tape.gradient(z, x)


w06 = V(2, dtype=tf.int32, trainable=False)


@case(cause="integer", line="y = tf.cast(w06, tf.float32) ** 2")
def int_not_trainable():
    with tf.GradientTape() as tape:
        y = tf.cast(w06, tf.float32) ** 2
    return tape.gradient(y, w06)


@case(C(2.0), cause="python_number", line="float(x)")
def float_round(x):
    a = float(x)
    b = tf.round(a * 1.7)
    return b * 2


@case(C([1.0, 2.0]), cause="fine")
def gather_at_argmax(x):
    return x[tf.argmax(x)]


@case(
    V([1, 2]),
    C([0.5, 1.5]),
    cause="integer",
    line="return tf.reduce_sum(tf.cast(n, tf.float32) * x)",
)
def int_variable_beside_a_float(n, x):
    return tf.reduce_sum(tf.cast(n, tf.float32) * x)


@case(C(1.7), cause="fine")
def np_floor_beside_a_live_way(x):
    return x - x + np.floor(x)


@case(C([1.0, 2.0]), cause="numpy", line="x.numpy()")
def largest_by_numpy(x):
    m = x.numpy().max()
    return tf.constant(2.0) * m


@case(C(2.0), cause="fine")
def python_max(x):
    return max(x, 0.0) ** 2


@case(C([1.0, 2.0, 3.0]), cause="fine")
def python_sum_of_a_tensor(x):
    return sum([v * v for v in x])


@case(C([3.0, 1.0]), cause="fine")
def python_sorted(x):
    a, b = sorted(x)
    return a * b


@case(C(2.0), cause="numpy", line="str(")
def text_and_back(x):
    return tf.constant(float(str(x.numpy())))


@case(C(2.0), cause="fine")
def printed_by_the_way(x):
    tf.print(x, output_stream="file:///dev/null")
    return x * x


@case(C([[1.0, 2.0], [3.0, 4.0]]), cause="only_shape", line="tf.shape(x)")
def rows_counted(x):
    n = tf.cast(tf.shape(x)[0], tf.float32)
    return n * 2.0


@case(C([0.2, 0.8]), C([0.0, 1.0]), cause="rounding", line="tf.round(p)")
def accuracy_by_rounding(p, y):
    return tf.reduce_mean(tf.cast(tf.equal(tf.round(p), y), tf.float32))


@case(C([0.2, 0.8]), cause="comparison", line="binary_accuracy")
def keras_binary_accuracy(p):
    return keras.metrics.binary_accuracy(C([0.0, 1.0]), p)


@case(C([[0.1, 0.9]]), cause="fine")
def cross_entropy(p):
    return keras.losses.sparse_categorical_crossentropy(C([1]), p)


@case(C(2.0), cause="fine")
def modulo(x):
    return x % 1.5


@case(C(2.5), cause="rounding", line="x // 2.0")
def quotient(x):
    whole, _ = (x // 2.0, x % 2.0)
    return whole


@case(C(2.0), cause="integer_cast", line="tf.bitcast")
def bits_reinterpreted(x):
    return tf.cast(tf.bitcast(x, tf.int32), tf.float32)


@case(C(2.0), cause="integer_cast", line="tf.cast(x, tf.int32)")
def array_of_integers(x):
    ta = tf.TensorArray(tf.int32, 2)
    for i in range(2):
        ta = ta.write(i, tf.cast(x, tf.int32) + i)
    return tf.cast(tf.reduce_sum(ta.stack()), tf.float32)


@case(C([1.0, 2.0]), cause="integer_cast", line="tf.saturate_cast")
def saturated_pixels(x):
    return tf.reduce_mean(tf.cast(tf.saturate_cast(x * 255, tf.uint8), tf.float32))


@case(C([1.0, 2.0]), cause="fine")
def fake_quantisation(x):
    return tf.reduce_sum(tf.quantization.fake_quant_with_min_max_args(x))


m19 = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3), keras.layers.Softmax()])


@case(C([[1.0, 2.0]]), cause="numpy", line="np.argmax")
def np_argmax_of_a_model(x):
    k = np.argmax(m19(x), axis=-1)
    return tf.constant(k, tf.float32)


@case(cause="unconnected")
def spare_layer():
    a = keras.layers.Dense(2, name="used")
    b = keras.layers.Dense(2, name="spare")
    x = C([[1.0, 2.0]])
    b(x)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(a(x))
    return tape.gradient(loss, b.kernel)


class Sub(keras.Model):
    def __init__(self):
        super().__init__()
        self.d = keras.layers.Dense(1)
        self.gain = tf.Variable(1.5)

    def call(self, x):
        return self.d(x) * self.gain


sub = Sub()

sub(C([[1.0, 2.0]]))


@case(cause="untracked_variable", line="return self.d(x) * self.gain")
def untracked_gain():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(sub(C([[1.0, 2.0]])) ** 2)
    return tape.gradient(loss, sub.trainable_variables)


fz = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])

fz.trainable = False


@case(cause="no_sources", line=None)
def nothing_trainable():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(fz(C([[1.0, 2.0]])))
    return tape.gradient(loss, fz.trainable_variables)


CASES.append(pytest.param(m19, (C([[1.0, 2.0]]),), "fine", None, id="model_itself"))

bnm = keras.Sequential([keras.Input((2,)), keras.layers.BatchNormalization()])

bnm(C([[1.0, 2.0]]))


@case(cause="unconnected")
def moving_mean():
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(bnm(C([[1.0, 2.0], [0.0, 1.0]]), training=True))
    return tape.gradient(loss, bnm.layers[0].moving_mean)


disc = keras.Sequential([keras.Input((2,)), keras.layers.Discretization(bin_boundaries=[0.0, 1.0])])


@case(C([[0.5, 2.0]]), cause="argmax", line="return tf.reduce_sum(tf.cast(disc(x), tf.float32))")
def discretised(x):
    return tf.reduce_sum(tf.cast(disc(x), tf.float32))


@tf.function
def g26(x):
    if x > 2.0:
        return x * x
    return tf.constant(0.0)


CASES.append(
    pytest.param(g26, (C(1.0),), "condition", "if x > 2.0", id="constant_branch_in_a_graph")
)


@tf.function
def g27(x):
    s = tf.constant(0.0)
    i = tf.constant(0.0)
    while i < x:
        s += 2.0
        i += 1.0
    return s


CASES.append(pytest.param(g27, (C(3.0),), "condition", "while i < x", id="rounds_in_a_graph"))


@tf.function(jit_compile=True)
def g28(x):
    return tf.cast(tf.math.floor(x), tf.float32) * 3


CASES.append(pytest.param(g28, (C(3.2),), "rounding", "tf.math.floor", id="compiled_floor"))


@case(C(3.0), cause="no_gradient", line="tf.floor")
def floor_in_a_vectorized_map(x):
    return tf.reduce_sum(tf.vectorized_map(lambda a: tf.floor(a * x), C([1.0, 2.5])))


@dataclasses.dataclass
class Line:
    w: object
    b: object

    def __call__(self, x):
        return self.w * x + self.b


line31 = Line(V(2.0), 1.0)

CASES.append(pytest.param(line31, (C(3.0),), "fine", None, id="callable_object"))


@case(C(3.0), cause="numpy", line="np.array")
def np_array_of_tensors(x):
    rows = np.array([[x, 2 * x], [1.0, x]])
    return tf.reduce_sum(tf.constant(rows, tf.float32))


@case(C(3.0), cause="fine")
def determinant(x):
    return tf.linalg.det(tf.stack([[x, 2.0], [1.0, x]]))


@case(C([3.0]), cause="numpy", line=".numpy()")
def read_by_a_lambda(x):
    read = lambda t: t.numpy()[0]
    return tf.math.exp(read(x))


w36 = V(1.0)


@case(C(2.0), cause="state", line="w36.assign")
def stored_before_the_tape(x):
    w36.assign(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = w36 * w36
    return tape.gradient(y, x)


@case(C(2.0), cause="outside_tape", line="y = x**2")
def recorded_by_another_tape(x):
    with tf.GradientTape() as a:
        a.watch(x)
        y = x**2
    with tf.GradientTape() as b:
        b.watch(x)
    return b.gradient(y, x)


@case(C(2.0), cause="swapped", line="return tape.gradient(x, y)")
def target_and_source_swapped(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x**2
    return tape.gradient(x, y)


@case(C(2.0), cause="constant_not_watched", line="y = x**2")
def watched_a_copy(x):
    with tf.GradientTape() as tape:
        tape.watch(tf.identity(x))
        y = x**2
    return tape.gradient(y, x)


@case(C(2.0), cause="variable_replaced", line="x = x + 1.0")
def rebound_in_the_tape(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x**2
        x = x + 1.0
    return tape.gradient(y, x)


@case(C(2.0), cause="inner_gradient_outside", line="inner.gradient")
def first_derivative_outside(x):
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = tf.sin(x)
    d1 = inner.gradient(y, x)
    d2 = outer.gradient(d1, x)
    return d2


@case(C(2.0), cause="unconnected")
def second_derivative_of_a_line(x):
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = 3.0 * x
        d1 = inner.gradient(y, x)
    return outer.gradient(d1, x)


@case(C([1.0, 2.0]), cause="fine")
def jacobian_of_squares(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x**2
    return tape.jacobian(y, x)


@case(C(0.0), cause="not_finite", line="tf.sqrt(x)")
def root_at_zero(x):
    return tf.sqrt(x)


@case(C([1.0]), cause="fine")
def half_precision(x):
    return tf.cast(tf.cast(x, tf.float16), tf.float32)


@case(C([1.0, 2.0]), cause="unconnected")
def forgotten_result(x):
    y = tf.constant([1.0, 1.0])
    z = x * 3
    return tf.reduce_sum(y)


@case(C([1.0, 2.0]), C(1.0), cause="unconnected")
def misspelt_name(x, scale):
    sacle = 2.0
    return tf.reduce_sum(x) * sacle


@case({"a": {"w": C(1.0)}, "b": (C(2.0), C([1, 2]))}, cause="fine")
def labels_in_a_tuple(p):
    return p["a"]["w"] * p["b"][0] * tf.cast(p["b"][1][0], tf.float32)


@case(C([1.0, 2.0, 3.0, 4.0]), cause="dataset", line="for")
def dataset_loop(x):
    total = C(0.0)
    for part in tf.data.Dataset.from_tensor_slices(x).batch(2):
        total += tf.reduce_sum(part**2)
    return total


@case(C(2.0), cause="python_number", line="float(")
def number_in_a_try(x):
    try:
        y = math.sqrt(float(x))
    except ValueError:
        y = 0.0
    return tf.constant(y)


@case(C(2.0), cause="numpy", line=".numpy()")
def walrus_numpy(x):
    if (v := x.numpy()) > 1:
        return tf.exp(C(v))
    return x


@case(C(2.0), cause="python_number", line="float(t)")
def generator_of_floats(x):
    return C(sum(float(t) for t in [x, x * 2]))


@case(C([1.0, 2.0]), cause="fine")
def matched_by_length(x):
    match len(x):
        case 2:
            return tf.reduce_prod(x)
        case _:
            return tf.reduce_sum(x)


@case(C([[1.0, 2.0]]), cause="fine")
def resized_image(x):
    return tf.reduce_sum(tf.image.resize(x[..., None, None], (2, 2)))


@case(C([1.0, 2.0]), cause="text", line="as_string")
def text_of_all(x):
    s = tf.strings.reduce_join(tf.strings.as_string(x), separator=",")
    return tf.cast(tf.strings.length(s), tf.float32)


@case(C([0.3, 0.7]), cause="random", line="tf.random.categorical")
def categorical_draw(x):
    k = tf.random.categorical(tf.math.log([x]), 1)
    return tf.cast(k[0, 0], tf.float32) + 1.0


@case(C(1.0), cause="fine")
def reparameterised_draw(mu):
    return tf.reduce_mean(mu + tf.random.normal((3,)))


@case(C([2.0]), cause="fine")
def mean_of_a_draw(mu):
    return tf.reduce_sum(tf.random.normal((3,), mean=mu))


@case(C([1.0, 2.0]), cause="fine")
def sums_and_norms(x):
    return tf.reduce_sum(tf.cumsum(x) * tf.linalg.norm(x))


@case(C(2.0), cause="numpy", line=".item()")
def logged_items(x):
    log = []
    for k in range(3):
        log.append((x * k).numpy().item())
    return tf.constant(log)


@case(tf.sparse.from_dense([[0.0, 2.0]]), cause="fine")
def sparse_sum(s):
    return tf.sparse.reduce_sum(s) * 2.0


@case(tf.ragged.constant([[1.0, 2.0], [3.0]]), cause="fine")
def ragged_squares(r):
    return tf.reduce_sum(r * r)


@case(tf.ragged.constant([[1.0, 2.0], [3.0]]), cause="rounding", line="tf.floor")
def ragged_floor(r):
    return tf.reduce_sum(tf.floor(r))


@case(C(2.0, tf.complex64), cause="fine")
def real_part(z):
    return tf.math.real(z * z)


@case(C(2.0), cause="numpy", line="convert_to_numpy")
def keras_to_numpy(x):
    return tf.constant(keras.ops.convert_to_numpy(x)) ** 2


@case(C(2.0), cause="state", line="assign_add")
def added_to_a_new_variable(x):
    v = tf.Variable(1.0)
    v.assign_add(x)
    return v * 2


@case(C(2.0), cause="python_number", line="float(value)")
def settings_of_floats(x):
    settings = {k: float(value) for k, value in {"rate": x}.items()}
    return C(1.0) / settings["rate"]


@case(C([1.0, 2.0]), cause="numpy", line=".tolist()")
def two_from_a_list(x):
    a, b = x.numpy().tolist()
    return C(a * b)


@case(C([3.0, 1.0, 2.0]), cause="fine")
def smallest_by_argsort(x):
    return tf.gather(x, tf.argsort(x))[0]


@pytest.mark.parametrize("f, inputs, cause, line", CASES)
def test_the_cause_is_named_and_the_line_quoted(f, inputs, cause, line):
    explanation = explain_none(f, *inputs)

    assert explanation.cause == cause, str(explanation)
    if line is not None:
        assert explanation.line is not None and line in explanation.line, str(explanation)


@pytest.mark.parametrize(
    "f, further",
    [
        ("round_then_numpy", "tf.round"),
        ("int_and_stop", "tf.stop_gradient"),
        ("parallel", "tf.floor"),
        ("two_inputs", "tf.floor"),
        ("tape_unwatched_numpy", "tape.watch(x)"),
        ("int_not_trainable", "trainable=False"),
    ],
)
def test_a_second_break_is_named_too(f, further):
    function, inputs = next(case.values[:2] for case in CASES if case.id == f)

    assert any(further in note for note in explain_none(function, *inputs).notes)


NO_PICTURE = ("python_int", "returns_float", "returns_numpy", "second_gradient")


@pytest.mark.parametrize(
    "f, inputs",
    [pytest.param(*case.values[:2], id=case.id) for case in CASES if case.id not in NO_PICTURE],
)
def test_each_has_a_picture(f, inputs):
    assert draw_tape(f, *inputs).get_label().startswith("What ")
