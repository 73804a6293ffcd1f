"""What a worker is told and what it answers; both go through pipes and networks as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from course.statuses import Status


class Job(NamedTuple):
    """One thing to do, complete: nothing else is read from the machine that planned it."""

    key: str
    name: str  # for a person
    perform: str  # the module whose function ``perform`` does it
    given: dict[str, Any]  # what that function is told
    timeout: float  # seconds
    memory: int | None  # bytes of the kernel and what it started; None leaves it to the machine
    threads: int | None  # of TensorFlow and BLAS; None leaves it to the machine
    course: str  # digest of `utils` and the locked versions
    batch: str  # a name for all jobs that belong together
    processors: Sequence[int] = ()  # that its kernel runs on; all if empty


class Outcome(NamedTuple):
    """What became of a job."""

    status: Status
    seconds: float
    failure: dict[str, Any] | None  # the fields of statuses.Failure, and `last_lines`
    again: bool  # whether the failure was the machine's and not the notebook's
    result: dict[str, Any]  # what the job gives, by the kind of job


def failed(job: Job, status: Status, error: str, message: str, *, again: bool) -> Outcome:
    """Return the outcome of a job that gave nothing."""
    failure = {
        "lesson": job.name,
        "section": "",
        "cell_id": "",
        "cell_index": -1,
        "source": "",
        "error": error,
        "message": message,
        "traceback": "",
        "last_lines": "",
    }
    return Outcome(status, 0.0, failure, again, {})
