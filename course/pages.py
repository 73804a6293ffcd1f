"""The templates of the course's pages."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import markupsafe


@cache
def template(name: str, **filters: Callable[[Any], Any]) -> jinja2.Template:
    """Return a template of ours, which may use the filters."""
    loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    environment = jinja2.Environment(loader=loader, autoescape=True)
    environment.filters |= filters
    return environment.get_template(name)


def set_code(text: str) -> markupsafe.Markup:
    """Set what stands between backticks as code."""
    return markupsafe.Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text)))
