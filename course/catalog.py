"""Which lessons and exercises there are, read from the folders of the checkout."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import course
from utils.errors import CourseError
from utils.parameters import shortened, shown

ROOT = Path(course.__file__).parent.parent


class Lesson(NamedTuple):
    """A notebook that can be run: ``05_fashion_mnist_mlp``, its file and its first heading."""

    name: str
    path: Path
    title: str


def lessons(root: Path = ROOT) -> list[Lesson]:
    """Return the lessons of ``root/notebooks``, the files called ``NN_name.ipynb``, in order."""
    return [_lesson(path) for path in sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))]


def exercises(root: Path = ROOT) -> list[Lesson]:
    """Return the exercises of ``root/exercises``, one folder each, in order."""
    return _in_folders(root / "exercises")


def assignments(root: Path = ROOT) -> list[Lesson]:
    """Return the assignments of ``root/solutions``, one folder each, in order."""
    return _in_folders(root / "solutions")


def find_assignments(names: Sequence[str] = (), root: Path = ROOT) -> list[Lesson]:
    """Return the assignments called ``names`` (``3``, ``03_higher_order_gradients``), or all.

    Raises:
        CourseError: when a name fits nothing, naming what is nearest to it.
    """
    known = assignments(root)
    if not known:
        raise CourseError(f"There are no assignments in {root / 'solutions'}.")
    found = [_called(name, known) for name in names] if names else known
    for name, assignment in zip(names, found, strict=False):
        if assignment is None:
            raise CourseError(
                f"There is no assignment {shown(name)}: {nearest(name, _names(known))}"
            )
    return list(dict.fromkeys(each for each in found if each))


def find_lessons(names: Sequence[str] = (), root: Path = ROOT) -> list[Lesson]:
    """Return the lessons called ``names``, or all of them when no name is given.

    A name is a lesson's name (``05_fashion_mnist_mlp``), its number (``5`` or ``05``) or the path
    of any notebook.

    Raises:
        CourseError: when a name fits nothing, naming what is nearest to it, or when two
            different files have the same name.
    """
    known = lessons(root)
    if not names and not known:
        raise CourseError(
            f"There are no lessons in {root / 'notebooks'}: install the course from its checkout"
            " with `pip install --editable .`, so that it finds them."
        )
    found = [_find(name, known) for name in names] if names else known
    unique = list(dict.fromkeys(found))
    clash = _first_repeated(lesson.name for lesson in unique)
    if clash:
        raise CourseError(f"Two of the notebooks are called {clash}: run them one after the other.")
    return unique


def is_file(path: Path) -> bool:
    """Tell whether there is such a file; no file has a name that is too long for one."""
    try:
        return path.is_file()
    except OSError:
        return False


def nearest(name: str, known: Iterable[str]) -> str:
    """Return what to say after "unknown name": the nearest known one, or all of them."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"there is {', '.join(known)}." if known else "there is none."


def _called(name: str, known: Sequence[Lesson]) -> Lesson | None:
    """Return the one of ``known`` that is called ``name`` or has that number."""
    for lesson in known:
        number = lesson.name[:2]
        if name in (lesson.name, number) or (name.isdecimal() and int(name) == int(number)):
            return lesson
    return None


def _find(name: str, known: Sequence[Lesson]) -> Lesson:
    lesson = _called(name, known)
    if lesson:
        return lesson
    path = Path(name)
    if path.suffix == ".ipynb":
        if not is_file(path):
            near = nearest(path.stem, _names(known))
            raise CourseError(f"There is no notebook {shortened(name)}: {near}")
        path = path.resolve()
        same = (lesson for lesson in known if lesson.path.resolve() == path)
        return next(same, _lesson(path))
    raise CourseError(f"There is no lesson {shown(name)}: {nearest(name, _names(known))}")


def _in_folders(folder: Path) -> list[Lesson]:
    files = [each / f"{each.name}.ipynb" for each in sorted(folder.glob("*/"))]
    return [_lesson(path) for path in files if path.is_file()]


def _names(known: Iterable[Lesson]) -> list[str]:
    return [lesson.name for lesson in known]


def _lesson(path: Path) -> Lesson:
    return Lesson(path.stem, path, _title(path) or path.stem)


def _title(path: Path) -> str | None:
    """Return the first top-level heading, or None where there is none or it cannot be read."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        prose = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    heading = re.search(r"^# +(.+?) *$", "\n\n".join(prose), re.MULTILINE)
    return heading[1] if heading else None


def _first_repeated(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
