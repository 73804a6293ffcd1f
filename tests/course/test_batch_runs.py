"""`course batch` from its file to its folder: what runs, what is repeated, what is written."""

from __future__ import annotations

import csv
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from batch_runs import (
    journal,
    kernels,
    run,
    start,
    statuses,
    wait_for,
    wait_for_end,
    workers_of,
    write_spec,
    write_tiny,
)
from click.testing import CliRunner
from clusters import dask_cluster

from course.batch import driver, keys
from course.batch.driver import Options, run_batch
from course.cli import main
from course.kernels.provisioner import Kind
from course.workers import digest
from course.workers import journal as journals
from utils.errors import CourseError

GRID = "grid: {rate: [0.1, 0.2]}\nseeds: [1, 2]\n"


@pytest.fixture(scope="module")
def once_finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("batch")
    write_tiny(folder)
    assert run_batch(write_spec(folder, GRID), Options(folder / "out", workers=2), "again")
    return folder


@pytest.fixture
def finished(once_finished: Path, tmp_path: Path) -> Path:
    """A batch of four runs that has ended well, and its notebook."""
    shutil.copytree(once_finished, tmp_path, dirs_exist_ok=True)
    return tmp_path / "out"


def test_a_batch_leaves_results_journal_notebooks_and_pages(finished: Path) -> None:
    rows = list(csv.DictReader((finished / "results.csv").open(encoding="utf-8")))
    assert [(row["rate"], row["seed"], row["status"]) for row in rows] == [
        (rate, seed, "ok") for rate in ("0.1", "0.2") for seed in ("1", "2")
    ]
    assert [float(row["accuracy"]) for row in rows] == pytest.approx([0.601, 0.602, 0.701, 0.702])
    assert len(json.loads(rows[0]["loss"])) == 4 and float(rows[0]["seconds"]) > 0
    assert statuses(finished) == {"ok": 4}
    for row in rows:
        notebook = nbformat.read(finished / "runs" / f"{row['key']}.ipynb", as_version=4)
        assert f"rate = {row['rate']}" in notebook.cells[2].source
        assert (finished / "runs" / f"{row['key']}.html").is_file()
    assert (finished / "index.html").is_file()
    left = {path.name for path in finished.iterdir()}
    assert left == {".lock", "index.html", "journal.jsonl", "results.csv", "runs"}


@pytest.mark.parametrize("kind", ["warm", "fresh"])
def test_a_batch_runs_on_the_kernels_asked_for(kind: str, tmp_path: Path) -> None:
    write_tiny(tmp_path, extra="print(open('/proc/self/cmdline').read())")
    code, said = run(write_spec(tmp_path, "seeds: [1]"), tmp_path / "out", "--kernel", kind)
    assert code == 0, said
    [line] = journal(tmp_path / "out")
    notebook = nbformat.read(tmp_path / "out" / "runs" / f"{line['key']}.ipynb", as_version=4)
    printed = "".join(
        out.get("text", "") for cell in notebook.cells for out in cell.get("outputs", [])
    )
    assert ("course.kernels.parent" in printed) == (kind == "warm")
    assert ("ipykernel_launcher" in printed) == (kind == "fresh")


