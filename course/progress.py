"""How a run looks while it runs: a moving line per lesson on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from course.catalog import Lesson
from course.report import key_results
from course.statuses import Failure, Result

SOURCE_LINES = 12  # of a failing cell that has no traceback to show it


class Watcher(Protocol):
    """What is told about a run as it goes on."""

    def start(self, lesson: Lesson) -> None: ...

    def cell(self, number: int, total: int, section: str) -> None: ...

    def finish(self, lesson: Lesson, result: Result, note: str = "") -> None: ...


@contextmanager
def watching(lessons: Sequence[Lesson]) -> Iterator[Watcher]:
    """Show the progress of ``lessons`` on standard output for as long as the block lasts."""
    console = Console(highlight=False, soft_wrap=True)
    width = max(len(lesson.name) for lesson in lessons)
    if not console.is_terminal:
        yield _Lines(console, width)
        return
    name, doing = TextColumn("{task.description}"), TextColumn("{task.fields[doing]}")
    columns = (SpinnerColumn(), name, TimeElapsedColumn(), doing)
    with Progress(*columns, console=console, transient=True) as bar:
        yield _Moving(console, width, bar)


def show_failure(failure: Failure) -> None:
    """Print on standard error where a lesson stopped and why, in one screen."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print()
    console.print(Text(f"{failure.lesson}: {failure.error}", style="bold red"))
    if failure.section:
        console.print(Text(f"in the section {failure.section!r}, cell {failure.cell_id}"))
    if failure.error == "CourseError" or not failure.source:
        console.print(Text(failure.message))
        return
    if not failure.traceback.startswith("Cell In["):
        source = failure.source.strip().splitlines()
        shown = source[:SOURCE_LINES] + ["..."] * (len(source) > SOURCE_LINES)
        console.print(Text("\n".join(f"    {line}" for line in shown)))
        console.print(Text(failure.message))
    if failure.traceback:
        console.print(Text(failure.traceback))


class _Lines:
    def __init__(self, console: Console, width: int) -> None:
        self.console = console
        self.width = width

    def start(self, lesson: Lesson) -> None:
        return

    def cell(self, number: int, total: int, section: str) -> None:
        return

    def finish(self, lesson: Lesson, result: Result, note: str = "") -> None:
        self.console.print(_line(lesson, result, self.width, note))


class _Moving(_Lines):
    def __init__(self, console: Console, width: int, bar: Progress) -> None:
        super().__init__(console, width)
        self.bar = bar

    def start(self, lesson: Lesson) -> None:
        name = f"{lesson.name:{self.width}}"
        self.task = self.bar.add_task(name, total=None, doing="starting a kernel")

    def cell(self, number: int, total: int, section: str) -> None:
        doing = escape(f"cell {number}/{total}  {section}")
        self.bar.update(self.task, doing=doing)

    def finish(self, lesson: Lesson, result: Result, note: str = "") -> None:
        self.bar.remove_task(self.task)
        super().finish(lesson, result, note)


def _line(lesson: Lesson, result: Result, width: int, note: str) -> Text:
    good = result.status == "ok"
    line = Text(f"{'✓' if good else '✗'} {lesson.name:{width}}", "green" if good else "red")
    line.append(f"  {result.status.replace('_', ' '):12}{result.seconds:6.1f} s", "default")
    results = [f"{name} {value}" for name, value in key_results(result).items()]
    line.append("  " + ", ".join(results[:4]), "default")
    if result.metrics.get("data") == "stand-in":
        line.append("  stand-in data", "yellow")
    if note:
        line.append(f"  {note}", "default")
    return line
