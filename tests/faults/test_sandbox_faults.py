"""Sandboxed kernels where a process around them dies, and many at once."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from warm_kernels import (
    client_script,
    needs_full_isolation,
    parent_of,
    running,
    wait_until,
)

from course.kernels.sandbox import Sandbox

pytestmark = [needs_full_isolation, pytest.mark.usefixtures("place")]


def _compute(folder: Path) -> str:
    with running(sandbox=Sandbox(str(folder)), cwd=folder) as kernel:
        return kernel.run("6 * 7")


@pytest.mark.parametrize("victim", ["monitor", "first process"])
def test_a_parent_serves_others_after_a_process_around_a_kernel_was_killed(
    victim: str, tmp_path: Path
) -> None:
    with running(sandbox=Sandbox(str(tmp_path)), cwd=tmp_path) as kernel:
        monitor = psutil.Process(parent_of(kernel.process.pid))
        around = {each.name(): each.pid for each in monitor.children()}
        os.kill(monitor.pid if victim == "monitor" else around["cat"], signal.SIGKILL)
        assert kernel.process.wait(timeout=5) == -signal.SIGKILL
        assert wait_until(lambda: not any(map(psutil.pid_exists, around.values())), 2)
        assert _compute(tmp_path) == "42"


def test_a_client_that_dies_while_its_kernel_enters_leaves_nothing(tmp_path: Path) -> None:
    assert _compute(tmp_path) == "42"  # there is a parent
    with running(sandbox=Sandbox(str(tmp_path)), cwd=tmp_path) as kernel:
        parent = psutil.Process(parent_of(parent_of(kernel.process.pid)))
        for delay in (0, 0.004, 0.008):
            script = client_script(sandbox=Sandbox(str(tmp_path)), cwd=str(tmp_path))
            with subprocess.Popen(script) as client:
                assert wait_until(lambda: len(parent.children()) > 1, 10)
                time.sleep(delay)
                client.kill()
            assert wait_until(lambda: len(parent.children()) == 1, 2)
        assert kernel.run("6 * 7") == "42"


def test_six_kernels_at_once_are_each_in_a_sandbox_of_their_own(tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(6)]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(_compute, folders)) == ["42"] * 6
