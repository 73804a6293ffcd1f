"""Small notebooks and checkouts for the tests of `course`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

WriteNotebook = Callable[..., Path]


@pytest.fixture
def write_notebook(tmp_path: Path) -> WriteNotebook:
    """Write a notebook: texts that begin with # are Markdown, others code, a pair (tag, code)."""

    def write(
        name: str, *cells: str | tuple[str, str], kernel: str = "python3", folder: str = "notebooks"
    ) -> Path:
        node = new_notebook(cells=[])
        node.metadata.kernelspec = {"name": kernel, "display_name": kernel, "language": "python"}
        node.metadata.language_info = {"name": "python"}
        for number, content in enumerate(cells):
            tag, source = content if isinstance(content, tuple) else ("", content)
            cell = new_markdown_cell if source.startswith("#") else new_code_cell
            metadata = {"tags": [tag]} if tag else {}
            node.cells.append(cell(source, id=f"cell-{number}", metadata=metadata))
        path = tmp_path / folder / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(node, path)
        return path

    return write
