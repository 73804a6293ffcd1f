"""Examines a classifier of images that a learner built and compiled, and one they trained."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from utils.problems.answers import NOT_ATTEMPTED, is_unwritten, not_a_function, returns_nothing
from utils.problems.judging import RETURNS_NOTHING, Mistake, compare, guarded
from utils.problems.looking import evaluated
from utils.problems.problem import Cases, Finding
from utils.problems.text import Text
from utils.problems.values import agree, is_blank, shorten, show

Array = NDArray[Any]

CLASSES = 10
PIXELS = 28 * 28
EPOCHS, BATCH_SIZE = 3, 20
MORE_TRIES = 3


def draw_pictures(count: int, seed: int) -> tuple[Array, Array]:
    """Return float32 images (count, 28, 28) from 0 to 1 of ten easy patterns, and int labels."""
    rng = np.random.default_rng(seed)
    patterns = np.random.default_rng(0).random((CLASSES, 28, 28))
    labels = rng.permutation(np.arange(count) % CLASSES)
    images = 0.6 * patterns[labels] + 0.4 * rng.random((count, 28, 28))
    return images.astype("float32"), labels


def softmax(logits: Array) -> Array:
    """Return the probabilities of each row of logits."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def examine_building(build: Any, cases: Cases) -> Finding | None:
    """Say what is wrong with a function from a number of hidden units to a compiled classifier."""
    if is_blank(build) or is_unwritten(build):
        return NOT_ATTEMPTED
    if not callable(build):
        return not_a_function(build)
    for (hidden_units,) in cases:
        model, finding = guarded(build, hidden_units)
        finding = finding or _not_a_model(model, build) or _wrong_layers(model, hidden_units)
        if finding:
            return finding
    model.run_eagerly = True  # for so few steps, tracing would take longer
    return _wrong_loss(model) or _does_not_learn(model)


def _not_a_model(model: Any, build: Any) -> Finding | None:
    if is_blank(model):
        return NOT_ATTEMPTED
    if model is None and returns_nothing(build):
        return RETURNS_NOTHING
    if model is None:
        return Finding(
            "returned_compile",
            Text(
                "Your function gives back `None`. `compile` changes the model where it stands and"
                " returns nothing: call it on one line, and return the model on the next.",
                "함수가 `None`을 돌려줘요. `compile`은 모델 자체를 바꾸고 아무것도 돌려주지 않으니, 한 줄에서"
                " 호출하고 다음 줄에서 모델을 돌려주세요.",
            ),
        )
    if not isinstance(model, keras.Model):
        return Finding(
            "not_a_model",
            Text(
                "A Keras model is asked for, and `build_model` returns `{value}`, which is of the type"
                " {kind}.",
                "Keras 모델이 필요한데 `build_model`이 돌려준 것은 {kind} 형의 `{value}`예요.",
            ).format(value=show(model), kind=type(model).__name__),
        )
    return None


def _wrong_layers(model: keras.Model, hidden_units: int) -> Finding | None:
    """Compare the outputs with those that NumPy computes from the model's own weights."""
    images, _ = draw_pictures(8, seed=1)
    try:
        outputs = np.asarray(model(images), dtype=float)
    except Exception as error:  # noqa: BLE001  whatever Keras raises for such an input
        return _takes_no_images(model, error)
    first = next((tuple(each.shape) for each in model.weights), ())
    return (
        _wrong_shape(outputs, hidden_units, first)
        or _wrong_parameters(model, hidden_units)
        or _wrong_activations(model, images, outputs)
    )


def _takes_no_images(model: keras.Model, error: Exception) -> Finding:
    shape = getattr(model, "input_shape", None)
    start = Text(
        "Your model was given a batch of images of the shape `(8, 28, 28)` and stopped.",
        "모델에 모양이 `(8, 28, 28)`인 이미지 배치를 넣었더니 멈추었어요.",
    )
    if shape == (None, PIXELS):
        return Finding(
            "flat_input",
            start
            + Text(
                "It expects rows of 784 numbers: let `Input` say `(28, 28)`, and leave the"
                " flattening to a `Flatten` layer.",
                "이 모델은 숫자 784개짜리 행을 기대해요. `Input`에는 `(28, 28)`을 쓰고 펼치는 일은 `Flatten`"
                " 층에 맡기세요.",
            ),
        )
    if shape is not None and len(shape) == 4:
        return Finding(
            "batch_in_input",
            start
            + Text(
                f"It expects inputs of the shape `{shape}`. `Input` takes the shape of *one* image;"
                " Keras adds the batch axis itself.",
                f"이 모델이 기대하는 모양은 `{shape}`예요. `Input`에는 이미지 *한 장*의 모양을 쓰고, 배치 축은"
                " Keras가 붙여요.",
            ),
        )
    said = shorten(re.sub(r"\x1b\[[0-9;]*m", "", str(error)), 160)
    return Finding(
        "takes_no_images",
        start
        + Text(
            f"Keras says: `{said}`. `Input` takes the shape of one image, `(28, 28)`, and `Flatten`"
            " comes before the first `Dense`.",
            f"Keras의 메시지: `{said}`. `Input`에는 이미지 한 장의 모양 `(28, 28)`을 쓰고, 첫 `Dense` 앞에"
            " `Flatten`을 두세요.",
        ),
    )


