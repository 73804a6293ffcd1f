"""`course doctor` says what is wrong and what to do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from course import doctor
from course.doctor import Finding

LOCK = """\
click==8.0 \\
    --hash=sha256:00
numpy==1.0 ; python_full_version < '3.0'
no-such-package==2.0 ; python_full_version >= '3.0' \\
    --hash=sha256:00
"""


def test_this_environment_is_in_order() -> None:
    findings = [doctor.python(), doctor.packages(), doctor.kernel(), doctor.disk()]
    assert [finding for finding in findings if not finding.good] == []


def test_a_lock_is_read_for_this_python_only(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(LOCK)
    assert doctor.read_lock(tmp_path / "lock") == {"click": "8.0", "no-such-package": "2.0"}


def test_packages_that_differ_from_the_lock_are_named(tmp_path: Path) -> None:
    (tmp_path / "requirements.lock").write_text(LOCK)
    finding = doctor.packages(tmp_path)
    assert not finding.good
    assert "not 8.0; no-such-package is missing, not 2.0: run `pip install" in finding.words


def test_missing_graphviz_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert doctor.graphviz().good and "not needed" in doctor.graphviz().words


def test_the_stand_in_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_DATA", "stand-in")
    assert doctor.data() == Finding("data", True, "the stand-in, as COURSE_DATA says")


def test_damaged_data_are_a_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "datasets" / "fashion-mnist"
    folder.mkdir(parents=True)
    (folder / "train-images-idx3-ubyte.gz").write_bytes(b"damaged")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("COURSE_DATA", "auto")
    monkeypatch.setenv("COURSE_DATA_URL", "http://127.0.0.1:9/")
    finding = doctor.data()
    assert not finding.good and "train-images-idx3-ubyte.gz is damaged" in finding.words


def test_little_room_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 9, 1))
    assert not doctor.disk().good and "make room" in doctor.disk().words


def test_one_fault_makes_the_whole_examination_fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for check in ("packages", "data", "kernel"):
        monkeypatch.setattr(doctor, check, lambda: Finding("thing", True, "fine"))
    assert doctor.examine()
    monkeypatch.setattr(doctor, "disk", lambda: Finding("disk", False, "full: make room"))
    assert not doctor.examine()
    assert "!   disk       full: make room" in capsys.readouterr().out
