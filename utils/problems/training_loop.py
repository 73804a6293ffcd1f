"""The problems of lesson 6, the training loop."""

# ruff: noqa: RUF001, RUF003  (× and − are set as in a formula)

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from utils.problems.answers import NOT_ATTEMPTED, not_a_function, unattempted
from utils.problems.judging import Mistake, all_of, compare, guarded, judge
from utils.problems.problem import Cases, Finding, problem
from utils.problems.text import Text
from utils.problems.values import agree, is_blank, plain, show
from utils.problems.variations import Recipe

Array = NDArray[Any]


def _not_a_usable_function(f: Any) -> Finding | None:
    if unattempted(f):
        return NOT_ATTEMPTED
    return None if callable(f) else not_a_function(f)


# 6.1 ---------------------------------------------------------------------------------------------


class LineCase(NamedTuple):
    """A line's data, where w and b are, and the learning rate."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    w: float
    b: float
    rate: float


def _residuals(case: LineCase) -> Array:
    return case.w * np.array(case.x) + case.b - np.array(case.y)


def _line_slopes(case: LineCase) -> Array:
    """Return the slopes of the mean squared error with respect to w and b."""
    error = _residuals(case)
    return np.array([2 * np.mean(error * np.array(case.x)), 2 * np.mean(error)])


def _line_moved(case: LineCase, by: Array) -> Array:
    return np.array([case.w, case.b]) + by


def _line_mistakes() -> Iterator[Mistake]:
    def mistake(name: str, value: Callable[[LineCase], Any], text: Text) -> Mistake:
        return Mistake(name, lambda *inputs: tuple(value(LineCase(*inputs))), text)

    def moved(name: str, by: Callable[[LineCase], Any], text: Text) -> Mistake:
        return mistake(name, lambda case: _line_moved(case, by(case)), text)

    def step(case: LineCase) -> Array:
        return -case.rate * _line_slopes(case)

    def w_first(case: LineCase) -> Array:
        by_w = step(case) * [1, 0]
        return by_w + step(case._replace(w=case.w + by_w[0])) * [0, 1]

    def b_first(case: LineCase) -> Array:
        by_b = step(case) * [0, 1]
        return by_b + step(case._replace(b=case.b + by_b[1])) * [1, 0]

    def twice(case: LineCase) -> Array:
        w, b = _line_moved(case, step(case))
        return step(case) + step(case._replace(w=w, b=b))

    def no_x(case: LineCase) -> Array:
        return step(case)[[1, 1]]

    def absolute(case: LineCase) -> Array:
        sign = np.sign(_residuals(case))
        return -case.rate * np.array([np.mean(sign * np.array(case.x)), np.mean(sign)])

    def root(case: LineCase) -> Array:
        return step(case) / (2 * np.sqrt(np.mean(_residuals(case) ** 2)))

    def predicted(case: LineCase) -> Array:
        return -case.rate * np.array([np.sum(case.x), np.size(case.x)])

    yield moved(
        "uphill",
        lambda case: -step(case),
        Text(
            "You arrive at `{value}`, which is uphill: the gradient points to where the loss grows,"
            " so it has to be subtracted.",
            "`{value}`에 도착했는데, 이쪽은 오르막이에요. 그래디언트는 손실이 커지는 쪽을 가리키니"
            " 더하지 말고 빼야 해요.",
        ),
    )
    yield moved(
        "no_rate",
        lambda case: step(case) / case.rate,
        Text(
            "`{value}` is a step by the whole slope. The learning rate has to shorten it:"
            " rate times gradient.",
            "`{value}`은(는) 기울기만큼 통째로 움직인 결과예요. 학습률을 곱해서 걸음을 줄여야 해요.",
        ),
    )
    yield moved(
        "no_rate_uphill",
        lambda case: -step(case) / case.rate,
        Text(
            "`{value}` is the whole slope, added. Two things are missing: the learning rate shortens"
            " the step, and the minus makes it go downhill.",
            "`{value}`은(는) 기울기를 통째로 더한 결과예요. 학습률을 곱해 걸음을 줄이고,"
            " 내려가도록 빼야 해요.",
        ),
    )
    yield moved(
        "rate_twice",
        lambda case: step(case) * case.rate,
        Text(
            "`{value}` is too short a step: the learning rate is in it twice. Once is enough, either"
            " in the slope or in the update.",
            "`{value}`은(는) 걸음이 너무 짧아요. 학습률이 두 번 곱해졌어요. 기울기나 업데이트 중"
            " 한 곳에만 곱하세요.",
        ),
    )
    yield moved(
        "divided_by_rate",
        lambda case: step(case) / case.rate**2,
        Text(
            "`{value}` is far away: you divided by the learning rate. The slope is multiplied by it.",
            "`{value}`은(는) 너무 멀리 갔어요. 학습률로 나누었네요. 기울기에 학습률을 곱해야 해요.",
        ),
    )
    for name, move in (("w", w_first), ("b", b_first)):
        yield moved(
            "updated_one_by_one",
            move,
            Text(
                f"You moved `{name}` first, and then computed the other slope at the new place:"
                " `{value}`. Both slopes belong to the same place, so compute both before you move"
                " anything.",
                f"`{name}`을(를) 먼저 옮기고, 옮긴 자리에서 다른 기울기를 구했어요: `{{value}}`."
                " 두 기울기는 같은 자리에서 구해야 하니, 옮기기 전에 둘 다 계산하세요.",
            ),
        )
    yield moved(
        "summed",
        lambda case: step(case) * np.size(case.x),
        Text(
            "`{value}` follows the slope of the *sum* of the squared errors. The loss is their mean:"
            " `tf.reduce_mean`.",
            "`{value}`은(는) 제곱 오차의 *합*을 미분한 결과예요. 손실은 평균이니"
            " `tf.reduce_mean`을 쓰세요.",
        ),
    )
    yield moved(
        "factor_two_dropped",
        lambda case: step(case) / 2,
        Text(
            "`{value}` is half a step: the slope of a square has a factor 2,"
            " (e²)′ = 2e·e′. It has got lost.",
            "`{value}`은(는) 걸음이 절반이에요. 제곱을 미분하면 (e²)′ = 2e·e′처럼 2가 나오는데"
            " 그것이 빠졌어요.",
        ),
    )
    yield moved(
        "summed_factor_two_dropped",
        lambda case: step(case) * np.size(case.x) / 2,
        Text(
            "`{value}`: the factor 2 of the square's derivative is missing, and the errors are"
            " summed where the loss is their mean.",
            "`{value}`: 제곱을 미분할 때 나오는 2가 빠졌고, 평균을 내야 할 오차를 더하기만 했어요.",
        ),
    )
    yield mistake(
        "the_gradients",
        _line_slopes,
        Text(
            "`{value}` are the slopes themselves. Asked for is where w and b are after the step:"
            " the old place minus rate times slope.",
            "`{value}`은(는) 기울기 자체예요. 걸음을 옮긴 뒤의 w와 b, 즉 원래 자리에서"
            " 학습률 × 기울기를 뺀 값이 필요해요.",
        ),
    )
    for sign in (1, -1):
        yield mistake(
            "the_steps",
            functools.partial(lambda sign, case: sign * step(case), sign),
            Text(
                "`{value}` is how far w and b move. Asked for is where they arrive: take it from"
                " the old values.",
                "`{value}`은(는) w와 b가 움직인 거리예요. 도착한 자리가 필요하니 원래 값에서 빼세요.",
            ),
        )
    yield mistake(
        "minus_old_place",
        lambda case: -step(case) - [case.w, case.b],
        Text(
            "`{value}`: the subtraction is the wrong way round. It is the old place minus the step.",
            "`{value}`: 뺄셈의 순서가 바뀌었어요. 원래 자리에서 걸음을 빼야 해요.",
        ),
    )
    yield moved(
        "not_moved",
        lambda case: [0, 0],
        Text(
            "`{value}` is where w and b were before. The step was not taken, or was put into other"
            " names than those you return.",
            "`{value}`은(는) 처음의 w와 b 그대로예요. 걸음을 옮기지 않았거나, 돌려주는 이름이 아닌"
            " 다른 이름에 담았어요.",
        ),
    )
    for only, other, mask in (("w", "b", [1, 0]), ("b", "w", [0, 1])):
        yield moved(
            f"only_{only}_moved",
            functools.partial(lambda mask, case: step(case) * mask, mask),
            Text(
                f"In `{{value}}` only {only} has moved. {other} has a slope of its own and takes a"
                " step too.",
                f"`{{value}}`에서는 {only}만 움직였어요. {other}에도 자기 기울기가 있으니 함께"
                " 움직여야 해요.",
            ),
        )
    yield moved(
        "two_steps",
        twice,
        Text(
            "`{value}` is where two steps lead. One is asked for.",
            "`{value}`은(는) 두 걸음을 옮긴 자리예요. 한 걸음만 옮기세요.",
        ),
    )
    yield moved(
        "slopes_exchanged",
        lambda case: step(case)[::-1],
        Text(
            "`{value}`: w moved by b's slope and b by w's. The gradients come in the order of the"
            " sources, `tape.gradient(loss, [w, b])`.",
            "`{value}`: w가 b의 기울기로, b가 w의 기울기로 움직였어요. 그래디언트는"
            " `tape.gradient(loss, [w, b])`의 소스 순서대로 나와요.",
        ),
    )
    yield mistake(
        "results_exchanged",
        lambda case: _line_moved(case, step(case))[::-1],
        Text(
            "`{value}`: both are right, and in the wrong order. Return w first, then b.",
            "`{value}`: 두 값은 맞지만 순서가 바뀌었어요. w를 먼저, b를 나중에 돌려주세요.",
        ),
    )
    yield moved(
        "same_slope_for_both",
        no_x,
        Text(
            "`{value}`: you moved w by b's slope. In w's slope each error is multiplied by its x"
            " before the mean is taken.",
            "`{value}`: w를 b의 기울기로 옮겼어요. w의 기울기에서는 평균을 내기 전에 각 오차에 x를"
            " 곱해야 해요.",
        ),
    )
    yield moved(
        "x_in_both",
        lambda case: step(case)[[0, 0]],
        Text(
            "`{value}`: you moved b by w's slope. b is not multiplied by x in the model, so there is"
            " no x in its slope.",
            "`{value}`: b를 w의 기울기로 옮겼어요. 모델에서 b에는 x가 곱해지지 않으니 b의 기울기에도"
            " x가 없어요.",
        ),
    )
    yield moved(
        "absolute_error",
        absolute,
        Text(
            "`{value}` follows the slope of the mean *absolute* error. The loss here squares the"
            " errors.",
            "`{value}`은(는) 평균 *절대* 오차의 기울기를 따라간 결과예요. 여기서 손실은 오차를"
            " 제곱해요.",
        ),
    )
    yield moved(
        "root_of_the_loss",
        root,
        Text(
            "`{value}` follows the slope of the *root* of the mean squared error. The loss has no"
            " root.",
            "`{value}`은(는) 평균 제곱 오차의 *제곱근*을 미분한 결과예요. 손실에는 제곱근이 없어요.",
        ),
    )
    yield moved(
        "gradient_of_the_prediction",
        predicted,
        Text(
            "`{value}` makes the *predictions* smaller. The tape was asked for the gradient of"
            " wx + b; ask for that of the loss.",
            "`{value}`은(는) *예측값*을 줄이는 쪽이에요. wx + b의 그래디언트를 구했네요."
            " 손실의 그래디언트를 구하세요.",
        ),
    )
    yield mistake(
        "multiplied",
        lambda case: np.array([case.w, case.b]) * (1 + step(case)),
        Text(
            "`{value}` multiplies the old values by 1 − rate · slope. The step is *subtracted* from them:"
            " w − rate · slope.",
            "`{value}`은(는) 옛 값에 1 − 학습률 · 기울기를 곱했어요. 걸음은 옛 값에서 *빼요*: w − 학습률 · 기울기.",
        ),
    )
    yield moved(
        "no_square",
        lambda case: -case.rate * np.array([np.mean(case.x), 1.0]),
        Text(
            "`{value}` makes the mean error smaller, below zero without end. Square the errors"
            " before the mean.",
            "`{value}`은(는) 오차의 평균을 끝없이 줄이는 쪽이에요. 평균을 내기 전에 오차를 제곱하세요.",
        ),
    )


@problem(
    "6.1",
    section="A straight line is found step by step",
    objective=2,
    difficulty=1,
    points=2,
    cases=[
        ((0.0, 1.0, 2.0, 3.0), (1.0, 3.0, 5.0, 7.0), 0.0, 0.0, 0.125),
        ((1.0, 2.0, 4.0), (2.0, 1.0, 5.0), 1.5, -0.5, 0.05),
        ((-1.0, 0.5, 2.0, 2.5, 6.0), (4.0, 1.0, 0.0, -3.0, 2.0), -0.5, 2.0, 0.02),
        (((1.0, -2.0), (0.5, 3.0)), ((0.0, 1.0), (2.0, -1.0)), 0.5, 1.0, 0.1),
    ],
    hints=[
        Text(
            "Forwards, backwards, update: the predictions and the loss under a tape; both slopes;"
            " then both moves.",
            "순전파, 역전파, 업데이트 순서예요. 테이프 안에서 예측과 손실을 계산하고, 두 기울기를"
            " 구한 다음, 둘 다 옮기세요.",
        ),
        Text(
            "The loss is `tf.reduce_mean((w * x + b - y) ** 2)`, and `tape.gradient(loss, [w, b])`"
            " gives both slopes at once.",
            "손실은 `tf.reduce_mean((w * x + b - y) ** 2)`이고, `tape.gradient(loss, [w, b])`가 두"
            " 기울기를 한꺼번에 줘요.",
        ),
        Text(
            "With the slopes `dw` and `db`, the new w is the old one minus `rate * dw`, and the new b"
            " likewise.",
            "기울기가 `dw`와 `db`라면, 새 w는 원래 w에서 `rate * dw`를 뺀 값이고 b도 마찬가지예요.",
        ),
    ],
    remark=Text(
        "A network with a million weights takes its step in just the same way: one list of slopes,"
        " one subtraction for each.",
        "가중치가 백만 개인 신경망도 똑같이 움직여요. 기울기 목록 하나, 그리고 뺄셈 한 번씩이에요.",
    ),
)
def step_on_a_line(cases: Cases, f: Any) -> Finding | None:
    def prepare(*inputs: Any) -> tuple[Any, ...]:
        case = LineCase(*inputs)
        x, y = tf.constant(case.x), tf.constant(case.y)
        return x, y, tf.Variable(case.w), tf.Variable(case.b), case.rate

    return judge(
        f,
        cases,
        right=lambda *inputs: tuple(
            _line_moved(
                LineCase(*inputs), -LineCase(*inputs).rate * _line_slopes(LineCase(*inputs))
            )
        ),
        prepare=prepare,
        mistakes=_line_mistakes(),
        recipes=[
            Recipe(
                """
def step_on_a_line(x, y, w, b, rate):
    errors = w * x + b - y
    dw = np.mean(2 * errors * x)
    db = np.mean(2 * errors)
    return w - rate * dw, b - rate * db
""",
                _arrays,
            ),
            Recipe(
                """
def step_on_a_line(x, y, w, b, rate):
    with tf.GradientTape() as tape:
        tape.watch([w, b])
        loss = tf.reduce_mean((w * x + b - y) ** 2)
    dw, db = tape.gradient(loss, [w, b])
    return w - rate * dw, b - rate * db
