"""Answers to the problems of lesson 2."""

import keras
import numpy as np
import tensorflow as tf
from collected import right, wrong


@wrong("2.1", "the_value")
def runs_the_loop(x, n):
    result = 1.0
    for i in range(n):
        if 1 < i < 5:
            result *= x
    return result


@wrong("2.1", "multiplies_by_i")
def factorial(x, n):
    result = 1
    for i in range(n):
        if 1 < i < 5:
            result *= i
    return result


@wrong("2.1", "exponent_not_reduced")
def three_x_cubed(x, n):
    k = max(0, min(n - 2, 3))
    return k * x**k


@wrong("2.1", "factor_forgotten")
def x_squared(x, n):
    k = max(0, min(n - 2, 3))
    return x ** (k - 1) if k else 0


@wrong("2.1", "never_stops")
def no_upper_end(x, n):
    k = max(n - 2, 0)
    return k * x ** (k - 1) if k else 0.0


@wrong("2.1", "off_by_one")
def counts_one_too(x, n):
    k = len([i for i in range(n) if 1 <= i < 5])
    return k * x ** (k - 1) if k else 0.0


@wrong("2.1", "every_round")
def no_if(x, n):
    return n * x ** (n - 1)


@wrong("2.1", "none_for_zero", points=1.5)
def a_tape_where_nothing_is_multiplied(x, n):
    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = tf.constant(1.0)
        for i in range(n):
            if 1 < i < 5:
                y = y * x
    return tape.gradient(y, x)


@right("2.1")
def by_counting(x, n):
    k = sum(1 for i in range(n) if 1 < i < 5)
    return k * x ** max(k - 1, 0)


@right("2.1")
def by_cases(x, n):
    if n <= 2:
        return 0
    return {3: 1, 4: 2 * x}.get(n, 3 * x**2)


@right("2.1")
def with_a_tape(x, n):
    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = 1.0
        for i in range(n):
            y = y * x if 1 < i < 5 else y + 0 * x
    return tape.gradient(y, x)


@wrong("2.2", "not_leaky")
def plain_relu(x, slope):
    return tf.nn.relu(x)


@wrong("2.2", "sides_swapped")
def swapped(x, slope):
    return tf.where(x < 0, x, slope * x)


@wrong("2.2", "sign_below_zero")
def minus(x, slope):
    return tf.where(x > 0, x, -slope * x)


@wrong("2.2", "constant_below_zero")
def only_the_slope(x, slope):
    return tf.where(x > 0, x, slope)


@wrong("2.2", "kink_from_the_right", points=1.5)
def zero_is_positive(x, slope):
    return tf.where(x >= 0, x, slope * x)


@wrong("2.2", "kink_is_flat", points=1.5)
def two_relus(x, slope):
    return tf.nn.relu(x) - slope * tf.nn.relu(-x)


@wrong("2.2", "truth_of_an_array")
def python_if(x, slope):
    if x > 0:
        return x
    return slope * x


@wrong("2.2", "none_numpy", points=1.5)
def numpy_where(x, slope):
    return tf.constant(np.where(x > 0, x, slope * x))


@right("2.2")
def where(x, slope):
    return tf.where(x > 0, x, slope * x)


@right("2.2")
def kerass(x, slope):
    return tf.nn.leaky_relu(x, alpha=slope)


@right("2.2")
def by_a_mask(x, slope):
    positive = tf.cast(x > 0, x.dtype)
    return positive * x + (1 - positive) * slope * x


@wrong("2.3", "half_missing")
def squared(error, delta):
    size = tf.abs(error)
    return tf.where(size <= delta, error**2, delta * (size - delta / 2))


@wrong("2.3", "pieces_do_not_meet")
def a_jump(error, delta):
    size = tf.abs(error)
    return tf.where(size <= delta, 0.5 * error**2, delta * size)


@wrong("2.3", "delta_missing")
def slope_one(error, delta):
    size = tf.abs(error)
    return tf.where(size <= delta, 0.5 * error**2, size - 0.5 * delta)


