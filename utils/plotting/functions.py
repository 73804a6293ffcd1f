"""Pictures of functions: a curve with tangents, a loss surface with a descent, a Jacobian."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from numpy.typing import ArrayLike

from utils.errors import CourseError
from utils.parameters import shown
from utils.plotting.arguments import Array, finite_numbers, floats
from utils.plotting.figures import (
    BLUE,
    INK,
    SILVER,
    VERMILION,
    WIDTH,
    count,
    finish,
    new_figure,
    short_number,
    styled,
    words,
)

Function = Callable[[Array], Any]
FARTHEST = 1e30  # from zero; a float32 ends at 3e38
LABEL = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}


@styled
def plot_function(
    f: Function,
    derivative: Function | None = None,
    *,
    interval: tuple[float, float] = (-3, 3),
    tangents_at: Sequence[float] = (),
    title: str = "",
    name: str = "f(x)",
    variable: str = "x",
) -> Figure:
    """Plot a function, its derivative (dashed) and its tangents with their slopes.

    Args:
        f, derivative: take a float32 array (n,) and return as many values, an array or a tensor.
        tangents_at: the places of the tangents; they need the derivative.
        name, variable: what the function and its argument are called.

    Raises:
        CourseError: the interval is empty, or a callable does not return one number a place.
    """
    needed = f"plot_function needs an interval from low to high, not {shown(interval)}."
    ends = floats(interval, needed)
    if ends.shape != (2,) or not -FARTHEST <= ends[0] < ends[1] <= FARTHEST:
        raise CourseError(needed)
    low, high = map(float, ends)
    needed = f"plot_function needs places of tangents, as in [-1, 2], not {shown(tangents_at)}."
    tangents_at = np.ravel(floats(tangents_at, needed)).tolist()
    if not np.isfinite(tangents_at).all():
        raise CourseError(needed)
    if len(tangents_at) and derivative is None:
        raise CourseError("plot_function draws tangents only with a derivative: pass one.")
    x = np.linspace(low, high, 601, dtype=np.float32)
    y = _values(f, x, name)
    said = [_course(name, x, y, variable)]
    figure = new_figure(WIDTH, 370)
    axes = figure.add_subplot()
    axes.grid(True)
    axes.axhline(0, color=SILVER, linestyle="-", linewidth=0.8)
    axes.plot(*_with_gaps(x, y), color=BLUE, linestyle="-", linewidth=2.2, label=name)
    slopes = y
    if derivative is not None:
        slopes = _values(derivative, x, "the derivative")
        label = f"derivative of {name}"
        axes.plot(*_with_gaps(x, slopes), color=VERMILION, linestyle="--", label=label)
        said.append(_course("its derivative", x, slopes, variable))
    axes.set_xlim(low, high)
    axes.set_ylim(*_limits(y, slopes))
    axes.set_xlabel(variable)
    tangents = []
    for place in tangents_at:
        at = np.array([place], dtype=np.float32)
        height = float(_values(f, at, name)[0])
        slope = float(_values(derivative, at, "the derivative")[0])  # type: ignore[arg-type]
        _draw_tangent(axes, place, height, slope, above=_bends_down(f, place, high - low))
        tangents.append(f"{short_number(slope)} at {variable} = {place:g}")
    if tangents:
        noun = "a tangent" if len(tangents) == 1 else "tangents"
        said.append(f"{noun} with slope {words(tangents)}")
    axes.legend(loc="best")
    return finish(figure, f"{title or 'Curve'}: {'; '.join(said)}.", title=title)


@styled
def plot_loss_surface(
    loss: Callable[[Array, Array], Any],
    path: ArrayLike,
    *,
    names: tuple[str, str] = ("w", "b"),
    limits: tuple[tuple[float, float], tuple[float, float]] | None = None,
    title: str = "",
) -> Figure:
    """Plot a loss of two parameters as contour lines, and the way a descent took over it.

    Args:
        loss: takes two float arrays of one shape and returns the losses in that shape.
        path: (n, 2), the two parameters at the start and after each step.
        limits: lowest and highest value of the first parameter and of the second; without them
            the path has room all round. Two figures with the same limits show the same valley.

    Raises:
        CourseError: the path is no such array, a limit is not above the other, or the loss
            returns another shape.
    """
    needed = "plot_loss_surface needs a path of shape (n, 2), one row of numbers a step."
    steps = floats(path, needed)
    if steps.ndim != 2 or steps.shape[1] != 2 or not len(steps):
        raise CourseError(
            f"plot_loss_surface needs a path of shape (n, 2), one row a step, not {steps.shape}."
        )
    if not np.isfinite(steps).all():
        raise CourseError(
            "plot_loss_surface got a path with NaN or infinity: the descent diverged, "
            "so take a smaller learning rate."
        )
    needed = f"plot_loss_surface needs limits from low to high, not {shown(limits)}."
    ends = np.transpose(_ends(steps)) if limits is None else floats(limits, needed)
    if ends.shape != (2, 2) or not np.isfinite(ends).all() or not (ends[:, 0] < ends[:, 1]).all():
        raise CourseError(needed)
    low, high = ends.T
    w, b = np.meshgrid(*np.linspace(low, high, 121).T)
    losses = floats(loss(w, b), "plot_loss_surface needs a loss that returns numbers.")
    if losses.shape != w.shape:
        raise CourseError(
            f"plot_loss_surface needs a loss that returns the shape it is given, {w.shape}, "
            f"and this one returns {losses.shape}."
        )
    figure = new_figure(WIDTH, 420)
    axes = figure.add_subplot()
    levels = _levels(losses)
    # Blues from the lightest to the middle, so that black labels stay readable everywhere.
    darkest = 2 * levels[-1] - levels[0]
    axes.contourf(w, b, losses, levels, extend="both", cmap="Blues", vmin=levels[0], vmax=darkest)
    lines = axes.contour(w, b, losses, levels=levels, colors="#4A6785", linewidths=0.7)
    level_names = {level: f"{float(f'{level:.2g}'):g}" for level in levels}
    axes.clabel(
        lines,
        levels[::2].tolist(),
        fontsize=7,
        fmt=level_names,
        colors=INK,
    )
    axes.plot(*steps.T, color=VERMILION, linestyle="-", marker="o", markersize=3.5, linewidth=1.6)
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
    last = len(steps) - 1
    heights = np.asarray(loss(steps[:, 0], steps[:, 1]), dtype=float)
    said = []
    for at, text in {0: "start", last: f"after {count(last, 'step')}" if last else "start"}.items():
        # What rounding leaves of a loss differs from processor to processor.
        none_left = 0 <= heights[at] < 1e-9 * heights.max()
        label = f"loss {'nearly 0' if none_left else short_number(heights[at])}"
        mark = _mark(axes, steps, at, f"{text}: {label}", "o" if at == 0 else "*")
        for number in lines.labelTexts:
            if number.get_window_extent().overlaps(mark.get_window_extent()):
                number.set_visible(False)
        place = [f"{name} = {short_number(v)}" for name, v in zip(names, steps[at], strict=True)]
        said.append(f"{', '.join(place)} ({label})")
    alt = (
        f"{title or 'Loss surface'}: contour lines of the loss over {words(names)}, with a "
        f"descent of {count(last, 'step')} from {' to '.join(said)}."
    )
    return finish(figure, alt, title=title)


@styled
def show_influence(jacobian: ArrayLike, *, title: str = "") -> Figure:
    """Show which inputs of a batch each output depends on: the sizes of all slopes, zeros white.

    Args:
        jacobian: (n, outputs, n, inputs), the slopes of each example's outputs with respect to
            the inputs of every example.

    Raises:
        CourseError: the array has another shape, or holds NaN or infinity.
    """
    slopes = np.abs(finite_numbers(jacobian, "show_influence"))
    if slopes.ndim != 4 or slopes.shape[0] != slopes.shape[2]:
        raise CourseError(
            "show_influence needs a Jacobian of shape (n, outputs, n, inputs), one n for the "
            f"examples, and got shape {slopes.shape}."
        )
    n, outputs, _, inputs = slopes.shape
    own = np.eye(n, dtype=bool)[:, None, :, None]
    table = slopes.reshape(n * outputs, n * inputs)
    figure = new_figure(480, 390)
    axes = figure.add_subplot()
    # From the middle of the map on: the smallest slope that is not zero is no pale one either.
    colours = ListedColormap(colormaps["viridis_r"](np.linspace(0.25, 1, 256)))
    sizes = axes.imshow(
        np.ma.masked_equal(table, 0), colours, aspect="auto", vmin=0, vmax=table.max() or 1
    )
    bar = figure.colorbar(sizes, label="size of the slope (white: exactly zero)")
    bar.outline.set_visible(False)
    for border in range(1, n):
        axes.axhline(border * outputs - 0.5, color=SILVER, linestyle="-", linewidth=0.8)
        axes.axvline(border * inputs - 0.5, color=SILVER, linestyle="-", linewidth=0.8)
    examples = np.arange(n)
    axes.set_xticks((examples + 0.5) * inputs - 0.5, [str(i + 1) for i in examples])
    axes.set_yticks((examples + 0.5) * outputs - 0.5, [str(i + 1) for i in examples])
    axes.tick_params(length=0)
    axes.set_xlabel(f"inputs of example ({inputs} each)")
    axes.set_ylabel(f"outputs of example ({outputs} each)")
    others = int((slopes * ~own).astype(bool).sum())
    alt = (
        f"{title or 'Influence'}: the slopes of {count(n * outputs, 'output')} with respect to "
        f"{count(n * inputs, 'input')} of {count(n, 'example')}; "
        f"{int((slopes * own).astype(bool).sum())} are not zero within an example, "
        f"{others or 'none'} between examples."
    )
    return finish(figure, alt, title=title)


def _ends(steps: Array) -> tuple[Array, Array]:
    """Return limits that leave room round a path."""
    low, high = steps.min(axis=0), steps.max(axis=0)
    room = np.maximum((high - low) * 0.25, max(0.1 * float((high - low).max()), 0.25))
    return low - room, high + room


def _values(f: Function, x: Array, name: str) -> Array:
    """Return f(x) as floats, also for an f that returns one constant for all places."""
    with np.errstate(all="ignore"):  # a pole or a root of -1 is a gap in the curve, not an alarm
        try:
            result = f(x)
        except (TypeError, ValueError):
            if _takes_one(f, x):
                raise CourseError(
                    f"plot_function gives {name} an array of all places, and it takes single"
                    " numbers: write tf.where instead of if, and tf.sin instead of math.sin."
                ) from None
            raise
    if result is None:
        raise CourseError(f"plot_function got None for {name}: it has no connection with x.")
    values = floats(result, f"plot_function needs numbers of {name}.")
    if values.shape == ():
        return np.full(x.shape, float(values))
    if values.shape != x.shape:
        raise CourseError(
            f"plot_function needs one value of {name} for each of {count(len(x), 'place')}, "
            f"and got the shape {values.shape}."
        )
    return values


def _takes_one(f: Function, x: Array) -> bool:
    """Tell whether a function that takes no array takes a number."""
    try:
        f(float(x[0]))  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001  it may do anything
        return False
    return True


def _limits(y: Array, slopes: Array) -> tuple[float, float]:
    """Return limits that show the function whole; a steep derivative may leave them at the top."""
    finite, steep = y[np.isfinite(y)], slopes[np.isfinite(slopes)]
    if not len(finite):
        return -1.0, 1.0
    low, high = min(float(finite.min()), 0.0), max(float(finite.max()), 0.0)
    reach = 0.5 * (high - low or 1)
    low = min(low, max(float(steep.min(initial=low)), low - reach))
    high = max(high, min(float(steep.max(initial=high)), high + reach))
    room = 0.08 * (high - low or 1)
    return low - room, high + room


def _bends_down(f: Function, place: float, width: float) -> bool:
    """Tell whether the curve lies below its tangent, so that the label goes above."""
    near = np.array([place - 0.03 * width, place, place + 0.03 * width], dtype=np.float32)
    left, middle, right = _values(f, near, "the function")
    # A straight line must not turn its label over for a rounding error.
    return bool(left + right < 2 * middle - 1e-4 * abs(right - left))


def _draw_tangent(axes: Axes, place: float, height: float, slope: float, *, above: bool) -> None:
    """Draw a tangent about a quarter of the axes long, and its slope on the side without curve."""
    (low, high), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    steepness = slope * (high - low) / (top - bottom)
    reach = 0.13 * (high - low) / np.hypot(1, steepness)
    ends = np.array([place - reach, place + reach])
    axes.plot(ends, height + slope * (ends - place), color=INK, linestyle="-", linewidth=1.3)
    axes.plot(place, height, color=INK, marker="o", linestyle="")
    flat = abs(steepness) < 0.15
    to_the_left = (slope > 0) == above
    axes.annotate(
        f"slope {short_number(slope)}",
        (place, height),
        xytext=(0 if flat else -7 if to_the_left else 7, 7 if above else -7),
        textcoords="offset points",
        ha="center" if flat else "right" if to_the_left else "left",
        va="bottom" if above else "top",
        bbox=LABEL,
        zorder=4,
    )


def _with_gaps(x: Array, y: Array) -> tuple[Array, Array]:
    """Return the curve with a gap (NaN) at each jump, so that no line joins its two sides."""
    with np.errstate(invalid="ignore"):
        steps = np.abs(np.diff(y))
        apart = np.pad(steps, 2)  # a value of its own at the jump, as of sign(0), makes two of it
        beside = np.maximum(apart[:-4], apart[4:])
        jumps = 1 + np.flatnonzero((steps > 0.05 * np.ptp(y)) & (steps > 8 * beside))
    return np.insert(x, jumps, np.nan), np.insert(y, jumps, np.nan)


def _levels(losses: Array) -> Array:
    """Return contour levels that lie closer near the minimum, where a descent slows down."""
    finite = losses[np.isfinite(losses)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    levels = low + (high - low or 1.0) * np.linspace(0.08, 1, 12) ** 2
    rounded = np.unique([float(f"{level:.2g}") for level in levels])
    return rounded if len(rounded) > 2 else levels


def _mark(axes: Axes, steps: Array, at: int, text: str, marker: str) -> Annotation:
    """Mark a place of the path, with its text where it hides least of the path."""
    size = 8 if marker == "o" else 12
    axes.plot(*steps[at], color=INK, marker=marker, markersize=size, linestyle="", zorder=4)
    label = axes.annotate(
        text,
        steps[at],
        (0, 0),
        textcoords="offset points",
        weight="bold",
        bbox=LABEL | {"alpha": 1.0},
        zorder=5,
    )
    shares = np.linspace(0, 1, 20)[:, None, None]
    between = (1 - shares) * steps[:-1] + shares * steps[1:] if len(steps) > 1 else steps
    drawn = axes.transData.transform(between.reshape(-1, 2))
    points = axes.transData.transform(steps)
    window = axes.get_window_extent()

    def harm(corner: tuple[str, str]) -> tuple[bool, int, int]:
        """Return whether the text would leave the axes, and what of the path it would hide."""
        _put(label, *corner)
        box = label.get_window_extent().padded(6)
        outside = window.count_contains(box.corners()) < 4
        return outside, box.count_contains(points), box.count_contains(drawn)

    corners = itertools.product(("left", "right", "center"), ("bottom", "top"))
    _put(label, *min(corners, key=harm))
    return label


def _put(label: Annotation, horizontal: str, vertical: str) -> None:
    """Put a label beside its place, that side of it first: ``left`` and ``bottom``, upper right."""
    label.set(ha=horizontal, va=vertical)
    label.xyann = (
        {"left": 9, "right": -9, "center": 0}[horizontal],
        9 if vertical == "bottom" else -9,
    )


def _course(name: str, x: Array, y: Array, variable: str) -> str:
    """Return for instance 'f(x) goes from 9 at x = -3 to 9 at x = 3, lowest 0 at x = 0'."""
    x, y = x[np.isfinite(y)], y[np.isfinite(y)]
    if not len(y):
        return f"{name} is nowhere a finite number"
    text = (
        f"{name} goes from {short_number(y[0])} at {variable} = {x[0]:g} "
        f"to {short_number(y[-1])} at {variable} = {x[-1]:g}"
    )
    for word, at in {"lowest": int(y.argmin()), "highest": int(y.argmax())}.items():
        inside = 0 < at < len(y) - 1
        if inside and y[at] not in (y[0], y[-1]):
            text += f", {word} {short_number(y[at])} at {variable} = {short_number(x[at])}"
    return text
