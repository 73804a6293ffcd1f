"""One submission: its cells are run and its answers judged, whatever they do."""

from __future__ import annotations

import ast
import builtins
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from course.grading.pair import Pair
from course.grading.side_effects import may_spoil
from course.grading.sources import (
    Piece,
    does_nothing,
    is_import,
    makes,
    names_bound,
    names_mentioned,
    pieces,
)
from course.sessions import KernelDied
from course.statuses import Status

MOST_KERNELS = 6  # for one submission; each but the first since the one before it died


class Step(NamedTuple):
    """A cell of a gradable notebook.

    Attributes:
        role: instructor, check, answer, or own (the learner's own).
        problems: that it belongs to; a check has one.
        test: of a check, its source with the hidden tests.
    """

    cell: NotebookNode
    role: str
    problems: tuple[str, ...] = ()
    test: str = ""

    @property
    def problem(self) -> str:
        """The first of the problems, or an empty text."""
        return self.problems[0] if self.problems else ""


def steps_of(notebook: NotebookNode, tests: Mapping[str, str]) -> list[Step]:
    """Return the steps of a repaired notebook; ``tests`` has the sources of checks by cell id."""
    steps = []
    for cell in notebook.cells:
        about = cell.metadata.get("tape_to_mlp", {})
        steps.append(
            Step(
                cell,
                about.get("role", "own"),
                tuple(about.get("problems", ())),
                tests.get(cell.id, ""),
            )
        )
    return steps


class Mark(NamedTuple):
    """What a problem earned, and why."""

    problem: str
    points: float
    of: float
    status: Status
    diagnosis: str  # a stable word: right, not_attempted, undefined, the misconception, ...
    text: Mapping[str, str]  # for the learner, by language
    section: str = ""  # of the lesson
    reason: str = ""  # for the instructor, where the status is not ok


class Graded(NamedTuple):
    """What became of a submission's notebook."""

    marks: dict[str, Mark]
    cells: list[NotebookNode]  # all of them, as run
    kernels: int  # how many it took


Open = Callable[[], Any]


def grade(
    steps: Sequence[Step],
    open_kernel: Open,
    seconds: float,
    on_step: Callable[[int, str], None] = lambda number, name: None,
) -> Graded:
    """Run a notebook and judge it.

    Points stay as they were earned: when a kernel dies or hangs, another one takes up the work
    without the cell that did it. A problem whose cell killed its kernel, that was never reached, or
    that lost points where a cell may have changed what all rely on, is tried once more on a kernel
    that runs nothing but the instructor's cells, its own, and what defines names in these; the
    better of the two counts. What a learner's cell defines below a line that fails is defined too.

    Args:
        steps: the cells in their order.
        open_kernel: gives a context manager of a `Pair`.
        seconds: that all of it may take.
        on_step: told the number of each step and the problem it belongs to.

    Raises:
        CourseError: no kernel starts.
        JudgeLost: the judge cannot work.
    """
    work = _Work(steps, open_kernel, time.monotonic() + seconds, on_step)
    work.through()
    for problem in work.suspected():
        work.alone(problem)
    return Graded(work.all_marks(seconds), work.cells, work.kernels)


def _is_of_others(step: Step, problem: str) -> bool:
    """Tell whether a cell is the learner's and not an answer to this problem."""
    return step.role in ("answer", "own") and problem not in step.problems


def _is_better(before: Mark, after: Mark) -> bool:
    """Tell whether a mark counts rather than one that was given once more, alone."""
    return (before.points, before.status == "ok") >= (after.points, True)


