"""What a batch's folder remembers: one line for each run that is over, and who writes now."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from utils.errors import CourseError

Record = dict[str, Any]  # key, lesson, parameters, status, seconds, metrics, failure, attempts


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Make ``folder`` where it is missing, and keep it from any other batch.

    Raises:
        CourseError: another batch works there, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "runs").mkdir(exist_ok=True)
        lock = (folder / ".lock").open("a")
    except OSError as error:
        raise not_writable(folder, error) from None
    with lock:
        try:
            _lock(lock)
        except OSError:
            raise CourseError(
                f"Another batch is writing to {folder}: wait for it to end, or name another folder"
                " with --out."
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
    """Return what to raise where a batch's folder cannot be written."""
    return CourseError(
        f"{folder} cannot be written ({error.strerror or error}): make room, or name another folder"
        " with --out; runs that have finished are kept, and the same command goes on after them."
    )


def read_journal(folder: Path) -> dict[str, Record]:
    """Return the last record of each run by its key, leaving out lines that were cut short.

    A run that is recorded with a notebook counts only if ``runs/`` has that notebook.
    """
    records: dict[str, Record] = {}
    try:
        lines = (folder / "journal.jsonl").read_bytes().splitlines()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise not_writable(folder, error) from None
    for line in lines:
        with contextlib.suppress(ValueError, KeyError, TypeError):
            record = json.loads(line)
            records[record["key"]] = {"notebook": False} | record
    return {
        key: record
        for key, record in records.items()
        if not record["notebook"] or (folder / "runs" / f"{key}.ipynb").is_file()
    }


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
