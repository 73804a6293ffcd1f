"""The system calls of Linux that a sandbox is made of.

Each raises OSError when the system refuses. The numbers are those of Linux's headers; calls with
a number of their own below have the same one on every processor.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterable

CLONE_NEWNS = 0x00020000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
MNT_DETACH = 2
RDONLY, NOSUID, NODEV = 1, 2, 4  # of mount_setattr
AT_FDCWD, AT_RECURSIVE = -100, 0x8000

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 4, 36, 38
_CAPABILITY_VERSION = 0x20080522
_MOUNT_SETATTR, _CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 442, 444, 445, 446

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def _call(name: str, *arguments: object) -> int:
    result = int(getattr(_libc, name)(*arguments))
    if result < 0:
        number = ctypes.get_errno()
        said = " ".join(os.fsdecode(each) for each in arguments if isinstance(each, bytes))
        raise OSError(number, f"{name} {said}".strip() + f": {os.strerror(number)}")
    return result


def _syscall(number: int, *arguments: int | bytes | None) -> int:
    return _call(
        "syscall",
        ctypes.c_long(number),
        *(ctypes.c_long(each) if isinstance(each, int) else each for each in arguments),
    )


def prctl(option: int, value: int, more: int = 0) -> None:
    """Set one of this process's own options."""
    _call("prctl", option, *(ctypes.c_ulong(each) for each in (value, more, 0, 0)))


def unshare(flags: int) -> None:
    """Go into new namespaces; into that of processes, only the children will."""
    _call("unshare", flags)


def drop_capabilities() -> None:
    """Give up every capability for good."""
    _call("capset", struct.pack("Ii", _CAPABILITY_VERSION, 0), bytes(24))


def mount(kind: str, target: str, flags: int = 0, options: str = "") -> None:
    """Mount a new file system of a kind."""
    _call("mount", kind.encode(), os.fsencode(target), kind.encode(), flags, options.encode())


def bind(source: str, target: str) -> None:
    """Make a file or folder, with what is mounted in it, appear at another place too."""
    _call("mount", os.fsencode(source), os.fsencode(target), None, MS_BIND | MS_REC, None)


def make_private(target: str) -> None:
    """Keep what is mounted below ``target`` from other namespaces."""
    _call("mount", None, os.fsencode(target), None, MS_REC | MS_PRIVATE, None)


def restrict_mount(target: str, attributes: int, *, recursive: bool = True) -> None:
    """Set attributes such as ``RDONLY`` of what is mounted at ``target``, and below it."""
    settings = struct.pack("4Q", attributes, 0, 0, 0)
    path, flags = os.fsencode(target), AT_RECURSIVE if recursive else 0
    _syscall(_MOUNT_SETATTR, AT_FDCWD, path, flags, settings, len(settings))


def unmount(target: str) -> None:
    """Take away what is mounted at ``target``; what uses it keeps it."""
    _call("umount2", os.fsencode(target), MNT_DETACH)


def pivot_root(new: str, old: str) -> None:
    """Make ``new``, where something is mounted, the root; what was the root appears at ``old``."""
    _call("pivot_root", os.fsencode(new), os.fsencode(old))


# Landlock: rights to files, in the order of their bits.
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REMOVE_DIR, REMOVE_FILE, MAKE_DIR, MAKE_REG = 1 << 4, 1 << 5, 1 << 7, 1 << 8
MAKE_SOCK, MAKE_FIFO, MAKE_SYM = 1 << 9, 1 << 10, 1 << 12
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15

READ = EXECUTE | READ_FILE | READ_DIR
DEVICE = READ_FILE | WRITE_FILE | IOCTL_DEV
ALL = READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SOCK | MAKE_FIFO
ALL |= MAKE_SYM | REFER | TRUNCATE
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV  # the others are of folders

_TCP, _SCOPES = 0b11, 0b11  # bind and connect; abstract sockets and signals
_HANDLED = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # version of Landlock -> bits for files
NEWEST = 7  # the version of Landlock with which this has been tried


