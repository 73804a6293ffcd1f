"""What a kernel in a sandbox can do, and what it cannot, each tried from inside."""

from __future__ import annotations

import json
import os
import py_compile
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
from nbclient import NotebookClient
from unprivileged import run_as_nobody
from warm_kernels import (
    Kernel,
    client_script,
    is_running,
    is_warm,
    meeting_place,
    needs_full_isolation,
    parent_of,
    running,
    wait_until,
)

from course.kernels import isolation as isolation_module
from course.kernels import provisioner
from course.kernels.isolation import PROTECTIONS, Isolation, isolation
from course.kernels.meeting import meeting_folder
from course.kernels.provisioner import put_in_sandbox
from course.kernels.sandbox import NotSandboxed, Sandbox

MIB = 2**20


class World(NamedTuple):
    """A kernel's sandbox, and beside it what is none of the kernel's business."""

    sandbox: Sandbox
    work: Path  # the kernel's working directory
    secrets: dict[str, Path]  # files, by what they are
    package: Path  # may be read, but for each ``hidden.py``


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A small machine of an instructor's."""
    base = tmp_path_factory.mktemp("instructor")
    secrets = {
        "solutions": base / "solutions" / "01" / "01.ipynb",
        "another submission": base / "submitted" / "다른사람" / "01.ipynb",
        "gradebook": base / "grades" / "gradebook.db",
        "home": base / "home" / ".ssh" / "id_ed25519",
    }
    for path in secrets.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("secret")
    package = base / "package"
    package.mkdir()
    for name in ("visible", "hidden"):
        (package / f"{name}.py").write_text(f"what = '{name}'")
        py_compile.compile(str(package / f"{name}.py"))
    (package / "later").mkdir()
    (package / "later" / "hidden.py").write_text("what = 'hidden'")
    work = base / "run" / "김민수" / "work"
    work.mkdir(parents=True)
    (work / "데이터.csv").write_text("가,1\n", encoding="utf-8")
    sandbox = Sandbox(
        str(work.parent),
        readable=[str(package)],
        hidden=[str(package / "hidden.py"), str(package / "later" / "hidden.py")],
        variables={"COURSE_LANG": "ko"},
        storage=64 * MIB,
        file_size=16 * MIB,
        processes=128,
    )
    return World(sandbox, work, secrets, package)


@pytest.fixture(scope="module")
def kernel(world: World) -> Iterator[Kernel]:
    """A kernel in the sandbox, for attempts that leave it alive."""
    environment = os.environ | {"SECRET": "5ecret", "TF_TOKEN_example": "5ecret"}
    with running(sandbox=world.sandbox, cwd=world.work, env=environment) as kernel:
        kernel.run(HELP)
        yield kernel


@pytest.fixture
def mortal(world: World) -> Iterator[Kernel]:
    """A kernel in the sandbox, for one test."""
    with running(sandbox=world.sandbox, cwd=world.work) as kernel:
        kernel.run(HELP)
        yield kernel


# Cells say what became of an attempt with ``outcome``.
HELP = """import ctypes, mmap, os, signal, socket, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
def outcome(attempt):
    try:
        return attempt()
    except Exception as error:
        return type(error).__name__
def call(name, *arguments):
    if getattr(libc, name)(*arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return "done"
def write(path, text="x"):
    with open(path, "w") as file:
        file.write(text)
    return "written"
"""
UNSEEN = ("FileNotFoundError", "PermissionError")


def attempt(kernel: Kernel, expression: str) -> str:
    """Return what an expression gives in a kernel, or the name of its exception."""
    return kernel.run(f"print(outcome(lambda: {expression}))")


# What is there.


@needs_full_isolation
def test_the_level_is_full_and_every_protection_is_named() -> None:
    found = isolation()
    assert found.level == "full"
    assert found.holds == dict.fromkeys(PROTECTIONS, True)
    assert "fully isolated" in found.sentence


FORBID = """import os, sys
from pathlib import Path
from course.kernels import linux
from course.kernels.isolation import isolation
user = os.getuid()
linux.unshare(linux.CLONE_NEWUSER)
Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
Path("/proc/sys/user/max_user_namespaces").write_text("0")
found = isolation()
print(found.level, found.holds["network"], found.holds["Landlock: files"], found.sentence)"""


