"""The problems of lesson 3, higher-order gradients."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from utils.problems.answers import NOT_ATTEMPTED, not_a_function, run, unattempted
from utils.problems.judging import Mistake, judge
from utils.problems.looking import gradients_of, largest_tensor
from utils.problems.missing_gradients import why_none
from utils.problems.problem import Cases, Finding, problem
from utils.problems.text import Text
from utils.problems.values import agree, numbers, plain, show
from utils.problems.variations import Recipe

Array = NDArray[np.float64]


@problem(
    "3.1",
    section="A tape can record another tape at work",
    objective=1,
    difficulty=1,
    points=2,
    cases=[(0.2,), (1.0,), (-0.7,)],
    hints=[
        Text(
            "Velocity is the derivative of the position, acceleration that of the velocity. The"
            " second one needs a tape that is still recording while the first one is computed.",
            "속도는 위치의 도함수이고, 가속도는 속도의 도함수예요. 가속도를 구하려면 속도를 계산하는 동안에도"
            " 기록하고 있는 테이프가 필요해요.",
        ),
        Text(
            "Two `with` blocks, one inside the other. `t` is a constant: each of the two tapes has"
            " to watch it.",
            "`with` 블록 두 개를 겹쳐 쓰세요. `t`는 상수이므로 두 테이프 모두 `watch`가 필요해요.",
        ),
        Text(
            "The line `velocity = tape.gradient(x, t)` stands inside the outer `with` and outside"
            " the inner one; `outer_tape.gradient(velocity, t)` comes after both.",
            "`velocity = tape.gradient(x, t)`는 바깥 `with` 안, 안쪽 `with` 밖에 써요."
            " `outer_tape.gradient(velocity, t)`는 두 블록이 모두 끝난 뒤에 와요.",
        ),
    ],
    remark=Text(
        "At every moment the acceleration is -9 times the position: that is what makes a spring a"
        " spring, and two tapes found it without knowing any physics.",
        "언제나 가속도는 위치의 -9배예요. 이것이 바로 용수철의 성질인데, 두 테이프가 물리를 모르고도 찾아냈어요.",
    ),
)
def velocity_and_acceleration(cases: Cases, f: Any) -> Finding | None:
    def position(t: float) -> float:
        return math.sin(3 * t)

    def velocity(t: float) -> float:
        return 3 * math.cos(3 * t)

    def bend(t: float) -> float:
        return -9 * math.sin(3 * t)

    def pair(second: Callable[[float], float]) -> Callable[[float], tuple[float, float]]:
        return lambda t: (velocity(t), second(t))

    chain_rule = Text(
        "`{value}` leaves out an inner derivative: each time sin(3t) is differentiated, a factor 3"
        " comes to the front. A tape does not forget it.",
        "`{value}`에는 속미분이 빠졌어요. sin(3t)를 미분할 때마다 인수 3이 앞으로 나와요. 테이프는 이것을"
        " 잊지 않아요.",
    )
    only_one = Text(
        "Two numbers are asked for, `(velocity, acceleration)`, and `{value}` is only one of them:"
        " the {which}.",
        "`(속도, 가속도)` 두 값이 필요한데 `{value}`은(는) 그중 하나인 {which}뿐이에요.",
    )
    return judge(
        f,
        cases,
        right=pair(bend),
        prepare=lambda t: (tf.constant(t),),
        mistakes=[
            Mistake("only_the_second", bend, _which(only_one, "acceleration", "가속도"), 0.5),
            Mistake("only_the_first", velocity, _which(only_one, "velocity", "속도"), 0.5),
            Mistake(
                "first_twice",
                pair(velocity),
                Text(
                    "In `{value}` both numbers are the velocity. The outer tape has to differentiate"
                    " the *velocity*, and it was asked about the position.",
                    "`{value}`의 두 값이 모두 속도예요. 바깥 테이프는 위치가 아니라 *속도*를 미분해야 해요.",
                ),
            ),
            Mistake(
                "position_and_velocity",
                lambda t: (position(t), velocity(t)),
                Text(
                    "`{value}` is position and velocity: you stopped one derivative too early.",
                    "`{value}`은(는) 위치와 속도예요. 미분을 한 번 덜 했어요.",
                ),
            ),
            Mistake(
                "position_for_velocity",
                lambda t: (position(t), bend(t)),
                Text(
                    "The acceleration is right. The first number of `{value}` is the position; the"
                    " velocity is its first derivative.",
                    "가속도는 맞아요. `{value}`의 첫 수는 위치예요. 속도는 위치의 도함수예요.",
                ),
            ),
            Mistake(
                "one_too_far",
                lambda t: (bend(t), -27 * math.cos(3 * t)),
                Text(
                    "`{value}` is the second and the third derivative: one too far.",
                    "`{value}`은(는) 이계도함수와 삼계도함수예요. 한 번씩 더 미분했어요.",
                ),
            ),
            Mistake(
                "third_derivative",
                pair(lambda t: -27 * math.cos(3 * t)),
                Text(
                    "The second number of `{value}` is the *third* derivative: two tapes are enough.",
                    "`{value}`의 두 번째 값은 *삼계*도함수예요. 테이프는 두 개면 충분해요.",
                ),
            ),
            Mistake(
                "first_squared",
                pair(lambda t: velocity(t) ** 2),
                Text(
                    "The second number of `{value}` is the velocity squared. A second derivative is"
                    " the derivative of the first, not its square.",
                    "`{value}`의 두 번째 값은 속도의 제곱이에요. 이계도함수는 도함수의 제곱이 아니라 도함수의"
                    " 도함수예요.",
                ),
            ),
            Mistake(
                "sum_of_targets",
                pair(lambda t: velocity(t) + bend(t)),
                Text(
                    "The second number of `{value}` is velocity plus acceleration: several targets"
                    " in one `gradient` are added up. Ask for the velocity alone.",
                    "`{value}`의 두 번째 값은 속도와 가속도의 합이에요. `gradient`에 타깃을 여러 개 주면 더해져요."
                    " 속도 하나만 타깃으로 주세요.",
                ),
            ),
            Mistake(
                "position_as_second",
                pair(position),
                Text(
                    "The second number of `{value}` is the position, not the acceleration.",
                    "`{value}`의 두 번째 값은 가속도가 아니라 위치예요.",
                ),
            ),
            Mistake(
                "divided_by_time",
                pair(lambda t: velocity(t) / t),
                Text(
                    "`{value}` divides the velocity by the time. That is an average since t = 0; the"
                    " acceleration is the slope of the velocity at this moment.",
                    "`{value}`은(는) 속도를 시간으로 나누었어요. 그것은 t = 0부터의 평균이고, 가속도는 이 순간"
                    " 속도의 기울기예요.",
                ),
            ),
            Mistake(
                "sign_of_the_second",
                pair(lambda t: -bend(t)),
                Text(
                    "The velocity is right; the acceleration in `{value}` has the wrong sign. The"
                    " derivative of cos is -sin.",
                    "속도는 맞아요. `{value}`에서 가속도의 부호가 반대예요. cos의 도함수는 -sin이에요.",
                ),
            ),
            *(
                Mistake("chain_rule", value, chain_rule)
                for value in (
                    pair(lambda t: bend(t) / 3),
                    pair(lambda t: bend(t) / 9),
                    lambda t: (velocity(t) / 3, bend(t) / 9),
                    lambda t: (velocity(t) / 3, bend(t) / 3),
                    lambda t: (3 * math.cos(t), -9 * math.sin(t)),
                    lambda t: (math.cos(t), -math.sin(t)),
                )
            ),
            Mistake(
                "speed_for_velocity",
                lambda t: (abs(velocity(t)), bend(t)),
                Text(
                    "The first number of `{value}` is never negative: that is the speed. A velocity has a"
                    " sign, which says which way it goes.",
                    "`{value}`의 첫 번째 값은 음수가 되지 않는 속력이에요. 속도에는 방향을 말해 주는 부호가 있어요.",
                ),
                0.5,
            ),
        ],
        recipes=[
            Recipe(
                "def position(t):\n    return np.sin(3.0 * t)",
                finish=lambda f: (
                    lambda t: (
                        (f(t + 1e-4) - f(t - 1e-4)) / 2e-4,
                        (f(t + 1e-3) - 2 * f(t) + f(t - 1e-3)) / 1e-6,
                    )
                ),
            ),
            Recipe(
                """
def velocity_and_acceleration(t):
    velocity = 3.0 * np.cos(3.0 * t)
    acceleration = -9.0 * np.sin(3.0 * t)
    return velocity, acceleration
