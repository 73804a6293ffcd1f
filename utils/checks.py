"""How an exercise answers: not attempted, a diagnosis, or right; and its hints."""

from __future__ import annotations

import html
import urllib.parse
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from utils.boxes import box
from utils.errors import CourseError
from utils.problems.answers import (
    ENDLESS,
    NOT_ATTEMPTED,
    TimeIsUp,
    quietly,
    time_limit,
    unattempted,
)
from utils.problems.problem import Finding, Problem, find_problem
from utils.problems.text import Text
from utils.problems.values import shorten

MIME_TYPE = "application/vnd.tape-to-mlp.check+json"

State = Literal["not attempted", "wrong", "right"]

TITLES: dict[State, Text] = {
    "not attempted": Text("○ Not attempted", "○ 아직 풀지 않음"),
    "wrong": Text("✗ Not yet", "✗ 아직이에요"),
    "right": Text("✓ Right", "✓ 맞았어요"),
}
COLOURS: dict[State, str] = {"not attempted": "#777777", "wrong": "#D55E00", "right": "#009E73"}

LESSONS = {
    "1": "01_gradient_tape",
    "2": "02_control_flow",
    "3": "03_higher_order_gradients",
    "4": "04_sequential_models",
    "5": "05_fashion_mnist_mlp",
    "6": "06_training_loop",
}

_other_cases: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
_hints_shown: dict[str, int] = defaultdict(int)


@dataclass(frozen=True)
class Verdict:
    """What a check says: `str()` and Jupyter show it in words, `repr()` gives the points earned.

    The points are the text of a notebook cell's result, where nbgrader reads partial credit.
    """

    problem: str
    state: State
    diagnosis: str  # a stable word: not_attempted, right, or the misconception
    points: float
    of: int
    text: Text
    section: str

    def __repr__(self) -> str:
        return f"{self.points:g}"

    def __str__(self) -> str:
        return f"{self._title()}: {self.text}{self._pointer()}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        seen = {
            "problem": self.problem,
            "state": self.state,
            "diagnosis": self.diagnosis,
            "points": self.points,
            "of": self.of,
            "text": str(self.text),
        }
        return {"text/plain": repr(self), "text/html": self._html(), MIME_TYPE: seen}

    def _title(self) -> str:
        points = Text("{} · {:g} of {} points", "{} · {}점 중 {:g}점")
        order = (self.points, self.of) if str(points) == points.en else (self.of, self.points)
        return f"{self.problem} {str(points).format(TITLES[self.state], *order)}"

    def _pointer(self) -> str:
        if self.state == "right":
            return ""
        lesson = self.problem.partition(".")[0]
        return " " + str(
            Text(
                f"(Lesson {lesson}, “{self.section}”)",
                f"({lesson}과, “{self.section}”)",
            )
        )

    def _html(self) -> str:
        pointer = ""
        if self.state != "right":
            shown = html.escape(self._pointer().strip())
            pointer = (
                f' <a href="{html.escape(_section_link(self.problem, self.section))}">{shown}</a>'
            )
        return box(COLOURS[self.state], self._title(), str(self.text), pointer)


@dataclass(frozen=True)
class Hint:
    """One hint, and how many there are."""

    problem: str
    number: int
    of: int
    text: Text

    def __str__(self) -> str:
        return f"{self._title()}: {self.text}"

    __repr__ = __str__

    def _title(self) -> str:
        return str(
            Text(
                f"{self.problem} Hint {self.number} of {self.of}",
                f"{self.problem} 힌트 {self.number}/{self.of}",
            )
        )

    def _repr_html_(self) -> str:
        return box("#0072B2", self._title(), str(self.text))


