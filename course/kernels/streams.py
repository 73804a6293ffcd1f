"""A kernel's standard streams, given as ``subprocess.Popen`` takes them, as file descriptors."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import IO, Any, NamedTuple

NAMES = ("stdin", "stdout", "stderr")


class Streams(NamedTuple):
    """File descriptors for a kernel's standard streams."""

    stdin: int
    stdout: int
    stderr: int


@contextmanager
def opened(given: Mapping[str, Any]) -> Iterator[tuple[Streams, dict[str, IO[bytes]]]]:
    """Open what is asked for as stdin, stdout and stderr: None, a constant of Popen's or a file.

    As for any kernel, None is an open pipe for stdin, and for the others what this process has.

    Yields:
        The kernel's ends, which are closed afterwards where they were opened here; and by name
        our ends of pipes, which are closed only if an exception is raised.
    """
    with ExitStack() as ours, ExitStack() as theirs:
        ends: dict[str, IO[bytes]] = {}
        kept: list[int] = []
        for number, name in enumerate(NAMES):
            value = given.get(name)
            if value == subprocess.PIPE or (value is None and name == "stdin"):
                read, write = os.pipe()
                kernels, own, mode = (read, write, "wb") if name == "stdin" else (write, read, "rb")
                theirs.callback(os.close, kernels)
                ends[name] = ours.enter_context(os.fdopen(own, mode, buffering=0))
                kept.append(kernels)
            elif value == subprocess.STDOUT:
                kept.append(kept[1])
            elif value == subprocess.DEVNULL or (value is None and not _is_open(number)):
                kept.append(os.open(os.devnull, os.O_RDWR))
                theirs.callback(os.close, kept[-1])
            elif value is None:
                kept.append(number)
            else:
                kept.append(value if isinstance(value, int) else value.fileno())
        yield Streams(*kept), ends
        ours.pop_all()


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
