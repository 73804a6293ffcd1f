"""Twenty kills at random instants of batches: of driver, worker, kernel and their parents."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from batch_runs import VICTIMS, survive_a_kill

pytestmark = pytest.mark.timeout(3600)


@pytest.mark.parametrize("number", range(20))
def test_a_kill_loses_nothing(number: int, tmp_path: Path) -> None:
    survive_a_kill(tmp_path, list(VICTIMS)[number % len(VICTIMS)], random.Random(number))
