"""The learner's own copy of the course, and JupyterLab on it."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from course.catalog import ROOT, Lesson, exercises, lessons, nearest
from course.files import write_whole
from course.kernels.provisioner import provisioner_variables
from course.kernels.usual import kernel_environment
from utils.errors import CourseError

FIRST_PAGE = "00_start_here.ipynb"
MANIFEST = ".handed_out.json"  # in the copy: file -> SHA-256 of what was handed out under that name


class Prepared(NamedTuple):
    """What preparing a copy did, as paths relative to it with forward slashes."""

    folder: Path
    added: list[str]
    returned: list[str]  # had been handed out before and were gone
    changed: list[str]  # are newer in the course than what the learner works on
    unknown: list[str]  # differ from the course, by the learner's hand or by an update


def open_lab(
    reset: str | None = None, *, prepare_only: bool = False, options: Sequence[str] = ()
) -> int:
    """Prepare ``my_course/`` and run JupyterLab on it until it ends; return its exit status.

    Args:
        reset: the lesson or exercise of which to hand out a fresh copy first; the learner's file
            stays beside it.
        prepare_only: do not start JupyterLab.
        options: passed on to ``jupyter lab``.

    Raises:
        CourseError: when there is no such lesson, or the folder cannot be written.
    """
    folder = ROOT / "my_course"
    if reset:
        kept = reset_file(reset, ROOT, folder)
        print(f"{reset} is fresh again." + (f" Your work is in {kept.name}." if kept else ""))
    prepared = prepare(ROOT, folder)
    print(describe(prepared))
    if prepare_only:
        return 0
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.default_url=/lab/tree/{FIRST_PAGE}",  # also in the address that it prints
        *options,
    ]
    os.chdir(folder)
    if os.name == "posix":  # JupyterLab answers Ctrl-C and signals itself
        os.execve(sys.executable, command, lab_environment())
    with subprocess.Popen(command, env=lab_environment()) as server:
        while True:
            try:
                return server.wait()
            except KeyboardInterrupt:
                continue


def lab_environment() -> dict[str, str]:
    """Return JupyterLab's environment, in which "Python 3" is the kernel of ``course/kernels``.

    It starts warm, unless JUPYTER_DEFAULT_PROVISIONER_NAME says otherwise. It leaves what
    TensorFlow's C++ code logs in the terminal; an ordinary one shows it in a lesson's first cells,
    on a red ground.
    """
    environment = provisioner_variables("warm") | kernel_environment()
    paths = [str(Path(__file__).parent), environment.get("JUPYTER_PATH", "")]
    return environment | {"JUPYTER_PATH": os.pathsep.join(filter(None, paths))}


def prepare(root: Path, folder: Path) -> Prepared:
    """Copy the lessons and exercises of ``root`` to ``folder`` where it has none of that name.

    Lessons lose their outputs, so that no answer shows before the guess. A file that is there is
    never written. The manifest remembers what was handed out, so that a later call knows what
    has changed since then.

    Raises:
        CourseError: when ``folder`` cannot be written.
    """
    handed_out = _read_manifest(folder)
    prepared = Prepared(folder, [], [], [], [])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in _course_files(root).items():
            path = folder / name
            digest = hashlib.sha256(content).hexdigest()
            if not path.exists():
                (prepared.returned if name in handed_out else prepared.added).append(name)
                write_whole(path, content)
                handed_out[name] = digest
            elif hashlib.sha256(path.read_bytes()).hexdigest() == digest:
                handed_out[name] = digest
            elif name not in handed_out:
                prepared.unknown.append(name)
                handed_out[name] = digest
            elif handed_out[name] != digest:
                prepared.changed.append(name)
        _write_manifest(folder, handed_out)
    except OSError as error:
        raise CourseError(
            f"{error.filename or folder} cannot be written ({error.strerror}): make the folder"
            " writable, or move the course to one that is."
        ) from error
    return prepared


def reset_file(name: str, root: Path, folder: Path) -> Path | None:
    """Hand out a fresh copy of the lesson or exercise ``name``.

    The learner's file is kept beside it as ``NAME.before-2026-11-23.ipynb``, with a number where
    there is one of that day already.

    Returns:
        Where the learner's file is now; None when there was none.

    Raises:
        CourseError: when there is no such lesson, or the folder cannot be written.
    """
    relative = _file_called(name, root)
    path = folder / relative
    content = _course_files(root)[relative]
    try:
        kept = _set_aside(path) if path.exists() else None
        write_whole(path, content)
        handed_out = _read_manifest(folder)
        handed_out[relative] = hashlib.sha256(content).hexdigest()
        _write_manifest(folder, handed_out)
    except OSError as error:
        raise CourseError(f"{path} cannot be written: {error.strerror or error}.") from error
    return kept


def describe(prepared: Prepared) -> str:
    """Say what preparing a copy did, and what the learner can do about lessons that changed."""
    lines = [f"Your copy of the course is {prepared.folder}."]
    for verb, names in (
        ("New", prepared.added),
        ("Missing, so handed out again", prepared.returned),
    ):
        if names:
            lines.append(f"{verb}: {', '.join(_short(name) for name in names)}.")
    for said, names in (
        ("has changed in the course since you got it.", prepared.changed),
        (
            "differs from the course's; whether by your work or by an update is lost.",
            prepared.unknown,
        ),
    ):
        for name in names:
            short = _short(name)
            lines.append(
                f"{short} {said} `course lab --reset {short}` gives you the course's and keeps"
                " yours beside it."
            )
    return "\n".join(lines)


def _short(name: str) -> str:
    """Return what a learner calls a file of the copy: its lesson, or ``exercises/`` and a name."""
    path = PurePosixPath(name)
    return path.stem if path.parent == PurePosixPath() else f"exercises/{path.stem}"


def _course_files(root: Path) -> dict[str, bytes]:
    """Return the files of a learner's copy: relative name -> content.

    There the lessons lie beside the folder ``exercises``, and the links between them follow.
    """
    files: dict[str, bytes] = {}
    for lesson in lessons(root):
        content = _without_outputs(lesson.path)
        files[lesson.path.name] = content.replace(b"](../exercises/", b"](exercises/")
    for exercise in exercises(root):
        content = _without_outputs(exercise.path)
        files[_exercise_name(exercise)] = content.replace(b"](../../notebooks/", b"](../../")
    return files


def _exercise_name(exercise: Lesson) -> str:
    return f"exercises/{exercise.name}/{exercise.path.name}"


def _file_called(name: str, root: Path) -> str:
    """Return the relative name of the lesson or exercise ``name``; its path will do as well.

    An exercise has its lesson's name: ``05_fashion_mnist_mlp`` is the lesson and
    ``exercises/05_fashion_mnist_mlp`` the exercise.
    """
    known = {lesson.name: lesson.path.name for lesson in lessons(root)}
    known |= {f"exercises/{each.name}": _exercise_name(each) for each in exercises(root)}
    wanted = name.replace("\\", "/").removesuffix(".ipynb").removeprefix("my_course/")
    for known_name, relative in known.items():
        number = known_name[:2] if known_name[:2].isdecimal() else None
        if wanted in (known_name, relative.removesuffix(".ipynb")) or wanted.zfill(2) == number:
            return relative
    raise CourseError(f"There is no lesson or exercise {name!r}: {nearest(wanted, known)}")


def _without_outputs(notebook: Path) -> bytes:
    """Return a notebook's file with its outputs and execution counts cleared.

    Raises:
        CourseError: when the course's own file cannot be read.
    """
    try:
        node = json.loads(notebook.read_text(encoding="utf-8"))
        for cell in node["cells"]:
            if cell["cell_type"] == "code":
                cell.update(execution_count=None, outputs=[])
    except (ValueError, KeyError, TypeError) as error:
        raise CourseError(
            f"{notebook} is not a notebook: restore the course's own file, with"
            f" `git checkout {notebook.name}` in its folder for instance."
        ) from error
    return (json.dumps(node, indent=1, ensure_ascii=False) + "\n").encode()


def _set_aside(path: Path) -> Path:
    """Move a file to a name of its own beside it, never over another file; return that name."""
    stem = f"{path.stem}.before-{datetime.date.today().isoformat()}"
    kept = path.with_name(f"{stem}{path.suffix}")
    number = 2
    while kept.exists():
        kept = path.with_name(f"{stem}-{number}{path.suffix}")
        number += 1
    path.rename(kept)
    return kept


def _read_manifest(folder: Path) -> dict[str, str]:
    """Return the manifest; an empty one where it is missing or damaged.

    Without it a lesson that differs from the course's may have been changed by the learner or
    by an update: ``prepare`` says that once, and begins to remember anew.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _write_manifest(folder: Path, handed_out: Mapping[str, str]) -> None:
    text = json.dumps(handed_out, indent=1, sort_keys=True) + "\n"
    if handed_out != _read_manifest(folder):
        write_whole(folder / MANIFEST, text)