""",
                lambda *inputs: tuple(map(tf.constant, inputs)),
            ),
        ],
    )


def _arrays(*inputs: Any) -> tuple[Any, ...]:
    return tuple(map(np.array, inputs))


# 6.2 ---------------------------------------------------------------------------------------------


class NetworkCase(NamedTuple):
    """A small classifier and a batch; ``frozen``: its first layer is not to be trained."""

    seed: int
    samples: int
    units: int
    rate: float
    frozen: bool


class HalfOff(keras.layers.Layer):  # type: ignore[misc]
    """Dropout without chance: in training every other unit is off, and the others count double."""

    def call(self, x: Any, training: bool = False) -> Any:
        """Return ``x``, in training with a fixed half of its columns at 0 and the others doubled."""
        return x * tf.constant([2.0, 0.0] * (x.shape[-1] // 2)) if training else x


class Step(NamedTuple):
    """What one step by Keras did: losses and weights before and after, all as NumPy."""

    before: list[Array]
    after: list[Array]
    loss: float
    logits: Array
    logits_after: Array


class Numbers(NamedTuple):
    """What a case starts from: weights, images (samples, 5) float32 and labels (samples,) int64."""

    weights: list[Array]
    images: Array
    labels: Array


@functools.lru_cache(maxsize=64)
def _numbers(case: NetworkCase) -> Numbers:
    random = np.random.default_rng(case.seed)
    shapes = ((5, case.units), (case.units,), (case.units, 3), (3,))
    return Numbers(
        [random.normal(size=shape) for shape in shapes],
        random.normal(size=(case.samples, 5)).astype(np.float32),
        random.integers(0, 3, case.samples),
    )


def _network(case: NetworkCase, *, drops: bool = True) -> tuple[Any, Any, Any]:
    """Return model, images and labels of a case; in training a model that ``drops`` uses half."""
    middle = [HalfOff()] if drops else []
    model = keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Dense(case.units, activation="relu", name="hidden"),
            *middle,
            keras.layers.Dense(3, name="output"),
        ]
    )
    weights, images, labels = _numbers(case)
    model.set_weights(weights)
    model.layers[0].trainable = not case.frozen
    return model, tf.constant(images), tf.constant(labels)


@functools.lru_cache(maxsize=64)
def _keras_step(case: NetworkCase, drops: bool = True, logits: bool = True) -> Step:
    """Let Keras take one step of plain SGD; ``logits``: as `from_logits` says."""
    model, images, labels = _network(case, drops=drops)
    loss_function = keras.losses.SparseCategoricalCrossentropy(from_logits=logits)
    before = [np.array(each) for each in model.get_weights()]
    first = np.array(model(images, training=True))
    model.compile(keras.optimizers.SGD(case.rate), loss_function, run_eagerly=True)
    loss = model.train_on_batch(images, labels)
    after = [np.array(each) for each in model.get_weights()]
    return Step(before, after, float(loss), first, np.array(model(images, training=True)))


def _cross_entropies(case: NetworkCase, logits: Array) -> Array:
    total = np.log(np.sum(np.exp(logits), axis=1))
    return np.asarray(total - logits[np.arange(len(logits)), _numbers(case).labels])


def _weight_mistakes(case: NetworkCase) -> Iterator[tuple[str, list[Array], Text]]:
    """Yield what the weights are after a step that was misunderstood."""
    step = _keras_step(case)
    moves = [new - old for new, old in zip(step.after, step.before, strict=True)]

    def moved(by: Callable[[int, Array], Array | float]) -> list[Array]:
        return [
            old + by(i, move) for i, (old, move) in enumerate(zip(step.before, moves, strict=True))
        ]

    yield (
        "not_assigned",
        step.before,
        Text(
            "No weight of the model has moved. `variable = variable - ...` only gives a new tensor"
            " the name; to change the variable itself, use `variable.assign_sub(...)`.",
            "모델의 가중치가 하나도 움직이지 않았어요. `variable = variable - ...`은 이름만 새 텐서에"
            " 붙여요. 변수 자체를 바꾸려면 `variable.assign_sub(...)`를 쓰세요.",
        ),
    )
    yield (
        "uphill",
        moved(lambda _, move: -move),
        Text(
            "Every weight has moved by the right amount, uphill: subtract rate times gradient.",
            "모든 가중치가 맞는 크기로, 그러나 오르막으로 움직였어요. 학습률 × 그래디언트를 빼야 해요.",
        ),
    )
    yield (
        "no_rate",
        moved(lambda _, move: move / case.rate),
        Text(
            "The weights have moved by the whole gradient. Multiply it by `rate`.",
            "가중치가 그래디언트만큼 통째로 움직였어요. `rate`를 곱하세요.",
        ),
    )
    yield (
        "rate_twice",
        moved(lambda _, move: move * case.rate),
        Text(
            "The step is too short: `rate` is in it twice.",
            "걸음이 너무 짧아요. `rate`가 두 번 곱해졌어요.",
        ),
    )
    yield (
        "loss_summed",
        moved(lambda _, move: move * case.samples),
        Text(
            f"The step is {case.samples} times too long, once for each image of the batch: the loss"
            " was summed. Keras's is the mean over the batch.",
            f"걸음이 배치의 이미지 수만큼 {case.samples}배 길어요. 손실을 모두 더했네요. Keras의"
            " 손실은 배치의 평균이에요.",
        ),
    )
    yield (
        "divided_by_batch",
        moved(lambda _, move: move / case.samples),
        Text(
            f"The step is {case.samples} times too short: you divided by the batch size, and the loss"
            " is a mean already.",
            f"걸음이 {case.samples}배 짧아요. 배치 크기로 나누었는데, 손실은 이미 평균이에요.",
        ),
    )
    yield (
        "only_kernels",
        moved(lambda i, move: move * (i % 2 == 0)),
        Text(
            "Only the kernels have moved. The biases have slopes too:"
            " `model.trainable_variables` lists all that is trained.",
            "커널만 움직였어요. 편향에도 기울기가 있어요. 학습되는 것은 모두"
            " `model.trainable_variables`에 있어요.",
        ),
    )
    yield (
        "only_biases",
        moved(lambda i, move: move * (i % 2)),
        Text(
            "Only the biases have moved. The kernels have slopes too:"
            " `model.trainable_variables` lists all that is trained.",
            "편향만 움직였어요. 커널에도 기울기가 있어요. 학습되는 것은 모두"
            " `model.trainable_variables`에 있어요.",
        ),
    )
    for name, layer, korean, mask in (
        ("only_last_layer", "last layer", "마지막 층", [0, 0, 1, 1]),
        ("only_first_layer", "first layer", "첫 번째 층", [1, 1, 0, 0]),
    ):
        yield (
            name,
            moved(functools.partial(lambda mask, i, move: move * mask[i], mask)),
            Text(
                f"Only the {layer} has moved. Take the variables of the whole model:"
                " `model.trainable_variables`.",
                f"{korean}만 움직였어요. 모델 전체의 변수 `model.trainable_variables`를 쓰세요.",
            ),
        )
    for i, what in enumerate(
        ("the first kernel", "the first bias", "the last kernel", "the last bias")
    ):
        yield (
            "only_one_variable",
            moved(functools.partial(lambda i, k, move: move * (k == i), i)),
            Text(
                f"Only one variable has moved, {what}. Each of `model.trainable_variables` takes its"
                " step: loop over them and their gradients together. Does your `return` stand inside"
                " the loop?",
                "변수 하나만 움직였어요. `model.trainable_variables`의 모든 변수가 움직여야 하니, 변수와"
                " 그래디언트를 함께 반복하세요. `return`이 반복문 안에 있지는 않나요?",
            ),
        )
    yield (
        "mode_of_use",
        _keras_step(case, drops=False).after,
        Text(
            "These are the weights after a step in the mode of *use*. This model has a layer that"
            " behaves differently while it is trained: call it with `training=True`.",
            "*사용* 모드에서 움직인 결과예요. 이 모델에는 학습할 때 다르게 동작하는 층이 있으니"
            " `training=True`로 호출하세요.",
        ),
    )
    yield (
        "logits_as_probabilities",
        _keras_step(case, logits=False).after,
        Text(
            "The loss took the logits for probabilities. The last layer has no softmax, so the loss"
            " needs `from_logits=True`: use the `loss_function` that is given.",
            "손실이 로짓을 확률로 여겼어요. 마지막 층에 소프트맥스가 없으니 `from_logits=True`가"
            " 필요해요. 주어진 `loss_function`을 쓰세요.",
        ),
    )
    yield (
        "weights_replaced",
        moved(lambda i, move: move - step.before[i]),
        WEIGHTS_REPLACED,
    )
    yield (
        "weights_replaced",
        moved(lambda i, move: -move - step.before[i]),
        WEIGHTS_REPLACED,
    )


WEIGHTS_REPLACED = Text(
    "The weights now *are* the step, and what they were before is gone: `assign` replaces a value,"
    " `assign_sub` subtracts from it.",
    "가중치가 걸음 자체로 바뀌고 원래 값이 사라졌어요. `assign`은 값을 갈아 끼우고, `assign_sub`는"
    " 값에서 빼요.",
)


def _weights_finding(case: NetworkCase, model: Any) -> Finding | None:
    step = _keras_step(case)
    mine = [np.array(each) for each in model.get_weights()]
    if _near(mine, step.after):
        return None
    if case.frozen and _near(mine[2:], step.after[2:]):
        return Finding(
            "frozen_layer",
            Text(
                "The frozen layer has moved. A tape finds gradients for its weights as well; it is"
                " `model.trainable_variables` that leaves them out.",
                "고정된 층이 움직였어요. 테이프는 그 가중치의 그래디언트도 구해요. 그것을 빼 주는 것은"
                " `model.trainable_variables`예요.",
            ),
            0.5,
        )
    for name, weights, text in _weight_mistakes(case):
        if _near(mine, weights):
            return Finding(name, text)
    for name, weights, text in _steps_with_other_losses(case):
        if all(agree(one, two, 1e-4) for one, two in zip(mine, weights, strict=True)):
            return Finding(name, text)
    twice = _after_another_step(case)
    if _near(mine, twice):
        return Finding(
            "two_steps",
            Text(
                "The weights are where *two* steps lead. Is the update there twice?",
                "가중치가 *두* 걸음 움직였어요. 업데이트를 두 번 하지 않았나요?",
            ),
        )
    moves = [np.ravel(new - old) for new, old in zip(mine, step.before, strict=True)]
    wanted = [np.ravel(new - old) for new, old in zip(step.after, step.before, strict=True)]
    found = _kind_of_step(np.concatenate(moves), np.concatenate(wanted), case, step)
    if found:
        return found
    names = ("hidden kernel", "hidden bias", "output kernel", "output bias")
    place = next(i for i in range(4) if not agree(mine[i], step.after[i], 1e-5))
    return Finding(
        "other_weights",
        Text(
            f"After your step the weights are not those of Keras's step. The first that differs is"
            f" the {names[place]}: yours is `{show(mine[place])}`, Keras's is"
            f" `{show(step.after[place])}`.",
            f"걸음을 옮긴 뒤의 가중치가 Keras의 것과 달라요. 처음 다른 것은 {names[place]}로, 당신의 값은"
            f" `{show(mine[place])}`, Keras의 값은 `{show(step.after[place])}`예요.",
        ),
    )


def _steps_with_other_losses(case: NetworkCase) -> Iterator[tuple[str, list[Array], Text]]:
    """Yield the weights after a step down another loss than the one that is given."""

    def after(loss: Callable[[Any, Any], Any]) -> list[Array]:
        model, images, labels = _network(case)
        with tf.GradientTape() as tape:
            value = loss(labels, model(images, training=True))
        variables = model.trainable_variables
        for variable, gradient in zip(variables, tape.gradient(value, variables), strict=True):
            variable.assign_sub(case.rate * gradient)
        return [np.array(each) for each in model.get_weights()]

    right = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    yield (
        "softmax_added",
        after(lambda labels, logits: right(labels, tf.nn.softmax(logits))),
        Text(
            "A softmax was put on the logits, and the loss, told `from_logits=True`, did it once more. Give it"
            " the logits as they are.",
            "로짓에 소프트맥스를 적용했는데 `from_logits=True`인 손실이 한 번 더 했어요. 로짓을 그대로 넘기세요.",
        ),
    )
    yield (
        "squared_error",
        after(lambda labels, logits: tf.reduce_mean((logits - tf.one_hot(labels, 3)) ** 2)),
        Text(
            "That is a step down a mean *squared* error. The loss is given: `loss_function`.",
            "평균 *제곱* 오차를 따라 내려간 걸음이에요. 손실은 주어진 `loss_function`이에요.",
        ),
    )
    for place, which in ((0, ("first", "첫째")), (-1, ("last", "마지막"))):
        yield (
            "one_image_only",
            after(
                functools.partial(
                    lambda part, labels, logits: right(labels[part], logits[part]),
                    slice(place, (place + 1) or None),
                )
            ),
            Text(
                f"That is a step for the {which[0]} image alone. The loss is the mean over the whole batch.",
                f"{which[1]} 이미지 하나만 보고 내디딘 걸음이에요. 손실은 배치 전체의 평균이에요.",
            ),
        )


def _kind_of_step(moves: Array, wanted: Array, case: NetworkCase, step: Step) -> Finding | None:
    """Say what kind of step the weights have taken, compared with the right one."""
    far = np.abs(wanted) > 1e-3
    sizes = np.abs(moves[far])
    if far.any() and sizes.min() > 0 and np.allclose(sizes, sizes[0], rtol=0.02):
        with_rate = "" if np.isclose(sizes[0], case.rate, rtol=0.02) else ", and not with `rate`"
        return Finding(
            "adam",
            Text(
                f"Every weight has moved by the same distance, `{sizes[0]:.4g}`, whatever its gradient: that"
                f" is the first step of Adam or a relative of it{with_rate}. Plain gradient descent moves by"
                " rate times gradient.",
                f"그래디언트와 상관없이 모든 가중치가 똑같이 `{sizes[0]:.4g}`만큼 움직였어요. Adam이나 비슷한 옵티마이저의 첫걸음이에요."
                " 단순한 경사 하강법은 학습률 곱하기 그래디언트만큼 움직여요.",
            ),
        )
    ratio = moves[far] / wanted[far]
    if far.any() and np.allclose(ratio, ratio[0], rtol=1e-2) and not np.isclose(ratio[0], 1):
        return Finding(
            "other_length",
            Text(
                f"Every weight has moved in the right direction by `{ratio[0]:.4g}` times the right distance:"
                " it is `rate` times gradient, with nothing else multiplied in.",
                f"모든 가중치가 맞는 방향으로 움직였지만 거리가 `{ratio[0]:.4g}`배예요. `rate` 곱하기 그래디언트이고, 다른 것은"
                " 곱하지 않아요.",
            ),
        )
    edges = np.cumsum([each.size for each in step.before])[:-1]
    parts = [
        (one[big] / two[big])
        for one, two in zip(np.split(moves, edges), np.split(wanted, edges), strict=True)
        if (big := np.abs(two) > 1e-3).any()
    ]
    if len(parts) > 1 and all(np.allclose(each, each[0], rtol=1e-2) for each in parts):
        return Finding(
            "clipped",
            Text(
                "Every variable has moved in the right direction, each by a share of its own of the right"
                " distance: its gradient was clipped or divided by its length. Plain descent takes it as it is.",
                "변수마다 맞는 방향으로 움직였지만 거리의 비율이 서로 달라요. 그래디언트를 자르거나 길이로 나누었어요. 단순한"
                " 하강법은 그대로 써요.",
            ),
        )
    before = np.concatenate([np.ravel(each) for each in step.before])
    pulled = (moves - wanted) / np.where(before == 0, 1.0, before)
    if np.allclose(pulled, pulled[0], atol=1e-4) and abs(pulled[0]) > 1e-4:
        return Finding(
            "weight_decay",
            Text(
                "Besides the step every weight has shrunk by the same share of itself: that is weight decay,"
                " which nobody asked for.",
                "걸음 말고도 모든 가중치가 자기 크기의 같은 비율만큼 줄었어요. 요청하지 않은 가중치 감쇠예요.",
            ),
        )
    return None


def _near(mine: Sequence[Array], other: Sequence[Array]) -> bool:
    return all(agree(one, two, 1e-5) for one, two in zip(mine, other, strict=True))


@functools.lru_cache(maxsize=64)
def _after_another_step(case: NetworkCase) -> tuple[Array, ...]:
    model, images, labels = _network(case)
    loss_function = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(case.rate), loss_function, run_eagerly=True)
    for _ in range(2):
        model.train_on_batch(images, labels)
    return tuple(np.array(each) for each in model.get_weights())


@functools.lru_cache(maxsize=64)
def _loss_mistakes(case: NetworkCase) -> list[Mistake]:
    """Return what a loss is that was misunderstood."""
    step = _keras_step(case)
    idle = _keras_step(case, drops=False)
    each = _cross_entropies(case, step.logits)
    truth = _numbers(case).labels
    return [
        Mistake(
            "no_loss_returned",
            None,
            Text(
                "The model is trained, and your function returns nothing: give back the loss.",
                "모델은 학습했지만 함수가 아무것도 돌려주지 않아요. 손실을 돌려주세요.",
            ),
        ),
        *(
            Mistake(
                "loss_after_the_step",
                value,
                Text(
                    "`{value}` is the loss *after* the step. Keras reports the one it computed the"
                    " gradient from, before the weights moved.",
                    "`{value}`은(는) 걸음을 옮긴 *뒤*의 손실이에요. Keras는 가중치가 움직이기 전,"
                    " 그래디언트를 구할 때의 손실을 알려 줘요.",
                ),
            )
            for value in (
                np.mean(_cross_entropies(case, step.logits_after)),
                np.mean(_cross_entropies(case, np.array(_use(case, step.after)))),
            )
        ),
        Mistake(
            "loss_of_use",
            idle.loss,
            Text(
                "`{value}` is the loss in the mode of use. Return the one that the tape saw, with"
                " `training=True`.",
                "`{value}`은(는) 사용 모드의 손실이에요. 테이프가 본, `training=True`일 때의 손실을"
                " 돌려주세요.",
            ),
        ),
        *(
            Mistake(
                "accuracy_returned",
                np.mean(logits.argmax(axis=1) == truth),
                Text(
                    "`{value}` is the share of right answers. The loss is asked for.",
                    "`{value}`은(는) 맞은 답의 비율이에요. 손실이 필요해요.",
                ),
            )
            for logits in (step.logits, step.logits_after, idle.logits)
        ),
        Mistake(
            "loss_summed",
            np.sum(each),
            Text(
                "`{value}` is the sum over the batch. The loss is the mean.",
                "`{value}`은(는) 배치의 합이에요. 손실은 평균이에요.",
            ),
        ),
        Mistake(
            "loss_of_each_image",
            each,
            Text(
                "`{value}` has a loss for each image. One number is asked for, their mean.",
                "`{value}`에는 이미지마다 손실이 있어요. 그 평균인 숫자 하나가 필요해요.",
            ),
        ),
        *(
            Mistake(
                "logits_returned",
                value,
                Text(
                    "`{value}` are the logits. Return the loss, one number.",
                    "`{value}`은(는) 로짓이에요. 숫자 하나인 손실을 돌려주세요.",
                ),
            )
            for value in (step.logits, idle.logits)
        ),
    ]


def _loss_finding(case: NetworkCase, loss: Any) -> Finding | None:
    if isinstance(loss, keras.Model):
        return Finding(
            "model_returned",
            Text(
                "You return the model. It has changed anyway; asked for is the loss before the step.",
                "모델을 돌려주었네요. 모델은 이미 바뀌었으니 걸음을 옮기기 전의 손실을 돌려주세요.",
            ),
        )
    right = np.float64(_keras_step(case).loss)
    return compare(loss, right, _lazily(lambda: _loss_mistakes(case)), tolerance=1e-4)


def _use(case: NetworkCase, weights: Sequence[Array]) -> Any:
    """Return the logits in the mode of use, with these weights."""
    model, images, _ = _network(case)
    model.set_weights(weights)
    return model(images, training=False)


@problem(
    "6.2",
    section="The same steps for a whole network",
    objective=1,
    difficulty=2,
    points=4,
    cases=[(5, 8, 4, 0.4, False), (2, 5, 6, 0.1, False), (3, 6, 4, 0.3, True)],
    hints=[
        Text(
            "It is the step of 6.1 with a list in place of two numbers: forwards under the tape,"
            " gradients of the loss, an update for each variable.",
            "6.1의 걸음에서 숫자 두 개가 목록으로 바뀐 것뿐이에요. 테이프 안에서 순전파, 손실의"
            " 그래디언트, 그리고 변수마다 업데이트예요.",
        ),
        Text(
            "Under the tape: `loss = loss_function(labels, model(images, training=True))`. Then the"
            " gradients with respect to `model.trainable_variables`, a list in the same order.",
            "테이프 안에서는 `loss = loss_function(labels, model(images, training=True))`예요. 그다음"
            " `model.trainable_variables`에 대한 그래디언트를 구하면 같은 순서의 목록이 나와요.",
        ),
        Text(
            "`zip` variables and gradients, and for each pair call"
            " `variable.assign_sub(rate * gradient)`. The loss to return is the one from the tape.",
            "변수와 그래디언트를 `zip`으로 묶어 쌍마다 `variable.assign_sub(rate * gradient)`를"
            " 호출하세요. 돌려줄 손실은 테이프에서 계산한 그 손실이에요.",
        ),
    ],
    remark=Text(
        "One of the models had a frozen layer, and your step left it alone, since"
        " `trainable_variables` does: fine-tuning a network needs no other loop.",
        "시험한 모델 중 하나에는 고정된 층이 있었는데, `trainable_variables`에 없으니 그대로 남았어요."
        " 미세 조정(fine-tuning)에도 다른 반복문이 필요 없어요.",
    ),
)
def step_of_a_network(cases: Cases, f: Any) -> Finding | None:
    if finding := _not_a_usable_function(f):
        return finding
    findings = [_try_step(NetworkCase(*inputs), f) for inputs in cases]
    return next((each for each in findings if each), None) or _try_moving_averages(f)


def _averaging() -> tuple[Any, Any, Any, list[int]]:
    """Return a model, images and labels, and the places of the weights that are moving averages."""
    random = np.random.default_rng(9)
    images = tf.constant(random.normal(2.0, 3.0, size=(6, 4)), tf.float32)
    labels = tf.constant(random.integers(0, 3, 6))
    layers = [keras.layers.Dense(3), keras.layers.BatchNormalization(), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.set_weights([random.uniform(0.5, 1.5, size=each.shape) for each in model.get_weights()])
    return model, images, labels, [i for i, w in enumerate(model.weights) if "moving" in w.path]


@functools.lru_cache(maxsize=1)
def _averages_after() -> list[list[Array]]:
    """Return the moving averages before the model has run in training, after once and twice."""
    model, images, _, places = _averaging()
    seen = []
    for _ in range(3):
        seen.append([np.array(model.get_weights()[i]) for i in places])
        model(images, training=True)
    return seen


def _try_moving_averages(f: Any) -> Finding | None:
    """See that the model ran in training just once: its moving averages tell how often it did."""
    model, images, labels, places = _averaging()
    seen = _averages_after()
    _, finding = guarded(f, model, images, labels, 0.01)
    if finding:
        return finding
    weights = model.get_weights()
    mine = [np.array(weights[i]) for i in places]
    if _near(mine, seen[1]):
        return None
    if _near(mine, seen[0]):
        return Finding(
            "averages_stand_still",
            Text(
                "The weights are right. But a model with batch normalisation keeps moving averages, and"
                " they have not moved: call the model with `training=True`.",
                "가중치는 맞아요. 하지만 배치 정규화가 있는 모델의 이동 평균이 움직이지 않았어요. `training=True`로 모델을"
                " 호출하세요.",
            ),
            0.75,
        )
    return Finding(
        "run_more_than_once",
        Text(
            "Weights and loss are right. But the model ran in training mode more than once for one step:"
            " in a model with batch normalisation the moving averages have moved further than"
            " `train_on_batch` moves them, and dropout would have been drawn anew. Run it once, under the"
            " tape, and return that loss.",
            "가중치와 손실은 맞아요. 하지만 한 걸음에 모델이 학습 모드로 두 번 이상 실행되었어요. 배치 정규화가 있는 모델의 이동"
            " 평균이 `train_on_batch`보다 더 움직이고, 드롭아웃도 새로 뽑혀요. 테이프 안에서 한 번만 실행하고 그 손실을"
            " 돌려주세요.",
        ),
        0.75,
    )


def _try_step(case: NetworkCase, f: Any) -> Finding | None:
    model, images, labels = _network(case)
    loss, finding = guarded(f, model, images, labels, case.rate)
    if finding:
        return finding
    if is_blank(loss):
        return NOT_ATTEMPTED
    if model.compiled:
        return Finding(
            "keras_did_it",
            Text(
                "Right, but Keras took the step: you compiled the model. Take it yourself, with a"
                " tape and a subtraction.",
                "맞지만 걸음은 Keras가 옮겼어요. 모델을 컴파일했네요. 테이프와 뺄셈으로 직접 해 보세요.",
            ),
        )
    return all_of((0.75, _weights_finding(case, model)), (0.25, _loss_finding(case, loss)))


# 6.3 ---------------------------------------------------------------------------------------------


class Valley(NamedTuple):
    """A loss, the sum of ``walls * (w - goal)**2 / 2``, and a way down it."""

    walls: tuple[float, ...]
    goal: tuple[float, ...]
    start: tuple[float, ...]
    rate: float
    momentum: float
    steps: int

    def slope(self, w: Array) -> Array:
        return np.array(self.walls) * (w - np.array(self.goal))


@functools.lru_cache(maxsize=64)
def _by_keras(valley: Valley, nesterov: bool = False) -> Array:
    """Return where Keras's SGD with momentum is after each step, (steps, n)."""
    w = keras.Variable(np.array(valley.start, np.float32))
    optimizer = keras.optimizers.SGD(valley.rate, valley.momentum, nesterov=nesterov)
    optimizer.build([w])
    path = []
    for _ in range(valley.steps):
        optimizer.apply([tf.constant(valley.slope(w.numpy()), tf.float32)], [w])
        path.append(w.numpy())
    return np.array(path)


