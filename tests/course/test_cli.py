"""`course run` and its neighbours, as they are typed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from course.cli import main
from utils.metrics import MIME_TYPE

WriteNotebook = Callable[..., Path]

METRICS = f"""\
from IPython.display import display

metrics = {{"accuracy": 0.5 + seed, "data": "stand-in"}}
display({{"{MIME_TYPE}": metrics, "text/plain": str(metrics)}}, raw=True)"""
SEED = ("parameters", "seed = 1")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run `course run` with the arguments, in the test's folder, into its folder `out`."""
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: str | Path) -> Result:
        return CliRunner().invoke(main, ["run", "--out", "out", *map(str, arguments)])

    return invoke


def test_each_lesson_gets_a_line_and_a_failing_one_does_not_stop_the_others(
    write_notebook: WriteNotebook, run: Callable[..., Result], tmp_path: Path
) -> None:
    bad = write_notebook("bad", "## Dividing", "1 / 0")
    fine = write_notebook("fine", "# Fine", SEED, METRICS)
    result = run(bad, fine)
    assert result.exit_code == 1
    first, second, summary = result.stdout.splitlines()
    assert first.startswith("✗ bad   cell error")
    assert second.startswith("✓ fine  ok") and "accuracy 1.5  stand-in data" in second
    assert summary == f"2 lessons: 1 cell error, 1 ok -> {Path('out', 'index.html')}"
    assert "bad: ZeroDivisionError\nin the section 'Dividing', cell cell-1" in result.stderr
    assert len(result.stderr.splitlines()) < 24
    record = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert [each["status"] for each in record] == ["cell_error", "ok"]
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert 'href="fine.html"' in page and "1.5" in page and "<mark>stand-in</mark>" in page
    assert "https:" not in page and "http:" not in page


def test_parameters_reach_the_lesson_as_yaml(
    write_notebook: WriteNotebook, run: Callable[..., Result]
) -> None:
    printed = "assert (rate, name, sizes, on) == (0.001, 'adam', [1, 2], True)"
    notebook = write_notebook("p", ("parameters", "rate = name = sizes = on = None"), printed)
    values = {"rate": "1e-3", "name": "adam", "sizes": "[1, 2]", "on": "true"}
    options = [part for name, value in values.items() for part in ("-p", name, value)]
    result = run(notebook, *options)
    assert result.exit_code == 0, result.output


def test_a_parameter_must_be_one_of_every_lesson_that_is_named(
    write_notebook: WriteNotebook, run: Callable[..., Result], tmp_path: Path
) -> None:
    both = [write_notebook("with", SEED), write_notebook("without", "1")]
    result = run(*both, "-p", "seed", "2")
    assert result.exit_code == 1
    assert result.stderr == "Error: without has no parameter 'seed': there is none.\n"
    assert not (tmp_path / "out").exists()


def test_a_bad_value_ends_in_one_sentence(
    write_notebook: WriteNotebook, run: Callable[..., Result]
) -> None:
    check = "from utils.parameters import check_parameters\n\ncheck_parameters(seed=seed)"
    result = run(write_notebook("checked", SEED, check), "-p", "seed", "many")
    assert result.exit_code == 1
    assert "seed = 'many' should be a whole number" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nothing"], "There is no lesson 'nothing'"),
        (["nothing.ipynb"], "There is no notebook nothing.ipynb"),
        (["notebooks/a.ipynb", "--out", "notebooks"], "would overwrite a"),
        (["notebooks/a.ipynb", "--update", "-p", "seed", "1"], "leave out -p"),
        (["notebooks/a.ipynb", "-p", "seed", "[1"], "cannot be read as YAML"),
        (["notebooks/a.ipynb", "--out", "notebooks/a.ipynb/out"], "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    arguments: list[str],
    sentence: str,
    write_notebook: WriteNotebook,
    run: Callable[..., Result],
) -> None:
    write_notebook("a", SEED)
    result = run(*arguments)
    assert result.exit_code == 1 and sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1 and "Traceback" not in result.output


