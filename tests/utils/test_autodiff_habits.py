"""explain_none on what guides, forums and lessons do wrong and right."""

import copy
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


# Names that a helper has for itself, and variables that are made of what the tape should follow.


@case("unconnected", "0.5 * k")
def name_of_a_comprehension():
    k = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        energy = tf.add_n([0.5 * k * 2.0 for k in [tf.constant(1.0), tf.constant(4.0)]])
    return tape.gradient(energy, k)


@case("unconnected", "return w * x")
def name_of_a_default():
    w = tf.Variable(2.0)

    def predict(x, w=tf.constant(1.0)):  # noqa: B008
        return w * x

    with tf.GradientTape() as tape:
        y = predict(tf.constant(3.0))
    return tape.gradient(y, w)


@case("unconnected", "0.5 * stiffness")
def name_of_a_helpers_own_variable():
    stiffness = tf.Variable(3.0)

    def spring(x):
        stiffness = tf.Variable(10.0)
        return 0.5 * stiffness * x**2

    with tf.GradientTape() as tape:
        energy = spring(tf.constant(2.0))
    return tape.gradient(energy, stiffness)


@case("unconnected", "return scale * 3.0")
def name_of_a_parameter():
    scale = tf.constant(2.0)

    def f(scale):
        return scale * 3.0

    with tf.GradientTape() as tape:
        tape.watch(scale)
        y = f(tf.constant(5.0))
    return tape.gradient(y, scale)


@case("variable_copy", "tf.Variable(lambda: tf.exp(x))", 2.0)
def variable_of_a_lambda(x):
    start = tf.Variable(lambda: tf.exp(x))
    return start * 3.0


@case("variable_copy", "keras.Variable(lambda shape, dtype: x * 1.0", 2.0)
def keras_variable_of_a_lambda(x):
    start = keras.Variable(lambda shape, dtype: x * 1.0, shape=())
    return start * 3.0


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


# -- what is said, word for word where the word is what helps

SAID = []


def says(cause, fragment, *words, inputs=()):
    def keep(f):
        SAID.append(pytest.param(f, inputs, cause, fragment, words, id=_name((f,))))
        return f

    return keep


@says("python_number", "loss = float(", "`loss` is 9.0, not a tensor", "`(w - 5.0) ** 2` itself")
def a_float_as_target():
    w = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        loss = float((w - 5.0) ** 2)
    return tape.gradient(loss, w)


@says("numpy", ".numpy()", "`loss` is a NumPy number", "NumPy value of `(w - 5.0) ** 2`")
def a_numpy_number_as_target():
    w = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        loss = ((w - 5.0) ** 2).numpy()
        print(f"loss {loss}")
    return tape.gradient(loss, w)


@says("numpy", "np.mean", "np.mean computes in NumPy", "`tf.reduce_mean`")
def a_mean_of_numpy_as_target():
    w = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        loss = np.mean([(w - t) ** 2 for t in (1.0, 2.0)])
    return tape.jacobian(loss, w)


@says("numpy", "w = (w - 0.1 * g).numpy()", "`w` (a NumPy number) is a constant")
def a_numpy_number_in_the_place_of_a_variable():
    w = tf.Variable(5.0)
    for _ in range(2):
        with tf.GradientTape() as tape:
            loss = w**2
        g = tape.gradient(loss, w)
        w = (w - 0.1 * g).numpy()
    return g


@says("no_tensor", "loss = loss_fn()", "`loss_fn` returns nothing", "End loss_fn with `return`")
def a_loss_function_without_return():
    w = tf.Variable(2.0)

    def loss_fn():
        (w - 5.0) ** 2

    with tf.GradientTape() as tape:
        loss = loss_fn()
    return tape.gradient(loss, w)


@says("no_tensor", "tape.gradient(loss, lr)", "`lr` is 0.1, not a tensor", "lr = tf.Variable(0.1)")
def a_python_number_as_source():
    lr, w = 0.1, tf.Variable(1.0)
    with tf.GradientTape() as tape:
        loss = w * lr
    return tape.gradient(loss, lr)


@says("no_tensor", "tape.gradient(loss, net)", "net.trainable_variables")
def a_model_as_source():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(net(X))
    return tape.gradient(loss, net)


@says("python_number", "net2.evaluate(X, X", "Call the model instead, net2(X, training=True)")
def the_loss_of_evaluate_as_target():
    net2 = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    net2.compile("sgd", "mse")
    with tf.GradientTape() as tape:
        loss = net2.evaluate(X, X, verbose=0)
    return tape.gradient(loss, net2.trainable_variables)


