"""Each lesson as a learner meets it: opened from the file browser and run in JupyterLab."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Page, expect

from course.figures import find_figures, is_blank

ROOT = Path(__file__).parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
EXERCISES = sorted((ROOT / "exercises").glob("*/*.ipynb"))
SCREENS = ROOT / "build" / "screens"
RUN_TIME = 600_000  # milliseconds that a lesson may take
PAGE = 2400  # pixels of a lesson on one screenshot
LESSON_LINK = re.compile(r"\]\((\d\d_\w+\.ipynb)#([^)]+)\)")

# Run All queues every cell at once, as [*], and after an error empties the queue.
FINISHED = """() => {
    const cells = document.querySelectorAll('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell');
    const prompts = [...cells].map(cell => cell.querySelector('.jp-InputPrompt').innerText);
    return prompts.some(prompt => /\\d/.test(prompt))
        && !prompts.some(prompt => prompt.includes('*'));
}"""
# What reaches beyond its own frame or beyond the window, by its cell.
TOO_WIDE = """() => {
    const panel = document.querySelector('.jp-NotebookPanel:not(.lm-mod-hidden)');
    const parts = '.jp-WindowedPanel-outer, .jp-OutputArea-output, .jp-MarkdownOutput, '
        + '.jp-MarkdownOutput table, .cm-scroller, img';
    return [...panel.querySelectorAll(parts)]
        .filter(part => part.scrollWidth > part.clientWidth + 1
            || part.getBoundingClientRect().right > window.innerWidth)
        .map(part => `${part.className || part.tagName}: ${part.scrollWidth} pixels `
            + `in ${part.clientWidth}: ${part.innerText.slice(0, 90)}`);
}"""
IMAGES = """() => {
    const panel = document.querySelector('.jp-NotebookPanel:not(.lm-mod-hidden)');
    return [...panel.querySelectorAll('.jp-OutputArea img')].map(image => ({
        alt: image.alt.trim(),
        html: image.outerHTML,
        drawn: image.complete && image.naturalWidth > 0,
    }));
}"""


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


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_runs_in_jupyterlab_with_every_figure_drawn_and_told(
    lesson: Path, files: Page, lab: tuple[str, str]
) -> None:
    open_lesson(files, lesson.name)
    run_all(files)
    images = files.evaluate(IMAGES)
    too_wide = files.evaluate(TOO_WIDE)
    keep_screens(files, lesson.stem)
    executed = save(files, lab, lesson.name)

    code = [cell for cell in executed.cells if cell.cell_type == "code" and cell.source.strip()]
    outputs = [(cell.id, output) for cell in code for output in cell.outputs]
    errors = [(name, out.evalue) for name, out in outputs if out.output_type == "error"]
    assert errors == []
    assert [cell.id for cell in code if cell.execution_count is None] == []
    assert [image["html"][:200] for image in images if not image["drawn"]] == []
    # "Image" is what JupyterLab says of a figure that has no words of its own.
    assert [image["html"][:200] for image in images if image["alt"] in ("", "Image")] == []
    figures = [figure for image in images for figure in find_figures(image["html"])]
    assert [figure.alt for figure in figures if is_blank(figure.png)] == []
    assert len(figures) == stored_figures(lesson)
    assert too_wide == []


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda path: path.stem)
def test_a_blank_exercise_runs_in_jupyterlab_and_says_so_at_every_check(
    exercise: Path, files: Page, lab: tuple[str, str]
) -> None:
    path = ("exercises", exercise.stem, exercise.name)
    open_lesson(files, *path)
    run_all(files)
    keep_screens(files, f"exercise_{exercise.stem}")
    executed = save(files, lab, "/".join(path))

    code = [cell for cell in executed.cells if cell.cell_type == "code" and cell.source.strip()]
    outputs = [output for cell in code for output in cell.outputs]
    assert [out.evalue for out in outputs if out.output_type == "error"] == []
    assert [cell.id for cell in code if cell.execution_count is None] == []
    checks = [cell for cell in code if cell.id.startswith("check-")]
    assert files.get_by_text("Not attempted").count() == len(checks) > 0


def stored_figures(lesson: Path) -> int:
    cells = nbformat.read(lesson, as_version=4).cells
    return sum(
        len(find_figures(output.get("data", {}).get("text/html", "")))
        for cell in cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )


def test_a_link_of_the_index_opens_a_lesson_and_finds_its_section(files: Page) -> None:
    start = LESSONS[0]
    links = [
        link
        for cell in nbformat.read(start, as_version=4).cells
        if cell.cell_type == "markdown"
        for link in LESSON_LINK.findall(cell.source)
        if link[0] in [lesson.name for lesson in LESSONS[1:]]
    ]
    assert links
    lesson_name, section = links[-1]
    link = files.locator(f'a[href*="/{lesson_name}"][href$="#{section}"]').first
    heading = files.locator(f'.jp-NotebookPanel [data-jupyter-id="{section}"]')
    current = files.locator(".lm-TabBar-tab.jp-mod-current .lm-TabBar-tabLabel")
    open_lesson(files, start.name)
    link.click()
    expect(current).to_have_text(lesson_name)
    heading.wait_for(timeout=60_000)
    # JupyterLab 4.6 goes to the section once the lesson is open: the second click does.
    files.locator(".lm-TabBar-tab", has_text=start.name).click()
    link.click()
    expect(current).to_have_text(lesson_name)
    expect(heading).to_be_in_viewport()
