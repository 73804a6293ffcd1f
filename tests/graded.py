"""A class that `course grade` has graded, and what came out of it."""

from __future__ import annotations

import csv
import html
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from classes import HandedIn

ROOT = Path(__file__).parents[1]


class Graded(NamedTuple):
    """A folder of grades, the command's exit status and what it printed."""

    out: Path
    code: int
    said: str

    def rows(self) -> list[dict[str, str]]:
        """Return the lines of grades.csv."""
        with (self.out / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def points(self, student: str, assignment: str) -> dict[str, float]:
        """Return what a submission earned, by problem, but for what a person has to read."""
        return {
            row["problem"]: float(row["points"])
            for row in self.rows()
            if (row["student"], row["assignment"]) == (student, assignment) and row["points"]
        }

    def feedback(self, student: str, assignment: str) -> str:
        """Return a submission's page as text without tags."""
        path = self.out / "feedback" / student / assignment / "feedback.html"
        return html.unescape(re.sub(r"<[^>]+>", "", path.read_text(encoding="utf-8")))


def grade(submitted: Path, out: Path, *options: str, **variables: str) -> Graded:
    """Run `course grade` to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "course", "grade", str(submitted), "--out", str(out), *options],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1200,
        check=False,
    )
    return Graded(out, done.returncode, done.stdout)


def expected_points(graded: Graded, handed_in: Sequence[HandedIn]) -> dict[str, object]:
    """Return, by student, what a submission earned where that is not what was expected."""
    different: dict[str, object] = {}
    for each in handed_in:
        points = graded.points(each.student, each.assignment)
        mine = {problem: points.get(problem) for problem in each.expected.points}
        if mine != each.expected.points:
            different[each.student] = (each.expected.points, mine)
    return different
