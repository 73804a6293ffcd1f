"""The plugin on tiny notebooks, run by a pytest of their own."""

from __future__ import annotations

import base64
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_notebook, new_output

ROOT = Path(__file__).parents[1]
# What is written past Python reaches the kernel through a pipe, in which it may take a moment.
C_CODE = "import os, time; _ = os.write(1, b'from C'); time.sleep(0.5)"
KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}

DRAW = """\
from IPython.display import HTML
import base64, io, matplotlib
from matplotlib.figure import Figure
def draw(line, alt, hinting="default"):
    with matplotlib.rc_context({"text.hinting": hinting}):
        figure, png = Figure(), io.BytesIO()
        if line:
            figure.subplots().plot(line)
        figure.savefig(png, format="png")
    data = base64.b64encode(png.getvalue()).decode()
    return HTML(f'<img alt="{alt}" src="data:image/png;base64,{data}">')"""


def cell(name: str, source: str, *outputs: dict, tags: tuple[str, ...] = ()) -> dict:
    return new_code_cell(
        source, id=name, execution_count=1, outputs=list(outputs), metadata={"tags": list(tags)}
    )


def printed(text: str) -> dict:
    return new_output("stream", name="stdout", text=text)


def result(text: str) -> dict:
    return new_output("execute_result", {"text/plain": text}, execution_count=1)


def figure() -> dict:
    drawn, png = Figure(), io.BytesIO()
    drawn.subplots().plot([1, 4, 2])
    drawn.savefig(png, format="png")
    data = base64.b64encode(png.getvalue()).decode()
    html = f'<img alt="A line: 1, 4, 2." src="data:image/png;base64,{data}">'
    plain = "<IPython.core.display.HTML object>"
    return new_output("execute_result", {"text/plain": plain, "text/html": html}, execution_count=1)


class Run:
    """What a pytest over one notebook said."""

    def __init__(self, folder: Path, *cells: dict, options: str = "--nbval", **environment: str):
        notebook = folder / "lesson.ipynb"
        nbformat.write(new_notebook(cells=list(cells), metadata={"kernelspec": KERNEL}), notebook)
        (folder / "pytest.ini").write_text("[pytest]\n")
        unset = ("COURSE_DATA", "PYTEST_CURRENT_TEST", "PYTEST_ADDOPTS")
        plugins = ("-p", "course.nbval_plugin", "-p", "no:cacheprovider")
        reports = ("-rA", "--color=no", "--durations=0")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *plugins, *reports, *options.split(), notebook.name],
            cwd=folder,
            env={k: v for k, v in os.environ.items() if k not in unset} | environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.text = done.stdout + done.stderr
        self.status = {
            name: status.lower()
            for status, name in re.findall(
                r"^(PASSED|FAILED|XFAIL)(?: at setup of)? .*::Cell \d+ (\S+)", self.text, re.M
            )
        }

    def seconds(self, name: str) -> float:
        """Return how long a cell ran."""
        found = re.search(rf"([\d.]+)s call .*::Cell \d+ {name}$", self.text, re.M)
        assert found, self.text
        return float(found[1])


def test_each_cell_is_compared_by_the_rules_of_the_course(tmp_path: Path) -> None:
    run = Run(
        tmp_path,
        cell("rounded", "print('y =', 4.0000001)", printed("y = 4.0\n")),
        cell("other-number", "3 + 3", result("7")),
        cell("other-word", "'hello'", result("'hallo'")),
        cell("log", "import sys; print('a log line', file=sys.stderr)"),
        cell("clock", "print('took 3.2 ms')", printed("took 900 us\n"), tags=("timing",)),
        cell("weights", "print('Shirt: 0.7')", printed("Coat: 0.4\n"), tags=("trained",)),
        cell("other-text", "print('loss 0.7')", printed("accuracy 0.7\n"), tags=("trained",)),
        cell("c-code", C_CODE, printed("from C")),
    )
    assert run.status == {
        "rounded": "passed",
        "other-number": "failed",
        "other-word": "failed",
        "log": "passed",
        "clock": "passed",
        "weights": "passed",
        "other-text": "failed",
        "c-code": "passed",
    }, run.text
    assert "stored '7', now '6'" in run.text


