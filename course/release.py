"""Cuts the exercises from the solutions, and refuses to when a problem is not fit to hand out."""

from __future__ import annotations

import ast
import hashlib
import json
import logging
import re
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.warnings import DuplicateCellId
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)
from traitlets.config.loader import Config, PyFileConfigLoader

from course.catalog import ROOT, Lesson, find_assignments, lessons
from course.execution import execute
from course.files import write_whole
from course.notebooks import UNREADABLE, read_notebook
from course.statuses import Result
from utils.checks import MIME_TYPE
from utils.errors import CourseError
from utils.problems import problem as problem_module
from utils.problems.answers import quietly
from utils.problems.problem import ASSIGNMENTS, Problem, problems_of

CUTS = (
    LockCells,
    ClearSolutions,
    ClearOutput,
    CheckCellMetadata,
    ComputeChecksums,
    ClearHiddenTests,
    ClearMarkScheme,
    ComputeChecksums,
    CheckCellMetadata,
)
"""nbgrader's own steps from a solution to what it hands out, without those of its database."""

_quiet = logging.getLogger("course.release")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False  # what nbgrader logs here is said as a fault

REGION = re.compile(r"### BEGIN (SOLUTION|HIDDEN TESTS)\n(.*?)\n[ \t]*### END \1", re.DOTALL)
TELLING = 16  # characters: a shorter line of a solution gives nothing away


def release(names: Sequence[str] = (), root: Path = ROOT, *, check: bool = False) -> bool:
    """Write ``exercises/NAME/NAME.ipynb`` for each assignment ``names``, or for all.

    Files that would stay the same are not touched, and nothing else in the folder is. With
    ``check`` nothing is written; an exercise that would change counts as a fault.

    Returns:
        Whether every assignment is fit and, with ``check``, its exercise is up to date.

    Raises:
        CourseError: when there is no such assignment, or an exercise cannot be written.
    """
    fit = True
    for assignment in find_assignments(names, root):
        faults = list(faults_of(assignment))
        note = "fit to hand out"
        if not faults:
            text = nbformat.writes(cut(assignment)) + "\n"
            target = root / "exercises" / assignment.name / f"{assignment.name}.ipynb"
            fresh = target.is_file() and target.read_text(encoding="utf-8") == text
            if fresh:
                note = "up to date"
            elif check:
                faults = [
                    f"the exercise is not what its solution and problems make now: run"
                    f" `course release {assignment.name}`, and make changes in"
                    f" solutions/ and utils/problems/ only"
                ]
            else:
                _write(target, text)
                note = "written"
        print(f"{'✗' if faults else '✓'} {assignment.name}: {'not released' if faults else note}")
        for fault in faults:
            print(f"    {fault}.")
        fit = fit and not faults
    return fit


def cut(assignment: Lesson, *, checked: bool = True) -> NotebookNode:
    """Return the exercise that nbgrader's preprocessors make of a solution.

    Its metadata holds a digest of what it was made from: solution, hints, messages, checks. Unless
    it is ``checked`` that every cell's own metadata is nbgrader's, it takes a quarter of the time.
    """
    node = _cut(_read(assignment.path), _config(), checked)
    node.metadata["tape_to_mlp"] = {"made_from": _digest(assignment)}
    return node


def faults_of(assignment: Lesson) -> Iterator[str]:
    """Say what makes an assignment unfit, one clause for each fault; cells are run last."""
    try:
        node = _read(assignment.path)
    except UNREADABLE as error:
        yield f"the solution cannot be read ({str(error).splitlines()[0]})"
        return
    with quietly():  # TensorFlow's log, while the problems import it
        problems = problems_of(str(int(assignment.name[:2])))
    faults = [
        *_repeated_ids(assignment.path),
        *_faults_of_cells(node, problems),
        *_faults_of_problems(assignment, problems),
    ]
    try:
        exercise = cut(assignment)
    except (ValueError, RuntimeError, nbformat.ValidationError) as error:
        faults.append(f"nbgrader cannot cut it ({str(error).splitlines()[0]})")
    else:
        faults += _leaks(node, exercise)
    yield from faults
    if not faults:
        yield from _faults_when_run(assignment, exercise, problems)


def text_stub() -> str:
    """Return what stands in a written answer's cell before the learner writes."""
    return str(_config().ClearSolutions.text_stub)


def verdicts(notebook: NotebookNode) -> dict[str, dict[str, Any]]:
    """Return what the checks of an executed notebook said, by problem."""
    found = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            verdict = output.get("data", {}).get(MIME_TYPE)
            if verdict:
                found[verdict["problem"]] = verdict
    return found


