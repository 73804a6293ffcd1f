"""explain_none on what guides, forums and lessons do wrong and right."""

import math
import random

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
w = tf.Variable([1.0, 2.0, 3.0])
kv = keras.Variable(3.0)
net = keras.Sequential(
    [keras.Input((3,)), keras.layers.Dense(4, activation="relu"), keras.layers.Dense(1)]
)
X = tf.ones((2, 3))


@case("constant_not_watched", "x + v")
def ones_not_watched():
    x = tf.ones((2, 2))
    with tf.GradientTape() as t:
        y = tf.reduce_sum(x + v)
    return t.gradient(y, x)


@case("watch_too_late", "g.watch(x)")
def watched_after_the_sum():
    x = tf.ones([2, 2])
    with tf.GradientTape() as g:
        y = tf.reduce_sum(x)
        g.watch(x)
        z = y * y
    return g.gradient(z, x)


@case("numpy", "np.mean(x2, axis=0)")
def numpy_mean_of_a_square():  # the TensorFlow guide's own example
    x = tf.Variable([[1.0, 2.0], [3.0, 4.0]], dtype=tf.float32)
    with tf.GradientTape() as tape:
        x2 = x**2
        y = np.mean(x2, axis=0)
        y = tf.reduce_mean(y, axis=0)
    return tape.gradient(y, x)


@case("variable_replaced", "x = x + 1")
def an_epoch_too_many():
    x = tf.Variable(2.0)
    for _epoch in range(2):
        with tf.GradientTape() as tape:
            y = x + 1
        print(type(x).__name__, ":", tape.gradient(y, x))
        x = x + 1  # This should be `x.assign_add(1)`


@case("unconnected", "z = y * y")
def printed_and_not_returned():
    x = tf.Variable(2.0)
    y = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        z = y * y
    print(tape.gradient(z, x))


@case("integer", None)
def a_watched_integer():
    x = tf.constant(10)
    with tf.GradientTape() as g:
        g.watch(x)
        y = x * x
    print(g.gradient(y, x))


@case("state", None)
def an_assigned_sum():
    x0 = tf.Variable(3.0)
    x1 = tf.Variable(0.0)
    with tf.GradientTape() as tape:
        x1.assign_add(x0)
        y = x1**2
    print(tape.gradient(y, x0))


