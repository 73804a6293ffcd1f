"""Every problem tells a learner what they misunderstood, and accepts what is right."""

from __future__ import annotations

import importlib
import logging
import os
import re
import sys
from collections import Counter
from pathlib import Path

import pytest
from collected import ANSWERS, Answer

from utils.checks import Verdict, check, hint
from utils.problems.problem import ASSIGNMENTS, Problem, problems_of

for path in sorted(Path(__file__).parent.glob("*_answers.py")):
    if path.stem != "test_answers":
        importlib.import_module(path.stem)

WRITTEN = [
    number
    for number, module in ASSIGNMENTS.items()
    if importlib.util.find_spec(f"utils.problems.{module}")
]
PROBLEMS = [each for assignment in WRITTEN for each in problems_of(assignment).values()]
WRONG = [answer for answer in ANSWERS if answer.diagnosis != "right"]
RIGHT = [answer for answer in ANSWERS if answer.diagnosis == "right"]

each_problem = pytest.mark.parametrize("problem", PROBLEMS, ids=lambda each: each.number)


def named(answers: list[Answer]) -> pytest.MarkDecorator:
    names = [f"{each.number}-{each.name}" for each in answers]
    return pytest.mark.parametrize("answer", answers, ids=names)


def answer_count(problem: Problem) -> int:
    """Return how many answers the check of a problem takes."""
    return len(next(each.make() for each in ANSWERS if each.number == problem.number))


def checked(answer: Answer) -> Verdict:
    return check(answer.number, *answer.make())


@named(WRONG)
def test_a_wrong_answer_gets_the_diagnosis_that_names_its_mistake(answer: Answer) -> None:
    verdict = checked(answer)
    assert (verdict.state, verdict.diagnosis) == ("wrong", answer.diagnosis), str(verdict)
    assert verdict.points == pytest.approx(answer.points), str(verdict)
    assert "{" not in re.sub(r"`[^`]*`", "", str(verdict)), str(verdict)
    assert is_korean(verdict.text.ko) and not is_korean(re.sub(r"`[^`]*`", "", verdict.text.en))


@named(RIGHT)
def test_a_right_answer_is_accepted_however_it_is_written(answer: Answer) -> None:
    verdict = checked(answer)
    assert (verdict.state, verdict.points) == ("right", verdict.of), str(verdict)


@each_problem
def test_a_problem_has_six_wrong_answers_and_three_right_ones(problem: Problem) -> None:
    assert sum(each.number == problem.number for each in WRONG) >= 6
    assert sum(each.number == problem.number for each in RIGHT) >= 3


@each_problem
def test_a_blank_is_not_attempted_and_earns_nothing(problem: Problem) -> None:
    verdict = check(problem.number, *[...] * answer_count(problem))
    assert (verdict.state, verdict.points) == ("not attempted", 0)


def an_empty_function(*inputs: object) -> object: ...


def an_exception(*inputs: object) -> object:
    raise ZeroDivisionError("the learner's own")


def nan(*inputs: object) -> object:
    return float("nan")


def text(*inputs: object) -> object:
    return "eight"


def endless(*inputs: object) -> object:
    while True:
        pass


@each_problem
@pytest.mark.parametrize(
    "odd",
    [an_exception, nan, text, None, 1e9, "eight", [], object()],
    ids=lambda odd: getattr(odd, "__name__", type(odd).__name__),
)
def test_an_odd_answer_is_rejected_in_words_and_never_raises(problem: Problem, odd: object) -> None:
    verdict = check(problem.number, *[odd] * answer_count(problem))
    assert (verdict.state, verdict.points) == ("wrong", 0), str(verdict)
    assert len(str(verdict.text)) > 20


@each_problem
def test_a_function_with_nothing_in_it_is_not_attempted(problem: Problem) -> None:
    verdict = check(problem.number, *[an_empty_function] * answer_count(problem))
    assert (verdict.state, verdict.points) == ("not attempted", 0)


def test_an_answer_that_loops_for_ever_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("utils.problems.answers.time_limit.__wrapped__.__defaults__", (0.5,))
    assert check("1.1", endless).diagnosis == "endless"


def test_what_an_answer_prints_and_logs_is_not_seen(capfd: pytest.CaptureFixture[str]) -> None:
    handler = logging.StreamHandler(sys.stderr)  # as TensorFlow's, which keeps its stream
    logger = logging.getLogger("tensorflow")
    logger.addHandler(handler)

    def talkative(x: object) -> object:
        print("printed")
        os.write(2, b"written")
        logger.warning("logged")
        return x

    try:
        assert check("1.1", talkative).state == "wrong"
    finally:
        logger.removeHandler(handler)
    assert capfd.readouterr() == ("", "") and not logger.disabled


@each_problem
@pytest.mark.parametrize("language", ["en", "ko"])
def test_hints_and_remark_stand_in_both_languages(
    problem: Problem, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_LANG", language)
    assert 2 <= len(problem.hints) <= 3
    for number in range(1, len(problem.hints) + 1):
        assert is_korean(str(hint(problem.number, number))) == (language == "ko")
    assert is_korean(str(problem.remark)) == (language == "ko")


def is_korean(text: str) -> bool:
    return bool(re.search("[가-힣]", text))


@each_problem
def test_the_wrong_answers_of_a_problem_are_told_apart(problem: Problem) -> None:
    diagnoses = Counter(each.diagnosis for each in WRONG if each.number == problem.number)
    assert len(diagnoses) >= 4
