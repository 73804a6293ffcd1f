"""A judge that never runs a learner's code comes to the verdict of the learner's own check."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from apart import handed_over, key, learners_process
from collected import ANSWERS, Answer

from utils.checks import check

EACH = 2  # answers of each problem and kind; `make soak` takes them all


def some_of_each(count: int) -> list[Answer]:
    taken: dict[tuple[str, bool], list[Answer]] = defaultdict(list)
    for answer in ANSWERS:
        kind = taken[answer.number, answer.diagnosis == "right"]
        if len(kind) < count:
            kind.append(answer)
    return [answer for kind in taken.values() for answer in kind]


@pytest.fixture(scope="module")
def remote() -> Iterator[Any]:
    with learners_process() as found:
        yield found


@pytest.mark.parametrize("answer", some_of_each(EACH), ids=key)
def test_the_verdict_from_apart_is_that_of_the_learners_own_check(
    answer: Answer, remote: Any
) -> None:
    verdict = check(answer.number, *handed_over(answer, remote))
    assert verdict.diagnosis == answer.diagnosis, str(verdict)
    earned = verdict.of if answer.diagnosis == "right" else answer.points
    assert verdict.points == pytest.approx(earned), str(verdict)
