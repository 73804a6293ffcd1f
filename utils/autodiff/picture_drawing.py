"""draw_tape: a picture of what the learner's function records."""

from __future__ import annotations

import itertools
import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Polygon
from matplotlib.path import Path

from utils.autodiff.learner_inputs import (
    function_name,
    named_inputs,
    reachable,
    to_float32,
    to_tensors,
)
from utils.autodiff.picture import TIMES, Edge, Node, Picture, picture_of
from utils.autodiff.picture_layout import Bend, folded, layout_of
from utils.autodiff.recorder import record
from utils.autodiff.recording import (
    NOT_COMPUTED,
    EagerTensor,
    Exit,
    Recording,
    agree,
    differentiable,
    is_variable,
    numbers,
    plain,
    tensors_in,
)
from utils.errors import CourseError
from utils.plotting.figures import (
    BLUE,
    GREEN,
    GREY,
    INK,
    SILVER,
    VERMILION,
    WIDTH,
    finish,
    new_figure,
    styled,
)

MOST_BOXES = 60
LONGEST_NAME = 20  # letters
GRADIENT = "#A04400"
LINE = 12.5  # pixels from line to line in a box
FILL = {
    "input": "#DCEBF7",
    "variable": "#BBD9EF",
    "constant": "#F1F1F1",
    "op": "white",
    "function": "#FFF6DD",
    "exit": "#FBE4D5",
}
EDGE = {
    "input": BLUE,
    "variable": BLUE,
    "constant": GREY,
    "op": INK,
    "function": "#9A7200",
    "exit": VERMILION,
}


def draw_tape(f: Callable[..., Any], *inputs: Any) -> Figure:
    """Draw what `f(*inputs)` records: each op, its value, and the gradient of the result there.

    `inputs` are floats, arrays, tensors, variables, or lists and dicts of them; Python floats and
    rows of floats become float32 tensors. Variables that `f` uses from outside are drawn too. Of
    several outputs the gradient of the sum is drawn, as a tape gives it. What does not lead to the
    result is faint; where a value passes but its gradient is None, the arrow is dashed and marked.
    Below the picture stands the path that Python's `if` and loops took. A tf.function is one box:
    it runs as a graph.

    `f` runs once (again, silently, where a value leaves TensorFlow); variables get their values
    back. An exception of `f` passes through. Raises CourseError where `f` is no function or
    returns no tensor.
    """
    if not callable(f):
        raise CourseError(
            "draw_tape needs the function itself: write draw_tape(f, x), not draw_tape(f(x))."
        )
    tensors = [to_tensors(value) for value in inputs]
    recording = _recorded(f, tensors)
    if recording.error is not None:
        smaller = [to_float32(value) for value in tensors]
        again = recording
        if any(a is not b for a, b in zip(smaller, tensors, strict=True)):
            again = _recorded(f, smaller)
        if again.error is not None:
            raise recording.error
        tensors, recording = smaller, again
    targets, remarks = _targets(f, recording)
    picture = picture_of(f, tensors, recording, targets, _links(f, tensors, recording))
    picture.remarks = remarks + picture.remarks
    return _drawn(picture, _title(f, tensors, picture))


def _recorded(f: Callable[..., Any], inputs: Sequence[Any], **options: Any) -> Recording:
    watch = [*(v for _, v in named_inputs(f, inputs)), *(v for _, v in reachable(f))]
    return record(
        f,
        inputs,
        watch=[v for v in watch if is_variable(v) or isinstance(v, EagerTensor)],
        eager_functions=False,
        watch_along=True,
        **options,
    )


