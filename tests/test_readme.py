"""Every command in README.md is run, but for cloning, conda, Windows's own and the blocking lab."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from classes import write_class
from graded import Graded, expected_points

from course.catalog import exercises
from course.figures import figure_difference, find_figures

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
COMMANDS = [
    command.strip()
    for language, block in BLOCKS
    if language != "yaml"
    for line in block.splitlines()
    for command in line.split(";")
    if command.strip() and not command.strip().startswith("#")
]
# What no test runs: it fetches a checkout, needs conda, Windows or a cluster, or does not come
# back. `test_grading.py` grades on a cluster.
NOT_RUN = re.compile(
    r"git clone .*|cd [\w-]+|conda .*|source \.venv/bin/activate"
    r"|make lab|course lab( --reset NAME)?|course check .* --watch"
    r"|dask .*|course grade .* --scheduler .*"
    r"|py -3\.\d+ -m venv \.venv|\.venv\\Scripts\\Activate\.ps1"
)
# What is run in a way of its own, in a test below.
SPECIAL = re.compile(r"make .*|pip install .*|course run .* --update|course check|course grade .*")
PLAIN = [each for each in COMMANDS if not NOT_RUN.fullmatch(each) and not SPECIAL.fullmatch(each)]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, which commands may write into."""
    folder = tmp_path_factory.mktemp("readme") / "checkout"
    kept_out = shutil.ignore_patterns(".venv", ".git", "build", "my_course", ".*_cache")
    shutil.copytree(ROOT, folder, ignore=kept_out)
    (folder / "build").mkdir()
    [grid] = [block for language, block in BLOCKS if language == "yaml"]
    (folder / "grid.yaml").write_text(grid, encoding="utf-8")
    return folder


def run(
    command: str, checkout: Path, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command as in an activated environment whose course is ``checkout``."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(checkout)}
    return subprocess.run(
        command,
        shell=True,
        cwd=folder or checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=800,
    )


def test_the_readme_has_the_two_commands_and_a_picture_of_a_lesson() -> None:
    assert {"make lessons", "make test", "make lab"} <= set(COMMANDS)
    pictures = re.findall(r"!\[([^\]]+)\]\(([^)]+)\)", README)
    assert pictures and all((ROOT / path).is_file() for _, path in pictures)
    links = re.findall(r"(?<!!)\[[^\]]+\]\(([^):#]+)\)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_picture_of_the_readme_is_the_one_in_lesson_1() -> None:
    cells = nbformat.read(ROOT / "notebooks" / "01_gradient_tape.ipynb", as_version=4).cells
    [cell] = [cell for cell in cells if cell.id == "picture"]
    [figure] = find_figures(cell.outputs[0].data["text/html"])
    picture = ROOT / "notebooks" / "images" / "tape.png"
    said, _ = figure_difference(picture.read_bytes(), figure.png)
    assert not said, f"{said} Save the figure of cell `picture` as {picture.relative_to(ROOT)}."


@pytest.mark.parametrize("command", PLAIN)
def test_the_command_works(command: str, checkout: Path) -> None:
    done = run(command, checkout)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_the_class_is_graded_as_shown(tmp_path: Path) -> None:
    [command] = [
        each
        for each in COMMANDS
        if each.startswith("course grade ") and not NOT_RUN.fullmatch(each)
    ]
    handed_in = write_class(tmp_path / "submitted", 2)
    done = run(command, ROOT, tmp_path)  # a sandbox shows the installed checkout
    assert done.returncode == 0, done.stdout + done.stderr
    graded = Graded(tmp_path / "build" / "grades", 0, "")
    assert expected_points(graded, handed_in) == {}


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.endswith("--update")])
def test_an_update_of_a_lesson_that_did_not_change_changes_nothing(
    command: str, checkout: Path
) -> None:
    before = {path: path.read_bytes() for path in (checkout / "notebooks").glob("*.ipynb")}
    done = run(command, checkout)
    assert done.returncode == 0, done.stdout + done.stderr
    changed = [path.name for path, content in before.items() if path.read_bytes() != content]
    assert changed == [], done.stdout


@pytest.mark.parametrize(
    "target", sorted(set(re.findall(r"(?:`|^)make ([a-z]+)", README, re.MULTILINE)))
)
def test_make_knows_the_target(target: str) -> None:
    done = subprocess.run(
        ["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_make_test_runs_the_linters_and_this_test() -> None:
    recipe = subprocess.run(
        ["make", "-n", "test"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "ruff check" in recipe and "mypy" in recipe and "bin/pytest" in recipe


def test_what_is_installed_without_make_is_what_make_installs() -> None:
    recipe = subprocess.run(
        ["make", "-n", "-B", "lessons"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    made = re.findall(
        r"pip install (.*)", re.sub(r"--quiet |--disable-pip-version-check ", "", recipe)
    )
    by_hand = [
        command.removeprefix("pip install ")
        for command in COMMANDS
        if command.startswith("pip install ")
    ]
    assert made and by_hand == made


@pytest.mark.parametrize(
    "command",
    [each for each in COMMANDS if re.fullmatch(r"make (?!lessons|test|lab|release).*", each)],
)
def test_the_make_command_works(command: str) -> None:
    done = subprocess.run(
        command.split(), cwd=ROOT, capture_output=True, text=True, check=False, timeout=800
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_make_release_is_what_the_tests_check() -> None:
    recipe = subprocess.run(
        ["make", "-n", "release"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "bin/course release\n" in recipe


def test_course_check_shows_that_a_new_learner_has_solved_nothing(checkout: Path) -> None:
    assert run("course lab --prepare-only", checkout).returncode == 0
    done = run("course check", checkout)
    assert done.returncode == 1, done.stderr
    for exercise in exercises():
        assert re.search(rf"{exercise.name} +│ 0 of [5-7] ", done.stdout), done.stdout