@says("numpy", "net.predict(X", "predict returns a NumPy array", "net(X, training=True)")
def a_loss_of_predictions():
    with tf.GradientTape() as tape:
        out = net.predict(X, verbose=0)
        loss = tf.reduce_mean(out**2)
    return tape.gradient(loss, net.trainable_variables)


@says("numpy", "(x**2).numpy()", "NumPy value of `x ** 2`", inputs=(3.0,))
def a_number_returned(x):
    return (x**2).numpy()


@says("numpy", "( x - 1.0 ).numpy()", "NumPy value of `x - 1.0`", inputs=(3.0,))
def a_conversion_over_several_lines(x):
    # fmt: off
    y = (
        x - 1.0
    ).numpy()
    # fmt: on
    return tf.constant(y) ** 2


@says("numpy", "np.mean(losses)", "np.mean computes", "`tf.reduce_mean`", inputs=([1.0, 2.0],))
def a_mean_of_a_list_of_losses(v):
    losses = [(t - 1.0) ** 2 for t in tf.unstack(v)]
    return tf.constant(np.mean(losses))


@says("numpy", "np.random.normal(mu, 1.0)", "mean + spread * noise", inputs=(0.5,))
def noise_of_numpy(mu):
    return tf.constant(np.random.normal(mu, 1.0)) ** 2


@says("numpy", "np.linalg.inv(m)", "np.linalg.inv computes", "`tf.linalg.inv`", inputs=(np.eye(2),))
def an_inverse_of_numpy(m):
    return tf.reduce_sum(tf.constant(np.linalg.inv(m)))


@says("numpy", "out[i] = v[i] * 2", "a place in a NumPy array", "tf.stack", inputs=([1.0, 2.0],))
def an_array_filled_in(v):
    out = np.zeros(2, np.float32)
    for i in range(2):
        out[i] = v[i] * 2
    return tf.reduce_sum(out)


@says("text", '"%.3f" % x', "makes text of `x`", inputs=(3.0,))
def text_by_percent(x):
    t = "%.3f" % x  # noqa: UP031
    return tf.strings.to_number(t)


@says("incomplete", "x * float(x)", "not None, but incomplete", "`float(x)` leaves", inputs=(3.0,))
def a_factor_by_float(x):
    return x * float(x)


@says("incomplete", "m = np.mean(v)", "np.mean computes", "is missing", inputs=([1.0, 2.0, 6.0],))
def a_mean_of_numpy_taken_off(v):
    m = np.mean(v)
    return tf.reduce_sum((v - m) ** 3)


@says("incomplete", "loss = w * float(w)", "with respect to `w` is not None, but incomplete")
def a_factor_by_float_in_a_tape():
    w = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        loss = w * float(w)
    return tape.gradient(loss, w)


@says(
    "fine", "x * tf.stop_gradient(x)", "a part is held back", "that is its purpose", inputs=(2.0,)
)
def a_factor_held_back(x):
    return x * tf.stop_gradient(x)


@says("fine", None, "Every step from there to the result is recorded")
def numbers_kept_for_a_list():
    w, log = tf.Variable(1.0), []
    with tf.GradientTape() as tape:
        total = 0.0
        for t in [1.0, 2.0]:
            loss = (w - t) ** 2
            log.append(loss.numpy())
            total += loss
    return tape.gradient(total, w)


@says("fine", None, "Every step from there to the result is recorded", inputs=(2.0,))
def a_loop_that_ends_by_a_float(a):
    x = a
    while abs(float(x * x - a)) > 1e-4:
        x = 0.5 * (x + a / x)
    return x


@says("fine", None, "Every step from there to the result is recorded", inputs=([1.0, 3.0],))
def a_place_found_by_numpy(v):
    return v[int(np.argmax(v))] ** 2


@says("fine", None, "Every step from there to the result is recorded", inputs=([1.0, 3.0],))
def a_shift_that_makes_no_difference(v):
    top = float(tf.reduce_max(v))
    return tf.math.log(tf.reduce_sum(tf.exp(v - top))) + top


@says("fine", None, "Every step from there to the result is recorded")
def a_step_of_numpy_between_the_tapes():
    w = tf.Variable(1.0)
    for _ in range(3):
        with tf.GradientTape() as tape:
            loss = (w - 3.0) ** 2
        g = tape.gradient(loss, w)
        w.assign(w.numpy() - 0.1 * g.numpy())
    return g


class Line:
    def __init__(self):
        self.w, self.b = tf.Variable(2.0), tf.Variable(0.0)

    def train(self, x, y, lr):
        with tf.GradientTape() as tape:
            loss = (self.w * x + self.b - y) ** 2
        dw, db = tape.gradient(loss, [self.w, self.b])
        self.w = self.w - lr * dw
        self.b = self.b - lr * db
        return dw, db


