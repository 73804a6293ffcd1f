"""The page about a run: what each lesson measured, and the executed lessons as HTML."""

from __future__ import annotations

import datetime
import html
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat

from course.catalog import Lesson
from course.files import write_whole
from course.pages import template
from course.statuses import Result
from utils.errors import CourseError

if TYPE_CHECKING:
    from nbconvert import HTMLExporter

# What each status means, for a reader of the page.
MEANINGS = {
    "ok": "ran to its end",
    "cell_error": "a cell failed",
    "timeout": "took too long",
    "dead_kernel": "the kernel died",
    "start_failed": "no kernel started",
    "unreadable": "the notebook cannot be read",
    "skipped": "was not run",
}


def write_report(results: Mapping[Lesson, Result], out: Path) -> Path:
    """Write ``index.html``, ``results.json`` and each executed lesson as HTML into ``out``.

    Returns:
        The path of the page.

    Raises:
        CourseError: when ``out`` cannot be written.
    """
    page = template("lessons.html.jinja", key_results=key_results).render(
        results=results, meanings=MEANINGS, now=datetime.datetime.now()
    )
    record = [
        {
            "lesson": lesson.name,
            "status": result.status,
            "seconds": round(result.seconds, 1),
            "metrics": result.metrics,
            "failure": result.failure and result.failure._asdict(),
        }
        for lesson, result in results.items()
    ]
    try:
        out.mkdir(parents=True, exist_ok=True)
        for lesson, result in results.items():
            if result.output:
                write_whole(
                    result.output.with_suffix(".html"), notebook_page(result.output, lesson.title)
                )
        write_whole(out / "results.json", json.dumps(record, indent=1, ensure_ascii=False) + "\n")
        write_whole(out / "index.html", page)
    except OSError as error:
        raise CourseError(f"{out} cannot be written: {error.strerror or error}.") from error
    return out / "index.html"


def notebook_page(notebook: Path, title: str) -> str:
    """Return an executed notebook as an HTML page whose links to its neighbours lead to pages.

    A link ``01_tape.ipynb#Heading`` becomes ``01_tape.html#Heading`` where the folder holds that
    notebook, or will, as a lesson of the course.
    """
    node = nbformat.read(notebook, as_version=4)
    return re.sub(r'(href="[\w-]+)\.ipynb(#[^"]*)?"', r'\1.html\2"', _page(node, title))


def prepare_pages() -> None:
    """Do beforehand what only the first page needs."""
    cells = [nbformat.v4.new_code_cell("0"), nbformat.v4.new_markdown_cell("0")]
    _page(nbformat.v4.new_notebook(cells=cells), "")


def _page(notebook: nbformat.NotebookNode, title: str) -> str:
    page, _ = _exporter().from_notebook_node(notebook, {"metadata": {"name": html.escape(title)}})
    return str(page)


@cache
def _exporter() -> HTMLExporter:
    """Return the exporter; a new one compiles its templates anew, which takes ten pages' time."""
    from nbconvert import HTMLExporter  # not for those who only want numbers as text

    return HTMLExporter()


def number(value: float | int | str) -> str:
    """Return a metric as text: four significant digits for a fraction, whole numbers in full."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def key_results(result: Result) -> dict[str, str]:
    """Return the single numbers and texts among a result's metrics, as text; no lists."""
    return {
        name.replace("_", " "): number(value)
        for name, value in result.metrics.items()
        if not isinstance(value, list) and name != "data"
    }
