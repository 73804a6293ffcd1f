"""Answers that live in a process of their own, as a grader has them."""

from __future__ import annotations

import importlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from collected import ANSWERS, Answer

FOLDER = Path(__file__).parent
GIVEN = {"1.4": 1}  # the place among a check's arguments of what the instructor's cells define

for path in sorted(FOLDER.glob("*_answers.py")):
    if path.stem != "test_answers":
        importlib.import_module(path.stem)


def key(answer: Answer) -> str:
    """Return a name for an answer that no other has."""
    return f"{answer.number}-{answer.name}-{answer.diagnosis}"


class Names(dict[str, Any]):
    """Finds ``KEY/0``, ``KEY/1`` and so on: what an answer gives to its check."""

    def __missing__(self, name: str) -> Any:
        wanted, _, place = name.rpartition("/")
        answer = next(each for each in ANSWERS if key(each) == wanted)
        self.update({f"{wanted}/{i}": each for i, each in enumerate(answer.make())})
        return self[f"{wanted}/{place}"]

    def __contains__(self, name: object) -> bool:
        return True


def serve(descriptor: int) -> None:
    """Be the learner's process, one check after another."""
    from course.grading.answering import Answering
    from course.grading.wire import Line, LineDown

    line = Line(socket.socket(fileno=descriptor))
    names = Names()
    try:
        while True:
            Answering(line, names).serve()
    except LineDown:
        os._exit(0)


@contextmanager
def learners_process() -> Iterator[Any]:
    """Start a process that holds all collected answers; give the line to it as a `Remote`."""
    from course.grading.remote import Remote
    from course.grading.wire import Line

    here, there = socket.socketpair()
    with here, there:
        process = subprocess.Popen(
            [sys.executable, __file__, str(there.fileno())], pass_fds=[there.fileno()]
        )
        there.close()
        try:
            yield Remote(Line(here))
        finally:
            process.kill()
            process.wait()


def handed_over(answer: Answer, remote: Any) -> list[Any]:
    """Return what stands here for an answer over there."""
    remote.end()
    remote.forget()
    mine = answer.make()
    given = GIVEN.get(answer.number)
    return [mine[i] if i == given else remote.name(f"{key(answer)}/{i}") for i in range(len(mine))]


if __name__ == "__main__":
    sys.path[:0] = [str(FOLDER), str(FOLDER.parents[1])]
    serve(int(sys.argv[1]))
