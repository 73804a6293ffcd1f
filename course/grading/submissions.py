"""Which submissions there are in a class's folder: ``SUBMITTED/STUDENT/ASSIGNMENT/*.ipynb``."""

from __future__ import annotations

import difflib
import hashlib
import itertools
import os
import pkgutil
import re
import stat
import sys
import sysconfig
import unicodedata
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

from dateutil import tz
from dateutil.parser import UnknownTimezoneWarning, parse

from course.catalog import ROOT, find_assignments, nearest
from course.grading.cells import Cell, Unreadable, read_cells, text_of
from course.grading.exercise import Exercise, Traces, exercise_of, likeness, traces_of
from course.grading.repair import repaired
from utils.errors import CourseError

LARGEST_NOTEBOOK = 100_000_000  # bytes
MOST_HELPERS = 1_000
HELPERS_TOGETHER = 50_000_000  # bytes
MOST_NOTEBOOKS = 30  # in one folder of a student's
MOST_FOLDERS = 300  # in one folder of a student's
MOST_SAID = 10  # sentences about files that do not go along
DEEPEST = 12  # folders below the student's
PACKED = "is an archive and has to be unpacked."
LONGEST_NAME = 255  # bytes of the name of a file, and so of a student
ENOUGH = 3  # cells of an exercise that a notebook has to hold to be one for certain

NOTEBOOK = re.compile(r"\.ipynb(\.(json|txt))?( ?\(\d+\))?$", re.IGNORECASE)
COPY = re.compile(
    r"[\s_.-]*(\(\d+\)|\[\d+\]|copy[\s_-]*(of)?[\s_-]*\d*|checkpoint|(의[\s_-]*)?(복)?사본)$",
    re.IGNORECASE,
)
ARCHIVE = re.compile(r"\.(zip|7z|rar|tar|tgz|gz|xz|bz2|alz|egg)$", re.IGNORECASE)
CHECKPOINTS = ".ipynb_checkpoints"
LITTER = {  # what tools leave behind
    *(CHECKPOINTS, "timestamp.txt", "__pycache__", "__MACOSX"),
    *(".DS_Store", ".localized", "Thumbs.db", "desktop.ini"),
}
ZONE = re.compile(r"[A-Z]{3,5}|(GMT|UTC)[+-]\d+|[A-Za-z_]+/[\w/+-]+", re.ASCII)  # of a time stamp
ZONES = {"KST": tz.gettz("Asia/Seoul")}  # that the system does not know by these names
FEEDBACK = "feedback"  # what nbgrader gives back lies in a folder called so
OWN = {"course", "utils"}  # installed from the checkout
CODE = (".py", ".pyc", ".pyd", ".so", ".pth")
CONFIGURATION = re.compile(
    r"(ipython|jupyter|nbgrader|nbconvert|papermill)\w*config\w*\.(py|json)|matplotlibrc"
    r"|(site|user)customize\.py|conftest\.py|\w+\.pth|pyvenv\.cfg|setup\.cfg|pyproject\.toml"
    r"|pytest\.ini|tox\.ini",
    re.IGNORECASE,
)


class Submission(NamedTuple):
    """What a student has handed in for an assignment.

    Attributes:
        student: the name of the student's folder, as `student_named` has it.
        assignment: its name in the catalogue; empty for what belongs to none.
        folder: where it lies.
        notebook: what is to be graded, or None.
        reason: why there is nothing to be graded, a sentence, or an empty text.
        left_out: other notebooks for this assignment.
        helpers: files beside the notebook that go along.
        handed_in: when, as nbgrader's ``timestamp.txt`` has it.
        remarks: what the learner should be told of this, a sentence each.
    """

    student: str
    assignment: str
    folder: Path
    notebook: Path | None = None
    reason: str = ""
    left_out: tuple[Path, ...] = ()
    helpers: tuple[Path, ...] = ()
    handed_in: datetime | None = None
    remarks: tuple[str, ...] = ()


