"""What a cell's code defines and mentions, found without running it."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from IPython.core.inputtransformer2 import TransformerManager

# What stands below these is run where the other cells are.
TRANSPARENT = re.compile(r"\A(?:\s*%%(?:time|capture|prun)\b.*(?:\n|\Z))+")
COMMAND = re.compile(  # of IPython: in a line of its own, as a value, or a question about a name
    r"^([ \t]*)(?:(\w[\w., \t*]*=[ \t]*)?(?:%(?!%)|[!?])(?:.*\\\n)*.*|[\w.]+\?\??[ \t]*)$",
    re.MULTILINE,
)
LONGEST = 100_000  # characters
SCOPES = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)


class Piece(NamedTuple):
    """Some lines of a source, with the statements that begin and end in them."""

    text: str
    statements: tuple[ast.stmt, ...]


@lru_cache(maxsize=256)
def parse(source: str) -> Sequence[ast.stmt] | None:
    """Return the statements of a cell, magic commands included, or None where it is no Python.

    The numbers of the lines are those of the source. What is longer than any cell that a person
    writes is not read.
    """
    if len(source) > LONGEST:
        return None
    plain = _without_prompts(source)
    for text in (source, plain, COMMAND.sub(_blanked, plain)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about the learner's "\d"
                return ast.parse(text).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return None


def _without_prompts(source: str) -> str:
    """Return a cell without what IPython takes out of it before it runs it, in as many lines.

    Commands in single lines stay: with hundreds of them among thousands of lines, IPython's own
    way takes minutes.
    """
    below = TRANSPARENT.sub(_only_lines, source)
    lines = below.splitlines(keepends=True)
    for tidied in TransformerManager().cleanup_transforms:
        lines = tidied(lines)
    text = "".join(lines)
    if text.startswith("%%"):
        return source
    return "\n" * (below.count("\n") - text.count("\n")) + text


def _only_lines(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n")


def _blanked(found: re.Match[str]) -> str:
    return f"{found[1]}{found[2] or ''}get_ipython(){_only_lines(found)}"


def pieces(source: str) -> list[Piece] | None:
    """Cut a source between its outermost statements; None where it is no Python.

    Comments and empty lines belong to the statement below. The texts together are the source.
    """
    statements = parse(source)
    if statements is None:
        return None
    lines = [line + "\n" for line in source.split("\n")]
    lines[-1] = lines[-1].removesuffix("\n")
    groups: list[tuple[int, list[ast.stmt]]] = []  # with the number of the last line
    for statement in statements:
        end = statement.end_lineno or statement.lineno
        if groups and _first_line(statement) <= groups[-1][0]:  # after a semicolon
            groups[-1] = (end, [*groups[-1][1], statement])
        else:
            groups.append((end, [statement]))
    cut, start = [], 0
    for number, (end, inside) in enumerate(groups):
        stop = len(lines) if number == len(groups) - 1 else end
        cut.append(Piece("".join(lines[start:stop]), tuple(inside)))
        start = stop
    return cut


def _first_line(statement: ast.stmt) -> int:
    decorators = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(each.lineno for each in decorators)])


def names_bound(statements: Sequence[ast.AST]) -> set[str]:
    """Return the names that the statements give a value to, outside of functions and classes."""
    return {name for node in inside_of(statements) for name in _names_bound_by(node)}


def inside_of(nodes: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Yield nodes, and what is in them outside of functions and classes."""
    waiting = [*nodes]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, SCOPES):
            waiting += ast.iter_child_nodes(node)


def returns(statements: Sequence[ast.AST]) -> bool:
    """Tell whether there is a ``return`` outside of functions."""
    return any(isinstance(node, ast.Return) for node in inside_of(statements))


def _names_bound_by(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from map(name_of_import, node.names)


def name_of_import(alias: ast.alias) -> str:
    """Return the name that one of the things after ``import`` gets."""
    return alias.asname or alias.name.partition(".")[0]


def names_mentioned(statements: Sequence[ast.AST]) -> set[str]:
    """Return the names that the statements read and that a function does not keep to itself."""
    try:
        return {name for node in statements for name in _mentioned_in(node)}
    except RecursionError:  # thousands of terms in a sum: what is in functions is mentioned too
        nodes = [each for node in statements for each in ast.walk(node)]
        return {each.id for each in nodes if isinstance(each, ast.Name)}


def _mentioned_in(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Load) else set()
    inside = {name for each in ast.iter_child_nodes(node) for name in _mentioned_in(each)}
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        body = node.body if isinstance(node.body, list) else []
        outer = {name for each in body for name in getattr(each, "names", []) if _is_outer(each)}
        arguments = {each.arg for each in ast.walk(node.args) if isinstance(each, ast.arg)}
        return inside - arguments - (names_bound(body) - outer)
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        return inside - names_bound([each.target for each in node.generators])
    return inside


def _is_outer(statement: ast.AST) -> bool:
    return isinstance(statement, ast.Global | ast.Nonlocal)


def is_import(statement: ast.stmt) -> bool:
    """Tell whether a statement brings names from elsewhere."""
    return isinstance(statement, ast.Import | ast.ImportFrom)


def makes(statement: ast.stmt) -> bool:
    """Tell whether a statement makes functions or classes, or brings them from elsewhere."""
    if isinstance(statement, ast.Assign):
        return isinstance(statement.value, ast.Lambda)
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return isinstance(statement, kinds) or is_import(statement)


def does_nothing(statement: ast.stmt) -> bool:
    """Tell whether a statement is a blank: ``...``, ``pass``, a text, a function of such."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        return all(map(does_nothing, statement.body))
    if isinstance(statement, ast.Return):
        value = statement.value
        return value is None or (isinstance(value, ast.Constant) and value.value in (None, ...))
    if isinstance(statement, ast.Raise):
        return "NotImplementedError" in names_mentioned([statement])
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.Pass)


def shapes(statements: Iterable[ast.stmt]) -> set[str]:
    """Return what is the same for statements that differ at most in comments and layout."""
    return {shape for each in statements if (shape := shape_of(each))}


def shape_of(statement: ast.stmt) -> str:
    """Return the shape of one statement, or an empty text where no person has written it."""
    try:
        return ast.dump(statement)
    except RecursionError:  # thousands of terms in a sum
        return ""


def as_text(expression: ast.expr) -> str:
    """Return an expression as text, or none where no person has written it."""
    try:
        return ast.unparse(expression)
    except RecursionError:  # hundreds of terms in a sum
        return ""


def tidy(source: str) -> str:
    """Return a source without spaces at the ends of its lines and empty lines around it."""
    return "\n".join(line.rstrip() for line in source.split("\n")).strip("\n")
