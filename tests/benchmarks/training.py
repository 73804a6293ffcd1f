"""How fast lesson 7 trains, beside Keras, PyTorch, JAX and the matrix products alone.

Every contender trains the same network (784-128-10, relu) with the same Adam (epsilon 1e-7) on
the same images, 32 a step, reshuffled each epoch, in a process of its own. They take turns, an
epoch each, so that whatever else the machine does slows all of them; a rest before each turn
lets the threads of the one before fall asleep. The lesson's contender is the lesson: its cells
are read from the notebook.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import numpy as np
from rich.console import Console
from rich.table import Table

from utils.data import load_fashion_mnist

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "07_fast_training.ipynb"
CELLS = (
    "parameters",
    "imports",
    "data",
    "build-model",
    "train-step",
    "train-epoch",
    "orders",
    "build-halves",
)
CONTENDERS = Path(__file__).with_name("contenders.py")
LESSON = "lesson 7, compiled"
PRODUCTS = "matrix products alone"
REST = 0.3  # seconds; NumPy's threads wait for more work, and keep a processor busy, for 0.1 s


class Contender(NamedTuple):
    """A row of the table: the function of `contenders.py` that runs it, and what it imports."""

    function: str
    package: str


ROWS = {
    LESSON: Contender("lesson", "tensorflow"),
    "the same, network in one piece": Contender("lesson_whole", "tensorflow"),
    "in one piece, on one processor": Contender("lesson_whole_alone", "tensorflow"),
    "in two halves, on one processor": Contender("lesson_alone", "tensorflow"),
    "Keras fit": Contender("fit", "tensorflow"),
    "PyTorch eager": Contender("torch_eager", "torch"),
    "PyTorch eager, fused Adam": Contender("torch_fused", "torch"),
    "JAX scan": Contender("jax_scan", "jax"),
    "JAX scan, images as bytes": Contender("jax_scan_bytes", "jax"),
    PRODUCTS: Contender("products", "numpy"),
}


class Measured(NamedTuple):
    """Seconds of each epoch after the first, and the test accuracy at the end (None: no model)."""

    seconds: list[float]
    accuracy: float | None


def run(rounds: int, python: str) -> None:
    """Print the table, and a line about each contender that is not installed."""
    print(f"Training 784-128-10 on 60,000 images, 32 a step: {rounds} epochs each, in turns.")
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors.")
    rows, missing = choose(python or sys.executable)
    for name in missing:
        print(f"{name}: not installed. Name a Python that has it: --python or BENCHMARK_PYTHON.")
    Console(width=100).print(table(measure(rows, rounds)))


def choose(python: str) -> tuple[dict[str, str], list[str]]:
    """Return the interpreter of each row that can run, and the names of those that cannot."""
    rows, missing = {}, []
    for name, contender in ROWS.items():
        own = contender.package in ("tensorflow", "numpy")
        for interpreter in (sys.executable,) if own else (sys.executable, python):
            if _has(interpreter, contender.package):
                rows[name] = interpreter
                break
        else:
            missing.append(name)
    return rows, missing


def measure(
    rows: dict[str, str], rounds: int, train_size: int | None = None
) -> dict[str, Measured]:
    """Time `rounds` epochs of each row in turns, after a first one that is not counted."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        write_inputs(Path(folder), train_size)
        processes = {
            name: stack.enter_context(_contender(python, ROWS[name].function, folder))
            for name, python in rows.items()
        }
        for process in processes.values():
            _ask(process, "epoch")
        seconds: dict[str, list[float]] = {name: [] for name in rows}
        for _ in range(rounds):
            for name, process in processes.items():
                time.sleep(REST)
                seconds[name].append(_ask(process, "epoch"))
        return {name: Measured(seconds[name], _ask(processes[name], "accuracy")) for name in rows}


def write_inputs(folder: Path, train_size: int | None = None) -> None:
    """Write the lesson's cells as the module `lesson` and the images for everyone."""
    sources = {cell.id: cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells}
    cells = [sources[name] for name in CELLS]
    if train_size is not None:
        cells.insert(1, f"train_size = {train_size}")
    (folder / "lesson.py").write_text("\n\n".join(cells), encoding="utf-8")
    data = load_fashion_mnist(train_size=train_size)
    np.savez(
        folder / "data.npz",
        train_images=data.train_images.reshape(-1, 784),
        train_labels=data.train_labels.astype(np.int32),
        test_images=data.test_images.reshape(-1, 784),
        test_labels=data.test_labels.astype(np.int32),
    )


def table(measured: dict[str, Measured]) -> Table:
    """Return medians, how many times as fast the lesson is, and the accuracies."""
    medians = {name: statistics.median(row.seconds) for name, row in measured.items()}
    result = Table("", title="Seconds of one epoch", title_justify="left")
    for heading in (
        "median",
        "fastest",
        "slowest",
        "lesson 7 is faster",
        "of products",
        "accuracy",
    ):
        result.add_column(heading, justify="right")
    for name, row in measured.items():
        result.add_row(
            name,
            f"{medians[name]:.3f}",
            f"{min(row.seconds):.3f}",
            f"{max(row.seconds):.3f}",
            f"{medians[name] / medians[LESSON]:.2f}x",
            f"{medians[name] / medians[PRODUCTS]:.2f}x",
            "" if row.accuracy is None else f"{row.accuracy:.4f}",
        )
    return result


def _has(python: str, package: str) -> bool:
    find = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({package!r}) is None)"
    return subprocess.run([python, "-c", find], check=False).returncode == 0


@contextlib.contextmanager
def _contender(python: str, function: str, folder: str) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", "TF_ENABLE_ONEDNN_OPTS": "0"}
    with open(Path(folder) / f"{function}.log", "w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            [python, CONTENDERS, function, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()


def _ask(process: subprocess.Popen[str], what: str) -> Any:
    assert process.stdin and process.stdout
    process.stdin.write(f"{what}\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        *_, function, folder = map(str, process.args)  # type: ignore[arg-type]
        log = (Path(folder) / f"{function}.log").read_text(encoding="utf-8")
        raise RuntimeError(f"The contender {function} stopped:\n{log[-2000:]}")
    return json.loads(answer)
