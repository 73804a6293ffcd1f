"""The problems of lesson 5, a classifier of clothes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from utils.data import CLASS_NAMES
from utils.problems.classifiers import draw_pictures, examine_building, examine_training, softmax
from utils.problems.judging import Mistake, all_of, guarded, judge
from utils.problems.looking import shapes_given
from utils.problems.problem import Cases, Finding, problem
from utils.problems.text import Text
from utils.problems.values import agree, plain
from utils.problems.variations import Recipe

Array = NDArray[Any]

NONE = Text(
    "Your function gives back None. Does every way through it end in a `return`, and does what stands"
    " there give a value? Methods that change something in place, like `sort`, return nothing.",
    "함수가 None을 돌려줘요. 모든 경로가 `return`으로 끝나는지, 그 자리에 값이 있는지 보세요. `sort`처럼 제자리에서 바꾸는"
    " 메서드는 아무것도 돌려주지 않아요.",
)

CHANGED_INPUT = Text(
    "The result is right, but your function has changed the array it was given, and who called it still"
    " needs that. Work on a copy, or write `a = a / b` in place of `a /= b`.",
    "결과는 맞지만 함수가 받은 배열 자체를 바꾸었어요. 부른 쪽에서는 그 배열이 아직 필요해요. 복사본을 쓰거나, `a /= b` 대신"
    " `a = a / b`로 쓰세요.",
)


def _copies(*inputs: Any) -> tuple[Any, ...]:
    return tuple(each.copy() if isinstance(each, np.ndarray) else each for each in inputs)


def _judge(
    f: Any,
    cases: Cases,
    right: Callable[..., Any],
    mistakes: Iterable[Mistake],
    prepare: Callable[..., tuple[Any, ...]] = _copies,
    recipe: str = "",
) -> Finding | None:
    """Judge a function of arrays: no gradients in it, and its inputs have to stay as they were."""
    recipes = [Recipe(recipe, _copies, {"softmax": softmax})] if recipe else []
    finding = judge(f, cases, right, mistakes, prepare=prepare, recipes=recipes)
    if finding and finding.name.startswith("none"):
        return Finding("none", NONE)
    if finding is None:
        for case in cases:
            given = prepare(*case)
            f(*given)
            if not all(agree(a, b) for a, b in zip(given, prepare(*case), strict=True)):
                return Finding("changed_input", CHANGED_INPUT, 0.5)
    return finding


# 5.1


def _pixels(seed: int, count: int, largest: int) -> Array:
    """Return uint8 images (count, 28, 28), each of another brightness, up to ``largest``."""
    pixels = np.random.default_rng(seed).random((count, 28, 28))
    tops = np.linspace(0.5, 1, count)[:, np.newaxis, np.newaxis] * largest
    images = (pixels / pixels.max(axis=(1, 2), keepdims=True) * tops).round().astype("uint8")
    images[0, 0, :3] = 51, 102, 20
    return images


WAYS_TO_SCALE: list[tuple[str, Callable[[Array], Array], Text]] = [
    (
        "not_scaled",
        lambda x: x,
        Text("have still the pixels they came with", "의 픽셀이 들어온 그대로예요"),
    ),
    (
        "divided_twice",
        lambda x: x / 255 / 255,
        Text(
            "were divided by 255 twice: once is enough",
            "을(를) 255로 두 번 나누었어요. 한 번이면 돼요",
        ),
    ),
    (
        "by_256",
        lambda x: x / 256,
        Text(
            "were divided by 256. There are 256 grey levels, but the largest is 255, and that has to become 1",
            "을(를) 256으로 나누었어요. 회색 단계는 256개지만 가장 큰 값은 255이고, 그것이 1이 되어야 해요",
        ),
    ),
    (
        "whole_numbers",
        lambda x: x // 255,
        Text(
            "have lost their greys: only 0 and 1 are left. Whole numbers cannot hold a fraction, so"
            " neither `//` nor writing back into a `uint8` array will do",
            "에서 회색이 사라지고 0과 1만 남았어요. 정수는 소수를 담지 못하니 `//`를 쓰거나 `uint8` 배열에 다시 써넣으면 안 돼요",
        ),
    ),
    (
        "rounded",
        lambda x: np.round(x / 255),
        Text(
            "were rounded to 0 and 1: all greys are lost",
            "을(를) 0과 1로 반올림해서 회색이 모두 사라졌어요",
        ),
    ),
    (
        "by_the_maximum",
        lambda x: x / x.max(),
        Text(
            "were divided by their own largest pixel. A dark set would come out as bright as a light"
            " one: divide by 255, whatever is in the set",
            "을(를) 그 안의 가장 큰 픽셀로 나누었어요. 그러면 어두운 집합도 밝은 집합과 똑같아져요. 무엇이 들어 있든"
            " 255로 나누세요",
        ),
    ),
    (
        "each_image_by_itself",
        lambda x: x / x.max(axis=(1, 2), keepdims=True),
        Text(
            "were scaled image by image, each by its own largest pixel, so a dark shirt and a light one"
            " look the same: divide all by 255",
            "을(를) 이미지마다 자기 최댓값으로 나누어서 어두운 셔츠와 밝은 셔츠가 같아 보여요. 모두 255로 나누세요",
        ),
    ),
    (
        "smallest_to_largest",
        lambda x: (x - x.min()) / (np.ptp(x) or 1),
        Text(
            "were stretched between their own smallest and largest pixel: divide by 255, whatever is"
            " in the set",
            "을(를) 그 안의 최솟값과 최댓값 사이로 늘렸어요. 무엇이 들어 있든 255로 나누세요",
        ),
    ),
    (
        "standardised",
        lambda x: (x - x.mean()) / x.std(),
        Text(
            "were standardised to mean 0 and deviation 1. That is a scale too, but not the one from 0"
            " to 1 that is asked for",
            "을(를) 평균 0, 표준편차 1로 표준화했어요. 그것도 스케일이지만 여기서 필요한 0..1은 아니에요",
        ),
    ),
    (
        "centred",
        lambda x: x / 127.5 - 1,
        Text("run from -1 to 1, and 0 to 1 is asked for", "의 범위가 -1..1인데 0..1이 필요해요"),
    ),
    (
        "half_the_range",
        lambda x: x / 127.5,
        Text("run from 0 to 2, and 0 to 1 is asked for", "의 범위가 0..2인데 0..1이 필요해요"),
    ),
    (
        "percent",
        lambda x: x / 255 * 100,
        Text("run from 0 to 100, and 0 to 1 is asked for", "의 범위가 0..100인데 0..1이 필요해요"),
    ),
    (
        "by_100",
        lambda x: x / 100,
        Text(
            "were divided by 100; the largest pixel is 255",
            "을(를) 100으로 나누었어요. 가장 큰 픽셀은 255예요",
        ),
    ),
    (
        "multiplied",
        lambda x: x * 255.0,
        Text("were multiplied by 255 and not divided", "에 255를 나누지 않고 곱했어요"),
    ),
    (
        "inverted",
        lambda x: 1 - x / 255,
        Text(
            "are inverted: black has become 1, where it should be 0",
            "의 명암이 뒤집혔어요. 0이어야 할 검은색이 1이 되었어요",
        ),
    ),
]


def _scaled(x: Array) -> Array:
    return x / np.float32(255)


def _on_both(
    of_train: Callable[[Array], Array], of_test: Callable[[Array], Array]
) -> Callable[[Array, Array], Any]:
    return lambda train, test: (of_train(train), of_test(test))


def _ways_to_scale_both() -> list[Mistake]:
    """Return each wrong way for both sets, for the test images alone and for the training images."""
    found = []
    for name, way, text in WAYS_TO_SCALE:
        sets: list[tuple[str, Callable[[Array, Array], Any], Text]] = [
            ("", _on_both(way, way), Text("Both sets", "두 집합")),
            (
                "_test",
                _on_both(_scaled, way),
                Text(
                    "The training images are right. The test images",
                    "학습 이미지는 맞아요. 시험 이미지",
                ),
            ),
            (
                "_train",
                _on_both(way, _scaled),
                Text(
                    "The test images are right. The training images",
                    "시험 이미지는 맞아요. 학습 이미지",
                ),
            ),
        ]
        found += [
            Mistake(
                name + suffix,
                value,
                Text(
                    f"{who.en} {text.en}. (You return `{{value}}`.)",
                    f"{who.ko}{text.ko}. (돌려준 값: `{{value}}`)",
                ),
            )
            for suffix, value, who in sets
        ]
    return found


OTHER_STATISTICS = Text(
    "You return `{value}`: one of the sets was scaled by numbers that come from the sets. Take 255, which"
    " holds for every image there will ever be, and which tells nothing about the test set.",
    "돌려준 값은 `{value}`: 집합에서 얻은 수로 스케일했어요. 앞으로 올 모든 이미지에 통하고 시험 집합에 대해 아무것도 알려 주지"
    " 않는 255를 쓰세요.",
)


@problem(
    "5.1",
    section="Scale training and test alike",
    objective=2,
    difficulty=1,
    points=2,
    cases=[
        (_pixels(0, 4, 255), _pixels(1, 2, 255)),
        (_pixels(2, 3, 200), _pixels(3, 4, 240)),
    ],
    hints=[
        Text(
            "The smallest pixel there can be is 0 and the largest is 255. Which one operation takes them"
            " to 0 and 1?",
            "픽셀의 최솟값은 0, 최댓값은 255예요. 이것을 0과 1로 보내는 연산 하나는 무엇일까요?",
        ),
        Text(
            '`images.astype("float32")` makes a float copy. Divide that by 255, for both sets.',
            '`images.astype("float32")`는 실수로 된 복사본을 만들어요. 그것을 255로 나누세요. 두 집합 모두요.',
        ),
    ],
    remark=Text(
        "You needed no statistics of the data for it, so nothing of the test set can leak into the"
        " training. `layers.Rescaling(1 / 255)` as first layer would keep the scale inside the model.",
        "데이터의 통계를 쓰지 않았으니 시험 집합의 정보가 학습에 새어 들지 않아요. `layers.Rescaling(1 / 255)`를 첫 층으로"
        " 두면 스케일이 모델 안에 남아요.",
    ),
)
def scale_images(cases: Cases, f: Any) -> Finding | None:
    finding = _judge(
        f,
        cases,
        lambda train, test: (_scaled(train), _scaled(test)),
        [
            *_ways_to_scale_both(),
            Mistake("other_statistics", lambda a, b: (a / b.max(), b / b.max()), OTHER_STATISTICS),
            Mistake("other_statistics", lambda a, b: (a / a.max(), b / a.max()), OTHER_STATISTICS),
            Mistake(
                "other_statistics",
                lambda a, b: ((a - a.mean()) / a.std(), (b - a.mean()) / a.std()),
                OTHER_STATISTICS,
            ),
            Mistake(
                "other_statistics",
                lambda a, b: tuple(x / max(a.max(), b.max()) for x in (a, b)),
                OTHER_STATISTICS,
            ),
            Mistake("only_training", lambda a, b: _scaled(a), ONLY_ONE_SET),
            Mistake("only_test", lambda a, b: _scaled(b), ONLY_ONE_SET),
            Mistake("training_twice", lambda a, b: (_scaled(a), _scaled(a)), SAME_SET_TWICE),
            Mistake("test_for_training", lambda a, b: (_scaled(b), _scaled(b)), SAME_SET_TWICE),
        ],
        recipe="""
def scale_images(train_images, test_images):
    return train_images / 255, test_images / 255