@wrong("2.3", "pieces_swapped")
def swapped_pieces(error, delta):
    size = tf.abs(error)
    return tf.where(size > delta, 0.5 * error**2, delta * (size - delta / 2))


@wrong("2.3", "negative_errors")
def without_abs(error, delta):
    return tf.where(error <= delta, 0.5 * error**2, delta * (error - delta / 2))


@wrong("2.3", "only_squared")
def mse(error, delta):
    return 0.5 * tf.square(error)


@wrong("2.3", "averaged", points=1.5)
def the_mean(error, delta):
    size = tf.abs(error)
    return tf.reduce_mean(tf.where(size <= delta, 0.5 * error**2, delta * (size - delta / 2)))


@wrong("2.3", "truth_of_an_array")
def if_on_a_vector(error, delta):
    if abs(error) <= delta:
        return 0.5 * error**2
    return delta * (abs(error) - 0.5 * delta)


@right("2.3")
def one_where(error, delta):
    size = tf.abs(error)
    return tf.where(size <= delta, 0.5 * error**2, delta * (size - 0.5 * delta))


@right("2.3")
def by_clipping(error, delta):
    clipped = tf.clip_by_value(error, -delta, delta)
    return clipped * (error - 0.5 * clipped)


@right("2.3")
def by_minimum(error, delta):
    size = tf.abs(error)
    inside = tf.minimum(size, delta)
    return 0.5 * inside * inside + delta * (size - inside)


@wrong("2.4", "the_limit", points=2)
def formula(a, n):
    x = tf.constant(1.0)
    for _ in range(n):
        x = (x + a / x) / 2
    return x, 0.5 / tf.sqrt(a)


@wrong("2.4", "last_step_only", points=2)
def stopped(a, n):
    with tf.GradientTape() as tape:
        tape.watch(a)
        x = tf.constant(1.0)
        for _ in range(n):
            x = (tf.stop_gradient(x) + a / tf.stop_gradient(x)) / 2
    return x, tape.gradient(x, a)


@wrong("2.4", "off_by_one")
def one_step_more(a, n):
    with tf.GradientTape() as tape:
        tape.watch(a)
        x = tf.constant(1.0)
        for _ in range(n + 1):
            x = (x + a / x) / 2
    return x, tape.gradient(x, a)


@wrong("2.4", "other_start")
def begins_at_half_of_a(a, n):
    with tf.GradientTape() as tape:
        tape.watch(a)
        x = a / 2
        for _ in range(n):
            x = (x + a / x) / 2
    return x, tape.gradient(x, a)


@wrong("2.4", "none_constant_not_watched")
def not_watched(a, n):
    with tf.GradientTape() as tape:
        x = tf.constant(1.0)
        for _ in range(n):
            x = (x + a / x) / 2
    return x, tape.gradient(x, a)


@wrong("2.4", "only_the_root", points=1)
def without_the_slope(a, n):
    x = 1.0
    for _ in range(n):
        x = (x + a / x) / 2
    return x


@wrong("2.4", "swapped")
def slope_first(a, n):
    with tf.GradientTape() as tape:
        tape.watch(a)
        x = tf.constant(1.0)
        for _ in range(n):
            x = (x + a / x) / 2
    return tape.gradient(x, a), x


@wrong("2.4", "none_outside_tape")
def loop_outside(a, n):
    with tf.GradientTape() as tape:
        tape.watch(a)
    x = tf.constant(1.0)
    for _ in range(n):
        x = (x + a / x) / 2
    return x, tape.gradient(x, a)


@right("2.4")
def recorded_loop(a, n):
    with tf.GradientTape() as tape:
        tape.watch(a)
        x = tf.constant(1.0)
        for _ in range(n):
            x = (x + a / x) / 2
    return x, tape.gradient(x, a)


@right("2.4")
def recursive(a, n):
    def step(x, n):
        return step(x - (x * x - a) / (2 * x), n - 1) if n else x

    with tf.GradientTape() as tape:
        tape.watch(a)
        x = step(tf.ones(()), n)
    return [x, tape.gradient(x, a)]


@right("2.4")
def forward_by_hand(a, n):
    x, slope = 1.0, 0.0
    for _ in range(n):
        x, slope = (x + a / x) / 2, (slope + 1 / x - a * slope / x**2) / 2
    return x, slope