@says("variable_replaced", "self.w = self.w -", "the name `self.w`", "`self.w.assign_sub(lr * dw)`")
def attributes_bound_to_tensors():
    line = Line()
    for _ in range(2):
        found = line.train(1.0, 3.0, 0.1)
    return found


@says("variable_replaced", 'p["w"] = ', "the name `p['w']`", "`p['w'].assign_sub(0.1 * g)`")
def an_entry_bound_to_a_tensor():
    p = {"w": tf.Variable(2.0)}
    for _ in range(2):
        with tf.GradientTape() as tape:
            loss = p["w"] ** 2
        g = tape.gradient(loss, p["w"])
        p["w"] = p["w"] - 0.1 * g
    return g


@says(
    "variable_replaced",
    "params = [p - 0.1 * g",
    "with respect to `params[0]` first",
    "The same holds for `params[1]`",
)
def a_list_bound_anew():
    params = [tf.Variable(1.0), tf.Variable(2.0)]
    for _ in range(2):
        with tf.GradientTape() as tape:
            loss = (params[0] * 3.0 + params[1]) ** 2
        grads = tape.gradient(loss, params)
        params = [p - 0.1 * g for p, g in zip(params, grads, strict=True)]
    return grads


def stepped(w, g):
    new = w - 0.1 * g
    return new


@says("variable_replaced", "w = stepped(w, g)", "the name `w`", "`w.assign(...)`")
def a_name_bound_by_a_helper():
    w = tf.Variable(1.0)
    for _ in range(2):
        with tf.GradientTape() as tape:
            loss = w**2
        g = tape.gradient(loss, w)
        w = stepped(w, g)
    return g


