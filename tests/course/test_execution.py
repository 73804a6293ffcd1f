"""What becomes of a notebook that is run: each status, and what is written."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from course.execution import execute
from course.kernels.provisioner import Kind
from course.kernels.usual import NATIVE_LOG, kernel_environment
from utils.errors import CourseError
from utils.metrics import MIME_TYPE

WriteNotebook = Callable[..., Path]

METRICS = f"""\
from IPython.display import display

display({{"{MIME_TYPE}": {{"accuracy": 0.5 + seed, "data": "stand-in"}}}}, raw=True)"""


def test_a_lesson_that_runs_to_its_end_gives_its_metrics(
    write_notebook: WriteNotebook, tmp_path: Path
) -> None:
    notebook = write_notebook("fine", ("parameters", "seed = 1  # a seed"), METRICS)
    result = execute(notebook, tmp_path / "out" / "fine.ipynb", {"seed": 7})
    assert (result.status, result.failure) == ("ok", None)
    assert result.metrics == {"accuracy": 7.5, "data": "stand-in"}


def test_the_kernel_works_in_the_notebooks_folder_and_no_path_is_left_in_the_metadata(
    write_notebook: WriteNotebook, tmp_path: Path
) -> None:
    notebook = write_notebook("here", "print(open('neighbour.txt').read())")
    (notebook.parent / "neighbour.txt").write_text("found")
    output = tmp_path / "out" / "here.ipynb"
    assert execute(notebook, output).status == "ok"
    written = nbformat.read(output, as_version=4)
    assert written.cells[0].outputs[0].text == "found\n"
    assert str(tmp_path) not in json.dumps(written.metadata)


def test_cells_are_announced_with_their_number_and_section(
    write_notebook: WriteNotebook, tmp_path: Path
) -> None:
    notebook = write_notebook("told", "# Title", "1", "## Second\n\n```\n# no heading\n```", "2")
    told: list[tuple[int, int, str]] = []
    execute(notebook, tmp_path / "told.ipynb", on_cell=lambda *cell: told.append(cell))
    assert told == [(1, 2, "Title"), (2, 2, "Second")]


def test_a_failing_cell_is_named_with_its_section_source_and_plain_traceback(
    write_notebook: WriteNotebook, tmp_path: Path
) -> None:
    notebook = write_notebook(
        "bad",
        ("parameters", "seed = 1"),
        "## Dividing",
        "def invert(x):\n    return 1 / x",
        "invert(0)",
        "print('never')",
    )
    output = tmp_path / "out" / "bad.ipynb"
    result = execute(notebook, output, {"seed": 2})
    failure = result.failure
    assert result.status == "cell_error" and failure is not None
    assert (failure.lesson, failure.section, failure.cell_id) == ("bad", "Dividing", "cell-3")
    assert (failure.cell_index, failure.source) == (3, "invert(0)")
    assert (failure.error, failure.message) == ("ZeroDivisionError", "division by zero")
    assert "----> 2     return 1 / x" in failure.traceback and "\x1b" not in failure.traceback
    assert "never" not in [out.get("text") for out in nbformat.read(output, 4).cells[-1].outputs]
    assert result.output == output


@pytest.mark.parametrize("kernel", ["warm", "fresh"])
def test_an_error_whose_text_no_file_can_hold_is_an_error_of_its_cell(
    kernel: Kind, write_notebook: WriteNotebook, tmp_path: Path
) -> None:
    notebook = write_notebook("bad", "# Title", r"raise ValueError('bad \ud800 text')", "1")
    result = execute(notebook, tmp_path / "out" / "bad.ipynb", kernel=kernel)
    assert result.status == "cell_error" and result.failure is not None
    assert (result.failure.cell_id, result.failure.section) == ("cell-1", "Title")
    assert r"'\ud800' in position" in result.failure.message
    json.dumps(result.failure, ensure_ascii=False).encode()


def test_a_course_error_shows_its_sentence_alone(
    write_notebook: WriteNotebook, tmp_path: Path
) -> None:
    notebook = write_notebook(
        "zero",
        ("parameters", "epochs = 1"),
        "from utils.parameters import check_parameters\n\ncheck_parameters(epochs=epochs)",
    )
    failure = execute(notebook, tmp_path / "zero_out.ipynb", {"epochs": 0}).failure
    assert failure is not None
    assert (failure.error, failure.traceback) == ("CourseError", "")
    assert failure.message.startswith("This lesson cannot run with these parameters: epochs = 0")


@pytest.mark.parametrize(
    ("dying", "how"),
    [
        ("import os\n\nos._exit(3)", "with exit status 3"),
        ("import ctypes\n\nctypes.string_at(0)", "by SIGSEGV"),
        ("import os\n\nos.kill(os.getpid(), 9)", "by SIGKILL (was there too little memory?)"),
    ],
)
def test_a_dead_kernel_is_noticed_within_five_seconds_and_how_it_died(
    dying: str, how: str, write_notebook: WriteNotebook, tmp_path: Path
) -> None:
    notebook = write_notebook("dies", "# Dies", dying, "print('never')")
    times: list[float] = []
    result = execute(
        notebook, tmp_path / "dead.ipynb", on_cell=lambda *_: times.append(time.monotonic())
    )
    assert result.status == "dead_kernel"
    assert time.monotonic() - times[-1] < 5
    assert result.failure is not None and result.failure.cell_id == "cell-1"
    assert result.failure.message == f"the kernel died in this cell {how}"


def test_a_lesson_that_ends_itself_early_is_never_ok(
    write_notebook: WriteNotebook, tmp_path: Path
) -> None:
    notebook = write_notebook("leaves", "import sys\n\nsys.exit()", "print('never')")
    result = execute(notebook, tmp_path / "left.ipynb")
    assert result.status == "cell_error"
    assert result.failure is not None and result.failure.cell_id == "cell-0"


def test_a_lesson_that_takes_too_long_is_stopped(
    write_notebook: WriteNotebook, tmp_path: Path
) -> None:
    endless = """\
