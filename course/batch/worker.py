"""A process that runs one job after another: a JSON line each way, and events in between.

It ends as soon as whoever started it is gone, and leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat

from course.batch.jobs import Job, Outcome, failed
from course.batch.keys import course_digest
from course.batch.processes import MARK, kill_group, kill_marked, memory_used
from course.execution import LAST_WORDS, Result, execute
from course.report import notebook_page
from utils.errors import CourseError

THREAD_VARIABLES = ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
LOOK_EVERY = 0.1  # seconds between two looks at the memory

Tell = Callable[[dict[str, Any]], None]

_running: dict[str, Any] = {"mark": None, "kernel": None}


def main(scratch: Path) -> None:
    """Work through the jobs on standard input, with temporary files in ``scratch``."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer

    def tell(event: dict[str, Any]) -> None:
        answers.write(json.dumps(event) + "\n")
        answers.flush()

    jobs: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(jobs, scratch), daemon=True).start()
    while True:
        job = Job(**json.loads(jobs.get()))
        tell({"outcome": perform(job, scratch, tell)._asdict()})


def _listen(jobs: queue.SimpleQueue[str], scratch: Path) -> None:
    for line in sys.stdin:
        jobs.put(line)
    if _running["kernel"]:
        kill_group(_running["kernel"])
    if _running["mark"]:
        kill_marked(_running["mark"])
    shutil.rmtree(scratch, ignore_errors=True)
    os._exit(0)


def perform(job: Job, scratch: Path, tell: Tell) -> Outcome:
    """Run a job in a new folder of its own, and leave nothing of it running."""
    if course_digest() != job.course:
        return failed(
            job,
            "start_failed",
            "CourseError",
            "utils, requirements.lock or Python is not as it was when the batch began: start it"
            " again, with the same checkout and Python on every machine.",
            again=True,
        )
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=scratch))
    mark = f"{job.batch}-{folder.name}"
    environment = job.environment | {MARK: mark, "TMPDIR": str(folder / "tmp")}
    if job.threads:
        environment |= dict.fromkeys(THREAD_VARIABLES, str(job.threads))
    _running["mark"] = mark
    too_much = threading.Event()
    try:
        notebook = _set_up(job, folder)
        with _memory_watch(job.memory, too_much) as watch:

            def started(pid: int) -> None:
                _running["kernel"] = pid
                tell({"kernel": pid, "mark": mark})
                watch(pid)

            result = execute(
                notebook,
                folder / "out" / notebook.name,
                job.parameters,
                timeout=job.timeout,
                on_cell=lambda *cell: tell({"cell": cell}),
                on_kernel=started,
                environment=environment,
            )
        return _outcome(job, result, too_much.is_set())
    except (CourseError, OSError) as error:
        return failed(job, "start_failed", type(error).__name__, str(error), again=True)
    finally:
        if _running["kernel"]:
            kill_group(_running["kernel"])
        kill_marked(mark)
        _running.update(mark=None, kernel=None)
        shutil.rmtree(folder, ignore_errors=True)


def _set_up(job: Job, folder: Path) -> Path:
    """Write the notebook into a folder with links to all its neighbours but other notebooks."""
    work = folder / "work"
    for each in (work, folder / "tmp"):
        each.mkdir()
    notebook = work / f"{job.lesson}.ipynb"
    notebook.write_text(job.notebook, encoding="utf-8")
    with contextlib.suppress(FileNotFoundError):  # another machine need not have the folder
        for neighbour in Path(job.folder).iterdir():
            if neighbour.suffix != ".ipynb":
                _link(neighbour, work / neighbour.name)
    return notebook


def _link(target: Path, link: Path) -> None:
    try:
        link.symlink_to(target, target.is_dir())
    except OSError:  # Windows allows links to few users
        copy = shutil.copytree if target.is_dir() else shutil.copy2
        copy(target, link)


@contextlib.contextmanager
def _memory_watch(limit: int | None, too_much: threading.Event) -> Iterator[Callable[[int], None]]:
    """Give a function that begins to watch a kernel, which dies when it takes too much."""
    done = threading.Event()

    def look(pid: int) -> None:
        while not done.wait(LOOK_EVERY):
            if limit and memory_used(pid) > limit:
                too_much.set()
                kill_group(pid)
                return

    def watch(pid: int) -> None:
        if limit:
            threading.Thread(target=look, args=(pid,), daemon=True).start()

    try:
        yield watch
    finally:
        done.set()


def _outcome(job: Job, result: Result, too_much: bool) -> Outcome:
    notebook = page = None
    last_lines = ""
    failure = result.failure
    if result.output:
        notebook = result.output.read_text(encoding="utf-8")
        page = notebook_page(result.output, job.title)
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
        metrics=result.metrics,
        failure=failure._asdict() | {"last_lines": last_lines} if failure else None,
        notebook=notebook,
        page=page,
        again=result.status in ("dead_kernel", "start_failed") and not too_much,
    )


def _last_lines(notebook: str, cell_id: str) -> str:
    """Return what a cell printed last."""
    cells = nbformat.reads(notebook, as_version=4).cells
    outputs = [
        out for cell in cells if cell.get("id") == cell_id for out in cell.get("outputs", [])
    ]
    text = "".join(out["text"] for out in outputs if out.output_type == "stream")
    return "\n".join(line[:200] for line in text.splitlines()[-LAST_WORDS:])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
