"""What a run is told and what it answers; both go through pipes and networks as JSON."""

from __future__ import annotations

from typing import Any, NamedTuple

from course.execution import Status


class Job(NamedTuple):
    """A run, complete: nothing else is read from the machine that planned it."""

    key: str
    lesson: str
    title: str
    notebook: str  # the file's text
    folder: str  # where the notebook lies; what else is there, a run finds where it works
    parameters: dict[str, Any]
    timeout: float  # seconds
    memory: int | None  # bytes of the kernel and what it started; None leaves it to the machine
    threads: int | None  # of TensorFlow and BLAS; None leaves it to the machine
    environment: dict[str, str]  # of the kernel, besides
    course: str  # digest of `utils` and the locked versions
    batch: str  # a name for all jobs of one batch


class Outcome(NamedTuple):
    """What became of a job."""

    status: Status
    seconds: float
    metrics: dict[str, Any]
    failure: dict[str, Any] | None  # the fields of execution.Failure, and `last_lines`
    notebook: str | None  # as executed; None when no cell had started
    page: str | None  # the same as HTML
    again: bool  # whether the failure was the machine's and not the lesson's


def failed(job: Job, status: Status, error: str, message: str, *, again: bool) -> Outcome:
    """Return the outcome of a job of which no notebook is left."""
    failure = {
        "lesson": job.lesson,
        "section": "",
        "cell_id": "",
        "cell_index": -1,
        "source": "",
        "error": error,
        "message": message,
        "traceback": "",
        "last_lines": "",
    }
    return Outcome(status, 0.0, {}, failure, None, None, again)
