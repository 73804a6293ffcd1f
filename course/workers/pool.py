"""Runs jobs in worker processes, one process for each thread that asks."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import psutil

from course.kernels.provisioner import Kind, start_helper, start_parent
from course.kernels.usual import LAST_WORDS, START_TIMEOUT, kernel_environment
from course.limits import LEAST_MEMORY
from course.workers.jobs import Job, Outcome, failed
from course.workers.processes import kill_group, kill_marked, processors
from course.workers.room import thread_variables
from utils.errors import CourseError

GRACE = 60.0  # seconds that a run may take beyond its limits before its worker is killed
SHARE = 0.8  # of the machine's memory, for all runs together

OnEvent = Callable[[dict[str, Any]], None]

_own = threading.local()
_ready: dict[str, list[Future[Worker]]] = {}  # by what they do: started before there was a job
_workers: dict[str, set[Worker]] = {}  # of each batch
_stopped: set[str] = set()  # batches that start nothing any more
_lock = threading.Lock()


class Worker:
    """A worker process with a folder for its temporary files.

    ``aside``: a processor is left to the parent of its kernels while both import.
    """

    def __init__(self, perform: str, aside: bool = False) -> None:
        self.batch = ""  # what it works for
        self.scratch = Path(tempfile.mkdtemp(prefix="course-batch-"))
        runtime = self.scratch / "jupyter"  # connection files of kernels that are killed go, too
        runtime.mkdir(mode=0o700)
        self.log = (self.scratch / "log").open("w+", encoding="utf-8", errors="replace")
        self.process = start_helper(
            "course.workers.worker",
            [str(self.scratch), perform],
            os.environ | {"JUPYTER_RUNTIME_DIR": str(runtime)},
            Path.cwd(),
            perform,
            aside=aside,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
        )
        self.kernel: int | None = None
        self.mark: str | None = None
        self.cell: list[Any] | None = None

    def run(self, job: Job, on_event: OnEvent | None) -> Outcome | None:
        """Return what became of a job, or None when the worker died of it."""
        assert self.process.stdin and self.process.stdout
        self.kernel = self.mark = self.cell = None
        late = threading.Timer(job.timeout + START_TIMEOUT + GRACE, self.process.kill)
        late.daemon = True
        late.start()
        try:
            self.process.stdin.write(json.dumps(job._asdict()).encode() + b"\n")
            self.process.stdin.flush()
            for line in self.process.stdout:
                event = json.loads(line)
                if "outcome" in event:
                    return Outcome(**event["outcome"])
                self.kernel = event.get("kernel", self.kernel)
                self.mark = event.get("mark", self.mark)
                self.cell = event.get("cell", self.cell)
                if on_event:
                    on_event(event)
        except (OSError, ValueError):  # killed in the middle of a line
            return None
        finally:
            late.cancel()
        return None

    def end(self) -> str:
        """Kill the worker with all that it started; return its last words."""
        kill_group(self.process.pid)
        if self.kernel:
            kill_group(self.kernel)
        if self.mark:
            kill_marked(self.mark)
        self.process.wait()
        self.log.seek(0)
        words = self.log.read().strip().splitlines()[-LAST_WORDS:]
        for file in (self.process.stdin, self.process.stdout, self.log):
            with contextlib.suppress(OSError):  # what it was never told
                file.close()  # type: ignore[union-attr]
        shutil.rmtree(self.scratch, ignore_errors=True)
        return "\n".join(words)


def run_job(job: Job, on_event: OnEvent | None = None) -> Outcome:
    """Run a job in the worker process of this thread; start one if there is none."""
    worker: Worker | None = getattr(_own, "worker", None)
    stopped = failed(job, "skipped", "Stopped", "the batch was stopped", again=False)
    if worker is None or worker.process.poll() is not None or worker.batch != job.batch:
        try:
            with _lock:
                ready = _ready.get(job.perform)
                first = ready.pop() if ready else None
            worker = _own.worker = first.result() if first else Worker(job.perform)
        except OSError as error:
            return failed(job, "start_failed", type(error).__name__, str(error), again=True)
        with _lock:
            if job.batch in _stopped:
                worker.end()
                return stopped
            worker.batch = job.batch
            _workers.setdefault(job.batch, set()).add(worker)
    outcome = worker.run(_with_shares(job), on_event)
    if outcome is not None:
        return outcome
    _own.worker = None
    with _lock:
        if job.batch in _stopped:
            return stopped
        _workers[job.batch].discard(worker)
    words = worker.end()
    dead = failed(
        job,
        "dead_kernel" if worker.cell else "start_failed",
        "WorkerDied",
        f"the process that looked after this run died (exit status {worker.process.returncode})",
        again=True,
    )
    section = worker.cell[2] if worker.cell else ""
    return dead._replace(failure=dict(dead.failure or {}, last_lines=words, section=section))


def stop(batch: str) -> None:
    """End all workers of a batch in this process, at once, and let no other start."""
    with _lock:
        _stopped.add(batch)
        workers = list(_workers.pop(batch, ()))
    for worker in workers:
        kill_group(worker.process.pid)
    for worker in workers:
        worker.end()


def _with_shares(job: Job) -> Job:
    """Fill in what the planner left to this machine."""
    memory = job.memory or int(psutil.virtual_memory().total * SHARE)
    return job._replace(memory=memory, threads=job.threads or 1)


def warm_up(perform: str, workers: int | None, kernel: Kind, *, sandboxed: bool = False) -> bool:
    """Start what will be needed before there is a job: workers, and the parent of their kernels.

    Tells whether that parent is new, and should have a processor for its imports.

    Args:
        perform: the module of the jobs.
        workers: how many there will be; by default as many as processors.
        kernel: what the jobs run on, in a sandbox or not.
    """
    workers = workers or processors()
    threads, _ = shares(workers)
    aside = False
    if kernel == "warm" or sandboxed:
        variables = kernel_environment() | thread_variables(threads)
        aside = start_parent(variables, sandboxed=sandboxed)
    _ready[perform] = [_begin(perform, aside) for _ in range(min(workers, processors()))]
    return aside


def _begin(perform: str, aside: bool) -> Future[Worker]:
    """Start a worker, which may have to wait for the parent of such processes."""
    future: Future[Worker] = Future()

    def start() -> None:
        try:
            future.set_result(Worker(perform, aside))
        except OSError as error:
            future.set_exception(error)

    threading.Thread(target=start, daemon=True).start()
    return future


def shares(workers: int) -> tuple[int, int]:
    """Return the threads and the bytes of memory for each of so many runs on this machine.

    Raises:
        CourseError: there is too little memory for so many.
    """
    memory = int(psutil.virtual_memory().total * SHARE)
    most = max(1, memory // LEAST_MEMORY)
    if workers > most:
        raise CourseError(
            f"--workers {workers} are more than this computer has memory for: name at most {most}."
        )
    return max(1, processors() // workers), memory // workers
