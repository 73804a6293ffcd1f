"""A small notebook that does what its parameter says, and batches of it."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import psutil
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from utils.metrics import MIME_TYPE

ROOT = Path(__file__).parents[1]
OWNER = "BATCH_OF_A_TEST"  # a variable by which processes of a test's batch are found
FRESH = "ipykernel_launcher"  # among the words that start a kernel which is no fork

PARAMETERS = "seed = 1\nrate = 0.1\nmode = 'ok'\nseconds = 0.0"
DEEDS = {
    "error": "1 / 0",
    "exit": "import os\n    os._exit(3)",
    "memory": "kept = []\n    while True:\n        kept.append(b'x' * 20_000_000)",
    "print": "for _ in range(100):\n        print('x' * 1_000_000)",
    "remove": "import os, shutil\n    shutil.rmtree(os.getcwd())",
    "leave": "import subprocess\n    subprocess.Popen(['sleep', '600'], start_new_session=True)",
    "hang": "while True:\n        try:\n            time.sleep(60)\n"
    "        except KeyboardInterrupt:\n            print('not now')",
    "once": "import os, pathlib\n    marker = pathlib.Path(os.environ['MARKER'])\n"
    "    if not marker.exists():\n        marker.touch()\n        os._exit(9)",
}
RESULT = f"""\
from IPython.display import display

losses = [1 / (epoch + seed) for epoch in range(4)]
display({{"{MIME_TYPE}": {{"accuracy": 0.5 + rate + seed / 1000, "loss": losses}}}}, raw=True)"""


def write_tiny(folder: Path, name: str = "tiny", extra: str = "") -> Path:
    """Write a notebook whose parameter ``mode`` is "ok" or one of ``DEEDS``."""
    deeds = "\n".join(f"if mode == {mode!r}:\n    {code}" for mode, code in DEEDS.items())
    cells = [
        new_markdown_cell("# Tiny", id="title"),
        new_code_cell(PARAMETERS, id="parameters", metadata={"tags": ["parameters"]}),
        new_markdown_cell("## The deed", id="heading"),
        new_code_cell(f"import time\n\ntime.sleep(seconds)\n{deeds}\n{extra}", id="deed"),
        new_code_cell(RESULT, id="result"),
    ]
    node = new_notebook(cells=cells)
    node.metadata.kernelspec = {"name": "python3", "display_name": "Python", "language": "python"}
    path = folder / f"{name}.ipynb"
    nbformat.write(node, path)
    return path


def write_spec(folder: Path, text: str) -> Path:
    """Write a batch's file, for the tiny notebook unless it names another."""
    path = folder / "spec.yaml"
    path.write_text(text if "lessons" in text else f"lessons: [tiny.ipynb]\n{text}", "utf-8")
    return path


def start(spec: Path, out: Path, *options: str, **variables: str) -> subprocess.Popen[str]:
    """Start `course batch` in a process that keeps its temporary files, and a mark, to itself."""
    scratch = tempfile.mkdtemp(prefix="test-batch-", dir="/tmp")
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    marks = {OWNER: scratch, "TMPDIR": scratch, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "course", "batch", str(spec), "--out", str(out), *options],
        env=os.environ | marks | variables,
        cwd=scratch,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    process.owner = scratch  # type: ignore[attr-defined]
    return process


def run(spec: Path, out: Path, *options: str, **variables: str) -> tuple[int, str]:
    """Run `course batch` to its end; return its exit status and what it printed."""
    process = start(spec, out, *options, **variables)
    said, _ = process.communicate(timeout=300)
    return process.returncode, said


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return all living processes that a batch started, and the batch."""
    return owned(process.owner)  # type: ignore[attr-defined]


def owned(owner: str) -> list[psutil.Process]:
    """Return all living processes with this mark, or at work in the folder of this name.

    What is forked has the environment of its parent, which serves other tests too.
    """
    found = []
    for each in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if each.status() != psutil.STATUS_ZOMBIE and (
                each.environ().get(OWNER) == owner or f"{each.cwd()}/".startswith(f"{owner}/")
            ):
                found.append(each)
    return found


def wait_for_end(process: subprocess.Popen[str], seconds: float) -> list[str]:
    """Wait until nothing of a batch is left; return what still runs after so many seconds."""
    end = time.monotonic() + seconds
    while (left := family(process)) and time.monotonic() < end:
        time.sleep(0.1)
    return [" ".join(each.cmdline()) for each in left if each.is_running()]


def wait_for(what: Any, seconds: float = 60.0) -> Any:
    """Call ``what`` until it returns something true."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
    return found