""",
    )
    if finding is None or finding.name in ("other", "nearly", "slip", "some_cases"):
        results, stopped = guarded(f, *_copies(*cases[0]))
        if not stopped and agree(results, tuple(map(_scaled, cases[0])), 5e-3):
            return _wrong_dtype(results) or finding
    return finding


ONLY_ONE_SET = Text(
    "You return `{value}`, one set alone. Scale both, and return two arrays: training first, then test.",
    "돌려준 `{value}`은(는) 한 집합뿐이에요. 둘 다 스케일해서 학습, 시험 순서로 배열 두 개를 돌려주세요.",
)
SAME_SET_TWICE = Text(
    "Both of your results are made of the same set (`{value}`): the second belongs to the test images.",
    "두 결과가 같은 집합에서 나왔어요(`{value}`). 두 번째는 시험 이미지여야 해요.",
)


def _wrong_dtype(results: Any) -> Finding | None:
    kinds = [str(getattr(plain(each), "dtype", type(each).__name__)) for each in results]
    if kinds == ["float32", "float32"]:
        return None
    kind = next(each for each in kinds if each != "float32")
    reason = Text(
        "`float64`, NumPy's usual answer to a division, takes twice the memory",
        "NumPy의 나눗셈이 보통 주는 `float64`는 메모리를 두 배로 써요",
    )
    if kind in ("float16", "bfloat16"):
        reason = Text(
            f"`{kind}` is coarser: it keeps three digits and rounds the greys",
            f"`{kind}`은 더 거칠어서 세 자리만 남기고 회색을 반올림해요",
        )
    return Finding(
        kind if kind.startswith("float") else "wrong_dtype",
        Text(
            f"The values are those that are asked for, but their type is `{kind}`: `float32` is asked for,"
            f" in which Keras computes ({reason.en})."
            ' `.astype("float32")` does it.',
            f"값은 맞지만 자료형이 `{kind}`이에요. Keras가 계산에 쓰는 `float32`가 필요해요({reason.ko})."
            ' `.astype("float32")`를 쓰세요.',
        ),
        0.5,
    )


# 5.2


@problem(
    "5.2",
    section="Three layers for 784 pixels",
    objective=3,
    difficulty=2,
    points=5,
    cases=[(20,), (12,)],
    hints=[
        Text(
            "`build_model`: the stack of the lesson, with `hidden_units` where it has 128, then `compile`"
            " with an optimizer, a loss and a metric, then `return`. `train`: everything you need is in"
            " what `fit` and `evaluate` give back.",
            "`build_model`: 수업의 층 쌓기에서 128 자리에 `hidden_units`를 쓰고, 옵티마이저, 손실, 지표로 `compile`한"
            " 다음 `return`해요. `train`: 필요한 것은 모두 `fit`과 `evaluate`가 돌려주는 값에 있어요.",
        ),
        Text(
            "The last layer and the loss must speak the same language: `softmax` with"
            ' `"sparse_categorical_crossentropy"`, or no activation with `from_logits=True`. In `train`,'
            ' `history.history["accuracy"]` is a list with one number for each epoch.',
            '마지막 층과 손실은 같은 언어를 써야 해요. `softmax`에는 `"sparse_categorical_crossentropy"`, 활성화가'
            ' 없으면 `from_logits=True`예요. `train`에서 `history.history["accuracy"]`는 에포크마다 수 하나가 든'
            " 리스트예요.",
        ),
        Text(
            'Layers: `Input((28, 28))`, `Flatten()`, `Dense(hidden_units, activation="relu")`,'
            ' `Dense(10, activation="softmax")`. In `train`: `fit(..., epochs=3, batch_size=20, verbose=0)`,'
            " the last accuracy of its history, and the second number of `evaluate(test_images,"
            " test_labels, verbose=0)`.",
            '층: `Input((28, 28))`, `Flatten()`, `Dense(hidden_units, activation="relu")`, `Dense(10,'
            ' activation="softmax")`. `train`에서는 `fit(..., epochs=3, batch_size=20, verbose=0)`, 그 기록의'
            " 마지막 정확도, 그리고 `evaluate(test_images, test_labels, verbose=0)`의 두 번째 수예요.",
        ),
    ],
    remark=Text(
        "The check computed your model's answers once more with NumPy from its weights, and they agree:"
        " two matrix products, a relu and a softmax are all there is to it.",
        "검사에서 모델의 가중치로 NumPy로 다시 계산해 보았더니 답이 같았어요. 행렬 곱 두 번, relu, 소프트맥스가 전부예요.",
    ),
)
def build_and_train(cases: Cases, build_model: Any, train: Any) -> Finding | None:
    return all_of((3, examine_building(build_model, cases)), (2, examine_training(train)))


# 5.3


def _answers(seed: int, count: int, sharpness: float = 2.0) -> tuple[Array, Array]:
    """Return probabilities (count, 10) and labels (count,), about half of them the likeliest class."""
    rng = np.random.default_rng(seed)
    probabilities = softmax(sharpness * rng.normal(size=(count, 10))).astype("float32")
    other = rng.integers(0, 10, count)
    labels = np.where(rng.random(count) < 0.5, probabilities.argmax(axis=1), other)
    return probabilities, labels


def _top(among: Array, scores: Array, k: int | None = None) -> list[int]:
    """Return the places where ``among`` holds, from the highest score down, ``k`` at most."""
    return sorted(np.flatnonzero(among).tolist(), key=lambda i: -scores[i])[:k]


def _true_class(probabilities: Array, labels: Array) -> Array:
    return np.array([row[label] for row, label in zip(probabilities, labels, strict=True)])


def _ranking(wrong_way: Callable[[Array, Array, Array, Array, int], Any]) -> Callable[..., Any]:
    """Let a mistake be written with: is each answer wrong, confidences, true class's, predicted, k."""

    def value(probabilities: Array, labels: Array, k: int) -> Any:
        predicted, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
        return wrong_way(
            predicted != labels, sure, _true_class(probabilities, labels), predicted, k
        )

    return value


def _one_off(change: int) -> Callable[[Array, Array, Array, Array, int], list[int]]:
    return lambda wrong, sure, true, predicted, k: _top(wrong, sure, k + change)


RIGHT_INCLUDED = Text(
    "`{value}` are the most confident answers of all, right ones included. Keep only those whose"
    " predicted class differs from the label.",
    "`{value}`은(는) 맞은 것까지 포함해 가장 확신한 답들이에요. 예측한 클래스가 레이블과 다른 것만 남기세요.",
)
LEAST_CONFIDENT = Text(
    "`{value}` are the mistakes with the *lowest* confidence: sorting goes upwards unless it is turned"
    " round.",
    "`{value}`은(는) 확신이 *가장 낮은* 실수들이에요. 정렬은 뒤집지 않으면 오름차순이에요.",
)
ASCENDING = Text(
    "The right images, in the wrong order: in `{value}` the most confident mistake comes last, and it"
    " should come first.",
    "이미지는 맞지만 순서가 반대예요. `{value}`에서는 가장 확신한 실수가 맨 뒤에 있는데, 맨 앞에 와야 해요.",
)
TRUE_CLASS = Text(
    "`{value}` is sorted by the probability of the *true* class. The confidence of an answer is the"
    " probability of the class that was predicted, the largest of its row.",
    "`{value}`은(는) *정답* 클래스의 확률로 정렬했어요. 답의 확신은 예측한 클래스의 확률, 곧 그 행에서 가장 큰 값이에요.",
)
CONFIDENCES = Text(
    "`{value}` are the confidences. Asked for is where they stand, as indices into the images.",
    "`{value}`은(는) 확신의 값이에요. 필요한 것은 그것이 몇 번째 이미지인지, 곧 인덱스예요.",
)
FILTERED_INDICES = Text(
    "`{value}` count within the list of mistakes alone, so they point to other images. Translate them"
    " back: the place of the mistake in *all* the images.",
    "`{value}`은(는) 실수만 모은 목록 안에서 센 번호라 다른 이미지를 가리켜요. *전체* 이미지에서의 번호로 되돌리세요.",
)


BY_LEAD = Text(
    "`{value}` is sorted by how far the first class lies ahead of the second. A good question too; the"
    " confidence is the largest probability alone.",
    "`{value}`은(는) 첫째 클래스가 둘째를 얼마나 앞서는지로 정렬했어요. 그것도 좋은 질문이지만 확신은 가장 큰 확률 하나예요.",
)
BY_ENTROPY = Text(
    "`{value}` is sorted by how the probability spreads over all ten classes. The confidence is the largest"
    " probability alone.",
    "`{value}`은(는) 확률이 열 클래스에 퍼진 정도로 정렬했어요. 확신은 가장 큰 확률 하나예요.",
)


def _by_lead(probabilities: Array, labels: Array, k: int) -> list[int]:
    ordered = np.sort(probabilities, axis=1)
    wrong = probabilities.argmax(axis=1) != labels
    return _top(wrong, ordered[:, -1] - ordered[:, -2], k)


def _by_entropy(probabilities: Array, labels: Array, k: int) -> list[int]:
    wrong = probabilities.argmax(axis=1) != labels
    return _top(wrong, (probabilities * np.log(probabilities)).sum(axis=1), k)


