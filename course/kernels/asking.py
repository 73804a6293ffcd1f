"""How a client gets a kernel from a parent, and starts the parent if there is none."""

from __future__ import annotations

import fcntl
import json
import os
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

from course.kernels import IDLE, KERNEL, PRELOADED
from course.kernels.fitting import LIMITS, parent_environment, parent_name
from course.kernels.meeting import is_ours, meeting_folder, remove_left_sockets
from course.kernels.read_once import PLACES
from course.kernels.sandbox import NotSandboxed, Sandbox, kept_variables, kernel_variables
from course.kernels.streams import Streams

ATTEMPTS = 4  # parents that may die under one request
PATIENCE = 120.0  # seconds for a parent to import and to answer
STATUS = struct.Struct("i")
UNKNOWN = 255  # a kernel's exit status when its parent, who would know it, was killed

# The parent finds this package by a path that its kernels do not keep.
START = """\
import sys
sys.path.insert(0, sys.argv.pop(1))
from course.kernels.parent import main
main()
"""
ROOT = Path(__file__).parents[2]


class NoWarmKernel(Exception):
    """No parent could be reached; the message says why, in one line."""


class ForkedProcess:
    """A kernel's process, with the interface of ``subprocess.Popen``.

    It is not our child: its parent tells us how it ended, and should the parent be gone, the
    system tells us that it ended. The kernel ends when this object does.
    """

    stdin: IO[bytes] | None = None
    stdout: IO[bytes] | None = None
    stderr: IO[bytes] | None = None

    def __init__(
        self, pid: int, descriptor: IO[bytes], parent: socket.socket, lifeline: IO[bytes]
    ) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._descriptor = descriptor
        self._parent = parent
        self._lifeline = lifeline

    def poll(self) -> int | None:
        """Return the exit status, negative for a signal, or None while the kernel runs."""
        if self.returncode is None and self._is_readable(self._parent):
            try:
                status = self._parent.recv(STATUS.size)
            except ConnectionError:
                status = b""
            if status:
                self._end(*STATUS.unpack(status))
            elif self._is_readable(self._descriptor):
                self._end(UNKNOWN)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the kernel's end and return its exit status.

        Raises:
            subprocess.TimeoutExpired: after ``timeout`` seconds.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            left = PATIENCE if end is None else end - time.monotonic()
            if left < 0:
                raise subprocess.TimeoutExpired("kernel", timeout or 0)
            if self._is_readable(self._descriptor, left):
                time.sleep(0.001)  # it has ended, and its parent is about to say how
        return status

    def send_signal(self, number: int) -> None:
        """Send a signal to the kernel's process, if it still runs."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor.fileno(), number)

    def terminate(self) -> None:
        """Ask the kernel's process to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Make the kernel's process end."""
        self.send_signal(signal.SIGKILL)

    def _end(self, status: int) -> None:
        self.returncode = status
        for each in (self._descriptor, self._parent, self._lifeline):
            each.close()

    @staticmethod
    def _is_readable(source: IO[bytes] | socket.socket, seconds: float = 0) -> bool:
        poll = select.poll()
        poll.register(source, select.POLLIN)
        return bool(poll.poll(1000 * seconds))


def fork_kernel(
    command: Sequence[str],
    options: Sequence[str],
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    streams: Streams,
    sockets: Path | None,
    *,
    modules: Sequence[str] = PRELOADED,
    idle: float = IDLE,
    program: str = KERNEL,
    neutral: bool = False,
    confinement: Confinement | None = None,
) -> ForkedProcess:
    """Have a warm parent fork a kernel; start the parent if there is none that fits.

    Args:
        command: the whole command line of the kernel.
        options: what of it the interpreter takes.
        arguments: what of it ipykernel takes.
        environment: the kernel's variables.
        folder: the kernel's working directory.
        streams: the kernel's standard streams; they stay open here.
        sockets: a folder that goes when we die, if any.
        modules: what the parent has imported.
        idle: seconds until a parent that nobody asks ends.
        program: the module that becomes the fork's main program.
        neutral: whether the parent is one that knows no settings of the user's, which sandboxes
            demand anyway.
        confinement: the sandbox that the kernel is to run in, if any.

    Raises:
        NoWarmKernel: when no parent can be started or reached.
        NotSandboxed: when the kernel cannot be put into its sandbox.
        FileNotFoundError: when there is no such working directory.
    """
    request = _request(command, program, arguments, environment, folder)
    if confinement:
        environment = kernel_variables(confinement.sandbox, environment)
        request["environment"] = environment
        request["sandbox"] = confinement.sandbox._asdict()
        request["way"] = confinement.way
        request["place"] = [str(sockets or ""), confinement.connection_file]
    data = environment.get("KERAS_HOME")
    try:
        if confinement or neutral:
            environment, folder = _neutral(
                environment if confinement else kept_variables(environment)
            )
        start = _start(options, environment, folder, modules, idle)
    except OSError as error:
        raise NoWarmKernel(str(error)) from error
    return _fork(start._replace(data=data), request, streams)


def fork_helper(
    command: Sequence[str],
    program: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    streams: Streams,
    module: str,
    *,
    aside: bool,
) -> ForkedProcess:
    """Have a parent that has imported ``module`` fork a program which ends by itself when we die.

    Args:
        command, program, arguments, environment, folder, streams: as for `fork_kernel`.
        module: one of the course's, imported anew in the fork: it may have been changed.
        aside: whether that parent, if it is new, leaves a processor to another one's imports.

    Raises:
        NoWarmKernel: when no parent can be started or reached.
        FileNotFoundError: when there is no such folder.
    """
    request = _request(command, program, arguments, environment, folder)
    try:
        start = _start(["-P"], environment, folder, [module], IDLE)
    except OSError as error:
        raise NoWarmKernel(str(error)) from error
    return _fork(start._replace(helpers=True, aside=aside), request, streams)


def _request(
    command: Sequence[str],
    program: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
) -> dict[str, Any]:
    os.stat(folder)
    return {
        "command": list(command),
        "program": program,
        "arguments": list(arguments),
        "environment": dict(environment),
        "folder": str(folder.absolute()),
        "umask": _umask(),
        "limits": {limit: resource.getrlimit(limit) for limit in LIMITS},
    }


def _fork(start: _Start, request: Mapping[str, Any], streams: Streams) -> ForkedProcess:
    """Have the parent fork, or another one when it dies."""
    reason = ""
    letter = b"w" if start.helpers else b"s" if "sandbox" in request else b"k"
    try:
        for _ in range(ATTEMPTS):
            try:
                return _ask(_connect(start), letter, request, streams)
            except (ConnectionError, EOFError) as error:
                reason = str(error)
    except OSError as error:
        raise NoWarmKernel(str(error)) from error
    raise NoWarmKernel(_last_line(start.path.with_suffix(".log")) or reason)


def warm_up(options: Sequence[str], environment: Mapping[str, str], *, neutral: bool) -> bool:
    """Start the parent of kernels with these variables, if there is none yet; tell whether it did.

    It goes on importing when this returns.

    Args:
        options: what the interpreter takes.
        neutral: whether it is the parent of sandboxed kernels.
    """
    with suppress(OSError):
        given = _neutral(kept_variables(environment)) if neutral else (environment, Path.cwd())
        start = _start(options, *given, PRELOADED, IDLE)
        there = start.path.exists() and _is_answered(start.path)
        _connect(start._replace(data=environment.get("KERAS_HOME"))).close()
        return not there
    return False


class Confinement(NamedTuple):
    """A sandbox and how to get into it."""

    sandbox: Sandbox
    way: Sequence[Any]  # what the system has for it, as probed: see ``isolation``
    connection_file: str


class _Start(NamedTuple):
    """How to start a parent."""

    path: Path  # of its socket
    options: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    modules: Sequence[str]
    idle: float
    data: str | None = None  # where its kernels look for Fashion-MNIST
    helpers: bool = False  # whether it forks what looks after runs, and no kernels
    aside: bool = False  # whether it leaves a processor to another parent's imports


def _start(
    options: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    modules: Sequence[str],
    idle: float,
) -> _Start:
    path = meeting_folder() / f"{parent_name(options, environment, folder, modules)}.sock"
    return _Start(path, options, parent_environment(environment), folder, modules, idle)


def _neutral(environment: Mapping[str, str]) -> tuple[dict[str, str], Path]:
    """Return variables and folder of a parent that learns nothing from the kernel's folder.

    It is outside every sandbox, so it must not import from there; nor should kernels find in its
    memory what stands in the user's settings.
    """
    folder = meeting_folder() / "home"
    folder.mkdir(mode=0o700, exist_ok=True)
    kept = {name: value for name, value in environment.items() if name not in PLACES}
    return kept | {"HOME": str(folder), "PATH": os.defpath}, folder


def _ask(
    connection: socket.socket, letter: bytes, request: Mapping[str, Any], streams: Streams
) -> ForkedProcess:
    """Ask the parent at the other end.

    Raises:
        ConnectionError, EOFError: when the parent dies before it has answered.
        OSError: when it does not answer.
    """
    theirs, ours = os.pipe()
    lifeline = os.fdopen(ours, "wb", buffering=0)
    try:
        with os.fdopen(os.memfd_create("request"), "w+", encoding="utf-8") as file:
            json.dump(request, file)
            file.seek(0)
            connection.settimeout(PATIENCE)
            descriptors = [file.fileno(), *streams, theirs]
            socket.send_fds(connection, [letter], descriptors)
            message, received, *_ = socket.recv_fds(connection, 1000, 1)
        if not message:
            raise EOFError("the parent of warm kernels died")
        if not received:
            why = "it died" if len(message) == STATUS.size else message.decode(errors="replace")
            raise NotSandboxed(f"The kernel could not be put into its sandbox: {why}.")
    except BaseException:
        lifeline.close()  # should there be a fork already, it ends with this
        connection.close()
        raise
    finally:
        os.close(theirs)
    connection.setblocking(False)
    descriptor = os.fdopen(received[0], "rb", buffering=0)
    (pid,) = STATUS.unpack(message)
    return ForkedProcess(pid, descriptor, connection, lifeline)


def _connect(start: _Start) -> socket.socket:
    """Connect to a parent; start it, once, however many clients find none at the same time."""
    with suppress(FileNotFoundError, ConnectionRefusedError):
        return _connected(start.path)
    with _lock(start.path.parent):
        with suppress(FileNotFoundError, ConnectionRefusedError):
            return _connected(start.path)
        _sweep(start.path)
        _start_parent(start)
        return _connected(start.path)


def _connected(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        connection.connect(str(path))
        if not is_ours(connection):
            raise PermissionError(f"{path} belongs to another user")
    except BaseException:
        connection.close()
        raise
    return connection


def _is_answered(path: Path) -> bool:
    try:
        _connected(path).close()
    except ConnectionRefusedError:
        return False
    return True


def _start_parent(start: _Start) -> None:
    """Start a parent that listens from the first moment on, and answers when it has imported."""
    partial = start.path.with_suffix(".new")
    partial.unlink(missing_ok=True)
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener,
        start.path.with_suffix(".log").open("wb") as log,
    ):
        listener.bind(str(partial))
        listener.listen(1024)
        settings = {
            "listener": listener.fileno(),
            "path": str(start.path),
            "modules": list(start.modules),
            "idle": start.idle,
            "data": start.data,
            "helpers": start.helpers,
            "aside": start.aside,
        }
        partial.rename(start.path)
        subprocess.run(
            [sys.executable, *start.options, "-c", START, str(ROOT), json.dumps(settings)],
            env=dict(start.environment),
            cwd=start.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[listener.fileno()],
            start_new_session=True,
            check=False,
        )


def _sweep(new: Path) -> None:
    """Remove what killed parents and clients have left, and the addresses of outdated parents.

    A parent without an address ends as soon as it has no kernels.
    """
    outdated = new.name.partition("-")[0]
    for path in new.parent.glob("*-*.sock"):
        with suppress(FileNotFoundError):
            if path.name.startswith(outdated) or not _is_answered(path):
                path.unlink()
                path.with_suffix(".log").unlink()
    remove_left_sockets(new.parent)


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _umask() -> int:
    """Return our umask; ``os.umask`` could only tell it by changing it for all threads."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("Umask:")[2].split()[0], 8)


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""
