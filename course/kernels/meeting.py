"""Where a user's kernels and their parents meet: a folder that nobody else can enter."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import struct
import tempfile
import uuid
from pathlib import Path

LONGEST = 70  # bytes of the folder's path; a socket's whole path may have 107


def meeting_folder() -> Path:
    """Return the folder, in ``XDG_RUNTIME_DIR`` or beside temporary files; make it if need be.

    Raises:
        OSError: when it cannot be made, or another user owns it or may enter it.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    private = f"course-kernels-{os.getuid()}"
    folder = Path(runtime, "course-kernels")
    if not os.access(runtime, os.W_OK) or len(os.fsencode(folder)) > LONGEST:
        folder = Path(tempfile.gettempdir(), private)
    if len(os.fsencode(folder)) > LONGEST:
        folder = Path("/tmp", private)
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if (
        not stat.S_ISDIR(status.st_mode)
        or status.st_uid != os.getuid()
        or stat.S_IMODE(status.st_mode) & 0o077
    ):
        raise PermissionError(f"{folder} is not ours alone: remove it, or set XDG_RUNTIME_DIR")
    return folder


def new_sockets() -> Path:
    """Make a folder for the sockets of a kernel that this process starts.

    Raises:
        OSError: when it cannot be made.
    """
    folder = meeting_folder() / f"kernel-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    folder.mkdir(mode=0o700)
    return folder


def remove_left_sockets(meeting: Path) -> None:
    """Remove the folders of sockets whose makers have died."""
    for path in meeting.glob("kernel-*-*"):
        try:
            os.kill(int(path.name.split("-")[1]), 0)
        except ProcessLookupError:
            shutil.rmtree(path, ignore_errors=True)


def is_ours(connection: socket.socket) -> bool:
    """Tell whether the process at the other end of a Unix socket runs under our user."""
    _, user, _ = _credentials(connection)
    return user == os.getuid()


def peer(connection: socket.socket) -> int:
    """Return the id of the process that connected, or listens, at the other end."""
    process, _, _ = _credentials(connection)
    return process


def _credentials(connection: socket.socket) -> tuple[int, int, int]:
    """Return process, user and group."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    process, user, group = struct.unpack("3i", credentials)
    return process, user, group
