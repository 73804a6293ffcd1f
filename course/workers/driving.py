"""Takes many jobs to their end, however often it is interrupted."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import psutil

from course.workers import pool
from course.workers.jobs import Job, Outcome
from course.workers.machine import Machine, this_machine

if TYPE_CHECKING:
    from course.workers.progress import Lines

NOW_AND_THEN = 10.0  # seconds between two looks at what has come so far


class Planned(Protocol):
    """Something to do; its text names it for a person."""

    @property
    def job(self) -> Job: ...

    @property
    def key(self) -> str: ...


P = TypeVar("P", bound=Planned)


def work_through(
    todo: Sequence[P],
    machine: Machine,
    retries: int,
    stopping: threading.Event,
    show: Lines,
    keep: Callable[[P, Outcome, int], None],
    now_and_then: Callable[[], None] = lambda: None,
) -> None:
    """Have all of ``todo`` done, as many at a time as the machine can, until ``stopping`` is set.

    Args:
        retries: how often something is done again whose failure was the machine's.
        keep: told of each outcome, with the number of attempts that it took.
        now_and_then: called every few seconds.
    """
    waiting = [(each, 1) for each in reversed(todo)]
    running: dict[Future[Outcome], tuple[P, int]] = {}
    busy: set[Future[Any]] = set()  # done when the next one may begin

    def submit() -> None:
        busy.difference_update([future for future in busy if future.done()])
        while waiting and len(busy) < machine.capacity() and not stopping.is_set():
            each, attempt = waiting.pop()
            submitted = machine.submit(each.job, _teller(show, each))
            running[submitted.outcome] = (each, attempt)
            busy.add(submitted.free)
        show.submitted(len(busy))

    looked = time.monotonic()
    while (waiting or running) and not stopping.is_set():
        submit()
        wait([*running, *busy], timeout=0.5, return_when=FIRST_COMPLETED)
        done = []
        for future in [future for future in running if future.done()]:
            each, attempt = running.pop(future)
            outcome = machine.result(future, each.job)
            if stopping.is_set() and outcome.status == "skipped":
                continue
            if outcome.again and attempt <= retries:
                reason = (outcome.failure or {}).get("message", "")
                show.again(each, f"{outcome.status.replace('_', ' ')}, {reason}")
                waiting.append((each, attempt + 1))
                continue
            done.append((each, outcome, attempt))
        submit()  # nobody need wait until what has come is written
        for each, outcome, attempt in done:
            keep(each, outcome, attempt)
        if time.monotonic() - looked > NOW_AND_THEN:
            now_and_then()
            looked = time.monotonic()


def _teller(show: Lines, planned: Planned) -> pool.OnEvent:
    return lambda event: show.event(planned, event)


def machine(
    scheduler: str | None, workers: int, batch: str
) -> contextlib.AbstractContextManager[Machine]:
    """Return this machine, or the cluster that a Dask scheduler stands for.

    Raises:
        CourseError: nobody answers at the scheduler's address.
    """
    if scheduler:
        from course.workers.cluster import cluster

        return cluster(scheduler, batch)
    return this_machine(workers, batch)


@contextlib.contextmanager
def interruptible(stopping: threading.Event) -> Iterator[None]:
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
