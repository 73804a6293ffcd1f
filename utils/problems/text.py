"""What a learner reads, in English and in Korean."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

LANGUAGES = ("en", "ko")


class Text(NamedTuple):
    """One message in both languages."""

    en: str
    ko: str

    def format(self, **values: Any) -> Text:
        """Return the message with its ``{names}`` filled in, as `str.format` does, in both."""
        return Text(self.en.format(**values), self.ko.format(**values))

    def __add__(self, other: object) -> Text:  # type: ignore[override]
        """Return both messages, one after the other."""
        if not isinstance(other, Text):
            return NotImplemented
        return Text(f"{self.en} {other.en}", f"{self.ko} {other.ko}")

    def __str__(self) -> str:
        """Return the message in the language that ``COURSE_LANG`` names, English by default."""
        return self.ko if language() == "ko" else self.en


def language() -> str:
    """Return ``ko`` where ``COURSE_LANG`` begins with it (``ko``, ``ko_KR.UTF-8``), else ``en``."""
    return "ko" if os.environ.get("COURSE_LANG", "").lower().startswith("ko") else "en"
