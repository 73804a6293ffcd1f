"""Pytest plugin: runs lessons with nbval, and mends what nbval lacks.

``pytest --nbval notebooks`` compares every cell with its stored outputs as ``course.outputs`` does:
numbers within rounding, figures by how they look. ``--nbval-lax`` only runs the cells. In both, a
kernel that dies is reported at its cell within seconds, and kernels start in a known environment,
warm unless ``--kernel=fresh`` is given.

Where the lessons' kernel had to take the stand-in for Fashion-MNIST, cells from there on run, and
their assertions hold, but their outputs are not compared: the terminal summary says so.
"""

from __future__ import annotations

import ast
import os
import re
import tempfile
import textwrap
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from queue import Empty
from typing import IO, Any

import pytest
from jupyter_client.manager import KernelManager
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, NbvalKernelspecManager, RunningKernel
from nbval.plugin import IPyNbCell, IPyNbFile, NbCellError

from course.kernels.clients import PromptBlockingClient
from course.kernels.provisioner import use_kernels
from course.kernels.usual import kernel_environment
from course.outputs import differences

CELL_TIMEOUT = 600  # seconds; nbval's own is 2000
HEARTBEAT = 1  # seconds between two looks at whether the kernel lives
NBVAL_TIMEOUT = 2000
STAND_IN = "lesson on the stand-in"  # the key of a report's property

# A kernel that knows it is being tested does not capture what C code prints.
NOT_FOR_KERNELS = ("PYTEST_CURRENT_TEST", "PYTHONDONTWRITEBYTECODE")

DATA_SOURCE = "__import__('sys').modules['utils.data'].data_source()"


class KernelDied(Exception):
    """The kernel's process ended while a cell ran; the message holds its last words."""


class WatchedKernel(RunningKernel):
    """A kernel of nbval's that notices when its process ends.

    Attributes:
        data_source: of the data that its cells have loaded, as `utils.data.data_source` calls it;
            None where there is none.
    """

    data_source: str | None = None

    def __init__(self, kernel_name: str, cwd: str, startup_timeout: float) -> None:
        # Many kernels that start at once fight over IPython's history database.
        is_python = kernel_name.startswith("python") or kernel_name == CURRENT_ENV_KERNEL_NAME
        self.stderr: IO[bytes] = tempfile.TemporaryFile()
        self.km = KernelManager(
            kernel_name=kernel_name,
            kernel_spec_manager=NbvalKernelspecManager(),
            client_factory=PromptBlockingClient,
        )
        self.km.start_kernel(
            stderr=self.stderr,
            cwd=cwd,
            env={k: v for k, v in kernel_environment().items() if k not in NOT_FOR_KERNELS},
            extra_arguments=["--HistoryManager.hist_file=:memory:"] if is_python else [],
        )
        self.kc = self.km.client()
        self.kc.start_channels()
        try:
            self.kc.wait_for_ready(startup_timeout)
        except RuntimeError:
            self.stop()
            raise

    def get_message(self, stream: str, timeout: float | None = None) -> dict[str, Any]:
        """Return the next message of ``stream``, "iopub" or "shell".

        Raises:
            queue.Empty: nothing came for ``timeout`` seconds.
            KernelDied: the kernel's process ended.
        """
        receive = self.kc.get_shell_msg if stream == "shell" else self.kc.get_iopub_msg
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            left = HEARTBEAT if end is None else end - time.monotonic()
            try:
                message = receive(timeout=min(HEARTBEAT, max(0, left)))
            except Empty:
                if not self.is_alive():
                    raise KernelDied(self.last_words()) from None
                if left <= HEARTBEAT and end is not None:
                    raise
                continue
            told = message["content"].get("user_expressions", {}).get("data", {})
            if told.get("status") == "ok":
                self.data_source = ast.literal_eval(told["data"]["text/plain"])
            return message

    def last_words(self) -> str:
        """Return the last lines that the process wrote to stderr."""
        self.stderr.seek(0)
        lines = self.stderr.read().decode(errors="replace").splitlines()
        return "\n".join([line for line in lines if "[IPKernelApp]" not in line][-15:])

    def execute_cell_input(self, cell_input: str, allow_stdin: bool | None = None) -> str:
        """Send a cell to the kernel, and with it the question where its data comes from."""
        return self.kc.execute(
            cell_input,
            store_history=False,
            allow_stdin=allow_stdin,
            stop_on_error=False,
            user_expressions={"data": DATA_SOURCE},
        )

    def stop(self) -> None:
        """Shut the process down, if it still runs."""
        self.kc.stop_channels()
        self.km.shutdown_kernel(now=True)
        self.stderr.close()
        del self.km


