"""Packs the course for learners: lessons, exercises and what runs them; no solutions, no tests."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from course.catalog import ROOT
from course.files import write_whole
from utils.errors import CourseError

FILES = (
    "README.md",
    "LICENSE",
    "Makefile",
    "environment.yml",
    "pyproject.toml",
    "requirements.lock",
    "constraints.txt",
)
FOLDERS = ("notebooks", "exercises", "utils", "course")
LEFT_OUT = ("__pycache__", ".ipynb_checkpoints", "nbval_plugin.py")
TOP = "tape_to_mlp"  # the one folder that unpacking makes
FIXED_TIME = (1980, 1, 1, 0, 0, 0)  # the same files make the same archive


def write_bundle(out: Path, root: Path = ROOT) -> int:
    """Write the archive and return how many files it holds.

    Raises:
        CourseError: when a file of the course is missing or the archive cannot be written.
    """
    content = io.BytesIO()
    try:
        paths = _paths(root)
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in paths:
                name = f"{TOP}/{path.relative_to(root).as_posix()}"
                entry = zipfile.ZipInfo(name, FIXED_TIME)
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
        write_whole(out, content.getvalue())
    except OSError as error:
        raise CourseError(
            f"{error.filename or out} cannot be read or written: {error.strerror or error}."
        ) from error
    return len(paths)


def _paths(root: Path) -> list[Path]:
    inside = [path for folder in FOLDERS for path in sorted((root / folder).rglob("*"))]
    kept = [path for path in inside if path.is_file() and not set(LEFT_OUT) & set(path.parts)]
    return [root / name for name in FILES] + kept
