"""What learners get as one file."""

from __future__ import annotations

import zipfile
from pathlib import Path

from course.bundle import write_bundle


def test_a_bundle_holds_the_course_without_solutions_and_tests(tmp_path: Path) -> None:
    out = tmp_path / "course.zip"
    count = write_bundle(out)
    with zipfile.ZipFile(out) as archive:
        names = archive.namelist()
    assert len(names) == count
    folders = {Path(name).parts[1] for name in names}
    assert {"notebooks", "exercises", "utils", "course", "README.md", "Makefile"} <= folders
    assert not folders & {"solutions", "tests", ".git", ".venv", "build", "my_course"}
    assert not any("__pycache__" in name for name in names)


def test_the_same_course_makes_the_same_bundle(tmp_path: Path) -> None:
    write_bundle(tmp_path / "one.zip")
    write_bundle(tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
