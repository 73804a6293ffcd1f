"""The page of a batch as an instructor meets it: opened from a file, without a network."""

from __future__ import annotations

from pathlib import Path

import pytest
from batch_runs import run, write_spec, write_tiny
from playwright.sync_api import Page, expect

SPEC = """\
grid: {rate: [0.1, 0.2]}
seeds: [1, 2]
runs:
- {mode: error, seed: 1}
- {mode: error, seed: 2, rate: 0.2}
"""


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    write_tiny(folder)
    code, said = run(write_spec(folder, SPEC), folder / "out")
    assert code == 1, said
    return folder / "out"


@pytest.fixture
def shown(page: Page, batch: Path) -> Page:
    """Open the page; whatever it asks of a network, or its script complains of, is an error."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: asked.append(str(error)))
    page.goto((batch / "index.html").as_uri())
    assert [each for each in asked if not each.startswith("file://")] == []
    return page


def test_the_page_answers_which_setting_is_best_and_how_sure_that_is(shown: Page) -> None:
    verdict = shown.locator("#verdict")
    expect(verdict).to_contain_text("rate 0.2 has the highest accuracy: 0.7015 (mean of 2 runs")
    expect(verdict).to_contain_text("more than seeds explain")
    expect(shown.locator("#ranking tbody tr")).to_have_count(2)
    expect(shown.locator("#ranking tbody tr").first).to_contain_text("rate 0.2")


def test_the_page_says_what_failed_and_why(shown: Page) -> None:
    trouble = shown.locator(".trouble")
    expect(trouble).to_have_count(1)
    expect(trouble).to_contain_text("cell error, 2 runs: ZeroDivisionError")
    expect(trouble).to_contain_text("Every run with mode error failed here, and no other did.")
    expect(trouble.locator("pre")).to_contain_text("1 / 0")


def test_the_curves_of_all_runs_and_the_metric_by_parameter_are_drawn(shown: Page) -> None:
    expect(shown.locator("#curves .curve")).to_have_count(4)
    charts = shown.locator("#against svg")
    expect(charts).to_have_count(1)
    expect(charts).to_have_attribute(
        "aria-label", "accuracy against rate, 0.1: mean 0.6015; 0.2: mean 0.7015"
    )
    expect(charts.locator("circle.run")).to_have_count(4)
    expect(charts.locator("line.spread")).to_have_count(2)
    expect(charts.locator("rect.mean")).to_have_count(2)
    heights = "lines => lines.flatMap(line => [line.y1, line.y2].map(end => end.baseVal.value))"
    grid = charts.locator("line:not(.spread)").evaluate_all(heights)
    bars = charts.locator("line.spread").evaluate_all(heights)
    assert min(grid) - 0.01 <= min(bars) < max(bars) <= max(grid) + 0.01


def test_the_table_is_sorted_and_filtered(shown: Page) -> None:
    rows = shown.locator("#table tbody tr")
    expect(rows).to_have_count(6)
    button = shown.locator("#table th button", has_text="accuracy")
    button.click()
    expect(rows.first).to_contain_text("0.601")
    button.press("Enter")
    expect(rows.first).to_contain_text("0.702")
    expect(rows.last).to_contain_text("cell error")
    shown.locator("#status").select_option("cell_error")
    expect(shown.locator("#table tbody tr:visible")).to_have_count(2)
    expect(shown.locator("#shown")).to_have_text("2 of 6 runs")
    shown.locator("#filter").fill("rate 0.2")
    expect(shown.locator("#shown")).to_have_text("1 of 6 runs")


def test_the_links_lead_to_the_executed_notebooks(shown: Page) -> None:
    shown.locator("#table a", has_text="page").first.click()
    expect(shown.locator("body")).to_contain_text("The deed")
    assert "/runs/tiny-" in shown.url


def test_runs_that_differ_in_the_seed_alone_are_drawn_by_seed(page: Page, tmp_path: Path) -> None:
    write_tiny(tmp_path)
    code, said = run(write_spec(tmp_path, "seeds: [1, 2, 3]\n"), tmp_path / "out")
    assert code == 0, said
    page.goto((tmp_path / "out" / "index.html").as_uri())
    expect(page.locator("#against svg")).to_have_count(1)
    expect(page.locator("#against figcaption")).to_have_text("accuracy against seed")
    expect(page.locator("#against circle.run")).to_have_count(3)
    heights = page.locator("#against svg text[text-anchor=end]").all_text_contents()
    assert len(set(heights)) == len(heights) == 5


def test_a_single_run_has_no_heading_without_a_chart(page: Page, tmp_path: Path) -> None:
    write_tiny(tmp_path)
    code, said = run(write_spec(tmp_path, "runs: [{seed: 1}]\n"), tmp_path / "out")
    assert code == 0, said
    page.goto((tmp_path / "out" / "index.html").as_uri())
    expect(page.locator("#by-parameter")).to_be_hidden()
    expect(page.locator("#by-epoch")).to_be_visible()
