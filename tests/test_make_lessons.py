"""`make lessons` runs every lesson to its end and makes pages that hold together."""

from __future__ import annotations

import json
import os
import re
import subprocess
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest
from short_training import SHORT

from course.catalog import lessons

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def lesson_pages() -> Path:
    """The folder that `make lessons` writes, written now; nbval runs the lessons in full."""
    options = " ".join(f"-p {name} {value}" for name, value in SHORT.items())
    subprocess.run(["make", "lessons", f"OPTIONS={options}"], cwd=ROOT, check=True, timeout=1200)
    return ROOT / "build" / "lessons"


def test_make_lessons_runs_every_lesson_to_its_end(lesson_pages: Path) -> None:
    record = json.loads((lesson_pages / "results.json").read_text(encoding="utf-8"))
    assert {each["lesson"]: each["status"] for each in record} == {
        lesson.name: "ok" for lesson in lessons()
    }
    if os.environ.get("COURSE_DATA") == "real":
        assert {each["metrics"].get("data", "Fashion-MNIST") for each in record} == {
            "Fashion-MNIST"
        }


def test_the_page_of_make_lessons_leads_to_every_lesson(lesson_pages: Path) -> None:
    page = (lesson_pages / "index.html").read_text(encoding="utf-8")
    for lesson in lessons():
        assert f'href="{lesson.name}.html"' in page and lesson.title in unescape(page)
        assert (lesson_pages / f"{lesson.name}.html").is_file()


def test_every_link_between_the_lessons_pages_leads_somewhere(lesson_pages: Path) -> None:
    pages = {path.name: path.read_text(encoding="utf-8") for path in lesson_pages.glob("*.html")}
    places = {name: set(re.findall(r'\bid="([^"]+)"', page)) for name, page in pages.items()}
    lost = []
    for name, page in pages.items():
        for target, place in re.findall(r'href="([\w-]+\.html)?(?:#([^"]*))?"', page):
            there = places.get(target or name)
            if there is None or (place and unescape(unquote(place)) not in map(unescape, there)):
                lost.append(f"{name} -> {target}#{place}")
    assert lost == []