@wrong("2.5", "graph_if", points=1)
def plain_if(x):
    if x > 1:
        return tf.math.log(x)
    return x - 1


@wrong("2.5", "branches_swapped")
def other_way_round(x):
    return tf.cond(x > 1, lambda: x - 1, lambda: tf.math.log(x))


@wrong("2.5", "nan_from_the_other_branch", points=2)
def where_log(x):
    return tf.where(x > 1, tf.math.log(x), x - 1)


@wrong("2.5", "always_the_line")
def no_condition(x):
    return x - 1


@wrong("2.5", "other_condition")
def above_zero(x):
    return tf.cond(x > 0, lambda: tf.math.log(x), lambda: x - 1)


@wrong("2.5", "numpy_in_a_graph", points=1)
def looks_at_the_value(x):
    return tf.math.log(x) if x.numpy() > 1 else x - 1


@wrong("2.5", "frozen_branch", points=1)
def chosen_once(x):
    if not tf.is_symbolic_tensor(x):
        return tf.math.log(x) if x > 1 else x - 1
    return x - 1


@right("2.5")
def cond(x):
    return tf.cond(x > 1, lambda: tf.math.log(x), lambda: x - 1)


@right("2.5")
def double_where(x):
    above = x > 1.0
    return tf.where(above, tf.math.log(tf.where(above, x, 1.0)), x - 1.0)


@right("2.5")
def switch_case(x):
    branch = tf.cast(x > 1, tf.int32)
    return tf.switch_case(branch, [lambda: x - 1, lambda: tf.math.log(x)])


@wrong("2.6", "nan_value")
def quotient(x):
    return tf.sin(x) / x


@wrong("2.6", "nan_at_zero", points=1)
def where_after_the_division(x):
    return tf.where(x == 0, 1.0, tf.sin(x) / x)


@wrong("2.6", "zero_at_zero")
def no_nan(x):
    return tf.math.divide_no_nan(tf.sin(x), x)


@wrong("2.6", "zero_at_zero")
def plus_epsilon(x):
    return tf.sin(x) / (x + 1e-7)


@wrong("2.6", "sine_alone")
def sine(x):
    return tf.sin(x)


@wrong("2.6", "with_pi")
def numpys(x):
    return tf.constant(np.sinc(x.numpy()))


@wrong("2.6", "none_numpy", points=2)
def numpys_without_pi(x):
    return tf.constant(np.sinc(x.numpy() / np.pi))


@wrong("2.6", "truth_of_an_array")
def one_if(x):
    if x == 0:
        return 1.0
    return tf.sin(x) / x


@right("2.6")
def twice(x):
    harmless = tf.where(x == 0, 1.0, x)
    return tf.where(x == 0, 1.0, tf.sin(harmless) / harmless)


@right("2.6")
def with_a_mask(x):
    zero = tf.cast(x == 0, x.dtype)
    return (1 - zero) * tf.sin(x) / (x + zero) + zero


@right("2.6")
def custom(x):
    @tf.custom_gradient
    def sinc(x):
        y = tf.math.divide_no_nan(tf.sin(x), x) + tf.cast(x == 0, x.dtype)
        return y, lambda upstream: upstream * tf.math.divide_no_nan(tf.cos(x) - y, x)

    return sinc(x)


@wrong("2.1", "as_if_it_ran_to_the_end")
def always_three_x_squared(x, n):
    return 3 * x**2


@wrong("2.1", "exponent_raised")
def power_up(x, n):
    k = max(0, min(n - 2, 3))
    return k * x ** (k + 1)


@wrong("2.2", "elu")
def keras_elu(x, slope):
    return tf.nn.elu(x)


@wrong("2.2", "divided_by_slope")
def divided(x, slope):
    return tf.where(x > 0, x, x / slope)


@wrong("2.3", "log_cosh")
def log_cosh(error, delta):
    return tf.math.log(tf.cosh(error))


