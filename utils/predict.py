"""Predict, run, explain: compares what the learner expected with what came out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from utils.boxes import box

Array = NDArray[Any]

NUMBER_WORDS = "no one two three four five six seven eight nine ten eleven twelve".split()
NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
MOST_PRINTED = 12
"""An array with more values is named by its shape."""


@dataclass(frozen=True)
class Comparison:
    """What came of a guess. ``right`` is None when there was no guess."""

    right: bool | None
    verdict: str
    text: str

    def __str__(self) -> str:
        return f"{self.verdict}: {self.text}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        colour = {True: "#0072B2", False: "#D55E00", None: "#777777"}[self.right]
        return box(colour, self.verdict, self.text)


def compare_guess(
    guess: Any,
    answer: Any,
    *,
    because: Mapping[Any, str] | None = None,
    tolerance: float = 1e-3,
) -> Comparison:
    """Compare a guess with the computed answer, and explain a foreseen wrong guess.

    Args:
        guess: what the learner wrote; ``...`` means that there is no guess yet.
        answer: a number, text, None, a bool, a shape, an array or a tensor. One number is a
            right guess for an array that holds it everywhere.
        because: for each foreseen wrong guess the thinking behind it and why it fails.
        tolerance: relative; whole-number answers are compared exactly.
    """
    guess, answer = _plain(guess), _plain(answer)
    shown = _text(answer)
    if _is_blank(guess):
        text = f"the answer is {shown}. Next time put {_blank_filler(answer)} in place of the dots"
        return Comparison(None, "No guess yet", f"{text} before you run this.")
    if _agree(guess, answer, tolerance):
        return Comparison(True, "✓ Right", f"the answer is {shown}.")
    verdict = "✗ Not this time"
    text = f"you said {_text(guess)}, and the answer is {shown}."
    for wrong, thinking in (because or {}).items():
        if _agree(guess, _plain(wrong), tolerance):
            return Comparison(False, verdict, f"{text} {thinking}")
    return Comparison(False, verdict, f"{text} {_hint(guess, answer, tolerance)}".strip())


def _plain(value: Any) -> Any:
    """Return a tensor as an array, a shape as a tuple, a one-word object as its word."""
    if value is None or value is ... or isinstance(value, bool | int | float | np.ndarray):
        return value
    if isinstance(value, str):
        return value.strip()
    if hasattr(value, "as_list") and hasattr(value, "rank"):
        return tuple(value.as_list()) if value.rank is not None else None
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, list | tuple):
        items = [_plain(item) for item in value]
        return items if isinstance(value, list) else tuple(items)
    if hasattr(value, "__array__"):
        array = np.asarray(value)
        if array.dtype.kind in "SUO" and array.ndim == 0:
            item = array.item()
            return item.decode(errors="replace") if isinstance(item, bytes) else str(item)
        return bool(array) if array.dtype == bool and array.ndim == 0 else array
    name = getattr(value, "__name__", None) or getattr(value, "name", None)
    return name if isinstance(name, str) else value


def _is_blank(guess: Any) -> bool:
    if isinstance(guess, list | tuple):
        return any(_is_blank(item) for item in guess)
    return guess is ... or (isinstance(guess, str) and guess.strip(".… ") == "")


def _agree(guess: Any, answer: Any, tolerance: float) -> bool:
    guess, answer = (NOT_FINITE.get(_word(value) or "", value) for value in (guess, answer))
    word, other = _word(guess), _word(answer)
    if word is not None or other is not None:
        return word == other
    left, right = _numbers(guess), _numbers(answer)
    if left is None or right is None:
        return left is None and right is None and _same_items(guess, answer, tolerance)
    if left.shape != right.shape and left.size != 1:
        return False
    if left.size == 1 and right.size == 0:
        return False
    left = left.reshape(()) if left.size == 1 else left
    if right.dtype.kind in "iu":
        return bool((left == right).all())
    return bool(np.isclose(left, right, rtol=tolerance, atol=1e-7, equal_nan=True).all())


def _same_items(guess: Any, answer: Any, tolerance: float) -> bool:
    """Compare lists and tuples item by item: shapes with None in them, lists of words."""
    if isinstance(guess, list | tuple) and isinstance(answer, list | tuple):
        return len(guess) == len(answer) and all(
            _agree(mine, theirs, tolerance) for mine, theirs in zip(guess, answer, strict=True)
        )
    if isinstance(guess, np.ndarray) or isinstance(answer, np.ndarray):  # of bools, say
        return _same_arrays(guess, answer)
    return type(guess) is type(answer) and _equal(guess, answer)


def _same_arrays(guess: Any, answer: Any) -> bool:
    try:
        return np.array_equal(np.asarray(guess), np.asarray(answer))
    except (TypeError, ValueError):
        return False


def _equal(guess: Any, answer: Any) -> bool:
    """Tell whether two objects are equal; those that cannot be compared are not."""
    try:
        return bool(guess == answer)
    except (TypeError, ValueError):
        return False


def _word(value: Any) -> str | None:
    """Return text, None or a bool as one word, so that 'none' is None and 'yes' is True."""
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    if isinstance(value, str):
        word = value.casefold().rstrip(".!")
        return {"true": "yes", "false": "no"}.get(word, word)
    return None


def _numbers(value: Any) -> Array | None:
    """Return a value as an array of numbers, or None if it is none."""
    if isinstance(value, bool | str) or value is None:
        return None
    try:
        array = np.asarray(value)
    except ValueError:
        return None
    return array if array.dtype.kind in "iuf" else None


def _hint(guess: Any, answer: Any, tolerance: float) -> str:
    """Return what a stranger can tell from the two values, or nothing."""
    mine, theirs = _numbers(guess), _numbers(answer)
    if theirs is not None and isinstance(guess, bool) and _agree(int(guess), answer, tolerance):
        return "The right value as another type: the answer is a number, yours is a bool."
    if isinstance(answer, bool) and mine is not None and mine.size == 1 and mine == answer:
        return "The right value as another type: the answer is a bool, yours is a number."
    if isinstance(guess, str) and theirs is not None:
        try:
            close = _agree(float(guess), answer, tolerance)
        except ValueError:
            return "The answer is a number, and your guess is text."
        return "The right value, but as text: leave out the quotation marks." if close else ""
    if answer is None:
        return "None means that there is no gradient at all, which is not the same as zero."
    if mine is None or theirs is None:
        return _types(guess, answer)
    if mine.shape != theirs.shape and mine.size != 1:
        if mine.ndim == 2 and mine.T.shape == theirs.shape and _agree(mine.T, theirs, tolerance):
            return "Yours is its transpose: rows and columns have changed places."
        same = mine.size == theirs.size and _agree(mine.ravel(), theirs.ravel(), tolerance)
        values = "The right values in another shape" if same else "The shapes differ too"
        return f"{values}: the answer has the shape {theirs.shape}, yours {mine.shape}."
    mine = mine.reshape(()) if mine.size == 1 else mine
    if mine.ndim == 1 and mine.size > 1 and np.array_equal(np.sort(mine), np.sort(theirs)):
        return "The right numbers in another order."
    if mine.ndim == 2 and mine.shape == theirs.T.shape and _agree(mine.T, theirs, tolerance):
        return "Yours is its transpose: rows and columns have changed places."
    for factor, words in {
        -1: "The size is right, the sign is not.",
        2: "Yours is half of it: a factor 2 is missing.",
        0.5: "Yours is twice as much: there is a factor 2 too many.",
    }.items():
        if theirs.any() and _agree(mine * float(factor), theirs.astype(float), tolerance):
            return words
    return ""


def _types(guess: Any, answer: Any) -> str:
    mine, theirs = _kind(guess), _kind(answer)
    if not mine or not theirs or mine == theirs:
        return ""
    return f"The answer is {theirs}, and your guess is {mine}."


def _kind(value: Any) -> str:
    """Return what sort of value a learner would call it, or '' for something out of the way."""
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool):
        return "True or False"
    if isinstance(value, tuple):
        return "a tuple"
    numbers = _numbers(value)
    if numbers is not None:
        return "a number" if numbers.ndim == 0 else "an array"
    return f"a {type(value).__name__}" if isinstance(value, dict | list | set | complex) else ""


def _blank_filler(answer: Any) -> str:
    """Return what the learner should write: 'your number', 'your word', 'your shape'."""
    if answer is None:
        return "your guess (a number or None)"
    if isinstance(answer, bool):
        return "True or False"
    return {"text": "your word", "a tuple": "your tuple", "a number": "your number"}.get(
        _kind(answer), "your guess"
    )


def _text(value: Any) -> str:
    """Return a value as a learner would write it; equal values of an array are said once."""
    array = _numbers(value)
    if array is None or isinstance(value, tuple):
        if isinstance(value, tuple):
            return f"({', '.join(map(_text, value))}{',' if len(value) == 1 else ''})"
        text = str(value)
        return text if "\n" not in text else f"of the type {type(value).__name__}"
    if array.ndim == 0:
        return _number_text(array.item())
    if array.size > 1 and np.isclose(array, array.flat[0], rtol=1e-6, equal_nan=True).all():
        words = NUMBER_WORDS[array.size] if array.size < len(NUMBER_WORDS) else f"{array.size:,}"
        places = "both places" if array.size == 2 else f"all {words} places"
        return f"{_number_text(array.flat[0].item())} in {places}"
    if array.size > MOST_PRINTED:
        return f"an array of shape {array.shape}"
    return _nested(array.tolist())


def _nested(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_nested(item) for item in value)}]"
    return _number_text(value)


def _number_text(number: float) -> str:
    if isinstance(number, int):
        return str(number)
    if not math.isfinite(number):
        return "nan (not a number)" if math.isnan(number) else f"{number} (infinity)"
    text = f"{number:.6g}"
    return text if set(text) & set(".e") else f"{text}.0"
