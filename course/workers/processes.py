"""Ends processes that others started, and looks at what they use."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

MARK = "COURSE_BATCH_RUN"  # a variable by which whatever a run started is found again


def kill_group(pid: int) -> None:
    """Kill a process, those it started, and the group that it leads."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for each in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                each.kill()
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def kill_marked(mark: str) -> None:
    """Kill every process, whoever its parent is now, that was started with this mark."""
    for process in _marked(mark):
        with contextlib.suppress(psutil.Error):
            process.kill()


def _marked(mark: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get(MARK) == mark:
                yield process


def memory_used(pid: int) -> int:
    """Return the resident bytes of a process and those that it started; 0 when it is gone."""
    return sum(map(_resident, [pid, *_descendants(pid)]))


def _descendants(pid: int) -> list[int]:
    """Return what a process has started, and so on; on Linux without a look at any other process.

    The time of `psutil.Process.children` grows with all processes of the machine.
    """
    tasks = Path(f"/proc/{pid}/task")
    if not Path(tasks, str(pid), "children").exists():
        with contextlib.suppress(psutil.Error):
            return [each.pid for each in psutil.Process(pid).children(recursive=True)]
        return []
    children: list[int] = []
    for each in tasks.glob("*/children"):
        with contextlib.suppress(OSError):  # a thread or a process that has just ended
            children += map(int, each.read_text("ascii").split())
    return [*children, *(below for each in children for below in _descendants(each))]


def _resident(pid: int) -> int:
    with contextlib.suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def share_of_processors(number: int, of: int) -> list[int]:
    """Return the processors for one of so many runs, counted from 0; none where all share all."""
    if not hasattr(os, "sched_getaffinity"):
        return []
    all_ = sorted(os.sched_getaffinity(0))
    return all_[number % len(all_) :: of]


def run_in_the_background(pid: int, processors: Sequence[int]) -> None:
    """Keep a process to some processors, and its threads from pushing each other aside.

    TensorFlow's autotuning of a dataset sleeps up to as long as the dataset was read when the
    thread that stops it is pushed aside by the one that it wakes.
    """
    with contextlib.suppress(OSError):  # it is gone, or this machine forbids it
        if hasattr(os, "SCHED_BATCH"):
            os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0))
        if processors:
            os.sched_setaffinity(pid, processors)