"""
            ),
        ],
        tapes=2,
    )


def _which(text: Text, en: str, ko: str) -> Text:
    """Fill in ``{which}`` and leave ``{value}`` for later."""
    return Text(text.en.replace("{which}", en), text.ko.replace("{which}", ko))


class _Curve(NamedTuple):
    """A function of one number: for TensorFlow, and its n-th derivative in closed form."""

    f: Callable[[Any], Any]
    derivative: Callable[[int, float], float]


def _sine(x: Any) -> Any:
    return tf.sin(x)


def _growth(x: Any) -> Any:
    return tf.exp(2.0 * x)


def _power(x: Any) -> Any:
    return x**5


def _square(x: Any) -> Any:
    return x * x


def _reciprocal(x: Any) -> Any:
    return 1.0 / x


CURVES = {
    "sin(x)": _Curve(_sine, lambda n, x: math.sin(x + n * math.pi / 2)),
    "exp(2x)": _Curve(_growth, lambda n, x: 2**n * math.exp(2 * x)),
    "x⁵": _Curve(_power, lambda n, x: math.perm(5, n) * x ** (5 - n) if n <= 5 else 0.0),
    "x²": _Curve(_square, lambda n, x: (x * x, 2 * x, 2.0)[n] if n <= 2 else 0.0),
    "1/x": _Curve(_reciprocal, lambda n, x: (-1) ** n * math.factorial(n) / x ** (n + 1)),
}
"""The functions that answers to 3.2 are tried on, by the name a case gives."""


@problem(
    "3.2",
    section="Four derivatives bring the sine back",
    objective=1,
    difficulty=2,
    points=3,
    cases=[
        ("x⁵", 2, 2.0),
        ("x⁵", 1, 1.5),
        ("sin(x)", 4, 0.5),
        ("exp(2x)", 3, 0.3),
        ("1/x", 0, 2.0),
        ("x²", 3, 1.5),
        ("x²", 4, -1.0),
    ],
    hints=[
        Text(
            "The n-th derivative is the derivative of the (n - 1)-th, and the zeroth is the function"
            " itself. That sentence is nearly a program.",
            "n계도함수는 (n - 1)계도함수의 도함수이고, 0계도함수는 함수 자신이에요. 이 문장이 거의 그대로 프로그램이에요.",
        ),
        Text(
            "Let the function call itself: with n = 0 return `f(x)`. Otherwise open a tape, compute"
            " the (n - 1)-th derivative *under* it, and ask for the gradient.",
            "함수가 자기 자신을 부르게 하세요. n = 0이면 `f(x)`를 돌려줘요. 아니면 테이프를 열고 *그 안에서*"
            " (n - 1)계도함수를 계산한 뒤 그래디언트를 구해요.",
        ),
        Text(
            "The line under the tape is `y = nth_derivative(f, n - 1, x)`, after `tape.watch(x)`;"
            ' then `return tape.gradient(y, x, unconnected_gradients="zero")`.',
            "`tape.watch(x)` 다음에 테이프 안에서 `y = nth_derivative(f, n - 1, x)`를 계산하고,"
            ' `return tape.gradient(y, x, unconnected_gradients="zero")`로 끝내요.',
        ),
    ],
    remark=Text(
        "Divided by n!, these numbers are the coefficients of the Taylor series: your function can"
        " write any smooth function as a polynomial. But every tape about doubles the work, so"
        " nobody takes the hundredth derivative this way.",
        "이 값들을 n!로 나누면 테일러 급수의 계수가 돼요. 매끄러운 함수라면 무엇이든 다항식으로 쓸 수 있는 셈이죠."
        " 다만 테이프 하나마다 일이 두 배쯤 늘어서 백 번째 도함수를 이렇게 구하지는 않아요.",
    ),
)
def nth_derivative(cases: Cases, f: Any) -> Finding | None:
    def of(name: str, n: int, x: float) -> float:
        return CURVES[name].derivative(n, x)

    def repeated(name: str, order: int, n: int, x: float) -> float:
        try:
            for _ in range(n):
                x = of(name, order, x)
        except OverflowError:
            return math.inf
        return x

    def slope_of_slope(name: str, n: int, x: float) -> float:
        return repeated(name, 1, n, x)

    def itself(name: str, n: int, x: float) -> float:
        return repeated(name, 0, n, x)

    def chained(name: str, n: int, x: float) -> float:
        if n == 0:
            return of(name, 0, x)
        slope = 1.0
        for _ in range(n):
            slope, x = slope * of(name, 1, x), of(name, 0, x)
        return slope

    first_only = Text(
        "`{value}` is the first derivative, whatever n is. Each further derivative needs a tape of"
        " its own around the one before.",
        "`{value}`은(는) n과 상관없이 일계도함수예요. 한 번 더 미분할 때마다 앞의 것을 감싸는 테이프가 하나 더"
        " 필요해요.",
    )
    zeroth = Text(
        "For n = 0 nothing is to be differentiated: the answer is f(x) = `{expected}`, and you give"
        " `{value}`. For n of 1 and more you are right.",
        "n = 0이면 미분하지 않아요. 답은 f(x) = `{expected}`인데 `{value}`이(가) 나왔어요. n이 1 이상이면 맞아요.",
    )
    return judge(
        f,
        cases,
        right=of,
        tolerance=1e-3,
        prepare=lambda name, n, x: (CURVES[name].f, n, tf.constant(x)),
        mistakes=[
            Mistake(
                "value_for_zero",
                lambda name, n, x: of(name, 1, x) if n == 0 else of(name, n, x),
                zeroth,
                0.7,
            ),
            Mistake(
                "value_for_zero", lambda name, n, x: x if n == 0 else of(name, n, x), zeroth, 0.7
            ),
            Mistake(
                "value_for_zero", lambda name, n, x: 0.0 if n == 0 else of(name, n, x), zeroth, 0.7
            ),
            Mistake(
                "value_for_zero",
                lambda name, n, x: None if n == 0 else of(name, n, x),
                Text(
                    "For n = 0 your function gives None. Nothing is to be differentiated there: return"
                    " f(x). For n of 1 and more you are right.",
                    "n = 0이면 함수가 None을 돌려줘요. 이때는 미분하지 않고 f(x)를 돌려주면 돼요. n이 1 이상이면 맞아요.",
                ),
                0.7,
            ),
            Mistake("first_only", lambda name, n, x: of(name, 1, x), first_only),
            Mistake("first_only", lambda name, n, x: of(name, min(n, 1), x), first_only),
            Mistake(
                "second_only",
                lambda name, n, x: of(name, 2, x),
                Text(
                    "`{value}` is the second derivative, whatever n is. The number of tapes has to"
                    " follow n: a loop or a recursion.",
                    "`{value}`은(는) n과 상관없이 이계도함수예요. 테이프의 수가 n을 따라가도록 반복문이나 재귀를 쓰세요.",
                ),
            ),
            Mistake(
                "the_value",
                lambda name, n, x: of(name, 0, x),
                Text(
                    "`{value}` is f(x) itself, whatever n is: no derivative has been taken.",
                    "`{value}`은(는) n과 상관없이 f(x) 값 자체예요. 한 번도 미분하지 않았어요.",
                ),
            ),
            *(
                Mistake(
                    "one_too_many",
                    value,
                    Text(
                        "`{value}` is one derivative too many. Count what happens for n = 1: how many"
                        " tapes are there?",
                        "`{value}`은(는) 한 번 더 미분한 값이에요. n = 1일 때 테이프가 몇 개인지 세어 보세요.",
                    ),
                )
                for value in (
                    lambda name, n, x: of(name, n + 1, x),
                    lambda name, n, x: of(name, n + 1, x) if n else None,
                )
            ),
            *(
                Mistake(
                    "one_too_few",
                    value,
                    Text(
                        "`{value}` is one derivative short. For n = 1 the recursion has to open one"
                        " tape and the loop has to run once: where does it stop?",
                        "`{value}`은(는) 미분을 한 번 덜 한 값이에요. n = 1이면 테이프가 하나 열려야 해요. 재귀나 반복이"
                        " 어디에서 멈추는지 보세요.",
                    ),
                )
                for value in (
                    lambda name, n, x: of(name, max(n - 1, 0), x),
                    lambda name, n, x: of(name, n - 1, x) if n else of(name, 0, x),
                )
            ),
            *(
                Mistake(
                    "power_of_the_first",
                    value,
                    Text(
                        "`{value}` is the first derivative multiplied by itself n times. f⁽ⁿ⁾ is no"
                        " power: it is the derivative of the derivative of ...",
                        "`{value}`은(는) 일계도함수를 n번 곱한 값이에요. f⁽ⁿ⁾은 거듭제곱이 아니라 도함수의 도함수의 ..."
                        " 라는 뜻이에요.",
                    ),
                )
                for value in (
                    lambda name, n, x: of(name, 1, x) ** n,
                    lambda name, n, x: of(name, 1, x) ** n if n else of(name, 0, x),
                )
            ),
            *(
                Mistake(
                    "times_n",
                    value,
                    Text(
                        "`{value}` is n times the first derivative: the same gradient was taken again"
                        " and again and added up, not differentiated again.",
                        "`{value}`은(는) 일계도함수의 n배예요. 다시 미분한 것이 아니라 같은 그래디언트를 더했어요.",
                    ),
                )
                for value in (
                    lambda name, n, x: n * of(name, 1, x),
                    lambda name, n, x: n * of(name, 1, x) if n else of(name, 0, x),
                )
            ),
            *(
                Mistake(
                    "fed_back",
                    value,
                    Text(
                        "`{value}` puts the slope back in as the next x: f'(f'(x)). Differentiate the"
                        " *slope*, at the same x as before.",
                        "`{value}`은(는) 기울기를 다음 x로 다시 넣은 f'(f'(x))예요. 같은 x에서 *기울기*를 미분하세요.",
                    ),
                )
                for value in (
                    slope_of_slope,
                    lambda name, n, x: slope_of_slope(name, n, x) if n else of(name, 0, x),
                )
            ),
            Mistake(
                "applied_n_times",
                itself,
                Text(
                    "`{value}` is f(f(...x)): the function was applied n times, not differentiated.",
                    "`{value}`은(는) f(f(...x))예요. 미분하지 않고 함수를 n번 적용했어요.",
                ),
            ),
            Mistake(
                "taylor_coefficient",
                lambda name, n, x: of(name, n, x) / math.factorial(n),
                Text(
                    "`{value}` is the n-th derivative divided by n!. That is a coefficient of the"
                    " Taylor series; here the derivative itself is asked for.",
                    "`{value}`은(는) n계도함수를 n!로 나눈 값이에요. 테일러 급수의 계수이고, 여기서는 도함수 자체가 필요해요.",
                ),
            ),
            Mistake(
                "times_factorial",
                lambda name, n, x: of(name, n, x) * math.factorial(n),
                Text(
                    "`{value}` is the n-th derivative times n!. The factors of school's power rule come"
                    " out of the tapes by themselves.",
                    "`{value}`은(는) n계도함수에 n!을 곱한 값이에요. 거듭제곱 미분의 인수는 테이프에서 저절로 나와요.",
                ),
            ),
            Mistake(
                "none_for_zero",
                lambda name, n, x: None if name == "x²" and n > 2 else of(name, n, x),
                Text(
                    "For x² and n = 3 you give None. The second derivative of x² is the constant 2, to"
                    ' which no path leads; its derivative is 0. `unconnected_gradients="zero"` has the'
                    " tape say so. All other derivatives are right.",
                    "x²과 n = 3에서 None이 나와요. x²의 이계도함수는 상수 2라서 이어지는 길이 없지만, 그 도함수는"
                    ' 0이에요. `unconnected_gradients="zero"`를 쓰면 테이프가 0을 줘요. 나머지는 모두 맞아요.',
                ),
                0.7,
            ),
            Mistake(
                "derivatives_added",
                lambda name, n, x: sum(of(name, k, x) for k in range(n + 1)),
                Text(
                    "`{value}` is f(x) and the first n derivatives added up. Keep only the last one.",
                    "`{value}`은(는) f(x)와 첫 n개 도함수를 모두 더한 값이에요. 마지막 것만 필요해요.",
                ),
            ),
            Mistake(
                "derivatives_added",
                lambda name, n, x: of(name, n, x) + (of(name, n - 1, x) if n else 0.0),
                Text(
                    "`{value}` is the n-th derivative plus the one before it. Keep only the last one.",
                    "`{value}`은(는) n계도함수에 그 앞의 도함수를 더한 값이에요. 마지막 것만 필요해요.",
                ),
            ),
            *(
                Mistake(
                    "all_of_them",
                    lambda name, n, x, first=first: [of(name, k, x) for k in range(first, n + 1)],
                    Text(
                        "`{value}` is the list of all derivatives on the way. Only the n-th is asked for:"
                        " one number.",
                        "`{value}`은(는) 도중의 모든 도함수를 담은 리스트예요. n번째 하나만 필요해요.",
                    ),
                    0.5,
                )
                for first in (0, 1)
            ),
            Mistake(
                "slope_of_f_of_f",
                chained,
                Text(
                    "`{value}` is the slope of f(f(...x)): f was applied n times and differentiated once. It"
                    " is f that is applied once, and differentiated n times.",
                    "`{value}`은(는) f(f(...x))의 기울기예요. f를 n번 적용하고 한 번 미분했어요. f를 한 번 적용하고 n번"
                    " 미분해야 해요.",
                ),
            ),
            *(
                Mistake(
                    "stops_growing",
                    lambda name, n, x, most=most: of(name, min(n, most), x),
                    Text(
                        f"Right as far as n = {most}; above that your answer stays the {said} derivative."
                        " `n` may be any whole number: let a loop, or the function itself, do it n times.",
                        f"n = {most}까지는 맞지만 그 위로는 {most}계도함수에 머물러요. `n`은 어떤 자연수도 될 수 있어요. 반복문이나"
                        " 재귀로 n번 하세요.",
                    ),
                )
                for most, said in ((2, "second"), (3, "third"))
            ),
            Mistake(
                "derivatives_added",
                lambda name, n, x: sum(of(name, k, x) for k in range(1, n + 1)),
                Text(
                    "`{value}` is the sum of the first n derivatives. Keep only the last one.",
                    "`{value}`은(는) 첫 n개 도함수의 합이에요. 마지막 것만 필요해요.",
                ),
            ),
        ],
        tapes=1,
    )


@problem(
    "3.3",
    section="Write a gradient of your own",
    objective=3,
    difficulty=2,
    points=3,
    cases=[
        ([-2.0, -0.4, 0.3, 1.7], [2.5, 3.0, -2.0, 0.5]),
        ([0.2, -0.5, 0.0], [1.5, -2.0, 0.5]),
        ([1.0, -1.0, 3.0, 0.9], [2.0, -3.0, 1.0, 0.25]),
        ([[1.5, -0.3], [0.7, -4.0]], [[1.0, 2.0], [-3.0, 0.5]]),
        ([2.0, -1.5], [-1.0, 3.0]),
        ([0.9, -1.1, 0.6], [-0.2, 4.0, 0.7]),
    ],
    hints=[
        Text(
            "A function under `@tf.custom_gradient` returns two things: its value, and a function"
            " that is handed the gradient from above and returns the gradient for `x`.",
            "`@tf.custom_gradient`가 붙은 함수는 두 가지를 돌려줘요. 함수의 값, 그리고 위에서 내려온 그래디언트를"
            " 받아 `x`의 그래디언트를 돌려주는 함수예요.",
        ),
        Text(
            "On the way back multiply what arrives by 1 where |x| ≤ 1 and by 0 elsewhere. It is `x`"
            " that decides, not the gradient.",
            "돌아오는 길에는 도착한 그래디언트에 |x| ≤ 1이면 1을, 아니면 0을 곱해요. 그래디언트가 아니라 `x`가 결정해요.",
        ),
        Text(
            "`tf.cast(tf.abs(x) <= 1.0, gradient.dtype)` is that 1 or 0. The last line is"
            " `return tf.sign(x), backwards`.",
            "`tf.cast(tf.abs(x) <= 1.0, gradient.dtype)`가 바로 그 1과 0이에요. 마지막 줄은"
            " `return tf.sign(x), backwards`예요.",
        ),
    ],
    remark=Text(
        "This is how networks whose weights are only +1 and -1 are trained: the steps forwards are"
        " true, the slope backwards is a useful lie. No finite difference will agree with it.",
        "가중치가 +1과 -1뿐인 신경망을 이렇게 학습시켜요. 앞으로 갈 때의 계단은 진짜이고, 돌아올 때의 기울기는"
        " 쓸모 있는 거짓말이에요. 어떤 차분과도 일치하지 않아요.",
    ),
)
def binarise(cases: Cases, f: Any) -> Finding | None:
    if unattempted(f):
        return NOT_ATTEMPTED
    if not callable(f):
        return not_a_function(f)
    return _forwards_of_binarise(cases, f) or _backwards_of_binarise(cases, f)


def _forwards_of_binarise(cases: Cases, f: Any) -> Finding | None:
    value = run(f, tf.constant(cases[0][0]))
    if isinstance(value, Finding) and "custom_gradient" not in dir(f):
        return _not_two_things(value)
    if isinstance(value, list | tuple) and len(value) == 2 and callable(value[1]):
        return Finding(
            "not_decorated",
            Text(
                "Called, your function gives back the pair (value, function) itself. The line"
                " `@tf.custom_gradient` above `def` is what tells TensorFlow how to use it.",
                "함수를 호출하면 (값, 함수) 쌍이 그대로 나와요. `def` 위에 `@tf.custom_gradient`가 있어야"
                " TensorFlow가 이 쌍을 사용해요.",
            ),
        )
    mistakes = [
        Mistake(
            "zero_has_no_sign",
            lambda x: np.where(np.array(x) >= 0, 1.0, -1.0),
            Text(
                "For {inputs} you give `{value}`: at 0 `tf.sign` gives 0, neither +1 nor -1, and forwards"
                " just that is asked for.",
                "{inputs}에 대해 `{value}`이(가) 나와요. 0에서 `tf.sign`은 +1도 -1도 아닌 0을 주고, 앞으로 갈 때는 그 값이"
                " 필요해요.",
            ),
            0.5,
        ),
        Mistake(
            "zero_has_no_sign",
            lambda x: np.where(np.array(x) > 0, 1.0, -1.0),
            Text(
                "For {inputs} you give `{value}`: at 0 `tf.sign` gives 0, neither +1 nor -1, and forwards"
                " just that is asked for.",
                "{inputs}에 대해 `{value}`이(가) 나와요. 0에서 `tf.sign`은 +1도 -1도 아닌 0을 주고, 앞으로 갈 때는 그 값이"
                " 필요해요.",
            ),
            0.5,
        ),
        Mistake(
            "identity_forwards",
            lambda x: x,
            Text(
                "Forwards `{inputs}` came out as it went in. The value has to be the sign, +1 or -1;"
                " only the way back pretends that nothing happened.",
                "앞으로 갈 때 `{inputs}`이(가) 그대로 나왔어요. 값은 부호인 +1이나 -1이어야 해요. 아무 일도 없었던 척하는"
                " 것은 돌아오는 길뿐이에요.",
            ),
        ),
        Mistake(
            "clipped_forwards",
            lambda x: np.clip(x, -1, 1),
            Text(
                "Forwards `{inputs}` was clipped to `{value}`. The value has to be the sign, +1 or"
                " -1; clipping is what the way back pretends.",
                "앞으로 갈 때 `{inputs}`이(가) `{value}`(으)로 잘렸어요. 값은 부호인 +1이나 -1이어야 해요.",
            ),
        ),
        Mistake(
            "rounded_forwards",
            np.round,
            Text(
                "`{value}` is rounded to whole numbers; the sign, +1 or -1, is asked for.",
                "`{value}`은(는) 반올림한 값이에요. 부호인 +1이나 -1이 필요해요.",
            ),
        ),
        Mistake(
            "zero_and_one",
            lambda x: np.greater(x, 0).astype(float),
            Text(
                "`{value}` is 0 where -1 belongs: `tf.sign(x)` gives -1 for negative numbers.",
                "`{value}`에서 -1이어야 할 자리가 0이에요. `tf.sign(x)`는 음수에 -1을 줘요.",
            ),
        ),
        Mistake(
            "mask_forwards",
            lambda x: np.sign(x) * (np.abs(x) <= 1),
            Text(
                "`{value}` has zeros where |x| > 1. Forwards every number gets its sign; the mask"
                " belongs to the way back.",
                "`{value}`에는 |x| > 1인 자리가 0이에요. 앞으로 갈 때는 모든 값이 부호가 되고, 마스크는 돌아오는 길에만"
                " 쓰여요.",
            ),
        ),
        Mistake(
            "mask_forwards",
            lambda x: (np.abs(x) <= 1).astype(float),
            Text(
                "`{value}` is the mask |x| ≤ 1. Forwards the sign is asked for; the mask belongs to"
                " the way back.",
                "`{value}`은(는) |x| ≤ 1 마스크예요. 앞으로 갈 때는 부호가 필요하고, 마스크는 돌아오는 길에 쓰여요.",
            ),
        ),
    ]
    return judge(
        f,
        [(x,) for x, _ in cases],
        right=np.sign,
        prepare=lambda x: (tf.constant(x),),
        mistakes=mistakes,
    )


def _not_two_things(stopped: Finding) -> Finding:
    """Tell a function under custom_gradient that does not return two things from other errors."""
    signs = ("unpack", "iterating over", "cannot unpack", "iterate over", "not callable")
    if not any(sign in stopped.text.en for sign in signs):
        return stopped
    return Finding(
        "not_two_things",
        Text(
            "A function under `@tf.custom_gradient` has to return two things: its value, and a"
            " *function* that turns the gradient from above into the one for `x`.",
            "`@tf.custom_gradient`가 붙은 함수는 두 가지를 돌려주어야 해요. 함수의 값, 그리고 위에서 내려온"
            " 그래디언트를 `x`의 그래디언트로 바꾸는 *함수*예요.",
        ),
    )


def _backwards_of_binarise(cases: Cases, f: Any) -> Finding | None:
    def slopes(x: Any, weights: Any) -> Any:
        return gradients_of(f, [0], weights, x)[0]

    def prepare(x: list[float], weights: list[float]) -> tuple[Any, Any]:
        return tf.constant(x), tf.constant(weights)

    found = run(slopes, *prepare(*cases[0]))
    if found is None:
        return why_none(f, (tf.constant(cases[0][0]),))

    def inside(x: list[float]) -> Array:
        return (np.abs(x) <= 1).astype(float)

    upstream_ignored = Text(
        "Your way back gives `{value}` whatever arrives from above; here it was {weights}. Multiply"
        " the `gradient` that your inner function is handed: it holds the rest of the chain rule.",
        "위에서 무엇이 내려오든 돌아오는 길에서 `{value}`이(가) 나와요. 이번에는 {weights}이(가) 내려왔어요. 안쪽"
        " 함수가 받은 `gradient`에 곱하세요. 거기에 연쇄 법칙의 나머지가 들어 있어요.",
    )
    shown = str(cases[0][1])
    upstream_ignored = Text(*(each.replace("{weights}", shown) for each in upstream_ignored))
    no_mask = Text(
        "`{value}` passes everything on. Where |x| > 1 (x was {inputs}, x first) the gradient has to"
        " be stopped: multiply by 0 there.",
        "`{value}`은(는) 모든 것을 그대로 통과시켜요. |x| > 1인 자리에서는(입력은 x, 내려온 값 순서로 {inputs})"
        " 그래디언트를 막아야 해요. 거기에는 0을 곱하세요.",
    )
    return judge(
        slopes,
        cases,
        right=lambda x, g: inside(x) * g,
        prepare=prepare,
        mistakes=[
            Mistake(
                "no_gradient_of_your_own",
                lambda x, g: np.zeros(np.shape(x)),
                Text(
                    "The gradient is zero everywhere: that is TensorFlow's own rule for `sign`, a"
                    " staircase of flat steps. Return your own way back with `@tf.custom_gradient`.",
                    "그래디언트가 어디서나 0이에요. 평평한 계단인 `sign`에 대한 TensorFlow의 규칙이에요."
                    " `@tf.custom_gradient`로 돌아오는 길을 직접 정하세요.",
                ),
            ),
            Mistake(
                "edges_left_out",
                lambda x, g: (np.abs(x) < 1) * np.array(g),
                Text(
                    "Nearly: where |x| is exactly 1 the gradient has to pass as well, and yours is stopped"
                    " there, `{value}` for {inputs} (x, then what arrives). It is `<=`, not `<`.",
                    "거의 맞았어요. |x|가 정확히 1인 자리도 통과해야 하는데 막혔어요. {inputs}(x, 내려온 값)에 대해 `{value}`예요."
                    " `<`가 아니라 `<=`예요.",
                ),
                0.6,
            ),
            Mistake("no_mask", lambda x, g: g, no_mask),
            *(
                Mistake(
                    "all_or_nothing",
                    lambda x, g, one=one: one(inside(x)) * np.array(g),
                    Text(
                        "You decide once for the whole tensor: {inputs} (x, then what arrives) gives"
                        " `{value}`. Each entry decides for itself: keep the mask as a tensor, without `all`,"
                        " `any` or a maximum.",
                        "텐서 전체에 대해 한 번만 정했어요. {inputs}(x, 내려온 값)에 대해 `{value}`이(가) 나와요. 원소마다 스스로"
                        " 정해야 해요. `all`, `any`, 최댓값 없이 마스크를 텐서로 두세요.",
                    ),
                )
                for one in (np.min, np.max, np.mean)
            ),
            *(
                Mistake(
                    "gradient_clipped",
                    lambda x, g, most=most: (
                        np.array(g) * min(1.0, most / np.linalg.norm(np.array(g)))
                    ),
                    Text(
                        "`{value}` is the arriving gradient made shorter as a whole, `clip_by_norm`. Here it is"
                        " `x` that decides, entry by entry: whole where |x| ≤ 1, 0 elsewhere.",
                        "`{value}`은(는) 내려온 그래디언트를 통째로 짧게 만든 값이에요(`clip_by_norm`). 여기서는 `x`가 원소마다"
                        " 정해요. |x| ≤ 1이면 그대로, 아니면 0이에요.",
                    ),
                )
                for most in (1.0, 2.0, 0.5, 3.0)
            ),
            Mistake("upstream_ignored", lambda x, g: inside(x), upstream_ignored),
            Mistake("upstream_ignored", lambda x, g: np.ones(np.shape(x)), upstream_ignored),
            Mistake("upstream_ignored", lambda x, g: inside(x) * x, upstream_ignored),
            Mistake(
                "mask_reversed",
                lambda x, g: (1 - inside(x)) * g,
                Text(
                    "`{value}` lets the gradient through where |x| > 1 and stops it where |x| ≤ 1:"
                    " the other way round.",
                    "`{value}`은(는) |x| > 1인 자리를 통과시키고 |x| ≤ 1인 자리를 막아요. 반대로 해야 해요.",
                ),
            ),
            Mistake(
                "gradient_clipped",
                lambda x, g: np.clip(g, -1, 1),
                Text(
                    "`{value}` is the arriving gradient clipped to -1..1. It is `x` that decides"
                    " whether a gradient passes, and it passes whole.",
                    "`{value}`은(는) 내려온 그래디언트를 -1..1로 자른 값이에요. 통과할지는 `x`가 정하고, 통과할 때는 그대로"
                    " 통과해요.",
                ),
            ),
            Mistake(
                "mask_from_gradient",
                lambda x, g: inside(g) * g,
                Text(
                    "`{value}` stops the gradients that are themselves larger than 1. The condition is"
                    " about `x`: |x| ≤ 1.",
                    "`{value}`은(는) 크기가 1보다 큰 그래디언트를 막았어요. 조건은 `x`에 대한 것이에요: |x| ≤ 1.",
                ),
            ),
            Mistake(
                "one_sided_mask",
                lambda x, g: (np.array(x) <= 1) * np.array(g),
                Text(
                    "`{value}` stops the gradient above 1 and not below -1: compare `tf.abs(x)`.",
                    "`{value}`은(는) 1보다 클 때만 막고 -1보다 작을 때는 막지 않아요. `tf.abs(x)`를 비교하세요.",
                ),
            ),
            Mistake(
                "one_sided_mask",
                lambda x, g: (np.array(x) > 0) * np.array(g),
                Text(
                    "`{value}` lets the gradient through where x > 0, like a ReLU. Here it passes where"
                    " |x| ≤ 1.",
                    "`{value}`은(는) ReLU처럼 x > 0인 자리를 통과시켜요. 여기서는 |x| ≤ 1인 자리를 통과시켜야 해요.",
                ),
            ),
            Mistake(
                "value_times_gradient",
                lambda x, g: np.sign(x) * g,
                Text(
                    "`{value}` multiplies the arriving gradient by the sign of x. The way back passes"
                    " it on unchanged where |x| ≤ 1.",
                    "`{value}`은(는) 내려온 그래디언트에 x의 부호를 곱했어요. |x| ≤ 1이면 바꾸지 않고 그대로 넘겨요.",
                ),
            ),
            Mistake(
                "value_times_gradient",
                lambda x, g: np.sign(x) * inside(x) * g,
                Text(
                    "The mask is right, but `{value}` also multiplies by the sign of x. Pass the"
                    " gradient on unchanged where |x| ≤ 1.",
                    "마스크는 맞지만 `{value}`에는 x의 부호도 곱해졌어요. |x| ≤ 1이면 그대로 넘기세요.",
                ),
            ),
            Mistake(
                "x_times_gradient",
                lambda x, g: np.multiply(x, g),
                Text(
                    "`{value}` multiplies the arriving gradient by x. The way back multiplies by 1 or"
                    " by 0.",
                    "`{value}`은(는) 내려온 그래디언트에 x를 곱했어요. 돌아오는 길에는 1이나 0을 곱해요.",
                ),
            ),
            Mistake(
                "x_times_gradient",
                lambda x, g: inside(x) * x * g,
                Text(
                    "The mask is right, but `{value}` also multiplies by x. Pass the gradient on"
                    " unchanged where |x| ≤ 1.",
                    "마스크는 맞지만 `{value}`에는 x도 곱해졌어요. |x| ≤ 1이면 그대로 넘기세요.",
                ),
            ),
            *(
                Mistake(
                    "other_slope",
                    lambda x, g, slope=slope: slope(np.array(x)) * np.array(g),
                    Text(
                        f"`{{value}}` multiplies by {what}. Here the gradient passes *unchanged* where |x| ≤ 1:"
                        " the factor is 1 there, and 0 elsewhere.",
                        f"`{{value}}`에는 {ko} 곱해졌어요. 여기서는 |x| ≤ 1이면 그래디언트가 *그대로* 통과해요. 거기서 인수는 1이고"
                        " 나머지는 0이에요.",
                    ),
                )
                for slope, what, ko in (
                    (lambda x: np.maximum(0, 1 - np.abs(x)), "1 - |x|", "1 - |x|이(가)"),
                    (lambda x: 1 - np.tanh(x) ** 2, "the slope of tanh", "tanh의 기울기가"),
                    (lambda x: np.exp(-(x**2)), "a bell curve", "종 모양 곡선이"),
                    (
                        lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2,
                        "the slope of a sigmoid",
                        "시그모이드의 기울기가",
                    ),
                    (lambda x: np.clip(x, -1, 1), "the clipped x", "잘린 x가"),
                    (lambda x: np.maximum(0, 2 - 2 * np.abs(x)), "2 - 2|x|", "2 - 2|x|이(가)"),
                )
            ),
            Mistake(
                "upstream_averaged",
                lambda x, g: inside(x) * np.mean(g),
                Text(
                    "`{value}` averages the arriving gradients first. Each entry of x gets its own.",
                    "`{value}`은(는) 내려온 그래디언트의 평균을 썼어요. x의 원소마다 자기 그래디언트를 받아야 해요.",
                ),
            ),
            Mistake(
                "upstream_twice",
                lambda x, g: inside(x) * np.square(g),
                Text(
                    "In `{value}` the arriving gradient is multiplied in twice.",
                    "`{value}`에는 내려온 그래디언트가 두 번 곱해졌어요.",
                ),
            ),
            Mistake(
                "upstream_summed",
                lambda x, g: inside(x) * np.sum(g),
                Text(
                    "`{value}` adds the arriving gradients up first. Each entry of x gets its own.",
                    "`{value}`은(는) 내려온 그래디언트를 먼저 더했어요. x의 원소마다 자기 그래디언트를 받아야 해요.",
                ),
            ),
        ],
        recipes=[
            Recipe(
                """
