"""A batch before it runs: its runs with their keys, and what is known of them already."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from course.batch.keys import data_demand, run_key
from course.batch.spec import Run, Spec
from course.kernels.provisioner import Kind
from course.workers.digest import course_digest
from course.workers.jobs import Job
from course.workers.journal import Record
from utils.parameters import shortened


class Planned(NamedTuple):
    """A run with everything it needs."""

    run: Run
    label: dict[str, Any]  # the parameters in which the runs of this batch differ
    job: Job

    @property
    def key(self) -> str:
        """What names the run in the journal and its files."""
        return self.job.key

    def __str__(self) -> str:
        return f"{self.run.lesson.name}  {shortened(in_words(self.label), 200)}".rstrip()


def plan(
    spec: Spec,
    *,
    timeout: float,
    memory: int | None,
    threads: int | None,
    kernel: Kind = "warm",
) -> list[Planned]:
    """Read the notebooks and make a job of each run.

    Args:
        timeout: seconds a run.
        memory: bytes a run; None leaves it to the machine where it runs.
        threads: of TensorFlow and BLAS in each run; None likewise.
        kernel: warm, or fresh; what comes of a run is the same.
    """
    batch, course, demand = uuid.uuid4().hex, course_digest(), data_demand(spec.uses_data)
    paths = {run.lesson.path for run in spec.runs}
    texts = {path: path.read_text(encoding="utf-8", errors="replace") for path in paths}
    differing = _differing(spec.runs)
    planned = []
    for run in spec.runs:
        lesson, text = run.lesson, texts[run.lesson.path]
        job = Job(
            key=run_key(lesson.name, text, run.effective, course, demand),
            name=lesson.name,
            perform="course.batch.lesson_run",
            given={
                "lesson": lesson.name,
                "title": lesson.title,
                "notebook": text,
                "folder": str(lesson.path.resolve().parent),
                "parameters": run.parameters,
                "environment": demand,
                "kernel": kernel,
            },
            timeout=timeout,
            memory=memory,
            threads=threads,
            course=course,
            batch=batch,
        )
        label = {name: run.effective[name] for name in differing if name in run.effective}
        planned.append(Planned(run, label, job))
    return planned


def estimate(planned: Sequence[Planned], records: Mapping[str, Record]) -> float | None:
    """Return the seconds that runs will take one after another, as far as earlier ones tell.

    A run is taken to last as long as those of its lesson that are most like it.
    """
    seconds = [_expected(each, records) for each in planned]
    known = [each for each in seconds if each is not None]
    return sum(known) / len(known) * len(seconds) if known else None


def _expected(planned: Planned, records: Mapping[str, Record]) -> float | None:
    run = planned.run
    earlier = [
        (sum(run.effective.get(k) == v for k, v in record["effective"].items()), record["seconds"])
        for record in records.values()
        if record["lesson"] == run.lesson.name and record["status"] == "ok"
    ]
    if not earlier:
        return None
    most = max(alike for alike, _ in earlier)
    nearest = [seconds for alike, seconds in earlier if alike == most]
    return sum(nearest) / len(nearest)


def _differing(runs: Sequence[Run]) -> list[str]:
    """Return the parameters that do not have one value in all runs, in the order of the file."""
    names = dict.fromkeys(name for run in runs for name in [*run.parameters, *run.effective])
    missing = object()
    return [
        name
        for name in names
        if len({repr(run.effective.get(name, missing)) for run in runs if name in run.effective})
        > 1
    ]


def in_words(parameters: Mapping[str, Any]) -> str:
    """Return parameters as a short text."""
    return ", ".join(
        f"{name} {f'{value:g}' if isinstance(value, float) else value}"
        for name, value in parameters.items()
    )
