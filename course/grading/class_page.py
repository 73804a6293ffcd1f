"""The page about a class: how each problem went, the commonest misconceptions, what failed."""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from course.files import write_whole
from course.grading.gradebook import Entered
from course.grading.results import Result, feedback_path, lateness
from course.pages import set_marks, template
from course.report import MEANINGS
from utils.problems.text import Text

MOST_MISCONCEPTIONS = 15
NO_MISCONCEPTION = ("right", "not_attempted", "undefined", "timeout", "dead_kernel", "endless")


@dataclass
class Problem:
    """How a problem went."""

    number: str
    of: float
    points: list[float] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)

    def share(self, state: str) -> float:
        """Return how many answers in a hundred have this state."""
        return 100 * self.states[state] / max(1, len(self.points))

    @property
    def mean(self) -> float:
        """The mean of the points."""
        return sum(self.points) / max(1, len(self.points))


@dataclass
class Misconception:
    """A diagnosis and how often it was made."""

    problem: str
    name: str
    text: str
    count: int = 0


@dataclass
class Assignment:
    """How an assignment went."""

    name: str
    title: str
    totals: list[tuple[float, float]] = field(default_factory=list)
    problems: dict[str, Problem] = field(default_factory=dict)
    misconceptions: dict[tuple[str, str], Misconception] = field(default_factory=dict)

    def commonest(self) -> list[Misconception]:
        """Return the misconceptions, the most frequent first."""
        found = sorted(self.misconceptions.values(), key=lambda each: (-each.count, each.problem))
        return found[:MOST_MISCONCEPTIONS]


def write_class_page(
    out: Path,
    results: Iterable[Result],
    entered: Mapping[tuple[str, str], Mapping[str, Entered]],
) -> None:
    """Write index.html."""
    assignments: dict[str, Assignment] = {}
    lines: list[dict[str, Any]] = []
    levels: set[str] = set()
    for result in results:
        levels |= {result.isolation} - {""}
        lines.append(_line(out, result, entered.get((result.student, result.assignment), {})))
        if result.marks:
            assignment = assignments.setdefault(
                result.assignment, Assignment(result.assignment, result.title)
            )
            _count(assignment, result)
    troubles: dict[tuple[str, str], list[str]] = defaultdict(list)
    for line in lines:
        if line["reason"]:
            troubles[line["status"], line["reason"]].append(line["student"])
    page = template("class.html.jinja", number="{:.3g}".format, marks=set_marks).render(
        assignments=[assignments[name] for name in sorted(assignments)],
        lines=sorted(lines, key=lambda line: (line["student"], line["assignment"])),
        troubles=troubles,
        meanings=MEANINGS,
        levels=sorted(levels),
        now=datetime.datetime.now(),
    )
    write_whole(out / "index.html", page)


def _line(out: Path, result: Result, entered: Mapping[str, Entered]) -> dict[str, Any]:
    by_hand = [each for name, each in entered.items() if name.startswith("written")]
    points = sum(mark.points for mark in result.marks)
    points += sum(each.points or 0 for each in by_hand)
    page = feedback_path(out, result.student, result.assignment).relative_to(out)
    failed = [mark for mark in result.marks if mark.status not in ("ok", "cell_error")]
    return {
        "student": result.student,
        "assignment": result.title or result.assignment,
        "points": points,
        "of": sum(mark.of for mark in result.marks),
        "status": result.status,
        "reason": result.reason if result.status != "ok" else "",
        "failed": [f"{mark.problem}: {mark.status.replace('_', ' ')}" for mark in failed],
        "remarks": len(result.remarks),
        "late": lateness(result.late).removeprefix("Late: "),
        "waits": any(each.points is None for each in by_hand),
        "page": page.as_posix(),
    }


def _count(assignment: Assignment, result: Result) -> None:
    points = sum(mark.points for mark in result.marks)
    assignment.totals.append((points, sum(mark.of for mark in result.marks)))
    for mark in result.marks:
        problem = assignment.problems.setdefault(mark.problem, Problem(mark.problem, mark.of))
        problem.points.append(mark.points)
        state = {"right": "right", "not_attempted": "not attempted"}.get(mark.diagnosis, "wrong")
        problem.states[state if mark.status in ("ok", "cell_error") else "failed"] += 1
        if mark.diagnosis not in NO_MISCONCEPTION:
            text = str(Text(mark.text["en"], mark.text["ko"]))
            found = assignment.misconceptions.setdefault(
                (mark.problem, mark.diagnosis), Misconception(mark.problem, mark.diagnosis, text)
            )
            found.count += 1