def _targets(f: Callable[..., Any], recording: Recording) -> tuple[list[Any], list[str]]:
    name = function_name(f) or "the function"
    found = tensors_in(recording.result)
    remarks = []
    lost = [each for each in tf.nest.flatten(recording.result) if each is None]
    if recording.calls and (lost or not found):
        which = "A" if found else "The"
        found = tensors_in(recording.calls[-1].target)
        remarks.append(
            f"{which} gradient that the function returns is None; drawn is what it differentiates."
        )
    elif recording.calls and _is_constant(recording):
        found = tensors_in(recording.calls[-1].target)
        remarks.append(
            "The gradient that the function returns is the same everywhere; drawn is what it "
            "differentiates."
        )
    if not found and lost:
        raise CourseError(
            f"draw_tape needs a function that returns a tensor, but {name} returned None: end it "
            "with `return` and a tensor that TensorFlow computed. If None is a gradient that a "
            "tf.function gave, explain_none says why."
        )
    if not found:
        raise CourseError(
            f"draw_tape needs a function that returns a tensor, but {name} returned "
            f"{type(recording.result).__name__}: end it with `return` and a tensor that TensorFlow "
            "computed."
        )
    if len(found) > 1:
        remarks.append(
            f"{len(found)} outputs: the gradients are those of their sum, as a tape gives."
        )
    elif found[0].shape.num_elements() != 1 and differentiable(found[0].dtype):
        remarks.append("The output has several elements: the gradients are those of their sum.")
    return found, remarks


def _is_constant(recording: Recording) -> bool:
    """Tell whether a function returns what its last tape answered, and that depends on nothing."""
    call = recording.calls[-1]
    answers = {id(part) for part in tf.nest.flatten(call.result)}
    results = tf.nest.flatten(recording.result)
    if not all(id(part) in answers and isinstance(part, EagerTensor) for part in results):
        return False
    sources = [plain(source) for source in tf.nest.flatten(call.sources)]
    try:
        again = recording.gradients(results, [s for s in sources if differentiable(s.dtype)])
    except (LookupError, *NOT_COMPUTED):
        return False
    return all(each is None for each in again)


def _links(f: Callable[..., Any], inputs: Sequence[Any], recording: Recording) -> dict[int, Exit]:
    """Find the constants that come from values which had left TensorFlow, by changing those."""
    sites: dict[Any, list[Exit]] = {}
    for exit_ in recording.exits:
        if exit_.kind not in ("__bool__", "__format__"):
            sites.setdefault((exit_.kind, exit_.places[:1]), []).append(exit_)
    links: dict[int, Exit] = {}
    for group in list(sites.values())[:6]:
        changed = _recorded(
            f,
            inputs,
            trace=False,
            replay=recording,
            change_exits=frozenset(e.index for e in group),
            change=lambda value: value + 1 if value.dtype.kind in "iufc" else value,
        )
        for op, other in zip(recording.ops, changed.ops, strict=False):
            for one, two in zip(op.inputs, other.inputs, strict=False):
                leaf = id(one) not in recording.producer
                if leaf and one.dtype not in (tf.resource, tf.variant) and id(one) not in links:
                    if not agree(numbers(one), numbers(two)):
                        links[id(one)] = group[0]
    return links


def _title(f: Callable[..., Any], inputs: Sequence[Any], picture: Picture) -> str:
    function = getattr(f, "python_function", f)
    name = function_name(function)
    arguments = ", ".join(dict.fromkeys(n.split("[")[0] for n, _ in named_inputs(function, inputs)))
    if not name:
        return "What the function records"
    return f"What {name}({arguments}) records"


def _inline_constants(picture: Picture) -> None:
    """Write single numbers into the op that uses them: x, times 1.1, is one box instead of two."""
    for edge in list(picture.edges):
        uses = [e for e in picture.edges if e.start is edge.start]
        plain_number = edge.start.kind == "constant" and ":" not in edge.start.value
        named = edge.start.title or edge.start.output or edge.start.value.startswith("[")
        if not plain_number or named or len(uses) > 3 or edge.end.kind != "op":
            continue
        if any(e.end is edge.start for e in picture.edges):  # a value that left TensorFlow
            continue
        first = next(e for e in picture.edges if e.end is edge.end) is edge
        title, value = edge.end.title, edge.start.value
        edge.end.title = f"{value} {title}" if first and len(title) == 1 else f"{title} {value}"
        picture.edges.remove(edge)
    used = {id(n) for e in picture.edges for n in (e.start, e.end)}
    picture.nodes = [n for n in picture.nodes if n.kind != "constant" or n.output or id(n) in used]


# -- drawing


