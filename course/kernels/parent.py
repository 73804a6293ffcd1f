"""The parent of warm kernels: imports modules once, then forks whenever a client asks.

It runs no TensorFlow operation, because a fork could not use the threads that the first one
starts. It is one thread and never waits for one client alone.

What goes over a connection, a Unix socket that keeps messages apart:

1. client to parent: the letter k, or s for a kernel in a sandbox, or w for a program that ends by
   itself when its client has died, with five file descriptors: the request (a file with JSON),
   standard input, output and error of the kernel, and a pipe's end that shows that death;
2. parent to client: the kernel's process id, with a descriptor of that process. For a sandbox the
   fork sends it, once the kernel is in there, or without descriptor why it cannot be;
3. parent to client: the kernel's exit status, negative for a signal, once it has ended.

A client that closes the connection ends its kernel. A process in a sandbox is no client.

The processes that look after runs are forked likewise, from a parent of their own that has imported
no TensorFlow but what they need.
"""

from __future__ import annotations

import builtins
import importlib
import json
import os
import selectors
import signal
import socket
import struct
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from course.imports import uncollected
from course.kernels.forked import Call, adopt_orphans, become_kernel, own_modules
from course.kernels.meeting import is_ours, peer, remove_left_sockets
from course.kernels.reading import read_aside, read_beforehand

TICK = 1.0  # seconds between two looks at whether the parent is still wanted
PAUSE = 0.1  # seconds without a request after which there is time to read
RENEWED = 10.0  # seconds after which what was read is compared with what is there
SILENCE = 30.0  # seconds that a client may stay connected without asking
DESCRIPTORS = 5

# What ipykernel imports at its start or before the first cell.
KERNELS_OWN = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "ipykernel.debugger",
    "tornado.platform.asyncio",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "sqlite3",
)


