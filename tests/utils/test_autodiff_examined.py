"""A stranger's functions: helpers beside the tape, tf.functions, numbers too large."""

import gc
import logging
import math
from collections import namedtuple

import keras
import pytest
import tensorflow as tf
from matplotlib.text import Text

from utils.autodiff import draw_tape, explain_none
from utils.errors import CourseError

C = tf.constant
CASES = []
rows, truth = C([[0.5, -1.0], [1.0, 2.0]]), C([[1.0], [0.0]])


def case(cause, fragment, *words, inputs=()):
    def keep(f):
        name = getattr(f, "__name__", None) or f.python_function.__name__
        CASES.append(pytest.param(f, inputs, cause, fragment, words, id=name))
        return f

    return keep


# -- the line beside the tape, not one inside a helper


class Line(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)

    def call(self, x):
        return self.dense(x)


def squared_error(target, found):
    difference = target - found
    return tf.reduce_mean(difference * difference)


@case("outside_tape", "guess = line(rows)", "before the tape is opened")
def a_model_called_before():
    line = Line()
    guess = line(rows)
    with tf.GradientTape() as tape:
        loss = squared_error(truth, guess)
    return tape.gradient(loss, line.trainable_variables)


@case("outside_tape", "loss = squared_error(truth, guess)", "after the tape is closed")
def a_loss_of_a_helper_after():
    line = Line()
    with tf.GradientTape() as tape:
        guess = line(rows)
    loss = squared_error(truth, guess)
    return tape.gradient(loss, line.trainable_variables)


@case("stop_recording", "guess = line(rows)")
def a_model_called_in_a_pause():
    line = Line()
    with tf.GradientTape() as tape:
        with tape.stop_recording():
            guess = line(rows)
        loss = squared_error(truth, guess)
    return tape.gradient(loss, line.trainable_variables)


def slope(f, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x)


@case("inner_gradient_outside", "first = slope(tf.sin, x)", inputs=(C(2.0),))
def a_slope_of_a_helper_before(x):
    first = slope(tf.sin, x)
    with tf.GradientTape() as outer:
        outer.watch(x)
        twice = first * 2.0
    return outer.gradient(twice, x)


# -- a tf.function returns tensors, also where its body computes Python numbers


@case("condition", "if x < 0:", "gradient with respect to `x` is None", inputs=(C(-1.2),))
@tf.function
def numbers_in_both_branches(x):
    if x < 0:
        y = 1.0
    else:
        y = 2.0
    return y


@case("condition", "if x < 0:", inputs=(C(-1.2),))
def calls_one_with_numbers(x):
    return numbers_in_both_branches(x) * 3.0


@case("integer_cast", "n = tf.cast(x, tf.int32)", inputs=(C(2.0),))
@tf.function
def a_number_counted_up(x):
    n = tf.cast(x, tf.int32)
    total = 0.0
    for _ in tf.range(n):
        total += 2.0
    return total


@case("integer_cast", "for _ in tf.range(tf.cast(x, tf.int32)):", inputs=(C(2.0),))
def rounds_counted_by_the_input(x):
    y = C(1.0)
    for _ in tf.range(tf.cast(x, tf.int32)):
        y = y * 2.0
    return y


# -- a value that picks an entry


@case("python_number", "table[float(x)]", inputs=(C(1.0),))
def a_key_of_a_dict(x):
    table = {1.0: 3.0, 2.0: 5.0}
    return C(table[float(x)])


@case("python_number", "items[int(x)]", inputs=(C(1.0),))
def a_place_in_a_list(x):
    items = [C(3.0), C(5.0)]
    return items[int(x)] * 1.0


@case("unconnected", None, inputs=(C(1.0),))
def a_place_only_printed(x):
    print(["no", "yes"][int(x)])
    return C(3.0)


# -- numbers that are not finite: from where they come


@case("not_finite", "e = tf.exp(x)", "`tf.exp(x)` is inf at [0] already", inputs=(C([1e3, 0.0]),))
def a_softmax_that_overflows(x):
    e = tf.exp(x)
    return tf.reduce_sum(e / tf.reduce_sum(e) * C([1.0, 2.0]))


@case("not_finite", "z = (x", "is nan at [0], nan at [1] already", inputs=(C([3.0, 3.0]),))
def standardised_equal_values(x):
    z = (x - tf.reduce_mean(x)) / tf.math.reduce_std(x)
    return tf.reduce_sum(z**2)


@case("not_finite", "x * x", "`x` holds nan already", inputs=(C(math.nan),))
def a_missing_number(x):
    return x * x


