"""Where jobs run: in worker processes here, or on a cluster."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from course.workers import pool
from course.workers.jobs import Job, Outcome


class Machine(NamedTuple):
    """What the driver asks of either."""

    submit: Callable[[Job, pool.OnEvent], Future[Outcome]]
    result: Callable[[Future[Outcome], Job], Outcome]
    capacity: Callable[[], int]  # how many runs may go on at once


@contextlib.contextmanager
def this_machine(workers: int, batch: str) -> Iterator[Machine]:
    """Run so many jobs at once; at the end nothing of the batch is left running."""
    with ThreadPoolExecutor(workers) as executor:
        try:
            yield Machine(
                lambda job, tell: executor.submit(pool.run_job, job, tell),
                lambda future, _: future.result(),
                lambda: workers,
            )
        finally:
            pool.stop(batch)
