"""How a fork of the parent puts a kernel into a sandbox.

The fork itself stays outside: it goes into new namespaces, starts the kernel there, waits for it
and ends as the kernel did. The first process of the namespace is a program that only waits; when
it ends, and it does so with the fork, the system kills every process of the namespace.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import socket
import struct
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, NoReturn

from course.kernels import linux
from course.kernels.sandbox import (
    Sandbox,
    hidden_places,
    own_folders,
    readable_places,
    resource_limits,
    without,
)

NOBODY = 65534  # who a kernel of root's is: some limits do not hold for root
SHELL = "/bin/sh"
FIRST = "/bin/cat"  # the first process of a namespace, which waits for its input's end

NAMESPACES = (
    linux.CLONE_NEWUSER
    | linux.CLONE_NEWNET
    | linux.CLONE_NEWPID
    | linux.CLONE_NEWNS
    | linux.CLONE_NEWIPC
)
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
LINKS = {"fd": "fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}  # of /dev
SHARED = {"/tmp": "/tmp", "/dev/shm": "/shm"}  # folders of the kernel's own, below PRIVATE
OLD = "/.old"  # where the machine's files are until the kernel has its own
PRIVATE = "/.private"
SOCKETS = "/run/kernel"  # where the kernel finds the folder of its sockets
CHANNELS = 5  # sockets of a kernel: shell, control, stdin, iopub and heartbeat
NOTHING = "/.nothing"
ENTERED = b"entered"


class Way(NamedTuple):
    """Which of the system's means a sandbox is made of."""

    namespaces: bool
    landlock: int  # its version, 0 for none
    call_filter: bool


class Place(NamedTuple):
    """What the client has prepared for a kernel outside its sandbox."""

    sockets: str  # the folder of its sockets, "" for none
    connection_file: str  # "" for none


def confine(sandbox: Sandbox, way: Way, place: Place, client: socket.socket) -> None:
    """Return in a new process in the sandbox; stay with it until it ends in this one.

    The client gets the kernel's process id and a descriptor of it, or the reason for which there
    is none.
    """
    read, write = os.pipe()
    try:
        first = _enter_namespaces(place) if way.namespaces else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            kernel = os.fork()
    except OSError as error:
        client.send(str(error).encode())
        os._exit(1)
    if kernel == 0:
        client.detach()
        _become_confined(sandbox, way, place, write)
        return
    os.close(write)
    with os.fdopen(read, "rb") as report:
        said = report.read()
    with client, suppress(OSError):  # a client that is gone will be noticed
        if said == ENTERED:
            descriptor = os.pidfd_open(kernel)
            socket.send_fds(client, [struct.pack("i", kernel)], [descriptor])
            os.close(descriptor)
        else:
            client.send(said or b"it died while it entered")
    if way.namespaces and place.sockets:
        _close_sockets(kernel)
    _end_like(kernel, first)


