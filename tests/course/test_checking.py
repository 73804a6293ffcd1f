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
    mine = tmp_path / f"{NAME}.ipynb"
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


@pytest.mark.parametrize(
    ("name", "said"),
    [("9", "There is no exercise '9'"), ("nothing.ipynb", "There is no notebook nothing.ipynb")],
)
def test_an_unknown_exercise_is_one_sentence(name: str, said: str) -> None:
    result = CliRunner().invoke(main, ["check", name])
    assert result.exit_code == 1 and said in result.output and "Traceback" not in result.output


def test_a_file_that_is_no_notebook_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "broken.ipynb"
    path.write_text("{", encoding="utf-8")
    result = CliRunner().invoke(main, ["check", str(path)])
    assert result.exit_code == 1 and "cannot be read as a notebook" in result.output


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
