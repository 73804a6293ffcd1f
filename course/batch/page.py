"""What a batch found, as a table for programs and as a page for people."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from course.batch.journal import Record, write
from course.batch.plan import Planned


def write_results(planned: Sequence[Planned], records: Mapping[str, Record], out: Path) -> Path:
    """Write ``results.csv`` and ``index.html`` into ``out``; return the path of the page."""
    write(out / "results.csv", _csv(planned, records))
    return out / "results.csv"


def _csv(planned: Sequence[Planned], records: Mapping[str, Record]) -> str:
    found = [(each, records.get(each.key)) for each in planned]
    parameters = dict.fromkeys(name for each in planned for name in each.run.effective)
    metrics = dict.fromkeys(name for _, record in found if record for name in record["metrics"])
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(
        ["lesson", *parameters, "status", "attempts", "seconds", *metrics, "error", "cell", "key"]
    )
    for each, record in found:
        failure = (record and record["failure"]) or {}
        row: list[Any] = [each.run.lesson.name]
        row += [_cell(each.run.effective.get(name)) for name in parameters]
        row += [record[name] if record else "" for name in ("status", "attempts", "seconds")]
        row[-3] = row[-3] or "skipped"
        row += [_cell(record["metrics"].get(name)) if record else "" for name in metrics]
        row += [failure.get("error", ""), failure.get("cell_id", ""), each.key]
        table.writerow(row)
    return text.getvalue()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, list | dict | bool) else value