def _texts(node: Node, target: str, names: Counter[str | None]) -> list[tuple[str, str, str]]:
    """Return the lines of a box as (text, colour, weight); `names` counts those of all boxes."""
    constant = "from tape.gradient" if node.nested else "constant"
    word = {"input": "input", "variable": "variable", "constant": constant}.get(node.kind, "")
    title = f"output: {word or node.title}" if node.output else word or node.title
    name = node.name or (target if node.output else "")
    if node.kind == "constant":
        name = node.title
    if len(name) > LONGEST_NAME:
        name = f"…{name[1 - LONGEST_NAME :]}"  # a path ends in what tells it from others
    lines = [(title, INK, "bold")]
    lines += [(note, GREY, "normal") for note in node.notes]
    if node.value:
        lines.append((f"{name} = {node.value}" if name else node.value, INK, "normal"))
    if node.gradient is not None and node.kind not in ("constant", "exit"):
        # Of a name that was bound more than once the reader could not tell which one is meant.
        clear = name.isidentifier() and max(len(name), len(target)) <= 8
        clear = clear and names[name] <= 1
        clear = clear and (name != target or (node.output and len(name) == 1))
        what = f"d{_bracketed(target)}/d{_bracketed(name)}" if clear else "gradient"
        colour = VERMILION if node.gradient == "None" else GRADIENT
        lines.append((f"{what} = {node.gradient}", colour, "normal"))
    return [(t if len(t) <= 34 else f"{t[:33]}…", c, w) for t, c, w in lines]


def _bracketed(name: str) -> str:
    return name if len(name) == 1 else f"({name})"


def _width(lines: Sequence[tuple[str, str, str]], size: float) -> float:
    per = size * 96 / 72 * 0.60
    return max(
        46.0, max(len(text) * per * (1.08 if w == "bold" else 1) for text, _, w in lines) + 14
    )


@styled
def _drawn(picture: Picture, title: str) -> Figure:
    if len(picture.nodes) > 16 or any(node.nested for node in picture.nodes):
        _inline_constants(picture)
    boxes = len(picture.nodes)
    if boxes > MOST_BOXES:
        return _too_many(picture, title)
    size = 8.0 if boxes <= 16 else 7.0
    names = Counter(n.name for n in picture.nodes)
    texts = {id(n): _texts(n, picture.target, names) for n in picture.nodes}
    widths = {id(n): _width(texts[id(n)], size) for n in picture.nodes}
    heights = {id(n): len(texts[id(n)]) * LINE * size / 8 + 9 for n in picture.nodes}
    layout = layout_of(picture, widths, heights, sideways=True, most=6)
    sideways = len(layout.places) <= 5 and layout.wide <= WIDTH - 24
    for most in () if sideways else (6, 5, 4, 3, 2):
        layout = layout_of(picture, widths, heights, sideways=False, most=most)
        if layout.wide <= WIDTH - 24:
            break
    places, routes, centre = layout.places, layout.routes, layout.centre
    wide, tall = layout.wide, layout.tall
    turns: dict[int, tuple[int, float]] = {}
    if not sideways and len(places) > 9:
        turns, wide, tall = folded(places, centre, heights, wide)
    below = _below(picture)
    page = max(WIDTH, wide + 24)
    scale = page / WIDTH
    head = 34 * scale
    foot = len(below) * 13 * scale + (12 if below else 0)
    head += 10 if turns else 0
    foot += 10 if turns else 0
    figure = new_figure(page, tall + head + foot + 14)
    axes = figure.add_subplot()
    axes.set_position((0, 0, 1, 1))  # every place is computed here
    axes.set_axis_off()
    axes.set_xlim(0, page)
    axes.set_ylim(tall + head + foot + 14, 0)
    axes.text(12, 10, title, fontsize=11 * scale, weight="bold", va="top")
    shift = ((page - wide) / 2, head + 2)
    placed = {k: (x + shift[0], y + shift[1]) for k, (x, y) in centre.items()}
    twins = Counter((id(edge.start), id(edge.end)) for edge in picture.edges)
    drawn: Counter[tuple[int, int]] = Counter()
    turns = {k: (column, gutter + shift[0]) for k, (column, gutter) in turns.items()}
    ends = (shift[1] - 8, shift[1] + tall + 8)
    for edge in picture.edges:
        pair = (id(edge.start), id(edge.end))
        aside = 16 * (drawn[pair] - (twins[pair] - 1) / 2)  # x * x: two arrows side by side
        drawn[pair] += 1
        _arrow(axes, edge, routes[id(edge)], placed, widths, heights, sideways, aside, turns, ends)
    for node in picture.nodes:
        _box(
            axes, node, texts[id(node)], placed[id(node)], widths[id(node)], heights[id(node)], size
        )
    y = head + tall + (24 if turns else 14)
    for text, weight in below:
        axes.text(12, y, text, fontsize=8 * scale, va="top", weight=weight, color=INK)
        y += 13 * scale
    return finish(figure, _alt(picture, title))


