"""The problems of lesson 4, sequential models."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from utils.problems.answers import NOT_ATTEMPTED, is_unwritten, not_a_function, run
from utils.problems.judging import RETURNS_NOTHING, Mistake, judge
from utils.problems.looking import gradients_of
from utils.problems.missing_gradients import why_none
from utils.problems.problem import Cases, Finding, problem
from utils.problems.text import Text
from utils.problems.values import agree, is_blank, numbers, plain, show
from utils.problems.variations import Recipe

Array = NDArray[np.float64]


@problem(
    "4.1",
    section="A dense layer multiplies and adds and bends",
    objective=4,
    difficulty=1,
    points=2,
    cases=[([784, 128, 10],), ([2, 3, 4],), ([5, 1],), ([4, 8, 8, 3],)],
    hints=[
        Text(
            "Look at one layer first: every input is joined to every unit by a weight, and each"
            " unit has one number more.",
            "먼저 층 하나만 보세요. 모든 입력이 모든 유닛과 가중치로 이어지고, 유닛마다 숫자가 하나 더 있어요.",
        ),
        Text(
            "A layer from `a` inputs to `b` units has `a * b` weights and `b` biases. Go through"
            " neighbouring pairs of `widths` and add up.",
            "입력 `a`개, 유닛 `b`개인 층에는 가중치 `a * b`개와 편향 `b`개가 있어요. `widths`에서 이웃한 두 값을"
            " 차례로 보며 더하세요.",
        ),
        Text(
            "`zip(widths[:-1], widths[1:])` gives the pairs; add `(a + 1) * b` for each.",
            "`zip(widths[:-1], widths[1:])`이 두 값씩 묶어 줘요. 각각 `(a + 1) * b`를 더하세요.",
        ),
    ],
    remark=Text(
        "For 784, 128 and 10 nearly all of the 101,770 parameters lie in the first layer. It is the"
        " place to save when a model is too large.",
        "784, 128, 10이면 101,770개 파라미터가 거의 모두 첫 층에 있어요. 모델이 너무 클 때 줄여야 할 곳이죠.",
    ),
)
def count_parameters(cases: Cases, f: Any) -> Finding | None:
    def total(per_layer: Callable[[int, int], int]) -> Callable[[Sequence[int]], int]:
        return lambda widths: sum(per_layer(a, b) for a, b in pairwise(widths))

    return judge(
        f,
        cases,
        right=total(lambda a, b: a * b + b),
        prepare=lambda widths: (list(widths),),
        mistakes=[
            Mistake(
                "no_biases",
                total(lambda a, b: a * b),
                Text(
                    "`{value}` counts the weights and forgets the biases: every unit has one.",
                    "`{value}`은(는) 가중치만 세고 편향을 빠뜨렸어요. 유닛마다 편향이 하나씩 있어요.",
                ),
            ),
            Mistake(
                "bias_per_input",
                total(lambda a, b: a * b + a),
                Text(
                    "`{value}` gives each *input* of a layer a bias. A bias belongs to a unit, so a"
                    " layer has as many as it has outputs.",
                    "`{value}`은(는) 층의 *입력*마다 편향을 주었어요. 편향은 유닛에 속하므로 출력의 개수만큼 있어요.",
                ),
            ),
            Mistake(
                "bias_per_layer",
                total(lambda a, b: a * b + 1),
                Text(
                    "`{value}` gives each layer a single bias. Each of its units has one of its own.",
                    "`{value}`은(는) 층마다 편향을 하나만 주었어요. 유닛마다 자기 편향이 있어요.",
                ),
            ),
            Mistake(
                "biases_only",
                lambda widths: sum(widths[1:]),
                Text(
                    "`{value}` is the number of biases, one for each unit. The weights between the"
                    " layers are missing.",
                    "`{value}`은(는) 유닛마다 하나인 편향의 개수예요. 층 사이의 가중치가 빠졌어요.",
                ),
            ),
            Mistake(
                "widths_added",
                lambda widths: sum(widths),
                Text(
                    "`{value}` adds up the widths, so it counts units and inputs. Parameters sit on"
                    " the connections: multiply neighbouring widths.",
                    "`{value}`은(는) 너비를 더한 값, 즉 유닛과 입력의 개수예요. 파라미터는 연결에 있으니 이웃한"
                    " 너비를 곱하세요.",
                ),
            ),
            Mistake(
                "product_of_all",
                lambda widths: math.prod(widths),
                Text(
                    "`{value}` multiplies all widths at once. Only neighbouring layers are joined;"
                    " add up layer by layer.",
                    "`{value}`은(는) 모든 너비를 한꺼번에 곱했어요. 이웃한 층끼리만 이어지니 층마다 더하세요.",
                ),
            ),
            Mistake(
                "input_has_biases",
                lambda widths: total(lambda a, b: a * b + b)(widths) + widths[0],
                Text(
                    "`{value}` counts biases for the input as well. The input is no layer and has no"
                    " parameters.",
                    "`{value}`은(는) 입력의 편향까지 셌어요. 입력은 층이 아니라서 파라미터가 없어요.",
                ),
            ),
            Mistake(
                "last_layer_missing",
                lambda widths: total(lambda a, b: a * b + b)(widths[:-1]),
                Text(
                    "`{value}` stops one layer early: the last one, to {inputs}'s last width, is not"
                    " counted.",
                    "`{value}`에는 마지막 층이 빠졌어요. {inputs}의 마지막 너비로 가는 층도 세세요.",
                ),
            ),
            Mistake(
                "first_layer_missing",
                lambda widths: total(lambda a, b: a * b + b)(widths[1:]),
                Text(
                    "`{value}` leaves out the first layer, from the input to the first units.",
                    "`{value}`에는 입력에서 첫 유닛들로 가는 첫 층이 빠졌어요.",
                ),
            ),
            Mistake(
                "first_layer_only",
                lambda widths: widths[0] * widths[1] + widths[1],
                Text(
                    "`{value}` is the first layer alone. Go on through the other pairs of widths.",
                    "`{value}`은(는) 첫 층만 센 값이에요. 나머지 이웃한 너비도 세세요.",
                ),
            ),
            Mistake(
                "last_layer_only",
                lambda widths: widths[-2] * widths[-1] + widths[-1],
                Text(
                    "`{value}` is the last layer alone. Is the total started anew in the loop?",
                    "`{value}`은(는) 마지막 층만 센 값이에요. 반복문 안에서 합을 다시 시작하고 있지 않나요?",
                ),
            ),
            Mistake(
                "all_from_the_input",
                lambda widths: sum(widths[0] * b + b for b in widths[1:]),
                Text(
                    "`{value}` joins every layer to the input, {inputs}'s first number. A layer gets what the"
                    " layer *before* it gives: multiply neighbouring widths.",
                    "`{value}`은(는) 모든 층을 {inputs}의 첫 숫자인 입력에 이었어요. 층은 바로 *앞* 층의 출력을 받으니 이웃한"
                    " 너비를 곱하세요.",
                ),
            ),
            Mistake(
                "product_of_all",
                lambda widths: math.prod(widths) + sum(widths[1:]),
                Text(
                    "`{value}` multiplies all widths with each other and adds the biases. Only neighbouring"
                    " layers are joined: multiply two at a time, and add up layer by layer.",
                    "`{value}`은(는) 모든 너비를 서로 곱하고 편향을 더했어요. 이웃한 층끼리만 이어지니 두 개씩 곱해 층마다"
                    " 더하세요.",
                ),
            ),
            Mistake(
                "two_layers_only",
                lambda w: w[0] * w[1] + w[1] + w[1] * w[-1] + w[-1],
                Text(
                    "`{value}` for {inputs}: your formula is made for three widths, as in the example. There"
                    " may be fewer or more: go through the neighbouring pairs in a loop.",
                    "{inputs}에 대해 `{value}`이(가) 나와요. 예시처럼 너비가 셋일 때의 식이에요. 더 적거나 많을 수 있으니 이웃한"
                    " 두 값씩 반복문으로 보세요.",
                ),
            ),
            Mistake(
                "two_layers_only",
                lambda w: w[0] * w[1] + w[1] + w[1] * w[2] + w[2],
                Text(
                    "`{value}` for {inputs}: your formula is made for three widths, as in the example. There"
                    " may be fewer or more: go through the neighbouring pairs in a loop.",
                    "{inputs}에 대해 `{value}`이(가) 나와요. 예시처럼 너비가 셋일 때의 식이에요. 더 적거나 많을 수 있으니 이웃한"
                    " 두 값씩 반복문으로 보세요.",
                ),
            ),
            Mistake(
                "last_layer_without_biases",
                lambda widths: sum(a * b for a, b in pairwise(widths)) + sum(widths[1:-1]),
                Text(
                    "`{value}` counts no biases for the last layer. It has one for each unit like the others.",
                    "`{value}`은(는) 마지막 층의 편향을 세지 않았어요. 다른 층처럼 유닛마다 하나씩 있어요.",
                ),
            ),
            Mistake(
                "every_pair_joined",
                lambda widths: (
                    sum(a * b for i, a in enumerate(widths) for b in widths[i + 1 :])
                    + sum(widths[1:])
                ),
                Text(
                    "`{value}` joins every layer to every later one. Only neighbours are joined.",
                    "`{value}`은(는) 층을 뒤의 모든 층과 이었어요. 이웃한 층끼리만 이어져요.",
                ),
            ),
            Mistake(
                "both_biases",
                total(lambda a, b: a * b + a + b),
                Text(
                    "`{value}` adds a bias for the inputs *and* for the units. Only the units have one.",
                    "`{value}`은(는) 입력*과* 유닛 모두에 편향을 더했어요. 편향은 유닛에만 있어요.",
                ),
            ),
            Mistake(
                "biases_twice",
                total(lambda a, b: a * b + 2 * b),
                Text(
                    "`{value}` counts every bias twice.",
                    "`{value}`은(는) 편향을 두 번씩 셌어요.",
                ),
            ),
            Mistake(
                "biases_subtracted",
                total(lambda a, b: a * b - b),
                Text(
                    "`{value}` takes the biases off; they come on top of the weights.",
                    "`{value}`은(는) 편향을 뺐어요. 가중치에 더해야 해요.",
                ),
            ),
            Mistake(
                "per_layer_list",
                lambda widths: [a * b + b for a, b in pairwise(widths)],
                Text(
                    "`{value}` has the right number for each layer; one total is asked for.",
                    "`{value}`은(는) 층마다 맞는 개수예요. 여기서는 합계 하나가 필요해요.",
                ),
            ),
        ],
        recipes=[
            Recipe(
                """
