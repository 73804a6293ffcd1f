"""Warm and fresh kernels: first TensorFlow result, private memory, nbval on lessons 01 to 04."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from jupyter_client.manager import start_new_kernel
from rich.console import Console
from rich.table import Table

from course.catalog import ROOT
from course.kernels.provisioner import Kind, use_kernels

KINDS: tuple[Kind, Kind] = ("warm", "fresh")
FIRST = "import tensorflow as tf; print(float(tf.reduce_sum(tf.ones(3))))"
LESSONS = ("01_*", "02_*", "03_*", "04_*")
AT_ONCE = ("-n", "2", "--dist", "loadfile")  # as `make test` does


class Start(NamedTuple):
    """One kernel's start."""

    seconds: float  # from asking for the kernel to the first TensorFlow result
    private: float  # MiB that the kernel shares with no other process by then


def run(rounds: int, python: str) -> None:
    """Measure ``rounds`` starts of each kind by turns, then three runs of nbval, and print a table.

    The median counts, and the first warm start, which starts the parent, is not among them.
    """
    first = start("warm").seconds
    starts: dict[Kind, list[Start]] = {kind: [] for kind in KINDS}
    tests: dict[Kind, list[float]] = {kind: [] for kind in KINDS}
    parallel: list[float] = []
    for _ in range(rounds):
        for kind in KINDS:
            starts[kind].append(start(kind))
    for _ in range(min(rounds, 3)):
        for kind in KINDS:
            tests[kind].append(nbval(kind))
            if kind == "warm":
                parallel.append(nbval("warm", *AT_ONCE))
    table = Table("median", *KINDS, "fresh / warm")
    for name, unit, values in (
        ("first TensorFlow result", "s", {k: [s.seconds for s in starts[k]] for k in KINDS}),
        ("private memory", "MiB", {k: [s.private for s in starts[k]] for k in KINDS}),
        ("nbval, lessons 01 to 04", "s", tests),
        ("the same, warm ones two at a time", "s", tests | {"warm": parallel}),
    ):
        warm, fresh = (median(values[kind]) for kind in KINDS)
        table.add_row(name, f"{warm:.2f} {unit}", f"{fresh:.2f} {unit}", f"{fresh / warm:.1f}")
    Console().print(table)
    print(f"The first warm kernel of all, which waits for its parent: {first:.2f} s.")


def start(kind: Kind) -> Start:
    """Start a kernel, let it compute with TensorFlow, measure, and shut it down."""
    use_kernels(kind)
    begun = time.perf_counter()
    manager, client = start_new_kernel(
        extra_arguments=["--HistoryManager.hist_file=:memory:", "--log-level=40"],
        stderr=subprocess.DEVNULL,
    )
    try:
        client.execute_interactive(FIRST, output_hook=lambda _: None)
        seconds = time.perf_counter() - begun
        return Start(seconds, private_memory(manager.provisioner.process.pid))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def private_memory(pid: int) -> float:
    """Return the MiB of a process's memory that no other process has."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def nbval(kind: Kind, *options: str) -> float:
    """Return the seconds that pytest takes to run and compare lessons 01 to 04."""
    lessons = [str(path) for name in LESSONS for path in (ROOT / "notebooks").glob(f"{name}.ipynb")]
    begun = time.perf_counter()
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--kernel",
            kind,
            *options,
            *lessons,
        ],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - begun