@says("variable_replaced", "x = x - 0.1 * g", "Call tape.watch(x) for each new value")
def a_watched_constant_bound_anew():
    x = tf.constant(4.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x**2
    for _ in range(2):
        g = tape.gradient(y, x)
        x = x - 0.1 * g
    return g


@says("unconnected", None, "to `params['b']`", "to `params['w']` the gradient is there")
def an_idle_entry():
    params = {"w": tf.Variable(2.0), "b": tf.Variable(1.0)}
    for p in params.values():
        p.assign_add(1.0)
    with tf.GradientTape() as tape:
        loss = params["w"] * 3.0
    return tape.gradient(loss, params)


@says("unconnected", None, "the one with respect to `w`", "respect to `b` the gradient is there")
def names_of_their_own_are_kept():
    w, b = tf.Variable(2.0), tf.Variable(1.0)
    params = [w, b]
    with tf.GradientTape() as tape:
        loss = b * 3.0
    return tape.gradient(loss, params)


class Scaled(tf.Module):
    def __init__(self):
        self.w, self.scale = tf.Variable(1.0), tf.Variable(2.0, trainable=False)


scaled = Scaled()


@says("not_trainable", "scaled.scale", "with respect to `scaled.scale`")
def a_variable_of_a_module():
    with tf.GradientTape() as tape:
        loss = scaled.w * scaled.scale
    return tape.gradient(loss, scaled.variables)


@says("outside_tape", "y = x * x", "recorded by another tape", "Put both steps into one `with")
def two_tapes_of_one_name():
    x = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = x * x
    with tf.GradientTape() as tape:
        z = y * 3.0
    return tape.gradient(z, x)


@says("outside_tape", "b = x * 3.0", "recorded by another tape", "tape2.gradient(...)")
def the_wrong_one_of_two_tapes():
    x = tf.Variable(1.0)
    with tf.GradientTape() as tape1:
        x * 2.0
    with tf.GradientTape() as tape2:  # noqa: F841
        b = x * 3.0
    return tape1.gradient(b, x)


@says(
    "outside_tape", "z = y * 3.0", "after the tape is closed", "`with tf.GradientTape() as inner:`"
)
def a_step_after_the_inner_of_two_tapes():
    x = tf.Variable(2.0)
    with tf.GradientTape():
        with tf.GradientTape() as inner:
            y = x * x
        z = y * 3.0
    return inner.gradient(z, x)


@says("constant_not_watched", None, "Call outer.watch(x) inside")
def watched_by_the_inner_tape_only():
    x = tf.constant(2.0)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = x**3
        dy = inner.gradient(y, x)
    return outer.gradient(dy, x)


@says("inner_gradient_outside", "dy = tape.gradient", "outside the tape's `with` block")
def one_tape_for_two_derivatives():
    x = tf.Variable(3.0)
    with tf.GradientTape(persistent=True) as tape:
        y = x**3
    dy = tape.gradient(y, x)
    return tape.gradient(dy, x)


@says("branch_not_taken", "y * y", "did not run this time", inputs=(2.0, 5.0))
def a_choice_of_lambdas(x, y):
    return tf.cond(x > 1.0, lambda: x * x, lambda: y * y)


@says("branch_not_taken", "return y * 3.0", "did not run this time", inputs=(3.0, 1.0))
def a_choice_of_functions(x, y):
    def yes():
        return x * 2.0

    def no():
        return y * 3.0

    return tf.case([(x > 2.0, yes)], default=no)


@says("unconnected", None, "takes no part", inputs=(3.0, 1.0))
def a_function_never_called(x, y):
    def helper():
        return y * 3.0

    return x * 2.0


@says("condition", "tf.switch_case", "only decides what runs", inputs=(2.0, 10.0))
def a_choice_by_number(a, b):
    return tf.switch_case(tf.cast(a, tf.int32), [lambda: b, lambda: b * 2, lambda: b * 3])


@says("condition", "i < limit", "only decides what runs (`i < limit`)", inputs=(2.0,))
def a_loop_of_tensorflow(limit):
    start = tf.constant(0.0)
    out = tf.while_loop(lambda i: i < limit, lambda i: (i + 1.0,), [start], parallel_iterations=1)
    return out[0]


@says("swapped", "tape.gradient(x, y)", "`y` is computed from `x`", "Ask for tape.gradient(y, x)")
def target_and_source_swapped():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x**2
    return tape.gradient(x, y)


@says("swapped", None, "Ask for tape.gradient(loss, [w, b])")
def a_list_in_the_place_of_the_target():
    w, b = tf.Variable(1.0), tf.Variable(2.0)
    with tf.GradientTape() as tape:
        loss = (w * 3.0 + b) ** 2
    return tape.gradient([w, b], loss)


@says("unconnected", "dy = inner.gradient(y, x)", "Nothing is wrong. `y` is linear in `x`", "is 0")
def the_second_derivative_of_a_line():
    x = tf.Variable(2.0)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = 3.0 * x + 1.0
        dy = inner.gradient(y, x)
    return outer.gradient(dy, x)


@says("unconnected", "t1.gradient", "does not contain `y`", "unconnected_gradients='zero'")
def a_mixed_derivative_of_a_sum():
    x, y = tf.Variable(1.0), tf.Variable(2.0)
    with tf.GradientTape() as t2:
        with tf.GradientTape() as t1:
            z = x**2 + y**2
        dx = t1.gradient(z, x)
    return t2.gradient(dx, y)


@says("numpy", ".numpy()", "makes a NumPy value")
def a_slope_that_left_on_the_way():
    x = tf.Variable(2.0)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = x.numpy() * x
        dy = inner.gradient(y, x)
    return outer.gradient(dy, x)


@says("only_shape", "tf.size(x)", "Only the shape of `x` is used")
def one_over_the_size():
    x = tf.Variable([1.0, 2.0, 4.0])
    with tf.GradientTape() as tape:
        y = 1.0 / tf.cast(tf.size(x), tf.float32)
    return tape.gradient(y, x)


@says("only_shape", "tf.rank(x)", "Only the shape of `x` is used", inputs=([[1.0], [2.0]],))
def twice_the_rank(x):
    return tf.cast(tf.rank(x), tf.float32) * 2.0


@says("unconnected", "loss = a**2", "is 0 only because", "takes no part in the computation")
def zero_for_an_idle_variable():
    a, b = tf.Variable(1.0), tf.Variable(2.0)
    with tf.GradientTape() as tape:
        loss = a**2
    return tape.gradient(loss, {"a": a, "b": b}, unconnected_gradients="zero")


@says("unconnected", None, "`tf.convert_to_tensor(x)` is a tensor of its own", "to `x` itself")
def a_copy_as_source():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x**2
    return tape.gradient(y, tf.convert_to_tensor(x))


@says("unconnected", None, "makes a tensor of its own", "x = tf.constant(image)")
def a_new_constant_as_source():
    image = np.ones((1, 3), np.float32)
    with tf.GradientTape() as tape:
        tape.watch(tf.constant(image))
        score = net(image)[0, 0]
    return tape.gradient(score, tf.constant(image))


@says("argmax", "tf.argsort(v)", "positions", "tf.sort", inputs=([3.0, 1.0, 2.0],))
def ranks_as_numbers(v):
    return tf.reduce_sum(tf.cast(tf.argsort(v), tf.float32))


class Gain(keras.layers.Layer):
    def __init__(self):
        super().__init__(name="gain")
        self.s = tf.Variable(2.0)

    def call(self, x):
        return x * self.s


stack = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1), Gain()], name="stack")
entry = keras.Input((3,))
functional = keras.Model(entry, Gain()(keras.layers.Dense(2)(entry)), name="functional")


