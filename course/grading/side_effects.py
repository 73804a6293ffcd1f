"""Whether a cell may change what the answers in other cells rely on, read off its code."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Sequence

from course.grading.sources import (
    inside_of,
    is_import,
    makes,
    name_of_import,
    names_bound,
    names_mentioned,
)

SAYING = ("print", "display", "check", "hint")  # functions
COMPUTING = frozenset(  # modules whose functions return something and change nothing else ...
    (
        *("tensorflow", "keras", "numpy", "math", "cmath", "statistics", "fractions", "decimal"),
        *("itertools", "functools", "operator", "collections", "copy", "random", "string", "time"),
        *("typing", "dataclasses", "matplotlib", "IPython", "utils", "__future__"),
    )
)
SETTING = frozenset(  # ... but for those with one of these words in their name
    (
        *("set", "seterr", "setstate", "reset", "seed", "config", "enable", "disable", "register"),
        *("clear", "experimental", "backend", "compat", "mixed", "rcparams", "use", "quantize"),
    )
)
REACHING = frozenset(  # what reaches things by a name that is not in the code, or beyond Python
    (
        *("exec", "eval", "compile", "open", "input", "breakpoint", "exit", "quit", "get_ipython"),
        *("globals", "locals", "vars", "setattr", "delattr", "getattr", "memoryview", "__import__"),
    )
)
SPECIAL = ("__init__", "__call__", "__name__", "__version__")  # attributes


def only_defines(statement: ast.stmt) -> bool:
    """Tell whether a statement gives names a value, or says something, and changes nothing else."""
    if isinstance(statement, ast.Expr):
        call = statement.value
        called = call.func if isinstance(call, ast.Call) else None
        if isinstance(called, ast.Name) and called.id in SAYING:
            return True
    elif isinstance(statement, ast.Assign):
        if not all(isinstance(each, ast.Name) for each in statement.targets):
            return False
    elif not isinstance(statement, ast.Pass):
        return makes(statement)
    return not any(isinstance(each, ast.Call | ast.Await) for each in inside_of([statement]))


def may_spoil(code: Sequence[ast.stmt], relied_on: set[str], data: set[str]) -> bool:
    """Tell whether a learner's cells may change what stands beside them.

    What only computes is no harm, even in functions of the learner's own: calls of these, of the
    libraries' functions but for those that set something, and of methods. Where it is not certain,
    the answer is yes.

    Args:
        code: the statements of the cells.
        relied_on: names that are to keep what they mean.
        data: those of them whose values can be changed in their place, such as arrays and models.
    """
    imports = [each for each in code if is_import(each)]
    others = [each for each in code if not is_import(each)]
    if names_bound(others) & (relied_on | {*dir(builtins)}) or "*" in names_bound(imports):
        return True
    if all(map(only_defines, others)):
        return False
    strange = REACHING | set(_strange_imports(code))
    shared = _aliases(others, data)
    return any(
        _may_change(node, strange, shared) for each in code for node in ast.walk(each)
    ) or any(names_mentioned([each]) & shared for each in others if not only_defines(each))


def _strange_imports(code: Iterable[ast.stmt]) -> Iterator[str]:
    for node in (node for each in code for node in ast.walk(each)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] not in COMPUTING:
                    yield name_of_import(alias)
        elif isinstance(node, ast.ImportFrom):
            known = (node.module or "").partition(".")[0] in COMPUTING
            for alias in node.names:
                if not known or _sets(alias.name):
                    yield name_of_import(alias)


def _aliases(code: Sequence[ast.stmt], data: set[str]) -> set[str]:
    """Return the names of data, and those that statements derive from them."""
    found: set[str] = set()
    more = {*data}
    while more - found:
        found |= more
        more = {n for each in code if names_mentioned([each]) & found for n in names_bound([each])}
    return found


def _may_change(node: ast.AST, strange: Iterable[str], data: set[str]) -> bool:
    if isinstance(node, ast.Name):
        return node.id in strange or isinstance(node.ctx, ast.Del)
    if isinstance(node, ast.Attribute):
        of_others = getattr(node.value, "id", "") != "self"
        is_private = node.attr.startswith("_") and node.attr not in SPECIAL
        is_load = isinstance(node.ctx, ast.Load)
        return (of_others and (is_private or not is_load)) or (is_load and _sets(node.attr))
    if isinstance(node, ast.AugAssign):
        return getattr(node.target, "id", "") in data
    if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
        return getattr(node.value, "id", None) in {None, *data}
    return isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith | ast.Global | ast.Nonlocal)


def _sets(name: str) -> bool:
    return not SETTING.isdisjoint(name.lower().split("_"))