def backwards(x, gradient):
    inside = abs(x) <= 1.0
    return np.where(inside, gradient, 0.0)
""",
                lambda x, g: (np.array(x), np.array(g)),
            ),
            Recipe(
                """
def backwards(x, gradient):
    inside = (abs(x) <= 1.0) * 1.0
    return gradient * inside
""",
                lambda x, g: (np.array(x), np.array(g)),
            ),
        ],
    )


class _Field(NamedTuple):
    """A function of a vector: for TensorFlow, its gradient and its Hessian in closed form."""

    f: Callable[[Any], Any]
    gradient: Callable[[Array], Array]
    hessian: Callable[[Array], Array]


def _cubes(x: Any) -> Any:
    first, second, *_ = tf.unstack(x)  # a Jacobian through slices takes twice as long
    return tf.reduce_sum(x**3) + first * second


def _wave(x: Any) -> Any:
    first, second, *_ = tf.unstack(x)
    return tf.sin(first + 2.0 * second)


def _bowl(x: Any) -> Any:
    return tf.sqrt(1.0 + tf.reduce_sum(x * x))


def _first_and_second(first: float, second: float, n: int) -> Array:
    return np.array([first, second] + [0.0] * (n - 2))


def _cubes_hessian(x: Array) -> Array:
    hessian = np.diag(6 * x)
    hessian[0, 1] = hessian[1, 0] = 1
    return hessian


FIELDS = {
    "sum(x³) + x₀x₁": _Field(
        _cubes,
        lambda x: 3 * x**2 + _first_and_second(x[1], x[0], len(x)),
        _cubes_hessian,
    ),
    "sin(x₀ + 2x₁)": _Field(
        _wave,
        lambda x: math.cos(x[0] + 2 * x[1]) * _first_and_second(1, 2, len(x)),
        lambda x: -math.sin(x[0] + 2 * x[1]) * np.outer(*[_first_and_second(1, 2, len(x))] * 2),
    ),
    "√(1 + sum(x²))": _Field(
        _bowl,
        lambda x: x / math.sqrt(1 + x @ x),
        lambda x: np.eye(len(x)) / math.sqrt(1 + x @ x) - np.outer(x, x) / (1 + x @ x) ** 1.5,
    ),
}
"""The functions that answers to 3.4 and 3.5 are tried on, by the name a case gives."""


@problem(
    "3.4",
    section="The Hessian says how the loss bends",
    objective=4,
    difficulty=2,
    points=3,
    cases=[
        ("sum(x³) + x₀x₁", [1.0, 2.0]),
        ("sin(x₀ + 2x₁)", [0.5, 0.3]),
        ("√(1 + sum(x²))", [1.0, -2.0, 0.5]),
        ("√(1 + sum(x²))", [0.5]),
    ],
    hints=[
        Text(
            "The gradient has n entries, and each entry has n slopes of its own: which tool keeps"
            " all n * n of them apart?",
            "그래디언트에는 원소가 n개 있고, 원소마다 기울기가 n개 있어요. n * n개를 모두 따로 보관하는 도구는 무엇일까요?",
        ),
        Text(
            "Two tapes as in 3.1, but the outer one is asked for `jacobian` in place of `gradient`:"
            " `gradient` would add the rows up.",
            "3.1처럼 테이프 두 개를 쓰되 바깥 테이프에는 `gradient` 대신 `jacobian`을 요청하세요. `gradient`는 행을"
            " 더해 버려요.",
        ),
        Text(
            "Both tapes watch x. Inside the outer `with`: `gradient = tape.gradient(y, x)`. After"
            " it: `return outer_tape.jacobian(gradient, x)`.",
            "두 테이프 모두 x를 지켜봐요. 바깥 `with` 안에 `gradient = tape.gradient(y, x)`, 그 뒤에"
            " `return outer_tape.jacobian(gradient, x)`를 쓰세요.",
        ),
    ],
    remark=Text(
        "Did you notice that it came out symmetric? Nobody told the tapes. `tf.hessians` of old did"
        " the same; the cost is n gradients, and for a network that is too many: the next problem"
        " gets by with one.",
        "대칭으로 나온 것을 보았나요? 테이프에 아무도 시키지 않았어요. 비용은 그래디언트 n번인데 신경망에는 너무 많아요."
        " 다음 문제에서는 한 번이면 돼요.",
    ),
)
def hessian_of(cases: Cases, f: Any) -> Finding | None:
    def of(part: Callable[[Array, Array], Any]) -> Callable[[str, list[float]], Any]:
        """Make a function of gradient and Hessian one of a case's inputs."""

        def value(name: str, x: list[float]) -> Any:
            at = np.array(x)
            return part(FIELDS[name].gradient(at), FIELDS[name].hessian(at))

        return value

    diagonal = Text(
        "`{value}` holds only what stands on the diagonal of the Hessian. Entry (i, j) says how the"
        " slope along i changes when x moves along j: the mixed ones belong to it.",
        "`{value}`에는 헤시안의 대각 원소만 있어요. (i, j) 원소는 x가 j 방향으로 움직일 때 i 방향 기울기가 얼마나"
        " 변하는지 말해요. 섞인 것도 필요해요.",
    )
    squared = Text(
        "`{value}` multiplies the gradient with itself. A second derivative is the derivative of the"
        " first one, not its square.",
        "`{value}`은(는) 그래디언트끼리 곱한 값이에요. 이계도함수는 도함수의 제곱이 아니라 도함수의 도함수예요.",
    )
    triangle = Text(
        "`{value}` has only one half of the Hessian: it is symmetric, entry (j, i) equals (i, j).",
        "`{value}`에는 헤시안의 절반만 있어요. 헤시안은 대칭이라 (j, i)와 (i, j) 원소가 같아요.",
    )
    return judge(
        f,
        cases,
        right=of(lambda g, h: h),
        prepare=lambda name, x: (FIELDS[name].f, tf.constant(x)),
        mistakes=[
            Mistake(
                "rows_summed",
                of(lambda g, h: h.sum(axis=1)),
                Text(
                    "`{value}` is the sum of the Hessian's rows: `gradient` of a target with several"
                    " entries adds them up. `jacobian` keeps them apart.",
                    "`{value}`은(는) 헤시안의 행을 더한 값이에요. 타깃에 원소가 여러 개면 `gradient`는 더해 버려요."
                    " `jacobian`은 따로 보관해요.",
                ),
            ),
            Mistake("diagonal_only", of(lambda g, h: np.diag(h)), diagonal),
            Mistake("diagonal_only", of(lambda g, h: np.diag(np.diag(h))), diagonal),
            Mistake(
                "diagonal_only",
                of(lambda g, h: np.diag(h.sum(axis=1))),
                Text(
                    "`{value}` has the sums of the Hessian's rows on its diagonal and zeros elsewhere:"
                    " the mixed derivatives were added up. `jacobian` keeps them apart.",
                    "`{value}`은(는) 헤시안의 행의 합을 대각선에 놓고 나머지를 0으로 채웠어요. 섞인 도함수가 더해졌어요."
                    " `jacobian`은 따로 보관해요.",
                ),
            ),
            Mistake(
                "the_gradient",
                of(lambda g, h: g),
                Text(
                    "`{value}` is the gradient. The Hessian is the Jacobian of that: a second tape"
                    " around the first.",
                    "`{value}`은(는) 그래디언트예요. 헤시안은 그것의 야코비안이에요. 첫 테이프를 감싸는 두 번째 테이프가"
                    " 필요해요.",
                ),
            ),
            Mistake("gradient_squared", of(lambda g, h: g**2), squared),
            Mistake("gradient_squared", of(lambda g, h: np.outer(g, g)), squared),
            Mistake("gradient_squared", of(lambda g, h: g @ g), squared),
            Mistake(
                "all_summed",
                of(lambda g, h: h.sum()),
                Text(
                    "`{value}` is the sum of all entries of the Hessian: somewhere they were added up."
                    " n * n numbers are asked for.",
                    "`{value}`은(는) 헤시안의 모든 원소를 더한 값이에요. 어딘가에서 합쳐졌어요. n * n개가 필요해요.",
                ),
            ),
            Mistake(
                "trace",
                of(lambda g, h: np.trace(h)),
                Text(
                    "`{value}` is the sum of the Hessian's diagonal; the whole matrix is asked for.",
                    "`{value}`은(는) 헤시안의 대각 원소의 합이에요. 행렬 전체가 필요해요.",
                ),
            ),
            Mistake("one_triangle", of(lambda g, h: np.triu(h)), triangle),
            Mistake("one_triangle", of(lambda g, h: np.tril(h)), triangle),
            Mistake(
                "added_to_its_transpose",
                of(lambda g, h: h + h.T),
                Text(
                    "`{value}` is twice the Hessian. It comes out symmetric by itself: nothing has to"
                    " be added to its transpose.",
                    "`{value}`은(는) 헤시안의 두 배예요. 헤시안은 저절로 대칭이 되니 전치를 더할 필요가 없어요.",
                ),
            ),
            Mistake(
                "mixed_twice",
                of(lambda g, h: h + h.T - np.diag(np.diag(h))),
                Text(
                    "In `{value}` the mixed derivatives are counted twice.",
                    "`{value}`에는 섞인 도함수가 두 번 더해졌어요.",
                ),
            ),
            Mistake(
                "only_mixed",
                of(lambda g, h: h - np.diag(np.diag(h))),
                Text(
                    "In `{value}` the diagonal is zero: the second derivatives along each x alone"
                    " belong there.",
                    "`{value}`의 대각선이 0이에요. 거기에는 각 x만의 이계도함수가 들어가야 해요.",
                ),
            ),
            Mistake(
                "one_row",
                of(lambda g, h: h[0]),
                Text(
                    "`{value}` is the first row of the Hessian only: take every entry of the gradient.",
                    "`{value}`은(는) 헤시안의 첫 행뿐이에요. 그래디언트의 모든 원소에 대해 구하세요.",
                ),
            ),
            Mistake(
                "one_row",
                of(lambda g, h: h[-1]),
                Text(
                    "`{value}` is the last row of the Hessian only: has each turn of the loop replaced"
                    " the one before?",
                    "`{value}`은(는) 헤시안의 마지막 행뿐이에요. 반복할 때마다 앞의 것을 덮어쓰지 않았나요?",
                ),
            ),
            Mistake(
                "inverse",
                of(lambda g, h: np.linalg.inv(h) if abs(np.linalg.det(h)) > 1e-9 else None),
                Text(
                    "`{value}` is the inverse of the Hessian.",
                    "`{value}`은(는) 헤시안의 역행렬이에요.",
                ),
            ),
            Mistake(
                "determinant",
                of(lambda g, h: np.linalg.det(h)),
                Text(
                    "`{value}` is the determinant of the Hessian; the matrix itself is asked for.",
                    "`{value}`은(는) 헤시안의 행렬식이에요. 행렬 자체가 필요해요.",
                ),
            ),
            Mistake(
                "eigenvalues",
                of(lambda g, h: np.linalg.eigvalsh(h)),
                Text(
                    "`{value}` are the eigenvalues of the Hessian; the matrix itself is asked for.",
                    "`{value}`은(는) 헤시안의 고윳값이에요. 행렬 자체가 필요해요.",
                ),
            ),
            Mistake(
                "half_of_it",
                of(lambda g, h: h / 2),
                Text(
                    "`{value}` is half of the Hessian: the ½ belongs to the Taylor series, ½ vᵀHv, and not to"
                    " H itself.",
                    "`{value}`은(는) 헤시안의 절반이에요. ½은 테일러 급수 ½ vᵀHv의 것이고 H 자체에는 없어요.",
                ),
            ),
        ],
        tapes=2,
    )


