"""The problems of lesson 2, control flow."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from utils.problems.judging import Mistake, judge
from utils.problems.looking import gradients_of, in_a_graph
from utils.problems.missing_gradients import why_none
from utils.problems.problem import Cases, Finding, problem
from utils.problems.text import Text
from utils.problems.values import agree
from utils.problems.variations import Recipe


def _slope(k: int) -> Callable[[float], float]:
    """Return the slope of the k-th power."""
    return lambda x: k * x ** (k - 1) if k else 0.0


def _rounds(n: int) -> int:
    """Return how often ``1 < i < 5`` holds for ``i in range(n)``."""
    return sum(1 < i < 5 for i in range(n))


@problem(
    "2.1",
    section="A while loop has a derivative",
    objective=1,
    difficulty=1,
    points=3,
    cases=[
        *((2.0, 6), (2.0, 5), (2.0, 4), (3.0, 3), (1.5, 2), (-1.5, 5), (3.0, 9)),
        *((3.0, 1), (0.0, 2), (0.0, 4), (0.0, 3)),
    ],
    hints=[
        Text(
            "Play the loop with pencil and paper for n = 4. For which `i` does it multiply?",
            "n = 4일 때 반복문을 종이에 따라가 보세요. 어떤 `i`에서 곱하나요?",
        ),
        Text(
            "The result is a power of `x`. How high it is depends on `n`, and from n = 5 on it grows"
            " no more.",
            "결과는 `x`의 거듭제곱이에요. 지수는 `n`에 따라 달라지고, n = 5부터는 더 커지지 않아요.",
        ),
        Text(
            "With `k = min(max(n - 2, 0), 3)` the loop computes `x**k`, and the slope of that is"
            " `k * x**(k - 1)`, or 0 when `k` is 0.",
            "`k = min(max(n - 2, 0), 3)`이면 반복문은 `x**k`를 계산해요. 그 기울기는 `k * x**(k - 1)`이고, `k`가"
            " 0이면 0이에요.",
        ),
    ],
    remark=Text(
        "You have just done what a tape does without thinking: it never sees the loop, only the"
        " multiplications that took place.",
        "테이프가 아무 생각 없이 하는 일을 방금 직접 했어요. 테이프는 반복문이 아니라 실제로 일어난 곱셈만 봐요.",
    ),
)
def slope_of_the_loop(cases: Cases, f: Any) -> Finding | None:
    def counted(count: Callable[[int], int]) -> Callable[[float, int], float]:
        return lambda x, n: _slope(count(n))(x)

    counts = Text(
        "`{value}` counts {which}. The condition is `1 < i < 5`, and `range(n)` stops before `n`.",
        "`{value}`은(는) {which}. 조건은 `1 < i < 5`이고 `range(n)`은 `n` 바로 앞에서 끝나요.",
    )
    return judge(
        f,
        cases,
        right=counted(_rounds),
        mistakes=[
            Mistake(
                "the_value",
                lambda x, n: x ** _rounds(n),
                Text(
                    "For x, n = {inputs} `{value}` is what the loop computes; its slope is asked for.",
                    "x, n = {inputs}일 때 `{value}`은(는) 반복문이 계산한 값이에요. 기울기가 필요해요.",
                ),
            ),
            Mistake(
                "multiplies_by_i",
                lambda x, n: float(math.prod(i for i in range(n) if 1 < i < 5)),
                Text(
                    "`{value}` multiplies the numbers `i`. The loop multiplies by `x` each time; `i`"
                    " only decides whether.",
                    "`{value}`은(는) `i`들을 곱한 값이에요. 반복문은 매번 `x`를 곱하고, `i`는 곱할지만 정해요.",
                ),
            ),
            Mistake(
                "added_up",
                lambda x, n: _rounds(n) * x,
                Text(
                    "`{value}` adds up an `x` for each round. The loop multiplies, so its slope is that of a power.",
                    "`{value}`은(는) 한 번 돌 때마다 `x`를 더했어요. 반복문은 곱하므로 거듭제곱의 기울기예요.",
                ),
            ),
            Mistake(
                "added_up",
                lambda x, n: _rounds(n),
                Text(
                    "`{value}` counts the rounds. That is the slope of a sum, y + x + x ...; the loop"
                    " multiplies, so its slope is that of a power.",
                    "`{value}`은(는) 라운드의 수예요. 그것은 합 y + x + x ...의 기울기예요. 반복문은 곱하므로 거듭제곱의"
                    " 기울기여야 해요.",
                ),
            ),
            Mistake(
                "none_for_zero",
                lambda x, n: _slope(_rounds(n))(x) if _rounds(n) else None,
                Text(
                    "Where the loop never multiplies by `x` you give None. There it computes a constant, 1,"
                    " and the derivative of a constant is 0.",
                    "반복문이 `x`를 한 번도 곱하지 않을 때 None을 돌려줘요. 그때는 상수 1을 계산하고, 상수의 도함수는"
                    " 0이에요.",
                ),
                0.5,
            ),
            Mistake(
                "one_for_zero",
                lambda x, n: _slope(_rounds(n))(x) if _rounds(n) else 1.0,
                Text(
                    "Where the loop never multiplies by `x` you give 1. That is its value; the value never"
                    " changes, so its slope is 0.",
                    "반복문이 `x`를 한 번도 곱하지 않을 때 1을 돌려줘요. 1은 값이고, 변하지 않으니 기울기는 0이에요.",
                ),
                0.5,
            ),
            Mistake(
                "example_only",
                lambda x, n: 2 * x,
                Text(
                    "`{value}` is 2x, which is right for n = 4 alone. How often the loop multiplies depends"
                    " on `n`.",
                    "`{value}`은(는) n = 4일 때만 맞는 2x예요. 몇 번 곱하는지는 `n`에 따라 달라요.",
                ),
            ),
            *(
                Mistake(
                    "negative_count",
                    lambda x, n, top=top: (k := min(n - 2, top)) and k * x ** (k - 1),
                    Text(
                        "For x, n = {inputs} it gives `{value}`: with n below 2 the number of factors"
                        " `n - 2` is negative. A loop that never multiplies has 0 factors, and its slope"
                        " is 0.",
                        "x, n = {inputs}에서 `{value}`이(가) 나와요. n이 2보다 작으면 인수의 개수 `n - 2`가 음수가"
                        " 돼요. 한 번도 곱하지 않으면 인수는 0개이고 기울기는 0이에요.",
                    ),
                )
                for top in (3, math.inf)
            ),
            Mistake(
                "nothing_before_five",
                lambda x, n: 3 * x**2 if n >= 5 else 0.0,
                Text(
                    "For x, n = {inputs} you give `{value}`, as if nothing were multiplied below n = 5. The loop"
                    " multiplies for i = 2 and 3 before that, as far as `range(n)` reaches.",
                    "x, n = {inputs}에서 `{value}`이(가) 나와요. n이 5보다 작으면 하나도 곱하지 않는 것처럼요. 그전에도 `range(n)`이"
                    " 닿는 만큼 i = 2와 3에서 곱해요.",
                ),
            ),
            Mistake(
                "as_if_it_ran_to_the_end",
                lambda x, n: 3 * x**2,
                Text(
                    "`{value}` is 3x² for every n. That holds from n = 5 on; for smaller n the loop ends before i = 4.",
                    "`{value}`은(는) n에 상관없이 3x²이에요. 이것은 n = 5부터 맞고, 그보다 작으면 i = 4 전에 끝나요.",
                ),
            ),
            Mistake(
                "exponent_raised",
                lambda x, n: _rounds(n) * x ** (_rounds(n) + 1),
                Text(
                    "`{value}` raises the exponent; differentiating takes one off: the slope of x³ is 3x².",
                    "`{value}`은(는) 지수를 하나 올렸어요. 미분하면 하나 줄어요. x³의 기울기는 3x²이에요.",
                ),
            ),
            Mistake(
                "integrated",
                lambda x, n: x ** (_rounds(n) + 1) / (_rounds(n) + 1),
                Text(
                    "`{value}` is the integral of what the loop computes; its derivative is asked for.",
                    "`{value}`은(는) 반복문이 계산한 값의 적분이에요. 도함수가 필요해요.",
                ),
            ),
            Mistake(
                "every_round",
                counted(lambda n: n),
                Text(
                    "`{value}` multiplies in every round, as if there were no `if`.",
                    "`{value}`은(는) `if`가 없는 것처럼 매번 곱했어요.",
                ),
            ),
            Mistake(
                "exponent_not_reduced",
                lambda x, n: _rounds(n) * x ** _rounds(n),
                Text(
                    "`{value}` keeps the exponent: the slope of x³ is 3x², one power less.",
                    "`{value}`에서는 지수가 그대로예요. x³의 기울기는 지수가 하나 줄어든 3x²이에요.",
                ),
            ),
            Mistake(
                "factor_forgotten",
                lambda x, n: x ** (_rounds(n) - 1) if _rounds(n) else 0.0,
                Text(
                    "`{value}` lowers the exponent and forgets the factor that comes down: 3x², not x².",
                    "`{value}`은(는) 지수만 줄이고 앞으로 내려오는 인수를 빠뜨렸어요. x²이 아니라 3x²이에요.",
                ),
            ),
            Mistake(
                "never_stops",
                counted(lambda n: max(n - 2, 0)),
                _with(counts, "rounds in which `i` is 5 and more", "`i`가 5 이상일 때도 세었어요"),
            ),
            *(
                Mistake("off_by_one", counted(count), _with(counts, en, ko))
                for count, en, ko in (
                    (lambda n: sum(1 <= i < 5 for i in range(n)), "i = 1 too", "i = 1도 세었어요"),
                    (lambda n: sum(1 < i <= 5 for i in range(n)), "i = 5 too", "i = 5도 세었어요"),
                    (
                        lambda n: sum(1 <= i <= 5 for i in range(n)),
                        "i = 1 and i = 5 too",
                        "i = 1과 i = 5도 세었어요",
                    ),
                    (
                        lambda n: sum(1 < i < 5 for i in range(n + 1)),
                        "one round too many",
                        "한 번 더 세었어요",
                    ),
                    (
                        lambda n: sum(1 < i < 5 for i in range(n - 1)),
                        "one round too few",
                        "한 번 덜 세었어요",
                    ),
                    (
                        lambda n: sum(2 < i < 5 for i in range(n)),
                        "from i = 3 on",
                        "i = 3부터 세었어요",
                    ),
                )
            ),
            Mistake(
                "second_derivative",
                lambda x, n: (
                    _rounds(n) * (_rounds(n) - 1) * x ** (_rounds(n) - 2) if _rounds(n) > 1 else 0.0
                ),
                Text(
                    "`{value}` is the second derivative; one is enough.",
                    "`{value}`은(는) 이계도함수예요. 한 번만 미분하세요.",
                ),
            ),
        ],
        recipes=[
            Recipe(
                """
