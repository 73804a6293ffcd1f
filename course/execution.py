"""Runs one notebook. Nothing else in the course does."""

from __future__ import annotations

import ast
import logging
import os
import re
import signal
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

import nbclient.client
import nbformat
import papermill
import zmq
from jupyter_client.kernelspec import NoSuchKernel
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillException, PapermillExecutionError
from papermill.execute import ERROR_MARKER_TAG

from course.catalog import nearest
from course.kernels.clients import PromptClient
from course.kernels.provisioner import Kind, use_kernels
from course.kernels.read_once import sets_what_is_read_once
from utils.errors import CourseError
from utils.metrics import MIME_TYPE
from utils.parameters import shown

Status = Literal[
    "ok", "cell_error", "timeout", "dead_kernel", "start_failed", "unreadable", "skipped"
]
OnCell = Callable[[int, int, str], None]
OnKernel = Callable[[int], None]

TIMEOUT = 1800.0  # seconds a notebook may take
START_TIMEOUT = 120  # seconds a kernel may take to answer for the first time
OUTPUT_LIMIT = 2_000_000  # characters of a cell's outputs; its metrics come on top
LAST_WORDS = 12  # lines that a dying kernel wrote to its stderr

# What a kernel gets unless the environment says otherwise: TensorFlow without its log lines and
# with the same digits wherever oneDNN would reorder sums, Python without the debugger's warning.
KERNEL_ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}
# What it does not get: figures belong into the notebook whatever the shell's backend, a kernel that
# thinks it is being tested captures less, and TensorFlow takes 13 s to import without bytecode.
NOT_FOR_KERNELS = ("MPLBACKEND", "PYTEST_CURRENT_TEST", "PYTHONDONTWRITEBYTECODE")

# Log lines of TensorFlow's C++ code, which no log level silences: "I0000 00:00:1795425156.29 ...".
NATIVE_LOG = re.compile(
    r"^(?:WARNING: All log messages before absl::.*|[IWE]\d{4} \d\d:\d\d:\d+\.\d+ +\d+ .*)\n?",
    re.MULTILINE,
)

# What a carriage return wrote over. Nbclient's own expression finds the same and takes a time that
# grows with the square of a line's length: hours for one line of the 2 MB that a cell may print.
nbclient.client._RGX_CARRIAGERETURN = re.compile(r"^.*\r(?=[^\n])", re.MULTILINE)

_quiet = logging.getLogger("course.kernel")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False  # what nbclient logs here is in the Result


class Failure(NamedTuple):
    """Where a notebook stopped and why."""

    lesson: str
    section: str  # the nearest heading above the cell
    cell_id: str
    cell_index: int  # among the notebook's own cells, from 0; -1 when none had started
    source: str
    error: str  # the exception's name
    message: str
    traceback: str  # plain text, the learner's frames and the innermost one; may be empty


class Result(NamedTuple):
    """What became of one run."""

    status: Status
    seconds: float
    metrics: dict[str, Any]  # what the notebook gave to utils.metrics.report_metrics
    failure: Failure | None
    output: Path | None  # the executed notebook; None when no cell had started