class LessonFile(IPyNbFile):
    """A notebook: starts one kernel and runs its cells in their order."""

    died_at: str | None = None

    def setup(self) -> None:
        """Start the kernel that the options or the notebook name."""
        option = self.config.option
        name = option.nbval_kernel_name or self.nb.metadata.get("kernelspec", {}).get(
            "name", "python3"
        )
        if option.nbval_current_env:
            name = CURRENT_ENV_KERNEL_NAME
        self.kernel = WatchedKernel(
            name, cwd=str(self.path.parent), startup_timeout=option.nbval_kernel_startup_timeout
        )
        self.setup_sanitize_files()

    def collect(self) -> Iterator[LessonCell]:
        """Yield a test for each code cell, named by its number and its id."""
        for cell in super().collect():
            yield LessonCell.from_parent(
                self,
                name=f"{cell.name} {cell.cell.get('id', '')}".strip(),
                cell_num=cell.cell_num,
                cell=cell.cell,
                options=cell.options,
            )

    def teardown(self) -> None:
        """Stop the kernel, dead or alive."""
        if self.kernel is not None and hasattr(self.kernel, "km"):
            self.kernel.stop()


class LessonCell(IPyNbCell):
    """A code cell: runs, and is compared with its stored outputs."""

    def setup(self) -> None:
        """Give the cell up where an earlier one killed the kernel."""
        if self.parent.died_at is not None:
            pytest.xfail(f"kernel died at {self.parent.died_at}")
        super().setup()

    def runtest(self) -> None:
        """Run the cell; a kernel that dies is reported here and at no later cell."""
        try:
            super().runtest()
        except KernelDied as death:
            self.parent.died_at = self.name
            self.raise_cell_error(
                "The kernel died while this cell ran; the cells after it were not run",
                f"{death}" or None,
            )

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> str:
        """Say what is wrong in the first line, then show the cell and the details."""
        error = excinfo.value
        if not isinstance(error, NbCellError):
            return str(excinfo.getrepr(style="short"))
        source = textwrap.indent(error.source, "    ")
        details = (error.inner_traceback or "").strip("\n")
        return f"{self.path.name}, {self.name}: {error}\n\n{source}\n\n{details}"

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return what heads the report of a failure."""
        return self.path, 0, f"{self.path.name}, {self.name}"

    def compare_outputs(self, test: list[Any], ref: list[Any], skip_compare: object = None) -> bool:
        """Tell whether the fresh outputs ``test`` are as the stored ``ref``, saying what is not."""
        if self.parent.kernel.data_source == "stand-in":
            if os.environ.get("COURSE_DATA") == "real":
                self.comparison_traceback = ["COURSE_DATA=real, and this cell ran on the stand-in."]
                return False
            self.user_properties.append((STAND_IN, self.path.name))
            return True
        slug = re.sub(r"\W+", "-", f"{self.path.stem} {self.name}").strip("-")
        pictures = self.config.rootpath / "build" / "figures" / slug
        for old in pictures.parent.glob(f"{slug}-[0-9]*.png"):
            old.unlink()
        tags = self.cell.metadata.get("tags", [])
        self.comparison_traceback = differences(
            self.sanitize_outputs(ref), self.sanitize_outputs(test), tags, pictures=pictures
        )
        return not self.comparison_traceback


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the choice of kernels."""
    parser.addoption(
        "--kernel",
        choices=("warm", "fresh"),
        default="warm",
        help="fork kernels that have TensorFlow in memory, or start ordinary ones",
    )


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Choose the kernels, and shorten nbval's time-out of a cell, unless one was asked for."""
    use_kernels(config.getoption("--kernel"))
    if getattr(config.option, "nbval_cell_timeout", None) == NBVAL_TIMEOUT:
        config.option.nbval_cell_timeout = CELL_TIMEOUT


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Put a ``LessonFile`` wherever nbval would collect its own kind of file."""
    collected = yield
    return [
        LessonFile.from_parent(parent, path=file_path) if type(file) is IPyNbFile else file
        for file in collected
    ]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which lessons ran on the stand-in and were therefore not compared."""
    cells = [
        lesson
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", None) == "call"
        for key, lesson in report.user_properties
        if key == STAND_IN
    ]
    if cells:
        lessons = ", ".join(sorted(set(cells)))
        terminalreporter.section("Fashion-MNIST was not there", yellow=True)
        terminalreporter.line(
            f"{lessons}: {len(cells)} cells ran on the stand-in. Their assertions hold; their "
            "outputs were not compared with the stored ones, which come from the real data."
        )
