"""A notebook that was handed in becomes one that can be graded, and no answer gets lost."""

from __future__ import annotations

import ast
import json
import random
import re
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest
from classes import FAULTS, Fault, HandedIn, asked_in, solved, write_spoiled
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from course.catalog import assignments
from course.grading.cells import Cell
from course.grading.exercise import Exercise
from course.grading.repair import Repaired, Unreadable, exercise_of, read_cells, repaired
from course.grading.side_effects import may_spoil, only_defines
from course.grading.sources import names_bound, parse
from course.grading.submissions import find_submissions, read_whole

Json = dict[str, Any]

NAMES = [each.name for each in assignments()]
TAPE, FLOW, MLP, LOOP = NAMES[0], NAMES[1], NAMES[4], NAMES[5]
SPOILING = [each for each in FAULTS.values() if each.about in ("file", "cells")]
EXERCISE = cache(lambda name: exercise_of(next(e for e in assignments() if e.name == name)))


def repair(notebook: Json, name: str = FLOW) -> Repaired:
    done = repaired(read_cells(json.dumps(notebook).encode()), EXERCISE(name))
    nbformat.validate(done.notebook)
    return done


def by_name(notebook: Json, name: str) -> Json:
    def has_it(cell: Json) -> bool:
        return bool(cell["metadata"].get("nbgrader", {}).get("grade_id") == name)

    return next(filter(has_it, notebook["cells"]))


def code(source: str, name: str = "mine") -> Json:
    cell = {"cell_type": "code", "id": name, "metadata": {}, "outputs": []}
    return cell | {"execution_count": None, "source": source}


def text(source: str, kind: str = "markdown") -> Json:
    return {"cell_type": kind, "id": "mine", "metadata": {}, "source": source}


def notebook_of(*cells: Json) -> bytes:
    return json.dumps({"cells": cells}).encode()


def put(notebook: Json, cell: Json, *, after: str) -> None:
    cells = notebook["cells"]
    cells.insert(cells.index(by_name(notebook, after)) + 1, cell)


def roles(done: Repaired, role: str) -> list[str]:
    return [c.source for c in done.notebook.cells if c.metadata.tape_to_mlp.role == role]


def place(done: Repaired, words: str) -> int:
    """Return the place of the only cell that holds these words."""
    (found,) = [n for n, cell in enumerate(done.notebook.cells) if words in cell.source]
    return found


def said(done: Repaired) -> str:
    return " ".join(done.remarks)


def judged(done: Repaired) -> dict[str, str]:
    """Return what each name stands for that a check asks for, when its turn comes: the last
    definition that has been run by then."""
    there: dict[str, str] = {}
    seen: dict[str, str] = {}
    for cell in done.notebook.cells:
        for statement in parse(cell.source) or [] if cell.cell_type == "code" else []:
            there |= {name: ast.dump(statement) for name in names_bound([statement])}
        if cell.metadata.tape_to_mlp.role == "check":
            slot = EXERCISE_BY_CHECK[cell.id].slots[cell.id]
            seen |= {name: there.get(name, "nothing") for name in slot.asks}
    return seen


EXERCISE_BY_CHECK = {check: EXERCISE(name) for name in NAMES for check in EXERCISE(name).checks}


def answers_in(notebook: Json) -> dict[str, str]:
    """Return what each name that is asked for stands for in a notebook as it was written."""
    asked = {
        n for name in NAMES for c in asked_in(name).cells.values() for ns in c.values() for n in ns
    }
    found: dict[str, str] = {}
    for cell in notebook["cells"]:
        if cell["metadata"]["nbgrader"]["solution"] and cell["cell_type"] == "code":
            for statement in parse("".join(cell["source"])) or []:
                found |= {name: ast.dump(statement) for name in names_bound([statement]) & asked}
    return found


# What is right stays as it is


@pytest.mark.parametrize("name", NAMES)
def test_a_faultless_notebook_stays_as_it_is_and_nothing_is_said(name: str) -> None:
    notebook = solved(name)
    done = repair(notebook, name)
    assert [cell.source for cell in done.notebook.cells] == [
        "".join(cell["source"]) for cell in notebook["cells"]
    ]
    assert done.remarks == () and judged(done).items() >= answers_in(notebook).items()
    assert done.answered == tuple(dict.fromkeys([*asked_in(name).cells, done.answered[-1]]))


@pytest.mark.parametrize("name", NAMES)
def test_a_blank_exercise_has_no_answers_and_nothing_is_said(name: str) -> None:
    path = Path(__file__).parents[2] / "exercises" / name / f"{name}.ipynb"
    done = repair(json.loads(path.read_text(encoding="utf-8")), name)
    assert done.answered == () and done.remarks == ()


