"""Exercises are cut from solutions, and nothing unfit is handed out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from assignment import NAME, cell_of, small_solution
from nbformat import NotebookNode

from course import release as releasing
from course.catalog import Lesson, find_assignments
from course.release import cut, faults_of, release
from utils.problems import problem as problem_module

Change = Callable[[NotebookNode], None]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one assignment of one problem."""
    one = {"1.1": problem_module.problems_of("1")["1.1"]}
    monkeypatch.setattr(releasing, "problems_of", lambda assignment: one)
    write(tmp_path, small_solution())
    return tmp_path


@pytest.fixture
def without_running(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the run of both notebooks, for tests of what is found before it."""
    monkeypatch.setattr(releasing, "_faults_when_run", lambda *_: [])


def write(root: Path, node: NotebookNode) -> Path:
    path = root / "solutions" / NAME / f"{NAME}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(node), encoding="utf-8")
    return path


def faults(root: Path) -> list[str]:
    return list(faults_of(Lesson(NAME, root / "solutions" / NAME / f"{NAME}.ipynb", "")))


def exercise_file(root: Path) -> Path:
    return root / "exercises" / NAME / f"{NAME}.ipynb"


def test_a_sound_assignment_is_released_blank_and_runs_to_its_end(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = root / "exercises" / NAME / "notes.txt"
    other.parent.mkdir(parents=True)
    other.write_text("mine")
    assert release(root=root)
    assert f"✓ {NAME}: written" in capsys.readouterr().out
    node = nbformat.read(exercise_file(root), as_version=4)
    assert [cell.id for cell in node.cells] == [cell.id for cell in small_solution().cells]
    assert cell_of(node, "answer-1-1").source == "def slope_of_a_polynomial(x):\n    ..."
    assert cell_of(node, "check-1-1").source == 'check("1.1", slope_of_a_polynomial)'
    assert "path leads" not in exercise_file(root).read_text(encoding="utf-8")
    assert other.read_text() == "mine"


@pytest.mark.parametrize("content", ["[]", '{"cells": 5}', "{", "[" * 100_000], ids=range(4))
def test_a_solution_that_is_no_notebook_is_a_fault(content: str, root: Path) -> None:
    (root / "solutions" / NAME / f"{NAME}.ipynb").write_text(content, encoding="utf-8")
    (only,) = faults(root)
    assert only.startswith("the solution cannot be read (")


@pytest.mark.usefixtures("without_running")
def test_an_exercise_that_would_stay_the_same_is_not_touched(root: Path) -> None:
    assert release(root=root)
    before = exercise_file(root).stat().st_mtime_ns
    assert release(root=root) and release(root=root, check=True)
    assert exercise_file(root).stat().st_mtime_ns == before


@pytest.mark.usefixtures("without_running")
@pytest.mark.parametrize("what", ["solution", "hidden test", "exercise", "metadata", "gone"])
def test_check_finds_what_was_edited_by_hand_and_writes_nothing(root: Path, what: str) -> None:
    assert release(root=root)
    path = exercise_file(root)
    solution = small_solution()
    if what == "solution":
        cell = cell_of(solution, "answer-1-1")
        cell.source = cell.source.replace("x**3", "x * x * x")
        write(root, solution)
    elif what == "hidden test":
        cell = cell_of(solution, "check-1-1")
        cell.source = cell.source.replace("3.25", "4.5")
        write(root, solution)
    elif what == "gone":
        path.unlink()
    else:
        node = json.loads(path.read_text(encoding="utf-8"))
        if what == "metadata":
            node["cells"][4]["metadata"]["nbgrader"]["points"] = 20
        else:
            node["cells"][2]["source"] += ["A word."]
        path.write_text(json.dumps(node), encoding="utf-8")
    before = path.read_bytes() if path.exists() else None
    assert not release(root=root, check=True)
    assert (path.read_bytes() if path.exists() else None) == before


@pytest.mark.usefixtures("without_running")
def test_check_finds_an_edited_hint(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert release(root=root)
    package = root / "problems"
    package.mkdir()
    for path in Path(problem_module.__file__).parent.glob("*.py"):
        package.joinpath(path.name).write_bytes(path.read_bytes())
    copy = ModuleType("copy")
    copy.__file__ = str(package / "problem.py")
    monkeypatch.setattr(releasing, "problem_module", copy)
    assert release(root=root, check=True)
    module = package / "gradient_tape.py"
    text = module.read_text(encoding="utf-8")
    assert "Four things" in text
    module.write_text(text.replace("Four things", "Five things"), encoding="utf-8")
    assert not release(root=root, check=True)


def remove(name: str) -> Change:
    def change(node: NotebookNode) -> None:
        node.cells.remove(cell_of(node, name))

    return change


def replace(name: str, old: str, new: str) -> Change:
    def change(node: NotebookNode) -> None:
        cell = cell_of(node, name)
        assert old in cell.source
        cell.source = cell.source.replace(old, new)

    return change


def leak(node: NotebookNode) -> None:
    cell_of(node, "title").metadata["note"] = "try: y = x**3 + 2 * x"


def leak_a_hidden_test(node: NotebookNode) -> None:
    cell_of(node, "title").source += '\n`other_cases("1.1", (3.25,))`'


def attach(node: NotebookNode) -> None:
    cell_of(node, "title").attachments = {"solution.png": {"image/png": ""}}


def raise_points(node: NotebookNode) -> None:
    cell_of(node, "check-1-1").metadata.nbgrader.points = 20


def repeat(node: NotebookNode) -> None:
    node.cells.append(cell_of(node, "written-1-2"))


@pytest.mark.usefixtures("without_running")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (remove("check-1-1"), "problem 1.1 has no cell check-1-1"),
        (remove("answer-1-1"), "problem 1.1 has no cell answer-1-1"),
        (remove("written-1-2"), "has no written question"),
        (replace("problem-1-1", "Objective 1", "Objective 9"), "does not say"),
        (replace("problem-1-1", "## 1.1", "## 1.2"), "does not begin with"),
        (replace("check-1-1", "BEGIN HIDDEN TESTS", "OPEN"), "has no hidden test"),
        (
            replace("check-1-1", '\ncheck("1.1"', '\nprint("1.1"'),
            "does not end in check('1.1', ...)",
        ),
        (replace("answer-1-1", "    ### END SOLUTION", ""), "nbgrader cannot cut it"),
        (leak, "is left: 'y = x**3 + 2 * x'"),
        (leak_a_hidden_test, "hidden tests of cell check-1-1 is left"),
        (attach, "has attachments"),
        (raise_points, "is not worth the 2 points"),
        (repeat, "2 cells have the id 'written-1-2'"),
    ],
    ids=lambda value: "" if callable(value) else value[:30],
)
def test_an_unfit_assignment_is_not_released(
    root: Path, change: Change, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    node = small_solution()
    change(node)
    write(root, node)
    assert not release(root=root)
    assert said in capsys.readouterr().out
    assert not exercise_file(root).exists()


def test_a_solution_that_is_wrong_or_fails_is_not_released(root: Path) -> None:
    node = small_solution()
    replace("answer-1-1", "tape.gradient(y, x)", "2 * tape.gradient(y, x)")(node)
    write(root, node)
    assert any("the solution: problem 1.1 is wrong, not right" in each for each in faults(root))


def test_a_blank_that_fails_is_not_released(root: Path) -> None:
    node = small_solution()
    cell_of(node, "answer-1-1").source += "\n\nassert slope_of_a_polynomial(tf.constant(1.0)) > 0"
    write(root, node)
    assert any("the blank exercise does not run to its end" in each for each in faults(root))


def test_cutting_keeps_no_output(root: Path) -> None:
    node = small_solution()
    cell_of(node, "setup").outputs = [nbformat.v4.new_output("stream", text="seen\n")]
    path = write(root, node)
    assert all(not cell.get("outputs") for cell in cut(Lesson(NAME, path, "")).cells)


def test_an_exercise_is_the_same_whether_its_metadata_is_checked_or_not() -> None:
    for assignment in find_assignments(()):
        assert cut(assignment, checked=False) == cut(assignment)