@pytest.mark.parametrize("content", ["{}", "mine", '{"metadata": {}, "cells": []}'])
def test_what_no_earlier_run_wrote_is_not_overwritten(
    content: str, write_notebook: WriteNotebook, run: Callable[..., Result], tmp_path: Path
) -> None:
    lesson = write_notebook("a", "print('ran')")
    mine = tmp_path / "out" / "a.ipynb"
    mine.parent.mkdir()
    mine.write_text(content)
    result = run(lesson)
    shown = Path("out", "a.ipynb")
    assert result.exit_code == 1
    assert f"--out out would overwrite {shown}: choose another folder." in result.stderr
    assert mine.read_text() == content

    mine.unlink()
    assert run(lesson).exit_code == 0
    assert run(lesson).exit_code == 0 and "papermill" in mine.read_text()


BAD_VALUES = {
    "2020-01-01": "-p n 2020-01-01 should be a finite number, a text, true, false, null or a list",
    "2020-01-01 10:00:00": "should be a finite number",
    "!!set {a}": "should be a finite number",
    "!!bool y": "should be a finite number",
    "!!timestamp x": "should be a finite number",
    "!!binary aGVsbG8=": "should be a finite number",
    ".nan": "should be a finite number",
    "nan": "n = 'nan' should be of type int, like 1 in a",
    "9" * 5000: "9999 ... 9999999999 should be a finite number",
    "[" * 3000: "cannot be read as YAML: its lists lie too deep in each other.",
    "&a [*a]": "holds more than 50 lists in each other",
    "010": "010 is 8 in YAML",
    '"\\ud800"': "is no text that can be written in UTF-8.",
}


@pytest.mark.parametrize("value", BAD_VALUES, ids=lambda value: value[:60])
def test_a_value_that_no_parameter_can_have_is_one_sentence(
    value: str, write_notebook: WriteNotebook, run: Callable[..., Result]
) -> None:
    result = run(write_notebook("a", ("parameters", "n = 1")), "-p", "n", value)
    assert result.exit_code == 1 and BAD_VALUES[value] in result.stderr
    assert len(result.stderr.splitlines()) == 1 and len(result.stderr) < 250