@pytest.mark.parametrize("name", NAMES)
def test_each_cell_says_whose_it_is_and_which_problems_it_belongs_to(name: str) -> None:
    notebook = solved(name)
    for cell in repair(notebook, name).notebook.cells:
        role, problems = cell.metadata.tape_to_mlp.values()
        kind, *number = cell.id.split("-")
        expected = {"answer": "answer", "written": "answer", "check": "check"}
        assert role == expected.get(kind, "instructor")
        if role in ("answer", "check"):
            assert problems == [".".join(number[:2])]


@pytest.mark.parametrize("name", NAMES)
def test_hidden_tests_and_solutions_are_beside_the_notebook_and_not_in_it(name: str) -> None:
    done = repair(solved(name), name)
    assert "HIDDEN" not in json.dumps(done.notebook) and "SOLUTION" not in json.dumps(done.notebook)
    checks = [cell for cell in done.notebook.cells if cell.metadata.tape_to_mlp.role == "check"]
    assert [cell.id for cell in checks] == list(done.checks)
    for cell in checks:
        assert "BEGIN HIDDEN TESTS" in done.checks[cell.id]
        assert done.checks[cell.id].endswith(cell.source)


# Every fault of the class


@pytest.mark.parametrize(
    ("name", "fault"),
    [(n, f) for n in (TAPE, LOOP) for f in SPOILING if (n, f.name) != (TAPE, "large_outputs")],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_fault_costs_no_answer_and_is_said(name: str, fault: Fault, tmp_path: Path) -> None:
    handed_in = write_spoiled(tmp_path, fault.name, name)
    (submission,) = find_submissions(tmp_path)
    remarks = [submission.reason, *submission.remarks]
    assert (submission.notebook is None) == (fault.keeps == "none")
    if submission.notebook:
        done = repaired(read_cells(read_whole(submission.notebook)), EXERCISE(name))
        nbformat.validate(done.notebook)
        remarks += done.remarks
        lost = {handed_in.problem} if fault.keeps == "but_one" else set()
        assert {*asked_in(name).cells} - {*done.answered} == lost
        written, seen = answers_in(solved(name)), judged(done)
        changed = {each for each in written if seen[each] != written[each]}
        assert changed == {n for p in lost | changed_in(handed_in) for n in names_of(name, p)}
    assert re.search(fault.said, " ".join(remarks)), remarks
    assert fault.said or not any(remarks), remarks


CHANGING = ("another_name_in_the_check", "helpers_overwritten_by_a_trial")


def names_of(assignment: str, problem: str) -> list[str]:
    return [name for names in asked_in(assignment).cells[problem].values() for name in names]


def changed_in(handed_in: HandedIn) -> set[str]:
    """Return the problem whose answer's own text a fault changes."""
    is_changed = handed_in.student in CHANGING
    return {handed_in.problem} if is_changed else set()


# The instructor's cells


def test_what_was_added_to_the_setup_is_kept_and_nothing_of_the_exercise_is_replaced() -> None:
    notebook = solved(LOOP)
    setup = by_name(notebook, "setup")
    setup["source"] = (
        "import math, numpy as np\nimport keras\nimport torch as tf\n"
        "from utils.checks import check, hint, other_cases\n%matplotlib inline\n"
        "# for all plots\nBLUE = '#0072B2'; RED = '#D55E00'\ncheck = lambda *answers: 'right'\n"
    )
    done = repair(notebook, LOOP)
    assert by_name(done.notebook, "setup").source == EXERCISE(LOOP).slots["setup"].text
    assert roles(done, "own") == [
        "import math\nfrom utils.checks import other_cases\n%matplotlib inline\n"
        "# for all plots\nBLUE = '#0072B2'; RED = '#D55E00'"
    ]
    assert "left out: check." in said(done)


def test_a_function_of_the_exercise_that_was_changed_is_the_exercises_again() -> None:
    notebook = solved(TAPE)
    errors = by_name(notebook, "errors")
    errors["source"] = (
        "def errors(*inputs):\n    return helper()\n\n\ndef helper():\n    return 0.0\n"
    )
    done = repair(notebook, TAPE)
    assert roles(done, "own") == ["def helper():\n    return 0.0"]
    assert place(done, "def helper") == place(done, "def errors(parameters") + 1
    assert not any("def errors(*inputs)" in cell.source for cell in done.notebook.cells)


def test_a_helper_written_into_a_check_is_there_when_its_turn_comes() -> None:
    notebook = solved(FLOW)
    by_name(notebook, "answer-2-3")["source"] = "def huber(error, delta):\n    return size(error)"
    check = by_name(notebook, "check-2-3")
    check["source"] = f"def size(x):\n    return abs(x)\n\n\n{check['source'][0]}"
    done = repair(notebook)
    helper = place(done, "def size")
    assert helper == place(done, "def huber") + 1 == place(done, 'check("2.3"') - 1
    assert done.notebook.cells[helper].metadata.tape_to_mlp.role == "own"


def test_a_check_without_its_label_that_was_changed_is_the_exercises_again() -> None:
    notebook = solved(FLOW)
    check = by_name(notebook, "check-2-3")
    check |= {"metadata": {}, "id": "x", "source": "check('2.3', huber, huber)\nprint('done')"}
    done = repair(notebook)
    assert by_name(done.notebook, "check-2-3").source == 'check("2.3", huber)'
    assert roles(done, "own") == ["print('done')"] and "changed" in said(done)


def test_a_text_of_the_exercise_is_the_exercises_again_and_notes_in_it_are_kept() -> None:
    notebook = solved(FLOW)
    problem = by_name(notebook, "problem-2-2")
    given_text = "".join(problem["source"])
    problem["source"] = given_text.replace("slope", "Slope", 1) + "\n\n**내 생각**: 조건문을 쓴다."
    done = repair(notebook)
    assert by_name(done.notebook, "problem-2-2").source == given_text
    assert roles(done, "own") == ["**내 생각**: 조건문을 쓴다."]


@pytest.mark.parametrize("after", ["answer-2-3", "check-2-3"])
def test_what_an_answer_needs_and_does_not_name_stays_above_it(after: str) -> None:
    notebook = solved(FLOW)
    put(notebook, code("from mine import huber", "imports"), after=after)
    put(notebook, code("%%writefile mine.py\nhuber = abs", "writes"), after=after)
    by_name(notebook, "answer-2-3")["source"] = "def huber(error, delta):\n    ..."
    done = repaired(read_cells(json.dumps(notebook).encode()), EXERCISE(FLOW))
    places = [place(done, words) for words in ("writefile", "from mine", 'check("2.3"')]
    assert places == sorted(places)


def test_a_learners_own_cells_stay_beside_what_they_followed() -> None:
    notebook = solved(FLOW)
    put(notebook, code("x = 1  # mine", "first"), after="answer-2-2")
    put(notebook, text("a thought"), after="check-2-2")
    notebook["cells"].insert(0, code("import os", "zero"))
    notebook["cells"] = notebook["cells"][:1] + notebook["cells"][:0:-1]
    done = repair(notebook)
    assert place(done, "import os") == 0 and done.notebook.cells[0].id == "zero"
    assert place(done, "# mine") == place(done, 'check("2.2"') + 1
    assert place(done, "a thought") == place(done, "## 2.3") + 1


def test_pictures_in_a_learners_text_are_kept() -> None:
    notebook = solved(FLOW)
    picture = {"derivation.png": {"image/png": "aGFuZA=="}}
    written = by_name(notebook, "written-2-7")
    written |= {"source": "![derivation](attachment:derivation.png)", "attachments": picture}
    done = repair(notebook)
    assert by_name(done.notebook, "written-2-7").attachments == picture


# Answers


def test_an_answer_to_two_problems_is_run_at_the_first_and_again_if_it_uses_what_comes_later() -> (
    None
):
    notebook = solved(LOOP)
    first, later = by_name(notebook, "answer-6-1"), by_name(notebook, "answer-6-5")
    both = "".join(first["source"]) + "\n\n\n" + "".join(later["source"])
    first["source"], later["source"] = "", both
    done = repair(notebook, LOOP)
    places = [n for n, cell in enumerate(done.notebook.cells) if cell.source == both]
    assert [done.notebook.cells[n - 1].id for n in places] == ["problem-6-1", "day"]
    assert done.notebook.cells[places[0]].metadata.tape_to_mlp.problems == ["6.1", "6.5"]


def test_half_an_answer_is_graded_and_the_other_half_is_a_blank() -> None:
    notebook = solved(LOOP)
    answer = by_name(notebook, "answer-6-5")
    answer["source"] = "def find_the_still_ones(model, names, x, y):\n    return names"
    done = repair(notebook, LOOP)
    blank = done.notebook.cells[place(done, "def mended_day():\n    ...")]
    assert blank.metadata.tape_to_mlp == {"role": "answer", "problems": ["6.5"]}
    assert "6.5" in done.answered


def test_the_halves_of_an_answer_may_stand_in_two_copies_of_its_cell() -> None:
    notebook = solved(LOOP)
    stub = EXERCISE(LOOP).slots["answer-6-5"].text
    answer = by_name(notebook, "answer-6-5")
    answer["source"] = stub.replace("x, y):\n    ...", "x, y):\n    return names")
    copy = json.loads(json.dumps(answer))
    copy["source"] = stub.replace("mended_day():\n    ...", "mended_day():\n    return Day()")
    put(notebook, copy, after="answer-6-5")
    done = repair(notebook, LOOP)
    assert "return names" in judged_source(done) and "    ..." not in judged_source(done)
    assert judged(done)["mended_day"] == ast.dump(
        ast.parse("def mended_day():\n    return Day()").body[0]
    )


def test_a_name_used_for_something_else_is_no_second_answer() -> None:
    notebook = solved(MLP)
    put(notebook, code("train = [1, 2, 3]\nfor name_image in train:\n    pass"), after="check-5-7")
    done = repair(notebook, MLP)
    assert judged(done).items() >= answers_in(solved(MLP)).items() and not done.remarks


def test_the_last_of_two_answers_counts_wherever_it_stands() -> None:
    notebook = solved(FLOW)
    better = "def huber(error, delta):\n    return error * 0.0"
    notebook["cells"].append(code(better))
    done = repair(notebook)
    assert judged(done)["huber"] == ast.dump(ast.parse(better).body[0])
    assert "the last one counts: answer-2-3" in said(done)


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_an_answer_in_a_text_counts_only_where_there_is_none_in_code(kind: str) -> None:
    fenced = "My answer:\n\n```python\ndef huber(error, delta):\n    return error\n```\n"
    notebook = solved(FLOW)
    put(notebook, text(fenced, kind), after="answer-2-3")
    assert roles(repair(notebook), "own") == [fenced]
    notebook["cells"].remove(by_name(notebook, "answer-2-3"))
    done = repair(notebook)
    assert roles(
        done, "own"
    ) == [] and "def huber(error, delta):\n    return error" in judged_source(done)


def judged_source(done: Repaired) -> str:
    return "\n".join(cell.source for cell in done.notebook.cells if cell.cell_type == "code")


def test_a_thought_in_place_of_code_is_not_run() -> None:
    notebook = solved(FLOW)
    answer = by_name(notebook, "answer-2-3")
    answer |= {"cell_type": "markdown", "source": "I do not know how."}
    done = repair(notebook)
    assert "2.3" not in done.answered and roles(done, "own") == ["I do not know how."]
    assert by_name(done.notebook, "answer-2-3").source == EXERCISE(FLOW).slots["answer-2-3"].text


@pytest.mark.parametrize("labelled", [True, False])
def test_an_answer_under_a_name_of_its_own_is_graded(labelled: bool) -> None:
    notebook = solved(FLOW)
    answer = by_name(notebook, "answer-2-3")
    answer["source"] = "import math\n\n\ndef my_huber(error, delta):\n    return math.pi"
    if not labelled:
        answer |= {"metadata": {}, "id": "x"}
    done = repair(notebook)
    assert place(done, "huber = my_huber") == place(done, "def my_huber") + 1
    assert "another name" in said(done)


def test_an_answer_in_the_call_of_check_is_graded() -> None:
    notebook = solved(FLOW)
    by_name(notebook, "answer-2-2")["source"] = ""
    by_name(notebook, "check-2-2")["source"] = (
        'check("2.2", lambda x, slope: tf.maximum(x, slope * x))'
    )
    done = repair(notebook)
    assert place(done, "leaky_relu = lambda") == place(done, 'check("2.2"') - 1


def test_what_is_imported_from_a_file_is_not_replaced_by_a_blank() -> None:
    notebook = solved(FLOW)
    notebook["cells"].remove(by_name(notebook, "answer-2-3"))
    put(notebook, code("from my_answers import *"), after="setup")
    done = repair(notebook)
    assert "def huber" not in judged_source(done)
    notebook["cells"].remove(by_name(notebook, "answer-2-2"))
    put(notebook, code("from my_answers import leaky_relu"), after="setup")
    done = repair(notebook)
    assert "def leaky_relu" not in judged_source(done) and "2.2" in done.answered


def test_an_answer_that_is_no_python_stays_in_its_place() -> None:
    notebook = solved(FLOW)
    broken = "def huber(error, delta)\n    return error"
    by_name(notebook, "answer-2-3")["source"] = broken
    done = repair(notebook)
    assert by_name(done.notebook, "answer-2-3").source == broken and "2.3" in done.answered


def test_magic_commands_and_shell_lines_stay_as_they_are() -> None:
    notebook = solved(FLOW)
    answer = by_name(notebook, "answer-2-3")
    magic = "%%time\n!ls -l\n%timeit 1 + 1\nfiles = !ls\n" + "".join(answer["source"]) + "\nhuber?"
    answer["source"] = magic
    done = repair(notebook)
    assert by_name(done.notebook, "answer-2-3").source == magic and not done.remarks


@pytest.mark.parametrize(
    "source",
    [
        "\n".join(["%a"] * 490 + ["x = 1"] * 3_800),
        "\n".join(f"% a remark, number {number}" for number in range(600)),
        "\n".join(f"!echo {number}" for number in range(600)),
        "%%time\n" * 3_000,
        "\n".join(f"def f{number}(): return 1" for number in range(3_000)),
        "x = " + "+".join("1" * 3_000),
    ],
    ids=["magics", "remarks", "shell", "times", "functions", "sum"],
)
def test_a_cell_that_no_person_has_written_is_read_in_a_moment(source: str) -> None:
    notebook = solved(FLOW)
    cells = notebook["cells"]
    cells[cells.index(by_name(notebook, "answer-2-3"))] = code(source)
    began = time.monotonic()
    done = repair(notebook)
    assert time.monotonic() - began < 5 and source.strip() in [
        cell.source.strip() for cell in done.notebook.cells
    ]


def test_a_check_of_a_long_sum_is_no_answer() -> None:
    notebook = solved(FLOW)
    by_name(notebook, "answer-2-3")["source"] = ""
    by_name(notebook, "check-2-3")["source"] = f'check("2.3", {"+".join("1" * 500)})'
    assert "2.3" not in repair(notebook).answered


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("%%time\n%%capture out\nx = 1\n!ls \\\n -l\ny = %sx ls\nz?", {"x", "y"}),
        ("%%time\nx = (7\n % 2)\n", {"x"}),
        (">>> def f(x):\n...     return x\n>>> %pwd", {"f"}),
        ("if True:\n    !ls\nfiles, = !ls\nprint('a=%d' % 1)", {"files"}),
        ("%%bash\nls = 3", None),
        ("%%time\n%%bash\nls = 3", None),
    ],
)
def test_commands_of_ipython_are_passed_over(source: str, names: set[str] | None) -> None:
    statements = parse(source)
    assert (None if statements is None else names_bound(statements)) == names
    if statements:
        assert statements[-1].end_lineno == source.rstrip("\n").count("\n") + 1


