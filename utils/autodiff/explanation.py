"""What `explain_none` says: a cause, the line, and the words, as text and in Jupyter."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass

from utils.autodiff.recording import Place


@dataclass(frozen=True)
class Explanation:
    """What `explain_none` found; `str()` and Jupyter show it in words.

    `cause` is a short stable word ("fine" where no gradient is None), `source` the name of what
    the gradient is taken with respect to, `line` and `lineno` the learner's line, `home` what the
    number counts in ("the cell", a file's name, "the example" of a doctest, "" elsewhere), and
    `expression` the part of the line that is to blame.
    """

    cause: str
    what: str
    why: str
    mend: str = ""
    source: str | None = None
    line: str | None = None
    lineno: int | None = None
    home: str = ""
    function: str | None = None
    expression: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        return f"{self.what} {self.why}".strip()

    @property
    def where(self) -> str | None:
        if self.lineno is None:
            return None
        place = f"line {self.lineno}" + (f" of {self.home}" if self.home else "")
        if self.function and self.function.isidentifier():
            link = " that defines" if self.home.startswith("the ") else ", in"
            place += f"{link} {self.function}"
        if self.line is None:
            return place
        part = self.expression
        shown = part if part and part not in self.line else self.line  # over several lines
        return f"{place}: `{shown if len(shown) <= 100 else shown[:97] + '...'}`"

    def _rows(self) -> list[tuple[str, str]]:
        rows = [("Why", self.why), ("Where", self.where or ""), ("Mend", self.mend)]
        return [(name, text) for name, text in rows if text] + [("Note", n) for n in self.notes]

    def __str__(self) -> str:
        return "\n".join([self.what, *(f"  {name + ':':7}{text}" for name, text in self._rows())])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        fine = self.cause == "fine"
        colour = "#009E73" if fine else "#0072B2"
        cells = "".join(
            f'<tr><th style="text-align:left;vertical-align:top;padding:2px 12px 2px 0">{name}</th>'
            f'<td style="text-align:left;padding:2px 0">{_code_html(text)}</td></tr>'
            for name, text in self._rows()
        )
        return (
            f'<div style="border-left:4px solid {colour};padding:6px 12px;max-width:46em">'
            f"<strong>{_code_html(self.what)}</strong>"
            f'<table style="border:none;margin:4px 0 0 0">{cells}</table></div>'
        )


def _code_html(text: str) -> str:
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(text))


@dataclass(frozen=True)
class Finding:
    cause: str
    why: str
    mend: str = ""
    place: Place | None = None
    also: tuple[str, ...] = ()  # what stops the gradient besides


def said(
    finding: Finding,
    name: str | None = None,
    notes: Iterable[str] = (),
    what: str | None = None,
    none: int = 1,
    of: int = 1,
) -> Explanation:
    place = finding.place
    if what is None:
        what = f"The gradient with respect to `{name}` is None."
        if of > 1:
            what = (
                f"{none} of {of} gradients "
                + ("is" if none == 1 else "are")
                + (f" None: the one with respect to `{name}`" + (" first." if none > 1 else "."))
            )
    return Explanation(
        cause=finding.cause,
        what=what,
        why=finding.why,
        mend=finding.mend,
        source=name,
        line=place.line if place else None,
        lineno=place.lineno if place else None,
        home=place.home if place else "",
        function=place.function if place else None,
        expression=place.expression if place else None,
        notes=(*finding.also, *notes),
    )


def notes_on_others(names: list[str], none: list[int], findings: list[Finding]) -> list[str]:
    notes = []
    first = findings[0]
    told = (first.cause, first.place, first.also)
    same = [
        i
        for i, f in zip(none[1:], findings[1:], strict=True)
        if (f.cause, f.place, f.also) == told
        and f.why.replace(f"`{names[i]}`", f"`{names[none[0]]}`") == first.why
    ]
    if same:
        notes.append("The same holds for " + ", ".join(f"`{names[i]}`" for i in same) + ".")
    for i, finding in zip(none[1:], findings[1:], strict=True):
        if i in same:
            continue
        place = f" (line {finding.place.lineno})" if finding.place else ""
        notes.append(f"`{names[i]}` is None too{place}: {finding.why}")
    fine = [n for i, n in enumerate(names) if i not in none]
    if fine:
        verb = "are" if len(fine) > 1 else "is"
        shown = ", ".join(f"`{n}`" for n in fine[:6]) + (" ..." if len(fine) > 6 else "")
        notes.append(f"With respect to {shown} the gradient{'s' * (len(fine) > 1)} {verb} there.")
    return notes
