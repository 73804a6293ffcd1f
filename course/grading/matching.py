"""Finds out which cells of a submission are the instructor's, which are answers, and to what."""

from __future__ import annotations

import ast
import difflib
import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from course.grading.cells import Cell
from course.grading.exercise import Exercise, Slot, arguments_of_check, is_named
from course.grading.sources import (
    Piece,
    as_text,
    does_nothing,
    makes,
    name_of_import,
    names_bound,
    names_mentioned,
    parse,
    pieces,
    returns,
    shape_of,
    shapes,
    tidy,
)

SCHEMA = 3  # the version of nbgrader's metadata
MOST_COMPARED = 20  # lines of which it is found out whether they are the instructor's, edited
MOST_NAMED = 8  # cells in one remark
MOST_PARTS = 20  # cells that are put together as one
LONGEST_NAME = 60  # letters of each
FENCED = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)

REMARKS = {
    "unlabelled": "Cells had lost their labels and were recognised by what they say: {}.",
    "schema": "The labels of the cells were of an older version and have been renewed.",
    "repeated": "Several cells had the same id, and each has one of its own now: {}.",
    "order": "The cells of the exercise were in another order, and have been put back into theirs.",
    "missing": "Cells of the exercise were missing and have been put back: {}.",
    "doubled": "Cells of the exercise were there more than once, and one of each was kept: {}.",
    "edited": "Cells of the exercise had been changed, and the original was used: {}.",
    "points": "The points of a problem had been changed and have been restored: {}.",
    "retyped": "Cells had become cells of another kind and have been turned back: {}.",
    "kept": "What you had added to a cell of the exercise is kept as a cell of your own: {}.",
    "redefined": "What you had written into a cell of the exercise would have replaced something of"
    " the exercise's, and was left out: {}.",
    "joined": "An answer that was split in two has been put together again: {}.",
    "elsewhere": "An answer stood in another place than its own and was found there: {}.",
    "renamed": "An answer had another name than the one asked for, and was taken all the same: {}.",
    "blank": "A blank copy of a cell that has an answer was left out: {}.",
    "twice": "There is more than one answer to a problem; they were run in order, and the last one"
    " counts: {}.",
    "unanswered": "The cell for an answer was missing; the blank has been put back: {}.",
    "needed": "A cell of yours was moved up to where it is needed: {}.",
}
"""What is said of a repair; the names of the cells come in place of the braces."""


class Told:
    """What has been repaired."""

    def __init__(self) -> None:
        self._names: dict[str, list[str]] = defaultdict(list)

    def say(self, kind: str, names: Iterable[str]) -> None:
        """Note a repair of one of the kinds of `REMARKS`, where there is a name at all."""
        for name in names:
            if len(name) > LONGEST_NAME:
                name = f"{name[:LONGEST_NAME]}..."
            if name not in self._names[kind]:
                self._names[kind].append(name)

    def sentences(self) -> Iterator[str]:
        """Yield a sentence for each kind of repair."""
        for kind, text in REMARKS.items():
            if self._names[kind]:
                yield text.format(_listed(self._names[kind]))


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


