"""Each exercise as a learner meets it: blank, opened from the file browser, run in JupyterLab."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab_in_browser import keep_screens, open_lesson, run_all, save
from playwright.sync_api import Page

EXERCISES = sorted((Path(__file__).parents[2] / "exercises").glob("*/*.ipynb"))


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
