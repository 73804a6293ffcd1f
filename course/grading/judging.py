"""The judge's process, seen from whoever grades: one serves many submissions, one after another."""

from __future__ import annotations

import select
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from course.execution import kernel_environment
from course.grading.wire import Line, LineDown, Message
from course.kernels.provisioner import start_program
from course.sessions import last_words

MOST_CASES = 25  # submissions that one process judges; its memory grows a little with each


class JudgeLost(Exception):
    """The judge's process ended, or does not answer."""


class JudgeProcess:
    """A judge; see `judge` for what it is told and what it says."""

    def __init__(self) -> None:
        self._log = tempfile.TemporaryFile()
        self._handing, handed = socket.socketpair()
        self._socket, commands = socket.socketpair()
        self._control = Line(self._socket)
        self.cases = 0
        self.is_usable = True
        with handed, commands:
            self._process = start_program(
                "course.grading.judge",
                kernel_environment(),
                Path.cwd(),
                stdin=handed,
                stdout=commands,
                stderr=self._log,
            )

    def begin(self, learner: socket.socket) -> None:
        """Begin with another learner, at the other end of this socket."""
        self.cases += 1
        socket.send_fds(self._handing, [b"x"], [learner.fileno()])
        self.send("begin")
        self.heard(JUDGE_START)

    def send(self, what: str, source: str = "") -> None:
        """Give a command.

        Raises:
            JudgeLost: nobody is there.
        """
        try:
            self._control.send({"do": what, "source": source})
        except LineDown as error:
            raise self._lost() from error

    def is_heard(self, seconds: float = 0) -> bool:
        """Wait for an answer for so many seconds at most, and tell whether there is one."""
        return bool(select.select([self._socket], [], [], seconds)[0])

    def heard(self, seconds: float) -> Message:
        """Return the answer to a command.

        Raises:
            JudgeLost: there is none.
        """
        if not self.is_heard(seconds):
            self.is_usable = False
            raise JudgeLost("the judge does not answer")
        try:
            return self._control.receive()
        except LineDown as error:
            raise self._lost() from error

    def end(self) -> None:
        """Make the process end."""
        self.is_usable = False
        self._process.kill()
        self._process.wait()
        for each in (self._handing, self._socket, self._log):
            each.close()

    def _lost(self) -> JudgeLost:
        self.is_usable = False
        return JudgeLost(f"the judge's process has ended: {last_words(self._log)}")


JUDGE_START = 120.0  # seconds that a judge may take to import everything
_at_hand: list[JudgeProcess] = []


@contextmanager
def judge_for(learner: socket.socket) -> Iterator[JudgeProcess]:
    """Give a judge for the learner at the other end of a socket: the one at hand, or a new one."""
    judge = _at_hand.pop() if _at_hand else JudgeProcess()
    try:
        judge.begin(learner)
        yield judge
    finally:
        if judge.is_usable and judge.cases < MOST_CASES:
            _at_hand.append(judge)
        else:
            judge.end()
