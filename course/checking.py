"""Runs a learner's exercises in a terminal and says how each problem stands."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import nbformat
from nbformat import NotebookNode
from rich.console import Console
from rich.table import Table
from rich.text import Text

from course.catalog import ROOT, Lesson, assignments, exercises, is_file, nearest
from course.kernels.provisioner import Kind
from course.notebooks import UNREADABLE, read_notebook
from course.release import text_stub, verdicts
from course.sessions import KernelDied, Session, open_session
from utils.errors import CourseError
from utils.parameters import shortened, shown

State = Literal["right", "wrong", "not attempted", "stopped", "written", "not written"]

MARKS: dict[State, str] = {
    "right": "✓",
    "wrong": "✗",
    "not attempted": "○",
    "stopped": "✗",
    "written": "✎",
    "not written": "○",
}
HEADING = re.compile(r"## (\d\.\d+) (.+)")  # of a problem
MISSING = "its check is missing."
CELL_LIMIT = 90.0  # seconds a cell may take
LOOK_EVERY = 0.2  # seconds between two looks at a watched file


class Standing(NamedTuple):
    """How one problem stands."""

    number: str
    title: str
    state: State
    points: float
    of: float
    next_step: str


def check_exercises(names: Sequence[str], *, watch: bool = False, kernel: Kind = "warm") -> bool:
    """Check the exercises called ``names``, or all of the learner's copy; print a table for each.

    A name is an exercise's number or name, or the path of a notebook. The learner's files are
    read and never written.

    Returns:
        Whether every problem that a check decides is solved.

    Raises:
        CourseError: when there is no such exercise.
    """
    console = Console(highlight=False)
    paths = [_find(name) for name in names] if names else _learners_files()
    if watch:
        if len(paths) != 1:
            raise CourseError(
                "--watch looks at one exercise: name it, as in `course check 3 --watch`."
            )
        _watch(paths[0], console, kernel)
        return True
    solved = True
    whole = []
    for path in paths:
        standings = standings_of(path, kernel=kernel)
        solved = solved and all(
            each.state in ("right", "written", "not written") for each in standings
        )
        if names:
            _show(path, standings, console)
        whole.append((path, standings))
    if not names:
        _show_progress(whole, console)
    return solved


def standings_of(path: Path, limit: float = CELL_LIMIT, kernel: Kind = "warm") -> list[Standing]:
    """Run a learner's notebook to its end, whatever its cells do, and return how it stands.

    A cell that does not end within ``limit`` seconds is interrupted; one that kills the kernel or
    cannot be interrupted is left out, and the others are run on a new one.

    Raises:
        CourseError: when the file is no notebook, or no kernel starts.
    """
    node = _read(path)
    return _standings(path, node, _executed(node, path.parent, limit, kernel))


def _executed(
    node: NotebookNode, folder: Path, limit: float, kernel: Kind
) -> dict[str, NotebookNode]:
    """Return the executed code cells by id."""
    fatal: dict[str, NotebookNode] = {}
    while True:
        done: dict[str, NotebookNode] = dict(fatal)
        with open_session(folder, limit, kernel=kernel) as session:
            for cell in _code_cells(node):
                if cell.id in fatal:
                    continue
                try:
                    done[cell.id] = session.run(cell)
                except KernelDied:
                    fatal[cell.id] = _killed(cell)
                    break
            else:
                return done


def _killed(cell: NotebookNode) -> NotebookNode:
    said = nbformat.v4.new_output(
        "error",
        ename="KernelDied",
        evalue="this cell ended its Python, or could not be stopped",
        traceback=[],
    )
    return nbformat.from_dict(dict(cell, outputs=[said]))


def _code_cells(node: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in node.cells if cell.cell_type == "code" and cell.source.strip()]


def _standings(path: Path, node: NotebookNode, executed: dict[str, NotebookNode]) -> list[Standing]:
    said = verdicts(nbformat.v4.new_notebook(cells=list(executed.values())))
    found = [
        *(
            _standing(number, title, cells, executed, said)
            for number, title, cells in _problems(node)
        ),
        *_written(node),
    ]
    found += _missing(path, node, {each.number for each in found})
    return sorted(found, key=lambda each: [int(part) for part in each.number.split(".")])


def _missing(path: Path, node: NotebookNode, found: set[str]) -> Iterator[Standing]:
    """Yield the problems that stand in the notebook or its exercise, and have no check here."""
    exercise = _handed_out(path)
    handed_out = _read(exercise.path) if exercise else nbformat.v4.new_notebook()
    of = {number: _points(cells) for number, _, cells in _problems(handed_out)}
    for number, title in dict([*_headings(handed_out), *_headings(node)]).items():
        if number not in found:
            yield Standing(number, title, "stopped", 0, of.get(number, 0), MISSING)


def _points(cells: Sequence[NotebookNode]) -> float:
    """Return the points of the problem that these cells belong to."""
    return max(float(cell.metadata.get("nbgrader", {}).get("points", 0)) for cell in cells)


def _headings(node: NotebookNode) -> Iterator[tuple[str, str]]:
    """Yield number and title of each problem."""
    for cell in node.cells:
        if cell.cell_type == "markdown" and (heading := HEADING.match(cell.source)):
            yield heading[1], heading[2].strip()


def _problems(node: NotebookNode) -> Iterator[tuple[str, str, list[NotebookNode]]]:
    """Yield number, title and code cells of each problem, in the notebook's order."""
    found: list[tuple[str, str, list[NotebookNode]]] = []
    for cell in node.cells:
        heading = HEADING.match(cell.source)
        if cell.cell_type == "markdown" and heading:
            found.append((heading[1], heading[2].strip(), []))
        elif cell.cell_type == "code" and found:
            found[-1][2].append(cell)
    for number, title, cells in found:
        if any(re.search(r"^check\(", cell.source, re.MULTILINE) for cell in cells):
            yield number, title, cells


