"""Each lesson as a learner meets it: opened from the file browser and run in JupyterLab."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from lab_in_browser import keep_screens, open_lesson, run_all, save
from playwright.sync_api import Page, expect

from course.figures import find_figures, is_blank

LESSONS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9][0-9]_*.ipynb"))
LESSON_LINK = re.compile(r"\]\((\d\d_\w+\.ipynb)#([^)]+)\)")

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
