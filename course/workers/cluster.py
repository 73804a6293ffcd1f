"""Runs jobs on a Dask cluster, in the same worker processes, which Dask's workers start."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import Future

from course.workers import pool
from course.workers.jobs import Job, Outcome, failed
from course.workers.machine import Machine, Submitted
from utils.errors import CourseError

try:
    from distributed import Client
    from distributed.scheduler import KilledWorker
except ModuleNotFoundError:
    raise CourseError(
        "--scheduler needs Dask: install it with `pip install distributed` here and on every"
        " machine of the cluster."
    ) from None

CONNECT = 10  # seconds to find the scheduler


@contextlib.contextmanager
def cluster(address: str, batch: str) -> Iterator[Machine]:
    """Send jobs to the scheduler at ``address``; Dask repeats those whose worker it lost.

    Raises:
        CourseError: nobody answers there, or the scheduler goes away.
    """
    try:
        client = Client(address, timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise CourseError(f"No Dask scheduler answers at {address}: {reason}") from None
    with client:
        executor = client.get_executor(pure=False)

        def submit(job: Job, tell: pool.OnEvent) -> Submitted:
            future: Future[Outcome] = executor.submit(pool.run_job, job)
            return Submitted(future, future)

        def result(future: Future[Outcome], job: Job) -> Outcome:
            error = None if future.cancelled() else future.exception()
            if isinstance(error, KilledWorker):
                message = "the Dask workers that had this run died, one after the other"
                return failed(job, "dead_kernel", "KilledWorker", message, again=False)
            if error or future.cancelled():
                raise CourseError(
                    f"The scheduler at {address} has lost the runs ({error or 'cancelled'}): the"
                    " same command goes on after those that have finished."
                )
            return future.result()

        try:
            yield Machine(submit, result, lambda: max(1, sum(client.nthreads().values())))
        finally:
            if client.status == "running":
                with contextlib.suppress(OSError, TimeoutError):
                    client.run(pool.stop, batch, on_error="ignore")
