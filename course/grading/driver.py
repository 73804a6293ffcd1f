"""Grades a class, from the folder of its submissions to grades, gradebook and feedback."""

from __future__ import annotations

import base64
import contextlib
import datetime
import hashlib
import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode

from course.catalog import Lesson, find_assignments
from course.grading import gradebook
from course.grading.cells import Unreadable, read_cells
from course.grading.class_page import write_class_page
from course.grading.exercise import Exercise, exercise_of
from course.grading.grade import Mark
from course.grading.gradebook import Entered, GradebookError
from course.grading.job import demanded
from course.grading.repair import repaired
from course.grading.results import (
    FOLDERS,
    Result,
    fit_to_keep,
    keep_history,
    latest_records,
    maxima_of,
    read_result,
    rows,
    write_feedback,
    write_graded_notebook,
    write_grades,
    write_result,
)
from course.grading.submissions import (
    Submission,
    find_submissions,
    read_whole,
    said_of,
    shown,
)
from course.kernels.provisioner import Kind
from course.workers import pool
from course.workers.digest import course_digest
from course.workers.driving import interruptible, machine, work_through
from course.workers.jobs import Job, Outcome
from course.workers.journal import CLASS, Record, append, held, not_writable
from course.workers.processes import processors
from course.workers.progress import watching
from utils.errors import CourseError

RETRIES = 2  # of a submission whose kernel did not start or whose worker died
TIMEOUT = 900.0  # seconds a submission
MEMORY = 4 * 2**30  # bytes a process of a learner's
CELL_LIMIT = 60.0  # seconds a cell


class Options(NamedTuple):
    """How a class is graded."""

    out: Path
    workers: int | None = None
    scheduler: str | None = None
    students: tuple[str, ...] = ()
    assignments: tuple[str, ...] = ()
    due: Mapping[str, datetime.datetime] = {}  # UTC, by assignment
    gradebook: str | None = None  # an address of SQLAlchemy's
    require_isolation: str | None = None  # the level below which nothing is run
    timeout: float = TIMEOUT
    cell_limit: float = CELL_LIMIT
    memory: int | None = None
    kernel: Kind = "warm"


class Planned(NamedTuple):
    """A submission with everything that grading it needs."""

    submission: Submission
    title: str
    remarks: list[str]
    job: Job

    @property
    def key(self) -> str:
        """What names the result."""
        return self.job.key

    def __str__(self) -> str:
        return f"{self.submission.student}  {self.submission.assignment}"


class _Course(NamedTuple):
    """The assignments."""

    lessons: dict[str, Lesson]
    exercises: dict[str, Exercise]
    solutions: dict[str, NotebookNode]
    digests: dict[str, str]


def grade_class(folder: Path, options: Options, command: str) -> bool:
    """Grade what has been handed in and has not been graded, and write the pages about all of it.

    Args:
        folder: SUBMITTED, with a folder for each student and in it one for each assignment.
        command: what the user typed, for the advice how to continue.

    Returns:
        Whether every submission has its feedback.

    Raises:
        CourseError: something is not there, or the folder or the gradebook cannot be used.
        KeyboardInterrupt: after an interruption, when everything has been put away.
    """
    if Path(os.path.realpath(options.out)).is_relative_to(os.path.realpath(folder)):
        raise CourseError(
            f"{options.out} lies in {folder}, where it would be taken for a student's folder: name"
            " another with --out."
        )
    submissions = find_submissions(folder, options.students, options.assignments)
    if not any(each.student for each in submissions):
        raise CourseError(
            f"There is no submission in {folder}: it should hold a folder for each student, and in"
            " it one for each assignment."
        )
    if not options.scheduler:
        print(demanded(options.require_isolation).sentence, flush=True)
    db_url = options.gradebook or gradebook.address(options.out)
    course = _course()
    with held(options.out, CLASS, FOLDERS):
        try:
            gradebook.prepare_folder(options.out, db_url, folder)
            return _grade(submissions, options, command, db_url, course)
        except OSError as error:
            raise not_writable(options.out, error) from None


def _grade(
    submissions: Sequence[Submission], options: Options, command: str, db_url: str, course: _Course
) -> bool:
    gradebook.reach(db_url)
    records = latest_records(options.out)
    stopping = threading.Event()
    todo, current = [], []
    for each in _planned(submissions, options, course):
        current.append(each.key)
        done = records.get(each.key)
        if done is None or done["status"] == "start_failed":
            if isinstance(each, Planned):
                todo.append(each)
            else:
                _keep(options.out, each, records)
    before = len(current) - len(todo)
    some = f"{len(current)} submission{'s' * (len(current) != 1)}"
    print(f"{some}, {before} done: {len(todo)} to grade.", flush=True)
    graded: SimpleQueue[str | None] = SimpleQueue()
    with ThreadPoolExecutor(1) as beside:
        book = beside.submit(
            _keep_gradebook, options, db_url, course, iter(graded.get, None), records
        )
        try:
            if todo:
                with interruptible(stopping):
                    _run(todo, records, options, stopping, graded.put)
        finally:
            graded.put(None)
    here = [key for key in current if key in records]
    due, entered, trouble = options.due, {}, None
    try:
        due = book.result()
        entered = _enter_missing(options.out, here, records, db_url)
    except GradebookError as error:
        trouble = error
    _write_pages(options.out, here, due, entered, course)
    print(f"{_counts(here, current, records)} -> {options.out / 'index.html'}")
    if trouble:
        raise trouble
    if stopping.is_set():
        left = len(current) - len(here)
        print(f"Stopped with {left} of {len(current)} to go. To continue:\n  {command}")
        raise KeyboardInterrupt
    return all(
        records.get(k, {"status": "start_failed"})["status"] != "start_failed" for k in current
    )