@says("untracked_variable", "x * self.s", "`stack.gain.s` is missing among the sources")
def a_plain_variable_in_a_stack():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(stack(X))
    return tape.gradient(loss, stack.trainable_variables)


@says("untracked_variable", "x * self.s", "`functional.gain.s` is missing", inputs=(functional,))
def a_plain_variable_in_a_model_given(m):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(m(X))
    return tape.gradient(loss, m.trainable_variables)


@says("untracked_variable", "x * self.s", "`made_here.gain.s` is missing")
def a_plain_variable_in_a_model_made_inside():
    m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1), Gain()], name="made_here")
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(m(X))
    return tape.gradient(loss, m.trainable_variables)


@says("fine", None, "none is None")
def a_plain_variable_that_is_asked_for():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(stack(X))
    return tape.gradient(loss, [*stack.trainable_variables, stack.layers[-1].s])


@says("argmax", "sparse_categorical_accuracy", "is an accuracy", "cross-entropy")
def an_accuracy_as_loss():
    with tf.GradientTape() as tape:
        hits = keras.metrics.sparse_categorical_accuracy([0, 1], tf.concat([net(X)] * 2, 1))
        loss = 1.0 - tf.reduce_mean(hits)
    return tape.gradient(loss, net.trainable_variables)


@says("argmax", "1.0 - hits(", "`hits([0, 1]", "is an accuracy", "cross-entropy")
def an_accuracy_object_as_loss():
    hits = keras.metrics.SparseCategoricalAccuracy()
    with tf.GradientTape() as tape:
        loss = 1.0 - hits([0, 1], tf.concat([net(X)] * 2, 1))
    return tape.gradient(loss, net.trainable_variables)


table = keras.layers.Embedding(5, 2)


def test_an_index_needs_no_gradient():
    assert "ask for that of the table" in explain_none(table, tf.constant([1, 2])).mend


@says("unconnected", None, "with respect to `other.late/kernel` first")
def weights_of_a_model_made_inside():
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, name="late")])
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(net(X))
    return tape.gradient(loss, other.trainable_variables)


@says("outside_tape", "losses.append", "the tape of another round", "around the whole loop")
def losses_of_several_tapes():
    w, losses = tf.Variable(1.0), []
    for x in (1.0, 2.0):
        with tf.GradientTape() as tape:
            losses.append((w * x - 1.0) ** 2)
    return tape.gradient(tf.add_n(losses), w)


@says("incomplete", "v.assign(x * 3.0)", "through a variable's memory", inputs=(2.0,))
def a_factor_by_way_of_a_variable(x):
    v.assign(x * 3.0)
    return v * x


@says("fine", None, "Every step from there to the result is recorded")
def a_step_with_momentum():
    w, speed = tf.Variable(4.0), tf.Variable(0.0)
    for _ in range(3):
        with tf.GradientTape() as tape:
            loss = w**2
        g = tape.gradient(loss, w)
        speed.assign(0.9 * speed + g)
        w.assign_sub(0.1 * speed)
    return g


@says("fine", None, "none is None")
def a_batch_that_is_normalised():
    m = keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization()])
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((m(X, training=True) - 1.0) ** 2)
    return tape.gradient(loss, m.trainable_variables)


@says("python_number", "math.exp(w)", "a Python number of `w`", "use tf.sin and its like")
def a_number_of_math_as_target():
    w = tf.Variable(1.0)
    with tf.GradientTape() as tape:
        loss = math.exp(w) + 1
    return tape.gradient(loss, w)


@says("no_tensor", "tape.gradient(loss, w)", "is the function itself", "y = loss(...)")
def a_function_as_target():
    w = tf.Variable(1.0)

    def loss():
        return w * 2.0

    with tf.GradientTape() as tape:
        loss()
    return tape.gradient(loss, w)


@says("python_number", "return loss, float(loss)", "`both[1]` is 1.0")
def a_loss_beside_its_number():
    w = tf.Variable(1.0)

    def step():
        loss = (w * 2.0 - 1.0) ** 2
        return loss, float(loss)

    with tf.GradientTape() as tape:
        both = step()
    return tape.gradient(both, w)


