"""Compares a cell's stored outputs with fresh ones, as a reader would.

Text must be the same to the letter, but for white space and for numbers with a fractional part,
which may differ by rounding. Figures must look the same and carry alt text. What a program cannot
repeat (colours of the terminal, memory addresses, seconds per step) is taken out first, and
stderr, where libraries log, is not compared.

Two cell tags loosen this:

``timing``
    The output depends on speed. Any number, with its unit of time, counts as any other; of a
    figure it is only checked that it is drawn and has alt text; of metrics only names and types.
``trained``
    The output depends on trained weights, which differ from processor to processor. As
    ``timing``; besides, any class name counts as any other, a right mark as a wrong one, and a
    row of class names as a single one, for their count may differ.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from course.figures import Figure, decode, figure_difference, find_figures, is_blank

LOOSE = {"timing", "trained"}  # the tags above
RELATIVE, ABSOLUTE = 1e-4, 1e-6  # the rounding allowed in a number with a fractional part

NOT_REPEATABLE = (
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
    (re.compile(r"0x[0-9a-fA-F]{6,16}"), "0xADDRESS"),
    (re.compile(r"\S*ipykernel_\d+[/\\]\d+\.py"), "CELL"),
    (re.compile(r"\b\d+(us|ms|s)/(step|epoch)"), r"TIME/\2"),
    (re.compile(r"(?<=\d/)(\d+) (\S+ )?- \d+s(?= )"), r"\1 \2- TIME"),
)
NUMBER = re.compile(
    r"(?:(?<![\w.)\]])[-+])?"  # a sign, not a minus between two numbers
    r"(?<![\w.])(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
)
UNIT_OF_TIME = r"(?:ns|us|µs|μs|ms|s|min|h|seconds?|minutes?|hours?|milliseconds?)"
CLASS_NAME = re.compile(
    r"T-shirt/top|Trouser|Pullover|Dress|Coat|Sandal|Shirt|Sneaker|Bag|Ankle boot", re.IGNORECASE
)
VERDICT = re.compile(r"[✓✔✗✘]|\b(?:right|wrong)\b")
IMAGE_TAG = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
# The ids of widgets are random, and their state is not in the output.
NOT_COMPARED = {"application/vnd.jupyter.widget-view+json"}

Output = Mapping[str, Any]


def differences(
    stored_outputs: Sequence[Output],
    fresh_outputs: Sequence[Output],
    tags: Iterable[str] = (),
    *,
    pictures: Path | None = None,
) -> list[str]:
    """Return a sentence for each difference that a reader would see: none where there is none.

    The outputs are nbformat's. ``pictures`` is where the two figures and their difference are
    saved, without the ending: ``build/figures/NAME`` gives ``build/figures/NAME-1.png``.
    """
    loose = set(tags) & LOOSE
    found = _text_difference(
        "The printed text", _printed(stored_outputs), _printed(fresh_outputs), loose
    )
    stored, fresh = _displayed(stored_outputs), _displayed(fresh_outputs)
    if len(stored) != len(fresh):
        return [
            *found,
            f"{len(stored)} results or figures were stored and {len(fresh)} came now: "
            f"{_kinds(stored)} against {_kinds(fresh)}.",
        ]
    for old, new in zip(stored, fresh, strict=True):
        for mime in sorted(old.keys() | new.keys()):
            if mime not in new:
                found.append(f"The output has no {mime} any more.")
            elif mime not in old:
                found.append(f"The output now has {mime}, and none was stored.")
            elif mime.startswith("image/") and mime != "image/svg+xml":
                figures = [Figure(decode(_text(bundle[mime])), "") for bundle in (old, new)]
                found += _figure_differences(figures[:1], figures[1:], loose, pictures)
            elif mime == "text/html":
                found += _html_differences(_text(old[mime]), _text(new[mime]), loose, pictures)
            elif mime.endswith("json"):
                found += _text_difference(
                    mime, _as_json(old[mime], loose), _as_json(new[mime], loose), loose
                )
            else:
                found += _text_difference(mime, _text(old[mime]), _text(new[mime]), loose)
    return found


def _printed(outputs: Sequence[Output]) -> str:
    """Return all of stdout; of a line that was written over, what stayed."""
    text = "".join(
        _text(output["text"])
        for output in outputs
        if output["output_type"] == "stream" and output["name"] == "stdout"
    )
    return re.sub(r"^.*\r(?=[^\n])", "", text, flags=re.MULTILINE)


def _displayed(outputs: Sequence[Output]) -> list[dict[str, Any]]:
    """Return what each display or result shows, by mime type; an error as plain text."""
    shown: list[dict[str, Any]] = []
    for output in outputs:
        if output["output_type"] == "error":
            shown.append({"error": f"{output['ename']}: {output['evalue']}"})
        elif output["output_type"] != "stream":
            shown.append({k: v for k, v in output["data"].items() if k not in NOT_COMPARED})
    return shown


def _kinds(bundles: Sequence[Mapping[str, Any]]) -> str:
    return "; ".join(", ".join(sorted(bundle)) for bundle in bundles) or "nothing"


def _text(value: str | list[str]) -> str:
    """Return a text that a notebook file may hold as a list of lines."""
    return value if isinstance(value, str) else "".join(value)


def _html_differences(old: str, new: str, loose: set[str], pictures: Path | None) -> list[str]:
    return [
        *_text_difference(
            "The HTML", IMAGE_TAG.sub(" FIGURE ", old), IMAGE_TAG.sub(" FIGURE ", new), loose
        ),
        *_figure_differences(find_figures(old), find_figures(new), loose, pictures),
    ]


def _figure_differences(
    stored: Sequence[Figure], fresh: Sequence[Figure], loose: set[str], pictures: Path | None
) -> list[str]:
    found = []
    for old, new in zip_longest(stored, fresh):
        if old is None or new is None:
            found.append(f"{len(stored)} figures were stored and {len(fresh)} came now.")
            break
        if not new.alt:
            found.append(
                "The figure has no alt text; with `import utils.plotting`, "
                "fig.set_label('...') gives it one."
            )
        elif not loose:
            found += _text_difference("The figure's alt text", old.alt, new.alt, loose)
        if loose:
            if is_blank(new.png):
                found.append("The figure is blank or no picture.")
            continue
        words, sheet = figure_difference(old.png, new.png)
        if not words:
            continue
        if sheet is not None and pictures is not None:
            path = _free(pictures)
            path.parent.mkdir(parents=True, exist_ok=True)
            sheet.save(path)
            words += f"; see {path} (stored, fresh, what changed)"
        found.append(f"{words[0].upper()}{words[1:]}.")
    return found


def _free(pictures: Path) -> Path:
    number = 1
    while (path := pictures.with_name(f"{pictures.name}-{number}.png")).exists():
        number += 1
    return path


def _as_json(value: Any, loose: set[str]) -> str:
    """Return a JSON output as text: where ``loose``, the types instead of the values."""
    if loose and isinstance(value, Mapping):
        value = {name: type(item).__name__ for name, item in value.items()}
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _text_difference(what: str, old: str, new: str, loose: set[str]) -> list[str]:
    old, new = _comparable(old, loose), _comparable(new, loose)
    if old == new:
        return []
    at = _first_difference(old, new)
    if at is None:
        return []
    return [f"{what} differs: stored {_around(old, at[0])}, now {_around(new, at[1])}."]


def _comparable(text: str, loose: set[str]) -> str:
    for pattern, stand_in in NOT_REPEATABLE:
        text = pattern.sub(stand_in, text)
    if loose:
        text = re.sub(rf"(?<![A-Za-z_])[-+]?(?:{NUMBER.pattern}|nan\b|inf\b)", "#", text)
        text = re.sub(rf"#(?:[.,:\s]+#)+|#\s*{UNIT_OF_TIME}\b", "#", text)
    if "trained" in loose:
        text = VERDICT.sub("VERDICT", CLASS_NAME.sub("CLASS", text))
        text = re.sub(r"CLASS(?:['\",\s]+CLASS)+", "CLASS", text)
        text = text.replace("VERDICT: the true class CLASS has #%", "VERDICT")
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r"(?<=[\[(]) | (?=[\])])", "", text)


def _first_difference(old: str, new: str) -> tuple[int, int] | None:
    """Return where two texts first differ by more than rounding, as a place in each."""
    olds, news = _pieces(old), _pieces(new)
    for (a, is_number, i), (b, other_is_number, j) in zip(olds, news, strict=False):
        if is_number and other_is_number:
            if not _same_number(a, b):
                return i, j
        elif a != b:
            same = next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), None)
            same = min(len(a), len(b)) if same is None else same
            return i + same, j + same
    return None if len(olds) == len(news) else (len(old), len(new))


def _pieces(text: str) -> list[tuple[str, bool, int]]:
    """Cut a text into numbers and what lies between: (piece, is it a number, where)."""
    pieces, end = [], 0
    for match in NUMBER.finditer(text):
        pieces += [(text[end : match.start()], False, end), (match.group(), True, match.start())]
        end = match.end()
    return [*pieces, (text[end:], False, end)]


def _same_number(old: str, new: str) -> bool:
    """Tell whether two numbers are the same; only with digits after the point is rounding allowed.

    NumPy writes whole floats as ``8.``, so that ``8.`` and ``8.0000005`` are the same, and ``8``
    and ``8.`` are not.
    """
    if old == new:
        return True
    kinds = [re.search(r"\.|[eE]", number) for number in (old, new)]
    if not all(kinds) or not any(re.search(r"\.\d|[eE]", number) for number in (old, new)):
        return False
    return math.isclose(float(old), float(new), rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def _around(text: str, at: int, reach: int = 30) -> str:
    start, end = max(0, at - reach), at + reach
    shown = text[start:end]
    return f"{'...' if start else ''}{shown!r}{'...' if end < len(text) else ''}"
