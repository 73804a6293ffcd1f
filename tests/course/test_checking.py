"""`course check` says how a learner's exercises stand, and never writes to them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from assignment import NAME, answered, cell_of, small_solution
from click.testing import CliRunner

from course.catalog import Lesson
from course.checking import standings_of
from course.cli import main
from course.release import cut

BLANK = "def slope_of_a_polynomial(x):\n    ..."
RIGHT = "def slope_of_a_polynomial(x):\n    return 3 * x**2 + 2"
WRONG = "def slope_of_a_polynomial(x):\n    return x**3 + 2 * x"
ERROR = "1 / 0"
DEADLY = "import os\n\nos._exit(1)"
ENDLESS = "while True:\n    pass"


@pytest.fixture
def exercise(tmp_path: Path) -> Path:
    """A learner's blank exercise."""
    path = tmp_path / "solutions" / NAME / f"{NAME}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(small_solution(), path)
    mine = tmp_path / "mine.ipynb"
    nbformat.write(cut(Lesson(NAME, path, "")), mine)
    return mine


def answer(path: Path, source: str) -> None:
    node = answered(nbformat.read(path, as_version=4), source)
    partial = path.with_suffix(".saving")
    nbformat.write(node, partial)
    partial.replace(path)


@pytest.mark.parametrize(
    ("source", "state", "points"),
    [(BLANK, "not attempted", 0), (WRONG, "wrong", 0), (RIGHT, "right", 2)],
)
def test_each_problem_stands_as_its_check_says(
    exercise: Path, source: str, state: str, points: int
) -> None:
    answer(exercise, source)
    before = exercise.read_bytes()
    first, second = standings_of(exercise)
    assert (first.number, first.state, first.points, first.of) == ("1.1", state, points, 2)
    assert second.state == "not written"
    assert exercise.read_bytes() == before


@pytest.mark.parametrize(
    ("source", "said"),
    [(ERROR, "ZeroDivisionError"), (DEADLY, "ended its Python"), (ENDLESS, "never ends")],
    ids=["error", "deadly", "endless"],
)
def test_a_cell_that_fails_is_named_and_the_rest_is_checked(
    exercise: Path, source: str, said: str
) -> None:
    answer(exercise, BLANK + "\n\n" + source)
    node = nbformat.read(exercise, as_version=4)
    cell_of(node, "written-1-2").source = "Because."
    nbformat.write(node, exercise)
    first, second = standings_of(exercise, limit=10)
    assert first.state in ("stopped", "not attempted") and said in first.next_step
    assert second.state == "written"


def test_the_exit_status_is_zero_only_when_all_is_solved(exercise: Path) -> None:
    answer(exercise, RIGHT)
    result = CliRunner().invoke(main, ["check", str(exercise)])
    assert result.exit_code == 0 and "All solved" in result.output
    answer(exercise, WRONG)
    result = CliRunner().invoke(main, ["check", str(exercise)])
    assert result.exit_code == 1 and "Next: 1.1" in result.output


def test_an_exercise_whose_checks_were_deleted_is_not_solved(exercise: Path) -> None:
    answer(exercise, RIGHT)
    node = nbformat.read(exercise, as_version=4)
    node.cells.remove(cell_of(node, "check-1-1"))
    nbformat.write(node, exercise)
    result = CliRunner().invoke(main, ["check", str(exercise)])
    assert result.exit_code == 1 and "No check is left for 1.1" in result.output
    assert "All solved" not in result.output


def test_an_exercise_is_compared_with_the_one_that_was_handed_out(
    exercise: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed_out = exercise.rename(tmp_path / f"{NAME}.ipynb")
    monkeypatch.setattr("course.checking.exercises", lambda: [Lesson(NAME, handed_out, "")])
    mine = tmp_path / "my" / f"{NAME}.ipynb"
    mine.parent.mkdir()
    nbformat.write(nbformat.v4.new_notebook(), mine)
    result = CliRunner().invoke(main, ["check", str(mine)])
    said = " ".join(result.output.split())
    assert result.exit_code == 1 and "No check is left for 1.1:" in said and "0/2" in said
    assert f"`course lab --reset exercises/{NAME}` hands out a fresh one" in said
    assert "All solved" not in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', "has no problems of"),
        ("{", "cannot be read as a notebook"),
        ('{"cells": 5, "nbformat": 4, "nbformat_minor": 5}', "cannot be read as a notebook"),
        ("[]", "cannot be read as a notebook (it is no notebook of Jupyter's)"),
        ("[" * 100_000, "cannot be read as a notebook"),
    ],
    ids=["empty", "half", "number", "list", "deep"],
)
def test_what_is_no_exercise_is_one_sentence_with_advice_that_can_be_followed(
    content: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "other.ipynb"
    path.write_text(content, encoding="utf-8")
    result = CliRunner().invoke(main, ["check", str(path)])
    assert result.exit_code == 1 and said in result.output and "Traceback" not in result.output
    assert "name one of the course's exercises, or a copy of one." in result.output


@pytest.mark.parametrize(
    ("name", "said"),
    [("9", "There is no exercise '9'"), ("nothing.ipynb", "There is no notebook nothing.ipynb")],
)
def test_an_unknown_exercise_is_one_sentence(name: str, said: str) -> None:
    result = CliRunner().invoke(main, ["check", name])
    assert result.exit_code == 1 and said in result.output and "Traceback" not in result.output


def test_watching_answers_a_save_within_three_seconds(exercise: Path, tmp_path: Path) -> None:
    log = tmp_path / "watch.log"
    command = [sys.executable, "-u", "-m", "course", "check", str(exercise), "--watch"]
    environment = os.environ | {"PYTHONIOENCODING": "utf-8"}
    with (
        log.open("w", encoding="utf-8") as out,
        subprocess.Popen(command, stdout=out, stderr=out, env=environment) as watching,
    ):
        try:
            wait_for("The blank is still there", log, 120)
            answer(exercise, WRONG)
            assert wait_for("not its slope", log, 30) < 3
            answer(exercise, RIGHT)
            assert wait_for("All solved", log, 30) < 3
        finally:
            watching.terminate()


def wait_for(text: str, log: Path, most: float) -> float:
    """Return how many seconds it took until ``text`` was in the log, its lines joined."""
    start = time.monotonic()
    while time.monotonic() - start < most:
        shown = " ".join(log.read_text(encoding="utf-8").replace("│", " ").split())
        if text in shown:
            return time.monotonic() - start
        time.sleep(0.05)
    pytest.fail(f"{text!r} did not appear within {most} s: {log.read_text(encoding='utf-8')}")