@problem(
    "3.5",
    section="A Hessian times a vector without the Hessian",
    objective=5,
    difficulty=2,
    points=4,
    cases=[
        ("sum(x³) + x₀x₁", [1.0, 2.0, -1.0], [1.0, -1.0, 2.0]),
        ("sin(x₀ + 2x₁)", [0.5, 0.3], [2.0, 1.5]),
        ("√(1 + sum(x²))", [1.0, -2.0, 0.5, 0.3], [0.5, 1.0, -1.0, 3.0]),
        ("sum(x³) + x₀x₁", [0.5, -1.0], "x"),
    ],
    hints=[
        Text(
            "Take the slope *along v*: one number, the sum of gradient times v. What is the gradient"
            " of that number?",
            "*v 방향의* 기울기를 구해 보세요. 그래디언트와 v의 곱을 모두 더한 숫자 하나예요. 그 숫자의 그래디언트는"
            " 무엇일까요?",
        ),
        Text(
            "Inside the outer tape: the gradient, and `tf.reduce_sum(gradient * v)`. After it, one"
            " more `gradient`. No `jacobian` anywhere.",
            "바깥 테이프 안에서 그래디언트와 `tf.reduce_sum(gradient * v)`를 계산하고, 그 뒤에 `gradient`를 한 번 더"
            " 호출하세요. `jacobian`은 필요 없어요.",
        ),
        Text(
            "If `v` is `x` itself, the outer tape watches it too and differentiates it along. A"
            " direction is a constant: `tf.stop_gradient(v)`.",
            "`v`가 `x` 자신이면 바깥 테이프가 v도 지켜보고 함께 미분해요. 방향은 상수이므로 `tf.stop_gradient(v)`를"
            " 쓰세요.",
        ),
    ],
    remark=Text(
        "Two gradients, whatever the size: this is how the largest curvature of a network with"
        " millions of weights is found, by multiplying with H again and again.",
        "크기와 상관없이 그래디언트 두 번이면 돼요. 가중치가 수백만 개인 신경망의 가장 큰 곡률도 이렇게 H를 거듭"
        " 곱해서 찾아요.",
    ),
)
def hessian_times(cases: Cases, f: Any) -> Finding | None:
    def of(
        part: Callable[[Array, Array, Array, Array], Any],
    ) -> Callable[[str, list[float], Any], Any]:
        """Make a function of gradient, Hessian, v and x one of a case's inputs."""

        def value(name: str, x: list[float], v: Any) -> Any:
            at = np.array(x)
            along = at if isinstance(v, str) else np.array(v)
            return part(FIELDS[name].gradient(at), FIELDS[name].hessian(at), along, at)

        return value

    right = of(lambda g, h, v, x: h @ v)

    def at_v(name: str, x: list[float], v: Any) -> Any:
        return FIELDS[name].gradient(np.array(x if isinstance(v, str) else v))

    def after_a_step(name: str, x: list[float], v: Any) -> Any:
        at = np.array(x)
        along = at if isinstance(v, str) else np.array(v)
        return FIELDS[name].gradient(at + along) - FIELDS[name].gradient(at)

    def prepare(name: str, x: list[float], v: Any) -> tuple[Any, Any, Any]:
        at = tf.constant(x)
        return FIELDS[name].f, at, at if isinstance(v, str) else tf.constant(v)

    v_ignored = Text(
        "`{value}` is the sum of the Hessian's rows: v is not in it. Multiply the gradient by v"
        " *before* the second `gradient`.",
        "`{value}`은(는) 헤시안의 행을 더한 값이고 v가 들어 있지 않아요. 두 번째 `gradient` *전에* 그래디언트에 v를"
        " 곱하세요.",
    )
    finding = judge(
        f,
        cases,
        right=right,
        prepare=prepare,
        mistakes=[
            Mistake(
                "v_differentiated_too",
                lambda name, x, v: (
                    of(lambda g, h, v, x: h @ v + g)(name, x, v)
                    if isinstance(v, str)
                    else right(name, x, v)
                ),
                Text(
                    "Nearly: only where v is x itself you get `{value}`, which is H v plus the"
                    " gradient. There the tape differentiates v along with the rest; a direction is a"
                    " constant: `tf.stop_gradient(v)`.",
                    "거의 맞았어요. v가 x 자신일 때만 `{value}`, 곧 H v에 그래디언트가 더해진 값이 나와요. 테이프가 v까지"
                    " 함께 미분하기 때문이에요. 방향은 상수이므로 `tf.stop_gradient(v)`를 쓰세요.",
                ),
                0.6,
            ),
            Mistake("v_ignored", of(lambda g, h, v, x: h.sum(axis=1)), v_ignored),
            Mistake(
                "multiplied_too_late",
                of(lambda g, h, v, x: h.sum(axis=1) * v),
                Text(
                    "`{value}` multiplies by v at the very end, when the Hessian's rows are already"
                    " added up. The product with v belongs between the two gradients.",
                    "`{value}`은(는) 헤시안의 행이 이미 더해진 뒤에 v를 곱했어요. v는 두 그래디언트 사이에서 곱해야 해요.",
                ),
            ),
            Mistake(
                "diagonal_only",
                of(lambda g, h, v, x: np.diag(h) * v),
                Text(
                    "`{value}` uses only the diagonal of the Hessian. Its mixed derivatives belong to"
                    " the product, too.",
                    "`{value}`은(는) 헤시안의 대각 원소만 썼어요. 섞인 도함수도 곱에 들어가야 해요.",
                ),
            ),
            Mistake(
                "gradient_times_v",
                of(lambda g, h, v, x: g * v),
                Text(
                    "`{value}` is the gradient times v, entry by entry: still first derivatives. Add it"
                    " up to one number, and take the gradient of that.",
                    "`{value}`은(는) 그래디언트와 v를 원소별로 곱한 값이라 아직 일계도함수예요. 모두 더해 숫자 하나로 만든"
                    " 뒤 그 그래디언트를 구하세요.",
                ),
            ),
            Mistake(
                "slope_along_v",
                of(lambda g, h, v, x: g @ v),
                Text(
                    "`{value}` is the slope along v, one number. Halfway there: H v is the gradient of"
                    " that number.",
                    "`{value}`은(는) v 방향의 기울기인 숫자 하나예요. 절반은 왔어요. H v는 이 숫자의 그래디언트예요.",
                ),
            ),
            Mistake(
                "slope_along_v",
                of(lambda g, h, v, x: (g @ v) * v),
                Text(
                    "`{value}` is the slope along v, times v: first derivatives only. H v is the"
                    " gradient of the slope along v.",
                    "`{value}`은(는) v 방향 기울기에 v를 곱한 값으로 일계도함수뿐이에요. H v는 v 방향 기울기의 그래디언트예요.",
                ),
            ),
            Mistake(
                "the_gradient",
                of(lambda g, h, v, x: g),
                Text(
                    "`{value}` is the gradient of f. It says how steep it is; H v says how the"
                    " gradient changes along v, which takes a second tape.",
                    "`{value}`은(는) f의 그래디언트예요. H v는 v 방향으로 그래디언트가 어떻게 변하는지를 말하고, 두 번째"
                    " 테이프가 필요해요.",
                ),
            ),
            Mistake(
                "the_hessian",
                of(lambda g, h, v, x: h),
                Text(
                    "`{value}` is the whole Hessian, without v. The point is to do without it.",
                    "`{value}`은(는) v가 빠진 헤시안 전체예요. 이 문제의 목적은 헤시안 없이 구하는 것이에요.",
                ),
            ),
            Mistake(
                "hessian_elementwise",
                of(lambda g, h, v, x: h * v),
                Text(
                    "`{value}` multiplies the Hessian by v entry by entry (`*`) and gives a matrix. A"
                    " matrix times a vector adds up along each row.",
                    "`{value}`은(는) 헤시안에 v를 원소별로(`*`) 곱한 행렬이에요. 행렬과 벡터의 곱은 행마다 더해져요.",
                ),
            ),
            Mistake(
                "hessian_elementwise",
                of(lambda g, h, v, x: (h * v).sum(axis=0)),
                v_ignored
                + Text(
                    "(Here each sum was then multiplied by an entry of v.)",
                    "(여기서는 그 합에 v의 원소를 곱했어요.)",
                ),
            ),
            Mistake(
                "bend_along_v",
                of(lambda g, h, v, x: v @ h @ v),
                Text(
                    "`{value}` is vᵀHv, the bend along v: one number. H v is a vector; one product"
                    " with v is enough.",
                    "`{value}`은(는) v 방향의 곡률 vᵀHv, 숫자 하나예요. H v는 벡터이고 v를 한 번만 곱하면 돼요.",
                ),
            ),
            Mistake(
                "v_twice",
                of(lambda g, h, v, x: (h @ v) * v),
                Text(
                    "`{value}` is H v times v once more, entry by entry: v was multiplied in twice.",
                    "`{value}`은(는) H v에 v를 원소별로 한 번 더 곱한 값이에요.",
                ),
            ),
            Mistake(
                "v_twice",
                of(lambda g, h, v, x: h @ (v * v)),
                Text(
                    "`{value}` is H times v squared: v was multiplied in twice.",
                    "`{value}`은(는) H에 v의 제곱을 곱한 값이에요. v가 두 번 곱해졌어요.",
                ),
            ),
            Mistake(
                "normalised",
                of(lambda g, h, v, x: h @ v / np.linalg.norm(v)),
                Text(
                    "In `{value}` v was made to have length 1 first. H v is meant for v as it is.",
                    "`{value}`은(는) v의 길이를 먼저 1로 만들었어요. v를 있는 그대로 써야 해요.",
                ),
            ),
            Mistake(
                "hessian_times_gradient",
                of(lambda g, h, v, x: h @ g),
                Text(
                    "`{value}` is the Hessian times the gradient, not times v: the product under the"
                    " outer tape has to hold v.",
                    "`{value}`은(는) 헤시안에 v가 아니라 그래디언트를 곱한 값이에요. 바깥 테이프 안의 곱에 v가 있어야 해요.",
                ),
            ),
            Mistake(
                "hessian_times_gradient",
                of(lambda g, h, v, x: 2 * h @ g),
                Text(
                    "`{value}` is the gradient of |gradient|²: multiply the gradient by v and not by"
                    " itself.",
                    "`{value}`은(는) |그래디언트|²의 그래디언트예요. 그래디언트를 자신이 아니라 v와 곱하세요.",
                ),
            ),
            Mistake(
                "hessian_times_x",
                of(lambda g, h, v, x: h @ x),
                Text(
                    "`{value}` is the Hessian times x, not times v.",
                    "`{value}`은(는) 헤시안에 v가 아니라 x를 곱한 값이에요.",
                ),
            ),
            Mistake(
                "target_times_v",
                of(lambda g, h, v, x: g * v.sum()),
                Text(
                    "`{value}` is the gradient of f(x) · v: there v multiplies the value of f. It has to"
                    " multiply the *gradient*.",
                    "`{value}`은(는) f(x) · v의 그래디언트예요. v는 f의 값이 아니라 *그래디언트*에 곱해야 해요.",
                ),
            ),
            Mistake(
                "v_summed",
                of(lambda g, h, v, x: h.sum(axis=1) * v.sum()),
                Text(
                    "In `{value}` gradient and v were added up each on its own and then multiplied."
                    " Multiply entry by entry first, then add up.",
                    "`{value}`은(는) 그래디언트와 v를 따로 더한 뒤 곱했어요. 먼저 원소별로 곱하고 그다음에 더하세요.",
                ),
            ),
            Mistake(
                "averaged",
                of(lambda g, h, v, x: h @ v / len(v)),
                Text(
                    "`{value}` is H v divided by the number of entries: `reduce_mean` where"
                    " `reduce_sum` belongs.",
                    "`{value}`은(는) H v를 원소 수로 나눈 값이에요. `reduce_sum`을 쓸 자리에 `reduce_mean`을 썼어요.",
                ),
            ),
            Mistake(
                "roles_exchanged",
                lambda name, x, v: right(name, x, v) if isinstance(v, str) else right(name, v, x),
                Text(
                    "`{value}` is the Hessian *at v*, times x: the two have changed places. The Hessian is"
                    " taken at x, and multiplied by v.",
                    "`{value}`은(는) *v에서의* 헤시안에 x를 곱한 값이에요. 둘이 바뀌었어요. 헤시안은 x에서 구하고 v를"
                    " 곱해요.",
                ),
            ),
            Mistake(
                "gradient_at_v",
                at_v,
                Text(
                    "`{value}` is the gradient of f *at* v. v is a direction to move in from x, not a"
                    " place.",
                    "`{value}`은(는) v *위치에서의* f의 그래디언트예요. v는 위치가 아니라 x에서 움직이는 방향이에요.",
                ),
            ),
            Mistake(
                "whole_step",
                after_a_step,
                Text(
                    "`{value}` is how the gradient changes after the whole step v. H v is the rate at"
                    " which it begins to change: a derivative, not a difference.",
                    "`{value}`은(는) v만큼 다 움직인 뒤 그래디언트의 변화예요. H v는 변하기 시작하는 비율, 곧 차이가 아니라"
                    " 미분이에요.",
                ),
            ),
            Mistake(
                "inverse",
                of(
                    lambda g, h, v, x: (
                        np.linalg.solve(h, v) if abs(np.linalg.det(h)) > 1e-9 else None
                    )
                ),
                Text(
                    "`{value}` solves H s = v. That divides by the Hessian; a product is asked for.",
                    "`{value}`은(는) H s = v를 푼 값이에요. 헤시안으로 나눈 것인데, 여기서는 곱이 필요해요.",
                ),
            ),
            Mistake(
                "all_summed",
                of(lambda g, h, v, x: (h @ v).sum()),
                Text(
                    "`{value}` is the sum of the entries of H v: a vector as long as x is asked for.",
                    "`{value}`은(는) H v의 원소를 모두 더한 값이에요. x와 길이가 같은 벡터가 필요해요.",
                ),
            ),
        ],
    )
    return finding or _built_the_hessian(f)