@says("unconnected", None, "`net_of_two.layers[0].b` first", "holds for `net_of_two.layers[1].b`")
def biases_that_are_forgotten():
    class Layer:
        def __init__(self):
            self.w, self.b = tf.Variable(tf.ones((3, 3))), tf.Variable(tf.zeros(3))

    class Net:
        def __init__(self):
            self.layers = [Layer(), Layer()]

    net_of_two = Net()
    with tf.GradientTape() as tape:
        h = X
        for layer in net_of_two.layers:
            h = tf.nn.tanh(h @ layer.w)
        loss = tf.reduce_sum(h)
    return tape.gradient(loss, [p for layer in net_of_two.layers for p in (layer.w, layer.b)])


@says("branch_not_taken", "+ b) ** 2", "with respect to `b`", "did not run this time")
def a_variable_left_out_in_the_second_round():
    w, b = tf.Variable(1.0), tf.Variable(2.0)
    for i in range(2):
        with tf.GradientTape() as tape:
            if i == 5:
                loss = (w * 2.0 + b) ** 2
            else:
                loss = (w * 2.0) ** 2
        gw, gb = tape.gradient(loss, [w, b])
        w.assign_sub(0.1 * gw)
    return gw, gb


@says("branch_not_taken", "if i == 0", "`b` is used in another round", "With respect to `w`")
def a_variable_used_in_the_first_round_only():
    w, b = tf.Variable(1.0), tf.Variable(2.0)
    for i in range(2):
        with tf.GradientTape() as tape:
            loss = (w * 2.0 + (b if i == 0 else 1.0)) ** 2
        gw, gb = tape.gradient(loss, [w, b])
        w.assign_sub(0.1 * gw)
    return gw, gb


@says("fine", None, "Every step from there to the result is recorded", inputs=(2.0,))
def a_loss_returned_with_its_number(x):
    loss = x**2
    return loss, float(loss)


@says("condition", "ok = bool(", "`ok` is True", "True or False of `w > 1.0`")
def an_answer_as_target():
    w = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        ok = bool(w > 1.0)
    return tape.gradient(ok, w)


@says("python_number", "h = m.fit(X, X", "`h` is a History", "m(X, training=True)")
def a_history_as_target():
    m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    m.compile("sgd", "mse")
    with tf.GradientTape() as tape:
        h = m.fit(X, X, verbose=0)
    return tape.gradient(h, m.trainable_variables)


class Trainer:
    def __init__(self):
        self.model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, name="last")])

    def gradients(self, x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(self.model.predict_on_batch(x))
        return tape.gradient(loss, self.model.trainable_variables)


@says(
    "numpy", "predict_on_batch(x)", "`self.model.last/kernel` first", "self.model(x, training=True)"
)
def weights_of_a_model_of_an_object():
    return Trainer().gradients(X)


first, second = tf.Variable(2.0), tf.Variable(5.0)


def first_squared():
    return first * first


def second_squared():
    return second * second


@says("branch_not_taken", "second * second", "with respect to `second`", "did not run this time")
def a_choice_of_functions_of_the_module():
    with tf.GradientTape() as tape:
        y = tf.cond(first > 1.0, first_squared, second_squared)
    return tape.gradient(y, [first, second])


@says("variable_replaced", "weights = [", "`weights[0]` first", "for `weights[1]`")
def a_list_of_weights_bound_anew():
    layer = keras.layers.Dense(1)
    layer.build((None, 3))
    weights = layer.trainable_variables
    for _ in range(2):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(layer(X) ** 2)
        steps = tape.gradient(loss, weights)
        weights = [w - 0.1 * step for w, step in zip(weights, steps, strict=True)]
    return steps


@says("unconnected", None, "Nothing is wrong. The derivative", "`m.last/bias`", "is 0")
def a_penalty_on_the_slope():
    m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, name="last")])
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = m(x)
        penalty = tf.reduce_mean((tf.norm(inner.gradient(y, x), axis=1) - 1.0) ** 2)
    return tape.gradient(penalty, m.trainable_variables)


@says("fine", None, "Every step from there to the result is recorded")
def one_tape_around_all_steps():
    w = tf.Variable(3.0)
    with tf.GradientTape(persistent=True) as tape:
        for _ in range(3):
            loss = (w - 1.0) ** 2
            g = tape.gradient(loss, w)
            w.assign(float(w) - 0.1 * float(g))
    return g


@tf.custom_gradient
def sine(x):
    def grad(upstream):
        return upstream * np.cos(x.numpy())

    return tf.constant(np.sin(x.numpy())), grad