@pytest.mark.parametrize(
    ("source", "harmless"),
    [
        ("import tensorflow as tf\nfrom numpy import *\nx = y = 3\n'text'\nx\n...", True),
        ("def f():\n    tf.where = None\n\n\nclass A:\n    pass\n\n\ng = lambda: f()", True),
        ("print(f(3))\ncheck('2.1', f)", True),
        *((source, False) for source in ("tf.where = None", "x[0] = 1", "x = f()", "f()")),
        *((source, False) for source in ("del x", "for x in y: pass", "%reset -f", "await f()")),
    ],
)
def test_what_may_change_more_than_its_own_names_is_told(source: str, harmless: bool) -> None:
    assert all(map(only_defines, parse(source) or [])) == harmless


@pytest.mark.parametrize(
    ("source", "harmless"),
    [
        ("def f(x):\n    with tf.GradientTape():\n        return x * x\n\n\ny = f(3)[0]", True),
        ("for i in range(3):\n    y = np.square(i)\nsizes = {}\nsizes['a'] = len([1])", True),
        ("import matplotlib.pyplot as plt\nplt.plot([1])\nplt.show()", True),
        ("class A(keras.Model):\n    def __init__(self):\n        super().__init__()\n"
         "        self._w = 1\n\n\na = A()", True),
        ("w = tf.Variable(1.0)\nw.assign_add(2.0)", True),
        *((f"y = f()\n{source}", False) for source in (
            "np.allclose = f", "sum = 0", "import tf as keras\nkeras = 3", "del y", "%reset -f",
            "tf.config.run_functions_eagerly(True)", "np.random.seed(1)", "np.seterr(all='raise')",
            "keras.backend.set_floatx('float64')", "images[0] = 0", "images.fill(0)",
            "a = images\nb = a[1:]\nb += 1", "def g():\n    model.fit()\n\n\ng()",
            "import os\nos._exit(1)", "from signal import alarm\nalarm(1)", "exec('x = 1')",
            "from numpy import *", "from tensorflow import config\nconfig.x()", "await f()",
            "def g():\n    global print\n    print = 0\n\n\ng()", "y.__class__ = int",
            "setattr(tf, 'add', 0)", "%run other.py", "!ls", "f().x = 1", "f()[0] = 1",
        )),
    ],
)  # fmt: skip
def test_cells_that_only_compute_are_told_from_those_that_may_spoil_others(
    source: str, harmless: bool
) -> None:
    code = parse(source)
    assert code is not None
    assert may_spoil(code, {"images", "model", "tf", "keras"}, {"images", "model"}) == (
        not harmless
    )