def _is_faint(edge: Edge) -> bool:
    return edge.kind == "faded" or edge.start.faded or edge.end.faded


def _below(picture: Picture) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    if any(edge.kind == "stopped" and not _is_faint(edge) for edge in picture.edges):
        rows.append(
            ("Dashed arrows with ✕: the value goes on, the gradient does not (None).", "normal")
        )
    if any(node.nested and node.kind == "op" and not node.faded for node in picture.nodes):
        rows.append(
            ("Boxes with a dotted edge: computed by the function's own tape.gradient.", "normal")
        )
    if any(node.faded for node in picture.nodes):
        rows.append(("Faint boxes: they do not lead to the output.", "normal"))
    for remark in picture.remarks:
        rows += [(line, "normal") for line in textwrap.wrap(remark, 96)]
    if picture.caption:
        rows.append(("The path that Python took", "bold"))
        for text in picture.caption:
            text = text.replace("`", "")
            rows += [(line, "normal") for line in textwrap.wrap(text, 96, subsequent_indent="    ")]
    return rows


def _box(
    axes: Axes,
    node: Node,
    lines: Sequence[tuple[str, str, str]],
    centre: tuple[float, float],
    width: float,
    height: float,
    size: float,
) -> None:
    x, y = centre
    alpha = 0.38 if node.faded else 1.0
    style = {
        "input": "round,pad=0,rounding_size=11",
        "variable": "round,pad=0,rounding_size=11",
        "constant": "square,pad=0",
        "exit": "sawtooth,pad=0,tooth_size=4",
    }.get(node.kind, "round,pad=0,rounding_size=3")
    face, line = FILL[node.kind], EDGE[node.kind]
    nested = node.nested and node.kind == "op"
    if nested:
        face = "#E9E9E9"
    if node.output:
        face, line = "#DDF3EA", GREEN
    axes.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - height / 2),
            width,
            height,
            boxstyle=style,
            facecolor=face,
            edgecolor=line,
            linewidth=2.4 if node.output else 1.8 if node.kind == "variable" else 1.1,
            linestyle=(0, (3, 2)) if node.kind == "constant" else ":" if nested else "-",
            alpha=alpha,
            zorder=3,
        )
    )
    step = LINE * size / 8
    top = y - step * (len(lines) - 1) / 2
    for i, (text, colour, weight) in enumerate(lines):
        axes.text(
            x,
            top + i * step,
            text,
            ha="center",
            va="center_baseline",
            fontsize=size,
            color=colour,
            weight=weight,
            alpha=0.55 if node.faded else 1.0,
            zorder=4,
        )


