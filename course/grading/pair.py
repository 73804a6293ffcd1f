"""A learner's kernel and the judge of what it defines, two processes with a line between them."""

from __future__ import annotations

import select
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from course.execution import kernel_environment
from course.grading.wire import Line, LineDown, Message
from course.kernels.provisioner import start_program
from course.sessions import KernelDied, Session, last_words, open_session
from utils.problems.answers import SECONDS

# What the learner's kernel is told; see `notebook`.
TOLD = "__import__('course.grading.notebook', fromlist=['*']).{}()"
JUDGING = SECONDS + 20  # seconds that a judge may take for one check; it has a limit of its own
HANGING_UP = 2.0  # seconds that the learner's kernel may take to notice that all has been asked
LOOK_EVERY = 0.05  # seconds between two looks at the kernel while the judge is at work


class JudgeLost(Exception):
    """The judge's process ended, or does not answer."""


class Pair:
    """Runs a notebook's cells and has its answers judged; made by `open_pair`."""

    def __init__(
        self, session: Session, judge: Any, control: socket.socket, log: IO[bytes]
    ) -> None:
        self._session = session
        self._judge = judge
        self._log = log
        self._socket = control
        self._control = Line(control)

    def run(self, cell: NotebookNode) -> NotebookNode:
        """Run a code cell in the learner's kernel; see `Session.run`."""
        return self._session.run(cell)

    def instruct(self, source: str) -> None:
        """Run one of the instructor's cells in the judge's process, too.

        Raises:
            JudgeLost: it did not work.
        """
        self._command("run", source)
        self._heard(JUDGING)

    def pass_over(self, source: str) -> None:
        """Have the judge run a check's cell but for the check, which has been judged before.

        Raises:
            JudgeLost: it did not work.
        """
        self._command("pass over", source)
        self._heard(JUDGING)

    def judge(self, source: str) -> tuple[Message, KernelDied | None]:
        """Return a verdict, as `judge.Judge.judge` does, and how the kernel died if it did.

        A kernel that dies before there is a verdict leaves ``lost``.

        Raises:
            JudgeLost: the judge gave none.
        """
        running = self._session.start(new_code_cell(TOLD.format("answer")))
        self._command("judge", source)
        end = time.monotonic() + JUDGING
        try:
            while not self._is_heard():
                self._session.wait(running, LOOK_EVERY)
                if running.over:
                    end = min(end, time.monotonic() + HANGING_UP)
                if time.monotonic() > end:
                    return {"lost": "the notebook's process does not answer"}, None
            verdict = self._heard(0)
        except KernelDied as death:
            return {"lost": str(death)}, death
        try:
            self._session.finish(running, HANGING_UP)
        except KernelDied as death:
            return verdict, death
        return verdict, None

    def _command(self, what: str, source: str) -> None:
        try:
            self._control.send({"do": what, "source": source})
        except LineDown as error:
            raise JudgeLost(f"the judge's process has ended: {last_words(self._log)}") from error

    def _is_heard(self) -> bool:
        return bool(select.select([self._socket], [], [], 0)[0])

    def _heard(self, seconds: float) -> Message:
        if not select.select([self._socket], [], [], seconds)[0]:
            raise JudgeLost("the judge does not answer")
        try:
            return self._control.receive()
        except LineDown as error:
            raise JudgeLost(f"the judge's process has ended: {last_words(self._log)}") from error


@contextmanager
def open_pair(
    folder: Path,
    limit: float,
    *,
    environment: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
    on_kernel: Callable[[int], None] = lambda pid: None,
) -> Iterator[Pair]:
    """Start a learner's kernel and its judge for as long as the block lasts.

    Args:
        folder: where the learner's kernel works.
        limit: seconds that one of the learner's cells may take.
        environment: all variables of the learner's kernel.
        settings: of the kernel provisioner.
        on_kernel: told the kernel's process id.

    Raises:
        CourseError: when no kernel starts.
    """
    learner, asking = socket.socketpair()
    control, commands = socket.socketpair()
    with learner, asking, control, commands, tempfile.TemporaryFile() as log:
        streams = {"stdin": asking, "stdout": commands, "stderr": log}
        judge = start_program("course.grading.judge", kernel_environment(), Path.cwd(), **streams)
        try:
            with open_session(
                folder, limit, environment=environment, settings=settings, stdin=learner
            ) as session:
                for each in (learner, asking, commands):
                    each.close()
                on_kernel(session.process.pid)
                session.run(new_code_cell(TOLD.format("prepare")))
                yield Pair(session, judge, control, log)
        finally:
            judge.kill()
            judge.wait()
