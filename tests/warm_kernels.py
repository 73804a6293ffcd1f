"""Warm kernels for tests: in a meeting folder of the test's own, so that no parent outlives it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager

from course.kernels.isolation import isolation
from course.kernels.provisioner import WarmProvisioner
from course.kernels.sandbox import Sandbox

# Where a whole sandbox is demanded, its tests fail instead of being skipped.
needs_full_isolation = pytest.mark.skipif(
    isolation().level != "full" and os.environ.get("COURSE_REQUIRE_ISOLATION") != "full",
    reason=isolation().sentence,
)
LIGHT = ["cycler"]  # what a parent imports in tests that need no TensorFlow


class Kernel:
    """A running kernel, and what it says."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager = manager
        self.client = client

    @property
    def process(self) -> Any:
        """The kernel's process, as the provisioner holds it."""
        return self.manager.provisioner.process

    def run(self, code: str, **options: Any) -> str:
        """Run a cell and return what it prints, its result, or its error's name."""
        said: list[str] = []

        def hear(message: dict[str, Any]) -> None:
            content = message["content"]
            said.append(
                content.get("text")
                or content.get("data", {}).get("text/plain")
                or content.get("ename", "")
            )

        self.client.execute_interactive(code, timeout=60, output_hook=hear, **options)
        return "".join(said).strip()


@contextmanager
def running(
    modules: list[str] = LIGHT,
    idle: float = 60,
    sandbox: Sandbox | None = None,
    **options: Any,
) -> Iterator[Kernel]:
    """Start a kernel through the provisioner, and shut it down at the end."""
    manager = KernelManager(kernel_name="python3")
    manager.kernel_id = "test"
    manager.provisioner = WarmProvisioner(
        kernel_id="test",
        kernel_spec=manager.kernel_spec,
        parent=manager,
        modules=modules,
        idle=idle,
        sandbox=sandbox._asdict() if sandbox else {},
    )
    manager.start_kernel(extra_arguments=["--HistoryManager.hist_file=:memory:"], **options)
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def parent_of(pid: int) -> int:
    """Return the process id of a process's parent."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def is_warm(pid: int) -> bool:
    """Tell whether a kernel is the fork of a warm parent."""
    return b"course.kernels.parent" in Path(f"/proc/{parent_of(pid)}/cmdline").read_bytes()


def is_running(pid: int) -> bool:
    """Tell whether a process exists, be it as a zombie."""
    return Path(f"/proc/{pid}").exists()


def wait_until(condition: Any, seconds: float) -> bool:
    """Wait until ``condition()`` holds and tell whether it came to hold."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def client_script(*cells: str, sandbox: Sandbox | None = None, cwd: str = ".") -> list[str]:
    """Return a command: a client that starts a kernel, runs cells, prints JSON and waits."""
    code = f"""
import json, sys, time
sys.path.insert(0, {str(Path(__file__).parent)!r})
from warm_kernels import Sandbox, parent_of, running
with running(sandbox={sandbox!r}, cwd={cwd!r}) as kernel:
    said = [kernel.run(cell) for cell in {list(cells)!r}]
    pid = kernel.process.pid
    print(json.dumps([pid, parent_of(pid), *said]), flush=True)
    time.sleep(1000)
"""
    return [sys.executable, "-c", code]


def meeting_place(monkeypatch: Any, folder: Path) -> Path:
    """Let clients meet parents below ``folder``, which must have a short path."""
    folder.mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    return folder / "course-kernels"