@dataclass(eq=False)
class Part:
    """A cell of the learner's, or what the learner has added to one of the instructor's.

    Attributes:
        claim: the slot for an answer whose name it bears.
        code: its statements; None where it is no Python.
        as_code: of a text with code between backticks, that code.
        real: the names that it defines in earnest -> whether the way the exercise asks for: a
            function and no number.
        blank: the names that it defines as a blank.
        slots: those that it answers, in the exercise's order.
        is_cut: whether a blank was cut out of it, since another part has the answer.
    """

    cell: Cell
    claim: Slot | None = None
    code: Sequence[ast.stmt] | None = None
    as_code: str = ""
    real: dict[str, bool] = field(default_factory=dict)
    blank: set[str] = field(default_factory=set)
    slots: list[Slot] = field(default_factory=list)
    is_cut: bool = False

    @property
    def is_code(self) -> bool:
        """Whether it is a code cell."""
        return self.cell.kind == "code"

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing but blanks."""
        return self.code is not None and not self.real and set(self.code) <= self._idle()

    def _idle(self) -> set[ast.stmt]:
        return {
            each
            for each in self.code or []
            if does_nothing(each) or names_bound([each]) & self.blank
        }

    @property
    def is_left_out(self) -> bool:
        """Whether nothing of it is to be kept: a blank, or a question without an answer."""
        if self.slots:
            return False
        if self.claim and not self.claim.is_code:
            return True
        return self.is_empty and bool(self.claim or self.blank or self.is_cut)

    def defines(self, slot: Slot, *, properly: bool = False) -> bool:
        """Tell whether it defines a name that a slot asks for in earnest."""
        return any(name in self.real and (self.real[name] or not properly) for name in slot.names)


Item = Slot | Part
"""A cell of the instructor's, or one of the learner's."""


def match(cells: Sequence[Cell], exercise: Exercise, told: Told) -> list[Item]:
    """Return in the learner's order the instructor's cells, each once, and the learner's parts."""
    cells = _joined(cells, exercise, told)
    homes = _homes(cells, exercise)
    _tell_of_labels(cells, homes, told)
    items = list(_items(cells, homes, exercise, told))
    parts = [item for item in items if isinstance(item, Part)]
    asked = {name for slot in exercise.answers() for name in slot.names}
    for slot in exercise.answers():
        _assign(slot, _answers(slot, parts, asked - slot.names), told)
    for slot in exercise.answers():
        if not any(slot in part.slots for part in parts):
            _assign(slot, _by_place(slot, items, exercise), told)
    for slot in exercise.written():
        _assign(slot, _written(slot, items, exercise), told)
    labelled = any(cell.grade_id for cell in cells)
    for slot in exercise.slots.values():
        if not slot.is_locked:
            _tell_of_answer(slot, parts, told, labelled)
    given = _given_to_checks(cells, homes)
    for slot in exercise.answers():
        _take_other_name(slot, items, given, exercise, told)
    _leave_out_blanks(items, told)
    return items


# Which cell is a copy of which of the exercise's


def _homes(cells: Sequence[Cell], exercise: Exercise) -> list[Slot | None]:
    """Return for each cell the slot whose text or name it bears, or that it resembles."""
    slots = exercise.slots
    texts = {tidy(slot.text): slot for slot in slots.values()}
    ids = {slot.node.id: slot for slot in slots.values()}
    count = Counter(cell.id for cell in cells)
    homes: list[Slot | None] = []
    for cell in cells:
        by_id = ids.get(cell.id) if count[cell.id] == 1 else None
        homes.append(texts.get(tidy(cell.source)) or slots.get(cell.grade_id) or by_id)
    missing = [slot for slot in slots.values() if slot.is_locked and slot not in homes]
    for place, cell in enumerate(cells):
        if homes[place] is None:
            like = next((slot for slot in missing if _resembles(cell, slot)), None)
            if like:
                homes[place] = like
                missing.remove(like)
    return homes


def _resembles(cell: Cell, slot: Slot) -> bool:
    """Tell whether a cell without a label is an edited copy of one of the instructor's."""
    if not slot.is_code:
        if cell.kind == "code":
            return False
        if slot.text.startswith("## "):
            return cell.source.lstrip().split("\n")[0] == slot.text.split("\n")[0]
        lines = {line for line in tidy(slot.text).split("\n") if line}
        return 2 * len(lines & {*tidy(cell.source).split("\n")}) >= len(lines)
    if slot.role == "check":
        call = rf"^check\(\s*[\"']{re.escape(slot.problem)}[\"']"
        return bool(re.search(call, cell.source, re.MULTILINE))
    kept, made = _said_and_made(cell.source)
    return 2 * len(slot.shapes & kept) >= len(slot.code) > 0 or bool(made & slot.names)


@lru_cache(maxsize=1)
def _said_and_made(source: str) -> tuple[set[str], set[str]]:
    """Return the shapes of a cell's statements, and the names of what it makes."""
    code = parse(source) or []
    making = [each for each in code if makes(each) and not _is_import(each)]
    return shapes(code), names_bound(making)


def _is_import(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Import | ast.ImportFrom)


def _joined(cells: Sequence[Cell], exercise: Exercise, told: Told) -> list[Cell]:
    """Put cells together again that are Python only together."""
    texts = {tidy(slot.text) for slot in exercise.slots.values()}
    joined: list[Cell] = []
    for cell in cells:
        joined.append(cell)
        counts = range(2, min(MOST_PARTS, len(joined)) + 1)
        fitting = itertools.takewhile(lambda n: _may_belong_together(joined[-n:], texts), counts)
        for count in reversed([*fitting]):
            parts = joined[-count:]
            source = "\n".join(part.source for part in parts)
            if not all(map(_stands_alone, parts)) and parse(source) is not None:
                joined[-count:] = [parts[0]._replace(source=source)]
                told.say("joined", [parts[0].grade_id or parts[0].id or "a cell of your own"])
                break
    return joined


