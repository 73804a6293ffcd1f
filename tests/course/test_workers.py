"""Worker processes beside the parent of warm kernels, which imports at the same time."""

from __future__ import annotations

import os

import psutil
import pytest

from course.workers.jobs import Job
from course.workers.pool import Worker
from course.workers.worker import _on_all_but_one

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="this system does not let a program choose"
)


def test_a_processor_is_left_to_the_parent_where_there_are_two() -> None:
    ours = os.sched_getaffinity(0)
    with _on_all_but_one():
        there = os.sched_getaffinity(0)
    assert there < ours if len(ours) > 1 else there == ours
    assert os.sched_getaffinity(0) == ours


@pytest.mark.parametrize("aside", [False, True])
def test_a_worker_that_has_imported_uses_every_processor(aside: bool) -> None:
    worker = Worker("json", aside)
    try:
        outcome = worker.run(Job("key", "name", "json", {}, 60.0, None, None, "another", ""), None)
        assert outcome is not None and outcome.status == "start_failed"  # the course is not its own
        seen = psutil.Process(worker.process.pid).cpu_affinity()
        assert set(seen) == os.sched_getaffinity(0)
    finally:
        worker.end()
