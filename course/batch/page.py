"""What a batch found, as a table for programs and as a page for people."""

from __future__ import annotations

import csv
import datetime
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from course.batch.plan import Planned, in_words
from course.batch.summary import (
    common_cause,
    ended_well,
    lower_is_better,
    metric_names,
    setting_of,
    settings,
    troubles,
    varied,
    verdict,
)
from course.files import write_whole
from course.pages import template
from course.report import MEANINGS, number
from course.workers.journal import Record
from course.workers.progress import duration

SKIPPED: Record = {"status": "skipped", "metrics": {}, "failure": None, "seconds": None}


def write_results(planned: Sequence[Planned], records: Mapping[str, Record], out: Path) -> Path:
    """Write ``results.csv`` and ``index.html`` into ``out``; return the path of the page."""
    write_whole(out / "results.csv", _csv(planned, records))
    write_whole(out / "index.html", _page(planned, records))
    return out / "index.html"


def _csv(planned: Sequence[Planned], records: Mapping[str, Record]) -> str:
    found = [(each, records.get(each.key, SKIPPED)) for each in planned]
    parameters = dict.fromkeys(name for each in planned for name in each.run.effective)
    metrics = dict.fromkeys(name for _, record in found for name in record["metrics"])
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(
        ["lesson", *parameters, "status", "seconds", "attempts", *metrics, "error", "cell", "key"]
    )
    for each, record in found:
        failure = record["failure"] or {}
        values = [each.run.effective.get(name) for name in parameters]
        values += [record.get(name) for name in ("status", "seconds", "attempts")]
        values += [record["metrics"].get(name) for name in metrics]
        values += [failure.get("error"), failure.get("cell_id"), each.key]
        table.writerow([each.run.lesson.name, *map(_cell, values)])
    return text.getvalue()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, list | dict | bool) else value


def _page(planned: Sequence[Planned], records: Mapping[str, Record]) -> str:
    found = [(each, records.get(each.key, SKIPPED)) for each in planned]
    lessons = list(dict.fromkeys(each.run.lesson for each in planned))
    groups = {lesson: [each for each in planned if each.run.lesson == lesson] for lesson in lessons}
    filters = {"number": number, "words": in_words, "duration": duration}
    return template("batch.html.jinja", **filters).render(
        found=found,
        lessons=lessons,
        statuses=list(dict.fromkeys(record["status"] for _, record in found)),
        labels=list(dict.fromkeys(name for each in planned for name in each.label)),
        metrics=metric_names(record for _, record in found),
        troubles=[
            (trouble, common_cause(trouble, planned)) for trouble in troubles(planned, records)
        ],
        meanings=MEANINGS,
        now=datetime.datetime.now(),
        data=_as_script(
            {lesson.name: _lesson_data(group, records) for lesson, group in groups.items()}
        ),
        verdicts={
            lesson: verdict(settings(group, records, names[0]), names[0])
            for lesson, group in groups.items()
            if (names := metric_names(_of(group, records)))
        },
    )


def _of(planned: Sequence[Planned], records: Mapping[str, Record]) -> list[Record]:
    return [records[each.key] for each in planned if each.key in records]


def _lesson_data(planned: Sequence[Planned], records: Mapping[str, Record]) -> dict[str, Any]:
    """Return what the page's script draws."""
    metrics = {}
    for name in metric_names(_of(planned, records)):
        ranked = settings(planned, records, name)
        metrics[name] = {
            "lower": lower_is_better(name),
            "verdict": verdict(ranked, name),
            "settings": [
                {"words": s.words, "mean": s.mean, "spread": s.spread, "n": len(s.values)}
                for s in ranked
            ],
        }
    good = ended_well(planned, records)
    names = varied(good)
    seeds = {each.label.get("seed") for each in good}
    runs = [
        {
            "label": {name: each.label.get(name) for name in [*names, "seed"]},
            "words": in_words(each.label),
            "setting": setting_of(each, names),
            "metrics": records[each.key]["metrics"],
        }
        for each in good
    ]
    return {"metrics": metrics, "runs": runs, "parameters": names or ["seed"] * (len(seeds) > 1)}


def _as_script(value: Any) -> str:
    """Return JSON that cannot end the script element in which it stands."""
    return json.dumps(value).replace("<", "\\u003c")
