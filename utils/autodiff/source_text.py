"""What the learner's source says at a place: a call and its arguments, the statement around it."""

from __future__ import annotations

import ast
import functools
import linecache
from collections.abc import Iterator
from typing import Any, Protocol

Position = tuple[int | None, int | None, int | None, int | None]


class Somewhere(Protocol):
    """A place: its code object, and the first and last line, start and end column."""

    @property
    def code(self) -> Any: ...

    @property
    def position(self) -> Position: ...


def tree_of(filename: str) -> ast.Module | None:
    return parsed("".join(linecache.getlines(filename)))


@functools.lru_cache(maxsize=32)
def parsed(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError):
        return None


def node_at(place: Somewhere | None) -> ast.expr | None:
    """Return the expression that runs there; of a method on a line of its own, the whole call."""
    if place is None or None in place.position:
        return None
    first, last, start, end = place.position
    calls = []
    for node in _expressions(place.code.co_filename):
        if (node.end_lineno, node.end_col_offset) == (last, end):
            if (node.lineno, node.col_offset) == (first, start):
                return node
            if isinstance(node, ast.Call) and _starts_before(node, place):
                calls.append(node)
    return max(calls, key=lambda node: (node.lineno, node.col_offset), default=None)


def statement_at(place: Somewhere | None) -> ast.stmt | None:
    """Return the innermost statement around a place."""
    tree = tree_of(place.code.co_filename) if place is not None else None
    if place is None or tree is None or place.position[0] is None:
        return None
    line = place.position[0]
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    return max(around, key=lambda node: (node.lineno, -(node.end_lineno or 0)), default=None)


def assigned_at(place: Somewhere | None) -> list[str]:
    """Return what the statement at a place gives a new value: `w`, `self.w`, `params[i]`."""
    statement = statement_at(place)
    if isinstance(statement, ast.Assign):
        targets: list[ast.expr] = statement.targets
    elif isinstance(statement, (ast.AugAssign, ast.AnnAssign)):
        targets = [statement.target]
    else:
        return []
    parts = [p for t in targets for p in (t.elts if isinstance(t, (ast.Tuple, ast.List)) else [t])]
    return [ast.unparse(part) for part in parts]


def argument(place: Somewhere | None, index: int, keyword: str) -> ast.expr | None:
    """Return an argument of the call that runs at a place."""
    call = node_at(place)
    if not isinstance(call, ast.Call) or any(isinstance(a, ast.Starred) for a in call.args):
        return None
    named = next((k.value for k in call.keywords if k.arg == keyword), None)
    return named or (call.args[index] if index < len(call.args) else None)


def _expressions(filename: str) -> Iterator[ast.expr]:
    tree = tree_of(filename)
    return (n for n in ast.walk(tree) if isinstance(n, ast.expr)) if tree else iter(())


def _starts_before(node: ast.expr, place: Somewhere) -> bool:
    first, _, start, _ = place.position
    return (node.lineno, node.col_offset) <= (first or 0, start or 0)


def written(place: Somewhere | None, index: int, keyword: str, count: int) -> list[str]:
    """Return the text of each of the `count` parts of an argument; [] if they are not written."""
    node = argument(place, index, keyword)
    if isinstance(node, (ast.List, ast.Tuple)):
        texts = [ast.unparse(part) for part in node.elts]
    elif isinstance(node, ast.Dict):
        texts = [ast.unparse(part) for part in node.values]
    else:
        texts = [ast.unparse(node)] if node is not None else []
    return texts if len(texts) == count else []


def operand(place: Somewhere | None) -> str:
    """Return what a conversion is made of: `y` of `float(y)`, `x + 1` of `(x + 1).numpy()`."""
    node = node_at(place)
    if not isinstance(node, ast.Call):
        return ""
    if isinstance(node.func, ast.Attribute) and not node.args:
        inner: ast.expr = node.func.value
    elif node.args:
        inner = node.args[0]
    else:
        return ""
    text = ast.unparse(inner)
    several = isinstance(inner, ast.GeneratorExp) or text.startswith(("map(", "filter(", "zip("))
    return text if len(text) <= 60 and not several else ""


def assignment_of(place: Somewhere, name: str) -> ast.Assign | None:
    """Return the last statement above a place, in its function, that assigns to a name."""
    tree = tree_of(place.code.co_filename)
    first, last = place.code.co_firstlineno, place.position[0] or 0
    found = [
        node
        for node in (ast.walk(tree) if tree is not None else ())
        if isinstance(node, ast.Assign)
        and first <= node.lineno < last
        and any(ast.unparse(target) == name for target in node.targets)
    ]
    return max(found, key=lambda node: node.lineno, default=None)


def instruction_of(code: Any, node: ast.expr) -> int | None:
    """Return the offset of the instruction that computes an expression."""
    wanted = (node.lineno, node.end_lineno, node.col_offset, node.end_col_offset)
    found = [2 * i for i, position in enumerate(code.co_positions()) if position == wanted]
    return found[-1] if found else None
