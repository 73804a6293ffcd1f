"""nbgrader's formgrader on a folder that `course grade` has written."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from classes import solved
from conftest import serving
from graded import grade
from playwright.sync_api import Page, expect

STUDENTS = ("김민수", "Ada")
ASSIGNMENT = "02_control_flow"


@pytest.fixture(scope="module")
def formgrader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    folder = tmp_path_factory.mktemp("formgrader")
    for student in STUDENTS:
        path = folder / "submitted" / student / ASSIGNMENT
        path.mkdir(parents=True)
        text = json.dumps(solved(ASSIGNMENT))
        (path / f"{ASSIGNMENT}.ipynb").write_text(text, encoding="utf-8")
    done = grade(folder / "submitted", folder / "out")
    assert done.code == 0, done.said
    with serving(folder / "out", folder / "home") as found:
        yield found


def test_formgrader_shows_the_class_and_opens_a_submission(
    page: Page, formgrader: tuple[str, str]
) -> None:
    url, token = formgrader
    page.goto(f"{url}lab?token={token}")  # the cookie that it gives is what formgrader asks for
    page.goto(f"{url}formgrader/manage_submissions/{ASSIGNMENT}")
    for student in STUDENTS:
        row = page.locator("tr", has_text=student)
        expect(row).to_contain_text("needs manual grading", timeout=60_000)
        expect(row).to_contain_text("21 / 23")
    page.goto(f"{url}formgrader/gradebook/{ASSIGNMENT}/{ASSIGNMENT}")
    page.locator("tbody a").first.click(timeout=60_000)
    expect(page.locator("body")).to_contain_text("root_and_slope", timeout=60_000)
    expect(page.locator(".score").first).to_be_visible()
