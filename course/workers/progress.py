"""How many jobs look while they are done: a bar and what each does, or plain lines in a log."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from course.workers.driving import Planned
from course.workers.journal import Record


@contextmanager
def watching(total: int, width: int) -> Iterator[Lines]:
    """Show the progress of ``total`` jobs on standard output for as long as the block lasts."""
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        yield Lines(console, total, width)
        return
    name, doing = TextColumn("{task.description}"), TextColumn("{task.fields[doing]}")
    columns = (SpinnerColumn(), name, _Bar(bar_width=24), TimeElapsedColumn(), doing)
    with Progress(*columns, console=console, transient=True) as bar:
        yield Moving(console, total, width, bar)


class Lines:
    """A line for each job that is over."""

    def __init__(self, console: Console, total: int, width: int) -> None:
        self.console = console
        self.total, self.width = total, width
        self.finished = self.failed = self.running = 0
        self.began = time.monotonic()

    def state(self) -> str:
        """Return how all of them stand."""
        text = f"{self.running} running, {self.failed} failed"
        if self.finished and self.finished < self.total:
            spent = time.monotonic() - self.began
            left = spent / self.finished * (self.total - self.finished)
            text += f", about {duration(left)} left"
        return text

    def submitted(self, running: int) -> None:
        """Note how many go on now."""
        self.running = running

    def event(self, planned: Planned, event: dict[str, Any]) -> None:
        """Take what a job says of itself, from any thread."""
        return

    def again(self, planned: Planned, reason: str) -> None:
        """Say that a job is repeated."""
        self.console.print(Text(f"  again: {planned}: {reason}", "yellow"))

    def finish(self, planned: Planned, record: Record, *words: str | Text) -> None:
        """Say what became of a job; ``words`` follow its status and its time."""
        good = record["status"] == "ok"
        self.finished += 1
        self.failed += not good
        place = f"{self.finished:{len(str(self.total))}}/{self.total}"
        line = Text(f"{'✓' if good else '✗'} {place}  ", "green" if good else "red")
        line.append(f"{planned!s:{self.width}}  ", "default")
        line.append(f"{record['status'].replace('_', ' '):12}{record['seconds']:6.1f} s", "default")
        for each in words:
            line.append("  ")
            line.append(each)
        line.append(self._after(), "bright_black")
        self.console.print(line)

    def _after(self) -> str:
        return f"  [{self.state()}]"


class Moving(Lines):
    """The same lines, with a bar and what goes on below them."""

    def __init__(self, console: Console, total: int, width: int, bar: Progress) -> None:
        super().__init__(console, total, width)
        self.bar = bar
        self.all = bar.add_task(f"{'all':{width}}", total=total, doing="")
        self.tasks: dict[str, Any] = {}

    def submitted(self, running: int) -> None:
        super().submitted(running)
        self.bar.update(self.all, completed=self.finished, doing=self.state())

    def event(self, planned: Planned, event: dict[str, Any]) -> None:
        if planned.key not in self.tasks:
            name = f"{planned!s:{self.width}}"
            self.tasks[planned.key] = self.bar.add_task(escape(name), total=1, doing="")
        if "cell" in event:
            cell, total, section = event["cell"]
            doing = escape(f"cell {cell}/{total}  {section[:40]}")
            self.bar.update(self.tasks[planned.key], completed=cell - 1, total=total, doing=doing)

    def again(self, planned: Planned, reason: str) -> None:
        self._remove(planned)
        super().again(planned, reason)

    def finish(self, planned: Planned, record: Record, *words: str | Text) -> None:
        self._remove(planned)
        super().finish(planned, record, *words)
        self.bar.update(self.all, completed=self.finished, doing=self.state())

    def _remove(self, planned: Planned) -> None:
        if planned.key in self.tasks:
            self.bar.remove_task(self.tasks.pop(planned.key))

    def _after(self) -> str:
        return ""


class _Bar(BarColumn):
    def render(self, task: Task) -> Any:
        """Draw no bar for a job that has not begun."""
        return super().render(task) if task.total != 1 else Text("")


def duration(seconds: float) -> str:
    """Return a time in words that fit its size."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