@wrong("2.4", "half_forgotten")
def whole_sum(a, n):
    with tf.GradientTape() as tape:
        tape.watch(a)
        x = tf.constant(1.0)
        for _ in range(n):
            x = x + a / x
    return x, tape.gradient(x, a)


@wrong("2.5", "other_logarithm")
def decimal_logarithm(x):
    return tf.cond(x > 1, lambda: tf.math.log(x) / tf.math.log(10.0), lambda: x - 1)


@wrong("2.5", "branch_is_no_function")
def values_for_branches(x):
    return tf.cond(x > 1, tf.math.log(x), x - 1)


@wrong("2.6", "cosine")
def cosine(x):
    return tf.cos(x)


@wrong("2.6", "series_cut_short")
def series(x):
    return 1 - x**2 / 6


@wrong("2.1", "added_up")
def counted_rounds(x, n):
    return float(sum(1 < i < 5 for i in range(n)))


@wrong("2.1", "none_for_zero", points=1.5)
def nothing_for_a_constant(x, n):
    return by_counting(x, n) if n > 2 else None


@wrong("2.1", "one_for_zero", points=1.5)
def one_for_a_constant(x, n):
    return by_counting(x, n) if n > 2 else 1.0


@wrong("2.1", "example_only")
def only_for_four(x, n):
    return 2 * x


@wrong("2.1", "negative_count")
def no_lower_end(x, n):
    k = min(n - 2, 3)
    return 0.0 if k == 0 else k * x ** (k - 1)


@wrong("2.1", "nothing_before_five")
def only_from_five_on(x, n):
    return 3 * x**2 if n >= 5 else 0.0


@wrong("2.1", "divided_by_zero")
def zero_to_a_negative_power(x, n):
    k = sum(1 < i < 5 for i in range(n))
    return k * x ** (k - 1)


@wrong("2.1", "off_by_one")
def five_included(x, n):
    k = sum(1 < i <= 5 for i in range(n))
    return k * x ** (k - 1) if k else 0.0


@wrong("2.1", "slip")
def a_plus_for_a_times(x, n):
    y, slope = 1.0, 0.0
    for i in range(n):
        if 1 < i < 5:
            slope, y = slope * x + y, y + x
    return slope


@wrong("2.2", "other_inputs")
def always_a_fifth(x, slope):
    return tf.nn.leaky_relu(x, 0.2)


@wrong("2.2", "averaged")
def mean_of_all(x, slope):
    return tf.reduce_mean(tf.where(x > 0, x, slope * x))


@tf.custom_gradient
def careless_leak(x, slope):
    def backwards(upstream):
        return tf.where(x > 0, 1.0, slope), None

    return tf.where(x > 0, x, slope * x), backwards


@wrong("2.2", "upstream_ignored", points=1.5)
def own_gradient(x, slope):
    return careless_leak(x, tf.constant(slope, tf.float32))


@wrong("2.3", "slip")
def brackets_forgotten(error, delta):
    size = tf.abs(error)
    return tf.where(size <= delta, 0.5 * error**2, delta * size - 0.5 * delta)


@wrong("2.3", "bends_elsewhere")
def bends_too_early(error, delta):
    size = tf.abs(error)
    return tf.where(size <= 0.5 * delta, 0.5 * error**2, delta * (size - 0.5 * delta))


@wrong("2.3", "averaged", points=1.5)
def as_keras_has_it(error, delta):
    return keras.losses.huber(tf.zeros_like(error), error, delta=delta)


@wrong("2.3", "summed", points=1.5)
def sum_of_losses(error, delta):
    return tf.reduce_sum(right_huber(error, delta))


def right_huber(error, delta):
    size = tf.abs(error)
    return tf.where(size <= delta, 0.5 * error**2, delta * (size - 0.5 * delta))


@wrong("2.3", "computes_nothing")
def yields(error, delta):
    yield right_huber(error, delta)


@wrong("2.3", "computes_nothing")
async def asynchronous(error, delta):
    return right_huber(error, delta)


@wrong("2.3", "signature")
def takes_one_input(error):
    return error


@wrong("2.3", "smooth_from_end_to_end")
def pseudo_huber(error, delta):
    return delta**2 * (tf.sqrt(1 + (error / delta) ** 2) - 1)


