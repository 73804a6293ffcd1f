"""The training benchmark runs and measures what the lesson holds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from . import training


@pytest.mark.parametrize("data", ["as it is", "stand-in"])
def test_the_benchmark_trains_the_lessons_own_cells(
    data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if data == "stand-in":
        monkeypatch.setenv("COURSE_DATA", data)
    names = [training.LESSON, training.PRODUCTS]
    measured = training.measure(dict.fromkeys(names, sys.executable), 2, train_size=2_000)
    assert all(len(row.seconds) == 2 for row in measured.values())
    accuracy = measured[training.LESSON].accuracy
    assert accuracy is not None and accuracy > 0.5
    assert measured[training.PRODUCTS].accuracy is None


def test_a_framework_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "_has", lambda python, package: package != "jax")
    rows, missing = training.choose(sys.executable)
    assert missing == ["JAX scan", "JAX scan, images as bytes"] and training.LESSON in rows


def test_a_contender_that_dies_says_why(tmp_path: Path) -> None:
    with (
        training._contender(sys.executable, "fit", str(tmp_path)) as process,
        pytest.raises(RuntimeError, match="fit stopped"),
    ):
        training._ask(process, "epoch")