def _standing(
    number: str,
    title: str,
    cells: list[NotebookNode],
    executed: dict[str, NotebookNode],
    said: dict[str, dict[str, Any]],
) -> Standing:
    of = _points(cells)
    verdict = said.get(number)
    errors = [
        output
        for cell in cells
        if cell.id in executed
        for output in executed[cell.id].outputs
        if output.output_type == "error"
    ]
    if errors and (verdict is None or verdict["state"] == "not attempted"):
        error = errors[0]
        what = {
            "KeyboardInterrupt": "a cell did not end in time and was stopped: is there a loop that"
            " never ends?",
            "KernelDied": f"{error.evalue}.",
        }.get(error.ename, f"a cell stopped with {error.ename}: {error.evalue.strip()[:160]}")
        return Standing(number, title, "stopped", 0, of, what)
    if verdict is None:
        return Standing(number, title, "stopped", 0, of, "its check did not run.")
    step = "" if verdict["state"] == "right" else _one_line(verdict["text"])
    return Standing(number, title, verdict["state"], verdict["points"], of, step)


def _written(node: NotebookNode) -> Iterator[Standing]:
    stub = text_stub()
    for cell in node.cells:
        name = str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
        if cell.cell_type == "markdown" and name.startswith("written-"):
            number = name.removeprefix("written-").replace("-", ".")
            points = float(cell.metadata.nbgrader.get("points", 0))
            blank = not cell.source.strip() or cell.source.strip() == stub
            state: State = "not written" if blank else "written"
            step = "write your answer." if blank else "a person reads this one."
            yield Standing(number, "In your own words", state, 0, points, step)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _show(path: Path, standings: Sequence[Standing], console: Console) -> None:
    table = Table("", "Problem", "Points", "Next step", title=path.stem, title_justify="left")
    for each in standings:
        points = "" if each.state.endswith("written") else f"{each.points:g}/{each.of:g}"
        mark = Text(MARKS[each.state], "green" if each.state == "right" else "yellow")
        table.add_row(mark, f"{each.number} {each.title}", points, Text(each.next_step))
    console.print(table)
    open_ = [each for each in standings if each.state in ("wrong", "not attempted", "stopped")]
    if open_:
        number = open_[0].number
        missing = [each.number for each in open_ if each.next_step == MISSING]
        if missing:
            console.print(f"No check is left for {', '.join(missing)}: {_advice(path)}.")
        else:
            console.print(f'Next: {number}. In the notebook, hint("{number}") gives a hint.')
    else:
        console.print("All solved.")


def _show_progress(whole: Sequence[tuple[Path, Sequence[Standing]]], console: Console) -> None:
    table = Table(
        "Exercise", "Solved", "Points", "Next", title="Your progress", title_justify="left"
    )
    for path, standings in whole:
        checked = [each for each in standings if not each.state.endswith("written")]
        right = sum(each.state == "right" for each in checked)
        points = sum(each.points for each in checked)
        of = sum(each.of for each in checked)
        next_ = next((f"{e.number} {e.title}" for e in checked if e.state != "right"), "")
        table.add_row(path.stem, f"{right} of {len(checked)}", f"{points:g}/{of:g}", next_)
    console.print(table)


