"""Has Fashion-MNIST in a parent's memory, for all of its kernels."""

from __future__ import annotations

import gc
import importlib
import os
import pickle
import select
import signal
import sys
import types
from collections.abc import Callable
from contextlib import suppress
from typing import IO

from course.imports import uncollected
from course.kernels import linux

LATE = 3.0  # seconds that reading may take longer than all imports


def read_beforehand(cache: str | None) -> None:
    """Have what is in a Keras cache of Fashion-MNIST in memory, but leave `utils` to notebooks."""
    before = set(sys.modules)
    with suppress(ImportError, AttributeError):  # another version of this course is installed
        importlib.import_module("utils.data").read_beforehand(cache)
        gc.freeze()
    for name in set(sys.modules) - before:
        if name.partition(".")[0] == "utils":
            del sys.modules[name]


def read_aside(cache: str | None) -> Callable[[], None]:
    """Begin to read the same in a process of its own, on another processor where there is one.

    Returns:
        What waits for it and takes over what was read, if it does not take too long.
    """
    file = os.fdopen(os.memfd_create("data"), "w+b")
    process = os.fork()
    if process == 0:
        try:
            linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
            _read_into(file, cache)
        finally:
            os._exit(0)

    def take() -> None:
        descriptor = os.pidfd_open(process)
        end = select.poll()
        end.register(descriptor, select.POLLIN)
        end.poll(1000 * LATE)
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        os.close(descriptor)
        os.waitpid(process, 0)
        with file, suppress(EOFError, pickle.UnpicklingError):  # it has not come to its end
            file.seek(0)
            name, content = pickle.load(file)
            vars(sys.modules.setdefault(name, types.ModuleType(name))).update(content)

    return take


def _read_into(file: IO[bytes], cache: str | None) -> None:
    with uncollected(aside=True), suppress(ImportError, AttributeError):
        data = importlib.import_module("utils.data")
        data.read_beforehand(cache)
        memory = vars(sys.modules[data.MEMORY])
        pickle.dump((data.MEMORY, {k: v for k, v in memory.items() if isinstance(v, bytes)}), file)
        file.flush()