def _read(path: Path) -> NotebookNode:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DuplicateCellId)  # a fault of its own
        return read_notebook(path)


def _config() -> Config:
    return PyFileConfigLoader("nbgrader_config.py", path=str(ROOT)).load_config()


def _cut(node: NotebookNode, config: Config, checked: bool) -> NotebookNode:
    for step in CUTS:
        if step is CheckCellMetadata and not checked:
            continue
        preprocessor = step(config=config)
        preprocessor.log = _quiet
        node, _ = preprocessor.preprocess(node, {})
    return node


def _digest(assignment: Lesson) -> str:
    """Return the SHA-256 of the solution's content and of the modules behind its checks."""
    package = Path(problem_module.__file__).parent
    names = [*(name for name in package.glob("*.py") if name.stem not in ASSIGNMENTS.values())]
    names += [package / f"{ASSIGNMENTS[str(int(assignment.name[:2]))]}.py"]
    digest = hashlib.sha256()
    for cell in _read(assignment.path).cells:
        digest.update(json.dumps([cell.id, cell.source, cell.metadata], sort_keys=True).encode())
    for path in sorted(names):
        digest.update(path.read_text(encoding="utf-8").encode())
    return digest.hexdigest()


def _repeated_ids(path: Path) -> Iterator[str]:
    """Look at the file itself, since nbformat gives a repeated id a new value as it reads."""
    ids = [cell.get("id") for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    for repeated in (each for each, count in Counter(ids).items() if count > 1):
        yield f"{ids.count(repeated)} cells have the id {repeated!r}"


def _faults_of_cells(node: NotebookNode, problems: dict[str, Problem]) -> Iterator[str]:
    kinds = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in node.cells}
    grade_ids = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in node.cells]
    for repeated in (each for each, count in Counter(grade_ids).items() if count > 1):
        yield f"{grade_ids.count(repeated)} cells have the grade_id {repeated!r}"
    for cell in node.cells:
        if cell.get("attachments"):
            yield f"cell {cell.id} has attachments, which would be handed out"
        if cell.metadata.get("nbgrader", {}).get("schema_version") != 3:
            yield f"cell {cell.id} lacks nbgrader's metadata of version 3"
    for number, problem in problems.items():
        place = number.replace(".", "-")
        missing = [
            f"{kind}-{place}"
            for kind in ("problem", "answer", "check")
            if not any(str(each).startswith(f"{kind}-{place}") for each in kinds)
        ]
        for name in missing:
            yield f"problem {number} has no cell {name}"
        if missing:
            continue
        prose, graded = kinds.get(f"problem-{place}"), kinds.get(f"check-{place}")
        if prose is None or graded is None:
            yield f"problem {number}: cells problem-{place} and check-{place} are needed"
            continue
        facts = facts_line(problem)
        if facts not in prose.source:
            yield f"cell problem-{place} does not say “{facts}”"
        if not prose.source.startswith(f"## {number} "):
            yield f"cell problem-{place} does not begin with “## {number} ” and a title"
        if graded.metadata.nbgrader.get("points") != problem.points:
            yield f"cell check-{place} is not worth the {problem.points} points of its problem"
        if problem.cases and "### BEGIN HIDDEN TESTS" not in graded.source:
            yield f"cell check-{place} has no hidden test"
        if not _ends_in_check(graded.source, number):
            yield f"cell check-{place} does not end in check({number!r}, ...)"
    lesson = next(iter(problems), "?").partition(".")[0]
    checks = [str(each) for each in kinds if str(each).startswith("check-")]
    for name in checks:
        if name.removeprefix("check-").replace("-", ".") not in problems:
            yield f"cell {name} checks a problem that utils/problems does not have"
    written = [cell for name, cell in kinds.items() if str(name).startswith("written-")]
    if not any(cell.metadata.nbgrader.get("grade") for cell in written):
        yield f"assignment {lesson} has no written question"


