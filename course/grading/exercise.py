"""What an exercise is made of: the instructor's cells, and places for a learner's answers."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple

import nbformat
from nbformat import NotebookNode

from course.catalog import Lesson
from course.grading.cells import Cell
from course.grading.sources import names_bound, parse, shapes, tidy
from course.release import cut

Role = Literal["instructor", "check", "answer", "own"]

MAKING = re.compile(r"^[ \t]*(?:def|class) (\w+)|^(\w+) *=", re.MULTILINE)
ABOUT = re.compile(r"[a-z]+-(\d+)-(\d+)")  # the name of a cell that belongs to a problem


@dataclass(frozen=True, eq=False)
class Slot:
    """A cell of an exercise, as it is handed out.

    Attributes:
        problem: ``"1.5"``, or an empty text.
        code: its statements, where it is a code cell.
        shapes: what is left of them without comments and layout.
        names: what they define.
        asks: of a check, the names of the answers that it checks.
    """

    name: str
    node: NotebookNode
    role: Role
    problem: str
    code: tuple[ast.stmt, ...]
    shapes: frozenset[str]
    names: frozenset[str]
    asks: tuple[str, ...]

    @property
    def is_code(self) -> bool:
        """Whether it is a code cell."""
        return bool(self.node.cell_type == "code")

    @property
    def is_locked(self) -> bool:
        """Whether it is the instructor's, so that what a learner makes of it does not count."""
        return self.role in ("instructor", "check")

    @property
    def text(self) -> str:
        """What it says."""
        return str(self.node.source)


class Exercise(NamedTuple):
    """An exercise as it is handed out, and what was taken out of it.

    Attributes:
        slots: its cells by the names that nbgrader has for them, in order.
        checks: the name of a check -> its source with the hidden tests.
    """

    name: str
    metadata: NotebookNode
    slots: dict[str, Slot]
    checks: dict[str, str]

    def answers(self) -> list[Slot]:
        """Return the slots for answers in code."""
        return [slot for slot in self.slots.values() if slot.role == "answer" and slot.is_code]

    def written(self) -> list[Slot]:
        """Return the slots for answers in words."""
        return [slot for slot in self.slots.values() if slot.role == "answer" and not slot.is_code]


def exercise_of(assignment: Lesson) -> Exercise:
    """Cut an assignment's solution, and keep apart what only a grader may see."""
    return _cut_once(assignment, assignment.path.stat().st_mtime_ns)


@cache
def _cut_once(assignment: Lesson, written: int) -> Exercise:
    handed_out = cut(assignment, checked=False)
    slots = {}
    for node in handed_out.cells:
        slot = _slot(node)
        slots[slot.name] = slot
    full = nbformat.read(assignment.path, as_version=4)
    checks = {
        name: cell.source for cell in full.cells if slots[(name := _name(cell))].role == "check"
    }
    return Exercise(assignment.name, handed_out.metadata, slots, checks)


class Traces(NamedTuple):
    """By what a notebook's cells can be told to be an exercise's."""

    grade_ids: set[str]
    texts: set[str]
    made: set[str]  # names of functions, classes and what is assigned at the start of a line


def traces_of(cells: Sequence[Cell]) -> Traces:
    """Return the traces that an exercise has left in cells, in whatever state they are."""
    everything = "\n".join(cell.source for cell in cells)
    made = {defined or assigned for defined, assigned in MAKING.findall(everything)}
    return Traces({cell.grade_id for cell in cells}, {tidy(cell.source) for cell in cells}, made)


def likeness(traces: Traces, exercise: Exercise) -> int:
    """Return how many cells of an exercise's problems are there, in whatever state."""
    return sum(
        slot.name in traces.grade_ids
        or (slot.role == "answer" and not traces.made.isdisjoint(slot.names))
        or ((slot.is_code or slot.is_locked) and tidy(slot.text) in traces.texts)
        for slot in exercise.slots.values()
        if slot.problem
    )


def _name(cell: Any) -> str:
    return str(cell.metadata.get("nbgrader", {}).get("grade_id") or cell.id)


def _slot(node: NotebookNode) -> Slot:
    grader = node.metadata.get("nbgrader", {})
    code = tuple(parse(node.source) or ()) if node.cell_type == "code" else ()
    role: Role = "instructor"
    if grader.get("solution"):
        role = "answer"
    elif grader.get("grade"):
        role = "check"
    name = _name(node)
    about = ABOUT.match(name)
    asks = arguments_of_check(code) if role == "check" else []
    return Slot(
        name,
        node,
        role,
        f"{about[1]}.{about[2]}" if about else "",
        code,
        frozenset(shapes(code)),
        frozenset(names_bound(code)),
        tuple(each.id if isinstance(each, ast.Name) else "" for each in asks),
    )


def arguments_of_check(code: Sequence[ast.stmt]) -> list[ast.expr]:
    """Return what the last call of ``check`` is given after the problem's number."""
    for statement in reversed(code):
        call = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(call, ast.Call) and is_named(call.func, "check"):
            return call.args[1:]
    return []


def is_named(node: ast.expr, *names: str) -> bool:
    """Tell whether an expression is one of these names."""
    return isinstance(node, ast.Name) and node.id in names