def _rolled(
    valley: Valley,
    *,
    keep: float,
    push: float,
    shrink: float = 1.0,
    late: bool = False,
    ahead: float = 0.0,
    asleep: bool = False,
    begin: float = 0.0,
) -> Array:
    """Return a path of steps that each keep a share of the velocity and add a push by the slope.

    Every mistake is one setting: ``shrink`` what remains of w itself, ``late`` moves by the old
    velocity, ``ahead`` looks for the slope further on, ``asleep`` uses the first slope for ever,
    ``begin`` is the share of the first slope that the velocity has at the start.
    """
    w = np.array(valley.start)
    first = valley.slope(w)
    velocity = begin * first
    path = []
    for _ in range(valley.steps):
        slope = first if asleep else valley.slope(w + ahead * velocity)
        new = keep * velocity + push * slope
        w = shrink * w + (velocity if late else new)
        velocity = new
        path.append(w)
    return np.array(path)


def _losses_from(valley: Valley, first: int) -> Array:
    """Return the losses on the way, one for each step: before the steps (0) or after them (1)."""
    places = np.vstack([[valley.start], _by_keras(valley)])[first : first + valley.steps]
    return np.asarray(np.array(valley.walls) @ (places - valley.goal).T ** 2 / 2)


def _roll_mistakes() -> Iterator[Mistake]:
    def mistake(name: str, value: Callable[[Valley], Any], text: Text) -> Mistake:
        return Mistake(name, lambda *inputs: value(Valley(*inputs)), text)

    def rolled(
        name: str, settings: Callable[[float, float], dict[str, Any]], text: Text
    ) -> Mistake:
        return mistake(name, lambda v: _rolled(v, **settings(v.rate, v.momentum)), text)

    yield rolled(
        "no_memory",
        lambda rate, _: {"keep": 0, "push": -rate},
        Text(
            "That is plain gradient descent: the velocity is forgotten before each step. Make it"
            " once, before the loop, and let each step change it.",
            "이것은 단순한 경사 하강법이에요. 걸음마다 속도를 잊어버려요. 속도는 반복문 앞에서 한 번만"
            " 만들고, 걸음마다 바꾸세요.",
        ),
    )
    yield from (
        mistake("nesterov", lambda v: _by_keras(v, nesterov=True), NESTEROV),
        rolled("nesterov", lambda rate, m: {"keep": m, "push": -rate, "ahead": m}, NESTEROV),
    )
    yield rolled(
        "dampened",
        lambda rate, m: {"keep": m, "push": -rate * (1 - m)},
        Text(
            "Your velocity is a running *mean* of the slopes: the new slope counts with"
            " 1 − momentum only. That is Adam's m. Keras's momentum lets the slope count in full.",
            "속도를 기울기의 이동 *평균*으로 만들었어요. 새 기울기에 1 − momentum이 곱해졌네요. 이것은"
            " Adam의 m이에요. Keras의 모멘텀에서는 기울기가 그대로 들어가요.",
        ),
    )
    yield rolled(
        "uphill",
        lambda rate, m: {"keep": m, "push": rate},
        Text(
            "The path leads uphill. There is one minus in momentum: either the velocity takes"
            " −rate × slope and is added to w, or it takes +rate × slope and is subtracted.",
            "길이 오르막으로 가요. 빼기는 한 번만 나와야 해요. 속도에 −rate × 기울기를 넣어 w에 더하거나,"
            " +rate × 기울기를 넣어 w에서 빼세요.",
        ),
    )
    yield rolled(
        "velocity_turned_round",
        lambda rate, m: {"keep": -m, "push": -rate},
        Text(
            "The old velocity pushes backwards: its sign and that of the slope are mixed up. What w"
            " did in the last step goes on in the same direction.",
            "이전 속도가 거꾸로 밀고 있어요. 속도와 기울기의 부호가 섞였네요. 지난 걸음의 움직임은 같은"
            " 방향으로 이어져야 해요.",
        ),
    )
    yield rolled(
        "old_velocity",
        lambda rate, m: {"keep": m, "push": -rate, "late": True},
        Text(
            "In the first step w has not moved: you moved it by the *old* velocity. First bend the"
            " velocity by the slope, then move.",
            "첫걸음에서 w가 움직이지 않았어요. *이전* 속도로 옮겼네요. 먼저 기울기로 속도를 바꾸고, 그다음에"
            " 옮기세요.",
        ),
    )
    yield rolled(
        "rate_twice",
        lambda rate, m: {"keep": m, "push": -(rate**2)},
        Text(
            "The learning rate is in each step twice, in the velocity and in the move. Once is"
            " enough.",
            "학습률이 속도에도, 이동에도 들어가 두 번 곱해졌어요. 한 번이면 충분해요.",
        ),
    )
    yield rolled(
        "no_rate",
        lambda _, m: {"keep": m, "push": -1},
        Text(
            "The steps are far too long: the slope is not multiplied by the learning rate anywhere.",
            "걸음이 너무 길어요. 기울기에 학습률이 한 번도 곱해지지 않았어요.",
        ),
    )
    yield rolled(
        "asleep",
        lambda rate, m: {"keep": m, "push": -rate, "asleep": True},
        Text(
            "Every step uses the slope of the *start*. The slope changes with w: open a new tape in"
            " each step.",
            "걸음마다 *출발점*의 기울기를 쓰고 있어요. 기울기는 w에 따라 바뀌니 걸음마다 테이프를 새로"
            " 여세요.",
        ),
    )
    yield rolled(
        "momentum_on_w",
        lambda rate, m: {"keep": 0, "push": -rate, "shrink": m},
        Text(
            "You multiplied w itself by the momentum, which pulls it towards 0. Momentum belongs to"
            " the velocity, which is a variable of its own.",
            "w 자체에 모멘텀을 곱해서 w가 0 쪽으로 끌려가요. 모멘텀은 따로 둔 속도에 곱해야 해요.",
        ),
    )
    yield rolled(
        "rate_and_momentum_exchanged",
        lambda rate, m: {"keep": rate, "push": -m},
        Text(
            "Rate and momentum have changed places: the momentum multiplies the old velocity, the"
            " rate the slope.",
            "학습률과 모멘텀이 바뀌었어요. 모멘텀은 이전 속도에, 학습률은 기울기에 곱해요.",
        ),
    )
    yield rolled(
        "momentum_on_the_slope_alone",
        lambda rate, m: {"keep": 1, "push": -rate * m},
        Text(
            "The momentum multiplies the slope, and the old velocity is kept whole. It is the other way"
            " round: momentum times the old velocity, and the slope times the rate alone.",
            "모멘텀이 기울기에 곱해지고 옛 속도는 그대로 남았어요. 반대예요. 모멘텀은 옛 속도에 곱하고, 기울기에는 학습률만 곱해요.",
        ),
    )
    yield rolled(
        "momentum_on_the_slope",
        lambda rate, m: {"keep": m, "push": -rate * m},
        Text(
            "The momentum multiplies the slope as well: mind the brackets. It belongs to the old"
            " velocity alone.",
            "모멘텀이 기울기에도 곱해졌어요. 괄호를 살펴보세요. 이전 속도에만 곱해야 해요.",
        ),
    )
    for power in (0, 1):
        yield rolled(
            "one_minus_momentum",
            functools.partial(lambda p, rate, m: {"keep": 1 - m, "push": -rate * m**p}, power),
            Text(
                "The velocity keeps 1 − momentum of itself, so nearly all is forgotten. It keeps"
                " the momentum: 0.9 means that nine tenths stay.",
                "속도가 1 − momentum만큼만 남아 거의 다 잊혀요. 모멘텀만큼 남아야 해요. 0.9라면 10분의"
                " 9가 남는다는 뜻이에요.",
            ),
        )
    yield mistake(
        "velocity_begins_with_a_push",
        lambda v: _rolled(v, keep=v.momentum, push=-v.rate, begin=-v.rate),
        Text(
            "The first step is too long: your velocity begins with a push by the slope at the start, and gets it"
            " once more in the first step. It begins at zero.",
            "첫걸음이 너무 길어요. 속도가 출발점의 기울기로 시작해서 첫걸음에 한 번 더 밀려요. 속도는 0에서 시작해요.",
        ),
    )
    yield rolled(
        "no_friction",
        lambda rate, _: {"keep": 1, "push": -rate},
        Text(
            "The velocity never fades: the old one is not multiplied by the momentum.",
            "속도가 줄어들지 않아요. 이전 속도에 모멘텀이 곱해지지 않았어요.",
        ),
    )
    yield from _path_mistakes(
        lambda *inputs: _by_keras(Valley(*inputs)), lambda *inputs: np.array(Valley(*inputs).start)
    )
    yield mistake(
        "velocities_returned",
        lambda v: np.diff(_by_keras(v), axis=0, prepend=[v.start]),
        Text(
            "These are the velocities. Return where w is after each step.",
            "이 값들은 속도예요. 걸음마다 w가 있는 자리를 돌려주세요.",
        ),
    )
    for first in (0, 1):
        yield mistake(
            "losses_returned",
            functools.partial(lambda first, v: _losses_from(v, first), first),
            Text(
                "These are the losses on the way. Return the places, w after each step.",
                "이 값들은 도중의 손실이에요. 걸음마다 w가 있는 자리를 돌려주세요.",
            ),
        )


