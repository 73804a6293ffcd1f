"""A judge that never runs a learner's code comes to the verdict of the learner's own check."""

from __future__ import annotations

import re
import types
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import keras
import pytest
from apart import handed_over, key, learners_process
from collected import ANSWERS, Answer

from course.grading import remote as remote_module
from course.grading.job import WITHOUT_REFERENCES
from utils.checks import check
from utils.problems.sequential_models import _sample_model

EACH = 2  # answers of each problem and kind; `make soak` takes them all

# What of ours may travel to a learner within something else: functions to differentiate or to
# measure, parts of models, an exception.
HARMLESS = {
    *("parabola", "sine_of_square", "growth", "hills", "ripple", "bowl", "squares", "plane"),
    *("Day", "HalfOff", "TooManyEpochs"),
}


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


@pytest.fixture
def carried(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names of our functions and classes that are pickled, but for those handed over as such."""
    names: set[str] = set()
    handed: list[Any] = []

    class Pickler(remote_module._Pickler):
        def dump(self, value: Any) -> None:
            arguments, named = value if isinstance(value, tuple) else ([], {})
            handed[:] = [*arguments, *named.values()]
            super().dump(value)

        def reducer_override(self, thing: Any) -> Any:
            module = str(getattr(thing, "__module__", ""))
            if (
                isinstance(thing, types.FunctionType | type)
                and module.startswith(remote_module.OWN_MODULES)
                and module.rpartition(".")[2] not in WITHOUT_REFERENCES
                and not any(thing is each for each in handed)
            ):
                names.add(thing.__qualname__)
            return super().reducer_override(thing)

    monkeypatch.setattr(remote_module, "_Pickler", Pickler)
    return names


@pytest.mark.parametrize("answer", some_of_each(EACH), ids=key)
def test_the_verdict_from_apart_is_that_of_the_learners_own_check(
    answer: Answer, remote: Any, carried: set[str]
) -> None:
    verdict = check(answer.number, *handed_over(answer, remote))
    assert verdict.diagnosis == answer.diagnosis, str(verdict)
    earned = verdict.of if answer.diagnosis == "right" else answer.points
    assert verdict.points == pytest.approx(earned), str(verdict)
    references = {name for name in carried if name.partition(".")[0] not in HARMLESS}
    assert references == set(), "it is sent along with an input: see `carried`"


def test_what_is_called_with_too_many_inputs_is_shown_no_line_of_the_graders(remote: Any) -> None:
    [answer] = [each for each in ANSWERS if each.name == "takes_one_input"]
    said = str(check(answer.number, *handed_over(answer, remote)))
    assert "1 positional argument" in said and "in line" not in said


def test_no_layer_that_a_learner_adds_to_a_given_model_has_a_name_that_is_taken() -> None:
    model = _sample_model(2, [3, 3], seed=1)
    layers = [keras.layers.Dense(3) for _ in range(3)]
    assert not any(re.fullmatch(r"dense(_\d+)?", each.name) for each in model.layers)
    assert all(re.fullmatch(r"dense(_\d+)?", each.name) for each in layers)
