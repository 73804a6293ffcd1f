"""What people write after options: a time in seconds, a size of memory, an address."""

from __future__ import annotations

import re

LONGEST = 604_800  # seconds
SECONDS = f"a number of seconds from 1 to {LONGEST}"

LEAST_MEMORY = 400 * 10**6  # bytes; a kernel that has TensorFlow in memory takes 300 MB
MOST_MEMORY = 10**15
MEMORY = "a size such as 2GB or 500MB, and not below 400MB"
UNITS = {"MB": 10**6, "GB": 10**9}


def is_seconds(value: object) -> bool:
    """Tell whether a value is a number of seconds that something may be given."""
    return type(value) in (int, float) and 1 <= value <= LONGEST  # type: ignore[operator]


def seconds(text: str) -> float | None:
    """Return the seconds in a text like ``90``; None if it is no such number."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if is_seconds(value) else None


def memory_size(text: str) -> int | None:
    """Return the bytes in a text like ``2 GB`` or ``500 MB``; None if it is no such size."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?) *(MB|GB)", text.strip(), re.IGNORECASE)
    size = float(match[1]) * UNITS[match[2].upper()] if match else 0
    return round(size) if LEAST_MEMORY <= size <= MOST_MEMORY else None


def address(text: str) -> str | None:
    """Return the address of a Dask scheduler; None if a text is none."""
    host = r"\[[0-9a-fA-F:.]+\]|[^\s/:\[\]]+"
    match = re.fullmatch(rf"(\w+://)?({host}):(\d{{1,5}})", text)
    return text if match and int(match[3]) < 2**16 else None


def not_empty(text: str) -> str | None:
    """Return the text; None if nothing is in it."""
    return text if text.strip() else None
