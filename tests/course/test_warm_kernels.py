"""A warm kernel does what an ordinary one does, sooner."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.provisioning import KernelProvisionerFactory
from warm_kernels import LIGHT, Kernel, is_running, is_warm, parent_of, running, wait_until

from course.execution import execute
from course.kernels import PRELOADED, provisioner
from course.kernels.fitting import parent_environment, parent_name
from course.kernels.meeting import is_ours, meeting_folder
from course.kernels.provisioner import VARIABLE, provisioner_variables, use_kernels
from course.kernels.read_once import sets_what_is_read_once
from course.lab import lab_environment
from utils.data import MEMORY

WriteNotebook = Callable[..., Path]

pytestmark = pytest.mark.skipif(not provisioner.CAN_FORK, reason="kernels are forked on Linux only")

HOME = "__import__('keras.src.backend.config').src.backend.config.keras_home()"

# Cells whose outputs are compared between a warm and a fresh kernel.
CELLS = (
    """import os, random, subprocess, sys
import tensorflow as tf, keras, numpy as np, matplotlib, matplotlib.pyplot as plt
keras.utils.set_random_seed(3)
images, labels = np.random.rand(256, 20).astype("float32"), np.random.randint(0, 3, 256)""",
    """model = keras.Sequential([keras.Input((20,)), keras.layers.Dense(16, "relu"),
                          keras.layers.Dropout(0.2), keras.layers.Dense(3)])
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(images, labels, epochs=3, verbose=0).history["loss"]""",
    "[weights.numpy().tobytes().hex()[:80] for weights in model.weights]",
    """@tf.function(jit_compile=True)
def compiled(x):
    return tf.reduce_sum(tf.sin(x) * tf.random.stateless_uniform(x.shape, (1, 2)))
compiled(tf.linspace(0.0, 1.0, 100)).numpy().tobytes()""",
    """numbers = tf.data.Dataset.range(20).shuffle(20, seed=1).map(lambda x: x * x, 2).batch(4)
[batch.numpy().tolist() for batch in numbers.prefetch(2)]""",
    """tf.print("eager", tf.constant([1.5, 2.5]))
@tf.function
def said(x):
    tf.print("in a graph", x)
said(tf.constant(3.0))""",
    """@tf.function
def traced(x):
    return x
for number in range(6):
    traced(number)
