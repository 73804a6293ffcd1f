"""The look of the course's figures, the words beside them, and how Jupyter shows both.

Importing this module inside IPython makes every matplotlib figure, a learner's own too, one
``text/html`` output: a picture with alternative text. JupyterLab drops the alternative text of
any other kind of picture.
"""

from __future__ import annotations

import base64
import html
import io
import math
import struct
import textwrap
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, Literal, ParamSpec

import matplotlib
import numpy as np
from IPython.core.getipython import get_ipython
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cbook import is_math_text
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.mathtext import MathTextParser
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from PIL import Image

from utils.data import data_source

LOOK = matplotlib.rc_params_from_file(
    Path(__file__).with_name("course.mplstyle"), use_default_template=False
)
DRAWN = set(
    "axes contour figure font grid hatch image legend lines markers mathtext patch path savefig "
    "scatter text xtick ytick".split()
)
# What our file does not set is matplotlib's own value, not what the learner set for other figures.
STYLE = {
    **{name: v for name, v in matplotlib.rcParamsDefault.items() if name.split(".")[0] in DRAWN},
    **LOOK,
}
BLUE, VERMILION, GREEN, PINK, SKY, ORANGE = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#E69F00",
)
INK, GREY, SILVER, PALE, PAPER = "#222222", "#777777", "#BBBBBB", "#DDDDDD", "#F4F4F4"

CSS_PIXELS_AN_INCH = 96
WIDTH = 600
WIDEST = 700
COMMON = 128  # colours of a picture that are kept exactly
RARE = 128  # colours that stand for all others
BYTES = np.array([1, 256, 256**2])  # what red, green and blue count in a pixel's number
STAND_IN = "stand-in data"

MATHEMATICS = MathTextParser("path")

P = ParamSpec("P")
Place = Literal["left", "center", "right"]


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Run a drawing function in the course's style, whatever the learner has set."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)

    return drawn


def new_figure(width: float = WIDTH, height: float = 360) -> Figure:
    """Return an empty figure of this many CSS pixels that pyplot does not know of.

    As the last expression of a cell such a figure is shown exactly once.
    """
    size = (width / CSS_PIXELS_AN_INCH, height / CSS_PIXELS_AN_INCH)
    return Figure(figsize=size, dpi=CSS_PIXELS_AN_INCH, layout="constrained")


def finish(figure: Figure, alt: str, *, title: object = "", shows_data: bool = False) -> Figure:
    """Give a figure its title and alternative text; with the stand-in, both say so.

    Args:
        alt: one or two sentences that say what the figure shows, with its key values.
        title: stands above the whole figure; a label's number will do.
        shows_data: the figure shows images or results that come from the loaded data set.
    """
    if title is not None and str(title):
        figure.suptitle(_wrapped(str(title), figure))
    figure.set_label(alt)
    if shows_data and _stand_in_is_loaded():
        _mark_as_stand_in(figure)
        figure.set_label(_with_stand_in(alt))
    for text in figure.findobj(Text):
        if not _is_mathematics(text.get_text()):  # type: ignore[attr-defined]
            text.set_parse_math(False)  # type: ignore[attr-defined]
    return figure


def alt_text(figure: Figure) -> str:
    """Return the words for a figure: its own label, or a description made from its parts."""
    label = str(figure.get_label())
    if label.endswith("."):
        alt = label
    else:
        alt = f"{label}: {_description(figure)}" if label else _description(figure)
    return _with_stand_in(alt) if _is_marked(figure) else alt


def figure_html(figure: Figure) -> str:
    """Return a figure as one ``<img>`` with its picture inside and its alternative text."""
    if _is_from_pyplot(figure) and _stand_in_is_loaded():
        _mark_as_stand_in(figure)
    png = figure_png(figure)
    pixels = struct.unpack(">I", png[16:20])[0]
    width = min(WIDEST, round(pixels * CSS_PIXELS_AN_INCH / STYLE["savefig.dpi"]))
    source = base64.b64encode(png).decode("ascii")
    return (
        f'<img alt="{html.escape(alt_text(figure))}" width="{width}" '
        f'style="max-width:100%;height:auto" src="data:image/png;base64,{source}">'
    )


def figure_png(figure: Figure) -> bytes:
    """Return a figure as a small PNG: the same bytes for the same figure, on the same machine."""
    width = figure.get_figwidth() * CSS_PIXELS_AN_INCH
    dpi = STYLE["savefig.dpi"] * min(1, WIDEST / width)
    # A learner's labels may reach beyond the figure; a figure of ours keeps its exact size.
    ours = isinstance(figure.get_layout_engine(), ConstrainedLayoutEngine)
    with matplotlib.rc_context(STYLE):
        picture = _of_exact_size(figure, dpi) if ours else _of_all_its_parts(figure, dpi)
    buffer = io.BytesIO()
    _in_few_colours(picture.convert("RGB")).save(buffer, format="png")
    return buffer.getvalue()