@problem(
    "5.3",
    section="Confident and wrong after training too",
    objective=6,
    difficulty=2,
    points=3,
    cases=[(*_answers(0, 12), 3), (*_answers(1, 40), 5), (*_answers(8, 8), 6)],
    hints=[
        Text(
            "Three questions one after the other: which class was predicted for each image, how sure was"
            " that, and which of the answers are wrong?",
            "질문 세 개를 차례로: 이미지마다 어느 클래스를 예측했나요? 얼마나 확신했나요? 어느 답이 틀렸나요?",
        ),
        Text(
            "`np.flatnonzero(predicted != labels)` gives the indices of the wrong answers. Sort *these* by"
            " their confidence; `np.argsort` goes upwards, so sort minus the confidence.",
            "`np.flatnonzero(predicted != labels)`는 틀린 답의 인덱스예요. *이것*을 확신에 따라 정렬하세요. `np.argsort`는"
            " 오름차순이니 확신에 마이너스를 붙여 정렬해요.",
        ),
        Text(
            "With `wrong` as those indices and `confidence` for all images: `order ="
            " np.argsort(-confidence[wrong])` counts within `wrong`, and `wrong[order]` counts in all"
            " images.",
            "그 인덱스가 `wrong`이고 `confidence`가 전체 이미지의 확신일 때, `order = np.argsort(-confidence[wrong])`는"
            " `wrong` 안의 번호이고 `wrong[order]`는 전체 이미지의 번호예요.",
        ),
    ],
    remark=Text(
        "These images are worth a look whenever you train something: among the most confident mistakes"
        " you find wrong labels, cut-off pictures, and what your classes really have in common.",
        "무엇을 학습하든 이 이미지들은 살펴볼 만해요. 가장 확신한 실수 가운데 잘못 붙은 레이블, 잘린 사진, 클래스들이 실제로 닮은"
        " 점이 보여요.",
    ),
)
def most_confident_mistakes(cases: Cases, f: Any) -> Finding | None:
    def said(
        name: str,
        way: Callable[[Array, Array, Array, Array, int], Any],
        text: Text,
        share: float = 0.0,
    ) -> Mistake:
        return Mistake(name, _ranking(way), text, share)

    return _judge(
        f,
        cases,
        _ranking(lambda wrong, sure, true, predicted, k: _top(wrong, sure, k)),
        [
            said("ascending", lambda w, s, t, p, k: _top(w, s, k)[::-1], ASCENDING),
            said("least_confident", lambda w, s, t, p, k: _top(w, -s, k), LEAST_CONFIDENT),
            said("least_confident", lambda w, s, t, p, k: _top(w, -s, k)[::-1], LEAST_CONFIDENT),
            said("right_included", lambda w, s, t, p, k: _top(s > 0, s, k), RIGHT_INCLUDED),
            said("right_included", lambda w, s, t, p, k: _top(s > 0, s, k)[::-1], RIGHT_INCLUDED),
            said(
                "only_right",
                lambda w, s, t, p, k: _top(~w, s, k),
                Text(
                    "`{value}` are the most confident answers that are *right*: predicted and label have"
                    " to differ (`!=`).",
                    "`{value}`은(는) 가장 확신한 *맞은* 답들이에요. 예측과 레이블이 달라야 해요(`!=`).",
                ),
            ),
            said(
                "all_upwards",
                lambda w, s, t, p, k: _top(s > 0, -s, k),
                Text(
                    "`{value}` are the least confident of all answers. Two things are missing: leave the"
                    " right answers out, and sort downwards.",
                    "`{value}`은(는) 모든 답 중 확신이 가장 낮은 것들이에요. 두 가지가 빠졌어요. 맞은 답을 빼고,"
                    " 내림차순으로 정렬하세요.",
                ),
            ),
            said("true_class", lambda w, s, t, p, k: _top(w, -t, k), TRUE_CLASS),
            said("true_class", lambda w, s, t, p, k: _top(w, t, k), TRUE_CLASS),
            said("true_class", lambda w, s, t, p, k: _top(s > 0, -t, k), TRUE_CLASS),
            said("true_class", lambda w, s, t, p, k: _top(s > 0, t, k), TRUE_CLASS),
            said(
                "margin",
                lambda w, s, t, p, k: _top(w, s - t, k),
                Text(
                    "`{value}` is sorted by how far the predicted class lies ahead of the true one. A good"
                    " question too; here only the confidence of the prediction counts.",
                    "`{value}`은(는) 예측한 클래스가 정답 클래스를 얼마나 앞서는지로 정렬했어요. 그것도 좋은 질문이지만"
                    " 여기서는 예측의 확신만 보세요.",
                ),
            ),
            said(
                "k_before_the_filter",
                lambda w, s, t, p, k: [i for i in _top(s > 0, s, k) if w[i]],
                Text(
                    "`{value}` takes the `k` most confident answers first, and of those the wrong ones: so there"
                    " are fewer than `k`. First keep the wrong answers, then take `k` of them.",
                    "`{value}`은(는) 먼저 가장 확신한 답 `k`개를 고른 다음 그중 틀린 것만 남겼어요. 그래서 `k`개보다 적어요. 먼저 틀린"
                    " 답만 남기고 그중 `k`개를 고르세요.",
                ),
            ),
            *(
                said(
                    "filled_up",
                    partial(
                        lambda fill, w, s, t, p, k: (_top(w, s, k) + [fill] * k)[:k],
                        fill,
                    ),
                    Text(
                        "`{value}` is filled up to `k` where there are fewer mistakes. Return only those there"
                        " are.",
                        "`{value}`은(는) 실수가 `k`개보다 적을 때 다른 값으로 채워졌어요. 있는 것만 돌려주세요.",
                    ),
                    0.5,
                )
                for fill in (-1, 0)
            ),
            said(
                "filled_up",
                lambda w, s, t, p, k: [*_top(w, s), *_top(~w, s)][:k],
                Text(
                    "`{value}` goes on with right answers where there are fewer mistakes than `k`. Return only"
                    " the mistakes there are.",
                    "`{value}`은(는) 실수가 `k`개보다 적을 때 맞은 답으로 이어져요. 있는 실수만 돌려주세요.",
                ),
                0.5,
            ),
            Mistake("margin", _by_lead, BY_LEAD),
            Mistake("by_entropy", _by_entropy, BY_ENTROPY),
            said("confidences", lambda w, s, t, p, k: s[_top(w, s, k)], CONFIDENCES),
            said("confidences", lambda w, s, t, p, k: np.sort(s[w])[-k:], CONFIDENCES),
            said(
                "pairs",
                lambda w, s, t, p, k: [(i, s[i]) for i in _top(w, s, k)],
                Text(
                    "`{value}` holds index and confidence side by side: return the indices alone.",
                    "`{value}`에는 인덱스와 확신이 함께 들어 있어요. 인덱스만 돌려주세요.",
                ),
            ),
            said(
                "filtered_indices",
                lambda w, s, t, p, k: _top(s[w] > 0, s[w], k),
                FILTERED_INDICES,
            ),
            said(
                "filtered_indices",
                lambda w, s, t, p, k: _top(s[w] > 0, -s[w], k),
                FILTERED_INDICES,
            ),
            said(
                "filtered_indices",
                lambda w, s, t, p, k: _top(s[w] > 0, s[w], k)[::-1],
                FILTERED_INDICES,
            ),
            said(
                "all_mistakes",
                lambda w, s, t, p, k: _top(w, s),
                Text(
                    "The order is right, but these are all the mistakes (`{value}`), where at most `k` are"
                    " asked for.",
                    "순서는 맞지만 실수 전부예요(`{value}`). 많아야 `k`개만 필요해요.",
                ),
            ),
            said(
                "not_sorted",
                lambda w, s, t, p, k: np.flatnonzero(w)[:k],
                Text(
                    "`{value}` are the first mistakes in the order of the images: sort them by confidence"
                    " before you take `k`.",
                    "`{value}`은(는) 이미지 순서로 처음 나온 실수들이에요. `k`개를 고르기 전에 확신에 따라 정렬하세요.",
                ),
            ),
            said(
                "not_sorted",
                lambda w, s, t, p, k: np.flatnonzero(w),
                Text(
                    "`{value}` are all the mistakes in the order of the images: sort them by confidence,"
                    " then take `k`.",
                    "`{value}`은(는) 이미지 순서로 늘어놓은 실수 전부예요. 확신에 따라 정렬한 다음 `k`개를 고르세요.",
                ),
            ),
            said(
                "sorted_by_index",
                lambda w, s, t, p, k: sorted(_top(w, s, k)),
                Text(
                    "The right images, in the order of their indices (`{value}`): the most confident one"
                    " should come first.",
                    "이미지는 맞지만 인덱스 순서예요(`{value}`). 가장 확신한 것이 맨 앞에 와야 해요.",
                ),
            ),
            said(
                "classes",
                lambda w, s, t, p, k: p[_top(w, s, k)],
                Text(
                    "`{value}` are the classes predicted there, not the places of the images.",
                    "`{value}`은(는) 그 이미지들에 대해 예측한 클래스예요. 이미지의 번호가 필요해요.",
                ),
            ),
            said(
                "mask",
                lambda w, s, t, p, k: w,
                Text(
                    "That is True or False for each image. `np.flatnonzero` makes indices of it; sorting"
                    " them comes next.",
                    "이미지마다 참이나 거짓이 들어 있는 배열이에요. `np.flatnonzero`가 인덱스로 바꿔 주고, 그다음이 정렬이에요.",
                ),
            ),
            *(
                said(
                    "one_off",
                    _one_off(change),
                    Text(
                        "The order is right, the number of images is not: {value} where `k` are asked for.",
                        "순서는 맞지만 개수가 달라요: {value}. `k`개가 필요해요.",
                    ),
                )
                for change in (-1, 1)
            ),
            said(
                "skips_the_first",
                lambda w, s, t, p, k: _top(w, s)[1 : k + 1],
                Text(
                    "The most confident mistake of all is missing from `{value}`: places count from 0, and"
                    " when counted from the end, the last is `-1`.",
                    "`{value}`에 가장 확신한 실수가 빠졌어요. 위치는 0부터 세고, 뒤에서 셀 때 마지막은 `-1`이에요.",
                ),
            ),
        ],
        recipe="""
def most_confident_mistakes(probabilities, labels, k):
    confidence = probabilities.max(axis=1)
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    order = np.argsort(-confidence[wrong])
    return wrong[order][:k]
""",
    )


# 5.4


@cache
def _weights(seed: int) -> list[Array]:
    rng = np.random.default_rng(seed)
    drawn = [rng.normal(size=(784, 10)) / 8, rng.normal(size=10)]
    return [each.astype("float32") for each in drawn]


def _classifier(seed: int) -> keras.Model:
    """Return a new model each time, for a learner's function may change the one it gets."""
    model = keras.Sequential([keras.Input((28, 28)), *_layers()])
    model.set_weights(_weights(seed))
    return model


