"""A real Chromium, and one JupyterLab over a learner's copy of the lessons.

The browser is an installed Chromium, else Playwright's own, else the tests are skipped; with
COURSE_REQUIRE_BROWSER=1 they fail instead.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright

from course.lab import lab_environment, prepare

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
# Every cell in the page, not only those in view; no question about news.
SETTINGS = {
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}


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
        lesson.write_text(
            re.sub(r"\bepochs = \d+ ", "epochs = 1 ", lesson.read_text("utf-8")), "utf-8"
        )
    with serving(course, home) as found:
        yield found


@contextmanager
def serving(root: Path, home: Path) -> Iterator[tuple[str, str]]:
    """Start a JupyterLab that shows ``root`` and keeps its own files in ``home``."""
    for name, settings in SETTINGS.items():
        path = home / "settings" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))
    folders = {
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
    }
    own = {name: str(home / folder) for name, folder in folders.items()}
    log = (home / "log.txt").open("wb")
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
            *(f"--ServerApp.port={_free_port()}", f"--ServerApp.root_dir={root}"),
        ],
        env=lab_environment() | own,
        cwd=root,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        yield _started(server, home)
    finally:
        server.terminate()
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:
            server.kill()
        log.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _started(server: subprocess.Popen, home: Path) -> tuple[str, str]:
    for _ in range(300):
        for file in (home / "runtime").glob("jpserver-*.json"):
            if text := file.read_text():
                answer = json.loads(text)
                return answer["url"], answer["token"]
        if server.poll() is not None:
            break
        time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{(home / 'log.txt').read_text()}")
