"""Tests of utils.parameters and utils.errors."""

from __future__ import annotations

import math

import pytest

from utils.errors import CourseError
from utils.parameters import RULES, check_parameters, shown

GOOD = {
    "seed": [0, 1, 2**32 - 1],
    "epochs": [1, 5, 10_000],
    "hidden_units": [1, 128],
    "learning_rate": [0.001, 1, 1e-9, 10.0],
    "batch_size": [1, 32, 60_000],
    "train_size": [1, 60_000],
}
BAD = {
    "seed": [-1, 2**32, 1.0, "1", None, True],
    "epochs": [0, -1, 1.5, "5", True, math.inf],
    "hidden_units": [0, -128, 12.8, None],
    "learning_rate": [10**400, 0, -0.001, 0.0, math.inf, math.nan, "0.001", True, None],
    "batch_size": [0, 60_001, 32.0, [32]],
    "train_size": [0, 60_001, -1, None, "all"],
}


def pairs(table: dict[str, list[object]]) -> list[tuple[str, object]]:
    return [(name, value) for name, values in table.items() for value in values]


def test_every_rule_has_good_and_bad_examples() -> None:
    assert set(GOOD) == set(BAD) == set(RULES)


@pytest.mark.parametrize(("name", "value"), pairs(GOOD))
def test_a_usable_value_passes(name: str, value: object) -> None:
    check_parameters(**{name: value})


@pytest.mark.parametrize(("name", "value"), pairs(BAD))
def test_a_bad_value_is_named_with_what_it_may_be(name: str, value: object) -> None:
    with pytest.raises(CourseError) as caught:
        check_parameters(**{name: value})
    message = str(caught.value)
    assert f"{name} = {shown(value)}" in message
    assert RULES[name].words in message


def test_all_bad_values_are_named_at_once_and_good_ones_are_not() -> None:
    with pytest.raises(CourseError) as caught:
        check_parameters(seed=1, epochs=0, learning_rate=-1.0)
    message = str(caught.value)
    assert "epochs = 0" in message
    assert "learning_rate = -1.0" in message
    assert "seed" not in message


def test_a_parameter_that_no_lesson_has_is_named_with_those_there_are() -> None:
    with pytest.raises(CourseError, match=r"'epoch'.*epochs"):
        check_parameters(epoch=5)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("short", "'short'"),
        ("x" * 1000, f"'{'x' * 59} ... {'x' * 9}'"),
        (10**5000, "a number of thousands of digits"),
    ],
    ids=["short", "long", "huge"],
)
def test_a_long_value_is_shown_without_its_middle(value: object, text: str) -> None:
    assert shown(value) == text


def test_no_parameters_are_fine() -> None:
    check_parameters()


def test_jupyter_shows_the_sentence_alone() -> None:
    error = CourseError("epochs = 0 should be at least 1.")
    assert error._render_traceback_() == ["CourseError: epochs = 0 should be at least 1."]


def test_ipython_prints_no_traceback_for_a_course_error(capsys: pytest.CaptureFixture[str]) -> None:
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    shell.run_cell(
        "from utils.parameters import check_parameters\ncheck_parameters(epochs=0)",
        store_history=False,
    )
    shown = capsys.readouterr()
    assert "epochs = 0 should be a whole number" in shown.out + shown.err
    assert "Traceback" not in shown.out + shown.err