def _wrong_shape(outputs: Array, hidden_units: int, first: tuple[int, ...]) -> Finding | None:
    """Say what is wrong with the outputs' shape; ``first`` is that of the first weight."""
    shape = outputs.shape
    if shape == (8, CLASSES):
        return None
    start = Text(
        f"For 8 images your model gives an output of the shape `{shape}`, where `(8, 10)` is right.",
        f"이미지 8장에 대한 모델의 출력 모양은 `{shape}`인데, `(8, 10)`이어야 해요.",
    )
    if len(shape) > 2:
        return Finding(
            "flatten_missing",
            start
            + Text(
                "`Dense` works on the last axis alone, so each row of pixels was treated by itself."
                " A `Flatten` layer makes one row of 784 numbers of an image.",
                "`Dense`는 마지막 축에만 작용해서 픽셀의 행마다 따로 계산되었어요. `Flatten` 층이 이미지를 숫자"
                " 784개짜리 한 줄로 만들어요.",
            ),
        )
    if shape == (8, hidden_units) and first == (PIXELS, CLASSES):
        return Finding(
            "sizes_swapped",
            start
            + Text(
                "The two sizes have changed places: the hidden layer has 10 neurons and the output layer"
                " `hidden_units`. It is the other way round.",
                "두 크기가 바뀌었어요. 은닉층이 10개, 출력층이 `hidden_units`개예요. 반대로 해야 해요.",
            ),
        )
    if shape == (8, hidden_units):
        return Finding(
            "output_layer",
            start
            + Text(
                "The last layer has as many neurons as the hidden one: what is missing is a `Dense`"
                " with one neuron for each of the ten classes, at the end.",
                "마지막 층의 뉴런 수가 은닉층과 같아요. 맨 끝에 클래스마다 뉴런 하나씩, 10개짜리 `Dense`가 필요해요.",
            ),
        )
    return Finding(
        "number_of_classes",
        start
        + Text(
            "The last layer needs one neuron for each of the ten classes.",
            "마지막 층에는 열 개의 클래스마다 뉴런이 하나씩 필요해요.",
        ),
    )


def _wrong_parameters(model: keras.Model, hidden_units: int) -> Finding | None:
    count, right = model.count_params(), (PIXELS + 1) * hidden_units + (hidden_units + 1) * CLASSES
    shapes = sorted(tuple(each.shape) for each in model.weights)
    wanted = [(CLASSES,), (hidden_units,), (hidden_units, CLASSES), (PIXELS, hidden_units)]
    if shapes == sorted(wanted):
        return None
    start = Text(
        f"With {hidden_units} hidden neurons your model has `{count:,}` parameters, where"
        f" `{right:,}` is right.",
        f"은닉 뉴런이 {hidden_units}개일 때 모델의 매개변수는 `{count:,}`개인데, `{right:,}`개여야 해요.",
    )
    units, rest = divmod(count - CLASSES, PIXELS + 1 + CLASSES)
    if units > 0 and rest == 0 and units != hidden_units:
        return Finding(
            "fixed_units",
            start
            + Text(
                f"That is a hidden layer of {units}, whatever the function is told: use its argument"
                " `hidden_units`.",
                f"함수에 무엇을 넣든 은닉층이 {units}개예요. 인자 `hidden_units`를 사용하세요.",
            ),
        )
    causes = {
        (PIXELS + 1) * CLASSES: (
            "hidden_missing",
            Text(
                "That is the output layer alone: the hidden layer between `Flatten` and it is missing.",
                "출력층만 있을 때의 개수예요. `Flatten`과 출력층 사이의 은닉층이 빠졌어요.",
            ),
        ),
        PIXELS * hidden_units + hidden_units * CLASSES: (
            "no_biases",
            Text(
                "The weights are all there and the biases are not: leave `use_bias` as it is.",
                "가중치는 모두 있지만 편향이 없어요. `use_bias`는 기본값으로 두세요.",
            ),
        ),
        right + (hidden_units + 1) * hidden_units: (
            "two_hidden",
            Text(
                "That is a second hidden layer: one is asked for.",
                "은닉층이 하나 더 있어요. 하나만 필요해요.",
            ),
        ),
        right + (CLASSES + 1) * CLASSES: (
            "two_outputs",
            Text(
                "That is a second layer of ten neurons at the end: one is enough, its activation can"
                " be named in it.",
                "끝에 뉴런 10개짜리 층이 하나 더 있어요. 하나면 충분하고, 활성화 함수는 그 안에 지정할 수 있어요.",
            ),
        ),
    }
    name, text = causes.get(
        count,
        (
            "parameters",
            Text(
                "Count by layers: (784 + 1) for each hidden neuron, (hidden + 1) for each of the ten"
                " others. `model.summary()` shows which layer differs.",
                "층별로 세어 보세요. 은닉 뉴런마다 (784 + 1)개, 출력 뉴런마다 (은닉 + 1)개예요. `model.summary()`를"
                " 보면 어느 층이 다른지 알 수 있어요.",
            ),
        ),
    )
    return Finding(name, start + text)


