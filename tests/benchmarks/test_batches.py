"""The benchmark of batches runs what it says it measures."""

from __future__ import annotations

from . import batches


def test_every_contender_makes_the_runs() -> None:
    for name in ("papermill in a shell loop", "two threads, fresh kernels"):
        command, _ = batches.CONTENDERS[name]
        assert batches.measure(command, 1) > 0.5
    assert batches.measure(batches.ours(1), 1) > 0.5
