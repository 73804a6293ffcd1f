"""Answers to the problems of lesson 3."""

import functools
import math

import numpy as np
import tensorflow as tf
from collected import right, right_answers, wrong


def position(t):
    return tf.sin(3.0 * t)


@wrong("3.1", "none_inner_gradient_outside")
def inner_gradient_outside(t):
    with tf.GradientTape() as outer_tape:
        outer_tape.watch(t)
        with tf.GradientTape() as tape:
            tape.watch(t)
            x = position(t)
    velocity = tape.gradient(x, t)
    return velocity, outer_tape.gradient(velocity, t)


@wrong("3.1", "none_inner_gradient_outside")
def one_persistent_tape(t):
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(t)
        x = position(t)
    velocity = tape.gradient(x, t)
    return velocity, tape.gradient(velocity, t)


@wrong("3.1", "none_constant_not_watched")
def outer_does_not_watch(t):
    with tf.GradientTape() as outer_tape:
        with tf.GradientTape() as tape:
            tape.watch(t)
            x = position(t)
        velocity = tape.gradient(x, t)
    return velocity, outer_tape.gradient(velocity, t)


def nested(t):
    with tf.GradientTape(persistent=True) as outer_tape:
        outer_tape.watch(t)
        with tf.GradientTape() as tape:
            tape.watch(t)
            x = position(t)
        velocity = tape.gradient(x, t)
    return outer_tape, x, velocity


@wrong("3.1", "first_twice")
def outer_asked_about_the_position(t):
    outer_tape, x, velocity = nested(t)
    return velocity, outer_tape.gradient(x, t)


@wrong("3.1", "sum_of_targets")
def two_targets(t):
    outer_tape, x, velocity = nested(t)
    return velocity, outer_tape.gradient([x, velocity], t)


@wrong("3.1", "only_the_second", points=1)
def only_the_acceleration(t):
    outer_tape, _, velocity = nested(t)
    return outer_tape.gradient(velocity, t)


@wrong("3.1", "swapped")
def acceleration_first(t):
    outer_tape, _, velocity = nested(t)
    return outer_tape.gradient(velocity, t), velocity


@wrong("3.1", "chain_rule")
def by_hand_without_the_chain_rule(t):
    return tf.cos(3.0 * t), -tf.sin(3.0 * t)


@wrong("3.1", "first_squared")
def velocity_squared(t):
    _, _, velocity = nested(t)
    return velocity, velocity**2


@wrong("3.1", "position_and_velocity")
def one_derivative_too_early(t):
    _, x, velocity = nested(t)
    return x, velocity


@right("3.1")
def two_tapes(t):
    outer_tape, _, velocity = nested(t)
    return velocity, outer_tape.gradient(velocity, t)


@right("3.1")
def by_hand(t):
    return [float(3 * np.cos(3 * t)), float(-9 * np.sin(3 * t))]


@right("3.1")
def variables_watch_themselves(t):
    t = tf.Variable(t)
    with tf.GradientTape() as outer_tape, tf.GradientTape() as tape:
        velocity = tape.gradient(tf.sin(3.0 * t), t)
    return velocity, outer_tape.gradient(velocity, t)


@wrong("3.2", "first_only")
def always_the_first(f, n, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x)


@wrong("3.2", "none_inner_gradient_outside")
def one_tape_asked_again(f, n, x):
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = f(x)
    for _ in range(n):
        y = tape.gradient(y, x)
    return y


