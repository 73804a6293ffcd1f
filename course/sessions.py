"""A kernel that runs the cells of a notebook one at a time and goes on after an error."""

from __future__ import annotations

import logging
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import NoSuchKernel
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from course.execution import START_TIMEOUT, kernel_environment
from utils.errors import CourseError

_quiet = logging.getLogger("course.session")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False


class Session:
    """Runs cells on one kernel; made by `open_session`."""

    def __init__(self, client: NotebookClient, limit: float) -> None:
        self._client = client
        self._limit = limit

    def run(self, cell: NotebookNode) -> NotebookNode:
        """Run a code cell and return it with its outputs; an exception is one of them.

        Raises:
            DeadKernelError: when the kernel died, or had to be killed since the cell neither
                ended in time nor when it was interrupted.
        """
        client = self._client
        cell = nbformat.from_dict(dict(cell, outputs=[], execution_count=None))
        client.nb.cells = [cell]
        killer = threading.Timer(2 * self._limit + 5, self._kill)
        killer.daemon = True
        killer.start()
        try:
            return client.execute_cell(cell, 0)
        except CellTimeoutError as error:
            raise DeadKernelError(str(error)) from error
        finally:
            killer.cancel()

    def _kill(self) -> None:
        manager: Any = self._client.km
        process = getattr(manager.provisioner, "process", None)
        if process is not None:
            process.kill()


@contextmanager
def open_session(folder: Path, limit: float) -> Iterator[Session]:
    """Start a kernel in ``folder`` for as long as the block lasts.

    Args:
        limit: seconds a cell may take before it is interrupted.

    Raises:
        CourseError: when no kernel starts.
    """
    client = NotebookClient(
        nbformat.v4.new_notebook(cells=[]),
        timeout=max(1, round(limit)),
        startup_timeout=START_TIMEOUT,
        kernel_name="python3",
        allow_errors=True,
        interrupt_on_timeout=True,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--HistoryManager.hist_file=:memory:", "--log-level=40"],
        log=_quiet,
    )
    with tempfile.TemporaryFile() as stderr:
        try:
            block = client.setup_kernel(env=kernel_environment(), stderr=stderr)
            block.__enter__()
        except (NoSuchKernel, RuntimeError, OSError) as error:
            raise CourseError(
                f"No kernel started ({str(error).splitlines()[0]}): `course doctor` says more."
            ) from error
        try:
            yield Session(client, limit)
        finally:
            client.shutdown_kernel = "immediate"
            block.__exit__(None, None, None)