def test_each_figure_is_compared_by_its_looks(tmp_path: Path) -> None:
    run = Run(
        tmp_path,
        cell("define", DRAW),
        cell("again", "draw([1, 4, 2], 'A line: 1, 4, 2.', 'none')", figure()),
        cell("changed", "draw([1, 2, 4], 'A line: 1, 4, 2.')", figure()),
        cell("blank", "draw([], 'A line: 1, 4, 2.')", figure()),
        cell("no-alt", "draw([1, 4, 2], '')", figure()),
        cell("other-alt", "draw([1, 4, 2], 'A line: 1, 2, 4.')", figure()),
        cell("other-weights", "draw([1, 2, 4], 'A line.')", figure(), tags=("trained",)),
        cell("blank-weights", "draw([], 'A line.')", figure(), tags=("trained",)),
    )
    assert run.status == {
        "define": "passed",
        "again": "passed",
        "changed": "failed",
        "blank": "failed",
        "no-alt": "failed",
        "other-alt": "failed",
        "other-weights": "passed",
        "blank-weights": "failed",
    }, run.text
    saved = tmp_path / "build" / "figures" / "lesson-Cell-2-changed-1.png"
    assert saved.exists() and str(saved) in run.text


@pytest.mark.parametrize(
    "death",
    ["import os; os._exit(0)", "import os, time; os.kill(os.getpid(), 9); time.sleep(60)"],
    ids=["exit", "kill"],
)
def test_a_kernel_that_dies_is_reported_at_its_cell_within_five_seconds(
    death: str, tmp_path: Path
) -> None:
    run = Run(tmp_path, cell("before", "1", result("1")), cell("fatal", death), cell("after", "2"))
    assert run.status == {"before": "passed", "fatal": "failed", "after": "xfail"}, run.text
    assert "kernel died at Cell 1 fatal" in run.text
    assert run.seconds("fatal") < 5


def test_lax_runs_every_cell_and_compares_none(tmp_path: Path) -> None:
    run = Run(
        tmp_path,
        cell("other-number", "3 + 3", result("7")),
        cell("error", "1 / 0"),
        options="--nbval-lax",
    )
    assert run.status == {"other-number": "passed", "error": "failed"}, run.text


@pytest.mark.parametrize("demanded", ["auto", "real"])
def test_outputs_from_the_stand_in_are_not_compared_and_the_summary_says_so(
    demanded: str, tmp_path: Path
) -> None:
    take_the_stand_in = (
        "import sys, types\n"
        "sys.modules['utils.data'] = data = types.ModuleType('utils.data')\n"
        "data.data_source = lambda: 'stand-in'"
    )
    run = Run(
        tmp_path,
        cell("before", "3 + 3", result("7")),
        cell("load", take_the_stand_in),
        cell("data", "'a stand-in'", result("'Fashion-MNIST'")),
        cell("assertion", "assert False"),
        COURSE_DATA=demanded,
    )
    allowed = "passed" if demanded == "auto" else "failed"
    assert run.status == {
        "before": "failed",
        "load": allowed,
        "data": allowed,
        "assertion": "failed",
    }, run.text
    assert ("2 cells ran on the stand-in" in run.text) == (demanded == "auto")
    assert ("COURSE_DATA=real, and this cell ran on the stand-in" in run.text) == (
        demanded == "real"
    )


def test_kernels_are_told_to_be_quiet_and_to_keep_no_history(tmp_path: Path) -> None:
    ask = (
        "import os; shell = get_ipython()\n"
        "print(os.environ['TF_ENABLE_ONEDNN_OPTS'], shell.history_manager.hist_file)"
    )
    run = Run(tmp_path, cell("ask", ask, printed("0 :memory:\n")))
    assert run.status == {"ask": "passed"}, run.text


def test_the_lessons_have_ten_minutes_a_cell(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.option.nbval_cell_timeout == 600