def count_parameters(widths):
    total = 0
    for i in range(len(widths) - 1):
        total += widths[i] * widths[i + 1] + widths[i + 1]
    return total
"""
            ),
            Recipe(
                """
def count_parameters(widths):
    total = 0
    for inputs, units in zip(widths[:-1], widths[1:]):
        weights = inputs * units
        biases = units
        total += weights + biases
    return total
"""
            ),
        ],
    )


@problem(
    "4.2",
    section="A Sequential model is a plain stack",
    objective=1,
    difficulty=1,
    points=3,
    cases=[(2, [3, 4]), (4, [5, 5, 2]), (3, [1]), (2, [3, 4, 3]), (1, [2, 3, 2, 4])],
    hints=[
        Text(
            "A stack is a list: first an `Input` with the shape of one example, then one `Dense` for"
            " each width.",
            "스택은 리스트예요. 먼저 예제 하나의 모양을 가진 `Input`, 그다음 너비마다 `Dense` 하나씩이에요.",
        ),
        Text(
            "The last layer is different: its activation is none. Build the others in a loop over"
            " `widths[:-1]`.",
            "마지막 층만 달라서 활성화 함수가 없어요. 나머지는 `widths[:-1]`을 돌며 만드세요.",
        ),
        Text(
            '`[keras.Input((inputs,))]`, then `keras.layers.Dense(width, activation="relu")` for'
            " each width but the last, then `keras.layers.Dense(widths[-1])`.",
            '`[keras.Input((inputs,))]` 다음에 마지막을 뺀 너비마다 `keras.layers.Dense(width, activation="relu")`,'
            " 끝에 `keras.layers.Dense(widths[-1])`이에요.",
        ),
    ],
    remark=Text(
        "Because of `Input` the weights are there before any data is. Without it the model would"
        " wait for its first batch to learn how wide that is.",
        "`Input` 덕분에 데이터가 오기 전에 이미 가중치가 있어요. 없으면 모델은 첫 배치를 보고서야 그 너비를 알아요.",
    ),
)
def build_stack(cases: Cases, f: Any) -> Finding | None:
    if is_blank(f) or is_unwritten(f):
        return NOT_ATTEMPTED
    if not callable(f):
        return not_a_function(f)
    for inputs, widths in cases:
        model = run(f, inputs, list(widths))
        finding = _fault_of_a_stack(model, f, inputs, widths)
        if finding:
            return finding
    return None


def _fault_of_a_stack(model: Any, f: Any, inputs: int, widths: Sequence[int]) -> Finding | None:
    case = f"build_stack({inputs}, {list(widths)})"
    finding = _not_a_model(model)
    if finding:
        return finding
    if not model.built or not model.weights:
        return Finding(
            "not_built",
            Text(
                f"The model of `{case}` has no weights yet: nothing tells it how wide its input is."
                " Begin the stack with `keras.Input`.",
                f"`{case}`의 모델에는 아직 가중치가 없어요. 입력의 너비를 모르기 때문이에요."
                " 스택을 `keras.Input`으로 시작하세요.",
            ),
        )
    shapes = [tuple(each.shape) for each in model.get_weights()]
    wanted = [shape for a, b in pairwise([inputs, *widths]) for shape in ((a, b), (b,))]
    if shapes == wanted and (len(model.input_shape) != 2 or model.input_shape[-1] != inputs):
        return Finding(
            "wrong_input",
            Text(
                f"The model of `{case}` takes input of the shape `{model.input_shape}`, where None is"
                f" the batch. `Input` gets the shape of *one* example: `keras.Input(({inputs},))`.",
                f"`{case}`의 모델은 `{model.input_shape}` 모양의 입력을 받아요(None은 배치). `Input`에는 예제"
                f" *하나*의 모양을 `keras.Input(({inputs},))`처럼 주세요.",
            ),
        )
    if shapes != wanted:
        return _other_shapes(shapes, wanted, case, inputs, widths)
    return _other_activations(model, case, inputs) or _works_otherwise_in_training(
        model, case, inputs
    )


def _works_otherwise_in_training(model: Any, case: str, inputs: int) -> Finding | None:
    """Look for layers that were not asked for and do something in training alone."""
    x = tf.ones((64, inputs))
    calm, training = run(model, x), run(lambda x: model(x, training=True), x)
    if isinstance(calm, Finding) or (
        not isinstance(training, Finding) and agree(calm, training, 1e-3)
    ):
        return None
    return Finding(
        "more_than_dense_layers",
        Text(
            f"In training the model of `{case}` gives other answers than otherwise: besides the dense"
            f" layers there is something in it that works in training only, such as a `Dropout`. One dense"
            " layer for each width is asked for, and nothing else.",
            f"`{case}`의 모델은 학습할 때 다른 답을 내요. `Dropout`처럼 학습할 때만 일하는 층이 들어 있어요. 너비마다 밀집 층"
            " 하나씩만 필요하고 다른 것은 필요 없어요.",
        ),
    )


def _not_a_model(model: Any) -> Finding | None:
    if isinstance(model, Finding):
        return model
    if is_blank(model):
        return NOT_ATTEMPTED
    if model is None:
        return RETURNS_NOTHING
    if isinstance(model, list | tuple) and any(isinstance(e, keras.layers.Layer) for e in model):
        return Finding(
            "list_of_layers",
            Text(
                "You return a list of layers. `keras.Sequential(layers)` makes a model of it.",
                "층의 리스트를 돌려주었어요. `keras.Sequential(layers)`로 모델을 만드세요.",
            ),
        )
    if not isinstance(model, keras.Model):
        return Finding(
            "not_a_model",
            Text(
                f"A Keras model is asked for, and the function returns `{show(model)}`.",
                f"Keras 모델이 필요한데 함수가 `{show(model)}`을(를) 돌려주었어요.",
            ),
        )
    return None


def _other_shapes(
    shapes: list[Any], wanted: list[Any], case: str, inputs: int, widths: Sequence[int]
) -> Finding:
    told = Text(
        f"The weights of `{case}` have the shapes `{shapes}`.",
        f"`{case}`의 가중치 모양은 `{shapes}`예요.",
    )
    kernels = [shape for shape in shapes if len(shape) == 2]
    named = [
        (
            "no_biases",
            shapes == wanted[::2],
            Text(
                "The biases are missing: leave `use_bias` as it is.",
                "편향이 없어요. `use_bias`를 그대로 두세요.",
            ),
        ),
        (
            "last_layer_missing",
            shapes == wanted[:-2],
            Text(
                "The last layer is missing: every width is a layer, the last one too.",
                "마지막 층이 없어요. 너비마다 층이 하나씩이고, 마지막 너비도 마찬가지예요.",
            ),
        ),
        (
            "input_as_a_layer",
            kernels[:1] == [(inputs, inputs)] and kernels[1:] == wanted[::2],
            Text(
                "There is a `Dense` layer for the input as well. `Input` only says a shape; the"
                " first layer has the first width.",
                "입력에도 `Dense` 층이 있어요. `Input`은 모양만 말해 주고, 첫 층의 너비는 첫 번째 값이에요.",
            ),
        ),
        (
            "first_width_missing",
            kernels == [(a, b) for a, b in pairwise([inputs, *widths[1:]])],
            Text(
                "The first width is left out: it is a layer of its own, not the input.",
                "첫 번째 너비가 빠졌어요. 그것은 입력이 아니라 하나의 층이에요.",
            ),
        ),
        (
            "reversed",
            kernels == [(a, b) for a, b in pairwise([inputs, *reversed(widths)])],
            Text("The widths come in reverse order.", "너비의 순서가 거꾸로예요."),
        ),
        (
            "no_biases",
            kernels == wanted[::2] and len(shapes) < len(wanted),
            Text(
                "Some layers have no bias: leave `use_bias` as it is, in every layer.",
                "편향이 없는 층이 있어요. 모든 층에서 `use_bias`를 그대로 두세요.",
            ),
        ),
        (
            "more_than_dense_layers",
            len(shapes) > len(wanted) and kernels == wanted[::2],
            Text(
                "The dense layers are right, and there are layers with weights of their own between them"
                " that nobody asked for, such as a normalisation.",
                "밀집 층은 맞지만 그 사이에 정규화처럼 자기 가중치를 가진, 필요 없는 층이 있어요.",
            ),
        ),
        (
            "wrong_input",
            kernels[1:] == wanted[2::2] and kernels[0][1] == widths[0],
            Text(
                f"The first layer expects {kernels[0][0] if kernels else 0} numbers an example, and"
                f" an example has {inputs}: `keras.Input(({inputs},))`. The batch is not part of"
                " that shape.",
                f"첫 층이 예제마다 숫자 {kernels[0][0] if kernels else 0}개를 기대하는데 예제는"
                f" {inputs}개예요. `keras.Input(({inputs},))`처럼 쓰고, 배치는 이 모양에 넣지 마세요.",
            ),
        ),
        (
            "one_layer_too_many",
            shapes[: len(wanted)] == wanted,
            Text(
                "There is a layer more than there are widths.",
                "너비의 개수보다 층이 하나 더 많아요.",
            ),
        ),
        (
            "same_width_everywhere",
            len(set(widths)) > 1 and len({k[1] for k in kernels}) == 1 and len(kernels) > 1,
            Text(
                "All layers are as wide as each other. Give each one its own width.",
                "모든 층의 너비가 같아요. 층마다 자기 너비를 주세요.",
            ),
        ),
        (
            "two_dimensions_expected",
            bool(kernels) and kernels[0][0] != inputs and len(shapes) == len(wanted),
            Text(
                "Compare the first shape with the number of inputs.",
                "첫 번째 모양을 입력의 개수와 비교해 보세요.",
            ),
        ),
    ]
    for name, fits, text in named:
        if fits:
            return Finding(name, told + text)
    return Finding(
        "other_layers",
        told + Text(f"`{wanted}` are asked for.", f"필요한 모양은 `{wanted}`예요."),
    )


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "none": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True),
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.2 * z),
    "softplus": lambda z: np.logaddexp(0, z),
    "silu": lambda z: z / (1 + np.exp(-z)),
    "gelu": lambda z: z / 2 * (1 + np.vectorize(math.erf)(z / math.sqrt(2))),
    "relu6": lambda z: np.clip(z, 0, 6),
    "hard_sigmoid": lambda z: np.clip(z / 6 + 0.5, 0, 1),
}


def _other_activations(model: Any, case: str, inputs: int) -> Finding | None:
    """Give the model weights of our own and see which activations explain what it answers."""
    random = np.random.default_rng(4)
    weights = [random.normal(size=each.shape) for each in model.get_weights()]
    kept = model.get_weights()
    x = random.normal(size=(6, inputs))
    model.set_weights(weights)
    y = run(lambda: plain(model(tf.constant(x, tf.float32))))
    model.set_weights(kept)
    if isinstance(y, Finding):
        return y
    layers = len(weights) // 2
    hidden_choices = ACTIVATIONS if layers > 1 else {"relu": ACTIVATIONS["relu"]}
    for hidden in hidden_choices:
        for last in ACTIVATIONS:
            names = [hidden] * (layers - 1) + [last]
            if not agree(y, _forward(x, weights, names), 1e-3):
                continue
            if (hidden, last) == ("relu", "none"):
                return None
            return _named_activations(hidden, last, case, layers)
    mixed = _mixed_activations(x, y, weights)
    if mixed:
        return _one_layer_differs(mixed, case)
    return Finding(
        "other_activations",
        Text(
            f"The layers of `{case}` have the right shapes, and yet it does not compute what `relu`"
            " on every layer but the last computes. Is one of the activations different?",
            f"`{case}`의 층 모양은 맞지만, 마지막을 뺀 모든 층에 `relu`를 쓴 결과와 달라요."
            " 활성화 함수가 다른 층이 있지 않나요?",
        ),
    )


def _mixed_activations(x: Array, y: Any, weights: Sequence[Array]) -> tuple[str, ...]:
    """Return the activations of a stack of three or four layers that explain its answers."""
    layers = len(weights) // 2
    choices = [*ACTIVATIONS] if layers <= 3 else ["relu", "none", "sigmoid", "tanh", "softmax"]
    if not 2 <= layers <= 5:
        return ()
    for names in itertools.product(choices, repeat=layers):
        if agree(y, _forward(x, weights, names), 1e-3):
            return names
    return ()


def _one_layer_differs(names: Sequence[str], case: str) -> Finding:
    """Say which layer of a stack has another activation than it should have."""
    wanted = ["relu"] * (len(names) - 1) + ["none"]
    place = next(i for i, (one, two) in enumerate(zip(names, wanted, strict=True)) if one != two)
    has = "no activation" if names[place] == "none" else f"`{names[place]}`"
    has_ko = "활성화 함수가 없어요" if names[place] == "none" else f"`{names[place]}`이(가) 있어요"
    belongs = "`relu`" if wanted[place] == "relu" else "no activation"
    return Finding(
        "other_activations",
        Text(
            f"Layer {place + 1} of `{case}` has {has}, where {belongs} belongs: every layer but the last"
            " one ends in `relu`, whatever its width and its place.",
            f"`{case}`의 {place + 1}번째 층에는 {has_ko}. 너비나 자리와 상관없이 마지막 층만 빼고 모두 `relu`로 끝나요.",
        ),
    )


def _named_activations(hidden: str, last: str, case: str, layers: int) -> Finding:
    if hidden == "relu":
        return Finding(
            "activation_on_the_last" if last == "relu" else f"{last}_on_the_last",
            Text(
                f"The last layer of `{case}` ends in `{last}`. It should give its numbers as they"
                " are, negative ones too: leave its `activation` out.",
                f"`{case}`의 마지막 층이 `{last}`로 끝나요. 음수까지 있는 그대로 내보내야 하니 `activation`을"
                " 빼세요.",
            ),
        )
    if hidden == "none" and last != "none":
        return Finding(
            "activations_exchanged",
            Text(
                f"In `{case}` the last layer ends in `{last}` and the others have no activation. It is the other"
                " way round: `relu` on every layer but the last.",
                f"`{case}`에서 마지막 층이 `{last}`로 끝나고 나머지에는 활성화 함수가 없어요. 반대로 마지막을 뺀 모든 층에 `relu`가"
                " 있어야 해요.",
            ),
        )
    if hidden == "none":
        return Finding(
            "no_activation",
            Text(
                f"No layer of `{case}` has `relu`. Without a bend between them, {layers} layers"
                " compute no more than one could.",
                f"`{case}`의 어느 층에도 `relu`가 없어요. 사이에 꺾임이 없으면 층이 {layers}개여도 하나와 같아요.",
            ),
        )
    return Finding(
        "other_activation",
        Text(
            f"The hidden layers of `{case}` use `{hidden}`; `relu` is asked for.",
            f"`{case}`의 은닉층이 `{hidden}`을(를) 써요. 여기서는 `relu`가 필요해요.",
        ),
    )


def _forward(x: Array, weights: Sequence[Array], activations: Sequence[str]) -> Array:
    for kernel, bias, name in zip(weights[::2], weights[1::2], activations, strict=True):
        x = ACTIVATIONS[name](x @ kernel + bias)
    return x


def _layer(
    rows: int, inputs: int, units: int, seed: int, size: float = 1.0
) -> tuple[Array, Array, Array]:
    """Return data of about ``size``, a kernel and a bias, drawn at random, rounded to 2 places."""
    random = np.random.default_rng(seed)
    drawn = (random.normal(size=s) for s in ((rows, inputs), (inputs, units), (units,)))
    x, kernel, bias = (np.round(each, 2) for each in drawn)
    return size * x, kernel, bias


def _of_layer(f: Callable[[Array, Array, Array], Any]) -> Callable[..., Any]:
    """Make a function of x, kernel and bias a function of a case's four numbers."""
    return lambda *numbers_: f(*_layer(*numbers_))


