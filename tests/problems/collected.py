"""Answers to the problems, as learners write them: wrong ones with their diagnosis, right ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """The answers given to one check, made anew for each test."""

    number: str
    name: str
    make: Callable[[], tuple[Any, ...]]
    diagnosis: str = "right"
    points: float | None = None  # None: none for a wrong answer, all for a right one


ANSWERS: list[Answer] = []


def wrong(number: str, diagnosis: str, points: float = 0) -> Callable[[Any], Any]:
    """Collect a function as a wrong answer that must get ``diagnosis`` and ``points``."""

    def collect(f: Any) -> Any:
        ANSWERS.append(Answer(number, f.__name__, lambda: (f,), diagnosis, points))
        return f

    return collect


def right(number: str) -> Callable[[Any], Any]:
    """Collect a function as a right answer."""

    def collect(f: Any) -> Any:
        ANSWERS.append(Answer(number, f.__name__, lambda: (f,)))
        return f

    return collect


def wrong_answers(number: str, diagnosis: str, points: float = 0) -> Callable[[Any], Any]:
    """Collect what a function returns, a tuple of answers, as a wrong answer to one check."""

    def collect(make: Any) -> Any:
        ANSWERS.append(Answer(number, make.__name__, make, diagnosis, points))
        return make

    return collect


def right_answers(number: str) -> Callable[[Any], Any]:
    """Collect what a function returns, a tuple of answers, as a right answer to one check."""

    def collect(make: Any) -> Any:
        ANSWERS.append(Answer(number, make.__name__, make))
        return make

    return collect