def _may_belong_together(parts: Sequence[Cell], texts: set[str]) -> bool:
    """Tell whether cells may be parts of one: two, or one and those that go on further in."""
    first, *others = parts
    return (
        all(part.kind == "code" and tidy(part.source) not in texts for part in parts)
        and all(part.grade_id in (first.grade_id, "") for part in others)
        and not any(part.source.startswith("%%") for part in others)
        and (len(parts) == 2 or all(_begins_further_in(part.source) for part in others))
    )


def _begins_further_in(source: str) -> bool:
    """Tell whether the first line begins with spaces, or is a comment and all others are, too."""
    lines = [line for line in source.split("\n") if line.strip() and line.strip()[0] != "#"]
    return not lines or lines[0][0].isspace()


def _stands_alone(cell: Cell) -> bool:
    """Tell whether a cell is Python without what stands above it."""
    code = parse(cell.source)
    return code is not None and not (_begins_further_in(cell.source) and returns(code))


def _tell_of_labels(cells: Sequence[Cell], homes: list[Slot | None], told: Told) -> None:
    ids = Counter(cell.id for cell in cells if cell.id)
    told.say("repeated", [name for name, count in ids.items() if count > 1])
    for cell, home in zip(cells, homes, strict=True):
        if home is None:
            continue
        if not cell.grade_id and cell.id != home.node.id:
            told.say("unlabelled", [home.name])
        if cell.grade_id == home.name:
            if cell.grader.get("schema_version") != SCHEMA:
                told.say("schema", [home.name])
            if _points(cell.grader) != _points(home.node.metadata.nbgrader):
                told.say("points", [home.name])


def _points(grader: dict[str, Any]) -> float | None:
    points = grader.get("points")  # perhaps a whole number that is too large to be a float
    return points if isinstance(points, int | float) and grader.get("grade") else None


def _items(
    cells: Sequence[Cell], homes: list[Slot | None], exercise: Exercise, told: Told
) -> Iterator[Item]:
    seen: set[str] = set()
    for cell, home in zip(cells, homes, strict=True):
        if home is None or not home.is_locked:
            if home or cell.source.strip() or cell.attachments:
                yield _part(cell, exercise, home)
            continue
        added: list[Part] = []
        full = exercise.checks.get(home.name, home.text)
        if tidy(cell.source) not in (tidy(home.text), tidy(full)):
            told.say("edited", [home.name])
            added = list(_added(cell, home, exercise, told))
        elif cell.kind != home.node.cell_type:
            told.say("retyped", [home.name])
        if home.role == "check":  # which may need what was added to it
            yield from added
        if home.name in seen:
            told.say("doubled", [home.name])
        else:
            yield home
        seen.add(home.name)
        if home.role != "check":
            yield from added
    locked = [slot.name for slot in exercise.slots.values() if slot.is_locked]
    told.say("missing", [name for name in locked if name not in seen])


def _part(cell: Cell, exercise: Exercise, claim: Slot | None = None) -> Part:
    """Look at what a cell defines."""
    part = Part(cell, claim, parse(cell.source))
    if part.code is None and not part.is_code:
        part.as_code = "\n\n".join(FENCED.findall(cell.source))
        part.code = parse(part.as_code) if part.as_code else None
    asked = {name: slot for slot in exercise.answers() for name in slot.names}
    if part.code is None:
        part.real = {name: True for name in asked if _seems_to_define(name, cell.source)}
        return part
    for statement in part.code:
        for name in names_bound([statement]):
            slot = asked.get(name)
            blank = slot and shape_of(statement) in slot.shapes
            if blank or does_nothing(statement):
                part.blank.add(name)
            else:
                asks_for_a_value = slot and not any(map(makes, slot.code))
                part.real[name] = makes(statement) or bool(asks_for_a_value)
    part.blank -= part.real.keys()
    return part


def _seems_to_define(name: str, source: str) -> bool:
    pattern = rf"^(?:[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+{name}\b|{name}[ \t]*=[^=])"
    return not source.startswith("%%") and bool(re.search(pattern, source, re.MULTILINE))


# What a learner has written into the instructor's cells


