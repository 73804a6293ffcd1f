"""Reads notebooks: whether they are some, their parameters, the headings of their cells."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat

from course.catalog import nearest
from utils.errors import CourseError
from utils.parameters import shown

UNREADABLE = (OSError, ValueError, nbformat.ValidationError)


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """Read a notebook; for a file that is none, raise one of ``UNREADABLE``."""
    try:
        node = nbformat.read(path, as_version=4)
        nbformat.validate(node)
    except (LookupError, AttributeError, TypeError, RecursionError):  # JSON, but of another kind
        raise ValueError("it is no notebook of Jupyter's") from None
    return node


def parameters_of(notebook: Path) -> list[str]:
    """Return the names that the cell tagged ``parameters`` assigns; none for an unreadable file."""
    try:
        return parameter_names(read_notebook(notebook))
    except UNREADABLE:
        return []


def parameter_names(notebook: nbformat.NotebookNode) -> list[str]:
    """Return the names that the cell tagged ``parameters`` assigns."""
    for cell in notebook.cells:
        if cell.cell_type == "code" and "parameters" in cell.metadata.get("tags", []):
            try:
                nodes = list(ast.walk(ast.parse(cell.source)))
            except SyntaxError:
                return []
            names = (node for node in nodes if isinstance(node, ast.Name))
            return [name.id for name in names if isinstance(name.ctx, ast.Store)]
    return []


def check_names(parameters: Mapping[str, Any], known: list[str], lesson: str) -> None:
    """Raise CourseError for the first of ``parameters`` that is not among ``known``."""
    for name in parameters:
        if name not in known:
            raise CourseError(f"{lesson} has no parameter {shown(name)}: {nearest(name, known)}")


def section_above(notebook: nbformat.NotebookNode, index: int) -> str:
    """Return the text of the nearest Markdown heading above cell ``index``, "" if none."""
    for cell in reversed(notebook.cells[: index + 1]):
        if cell.cell_type == "markdown":
            prose = re.sub(r"^```.*?^```", "", cell.source, flags=re.MULTILINE | re.DOTALL)
            headings = re.findall(r"^#{1,6} +(.+?) *#*$", prose, re.MULTILINE)
            if headings:
                return headings[-1]
    return ""
