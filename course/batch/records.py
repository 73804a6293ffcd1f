"""What is known of the runs of a batch."""

from __future__ import annotations

from pathlib import Path

from course.workers.journal import BATCH, Record, read_journal


def read_records(folder: Path) -> dict[str, Record]:
    """Return the last record of each run by its key.

    A run that is recorded with a notebook counts only if ``runs/`` has that notebook.
    """
    records = {each["key"]: {"notebook": False} | each for each in read_journal(folder, BATCH)}
    return {
        key: record
        for key, record in records.items()
        if not record["notebook"] or (folder / "runs" / f"{key}.ipynb").is_file()
    }