def _course() -> _Course:
    lessons = {each.name: each for each in find_assignments(())}
    solutions = {name: nbformat.read(each.path, as_version=4) for name, each in lessons.items()}
    return _Course(
        lessons,
        {name: exercise_of(each) for name, each in lessons.items()},
        solutions,
        {name: _digest(nbformat.writes(node)) for name, node in solutions.items()},
    )


def _keep_gradebook(
    options: Options,
    db_url: str,
    course: _Course,
    graded: Iterable[str],
    records: dict[str, Record],
) -> Mapping[str, datetime.datetime]:
    """Have the gradebook know the assignments and what is graded, as it comes; return due dates."""
    gradebook.make(db_url)
    for name, solution in course.solutions.items():
        gradebook.enter_assignment(db_url, name, solution, options.due.get(name))
    due = gradebook.due_dates(db_url)
    with contextlib.suppress(GradebookError):  # what is missing is tried again at the end
        _enter(options.out, graded, records, db_url)
    return due


def _planned(
    submissions: Sequence[Submission],
    options: Options,
    course: _Course,
) -> Iterator[Planned | Result]:
    """Yield each submission ready to be graded, or as the result that it cannot be."""
    batch, digest = uuid.uuid4().hex, course_digest()
    workers = options.workers or processors()
    threads, memory = (None, None) if options.scheduler else pool.shares(workers)
    for each in submissions:
        lesson = course.lessons.get(each.assignment)
        title = lesson.title if lesson else each.assignment
        try:
            if each.notebook is None:
                raise Unreadable(each.reason)
            data = read_whole(each.notebook)
            made = repaired(read_cells(data), course.exercises[each.assignment])
            files, unread = _files(each)
        except Exception as error:  # noqa: BLE001  one submission must not stop the class
            reason = said_of(error)
            key = _key(each, each.reason, reason)
            yield _not_graded(each, key, title, reason)
            continue
        given = {
            "notebook": nbformat.writes(made.notebook),
            "tests": _by_id(made.notebook, made.checks),
            "files": files,
            "cell_limit": options.cell_limit,
            "limits": {"memory": options.memory or MEMORY},
            "require_isolation": options.require_isolation,
        }
        key = _key(each, digest, course.digests[each.assignment], json.dumps(given))
        job = Job(
            key=key,
            name=f"{each.student}, {each.assignment}",
            perform="course.grading.job",
            given=given | {"kernel": options.kernel},
            timeout=options.timeout,
            memory=memory,
            threads=threads,
            course=digest,
            batch=batch,
        )
        yield Planned(each, title, [*each.remarks, *unread, *made.remarks], job)


def _by_id(notebook: NotebookNode, checks: Mapping[str, str]) -> dict[str, str]:
    """Return the sources of checks by the ids of their cells."""
    return {
        cell.id: checks[name]
        for cell in notebook.cells
        if (name := cell.metadata.get("nbgrader", {}).get("grade_id")) in checks
    }


def _files(submission: Submission) -> tuple[dict[str, str], list[str]]:
    """Return the files that go along, as base64, and what is said of those that cannot be read."""
    assert submission.notebook is not None
    files, said = {}, []
    for path in submission.helpers:
        name = path.relative_to(submission.notebook.parent).as_posix()
        try:
            files[name] = base64.b64encode(read_whole(path)).decode()
        except CourseError as error:
            said.append(f"{error} It was left out.")
    return files, said


def _key(submission: Submission, *parts: str) -> str:
    digest = _digest(submission.student, submission.assignment, *parts)
    return f"{submission.assignment or 'unknown'}-{digest}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()[:16]


def _run(
    todo: Sequence[Planned],
    records: dict[str, Record],
    options: Options,
    stopping: threading.Event,
    on_graded: Callable[[str], None],
) -> None:
    width = min(60, max(len(str(each)) for each in todo))
    workers = options.workers or processors()
    with (
        machine(options.scheduler, workers, todo[0].job.batch) as where,
        watching(len(todo), width) as show,
    ):

        def keep(each: Planned, outcome: Outcome, attempts: int) -> None:
            result = _result_of(each, outcome)
            record = _keep(options.out, result, records)
            if result.status != "start_failed":
                on_graded(each.key)
            show.finish(each, record, f"{record['points']:g} of {record['of']:g}", result.reason)

        work_through(todo, where, RETRIES, stopping, show, keep)