def f(x, n):
    y = 1.0
    for i in range(n):
        if 1 < i and i < 5:
            y = y * x
    return y
""",
                prepare=lambda x, n: (float(x), n),
                finish=lambda f: lambda x, n: (f(x + 1e-5, n) - f(x - 1e-5, n)) / 2e-5,
            ),
            Recipe(
                """
def slope_of_the_loop(x, n):
    k = min(max(n - 2, 0), 3)
    return k * x ** (k - 1) if k > 0 else 0.0
"""
            ),
            Recipe(
                """
def slope_of_the_loop(x, n):
    y = 1.0
    slope = 0.0
    for i in range(n):
        if 1 < i and i < 5:
            slope = slope * x + y
            y = y * x
    return slope
"""
            ),
        ],
    )


def _with(text: Text, en: str, ko: str) -> Text:
    """Fill in ``{which}`` and leave ``{value}`` for later."""
    return Text(text.en.replace("{which}", en), text.ko.replace("{which}", ko))


def _slopes(f: Any) -> Callable[..., Any]:
    """Return the function that gives the gradient of ``f``'s sum by its first input."""

    return lambda x, *more: gradients_of(f, [0], None, x, *more)[0]


def _judged_slopes(
    f: Any, cases: Cases, right: Callable[..., Any], mistakes: list[Mistake], *recipes: Recipe
) -> Finding | None:
    """Judge the gradient of a function whose values are right, and whether it follows the chain."""
    finding = judge(
        _slopes(f), cases, right=right, prepare=_tensor, mistakes=mistakes, recipes=recipes
    )
    if finding is not None:
        if finding.name in {each.name for each in mistakes}:
            return finding
        start = Text(
            "The values are right, the gradient is not.", "값은 맞지만 그래디언트가 틀려요."
        )
        return Finding(finding.name, start + finding.text, 0.25)
    for x, *more in cases:
        weights = 2.0 + np.arange(np.size(x), dtype=np.float32).reshape(np.shape(x))
        inputs = _tensor(x, *more)
        got = gradients_of(f, [0], tf.constant(weights), *inputs)[0]
        if not agree(got, weights * right(x, *more)):
            return UPSTREAM_IGNORED
    return None


UPSTREAM_IGNORED = Finding(
    "upstream_ignored",
    Text(
        "The values are right, and so is the slope of the function alone. But what comes after it has a"
        " slope too, and your own gradient does not multiply by it: use the `upstream` gradient that"
        " arrives.",
        "값도, 이 함수만의 기울기도 맞아요. 하지만 그 뒤에 오는 계산에도 기울기가 있는데, 당신이 쓴 그래디언트는 그것을"
        " 곱하지 않아요. 도착하는 `upstream` 그래디언트를 곱하세요.",
    ),
    0.5,
)


def _slopes_by_tape(f: Any) -> Callable[..., Any]:
    """Return the function that gives the slopes of a recipe."""
    return lambda x, *more: gradients_of(f, [0], None, x, *more)[0]


def _tensor(x: Any, *more: Any) -> tuple[Any, ...]:
    return (tf.constant(x, tf.float32), *more)


def _broken(f: Any, cases: Cases) -> Finding | None:
    """Say why the tape finds no way through a function whose values are right."""
    inputs = _tensor(*cases[0])
    if _slopes(f)(*inputs) is not None:
        return None
    cause = why_none(f, inputs)
    start = Text(
        "The values are right, and a tape cannot differentiate them.",
        "값은 맞지만 테이프가 미분할 수 없어요.",
    )
    return Finding(cause.name, start + cause.text, 0.5)


