"""The exercises are what the solutions and problems make, and nbgrader grades them as we do."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook

from course.catalog import assignments, lessons
from course.release import release, verdicts
from utils.problems.problem import ASSIGNMENTS

ROOT = Path(__file__).parent.parent
NAME = "01_gradient_tape"


def test_lessons_1_to_6_have_an_assignment() -> None:
    names = [lesson.name for lesson in lessons() if lesson.name[1] in ASSIGNMENTS]
    assert [each.name for each in assignments()] == names


@pytest.mark.parametrize("name", [each.name for each in assignments()])
def test_the_exercise_is_fit_and_up_to_date(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert release([name], check=True), capsys.readouterr().out


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An nbgrader course with the first assignment, released and submitted by four learners."""
    folder = tmp_path_factory.mktemp("nbgrader")
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    shutil.copytree(ROOT / "solutions" / NAME, folder / "solutions" / NAME)
    nbgrader(folder, "generate_assignment", NAME)
    blank = nbformat.read(folder / "exercises" / NAME / f"{NAME}.ipynb", as_version=4)
    solution = nbformat.read(folder / "solutions" / NAME / f"{NAME}.ipynb", as_version=4)
    for student, node in {
        "blank": blank,
        "right": filled(blank, solution),
        "partial": filled(blank, solution, every=2),
        "wrong": wrong(blank, solution),
    }.items():
        path = folder / "submitted" / student / NAME / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(node, path)
    nbgrader(folder, "autograde", NAME)
    return folder


def nbgrader(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nbgrader", *arguments]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PATH": path}  # nbgrader calls alembic
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done


def filled(blank: NotebookNode, solution: NotebookNode, every: int = 1) -> NotebookNode:
    """Return the exercise with the solutions of all problems, or of each ``every``-th."""
    node = nbformat.from_dict(blank)
    answers = {
        cell.id: cell.source
        for cell in solution.cells
        if cell.id.startswith(("answer-", "written-"))
    }
    for number, name in enumerate(answers):
        if number % every == 0:
            cell_of(node, name).source = answers[name]
    return node


def wrong(blank: NotebookNode, solution: NotebookNode) -> NotebookNode:
    """Return the exercise with answers that are attempted and wrong."""
    node = nbformat.from_dict(blank)
    for cell in solution.cells:
        if cell.id.startswith("check-"):
            call = ast.parse(cell.source).body[-1]
            names = {each.id for each in ast.walk(call) if isinstance(each, ast.Name)} - {"check"}
            nonsense = "".join(f"\n{name} = lambda *inputs: -12.5" for name in sorted(names))
            answer = cell.id.replace("check-", "answer-")
            cell_of(node, answer).source += nonsense
    return node


def cell_of(node: NotebookNode, name: str) -> NotebookNode:
    return next(cell for cell in node.cells if cell.id.startswith(name))


@pytest.mark.parametrize("student", ["blank", "right", "partial", "wrong"])
def test_nbgrader_gives_the_points_that_the_check_shows(course: Path, student: str) -> None:
    path = course / "autograded" / student / NAME / f"{NAME}.ipynb"
    shown = {
        "check-" + number.replace(".", "-"): verdict["points"]
        for number, verdict in verdicts(nbformat.read(path, as_version=4)).items()
    }
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        submission = gradebook.find_submission(NAME, student)
        [notebook] = submission.notebooks
        scores = {
            each.name: each.auto_score for each in notebook.grades if each.name.startswith("check-")
        }
        most = sum(each.max_score for each in notebook.grades if each.name in scores)
    assert scores == shown and len(scores) >= 5
    total = sum(scores.values())
    if student in ("blank", "wrong"):
        assert total == 0
    elif student == "right":
        assert total == most
    else:
        assert 0 < total < most


@pytest.mark.parametrize("student", ["right", "blank"])
def test_nbgraders_validate_agrees_with_the_checks(course: Path, student: str) -> None:
    path = course / "submitted" / student / NAME / f"{NAME}.ipynb"
    said = nbgrader(course, "validate", str(path)).stdout
    assert ("Success" in said) == (student == "right"), said


def test_the_hints_that_an_exercise_mentions_are_there() -> None:
    for assignment in assignments():
        text = assignment.path.read_text(encoding="utf-8")
        assert re.search(r"hint\(", text)