def _faults_of_problems(assignment: Lesson, problems: dict[str, Problem]) -> Iterator[str]:
    lesson = next((each for each in lessons() if each.name == assignment.name), None)
    if lesson is None:
        yield f"there is no lesson {assignment.name}"
        return
    prose = [c.source for c in nbformat.read(lesson.path, 4).cells if c.cell_type == "markdown"]
    headings = set(re.findall(r"^##+ +(.+?) *$", "\n\n".join(prose), re.MULTILINE))
    objectives = set(re.findall(r"^(\d+)\. ", prose[0], re.MULTILINE))
    for number, problem in problems.items():
        if not 2 <= len(problem.hints) <= 3:
            yield f"problem {number} has {len(problem.hints)} hints, and two or three are needed"
        for text in (*problem.hints, problem.remark):
            if not text.en.strip() or not re.search("[가-힣]", text.ko):
                yield f"problem {number} lacks a hint or its remark in one of the languages"
        if problem.points <= 0:
            yield f"problem {number} is worth no points"
        if str(problem.objective) not in objectives:
            yield f"problem {number}: its lesson has no objective {problem.objective}"
        if re.sub(r"[`*$]", "", problem.section) not in {re.sub(r"[`*$]", "", h) for h in headings}:
            yield f"problem {number} points to a section that its lesson does not have"


def _leaks(solution: NotebookNode, exercise: NotebookNode) -> Iterator[str]:
    """Name each line of a solution or a hidden test that is anywhere in the exercise."""
    handed_out = exercise.copy()
    handed_out.metadata = {}
    text = "\n".join(_strings(handed_out))
    given = REGION.sub("", "\n".join(cell.source for cell in solution.cells))
    for cell in solution.cells:
        for region in REGION.finditer(cell.source):
            excused = given if region[1] == "SOLUTION" else ""
            for line in map(str.strip, region[2].splitlines()):
                if len(line) >= TELLING and line in text and line not in excused:
                    yield f"a line from {region[1].lower()} of cell {cell.id} is left: {line!r}"
    for cell in exercise.cells:
        if "BEGIN SOLUTION" in cell.source or "HIDDEN TESTS" in cell.source:
            yield f"cell {cell.id} still has a marker of a solution or a hidden test"
        if cell.get("outputs"):
            yield f"cell {cell.id} still has outputs"


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _faults_when_run(
    assignment: Lesson, exercise: NotebookNode, problems: dict[str, Problem]
) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        solved = Path(folder, "solution", f"{assignment.name}.ipynb")
        blank = Path(folder, "blank", f"{assignment.name}.ipynb")
        for path in (solved, blank):
            path.parent.mkdir()
        solved.write_bytes(assignment.path.read_bytes())
        nbformat.write(exercise, blank)
        yield from _faults_of_run("the solution", solved, problems, "right")
        yield from _faults_of_run("the blank exercise", blank, problems, "not attempted")


def _faults_of_run(what: str, notebook: Path, problems: Iterable[str], state: str) -> Iterator[str]:
    ran: Result = execute(notebook, notebook.with_name("executed.ipynb"))
    if ran.failure:
        where = f"cell {ran.failure.cell_id}: {ran.failure.error}: {ran.failure.message}"
        yield f"{what} does not run to its end ({ran.status}, {where.splitlines()[0]})"
        return
    assert ran.output is not None
    executed = nbformat.read(ran.output, as_version=4)
    said = verdicts(executed)
    for number in problems:
        verdict = said.get(number)
        if verdict is None:
            yield f"{what} has no verdict on problem {number}"
        elif verdict["state"] != state:
            yield f"{what}: problem {number} is {verdict['state']}, not {state} ({verdict['text']})"
        elif verdict["points"] != (verdict["of"] if state == "right" else 0):
            yield f"{what}: problem {number} earns {verdict['points']} of {verdict['of']} points"
    for cell in executed.cells:
        graded = cell.metadata.get("nbgrader", {}).get("grade")
        if graded and any(each.get("name") == "stderr" for each in cell.get("outputs", [])):
            yield f"{what}: cell {cell.id} writes to standard error, for which nbgrader gives 0"


def facts_line(problem: Problem) -> str:
    """Return the line below a problem's title: ``*Objective 3 · ●●○ · 4 points*``."""
    dots = "●" * problem.difficulty + "○" * (3 - problem.difficulty)
    return f"*Objective {problem.objective} · {dots} · {problem.points} points*"


def _ends_in_check(source: str, number: str) -> bool:
    try:
        last = ast.parse(source).body[-1]
    except (SyntaxError, IndexError):
        return False
    call = last.value if isinstance(last, ast.Expr) else None
    return (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "check"
        and bool(call.args)
        and isinstance(call.args[0], ast.Constant)
        and call.args[0].value == number
    )


def _write(path: Path, text: str) -> None:
    try:
        write_whole(path, text)
    except OSError as error:
        raise CourseError(f"{path} cannot be written: {error.strerror or error}.") from error
