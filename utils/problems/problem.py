"""What a problem is, and all of them by number."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from utils.errors import CourseError
from utils.problems.text import Text

ASSIGNMENTS = {
    "1": "gradient_tape",
    "2": "control_flow",
    "3": "higher_order_gradients",
    "4": "sequential_models",
    "5": "fashion_mnist_mlp",
    "6": "training_loop",
}
"""The lesson's number -> the module of this package that holds its problems."""

Cases = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Finding:
    """Why an answer is not right yet.

    Attributes:
        name: a stable word for the misconception, ``not_attempted`` for a blank.
        text: what the learner reads.
        share: of the points that the answer earns all the same, from 0 to 1.
    """

    name: str
    text: Text
    share: float = 0.0


Examine = Callable[..., Finding | None]


@dataclass(frozen=True)
class Problem:
    """A problem of an assignment: what is asked stands in the notebook, what is checked here.

    Attributes:
        number: ``1.3``, the third problem of lesson 1.
        section: the heading of the lesson's section that teaches it.
        objective: the number of the lesson's objective that it practises.
        difficulty: 1 (a warm-up) to 3 (a stretch).
        points: what a right answer earns.
        cases: the inputs that an answer is tried on; hidden tests add to them.
        examine: takes the cases and the answers, and returns None when they are right.
        hints: from a nudge to nearly the answer.
        remark: one thing that goes further, for an answer that is right.
    """

    number: str
    section: str
    objective: int
    difficulty: int
    points: int
    cases: Cases
    examine: Examine
    hints: tuple[Text, ...]
    remark: Text


_problems: dict[str, Problem] = {}


def problem(
    number: str,
    *,
    section: str,
    objective: int,
    difficulty: int,
    points: int,
    hints: Sequence[Text],
    remark: Text,
    cases: Sequence[tuple[Any, ...]] = (),
) -> Callable[[Examine], Examine]:
    """Make a function the check of problem ``number``; the arguments are those of `Problem`."""

    def register(examine: Examine) -> Examine:
        if number in _problems and _problems[number].examine.__module__ != examine.__module__:
            raise ValueError(f"There are two problems {number}.")
        _problems[number] = Problem(
            number,
            section,
            objective,
            difficulty,
            points,
            list(cases),
            examine,
            tuple(hints),
            remark,
        )
        return examine

    return register


def find_problem(number: str) -> Problem:
    """Return the problem called ``number``, such as ``"1.3"``.

    Raises:
        CourseError: when there is none, naming those there are.
    """
    assignment = str(number).partition(".")[0]
    if assignment in ASSIGNMENTS:
        known = problems_of(assignment)
        if str(number) in known:
            return known[str(number)]
        near = difflib.get_close_matches(str(number), known, n=1) or [", ".join(known)]
        raise CourseError(f"There is no problem {number!r}: did you mean {near[0]}?")
    raise CourseError(
        f"There is no problem {number!r}: a problem is called by lesson and number, like '1.3'."
    )


def problems_of(assignment: str) -> dict[str, Problem]:
    """Return the problems of an assignment (``"1"`` to ``"6"``) by number, in order."""
    importlib.import_module(f"utils.problems.{ASSIGNMENTS[assignment]}")
    mine = (number for number in _problems if number.partition(".")[0] == assignment)
    return {number: _problems[number] for number in sorted(mine)}