NESTEROV = Text(
    "That is Nesterov's momentum, which looks one velocity ahead. It is a good one, and another"
    " rule: here w moves by just the new velocity.",
    "이것은 속도만큼 앞을 내다보는 네스테로프(Nesterov) 모멘텀이에요. 좋은 방법이지만 다른 규칙이에요."
    " 여기서는 새 속도만큼만 w가 움직여요.",
)


def _path_mistakes(path: Callable[..., Array], start: Callable[..., Array]) -> Iterator[Mistake]:
    """Yield the ways to note a right path wrongly."""
    same = Text(
        "All places in your list are the same, the last one: you put the *variable* into the list,"
        " again and again, and it moved on. Put a copy of its value there, `w.numpy()`.",
        "목록의 모든 자리가 마지막 값으로 똑같아요. 같은 *변수*를 여러 번 넣었는데 변수가 계속"
        " 움직였어요. `w.numpy()`처럼 값의 복사본을 넣으세요.",
    )
    late = Text(
        "Your list begins with the start, and the last place is missing: note w *after* the step.",
        "목록이 출발점에서 시작하고 마지막 자리가 없어요. 걸음을 옮긴 *뒤*에 w를 적으세요.",
    )
    with_start = Text(
        "The start is in your list too. Only the places after each step are asked for.",
        "출발점도 목록에 들어 있어요. 걸음을 옮긴 뒤의 자리만 필요해요.",
    )
    last = Text(
        "`{value}` is the last place alone. Return all of them, one for each step.",
        "`{value}`은(는) 마지막 자리뿐이에요. 걸음마다 하나씩 모두 돌려주세요.",
    )
    short = Text(
        "The last step is missing: look at where your loop ends.",
        "마지막 걸음이 빠졌어요. 반복문이 어디서 끝나는지 보세요.",
    )
    first = Text(
        "Only the first place is there. Does your `return` stand inside the loop?",
        "첫 번째 자리만 있어요. `return`이 반복문 안에 있지는 않나요?",
    )
    yield Mistake("same_object", lambda *c: np.tile(path(*c)[-1], (len(path(*c)), 1)), same)
    yield Mistake("noted_too_early", lambda *c: np.vstack([start(*c), path(*c)[:-1]]), late)
    yield Mistake("start_included", lambda *c: np.vstack([start(*c), path(*c)]), with_start)
    yield Mistake("only_the_last", lambda *c: path(*c)[-1], last)
    yield Mistake("one_step_short", lambda *c: path(*c)[:-1], short)
    yield Mistake("returned_too_early", lambda *c: path(*c)[:1], first)
    yield Mistake("returned_too_early", lambda *c: path(*c)[0], first)
    yield Mistake(
        "transposed",
        lambda *c: path(*c).T,
        Text(
            "Rows and columns have changed places: a row for each step is asked for.",
            "행과 열이 바뀌었어요. 걸음마다 한 행이 필요해요.",
        ),
    )


@problem(
    "6.3",
    section="Momentum remembers the way it was going",
    objective=2,
    difficulty=2,
    points=3,
    cases=[
        ((8.0, 0.5), (2.0, -1.0), (3.0, 4.0), 0.1, 0.9, 5),
        ((1.0, 4.0, 2.0), (0.0, 1.0, -2.0), (2.0, -1.0, 0.5), 0.2, 0.5, 4),
    ],
    hints=[
        Text(
            "Two things live from step to step: w, and a velocity of w's shape that starts at zero."
            " Each step asks a new tape for the slope.",
            "걸음에서 걸음으로 이어지는 것은 둘이에요. w, 그리고 w와 모양이 같고 0에서 시작하는 속도예요."
            " 걸음마다 새 테이프로 기울기를 구하세요.",
        ),
        Text(
            "First the velocity: momentum times the old one, minus rate times the slope. Then w moves"
            " by the new velocity.",
            "먼저 속도예요. 이전 속도에 모멘텀을 곱하고, 학습률 × 기울기를 빼세요. 그다음 w가 새 속도만큼"
            " 움직여요.",
        ),
        Text(
            "`velocity = momentum * velocity - rate * slope`, then `w.assign_add(velocity)`, then note"
            " `w.numpy()` in a list.",
            "`velocity = momentum * velocity - rate * slope`, 그다음 `w.assign_add(velocity)`, 그다음"
            " `w.numpy()`를 리스트에 적으세요.",
        ),
    ],
    remark=Text(
        "With a constant slope the velocity grows to rate × slope / (1 − momentum): with 0.9, ten"
        " plain steps in one. So a rate that suits plain descent is often too large here.",
        "기울기가 일정하면 속도는 rate × 기울기 / (1 − momentum)까지 커져요. 0.9라면 한 번에 열 걸음이죠."
        " 그래서 단순한 경사 하강법에 맞던 학습률이 여기서는 너무 클 때가 많아요.",
    ),
)
def roll_down(cases: Cases, f: Any) -> Finding | None:
    def prepare(*inputs: Any) -> tuple[Any, ...]:
        walls, goal, start, rate, momentum, steps = inputs  # a Valley would take its slope along

        def loss(w: Any) -> Any:
            return tf.reduce_sum(tf.constant(walls) * (w - tf.constant(goal)) ** 2) / 2

        return loss, tf.Variable(np.array(start, np.float32)), rate, momentum, steps

    return judge(
        _as_rows(f),
        cases,
        right=lambda *inputs: _by_keras(Valley(*inputs)),
        prepare=prepare,
        mistakes=_roll_mistakes(),
        tolerance=1e-5,
        recipes=[
            Recipe(
                """
def roll_down(slope, w, rate, momentum, steps):
    velocity = np.zeros_like(w)
    places = []
    for _ in range(steps):
        velocity = momentum * velocity - rate * slope(w)
        w = w + velocity
        places = [*places, w]
    return places
""",
                lambda *inputs: (
                    (valley := Valley(*inputs)).slope,
                    np.array(valley.start),
                    valley.rate,
                    valley.momentum,
                    valley.steps,
                ),
            )
        ],
    )


def _as_rows(f: Any) -> Any:
    """Return ``f``, with a list of places as one array; a blank or anything else stays as it is."""
    if unattempted(f) or not callable(f):
        return f

    def rows(*inputs: Any) -> Any:
        value = f(*inputs)
        if isinstance(value, list | tuple) and value and not is_blank(value):
            items = [plain(each) for each in value]
            if all(isinstance(each, np.ndarray) for each in items):
                if len({each.shape for each in items}) == 1:
                    return np.array(items)
        return value

    return rows


# 6.4 ---------------------------------------------------------------------------------------------


class Slopes(NamedTuple):
    """Gradients, one row a step, and Adam's settings."""

    gradients: tuple[tuple[float, ...], ...]
    rate: float
    beta_1: float
    beta_2: float


def _means(values: Array, beta: float, share: float | None = None) -> Array:
    """Return the running means of the rows: row t is the sum of share * beta**(t - i) * values[i]."""
    age = np.subtract.outer(np.arange(len(values)), np.arange(len(values)))
    weights = np.where(age >= 0, float(beta) ** np.abs(age), 0.0)
    return np.asarray((1 - beta if share is None else share) * weights @ values)


def _adam(
    case: Slopes,
    *,
    epsilon: float = 1e-7,
    textbook: bool = False,
    mend_m: Callable[[Array, float], Array] = lambda t, beta: 1 - beta**t,
    mend_v: Callable[[Array, float], Array] = lambda t, beta: 1 - beta**t,
    mean_m: Callable[[Array, float], Array] = _means,
    mean_v: Callable[[Array, float], Array] = lambda g, beta: _means(g**2, beta),
    root: Callable[[Array, float], Array] = lambda v, epsilon: np.sqrt(v) + epsilon,
    betas: tuple[float, float] | None = None,
) -> Array:
    """Return Adam's places in closed form, (steps, n); the settings are what can be misunderstood.

    ``textbook`` adds epsilon to the root of the mended v, Keras to that of v itself.
    """
    gradients = np.array(case.gradients)
    beta_1, beta_2 = betas or (case.beta_1, case.beta_2)
    t = np.arange(1.0, len(gradients) + 1)[:, None]
    m, v = mean_m(gradients, beta_1), mean_v(gradients, beta_2)
    m_factor, v_factor = mend_m(t, beta_1), mend_v(t, beta_2)
    with np.errstate(all="ignore"):
        if textbook:
            moves = m / m_factor / root(v / v_factor, epsilon)
        else:
            moves = np.sqrt(v_factor) / m_factor * m / root(v, epsilon)
        return np.asarray(-case.rate * np.cumsum(moves, axis=0))


FORMS: list[dict[str, Any]] = [
    {"epsilon": epsilon, "textbook": textbook}
    for textbook in (False, True)
    for epsilon in (1e-7, 1e-8)
]
"""The forms that are all right: epsilon as in Keras and as in the paper, of either size."""

CLOSE = 2e-5
"""How near to Adam's place a right answer is: below what an epsilon in the wrong place does."""


def _adam_mistakes() -> Iterator[Mistake]:
    def mistakes(name: str, text: Text, **settings: Any) -> Iterator[Mistake]:
        for form in FORMS:
            yield Mistake(name, lambda *c, form=form: _adam(Slopes(*c), **(form | settings)), text)

    def one(t: Array, beta: float) -> Array:
        return np.ones_like(t)

    def powerless(t: Array, beta: float) -> Array:
        return 1 - beta * t

    yield from mistakes(
        "no_correction",
        Text(
            "Both means start at 0 and are too small at first, and you use them as they are. Mend"
            " them: m by 1 − β₁ᵗ, v by 1 − β₂ᵗ.",
            "두 평균은 0에서 시작해 처음에는 너무 작은데 그대로 쓰고 있어요. m은 1 − β₁ᵗ로, v는"
            " 1 − β₂ᵗ로 나누어 보정하세요.",
        ),
        mend_m=one,
        mend_v=one,
    )
    yield from mistakes(
        "only_v_corrected",
        Text(
            "You mended v, and m is still too small: divide it by 1 − β₁ᵗ.",
            "v는 보정했지만 m은 아직 너무 작아요. 1 − β₁ᵗ로 나누세요.",
        ),
        mend_m=one,
    )
    yield from mistakes(
        "only_m_corrected",
        Text(
            "You mended m, and v is still too small, so the steps are too long: divide v by 1 − β₂ᵗ.",
            "m은 보정했지만 v가 아직 너무 작아서 걸음이 너무 길어요. v를 1 − β₂ᵗ로 나누세요.",
        ),
        mend_v=one,
    )
    yield Mistake(
        "t_starts_at_0",
        lambda *c: np.full(np.shape(c[0]), np.nan),
        T_STARTS_AT_0,
    )
    yield from mistakes(
        "t_is_one_ahead",
        Text(
            "From the first step on your correction is that of the next one: t is 1 in the first"
            " step, not 2.",
            "첫걸음부터 다음 걸음의 보정을 쓰고 있어요. 첫걸음에서 t는 2가 아니라 1이에요.",
        ),
        mend_m=lambda t, beta: 1 - beta ** (t + 1),
        mend_v=lambda t, beta: 1 - beta ** (t + 1),
    )
    yield from mistakes(
        "t_never_grows",
        Text(
            "The first step is right, and later ones use its correction again: t has to grow by 1 in"
            " each step.",
            "첫걸음은 맞지만 그 뒤에도 같은 보정을 써요. t는 걸음마다 1씩 커져야 해요.",
        ),
        mend_m=lambda t, beta: one(t, beta) - beta,
        mend_v=lambda t, beta: one(t, beta) - beta,
    )
    yield from mistakes(
        "times_instead_of_power",
        Text(
            "The correction uses β · t. It is a power, β to the t: `beta_1**t`.",
            "보정에 β · t를 썼어요. 거듭제곱인 `beta_1**t`를 써야 해요.",
        ),
        mend_m=powerless,
        mend_v=powerless,
    )
    yield from mistakes(
        "correction_multiplied",
        Text(
            "Your correction makes the means smaller still: *divide* them by 1 − βᵗ.",
            "보정이 평균을 더 작게 만들어요. 1 − βᵗ를 곱하지 말고 *나누세요*.",
        ),
        mend_m=lambda t, beta: 1 / (1 - beta**t),
        mend_v=lambda t, beta: 1 / (1 - beta**t),
    )
    yield from mistakes(
        "correction_multiplied",
        Text(
            "The mean m is made smaller still: *divide* it by 1 − β₁ᵗ.",
            "평균 m이 더 작아졌어요. 1 − β₁ᵗ를 곱하지 말고 *나누세요*.",
        ),
        mend_m=lambda t, beta: 1 / (1 - beta**t),
    )
    yield from mistakes(
        "root_of_the_correction",
        Text(
            "The correction of v belongs under the root with v: in the formula of the lesson it is"
            " √(1 − β₂ᵗ).",
            "v의 보정도 v와 함께 제곱근 안에 들어가야 해요. 강의의 식에서는 √(1 − β₂ᵗ)예요.",
        ),
        mend_v=lambda t, beta: (1 - beta**t) ** 2,
    )
    yield from mistakes(
        "corrected_means_kept",
        Text(
            "You store the mended mean as m and v, and mend it again in the next step. Keep m and v as"
            " they are, and give the mended ones other names.",
            "보정한 평균을 m과 v에 다시 저장해서 다음 걸음에서 또 보정돼요. m과 v는 그대로 두고, 보정한"
            " 값에는 다른 이름을 쓰세요.",
        ),
        mend_m=one,
        mend_v=one,
        mean_m=_mended_again,
        mean_v=lambda g, beta: _mended_again(g**2, beta),
    )
    for form in FORMS:
        yield Mistake(
            "betas_exchanged",
            lambda *c, form=form: _adam(
                Slopes(*c), betas=(Slopes(*c).beta_2, Slopes(*c).beta_1), **form
            ),
            BETAS_EXCHANGED,
        )
    yield from mistakes(
        "usual_betas",
        Text(
            "You wrote 0.9 and 0.999 as numbers. Here they are arguments, `beta_1` and `beta_2`, and"
            " other values are tried too.",
            "0.9와 0.999를 숫자로 썼네요. 여기서는 `beta_1`과 `beta_2`가 인자이고 다른 값으로도 시험해요.",
        ),
        betas=(0.9, 0.999),
    )
    for shares in ("both", "m", "v"):
        yield from mistakes(
            "old_and_new_exchanged",
            Text(
                "The means forget nearly all and follow the newest gradient: β belongs to the *old*"
                " mean, 1 − β to the new value.",
                "평균이 거의 다 잊고 새 그래디언트만 따라가요. β는 *이전* 평균에, 1 − β는 새 값에"
                " 곱해야 해요.",
            ),
            **({} if shares == "v" else {"mean_m": lambda g, beta: _means(g, 1 - beta)}),
            **({} if shares == "m" else {"mean_v": lambda g, beta: _means(g**2, 1 - beta)}),
        )
    for what, settings in (
        ("both", {"mean_m": _summed, "mean_v": lambda g, beta: _summed(g**2, beta)}),
        ("m", {"mean_m": _summed}),
        ("v", {"mean_v": lambda g, beta: _summed(g**2, beta)}),
    ):
        yield from mistakes(
            f"sums_not_means_{what}",
            Text(
                "The new value enters in full, so what you keep is a sum and no mean: multiply it by"
                " 1 − β.",
                "새 값이 그대로 더해져서 평균이 아니라 합이 되었어요. 새 값에 1 − β를 곱하세요.",
            ),
            **settings,
        )
    yield from mistakes(
        "m_forgotten",
        Text(
            "Above the line stands the plain gradient. Adam uses its running mean m there.",
            "분자에 그래디언트가 그대로 있어요. Adam은 그 자리에 이동 평균 m을 써요.",
        ),
        mean_m=lambda g, beta: g,
        mend_m=one,
    )
    yield from mistakes(
        "m_made_anew",
        Text(
            "m forgets the steps before. Make m once, before the loop, and change it in each step.",
            "m이 이전 걸음을 잊어요. m은 반복문 앞에서 한 번만 만들고 걸음마다 바꾸세요.",
        ),
        mean_m=lambda g, beta: (1 - beta) * g,
    )
    yield from mistakes(
        "v_made_anew",
        Text(
            "v forgets the steps before. Make v once, before the loop, and change it in each step.",
            "v가 이전 걸음을 잊어요. v는 반복문 앞에서 한 번만 만들고 걸음마다 바꾸세요.",
        ),
        mean_v=lambda g, beta: (1 - beta) * g**2,
    )
    yield from mistakes(
        "both_made_anew",
        Text(
            "m and v forget the steps before. Make both once, before the loop.",
            "m과 v가 이전 걸음을 잊어요. 둘 다 반복문 앞에서 한 번만 만드세요.",
        ),
        mean_m=lambda g, beta: (1 - beta) * g,
        mean_v=lambda g, beta: (1 - beta) * g**2,
    )
    yield from mistakes(
        "square_of_the_mean",
        Text(
            "v is the mean of the *squares*, and yours is built from m². Square the gradient.",
            "v는 *제곱*의 평균인데 m²으로 만들었어요. 그래디언트를 제곱하세요.",
        ),
        mean_v=lambda g, beta: _means(_means(g, 0.9) ** 2, beta),
    )
    yield from mistakes(
        "not_squared",
        Text(
            "v is built from the gradient's size. It is the mean of its square.",
            "v를 그래디언트의 크기로 만들었어요. v는 그래디언트를 제곱한 값의 평균이에요.",
        ),
        mean_v=lambda g, beta: _means(np.abs(g), beta),
    )
    yield from mistakes(
        "not_squared",
        Text(
            "`nan`: v is built from the gradient itself, which may be negative, and has no root then."
            " v is the mean of the gradient's *square*.",
            "`nan`이 나왔어요. v를 그래디언트 그대로 만들어서 음수의 제곱근이 생겼어요. v는 그래디언트를"
            " *제곱*한 값의 평균이에요.",
        ),
        mean_v=_means,
    )
    yield from mistakes(
        "no_root",
        Text(
            "You divide by v. Adam divides by its root, which is of the size of the gradient.",
            "v로 나누었어요. Adam은 그래디언트와 크기가 같은 √v로 나누어요.",
        ),
        root=lambda v, epsilon: v + epsilon,
    )
    for form in FORMS:
        yield Mistake(
            "no_root",
            lambda *c, form=form: _adam(
                Slopes(*c), root=lambda v, e: v + e, mend_v=lambda t, b: (1 - b**t) ** 2, **form
            ),
            Text(
                "You divide by v. Adam divides by its root, which is of the size of the gradient.",
                "v로 나누었어요. Adam은 그래디언트와 크기가 같은 √v로 나누어요.",
            ),
        )
    yield from mistakes(
        "epsilon_in_the_root",
        Text(
            "ε stands under the root, √(v + ε): there it is far too large for small gradients. It is"
            " added to the root, √v + ε.",
            "ε이 √(v + ε)처럼 제곱근 안에 있어요. 작은 그래디언트에는 너무 커요. √v + ε처럼 제곱근에"
            " 더하세요.",
        ),
        root=lambda v, epsilon: np.sqrt(v + epsilon),
    )
    for size in (1e-2, 1e-3, 1e-4, 1e-5, 1e-6):
        yield from (
            Mistake(
                "other_epsilon",
                lambda *c, form=form: _adam(Slopes(*c), **form),
                Text(
                    f"Your ε is {size:g}, which is not small beside the small gradients here and holds their"
                    " weights back. Let it be 1e-7.",
                    f"ε이 {size:g}이어서 여기의 작은 그래디언트에 비해 작지 않고, 그 가중치의 걸음이 짧아졌어요. 1e-7로 두세요.",
                ),
                0.5,
            )
            for form in ({"epsilon": size, "textbook": textbook} for textbook in (False, True))
        )
    yield from mistakes(
        "no_epsilon",
        Text(
            "One of the gradients is 0 in the first step, and 0/0 gives `nan`: that is what the ε below"
            " the line is for.",
            "그래디언트 하나가 첫걸음에서 0이라 0/0으로 `nan`이 나왔어요. 분모의 ε은 이때를 위한"
            " 것이에요.",
        ),
        epsilon=0.0,
    )
    yield from mistakes(
        "uphill",
        Text(
            "Every step has the right length and leads uphill: subtract it.",
            "걸음의 길이는 맞지만 오르막으로 가요. 빼세요.",
        ),
        mean_m=lambda g, beta: -_means(g, beta),
    )
    for form in FORMS:
        yield Mistake(
            "no_rate",
            lambda *c, form=form: _adam(Slopes(*c)._replace(rate=1.0), **form),
            Text(
                "Every step is about 1 long: the learning rate is missing.",
                "걸음의 길이가 모두 1쯤이에요. 학습률이 빠졌어요.",
            ),
        )
        yield Mistake(
            "not_added_up",
            lambda *c, form=form: np.diff(_adam(Slopes(*c), **form), axis=0, prepend=0),
            Text(
                "These are the single steps. Asked for is where w is after each: let w go on from"
                " where it was.",
                "이 값들은 걸음 하나하나예요. 걸음마다 w가 있는 자리가 필요하니 w가 이어서 움직이게 하세요.",
            ),
        )
        yield from _path_mistakes(
            lambda *c, form=form: _adam(Slopes(*c), **form),
            lambda *c: np.zeros_like(np.array(c[0])[0]),
        )
    yield Mistake(
        "plain_descent",
        lambda *c: -Slopes(*c).rate * np.cumsum(Slopes(*c).gradients, axis=0),
        Text(
            "That is plain descent: each step is rate times gradient. Adam divides the mean of the"
            " gradients by the root of the mean of their squares.",
            "이것은 단순한 경사 하강법이에요. 걸음이 학습률 × 그래디언트예요. Adam은 그래디언트의 평균을"
            " 제곱의 평균의 제곱근으로 나누어요.",
        ),
    )
    yield from mistakes(
        "v_forgotten",
        Text(
            "The steps depend on the size of the gradient: the division by √v is missing.",
            "걸음이 그래디언트의 크기에 따라 달라져요. √v로 나누는 것이 빠졌어요.",
        ),
        root=lambda v, epsilon: np.ones_like(v),
        mend_v=one,
    )


