"""Checks what the course needs of a computer; each finding is OK or says what to do."""

from __future__ import annotations

import contextlib
import io
import os
import platform
import shutil
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import nbformat
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from course.catalog import ROOT, find_lessons
from course.execution import execute
from utils.data import STAND_IN, load_fashion_mnist
from utils.errors import CourseError

PYTHON = SpecifierSet(">=3.11,<3.14")  # as in pyproject.toml
SPACE = 1.0  # GB for executed lessons, screenshots and a download
SHOWN = ("tensorflow", "keras", "numpy", "matplotlib", "jupyterlab", "papermill", "nbval")
SETTINGS = ("COURSE_DATA", "COURSE_DATA_URL", "KERAS_HOME", "KERAS_BACKEND")
SUM = "import tensorflow as tf\n\nassert int(tf.constant(1) + 1) == 2"


class Finding(NamedTuple):
    """What was looked at, whether it is right, and what was found or has to be done."""

    subject: str
    good: bool
    words: str


def examine() -> bool:
    """Look at everything, print a line about each, and return whether all is well."""
    everything = True
    for check in (python, versions, packages, course, settings, data, kernel, graphviz, disk):
        finding = check()
        print(f"{'OK' if finding.good else '! '}  {finding.subject:9}  {finding.words}", flush=True)
        everything &= finding.good
    print("All is well." if everything else "What has to be done stands in the lines with an !.")
    return everything


def python() -> Finding:
    """Tell whether TensorFlow has wheels for this Python."""
    found = f"{platform.python_version()}, {platform.system()} {platform.machine()}"
    if platform.python_version() in PYTHON:
        return Finding("Python", True, found)
    return Finding("Python", False, f"{found}: make the environment again with Python {PYTHON}")


def versions() -> Finding:
    """Name the versions that a lesson's results depend on."""
    return Finding("versions", True, ", ".join(f"{name} {_installed(name)}" for name in SHOWN))


def packages(root: Path = ROOT) -> Finding:
    """Compare what is installed with ``requirements.lock``."""
    try:
        locked = read_lock(root / "requirements.lock")
    except OSError as error:
        return Finding("packages", False, f"requirements.lock cannot be read: {error.strerror}")
    wrong = [
        f"{name} is {_installed(name) or 'missing'}, not {expected}"
        for name, expected in locked.items()
        if _installed(name) != expected
    ]
    if not wrong:
        return Finding("packages", True, f"all {len(locked)} are those of requirements.lock")
    shown = wrong[:5] + [f"and {len(wrong) - 5} more"] * (len(wrong) > 5)
    advice = "run `pip install --require-hashes -r requirements.lock`"
    return Finding("packages", False, f"{'; '.join(shown)}: {advice}")


def course() -> Finding:
    """Find the lessons."""
    try:
        found = find_lessons()
    except CourseError as error:
        return Finding("lessons", False, str(error))
    return Finding("lessons", True, f"{len(found)} in {found[0].path.parent}")


def settings() -> Finding:
    """Name the environment variables that change what a lesson does."""
    found = [f"{name}={os.environ[name]}" for name in SETTINGS if os.environ.get(name)]
    return Finding("settings", True, ", ".join(found) or f"none of {', '.join(SETTINGS)} is set")


def data() -> Finding:
    """Load Fashion-MNIST as a lesson does, which fetches it where it is missing."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            source = load_fashion_mnist(1, 1).source
    except CourseError as error:
        return Finding("data", False, str(error))
    if source != STAND_IN:
        home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
        return Finding("data", True, f"{source}, sound; Keras's cache is {home.absolute()}")
    if os.environ.get("COURSE_DATA") == STAND_IN:
        return Finding("data", True, "the stand-in, as COURSE_DATA says")
    reason = said.getvalue().strip().splitlines()[-1]
    return Finding("data", True, f"the stand-in. {reason} Go online once for the real images.")


def kernel() -> Finding:
    """Start a kernel as `course run` does and compute with TensorFlow in it."""
    with tempfile.TemporaryDirectory() as folder:
        notebook = Path(folder, "one_and_one.ipynb")
        node = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(SUM)])
        node.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(node, notebook)
        result = execute(notebook, Path(folder, "out", "one_and_one.ipynb"), timeout=300)
    if result.failure is None:
        return Finding("kernel", True, f"TensorFlow's first result after {result.seconds:.1f} s")
    why = f"{result.failure.error}: {result.failure.message}"
    return Finding("kernel", False, f"{why}; make the environment again from requirements.lock")


def graphviz() -> Finding:
    """Look for Graphviz, which the course can do without."""
    if dot := shutil.which("dot"):
        return Finding("Graphviz", True, dot)
    return Finding("Graphviz", True, "not here, not needed: plot_model gives way to our diagram")


def disk(root: Path = ROOT) -> Finding:
    """Look for room, and for leave to use it."""
    free = shutil.disk_usage(root).free / 1e9
    try:
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError as error:
        advice = "make it writable, or move the course"
        return Finding("disk", False, f"{root} cannot be written ({error.strerror}): {advice}")
    if free < SPACE:
        return Finding("disk", False, f"{free:.1f} GB free: make room for {SPACE:g} GB")
    return Finding("disk", True, f"{free:.0f} GB free")


def read_lock(lock: Path) -> dict[str, str]:
    """Return name -> version of the packages that a lock asks for on this computer.

    Raises:
        OSError: when it cannot be read.
    """
    lines = lock.read_text(encoding="utf-8").splitlines()
    asked = [Requirement(line.rstrip("\\ ")) for line in lines if line[:1].isalnum()]
    return {
        each.name: str(each.specifier).removeprefix("==")
        for each in asked
        if each.marker is None or each.marker.evaluate()
    }


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