HIDDEN: dict[str, Callable[[Array], Array]] = {
    "relu": lambda z: np.maximum(z, 0),
    "linear": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "softmax": softmax,
    "leaky_relu": lambda z: np.where(z > 0, z, 0.2 * z),
    "elu": lambda z: np.where(z > 0, z, np.expm1(z)),
    "silu": lambda z: z / (1 + np.exp(-z)),
    "softplus": lambda z: np.log1p(np.exp(z)),
}
OUTPUTS: dict[str, Callable[[Array], Array]] = {
    "softmax": softmax,
    "linear": lambda z: z,
    "log_softmax": lambda z: np.log(softmax(z)),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "softmax twice": lambda z: softmax(softmax(z)),
}


def _wrong_activations(model: keras.Model, images: Array, outputs: Array) -> Finding | None:
    found = _activations(model, images, outputs)
    if found is None:
        return Finding(
            "other_function",
            Text(
                f"The shapes fit, but your model computes something else than asked for; a row of its"
                f" output adds up to `{outputs[0].sum():.3f}`. Wanted: `Flatten`, then `relu`, then"
                " ten neurons with softmax or plain logits.",
                f"모양은 맞지만 모델이 다른 것을 계산해요. 출력 한 행의 합은 `{outputs[0].sum():.3f}`이에요. `Flatten`,"
                " `relu`, 그리고 소프트맥스나 로짓 그대로인 뉴런 10개가 필요해요.",
            ),
        )
    scale, hidden, output = found
    if scale != 1:
        return Finding(
            "scales_again",
            Text(
                "The images that come in are scaled to 0..1 already, and your model multiplies them by"
                f" `{scale:.4g}` once more: leave that layer out.",
                "들어오는 이미지는 이미 0..1로 스케일되어 있는데 모델이 다시"
                f" `{scale:.4g}`을(를) 곱해요. 그 층을 빼세요.",
            ),
        )
    if hidden == "linear":
        return Finding(
            "no_relu",
            Text(
                "The hidden layer has no activation (`linear`), and two dense layers without one in"
                " between are no more than a single one: it needs `relu`.",
                "은닉층에 활성화 함수가 없어요(`linear`). 그러면 Dense 층 두 개가 하나와 다를 바 없으니 `relu`가"
                " 필요해요.",
            ),
        )
    if hidden != "relu":
        return Finding(
            "hidden_activation",
            Text(
                f"The hidden layer uses `{hidden}`; `relu` is asked for."
                + (" Softmax belongs to the last layer alone." if hidden == "softmax" else ""),
                f"은닉층의 활성화 함수가 `{hidden}`이에요. `relu`가 필요해요."
                + (" 소프트맥스는 마지막 층에만 써요." if hidden == "softmax" else ""),
            ),
        )
    if output == "sigmoid":
        return Finding(
            "sigmoid_output",
            Text(
                f"The last layer is a `sigmoid`: it judges each class by itself, so a row adds up to"
                f" `{outputs[0].sum():.3f}` and not to 1. One class out of ten calls for softmax (or"
                " plain logits with the loss that fits).",
                f"마지막 층이 `sigmoid`예요. 클래스를 따로따로 판단하므로 한 행의 합이 1이 아니라"
                f" `{outputs[0].sum():.3f}`이에요. 열 클래스 중 하나를 고를 때는 소프트맥스(또는 로짓과 그에 맞는"
                " 손실)를 쓰세요.",
            ),
        )
    if output == "softmax twice":
        return Finding("softmax_twice", SOFTMAX_TWICE)
    if output in ("relu", "tanh"):
        return Finding(
            "output_activation",
            Text(
                f"The last layer uses `{output}`, which cuts the ten logits off. Give it softmax, or no"
                " activation and `from_logits=True` in the loss.",
                f"마지막 층이 `{output}`을(를) 써서 로짓 열 개가 잘려요. 소프트맥스를 쓰거나, 활성화 없이 손실에"
                " `from_logits=True`를 쓰세요.",
            ),
        )
    return None


SOFTMAX_TWICE = Text(
    "Softmax is done twice, once in a layer and once more after it. That squeezes the probabilities"
    " together: one of the two must go.",
    "소프트맥스를 두 번 했어요. 한 층에서 한 번, 그 뒤에서 또 한 번이요. 확률이 서로 비슷해지니 하나를 빼세요.",
)


