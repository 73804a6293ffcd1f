"""What a folder of grades holds, and how each part of it is written."""

from __future__ import annotations

import csv
import datetime
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode

from course.files import write_whole
from course.grading.cells import clean
from course.grading.feedback import Page, feedback_page
from course.grading.grade import Mark, points_of
from course.grading.gradebook import Entered
from course.statuses import Status
from course.workers.journal import CLASS, Record, read_journal

FOLDERS = ("results",)
FORMULA = tuple("=+-@\t\r\n")  # what a spreadsheet may take for the start of one
MOST_REMARKS = 40
MOST_SAID = 1_000  # letters of a remark or a reason
MOST_TOLD = 4_000  # letters of what a check says, which may show a value that was returned

UNSHOWN = "What the cells of this notebook have put out cannot be shown, and was left out."


class Result(NamedTuple):
    """A submission with what became of it."""

    key: str
    student: str
    assignment: str
    title: str  # of the assignment
    status: Status
    reason: str  # where the status is not ok
    remarks: list[str]  # what was repaired
    handed_in: str | None  # ISO, UTC
    seconds: float  # that grading took
    kernels: int
    isolation: str
    marks: list[Mark]
    notebook: str | None  # as graded, with hidden tests: not for learners
    late: float = 0.0  # seconds after it was due; not kept, because a deadline may be moved

    def handed_in_at(self) -> datetime.datetime | None:
        """Return when it was handed in, UTC, without a zone."""
        return utc(datetime.datetime.fromisoformat(self.handed_in)) if self.handed_in else None

    def node(self) -> NotebookNode | None:
        """Return the graded notebook."""
        return None if self.notebook is None else nbformat.reads(self.notebook, as_version=4)


def fit_to_keep(result: Result) -> Result:
    """Return a result that can be written and read again, with texts that a person may read.

    What the cells have put out is left out where the notebook cannot be read with it.
    """
    remarks = [shortened(each, MOST_SAID) for each in result.remarks[:MOST_REMARKS]]
    if (more := len(result.remarks) - MOST_REMARKS) > 0:
        remarks.append(f"{more:,} more remarks are not shown.")
    short = result._replace(
        reason=shortened(result.reason, MOST_SAID),
        remarks=remarks,
        marks=[_told_shortly(mark) for mark in result.marks],
    )
    kept = _from_json(clean(_as_json(short)))
    try:
        kept.node()
    except Exception:  # noqa: BLE001  such as lists in a thousand lists, in an output
        assert kept.notebook is not None
        notebook = _without_outputs(kept.notebook)
        return kept._replace(notebook=notebook, remarks=[*kept.remarks, UNSHOWN])
    return kept


def _told_shortly(mark: Mark) -> Mark:
    text = {name: shortened(said, MOST_TOLD) for name, said in mark.text.items()}
    return mark._replace(text=text, reason=shortened(mark.reason, MOST_SAID))


def _without_outputs(notebook: str) -> str:
    """Return a graded notebook without outputs but those that hold its points."""
    fields = json.loads(notebook)
    for cell in fields["cells"]:
        if cell["cell_type"] == "code" and cell["metadata"]["tape_to_mlp"]["role"] != "check":
            cell["outputs"] = []
    return json.dumps(fields, ensure_ascii=False)


def shortened(text: str, most: int) -> str:
    """Return the beginning of a text that is longer than ``most`` letters."""
    return text if len(text) <= most else f"{text[:most]} [... {len(text) - most:,} more letters]"


def write_result(out: Path, result: Result) -> None:
    """Write a result where `read_result` finds it."""
    write_whole(_path(out, result.key), _as_json(result))


def read_result(out: Path, key: str) -> Result:
    """Return a result that was written."""
    return _from_json(_path(out, key).read_text(encoding="utf-8"))


def _as_json(result: Result) -> str:
    fields = result._asdict() | {"marks": [mark._asdict() for mark in result.marks]}
    return json.dumps(fields, ensure_ascii=False)


def _from_json(text: str) -> Result:
    fields = json.loads(text)
    return Result(**fields | {"marks": [Mark(**mark) for mark in fields["marks"]]})


def is_written(out: Path, key: str) -> bool:
    """Tell whether there is a result with this key, and whether it is there whole."""
    try:
        read_result(out, key)
    except (OSError, ValueError, TypeError, KeyError):
        return False
    return True


def _path(out: Path, key: str) -> Path:
    return out / "results" / f"{key}.json"


def latest_records(out: Path) -> dict[str, Record]:
    """Return the last record of each result in the journal whose file is there, by key."""
    records = {record["key"]: record for record in read_journal(out, CLASS)}
    return {key: record for key, record in records.items() if is_written(out, key)}


HARMLESS = ("text/plain", "image/png", "image/jpeg")  # forms of an output that run no script
TAG = re.compile(r"<(?=[A-Za-z/!?])")
LINK = r"\](?!\((https?://|attachment:({})\))|:\s*https?://)(?=[(:])"  # to what may be a script
PICTURE = re.compile(r"[\w.-]+", re.ASCII)  # names that nbconvert finds again


def write_graded_notebook(out: Path, result: Result) -> None:
    """Write the notebook where nbgrader's formgrader looks for it.

    The formgrader shows HTML and links as they are, with the rights of whoever grades: those of a
    learner are left out, or show as text.
    """
    if (notebook := result.node()) is None:
        return
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [kept for each in cell.outputs if (kept := _without_scripts(each))]
        elif cell.metadata.get("tape_to_mlp", {}).get("role") != "instructor":
            cell.source = _as_text(cell)
    folder = out / "autograded" / result.student / result.assignment
    write_whole(folder / f"{result.assignment}.ipynb", nbformat.writes(notebook))