@needs_full_isolation
def test_where_user_namespaces_are_forbidden_the_level_is_partial_and_that_is_said() -> None:
    said = subprocess.check_output([sys.executable, "-c", FORBID], text=True)
    assert said.startswith("partial False True Kernels are isolated in part, without user namesp")
    assert "(namespaces: [Errno 28] unshare: No space left on device" in said


@needs_full_isolation
def test_a_kernel_works_on_a_copy_of_its_folder_and_leaves_nothing(world: World) -> None:
    before = sorted(world.work.parent.rglob("*"))
    with running(sandbox=world.sandbox, cwd=world.work) as kernel:
        assert kernel.run("print(open('데이터.csv').read())") == "가,1"
        assert kernel.run("open('결과.txt', 'w').write('끝'); open('결과.txt').read()") == "'끝'"
        kernel.run("import os; os.remove('데이터.csv')")
        assert kernel.run("os.listdir()") == "['결과.txt']"
    assert sorted(world.work.parent.rglob("*")) == before


@needs_full_isolation
def test_home_and_temporary_files_are_in_the_kernels_folder(kernel: Kernel, world: World) -> None:
    code = "import pathlib, tempfile; print(pathlib.Path.home(), tempfile.mkdtemp(), os.getcwd())"
    home, temporary, folder = (Path(each) for each in kernel.run(code).split())
    assert folder == world.work
    assert home.parent == temporary.parent.parent == world.work.parent
    assert attempt(kernel, "write(os.path.expanduser('~/x'))") == "written"
    assert "home/ipython" in kernel.run("get_ipython().ipython_dir")


@needs_full_isolation
def test_what_may_be_read_is_there_and_what_is_hidden_in_it_is_not(
    kernel: Kernel, world: World
) -> None:
    kernel.run(f"sys.path.append({str(world.package)!r})")
    assert kernel.run("import visible; visible.what") == "'visible'"
    assert kernel.run("import hidden") == "PermissionError"
    for source in (world.package / "hidden.py", world.package / "later" / "hidden.py"):
        bytecode = py_compile.compile(str(source))  # of the second, after the kernel has started
        for path in (str(source), bytecode):
            assert attempt(kernel, f"open({path!r}, 'rb').read()") == "PermissionError"


@needs_full_isolation
def test_subprocesses_pools_and_shared_memory_work(kernel: Kernel) -> None:
    assert kernel.run("print(subprocess.check_output(['echo', 'said'], text=True))") == "said"
    assert kernel.run("!echo of a shell").replace("\r", "") == "of a shell"
    assert kernel.run(
        "subprocess.run([sys.executable, '-c', 'import numpy']).returncode, sys.executable"
    ) == repr((0, sys.executable))
    pool = "import multiprocessing as m\nwith m.get_context('fork').Pool(2) as p:\n  print({})"
    assert kernel.run(pool.format("p.map(abs, [-1, -2])")) == "[1, 2]"
    shared = """from multiprocessing.shared_memory import SharedMemory
memory = SharedMemory(create=True, size=1000)
other = SharedMemory(memory.name)
other.buf[0] = 7
said = memory.buf[0]
other.close(), memory.close(), memory.unlink()
said"""
    assert kernel.run(shared) == "7"


@needs_full_isolation
def test_input_is_answered_or_is_an_error(kernel: Kernel) -> None:
    answer = lambda _: kernel.client.input("blue")  # noqa: E731
    assert kernel.run("input().upper()", allow_stdin=True, stdin_hook=answer) == "'BLUE'"
    assert kernel.run("input()", allow_stdin=False) == "StdinNotImplementedError"


@needs_full_isolation
def test_the_environment_is_small_and_tells_no_secret(kernel: Kernel) -> None:
    names = set(kernel.run("print(*os.environ)").split())
    assert {"HOME", "PATH", "TMPDIR", "MPLCONFIGDIR", "IPYTHONDIR", "COURSE_LANG"} <= names
    assert not names & {"SECRET", "TF_TOKEN_example", "XDG_RUNTIME_DIR", "USER", "PYTHONPATH"}
    said = kernel.run("print(open('/proc/self/environ').read(), dict(os.environ))")
    assert "5ecret" not in said
    assert f"HOME={Path.home()}" not in said  # not even as the parent's