def kernels(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return the kernels of a batch: fresh ones, and those that a parent has forked."""
    found = []
    for each in family(process):
        with contextlib.suppress(psutil.Error):
            above = each.parent()
            forked = above and _is_parent(above) and _is_parent(each) and not _is_worker(each)
            if FRESH in each.cmdline() or forked:
                found.append(each)
    return found


def _is_parent(process: psutil.Process) -> bool:
    """Tell by its command line whether it is a parent of warm kernels; its forks have the same."""
    return "course.kernels.parent" in " ".join(process.cmdline())


def _is_worker(process: psutil.Process) -> bool:
    """Tell likewise whether it is a worker, or the parent of such."""
    words = " ".join(process.cmdline())
    return "course.batch.lesson_run" in words or "course.workers.worker" in words


def parents(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return the parents of a batch's warm kernels."""
    return list({each.ppid(): each.parent() for each in kernels(process) if each.parent()}.values())


def workers(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return the worker processes of a batch."""
    return workers_of(process.owner)  # type: ignore[attr-defined]


def workers_of(owner: str | Path) -> list[psutil.Process]:
    """Return those of the processes that `owned` finds which are workers."""
    return [each for each in owned(str(owner)) if _is_worker(each)]


def workers_parents(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return what the worker processes of a batch were forked from."""
    above = {each.ppid(): each.parent() for each in workers(process)}
    return [each for each in above.values() if each and _is_worker(each)]


def journal(out: Path) -> list[dict[str, Any]]:
    """Return the whole lines of a journal."""
    try:
        lines = (out / "journal.jsonl").read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines if line.endswith("}")]


def statuses(out: Path) -> dict[str, int]:
    """Count the statuses in a journal."""
    return dict(Counter(line["status"] for line in journal(out)))


VICTIMS: dict[str, Callable[[Any], list[Any]]] = {
    "driver": lambda process: [process],
    "worker": workers,
    "kernel": kernels,
    "parent of kernels": parents,
    "parent of workers": workers_parents,
}


def survive_a_kill(folder: Path, victim: str, draw: random.Random, count: int = 5) -> None:
    """Kill something at a random moment of a batch: nothing may be wrong when it is over.

    The victim is one of `VICTIMS`. Nothing may be lost, repeated after it was journalled, falsely
    ok, or left running.
    """
    write_tiny(folder)
    spec = write_spec(
        folder, f"parameters: {{seconds: 0.6}}\nseeds: {list(range(1, count + 1))}\nretries: 2"
    )
    out = folder / "out"
    process = start(spec, out, "--workers", "2")
    wait_for(lambda: kernels(process))
    time.sleep(draw.uniform(0, 1.5))  # less than the runs take, two at a time
    with contextlib.suppress(psutil.Error):  # it may end by itself in this instant
        draw.choice(wait_for(lambda: VICTIMS[victim](process))).kill()
    before = journal(out) if victim == "driver" else []
    said, _ = process.communicate(timeout=100)
    left = wait_for_end(process, 5)
    assert left == [], f"left running: {left}"
    if victim == "driver":
        code, said = run(spec, out)
        assert code == 0, said
    lines = journal(out)
    assert [line["status"] for line in lines] == ["ok"] * count, said
    assert len({line["key"] for line in lines}) == count
    assert lines[: len(before)] == before
    for line in lines:
        notebook = nbformat.read(out / "runs" / f"{line['key']}.ipynb", as_version=4)
        assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
        assert line["metrics"]["accuracy"] == 0.5 + 0.1 + line["parameters"]["seed"] / 1000