def _built_the_hessian(f: Any) -> Finding | None:
    """Look for a tensor with n * n numbers in what a right answer computes."""
    n = 23
    largest = largest_tensor(f, _bowl, tf.linspace(0.1, 1.0, n), tf.linspace(-1.0, 1.0, n))
    if largest < n * n:
        return None
    return Finding(
        "with_the_hessian",
        Text(
            f"The numbers are right, and the whole Hessian was built to get them: for {n} entries of"
            f" x your code makes a tensor of {n} * {n} = {n * n} numbers. Use `gradient` of the slope"
            " along v, and no `jacobian`.",
            f"값은 맞지만 헤시안 전체를 만들었어요. x의 원소가 {n}개일 때 코드가 {n} * {n} = {n * n}개짜리 텐서를"
            " 만들어요. `jacobian` 대신 v 방향 기울기의 `gradient`를 쓰세요.",
        ),
        0.4,
    )


def _rosenbrock(p: Any) -> Any:
    a, b = tf.unstack(p)  # as above
    return tf.square(1.0 - a) + 100.0 * tf.square(b - tf.square(a))


def _landing(p: Array) -> Array:
    """Return where one step of Newton's method lands on Rosenbrock's valley, in closed form."""
    a, b = p
    new_a = a + (1 - a) / (1 - 200 * (b - a * a))
    return np.array([new_a, new_a**2 - (new_a - a) ** 2])


