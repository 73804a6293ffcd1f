"""How a fork of the parent becomes the kernel that a client asked for."""

from __future__ import annotations

import atexit
import ctypes
import fcntl
import gc
import io
import json
import os
import resource
import runpy
import select
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from course.kernels import linux
from course.kernels.confine import Place, Way, confine
from course.kernels.sandbox import Sandbox

WRITTEN = io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom  # what keeps text for a while


class Call(NamedTuple):
    """The file descriptors that come with a client's request."""

    request: int  # a file of JSON, see ``become_kernel``
    stdin: int
    stdout: int
    stderr: int
    lifeline: int  # a pipe whose other end only the client has
    client: int = -1  # the connection
    ends_itself: int = False  # when its client has died


def become_kernel(call: Call, later: set[str], known: Mapping[str, int]) -> None:
    """Run the kernel in this process until it ends.

    The request has ``command`` (the whole command line), ``program`` (the module that is run) with
    its ``arguments``, ``environment``, ``folder``, ``umask`` and ``limits`` (number -> soft and
    hard); for a kernel in a sandbox also ``sandbox``, ``way`` and ``place``, see ``confine``.

    Args:
        later: names of modules that an ordinary kernel would import later, from its own folder
            first.
        known: modules of this course that it may keep, if their files are as they were: what
            ``own_modules`` returned.
    """
    with os.fdopen(call.request, encoding="utf-8") as file:
        request = json.load(file)
    os.setsid()
    if not call.ends_itself:
        adopt_orphans()
        end_with_client(call.lifeline)
    for number, stream in enumerate((call.stdin, call.stdout, call.stderr)):
        os.dup2(stream, number)
        os.close(stream)
    os.umask(request["umask"])
    for limit, values in request["limits"].items():
        resource.setrlimit(int(limit), values)
    if "sandbox" in request:
        sandbox, way = Sandbox(**request["sandbox"]), Way(*request["way"])
        confine(sandbox, way, Place(*request["place"]), socket.socket(fileno=call.client))
    else:
        os.close(call.client)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    if shadows(Path.cwd(), later):
        if "sandbox" not in request:
            os.set_inheritable(call.lifeline, True)
        os.execv(request["command"][0], request["command"])
    renew_modules(request, known)
    leave(run(request["program"]))


def run(program: str) -> int:
    """Run a module as the main program; return the exit status that it asks for."""
    try:
        runpy.run_module(program, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    return 0


def finish_answering() -> None:
    """Let ipykernel's thread that was asked to shut down finish before what it writes to is closed.

    It would wait 10 s for that in vain, and the main thread for it.
    """
    if (module := sys.modules.get("ipykernel.kernelapp")) and module.IPKernelApp.initialized():
        if control := module.IPKernelApp.instance().control_thread:
            control.join(0.2)


def leave(status: int) -> NoReturn:
    """End as the interpreter does, but for taking apart all modules: that copies every page.

    What a notebook has left open is written to its file.
    """
    finish_answering()
    threading._shutdown()  # type: ignore[attr-defined]  # waits, as ``multiprocessing`` does here
    atexit._run_exitfuncs()
    gc.collect()
    files = [each for each in gc.get_objects() if isinstance(each, WRITTEN)]
    streams: list[Any] = [*files, sys.__stdout__, sys.__stderr__]
    for each in streams:
        with suppress(Exception):  # as when an object ends
            each.flush()
    ctypes.CDLL(None).fflush(None)
    os._exit(status)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends, so that none of them is lost.

    The parent of warm kernels does so too, and inherits those of a kernel that has ended.
    """
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)


def end_with_client(lifeline: int) -> None:
    """Have the system kill our process group as soon as the client's end of a pipe is closed.

    The parent does the same, but it may have been killed before the client is.
    """
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    gone = select.poll()
    gone.register(lifeline)
    if gone.poll(0):
        os.killpg(0, signal.SIGKILL)


def shadows(folder: Path, names: set[str]) -> bool:
    """Tell whether a module in ``folder`` has one of ``names``: an import would have found it."""
    return bool(names) and any(
        entry.stem in names and (entry.suffix == ".py" or (entry / "__init__.py").is_file())
        for entry in folder.iterdir()
    )


def own_modules() -> dict[str, int]:
    """Return the modules of this course that have been imported, and when each was changed."""
    own = {}
    for name, module in sys.modules.items():
        if name.partition(".")[0] in ("course", "utils"):
            try:
                own[name] = os.stat(str(module.__file__)).st_mtime_ns
            except OSError:  # removed, or moved
                own[name] = 0
    return own


def renew_modules(request: dict[str, Any], known: Mapping[str, int]) -> None:
    """Give modules what they took from the parent's environment at their import.

    Those of this course are imported anew, unless all are as ``known``.
    """
    time.tzset()
    tempfile.tempdir = None
    if (own := own_modules()) != known:
        for name in own:
            del sys.modules[name]
    sys.argv = ["", *request["arguments"]]
    sys.orig_argv = request["command"]
    if process := sys.modules.get("multiprocessing.process"):
        process.ORIGINAL_DIR = os.getcwd()  # type: ignore[attr-defined]  # children look there
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
    if "keras" in sys.modules:
        from keras.src.backend import config

        home = Path.home() if os.access(Path.home(), os.W_OK) else Path("/tmp")
        config._KERAS_DIR = os.environ.get("KERAS_HOME", str(home / ".keras"))