tf.get_logger().warning("a warning of TensorFlow's")""",
    "plt.plot([1, 3, 2]); plt.title('a figure'); plt.show()",
    "matplotlib.get_backend(), os.environ['MPLBACKEND'], matplotlib.rcParams['figure.dpi']",
    "print(subprocess.run(['echo', 'a subprocess'], capture_output=True, text=True).stdout)",
    "!echo $KERAS_HOME; echo to stderr >&2",
    "os.getcwd(), os.path.basename(sys.argv[0]), sys.argv[1], sys.path, __name__, sys.flags",
    "keras.config.image_data_format(), keras.config.floatx(), keras.config.backend()",
    "import warnings; warnings.warn('a warning'); print('error', file=sys.stderr)",
    "sys.stdin.isatty(), sys.getrecursionlimit(), hasattr(sys, 'ps1'), get_ipython() is not None",
    "1 / 0",
)


@pytest.fixture
def light() -> Iterator[Kernel]:
    """A kernel whose parent has imported hardly anything, for tests that may spoil it."""
    with running() as kernel:
        yield kernel


def test_a_warm_kernel_has_tensorflow_in_memory_and_its_parent_ran_no_operation() -> None:
    with running(list(PRELOADED)) as kernel:
        assert is_warm(kernel.process.pid)
        loaded = "import sys; [name in sys.modules for name in ('tensorflow', 'keras', 'utils')]"
        assert kernel.run(loaded) == "[True, True, False]"
        kernel.run("from tensorflow.python.eager import context")
        assert kernel.run("context._context") in ("", "None")


def test_seeded_training_logs_and_figures_are_the_same_on_warm_and_fresh_kernels(
    write_notebook: WriteNotebook, tmp_path: Path
) -> None:
    notebook = write_notebook("same", *CELLS)
    seen = {}
    for kind in ("warm", "fresh"):
        result = execute(notebook, tmp_path / f"{kind}.ipynb", kernel=kind)
        assert result.failure is not None
        assert result.failure.error == "ZeroDivisionError"
        cells = nbformat.read(result.output, as_version=4).cells
        code = [cell for cell in cells if cell.cell_type == "code"]
        seen[kind] = {cell.source: json.dumps(_plain(cell.outputs), indent=1) for cell in code}
    for source in seen["fresh"]:
        assert seen["warm"][source] == seen["fresh"][source], source


def _plain(outputs: list[Any]) -> list[Any]:
    """Leave out what differs between two fresh kernels too: addresses and names of temp files."""
    for output in outputs:
        output.pop("traceback", None)
        if "text" in output:
            output["text"] = re.sub(r"0x[0-9a-f]+|\S*ipykernel_\d+/\d+\.py", "", output["text"])
    return outputs


def test_two_warm_kernels_draw_different_random_numbers() -> None:
    code = (
        "import random, numpy, keras, tensorflow as tf;"
        "[random.random(), numpy.random.rand(), float(keras.random.uniform(())),"
        " float(tf.random.uniform(()))]"
    )
    drawn = []
    for _ in range(2):
        with running(list(PRELOADED)) as kernel:
            drawn.append(json.loads(kernel.run(code)))
    assert all(one != other for one, other in zip(*drawn, strict=True))


def test_a_kernel_has_the_environment_folder_and_limits_of_its_request(tmp_path: Path) -> None:
    home = tmp_path / "keras"
    environment = os.environ | {"SAID": "그래디언트", "KERAS_HOME": str(home)}
    with running(list(PRELOADED), env=environment, cwd=tmp_path) as kernel:
        code = f"import os, keras; print(os.environ['SAID'], os.getcwd(), {HOME})"
        assert kernel.run(code) == f"그래디언트 {tmp_path} {home}"
        mask, limit = "os.umask(0o22)", "__import__('resource').getrlimit(7)"
        assert kernel.run(f"{mask}, {limit}") == str((eval(mask), eval(limit)))
        assert kernel.run("import sys; sys.argv[1], sys.argv[2].endswith('.json')") == str(
            ("-f", True)
        )


def test_a_kernel_writes_to_the_streams_that_it_was_given(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as error:
        with running(
            stdout=out, stderr=error, env=os.environ | {"PYTEST_CURRENT_TEST": "no capture"}
        ) as kernel:
            kernel.run("import os; os.write(1, b'out'); os.write(2, b'error')")
    assert ((tmp_path / "out").read_text(), (tmp_path / "err").read_text()) == ("out", "error")


def test_a_pipe_asked_for_is_on_the_process() -> None:
    environment = os.environ | {"PYTEST_CURRENT_TEST": "no capture"}
    with running(stdout=subprocess.PIPE, env=environment) as kernel:
        kernel.run("import os; os.write(1, b'through the pipe')")
        assert kernel.process.stdout.read(100) == b"through the pipe"


def test_a_process_that_a_kernel_spawns_looks_in_the_kernels_folder(tmp_path: Path) -> None:
    (tmp_path / "work.py").write_text("def double(x):\n    return 2 * x\n", "utf-8")
    with running(cwd=tmp_path) as kernel:
        assert kernel.run("import sys; sys.path.insert(0, '')") == ""
        code = "import multiprocessing, work; p = multiprocessing.get_context('spawn').Pool(1)"
        kernel.run(f"{code}; said = p.map_async(work.double, [21])")
        assert kernel.run("said.get(20)") == "[42]"


@pytest.mark.parametrize(
    ("source", "so"),
    [
        ('import os\nos.environ["KERAS_BACKEND"] = "jax"', True),
        ("os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '0')", True),
        ("%env KERAS_BACKEND=jax", True),
        ("%set_env MPLBACKEND agg", True),
        ("import logging\nlogging.basicConfig(level=logging.INFO)", True),
        ('os.environ["MY_OWN"] = "1"\nprint(os.environ["KERAS_HOME"])', False),
        ("model.fit(x, y)", False),
    ],
)
def test_a_cell_that_sets_what_is_read_at_import_wants_a_fresh_kernel(
    source: str, so: bool
) -> None:
    assert sets_what_is_read_once(source) == so


def test_a_module_in_the_kernels_folder_is_found_as_by_an_ordinary_kernel(tmp_path: Path) -> None:
    (tmp_path / "cycler.py").write_text("mine = 'the one in the folder'")
    with running(cwd=tmp_path) as kernel:
        assert kernel.run("import cycler; cycler.mine") == repr("the one in the folder")


def test_an_interrupt_stops_a_cell_and_keeps_what_the_kernel_knows(light: Kernel) -> None:
    light.run("known = 42")
    code = "import time\nprint('asleep', flush=True)\ntime.sleep(60)"
    message = light.client.execute(code, stop_on_error=False)
    while light.client.get_iopub_msg(timeout=10)["msg_type"] != "stream":
        pass
    light.manager.interrupt_kernel()
    while (reply := light.client.get_shell_msg(timeout=10))["parent_header"]["msg_id"] != message:
        pass
    assert reply["content"]["ename"] == "KeyboardInterrupt"
    assert light.run("known") == "42"


def test_a_restart_gives_a_new_warm_kernel(light: Kernel) -> None:
    light.run("known = 42")
    before = light.process.pid
    light.manager.restart_kernel()
    light.client.wait_for_ready(timeout=30)
    assert light.process.pid != before
    assert is_warm(light.process.pid)
    assert light.run("known") == "NameError"


def test_a_shutdown_ends_the_kernel_and_removes_its_sockets() -> None:
    with running() as kernel:
        pid = kernel.process.pid
        sockets = Path(kernel.manager.ip).parent
        assert kernel.manager.transport == "ipc"
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        kernel.manager.shutdown_kernel()
        assert not is_running(pid)
        assert not sockets.exists()


def test_a_kernel_listens_once_it_has_been_started(monkeypatch: pytest.MonkeyPatch) -> None:
    there: list[Path] = []
    start_channels = BlockingKernelClient.start_channels

    def look_first(client: BlockingKernelClient) -> None:
        there.extend(Path(client.ip).parent.glob("s-*"))
        start_channels(client)

    monkeypatch.setattr(BlockingKernelClient, "start_channels", look_first)
    with running():
        assert len(there) == 5


def test_a_kernel_that_is_asked_to_end_does_so_itself_and_loses_nothing(tmp_path: Path) -> None:
    cells = (
        "import atexit, gc; gc.disable()",
        "file = open('open.txt', 'w'); file.write('still open')",
        "atexit.register(lambda: open('atexit.txt', 'w').write('at the exit'))",
        "class Kept:\n    def __del__(self): open('kept.txt', 'w').write('deleted')",
        "kept = Kept(); kept.itself = kept",
        "import ctypes; libc = ctypes.CDLL(None); libc.fopen.restype = ctypes.c_void_p",
        "libc.fputs(b'in C', ctypes.c_void_p(libc.fopen(b'c.txt', b'w')))",
        "import threading, time\n"
        "def late(): time.sleep(0.5); open('thread.txt', 'w').write('late')",
        "threading.Thread(target=late).start()",
    )
    for _ in range(3):
        with running(cwd=tmp_path) as kernel:
            for cell in cells:
                kernel.run(cell)
            process = kernel.process
            kernel.manager.shutdown_kernel()
            assert process.poll() == 0
        said = {path.name: path.read_text() for path in tmp_path.glob("*.txt")}
        assert said == {
            "open.txt": "still open",
            "atexit.txt": "at the exit",
            "kept.txt": "deleted",
            "c.txt": "in C",
            "thread.txt": "late",
        }
        for path in tmp_path.glob("*.txt"):
            path.unlink()


def test_a_debugger_stops_at_a_breakpoint(light: Kernel) -> None:
    client = light.client

    def ask(command: str, **arguments: Any) -> dict[str, Any]:
        content = {"type": "request", "seq": 1, "command": command, "arguments": arguments}
        message = client.session.msg("debug_request", content)
        client.control_channel.send(message)
        while True:
            reply = client.get_control_msg(timeout=20)
            if reply["parent_header"]["msg_id"] == message["header"]["msg_id"]:
                return reply["content"].get("body") or {}

    ask("initialize", clientID="test", adapterID="", linesStartAt1=True, pathFormat="path")
    ask("attach")
    code = "one = 1\ntwo = 2"
    path = ask("dumpCell", code=code)["sourcePath"]
    ask("setBreakpoints", breakpoints=[{"line": 2}], source={"path": path})
    ask("configurationDone")
    client.execute(code)
    while (message := client.get_iopub_msg(timeout=20))["content"].get("event") != "stopped":
        pass
    assert message["content"]["body"]["reason"] == "breakpoint"


def test_kernels_find_fashion_mnist_in_memory_and_utils_is_theirs_to_choose() -> None:
    home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    files = len(list(home.glob("datasets/fashion-mnist/*.gz")))
    code = (
        f"import sys; memory = vars(sys.modules.get({MEMORY!r}, object));"
        "'utils' in sys.modules, sum(type(each) is bytes for each in memory.values())"
    )

    def seen() -> str:
        with running() as kernel:
            return kernel.run(code)

    assert wait_until(lambda: seen() == f"(False, {files})", 20)


@pytest.mark.parametrize(
    ("code", "status"), [("os._exit(3)", 3), ("os.kill(os.getpid(), 11)", -signal.SIGSEGV)]
)
def test_a_client_learns_how_its_kernel_died(code: str, status: int, light: Kernel) -> None:
    light.client.execute(f"import os; {code}")
    assert light.process.wait(timeout=10) == status


def test_input_is_answered(light: Kernel) -> None:
    answer = lambda _: light.client.input("blue")  # noqa: E731
    assert light.run("input('Which? ').upper()", allow_stdin=True, stdin_hook=answer) == "'BLUE'"


def test_a_killed_kernel_takes_the_children_of_its_children_along(light: Kernel) -> None:
    code = """import subprocess, sys
