"""One run of a lesson, as a worker does it."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import nbformat

from course.execution import execute
from course.kernels.usual import LAST_WORDS
from course.report import notebook_page, prepare_pages
from course.statuses import Result
from course.workers.jobs import Job, Outcome
from course.workers.room import Room


def perform(job: Job, room: Room) -> Outcome:
    """Run a lesson.

    The job is given ``lesson`` (its name), ``title``, ``notebook`` (the file's text), ``folder``
    (where that lies; what else is there, the run finds where it works), ``parameters``,
    ``environment`` and ``kernel`` (warm or fresh). It gives ``metrics``, ``notebook`` (as executed;
    None when no cell had started) and ``page`` (the same as HTML).
    """
    notebook = _set_up(job, room.folder)
    result = execute(
        notebook,
        room.folder / "out" / notebook.name,
        job.given["parameters"],
        timeout=job.timeout,
        on_cell=lambda *cell: room.tell({"cell": cell}),
        on_kernel=room.started,
        on_end=lambda: room.tell({"run": True}),
        environment=job.given["environment"] | room.environment,
        kernel=job.given["kernel"],
    )
    return _outcome(job, result, room.too_much.is_set())


def prepare() -> None:
    """Do what only the first run needs, while there is time."""
    prepare_pages()


def _set_up(job: Job, folder: Path) -> Path:
    """Write the notebook into a folder with links to all its neighbours but other notebooks."""
    work = folder / "work"
    work.mkdir()
    notebook = work / f"{job.given['lesson']}.ipynb"
    notebook.write_text(job.given["notebook"], encoding="utf-8")
    with contextlib.suppress(FileNotFoundError):  # another machine need not have the folder
        for neighbour in Path(job.given["folder"]).iterdir():
            if neighbour.suffix != ".ipynb":
                _link(neighbour, work / neighbour.name)
    return notebook


def _link(target: Path, link: Path) -> None:
    try:
        link.symlink_to(target, target.is_dir())
    except OSError:  # Windows allows links to few users
        copy = shutil.copytree if target.is_dir() else shutil.copy2
        copy(target, link)


def _outcome(job: Job, result: Result, too_much: bool) -> Outcome:
    notebook = page = None
    last_lines = ""
    failure = result.failure
    if result.output:
        notebook = result.output.read_text(encoding="utf-8")
        page = notebook_page(result.output, job.given["title"])
        if failure:
            last_lines = _last_lines(notebook, failure.cell_id)
    if failure and too_much and result.status == "dead_kernel":
        limit = f"{(job.memory or 0) / 10**6:,.0f} MB"
        failure = failure._replace(
            error="MemoryLimit",
            message=f"the run took more than {limit} of memory, its limit, in this cell",
        )
    return Outcome(
        status=result.status,
        seconds=result.seconds,
        failure=failure._asdict() | {"last_lines": last_lines} if failure else None,
        again=result.status in ("dead_kernel", "start_failed") and not too_much,
        result={"metrics": result.metrics, "notebook": notebook, "page": page},
    )


def _last_lines(notebook: str, cell_id: str) -> str:
    """Return what a cell printed last."""
    cells = nbformat.reads(notebook, as_version=4).cells
    outputs = [
        out for cell in cells if cell.get("id") == cell_id for out in cell.get("outputs", [])
    ]
    text = "".join(out["text"] for out in outputs if out.output_type == "stream")
    return "\n".join(line[:200] for line in text.splitlines()[-LAST_WORDS:])
