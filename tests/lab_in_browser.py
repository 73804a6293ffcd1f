"""What a learner does in JupyterLab, done in a browser."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
from playwright.sync_api import Page

SCREENS = Path(__file__).parents[1] / "build" / "screens"
RUN_TIME = 600_000  # milliseconds that a notebook may take
PAGE = 2400  # pixels of a notebook on one screenshot

# Run All queues every cell at once, as [*], and after an error empties the queue.
FINISHED = """() => {
    const cells = document.querySelectorAll('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell');
    const prompts = [...cells].map(cell => cell.querySelector('.jp-InputPrompt').innerText);
    return prompts.some(prompt => /\\d/.test(prompt))
        && !prompts.some(prompt => prompt.includes('*'));
}"""


def open_lesson(page: Page, *path: str) -> None:
    for name in path:
        exactly = re.compile(f"^{re.escape(name)}$")
        page.locator(".jp-DirListing-itemText", has_text=exactly).dblclick()
    page.locator(".jp-NotebookPanel .jp-CodeCell").first.wait_for(timeout=60_000)


def run_all(page: Page) -> None:
    # Before the kernel has answered, Run All does nothing.
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for(timeout=60_000)
    page.locator(".lm-MenuBar-itemLabel", has_text=re.compile("^Run$")).click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile("^Run All Cells$")).click()
    page.wait_for_function(FINISHED, timeout=RUN_TIME, polling=500)


def save(page: Page, lab: tuple[str, str], name: str) -> nbformat.NotebookNode:
    """Save the lesson in JupyterLab and return what was saved."""
    url, token = lab
    with page.expect_response(
        lambda response: response.request.method == "PUT" and name in response.url
    ):
        page.locator(".jp-NotebookPanel").get_by_title(re.compile("^Save")).first.click()
    answer = page.request.get(
        f"{url}api/contents/{name}", headers={"Authorization": f"token {token}"}
    )
    return nbformat.from_dict(answer.json()["content"])


def keep_screens(page: Page, name: str) -> None:
    """Save the whole lesson as build/screens/NAME-1.png and so on."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    for old in SCREENS.glob(f"{name}-*.png"):
        old.unlink()
    lesson = page.locator(".jp-NotebookPanel .jp-WindowedPanel-outer")
    height = lesson.evaluate("element => element.scrollHeight")
    page.set_viewport_size({"width": 1280, "height": min(height, PAGE) + 130})
    for number, top in enumerate(range(0, height, PAGE), start=1):
        lesson.evaluate("(element, top) => element.scrollTo(0, top)", top)
        page.wait_for_timeout(200)
        lesson.screenshot(path=SCREENS / f"{name}-{number}.png")
