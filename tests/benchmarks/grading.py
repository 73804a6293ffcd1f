"""The seconds that a class takes: `course grade` beside nbgrader's own autograde.

Both grade the same submissions, which the seed makes; `course grade` also writes a page of feedback
for each of them and the grades, and nbgrader neither.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
from classes import HandedIn, solved, write_class
from graded import Graded
from nbgrader.api import Gradebook
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[2]
CLASS = 40  # submissions
COPIED = "02_control_flow"
COPIES = (10, 100, 400)  # submissions of the classes that are copies of one

Scores = dict[tuple[str, str], float]  # by student and problem


class Measured:
    """A command's seconds, and the most memory that its own process took, in bytes."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        environment = os.environ | {
            "PYTHONPATH": str(ROOT),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        }
        self.memory = 0
        start = time.monotonic()
        with (folder / "said.txt").open("a") as said:
            process = psutil.Popen(
                [sys.executable, "-m", *arguments],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
            while process.poll() is None:
                self.memory = max(self.memory, process.memory_info().rss)
                time.sleep(0.05)
        self.seconds = time.monotonic() - start
        if process.returncode:
            raise RuntimeError(f"{arguments} failed:\n{(folder / 'said.txt').read_text()[-2000:]}")


def by_nbgrader(folder: Path, handed_in: Sequence[HandedIn]) -> tuple[float, Scores]:
    """Grade with nbgrader, an assignment after the other; return seconds and scores."""
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    names = sorted({each.assignment for each in handed_in})
    for name in names:
        shutil.copytree(ROOT / "solutions" / name, folder / "solutions" / name)
        Measured(folder, "nbgrader", "generate_assignment", name)
    seconds = sum(Measured(folder, "nbgrader", "autograde", name).seconds for name in names)
    scores: Scores = {}
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        for each in handed_in:
            student = each.folder.parent.name  # as it is, composed or not
            [notebook] = gradebook.find_submission(each.assignment, student).notebooks
            for grade in notebook.grades:
                if grade.name.startswith("check-"):
                    problem = grade.name.removeprefix("check-").replace("-", ".")
                    scores[each.student, problem] = grade.auto_score
    return seconds, scores


def by_course(
    folder: Path, handed_in: Sequence[HandedIn], workers: int = 2
) -> tuple[Measured, Scores]:
    """Grade with ours; return what it took, and scores."""
    arguments = ("grade", "submitted", "--out", "out", "--workers", str(workers))
    measured = Measured(folder, "course", *arguments)
    graded = Graded(folder / "out", 0, "")
    checked = {(each.student, problem) for each in handed_in for problem in each.expected.points}
    scores = {
        (row["student"], row["problem"]): float(row["points"])
        for row in graded.rows()
        if (row["student"], row["problem"]) in checked
    }
    return measured, scores


def compared(count: int) -> tuple[float, float, bool]:
    """Return nbgrader's seconds, ours, and whether the scores are the same."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        handed_in = write_class(folder / "submitted", count)
        ours, own_scores = by_course(folder, handed_in)
        theirs, their_scores = by_nbgrader(folder, handed_in)
    return theirs, ours.seconds, own_scores == their_scores


def copied(count: int) -> Measured:
    """Grade a class in which everybody hands in the same."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        notebook = json.dumps(solved(COPIED), ensure_ascii=False)
        for number in range(count):
            mine = folder / "submitted" / f"student-{number:03}" / COPIED
            mine.mkdir(parents=True)
            (mine / f"{COPIED}.ipynb").write_text(notebook, encoding="utf-8")
        return Measured(folder, "course", "grade", "submitted", "--out", "out", "--workers", "2")


def run(rounds: int, python: str) -> None:
    """Print the tables; each class is graded once by each, whatever ``rounds`` says."""
    theirs, ours, same = compared(CLASS)
    table = Table("", "seconds", "a submission", title=f"A class of {CLASS}", title_justify="left")
    for name, seconds in (("nbgrader autograde", theirs), ("course grade, 2 workers", ours)):
        table.add_row(name, f"{seconds:.0f}", f"{seconds / CLASS:.2f}")
    console = Console()
    console.print(table)
    console.print(f"{theirs / ours:.1f} times as fast; scores {'' if same else 'NOT '}the same.")
    table = Table(
        "submissions", "seconds", "a submission", "memory, MB", title="Copies of one submission"
    )
    for count in COPIES:
        measured = copied(count)
        table.add_row(
            str(count),
            f"{measured.seconds:.0f}",
            f"{measured.seconds / count:.2f}",
            f"{measured.memory / 1e6:.0f}",
        )
    console.print(table)