def _after_the_sum(activation: Callable[..., Any]) -> Callable[..., Any]:
    return _of_layer(lambda x, w, b: activation(x @ w + b))


def _shapes(rows: int, inputs: int, units: int, seed: int, size: float = 1.0) -> str:
    return f"x {(rows, inputs)}, kernel {(inputs, units)}"


def _tensors(*case: int) -> tuple[Any, ...]:
    x, kernel, bias = _layer(*case)
    return (
        tf.constant(x, tf.float32),
        tf.Variable(kernel, dtype=tf.float32),
        tf.Variable(bias, dtype=tf.float32),
    )


@problem(
    "4.3",
    section="A dense layer multiplies and adds and bends",
    objective=4,
    difficulty=2,
    points=3,
    cases=[(4, 4, 4, 3), (5, 3, 4, 1), (1, 2, 3, 2), (3, 2, 4, 4, 100.0)],
    hints=[
        Text(
            "Three steps, each one op: a matrix product, a sum, and the activation.",
            "세 단계이고, 각각 연산 하나예요. 행렬곱, 덧셈, 활성화 함수.",
        ),
        Text(
            "Each row of `x` is an example, so `x` stands on the left of the product. The bias is"
            " added *before* the activation, and broadcasting adds it to every row.",
            "`x`의 각 행이 예제이므로 `x`가 곱의 왼쪽에 와요. 편향은 활성화 *전에* 더하고, 브로드캐스팅이 모든 행에"
            " 더해 줘요.",
        ),
        Text(
            "Write `tf.nn.relu(x @ kernel + bias)`.",
            "`tf.nn.relu(x @ kernel + bias)`라고 쓰세요.",
        ),
    ],
    remark=Text(
        "That is all that `keras.layers.Dense` computes. The rest of it looks after making, naming"
        " and saving the two variables.",
        "`keras.layers.Dense`가 계산하는 것은 이것이 전부예요. 나머지는 두 변수를 만들고 이름 붙이고 저장하는 일이에요.",
    ),
)
def dense(cases: Cases, f: Any) -> Finding | None:
    relu = ACTIVATIONS["relu"]
    wrong = judge(
        f,
        cases,
        right=_of_layer(lambda x, w, b: relu(x @ w + b)),
        prepare=_tensors,
        describe=_shapes,
        mistakes=[
            Mistake(
                "no_activation",
                _of_layer(lambda x, w, b: x @ w + b),
                Text(
                    "The product and the bias are right; the activation is missing: negative numbers"
                    " should come out as 0.",
                    "곱과 편향은 맞는데 활성화 함수가 빠졌어요. 음수는 0이 되어야 해요.",
                ),
            ),
            Mistake(
                "bias_after_activation",
                _of_layer(lambda x, w, b: relu(x @ w) + b),
                Text(
                    "The bias is added after `relu`. It belongs inside: it decides where the bend is.",
                    "편향을 `relu` 뒤에 더했어요. 꺾이는 자리를 정하는 값이므로 `relu` 안에서 더해야 해요.",
                ),
            ),
            Mistake(
                "no_bias",
                _of_layer(lambda x, w, b: relu(x @ w)),
                Text("The bias is not added.", "편향을 더하지 않았어요."),
            ),
            Mistake(
                "product_only",
                _of_layer(lambda x, w, b: x @ w),
                Text(
                    "That is the product alone: the bias and the activation are missing.",
                    "행렬곱뿐이에요. 편향과 활성화 함수가 빠졌어요.",
                ),
            ),
            Mistake(
                "bias_subtracted",
                _of_layer(lambda x, w, b: relu(x @ w - b)),
                Text("The bias is subtracted; add it.", "편향을 뺐어요. 더해야 해요."),
            ),
            Mistake(
                "bias_multiplied",
                _of_layer(lambda x, w, b: relu(x @ w * b)),
                Text(
                    "The product is multiplied by the bias; add it.",
                    "편향을 곱했어요. 더해야 해요.",
                ),
            ),
            Mistake(
                "relu_on_the_input",
                _of_layer(lambda x, w, b: relu(x) @ w + b),
                Text(
                    "`relu` is applied to the input. It comes last, after the bias.",
                    "`relu`를 입력에 적용했어요. 편향을 더한 뒤 마지막에 적용하세요.",
                ),
            ),
            Mistake(
                "relu_twice",
                _of_layer(lambda x, w, b: relu(relu(x @ w) + b)),
                Text(
                    "`relu` is applied to the product already, before the bias, and once more after it. Once, at the end, is enough.",
                    "편향을 더하기 전에 이미 `relu`를 적용하고 뒤에 또 적용했어요. 마지막에 한 번이면 돼요.",
                ),
            ),
            Mistake(
                "averaged_over_examples",
                _of_layer(lambda x, w, b: relu(x @ w + b).mean(axis=0)),
                Text(
                    "`{value}` is the average over the examples. A layer answers each example on its own: one row for each.",
                    "`{value}`은(는) 예제들의 평균이에요. 층은 예제마다 따로 답하니 예제마다 한 행이 필요해요.",
                ),
            ),
            Mistake(
                "summed_over_examples",
                _of_layer(lambda x, w, b: relu(x @ w + b).sum(axis=0)),
                Text(
                    "`{value}` is the sum over the examples. A layer answers each example on its own: one row for each.",
                    "`{value}`은(는) 예제들의 합이에요. 층은 예제마다 따로 답하니 예제마다 한 행이 필요해요.",
                ),
            ),
            Mistake(
                "kernel_transposed",
                _of_layer(lambda x, w, b: relu(x @ w.T + b)),
                Text(
                    "The kernel is transposed; that only fits by chance when it is square.",
                    "커널이 전치되었어요. 정사각형일 때만 우연히 맞는 모양이에요.",
                ),
            ),
            Mistake(
                "sides_swapped",
                _of_layer(lambda x, w, b: relu(w @ x + b)),
                Text(
                    "The kernel stands on the left of the product: each row of `x` is an example, so"
                    " it is `x @ kernel`.",
                    "곱에서 커널이 왼쪽에 있어요. `x`의 각 행이 예제이므로 `x @ kernel`이에요.",
                ),
            ),
            Mistake(
                "elementwise",
                _of_layer(lambda x, w, b: relu(x * w + b)),
                Text(
                    "`*` multiplies place by place. A layer needs the matrix product, `@`.",
                    "`*`는 자리마다 곱해요. 층에는 행렬곱 `@`가 필요해요.",
                ),
            ),
            *(
                Mistake(
                    "other_activation",
                    _after_the_sum(other),
                    Text(
                        f"Product and bias are right, and then comes {name[0]}. `relu` is asked for: negative"
                        " numbers become 0, and all others stay as they are.",
                        f"곱과 편향은 맞지만 그 뒤에 {name[1]}이(가) 와요. `relu`가 필요해요. 음수는 0이 되고 나머지는 그대로예요.",
                    ),
                )
                for name, other in OTHER_ACTIVATIONS
            ),
            Mistake(
                "bias_twice",
                _of_layer(lambda x, w, b: relu(x @ w + 2 * b)),
                Text("The bias is added twice.", "편향을 두 번 더했어요."),
            ),
            Mistake(
                "bias_of_the_first_unit",
                _of_layer(lambda x, w, b: relu(x @ w + b[0])),
                Text(
                    "Every unit gets the first one's bias. Each has its own: add `bias` as a whole.",
                    "모든 유닛에 첫 유닛의 편향을 더했어요. 유닛마다 자기 편향이 있으니 `bias` 전체를 더하세요.",
                ),
            ),
        ],
        recipes=[
            Recipe(
                """
def dense(x, kernel, bias):
    total = x @ kernel + bias
    return tf.nn.relu(total)
""",
                _tensors,
            ),
        ],
    )
    if wrong is not None and wrong.name == "changes_from_call_to_call":
        return Finding("own_weights", OWN_WEIGHTS)
    return wrong or _gradient_fault(f, cases[0])


