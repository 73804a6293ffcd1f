"""Runs lessons one after the other, shows how they do, and writes the page about them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from course.batch.declared import declared, objection
from course.catalog import Lesson, find_lessons
from course.execution import execute
from course.kernels.provisioner import Kind
from course.notebooks import check_names, parameters_of
from course.progress import show_failure, watching
from course.report import write_report
from course.statuses import Result
from course.updating import refresh_outputs
from course.values import BadValue, NotYaml, compose, value_of
from utils.errors import CourseError
from utils.parameters import shortened


def run_lessons(
    names: Sequence[str],
    parameters: Mapping[str, str],
    out: Path,
    *,
    update: bool = False,
    kernel: Kind = "warm",
) -> bool:
    """Run the lessons called ``names``, or all; write them and ``index.html`` to ``out``.

    Each parameter's value is YAML text. With ``names``, every one of them must have every
    parameter; without, a parameter goes to the lessons that have it. With ``update``, the outputs
    stored in the lessons that ran to their end are refreshed; these runs demand the real data.

    Returns:
        Whether every lesson ran to its end.

    Raises:
        CourseError: for an unknown lesson or parameter, or a folder that cannot be written.
        KeyboardInterrupt: when interrupted; the page is written first, and says what was skipped.
    """
    lessons = find_lessons(names)
    if update and parameters:
        raise CourseError(
            "--update stores what the lessons print with their own parameters: leave out -p."
        )
    for lesson in lessons:
        if (out / lesson.path.name).resolve() == lesson.path.resolve():
            raise CourseError(f"--out {out} would overwrite {lesson.name}: choose another folder.")
        if not _may_be_overwritten(written := out / lesson.path.name):
            raise CourseError(f"--out {out} would overwrite {written}: choose another folder.")
    values = {name: _value(name, text) for name, text in parameters.items()}
    chosen = _chosen(lessons, values, by_name=bool(names))
    skipped = Result("skipped", 0.0, {}, None, None)
    results = dict.fromkeys(lessons, skipped)
    try:
        with watching(lessons) as progress:
            for lesson in lessons:
                progress.start(lesson)
                result = execute(
                    lesson.path,
                    out / lesson.path.name,
                    chosen[lesson],
                    on_cell=progress.cell,
                    environment={"COURSE_DATA": "real"} if update else None,
                    kernel=kernel,
                )
                results[lesson] = result
                note = ""
                if update and result.output and result.status == "ok":
                    changed = refresh_outputs(lesson.path, result.output)
                    note = (
                        f"refreshed: {', '.join(changed)}"
                        if changed
                        else "stored outputs are fresh"
                    )
                progress.finish(lesson, result, note)
    finally:
        page = write_report(results, out)
        for result in results.values():
            if result.failure:
                show_failure(result.failure)
        print(f"{_summary(results)} -> {page}")
    return all(result.status == "ok" for result in results.values())


def _may_be_overwritten(path: Path) -> bool:
    """Tell whether there is no such file, or one that papermill wrote in an earlier run."""
    try:
        return "papermill" in json.loads(path.read_text(encoding="utf-8"))["metadata"]
    except OSError:  # also of a file that is there and cannot be read: its run will tell
        return not path.is_file()
    except (ValueError, LookupError, TypeError, RecursionError):
        return False


def _summary(results: Mapping[Lesson, Result]) -> str:
    statuses = [result.status for result in results.values()]
    counts = [
        f"{statuses.count(status)} {status.replace('_', ' ')}" for status in dict.fromkeys(statuses)
    ]
    return f"{len(statuses)} lesson{'s' * (len(statuses) != 1)}: {', '.join(counts)}"


def _value(name: str, text: str) -> Any:
    """Read a parameter's value as YAML, with 1e-3 as the number it is in Python."""
    option = f"-p {name} {shortened(text)}"
    try:
        node = compose(text)
        return None if node is None else value_of(node)
    except NotYaml as error:
        raise CourseError(f"{option} cannot be read as YAML: {error}.") from None
    except BadValue as error:
        raise CourseError(f"{option} {error}.") from None


def _chosen(
    lessons: Sequence[Lesson], values: Mapping[str, Any], *, by_name: bool
) -> dict[Lesson, dict[str, Any]]:
    """Return the parameters of each lesson; unless ``by_name``, those that it has."""
    known = {lesson: parameters_of(lesson.path) for lesson in lessons}
    if by_name:
        for lesson, names in known.items():
            check_names(values, names, lesson.name)
    else:
        check_names(
            values, sorted({name for names in known.values() for name in names}), "The course"
        )
    for lesson, names in known.items():
        parameters = declared(lesson.path)
        for name, value in values.items():
            if parameters and name in names:
                if sentence := objection(parameters, lesson.name, name, value):
                    raise CourseError(f"{sentence}.")
    return {
        lesson: {name: value for name, value in values.items() if name in names}
        for lesson, names in known.items()
    }