def _slope(p: Array) -> Array:
    a, b = p
    return np.array([-400 * a * (b - a * a) - 2 * (1 - a), 200 * (b - a * a)])


def _bend(p: Array) -> Array:
    a, b = p
    return np.array([[1200 * a * a - 400 * b + 2, -400 * a], [-400 * a, 200.0]])


@problem(
    "3.6",
    section="Gradient descent zigzags",
    objective=5,
    difficulty=3,
    points=4,
    cases=[
        ([0.5, 0.5], 1),
        ([-1.2, 1.0], 3),
        ([0.0, 0.5], 0),
    ],
    hints=[
        Text(
            "One step: gradient g and Hessian H at the point where you stand *now*, then solve"
            " H s = g, then go to p - s. Repeat it `steps` times.",
            "한 걸음은 이래요. *지금* 서 있는 점에서 그래디언트 g와 헤시안 H를 구하고, H s = g를 풀고, p - s로 가요."
            " 이것을 `steps`번 되풀이해요.",
        ),
        Text(
            "`tf.linalg.solve` wants a column: `gradient[:, None]` goes in, `[:, 0]` of what comes"
            " out is the step. Your `hessian_of` from 3.4 may help.",
            "`tf.linalg.solve`에는 열벡터가 필요해요. `gradient[:, None]`을 넣고, 나온 것의 `[:, 0]`이 걸음이에요."
            " 3.4의 `hessian_of`를 써도 좋아요.",
        ),
        Text(
            "In the loop: the gradient by a tape that watches p, `hessian = hessian_of(f, p)`,"
            " `step = tf.linalg.solve(hessian, gradient[:, None])[:, 0]`, `p = p - step`.",
            "반복문 안에서 p를 지켜보는 테이프로 그래디언트를 구하고, `hessian = hessian_of(f, p)`,"
            " `step = tf.linalg.solve(hessian, gradient[:, None])[:, 0]`, `p = p - step`을 실행해요.",
        ),
    ],
    remark=Text(
        "Six steps from (-1.2, 1) to the bottom of a valley in which gradient descent needs"
        " thousands. Look at the loss on the way: the second step raises it from 4.7 to 1,411. Newton"
        " asks where it is flat, not where it is lower.",
        "경사 하강법이라면 수천 걸음이 필요한 골짜기를 (-1.2, 1)에서 여섯 걸음에 내려왔어요. 도중의 손실을 보세요."
        " 두 번째 걸음에서 4.7에서 1,411로 올라가요. 뉴턴은 더 낮은 곳이 아니라 평평한 곳을 찾아요.",
    ),
)
def newton(cases: Cases, f: Any) -> Finding | None:
    Step = Callable[[Array], Array]

    def walk(step: Step, start: list[float], steps: int) -> Array:
        p = np.array(start)
        for _ in range(max(steps, 0)):
            p = step(p)
        return p

    def by(step: Step) -> Callable[[list[float], int], Array]:
        return lambda start, steps: walk(step, start, steps)

    def stale(start: list[float], steps: int, bend: bool, slope: bool) -> Array:
        p = first = np.array(start)
        for _ in range(steps):
            p = p - np.linalg.solve(_bend(first if bend else p), _slope(first if slope else p))
        return p

    def along(start: list[float], steps: int, direction: Step, value: Any) -> bool:
        """Tell whether a single step went along a direction, however far."""
        mine = numbers(plain(value))
        if steps != 1 or mine is None or mine.shape != (2,) or not np.isfinite(mine).all():
            return False
        moved, wanted = mine - start, direction(np.array(start))
        sizes = np.linalg.norm(moved) * np.linalg.norm(wanted)
        return bool(sizes > 0 and abs(moved @ wanted) > (1 - 1e-6) * sizes)

    def damped(more: float, p: Array) -> Array:
        return np.asarray(p - np.linalg.solve(_bend(p) + more * np.eye(2), _slope(p)))

    tolerance = 2e-3
    prepare: Callable[..., tuple[Any, ...]] = lambda start, steps: (  # noqa: E731
        _rosenbrock,
        tf.constant(start),
        steps,
    )
    short = Text(
        "After {steps} you are at `{value}`, which is one step short: does the loop run `steps`"
        " times, and is the last step used?",
        "{steps} 뒤에 `{value}`에 있는데, 한 걸음 모자라요. 반복문이 `steps`번 도는지, 마지막 걸음이 쓰였는지 보세요.",
    )
    mistakes = [
        Mistake(
            "uphill",
            by(lambda p: 2 * p - _landing(p)),
            Text(
                "`{value}` goes the step in the wrong direction: from p to p + s. It is p - s.",
                "`{value}`은(는) 반대 방향으로 걸었어요. p + s가 아니라 p - s예요.",
            ),
        ),
        Mistake(
            "the_step",
            lambda start, steps: (
                np.subtract(start, _landing(np.array(start))) if steps == 1 else None
            ),
            Text(
                "`{value}` is the step s. The new point is asked for: p - s.",
                "`{value}`은(는) 걸음 s예요. 필요한 것은 새 점 p - s예요.",
            ),
        ),
        Mistake(
            "the_step",
            lambda start, steps: _landing(np.array(start)) - start if steps == 1 else None,
            Text(
                "`{value}` is the step -s. The new point is asked for: p - s.",
                "`{value}`은(는) 걸음 -s예요. 필요한 것은 새 점 p - s예요.",
            ),
        ),
        Mistake(
            "hessian_multiplied",
            by(lambda p: p - _bend(p) @ _slope(p)),
            Text(
                "`{value}` *multiplies* the gradient by the Hessian. Newton's step divides by the bend:"
                " solve H s = g, `tf.linalg.solve(hessian, gradient[:, None])`.",
                "`{value}`은(는) 그래디언트에 헤시안을 *곱했어요*. 뉴턴의 걸음은 곡률로 나누어요. H s = g를 푸는"
                " `tf.linalg.solve(hessian, gradient[:, None])`을 쓰세요.",
            ),
        ),
        Mistake(
            "only_the_diagonal",
            by(lambda p: p - _slope(p) / np.diag(_bend(p))),
            Text(
                "`{value}` divides by the diagonal of the Hessian only. Here the two parameters pull"
                " at each other: the mixed derivatives are needed, solve H s = g.",
                "`{value}`은(는) 헤시안의 대각 원소로만 나누었어요. 두 파라미터가 서로 영향을 주므로 섞인 도함수도 필요해요."
                " H s = g를 푸세요.",
            ),
        ),
        Mistake(
            "rows_summed",
            by(lambda p: p - _slope(p) / _bend(p).sum(axis=1)),
            Text(
                "`{value}` divides by the sums of the Hessian's rows: `gradient` of the gradient added"
                " them up. Take the `jacobian`, and solve H s = g.",
                "`{value}`은(는) 헤시안의 행의 합으로 나누었어요. 그래디언트의 `gradient`가 행을 더해 버렸어요."
                " `jacobian`을 구하고 H s = g를 푸세요.",
            ),
        ),
        Mistake(
            "divided_entry_by_entry",
            lambda start, steps: (
                start - _slope(np.array(start)) / _bend(np.array(start)) if steps == 1 else None
            ),
            Text(
                "`{value}` divides entry by entry (`/`) and gives a matrix. A Hessian is divided by"
                " through solving: H s = g.",
                "`{value}`은(는) 원소별로(`/`) 나누어 행렬이 되었어요. 헤시안으로 나눈다는 것은 H s = g를 푼다는 뜻이에요.",
            ),
        ),
        Mistake(
            "half_steps",
            by(lambda p: (p + _landing(p)) / 2),
            Text(
                "`{value}` goes half of each step. Newton's step has length 1 times s.",
                "`{value}`은(는) 걸음을 절반만 갔어요. 뉴턴의 걸음은 s 그대로예요.",
            ),
        ),
        Mistake(
            "start_returned",
            lambda start, steps: np.array(start),
            Text(
                "`{value}` is where you started. Does the loop keep the new point, `p = p - step`, and"
                " is p what you return?",
                "`{value}`은(는) 출발점이에요. 반복문에서 `p = p - step`으로 새 점을 보관하고 p를 돌려주나요?",
            ),
        ),
        Mistake(
            "one_step_short",
            lambda start, steps: walk(_landing, start, steps - 1),
            Text(
                *(
                    each.replace("{steps}", words)
                    for each, words in zip(short, ("all steps", "모든 걸음"), strict=True)
                )
            ),
        ),
        Mistake(
            "one_step_more",
            lambda start, steps: walk(_landing, start, steps + 1),
            Text(
                "`{value}` is one step further than asked for: with 0 steps the answer is the start.",
                "`{value}`은(는) 한 걸음 더 간 점이에요. 0걸음이면 출발점이 답이에요.",
            ),
        ),
        Mistake(
            "column_subtracted",
            lambda start, steps: (
                np.array(start)[None, :] - (np.array(start) - _landing(np.array(start)))[:, None]
                if steps == 1
                else walk(_landing, start, steps)
            ),
            Text(
                "You subtract a column from a row, and broadcasting makes a square of them, `{value}`:"
                " `tf.linalg.solve` gives a column, of which `[:, 0]` is the step.",
                "행에서 열을 빼서 브로드캐스팅으로 정사각형 `{value}`이(가) 되었어요. `tf.linalg.solve`는 열을 주므로 `[:, 0]`이"
                " 걸음이에요.",
            ),
        ),
        *(
            Mistake(
                "damped",
                by(functools.partial(damped, more)),
                Text(
                    "`{value}` adds a multiple of the identity to the Hessian: that is a damped step"
                    " (Levenberg). Newton's solves H s = g with H itself.",
                    "`{value}`은(는) 헤시안에 단위 행렬의 배수를 더한 감쇠 걸음(레벤버그)이에요. 뉴턴의 걸음은 H 그대로"
                    " H s = g를 풀어요.",
                ),
            )
            for more in (1.0, 0.1, 10.0, 100.0)
        ),
        Mistake(
            "one_step_only",
            lambda start, steps: walk(_landing, start, min(steps, 1)),
            Text(
                "`{value}` is where the first step leads, however many are asked for: repeat it.",
                "`{value}`은(는) 몇 걸음을 요청하든 첫걸음이 닿는 곳이에요. `steps`번 되풀이하세요.",
            ),
        ),
        Mistake(
            "to_the_end",
            lambda start, steps: np.ones(2),
            Text(
                "`{value}` is the bottom of the valley. Where are you after exactly `steps` steps?",
                "`{value}`은(는) 골짜기의 바닥이에요. 정확히 `steps`걸음 뒤의 점이 필요해요.",
            ),
        ),
        Mistake(
            "never_looked_again",
            lambda start, steps: stale(start, steps, True, True),
            Text(
                "`{value}` repeats the first step again and again: gradient and Hessian have to be"
                " computed anew, at the new point, inside the loop.",
                "`{value}`은(는) 첫걸음을 계속 되풀이했어요. 그래디언트와 헤시안은 반복문 안에서, 새 점에서 다시 계산해야 해요.",
            ),
        ),
        Mistake(
            "stale_hessian",
            lambda start, steps: stale(start, steps, True, False),
            Text(
                "`{value}` uses the Hessian of the start for every step. This valley bends differently"
                " everywhere: compute it anew inside the loop.",
                "`{value}`은(는) 출발점의 헤시안을 모든 걸음에 썼어요. 이 골짜기는 곳마다 다르게 휘어 있으니 반복문 안에서"
                " 다시 계산하세요.",
            ),
        ),
        Mistake(
            "stale_gradient",
            lambda start, steps: stale(start, steps, False, True),
            Text(
                "`{value}` uses the gradient of the start for every step: compute it anew in the loop.",
                "`{value}`은(는) 출발점의 그래디언트를 모든 걸음에 썼어요. 반복문 안에서 다시 계산하세요.",
            ),
        ),
        Mistake(
            "the_loss",
            lambda start, steps: float(_rosenbrock(walk(_landing, start, steps))),
            Text(
                "`{value}` is the loss where you arrive; the point itself is asked for.",
                "`{value}`은(는) 도착한 곳의 손실이에요. 점 자체가 필요해요.",
            ),
        ),
        Mistake(
            "the_path",
            lambda start, steps: [walk(_landing, start, k).tolist() for k in range(steps + 1)],
            Text(
                "You give back the whole path; only the last point is asked for.",
                "지나온 점을 모두 돌려줬어요. 마지막 점만 필요해요.",
            ),
        ),
        Mistake(
            "the_path",
            lambda start, steps: [walk(_landing, start, k + 1).tolist() for k in range(steps)],
            Text(
                "You give back the point after every step; only the last one is asked for.",
                "걸음마다의 점을 모두 돌려줬어요. 마지막 점만 필요해요.",
            ),
        ),
    ]
    named = {each.name for each in mistakes}
    single = [case for case in cases if case[1] == 1]

    def judged(chosen: Cases) -> Finding | None:
        with np.errstate(all="ignore"):
            return judge(f, chosen, by(_landing), mistakes, prepare=prepare, tolerance=tolerance)

    finding = judged(cases)
    if finding is None:
        return _on_another_valley(f, tolerance)
    if finding.name in named or not callable(f) or unattempted(f):
        return finding
    first_step = judged(single)
    if first_step is None or first_step.name in named:
        return first_step or finding
    moved = [(start, steps, run(f, *prepare(start, steps))) for start, steps in single]
    if all(along(start, steps, _slope, value) for start, steps, value in moved):
        return GRADIENT_DESCENT
    if all(along(start, steps, lambda p: p - _landing(p), value) for start, steps, value in moved):
        return STEP_SCALED
    return first_step


