"""A class's submissions are found however they are named, and nothing that is no file is opened."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from classes import DUE, FAULTS, asked_in, solved, write_class
from unprivileged import run_as_nobody

from course.catalog import ROOT, assignments
from course.grading import submissions
from course.grading.repair import exercise_of, read_cells, repaired
from course.grading.submissions import (
    Submission,
    assignment_named,
    copy_helpers,
    find_submissions,
    read_whole,
    shown,
)
from utils.errors import CourseError

NAMES = [each.name for each in assignments()]
TAPE, FLOW, HIGHER, STACK, MLP, LOOP = NAMES


def blank(name: str) -> bytes:
    return (ROOT / "exercises" / name / f"{name}.ipynb").read_bytes()


def right(name: str) -> bytes:
    return json.dumps(solved(name)).encode()


def put(path: Path, content: bytes = b"") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def the_only(found: list[Submission]) -> Submission:
    (submission,) = found
    return submission


def said(submission: Submission) -> str:
    return " ".join([submission.reason, *submission.remarks])


# A whole class


def test_a_class_is_found_whole_and_each_answer_in_it(tmp_path: Path) -> None:
    spoiled = [name for name, fault in FAULTS.items() if fault.about in ("harm", "attack")]
    class_ = write_class(tmp_path / "one", 42, seed=3, faults=spoiled)
    found = {(each.student, each.assignment): each for each in find_submissions(tmp_path / "one")}
    assert found.keys() == {(each.student, each.assignment) for each in class_}
    exercises = {each.name: exercise_of(each) for each in assignments()}
    for each in class_:
        submission = found[each.student, each.assignment]
        assert submission.handed_in == each.handed_in and not said(submission)
        assert submission.notebook == each.folder / f"{each.assignment}.ipynb"
        done = repaired(read_cells(read_whole(submission.notebook)), exercises[each.assignment])
        answered = {n for n, said in each.expected.diagnoses.items() if said != "not_attempted"}
        assert {*done.answered} & {*each.expected.points} == answered | {each.problem} - {""}
        assert done.remarks == ()


def test_a_class_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_class(tmp_path / name, 8, seed=5, each=2)
    files = [
        {str(p.relative_to(tmp_path / name)): p.read_bytes() for p in files_in(tmp_path / name)}
        for name in ("one", "two")
    ]
    assert files[0] == files[1] and len(files[0]) >= 32


def files_in(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def test_a_class_of_forty_has_every_kind_of_student_and_every_assignment(tmp_path: Path) -> None:
    class_ = write_class(tmp_path / "class")
    assert len(class_) == 40 and {each.assignment for each in class_} == {*NAMES}
    kinds = {"right", "partial", "wrong", "korean", "late", "blank"}
    assert {each.kind for each in class_} == kinds
    assert {each.kind for each in class_ if each.handed_in and each.handed_in > DUE} == {"late"}
    diagnoses = {said for each in class_ for said in each.expected.diagnoses.values()}
    assert len(diagnoses) > 40
    for name in NAMES:
        mine = [each for each in class_ if each.assignment == name]
        assert len(mine) >= 5 and all(
            each.expected.points.keys() == asked_in(name).points.keys() for each in mine
        )


# Which students and assignments


def test_filters_choose_students_and_assignments(tmp_path: Path) -> None:
    for student in ("kim", "lee"):
        for name in (FLOW, MLP):
            put(tmp_path / student / name / f"{name}.ipynb", right(name))
    found = find_submissions(tmp_path, students=["lee"], assignments=["5"])
    assert [(each.student, each.assignment) for each in found] == [("lee", MLP)]
    assert len(find_submissions(tmp_path, assignments=[FLOW, "05"])) == 4


@pytest.mark.parametrize(
    ("students", "names", "sentence"),
    [
        (["kin"], [], "There is no student 'kin' in .*: did you mean kim?"),
        (
            [],
            ["2_control_flow"],
            "There is no assignment '2_control_flow': did you mean 02_control_flow?",
        ),
        ([], ["9"], "There is no assignment '9': there is 01_gradient_tape, .*"),
    ],
)
def test_an_unknown_name_is_one_sentence_with_the_nearest(
    students: list[str], names: list[str], sentence: str, tmp_path: Path
) -> None:
    put(tmp_path / "kim" / FLOW / f"{FLOW}.ipynb", right(FLOW))
    with pytest.raises(CourseError, match=sentence):
        find_submissions(tmp_path, students, names)


def test_a_wrong_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"There is no folder .*nowhere with submissions"):
        find_submissions(tmp_path / "nowhere")
    put(tmp_path / "kim" / FLOW / f"{FLOW}.ipynb", right(FLOW))
    with pytest.raises(CourseError, match="a folder for each assignment"):
        find_submissions(tmp_path / "kim")


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_korean_name_is_the_same_however_it_is_encoded(form: str, tmp_path: Path) -> None:
    name = unicodedata.normalize(form, "김민준")  # type: ignore[arg-type]
    put(tmp_path / name / FLOW / f"{FLOW}.ipynb", right(FLOW))
    submission = the_only(find_submissions(tmp_path, students=["김민준"]))
    assert submission.student == "김민준" and submission.notebook and submission.notebook.exists()
    decomposed = unicodedata.normalize("NFD", "김민준")
    assert the_only(find_submissions(tmp_path, students=[decomposed])).student == "김민준"


def test_two_folders_whose_names_differ_only_in_their_encoding_are_one_student(
    tmp_path: Path,
) -> None:
    for form, name in (("NFC", FLOW), ("NFD", MLP)):
        student = unicodedata.normalize(form, "김민준")  # type: ignore[arg-type]
        put(tmp_path / student / name / f"{name}.ipynb", right(name))
    found = find_submissions(tmp_path)
    assert [(each.student, each.assignment) for each in found] == [
        ("김민준", FLOW),
        ("김민준", MLP),
    ]


def test_a_name_that_is_no_utf_8_can_be_printed(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/" + "김민준".encode("cp949")
    try:
        os.mkdir(folder)
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    put(Path(os.fsdecode(folder)) / FLOW / f"{FLOW}.ipynb", right(FLOW))
    submission = the_only(find_submissions(tmp_path))
    assert submission.student == "김민준" and submission.notebook


@pytest.mark.parametrize(
    ("name", "assignment"),
    [
        *((MLP, MLP), ("05_fashion_mnist_mlp (1)", MLP), ("05_Fashion_MNIST_MLP-Copy1.ipynb", MLP)),
        *(("05", MLP), ("5", MLP), ("assignment 5", MLP), ("과제 5", MLP), ("ex05", MLP)),
        *(("05_fashion_mnist_mlp 복사본.ipynb", MLP), ("05_fashion_mnist_mlp의 사본", MLP)),
        *(("fashion-mnist mlp", MLP), ("5. Fashion MNIST MLP", MLP), ("05_fashon_mnist_mpl", MLP)),
        *(("hw2_kim_20240305", FLOW), ("control flow", FLOW), ("Assignment_03 (최종)", HIGHER)),
        *(("5" + " - Copy" * 30, MLP), ("a" + " - Copy" * 30 + ".docx", "")),
        ("copy__" * 20 + "x", ""),
        *(("notes", ""), ("assignment 9", ""), ("5 or 6", ""), ("20240305", ""), ("", "")),
    ],
)
def test_an_assignment_is_known_by_name_number_or_a_near_name(name: str, assignment: str) -> None:
    assert assignment_named(name, NAMES) == assignment


@pytest.mark.parametrize(
    "place",
    [
        "assignment 5/05_fashion_mnist_mlp.ipynb",
        "05_fashion_mnist_mlp (1)/05_fashion_mnist_mlp (1).ipynb",
        "05/05_fashion_mnist_mlp/mine.IPYNB",
        "05_fashion_mnist_mlp.ipynb",
        "제출.ipynb",
        "final/제출.ipynb.txt",
        "my_course/exercises/05_fashion_mnist_mlp/05_fashion_mnist_mlp.ipynb",
        "05/05_fashion_mnist_mlp.ipynb/05_fashion_mnist_mlp.ipynb",
        "05_fashion_mnist_mlp.ipynb/05_fashion_mnist_mlp.ipynb",
        "05/Users/kim/Documents/course/week 5/exercises/05_fashion_mnist_mlp.ipynb",
    ],
)
def test_a_notebook_is_found_wherever_it_lies(place: str, tmp_path: Path) -> None:
    path = put(tmp_path / "kim" / place, right(MLP))
    submission = the_only(find_submissions(tmp_path))
    assert (submission.assignment, submission.notebook) == (MLP, path)


def test_the_cells_say_more_than_the_folders_name(tmp_path: Path) -> None:
    path = put(tmp_path / "kim" / MLP / "mine.ipynb", right(FLOW))
    flow, mlp = find_submissions(tmp_path)
    assert (flow.assignment, flow.notebook) == (FLOW, path)
    assert (mlp.assignment, mlp.notebook) == (MLP, None)
    assert "holds the cells of 02_control_flow" in said(flow) and "02_control_flow" in mlp.reason


def test_two_assignments_in_one_notebook_are_both_graded(tmp_path: Path) -> None:
    both = solved(FLOW)
    both["cells"] += solved(TAPE)["cells"]
    path = put(tmp_path / "kim" / FLOW / f"{FLOW}.ipynb", json.dumps(both).encode())
    (tmp_path / "kim" / TAPE).mkdir()
    first, second = find_submissions(tmp_path)
    assert (first.assignment, second.assignment) == (TAPE, FLOW)
    assert first.notebook == second.notebook == path
    assert "holds the cells of 01_gradient_tape" in said(first) and not said(second)
    put(tmp_path / "kim" / TAPE / f"{TAPE}.ipynb", right(TAPE))
    assert find_submissions(tmp_path)[0].notebook != path


def test_what_belongs_nowhere_is_reported_with_a_reason(tmp_path: Path) -> None:
    put(tmp_path / "kim" / "notes" / "thoughts.txt", b"...")
    put(tmp_path / "kim" / "other" / "lecture.ipynb", b'{"cells": []}')
    put(tmp_path / "lee" / "homework.zip", b"PK")
    put(tmp_path / "jung" / FLOW / f"{FLOW}.zip", b"PK")
    (tmp_path / "park").mkdir()
    put(tmp_path / "choi.ipynb", right(FLOW))
    put(tmp_path / "README.md", b"not a submission")
    put(tmp_path / "choi" / MLP / "answers.py", b"x = 1")
    found = find_submissions(tmp_path)
    assert {(each.student, each.assignment, each.reason) for each in found} == {
        ("", "", "`choi.ipynb` lies beside the students' folders: it should be in one of them."),
        ("choi", MLP, "There is no notebook in `05_fashion_mnist_mlp`, only `answers.py`."),
        (
            *("kim", ""),
            "There is no notebook in `notes`, only `thoughts.txt`."
            " `lecture.ipynb` holds none of the exercises.",
        ),
        ("lee", "", "`homework.zip` is an archive and has to be unpacked."),
        ("jung", FLOW, f"`{FLOW}.zip` in `{FLOW}` is an archive and has to be unpacked."),
        ("park", "", "The folder `park` is empty."),
    }
    assert all(each.notebook is None for each in found)


def test_the_lesson_in_place_of_the_exercise_is_said(tmp_path: Path) -> None:
    lesson = (ROOT / "notebooks" / f"{TAPE}.ipynb").read_bytes()
    put(tmp_path / "kim" / TAPE / f"{TAPE}.ipynb", lesson)
    submission = the_only(find_submissions(tmp_path))
    assert submission.notebook is None and submission.reason.endswith("is it the lesson?")
    path = put(tmp_path / "kim" / TAPE / f"{TAPE} (1).ipynb", right(TAPE))
    assert the_only(find_submissions(tmp_path)).notebook == path


def test_hidden_folders_and_what_tools_leave_behind_are_no_submissions(tmp_path: Path) -> None:
    path = put(tmp_path / "kim" / FLOW / f"{FLOW}.ipynb", right(FLOW))
    for place in (
        f".ipynb_checkpoints/{FLOW}/{FLOW}.ipynb",
        f"kim/{FLOW}/.ipynb_checkpoints/{FLOW}-checkpoint.ipynb",
        f"kim/.trash/{MLP}.ipynb",
        f"kim/feedback/{FLOW}/2026/{FLOW}.ipynb",
        f"kim/{FLOW}/feedback/2026-03-01/{FLOW}.html",
        f"kim/__MACOSX/{FLOW}/._{FLOW}.ipynb",
    ):
        put(tmp_path / place, right(FLOW))
    submission = the_only(find_submissions(tmp_path))
    assert submission == Submission("kim", FLOW, path.parent, path)


def test_a_checkpoint_is_graded_where_nothing_else_can_be(tmp_path: Path) -> None:
    folder = tmp_path / "kim" / FLOW
    checkpoint = put(folder / ".ipynb_checkpoints" / f"{FLOW}-checkpoint.ipynb", right(FLOW))
    submission = the_only(find_submissions(tmp_path))
    assert submission.notebook == checkpoint and "checkpoint.ipynb` was taken" in said(submission)
    path = put(folder / f"{FLOW}.ipynb", right(FLOW)[:5_000])
    submission = the_only(find_submissions(tmp_path))
    assert submission.notebook == checkpoint and "was cut short" in said(submission)
    put(path, blank(FLOW))
    assert the_only(find_submissions(tmp_path)).notebook == path
    shutil.rmtree(folder)
    put(tmp_path / "elsewhere" / "x.ipynb", right(FLOW))
    folder.mkdir()
    (folder / ".ipynb_checkpoints").symlink_to(tmp_path / "elsewhere")
    assert find_submissions(tmp_path, ["kim"])[0].notebook is None


# Which notebook


@pytest.mark.parametrize(
    ("files", "chosen", "words"),
    [
        ({f"{FLOW}.ipynb": right, "old.ipynb": right}, f"{FLOW}.ipynb", "left out: `.*old.ipynb`"),
        ({f"{FLOW}.ipynb": blank, "old.ipynb": right}, "old.ipynb", "it is blank"),
        ({f"{FLOW}.ipynb": blank, "old.ipynb": blank}, f"{FLOW}.ipynb", "left out: `.*old.ipynb`"),
        ({f"{FLOW} (1).ipynb": right, "old.ipynb": right}, f"{FLOW} (1).ipynb", "old.ipynb"),
        (
            {f"{FLOW}.ipynb": None, "a.ipynb": right},
            "a.ipynb",
            "`02_control_flow.ipynb` was cut short",
        ),
        ({"02_Control_Flow.ipynb": right}, "02_Control_Flow.ipynb", "was taken for"),
    ],
)
def test_of_several_notebooks_one_is_graded_and_the_others_are_named(
    files: dict[str, object], chosen: str, words: str, tmp_path: Path
) -> None:
    for name, content in files.items():
        data = content(FLOW) if callable(content) else b'{"cells": ['
        put(tmp_path / "kim" / FLOW / name, data)
    submission = the_only(find_submissions(tmp_path))
    assert submission.notebook == tmp_path / "kim" / FLOW / chosen
    assert {path.name for path in submission.left_out} == files.keys() - {chosen}
    assert re.search(words, said(submission))


def test_of_two_folders_for_an_assignment_the_one_with_answers_is_graded(tmp_path: Path) -> None:
    put(tmp_path / "kim" / FLOW / f"{FLOW}.ipynb", blank(FLOW))
    path = put(tmp_path / "kim" / "assignment 2" / f"{FLOW}.ipynb", right(FLOW))
    put(tmp_path / "kim" / "assignment 2" / "timestamp.txt", b"2026-03-01 10:00:00 UTC")
    submission = the_only(find_submissions(tmp_path))
    assert submission.notebook == path and submission.folder == path.parent
    assert submission.handed_in == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert "`assignment 2/02_control_flow.ipynb` was graded" in said(submission)


def test_more_answers_in_a_notebook_that_is_left_out_are_said(tmp_path: Path) -> None:
    notebook = json.loads(blank(FLOW))
    notebook["cells"][3]["source"] = "def slope_of_the_loop(x, n):\n    return x"
    put(tmp_path / "kim" / FLOW / f"{FLOW}.ipynb", json.dumps(notebook).encode())
    put(tmp_path / "kim" / FLOW / "later.ipynb", right(FLOW))
    assert "holds 7 answers" in said(the_only(find_submissions(tmp_path)))


def test_no_link_is_followed_and_nothing_but_a_file_is_opened(tmp_path: Path) -> None:
    class_, solution = tmp_path / "class", ROOT / "solutions" / FLOW
    for student in "abcdef":
        (class_ / student).mkdir(parents=True)
    (class_ / "a" / FLOW).symlink_to(solution)
    (class_ / "b" / FLOW).mkdir()
    (class_ / "b" / FLOW / f"{FLOW}.ipynb").symlink_to(solution / f"{FLOW}.ipynb")
    (class_ / "c" / FLOW / f"{FLOW}.ipynb").mkdir(parents=True)
    (class_ / "d" / FLOW).mkdir()
    os.mkfifo(class_ / "d" / FLOW / f"{FLOW}.ipynb")
    (class_ / "e" / FLOW).mkdir()
    os.mkfifo(class_ / "e" / FLOW / "timestamp.txt")
    put(class_ / "e" / FLOW / f"{FLOW}.ipynb", right(FLOW))
    (class_ / "f").rmdir()
    (class_ / "f").symlink_to(class_ / "e")
    short = Path("/tmp") / f"s{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(short))
        shutil.move(short, class_ / "d" / FLOW / "other.ipynb")
    found = {each.student: each for each in find_submissions(class_)}
    assert {s: bool(each.notebook) for s, each in found.items()} == dict.fromkeys(
        "abcdf", False
    ) | {"e": True}
    assert "is a link" in found["a"].reason and "is a link" in found["b"].reason
    assert "is a link" in found["f"].reason and found["f"].assignment == ""
    assert "only the folder" in found["c"].reason and found["d"].reason.count("is no file") == 2
    assert found["e"].handed_in is None and "no time" in said(found["e"])


def test_a_notebook_that_is_too_large_is_refused_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_whole, "__defaults__", (1_000_000,))
    path = put(tmp_path / "kim" / FLOW / f"{FLOW}.ipynb")
    os.truncate(path, 1_000_001)
    submission = the_only(find_submissions(tmp_path))
    assert (
        submission.notebook is None and "1 MB are not read: clear its outputs" in submission.reason
    )
    other = put(tmp_path / "kim" / FLOW / "other.ipynb", right(FLOW))
    assert the_only(find_submissions(tmp_path)).notebook == other


def test_a_student_with_very_many_notebooks_is_read_in_part(tmp_path: Path) -> None:
    path = put(tmp_path / "kim" / FLOW / f"{FLOW}.ipynb", right(FLOW))
    for number in range(40):
        put(path.with_name(f"{'0x'[number % 2]}{number}.ipynb"), b"{}")
    submission = the_only(find_submissions(tmp_path))
    assert submission.notebook == path and "No more than 30 notebooks" in said(submission)


def test_a_folder_that_cannot_be_read_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "kim" / FLOW / f"{FLOW}.ipynb", right(FLOW))
    put(tmp_path / "lee" / FLOW / f"{FLOW}.ipynb", right(FLOW))
    scandir = os.scandir

    def closed(folder: Path) -> object:
        if "kim" in str(folder):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(submissions.os, "scandir", closed)
    kim, lee = find_submissions(tmp_path)
    assert kim.reason == "`kim` cannot be read (Permission denied)." and lee.notebook


FIND_AND_READ = """
import sys
from pathlib import Path
from course.grading.driver import _files
from course.grading.submissions import find_submissions