class _Work:
    def __init__(
        self,
        steps: Sequence[Step],
        open_kernel: Open,
        end: float,
        on_step: Callable[[int, str], None],
    ) -> None:
        self.steps = steps
        self.on_step = on_step
        self.open_kernel = open_kernel
        self.end = end
        self.kernels = 0
        self.marks: dict[str, Mark] = {}
        self.cells = [each.cell for each in steps]
        self.errors: dict[str, str] = {}  # problem -> the last error of its cells
        self.doubtful: set[str] = set()  # problems that another one's cell may have spoiled

    @cached_property
    def pieces(self) -> list[list[Piece]]:
        """What the steps' cells are made of, where they are Python."""
        return [
            (each.cell.cell_type == "code" and pieces(each.cell.source)) or []
            for each in self.steps
        ]

    def through(self) -> None:
        """Go through the steps, on as many kernels as it takes."""
        without: set[int] = set()
        for _ in range(MOST_KERNELS):
            if self.left() <= 0:
                return
            bad = self._on_a_kernel(without)
            if bad is None:
                return
            without.add(bad)

    def alone(self, problem: str) -> None:
        """Try a problem once more on a kernel that runs nothing but its own cells."""
        before, cells = self.marks.pop(problem, None), [*self.cells]
        others = {i for i, each in enumerate(self.steps) if _is_of_others(each, problem)}
        if self.left() > 0:
            self._on_a_kernel(others, {problem}, self._needed_by(problem))
        after = self.marks.get(problem)
        if before and (after is None or _is_better(before, after)):
            self.marks[problem], self.cells = before, cells

    def _needed_by(self, problem: str) -> dict[int, NotebookNode]:
        """Return what in others' cells defines the names that a problem's own cells use.

        By the step before which it is to be run. What stands below the first of the own cells is
        for that one: a notebook's cells are not always run in their order.
        """
        codes = self.pieces
        own = [not _is_of_others(each, problem) for each in self.steps]
        mine = [i for i, each in enumerate(self.steps) if own[i] and each.role == "answer"]
        if not mine:
            return {}
        there = {*dir(builtins)}
        for code, is_own in zip(codes, own, strict=True):
            there |= names_bound([each for piece in code for each in piece.statements if is_own])
        wanted = {n for i in mine for piece in codes[i] for n in names_mentioned(piece.statements)}
        wanted -= there
        above, below = range(mine[0]), range(mine[0] + 1, len(self.steps))
        given = {n for i in above for piece in codes[i] for n in names_bound(piece.statements)}
        needed: dict[int, list[str]] = defaultdict(list)
        for number in reversed([each for each in (*above, *below) if not own[each]]):
            for piece in reversed(codes[number]):
                names = names_bound(piece.statements) - (given if number in below else set())
                if names & (wanted | {"*"}):
                    needed[min(number, mine[0])].insert(0, piece.text)
                    wanted |= names_mentioned(piece.statements) - there
        return {number: new_code_cell("\n".join(texts)) for number, texts in needed.items()}

    def _on_a_kernel(
        self,
        without: set[int],
        only: set[str] | None = None,
        needed: Mapping[int, NotebookNode] = MappingProxyType({}),
    ) -> int | None:
        """Run the steps on a new kernel; return the one that ended it, or None at the end.

        What has a mark is not judged again; ``only`` these problems are judged if it is given.
        Before some of the steps it runs what is ``needed``.
        """
        self.kernels += 1
        with self.open_kernel() as pair:
            learners: int | None = None
            for number, step in enumerate(self.steps):
                if self.left() <= 0 or step.cell.cell_type != "code":
                    continue
                if number in needed and not _runs(pair, needed[number]):
                    return number
                if number in without:
                    continue
                self.on_step(number, step.problem)
                if step.role == "check":
                    if step.problem in self.marks or (only and step.problem not in only):
                        pair.pass_over(step.test)
                    elif self._judge(pair, number):
                        return number
                    continue
                if step.role != "instructor":
                    learners = number
                try:
                    ran = self.cells[number] = pair.run(step.cell)
                    if step.role == "instructor":
                        if self._imports(number):
                            pair.keep()
                    elif stopped(ran):
                        pair.define_the_rest(step.cell.source)
                except KernelDied as death:
                    blamed = number if learners is None else learners
                    self._blame(blamed, self.steps[blamed], death)
                    return blamed
                if step.role == "instructor":
                    pair.instruct(step.cell.source)
                self._note_errors(number, step)
        return None

    def _judge(self, pair: Pair, number: int) -> bool:
        """Mark a problem; tell whether the kernel cannot be used any more."""
        step = self.steps[number]
        verdict, death = pair.judge(step.test)
        mark = self.marks[step.problem] = self._mark(step, verdict, death)
        if death is not None or "lost" in verdict:
            if death is not None and death.stopped:
                self.doubtful.add(step.problem)
            return True
        if mark.points == mark.of or self._is_blank(step.problem):
            return False
        if (
            self._may_be_spoiled(number)
            or any(step.problem in self.steps[i].problems for i in self._needed_by(step.problem))
            or not pair.is_as_kept()
        ):
            self.doubtful.add(step.problem)
        return False

    def _is_blank(self, problem: str) -> bool:
        """Tell whether the learner has left a problem as it was handed out."""
        return all(
            does_nothing(each)
            for step, cut in zip(self.steps, self.pieces, strict=True)
            if problem in step.problems and step.role in ("answer", "own")
            for piece in cut
            for each in piece.statements
        )

    def _imports(self, number: int) -> bool:
        """Tell whether a step's cell brings what others rely on from elsewhere."""
        return any(is_import(each) for piece in self.pieces[number] for each in piece.statements)

    def _may_be_spoiled(self, number: int) -> bool:
        """Tell whether a cell of others above a check may have changed what the check relies on."""
        problem = self.steps[number].problem
        code: dict[bool, list[ast.stmt]] = {True: [], False: []}  # by whether it is of others
        relied_on: set[str] = set()
        answers: set[str] = set()
        for step, cut in zip(self.steps[:number], self.pieces, strict=False):
            statements = [each for piece in cut for each in piece.statements]
            defined = names_bound([each for each in statements if not is_import(each)])
            is_of_others = _is_of_others(step, problem)
            if is_of_others and defined & answers:
                return True
            code[is_of_others] += statements
            if step.role == "instructor":
                relied_on |= names_bound(statements)
            elif not is_of_others:
                answers |= defined
        data = names_bound([each for each in code[False] if not makes(each)])
        return may_spoil(code[True], relied_on, data)

    def _mark(self, step: Step, verdict: Mapping[str, Any], death: KernelDied | None) -> Mark:
        problem, of = step.problem, points_of(step.cell)
        if "lost" in verdict:
            return self._failed(problem, of, "dead_kernel", str(verdict["lost"]))
        if "undefined" in verdict:
            error = self.errors.get(problem, "")
            status: Status = "cell_error" if error else "ok"
            name = verdict["undefined"]
            return Mark(problem, 0, of, status, "undefined", undefined(name, error), "", error)
        status = "ok"
        reason = ""
        if verdict["diagnosis"] == "endless" or (death and death.stopped):
            status, reason = "timeout", "an answer did not end in time"
        return Mark(
            problem,
            float(verdict["points"]),
            of,
            status,
            str(verdict["diagnosis"]),
            verdict["text"],
            str(verdict["section"]),
            reason,
        )

    def _blame(self, number: int, step: Step, death: KernelDied) -> None:
        """Write down that a cell ended its kernel."""
        output = nbformat.v4.new_output(
            "error", ename="KernelDied", evalue=str(death), traceback=[str(death)]
        )
        self.cells[number] = nbformat.from_dict(dict(step.cell, outputs=[output]))
        status: Status = "timeout" if death.stopped else "dead_kernel"
        for check in self.steps:
            if check.role == "check" and check.problem in step.problems:
                mark = self._failed(check.problem, points_of(check.cell), status, str(death))
                self.marks.setdefault(check.problem, mark)
                if death.stopped:
                    self.doubtful.add(check.problem)

    def _failed(self, problem: str, of: float, status: Status, reason: str) -> Mark:
        return Mark(problem, 0, of, status, status, FAILED[status], "", reason)

    def _note_errors(self, number: int, step: Step) -> None:
        for output in self.cells[number].outputs:
            if output.output_type == "error":
                said = f"{output.ename}: {output.evalue}"[:300]
                self.errors.update(dict.fromkeys(step.problems, said))

    def suspected(self) -> list[str]:
        """Return the problems that earned nothing or too little, perhaps because of another."""
        checked = [each.problem for each in self.steps if each.role == "check"]
        marks = [self.marks.get(each) for each in checked]
        return [
            problem
            for problem, mark in zip(checked, marks, strict=True)
            if mark is None or mark.status == "dead_kernel" or problem in self.doubtful
        ]

    def left(self) -> float:
        """Return the seconds that are left."""
        return self.end - time.monotonic()

    def all_marks(self, seconds: float) -> dict[str, Mark]:
        """Return a mark for every problem, in the notebook's order."""
        return dict(self._all_marks(seconds))

    def _all_marks(self, seconds: float) -> Iterator[tuple[str, Mark]]:
        for step in self.steps:
            if step.role != "check":
                continue
            of = points_of(step.cell)
            status: Status = "timeout" if self.left() <= 0 else "dead_kernel"
            reason = (
                f"the notebook took more than {seconds:g} seconds"
                if status == "timeout"
                else f"{MOST_KERNELS} kernels died of this notebook"
            )
            yield (
                step.problem,
                self.marks.get(step.problem) or self._failed(step.problem, of, status, reason),
            )


