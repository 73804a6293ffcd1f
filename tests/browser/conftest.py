"""A real Chromium, and one JupyterLab over a learner's copy of the lessons.

The browser is an installed Chromium, else Playwright's own, else the tests are skipped; with
COURSE_REQUIRE_BROWSER=1 they fail instead.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab_server import serving
from playwright.sync_api import Page, Playwright
from short_training import shortened

from course.lab import prepare

ROOT = Path(__file__).parents[2]

# Without these, Chromium looks for Google's servers again and again.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser_type_launch_args(playwright: Playwright) -> dict:
    """Take the installed Chromium, or Playwright's own."""
    names = ("chromium", "chromium-browser", "google-chrome")
    installed = next((path for name in names if (path := shutil.which(name))), None)
    if installed is None and not Path(playwright.chromium.executable_path).exists():
        message = "no Chromium: install it, or run `playwright install chromium`"
        if os.environ.get("COURSE_REQUIRE_BROWSER") == "1":
            pytest.fail(message)
        pytest.skip(message)
    own = {} if installed is None else {"executable_path": installed}
    return {"args": FLAGS, "headless": True, **own}


@pytest.fixture(scope="session")
def browser_context_args() -> dict:
    """Give the window the width for which the lessons are made."""
    return {"viewport": {"width": 1280, "height": 900}}


@pytest.fixture
def files(page: Page, lab: tuple[str, str]) -> Iterator[Page]:
    """Open JupyterLab with nothing but its file browser; afterwards shut all kernels down."""
    url, token = lab
    page.goto(f"{url}lab?token={token}&reset")
    page.locator(".jp-DirListing-item").first.wait_for(timeout=60_000)
    yield page
    headers = {"Authorization": f"token {token}"}
    sessions = page.request.get(f"{url}api/sessions", headers=headers).json()
    for session in sessions:
        page.request.delete(f"{url}api/sessions/{session['id']}", headers=headers)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Give address and token of a JupyterLab on a copy of the lessons without outputs."""
    home = tmp_path_factory.mktemp("lab")
    course = prepare(ROOT, home / "course").folder
    for lesson in course.glob("*.ipynb"):  # how it looks does not depend on how long it trained
        lesson.write_text(shortened(lesson.read_text("utf-8")), "utf-8")
    with serving(course, home) as found:
        yield found
