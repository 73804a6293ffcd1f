"""Runs one notebook. Nothing else in the course does."""

from __future__ import annotations

import logging
import re
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

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

from course.kernels.clients import PromptClient
from course.kernels.provisioner import Kind, use_kernels
from course.kernels.read_once import sets_what_is_read_once
from course.kernels.usual import (
    LAST_WORDS,
    NATIVE_LOG,
    OUTPUT_LIMIT,
    START_TIMEOUT,
    TIMEOUT,
    cut,
    death,
    kernel_environment,
)
from course.notebooks import UNREADABLE, check_names, parameter_names, read_notebook, section_above
from course.statuses import Failure, Result, Status
from utils.errors import CourseError
from utils.metrics import MIME_TYPE

OnCell = Callable[[int, int, str], None]
OnKernel = Callable[[int], None]


# What a carriage return wrote over. Nbclient's own expression finds the same and takes a time that
# grows with the square of a line's length: hours for one line of the 2 MB that a cell may print.
nbclient.client._RGX_CARRIAGERETURN = re.compile(r"^.*\r(?=[^\n])", re.MULTILINE)

_quiet = logging.getLogger("course.kernel")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False  # what nbclient logs here is in the Result


def execute(
    notebook: Path,
    output: Path,
    parameters: Mapping[str, Any] | None = None,
    *,
    timeout: float = TIMEOUT,
    on_cell: OnCell | None = None,
    on_kernel: OnKernel | None = None,
    on_end: Callable[[], None] | None = None,
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
        on_end: called when no cell runs any more.
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
    check_names(parameters, parameter_names(original), notebook.stem)

    partial = output.with_name(f".{output.stem}.{uuid.uuid4().hex[:8]}.ipynb")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        partial.touch()
        with tempfile.TemporaryFile() as stderr:
            watch = _Watch(on_cell, on_kernel, on_end, stderr)
            given = kernel_environment() | dict(environment or {})
            status, cause = _run(notebook, partial, parameters, start + timeout, watch, given)
            if watch.notebook is not None and not partial.stat().st_size:
                nbformat.write(watch.notebook, partial)  # papermill stopped before it did
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


class _Client(PapermillNotebookClient):
    exit_status: int | None = None  # of a kernel that died; negative for a signal
    on_kernel: OnKernel | None = None
    on_end: Callable[[], None] | None = None
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
        finally:
            if self.on_end:
                self.on_end()


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
        client.on_kernel, client.on_end = watch.on_kernel, watch.on_end
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
        self,
        on_cell: OnCell | None,
        on_kernel: OnKernel | None,
        on_end: Callable[[], None] | None,
        stderr: IO[bytes],
    ) -> None:
        self.notebook: nbformat.NotebookNode | None = None
        self.cell: nbformat.NotebookNode | None = None
        self.finished = 0
        self.exit_status: int | None = None  # of the kernel's process
        self.reply: dict[str, Any] = {}  # the kernel's last one
        self.stderr = stderr  # of the kernel's process, for the last words of one that dies
        self.on_kernel, self.on_end = on_kernel, on_end
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
            request_save_on_cell_execute=False,  # it takes as long as a quick cell, twice for each
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
