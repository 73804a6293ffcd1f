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
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import AssignLatePenalties, SaveAutoGrades, SaveCells
from sqlalchemy.exc import SAWarning, SQLAlchemyError
from traitlets.config import Config

from course.files import write_whole
from utils.errors import CourseError

COURSE = "tape-to-mlp"
WAIT = 60  # seconds for another program to let go of an SQLite file

_quiet = logging.getLogger("course.gradebook")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False


class GradebookError(CourseError):
    """The database cannot be used; what was graded is kept elsewhere."""


class Grade(NamedTuple):
    """What the gradebook holds of one graded cell."""

    auto: float | None
    manual: float | None
    extra: float
    needs_person: bool

    @property
    def points(self) -> float | None:
        """The points that count: a person's where there are some."""
        base = self.auto if self.manual is None else self.manual
        return None if base is None else base + self.extra


def address(out: Path) -> str:
    """Return the address of the gradebook that a folder has by default."""
    return f"sqlite:///{out.resolve() / 'gradebook.db'}"


def prepare_folder(out: Path, db_url: str) -> None:
    """Let nbgrader's own commands, formgrader among them, work in a folder of grades."""
    lines = ["c = get_config()", f'c.CourseDirectory.course_id = "{COURSE}"']
    if db_url != address(out):
        lines.append(f"c.CourseDirectory.db_url = {db_url!r}")
    write_whole(out / "nbgrader_config.py", "\n".join(lines) + "\n")


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


def grades_of(db_url: str, assignment: str, student: str) -> dict[str, Grade]:
    """Return what the gradebook holds of a submission, by the name of the graded cell.

    Empty where it knows no such submission.

    Raises:
        GradebookError: the database cannot be used.
    """
    with _opened(db_url) as gradebook:
        try:
            submission = gradebook.find_submission(assignment, student)
        except MissingEntry:
            return {}
        return {
            grade.name: Grade(
                grade.auto_score,
                grade.manual_score,
                grade.extra_credit or 0.0,
                bool(grade.needs_manual_grade),
            )
            for notebook in submission.notebooks
            for grade in notebook.grades
        }


def due_dates(db_url: str) -> Mapping[str, datetime.datetime]:
    """Return when each assignment is due, UTC, as far as the gradebook knows."""
    with _opened(db_url) as gradebook:
        return {each.name: each.duedate for each in gradebook.assignments if each.duedate}