OTHER_ACTIVATIONS: tuple[tuple[tuple[str, str], Callable[[Array], Array]], ...] = (
    (("a sigmoid", "시그모이드"), ACTIVATIONS["sigmoid"]),
    (("tanh", "tanh"), ACTIVATIONS["tanh"]),
    (("a softmax", "소프트맥스"), ACTIVATIONS["softmax"]),
    (("an absolute value", "절댓값"), np.abs),
    (
        ("a minimum, which keeps the negative numbers", "음수를 남기는 최솟값"),
        lambda z: np.minimum(z, 0),
    ),
    (("a leaky relu", "leaky relu"), lambda z: np.where(z > 0, z, 0.2 * z)),
    (("a leaky relu", "leaky relu"), lambda z: np.where(z > 0, z, 0.01 * z)),
    (("an ELU", "ELU"), lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0)))),
    (("a softplus", "softplus"), lambda z: np.logaddexp(0, z)),
    (("a step, 0 or 1", "0과 1의 계단"), lambda z: (z > 0).astype(float)),
    (
        (
            "a cut at 0 and at 1 (`relu` has no upper end)",
            "0과 1에서 자르기(`relu`에는 위쪽 끝이 없음)",
        ),
        lambda z: np.clip(z, 0, 1),
    ),
    *(
        (
            (
                f"a relu cut off at {top} (`relu` has no upper end)",
                f"{top}에서 잘린 relu(`relu`에는 위쪽 끝이 없음)",
            ),
            lambda z, top=top: np.clip(z, 0, top),
        )
        for top in (6, 10, 20, 100)
    ),
    (("a relu of the negative sums", "부호를 바꾼 합의 relu"), lambda z: np.maximum(-z, 0)),
    (("a square", "제곱"), np.square),
    (("a squared relu", "relu의 제곱"), lambda z: np.maximum(z, 0) ** 2),
    (("an exponential", "지수 함수"), np.exp),
    (("a swish", "swish"), ACTIVATIONS["silu"]),
    (("a GELU", "GELU"), ACTIVATIONS["gelu"]),
)

