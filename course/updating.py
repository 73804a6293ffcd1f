"""Refreshes the outputs stored in a lesson from a run of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from course.files import write_whole
from course.outputs import LOOSE, differences
from utils.errors import CourseError


def refresh_outputs(lesson: Path, executed: Path) -> list[str]:
    """Write the outputs of ``executed`` into ``lesson`` where they differ from those stored.

    A cell whose outputs are the same under the rules of ``course.outputs`` keeps them byte for
    byte, and so does everything that is not an output; code cells are numbered from 1. Cells
    tagged ``trained`` or ``timing`` tell of one run together, so that no two of them contradict
    each other: if one of them has to be refreshed, all of them are.

    Returns:
        The ids of the cells that were refreshed. When there is none, the file is not touched.

    Raises:
        CourseError: when the lesson was edited while it ran, or cannot be written.
    """
    text = lesson.read_text(encoding="utf-8")
    stored = json.loads(text)
    fresh = {cell["id"]: cell for cell in json.loads(executed.read_text(encoding="utf-8"))["cells"]}
    changed = set()
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
        if differences(_joined(cell["outputs"]), _joined(ran["outputs"]), _tags(cell)):
            changed.add(cell["id"])
    of_one_run = {
        cell["id"] for cell in stored["cells"] if cell.get("outputs") and _tags(cell) & LOOSE
    }
    if any(cell["id"] in changed and _tags(cell) & LOOSE for cell in stored["cells"]):
        changed |= of_one_run
    for cell in stored["cells"]:
        if cell.get("id") in changed:
            cell["outputs"] = fresh[cell["id"]]["outputs"]
        for output in cell.get("outputs", []):
            if "execution_count" in output:
                output["execution_count"] = cell["execution_count"]
    updated = json.dumps(stored, indent=1, ensure_ascii=False) + "\n"
    if json.loads(updated) != json.loads(text):
        _replace(lesson, updated)
    return [cell["id"] for cell in stored["cells"] if cell.get("id") in changed]


def _tags(cell: Mapping[str, Any]) -> set[str]:
    return set(cell["metadata"].get("tags", []))


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
