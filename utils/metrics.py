"""What a lesson measured, for the person who reads it and for the programs that run it."""

from __future__ import annotations

from IPython.display import display

from utils.data import data_source

MIME_TYPE = "application/vnd.tape-to-mlp.metrics+json"

Value = float | int | str | list[float]


def report_metrics(**metrics: Value) -> None:
    """Show a lesson's results as a small table and hand them to `course run` and batches.

    Each metric is a number, a text or a list of numbers (one an epoch, say). Where Fashion-MNIST
    or its stand-in was loaded, the table says which. Call it once, in the lesson's last code cell.
    """
    source = data_source()
    values = {name: _plain(value) for name, value in metrics.items()}
    if source is not None:
        values["data"] = source
    width = max(len(name) for name in values)
    text = "\n".join(f"{name:{width}}  {_text(value)}" for name, value in values.items())
    display({MIME_TYPE: values, "text/plain": text}, raw=True)


def _plain(value: Value) -> Value:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return [float(item) for item in value] if hasattr(value, "__len__") else float(value)


def _text(value: Value) -> str:
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