def _summed(values: Array, beta: float) -> Array:
    return _means(values, beta, share=1.0)


def _mended_again(values: Array, beta: float) -> Array:
    """Return running means whose correction is stored, so that it is made again and again."""
    mean, rows = np.zeros_like(values[0]), []
    for t, value in enumerate(values, start=1):
        mean = (beta * mean + (1 - beta) * value) / (1 - beta**t)
        rows.append(mean)
    return np.array(rows)


T_STARTS_AT_0 = Text(
    "In the first step 1 − βᵗ is zero, and you divide by it: t starts with 0. Let the first step be"
    " number 1, `enumerate(gradients, start=1)`.",
    "첫걸음에서 1 − βᵗ가 0인데 그것으로 나누었어요. t가 0에서 시작했네요. `enumerate(gradients,"
    " start=1)`처럼 첫걸음의 번호를 1로 하세요.",
)

BETAS_EXCHANGED = Text(
    "The betas have changed places: `beta_1` is for m, the mean of the gradients, `beta_2` for v, the"
    " mean of their squares.",
    "두 베타가 바뀌었어요. `beta_1`은 그래디언트의 평균 m에, `beta_2`는 제곱의 평균 v에 써요.",
)


@problem(
    "6.4",
    section="Adam by hand",
    objective=2,
    difficulty=2,
    points=4,
    cases=[
        (
            ((1.0, 0.0, 0.01), (0.5, 2.0, 0.02), (-2.0, 1.0, -0.005), (0.3, -1.0, 0.01)),
            0.1,
            0.9,
            0.999,
        ),
        (((0.2, 0.001), (-0.4, 0.002), (0.1, 0.004), (0.8, -0.003), (0.5, 0.001)), 0.05, 0.8, 0.95),
    ],
    hints=[
        Text(
            "Three things live from step to step, all of a row's shape and starting at zero: w, m"
            " and v. And the steps are numbered from 1.",
            "걸음에서 걸음으로 이어지는 것은 w, m, v 셋이고, 모두 한 행과 모양이 같고 0에서 시작해요."
            " 걸음의 번호는 1부터예요.",
        ),
        Text(
            "m becomes beta_1 parts of the old m and 1 − beta_1 parts of the gradient; v likewise with"
            " beta_2 and the gradient's square.",
            "m은 이전 m의 beta_1배와 그래디언트의 (1 − beta_1)배를 더한 값이 돼요. v는 beta_2와"
            " 그래디언트의 제곱으로 똑같이 해요.",
        ),
        Text(
            "Then, without changing m and v: divide m by `1 - beta_1**t` and v by `1 - beta_2**t`, and"
            " subtract rate times the first over (the root of the second, plus 1e-7).",
            "그다음 m과 v는 그대로 두고, m을 `1 - beta_1**t`로, v를 `1 - beta_2**t`로 나눈 값을 구하세요."
            " 앞의 것을 (뒤의 것의 제곱근 + 1e-7)로 나누고 학습률을 곱해 w에서 빼세요.",
        ),
    ],
    remark=Text(
        "One gradient was a hundred times smaller than another, and its weight moved as far. And ε may"
        " stand where the paper has it or where Keras has it: nobody sees the difference until a"
        " gradient is as small as ε.",
        "그래디언트 하나는 다른 것의 100분의 1이었지만 가중치는 비슷한 거리를 움직였어요. ε은 논문의 자리에"
        " 있어도, Keras의 자리에 있어도 괜찮아요. 그래디언트가 ε만큼 작아지기 전에는 차이가 보이지 않아요.",
    ),
)
def path_of_adam(cases: Cases, f: Any) -> Finding | None:
    def prepare(*inputs: Any) -> tuple[Any, ...]:
        case = Slopes(*inputs)
        return tf.constant(case.gradients), case.rate, case.beta_1, case.beta_2

    def accept(value: Any, inputs: tuple[Any, ...]) -> bool:
        return any(agree(value, _adam(Slopes(*inputs), **form), CLOSE) for form in FORMS)

    finding = judge(
        _as_rows(f),
        cases,
        right=lambda *inputs: _adam(Slopes(*inputs)),
        prepare=prepare,
        mistakes=_adam_mistakes(),
        tolerance=CLOSE,
        accept=accept,
        recipes=[
            Recipe(
                """
def path_of_adam(gradients, rate, beta_1, beta_2):
    w = m = v = np.zeros_like(gradients[0])
    t = 0
    places = []
    for gradient in gradients:
        t += 1
        m = beta_1 * m + (1 - beta_1) * gradient
        v = beta_2 * v + (1 - beta_2) * gradient**2
        m_mended = m / (1 - beta_1**t)
        v_mended = v / (1 - beta_2**t)
        w = w - rate * m_mended / (np.sqrt(v_mended) + 1e-7)
        places = [*places, w]
    return places
""",
                _arrays,
            )
        ],
    )
    if finding and finding.name == "exception" and "ZeroDivisionError" in finding.text.en:
        return Finding("t_starts_at_0", finding.text + T_STARTS_AT_0)
    return finding


# 6.5 ---------------------------------------------------------------------------------------------

NUMBERS = ("mean", "swing", "peak")
START = {"mean": 10.0, "swing": 3.0, "peak": 1.0}


class Day(keras.Model):  # type: ignore[misc]
    """Temperatures of a day, made of three numbers, each kept in one of several ways.

    ``weight`` and ``variable`` are trained; ``plain`` (a `tf.Variable`), ``frozen`` and ``unused``
    are not.
    """

    def __init__(self, *kinds: str) -> None:
        super().__init__()
        self.kinds = kinds
        self.unused = [name for name, kind in zip(NUMBERS, kinds, strict=True) if kind == "unused"]
        for name, kind in zip(NUMBERS, kinds, strict=True):
            setattr(self, name, self._number(name, kind))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(self.kinds)

    def _number(self, name: str, kind: str) -> Any:
        if kind == "plain":
            return tf.Variable(START[name])
        if kind == "variable":
            return keras.Variable(START[name], name=name)
        start = keras.initializers.Constant(START[name])
        return self.add_weight(shape=(), initializer=start, trainable=kind != "frozen", name=name)

    def call(self, x: Any) -> Any:
        """Return the temperature at the hours ``x``, given as angles."""
        mean, swing, peak = (
            START[name] if name in self.unused else getattr(self, name) for name in NUMBERS
        )
        return mean + swing * tf.cos(x - peak)


STILL = ("plain", "frozen", "unused")


def _a_day() -> tuple[Any, Any]:
    """Return hours as angles and temperatures, both (8,) float32."""
    x = np.linspace(0, 6, 8).astype(np.float32)
    return tf.constant(x), tf.constant(12 + 5 * np.cos(x - 2.5) + 0.1 * x, tf.float32)


def _values_of(model: Any) -> list[float]:
    return [float(getattr(model, name)) for name in NUMBERS]


def _still_mistakes(anything_moved: Callable[[], bool]) -> Iterator[Mistake]:
    def named(wanted: Callable[[str], bool]) -> Callable[..., list[str]]:
        return lambda *kinds: sorted(
            name for name, kind in zip(NUMBERS, kinds, strict=True) if wanted(kind)
        )

    if anything_moved():
        all_of_them = Mistake(
            "compared_with_themselves",
            named(lambda kind: True),
            Text(
                "You say that none of them moved, `{value}`, and some did. What you kept from before"
                " the training are the variables themselves, and they have moved along: keep their"
                " *values*, with `float(...)`.",
                "아무것도 움직이지 않았다고(`{value}`) 했지만 움직인 것이 있어요. 학습 전에 간직한 것이 변수"
                " 자체라서 함께 움직였어요. `float(...)`로 *값*을 간직하세요.",
            ),
        )
    else:
        all_of_them = Mistake(
            "never_trained",
            named(lambda kind: True),
            Text(
                "You name all of them, `{value}`, because nothing was trained between the two looks:"
                " call `model.fit` or `model.train_on_batch`.",
                "두 번 살펴보는 사이에 학습을 하지 않아서 전부(`{value}`)가 나왔어요. `model.fit`이나"
                " `model.train_on_batch`를 호출하세요.",
            ),
        )
    yield all_of_them
    yield Mistake(
        "those_that_moved",
        named(lambda kind: kind not in STILL),
        Text(
            "`{value}` are the ones that *did* move. Asked for are the others.",
            "`{value}`은(는) *움직인* 것들이에요. 움직이지 않은 것을 찾으세요.",
        ),
    )
    for which in (0, -1):
        yield Mistake(
            "one_of_them",
            lambda *kinds, which=which: [
                [n for n, kind in zip(NUMBERS, kinds, strict=True) if kind in STILL][which]
            ],
            Text(
                "For {inputs} you name `{value}` alone; `{expected}` are still. There may be several: collect them"
                " all before the `return`.",
                "{inputs}에 대해 `{value}` 하나만 말했는데 `{expected}`이(가) 움직이지 않았어요. 여러 개일 수 있으니 `return` 전에"
                " 모두 모으세요.",
            ),
        )
    yield Mistake(
        "their_values",
        lambda *kinds: sorted(
            str(START[n]) for n, kind in zip(NUMBERS, kinds, strict=True) if kind in STILL
        ),
        Text(
            "`{value}` are the numbers themselves. Their names are asked for, `{expected}`.",
            "`{value}`은(는) 숫자 자체예요. 이름 `{expected}`이(가) 필요해요.",
        ),
    )
    yield Mistake(
        "none_found",
        [],
        Text(
            "You found none, and there is at least one. Does your comparison look at the value of each"
            " name, `getattr(model, name)`, before and after?",
            "하나도 찾지 못했는데 적어도 하나는 있어요. 이름마다 학습 전과 후의 값"
            " `getattr(model, name)`을 비교하고 있나요?",
        ),
    )
    yield Mistake(
        "only_counted",
        named(lambda kind: kind in ("plain", "frozen")),
        Text(
            "For {inputs} you name `{value}`. You looked at what Keras counts as trainable; one number"
            " is counted and still stays where it is, as the model never uses it. Train, and"
            " compare the values.",
            "{inputs}일 때 `{value}`라고 했어요. Keras가 학습한다고 세는 것을 보았는데, 세어지고도"
            " 모델이 쓰지 않아 움직이지 않는 것이 있어요. 학습시켜서 값을 비교하세요.",
        ),
    )
    yield Mistake(
        "only_what_keras_does_not_know",
        named(lambda kind: kind == "plain"),
        Text(
            "For {inputs} you name `{value}`: a variable that Keras does not know. One that it knows"
            " can stay where it is too, for it may be frozen or not used. Train, and compare the"
            " values.",
            "{inputs}일 때 `{value}`라고 했어요. Keras가 모르는 변수만 찾았네요. Keras가 아는 변수도"
            " 고정되었거나 쓰이지 않으면 움직이지 않아요. 학습시켜서 값을 비교하세요.",
        ),
    )
    yield Mistake(
        "only_the_frozen",
        named(lambda kind: kind == "frozen"),
        Text(
            "For {inputs} you name `{value}`: those whose `trainable` is False. A `tf.Variable` says"
            " that it is trainable, and Keras passes it by all the same. Train, and compare the"
            " values.",
            "{inputs}일 때 `{value}`라고 했어요. `trainable`이 False인 것만 찾았네요. `tf.Variable`은"
            " 훈련 가능하다고 하지만 Keras는 그냥 지나쳐요. 학습시켜서 값을 비교하세요.",
        ),
    )