def _as_text(cell: NotebookNode) -> str:
    """Return a cell's Markdown without HTML, and with links to web pages and its pictures alone."""
    names = [name for name in cell.get("attachments", {}) if PICTURE.fullmatch(name)]
    pictures = "|".join(map(re.escape, names)) or "(?!)"
    return re.sub(LINK.format(pictures), "] ", TAG.sub("< ", cell.source))


def _without_scripts(output: NotebookNode) -> NotebookNode | None:
    """Return an output in its harmless forms, None if it has none."""
    if "data" in output:
        kept = {kind: output.data[kind] for kind in HARMLESS if kind in output.data}
        output.data, output.metadata = NotebookNode(kept), NotebookNode()
    return output if output.get("data", True) else None


def feedback_path(out: Path, student: str, assignment: str) -> Path:
    """Return where a submission's feedback is."""
    return out / "feedback" / student / (assignment or "unknown") / "feedback.html"


def write_feedback(out: Path, result: Result, entered: Mapping[str, Entered]) -> None:
    """Write a submission's page, unless it is there already as it should be.

    Where the notebook cannot be shown, the page has the points and what is said of them.
    """
    try:
        page = feedback_page(_about(result, entered))
    except Exception:  # noqa: BLE001  whatever a notebook holds, the others get their pages
        bare = result._replace(notebook=None, remarks=[*result.remarks, UNSHOWN])
        page = feedback_page(_about(bare, entered))
    path = feedback_path(out, result.student, result.assignment)
    if not path.is_file() or path.read_text(encoding="utf-8") != page:
        write_whole(path, page)


def _about(result: Result, entered: Mapping[str, Entered]) -> Page:
    return Page(
        result.student,
        result.title or result.assignment,
        result.remarks,
        {mark.problem: mark for mark in result.marks},
        result.node(),
        {name: (each.points, each.comment) for name, each in entered.items()},
        result.reason if not result.marks else "",
        lateness(result.late),
    )


def keep_history(out: Path, earlier: Record) -> None:
    """Put the page of an earlier submission away before another takes its place."""
    path = feedback_path(out, earlier["student"], earlier["assignment"])
    if path.is_file():
        folder = out / "history" / earlier["student"] / earlier["assignment"]
        folder.mkdir(parents=True, exist_ok=True)
        path.replace(folder / f"{earlier['ended'].replace(':', '')}-{earlier['key'][-8:]}.html")


def lateness(seconds: float) -> str:
    """Say how late something was handed in; nothing where it was not."""
    if seconds <= 0:
        return ""
    hours = seconds / 3600
    much = f"{seconds / 60:.0f} minutes" if hours < 2 else f"{hours:.0f} hours"
    return f"Late: handed in {much if hours < 48 else f'{hours / 24:.0f} days'} after it was due"


class Row(NamedTuple):
    """A line of grades.csv."""

    student: str
    assignment: str
    problem: str
    points: float | None  # None: nobody has given any yet
    maximum: float
    status: Status
    reason: str
    late_seconds: float


def rows(
    results: Iterable[Result],
    entered: Mapping[tuple[str, str], Mapping[str, Entered]],
    maxima: Mapping[str, Mapping[str, float]],
) -> Iterator[Row]:
    """Yield a line for each problem of each submission, a person's points where there are some.

    Args:
        entered: what the gradebook holds, by student and assignment, then by cell.
        maxima: the points of each graded cell, by assignment.
    """
    for result in results:
        marks = {mark.problem: mark for mark in result.marks}
        book = entered.get((result.student, result.assignment), {})
        for cell, maximum in maxima.get(result.assignment, {"": 0.0}).items():
            problem = cell.partition("-")[2].replace("-", ".")
            mark = marks.get(problem)
            points = None if mark is None else mark.points
            given = book.get(cell)  # of an earlier submission, where this one is unreadable
            if given is not None and (given.by_a_person or result.status != "unreadable"):
                points = points if given.points is None else given.points
            status, reason = result.status, result.reason
            if mark is not None:
                status, reason = mark.status, mark.reason
            elif result.status == "ok" and points is None:
                reason = "not read by a person yet"
            elif result.status != "ok":
                points = None if points is None else points
            yield Row(
                result.student,
                result.assignment,
                problem,
                points,
                maximum,
                status,
                reason,
                max(0.0, result.late),
            )


def write_grades(out: Path, lines: Iterable[Row]) -> None:
    """Write grades.csv, in UTF-8 with the mark by which spreadsheets know it."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(Row._fields)
    for row in lines:
        values = row._asdict() | {"points": "" if row.points is None else f"{row.points:g}"}
        values |= {"maximum": f"{row.maximum:g}", "late_seconds": f"{row.late_seconds:.0f}"}
        values |= {"student": no_formula(row.student), "reason": no_formula(row.reason)}
        table.writerow(values.values())
    write_whole(out / "grades.csv", "\ufeff" + text.getvalue())


def no_formula(text: str) -> str:
    """Return a text that no spreadsheet computes, with the apostrophe that OWASP recommends."""
    return f"'{text}" if text.startswith(FORMULA) else text


def maxima_of(notebook: NotebookNode) -> dict[str, float]:
    """Return the points of each graded cell of an assignment."""
    return {
        cell.metadata.nbgrader["grade_id"]: points_of(cell)
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    }


def utc(moment: datetime.datetime | None) -> datetime.datetime | None:
    """Return a moment without a zone, as nbgrader's database has it: UTC."""
    if moment is None or moment.tzinfo is None:
        return moment
    return moment.astimezone(datetime.UTC).replace(tzinfo=None)
