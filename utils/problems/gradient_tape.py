"""The problems of lesson 1, the gradient tape."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from utils.problems.judging import Mistake, judge
from utils.problems.problem import Cases, Finding, problem
from utils.problems.text import Text


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
        ],
    )