@dataclass
class _Unit:
    """A folder of a student's, or the files that lie directly in the student's own.

    Attributes:
        student: the student's own folder.
        claim: the assignment that its name means, or an empty text.
        odd: what looks like a notebook and cannot be opened, a sentence each.
    """

    path: Path
    student: Path
    claim: str = ""
    odd: list[str] = field(default_factory=list)


@dataclass
class _Found:
    """A notebook in a student's folder.

    Attributes:
        claim: the assignment that its folder's name means, or its own.
        assignment: the one whose cells it holds, or else that of the claim.
        reason: why it is nothing to be graded, or an empty text.
        likeness: the number of the exercise's cells that it holds.
        cells: what it holds.
        traces: by what these are told to be an exercise's.
        exercise: the exercise that its assignment is.
    """

    path: Path
    unit: _Unit
    claim: str
    assignment: str
    reason: str = ""
    likeness: int = 0
    cells: Sequence[Cell] = ()
    traces: Traces = field(default_factory=lambda: traces_of(()))
    exercise: Exercise | None = None

    @cached_property
    def answers(self) -> int:
        """The number of problems that have an answer."""
        try:
            return len(repaired(self.cells, self.exercise).answered) if self.exercise else 0
        except Exception:  # noqa: BLE001  said when it is chosen
            return 0

    def standing(self) -> tuple[object, ...]:
        """Return what puts several notebooks for one assignment in order, the best one first."""
        exact = self.path.name == f"{self.assignment}.ipynb"
        variant = assignment_named(self.path.name, [self.assignment])
        return (
            bool(self.reason),
            self.likeness < ENOUGH,
            not self.answers,
            not exact,
            not variant,
            self.unit.path.name != self.assignment,
            len(self.path.parts),
            -self.answers,
            0 if self.reason else -self.path.stat(follow_symlinks=False).st_mtime,
            self.path.name,
        )


def find_submissions(
    folder: Path,
    students: Sequence[str] = (),
    assignments: Sequence[str] = (),
    root: Path = ROOT,
) -> list[Submission]:
    """Return the submissions in a folder, by student and assignment.

    At most one of each student and assignment is there. What belongs to no assignment is there as
    well, as one, with the reasons. Links are never followed, and nothing but files and folders is
    opened.

    Args:
        students: the names of their folders; all when there is none.
        assignments: names or numbers; all when there is none.

    Raises:
        CourseError: there is no such folder, student or assignment.
    """
    chosen = {each.name for each in find_assignments(assignments, root)}
    exercises = {each.name: exercise_of(each) for each in find_assignments((), root)}
    folders = _students(folder, exercises)
    wanted = [name if name in folders else student_named(name) for name in students]
    for asked, name in zip(students, wanted, strict=True):
        if name not in folders:
            raise CourseError(
                f"There is no student {asked!r} in {folder}: {nearest(name, folders)}"
            )
    found = [] if students else list(_beside_the_students(folder))
    for student in dict.fromkeys(wanted) or folders:
        try:
            found += list(_of_student(student, folders[student], exercises))
        except Exception as error:  # noqa: BLE001  one student must not stop the class
            found.append(Submission(student, "", folders[student][0], reason=said_of(error)))
    return _one_of_each(each for each in found if each.assignment in chosen or not each.assignment)


def _one_of_each(found: Iterable[Submission]) -> list[Submission]:
    """Make one of what a student has handed in for no assignment, since it gets one page."""
    places: dict[tuple[str, str], Submission] = {}
    for each in found:
        place = each.student, each.assignment
        if earlier := places.get(place):
            each = earlier._replace(reason=f"{earlier.reason} {each.reason}")
        places[place] = each
    return list(places.values())


def said_of(error: Exception) -> str:
    """Say in one sentence why a submission is not graded, also where nobody has foreseen it."""
    if isinstance(error, CourseError):
        return str(error)
    return (
        f"It cannot be read ({type(error).__name__}: {str(error)[:200]}): open it in Jupyter, save"
        " it, and hand it in again."
    )


class NotAFile(CourseError):
    """A link, a folder, a pipe, a device: nothing that is opened."""


