"""nbgrader's gradebook: what was earned goes in, what a person gave comes out."""

from __future__ import annotations

import datetime
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from nbformat import NotebookNode
from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.preprocessors import AssignLatePenalties, SaveAutoGrades, SaveCells
from sqlalchemy.exc import SAWarning, SQLAlchemyError
from traitlets.config import Config

from course.catalog import ROOT
from course.files import write_whole
from utils.errors import CourseError

COURSE = "tape-to-mlp"
WAIT = 60  # seconds for another program to let go of an SQLite file

_quiet = logging.getLogger("course.gradebook")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False


class GradebookError(CourseError):
    """The database cannot be used; what was graded is kept elsewhere."""


class Entered(NamedTuple):
    """What the gradebook holds of one graded cell."""

    points: float | None  # a person's where there are some, else the grader's
    comment: str  # a person's
    waits: bool  # for a person


def address(out: Path) -> str:
    """Return the address of the gradebook that a folder has by default."""
    return f"sqlite:///{out.resolve() / 'gradebook.db'}"


def prepare_folder(out: Path, db_url: str, submitted: Path) -> None:
    """Let nbgrader's own commands, formgrader among them, work in a folder of grades."""
    settings = {
        "course_id": COURSE,
        "db_url": db_url,
        "source_directory": str(ROOT / "solutions"),
        "submitted_directory": str(submitted.resolve()),
    }
    lines = [f"c.CourseDirectory.{name} = {value!r}" for name, value in settings.items()]
    write_whole(out / "nbgrader_config.py", "\n".join(["c = get_config()", *lines, ""]))


@contextmanager
def _in_a_sentence(db_url: str) -> Iterator[None]:
    """Turn the database's errors into one of ours; let nbgrader find the programs it calls."""
    path = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), path])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # nbgrader's own affair
            yield
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise GradebookError(
            f"The gradebook {db_url} cannot be used ({reason}): close what holds it, or name"
            " another with --gradebook. Nothing is lost: the same command enters what was graded."
        ) from error
    finally:
        os.environ["PATH"] = path


@contextmanager
def _opened(db_url: str) -> Iterator[Gradebook]:
    with _in_a_sentence(db_url), Gradebook(_patient(db_url), COURSE) as gradebook:
        yield gradebook


def _patient(db_url: str) -> str:
    """Have SQLite wait for another program that holds the file."""
    return (
        f"{db_url}?timeout={WAIT}" if db_url.startswith("sqlite:") and "?" not in db_url else db_url
    )


def enter_assignment(
    db_url: str, name: str, notebook: NotebookNode, due: datetime.datetime | None = None
) -> None:
    """Have the gradebook know an assignment and its cells; ``due`` is UTC.

    Raises:
        GradebookError: the database cannot be used.
    """
    with _opened(db_url) as gradebook:
        extra = {} if due is None else {"duedate": due}
        gradebook.update_or_create_assignment(name, **extra)
    _run(SaveCells, notebook, db_url, name)


def enter_grades(
    db_url: str,
    student: str,
    assignment: str,
    notebook: NotebookNode,
    submitted: datetime.datetime | None,
) -> None:
    """Enter what a graded notebook says. What a person has given stays.

    Args:
        notebook: with nbgrader's metadata, and the points as the result of each graded cell.
        submitted: UTC.

    Raises:
        GradebookError: the database cannot be used.
    """
    with _opened(db_url) as gradebook:
        gradebook.update_or_create_student(student)
        extra = {} if submitted is None else {"timestamp": submitted}
        gradebook.update_or_create_submission(assignment, student, **extra)
    _run(SaveAutoGrades, notebook, db_url, assignment, student)
    _run(AssignLatePenalties, notebook, db_url, assignment, student)


def _run(
    step: Any, notebook: NotebookNode, db_url: str, assignment: str, student: str = ""
) -> None:
    with _in_a_sentence(db_url):
        preprocessor = step(config=Config({"Gradebook": {"course_id": COURSE}}))
        preprocessor.log = _quiet
        nbgrader = {
            "db_url": _patient(db_url),
            "assignment": assignment,
            "notebook": assignment,
            "student": student,
        }
        preprocessor.preprocess(notebook, {"nbgrader": nbgrader})


def everything_entered(db_url: str) -> dict[tuple[str, str], dict[str, Entered]]:
    """Return what the gradebook holds, by student and assignment, then by the graded cell's name.

    Raises:
        GradebookError: the database cannot be used.
    """
    found: dict[tuple[str, str], dict[str, Entered]] = {}
    with _opened(db_url) as gradebook:
        place = (SubmittedAssignment.student_id, Assignment.name)
        for student, assignment in gradebook.db.query(*place).join(SubmittedAssignment.assignment):
            found[student, assignment] = {}
        comments = {
            (student, assignment, cell): comment
            for student, assignment, cell, comment in _of_cells(
                gradebook, Comment, Comment.manual_comment
            )
            if comment
        }
        scores = (
            Grade.auto_score,
            Grade.manual_score,
            Grade.extra_credit,
            Grade.needs_manual_grade,
        )
        for student, assignment, cell, auto, manual, extra, waits in _of_cells(
            gradebook, Grade, *scores
        ):
            base = auto if manual is None else manual
            points = None if base is None else base + (extra or 0.0)
            comment = comments.get((student, assignment, cell), "")
            found[student, assignment][cell] = Entered(points, comment, bool(waits))
    return found


def _of_cells(gradebook: Gradebook, kind: Any, *columns: Any) -> Any:
    """Query columns of a table of cells, with student, assignment and cell before them."""
    return (
        gradebook.db.query(SubmittedAssignment.student_id, Assignment.name, BaseCell.name, *columns)
        .select_from(kind)
        .join(BaseCell, kind.cell_id == BaseCell.id)
        .join(SubmittedNotebook, kind.notebook_id == SubmittedNotebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
    )


def due_dates(db_url: str) -> Mapping[str, datetime.datetime]:
    """Return when each assignment is due, UTC, as far as the gradebook knows."""
    with _opened(db_url) as gradebook:
        return {each.name: each.duedate for each in gradebook.assignments if each.duedate}