@needs_full_isolation
def test_a_kernel_has_no_file_open_that_is_not_its_own(kernel: Kernel) -> None:
    code = """links = [outcome(lambda: os.readlink(f"/proc/self/fd/{n}")) for n in range(200)]
sorted({link for link in links if link.startswith('/')})"""
    assert kernel.run(code) == "['/dev/null']"


# What is out of reach.


@needs_full_isolation
@pytest.mark.parametrize("name", ["solutions", "another submission", "gradebook", "home"])
def test_a_kernel_cannot_read_or_change(name: str, kernel: Kernel, world: World) -> None:
    path = world.secrets[name]
    assert attempt(kernel, f"open({str(path)!r}).read()") in UNSEEN
    assert attempt(kernel, f"os.listdir({str(path.parent)!r})") in UNSEEN
    assert attempt(kernel, f"write({str(path)!r})") in (*UNSEEN, "OSError")
    assert attempt(kernel, f"os.symlink({str(path)!r}, 'link') or open('link').read()") in UNSEEN
    kernel.run("os.unlink('link')")
    assert attempt(kernel, f"os.link({str(path)!r}, 'link')") in UNSEEN
    assert attempt(kernel, f"os.unlink({str(path)!r})") in UNSEEN
    assert path.read_text() == "secret"


@needs_full_isolation
def test_a_kernel_can_write_nowhere_but_in_its_own_places(kernel: Kernel, world: World) -> None:
    places = [
        *(world.package, world.package / "visible.py", sys.prefix, sys.base_prefix),
        *("/", "/usr", "/usr/bin/env", "/etc", "/etc/passwd", "/home", "/root", "/run", "/var"),
        *("/sys", "/proc/sys/kernel/core_pattern", "/proc/self/oom_score_adj", "/proc/1/oom_adj"),
        *("/run/kernel", Path(kernel.manager.ip).parent),
    ]
    for place in map(str, places):
        path = place if os.path.isfile(place) else f"{place}/from-a-kernel"
        said = attempt(kernel, f"write({path!r})")
        assert said in (*UNSEEN, "OSError", "NotADirectoryError"), path
        assert path == place or not os.path.exists(path)
    assert not list(Path(kernel.manager.ip).parent.glob("from*"))
    visible = str(world.package / "visible.py")
    assert attempt(kernel, f"os.chmod({visible!r}, 0o777)") in ("PermissionError", "OSError")
    for folder in ("/tmp", "/dev/shm"):
        assert attempt(kernel, f"write('{folder}/from-a-kernel')") == "written"
        assert not Path(folder, "from-a-kernel").exists()


@needs_full_isolation
def test_a_kernel_sees_no_process_but_its_own(kernel: Kernel) -> None:
    code = "[open(f'/proc/{pid}/comm').read() for pid in os.listdir('/proc') if pid.isdecimal()]"
    assert set(eval(kernel.run(code))) <= {"cat\n", "python\n", "python3\n", "python3.11\n"}
    assert len(eval(kernel.run(code))) <= 3
    for pid in (os.getpid(), kernel.process.pid, parent_of(kernel.process.pid)):
        assert attempt(kernel, f"os.kill({pid}, 0)") == "ProcessLookupError"
    for name in ("environ", "mem", "maps", "root/etc/shadow", "cwd/x", "fd/0"):
        assert attempt(kernel, f"open('/proc/1/{name}', 'rb').read(1)") in UNSEEN, name


