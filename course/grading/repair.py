"""Makes a notebook that can be graded of what a learner handed in.

The instructor's cells come from the solution, in its order. The learner's answers go where their
problems are, however they are labelled, and the learner's other cells stay beside what they
followed.
"""

from __future__ import annotations

import copy
import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode

from course.grading.cells import Cell, Unreadable, read_cells
from course.grading.exercise import Exercise, Role, Slot, exercise_of
from course.grading.matching import Item, Part, Told, match
from course.grading.sources import names_bound, names_mentioned, pieces

GIVEN_ID = re.compile(r"[a-zA-Z0-9_-]{1,50}")
RUNS_A_FILE = re.compile(r"^\s*%(run|load)\b", re.MULTILINE)


class Repaired(NamedTuple):
    """A notebook that can be graded.

    In each cell's metadata, ``tape_to_mlp`` has its ``role`` (``instructor``, ``check``, ``answer``
    or ``own``) and the list of the ``problems`` that it belongs to, such as ``["1.5"]``.

    Attributes:
        notebook: has no hidden tests in it, and no answers but the learner's.
        checks: the id of a check's cell -> its source with the hidden tests.
        answered: the numbers of the problems to which there is an answer, be it right or wrong.
        remarks: what was repaired, a sentence each.
    """

    notebook: NotebookNode
    checks: dict[str, str]
    answered: tuple[str, ...]
    remarks: tuple[str, ...]


def repaired(cells: Sequence[Cell], exercise: Exercise) -> Repaired:
    """Return a submission's cells as a notebook that can be graded."""
    told = Told()
    items = match(cells, exercise, told)
    notebook = _Layout(items, exercise, told).notebook()
    slots = [slot for item in items if isinstance(item, Part) for slot in item.slots]
    answered = [slot.problem for slot in exercise.slots.values() if slot in slots]
    return Repaired(
        notebook,
        {
            slot.node.id: exercise.checks[name]
            for name, slot in exercise.slots.items()
            if slot.role == "check"
        },
        tuple(dict.fromkeys(answered)),
        tuple(told.sentences()),
    )


