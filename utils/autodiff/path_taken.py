"""The path that Python took: which branches, and how many rounds of each loop."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from utils.autodiff.recording import Step
from utils.autodiff.source_text import tree_of


def path_taken(steps: Sequence[Step], most: int = 14) -> list[str]:
    """Return what Python's own control flow did: conditions with their answers, loops by round."""
    lines: list[str] = []
    frames: dict[int, list[Step]] = {}
    for step in steps:
        frames.setdefault(step.frame, []).append(step)
    for frame in frames.values():
        tree = _function_tree(frame[0].code)
        helper = frame[0].code is not steps[0].code
        said = f"in {frame[0].code.co_name}: " if helper else ""
        if tree is not None:
            lines += [said + line for line in _frame_path(frame, tree)]
    if len(lines) > most:
        lines = [*lines[: most - 1], f"... and {len(lines) - most + 1} lines more"]
    return lines


def _function_tree(code: types.CodeType) -> ast.AST | None:
    tree = tree_of(code.co_filename)
    if tree is None:
        return None
    last = max((line for _, _, line in code.co_lines() if line), default=code.co_firstlineno)
    best = None
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
            named = getattr(node, "name", "<lambda>") == code.co_name
            if named and first == code.co_firstlineno and (node.end_lineno or first) >= last:
                best = node
    return best


def _frame_path(frame: Sequence[Step], tree: ast.AST) -> list[str]:
    own = list(_own_nodes(tree))
    branches = {n.test.lineno: n for n in own if isinstance(n, (ast.If, ast.While))}
    loops = {n.lineno: n for n in own if isinstance(n, ast.For)}
    choices = [n for n in own if isinstance(n, ast.IfExp)]
    statements = {
        s.lineno: s
        for n in own
        if isinstance(n, (ast.If, ast.While, ast.For))
        for s in _simple([*n.body, *n.orelse])
    }
    ends = {
        n.lineno: n
        for n in own
        if isinstance(n, ast.Return) and not any(isinstance(p, ast.IfExp) for p in ast.walk(n))
    }
    rounds: list[tuple[str, list[str]]] = [("", [])]
    open_loops: list[_OpenLoop] = []
    test: ast.expr | None = None  # the condition, of several lines, that is being answered
    for i, step in enumerate(frame):
        line = step.lineno
        if test is not None and test.lineno <= line <= (test.end_lineno or 0):
            continue
        test = None
        while open_loops and not _within(open_loops[-1].node, line):
            open_loops.pop()
            rounds.append((_label(open_loops), []))
        answers = []
        for choice in choices:
            begun = (
                choice.end_lineno != choice.lineno and i and _within(choice, frame[i - 1].lineno)
            )
            if _within(choice, line) and not begun:
                body, orelse = (_ran(frame, i, choice, [p]) for p in (choice.body, choice.orelse))
                if body != orelse:  # else its part of the line did not run
                    answers.append(_answer(choice.test, body))
        if line not in loops:
            rounds[-1][1].extend(answers)
        if line in loops:
            loop = loops[line]
            going = _ran(frame, i, loop.iter, loop.body)
            if not open_loops or open_loops[-1].node is not loop:
                open_loops.append(_OpenLoop(loop))
            if going:
                values = frame[i + 1].values if i + 1 < len(frame) else {}
                names = [n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)]
                open_loops[-1].next([f"{n} = {values[n]}" for n in names if n in values])
            else:
                open_loops.pop()
            rounds.append((_label(open_loops), []))
            if going:
                rounds[-1][1].extend([*answers, *_on_the_line(loop.body, line)])
        elif line in branches:
            branch = branches[line]
            test = branch.test
            true = _ran(frame, i, test, branch.body)
            if isinstance(branch, ast.If):
                rounds[-1][1].append(_answer(test, true))
            else:
                if not open_loops or open_loops[-1].node is not branch:
                    open_loops.append(_OpenLoop(branch))
                if true:
                    open_loops[-1].next()
                else:
                    open_loops.pop()
                rounds.append((_label(open_loops), []))
            if true:
                rounds[-1][1].extend(_on_the_line(branch.body, line))
        elif line in statements:
            rounds[-1][1].append(_source(statements[line]))
        elif line in ends and not open_loops and rounds[-1][1]:  # where a branch led to
            rounds[-1][1].append(_source(ends[line]))
    return _merged([(label, parts) for label, parts in rounds if parts or label])