@problem(
    "2.2",
    section="At a corner somebody decides",
    objective=4,
    difficulty=2,
    points=3,
    cases=[
        *(([-2.0, -0.5, 0.0, 0.5, 3.0], 0.1), ([[1.0, -1.0], [0.0, 2.0]], 0.3), (-4.0, 0.2)),
        ([-0.1, 0.1, -30.0, 20.0, 0.7], 0.05),
    ],
    hints=[
        Text(
            "A Python `if` looks at one number. For a whole tensor `tf.where(condition, a, b)`"
            " chooses place by place.",
            "파이썬의 `if`는 숫자 하나만 봐요. 텐서 전체에는 자리마다 고르는 `tf.where(조건, a, b)`가 있어요.",
        ),
        Text(
            "At 0 both sides give the same value, so your condition decides the slope there: does 0"
            " belong to `x > 0` or to `x >= 0`?",
            "0에서는 양쪽의 값이 같으니 조건이 기울기를 정해요. 0은 `x > 0`에 속하나요, `x >= 0`에 속하나요?",
        ),
        Text("`tf.where(x > 0, x, slope * x)`", "`tf.where(x > 0, x, slope * x)`라고 쓰세요."),
    ],
    remark=Text(
        "`tf.nn.leaky_relu` decides the same way at 0. In training it hardly ever matters: a number"
        " is seldom exactly 0.",
        "`tf.nn.leaky_relu`도 0에서 똑같이 정해요. 학습에서는 값이 정확히 0인 일이 드물어 거의 문제가 되지 않아요.",
    ),
)
def leaky_relu(cases: Cases, f: Any) -> Finding | None:
    def of(g: Callable[[Any, float], Any]) -> Callable[..., Any]:
        return lambda x, slope: g(np.array(x), slope)

    def at_the_kink(there: Callable[[float], float]) -> Callable[..., Any]:
        return of(lambda x, s: np.where(x > 0, 1.0, np.where(x < 0, s, there(s))))

    values = judge(
        f,
        cases,
        right=of(lambda x, s: np.where(x > 0, x, s * x)),
        prepare=_tensor,
        mistakes=[
            Mistake(
                "not_leaky",
                of(lambda x, s: np.maximum(x, 0)),
                Text(
                    "That is the plain ReLU: below 0 a little should leak through, `slope * x`.",
                    "이것은 보통 ReLU예요. 0보다 작을 때는 `slope * x`가 조금 새어 나와야 해요.",
                ),
            ),
            Mistake(
                "sides_swapped",
                of(lambda x, s: np.where(x > 0, s * x, x)),
                Text(
                    "The two sides have changed places: positive numbers pass as they are.",
                    "양쪽이 바뀌었어요. 양수는 그대로 지나가야 해요.",
                ),
            ),
            Mistake(
                "sign_below_zero",
                of(lambda x, s: np.where(x > 0, x, -s * x)),
                Text(
                    "Below 0 yours comes out positive. `slope * x` is negative there, as `x` is.",
                    "0보다 작은 쪽이 양수로 나와요. `x`가 음수이니 `slope * x`도 음수예요.",
                ),
            ),
            Mistake(
                "constant_below_zero",
                of(lambda x, s: np.where(x > 0, x, s)),
                Text(
                    "Below 0 yours is the number `slope` itself; it has to be multiplied by `x`.",
                    "0보다 작은 쪽이 `slope` 숫자 그대로예요. `x`를 곱해야 해요.",
                ),
            ),
            Mistake(
                "constant_below_zero",
                of(lambda x, s: np.maximum(x, s)),
                Text(
                    "You take the larger of `x` and `slope`; it is `slope * x` that is wanted.",
                    "`x`와 `slope` 중 큰 값을 골랐어요. `slope * x`와 비교해야 해요.",
                ),
            ),
            Mistake(
                "leaks_on_both_sides",
                of(lambda x, s: s * x),
                Text(
                    "Positive numbers are made smaller too; they should pass as they are.",
                    "양수도 작아졌어요. 양수는 그대로 지나가야 해요.",
                ),
            ),
            Mistake(
                "identity",
                of(lambda x, s: x),
                Text(
                    "Everything passes unchanged: is the condition ever false?",
                    "모든 값이 그대로 지나가요. 조건이 거짓이 되는 때가 있나요?",
                ),
            ),
            Mistake(
                "wrong_side_taken",
                of(lambda x, s: np.minimum(x, s * x)),
                Text(
                    "You take the smaller of `x` and `slope * x`, which swaps the sides.",
                    "`x`와 `slope * x` 중 작은 쪽을 골라 양쪽이 바뀌었어요.",
                ),
            ),
            Mistake(
                "elu",
                of(lambda x, s: np.where(x > 0, x, np.expm1(np.minimum(x, 0)))),
                Text(
                    "That is the ELU, with its exponential; the leaky ReLU is straight on both sides.",
                    "이것은 지수 함수를 쓰는 ELU예요. leaky ReLU는 양쪽 모두 직선이에요.",
                ),
            ),
            Mistake(
                "size_taken",
                of(lambda x, s: np.abs(x)),
                Text(
                    "That is the size of x: negative numbers come out positive, where `slope * x` belongs.",
                    "x의 절댓값이에요. 음수가 양수로 나왔는데 `slope * x`여야 해요.",
                ),
            ),
            Mistake(
                "divided_by_slope",
                of(lambda x, s: np.where(x > 0, x, x / s)),
                Text(
                    "Below 0 you divide by `slope`, which makes negative numbers larger; multiply.",
                    "0보다 작을 때 `slope`로 나누어 음수가 더 커졌어요. 곱해야 해요.",
                ),
            ),
            Mistake(
                "shifted",
                of(lambda x, s: np.where(x > 0, x, x + s)),
                Text(
                    "Below 0 you add `slope`; it is a factor.",
                    "0보다 작을 때 `slope`를 더했어요. 곱해야 해요.",
                ),
            ),
            Mistake(
                "elu",
                of(lambda x, s: np.where(x > 0, x, s * np.expm1(np.minimum(x, 0)))),
                Text(
                    "That is the ELU, with its exponential; the leaky ReLU is straight on both sides.",
                    "이것은 지수 함수를 쓰는 ELU예요. leaky ReLU는 양쪽 모두 직선이에요.",
                ),
            ),
        ],
        recipes=[
            Recipe(source, _tensor)
            for source in (
                "def leaky_relu(x, slope):\n    return tf.where(x > 0, x, slope * x)",
                "def leaky_relu(x, slope):\n    return tf.maximum(x, slope * x)",
                "def leaky_relu(x, slope):\n    return tf.nn.relu(x) - slope * tf.nn.relu(-x)",
                "def leaky_relu(x, slope):\n    return tf.maximum(x, 0.0) + slope * tf.minimum(x, 0.0)",
            )
        ],
    )
    if values:
        return values
    return _broken(f, cases) or _judged_slopes(
        f,
        cases,
        at_the_kink(lambda s: s),
        [
            Mistake(
                "kink_from_the_right",
                at_the_kink(lambda s: 1.0),
                Text(
                    "Values right, and at x = 0 the slope is 1: there 0 counts as positive. Here the"
                    " left side is to decide, so 0 belongs to `slope * x`.",
                    "값은 맞지만 x = 0에서 기울기가 1이에요. 0이 양수 쪽에 들어갔어요. 여기서는 왼쪽이 정하므로 0은"
                    " `slope * x`에 속해요.",
                ),
                0.5,
            ),
            Mistake(
                "kink_is_flat",
                at_the_kink(lambda s: 0.0),
                Text(
                    "Values right, and at x = 0 the slope is 0: neither side feels responsible. Let"
                    " one `tf.where` decide, with 0 on the left side.",
                    "값은 맞지만 x = 0에서 기울기가 0이에요. 어느 쪽도 0을 맡지 않았어요. `tf.where` 하나로 정하고 0을"
                    " 왼쪽에 두세요.",
                ),
                0.5,
            ),
            Mistake(
                "kink_shared",
                at_the_kink(lambda s: (1 + s) / 2),
                Text(
                    "Values right, and at x = 0 the slope is half from each side. Here the left side"
                    " alone decides.",
                    "값은 맞지만 x = 0에서 기울기가 양쪽의 절반씩이에요. 여기서는 왼쪽만 정해요.",
                ),
                0.5,
            ),
            Mistake(
                "kink_counted_twice",
                at_the_kink(lambda s: 1 + s),
                Text(
                    "Values right, and at x = 0 both sides count: the slopes are added there.",
                    "값은 맞지만 x = 0에서 양쪽이 모두 세어져 기울기가 더해졌어요.",
                ),
                0.5,
            ),
        ],
    )


