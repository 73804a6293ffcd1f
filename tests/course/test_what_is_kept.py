"""What tells whether a learner's cells have changed what all answers rely on."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import keras
import pytest

from course.grading import notebook


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook, "get_ipython", lambda: SimpleNamespace(user_ns={"keras": keras}))
    monkeypatch.setattr(notebook, "_kept", {})
    notebook.keep()


def layer_of_ones_own(name: str) -> type:
    return type(name, (keras.layers.Dense,), {"call": lambda self, inputs: inputs})


@pytest.mark.parametrize("name", ["Day", "Dense", "Dropout"])
def test_layers_of_ones_own_change_nothing(name: str) -> None:
    layers = [layer_of_ones_own(name) for _ in range(2)]
    assert notebook.is_as_kept()
    del layers


@pytest.mark.parametrize(
    "place, name", [(keras.layers.Dense, "call"), (keras.losses.Loss, "__call__"), (keras, "Model")]
)
def test_a_patch_of_the_library_is_noticed(
    place: object, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, name, _anything)
    assert not notebook.is_as_kept()


def _anything(*_: object) -> Callable[..., object]:
    return _anything


@pytest.mark.parametrize(("more", "is_kept"), [(notebook.MUCH, True), (notebook.MUCH + 1, False)])
def test_much_memory_that_a_cell_holds_is_noticed(
    more: int, is_kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = SimpleNamespace(rss=notebook._kept["memory"] + more)
    process = SimpleNamespace(memory_info=lambda: memory)
    monkeypatch.setattr(notebook.psutil, "Process", lambda: process)
    assert notebook.is_as_kept() == is_kept
