"""Ends processes that others started, and looks at what they use."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

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
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        return sum(_resident(each) for each in [process, *process.children(recursive=True)])
    return 0


def _resident(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
