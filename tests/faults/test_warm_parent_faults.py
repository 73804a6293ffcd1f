"""Warm kernels where something dies, says nothing or is replaced."""

from __future__ import annotations

import json
import os
import random
import signal
import site
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from warm_kernels import (
    client_script,
    is_running,
    is_warm,
    parent_of,
    running,
    wait_until,
)

from course.kernels import provisioner
from course.kernels.meeting import meeting_folder

pytestmark = [
    pytest.mark.skipif(not provisioner.CAN_FORK, reason="kernels are forked on Linux only"),
    pytest.mark.usefixtures("place"),
]


def ask_and_answer(number: int) -> tuple[str, int, bool]:
    """Start a kernel; return what it computes, its parent, and whether that is a warm one."""
    with running() as kernel:
        pid = kernel.process.pid
        return kernel.run(f"{number} * 2"), parent_of(pid), is_warm(pid)


def test_ten_clients_that_ask_at_once_start_one_parent() -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(ask_and_answer, range(10)))
    assert [said for said, _, _ in answers] == [str(2 * number) for number in range(10)]
    assert all(warm for _, _, warm in answers)
    assert len({parent for _, parent, _ in answers}) == 1


def test_ten_processes_that_ask_at_once_start_one_parent() -> None:
    clients = [subprocess.Popen(client_script("1"), stdout=subprocess.PIPE) for _ in range(10)]
    said = [json.loads(client.stdout.readline()) for client in clients if client.stdout]
    for client in clients:
        client.kill()
        client.communicate()
    assert len({parent for _, parent, _ in said}) == 1
    assert wait_until(lambda: not any(is_running(pid) for pid, _, _ in said), 2)


def test_no_request_is_lost_while_parents_are_killed(place: Path) -> None:
    done, killed = threading.Event(), 0
    clients = ThreadPoolExecutor(4)

    def kill_parents() -> None:
        nonlocal killed
        chance = random.Random(4)
        while not done.wait(chance.uniform(0.2, 1.0)):
            for pid in _parents(place):
                os.kill(pid, signal.SIGKILL)
                killed += 1

    killer = threading.Thread(target=kill_parents)
    with clients:
        killer.start()
        try:
            answers = list(clients.map(_survives, range(24)))
        finally:
            done.set()
    killer.join()
    assert answers == [str(2 * number) for number in range(24)]
    assert killed >= 3


def _survives(number: int) -> str:
    with running() as kernel:
        return kernel.run(f"{number} * 2")


def _parents(place: Path) -> list[int]:
    """Return the process ids of the parents whose address is in a folder.

    A fork of theirs looks like one until it has become a kernel.
    """
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            _, parent, _, session, *_ = (process / "stat").read_text().rpartition(")")[2].split()
        except (OSError, ValueError):
            continue
        if str(place).encode() in command and session != process.name:
            found[int(process.name)] = int(parent)
    return [process for process, parent in found.items() if parent not in found]


def test_a_kernel_outlives_its_parent_and_a_new_parent_serves_the_next_client() -> None:
    with running() as kernel:
        parent = parent_of(kernel.process.pid)
        kernel.run("known = 42")
        os.kill(parent, signal.SIGKILL)
        assert kernel.run("known") == "42"
        said, other, warm = ask_and_answer(4)
        assert (said, warm) == ("8", True)
        assert other != parent
        kernel.client.execute("import os; os._exit(1)")
        assert kernel.process.wait(timeout=5) == 255  # how it ended only the parent could tell


@pytest.mark.parametrize("orphaned", [False, True], ids=["parent alive", "parent killed before"])
def test_a_killed_client_leaves_nothing_running(orphaned: bool, place: Path) -> None:
    child = "import subprocess; subprocess.Popen(['sleep', '1000']).pid"
    client = subprocess.Popen(client_script(child), stdout=subprocess.PIPE)
    assert client.stdout is not None
    kernel, parent, grandchild = map(int, json.loads(client.stdout.readline()))
    assert is_running(kernel)
    assert is_running(grandchild)
    if orphaned:
        os.kill(parent, signal.SIGKILL)
        assert wait_until(lambda: not is_running(parent), 2)
    client.kill()
    client.communicate()
    assert wait_until(lambda: not is_running(kernel) and not is_running(grandchild), 2)
    if orphaned:
        ask_and_answer(1)  # a new parent sweeps
    assert wait_until(lambda: not list(place.glob("kernel-*")), 10)


def test_a_client_that_connects_and_says_nothing_holds_nobody_up(place: Path) -> None:
    ask_and_answer(1)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as silent:
        silent.connect(str(next(place.glob("*.sock"))))
        start = time.monotonic()
        assert ask_and_answer(3)[0] == "6"
        assert time.monotonic() - start < 5


@pytest.mark.parametrize("message", [b"nonsense", b"k" * 4000])
def test_a_client_that_talks_nonsense_is_dismissed(message: bytes, place: Path) -> None:
    _, parent, _ = ask_and_answer(1)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.connect(str(next(place.glob("*.sock"))))
        client.settimeout(5)
        client.send(message)
        assert client.recv(10) == b""
    assert ask_and_answer(3)[1] == parent


def test_a_client_that_hangs_up_at_once_starts_no_kernel(place: Path) -> None:
    _, parent, _ = ask_and_answer(1)
    for _ in range(20):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.connect(str(next(place.glob("*.sock"))))
    assert ask_and_answer(3)[1] == parent
    children = Path(f"/proc/{parent}/task/{parent}/children")
    assert wait_until(lambda: children.read_text() == "", 2)


def test_a_parent_whose_environment_changed_is_replaced_and_ends(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    packages = tmp_path / "site-packages"
    packages.mkdir()
    monkeypatch.setattr(site, "getsitepackages", lambda: [str(packages)])
    _, before, _ = ask_and_answer(1)
    assert ask_and_answer(2)[1] == before
    (packages / "something-1.0.dist-info").mkdir()
    assert ask_and_answer(3)[1] != before
    assert wait_until(lambda: not is_running(before), 5)


def test_an_address_that_nobody_answers_is_taken_over(place: Path) -> None:
    _, parent, _ = ask_and_answer(1)
    os.kill(parent, signal.SIGKILL)
    assert len(list(place.glob("*.sock"))) == 1
    said, other, warm = ask_and_answer(2)
    assert (said, warm, other != parent) == ("4", True, True)


def test_a_meeting_folder_that_is_not_ours_alone_gives_an_ordinary_kernel(
    capsys: pytest.CaptureFixture[str],
) -> None:
    provisioner.say_once.cache_clear()
    meeting_folder().chmod(0o777)
    said, parent, _ = ask_and_answer(2)
    assert (said, parent) == ("4", os.getpid())
    assert "not ours alone" in capsys.readouterr().err
