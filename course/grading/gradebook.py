"""nbgrader's gradebook: what was earned goes in, what a person gave comes out."""

from __future__ import annotations

import datetime
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import nbgrader.api
from alembic.script import ScriptDirectory
from nbformat import NotebookNode
from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    InvalidEntry,
    MissingEntry,
    SubmittedAssignment,
    SubmittedNotebook,
    app_log,
)
from nbgrader.dbutil import ALEMBIC_DIR
from nbgrader.preprocessors import SaveCells
from nbgrader.utils import compute_checksum, determine_grade
from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import SAWarning, SQLAlchemyError
from traitlets.config import Config

from course.catalog import ROOT
from course.files import write_whole
from utils.errors import CourseError

COURSE = "tape-to-mlp"
UNUSABLE = (  # what a database raises, or nbgrader, or where the program for one is missing
    *(SQLAlchemyError, InvalidEntry, MissingEntry),
    *(ImportError, subprocess.CalledProcessError),
)
WAIT = 60  # seconds for another program to let go of an SQLite file

# The version of its tables that nbgrader notes in a new database. To learn it, nbgrader starts a
# program, which takes 2 s.
nbgrader.api.get_alembic_version = lambda: ScriptDirectory(ALEMBIC_DIR).get_current_head()

_quiet = logging.getLogger("course.gradebook")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False


class GradebookError(CourseError):
    """The database cannot be used; what was graded is kept elsewhere."""


class Graded(NamedTuple):
    """A submission to be entered.

    Attributes:
        key: what names it.
        notebook: with nbgrader's metadata, and the points as the result of each graded cell.
        submitted: UTC.
    """

    key: str
    student: str
    assignment: str
    notebook: NotebookNode
    submitted: datetime.datetime | None


class Entered(NamedTuple):
    """What the gradebook holds of one graded cell."""

    points: float | None  # a person's where there are some, else the grader's
    comment: str  # a person's
    waits: bool  # for a person
    by_a_person: bool  # whether the points are a person's


def address(out: Path) -> str:
    """Return the address of the gradebook that a folder has by default."""
    return f"sqlite:///{Path(os.path.realpath(out), 'gradebook.db')}"


def prepare_folder(out: Path, db_url: str, submitted: Path) -> None:
    """Let nbgrader's own commands, formgrader among them, work in a folder of grades."""
    settings = {
        "course_id": COURSE,
        "db_url": db_url,
        "source_directory": str(ROOT / "solutions"),
        "submitted_directory": os.path.realpath(submitted),
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
            app_log.disabled = True  # it prints a traceback for each error of the database
            yield
    except UNUSABLE as error:
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise GradebookError(
            f"The gradebook {db_url} cannot be used ({reason}): close what holds it, or name"
            " another with --gradebook. Nothing is lost: the same command enters what was graded."
        ) from error
    finally:
        app_log.disabled = False
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


def reach(db_url: str) -> None:
    """Connect to the database, and no more, because making a gradebook in it takes seconds.

    Raises:
        GradebookError: there is none at this address.
    """
    with _in_a_sentence(db_url):
        address = make_url(db_url)
        if address.drivername.startswith("sqlite") and address.database in (None, "", ":memory:"):
            raise InvalidEntry("it names no file, so that it would keep nothing")
        engine = create_engine(_patient(db_url))
        engine.connect().close()
        engine.dispose()


def make(db_url: str) -> None:
    """Make a gradebook where there is none; in a file of SQLite's it is there whole, or not at all.

    Raises:
        GradebookError: the database cannot be used.
    """
    with _in_a_sentence(db_url):
        address = make_url(db_url)
        if not (address.drivername.startswith("sqlite") and address.database):
            return Gradebook(db_url, COURSE).close()
        path = Path(address.database)
        if path.exists() and path.stat().st_size:
            return None
        partial = path.with_name(f"{path.name}.new")
        partial.unlink(missing_ok=True)
        Gradebook(str(address.set(database=str(partial))), COURSE).close()
        partial.replace(path)
    return None


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
    with _in_a_sentence(db_url):
        step: Any = SaveCells(config=Config({"Gradebook": {"course_id": COURSE}}))
        step.log = _quiet
        place = {"db_url": _patient(db_url), "assignment": name, "notebook": name}
        step.preprocess(notebook, {"nbgrader": place})


def enter_grades(db_url: str, graded: Iterable[Graded]) -> Iterator[str]:
    """Enter what graded notebooks say, as nbgrader's ``SaveAutoGrades`` does, one by one.

    What a person has given stays. Yields the key of each when it is entered.

    Raises:
        GradebookError: the database cannot be used.
    """
    with _opened(db_url) as gradebook:
        for each in graded:
            gradebook.update_or_create_student(each.student)
            extra = {} if each.submitted is None else {"timestamp": each.submitted}
            gradebook.update_or_create_submission(each.assignment, each.student, **extra)
            cells = {
                cell.metadata.nbgrader.grade_id: cell
                for cell in each.notebook.cells
                if "nbgrader" in cell.metadata
            }
            [notebook] = gradebook.find_submission(each.assignment, each.student).notebooks
            list(notebook.notebook._base_cells)  # one query for the names of all
            for grade in notebook.grades:
                if cell := cells.get(grade.name):
                    grade.auto_score, _ = determine_grade(cell, _quiet)
                    by_a_person = grade.manual_score is not None
                    grade.needs_manual_grade = by_a_person or grade.auto_score is None
            for comment in notebook.comments:
                if cell := cells.get(comment.name):
                    blank = cell.metadata.nbgrader.get("checksum") == compute_checksum(cell)
                    comment.auto_comment = "No response." if blank else None
            gradebook.db.commit()
            yield each.key


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
            found[student, assignment][cell] = Entered(
                points, comment, bool(waits), manual is not None or bool(extra)
            )
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
