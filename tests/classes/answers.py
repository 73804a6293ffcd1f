"""The collected answers as the source text that a learner would write into an exercise's cells.

Nothing is imported or run: the text is cut out of ``tests/problems/*_answers.py``.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from course.catalog import ROOT

FOLDER = Path(__file__).parents[1] / "problems"
COLLECTORS = {"right", "wrong", "right_answers", "wrong_answers", "building", "trained_wrongly"}
# What exists in the tests alone: answers made with its help are left out.
OF_THE_TESTS = {"given", "broken", "other_cases", "Path", "json", "linecache"}
# With the hidden tests' inputs these get another diagnosis than with the visible ones.
LEFT_OUT = {"impatient"}


class Written(NamedTuple):
    """An answer to one problem.

    Attributes:
        name: what it is called among the collected answers.
        diagnosis: what its check has to say; ``right`` for a right one.
        points: what it earns.
        cells: the name of a cell of the exercise -> what is written there.
    """

    number: str
    name: str
    diagnosis: str
    points: float
    cells: dict[str, str]


class Asked(NamedTuple):
    """What an exercise asks for: cell -> the names it has to define, and the points by problem."""

    cells: dict[str, dict[str, list[str]]]  # problem -> cell -> names
    points: dict[str, float]
    given: set[str]  # names that the exercise defines itself


@cache
def asked_in(assignment: str) -> Asked:
    """Read what an exercise asks for from its notebook."""
    path = ROOT / "exercises" / assignment / f"{assignment}.ipynb"
    asked = Asked({}, {}, set())
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        grader = cell["metadata"]["nbgrader"]
        kind, _, number = grader["grade_id"].partition("-")
        problem = ".".join(number.split("-")[:2])
        if grader["solution"] and cell["cell_type"] == "code":
            names = [name for each in ast.parse(_text(cell)).body for name in _bound(each)]
            asked.cells.setdefault(problem, {})[grader["grade_id"]] = names
        elif kind == "check":
            asked.points[problem] = grader["points"]
        elif cell["cell_type"] == "code":
            asked.given.update(n for each in ast.parse(_text(cell)).body for n in _bound(each))
    return asked


@cache
def answers_to(assignment: str) -> list[Written]:
    """Return the collected answers to an assignment's problems, in the order of their file."""
    path = FOLDER / f"{assignment.partition('_')[2]}_answers.py"
    module = _Module(path.read_text(encoding="utf-8"), asked_in(assignment))
    return [answer for node in module.tree.body for answer in module.answers(node)]