def _close_sockets(kernel: int) -> None:
    """Let nothing more be made in the folder of the sockets, once the kernel has its own.

    The folder is the machine's, so nothing else limits how many files it holds.
    """
    try:
        while len(os.listdir(SOCKETS)) < CHANNELS:
            if os.waitid(os.P_PID, kernel, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                return
            time.sleep(0.01)
        linux.restrict_mount(SOCKETS, linux.NOSUID | linux.NODEV | linux.RDONLY)
    except OSError:
        os.kill(kernel, signal.SIGKILL)


def _become_confined(sandbox: Sandbox, way: Way, place: Place, report: int) -> None:
    os.setsid()
    try:
        restrict(sandbox, way, place)
        os.write(report, ENTERED)
    except (OSError, ValueError, RuntimeError, MemoryError) as error:
        os.write(report, (str(error) or type(error).__name__).encode())
        os._exit(1)
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        if descriptor > 2:
            with suppress(OSError):
                os.close(descriptor)


def restrict(sandbox: Sandbox, way: Way, place: Place) -> None:
    """Put this process into the sandbox; with namespaces, it must be in them already.

    Raises:
        OSError: when a part of the sandbox cannot be had.
    """
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # of all processes, this is to go
    hidden = hidden_places(sandbox)
    readable = {each: os.path.realpath(each) for each in readable_places(sandbox)}
    tasks = 0
    if way.namespaces:
        _build_root(sandbox, place, readable, hidden)
        if os.getuid() == 0:
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
        linux.prctl(linux.PR_SET_DUMPABLE, 1)  # or it could not read its own /proc/self
    else:
        tasks = _count_tasks()
    linux.drop_capabilities()
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    for folder in own_folders(sandbox):
        os.makedirs(folder, exist_ok=True)
    if way.landlock:
        if linux.landlock_version() < way.landlock:
            raise OSError("Landlock is older here than it was when it was tried")
        rules = [*_rules(sandbox, place, way, readable, hidden)]
        linux.landlock(way.landlock, rules, tcp=way.namespaces)
    _limit(sandbox, tasks)
    if way.call_filter:
        linux.filter_calls()


def _limit(sandbox: Sandbox, tasks: int) -> None:
    for name, value in resource_limits(sandbox, tasks).items():
        limit = getattr(resource, name)
        _, hard = resource.getrlimit(limit)
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        resource.setrlimit(limit, (value, value))


def _count_tasks() -> int:
    """Return how many threads this user has: without a namespace, the limit counts them all."""
    count = 0
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if process.stat().st_uid == os.getuid():
                count += len(os.listdir(process / "task"))
    return count


def _rules(
    sandbox: Sandbox, place: Place, way: Way, readable: Mapping[str, str], hidden: Sequence[str]
) -> Iterator[tuple[str, int]]:
    """Yield for Landlock what may be read and written."""
    for each in set(readable.values()):
        parts = list(without(each, hidden))
        for part in parts:
            yield part, linux.READ
        if parts != [each] and os.path.isdir(each):
            yield each, linux.READ_DIR  # Python lists a folder before it imports from it
    yield sandbox.folder, linux.ALL
    if place.sockets:
        sockets = SOCKETS if way.namespaces else place.sockets
        yield sockets, linux.MAKE_SOCK | linux.REMOVE_FILE
    if place.connection_file:
        yield place.connection_file, linux.READ_FILE
    for each in DEVICES:
        yield each, linux.DEVICE
    if way.namespaces:
        yield "/proc", linux.READ
        yield "/etc", linux.READ
        yield "/tmp", linux.ALL
        yield "/dev/shm", linux.ALL
        yield "/dev/pts", linux.DEVICE | linux.READ_DIR
    else:
        for name in (str(os.getpid()), "cpuinfo", "meminfo", "stat", "sys", "version"):
            yield f"/proc/{name}", linux.READ
        yield "/etc/passwd", linux.READ_FILE


def _enter_namespaces(place: Place) -> tuple[int, int]:
    """Go into new namespaces, as the user that this is, and start their first process.

    As root, this process is root in them too, so that it can prepare them and become nobody.

    Returns:
        The first process, and the descriptor that it waits for to be closed.
    """
    user, group = os.geteuid(), os.getegid()
    for left in os.scandir(place.sockets) if place.sockets else ():  # by the kernel before
        os.unlink(left.path)
    if user == 0 and _is_mapped(NOBODY):
        os.setgroups([])
        if place.sockets:
            os.chown(place.sockets, NOBODY, NOBODY)
        with _mapping_from_outside():
            linux.unshare(NAMESPACES)
    else:
        linux.unshare(NAMESPACES)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user or NOBODY} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group or NOBODY} {group} 1")
    Path("/proc/sys/user/max_user_namespaces").write_text("0")  # nobody begins anew in here
    read, write = os.pipe()
    answer, answering = os.pipe()
    ours = signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that nobody need wait for orphans
    streams = [
        (os.POSIX_SPAWN_DUP2, read, 0),
        (os.POSIX_SPAWN_DUP2, answering, 1),
        (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_RDWR, 0),
    ]
    first = os.posix_spawn(FIRST, [FIRST], {}, file_actions=streams)
    signal.signal(signal.SIGCHLD, ours)
    os.close(read)
    os.close(answering)
    with os.fdopen(answer, "rb") as answers:
        os.write(write, b"!")
        if not answers.read(1):  # it has to have its libraries before the files are replaced
            raise OSError("the first process of a namespace died")
    return first, write


def _is_mapped(user: int) -> bool:
    """Tell whether there is such a user here: we may be in a namespace with few."""
    for line in Path("/proc/self/uid_map").read_text().splitlines():
        begin, _, length = map(int, line.split())
        if begin <= user < begin + length:
            return True
    return False


@contextmanager
def _mapping_from_outside() -> Iterator[None]:
    """Map root and nobody to themselves once the block has made the namespace.

    Only a process that has stayed outside may map more than one user. It is another program,
    since a second fork of this process would take longer.
    """
    script = "read go && " + " && ".join(
        f"printf '0 0 1\\n{NOBODY} {NOBODY} 1\\n' > /proc/{os.getpid()}/{kind}_map"
        for kind in ("uid", "gid")
    )
    read, write = os.pipe()
    outside = os.posix_spawn(
        SHELL, [SHELL, "-c", script], {}, file_actions=[(os.POSIX_SPAWN_DUP2, read, 0)]
    )
    os.close(read)
    try:
        yield
        os.write(write, b"go\n")
    finally:
        os.close(write)
        _, status = os.waitpid(outside, 0)
    if status:
        raise PermissionError("the users of a namespace cannot be mapped")


