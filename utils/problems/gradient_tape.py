"""The problems of lesson 1, the gradient tape."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from utils.problems.answers import NOT_ATTEMPTED
from utils.problems.judging import Mistake, all_of, judge
from utils.problems.named_causes import causes_named
from utils.problems.problem import Cases, Finding, problem
from utils.problems.text import Text
from utils.problems.values import agree, numbers, show
from utils.problems.variations import Recipe

Array = NDArray[np.float64]


@problem(
    "1.1",
    section="The tape records forwards and replays backwards",
    objective=1,
    difficulty=1,
    points=2,
    cases=[(2.0,), (-1.0,), (0.5,), (1.3,)],
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
        "A tape needs no 3x² + 2 from you: it has a rule for each of the small steps, and puts them"
        " together.",
        "테이프에는 3x² + 2를 알려 줄 필요가 없어요. 작은 단계마다 규칙을 알고 있고 그것을 이어 붙여요.",
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
                    "`{value}` is x² + 2, which is y divided by x, or a power rule without its factor 3:"
                    " the slope of x³ is 3x².",
                    "`{value}`은(는) x² + 2, 즉 y를 x로 나눈 값이거나 인수 3이 빠진 거듭제곱 규칙이에요. x³의"
                    " 기울기는 3x²이에요.",
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
                "other_polynomial",
                lambda x: 2 * x + 3,
                Text(
                    "`{value}` is the slope of x² + 3x: 2 and 3 have changed places.",
                    "`{value}`은(는) x² + 3x의 기울기예요. 2와 3이 서로 바뀌었어요.",
                ),
            ),
            Mistake(
                "other_polynomial",
                lambda x: 4 * x**3 + 2,
                Text(
                    "`{value}` is the slope of (x³ + 2) · x: only the 2 is multiplied by `x`.",
                    "`{value}`은(는) (x³ + 2) · x의 기울기예요. `x`를 곱하는 것은 2뿐이에요.",
                ),
            ),
            *(
                Mistake(
                    "rounded",
                    lambda x, whole=whole: float(whole(3 * x**2 + 2)),
                    Text(
                        "`{value}` is `{expected}` without its decimals: leave the slope a float, without"
                        " `int` or rounding.",
                        "`{value}`은(는) `{expected}`에서 소수 부분이 사라진 값이에요. `int`나 반올림 없이 실수로"
                        " 두세요.",
                    ),
                )
                for whole in (int, round)
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
        recipes=[
            Recipe("def y(x):\n    return x**3 + 2 * x", _constant, finish=_slope_by_tape),
            Recipe("def slope(x):\n    return 3 * x**2 + 2"),
        ],
    )


def _constant(*inputs: Any) -> tuple[Any, ...]:
    return tuple(map(tf.constant, inputs))


def _slope_by_tape(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function that gives the slope of ``f`` by its first argument."""

    def slope(x: Any, *others: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x, *others)
        return tape.gradient(y, x)

    return slope


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
    cases=[([1.0, 2.0, 2.0],), ([0.5, -1.0],), ([2.0, 0.0, -1.0, 1.0],), ([3.0],), ([0.0, 0.0],)],
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
                lambda x: (
                    2 * np.mean(np.square(x)),
                    4 * np.mean(np.square(x)) * np.divide(x, len(x)),
                ),
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
                "summed_targets",
                _with(lambda y, x: (2 * y, 2 * x + 4 * y * x)),
                Text(
                    "The second result, in `{value}`, is dy/dx + dz/dx: a list of *targets* is added up. The"
                    " list belongs to the sources.",
                    "`{value}`의 둘째 결과는 dy/dx + dz/dx예요. *타깃*을 리스트로 주면 더해져요. 리스트는 소스에"
                    " 쓰세요.",
                ),
            ),
            Mistake(
                "summed_targets",
                _with(lambda y, x: 2 * x + 4 * y * x),
                Text(
                    "`{value}` is dy/dx + dz/dx: a list of *targets* is added up. The target is `z`, and the"
                    " list belongs to the sources, `[y, x]`.",
                    "`{value}`은(는) dy/dx + dz/dx예요. *타깃*을 리스트로 주면 더해져요. 타깃은 `z`이고, 리스트"
                    " `[y, x]`는 소스예요.",
                ),
            ),
            Mistake(
                "links_added",
                _with(lambda y, x: (2 * y, 2 * y + 2 * x)),
                Text(
                    "dz/dy is right. For dz/dx you added the links: along a path slopes are multiplied,"
                    " dz/dy · dy/dx.",
                    "dz/dy는 맞아요. dz/dx에서는 고리를 더했는데, 한 길을 따라가는 기울기는 dz/dy · dy/dx처럼"
                    " 곱해요.",
                ),
            ),
            Mistake(
                "the_values",
                _with(lambda y, x: (2 * y, y * y)),
                Text(
                    "dz/dy is right. The second result, in `{value}`, is the value of `z`; dz/dx is asked"
                    " for.",
                    "dz/dy는 맞아요. `{value}`의 둘째 결과는 `z`의 값인데, 필요한 것은 dz/dx예요.",
                ),
            ),
            Mistake(
                "dy_dx_too",
                _with(lambda y, x: (2 * y, 2 * x, 4 * y * x)),
                Text(
                    "`{value}` holds dy/dx as well. Only dz/dy and dz/dx are asked for.",
                    "`{value}`에는 dy/dx도 들어 있어요. dz/dy와 dz/dx만 필요해요.",
                ),
            ),
            Mistake(
                "other_power",
                _with(lambda y, x: (3 * y**2, 6 * y**2 * x)),
                Text(
                    "`{value}` belongs to z = y³. `z` is the square of `y`.",
                    "`{value}`은(는) z = y³의 결과예요. `z`는 `y`의 제곱이에요.",
                ),
            ),
            Mistake(
                "other_power",
                lambda x: (2 * (y := sum(np.power(x, 3))), 6 * y * np.square(x)),
                Text(
                    "`{value}` belongs to y = Σ x³. `y` is the sum of the *squares* of `x`.",
                    "`{value}`은(는) y = Σ x³의 결과예요. `y`는 `x`의 *제곱*의 합이에요.",
                ),
            ),
            Mistake(
                "root_taken",
                _with(lambda y, x: (2 * np.sqrt(y), 2 * x)),
                Text(
                    "`{value}` belongs to y = √(Σ x²), the length of `x`. `y` is the sum of the squares,"
                    " without a root.",
                    "`{value}`은(는) `x`의 길이 y = √(Σ x²)의 결과예요. `y`는 제곱근 없는 제곱의 합이에요.",
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
        recipes=[
            Recipe(
                """
def links_of_a_chain(x):
    y = np.sum(x * x)
    z = y * y
    dz_dy = 2 * y
    dy_dx = 2 * x
    return dz_dy, dz_dy * dy_dx
""",
                _arrays,
            ),
            Recipe(
                """
def links_of_a_chain(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(x * x)
        z = y * y
    return tape.gradient(z, [y, x])
""",
                _constant,
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

        @functools.wraps(f, updated=())
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
        tapes=1,
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
                "summed_targets",
                _of_y_and_slope(lambda y, s: (s, s + 2 * y * s)),
                Text(
                    "dy/dx is right. The second result, in `{value}`, is dy/dx + dz/dx: a list of targets is"
                    " added up. Its target is `z` alone.",
                    "dy/dx는 맞아요. `{value}`의 둘째 결과는 dy/dx + dz/dx예요. 타깃 리스트는 더해져요. 타깃은 `z`"
                    " 하나예요.",
                ),
            ),
            Mistake(
                "multiplied",
                _of_y_and_slope(lambda y, s: s * 2 * y * s),
                Text(
                    "`{value}` is the product of dy/dx and dz/dx. Return the two as a pair.",
                    "`{value}`은(는) dy/dx와 dz/dx의 곱이에요. 둘을 쌍으로 돌려주세요.",
                ),
            ),
            Mistake(
                "multiplied",
                _of_y_and_slope(lambda y, s: (s, 2 * y * s * s)),
                Text(
                    "dy/dx is right. dz/dx has been multiplied by dy/dx once too often: the tape has done"
                    " that already.",
                    "dy/dx는 맞아요. dz/dx에 dy/dx가 한 번 더 곱해졌어요. 그 곱셈은 테이프가 이미 했어요.",
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
        recipes=[
            Recipe(
                """
def two_slopes(f, x):
    y, dy_dx = value_and_slope(f, x)
    return dy_dx, 2 * y * dy_dx
""",
                names={"value_and_slope": _numerically},
            ),
            Recipe(
                """
def two_slopes(f, x):
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = f(x)
        z = y * y
    return tape.gradient(y, x), tape.gradient(z, x)
""",
                lambda f, x: (f, tf.constant(x)),
            ),
        ],
    )
    if finding is not None and calls and not any(calls) and finding.name in ("some_cases", "other"):
        return Finding(
            "f_not_called",
            Text(
                "Your function never calls `f`, so it can be right for one calculation only. Use"
                " `y = f(x)`.",
                "함수가 `f`를 한 번도 호출하지 않아서 한 가지 계산에만 맞을 수 있어요. `y = f(x)`를 쓰세요.",
            ),
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
    functions = functions if isinstance(functions, list) else []
    names = {getattr(f, "__name__", "") for f in functions}
    missing = [name for case in cases for name in case if name not in names]
    if missing:
        return Finding(
            "functions_missing",
            Text(
                f"`{missing[0]}` is missing from the list `broken`: run the cells with the functions again"
                " as they were handed out.",
                f"`broken` 리스트에 `{missing[0]}`이(가) 없어요. 함수가 있는 셀을 처음 그대로 다시 실행하세요.",
            ),
        )
    return causes_named(answer, functions)


def _within(name: str, finding: Finding | None) -> Finding | None:
    """Let a finding begin with the name of the function that it is about."""
    if finding is None or finding.name == NOT_ATTEMPTED.name:
        return finding
    return dataclasses.replace(finding, text=Text(f"`{name}`:", f"`{name}`:") + finding.text)


ZERO_FOR_NONE = Text(
    "A zero is no mended gradient: `UnconnectedGradients.ZERO` only hides the None. The slope is"
    " `{expected}`, and the tape finds it when the path is whole.",
    "0은 고친 그래디언트가 아니에요. `UnconnectedGradients.ZERO`는 None을 숨길 뿐이에요. 기울기는"
    " `{expected}`이고, 길이 이어지면 테이프가 찾아내요.",
)


def _mended_square(f: Any, cases: Cases) -> Finding | None:
    return judge(
        f,
        cases,
        right=lambda n: 2.0 * n,
        mistakes=[
            Mistake("zero_for_none", 0.0, ZERO_FOR_NONE),
            Mistake(
                "the_value",
                lambda n: n * n,
                Text(
                    "`{value}` is the square of {inputs} itself; its slope is asked for.",
                    "`{value}`은(는) {inputs}의 제곱 자체예요. 기울기가 필요해요.",
                ),
            ),
            Mistake(
                "one_factor",
                lambda n: n,
                Text(
                    "`{value}` is one of the two factors. `x` stands in both, and the slopes add: 2x.",
                    "`{value}`은(는) 두 인수 중 하나예요. `x`는 둘 다에 있으므로 기울기를 더해 2x예요.",
                ),
            ),
            Mistake(
                "other_power",
                lambda n: 3 * n**2,
                Text(
                    "`{value}` is the slope of x³; the broken function squares.",
                    "`{value}`은(는) x³의 기울기예요. 원래 함수는 제곱을 해요.",
                ),
            ),
            Mistake(
                "written_for_three",
                6.0,
                Text(
                    "6 comes out whatever `n` is: 3.0 is written into the code where `n` should be made a"
                    " float.",
                    "`n`이 무엇이든 6이 나와요. `n`을 실수로 바꿀 자리에 3.0이 적혀 있어요.",
                ),
            ),
        ],
        recipes=[
            Recipe(
                "def y(x):\n    return x * x",
                lambda n: (tf.constant(float(n)),),
                finish=_slope_by_tape,
            ),
            Recipe("def slope(x):\n    return 2 * x"),
        ],
    )


def _mended_energy(f: Any, cases: Cases) -> Finding | None:
    return judge(
        f,
        cases,
        right=lambda v: 3 * v,
        prepare=lambda v: (tf.constant(v),),
        mistakes=[
            Mistake("zero_for_none", 0.0, ZERO_FOR_NONE),
            Mistake(
                "other_source",
                1.5,
                Text(
                    "1.5 is the slope with respect to `squared`. The source is `v`, and for that the"
                    " squaring itself has to be on the tape.",
                    "1.5는 `squared`에 대한 기울기예요. 소스는 `v`이고, 그러려면 제곱하는 단계도 테이프에"
                    " 있어야 해요.",
                ),
            ),
            Mistake(
                "the_value",
                lambda v: 1.5 * v * v,
                Text(
                    "`{value}` is the energy itself, not its slope.",
                    "`{value}`은(는) 기울기가 아니라 에너지 값 자체예요.",
                ),
            ),
            Mistake(
                "step_left_out",
                lambda v: 2 * v,
                Text(
                    "`{value}` is the slope of `v * v` alone: the factor 1.5 is not under the tape, or"
                    " the target is not `energy`.",
                    "`{value}`은(는) `v * v`만의 기울기예요. 1.5를 곱하는 단계가 테이프에 없거나 타깃이"
                    " `energy`가 아니에요.",
                ),
            ),
            Mistake(
                "other_formula",
                lambda v: 6 * v**3,
                Text(
                    "`{value}` is the slope of 1.5 v⁴: `v` was squared twice.",
                    "`{value}`은(는) 1.5 v⁴의 기울기예요. `v`를 두 번 제곱했어요.",
                ),
            ),
            Mistake(
                "other_formula",
                lambda v: v,
                Text(
                    "`{value}` is the slope of ½ v². The energy here is 1.5 v².",
                    "`{value}`은(는) ½ v²의 기울기예요. 여기서 에너지는 1.5 v²이에요.",
                ),
            ),
        ],
        recipes=[
            Recipe("def energy(v):\n    return 1.5 * (v * v)", _constant, finish=_slope_by_tape),
            Recipe("def slope(v):\n    return 3 * v"),
        ],
    )


def _mended_walk(f: Any, cases: Cases) -> Finding | None:
    def walk(position: Callable[[float, int], float]) -> Callable[..., list[float]]:
        return lambda x, rounds: [2 * position(x, k) for k in range(rounds)]

    not_moving = Text(
        "`{value}` is the same slope in each round: `x` never moves. The line that moves it has to stay,"
        " written so that `x` remains a variable.",
        "`{value}`처럼 매번 같은 기울기예요. `x`가 움직이지 않아요. 움직이는 줄은 남기되 `x`가 변수로 남도록"
        " 쓰세요.",
    )
    one_round_early = Text(
        "`{value}` begins one step too far: `x` moves before the slope is taken. Take the slope, then"
        " move.",
        "`{value}`은(는) 한 걸음 먼저 시작해요. 기울기를 구하기 전에 `x`가 움직였어요. 기울기를 구한 다음에"
        " 움직이세요.",
    )
    return judge(
        f,
        cases,
        right=walk(lambda x, k: x + k),
        prepare=lambda x, rounds: (tf.Variable(x), rounds),
        mistakes=[
            Mistake("not_moving", walk(lambda x, k: x), not_moving),
            Mistake("moved_too_early", walk(lambda x, k: x + k + 1), one_round_early),
            Mistake(
                "zero_for_none",
                lambda x, rounds: [2 * x] + [0.0] * (rounds - 1),
                ZERO_FOR_NONE,
            ),
            Mistake(
                "stuck_at_one",
                walk(lambda x, k: x if k == 0 else 1.0),
                Text(
                    "After the first round `x` is always 1: `assign(1.0)` puts 1 into it. `assign_add(1.0)`"
                    " adds 1.",
                    "첫 라운드 뒤로 `x`가 늘 1이에요. `assign(1.0)`은 1을 넣어요. 1을 더하는 것은"
                    " `assign_add(1.0)`예요.",
                ),
            ),
            Mistake(
                "moved_twice",
                walk(lambda x, k: x + 2 * k),
                Text(
                    "`{value}` takes steps of 2: something moves `x` twice in each round.",
                    "`{value}`은(는) 두 칸씩 가요. 라운드마다 `x`가 두 번 움직여요.",
                ),
            ),
            Mistake(
                "walked_down_the_slope",
                walk(lambda x, k: x * (-1) ** k),
                Text(
                    "`{value}`: you subtract the slope from `x`, as in training. Here `x` goes up by 1 in each"
                    " round.",
                    "`{value}`: 학습할 때처럼 `x`에서 기울기를 뺐어요. 여기서 `x`는 라운드마다 1씩 커져요.",
                ),
            ),
            Mistake(
                "wrong_way",
                walk(lambda x, k: x - k),
                Text(
                    "`{value}` belongs to a walk downhill, `x` minus 1 in each round: it is `assign_add`.",
                    "`{value}`은(는) 매번 `x`에서 1을 뺀 결과예요. `assign_add`를 쓰세요.",
                ),
            ),
            Mistake(
                "doubling",
                walk(lambda x, k: x * 2**k),
                Text(
                    "`x` doubles in each round: you add `x` to itself. It should move by 1.",
                    "`x`가 매번 두 배가 돼요. 자기 자신을 더했어요. 1씩 움직여야 해요.",
                ),
            ),
            Mistake(
                "the_values",
                lambda x, rounds: [(x + k) ** 2 for k in range(rounds)],
                Text(
                    "`{value}` are the values of `x * x` along the walk, not the slopes.",
                    "`{value}`은(는) 기울기가 아니라 걸음마다의 `x * x` 값이에요.",
                ),
            ),
            Mistake(
                "only_the_last",
                lambda x, rounds: 2 * (x + rounds - 1),
                Text(
                    "`{value}` is the slope of the last round. Collect those of all rounds in a list.",
                    "`{value}`은(는) 마지막 라운드의 기울기예요. 모든 라운드의 기울기를 리스트에 모으세요.",
                ),
            ),
            Mistake(
                "only_the_first",
                lambda x, rounds: [2 * x],
                Text(
                    "Only the slope of the first round comes back: is the `return` inside the loop?",
                    "첫 라운드의 기울기만 나와요. `return`이 반복문 안에 있지 않나요?",
                ),
            ),
            Mistake(
                "summed_up",
                lambda x, rounds: sum(2 * (x + k) for k in range(rounds)),
                Text(
                    "`{value}` is the sum of the slopes. A list with the slope of each round is asked for.",
                    "`{value}`은(는) 기울기의 합이에요. 라운드마다의 기울기를 담은 리스트가 필요해요.",
                ),
            ),
        ],
        recipes=[
            Recipe(
                """
def slopes_of_a_walk(x, rounds):
    slopes = []
    for _ in range(rounds):
        slopes += [2 * x]
        x += 1.0
    return slopes
"""
            ),
        ],
    )


def _mended_wave(f: Any, cases: Cases) -> Finding | None:
    return judge(
        f,
        cases,
        right=lambda x: np.sin(x) + x * np.cos(x),
        prepare=lambda x: (tf.Variable(x),),
        mistakes=[
            Mistake(
                "path_lost",
                np.sin,
                Text(
                    "`{value}` is sin x: the tape still sees only the factor `x`. The sine is a constant to"
                    " it, because it was computed outside TensorFlow or made into a new tensor.",
                    "`{value}`은(는) sin x예요. 테이프는 아직 인수 `x`만 보고 있어요. 사인은 TensorFlow 밖에서"
                    " 계산되었거나 새 텐서가 되어 상수로 보여요.",
                ),
            ),
            Mistake(
                "path_lost",
                lambda x: x * np.cos(x),
                Text(
                    "`{value}` is x cos x: now the path through the sine is there, and the one through the"
                    " factor `x` is lost.",
                    "`{value}`은(는) x cos x예요. 사인을 지나는 길은 생겼지만 인수 `x`를 지나는 길이 사라졌어요.",
                ),
            ),
            Mistake(
                "factor_left_out",
                np.cos,
                Text(
                    "`{value}` is cos x, the slope of the sine alone: the factor `x` is missing.",
                    "`{value}`은(는) 사인만의 기울기 cos x예요. 곱하는 `x`가 빠졌어요.",
                ),
            ),
            Mistake(
                "the_value",
                lambda x: x * np.sin(x),
                Text(
                    "`{value}` is x sin x itself, not its slope.",
                    "`{value}`은(는) 기울기가 아니라 x sin x 값 자체예요.",
                ),
            ),
            Mistake(
                "cosine_for_sine",
                lambda x: np.cos(x) - x * np.sin(x),
                Text(
                    "`{value}` is the slope of x cos x: the wave is a sine.",
                    "`{value}`은(는) x cos x의 기울기예요. 물결은 사인이에요.",
                ),
            ),
            Mistake(
                "other_formula",
                lambda x: 1 + np.cos(x),
                Text(
                    "`{value}` is the slope of x + sin x: the two are multiplied.",
                    "`{value}`은(는) x + sin x의 기울기예요. 둘은 곱해야 해요.",
                ),
            ),
            Mistake(
                "other_formula",
                lambda x: 2 * x * np.cos(x * x),
                Text(
                    "`{value}` is the slope of sin(x·x): the second `x` belongs outside the sine.",
                    "`{value}`은(는) sin(x·x)의 기울기예요. 둘째 `x`는 사인 밖에 있어야 해요.",
                ),
            ),
            Mistake(
                "sign_of_cosine",
                lambda x: np.sin(x) - x * np.cos(x),
                Text(
                    "`{value}` is sin x - x cos x: the slope of the sine is plus cosine.",
                    "`{value}`은(는) sin x - x cos x예요. 사인의 기울기는 플러스 코사인이에요.",
                ),
            ),
            Mistake("zero_for_none", 0.0, ZERO_FOR_NONE),
        ],
        recipes=[
            Recipe("def y(x):\n    return tf.sin(x) * x", _constant, finish=_slope_by_tape),
            Recipe("def slope(x):\n    return np.sin(x) + x * np.cos(x)"),
        ],
    )


def _mended_error(f: Any, cases: Cases) -> Finding | None:
    def mean(give: Callable[[float, Array, Array], Any]) -> Callable[..., float]:
        return lambda w, x, y: float(np.mean(give(w, np.array(x), np.array(y))))

    still_rounded = Text(
        "`{value}` still has a rounding in it. Leave `tf.round` out of the error altogether: the slope"
        " of the smooth error is `{expected}`.",
        "`{value}`에는 아직 반올림이 들어 있어요. 오차에서 `tf.round`를 완전히 빼세요. 매끄러운 오차의 기울기는"
        " `{expected}`예요.",
    )
    return judge(
        f,
        cases,
        right=mean(lambda w, x, y: 2 * (w * x - y) * x),
        prepare=lambda w, x, y: (tf.Variable(w), tf.constant(x), tf.constant(y)),
        mistakes=[
            Mistake("zero_for_none", 0.0, ZERO_FOR_NONE),
            Mistake(
                "still_rounded", mean(lambda w, x, y: 2 * (np.round(w * x) - y) * x), still_rounded
            ),
            Mistake(
                "still_rounded", mean(lambda w, x, y: 2 * (np.floor(w * x) - y) * x), still_rounded
            ),
            Mistake(
                "still_rounded",
                mean(lambda w, x, y: 2 * (w * np.round(x) - y) * np.round(x)),
                still_rounded,
            ),
            Mistake(
                "still_rounded", mean(lambda w, x, y: 2 * (round(w) * x - y) * x), still_rounded
            ),
            Mistake(
                "still_rounded", mean(lambda w, x, y: 2 * (w * x - np.round(y)) * x), still_rounded
            ),
            Mistake(
                "sum_for_mean",
                lambda w, x, y: float(np.sum(2 * (w * np.array(x) - y) * x)),
                Text(
                    "`{value}` is the slope of the *sum* of the squares, {expected} times their number:"
                    " the error is their mean.",
                    "`{value}`은(는) 제곱들의 *합*의 기울기로, {expected}에 개수를 곱한 값이에요. 오차는"
                    " 평균이에요.",
                ),
            ),
            Mistake(
                "the_value",
                mean(lambda w, x, y: (w * x - y) ** 2),
                Text(
                    "`{value}` is the error itself, not its slope.",
                    "`{value}`은(는) 기울기가 아니라 오차 값 자체예요.",
                ),
            ),
            Mistake(
                "gradient_for_x",
                lambda w, x, y: 2 * (w * np.array(x) - y) * w / len(x),
                Text(
                    "`{value}` has an entry for each of `x`: it is the gradient with respect to `x`. The"
                    " source is `w`.",
                    "`{value}`은(는) `x`마다 값이 있는, `x`에 대한 그래디언트예요. 소스는 `w`예요.",
                ),
            ),
            Mistake(
                "square_left_out",
                mean(lambda w, x, y: x),
                Text(
                    "`{value}` is the mean of `x`, the slope of the error without its square.",
                    "`{value}`은(는) `x`의 평균, 즉 제곱하지 않은 오차의 기울기예요.",
                ),
            ),
            Mistake(
                "absolute_for_square",
                mean(lambda w, x, y: np.sign(w * x - y) * x),
                Text(
                    "`{value}` is the slope of the mean *absolute* error: the difference is squared.",
                    "`{value}`은(는) 평균 *절대* 오차의 기울기예요. 차이를 제곱해야 해요.",
                ),
            ),
        ],
        recipes=[
            Recipe(
                "def error(w, x, y):\n    return tf.reduce_mean((w * x - y) ** 2)",
                _constant,
                finish=_slope_by_tape,
            ),
            Recipe(
                "def slope(w, x, y):\n    return np.mean(2 * (w * x - y) * x)",
                lambda w, x, y: (w, np.array(x), np.array(y)),
            ),
        ],
    )


MENDED: dict[str, Callable[[Any, Cases], Finding | None]] = {
    "slope_of_square": _mended_square,
    "slope_of_energy": _mended_energy,
    "slopes_of_a_walk": _mended_walk,
    "slope_of_wave": _mended_wave,
    "slope_of_error": _mended_error,
}


@problem(
    "1.5",
    section="When the gradient is None",
    objective=4,
    difficulty=2,
    points=5,
    cases=[
        ("slope_of_square", 4),
        ("slope_of_square", -2),
        ("slope_of_square", 7),
        ("slope_of_square", 0),
        ("slope_of_energy", 2.0),
        ("slope_of_energy", -0.5),
        ("slope_of_energy", 5.0),
        ("slopes_of_a_walk", 2.0, 3),
        ("slopes_of_a_walk", -4.0, 4),
        ("slopes_of_a_walk", 1.5, 1),
        ("slope_of_wave", 1.0),
        ("slope_of_wave", -2.0),
        ("slope_of_wave", 0.3),
        ("slope_of_error", 0.6, [1.3, 2.4, 3.1], [2.2, 5.0, 5.7]),
        ("slope_of_error", 2.7, [0.4, -1.2], [1.6, -0.8]),
    ],
    hints=[
        Text(
            "What is computed is right in all five. Only the way the tape looks on is not: type, order,"
            " name, NumPy, rounding, one fault after the other (and in one of them two).",
            "다섯 함수 모두 계산은 맞아요. 테이프가 지켜보는 방식만 잘못됐어요. 자료형, 순서, 이름, NumPy,"
            " 반올림이 차례로 문제예요 (하나에는 두 가지가 있어요).",
        ),
        Text(
            "`tf.Variable(float(n))`; `tape.watch(v)` first and all arithmetic below it; a variable is"
            " moved in place; each `np.` function has a `tf.` twin.",
            "`tf.Variable(float(n))`을 쓰고, `tape.watch(v)`를 맨 앞에 두고 계산은 모두 그 아래에 두세요."
            " 변수는 제자리에서 바꾸고, `np.` 함수에는 `tf.` 짝이 있어요.",
        ),
        Text(
            "The walk moves with `x.assign_add(1.0)`, the wave is `tf.sin(x) * x`, and the error is taken"
            " of `w * x` as it is, without `tf.round`.",
            "걸음은 `x.assign_add(1.0)`으로 옮기고, 물결은 `tf.sin(x) * x`로 쓰고, 오차는 `tf.round` 없이"
            " `w * x` 그대로 구하세요.",
        ),
    ],
    remark=Text(
        "The wave was the worst of the five: its gradient was not None but half of the truth, and"
        " nothing warns of that. A finite difference would have (problem 1.7).",
        "다섯 중 물결이 가장 위험했어요. 그래디언트가 None이 아니라 절반만 맞는 값이었고 아무 경고도 없었죠."
        " 유한 차분이라면 알려 주었을 거예요 (문제 1.7).",
    ),
)
def mended_functions(cases: Cases, *answers: Any) -> Finding | None:
    return all_of(
        *(
            (1.0, _within(name, examine(f, [each[1:] for each in cases if each[0] == name])))
            for (name, examine), f in zip(MENDED.items(), answers, strict=True)
        )
    )


def errors(parameters: dict[str, Any], x: Any, y: Any) -> Any:
    """Return the squared error of each row of ``x``, as problem 1.6 gives it; shape (n,)."""
    predictions = tf.linalg.matvec(x, parameters["w"]) + parameters["b"]
    return (predictions - y) ** 2


class Rows:
    """The inputs of problem 1.6 as arrays, with what is left over in each row."""

    def __init__(self, w: Any, b: float, x: Any, y: Any) -> None:
        self.w, self.x, self.y = np.array(w), np.array(x), np.array(y)
        self.left = self.x @ self.w + b - self.y
        self.each = 2 * self.left[:, None] * self.x
        self.n = len(self.y)


def _of_rows(give: Callable[[Rows], Any]) -> Callable[..., Any]:
    """Make a function of `Rows` a function of the inputs of problem 1.6."""
    return lambda w, b, x, y: give(Rows(w, b, x, y))


def _parameters(w: Any, b: float, x: Any, y: Any) -> tuple[Any, ...]:
    return {"w": tf.Variable(w), "b": tf.Variable(b)}, tf.constant(x), tf.constant(y)


def _arrays(*inputs: Any) -> tuple[Any, ...]:
    return tuple(map(np.array, inputs))


def _gradient_of_total(f: Any, cases: Cases) -> Finding | None:
    not_the_dict = Text(
        "The numbers are right, but they come as `{value}`. Give the dictionary itself as the sources"
        " and the gradients come back in one: `tape.gradient(..., parameters)`.",
        "숫자는 맞지만 `{value}` 형태예요. 딕셔너리를 그대로 소스로 주면 그래디언트도 딕셔너리로 나와요:"
        " `tape.gradient(..., parameters)`.",
    )
    return judge(
        f,
        cases,
        right=_of_rows(lambda r: {"w": r.each.sum(0), "b": 2 * r.left.sum()}),
        prepare=_parameters,
        tolerance=1e-3,
        mistakes=[
            Mistake(
                "mean_for_sum",
                _of_rows(lambda r: {"w": r.each.mean(0), "b": 2 * r.left.mean()}),
                Text(
                    "`{value}` belongs to the *mean* of the errors. The total is their sum, which is what a"
                    " tape differentiates anyway when a target has many entries.",
                    "`{value}`은(는) 오차의 *평균*에서 나온 값이에요. 전체는 합이고, 타깃에 값이 여러 개면"
                    " 테이프는 원래 그 합을 미분해요.",
                ),
            ),
            Mistake(
                "not_the_dict",
                _of_rows(lambda r: [r.each.sum(0), 2 * r.left.sum()]),
                not_the_dict,
                0.5,
            ),
            Mistake(
                "not_the_dict",
                _of_rows(lambda r: [2 * r.left.sum(), r.each.sum(0)]),
                not_the_dict,
                0.5,
            ),
            Mistake(
                "only_w",
                _of_rows(lambda r: r.each.sum(0)),
                Text(
                    "`{value}` is the gradient for `w` alone. Asked for is a dictionary like `parameters`,"
                    " with one for `b` too.",
                    "`{value}`은(는) `w`만의 그래디언트예요. `parameters`처럼 `b`의 것도 담긴 딕셔너리가 필요해요.",
                ),
            ),
            Mistake(
                "each_for_total",
                _of_rows(lambda r: r.each),
                Text(
                    "That is the gradient of each error, a row for each. Here their total is asked for, in a"
                    " dictionary.",
                    "오차마다의 그래디언트를 한 행씩 담은 값이에요. 여기서는 전체의 그래디언트를 딕셔너리로"
                    " 구해야 해요.",
                ),
            ),
            Mistake(
                "each_for_total",
                _of_rows(lambda r: {"w": r.each, "b": 2 * r.left}),
                Text(
                    "That is the Jacobian, the gradient of each error. A gradient has the shape of its"
                    " source: `gradient` adds the rows up for you.",
                    "오차마다의 그래디언트인 야코비 행렬이에요. 그래디언트는 소스와 모양이 같아요. `gradient`가"
                    " 행들을 더해 줘요.",
                ),
            ),
            Mistake(
                "not_squared",
                _of_rows(lambda r: {"w": r.x.sum(0), "b": float(r.n)}),
                Text(
                    "`{value}` belongs to the sum of the differences, without the square.",
                    "`{value}`은(는) 제곱하지 않은 차이의 합에서 나온 값이에요.",
                ),
            ),
            Mistake(
                "squared_the_sum",
                _of_rows(
                    lambda r: {
                        "w": 2 * r.left.sum() * r.x.sum(0),
                        "b": 2 * r.n * r.left.sum(),
                    }
                ),
                Text(
                    "`{value}` belongs to the square of the sum: square each difference first, add up then.",
                    "`{value}`은(는) 합의 제곱에서 나온 값이에요. 먼저 각각 제곱하고 그다음에 더하세요.",
                ),
            ),
            Mistake(
                "root_taken",
                _of_rows(lambda r: {"w": np.sign(r.left) @ r.x, "b": np.sign(r.left).sum()}),
                Text(
                    "`{value}` belongs to the sum of the *absolute* differences, the roots of the errors.",
                    "`{value}`은(는) 오차의 제곱근인 *절대* 차이의 합에서 나온 값이에요.",
                ),
            ),
            Mistake(
                "error_squared_again",
                _of_rows(
                    lambda r: {
                        "w": (2 * r.left[:, None] ** 2 * r.each).sum(0),
                        "b": 4 * (r.left**3).sum(),
                    }
                ),
                Text(
                    "`{value}` belongs to the fourth power: `errors` has squared the differences already.",
                    "`{value}`은(는) 네제곱에서 나온 값이에요. `errors`가 이미 차이를 제곱했어요.",
                ),
            ),
            Mistake(
                "one_row_only",
                _of_rows(lambda r: {"w": r.each[0], "b": 2 * r.left[0]}),
                Text(
                    "`{value}` comes from the first error alone.",
                    "`{value}`은(는) 첫째 오차 하나에서만 나온 값이에요.",
                ),
            ),
            Mistake(
                "one_row_only",
                _of_rows(lambda r: {"w": r.each[-1], "b": 2 * r.left[-1]}),
                Text(
                    "`{value}` comes from the last error alone: in the loop each one replaced that before.",
                    "`{value}`은(는) 마지막 오차 하나에서만 나온 값이에요. 반복문에서 앞의 것이 계속 덮어써졌어요.",
                ),
            ),
            Mistake(
                "the_errors",
                _of_rows(lambda r: r.left**2),
                Text(
                    "`{value}` are the errors themselves, not their gradient.",
                    "`{value}`은(는) 그래디언트가 아니라 오차 값 자체예요.",
                ),
            ),
            Mistake(
                "the_errors",
                _of_rows(lambda r: (r.left**2).sum()),
                Text(
                    "`{value}` is the total error itself, not its gradient.",
                    "`{value}`은(는) 그래디언트가 아니라 전체 오차 값 자체예요.",
                ),
            ),
            Mistake(
                "after_a_step",
                lambda w, b, x, y: {
                    "w": np.array(w) - (r := Rows(w, b, x, y)).each.sum(0),
                    "b": b - 2 * r.left.sum(),
                },
                Text(
                    "`{value}` are the parameters after a step downhill. Only the gradient is asked for.",
                    "`{value}`은(는) 한 걸음 내려간 뒤의 매개변수예요. 그래디언트만 필요해요.",
                ),
            ),
        ],
        recipes=[
            Recipe(
                """
def gradient_of_total(w, b, x, y):
    predictions = x @ w + b
    left = predictions - y
    each = 2 * left[:, None] * x
    return {"w": each.sum(axis=0), "b": 2 * left.sum()}
""",
                _arrays,
            ),
        ],
    )


def _gradient_of_each(f: Any, cases: Cases) -> Finding | None:
    total = Text(
        "`{value}` is the gradient of the *sum* of all errors: the tape adds up a target with many"
        " entries. Ask about one error at a time.",
        "`{value}`은(는) 모든 오차의 *합*의 그래디언트예요. 타깃에 값이 여러 개면 테이프가 더해 버려요."
        " 오차 하나씩 물어보세요.",
    )
    with_b = Text(
        "The numbers for `w` are right, and those for `b` are in your answer too. Only the rows for `w`"
        " are asked for.",
        "`w`의 숫자는 맞는데 `b`의 것도 함께 들어 있어요. `w`에 대한 행들만 필요해요.",
    )
    return judge(
        f,
        cases,
        right=_of_rows(lambda r: r.each),
        prepare=_parameters,
        tolerance=1e-3,
        mistakes=[
            Mistake("summed", _of_rows(lambda r: r.each.sum(0)), total),
            Mistake("summed", _of_rows(lambda r: [r.each.sum(0)] * r.n), total),
            Mistake(
                "summed", _of_rows(lambda r: {"w": r.each.sum(0), "b": 2 * r.left.sum()}), total
            ),
            Mistake("with_b", _of_rows(lambda r: {"w": r.each, "b": 2 * r.left}), with_b, 0.5),
            Mistake("with_b", _of_rows(lambda r: [r.each, 2 * r.left]), with_b, 0.5),
            Mistake(
                "with_b",
                _of_rows(
                    lambda r: [
                        {"w": row, "b": 2 * left} for row, left in zip(r.each, r.left, strict=True)
                    ]
                ),
                with_b,
                0.5,
            ),
            Mistake(
                "square_left_out",
                _of_rows(lambda r: np.sign(r.left)[:, None] * r.x),
                Text(
                    "These are the slopes of the errors' sizes, |prediction - y|: they are not squared any"
                    " more. Differentiate what `errors` gives, as it is.",
                    "오차의 크기 |예측 - y|의 기울기예요. 제곱이 빠졌어요. `errors`가 준 값을 그대로 미분하세요.",
                ),
            ),
            Mistake(
                "divided_by_n",
                _of_rows(lambda r: r.each / r.n),
                Text(
                    "Each row is divided by the number of rows: these are the slopes of the mean's parts. No"
                    " mean is asked for.",
                    "각 행이 행의 개수로 나뉘어 있어요. 평균의 그래디언트예요. 평균은 필요 없어요.",
                ),
            ),
            Mistake(
                "gradient_for_x",
                _of_rows(lambda r: 2 * r.left[:, None] * r.w),
                Text(
                    "`{value}` has the right shape but is the gradient with respect to the *inputs* `x`. The"
                    " source is `w`.",
                    "`{value}`은(는) 모양은 맞지만 *입력* `x`에 대한 그래디언트예요. 소스는 `w`예요.",
                ),
            ),
            Mistake(
                "gradient_for_b",
                _of_rows(lambda r: 2 * r.left),
                Text(
                    "`{value}` is one number for each error: the gradient with respect to `b`. The source is"
                    " `w`.",
                    "`{value}`은(는) 오차마다 숫자 하나, 즉 `b`에 대한 그래디언트예요. 소스는 `w`예요.",
                ),
            ),
            Mistake(
                "not_squared",
                _of_rows(lambda r: r.x),
                Text(
                    "`{value}` is `x` again: the slope of each difference without its square.",
                    "`{value}`은(는) `x`와 같아요. 제곱하지 않은 차이의 기울기예요.",
                ),
            ),
            Mistake(
                "running_total",
                _of_rows(lambda r: np.cumsum(r.each, 0)),
                Text(
                    "Only the first row is right; each further one holds those before it too. Something is"
                    " added up from round to round.",
                    "첫째 행만 맞고, 다음 행마다 앞의 행들이 더해져 있어요. 반복하면서 무언가가 쌓이고 있어요.",
                ),
            ),
            Mistake(
                "one_row_only",
                _of_rows(lambda r: r.each[0]),
                Text(
                    "`{value}` is the first row alone: is the `return` inside the loop?",
                    "`{value}`은(는) 첫째 행뿐이에요. `return`이 반복문 안에 있지 않나요?",
                ),
            ),
            Mistake(
                "one_row_only",
                _of_rows(lambda r: r.each[-1]),
                Text(
                    "`{value}` is the last row alone: each round replaces the one before. Collect them in a"
                    " list.",
                    "`{value}`은(는) 마지막 행뿐이에요. 반복할 때마다 앞의 것을 덮어써요. 리스트에 모으세요.",
                ),
            ),
            Mistake(
                "one_row_only",
                _of_rows(lambda r: [r.each[-1]] * r.n),
                Text(
                    "All rows are the last one: the gradients are taken after the loop, when the name stands"
                    " for the last error.",
                    "모든 행이 마지막 행과 같아요. 반복이 끝난 뒤, 이름이 마지막 오차를 가리킬 때 그래디언트를"
                    " 구했어요.",
                ),
            ),
            Mistake(
                "one_row_only",
                _of_rows(lambda r: [r.each[0]] * r.n),
                Text(
                    "All rows are the first one: use the loop's number as the index.",
                    "모든 행이 첫째 행과 같아요. 반복 변수를 인덱스로 쓰세요.",
                ),
            ),
            Mistake(
                "the_errors",
                _of_rows(lambda r: r.left**2),
                Text(
                    "`{value}` are the errors themselves, not their gradients.",
                    "`{value}`은(는) 그래디언트가 아니라 오차 값 자체예요.",
                ),
            ),
            Mistake(
                "averaged",
                _of_rows(lambda r: r.each.mean(0)),
                Text(
                    "`{value}` is the mean of the rows. Each row by itself is asked for.",
                    "`{value}`은(는) 행들의 평균이에요. 행 하나하나가 필요해요.",
                ),
            ),
            Mistake(
                "absolute",
                _of_rows(lambda r: np.abs(r.each)),
                Text(
                    "The sizes are right and the signs are gone: a slope may be negative.",
                    "크기는 맞지만 부호가 사라졌어요. 기울기는 음수일 수 있어요.",
                ),
            ),
            Mistake(
                "rows_added_up",
                _of_rows(lambda r: r.each.sum(1)),
                Text(
                    "Each row of two numbers was added up into one. The rows themselves are asked for, shape"
                    " (n, 2).",
                    "두 숫자로 된 행을 하나로 더했어요. 모양이 (n, 2)인 행 자체가 필요해요.",
                ),
            ),
            Mistake(
                "lengths",
                _of_rows(lambda r: np.linalg.norm(r.each, axis=1)),
                Text(
                    "`{value}` are the lengths of the rows. The rows themselves are asked for.",
                    "`{value}`은(는) 행들의 길이예요. 행 자체가 필요해요.",
                ),
            ),
        ],
        recipes=[
            Recipe(
                """
def gradient_of_each(w, b, x, y):
    predictions = x @ w + b
    left = predictions - y
    return 2 * left[:, None] * x
""",
                _arrays,
            ),
        ],
    )


@problem(
    "1.6",
    section="Several targets give the gradient of their sum",
    objective=3,
    difficulty=2,
    points=4,
    cases=[
        (
            [1.0, -1.0],
            0.5,
            [[1.0, 2.0], [3.0, -1.0], [0.5, 1.0]],
            [0.0, 4.0, 7.0],
        ),
        (
            [0.2, 0.7],
            -1.0,
            [[2.0, 1.0], [-1.0, 0.5], [1.0, 3.0], [4.0, -2.0]],
            [1.0, 0.5, -2.0, 0.25],
        ),
        ([1.5, 0.5], 0.2, [[0.5, -2.0]], [1.0]),
        ([-0.5, 1.0], 0.0, [[1.0, 2.0], [3.0, -1.5]], [0.5, 2.0]),
    ],
    hints=[
        Text(
            "A tape adds up a target with many entries. For the total that is just what you want; for the"
            " rows it is what you have to prevent.",
            "타깃에 값이 여러 개면 테이프가 더해요. 전체를 구할 때는 바로 그것이 필요하고, 행마다 구할 때는"
            " 막아야 해요.",
        ),
        Text(
            "Sources may be a dictionary: `tape.gradient(..., parameters)`. For the rows let the target be"
            " one error, and go through all of them.",
            "소스는 딕셔너리여도 돼요: `tape.gradient(..., parameters)`. 행마다 구할 때는 오차 하나를 타깃으로"
            " 두고 모두 차례로 구하세요.",
        ),
        Text(
            "In a loop over `range(len(y))`, a tape of its own for each row: the target is"
            ' `errors(parameters, x, y)[i]`, taken inside the block, the source is `parameters["w"]`.',
            "`range(len(y))`로 반복하면서 행마다 새 테이프를 쓰세요. 타깃은 블록 안에서 꺼낸"
            ' `errors(parameters, x, y)[i]`, 소스는 `parameters["w"]`예요.',
        ),
    ],
    remark=Text(
        "Add up the rows and you have the total again. And look for the longest row: it belongs to the"
        " example that pulls hardest on the model, often a mislabelled one. Lesson 3 has a call that"
        " gives all rows at once: `tape.jacobian`.",
        "행들을 더하면 다시 전체가 돼요. 가장 긴 행도 찾아보세요. 모델을 가장 세게 끌어당기는 예제인데, 레이블이"
        " 잘못된 경우가 많아요. 3과의 `tape.jacobian`은 모든 행을 한 번에 구해요.",
    ),
)
def total_and_each(cases: Cases, of_total: Any, of_each: Any) -> Finding | None:
    return all_of(
        (1, _within("gradient_of_total", _gradient_of_total(of_total, cases))),
        (3, _within("gradient_of_each", _gradient_of_each(of_each, cases))),
    )


def hills(x: Array) -> float:
    """A function of three numbers, in plain NumPy."""
    return float(x[0] ** 2 * x[1] + np.sin(x[2]))


def slopes_of_hills(x: Array) -> Array:
    """The gradient of `hills`."""
    return np.array([2 * x[0] * x[1], x[0] ** 2, np.cos(x[2])])


def ripple(x: Array) -> float:
    """A function with a sharp bend, in plain NumPy."""
    return float(np.exp(x[0]) + np.cos(5 * x[1]))


def slopes_of_ripple(x: Array) -> Array:
    """The gradient of `ripple`."""
    return np.array([np.exp(x[0]), -5 * np.sin(5 * x[1])])


def bowl(x: Array) -> float:
    """Half the squared length plus a product of neighbours, in plain NumPy."""
    return float(np.sum(x**2) / 2 + x[0] * x[1])


def slopes_of_bowl(x: Array) -> Array:
    """The gradient of `bowl`."""
    mixed = np.zeros_like(x)
    mixed[0], mixed[1] = x[1], x[0]
    return x + mixed


def power_rule_slip(x: Array) -> Array:
    """The gradient of `hills` as somebody wrote it."""
    return np.array([2 * x[0] * x[1], 2 * x[0], np.cos(x[2])])


def signs_slip(x: Array) -> Array:
    """The gradient of `bowl` of four numbers as somebody wrote it."""
    return np.array([-x[0] - x[1], x[0] + x[1], -x[2], x[3]])


def plane(x: Array) -> float:
    """A function without a bend, so that a step of any width measures its slopes."""
    return float(x @ slopes_of_plane(x))


def slopes_of_plane(x: Array) -> Array:
    """The gradient of `plane`."""
    return np.array([0.7, -1.3, 0.1])


UNNAMED = ("shape", "other_places", "some_cases", "other", "constant")
"""Findings that say nothing about why places are wrong."""


def squares(x: Array) -> float:
    """The sum of the squares, in plain NumPy."""
    return float(np.sum(x**2))


def slopes_of_squares(x: Array) -> Array:
    """The gradient of the sum of the squares."""
    return 2 * x


def five_slips(x: Array) -> Array:
    """The gradient of the sum of the squares with a slip in each of its first five entries."""
    return np.array([4 * x[0], -2 * x[1], np.sum(2 * x), x[3], 0.0, 2 * x[5]])


def small_and_large_slips(x: Array) -> Array:
    """The gradient of the sum of the squares, off by a half, 0.005, 0.05, -0.005 and -0.02."""
    return 2 * x + np.array([0.5, 0.005, 0.05, -0.005, -0.02])


def _measured(h: float, back: float, limit: float = 0.01) -> Callable[..., list[int]]:
    """Find wrong entries with a step of ``h`` up and ``back`` times that down, as a learner does."""

    def places(f: Any, written: Any, x: Any, exact: Any) -> list[int]:
        at, found = np.array(x), []
        for i in range(len(at)):
            up, down = at.copy(), at.copy()
            up[i] += h
            down[i] -= back * h
            with np.errstate(all="ignore"):
                slope = (f(up) - f(down)) / ((1 + back) * h)
            if abs(slope - written(at)[i]) > limit:
                found.append(i)
        return found

    return places


def _off(f: Any, written: Any, x: Any, exact: Any) -> Array:
    """Return by how much each entry of a written gradient is too large."""
    at = np.array(x)
    return np.asarray(written(at) - exact(at))


def _places(yes: Callable[..., Any]) -> Callable[..., list[int]]:
    """Make a test of the written and the exact gradient a list of places where it holds."""
    return lambda f, written, x, exact: [
        i for i, each in enumerate(yes(written(np.array(x)), exact(np.array(x)))) if each
    ]


@problem(
    "1.7",
    section="One number three ways",
    objective=5,
    difficulty=3,
    points=5,
    cases=[
        (hills, power_rule_slip, [1.5, -0.5, 0.3], slopes_of_hills),
        (ripple, slopes_of_ripple, [0.5, 0.6], slopes_of_ripple),
        (bowl, signs_slip, [1.0, 2.0, -1.5, 0.75], slopes_of_bowl),
        (bowl, slopes_of_hills, [2.0, -1.0, 1.0], slopes_of_bowl),
        (squares, five_slips, [1.0, -0.5, 2.0, 0.8, -1.5, 0.7], slopes_of_squares),
        (squares, small_and_large_slips, [50.0, 0.001, -1.0, 0.0, 30.0], slopes_of_squares),
        (plane, slopes_of_plane, [0.3, 1.7, -0.9], slopes_of_plane),
    ],
    hints=[
        Text(
            "`f` is plain NumPy, so no tape can help. Nudge one entry of `x` at a time, and see how much"
            " `f` moves.",
            "`f`는 NumPy 함수라 테이프가 도와줄 수 없어요. `x`의 값을 하나씩 살짝 움직이고 `f`가 얼마나 변하는지"
            " 보세요.",
        ),
        Text(
            "For place i make two copies of `x`, one a little up, one a little down there. The slope is the"
            " difference of the two values divided by 2h; with float64 h = 1e-5 is good.",
            "i번째 자리마다 `x`의 복사본 두 개를 만들어 하나는 조금 위로, 하나는 조금 아래로 움직이세요. 두 값의 차를"
            " 2h로 나눈 것이 기울기예요. float64에서는 h = 1e-5가 좋아요.",
        ),
        Text(
            "Collect i where `abs(slope - df(x)[i]) > 0.01`. The `abs` matters, and so does `x.copy()`.",
            "`abs(slope - df(x)[i]) > 0.01`인 i를 모으세요. `abs`도, `x.copy()`도 중요해요.",
        ),
    ],
    remark=Text(
        "You have built a gradient checker. Every library with hand-written gradients, TensorFlow among"
        " them, tests its rules like this.",
        "그래디언트 검사기를 직접 만들었어요. TensorFlow처럼 그래디언트를 손으로 쓴 라이브러리는 모두 규칙을"
        " 이렇게 시험해요.",
    ),
)
def wrong_entries(cases: Cases, answer: Any) -> Finding | None:
    given: list[tuple[Array, list[float]]] = []
    found: list[tuple[Any, list[int]]] = []
    saw_tensors: list[str] = []

    def prepare(f: Any, written: Any, x: Any, exact: Any) -> tuple[Any, ...]:
        @functools.wraps(f, updated=())
        def watched(value: Any) -> Any:
            if tf.is_tensor(value) or isinstance(value, tf.Variable):
                saw_tensors.append(f.__name__)
            return f(value)

        given.append((np.array(x), x))
        return watched, written, given[-1][0]

    def accept(value: Any, inputs: tuple[Any, ...]) -> bool:
        found.append((value, right(*inputs)))
        return _same_places(*found[-1])

    right = _places(lambda written, exact: np.abs(written - exact) > 0.01)
    the_bools = Text(
        "`{value}` says True or False for each entry. Asked for are the places that are wrong, such as"
        " `{expected}`.",
        "`{value}`은(는) 값마다 True나 False를 말해요. 필요한 것은 `{expected}`처럼 틀린 자리의 번호예요.",
    )
    to_the_last_digit = Text(
        "`{value}` is what comes out when the two numbers have to be equal: a measured slope is never exact"
        " to the last digit. Allow for 0.01: `abs(slope - df(x)[i]) > 0.01`.",
        "`{value}`은(는) 두 수가 똑같아야 한다고 할 때 나오는 답이에요. 측정한 기울기는 마지막 자리까지 정확할 수 없어요."
        " `abs(slope - df(x)[i]) > 0.01`처럼 0.01까지는 허용하세요.",
    )
    not_divided = Text(
        "`{value}`: this looks like a difference that is not divided by the whole distance between the"
        " two points, which is 2h for one step up and one down.",
        "`{value}`: 차이를 두 점 사이의 거리로 제대로 나누지 않은 것 같아요. 위아래로 한 걸음씩이면 거리는 2h예요.",
    )
    finding = judge(
        answer,
        cases,
        right=right,
        prepare=prepare,
        accept=accept,
        mistakes=[
            Mistake(
                "right_for_wrong",
                _places(lambda written, exact: np.abs(written - exact) <= 0.01),
                Text(
                    "`{value}` are the entries that are *right*. Turn the comparison round.",
                    "`{value}`은(는) *맞는* 값들의 자리예요. 비교를 뒤집으세요.",
                ),
            ),
            Mistake(
                "from_one",
                lambda *inputs: [i + 1 for i in right(*inputs)],
                Text(
                    "`{value}` counts from 1. Python counts places from 0.",
                    "`{value}`은(는) 1부터 센 번호예요. 파이썬은 자리를 0부터 세요.",
                ),
            ),
            *(
                Mistake(
                    "other_limit",
                    _places(lambda written, exact, limit=limit: np.abs(written - exact) > limit),
                    Text(
                        "`{value}` is right for another limit, "
                        f"{limit:g}: an entry is wrong when it is off by more than 0.01, and"
                        " `{expected}` are.",
                        "`{value}`은(는) "
                        f"{limit:g}을(를) 한계로 쓸 때의 답이에요. 0.01보다 많이 벗어난 것만 틀린 것이고,"
                        " 그것은 `{expected}`예요.",
                    ),
                    0.5,
                )
                for limit in (0.1, 0.05, 0.001, 0.003, 1.0, 0.3, 0.015, 0.03)
            ),
            *(
                Mistake(
                    "relative_error",
                    _places(relative),
                    Text(
                        "`{value}` measures the difference as a share of the slope. Off by more than 0.01"
                        " is meant as it stands: compare `abs(slope - df(x)[i])` itself, and `{expected}`"
                        " comes out.",
                        "`{value}`은(는) 차이를 기울기에 대한 비율로 쟀어요. 0.01은 차이 자체의 한계예요."
                        " `abs(slope - df(x)[i])` 자체를 비교하면 `{expected}`이(가) 나와요.",
                    ),
                    0.5,
                )
                for relative in (
                    lambda written, exact: np.abs(written - exact) > 0.01 * np.abs(exact),
                    lambda written, exact: np.abs(written - exact) > 0.01 * np.abs(written),
                    lambda written, exact: (
                        np.abs(written - exact) > 0.01 * (np.abs(written) + np.abs(exact))
                    ),
                    lambda written, exact: (
                        np.abs(written - exact) > 0.01 * np.maximum(np.abs(written), np.abs(exact))
                    ),
                    lambda written, exact: np.abs(written - exact) > 0.01 + 0.01 * np.abs(exact),
                    lambda written, exact: np.abs(written - exact) > 0.01 + 1e-5 * np.abs(written),
                )
            ),
            Mistake(
                "only_too_large",
                _places(lambda written, exact: written - exact > 0.01),
                Text(
                    "`{value}` misses the entries that are too small: the difference may be negative, so"
                    " compare its absolute value.",
                    "`{value}`에는 너무 작은 값들이 빠졌어요. 차이는 음수일 수 있으니 절댓값을 비교하세요.",
                ),
            ),
            Mistake(
                "only_too_small",
                _places(lambda written, exact: exact - written > 0.01),
                Text(
                    "`{value}` misses the entries that are too large: the difference may be negative, so"
                    " compare its absolute value.",
                    "`{value}`에는 너무 큰 값들이 빠졌어요. 차이는 음수일 수 있으니 절댓값을 비교하세요.",
                ),
            ),
            Mistake(
                "sign_ignored",
                _places(lambda written, exact: np.abs(np.abs(written) - np.abs(exact)) > 0.01),
                Text(
                    "`{value}` misses entries whose sign is wrong: take the absolute value of the"
                    " difference, not of the two slopes.",
                    "`{value}`에는 부호가 틀린 값들이 빠졌어요. 두 기울기가 아니라 차이의 절댓값을 구하세요.",
                ),
            ),
            Mistake(
                "down_minus_up",
                _places(lambda written, exact: np.abs(written + exact) > 0.01),
                Text(
                    "`{value}`: your measured slopes have the wrong sign, as if the lower value came first."
                    " It is f(x + h) - f(x - h).",
                    "`{value}`: 잰 기울기의 부호가 반대예요. 아래쪽 값에서 위쪽 값을 뺀 것 같아요."
                    " f(x + h) - f(x - h)예요.",
                ),
            ),
            Mistake(
                "all_nudged_together",
                _places(lambda written, exact: np.abs(written - exact.sum()) > 0.01),
                Text(
                    "`{value}`: it looks as if all entries of `x` were nudged at once, `x + h`. That measures"
                    " the sum of the slopes; nudge one entry at a time.",
                    "`{value}`: `x + h`처럼 `x`의 모든 값을 한꺼번에 움직인 것 같아요. 그러면 기울기의 합을 재게"
                    " 돼요. 값을 하나씩 움직이세요.",
                ),
            ),
            Mistake(
                "not_divided",
                _places(lambda written, exact: np.abs(written - 2 * exact) > 0.01),
                not_divided,
            ),
            Mistake(
                "not_divided",
                _places(lambda written, exact: np.abs(written - exact / 2) > 0.01),
                not_divided,
            ),
            Mistake(
                "measured_nothing",
                _places(lambda written, exact: np.abs(written) > 0.01),
                Text(
                    "`{value}`: your measured slopes are all about 0. Either the difference is not divided by"
                    " 2h, or up and down are one and the same array: `up = x` makes no copy, `x.copy()` does.",
                    "`{value}`: 잰 기울기가 모두 거의 0이에요. 차이를 2h로 나누지 않았거나 위아래가 같은 배열이에요."
                    " `up = x`는 복사본을 만들지 않아요. `x.copy()`를 쓰세요.",
                ),
            ),
            Mistake(
                "nudges_stay",
                _places(lambda written, exact: np.abs(written - np.cumsum(exact)) > 0.01),
                Text(
                    "`{value}`: the nudge of one entry is still there when the next one is measured. Begin"
                    " with a fresh copy for each entry.",
                    "`{value}`: 앞의 값을 움직인 것이 다음 값을 잴 때도 남아 있어요. 값마다 새 복사본으로"
                    " 시작하세요.",
                ),
            ),
            *(
                Mistake(
                    "entries_for_places",
                    lambda f, written, x, exact, of=of: [
                        of(written, x)[i] for i in right(f, written, x, exact)
                    ],
                    Text(
                        "`{value}` holds the numbers themselves. Asked for are their places, `{expected}`.",
                        "`{value}`에는 숫자 자체가 들어 있어요. 필요한 것은 그 자리 `{expected}`예요.",
                    ),
                )
                for of in (lambda written, x: x, lambda written, x: written(np.array(x)))
            ),
            *(
                Mistake(
                    "nested",
                    lambda *inputs, nest=nest: nest(np.array(right(*inputs), int)),
                    Text(
                        "The places are right, but nested one level too deep, as `np.where` and `np.argwhere`"
                        " give them. `np.flatnonzero` gives a flat list.",
                        "자리는 맞지만 `np.where`나 `np.argwhere`의 결과처럼 한 겹 더 싸여 있어요."
                        " `np.flatnonzero`를 쓰면 평평해요.",
                    ),
                    0.6,
                )
                for nest in (lambda places: [places], lambda places: places[:, None])
            ),
            Mistake(
                "backwards",
                lambda *inputs: right(*inputs)[::-1],
                Text(
                    "The places are right. Give them in order, the smallest first.",
                    "자리는 맞아요. 작은 것부터 순서대로 돌려주세요.",
                ),
                0.6,
            ),
            Mistake(
                "the_differences",
                _off,
                Text(
                    "`{value}` are the differences themselves. Asked for are the places where they are larger"
                    " than 0.01.",
                    "`{value}`은(는) 차이 자체예요. 차이가 0.01보다 큰 자리의 번호가 필요해요.",
                ),
            ),
            Mistake(
                "the_differences",
                lambda *inputs: -_off(*inputs),
                Text(
                    "`{value}` are the differences themselves. Asked for are the places where they are larger"
                    " than 0.01.",
                    "`{value}`은(는) 차이 자체예요. 차이가 0.01보다 큰 자리의 번호가 필요해요.",
                ),
            ),
            Mistake(
                "the_differences",
                lambda *inputs: np.abs(_off(*inputs)),
                Text(
                    "`{value}` are the differences themselves. Asked for are the places where they are larger"
                    " than 0.01.",
                    "`{value}`은(는) 차이 자체예요. 차이가 0.01보다 큰 자리의 번호가 필요해요.",
                ),
            ),
            Mistake(
                "the_slopes",
                lambda f, written, x, exact: exact(np.array(x)),
                Text(
                    "`{value}` are the slopes, and they are measured well. Now compare them with `df(x)` and"
                    " give the places where the two differ.",
                    "`{value}`은(는) 기울기이고 잘 쟀어요. 이제 `df(x)`와 비교해서 서로 다른 자리의 번호를"
                    " 돌려주세요.",
                ),
            ),
            Mistake(
                "the_bools",
                lambda *inputs: np.abs(_off(*inputs)) > 0.01,
                the_bools,
            ),
            Mistake(
                "the_bools",
                lambda *inputs: (np.abs(_off(*inputs)) > 0.01).tolist(),
                the_bools,
            ),
            Mistake(
                "how_many",
                lambda *inputs: len(right(*inputs)),
                Text(
                    "`{value}` is how many entries are wrong. Which ones? A list of places is asked for.",
                    "`{value}`은(는) 틀린 값의 개수예요. 어느 것이 틀렸나요? 자리 번호의 리스트가 필요해요.",
                ),
            ),
            Mistake(
                "first_only",
                lambda *inputs: right(*inputs)[0],
                Text(
                    "`{value}` is one place. Give a list of all that are wrong, also when it is only one.",
                    "`{value}`은(는) 자리 하나예요. 하나뿐이더라도 틀린 자리 모두를 리스트로 돌려주세요.",
                ),
            ),
            Mistake(
                "first_only",
                lambda *inputs: right(*inputs)[:1],
                Text(
                    "`{value}` stops at the first wrong entry: is the `return` inside the loop?",
                    "`{value}`은(는) 처음 틀린 값에서 멈췄어요. `return`이 반복문 안에 있지 않나요?",
                ),
            ),
            Mistake(
                "worst_only",
                lambda *inputs: int(np.argmax(np.abs(_off(*inputs)))),
                Text(
                    "`{value}` is the entry that is off by most. Give a list of *all* that are off by more"
                    " than 0.01; it may be empty.",
                    "`{value}`은(는) 가장 많이 틀린 값의 자리예요. 0.01보다 많이 틀린 자리를 *모두* 리스트로"
                    " 돌려주세요. 비어 있을 수도 있어요.",
                ),
            ),
            Mistake(
                "yes_or_no",
                lambda *inputs: bool(right(*inputs)),
                Text(
                    "Whether something is wrong is only half of the answer: give the places, as a list.",
                    "틀린 것이 있는지는 답의 절반이에요. 자리 번호를 리스트로 돌려주세요.",
                ),
            ),
            Mistake(
                "yes_or_no",
                lambda *inputs: not right(*inputs),
                Text(
                    "Whether all is right is only half of the answer: give the places that are wrong, as a"
                    " list.",
                    "모두 맞는지는 답의 절반이에요. 틀린 자리 번호를 리스트로 돌려주세요.",
                ),
            ),
            Mistake(
                "none_for_empty",
                lambda *inputs: None if not right(*inputs) else right(*inputs),
                Text(
                    "Where nothing is wrong you give None. Give an empty list, `[]`: then the answer is"
                    " always of the same kind.",
                    "틀린 것이 없을 때 None을 돌려줘요. 답의 형태가 늘 같도록 빈 리스트 `[]`를 돌려주세요.",
                ),
            ),
            *(
                Mistake("not_to_the_last_digit", _measured(h, back, 0.0), to_the_last_digit)
                for h in (1e-4, 1e-5, 1e-6, 1e-3, 1e-7, 1e-8)
                for back in (1.0, 0.0)
            ),
            *(
                Mistake(
                    "step_too_wide",
                    _measured(h, back),
                    Text(
                        f"`{{value}}` is what a wide step, such as {h:g}, finds{' to one side' if not back else ''}: over so"
                        " wide a step the curve bends, and right entries are accused or wrong ones missed. Take"
                        " a step of about 1e-5, up and down.",
                        f"`{{value}}`은(는) 간격이 {h:g} 같은 넓은 값일 때의 답이에요. 간격이 넓으면 곡선이 휘어서 맞는 값을 틀렸다고 하거나 틀린"
                        " 값을 놓쳐요. 위아래로 1e-5쯤 움직이세요.",
                    ),
                    0.5,
                )
                for h in (1.0, 0.5, 0.1, 0.05, 0.01)
                for back in (0.0, 1.0)
            ),
            *(
                Mistake(
                    "step_too_narrow",
                    _measured(h, back),
                    Text(
                        f"`{{value}}` is what a step of {h:g} finds: so close together the two values differ by"
                        " rounding alone, for a float64 has 16 digits. Take a step of about 1e-5.",
                        f"`{{value}}`은(는) 간격이 {h:g}일 때의 답이에요. 그렇게 가까우면 float64의 16자리에서는 반올림 차이만 남아요."
                        " 1e-5쯤 움직이세요.",
                    ),
                    0.5,
                )
                for h in (1e-12, 1e-13, 1e-14, 1e-15, 1e-16, 1e-20)
                for back in (0.0, 1.0)
            ),
            Mistake(
                "always_empty",
                lambda *inputs: [],
                Text(
                    "`[]` comes out, although something is wrong: are the measured slopes compared with"
                    " `df(x)`, and by how much may they differ?",
                    "틀린 것이 있는데도 `[]`가 나와요. 잰 기울기를 `df(x)`와 비교하나요? 얼마까지 달라도 되나요?",
                ),
            ),
        ],
    )
    if finding is not None and saw_tensors:
        return NO_TAPE_FOLLOWS
    if finding is not None and finding.name in UNNAMED:
        return _false_or_missed(found) or finding
    if finding is None and any(np.abs(x - before).max() > 1e-9 for x, before in given):
        return Finding(
            "x_changed",
            Text(
                "The places are right, but `x` is not what it was: your function has nudged the caller's own"
                " array. Nudge a copy, `x.copy()`.",
                "자리는 맞지만 `x`가 달라졌어요. 함수가 호출한 쪽의 배열을 직접 움직였어요. `x.copy()`로 만든"
                " 복사본을 움직이세요.",
            ),
            0.6,
        )
    return finding


NO_TAPE_FOLLOWS = Finding(
    "no_tape_follows",
    Text(
        "You gave `f` a TensorFlow value. But `f` computes in plain NumPy, where no tape can follow:"
        " nudge the numbers of `x` and measure instead.",
        "`f`에 TensorFlow 값을 넣었어요. 하지만 `f`는 NumPy로 계산해서 테이프가 따라갈 수 없어요. 대신 `x`의"
        " 숫자를 살짝 움직여 재 보세요.",
    ),
)


def _false_or_missed(found: list[tuple[Any, list[int]]]) -> Finding | None:
    """Say whether an answer to problem 1.7 names places too many or too few."""
    wrong = [(value, places) for value, places in found if not _same_places(value, places)]
    sets = [(_as_set(value), set(places)) for value, places in wrong]
    if any(mine is None for mine, _ in sets):
        return None
    value, places = wrong[0]
    if all(mine > theirs for mine, theirs in sets if mine is not None):
        return Finding(
            "false_alarm",
            Text(
                f"`{show(value)}` accuses entries that are right; only `{places}` is off. Is each entry"
                " compared with a measured slope, and not by `==`? Too wide a step measures the bend of the curve, too narrow a one (or float32) only noise, and 0.01 is"
                " the limit for the difference itself.",
                f"`{show(value)}`에는 맞는 값도 들어 있어요. 틀린 것은 `{places}`뿐이에요. 값마다 잰 기울기와"
                " 비교하나요? `==`를 쓰지는 않았나요? 간격이 너무 넓으면"
                " 곡선의 휨을, 너무 좁으면(또는 float32면) 잡음을 재게 돼요. 한계 0.01은 차이 자체에 대한 거예요.",
            ),
        )
    if all(mine < theirs for mine, theirs in sets if mine is not None):
        return Finding(
            "missed",
            Text(
                f"`{show(value)}` misses some: `{places}` are off. Is the limit 0.01, for the difference"
                " itself, and does the loop reach every entry?",
                f"`{show(value)}`에는 빠진 것이 있어요. 틀린 것은 `{places}`예요. 한계가 차이 자체에 대해 0.01인가요?"
                " 반복문이 모든 값을 다 보나요?",
            ),
        )
    return None


def _as_set(value: Any) -> set[int] | None:
    """Return places as a set, or None where they are not a flat list of numbers."""
    if isinstance(value, set | frozenset):
        value = list(value)
    found = numbers(value)
    return set(found.astype(int).tolist()) if found is not None and found.ndim == 1 else None


def _same_places(value: Any, places: list[int]) -> bool:
    """Tell whether a list, tuple, set or array holds these places, in order unless it is a set."""
    if isinstance(value, set | frozenset):
        value = sorted(value)
    if isinstance(value, list | tuple) or np.ndim(value) == 1:
        found = numbers(value)
        return found is not None and agree(found, np.array(places, float))
    return False
