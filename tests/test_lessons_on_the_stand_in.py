"""The lessons that show Fashion-MNIST also run, and say so, where only the stand-in is there."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from short_training import SHORT

from course.catalog import lessons
from course.execution import execute
from course.notebooks import parameters_of
from utils.metrics import MIME_TYPE

ON_DATA = [lesson for lesson in lessons() if "load_fashion_mnist" in lesson.path.read_text("utf-8")]


@pytest.mark.parametrize("lesson", ON_DATA, ids=lambda lesson: lesson.name)
def test_a_lesson_runs_on_the_stand_in_and_says_so_on_figures_and_results(
    lesson, tmp_path: Path
) -> None:
    output = tmp_path / lesson.path.name
    parameters = {name: SHORT[name] for name in SHORT if name in parameters_of(lesson.path)}
    result = execute(lesson.path, output, parameters, environment={"COURSE_DATA": "stand-in"})
    assert result.failure is None
    outputs = [out for cell in nbformat.read(output, 4).cells for out in cell.get("outputs", [])]
    tables = [out.data[MIME_TYPE] for out in outputs if MIME_TYPE in out.get("data", {})]
    assert all(table["data"] == "stand-in" for table in tables)
    told = [out.data["text/plain"] for out in outputs if "text/plain" in out.get("data", {})]
    figures = [text for text in told if re.match(r"Figure: .*(image|curves|Confusion)", text)]
    assert any("stand-in" in text for text in told)
    assert all("stand-in" in text for text in figures)
