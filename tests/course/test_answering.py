"""What the learner's process says of large values, and what the judge takes for them."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow as tf

from course.grading.answering import Answering
from course.grading.remote import Remote, raised_there

LARGE = 40_000_000
SLICES = tf.IndexedSlices(tf.ones((1, 3)), tf.constant([0]), tf.constant([LARGE, 3]))


@pytest.mark.parametrize("value", [range(LARGE), SLICES], ids=["range", "slices"])
def test_what_is_large_in_few_words_is_told_as_its_kind_alone(value: Any) -> None:
    answering = Answering(None, {})  # type: ignore[arg-type]
    assert answering.describe(value)["is"] == "thing"


def test_what_is_small_is_told_and_understood() -> None:
    answering, remote = Answering(None, {}), Remote(None)  # type: ignore[arg-type]
    slices = tf.IndexedSlices(tf.ones((1, 3)), tf.constant([0]), tf.constant([5, 3]))
    assert remote.value(answering.describe(range(5))) == range(5)
    assert tf.convert_to_tensor(remote.value(answering.describe(slices))).shape == (5, 3)


def number(value: int) -> dict[str, str]:
    return {"is": "int", "text": str(value)}


@pytest.mark.parametrize(
    "said",
    [
        {"is": "range", "parts": [0, LARGE, 1]},
        {"is": "slices", "parts": [None, None, {"is": "list", "items": [number(LARGE)]}]},
    ],
    ids=["range", "slices"],
)
def test_the_judge_does_not_take_large_things_in_few_words(said: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="numbers in a few words"):
        Remote(None).value(said)  # type: ignore[arg-type]


@pytest.mark.parametrize(("place", "kept"), [(3, 3), (10**300, None), (0, None), (True, None)])
def test_a_line_that_no_cell_has_is_no_line(place: Any, kept: int | None) -> None:
    said = {"classes": ["ValueError"], "said": "no", "place": place, "line": "f(x)"}
    assert raised_there(said).learners_line == (kept, "f(x)")  # type: ignore[attr-defined]
