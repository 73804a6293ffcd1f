"""Run the benchmarks named on the command line, or all of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import click

sys.path.append(str(Path(__file__).parents[1]))  # for what benchmarks share with tests

from . import batches, grading, kernels, training

BENCHMARKS: dict[str, Callable[[int, str], None]] = {
    "training": training.run,
    "batches": batches.run,
    "kernels": kernels.run,
    "grading": grading.run,
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHMARKS)))
@click.option("--rounds", default=7, show_default=True, help="Measurements of each contender.")
@click.option(
    "--python",
    default=lambda: os.environ.get("BENCHMARK_PYTHON", ""),
    help="Interpreter that has PyTorch and JAX, if this one has not (or BENCHMARK_PYTHON).",
)
def main(names: tuple[str, ...], rounds: int, python: str) -> None:
    """Print the tables of the benchmarks NAMES, by default of all."""
    for name in names or BENCHMARKS:
        BENCHMARKS[name](rounds, python)


if __name__ == "__main__":
    main()