def _quartic(p: Any) -> Any:
    return p[0] ** 4 + p[0] * p[1] + (1.0 + p[1]) ** 2


def _step_on_the_quartic(p: Array) -> Array:
    slope = np.array([4 * p[0] ** 3 + p[1], p[0] + 2 * (1 + p[1])])
    bend = np.array([[12 * p[0] ** 2, 1.0], [1.0, 2.0]])
    return p - np.linalg.solve(bend, slope)


def _on_another_valley(f: Any, tolerance: float) -> Finding | None:
    """Say whether an answer that is right for Rosenbrock's function is right for another one."""
    start = [1.0, -0.5]
    value = run(f, _quartic, tf.constant(start), 2)
    if isinstance(value, Finding):
        return value
    if agree(value, _step_on_the_quartic(_step_on_the_quartic(np.array(start))), tolerance):
        return None
    if agree(value, _landing(_landing(np.array(start))), tolerance):
        return Finding(
            "rosenbrock_only",
            Text(
                "Right for Rosenbrock's function. Handed another one, your code still goes to where"
                " `rosenbrock` leads: use the argument `f`, for the gradient and for the Hessian.",
                "로젠브록 함수에서는 맞아요. 다른 함수를 주어도 `rosenbrock`이 이끄는 곳으로 가요. 그래디언트에도 헤시안에도"
                " 인자 `f`를 쓰세요.",
            ),
            0.5,
        )
    return Finding(
        "another_function",
        Text(
            f"Right for Rosenbrock's function. For another `f`, p₀⁴ + p₀p₁ + (1 + p₁)², it arrives at"
            f" `{show(value)}` after 2 steps from {start}, and"
            f" `{show(_step_on_the_quartic(_step_on_the_quartic(np.array(start))))}` is right: does"
            " everything in your code, gradient and Hessian, come from the argument `f`?",
            f"로젠브록 함수에서는 맞아요. 다른 `f`인 p₀⁴ + p₀p₁ + (1 + p₁)²에서는 {start}에서 두 걸음 뒤에"
            f" `{show(value)}`에 있는데 `{show(_step_on_the_quartic(_step_on_the_quartic(np.array(start))))}`이(가)"
            " 맞아요. 그래디언트와 헤시안이 모두 인자 `f`에서 나오나요?",
        ),
        0.5,
    )


GRADIENT_DESCENT = Finding(
    "gradient_descent",
    Text(
        "That step goes along the gradient: it is gradient descent with a learning rate, and knows"
        " nothing of the bend. Newton's step solves H s = g, and needs no learning rate.",
        "이 걸음은 그래디언트 방향으로 가요. 학습률을 쓰는 경사 하강법이고 곡률을 쓰지 않아요. 뉴턴의 걸음은 H s = g를"
        " 풀고, 학습률이 필요 없어요.",
    ),
)
STEP_SCALED = Finding(
    "step_scaled",
    Text(
        "The direction is Newton's, the length is not: his step is s itself, without a learning rate"
        " and without a limit.",
        "방향은 뉴턴의 걸음과 같지만 길이가 달라요. 학습률이나 제한 없이 s만큼 그대로 가야 해요.",
    ),
)