def _added(cell: Cell, slot: Slot, exercise: Exercise, told: Told) -> Iterator[Part]:
    """Yield what a learner's version of an instructor's cell has that the instructor's has not."""
    given = shapes(parse(exercise.checks.get(slot.name, slot.text)) or [])
    cut = pieces(cell.source)
    if slot.is_code != (cell.kind == "code") or (slot.is_code and cut is None):
        text = cell.source
    elif not slot.is_code:
        text = _added_text(cell.source, slot.text)
    else:
        added = [_not_given(each, given, exercise) for each in cut or []]
        told.say("redefined", [name for _, lost in added for name in lost])
        text = "".join(text for text, _ in added).strip("\n")
    if text.strip() or cell.attachments:
        told.say("kept", [slot.name])
        yield _part(Cell(cell.kind, text, attachments=cell.attachments), exercise)


def _added_text(mine: str, given: str) -> str:
    old = tidy(given).split("\n")
    added = [line for line in tidy(mine).split("\n") if line not in old]
    if len(added) < MOST_COMPARED:
        added = [line for line in added if not difflib.get_close_matches(line, old, n=1)]
    return "\n".join(added).strip()


def _not_given(piece: Piece, given: set[str], exercise: Exercise) -> tuple[str, list[str]]:
    """Return what of a piece is the learner's own, and the exercise's names that it replaces."""
    mine = [each for each in piece.statements if shape_of(each) not in given]
    if all(does_nothing(each) or _is_call_of_check(each) for each in mine):
        return "", []
    locked = [slot for slot in exercise.slots.values() if slot.is_locked]
    theirs = {name for slot in locked for name in slot.names}
    lost = sorted(names_bound(mine) & theirs)
    if not lost:
        return piece.text, []
    lines = [line for each in mine if _is_import(each) for line in _imports(each, theirs)]
    return "".join(lines), [] if all(map(_is_import, mine)) else lost


def _is_call_of_check(statement: ast.stmt) -> bool:
    call = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(call, ast.Call) and is_named(call.func, "check", "hint")


def _imports(statement: ast.stmt, without: set[str]) -> Iterator[str]:
    """Yield an import for each of the names that are not among the others."""
    assert isinstance(statement, ast.Import | ast.ImportFrom)
    for alias in statement.names:
        if name_of_import(alias) in without:
            continue
        alone: ast.stmt = ast.Import([alias])
        if isinstance(statement, ast.ImportFrom):
            alone = ast.ImportFrom(statement.module, [alias], statement.level)
        yield ast.unparse(alone) + "\n"


# Which problem a part answers


def _assign(slot: Slot, parts: Sequence[Part], told: Told) -> None:
    for part in parts:
        if part.cell.kind != slot.node.cell_type:
            source = (slot.is_code and part.as_code) or part.cell.source
            part.cell = part.cell._replace(kind=slot.node.cell_type, source=source)
            told.say("retyped", [slot.name])
        part.slots.append(slot)


def _answers(slot: Slot, parts: Sequence[Part], others: set[str]) -> list[Part]:
    """Return the parts that are an answer in code.

    What a part defines says more than whose name it bears; a part that defines what ``others``
    are asked for is no answer here. A text counts only where there is no code.
    """
    code = [part for part in parts if part.is_code]
    if any(part.claim is slot and part.defines(slot, properly=True) for part in code):
        code = [part for part in code if part.claim in (slot, None)]  # others' stand at theirs
    found = [
        part
        for part in code
        if part.defines(slot, properly=part.claim is not slot)
        or (part.claim is slot and not part.is_empty and not part.real.keys() & others)
    ]
    found = found or [part for part in code if part.defines(slot)]
    texts = [part for part in parts if not part.is_code]
    return found or [
        part for part in texts if part.defines(slot) or (part.claim is slot and part.real)
    ]


def _by_place(slot: Slot, items: Sequence[Item], exercise: Exercise) -> list[Part]:
    """Return the only part that makes something where the answer should be, about nothing else."""
    order = list(exercise.slots)
    here = order.index(slot.name)
    known = [(place, order.index(at.name)) for place, item in enumerate(items) for at in _at(item)]
    start = max((place for place, at in known if at < here), default=-1)
    stop = min((place for place, at in known if at > here), default=len(items))
    between = [item for item in items[start + 1 : stop] if isinstance(item, Part)]
    free = [part for part in between if part.is_code and not _at(part)]
    making = [
        part
        for part in free
        if _made_for_others([part]) or (part.code is None and "def " in part.cell.source)
    ]
    return making if len(making) == 1 else []