def execute(
    notebook: Path,
    output: Path,
    parameters: Mapping[str, Any] | None = None,
    *,
    timeout: float = TIMEOUT,
    on_cell: OnCell | None = None,
    on_kernel: OnKernel | None = None,
    environment: Mapping[str, str] | None = None,
    kernel: Kind = "warm",
) -> Result:
    """Run ``notebook`` through papermill in a new kernel and write it to ``output``.

    The kernel's working directory is the notebook's folder. ``output`` appears in one piece when
    the run is over, also when a cell failed; an interrupted run leaves what was there before.

    Args:
        parameters: values for names of the cell tagged ``parameters``.
        timeout: seconds the whole notebook may take.
        on_cell: called with the number of the code cell that starts (from 1), how many there are,
            and the nearest heading above it.
        on_kernel: called with the process id of the kernel as soon as there is one.
        environment: variables of the kernel that differ from ours.
        kernel: "warm", forked with TensorFlow in memory where that is possible, or "fresh".

    Raises:
        CourseError: when the notebook has no such parameter or the output cannot be written.
    """
    start = time.monotonic()
    try:
        original = read_notebook(notebook)
    except UNREADABLE as error:
        return _never_started("unreadable", notebook, start, error)
    code = [cell.source for cell in original.cells if cell.cell_type == "code"]
    use_kernels("fresh" if any(map(sets_what_is_read_once, code)) else kernel)
    parameters = dict(parameters or {})
    check_names(parameters, _parameter_names(original), notebook.stem)

    partial = output.with_name(f".{output.stem}.{uuid.uuid4().hex[:8]}.ipynb")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        partial.touch()
        with tempfile.TemporaryFile() as stderr:
            watch = _Watch(on_cell, on_kernel, stderr)
            given = kernel_environment() | dict(environment or {})
            status, cause = _run(notebook, partial, parameters, start + timeout, watch, given)
            stderr.seek(0)
            last_words = NATIVE_LOG.sub("", _plain(stderr.read().decode(errors="replace")))
        if watch.cell is None and cause is not None:
            return _never_started("start_failed", notebook, start, cause)
        executed = nbformat.read(partial, as_version=4)
        if status == "ok" and watch.finished < watch.total(executed):
            status = "cell_error"
            cause = EOFError("this cell ended the lesson: those after it did not run")
        failure = _failure(notebook.stem, executed, watch, cause) if cause else None
        if failure and status == "timeout":
            limit = f"the lesson did not finish within {timeout:g} seconds"
            failure = failure._replace(message=limit)
        elif failure and status == "dead_kernel":
            words = "\n".join(last_words.strip().splitlines()[-LAST_WORDS:])
            failure = failure._replace(message=death(watch.exit_status), traceback=words)

        _tidy(executed, notebook, output, status)
        nbformat.write(executed, partial)
        partial.replace(output)
    except OSError as error:
        raise CourseError(
            f"{output} cannot be written ({error.strerror or error}): choose another folder with"
            " --out, or make room."
        ) from error
    finally:
        _remove(partial)
    return Result(status, time.monotonic() - start, _metrics(executed), failure, output)


def parameters_of(notebook: Path) -> list[str]:
    """Return the names that the cell tagged ``parameters`` assigns; none for an unreadable file."""
    try:
        return _parameter_names(read_notebook(notebook))
    except UNREADABLE:
        return []


def check_names(parameters: Mapping[str, Any], known: list[str], lesson: str) -> None:
    """Raise CourseError for the first of ``parameters`` that is not among ``known``."""
    for name in parameters:
        if name not in known:
            raise CourseError(f"{lesson} has no parameter {shown(name)}: {nearest(name, known)}")


def kernel_environment() -> dict[str, str]:
    """Return the environment of a kernel, whose working directory is not ours."""
    environment = KERNEL_ENVIRONMENT | os.environ
    for name in NOT_FOR_KERNELS:
        environment.pop(name, None)
    if home := environment.get("KERAS_HOME"):
        environment["KERAS_HOME"] = str(Path(home).expanduser().absolute())
    return environment


def section_above(notebook: nbformat.NotebookNode, index: int) -> str:
    """Return the text of the nearest Markdown heading above cell ``index``, "" if none."""
    for cell in reversed(notebook.cells[: index + 1]):
        if cell.cell_type == "markdown":
            prose = re.sub(r"^```.*?^```", "", cell.source, flags=re.MULTILINE | re.DOTALL)
            headings = re.findall(r"^#{1,6} +(.+?) *#*$", prose, re.MULTILINE)
            if headings:
                return headings[-1]
    return ""


UNREADABLE = (OSError, ValueError, nbformat.ValidationError)


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """Read a notebook; for a file that is none, raise one of ``UNREADABLE``."""
    try:
        node = nbformat.read(path, as_version=4)
        nbformat.validate(node)
    except (LookupError, AttributeError, TypeError, RecursionError):  # JSON, but of another kind
        raise ValueError("it is no notebook of Jupyter's") from None
    return node


def _parameter_names(notebook: nbformat.NotebookNode) -> list[str]:
    for cell in notebook.cells:
        if cell.cell_type == "code" and "parameters" in cell.metadata.get("tags", []):
            try:
                nodes = list(ast.walk(ast.parse(cell.source)))
            except SyntaxError:
                return []
            names = (node for node in nodes if isinstance(node, ast.Name))
            return [name.id for name in names if isinstance(name.ctx, ast.Store)]
    return []


class _Client(PapermillNotebookClient):
    exit_status: int | None = None  # of a kernel that died; negative for a signal
    on_kernel: OnKernel | None = None
    room: tuple[Any, int] = (None, 0)  # the cell that is running, and what it may still put out

    def create_kernel_manager(self) -> Any:
        manager: Any = super().create_kernel_manager()
        manager.client_factory = PromptClient
        return manager

    def start_new_kernel(self, **options: Any) -> None:
        super().start_new_kernel(**options)
        process = getattr(self.km.provisioner, "pid", None)
        if self.on_kernel and process:
            self.on_kernel(process)

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        if self.room[0] is not cell:
            self.room = (cell, OUTPUT_LIMIT)
        self.room = (cell, cut(msg, self.room[1]))
        return super().process_message(msg, cell, cell_index)

    def papermill_execute_cells(self) -> None:
        try:
            super().papermill_execute_cells()
        except BaseException:
            self.shutdown_kernel = "immediate"  # a kernel that hangs does not end by being asked
            process = getattr(self.km.provisioner, "process", None)
            self.exit_status = process.poll() if process else None
            raise