def _activations(
    model: keras.Model, images: Array, outputs: Array
) -> tuple[float, str, str] | None:
    """Return the factor on the pixels and the activations that explain the outputs, or None."""
    by_rank = {1: [], 2: []}  # type: dict[int, list[Array]]
    for weight in model.get_weights():
        by_rank[weight.ndim].append(weight.astype(float))
    first, last = sorted(by_rank[2], key=len, reverse=True)
    units = first.shape[1]
    biases = {len(each): each for each in by_rank[1]}
    rows = images.reshape(len(images), -1).astype(float)
    for scale in (1, 1 / 255, 255):
        for hidden, activate in HIDDEN.items():
            logits = activate(scale * rows @ first + biases[units]) @ last + biases[CLASSES]
            for output, finish in OUTPUTS.items():
                if agree(outputs, finish(logits)):
                    return scale, hidden, output
    return None


def _wrong_loss(model: keras.Model) -> Finding | None:
    """Compare loss and accuracy on images of which it names half rightly with those by hand."""
    if not model.compiled:
        return Finding(
            "not_compiled",
            Text(
                "The layers are right, and the model has not been compiled: `compile` tells it the"
                " optimizer, the loss and the metric. Return the model after that.",
                "층은 맞지만 모델이 컴파일되지 않았어요. `compile`로 옵티마이저, 손실, 지표를 알려 준 다음 모델을"
                " 돌려주세요.",
            ),
        )
    if model.loss is None:
        return Finding(
            "no_loss",
            Text(
                "The model is compiled, but without a loss, so there is nothing that training could"
                " lower.",
                "모델을 컴파일했지만 손실이 없어서, 학습으로 줄일 것이 없어요.",
            ),
        )
    images, _ = draw_pictures(40, seed=2)
    outputs = np.asarray(model(images), dtype=float)
    labels = (outputs.argmax(axis=1) + np.arange(40) % 2 * 3) % CLASSES
    told, finding = guarded(evaluated, model, images, labels)
    if finding:
        return _wants_other_labels(model, images, labels, outputs) or finding
    results, said = told
    if any("from_logits" in each for each in said):
        return Finding("softmax_and_from_logits", SOFTMAX_AND_FROM_LOGITS, 0.5)
    is_probability = agree(outputs.sum(axis=1), np.ones(40)) and bool((outputs >= 0).all())
    loss = results.pop("loss")
    right = _cross_entropy(outputs if is_probability else softmax(outputs), labels)
    if not agree(loss, right, 1e-3):
        return _named_loss(loss, right, outputs, labels, is_probability)
    if not any(agree(value, 0.5) for value in results.values()):
        return Finding(
            "no_accuracy",
            Text(
                "The loss is right; what is missing is a number for people: `metrics=['accuracy']`"
                f" (yours reports `{', '.join(results) or 'the loss alone'}`).",
                "손실은 맞아요. 사람이 읽을 숫자가 빠졌어요: `metrics=['accuracy']` (지금 보고하는 것은"
                f" `{', '.join(results) or '손실뿐'}`이에요).",
            ),
            0.75,
        )
    return None


SOFTMAX_AND_FROM_LOGITS = Text(
    "The model ends in softmax, and its loss was told `from_logits=True`: they do not fit. Keras has"
    " noticed and warns; with any layer in between it would not, and softmax would be done twice."
    " Take one of the two away.",
    "모델은 소프트맥스로 끝나는데 손실에는 `from_logits=True`라고 했어요. 서로 맞지 않아요. 이번에는 Keras가 알아채고"
    " 경고했지만, 사이에 층이 하나만 있어도 모르고 소프트맥스를 두 번 해요. 둘 중 하나를 빼세요.",
)


def _cross_entropy(probabilities: Array, labels: Array) -> float:
    chosen = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(chosen, 1e-7)).mean())


def _wants_other_labels(
    model: keras.Model, images: Array, labels: Array, outputs: Array
) -> Finding | None:
    """Name the loss that cannot read a label such as 9, by trying rows with a single 1."""
    rows = np.eye(CLASSES, dtype="float32")[labels]
    loss, finding = guarded(lambda: np.mean(keras.losses.get(model.loss)(rows, outputs)))
    if finding:
        return None
    clipped = np.clip(outputs, 1e-7, 1 - 1e-7)
    binary = -np.where(rows, np.log(clipped), np.log1p(-clipped)).mean()
    if agree(loss, binary, 1e-3):
        return Finding(
            "binary_loss",
            Text(
                "The loss is *binary* cross-entropy, made for yes-or-no questions. One class out of ten,"
                " with labels such as 9, calls for sparse categorical cross-entropy.",
                "손실이 예/아니오 문제에 쓰는 *이진* 교차 엔트로피예요. 9와 같은 레이블로 열 클래스 중 하나를 고를 때는"
                " sparse categorical cross-entropy를 쓰세요.",
            ),
        )
    if any(agree(loss, (np.abs(outputs - rows) ** power).mean(), 1e-3) for power in (1, 2)):
        return Finding("regression_loss", REGRESSION_LOSS)
    return Finding(
        "categorical_loss",
        Text(
            "The loss expects each label as a row of ten with a single 1, and the labels here are single"
            " numbers such as 9. The loss for those has *sparse* in its name.",
            "이 손실은 레이블이 1이 하나뿐인 열 칸짜리 행이기를 기대하는데, 여기의 레이블은 9와 같은 숫자 하나예요. 그런"
            " 레이블을 위한 손실의 이름에는 *sparse*가 들어 있어요.",
        ),
    )


