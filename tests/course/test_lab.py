"""A learner's work is never lost, and an update reaches the learner."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from course.lab import MANIFEST, describe, prepare, reset_file
from utils.errors import CourseError

WriteNotebook = Callable[..., Path]

TODAY = datetime.date.today().isoformat()


@pytest.fixture
def checkout(write_notebook: WriteNotebook, tmp_path: Path) -> Path:
    """A checkout with two lessons that have outputs, and an exercise."""
    for name in ("00_start_here", "01_gradient_tape"):
        path = write_notebook(name, "# A lesson: 그래디언트", "1 + 1")
        node = nbformat.read(path, as_version=4)
        node.cells[1].outputs = [nbformat.v4.new_output("stream", text="2\n")]
        node.cells[1].execution_count = 1
        nbformat.write(node, path)
    write_notebook("01_gradient_tape", "# Exercise", folder="exercises/01_gradient_tape")
    return tmp_path


@pytest.fixture
def copy(checkout: Path) -> Path:
    """A learner's copy of the checkout."""
    return prepare(checkout, checkout / "my_course").folder


def change_upstream(checkout: Path, name: str = "01_gradient_tape") -> None:
    path = checkout / "notebooks" / f"{name}.ipynb"
    path.write_text(path.read_text(encoding="utf-8").replace("1 + 1", "2 + 2"), encoding="utf-8")


def test_a_copy_has_the_lessons_without_outputs_and_the_exercises(checkout: Path) -> None:
    prepared = prepare(checkout, checkout / "my_course")
    exercise = "exercises/01_gradient_tape/01_gradient_tape.ipynb"
    assert prepared.added == ["00_start_here.ipynb", "01_gradient_tape.ipynb", exercise]
    lesson = nbformat.read(prepared.folder / "00_start_here.ipynb", as_version=4)
    assert (lesson.cells[1].outputs, lesson.cells[1].execution_count) == ([], None)
    assert lesson.cells[0].source == "# A lesson: 그래디언트"
    assert (prepared.folder / exercise).is_file()


def test_preparing_again_changes_nothing(checkout: Path, copy: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*")}
    prepared = prepare(checkout, copy)
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*")} == before
    assert prepared == (copy, [], [], [], [])


def test_a_learners_work_is_never_overwritten(checkout: Path, copy: Path) -> None:
    work = copy / "01_gradient_tape.ipynb"
    work.write_text("my work")
    change_upstream(checkout)
    prepared = prepare(checkout, copy)
    assert work.read_text() == "my work"
    assert prepared.changed == ["01_gradient_tape.ipynb"]
    assert "`course lab --reset 01_gradient_tape`" in describe(prepared)


def test_work_on_a_lesson_that_did_not_change_is_not_reported(checkout: Path, copy: Path) -> None:
    (copy / "01_gradient_tape.ipynb").write_text("my work")
    assert prepare(checkout, copy).changed == []


def test_new_outputs_in_the_course_are_no_change_for_a_learner(checkout: Path, copy: Path) -> None:
    path = checkout / "notebooks" / "01_gradient_tape.ipynb"
    path.write_text(path.read_text(encoding="utf-8").replace('"2\\n"', '"3\\n"'), encoding="utf-8")
    assert prepare(checkout, copy).changed == []


def test_an_update_adds_what_is_new(
    write_notebook: WriteNotebook, checkout: Path, copy: Path
) -> None:
    write_notebook("02_control_flow", "# 2. Control flow")
    assert prepare(checkout, copy).added == ["02_control_flow.ipynb"]


def test_a_deleted_lesson_is_handed_out_again_and_said_so(checkout: Path, copy: Path) -> None:
    (copy / "00_start_here.ipynb").unlink()
    prepared = prepare(checkout, copy)
    assert prepared.returned == ["00_start_here.ipynb"] and not prepared.added
    assert "handed out again: 00_start_here" in describe(prepared)
    assert (copy / "00_start_here.ipynb").is_file()


@pytest.mark.parametrize("damaged", ["", "{", "[1]", '{"01_gradient_tape.ipynb": 3}', "\x00"])
def test_a_damaged_manifest_costs_nothing_but_one_sentence(
    damaged: str, checkout: Path, copy: Path
) -> None:
    (copy / "01_gradient_tape.ipynb").write_text("my work")
    (copy / MANIFEST).write_text(damaged)
    first = prepare(checkout, copy)
    assert first.unknown + first.changed == ["01_gradient_tape.ipynb"]
    assert (copy / "01_gradient_tape.ipynb").read_text() == "my work"
    json.loads((copy / MANIFEST).read_text())
    assert prepare(checkout, copy).unknown == []


@pytest.mark.parametrize(
    "name", ["1", "01", "01_gradient_tape", "my_course/01_gradient_tape.ipynb"]
)
def test_a_reset_hands_out_the_new_lesson_and_keeps_the_old_one(
    name: str, checkout: Path, copy: Path
) -> None:
    (copy / "01_gradient_tape.ipynb").write_text("my work")
    change_upstream(checkout)
    kept = reset_file(name, checkout, copy)
    assert kept == copy / f"01_gradient_tape.before-{TODAY}.ipynb"
    assert kept.read_text() == "my work"
    assert "2 + 2" in (copy / "01_gradient_tape.ipynb").read_text(encoding="utf-8")
    assert prepare(checkout, copy).changed == []


def test_resetting_twice_a_day_keeps_both_old_files(checkout: Path, copy: Path) -> None:
    for work in ("first", "second"):
        (copy / "01_gradient_tape.ipynb").write_text(work)
        reset_file("01", checkout, copy)
    kept = sorted(copy.glob("*.before-*"))
    assert [path.read_text() for path in kept] == ["second", "first"]


def test_an_exercise_is_reset_by_its_folder(checkout: Path, copy: Path) -> None:
    work = copy / "exercises" / "01_gradient_tape" / "01_gradient_tape.ipynb"
    work.write_text("my answers")
    kept = reset_file("exercises/01_gradient_tape", checkout, copy)
    assert kept is not None and kept.read_text() == "my answers" and kept.parent == work.parent
    assert nbformat.read(work, as_version=4).cells[0].source == "# Exercise"


def test_an_unknown_name_is_answered_with_the_nearest(checkout: Path, copy: Path) -> None:
    with pytest.raises(CourseError, match=r"did you mean 01_gradient_tape\?"):
        reset_file("01_gradient_tap", checkout, copy)


def test_a_folder_that_cannot_be_written_is_one_sentence(checkout: Path) -> None:
    (checkout / "my_course").write_text("a file in the way")
    with pytest.raises(CourseError, match="cannot be written"):
        prepare(checkout, checkout / "my_course")


def test_the_address_that_is_printed_opens_the_first_lesson(checkout: Path) -> None:
    start = (
        "import pathlib, course.lab as lab; lab.ROOT = pathlib.Path.cwd();"
        " lab.open_lab(options=['--no-browser', '--allow-root', '--ServerApp.port=0'])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", start],
        cwd=checkout,
        env=os.environ | {"JUPYTER_RUNTIME_DIR": str(checkout / "runtime")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        assert server.stdout is not None
        try:
            addresses = (line.strip() for line in server.stdout if "?token=" in line)
            assert "/lab/tree/00_start_here.ipynb?token=" in next(addresses, "")
        finally:
            server.kill()  # a server that has just begun to wait may miss a milder signal