@needs_full_isolation
def test_a_kernel_cannot_signal_or_trace_what_is_outside(kernel: Kernel) -> None:
    assert attempt(kernel, "os.kill(1, signal.SIGKILL)") == "PermissionError"
    kernel.run("outcome(lambda: os.kill(-1, signal.SIGKILL))")  # itself is not among them
    assert attempt(kernel, "call('ptrace', 16, 1, None, None)") == "PermissionError"
    kernel.run("piece = (ctypes.c_size_t * 2)(id(libc), 8)")
    memory = "call('process_vm_readv', {}, piece, 1, piece, 1, 0)"
    assert attempt(kernel, memory.format("os.getpid()")) == "done"
    assert attempt(kernel, memory.format(1)) == "PermissionError"
    assert kernel.run("6 * 7") == "42"
    assert is_running(parent_of(kernel.process.pid))


@needs_full_isolation
def test_a_kernel_reaches_no_network_not_even_this_machines(kernel: Kernel) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        assert attempt(kernel, f"socket.create_connection({address}, 5)") == "OSError"
    datagram = "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('{}', 53))"
    for host in ("127.0.0.1", "192.0.2.1"):
        assert attempt(kernel, datagram.format(host)) == "OSError"
    assert attempt(kernel, "socket.getaddrinfo('example.org', 80)") == "gaierror"
    for family in ("AF_VSOCK", "AF_PACKET", "AF_ALG"):
        assert attempt(kernel, f"socket.socket(socket.{family})") == "PermissionError"
    for number in (425, 426, 427):  # io_uring, which no filter of system calls sees into
        assert attempt(kernel, f"call('syscall', {number}, -1, 0, 0, 0, 0)") == "PermissionError"


@needs_full_isolation
def test_a_kernel_reaches_no_socket_of_another_program(kernel: Kernel, tmp_path: Path) -> None:
    connect = "socket.socket(socket.AF_UNIX, socket.SOCK_{}).connect({!r})"
    parents = list(meeting_folder().glob("*.sock"))
    assert parents
    for path in parents:
        assert attempt(kernel, connect.format("SEQPACKET", str(path))) in UNSEEN
    with socket.socket(socket.AF_UNIX) as named, socket.socket(socket.AF_UNIX) as abstract:
        named.bind(str(tmp_path / "s"))
        abstract.bind("")
        for each in (named, abstract):
            each.listen()
            said = attempt(kernel, connect.format("STREAM", each.getsockname()))
            assert said in (*UNSEEN, "ConnectionRefusedError")


@needs_full_isolation
def test_a_kernel_can_gain_no_privilege(kernel: Kernel, world: World) -> None:
    status = kernel.run("print(open('/proc/self/status').read())")
    assert "CapEff:\t0000000000000000" in status
    assert "CapPrm:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert kernel.run("os.getuid() * os.geteuid() * os.getgid() > 0") == "True"
    assert attempt(kernel, "os.setuid(0)") in ("PermissionError", "OSError")
    identity = world.package / "id"
    shutil.copy(shutil.which("id") or "id", identity)
    identity.chmod(0o4755)
    plain = kernel.run("print(subprocess.check_output(['id'], text=True))")
    assert "uid=0" not in plain
    assert kernel.run(f"print(subprocess.check_output([{str(identity)!r}], text=True))") == plain


@needs_full_isolation
def test_a_kernel_cannot_mount_or_make_namespaces(kernel: Kernel, world: World) -> None:
    mount = "call('mount', b'tmpfs', b'/tmp', b'tmpfs', 0, None)"
    assert attempt(kernel, mount) == "PermissionError"
    hidden = os.fsencode(world.package / "hidden.py")
    assert attempt(kernel, f"call('umount2', {hidden!r}, 2)") == "PermissionError"
    assert attempt(kernel, "call('chroot', b'.')") == "PermissionError"
    for flag in (0x20000, 0x20000000, 0x40000000):
        assert attempt(kernel, f"call('unshare', {flag})") == "PermissionError"
    assert attempt(kernel, "call('unshare', 0x10000000)") == "OSError"  # a user namespace
    assert attempt(kernel, "call('setns', os.open('/proc/1/ns/user', 0), 0)") == "PermissionError"
    assert attempt(kernel, "os.mknod('device', 0o20666, os.makedev(1, 1))") == "PermissionError"


@needs_full_isolation
def test_a_kernel_cannot_read_the_systems_keys(kernel: Kernel) -> None:
    numbers = {"x86_64": (248, 249, 250), "aarch64": (217, 218, 219)}[os.uname().machine]
    for number in numbers:
        assert attempt(kernel, f"call('syscall', {number}, 0, -3, 0, 0, 0)") == "PermissionError"


