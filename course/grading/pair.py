"""A learner's kernel and the judge of what it defines, two processes with a line between them."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course.grading.judging import JudgeLost, JudgeProcess, judge_for
from course.grading.wire import Message
from course.kernels.provisioner import Kind
from course.kernels.sandbox import Sandbox
from course.sessions import KernelDied, Session, open_session
from utils.errors import CourseError
from utils.problems.answers import SECONDS

JUDGING = SECONDS + 20  # seconds that a judge may take for one check; it has a limit of its own
HANGING_UP = 2.0  # seconds that one end may take to notice that the other has hung up
LOOK_EVERY = 0.05  # seconds between two looks at the kernel while the judge is at work


class Pair:
    """Runs a notebook's cells and has its answers judged; made by `open_pair`."""

    def __init__(self, session: Session, judge: JudgeProcess) -> None:
        self._session = session
        self._judge = judge

    def run(self, cell: NotebookNode) -> NotebookNode:
        """Run a code cell in the learner's kernel; see `Session.run`."""
        return self._session.run(cell)

    def instruct(self, source: str) -> None:
        """Run one of the instructor's cells in the judge's process, too.

        Raises:
            JudgeLost: it did not work.
        """
        self._judge.send("run", source)
        self._judge.heard(JUDGING)

    def define_the_rest(self, source: str) -> None:
        """Have the kernel define what a cell would have defined below the line where it stopped.

        Raises:
            KernelDied: as in `Session.run`.
        """
        self._session.run(_told("define_the_rest", repr(source)))

    def keep(self) -> None:
        """Note what all answers rely on: what the kernel has imported, its modes, its threads.

        Raises:
            KernelDied: as in `Session.run`.
        """
        self._session.run(_told("keep"))

    def is_as_kept(self) -> bool:
        """Tell whether the learner's cells have left all that as it was; so says the kernel."""
        try:
            ran = self._session.run(_told("is_as_kept"))
        except KernelDied:
            return False
        return any(output.get("data", {}).get("text/plain") == "True" for output in ran.outputs)

    def pass_over(self, source: str) -> None:
        """Have the judge run a check's cell but for the check, which has been judged before.

        Raises:
            JudgeLost: it did not work.
        """
        self._judge.send("pass over", source)
        self._judge.heard(JUDGING)

    def judge(self, source: str) -> tuple[Message, KernelDied | None]:
        """Return a verdict, as `judge.Judge.judge` does, and how the kernel died if it did.

        A kernel or a judge that dies before there is a verdict leaves ``lost``.
        """
        try:
            return self._judged(source)
        except JudgeLost as error:
            return {"lost": str(error)}, None

    def _judged(self, source: str) -> tuple[Message, KernelDied | None]:
        running = self._session.start(_told("answer"))
        self._judge.send("judge", source)
        end = time.monotonic() + JUDGING
        try:
            while not self._judge.is_heard():
                self._session.wait(running, LOOK_EVERY)
                if running.over:
                    end = min(end, time.monotonic() + HANGING_UP)
                if time.monotonic() > end:
                    self._judge.is_usable = False  # it waits for an answer that will not come
                    return {"lost": "the notebook's process does not answer"}, None
            verdict = self._judge.heard(0)
        except KernelDied as death:
            return self._last_verdict(death), death
        try:
            self._session.finish(running, HANGING_UP)
        except KernelDied as death:
            return verdict, death
        return verdict, None

    def _last_verdict(self, death: KernelDied) -> Message:
        """Let the judge notice that the kernel is gone, so that it can go on with another."""
        try:
            self._judge.heard(HANGING_UP)
        except JudgeLost:  # something that the kernel started holds the line: another judge, then
            pass
        return {"lost": str(death)}


def _told(what: str, argument: str = "") -> NotebookNode:
    """Return a cell that tells the learner's kernel to do something; see `notebook`."""
    source = f"__import__('course.grading.notebook', fromlist=['*']).{what}({argument})"
    return nbformat.from_dict({"cell_type": "code", "source": source, "metadata": {}})


@contextmanager
def open_pair(
    folder: Path,
    limit: float,
    *,
    environment: Mapping[str, str],
    sandbox: Sandbox | None = None,
    kernel: Kind = "warm",
    on_kernel: Callable[[int], None] = lambda pid: None,
    judge_environment: Mapping[str, str],
) -> Iterator[Pair]:
    """Start a learner's kernel with a judge at its side, for as long as the block lasts.

    Args:
        folder: where the learner's kernel works.
        limit: seconds that one of the learner's cells may take.
        environment: all variables of the learner's kernel.
        sandbox: that the kernel is in, or does not start.
        kernel: warm or fresh.
        on_kernel: told the kernel's process id.
        judge_environment: all variables of the judge.

    Raises:
        CourseError: when no kernel starts.
        JudgeLost: when no judge does.
    """
    learner, asking = socket.socketpair()
    with learner, asking, judge_for(asking, judge_environment) as judge:
        asking.close()
        with open_session(
            folder,
            limit,
            environment=environment,
            sandbox=sandbox,
            kernel=kernel,
            stdin=learner,
        ) as session:
            learner.close()
            on_kernel(session.process.pid)
            prepared = session.run(_told("prepare"))
            for output in prepared.outputs:
                if output.output_type == "error":
                    raise CourseError(
                        f"A learner's kernel could not be prepared: {output.ename}:"
                        f" {output.evalue}. Does the sandbox hide the course's own folder?"
                    )
            yield Pair(session, judge)