def _build_root(
    sandbox: Sandbox, place: Place, readable: Mapping[str, str], hidden: Sequence[str]
) -> None:
    """Replace this namespace's files by those that the kernel may see, at their usual paths.

    What is bound is at its real path, and a symbolic link leads there from any other.

    Args:
        readable: paths, and the real path of each.
        hidden: real paths.
    """
    folder, sockets = os.path.realpath(sandbox.folder), os.path.realpath(place.sockets or "/")
    mask = os.umask(0o022)
    linux.make_private("/")
    linux.mount("tmpfs", "/tmp", linux.MS_NOSUID | linux.MS_NODEV, "size=8m,mode=755")
    os.mkdir("/tmp" + OLD)
    linux.pivot_root("/tmp", "/tmp" + OLD)
    os.chdir("/")
    _make_private_folders(sandbox, OLD + folder)

    own = linux.NOSUID | linux.NODEV
    mounts = {path: (OLD + path, own | linux.RDONLY) for path in readable.values()}
    mounts |= {path: (OLD + path, linux.NOSUID) for path in DEVICES}
    mounts |= {path: (PRIVATE + name, own) for path, name in SHARED.items()}
    mounts[folder] = (PRIVATE + "/folder", own)
    if place.sockets:
        mounts[SOCKETS] = (OLD + sockets, own)
    for path, (source, attributes) in sorted(mounts.items()):
        _bind(source, path)
        linux.restrict_mount(path, attributes)
    _hide(hidden)
    for path, real in sorted([*readable.items(), (sandbox.folder, folder)]):
        if not os.path.lexists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.symlink(real, path)
    _make_devices_and_processes()
    _write_settings(sandbox)
    if place.connection_file:
        _write_connection_file(place)
    linux.unmount(PRIVATE)
    linux.unmount(OLD)
    linux.restrict_mount("/", linux.RDONLY, recursive=False)
    os.umask(mask)


def _make_private_folders(sandbox: Sandbox, folder: str) -> None:
    """Make the kernel's own files, of a limited size in all, with a copy of its folder."""
    os.mkdir(PRIVATE)
    most = max(100, sandbox.storage // 4096)
    options = f"size={sandbox.storage},nr_inodes={most},mode=755"
    linux.mount("tmpfs", PRIVATE, linux.MS_NOSUID | linux.MS_NODEV, options)
    for name in SHARED.values():
        os.mkdir(PRIVATE + name)
        os.chmod(PRIVATE + name, 0o1777)
    try:
        shutil.copytree(folder, PRIVATE + "/folder", symlinks=True)
    except shutil.Error as error:
        raise OSError(f"its folder cannot be copied: {error.args[0][0][-1]}") from error
    _give_away(PRIVATE + "/folder")
    for parent, folders, files in os.walk(PRIVATE + "/folder"):
        for name in (*folders, *files):
            _give_away(os.path.join(parent, name))


def _give_away(path: str) -> None:
    """Give a file to nobody, if it is nobody whom root will be."""
    if os.getuid() == 0:
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def _bind(source: str, path: str) -> None:
    if os.path.isdir(source):
        os.makedirs(path, exist_ok=True)
    elif not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(path).touch()
    linux.bind(source, path)


def _hide(hidden: Sequence[str]) -> None:
    """Put an empty folder or file that nobody may open over what is to be hidden."""
    os.mkdir(NOTHING, 0o711)
    os.mkdir(NOTHING + "/folder", 0)
    Path(NOTHING + "/file").touch(0)
    for path in hidden:
        if os.path.exists(path):
            linux.bind(NOTHING + ("/folder" if os.path.isdir(path) else "/file"), path)


def _make_devices_and_processes() -> None:
    os.mkdir("/dev/pts")
    quiet = linux.MS_NOSUID | linux.MS_NOEXEC
    linux.mount("devpts", "/dev/pts", quiet, "newinstance,ptmxmode=0666,mode=620")
    os.symlink("pts/ptmx", "/dev/ptmx")
    for name, target in LINKS.items():
        os.symlink(f"/proc/self/{target}", f"/dev/{name}")
    os.mkdir("/proc")
    linux.mount("proc", "/proc", quiet | linux.MS_NODEV | linux.MS_RDONLY)


def _write_settings(sandbox: Sandbox) -> None:
    os.makedirs("/etc", exist_ok=True)
    user = NOBODY if os.getuid() == 0 else os.getuid()
    home = os.path.join(sandbox.folder, "home")
    Path("/etc/passwd").write_text(f"learner:x:{user}:{user}:Learner:{home}:/bin/sh\n")
    Path("/etc/group").write_text(f"learner:x:{user}:\n")
    Path("/etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")


def _write_connection_file(place: Place) -> None:
    """Write a copy of the connection file that says where the sockets are in here."""
    information = json.loads(Path(OLD + os.path.realpath(place.connection_file)).read_bytes())
    if place.sockets:
        information["ip"] = information["ip"].replace(place.sockets, SOCKETS, 1)
    os.makedirs(os.path.dirname(place.connection_file), exist_ok=True)
    Path(place.connection_file).write_text(json.dumps(information), encoding="utf-8")
    _give_away(place.connection_file)


def _end_like(kernel: int, first: tuple[int, int] | None) -> NoReturn:
    """Wait for the kernel, see to it that nothing of it is left, and end in the same way."""
    _, status = os.waitpid(kernel, 0)
    if first:
        process, awaited = first
        os.close(awaited)
        os.waitpid(process, 0)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)