def _arrow(
    axes: Axes,
    edge: Edge,
    route: Sequence[Node],
    placed: dict[int, tuple[float, float]],
    widths: dict[int, float],
    heights: dict[int, float],
    sideways: bool,
    aside: float,
    turns: dict[int, tuple[int, float]],
    ends: tuple[float, float],
) -> None:
    faded = _is_faint(edge)
    stopped = edge.kind == "stopped" and not faded
    i = 0 if sideways else 1
    size = widths if sideways else heights
    points: list[Any] = []
    passed: list[Node] = []
    for node in route:
        for side in (-1, 1) if isinstance(node, Bend) else (0,):
            place = list(placed[id(node)])
            place[i] += side * size[id(node)] / 2
            points.append(tuple(place))
            passed.append(node)
    route = passed
    first, last = list(points[0]), list(points[-1])
    first[i] += size[id(route[0])] / 2
    last[i] -= size[id(route[-1])] / 2 + 1
    turn = 1 - i
    other = heights if sideways else widths
    for end, node, next_ in ((first, route[0], points[1]), (last, route[-1], points[-2])):
        reach = other[id(node)] * 0.36
        end[turn] += max(-reach, min(reach, (next_[turn] - end[turn]) * 0.35 + aside))
    points = [tuple(first), *points[1:-1], tuple(last)]
    middle = len(points) // 2
    one, two = points[middle - 1], points[middle]
    mark = ((one[0] + two[0]) / 2, (one[1] + two[1]) / 2)
    vertices, codes = [points[0]], [Path.MOVETO]
    for step, (one, two) in enumerate(itertools.pairwise(points)):
        here, there = turns.get(id(route[step])), turns.get(id(route[step + 1]))
        if here is not None and there is not None and here[0] != there[0]:
            gutter = here[1]  # down, across, up beside the column, and into the next one
            corners = [(one[0], ends[1]), (gutter, ends[1]), (gutter, ends[0]), (two[0], ends[0])]
            mark = (gutter, sum(ends) / 2)
            vertices += [*corners, two]
            codes += [Path.LINETO] * 5
            continue
        half = (two[i] - one[i]) / 2
        near, far = list(one), list(two)
        near[i] += half
        far[i] -= half
        vertices += [tuple(near), tuple(far), two]
        codes += [Path.CURVE4] * 3
    colour = VERMILION if stopped else SILVER if faded else "#555555"
    axes.add_patch(
        FancyArrowPatch(
            path=Path(vertices, codes),
            arrowstyle="-" if stopped else "-|>,head_length=4,head_width=2.2",
            mutation_scale=1.4,
            facecolor=colour,
            edgecolor=colour,
            linewidth=1.3 if stopped else 1.0,
            linestyle=(0, (4, 2)) if stopped else "-",
            zorder=2,
        )
    )
    if stopped:  # a head of its own: dashes would tear it
        end_point, back, half = np.array(points[-1]), np.eye(2)[i] * 6, np.eye(2)[turn] * 3.2
        head = [end_point, end_point - back + half, end_point - back - half]
        axes.add_patch(Polygon(np.array(head), facecolor=colour, edgecolor="none", zorder=2))
        axes.text(
            mark[0],
            mark[1],
            "✕",
            ha="center",
            va="center",
            fontsize=9,
            weight="bold",
            color=VERMILION,
            zorder=5,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
        )


def _too_many(picture: Picture, title: str) -> Figure:
    ops = [n for n in picture.nodes if n.kind in ("op", "function")]
    common = Counter(n.title for n in ops).most_common(4)
    listed = ", ".join(f"{count} {TIMES} {name}" for name, count in common)
    sentence = (
        f"{title}: {len(ops)} ops, too many for a readable picture (mostly {listed}). "
        "Draw a part of the function, or fewer rounds of its loop."
    )
    figure = new_figure(WIDTH, 70)
    figure.text(0.02, 0.5, textwrap.fill(sentence, 88), fontsize=9, va="center")
    return finish(figure, sentence)


def _alt(picture: Picture, title: str) -> str:
    ops = [n for n in picture.nodes if n.kind in ("op", "function")]
    sources = [n for n in picture.nodes if n.kind in ("input", "variable")]
    steps = ", ".join(f"{n.title} gives {n.value}" for n in ops[:8])
    slopes = ", ".join(f"{n.title}: {n.gradient}" for n in sources[:6] if n.gradient)
    alt = f"{title}: {len(ops)} op{'s' * (len(ops) != 1)}"
    alt += f" ({steps}{', and more' if len(ops) > 8 else ''})" if ops else ""
    alt += f"; gradient of {picture.target} with respect to {slopes}" if slopes else ""
    return f"{alt}."