def test_finished_runs_are_not_repeated_and_changed_ones_are(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "spec.yaml"
    before = journal(finished)
    assert run_batch(spec, Options(finished), "again")
    assert journal(finished) == before and "0 to run" in capsys.readouterr().out

    write_spec(tmp_path, GRID.replace("0.2]", "0.3]"))
    assert run_batch(spec, Options(finished), "again")
    assert [line["parameters"]["rate"] for line in journal(finished)[4:]] == [0.3, 0.3]

    write_tiny(tmp_path, extra="assert True")
    assert run_batch(spec, Options(finished), "again")
    assert len(journal(finished)) == 10


def test_a_notebook_that_was_deleted_is_run_again(finished: Path, tmp_path: Path) -> None:
    gone = finished / "runs" / f"{journal(finished)[0]['key']}.ipynb"
    gone.unlink()
    assert run_batch(tmp_path / "spec.yaml", Options(finished), "again")
    assert gone.is_file() and len(journal(finished)) == 5


def test_a_journal_whose_last_line_was_cut_loses_that_run_alone(
    finished: Path, tmp_path: Path
) -> None:
    path = finished / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    assert run_batch(tmp_path / "spec.yaml", Options(finished), "again")
    assert len(journals.read_journal(finished, journals.BATCH)) == 4
    assert len(path.read_bytes().splitlines()) == 5


FIELDS = {
    "key": [[], 5, "a/b-0123456789abcdef", "a" * 5000 + "-0123456789abcdef", None],
    "status": [5, "great", None],
    "seconds": ["abc", -1, float("nan"), 10**400, None],
    "lesson": [5],
    "effective": [[]],
    "metrics": [[], None],
    "failure": ["x", {"error": "x"}],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in FIELDS.items() for value in values]
)
def test_a_line_that_is_no_whole_record_counts_for_nothing(
    name: str, value: object, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, *others = journal(finished)
    lines = [json.dumps(first | {name: value}), *map(json.dumps, others)]
    (finished / "journal.jsonl").write_text("\n".join(lines), "utf-8")
    assert journals.read_journal(finished, journals.BATCH) == others
    assert capsys.readouterr().out.startswith("1 line of ")


@pytest.mark.parametrize("line", ["[" * 100_000, "{}", '{"key": "\\ud800"}', "9" * 5000, "null"])
def test_a_batch_goes_on_after_lines_that_are_no_records(
    line: str, finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = finished / "journal.jsonl"
    path.write_text(f"{line}\n{path.read_text('utf-8')}{line}\n", "utf-8")
    assert run_batch(tmp_path / "spec.yaml", Options(finished), "again")
    said = capsys.readouterr().out
    assert said.startswith("2 lines of ") and "what is missing is repeated" in said
    assert "0 to run" in said


def test_a_metric_larger_than_any_float_is_no_number_of_the_page(
    finished: Path, tmp_path: Path
) -> None:
    lines = [each | {"metrics": {"accuracy": 10**400}} for each in journal(finished)]
    (finished / "journal.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    assert run_batch(tmp_path / "spec.yaml", Options(finished), "again")


GRADE = {"student": "kim", "assignment": "1", "points": 1, "of": 2.0, "entered": True}


def test_a_batch_and_a_class_keep_out_of_each_others_folders(
    finished: Path, tmp_path: Path
) -> None:
    with pytest.raises(CourseError, match="out holds a batch: name another folder with --out"):
        with journals.held(finished, journals.CLASS, ["results"]):
            pass
    assert not (finished / "results").exists()

    grades = tmp_path / "grades"
    grades.mkdir()
    common = {"key": "1-0123456789abcdef", "status": "ok", "seconds": 1.0}
    (grades / "journal.jsonl").write_text(json.dumps(common | GRADE), "utf-8")
    for act in (run_batch, lambda *given: driver.show_plan(*given[:2])):
        with pytest.raises(CourseError, match="grades holds a class's grades: name another"):
            act(tmp_path / "spec.yaml", Options(grades), "again")
    assert {path.name for path in grades.iterdir()} == {"journal.jsonl"}


def test_a_key_changes_with_everything_that_could_change_the_result() -> None:
    def notebook(source: str, output: str = "", tags: tuple[str, ...] = ()) -> str:
        cell = {"cell_type": "code", "source": source, "metadata": {"tags": list(tags)}}
        return json.dumps({"cells": [cell | {"outputs": [output]}]})

    first = keys.run_key("a", notebook("x"), {"seed": 1}, "course", {})
    assert first == keys.run_key("a", notebook("x", output="new"), {"seed": 1}, "course", {})
    others = [
        keys.run_key("b", notebook("x"), {"seed": 1}, "course", {}),
        keys.run_key("a", notebook("y"), {"seed": 1}, "course", {}),
        keys.run_key("a", notebook("x", tags=("parameters",)), {"seed": 1}, "course", {}),
        keys.run_key("a", notebook("x"), {"seed": 2}, "course", {}),
        keys.run_key("a", notebook("x"), {"seed": 1}, "other", {}),
        keys.run_key("a", notebook("x"), {"seed": 1}, "course", {"COURSE_DATA": "real"}),
        keys.run_key("a", "no notebook", {"seed": 1}, "course", {}),
    ]
    assert len({first, *others}) == 8


def test_a_change_in_utils_or_in_the_lock_changes_the_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "utils"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.setattr(digest.utils, "__file__", str(package / "__init__.py"))
    monkeypatch.setattr(digest, "ROOT", tmp_path)
    digests = [digest.course_digest()]
    for path in (package / "data.py", tmp_path / "requirements.lock"):
        path.write_text("changed")
        digests.append(digest.course_digest())
    assert len(set(digests)) == 3


def test_each_failure_has_its_status_and_none_hurts_its_neighbours(tmp_path: Path) -> None:
    write_tiny(tmp_path)
    (tmp_path / "broken.ipynb").write_text("no notebook")
    write_tiny(tmp_path, "nokernel")
    path = tmp_path / "nokernel.ipynb"
    path.write_text(path.read_text().replace('"python3"', '"no-such"'))
    modes = "[ok, error, exit, hang, memory, print, remove, leave]"
    tiny = write_spec(tmp_path, f"grid: {{mode: {modes}}}\ntimeout: 15\nmemory: 1 GB\n")
    others = tmp_path / "others.yaml"
    others.write_text("lessons: [broken.ipynb, nokernel.ipynb]\nretries: 0\n")
    out = tmp_path / "out"

    process = start(tiny, out, "--retries", "1", "--workers", "4")
    said, _ = process.communicate(timeout=200)
    assert process.returncode == 1, said
    found = {line["parameters"]["mode"]: line for line in journal(out)}
    assert {mode: line["status"] for mode, line in found.items()} == {
        "ok": "ok",
        "error": "cell_error",
        "exit": "dead_kernel",
        "hang": "timeout",
        "memory": "dead_kernel",
        "print": "ok",
        "remove": "ok",
        "leave": "ok",
    }
    bad = {mode: line["failure"] for mode, line in found.items() if line["failure"]}
    assert {(each["lesson"], each["cell_id"], each["section"]) for each in bad.values()} == {
        ("tiny", "deed", "The deed")
    }
    assert "ZeroDivisionError" in bad["error"]["traceback"]
    assert "more than 1,000 MB of memory" in bad["memory"]["message"]
    assert "not now" not in bad["exit"]["last_lines"]
    assert {mode: line["attempts"] for mode, line in found.items() if line["attempts"] > 1} == {
        "exit": 2
    }
    assert (out / "runs" / f"{found['print']['key']}.ipynb").stat().st_size < 3_000_000
    assert wait_for_end(process, 5) == []

    code, _ = run(others, out)
    assert code == 1
    assert {line["lesson"]: line["status"] for line in journal(out)[len(found) :]} == {
        "broken": "unreadable",
        "nokernel": "start_failed",
    }


def test_a_kernel_that_dies_once_is_tried_again_and_failures_on_demand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tiny(tmp_path)
    spec = write_spec(tmp_path, "grid: {mode: [once, ok]}\n")
    marker = tmp_path / "marker"
    monkeypatch.setenv("MARKER", str(marker))
    options = Options(tmp_path / "a", retries=0)
    assert not run_batch(spec, options, "again")
    assert "again --only failed" in capsys.readouterr().out
    assert statuses(tmp_path / "a") == {"dead_kernel": 1, "ok": 1}
    assert run_batch(spec, options._replace(only_failed=True), "again")
    assert "1 to run" in capsys.readouterr().out
    assert [line["status"] for line in journal(tmp_path / "a")][-1] == "ok"

    marker.unlink()
    assert run_batch(spec, Options(tmp_path / "b"), "again")
    assert "again: tiny" in capsys.readouterr().out
    assert {line["parameters"]["mode"]: line["attempts"] for line in journal(tmp_path / "b")} == {
        "once": 2,
        "ok": 1,
    }


def test_a_run_works_in_a_folder_of_its_own_beside_the_notebooks_neighbours(
    tmp_path: Path,
) -> None:
    (tmp_path / "neighbour.txt").write_text("found")
    extra = "assert open('neighbour.txt').read() == 'found'\nopen('mine', 'x').close()"
    write_tiny(tmp_path, extra=extra)
    assert run_batch(write_spec(tmp_path, GRID), Options(tmp_path / "out"), "again")
    assert not (tmp_path / "mine").exists()


def test_threads_are_shared_out_between_the_workers(tmp_path: Path) -> None:
    names = ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    extra = f"import os\nassert [os.environ[n] for n in {names!r}] == ['1'] * 3, os.environ"
    write_tiny(tmp_path, extra=extra)
    many = Options(tmp_path / "out", workers=os.cpu_count())
    assert run_batch(write_spec(tmp_path, "seeds: [1]"), many, "again")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no shares")
@pytest.mark.parametrize("kernel", ["warm", "fresh"])
def test_a_run_has_its_share_of_the_processors(tmp_path: Path, kernel: Kind) -> None:
    """Threads between operations, which wait for each other, stay as many as without a share."""
    all_ = sorted(os.sched_getaffinity(0))
    extra = f"""\
import os, threading
found = []
ask = lambda: found.append((sorted(os.sched_getaffinity(0)), os.sched_getscheduler(0)))
ask()
thread = threading.Thread(target=ask)
thread.start(); thread.join()
assert found == [({all_[:1]}, os.SCHED_BATCH)] * 2, found
import tensorflow as tf
@tf.function
def inner(x):
    return 2.0 * x
@tf.function
def outer(x):
    return tf.py_function(lambda value: inner(value) + 1.0, [x], tf.float32)
assert outer(tf.constant(3.0)) == 7.0
"""
    write_tiny(tmp_path, extra=extra)
    many = Options(tmp_path / "out", workers=len(all_), timeout=60.0, kernel=kernel)
    assert run_batch(write_spec(tmp_path, "seeds: [1]"), many, "again")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no shares")
@pytest.mark.parametrize("aside", [True, False])
def test_planning_leaves_a_processor_to_a_new_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, aside: bool
) -> None:
    ours, plan, there = os.sched_getaffinity(0), driver.plan, []

    def planned(*given: Any, **named: Any) -> Any:
        there.append(os.sched_getaffinity(0))
        return plan(*given, **named)

    monkeypatch.setattr(driver, "plan", planned)
    write_tiny(tmp_path)
    driver.show_plan(write_spec(tmp_path, GRID), Options(tmp_path / "out", aside=aside))
    assert there == [(ours - {min(ours)} or ours) if aside else ours]
    assert os.sched_getaffinity(0) == ours


def test_utils_that_change_while_a_batch_runs_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tiny(tmp_path)
    monkeypatch.setattr("course.batch.plan.course_digest", lambda: "as it was")
    spec = write_spec(tmp_path, "retries: 0")
    assert not run_batch(spec, Options(tmp_path / "out"), "again")
    (line,) = journal(tmp_path / "out")
    assert line["status"] == "start_failed" and "the same checkout" in line["failure"]["message"]


def test_a_dry_run_prints_the_runs_and_a_time_and_runs_nothing(
    finished: Path, tmp_path: Path
) -> None:
    write_spec(tmp_path, GRID.replace("[1, 2]", "[1, 2, 3]"))
    before = journal(finished)
    code, said = run(tmp_path / "spec.yaml", finished, "--dry-run")
    assert code == 0 and journal(finished) == before
    assert said.count("to run  ") == 2 and said.count("ok  ") == 4
    assert "About " in said and "by earlier runs" in said
    code, said = run(tmp_path / "spec.yaml", tmp_path / "new", "--dry-run")
    assert code == 0 and "No run has been timed" in said and not (tmp_path / "new").exists()


def test_a_dry_run_names_what_is_no_notebook(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tiny(tmp_path)
    (tmp_path / "broken.ipynb").write_text('{"cells": 5}')
    spec = write_spec(tmp_path, "lessons: [tiny.ipynb, broken.ipynb]")
    assert not driver.show_plan(spec, Options(tmp_path / "out"))
    tiny, broken = capsys.readouterr().out.splitlines()[:2]
    assert tiny.endswith("tiny") and broken.endswith("broken  is no notebook")


def test_a_log_gets_a_plain_line_for_each_run(tmp_path: Path) -> None:
    write_tiny(tmp_path)
    spec = write_spec(tmp_path, "grid: {mode: [ok, error]}")
    code, said = run(spec, tmp_path / "out", "--workers", "1")
    assert code == 1 and "\x1b" not in said
    lines = said.splitlines()
    assert lines[0] == "2 runs: 2 to run."
    assert lines[1].startswith("✓ 1/2  tiny  mode ok") and "left]" in lines[1]
    assert lines[2].startswith("✗ 2/2  tiny  mode error") and "ZeroDivisionError" in lines[2]
    assert lines[3].startswith("2 runs: 1 ok, 1 cell error -> ")


@pytest.mark.parametrize(
    ("text", "options", "sentences"),
    [
        ("grids: {}\nseeds: []", [], ["2 mistakes", "line 2: there is no key", "line 3: seeds"]),
        ("seeds: [1]", ["--memory", "5"], ["--memory 5 should be a size such as 2GB"]),
        ("seeds: [1]", ["--out", "spec.yaml/out"], ["spec.yaml/out cannot be written"]),
        ("seeds: [1]", ["--scheduler", "tcp://127.0.0.1:1"], ["No Dask scheduler answers at"]),
    ],
)
def test_mistakes_in_the_file_and_options_are_sentences(
    text: str,
    options: list[str],
    sentences: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_tiny(tmp_path)
    write_spec(tmp_path, text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("course.workers.cluster.CONNECT", 2)
    result = CliRunner().invoke(main, ["batch", "spec.yaml", "--out", "out", *options])
    assert result.exit_code == 1 and result.stderr.startswith("Error: ")
    assert all(sentence in result.stderr for sentence in sentences), result.stderr
    assert "Traceback" not in result.output


@pytest.fixture(scope="module")
def at_work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the cluster's workers are, and what they have started."""
    return tmp_path_factory.mktemp("dask")


@pytest.fixture(scope="module")
def scheduler(at_work: Path) -> Iterator[tuple[str, list]]:
    with dask_cluster(at_work, {}) as found:
        yield found


def test_ctrl_c_stops_what_runs_on_a_cluster(
    scheduler: tuple[str, list], at_work: Path, tmp_path: Path
) -> None:
    write_tiny(tmp_path)
    spec = write_spec(tmp_path, "parameters: {mode: hang}\nseeds: [1, 2, 3]")
    process = start(spec, tmp_path / "out", "--scheduler", scheduler[0])
    wait_for(lambda: len(workers_of(at_work)) == 2)
    process.send_signal(2)
    began = time.monotonic()
    said, _ = process.communicate(timeout=30)
    assert time.monotonic() - began < 5 and "Stopped with 3 of 3 runs to go" in said, said
    wait_for(lambda: not workers_of(at_work), 5)


def test_a_cluster_runs_the_same_batch_and_survives_the_death_of_a_worker(
    scheduler: tuple[str, list], at_work: Path, tmp_path: Path
) -> None:
    address, (_, first, _) = scheduler
    write_tiny(tmp_path)
    spec = write_spec(tmp_path, "parameters: {seconds: 0.5}\nseeds: [1, 2, 3, 4, 5, 6]\n")
    out = tmp_path / "out"
    process = start(spec, out, "--scheduler", address)
    wait_for(lambda: journal(out))
    first.kill()
    said, _ = process.communicate(timeout=100)
    assert process.returncode == 0, said
    assert statuses(out) == {"ok": 6}
    assert len({line["key"] for line in journal(out)}) == 6
    assert len(list((out / "runs").glob("*.html"))) == 6
    wait_for(lambda: not workers_of(at_work), 5)


def test_ctrl_c_stops_within_five_seconds_and_says_how_to_go_on(tmp_path: Path) -> None:
    write_tiny(tmp_path)
    spec = write_spec(tmp_path, "runs: [{mode: ok}, {mode: hang}, {mode: hang, seed: 2}]")
    out = tmp_path / "out"
    process = start(spec, out, "--workers", "2")
    wait_for(lambda: journal(out))
    time.sleep(0.5)
    process.send_signal(2)
    began = time.monotonic()
    said, _ = process.communicate(timeout=30)
    assert time.monotonic() - began < 5
    assert process.returncode == 130 and "Stopped with 2 of 3 runs to go" in said
    assert f"batch {spec} --out {out} --workers 2" in said and "Traceback" not in said
    assert wait_for_end(process, 2) == []
    assert statuses(out) == {"ok": 1}
    assert "2 skipped" in (out / "index.html").read_text("utf-8")


def test_a_second_ctrl_c_stops_at_once(tmp_path: Path) -> None:
    write_tiny(tmp_path)
    process = start(write_spec(tmp_path, "runs: [{mode: hang}]"), tmp_path / "out")
    wait_for(lambda: kernels(process))
    process.send_signal(2)
    process.send_signal(2)
    process.communicate(timeout=5)
    assert process.returncode in (130, -2)
    assert wait_for_end(process, 3) == []


def test_a_second_batch_on_the_same_folder_says_so_and_stops(tmp_path: Path) -> None:
    write_tiny(tmp_path)
    out = tmp_path / "out"
    with (
        journals.held(out, journals.BATCH),
        pytest.raises(CourseError, match="Another command is writing to"),
    ):
        run_batch(write_spec(tmp_path, "seeds: [1]"), Options(out), "again")
    assert journal(out) == []


def test_a_full_disk_stops_the_batch_in_a_sentence_and_keeps_what_was_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tiny(tmp_path)
    whole = driver.append

    def full(folder: Path, record: journals.Record) -> None:
        if journal(folder):
            raise OSError(28, "No space left on device")
        whole(folder, record)

    monkeypatch.setattr(driver, "append", full)
    spec = write_spec(tmp_path, "seeds: [1, 2, 3]")
    with pytest.raises(CourseError, match=r"No space left on device.*make room"):
        run_batch(spec, Options(tmp_path / "out", workers=1), "again")
    monkeypatch.setattr(driver, "append", whole)
    assert run_batch(spec, Options(tmp_path / "out"), "again")
    assert len({line["key"] for line in journal(tmp_path / "out")}) == 3
    assert len(journal(tmp_path / "out")) == 3