@problem(
    "2.3",
    section="Four ways to choose",
    objective=3,
    difficulty=2,
    points=3,
    cases=[
        ([-3.0, -1.0, -0.25, 0.0, 0.5, 2.0], 1.0),
        ([[4.0, -0.5], [1.0, -6.0]], 2.0),
        (0.9, 0.3),
        ([0.73, -0.86, 1.37, -1.22, 1.0], 1.0),
        ([2.93, -1.71, 3.4], 3.0),
    ],
    hints=[
        Text(
            "Which of the two formulas holds depends on the *size* of the error, not on its sign.",
            "어느 식을 쓸지는 오차의 부호가 아니라 *크기*로 정해져요.",
        ),
        Text(
            "`size = tf.abs(error)` first; then one `tf.where` between the parabola and the straight"
            " line.",
            "먼저 `size = tf.abs(error)`를 구하고, `tf.where` 하나로 포물선과 직선 중에서 고르세요.",
        ),
        Text(
            "`tf.where(size <= delta, 0.5 * error**2, delta * (size - 0.5 * delta))`",
            "`tf.where(size <= delta, 0.5 * error**2, delta * (size - 0.5 * delta))`라고 쓰세요.",
        ),
    ],
    remark=Text(
        "Its slope is the error itself, cut off at ±delta: an outlier pulls no harder than anybody"
        " else. That is why people use it.",
        "기울기는 ±delta에서 잘린 오차 자체예요. 이상값이 남들보다 더 세게 당기지 못하기 때문에 널리 쓰여요.",
    ),
)
def huber(cases: Cases, f: Any) -> Finding | None:
    def of(g: Callable[[Any, Any, float], Any]) -> Callable[..., Any]:
        return lambda error, delta: g(np.array(error), np.abs(np.array(error)), delta)

    def pieces(inside: Callable[..., Any], outside: Callable[..., Any]) -> Callable[..., Any]:
        return of(lambda e, a, d: np.where(a <= d, inside(e, a, d), outside(e, a, d)))

    def parabola(e: Any, a: Any, d: float) -> Any:
        return 0.5 * e**2

    def line(e: Any, a: Any, d: float) -> Any:
        return d * (a - 0.5 * d)

    def bent_at(bend: Callable[[float], float], e: Any, a: Any, d: float) -> Any:
        return np.where(a <= bend(d), parabola(e, a, d), line(e, a, d))

    values = judge(
        f,
        cases,
        right=pieces(parabola, line),
        prepare=_tensor,
        mistakes=[
            Mistake(
                "half_missing",
                pieces(lambda e, a, d: e**2, line),
                Text(
                    "Inside, the factor ½ is missing: with e² the two pieces do not meet.",
                    "안쪽에 ½이 빠졌어요. e²이면 두 조각이 이어지지 않아요.",
                ),
            ),
            Mistake(
                "pieces_do_not_meet",
                pieces(parabola, lambda e, a, d: d * a),
                Text(
                    "Outside, `- 0.5 * delta` is missing: the line begins above the parabola's end.",
                    "바깥쪽에 `- 0.5 * delta`가 빠졌어요. 직선이 포물선의 끝보다 위에서 시작해요.",
                ),
            ),
            Mistake(
                "delta_missing",
                pieces(parabola, lambda e, a, d: a - 0.5 * d),
                Text(
                    "Outside, the slope of the line should be `delta`; yours is 1.",
                    "바깥쪽 직선의 기울기는 `delta`여야 하는데 1이에요.",
                ),
            ),
            Mistake(
                "delta_missing",
                pieces(parabola, lambda e, a, d: a - 0.5),
                Text(
                    "Outside, your line is right for delta = 1 only: `delta * (size - 0.5 * delta)`.",
                    "바깥쪽 직선은 delta = 1일 때만 맞아요. `delta * (size - 0.5 * delta)`예요.",
                ),
            ),
            Mistake(
                "delta_missing",
                of(lambda e, a, d: np.where(a <= 1, 0.5 * e**2, a - 0.5)),
                Text(
                    "Your function never uses `delta`: it is right for delta = 1 only.",
                    "함수가 `delta`를 쓰지 않아서 delta = 1일 때만 맞아요.",
                ),
            ),
            Mistake(
                "delta_not_halved",
                pieces(parabola, lambda e, a, d: d * (a - d)),
                Text(
                    "Outside, half of `delta` is taken off, not all of it.",
                    "바깥쪽에서는 `delta` 전체가 아니라 절반을 빼요.",
                ),
            ),
            Mistake(
                "pieces_swapped",
                of(lambda e, a, d: np.where(a <= d, line(e, a, d), parabola(e, a, d))),
                Text(
                    "The pieces have changed places: small errors belong to the parabola.",
                    "두 조각이 바뀌었어요. 작은 오차가 포물선에 속해요.",
                ),
            ),
            Mistake(
                "negative_errors",
                of(lambda e, a, d: np.where(e <= d, parabola(e, a, d), line(e, a, d))),
                Text(
                    "Large *negative* errors are treated as small ones: compare `tf.abs(error)` with"
                    " `delta`.",
                    "큰 *음수* 오차를 작은 오차로 다루었어요. `tf.abs(error)`를 `delta`와 비교하세요.",
                ),
            ),
            Mistake(
                "negative_errors",
                pieces(parabola, lambda e, a, d: d * (e - 0.5 * d)),
                Text(
                    "Outside, the line goes down for negative errors, and a loss does not become"
                    " negative: use the size of the error.",
                    "음수 오차에서 직선이 아래로 내려가요. 손실은 음수가 되지 않으니 오차의 크기를 쓰세요.",
                ),
            ),
            Mistake(
                "negative_errors",
                of(lambda e, a, d: np.where(e <= d, 0.5 * e**2, d * (e - 0.5 * d))),
                Text(
                    "Large *negative* errors are treated as small ones: compare `tf.abs(error)` with"
                    " `delta`.",
                    "큰 *음수* 오차를 작은 오차로 다루었어요. `tf.abs(error)`를 `delta`와 비교하세요.",
                ),
            ),
            Mistake(
                "only_squared",
                of(parabola),
                Text(
                    "That is the squared error everywhere; large errors should grow in a straight"
                    " line only.",
                    "어디서나 제곱 오차예요. 큰 오차는 직선으로만 커져야 해요.",
                ),
            ),
            Mistake(
                "only_absolute",
                of(lambda e, a, d: a),
                Text(
                    "That is the absolute error everywhere; near 0 a parabola is wanted.",
                    "어디서나 절댓값 오차예요. 0 근처에서는 포물선이어야 해요.",
                ),
            ),
            Mistake(
                "log_cosh",
                of(lambda e, a, d: np.log(np.cosh(e))),
                Text(
                    "That is log cosh, which looks alike and has no seam; here a parabola and a line meet at `delta`.",
                    "이것은 비슷하게 생긴 log cosh예요. 여기서는 포물선과 직선이 `delta`에서 만나야 해요.",
                ),
            ),
            *(
                Mistake(
                    "bends_elsewhere",
                    of(functools.partial(bent_at, bend)),
                    Text(
                        f"For {{inputs}} you give `{{value}}`: the parabola gives way to the line at {where}. They"
                        " meet where |e| is `delta`.",
                        f"{{inputs}}에 대해 `{{value}}`이(가) 나와요. 포물선이 {where}에서 직선으로 바뀌어요. |e|가 `delta`인 곳에서"
                        " 만나야 해요.",
                    ),
                )
                for where, bend in (
                    ("delta / 2", lambda d: d / 2),
                    ("2 * delta", lambda d: 2 * d),
                    ("delta ** 2", lambda d: d**2),
                    ("1", lambda d: 1.0),
                )
            ),
            Mistake(
                "smooth_from_end_to_end",
                of(lambda e, a, d: d**2 * (np.sqrt(1 + (e / d) ** 2) - 1)),
                Text(
                    "That is the *pseudo*-Huber loss, one root from end to end. Here a parabola and two straight"
                    " lines are asked for.",
                    "그것은 하나의 제곱근으로 된 *유사* 후버 손실이에요. 여기서는 포물선과 두 직선이 필요해요.",
                ),
            ),
            Mistake(
                "divided_by_delta",
                pieces(lambda e, a, d: 0.5 * e**2 / d, lambda e, a, d: a - 0.5 * d),
                Text(
                    "Everything is divided by `delta`: that is the *smooth L1* loss. Huber's arms rise by"
                    " `delta`.",
                    "모두 `delta`로 나뉘었어요. 그것은 *smooth L1* 손실이에요. 후버 손실의 팔은 기울기가 `delta`예요.",
                ),
            ),
            Mistake(
                "half_the_size",
                pieces(parabola, lambda e, a, d: 0.5 * a),
                Text(
                    "Outside you have half the size; the line there is `delta * (size - 0.5 * delta)`.",
                    "바깥쪽이 크기의 절반이에요. 직선은 `delta * (size - 0.5 * delta)`예요.",
                ),
            ),
            Mistake(
                "delta_squared",
                pieces(parabola, lambda e, a, d: 0.5 * d**2),
                Text(
                    "Outside your loss stays at one value, as if it were cut off; it goes on as a straight line.",
                    "바깥쪽에서 손실이 한 값에 멈춰 있어요. 직선으로 계속 커져야 해요.",
                ),
            ),
            Mistake(
                "averaged",
                of(lambda e, a, d: np.mean(np.where(a <= d, parabola(e, a, d), line(e, a, d)))),
                Text(
                    "You return the average, `{value}`; the loss of each error is asked for, in the"
                    " shape of `error`.",
                    "평균 `{value}`을(를) 돌려주었어요. `error`와 같은 모양으로 오차마다의 손실이 필요해요.",
                ),
                0.5,
            ),
            Mistake(
                "averaged",
                of(
                    lambda e, a, d: np.mean(
                        np.where(a <= d, parabola(e, a, d), line(e, a, d)), axis=-1
                    )
                ),
                Text(
                    "You return an average over the last axis, `{value}`, as Keras's own loss does; the"
                    " loss of each error is asked for, in the shape of `error`.",
                    "케라스의 손실처럼 마지막 축으로 평균을 낸 `{value}`을(를) 돌려주었어요. `error`와 같은 모양으로"
                    " 오차마다의 손실이 필요해요.",
                ),
                0.5,
            ),
            Mistake(
                "summed",
                of(lambda e, a, d: np.sum(np.where(a <= d, parabola(e, a, d), line(e, a, d)))),
                Text(
                    "You return the sum, `{value}`; the loss of each error is asked for, in the shape of"
                    " `error`.",
                    "합 `{value}`을(를) 돌려주었어요. `error`와 같은 모양으로 오차마다의 손실이 필요해요.",
                ),
                0.5,
            ),
        ],
        recipes=[
            Recipe(
                """
def huber(error, delta):
    size = tf.abs(error)
    return tf.where(size <= delta, 0.5 * error**2, delta * (size - 0.5 * delta))
""",
                _tensor,
            ),
            Recipe(
                """
def huber(error, delta):
    inside = tf.minimum(tf.abs(error), delta)
    outside = tf.abs(error) - inside
    return 0.5 * inside**2 + delta * outside
""",
                _tensor,
            ),
        ],
    )
    if values:
        return values
    return _broken(f, cases) or _judged_slopes(
        f,
        cases,
        lambda error, delta: np.clip(np.array(error), -delta, delta),
        [
            Mistake(
                "nan_from_the_other_branch",
                lambda error, delta: np.full(np.shape(error), math.nan),
                Text(
                    "The values are right and the gradient is `nan`: `tf.where` also differentiates"
                    " the branch that it does not take.",
                    "값은 맞지만 그래디언트가 `nan`이에요. `tf.where`는 고르지 않은 쪽도 미분해요.",
                ),
                0.5,
            )
        ],
    )