@case("not_finite", "w * w", "`w` holds nan already")
def a_variable_that_was_lost():
    w = tf.Variable(math.nan)
    with tf.GradientTape() as tape:
        y = w * w
    return tape.gradient(y, w)


@case("not_finite", "tf.sqrt(x)", "its slope has no finite value here", inputs=(C(0.0),))
def a_slope_without_end(x):
    return tf.sqrt(x)


# -- nothing asked for, and a metric


@case("no_sources", "tape.gradient(loss, asked)", "before its first call")
def variables_of_a_model_not_built():
    line = Line()
    asked = line.trainable_variables
    with tf.GradientTape() as tape:
        loss = squared_error(truth, line(rows))
    return tape.gradient(loss, asked)


@case("no_sources", "tape.gradient(loss, line.train", "A frozen model", "trainable = True")
def variables_of_a_frozen_model():
    line = Line()
    line.trainable = False
    with tf.GradientTape() as tape:
        loss = squared_error(truth, line(rows))
    return tape.gradient(loss, line.trainable_variables)


@case("no_sources", "tape.gradient(loss, [])", "Name the variables that you want.")
def an_empty_list():
    w = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        loss = w * w
    return tape.gradient(loss, [])


@case("state", "score(truth", "A metric only keeps score", inputs=(rows,))
def a_metric_called(x):
    score = keras.metrics.RootMeanSquaredError()
    return score(truth, tf.reduce_sum(x, axis=1, keepdims=True))


# -- gradients of 0


@case("zero", "tf.abs(x)", "is not None, but 0.", "a kink at 0", inputs=(C(0.0),))
def a_distance_of_nothing(x):
    return tf.abs(x)


@case("zero", "tf.sign(x)", "0 everywhere", inputs=(C(2.0),))
def only_the_sign(x):
    return tf.sign(x)


# -- words


@case("comparison", "count_nonzero", "count_nonzero(x)` compares:", inputs=(C([1.0, 0.0]),))
def a_count(x):
    return tf.cast(tf.math.count_nonzero(x), tf.float32)


@case("comparison", "tf.greater", "answers True or False", inputs=(C([1.0, 0.0]),))
def a_question(x):
    return tf.reduce_sum(tf.cast(tf.greater(x, 0.5), tf.float32))


@case("condition", "switch_case", "decides what runs (`tf.cast(x, tf.int32)`)", inputs=(C(1.0),))
def a_branch_by_number(x):
    return tf.switch_case(tf.cast(x, tf.int32), [lambda: C(1.0), lambda: C(2.0)]) * C(1.0)


@case("python_number", "max(map(float, x))", "the tensor `x` itself", inputs=(C([1.0, 2.0]),))
def the_largest_of_mapped(x):
    return C(max(map(float, x)))


Weights = namedtuple("Weights", "w b")


@case("unconnected", "p.w", "`p.b`", inputs=(Weights(C(1.0), C(2.0)),))
def a_named_tuple(p):
    return p.w * 2.0


@case("fine", None, inputs=(C([0.5, 2.0]),))
def a_result_of_bfloat16(x):
    return tf.cast(tf.reduce_sum(x * x), tf.bfloat16)


# -- zeros that TensorFlow gives in place of None


@tf.function
def rounds_of_newton(a):
    x, n = C(1.0), C(0.0)
    while tf.abs(x * x - a) > 1e-3:
        x = 0.5 * (x + a / x)
        n += 1.0
    return n


FROM_A_FUNCTION = "is 0 in place of None: a tf.function answers with zeros"


@case("condition", "while tf.abs", FROM_A_FUNCTION, inputs=(C(2.0),))
def a_tf_function_within(a):
    return rounds_of_newton(a)


@case("condition", "while tf.abs", FROM_A_FUNCTION)
def a_tf_function_on_a_tape():
    a, b = tf.Variable(2.0), tf.Variable(3.0)
    with tf.GradientTape() as tape:
        n = rounds_of_newton(a) * b
    return tape.gradient(n, [a, b])


@case("numpy", "a.numpy()", "0 in place of None: tf.py_function answers with zeros")
def a_py_function_on_a_tape():
    x = tf.Variable([0.1, 0.2])
    with tf.GradientTape() as tape:
        y = tf.py_function(lambda a: a.numpy() * 2.0, [x], tf.float32)
    return tape.gradient(y, x)


@tf.function
def constant_of(a):
    return C(3.0)


@case("unconnected", None, "with respect to `a` is None.", inputs=(C(2.0),))
def a_tf_function_that_gives_none(a):
    return constant_of(a)