@case("condition", "x > 0.0")
def a_condition():
    x = tf.constant(1.0)
    v0 = tf.Variable(2.0)
    v1 = tf.Variable(2.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        if x > 0.0:
            result = v0
        else:
            result = v1**2
    return tape.gradient(result, x)


@case("branch_not_taken", "result = v1**2")
def the_other_branch():
    x = tf.constant(1.0)
    v0 = tf.Variable(2.0)
    v1 = tf.Variable(2.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        if x > 0.0:
            result = v0
        else:
            result = v1**2
    return tape.gradient(result, [v0, v1])


@case("not_trainable", "x1")
def four_sources():
    x0 = tf.Variable(3.0, name="x0")
    x1 = tf.Variable(3.0, name="x1", trainable=False)
    x2 = tf.Variable(2.0, name="x2") + 1.0
    x3 = tf.constant(3.0, name="x3")
    with tf.GradientTape() as tape:
        y = (x0**2) + (x1**2) + (x2**2)
    return tape.gradient(y, [x0, x1, x2, x3])


@case("stop_recording", "z = x * y")
def a_pause_around_one_op():
    x = tf.Variable(2.0)
    y = tf.Variable(3.0)
    with tf.GradientTape() as t:
        x * x
        with t.stop_recording():
            z = x * y
        total = z + 0.0
    return t.gradient(total, [x, y])


@case("integer_cast", "astype", [1.5, 2.5])
def an_array_as_integers(x):
    return tf.constant(x.numpy().astype(int).astype("float32"))


CASES[-1] = (an_array_as_integers, ([1.5, 2.5],), "numpy", "x.numpy()")


@case("numpy", "np.asarray(t)", [1.0, 2.0])
def asarray_of_a_product(x):
    t = x * 2
    a = np.asarray(t)
    return tf.reduce_sum(tf.convert_to_tensor(a) * v)


@case("numpy", "sum(x.numpy())", [1.0, 2.0])
def python_sum_of_an_array(x):
    return tf.constant(sum(x.numpy()))


@case("python_number", "list(map(float, x))", [1.0, 2.0])
def mapped_to_floats(x):
    return tf.reduce_sum(tf.constant(list(map(float, x))))


@case("numpy", "memoryview", [1.0, 2.0])
def the_buffer_protocol(x):
    return tf.reduce_sum(tf.constant(np.frombuffer(memoryview(x), dtype=np.float32)))


CASES[-1] = (the_buffer_protocol, ([1.0, 2.0],), "left_tensorflow", None)


@case("python_number", "math.exp(-x)", 1.0)
def a_sigmoid_by_math(x):
    sigma = 1 / (1 + math.exp(-x))
    return sigma * v


@case("argmax", "tf.argmax(probs, -1)")
def a_loss_of_labels_and_an_optimizer():
    def loss_of(model, inputs):
        probs = tf.nn.softmax(model(inputs))
        label = tf.argmax(probs, -1)
        return tf.reduce_mean(tf.cast(label, "float32"))

    with tf.GradientTape() as tape:
        loss = loss_of(net, X)
    grads = tape.gradient(loss, net.trainable_variables)
    keras.optimizers.Adam().apply_gradients(zip(grads, net.trainable_variables, strict=False))
    return loss


@case("no_sources", None)
def no_source():
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(X)
    return tape.gradient(loss, [])


@case("outside_tape", "net(X)")
def a_prediction_made_before():
    pred = net(X)
    with tf.GradientTape() as tape:
        loss = keras.losses.MeanSquaredError()(tf.ones((2, 1)), pred)
    g = tape.gradient(loss, net.trainable_weights)
    for p, d in zip(net.trainable_weights, g, strict=False):
        p.assign_sub(0.1 * d)


@case("integer", None, tf.Variable([1, 2, 3]))
def an_integer_variable_as_index(ix):
    return tf.reduce_sum(tf.gather(w, ix - 1))


@case("fine", None, kv)
def a_keras_variable(x):
    return x * x


@case("not_trainable", None)
def a_keras_variable_not_trained():
    q = keras.Variable(2.0, trainable=False)
    with tf.GradientTape() as t:
        y = q.value * 3.0
    return t.gradient(y, q)


@case("tape_used_up", "tape.gradient(loss, b)")
def two_gradients_of_one_tape():
    a = tf.Variable(1.0)
    b = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        loss = a * b
    da = tape.gradient(loss, a)
    db = tape.gradient(loss, b)
    return da, db


@case("inner_gradient_outside", "inner.gradient")
def both_derivatives():
    x = tf.Variable(1.0)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = x * x * x
    dy = inner.gradient(y, x)
    return dy, outer.gradient(dy, x)


@case("stop_gradient", "tf.stop_gradient(target)", 1.0, 3.0)
def a_target_held_back(x, target):
    return (x - tf.stop_gradient(target)) ** 2


@case("comparison", "tf.sign", [1.0, -2.0])
def the_sign(x):
    return tf.reduce_sum(tf.sign(x))


CASES[-1] = (the_sign, ([1.0, -2.0],), "zero", "tf.sign(x)")


@case("comparison", "x > y", 1.0, 2.0)
def a_mask_of_two_inputs(x, y):
    return tf.cast(x > y, tf.float32) * x


@case("rounding", "x // 1.0", 2.5)
def floor_division(x):
    return x // 1.0


@case("fine", None, 2.5)
def remainder(x):
    return x % 1.0


@case("fine", None, [1.0, 2.0, 3.0])
def scatter_into_zeros(x):
    out = tf.zeros(3)
    out = tf.tensor_scatter_nd_update(out, [[0], [1]], x[:2])
    return tf.reduce_sum(out * x)


@case("unconnected", "tf.reduce_sum(out)", [1.0, 2.0, 3.0])
def the_input_is_overwritten(x):
    out = tf.zeros(3)
    return tf.reduce_sum(out)


@case("fine", None, 2.0)
def descent_with_a_history(x):
    history = []
    for _i in range(3):
        with tf.GradientTape() as t:
            t.watch(x)
            y = (x - 1) ** 2
        g = t.gradient(y, x)
        x = x - 0.1 * g
        history.append(float(y))
    return g


@case("fine", None)
def batches_of_a_dataset():
    loader = tf.data.Dataset.from_tensor_slices(tf.random.normal((4, 3))).batch(2)
    total = []
    for batch in loader:
        with tf.GradientTape() as t:
            loss = tf.reduce_mean(net(batch) ** 2)
        total = t.gradient(loss, net.trainable_variables)
    return total


@case("fine", None, np.float32(2.0))
def a_numpy_float(x):
    return x * x


@case("fine", None, 2)
def an_integer_exponent(n):
    return v**n


@case("fine", None, [[1.0, 2.0, 3.0]], [[1.0]])
def a_model_and_its_labels(x, y):
    return tf.reduce_mean((net(x) - y) ** 2)


@case("fine", None, (1.0, 2.0))
def a_pair(p):
    a, b = p
    return a * b


@case("fine", None, X)
def a_recurrent_layer(x):
    m = keras.layers.LSTM(2)(x[:, :, None])
    return tf.reduce_sum(m)


@case("fine", None, tf.ones((1, 6, 6, 1)))
def convolution_and_pooling(x):
    return tf.reduce_sum(keras.layers.MaxPooling2D()(keras.layers.Conv2D(2, 3)(x)))


@case("fine", None)
def assign_add_then_read():
    with tf.GradientTape() as t:
        y = v.assign_add(1.0) * 2.0
    return t.gradient(y, v)


@case("fine", None)
def a_persistent_tape():
    x = tf.Variable(3.0)
    with tf.GradientTape(persistent=True) as tape:
        y = x * x
        z = y * y
    a = tape.gradient(z, x)
    b = tape.gradient(y, x)
    del tape
    return a, b


@case("fine", None, tf.constant(2.0 + 1j))
def a_complex_number(z):
    return tf.abs(z) ** 2


@case("fine", None, 3.0)
def a_clipped_gradient(x):
    @tf.custom_gradient
    def clip(t):
        return tf.identity(t), lambda d: tf.clip_by_norm(d, 0.5)

    with tf.GradientTape() as t:
        t.watch(x)
        y = clip(x) * x
    return t.gradient(y, x)


@case("fine", None, 3.0)
def a_jacobian(x):
    with tf.GradientTape() as t:
        t.watch(x)
        y = tf.stack([x, x**2, tf.stop_gradient(x)])
    return t.jacobian(y, x)


@case("fine", None, [[1.0, 2.0], [3.0, 4.0]])
def a_gradient_of_a_batch_jacobian(x):
    with tf.GradientTape() as o:
        o.watch(x)
        with tf.GradientTape() as t:
            t.watch(x)
            y = tf.reduce_sum(x**3, axis=1)[:, None]
        j = t.batch_jacobian(y, x)
    return o.gradient(j, x)


@case("fine", None, 2.0)
def a_loop_in_a_tf_function(x):
    @tf.function
    def inner(a):
        s = tf.constant(0.0)
        for _i in tf.range(3):
            s += a * a
        return s

    return inner(x)


@case("fine", None, [1.0, 2.0])
def ragged(x):
    r = tf.RaggedTensor.from_row_lengths(x, [1, 1])
    return tf.reduce_sum(r * 2.0)


@case("fine", None, 2.0)
def a_norm_taken_in_a_pause(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        with tape.stop_recording():
            float(y)
    return tape.gradient(y, x)


@case("fine", None, 1.0)
def random_factors(x):
    random.random()
    z = x * np.random.rand()
    return z + tf.random.uniform([]) * x


class Trainer:
    def __init__(self):
        self.model = net
        self.w = tf.Variable(1.0)
        self.n = 0

    def step(self, x):
        self.n += 1
        with tf.GradientTape() as tape:
            self.tape = tape
            loss = self.w * tf.reduce_sum(self.model(x))
        return tape.gradient(loss, [self.w, *self.model.trainable_variables])


CASES.append((Trainer().step, (X,), "fine", None))


@case("fine", None, 2.0)
def python_loops_over_tensors(x):
    if tf.reduce_any(x > 1):
        y = x
    else:
        y = -x
    for e in tf.unstack(tf.stack([y, y])):
        y = y * e
    return y


@case("fine", None, [1.0, 2.0])
def sparse(x):
    return tf.reduce_sum(tf.sparse.to_dense(tf.sparse.SparseTensor([[0], [1]], x, [3])))


@case("fine", None, [1.0, -2.0])
def a_relu_half_alive(x):
    return tf.reduce_sum(tf.maximum(x, 0.0))


@case("fine", None, 2.0)
def the_name_is_reused(x):
    x = tf.identity(x)
    x = x + 0.0
    return x**2


@case("integer", "x = tf.Variable(3)")
def a_variable_made_of_an_int():
    x = tf.Variable(3)
    with tf.GradientTape() as t:
        y = x * 2
    return t.gradient(y, x)


@case("random", None, [1.0, 2.0])
def a_random_category(logits):
    return tf.cast(tf.random.categorical(logits[None], 3), tf.float32)


@case("rounding", "tf.round(self.w)", [[1.0, 2.0, 3.0]])
def a_layer_that_rounds(x):
    class Q(keras.layers.Layer):
        def build(self, s):
            self.w = self.add_weight(shape=(3, 1))

        def call(self, x):
            return x @ tf.round(self.w)

    q = Q()
    q.build((None, 3))
    with tf.GradientTape() as t:
        y = q(x)
    return t.gradient(y, q.trainable_variables)


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