OWN_WEIGHTS = Text(
    "Called twice with the same inputs your layer gives two answers: a new `Dense` draws weights of its"
    " own. Use the `kernel` and the `bias` that are handed in.",
    "같은 입력으로 두 번 부르면 답이 달라요. 새 `Dense`는 자기 가중치를 무작위로 뽑아요. 받은 `kernel`과 `bias`를 쓰세요.",
)


def _gradient_fault(f: Any, case: tuple[Any, ...]) -> Finding | None:
    """See that the tape finds its way through the layer to kernel and bias."""
    x, kernel, bias = _layer(*case)
    tensors = _tensors(*case)
    found = gradients_of(f, [1, 2], None, *tensors)
    if any(each is None for each in found):
        cause = why_none(f, tensors)
        return Finding(
            cause.name,
            Text(
                "The values are right, but the layer cannot be trained.",
                "값은 맞지만 이 층은 학습할 수 없어요.",
            )
            + cause.text,
            0.5,
        )
    active = (x @ kernel + bias > 0).astype(float)
    if agree(list(found), [x.T @ active, active.sum(axis=0)], 1e-3):
        return None
    return Finding(
        "other_gradient",
        Text(
            "The values are right and the gradients are not: somewhere a value is computed in a way"
            " that the tape differentiates otherwise.",
            "값은 맞지만 그래디언트가 달라요. 테이프가 다르게 미분하는 계산이 어딘가 있어요.",
        ),
        0.5,
    )