# What it can use up.


@needs_full_isolation
def test_memory_is_limited_private_and_shared(kernel: Kernel) -> None:
    assert attempt(kernel, "len(bytearray(6 * 2**30))") == "MemoryError"
    assert attempt(kernel, "len(mmap.mmap(-1, 2**40))") == "OSError"
    assert attempt(kernel, "len(bytearray(2**30))") == str(2**30)


@needs_full_isolation
def test_files_are_limited_each_and_together(mortal: Kernel, world: World) -> None:
    large = f"write('large', 'x' * {17 * MIB})"
    assert attempt(mortal, large) == "OSError"
    mortal.run("os.remove('large')")
    many = f"[write(f'{{n}}', 'x' * {15 * MIB}) for n in range(10)]"
    assert attempt(mortal, many) == "OSError"
    room = "import shutil; sum(os.path.getsize(n) for n in os.listdir() if n.isdecimal())"
    assert int(mortal.run(room)) <= 64 * MIB
    assert attempt(mortal, "write('/tmp/x', 'x' * 2**20)") == "OSError"
    assert attempt(mortal, "write('/dev/shm/x', 'x' * 2**20)") == "OSError"
    assert attempt(mortal, "[open(f'empty{n}', 'w').close() for n in range(20_000)]") == "OSError"
    assert attempt(mortal, "[open('/dev/null') for _ in range(2000)]") == "OSError"


@needs_full_isolation
def test_no_files_are_made_in_the_folder_of_its_sockets(mortal: Kernel) -> None:
    folder = Path(mortal.manager.ip).parent
    sockets = {path.name for path in folder.iterdir()}
    assert len(sockets) == 5
    for again in (False, True):
        if again:
            mortal.manager.restart_kernel()
            mortal.client.wait_for_ready(timeout=30)
            mortal.run(HELP)
        bind = "socket.socket(socket.AF_UNIX).bind('/run/kernel/x')"
        assert attempt(mortal, bind) == "OSError"
        assert attempt(mortal, "os.unlink('/run/kernel/s-1')") == "OSError"
        assert {path.name for path in folder.iterdir()} == sockets
    mortal.manager.shutdown_kernel()
    assert not folder.exists()


@needs_full_isolation
def test_a_fork_bomb_is_stopped_and_the_kernel_answers(mortal: Kernel) -> None:
    bomb = """pids = []
def explode():
    while len(pids) < 1000:
        if not (pid := os.fork()):
            signal.pause()
        pids.append(pid)
stopped = outcome(explode)
for pid in pids:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
print(stopped, len(pids))"""
    stopped, count = mortal.run(bomb).split()
    assert stopped == "BlockingIOError"
    assert 60 < int(count) < 128
    assert mortal.run("6 * 7") == "42"


@needs_full_isolation
def test_of_all_processes_a_kernel_is_the_first_to_go_when_memory_runs_out(kernel: Kernel) -> None:
    assert kernel.run("print(open('/proc/self/oom_score_adj').read())") == "1000"


# How it ends.

DAEMON = """if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("sleep", ["sleep", "98765.{}"])
    os._exit(0)
os.wait()[1]"""


def _is_asleep(number: int) -> bool:
    """Tell whether a daemon that slept under this number is there."""
    wanted = f"98765.{number}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (process / "cmdline").read_bytes():
                return True
        except OSError:
            continue
    return False


def _is_alive(pid: int) -> bool:
    """Tell whether a process runs, or else has ended and perhaps not been waited for."""
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


@needs_full_isolation
def test_all_that_a_kernel_started_ends_with_it(mortal: Kernel) -> None:
    assert mortal.run(DAEMON.format(1)) == "0"
    assert wait_until(lambda: _is_asleep(1), 5)
    pid = mortal.process.pid
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not _is_asleep(1) and not is_running(pid), 1)


