"""What a notebook says about its parameters: their names, usual values and legal ranges."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from course.catalog import nearest
from course.notebooks import UNREADABLE, parameters_of, read_notebook
from utils.parameters import RULES, Rule, shown


class Declared(NamedTuple):
    """The parameters of one notebook."""

    names: list[str]
    defaults: dict[str, Any]  # of those whose value stands in the cell as a literal
    rules: dict[str, Rule]  # of those that the notebook hands to utils.parameters
    uses_data: bool  # whether it loads Fashion-MNIST through utils.data


def declared(notebook: Path) -> Declared | None:
    """Read the parameters of a notebook; None where the file is no notebook."""
    try:
        node = read_notebook(notebook)
    except UNREADABLE:
        return None
    code = [cell for cell in node.cells if cell.cell_type == "code"]
    tagged = [cell for cell in code if "parameters" in cell.metadata.get("tags", [])]
    defaults = {
        target.id: value
        for cell in tagged[:1]
        for target, value in _literals(cell.source)
        if isinstance(target, ast.Name)
    }
    checked = {
        keyword.arg
        for cell in code
        for node in _walk(cell.source)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("check_parameters")
        for keyword in node.keywords
    }
    return Declared(
        names=parameters_of(notebook),
        defaults=defaults,
        rules={name: rule for name, rule in RULES.items() if name in checked},
        uses_data=any("load_fashion_mnist" in cell.source for cell in code),
    )


def objection(parameters: Declared, lesson: str, name: str, value: Any) -> str | None:
    """Say what is wrong with a value for a parameter of a lesson; None where nothing is."""
    if name not in parameters.names:
        return f"{lesson} has no parameter {shown(name)}: {nearest(name, parameters.names)}"
    if name in parameters.rules:
        rule = parameters.rules[name]
        return None if rule.allows(value) else f"{name} = {shown(value)} should be {rule.words}"
    if name in parameters.defaults and not _same_type(value, parameters.defaults[name]):
        default = parameters.defaults[name]
        wanted = f"of type {type(default).__name__}, like {shown(default)} in {lesson}"
        return f"{name} = {shown(value)} should be {wanted}"
    return None


def _same_type(value: Any, default: Any) -> bool:
    if default is None or value is None:
        return default is None
    if isinstance(default, float):
        return type(value) in (int, float)
    if isinstance(default, list | tuple):
        return isinstance(value, list)
    return type(value) is type(default)


def _walk(source: str) -> Iterator[ast.AST]:
    try:
        return ast.walk(ast.parse(source))
    except SyntaxError:  # a cell with a magic command
        return iter(())


def _literals(source: str) -> Iterator[tuple[ast.expr, Any]]:
    for node in _walk(source):
        targets: list[ast.expr]
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        elif isinstance(node, ast.Assign):
            targets = node.targets
        else:
            continue
        try:
            value = ast.literal_eval(node.value or ast.Constant(None))
        except ValueError:
            continue
        yield from ((target, value) for target in targets)
