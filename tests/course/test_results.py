"""A result is kept and shown whatever a submission holds."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from classes import solved
from nbformat.v4 import new_code_cell, new_notebook, new_output

from course.grading import driver, gradebook, submissions
from course.grading.grade import Mark
from course.grading.gradebook import Entered
from course.grading.results import (
    Result,
    Row,
    feedback_path,
    fit_to_keep,
    is_written,
    latest_records,
    read_result,
    rows,
    write_feedback,
    write_grades,
    write_result,
)
from course.workers.journal import append
from utils.errors import CourseError

RIGHT = Mark("1.1", 2, 2, "ok", "right", {"en": "Right.", "ko": "맞아요."})
SPOILED = Result(
    *("key", "kim", "01_gradient_tape", "Title", "ok", "", [], None, 1.0, 1, "full", [RIGHT], None)
)


def ran(output: Any) -> str:
    cell = new_code_cell("x", metadata={"tape_to_mlp": {"role": "own"}})
    notebook = new_notebook(cells=[cell])
    cell.outputs = [output]
    return str(nbformat.writes(notebook))


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "data",
    [
        {"text/html": '<img src="data:image/png;base64,한글">'},
        {"text/html": "<![foo["},
        {"text/plain": 5, "text/html": {"a": 1}, "image/png": None},
        {"text/plain": "\ud800", "image/png": "\ud800"},
        {"application/json": nested(400)},
    ],
)
def test_whatever_a_cell_displays_the_result_is_kept_and_has_its_page(
    data: dict[str, Any], tmp_path: Path
) -> None:
    output = new_output("display_data")
    output.data = data
    result = fit_to_keep(SPOILED._replace(notebook=ran(output)))
    write_result(tmp_path, result)
    assert read_result(tmp_path, "key") == result and result.marks == [RIGHT]
    write_feedback(tmp_path, result, {})
    page = feedback_path(tmp_path, "kim", "01_gradient_tape").read_text(encoding="utf-8")
    assert "Right." in page


def test_a_notebook_that_no_page_can_show_leaves_the_points_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("course.grading.feedback.find_figures", fail)
    write_feedback(tmp_path, SPOILED._replace(notebook=ran(new_output("display_data"))), {})
    page = feedback_path(tmp_path, "kim", "01_gradient_tape").read_text(encoding="utf-8")
    assert "Right." in page and "cannot be shown" in page


def test_texts_that_nobody_reads_to_their_end_are_cut(tmp_path: Path) -> None:
    long = "\ud800`<" * 300_000
    mark = RIGHT._replace(text={"en": long, "ko": long}, reason=long)
    result = fit_to_keep(
        SPOILED._replace(remarks=[long] * 6_000, reason=long, marks=[mark] * 9, title="\udcb0")
    )
    assert result.remarks[-1] == "5,960 more remarks are not shown." and result.title == "\ufffd"
    write_feedback(tmp_path, result, {})
    assert feedback_path(tmp_path, "kim", "01_gradient_tape").stat().st_size < 300_000


def test_a_submission_that_nobody_has_foreseen_does_not_stop_the_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kim" / "01_gradient_tape" / "01_gradient_tape.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(solved("01_gradient_tape")), encoding="utf-8")

    def fail(*_: object) -> None:
        raise ArithmeticError("\ud800")

    with monkeypatch.context() as patched:
        patched.setattr(submissions, "likeness", fail)
        (unread,) = submissions.find_submissions(tmp_path)
        assert unread.reason.startswith("It cannot be read (ArithmeticError: ")
    with monkeypatch.context() as patched:
        patched.setattr(submissions, "_handed_in", fail)
        (unread,) = submissions.find_submissions(tmp_path)
        assert (unread.student, unread.notebook) == ("kim", None) and unread.reason
    (found,) = submissions.find_submissions(tmp_path)
    monkeypatch.setattr(driver, "repaired", fail)
    (result,) = driver._planned([found], driver.Options(tmp_path), driver._course())
    assert isinstance(result, Result)
    assert result.status == "unreadable" and "ArithmeticError: \ufffd" in result.reason


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_spreadsheet_computes_what_a_learner_wrote(start: str, tmp_path: Path) -> None:
    formula = f'{start}HYPERLINK("http://x.y", "marks")'
    row = Row(formula, "01_gradient_tape", "1.1", -0.5, 2, "cell_error", formula, 0)
    write_grades(tmp_path, [row])
    with (tmp_path / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        (line,) = csv.DictReader(file)
    assert line["student"] == line["reason"] == f"'{formula}" and line["points"] == "-0.5"


@pytest.mark.parametrize(("by_a_person", "points"), [(False, None), (True, 2.0)])
def test_points_of_an_earlier_submission_do_not_count_for_one_that_is_unreadable(
    by_a_person: bool, points: float | None
) -> None:
    result = Result("key", "kim", "01", "", "unreadable", "why", [], None, 0.0, 0, "", [], None)
    book = {("kim", "01"): {"check-1-1": Entered(2.0, "", False, by_a_person)}}
    (row,) = rows([result], book, {"01": {"check-1-1": 3.0}})
    assert (row.points, row.status, row.reason) == (points, "unreadable", "why")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}"])
def test_a_result_that_was_not_written_whole_is_none(content: bytes, tmp_path: Path) -> None:
    key = "01_gradient_tape-0123456789abcdef"
    write_result(tmp_path, SPOILED._replace(key=key))
    line = {"key": key, "student": "kim", "assignment": "01_gradient_tape", "status": "ok"}
    append(tmp_path, line | {"seconds": 1.0, "points": 1, "of": 2.0, "entered": False})
    assert latest_records(tmp_path).keys() == {key}
    (tmp_path / "results" / f"{key}.json").write_bytes(content)
    assert not is_written(tmp_path, key) and latest_records(tmp_path) == {}


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("postgresql+nothing://x/y", "cannot be used"),
        ("postgresql+pg8000://x/y", "pg8000"),
        ("what", "cannot be used"),
    ],
)
def test_a_gradebook_that_cannot_be_one_is_said_in_a_sentence(address: str, words: str) -> None:
    with pytest.raises(gradebook.GradebookError, match=words):
        gradebook.reach(address)


def test_grades_do_not_go_where_the_submissions_are(tmp_path: Path) -> None:
    (tmp_path / "kim").mkdir()
    for out in (tmp_path, tmp_path / "grades"):
        with pytest.raises(CourseError, match=r"lies in .*: name another"):
            driver.grade_class(tmp_path, driver.Options(out), "again")


def test_a_link_to_itself_is_no_folder_of_submissions(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(CourseError, match=r"There is no folder .*loop"):
        driver.grade_class(tmp_path / "loop", driver.Options(tmp_path / "out"), "again")


def test_a_new_gradebook_notes_the_version_that_nbgraders_own_program_tells(
    tmp_path: Path,
) -> None:
    gradebook.make(f"sqlite:///{tmp_path / 'gradebook.db'}")
    with sqlite3.connect(tmp_path / "gradebook.db") as database:
        [(noted,)] = database.execute("SELECT version_num FROM alembic_version").fetchall()
    told = subprocess.run(
        [sys.executable, "-c", "import nbgrader.api; print(nbgrader.api.get_alembic_version())"],
        env=os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.defpath])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert noted == told.stdout.strip()