@problem(
    "4.4",
    section="Inactive for one input is not dead for all",
    objective=3,
    difficulty=2,
    points=4,
    cases=[(6, 3, 12, 11), (4, 2, 10, 12), (8, 3, 14, 13), (3, 2, 8, 0)],
    hints=[
        Text(
            "First compute what goes into `relu`, for all examples at once: a table with a row for"
            " each example and a column for each neuron.",
            "먼저 `relu`에 들어가는 값을 모든 예제에 대해 한 번에 계산하세요. 행은 예제, 열은 뉴런인 표예요.",
        ),
        Text(
            "A neuron is dead when its *whole column* is zero or below. Which axis of the table runs"
            " along the examples?",
            "열 *전체*가 0 이하일 때 그 뉴런은 죽은 거예요. 표에서 예제를 따라가는 축은 어느 쪽인가요?",
        ),
        Text(
            "`np.flatnonzero(np.all(x @ kernel + bias <= 0, axis=0))`",
            "`np.flatnonzero(np.all(x @ kernel + bias <= 0, axis=0))`을 쓰세요.",
        ),
    ],
    remark=Text(
        "Dead for these examples is all that data can tell. Another example may still wake the"
        " neuron up; but its own weights get no gradient from any of these.",
        "데이터로 알 수 있는 것은 이 예제들에 대해 죽었다는 것뿐이에요. 다른 예제가 깨울 수도 있지만, 이 예제들로는"
        " 가중치에 그래디언트가 전혀 오지 않아요.",
    ),
)
def dead_neurons(cases: Cases, f: Any) -> Finding | None:
    def where(mask: Callable[[Array, Array, Array], Any]) -> Callable[..., Any]:
        return _of_dying(lambda x, w, b: np.flatnonzero(mask(x, w, b)))

    def is_right(value: Any, case: tuple[Any, ...]) -> bool:
        mine = numbers(value)
        wanted = _of_dying(lambda x, w, b: np.flatnonzero((x @ w + b <= 0).all(axis=0)))(*case)
        return mine is not None and mine.ndim == 1 and agree(np.sort(mine), wanted)

    def dead(x: Array, w: Array, b: Array) -> Any:
        return (x @ w + b <= 0).all(axis=0)

    return judge(
        f,
        cases,
        right=where(dead),
        prepare=_dying_tensors,
        describe=_shapes,
        accept=is_right,
        mistakes=[
            Mistake(
                "inactive_for_one",
                where(lambda x, w, b: (x @ w + b <= 0).any(axis=0)),
                Text(
                    "`{value}` are the neurons that are inactive for *some* example. Dead means"
                    " inactive for every one: `all`, not `any`.",
                    "`{value}`은(는) *어떤* 예제에서 비활성인 뉴런이에요. 죽었다는 것은 모든 예제에서 비활성이라는"
                    " 뜻이에요. `any`가 아니라 `all`이에요.",
                ),
            ),
            Mistake(
                "zero_taken_for_active",
                where(lambda x, w, b: (x @ w + b < 0).all(axis=0)),
                Text(
                    "`{value}` misses neurons whose sum is exactly 0 for some example. `relu` answers 0 there"
                    " too, so they are inactive: compare with `<=`, and `{expected}` comes out.",
                    "`{value}`에는 어떤 예제에서 합이 정확히 0인 뉴런이 빠졌어요. `relu`는 거기서도 0을 내므로 비활성이에요. `<=`로"
                    " 비교하면 `{expected}`이(가) 나와요.",
                ),
                0.5,
            ),
            Mistake(
                "in_a_tuple",
                _of_dying(lambda x, w, b: (np.flatnonzero(dead(x, w, b)),)),
                Text(
                    "The indices are right, but they come inside a tuple, as `np.where` gives them: take its"
                    " first item, `[0]`, or use `np.flatnonzero`.",
                    "인덱스는 맞지만 `np.where`가 주는 것처럼 튜플 안에 들어 있어요. 첫 항목 `[0]`을 꺼내거나"
                    " `np.flatnonzero`를 쓰세요.",
                ),
                0.5,
            ),
            Mistake(
                "first_example_only",
                where(lambda x, w, b: x[0] @ w + b <= 0),
                Text(
                    "`{value}` are inactive for the first example. Others may wake them: look at all"
                    " rows of `x`.",
                    "`{value}`은(는) 첫 예제에서 비활성인 뉴런이에요. 다른 예제가 깨울 수 있으니 `x`의 모든 행을 보세요.",
                ),
            ),
            Mistake(
                "last_example_only",
                where(lambda x, w, b: x[-1] @ w + b <= 0),
                Text(
                    "`{value}` are inactive for the last example. Others may wake them: look at all rows of `x`.",
                    "`{value}`은(는) 마지막 예제에서 비활성인 뉴런이에요. 다른 예제가 깨울 수 있으니 `x`의 모든 행을 보세요.",
                ),
            ),
            Mistake(
                "none_found",
                _of_dying(lambda x, w, b: []),
                Text(
                    "You found no dead neuron, and there are some. Before `relu` a dead one is at or *below* 0, and neurons are the columns: `axis=0`.",
                    "죽은 뉴런을 하나도 찾지 못했는데, 몇 개 있어요. `relu` 앞에서 죽은 뉴런은 0이거나 0보다 *작고*, 뉴런은 열이에요(`axis=0`).",
                ),
            ),
            Mistake(
                "outputs_returned",
                _of_dying(lambda x, w, b: (x @ w + b).max(axis=0)),
                Text(
                    "`{value}` are the largest sums of the neurons themselves; the *indices* of those that stay at or below 0 are asked for.",
                    "`{value}`은(는) 뉴런마다의 가장 큰 합이에요. 0 이하에 머무는 뉴런의 *인덱스*가 필요해요.",
                ),
            ),
            Mistake(
                "the_living",
                where(lambda x, w, b: (x @ w + b > 0).any(axis=0)),
                Text(
                    "`{value}` are the neurons that *live*: the others are asked for.",
                    "`{value}`은(는) *살아 있는* 뉴런이에요. 나머지를 구해야 해요.",
                ),
            ),
            Mistake(
                "always_active",
                where(lambda x, w, b: (x @ w + b > 0).all(axis=0)),
                Text(
                    "`{value}` are active for every example. The dead ones are active for none.",
                    "`{value}`은(는) 모든 예제에서 활성인 뉴런이에요. 죽은 뉴런은 어느 예제에서도 활성이 아니에요.",
                ),
            ),
            Mistake(
                "bias_ignored",
                where(lambda x, w, b: (x @ w <= 0).all(axis=0)),
                Text(
                    "`{value}` leaves out the bias, which can kill a neuron or keep it alive.",
                    "`{value}`에서는 편향이 빠졌어요. 편향은 뉴런을 죽일 수도 살릴 수도 있어요.",
                ),
            ),
            *(
                Mistake(
                    "negative_bias",
                    where(negative),
                    Text(
                        "`{value}` have a negative bias. That alone kills nothing: the product can be"
                        " larger than the bias is low.",
                        "`{value}`은(는) 편향이 음수인 뉴런이에요. 곱이 더 크면 살아 있으니 그것만으로는 죽지 않아요.",
                    ),
                )
                for negative in (lambda x, w, b: b < 0, lambda x, w, b: b <= 0)
            ),
            Mistake(
                "negative_weights",
                where(lambda x, w, b: (w <= 0).all(axis=0)),
                Text(
                    "`{value}` have no positive weight. Negative inputs would still wake them; look at"
                    " what comes out for the data.",
                    "`{value}`은(는) 양수 가중치가 없는 뉴런이에요. 음수 입력이 깨울 수 있으니 데이터에 대한 출력을"
                    " 보세요.",
                ),
            ),
            Mistake(
                "silent_on_average",
                where(lambda x, w, b: (x @ w + b).mean(axis=0) <= 0),
                Text(
                    "`{value}` are below zero *on average*. One example above zero is enough to live.",
                    "`{value}`은(는) *평균*이 0보다 작은 뉴런이에요. 예제 하나만 0보다 커도 살아 있어요.",
                ),
            ),
            Mistake(
                "silent_examples",
                where(lambda x, w, b: (x @ w + b <= 0).all(axis=1)),
                Text(
                    "`{value}` are *examples* (rows) for which all neurons are silent. Neurons are"
                    " the columns: reduce along `axis=0`.",
                    "`{value}`은(는) 모든 뉴런이 침묵하는 *예제*(행)예요. 뉴런은 열이니 `axis=0`으로 줄이세요.",
                ),
            ),
            Mistake(
                "a_mask",
                _of_dying(lambda x, w, b: dead(x, w, b).tolist()),
                Text(
                    "The mask is right. Indices are asked for: `np.flatnonzero(mask)` makes them.",
                    "마스크는 맞아요. 인덱스가 필요하니 `np.flatnonzero(mask)`를 쓰세요.",
                ),
                0.5,
            ),
            Mistake(
                "a_mask",
                _of_dying(lambda x, w, b: dead(x, w, b).astype(int)),
                Text(
                    "The mask is right. Indices are asked for: `np.flatnonzero(mask)` makes them.",
                    "마스크는 맞아요. 인덱스가 필요하니 `np.flatnonzero(mask)`를 쓰세요.",
                ),
                0.5,
            ),
            Mistake(
                "a_count",
                _of_dying(lambda x, w, b: int(dead(x, w, b).sum())),
                Text(
                    "`{value}` is how many are dead; which ones is asked.",
                    "`{value}`은(는) 죽은 뉴런의 개수예요. 어느 뉴런인지가 필요해요.",
                ),
            ),
            Mistake(
                "a_column",
                _of_dying(lambda x, w, b: np.argwhere(dead(x, w, b))),
                Text(
                    "The indices are right, each in a row of its own, as `tf.where` gives them. Flatten"
                    " them: `tf.reshape(..., [-1])`.",
                    "인덱스는 맞지만 `tf.where`가 주는 것처럼 하나씩 행에 들어 있어요."
                    " `tf.reshape(..., [-1])`로 펴세요.",
                ),
                0.5,
            ),
            Mistake(
                "counted_from_one",
                _of_dying(lambda x, w, b: np.flatnonzero(dead(x, w, b)) + 1),
                Text(
                    "These are the right neurons counted from 1; indices begin at 0.",
                    "맞는 뉴런이지만 1부터 셌어요. 인덱스는 0부터 시작해요.",
                ),
            ),
        ],
        recipes=[
            Recipe(
                """
def dead_neurons(x, kernel, bias):
    before_relu = x @ kernel + bias
    silent = before_relu <= 0
    return np.flatnonzero(np.all(silent, axis=0))
""",
                _dying,
            ),
            Recipe(
                """
def dead_neurons(x, kernel, bias):
    outputs = np.maximum(x @ kernel + bias, 0)
    return np.flatnonzero(outputs.sum(axis=0) == 0)
""",
                _dying,
            ),
        ],
    )


def _dying(rows: int, inputs: int, units: int, seed: int) -> tuple[Array, Array, Array]:
    """Return a layer of which some neurons are dead for the data, and why differs."""
    x, kernel, bias = _layer(rows, inputs, units, seed)
    bias = bias * 2 - 0.5
    bias[0], kernel[:, 0] = -9.0, np.abs(kernel[:, 0])  # dead, though its weights are positive
    kernel[:, 1], bias[1] = -np.abs(kernel[:, 1]), 3.0  # alive, though its weights are negative
    kernel[:, 2], bias[2] = 0.0, -0.25  # dead for every input there is
    kernel[:, 3], bias[3] = 0.0, 0.0  # dead: its sum is exactly 0
    kernel[:, 4], bias[4] = np.eye(inputs)[0], -x[:, 0].max()  # dead: 0 for one example, then below
    if seed == 0:
        bias += 20.0  # all alive
    return x, kernel, np.round(bias, 2)


def _of_dying(f: Callable[[Array, Array, Array], Any]) -> Callable[..., Any]:
    return lambda *case: f(*_dying(*case))


def _dying_tensors(*case: int) -> tuple[Any, ...]:
    return tuple(tf.constant(each, tf.float32) for each in _dying(*case))


def _hidden(inputs: int) -> str:
    """Return which activation a sample model has between its layers: relu, or tanh for some."""
    return "tanh" if inputs == 2 else "relu"


def _sample_model(inputs: int, widths: Sequence[int], seed: int) -> Any:
    """Return a built model with random weights.

    A layer that Keras names, in whatever process, can be added to it: no name is taken.
    """
    hidden, last = _hidden(inputs), len(widths) - 1
    layers = [
        keras.layers.Dense(width, None if i == last else hidden, name=f"given_{i + 1}")
        for i, width in enumerate(widths)
    ]
    model = keras.Sequential([keras.Input((inputs,)), *layers])
    random = np.random.default_rng(seed)
    model.set_weights([random.normal(size=each.shape) for each in model.get_weights()])
    return model