script = "import subprocess; print(subprocess.Popen(['sleep', '1000']).pid, flush=True)"
child = subprocess.Popen([sys.executable, "-c", script + "; input()"], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE)
print(child.pid, int(child.stdout.readline()))"""
    pids = [int(pid) for pid in light.run(code).split()]
    assert len(pids) == 2
    assert all(map(is_running, pids))
    light.manager.shutdown_kernel(now=True)
    assert wait_until(lambda: not any(map(is_running, pids)), 2)


def test_a_kernel_that_dies_takes_its_children_along(light: Kernel) -> None:
    pid = int(light.run("import subprocess; subprocess.Popen(['sleep', '1000']).pid"))
    os.kill(light.process.pid, signal.SIGKILL)
    assert wait_until(lambda: not is_running(pid), 2)


DAEMON = """import os, time
reader, writer = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.write(writer, str(os.getpid()).encode())
        time.sleep(1000)
    os._exit(0)
os.wait()[0] and int(os.read(reader, 20))"""


def test_a_kernel_takes_along_what_went_into_a_session_of_its_own(light: Kernel) -> None:
    with running() as other:
        daemon, others = int(light.run(DAEMON)), int(other.run(DAEMON))
        os.kill(light.process.pid, signal.SIGKILL)
        assert wait_until(lambda: not is_running(daemon), 2)
        time.sleep(0.2)
        assert is_running(others)


def test_a_parent_that_nobody_asks_ends_and_leaves_nothing() -> None:
    before = set(meeting_folder().iterdir())
    with running(["cycler", "this"], idle=0.5) as kernel:
        parent = parent_of(kernel.process.pid)
        time.sleep(2)
        assert is_running(parent)  # it has a kernel
    assert wait_until(lambda: not is_running(parent), 5)
    assert set(meeting_folder().iterdir()) - before <= {meeting_folder() / "lock"}


def test_a_parent_that_cannot_import_gives_an_ordinary_kernel_and_says_why_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    provisioner.say_once.cache_clear()
    for _ in range(2):
        with running(["no_such_module"]) as kernel:
            assert kernel.run("6 * 7") == "42"
            assert parent_of(kernel.process.pid) == os.getpid()
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("course:")]
    assert len(said) == 1
    assert "kernels start cold" in said[0]
    assert "No module named 'no_such_module'" in said[0]


def test_where_fork_is_not_available_a_kernel_is_an_ordinary_one_and_that_is_said_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    provisioner.say_once.cache_clear()
    monkeypatch.setattr(provisioner, "CAN_FORK", False)
    for _ in range(2):
        with running() as kernel:
            assert kernel.run("6 * 7") == "42"
            assert parent_of(kernel.process.pid) == os.getpid()
            assert kernel.manager.transport == "tcp"
    assert capsys.readouterr().err.count("kernels start cold") == 1


def test_a_meeting_folder_that_others_may_enter_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("m")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    assert meeting_folder() == folder / "course-kernels"
    assert stat.S_IMODE(meeting_folder().stat().st_mode) == 0o700
    meeting_folder().chmod(0o755)
    with pytest.raises(PermissionError, match="not ours alone"):
        meeting_folder()


def test_a_process_of_another_user_is_told_from_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    one, _other = socket.socketpair()
    assert is_ours(one)
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert not is_ours(one)


def _name(environment: dict[str, str], folder: Path, *options: str) -> str:
    return parent_name(options, environment, folder)


def test_a_parent_is_known_by_what_is_read_at_import_and_by_nothing_else(tmp_path: Path) -> None:
    plain = {"HOME": str(tmp_path), "PATH": "/bin"}
    name = _name(plain, tmp_path)
    for harmless in ({"HOME": "/x"}, {"COURSE_DATA": "real"}, {"KERAS_HOME": str(tmp_path)}):
        assert _name(plain | harmless, tmp_path) == name, harmless
    for read in ({"TF_X": "1"}, {"PYTHONPATH": "/x"}, {"OMP_NUM_THREADS": "1"}, {"LANG": "C"}):
        assert _name(plain | read, tmp_path) != name, read
    assert _name(plain, tmp_path, "-O") != name
    assert "SECRET" not in parent_environment(plain | {"SECRET": "1"})


def test_a_parent_is_known_by_the_configuration_that_it_read(tmp_path: Path) -> None:
    plain = {"HOME": str(tmp_path)}
    name = _name(plain, tmp_path)
    settings = tmp_path / ".keras" / "keras.json"
    settings.parent.mkdir()
    settings.write_text('{"floatx": "float32", "epsilon": 1e-07, "backend": "tensorflow"}')
    assert _name(plain, tmp_path) == name
    settings.write_text('{"floatx": "float64"}')
    assert _name(plain, tmp_path) != name
    settings.unlink()
    (tmp_path / "matplotlibrc").write_text("figure.dpi: 50")
    assert _name(plain, tmp_path) != name


def test_the_kernel_asked_for_is_the_kernel_that_runs(
    write_notebook: WriteNotebook, tmp_path: Path
) -> None:
    code = "import os; print(open(f'/proc/{os.getppid()}/cmdline').read())"
    notebook = write_notebook("which", code)
    for kind in ("fresh", "warm"):
        result = execute(notebook, tmp_path / "out.ipynb", kernel=kind)
        assert result.output is not None
        said = nbformat.read(result.output, as_version=4).cells[0].outputs[0].text
        assert ("course.kernels.parent" in said) == (kind == "warm")


def test_jupyterlab_starts_warm_kernels_unless_the_user_has_chosen_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert lab_environment()[VARIABLE] == "course-warm"
    monkeypatch.setenv(VARIABLE, "local-provisioner")
    assert lab_environment()[VARIABLE] == "local-provisioner"


def test_plain_nbval_and_papermill_get_warm_kernels_through_the_environment(
    write_notebook: WriteNotebook, tmp_path: Path
) -> None:
    code = (
        "import os; assert 'course.kernels.parent' in open(f'/proc/{os.getppid()}/cmdline').read()"
    )
    notebook = write_notebook("plain", code)
    (notebook.parent / "pytest.ini").write_text("[pytest]\n")
    environment = os.environ | provisioner_variables("warm")
    for command in (
        ["pytest", "-q", "-p", "no:cacheprovider", "--nbval", notebook.name],
        ["papermill", "--no-progress-bar", notebook.name, "out.ipynb"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=notebook.parent,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_use_kernels_chooses_for_this_process() -> None:
    factory = KernelProvisionerFactory.instance()
    before = factory.default_provisioner_name
    try:
        use_kernels("fresh")
        assert factory.default_provisioner_name == "local-provisioner"
        use_kernels("warm")
        assert factory.default_provisioner_name == "course-warm"
    finally:
        factory.default_provisioner_name = before


def test_the_modules_of_the_course_are_not_left_in_a_kernel(light: Kernel) -> None:
    assert light.run("import sys; [n for n in sys.modules if n.startswith('course')]") == "[]"
    assert LIGHT[0] in light.run("list(sys.modules)")