def _newton(a: float, n: int, x: float = 1.0, dx: float = 0.0) -> tuple[float, float]:
    """Return the n-th Newton iterate for the root of a, from x on, and its derivative by a.

    Forward differentiation of x -> (x + a / x) / 2, step by step.
    """
    for _ in range(n):
        x, dx = (x + a / x) / 2, (dx + 1 / x - a * dx / x**2) / 2
    return x, dx


@problem(
    "2.4",
    section="Through an iteration to its answer",
    objective=1,
    difficulty=2,
    points=4,
    cases=[(2.0, 5), (9.0, 1), (0.25, 3), (9.0, 2), (5.0, 4)],
    hints=[
        Text(
            "Open the tape before the loop starts and ask it after the loop has ended: every step in"
            " between is recorded.",
            "반복문이 시작되기 전에 테이프를 열고, 끝난 뒤에 물어보세요. 그 사이의 모든 단계가 기록돼요.",
        ),
        Text(
            "`a` is a constant, so watch it. Begin with `x = tf.constant(1.0)` and repeat"
            " `x = (x + a / x) / 2` `n` times.",
            "`a`는 상수이니 `watch`하세요. `x = tf.constant(1.0)`에서 시작해 `x = (x + a / x) / 2`를 `n`번 반복하세요.",
        ),
        Text(
            "`return x, tape.gradient(x, a)`: the tape goes back through all `n` steps by itself.",
            "`return x, tape.gradient(x, a)`라고 쓰면 테이프가 스스로 `n`단계를 모두 거슬러 올라가요.",
        ),
    ],
    remark=Text(
        "After a few steps the slope agrees with 1/(2√a) as closely as the root agrees with √a:"
        " where an iteration converges, so does its derivative.",
        "몇 단계 뒤에는 근이 √a에 가까운 만큼 기울기도 1/(2√a)에 가까워요. 반복이 수렴하면 그 도함수도 수렴해요.",
    ),
)
def root_and_slope(cases: Cases, f: Any) -> Finding | None:
    def last_step(a: float, n: int) -> tuple[float, float]:
        before, _ = _newton(a, n - 1)
        return _newton(a, n)[0], 1 / (2 * before)

    return judge(
        f,
        cases,
        right=_newton,
        prepare=lambda a, n: (tf.constant(a), n),
        mistakes=[
            Mistake(
                "the_limit",
                lambda a, n: (_newton(a, n)[0], 1 / (2 * math.sqrt(a))),
                Text(
                    "The slope in `{value}` is 1/(2√a), that of the exact root. After {inputs} (a and"
                    " n) the iteration is not there yet, and its own slope is asked for.",
                    "`{value}`의 기울기는 정확한 제곱근의 기울기 1/(2√a)이에요. a, n = {inputs}에서는 아직"
                    " 수렴하지 않았고, 반복 자체의 기울기가 필요해요.",
                ),
                0.5,
            ),
            Mistake(
                "the_limit",
                lambda a, n: (math.sqrt(a), 1 / (2 * math.sqrt(a))),
                Text(
                    "`{value}` are the exact root and its slope; {inputs} (a and n) asks for what"
                    " exactly n steps give.",
                    "`{value}`은(는) 정확한 제곱근과 그 기울기예요. a, n = {inputs}에서 정확히 n단계의 결과가 필요해요.",
                ),
            ),
            Mistake(
                "last_step_only",
                last_step,
                Text(
                    "The root is right; the slope in `{value}` is that of the last step alone, as if"
                    " the `x` before it did not depend on `a`. Let the tape see the whole loop.",
                    "근은 맞지만 `{value}`의 기울기는 마지막 단계만의 것이에요. 그 앞의 `x`도 `a`에 따라 달라져요."
                    " 테이프가 반복문 전체를 보게 하세요.",
                ),
                0.5,
            ),
            *(
                Mistake(
                    "off_by_one",
                    lambda a, n, extra=extra: _newton(a, n + extra),
                    Text(
                        "`{value}` is what another number of steps gives: exactly n are asked for.",
                        "`{value}`은(는) 다른 횟수만큼 반복한 결과예요. 정확히 n번이어야 해요.",
                    ),
                )
                for extra in (1, -1)
            ),
            Mistake(
                "other_start",
                lambda a, n: _newton(a, n, a / 2, 0.5),
                Text(
                    "`{value}` begins at a/2; the iteration begins at 1.",
                    "`{value}`은(는) a/2에서 시작했어요. 반복은 1에서 시작해야 해요.",
                ),
            ),
            *(
                Mistake(
                    "other_start",
                    lambda a, n, begin=begin: _newton(a, n, begin, 0.0),
                    Text(
                        f"`{{value}}` begins at {begin:g}; the iteration begins at 1.",
                        f"`{{value}}`은(는) {begin:g}에서 시작했어요. 반복은 1에서 시작해야 해요.",
                    ),
                )
                for begin in (2.0, 0.5, 0.1, 10.0, 1.5, 3.0)
            ),
            Mistake(
                "slope_of_the_exact_root",
                lambda a, n: ((x := _newton(a, n)[0]), 1 / (2 * x)),
                Text(
                    "The root is right. The slope in `{value}` is 1/(2x), the formula for the *exact* root;"
                    " asked for is the slope of what these n rounds compute, which a tape finds.",
                    "근은 맞아요. `{value}`의 기울기는 *정확한* 제곱근의 공식 1/(2x)이에요. 이 n번의 계산이 주는 값의"
                    " 기울기가 필요하고, 그것은 테이프가 찾아요.",
                ),
                0.5,
            ),
            Mistake(
                "all_rounds",
                lambda a, n: tuple(zip(*(_newton(a, k) for k in range(1, n + 1)), strict=True)),
                Text(
                    "You return what every round gives. Only what stands there after the last one is asked"
                    " for: one number and one slope.",
                    "모든 라운드의 값을 돌려주었어요. 마지막 라운드 뒤의 값 하나와 기울기 하나만 필요해요.",
                ),
                0.5,
            ),
            Mistake(
                "all_rounds",
                lambda a, n: ([_newton(a, k)[0] for k in range(1, n + 1)], _newton(a, n)[1]),
                Text(
                    "You return the `x` of every round. Only the last one is asked for.",
                    "모든 라운드의 `x`를 돌려주었어요. 마지막 값만 필요해요.",
                ),
                0.5,
            ),
            *(
                Mistake(
                    "off_by_one",
                    lambda a, n, none=none: _newton(a, n - 1) if n > 1 else (1.0, none),
                    Text(
                        "`{value}` is what one round too few gives, for a, n = {inputs}: exactly n are"
                        " asked for. After none of them `x` does not depend on `a` at all.",
                        "`{value}`은(는) 한 번 덜 반복한 결과예요(a, n = {inputs}). 정확히 n번이어야 해요. 한 번도 돌지"
                        " 않으면 `x`는 `a`에 따라 변하지 않아요.",
                    ),
                )
                for none in (None, 0.0)
            ),
            Mistake(
                "half_forgotten",
                _unhalved,
                Text(
                    "`{value}` takes x + a/x whole; Heron takes the average of the two, so half of that.",
                    "`{value}`은(는) x + a/x를 그대로 썼어요. 헤론은 두 값의 평균, 즉 그 절반을 써요.",
                ),
            ),
            Mistake(
                "only_the_root",
                lambda a, n: _newton(a, n)[0],
                Text(
                    "`{value}` is the root; its slope by `a` is asked for as well: `return x, slope`.",
                    "`{value}`은(는) 근이에요. `a`에 대한 기울기도 함께 `return x, slope`로 돌려주세요.",
                ),
                0.25,
            ),
            Mistake(
                "only_the_slope",
                lambda a, n: _newton(a, n)[1],
                Text(
                    "`{value}` is the slope; the root is asked for as well, first.",
                    "`{value}`은(는) 기울기예요. 근을 먼저, 기울기를 그다음에 돌려주세요.",
                ),
                0.5,
            ),
        ],
        recipes=[
            Recipe(
                """
def root_and_slope(a, n):
    x = 1.0
    slope = 0.0
    for _ in range(n):
        slope = (slope + 1 / x - a * slope / x**2) / 2
        x = (x + a / x) / 2
    return x, slope
"""
            ),
            Recipe(
                """
def root_and_slope(a, n):
    with tf.GradientTape() as tape:
        tape.watch(a)
        x = tf.constant(1.0)
        for _ in range(n):
            x = (x + a / x) / 2
    return x, tape.gradient(x, a)
""",
                lambda a, n: (tf.constant(a), n),
            ),
        ],
    )