def check(number: str, *answers: Any) -> Verdict:
    """Say whether the answers to problem ``number`` are right, and if not what went wrong.

    The learner's code is tried in silence and for 40 seconds at most; no exception of it passes.

    Args:
        number: the problem, ``"1.3"``.
        answers: what the exercise asks for: functions, values or models.

    Raises:
        CourseError: when there is no such problem.
    """
    problem = find_problem(number)
    cases = problem.cases + _other_cases.pop(problem.number, [])
    finding = _examine(problem, cases, answers)
    if finding is None:
        return _verdict(problem, "right", "right", problem.points, problem.remark)
    state: State = "not attempted" if finding.name == NOT_ATTEMPTED.name else "wrong"
    points = round(problem.points * finding.share, 2)
    return _verdict(problem, state, finding.name, points, finding.text)


def unreadable(number: str, error: BaseException) -> Verdict:
    """Say that the answers to problem ``number`` could not even be handed to its check."""
    problem, finding = find_problem(number), _beyond_us(error)
    return _verdict(problem, "wrong", finding.name, 0, finding.text)


def hint(number: str, which: int | None = None) -> Hint:
    """Return the next hint to problem ``number``, or the ``which``-th (from 1).

    After the last hint the last one is given again.

    Raises:
        CourseError: when there is no such problem or no such hint.
    """
    problem = find_problem(number)
    count = len(problem.hints)
    if which is None:
        which = min(_hints_shown[problem.number] + 1, count)
        _hints_shown[problem.number] = which
    if not isinstance(which, int) or not 1 <= which <= count:
        raise CourseError(
            f"Problem {problem.number} has no hint {which!r}: it has hints 1 to {count}."
        )
    return Hint(problem.number, which, count, problem.hints[which - 1])


def other_cases(number: str, *cases: tuple[Any, ...]) -> None:
    """Let the next check of problem ``number`` try its answers on these inputs too.

    A case is a tuple of inputs like those in `Problem.cases`.

    Raises:
        CourseError: when there is no such problem.
    """
    _other_cases[find_problem(number).number] = list(cases)


def _examine(
    problem: Problem, cases: list[tuple[Any, ...]], answers: tuple[Any, ...]
) -> Finding | None:
    try:
        with quietly(), time_limit():
            if answers and all(unattempted(answer) for answer in answers):
                return NOT_ATTEMPTED
            return problem.examine(cases, *answers)
    except TimeIsUp:
        return ENDLESS
    except TypeError as error:
        if error.__traceback__ and error.__traceback__.tb_next is None:
            return Finding(
                "wrong_call",
                Text(
                    "`check` was called with another number of answers than this problem has: run"
                    " the cell as it was handed out.",
                    "`check`에 넘긴 답의 개수가 이 문제와 달라요. 처음 받은 셀 그대로 실행하세요.",
                ),
            )
        return _beyond_us(error)
    except Exception as error:  # noqa: BLE001  an odd answer must not stop the notebook
        return _beyond_us(error)


def _beyond_us(error: BaseException) -> Finding:
    """Say that an answer is of a kind which no check of ours can read."""
    said = f"{type(error).__name__}: {shorten(str(error))}"
    return Finding(
        "unreadable",
        Text(
            f"Your answer is of a kind that could not be examined (`{said}`). Compare what you"
            " return with what the problem asks for.",
            f"답을 살펴볼 수 없었어요(`{said}`). 문제에서 요구하는 형태와 비교해 보세요.",
        ),
    )


def _verdict(problem: Problem, state: State, diagnosis: str, points: float, text: Text) -> Verdict:
    return Verdict(problem.number, state, diagnosis, points, problem.points, text, problem.section)


def _section_link(number: str, section: str) -> str:
    """Return the address of a lesson's section, seen from an exercise's folder.

    In a learner's copy the lessons lie two folders up, in the course's own folder beside it.
    """
    lesson = LESSONS[number.partition(".")[0]] + ".ipynb"
    inside = Path("../../notebooks") / lesson
    anchor = urllib.parse.quote(section.replace(" ", "-"))
    return f"{inside if inside.exists() else Path('../..') / lesson}#{anchor}".replace("\\", "/")


__all__ = ["Hint", "Verdict", "check", "hint", "other_cases"]
