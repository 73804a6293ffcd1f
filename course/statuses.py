"""What can become of a run, and where and why one stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, NamedTuple

Status = Literal[
    "ok", "cell_error", "timeout", "dead_kernel", "start_failed", "unreadable", "skipped"
]


class Failure(NamedTuple):
    """Where a notebook stopped and why."""

    lesson: str
    section: str  # the nearest heading above the cell
    cell_id: str
    cell_index: int  # among the notebook's own cells, from 0; -1 when none had started
    source: str
    error: str  # the exception's name
    message: str
    traceback: str  # plain text, the learner's frames and the innermost one; may be empty


class Result(NamedTuple):
    """What became of one run."""

    status: Status
    seconds: float
    metrics: dict[str, Any]  # what the notebook gave to utils.metrics.report_metrics
    failure: Failure | None
    output: Path | None  # the executed notebook; None when no cell had started
