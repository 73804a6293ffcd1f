"""Texts for a learner as HTML, with what is code and what is stressed set apart."""

from __future__ import annotations

import html
import re

CODE = re.compile(r"(`[^`]+`)")
STRESSED = re.compile(r"(?<![\w*])\*([^\s*]|[^\s*][^*]*[^\s*])\*(?!\*)")


def marked(text: str) -> str:
    """Return HTML in which `` `code` `` and ``*stressed*`` of a text are set as such."""
    parts = CODE.split(html.escape(text))
    parts[::2] = [STRESSED.sub(r"<em>\1</em>", each) for each in parts[::2]]
    parts[1::2] = [f"<code>{each[1:-1]}</code>" for each in parts[1::2]]
    return "".join(parts)


def box(colour: str, title: str, text: str, after: str = "") -> str:
    """Return a box of HTML: a bold title, then a text as `marked` sets it, then more HTML."""
    style = (
        f"border-left:4px solid {colour};padding:.4em .9em;max-width:44em;"
        "background:var(--jp-layout-color2,#f4f4f4)"
    )
    return f'<div style="{style}"><b>{html.escape(title)}:</b> {marked(text)}{after}</div>'