def main() -> None:
    """Leave the process that started us, import, and serve; in a fork, become the kernel."""
    del sys.path[0]  # which is there for this package alone
    if sys.path and sys.path[0] == "":
        del sys.path[0]
    settings = json.loads(sys.argv[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.fork():
        os._exit(0)
    adopt_orphans()
    later: set[str] = set()
    known: dict[str, int] = {}  # kernels import this course as their notebooks do
    read: Callable[[], object] = bool
    with uncollected(aside=settings["aside"]):  # the collector would touch, and so copy, every page
        if settings["helpers"]:
            prepare_to_help(settings["modules"])
            known = own_modules()
        else:
            read = partial(read_beforehand, settings["data"])
            take = read_aside(settings["data"])
            later = import_as_a_notebook_would(settings["modules"])
            take()
    os.chdir("/")
    listener = socket.socket(fileno=settings["listener"])
    call = serve(listener, Path(settings["path"]), settings["idle"], read)
    if call is not None:
        become_kernel(call, later, known)


def import_as_a_notebook_would(modules: list[str]) -> set[str]:
    """Import ipykernel, then ``modules`` as in a notebook; return the names they brought.

    The names are those of packages that an ordinary kernel could also find in its own folder,
    which comes after the standard library.

    TensorFlow looks for IPython and for an interactive interpreter at its import, and its loggers
    keep the stream that they find.
    """
    for name in KERNELS_OWN:
        importlib.import_module(name)
    before = set(sys.modules)
    kept = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Stream("stdout"), _Stream("stderr")  # type: ignore[assignment]
    sys.ps1 = "In : "
    builtins.get_ipython = lambda: None  # type: ignore[attr-defined]
    try:
        for name in modules:
            importlib.import_module(name)
        if "numpy" in sys.modules:
            importlib.import_module("numpy.random")  # whose seed each fork renews
    finally:
        sys.stdout, sys.stderr = kept
        del sys.ps1, builtins.get_ipython  # type: ignore[attr-defined]
    brought = {name.partition(".")[0] for name in set(sys.modules) - before}
    return brought - sys.stdlib_module_names


def prepare_to_help(modules: list[str]) -> None:
    """Import what helpers need, and have it do what only the first of them would need."""
    for name in modules:
        getattr(importlib.import_module(name), "prepare", bool)()


class _Stream:
    """Stands for ``sys.stdout`` or ``sys.stderr`` as they are when something is written."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        current = getattr(sys, self._name)
        return getattr(sys.__dict__[f"__{self._name}__"] if current is self else current, attribute)

    def close(self) -> None:
        """Stay open, as a logger's handler that knows the real streams would leave them."""


class _Kernel(NamedTuple):
    process: int
    descriptor: int  # of the process; readable when it has ended
    client: socket.socket
    sandboxed: bool
    ends_itself: bool


def serve(
    listener: socket.socket, path: Path, idle: float, read_data: Callable[[], object]
) -> Call | None:
    """Fork for every client that asks, and call ``read_data`` when nobody does.

    Ends when no kernel runs and either nobody has asked for ``idle`` seconds or ``path``, the
    listener's address, is no longer ours.

    Returns:
        In the parent, None at its end; in each fork, what was asked for.
    """
    parent = _Parent(listener)
    address = path.stat()
    read = -RENEWED
    while True:
        has_read = parent.last_used < read or time.monotonic() < read + RENEWED
        ready = parent.selector.select(TICK if has_read else PAUSE)
        if not ready and not has_read:
            read_data()
            read = time.monotonic()
        for key, _ in ready:
            call = key.data(key.fileobj) if key.fd in parent.selector.get_map() else None
            if call is not None:
                return call  # this is the fork
        parent.dismiss_the_silent()
        remove_left_sockets(path.parent)
        if parent.kernels:
            continue
        if not _is(path, address):
            return None
        if time.monotonic() - parent.last_used > idle:
            path.unlink()  # clients that are just connecting are refused, and start a new parent
            path.with_suffix(".log").unlink(missing_ok=True)
            return None


class _Parent:
    """The parent's connections and kernels; its methods answer what the selector reports."""

    def __init__(self, listener: socket.socket) -> None:
        self.kernels: dict[int, _Kernel] = {}  # by process id
        self.silent: dict[socket.socket, float] = {}  # clients that have not asked, since when
        self.last_used = time.monotonic()
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ, self.accept)

    def accept(self, listener: socket.socket) -> None:
        """Let a process of our own user in."""
        client, _ = listener.accept()
        if not is_ours(client) or self._is_sandboxed(client):
            client.close()
            return
        client.setblocking(False)
        self.silent[client] = time.monotonic()
        self.selector.register(client, selectors.EVENT_READ, self.fork)

    def _is_sandboxed(self, client: socket.socket) -> bool:
        """Tell whether a sandboxed kernel, or what it has started, is at the other end."""
        sandboxed = {each.process for each in self.kernels.values() if each.sandboxed}
        try:
            other = psutil.Process(peer(client))
            if _is_held(other.pid) and not _is_held(os.getpid()):  # it may be another parent's
                return True
            return bool(sandboxed) and any(each.pid in sandboxed for each in other.parents())
        except (OSError, psutil.Error):  # it is gone already, and could be anything
            return True

    def fork(self, client: socket.socket) -> Call | None:
        """Fork for a client that asks; return what it asked for in the fork, else None."""
        del self.silent[client]
        self.selector.unregister(client)
        with suppress(OSError):
            message, descriptors, *_ = socket.recv_fds(
                client, 4096, DESCRIPTORS, socket.MSG_CMSG_CLOEXEC
            )
            if len(descriptors) == DESCRIPTORS:
                return self._fork(client, Call(*descriptors), message)
            for each in descriptors:
                os.close(each)
        client.close()
        return None

    def _fork(self, client: socket.socket, call: Call, letter: bytes) -> Call | None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # BLAS has threads, and minds them
            process = os.fork()
        if process == 0:
            self._close()
            return call._replace(client=client.detach(), ends_itself=letter == b"w")
        for each in call[:DESCRIPTORS]:
            os.close(each)
        self.last_used = time.monotonic()
        descriptor = os.pidfd_open(process)
        kernel = _Kernel(process, descriptor, client, letter == b"s", letter == b"w")
        self.kernels[process] = kernel
        if not kernel.sandboxed:
            with suppress(OSError):  # a client that is gone will be noticed
                socket.send_fds(client, [struct.pack("i", process)], [kernel.descriptor])
        self.selector.register(kernel.descriptor, selectors.EVENT_READ, lambda _: self.bury(kernel))
        self.selector.register(client, selectors.EVENT_READ, lambda _: self.end(kernel))
        return None

    def end(self, kernel: _Kernel) -> None:
        """End a kernel whose client is gone."""
        self.selector.unregister(kernel.client)
        kernel.client.close()
        if not kernel.ends_itself:
            _kill(kernel.process)

    def bury(self, kernel: _Kernel) -> None:
        """Tell the client how its kernel ended, and leave nothing of it."""
        _kill(kernel.process)  # what it has started; nobody else has its process id until we wait
        _, status = os.waitpid(kernel.process, 0)
        self.selector.unregister(kernel.descriptor)
        os.close(kernel.descriptor)
        if kernel.client.fileno() >= 0:
            with suppress(OSError):
                kernel.client.send(struct.pack("i", os.waitstatus_to_exitcode(status)))
            self.selector.unregister(kernel.client)
            kernel.client.close()
        del self.kernels[kernel.process]
        self.last_used = time.monotonic()
        self.kill_orphans()

    def kill_orphans(self) -> None:
        """Kill what kernels that have ended had started in sessions of its own.

        The first process of a namespace ends last, when the others have been waited for.
        """
        while orphans := _children() - self.kernels.keys():
            for each in orphans:
                _kill(each)
            while orphans := {each for each in orphans if os.waitpid(each, os.WNOHANG) == (0, 0)}:
                time.sleep(0.001)

    def dismiss_the_silent(self) -> None:
        """Close connections over which nothing has come for long."""
        for client, since in list(self.silent.items()):
            if time.monotonic() - since > SILENCE:
                del self.silent[client]
                self.selector.unregister(client)
                client.close()

    def _close(self) -> None:
        """Close all that a fork inherits and must not keep open."""
        for key in list(self.selector.get_map().values()):
            source: Any = key.fileobj
            os.close(source) if isinstance(source, int) else source.close()
        self.selector.close()


def _kill(process: int) -> None:
    """Kill the process group of a kernel, or a kernel that has none yet."""
    try:
        os.killpg(process, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(process, signal.SIGKILL)


def _is_held(process: int) -> bool:
    """Tell whether a process can gain no privileges, as one in a sandbox cannot."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return "NoNewPrivs:\t1" in status


def _children() -> set[int]:
    return {each.pid for each in psutil.Process().children()}


def _is(path: Path, address: os.stat_result) -> bool:
    """Tell whether ``path`` is still the file that ``address`` describes."""
    try:
        return os.path.samestat(path.stat(), address)
    except OSError:
        return False
