"""What a person sees of a graded notebook in nbgrader's formgrader: a learner's HTML is text."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from nbgrader.server_extensions.formgrader import handlers
from traitlets.config import Config

from course.catalog import ROOT
from course.grading import pair
from course.grading.job import _cut_short
from course.grading.results import Result, write_graded_notebook
from course.kernels.usual import kernel_environment
from utils.errors import CourseError

PNG = "iVBORw0KGgo="
SCRIPT = "<script>attack()</script><img src=x onerror=attack()>"


def written(folder: Path, *cells: NotebookNode) -> Path:
    """Write a graded notebook with these cells, all of them a learner's own."""
    for cell in cells:
        cell.metadata["tape_to_mlp"] = {"role": "own", "problems": []}
    text = nbformat.writes(new_notebook(cells=list(cells)))
    result = Result("key", "kim", "01", "", "ok", "", [], None, 1.0, 1, "full", [], text)
    write_graded_notebook(folder, result)
    return folder / "autograded" / "kim" / "01" / "01.ipynb"


def in_the_formgrader(path: Path) -> str:
    """Return the part of the formgrader's page that shows the notebook."""
    config = Config()
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    names = ("assignment_id", "notebook_id", "submission_id", "student", "notebook_path")
    about = dict.fromkeys(names, "01") | {"index": 0, "total": 1, "base_url": ""}
    page, _ = HTMLExporter(config=config).from_filename(str(path), resources=about)
    return page.partition('id="notebook-container"')[2]


def test_no_script_of_a_learners_reaches_the_formgrader(tmp_path: Path) -> None:
    size = {"image/png": {"width": "1 onerror=attack()"}}
    outputs = [
        new_output("display_data", {kind: SCRIPT, "text/plain": "in words"}, metadata=size)
        for kind in ("text/html", "image/svg+xml", "text/markdown", "text/latex")
    ]
    outputs += [
        new_output("display_data", {"application/javascript": "attack()"}),
        new_output("display_data", {"text/plain": SCRIPT, "image/png": PNG}, metadata=size),
        new_output("display_data", {"image/png": f'"{SCRIPT}'}),
        new_output("stream", text=SCRIPT),
        new_output("error", ename="Error", evalue=SCRIPT, traceback=[SCRIPT]),
    ]
    texts = [
        SCRIPT,
        f"``` mermaid\n{SCRIPT}\n```",
        f"- ${SCRIPT}$",
        "<script\n>attack()</script\n>",
        "<!-- --><iframe/src=attack()>",
        "[a](javascript:attack()) <javascript:attack()>",
        "[a](<java&Tab;script:attack()>)",
        "[a][b]\n\n[b]: &#106;avascript:attack()",
    ]
    cells = [new_code_cell(outputs=outputs), *map(new_markdown_cell, texts), new_raw_cell(SCRIPT)]
    page = in_the_formgrader(written(tmp_path, *cells))
    assert page.count("in words") == 4 and page.count("attack()") >= len(texts)
    for harm in (
        "<script>attack",
        "<script\n",
        "<img src=x",
        "<iframe",
        "=1 onerror",
        'href="java',
    ):
        assert harm not in page, harm
    assert f'src="data:image/png;base64,{PNG}"' in page


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("it holds that a < b and b<c", "it holds that a &lt; b and b&lt; c"),
        ("so $x<y$ is", "$x&lt; y$"),
        ("in code `x<y` and `f(x)<=2`", "<code>x&lt; y</code> and <code>f(x)&lt;=2</code>"),
        ("[a source](https://example.org)", '<a href="https://example.org">a source</a>'),
        ("[a][b]\n\n[b]: https://example.org", '<a href="https://example.org">a</a>'),
        ("![](attachment:)", "![] (attachment:)"),
        ("![그림](attachment:lost.png)", "![그림] (attachment:lost.png)"),
        ("이것은 **답**이에요 > 아니에요", "<strong>답</strong>이에요 &gt; 아니에요"),
    ],
)
def test_what_a_learner_wrote_stays_readable(source: str, shown: str, tmp_path: Path) -> None:
    assert shown in in_the_formgrader(written(tmp_path, new_markdown_cell(source)))


def test_a_picture_in_a_learners_text_is_shown(tmp_path: Path) -> None:
    pictures = {"plot.png": {"image/png": PNG}}
    cell = new_markdown_cell("![my plot](attachment:plot.png)", attachments=pictures)
    assert f"data:image/png;base64,{PNG}" in in_the_formgrader(written(tmp_path, cell))


def test_outputs_do_not_say_where_this_machine_has_python_and_the_course() -> None:
    said = f"{sysconfig.get_path('purelib')}/keras/a.py: UserWarning; {ROOT}/utils/b.py"
    left = "site-packages/keras/a.py: UserWarning; course/utils/b.py"
    stream, error, value = (
        _cut_short(output, [1000, 1000])
        for output in (
            new_output("stream", text=said),
            new_output("error", ename="Error", evalue=said, traceback=[said]),
            new_output("execute_result", {"text/plain": said}, execution_count=1),
        )
    )
    assert [stream.text, error.evalue, *error.traceback, value.data["text/plain"]] == [left] * 4


def test_a_kernel_that_cannot_be_prepared_is_not_the_learners_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = new_code_cell("import course_that_is_hidden")
    monkeypatch.setattr(pair, "_told", lambda what: hidden)
    environment = kernel_environment()
    with (
        pytest.raises(CourseError, match="could not be prepared: ModuleNotFoundError"),
        pair.open_pair(tmp_path, 20, environment=environment, judge_environment=environment),
    ):
        pass