def _still(cases: Cases, f: Any) -> Finding | None:
    if finding := _not_a_usable_function(f):
        return finding
    moved = []

    def sorted_names(*kinds: str) -> Any:
        model, (x, y) = Day(*kinds), _a_day()
        model.compile(keras.optimizers.SGD(0.01), "mse", run_eagerly=True)
        before = _values_of(model)
        value = f(model, list(NUMBERS), x, y)
        moved.append(_values_of(model) != before)
        if isinstance(value, str) and value in NUMBERS:
            return Finding(
                "one_name",
                Text(
                    f"`{value}` is one name. A list is asked for: there may be several.",
                    f"`{value}`은(는) 이름 하나예요. 여러 개일 수 있으니 리스트로 돌려주세요.",
                ),
            )
        if isinstance(value, list | tuple | set | frozenset | dict | np.ndarray):
            if all(isinstance(each, bool | np.bool_) for each in value) and len(value):
                return Finding(
                    "yes_or_no",
                    Text(
                        f"`{show(value)}` says yes or no for each. The names are asked for.",
                        f"`{show(value)}`은(는) 예/아니오예요. 이름을 돌려주세요.",
                    ),
                )
            if not is_blank(list(value)):
                return sorted(map(str, value))
        return value

    def right(*kinds: str) -> list[str]:
        return sorted(name for name, kind in zip(NUMBERS, kinds, strict=True) if kind in STILL)

    finding = judge(
        sorted_names, cases, right, _lazily(lambda: _still_mistakes(lambda: any(moved)))
    )
    if finding is None or finding.name in ("one_name", "yes_or_no", NOT_ATTEMPTED.name):
        return finding

    def after_a_long_way(kinds: tuple[str, ...]) -> bool:
        model, (x, y) = Day(*kinds), _a_day()
        model.compile(keras.optimizers.SGD(0.2), "mse", run_eagerly=True)
        value, stopped = guarded(f, model, list(NUMBERS), x, 200.0 + y)
        return (
            not stopped
            and isinstance(value, list | tuple | set)
            and (sorted(map(str, value)) == right(*kinds))
        )

    if finding.name != "never_trained" and all(map(after_a_long_way, cases)):
        return SMALL_MOVES
    return finding


SMALL_MOVES = Finding(
    "small_moves_overlooked",
    Text(
        "Right where the numbers move far. In a short training they move a little, by 0.01 perhaps, and you"
        " call that still: rounding, or a tolerance, hides it. Still means just the same number, `==`.",
        "숫자가 많이 움직이면 맞아요. 짧은 학습에서는 0.01쯤 조금만 움직이는데 그것을 움직이지 않은 것으로 보았어요. 반올림이나"
        " 허용 오차가 숨긴 거예요. 움직이지 않았다는 것은 숫자가 그대로 같다는 뜻이에요, `==`.",
    ),
    0.5,
)


def _lazily(mistakes: Callable[[], Iterable[Mistake]]) -> Iterator[Mistake]:
    """Yield mistakes that are known only when the answers were tried."""
    yield from mistakes()


def _mended(make: Any) -> Finding | None:
    if finding := _not_a_usable_function(make):
        return finding
    model, finding = guarded(make)
    if finding:
        return finding
    if is_blank(model):
        return NOT_ATTEMPTED
    if isinstance(model, type):
        return Finding(
            "class_returned",
            Text(
                "That is the class. Make a model of it, with brackets, and return that.",
                "이것은 클래스예요. 괄호를 붙여 모델을 만들고 그것을 돌려주세요.",
            ),
        )
    if model is None:
        return Finding(
            "no_model",
            Text(
                "Your function gives back None: return the mended model.",
                "함수가 None을 돌려줘요. 고친 모델을 돌려주세요.",
            ),
        )
    missing = [name for name in NUMBERS if not hasattr(model, name)]
    if not isinstance(model, keras.Model) or missing:
        return Finding(
            "not_a_day",
            Text(
                f"A model with `mean`, `swing` and `peak` is asked for, and this is `{show(model)}`.",
                f"`mean`, `swing`, `peak`이 있는 모델이 필요한데 이것은 `{show(model)}`이에요.",
            ),
        )
    value, finding = guarded(_trained, model)
    return finding or value


def _trained(model: Any) -> Finding | None:
    x, y = _a_day()
    start = dict(zip(NUMBERS, _values_of(model), strict=True))
    if not agree(start, START):
        return Finding(
            "other_start",
            Text(
                f"Your numbers start at `{show(start)}`. They should start as before, at"
                f" `{show(START)}`.",
                f"숫자들이 `{show(start)}`에서 시작해요. 원래대로 `{show(START)}`에서 시작해야 해요.",
            ),
        )
    formula = START["mean"] + START["swing"] * np.cos(np.array(x) - START["peak"])
    if not agree(model(x), formula):
        return Finding(
            "other_formula",
            Text(
                "Your model computes something else than mean + swing · cos(x − peak). Only the way"
                " the numbers are kept is to be mended.",
                "모델이 mean + swing · cos(x − peak)이 아닌 다른 것을 계산해요. 숫자를 보관하는 방법만"
                " 고치면 돼요.",
            ),
        )
    try:
        model.compile(keras.optimizers.SGD(0.01), "mse", run_eagerly=True)
        model.train_on_batch(x, y)
    except ValueError:  # Keras found nothing to train
        pass
    after = _values_of(model)
    still = [name for name, value in zip(NUMBERS, after, strict=True) if value == start[name]]
    if not still:
        return None
    share = {1: 0.5, 2: 0.0, 3: 0.0}[len(still)]
    names = ", ".join(f"`{name}`" for name in still)
    plain_ones = [name for name in still if isinstance(getattr(model, name), tf.Variable)]
    counted = [id(each) for each in model.trainable_variables]
    if still == ["swing", "peak"] and plain_ones == ["swing"]:
        return Finding(
            "nothing_mended",
            Text(
                f"{names} still do not move: nothing is mended yet. One is a `tf.Variable`, which Keras"
                " does not know; the other was made with `trainable=False`.",
                f"{names}이(가) 여전히 움직이지 않아요. 아직 고쳐진 것이 없어요. 하나는 Keras가 모르는"
                " `tf.Variable`이고, 다른 하나는 `trainable=False`로 만들어졌어요.",
            ),
        )
    if plain_ones:
        return Finding(
            "still_plain",
            Text(
                f"{names} does not move: it is still a `tf.Variable`, and Keras trains only variables of"
                " its own, whatever their `trainable` says. Use `self.add_weight` or `keras.Variable`.",
                f"{names}이(가) 움직이지 않아요. 여전히 `tf.Variable`인데, Keras는 `trainable`이 무엇이든"
                " 자신의 변수만 학습해요. `self.add_weight`나 `keras.Variable`을 쓰세요.",
            ),
            share,
        )
    if all(isinstance(getattr(model, name), float | int) for name in still):
        return Finding(
            "plain_number",
            Text(
                f"{names} is a plain number now, which nobody can train. Make it a variable of Keras.",
                f"{names}이(가) 이제 그냥 숫자라서 학습할 수 없어요. Keras의 변수로 만드세요.",
            ),
            share,
        )
    if any(id(getattr(model, name)) in counted for name in still):
        return Finding(
            "counted_and_still",
            Text(
                f"{names} is counted as trainable, and does not move all the same. Either `call` does"
                " not use it, or it was made with `trainable=False` and only its flag was changed"
                " later: the tape goes by how the variable was made. Make a new one.",
                f"{names}은(는) 학습 변수로 세어지지만 움직이지 않아요. `call`에서 쓰지 않거나,"
                " `trainable=False`로 만든 뒤 표시만 바꾸었네요. 테이프는 변수가 만들어질 때의 설정을"
                " 따르니 새로 만드세요.",
            ),
            share,
        )
    return Finding(
        "still_frozen",
        Text(
            f"{names} does not move: it is not among `model.trainable_variables`. Was it made with"
            " `trainable=False`, or hidden from Keras in a tensor?",
            f"{names}이(가) 움직이지 않아요. `model.trainable_variables`에 없어요."
            " `trainable=False`로 만들지 않았나요? 아니면 텐서라서 Keras가 모르나요?",
        ),
        share,
    )


@problem(
    "6.5",
    section="A variable that Keras does not see",
    objective=5,
    difficulty=2,
    points=4,
    cases=[
        ("weight", "plain", "frozen"),
        ("variable", "weight", "plain"),
        ("weight", "weight", "frozen"),
        ("unused", "plain", "weight"),
    ],
    hints=[
        Text(
            "Look at each number, train a little, look again. `getattr(model, name)` is the variable"
            " of that name.",
            "숫자를 하나씩 보고, 조금 학습시키고, 다시 보세요. `getattr(model, name)`이 그 이름의"
            " 변수예요.",
        ),
        Text(
            "Keep `float(getattr(model, name))` for each name before `model.fit(x, y, verbose=0)`:"
            " a variable kept as it is would move along.",
            "`model.fit(x, y, verbose=0)` 앞에서 이름마다 `float(getattr(model, name))`을 간직하세요."
            " 변수를 그대로 간직하면 함께 움직여요.",
        ),
        Text(
            "To mend: make a `Day()`, and give `swing` and `peak` a new"
            " `keras.Variable(value, name=...)` each, with the old value.",
            "고치는 방법: `Day()`를 만들고, `swing`과 `peak`에 원래 값으로"
            " `keras.Variable(값, name=...)`을 새로 넣으세요.",
        ),
    ],
    remark=Text(
        "Your function needs no idea of the cause: it caught a foreign variable, a frozen one and one"
        " that the model forgot to use. A test of what happens outlives a list of reasons.",
        "이 함수는 원인을 몰라도 돼요. 남의 변수, 고정된 변수, 모델이 쓰지 않은 변수를 모두 찾아냈어요."
        " 원인의 목록보다 실제로 일어난 일을 확인하는 검사가 오래가요.",
    ),
)
def find_the_still_ones(cases: Cases, f: Any, make: Any) -> Finding | None:
    return all_of((0.5, _still(cases, f)), (0.5, _mended(make)))


# 6.6 ---------------------------------------------------------------------------------------------


class Epoch(NamedTuple):
    """An epoch that is played: each image's loss at the start, and how much a step mends."""

    losses: tuple[float, ...]
    batch_size: int
    learns: float

    def sizes(self) -> Array:
        n = len(self.losses)
        return np.array([min(self.batch_size, n - i) for i in range(0, n, self.batch_size)])

    def batch_losses(self) -> Array:
        """Return the mean loss of each batch at its own step, when k steps have been taken."""
        starts = range(0, len(self.losses), self.batch_size)
        means = [np.mean(self.losses[i : i + self.batch_size]) for i in starts]
        return np.asarray(means * self.learns ** np.arange(len(means)))

    def reported(self) -> float:
        return float(np.average(self.batch_losses(), weights=self.sizes()))


def _epoch_mistakes() -> Iterator[Mistake]:
    def mistake(name: str, value: Callable[[Epoch], Any], text: Text) -> Mistake:
        return Mistake(name, lambda *inputs: value(Epoch(*inputs)), text)

    yield mistake(
        "unweighted",
        lambda e: np.mean(e.batch_losses()),
        Text(
            "`{value}` is the mean of the batches' losses, as if all were of one size. The last batch"
            " is smaller, and its images count too much: weight each loss by the batch's size.",
            "`{value}`은(는) 모든 배치의 크기가 같다고 보고 낸 평균이에요. 마지막 배치는 더 작아서 그"
            " 이미지들이 너무 크게 세어져요. 배치의 크기로 가중치를 주세요.",
        ),
    )
    yield mistake(
        "last_batch",
        lambda e: e.batch_losses()[-1],
        Text(
            "`{value}` is the loss of the last batch alone. `fit` reports the mean over the epoch.",
            "`{value}`은(는) 마지막 배치만의 손실이에요. `fit`은 에포크 전체의 평균을 알려 줘요.",
        ),
    )
    yield mistake(
        "first_batch",
        lambda e: e.batch_losses()[0],
        Text(
            "`{value}` is the loss of the first batch alone. Does your `return` stand inside the loop?",
            "`{value}`은(는) 첫 배치만의 손실이에요. `return`이 반복문 안에 있지는 않나요?",
        ),
    )
    yield mistake(
        "summed",
        lambda e: np.sum(e.batch_losses()),
        Text(
            "`{value}` is the sum of the batches' losses. A mean over all images is asked for.",
            "`{value}`은(는) 배치 손실의 합이에요. 모든 이미지에 대한 평균이 필요해요.",
        ),
    )
    yield mistake(
        "summed_over_images",
        lambda e: e.batch_losses() @ e.sizes(),
        Text(
            "`{value}` is the loss of all images added up. Divide by how many there are.",
            "`{value}`은(는) 모든 이미지의 손실을 더한 값이에요. 이미지 수로 나누세요.",
        ),
    )
    yield mistake(
        "list_returned",
        lambda e: e.batch_losses(),
        Text(
            "`{value}` are the losses of all batches. One number is asked for, their mean over the"
            " images.",
            "`{value}`은(는) 배치마다의 손실이에요. 이미지에 대한 평균인 숫자 하나가 필요해요.",
        ),
    )
    yield mistake(
        "last_batch_taken_for_full",
        lambda e: np.sum(e.batch_losses()) * e.batch_size / len(e.losses),
        Text(
            "`{value}`: the last batch was counted as a full one. Take the number of images that are"
            " really in it, `len(labels[start:stop])`.",
            "`{value}`: 마지막 배치를 꽉 찬 것으로 세었어요. 실제로 들어 있는 이미지 수,"
            " `len(labels[start:stop])`를 쓰세요.",
        ),
    )
    counts: list[Callable[[Epoch], float]] = [
        lambda e: len(e.losses) / e.batch_size,
        lambda e: len(e.losses) // e.batch_size,
        lambda e: len(e.losses) // e.batch_size + 1,
    ]
    for count in counts:
        yield mistake(
            "wrong_count",
            functools.partial(lambda count, e: np.sum(e.batch_losses()) / count(e), count),
            Text(
                "`{value}` is the sum of the batches' losses, divided by a number of batches that does"
                " not know of the smaller last one. Weight each by its size, and divide by the number"
                " of images.",
                "`{value}`은(는) 배치 손실의 합을, 작은 마지막 배치를 빠뜨린 배치 수로 나눈 값이에요."
                " 배치의 크기를 곱해 더하고 이미지 수로 나누세요.",
            ),
        )
    yield mistake(
        "divided_by_batches",
        lambda e: e.batch_losses() @ e.sizes() / len(e.sizes()),
        Text(
            "`{value}`: weighted rightly, and then divided by the number of batches. Divide by the"
            " number of images.",
            "`{value}`: 가중치는 맞지만 배치 수로 나누었어요. 이미지 수로 나누세요.",
        ),
    )
    yield mistake(
        "divided_by_images",
        lambda e: np.sum(e.batch_losses()) / len(e.losses),
        Text(
            "`{value}`: each batch's loss is a mean already, and you divided by the number of images"
            " once more. Multiply it by the batch's size before you add it up.",
            "`{value}`: 배치의 손실은 이미 평균인데 이미지 수로 또 나누었어요. 더하기 전에 배치의 크기를"
            " 곱하세요.",
        ),
    )
    yield mistake(
        "running_half",
        lambda e: functools.reduce(lambda mean, loss: (mean + loss) / 2, e.batch_losses()),
        Text(
            "`{value}`: in (mean + loss) / 2 the last batch counts as much as all others together."
            " Add up loss times size, and divide once, at the end.",
            "`{value}`: (평균 + 손실) / 2에서는 마지막 배치가 나머지 전부만큼 세어져요. 손실 × 크기를 모두"
            " 더하고 마지막에 한 번만 나누세요.",
        ),
    )
    yield mistake(
        "smallest",
        lambda e: np.min(e.batch_losses()),
        Text(
            "`{value}` is the smallest of the batches' losses. `fit` reports their mean.",
            "`{value}`은(는) 배치 손실 가운데 가장 작은 값이에요. `fit`은 평균을 알려 줘요.",
        ),
    )
    yield mistake(
        "largest",
        lambda e: np.max(e.batch_losses()),
        Text(
            "`{value}` is the largest of the batches' losses. `fit` reports their mean.",
            "`{value}`은(는) 배치 손실 중 가장 큰 값이에요. `fit`은 평균을 보고해요.",
        ),
    )
    yield mistake(
        "weights_in_the_wrong_order",
        lambda e: np.average(e.batch_losses(), weights=e.sizes()[::-1]),
        Text(
            "`{value}`: the sizes of the batches come in another order than their losses. Each loss belongs to"
            " the size of its own batch.",
            "`{value}`: 배치 크기의 순서가 손실의 순서와 달라요. 손실마다 자기 배치의 크기를 쓰세요.",
        ),
    )
    yield mistake(
        "middle",
        lambda e: np.median(e.batch_losses()),
        Text(
            "`{value}` is the median of the batches' losses. `fit` reports their mean.",
            "`{value}`은(는) 배치 손실의 중앙값이에요. `fit`은 평균을 알려 줘요.",
        ),
    )


