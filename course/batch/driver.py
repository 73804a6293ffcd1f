"""Runs a batch from its file to its page, however often it is interrupted."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from course.batch import pool
from course.batch.jobs import Outcome
from course.batch.journal import Record, append, held, not_writable, read_journal
from course.batch.machine import Machine, this_machine
from course.batch.page import write_results
from course.batch.plan import Planned, estimate, plan
from course.batch.processes import processors
from course.batch.progress import Lines, duration, watching
from course.batch.spec import read_spec
from course.execution import TIMEOUT
from course.files import write_whole

PAGE_EVERY = 10.0  # seconds between two versions of the page while the batch runs


class Options(NamedTuple):
    """How a batch is run; None leaves the choice to the file, then to this module."""

    out: Path
    workers: int | None = None
    scheduler: str | None = None
    timeout: float | None = None
    memory: int | None = None
    retries: int | None = None
    only_failed: bool = False


def run_batch(spec_path: Path, options: Options, command: str) -> bool:
    """Run what the file asks for and has not been run, and write the pages about all of it.

    Args:
        command: what the user typed, for the advice how to continue.

    Returns:
        Whether every run of the file ended well.

    Raises:
        CourseError: the file has mistakes, or the folder cannot be written.
        KeyboardInterrupt: after an interruption, when everything has been put away.
    """
    planned, retries = _planned(spec_path, options)
    with held(options.out):
        records = read_journal(options.out)
        todo = _todo(planned, records, options.only_failed)
        _say_beforehand(planned, todo, records)
        stopping = threading.Event()
        if todo:
            with _interruptible(stopping):
                _run(planned, todo, records, retries, options, stopping)
        try:
            page = write_results(planned, records, options.out)
        except OSError as error:
            raise not_writable(options.out, error) from None
        failed = [
            each for each in planned if records.get(each.key, {"status": "ok"})["status"] != "ok"
        ]
        finished = sum(each.key in records for each in planned)
        print(f"{_counts(planned, records)} -> {page}")
        if stopping.is_set():
            left = len(planned) - finished
            print(f"Stopped with {left} of {len(planned)} runs to go. To continue:\n  {command}")
            raise KeyboardInterrupt
        if failed and not options.only_failed:
            print(f"To repeat what failed:\n  {command} --only failed")
    return not failed and finished == len(planned)


def show_plan(spec_path: Path, options: Options) -> None:
    """Print the runs that `run_batch` would make, and how long they may take.

    Raises:
        CourseError: the file has mistakes.
    """
    planned, _ = _planned(spec_path, options)
    records = read_journal(options.out)
    todo = {each.key for each in _todo(planned, records, options.only_failed)}
    for each in planned:
        earlier = records.get(each.key)
        state = "to run" if each.key in todo else earlier["status"] if earlier else "left out"
        print(f"{state.replace('_', ' '):12}  {each}")
    workers = options.workers or processors()
    _say_beforehand(planned, [each for each in planned if each.key in todo], records)
    seconds = estimate([each for each in planned if each.key in todo], records)
    job = planned[0].job
    print(
        f"About {duration(seconds / workers)} with {workers} at a time, by earlier runs."
        if seconds
        else f"No run has been timed in {options.out} yet; each may take {duration(job.timeout)}."
    )
    print(
        f"Each run gets {job.threads or 1} thread(s)"
        + (f" and {job.memory / 10**9:.1f} GB of memory." if job.memory else ".")
    )


def _planned(spec_path: Path, options: Options) -> tuple[list[Planned], int]:
    spec = read_spec(spec_path)
    threads, memory = (None, None) if options.scheduler else pool.shares(_workers(options))
    planned = plan(
        spec,
        timeout=options.timeout or spec.timeout or TIMEOUT,
        memory=options.memory or spec.memory or memory,
        threads=threads,
    )
    chosen = options.retries if options.retries is not None else spec.retries
    return planned, 1 if chosen is None else chosen


def _workers(options: Options) -> int:
    return options.workers or processors()


def _todo(
    planned: Sequence[Planned], records: Mapping[str, Record], only_failed: bool
) -> list[Planned]:
    if only_failed:
        return [
            each for each in planned if records.get(each.key, {"status": "ok"})["status"] != "ok"
        ]
    return [each for each in planned if each.key not in records]


def _say_beforehand(
    planned: Sequence[Planned], todo: Sequence[Planned], records: Mapping[str, Record]
) -> None:
    before = sum(each.key in records for each in planned)
    was = f", {before} finished before" if before else ""
    print(f"{len(planned)} runs{was}: {len(todo)} to run.", flush=True)


def _run(
    planned: Sequence[Planned],
    todo: list[Planned],
    records: dict[str, Record],
    retries: int,
    options: Options,
    stopping: threading.Event,
) -> None:
    width = min(60, max(len(str(each)) for each in todo))
    waiting = [(each, 1) for each in reversed(todo)]
    written = time.monotonic()
    with _machine(options, planned[0].job.batch) as machine, watching(len(todo), width) as show:
        running: dict[Future[Outcome], tuple[Planned, int]] = {}
        while (waiting or running) and not stopping.is_set():
            while waiting and len(running) < machine.capacity():
                each, attempt = waiting.pop()
                running[machine.submit(each.job, _teller(show, each))] = (each, attempt)
            show.submitted(len(running))
            over, _ = wait(running, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in over:
                each, attempt = running.pop(future)
                outcome = machine.result(future, each.job)
                if stopping.is_set() and outcome.status == "skipped":
                    continue
                if outcome.again and attempt <= retries:
                    reason = (outcome.failure or {}).get("message", "")
                    show.again(each, f"{outcome.status.replace('_', ' ')}, {reason}")
                    waiting.append((each, attempt + 1))
                    continue
                record = records[each.key] = _keep(options.out, each, outcome, attempt)
                show.finish(each, record)
            if time.monotonic() - written > PAGE_EVERY:
                with contextlib.suppress(OSError):  # the next run will tell
                    write_results(planned, records, options.out)
                written = time.monotonic()


def _teller(show: Lines, planned: Planned) -> pool.OnEvent:
    return lambda event: show.event(planned, event)


def _keep(out: Path, planned: Planned, outcome: Outcome, attempts: int) -> Record:
    """Write a run's files and then its line in the journal; return the line."""
    record = {
        "key": planned.key,
        "lesson": planned.run.lesson.name,
        "parameters": planned.run.parameters,
        "effective": planned.run.effective,
        "status": outcome.status,
        "seconds": round(outcome.seconds, 2),
        "metrics": outcome.metrics,
        "failure": outcome.failure,
        "attempts": attempts,
        "ended": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "notebook": outcome.notebook is not None,
    }
    try:
        for ending, text in {"html": outcome.page, "ipynb": outcome.notebook}.items():
            if text is not None:
                write_whole(out / "runs" / f"{planned.key}.{ending}", text)
        append(out, record)
    except OSError as error:
        raise not_writable(out, error) from None
    return record


def _machine(options: Options, batch: str) -> contextlib.AbstractContextManager[Machine]:
    if options.scheduler:
        from course.batch.cluster import cluster

        return cluster(options.scheduler, batch)
    return this_machine(_workers(options), batch)


@contextlib.contextmanager
def _interruptible(stopping: threading.Event) -> Iterator[None]:
    """Set ``stopping`` at the first Ctrl-C; the second ends everything at once."""

    def handle(number: int, frame: Any) -> None:
        if stopping.is_set():
            for child in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    child.kill()
            os._exit(130)
        stopping.set()
        os.write(2, b"\nStopping; Ctrl-C once more ends it without tidying up.\n")

    signals = (signal.SIGINT, signal.SIGTERM)
    before = {each: signal.signal(each, handle) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _counts(planned: Sequence[Planned], records: Mapping[str, Record]) -> str:
    statuses = [records.get(each.key, {"status": "skipped"})["status"] for each in planned]
    counts = [
        f"{statuses.count(status)} {status.replace('_', ' ')}" for status in dict.fromkeys(statuses)
    ]
    return f"{len(statuses)} run{'s' * (len(statuses) != 1)}: {', '.join(counts)}"
