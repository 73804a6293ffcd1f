"""Grading one submission, as a worker does it."""

from __future__ import annotations

import base64
import os
import sysconfig
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_output

import utils.problems
from course.catalog import ROOT
from course.grading.grade import Mark, Step, grade, steps_of
from course.grading.judging import JudgeLost
from course.grading.pair import Pair, open_pair
from course.kernels.isolation import Isolation, isolation
from course.kernels.sandbox import Sandbox
from course.kernels.usual import kernel_environment
from course.workers.jobs import Job, Outcome, failed
from course.workers.room import Room, thread_variables
from utils.errors import CourseError

# What of utils.problems a learner's process needs; all else there holds references.
WITHOUT_REFERENCES = (
    "__init__",
    "answers",
    "looking",
    "missing_gradients",
    "problem",
    "text",
    "values",
)
# What stands for these folders in the outputs that a learner reads: the innermost first.
PLACES = {
    **{sysconfig.get_path(name): "site-packages" for name in ("purelib", "platlib")},
    sysconfig.get_path("stdlib"): "python",
    str(ROOT): "course",
}
MOST_OUTPUT = 30_000  # characters of a cell's texts, and ten times as many of its pictures


def perform(job: Job, room: Room) -> Outcome:
    """Grade a submission.

    The job is given ``notebook`` (the text of a repaired one), ``tests`` (the sources of its checks
    by cell id), ``files`` (name -> base64: what lies beside it), ``cell_limit`` (seconds),
    ``kernel`` (warm or fresh), and the sandbox's ``limits`` and ``require_isolation``. It gives
    ``marks``, ``notebook`` (as run, with the points as graded cells' results), ``kernels`` and
    ``isolation``.
    """
    began = time.monotonic()
    demanded(job.given["require_isolation"])
    place = room.folder / "sandbox"
    work = place / "work"
    steps = steps_of(nbformat.reads(job.given["notebook"], as_version=4), job.given["tests"])

    def open_kernel() -> AbstractContextManager[Pair]:
        _set_up(work, job.given["files"])
        return open_pair(
            work,
            job.given["cell_limit"],
            environment=kernel_environment() | room.environment,
            sandbox=_sandbox(place, room.environment, job.given["limits"]),
            kernel=job.given["kernel"],
            on_kernel=room.started,
            judge_environment=kernel_environment() | thread_variables(job.threads),
        )

    try:
        graded = grade(
            steps,
            open_kernel,
            job.timeout,
            on_step=lambda number, name: room.tell({"cell": (number, len(steps), name)}),
        )
    except (JudgeLost, CourseError) as error:
        lost = failed(job, "start_failed", type(error).__name__, str(error), again=True)
        return lost._replace(seconds=time.monotonic() - began)
    notebook = nbformat.v4.new_notebook(
        metadata=nbformat.reads(job.given["notebook"], as_version=4).metadata,
        cells=[
            _kept(step, cell, graded.marks) for step, cell in zip(steps, graded.cells, strict=True)
        ],
    )
    return Outcome(
        "ok",
        time.monotonic() - began,
        None,
        False,
        {
            "marks": [mark._asdict() for mark in graded.marks.values()],
            "notebook": nbformat.writes(notebook),
            "kernels": graded.kernels,
            "isolation": isolation().sentence,
        },
    )


def demanded(level: str | None) -> Isolation:
    """Return how well learners' code is isolated on this machine.

    Raises:
        CourseError: it is less than the level that is demanded.
    """
    found = isolation()
    if level is not None and found.level != level:
        raise CourseError(
            f"--require-isolation {level} is not kept, so nothing was run. {found.sentence}"
        )
    return found


def _sandbox(place: Path, environment: Mapping[str, str], limits: Mapping[str, int]) -> Sandbox:
    """Return what a learner's kernel may see: Python, the course without any reference, no more."""
    problems = Path(utils.problems.__file__).parent
    references = [path for path in problems.glob("*.py") if path.stem not in WITHOUT_REFERENCES]
    readable = [problems.parent, Path(__file__).parents[1]]
    variables = {name: value for name, value in environment.items() if name != "TMPDIR"}
    data = Path(os.environ.get("KERAS_HOME", ""), "datasets")
    if "KERAS_HOME" in os.environ and data.is_dir():
        readable.append(data)
        variables["KERAS_HOME"] = os.environ["KERAS_HOME"]
    return Sandbox(
        str(place),
        readable=[str(path.resolve()) for path in readable],
        hidden=[str(path) for path in (*references, ROOT / "solutions", ROOT / "exercises")],
        variables=variables,
        **limits,
    )


def _set_up(work: Path, files: dict[str, str]) -> None:
    """Write what lies beside the notebook, anew for each kernel."""
    work.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(data))


def _kept(step: Step, cell: NotebookNode, marks: dict[str, Mark]) -> NotebookNode:
    """Return a cell for the graded notebook: outputs cut, points where nbgrader reads them."""
    if step.role == "check":
        mark = marks[step.problem]
        text = {"text/plain": f"{mark.points:g}"}
        said = new_output("execute_result", text, execution_count=1)
        return nbformat.from_dict(dict(cell, source=step.test, outputs=[said], execution_count=1))
    if cell.cell_type == "code":
        room = [MOST_OUTPUT, 10 * MOST_OUTPUT]
        cell.outputs = [kept for each in cell.outputs if (kept := _cut_short(each, room))]
    return cell


def _cut_short(output: NotebookNode, room: list[int]) -> Any:
    if output.output_type == "stream":
        output.text = _without_places(output.text)[: room[0]]
        room[0] -= len(output.text)
        return output if output.text else None
    if output.output_type == "error":
        output.traceback = [_without_places(line)[:2000] for line in output.traceback[-40:]]
        output.evalue = _without_places(output.evalue)[:2000]
        return output
    for kind, value in output.data.items():
        if isinstance(value, str):
            output.data[kind] = _without_places(value)
    size = sum(len(str(value)) for value in output.data.values())
    if size > room[1]:
        return None
    room[1] -= size
    return output


def _without_places(text: str) -> str:
    """Return a text that does not say where this machine has Python and the course."""
    for place, name in PLACES.items():
        text = text.replace(place, name)
    return text