def _of_exact_size(figure: Figure, dpi: float) -> Image.Image:
    with _drawn(figure, dpi) as canvas:
        return Image.fromarray(np.asarray(canvas.buffer_rgba()))


def _of_all_its_parts(figure: Figure, dpi: float) -> Image.Image:
    """Draw a figure, cut to what is in it; where that reaches beyond it, draw it again."""
    with _drawn(figure, dpi) as canvas:
        picture = Image.fromarray(np.asarray(canvas.buffer_rgba()))
        box = figure.get_tightbbox(canvas.get_renderer())
    left, right = box.intervalx * dpi
    top, bottom = picture.height - box.intervaly[::-1] * dpi
    if min(left, top) < 0 or right > picture.width or bottom > picture.height:
        buffer = io.BytesIO()
        uncompressed = {"compress_level": 0}  # it is opened again at once
        figure.savefig(buffer, format="png", dpi=dpi, bbox_inches="tight", pil_kwargs=uncompressed)
        return Image.open(buffer)
    margin = STYLE["savefig.pad_inches"] * dpi
    left, top = math.floor(left - margin), math.floor(top - margin)
    size = math.ceil(right + margin) - left, math.ceil(bottom + margin) - top
    framed = Image.new("RGBA", size, STYLE["savefig.facecolor"])
    framed.paste(picture, (-left, -top))
    return framed


@contextmanager
def _drawn(figure: Figure, dpi: float) -> Iterator[FigureCanvasAgg]:
    """Draw a figure once; `savefig` draws it twice, for its layout first."""
    before = figure.dpi, figure.get_facecolor(), figure.canvas
    canvas = FigureCanvasAgg(figure)
    figure.dpi = dpi
    figure.set_facecolor(STYLE["savefig.facecolor"])
    try:
        canvas.draw()
        yield canvas
    finally:
        figure.dpi = before[0]
        figure.set_facecolor(before[1])
        figure.set_canvas(before[2])


def _in_few_colours(picture: Image.Image) -> Image.Image:
    """Return a picture that takes a byte a pixel: its commonest colours are exact, others near.

    Median cut, as `Image.quantize` does it, is used for the rare ones alone: that is faster.
    """
    found = sorted(picture.getcolors(picture.width * picture.height) or [], reverse=True)
    colours = np.array([colour for _, colour in found], np.uint8)
    palette, rare = colours[:COMMON], colours[COMMON:]
    places = np.arange(len(colours))
    if len(rare):
        cut = Image.fromarray(rare[np.newaxis]).quantize(RARE, dither=Image.Dither.NONE)
        palette = np.vstack([palette, np.reshape(cut.getpalette() or [], (-1, 3))[:RARE]])
        places[COMMON:] = COMMON + np.asarray(cut)[0]
    place_of = np.zeros(256**3, np.uint8)
    place_of[colours @ BYTES] = places
    pixels = np.asarray(picture.convert("RGBX")).view("<u4")[..., 0] % 256**3
    small = Image.fromarray(place_of[pixels])
    small.putpalette(palette.astype(np.uint8).tobytes())
    return small


def only_names(axes: Axes) -> None:
    """Leave of the frame nothing but the names at the left: each bar has its value beside it."""
    axes.spines[:].set_visible(False)
    axes.set_xticks([])
    axes.tick_params(length=0)


def words(items: Iterable[object]) -> str:
    """Return 'a', 'a and b', or 'a, b and c'."""
    *first, last = [str(item) for item in items]
    return f"{', '.join(first)} and {last}" if first else last


def count(number: int, thing: str) -> str:
    """Return '1 line', '2 lines', '3 boxes'."""
    ending = "" if number == 1 else "es" if thing.endswith(("s", "x")) else "s"
    return f"{number:,} {thing}{ending}"


def short_number(value: float) -> str:
    """Return a number for people: a whole one exactly, another in four figures, no minus zero."""
    value = float(value) + 0.0
    if not math.isfinite(value):
        return str(value)
    if value == round(value) and abs(value) < 1e9:
        return f"{value:,.0f}"
    rounded = float(f"{value:.4g}")
    if 1e-4 <= abs(rounded) < 1e6:
        return f"{rounded:,.7f}".rstrip("0").rstrip(".")
    return f"{value:.3g}"


def _is_mathematics(text: str) -> bool:
    """Tell whether matplotlib can set what stands between dollar signs, if there are any."""
    try:
        return not is_math_text(text) or bool(MATHEMATICS.parse(text))
    except ValueError:
        return False


def _stand_in_is_loaded() -> bool:
    return data_source() == "stand-in"


def _is_from_pyplot(figure: Figure) -> bool:
    return figure.canvas.manager is not None


def _mark_as_stand_in(figure: Figure) -> None:
    """Add 'stand-in data', once: to the figure's title, to the only one there is, or as one."""
    if _is_marked(figure):
        return
    titles = [(axes, place) for axes in figure.axes for place in _titles(axes)]
    if figure.get_suptitle():
        figure.suptitle(_wrapped(f"{figure.get_suptitle()} ({STAND_IN})", figure))
    elif len(titles) == 1:
        axes, place = titles[0]
        axes.set_title(f"{axes.get_title(place)} ({STAND_IN})", loc=place)
    elif figure.get_layout_engine() is None:
        figure.suptitle(STAND_IN.capitalize(), y=1, verticalalignment="bottom")
    else:
        figure.suptitle(STAND_IN.capitalize())