def _unhalved(a: float, n: int) -> tuple[float, float]:
    """Return what ``n`` rounds of x -> x + a / x give, and its derivative by a."""
    x, dx = 1.0, 0.0
    for _ in range(n):
        x, dx = x + a / x, dx + 1 / x - a * dx / x**2
    return x, dx


@problem(
    "2.5",
    section="Four ways to choose",
    objective=3,
    difficulty=2,
    points=4,
    cases=[(4.0,), (-3.0,), (0.5,), (0.0,), (2.0,), (1.0,), (1.2,), (0.7,), (0.95,)],
    hints=[
        Text(
            "Inside a graph `x > 1` is no True or False yet, but a tensor that will be one. Something"
            " that runs *in* the graph has to choose.",
            "그래프 안에서 `x > 1`은 아직 참이나 거짓이 아니라 나중에 정해질 텐서예요. 그래프 *안에서* 실행되는 것이"
            " 골라야 해요.",
        ),
        Text(
            "`tf.cond(condition, f, g)` takes two functions without arguments and runs one of them.",
            "`tf.cond(조건, f, g)`는 인자 없는 함수 두 개를 받아 그중 하나만 실행해요.",
        ),
        Text(
            "`tf.cond(x > 1, lambda: tf.math.log(x), lambda: x - 1)`",
            "`tf.cond(x > 1, lambda: tf.math.log(x), lambda: x - 1)`이라고 쓰세요.",
        ),
    ],
    remark=Text(
        "AutoGraph would have rewritten a Python `if` into just this. Now you know what it writes, and"
        " you can read its error messages.",
        "AutoGraph라면 파이썬 `if`를 바로 이렇게 고쳐 썼을 거예요. 이제 무엇을 쓰는지 알고 오류 메시지도 읽을 수 있어요.",
    ),
)
def log_or_line(cases: Cases, f: Any) -> Finding | None:
    def log(x: float) -> float:
        if x == 0:
            return -math.inf
        return math.log(x) if x > 0 else math.nan

    def right(x: float) -> float:
        return log(x) if x > 1 else x - 1

    mistakes = [
        Mistake(
            "other_condition",
            lambda x: log(x) if x > 0 else x - 1,
            Text(
                "For x = {inputs} it takes the logarithm, `{value}`; that begins above 1, not above 0.",
                "x = {inputs}에서 로그를 구해 `{value}`이(가) 나와요. 로그는 0이 아니라 1보다 클 때부터예요.",
            ),
        ),
        Mistake(
            "always_the_log",
            log,
            Text(
                "For x = {inputs} it takes the logarithm as well, `{value}`: the same branch runs for"
                " every input, as if it had been chosen once and for all.",
                "x = {inputs}에서도 로그를 구해 `{value}`이(가) 나와요. 한 번 정해진 것처럼 늘 같은 분기만 실행돼요.",
            ),
        ),
        Mistake(
            "always_the_line",
            lambda x: x - 1,
            Text(
                "For x = {inputs} it gives x - 1 as well, `{value}`: the same branch runs for every"
                " input, as if it had been chosen once and for all.",
                "x = {inputs}에서도 x - 1인 `{value}`이(가) 나와요. 한 번 정해진 것처럼 늘 같은 분기만 실행돼요.",
            ),
        ),
        *(
            Mistake(
                "other_logarithm",
                lambda x, other=other: other(x) if x > 1 else x - 1,
                Text(
                    "For x = {inputs} it gives `{value}`, another logarithm than the natural one,"
                    " `tf.math.log`.",
                    "x = {inputs}에서 `{value}`이(가) 나와요. 자연로그 `tf.math.log`가 아닌 다른 로그예요.",
                ),
            )
            for other in (math.log10, math.log2, math.log1p)
        ),
        Mistake(
            "smaller_of_the_two",
            lambda x: min(log(max(x, 1e-6)), x - 1),
            Text(
                "For x = {inputs} it gives `{value}`, the smaller of the two pieces. The logarithm lies below"
                " its tangent everywhere, so the smaller is always the logarithm: choose by `x`.",
                "x = {inputs}에서 둘 중 작은 값 `{value}`이(가) 나와요. 로그는 어디서나 접선 아래에 있어 작은 쪽은 늘 로그예요. `x`로"
                " 고르세요.",
            ),
        ),
        Mistake(
            "branches_swapped",
            lambda x: x - 1 if x > 1 else log(x),
            Text(
                "The two branches have changed places: the logarithm belongs to `x` above 1.",
                "두 분기가 바뀌었어요. 로그는 `x`가 1보다 클 때예요.",
            ),
        ),
        Mistake(
            "other_line",
            lambda x: log(x) if x > 1 else 1 - x,
            Text(
                "For x = {inputs} it gives `{value}`, which is 1 - x; it is x - 1.",
                "x = {inputs}에서 1 - x인 `{value}`이(가) 나와요. x - 1이어야 해요.",
            ),
        ),
        Mistake(
            "other_line",
            lambda x: log(x) if x > 1 else x,
            Text(
                "For x = {inputs} it gives `{value}`, which is x itself; it is x - 1.",
                "x = {inputs}에서 x 자체인 `{value}`이(가) 나와요. x - 1이어야 해요.",
            ),
        ),
        Mistake(
            "other_line",
            lambda x: log(x) if x > 1 else 0.0,
            Text(
                "For x = {inputs} it gives 0; up to 1 it is x - 1.",
                "x = {inputs}에서 0이 나와요. 1까지는 x - 1이에요.",
            ),
        ),
    ]
    recipes = [
        Recipe(
            """
def log_or_line(x):
    return tf.where(x > 1.0, tf.math.log(x), x - 1.0)
""",
            _tensor,
        ),
        Recipe(
            """
def log_or_line(x):
    harmless = tf.where(x > 1.0, x, 1.0)
    return tf.where(x > 1.0, tf.math.log(harmless), x - 1.0)
""",
            _tensor,
        ),
        Recipe(
            """
def log_or_line(x):
    return tf.math.log(tf.maximum(x, 1.0)) + tf.minimum(x - 1.0, 0.0)
""",
            _tensor,
        ),
    ]
    eager = judge(f, cases, right=right, prepare=_tensor, mistakes=mistakes, recipes=recipes)
    if eager:
        return eager
    compiled = in_a_graph(f)
    graph = judge(lambda x: compiled(x), cases, right=right, prepare=_tensor, mistakes=mistakes)
    if graph:
        name = "frozen_branch" if graph.name.startswith("always_") else graph.name
        start = Text(
            "Right when it is called directly. Inside a `tf.function` without AutoGraph it is not.",
            "직접 부르면 맞지만 AutoGraph가 없는 `tf.function` 안에서는 그렇지 않아요.",
        )
        return Finding(name, start + graph.text, 0.25)
    return _broken(f, cases) or _judged_slopes(
        compiled,
        cases,
        lambda x: 1 / x if x > 1 else 1.0,
        [
            *(
                Mistake(
                    "other_slope_at_the_join",
                    lambda x, there=there: there if x == 1 else (1 / x if x > 1 else 1.0),
                    Text(
                        f"The values are right, and at x = 1, where the pieces meet, the gradient is {there:g}:"
                        f" {en}. The pieces meet smoothly, so the slope there is 1.",
                        f"값은 맞지만 두 조각이 만나는 x = 1에서 그래디언트가 {there:g}이에요. {ko}. 두 조각은 매끄럽게"
                        " 만나므로 그곳의 기울기는 1이에요.",
                    ),
                    0.5,
                )
                for there, en, ko in (
                    (
                        2.0,
                        "both pieces count there, and their slopes are added",
                        "양쪽이 모두 세어졌어요",
                    ),
                    (0.0, "neither piece counts there", "어느 쪽도 세어지지 않았어요"),
                    (0.5, "half of one piece counts there", "한쪽의 절반만 세어졌어요"),
                    (
                        1.5,
                        "one and a half pieces count there",
                        "한쪽과 다른 쪽의 절반이 세어졌어요",
                    ),
                )
            ),
            Mistake(
                "nan_from_the_other_branch",
                math.nan,
                Text(
                    "The values are right, and for x = {inputs} the gradient is `nan`: `tf.where`"
                    " computes and differentiates both branches, the logarithm of 0 too. `tf.cond`"
                    " runs only one.",
                    "값은 맞지만 x = {inputs}에서 그래디언트가 `nan`이에요. `tf.where`는 두 분기를 모두 계산하고"
                    " 미분해서 0의 로그도 들어가요. `tf.cond`는 하나만 실행해요.",
                ),
                0.5,
            ),
        ],
    )


