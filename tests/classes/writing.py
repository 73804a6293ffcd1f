"""Writes the submissions of a class, the same for the same seed."""

from __future__ import annotations

import json
import random
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from course.catalog import ROOT, assignments

from .answers import Written, answers_to, asked_in
from .faults import FAULTS, Fault, Json, Work

DUE = datetime(2026, 3, 31, 14, 59, tzinfo=UTC)  # a minute before midnight in Seoul

Kind = Literal["right", "partial", "wrong", "korean", "late", "blank"]
KINDS: tuple[Kind, ...] = ("right", "partial", "wrong", "partial", "korean", "late", "partial")
BLANK_EVERY = 13  # one in so many hands in the exercise as it was
FAMILIES = ("김", "이", "박", "최", "정", "강", "조", "윤")
GIVEN = ("민준", "서연", "도윤", "하은", "지호", "수아", "예준", "지유", "시우", "채원")
LATIN = ("minjun.kim", "seoyeon-lee", "doyun_park", "h.choi", "jiho2026", "s1234567", "Ana María")
WORDS = (
    "No path leads there, so there is no number that could be meant.",
    "왜냐하면 테이프는 실제로 실행된 연산만 기록하기 때문이에요. 그래서 `None`이 나와요.",
)
NOTES = ("# 이 문제는 어려웠어요.", "# see the lesson, section 2", "# TODO: 다시 확인하기", "")


class Expected(NamedTuple):
    """What has to come out of a submission.

    Attributes:
        points: by problem; empty where there is nothing to be graded.
        diagnoses: what the check of a problem says, as far as that is foreseen.
        said: words, a regular expression, in the remarks or in the reason; or an empty text.
    """

    points: dict[str, float]
    diagnoses: dict[str, str]
    said: str = ""


class HandedIn(NamedTuple):
    """A submission, and what is expected of it.

    Attributes:
        student: the name of the student's folder, composed as NFC.
        kind: a kind of student, or ``fault``.
        problem: where a fault stands in the answer to one problem, that one.
    """

    student: str
    assignment: str
    folder: Path
    kind: str
    expected: Expected
    handed_in: datetime | None = None
    fault: Fault | None = None
    problem: str = ""


