"""What a batch says about its parameters: which setting is best, how sure that is, what failed."""

from __future__ import annotations

import math
import re
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from course.batch.plan import Planned, in_words
from course.report import number
from course.workers.journal import Record

LOWER_IS_BETTER = re.compile(r"loss|error|difference|seconds|time")
# 97.5 % of Student's t lie below these, for 1, 2, ... degrees of freedom; then about 2.
STUDENT = [
    *(12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23),
    *(2.20, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.10, 2.09, 2.09),
    *(2.08, 2.07, 2.07, 2.06, 2.06, 2.06, 2.05, 2.05, 2.05, 2.04),
]


class Setting(NamedTuple):
    """One choice of the parameters other than the seed, and a metric of its runs."""

    words: str
    values: list[float]

    @property
    def mean(self) -> float:
        """The mean over its runs."""
        return statistics.fmean(self.values)

    @property
    def spread(self) -> float | None:
        """The standard deviation over its runs; None for a single one."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None


class Trouble(NamedTuple):
    """Runs that failed in the same place for the same reason."""

    failure: Mapping[str, Any]
    status: str
    runs: list[Planned]


def metric_names(records: Iterable[Record]) -> list[str]:
    """Return the metrics that are single numbers, the most telling first."""
    names = dict.fromkeys(
        name for record in records for name, value in record["metrics"].items() if _is_number(value)
    )
    return sorted(names, key=lambda name: ("test" not in name, "accuracy" not in name))


def _is_number(value: Any) -> bool:
    """Tell whether a metric is one number, and one that a float can hold."""
    return isinstance(value, float) or (isinstance(value, int) and abs(value) <= sys.float_info.max)


def lower_is_better(metric: str) -> bool:
    """Tell from a metric's name whether small values are wanted."""
    return bool(LOWER_IS_BETTER.search(metric))


def settings(
    planned: Sequence[Planned], records: Mapping[str, Record], metric: str
) -> list[Setting]:
    """Return the settings of one lesson's runs that ended well, the best by their mean first."""
    values: dict[str, list[float]] = {}
    good = ended_well(planned, records)
    names = varied(good)
    for each in good:
        value = records[each.key]["metrics"].get(metric)
        if _is_number(value):
            values.setdefault(setting_of(each, names), []).append(float(value))
    found = [Setting(words, numbers) for words, numbers in values.items()]
    return sorted(found, key=lambda each: each.mean, reverse=not lower_is_better(metric))


def ended_well(planned: Sequence[Planned], records: Mapping[str, Record]) -> list[Planned]:
    """Return the runs whose last cell ran."""
    return [each for each in planned if each.key in records and records[each.key]["status"] == "ok"]


def varied(planned: Sequence[Planned]) -> list[str]:
    """Return the parameters, but for the seed, of which these runs have several values."""
    names = dict.fromkeys(name for each in planned for name in each.label if name != "seed")
    return [name for name in names if len({repr(each.label.get(name)) for each in planned}) > 1]


def setting_of(planned: Planned, names: Sequence[str]) -> str:
    """Return a run's values of these parameters in words."""
    return in_words({name: planned.label[name] for name in names if name in planned.label})


def verdict(ranked: Sequence[Setting], metric: str) -> str:
    """Say which setting is best and how sure that is, in a few sentences."""
    name = metric.replace("_", " ")
    if not ranked:
        return f"No run reported a {name}."
    best = ranked[0]
    if len(ranked) == 1:
        what = f"In the runs that ended well the {name} was {_measured(best)}."
        return what if best.words == "" else f"Only {best.words} ended well. {what}"
    second = ranked[1]
    text = f"{best.words} has the {'lowest' if lower_is_better(metric) else 'highest'} {name}: "
    text += f"{_measured(best)}. Next is {second.words} with {_measured(second)}. "
    if best.mean == second.mean:
        return text + "They are equal."
    if best.spread is None or second.spread is None:
        return text + (
            "With one run of a setting nobody can say whether that is more than chance: name"
            " several seeds, as in `seeds: [1, 2, 3]`."
        )
    low, high = difference_interval(best.values, second.values)
    shown = f"{abs(best.mean - second.mean):.2g}"
    ends = sorted((abs(low), abs(high)))
    if low > 0 or high < 0:
        text += (
            f"The difference of {shown} is more than seeds explain (its 95% interval is"
            f" {ends[0]:.2g} to {ends[1]:.2g})."
        )
    else:
        text += (
            f"The difference of {shown} may be chance: its 95% interval, {low:.2g} to"
            f" {high:.2g}, includes 0. More seeds would tell."
        )
    if len(ranked) > 2:
        text += f" (The best of {len(ranked)} settings always looks a little better than it is.)"
    return text


def difference_interval(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of the difference of two means, after Welch.

    Each needs at least two values.
    """
    errors = [statistics.variance(values) / len(values) for values in (first, second)]
    difference = statistics.fmean(first) - statistics.fmean(second)
    total = sum(errors)
    if total == 0:
        return difference, difference
    freedom = total**2 / sum(
        error**2 / (len(values) - 1) for error, values in zip(errors, (first, second), strict=True)
    )
    index = max(0, math.floor(freedom) - 1)
    reach = (STUDENT[index] if index < len(STUDENT) else 2.0) * math.sqrt(total)
    return difference - reach, difference + reach


def troubles(planned: Sequence[Planned], records: Mapping[str, Record]) -> list[Trouble]:
    """Return the failures, those that hit most runs first."""
    found: dict[Any, Trouble] = {}
    for each in planned:
        record = records.get(each.key)
        if record is None or not record["failure"]:
            continue
        failure = record["failure"]
        place = (record["status"], *(failure[name] for name in ("lesson", "cell_id", "error")))
        found.setdefault(place, Trouble(failure, record["status"], [])).runs.append(each)
    return sorted(found.values(), key=lambda trouble: -len(trouble.runs))


def common_cause(trouble: Trouble, planned: Sequence[Planned]) -> str:
    """Name the value of a parameter that all these runs and no other run of the lesson have."""
    lesson = trouble.runs[0].run.lesson
    hit = {each.key for each in trouble.runs}
    others = [each for each in planned if each.run.lesson == lesson and each.key not in hit]
    for name, value in trouble.runs[0].label.items():
        if others and all(each.label.get(name) == value for each in trouble.runs):
            if not any(each.label.get(name) == value for each in others):
                return f"Every run with {in_words({name: value})} failed here, and no other did."
    return ""


def _measured(setting: Setting) -> str:
    count = len(setting.values)
    if setting.spread is None:
        return f"{number(setting.mean)} (one run)"
    low, high = min(setting.values), max(setting.values)
    return (
        f"{number(setting.mean)} (mean of {count} runs, from {number(low)} to {number(high)},"
        f" standard deviation {setting.spread:.2g})"
    )