def cut(message: dict[str, Any], room: int) -> int:
    """Cut what a message puts out to ``room`` characters; return how many are left after it."""
    content = message["content"]
    if message["msg_type"] == "stream":
        size = len(content["text"])
        if size > room:
            note = f"\n[Only the first {OUTPUT_LIMIT:,} characters of this output were kept.]\n"
            content["text"] = content["text"][:room] + note * (room > 0)
    elif message["msg_type"] in ("display_data", "execute_result", "update_display_data"):
        data = content["data"]
        size = sum(len(str(value)) for mime, value in data.items() if mime != MIME_TYPE)
        if size > room:
            kept = {MIME_TYPE: data[MIME_TYPE]} if MIME_TYPE in data else {}
            content["data"] = kept | {"text/plain": "[An output too large to keep was left out.]"}
    elif message["msg_type"] == "error":
        size = sum(map(len, (content["ename"], content["evalue"], *content["traceback"])))
        if size > room:
            content["ename"], content["evalue"] = content["ename"][:200], content["evalue"][:2000]
            content["traceback"] = []
    else:
        return room
    return max(0, room - size)


class _Engine(NBClientEngine):
    """Papermill's own engine, with an environment and a folder for the kernel alone."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, *, start_timeout: int = 60, **options: Any
    ) -> None:
        kept = {key: options[key] for key in ("resources", "timeout_func")}
        watch: _Watch = options["watch"]
        watch.notebook = nb_man.nb
        client = _Client(
            nb_man,
            kernel_name=kernel_name,
            startup_timeout=start_timeout,
            on_cell_start=watch.start,
            on_cell_executed=watch.finish,
            coalesce_streams=True,
            iopub_timeout=60,
            extra_arguments=["--HistoryManager.hist_file=:memory:", "--log-level=40"],
            log=_quiet,
            **kept,
        )
        client.on_kernel = watch.on_kernel
        try:
            client.execute(env=options["environment"], stderr=watch.stderr)
        finally:
            watch.exit_status = client.exit_status
            if client.km is not None:  # interrupted while the kernel was starting
                client.shutdown_kernel = "immediate"
                client._cleanup_kernel()


papermill_engines.register("course", _Engine)


class _Watch:
    """Follows the cells of one run; papermill's metadata cannot tell which of them ran."""

    def __init__(
        self, on_cell: OnCell | None, on_kernel: OnKernel | None, stderr: IO[bytes]
    ) -> None:
        self.notebook: nbformat.NotebookNode | None = None
        self.cell: nbformat.NotebookNode | None = None
        self.finished = 0
        self.exit_status: int | None = None  # of the kernel's process
        self.reply: dict[str, Any] = {}  # the kernel's last one
        self.stderr = stderr  # of the kernel's process, for the last words of one that dies
        self.on_kernel = on_kernel
        self._on_cell = on_cell

    @staticmethod
    def runs(cell: nbformat.NotebookNode) -> bool:
        """Tell whether nbclient executes this cell."""
        skipped = "skip-execution" in cell.metadata.get("tags", [])
        return cell.cell_type == "code" and bool(cell.source.strip()) and not skipped

    def is_current(self, cell: nbformat.NotebookNode) -> bool:
        """Tell whether ``cell``, read from a file, is the last one that started."""
        return self.cell is not None and (cell.id, cell.source) == (self.cell.id, self.cell.source)

    def total(self, notebook: nbformat.NotebookNode) -> int:
        return sum(self.runs(cell) for cell in notebook.cells)

    def start(self, cell: nbformat.NotebookNode, cell_index: int) -> None:
        if self.notebook is None or not self.runs(cell):
            return
        self.cell = cell
        if self._on_cell:
            number = sum(self.runs(cell) for cell in self.notebook.cells[: cell_index + 1])
            section = section_above(self.notebook, cell_index)
            self._on_cell(number, self.total(self.notebook), section)

    def finish(
        self, cell: nbformat.NotebookNode, cell_index: int, execute_reply: dict[str, Any]
    ) -> None:
        self.reply = execute_reply["content"]
        ended = self.reply["status"] == "ok"
        tolerated = "raises-exception" in cell.metadata.get("tags", [])
        self.finished += ended or tolerated