@dataclass
class _OpenLoop:
    node: ast.For | ast.While
    label: str = ""
    count: int = 0

    def next(self, names: Sequence[str] = ()) -> None:
        self.count += 1
        self.label = ", ".join(names) or f"round {self.count}"


def _simple(statements: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Give the statements that do something, also those inside `with` and `try`."""
    for statement in statements:
        if isinstance(statement, (ast.With, ast.Try)):
            yield from _simple(statement.body)
        elif not isinstance(statement, (ast.If, ast.While, ast.For, ast.Pass, ast.Continue)):
            yield statement


def _ran(frame: Sequence[Step], i: int, head: ast.expr, body: Sequence[ast.AST]) -> bool:
    """Tell whether the body ran next: on the lines of its head, or on the line that followed."""
    last = head.end_lineno or head.lineno
    for step in frame[i:]:
        again = step is not frame[i] and last == head.lineno
        if again or not _within(head, step.lineno):
            return step.lineno > last and _among(body, step.lineno)
        if any(_covers(part, step) for part in body):
            return True
    return False


def _merged(rounds: Sequence[tuple[str, list[str]]]) -> list[str]:
    """Join rounds in a row that did the same: 'i = 2, 3, 4: ...'."""
    lines: list[tuple[str, str]] = []
    for label, parts in rounds:
        what = " → ".join(parts)
        if not what:
            continue
        if lines and lines[-1][1] == what and label and lines[-1][0]:
            before = lines[-1][0]
            key, _, value = label.rpartition(" = ")
            if key and before.startswith(f"{key} = "):
                lines[-1] = (f"{before}, {value}", what)
                continue
            if label.startswith("round ") and before.startswith("round "):
                lines[-1] = (f"{before}, {label.removeprefix('round ')}", what)
                continue
        lines.append((label, what))
    return [f"{_folded(label)}: {what}" if label else what for label, what in lines]


def _folded(label: str) -> str:
    parts = label.split(", ")
    return label if len(parts) <= 6 else ", ".join([*parts[:3], "...", parts[-1]])


_SCOPES = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)


def _own_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, _SCOPES):
            continue
        yield child
        yield from _own_nodes(child)


def _within(node: Any, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def _among(statements: Sequence[Any], line: int) -> bool:
    return any(_within(s, line) for s in statements)


def _covers(part: Any, step: Step) -> bool:
    """Tell whether an instruction of this part of the source ran in a step."""
    start = (part.lineno, part.col_offset)
    stop = (part.end_lineno, part.end_col_offset)
    for number, (line, end_line, column, end) in enumerate(step.code.co_positions()):
        if line is None or end_line is None or column is None or end is None:
            continue
        if number * 2 in step.ran and start <= (line, column) and (end_line, end) <= stop:
            return True
    return False


def _on_the_line(statements: Sequence[ast.stmt], line: int) -> list[str]:
    return [_source(s) for s in _simple(statements) if s.lineno == line]


def _answer(test: ast.expr, true: bool) -> str:
    return f"`{_source(test)}` is {'true' if true else 'false'}"


def _label(loops: Sequence[_OpenLoop]) -> str:
    return ", ".join(loop.label for loop in loops if loop.label)


def _source(node: ast.AST) -> str:
    text = ast.unparse(node)
    text = text.splitlines()[0]
    return text if len(text) <= 60 else text[:57] + "..."
