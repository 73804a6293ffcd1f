"""Fashion-MNIST in the memory of a parent of warm kernels, read while that imports."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from course.kernels import reading
from utils.data import MEMORY

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux alone")


@pytest.fixture(autouse=True)
def nothing_read(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No data in memory, neither before nor after."""
    monkeypatch.delitem(sys.modules, MEMORY, raising=False)
    monkeypatch.setattr(reading, "LATE", 60.0)
    yield
    sys.modules.pop(MEMORY, None)


def contents() -> dict[str, bytes]:
    """Return what has been read, by the key of each file."""
    module = vars(sys.modules.get(MEMORY, object))
    return {key: value for key, value in module.items() if isinstance(value, bytes)}


def test_what_is_read_in_another_process_is_what_is_read_here() -> None:
    cache = os.environ.get("KERAS_HOME")
    files = list(Path(cache or "~/.keras").expanduser().glob("datasets/fashion-mnist/*.gz"))
    reading.read_aside(cache)()
    there = contents()
    assert len(there) == len(files)
    del sys.modules[MEMORY]
    reading.read_beforehand(cache)
    assert contents() == there


def test_where_nothing_can_be_read_nothing_is_taken_over(tmp_path: Path) -> None:
    folder = tmp_path / "datasets" / "fashion-mnist"
    folder.mkdir(parents=True)
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(b"damaged")
    reading.read_aside(str(tmp_path))()
    assert contents() == {}


def test_reading_that_takes_too_long_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "datasets" / "fashion-mnist"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "train-labels-idx1-ubyte.gz")  # which nobody writes to
    monkeypatch.setattr(reading, "LATE", 0.2)
    before = psutil.Process().children()
    reading.read_aside(str(tmp_path))()
    assert contents() == {}
    assert psutil.Process().children() == before
