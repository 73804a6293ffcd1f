"""A process that does one job after another: a JSON line each way, and events in between.

It ends as soon as whoever started it is gone, and leaves nothing behind.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from course.imports import uncollected
from course.workers.digest import course_digest
from course.workers.jobs import Job, Outcome, failed
from course.workers.room import Tell, occupied, room


def main(scratch: Path, module: str) -> None:
    """Work through the jobs on standard input, with temporary files in ``scratch``.

    ``module`` is what they will need.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a fork's parent ignores

    def tell(event: dict[str, Any]) -> None:
        answers.write(json.dumps(event) + "\n")
        answers.flush()

    jobs: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(jobs, scratch), daemon=True).start()
    with uncollected():
        importlib.import_module(module)
    while True:
        job = Job(**json.loads(jobs.get()))
        tell({"outcome": perform(job, scratch, tell)._asdict()})


def _listen(jobs: queue.SimpleQueue[str], scratch: Path) -> None:
    for line in sys.stdin:
        jobs.put(line)
    occupied.end()
    shutil.rmtree(scratch, ignore_errors=True)
    os._exit(0)


def perform(job: Job, scratch: Path, tell: Tell) -> Outcome:
    """Do a job in a new folder of its own, and leave nothing of it running."""
    if course_digest() != job.course:
        return failed(
            job,
            "start_failed",
            "CourseError",
            "utils, requirements.lock or Python is not as it was when the batch began: start it"
            " again, with the same checkout and Python on every machine.",
            again=True,
        )
    module = importlib.import_module(job.perform)
    try:
        with room(job, scratch, tell) as where:
            outcome: Outcome = module.perform(job, where)
            return outcome
    except Exception as error:  # noqa: BLE001  a job is tried again and the worker lives on
        return failed(job, "start_failed", type(error).__name__, str(error), again=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