def _named_loss(
    loss: float, right: float, outputs: Array, labels: Array, is_probability: bool
) -> Finding:
    start = Text(
        f"On 40 images your model reports the loss `{loss:.4g}`; the average of -log p(true class) is"
        f" `{right:.4g}`.",
        f"이미지 40장에서 모델이 보고한 손실은 `{loss:.4g}`인데, -log p(정답 클래스)의 평균은 `{right:.4g}`이에요.",
    )
    clipped = np.clip(outputs, 1e-7, 1 - 1e-7)
    chosen = clipped[np.arange(len(labels)), labels] / clipped.sum(axis=1)
    if not is_probability and agree(loss, -np.log(chosen).mean(), 1e-2):
        return Finding(
            "logits_without_from_logits",
            start
            + Text(
                "The model ends in logits, and the loss takes them for probabilities. Either the last"
                " layer gets softmax, or the loss `from_logits=True`.",
                "모델은 로짓으로 끝나는데 손실이 그것을 확률로 여겨요. 마지막 층에 소프트맥스를 넣거나, 손실에"
                " `from_logits=True`를 쓰세요.",
            ),
        )
    if is_probability and agree(loss, _cross_entropy(softmax(outputs), labels), 1e-3):
        return Finding("softmax_twice", start + SOFTMAX_TWICE)
    if agree(loss, 40 * right, 1e-3):
        return Finding(
            "summed_loss",
            start
            + Text(
                "Yours is the sum over the batch: leave `reduction` as it is.",
                "배치 전체의 합이에요. `reduction`은 기본값으로 두세요.",
            ),
        )
    distance = outputs - labels[:, np.newaxis]
    if agree(loss, (distance**2).mean(), 1e-3) or agree(loss, np.abs(distance).mean(), 1e-3):
        return Finding(
            "regression_loss",
            start + REGRESSION_LOSS,
        )
    return Finding(
        "other_loss",
        start
        + Text(
            "Use sparse categorical cross-entropy, told what the model ends in.",
            "sparse categorical cross-entropy를 쓰고, 모델이 무엇으로 끝나는지 알려 주세요.",
        ),
    )


REGRESSION_LOSS = Text(
    "The loss measures distances between numbers, as if an ankle boot (9) were nine times a trouser (1)."
    " A class is a name and not a quantity: use sparse categorical cross-entropy.",
    "수와 수 사이의 거리를 재는 손실이에요. 앵클부츠(9)가 바지(1)의 아홉 배인 것처럼요. 클래스는 양이 아니라 이름이니 sparse"
    " categorical cross-entropy를 쓰세요.",
)


def _does_not_learn(model: keras.Model) -> Finding | None:
    """Train it for a moment: the weights have to move and the loss to fall."""
    images, labels = draw_pictures(160, seed=3)
    weights = [each.copy() for each in model.get_weights()]
    before = evaluated(model, images, labels)[0]["loss"]
    _, finding = guarded(
        lambda: model.fit(images, labels, epochs=EPOCHS, batch_size=BATCH_SIZE, verbose=0)
    )
    if finding:
        return finding
    if all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights(), strict=True)):
        return Finding(
            "weights_stand_still",
            Text(
                "After three epochs of training every weight is what it was before. Is the learning rate"
                " 0, or are the layers frozen (`trainable=False`)?",
                "세 에포크를 학습해도 가중치가 하나도 변하지 않았어요. 학습률이 0이거나 층이 고정되어"
                " (`trainable=False`) 있지 않나요?",
            ),
        )
    after = evaluated(model, images, labels)[0]["loss"]
    for _ in range(MORE_TRIES):  # a slow optimizer may need more than a moment
        if after < before:
            break
        model.fit(images, labels, epochs=EPOCHS, batch_size=BATCH_SIZE, verbose=0)
        after = evaluated(model, images, labels)[0]["loss"]
    if not after < before:
        return Finding(
            "loss_does_not_fall",
            Text(
                f"Some short epochs take the loss from `{before:.4g}` to `{after:.4g}`: it does not fall."
                " Is the learning rate far too large, or negative? Adam with its usual one will do.",
                f"짧은 에포크 몇 번 동안 손실이 `{before:.4g}`에서 `{after:.4g}`이(가) 되었어요. 줄지 않았죠. 학습률이 너무"
                " 크거나 음수가 아닌가요? 기본 학습률의 Adam이면 충분해요.",
            ),
        )
    return None