def test_what_an_answer_needs_is_run_before_it_though_the_cells_were_reordered() -> None:
    notebook = solved(FLOW)
    answer = by_name(notebook, "answer-2-1")
    answer["source"] = "def slope_of_the_loop(x, n):\n    return helper(x) + huber(x, n)"
    cells = notebook["cells"]
    put(notebook, code("def helper(x):\n    return other(x)", "h"), after="check-2-6")
    put(notebook, code("def other(x):\n    return x", "o"), after="check-2-6")
    cells.remove(answer)
    cells.append(answer)
    done = repair(notebook)
    order = [place(done, f"def {n}(") for n in ("other", "helper", "huber", "slope_of_the_loop")]
    assert order[0] < order[1] < order[3] and order[2] < order[3] < place(done, 'check("2.1"')
    assert "moved up" in said(done)


# Answers in words


@pytest.mark.parametrize("kind", ["markdown", "raw", "code"])
def test_words_below_the_blank_are_the_answer(kind: str) -> None:
    notebook = solved(FLOW)
    by_name(notebook, "written-2-7")["source"] = "*Write your answer here.*"
    below = code("왜냐하면 테이프는 연산만 봐요.") if kind == "code" else text("왜냐하면", kind)
    put(notebook, below, after="written-2-7")
    done = repair(notebook)
    (cell,) = [
        c
        for c in done.notebook.cells
        if c.metadata.tape_to_mlp.problems == ["2.7"] and c.metadata.tape_to_mlp.role == "answer"
    ]
    assert cell.source == below["source"] and cell.cell_type == "markdown"
    assert cell.metadata.nbgrader.grade_id == "written-2-7" and "2.7" in done.answered


