"""Reads the cells of a notebook, whatever has happened to the file, as far as a person could."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from utils.errors import CourseError

Kind = Literal["code", "markdown", "raw"]

MOST_CELLS = 1_000
MOST_CODE = 2_000_000  # characters
MOST_MEMORY = 600_000_000  # bytes that what is read of a file may take, about
# The last one may have no end: a search that looked for it would begin anew at every quote.
STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
KINDS: dict[str, Kind] = {  # by all the names that versions 1 to 4 of the format have had for them
    "code": "code",
    "markdown": "markdown",
    "text": "markdown",
    "html": "markdown",
    "heading": "markdown",
    "raw": "raw",
    "plaintext": "raw",
}


class Unreadable(CourseError):
    """A file that no cells can be read from. Its message is one sentence that says why."""


class Cell(NamedTuple):
    """What a cell says; what it has put out is left behind.

    Attributes:
        grader: nbgrader's metadata, empty where there is none.
        attachments: the pictures pasted into a text, by name and then by MIME type.
    """

    kind: Kind
    source: str
    id: str = ""
    grader: dict[str, Any] = {}  # noqa: RUF012  never written to
    attachments: dict[str, dict[str, str]] = {}  # noqa: RUF012

    @property
    def grade_id(self) -> str:
        """The name that nbgrader knows the cell by, or an empty text."""
        name = self.grader.get("grade_id")
        return clean(name) if isinstance(name, str) else ""


def read_cells(data: bytes) -> list[Cell]:
    """Return the cells of a notebook of any version of the format.

    The text may be UTF-8, UTF-16, UTF-32 or CP949. Fields that are missing or of a wrong type are
    passed over, and where a key is repeated the last one counts, as in Jupyter.

    Raises:
        Unreadable: no cells can be read from it.
    """
    if not data.strip():
        raise Unreadable("The file is empty.")
    if not data.strip(b"\0"):
        raise Unreadable("The file holds nothing but zeros: it was not saved whole.")
    notebook = _loaded(text_of(data))
    if not isinstance(notebook, dict):
        raise Unreadable(f"The file is no notebook: it holds {_called(notebook)} and no cells.")
    sheets = notebook.get("worksheets")  # before version 4
    parts = [notebook, *(sheets if isinstance(sheets, list) else [])]
    lists = [part["cells"] for part in parts if isinstance(part, dict) and "cells" in part]
    found = [cell for each in lists if isinstance(each, list) for cell in each]
    if not any(isinstance(each, list) for each in lists):
        raise Unreadable("The file is no notebook: it has no list of cells.")
    if len(found) > MOST_CELLS:
        raise Unreadable(f"The notebook has {len(found):,} cells; {MOST_CELLS:,} are the most.")
    cells = [_cell(each) for each in found if isinstance(each, dict)]
    if found and not cells:
        raise Unreadable("None of the notebook's cells can be read.")
    code = sum(len(cell.source) for cell in cells if cell.kind == "code")
    if code > MOST_CODE:
        raise Unreadable(f"The notebook has {code:,} letters of code; {MOST_CODE:,} are the most.")
    return cells


def text_of(data: bytes) -> str:
    if (encoding := json.detect_encoding(data)) != "utf-8":
        return data.decode(encoding, errors="replace").lstrip("\ufeff")
    try:
        return data.decode()
    except UnicodeDecodeError:
        text = data.decode(errors="replace")
    lost = text.count("\ufffd")
    if sum(not letter.isascii() for letter in text) > 2 * lost:
        return text  # UTF-8 all the same, with some damage
    try:
        return data.decode("cp949")
    except UnicodeDecodeError:
        return text


def _loaded(text: str) -> Any:
    if _is_too_much(text):
        raise Unreadable("The file holds too many small values: clear its outputs.")
    try:
        return json.JSONDecoder(strict=False, parse_int=_whole).raw_decode(text.lstrip())[0]
    except RecursionError:
        raise Unreadable("The file is nested too deeply to be a notebook.") from None
    except MemoryError:
        raise Unreadable("The file is too large to be read.") from None
    except json.JSONDecodeError as error:
        raise Unreadable(_why_no_json(text.strip(), error)) from None


def _whole(digits: str) -> float:
    """Return a whole number; infinity where it has more digits than Python reads."""
    try:
        return int(digits)
    except ValueError:
        return float(digits)


def _is_too_much(text: str) -> bool:
    """Tell whether lists, numbers and the like take many times the memory that their text takes."""
    if _memory_for(text) <= MOST_MEMORY:  # even with what is in strings
        return False
    memory = end = 0
    for found in STRING.finditer(text):
        memory += 60 + _memory_for(text[end : found.start()])
        end = found.end()
        if memory > MOST_MEMORY:
            return True
    return memory + _memory_for(text[end:]) > MOST_MEMORY


def _memory_for(text: str) -> int:
    return 60 * text.count(",") + 72 * text.count("[") + 240 * text.count("{")


def _why_no_json(text: str, error: json.JSONDecodeError) -> str:
    start = text[:200].lower()
    if "<html" in start or start.startswith("<!doctype"):
        return "The file is a web page: it is the notebook's own file that is needed."
    if start.startswith("pk\3\4"):
        return "The file is a zip archive: it has to be unpacked."
    if start.startswith("%pdf"):
        return "The file is a PDF: it is the notebook's own file that is needed."
    if re.search(r"^<{7} ", text, re.MULTILINE):
        return "The file holds an unresolved conflict of git (<<<<<<<)."
    if start.startswith("{") and not text.endswith("}"):
        return f"The file was cut short: it ends in the middle, in line {text.count(chr(10)) + 1}."
    return f"The file is no notebook: it is not JSON ({error.msg}, line {error.lineno})."


def _called(value: Any) -> str:
    if value is None:
        return "null"
    kinds = {list: "a list", str: "a text", bool: "true or false", int: "a number"}
    return kinds.get(type(value), "a number")


def _cell(raw: dict[str, Any]) -> Cell:
    metadata = raw.get("metadata")
    grader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    kind = KINDS.get(str(raw.get("cell_type")).lower())
    if kind is None or raw.get("cell_type") == "heading":  # there is no such thing since version 4
        kind = "code" if {"outputs", "execution_count", "input"} & raw.keys() else "markdown"
    source = _joined(raw.get("input") if raw.get("source") is None else raw["source"])
    if raw.get("cell_type") == "heading" and kind == "markdown":
        level = raw.get("level")
        source = "#" * (level if isinstance(level, int) and 0 < level < 7 else 1) + " " + source
    name = raw.get("id")
    return Cell(
        kind,
        source,
        clean(name) if isinstance(name, str) else "",
        grader if isinstance(grader, dict) else {},
        _attachments(raw.get("attachments")),
    )


def _joined(source: Any) -> str:
    lines = list(_texts(source))
    between = "" if any(line.endswith("\n") for line in lines[:-1]) else "\n"
    return clean(between.join(lines))


def _texts(source: Any) -> Iterator[str]:
    """Yield a text, or the texts in a list, however deep they lie."""
    waiting = [source]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, list):
            waiting += reversed(each)


def clean(text: str) -> str:
    """Return a text that can be encoded, with line feeds alone between its lines."""
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _attachments(value: Any) -> dict[str, dict[str, str]]:
    """Return what is well-formed of a cell's attachments."""
    if not isinstance(value, dict):
        return {}
    bundles = {clean(name): each for name, each in value.items() if isinstance(each, dict)}
    return {
        name: {clean(mime): _joined(content) for mime, content in bundle.items()}
        for name, bundle in bundles.items()
    }