def _answers(model: Any, x: Array) -> Any:
    return run(lambda: plain(model(tf.constant(x, tf.float32))))


def _each_model(
    cases: Cases, seed: int
) -> Iterator[tuple[Any, Array, Array, list[Array], tuple[Any, ...]]]:
    """Yield a model, data, its answers and its weights for each case, and what is left of it."""
    for inputs, widths, *more in cases:
        model = _sample_model(inputs, widths, seed)
        x = np.random.default_rng(seed + 1).normal(size=(7, inputs))
        yield model, x, plain(model(tf.constant(x, tf.float32))), model.get_weights(), tuple(more)


@problem(
    "4.5",
    section="A stack can grow and shrink",
    objective=6,
    difficulty=2,
    points=4,
    cases=[(2, [6, 3, 4], 7), (3, [4, 5], 2), (5, [4, 4], 4)],
    hints=[
        Text(
            "`model.layers` is a list of the layers with their weights in them. Which of them do you"
            " want to keep?",
            "`model.layers`는 가중치를 가진 층들의 리스트예요. 그중 어느 것을 남기고 싶나요?",
        ),
        Text(
            "`model.pop()` would change the model that you were given. A new `Sequential` can be made"
            " of `model.layers[:-1]` and a new `Dense`.",
            "`model.pop()`은 받은 모델을 바꿔요. `model.layers[:-1]`과 새 `Dense`로 새 `Sequential`을 만들 수 있어요.",
        ),
        Text(
            "`keras.Sequential([keras.Input(model.input_shape[1:]), *model.layers[:-1],"
            " keras.layers.Dense(units)])`",
            "`keras.Sequential([keras.Input(model.input_shape[1:]), *model.layers[:-1],"
            " keras.layers.Dense(units)])`라고 쓰세요.",
        ),
    ],
    remark=Text(
        "This is transfer learning in small: keep what the first layers have learnt, and teach a new"
        " last layer another task.",
        "이것이 작은 전이 학습이에요. 앞쪽 층이 배운 것은 남기고 새 마지막 층에 다른 일을 가르쳐요.",
    ),
)
def new_head(cases: Cases, f: Any) -> Finding | None:
    if is_blank(f) or is_unwritten(f):
        return NOT_ATTEMPTED
    if not callable(f):
        return not_a_function(f)
    for model, x, before, weights, (units,) in _each_model(cases, 31):
        made = run(f, model, units)
        finding = _not_a_model(made)
        if finding:
            return finding
        if made is model:
            return CHANGED_THE_ORIGINAL
        after = _answers(model, x)
        if isinstance(after, Finding) or not agree(after, before, 1e-3):
            return CHANGED_THE_ORIGINAL
        y = _answers(made, x)
        if isinstance(y, Finding):
            return _fault_of_a_head(made, np.zeros((1, units)), x, weights, units) or y
        if not agree(model.get_weights(), weights) or len(model.layers) != len(weights) // 2:
            return CHANGED_THE_ORIGINAL
        finding = _fault_of_a_head(made, y, x, weights, units)
        if finding:
            return finding
    return None


CHANGED_THE_ORIGINAL = Finding(
    "changed_the_original",
    Text(
        "The model that was handed in is another one afterwards: `pop` and `add` change it in place,"
        " and so does setting weights of layers that both models hold. Make a new `Sequential` and"
        " leave `model` as it is.",
        "넘겨받은 모델이 바뀌었어요. `pop`과 `add`는 그 자리에서 모델을 바꾸고, 두 모델이 함께 가진 층의 가중치를"
        " 바꾸는 것도 마찬가지예요. 새 `Sequential`을 만들고 `model`은 그대로 두세요.",
    ),
)


ACTIVATION_REPLACED = Finding(
    "activation_replaced",
    Text(
        "Layers and weights are right, but between the layers there is `relu` now, and this model had"
        " `tanh`: keep the layers as they are, with whatever activation they have, and do not build them"
        " anew.",
        "층과 가중치는 맞지만 층 사이가 `relu`가 되었어요. 이 모델은 `tanh`였어요. 어떤 활성화 함수든 있는 그대로 층을 남기고 새로"
        " 만들지 마세요.",
    ),
    0.5,
)


