"""The problems of lesson 1, the gradient tape."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from utils.problems.answers import NOT_ATTEMPTED
from utils.problems.judging import Mistake, all_of, judge
from utils.problems.problem import Cases, Finding, problem
from utils.problems.named_causes import causes_named
from utils.problems.text import Text

Array = NDArray[np.float64]


@problem(
    "1.1",
    section="A million slopes from one call",
    objective=1,
    difficulty=1,
    points=2,
    cases=[(2.0,), (-1.0,), (0.5,)],
    hints=[
        Text(
            "Four things happen, in this order: a tape opens, it is told to watch `x`, `y` is"
            " computed under it, and the tape is asked for the gradient.",
            "네 가지 일이 순서대로 일어나요. 테이프를 열고, `x`를 지켜보게 하고, 그 안에서 `y`를"
            " 계산하고, 테이프에 그래디언트를 요청해요.",
        ),
        Text(
            "`tape.gradient(y, x)`: what is differentiated comes first. A constant needs"
            " `tape.watch(x)` before `y` is computed.",
            "`tape.gradient(y, x)`에서 미분할 값이 먼저 와요. 상수는 `y`를 계산하기 전에"
            " `tape.watch(x)`가 필요해요.",
        ),
    ],
    remark=Text(
        "You never wrote 3x² + 2: the tape has a rule for each of the small steps, and puts them"
        " together.",
        "3x² + 2를 직접 쓰지 않았죠. 테이프는 작은 단계마다 규칙을 알고 있고 그것을 이어 붙여요.",
    ),
)
def slope_of_a_polynomial(cases: Cases, f: Any) -> Finding | None:
    return judge(
        f,
        cases,
        right=lambda x: 3 * x**2 + 2,
        prepare=lambda x: (tf.constant(x),),
        mistakes=[
            Mistake(
                "the_value",
                lambda x: x**3 + 2 * x,
                Text(
                    "`{value}` is `y` itself at x = {inputs}, not its slope there.",
                    "`{value}`은(는) x = {inputs}에서의 기울기가 아니라 `y` 값 자체예요.",
                ),
            ),
            Mistake(
                "value_and_slope",
                lambda x: (x**3 + 2 * x, 3 * x**2 + 2),
                Text(
                    "You return two numbers, `{value}`: `y` and its slope. Only the slope is asked for.",
                    "`y`와 기울기, 두 숫자 `{value}`을(를) 돌려주었어요. 기울기 하나만 필요해요.",
                ),
            ),
            Mistake(
                "a_list_of_one",
                lambda x: [3 * x**2 + 2],
                Text(
                    "The slope is right, but it comes in a list, `{value}`: a list of sources gives a"
                    " list of gradients. Ask for `x` itself, or take the first item.",
                    "기울기는 맞지만 `{value}`처럼 리스트에 들어 있어요. 소스를 리스트로 주면 그래디언트도"
                    " 리스트로 나와요. `x`를 그대로 주거나 첫 항목을 꺼내세요.",
                ),
            ),
            Mistake(
                "second_derivative",
                lambda x: 6 * x,
                Text(
                    "`{value}` is 6x, the *second* derivative: you have differentiated the slope once"
                    " more.",
                    "`{value}`은(는) 6x, 즉 *이계* 도함수예요. 기울기를 한 번 더 미분했어요.",
                ),
            ),
            Mistake(
                "first_term_only",
                lambda x: 3 * x**2,
                Text(
                    "`{value}` is 3x², the slope of x³ alone: the term 2x adds 2 to the slope"
                    " everywhere.",
                    "`{value}`은(는) x³만의 기울기 3x²이에요. 2x 항이 어디서나 기울기에 2를 더해요.",
                ),
            ),
            Mistake(
                "last_term_only",
                lambda x: 2.0,
                Text(
                    "2 is the slope of 2x alone. Is x³ part of the `y` that you differentiate?",
                    "2는 2x만의 기울기예요. 미분하는 `y`에 x³이 들어 있나요?",
                ),
            ),
            Mistake(
                "term_not_differentiated",
                lambda x: 3 * x**2 + 2 * x,
                Text(
                    "`{value}` is 3x² + 2x: the term 2x has been left as it was, and its slope is 2.",
                    "`{value}`은(는) 3x² + 2x예요. 2x 항이 미분되지 않고 남았는데, 그 기울기는 2예요.",
                ),
            ),
            Mistake(
                "power_rule",
                lambda x: x**2 + 2,
                Text(
                    "`{value}` is x² + 2: the exponent 3 has to come down as a factor, 3x².",
                    "`{value}`은(는) x² + 2예요. 지수 3이 앞으로 내려와 3x²이 되어야 해요.",
                ),
            ),
            Mistake(
                "power_rule",
                lambda x: 3 * x + 2,
                Text(
                    "`{value}` is 3x + 2: the slope of x³ is 3x², with a square.",
                    "`{value}`은(는) 3x + 2예요. x³의 기울기는 제곱이 붙은 3x²이에요.",
                ),
            ),
            Mistake(
                "power_rule",
                lambda x: 3 * x**3 + 2,
                Text(
                    "`{value}` is 3x³ + 2: differentiating takes one from the exponent, 3x².",
                    "`{value}`은(는) 3x³ + 2예요. 미분하면 지수가 하나 줄어 3x²이 돼요.",
                ),
            ),
            Mistake(
                "times_for_power",
                5.0,
                Text(
                    "5 everywhere is the slope of 3x + 2x: a power is written `x**3` with two stars,"
                    " `x*3` is a product.",
                    "어디서나 5라면 3x + 2x의 기울기예요. 거듭제곱은 별 두 개로 `x**3`이고, `x*3`은 곱셈이에요.",
                ),
            ),
            Mistake(
                "other_polynomial",
                lambda x: 3 * x**2 - 2,
                Text(
                    "`{value}` is the slope of x³ - 2x: mind the sign between the terms.",
                    "`{value}`은(는) x³ - 2x의 기울기예요. 두 항 사이의 부호를 확인하세요.",
                ),
            ),
            Mistake(
                "other_polynomial",
                lambda x: 3 * x**2 + 4 * x,
                Text(
                    "`{value}` is the slope of x³ + 2x²: the second term is 2x.",
                    "`{value}`은(는) x³ + 2x²의 기울기예요. 둘째 항은 2x예요.",
                ),
            ),
            Mistake(
                "other_polynomial",
                lambda x: 3 * x**2 + 1,
                Text(
                    "`{value}` is the slope of x³ + x: the 2 before the second `x` is missing.",
                    "`{value}`은(는) x³ + x의 기울기예요. 둘째 `x` 앞의 2가 빠졌어요.",
                ),
            ),
            Mistake(
                "other_polynomial",
                lambda x: 2 * x + 2,
                Text(
                    "`{value}` is the slope of x² + 2x: the first term is x³.",
                    "`{value}`은(는) x² + 2x의 기울기예요. 첫째 항은 x³이에요.",
                ),
            ),
            Mistake(
                "other_polynomial",
                lambda x: 3 * x**2 + 2**x * np.log(2),
                Text(
                    "`{value}` is the slope of x³ + 2ˣ: the second term is a product, `2 * x`.",
                    "`{value}`은(는) x³ + 2ˣ의 기울기예요. 둘째 항은 곱셈 `2 * x`예요.",
                ),
            ),
            Mistake(
                "other_polynomial",
                lambda x: 3 * (x + 2 * x) ** 2 * 3,
                Text(
                    "`{value}` is the slope of (x + 2x)³: only the first `x` is cubed.",
                    "`{value}`은(는) (x + 2x)³의 기울기예요. 세제곱은 첫째 `x`에만 붙어요.",
                ),
            ),
            Mistake(
                "inverse",
                lambda x: 1 / (3 * x**2 + 2),
                Text(
                    "`{value}` is dx/dy, one over the slope that is asked for.",
                    "`{value}`은(는) 구해야 할 기울기의 역수 dx/dy예요.",
                ),
            ),
            *(
                Mistake(
                    "step_too_wide",
                    lambda x, h=h: ((x + h) ** 3 - x**3) / h + 2,
                    Text(
                        "`{value}` is close: the line through two points that are not near enough to"
                        " each other. A tape needs no step at all.",
                        "`{value}`은(는) 가깝지만, 충분히 가깝지 않은 두 점을 지나는 직선의 기울기예요."
                        " 테이프에는 그런 간격이 필요 없어요.",
                    ),
                )
                for h in (1.0, 0.1, 0.01, 0.001, -1.0, -0.1, -0.01)
            ),
        ],
    )


def _square_length(x: Sequence[float]) -> tuple[float, Array]:
    """Return y, the sum of the squares, and x as an array."""
    return float(np.square(x).sum()), np.array(x)


def _with(f: Callable[[float, Array], Any]) -> Callable[..., Any]:
    """Make a function of y and x a function of the inputs of problem 1.2."""
    return lambda x: f(*_square_length(x))


@problem(
    "1.2",
    section="The steps in between can be sources too",
    objective=1,
    difficulty=1,
    points=3,
    cases=[([1.0, 2.0, 2.0],), ([0.5, -1.0],), ([2.0, 0.0, -1.0, 1.0],)],
    hints=[
        Text(
            "`y` is computed from something watched, so the tape knows it and it can be a source just"
            " like `x`.",
            "`y`는 지켜보는 값에서 계산되었으므로 테이프가 알고 있고, `x`처럼 소스가 될 수 있어요.",
        ),
        Text(
            "A plain tape answers once. Ask for both in one call, with a list of sources.",
            "보통 테이프는 한 번만 대답해요. 소스를 리스트로 묶어 한 번에 물어보세요.",
        ),
        Text(
            "`dz_dy, dz_dx = tape.gradient(z, [y, x])`, after `y = tf.reduce_sum(x * x)` and"
            " `z = y * y` inside the block.",
            "블록 안에서 `y = tf.reduce_sum(x * x)`와 `z = y * y`를 계산한 뒤"
            " `dz_dy, dz_dx = tape.gradient(z, [y, x])`라고 쓰세요.",
        ),
    ],
    remark=Text(
        "Divide the second by the first: what is left is 2x, which is dy/dx. The tape multiplied the"
        " two links of the chain for you.",
        "둘째를 첫째로 나누면 2x, 바로 dy/dx가 남아요. 테이프가 연쇄 법칙의 두 고리를 곱해 준 거예요.",
    ),
)
def links_of_a_chain(cases: Cases, f: Any) -> Finding | None:
    the_value_of_dz_dy = Text(
        "`{value}` is dz/dy alone, one number. dz/dx is asked for too: it has the shape of `x`.",
        "`{value}`은(는) dz/dy 하나뿐이에요. `x`와 같은 모양인 dz/dx도 필요해요.",
    )
    dz_dy_for_dz_dx = Text(
        "The second result, in `{value}`, is dz/dy again, not dz/dx. Its source has to be `x`, and a"
        " gradient has the shape of its source.",
        "`{value}`의 둘째 결과는 dz/dx가 아니라 다시 dz/dy예요. 소스가 `x`여야 하고, 그래디언트는"
        " 소스와 모양이 같아요.",
    )
    return judge(
        f,
        cases,
        right=_with(lambda y, x: (2 * y, 4 * y * x)),
        prepare=lambda x: (tf.constant(x),),
        mistakes=[
            Mistake("only_dz_dy", _with(lambda y, x: 2 * y), the_value_of_dz_dy),
            Mistake("only_dz_dy", _with(lambda y, x: [2 * y]), the_value_of_dz_dy),
            Mistake(
                "only_dz_dx",
                _with(lambda y, x: 4 * y * x),
                Text(
                    "`{value}` is dz/dx alone. The intermediate one, dz/dy, is asked for first.",
                    "`{value}`은(는) dz/dx 하나뿐이에요. 중간 결과에 대한 dz/dy가 먼저 필요해요.",
                ),
            ),
            Mistake("dz_dy_for_dz_dx", _with(lambda y, x: (2 * y, 2 * y)), dz_dy_for_dz_dx),
            Mistake(
                "dz_dy_for_dz_dx",
                _with(lambda y, x: (2 * y, 2 * y * np.ones_like(x))),
                dz_dy_for_dz_dx,
            ),
            Mistake(
                "dy_dx_for_dz_dx",
                _with(lambda y, x: (2 * y, 2 * x)),
                Text(
                    "The second result, in `{value}`, is dy/dx = 2x: its target was `y`. For dz/dx the"
                    " target is `z`.",
                    "`{value}`의 둘째 결과는 dy/dx = 2x예요. 타깃이 `y`였어요. dz/dx의 타깃은 `z`예요.",
                ),
            ),
            Mistake(
                "dz_dx_for_dz_dy",
                _with(lambda y, x: (4 * y * x, 4 * y * x)),
                Text(
                    "The first result, in `{value}`, is dz/dx. For dz/dy the source is `y`.",
                    "`{value}`의 첫째 결과는 dz/dx예요. dz/dy의 소스는 `y`예요.",
                ),
            ),
            Mistake(
                "dy_dx_for_dz_dy",
                _with(lambda y, x: (2 * x, 4 * y * x)),
                Text(
                    "The first result, in `{value}`, is dy/dx = 2x. For dz/dy the target is `z` and the"
                    " source is `y`.",
                    "`{value}`의 첫째 결과는 dy/dx = 2x예요. dz/dy는 타깃이 `z`, 소스가 `y`예요.",
                ),
            ),
            Mistake(
                "dy_dx_for_dz_dy",
                _with(lambda y, x: (4 * y * x, 2 * x)),
                Text(
                    "`{value}` is dz/dx and dy/dx. Asked for are dz/dy and dz/dx, in this order: the"
                    " target is `z` both times.",
                    "`{value}`은(는) dz/dx와 dy/dx예요. 필요한 것은 dz/dy와 dz/dx로, 두 번 다 타깃이 `z`예요.",
                ),
            ),
            Mistake(
                "dy_dx_for_dz_dy",
                _with(lambda y, x: (2 * x, 2 * y)),
                Text(
                    "`{value}` is dy/dx and dz/dy, the two links. Asked for are dz/dy and then dz/dx,"
                    " the product of both.",
                    "`{value}`은(는) 두 고리인 dy/dx와 dz/dy예요. 필요한 것은 dz/dy와, 둘을 곱한 dz/dx예요.",
                ),
            ),
            Mistake(
                "the_values",
                _with(lambda y, x: (y, y * y)),
                Text(
                    "`{value}` are `y` and `z` themselves, not how fast `z` moves with `y` and `x`.",
                    "`{value}`은(는) `y`와 `z` 값 자체예요. `y`와 `x`에 따라 `z`가 얼마나 빨리 변하는지가 필요해요.",
                ),
            ),
            Mistake(
                "sum_forgotten",
                lambda x: (2 * np.square(x), 4 * np.power(x, 3)),
                Text(
                    "dz/dy should be one number, and you have `{value}`: the squares were not added up,"
                    " so `y` is a whole list. `tf.reduce_sum` makes it one number.",
                    "dz/dy는 숫자 하나여야 하는데 `{value}`이(가) 나왔어요. 제곱을 더하지 않아 `y`가 여러 개의"
                    " 숫자예요. `tf.reduce_sum`으로 하나로 만드세요.",
                ),
            ),
            Mistake(
                "squared_the_sum",
                lambda x: (2 * sum(x) ** 2, 4 * sum(x) ** 3 * np.ones(len(x))),
                Text(
                    "`{value}` belongs to y = (Σ x)²: you added first and squared then. `y` is the sum"
                    " of the squares, Σ x².",
                    "`{value}`은(는) y = (Σ x)²의 결과예요. 먼저 더하고 제곱했어요. `y`는 제곱의 합 Σ x²이에요.",
                ),
            ),
            Mistake(
                "sum_without_squares",
                lambda x: (2 * sum(x), 2 * sum(x) * np.ones(len(x))),
                Text(
                    "`{value}` belongs to y = Σ x: the entries have to be squared before they are added"
                    " up.",
                    "`{value}`은(는) y = Σ x의 결과예요. 더하기 전에 각 값을 제곱해야 해요.",
                ),
            ),
            Mistake(
                "mean_for_sum",
                lambda x: (2 * np.mean(np.square(x)), 4 * np.mean(np.square(x)) * np.divide(x, len(x))),
                Text(
                    "`{value}` belongs to the *mean* of the squares: `y` is their sum,"
                    " `tf.reduce_sum`.",
                    "`{value}`은(는) 제곱의 *평균*에서 나온 값이에요. `y`는 합(`tf.reduce_sum`)이에요.",
                ),
            ),
            Mistake(
                "doubled_for_squared",
                _with(lambda y, x: (2.0, 4 * x)),
                Text(
                    "`{value}` belongs to z = 2y: `z` is the *square* of `y`, `y * y`.",
                    "`{value}`은(는) z = 2y의 결과예요. `z`는 `y`의 *제곱* `y * y`예요.",
                ),
            ),
            Mistake(
                "z_is_y",
                _with(lambda y, x: (1.0, 2 * x)),
                Text(
                    "A slope of 1 means that target and source are the same: you differentiated `y`"
                    " with respect to itself. The target is `z`.",
                    "기울기가 1이라면 타깃과 소스가 같다는 뜻이에요. `y`를 자기 자신으로 미분했어요. 타깃은 `z`예요.",
                ),
            ),
            Mistake(
                "link_forgotten",
                _with(lambda y, x: (2 * y, 2 * y * x)),
                Text(
                    "dz/dy is right. dz/dx = dz/dy · dy/dx, and dy/dx is 2x, not x: a factor 2 is"
                    " missing in `{value}`.",
                    "dz/dy는 맞아요. dz/dx = dz/dy · dy/dx이고 dy/dx는 x가 아니라 2x예요. `{value}`에는 2가"
                    " 빠졌어요.",
                ),
            ),
        ],
    )


def sine_of_square(x: Any) -> Any:
    """A function to differentiate."""
    return tf.sin(x * x)


def growth(x: Any) -> Any:
    """A function to differentiate."""
    return 2.0 * tf.exp(x / 2.0)


def parabola(x: Any) -> Any:
    """A function to differentiate."""
    return x * x


def _numerically(f: Callable[[Any], Any], x: float) -> tuple[float, float]:
    """Return f(x) and its slope, by a central difference in float64."""
    h = 1e-6
    at = [float(f(tf.constant(x + shift, tf.float64))) for shift in (-h, 0.0, h)]
    return at[1], (at[2] - at[0]) / (2 * h)


def _of_y_and_slope(give: Callable[[float, float], Any]) -> Callable[..., Any]:
    """Make a function of y and dy/dx a function of the inputs of problem 1.3."""
    return lambda f, x: give(*_numerically(f, x))


@problem(
    "1.3",
    section="A tape forgets after one answer",
    objective=2,
    difficulty=2,
    points=3,
    cases=[(parabola, 3.0), (sine_of_square, 0.7), (growth, -1.0)],
    hints=[
        Text(
            "Two different targets, `y` and `z`, and one recording: a plain tape forgets after the first"
            " `gradient`.",
            "타깃은 `y`와 `z` 두 개인데 기록은 하나예요. 보통 테이프는 첫 `gradient` 뒤에 기록을 잊어요.",
        ),
        Text(
            "Open the tape with `persistent=True`. Then `gradient` may be called as often as you like.",
            "`persistent=True`로 테이프를 여세요. 그러면 `gradient`를 몇 번이든 호출할 수 있어요.",
        ),
        Text(
            "Watch `x`, then `y = f(x)` and `z = y * y` in the block; below it `tape.gradient(y, x)` and"
            " `tape.gradient(z, x)`.",
            "블록 안에서 `x`를 지켜보게 하고 `y = f(x)`, `z = y * y`를 계산하세요. 블록 아래에서"
            " `tape.gradient(y, x)`와 `tape.gradient(z, x)`를 호출하세요.",
        ),
    ],
    remark=Text(
        "There is a way without `persistent`: one call, `tape.gradient(z, [y, x])`, gives dz/dy and"
        " dz/dx, and their quotient is dy/dx, as long as dz/dy is not 0. Try it.",
        "`persistent` 없이도 돼요. `tape.gradient(z, [y, x])` 한 번으로 dz/dy와 dz/dx를 얻고, dz/dy가 0이"
        " 아니면 둘을 나누어 dy/dx를 얻어요. 해 보세요.",
    ),
)
def two_slopes(cases: Cases, answer: Any) -> Finding | None:
    calls: list[int] = []

    def prepare(f: Any, x: float) -> tuple[Any, ...]:
        calls.append(0)

        @functools.wraps(f)
        def counted(value: Any) -> Any:
            calls[-1] += 1
            return f(value)

        return counted, tf.constant(x)

    only_one = Text(
        "Two slopes are asked for, dy/dx and dz/dx, and `{value}` is only {which}.",
        "dy/dx와 dz/dx, 두 기울기가 필요한데 `{value}`은(는) {which}뿐이에요.",
    )

    def only(which: str) -> Text:
        return Text(*(each.replace("{which}", which) for each in only_one))

    summed = Text(
        "`{value}` is dy/dx + dz/dx: for a list of *targets* a tape gives the gradient of their sum."
        " Two answers need two calls, and those a tape that is persistent.",
        "`{value}`은(는) dy/dx + dz/dx예요. *타깃*을 리스트로 주면 그 합의 그래디언트가 나와요."
        " 답이 두 개면 두 번 호출해야 하고, 그러려면 지속성 있는 테이프가 필요해요.",
    )
    finding = judge(
        answer,
        cases,
        right=_of_y_and_slope(lambda y, s: (s, 2 * y * s)),
        prepare=prepare,
        tolerance=1e-3,
        mistakes=[
            Mistake("summed_targets", _of_y_and_slope(lambda y, s: s + 2 * y * s), summed),
            Mistake("summed_targets", _of_y_and_slope(lambda y, s: [s + 2 * y * s]), summed),
            Mistake("only_one", _of_y_and_slope(lambda y, s: s), only("dy/dx")),
            Mistake("only_one", _of_y_and_slope(lambda y, s: 2 * y * s), only("dz/dx")),
            Mistake(
                "dz_dy_for_dz_dx",
                _of_y_and_slope(lambda y, s: (s, 2 * y)),
                Text(
                    "dy/dx is right. The second result, in `{value}`, is dz/dy = 2y: its source was `y`,"
                    " and it should be `x`.",
                    "dy/dx는 맞아요. `{value}`의 둘째 결과는 dz/dy = 2y예요. 소스가 `y`였는데 `x`여야 해요.",
                ),
            ),
            Mistake(
                "dz_dy_for_dy_dx",
                _of_y_and_slope(lambda y, s: (2 * y, 2 * y * s)),
                Text(
                    "dz/dx is right. The first result, in `{value}`, is dz/dy = 2y, as"
                    " `tape.gradient(z, [y, x])` gives it; asked for is dy/dx.",
                    "dz/dx는 맞아요. `{value}`의 첫째 결과는 `tape.gradient(z, [y, x])`가 주는 dz/dy = 2y인데,"
                    " 필요한 것은 dy/dx예요.",
                ),
            ),
            Mistake(
                "dz_dy_for_dy_dx",
                _of_y_and_slope(lambda y, s: (2 * y, s)),
                Text(
                    "`{value}` is dz/dy and dy/dx, the two links of the chain. Asked for are dy/dx and"
                    " dz/dx, which is their product.",
                    "`{value}`은(는) 두 고리인 dz/dy와 dy/dx예요. 필요한 것은 dy/dx와, 둘을 곱한 dz/dx예요.",
                ),
            ),
            Mistake(
                "swapped",
                _of_y_and_slope(lambda y, s: (2 * y * s, s)),
                Text(
                    "Both slopes are right, and they have changed places: dy/dx comes first.",
                    "두 기울기는 맞지만 순서가 바뀌었어요. dy/dx가 먼저예요.",
                ),
            ),
            Mistake(
                "same_target_twice",
                _of_y_and_slope(lambda y, s: (s, s)),
                Text(
                    "Both results are dy/dx. The second one is about `z`: its target is `z = y * y`.",
                    "두 결과가 모두 dy/dx예요. 둘째의 타깃은 `z = y * y`예요.",
                ),
            ),
            Mistake(
                "same_target_twice",
                _of_y_and_slope(lambda y, s: (2 * y * s, 2 * y * s)),
                Text(
                    "Both results are dz/dx. The first one is about `y`: its target is `y`.",
                    "두 결과가 모두 dz/dx예요. 첫째의 타깃은 `y`예요.",
                ),
            ),
            Mistake(
                "the_values",
                _of_y_and_slope(lambda y, s: (y, y * y)),
                Text(
                    "`{value}` are `y` and `z` themselves, not their slopes.",
                    "`{value}`은(는) 기울기가 아니라 `y`와 `z` 값 자체예요.",
                ),
            ),
            Mistake(
                "slope_squared",
                _of_y_and_slope(lambda y, s: (s, s * s)),
                Text(
                    "dy/dx is right. For dz/dx you squared it, but the slope of a square is not the"
                    " square of the slope: it is 2y · dy/dx.",
                    "dy/dx는 맞아요. dz/dx로 그것을 제곱했는데, 제곱의 기울기는 기울기의 제곱이 아니라"
                    " 2y · dy/dx예요.",
                ),
            ),
            Mistake(
                "slope_doubled",
                _of_y_and_slope(lambda y, s: (s, 2 * s)),
                Text(
                    "dy/dx is right. The second is twice that, the slope of 2y; `z` is `y * y`, and its"
                    " slope is 2y · dy/dx.",
                    "dy/dx는 맞아요. 둘째는 그 두 배, 즉 2y의 기울기예요. `z`는 `y * y`이고 기울기는 2y · dy/dx예요.",
                ),
            ),
            Mistake(
                "product_for_square",
                _of_y_and_slope(lambda y, s: (s, y * s)),
                Text(
                    "dy/dx is right. The second is y · dy/dx, half of dz/dx: `y` stands twice in"
                    " `y * y`, so the slope is 2y · dy/dx.",
                    "dy/dx는 맞아요. 둘째는 dz/dx의 절반인 y · dy/dx예요. `y * y`에는 `y`가 두 번 있어서"
                    " 기울기는 2y · dy/dx예요.",
                ),
            ),
            Mistake(
                "z_without_f",
                lambda f, x: (_numerically(f, x)[1], 2 * x),
                Text(
                    "dy/dx is right. The second is 2x, the slope of x²; but `z` is the square of"
                    " `y = f(x)`.",
                    "dy/dx는 맞아요. 둘째는 x²의 기울기 2x예요. 그런데 `z`는 `y = f(x)`의 제곱이에요.",
                ),
            ),
            Mistake(
                "f_of_f",
                lambda f, x: (
                    (slope := _numerically(f, x))[1],
                    slope[1] * _numerically(f, slope[0])[1],
                ),
                Text(
                    "dy/dx is right. The second is the slope of f(f(x)); `z` is the square of `y`,"
                    " `y * y`.",
                    "dy/dx는 맞아요. 둘째는 f(f(x))의 기울기예요. `z`는 `y`의 제곱 `y * y`예요.",
                ),
            ),
        ],
    )
    if finding is None and max(calls) > 1:
        return Finding(
            "f_called_twice",
            Text(
                f"Both slopes are right, but `f` was called {max(calls)} times for one pair of them. Call"
                " it once and ask the same recording twice.",
                f"두 기울기는 맞지만 `f`를 {max(calls)}번 호출했어요. 한 번만 호출하고 같은 기록에 두 번"
                " 물어보세요.",
            ),
            0.5,
        )
    return finding


@problem(
    "1.4",
    section="When the gradient is None",
    objective=4,
    difficulty=2,
    points=6,
    hints=[
        Text(
            "For each function go through the table of questions in the lesson from the top. The first"
            " “yes” is the cause.",
            "함수마다 수업의 질문 표를 위에서부터 따라가세요. 처음으로 “예”가 나오는 것이 원인이에요.",
        ),
        Text(
            "Begin with the source: what is it made of, and who watches it? Then follow the value, step"
            " by step, to the target.",
            "소스부터 보세요. 무엇으로 만들어졌고 누가 지켜보나요? 그다음 타깃까지 값을 한 단계씩 따라가세요.",
        ),
        Text(
            "The detective is allowed: `explain_none(ada)` says what broke and in which line. Two words"
            " of the list are needed twice.",
            "탐정을 불러도 돼요. `explain_none(ada)`가 무엇이 어느 줄에서 끊겼는지 말해 줘요. 두 단어는 두 번 쓰여요.",
        ),
    ],
    remark=Text(
        "Twelve times the same None, and ten reasons. In code of your own, `explain_none` asks these"
        " questions for you.",
        "똑같은 None이 열두 번, 이유는 열 가지였어요. 당신의 코드에서는 `explain_none`이 이 질문을 대신해 줘요.",
    ),
)
def causes_of_none(cases: Cases, answer: Any, functions: Any) -> Finding | None:
    return causes_named(answer, functions if isinstance(functions, list) else [])


def _within(name: str, finding: Finding | None) -> Finding | None:
    """Let a finding begin with the name of the function that it is about."""
    if finding is None or finding.name == NOT_ATTEMPTED.name:
        return finding
    return finding._replace_text(Text(f"`{name}`:", f"`{name}`:") + finding.text)