def _batches_finding(epoch: Epoch, batches: list[tuple[list[int], list[int]]]) -> Finding | None:
    """Say what is wrong with the batches that were trained on: the images and labels of each."""
    n, size = len(epoch.losses), epoch.batch_size
    wanted = [list(range(i, min(i + size, n))) for i in range(0, n, size)]
    images = [each for each, _ in batches]
    if images == wanted and all(one == two for one, two in batches):
        return None
    full = len(wanted) - (n % size > 0)
    if not batches:
        return Finding(
            "never_stepped",
            Text(
                "Your function never calls `step`, so nothing is trained.",
                "함수가 `step`을 한 번도 호출하지 않아서 학습이 일어나지 않아요.",
            ),
        )
    if any(one != two for one, two in batches):
        return Finding(
            "labels_of_others",
            Text(
                "Images and labels of a batch do not belong together: cut both with the same slice.",
                "배치의 이미지와 레이블이 서로 짝이 맞지 않아요. 둘을 같은 범위로 자르세요.",
            ),
        )
    if images == wanted[:1]:
        return Finding(
            "one_batch",
            Text(
                "Only the first batch was trained on. An epoch goes through all of them. Does your"
                " `return` stand inside the loop?",
                "첫 배치만 학습했어요. 에포크는 모든 배치를 지나가요. `return`이 반복문 안에 있지는"
                " 않나요?",
            ),
        )
    if images == wanted[:full]:
        return Finding(
            "last_batch_dropped",
            Text(
                f"{n} images in batches of {size}: the last {n % size} were left out. `fit` trains on"
                " the smaller last batch too.",
                f"이미지 {n}개를 {size}개씩 나누면서 마지막 {n % size}개를 빠뜨렸어요. `fit`은 작은 마지막"
                " 배치로도 학습해요.",
            ),
        )
    if images == [list(range(n))]:
        return Finding(
            "no_batches",
            Text(
                "All images were given to one step. Cut them into batches of `batch_size`.",
                "모든 이미지를 한 걸음에 넣었어요. `batch_size`개씩 배치로 나누세요.",
            ),
        )
    if images[: len(wanted)] == wanted and [] in images[len(wanted) :]:
        return EMPTY_BATCH
    if images == [[i] for i in range(n)]:
        return Finding(
            "one_by_one",
            Text(
                "Each image was a step of its own. Go on by `batch_size` and take a slice.",
                "이미지 하나하나를 한 걸음으로 썼어요. `batch_size`씩 건너뛰며 범위로 자르세요.",
            ),
        )
    if len(images) > len(wanted) and images[: len(wanted)] == wanted:
        return Finding(
            "trained_again",
            Text(
                f"`step` was called {len(images)} times, and there are {len(wanted)} batches. A call"
                " trains: asking for a loss once more, during or after the epoch, moves the model"
                " on. Keep the losses of the steps as they come.",
                f"배치는 {len(wanted)}개인데 `step`을 {len(images)}번 호출했어요. 호출할 때마다 학습이"
                " 일어나니, 손실을 다시 물으면 모델이 또 움직여요. 걸음마다 나온 손실을 바로 간직하세요.",
            ),
        )
    doubled = [each for each in wanted for _ in range(2)]
    if images == doubled:
        return Finding(
            "trained_again",
            Text(
                "`step` was called twice for each batch. A call trains: call it once, and keep what it"
                " gives.",
                "배치마다 `step`을 두 번 호출했어요. 호출할 때마다 학습이 일어나니 한 번만 부르고 그 값을"
                " 간직하세요.",
            ),
        )
    if [] in images:
        return EMPTY_BATCH
    seen = sorted(i for each in images for i in each)
    if seen == list(range(n)) and sorted(map(len, images)) == sorted(map(len, wanted)):
        return Finding(
            "other_order",
            Text(
                "Your batches come in another order. Take the images as they stand, so that the result"
                " can be compared with `fit(shuffle=False)`.",
                "배치의 순서가 달라요. `fit(shuffle=False)`와 비교할 수 있도록 이미지를 있는 순서대로"
                " 쓰세요.",
            ),
        )
    place = next(
        (i for i, (a, b) in enumerate(zip(images, wanted, strict=False)) if a != b), len(wanted) - 1
    )
    if images[:-1] == wanted[:-1] and images[-1][: len(wanted[-1])] == wanted[-1]:
        return Finding(
            "last_batch_filled_up",
            Text(
                f"The last batch holds the images {images[-1]}, where {wanted[-1]} is right: it was filled up"
                " with images that had their turn, and they count twice. The last batch may be smaller.",
                f"마지막 배치에 이미지 {images[-1]}이(가) 들어 있는데 {wanted[-1]}이어야 해요. 이미 나온 이미지로 채워서 두 번"
                " 세었어요. 마지막 배치는 더 작아도 돼요.",
            ),
        )
    if len(seen) > len(set(seen)) and (place == 0 or images[place][:1] == wanted[place][:1]):
        return Finding(
            "batches_overlap",
            Text(
                f"Batch {place + 1} holds the images {images[place]}, where {wanted[place]} is right: some"
                " images come twice.",
                f"{place + 1}번째 배치에 이미지 {images[place]}이(가) 들어 있는데 {wanted[place]}이어야 해요. 두 번 나오는"
                " 이미지가 있어요.",
            ),
        )
    if len(seen) > len(set(seen)) and len(images) > 1 and images[1]:
        return Finding(
            "batches_overlap",
            Text(
                f"The batches overlap: the second begins with image {images[1][0]}, where"
                f" {size} is right. Let the loop go on by `batch_size`.",
                f"배치가 겹쳐요. 두 번째 배치가 {images[1][0]}번 이미지에서 시작하는데 {size}번이어야"
                " 해요. 반복문이 `batch_size`씩 나아가게 하세요.",
            ),
        )
    return Finding(
        "other_batches",
        Text(
            f"Your batches have `{show([len(each) for each in images])}` images;"
            f" `{show([len(each) for each in wanted])}` is right.",
            f"배치의 이미지 수가 `{show([len(each) for each in images])}`인데,"
            f" `{show([len(each) for each in wanted])}`이어야 해요.",
        ),
    )


EMPTY_BATCH = Finding(
    "empty_batch",
    Text(
        "One of your batches is empty: the loop runs once too often. Its start has to stay below the"
        " number of images.",
        "빈 배치가 하나 있어요. 반복문이 한 번 더 돌아요. 시작 위치가 이미지 수보다 작아야 해요.",
    ),
)


@problem(
    "6.6",
    section="The loss that fit reports belongs to no model",
    objective=4,
    difficulty=2,
    points=3,
    cases=[
        ((2.0, 2.2, 1.8, 2.4, 2.6, 3.0, 0.5, 0.7, 4.0, 5.0), 4, 0.5),
        ((1.0, 3.0, 2.0, 1.5, 2.5, 4.0, 8.0), 3, 0.8),
        ((1.0, 0.4, 2.0, 1.2, 0.6, 1.8), 2, 0.9),
        ((1.0, 4.0, 2.5), 5, 0.5),
    ],
    hints=[
        Text(
            "Go through the images by `batch_size`, call `step` once for each batch, and keep what it"
            " returns.",
            "이미지를 `batch_size`씩 지나가며 배치마다 `step`을 한 번 호출하고, 돌려준 값을 간직하세요.",
        ),
        Text(
            "`images[start : start + batch_size]` may hold fewer images at the end: Python stops by"
            " itself. A batch's loss is a mean over so many images.",
            "마지막에는 `images[start : start + batch_size]`에 이미지가 더 적을 수 있어요. 파이썬이 알아서"
            " 멈춰요. 배치의 손실은 그만큼의 이미지에 대한 평균이에요.",
        ),
        Text(
            "Add up loss times number of images in the batch, and divide by the number of all images;"
            " `np.average(losses, weights=sizes)` does the same.",
            "손실 × 배치의 이미지 수를 모두 더해서 전체 이미지 수로 나누세요."
            " `np.average(losses, weights=sizes)`도 같은 일을 해요.",
        ),
    ],
    remark=Text(
        "The number you return was never the loss of any model: each part of it was measured with other"
        " weights. Only `evaluate` measures one model on all images.",
        "돌려준 이 숫자는 어떤 모델의 손실도 아니에요. 부분마다 다른 가중치로 잰 값이니까요. 한 모델을 모든"
        " 이미지로 재는 것은 `evaluate`뿐이에요.",
    ),
)
def loss_of_an_epoch(cases: Cases, f: Any) -> Finding | None:
    if finding := _not_a_usable_function(f):
        return finding

    def epoch_loss(*inputs: Any) -> Any:
        losses, batch_size, learns = inputs  # an Epoch would take what it reports along to `f`
        batches: list[tuple[list[int], list[int]]] = []

        def step(images: Any, labels: Any) -> Any:
            rows = np.asarray(images, float)[:, 0].round().astype(int).tolist()
            batches.append((rows, np.asarray(labels).astype(int).ravel().tolist()))
            mended = learns ** (len(batches) - 1)
            loss = np.mean([losses[i] for i in rows]) * mended if rows else np.nan
            return tf.constant(loss, tf.float32)

        n = len(losses)
        images = np.stack([np.arange(n), np.ones(n)], axis=1).astype(np.float32)
        value = f(step, images, np.arange(n), batch_size)
        if is_blank(value):
            return value
        return _batches_finding(Epoch(*inputs), batches) or (
            value if value is not None else NO_LOSS
        )

    return judge(
        epoch_loss,
        cases,
        right=lambda *inputs: Epoch(*inputs).reported(),
        mistakes=_epoch_mistakes(),
        recipes=[
            Recipe(
                """
def loss_of_an_epoch(losses, sizes, batch_size):
    total = 0.0
    count = 0
    for loss, size in zip(losses, sizes):
        total += loss * size
        count += size
    return total / count
""",
                lambda *inputs: (
                    (epoch := Epoch(*inputs)).batch_losses(),
                    epoch.sizes(),
                    epoch.batch_size,
                ),
            )
        ],
    )


NO_LOSS = Finding(
    "no_loss_returned",
    Text(
        "The batches are right, and your function gives back None: return the epoch's loss.",
        "배치는 맞지만 함수가 None을 돌려줘요. 에포크의 손실을 돌려주세요.",
    ),
)


# 6.7 ---------------------------------------------------------------------------------------------


class Run(NamedTuple):
    """A training that is played: losses after each epoch, and when to give up."""

    val_losses: tuple[float, ...]
    losses: tuple[float, ...]
    patience: int

    @property
    def most(self) -> int:
        return len(self.val_losses)


class Ending(NamedTuple):
    """How a training ended: epochs trained, and the epoch whose weights the model has (0: none)."""

    epochs: int
    kept: int


def _best(losses: Sequence[float]) -> int:
    """Return the epoch, from 1, of the smallest loss, the first of equal ones."""
    return int(np.argmin(losses)) + 1


def _last_best(losses: Sequence[float]) -> int:
    return len(losses) - int(np.argmin(losses[::-1]))


def _end(run: Run, enough: Callable[[int], bool]) -> int:
    """Return the first epoch after which there was ``enough``, or the last one."""
    return next((e for e in range(1, run.most + 1) if enough(e)), run.most)


def _right_end(run: Run, patience: int | None = None) -> int:
    patience = run.patience if patience is None else patience
    return _end(run, lambda e: e - _best(run.val_losses[:e]) >= patience)


def _stopped(run: Run, epochs: int, losses: Sequence[float] | None = None) -> Ending:
    return Ending(epochs, _best((losses or run.val_losses)[:epochs]))


def _rises(losses: Sequence[float], e: int) -> int:
    """Return how many times in a row the loss did not fall, up to epoch ``e``."""
    falls = [i for i in range(2, e + 1) if losses[i - 1] < losses[i - 2]]
    return e - max(falls, default=1)


def _misses(run: Run, e: int) -> int:
    """Return how many epochs up to ``e`` were no new best, in a row or not."""
    return sum(_best(run.val_losses[:i]) != i for i in range(1, e + 1))


def _has_waited(run: Run, start: float, e: int, margin: float = 0.0) -> bool:
    """Tell whether patience is at its end in epoch ``e``, where the best began at ``start``."""
    last, best = 0, start
    for i, loss in enumerate(run.val_losses[:e], start=1):
        if loss < best - margin:
            last, best = i, loss
    return e - last >= run.patience


def _stop_mistakes(run: Run) -> Iterator[tuple[str, int, Text]]:
    """Yield where a training ends whose patience was misunderstood."""
    yield (
        "one_epoch_less_than_most",
        min(_right_end(run), run.most - 1),
        Text(
            "Where patience holds out you trained one epoch less than `most_epochs`: how far does the `range` of"
            " your loop reach?",
            "patience가 끝나지 않았을 때 `most_epochs`보다 한 에포크 덜 학습했어요. 반복문의 `range`가 어디까지 가나요?",
        ),
    )
    yield (
        "one_epoch_too_late",
        _right_end(run, run.patience + 1),
        Text(
            "You trained one epoch too many: with a patience of {patience} the loop ends as soon as"
            " {patience} in a row have brought no new best. Is it `>` where `>=` belongs?",
            "한 에포크를 더 학습했어요. patience가 {patience}이면 최고 기록 없이 연달아 지난 {patience}번째"
            " 에포크가 마지막이에요. `>=` 대신 `>`를 쓰지 않았나요?",
        ),
    )
    yield (
        "one_epoch_too_early",
        _right_end(run, max(run.patience - 1, 1)) if run.patience > 1 else _right_end(run),
        Text(
            "You stopped one epoch too early: {patience} epochs in a row without a new best are"
            " waited for. Does the counter start at 0, and at 0 again after a new best?",
            "한 에포크 일찍 멈추었어요. 최고 기록 없이 연달아 {patience}번을 기다려야 해요. 세는 값이 0에서"
            " 시작하고, 최고 기록 뒤에 다시 0이 되나요?",
        ),
    )
    yield (
        "compared_with_the_last",
        _end(run, lambda e: _rises(run.val_losses, e) >= run.patience),
        Text(
            "You compare each loss with the one *before* it. A loss may fall again and still be far"
            " from the best: compare with the best so far.",
            "손실을 바로 *앞*의 손실과 비교했어요. 다시 줄어도 최고 기록과는 멀 수 있으니, 지금까지의 최고"
            " 기록과 비교하세요.",
        ),
    )
    yield (
        "counter_never_reset",
        _end(run, lambda e: _misses(run, e) >= run.patience),
        Text(
            "You count all epochs without a new best, and patience is about those *in a row*: set"
            " the counter back to 0 at each new best.",
            "최고 기록이 아닌 에포크를 전부 세었어요. patience는 *연달아* 지난 횟수예요. 최고 기록이 나올"
            " 때마다 0으로 되돌리세요.",
        ),
    )
    yield (
        "training_loss",
        _end(run, lambda e: e - _best(run.losses[:e]) >= run.patience),
        Text(
            "You watch the *training* loss, which falls on while the network learns by heart. Watch"
            " what `validate()` returns.",
            "*훈련* 손실을 보고 있어요. 훈련 손실은 신경망이 외우는 동안에도 계속 줄어요. `validate()`가"
            " 돌려주는 값을 보세요.",
        ),
    )
    yield (
        "a_tie_is_no_gain",
        _end(run, lambda e: e - _last_best(run.val_losses[:e]) >= run.patience),
        Text(
            "The same loss once more is no new best, and you took it for one: use `<`, not `<=`.",
            "같은 손실이 다시 나온 것은 최고 기록이 아닌데 최고 기록으로 여겼어요. `<=`가 아니라 `<`를"
            " 쓰세요.",
        ),
    )
    yield (
        "no_patience",
        _right_end(run, 1),
        Text(
            "You stopped at the first epoch without a new best. Wait for {patience} of them in a row.",
            "최고 기록이 아닌 첫 에포크에서 바로 멈추었어요. 연달아 {patience}번을 기다리세요.",
        ),
    )
    yield (
        "largest_is_best",
        _end(run, lambda e: e - _best([-loss for loss in run.val_losses[:e]]) >= run.patience),
        Text(
            "You keep the epoch with the *largest* loss. For a loss small is good.",
            "손실이 가장 *큰* 에포크를 골랐어요. 손실은 작을수록 좋아요.",
        ),
    )
    for start in (0.0, 1.0, 10.0, 100.0):
        yield (
            "nothing_is_better",
            _end(run, functools.partial(_has_waited, run, start)),
            Text(
                "You stopped after {patience} epochs, as if none had been a new best. Where does the best"
                " loss start? A loss may be any number, 3000 too, and the first one is always a new best:"
                " begin with infinity, `float('inf')`. (Or does your loop only go as far as `patience`?)",
                "최고 기록이 한 번도 없었던 것처럼 {patience}에포크 만에 멈추었어요. 최고 기록이 어디서 시작하나요? 손실은 3000처럼"
                " 어떤 값도 될 수 있고 첫 손실은 언제나 새 기록이에요. 무한대 `float('inf')`에서 시작하세요."
                " (반복문이 `patience`번까지만 도는 것은 아닌가요?)",
            ),
        )
    for margin in (0.0001, 0.001, 0.01, 0.05, 0.1):
        yield (
            "small_gains_ignored",
            _end(run, functools.partial(_has_waited, run, math.inf, margin=margin)),
            Text(
                "You overlook new bests that are only a little better. However small the gain is, it counts:"
                " compare with `<` alone.",
                "조금만 나아진 새 기록을 놓쳤어요. 아무리 조금 나아져도 새 기록이에요. `<`로만 비교하세요.",
            ),
        )
    yield (
        "never_stops",
        run.most,
        Text(
            "You trained on to the last epoch, {epochs}, though {patience} in a row had brought no"
            " new best long before.",
            "{patience}번 연달아 최고 기록이 없었는데도 마지막 {epochs}에포크까지 학습했어요.",
        ),
    )


