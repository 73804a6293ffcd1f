"""A picture of a model: its layers, the shapes between them and how many parameters each has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from utils.errors import CourseError
from utils.plotting.figures import (
    BLUE,
    GREY,
    PAPER,
    SILVER,
    WIDTH,
    count,
    finish,
    new_figure,
    styled,
)

MOST_LAYERS = 12
"""A longer model is folded: its first and last layers are drawn, the others counted."""
HEAD = 6
"""How many of them are first layers."""


LANE = 16
"""Pixels to the right of the boxes for each arrow that passes other layers."""


class Row(NamedTuple):
    """What one box of the diagram says; ``parameters`` is None before the layer is built.

    ``inputs`` are the layers that it takes its input from, where that is not the row above.
    """

    name: str
    kind: str
    shape: str
    parameters: int | None
    inputs: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        return f"from {' and '.join(self.inputs)}" if self.inputs else ""


@styled
def draw_layers(model: Any) -> Figure:
    """Draw a model's layers from the input down: name, class, activation, output shape, parameters.

    Arrows show what goes where; one that passes other layers runs beside them. Any object with
    ``layers`` will do, built or not. A long model is folded in its middle.

    Raises:
        CourseError: the object has no layers.
    """
    layers = getattr(model, "layers", None)
    if not isinstance(layers, Sequence):
        raise CourseError(
            f"draw_layers needs a model with layers and got a {type(model).__name__}."
        )
    rows = [*_input_row(model, layers), *_rows(layers)]
    shown = _folded(rows)
    name = str(getattr(model, "name", type(model).__name__))
    total = _total(row.parameters for row in rows)
    title = f"{name}: {count(len(layers), 'layer')}, {total}"
    figure = new_figure(WIDTH, 44 + 58 * max(1, len(shown)))
    axes = figure.add_subplot()
    axes.axis("off")
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(58 * max(1, len(shown)) - 12, -4)
    links = _links(rows, shown)
    lanes = _lanes([(one, two) for one, two in links if two > one + 1])
    right = WIDTH - 4 - LANE * (max(lanes.values()) + 1 if lanes else 0)
    for i, row in enumerate(shown):
        _draw_row(axes, 58 * i, row, right)
    for one, two in links:
        _draw_link(axes, one, two, right, lanes.get((one, two)))
    if not shown:
        axes.text(
            WIDTH / 2, 23, "no layer yet: add one with model.add(...)", ha="center", va="center"
        )
    parts = "; ".join(_said(row) for row in shown) or "no layer yet"
    return finish(figure, f"Layer diagram of {title}. From the input on: {parts}.", title=title)


def _input_row(model: Any, layers: Sequence[Any]) -> list[Row]:
    """Return the input's row, unless the model is not built or shows its input as a layer."""
    if any(type(layer).__name__ == "InputLayer" for layer in layers):
        return []
    shape = _attribute(model, "input_shape")
    return [Row("input", "", _shape_text(shape), 0)] if isinstance(shape, tuple) else []


def _rows(layers: Sequence[Any]) -> list[Row]:
    rows = []
    outputs: dict[int, str] = {}
    before = ""
    for layer in layers:
        name = str(getattr(layer, "name", type(layer).__name__))
        output = _attribute(layer, "output")
        sources = [outputs.get(id(tensor), "") for tensor in _flat(_attribute(layer, "input"))]
        # A chain needs no words: only a layer that takes something else names its inputs.
        chained = sources in ([], [""], [before])
        inputs = () if chained else tuple(filter(None, sources))
        parameters = _parameters(layer)
        shape = "shape known once called" if parameters is None else "shape not recorded"
        if output is not None:
            shape = _shape_text(_shape(output))
        rows.append(Row(name, _kind(layer), shape, parameters, inputs))
        for tensor in _flat(output):
            outputs[id(tensor)] = name
        before = name
    return rows


def _folded(rows: list[Row]) -> list[Row]:
    if len(rows) <= MOST_LAYERS:
        return rows
    head, middle, tail = (
        rows[:HEAD],
        rows[HEAD : HEAD + 1 - MOST_LAYERS],
        rows[HEAD + 1 - MOST_LAYERS :],
    )
    kinds = sorted({row.kind.split(",")[0] for row in middle})
    numbers = [row.parameters for row in middle]
    known = None if None in numbers else sum(number or 0 for number in numbers)
    listed = ", ".join(kinds[:4]) + (", ..." if len(kinds) > 4 else "")
    return [*head, Row(f"... {len(middle)} more layers", listed, middle[-1].shape, known), *tail]


