"""What a lesson measured, for the person who reads it and for the programs that run it."""

from __future__ import annotations

import html
import math
from typing import Any

import numpy as np
from IPython.display import display

from utils.data import data_source
from utils.errors import CourseError

MIME_TYPE = "application/vnd.tape-to-mlp.metrics+json"

Plain = float | int | str | list[float] | list[int] | list[str]


def report_metrics(**metrics: Any) -> None:
    """Show a lesson's results as a small table and hand them to `course run` and batches.

    Each metric is a number, a text or a list of numbers (one an epoch, say); NumPy arrays and
    tensors of these will do. JSON has no NaN and no infinity: they are reported as text. Where
    Fashion-MNIST or its stand-in was loaded, the table says which, under the name ``data``. Call
    it once, in the lesson's last code cell.

    Raises:
        CourseError: there is no metric, or one is no number, text or list of numbers.
    """
    if not metrics:
        raise CourseError("report_metrics needs a result, as in report_metrics(test_loss=0.35).")
    values = {name: _plain(name, value) for name, value in metrics.items()}
    source = data_source()
    if source is not None:
        values["data"] = source
    texts = {name: _text(value) for name, value in values.items()}
    width = max(len(name) for name in texts)
    table = "\n".join(f"{name:{width}}  {text}" for name, text in texts.items())
    display({MIME_TYPE: values, "text/html": _html(texts), "text/plain": table}, raw=True)


def _plain(name: str, value: Any) -> Plain:
    """Return a value that JSON can hold."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):  # a ragged list
        array = np.array(None)
    texts = array.dtype.kind == "U"
    mixed = texts and isinstance(value, list) and not all(isinstance(each, str) for each in value)
    if array.ndim > 1 or array.dtype.kind not in "iufU" or not array.size or mixed:
        raise CourseError(
            f"report_metrics takes numbers, texts and lists of numbers, and {name} is a "
            f"{type(value).__name__}."
        )
    plain = array.tolist()
    return [_number(item) for item in plain] if isinstance(plain, list) else _number(plain)


def _number(value: Any) -> Any:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _text(value: Plain) -> str:
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _html(texts: dict[str, str]) -> str:
    rows = "".join(
        f'<tr><th scope="row" style="text-align:left">{html.escape(name.replace("_", " "))}</th>'
        f'<td style="text-align:left">{html.escape(text)}</td></tr>'
        for name, text in texts.items()
    )
    return f"<table><tbody>{rows}</tbody></table>"
