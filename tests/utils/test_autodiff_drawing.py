"""draw_tape shows what ran, its values and gradients, and the path that was taken."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from matplotlib import pyplot
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from utils.autodiff import draw_tape
from utils.errors import CourseError
from utils.plotting.figures import CSS_PIXELS_AN_INCH, VERMILION, figure_png

v = tf.Variable(2.0)


def words(figure):
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    return "\n".join([*texts, *(text.get_text() for text in figure.texts)])


def boxes(figure):
    return [p for p in figure.axes[0].patches if isinstance(p, FancyBboxPatch)]


def arrows(figure):
    return [p for p in figure.axes[0].patches if isinstance(p, FancyArrowPatch)]


def sum_squared(x):
    y = tf.reduce_sum(x)
    z = y * y
    return z


def test_the_first_example_shows_each_op_its_value_and_its_gradient():
    figure = draw_tape(sum_squared, tf.ones((2, 2)))

    said = words(figure)
    for part in ("reduce_sum", "y = 4", "dz/dy = 8", "z = 16", "all 8", "input", "output"):
        assert part in said
    assert len(boxes(figure)) == 3
    assert len(arrows(figure)) == 3  # y enters the product twice


def test_the_figure_has_alternative_text_and_pyplot_does_not_know_it():
    figure = draw_tape(sum_squared, tf.ones((2, 2)))

    assert isinstance(figure, Figure)
    assert not pyplot.get_fignums()
    alt = figure.get_label()
    assert alt.endswith(".") and "sum_squared(x)" in alt and "reduce_sum gives 4" in alt


def test_the_rounds_of_a_loop_and_the_conditions_are_told():
    def f(x, y):
        output = 1.0
        for i in range(y):
            if i > 1 and i < 5:
                output = output * x
        return output

    said = words(draw_tape(f, 2.0, 6))

    assert "i = 0, 1: i > 1 and i < 5 is false" in said
    assert "i = 2, 3, 4: i > 1 and i < 5 is true → output = output * x" in said
    assert "i = 5" in said
    assert "d(output)/dx = 12" in said


@pytest.mark.parametrize(
    "value, told, untold", [(2.0, "y = x * 3.0", "y = -x"), (-2.0, "y = -x", "* 3")]
)
def test_only_the_branch_taken_is_told(value, told, untold):
    def f(x):
        if x > 1.0:
            y = x * 3.0
        else:
            y = -x
        return y

    said = words(draw_tape(f, value))
    assert told in said and untold not in said
    assert ("x > 1.0 is true" if value > 1 else "x > 1.0 is false") in said


def early(x):
    if x > 1.0:
        return x * x
    return 2.0 * x


def late(x):
    if x > 1.0:
        x = x * x
    return 2.0 * x


@pytest.mark.parametrize(
    ("f", "value", "path"),
    [
        (early, 2.0, "x > 1.0 is true → return x * x"),
        (early, 0.5, "x > 1.0 is false → return 2.0 * x"),
        (late, 2.0, "x > 1.0 is true → x = x * x → return 2.0 * x"),
        (late, 0.5, "x > 1.0 is false → return 2.0 * x"),
    ],
)
def test_the_path_goes_on_to_the_return_that_the_branch_led_to(f, value, path):
    assert path in words(draw_tape(f, value)).splitlines()


def test_a_function_without_a_branch_has_no_path_to_tell():
    assert "path" not in words(draw_tape(sum_squared, 2.0))


def test_the_legend_names_marks_and_edges_that_read_without_colour():
    def slope(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x * x
        return tf.round(tape.gradient(y, x))

    figure = draw_tape(slope, 3.0)
    said = words(figure)
    assert "Dashed arrows with ✕" in said and "✕" in said.splitlines()
    assert "dotted edge" in said
    grey = [box for box in boxes(figure) if box.get_facecolor()[:3] == to_rgba("#E9E9E9")[:3]]
    assert grey and all(box.get_linestyle() == ":" for box in grey)
    assert not any(colour in said.lower() for colour in ("red", "grey", "blue"))


def test_a_while_loop_and_a_ternary_are_told():
    def f(x):
        sign = 1.0 if x > 0 else -1.0
        count = 0
        while count < 3:
            x = x * sign
            count += 1
        return x

    said = words(draw_tape(f, -2.0))
    assert "x > 0 is false" in said
    assert "round 1, 2, 3: x = x * sign" in said


def test_variables_constants_and_the_output_are_told_by_words_and_shapes():
    figure = draw_tape(lambda x: x * v + 5.0, 3.0)

    said = words(figure).splitlines()
    assert {"input", "variable", "constant"} <= set(said)
    assert any(line.startswith("output") for line in said)
    kinds = {
        (type(p.get_boxstyle()).__name__, p.get_linestyle(), p.get_linewidth())
        for p in boxes(figure)
    }
    assert len(kinds) >= 4


def test_a_value_that_leaves_tensorflow_is_marked_and_its_gradient_says_none():
    def broken(x):
        y = x * 2.0
        return np.sin(y) * tf.constant(3.0)

    figure = draw_tape(broken, 0.7)

    said = words(figure)
    assert "np.sin(y)" in said and "leaves TensorFlow" in said and "= None" in said and "✕" in said
    red = [a for a in arrows(figure) if to_rgba(a.get_edgecolor()) == to_rgba(VERMILION)]
    assert len(red) == 3 and all(a.get_linestyle() != "-" for a in red)


def test_a_printed_value_is_not_drawn_as_lost():
    def printing(x):
        assert f"{x:.1f}" == "2.0"
        return x * x

    assert "leaves" not in words(draw_tape(printing, 2.0))


def test_a_gradient_function_that_returns_none_stops_the_arrow_into_it():
    @tf.custom_gradient
    def silent(x):
        def grad(upstream):
            return None

        return x * 3.0, grad

    figure = draw_tape(lambda x: silent(x * 2.0) * 5.0, 0.3)

    dashed = [a for a in arrows(figure) if to_rgba(a.get_edgecolor()) == to_rgba(VERMILION)]
    assert len(dashed) == 2  # from x, and from its double into silent


def test_all_values_that_leave_in_a_loop_lead_to_the_box_where_they_leave():
    def f(v):
        squares = [float(t) ** 2 for t in v]
        return tf.add_n([tf.constant(square) for square in squares])

    figure = draw_tape(f, tf.constant([1.0, 2.0, 3.0]))

    assert words(figure).count("leaves TensorFlow") == 1
    dashed = [a for a in arrows(figure) if to_rgba(a.get_edgecolor()) == to_rgba(VERMILION)]
    assert len(dashed) == 9  # v to its three parts, those into the box, three numbers out of it


def test_what_a_gradient_of_tensorflow_looks_up_does_not_leave():
    def f():
        w = tf.Variable([1.0, 2.0])
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(w**2)
        return tape.gradient(loss, w)

    assert "leaves TensorFlow" not in words(draw_tape(f))


def test_the_steps_that_the_tape_did_not_record_have_dashed_arrows():
    def f():
        x = tf.Variable(1.0)
        with tf.GradientTape() as outer, tf.GradientTape() as inner:
            y = x**3
        return outer.gradient(inner.gradient(y, x), x)

    figure = draw_tape(f)

    assert "did not record" in words(figure)
    assert any(to_rgba(a.get_edgecolor()) == to_rgba(VERMILION) for a in arrows(figure))


def test_a_name_that_the_learner_gave_is_not_given_to_the_output_again():
    def f(x):
        z = x * 2.0
        return z * z + 1.0

    said = words(draw_tape(f, 2.0))

    assert said.count("\nz = ") == 1 and "result = 17" in said


def test_an_op_without_a_gradient_stops_the_arrow():
    said = words(draw_tape(lambda x: tf.round(x) * 2.0, 2.3))

    assert "round" in said and "✕" in said and "dz/dx = None" in said


def test_what_does_not_lead_to_the_output_is_faint():
    def f(x):
        _ = x * 5.0
        return x + 1.0

    figure = draw_tape(f, 2.0)
    faint = [box for box in boxes(figure) if (box.get_alpha() or 1) < 1]
    assert len(faint) == 1
    assert "Faint boxes" in words(figure)


def test_a_tensor_if_in_a_tf_function_is_one_box_with_both_branches():
    @tf.function
    def compiled(x):
        if x > 0.0:
            return x * x
        return -x

    for f in (compiled, lambda x: compiled(x) * 3.0):
        said = words(draw_tape(f, 2.0))
        assert "tf.function compiled" in said
        assert "both branches are in it" in said


def test_nested_tapes_are_drawn_with_the_gradient_that_they_return():
    def slope(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x**3
        return tape.gradient(y, x)

    said = words(draw_tape(slope, 1.0))
    assert "own tape.gradient" in said
    assert "dz/dx = 6" in said


def test_a_function_that_returns_none_as_gradient_is_drawn_up_to_its_target():
    def forgot_to_watch(x):
        with tf.GradientTape() as tape:
            y = x * x
        return tape.gradient(y, x)

    said = words(draw_tape(forgot_to_watch, 3.0))
    assert "is None" in said and "y = 9" in said


def test_a_layer_and_its_loss_are_drawn_with_their_weights():
    dense = keras.layers.Dense(2, activation="relu")
    dense.build((None, 3))

    said = words(draw_tape(lambda x: tf.reduce_mean(dense(x) ** 2), [[1.0, 2.0, 3.0]]))
    for part in ("matmul", "relu", "reduce_mean", "kernel", "bias"):
        assert part in said


def test_weights_are_called_by_their_layer_whatever_scope_it_was_built_in():
    with keras.name_scope("a_scope_that_an_earlier_error_left_open"):
        dense = keras.layers.Dense(2, name="a_layer_with_a_name_of_forty_letters_or_more")
        dense.build((None, 3))

    said = words(draw_tape(lambda x: tf.reduce_sum(dense(x)), [[1.0, 2.0, 3.0]]))
    assert "dense.kernel" in said and "dense.bias" in said


def test_a_name_too_long_for_its_box_keeps_its_end():
    a_variable_with_a_name_of_more_than_thirty_letters = tf.Variable(3.0)

    said = words(draw_tape(lambda: a_variable_with_a_name_of_more_than_thirty_letters * 2.0))
    assert "…than_thirty_letters = 3" in said


def test_several_outputs_are_summed_and_it_is_said():
    said = words(draw_tape(lambda x: (x * x, {"a": x + 1.0}), 2.0))

    assert "2 outputs" in said and "dz/dx = 5" in said


def test_no_input_means_the_variables_of_the_closure():
    assert "dz/dv = 4" in words(draw_tape(lambda: v * v))


def test_nested_inputs_have_their_places_as_names():
    said = words(draw_tape(lambda p: p["w"] * 2.0 + p["b"][0], {"w": 1.0, "b": [tf.Variable(3.0)]}))

    assert "p['w'] = 1" in said and "p['b'][0] = 3" in said


@pytest.mark.parametrize("rounds, most_height", [(6, 700), (20, 1100)])
def test_up_to_forty_ops_stay_within_the_width_of_a_page(rounds, most_height):
    def f(x):
        for _ in range(rounds):
            x = tf.sin(x) * 1.1
        return x

    figure = draw_tape(f, 1.0)
    width, height = figure.get_size_inches() * CSS_PIXELS_AN_INCH
    assert width <= 600.5 and height < most_height
    assert len(boxes(figure)) >= rounds * 2


def test_boxes_never_overlap():
    def f(x, y):
        for i in range(5):
            x, y = x * y + float(i), tf.sin(x) - y
        return x + y

    drawn = [box.get_bbox() for box in boxes(draw_tape(f, 1.0, 2.0))]
    for i, one in enumerate(drawn):
        for other in drawn[:i]:
            assert not one.overlaps(other)


def test_hundreds_of_ops_are_one_sentence():
    def f(x):
        for _ in range(300):
            x = tf.sin(x)
        return x

    figure = draw_tape(f, 1.0)
    assert "300 ops, too many for a readable picture" in words(figure).replace("\n", " ")
    assert "300 ops" in figure.get_label()


def test_variables_keep_their_values():
    def f(x):
        v.assign_add(x)
        return v * v

    draw_tape(f, 3.0)
    assert v.numpy() == 2.0


def test_the_same_function_gives_the_same_picture():
    assert figure_png(draw_tape(sum_squared, tf.ones((2, 2)))) == figure_png(
        draw_tape(sum_squared, tf.ones((2, 2)))
    )


@pytest.mark.parametrize(
    "f, inputs, said",
    [(3.0, (), "function itself"), (lambda x: None, (2.0,), "returns a tensor")],
)
def test_bad_use_is_said_in_a_sentence(f, inputs, said):
    with pytest.raises(CourseError, match=said):
        draw_tape(f, *inputs)


def test_an_error_of_the_function_passes_through_untouched():
    error = ValueError("mine")

    def failing(x):
        raise error

    with pytest.raises(ValueError) as caught:
        draw_tape(failing, 2.0)
    assert caught.value is error


def test_what_is_scattered_into_a_variable_is_on_the_way():
    def f(x):
        buffer = tf.Variable(tf.zeros(4))
        buffer.scatter_nd_update([[1]], [x * 3.0])
        return tf.reduce_sum(buffer)

    assert "stored in buffer gives [6]" in draw_tape(f, 2.0).get_label()


def test_a_gradient_that_tensorflow_cannot_compute_is_not_drawn():
    def sigmoid(a):
        return 1.0 / (1.0 + np.exp(-a.numpy()))

    def f():
        x = tf.Variable([0.1, 0.2])
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(tf.py_function(sigmoid, [x], tf.float32))
        return tape.gradient(y, x)

    figure = draw_tape(f)
    assert "reduce_sum gives 1.075" in figure.get_label()
    assert "gradient" not in figure.get_label()
    assert "No gradient is drawn" in words(figure)


def test_a_gradient_of_none_from_a_graph_is_left_to_explain_none():
    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            y = x**2
        return tape.gradient(y, x)

    with pytest.raises(CourseError, match=r"returned None.*explain_none says why"):
        draw_tape(lambda x: step(x), tf.constant(2.0))


def test_where_one_of_two_gradients_is_none_what_is_differentiated_is_drawn():
    def f():
        mass, gravity = tf.Variable(2.0), tf.Variable(9.8, trainable=False)
        with tf.GradientTape() as tape:
            weight = mass * gravity
        return tape.gradient(weight, [mass, gravity])

    figure = draw_tape(f)
    assert "weight = 19.6" in words(figure)
    assert "A gradient that the function returns is None" in words(figure)
