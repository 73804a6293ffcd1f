"""Checks the parameters of a lesson before anything is computed with them."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import NamedTuple

from utils.errors import CourseError


class Rule(NamedTuple):
    """What a parameter may be, as a test and in words."""

    allows: Callable[[object], bool]
    words: str


def _whole(smallest: int, largest: float = math.inf) -> Callable[[object], bool]:
    return lambda value: (
        isinstance(value, int) and not isinstance(value, bool) and smallest <= value <= largest
    )


def _positive(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 < value <= sys.float_info.max  # type: ignore[operator]


def shortened(text: str, most: int = 80) -> str:
    """Return a text, without its middle where it is long."""
    return text if len(text) <= most else f"{text[: most - 20]} ... {text[-10:]}"


def shown(value: object) -> str:
    """Return a value as code has it, without its middle where it is long."""
    try:
        return shortened(repr(value))
    except ValueError:  # Python writes no whole number of more than 4300 digits
        return "a number of thousands of digits"


RULES = {
    "seed": Rule(_whole(0, 2**32 - 1), "a whole number from 0 to 4294967295"),
    "epochs": Rule(_whole(1), "a whole number of passes over the training images, at least 1"),
    "hidden_units": Rule(_whole(1), "a whole number of units, at least 1"),
    "learning_rate": Rule(_positive, "a number above 0, such as 0.001"),
    "batch_size": Rule(_whole(1, 60_000), "a whole number of images from 1 to 60000"),
    "train_size": Rule(_whole(1, 60_000), "a whole number of images from 1 to 60000"),
}


def check_parameters(**parameters: object) -> None:
    """Raise one sentence that names every parameter whose value cannot be used.

    The names are those of ``RULES``: ``seed``, ``epochs``, ``hidden_units``, ``learning_rate``,
    ``batch_size`` and ``train_size``; the last two count images.

    Raises:
        CourseError: naming each bad parameter, its value and what it may be.
    """
    unknown = sorted(parameters.keys() - RULES.keys())
    if unknown:
        raise CourseError(
            f"No lesson has the parameter {shown(unknown[0])}; there are {', '.join(RULES)}."
        )
    bad = [
        f"{name} = {shown(value)} should be {RULES[name].words}"
        for name, value in parameters.items()
        if not RULES[name].allows(value)
    ]
    if bad:
        raise CourseError(f"This lesson cannot run with these parameters: {'; '.join(bad)}.")
