"""explain_none names the cause and the line, and raises no false alarm."""

import functools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from utils.autodiff import explain_none

keras.utils.set_random_seed(1)
v = tf.Variable(2.0)
w = tf.Variable([1.0, 2.0])
n = tf.Variable(3)
fixed = tf.Variable(2.0, trainable=False)
c = tf.constant(3.0)
table = tf.Variable(tf.reshape(tf.range(12.0), (4, 3)))
dense = keras.layers.Dense(2, activation="relu")
dense.build((None, 3))
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, activation="tanh")])
model.add(keras.layers.Dense(1))
frozen = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
frozen.trainable = False


class Scaled(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)
        self.scale = tf.Variable(3.0)

    def call(self, x):
        return self.scale * self.dense(x)


scaled = Scaled()
scaled(tf.ones((1, 3)))

NONE = []
FINE = []


def none(cause, fragment, *inputs):
    def keep(f):
        NONE.append(pytest.param(f, inputs, cause, fragment, id=f"{len(NONE)}-{f.__name__}"))
        return f

    return keep


def fine(*inputs):
    def keep(f):
        FINE.append(pytest.param(f, inputs, id=f"{len(FINE)}-{f.__name__}"))
        return f

    return keep


# -- types


@none("integer", "n * n")
def int_variable():
    with tf.GradientTape() as tape:
        y = n * n
    return tape.gradient(y, n)


@none("integer", None, tf.constant(3))
def int_tensor(x):
    return x * x


@none("integer", None, 3)
def python_int(x):
    return tf.square(x)


@none("integer", None, tf.Variable(4))
def int_variable_as_input(x):
    return tf.cast(x, tf.float32) * 2.0


@none("integer", None, 2.0, tf.constant(3))
def a_count_that_is_cast_by_the_learner(x, k):
    return x * tf.cast(k, tf.float32)


@none("string", None, tf.constant("3.0"))
def a_text(x):
    return tf.strings.to_number(x) * 2.0


# -- connection


@none("unconnected", None, 2.0, 3.0)
def other_input_unused(x, y):
    return x * x


@none("unconnected", "y * y")
def unconnected_in_tape():
    x = tf.Variable(2.0)
    y = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        z = y * y
    return tape.gradient(z, x)


@none("unconnected", "hidden = x * 2", 2.0)
def used_but_dropped(x):
    hidden = x * 2
    hidden = hidden + 1
    return v * v


@none("rebound", "x = tf.constant(5.0)", 2.0)
def input_replaced(x):
    x = tf.constant(5.0)
    return x * x


@none("constant_not_watched", "x * x")
def constant_not_watched():
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        y = x * x
    return tape.gradient(y, x)


@none("constant_not_watched", "x * x", 3.0)
def input_not_watched(x):
    with tf.GradientTape() as tape:
        y = x * x
    return tape.gradient(y, x)


@none("constant_not_watched", "c * c")
def global_constant_not_watched():
    with tf.GradientTape() as tape:
        y = c * c
    return tape.gradient(y, c)


@none("constant_not_watched", "c * 2.0")
def plain_function_of_a_global_constant():
    return c * 2.0


@none("constant_not_watched", None)
def variable_plus_tensor_is_a_tensor():
    x = tf.Variable(2.0, name="x") + 1.0
    with tf.GradientTape() as tape:
        y = x**2
    return tape.gradient(y, x)


NONE[-1].values[0].causes = ("constant_not_watched", "variable_replaced")


@none("watch_too_late", "tape.watch(x)", 3.0)
def watch_after_the_op(x):
    with tf.GradientTape() as tape:
        y = x * x
        tape.watch(x)
    return tape.gradient(y, x)


@none("outside_tape", "y = x * x")
def op_before_the_tape():
    x = tf.Variable(3.0)
    y = x * x
    with tf.GradientTape() as tape:
        z = y * 2
    return tape.gradient(z, x)


@none("outside_tape", "z = y * 2")
def op_after_the_tape():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x * x
    z = y * 2
    return tape.gradient(z, x)


@none("variable_replaced", "x = x + 1")
def variable_replaced():
    x = tf.Variable(2.0)
    for _ in range(2):
        with tf.GradientTape() as tape:
            y = x + 1
        dy_dx = tape.gradient(y, x)
        x = x + 1
    return dy_dx


@none("variable_replaced", "x = x - 0.1 * slope")
def descent_that_replaces_the_variable():
    x = tf.Variable(4.0)
    for _ in range(3):
        with tf.GradientTape() as tape:
            loss = (x - 1.0) ** 2
        slope = tape.gradient(loss, x)
        if slope is None:
            break
        x = x - 0.1 * slope
    return slope