def _links(rows: Sequence[Row], shown: Sequence[Row]) -> list[tuple[int, int]]:
    """Return the arrows as pairs of places among the rows shown: from, to."""
    fold = len(rows) - len(shown)
    at = {row.name: i for i, row in enumerate(shown)}
    for i, row in enumerate(rows):  # the layers of the fold stand in its box
        at.setdefault(row.name, min(i, HEAD) if fold else i)
    links = []
    for i, row in enumerate(rows):
        end = at[row.name]
        starts = [at[name] for name in row.inputs if name in at] or [at[rows[i - 1].name]] * (i > 0)
        links += [(start, end) for start in starts if start < end]
    return list(dict.fromkeys(links))


def _lanes(links: Sequence[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """Give each arrow that passes rows a lane beside them, the short ones nearest to the boxes."""
    lanes: dict[tuple[int, int], int] = {}
    for one, two in sorted(links, key=lambda link: link[1] - link[0]):
        taken = {lane for (a, b), lane in lanes.items() if a < two and one < b}
        lanes[one, two] = next(lane for lane in range(len(links)) if lane not in taken)
    return lanes


def _draw_row(axes: Axes, top: float, row: Row, right: float) -> None:
    trains = bool(row.parameters)
    axes.add_patch(
        FancyBboxPatch(
            (4, top),
            right - 4,
            38,
            boxstyle="round,pad=0,rounding_size=6",
            facecolor="#E3EEF6" if trains else PAPER,
            edgecolor=BLUE if trains else SILVER,
            linewidth=1.4 if trains else 1,
        )
    )
    middle = top + 19
    kind = " · ".join(filter(None, (row.kind, row.source)))
    axes.text(18, middle - (8 if kind else 0), _cut(row.name, 30), weight="bold", va="center")
    axes.text(18, middle + 9, _cut(kind, 46), va="center", fontsize=8, color="#444444")
    size = 9 if row.shape.startswith("(") and len(row.shape) < 25 else 7.5
    axes.text(right - 216, middle, _cut(row.shape, 40), ha="center", va="center", fontsize=size)
    axes.text(right - 14, middle, _said_parameters(row), ha="right", va="center", fontsize=8)


def _draw_link(axes: Axes, one: int, two: int, right: float, lane: int | None) -> None:
    """Draw an arrow down to the next row, or, in a lane, out and round the rows between."""
    start, end = 58 * one + 39, 58 * two - 1
    points = [(WIDTH / 2, start), (WIDTH / 2, end)]
    if lane is not None:
        side = right + LANE * (lane + 1) - 6
        points = [(right, start - 12), (side, start - 12), (side, end + 12), (right, end + 12)]
    axes.add_patch(
        FancyArrowPatch(
            path=Path(points),
            arrowstyle="-|>",
            mutation_scale=10,
            color=GREY,
            shrinkA=0,
            shrinkB=0,
            joinstyle="round",
        )
    )


def _said(row: Row) -> str:
    parts = [row.kind, row.source, row.shape, _said_parameters(row)]
    return f"{row.name} ({', '.join(part for part in parts if part)})"


def _said_parameters(row: Row) -> str:
    """Return the number of parameters in words; the model's input has none to speak of."""
    return _parameter_text(row.parameters) if row.kind else ""


def _kind(layer: Any) -> str:
    """Return the layer's class with its activation, as in 'Dense, relu'."""
    activation = getattr(layer, "activation", None)
    name = getattr(activation, "__name__", "")
    return f"{type(layer).__name__}, {name}" if name else type(layer).__name__


def _parameters(layer: Any) -> int | None:
    if getattr(layer, "built", True) is False:
        return None
    try:
        return int(layer.count_params())
    except (AttributeError, TypeError, ValueError):
        return None


def _attribute(owner: Any, name: str) -> Any:
    """Return an attribute that Keras defines only once a layer or model was called, else None."""
    try:
        return getattr(owner, name, None)
    except (RuntimeError, ValueError):
        return None


def _flat(tensors: Any) -> list[Any]:
    if isinstance(tensors, dict):
        return list(tensors.values())
    if isinstance(tensors, list | tuple):
        return list(tensors)
    return [] if tensors is None else [tensors]


def _shape(output: Any) -> Any:
    shapes = [getattr(tensor, "shape", None) for tensor in _flat(output)]
    return shapes[0] if len(shapes) == 1 else shapes or None


def _shape_text(shape: Any) -> str:
    """Return a shape with the batch axis, whose length is not fixed, as the word batch."""
    if isinstance(shape, list):
        return " and ".join(_shape_text(each) for each in shape)
    first, *rest = ["any" if length is None else str(length) for length in shape] or [""]
    return f"({', '.join(['batch' if first == 'any' else first, *rest])})"


def _parameter_text(parameters: int | None) -> str:
    if parameters is None:
        return "not built yet"
    return f"{parameters:,} parameters" if parameters != 1 else "1 parameter"


def _total(numbers: Any) -> str:
    numbers = list(numbers)
    known = sum(number or 0 for number in numbers)
    if None not in numbers:
        return _parameter_text(known)
    return f"at least {_parameter_text(known)}" if known else "not built yet"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