def _watch(path: Path, console: Console, kernel: Kind) -> None:
    """Check the notebook after every save, until interrupted.

    The kernel stays; what is run again are the cells that changed, with the other cells of their
    problem. A change before the first problem begins anew.
    """
    console.print(f"Watching {path.name}. Ctrl-C ends this.")
    while True:
        with open_session(path.parent, CELL_LIMIT, kernel=kernel) as session:
            if not _watch_on(path, session, console):
                return


def _watch_on(path: Path, session: Session, console: Console) -> bool:
    """Answer saves on one kernel; return True when a new one is needed."""
    node, stamp = _read(path), _stamp(path)
    executed: dict[str, NotebookNode] = {}
    fresh = True
    while True:
        groups = [cells for _, _, cells in _problems(node)]
        inside = {cell.id for cells in groups for cell in cells}
        setup = [cell for cell in _code_cells(node) if cell.id not in inside]
        changed = {
            cell.id
            for cell in _code_cells(node)
            if cell.id not in executed or executed[cell.id].source != cell.source
        }
        if not fresh and changed & {cell.id for cell in setup}:
            return True
        try:
            for cells in [setup, *groups]:
                if any(cell.id in changed for cell in cells):
                    for cell in cells:
                        if cell.source.strip():
                            executed[cell.id] = session.run(cell)
        except KernelDied:
            _show(path, standings_of(path), console)
            _wait_for_save(path, stamp)
            return True
        if changed or fresh:
            _show(
                path,
                _standings(path, node, {key: executed[key] for key in _ids(node, executed)}),
                console,
            )
        fresh = False
        stamp = _wait_for_save(path, stamp)
        node = _read(path)


def _ids(node: NotebookNode, executed: dict[str, NotebookNode]) -> list[str]:
    return [cell.id for cell in _code_cells(node) if cell.id in executed]


def _stamp(path: Path) -> tuple[int, int]:
    try:
        state = path.stat()
    except OSError:  # in the middle of a save by rename
        return (0, 0)
    return (state.st_mtime_ns, state.st_size)


def _wait_for_save(path: Path, stamp: tuple[int, int]) -> tuple[int, int]:
    while _stamp(path) in (stamp, (0, 0)):
        time.sleep(LOOK_EVERY)
    return _stamp(path)


def _read(path: Path) -> NotebookNode:
    try:
        node = read_notebook(path)
    except UNREADABLE as error:
        reason = str(error).splitlines()[0][:120]
        raise CourseError(
            f"{path} cannot be read as a notebook ({reason}): {_advice(path)}."
        ) from error
    if not (_handed_out(path) or any(_headings(node))):
        raise CourseError(f"{path} has no problems of an exercise: {_advice(path)}.")
    for number, cell in enumerate(node.cells):
        cell.setdefault("id", f"cell-{number}")
    return node


def _handed_out(path: Path) -> Lesson | None:
    """Return the exercise of the course that has the name of this file."""
    return next((each for each in exercises() if each.name == path.stem), None)


def _advice(path: Path) -> str:
    if _handed_out(path):
        name = f"exercises/{path.stem}"
        return f"`course lab --reset {name}` hands out a fresh one and keeps yours beside it"
    return "name one of the course's exercises, or a copy of one"


def _learners_files() -> list[Path]:
    folder = ROOT / "my_course" / "exercises"
    paths = [folder / each.name / f"{each.name}.ipynb" for each in exercises()]
    found = [path for path in paths if path.is_file()]
    if not found:
        raise CourseError(
            f"There are no exercises in {folder}: `course lab` makes your copy of the course."
        )
    return found


def _find(name: str) -> Path:
    path = Path(name)
    if path.suffix == ".ipynb":
        if is_file(path):
            return path
        raise CourseError(f"There is no notebook {shortened(name)}.")
    names = [each.name for each in exercises()] or [each.name for each in assignments()]
    for each in names:
        if name in (each, each[:2]) or (name.isdecimal() and int(name) == int(each[:2])):
            mine = ROOT / "my_course" / "exercises" / each / f"{each}.ipynb"
            if mine.is_file():
                return mine
            raise CourseError(
                f"There is no {mine} yet: `course lab` makes your copy of the course."
            )
    raise CourseError(f"There is no exercise {shown(name)}: {nearest(name, names)}")


__all__ = ["Lesson", "Standing", "check_exercises", "standings_of"]