def _runs(pair: Pair, cell: NotebookNode) -> bool:
    """Run a cell, and tell whether the kernel is still there."""
    try:
        pair.run(cell)
    except KernelDied:
        return False
    return True


def stopped(cell: NotebookNode) -> bool:
    """Tell whether a cell that was run ended in an error; IPython writes its own to stderr."""
    return any(
        output.output_type == "error"
        or (output.get("name") == "stderr" and "UsageError: " in output.text)
        for output in cell.outputs
    )


def points_of(cell: NotebookNode) -> float:
    """Return what a graded cell is worth."""
    return float(cell.metadata.get("nbgrader", {}).get("points", 0))


FAILED: dict[Status, dict[str, str]] = {
    "timeout": {
        "en": "This cell was still running when its time was up, and was stopped. Is there a loop"
        " that never ends?",
        "ko": "셀이 제한 시간이 지나도 끝나지 않아 멈추었어요. 끝나지 않는 반복문이 있지 않나요?",
    },
    "dead_kernel": {
        "en": "This code ended its own Python, so that nothing could be checked any more.",
        "ko": "코드가 파이썬 자체를 끝내 버려서 더 이상 확인할 수 없었어요.",
    },
}


def undefined(name: str, error: str) -> dict[str, str]:
    """Say that a name is missing which an answer should have, and which error was behind it."""
    if error:
        return {
            "en": f"`{name}` does not exist, because its cell stopped with `{error}`.",
            "ko": f"셀이 `{error}` 오류로 멈추어서 `{name}`이(가) 없어요.",
        }
    return {
        "en": f"Nothing in the notebook is called `{name}`: keep the name that the problem gives.",
        "ko": f"노트북에 `{name}`(이)라는 이름이 없어요. 문제에 있는 이름을 그대로 쓰세요.",
    }