def _fault_of_a_head(
    made: Any, y: Any, x: Array, weights: list[Array], units: int
) -> Finding | None:
    mine = made.get_weights()
    kept = weights[:-2]
    hidden = [_hidden(x.shape[1])] * (len(kept) // 2)
    if len(mine) == len(weights) + 2 and agree(mine[: len(weights)], weights):
        return Finding(
            "old_head_kept",
            Text(
                "The new layer stands on top of the old last one, which was to go.",
                "없어져야 할 옛 마지막 층 위에 새 층이 얹혀 있어요.",
            ),
        )
    if y.shape[-1] != units:
        return Finding(
            "other_width",
            Text(
                f"The new model gives {y.shape[-1]} numbers an example, and {units} are asked for.",
                f"새 모델은 예제마다 숫자 {y.shape[-1]}개를 내는데 {units}개가 필요해요.",
            ),
        )
    if agree(mine[:-1], kept) and len(mine) == len(weights) - 1:
        return Finding(
            "head_without_bias",
            Text(
                "The new layer has no bias. `Dense(units)` has one: leave `use_bias` as it is.",
                "새 층에 편향이 없어요. `Dense(units)`에는 편향이 있으니 `use_bias`를 그대로 두세요.",
            ),
            0.5,
        )
    if len(mine) < len(weights) and len(mine) >= 2:
        lost = [
            i // 2 + 1
            for i in range(0, len(kept), 2)
            if not any(agree(kept[i], each) for each in mine)
        ]
        if lost:
            count = len(kept) // 2
            said = ", ".join(map(str, lost))
            return Finding(
                "too_few_layers",
                Text(
                    f"Of the {count} layers that were to stay, number {said} is gone. Only the last layer of"
                    " `model` goes: `model.layers[:-1]` (an `Input` is not among `layers`).",
                    f"남아야 할 층 {count}개 중 {said}번째가 없어졌어요. `model`의 마지막 층만 없애면 돼요:"
                    " `model.layers[:-1]` (`Input`은 `layers`에 들어 있지 않아요).",
                ),
            )
        return Finding(
            "too_few_layers",
            Text(
                "More layers are gone than the last one: count those that are left.",
                "마지막 층 말고도 없어진 층이 있어요. 남은 층을 세어 보세요.",
            ),
        )
    if len(mine) > len(weights):
        return Finding(
            "too_many_layers",
            Text(
                "The new model has more layers than the old one; one was to be replaced.",
                "새 모델의 층이 더 많아요. 하나만 바꾸면 돼요.",
            ),
        )
    if not agree(mine[:-2], kept):
        return Finding(
            "weights_lost",
            Text(
                "The first layers have the right shapes and other weights: what they had learnt is"
                " gone. Put the old layers themselves into the new stack.",
                "앞쪽 층의 모양은 맞지만 가중치가 달라요. 배운 것이 사라졌으니 옛 층을 그대로 새 스택에 넣으세요.",
            ),
        )
    if (
        hidden
        and hidden[0] != "relu"
        and agree(y, _forward(x, mine, ["relu"] * len(hidden) + ["none"]), 1e-3)
    ):
        return ACTIVATION_REPLACED
    for name in ACTIVATIONS:
        if agree(y, _forward(x, mine, [*hidden, name]), 1e-3):
            if name == "none":
                return None
            return Finding(
                "activation_on_the_head",
                Text(
                    f"The new layer ends in `{name}`; leave its activation out.",
                    f"새 층이 `{name}`로 끝나요. 활성화 함수를 빼세요.",
                ),
                0.5,
            )
    return Finding(
        "other_answers",
        Text(
            "Layers and weights are right, and yet the new model computes something else. Did an"
            " activation between the layers get lost?",
            "층과 가중치는 맞지만 다른 것을 계산해요. 층 사이의 활성화 함수가 사라지지 않았나요?",
        ),
    )


@problem(
    "4.6",
    section="The same layers called by hand",
    objective=2,
    difficulty=3,
    points=4,
    cases=[(3, [4, 2]), (2, [5, 5, 1])],
    hints=[
        Text(
            "Two things make a twin: the same kinds of layers, and the same numbers in them.",
            "쌍둥이에게는 두 가지가 필요해요. 같은 종류의 층, 그리고 그 안의 같은 숫자.",
        ),
        Text(
            "`keras.models.clone_model` makes new layers of the same kinds. Their weights are drawn"
            " anew, so they have to be copied: `get_weights` and `set_weights`.",
            "`keras.models.clone_model`은 같은 종류의 새 층을 만들어요. 가중치는 새로 뽑히니 `get_weights`와"
            " `set_weights`로 복사해야 해요.",
        ),
    ],
    remark=Text(
        "`get_weights` hands out copies, which is why the twins do not share a thing afterwards."
        " Target networks in reinforcement learning are made exactly so.",
        "`get_weights`는 복사본을 주기 때문에 쌍둥이는 아무것도 공유하지 않아요. 강화 학습의 타깃 네트워크를 바로"
        " 이렇게 만들어요.",
    ),
)
def twin(cases: Cases, f: Any) -> Finding | None:
    if is_blank(f) or is_unwritten(f):
        return NOT_ATTEMPTED
    if not callable(f):
        return not_a_function(f)
    for model, x, before, weights, _ in _each_model(cases, 47):
        made = run(f, model)
        finding = _not_a_model(made)
        if finding:
            return finding
        if made is model:
            return Finding(
                "same_object",
                Text(
                    "You return the model itself. A second name for it is no second model: whatever"
                    " happens to one happens to the other.",
                    "모델 자체를 돌려주었어요. 이름이 둘이어도 모델은 하나라서, 한쪽에 생긴 일은 다른 쪽에도 생겨요.",
                ),
            )
        finding = _fault_of_a_twin(model, made, x, before, weights)
        if finding and finding.name == "own_weights":
            again = run(f, model)
            if isinstance(again, keras.Model) and agree(again.get_weights(), made.get_weights()):
                return NUMBERS_CHANGED
        if finding:
            return finding
    return _twin_of_a_frozen_model(f)


def _twin_of_a_frozen_model(f: Any) -> Finding | None:
    """See that weights that are not trained are taken over as well."""
    model = _sample_model(3, [4, 2], 48)
    model.layers[0].trainable = False
    x = np.random.default_rng(49).normal(size=(7, 3))
    before = _answers(model, x)
    made = run(f, model)
    if finding := _not_a_model(made):
        return finding
    if agree(_answers(made, x), before, 1e-5):
        return None
    return Finding(
        "frozen_left_out",
        Text(
            "For a model with a frozen layer the twin answers differently: only the weights that can be"
            " trained were copied. `get_weights` holds all of them.",
            "얼어 있는 층이 있는 모델에서는 쌍둥이의 답이 달라요. 학습할 수 있는 가중치만 복사했어요. `get_weights`에는 모두 들어"
            " 있어요.",
        ),
        0.75,
    )


NUMBERS_CHANGED = Finding(
    "numbers_changed",
    Text(
        "Same layers, other answers: the twin's weights are the same at each call, so they are not drawn at"
        " random, but they are other numbers than the model's. Take them over as they are:"
        " `set_weights(model.get_weights())`.",
        "층은 같은데 답이 달라요. 쌍둥이의 가중치는 부를 때마다 같으니 무작위는 아니지만 모델의 것과 다른 숫자예요. 있는 그대로"
        " `set_weights(model.get_weights())`로 가져오세요.",
    ),
)


def _not_copied(mine: list[Array], weights: list[Array]) -> Text:
    """Say which weights of a twin are its own."""
    places = [i for i in range(len(weights)) if not agree(mine[i], weights[i])]
    layers = sorted({i // 2 + 1 for i in places})
    which, which_ko = f"those of layer {', '.join(map(str, layers))}", f"{layers}번째 층"
    if len(layers) == len(weights) // 2 and all(i % 2 for i in places):
        which, which_ko = "the biases", "편향"
    elif len(layers) == len(weights) // 2 and not any(i % 2 for i in places):
        which, which_ko = "the kernels", "커널"
    return Text(
        f"Same layers, other answers: only some of the weights were copied, and not {which}.",
        f"층은 같은데 답이 달라요. 가중치가 일부만 복사되었어요({which_ko}은(는) 복사되지 않았어요).",
    )


def _fault_of_a_twin(
    model: Any, made: Any, x: Array, before: Array, weights: list[Array]
) -> Finding | None:
    y = _answers(made, x)
    if isinstance(y, Finding):
        return y
    if not agree(model.get_weights(), weights) or not agree(_answers(model, x), before, 1e-3):
        return Finding(
            "changed_the_original",
            Text(
                "The original answers differently afterwards: weights were set on the wrong model.",
                "원래 모델의 답이 달라졌어요. 가중치를 다른 쪽 모델에 넣었어요.",
            ),
        )
    if not agree(y, before, 1e-5):
        mine = made.get_weights()
        same_shapes = [a.shape for a in mine] == [b.shape for b in weights]
        if same_shapes and not agree(mine, weights, 1e-6) and agree(mine, weights, 1e-2):
            return Finding(
                "rounded",
                Text(
                    "The twin answers almost as the model does: its weights were rounded on the way, to"
                    " float16 perhaps. Copy them as they are.",
                    "쌍둥이의 답이 모델과 거의 같아요. 가중치가 옮겨지면서 반올림되었어요(float16일 수 있어요). 있는 그대로 복사하세요.",
                ),
            )
        if same_shapes and not agree(mine, weights):
            copied = any(agree(one, two) for one, two in zip(mine, weights, strict=True))
            return Finding(
                "other_weights" if copied else "own_weights",
                _not_copied(mine, weights)
                if copied
                else Text(
                    "Same layers, other answers: the twin has weights of its own, drawn at random"
                    " when its layers were made. Copy the numbers too.",
                    "층은 같은데 답이 달라요. 쌍둥이의 가중치는 층을 만들 때 새로 뽑힌 것이에요. 숫자도 복사하세요.",
                ),
            )
        if same_shapes:
            return Finding(
                "other_activations",
                Text(
                    "The weights are the same and the answers are not: an activation differs. A model may"
                    " have any, `tanh` for one; `clone_model` takes over what is there.",
                    "가중치는 같은데 답이 달라요. 활성화 함수가 달라요. 모델에는 `tanh`처럼 어떤 것이든 있을 수 있어요."
                    " `clone_model`은 있는 그대로 가져와요.",
                ),
            )
        return Finding(
            "other_layers",
            Text(
                "The twin has other layers than the model: it has to work for a model of any size.",
                "쌍둥이의 층이 모델과 달라요. 어떤 크기의 모델에도 맞아야 해요.",
            ),
        )
    shared = []
    for i in range(0, len(weights), 2):
        model.set_weights([w + (1 if j // 2 == i // 2 else 0) for j, w in enumerate(weights)])
        moved = _answers(made, x)
        model.set_weights(weights)
        if not agree(moved, before, 1e-3):
            shared.append(i // 2 + 1)
    if 0 < len(shared) < len(weights) // 2:
        which = ", ".join(map(str, shared))
        return Finding(
            "shared_layers",
            Text(
                f"The answers agree, but layer {which} of the twin is still the model's own: when its weights"
                " change, the twin's change with them. Every layer has to be a new one.",
                f"답은 같지만 쌍둥이의 {which}번째 층은 아직 원래 모델의 것이에요. 그 가중치가 바뀌면 쌍둥이도 바뀌어요. 모든 층이"
                " 새것이어야 해요.",
            ),
        )
    if shared:
        return Finding(
            "shared_layers",
            Text(
                "The answers agree, because both models hold the *same* layers: when the original's"
                " weights change, the twin's change with them. It needs layers of its own.",
                "답이 같은 것은 두 모델이 *같은* 층을 갖고 있기 때문이에요. 원래 모델의 가중치가 바뀌면 쌍둥이도"
                " 바뀌어요. 자기만의 층이 필요해요.",
            ),
        )
    if not made.trainable_variables:
        return Finding(
            "not_trainable",
            Text(
                "The twin answers well, but nothing in it can be trained: it has no trainable"
                " variables.",
                "쌍둥이의 답은 맞지만 학습할 수 있는 변수가 하나도 없어요.",
            ),
        )
    if len(made.trainable_variables) < len(weights):
        return Finding(
            "partly_frozen",
            Text(
                f"The twin answers well, but only {len(made.trainable_variables)} of its {len(weights)}"
                " variables can be trained: some of its layers are frozen.",
                f"쌍둥이의 답은 맞지만 변수 {len(weights)}개 중 {len(made.trainable_variables)}개만 학습할 수 있어요. 얼어 있는"
                " 층이 있어요.",
            ),
            0.5,
        )
    return None
