"""`course batch`: checked whole, resumable, and one bad run never hurts its neighbours."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner, Result

from course.cli import main
from utils.metrics import MIME_TYPE

WriteNotebook = Callable[..., Path]
Batch = Callable[..., Result]

PARAMETERS = ("parameters", 'seed = 1\nwidth = 2\nhow = "well"')
BODY = f"""\
import os
import time
from IPython.display import display

if how == "badly":
    raise ValueError("this run was told to fail")
if how == "deadly":
    os._exit(3)
if how == "greedily":
    taken = [b"x" * 10**8 for _ in range(100) if not time.sleep(0.1)]
if how == "slowly":
    time.sleep(600)
metrics = {{"accuracy": 0.5 + 0.1 * width + 0.01 * seed, "loss": [1.0, 0.5 / width]}}
display({{"{MIME_TYPE}": metrics, "text/plain": str(metrics)}}, raw=True)"""


@pytest.fixture
def lesson(write_notebook: WriteNotebook) -> Path:
    """A notebook without TensorFlow that ends as its parameter `how` says."""
    return write_notebook("tiny", "# Tiny", PARAMETERS, BODY)


@pytest.fixture
def batch(tmp_path: Path, lesson: Path) -> Batch:
    """Write a spec for the tiny lesson and run `course batch` on it."""

    def run(spec: str, *options: str) -> Result:
        path = tmp_path / "spec.yaml"
        path.write_text(f"lessons: [{lesson}]\n{spec}", encoding="utf-8")
        return CliRunner().invoke(main, ["batch", str(path), "--out", str(out(tmp_path)), *options])

    return run


def out(folder: Path) -> Path:
    return folder / "out"


def journal(folder: Path) -> list[dict[str, Any]]:
    lines = (out(folder) / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_a_grid_with_seeds_is_run_and_told_on_one_page(batch: Batch, tmp_path: Path) -> None:
    result = batch("grid: {width: [2, 3]}\nseeds: [1, 2]\n", "--workers", "2")
    assert result.exit_code == 0, result.output
    assert "4 runs: 4 ok" in result.output
    records = journal(tmp_path)
    assert sorted((r["parameters"]["width"], r["parameters"]["seed"]) for r in records) == [
        (2, 1),
        (2, 2),
        (3, 1),
        (3, 2),
    ]
    with (out(tmp_path) / "results.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["status"] for row in rows} == {"ok"} and len(rows) == 4
    assert max(float(row["accuracy"]) for row in rows) == pytest.approx(0.82)
    assert len(list((out(tmp_path) / "runs").glob("*.ipynb"))) == 4
    page = (out(tmp_path) / "index.html").read_text(encoding="utf-8")
    assert "width" in page and "0.82" in page
    assert "https://" not in page.replace("https://www.w3.org", "") and "src=" not in page


def test_a_second_run_repeats_nothing_and_a_changed_lesson_everything(
    batch: Batch, lesson: Path, tmp_path: Path
) -> None:
    spec = "seeds: [1, 2]\n"
    assert batch(spec).exit_code == 0
    again = batch(spec)
    assert "2 finished before: 0 to run" in again.output and len(journal(tmp_path)) == 2
    lesson.write_text(lesson.read_text().replace("0.01 * seed", "0.02 * seed"))
    assert "2 runs: 2 to run" in batch(spec).output and len(journal(tmp_path)) == 4


def test_a_journal_cut_in_its_last_line_costs_that_run_only(batch: Batch, tmp_path: Path) -> None:
    spec = "seeds: [1, 2, 3]\n"
    assert batch(spec).exit_code == 0
    path = out(tmp_path) / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-25])
    result = batch(spec)
    assert result.exit_code == 0 and "1 to run" in result.output


def test_a_bad_run_is_named_and_its_neighbours_are_fine(batch: Batch, tmp_path: Path) -> None:
    ways = ", ".join(f"{{how: {how}}}" for how in ("well", "badly", "deadly", "greedily", "slowly"))
    spec = f"runs: [{ways}]\ntimeout: 8\nmemory: 600 MB\n"
    result = batch(spec, "--workers", "2", "--retries", "1")
    assert result.exit_code == 1
    assert "5 runs: 1 ok, 1 cell error, 2 dead kernel, 1 timeout" in result.output
    last = {record["parameters"]["how"]: record for record in journal(tmp_path)}
    assert last["badly"]["status"] == "cell_error" and last["badly"]["attempts"] == 1
    assert "told to fail" in json.dumps(last["badly"]["failure"])
    assert last["deadly"]["status"] == "dead_kernel" and last["deadly"]["attempts"] == 2
    assert "600 MB" in last["greedily"]["failure"]["message"] and last["greedily"]["attempts"] == 1
    assert last["slowly"]["status"] == "timeout" and last["slowly"]["attempts"] == 1
    page = (out(tmp_path) / "index.html").read_text(encoding="utf-8")
    assert "told to fail" in page
    repeated = batch(spec.replace("slowly", "badly, width: 3"), "--only", "failed")
    assert "3 to run" in repeated.output, repeated.output


def test_every_mistake_of_a_spec_is_said_at_once_with_its_line(
    batch: Batch, tmp_path: Path
) -> None:
    spec = "grid: {wdith: [2, 3], seed: []}\nparameters: {width: many}\ntimeout: -4\ncolour: red\n"
    result = batch(spec)
    assert result.exit_code == 1 and "nothing was run" in result.output
    said = result.output
    assert "line 2" in said and "width" in said and "line 4" in said and "line 5" in said
    assert not (out(tmp_path) / "journal.jsonl").exists()
    assert "Traceback" not in said


def test_a_dry_run_shows_the_runs_and_makes_none(batch: Batch, tmp_path: Path) -> None:
    result = batch("grid: {width: [2, 3, 4]}\n", "--dry-run")
    assert result.exit_code == 0 and result.output.count("to run") >= 3
    assert not out(tmp_path).exists() or not list(out(tmp_path).rglob("*.ipynb"))


def test_a_second_batch_on_the_same_folder_says_so_and_stops(batch: Batch, tmp_path: Path) -> None:
    from course.batch.journal import held

    with held(out(tmp_path)):
        result = batch("seeds: [1]\n")
    assert result.exit_code == 1 and "Another batch is writing" in result.output


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["ctrl_c", "killed"])
def test_a_stopped_batch_leaves_nothing_running_and_continues(
    how: signal.Signals, batch: Batch, lesson: Path, tmp_path: Path
) -> None:
    spec = tmp_path / "spec.yaml"
    runs = ", ".join(f"{{seed: {seed}}}" for seed in (1, 2, 3))
    text = f"lessons: [{lesson}]\nruns: [{runs}, {{how: slowly}}]\n"
    spec.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "course", "batch", str(spec), "--out", str(out(tmp_path))]
    with subprocess.Popen(
        [*command, "--workers", "2"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as driver:
        wait_until(
            lambda: (out(tmp_path) / "journal.jsonl").exists() and len(journal(tmp_path)) > 0
        )
        children = psutil.Process(driver.pid).children(recursive=True)
        assert children
        start = time.monotonic()
        driver.send_signal(how)
        said, _ = driver.communicate(timeout=30)
        assert time.monotonic() - start < 6
    if how == signal.SIGINT:
        assert "To continue" in said and driver.returncode != 0
    wait_until(lambda: not [each for each in children if alive(each)], most=10)
    before = [record["key"] for record in journal(tmp_path)]
    again = batch(f"runs: [{runs}]\n")
    assert again.exit_code == 0, again.output
    keys = [record["key"] for record in journal(tmp_path)]
    assert keys[: len(before)] == before and len(keys) == len(set(keys))


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(holds: Callable[[], object], most: float = 90) -> None:
    start = time.monotonic()
    while not holds():
        assert time.monotonic() - start < most, "it took too long"
        time.sleep(0.1)