def _layers() -> list[keras.Layer]:
    return [keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")]


def _probabilities(seed: int, number: int, scale: float = 1.0) -> Array:
    """Return by NumPy what the classifier with this seed says about one picture."""
    weights, biases = _weights(seed)
    return softmax(scale * _picture(number).reshape(-1).astype(float) @ weights + biases)


def _picture(number: int) -> Array:
    return draw_pictures(20, seed=6)[0][number]


def _named(way: Callable[[Array], Any], scale: float = 1.0) -> Callable[[int, int], Any]:
    return lambda seed, number: way(_probabilities(seed, number, scale))


KEPT_AXIS = Text(
    "`{value}`: there is still a batch axis of length 1 around it. The model answered for a batch of one;"
    " take the answer for its only image with `[0]`.",
    "`{value}`: 길이 1인 배치 축이 아직 남아 있어요. 모델은 한 장짜리 배치에 답했으니 `[0]`으로 그 한 장의 답을 꺼내세요.",
)


@problem(
    "5.4",
    section="A single image needs a batch axis",
    objective=5,
    difficulty=1,
    points=3,
    cases=[(1, 0), (2, 1), (3, 2)],
    hints=[
        Text(
            "The model speaks only of batches. What is the shape of a batch with one image in it, and"
            " what is the shape of the model's answer?",
            "모델은 배치만 알아들어요. 이미지 한 장짜리 배치의 모양은 무엇이고, 모델이 답하는 모양은 무엇일까요?",
        ),
        Text(
            "`image[np.newaxis]` has the shape `(1, 28, 28)`, and the answer to it `(1, 10)`: its row `[0]`"
            " holds the ten probabilities.",
            "`image[np.newaxis]`의 모양은 `(1, 28, 28)`이고 답은 `(1, 10)`이에요. 그 행 `[0]`에 확률 열 개가 있어요.",
        ),
        Text(
            "With `row` for the ten probabilities, the class is `row.argmax()` and the confidence"
            " `row.max()`.",
            "확률 열 개가 `row`라면 클래스는 `row.argmax()`, 확신은 `row.max()`예요.",
        ),
    ],
    remark=Text(
        "For one image `model(batch)` is quicker than `model.predict(batch)`, which is made for thousands."
        " The batch axis it needs either way.",
        "이미지 한 장에는 `model(batch)`가 수천 장을 위한 `model.predict(batch)`보다 빨라요. 배치 축은 어느 쪽이든 필요해요.",
    ),
)
def name_image(cases: Cases, f: Any) -> Finding | None:
    finding = judge(
        f,
        cases,
        _named(lambda p: (int(p.argmax()), p.max())),
        prepare=lambda seed, number: (_classifier(seed), _picture(number).copy()),
        mistakes=[
            Mistake("kept_batch_axis", _named(lambda p: ([p.argmax()], [p.max()])), KEPT_AXIS),
            Mistake("kept_batch_axis", _named(lambda p: ([p.argmax()], p.max())), KEPT_AXIS),
            Mistake("kept_batch_axis", _named(lambda p: (p.argmax(), [p.max()])), KEPT_AXIS),
            Mistake("wrong_axis", _named(lambda p: ([0] * 10, p)), WRONG_AXIS),
            Mistake("wrong_axis", _named(lambda p: ([0] * 10, p.max())), WRONG_AXIS),
            Mistake("wrong_axis", _named(lambda p: ([0] * 10, [p.max()])), WRONG_AXIS),
            Mistake("wrong_axis", _named(lambda p: (0, p[0])), WRONG_AXIS),
            Mistake("wrong_axis", _named(lambda p: (0, p.max())), WRONG_AXIS),
            Mistake(
                "confidence_first",
                _named(lambda p: (p.max(), p.argmax())),
                Text(
                    "`{value}`: the two are right, but the class comes first and the confidence second.",
                    "`{value}`: 둘 다 맞지만 클래스가 먼저, 확신이 나중이에요.",
                ),
            ),
            Mistake("only_class", _named(lambda p: p.argmax()), ONLY_ONE),
            Mistake("only_class", _named(lambda p: [p.argmax()]), ONLY_ONE),
            Mistake("only_confidence", _named(lambda p: p.max()), ONLY_ONE),
            Mistake("only_confidence", _named(lambda p: [p.max()]), ONLY_ONE),
            Mistake("all_probabilities", _named(lambda p: p), ALL_PROBABILITIES),
            Mistake("all_probabilities", _named(lambda p: [p]), ALL_PROBABILITIES),
            Mistake("all_probabilities", _named(lambda p: (p.argmax(), p)), ALL_PROBABILITIES),
            Mistake("all_probabilities", _named(lambda p: (p.argmax(), [p])), ALL_PROBABILITIES),
            Mistake("class_name", _named(lambda p: (CLASS_NAMES[p.argmax()], p.max())), CLASS_NAME),
            Mistake(
                "percent",
                _named(lambda p: (p.argmax(), 100 * p.max())),
                Text(
                    "`{value}`: the confidence is in percent; a number between 0 and 1 is asked for.",
                    "`{value}`: 확신이 퍼센트예요. 0과 1 사이의 수가 필요해요.",
                ),
            ),
            Mistake(
                "rounded",
                _named(lambda p: (p.argmax(), round(p.max(), 2))),
                Text(
                    "`{value}`: the confidence has been rounded. Return it as the model gives it.",
                    "`{value}`: 확신이 반올림되었어요. 모델이 준 그대로 돌려주세요.",
                ),
            ),
            Mistake("scaled_again", _named(lambda p: (p.argmax(), p.max()), 1 / 255), SCALED_AGAIN),
            Mistake(
                "softmax_twice",
                _named(lambda p: (p.argmax(), softmax(p).max())),
                Text(
                    "The class is right, and the confidence in `{value}` is far too small: the model ends"
                    " in softmax already, and you did it once more.",
                    "클래스는 맞지만 `{value}`의 확신이 너무 작아요. 모델이 이미 소프트맥스로 끝나는데 한 번 더 했어요.",
                ),
            ),
            Mistake(
                "least_likely",
                _named(lambda p: (p.argmin(), p.min())),
                Text(
                    "`{value}` is the class that the model thinks *least* likely: `argmax` and `max`, not"
                    " `min`.",
                    "`{value}`은(는) 모델이 *가장 아니라고* 보는 클래스예요. `min`이 아니라 `argmax`와 `max`를 쓰세요.",
                ),
            ),
            Mistake(
                "second_best",
                _named(lambda p: (int(np.argsort(p)[-2]), np.sort(p)[-2])),
                Text(
                    "`{value}` is the class that comes second. In an ascending order the largest stands at the"
                    " very end, `[-1]`.",
                    "`{value}`은(는) 두 번째로 가능성이 큰 클래스예요. 오름차순에서 가장 큰 것은 맨 끝 `[-1]`에 있어요.",
                ),
            ),
            Mistake(
                "lead",
                _named(lambda p: (p.argmax(), np.sort(p)[-1] - np.sort(p)[-2])),
                Text(
                    "The class is right. The second number in `{value}` is how far it lies ahead of the next one;"
                    " its confidence is its own probability.",
                    "클래스는 맞아요. `{value}`의 두 번째 수는 다음 클래스를 얼마나 앞서는지예요. 확신은 그 클래스 자신의 확률이에요.",
                ),
            ),
            Mistake(
                "counted_from_one",
                _named(lambda p: (p.argmax() + 1, p.max())),
                Text(
                    "The class in `{value}` is one too large: labels count from 0.",
                    "`{value}`의 클래스가 1만큼 커요. 레이블은 0부터 세요.",
                ),
            ),
            Mistake(
                "sum_or_mean",
                _named(lambda p: (p.argmax(), p.sum())),
                Text(
                    "`{value}`: all ten probabilities together are always 1. The confidence is the largest"
                    " of them.",
                    "`{value}`: 확률 열 개의 합은 언제나 1이에요. 확신은 그중 가장 큰 값이에요.",
                ),
            ),
            Mistake(
                "sum_or_mean",
                _named(lambda p: (p.argmax(), p.mean())),
                Text(
                    "`{value}`: the mean of ten probabilities is always 0.1. The confidence is the largest"
                    " of them.",
                    "`{value}`: 확률 열 개의 평균은 언제나 0.1이에요. 확신은 그중 가장 큰 값이에요.",
                ),
            ),
            Mistake(
                "transposed_image",
                lambda seed, number: _answer_to(_picture(number).T, seed),
                Text(
                    "`{value}` is what the model says about the image with rows and columns exchanged. An"
                    " axis has to be added, none moved.",
                    "`{value}`은(는) 행과 열이 바뀐 이미지에 대한 답이에요. 축은 옮기지 말고 하나 더하기만 하세요.",
                ),
            ),
        ],
    )
    if finding and finding.name.startswith("none"):
        return Finding("none", NONE)
    if finding and finding.name in ("exception", "shapes_do_not_fit"):
        return _axis_finding(f, *cases[0]) or finding
    return finding


def _answer_to(image: Array, seed: int) -> tuple[int, float]:
    row = np.asarray(_classifier(seed)(image[np.newaxis]))[0]
    return int(row.argmax()), float(row.max())


def _axis_finding(f: Any, seed: int, number: int) -> Finding | None:
    """Say with what shape the model was called by code that raised an exception, or None."""
    shapes = shapes_given(f, _classifier(seed), _picture(number).copy())
    shape = shapes[0] if shapes else None
    if shape is None or shape[1:] == (28, 28):
        return None
    if shape == (28, 28):
        return Finding(
            "missing_batch_axis",
            Text(
                "The model was given the image as it is, `(28, 28)`, and took the 28 rows for 28 things."
                " It expects a batch, `(any number, 28, 28)`: put an axis of length 1 in front.",
                "모델에 이미지를 `(28, 28)` 그대로 넣어서 28개의 행을 28개의 것으로 여겼어요. 모델은 배치 `(개수, 28, 28)`을"
                " 기대하니 맨 앞에 길이 1인 축을 붙이세요.",
            ),
        )
    if sorted(shape) == [1, 28, 28]:
        return Finding(
            "axis_at_the_wrong_place",
            Text(
                f"The model was given the shape `{shape}`: there is a new axis, but not in front, where the"
                " images of a batch are counted. It has to be `(1, 28, 28)`.",
                f"모델에 들어간 모양은 `{shape}`이에요. 새 축이 있지만 배치의 이미지를 세는 맨 앞이 아니에요. `(1, 28, 28)`이어야"
                " 해요.",
            ),
        )
    if shape in ((1, 784), (784,), (784, 1)):
        return Finding(
            "flattened",
            Text(
                f"The model was given the shape `{shape}`. Flattening is what its own first layer does:"
                " give it a batch of images, `(1, 28, 28)`.",
                f"모델에 들어간 모양은 `{shape}`이에요. 펼치는 일은 모델의 첫 층이 하니 이미지의 배치 `(1, 28, 28)`을 주세요.",
            ),
        )
    return Finding(
        "input_shape",
        Text(
            f"The model was given the shape `{shape}`, where a batch of one image has the shape"
            " `(1, 28, 28)`.",
            f"모델에 들어간 모양은 `{shape}`인데, 이미지 한 장짜리 배치의 모양은 `(1, 28, 28)`이에요.",
        ),
    )


WRONG_AXIS = Text(
    "`{value}`: that is a maximum over the wrong axis. In the model's answer of the shape `(1, 10)` axis 0"
    " counts the images, so along it there is nothing to compare; the ten classes are axis 1.",
    "`{value}`: 다른 축을 따라 최댓값을 구했어요. 모양이 `(1, 10)`인 답에서 0번 축은 이미지를 세므로 비교할 것이 없어요. 열"
    " 클래스는 1번 축이에요.",
)
ONLY_ONE = Text(
    "`{value}` is one of the two: return the class and its confidence, as a tuple in this order.",
    "`{value}`은(는) 둘 중 하나예요. 클래스와 확신을 이 순서로 튜플에 담아 돌려주세요.",
)
ALL_PROBABILITIES = Text(
    "`{value}` holds all ten probabilities. Asked for are the class with the largest one, and that one.",
    "`{value}`에는 확률 열 개가 모두 들어 있어요. 필요한 것은 가장 큰 확률의 클래스와 그 확률이에요.",
)
CLASS_NAME = Text(
    "`{value}`: the class is asked for as a number from 0 to 9, not by its name.",
    "`{value}`: 클래스는 이름이 아니라 0부터 9까지의 번호로 돌려주세요.",
)
SCALED_AGAIN = Text(
    "`{value}` is what the model says about a nearly black picture: the image is scaled to 0..1 already,"
    " and you divided it by 255 once more.",
    "`{value}`은(는) 거의 까만 그림에 대한 답이에요. 이미지는 이미 0..1로 스케일되어 있는데 255로 한 번 더 나누었어요.",
)


# 5.5


def _logits(seed: int, count: int, size: float) -> tuple[Array, Array]:
    """Return labels (count,) and float32 logits (count, 10) of about this size."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 10, count), (size * rng.normal(size=(count, 10))).astype("float32")


def _priced(
    of_logits: Callable[[Array], Array] = softmax,
    of_probabilities: Callable[[Array], Array] = lambda p: p,
    loss: Callable[[Array, Array], Any] | None = None,
) -> Callable[..., Any]:
    """Return a loss made of what counts as probabilities in each of the two conventions."""

    def value(labels: Array, outputs: Array, from_logits: bool) -> Any:
        taken = (of_logits if from_logits else of_probabilities)(outputs.astype(float))
        with np.errstate(all="ignore"):
            return loss(taken, labels) if loss else -np.log(_true_class(taken, labels)).mean()

    return value


def _log_softmax_loss(labels: Array, outputs: Array, from_logits: bool) -> float:
    logits = outputs.astype(float) if from_logits else np.log(outputs.astype(float))
    top = logits.max(axis=1)
    log_of_sum = top + np.log(np.exp(logits - top[:, np.newaxis]).sum(axis=1))
    return float((log_of_sum - _true_class(logits, labels)).mean())


def _cut_off(logits: Array) -> Array:
    """Return what Keras makes of logits that are announced as probabilities."""
    cut = np.clip(logits, 1e-7, 1 - 1e-7)
    return cut / cut.sum(axis=1, keepdims=True)


def _raw(outputs: Array) -> Array:
    return outputs


SOFTMAX_ALWAYS = Text(
    "With `from_logits=False` your loss is `{value}`, and `{expected}` is right: the outputs are"
    " probabilities already, and softmax was done a second time.",
    "`from_logits=False`일 때 손실이 `{value}`인데 `{expected}`이어야 해요. 출력이 이미 확률인데 소프트맥스를 한 번 더"
    " 했어요.",
)
SOFTMAX_NEVER = Text(
    "With `from_logits=True` your loss is `{value}`, and `{expected}` is right: the outputs are logits of"
    " any size and sign, and were taken for probabilities. They need softmax before the logarithm.",
    "`from_logits=True`일 때 손실이 `{value}`인데 `{expected}`이어야 해요. 출력은 크기와 부호가 제각각인 로짓인데 확률로"
    " 여겼어요. 로그를 취하기 전에 소프트맥스가 필요해요.",
)
FLAG_INVERTED = Text(
    "The two conventions have changed places (`{value}` where `{expected}` is right): softmax belongs where"
    " `from_logits` is True, and nowhere else.",
    "두 방식이 서로 바뀌었어요(`{expected}` 대신 `{value}`). 소프트맥스는 `from_logits`가 참일 때만 필요해요.",
)
TWICE = Text(
    "With `from_logits=True` your loss is `{value}`, and `{expected}` is right: softmax was done twice. A"
    " loss that is told `from_logits=True` does it itself.",
    "`from_logits=True`일 때 손실이 `{value}`인데 `{expected}`이어야 해요. 소프트맥스를 두 번 했어요. `from_logits=True`라고"
    " 들은 손실은 스스로 소프트맥스를 해요.",
)
OVERFLOW = Text(
    "Right for ordinary logits; for some of several hundred your loss is `{value}`, where `{expected}` is"
    " right. The true class's probability is then too small for a float, so it must never be computed: let"
    " a loss with `from_logits=True` or `tf.nn.log_softmax` go from logits to logarithm in one step.",
    "보통의 로짓에는 맞지만, 수백이나 되는 로짓에는 손실이 `{value}`이에요. 맞는 값은 `{expected}`예요. 정답 클래스의 확률이"
    " 실수로 담을 수 없을 만큼 작으니 확률을 거치면 안 돼요. `from_logits=True`인 손실이나 `tf.nn.log_softmax`로 로짓에서"
    " 로그까지 한 번에 가세요.",
)
ALL_PAIRS = Text(
    "`{value}`: with `[:, labels]` every image is charged for the labels of all images. Each row has one"
    " true class: pair row numbers and labels, or use `tf.gather(..., batch_dims=1)`.",
    "`{value}`: `[:, labels]`는 이미지마다 모든 이미지의 레이블로 값을 매겨요. 행마다 정답은 하나이니 행 번호와 레이블을 짝"
    " 지으세요.",
)


def _losses() -> list[Mistake]:
    def said(name: str, text: Text, *ways: Any) -> Mistake:
        return Mistake(name, _priced(*ways), text)

    def with_loss(name: str, loss: Callable[[Array, Array], Any], text: Text) -> Mistake:
        return Mistake(name, _priced(loss=loss), text)

    def price(p: Array, labels: Array) -> Array:
        return -np.log(_true_class(p, labels))

    def rows(labels: Array) -> Array:
        return np.eye(10)[labels]

    def to_base(base: int) -> Callable[[Array, Array], Any]:
        return lambda p, labels: price(p, labels).mean() / np.log(base)

    def of_all_pairs(total: Callable[[Array], Any]) -> Callable[[Array, Array], Any]:
        return lambda p, labels: total(-np.log(p[:, labels]))

    def of_all_classes(total: Callable[[Array], Any]) -> Callable[[Array, Array], Any]:
        return lambda p, labels: total(-np.log(p))

    def over_images(z: Array) -> Array:
        return softmax(z.T).T

    twice = lambda z: softmax(softmax(z))  # noqa: E731
    return [
        said("softmax_always", SOFTMAX_ALWAYS, softmax, softmax),
        *(said("softmax_never", SOFTMAX_NEVER, way, _raw) for way in (_raw, _cut_off)),
        *(said("flag_inverted", FLAG_INVERTED, way, softmax) for way in (_raw, _cut_off)),
        said("softmax_twice", TWICE, twice, _raw),
        said("softmax_twice", TWICE, twice, softmax),
        *(
            said(
                "softmax_over_images",
                Text(
                    "`{value}`: softmax went down the columns, so the images share one certainty among"
                    " them. It has to go along each row, the last axis: the ten numbers of one image.",
                    "`{value}`: 소프트맥스를 열 방향으로 해서 이미지들이 확률을 나누어 가져요. 한 이미지의 숫자 열 개, 곧"
                    " 마지막 축을 따라 해야 해요.",
                ),
                way,
                _raw,
            )
            for way in (over_images, lambda z: softmax(z.reshape(1, -1)).reshape(z.shape))
        ),
        with_loss(
            "summed",
            lambda p, y: price(p, y).sum(),
            Text(
                "`{value}` is the sum over all images. The average is asked for, so that a larger batch"
                " does not cost more.",
                "`{value}`은(는) 모든 이미지의 합이에요. 배치가 크다고 값이 커지지 않도록 평균이 필요해요.",
            ),
        ),
        with_loss(
            "each_image",
            price,
            Text(
                "`{value}` holds the loss of each image; their average is asked for, one number.",
                "`{value}`은(는) 이미지마다의 손실이에요. 그 평균, 숫자 하나가 필요해요.",
            ),
        ),
        with_loss(
            "no_minus",
            lambda p, y: -price(p, y).mean(),
            Text(
                "`{value}` has the right size and is negative: the logarithm of a probability is below 0,"
                " and the minus sign makes a loss of it.",
                "`{value}`은(는) 크기는 맞지만 음수예요. 확률의 로그는 0보다 작으니 마이너스를 붙여야 손실이 돼요.",
            ),
        ),
        *(
            with_loss(
                "other_base",
                to_base(base),
                Text(
                    "`{value}` comes of a logarithm to another base; the natural one, `np.log`, gives"
                    " `{expected}`.",
                    "`{value}`은(는) 밑이 다른 로그로 얻은 값이에요. 자연로그 `np.log`로는 `{expected}`예요.",
                ),
            )
            for base in (10, 2)
        ),
        with_loss(
            "confidence",
            lambda p, y: -np.log(p.max(axis=1)).mean(),
            Text(
                "`{value}` comes from the largest probability of each row, and never asks for the truth."
                " The loss looks at the probability of the *true* class, which `labels` names.",
                "`{value}`은(는) 행마다 가장 큰 확률로 계산해서 정답을 묻지 않아요. 손실은 `labels`가 가리키는 *정답*"
                " 클래스의 확률을 봐요.",
            ),
        ),
        *(
            with_loss(
                "all_pairs",
                of_all_pairs(total),
                ALL_PAIRS,
            )
            for total in (np.mean, np.sum, lambda each: each.sum(axis=1).mean())
        ),
        *(
            with_loss(
                "all_classes",
                of_all_classes(total),
                Text(
                    "`{value}` charges for all ten probabilities. Only the true class counts.",
                    "`{value}`은(는) 확률 열 개 모두에 값을 매겼어요. 정답 클래스만 세어야 해요.",
                ),
            )
            for total in (np.mean, np.sum, lambda each: each.sum(axis=1).mean())
        ),
        with_loss(
            "averaged_over_classes",
            lambda p, y: (rows(y) * -np.log(p)).mean(),
            Text(
                "`{value}` is a tenth of the loss: the average went over all classes, nine of which are"
                " zeros. Add up each row, then average over the images.",
                "`{value}`은(는) 손실의 10분의 1이에요. 아홉 개가 0인 클래스 전체로 평균을 냈어요. 행마다 더한 다음"
                " 이미지에 대해 평균하세요.",
            ),
        ),
        with_loss(
            "entropy",
            lambda p, y: (p * -np.log(p)).sum(axis=1).mean(),
            Text(
                "`{value}` is the entropy of the probabilities, how undecided the network is. The truth"
                " has to enter: -log p of the true class.",
                "`{value}`은(는) 확률의 엔트로피, 곧 네트워크가 얼마나 망설이는지예요. 정답이 들어가야 해요: 정답 클래스의"
                " -log p.",
            ),
        ),
        with_loss(
            "log_of_mean",
            lambda p, y: -np.log(_true_class(p, y).mean()),
            Text(
                "`{value}` is the logarithm of the average probability. First the logarithm for each"
                " image, then the average: a single certain mistake has to hurt.",
                "`{value}`은(는) 평균 확률의 로그예요. 이미지마다 로그를 먼저, 그다음 평균이에요. 확신에 찬 실수 하나도 아파야"
                " 하니까요.",
            ),
        ),
        *(
            with_loss(
                "something_added",
                partial(lambda more, p, y: -np.log(_true_class(p, y) + more).mean(), more),
                Text(
                    "`{value}`: a small number was added to the probabilities before the logarithm, which makes"
                    " every loss a little too small. `{expected}` is right; leave the probabilities as they are.",
                    "`{value}`: 로그를 취하기 전에 확률에 작은 수를 더해서 손실이 조금씩 작아졌어요. `{expected}`이(가) 맞아요. 확률을"
                    " 그대로 두세요.",
                ),
            )
            for more in (0.1, 0.01, 1e-3)
        ),
        with_loss(
            "no_logarithm",
            lambda p, y: (1 - _true_class(p, y)).mean(),
            Text(
                "`{value}` is the average of 1 - p, which charges at most 1 for a certain mistake; the"
                " cross-entropy is -log p.",
                "`{value}`은(는) 1 - p의 평균이라 확신에 찬 실수에도 많아야 1을 매겨요. 교차 엔트로피는 -log p예요.",
            ),
        ),
        with_loss(
            "no_logarithm",
            lambda p, y: _true_class(p, y).mean(),
            Text(
                "`{value}` is the average probability of the true class: minus its logarithm is missing.",
                "`{value}`은(는) 정답 클래스 확률의 평균이에요. 로그와 마이너스가 빠졌어요.",
            ),
        ),
        with_loss(
            "binary",
            lambda p, y: -np.where(rows(y), np.log(p), np.log1p(-p)).mean(),
            Text(
                "`{value}` is *binary* cross-entropy, ten yes-or-no questions. Here one class out of ten is"
                " true: -log p of that class alone.",
                "`{value}`은(는) 예/아니오 질문 열 개를 위한 *이진* 교차 엔트로피예요. 여기서는 열 클래스 중 하나가 정답이니 그"
                " 클래스의 -log p만 세어요.",
            ),
        ),
        with_loss(
            "squared",
            lambda p, y: ((p - rows(y)) ** 2).mean(),
            Text(
                "`{value}` is a squared distance; asked for is the cross-entropy, -log p of the true class.",
                "`{value}`은(는) 거리의 제곱이에요. 필요한 것은 교차 엔트로피, 정답 클래스의 -log p예요.",
            ),
        ),
        Mistake(
            "accuracy",
            lambda y, out, _: (out.argmax(axis=1) == y).mean(),
            Text(
                "`{value}` is the accuracy. It is for people to read; the loss is -log p of the true class.",
                "`{value}`은(는) 정확도예요. 그것은 사람이 읽는 값이고, 손실은 정답 클래스의 -log p예요.",
            ),
        ),
        Mistake(
            "not_normalised",
            lambda y, out, flag: (
                -_true_class(out, y).mean() if flag else -np.log(_true_class(out, y)).mean()
            ),
            Text(
                "`{value}` looks at the logit of the true class alone. What counts is how it stands to the"
                " other nine: softmax divides by the sum of all.",
                "`{value}`은(는) 정답 클래스의 로짓만 봤어요. 중요한 것은 나머지 아홉과의 관계예요. 소프트맥스는 전체의 합으로"
                " 나누어요.",
            ),
        ),
        Mistake("none", None, NONE),
    ]


def _naive_losses() -> list[Mistake]:
    """Return what becomes of the loss where a probability was too small for a float."""

    def capped(least: float) -> Callable[..., float]:
        return _priced(loss=lambda p, y: -np.log(np.maximum(_true_class(p, y), least)).mean())

    values = [float("nan"), float("inf"), *(capped(10.0**-n) for n in range(5, 46))]
    return [Mistake("overflow", value, OVERFLOW, 0.6) for value in values]


@problem(
    "5.5",
    section="Logits or probabilities but not a mix of both",
    objective=7,
    difficulty=2,
    points=4,
    cases=[
        (*_logits(0, 6, 2.0), True),
        (_logits(1, 6, 2.0)[0], softmax(_logits(1, 6, 2.0)[1]), False),
        (_logits(2, 9, 1.0)[0], softmax(_logits(2, 9, 1.0)[1]), False),
        (*_logits(3, 9, 1.0), True),
        (*_logits(4, 8, 200.0), True),
    ],
    hints=[
        Text(
            "Look at the four lines of the broken function. Which of them is right in one convention"
            " only?",
            "고장 난 함수의 줄을 하나씩 보세요. 두 방식 중 한쪽에서만 맞는 줄은 어느 것인가요?",
        ),
        Text(
            "Softmax is needed only where `from_logits` is True, and what the loss looks at is the"
            " probability of the *true* class, not the largest one.",
            "소프트맥스는 `from_logits`가 참일 때만 필요하고, 손실은 가장 큰 확률이 아니라 *정답* 클래스의 확률을 봐요.",
        ),
        Text(
            "Keras knows both conventions: `keras.losses.SparseCategoricalCrossentropy(from_logits=...)`"
            " makes a function of labels and outputs that returns the average. By hand,"
            " `tf.nn.log_softmax(logits)` stays finite for any logits.",
            "Keras는 두 방식을 모두 알아요. `keras.losses.SparseCategoricalCrossentropy(from_logits=...)`는 레이블과 출력을"
            " 받아 평균을 돌려주는 함수를 만들어요. 직접 계산한다면 `tf.nn.log_softmax(logits)`는 어떤 로짓에도 유한해요.",
        ),
    ],
    remark=Text(
        "Logits of several hundred are what an untrained network makes of unscaled pixels. That the loss"
        " survives them is the reason why so much code keeps the logits and says `from_logits=True`.",
        "수백이나 되는 로짓은 학습 전 네트워크가 스케일하지 않은 픽셀에 내놓는 값이에요. 많은 코드가 로짓을 그대로 두고"
        " `from_logits=True`를 쓰는 이유가 바로 이런 로짓도 견디기 때문이에요.",
    ),
)
def average_loss(cases: Cases, f: Any) -> Finding | None:
    ordinary = [case for case in cases if np.abs(case[1]).max() < 60]
    huge = [case for case in cases if np.abs(case[1]).max() >= 60]
    recipe = """
def average_loss(labels, outputs, from_logits):
    probabilities = softmax(outputs) if from_logits else outputs
    chosen = probabilities[np.arange(len(labels)), labels]
    losses = -np.log(chosen)
    return np.mean(losses)
"""
    return _judge(f, ordinary, _log_softmax_loss, _losses(), recipe=recipe) or _judge(
        f, huge, _log_softmax_loss, _naive_losses()
    )


# 5.6


def _counts(labels: Array, predicted: Array, classes: int) -> Array:
    pairs = list(zip(labels.tolist(), predicted.tolist(), strict=True))
    every = range(classes)
    return np.array([[pairs.count((true, answer)) for answer in every] for true in every])


def _shares(counts: Array, axis: int | None) -> Array:
    with np.errstate(all="ignore"):
        return counts / counts.sum(axis=axis, keepdims=True)


NORMALISED = Text(
    "These are shares, and counts are asked for: do not divide. (`{value}`)",
    "개수가 아니라 비율이에요. 나누지 마세요. (`{value}`)",
)
MISSING_CLASSES = Text(
    "`{value}` has no room for every class: it was sized by the classes that happen to occur. A class that"
    " is absent today has a row and a column too, full of zeros: use `classes`.",
    "`{value}`에는 모든 클래스의 자리가 없어요. 마침 나타난 클래스만으로 크기를 정했어요. 오늘 없는 클래스에도 0으로 찬 행과 열이"
    " 있어야 하니 `classes`를 쓰세요.",
)
COUNTED_ONCE = Text(
    "`{value}`: every pair was counted once at most. `matrix[labels, predicted] += 1` adds to each place"
    " only once, however often the place occurs: use a loop, or `np.add.at`.",
    "`{value}`: 같은 짝이 여러 번 나와도 한 번만 세었어요. `matrix[labels, predicted] += 1`은 자리마다 한 번만 더해요."
    " 반복문이나 `np.add.at`을 쓰세요.",
)


@problem(
    "5.6",
    section="A confusion matrix says which mistakes",
    objective=6,
    difficulty=2,
    points=3,
    cases=[
        (np.array([0, 0, 0, 1, 1, 2, 2, 2]), np.array([0, 1, 1, 1, 2, 2, 2, 2]), 3),
        (np.array([0, 2, 2, 0, 2, 2]), np.array([2, 2, 0, 0, 0, 2]), 4),
        (np.array([1, 3, 3, 1, 3]), np.array([3, 3, 1, 1, 1]), 5),
        (_answers(5, 60)[1], _answers(5, 60)[0].argmax(axis=1), 10),
        (np.repeat([0, 1, 1], [300, 2, 1]), np.repeat([0, 1, 0], [300, 2, 1]), 2),
    ],
    hints=[
        Text(
            "Start with a square of zeros, `classes` by `classes`. Each image adds 1 in one place: in which"
            " row, in which column?",
            "`classes` x `classes` 크기의 0으로 찬 정사각형에서 시작하세요. 이미지마다 한 자리에 1을 더해요. 몇 행, 몇 열일까요?",
        ),
        Text(
            "`for true, answer in zip(labels, predicted):` goes through both together. The row is the true"
            " class, the column the answer.",
            "`for true, answer in zip(labels, predicted):`로 둘을 함께 훑으세요. 행이 정답, 열이 예측이에요.",
        ),
    ],
    remark=Text(
        "Two sums come for free: a row adds up to how often the class occurs, a column to how often it was"
        " named. The diagonal divided by the row sums is each class's own accuracy.",
        "두 가지 합을 덤으로 얻어요. 행의 합은 그 클래스가 나온 횟수, 열의 합은 그 클래스로 답한 횟수예요. 대각선을 행의 합으로"
        " 나누면 클래스별 정확도예요.",
    ),
)
def confusion_matrix(cases: Cases, f: Any) -> Finding | None:
    def present(labels: Array, predicted: Array, classes: int) -> Array:
        seen = np.union1d(labels, predicted)
        return _counts(labels, predicted, classes)[np.ix_(seen, seen)]

    def up_to_the_largest(labels: Array, predicted: Array, classes: int) -> Array:
        size = max(labels.max(), predicted.max()) + 1
        return _counts(labels, predicted, size)

    def said(name: str, way: Callable[[Array], Any], text: Text, share: float = 0.0) -> Mistake:
        return Mistake(name, lambda *case: way(_counts(*case)), text, share)

    return _judge(
        f,
        cases,
        _counts,
        [
            said(
                "transposed",
                lambda m: m.T,
                Text(
                    "`{value}` is transposed: the true class chooses the row, and the answer the column.",
                    "`{value}`은(는) 행과 열이 바뀌었어요. 정답이 행을, 예측이 열을 정해요.",
                ),
            ),
            *(said("normalised", partial(_shares, axis=axis), NORMALISED) for axis in (1, 0, None)),
            said("normalised", lambda m: np.nan_to_num(_shares(m, 1)), NORMALISED),
            said("normalised", lambda m: np.nan_to_num(_shares(m, 0)), NORMALISED),
            said("normalised", lambda m: np.nan_to_num(_shares(m.T, 1)), NORMALISED),
            said(
                "normalised", lambda m: m / np.maximum(m.sum(axis=1, keepdims=True), 1), NORMALISED
            ),
            said("normalised", lambda m: 100 * m / m.sum(), NORMALISED),
            *(
                said(
                    "normalised",
                    partial(lambda axis, m: 100 * np.nan_to_num(_shares(m, axis)), axis),
                    NORMALISED,
                )
                for axis in (0, 1)
            ),
            Mistake("missing_classes", present, MISSING_CLASSES),
            Mistake("missing_classes", up_to_the_largest, MISSING_CLASSES),
            Mistake("missing_classes", lambda *case: up_to_the_largest(*case).T, MISSING_CLASSES),
            Mistake(
                "missing_classes",
                lambda y, p, _: _counts(y, p, 10)[: len(np.unique(y)), : len(np.unique(y))],
                MISSING_CLASSES,
            ),
            Mistake(
                "always_ten",
                lambda y, p, _: _counts(y, p, 10),
                Text(
                    "`{value}`: that is a square of ten whatever is asked for. Its size is the argument"
                    " `classes`.",
                    "`{value}`: 무엇을 넣어도 10 x 10이에요. 크기는 인자 `classes`로 정하세요.",
                ),
            ),
            *(
                said("counted_once", way, COUNTED_ONCE)
                for way in (
                    lambda m: (m > 0).astype(int),
                    lambda m: m > 0,
                    lambda m: (m.T > 0).astype(int),
                )
            ),
            said(
                "only_mistakes",
                lambda m: m - np.diag(np.diag(m)),
                Text(
                    "The diagonal of `{value}` is empty: right answers are counted too.",
                    "`{value}`의 대각선이 비어 있어요. 맞은 답도 세어야 해요.",
                ),
            ),
            said(
                "only_right",
                lambda m: np.diag(np.diag(m)),
                Text(
                    "`{value}` counts right answers alone. The mistakes, off the diagonal, are what the"
                    " matrix is for.",
                    "`{value}`은(는) 맞은 답만 세었어요. 이 행렬은 대각선 밖의 실수를 보려고 만드는 거예요.",
                ),
            ),
            said(
                "diagonal",
                np.diag,
                Text(
                    "`{value}` are the right answers of each class, the diagonal alone: the whole square is"
                    " asked for.",
                    "`{value}`은(는) 클래스마다 맞은 개수, 곧 대각선뿐이에요. 정사각형 전체가 필요해요.",
                ),
            ),
            said(
                "flat",
                np.ravel,
                Text(
                    "`{value}`: the counts are right, in one long row. Give them the shape `(classes,"
                    " classes)`.",
                    "`{value}`: 개수는 맞지만 한 줄로 늘어서 있어요. 모양을 `(classes, classes)`로 만드세요.",
                ),
            ),
            *(
                said(
                    "class_totals",
                    partial(np.sum, axis=axis),
                    Text(
                        "`{value}` says how often each class occurs. Count pairs: true class *and* answer.",
                        "`{value}`은(는) 클래스마다 나온 횟수예요. 정답과 예측의 *짝*을 세세요.",
                    ),
                )
                for axis in (1, 0)
            ),
            said(
                "accuracy",
                lambda m: np.trace(m) / m.sum(),
                Text(
                    "`{value}` is the accuracy, one number; the matrix says where it was lost.",
                    "`{value}`은(는) 정확도, 숫자 하나예요. 행렬은 그것을 어디서 잃었는지 말해 줘요.",
                ),
            ),
            said(
                "both_ways",
                lambda m: m + m.T,
                Text(
                    "`{value}` counts each pair both ways round. Row and column are not the same: the row is the"
                    " truth, the column the answer.",
                    "`{value}`은(는) 짝을 양쪽으로 세었어요. 행과 열은 같지 않아요. 행은 정답, 열은 답이에요.",
                ),
            ),
            said(
                "rows_shared",
                lambda m: np.tile(m.sum(axis=0), (len(m), 1)),
                Text(
                    "All rows of `{value}` are alike: they are one and the same row under several names, as"
                    " `[[0] * classes] * classes` makes them. Make a new row for each class, or take"
                    " `np.zeros((classes, classes))`.",
                    "`{value}`의 모든 행이 같아요. `[[0] * classes] * classes`처럼 하나의 행이 여러 번 쓰였어요. 클래스마다 새"
                    " 행을 만들거나 `np.zeros((classes, classes))`를 쓰세요.",
                ),
            ),
            *(
                said(
                    "totals_multiplied",
                    way,
                    Text(
                        "`{value}` multiplies how often a class occurs by how often it was answered. The two are"
                        " not independent: count the *pairs*, image by image.",
                        "`{value}`은(는) 클래스가 나온 횟수와 답한 횟수를 곱했어요. 둘은 서로 독립이 아니에요. 이미지마다 *짝*을"
                        " 세세요.",
                    ),
                )
                for way in (
                    lambda m: np.outer(m.sum(axis=1), m.sum(axis=0)) // m.sum(),
                    lambda m: np.outer(m.sum(axis=1), m.sum(axis=0)) / m.sum(),
                    lambda m: np.outer(m.sum(axis=1), m.sum(axis=0)),
                )
            ),
            *(
                Mistake(
                    "an_image_missing",
                    lambda y, p, classes, part=part: _counts(y[part], p[part], classes),
                    Text(
                        f"One image is not counted in `{{value}}`, the {which[0]}: where does the loop"
                        f" {which[1]}?",
                        f"`{{value}}`에는 {which[2]} 이미지가 빠졌어요. 반복문이 어디서 {which[3]}나요?",
                    ),
                )
                for part, which in (
                    (slice(None, -1), ("last", "end", "마지막", "끝")),
                    (slice(1, None), ("first", "begin", "첫째", "시작")),
                )
            ),
            *(
                said(
                    "counted_from_one",
                    partial(lambda axes, m: np.roll(m, -1, axis=axes), axes),
                    Text(
                        "`{value}`: every class stands one place too early, and class 0 comes last, as when 1"
                        " is taken off. The classes count from 0 as the places do.",
                        "`{value}`: 모든 클래스가 한 칸 앞에 있고 클래스 0은 맨 뒤에 있어요. 1을 뺀 것 같아요. 클래스도 자리처럼"
                        " 0부터 세요.",
                    ),
                )
                for axes in ((0, 1), 0, 1)
            ),
            *(
                said(
                    "too_small_a_type",
                    partial(lambda kind, m: m.astype(kind), kind),
                    Text(
                        f"300 images of one pair come out as another number, `{{value}}`: the matrix holds"
                        f" `{kind}`, which ends at {np.iinfo(kind).max} and begins again. Let it hold `int`.",
                        f"한 짝의 이미지 300장이 다른 숫자로 나와요(`{{value}}`). 행렬이 `{kind}`라서 {np.iinfo(kind).max}까지만"
                        " 세고 다시 시작해요. `int`로 두세요.",
                    ),
                    0.6,
                )
                for kind in ("uint8", "int8")
            ),
            said(
                "upside_down",
                lambda m: m[::-1],
                Text(
                    "The rows of `{value}` stand upside down: class 0 is the first.",
                    "`{value}`의 행이 거꾸로예요. 클래스 0이 첫 행이에요.",
                ),
            ),
            said(
                "two_too_many",
                lambda m: 2 * m,
                Text(
                    "Every image is counted twice in `{value}`.",
                    "`{value}`에는 이미지마다 두 번씩 세었어요.",
                ),
            ),
            said(
                "starts_at_one",
                lambda m: m + 1,
                Text(
                    "Every place of `{value}` is one too large: start with zeros.",
                    "`{value}`의 모든 자리가 1씩 커요. 0에서 시작하세요.",
                ),
            ),
        ],
        recipe="""
def confusion_matrix(labels, predicted, classes):
    matrix = np.zeros((classes, classes))
    for i in range(len(labels)):
        row = labels[i]
        column = predicted[i]
        matrix[row, column] += 1
    return matrix
""",
    )


# 5.7


def _groups(
    confidences: Array, is_right: Array, edges: Array
) -> tuple[list[float], list[float], list[int]]:
    """Return for each group that is not empty how sure, how often right, how many."""
    sure, right, count = [], [], []
    for low, high in itertools.pairwise(edges):
        inside = [i for i, each in enumerate(confidences) if low < each <= high]
        if inside:
            sure.append(float(np.mean([confidences[i] for i in inside])))
            right.append(float(np.mean([is_right[i] for i in inside])))
            count.append(len(inside))
    return sure, right, count


def _gap(
    total: Callable[[Array, Array], Any] = lambda gaps, share: (np.abs(gaps) * share).sum(),
    edges: Callable[[Array, int], Array] = lambda sure, bins: np.linspace(0, 1, bins + 1),
    confidence: Callable[[Array, Array], Array] = lambda p, labels: p.max(axis=1),
) -> Callable[..., Any]:
    """Return the calibration error with some of its parts exchanged for mistaken ones."""

    def value(probabilities: Array, labels: Array, bins: int) -> Any:
        confidences = confidence(probabilities, labels).astype(float)
        is_right = probabilities.argmax(axis=1) == labels
        sure, right, count = _groups(confidences, is_right, edges(confidences, bins))
        return total(np.array(sure) - right, np.array(count) / len(labels))

    return value


def _whole(way: Callable[[Array, Array, Array], Any]) -> Callable[..., Any]:
    """Let a mistake without groups be written with: confidences, is each right, true class's."""

    def value(probabilities: Array, labels: Array, bins: int) -> Any:
        sure, right = (
            probabilities.max(axis=1).astype(float),
            probabilities.argmax(axis=1) == labels,
        )
        return way(sure, right.astype(float), _true_class(probabilities, labels))

    return value


def _without_certain(probabilities: Array, labels: Array, bins: int) -> Any:
    kept = probabilities.max(axis=1) < 1
    share = kept.mean()
    return share * _gap()(probabilities[kept], labels[kept], bins)


def _with_a_certain_one(probabilities: Array, labels: Array) -> tuple[Array, Array]:
    probabilities[-2:] = np.eye(10)[[3, 4]]
    labels[-2:] = 3, 5
    return probabilities, labels


def _on_the_edges(probabilities: Array, labels: Array) -> tuple[Array, Array]:
    """Give some images a confidence of exactly a half or three quarters."""
    for place, sure in enumerate((0.5, 0.5, 0.75, 0.5, 0.75)):
        row = np.full(10, (1 - sure) / 9, dtype="float32")
        row[place] = sure
        probabilities[place], labels[place] = row, place if place % 2 else 9
    return probabilities, labels


def _grouped_by(group_of: Callable[[Array, int], Array], drop: bool = False) -> Callable[..., Any]:
    """Return the calibration error with groups by their numbers; those outside may be dropped."""

    def value(probabilities: Array, labels: Array, bins: int) -> Any:
        sure = probabilities.max(axis=1).astype(float)
        right = probabilities.argmax(axis=1) == labels
        groups = group_of(sure, bins)
        kept = sorted(set(groups.tolist()))
        if drop:
            kept = [each for each in kept if 0 <= each < bins]
        return sum(
            (groups == g).mean() * abs(sure[groups == g].mean() - right[groups == g].mean())
            for g in kept
        )

    return value


def _equally_full(sure: Array, bins: int) -> Array:
    """Return a group for each confidence such that the groups hold equally many."""
    groups = np.empty(len(sure), int)
    for number, members in enumerate(np.array_split(np.argsort(sure), bins)):
        groups[members] = number
    return groups


def _between(sure: Array, low: float, high: float) -> Array:
    return (low < sure) & (sure <= high)


def _by_group(
    level: Callable[[Array, float, float], float], inside: Callable[..., Array] = _between
) -> Callable[..., Any]:
    """Return the error with a level of a group's confidences in place of their average."""

    def value(probabilities: Array, labels: Array, bins: int) -> Any:
        sure = probabilities.max(axis=1).astype(float)
        right = probabilities.argmax(axis=1) == labels
        error = 0.0
        for low, high in itertools.pairwise(np.linspace(0, 1, bins + 1)):
            group = inside(sure, low, high)
            if group.any():
                error += group.mean() * abs(level(sure[group], low, high) - right[group].mean())
        return error

    return value


_medians = _by_group(lambda sure, low, high: np.median(sure))
_edges_counted_twice = _by_group(
    lambda sure, low, high: sure.mean(), lambda sure, low, high: (low <= sure) & (sure <= high)
)


def _all_ten(probabilities: Array, labels: Array, bins: int) -> Any:
    sure = probabilities.ravel().astype(float)
    right = (np.arange(10) == np.asarray(labels)[:, np.newaxis]).ravel()
    found = _groups(sure, right, np.linspace(0, 1, bins + 1))
    return (np.abs(np.array(found[0]) - found[1]) * found[2]).sum() / len(sure)


NOT_WEIGHTED = Text(
    "`{value}`: every group counts the same there, however few images it holds. Weight each gap by the"
    " group's share of the images, and `{expected}` comes out.",
    "`{value}`: 이미지가 몇 장이든 모든 그룹을 똑같이 세었어요. 그룹의 차이에 그 그룹이 차지하는 비율을 곱하면 `{expected}`이"
    " 나와요.",
)
OTHER_EDGES = Text(
    "`{value}` comes of other groups: they should cut the whole range from 0 to 1 into `bins` pieces of"
    " equal width (`bins` + 1 edges), wherever the confidences happen to lie.",
    "`{value}`은(는) 다른 그룹에서 나온 값이에요. 확신이 어디에 몰려 있든 0부터 1까지를 너비가 같은 `bins`개로 나누세요(경계는"
    " `bins` + 1개).",
)
SIGNED = Text(
    "`{value}`: where one group is too sure and another not sure enough, the two gaps cancel. Take the"
    " absolute value of each group's gap before adding up.",
    "`{value}`: 지나치게 확신하는 그룹과 덜 확신하는 그룹의 차이가 서로 지워졌어요. 더하기 전에 그룹마다 절댓값을 취하세요.",
)


@problem(
    "5.7",
    section="Confident and wrong after training too",
    objective=6,
    difficulty=3,
    points=4,
    cases=[
        (*_answers(6, 40, 1.5), 5),
        (*_with_a_certain_one(*_answers(7, 30)), 10),
        (*_answers(8, 60, 3.0), 4),
        (*_answers(9, 12, 1.0), 20),
        (*_on_the_edges(*_answers(10, 24)), 4),
    ],
    hints=[
        Text(
            "The table of the lesson has a row for each group: `sure` and `right`. The error is what lies"
            " between these two columns, averaged over the images.",
            "수업의 표에는 그룹마다 한 줄씩 `sure`와 `right`가 있어요. 이 두 열 사이의 차이를 이미지에 대해 평균한 것이 오차예요.",
        ),
        Text(
            "Edges: `np.linspace(0, 1, bins + 1)`. For each pair of neighbours, a mask says which"
            " confidences lie between (`low < confidence`, `confidence <= high`). Skip a group that is"
            " empty.",
            "경계는 `np.linspace(0, 1, bins + 1)`이에요. 이웃한 두 경계마다 그 사이에 있는 확신을 마스크로 고르세요(`low <"
            " confidence`, `confidence <= high`). 빈 그룹은 건너뛰세요.",
        ),
        Text(
            "Each group adds `group.mean() * abs(confidence[group].mean() - is_right[group].mean())`:"
            " `group.mean()` of a mask is the group's share of the images.",
            "그룹마다 `group.mean() * abs(confidence[group].mean() - is_right[group].mean())`을 더해요. 마스크의 평균인"
            " `group.mean()`은 그 그룹이 차지하는 비율이에요.",
        ),
    ],
    remark=Text(
        "You have written the *expected calibration error*, the number by which researchers found that"
        " large networks promise more than they keep. One trick lowers it without a new training: divide all"
        " logits by a well-chosen number.",
        "당신이 쓴 것은 *기대 보정 오차*(expected calibration error)예요. 큰 네트워크가 지키는 것보다 더 많이 약속한다는 사실을"
        " 연구자들이 이 수로 알아냈죠. 다시 학습하지 않고 줄이는 방법도 있어요. 모든 로짓을 알맞은 수로 나누는 거예요.",
    ),
)
def calibration_error(cases: Cases, f: Any) -> Finding | None:
    return _judge(
        f,
        cases,
        _gap(),
        [
            Mistake("unweighted", _gap(lambda g, share: np.abs(g).mean()), NOT_WEIGHTED),
            Mistake("unweighted", _gap(lambda g, share: np.abs(g).sum()), NOT_WEIGHTED),
            Mistake(
                "unweighted",
                lambda p, y, bins: _gap(lambda g, share: np.abs(g).sum() / bins)(p, y, bins),
                NOT_WEIGHTED,
            ),
            Mistake("signed", _whole(lambda sure, right, true: (sure - right).mean()), SIGNED),
            Mistake("signed", _whole(lambda sure, right, true: (right - sure).mean()), SIGNED),
            Mistake("signed", _gap(lambda g, share: abs(g.mean())), SIGNED),
            Mistake("signed", _gap(lambda g, share: g.mean()), SIGNED),
            Mistake(
                "one_group",
                _whole(lambda sure, right, true: abs(sure.mean() - right.mean())),
                Text(
                    "`{value}` compares the average confidence with the accuracy of all images at once."
                    " Within one group gaps of both signs cancel: cut the confidences into `bins` groups"
                    " first, and take each group's gap without its sign.",
                    "`{value}`은(는) 모든 이미지의 평균 확신과 정확도를 한꺼번에 비교했어요. 그러면 부호가 다른 차이가 서로"
                    " 지워지니, 먼저 확신을 `bins`개의 그룹으로 나누고 그룹마다 차이의 절댓값을 취하세요.",
                ),
            ),
            Mistake(
                "image_by_image",
                _whole(lambda sure, right, true: np.abs(sure - right).mean()),
                Text(
                    "`{value}` compares each image's confidence with its own 0 or 1, so even a perfectly"
                    " honest 70% would be charged. Average within each group before you compare.",
                    "`{value}`은(는) 이미지마다 확신을 0이나 1과 비교했어요. 그러면 완벽하게 정직한 70%도 벌을 받아요. 비교하기"
                    " 전에 그룹 안에서 평균을 내세요.",
                ),
            ),
            Mistake(
                "largest_gap",
                _gap(lambda g, share: np.abs(g).max()),
                Text(
                    "`{value}` is the gap of the worst group; the average over all images is asked for.",
                    "`{value}`은(는) 가장 나쁜 그룹의 차이예요. 모든 이미지에 대한 평균이 필요해요.",
                ),
            ),
            *(
                Mistake(
                    "squared",
                    _gap(way),
                    Text(
                        "`{value}`: the gaps were squared; their size, `abs`, is what counts.",
                        "`{value}`: 차이를 제곱했어요. 제곱이 아니라 크기(`abs`)를 쓰세요.",
                    ),
                )
                for way in (
                    lambda g, share: (g**2 * share).sum(),
                    lambda g, share: (g**2 * share).sum() ** 0.5,
                    lambda g, share: (g**2).mean(),
                )
            ),
            Mistake(
                "true_class",
                _gap(confidence=_true_class),
                Text(
                    "`{value}` sorts the images by the probability of the *true* class. Confidence is the"
                    " largest probability of the row, whatever the truth.",
                    "`{value}`은(는) *정답* 클래스의 확률로 이미지를 나누었어요. 확신은 정답이 무엇이든 그 행에서 가장 큰"
                    " 확률이에요.",
                ),
            ),
            Mistake(
                "not_divided",
                lambda p, y, bins: len(y) * _gap()(p, y, bins),
                Text(
                    "`{value}` is the sum over the images: divide by how many there are, so that it becomes"
                    " an average.",
                    "`{value}`은(는) 이미지에 대한 합이에요. 평균이 되도록 이미지 수로 나누세요.",
                ),
            ),
            Mistake(
                "percent",
                lambda p, y, bins: 100 * _gap()(p, y, bins),
                Text(
                    "`{value}` is in percent; a number between 0 and 1 is asked for.",
                    "`{value}`은(는) 퍼센트예요. 0과 1 사이의 수가 필요해요.",
                ),
            ),
            Mistake(
                "without_the_certain",
                _without_certain,
                Text(
                    "`{value}`: images with a confidence of exactly 1 fall out of the last group. An upper"
                    " edge belongs to its group: `confidence <= high`.",
                    "`{value}`: 확신이 정확히 1인 이미지가 마지막 그룹에서 빠졌어요. 위쪽 경계는 그 그룹에 속해요: `confidence"
                    " <= high`.",
                ),
            ),
            Mistake(
                "empty_group",
                float("nan"),
                Text(
                    "`nan`: a group without images has no average (0/0). Skip the groups that are empty.",
                    "`nan`: 이미지가 없는 그룹에는 평균이 없어요(0/0). 빈 그룹은 건너뛰세요.",
                ),
            ),
            *(
                Mistake("other_edges", _gap(edges=edges), OTHER_EDGES)
                for edges in (
                    lambda sure, bins: np.linspace(0, 1, bins),
                    lambda sure, bins: np.linspace(0, 1, bins + 2),
                    lambda sure, bins: np.linspace(sure.min() - 1e-9, sure.max(), bins + 1),
                    lambda sure, bins: np.linspace(sure.min(), sure.max(), bins + 1),
                    lambda sure, bins: np.linspace(0.1, 1, bins + 1),
                    lambda sure, bins: np.linspace(0, sure.max(), bins + 1),
                    lambda sure, bins: np.quantile(sure, np.linspace(0, 1, bins + 1)),
                    lambda sure, bins: np.quantile(sure, np.linspace(0, 1, bins + 1)) - 1e-9,
                )
            ),
            *(
                Mistake(
                    "middle_of_the_group",
                    _by_group(level),
                    Text(
                        f"`{{value}}` compares the share of right answers with the {which[0]} of the group. Asked"
                        " for is the average confidence of the images in it.",
                        f"`{{value}}`은(는) 맞은 비율을 그룹의 {which[1]}과 비교했어요. 그룹에 든 이미지들의 평균 확신과 비교해야"
                        " 해요.",
                    ),
                )
                for level, which in (
                    (lambda sure, low, high: (low + high) / 2, ("middle", "가운데 값")),
                    (lambda sure, low, high: high, ("upper edge", "위쪽 끝")),
                    (lambda sure, low, high: low, ("lower edge", "아래쪽 끝")),
                )
            ),
            Mistake(
                "medians",
                _medians,
                Text(
                    "`{value}` takes the *median* of the confidences in a group. Their average is asked for.",
                    "`{value}`은(는) 그룹에 든 확신의 *중앙값*을 썼어요. 평균이 필요해요.",
                ),
            ),
            Mistake(
                "equally_full_groups",
                _grouped_by(_equally_full),
                Text(
                    "`{value}`: your groups hold equally many images. They are to be equally *wide*: the edges"
                    " are evenly spaced from 0 to 1.",
                    "`{value}`: 그룹마다 이미지 수가 같아요. 개수가 아니라 *너비*가 같아야 해요. 경계는 0에서 1까지 고르게 놓여요.",
                ),
            ),
            Mistake(
                "all_ten_probabilities",
                _all_ten,
                Text(
                    "`{value}` puts all ten probabilities of each image into groups. Only that of the answer,"
                    " the largest, is a confidence.",
                    "`{value}`은(는) 이미지마다 확률 열 개를 모두 그룹에 넣었어요. 답의 확률, 곧 가장 큰 것만 확신이에요.",
                ),
            ),
            *(
                Mistake(
                    "edges_of_the_next_group",
                    _grouped_by(group_of, drop),
                    Text(
                        "`{value}`: a confidence that lies exactly on an edge, 0.5 or 0.75 with 4 groups, or 1,"
                        " is put into the group above, or into none. It belongs to the one below:"
                        " `low < confidence <= high`.",
                        "`{value}`: 그룹이 4개일 때의 0.5나 0.75, 또는 1처럼 정확히 경계에 있는 확신이 위쪽 그룹에 들어가거나"
                        " 빠졌어요. 아래쪽에 속해요: `low < confidence <= high`.",
                    ),
                    0.5,
                )
                for group_of, drop in (
                    (lambda sure, bins: np.floor(sure * bins + 1e-9), True),
                    (lambda sure, bins: np.floor(sure * bins + 1e-9), False),
                    (lambda sure, bins: np.minimum(np.floor(sure * bins + 1e-9), bins - 1), False),
                    (lambda sure, bins: np.digitize(sure, np.linspace(0, 1, bins + 1)), False),
                    (lambda sure, bins: np.digitize(sure, np.linspace(0, 1, bins + 1)) - 1, True),
                    (
                        lambda sure, bins: np.minimum(
                            np.digitize(sure, np.linspace(0, 1, bins + 1)), bins
                        ),
                        False,
                    ),
                )
            ),
            Mistake(
                "edges_of_both_groups",
                _edges_counted_twice,
                Text(
                    "`{value}`: a confidence exactly on an edge is counted in both groups. It belongs to the one"
                    " below alone: `low < confidence <= high`.",
                    "`{value}`: 정확히 경계에 있는 확신이 두 그룹에 모두 들어갔어요. 아래쪽에만 속해요:"
                    " `low < confidence <= high`.",
                ),
                0.5,
            ),
            Mistake(
                "fixed_bins",
                lambda p, y, bins: _gap()(p, y, 10),
                Text(
                    "`{value}` comes of ten groups whatever is asked for: use the argument `bins`.",
                    "`{value}`은(는) 무엇을 넣어도 그룹이 열 개일 때의 값이에요. 인자 `bins`를 쓰세요.",
                ),
            ),
            Mistake(
                "error_rate",
                _whole(lambda sure, right, true: 1 - right.mean()),
                Text(
                    "`{value}` is the share of wrong answers. How far that is from what the network"
                    " *promised* is the question.",
                    "`{value}`은(는) 틀린 답의 비율이에요. 그것이 네트워크가 *약속한* 것과 얼마나 다른지가 문제예요.",
                ),
            ),
            Mistake(
                "accuracy",
                _whole(lambda sure, right, true: right.mean()),
                Text(
                    "`{value}` is the accuracy. Set it, group by group, against the confidence.",
                    "`{value}`은(는) 정확도예요. 그룹마다 확신과 비교하세요.",
                ),
            ),
            Mistake(
                "mean_confidence",
                _whole(lambda sure, right, true: sure.mean()),
                Text(
                    "`{value}` is the average confidence. Set it, group by group, against the share of"
                    " right answers.",
                    "`{value}`은(는) 평균 확신이에요. 그룹마다 맞은 비율과 비교하세요.",
                ),
            ),
            Mistake(
                "each_group",
                _gap(lambda g, share: np.abs(g)),
                Text(
                    "`{value}` holds the gap of each group: average them, weighted by the group's share of"
                    " the images.",
                    "`{value}`은(는) 그룹마다의 차이예요. 그룹이 차지하는 비율을 곱해 평균을 내세요.",
                ),
            ),
            Mistake(
                "each_group",
                _gap(lambda g, share: np.abs(g) * share),
                Text(
                    "`{value}` holds the part of each group: add them up.",
                    "`{value}`은(는) 그룹마다의 몫이에요. 모두 더하세요.",
                ),
            ),
        ],
        recipe="""
def calibration_error(probabilities, labels, bins):
    confidence = probabilities.max(axis=1)
    is_right = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)
    error = 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        group = (low < confidence) & (confidence <= high)
        if group.any():
            gap = confidence[group].mean() - is_right[group].mean()
            error += group.mean() * abs(gap)
    return error
""",
    )
