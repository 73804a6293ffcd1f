"""Refreshes the outputs stored in a lesson from a run of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from course.files import write_whole
from course.outputs import differences
from utils.errors import CourseError


def refresh_outputs(lesson: Path, executed: Path) -> list[str]:
    """Write the outputs of ``executed`` into ``lesson`` where they differ from those stored.

    A cell whose outputs are the same under the rules of ``course.outputs`` keeps them byte for
    byte, and so does everything that is not an output; code cells are numbered from 1.

    Returns:
        The ids of the cells that changed. When there is none, the file is not touched.

    Raises:
        CourseError: when the lesson was edited while it ran, or cannot be written.
    """
    text = lesson.read_text(encoding="utf-8")
    stored = json.loads(text)
    fresh = {cell["id"]: cell for cell in json.loads(executed.read_text(encoding="utf-8"))["cells"]}
    changed = []
    number = 0
    for cell in stored["cells"]:
        if cell["cell_type"] != "code":
            continue
        source = "".join(cell["source"])
        ran = fresh.get(cell.get("id"))
        if ran is None or "".join(ran["source"]) != source:
            raise CourseError(
                f"{lesson.name} was edited while it ran, or has cells without ids:"
                " run the update again."
            )
        if source.strip():
            number += 1
        cell["execution_count"] = number if source.strip() else None
        tags = set(cell["metadata"].get("tags", []))
        if differences(_joined(cell["outputs"]), _joined(ran["outputs"]), tags):
            cell["outputs"] = ran["outputs"]
            changed.append(cell["id"])
        for output in cell["outputs"]:
            if "execution_count" in output:
                output["execution_count"] = cell["execution_count"]
    updated = json.dumps(stored, indent=1, ensure_ascii=False) + "\n"
    if json.loads(updated) != json.loads(text):
        _replace(lesson, updated)
    return changed


def _joined(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return outputs with the file's lists of lines joined to texts, as nbformat reads them."""

    def join(value: Any) -> Any:
        lines = isinstance(value, list) and all(isinstance(line, str) for line in value)
        return "".join(value) if lines else value

    joined = []
    for output in outputs:
        output = dict(output)
        if "text" in output:
            output["text"] = join(output["text"])
        if "data" in output:
            output["data"] = {
                mime: value if mime.endswith("json") else join(value)
                for mime, value in output["data"].items()
            }
        joined.append(output)
    return joined


def _replace(path: Path, text: str) -> None:
    try:
        write_whole(path, text)
    except OSError as error:
        raise CourseError(f"{path} cannot be written: {error.strerror or error}.") from error
