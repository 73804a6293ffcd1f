"""Figures of images and of what a model says about them.

Each function returns a matplotlib Figure that pyplot does not know of: as the last expression of
a cell it is shown exactly once, with alternative text (kept as the figure's label).
Arrays may be NumPy arrays, tensors or lists.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from utils.plotting.arguments import (
    Array,
    batch_of_images,
    check_lengths,
    class_numbers,
    one_image,
    one_prediction,
    table_of_probabilities,
    whole_columns,
)
from utils.plotting.figures import (
    BLUE,
    INK,
    PALE,
    PAPER,
    SILVER,
    VERMILION,
    WIDTH,
    count,
    finish,
    new_figure,
    only_names,
    styled,
    words,
)

RIGHT, WRONG = "✓", "✗"
BARS = 1.1  # width of a sheet's small bar charts, in widths of the image beside them
MOST_IMAGES, MOST_PREDICTIONS = 15, 4  # columns that stay readable 600 pixels wide


@styled
def show_image(image: ArrayLike, title: str = "", *, colourbar: bool = False) -> Figure:
    """Show one image, (height, width) grey or (height, width, 3) coloured, with its pixel numbers.

    Args:
        colourbar: shows beside the image which grey stands for which pixel value.

    Raises:
        CourseError: the array is no single image.
    """
    pixels = one_image(image, "show_image")
    figure = new_figure(400 if colourbar else 330, 340)
    axes = figure.add_subplot()
    low, high = _range_of(pixels)
    drawn = axes.imshow(pixels, vmin=low, vmax=high)
    axes.set_xlabel("column")
    axes.set_ylabel("row")
    if colourbar:
        bar = figure.colorbar(drawn, ax=axes, shrink=0.85)
        bar.set_label("pixel value")
        bar.outline.set_visible(False)  # type: ignore[operator]
        bar.set_ticks(np.linspace(low, high, 6).tolist())
    kind = "colour" if pixels.ndim == 3 else "grey"
    alt = (
        f"{title or 'An image'}: {pixels.shape[0]} by {pixels.shape[1]} {kind} pixels "
        f"with values from {pixels.min():.4g} to {pixels.max():.4g}."
    )
    return finish(figure, alt, title=title, shows_data=True)


@styled
def show_images(
    images: ArrayLike, names: Sequence[str] | None = None, *, columns: int = 5
) -> Figure:
    """Show several images (n, height, width) on one sheet, with a name under each.

    Raises:
        CourseError: the array is no batch of images, or there are not as many names as images.
    """
    pixels = batch_of_images(images, "show_images")
    check_lengths("show_images", pixels, names=names)
    columns = min(whole_columns(columns, MOST_IMAGES, "show_images"), len(pixels))
    rows = math.ceil(len(pixels) / columns)
    cell = min(WIDTH / columns, 150)
    figure = new_figure(cell * columns, (cell + (12 if names is not None else 0)) * rows)
    for i, picture in enumerate(pixels, 1):
        axes = figure.add_subplot(rows, columns, i)
        _bare_image(axes, picture)
        if names is not None:
            axes.set_xlabel(_shorten(str(names[i - 1]), cell), labelpad=3, fontsize=8)
    listed = f": {', '.join(str(name) for name in names)}" if names is not None else ""
    layout = f" in {count(rows, 'row')} of {columns}" if rows > 1 else ""
    return finish(figure, f"{count(len(pixels), 'image')}{layout}{listed}.", shows_data=True)


@styled
def show_prediction(
    image: ArrayLike, probabilities: ArrayLike, label: int, class_names: Sequence[str]
) -> Figure:
    """Show an image beside the probability of each class; say what was predicted and what is true.

    Args:
        image: (height, width).
        probabilities: (classes,), between 0 and 1, with the sum 1.
        label: the number of the true class.

    Raises:
        CourseError: a shape does not fit, or the probabilities are none (logits, say).
    """
    pixels = one_image(image, "show_prediction")
    chances, truth = one_prediction(probabilities, label, class_names, "show_prediction")
    figure = new_figure(WIDTH, 300)
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.35])
    _bare_image(left, pixels)
    _probability_bars(right, chances, truth, class_names)
    verdict, colour = _verdict(chances, truth, class_names)
    left.set_xlabel(verdict.replace(" (", "\n("), color=colour, weight="bold", labelpad=8)
    alt = f"An image of class {class_names[truth]} and {_chances_alt(chances, truth, class_names)}"
    return finish(figure, alt, shows_data=True)


@styled
def show_predictions(
    images: ArrayLike,
    probabilities: ArrayLike,
    labels: ArrayLike,
    class_names: Sequence[str],
    *,
    columns: int = 3,
) -> Figure:
    """Show a sheet of images, each with its probabilities as small bars and the verdict below.

    Args:
        images: (n, height, width).
        probabilities: (n, classes), each row between 0 and 1 with the sum 1.
        labels: (n,), the numbers of the true classes.

    Raises:
        CourseError: a shape does not fit, or the probabilities are none (logits, say).
    """
    where = "show_predictions"
    pixels = batch_of_images(images, where)
    chances = table_of_probabilities(probabilities, class_names, where)
    truths = class_numbers(labels, class_names, where)
    check_lengths(where, pixels, probabilities=chances, labels=truths)
    columns = min(whole_columns(columns, MOST_PREDICTIONS, where), len(pixels))
    rows = math.ceil(len(pixels) / columns)
    cell = WIDTH / max(columns, 2)
    figure = new_figure(cell * columns, (0.34 * cell + 50) * rows + 40)
    pairs = figure.subplots(rows, 2 * columns, squeeze=False, width_ratios=[1, BARS] * columns)
    for axes in pairs.flat:
        axes.axis("off")
        axes.set_anchor("N")
    for i, (picture, chance, truth) in enumerate(zip(pixels, chances, truths, strict=True)):
        left, right = pairs[i // columns, 2 * (i % columns) : 2 * (i % columns) + 2]
        _bare_image(left, picture)
        _small_bars(right, chance, int(truth))
        verdict, colour = _verdict(chance, int(truth), class_names)
        right.set_box_aspect(1 / BARS)  # as high as the square image, so that no bar meets a title
        left.set_title(verdict.replace(" (", "\n("), color=colour, fontsize=8, pad=4)
    key = [f"{i} {name}" for i, name in enumerate(class_names)]
    half = math.ceil(len(key) / 2)
    figure.supxlabel(
        "   ".join(key[:half]) + "\n" + "   ".join(key[half:]), fontsize=7.5, color=INK
    )
    right_ones = int((chances.argmax(axis=1) == truths).sum())
    wrong = [
        f"{class_names[truth]} taken for {class_names[chance.argmax()]} ({chance.max():.0%})"
        for chance, truth in zip(chances, truths, strict=True)
        if chance.argmax() != truth
    ]
    alt = f"{count(len(pixels), 'image')} with predictions: {right_ones} right, {len(wrong)} wrong"
    return finish(figure, f"{alt}{': ' + words(wrong) if wrong else ''}.", shows_data=True)


@styled
def plot_probabilities(probabilities: ArrayLike, label: int, class_names: Sequence[str]) -> Figure:
    """Plot the probability of each class, (classes,), with the predicted and the true one marked.

    Raises:
        CourseError: a shape does not fit, or the probabilities are none (logits, say).
    """
    chances, truth = one_prediction(probabilities, label, class_names, "plot_probabilities")
    figure = new_figure(WIDTH, 60 + 24 * len(chances))
    _probability_bars(figure.add_subplot(), chances, truth, class_names)
    verdict, _ = _verdict(chances, truth, class_names)
    alt = _chances_alt(chances, truth, class_names)
    return finish(figure, alt[0].upper() + alt[1:], title=verdict, shows_data=True)


def _shorten(name: str, width: float) -> str:
    """Cut a name to what fits into a width in CSS pixels at 8 points, about 6 pixels a letter."""
    most = max(4, int(width / 6))
    return name if len(name) <= most else name[: most - 1] + "…"


def _range_of(pixels: Array) -> tuple[float, float]:
    """Return the range of the greys: 0 to 255 for bytes, 0 to 1 if scaled, else what is there."""
    if pixels.dtype == np.uint8 or (pixels.min() >= 0 and pixels.max() > 1):
        return 0, max(255, float(pixels.max()))
    if pixels.min() >= 0:
        return 0, 1
    return float(pixels.min()), float(pixels.max())


def _bare_image(axes: Axes, pixels: Array) -> None:
    axes.axis("on")
    low, high = _range_of(pixels)
    axes.imshow(pixels, vmin=low, vmax=high)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color(PALE)


def _verdict(chances: Array, truth: int, class_names: Sequence[str]) -> tuple[str, str]:
    """Return the verdict in words with its mark, and its colour."""
    predicted = int(chances.argmax())
    said = f"{class_names[predicted]} {chances[predicted]:.0%}"
    if predicted == truth:
        return f"{RIGHT} {said}", BLUE
    return f"{WRONG} {said} (true: {class_names[truth]})", VERMILION


def _bar_styles(chances: Array, truth: int) -> list[dict[str, str]]:
    """Colour the true class blue and a wrong prediction vermilion and hatched; the others grey."""
    styles = [{"color": SILVER, "hatch": ""} for _ in chances]
    styles[int(chances.argmax())] = {"color": VERMILION, "hatch": "////"}
    styles[truth] = {"color": BLUE, "hatch": ""}
    return styles


def _probability_bars(axes: Axes, chances: Array, truth: int, class_names: Sequence[str]) -> None:
    predicted = int(chances.argmax())
    axes.barh(range(len(chances)), 1, height=0.7, color=PAPER)
    for i, (chance, style) in enumerate(zip(chances, _bar_styles(chances, truth), strict=True)):
        axes.barh(
            i, chance, height=0.7, facecolor=style["color"], hatch=style["hatch"], edgecolor="white"
        )
        note = {truth: f" {RIGHT} true", predicted: f" {WRONG} predicted"}
        if predicted == truth:
            note = {truth: f" {RIGHT} predicted and true"}
        axes.text(
            chance + 0.015,
            i,
            f"{chance:.0%}{note.get(i, '')}",
            va="center",
            fontsize=8,
            color=style["color"] if i in note else INK,
            weight="bold" if i in note else "normal",
        )
    axes.set_yticks(range(len(chances)), class_names)
    axes.set_xlim(0, 1.32)
    axes.invert_yaxis()
    only_names(axes)


def _small_bars(axes: Axes, chances: Array, truth: int) -> None:
    axes.axis("on")
    for i, (chance, style) in enumerate(zip(chances, _bar_styles(chances, truth), strict=True)):
        axes.bar(
            i, chance, width=0.8, facecolor=style["color"], hatch=style["hatch"], edgecolor="white"
        )
    axes.set_ylim(0, 1)
    only_names(axes)
    axes.set_yticks([])
    axes.spines["bottom"].set_visible(True)
    axes.set_xticks(range(len(chances)), [str(i) for i in range(len(chances))], fontsize=7)


def _chances_alt(chances: Array, truth: int, class_names: Sequence[str]) -> str:
    predicted = int(chances.argmax())
    outcome = (
        "which is right"
        if predicted == truth
        else f"which is wrong: the true class {class_names[truth]} has {chances[truth]:.1%}"
    )
    return (
        f"probabilities of {count(len(chances), 'class')}: {class_names[predicted]} is predicted "
        f"with {chances[predicted]:.1%}, {outcome}."
    )