for each in find_submissions(Path(sys.argv[1])):
    files, said = _files(each) if each.notebook else ({}, [])
    print(each.student, each.assignment, [*files], each.reason, *each.remarks, *said, sep="|")
"""


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can be nobody")
def test_what_is_closed_costs_nothing_but_itself() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        flow = put(folder / "kim" / FLOW / f"{FLOW}.ipynb", right(FLOW))
        put(folder / "kim" / TAPE / f"{TAPE}.ipynb", right(TAPE))
        put(folder / "lee" / TAPE / f"{TAPE}.ipynb", right(TAPE))
        put(flow.parent / "data" / "table.csv", b"1,2")
        put(flow.parent / "table.csv", b"1,2").chmod(0)
        for closed in (flow.parent / "data", folder / "lee" / TAPE):
            closed.chmod(0)
        command = [sys.executable, "-c", FIND_AND_READ, name]
        done = run_as_nobody(command, capture_output=True, cwd=ROOT)
        assert done.stdout.splitlines() == [
            f"kim|{TAPE}|[]|",
            f"kim|{FLOW}|[]||`data` cannot be read (Permission denied).|`table.csv` cannot be read"
            " (Permission denied). It was left out.",
            f"lee|{TAPE}|[]|`{TAPE}` cannot be read (Permission denied).",
        ], done.stderr


def test_folders_too_deep_for_their_names_cost_nothing_but_themselves(tmp_path: Path) -> None:
    path = put(tmp_path / "kim" / FLOW / f"{FLOW}.ipynb", right(FLOW))
    here = os.open(path.parent, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=here)
        deeper = os.open("d" * 250, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(here)
    submission = the_only(find_submissions(tmp_path))
    assert submission.notebook == path and "File name too long" in said(submission)


# Students' names


def test_students_are_told_apart_and_none_is_passed_over(tmp_path: Path) -> None:
    names = [b"Jos\xe9", b"Jos\xe8", b"feedback", b".kim", b".git", b"\xb0\xa1" * 101]
    for name in names:
        try:
            os.mkdir(os.fsencode(tmp_path) + b"/" + name)
        except OSError:
            pytest.skip("this file system takes UTF-8 names alone")
        inside = "objects/x" if name == b".git" else f"{FLOW}/{FLOW}.ipynb"
        put(tmp_path / os.fsdecode(name) / inside, right(FLOW))
    (tmp_path / "loop").symlink_to("loop")
    found = find_submissions(tmp_path)
    *short, long = (each.student for each in found)
    assert short == [".kim", "Jos\\xe8", "Jos\\xe9", "feedback"] and all(e.notebook for e in found)
    assert long.startswith("가가가") and len(long.encode()) <= 255
    assert find_submissions(tmp_path, students=[os.fsdecode(names[-1])]) == found[-1:]


# Time stamps

NINE = ("+0900", "KST", "GMT+9", "UTC+9", "Asia/Seoul")  # hours before Greenwich


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-01 10:00:00.123456 UTC", datetime(2026, 3, 1, 10, 0, 0, 123456, UTC)),
        ("2026-03-01 19:00:00 Asia/Seoul\n", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("2026-03-01 19:00:00+09:00", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("2026-03-01 10:00:00", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        *((f"2026-03-01 19:00:00 {zone}", datetime(2026, 3, 1, 10, tzinfo=UTC)) for zone in NINE),
        ("Sun Mar  1 19:00:00 KST 2026", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("2026-03-01 10:00:00 PM", datetime(2026, 3, 1, 22, tzinfo=UTC)),
        *((text, None) for text in ("12", "2026", "19:00", "2026-03-01 19:00:00 Nowhere/At_all")),
        ("", None),
        ("yesterday evening", None),
        ("9" * 900, None),
        ("999999999999999999999999999912h140nan", None),
    ],
)
def test_a_time_stamp_is_read_or_said_to_be_none(
    text: str, moment: datetime | None, tmp_path: Path
) -> None:
    path = put(tmp_path / "kim" / FLOW / f"{FLOW}.ipynb", right(FLOW))
    put(path.with_name("timestamp.txt"), text.encode())
    submission = the_only(find_submissions(tmp_path))
    assert submission.handed_in == moment
    assert ("no time" in said(submission)) == (moment is None and text != "")


def test_a_time_stamp_may_be_of_any_encoding(tmp_path: Path) -> None:
    path = put(tmp_path / "kim" / FLOW / f"{FLOW}.ipynb", right(FLOW))
    put(path.with_name("timestamp.txt"), "2026-03-01 10:00:00 UTC\r\n".encode("utf-16"))
    submission = the_only(find_submissions(tmp_path))
    assert submission.handed_in == datetime(2026, 3, 1, 10, tzinfo=UTC) and not said(submission)


# Files that go along


def test_helper_files_go_along_and_cannot_be_written(tmp_path: Path) -> None:
    path = put(tmp_path / "kim" / FLOW / f"{FLOW}.ipynb", right(FLOW))
    names = [
        "도우미.py",
        "data/table.csv",
        "package/__init__.py",
        "package/random.py",
        "json/a.json",
    ]
    for name in names:
        put(path.parent / name, name.encode())
    submission = the_only(find_submissions(tmp_path))
    copy_helpers(submission, tmp_path / "work")
    copies = {str(p.relative_to(tmp_path / "work")): p for p in files_in(tmp_path / "work")}
    assert copies.keys() == {*names} and not said(submission)
    for name, copy in copies.items():
        assert copy.read_bytes() == name.encode() and not copy.stat().st_mode & 0o222


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        *((name, "place of Python's numpy") for name in ("numpy.py", "numpy/core.py", "numpy.so")),
        ("numpy.cpython-311-x86_64-linux-gnu.so", "place of Python's numpy"),
        *((f"{name}.py", f"place of Python's {name}") for name in ("random", "keras", "utils")),
        *(("course/__init__.py", "place of Python's course"), ("sys.py", "place of Python's sys")),
        *((name, "change how Python") for name in ("sitecustomize.py", "usercustomize.py")),
        *((name, "change how Python") for name in ("conftest.py", "matplotlibrc", "x.pth")),
        *((name, "change how Python") for name in ("ipython_config.py", "jupyter_config.json")),
        *((name, "hidden") for name in (".env", ".ipython/profile_default/startup/a.py")),
    ],
)
def test_a_file_that_would_change_python_stays_behind(
    name: str, reason: str, tmp_path: Path
) -> None:
    path = put(tmp_path / "kim" / FLOW / f"{FLOW}.ipynb", right(FLOW))
    put(path.parent / name)
    submission = the_only(find_submissions(tmp_path))
    assert submission.helpers == () and reason in said(submission)
    assert name.partition("/")[0] in said(submission)


def test_links_and_pipes_beside_a_notebook_stay_behind(tmp_path: Path) -> None:
    path = put(tmp_path / "kim" / FLOW / f"{FLOW}.ipynb", right(FLOW))
    (path.parent / "solutions").symlink_to(ROOT / "solutions")
    (path.parent / "secret.txt").symlink_to("/etc/passwd")
    os.mkfifo(path.parent / "pipe")
    submission = the_only(find_submissions(tmp_path))
    assert submission.helpers == () and len(submission.remarks) == 3


def test_no_more_than_so_many_files_go_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submissions, "HELPERS_TOGETHER", 1_000)
    monkeypatch.setattr(submissions, "MOST_HELPERS", 3)
    path = put(tmp_path / "kim" / FLOW / f"{FLOW}.ipynb", right(FLOW))
    for number in range(5):
        put(path.parent / f"{number}.csv", bytes(2_000 if number == 1 else 10))
    submission = the_only(find_submissions(tmp_path))
    assert [path.name for path in submission.helpers] == ["0.csv", "2.csv", "3.csv"]
    assert "`1.csv` and 1 more was left out" in said(submission)


def test_another_assignment_does_not_go_along_and_a_notebook_of_ones_own_does(
    tmp_path: Path,
) -> None:
    student = tmp_path / "kim"
    put(student / f"{FLOW}.ipynb", right(FLOW))
    put(student / f"{MLP}.ipynb", right(MLP))
    put(student / LOOP / f"{LOOP}.ipynb", right(LOOP))
    put(student / "helpers.ipynb", b'{"cells": []}')
    put(student / "data" / "table.csv")
    flow = next(each for each in find_submissions(tmp_path) if each.assignment == FLOW)
    assert {path.name for path in flow.helpers} == {"helpers.ipynb", "table.csv"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("\x1b[31mred\x1b[2J", "\\x1b[31mred\\x1b[2J"),
        ("a\nb", "a\\nb"),
        ("a\\nb", "a\\\\nb"),
        ("\udce9\n", "\\xe9\\n"),
        ("a\u2028b", "a\\u2028b"),
        (unicodedata.normalize("NFD", "김하늘"), "김하늘"),
        ("한 칸\u3000👩‍🏫", "한 칸\u3000👩‍🏫"),
    ],
)
def test_a_name_cannot_steer_the_terminal(name: str, text: str) -> None:
    assert shown(name) == text