@problem(
    "3.7",
    section="A penalty on a gradient",
    objective=3,
    difficulty=3,
    points=4,
    cases=[
        ([[0.3, -0.2], [0.5, 0.1], [-0.4, 0.6]], [1.5, 2.0]),
        ([[0.1, 0.2, -0.3], [1.0, 0.5, 0.2]], [0.5, -1.0, 2.0]),
        ([[0.2, 0.3]], [0.5, 0.4]),
    ],
    hints=[
        Text(
            "Two tapes: the inner one for the slopes towards the examples `x`, the outer one for the"
            " slopes of the penalty towards the weights `w`.",
            "테이프 두 개가 필요해요. 안쪽은 예시 `x` 방향의 기울기, 바깥쪽은 가중치 `w`에 대한 벌점의 기울기를 구해요.",
        ),
        Text(
            "The slopes have the shape of `x`: one row for each example. Each row has a length of its"
            " own: `axis=1`. Then minus 1, squared, averaged.",
            "기울기의 모양은 `x`와 같아요. 예시마다 한 행이고, 행마다 길이가 하나씩 나와요(`axis=1`). 그다음 1을 빼고,"
            " 제곱하고, 평균을 내요.",
        ),
        Text(
            "Inside the outer tape: `slopes = tape.gradient(y, x)`, `lengths = tf.norm(slopes,"
            " axis=1)`, `penalty = tf.reduce_mean((lengths - 1.0) ** 2)`. After it:"
            " `outer_tape.gradient(penalty, w)`.",
            "바깥 테이프 안에서 `slopes = tape.gradient(y, x)`, `lengths = tf.norm(slopes, axis=1)`,"
            " `penalty = tf.reduce_mean((lengths - 1.0) ** 2)`를 계산하고, 그 뒤에"
            " `outer_tape.gradient(penalty, w)`를 구해요.",
        ),
    ],
    remark=Text(
        "Replace `critic` by a deep network and these lines train a Wasserstein GAN. Mind batch"
        " normalisation there: it mixes the examples, and then a row of the slopes no longer belongs"
        " to one example.",
        "`critic`을 깊은 신경망으로 바꾸면 이 몇 줄로 Wasserstein GAN을 학습시킬 수 있어요. 단, 배치 정규화는 예시를"
        " 섞기 때문에 기울기의 한 행이 더 이상 한 예시의 것이 아니게 돼요.",
    ),
)
def gradient_penalty(cases: Cases, f: Any) -> Finding | None:
    def lengths(slopes: Array) -> Array:
        return np.asarray(np.sqrt((slopes**2).sum(axis=1)))

    def right(slopes: Array, x: Array, w: Array) -> Any:
        return ((lengths(slopes) - 1) ** 2).mean()

    def mean_output(slopes: Array, x: Array, w: Array) -> Any:
        return (np.tanh(x) @ w).mean()

    Formula = Callable[[Array, Array, Array], Any]

    def penalty(formula: Formula) -> Callable[[Any, Any], Any]:
        def value(x: Any, w: Any) -> Any:
            at, weights = np.array(x), np.array(w)
            slopes = (1 - np.tanh(at) ** 2) * weights
            return formula(slopes, at, weights)

        return value

    def towards_w(formula: Formula) -> Callable[[Any, Any], Any]:
        def value(x: Any, w: Any) -> Any:
            steps = 1e-5 * np.eye(len(w))
            f = penalty(formula)
            return np.array([(f(x, w + s) - f(x, w - s)) / 2e-5 for s in steps])

        return value

    def pair(first: Formula, second: Formula) -> Callable[[Any, Any], tuple[Any, Any]]:
        return lambda x, w: (penalty(first)(x, w), towards_w(second)(x, w))

    per_example = Text(
        "`{value}` takes one length over the whole batch. Each example has a slope of its own and"
        " a length of its own: `tf.norm(slopes, axis=1)`.",
        "`{value}`은(는) 배치 전체에서 길이를 하나만 구했어요. 예시마다 기울기가 있고 길이도 하나씩 있어요:"
        " `tf.norm(slopes, axis=1)`.",
    )
    formulas: list[tuple[str, Formula, Text]] = [
        *(
            (
                "one_example",
                lambda s, x, w, i=i: (lengths(s)[i] - 1) ** 2,
                Text(
                    f"`{{value}}` looks at the {which[0]} example only. The penalty is the mean over all of"
                    " them.",
                    f"`{{value}}`은(는) {which[1]} 예시만 보았어요. 벌점은 모든 예시의 평균이에요.",
                ),
            )
            for i, which in ((0, ("first", "첫째")), (-1, ("last", "마지막")))
        ),
        ("whole_batch", lambda s, x, w: (np.sqrt((s**2).sum()) - 1) ** 2, per_example),
        (
            "whole_batch",
            lambda s, x, w: (np.sqrt((s.sum(axis=0) ** 2).sum()) - 1) ** 2,
            Text(
                "`{value}` adds the slopes of all examples before taking the length. Each example has"
                " a length of its own: `tf.norm(slopes, axis=1)`.",
                "`{value}`은(는) 모든 예시의 기울기를 더한 뒤 길이를 구했어요. 예시마다 길이가 하나씩 있어요:"
                " `tf.norm(slopes, axis=1)`.",
            ),
        ),
        (
            "whole_batch",
            lambda s, x, w: (np.sqrt((s.mean(axis=0) ** 2).sum()) - 1) ** 2,
            Text(
                "`{value}` averages the slopes of all examples before taking the length. Each example"
                " has a length of its own: `tf.norm(slopes, axis=1)`.",
                "`{value}`은(는) 모든 예시의 기울기를 평균한 뒤 길이를 구했어요. 예시마다 길이가 하나씩 있어요:"
                " `tf.norm(slopes, axis=1)`.",
            ),
        ),
        (
            "wrong_axis",
            lambda s, x, w: ((np.sqrt((s**2).sum(axis=0)) - 1) ** 2).mean(),
            Text(
                "`{value}` takes the lengths of the columns: `axis=0` runs over the examples. The"
                " slope of one example is a row: `axis=1`.",
                "`{value}`은(는) 열의 길이를 구했어요. `axis=0`은 예시를 따라가요. 예시 하나의 기울기는 한 행이므로"
                " `axis=1`이에요.",
            ),
        ),
        (
            "square_missing",
            lambda s, x, w: (lengths(s) - 1).mean(),
            Text(
                "`{value}` averages length - 1 without the square: too long and too short would"
                " cancel.",
                "`{value}`은(는) 길이 - 1을 제곱하지 않고 평균했어요. 너무 긴 것과 너무 짧은 것이 서로 지워져요.",
            ),
        ),
        (
            "square_missing",
            lambda s, x, w: np.abs(lengths(s) - 1).mean(),
            Text(
                "`{value}` averages |length - 1|; the *square* of length - 1 is asked for.",
                "`{value}`은(는) |길이 - 1|의 평균이에요. 길이 - 1의 *제곱*이 필요해요.",
            ),
        ),
        (
            "square_of_the_mean",
            lambda s, x, w: (lengths(s).mean() - 1) ** 2,
            Text(
                "`{value}` averages the lengths first and squares then. The penalty of each example is"
                " squared, and the average comes last.",
                "`{value}`은(는) 길이를 먼저 평균한 뒤 제곱했어요. 예시마다 제곱하고 평균은 마지막에 내요.",
            ),
        ),
        (
            "root_missing",
            lambda s, x, w: (((s**2).sum(axis=1) - 1) ** 2).mean(),
            Text(
                "`{value}` uses the *squared* length of each slope: the square root is missing.",
                "`{value}`은(는) 기울기 길이의 *제곱*을 썼어요. 제곱근이 빠졌어요.",
            ),
        ),
        (
            "one_missing",
            lambda s, x, w: (lengths(s) ** 2).mean(),
            Text(
                "`{value}` is the average of the squared lengths: the 1 is missing. The slope should"
                " have length 1, not 0.",
                "`{value}`은(는) 길이 제곱의 평균이에요. 1을 빼지 않았어요. 기울기의 길이는 0이 아니라 1이어야 해요.",
            ),
        ),
        (
            "the_lengths",
            lambda s, x, w: lengths(s).mean(),
            Text(
                "`{value}` is the average length of the slopes. The penalty is the square of how far"
                " it is from 1.",
                "`{value}`은(는) 기울기 길이의 평균이에요. 벌점은 그것이 1에서 벗어난 만큼의 제곱이에요.",
            ),
        ),
        (
            "added_over_the_batch",
            lambda s, x, w: ((lengths(s) - 1) ** 2).sum(),
            Text(
                "`{value}` adds the examples' penalties up. Average them, or a larger batch is"
                " punished for its size.",
                "`{value}`은(는) 예시의 벌점을 더했어요. 평균을 내세요. 그렇지 않으면 배치가 클수록 벌점이 커져요.",
            ),
        ),
        (
            "other_length",
            lambda s, x, w: ((np.abs(s).sum(axis=1) - 1) ** 2).mean(),
            Text(
                "In `{value}` the length is the sum of the absolute values. Meant is the ordinary"
                " length: the root of the sum of squares.",
                "`{value}`에서는 절댓값의 합을 길이로 썼어요. 보통의 길이, 곧 제곱합의 제곱근이 필요해요.",
            ),
        ),
        (
            "other_length",
            lambda s, x, w: ((np.sqrt((s**2).mean(axis=1)) - 1) ** 2).mean(),
            Text(
                "In `{value}` the squares inside the length were averaged. A length adds them up.",
                "`{value}`에서는 길이 안의 제곱을 평균했어요. 길이는 제곱을 더한 것의 제곱근이에요.",
            ),
        ),
        (
            "other_length",
            lambda s, x, w: ((s.sum(axis=1) - 1) ** 2).mean(),
            Text(
                "In `{value}` the entries of each slope were simply added up. A length is the root of"
                " the sum of squares.",
                "`{value}`에서는 기울기의 원소를 그냥 더했어요. 길이는 제곱합의 제곱근이에요.",
            ),
        ),
        (
            "entry_by_entry",
            lambda s, x, w: ((s - 1) ** 2).mean(),
            Text(
                "`{value}` compares every single entry of the slopes with 1. It is the *length* of"
                " each row that should be 1.",
                "`{value}`은(는) 기울기의 원소 하나하나를 1과 비교했어요. 1이어야 하는 것은 각 행의 *길이*예요.",
            ),
        ),
        (
            "mean_of_outputs",
            lambda s, x, w: ((lengths(s / len(s)) - 1) ** 2).mean(),
            Text(
                "`{value}` comes from slopes that were divided by the number of examples: the inner"
                " tape was asked about the *mean* of the outputs. Ask about the outputs themselves.",
                "`{value}`은(는) 예시 수로 나눈 기울기에서 나왔어요. 안쪽 테이프에 출력의 *평균*을 물었기 때문이에요. 출력"
                " 자체를 타깃으로 주세요.",
            ),
        ),
        (
            "too_long_only",
            lambda s, x, w: (np.maximum(lengths(s) - 1, 0) ** 2).mean(),
            Text(
                "`{value}` punishes only slopes that are too long. Too short ones count as well.",
                "`{value}`은(는) 너무 긴 기울기에만 벌점을 줘요. 너무 짧은 것도 세어야 해요.",
            ),
        ),
        (
            "factor_ten",
            lambda s, x, w: 10 * ((lengths(s) - 1) ** 2).mean(),
            Text(
                "`{value}` is ten times the penalty. That weight is usual in a whole loss; here the bare"
                " penalty is asked for.",
                "`{value}`은(는) 벌점의 열 배예요. 전체 손실에서 흔히 쓰는 가중치이지만 여기서는 벌점 자체가 필요해요.",
            ),
        ),
        (
            "half",
            lambda s, x, w: 0.5 * ((lengths(s) - 1) ** 2).mean(),
            Text("`{value}` is half the penalty.", "`{value}`은(는) 벌점의 절반이에요."),
        ),
        (
            "outputs_punished",
            lambda s, x, w: ((np.tanh(x) @ w - 1) ** 2).mean(),
            Text(
                "`{value}` compares the critic's *outputs* with 1. The penalty is on its slopes towards"
                " x.",
                "`{value}`은(는) critic의 *출력*을 1과 비교했어요. 벌점은 x 방향의 기울기에 주는 것이에요.",
            ),
        ),
        (
            "inputs_punished",
            lambda s, x, w: ((lengths(x) - 1) ** 2).mean(),
            Text(
                "`{value}` compares the length of the *inputs* with 1. The penalty is on the slopes.",
                "`{value}`은(는) *입력*의 길이를 1과 비교했어요. 벌점은 기울기에 주는 것이에요.",
            ),
        ),
        (
            "slopes_towards_w",
            lambda s, x, w: (np.sqrt((np.tanh(x).sum(axis=0) ** 2).sum()) - 1) ** 2,
            Text(
                "`{value}` comes from the slopes towards the *weights*. Inside, the slopes towards the"
                " examples x are meant: `tape.gradient(y, x)`.",
                "`{value}`은(는) *가중치* 방향의 기울기에서 나왔어요. 안쪽에서는 예시 x 방향의 기울기가 필요해요:"
                " `tape.gradient(y, x)`.",
            ),
        ),
    ]

    def towards_x(x: Any, w: Any) -> Any:
        at, f = np.array(x), penalty(right)
        found = np.zeros_like(at)
        for place in np.ndindex(at.shape):
            step = np.zeros_like(at)
            step[place] = 1e-5
            found[place] = (f(at + step, w) - f(at - step, w)) / 2e-5
        return found

    formula = """
def penalty(slopes):
    lengths = np.sqrt((slopes**2).sum(axis=1))
    return np.mean((lengths - 1) ** 2)
"""

    second_only = Text(
        "The penalty is right. The slopes towards w in `{value}` are {what}.",
        "벌점은 맞아요. `{value}`에서 w 방향의 기울기는 {what}.",
    )
    return judge(
        f,
        cases,
        right=pair(right, right),
        prepare=lambda x, w: (tf.constant(x), tf.Variable(w)),
        tolerance=1e-3,
        mistakes=[
            *(Mistake(name, pair(wrong, wrong), text) for name, wrong, text in formulas),
            Mistake(
                "only_the_penalty",
                penalty(right),
                Text(
                    "`{value}` is the penalty, and right. Its slopes towards w are asked for as well:"
                    " return `penalty, dpenalty_dw`.",
                    "`{value}`은(는) 벌점이고 맞았어요. w 방향의 기울기도 필요해요. `penalty, dpenalty_dw`를 돌려주세요.",
                ),
                0.5,
            ),
            Mistake(
                "only_the_slopes",
                towards_w(right),
                Text(
                    "`{value}` are the slopes towards w, and right. The penalty itself is asked for as"
                    " well: return `penalty, dpenalty_dw`.",
                    "`{value}`은(는) w 방향의 기울기이고 맞았어요. 벌점도 필요해요. `penalty, dpenalty_dw`를 돌려주세요.",
                ),
                0.5,
            ),
            Mistake(
                "slopes_towards_x",
                lambda x, w: (penalty(right)(x, w), towards_x(x, w)),
                Text(
                    "The penalty is right. The second result has the shape of `x`: it is the penalty's slope"
                    " towards the *examples*. Asked for are those towards the weights, `w`.",
                    "벌점은 맞아요. 두 번째 결과는 `x`와 모양이 같은, *예시* 방향의 기울기예요. 가중치 `w` 방향의 기울기가"
                    " 필요해요.",
                ),
                0.5,
            ),
            Mistake(
                "sign_of_the_slopes",
                lambda x, w: (penalty(right)(x, w), -towards_w(right)(x, w)),
                Text(
                    second_only.en.replace("{what}", "reversed in sign"),
                    second_only.ko.replace("{what}", "부호가 반대예요"),
                ),
                0.5,
            ),
            *(
                Mistake(
                    "slopes_of_the_critic",
                    value,
                    Text(
                        second_only.en.replace(
                            "{what}",
                            "those of the critic's outputs: the outer tape has to"
                            " differentiate the *penalty*",
                        ),
                        second_only.ko.replace(
                            "{what}",
                            "critic 출력의 기울기예요. 바깥 테이프는 *벌점*을 미분해야 해요",
                        ),
                    ),
                    0.5,
                )
                for value in (
                    pair(right, mean_output),
                    pair(right, lambda s, x, w: (np.tanh(x) @ w).sum()),
                )
            ),
            Mistake(
                "slopes_before_the_mean",
                pair(right, lambda s, x, w: ((lengths(s) - 1) ** 2).sum()),
                Text(
                    second_only.en.replace(
                        "{what}", "those of the sum: the outer tape was asked before the average"
                    ),
                    second_only.ko.replace(
                        "{what}", "합의 기울기예요. 평균을 내기 전의 값을 미분했어요"
                    ),
                ),
                0.5,
            ),
            Mistake(
                "slopes_of_the_slopes",
                pair(right, lambda s, x, w: s.sum()),
                Text(
                    second_only.en.replace(
                        "{what}",
                        "those of the inner slopes: the outer tape has to differentiate the"
                        " *penalty*",
                    ),
                    second_only.ko.replace(
                        "{what}", "안쪽 기울기의 기울기예요. 바깥 테이프는 *벌점*을 미분해야 해요"
                    ),
                ),
                0.5,
            ),
            *(Mistake(name, penalty(wrong), text) for name, wrong, text in formulas),
            Mistake(
                "not_averaged",
                lambda x, w: (
                    penalty(lambda s, x, w: (lengths(s) - 1) ** 2)(x, w),
                    towards_w(lambda s, x, w: ((lengths(s) - 1) ** 2).sum())(x, w),
                ),
                Text(
                    "The penalty in `{value}` still has a number for each example, and the tape added"
                    " up their slopes: average first, `tf.reduce_mean`.",
                    "`{value}`의 벌점에는 아직 예시마다 숫자가 하나씩 있고, 테이프가 그 기울기를 더했어요. 먼저"
                    " `tf.reduce_mean`으로 평균을 내세요.",
                ),
            ),
        ],
        recipes=[
            Recipe(
                formula,
                finish=lambda f: pair(lambda s, x, w: f(s), lambda s, x, w: f(s)),
            ),
            Recipe(formula, finish=lambda f: pair(right, lambda s, x, w: f(s))),
        ],
    )


__all__ = ["CURVES", "FIELDS"]