def test_words_in_the_question_are_the_answer() -> None:
    notebook = solved(FLOW)
    question = by_name(notebook, "question-2-7")
    question["source"] = "".join(question["source"]) + "\n\nBecause it records."
    by_name(notebook, "written-2-7")["source"] = "*Write your answer here.*"
    done = repair(notebook)
    assert by_name(done.notebook, "written-2-7").source == "Because it records."


# Reading


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The file is empty."),
        (b" \n", "The file is empty."),
        (bytes(5_000), "The file holds nothing but zeros: it was not saved whole."),
        (b"[]", "The file is no notebook: it holds a list and no cells."),
        (b"null", "The file is no notebook: it holds null and no cells."),
        (b"3.5", "The file is no notebook: it holds a number and no cells."),
        (b'{"nbformat": 4}', "The file is no notebook: it has no list of cells."),
        (b'{"cells": {"1": 2}}', "The file is no notebook: it has no list of cells."),
        (b'{"cells": [1, null]}', "None of the notebook's cells can be read."),
        (b'{"cells": [{"source": "x', "The file was cut short: it ends in the middle, in line 1."),
        (b'{"cells": [\n', "The file was cut short: it ends in the middle, in line 1."),
        (b'{"cells":' + b"[" * 100_000, "The file is nested too deeply to be a notebook."),
        (b'{"cells": ' + b"9" * 9_999 + b"}", "The file is no notebook: it has no list of cells."),
        (b"<!DOCTYPE html>\n<html>", "The file is a web page"),
        (b"%PDF-1.7", "The file is a PDF"),
        (b"PK\3\4zip", "The file is a zip archive"),
        (b'{\n<<<<<<< HEAD\n"cells": []\n}', "The file holds an unresolved conflict of git"),
        (b"import numpy", "The file is no notebook: it is not JSON (Expecting value, line 1)."),
        (json.dumps({"cells": [{}] * 1_001}).encode(), "The notebook has 1,001 cells"),
        (notebook_of(code("x" * 2_000_001)), "The notebook has 2,000,001 letters of code"),
    ],
    ids=lambda value: value[:25] if isinstance(value, str) else "",
)
def test_a_file_without_cells_is_refused_in_one_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(Unreadable) as error:
        read_cells(data)
    assert str(error.value).startswith(sentence) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("raw", "cell"),
    [
        ({"cell_type": "code", "source": ["a = 1\n", "b = 2"]}, Cell("code", "a = 1\nb = 2")),
        ({"cell_type": "code", "source": ["a = 1", "b = 2"]}, Cell("code", "a = 1\nb = 2")),
        ({"cell_type": "code", "source": "a\r\nb\rc"}, Cell("code", "a\nb\nc")),
        ({"cell_type": "code", "source": [1, "a", None]}, Cell("code", "a")),
        ({"cell_type": "code", "source": {"a": 1}}, Cell("code", "")),
        ({"cell_type": "code", "source": [["a = 1\n"], [["b = 2"]]]}, Cell("code", "a = 1\nb = 2")),
        ({"cell_type": "code", "source": None, "input": "a = 1"}, Cell("code", "a = 1")),
        ({"cell_type": "code"}, Cell("code", "")),
        ({"source": "x", "outputs": 3}, Cell("code", "x")),
        ({"cell_type": 7, "source": "x"}, Cell("markdown", "x")),
        ({"cell_type": "heading", "level": 2, "source": "x"}, Cell("markdown", "## x")),
        ({"cell_type": "raw", "source": "x", "id": 3, "metadata": []}, Cell("raw", "x")),
        ({"cell_type": "code", "source": "x\ud800"}, Cell("code", "x\ufffd")),
        (
            {"cell_type": "code", "metadata": {"nbgrader": {"grade_id": 5}}, "id": "a"},
            Cell("code", "", "a", {"grade_id": 5}),
        ),
    ],
)
def test_a_cell_is_read_as_far_as_it_goes(raw: Json, cell: Cell) -> None:
    assert read_cells(notebook_of(raw)) == [cell]