LONG = "x" * 5000 + ".ipynb"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "a", "-p", "n", "1", "-p", "n", "2"], "-p n is given twice: keep one of them."),
        (["run", "a", "-p", "n", "--out", "ro"], "a space and its value: -p n VALUE"),
        (["run", LONG], "There is no notebook xxx"),
        (["run", "--out", ""], "--out '' should be the name of a file or folder."),
        (["check", LONG], "There is no notebook xxx"),
        (["check", ""], "There is no exercise ''"),
        (["batch", "", "--out", "o"], "SPEC.yaml '' should be the name of a file or folder."),
        (["batch", "s", "--out", ""], "--out '' should be the name"),
        (["batch", "s", "--out", "o", "--timeout", "nan"], "--timeout nan should be a number of"),
        (["batch", "s", "--out", "o", "--memory", ""], "--memory '' should be a size such as 2GB"),
        (["batch", "s", "--out", "o", "--memory", "1MB"], "--memory 1MB should be a size such as"),
        (["batch", "s", "--out", "o", "--memory", "9" * 400 + "GB"], "should be a size such as"),
        (
            ["batch", "s", "--out", "o", "--scheduler", "nonsense", "--dry-run"],
            "--scheduler nonsense should be an address such as tcp://host:8786.",
        ),
        (
            ["batch", "s", "--out", "o", "--workers", "100000", "--dry-run"],
            "--workers 100000 are more than this computer has memory for: name at most ",
        ),
        (["grade", "", "--out", "o"], "SUBMITTED '' should be the name of a file or folder."),
        (["grade", ".", "--out", "o", "--timeout", "inf"], "--timeout inf should be a number of"),
        (["grade", ".", "--out", "o", "--cell-timeout", "nan"], "--cell-timeout nan should be a n"),
        (["grade", ".", "--out", "o", "--workers", "100000"], "--workers 100000 are more than"),
        (["grade", ".", "--out", "o", "--gradebook", ""], "--gradebook '' should be an address"),
        (["grade", ".", "--out", "o", "--due", "2", "0001-01-01"], "0001-01-01 is no date"),
        (
            ["grade", ".", "--out", "o", "--due", "2", "9999-12-31T23:59-12:00"],
            "9999-12-31T23:59-12:00 is no date and time",
        ),
        (["bundle", "--out", ""], "--out '' should be the name of a file or folder."),
        (["lab", "--reset", ""], "--reset '' should be the name of a lesson or an exercise."),
    ],
    ids=lambda given: str(given)[:60],
)  # fmt: skip
def test_an_argument_that_cannot_be_used_is_one_sentence(
    arguments: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s").write_text("lessons: [1]")
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code in (1, 2) and sentence in result.stderr
    assert "Traceback" not in result.output and len(result.stderr.splitlines()[-1]) < 300
    assert {path.name for path in tmp_path.iterdir()} == {"s"}


def test_the_folder_of_one_submission_is_no_class(
    write_notebook: WriteNotebook, tmp_path: Path
) -> None:
    write_notebook("02_control_flow", folder="alice")
    arguments = ["grade", str(tmp_path / "alice"), "--out", str(tmp_path / "o")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1 and "it should hold a folder for each student" in result.stderr
    assert not (tmp_path / "o").exists()


def test_an_unknown_option_is_a_usage_error(run: Callable[..., Result]) -> None:
    assert run("--frobnicate").exit_code == 2


@pytest.mark.parametrize("arguments", [["5", "-p", "seed=2"], ["-p", "seed=2", "5"]])
def test_a_parameter_with_an_equals_sign_is_answered_by_how_to_write_it(
    arguments: list[str], run: Callable[..., Result]
) -> None:
    result = run(*arguments)
    assert result.exit_code == 2 and "-p seed 2" in result.stderr.splitlines()[-1]


def test_an_update_leaves_unchanged_cells_byte_for_byte(
    write_notebook: WriteNotebook, run: Callable[..., Result]
) -> None:
    notebook = write_notebook(
        "stored",
        "# Title: 그래디언트",
        "print('same')",
        ("timing", "import time\n\nprint(time.perf_counter(), 's')"),
        "n = 1\nn",
    )
    assert run(notebook, "--update").exit_code == 0
    first = notebook.read_bytes()
    assert "그래디언트".encode() in first and first.endswith(b"}\n") and b"papermill" not in first
    counts = [
        cell["execution_count"]
        for cell in json.loads(first)["cells"]
        if cell["cell_type"] == "code"
    ]
    assert counts == [1, 2, 3]

    assert "stored outputs are fresh" in run(notebook, "--update").stdout
    assert notebook.read_bytes() == first

    edited = first.replace(b"n = 1", b"n = 2")
    notebook.write_bytes(edited)
    assert "refreshed: cell-3" in run(notebook, "--update").stdout
    assert notebook.read_bytes() == edited.replace(b'"1"\n      ]', b'"2"\n      ]')


def test_cells_that_tell_of_one_run_are_refreshed_together(
    write_notebook: WriteNotebook, run: Callable[..., Result]
) -> None:
    notebook = write_notebook(
        "trained",
        ("trained", "import time\n\nweight = time.perf_counter_ns()\nprint('weight', weight)"),
        ("trained", "silent = 1"),
        "print('same')",
        ("trained", "print('the same weight', weight)"),
        ("timing", "print(weight, 'ns')"),
    )

    def weights() -> list[str]:
        return re.findall(r"\d{6,}", notebook.read_text(encoding="utf-8"))

    assert run(notebook, "--update").exit_code == 0
    first = weights()
    assert len(first) == 3 and len(set(first)) == 1

    assert "stored outputs are fresh" in run(notebook, "--update").stdout
    assert weights() == first

    text = notebook.read_text(encoding="utf-8")
    notebook.write_text(text.replace("('the same weight'", "('again'"), encoding="utf-8")
    assert "refreshed: cell-0, cell-3, cell-4" in run(notebook, "--update").stdout
    second = weights()
    assert len(set(second)) == 1 and second[0] != first[0]


def test_an_update_demands_the_real_data(
    write_notebook: WriteNotebook, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_DATA", "stand-in")
    notebook = write_notebook("data", "import os\n\nassert os.environ['COURSE_DATA'] == 'real'")
    assert run(notebook).exit_code == 1
    assert run(notebook, "--update").exit_code == 0


def test_an_update_does_not_touch_a_failing_lesson(
    write_notebook: WriteNotebook, run: Callable[..., Result]
) -> None:
    notebook = write_notebook("bad", "print('new')", "1 / 0")
    before = notebook.read_bytes()
    assert run(notebook, "--update").exit_code == 1
    assert notebook.read_bytes() == before


def test_links_between_lessons_lead_from_page_to_page_and_alt_text_is_kept(
    write_notebook: WriteNotebook, run: Callable[..., Result], tmp_path: Path
) -> None:
    figure = """\
from IPython.display import HTML

HTML('<img alt="A curve that falls" src="data:image/png;base64,iVBORw0KGgo=">')"""
    links = "# Links\n\n[there](02_next.ipynb#A-Heading), [far](https://example.org/x.ipynb)"
    run(write_notebook("01_linked", links, figure), write_notebook("02_next", "# Next"))
    page = (tmp_path / "out" / "01_linked.html").read_text(encoding="utf-8")
    assert 'href="02_next.html#A-Heading"' in page
    assert 'href="https://example.org/x.ipynb"' in page
    assert 'alt="A curve that falls"' in page
    assert "<title>Links</title>" in page


def heed_interrupts() -> None:
    """Undo what a shell does to the jobs that it runs in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interrupted_run_keeps_what_is_done_and_leaves_no_kernel(
    write_notebook: WriteNotebook, tmp_path: Path
) -> None:
    fine = write_notebook("fine", "1")
    started = tmp_path / "pid"
    endless = f"""\
import os
import time

open({str(started)!r}, "w").write(str(os.getpid()))
time.sleep(600)"""
    slow, later = write_notebook("slow", endless), write_notebook("later", "1")
    command = [sys.executable, "-m", "course", "run", fine, slow, later, "--out", "out"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )
    deadline = time.monotonic() + 60
    while not (started.exists() and started.read_text()) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130 and err == "Interrupted.\n"
    assert "3 lessons: 1 ok, 2 skipped" in out
    assert {path.name for path in (tmp_path / "out").glob("*.ipynb")} == {"fine.ipynb"}
    kernel = int(started.read_text())
    while time.monotonic() < deadline:
        try:
            os.kill(kernel, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail(f"the kernel {kernel} is still there")


def test_a_terminal_shows_one_line_a_lesson(write_notebook: WriteNotebook, tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    notebook = write_notebook("fine", "# Fine", "## Waiting", "import time\n\ntime.sleep(1)")
    reader, writer = pty.openpty()
    command = [sys.executable, "-m", "course", "run", str(notebook), "--out", "out"]
    subprocess.run(command, cwd=tmp_path, stdout=writer, stderr=writer, check=True)
    os.close(writer)
    shown = b""
    try:
        while block := os.read(reader, 65536):
            shown += block
    except OSError:  # Linux: the other end is closed
        pass
    os.close(reader)
    assert "cell 1/1  Waiting" in shown.decode()
    assert "✓ fine" in shown.decode()


@pytest.mark.parametrize("command", [[], ["run"], ["lab"], ["doctor"]])
def test_help_reads_as_documentation(command: list[str]) -> None:
    result = CliRunner().invoke(main, [*command, "--help"])
    assert result.exit_code == 0 and len(result.stdout.split()) > 20