class _Module:
    def __init__(self, source: str, asked: Asked) -> None:
        self.tree = ast.parse(source)
        self._lines = source.splitlines()
        self._asked = asked
        mine = [each for each in self.tree.body if getattr(each, "module", "") != "collected"]
        self._global = {name: node for node in mine for name in _bound(node)}

    def answers(self, node: ast.stmt) -> Iterator[Written]:
        """Yield the answer that a statement collects, if a learner could have written it."""
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name in LEFT_OUT:
            return
        for decorator in filter(_is_collector, node.decorator_list):
            arguments = [*decorator.args, *(each.value for each in decorator.keywords)]
            values = [ast.literal_eval(each) for each in arguments]
            how = decorator.func.id
            if how in ("building", "trained_wrongly"):
                values.insert(0, "5.2")
            number, *rest = values
            cells = self._cells(node, how, self._asked.cells[number])
            if cells is None:
                continue
            if how.startswith("right"):
                points: float = self._asked.points[number]
                yield Written(number, node.name, "right", points, cells)
            else:
                diagnosis, *earned = rest
                usual = 3 if how == "trained_wrongly" else 0
                yield Written(number, node.name, diagnosis, (*earned, usual)[0], cells)

    def _cells(self, node: Any, how: str, asked: dict[str, list[str]]) -> dict[str, str] | None:
        first = next(iter(asked))
        names = [name for each in asked.values() for name in each]
        if how in ("right", "wrong"):
            body = self._renamed(node, names[0])
            needs = self._needs([node], asked)
            return None if needs is None else {first: _paragraphs(*needs, body)}
        if how == "building":
            needs = self._needs([node], asked)
            return needs and {first: _paragraphs(*needs, self._renamed(node, names[0]))}
        if how == "trained_wrongly":
            needs = self._needs([node, self._global["good_build"]], asked)
            body = [self._renamed(self._global["good_build"], names[0])]
            body += [self._renamed(node, names[1])]
            return needs and dict(zip(asked, [_paragraphs(*needs, body[0]), body[1]], strict=True))
        return self._made(node, asked, names)

    def _made(
        self, node: ast.FunctionDef, asked: dict[str, list[str]], names: list[str]
    ) -> dict[str, str] | None:
        """Return what a function that returns a tuple of answers is as cells."""
        *body, last = node.body
        values: list[str]
        if isinstance(last, ast.Return) and isinstance(last.value, ast.Tuple):
            elements = last.value.elts[: len(names)]
            given_on = [ast.unparse(each) for each in last.value.elts[len(names) :]]
            if given_on not in ([], ["BROKEN"]):
                return None
            needs = self._needs([*body, *elements], asked)
            local = {each: node for node in body for each in _bound(node)}
            before = [_dedented(self._source(each)) for each in body]
            values = [ast.unparse(each) for each in elements]
            if needs and any(f"def {n}(" in each for each in needs for n in {*names} - {*values}):
                return None  # a helper has the name of an answer
        else:
            local = {}
            needs = self._needs(node.body, asked)
            before = [self._source(node, without=COLLECTORS)]
            values = [f"{node.name}()[{place}]" for place in range(len(names))]
        if needs is None:
            return None
        lines = {name: f"{name} = {value}" for name, value in zip(names, values, strict=True)}
        for name in [each for each, value in zip(names, values, strict=True) if each == value]:
            made = local.get(name)
            lines[name] = (
                _dedented(self._source(made)) if made else self._source(self._global[name])
            )
        cells = {
            cell: _paragraphs(*(lines[name] for name in inside)) for cell, inside in asked.items()
        }
        first = next(iter(cells))
        others = [each for each in (*needs, *before) if each not in lines.values()]
        cells[first] = _paragraphs(*others, cells[first])
        return cells

    def _needs(self, nodes: list[Any], asked: dict[str, list[str]]) -> list[str] | None:
        """Return the definitions that the nodes use, in order; None if one is for the tests."""
        names = {name for each in asked.values() for name in each}
        found: set[str] = set()
        waiting = [*nodes]
        while waiting:
            for name in _read(waiting.pop()):
                if name not in self._global or name in found:
                    continue
                if name in OF_THE_TESTS or name in self._others(names):
                    return None
                if name in self._asked.given:
                    continue
                found.add(name)
                waiting.append(self._global[name])
        own = {id(node) for node in nodes}
        needed = [
            node for node in self.tree.body if found & set(_bound(node)) and id(node) not in own
        ]
        return [self._source(node, without=COLLECTORS) for node in needed]

    def _others(self, names: set[str]) -> set[str]:
        cells = self._asked.cells.values()
        return {n for cell in cells for inside in cell.values() for n in inside} - names

    def _source(self, node: Any, without: set[str] = frozenset()) -> str:  # type: ignore[assignment]
        kept = [each for each in getattr(node, "decorator_list", []) if not _is_collector(each)]
        decorators = [f"{' ' * node.col_offset}@{ast.unparse(each)}" for each in kept]
        return "\n".join([*decorators, *self._lines[node.lineno - 1 : node.end_lineno]])

    def _renamed(self, node: Any, name: str) -> str:
        """Return the source of a function or class under the name that the exercise asks for."""
        lines = self._source(node).split("\n")
        kept = [each for each in node.decorator_list if not _is_collector(each)]
        offset = len(kept) - node.lineno
        arguments = {each.arg for each in ast.walk(node) if isinstance(each, ast.arg)}
        uses = [each for each in ast.walk(node) if isinstance(each, ast.Name)]
        places = [(each.lineno, each.col_offset) for each in uses if each.id == node.name]
        for line, column in sorted(places if node.name not in arguments else [], reverse=True):
            text = lines[line + offset].encode()
            rest = text[column + len(node.name.encode()) :]
            lines[line + offset] = (text[:column] + name.encode() + rest).decode()
        head = lines[len(kept)]
        lines[len(kept)] = head.replace(f" {node.name}", f" {name}", 1)
        return "\n".join(lines)


def _is_collector(node: Any) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") in COLLECTORS


def _bound(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [each.asname or each.name.partition(".")[0] for each in node.names]
    if isinstance(node, ast.Assign):
        return [each.id for each in ast.walk(node) if isinstance(each, ast.Name) and _is_set(each)]
    return []


def _is_set(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def _read(node: ast.AST) -> set[str]:
    decorators = {id(n) for d in getattr(node, "decorator_list", []) for n in ast.walk(d)}
    return {
        each.id
        for each in ast.walk(node)
        if isinstance(each, ast.Name) and not _is_set(each) and id(each) not in decorators
    }


def _text(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def _dedented(text: str) -> str:
    return "\n".join(line.removeprefix("    ") for line in text.split("\n"))


def _paragraphs(*texts: str) -> str:
    return "\n\n\n".join(text for text in texts if text.strip())