def write_class(
    folder: Path,
    students: int = 40,
    seed: int = 1,
    faults: Sequence[str] = (),
    *,
    each: int = 1,
    gradebook: Path | None = None,
    address: tuple[str, int] = ("192.0.2.1", 80),
) -> list[HandedIn]:
    """Write a class's submissions as ``folder/STUDENT/ASSIGNMENT/ASSIGNMENT.ipynb``.

    Args:
        students: who hand in without a fault.
        faults: names of `FAULTS`; each is handed in by one more student, who is called like it.
        each: how many assignments a student hands in, 1 to 6.
        gradebook: the file that attacks read and write.
        address: what an attack connects to.
    """
    chance = random.Random(seed)
    names = [lesson.name for lesson in assignments()]
    handed_in = []
    for number in range(students):
        student = _student(number, chance)
        kind: Kind = "blank" if number % BLANK_EVERY == BLANK_EVERY - 1 else KINDS[number % 7]
        for place in range(each):
            assignment = names[(number + number // len(KINDS) + place) % len(names)]
            handed_in.append(_write_one(folder, student, assignment, kind, chance))
    for number, fault in enumerate(faults):
        assignment = names[number % len(names)]
        handed_in.append(
            write_spoiled(folder, fault, assignment, gradebook=gradebook, address=address)
        )
    return handed_in


def write_spoiled(
    folder: Path,
    fault: str,
    assignment: str,
    *,
    gradebook: Path | None = None,
    address: tuple[str, int] = ("192.0.2.1", 80),
) -> HandedIn:
    """Write one submission with a fault of `FAULTS`, by a student called like the fault."""
    how = FAULTS[fault]
    asked = asked_in(assignment)
    problem = sorted(asked.cells)[2]
    (cell, (name,)), *_ = asked.cells[problem].items()
    answers = _right_answers(assignment)
    if how.about in ("harm", "attack"):
        worthless = [each for each in _answers(assignment, problem, right=False) if not each.points]
        answers[problem] = worthless[0]
    mine = folder / fault / assignment
    work = Work(
        mine,
        assignment,
        _notebook(assignment, answers, WORDS[0]),
        problem,
        cell,
        name,
        folder,
        gradebook or folder.parent / "gradebook.db",
        address,
    )
    how.spoil(work)
    _write(work)
    expected = Expected({}, {}, how.said)
    if how.keeps != "none":
        expected = _expected(assignment, answers)._replace(said=how.said)
    if how.keeps == "but_one":
        expected.points[problem] = 0
        del expected.diagnoses[problem]
    return HandedIn(fault, assignment, mine, "fault", expected, None, how, problem)


def solved(assignment: str) -> Json:
    """Return an exercise's notebook, as JSON, with a right answer to each problem."""
    return _notebook(assignment, _right_answers(assignment), WORDS[0])


def _right_answers(assignment: str) -> dict[str, Written]:
    problems = asked_in(assignment).cells
    return {number: _answers(assignment, number, right=True)[0] for number in problems}


def _write_one(
    folder: Path, student: str, assignment: str, kind: Kind, chance: random.Random
) -> HandedIn:
    answers = {}
    for problem in sorted(asked_in(assignment).cells):
        state = {"partial": chance.choice(["right", "right", "wrong", "blank"])}.get(kind, kind)
        if state != "blank":
            answers[problem] = chance.choice(_answers(assignment, problem, right=state != "wrong"))
    words = "" if kind == "blank" else WORDS[kind == "korean"]
    notebook = _notebook(assignment, answers, words)
    mine = folder / student / assignment
    files: dict[str, bytes] = {}
    if kind == "korean":
        _make_korean(notebook, files)
    elif kind != "blank":
        for cell in notebook["cells"]:
            if _grader(cell).get("solution") and cell["cell_type"] == "code":
                cell["source"] = "\n".join(filter(None, [chance.choice(NOTES), cell["source"]]))
    late = timedelta(hours=1 + chance.randrange(40))
    when = DUE + late if kind == "late" else DUE - late
    zone = chance.choice([" UTC", "+09:00", " Asia/Seoul"])
    local = when if zone == " UTC" else when + timedelta(hours=9)
    files["timestamp.txt"] = f"{local:%Y-%m-%d %H:%M:%S}{zone}\n".encode()
    _write_files(mine, {f"{assignment}.ipynb": _dumped(notebook), **files})
    student = unicodedata.normalize("NFC", student)
    return HandedIn(student, assignment, mine, kind, _expected(assignment, answers), when)


def _student(number: int, chance: random.Random) -> str:
    if number % 3:
        name = f"{chance.choice(FAMILIES)}{chance.choice(GIVEN)}_{number:02}"
        return unicodedata.normalize("NFD" if number % 3 == 2 else "NFC", name)
    return f"{chance.choice(LATIN)}_{number:02}"


@cache
def _answers(assignment: str, problem: str, *, right: bool) -> list[Written]:
    mine = [each for each in answers_to(assignment) if each.number == problem]
    return [each for each in mine if (each.diagnosis == "right") == right]


def _expected(assignment: str, answers: Mapping[str, Written]) -> Expected:
    problems = sorted(asked_in(assignment).cells)
    return Expected(
        {number: answers[number].points if number in answers else 0 for number in problems},
        {
            number: answers[number].diagnosis if number in answers else "not_attempted"
            for number in problems
        },
    )


def _notebook(assignment: str, answers: Mapping[str, Written], words: str) -> Json:
    path = ROOT / "exercises" / assignment / f"{assignment}.ipynb"
    notebook: Json = json.loads(path.read_text(encoding="utf-8"))
    written = {cell: text for each in answers.values() for cell, text in each.cells.items()}
    for cell in notebook["cells"]:
        name = _grader(cell)["grade_id"]
        cell["source"] = written.get(name, "".join(cell["source"]))
        if name.startswith("written-") and words:
            cell["source"] = words
    return notebook


def _grader(cell: Json) -> dict[str, Any]:
    grader: dict[str, Any] = cell.get("metadata", {}).get("nbgrader", {})
    return grader


def _make_korean(notebook: Json, files: dict[str, bytes]) -> None:
    """Let the first answer use names in Korean, from a file of the learner's beside it."""
    files["도우미.py"] = "def 반올림(값, 자리=3):\n    return round(float(값), 자리)\n".encode()
    first = next(cell for cell in notebook["cells"] if _grader(cell).get("solution"))
    text = "# 필요한 함수를 먼저 불러와요.\nfrom 도우미 import 반올림\n\n이름 = '학생'\n"
    first["source"] = f"{text}print(이름, 반올림(3.14159))\n\n\n{first['source']}"


def _dumped(notebook: Json) -> bytes:
    return (json.dumps(notebook, ensure_ascii=False, indent=1) + "\n").encode()


def _write(work: Work) -> None:
    content = _dumped(work.notebook) if work.content is None else work.content
    name = work.name or f"{work.assignment}.ipynb"
    notebook = {} if name == "-" else {name: content}
    _write_files(work.folder, {**work.files, **notebook})
    for name, target in work.links.items():
        (work.folder / name).symlink_to(target)


def _write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
