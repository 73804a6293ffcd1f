"""Worker processes beside the parent of warm kernels, which imports at the same time."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from course.imports import uncollected
from course.workers.jobs import Job
from course.workers.pool import Worker

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="this system does not let a program choose"
)


def test_a_processor_is_left_to_the_parent_where_there_are_two() -> None:
    ours = os.sched_getaffinity(0)
    with uncollected(aside=True):
        there = os.sched_getaffinity(0)
    assert there < ours if len(ours) > 1 else there == ours
    assert os.sched_getaffinity(0) == ours


@pytest.mark.parametrize("aside", [False, True])
def test_a_worker_that_waits_for_a_parent_prepares_and_then_uses_every_processor(
    aside: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = tmp_path / "prepared"
    (tmp_path / "labour.py").write_text(
        f"import pathlib\n\ndef prepare():\n    pathlib.Path({str(prepared)!r}).touch()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    worker = Worker("labour", aside)
    try:
        job = Job("key", "name", "labour", {}, 60.0, None, None, "another", "")
        outcome = worker.run(job, None)
        assert outcome is not None and outcome.status == "start_failed"  # the course is not its own
        seen = psutil.Process(worker.process.pid).cpu_affinity()
        assert set(seen) == os.sched_getaffinity(0)
        assert prepared.exists() == aside
    finally:
        worker.end()