def examine_training(train: Any, tries: int = 4) -> Finding | None:
    """Say what is wrong with a function that trains a model and returns its two accuracies.

    A training in which two of the numbers that tell answers apart are equal by chance is repeated.
    """
    if is_blank(train) or is_unwritten(train):
        return NOT_ATTEMPTED
    if not callable(train):
        return not_a_function(train)
    images, labels = draw_pictures(130, seed=4)
    test_images, test_labels = draw_pictures(50, seed=5)
    test_labels[::3] = (test_labels[::3] + 1) % CLASSES  # so that the test comes out worse
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            keras.layers.Flatten(),
            keras.layers.Dense(CLASSES, activation="softmax"),
        ]
    )
    there_and_back = keras.optimizers.schedules.PiecewiseConstantDecay(
        [11, 14], [0.004, -0.006, 0.0015]
    )
    model.compile(  # in the second epoch it unlearns a little, so that the last is not the best
        keras.optimizers.Adam(there_and_back),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    untrained = _accuracy(model.get_weights(), test_images, test_labels)
    loss_before = _loss(model.get_weights(), images, labels)
    given = [each.copy() for each in (images, labels, test_images, test_labels)]
    value, finding = guarded(train, model, *given)
    if finding:
        return finding
    if is_blank(value):
        return NOT_ATTEMPTED
    if value is None and returns_nothing(train):
        return RETURNS_NOTHING
    finding = _wrong_steps(int(model.optimizer.iterations), len(images), len(test_images))
    if finding:
        return finding
    weights, seen = model.get_weights(), model.history.history
    if not _loss(weights, images, labels) < loss_before:
        return LEARNT_NOTHING
    if not all(agree(len(images) * each, round(len(images) * each)) for each in seen["accuracy"]):
        return OTHER_HISTORY
    test_accuracy = _accuracy(weights, test_images, test_labels)
    last, again = seen["accuracy"][-1], _accuracy(weights, images, labels)
    told_apart = [seen["accuracy"][0], last, max(seen["accuracy"]), np.mean(seen["accuracy"])]
    told_apart += [again, test_accuracy]
    if tries and len({round(float(each), 4) for each in told_apart}) < len(told_apart):
        return examine_training(train, tries - 1)
    test_loss = _loss(weights, test_images, test_labels)
    return compare(
        value,
        (last, test_accuracy),
        [
            Mistake("first_epoch", (seen["accuracy"][0], test_accuracy), FIRST_EPOCH),
            Mistake("whole_history", (seen["accuracy"], test_accuracy), WHOLE_HISTORY),
            Mistake("mean_of_epochs", (np.mean(seen["accuracy"]), test_accuracy), MEAN_OF_EPOCHS),
            Mistake(
                "other_epoch",
                (seen["accuracy"][len(seen["accuracy"]) // 2], test_accuracy),
                OTHER_EPOCH,
            ),
            Mistake("other_epoch", (min(seen["accuracy"]), test_accuracy), OTHER_EPOCH),
            Mistake("other_epoch", (max(seen["accuracy"]), test_accuracy), OTHER_EPOCH),
            Mistake("losses", (seen["loss"][-1], test_loss), LOSSES),
            Mistake("losses", (last, test_loss), LOSSES),
            Mistake("losses", (seen["loss"][-1], test_accuracy), LOSSES),
            Mistake("losses", (last, [test_loss, test_accuracy]), BOTH_RESULTS),
            Mistake("losses", (seen["accuracy"], [test_loss, test_accuracy]), BOTH_RESULTS),
            Mistake("evaluated_before", (last, untrained), EVALUATED_BEFORE),
            Mistake("test_is_training", (last, again), TEST_IS_TRAINING),
            Mistake("test_is_training", (last, last), TEST_IS_TRAINING),
            Mistake("evaluated_training", (again, test_accuracy), EVALUATED_TRAINING),
            Mistake("percent", (100 * last, 100 * test_accuracy), PERCENT),
            Mistake("only_test", test_accuracy, ONLY_ONE),
            Mistake("only_training", last, ONLY_ONE),
            Mistake("nothing", None, NOTHING),
        ],
    )


def _probabilities(weights: list[Array], images: Array) -> Array:
    """Return what the model of `examine_training` gives with these weights, by hand."""
    kernel, bias = (np.asarray(each, dtype=float) for each in weights)
    return softmax(images.reshape(len(images), -1) @ kernel + bias)


def _accuracy(weights: list[Array], images: Array, labels: Array) -> float:
    return float((_probabilities(weights, images).argmax(axis=1) == labels).mean())


def _loss(weights: list[Array], images: Array, labels: Array) -> float:
    return _cross_entropy(_probabilities(weights, images), labels)


LEARNT_NOTHING = Finding(
    "learnt_nothing",
    Text(
        "The number of training steps is right, and yet with its weights the model knows the training"
        " images no better than before. Does something put other weights into it after `fit`?",
        "학습 스텝 수는 맞지만, 모델의 지금 가중치로는 학습 이미지를 학습 전보다 더 잘 맞히지 못해요. `fit` 뒤에 다른 가중치를"
        " 넣지 않았나요?",
    ),
)
OTHER_HISTORY = Finding(
    "other_history",
    Text(
        "The accuracies in `model.history` are not those of 130 images, each of which is right or wrong:"
        " leave the history as `fit` has written it.",
        "`model.history`의 정확도가 이미지 130장 중 맞힌 비율이 될 수 없는 값이에요. `fit`이 쓴 기록을 그대로 두세요.",
    ),
)


def _wrong_steps(steps: int, images: int, test_images: int) -> Finding | None:
    """Tell by the number of steps taken what the model was trained on, and how."""

    def needed(count: int, batch_size: int, epochs: int = EPOCHS) -> int:
        return -(-count // batch_size) * epochs

    right = needed(images, BATCH_SIZE)
    if steps == right:
        return None
    start = Text(
        f"Your function took `{steps}` training steps, where {right} are right: {images} images in"
        f" batches of {BATCH_SIZE} are 7 steps an epoch, for {EPOCHS} epochs.",
        f"함수가 학습한 스텝은 `{steps}`번인데 {right}번이어야 해요. 이미지 {images}장을 {BATCH_SIZE}장씩 나누면 에포크당"
        f" 7스텝이고, {EPOCHS}에포크예요.",
    )
    if steps == 0:
        return Finding(
            "not_trained",
            Text(
                "The model's weights have not moved: it took no training step. `model.fit` trains,"
                " `evaluate` and `predict` only look.",
                "모델의 가중치가 변하지 않았어요. 학습 스텝이 한 번도 없었죠. 학습하는 것은 `model.fit`이고, `evaluate`와"
                " `predict`는 보기만 해요.",
            ),
        )
    causes = {
        **{
            needed(images - int(images * share), BATCH_SIZE): ("held_back", HELD_BACK)
            for share in (0.1, 0.15, 0.2, 0.25, 0.3, 0.5)
        },
        **{
            needed(images, BATCH_SIZE, epochs): ("other_epochs", _other_number("epochs", epochs))
            for epochs in (2, 4, 5, 6, 10)
        },
        **{
            needed(images, size): ("batch_size", _other_number("batch_size", size))
            for size in (128, 100, 64, 50, 30, 16, 10, 3, 1)
        },
        needed(images, EPOCHS, BATCH_SIZE): (
            "numbers_exchanged",
            Text(
                "That fits 20 epochs in batches of 3: the two numbers have changed places.",
                "3장씩 20에포크일 때의 횟수예요. 두 수가 바뀌었어요.",
            ),
        ),
        needed(images, 32): ("batch_size", BATCH_SIZE_FORGOTTEN),
        needed(images, 32, 1): ("batch_size", BATCH_SIZE_FORGOTTEN),
        needed(images, BATCH_SIZE, 1): ("one_epoch", ONE_EPOCH),
        needed(test_images, BATCH_SIZE): ("trained_on_test", TRAINED_ON_TEST),
        needed(test_images, 32): ("trained_on_test", TRAINED_ON_TEST),
        needed(images, BATCH_SIZE) + needed(test_images, BATCH_SIZE): (
            "trained_on_test",
            TRAINED_ON_TEST,
        ),
        needed(images + test_images, BATCH_SIZE): ("trained_on_test", TRAINED_ON_TEST),
    }
    causes.pop(right, None)
    name, text = causes.get(
        steps,
        (
            "steps",
            Text(
                "Look at `epochs` and `batch_size` in your call of `fit`, and that it is called once, on"
                " all training images.",
                "`fit` 호출의 `epochs`와 `batch_size`를 보고, 모든 학습 이미지로 한 번만 호출했는지 확인하세요.",
            ),
        ),
    )
    return Finding(name, start + text)


HELD_BACK = Text(
    "So many steps come out when a part of the images is held back, by `validation_split`: the model then"
    " never trains on them. Train on all of them; the test set is there for the test.",
    "`validation_split`으로 이미지 일부를 떼어 놓으면 이만큼의 스텝이 돼요. 그러면 모델이 그 이미지로는 학습하지 못해요. 모두"
    " 학습에 쓰세요. 시험에는 시험 집합이 있어요.",
)


def _other_number(name: str, value: int) -> Text:
    return Text(
        f"That fits `{name}={value}`; 3 epochs in batches of 20 are asked for.",
        f"`{name}={value}`일 때의 횟수예요. 20장씩 3에포크가 필요해요.",
    )


BATCH_SIZE_FORGOTTEN = Text(
    "It looks as if the batches held 32 images, which is what `fit` takes unless it is told otherwise.",
    "배치가 32장씩인 것 같아요. 따로 말하지 않으면 `fit`이 쓰는 크기예요.",
)
ONE_EPOCH = Text(
    "That is one epoch, which is what `fit` does unless it is told `epochs`.",
    "그것은 한 에포크예요. `epochs`를 말하지 않으면 `fit`은 한 번만 돌아요.",
)
TRAINED_ON_TEST = Text(
    "It was trained on the test images, and so the test has nothing left to tell: `fit` must never see"
    " them.",
    "시험 이미지로 학습했어요. 그러면 시험이 알려 줄 것이 없어지니 `fit`은 시험 이미지를 보면 안 돼요.",
)
FIRST_EPOCH = Text(
    "`{value}`: the first number is the accuracy of the *first* epoch. The history holds one for each"
    " epoch, the last one at the end, `[-1]`.",
    "`{value}`: 첫 번째 수가 *첫* 에포크의 정확도예요. 기록에는 에포크마다 하나씩 있고 마지막 것은 맨 뒤, `[-1]`에 있어요.",
)
MEAN_OF_EPOCHS = Text(
    "`{value}`: the first number is the mean of the accuracies of all epochs. Asked for is that of the last"
    " one.",
    "`{value}`: 첫 번째 수가 모든 에포크 정확도의 평균이에요. 마지막 에포크의 정확도가 필요해요.",
)
OTHER_EPOCH = Text(
    "`{value}`: the first number is the accuracy of another epoch than the last one: it stands at the end of"
    " the history, `[-1]`.",
    "`{value}`: 첫 번째 수가 마지막이 아닌 다른 에포크의 정확도예요. 마지막 것은 기록의 맨 뒤, `[-1]`에 있어요.",
)
WHOLE_HISTORY = Text(
    "The first of your results is a list with one accuracy for each epoch; only the last is asked for.",
    "첫 번째 결과가 에포크마다 하나씩 든 리스트예요. 마지막 정확도만 필요해요.",
)
LOSSES = Text(
    "`{value}` holds a loss where an accuracy belongs. `evaluate` gives the loss first and the accuracy"
    " second, and the history has a key for each.",
    "`{value}`에는 정확도 자리에 손실이 들어 있어요. `evaluate`는 손실을 먼저, 정확도를 나중에 주고, 기록에는 각각의 키가"
    " 있어요.",
)
BOTH_RESULTS = Text(
    "Your second result, in `{value}`, is all that `evaluate` returns, loss and accuracy: only the"
    " accuracy is asked for.",
    "`{value}`의 두 번째 결과는 `evaluate`가 돌려주는 손실과 정확도 둘 다예요. 정확도만 필요해요.",
)
EVALUATED_BEFORE = Text(
    "In `{value}` the test accuracy is that of the untrained model: evaluate after `fit`, not before.",
    "`{value}`의 시험 정확도는 학습 전 모델의 것이에요. `fit` 다음에 평가하세요.",
)
TEST_IS_TRAINING = Text(
    "In `{value}` the second number was measured on the training images. Evaluate on the test images,"
    " which the model has never met.",
    "`{value}`의 두 번째 수는 학습 이미지로 잰 것이에요. 모델이 본 적 없는 시험 이미지로 평가하세요.",
)
EVALUATED_TRAINING = Text(
    "The first number in `{value}` comes from evaluating the training images after training. Asked for is"
    " what `fit` itself reported for its last epoch, an average taken while the weights were moving: it is"
    " in the history.",
    "`{value}`의 첫 번째 수는 학습이 끝난 뒤 학습 이미지로 다시 평가한 값이에요. 필요한 것은 `fit`이 마지막 에포크에 보고한"
    " 값(가중치가 변하는 동안의 평균)이고, 기록에 들어 있어요.",
)
PERCENT = Text(
    "`{value}` are percentages; fractions between 0 and 1 are asked for.",
    "`{value}`은(는) 퍼센트예요. 0과 1 사이의 값이 필요해요.",
)
ONLY_ONE = Text(
    "`{value}` is one of the two accuracies. Return both, the one of training first, as a tuple.",
    "`{value}`은(는) 두 정확도 중 하나예요. 학습 정확도를 먼저, 둘 다 튜플로 돌려주세요.",
)
NOTHING = Text(
    "Your function gives back None. Keep what `fit` and `evaluate` return in names of their own, and"
    " return the two accuracies.",
    "함수가 None을 돌려줘요. `fit`과 `evaluate`의 결과를 각각 이름에 담고, 두 정확도를 돌려주세요.",
)
