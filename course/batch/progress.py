"""How a batch looks while it runs: a bar and what each run does, or plain lines in a log."""

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

from course.batch.journal import Record
from course.batch.plan import Planned
from course.batch.summary import metric_names
from course.report import number

SHOWN = 3  # metrics on a run's line


@contextmanager
def watching(total: int, width: int) -> Iterator[Lines]:
    """Show the progress of ``total`` runs on standard output for as long as the block lasts."""
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        yield Lines(console, total, width)
        return
    name, doing = TextColumn("{task.description}"), TextColumn("{task.fields[doing]}")
    columns = (SpinnerColumn(), name, _Bar(bar_width=24), TimeElapsedColumn(), doing)
    with Progress(*columns, console=console, transient=True) as bar:
        yield Moving(console, total, width, bar)


class Lines:
    """A line for each run that is over."""

    def __init__(self, console: Console, total: int, width: int) -> None:
        self.console = console
        self.total, self.width = total, width
        self.finished = self.failed = self.running = 0
        self.began = time.monotonic()

    def state(self) -> str:
        """Return how the batch stands."""
        text = f"{self.running} running, {self.failed} failed"
        if self.finished and self.finished < self.total:
            spent = time.monotonic() - self.began
            left = spent / self.finished * (self.total - self.finished)
            text += f", about {duration(left)} left"
        return text

    def submitted(self, running: int) -> None:
        """Note how many runs go on now."""
        self.running = running

    def event(self, planned: Planned, event: dict[str, Any]) -> None:
        """Take what a run says of itself, from any thread."""
        return

    def again(self, planned: Planned, reason: str) -> None:
        """Say that a run is repeated."""
        self.console.print(Text(f"  again: {planned}: {reason}", "yellow"))

    def finish(self, planned: Planned, record: Record) -> None:
        """Say what became of a run."""
        good = record["status"] == "ok"
        self.finished += 1
        self.failed += not good
        self.running = max(0, self.running - 1)
        place = f"{self.finished:{len(str(self.total))}}/{self.total}"
        line = Text(f"{'✓' if good else '✗'} {place}  ", "green" if good else "red")
        line.append(f"{planned!s:{self.width}}  ", "default")
        line.append(f"{record['status'].replace('_', ' '):12}{record['seconds']:6.1f} s", "default")
        numbers = [
            f"{name.replace('_', ' ')} {number(record['metrics'][name])}"
            for name in metric_names([record])
        ]
        line.append("  " + ", ".join(numbers[:SHOWN]), "default")
        if record["failure"]:
            message = record["failure"]["message"].splitlines() or [""]
            line.append(f"  {record['failure']['error']}: {message[0][:120]}", "default")
        if record["metrics"].get("data") == "stand-in":
            line.append("  stand-in data", "yellow")
        line.append(self._after(), "bright_black")
        self.console.print(line)

    def _after(self) -> str:
        return f"  [{self.state()}]"


class Moving(Lines):
    """The same lines, with a bar and the runs that go on below them."""

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

    def finish(self, planned: Planned, record: Record) -> None:
        self._remove(planned)
        super().finish(planned, record)
        self.bar.update(self.all, completed=self.finished, doing=self.state())

    def _remove(self, planned: Planned) -> None:
        if planned.key in self.tasks:
            self.bar.remove_task(self.tasks.pop(planned.key))

    def _after(self) -> str:
        return ""


class _Bar(BarColumn):
    def render(self, task: Task) -> Any:
        """Draw no bar for a run that has not begun."""
        return super().render(task) if task.total != 1 else Text("")


def duration(seconds: float) -> str:
    """Return a time in words that fit its size."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
