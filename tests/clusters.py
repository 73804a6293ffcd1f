"""A cluster for tests, on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from batch_runs import ROOT, wait_for


@contextmanager
def dask_cluster(
    folder: Path, variables: Mapping[str, str]
) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Give the address of a Dask scheduler, and its process with those of two workers."""
    file = folder / "scheduler.json"
    log = (folder / "log").open("w")

    def launch(kind: str, *options: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", f"distributed.cli.dask_{kind}"),
                *("--scheduler-file", str(file), *options),
            ],
            env=os.environ | {"PYTHONPATH": str(ROOT), **variables},
            cwd=folder,
            stdout=log,
            stderr=log,
        )

    processes = [launch("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")]
    try:
        wait_for(file.is_file)
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")
        processes += [launch("worker", *options) for _ in range(2)]
        yield json.loads(wait_for(file.read_text))["address"], processes
    finally:
        for process in processes:
            process.kill()
            process.wait()
        log.close()
