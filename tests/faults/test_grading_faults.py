"""Grading a class that does harm, and a grader that is killed, kept out, or without room."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from classes import BROKE_OUT, FAULTS, HandedIn, solved, write_spoiled
from graded import Graded, expected_points, grade
from nbformat.v4 import new_notebook

from course.grading import driver, gradebook
from course.grading.driver import Options, grade_class
from course.kernels.isolation import isolation
from utils.errors import CourseError

HOSTILE = [name for name, fault in FAULTS.items() if fault.about in ("harm", "attack")]
ASSIGNMENTS = ("01_gradient_tape", "02_control_flow")  # those that are checked soonest

needs_full_isolation = pytest.mark.skipif(
    isolation().level != "full" and os.environ.get("COURSE_REQUIRE_ISOLATION") != "full",
    reason=f"harm is done in full isolation only. {isolation().sentence}",
)


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[HandedIn]]:
    folder = tmp_path_factory.mktemp("hostile")
    book = folder / "out" / "gradebook.db"
    return folder, [
        write_spoiled(folder / "submitted", name, ASSIGNMENTS[number % 2], gradebook=book)
        for number, name in enumerate(HOSTILE)
    ]


@pytest.fixture(scope="module")
def graded(handed_in: tuple[Path, list[HandedIn]]) -> Graded:
    folder = handed_in[0]
    options = ("--cell-timeout", "4", "--require-isolation", "full")
    return grade(folder / "submitted", folder / "out", *options)


@needs_full_isolation
def test_harm_costs_the_problem_where_it_stands_and_an_attack_earns_nothing(
    graded: Graded, handed_in: tuple[Path, list[HandedIn]]
) -> None:
    assert graded.code == 0, graded.said
    assert expected_points(graded, handed_in[1]) == {}


@needs_full_isolation
def test_no_attack_has_seen_or_changed_what_it_must_not(
    graded: Graded, handed_in: tuple[Path, list[HandedIn]]
) -> None:
    broke_out = []
    for path in (graded.out / "results").glob("*.json"):
        result = json.loads(path.read_text(encoding="utf-8"))
        for cell in json.loads(result["notebook"])["cells"]:
            if BROKE_OUT in json.dumps(cell.get("outputs", [])):
                broke_out.append(result["student"])
    assert broke_out == []
    for each in handed_in[1]:
        assert (each.folder / f"{each.assignment}.ipynb").is_file(), each.student


@needs_full_isolation
def test_everybody_gets_feedback_and_a_crash_is_no_bare_zero(
    graded: Graded, handed_in: tuple[Path, list[HandedIn]]
) -> None:
    for each in handed_in[1]:
        page = graded.out / "feedback" / each.student / each.assignment / "feedback.html"
        assert 0 < page.stat().st_size < 1_000_000
    rows = {(row["student"], row["problem"]): row for row in graded.rows()}
    for name, status in {
        "os_exit": "dead_kernel",
        "segfault": "dead_kernel",
        "loop_that_swallows_interrupts": "timeout",
        "sys_exit": "cell_error",
        "asks_for_input": "cell_error",
    }.items():
        each = next(each for each in handed_in[1] if each.student == name)
        row = rows[name, each.problem]
        # what an answer had defined before may still be judged
        assert row["status"] in (status, "ok") and (row["status"] == "ok" or row["reason"]), row


@needs_full_isolation
def test_nothing_is_left_running_of_a_hostile_class(graded: Graded) -> None:
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            assert b"orphan of" not in (process / "cmdline").read_bytes()


def test_a_class_of_damaged_files_is_graded_as_far_as_a_person_could(tmp_path: Path) -> None:
    chosen = ["empty_folder", "truncated_json", "only_a_list", "link_to_the_solution"]
    chosen += ["file_renamed", "numpy_beside_it", "metadata_stripped", "test_cell_duplicated"]
    chosen += ["answer_split_in_its_middle", "lines_that_work_elsewhere_above_an_answer"]
    chosen += ["helpers_overwritten_by_a_trial"]
    handed_in = [write_spoiled(tmp_path / "submitted", name, "02_control_flow") for name in chosen]
    done = grade(tmp_path / "submitted", tmp_path / "out")
    assert done.code == 0 and expected_points(done, handed_in) == {}, done.said
    unreadable = {row["student"] for row in done.rows() if row["status"] == "unreadable"}
    assert unreadable == set(chosen[:4])
    assert all(row["reason"] for row in done.rows() if row["status"] == "unreadable")
    for each in handed_in:
        assert each.expected.said == "" or done.feedback(each.student, each.assignment)


def small_class(folder: Path, students: int = 4) -> Path:
    """Write so many submissions in which everything is right."""
    text = json.dumps(solved("02_control_flow"))
    for number in range(students):
        path = folder / "submitted" / f"student {number}" / "02_control_flow"
        path.mkdir(parents=True)
        (path / "02_control_flow.ipynb").write_text(text, encoding="utf-8")
    return folder / "submitted"


def keys_graded(journal: Path) -> list[str]:
    """Return what was graded, in that order; that it was entered is noted in lines of its own."""
    records = [json.loads(line) for line in journal.read_text().splitlines()]
    return [each["key"] for each in records if not each["entered"]]


def test_what_is_graded_is_entered_while_the_others_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted, out = small_class(tmp_path, 2), tmp_path / "out"
    entered: list[bool] = []

    def nothing_is_missing(*_: object) -> dict[tuple[str, str], dict[str, gradebook.Entered]]:
        records = [json.loads(line) for line in (out / "journal.jsonl").read_text().splitlines()]
        entered.extend(each["entered"] for each in records)
        return gradebook.everything_entered(gradebook.address(out))

    monkeypatch.setattr(driver, "_enter_missing", nothing_is_missing)
    assert grade_class(submitted, Options(out), "again")
    assert sorted(entered) == [False, False, True, True]
    assert len(gradebook.everything_entered(gradebook.address(out))) == 2


def test_a_grader_that_is_killed_goes_on_and_grades_nothing_twice(tmp_path: Path) -> None:
    submitted, out = small_class(tmp_path), tmp_path / "out"
    command = [sys.executable, "-m", "course", "grade", str(submitted), "--out", str(out)]
    process = subprocess.Popen([*command, "--workers", "1"], stdout=subprocess.PIPE, text=True)
    journal = out / "journal.jsonl"
    end = time.monotonic() + 100
    while not (journal.is_file() and journal.read_text()) and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(random.uniform(0, 1.5))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    before = keys_graded(journal)
    assert before
    done = grade(submitted, out)
    assert done.code == 0, done.said
    graded_once = keys_graded(journal)
    assert len(graded_once) == len(set(graded_once)) == len(list(submitted.iterdir()))
    assert graded_once[: len(before)] == before


def test_a_gradebook_that_another_program_holds_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted, out = small_class(tmp_path, 1), tmp_path / "out"
    monkeypatch.setattr(gradebook, "WAIT", 1)
    whole = driver.write_result

    def held(folder: Path, result: object) -> None:
        whole(folder, result)  # type: ignore[arg-type]
        other.execute("BEGIN EXCLUSIVE")

    out.mkdir()
    gradebook.enter_assignment(gradebook.address(out), "x", new_notebook())
    other = sqlite3.connect(out / "gradebook.db", isolation_level=None)
    monkeypatch.setattr(driver, "write_result", held)
    with pytest.raises(CourseError, match=r"The gradebook .* cannot be used .*locked"):
        grade_class(submitted, Options(out), "again")
    assert "02_control_flow" in (out / "grades.csv").read_text(encoding="utf-8")
    other.execute("ROLLBACK")
    other.close()
    monkeypatch.setattr(driver, "write_result", whole)
    assert grade_class(submitted, Options(out), "again")
    assert len(gradebook.everything_entered(gradebook.address(out))) == 1


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can mount")
def test_a_disk_that_fills_up_stops_the_grader_in_a_sentence(tmp_path: Path) -> None:
    submitted, out = small_class(tmp_path, 4), tmp_path / "small"
    out.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(out)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no small disk can be mounted: {done.stderr.strip()}")
    try:
        full = grade(submitted, out)
        assert full.code == 1 and "Traceback" not in full.said, full.said
        subprocess.run(["mount", "-o", "remount,size=50m", str(out)], check=True)
        again = grade(submitted, out)
        assert again.code == 0, again.said
        assert len({row["student"] for row in again.rows()}) == len(list(submitted.iterdir()))
    finally:
        subprocess.run(["umount", str(out)], check=True)


def test_less_isolation_than_demanded_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted = small_class(tmp_path, 1)
    weak = isolation()._replace(level="partial", sentence="Something is missing.")
    monkeypatch.setattr("course.grading.job.isolation", lambda: weak)
    options = Options(tmp_path / "out", require_isolation="full")
    with pytest.raises(CourseError, match=r"nothing was run\. Something is missing"):
        grade_class(submitted, options, "again")
    assert not (tmp_path / "out" / "journal.jsonl").exists()