def _is_marked(figure: Figure) -> bool:
    texts = [text for axes in figure.axes for text in _titles(axes).values()]
    return any(
        STAND_IN in text.lower().replace("\n", " ") for text in [*texts, figure.get_suptitle()]
    )


def _wrapped(title: str, figure: Figure) -> str:
    """Break a title into lines that fit: a bold letter of it is about 9 CSS pixels wide."""
    letters = int(figure.get_figwidth() * CSS_PIXELS_AN_INCH / 9)
    return textwrap.fill(title, letters, break_on_hyphens=False)


def _with_stand_in(alt: str) -> str:
    return alt if STAND_IN in alt.lower() else f"{alt} This is {STAND_IN}, not Fashion-MNIST."


def _titles(axes: Axes) -> dict[Place, str]:
    """Return the titles of axes that say something, by their places."""
    places: tuple[Place, ...] = ("left", "center", "right")
    return {place: text for place in places if (text := axes.get_title(place))}


def _description(figure: Figure) -> str:
    """Describe a figure that nobody described, from its titles, labels, lines and images."""
    plots = [axes for axes in figure.axes if axes.get_label() != "<colorbar>" and axes.has_data()]
    title = f"{figure.get_suptitle()}: " if figure.get_suptitle() else ""
    if not plots:
        return f"{title or 'Figure: '}no data is drawn."
    if len(plots) == 1:
        return f"{title}{_axes_description(plots[0])}."
    if all(axes.images and not axes.lines for axes in plots):
        names = [name for axes in plots if (name := _axes_name(axes))]
        return f"{title}{count(len(plots), 'image')}{': ' + ', '.join(names) if names else ''}."
    parts = "; ".join(f"({i}) {_axes_description(axes)}" for i, axes in enumerate(plots, 1))
    return f"{title}{count(len(plots), 'plot')}: {parts}."


def _axes_name(axes: Axes) -> str:
    return " ".join(_titles(axes).values() or [axes.get_xlabel()]).replace("\n", " ")


def _axes_description(axes: Axes) -> str:
    """Return for instance 'Loss: 2 lines (a, b), x epoch from 1 to 5, y from 0.3 to 0.6'."""
    lines = axes.get_lines()
    bars = [bar for bar in axes.patches if isinstance(bar, Rectangle)]
    dots = [dots for dots in axes.collections if isinstance(dots, PathCollection)]
    numbers = {
        "line": len(lines),
        "bar": len(bars),
        "point": sum(np.size(each.get_offsets()) // 2 for each in dots),
        "image": len(axes.images),
    }
    parts = [count(number, thing) for thing, number in numbers.items() if number]
    drawn = words(parts) if parts else "a drawing"
    names = [str(line.get_label()) for line in lines if not str(line.get_label()).startswith("_")]
    if names:
        drawn += f" ({', '.join(names)})"
    if axes.images:
        height, width = axes.images[0].get_size()
        drawn += f" of {height} by {width} pixels"
    if axes.axison and not axes.images:
        drawn += f", {_range('x', axes.get_xlabel(), axes.dataLim.intervalx)}"
        drawn += f", {_range('y', axes.get_ylabel(), axes.dataLim.intervaly)}"
    elif axes.get_xlabel() and _titles(axes):
        drawn += f", labelled {axes.get_xlabel()}"
    name = _axes_name(axes) if _titles(axes) or axes.images else ""
    return f"{name}: {drawn}" if name else drawn


def _range(axis: str, label: str, interval: Any) -> str:
    return f"{axis}{' ' + label if label else ''} from {interval[0]:.3g} to {interval[1]:.3g}"


def _bundle(figure: Figure, include: object = None, exclude: object = None) -> dict[str, str]:
    """Return what Jupyter shows for a figure, and drop the PNG that would be shown beside it.

    matplotlib's inline back end registers its PNG formatter whenever it is switched on, which
    may be long after this module was imported; so it is removed where it would take effect.
    """
    shell = get_ipython()
    if shell is not None and shell.display_formatter is not None:
        for formatter in shell.display_formatter.formatters.values():
            formatter.pop(Figure, None)
    if not figure.axes and not figure.lines and not figure.texts:
        return {}
    # The text comes second: only drawing marks a figure as made from the stand-in.
    return {"text/html": figure_html(figure), "text/plain": f"Figure: {alt_text(figure)}"}


def _install() -> None:
    """Give the learner's figures the course's look and every figure its alternative text."""
    shell = get_ipython()
    if shell is not None and shell.display_formatter is not None:
        matplotlib.rcParams.update(LOOK)
        shell.display_formatter.mimebundle_formatter.for_type(Figure, _bundle)


_install()
