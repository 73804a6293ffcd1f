"""The doors into the course bring the same versions."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
PIP_SECTION: list[str] = next(part["pip"] for part in CONDA if isinstance(part, dict))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")

NEEDED = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]]


def locked() -> list[Requirement]:
    lines = [line.rstrip("\\ ") for line in LOCK.splitlines()]
    return [Requirement(line) for line in lines if line[:1].isalnum()]


def test_constraints_are_the_lock_without_its_hashes() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [str(Requirement(line)) for line in lines] == [str(each) for each in locked()]


def test_every_line_of_the_lock_is_one_version_with_hashes() -> None:
    entries = re.split(r"\n(?=\w)", LOCK)
    assert len(entries) == len(locked()) > 50
    for entry in entries:
        assert re.match(r"[\w.-]+==[\w.]+ ", entry), entry.splitlines()[0]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry.splitlines()[0]


@pytest.mark.parametrize("name", ["requirements.lock", "constraints.txt", "environment.yml"])
def test_no_address_is_in_what_installs_the_course(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"://|index-url|find-links|trusted-host", text)


@pytest.mark.parametrize("needed", NEEDED)
def test_the_lock_has_each_dependency_at_a_version_that_is_allowed(needed: str) -> None:
    asked = Requirement(needed)
    name = canonicalize_name(asked.name)
    versions = [
        str(each.specifier).removeprefix("==")
        for each in locked()
        if canonicalize_name(each.name) == name
    ]
    assert versions, f"{name} is not in requirements.lock: run `make lock`"
    assert [version for version in versions if version not in asked.specifier] == []


def test_conda_and_pip_allow_the_same_pythons() -> None:
    (python,) = [part for part in CONDA if isinstance(part, str) and part.startswith("python")]
    assert SpecifierSet(python.removeprefix("python").strip()) == SpecifierSet(
        PROJECT["requires-python"]
    )


def test_the_pip_section_installs_this_checkout_at_the_locked_versions() -> None:
    assert PIP_SECTION == ["--constraint constraints.txt", "--editable .[test]"]


def test_each_dependency_says_why_it_is_there() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    bare = [
        line.strip() for line in text.splitlines() if re.fullmatch(r'\s+"[\w<>=.,\[\]-]+",', line)
    ]
    assert [line for line in bare if line not in ('"pytest",', '"mypy",')] == []
    listed = (ROOT / "environment.yml").read_text(encoding="utf-8").partition("\ndependencies:")[2]
    lines = [line for line in listed.splitlines() if line.strip() and "--editable" not in line]
    assert [line for line in lines if "#" not in line and not line.endswith("pip:")] == []


@pytest.mark.parametrize("target", ["lessons", "test", "lab", "lint", "format", "lock", "clean"])
def test_the_recipes_of_make_parse(target: str) -> None:
    recipe = subprocess.run(
        ["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert recipe.returncode == 0, recipe.stderr


def test_condas_pip_section_makes_a_working_environment(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Takes minutes and a gigabyte: installs everything into an empty environment, as conda does.

    conda writes the pip section to a file beside environment.yml and runs pip in that folder.
    """
    answer = pip(sys.executable, "install", "--dry-run", "--ignore-installed", "--no-deps", "click")
    if answer.returncode:
        pytest.skip(f"no package index can be reached: {answer.stderr.strip().splitlines()[-1]}")
    folder = tmp_path_factory.mktemp("conda")
    try:
        checkout = folder / "checkout"
        kept_out = shutil.ignore_patterns(
            ".venv", ".git", "build", "my_course", "*.egg-info", "__pycache__", ".*_cache"
        )
        shutil.copytree(ROOT, checkout, ignore=kept_out)
        section = checkout / "condaenv.requirements.txt"
        section.write_text("\n".join(PIP_SECTION), encoding="utf-8")
        subprocess.run([sys.executable, "-m", "venv", folder / "env"], check=True)
        bin_folder = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
        python = str(bin_folder / "python")
        installed = pip(python, "install", "-U", "-r", section.name, folder=checkout)
        assert installed.returncode == 0, installed.stderr[-3000:]

        elsewhere = folder / "elsewhere"
        elsewhere.mkdir()
        where = subprocess.run(
            [python, "-c", "import utils.errors; print(utils.errors.__file__)"],
            cwd=elsewhere,
            env=clean_environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        assert Path(where.stdout.strip()) == checkout / "utils" / "errors.py"
        examined = subprocess.run(
            [str(bin_folder / "course"), "doctor"],
            cwd=elsewhere,
            env=clean_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert examined.returncode == 0, examined.stdout + examined.stderr
        assert "are those of requirements.lock" in examined.stdout
    finally:
        shutil.rmtree(folder)


def pip(python: str, *arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run pip of an environment in a folder."""
    return subprocess.run(
        [python, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments],
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def clean_environment() -> dict[str, str]:
    """Return the environment of a shell in which no other environment is active."""
    hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_USER")
    return {name: value for name, value in os.environ.items() if name not in hidden}
