"""Tries what a sandbox holds on this machine: goes into one as a kernel does, and attacks."""

from __future__ import annotations

import json
import os
import signal
import socket
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from course.kernels.confine import Place, Way, confine
from course.kernels.linux import can_filter_calls, landlock_version
from course.kernels.sandbox import GIB, Sandbox

PROCESSES = 16
FILE = 2**20  # bytes


def main() -> None:
    """Print as JSON what holds, why the rest does not, and the way into a sandbox here."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as server:
        with socket.socket(socket.AF_UNIX) as abstract:
            abstract.bind("")
            abstract.listen()
            secret = Path(folder, "secret")
            secret.write_text("not for kernels")
            own = Path(folder, "own")
            own.mkdir()
            sandbox = Sandbox(
                str(own), memory=GIB, storage=8 * FILE, file_size=FILE, processes=PROCESSES
            )
            print(json.dumps(_found(sandbox, _attacks(secret, server, abstract))))


Attacks = Mapping[str, Callable[[], bool]]  # each tells whether it was fended off


def _attacks(secret: Path, server: socket.socket, abstract: socket.socket) -> dict[str, Attacks]:
    outside, namespace = os.getpid(), os.readlink("/proc/self/ns/user")
    address, name = server.getsockname(), abstract.getsockname()
    return {
        "namespaces": {
            "user namespace": lambda: os.readlink("/proc/self/ns/user") != namespace,
            "network": lambda: _fails(lambda: socket.create_connection(address, 5)),
            "processes": lambda: not os.path.exists(f"/proc/{outside}"),
            "mounts": lambda: not secret.exists(),
        },
        "Landlock": {
            "Landlock: files": lambda: _is_forbidden(secret.read_text),
            "Landlock: signals": lambda: _is_forbidden(lambda: os.kill(os.getppid(), 0)),
            "Landlock: abstract sockets": lambda: _is_forbidden(
                lambda: socket.socket(socket.AF_UNIX).connect(name)
            ),
        },
        "system calls": {
            "unusual sockets": lambda: _is_forbidden(lambda: socket.socket(socket.AF_VSOCK)),
        },
        "all": {
            "limits": lambda: _is_limited(secret.with_name("own")),
            "no new privileges": lambda: "NoNewPrivs:\t1" in Path("/proc/self/status").read_text(),
        },
    }


def _found(sandbox: Sandbox, attacks: dict[str, Attacks]) -> dict[str, object]:
    """Try each means alone, since two could hide that one of them fails, then all together."""
    holds: dict[str, bool] = {}
    reasons = []
    version, filters = landlock_version(), can_filter_calls()
    ways = {
        "namespaces": Way(True, 0, False),
        "Landlock": Way(False, version, False),
        "system calls": Way(False, 0, filters),
    }
    for name, way in ways.items():
        held, reason = _tried(sandbox, way, attacks[name])
        if name == "namespaces" and not all(held.values()):
            held = dict.fromkeys(held, False)  # they are used all together
        holds |= held
        if not all(held.values()):
            reasons.append(f"{name}: {reason or 'too old'}")
    files = holds["Landlock: files"]
    way = Way(holds["mounts"], version if files else 0, holds["unusual sockets"])
    held, reason = _tried(sandbox, way, attacks["all"])
    if not all(held.values()):
        reasons.append(reason or "limits: the number of processes has none, as for root")
    return {"holds": holds | held, "reasons": reasons, "way": way}


def _tried(sandbox: Sandbox, way: Way, attacks: Attacks) -> tuple[dict[str, bool], str]:
    """Attack from inside; return which attacks were fended off, or why there is no inside."""
    read, write = os.pipe()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = os.fork()
    if child == 0:
        try:
            os.dup2(write, 1)
            confine(sandbox, way, Place("", ""), theirs)
            os.write(1, json.dumps({name: attack() for name, attack in attacks.items()}).encode())
        finally:
            os._exit(0)
    theirs.close()
    os.close(write)
    with os.fdopen(read, "rb") as report, ours:
        said = report.read()
        os.waitpid(child, 0)
        if said:
            return json.loads(said), ""
        return dict.fromkeys(attacks, False), ours.recv(1000).decode(errors="replace")


def _fails(attack: Callable[[], object]) -> bool:
    try:
        attack()
    except (OSError, MemoryError):
        return True
    return False


def _is_forbidden(attack: Callable[[], object]) -> bool:
    try:
        attack()
    except PermissionError:
        return True
    return False


def _is_limited(own: Path) -> bool:
    (own / "small").write_bytes(bytes(FILE))
    return (
        _fails(lambda: bytearray(2 * GIB))
        and _fails(lambda: (own / "large").write_bytes(bytes(2 * FILE)))
        and _fails(_start_many_processes)
    )


def _start_many_processes() -> None:
    started = []
    try:
        for _ in range(2 * PROCESSES):
            if (process := os.fork()) == 0:
                signal.pause()
            started.append(process)
    finally:
        for process in started:
            os.kill(process, signal.SIGKILL)
