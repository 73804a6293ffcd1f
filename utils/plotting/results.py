"""Pictures of results: learning curves, descents, a confusion matrix, values as bars."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from itertools import count as count_up
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from utils.errors import CourseError
from utils.parameters import shown
from utils.plotting.arguments import (
    MOST_ROWS,
    NO_NUMBERS,
    check_lengths,
    check_room,
    class_numbers,
    floats,
)
from utils.plotting.figures import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PINK,
    SKY,
    VERMILION,
    WIDTH,
    count,
    finish,
    new_figure,
    only_names,
    short_number,
    styled,
)

History = Mapping[str, Sequence[float]]
COLOURS = (BLUE, VERMILION, GREEN, PINK, ORANGE, SKY)
MARKERS = "o^vDPX"
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)))


@styled
def plot_learning_curves(history: Any) -> Figure:
    """Plot loss and accuracy after each epoch, training beside validation.

    A curve that runs under another one is drawn broad and pale, so that both are seen.

    Args:
        history: what ``model.fit`` returns, or a dict of lists with any of the keys loss,
            accuracy, val_loss, val_accuracy; or several of these: ``{"name": history}``.

    Raises:
        CourseError: there is nothing to plot.
    """
    runs = _runs(history)
    measures = [
        name for name in ("loss", "accuracy") if any(_curves(run, name) for run in runs.values())
    ]
    if not measures:
        raise CourseError(
            "plot_learning_curves found none of the keys loss, accuracy, val_loss, val_accuracy: "
            "pass what model.fit returned, or a dict with such lists."
        )
    validated = any("validation" in _curves(r, m) for r in runs.values() for m in measures)
    figure = new_figure(WIDTH, 282 + 18 * len(runs))
    panels = figure.subplots(1, len(measures), squeeze=False)[0]
    for axes, measure in zip(panels, measures, strict=True):
        curves = [_curves(run, measure) for run in runs.values()]
        for i, (colour, marker, name) in enumerate(
            zip(cycle(COLOURS), cycle(MARKERS), runs, strict=False)
        ):
            for kind, values in curves[i].items():
                later = [curve[kind] for curve in curves[i + 1 :] if kind in curve]
                broad = any(_covers(other, values) for other in later)
                axes.plot(
                    range(1, len(values) + 1),
                    values,
                    color=colour if kind == "training" or len(runs) > 1 else VERMILION,
                    linestyle="-" if kind == "training" else "--",
                    marker=marker if kind == "training" else "s",
                    markerfacecolor=None if kind == "training" else "white",
                    label=f"{name}, {kind}" if name and validated else name or kind,
                    markevery=max(1, len(values) // 10),
                    **({"linewidth": 6, "markersize": 10, "alpha": 0.45} if broad else {}),
                )
        axes.set_title(measure)
        axes.grid(True)
        axes.set_xlabel("epoch")
        axes.set_xticks(_epochs(max(len(v) for each in curves for v in each.values())))
        if axes.dataLim.width == 0:
            axes.set_xlim(0, 2)
        axes.margins(y=0.08)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2 if len(runs) > 1 else 4)
    return finish(figure, _learning_curves_alt(runs, measures), shows_data=True)


def _epochs(last: int) -> list[int]:
    """Return the epochs that an axis names: the first, and round numbers up to the last."""
    steps = (digit * 10**zeros for zeros in count_up() for digit in (1, 2, 5))
    step = next(each for each in steps if last / each <= 7)
    return [1, *(epoch for epoch in range(step, last + 1, step) if epoch > 1)]


@styled
def plot_descents(losses: Mapping[str, Sequence[float]], *, title: str = "") -> Figure:
    """Plot how several losses fall, step by step from the start, on a logarithmic axis.

    Args:
        losses: for each name the loss at the start and after each step, all above 0.

    Raises:
        CourseError: there is nothing to plot, or a loss is not above 0.
    """
    needed = "plot_descents needs for each name a list of losses: {'SGD': [3, 2]}."
    if not isinstance(losses, Mapping):
        raise CourseError(needed)
    runs = {str(name): floats(values, needed) for name, values in losses.items()}
    if not runs or not all(values.ndim == 1 and len(values) for values in runs.values()):
        raise CourseError(needed)
    check_room("plot_descents", len(runs), MOST_ROWS, "descents")
    if low := [name for name, values in runs.items() if not (values > 0).all()]:
        raise CourseError(f"plot_descents has room for losses above 0, and {low[0]!r} has others.")
    figure = new_figure(WIDTH, 360 + 9 * len(runs))
    axes = figure.add_subplot()
    axes.grid(True)
    for colour, line, marker, (name, values) in zip(
        cycle(COLOURS), cycle(LINES), cycle(MARKERS), runs.items(), strict=False
    ):
        every = max(1, len(values) // 5)
        axes.semilogy(values, color=colour, linestyle=line, marker=marker, markevery=every)
        axes.lines[-1].set(label=name, markersize=6, markeredgecolor="white", markeredgewidth=0.6)
    axes.set_xlabel("step")
    axes.set_ylabel("loss (logarithmic)")
    axes.margins(x=0.02)
    figure.legend(loc="outside lower center", ncols=2, handlelength=4)
    steps = max(map(len, runs.values())) - 1
    parts = [f"{name} {_course(list(values), lowest=False)}" for name, values in runs.items()]
    alt = f"{title or 'Descents'}: the loss over {count(steps, 'step')}; {'; '.join(parts)}."
    return finish(figure, alt, title=title)


@styled
def plot_confusion_matrix(
    labels: ArrayLike, predicted: ArrayLike, class_names: Sequence[str]
) -> Figure:
    """Plot how many images of each class (row) were taken for each class (column).

    Args:
        labels, predicted: (n,), class numbers from 0.

    Raises:
        CourseError: the two differ in length, or hold something other than class numbers.
    """
    where = "plot_confusion_matrix"
    check_room(where, len(class_names), MOST_ROWS, "classes")
    truths = class_numbers(labels, class_names, where)
    guesses = class_numbers(predicted, class_names, where)
    check_lengths(where, truths, predicted=guesses)
    classes = len(class_names)
    table = np.zeros((classes, classes), dtype=int)
    np.add.at(table, (truths, guesses), 1)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    figure = new_figure(WIDTH, 190 + 36 * classes)
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(classes, classes):
        if table[row, column]:
            axes.text(
                column,
                row,
                f"{table[row, column]:,}",
                ha="center",
                va="center",
                fontsize=8,
                color="white" if shares[row, column] > 0.5 else INK,
                weight="bold" if row == column else "normal",
            )
    axes.set_xticks(range(classes), class_names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(classes), class_names)
    axes.tick_params(length=0)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    right = int(np.trace(table))
    title = f"{right:,} of {len(truths):,} images are right, {right / len(truths):.1%}"
    wrong = table.copy()
    np.fill_diagonal(wrong, 0)
    row, column = divmod(int(wrong.argmax()), classes)
    worst = (
        f"the most frequent mistake is {class_names[row]} taken for {class_names[column]}, "
        f"{count(wrong[row, column], 'time')}"
    )
    alt = f"Confusion matrix: {title}; {worst if wrong.any() else 'there is no mistake'}."
    return finish(figure, alt, title=title, shows_data=True)


@styled
def plot_bars(values: Mapping[str, float], *, unit: str = "", title: str = "") -> Figure:
    """Plot named values as horizontal bars, each with its value in three figures.

    Raises:
        CourseError: there is no value, or one is no finite number.
    """
    if not isinstance(values, Mapping) or not values:
        raise CourseError("plot_bars needs at least one value with its name, as in {'fit': 4.5}.")
    check_room("plot_bars", len(values), MOST_ROWS, "bars")
    numbers = {str(name): _number(value, name) for name, value in values.items()}
    names = [textwrap.fill(name, 24) for name in numbers]
    written = [
        f"{short_number(float(f'{value:.3g}'))} {unit}".rstrip() for value in numbers.values()
    ]
    figure = new_figure(WIDTH, 50 + 34 * len(numbers))
    axes = figure.add_subplot()
    bars = axes.barh(range(len(names)), list(numbers.values()), color=BLUE, height=0.62)
    axes.set_yticks(range(len(names)), names)
    axes.bar_label(bars, labels=written, padding=4, fontsize=9)
    low, high = min(0.0, *numbers.values()), max(0.0, *numbers.values())
    # The values stand beyond the ends of the bars: about 7 pixels a letter of some 420.
    share = min(0.8, max(map(len, written)) * 7 / 420)
    room = share / (1 - share) * (high - low or 1)
    axes.set_xlim(low - room if low < 0 else 0, high + room)
    axes.invert_yaxis()
    axes.axvline(0, color=GREY, linewidth=0.8)
    only_names(axes)
    listed = "; ".join(f"{name} {text}" for name, text in zip(numbers, written, strict=True))
    return finish(figure, f"{title or 'Bars'}: {listed}.", title=title, shows_data=True)


def _runs(history: Any) -> dict[str, History]:
    """Return named histories as dicts of lists; a single one has the name ''."""
    history = getattr(history, "history", history)
    if not isinstance(history, Mapping):
        raise CourseError(
            f"plot_learning_curves needs what model.fit returned or a dict of lists, "
            f"not a {type(history).__name__}."
        )
    runs: dict[str, Any] = {
        str(name): getattr(run, "history", run) for name, run in history.items()
    }
    several = runs and all(isinstance(run, Mapping) for run in runs.values())
    return runs if several else {"": history}


def _curves(run: History, measure: str) -> dict[str, list[float]]:
    named = {"training": run.get(measure), "validation": run.get(f"val_{measure}")}
    needed = f"plot_learning_curves needs lists of numbers, and {measure} is none."
    return {
        kind: np.ravel(floats(values, needed)).tolist()
        for kind, values in named.items()
        if values is not None and np.size(floats(values, needed))
    }


def _covers(later: Sequence[float], earlier: Sequence[float]) -> bool:
    """Tell whether a curve lies so close on another that it hides it."""
    reach = 0.02 * (max(earlier) - min(earlier) or 1)
    return len(later) == len(earlier) and bool(np.allclose(later, earlier, rtol=0, atol=reach))


def _learning_curves_alt(runs: Mapping[str, History], measures: Sequence[str]) -> str:
    parts, epochs = [], 0
    for name, run in runs.items():
        for measure in measures:
            for kind, values in _curves(run, measure).items():
                epochs = max(epochs, len(values))
                what = f"{name + ', ' if name else ''}{kind} {measure}"
                parts.append(f"{what} {_course(values, lowest=measure == 'loss')}")
    return f"Learning curves over {count(epochs, 'epoch')}: {'; '.join(parts)}."


def _course(values: Sequence[float], *, lowest: bool) -> str:
    """Return how a curve runs; of a loss also its lowest value, if that is not at an end."""
    first, last = values[0], values[-1]
    if len(values) == 1:
        return f"is {first:.3g}"
    if first == last:
        course = f"starts and ends at {first:.3g}"
    else:
        change = "rises" if last > first else "falls" if last < first else "goes"
        course = f"{change} from {first:.3g} to {last:.3g}"
    least = min(values)
    if lowest and least < min(first, last):
        course += f" (lowest {least:.3g} in epoch {values.index(least) + 1})"
    return course


def _number(value: Any, name: object) -> float:
    try:
        number = float(value)
    except NO_NUMBERS:
        number = math.nan
    if not math.isfinite(number):
        raise CourseError(
            f"plot_bars needs a finite number for {shown(str(name))} and got {shown(value)}."
        )
    return number
