"""What every lesson keeps to, read from its file; nothing is run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
from nbformat import NotebookNode

from course.figures import find_figures, is_blank

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
NAMES = [
    "00_start_here",
    "01_gradient_tape",
    "02_control_flow",
    "03_higher_order_gradients",
    "04_sequential_models",
    "05_fashion_mnist_mlp",
    "06_training_loop",
    "07_fast_training",
]
LESSONS = sorted(NOTEBOOKS.glob("*.ipynb"))
TAUGHT = [path for path in LESSONS if not path.name.startswith("00")]

LONGEST_CELL = 18  # lines of code, as ruff lays them out
LONGEST_HIDDEN_CELL = 20  # the reasons behind wrong guesses, folded away until the learner asks
LARGEST_FILE = 1_500_000  # bytes
SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
RANDOM_ID = re.compile(r"[0-9a-f]{6,}(-[0-9a-f]{4,})*")
KOREAN_TERM = re.compile(r"\([^()]*[가-힣][^()]*(?:\([^()]*\))?[^()]*\)")
MACHINE = re.compile(
    r"(?<![\w.])/(?:home|root|Users|tmp|var|usr|opt|work)/\w|\b[A-Z]:\\\\|ipykernel_\d|0x[0-9a-f]{6,}"
    r"|\.venv|site-packages|\.cc:\d+\]"  # the last: log lines of TensorFlow's C++ code
)
AMERICAN = re.compile(
    r"\b(?:\w*colors?|colored|coloring|grays?|grayscale|behaviors?|neighbors?|favor\w*|centers?|centered"
    r"|(?:initial|normal|visual|memor|real|recogn|general|regular|optim|summar|organ|minim|maxim)iz(?:e|es|ed|ing|ation)"
    r"|analyz(?:e|es|ed|ing)|labeled|labeling|modeling|traveled|catalog|math)\b",
    re.IGNORECASE,
)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")

each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
each_taught_lesson = pytest.mark.parametrize("lesson", TAUGHT, ids=lambda path: path.stem)


def read(lesson: Path) -> NotebookNode:
    return nbformat.read(lesson, as_version=4)


def code_cells(lesson: Path) -> list[NotebookNode]:
    return [cell for cell in read(lesson).cells if cell.cell_type == "code"]


def prose(lesson: Path) -> str:
    """Return the text of a lesson without code, formulas, addresses and quoted titles."""
    text = "\n\n".join(cell.source for cell in read(lesson).cells if cell.cell_type == "markdown")
    text = text.partition("\n## Sources")[0]
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return re.sub(r"`[^`]*`|\$\$?[^$]*\$\$?|\]\([^)]*\)|https?://\S+", "", text)


def headings(lesson: Path) -> list[str]:
    """Return the headings as JupyterLab shows them, without their marks."""
    return [
        re.sub(r"[`*$]|\[([^\]]*)\]\([^)]*\)", r"\1", line.lstrip("#").strip())
        for cell in read(lesson).cells
        if cell.cell_type == "markdown"
        for line in cell.source.splitlines()
        if re.match(r"#{1,6} ", line)
    ]


def figures(cell: NotebookNode) -> Iterator[tuple[bytes, str]]:
    for output in cell.outputs:
        yield from find_figures(output.get("data", {}).get("text/html", ""))


def is_guess(cell: NotebookNode) -> bool:
    return cell.source.startswith("guess = ") or "compare_guess(" in cell.source


def is_hidden(cell: NotebookNode) -> bool:
    return bool(cell.metadata.get("jupyter", {}).get("source_hidden"))


def test_the_lessons_are_the_eight_of_the_course_in_their_order() -> None:
    assert [path.stem for path in LESSONS] == NAMES


@each_lesson
def test_a_lesson_is_a_notebook_that_any_jupyter_reads(lesson: Path) -> None:
    notebook = read(lesson)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec == {
        "name": "python3",
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
    }
    assert notebook.metadata.language_info == {"name": "python"}
    assert lesson.stat().st_size < LARGEST_FILE


@each_lesson
def test_the_ids_of_the_cells_are_unique_and_say_what_the_cell_is(lesson: Path) -> None:
    ids = [cell.id for cell in read(lesson).cells]
    assert len(set(ids)) == len(ids)
    assert [name for name in ids if not SLUG.fullmatch(name) or RANDOM_ID.fullmatch(name)] == []


@each_lesson
def test_a_lesson_opens_with_objectives_needs_and_minutes(lesson: Path) -> None:
    notebook = read(lesson)
    first = notebook.cells[0].source
    assert first.startswith(f"# {int(lesson.name[:2])}. ")
    objectives = first.partition("**You will be able to**")[2].partition("**You need**")[0]
    numbers = [int(number) for number in re.findall(r"^(\d+)\. \w", objectives, re.MULTILINE)]
    assert len(numbers) >= 3
    assert numbers == list(range(1, len(numbers) + 1))
    minutes = re.search(r"\*\*Minutes\*\*\D*(\d+)", first)
    assert minutes and int(minutes[1]) == notebook.metadata.course.minutes


@each_lesson
def test_a_lesson_ends_with_recap_what_comes_next_and_sources(lesson: Path) -> None:
    assert headings(lesson)[-3:] == ["Recap", "What comes next", "Sources"]


@each_lesson
def test_parameters_are_explained_and_checked_before_anything_is_computed(lesson: Path) -> None:
    cells = code_cells(lesson)
    tagged = [n for n, cell in enumerate(cells) if "parameters" in cell.metadata.get("tags", [])]
    assert tagged == [0]
    lines = [line for line in cells[0].source.splitlines() if line and not line.startswith("#")]
    assert all(re.match(r"\w+ = [^#]+  # \w", line) for line in lines)
    names = [line.split(" = ")[0] for line in lines]
    assert "seed" in names
    checks = [
        node
        for node in ast.walk(ast.parse(cells[1].source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "check_parameters"
    ]
    assert [sorted(str(keyword.arg) for keyword in check.keywords) for check in checks] == [
        sorted(names)
    ]
    assert "keras.utils.set_random_seed(seed)" in cells[1].source


@each_lesson
def test_code_cells_are_short(lesson: Path) -> None:
    cells = {cell.id: (cell.source.count("\n") + 1, is_hidden(cell)) for cell in code_cells(lesson)}
    assert {
        name: lines
        for name, (lines, hidden) in cells.items()
        if lines > (LONGEST_HIDDEN_CELL if hidden else LONGEST_CELL)
    } == {}


@each_lesson
def test_the_reasons_behind_wrong_guesses_are_folded_away(lesson: Path) -> None:
    showing = [c.id for c in code_cells(lesson) if "because=" in c.source and not is_hidden(c)]
    assert showing == []


@each_lesson
def test_prose_leads_to_every_step(lesson: Path) -> None:
    """At most three code cells follow each other, guesses and their answers not counted."""
    cells = [cell for cell in read(lesson).cells if not is_guess(cell)]
    runs = [list(run) for _, run in groupby(cells, key=lambda cell: cell.cell_type)]
    ids = [[cell.id for cell in run] for run in runs if run[0].cell_type == "code"]
    assert [run for run in ids[1:] if len(run) > 3] == []


@each_taught_lesson
def test_a_lesson_asks_for_guesses_and_stores_none(lesson: Path) -> None:
    sources = [cell.source for cell in code_cells(lesson)]
    guesses = [line for source in sources for line in source.splitlines() if "guess =" in line]
    assert len(guesses) >= 3
    assert [line for line in guesses if not re.match(r"\w*guess = \.\.\.", line.strip())] == []
    assert sum(source.count("compare_guess(") for source in sources) == len(guesses)


@each_lesson
def test_every_cell_was_run_in_order_and_none_failed(lesson: Path) -> None:
    cells = [cell for cell in code_cells(lesson) if cell.source.strip()]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [(cell.id, output) for cell in cells for output in cell.outputs]
    assert [name for name, output in outputs if output.output_type == "error"] == []
    silent = [
        cell.id
        for cell in cells
        if not cell.outputs
        and any(
            isinstance(node, ast.Expr)
            and ast.unparse(node).startswith(("print(", "compare_guess("))
            for node in ast.parse(cell.source).body
        )
    ]
    assert silent == []


@each_lesson
def test_no_output_shows_a_machine(lesson: Path) -> None:
    text = re.sub(r"data:image/png;base64,[\w+/=]+", "", lesson.read_text(encoding="utf-8"))
    assert [text[m.start() - 30 : m.end() + 30] for m in MACHINE.finditer(text)] == []


@each_lesson
def test_every_figure_is_drawn_and_has_alt_text(lesson: Path) -> None:
    cells = code_cells(lesson)
    pictures = [
        cell.id for cell in cells for out in cell.outputs if "image/png" in out.get("data", {})
    ]
    assert pictures == []  # JupyterLab shows an image/png without its alt text
    shown = [(cell.id, *figure) for cell in cells for figure in figures(cell)]
    assert [name for name, _, alt in shown if len(alt.split()) < 3] == []
    assert [name for name, png, _ in shown if is_blank(png)] == []


@each_taught_lesson
def test_a_figure_carries_the_idea(lesson: Path) -> None:
    assert any(True for cell in code_cells(lesson) for _ in figures(cell))


@each_lesson
def test_a_lesson_imports_nothing_of_the_machinery(lesson: Path) -> None:
    for cell in code_cells(lesson):
        for node in ast.walk(ast.parse(cell.source)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not any(name.split(".")[0] == "course" for name in names), cell.id


@each_lesson
def test_korean_terms_stand_beside_the_english_ones(lesson: Path) -> None:
    assert len(set(KOREAN_TERM.findall(prose(lesson)))) >= (1 if lesson.name[:2] == "00" else 5)


def glossary() -> list[list[str]]:
    """Return the rows of the glossary: English, Korean, in a few words."""
    [cell] = [cell for cell in read(LESSONS[0]).cells if cell.id == "glossary"]
    rows = [line.strip("| ").split(" | ") for line in cell.source.splitlines() if "|" in line]
    return rows[2:]


@pytest.mark.parametrize("row", glossary(), ids=lambda row: row[0])
def test_a_lesson_introduces_the_korean_term_of_the_glossary(row: list[str]) -> None:
    """Each main term, without other spellings of it, stands in brackets beside the English one."""
    taught = "".join(
        cell.source for path in TAUGHT for cell in read(path).cells if cell.cell_type == "markdown"
    )
    main = re.sub(r" \(.*?\)", "", row[1]).split(", ")
    assert [term for term in main if not re.search(rf"\([^()]*{term}[^()]*\)", taught)] == []
    assert len(main) == len(row[0].split(", "))


def test_the_map_has_the_minutes_of_the_lessons() -> None:
    [cell] = [cell for cell in read(LESSONS[0]).cells if cell.id == "map"]
    minutes = re.findall(r"\(([^)]+)\.ipynb\) \| (\d+) \|", cell.source)
    assert minutes == [(path.stem, str(read(path).metadata.course.minutes)) for path in TAUGHT]


@each_lesson
def test_prose_is_spelt_the_british_way(lesson: Path) -> None:
    assert sorted({match.group() for match in AMERICAN.finditer(prose(lesson))}) == []


@each_lesson
def test_every_link_leads_somewhere(lesson: Path) -> None:
    broken = []
    for cell in read(lesson).cells:
        for link in LINK.findall(cell.source) if cell.cell_type == "markdown" else []:
            file, _, heading = unquote(link).partition("#")
            if re.match(r"https?:", file):
                continue
            target = lesson.parent / file if file else lesson
            anchors = (
                {text.replace(" ", "-") for text in headings(target)}
                if target.suffix == ".ipynb" and target.exists()
                else set()
            )
            if not target.exists() or (heading and heading not in anchors):
                broken.append(link)
    assert broken == []


def test_two_pictures_of_one_image_tell_of_the_same_prediction() -> None:
    """Image 40, a shirt: alone, and as the first of a sheet in which 44 is the other shirt."""
    cells = {cell.id: cell for cell in code_cells(NOTEBOOKS / "05_fashion_mnist_mlp.ipynb")}
    (_, alone), (_, sheet) = (
        next(figures(cells[name])) for name in ("prediction-forty", "prediction-sheet")
    )
    found = re.search(r"classes: (.+) is predicted with ([\d.]+)%, which is (right|wrong)", alone)
    assert found
    predicted, percent, verdict = found.groups()
    mistakes = re.findall(r"([A-Z][\w/ -]*) taken for ([A-Z][\w/ -]*) \((\d+)%\)", sheet)
    if verdict == "wrong":
        assert mistakes[0][:2] == ("Shirt", predicted), (alone, sheet)
        assert abs(int(mistakes[0][2]) - float(percent)) < 0.6
    else:
        assert [true for true, _, _ in mistakes].count("Shirt") <= 1, (alone, sheet)