def _kept_mistakes(run: Run, epochs: int) -> Iterator[tuple[str, int, Text]]:
    """Yield whose weights the model has when the training ended rightly, and they are not the best."""
    best = _best(run.val_losses[:epochs])
    yield (
        "not_restored",
        epochs,
        Text(
            "The model has the weights of the *last* epoch, {epochs}; the best was epoch {best}. Keep"
            " `model.get_weights()` at each new best, and put the best back with"
            " `model.set_weights(...)` however the loop ended. (`model.weights` keeps no values: it is"
            " the variables themselves, which move on.)",
            "모델이 *마지막* {epochs}에포크의 가중치를 가지고 있어요. 가장 좋은 것은 {best}에포크예요. 최고"
            " 기록마다 `model.get_weights()`를 간직했다가, 반복문이 어떻게 끝나든"
            " `model.set_weights(...)`로 되돌리세요. (`model.weights`는 값이 아니라 변수 자체라서 계속"
            " 움직여요.)",
        ),
    )
    yield (
        "kept_before_training",
        best - 1,
        Text(
            "The model has the weights from *before* the best epoch, {best}: they were kept before"
            " `train_epoch()` of that epoch. Train, validate, and then keep.",
            "모델이 가장 좋은 {best}에포크 *직전*의 가중치를 가지고 있어요. `train_epoch()`보다 먼저"
            " 간직했네요. 학습하고, 검증하고, 그다음에 간직하세요.",
        ),
    )
    yield (
        "restored_the_start",
        0,
        Text(
            "The model has its weights from before all training. Keep them anew at each new best.",
            "모델이 학습하기 전의 가중치를 가지고 있어요. 최고 기록마다 새로 간직하세요.",
        ),
    )
    yield (
        "kept_the_tie",
        _last_best(run.val_losses[:epochs]),
        Text(
            "Two epochs had the same best loss, and you kept the later one. Without a gain nothing is"
            " new: `<`, not `<=`.",
            "두 에포크의 손실이 같은데 나중 것을 간직했어요. 더 나아지지 않았으면 최고 기록이 아니에요."
            " `<=`가 아니라 `<`를 쓰세요.",
        ),
    )
    yield (
        "training_loss",
        _best(run.losses[:epochs]),
        Text(
            "The model has the weights of the epoch with the best *training* loss. Choose by the"
            " validation loss.",
            "모델이 *훈련* 손실이 가장 좋은 에포크의 가중치를 가지고 있어요. 검증 손실로 고르세요.",
        ),
    )
    yield (
        "largest_is_best",
        _best([-loss for loss in run.val_losses[:epochs]]),
        Text(
            "The model has the weights of the epoch with the *largest* loss. Small is good.",
            "모델이 손실이 가장 *큰* 에포크의 가중치를 가지고 있어요. 손실은 작을수록 좋아요.",
        ),
    )
    falls = [e for e in range(2, epochs + 1) if run.val_losses[e - 1] < run.val_losses[e - 2]]
    yield (
        "compared_with_the_last",
        max(falls, default=1),
        Text(
            "The model has the weights of the last epoch whose loss fell. That is not the best one:"
            " compare with the best so far, not with the epoch before.",
            "모델이 손실이 마지막으로 줄어든 에포크의 가중치를 가지고 있어요. 그것이 최고 기록은 아니에요."
            " 바로 앞이 아니라 지금까지의 최고 기록과 비교하세요.",
        ),
    )
    yield (
        "waited_back",
        epochs - run.patience,
        Text(
            "The model has the weights of {patience} epochs ago, and the best may be longer ago when"
            " the loop ran to its end. Keep them at each new best.",
            "모델이 {patience}에포크 전의 가중치를 가지고 있는데, 반복문이 끝까지 갔을 때는 최고 기록이 더"
            " 전일 수 있어요. 최고 기록마다 간직하세요.",
        ),
    )


class TooManyEpochs(Exception):
    """Raised in a learner's loop that trains on for ever."""


class Played(NamedTuple):
    """What a learner's loop did."""

    value: Any
    ending: Ending
    validated: list[int]
    trained: list[int]


def _play(run: Run, f: Any) -> Played:
    """Let a learner's loop train a model whose weight counts the epochs it was trained."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.set_weights([np.zeros((1, 1)), np.zeros(1)])
    kernel = model.layers[0].kernel
    val_losses, losses, patience = run
    most = run.most
    trained, validated = [], []

    def train_epoch() -> float:
        kernel.assign_add([[1.0]])
        trained.append(round(float(kernel[0, 0])))
        if len(trained) > most:
            raise TooManyEpochs
        return losses[min(trained[-1], most) - 1]

    def validate() -> float:
        validated.append(round(float(kernel[0, 0])))
        return val_losses[min(max(validated[-1], 1), most) - 1]

    value = f(model, train_epoch, validate, patience, most)
    return Played(value, Ending(len(trained), round(float(kernel[0, 0]))), validated, trained)


def _explained(run: Run, played: Played) -> tuple[set[str], dict[str, Text]]:
    """Return the names of the mistakes that lead to this ending, and what to say of each."""
    right = _right_end(run)
    found: dict[str, Text] = {}
    if played.ending.epochs != right:
        for name, epochs, text in _stop_mistakes(run):
            if epochs == played.ending.epochs:
                found.setdefault(name, text)
    else:
        for name, kept, text in _kept_mistakes(run, right):
            if kept == played.ending.kept:
                found.setdefault(name, text)
    best = _best(run.val_losses[:right])
    values = {"patience": run.patience, "epochs": played.ending.epochs, "best": best}
    return set(found), {name: text.format(**values) for name, text in found.items()}


@problem(
    "6.7",
    section="The whole loop",
    objective=1,
    difficulty=3,
    points=4,
    cases=[
        (
            (0.9, 0.7, 0.5, 0.6, 0.55, 0.52, 0.4, 0.45, 0.44, 0.43, 0.3, 0.2),
            (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.15, 0.1, 0.05, 0.01),
            3,
        ),
        (
            (0.9, 0.6, 0.7, 0.5, 0.8, 0.4, 0.6, 0.45, 0.7, 0.6, 0.8),
            (0.9, 0.8, 0.7, 0.6, 0.65, 0.66, 0.67, 0.68, 0.7, 0.7, 0.7),
            4,
        ),
        ((0.8, 0.6, 0.6, 0.6, 0.5, 0.4, 0.3), (0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2), 2),
        ((0.7, 0.5, 0.3, 0.4, 0.35), (0.7, 0.5, 0.4, 0.3, 0.2), 3),
        ((0.5, 0.6, 0.7, 0.8, 0.9, 1.0), (0.5, 0.4, 0.3, 0.2, 0.1, 0.05), 2),
        ((0.8, 0.6, 0.6, 0.7, 0.7, 0.9, 1.0), (0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2), 2),
        ((5e3, 4e3, 3e3, 3.5e3, 3.2e3, 4e3, 5e3), (9e3, 8e3, 7e3, 6e3, 5e3, 4e3, 3e3), 2),
        ((0.5, 0.49, 0.488, 0.489, 0.487, 0.49, 0.49), (0.5, 0.4, 0.3, 0.2, 0.1, 0.09, 0.08), 3),
    ],
    hints=[
        Text(
            "Three things live from epoch to epoch: the best loss so far, the weights that had it, and"
            " how long ago that was.",
            "에포크에서 에포크로 이어지는 것은 셋이에요. 지금까지 가장 좋은 손실, 그때의 가중치, 그때부터"
            " 지난 에포크 수예요.",
        ),
        Text(
            "In each epoch: train, validate, note the loss. Is it below the best? Keep loss and"
            " `model.get_weights()`, and set the counter to 0. If not, the counter goes up by 1.",
            "에포크마다 학습하고, 검증하고, 손실을 적으세요. 최고 기록보다 작으면 손실과"
            " `model.get_weights()`를 간직하고 세는 값을 0으로 하세요. 아니면 1을 더하세요.",
        ),
        Text(
            "Begin with `best = float('inf')`; `break` when the counter has reached `patience`; after"
            " the loop, however it ended, `model.set_weights(...)`.",
            "`best = float('inf')`에서 시작하고, 세는 값이 `patience`에 이르면 `break`하세요. 반복문이"
            " 어떻게 끝났든 그 뒤에 `model.set_weights(...)`를 호출하세요.",
        ),
    ],
    remark=Text(
        "This is `keras.callbacks.EarlyStopping(patience=..., restore_best_weights=True)`. One thing to"
        " keep in mind: you chose the epoch by the validation loss, so that loss is now a little too"
        " good. An honest figure needs images that chose nothing.",
        "이것이 바로 `keras.callbacks.EarlyStopping(patience=..., restore_best_weights=True)`예요. 하나만"
        " 기억하세요. 검증 손실로 에포크를 골랐으니 그 손실은 실제보다 조금 좋게 나와요. 정직한 수치를"
        " 얻으려면 고르는 데 쓰지 않은 이미지가 필요해요.",
    ),
)
def stop_early(cases: Cases, f: Any) -> Finding | None:
    if finding := _not_a_usable_function(f):
        return finding
    wrong: list[tuple[Run, Played]] = []
    values: list[tuple[Run, Played]] = []
    for inputs in cases:
        run = Run(*inputs)
        played, finding = guarded(_play, run, f)
        if finding:
            return TOO_MANY if "TooManyEpochs" in finding.text.en else finding
        if is_blank(played.value):
            return NOT_ATTEMPTED
        if not played.ending.epochs:
            return NEVER_TRAINED
        if played.trained != list(range(1, len(played.trained) + 1)):
            return PUT_BACK_ON_THE_WAY
        if played.validated[:1] == [0]:
            return VALIDATED_FIRST
        right = _right_end(run)
        if played.ending != Ending(right, _best(run.val_losses[:right])):
            wrong.append((run, played))
        values.append((run, played))
    ended = all(played.ending.epochs == _right_end(run) for run, played in values)
    if wrong:
        return _ending_finding(wrong, values, 0.5 if ended else 0.0)
    findings = (_list_finding(*each) for each in values)
    return next((each for each in findings if each), None)


def _ending_finding(
    wrong: list[tuple[Run, Played]], others: list[tuple[Run, Played]], share: float
) -> Finding:
    """Name the mistake that explains every wrong ending, or show the first."""
    unstopped = [each for each in wrong if each[1].ending.epochs != _right_end(each[0])]
    explained = [_explained(*each) for each in unstopped or wrong]
    common = set.intersection(*(names for names, _ in explained))
    if unstopped:  # a mistake leaves the other runs as they are, too
        for run, played in others:
            if played.ending.epochs == _right_end(run):
                common &= {name for name, end, _ in _stop_mistakes(run) if end == _right_end(run)}
    telling = sorted(explained[0][1], key=lambda name: name.startswith("one_epoch_too"))
    for name in telling:  # by one epoch others are off by chance
        if name in common:
            return Finding(name, explained[0][1][name], share)
    run, played = (unstopped or wrong)[0]
    right = _right_end(run)
    best = _best(run.val_losses[:right])
    return Finding(
        "other_ending",
        Text(
            f"For the validation losses `{show(list(run.val_losses))}` and a patience of"
            f" {run.patience} you trained {played.ending.epochs} epochs and ended with the weights of"
            f" epoch {played.ending.kept}; {right} epochs and the weights of epoch {best} are right.",
            f"검증 손실이 `{show(list(run.val_losses))}`이고 patience가 {run.patience}일 때,"
            f" {played.ending.epochs}에포크를 학습하고 {played.ending.kept}에포크의 가중치로 끝났어요."
            f" {right}에포크를 학습하고 {best}에포크의 가중치로 끝나야 해요.",
        ),
        share,
    )


def _list_finding(run: Run, played: Played) -> Finding | None:
    """Say what is wrong with what was returned, when the training itself was right."""
    right = list(run.val_losses[: played.ending.epochs])
    best = _best(right)
    mistakes = [
        Mistake(
            "no_list_returned",
            None,
            Text(
                "The training is right. What is missing is the `return`: the list of the validation"
                " losses.",
                "학습은 맞아요. `return`이 빠졌어요. 검증 손실의 리스트를 돌려주세요.",
            ),
        ),
        Mistake(
            "training_losses_returned",
            list(run.losses[: len(right)]),
            Text(
                "The training is right. You return the *training* losses; the validation losses are"
                " asked for.",
                "학습은 맞아요. *훈련* 손실을 돌려주었는데 검증 손실이 필요해요.",
            ),
        ),
        *(
            Mistake(
                "one_number_returned",
                value,
                Text(
                    "The training is right. You return `{value}` alone; a list with the validation loss"
                    " of every epoch is asked for.",
                    "학습은 맞아요. `{value}`만 돌려주었는데, 에포크마다의 검증 손실을 담은 리스트가"
                    " 필요해요.",
                ),
            )
            for value in (right[best - 1], right[-1], best, best - 1, len(right))
        ),
        Mistake(
            "last_loss_not_noted",
            right[:-1],
            Text(
                "The training is right. The last loss is missing in your list: note it before you"
                " `break`.",
                "학습은 맞아요. 리스트에 마지막 손실이 없어요. `break`하기 전에 적으세요.",
            ),
        ),
        *(
            Mistake(
                "only_the_bests_noted",
                value,
                Text(
                    "The training is right. Your list leaves out the epochs without a new best; note the loss"
                    " of every epoch.",
                    "학습은 맞아요. 새 기록이 아닌 에포크가 리스트에 없어요. 모든 에포크의 손실을 적으세요.",
                ),
            )
            for value in ([x for i, x in enumerate(right) if _best(right[: i + 1]) == i + 1],)
        ),
        Mistake(
            "running_best_noted",
            np.minimum.accumulate(right),
            Text(
                "The training is right. Your list repeats the best so far; note the loss of each epoch.",
                "학습은 맞아요. 리스트에 그때까지의 최고 기록이 반복돼요. 에포크마다의 손실을 적으세요.",
            ),
        ),
    ]
    finding = compare(played.value, right, mistakes)
    return finding and Finding(finding.name, finding.text, 0.75)


VALIDATED_FIRST = Finding(
    "validated_before_training",
    Text(
        "You validate *before* you train, so each loss is that of the epoch before. Train, then validate.",
        "학습하기 *전에* 검증해서 손실이 앞 에포크의 것이에요. 학습한 다음 검증하세요.",
    ),
)

PUT_BACK_ON_THE_WAY = Finding(
    "put_back_on_the_way",
    Text(
        "Your loop puts older weights back into the model between two epochs, so the training does not go"
        " on from where it was. Keep the best weights on the way, and put them back once, at the end.",
        "반복문이 에포크 사이에 옛 가중치를 모델에 되돌려 놓아서 학습이 이어지지 않아요. 도중에는 가장 좋은 가중치를 보관만 하고"
        " 끝에 한 번 되돌리세요.",
    ),
)

TOO_MANY = Finding(
    "too_many_epochs",
    Text(
        "Your loop trains on after `most_epochs`. There are two reasons to stop: patience is at its end,"
        " or the epochs are.",
        "반복문이 `most_epochs`를 넘어서도 학습해요. 멈추는 이유는 둘이에요. 기다림이 끝났거나 에포크가"
        " 끝났거나.",
    ),
)

NEVER_TRAINED = Finding(
    "never_trained",
    Text(
        "Your function never calls `train_epoch()`, so the model learns nothing.",
        "함수가 `train_epoch()`을 한 번도 호출하지 않아서 모델이 아무것도 배우지 않아요.",
    ),
)