def read_whole(path: Path, most: int = LARGEST_NOTEBOOK) -> bytes:
    """Return a file's content; nothing but a file is opened, and no link is followed.

    Raises:
        NotAFile: it is something else.
        CourseError: it is larger than ``most`` bytes, or cannot be read; one sentence says so.
    """
    name = f"`{shown(path.name)}`"
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        if path.is_symlink():
            raise NotAFile(f"{name} is a link, and links are not followed.")
        if not stat.S_ISREG(path.lstat().st_mode):
            raise NotAFile(f"{name} is no file.")
        with open(os.open(path, flags | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            content = file.read(most + 1)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise CourseError(f"{name} cannot be read ({error.strerror or error}).") from None
    if len(content) > most:
        raise CourseError(
            f"{name} has {size / 1e6:,.0f} MB, and more than {most / 1e6:,.0f} MB are not read:"
            " clear its outputs."
        )
    return content


def copy_helpers(submission: Submission, target: Path) -> None:
    """Put copies of the helper files, which cannot be written to, into a folder.

    Raises:
        CourseError: one of them cannot be read.
        OSError: a copy cannot be written.
    """
    if submission.notebook is None:
        return
    for path in submission.helpers:
        copy = target / path.relative_to(submission.notebook.parent)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(read_whole(path, HELPERS_TOGETHER))
        copy.chmod(0o444)


def shown(name: str) -> str:
    """Return a file's name as text that can be printed: composed, what is no UTF-8 as CP949.

    Bytes that are neither stand as ``\\xe9``, what would steer a terminal or begin a line as
    ``\\x1b`` and ``\\n``, and a backslash as two, so that two names stay two.
    """
    raw = os.fsencode(name)
    text = raw.decode(errors="surrogateescape")
    for encoding in ("utf-8", "cp949"):
        with suppress(UnicodeDecodeError):
            text = unicodedata.normalize("NFC", raw.decode(encoding))
            break
    return "".join(map(_printable, text))


def _printable(character: str) -> str:
    kind = unicodedata.category(character)
    if kind == "Cs":  # a byte that stands for no character
        return f"\\x{os.fsencode(character).hex()}"
    if character == "\\" or kind in ("Cc", "Zl", "Zp"):
        return character.encode("unicode_escape").decode()
    return character


def student_named(folder: str) -> str:
    """Return the name of the student with this folder, short enough to name a folder of ours."""
    name = shown(folder)
    raw = name.encode()
    if len(raw) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256(raw).hexdigest()[:8]
    return f"{raw[: LONGEST_NAME - 9].decode(errors='ignore')}-{digest}"


def assignment_named(name: str, known: Iterable[str]) -> str:
    """Return the assignment that the name of a folder or file means, or an empty text.

    ``05_fashion_mnist_mlp (1)``, ``fashion-mnist``, ``assignment 5`` and ``05`` mean the fifth.
    """
    known = list(known)
    plain = _plain(_original(NOTEBOOK.sub("", name)))
    words = {each.partition("_")[2]: each for each in known}
    if plain in known:
        return plain
    inside = [each for word, each in words.items() if word in plain]
    if len(inside) == 1:
        return inside[0]
    near = difflib.get_close_matches(plain, [*known, *words], n=1, cutoff=0.8)
    if near:
        return words.get(near[0], near[0])
    numbers = {int(each) for each in re.findall(r"(?<!\d)\d{1,2}(?!\d)", plain)}
    meant = [each for each in known if int(each[:2]) in numbers]
    return meant[0] if len(meant) == len(numbers) == 1 else ""


def _original(name: str) -> str:
    """Return the name of what a file or folder with this name is a copy of a copy of."""
    while (shorter := COPY.sub("", name)) != name:
        name = shorter
    return name


def _plain(name: str) -> str:
    """Return a name in small letters, with an underscore for whatever is no letter or digit."""
    return re.sub(r"[\W_]+", "_", shown(name).casefold()).strip("_")


# Who has handed in


def _students(folder: Path, assignments: Iterable[str]) -> dict[str, list[Path]]:
    """Return the students' folders by name; names that only differ in their encoding are one."""
    if not os.path.isdir(folder):
        raise CourseError(f"There is no folder {folder} with submissions.")
    students: dict[str, list[Path]] = defaultdict(list)
    for entry in _everything(folder):
        if _is_folder(entry) and (not _is_hidden(entry) or _holds_work(entry, assignments)):
            students[student_named(entry.name)].append(Path(entry.path))
    if students and students.keys() <= set(assignments):
        raise CourseError(
            f"{folder} has a folder for each assignment: the folder is needed that has one for each"
            " student."
        )
    return students


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Tell whether something is a folder, or a link to one."""
    try:
        return entry.is_dir()
    except OSError:  # such as a link to itself
        return False


def _is_hidden(entry: os.DirEntry[str]) -> bool:
    return entry.name.startswith(".") or entry.name == FEEDBACK


def _holds_work(entry: os.DirEntry[str], assignments: Iterable[str]) -> bool:
    """Tell whether something in a folder is called like an assignment, or is a notebook."""
    try:
        names = [each.name for each in _entries(Path(entry.path))]
    except CourseError:
        return False
    return any(NOTEBOOK.search(name) or assignment_named(name, assignments) for name in names)


def _beside_the_students(folder: Path) -> Iterator[Submission]:
    for entry in _entries(folder):
        if not _is_folder(entry) and (NOTEBOOK.search(entry.name) or ARCHIVE.search(entry.name)):
            name = shown(entry.name)
            reason = f"`{name}` lies beside the students' folders: it should be in one of them."
            yield Submission("", "", folder, reason=reason)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """Return what lies in a folder and is neither litter nor hidden, by name.

    Raises:
        CourseError: it cannot be read.
    """
    return [each for each in _everything(folder) if not _is_hidden(each)]


def _everything(folder: Path) -> list[os.DirEntry[str]]:
    """Return what lies in a folder and is no litter, by name.

    Raises:
        CourseError: it cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            kept = [each for each in entries if each.name not in LITTER]
    except OSError as error:
        name = shown(folder.name)
        raise CourseError(f"`{name}` cannot be read ({error.strerror or error}).") from None
    return sorted(kept, key=lambda entry: entry.name)


def _of_student(
    student: str, places: Sequence[Path], exercises: dict[str, Exercise]
) -> Iterator[Submission]:
    units, found, strays = [], [], []
    for place in places:
        try:
            mine = _units(place, exercises)
            units += mine
            found += [each for unit in mine for each in _notebooks(unit, exercises)]
        except CourseError as error:
            strays.append(Submission(student, "", place, reason=str(error)))
    for name in exercises:
        candidates = [each for each in found if each.assignment == name]
        candidates = candidates or list(_holding_it_too(found, exercises[name]))
        claiming = [unit for unit in units if unit.claim == name]
        if candidates:
            yield _chosen(student, name, candidates, found, units)
        elif claiming:
            yield Submission(student, name, claiming[0].path, reason=_why_none(claiming[0], found))
    loose = any(each.unit.path in places and each.assignment for each in found)
    for unit in units:
        if unit.claim or any(each.unit is unit for each in found):
            continue
        if unit.odd or (unit.path not in places and not loose):  # else it goes along
            yield Submission(student, "", unit.path, reason=_why_none(unit, found))
    for each in found:
        if not each.assignment:
            yield Submission(student, "", each.unit.path, reason=each.reason)
    yield from strays
    if not found and not strays and not any(unit.path not in places or unit.odd for unit in units):
        yield Submission(student, "", places[0], reason=_why_none(units[0], found))


def _holding_it_too(found: Sequence[_Found], exercise: Exercise) -> Iterator[_Found]:
    """Yield the notebooks for other assignments that hold answers to this exercise as well."""
    for each in found:
        count = likeness(each.traces, exercise)
        same = replace(each, assignment=exercise.name, likeness=count, exercise=exercise)
        if count >= ENOUGH and same.answers:
            yield same


# What a student has handed in


def _units(place: Path, exercises: Iterable[str]) -> list[_Unit]:
    if place.is_symlink():
        raise CourseError(f"`{shown(place.name)}` is a link, and links are not followed.")
    units = []
    for entry in _entries(place):
        claim = assignment_named(entry.name, exercises)
        if entry.is_symlink():
            if claim or NOTEBOOK.search(entry.name):
                odd = f"`{shown(entry.name)}` is a link, and links are not followed."
                units.append(_Unit(Path(entry.path), place, claim, [odd]))
        elif entry.is_dir(follow_symlinks=False):
            units.append(_Unit(Path(entry.path), place, claim))
        elif ARCHIVE.search(entry.name):
            odd = f"`{shown(entry.name)}` {PACKED}"
            units.append(_Unit(Path(entry.path), place, claim, [odd]))
    return [*units, _Unit(place, place)]


def _notebooks(unit: _Unit, exercises: dict[str, Exercise]) -> list[_Found]:
    """Return the notebooks in a unit, those that lie deeper later.

    Where an assignment's folder has none that can be graded, Jupyter's checkpoints are looked at.
    """
    if unit.odd:
        return []
    folders = [(unit.path, unit.claim)]
    found = list(_in_folders(folders, unit, exercises))
    if unit.claim and all(each.reason for each in found):
        checkpoints = [(path / CHECKPOINTS, claim) for path, claim in folders]
        there = [each for each in checkpoints if _is_own_folder(each[0])]
        found += _in_folders(there, unit, exercises)
    return found


def _in_folders(
    folders: list[tuple[Path, str]], unit: _Unit, exercises: dict[str, Exercise]
) -> Iterator[_Found]:
    """Yield the notebooks in folders, each with the assignment that it claims to be.

    The folders in them are appended.
    """
    count = 0
    for folder, claim in folders:
        try:
            entries = _entries(folder)
        except CourseError as error:
            unit.odd.append(str(error))
            continue
        for entry in sorted(entries, key=lambda entry: not _is_called_like(entry, exercises)):
            path = Path(entry.path)
            mine = claim or assignment_named(entry.name, exercises)
            is_folder = entry.is_dir(follow_symlinks=False)
            if NOTEBOOK.search(entry.name) and not is_folder:
                count += 1
                if count > MOST_NOTEBOOKS:
                    name = shown(unit.path.name)
                    unit.odd.append(
                        f"No more than {MOST_NOTEBOOKS} notebooks of `{name}` are read."
                    )
                    return
                try:
                    yield _look_at(path, unit, mine, exercises)
                except NotAFile as error:
                    unit.odd.append(str(error))
            elif (
                is_folder
                and unit.path != unit.student
                and len(path.relative_to(unit.student).parts) <= DEEPEST
                and len(folders) < MOST_FOLDERS
            ):
                folders.append((path, mine))


def _is_own_folder(path: Path) -> bool:
    """Tell whether there is a folder, and no link to one."""
    return os.path.isdir(path) and not os.path.islink(path)


def _is_called_like(entry: os.DirEntry[str], exercises: Iterable[str]) -> bool:
    """Tell whether a file has the name of an exercise's notebook, or of a copy of one."""
    return _plain(_original(NOTEBOOK.sub("", entry.name))) in exercises


def _look_at(path: Path, unit: _Unit, claim: str, exercises: dict[str, Exercise]) -> _Found:
    """Find out which assignment a notebook is for, and how much of it is answered.

    Raises:
        NotAFile: it only looks like a notebook.
    """
    name = f"`{shown(path.name)}`"
    try:
        cells = read_cells(read_whole(path))
    except Unreadable as error:
        said = str(error).replace("The file", name).replace("The notebook", name)
        return _Found(path, unit, claim, claim, said)
    except NotAFile:
        raise
    except Exception as error:  # noqa: BLE001  one notebook must not stop the class
        return _Found(path, unit, claim, claim, said_of(error))
    traces = traces_of(cells)
    scores = {name: likeness(traces, exercise) for name, exercise in exercises.items()}
    best = max(scores, key=lambda each: (scores[each], each == claim))
    if claim and (scores[claim] or scores[best] < ENOUGH):
        best = claim
    if not claim and scores[best] < ENOUGH:
        return _Found(path, unit, claim, "", f"{name} holds none of the exercises.")
    if not scores[best]:
        reason = f"{name} holds none of the cells of the exercise {best}: is it the lesson?"
        return _Found(path, unit, claim, best, reason)
    return _Found(path, unit, claim, best, "", scores[best], cells, traces, exercises[best])


def _chosen(
    student: str, name: str, candidates: list[_Found], found: list[_Found], units: list[_Unit]
) -> Submission:
    """Return the submission that the best of several notebooks makes."""
    best, *others = sorted(candidates, key=_Found.standing) if candidates[1:] else candidates
    folder = best.unit.path
    if best.reason:
        return Submission(
            student, name, folder, reason=" ".join(each.reason for each in (best, *others))
        )
    remarks = list(_about_the_choice(best, others, name))
    for unit in units:
        if unit.claim == name:
            remarks += unit.odd
    handed_in, said = _handed_in(best)
    taken = {each.path for each in found if each.assignment}
    full = [unit.path for unit in units if unit.claim or any(each.unit is unit for each in found)]
    helpers, about = _helpers(best, taken | {*full})
    return Submission(
        student,
        name,
        folder,
        best.path,
        left_out=tuple(each.path for each in others),
        helpers=tuple(helpers),
        handed_in=handed_in,
        remarks=tuple(dict.fromkeys((*remarks, *said, *about))),
    )


def _about_the_choice(best: _Found, others: list[_Found], name: str) -> Iterator[str]:
    if best.claim and best.claim != name:
        yield f"`{_place(best)}` holds the cells of {name} and was graded as that."
    elif others:
        left_out = ", ".join(f"`{_place(each)}`" for each in others)
        yield f"`{_place(best)}` was graded, and these notebooks were left out: {left_out}."
    elif best.path.name != f"{name}.ipynb":
        yield f"`{_place(best)}` was taken for {name}.ipynb."
    for each in others:
        if each.reason:
            yield each.reason
        elif each.path.name == f"{name}.ipynb" and not each.answers:
            yield f"`{_place(each)}` was left out because it is blank."
        elif each.answers > best.answers:
            yield (
                f"`{_place(each)}` was left out though it holds {each.answers} answers, and"
                f" `{_place(best)}` holds {best.answers}."
            )


def _place(found: _Found) -> str:
    """Return a notebook's path in the student's folder."""
    return shown(found.path.relative_to(found.unit.student).as_posix())


def _why_none(unit: _Unit, found: list[_Found]) -> str:
    """Say what is in a folder in which there is nothing to be graded."""
    name = f"`{shown(unit.path.name)}`"
    elsewhere = [each for each in found if each.unit is unit and each.assignment]
    if unit.odd:
        return " ".join(unit.odd)
    if elsewhere:
        each = elsewhere[0]
        return f"`{_place(each)}` in {name} holds the cells of {each.assignment}."
    try:
        entries = _entries(unit.path)
    except CourseError as error:
        return str(error)
    if packed := [each for each in entries if ARCHIVE.search(each.name) and not _is_folder(each)]:
        return f"`{shown(packed[0].name)}` in {name} {PACKED}"
    there = [f"{'the folder ' if _is_folder(each) else ''}`{shown(each.name)}`" for each in entries]
    if not there:
        return f"The folder {name} is empty."
    more = "" if len(there) <= 3 else f" and {len(there) - 3} more"
    return f"There is no notebook in {name}, only {', '.join(there[:3])}{more}."


def _handed_in(found: _Found) -> tuple[datetime | None, list[str]]:
    """Read the time stamp beside a notebook, or in a folder above it up to the assignment's."""
    folder = found.path.parent
    while not os.path.lexists(path := folder / "timestamp.txt"):
        if folder == found.unit.path:
            return None, []
        folder = folder.parent
    try:
        text = text_of(read_whole(path, 1_000)).strip()
        return (_moment(text) if text else None), []
    except Exception:  # noqa: BLE001  reading a time raises whatever it stumbles over
        return None, ["`timestamp.txt` holds no time that can be read."]


def _moment(text: str) -> datetime:
    """Read a time; nbgrader's own way takes what it does not understand of one for something else.

    Raises:
        Exception: it is none, or it has no date or an unknown zone.
    """
    date, _, word = text.rpartition(" ")
    zone = ZONES.get(word) or (tz.gettz(word) if ZONE.fullmatch(word) else None)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UnknownTimezoneWarning)
        one, other = (
            parse(date if zone else text, tzinfos=ZONES, default=datetime(year, month, month))
            for year, month in ((2000, 1), (2001, 2))
        )
    if one != other:
        raise ValueError("a part of the date is missing")
    return (one if one.tzinfo else one.replace(tzinfo=zone or UTC)).astimezone(UTC)


# The files that go along


def _helpers(found: _Found, others: set[Path]) -> tuple[list[Path], list[str]]:
    """Return the files beside a notebook that go along, and what is said of those that do not.

    Args:
        others: notebooks and folders that are submissions themselves.
    """
    top = found.path.parent
    helpers: list[Path] = []
    remarks: list[str] = []
    too_much: list[str] = []
    room, folders = HELPERS_TOGETHER, [top]
    for folder in folders:
        try:
            entries = [each for each in _everything(folder) if each.name != FEEDBACK]
        except CourseError as error:
            remarks.append(str(error))
            continue
        for entry in entries:
            path = Path(entry.path)
            name = shown(path.relative_to(top).as_posix())
            if path in others:
                continue
            reason = _why_left_out(entry, at_the_top=folder == top)
            if reason:
                remarks.append(f"`{name}` was left out: {reason}.")
            elif entry.is_dir(follow_symlinks=False):
                folders += [path] if len(folders) < MOST_FOLDERS else []
            elif (size := _size(path)) > room:
                too_much.append(name)
            elif len(helpers) == MOST_HELPERS:
                too_much.append(name)
            else:
                room -= size
                helpers.append(path)
    if too_much:
        most = (
            f"at most {MOST_HELPERS:,} files of {HELPERS_TOGETHER / 1e6:.0f} MB together go along"
        )
        more = f" and {len(too_much) - 1} more" if too_much[1:] else ""
        remarks.insert(0, f"`{too_much[0]}`{more} was left out: {most}.")
    if more_said := len(remarks[MOST_SAID:]):
        remarks[MOST_SAID:] = [f"{more_said:,} more files and folders were left out."]
    return helpers, remarks


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:  # reading it is tried, and what comes of that is said, when it goes along
        return 0


def _why_left_out(entry: os.DirEntry[str], *, at_the_top: bool) -> str:
    name = entry.name
    module = name.partition(".")[0]
    is_folder = entry.is_dir(follow_symlinks=False)
    if entry.is_symlink():
        return "it is a link"
    if not is_folder and not entry.is_file(follow_symlinks=False):
        return "it is no file"
    if name.startswith("."):
        return "it is hidden"
    if CONFIGURATION.fullmatch(name):
        return "it would change how Python or its tools work"
    if at_the_top and module in _modules():
        if _holds_code(Path(entry.path)) if is_folder else name.endswith(CODE):
            return f"it would take the place of Python's {module}"
    return ""


def _holds_code(folder: Path) -> bool:
    """Tell whether Python would import something from a folder; another only holds data."""
    found = itertools.islice(folder.rglob("*"), MOST_HELPERS)
    try:
        return any(path.name.endswith(CODE) or path.is_symlink() for path in found)
    except OSError:
        return True


@cache
def _modules() -> frozenset[str]:
    """Return the names of the modules that are installed or come with Python."""
    paths = sysconfig.get_paths()
    installed = pkgutil.iter_modules([paths["purelib"], paths["platlib"]])
    return frozenset({each.name for each in installed} | sys.stdlib_module_names | OWN)


__all__ = ["Submission", "copy_helpers", "find_submissions", "read_whole", "said_of", "shown"]