@says("fine", None, "Every step from there to the result is recorded", inputs=(3.0,))
def a_function_of_numpy_with_its_own_gradient(x):
    return sine(x) * 2.0


@says("incomplete", "tape.watch(x)", "`x` is watched only after it was used", "is missing")
def watched_after_a_part():
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        y = x * x
        tape.watch(x)
        z = y * x
    return tape.gradient(z, x)


@says("incomplete", "k = tf.norm(w)", "inside tape.stop_recording()", "is missing")
def a_part_while_recording_stopped():
    w = tf.Variable([3.0, 4.0])
    with tf.GradientTape() as tape:
        with tape.stop_recording():
            k = tf.norm(w)
        loss = k * tf.reduce_sum(w)
    return tape.gradient(loss, w)


@says("incomplete", "tape.reset()", "throws away all", "is missing", inputs=(2.0,))
def a_part_before_a_reset(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        k = x * x
        tape.reset()
        tape.watch(x)
        y = k * x
    return tape.gradient(y, x)


@says("incomplete", "k = x * x", "recorded by another tape", "`with tf.GradientTape() as second:`")
def a_part_under_another_tape():
    x = tf.Variable(2.0)
    with tf.GradientTape() as first:  # noqa: F841
        k = x * x
    with tf.GradientTape() as second:
        y = k * x
    return second.gradient(y, x)


@says("incomplete", "slope = inner.gradient(u, x)", "outside the outer tape", "Indent this inner")
def an_inner_gradient_outside_for_a_part():
    x = tf.Variable(2.0)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            u = x**3
    slope = inner.gradient(u, x)
    with outer:
        loss = u + slope
    return outer.gradient(loss, x)


HELD = ("a part is held back", "before the tape is opened", "Nothing to mend if that is meant")


@says("fine", "penalty = tf.reduce_sum(w**2)", *HELD)
def a_penalty_before_the_tape():
    w = tf.Variable([1.0, 2.0])
    penalty = tf.reduce_sum(w**2)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w - 3.0) ** 2) + 0.1 * penalty
    return tape.gradient(loss, w)


@says("fine", "goal = 1.0 + 0.9 * tf.reduce_max(net(X), axis=1)", *HELD)
def a_target_before_the_tape():
    goal = 1.0 + 0.9 * tf.reduce_max(net(X), axis=1)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((goal - net(X)[:, 0]) ** 2)
    return tape.gradient(loss, net.trainable_variables)


@says("fine", "goal = 1.0 + 0.9 * net(X).numpy().max(axis=1)", *HELD)
def a_target_of_numpy_before_the_tape():
    goal = 1.0 + 0.9 * net(X).numpy().max(axis=1)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((goal - net(X)[:, 0]) ** 2)
    return tape.gradient(loss, net.trainable_variables)


@says("fine", "return net.predict(x, verbose=0)", *HELD)
def a_target_of_a_helper():
    def goals(x):
        return net.predict(x, verbose=0).max(axis=1) + 1.0

    goal = goals(X)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((goal - net(X)[:, 0]) ** 2)
    return tape.gradient(loss, net.trainable_variables)


@says("fine", "step = w - 0.1 * inner.gradient(loss, w)", *HELD)
def a_step_of_first_order():
    w = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as inner:
        loss = tf.reduce_sum(w**4)
    step = w - 0.1 * inner.gradient(loss, w)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(step * w)
    return tape.gradient(total, w)


@says("fine", None, "Every step from there to the result is recorded")
def a_shift_without_a_tape_that_cancels():
    w = tf.Variable([1.0, 3.0])
    with tf.GradientTape() as tape:
        with tape.stop_recording():
            top = tf.reduce_max(w)
        loss = top + tf.math.log(tf.reduce_sum(tf.exp(w - top)))
    return tape.gradient(loss, w)


@says("fine", None, "Every step from there to the result is recorded")
def a_direction_chosen_before_the_tape():
    w = tf.Variable([1.0, -3.0])
    sign = tf.sign(w)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(sign * w)
    return tape.gradient(loss, w)


@says("fine", None, "Every step from there to the result is recorded")
def an_old_value_from_before_the_last_step():
    w = tf.Variable(3.0)
    old = w * w
    w.assign_sub(1.0)
    with tf.GradientTape() as tape:
        loss = (old - w) ** 2
    return tape.gradient(loss, w)


@says("fine", None, "Every step from there to the result is recorded", inputs=(2.5,))
def a_rounded_factor_by_float(x):
    return x * float(tf.round(x))


