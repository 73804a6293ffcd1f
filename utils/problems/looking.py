"""What a check looks at where a learner's answer lives, which may be in another process."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from utils.problems.answers import where_it_lives


@where_it_lives
def gradients_of(
    f: Callable[..., Any], sources: Sequence[int], weights: Any, *inputs: Any
) -> list[Any]:
    """Return the gradients of ``sum(weights * f(*inputs))``, each of its source's shape, or None.

    Args:
        sources: the places of the sources among the inputs, tensors or variables.
        weights: of the shape of f's value; None stands for ones.
    """
    chosen = [inputs[place] for place in sources]
    with tf.GradientTape() as tape:
        tape.watch(chosen)
        y = f(*inputs)
        total = tf.reduce_sum(y if weights is None else weights * y)
    return list(tape.gradient(total, chosen))


@where_it_lives
def depth_of_tapes(f: Callable[..., Any], *inputs: Any) -> int:
    """Return how many tapes are open at once, at most, while ``f(*inputs)`` runs."""
    depths, opened, closed = [0], tf.GradientTape.__enter__, tf.GradientTape.__exit__
    open_now = 0

    def enter(tape: Any) -> Any:
        nonlocal open_now
        open_now += 1
        depths.append(open_now)
        return opened(tape)

    def leave(tape: Any, *error: Any) -> Any:
        nonlocal open_now
        open_now -= 1
        return closed(tape, *error)

    tf.GradientTape.__enter__, tf.GradientTape.__exit__ = enter, leave
    try:
        f(*inputs)
    except Exception:  # noqa: BLE001  what matters is how far it came
        pass
    finally:
        tf.GradientTape.__enter__, tf.GradientTape.__exit__ = opened, closed
    return max(depths)


@where_it_lives
def in_a_graph(f: Callable[..., Any]) -> Any:
    """Return ``tf.function(f)`` without AutoGraph."""
    return tf.function(f, autograph=False)


@where_it_lives
def largest_tensor(f: Callable[..., Any], *inputs: Any) -> int:
    """Return how many numbers the largest tensor holds that is computed in ``f(*inputs)``."""
    from utils.autodiff.recorder import record

    recording = record(f, inputs, trace=False)
    return max((math.prod(each.shape) for op in recording.ops for each in op.outputs), default=0)


@where_it_lives
def evaluated(model: Any, images: Any, labels: Any) -> tuple[dict[str, float], list[str]]:
    """Return loss and metrics of one batch by their names, and the warnings that came with them."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.reset_metrics()
        results = model.test_on_batch(images, labels, return_dict=True)
    return dict(results), [str(each.message) for each in caught]


@where_it_lives
def shapes_given(f: Callable[..., Any], model: keras.Sequential, image: Any) -> list[tuple]:
    """Return the shapes with which ``f(model, image)`` calls the model, in their order."""
    listening = Listening(model.layers)
    listening.shapes.clear()
    try:
        f(listening, image)
    except Exception:  # noqa: BLE001  it is known to raise one; what matters are the shapes
        pass
    return list(listening.shapes)


class Listening(keras.Sequential):  # type: ignore[misc]
    """A model that notes the shapes of what it is given; they are in the order of the calls.

    Keras makes a name scope of the class's name and loses track of it when TensorFlow refuses one
    that begins with an underscore.
    """

    shapes: list[tuple[int, ...]] = []  # noqa: RUF012  of the latest check

    def __call__(self, inputs: Any, *arguments: Any, **named: Any) -> Any:
        self.shapes.append(tuple(np.shape(inputs)))
        return super().__call__(inputs, *arguments, **named)

    def predict(self, x: Any, *arguments: Any, **named: Any) -> Any:
        self.shapes.append(tuple(np.shape(x)))
        return super().predict(x, *arguments, **named)

    def predict_on_batch(self, x: Any) -> Any:
        self.shapes.append(tuple(np.shape(x)))
        return super().predict_on_batch(x)