def _run(
    notebook: Path,
    output: Path,
    parameters: dict[str, Any],
    deadline: float,
    watch: _Watch,
    environment: dict[str, str],
) -> tuple[Status, Exception | None]:
    try:
        papermill.execute_notebook(
            notebook,
            output,
            parameters,
            engine_name="course",
            progress_bar=False,
            start_timeout=START_TIMEOUT,
            resources={"metadata": {"path": str(notebook.resolve().parent)}},
            timeout_func=lambda _: max(1, round(deadline - time.monotonic())),
            watch=watch,
            environment=environment,
        )
    except PapermillExecutionError as error:
        return "cell_error", error
    except CellTimeoutError as error:
        return "timeout", error
    except DeadKernelError as error:
        return "dead_kernel", error
    except (NoSuchKernel, PapermillException, RuntimeError, ValueError, zmq.ZMQError) as error:
        if watch.cell is not None:
            raise
        return "start_failed", error
    return "ok", None


def _failure(
    lesson: str, executed: nbformat.NotebookNode, watch: _Watch, error: Exception
) -> Failure:
    name, message, traceback = type(error).__name__, str(error), ""
    failed = [watch.is_current(cell) for cell in executed.cells]
    if isinstance(error, PapermillExecutionError):
        name, message = error.ename, _plain(error.evalue)
        traceback = "" if name == "CourseError" else _short(error.traceback)
        if any(shown := [_has_error(cell) for cell in executed.cells]):
            failed = shown
        else:  # as of an error whose text cannot be written in UTF-8
            reason = f"{watch.reply.get('ename')}: {watch.reply.get('evalue')}"
            message = f"the kernel could not pass on what this cell raised ({reason})"
    index = max(place for place, here in enumerate(failed) if here)  # others were allowed to fail
    cell = executed.cells[index]
    own = [each for each in executed.cells[:index] if not _is_papermills(each)]
    section = section_above(executed, index)
    return Failure(lesson, section, cell.id, len(own), cell.source, name, message, traceback)


def _has_error(cell: nbformat.NotebookNode) -> bool:
    return any(output.output_type == "error" for output in cell.get("outputs", []))


def _is_papermills(cell: nbformat.NotebookNode) -> bool:
    tags = cell.metadata.get("tags", [])
    return "injected-parameters" in tags or ERROR_MARKER_TAG in tags


def _never_started(status: Status, notebook: Path, start: float, error: Exception) -> Result:
    text = str(error).strip() or type(error).__name__
    failure = Failure(
        notebook.stem, "", "", -1, "", type(error).__name__, text.splitlines()[0][:300], ""
    )
    return Result(status, time.monotonic() - start, {}, failure, None)


def death(exit_status: int | None) -> str:
    """Say how a kernel's process ended. Linux sends SIGKILL to what takes too much memory."""
    if exit_status is None:
        return "the kernel died in this cell"
    if exit_status >= 0:
        return f"the kernel died in this cell with exit status {exit_status}"
    try:
        name = signal.Signals(-exit_status).name
    except ValueError:  # one of the real-time signals
        name = f"signal {-exit_status}"
    reason = " (was there too little memory?)" if name == "SIGKILL" else ""
    return f"the kernel died in this cell by {name}{reason}"


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def _short(traceback: list[str], lines: int = 14) -> str:
    """Keep the frames of the notebook's own cells, the innermost frame and the error itself."""
    parts = [part for part in re.split(r"\n\n+", _plain("\n\n".join(traceback))) if part.strip()]
    if not parts:
        return ""
    frames, last = parts[1:-1], parts[-1]
    own = [frame for frame in frames if frame.startswith("Cell In[")]
    if frames and frames[-1] not in own:
        own.append(frames[-1])
    return "\n".join("\n".join(part.strip("\n").splitlines()[:lines]) for part in [*own, last])


def _tidy(executed: nbformat.NotebookNode, notebook: Path, output: Path, status: Status) -> None:
    """Leave no path of this machine, no word of papermill's that is not so, no native log."""
    executed.metadata.papermill.update(
        input_path=notebook.name, output_path=output.name, exception=status != "ok" or None
    )
    for cell in executed.cells:
        for each in cell.get("outputs", []):
            if each.output_type == "stream" and each.name == "stderr":
                each.text = NATIVE_LOG.sub("", each.text)
        if cell.cell_type == "code":
            cell.outputs = [each for each in cell.outputs if each.get("text") != ""]


def _metrics(executed: nbformat.NotebookNode) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for cell in executed.cells:
        for output in cell.get("outputs", []):
            found.update(output.get("data", {}).get(MIME_TYPE, {}))
    return found


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:  # its folder is the reason: that error is on its way already
        return