@needs_full_isolation
@pytest.mark.parametrize("orphaned", [False, True])
def test_all_that_a_kernel_started_ends_with_its_client(orphaned: bool, world: World) -> None:
    number = 2 + orphaned
    cells = ["import os", DAEMON.format(number)]
    script = client_script(*cells, sandbox=world.sandbox, cwd=str(world.work))
    with subprocess.Popen(script, stdout=subprocess.PIPE) as client:
        assert client.stdout
        pid, monitor, *_ = json.loads(client.stdout.readline())
        assert wait_until(lambda: _is_asleep(number), 5)
        if orphaned:
            os.kill(parent_of(monitor), signal.SIGKILL)
        client.kill()
        gone = lambda: not _is_asleep(number) and not _is_alive(pid)  # noqa: E731
        assert wait_until(gone, 1)


@needs_full_isolation
@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("os._exit(3)", 3),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("ctypes.string_at(0)", -signal.SIGSEGV),
        ("os.abort()", -signal.SIGABRT),
    ],
)
def test_a_client_learns_how_its_kernel_died(code: str, status: int, mortal: Kernel) -> None:
    mortal.client.execute(code)
    assert mortal.process.wait(timeout=10) == status


@needs_full_isolation
def test_an_interrupt_a_restart_and_a_shutdown_work_as_outside(mortal: Kernel) -> None:
    message = mortal.client.execute("print('asleep', flush=True)\ntime.sleep(60)")
    while mortal.client.get_iopub_msg(timeout=10)["msg_type"] != "stream":
        pass
    mortal.manager.interrupt_kernel()
    while (reply := mortal.client.get_shell_msg(timeout=10))["parent_header"]["msg_id"] != message:
        pass
    assert reply["content"]["ename"] == "KeyboardInterrupt"
    before = mortal.process.pid
    mortal.manager.restart_kernel()
    mortal.client.wait_for_ready(timeout=30)
    assert mortal.process.pid != before
    assert not is_running(before)
    assert mortal.run("import os; os.getpid() < 100") == "True"  # in a namespace of its own
    pid = mortal.process.pid
    mortal.manager.shutdown_kernel()
    assert wait_until(lambda: not is_running(pid), 2)


# Never outside in silence.


def _with_way(monkeypatch: pytest.MonkeyPatch, *way: object) -> None:
    """Let kernels go into their sandbox by another way than the one found here."""
    level = "partial" if any(way) else "none"
    found = Isolation(level, {}, f"Isolation is {level}.", way)  # type: ignore[arg-type]
    monkeypatch.setattr(provisioner, "isolation", lambda: found)
    provisioner.say_once.cache_clear()


