"""What a kernel that runs code nobody has vouched for may see, write and use up."""

from __future__ import annotations

import json
import os
import re
import site
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

GIB = 2**30

# TensorFlow's threads, some for every processor, and their heaps reserve addresses that they do not
# fill. What is written to counts as data; the limit of addresses is for memory shared by processes.
ADDRESSES_PER_PROCESSOR = GIB // 2

# Variables that a kernel gets from those given: how Python, TensorFlow and BLAS compute and write.
KEPT = re.compile(
    r"LANG|LC_[A-Z]+|TZ|LD_LIBRARY_PATH|PYTHON(HASHSEED|UTF8|FAULTHANDLER)|KERAS_BACKEND|XLA_FLAGS"
    r"|TF_(CPP_MIN_LOG_LEVEL|ENABLE_ONEDNN_OPTS|XLA_FLAGS|NUM_INT(RA|ER)OP_THREADS|DETERMINISTIC_OPS)"
    r"|(OMP|MKL|OPENBLAS)_NUM_THREADS|OPENBLAS_(CORETYPE|L2_SIZE)|PYDEVD_DISABLE_FILE_VALIDATION"
)

# What programs need of the system, where it is there.
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS = ("/etc/alternatives", "/etc/fonts", "/etc/ld.so.cache", "/etc/localtime")


class NotSandboxed(RuntimeError):
    """A kernel was to run in a sandbox and could not; the message says why, in one sentence."""


class Sandbox(NamedTuple):
    """A kernel's sandbox, as plain JSON: ``Sandbox(**sandbox._asdict())`` is the same one.

    ``isolation`` tells how much of it holds on a machine.
    """

    folder: str  # the kernel's own: working directory, home and temporary files are in it
    readable: Sequence[str] = ()  # files and folders beside the Python environment
    hidden: Sequence[str] = ()  # files and folders that are kept from it even in readable ones
    variables: Mapping[str, str] = {}  # of its environment, beside a few that it gets anyway
    memory: int = 4 * GIB  # bytes of each process
    storage: int = GIB  # bytes of its folder, /tmp and /dev/shm together
    file_size: int = GIB // 2  # bytes of each file
    processes: int = 512  # at a time, threads among them
    open_files: int = 1024  # of each process


def readable_places(sandbox: Sandbox) -> list[str]:
    """Return the files and folders that the kernel may read, its own left out.

    Raises:
        FileNotFoundError: when one that the sandbox names is not there.
    """
    python = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    if site.ENABLE_USER_SITE:
        python.add(site.getusersitepackages())
    needed = [place for place in (*SYSTEM, *SETTINGS, *sorted(python)) if os.path.exists(place)]
    for place in sandbox.readable:
        os.stat(place)
    return [*needed, *map(os.path.abspath, sandbox.readable)]


def hidden_places(sandbox: Sandbox) -> list[str]:
    """Return the real paths of what is to be hidden, and for Python's files the bytecode's folder.

    That folder is made where there is none: another process may compile such a file at any time.
    """
    hidden = [Path(each).resolve() for each in sandbox.hidden]
    bytecode = {path.parent / "__pycache__" for path in hidden if path.suffix == ".py"}
    for folder in bytecode:
        with suppress(OSError):  # then nobody else like us can make it either
            folder.mkdir(exist_ok=True)
    return [str(path) for path in (*hidden, *sorted(bytecode)) if path.exists()]


def without(place: str, hidden: Sequence[str]) -> Iterator[str]:
    """Yield what is in ``place`` without what is hidden: ``place`` itself if that is nothing."""
    if place in hidden:
        return
    if not any(each.startswith(place.rstrip("/") + "/") for each in hidden):
        yield place
    else:
        for entry in os.scandir(place):
            yield from without(entry.path, hidden)


def own_folders(sandbox: Sandbox) -> tuple[str, str]:
    """Return the kernel's home and where its temporary files are; it makes both itself."""
    return os.path.join(sandbox.folder, "home"), os.path.join(sandbox.folder, "tmp")


def kept_variables(given: Mapping[str, str]) -> dict[str, str]:
    """Return those of the given variables that a sandboxed kernel gets."""
    return {name: value for name, value in given.items() if KEPT.fullmatch(name)}


def kernel_variables(sandbox: Sandbox, given: Mapping[str, str]) -> dict[str, str]:
    """Return a sandboxed kernel's variables: a few of those given, and its own."""
    home, temporary = own_folders(sandbox)
    variables = kept_variables(given) | {
        "PATH": os.pathsep.join((os.path.dirname(sys.executable), os.defpath)),
        "HOME": home,
        "TMPDIR": temporary,
        "MPLCONFIGDIR": os.path.join(home, "matplotlib"),
        "IPYTHONDIR": os.path.join(home, "ipython"),
        "JPY_PARENT_PID": "1",  # there is a client, and no need to watch it
    }
    if os.name == "nt":
        variables |= {name: given[name] for name in ("PATH", "SYSTEMROOT") if name in given}
        variables |= {"USERPROFILE": home, "TEMP": temporary, "TMP": temporary}
    return variables | dict(sandbox.variables)


def resource_limits(sandbox: Sandbox, tasks: int = 0) -> dict[str, int]:
    """Return the system's limits by name, where this user has so many tasks that count already."""
    addresses = 2 * GIB + (os.cpu_count() or 1) * ADDRESSES_PER_PROCESSOR
    return {
        "RLIMIT_DATA": sandbox.memory,
        "RLIMIT_AS": sandbox.memory + addresses,
        "RLIMIT_FSIZE": sandbox.file_size,
        "RLIMIT_NPROC": tasks + sandbox.processes,
        "RLIMIT_NOFILE": sandbox.open_files,
        "RLIMIT_CORE": 0,
    }


# What an ordinary kernel does at its start where there is no sandbox: take on what limits it can.
START_LIMITED = """\
import json, os, runpy, sys
folders, limits = map(json.loads, (sys.argv.pop(1), sys.argv.pop(1)))
for folder in folders:
    os.makedirs(folder, exist_ok=True)
try:
    import resource
except ImportError:
    limits = {}
for name, value in limits.items():
    try:
        resource.setrlimit(getattr(resource, name), (value, value))
    except (AttributeError, OSError, ValueError):
        continue
runpy.run_module("ipykernel_launcher", run_name="__main__", alter_sys=True)
"""


def limited_command(
    sandbox: Sandbox, python: str, options: Sequence[str], arguments: Sequence[str]
) -> list[str]:
    """Return the command of an ordinary kernel with the sandbox's limits, where it has no other."""
    limits = resource_limits(sandbox, len(psutil.pids()))
    given = json.dumps(own_folders(sandbox)), json.dumps(limits)
    return [python, *options, "-c", START_LIMITED, *given, *arguments]
