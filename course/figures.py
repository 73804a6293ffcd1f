"""Figures in a cell's outputs: finding them, and telling whether two look the same.

Two renderings of one figure differ in antialiasing, in the hinting of letters and by a pixel where
an axis stands, so pixels are not compared one by one. A pixel counts as changed where its colour
lies clearly outside all colours within ``REACH`` pixels of it in the other figure.
"""

from __future__ import annotations

import base64
import contextlib
import io
from html.parser import HTMLParser
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageChops, ImageFilter, ImageStat

REACH = 2  # pixels by which a line or a letter may move
CLEARLY = 48  # steps of 255 by which a colour may differ beyond that
CHANGED = 1e-4  # the share of changed pixels from which a figure has visibly changed
MARGIN = 16  # pixels around a difference that blurring and ``REACH`` bring into play
RESIZED = 0.03  # the share by which width and height may differ
BLANK = 1e-3  # a figure with a smaller share of pixels off its main colour is blank

PNG_URI = "data:image/png;base64,"


class Figure(NamedTuple):
    """One figure of an output: its picture and the words for those who do not see it."""

    png: bytes
    alt: str


class _Images(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.figures: list[Figure] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        source = values.get("src") or ""
        if tag == "img" and source.startswith(PNG_URI):
            self.figures.append(
                Figure(decode(source.removeprefix(PNG_URI)), (values.get("alt") or "").strip())
            )


def decode(text: str) -> bytes:
    """Return the bytes of a base64 text, or none where it is damaged."""
    try:
        return base64.b64decode(text)
    except ValueError:
        return b""


def find_figures(html: str) -> list[Figure]:
    """Return the PNG figures that an HTML output holds as data, in their order."""
    parser = _Images()
    with contextlib.suppress(AssertionError):  # of `<![` and what is no declaration
        parser.feed(html)
    return parser.figures


def open_figure(png: bytes) -> Image.Image | None:
    """Return the picture on white, or None where the bytes are none."""
    try:
        opened = Image.open(io.BytesIO(png))
        if not opened.has_transparency_data:
            return opened.convert("RGB")
        picture = opened.convert("RGBA")
    except (OSError, SyntaxError):
        return None
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture).convert("RGB")


def is_blank(png: bytes) -> bool:
    """Tell whether nothing is drawn: no picture, or hardly a pixel off the main colour."""
    picture = open_figure(png)
    return picture is None or _has_one_colour(picture)


def _has_one_colour(picture: Image.Image) -> bool:
    main = tuple(ImageStat.Stat(picture).median)
    differs = ImageChops.difference(picture, Image.new("RGB", picture.size, main)).split()
    off = ImageChops.lighter(ImageChops.lighter(*differs[:2]), differs[2]).histogram()
    return sum(off[CLEARLY + 1 :]) < BLANK * picture.width * picture.height


def figure_difference(stored: bytes, fresh: bytes) -> tuple[str, Image.Image | None]:
    """Say how the fresh figure visibly differs from the stored one: "" where it does not.

    With the words comes a picture of both figures side by side and of what changed, in red, where
    both can be shown.
    """
    if stored == fresh:
        return "", None
    old, new = open_figure(stored), open_figure(fresh)
    if old is None or new is None:
        return f"the {'stored' if old is None else 'fresh'} figure is not a picture", None
    if old.size == new.size and ImageChops.difference(old, new).getbbox() is None:
        return "", None
    if _has_one_colour(new) and not _has_one_colour(old):
        return "the figure is blank now", _side_by_side(old, new)
    if any(abs(a - b) > max(8, RESIZED * a) for a, b in zip(old.size, new.size, strict=True)):
        return (
            f"the figure was {old.width} x {old.height} pixels and is {new.width} x {new.height}",
            _side_by_side(old, new),
        )
    changed = _changed_pixels(old, new.resize(old.size))
    if changed.mean() <= CHANGED:
        return "", None
    return (
        f"the figure looks different: {changed.mean():.2%} of its pixels changed",
        _side_by_side(old, new, changed),
    )


def _changed_pixels(old: Image.Image, new: Image.Image) -> np.ndarray:
    """Return a bool array (height, width): where each leaves the other's range of colours."""
    changed = np.zeros((old.height, old.width), dtype=bool)
    differs = ImageChops.difference(old, new).point(lambda value: 255 * (value > CLEARLY))
    if (box := differs.getbbox()) is None:
        return changed
    left, top = (max(0, edge - MARGIN) for edge in box[:2])
    right, bottom = min(old.width, box[2] + MARGIN), min(old.height, box[3] + MARGIN)
    part = changed[top:bottom, left:right]
    old, new = (each.crop((left, top, right, bottom)) for each in (old, new))
    for one, other in ((old, new), (new, old)):
        soft, around = (image.filter(ImageFilter.GaussianBlur(1)) for image in (one, other))
        size = 2 * REACH + 1
        pixels = np.asarray(soft, dtype=np.int16)
        low = np.asarray(around.filter(ImageFilter.MinFilter(size)), dtype=np.int16)
        high = np.asarray(around.filter(ImageFilter.MaxFilter(size)), dtype=np.int16)
        part |= np.maximum(pixels - high, low - pixels).max(axis=2) > CLEARLY
    return changed


def _side_by_side(
    old: Image.Image, new: Image.Image, changed: np.ndarray | None = None
) -> Image.Image:
    parts = [old, new]
    if changed is not None:
        marks = np.array(old.convert("L").point(lambda value: 200 + value // 5).convert("RGB"))
        marks[changed] = (220, 0, 0)
        parts.append(Image.fromarray(marks))
    width = sum(part.width for part in parts) + 8 * (len(parts) - 1)
    sheet = Image.new("RGB", (width, max(part.height for part in parts)), "grey")
    left = 0
    for part in parts:
        sheet.paste(part, (left, 0))
        left += part.width + 8
    return sheet
