"""A right program with one slip in it tells which slip a learner has made."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from collected import ANSWERS
from test_answers import each_problem

from utils.checks import check
from utils.problems.problem import ASSIGNMENTS, Problem
from utils.problems.values import agree
from utils.problems.variations import Recipe, slip_behind, slips

AREA = Recipe(
    """
def area(width, height):
    total = 0
    for i in range(height):
        total += width * (i + 1)
    return total / 2
"""
)
POLYNOMIAL = Recipe(
    """
def polynomial(x, n):
    y = 2.0
    for i in range(n):
        y = y * x + i
        y = y * y
    return y
"""
)
SUM_OF_POWERS = Recipe(
    """
def sum_of_powers(x, n):
    y = 0.0
    power = 1.0
    for _ in range(n):
        y = y + power
        power = power * x
    return y
"""
)
INPUTS = [(3.0, 4), (1.5, 2), (2.0, 7)]


def said_of(learners: Callable[..., Any], recipe: Recipe = AREA) -> str:
    """Return what is said of an answer that should be like the recipe."""
    trials = [
        (inputs, lambda value, inputs=inputs: agree(value, learners(*inputs))) for inputs in INPUTS
    ]
    found = slip_behind([recipe], trials)
    assert found is not None and found.ko
    return found.en


def test_a_number_that_is_off_is_quoted_with_what_it_stands_in() -> None:
    said = said_of(lambda w, h: sum(w * (i + 1) for i in range(h)) / 3)
    assert "`total / 3`" in said and "`total / 2`" in said


def test_brackets_that_are_missing_are_seen() -> None:
    said = said_of(lambda w, h: sum(w * i + 1 for i in range(h)) / 2)
    assert "`width * i + 1`" in said


def test_a_loop_that_ends_after_its_first_round_is_seen() -> None:
    assert "first round" in said_of(lambda w, h: w / 2)


def test_a_value_that_begins_anew_in_each_round_is_seen() -> None:
    said = said_of(lambda x, n: (2 * x + n - 1) ** 2, POLYNOMIAL)
    assert "`y = 2.0` stands inside the loop" in said


def test_two_lines_in_the_wrong_order_are_seen() -> None:
    def learners(x: float, n: int) -> float:
        y, power = 0.0, 1.0
        for _ in range(n):
            power = power * x
            y = y + power
        return y

    assert "other way round" in said_of(learners, SUM_OF_POWERS)


def test_a_sum_that_is_overwritten_or_a_range_too_short_is_seen() -> None:
    said = said_of(lambda w, h: sum(w * (i + 1) for i in range(h - 1)) / 2)
    assert "range(height - 1)" in said


def test_an_argument_written_out_as_a_number_is_seen() -> None:
    assert "`0.5 * (i + 1)`" in said_of(lambda w, h: sum(0.5 * (i + 1) for i in range(h)) / 2)


def test_values_that_no_single_slip_gives_are_left_unnamed() -> None:
    trials = [(inputs, lambda value: agree(value, 12345.678)) for inputs in INPUTS]
    assert slip_behind([AREA], trials) is None


def test_no_slip_leaves_the_program_as_it_was() -> None:
    programs = [each.text.en for each in slips(AREA.source)]
    assert len(programs) > 60 and len(set(programs)) > 0.9 * len(programs)


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Note what every judge is told: the cases, what is right, and the recipes."""
    seen: list[tuple[Any, ...]] = []
    for module in ASSIGNMENTS.values():
        home = importlib.import_module(f"utils.problems.{module}")
        told = home.judge

        def judge(
            f: Any, cases: Any, right: Any, *rest: Any, told: Any = told, **named: Any
        ) -> Any:
            seen.append((cases, right, named.get("recipes", ())))
            return told(f, cases, right, *rest, **named)

        monkeypatch.setattr(home, "judge", judge)
    return seen


@each_problem
def test_every_recipe_is_right(problem: Problem, judged: list[tuple[Any, ...]]) -> None:
    answer = next(e for e in ANSWERS if e.number == problem.number and e.diagnosis == "right")
    assert check(problem.number, *answer.make()).state == "right"
    for cases, right, recipes in judged:
        for recipe in recipes:
            space: dict[str, Any] = {"np": np, "tf": importlib.import_module("tensorflow")}
            exec(recipe.source.strip(), space | recipe.names, here := space | recipe.names)
            *_, name = (each for each in here if callable(here[each]) and each not in recipe.names)
            f = recipe.finish(here[name])
            for inputs in cases:
                assert agree(f(*recipe.prepare(*inputs)), right(*inputs), 2e-3), recipe.source