@none("variable_replaced", "x = x * 2")
def replaced_between_tape_and_gradient():
    x = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = x * x
    x = x * 2
    return tape.gradient(y, x)


@none("not_trainable", "fixed * fixed")
def not_trainable():
    with tf.GradientTape() as tape:
        y = fixed * fixed
    return tape.gradient(y, fixed)


@none("not_trainable", None)
def not_trainable_plain():
    return v * fixed


@none("not_watched", "v * v")
def nothing_watched():
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        y = v * v
    return tape.gradient(y, v)


@none("stop_recording", "y = x * x", 3.0)
def inside_stop_recording(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        with tape.stop_recording():
            y = x * x
        z = y + 1
    return tape.gradient(z, x)


@none("reset", "tape.reset()", 3.0)
def after_reset(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        tape.reset()
        z = y + 1
    return tape.gradient(z, x)


@none("inner_gradient_outside", "inner.gradient(y, x)", 3.0)
def inner_gradient_outside(x):
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = x**3
    dy_dx = inner.gradient(y, x)
    return outer.gradient(dy_dx, x)


@none("inner_gradient_outside", "t2.gradient(y, v)")
def inner_gradient_outside_with_a_variable():
    with tf.GradientTape() as t1, tf.GradientTape() as t2:
        y = v * v * v
    dy = t2.gradient(y, v)
    return t1.gradient(dy, v)


# -- values that leave TensorFlow


@none("numpy", "np.sin(x)", 2.0)
def numpy_sine(x):
    y = np.sin(x)
    return tf.constant(y) * 2.0


@none("numpy", "x.numpy()", 2.0)
def dot_numpy(x):
    a = x.numpy() ** 2
    return tf.convert_to_tensor(a) + v


@none("numpy", "np.array(x)", [1.0, 2.0])
def array_of_tensor(x):
    a = np.array(x)
    return tf.reduce_sum(a * a)


@none("numpy", "np.mean(x)", [1.0, 2.0])
def numpy_mean(x):
    m = np.mean(x)
    return tf.square(tf.constant(m))


@none("numpy", "x.numpy().tolist()", [1.0, 2.0])
def to_list(x):
    a = x.numpy().tolist()
    return tf.reduce_sum(tf.constant(a))


@none("numpy", "x.numpy().item()", 3.0)
def item(x):
    return tf.square(x.numpy().item())


@none("numpy", "tf.constant(x.numpy())", 3.0)
def constant_of_numpy(x):
    y = tf.constant(x.numpy())
    return y * y


@none("numpy", "v.numpy()")
def numpy_of_a_variable():
    with tf.GradientTape() as tape:
        y = tf.constant(v.numpy() * 2)
    return tape.gradient(y, v)


@none("numpy", "np.square(v)")
def numpy_square_of_a_variable():
    with tf.GradientTape() as tape:
        y = tf.convert_to_tensor(np.square(v))
    return tape.gradient(y, v)


@none("python_number", "float(x)", 2.0)
def to_float(x):
    y = float(x)
    return tf.constant(y) ** 2


@none("python_number", "int(x)", 2.7)
def to_int(x):
    return tf.constant(2.0) ** int(x)


@none("python_number", "math.cos(x)", 2.0)
def python_math(x):
    return tf.constant(math.cos(x)) * 3.0


@none("text", 'f"{x:.3f}"', 2.0)
def formatted(x):
    text = f"{x:.3f}"
    return tf.strings.to_number(text) * 2.0


@none("variable_copy", "tf.Variable(x)", 2.0)
def variable_copy(x):
    y = tf.Variable(x)
    return y * y


@none("variable_copy", "tf.Variable(a)")
def copy_of_a_variable():
    a = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        b = tf.Variable(a)
        y = b * b
    return tape.gradient(y, a)


@none("python_number", "float(a) for a in x", [1.0, 2.0, 3.0])
def comprehension_of_floats(x):
    return tf.reduce_sum(tf.constant([float(a) for a in x]))


@none("numpy_function", "tf.numpy_function", 2.0)
def numpy_function(x):
    return tf.numpy_function(np.sin, [x], tf.float32) * 2.0


@none("numpy", "np.exp(value)", 1.0)
def in_a_helper(x):
    return _helper(x) * 2.0


def _helper(value):
    return tf.constant(np.exp(value))


@none("numpy", None, 2.0)
def returns_numpy(x):
    return np.sin(x) * 2


# -- ops without a gradient


@none("rounding", "tf.round(x)", 2.3)
def rounded(x):
    return tf.round(x) * 2.0


@none("rounding", "tf.floor(x * 2)", 2.3)
def floored(x):
    y = tf.floor(x * 2)
    return y * y


@none("rounding", "tf.math.ceil(x)", 2.3)
def ceiled(x):
    return tf.math.ceil(x) + v


@none("argmax", "tf.argmax(x)", [1.0, 3.0, 2.0])
def arg_max(x):
    return tf.argmax(x)


@none("argmax", "tf.argmax(x)", [1.0, 3.0, 2.0])
def one_hot_of_argmax(x):
    return tf.reduce_sum(tf.one_hot(tf.argmax(x), 3) * [1.0, 2.0, 3.0])


@none("integer_cast", "tf.cast(x, tf.int32)", 2.7)
def cast_through_int(x):
    k = tf.cast(x, tf.int32)
    return tf.cast(k * 2, tf.float32) * 2.0


@none("comparison", "x > 1.0", [0.5, 2.0])
def mask(x):
    return tf.reduce_sum(tf.cast(x > 1.0, tf.float32))


@none("comparison", "x > 1.0", [0.5, 2.0])
def where(x):
    return tf.reduce_sum(tf.where(x > 1.0, 1.0, 0.0))


@none("stop_gradient", "tf.stop_gradient(x * 2)", 2.0)
def stopped(x):
    y = tf.stop_gradient(x * 2)
    return y * 3


@tf.custom_gradient
def silent(x):
    def grad(upstream):
        return None

    return x * 3.0, grad


@none("custom_gradient", "silent(x)", 2.0)
def custom_gradient_none(x):
    return silent(x) * 2.0


@none("only_shape", "tf.ones_like(x)", [1.0, 2.0])
def only_the_shape(x):
    return tf.reduce_sum(tf.ones_like(x))


@none("argmax", "tf.argmax(x)", [1.0, 2.0])
def gather_by_argmax(x):
    return tf.gather(w, tf.argmax(x)) * 2


@none("state", "v.assign(x * 2)", 3.0)
def stateful_read(x):
    v.assign(x * 2)
    return v * v


@none("state", "counter.assign_add(x)")
def stateful_read_in_tape():
    counter = tf.Variable(0.0)
    x = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        counter.assign_add(x)
        y = counter**2
    return tape.gradient(y, x)


@none("random", "tf.random.poisson", 2.0)
def random_poisson(x):
    return tf.reduce_sum(tf.random.poisson([3], x))


@none("dataset", None, [1.0, 2.0])
def through_a_dataset(x):
    total = 0.0
    for part in tf.data.Dataset.from_tensor_slices(x):
        total += part
    return total


# -- branches


@none("condition", "x > 1.0", 2.0)
def condition(x):
    if x > 1.0:
        return v * v
    return v


@none("branch_not_taken", "y = x * x", 2.0, 3.0)
def not_taken(x, z):
    if z > 5.0:
        y = x * x
    else:
        y = z * z
    return y


@none("condition", "x > 0", 2.0)
def ternary(x):
    return v if x > 0 else v * x


@none("condition", "total < x", 4.0)
def while_condition(x):
    total = tf.constant(0.0)
    while total < x:
        total = total + 1.0
    return total * v


@none("python_number", "int(x)", 3.0)
def range_of_x(x):
    y = tf.constant(1.0)
    for _ in range(int(x)):
        y = y * 2.0
    return y


@tf.function
def condition_in_tf_function(x):
    if x > 1.0:
        return tf.constant(3.0) * v
    return v


none("condition", "x > 1.0", 2.0)(condition_in_tf_function)


# -- Keras


@none("unconnected", None, [[1.0, 2.0, 3.0]])
def weights_only(x):
    return tf.reduce_sum(dense.kernel)


@none("numpy", "dense(x).numpy()", [[1.0, 2.0, 3.0]])
def keras_layer_then_numpy(x):
    out = dense(x).numpy()
    return tf.reduce_sum(tf.constant(out))


@none("numpy", "model.predict(x, verbose=0)", [[1.0, 2.0, 3.0]])
def keras_predict(x):
    return tf.reduce_sum(tf.constant(model.predict(x, verbose=0)))


@none("untracked_variable", "self.scale * self.dense(x)")
def untracked():
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(scaled(tf.ones((2, 3))))
    return tape.gradient(loss, scaled.trainable_variables)


@none("no_sources", None)
def frozen_model():
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(frozen(tf.ones((2, 3))))
    return tape.gradient(loss, frozen.trainable_variables)


@none("unconnected", None)
def unused_weight_in_list():
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model.layers[0](tf.ones((2, 3))))
    return tape.gradient(loss, model.trainable_variables)


@none("outside_tape", "model(images)")
def forward_outside():
    images = tf.ones((2, 3))
    prediction = model(images)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(prediction**2)
    return tape.gradient(loss, model.trainable_variables)


@none("argmax", "tf.argmax(model(x), axis=1)")
def loss_on_argmax():
    x = tf.ones((2, 3))
    with tf.GradientTape() as tape:
        guess = tf.cast(tf.argmax(model(x), axis=1), tf.float32)
        loss = tf.reduce_mean((guess - 1.0) ** 2)
    return tape.gradient(loss, model.trainable_variables)


@none("argmax", "tf.argmax(model(x), axis=1)")
def none_then_an_error():
    x = tf.ones((2, 3))
    with tf.GradientTape() as tape:
        guess = tf.cast(tf.argmax(model(x), axis=1), tf.float32)
        loss = tf.reduce_mean((guess - 1.0) ** 2)
    slope = tape.gradient(loss, model.trainable_variables)
    return [
        variable - 0.1 * s for variable, s in zip(model.trainable_variables, slope, strict=True)
    ]


# -- unusual shapes of functions

none("numpy", "np.tanh(x)", 1.0)(lambda x: tf.constant(np.tanh(x)) * 2)


class Machine:
    def __init__(self):
        self.weight = tf.Variable(2.0)

    def loss(self, x):
        return tf.round(self.weight * x)

    def __call__(self, x):
        return tf.constant(float(x)) * self.weight


machine = Machine()


@none("rounding", "tf.round(self.weight * x)", 1.3)
def a_method(x):
    return machine.loss(x)


none("rounding", "tf.round(self.weight * x)", 1.3)(machine.loss.__func__.__get__(machine))


def scaled_by(factor, x):
    return factor * tf.floor(x)


partly = functools.partial(scaled_by, 2.0)
partly.__name__ = "partly"
none("rounding", "tf.floor(x)", 1.3)(partly)


@none("stop_gradient", "tf.stop_gradient(", {"a": 1.0, "b": 2.0})
def dictionary(weights):
    return weights["a"] * tf.stop_gradient(weights["b"])


@none("unconnected", None, [tf.Variable(1.0), tf.Variable(2.0)])
def one_of_a_list(weights):
    return weights[0] ** 2


@none("rounding", "tf.round(x @ x)", [[1.2, 2.0], [3.0, 4.0]])
def matrices(x):
    return tf.reduce_sum(tf.round(x @ x))


@none("python_number", "float(x[0])", [1.0, 2.0])
def element(x):
    return tf.constant(float(x[0])) + 0.0


@none("unconnected", None)
def hidden_by_zeros():
    x = tf.Variable(2.0)
    y = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        z = y * y
    return tape.gradient(z, x, unconnected_gradients=tf.UnconnectedGradients.ZERO)


@none("argmax", "tf.argmax(x)", [1.0, 3.0])
def jacobian_none(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.cast(tf.argmax(x), tf.float32)
    return tape.jacobian(y, x)


# -- raised, flat, not finite


@none("tape_used_up", "tape.gradient(y, x)", 3.0)
def second_gradient(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        z = y * y
    dz_dx = tape.gradient(z, x)
    return dz_dx, tape.gradient(y, x)


@none("zero", "tf.sign(x)", 2.0)
def sign(x):
    return tf.sign(x) * 3.0


@none("zero", "tf.nn.relu(x)", [-1.0, -2.0])
def dead_relu(x):
    return tf.reduce_sum(tf.nn.relu(x))


@none("not_finite", "tf.sqrt(x)", 0.0)
def root_at_zero(x):
    return tf.sqrt(x)


@none("no_registered_gradient", "tf.linalg.lu(x)", [[2.0, 1.0], [1.0, 3.0]])
def no_gradient_registered(x):
    lu, _ = tf.linalg.lu(x)
    return tf.reduce_sum(lu)


# -- nothing wrong


@fine(2.0)
def square(x):
    return x * x


fine(2.0)(lambda x: tf.sin(x) ** 2)


@fine([1.0, 2.0, 3.0])
def reduce_twice(x):
    y = tf.reduce_sum(x)
    print(f"y is {y:.2f}")
    return y * y


@fine(2.0, 6)
def loop(x, y):
    output = 1.0
    for i in range(y):
        if 1 < i < 5:
            output = output * x
    return output


@fine(2.0)
def branch(x):
    if x > 1.0:
        return x * x
    return -x


@fine(2.0)
def branch_on_float(x):
    if float(x) > 1.0:
        return x * x
    return -x


@fine()
def own_tape():
    with tf.GradientTape() as tape:
        y = v * v
    return tape.gradient(y, v)


@fine(3.0)
def second_derivative(x):
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = x**3
        dy = inner.gradient(y, x)
    return outer.gradient(dy, x)


@fine()
def variables_of_the_closure():
    return tf.reduce_sum(w) * v


@fine([[1.0, 2.0, 3.0]])
def keras_model(x):
    return tf.reduce_sum(model(x))


@fine()
def keras_loss():
    x, y = tf.ones((4, 3)), tf.ones((4, 1))
    with tf.GradientTape() as tape:
        loss = keras.losses.MeanSquaredError()(y, model(x))
    return tape.gradient(loss, model.trainable_variables)


@fine([[0.1, 0.2, 0.7]], np.array([2]))
def cross_entropy(logits, labels):
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)


@fine([[0.1, 0.2, 0.7]], tf.constant([2]))
def cross_entropy_of_tensors(logits, labels):
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)


@fine()
def gathered():
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(tf.gather(table, [1, 2]))
    return tape.gradient(y, table)


@fine(2.0)
def py_function(x):
    return tf.py_function(lambda a: a * a, [x], tf.float32) * 2.0


@tf.custom_gradient
def doubled(x):
    def grad(upstream):
        return 2.0 * upstream

    return x * 2.0, grad


@fine(2.0)
def custom_gradient(x):
    return doubled(x) * 3.0


@fine([1.0, 2.0])
def where_of_values(x):
    return tf.reduce_sum(tf.where(x > 1.5, x, 2 * x))


@tf.function
def compiled(x):
    if x > 0:
        return x * x
    return -x


fine(2.0)(compiled)


@fine(2.0)
def calls_compiled(x):
    return compiled(x) + 1.0


@fine(2.0)
def while_loop(x):
    i = 0
    while i < 3:
        x = x * x
        i += 1
    return x


@fine(2.0)
def assign_after(x):
    y = x * v
    v.assign_add(1.0)
    return y


@fine([[1.0, 2.0], [3.0, 4.0]])
def map_fn(x):
    return tf.map_fn(tf.reduce_sum, x)


@fine(2.0)
def numpy_factor(x):
    return np.float32(3.0) * x + np.pi


@fine([1.0, 2.0, 3.0])
def normalised(x):
    return tf.reduce_sum(((x - tf.stop_gradient(tf.reduce_mean(x))) / 2.0) ** 2)


@fine({"w": [1.0, 2.0], "b": 0.5})
def parameters(p):
    return tf.reduce_sum(p["w"] * 2.0 + p["b"])


@fine(3.0)
def jacobian(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.stack([x, x * x])
    return tape.jacobian(y, x)


@fine()
def training_step():
    optimizer = keras.optimizers.SGD(0.1)
    x, y = tf.ones((4, 3)), tf.ones((4, 1))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((model(x) - y) ** 2)
    slopes = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(slopes, model.trainable_variables, strict=True))
    return loss


@fine(0.0)
def bottom_of_a_valley(x):
    return x * x


@fine([1.0, 2.0])
def dropout(x):
    return tf.reduce_sum(tf.random.normal([2]) * x)


@fine(np.array([1.0, 2.0]))
def float64_beside_float32(x):
    return tf.reduce_sum(x * w)


@fine([1.0, 2.0, 3.0])
def unpacked(x):
    a, b, *rest = x
    return a * b + sum(rest)


@fine(2.0)
def several_outputs(x):
    return x * x, {"cube": x**3}


@fine(2.0)
def intermediate(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        z = y * y
    return tape.gradient(z, [x, y])


@fine([0.5, 2.0])
def masked_by_a_condition(x):
    mask = tf.cast(x > 1.0, tf.float32)
    return tf.reduce_sum(mask * x)


@pytest.mark.parametrize("f, inputs, cause, fragment", NONE)
def test_the_cause_and_the_line_are_named(f, inputs, cause, fragment):
    explanation = explain_none(f, *inputs)

    assert explanation.cause in getattr(f, "causes", (cause,)), str(explanation)
    if fragment is not None:
        assert fragment in f"{explanation.line} | {explanation.expression}", str(explanation)


@pytest.mark.parametrize("f, inputs", FINE)
def test_a_function_whose_gradient_is_there_raises_no_alarm(f, inputs):
    explanation = explain_none(f, *inputs)

    assert explanation.cause == "fine", str(explanation)
    assert "fine" in str(explanation)