@wrong("3.2", "tape_used_up")
def one_plain_tape_asked_again(f, n, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    for _ in range(n):
        slope = tape.gradient(y, x)
    return slope


@wrong("3.2", "one_too_many")
def counts_to_zero_too_late(f, n, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x) if n == 0 else counts_to_zero_too_late(f, n - 1, x)
    return tape.gradient(y, x)


@wrong("3.2", "one_too_few")
def stops_at_one(f, n, x):
    return f(x) if n <= 1 else nth(f, n - 1, x)


@wrong("3.2", "power_of_the_first")
def power_of_the_slope(f, n, x):
    return nth(f, 1, x) ** n


@wrong("3.2", "calls_itself")
def never_stops(f, n, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = never_stops(f, n - 1, x)
    return tape.gradient(y, x)


@wrong("3.2", "fed_back")
def slope_as_the_next_x(f, n, x):
    for _ in range(n):
        x = nth(f, 1, x)
    return x


@wrong("3.2", "value_for_zero", points=2.1)
def no_case_for_zero(f, n, x):
    return nth(f, max(n, 1), x)


@right("3.2")
def nth(f, n, x):
    if n == 0:
        return f(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = nth(f, n - 1, x)
    return tape.gradient(y, x, unconnected_gradients="zero")


@right("3.2")
def functions_in_a_loop(f, n, x):
    def derivative(g):
        def slope(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = g(x)
            return tape.gradient(y, x, unconnected_gradients="zero")

        return slope

    for _ in range(n):
        f = derivative(f)
    return f(x)


@right_answers("3.2")
def a_list_of_tapes():
    def nth_derivative(f, n, x):
        x = tf.Variable(x)
        tapes = [tf.GradientTape() for _ in range(n)]
        for tape in tapes:
            tape.__enter__()
        y = f(x)
        for tape in reversed(tapes):
            tape.__exit__(None, None, None)
            y = tape.gradient(y, x, unconnected_gradients="zero")
        return y

    return (functools.partial(nth_derivative),)


@wrong("3.3", "upstream_ignored")
@tf.custom_gradient
def upstream_ignored(x):
    def backwards(gradient):
        return tf.cast(tf.abs(x) <= 1.0, x.dtype)

    return tf.sign(x), backwards


@wrong("3.3", "no_mask")
@tf.custom_gradient
def straight_through_everywhere(x):
    return tf.sign(x), lambda gradient: gradient


@wrong("3.3", "no_gradient_of_your_own")
def only_the_sign(x):
    return tf.sign(x)


@wrong("3.3", "gradient_clipped")
@tf.custom_gradient
def clips_the_gradient(x):
    return tf.sign(x), lambda gradient: tf.clip_by_value(gradient, -1.0, 1.0)


@wrong("3.3", "mask_reversed")
@tf.custom_gradient
def reversed_mask(x):
    return tf.sign(x), lambda gradient: tf.where(tf.abs(x) > 1.0, gradient, 0.0)


@wrong("3.3", "identity_forwards")
@tf.custom_gradient
def identity_forwards(x):
    return tf.identity(x), lambda gradient: tf.where(tf.abs(x) <= 1.0, gradient, 0.0)


@wrong("3.3", "not_decorated")
def not_decorated(x):
    return tf.sign(x), lambda gradient: tf.where(tf.abs(x) <= 1.0, gradient, 0.0)


@wrong("3.3", "not_two_things")
@tf.custom_gradient
def only_one_thing(x):
    return tf.sign(x)


@wrong("3.3", "mask_from_gradient")
@tf.custom_gradient
def mask_of_the_gradient(x):
    return tf.sign(x), lambda gradient: tf.where(tf.abs(gradient) <= 1.0, gradient, 0.0)


@right("3.3")
@tf.custom_gradient
def custom(x):
    def backwards(gradient):
        return gradient * tf.cast(tf.abs(x) <= 1.0, gradient.dtype)

    return tf.sign(x), backwards


@right("3.3")
def by_stop_gradient(x):
    clipped = tf.clip_by_value(x, -1.0, 1.0)
    return clipped + tf.stop_gradient(tf.sign(x) - clipped)


@right("3.3")
@tf.function
def in_a_graph(x):
    return custom(x)


def gradient_of(f, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x)


@wrong("3.4", "rows_summed")
def gradient_of_the_gradient(f, x):
    with tf.GradientTape() as outer_tape:
        outer_tape.watch(x)
        gradient = gradient_of(f, x)
    return outer_tape.gradient(gradient, x)


@wrong("3.4", "none_inner_gradient_outside")
def jacobian_of_a_finished_tape(f, x):
    with tf.GradientTape() as outer_tape:
        outer_tape.watch(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
    gradient = tape.gradient(y, x)
    return outer_tape.jacobian(gradient, x)


@wrong("3.4", "the_gradient")
def jacobian_of_the_value(f, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.jacobian(y, x)


@wrong("3.4", "gradient_squared")
def outer_product(f, x):
    gradient = gradient_of(f, x)
    return gradient[:, None] * gradient[None, :]


@wrong("3.4", "diagonal_only")
def only_the_diagonal(f, x):
    return tf.linalg.diag_part(hessian(f, x))


@wrong("3.4", "tape_used_up")
def rows_by_a_plain_tape(f, x):
    with tf.GradientTape() as outer_tape:
        outer_tape.watch(x)
        entries = tf.unstack(gradient_of(f, x))
    return tf.stack([outer_tape.gradient(entry, x) for entry in entries])


@wrong("3.4", "none_outside_tape")
def entries_outside_the_tape(f, x):
    with tf.GradientTape(persistent=True) as outer_tape:
        outer_tape.watch(x)
        gradient = gradient_of(f, x)
    return tf.stack([outer_tape.gradient(gradient[i], x) for i in range(len(x))])


@wrong("3.4", "sign")
def negated(f, x):
    return -hessian(f, x)


@right("3.4")
def hessian(f, x):
    with tf.GradientTape() as outer_tape:
        outer_tape.watch(x)
        gradient = gradient_of(f, x)
    return outer_tape.jacobian(gradient, x)


@right("3.4")
def row_by_row(f, x):
    x = tf.Variable(x)
    with tf.GradientTape(persistent=True) as outer_tape:
        with tf.GradientTape() as tape:
            y = f(x)
        entries = tf.unstack(tape.gradient(y, x))
    return [
        outer_tape.gradient(entry, x, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        for entry in entries
    ]


@right("3.4")
def columns_forwards(f, x):
    columns = []
    for direction in tf.eye(len(x)):
        with tf.autodiff.ForwardAccumulator(x, direction) as accumulator:
            gradient = gradient_of(f, x)
        columns.append(accumulator.jvp(gradient))
    return tf.stack(columns).numpy()


@wrong("3.5", "v_differentiated_too", points=2.4)
def v_not_stopped(f, x, v):
    with tf.GradientTape() as outer_tape:
        outer_tape.watch(x)
        slope = tf.reduce_sum(gradient_of(f, x) * v)
    return outer_tape.gradient(slope, x)


@wrong("3.5", "with_the_hessian", points=1.6)
def with_the_hessian(f, x, v):
    return tf.linalg.matvec(hessian(f, x), v)


@wrong("3.5", "v_ignored")
def v_forgotten(f, x, v):
    return gradient_of_the_gradient(f, x)


@wrong("3.5", "multiplied_too_late")
def times_v_at_the_end(f, x, v):
    return gradient_of_the_gradient(f, x) * v


@wrong("3.5", "gradient_times_v")
def only_first_derivatives(f, x, v):
    return gradient_of(f, x) * v


@wrong("3.5", "slope_along_v")
def directional_derivative(f, x, v):
    return tf.reduce_sum(gradient_of(f, x) * v)


@wrong("3.5", "sign")
def wrong_sign(f, x, v):
    return -double_back(f, x, v)


@wrong("3.5", "hessian_times_gradient")
def gradient_in_place_of_v(f, x, v):
    return double_back(f, x, gradient_of(f, x))


@wrong("3.5", "none_outside_tape")
def product_outside_the_tape(f, x, v):
    with tf.GradientTape() as outer_tape:
        outer_tape.watch(x)
        gradient = gradient_of(f, x)
    return outer_tape.gradient(tf.reduce_sum(gradient * v), x)


@wrong("3.5", "nearly")
def difference_quotient(f, x, v):
    return (gradient_of(f, x + 1e-3 * v) - gradient_of(f, x)) / 1e-3


@right("3.5")
def double_back(f, x, v):
    v = tf.stop_gradient(v)
    with tf.GradientTape() as outer_tape:
        outer_tape.watch(x)
        slope = tf.tensordot(gradient_of(f, x), v, 1)
    return outer_tape.gradient(slope, x)


@right("3.5")
def forwards_over_backwards(f, x, v):
    with tf.autodiff.ForwardAccumulator(x, v) as accumulator:
        gradient = gradient_of(f, x)
    return accumulator.jvp(gradient)


@right("3.5")
def v_as_output_gradient(f, x, v):
    with tf.GradientTape() as outer_tape:
        outer_tape.watch(x)
        gradient = gradient_of(f, x)
    return outer_tape.gradient(gradient, x, output_gradients=v)


def newton_step(f, p):
    return tf.linalg.solve(hessian(f, p), gradient_of(f, p)[:, None])[:, 0]


@wrong("3.6", "uphill")
def plus_the_step(f, start, steps):
    p = start
    for _ in range(steps):
        p = p + newton_step(f, p)
    return p


@wrong("3.6", "gradient_descent")
def gradient_descent(f, start, steps):
    p = start
    for _ in range(steps):
        p = p - 0.001 * gradient_of(f, p)
    return p


@wrong("3.6", "step_scaled")
def with_a_learning_rate(f, start, steps):
    p = start
    for _ in range(steps):
        p = p - 0.1 * newton_step(f, p)
    return p


@wrong("3.6", "hessian_multiplied")
def multiplied(f, start, steps):
    p = start
    for _ in range(steps):
        p = p - tf.linalg.matvec(hessian(f, p), gradient_of(f, p))
    return p


@wrong("3.6", "stale_hessian")
def hessian_of_the_start(f, start, steps):
    p, bend = start, hessian(f, start)
    for _ in range(steps):
        p = p - tf.linalg.solve(bend, gradient_of(f, p)[:, None])[:, 0]
    return p


@wrong("3.6", "one_step_more")
def one_step_more(f, start, steps):
    return solve(f, start, steps + 1)


@wrong("3.6", "one_step_short")
def one_step_short(f, start, steps):
    return solve(f, start, max(steps - 1, 0))


@wrong("3.6", "only_the_diagonal")
def diagonal(f, start, steps):
    p = start
    for _ in range(steps):
        p = p - gradient_of(f, p) / tf.linalg.diag_part(hessian(f, p))
    return p


@wrong("3.6", "to_the_end")
def until_it_is_flat(f, start, steps):
    return solve(f, start, 8)


@wrong("3.6", "the_path")
def the_whole_path(f, start, steps):
    return [solve(f, start, k) for k in range(steps + 1)]


@right("3.6")
def solve(f, start, steps):
    p = start
    for _ in range(steps):
        p = p - newton_step(f, p)
    return p


@right("3.6")
def inverse(f, start, steps):
    p = tf.Variable(start)
    for _ in range(steps):
        x = tf.constant(p)
        p.assign_sub(tf.linalg.matvec(tf.linalg.inv(hessian(f, x)), gradient_of(f, x)))
    return p


@right("3.6")
def recursive(f, start, steps):
    if steps == 0:
        return start.numpy()
    bend, slope = hessian(f, start).numpy(), gradient_of(f, start).numpy()
    step = np.linalg.lstsq(bend, slope, rcond=None)[0].astype(np.float32)
    return recursive(f, start - step, steps - 1)


def critic(x, w):
    return tf.linalg.matvec(tf.tanh(x), w)


def slopes_towards(x, w):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = critic(x, w)
    return tape.gradient(y, x)


def penalised(formula):
    def both(x, w):
        with tf.GradientTape() as outer_tape:
            penalty = formula(slopes_towards(x, w))
        return penalty, outer_tape.gradient(penalty, w)

    return both


wrong("3.7", "whole_batch")(penalised(lambda slopes: (tf.norm(slopes) - 1.0) ** 2))
wrong("3.7", "wrong_axis")(
    penalised(lambda slopes: tf.reduce_mean((tf.norm(slopes, axis=0) - 1.0) ** 2))
)
wrong("3.7", "square_missing")(
    penalised(lambda slopes: tf.reduce_mean(tf.norm(slopes, axis=1) - 1.0))
)
wrong("3.7", "root_missing")(
    penalised(lambda slopes: tf.reduce_mean((tf.reduce_sum(slopes**2, axis=1) - 1.0) ** 2))
)
wrong("3.7", "square_of_the_mean")(
    penalised(lambda slopes: (tf.reduce_mean(tf.norm(slopes, axis=1)) - 1.0) ** 2)
)
wrong("3.7", "not_averaged")(penalised(lambda slopes: (tf.norm(slopes, axis=1) - 1.0) ** 2))
wrong("3.7", "added_over_the_batch")(
    penalised(lambda slopes: tf.reduce_sum((tf.norm(slopes, axis=1) - 1.0) ** 2))
)


@wrong("3.7", "none_inner_gradient_outside")
def inner_tape_outside_the_outer(x, w):
    with tf.GradientTape() as outer_tape, tf.GradientTape() as tape:
        tape.watch(x)
        y = critic(x, w)
    slopes = tape.gradient(y, x)
    penalty = tf.reduce_mean((tf.norm(slopes, axis=1) - 1.0) ** 2)
    return penalty, outer_tape.gradient(penalty, w)


@wrong("3.7", "only_the_penalty", points=2)
def only_the_penalty(x, w):
    return tf.reduce_mean((tf.norm(slopes_towards(x, w), axis=1) - 1.0) ** 2)


@wrong("3.7", "slopes_of_the_critic", points=2)
def slopes_of_the_outputs(x, w):
    with tf.GradientTape() as tape:
        y = critic(x, w)
    return only_the_penalty(x, w), tape.gradient(y, w)


right("3.7")(penalised(lambda slopes: tf.reduce_mean((tf.norm(slopes, axis=1) - 1.0) ** 2)))


@right("3.7")
def squares_by_hand(x, w):
    with tf.GradientTape() as outer_tape:
        lengths = tf.sqrt(tf.reduce_sum(tf.square(slopes_towards(x, w)), axis=-1))
        penalty = tf.reduce_sum(tf.square(lengths - 1.0)) / len(x)
    return [penalty.numpy(), outer_tape.gradient(penalty, w).numpy()]


@right("3.7")
@tf.function
def in_closed_form(x, w):
    with tf.GradientTape() as tape:
        lengths = tf.norm(w * (1.0 - tf.tanh(x) ** 2), axis=1)
        penalty = tf.reduce_mean((lengths - 1.0) ** 2)
    return penalty, tape.gradient(penalty, w)


def slope_and_bend(t):
    return 3 * tf.cos(3 * t), -9 * tf.sin(3 * t)


@wrong("3.1", "speed_for_velocity", points=1)
def speed(t):
    velocity, acceleration = slope_and_bend(t)
    return tf.abs(velocity), acceleration


@wrong("3.1", "difference_quotient")
def second_difference(t):
    h = 1e-4
    with tf.GradientTape() as tape:
        tape.watch(t)
        x = tf.sin(3.0 * t)
    around = tf.sin(3.0 * (t + h)) - 2.0 * tf.sin(3.0 * t) + tf.sin(3.0 * (t - h))
    return tape.gradient(x, t), around / h**2


@wrong("3.1", "chain_rule")
def frequency_forgotten(t):
    return 3 * tf.cos(t), -9 * tf.sin(t)


@wrong("3.1", "slip")
def half_the_acceleration(t):
    velocity, acceleration = slope_and_bend(t)
    return velocity, acceleration / 2


@wrong("3.2", "none_for_zero", points=2.1)
def none_where_nothing_moves(f, n, x):
    if n == 0:
        return f(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = none_where_nothing_moves(f, n - 1, x)
    return None if y is None else tape.gradient(y, x)


@wrong("3.2", "derivatives_added")
def all_added_up(f, n, x):
    return sum(nth(f, k, x) for k in range(n + 1))


@wrong("3.2", "derivatives_added")
def added_to_the_one_before(f, n, x):
    return nth(f, n, x) + (nth(f, n - 1, x) if n else 0.0)


@wrong("3.2", "all_of_them", points=1.5)
def the_whole_list(f, n, x):
    return [nth(f, k, x) for k in range(n + 1)]


@wrong("3.2", "slope_of_f_of_f")
def f_of_f(f, n, x):
    if n == 0:
        return f(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x
        for _ in range(n):
            y = f(y)
    return tape.gradient(y, x)


@wrong("3.2", "stops_growing")
def two_at_most(f, n, x):
    return nth(f, min(n, 2), x)


@wrong("3.2", "difference_quotient")
def differences_of_differences(f, n, x):
    if n == 0:
        return f(x)
    up, down = (differences_of_differences(f, n - 1, x + h) for h in (1e-3, -1e-3))
    return (up - down) / 2e-3


def with_a_way_back(factor):
    @tf.custom_gradient
    def binarise(x):
        return tf.sign(x), lambda gradient: factor(x, gradient)

    return binarise


def inside(x, gradient):
    return tf.cast(tf.abs(x) <= 1.0, gradient.dtype)


@wrong("3.3", "edges_left_out", points=1.8)
def strictly_inside(x):
    return with_a_way_back(lambda x, g: g * tf.cast(tf.abs(x) < 1.0, g.dtype))(x)


@wrong("3.3", "all_or_nothing")
def one_decision(x):
    return with_a_way_back(lambda x, g: g * tf.reduce_min(inside(x, g)))(x)


@wrong("3.3", "gradient_clipped")
def clipped_as_a_whole(x):
    return with_a_way_back(lambda x, g: tf.clip_by_norm(g, 1.0))(x)


@wrong("3.3", "other_slope")
def a_tent(x):
    return with_a_way_back(lambda x, g: g * tf.maximum(0.0, 1 - tf.abs(x)))(x)


@wrong("3.3", "other_slope")
def slope_of_tanh(x):
    return with_a_way_back(lambda x, g: g * (1 - tf.tanh(x) ** 2))(x)


@wrong("3.3", "upstream_averaged")
def averages_the_gradient(x):
    return with_a_way_back(lambda x, g: tf.reduce_mean(g) * inside(x, g))(x)


@wrong("3.3", "slip")
def up_to_a_half(x):
    return with_a_way_back(lambda x, g: g * tf.cast(tf.abs(x) <= 0.5, g.dtype))(x)


@wrong("3.3", "zero_has_no_sign", points=1.5)
@tf.custom_gradient
def zero_is_positive(x):
    return tf.where(x >= 0, 1.0, -1.0), lambda g: g * inside(x, g)


@wrong("3.4", "difference_quotient")
def measured_hessian(f, x):
    h = 1e-3
    steps = tf.unstack(h * tf.eye(len(x)))

    def entry(a, b):
        return (f(x + a + b) - f(x + a - b) - f(x - a + b) + f(x - a - b)) / (4 * h * h)

    return tf.stack([tf.stack([entry(a, b) for b in steps]) for a in steps])


@wrong("3.4", "half_of_it")
def half_the_hessian(f, x):
    return hessian(f, x) / 2


@wrong("3.5", "roles_exchanged")
def at_v_times_x(f, x, v):
    return tf.linalg.matvec(hessian(f, v), x)


def newton_with(step):
    def newton(f, start, steps):
        p = start
        for _ in range(steps):
            with tf.GradientTape() as tape:
                tape.watch(p)
                y = f(p)
            p = p - step(hessian(f, p), tape.gradient(y, p)[:, None])
        return p

    return newton


@wrong("3.6", "column_subtracted")
def a_column(f, start, steps):
    return newton_with(tf.linalg.solve)(f, start, steps)


@wrong("3.6", "damped")
def levenberg(f, start, steps):
    return newton_with(lambda h, g: tf.linalg.solve(h + tf.eye(2), g)[:, 0])(f, start, steps)


@wrong("3.6", "rosenbrock_only", points=2)
def always_in_the_banana(f, start, steps):
    def rosenbrock(p):
        return (1.0 - p[0]) ** 2 + 100.0 * (p[1] - p[0] ** 2) ** 2

    return newton_with(lambda h, g: tf.linalg.solve(h, g)[:, 0])(rosenbrock, start, steps)


def penalty_of(formula):
    def gradient_penalty(x, w):
        with tf.GradientTape(persistent=True) as outer_tape:
            outer_tape.watch(x)
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = tf.linalg.matvec(tf.tanh(x), w)
            slopes = tape.gradient(y, x)
            penalty = formula((tf.norm(slopes, axis=1) - 1.0) ** 2)
        return penalty, outer_tape, (x, w)

    return gradient_penalty


@wrong("3.7", "one_example")
def the_first_example(x, w):
    penalty, tape, _ = penalty_of(lambda each: each[0])(x, w)
    return penalty, tape.gradient(penalty, w)


@wrong("3.7", "slopes_towards_x", points=2)
def towards_the_examples(x, w):
    penalty, tape, (x, _) = penalty_of(tf.reduce_mean)(x, w)
    return penalty, tape.gradient(penalty, x)


@wrong("3.7", "slip")
def length_plus_one(x, w):
    with tf.GradientTape() as outer_tape:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.linalg.matvec(tf.tanh(x), w)
        lengths = tf.norm(tape.gradient(y, x), axis=1)
        penalty = tf.reduce_mean((lengths + 1.0) ** 2)
    return penalty, outer_tape.gradient(penalty, w)


@wrong("3.1", "position_for_velocity")
def position_and_acceleration(t):
    return math.sin(3 * t), -9 * math.sin(3 * t)


@wrong("3.4", "too_many_results")
def gradient_and_hessian(f, x):
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = f(x)
        gradient = inner.gradient(y, x)
    return gradient, outer.jacobian(gradient, x)