class _Layout:
    """Puts the cells in order, each of the learner's after what it needs."""

    def __init__(self, items: Sequence[Item], exercise: Exercise, told: Told) -> None:
        self._items = items
        self._slots = list(exercise.slots.values())
        self._metadata = exercise.metadata
        self._told = told
        self._parts = [each for each in items if isinstance(each, Part) and not each.is_left_out]
        self._beside = self._neighbours()
        self._defined = {name for part in self._parts for name in part.real}
        self._there = {name for slot in self._slots if slot.is_locked for name in slot.names}
        self._placed: set[Part] = set()
        self._ids = {slot.node.id for slot in self._slots}
        self._taken: set[str] = set()
        self._nodes: list[NotebookNode] = []

    def notebook(self) -> NotebookNode:
        """Return the whole notebook."""
        if self._is_out_of_order():
            self._told.say("order", ["all"])
        self._place_all(self._beside[None])
        for slot in self._slots:
            if slot.is_locked:
                self._add(Cell(slot.node.cell_type, slot.text), slot.role, [slot], slot)
            else:
                self._place_answer(slot)
            self._place_all(self._beside[slot])
        node = nbformat.v4.new_notebook(cells=self._nodes)
        node.metadata.update(copy.deepcopy(self._metadata))
        return node

    def _is_out_of_order(self) -> bool:
        known = [each if isinstance(each, Slot) else each.claim for each in self._items]
        places = [self._slots.index(slot) for slot in known if slot]
        return places != sorted(places)

    def _neighbours(self) -> dict[Item | None, list[Part]]:
        """Return what stands after each of the cells whose place is known, None for the start."""
        beside: dict[Item | None, list[Part]] = defaultdict(list)
        last: Item | None = None
        for item in self._items:
            if isinstance(item, Slot) or item.slots:
                last = item
            elif item.is_left_out:
                last = item.claim or last
            else:
                beside[last].append(item)
        return beside

    def _place_all(self, parts: Iterable[Part]) -> None:
        for part in parts:
            self._place(part)

    def _place(self, part: Part) -> None:
        if part in self._placed:
            return
        needed = self._needed_by(part)
        for each in (*needed, part):
            self._told.say("needed", sorted(each.real) if each is not part else [])
            self._placed.add(each)
            self._there |= each.real.keys()
            self._add(each.cell, "answer" if each.slots else "own", each.slots)
        for each in (*needed, part):
            self._place_all(self._beside[each])

    def _needed_by(self, part: Part) -> list[Part]:
        """Return what a part uses, directly or not, that came before it and is not yet placed."""
        wanted = self._wanted_by(part)
        if not wanted & self._defined:
            return []
        needed = []
        before = itertools.takewhile(lambda other: other is not part, self._parts)
        for other in reversed([each for each in before if each not in self._placed]):
            if wanted & other.real.keys():
                needed.append(other)
                wanted |= self._wanted_by(other)
        return needed[::-1]

    def _wanted_by(self, part: Part) -> set[str]:
        return names_mentioned(part.code or []) - self._there - part.real.keys()

    def _place_answer(self, slot: Slot) -> None:
        mine = [part for part in self._parts if slot in part.slots]
        blank = self._blank(slot, mine)
        if blank:
            self._add(Cell(slot.node.cell_type, blank), "answer", [slot])
        for part in mine:
            if slot is part.slots[0]:
                if part.claim is not slot:
                    self._place_all(self._just_before(part))
                self._place(part)
            elif self._is_needed_again(part, slot):
                self._add(part.cell, "answer", part.slots[part.slots.index(slot) :])

    def _just_before(self, part: Part) -> list[Part]:
        """Return the own cells right above an answer: one may write the file that it imports."""
        run: list[Part] = []
        for item in itertools.takewhile(lambda item: item is not part, self._items):
            is_own = isinstance(item, Part) and not item.slots and not item.is_left_out
            run = [*run, item] if is_own else []  # type: ignore[list-item]
        return run

    def _blank(self, slot: Slot, mine: Sequence[Part]) -> str:
        """Return what has to be there so that each name that is asked for is at least a blank."""
        if not slot.is_code:
            return "" if mine else slot.text
        missing = {
            name
            for name in slot.names
            if not any(name in part.real or name in part.blank for part in self._parts)
        }
        if mine and not any(part.defines(slot) for part in mine):
            return ""  # it cannot be seen what they define
        if not mine and self._may_come_from_a_file(slot):
            return ""
        if missing == slot.names:
            return slot.text
        cut = pieces(slot.text) or []
        return "".join(each.text for each in cut if names_bound(each.statements) & missing).strip()

    def _may_come_from_a_file(self, slot: Slot) -> bool:
        has_cell = any(isinstance(each, Part) and each.claim is slot for each in self._items)
        return not has_cell and any(
            "*" in part.real or RUNS_A_FILE.search(part.cell.source) for part in self._parts
        )

    def _is_needed_again(self, part: Part, slot: Slot) -> bool:
        """Tell whether a part that answers an earlier problem too uses what is given after that."""
        start, stop = self._slots.index(part.slots[0]), self._slots.index(slot)
        given = [each for each in self._slots[start:stop] if each.is_locked]
        return bool(
            {name for each in given for name in each.names} & names_mentioned(part.code or [])
        )

    def _add(
        self, cell: Cell, role: Role, slots: Sequence[Slot], locked: Slot | None = None
    ) -> None:
        like = locked or next(iter(slots), None)
        node = nbformat.from_dict({"cell_type": cell.kind, "metadata": {}, "source": cell.source})
        if like and like.node.id not in self._taken:
            node.id = like.node.id
            node.metadata = copy.deepcopy(like.node.metadata)
        else:
            node.id = next(each for each in self._names(cell, like) if each not in self._ids)
            self._ids.add(node.id)
        self._taken.add(node.id)
        if cell.kind == "code":
            node.outputs, node.execution_count = [], None
        elif cell.attachments:
            node.attachments = nbformat.from_dict(cell.attachments)
        problems = dict.fromkeys(slot.problem for slot in slots if slot.problem)
        node.metadata["tape_to_mlp"] = {"role": role, "problems": [*problems]}
        self._nodes.append(node)

    def _names(self, cell: Cell, like: Slot | None) -> Iterator[str]:
        """Yield ids for a cell, the most fitting one first."""
        if like is None and GIVEN_ID.fullmatch(cell.id):
            yield cell.id
        name = like.node.id if like else "own"
        yield from (f"{name}_{number}" for number in itertools.count(2 if like else 1))


__all__ = ["Repaired", "Unreadable", "exercise_of", "read_cells", "repaired"]