def _at(item: Item) -> list[Slot]:
    """Return where in the exercise an item belongs, as far as that is known."""
    if isinstance(item, Slot):
        return [item]
    return item.slots or ([item.claim] if item.claim else [])


def _written(slot: Slot, items: Sequence[Item], exercise: Exercise) -> list[Part]:
    """Return the parts that answer in words: the cell for it, or else what follows the question."""
    stub = tidy(slot.text)
    parts = [item for item in items if isinstance(item, Part)]
    found = [
        part
        for part in parts
        if part.claim is slot
        and not part.slots
        and (tidy(part.cell.source) not in ("", stub) or part.cell.attachments)
    ]
    if found:
        return found
    order = list(exercise.slots)
    question = exercise.slots[order[order.index(slot.name) - 1]]
    here = False
    for item in items:
        if _at(item):
            here = _at(item)[0] in (question, slot)
        elif here and isinstance(item, Part):
            says_something = item.code is None or all(map(does_nothing, item.code))
            if says_something or not item.is_code:
                found.append(item)
    return found


def _tell_of_answer(slot: Slot, parts: Sequence[Part], told: Told, labelled: bool) -> None:
    mine = [part for part in parts if slot in part.slots]
    has_cell = any(part.claim is slot for part in parts)
    if not mine and not has_cell:
        told.say("unanswered", [slot.name])
    if mine and not any(part.claim is slot for part in mine):
        told.say("elsewhere" if labelled or has_cell else "unlabelled", [slot.name])
    defined = Counter(name for part in mine for name in part.real if part.real[name])
    told.say("twice", [slot.name for name in slot.names if defined[name] > 1])


def _given_to_checks(
    cells: Sequence[Cell], homes: Sequence[Slot | None]
) -> dict[str, tuple[Slot, ast.expr]]:
    """Return what the learner's calls of ``check`` are given in place of the names asked for."""
    given = {}
    for cell, home in zip(cells, homes, strict=True):
        arguments = arguments_of_check(parse(cell.source) or []) if home and home.asks else []
        for name, argument in zip(home.asks if home else (), arguments, strict=False):
            if home and name and not isinstance(argument, ast.Constant):
                if not is_named(argument, name):
                    given[name] = (home, argument)
    return given


def _take_other_name(
    slot: Slot,
    items: list[Item],
    given: dict[str, tuple[Slot, ast.expr]],
    exercise: Exercise,
    told: Told,
) -> None:
    """Where no part defines a name that is asked for, give it to what stands in its place."""
    parts = [item for item in items if isinstance(item, Part)]
    everything = {name for each in exercise.slots.values() for name in each.names}
    for name in sorted(slot.names):
        if any(name in part.real for part in parts):
            continue
        mine = [part for part in parts if slot in part.slots]
        made = _made_for_others(mine) - everything
        if name in given and (source := as_text(given[name][1])):
            after: Item = given[name][0]
        elif len(slot.names) == len(made) == 1:
            after, source = mine[-1], made.pop()
        else:
            continue
        part = _part(Cell("code", f"{name} = {source}"), exercise)
        part.slots.append(slot)
        items.insert(items.index(after) + 1, part)
        told.say("renamed", [name])


def _made_for_others(parts: Sequence[Part]) -> set[str]:
    """Return the names of the functions and classes that no other statement of the parts uses."""
    code = [each for part in parts for each in part.code or []]
    mentioned = [names_mentioned([each]) for each in code]
    count = Counter(name for names in mentioned for name in names)
    return {
        name
        for statement, mine in zip(code, mentioned, strict=True)
        if makes(statement) and not _is_import(statement)
        for name in names_bound([statement])
        if count[name] == (name in mine)
    }


def _leave_out_blanks(items: Sequence[Item], told: Told) -> None:
    """Cut blanks out of the parts where another part has the answer."""
    parts = [item for item in items if isinstance(item, Part)]
    defined = {name for part in parts for name in part.real}
    for part in parts:
        doubled = part.blank & defined
        if not doubled:
            continue
        told.say("blank", [part.claim.name if part.claim else ", ".join(sorted(doubled))])
        kept = [
            piece.text
            for piece in pieces(part.cell.source) or []
            if not names_bound(piece.statements) or names_bound(piece.statements) - doubled
        ]
        part.cell = part.cell._replace(source="".join(kept).strip("\n"))
        part.code = parse(part.cell.source)
        part.blank -= defined
        part.is_cut = True