@pytest.mark.parametrize(
    "encoding",
    [
        *("utf-8", "utf-8-sig", "cp949", "utf-16", "utf-16-le", "utf-16-be"),
        *("utf-32", "utf-32-le", "utf-32-be"),
    ],
)
def test_korean_is_read_in_any_encoding(encoding: str) -> None:
    source = "이름 = '김민준'  # 한국어로 쓴 설명"
    data = json.dumps({"cells": [code(source)]}, ensure_ascii=False).encode(encoding)
    assert [cell.source for cell in read_cells(data)] == [source]


def test_lists_that_would_fill_the_memory_are_not_read_and_a_long_output_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("course.grading.cells.MOST_MEMORY", 1_000_000)
    output = {"text": ['[1, 2], {"3"} \\' * 20_000] * 3}
    (cell,) = read_cells(notebook_of(code("x") | {"outputs": [output]}))
    assert cell.source == "x"
    for many in ("[]", "{}", '"ab"', "1000"):
        with pytest.raises(Unreadable, match="too many small values: clear its outputs"):
            read_cells(b'{"cells": [%s]}' % ",".join([many] * 20_000).encode())


def test_some_damage_in_a_text_does_not_make_it_another_encoding() -> None:
    source = "이름 = '김민준'  # 한국어로 쓴 설명"
    data = json.dumps({"cells": [code(source)]}, ensure_ascii=False).encode()
    (cell,) = read_cells(data.replace("설명".encode(), b"\xff\xfe"))
    assert cell.source.startswith("이름 = '김민준'  # 한국어로 쓴")