def _result_of(planned: Planned, outcome: Outcome) -> Result:
    try:
        return fit_to_keep(_result(planned, outcome))
    except Exception as error:  # noqa: BLE001  one submission must not stop the class
        return _not_graded(planned.submission, planned.key, planned.title, said_of(error))


def _result(planned: Planned, outcome: Outcome) -> Result:
    submission = planned.submission
    failure = outcome.failure or {}
    return Result(
        key=planned.key,
        student=submission.student,
        assignment=submission.assignment,
        title=planned.title,
        status=outcome.status,
        reason=str(failure.get("message", "")),
        remarks=planned.remarks,
        handed_in=submission.handed_in.isoformat() if submission.handed_in else None,
        seconds=round(outcome.seconds, 2),
        kernels=outcome.result.get("kernels", 0),
        isolation=outcome.result.get("isolation", ""),
        marks=[Mark(**mark) for mark in outcome.result.get("marks", [])],
        notebook=outcome.result.get("notebook"),
    )


def _not_graded(submission: Submission, key: str, title: str, reason: str) -> Result:
    return fit_to_keep(
        Result(
            key=key,
            student=submission.student,
            assignment=submission.assignment,
            title=title or shown(submission.folder.name),
            status="unreadable",
            reason=reason,
            remarks=list(submission.remarks),
            handed_in=submission.handed_in.isoformat() if submission.handed_in else None,
            seconds=0.0,
            kernels=0,
            isolation="",
            marks=[],
            notebook=None,
        )
    )


def _keep(out: Path, result: Result, records: dict[str, Record]) -> Record:
    """Write a result and then its line in the journal; return the line."""
    for earlier in records.values():
        if _place(earlier) == (result.student, result.assignment) and earlier["key"] != result.key:
            keep_history(out, earlier)
    record = {
        "key": result.key,
        "student": result.student,
        "assignment": result.assignment,
        "status": result.status,
        "reason": result.reason,
        "seconds": result.seconds,
        "points": sum(mark.points for mark in result.marks),
        "of": sum(mark.of for mark in result.marks),
        "ended": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "entered": False,
    }
    write_result(out, result)
    append(out, record)
    records[result.key] = record
    write_feedback(out, result, {})
    write_graded_notebook(out, result)
    return record


def _enter_missing(
    out: Path, keys: Sequence[str], records: dict[str, Record], db_url: str
) -> dict[tuple[str, str], dict[str, Entered]]:
    """Enter what the gradebook does not have yet; return what it then has.

    Raises:
        GradebookError: the database cannot be used.
    """
    known = gradebook.everything_entered(db_url)
    missing = [
        key
        for key in keys
        if records[key]["status"] != "start_failed"
        and not (records[key]["entered"] and _place(records[key]) in known)
    ]
    _enter(out, missing, records, db_url)
    return gradebook.everything_entered(db_url) if missing else known


def _enter(out: Path, keys: Iterable[str], records: dict[str, Record], db_url: str) -> None:
    for key in gradebook.enter_grades(db_url, _to_enter(out, keys)):
        records[key] = records[key] | {"entered": True}
        append(out, records[key])


def _place(record: Record) -> tuple[str, str]:
    return record["student"], record["assignment"]


def _to_enter(out: Path, keys: Iterable[str]) -> Iterator[gradebook.Graded]:
    for key in keys:
        result = read_result(out, key)
        if (node := result.node()) is not None:
            moment = result.handed_in_at()
            yield gradebook.Graded(key, result.student, result.assignment, node, moment)


def _write_pages(
    out: Path,
    keys: Sequence[str],
    due: Mapping[str, datetime.datetime],
    entered: Mapping[tuple[str, str], Mapping[str, Entered]],
    course: _Course,
) -> None:
    maxima = {name: maxima_of(node) for name, node in course.solutions.items()}

    def results() -> Iterator[Result]:  # one at a time: a class may be large
        for key in keys:
            result = read_result(out, key)
            deadline, handed_in = due.get(result.assignment), result.handed_in_at()
            if deadline and handed_in:
                result = result._replace(late=(handed_in - deadline).total_seconds())
            yield result

    write_grades(out, rows(results(), entered, maxima))
    for result in results():
        write_feedback(out, result, entered.get((result.student, result.assignment), {}))
    write_class_page(out, results(), entered)


def _counts(keys: Sequence[str], current: Sequence[str], records: Mapping[str, Record]) -> str:
    statuses = [records[key]["status"] for key in keys]
    statuses += ["skipped"] * (len(current) - len(keys))
    counts = [
        f"{statuses.count(status)} {'graded' if status == 'ok' else status.replace('_', ' ')}"
        for status in dict.fromkeys(statuses)
    ]
    return f"{len(statuses)} submission{'s' * (len(statuses) != 1)}: {', '.join(counts)}"
