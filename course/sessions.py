"""A kernel that runs the cells of a notebook one at a time and goes on after an error."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any

import nbformat
import zmq
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.kernelspec import NoSuchKernel
from jupyter_client.manager import KernelManager
from nbformat import NotebookNode

from course.kernels.clients import ODD, PromptBlockingClient, answered
from course.kernels.provisioner import Kind, put_in_sandbox, use_kernels
from course.kernels.sandbox import Sandbox
from course.kernels.usual import (
    LAST_WORDS,
    NATIVE_LOG,
    OUTPUT_LIMIT,
    START_TIMEOUT,
    cut,
    death,
    kernel_environment,
)
from utils.errors import CourseError

LAST_BYTES = 100_000  # of what a process wrote, among which its last words are
GRACE = 5.0  # seconds that a cell has to end in once it was interrupted
LOOK_EVERY = 0.1  # seconds between two looks at whether the kernel lives
AT_ONCE = 1000  # messages that are heard before somebody looks at the clock


class KernelDied(Exception):
    """The kernel's process ended while a cell ran, or was ended since the cell did not."""

    def __init__(self, reason: str, last_words: str = "", *, stopped: bool = False) -> None:
        super().__init__(reason)
        self.last_words = last_words  # what it wrote to stderr at the end
        self.stopped = stopped  # by us: its time was up, and no interrupt helped


class Running:
    """A cell that a kernel is running."""

    def __init__(self, cell: NotebookNode, message: str, room: int) -> None:
        self.cell = nbformat.from_dict(dict(cell, outputs=[], execution_count=None))
        self.message = message  # the id of the request
        self.room = room  # characters that its outputs may still have
        self.replied = self.idle = False
        self._clear = False

    @property
    def over(self) -> bool:
        """Whether the kernel has said all it will say of this cell."""
        return self.replied and self.idle

    def hear(self, message: dict[str, Any]) -> None:
        """Take in what the kernel publishes; what is no proper message of Jupyter's is left out."""
        with suppress(*ODD):
            self._hear(message)

    def _hear(self, message: dict[str, Any]) -> None:
        kind, content = message["msg_type"], message["content"]
        outputs = self.cell.outputs
        if kind == "status":
            self.idle = content["execution_state"] == "idle"
        elif kind == "execute_input":
            self.cell.execution_count = int(content["execution_count"])
        elif kind == "clear_output":
            self._clear = True
            if not content["wait"]:
                outputs.clear()
        elif kind in ("stream", "display_data", "execute_result", "error"):
            if "metadata" in content:
                content["metadata"] = {}
            self.room = cut(message, self.room)
            output = nbformat.v4.output_from_msg(message)
            if self._clear:
                outputs.clear()
                self._clear = False
            last = outputs[-1] if outputs else None
            if kind == "stream" and last and last.get("name") == output.name:
                last.text += output.text
            else:
                outputs.append(output)


