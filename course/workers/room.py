"""Where a job is done: a folder of its own, of which nothing is left, and a watch on memory."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from course.workers.jobs import Job
from course.workers.processes import (
    MARK,
    kill_group,
    kill_marked,
    memory_used,
    processors,
    run_in_the_background,
)

THREAD_VARIABLES = ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
BETWEEN_OPERATIONS = "TF_NUM_INTEROP_THREADS"
LOOK_EVERY = 0.1  # seconds between two looks at the memory

Tell = Callable[[dict[str, Any]], None]


class Room(NamedTuple):
    """What a job finds."""

    folder: Path  # empty but for ``tmp``
    environment: dict[str, str]  # of its kernels, besides what all have
    started: Callable[[int], None]  # told the process id of each kernel
    tell: Tell
    too_much: threading.Event  # set when a kernel was killed since it took too much memory


class Occupied:
    """What is going on in this process, for whoever has to end it."""

    mark: str | None = None
    kernel: int | None = None

    def end(self) -> None:
        """Kill what a job has started."""
        if self.kernel:
            kill_group(self.kernel)
        if self.mark:
            kill_marked(self.mark)


occupied = Occupied()


def thread_variables(threads: int | None) -> dict[str, str]:
    """Return the variables that limit a kernel's threads, if they are limited.

    Threads between operations wait for each other: there are as many as without a limit, also for
    a kernel on fewer processors.
    """
    if not threads:
        return {}
    between = os.environ.get(BETWEEN_OPERATIONS, str(processors()))
    return dict.fromkeys(THREAD_VARIABLES, str(threads)) | {BETWEEN_OPERATIONS: between}


@contextlib.contextmanager
def room(job: Job, scratch: Path, tell: Tell) -> Iterator[Room]:
    """Make room for a job in a new folder below ``scratch``; afterwards nothing of it is left."""
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=scratch))
    (folder / "tmp").mkdir()
    occupied.mark = f"{job.batch}-{folder.name}"
    environment = {MARK: occupied.mark, "TMPDIR": str(folder / "tmp")}
    environment |= thread_variables(job.threads)
    too_much = threading.Event()
    try:
        with _memory_watch(job.memory, too_much) as watch:

            def started(pid: int) -> None:
                occupied.kernel = pid
                run_in_the_background(pid, job.processors)
                tell({"kernel": pid, "mark": occupied.mark})
                watch(pid)

            yield Room(folder, environment, started, tell, too_much)
    finally:
        occupied.end()
        occupied.mark = occupied.kernel = None
        shutil.rmtree(folder, ignore_errors=True)


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
