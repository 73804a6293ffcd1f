"""All collected answers, right and wrong, judged from another process."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "problems"))

from apart import handed_over, key, learners_process
from collected import ANSWERS

from utils.checks import check

pytestmark = pytest.mark.timeout(1800)


def test_every_verdict_from_apart_is_that_of_the_learners_own_check() -> None:
    different = []
    with learners_process() as remote:
        for answer in ANSWERS:
            apart = check(answer.number, *handed_over(answer, remote))
            own = check(answer.number, *answer.make())
            if (apart.diagnosis, apart.points) != (own.diagnosis, own.points):
                different.append(f"{key(answer)}: {own} / {apart}")
    print(f"{len(ANSWERS)} answers, {len(different)} judged differently")
    assert different == []
