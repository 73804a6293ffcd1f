"""Where jobs run: in worker processes here, or on a cluster."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

from course.workers import pool
from course.workers.jobs import Job, Outcome
from course.workers.processes import share_of_processors


class Submitted(NamedTuple):
    """A job that a machine has taken on."""

    outcome: Future[Outcome]
    free: Future[Any]  # done when the next job may begin, before the outcome is there if need be


class Machine(NamedTuple):
    """What the driver asks of either."""

    submit: Callable[[Job, pool.OnEvent], Submitted]
    result: Callable[[Future[Outcome], Job], Outcome]
    capacity: Callable[[], int]  # how many runs may go on at once


@contextlib.contextmanager
def this_machine(workers: int, batch: str) -> Iterator[Machine]:
    """Run so many jobs at once; at the end nothing of the batch is left running.

    While the notebook of one has been run and is being put away, the next one begins. Each has
    its share of the processors, so that none waits while two meet on one.
    """
    shares: queue.SimpleQueue[list[int]] = queue.SimpleQueue()
    for each in range(workers):
        shares.put(share_of_processors(each, workers))
    with ThreadPoolExecutor(2 * workers) as executor:

        def submit(job: Job, tell: pool.OnEvent) -> Submitted:
            share = shares.get()
            free: Future[None] = Future()
            free.add_done_callback(lambda _: shares.put(share))

            def hear(event: dict[str, Any]) -> None:
                if "run" in event:
                    free.set_result(None)
                else:
                    tell(event)

            outcome = executor.submit(pool.run_job, job._replace(processors=share), hear)
            outcome.add_done_callback(lambda _: free.cancel())
            return Submitted(outcome, free)

        try:
            yield Machine(
                submit,
                lambda future, _: future.result(),
                lambda: workers,
            )
        finally:
            pool.stop(batch)
