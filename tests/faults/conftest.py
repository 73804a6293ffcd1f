"""A place of their own for kernels whose parents are made to fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from warm_kernels import meeting_place


@pytest.fixture
def place(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A meeting folder without parents; they end when it goes."""
    folder = meeting_place(monkeypatch, tmp_path_factory.mktemp("m"))
    yield folder
    for path in folder.glob("*.sock"):
        path.unlink()