@case("numpy", "x.numpy()", "Called as a tf.function it ends in AttributeError", inputs=(C(1.0),))
@tf.function
def a_tf_function_that_fails(x):
    return tf.constant(x.numpy())


# -- what is computed beside, or from, the gradient of an own tape


@case("rounding", "tf.round(a)", inputs=(C(2.3),))
def rounded_beside_a_tape(a):
    x = tf.Variable(1.5)
    with tf.GradientTape() as tape:
        y = x**2
    return tf.round(a) * tape.gradient(y, x)


@case("python_number", "float(k)", inputs=(C(2.0),))
def a_residual(k):
    t = C([0.1, 0.5])
    with tf.GradientTape() as tape:
        tape.watch(t)
        u = tf.exp(-0.5 * t)
    return tf.reduce_mean((tape.gradient(u, t) + float(k) * u) ** 2)


@case("fine", None, "`x`", inputs=(C([1.0, 2.0]),))
def a_norm_of_its_gradient(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(2.0 * x)
    return tf.norm(tape.gradient(y, x))


@case("rounding", "tf.floor(x)", "0 only because batch_jacobian gives zeros")
def a_jacobian_of_steps():
    x = C([[0.3, 1.7]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.floor(x) * 2.0
    return tape.batch_jacobian(y, x)


@case("not_finite", "tf.acos(v)", "tf.clip_by_value", inputs=(C(1.0),))
def at_the_edge_of_acos(v):
    return tf.acos(v)


class EitherLayer(keras.Model):
    def __init__(self):
        super().__init__()
        self.b, self.c = (keras.layers.Dense(1, name=name) for name in "bc")

    def call(self, x, use_c=False):
        return self.c(x) if use_c else self.b(x)


@case("unconnected", "self.c(x)", "is used only outside the tape")
def a_layer_used_before_the_tape():
    model = EitherLayer()
    model(rows)
    model(rows, use_c=True)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(model(rows) ** 2)
    return tape.gradient(loss, model.trainable_variables)


class Caching:
    def __init__(self):
        self.w, self.hidden = tf.Variable(2.0), None

    def forward(self, x):
        if self.hidden is None:
            self.hidden = self.w * x
        return self.hidden**2


@case("outside_tape", "self.w * x", "Compute it anew in each round")
def a_tensor_kept_from_the_first_round():
    net, gradients = Caching(), []
    for _ in range(2):
        with tf.GradientTape() as tape:
            loss = net.forward(3.0)
        gradients.append(tape.gradient(loss, net.w))
    return gradients


@case("random", "tf.random.categorical", "logarithm of its probability", inputs=(C([[1.0, 2.0]]),))
def a_drawn_class(logits):
    return tf.cast(tf.random.categorical(logits, 2), tf.float32)


# -- what an assign method returned, conditions that decide together, tapes that were never opened


RETURNED = "stands for what an assign method returned"


@case("variable_replaced", "w = w.assign_sub", RETURNED, "without `w =` before it")
def an_assignment_of_what_assign_sub_returned():
    w = tf.Variable(2.0)
    for _ in range(2):
        with tf.GradientTape() as tape:
            loss = w**2
        g = tape.gradient(loss, w)
        if g is not None:
            w = w.assign_sub(0.1 * g)
    return g


@case("variable_replaced", "w = w.assign(3.0)", RETURNED)
def an_assignment_before_the_tape():
    w = tf.Variable(2.0)
    w = w.assign(3.0)
    with tf.GradientTape() as tape:
        loss = w**2
    return tape.gradient(loss, w)


@case("variable_replaced", "ws = [w.assign_sub", RETURNED, "The same holds for `ws[1]`")
def a_list_of_what_assign_sub_returned():
    ws = [tf.Variable(1.0), tf.Variable(2.0)]
    for _ in range(2):
        with tf.GradientTape() as tape:
            loss = ws[0] ** 2 + ws[1]
        g = tape.gradient(loss, ws)
        if g[0] is not None:
            ws = [w.assign_sub(0.1 * d) for w, d in zip(ws, g, strict=True)]
    return g


@case("variable_replaced", "params = [p -", "`params[0].assign_sub(...)`")
def a_list_of_differences():
    params = [tf.Variable(1.0), tf.Variable(2.0)]
    for _ in range(2):
        with tf.GradientTape() as tape:
            loss = params[0] ** 2 + params[1]
        g = tape.gradient(loss, params)
        if g[0] is not None:
            params = [p - 0.1 * d for p, d in zip(params, g, strict=True)]
    return g


@case("fine", None, inputs=(C([1.0, 2.0]),))
def a_py_function_that_only_logs(x):
    tf.py_function(lambda a: print("mean", a.numpy().mean()), [x], [])
    return tf.reduce_sum(x**2)


@case("condition", "if x > 1.0 or x > 1.5", inputs=(C(2.0),))
def either_would_do(x):
    if x > 1.0 or x > 1.5:
        return C(5.0)
    return C(6.0)


@case("condition", "if x > 3.0 and x > 4.0", inputs=(C(2.0),))
def neither_holds(x):
    if x > 3.0 and x > 4.0:
        return C(5.0)
    return C(6.0)


@case("condition", "if any(", inputs=(C([1.0, 2.0]),))
def any_element(x):
    if any(e > 1.5 for e in x):
        return C(1.0)
    return C(0.0)


@case("condition", "if all(", inputs=(C([2.0, 4.0]),))
def all_elements(x):
    if all(e < 1.0 for e in x):
        return C(1.0)
    return C(0.0)


@case("unconnected", "never_reaches = b * 3.0")
def used_before_the_tape_and_in_vain_inside():
    a, b = tf.Variable(1.0), tf.Variable(2.0)
    print(a * b)
    with tf.GradientTape() as tape:
        never_reaches = b * 3.0
        loss = a**2
    assert never_reaches is not None
    return tape.gradient(loss, [a, b])


@case("outside_tape", "return tape.gradient", "never opened", "with tf.GradientTape() as tape:")
def a_tape_without_with():
    w = tf.Variable(2.0)
    tape = tf.GradientTape(persistent=True)
    loss = w**2
    return tape.gradient(loss, w)


@case("custom_gradient", "scaled(C(3.0))", "a list with one for each variable")
def a_custom_gradient_without_one_for_its_variable():
    w = tf.Variable(2.0)

    @tf.custom_gradient
    def scaled(x):
        def grad(upstream, variables=None):
            return upstream * w, [None] * len(variables)

        return w * x, grad

    with tf.GradientTape() as tape:
        loss = scaled(C(3.0)) ** 2
    return tape.gradient(loss, w)


@case("variable_copy", "avg.apply([w])", "`avg.apply([w])` copies the value")
def a_moving_average():
    w = tf.Variable(2.0)
    avg = tf.train.ExponentialMovingAverage(0.9)
    with tf.GradientTape() as tape:
        avg.apply([w])
        loss = avg.average(w) ** 2
    return tape.gradient(loss, w)


@case("random", "tf.random.shuffle(x)", "tf.gather(x, order)", inputs=(C([1.0, 2.0, 4.0]),))
def a_shuffle(x):
    return tf.reduce_sum(tf.random.shuffle(x) * C([1.0, 2.0, 3.0]))


@case("argmax", "max_pool_with_argmax", "positions", inputs=(tf.ones((1, 2, 2, 1)),))
def the_places_of_a_pooling(x):
    _, places = tf.nn.max_pool_with_argmax(x, 2, 2, "VALID")
    return tf.reduce_sum(tf.cast(places, tf.float32))


@case("argmax", "tf.linalg.lu(x)", "positions", inputs=(C([[1.0, 2.0], [3.0, 4.0]]),))
def the_permutation_of_a_decomposition(x):
    _, permutation = tf.linalg.lu(x)
    return tf.reduce_sum(tf.cast(permutation, tf.float32))


@pytest.mark.parametrize("f, inputs, cause, fragment, words", CASES)
def test_the_cause_the_line_and_the_words(f, inputs, cause, fragment, words):
    explanation = explain_none(f, *inputs)

    assert explanation.cause == cause, str(explanation)
    assert fragment is None or fragment in explanation.line, str(explanation)
    for word in words:
        assert word in str(explanation)


def test_a_picture_shows_a_result_of_bfloat16():
    assert draw_tape(a_result_of_bfloat16, C([0.5, 2.0])).get_label().startswith("What ")


def test_a_picture_of_a_tf_functions_gradient_shows_what_the_function_gave():
    label = draw_tape(a_tf_function_on_a_tape).get_label()

    assert "tf.function rounds_of_newton gives 3" in label
    assert "the way back through rounds_of_newton" in label


def test_a_picture_needs_no_variable_of_an_earlier_call():
    @tf.function
    def size(x):
        if x > 0.0:
            return x * x
        return -x

    def of_a_fresh_variable():
        x = tf.Variable(3.0)
        with tf.GradientTape() as tape:
            y = size(x)
        return tape.gradient(y, x)

    of_a_fresh_variable()
    with pytest.raises(AssertionError, match="have been deleted"):
        of_a_fresh_variable()

    assert "tf.function size gives 9" in draw_tape(of_a_fresh_variable).get_label()


@pytest.mark.parametrize("made", [lambda: C([3.0]), lambda: tf.linspace(3.0, 3.0, 1)])
def test_what_is_made_and_watched_inside_is_drawn_as_an_input(made):
    def slope():
        x = made()
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x * x * x
        return tape.gradient(y, x)

    label = draw_tape(slope).get_label()
    assert "gives [27]" in label and "gradient of z with respect to x: [18]" in label
    assert explain_none(slope).cause == "fine"


def test_what_is_watched_inside_and_computed_from_an_input_is_no_input():
    def slope(x):
        with tf.GradientTape() as tape:
            h = 2.0 * x
            tape.watch(h)
            y = h * h
        return tape.gradient(y, h)

    assert "gradient of z with respect to x: 4" in draw_tape(slope, 3.0).get_label()


def recomputed():
    w = tf.Variable(2.0)

    @tf.recompute_grad
    def block(x):
        return tf.sin(x * w)

    with tf.GradientTape() as tape:
        loss = block(C(1.0))
    return tape.gradient(loss, w)


def quantised():
    w = tf.Variable([0.2, 0.7])
    with tf.GradientTape() as tape:
        loss = tf.quantization.quantize_and_dequantize_v2(w, 0.0, 1.0, range_given=True) ** 2
    return tape.gradient(loss, w)


@pytest.mark.parametrize("f", [recomputed, quantised])
def test_what_tensorflow_cannot_differentiate_twice_is_drawn_without_gradients(f):
    label = draw_tape(f).get_label()
    assert " op" in label and "gradient of" not in label


def test_tf_gradients_is_answered_with_a_sentence():
    @tf.function
    def slope(x):
        return tf.gradients(tf.round(x), x)[0]

    with pytest.raises(CourseError, match="in its place"):
        explain_none(lambda: slope(C(1.5)))


def of_a_line():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = 2.0 * x + 1.0
    return tape.gradient(y, x)


def with_one_unseen():
    w, v = tf.Variable(0.3), tf.Variable(0.7)
    hidden = tf.tanh(w * 2.0)
    with tf.GradientTape() as tape:
        loss = hidden * v
    return tape.gradient(loss, [w, v])


def with_one_unwatched():
    w, b = tf.Variable(3.0), C(1.0)
    with tf.GradientTape() as tape:
        loss = (w * 2.0 + b) ** 2
    return tape.gradient(loss, [w, b])


def with_a_step():
    w = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        loss = tf.sin(w) ** 2
    g = tape.gradient(loss, w)
    w.assign_sub(0.1 * g)
    return loss


def texts(figure):
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def test_a_gradient_that_is_the_same_everywhere_is_drawn_by_what_it_differentiates():
    figure = draw_tape(of_a_line)

    assert "gradient of y with respect to x: 2." in figure.get_label()
    assert "is the same everywhere" in texts(figure)


@pytest.mark.parametrize("f", [with_one_unseen, with_one_unwatched])
def test_what_the_tape_did_not_see_is_dashed_for_one_of_two_gradients(f):
    assert "did not record the steps with dashed arrows" in texts(draw_tape(f))


def test_what_a_tape_answered_is_no_constant():
    words = texts(draw_tape(with_a_step))

    assert "from tape.gradient" in words
    assert "Dashed arrows" not in words


def test_a_list_of_none_from_a_graph_cannot_be_drawn():
    @tf.function
    def in_a_graph(x):
        with tf.GradientTape() as tape:
            y = x * x
        return [tape.gradient(y, x)]

    with pytest.raises(CourseError, match="explain_none says why"):
        draw_tape(in_a_graph, C(2.0))


def test_what_is_stored_in_an_element_leads_to_the_output():
    def stored(x):
        grid = tf.Variable([0.0, 0.0, 1.0])
        grid[1].assign(x * 2.0)
        return tf.reduce_sum(grid * grid)

    assert "Dashed arrows" in texts(draw_tape(stored, C(2.0)))


def test_a_repeated_run_says_nothing_of_arrays_that_it_leaves_unread(caplog):
    def mapped(x):
        return tf.reduce_sum(tf.map_fn(lambda part: part * part, x))

    with caplog.at_level(logging.ERROR, logger="tensorflow"):
        explain_none(mapped, C([1.0, 2.0]))
        draw_tape(mapped, C([1.0, 2.0]))
        gc.collect()

    assert "never used" not in caplog.text