@says("incomplete", "score.update_state", "A metric only keeps score", "is missing")
def a_metric_in_the_loss():
    w, score = tf.Variable([[1.0], [2.0], [3.0]]), keras.metrics.MeanSquaredError()
    with tf.GradientTape() as tape:
        found = X @ w
        score.update_state(tf.ones((2, 1)), found)
        loss = tf.reduce_mean((found - 1.0) ** 2) + score.result()
    return tape.gradient(loss, w)


@says("state", "score.update_state", "A metric only keeps score: use the value of a loss function")
def a_metric_as_the_loss():
    w, score = tf.Variable([[1.0], [2.0], [3.0]]), keras.metrics.MeanSquaredError()
    with tf.GradientTape() as tape:
        score.update_state(tf.ones((2, 1)), X @ w)
        loss = score.result()
    return tape.gradient(loss, w)


@tf.custom_gradient
def square_without_a_slope(x):
    return x * x, lambda upstream: None


@says("incomplete", "square_without_a_slope(x) + x", "custom_gradient function", inputs=(2.0,))
def a_part_by_an_own_gradient(x):
    return square_without_a_slope(x) + x


@says("incomplete", "tf.strings.as_string(x)", "turns the number into text", inputs=(2.0,))
def a_factor_by_way_of_text(x):
    return x * tf.strings.to_number(tf.strings.as_string(x))


@says("incomplete", "from_tensor_slices(v)", "a pipeline of data", inputs=([1.0, 2.0],))
def a_factor_by_way_of_a_dataset(v):
    total = 0.0
    for part in tf.data.Dataset.from_tensor_slices(v):
        total += part
    return total * v[0]


@says("variable_copy", "tf.Variable([x * y, x + y])", "copies the value", inputs=(1.0, 2.0))
def a_variable_of_computed_parts(x, y):
    return tf.reduce_prod(tf.Variable([x * y, x + y]))


@says("incomplete", "tf.Variable([x, 2.0 * x])", "copies the value", inputs=(2.0,))
def a_factor_of_copied_parts(x):
    return tf.reduce_sum(x * tf.Variable([x, 2.0 * x]))


@says("variable_copy", "layer(X)", "`layer(X)` copies the value", inputs=(tf.ones((3, 1)),))
def a_layer_that_starts_from_a_tensor(start):
    layer = keras.layers.Dense(1, kernel_initializer=keras.initializers.Constant(start))
    return tf.reduce_mean(layer(X) ** 2)


@says("incomplete", "first = ", "`float(tf.norm(w))` leaves TensorFlow", "is missing")
def the_first_of_two_gradients():
    w, b = tf.Variable([1.0, 2.0]), tf.Variable(1.0)
    with tf.GradientTape(persistent=True) as tape:
        first = tf.reduce_sum(w**2) * float(tf.norm(w))
        second = b**2
    return tape.gradient(first, w), tape.gradient(second, b)


@says("incomplete", None, "with respect to `x` is not", "`y` is incomplete too", inputs=(1.0, 2.0))
def two_factors_by_float(x, y):
    return x * float(y) + y * float(x)


@says("fine", None, "Every step from there to the result is recorded")
def two_gradients_of_a_game():
    with tf.GradientTape() as one, tf.GradientTape() as other:
        fake = net(X)
        loss, against = tf.reduce_mean(fake**2), tf.reduce_mean((fake - v) ** 2)
    return one.gradient(loss, net.trainable_variables), other.gradient(against, [v])


@says("unconnected", "return other * w", "computed from another `w`, which a function")
def another_w():
    w = tf.Variable(1.0)

    def scaled(w):
        other = tf.constant(2.0)
        return other * w

    with tf.GradientTape() as tape:
        y = scaled(tf.Variable(3.0))
    return tape.gradient(y, w)


@says("variable_copy", "copy.deepcopy(weights)", "copy.deepcopy(...) copies the value")
def a_deep_copy():
    weights = [tf.Variable(1.0), tf.Variable(2.0)]
    with tf.GradientTape() as tape:
        mine = copy.deepcopy(weights)
        y = mine[0] * mine[1]
    return tape.gradient(y, weights)


@says("not_finite", "tf.sqrt(v)", "It holds inf at [1]: at this input", inputs=([1.0, 0.0],))
def a_root_at_one_place(v):
    return tf.reduce_sum(tf.sqrt(v))


@pytest.mark.parametrize("f, inputs, cause, fragment, words", SAID)
def test_what_helps_is_said(f, inputs, cause, fragment, words):
    explanation = explain_none(f, *inputs)

    assert explanation.cause == cause, str(explanation)
    if fragment is not None:
        assert fragment in f"{explanation.line} | {explanation.expression}", str(explanation)
    for word in words:
        assert word in str(explanation)
