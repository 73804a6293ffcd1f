"""What a learner gets back: points, a diagnosis of each problem, their own code and its output."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from nbformat import NotebookNode

from course.figures import decode, find_figures
from course.grading.grade import Mark, points_of
from course.kernels.usual import NATIVE_LOG
from course.pages import set_marks, template
from utils.checks import TITLES
from utils.problems.text import Text, language

MOST_TEXT = 4_000  # characters of an output or, five times as many, of a cell
MOST_IMAGES = 300_000  # bytes of all images together
MOST = 900_000  # bytes of a page

WORDS = {
    "of": Text("of", "/"),
    "points": Text("points", "점"),
    "waiting": Text("and more from a person's reading", "서술형은 사람이 채점해요"),
    "remarks": Text("What was repaired before grading", "채점하기 전에 고친 것"),
    "lesson": Text("Lesson", "레슨"),
    "comment": Text("Comment:", "의견:"),
    "own": Text("Your own cells", "직접 추가한 셀"),
    "read": Text("✎ Read by a person", "✎ 사람이 채점"),
}
STATES = {"right": "right", "not_attempted": "blank"}


class Part(NamedTuple):
    """A problem, as the page shows it."""

    title: str
    badge: str = ""
    style: str = ""
    state: str = ""
    points: float | None = None
    of: float | None = None
    text: str = ""
    lesson: str = ""
    section: str = ""
    comment: str = ""
    cells: Sequence[Mapping[str, Any]] = ()


class Page(NamedTuple):
    """What a page of feedback is about."""

    student: str
    title: str  # of the assignment
    remarks: Sequence[str]
    marks: Mapping[str, Mark]  # empty where nothing could be graded
    notebook: NotebookNode | None  # as graded, with `repair`'s words in its cells' metadata
    written: Mapping[str, tuple[float | None, str]] = {}
    reason: str = ""  # why nothing could be graded
    late: str = ""


def feedback_page(page: Page) -> str:
    """Return the page, self-contained and below 1 MB, in the language of ``COURSE_LANG``."""
    cells = page.notebook.cells if page.notebook is not None else []
    for room in (MOST_TEXT, MOST_TEXT // 8, 100):
        parts = list(_parts(page, cells, room))
        text = _render(page, parts)
        if len(text.encode()) < MOST:
            return text
    return _render(page, [part._replace(cells=()) for part in parts])


def _render(page: Page, parts: Sequence[Part]) -> str:
    graded = [part for part in parts if part.of is not None]
    return template("feedback.html.jinja", number="{:g}".format, marks=set_marks).render(
        **page._asdict(),
        language=language(),
        words={name: str(word) for name, word in WORDS.items()},
        parts=parts,
        points=sum(part.points or 0 for part in graded),
        maximum=sum(part.of or 0 for part in graded),
        waiting=any(part.points is None for part in graded),
    )


def _parts(page: Page, cells: Sequence[NotebookNode], room: int) -> Iterator[Part]:
    budget = _Budget(MOST_IMAGES if room == MOST_TEXT else 0)
    shown: dict[str, list[Mapping[str, Any]]] = {}
    for cell in cells:
        where = cell.metadata.get("tape_to_mlp", {})
        if where.get("role") in ("answer", "own"):
            problem = next(iter(where.get("problems", ())), "")
            shown.setdefault(problem, []).append(_shown(cell, room, budget))
    titles = dict(_titles(cells))
    for problem, mark in page.marks.items():
        yield _judged(problem, mark, titles.get(problem, ""), shown.pop(problem, []))
    for cell in cells:
        where = cell.metadata.get("tape_to_mlp", {})
        if where.get("role") == "answer" and cell.cell_type == "markdown":
            problem = where["problems"][0]
            points, comment = page.written.get(cell.metadata.nbgrader["grade_id"], (None, ""))
            yield Part(
                f"{problem} {titles.get(problem, '')}".strip(),
                badge=str(WORDS["read"]),
                style="quiet",
                points=points,
                of=points_of(cell),
                comment=comment,
                cells=shown.pop(problem, []),
            )
    if rest := [cell for cells in shown.values() for cell in cells]:
        yield Part(str(WORDS["own"]), cells=rest)


def _titles(cells: Sequence[NotebookNode]) -> Iterator[tuple[str, str]]:
    for cell in cells:
        heading = re.match(r"## (\d\.\d+) +(.+)", cell.source)
        if cell.metadata.get("tape_to_mlp", {}).get("role") == "instructor" and heading:
            yield heading[1], heading[2].strip()


def _judged(problem: str, mark: Mark, title: str, cells: Sequence[Mapping[str, Any]]) -> Part:
    state = STATES.get(mark.diagnosis, "wrong")
    badges = {"right": "right", "blank": "not attempted", "wrong": "wrong"}
    return Part(
        f"{problem} {title}".strip(),
        badge=str(TITLES[badges[state]]),  # type: ignore[index]
        style={"right": "ok", "blank": "quiet", "wrong": "bad"}[state],
        state=state,
        points=mark.points,
        of=mark.of,
        text=str(Text(mark.text["en"], mark.text["ko"])),
        lesson=problem.partition(".")[0],
        section="" if state == "right" else mark.section,
        cells=cells,
    )


class _Budget:
    def __init__(self, images: int) -> None:
        self.images = images


def _shown(cell: NotebookNode, room: int, budget: _Budget) -> Mapping[str, Any]:
    outputs = [found for each in cell.get("outputs", []) if (found := _output(each, room, budget))]
    written = cell.cell_type != "code"
    return {"source": _cut(cell.source, 5 * room), "outputs": outputs, "written": written}


def _output(output: NotebookNode, room: int, budget: _Budget) -> Mapping[str, Any] | None:
    if output.output_type == "stream":
        text = NATIVE_LOG.sub("", output.text)
        return {"text": _cut(text, room)} if text.strip() else None
    if output.output_type == "error":
        trace = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(output.traceback))
        said = f"{output.ename}: {output.evalue}"
        return {"text": _cut(trace if said in trace else f"{trace}\n{said}", room), "error": True}
    text = _text(output.data, "text/plain")
    figure = next(iter(find_figures(_text(output.data, "text/html"))), None)
    png = figure.png if figure else decode(_text(output.data, "image/png"))
    if png.startswith(b"\x89PNG") and len(png) <= budget.images:
        budget.images -= len(png)
        words = figure.alt if figure else text
        return {"png": base64.b64encode(png).decode(), "text": words[:1000]}
    return {"text": _cut(text, room)} if text.strip() else None


def _text(data: Mapping[str, Any], kind: str) -> str:
    """Return a text of an output's, which is whole or in lines; a kernel may send what is none."""
    said = data.get(kind, "")
    lines = said if isinstance(said, list) else [said]
    return "".join(line for line in lines if isinstance(line, str))


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[:room]}\n[... {len(text) - room:,} more]"