@wrong("2.3", "divided_by_delta")
def smooth_l1(error, delta):
    return right_huber(error, delta) / delta


@wrong("2.4", "slope_of_the_exact_root", points=2)
def from_the_textbook(a, n):
    x = tf.constant(1.0)
    for _ in range(n):
        x = (x + a / x) / 2
    return x, 1 / (2 * x)


@wrong("2.4", "all_rounds", points=2)
def every_round(a, n):
    found = [root_after(a, k) for k in range(1, n + 1)]
    return [x for x, _ in found], [slope for _, slope in found]


@wrong("2.4", "all_rounds", points=2)
def every_root(a, n):
    return [root_after(a, k)[0] for k in range(1, n + 1)], root_after(a, n)[1]


def root_after(a, n, start=1.0):
    with tf.GradientTape() as tape:
        tape.watch(a)
        x = tf.constant(start)
        for _ in range(n):
            x = (x + a / x) / 2
    return x, tape.gradient(x, a)


@wrong("2.4", "off_by_one")
def from_round_one(a, n):
    return root_after(a, n - 1)


@wrong("2.4", "other_start")
def begins_at_two(a, n):
    return root_after(a, n, 2.0)


@wrong("2.4", "slip")
def quotient_rule_forgotten(a, n):
    x, slope = 1.0, 0.0
    for _ in range(n):
        x, slope = (x + a / x) / 2, (slope + 1 / x) / 2
    return x, slope


@wrong("2.5", "other_slope_at_the_join", points=2)
def both_at_the_join(x):
    return tf.math.log(tf.maximum(x, 1.0)) + tf.minimum(x, 1.0) - 1


@wrong("2.5", "smaller_of_the_two")
def the_smaller(x):
    return tf.minimum(tf.math.log(tf.maximum(x, 1e-6)), x - 1)


@wrong("2.5", "slip")
def harmless_on_the_wrong_side(x):
    harmless = tf.where(x > 1, 1.0, x)
    return tf.where(x > 1, tf.math.log(harmless), x - 1)


@wrong("2.6", "threshold_too_wide", points=1)
def near_zero(x):
    near = tf.abs(x) < 0.1
    harmless = tf.where(near, 1.0, x)
    return tf.where(near, 1.0, tf.sin(harmless) / harmless)


@wrong("2.6", "moved_by_a_little", points=1)
def shifted_a_little(x):
    return tf.sin(x + 1e-3) / (x + 1e-3)


@wrong("2.6", "slip")
def negatives_are_one(x):
    positive = x > 0
    harmless = tf.where(positive, x, 1.0)
    return tf.where(positive, tf.sin(harmless) / harmless, 1.0)


@wrong("2.6", "series_cut_short")
def a_longer_series(x):
    return 1 - x**2 / 6 + x**4 / 120


@wrong("2.6", "absolute")
def only_the_size(x):
    harmless = tf.where(x == 0, 1.0, x)
    return tf.where(x == 0, 1.0, tf.abs(tf.sin(harmless) / harmless))


def with_own_slope(change):
    @tf.custom_gradient
    def sinc(x):
        harmless = tf.where(x == 0, 1.0, x)

        def backwards(upstream):
            slope = (harmless * tf.cos(harmless) - tf.sin(harmless)) / harmless**2
            return change(tf.where(x == 0, 0.0, slope), upstream)

        return tf.where(x == 0, 1.0, tf.sin(harmless) / harmless), backwards

    return sinc


@wrong("2.6", "sign_of_the_slope", points=1)
def own_slope_turned_round(x):
    return with_own_slope(lambda slope, upstream: -slope * upstream)(x)


@wrong("2.6", "upstream_ignored", points=2)
def own_slope_alone(x):
    return with_own_slope(lambda slope, upstream: slope)(x)


@right("2.6")
def own_slope(x):
    return with_own_slope(lambda slope, upstream: slope * upstream)(x)


@wrong("2.3", "slip")
def compares_the_square(error, delta):
    size = tf.abs(error)
    return tf.where(error**2 <= delta, 0.5 * error**2, delta * (size - 0.5 * delta))