import time

while True:
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        pass"""
    notebook = write_notebook("slow", "1", endless)
    start = time.monotonic()
    result = execute(notebook, tmp_path / "slow.ipynb", timeout=5)
    assert result.status == "timeout" and time.monotonic() - start < 15
    assert result.failure is not None and result.failure.cell_id == "cell-1"
    assert result.failure.message == "the lesson did not finish within 5 seconds"


def test_the_time_limit_is_that_of_the_whole_lesson(
    write_notebook: WriteNotebook, tmp_path: Path
) -> None:
    notebook = write_notebook("steps", *["import time\n\ntime.sleep(1.5)"] * 8)
    result = execute(notebook, tmp_path / "steps.ipynb", timeout=6)
    assert result.status == "timeout"


@pytest.mark.parametrize(
    "text", ["no notebook", '{"cells": 1}', "[]", "", "[" * 100_000], ids=range(5)
)
def test_a_file_that_is_no_notebook_is_unreadable(text: str, tmp_path: Path) -> None:
    notebook = tmp_path / "text.ipynb"
    notebook.write_text(text)
    result = execute(notebook, tmp_path / "out.ipynb")
    assert (result.status, result.output) == ("unreadable", None)
    assert result.failure is not None and result.failure.message
    assert result.failure.error not in ("AttributeError", "TypeError", "RecursionError")


def test_an_unknown_kernel_does_not_start(write_notebook: WriteNotebook, tmp_path: Path) -> None:
    result = execute(write_notebook("odd", "1", kernel="no-such"), tmp_path / "out.ipynb")
    assert result.status == "start_failed"
    assert result.failure is not None and "no-such" in result.failure.message
    assert not (tmp_path / "out.ipynb").exists()


def test_an_unknown_parameter_is_named_with_the_nearest_one(
    write_notebook: WriteNotebook, tmp_path: Path
) -> None:
    notebook = write_notebook("fit", ("parameters", "epochs = 5\nseed: int = 1"))
    with pytest.raises(CourseError, match=r"'epoch': did you mean epochs\?"):
        execute(notebook, tmp_path / "out.ipynb", {"epoch": 1})


def test_a_folder_that_cannot_be_written_is_one_sentence(
    write_notebook: WriteNotebook, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CourseError, match="cannot be written"):
        execute(write_notebook("fine", "1"), tmp_path / "file" / "out.ipynb")


def test_nothing_but_the_output_is_left_in_its_folder(
    write_notebook: WriteNotebook, tmp_path: Path
) -> None:
    execute(write_notebook("fine", "1"), tmp_path / "out" / "fine.ipynb")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["fine.ipynb"]


def test_a_kernel_gets_the_data_folder_as_an_absolute_path_and_figures_inline(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERAS_HOME", "keras")
    monkeypatch.setenv("MPLBACKEND", "agg")
    environment = kernel_environment()
    assert environment["KERAS_HOME"] == str(tmp_path / "keras")
    assert "MPLBACKEND" not in environment


def test_only_log_lines_of_native_code_are_taken_out() -> None:
    text = (
        "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
        "E0000 00:00:1795425160.196232   24280 cuda_platform.cc:52] failed call to cuInit\n"
        "UserWarning: this one is for the reader\n"
    )
    assert NATIVE_LOG.sub("", text) == "UserWarning: this one is for the reader\n"