@needs_full_isolation
def test_a_kernel_that_cannot_be_put_into_its_sandbox_does_not_start(
    monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    cannot = {
        "Landlock is older": {},
        "No such file": {"readable": ["/no/such/file"]},
        "No space left": {"storage": 4096, "folder": str(world.package.parent)},
    }
    before = set(meeting_folder().glob("kernel-*"))
    for reason, changed in cannot.items():
        if not changed:
            _with_way(monkeypatch, True, 99, True)
        sandbox = world.sandbox._replace(**changed)
        with pytest.raises(NotSandboxed, match=reason), running(sandbox=sandbox, cwd=world.work):
            pass
        assert set(meeting_folder().glob("kernel-*")) <= before
        monkeypatch.undo()


@needs_full_isolation
def test_without_a_warm_parent_no_sandboxed_kernel_starts(world: World) -> None:
    with (
        pytest.raises(NotSandboxed, match="No module named 'no_such_module'"),
        running(["no_such_module"], sandbox=world.sandbox, cwd=world.work),
    ):
        pass


@needs_full_isolation
def test_what_cannot_be_had_in_a_sandbox_is_refused_in_one_sentence(world: World) -> None:
    refused = {
        "is not in there": {"cwd": world.package},
        "cannot be started with: preexec_fn": {"cwd": world.work, "preexec_fn": print},
    }
    for reason, options in refused.items():
        with pytest.raises(NotSandboxed, match=reason), running(sandbox=world.sandbox, **options):
            pass


@needs_full_isolation
def test_with_landlock_alone_files_signals_and_the_warm_parent_are_out_of_reach(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], world: World
) -> None:
    _with_way(monkeypatch, False, isolation().way[1], True)
    with running(sandbox=world.sandbox, cwd=world.work) as kernel:
        assert "Isolation is partial." in capfd.readouterr().err
        kernel.run(HELP)
        status = kernel.run("print(open('/proc/self/status').read())")
        assert "CapEff:\t0000000000000000" in status
        assert attempt(kernel, "write('x')") == "written"
        assert (world.work / "x").exists()  # no copy, no namespaces
        (world.work / "x").unlink()
        hidden = [world.package / "hidden.py", *(world.package / "__pycache__").glob("hidden.*")]
        for path in map(str, [*world.secrets.values(), *hidden, "/etc/shadow", "/dev/shm/x"]):
            assert attempt(kernel, f"open({path!r}).read()") in UNSEEN, path
            assert attempt(kernel, f"write({path!r})") == "PermissionError", path
        visible = str(world.package / "visible.py")
        assert attempt(kernel, f"open({visible!r}).read()") == "what = 'visible'"
        for pid in (os.getpid(), "os.getppid()"):
            assert attempt(kernel, f"os.kill({pid}, 0)") == "PermissionError"
            assert attempt(kernel, f"open(f'/proc/{{{pid}}}/environ').read()") == "PermissionError"
        sockets = [str(path) for path in meeting_folder().glob("*.sock")]
        asked = f"""for path in {sockets}:
    parent = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    print(outcome(lambda: parent.connect(path) or parent.recv(10)))"""
        said = set(kernel.run(asked).splitlines())
        assert said & {"b''", "ConnectionResetError"}  # of the parent that is there: it hangs up
        assert said <= {"b''", "ConnectionResetError", "ConnectionRefusedError"}
        with socket.create_server(("127.0.0.1", 0)) as server:
            address = server.getsockname()
            connect = f"socket.create_connection({address}, 5)"
            assert attempt(kernel, connect) == "PermissionError"
        # What it does not hold, as SANDBOX.md says.
        datagram = "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', {})"
        assert attempt(kernel, datagram.format(address)) == "1"
        mode = world.secrets["gradebook"].stat().st_mode & 0o777
        assert attempt(kernel, f"os.chmod({str(world.secrets['gradebook'])!r}, {mode})") == "None"
        assert kernel.run(DAEMON.format(4)) == "0"
        assert wait_until(lambda: _is_asleep(4), 5)
        os.kill(kernel.process.pid, signal.SIGKILL)
        assert wait_until(lambda: not _is_asleep(4), 2)
    shutil.rmtree(world.work.parent / "home")
    shutil.rmtree(world.work.parent / "tmp")


