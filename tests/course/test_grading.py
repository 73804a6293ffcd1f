"""`course grade`: from a class's submissions to grades, a gradebook and feedback."""

from __future__ import annotations

import datetime
import json
import shutil
from pathlib import Path

import nbformat
import pytest
from classes import DUE, HandedIn, write_class
from clusters import dask_cluster
from graded import Graded, expected_points, grade
from nbgrader.api import Gradebook

Class = tuple[Path, list[HandedIn]]  # the folder, and what was handed in

STUDENTS = 14
ASSIGNMENT = "02_control_flow"


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory: pytest.TempPathFactory) -> Class:
    folder = tmp_path_factory.mktemp("class") / "submitted"
    every = write_class(folder, STUDENTS, seed=3, each=6)
    for each in every:
        if each.assignment != ASSIGNMENT:
            shutil.rmtree(each.folder)
    return folder, [each for each in every if each.assignment == ASSIGNMENT]


@pytest.fixture(scope="module")
def graded(handed_in: Class, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    out = tmp_path_factory.mktemp("grades") / "out"
    return grade(handed_in[0], out, "--due", "2", DUE.isoformat())


def test_every_submission_earns_what_its_answers_are_worth(
    graded: Graded, handed_in: Class
) -> None:
    assert graded.code == 0, graded.said
    assert expected_points(graded, handed_in[1]) == {}


def test_every_problem_gets_the_diagnosis_of_the_learners_own_check(
    graded: Graded, handed_in: Class
) -> None:
    results = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in (graded.out / "results").glob("*.json")
    ]
    found = {
        (each["student"], each["assignment"]): {m["problem"]: m["diagnosis"] for m in each["marks"]}
        for each in results
    }
    for each in handed_in[1]:
        assert found[each.student, each.assignment] == each.expected.diagnoses, each.student


def test_the_feedback_is_small_shows_the_own_code_and_no_hidden_test(
    graded: Graded, handed_in: Class
) -> None:
    for each in handed_in[1]:
        page = graded.out / "feedback" / each.student / each.assignment / "feedback.html"
        assert page.stat().st_size < 1_000_000
        text = graded.feedback(each.student, each.assignment)
        assert "other_cases" not in text and "HIDDEN TESTS" not in text
        assert each.student in text and "def " in text
        assert "cuda" not in text.lower() and "oneDNN" not in text


def test_what_came_late_is_marked_and_nothing_else_is(graded: Graded, handed_in: Class) -> None:
    late = {row["student"] for row in graded.rows() if float(row["late_seconds"]) > 0}
    assert late == {each.student for each in handed_in[1] if each.kind == "late"}
    for student in late:
        assert "Late: handed in" in graded.feedback(student, ASSIGNMENT)


def test_a_second_run_grades_nothing_and_a_changed_submission_is_graded_again(
    graded: Graded, handed_in: Class, tmp_path: Path
) -> None:
    folder, out = tmp_path / "submitted", tmp_path / "out"
    shutil.copytree(handed_in[0], folder)
    shutil.copytree(graded.out, out)
    again = grade(folder, out)
    assert "0 to grade" in again.said and again.code == 0, again.said
    assert again.rows() == graded.rows()

    changed = next(each for each in handed_in[1] if each.kind == "right")
    path = folder / changed.folder.relative_to(handed_in[0]) / f"{changed.assignment}.ipynb"
    node = nbformat.read(path, as_version=4)
    first = next(cell for cell in node.cells if cell.id.startswith("answer-"))
    first.source = (
        first.source.split("\n")[0] + "\n    return None" if "def " in first.source else "x = 1"
    )
    nbformat.write(node, path)
    third = grade(folder, out)
    assert "1 to grade" in third.said, third.said
    untouched = [row for row in third.rows() if row["student"] != changed.student]
    assert untouched == [row for row in graded.rows() if row["student"] != changed.student]
    history = list((out / "history" / changed.student / changed.assignment).glob("*.html"))
    assert len(history) == 1