def _sinc(x: Any) -> Any:
    x = np.array(x)
    return np.where(x == 0, 1.0, np.sin(x) / np.where(x == 0, 1.0, x))


def _slope_of_sinc(x: Any) -> Any:
    x = np.array(x)
    harmless = np.where(x == 0, 1.0, x)
    return np.where(x == 0, 0.0, (harmless * np.cos(x) - np.sin(x)) / harmless**2)


def _but_at_zero(f: Callable[[Any], Any], there: float) -> Callable[[Any], Any]:
    """Return ``f`` with another value where the input is 0."""
    return lambda x: np.where(np.array(x) == 0, there, f(x))


@problem(
    "2.6",
    section="The trap in tf.where",
    objective=4,
    difficulty=3,
    points=4,
    cases=[
        *(([0.0, 1.0, -2.0],), (0.0,), ([[3.0, 0.0], [0.0, -0.5]],), (1.5,)),
        *(([0.05, -0.02, 12.0],), ([0.4, -0.2, 0.8],)),
    ],
    hints=[
        Text(
            "Where does the `nan` come from? At 0 the slope of `1 / x` is infinite, and infinity"
            " times 0 is `nan`: to choose after the division is too late.",
            "`nan`은 어디서 오나요? 0에서 `1 / x`의 기울기는 무한대이고, 무한대 곱하기 0은 `nan`이에요. 나눈 뒤에"
            " 고르면 늦어요.",
        ),
        Text(
            "Choose twice: once *before* the division, so that it never sees a 0, and once after it.",
            "두 번 고르세요. 나눗셈이 0을 보지 않도록 *앞에서* 한 번, 뒤에서 한 번.",
        ),
        Text(
            "`harmless = tf.where(x == 0, 1.0, x)`, then"
            " `tf.where(x == 0, 1.0, tf.sin(harmless) / harmless)`.",
            "`harmless = tf.where(x == 0, 1.0, x)`, 그다음"
            " `tf.where(x == 0, 1.0, tf.sin(harmless) / harmless)`예요.",
        ),
    ],
    remark=Text(
        "The *double where* stands in most numerical libraries, wherever a formula has one point at"
        " which it must not be touched.",
        "*이중 where*는 대부분의 수치 라이브러리에 있어요. 건드리면 안 되는 점이 있는 식이라면 어디에나 쓰여요.",
    ),
)
def safe_sinc(cases: Cases, f: Any) -> Finding | None:
    values = judge(
        f,
        cases,
        right=_sinc,
        prepare=_tensor,
        mistakes=[
            Mistake(
                "nan_value",
                _but_at_zero(_sinc, math.nan),
                Text(
                    "At 0 your function gives `nan`, 0 divided by 0. There its value is to be 1.",
                    "0에서 0을 0으로 나누어 `nan`이 나와요. 거기서 값은 1이어야 해요.",
                ),
            ),
            Mistake(
                "zero_at_zero",
                _but_at_zero(_sinc, 0.0),
                Text(
                    "At 0 your function gives 0. sin(x) and x shrink alike there, and their quotient"
                    " goes to 1.",
                    "0에서 0이 나와요. sin(x)와 x가 똑같이 작아지므로 그 비는 1로 가요.",
                ),
            ),
            Mistake(
                "with_pi",
                lambda x: np.sinc(np.array(x)),
                Text(
                    "`{value}` is sin(πx)/(πx), as `np.sinc` has it; here it is sin(x)/x.",
                    "`{value}`은(는) `np.sinc`와 같은 sin(πx)/(πx)예요. 여기서는 sin(x)/x예요.",
                ),
            ),
            Mistake(
                "sine_alone",
                lambda x: np.sin(x),
                Text(
                    "`{value}` is the sine; divide it by `x`.",
                    "`{value}`은(는) 사인이에요. `x`로 나누세요.",
                ),
            ),
            Mistake(
                "upside_down",
                _but_at_zero(lambda x: np.array(x) / np.sin(np.where(np.array(x) == 0, 1, x)), 1.0),
                Text(
                    "Numerator and denominator have changed places.",
                    "분자와 분모가 바뀌었어요.",
                ),
            ),
            Mistake(
                "cosine",
                lambda x: np.cos(x),
                Text(
                    "`{value}` is the cosine; sin(x)/x is asked for, not the slope of the sine.",
                    "`{value}`은(는) 코사인이에요. 사인의 기울기가 아니라 sin(x)/x가 필요해요.",
                ),
            ),
            Mistake(
                "series_cut_short",
                lambda x: 1 - np.array(x) ** 2 / 6,
                Text(
                    "`{value}` is the beginning of the series, 1 - x²/6, which is good near 0 only.",
                    "`{value}`은(는) 급수의 앞부분 1 - x²/6이에요. 0 근처에서만 맞아요.",
                ),
            ),
            *(
                Mistake(
                    "series_cut_short",
                    lambda x, series=series: series(np.array(x) ** 2),
                    Text(
                        "`{value}` comes from the first terms of the series, which are good near 0 only."
                        " Divide the sine by `x`.",
                        "`{value}`은(는) 급수의 앞부분으로 구한 값이에요. 0 근처에서만 맞아요. 사인을 `x`로 나누세요.",
                    ),
                )
                for series in (
                    lambda s: 1 - s / 6 + s**2 / 120,
                    lambda s: 1 - s / 6 + s**2 / 120 - s**3 / 5040,
                    lambda s: 1 - s / 6 + s**2 / 120 - s**3 / 5040 + s**4 / 362880,
                )
            ),
            *(
                Mistake(
                    "threshold_too_wide",
                    lambda x, far=far: np.where(np.abs(x) < far, 1.0, _sinc(x)),
                    Text(
                        "For x = {inputs} you give `{value}`: numbers near 0 are treated as 0. Only x = 0"
                        " itself needs the 1; close to it sin(x)/x is already another number.",
                        "x = {inputs}에서 `{value}`이(가) 나와요. 0에 가까운 수를 0으로 다루었어요. 1은 x = 0에만"
                        " 필요하고, 가까운 곳에서 sin(x)/x는 이미 다른 값이에요.",
                    ),
                    0.25,
                )
                for far in (0.03, 0.1, 0.3, 0.45, 0.6, 0.9, 1.0)
            ),
            *(
                Mistake(
                    "moved_by_a_little",
                    lambda x, by=by, of=of: of(np.array(x), by),
                    Text(
                        "You move `x` by a small number so that nothing is divided by 0. That makes every"
                        " value a little wrong, `{value}` where `{expected}` is right. Leave x as it is,"
                        " and give the zeros a number of their own.",
                        "0으로 나누지 않으려고 `x`를 조금 옮겼어요. 그래서 모든 값이 조금씩 틀려요. `{expected}`이어야 하는데"
                        " `{value}`이에요. x는 그대로 두고 0만 따로 다루세요.",
                    ),
                    0.25,
                )
                for by in (0.1, 0.01, 1e-3)
                for of in (
                    lambda x, by: np.sin(x + by) / (x + by),
                    lambda x, by: np.sin(x) / (x + by),
                    lambda x, by: np.where(x == 0, 1.0, np.sin(x) / (x + by)),
                )
            ),
            Mistake(
                "always_one",
                lambda x: np.ones(np.shape(x)),
                Text(
                    "It gives 1 everywhere: 1 belongs to x = 0 alone. Is the condition true for all?",
                    "어디서나 1이에요. 1은 x = 0일 때만이에요. 조건이 늘 참이지 않나요?",
                ),
            ),
        ],
        recipes=[
            Recipe(
                """
def safe_sinc(x):
    is_zero = x == 0
    harmless = tf.where(is_zero, 1.0, x)
    return tf.where(is_zero, 1.0, tf.sin(harmless) / harmless)
""",
                _tensor,
            ),
            Recipe(
                """
def safe_sinc(x):
    harmless = tf.where(x == 0, 1.0, x)
    return tf.where(x == 0, 1.0, tf.sin(harmless) / harmless)
""",
                _tensor,
            ),
        ],
    )
    if values:
        return values
    return _broken(f, cases) or _judged_slopes(
        f,
        cases,
        _slope_of_sinc,
        [
            Mistake(
                "sign_of_the_slope",
                lambda x: -_slope_of_sinc(x),
                Text(
                    "The values are right; the gradient, `{value}`, has the wrong sign everywhere, and"
                    " `{expected}` is right. If you wrote it yourself: it is (x cos x - sin x) / x².",
                    "값은 맞지만 그래디언트 `{value}`의 부호가 모두 반대예요. `{expected}`이어야 해요. 직접 썼다면"
                    " (x cos x - sin x) / x²이에요.",
                ),
                0.25,
            ),
            Mistake(
                "nan_at_zero",
                _but_at_zero(_slope_of_sinc, math.nan),
                Text(
                    "The values are right everywhere, and where x is 0 the gradient is `nan`:"
                    " {value} for x = {inputs}. The division still sees the 0, and to choose after it"
                    " does not help, since infinity times 0 is `nan`.",
                    "값은 어디서나 맞지만 x가 0인 곳에서 그래디언트가 `nan`이에요. x = {inputs}일 때 {value}. 나눗셈이"
                    " 여전히 0을 봐요. 무한대 곱하기 0은 `nan`이라서 나눈 뒤에 고르면 소용없어요.",
                ),
                0.25,
            ),
            *(
                Mistake(
                    "other_slope_at_zero",
                    _but_at_zero(_slope_of_sinc, there),
                    Text(
                        "The values are right, and for x = {inputs} the gradient is {value}. The curve"
                        " has its top at 0, so its slope there is 0.",
                        "값은 맞지만 x = {inputs}에서 그래디언트가 {value}이에요. 곡선의 꼭대기가 0에 있으니 거기서"
                        " 기울기는 0이에요.",
                    ),
                    0.5,
                )
                for there in (1.0, math.inf, -math.inf)
            ),
        ],
    )
