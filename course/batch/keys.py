"""What a run is known by: its key changes with everything that could change its result."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Any

from utils.data import load_fashion_mnist


@cache
def data_demand(uses_data: bool) -> dict[str, str]:
    """Return the environment that demands the data set which a batch on this machine uses.

    Where Fashion-MNIST is needed it is downloaded now, once, and no run can silently differ.
    """
    if not uses_data:
        return {}
    source = load_fashion_mnist(1, 1).source
    return {"COURSE_DATA": "stand-in" if source == "stand-in" else "real"}


def run_key(
    lesson: str, notebook: str, parameters: dict[str, Any], course: str, demand: dict[str, str]
) -> str:
    """Return the lesson's name with 16 hexadecimal digits.

    Args:
        notebook: the file's text. Outputs and metadata do not count, tags of cells do.
        parameters: the given ones and the lesson's own.
        course: what ``digest.course_digest`` returned.
        demand: what ``data_demand`` returned.
    """
    parts = [lesson, _source(notebook), parameters, course, demand]
    text = json.dumps(parts, sort_keys=True, default=repr)
    return f"{lesson}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


@cache
def _source(notebook: str) -> Any:
    try:
        cells = json.loads(notebook)["cells"]
        return [
            (cell["cell_type"], "".join(cell["source"]), cell["metadata"].get("tags", []))
            for cell in cells
        ]
    except (ValueError, LookupError, TypeError, AttributeError):
        return notebook
