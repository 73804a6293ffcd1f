"""A process that judges the answers of learners, each of which lives in a process of its own.

It has the instructor's cells, hidden tests and references; the learner's code is never run here.
Its standard output is a line to whoever grades: commands come in and verdicts go out, as `wire`
says. Its standard input is a socket over which the lines to the learners' processes are handed in.
"""

from __future__ import annotations

import ast
import builtins
import os
import resource
import socket
from types import CodeType
from typing import Any

from course.grading.remote import Remote
from course.grading.small_graphs import leave_graphs_as_they_are
from course.grading.wire import Line, LineDown, Message
from utils.checks import Verdict, unreadable
from utils.problems.answers import quietly

MEMORY = 8 * 2**30  # bytes that it may take, whatever it is told of an answer


def main() -> None:
    """Do what is commanded until nobody commands any more."""
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, most))
    handing, grading = (socket.socket(fileno=os.dup(number)) for number in (0, 1))
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(2, 1)
    leave_graphs_as_they_are()
    grader = Line(grading)
    judge: Judge | None = None
    while True:
        try:
            command = grader.receive()
        except LineDown:
            return
        if command["do"] == "begin":
            _, (descriptor,), *_ = socket.recv_fds(handing, 1, 1)
            judge = Judge(Remote(Line(socket.socket(fileno=descriptor))))
            grader.send({})
            continue
        assert judge is not None
        do = {"run": judge.run, "pass over": judge.pass_over, "judge": judge.judge}[command["do"]]
        grader.send(do(command["source"]))


class Judge:
    """The instructor's side of a notebook: what its locked cells define, and the checks."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._names: dict[str, Any] = {"__name__": "__main__"}

    def run(self, source: str) -> Message:
        """Run one of the instructor's cells that is no check."""
        with quietly():
            exec(compile(source, "<instructor>", "exec"), self._names)
        return {}

    def pass_over(self, source: str) -> Message:
        """Run a cell that ends in a check but for the check, for what the cells after it need."""
        tests, _ = _parted(source)
        with quietly():
            exec(tests, self._names)
        return {}

    def judge(self, source: str) -> Message:
        """Run a cell that ends in a check, on the learner's answers, and say how it came out.

        Returns:
            The verdict's fields, its text in both languages; or under ``lost`` how the learner's
            process was lost, under ``undefined`` which name it does not have.
        """
        tests, asked = _parted(source)
        exec(tests, self._names)
        self._remote.forget()
        answers: dict[str, Any] = {}
        try:
            for name in sorted(_names(asked) - {*self._names, *dir(builtins)}):
                try:
                    answers[name] = self._remote.name(name)
                except NameError:
                    return {"undefined": name}
            code = compile(ast.Expression(asked), "<check>", "eval")
            return described(eval(code, self._names, answers))
        except LineDown as error:
            return {"lost": str(error)}
        except (Exception, SystemExit) as error:  # noqa: BLE001  of whatever is no answer at all
            return described(unreadable(ast.literal_eval(asked.args[0]), error))
        finally:
            self._hang_up()

    def _hang_up(self) -> None:
        try:
            self._remote.end()
        except LineDown:  # it has been said already
            return


def _parted(source: str) -> tuple[CodeType, ast.Call]:
    """Return the code of a check's cell: all before its last line, and that line, the check."""
    body = ast.parse(source).body
    check = body.pop()
    assert isinstance(check, ast.Expr) and isinstance(check.value, ast.Call)
    return compile(ast.Module(body, []), "<tests>", "exec"), check.value


def _names(asked: ast.Call) -> set[str]:
    return {each.id for each in ast.walk(asked) if isinstance(each, ast.Name)}


def described(verdict: Verdict) -> Message:
    """Return a verdict as JSON."""
    return {
        "problem": verdict.problem,
        "state": verdict.state,
        "diagnosis": verdict.diagnosis,
        "points": verdict.points,
        "of": verdict.of,
        "text": verdict.text._asdict(),
        "section": verdict.section,
    }


if __name__ == "__main__":
    main()
