"""The templates of the course's pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import markupsafe

from utils.boxes import marked


@cache
def template(name: str, **filters: Callable[[Any], Any]) -> jinja2.Template:
    """Return a template of ours, which may use the filters."""
    loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    environment = jinja2.Environment(loader=loader, autoescape=True)
    environment.filters |= filters
    return environment.get_template(name)


def set_marks(text: str) -> markupsafe.Markup:
    """Set what is marked in a text for learners as code or as stressed."""
    return markupsafe.Markup(marked(text))