def landlock_version() -> int:
    """Return the version of Landlock to count with, 0 where there is none."""
    try:
        return min(NEWEST, _syscall(_CREATE_RULESET, None, 0, 1))
    except OSError:
        return 0


def landlock(version: int, rules: Iterable[tuple[str, int]], *, tcp: bool) -> None:
    """Hold this process and its descendants to ``rules``, for good.

    From version 6 on they cannot send signals to other processes either, nor reach their abstract
    sockets. The process must have set ``PR_SET_NO_NEW_PRIVS``.

    Args:
        rules: files and folders with the rights to them and to all that is in them.
        tcp: whether TCP stays allowed; from version 4 on it can be forbidden.
    """
    handled = (1 << _HANDLED[min(version, 5)]) - 1
    forbidden = _TCP if version >= 4 and not tcp else 0
    settings = struct.pack("3Q", handled, forbidden, _SCOPES if version >= 6 else 0)
    ruleset = _syscall(_CREATE_RULESET, settings, len(settings), 0)
    try:
        for path, rights in rules:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            try:
                allowed = rights & handled & (-1 if os.path.isdir(path) else OF_FILES)
                _syscall(_ADD_RULE, ruleset, 1, struct.pack("=Qi", allowed, descriptor), 0)
            finally:
                os.close(descriptor)
        _syscall(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


# Sockets that no namespace holds, such as those to the host of a virtual machine, and the keys that
# the user's session keeps in the system, are out of reach with a filter of system calls. It cannot
# see what is asked for through io_uring, which gives sockets too: so there is none.
_FAMILIES = (1, 2, 10, 16)  # that stay: Unix, IPv4, IPv6 and netlink
_EACH = {  # architecture, its calls socket and socketpair, add_key, request_key and keyctl
    "x86_64": (0xC000003E, (41, 53), (248, 249, 250)),
    "aarch64": (0xC00000B7, (198, 199), (217, 218, 219)),
}
_IO_URING = (425, 426, 427)  # set up, enter and register
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # instructions of the filter
_NUMBER, _ARCHITECTURE, _ARGUMENT = 0, 4, 16  # where it finds what it is to judge
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
_OTHER_NUMBERS = 0x40000000  # from here on, x86-64 has other numbers for the same calls
PR_GET_SECCOMP, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 21, 22, 2


def can_filter_calls() -> bool:
    """Tell whether ``filter_calls`` knows this processor, and the system can do it."""
    if os.uname().machine not in _EACH:
        return False
    return int(_libc.prctl(PR_GET_SECCOMP, 0, 0, 0, 0)) >= 0


def filter_calls() -> None:
    """Refuse unusual sockets, io_uring and the system's keys to this process, for good.

    That holds for its descendants too. The process must have set ``PR_SET_NO_NEW_PRIVS``.
    """
    architecture, sockets, keys = _EACH[os.uname().machine]
    filter_ = [
        (_LOAD, "", "", _ARCHITECTURE),
        (_IF_EQUAL, "", "refuse", architecture),
        (_LOAD, "", "", _NUMBER),
        (_IF_AT_LEAST, "refuse", "", _OTHER_NUMBERS),
        *((_IF_EQUAL, "refuse", "", number) for number in (*keys, *_IO_URING)),
        *((_IF_EQUAL, "socket", "", number) for number in sockets),
        (_RETURN, "", "", _ALLOW),
        (_LOAD, "", "", _ARGUMENT),  # socket
        *((_IF_EQUAL, "allow", "", family) for family in _FAMILIES),
        (_RETURN, "", "", _REFUSE),  # refuse
        (_RETURN, "", "", _ALLOW),  # allow
    ]
    size = len(filter_)
    labels = {"allow": size - 1, "refuse": size - 2, "socket": size - 3 - len(_FAMILIES)}
    program = b"".join(
        struct.pack("HBBI", code, *(labels.get(to, at + 1) - at - 1 for to in (yes, no)), value)
        for at, (code, yes, no, value) in enumerate(filter_)
    )
    buffer = ctypes.create_string_buffer(program, len(program))
    settings = ctypes.create_string_buffer(struct.pack("HP", size, ctypes.addressof(buffer)))
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(settings))
