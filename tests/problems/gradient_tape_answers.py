"""Answers to the problems of lesson 1."""

import enum
import functools
import json
import linecache
from pathlib import Path

import numpy as np
import tensorflow as tf
from collected import right, right_answers, wrong, wrong_answers

from utils.checks import other_cases


@wrong("1.1", "none_constant_not_watched")
def never_watched(x):
    with tf.GradientTape() as tape:
        y = x**3 + 2 * x
    return tape.gradient(y, x)


@wrong("1.1", "none_watch_too_late")
def watched_too_late(x):
    with tf.GradientTape() as tape:
        y = x**3 + 2 * x
        tape.watch(x)
    return tape.gradient(y, x)


@wrong("1.1", "the_value")
def the_value_itself(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x**3 + 2 * x
    return y


@wrong("1.1", "none_swapped")
def swapped(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x**3 + 2 * x
    return tape.gradient(x, y)


@wrong("1.1", "returns_nothing")
def forgot_to_return(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x**3 + 2 * x
    tape.gradient(y, x)


@wrong("1.1", "constant")
def always_fourteen(x):
    return 14.0


@right("1.1")
def a_tape(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x**3 + 2 * x
    return tape.gradient(y, x)


@right("1.1")
def a_variable(x):
    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = x * x * x + x + x
    return tape.gradient(y, [x])[0]


@right("1.1")
def by_hand(x):
    return float(3 * x**2 + 2)


@wrong("1.1", "first_term_only")
def two_x_outside_the_tape(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x**3
    y = y + 2 * x
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x**3
    return tape.gradient(y, x)


@wrong("1.1", "second_derivative")
def differentiated_twice(x):
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x**3 + 2 * x
        dy_dx = tape.gradient(y, x)
    return outer.gradient(dy_dx, x)


@wrong("1.1", "times_for_power")
def one_star(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * 3 + 2 * x
    return tape.gradient(y, x)


@wrong("1.1", "a_list_of_one")
def gradient_in_a_list(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x**3 + 2 * x
    return tape.gradient(y, [x])


@wrong("1.1", "value_and_slope")
def both(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x**3 + 2 * x
    return y, tape.gradient(y, x)


@wrong("1.1", "term_not_differentiated")
def by_hand_with_a_slip(x):
    return 3 * x**2 + 2 * x


@wrong("1.1", "step_too_wide")
def a_wide_step(x):
    h = 0.01
    return ((x + h) ** 3 + 2 * (x + h) - x**3 - 2 * x) / h


# 1.2


def sum_of_squares(x):
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = tf.reduce_sum(x * x)
        z = y * y
    return tape, y, z


@wrong("1.2", "tape_used_up")
def a_plain_tape_asked_twice(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(x * x)
        z = y * y
    return tape.gradient(z, y), tape.gradient(z, x)


@wrong("1.2", "dz_dy_for_dz_dx")
def the_same_link_twice(x):
    tape, y, z = sum_of_squares(x)
    return tape.gradient(z, y), tape.gradient(z, y)


@wrong("1.2", "dy_dx_for_dz_dx")
def the_two_links(x):
    tape, y, z = sum_of_squares(x)
    return tape.gradient(z, y), tape.gradient(y, x)


@wrong("1.2", "only_dz_dx")
def without_the_intermediate(x):
    tape, y, z = sum_of_squares(x)
    return tape.gradient(z, x)


@wrong("1.2", "only_dz_dy")
def only_the_intermediate(x):
    tape, y, z = sum_of_squares(x)
    return tape.gradient(z, y)


@wrong("1.2", "swapped")
def in_the_wrong_order(x):
    tape, y, z = sum_of_squares(x)
    return tape.gradient(z, [x, y])


@wrong("1.2", "sum_forgotten")
def no_sum(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        z = y * y
    return tape.gradient(z, [y, x])


@wrong("1.2", "squared_the_sum")
def summed_before_squaring(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(x) ** 2
        z = y * y
    return tape.gradient(z, [y, x])


@wrong("1.2", "mean_for_sum")
def averaged(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_mean(x * x)
        z = y * y
    return tape.gradient(z, [y, x])


@wrong("1.2", "none_constant_not_watched")
def nobody_watches(x):
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(x * x)
        z = y * y
    return tape.gradient(z, [y, x])


@wrong("1.2", "the_values")
def y_and_z(x):
    tape, y, z = sum_of_squares(x)
    return y, z


@right("1.2")
def both_in_one_call(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(x**2)
        z = y**2
    return tape.gradient(z, (y, x))


@right("1.2")
def a_persistent_tape(x):
    tape, y, z = sum_of_squares(x)
    return tape.gradient(z, y), tape.gradient(z, x)


@right("1.2")
@tf.function
def in_a_graph(x):
    tape, y, z = sum_of_squares(x)
    return [tape.gradient(z, y), tape.gradient(z, x)]


@right("1.2")
def the_chain_rule_in_numpy(x):
    x = np.array(x)
    y = x @ x
    return float(2 * y), (4 * y * x).tolist()


# 1.3


@wrong("1.3", "tape_used_up")
def not_persistent(f, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
        z = y * y
    dy_dx = tape.gradient(y, x)
    dz_dx = tape.gradient(z, x)
    return dy_dx, dz_dx


@wrong("1.3", "summed_targets")
def two_targets_at_once(f, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
        z = y * y
    return tape.gradient([y, z], x)


@wrong("1.3", "dz_dy_for_dy_dx")
def two_sources_at_once(f, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
        z = y * y
    return tape.gradient(z, [y, x])


@wrong("1.3", "f_called_twice", points=1.5)
def a_tape_for_each(f, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    dy_dx = tape.gradient(y, x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        z = f(x) ** 2
    return dy_dx, tape.gradient(z, x)


@wrong("1.3", "dz_dy_for_dz_dx")
def the_wrong_source(f, x):
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = f(x)
        z = y * y
    return tape.gradient(y, x), tape.gradient(z, y)


@wrong("1.3", "swapped")
def z_first(f, x):
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = f(x)
        z = y * y
    return tape.gradient(z, x), tape.gradient(y, x)


@wrong("1.3", "none_constant_not_watched")
def never_watched_for_two(f, x):
    with tf.GradientTape(persistent=True) as tape:
        y = f(x)
        z = y * y
    return tape.gradient(y, x), tape.gradient(z, x)


@wrong("1.3", "none_outside_tape")
def squared_below_the_block(f, x):
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = f(x)
    z = y * y
    return tape.gradient(y, x), tape.gradient(z, x)


@right("1.3")
def persistent(f, x):
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = f(x)
        z = tf.square(y)
    return [tape.gradient(y, x), tape.gradient(z, x)]


@right("1.3")
def by_the_chain_rule(f, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    dy_dx = tape.gradient(y, x)
    return dy_dx, 2 * y * dy_dx


@right("1.3")
def two_tapes_one_call(f, x):
    x = tf.Variable(x)
    with tf.GradientTape() as first, tf.GradientTape() as second:
        y = f(x)
        z = y**2
    return first.gradient(y, x).numpy(), second.gradient(z, x).numpy()


# 1.4


@functools.cache
def given(assignment):
    """Return the names that an assignment's cells of given code define."""
    path = Path(__file__).parents[2] / "solutions" / assignment / f"{assignment}.ipynb"
    names = {}
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code" and cell["metadata"]["nbgrader"]["locked"]:
            if cell["metadata"]["nbgrader"]["grade"]:
                continue
            source, name = "".join(cell["source"]), f"given/{cell['id']}.py"
            linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
            exec(compile(source, name, "exec"), names)
    return names


BROKEN = given("01_gradient_tape")["broken"]

CAUSES = {
    "ada": "watched late",
    "alan": "left TensorFlow",
    "blaise": "whole number",
    "carl": "staircase",
    "emmy": "replaced",
    "grace": "outside",
    "hedy": "stored",
    "isaac": "staircase",
    "katherine": "copied",
    "leonhard": "unconnected",
    "maryam": "not watched",
    "sofia": "left TensorFlow",
}


@wrong_answers("1.4", "watched_late_taken_for_not_watched", points=5.5)
def it_is_watched_though_late():
    return CAUSES | {"ada": "not watched"}, BROKEN


@wrong_answers("1.4", "staircase_taken_for_whole_number", points=5.5)
def a_cast_is_no_whole_source():
    return CAUSES | {"isaac": "whole number"}, BROKEN


@wrong_answers("1.4", "replaced_taken_for_not_watched", points=5.5)
def what_came_of_it():
    return CAUSES | {"emmy": "not watched"}, BROKEN


@wrong_answers("1.4", "copied_taken_for_stored", points=5)
def copied_for_stored_and_one_blank():
    return CAUSES | {"katherine": "stored", "carl": ...}, BROKEN


@wrong_answers("1.4", "stored_taken_for_copied", points=5)
def both_confused():
    return CAUSES | {"hedy": "copied", "katherine": "stored"}, BROKEN


@wrong_answers("1.4", "left_tensorflow_taken_for_unconnected", points=5.5)
def truly_connected():
    return CAUSES | {"sofia": "unconnected"}, BROKEN


@wrong_answers("1.4", "not_one_of_the_words", points=5.5)
def misspelt():
    return CAUSES | {"carl": "stairs"}, BROKEN


@wrong_answers("1.4", "some_blanks", points=1)
def only_two_so_far():
    return dict.fromkeys(CAUSES, ...) | {"ada": "watched late", "alan": "left TensorFlow"}, BROKEN


@wrong_answers("1.4", "unknown_name")
def a_name_misspelt():
    return CAUSES | {"emma": "replaced"}, BROKEN


@wrong_answers("1.4", "not_a_dict")
def a_list_of_words():
    return list(CAUSES.values()), BROKEN


@wrong_answers("1.4", "watched_late_taken_for_left_tensorflow", points=1)
def all_the_same():
    return dict.fromkeys(CAUSES, "left TensorFlow"), BROKEN


@wrong_answers("1.4", "function_changed", points=5.5)
def mended_in_place():
    def ada():
        x = tf.constant(3.0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x * x
        return tape.gradient(y, x)

    return CAUSES, [ada, *BROKEN[1:]]


@wrong_answers("1.4", "functions_missing")
def the_list_made_shorter():
    other_cases("1.4", ("ada", "alan"))
    return {"ada": "watched late"}, BROKEN[:1]


@right_answers("1.4")
def all_words():
    return CAUSES, BROKEN


@right_answers("1.4")
def spelt_otherwise():
    return {name: word.upper().replace(" ", "_") for name, word in CAUSES.items()}, BROKEN


@right_answers("1.4")
def in_another_order():
    return dict(sorted(CAUSES.items(), key=lambda item: item[1])), BROKEN


# 1.5


def slope_of_square(n):
    x = tf.Variable(n, dtype=tf.float32)
    with tf.GradientTape() as tape:
        y = x * x
    return tape.gradient(y, x)


def slope_of_energy(v):
    with tf.GradientTape() as tape:
        tape.watch(v)
        energy = 1.5 * v * v
    return tape.gradient(energy, v)


def slopes_of_a_walk(x, rounds):
    slopes = []
    for _ in range(rounds):
        with tf.GradientTape() as tape:
            y = x * x
        slopes.append(tape.gradient(y, x))
        x.assign_add(1.0)
    return slopes


def slope_of_wave(x):
    with tf.GradientTape() as tape:
        y = tf.sin(x) * x
    return tape.gradient(y, x)


def slope_of_error(w, x, y):
    with tf.GradientTape() as tape:
        error = tf.reduce_mean((w * x - y) ** 2)
    return tape.gradient(error, w)


def mended(**others):
    """Return the five mended functions, some of them replaced."""
    functions = {
        "square": slope_of_square,
        "energy": slope_of_energy,
        "walk": slopes_of_a_walk,
        "wave": slope_of_wave,
        "error": slope_of_error,
    }
    return tuple((functions | others).values())


def broken(name):
    return given("01_gradient_tape")[f"broken_{name}"]


@wrong_answers("1.5", "none_integer", points=4)
def still_a_whole_number():
    return mended(square=broken("slope_of_square"))


@wrong_answers("1.5", "none_integer", points=4)
def cast_too_late():
    def square(n):
        x = tf.Variable(n)
        with tf.GradientTape() as tape:
            y = tf.cast(x, tf.float32) ** 2
        return tape.gradient(y, x)

    return mended(square=square)


@wrong_answers("1.5", "written_for_three", points=4)
def three_written_in():
    def square(n):
        x = tf.Variable(3.0)
        with tf.GradientTape() as tape:
            y = x * x
        return tape.gradient(y, x)

    return mended(square=square)


@wrong_answers("1.5", "zero_for_none", points=4)
def none_hidden():
    def energy(v):
        squared = v * v
        with tf.GradientTape() as tape:
            tape.watch(v)
            y = 1.5 * squared
        return tape.gradient(y, v, unconnected_gradients=tf.UnconnectedGradients.ZERO)

    return mended(energy=energy)


@wrong_answers("1.5", "none_outside_tape", points=4)
def one_fault_of_two():
    def energy(v):
        squared = v * v
        with tf.GradientTape() as tape:
            tape.watch(v)
            y = 1.5 * squared
        return tape.gradient(y, v)

    return mended(energy=energy)


@wrong_answers("1.5", "other_source", points=4)
def the_slope_towards_the_square():
    def energy(v):
        squared = v * v
        with tf.GradientTape() as tape:
            tape.watch(squared)
            y = 1.5 * squared
        return tape.gradient(y, squared)

    return mended(energy=energy)


@wrong_answers("1.5", "not_moving", points=4)
def standing_still():
    def walk(x, rounds):
        slopes = []
        for _ in range(rounds):
            with tf.GradientTape() as tape:
                y = x * x
            slopes.append(tape.gradient(y, x))
        return slopes

    return mended(walk=walk)


@wrong_answers("1.5", "moved_too_early", points=4)
def moved_first():
    def walk(x, rounds):
        slopes = []
        for _ in range(rounds):
            x.assign_add(1.0)
            with tf.GradientTape() as tape:
                y = x * x
            slopes.append(tape.gradient(y, x))
        return slopes

    return mended(walk=walk)


@wrong_answers("1.5", "path_lost", points=4)
def numpy_by_another_door():
    def wave(x):
        with tf.GradientTape() as tape:
            y = tf.convert_to_tensor(np.sin(x.numpy())) * x
        return tape.gradient(y, x)

    return mended(wave=wave)


@wrong_answers("1.5", "still_rounded", points=4)
def rounded_elsewhere():
    def error(w, x, y):
        with tf.GradientTape() as tape:
            predictions = w * x
            rounded = predictions + tf.stop_gradient(tf.round(predictions) - predictions)
            e = tf.reduce_mean((rounded - y) ** 2)
        return tape.gradient(e, w)

    return mended(error=error)


@wrong_answers("1.5", "none_integer")
def nothing_mended():
    names = [
        "slope_of_square",
        "slope_of_energy",
        "slopes_of_a_walk",
        "slope_of_wave",
        "slope_of_error",
    ]
    return tuple(map(broken, names))


@wrong_answers("1.5", "some_blanks", points=2)
def three_not_done():
    def unwritten(*inputs): ...

    return mended(walk=unwritten, wave=unwritten, error=unwritten)


@right_answers("1.5")
def all_mended():
    return mended()


@right_answers("1.5")
def mended_by_watching():
    def walk(x, rounds):
        slopes = []
        for _ in range(rounds):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = x * x
            slopes.append(tape.gradient(y, x))
            x = x + 1.0
        return tf.stack(slopes)

    return mended(walk=walk)


@right_answers("1.5")
def mended_with_numpy():
    return (
        lambda n: 2 * n,
        lambda v: 3 * v.numpy(),
        lambda x, rounds: tuple(2 * (float(x) + k) for k in range(rounds)),
        lambda x: np.sin(x) + x * np.cos(x),
        lambda w, x, y: np.mean(2 * (w.numpy() * x.numpy() - y.numpy()) * x.numpy()),
    )


# 1.6


def errors(parameters, x, y):
    return given("01_gradient_tape")["errors"](parameters, x, y)


def gradient_of_total(parameters, x, y):
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(errors(parameters, x, y))
    return tape.gradient(y, parameters)


def gradient_of_each(parameters, x, y):
    with tf.GradientTape(persistent=True) as tape:
        each = tf.unstack(errors(parameters, x, y))
    return [tape.gradient(error, parameters["w"]) for error in each]


@wrong_answers("1.6", "mean_for_sum", points=3)
def averaged_total():
    def total(parameters, x, y):
        with tf.GradientTape() as tape:
            y = tf.reduce_mean(errors(parameters, x, y))
        return tape.gradient(y, parameters)

    return total, gradient_of_each


@wrong_answers("1.6", "not_the_dict", points=3.5)
def a_list_for_the_dictionary():
    def total(parameters, x, y):
        with tf.GradientTape() as tape:
            y = errors(parameters, x, y)
        return tape.gradient(y, list(parameters.values()))

    return total, gradient_of_each


@wrong_answers("1.6", "summed", points=1)
def the_sum_again():
    def each(parameters, x, y):
        with tf.GradientTape() as tape:
            y = errors(parameters, x, y)
        return tape.gradient(y, parameters["w"])

    return gradient_of_total, each


@wrong_answers("1.6", "none_outside_tape", points=1)
def sliced_outside():
    def each(parameters, x, y):
        with tf.GradientTape(persistent=True) as tape:
            all_errors = errors(parameters, x, y)
        return [tape.gradient(all_errors[i], parameters["w"]) for i in range(len(y))]

    return gradient_of_total, each


@wrong_answers("1.6", "tape_used_up", points=1)
def a_plain_tape_in_a_loop():
    def each(parameters, x, y):
        with tf.GradientTape() as tape:
            all_errors = tf.unstack(errors(parameters, x, y))
        return [tape.gradient(error, parameters["w"]) for error in all_errors]

    return gradient_of_total, each


@wrong_answers("1.6", "gradient_for_x", points=1)
def with_respect_to_the_inputs():
    def each(parameters, x, y):
        with tf.GradientTape() as tape:
            tape.watch(x)
            each = errors(parameters, x, y)
        return tape.gradient(each, x)

    return gradient_of_total, each


@wrong_answers("1.6", "divided_by_n", points=1)
def parts_of_the_mean():
    def each(parameters, x, y):
        rows = []
        for i in range(len(y)):
            with tf.GradientTape() as tape:
                part = errors(parameters, x, y)[i] / len(y)
            rows.append(tape.gradient(part, parameters["w"]))
        return rows

    return gradient_of_total, each


@wrong_answers("1.6", "some_blanks", points=1)
def only_the_total():
    def unwritten(parameters, x, y): ...

    return gradient_of_total, unwritten


@right_answers("1.6")
def a_persistent_tape_for_each():
    return gradient_of_total, gradient_of_each


@right_answers("1.6")
def a_jacobian():
    def total(parameters, x, y):
        with tf.GradientTape() as tape:
            each = errors(parameters, x, y)
        return tape.gradient(each, parameters)

    def each(parameters, x, y):
        with tf.GradientTape() as tape:
            y = errors(parameters, x, y)
        return tape.jacobian(y, parameters)["w"]

    return total, each


@right_answers("1.6")
def in_numpy():
    def left(parameters, x, y):
        return x.numpy() @ parameters["w"].numpy() + parameters["b"].numpy() - y.numpy()

    def total(parameters, x, y):
        difference = left(parameters, x, y)
        return {"b": 2 * difference.sum(), "w": 2 * x.numpy().T @ difference}

    return total, lambda parameters, x, y: 2 * left(parameters, x, y)[:, None] * x


# 1.7


def measured(f, x, i, h=1e-5):
    step = np.zeros_like(x)
    step[i] = h
    return (f(x + step) - f(x - step)) / (2 * h)


@wrong("1.7", "x_changed", points=3)
def nudges_the_callers_array(f, df, x):
    found = []
    for i in range(len(x)):
        below = f(x)
        x[i] += 1e-6
        if abs((f(x) - below) / 1e-6 - df(x)[i]) > 0.01:
            found.append(i)
    return found


@wrong("1.7", "only_too_large")
def no_absolute_value(f, df, x):
    return [i for i in range(len(x)) if df(x)[i] - measured(f, x, i) > 0.01]


@wrong("1.7", "right_for_wrong")
def the_good_ones(f, df, x):
    return [i for i in range(len(x)) if abs(df(x)[i] - measured(f, x, i)) < 0.01]


@wrong("1.7", "from_one")
def counted_from_one(f, df, x):
    return [i for i, s in enumerate(df(x), 1) if abs(s - measured(f, x, i - 1)) > 0.01]


@wrong("1.7", "not_divided")
def half_the_distance(f, df, x):
    return [i for i in range(len(x)) if abs(df(x)[i] - 2 * measured(f, x, i)) > 0.01]


@wrong("1.7", "all_nudged_together")
def all_at_once(f, df, x):
    slope = (f(x + 1e-5) - f(x - 1e-5)) / 2e-5
    return [i for i, each in enumerate(df(x)) if abs(each - slope) > 0.01]


@wrong("1.7", "the_differences")
def differences(f, df, x):
    return [df(x)[i] - measured(f, x, i) for i in range(len(x))]


@wrong("1.7", "step_too_wide", points=2.5)
def a_step_too_wide(f, df, x):
    found = []
    for i in range(len(x)):
        up = x.copy()
        up[i] += 0.1
        if abs((f(up) - f(x)) / 0.1 - df(x)[i]) > 0.01:
            found.append(i)
    return found


@wrong("1.7", "missed")
def far_too_tolerant(f, df, x):
    return [i for i in range(len(x)) if abs(df(x)[i] - measured(f, x, i)) > 2.5]


@wrong("1.7", "measured_nothing")
def one_array_under_two_names(f, df, x):
    up = down = x.copy()
    found = []
    for i in range(len(x)):
        up[i] += 1e-5
        down[i] -= 1e-5
        if abs((f(up) - f(down)) / 2e-5 - df(x)[i]) > 0.01:
            found.append(i)
    return found


@wrong("1.7", "nested", points=3)
def what_where_gives(f, df, x):
    slopes = np.array([measured(f, x, i) for i in range(len(x))])
    return np.where(np.abs(df(x) - slopes) > 0.01)


@wrong("1.7", "first_only")
def returns_in_the_loop(f, df, x):
    for i in range(len(x)):
        if abs(df(x)[i] - measured(f, x, i)) > 0.01:
            return [i]
    return []


@wrong("1.7", "none_for_empty")
def none_when_all_is_well(f, df, x):
    found = [i for i in range(len(x)) if abs(df(x)[i] - measured(f, x, i)) > 0.01]
    return found or None


@wrong("1.7", "no_tape_follows")
def with_a_tape(f, df, x):
    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = f(x)
    slopes = tape.gradient(y, x)
    return [i for i in range(len(x)) if abs(df(x)[i] - slopes[i]) > 0.01]


@right("1.7")
def one_at_a_time(f, df, x):
    return [i for i in range(len(x)) if abs(df(x)[i] - measured(f, x, i)) > 0.01]


@right("1.7")
def all_rows_at_once(f, df, x):
    steps = 1e-6 * np.eye(len(x))
    slopes = np.array([f(row) for row in x + steps]) - np.array([f(row) for row in x - steps])
    return np.flatnonzero(np.abs(slopes / 2e-6 - df(x)) > 1e-2)


@right("1.7")
def one_sided_and_a_set(f, df, x):
    found = set()
    for i in range(len(x)):
        before = x[i]
        x[i] = before + 1e-7
        up = f(x)
        x[i] = before
        if not np.isclose((up - f(x)) / 1e-7, df(x)[i], atol=0.01, rtol=0):
            found.add(i)
    return found


@right("1.7")
class Checker:
    def __new__(cls, f, df, x):
        return tuple(i for i in range(x.size) if abs(measured(f, x, i, 1e-4) - df(x)[i]) > 0.01)


@wrong("1.1", "slip")
def a_product_of_terms(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x**3 * (2 * x)
    return tape.gradient(y, x)


@wrong("1.1", "slip")
def size_of_x(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = abs(x) ** 3 + 2 * x
    return tape.gradient(y, x)


@wrong("1.1", "sign")
def minus_the_slope(x):
    return -(3 * x**2 + 2)


@wrong("1.2", "length_taken")
def length_of_the_gradient(x):
    y = tf.reduce_sum(x * x)
    return 2 * y, tf.norm(4 * y * x)


@wrong("1.2", "first_only")
def the_first_entry(x):
    y = tf.reduce_sum(x * x)
    return 2 * y, 4 * y * x[0]


@wrong("1.2", "too_many_results")
def with_z_in_front(x):
    y = tf.reduce_sum(x * x)
    return y * y, 2 * y, 4 * y * x


@wrong("1.2", "index_beyond_the_end")
def for_three_entries(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x[0] ** 2 + x[1] ** 2 + x[2] ** 2
        z = y * y
    return tuple(tape.gradient(z, [y, x]))


@wrong("1.3", "slip")
def x_for_y(f, x):
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = f(x)
        z = x * y
    return tape.gradient(y, x), tape.gradient(z, x)


@wrong("1.3", "slip")
def third_power(f, x):
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = f(x)
        z = y**3
    return tape.gradient(y, x), tape.gradient(z, x)


@wrong("1.3", "difference_quotient")
def rough_differences(f, x):
    y = f(x)
    slope = (f(x + 0.05) - y) / 0.05
    return slope, 2 * y * slope


@right_answers("1.4")
def words_of_an_enumeration():
    class Word(enum.StrEnum):
        LATE = "watched late"

    class Other(enum.Enum):
        LEFT = "left TensorFlow"

    return {**CAUSES, "ada": Word.LATE, "alan": Other.LEFT}, BROKEN


@wrong_answers("1.5", "slip", points=4)
def half_of_the_error():
    def error(w, x, y):
        with tf.GradientTape() as tape:
            half = tf.reduce_mean((w * x - y) ** 2) / 2
        return tape.gradient(half, w)

    return mended(error=error)


@wrong_answers("1.5", "other_inputs", points=4)
def one_round_more():
    return mended(walk=lambda x, rounds: slopes_of_a_walk(x, rounds + 1))


@wrong_answers("1.6", "slip", points=1)
def rows_without_the_bias():
    def each(parameters, x, y):
        return gradient_of_each({"w": parameters["w"], "b": 0.0}, x, y)

    return gradient_of_total, each


@wrong_answers("1.6", "one_missing", points=1)
def rows_from_the_second_on():
    return gradient_of_total, lambda *inputs: gradient_of_each(*inputs)[1:]


@wrong_answers("1.6", "other_order", points=1)
def longest_row_first():
    def each(parameters, x, y):
        rows = gradient_of_each(parameters, x, y)
        return tf.gather(rows, tf.argsort(-tf.norm(rows, axis=1)))

    return gradient_of_total, each


@wrong_answers("1.6", "factor_missing", points=3)
def half_of_the_total():
    def total(parameters, x, y):
        with tf.GradientTape() as tape:
            half = tf.reduce_sum(errors(parameters, x, y)) / 2
        return tape.gradient(half, parameters)

    return total, gradient_of_each


def places_off_by(limit, size=lambda difference, slope: abs(difference), step=None):
    def wrong_entries(f, df, x):
        slopes = [step(f, x, i) if step else measured(f, x, i) for i in range(len(x))]
        return [i for i, s in enumerate(slopes) if size(df(x)[i] - s, s) > limit]

    return wrong_entries


def in_one_direction(h):
    def step(f, x, i):
        up = x.copy()
        up[i] += h
        return (f(up) - f(x)) / h

    return step


@wrong("1.7", "other_limit", points=2.5)
def a_tenth(f, df, x):
    return places_off_by(0.1)(f, df, x)


@wrong("1.7", "other_limit", points=2.5)
def a_thousandth(f, df, x):
    return places_off_by(0.001)(f, df, x)


@wrong("1.7", "relative_error", points=2.5)
def as_a_share(f, df, x):
    return places_off_by(0.01, lambda difference, slope: abs(difference / slope))(f, df, x)


@wrong("1.7", "step_too_wide", points=2.5)
def a_wide_step_up(f, df, x):
    return places_off_by(0.01, step=in_one_direction(0.1))(f, df, x)


@wrong("1.7", "step_too_narrow", points=2.5)
def a_narrow_step(f, df, x):
    return places_off_by(0.01, step=in_one_direction(1e-15))(f, df, x)


@wrong("1.7", "not_to_the_last_digit")
def exactly_equal(f, df, x):
    return places_off_by(0.0)(f, df, x)


@wrong_answers("1.6", "square_left_out", points=1)
def of_the_roots():
    def each(parameters, x, y):
        with tf.GradientTape() as tape:
            sizes = tf.sqrt(errors(parameters, x, y))
        return tape.jacobian(sizes, parameters["w"])

    return gradient_of_total, each
