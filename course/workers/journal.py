"""What a folder remembers: one line for each job that is done, and who writes now."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from utils.errors import CourseError

Record = dict[str, Any]  # key, status, seconds and more, by the kind of job


@contextlib.contextmanager
def held(folder: Path, parts: Sequence[str] = ()) -> Iterator[None]:
    """Make ``folder`` and its ``parts`` where they are missing, and keep other commands out.

    Raises:
        CourseError: another command works there, or it cannot be written.
    """
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


def read_journal(folder: Path) -> list[Record]:
    """Return the records in their order, leaving out lines that were cut short."""
    try:
        lines = (folder / "journal.jsonl").read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise not_writable(folder, error) from None
    records = []
    for line in lines:
        with contextlib.suppress(ValueError):
            record = json.loads(line)
            if isinstance(record, dict) and "key" in record:
                records.append(record)
    return records


def append(folder: Path, record: Record) -> None:
    """Add a record as a line of its own, also after one that was cut short, and sync it."""
    line = json.dumps(record, ensure_ascii=False).encode() + b"\n"
    with (folder / "journal.jsonl").open("a+b", buffering=0) as journal:
        end = journal.seek(0, os.SEEK_END)
        if end:
            journal.seek(end - 1)
            if journal.read(1) != b"\n":
                line = b"\n" + line
        while line:  # a full disk takes a part, and raises at the next attempt
            line = line[journal.write(line) :]
        os.fsync(journal.fileno())
