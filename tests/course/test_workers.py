"""Worker processes: how they start, beside the parent of warm kernels, and how they end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from course import limits
from course.imports import uncollected
from course.workers import pool
from course.workers.digest import course_digest
from course.workers.jobs import Job, Outcome
from course.workers.machine import this_machine
from course.workers.pool import Worker
from course.workers.processes import memory_used, share_of_processors

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="this system does not let a program choose"
)


def test_a_processor_is_left_to_the_parent_where_there_are_two() -> None:
    ours = os.sched_getaffinity(0)
    with uncollected(aside=True):
        there = os.sched_getaffinity(0)
    assert there < ours if len(ours) > 1 else there == ours
    assert os.sched_getaffinity(0) == ours


@pytest.fixture
def labour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what workers need, which notes there in which processes it was prepared."""
    (tmp_path / "labour.py").write_text(
        "import os, pathlib, sys, time\n"
        "from course import limits\n"
        "from course.workers.jobs import Outcome\n\n"
        "here = pathlib.Path(__file__).parent\n\n"
        "def prepare():\n"
        "    (here / f'prepared-{os.getpid()}').touch()\n\n"
        "def perform(job, room):\n"
        "    if not job.given:\n"
        "        same = sys.modules.get('course.limits') is limits\n"
        "        return Outcome('ok', 0.0, None, False, {'as imported beforehand': same})\n"
        "    room.tell({'run': True})\n"
        "    (here / f'begun-{job.key}').touch()\n"
        "    while len(list(here.glob('begun-*'))) < job.given['of']:\n"
        "        time.sleep(0.01)\n"
        "    return Outcome('ok', 0.0, None, False, {'processors': job.processors})\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


@pytest.fixture
def worker(labour: Path) -> Iterator[Worker]:
    worker = Worker("labour", aside=True)
    yield worker
    worker.end()


def ask(worker: Worker) -> Outcome | None:
    return worker.run(Job("key", "name", "labour", {}, 60.0, None, None, "another", ""), None)


def test_workers_are_forked_from_one_process_that_is_prepared(labour: Path, worker: Worker) -> None:
    second = Worker("labour", aside=True)
    try:
        for each in (worker, second):
            outcome = ask(each)
            assert outcome is not None and outcome.status == "start_failed"  # of another course
            assert set(psutil.Process(each.process.pid).cpu_affinity()) == os.sched_getaffinity(0)
        (prepared,) = labour.glob("prepared-*")
        above = {psutil.Process(each.process.pid).ppid() for each in (worker, second)}
        assert above == {int(prepared.name.partition("-")[2])}
    finally:
        second.end()


def test_a_worker_outlives_the_process_that_it_was_forked_from(
    labour: Path, worker: Worker
) -> None:
    parent = psutil.Process(worker.process.pid).parent()
    assert parent is not None
    parent.kill()
    assert ask(worker) is not None
    another = Worker("labour")
    try:
        assert ask(another) is not None
        assert len(list(labour.glob("prepared-*"))) == 2
    finally:
        another.end()


def test_a_worker_puts_its_files_away_when_nobody_needs_it_any_more(worker: Worker) -> None:
    assert ask(worker) is not None and worker.scratch.is_dir()
    assert worker.process.stdin
    worker.process.stdin.close()
    assert worker.process.wait(5) == 0
    assert not worker.scratch.exists()


def test_modules_of_the_course_are_imported_anew_in_a_worker_when_one_has_changed(
    labour: Path, worker: Worker
) -> None:
    job = Job("key", "name", "labour", {}, 60.0, None, None, course_digest(), "")
    first = worker.run(job, None)
    source = Path(str(limits.__file__))
    before = source.stat()
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    another = Worker("labour")
    try:
        second = another.run(job, None)
    finally:
        another.end()
        os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    for outcome, same in ((first, True), (second, False)):
        assert outcome is not None and outcome.result == {"as imported beforehand": same}


def test_runs_at_the_same_time_have_different_processors(labour: Path) -> None:
    """One that begins takes over what the one that made room for it had."""
    batch = str(labour)
    jobs = [
        Job(str(i), "name", "labour", {"of": 3}, 60.0, None, None, course_digest(), batch)
        for i in range(3)
    ]
    with this_machine(2, batch) as machine:
        begun = [machine.submit(each, lambda event: None) for each in jobs]
        given = [each.outcome.result(60).result["processors"] for each in begun]
    ours = sorted(os.sched_getaffinity(0))
    assert sorted(given[:2]) == sorted([ours[0::2], ours[1::2] or ours[:1]])
    assert given[2] in given[:2]


@pytest.mark.parametrize("runs", [1, 2, 3, 5])
def test_shares_of_the_processors_cover_all(runs: int) -> None:
    ours = os.sched_getaffinity(0)
    shares = [share_of_processors(each, runs) for each in range(runs)]
    assert set().union(*shares) == ours and all(shares)
    assert sum(map(len, shares)) == max(len(ours), runs)


def test_a_run_begins_while_the_one_before_it_is_put_away(labour: Path) -> None:
    batch = str(labour)
    jobs = [
        Job(str(i), "name", "labour", {"of": 2}, 60.0, None, None, course_digest(), batch)
        for i in range(2)
    ]
    pool.warm_up("course.batch.lesson_run", 1, "warm")  # for runs of another kind
    with this_machine(1, batch) as machine:
        first = machine.submit(jobs[0], lambda event: None)
        first.free.result(60)
        assert not first.outcome.done()
        second = machine.submit(jobs[1], lambda event: None)
        assert [each.outcome.result(60).status for each in (first, second)] == ["ok", "ok"]


@pytest.mark.parametrize("by_system", [True, False])
def test_the_memory_of_all_that_a_process_has_started_counts(
    by_system: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not by_system:
        monkeypatch.setattr(Path, "exists", lambda _: False)
    held = "kept = b'x' * 50_000_000"
    inner = f"import sys; {held}; print('there', flush=True); sys.stdin.read()"
    outer = f"import subprocess, sys; {held}; subprocess.run([sys.executable, '-c', {inner!r}])"
    process = subprocess.Popen(
        [sys.executable, "-c", outer],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout and process.stdin
    process.stdout.readline()
    assert 100e6 < memory_used(process.pid) < 200e6
    process.communicate()
    assert memory_used(process.pid) == 0
