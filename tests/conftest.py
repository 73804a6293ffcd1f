"""What every test finds: a known environment, and word of which data it runs on."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# Notebooks in test folders are material of tests, not lessons.
collect_ignore_glob = ["*.ipynb"]

# Where several tests run at once, the files that take longest begin, so that none is left alone at
# the end. The browser comes last all the same: Playwright leaves an event loop running.
LONG = (
    "test_make_lessons.py",
    "06_training_loop.ipynb",
    "test_readme.py",
    "test_environment.py",
    "test_grading_faults.py",
    "test_batch_runs.py",
    "test_lessons_in_jupyterlab.py",
)

DEMANDED = os.environ.get("COURSE_DATA", "auto")

for name, value in {"TF_CPP_MIN_LOG_LEVEL": "2", "TF_ENABLE_ONEDNN_OPTS": "0"}.items():
    os.environ.setdefault(name, value)
for name in ("MPLBACKEND", "PYTHONDONTWRITEBYTECODE"):
    os.environ.pop(name, None)
if "KERAS_HOME" in os.environ:  # kernels and temporary folders are somewhere else
    os.environ["KERAS_HOME"] = str(Path(os.environ["KERAS_HOME"]).absolute())


@pytest.fixture(scope="session", autouse=True)
def parents_end_with_the_tests() -> Iterator[None]:
    """Let warm kernels and their parents meet in a folder that goes: parents without one end."""
    with tempfile.TemporaryDirectory(prefix="kernels-", dir="/tmp") as folder:
        previous = os.environ.get("XDG_RUNTIME_DIR")
        os.environ["XDG_RUNTIME_DIR"] = folder
        yield
        if previous is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = previous


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long files first and those with a browser last."""
    items.sort(key=lambda item: (item.path.parent.name == "browser", item.path.name not in LONG))


def _is_cached() -> bool:
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    return len(list((home / "datasets" / "fashion-mnist").glob("*.gz"))) == 4


def _broken_demand() -> str:
    """Say why COURSE_DATA=real was not kept, if it was not."""
    if DEMANDED != "real":
        return ""
    if not _is_cached():
        return "COURSE_DATA=real, and Fashion-MNIST is not in the cache of KERAS_HOME."
    if os.environ.get("COURSE_DATA") != "real":
        return "COURSE_DATA=real, and a test changed it for the tests after it."
    return ""


def pytest_report_header() -> str:
    """Say which data the tests and lessons run on."""
    if DEMANDED == "stand-in":
        return "data: the stand-in for Fashion-MNIST, as COURSE_DATA demands"
    if _is_cached():
        return "data: Fashion-MNIST"
    return "data: Fashion-MNIST if it can be downloaded, else the stand-in"


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the whole run where real data were demanded and not used."""
    if _broken_demand():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why the whole run failed, where it did so for its data."""
    if reason := _broken_demand():
        terminalreporter.section("The data is not what was demanded", red=True)
        terminalreporter.line(reason)