class Session:
    """Runs cells on one kernel; made by `open_session`."""

    def __init__(
        self, manager: KernelManager, client: BlockingKernelClient, limit: float, stderr: IO[bytes]
    ) -> None:
        self._manager = manager
        self._client = client
        self._limit = limit
        self._stderr = stderr
        self._poller = zmq.Poller()
        for channel in (client.iopub_channel, client.shell_channel):
            self._poller.register(channel.socket, zmq.POLLIN)

    def run(self, cell: NotebookNode) -> NotebookNode:
        """Run a code cell and return it with its outputs; an exception is one of them.

        Raises:
            KernelDied: when the kernel died, or had to be killed since the cell neither ended in
                time nor when it was interrupted.
        """
        running = self.start(cell)
        self.finish(running, self._limit)
        return running.cell

    def start(self, cell: NotebookNode) -> Running:
        """Have the kernel begin to run a code cell."""
        message = self._client.execute(cell.source, allow_stdin=False, stop_on_error=False)
        return Running(cell, message, OUTPUT_LIMIT)

    def finish(self, running: Running, limit: float) -> None:
        """Wait for a cell's end, interrupt it after ``limit`` seconds, kill the kernel after more.

        Raises:
            KernelDied: as in `run`.
        """
        self.wait(running, limit)
        if running.over:
            return
        self._manager.interrupt_kernel()
        self.wait(running, GRACE)
        if not running.over:
            self.kill()
            raise KernelDied("it did not end, nor when it was interrupted", stopped=True)

    def wait(self, running: Running, seconds: float) -> None:
        """Listen to the kernel until a cell has ended, for so many seconds at most.

        Raises:
            KernelDied: when the kernel's process ended.
        """
        end = time.monotonic() + seconds
        while not running.over and (left := end - time.monotonic()) > 0:
            if self._poller.poll(int(1000 * min(LOOK_EVERY, left))):
                self._listen(running)
                if running.replied and not running.idle:
                    end = min(end, time.monotonic() + GRACE)  # its last word may have been lost
            elif (status := self.process.poll()) is not None:
                self._listen(running)
                raise KernelDied(death(status), last_words(self._stderr))
        if running.replied:
            running.idle = True

    @property
    def process(self) -> Any:
        """The kernel's process, with the interface of ``subprocess.Popen``."""
        provisioner: Any = self._manager.provisioner
        return provisioner.process

    def kill(self) -> None:
        """Make the kernel's process end."""
        process = self.process
        process.kill()
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)

    def _listen(self, running: Running) -> None:
        for message in _waiting(partial(self._receive, self._client.iopub_channel.socket)):
            if answered(message) == running.message:
                running.hear(message)
        for reply in _waiting(partial(self._receive, self._client.shell_channel.socket)):
            running.replied |= answered(reply) == running.message

    def _receive(self, socket: zmq.Socket[bytes]) -> dict[str, Any] | None:
        """Return the next message; the client's own method goes over an event loop, slowly."""
        return self._client.session.recv(socket)[1]


def _waiting(receive: Callable[[], dict[str, Any] | None]) -> Iterator[dict[str, Any]]:
    """Yield the messages that a channel has, but not for ever; a kernel may send anything."""
    for _ in range(AT_ONCE):
        with suppress(*ODD):
            if (message := receive()) is None:
                return
            yield message


def last_words(log: IO[bytes]) -> str:
    """Return the last lines of what a process wrote to a file, but for TensorFlow's native log."""
    log.seek(max(0, log.seek(0, os.SEEK_END) - LAST_BYTES))
    text = NATIVE_LOG.sub("", log.read().decode(errors="replace"))
    return "\n".join(text.strip().splitlines()[-LAST_WORDS:])


@contextmanager
def open_session(
    folder: Path,
    limit: float,
    *,
    environment: Mapping[str, str] | None = None,
    sandbox: Sandbox | None = None,
    kernel: Kind = "warm",
    **streams: Any,
) -> Iterator[Session]:
    """Start a kernel in ``folder`` for as long as the block lasts.

    Args:
        limit: seconds a cell may take before it is interrupted.
        environment: all variables of the kernel; by default those of every kernel of the course.
        sandbox: that the kernel is in, or does not start.
        kernel: "warm", or "fresh": in a sandbox, a fork that has imported nothing yet.
        streams: ``stdin``, as ``subprocess.Popen`` takes it.

    Raises:
        CourseError: when no kernel starts.
    """
    use_kernels(kernel)
    manager = KernelManager(kernel_name="python3", client_factory=PromptBlockingClient)
    with tempfile.TemporaryFile() as stderr:
        try:
            if sandbox is not None:
                put_in_sandbox(manager, sandbox, kernel)
            manager.start_kernel(
                cwd=str(folder),
                env=dict(kernel_environment() if environment is None else environment),
                stderr=stderr,
                extra_arguments=["--HistoryManager.hist_file=:memory:", "--log-level=40"],
                **streams,
            )
            client = manager.client()
            client.start_channels()
            client.wait_for_ready(START_TIMEOUT)
            session = Session(manager, client, limit, stderr)
        except (NoSuchKernel, RuntimeError, OSError) as error:
            manager.shutdown_kernel(now=True)
            raise CourseError(
                f"No kernel started ({str(error).splitlines()[0]}): `course doctor` says more."
            ) from error
        try:
            yield session
        finally:
            client.stop_channels()
            session.kill()  # the manager would look only every 0.1 s whether it has ended
            manager.shutdown_kernel(now=True)
