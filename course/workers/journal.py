"""What a folder remembers: one line for each job that is done, and who writes now."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple, get_args

from course.statuses import Failure, Status
from utils.errors import CourseError

Record = dict[str, Any]  # key, status, seconds and more, by the kind of job

KEY = re.compile(r"[^/\\\0]+-[0-9a-f]{16}")  # it becomes the name of a file
LONGEST_KEY = 240  # bytes
LARGEST = 1e15  # of a number of seconds or points

_appending = threading.Lock()


class Kept(NamedTuple):
    """What a command keeps in its folder."""

    what: str  # in words
    fields: dict[str, Any]  # what each of its records has at least, and of which type


BATCH = Kept(
    "a batch",
    {"lesson": str, "parameters": dict, "effective": dict, "metrics": dict, "failure": dict | None},
)
CLASS = Kept(
    "a class's grades",
    {"student": str, "assignment": str, "points": int | float, "of": int | float, "entered": bool},
)


@contextlib.contextmanager
def held(folder: Path, kept: Kept, parts: Sequence[str] = ()) -> Iterator[None]:
    """Make ``folder`` and its ``parts`` where they are missing, and keep other commands out.

    Raises:
        CourseError: another command works there or has worked there, or it cannot be written.
    """
    _records(folder, kept)
    try:
        for each in (folder, *(folder / part for part in parts)):
            each.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("a")
    except OSError as error:
        raise not_writable(folder, error) from None
    with lock:
        try:
            _lock(lock)
        except OSError:
            raise CourseError(
                f"Another command is writing to {folder}: wait for it to end, or name another"
                " folder with --out."
            ) from None
        yield


def _lock(file: IO[str]) -> None:
    """Lock a file for this process, or raise OSError."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def not_writable(folder: Path, error: OSError) -> CourseError:
    """Return what to raise where a folder cannot be written."""
    return CourseError(
        f"{folder} cannot be written ({error.strerror or error}): make room, or name another folder"
        " with --out; what has finished is kept, and the same command goes on after it."
    )


def read_journal(folder: Path, kept: Kept) -> list[Record]:
    """Return the records in their order; pass over lines that are none, and say so.

    Raises:
        CourseError: it is the journal of another command, or cannot be read.
    """
    records, passed_over = _records(folder, kept)
    if passed_over:
        lines = "1 line" if passed_over == 1 else f"{passed_over} lines"
        print(f"{lines} of {folder / 'journal.jsonl'} cannot be used: what is missing is repeated.")
    return records


def _records(folder: Path, kept: Kept) -> tuple[list[Record], int]:
    """Return the records, and how many lines are none."""
    try:
        lines = (folder / "journal.jsonl").read_bytes().splitlines()
    except FileNotFoundError:
        return [], 0
    except OSError as error:
        raise not_writable(folder, error) from None
    found = [_loaded(line) for line in lines if line]
    for other in (BATCH, CLASS):
        if other is not kept and any(_is_record(each, other) for each in found):
            raise CourseError(f"{folder} holds {other.what}: name another folder with --out.")
    records = [each for each in found if _is_record(each, kept)]
    return records, len(found) - len(records)


def _loaded(line: bytes) -> Any:
    """Return what a line holds, or None where that is no JSON or no text in UTF-8."""
    try:
        value = json.loads(line)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return value


def _is_record(value: Any, kept: Kept) -> bool:
    """Tell whether this is a whole record of that kind."""
    return (
        isinstance(value, dict)
        and all(
            _is_a(value.get(name), wanted)
            for name, wanted in {"key": str, "seconds": int | float, **kept.fields}.items()
        )
        and KEY.fullmatch(value["key"]) is not None
        and len(value["key"].encode()) <= LONGEST_KEY
        and value.get("status") in get_args(Status)
        and (not value.get("failure") or _is_failure(value["failure"]))
    )


def _is_a(value: Any, wanted: Any) -> bool:
    if wanted == int | float:
        return isinstance(value, wanted) and 0 <= value <= LARGEST
    return isinstance(value, wanted)


def _is_failure(value: dict[str, Any]) -> bool:
    texts = {*Failure._fields, "last_lines"} - {"cell_index"}
    return all(isinstance(value.get(name), str) for name in texts)


def append(folder: Path, record: Record) -> None:
    """Add a record as a line of its own, also after one that was cut short, and sync it."""
    line = json.dumps(record, ensure_ascii=False).encode() + b"\n"
    with _appending, (folder / "journal.jsonl").open("a+b", buffering=0) as journal:
        end = journal.seek(0, os.SEEK_END)
        if end:
            journal.seek(end - 1)
            if journal.read(1) != b"\n":
                line = b"\n" + line
        while line:  # a full disk takes a part, and raises at the next attempt
            line = line[journal.write(line) :]
        os.fsync(journal.fileno())
