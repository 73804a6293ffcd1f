"""Answers to the problems of lesson 1."""

import tensorflow as tf
from collected import right, wrong


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
