"""Runs a minute of one fixed notebook: `course batch` beside what people use instead of it.

The notebook trains the MLP for one epoch on 6,000 images. Each contender makes the same runs,
which differ in their seed, once, in processes of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[2]
CELLS = [
    "seed = 1",
    """\
import keras

from utils.data import load_fashion_mnist
from utils.metrics import report_metrics

keras.utils.set_random_seed(seed)
data = load_fashion_mnist(6_000, 1_000)""",
    """\
model = keras.Sequential(
    [
        keras.Input((28, 28)),
        keras.layers.Flatten(),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(data.train_images / 255, data.train_labels, epochs=1, verbose=0)""",
    "loss, accuracy = model.evaluate(data.test_images / 255, data.test_labels, verbose=0)\n"
    'report_metrics(test_accuracy=accuracy, train_loss=history.history["loss"])',
]
# Kernels that start at the same time may take each other's ports, so it tries a run again.
THREADS = """\
import sys
from concurrent.futures import ThreadPoolExecutor
from nbclient.exceptions import DeadKernelError
from papermill import execute_notebook

def run(seed):
    for attempt in range(3):
        try:
            return execute_notebook(
                sys.argv[1], f"out-{seed}.ipynb", {"seed": seed}, progress_bar=False
            )
        except (DeadKernelError, RuntimeError) as error:
            print(error)
    raise SystemExit(1)

with ThreadPoolExecutor(2) as pool:
    list(pool.map(run, range(1, int(sys.argv[2]) + 1)))
"""
PAPERMILL = "papermill --no-progress-bar notebook.ipynb out-{0}.ipynb -p seed {0}"


def write_notebook(folder: Path) -> Path:
    """Write the fixed notebook."""
    cells = [new_code_cell(source, id=f"cell-{i}") for i, source in enumerate(CELLS)]
    cells[0].metadata.tags = ["parameters"]
    node = new_notebook(cells=cells)
    node.metadata.kernelspec = {"name": "python3", "display_name": "Python", "language": "python"}
    path = folder / "notebook.ipynb"
    nbformat.write(node, path)
    return path


def shell_loop(count: int) -> list[str]:
    """One papermill after the other."""
    command = PAPERMILL.format("$seed")
    return ["sh", "-ec", f"for seed in $(seq {count}); do {command}; done"]


def two_at_a_time(count: int) -> list[str]:
    """Two papermills at a time, by xargs."""
    return ["sh", "-ec", f"seq {count} | xargs -P2 -I{{}} {PAPERMILL.format('{}')}"]


def thread_pool(count: int) -> list[str]:
    """Papermill as a library, from two threads, on ordinary kernels."""
    return [sys.executable, "-c", THREADS, "notebook.ipynb", str(count)]


def ours(workers: int) -> Callable[[int], list[str]]:
    """Return the command of `course batch`."""

    def command(count: int) -> list[str]:
        Path("spec.yaml").write_text(
            json.dumps({"lessons": ["notebook.ipynb"], "seeds": list(range(1, count + 1))})
        )
        options = ["--out", "out", "--workers", str(workers)]
        return [sys.executable, "-m", "course", "batch", "spec.yaml", *options]

    return command


CONTENDERS: dict[str, tuple[Callable[[int], list[str]], tuple[int, ...]]] = {
    "papermill in a shell loop": (shell_loop, (8, 20)),
    "xargs -P2 papermill": (two_at_a_time, (8, 20)),
    "two threads, fresh kernels": (thread_pool, (8, 20)),
    "course batch": (ours(2), (8, 20, 100)),
    "course batch, 4 at a time": (ours(4), (8, 20, 100)),
}


def measure(command: Callable[[int], list[str]], count: int) -> float:
    """Return the seconds that a contender takes for so many runs."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        write_notebook(Path(folder))
        os.chdir(folder)
        try:
            arguments = command(count)
            path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
            environment = os.environ | {"PYTHONPATH": str(ROOT), "PATH": path}
            start = time.monotonic()
            done = subprocess.run(
                arguments, env=environment, capture_output=True, text=True, check=False
            )
            seconds = time.monotonic() - start
        finally:
            os.chdir(before)
    if done.returncode:
        raise RuntimeError(f"{arguments[0]} failed:\n{(done.stdout + done.stderr)[-2000:]}")
    return seconds


def run(rounds: int, python: str) -> None:
    """Print the table. Each contender runs once at each size, whatever ``rounds`` says."""
    sizes = sorted({size for _, sizes in CONTENDERS.values() for size in sizes})
    table = Table("", title="Runs a minute", title_justify="left")
    for size in sizes:
        table.add_column(f"{size} runs", justify="right")
    for name, (command, own) in CONTENDERS.items():
        cells = [
            f"{60 * size / measure(command, size):.1f}" if size in own else "" for size in sizes
        ]
        table.add_row(name, *cells)
    Console().print(table)
