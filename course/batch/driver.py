"""Runs a batch from its file to its page, however often it is interrupted."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.text import Text

from course.batch.declared import declared
from course.batch.page import write_results
from course.batch.plan import Planned, estimate, plan
from course.batch.records import read_records
from course.batch.spec import read_spec
from course.batch.summary import metric_names
from course.files import write_whole
from course.imports import on_all_but_one
from course.kernels.provisioner import Kind
from course.kernels.usual import TIMEOUT
from course.report import number
from course.workers import pool
from course.workers.driving import interruptible, machine, work_through
from course.workers.jobs import Outcome
from course.workers.journal import BATCH, Record, append, held, not_writable
from course.workers.processes import processors
from course.workers.progress import duration, watching

SHOWN = 3  # metrics on a run's line


class Options(NamedTuple):
    """How a batch is run; None leaves the choice to the file, then to this module."""

    out: Path
    workers: int | None = None
    scheduler: str | None = None
    timeout: float | None = None
    memory: int | None = None
    retries: int | None = None
    only_failed: bool = False
    kernel: Kind = "warm"
    aside: bool = False  # whether planning leaves a processor to the new parent of the kernels


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
    with held(options.out, BATCH, ["runs"]):
        records = read_records(options.out)
        todo = _todo(planned, records, options.only_failed)
        _say_beforehand(planned, todo, records)
        stopping = threading.Event()
        if todo:
            with interruptible(stopping):
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


def show_plan(spec_path: Path, options: Options) -> bool:
    """Print the runs that `run_batch` would make, and how long they may take.

    Returns:
        Whether each of them has a notebook that can be read.

    Raises:
        CourseError: the file has mistakes.
    """
    planned, _ = _planned(spec_path, options)
    records = read_records(options.out)
    todo = {each.key for each in _todo(planned, records, options.only_failed)}
    lessons = {each.run.lesson for each in planned}
    no_notebooks = {each for each in lessons if declared(each.path) is None}
    for each in planned:
        earlier = records.get(each.key)
        state = "to run" if each.key in todo else earlier["status"] if earlier else "left out"
        what = "  is no notebook" if each.run.lesson in no_notebooks else ""
        print(f"{state.replace('_', ' '):12}  {each}{what}")
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
    return not no_notebooks


def _planned(spec_path: Path, options: Options) -> tuple[list[Planned], int]:
    spec = read_spec(spec_path)
    threads, memory = (None, None) if options.scheduler else pool.shares(_workers(options))
    with on_all_but_one(options.aside):
        planned = plan(
            spec,
            timeout=options.timeout or spec.timeout or TIMEOUT,
            memory=options.memory or spec.memory or memory,
            threads=threads,
            kernel=options.kernel,
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
    some = f"{len(planned)} run{'s' * (len(planned) != 1)}"
    print(f"{some}{was}: {len(todo)} to run.", flush=True)


def _run(
    planned: Sequence[Planned],
    todo: list[Planned],
    records: dict[str, Record],
    retries: int,
    options: Options,
    stopping: threading.Event,
) -> None:
    width = min(60, max(len(str(each)) for each in todo))
    batch = planned[0].job.batch
    with (
        machine(options.scheduler, _workers(options), batch) as where,
        watching(len(todo), width) as show,
    ):

        def keep(each: Planned, outcome: Outcome, attempts: int) -> None:
            record = records[each.key] = _keep(options.out, each, outcome, attempts)
            show.finish(each, record, *_words(record))

        def now_and_then() -> None:
            with contextlib.suppress(OSError):  # the next run will tell
                write_results(planned, records, options.out)

        work_through(todo, where, retries, stopping, show, keep, now_and_then)


def _words(record: Record) -> Iterator[str | Text]:
    """Yield what a run's line says besides its status: metrics, an error, which data."""
    names = metric_names([record])[:SHOWN]
    yield ", ".join(f"{n.replace('_', ' ')} {number(record['metrics'][n])}" for n in names)
    if record["failure"]:
        message = record["failure"]["message"].splitlines() or [""]
        yield f"{record['failure']['error']}: {message[0][:120]}"
    if record["metrics"].get("data") == "stand-in":
        yield Text("stand-in data", "yellow")


def _keep(out: Path, planned: Planned, outcome: Outcome, attempts: int) -> Record:
    """Write a run's files and then its line in the journal; return the line."""
    record = {
        "key": planned.key,
        "lesson": planned.run.lesson.name,
        "parameters": planned.run.parameters,
        "effective": planned.run.effective,
        "status": outcome.status,
        "seconds": round(outcome.seconds, 2),
        "metrics": outcome.result.get("metrics", {}),
        "failure": outcome.failure,
        "attempts": attempts,
        "ended": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "notebook": outcome.result.get("notebook") is not None,
    }
    try:
        for ending, what in {"html": "page", "ipynb": "notebook"}.items():
            if (text := outcome.result.get(what)) is not None:
                write_whole(out / "runs" / f"{planned.key}.{ending}", text)
        append(out, record)
    except OSError as error:
        raise not_writable(out, error) from None
    return record


def _counts(planned: Sequence[Planned], records: Mapping[str, Record]) -> str:
    statuses = [records.get(each.key, {"status": "skipped"})["status"] for each in planned]
    counts = [
        f"{statuses.count(status)} {status.replace('_', ' ')}" for status in dict.fromkeys(statuses)
    ]
    return f"{len(statuses)} run{'s' * (len(statuses) != 1)}: {', '.join(counts)}"