def test_a_persons_marks_survive_a_regrade_and_reach_the_table(
    graded: Graded, handed_in: Class, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(graded.out, out)
    chosen = next(each for each in handed_in[1] if each.kind == "right")
    place = (chosen.assignment, chosen.assignment, chosen.student)
    written = next(
        row["problem"]
        for row in graded.rows()
        if row["student"] == chosen.student
        and row["reason"] == "not read by a person yet"
        and row["assignment"] == chosen.assignment
    )
    cell = f"written-{written.replace('.', '-')}"
    with Gradebook(f"sqlite:///{out / 'gradebook.db'}", "tape-to-mlp") as book:
        grade_of = book.find_grade(cell, *place)
        grade_of.manual_score, grade_of.needs_manual_grade = 1.5, False
        book.find_comment(cell, *place).manual_comment = "A good example."
        book.db.commit()
    for path in (out / "results").glob("*.json"):  # all that there is of it, so that it is graded
        if json.loads(path.read_text(encoding="utf-8"))["student"] == chosen.student:
            path.unlink()
    again = grade(handed_in[0], out)
    assert again.code == 0 and "1 to grade" in again.said, again.said
    assert again.points(chosen.student, chosen.assignment)[written] == 1.5
    assert "A good example." in again.feedback(chosen.student, chosen.assignment)


def test_a_cluster_gives_the_same_points(graded: Graded, handed_in: Class, tmp_path: Path) -> None:
    some = handed_in[1][:3]
    for each in some:
        shutil.copytree(each.folder, tmp_path / "submitted" / each.student / each.assignment)
    with dask_cluster(tmp_path, {}) as (address, _):
        again = grade(tmp_path / "submitted", tmp_path / "out", "--scheduler", address)
    assert again.code == 0, again.said
    for each in some:
        here = graded.points(each.student, each.assignment)
        assert again.points(each.student, each.assignment) == here != {}


def test_one_student_and_one_assignment_can_be_chosen_and_a_wrong_name_is_a_sentence(
    handed_in: Class, tmp_path: Path
) -> None:
    chosen = handed_in[1][0]
    options = ("--student", chosen.student, "--assignment", "2", "--kernel", "fresh")
    some = grade(handed_in[0], tmp_path / "out", *options)
    rows = {(row["student"], row["assignment"]) for row in some.rows()}
    assert rows == {(chosen.student, ASSIGNMENT)}
    assert expected_points(some, [chosen]) == {}  # as on a warm kernel
    for options, sentence in {
        ("--student", "nobody"): "There is no student 'nobody'",
        ("--assignment", "9"): "There is no",
        ("--due", "1", "tomorrow"): "tomorrow is no date and time",
        ("--memory", "much"): "should be a size",
    }.items():
        wrong = grade(handed_in[0], tmp_path / "none", *options)
        assert wrong.code != 0 and sentence in wrong.said and "Traceback" not in wrong.said
    nothing = grade(tmp_path / "no such folder", tmp_path / "none")
    assert nothing.code == 1 and "Traceback" not in nothing.said


def test_the_page_about_the_class_counts_answers_and_misconceptions(graded: Graded) -> None:
    page = (graded.out / "index.html").read_text(encoding="utf-8")
    assert "Commonest misconceptions" in page and "https://" not in page
    assert f"{STUDENTS} submissions of {STUDENTS} students" in page


def test_the_gradebook_is_nbgraders(graded: Graded, handed_in: Class) -> None:
    with Gradebook(f"sqlite:///{graded.out / 'gradebook.db'}", "tape-to-mlp") as book:
        for each in handed_in[1]:
            submission = book.find_submission(each.assignment, each.student)
            assert submission.score == pytest.approx(sum(each.expected.points.values()))
            if each.handed_in is not None:
                moment = each.handed_in.astimezone(datetime.UTC).replace(tzinfo=None)
                assert submission.timestamp == moment