@needs_full_isolation
def test_with_namespaces_alone_files_and_processes_are_out_of_reach(
    monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    _with_way(monkeypatch, True, 0, False)
    with running(sandbox=world.sandbox, cwd=world.work) as kernel:
        kernel.run(HELP)
        for path in map(str, world.secrets.values()):
            assert attempt(kernel, f"open({path!r}).read()") == "FileNotFoundError"
        hidden = str(world.package / "hidden.py")
        assert attempt(kernel, f"open({hidden!r}).read()") == "PermissionError"
        for path in (sys.prefix, "/usr", "/etc", "/"):
            assert attempt(kernel, f"write('{path}/x')") in ("OSError", "PermissionError")
        assert attempt(kernel, "write('/proc/sys/kernel/core_pattern')") == "OSError"
        assert attempt(kernel, f"os.kill({os.getpid()}, 0)") == "ProcessLookupError"


@needs_full_isolation
def test_a_learners_files_are_not_imported_outside_the_sandbox(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = meeting_place(monkeypatch, tmp_path_factory.mktemp("m"))
    folder = tmp_path_factory.mktemp("learner")
    marker = folder.parent / "outside"
    for name in ("selectors", "psutil", "cycler", "sitecustomize", "tempfile"):
        (folder / f"{name}.py").write_text(f"open({str(marker)!r}, 'w')")
    with running(sandbox=Sandbox(str(folder)), cwd=folder) as kernel:
        assert is_warm(parent_of(kernel.process.pid))
        assert kernel.run("import cycler; cycler.__file__") in (
            repr(str(folder / "cycler.py")),
            "PermissionError",
        )
    assert list(place.glob("*.sock"))
    assert not marker.exists()


# Elsewhere than on Linux.


def test_elsewhere_there_is_no_isolation_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation_module.sys, "platform", "darwin")
    found = isolation.__wrapped__()
    assert found.level == "none"
    assert found.holds == dict.fromkeys(PROTECTIONS, False)
    assert found.sentence.startswith("Kernels are not isolated (darwin ")


@pytest.mark.skipif(os.name == "nt", reason="the limits of Windows are others")
def test_without_fork_a_kernel_has_limits_and_its_own_environment_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _with_way(monkeypatch, False, 0, False)
    monkeypatch.setattr(provisioner, "CAN_FORK", False)
    environment = os.environ | {"SECRET": "5ecret"}
    with running(sandbox=Sandbox(str(tmp_path)), cwd=tmp_path, env=environment) as kernel:
        assert "Isolation is none." in capsys.readouterr().err
        assert not is_warm(kernel.process.pid)
        said = kernel.run("import os; print(os.environ.get('SECRET'), os.environ['HOME'])")
        assert said == f"None {tmp_path / 'home'}"
        assert kernel.run("bytearray(6 * 2**30)") == "MemoryError"


# With TensorFlow, and through the plain tools.

CELLS = (
    """import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras, matplotlib.pyplot as plt, numpy as np, tensorflow as tf
keras.utils.set_random_seed(3)
images, labels = np.random.rand(256, 20).astype("float32"), np.random.randint(0, 3, 256)
model = keras.Sequential([keras.Input((20,)), keras.layers.Dense(16, "relu"),
                          keras.layers.Dropout(0.2), keras.layers.Dense(3)])
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
[loss.hex() for loss in model.fit(images, labels, epochs=3, verbose=0).history["loss"]]""",
    """@tf.function(jit_compile=True)
def compiled(x):
    return tf.reduce_sum(tf.sin(x) * tf.random.stateless_uniform(x.shape, (1, 2)))
said = compiled(tf.linspace(0.0, 1.0, 100)).numpy().tobytes()""",
    "said",
    """numbers = tf.data.Dataset.range(20).shuffle(20, seed=1).map(lambda x: x * x, 2).batch(4)
[batch.numpy().tolist() for batch in numbers.prefetch(2)]""",
    """model.save("모형.keras")
[w.numpy().tobytes().hex()[:80] for w in keras.saving.load_model("모형.keras").weights]""",
    "plt.plot([1, 3, 2]); plt.title('a figure'); plt.show()",
)


@needs_full_isolation
def test_training_xla_pipelines_and_figures_are_the_same_inside_and_outside(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "한글"
    folder.mkdir()

    def run(sandbox: Sandbox | None) -> list[dict[str, object]]:
        cells = [nbformat.v4.new_code_cell(cell) for cell in CELLS]
        client = NotebookClient(nbformat.v4.new_notebook(cells=cells), kernel_name="python3")
        client.create_kernel_manager()
        if sandbox:
            put_in_sandbox(client.km, sandbox)
        else:
            stanza = {"provisioner_name": "course-warm", "config": {}}
            client.km.kernel_spec.metadata["kernel_provisioner"] = stanza
        client.execute(cwd=str(folder), stderr=subprocess.DEVNULL)
        return [
            {key: value for key, value in output.items() if key != "execution_count"}
            for cell in client.nb.cells
            for output in cell.outputs
            if output.get("name") != "stderr"
        ]

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(run, (Sandbox(str(folder)), None)))
    assert any("image/png" in output.get("data", {}) for output in said[0])
    assert said[0] == said[1]
    assert len(said[0]) >= 5


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="this is for root")
@needs_full_isolation
def test_all_of_this_holds_for_a_user_who_is_not_root() -> None:
    """Run the tests of this file as nobody."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
    command += ["-k", "not training"]  # for its time; it is about computing
    done = run_as_nobody(command, capture_output=True, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stdout[-8000:]
    assert "passed" in done.stdout