def test_a_number_of_thousands_of_digits_costs_nothing() -> None:
    data = b'{"nbformat": %s, "cells": [{"cell_type": "raw", "source": "a"}]}' % (b"9" * 9_999)
    assert read_cells(data) == [Cell("raw", "a")]


def test_the_last_of_repeated_keys_counts_and_nan_and_what_follows_are_passed_over() -> None:
    data = (
        b'{"x": NaN, "cells": [], "cells": [{"cell_type": "raw", "source": "a\tb"}]} {"cells": 1}'
    )
    assert read_cells(data) == [Cell("raw", "a\tb")]


# Whatever happens


Mutation = Callable[[list[Json], random.Random, Exercise], None]
MUTATIONS: dict[str, Mutation] = {}


def mutation(change: Mutation) -> Callable[..., None]:
    MUTATIONS[change.__name__] = change
    return change


def given_in(cells: list[Json], exercise: Exercise) -> list[Json]:
    texts = [slot.text for slot in exercise.slots.values() if slot.is_locked]
    return [cell for cell in cells if "".join(cell["source"]) in texts]


@mutation
def swap(cells: list[Json], chance: random.Random, exercise: Exercise) -> None:
    i, j = chance.randrange(len(cells)), chance.randrange(len(cells))
    cells[i], cells[j] = cells[j], cells[i]


@mutation
def shuffle(cells: list[Json], chance: random.Random, exercise: Exercise) -> None:
    chance.shuffle(cells)


@mutation
def double(cells: list[Json], chance: random.Random, exercise: Exercise) -> None:
    cell = json.loads(json.dumps(chance.choice(cells)))
    cells.insert(chance.randrange(len(cells)), cell | {"id": f"copy{chance.random()}"[:12]})


@mutation
def delete_one_that_is_locked(cells: list[Json], chance: random.Random, exercise: Exercise) -> None:
    locked = given_in(cells, exercise)
    if locked:
        cells.remove(chance.choice(locked))


@mutation
def strip_metadata(cells: list[Json], chance: random.Random, exercise: Exercise) -> None:
    for cell in chance.sample(cells, chance.randrange(1, len(cells))):
        cell["metadata"] = {}


@mutation
def strip_ids(cells: list[Json], chance: random.Random, exercise: Exercise) -> None:
    for cell in chance.sample(cells, chance.randrange(1, len(cells))):
        cell.pop("id", None)


@mutation
def exchange_labels(cells: list[Json], chance: random.Random, exercise: Exercise) -> None:
    one, other = chance.choice(cells), chance.choice(cells)
    for key in ("metadata", "id"):
        mine, theirs = one.pop(key, {}), other.pop(key, {})
        one[key], other[key] = theirs, mine


@mutation
def add_a_blank(cells: list[Json], chance: random.Random, exercise: Exercise) -> None:
    stub = chance.choice(exercise.answers())
    cells.insert(chance.randrange(len(cells)), code(stub.text, chance.choice(["x", stub.name])))


@mutation
def add_a_cell(cells: list[Json], chance: random.Random, exercise: Exercise) -> None:
    source = chance.choice(
        ["x = 1", "print(x)", "def f(:", "%time", "", "# note", "import os, math"]
    )
    own = code(source) if chance.random() < 0.5 else text(source)
    cells.insert(chance.randrange(len(cells)), own)


@mutation
def edit_one_that_is_locked(cells: list[Json], chance: random.Random, exercise: Exercise) -> None:
    locked = given_in(cells, exercise)
    if locked:
        chance.choice(locked)["source"] = chance.choice(["", "x = 2", "check = print", "("])


@mutation
def turn_one_that_is_locked(cells: list[Json], chance: random.Random, exercise: Exercise) -> None:
    locked = given_in(cells, exercise)
    if locked:
        chance.choice(locked)["cell_type"] = chance.choice(["code", "markdown", "raw"])


@mutation
def turn_an_answer_into_text(cells: list[Json], chance: random.Random, exercise: Exercise) -> None:
    theirs = given_in(cells, exercise)
    answers = [c for c in cells if "\n    return" in "".join(c["source"]) and c not in theirs]
    if answers:
        chance.choice(answers)["cell_type"] = chance.choice(["markdown", "raw"])


@mutation
def merge_two_answers(cells: list[Json], chance: random.Random, exercise: Exercise) -> None:
    theirs = given_in(cells, exercise)
    answers = [c for c in cells if "\n    return" in "".join(c["source"]) and c not in theirs]
    if len(answers) > 1:
        one, other = chance.sample(answers, 2)
        one["source"] = "".join(one["source"]) + "\n\n" + "".join(other["source"])
        cells.remove(other)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from([FLOW, MLP, LOOP]),
    st.lists(st.sampled_from(sorted(MUTATIONS)), min_size=1, max_size=8),
    st.integers(0, 2**32),
)
def test_no_mutation_of_a_notebook_loses_an_answer(
    name: str, changes: Sequence[str], seed: int
) -> None:
    notebook, exercise = solved(name), EXERCISE(name)
    written = answers_in(notebook)
    chance = random.Random(seed)
    for change in changes:
        MUTATIONS[change](notebook["cells"], chance, exercise)
    done = repair(notebook, name)
    assert judged(done).items() >= written.items()
    locked = [
        c for c in done.notebook.cells if c.metadata.tape_to_mlp.role in ("instructor", "check")
    ]
    slots = [slot for slot in exercise.slots.values() if slot.is_locked]
    assert [cell.source for cell in locked] == [slot.text for slot in slots]
    assert len({cell.id for cell in done.notebook.cells}) == len(done.notebook.cells)


ODD_SOURCES = st.one_of(
    st.text(max_size=30),
    st.sampled_from([slot.text for slot in EXERCISE(LOOP).slots.values()]),
    st.sampled_from(
        [
            *(
                "def f(",
                "    return x",
                "class Day: ...",
                "mended_day = Day",
                "x = " + "1+" * 1_500 + "1",
            ),
            *(
                "%%bash\nls",
                "%%time\n%%time",
                "!",
                "?",
                "%run a.py",
                "from a import *",
                "\0",
                "(" * 300,
            ),
            *(
                'check("6.1", *answers)',
                "check('6.1', 3, lambda: 4)",
                "check()",
                "```\ndef twin(): 1\n```",
            ),
            *(
                "def mended_day(): ...\nmended_day = 1; step_on_a_line = 2",
                "if 1:\n  def roll_down(): 1",
            ),
        ]
    ),
)
ODD_LABELS = st.sampled_from(["", "x", *EXERCISE(LOOP).slots])
ODD_CELLS = st.builds(
    Cell,
    st.sampled_from(["code", "markdown", "raw"]),
    ODD_SOURCES,
    ODD_LABELS,
    st.builds(lambda name: {"grade_id": name, "points": name, "grade": True}, ODD_LABELS),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ODD_CELLS, max_size=20))
def test_whatever_cells_there_are_they_become_a_notebook(cells: list[Cell]) -> None:
    done = repaired(cells, EXERCISE(LOOP))
    nbformat.validate(done.notebook)
    assert list(done.checks) == [
        cell.id for cell in done.notebook.cells if cell.metadata.tape_to_mlp.role == "check"
    ]


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inside: (
            st.lists(inside, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "cells",
                        "source",
                        "cell_type",
                        "metadata",
                        "worksheets",
                        "input",
                        "id",
                        "nbgrader",
                        "attachments",
                    ]
                ),
                inside,
                max_size=5,
            )
        ),
        max_leaves=20,
    )
)
def test_whatever_json_there_is_it_is_read_or_refused(value: Any) -> None:
    try:
        cells = read_cells(json.dumps({"cells": value}).encode())
    except Unreadable:
        return
    assert all(isinstance(cell.source, str) for cell in cells)
