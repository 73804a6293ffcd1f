"""Finds the slip in an answer by trying a right program with one slip in it, for many slips."""

from __future__ import annotations

import ast
import copy
import itertools
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from utils.problems.text import Text

SECONDS = 4.0
"""How long slips are tried for one answer."""

Trial = tuple[tuple[Any, ...], Callable[[Any], bool]]
"""A case's inputs, and whether a value is what the learner's code gave (or as right as that)."""


class Recipe(NamedTuple):
    """A right program, as a learner would write it, and how it is called.

    Attributes:
        source: a ``def`` with ``np`` and ``tf`` as its only modules; its pieces are quoted.
        prepare: makes the program's arguments of a case's inputs, anew for every call.
        names: further names that the program uses.
        finish: makes what is compared of the program, such as the function of its slopes.
    """

    source: str
    prepare: Callable[..., tuple[Any, ...]] = lambda *inputs: inputs
    names: dict[str, Any] = {}  # noqa: RUF012  never changed
    finish: Callable[[Callable[..., Any]], Callable[..., Any]] = lambda f: f


class Slip(NamedTuple):
    """A program with one slip: what the learner reads of it, and the program's tree."""

    text: Text
    tree: ast.Module


def slip_behind(recipes: Sequence[Recipe], trials: Sequence[Trial]) -> Text | None:
    """Return which slip in one of the recipes gives the learner's value in every trial, or None."""
    end = time.monotonic() + SECONDS
    for recipe in recipes:
        for slip in slips(recipe.source):
            if time.monotonic() > end:
                return None
            try:
                f = recipe.finish(_compiled(slip.tree, recipe.names))
            except SyntaxError:  # a slip that Python would not have let pass
                continue
            if all(_passes(f, recipe, *trial) for trial in trials):
                return slip.text
    return None


def slips(source: str) -> Iterator[Slip]:
    """Yield the program of ``source`` with each slip of this module, the likeliest first."""
    tree = ast.parse(source.strip())
    known = _local_names(tree)
    seen = {ast.unparse(tree)}
    for make in (_slips_of_expressions, _slips_of_loops, _slips_of_names):
        for slip in make(tree, known):
            text = ast.unparse(slip.tree)
            if text not in seen:
                seen.add(text)
                yield slip


def _compiled(tree: ast.Module, names: dict[str, Any]) -> Callable[..., Any]:
    import tensorflow as tf

    space = {"np": np, "tf": tf, **names}
    with warnings.catch_warnings(action="ignore", category=SyntaxWarning):
        exec(compile(ast.fix_missing_locations(tree), "<slip>", "exec"), space)
    function = tree.body[-1]
    assert isinstance(function, ast.FunctionDef)
    return space[function.name]  # type: ignore[no-any-return]


def _passes(f: Any, recipe: Recipe, inputs: Any, fits: Callable[[Any], bool]) -> bool:
    try:
        with np.errstate(all="ignore"):
            return fits(f(*recipe.prepare(*inputs)))
    except Exception:  # noqa: BLE001  a slip may make the program impossible
        return False


def _local_names(tree: ast.AST) -> list[str]:
    """Return the names of arguments and of what the program assigns, in their order."""
    names = [each.arg for each in ast.walk(tree) if isinstance(each, ast.arg)]
    names += [
        each.id
        for each in ast.walk(tree)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    ]
    return list(dict.fromkeys(names))


class _Place(NamedTuple):
    """Where a node stands: its holder's field, and its place there if that is a list."""

    holder: ast.AST
    field: str
    at: int | None
    quoted: ast.AST  # the piece of the program that shows it best


def _places(node: ast.AST, quoted: ast.AST | None = None) -> Iterator[tuple[ast.expr, _Place]]:
    for field, value in ast.iter_fields(node):
        items = enumerate(value) if isinstance(value, list) else [(None, value)]
        for at, child in items:
            if not isinstance(child, ast.AST):
                continue
            if isinstance(child, ast.expr):
                line = node if isinstance(node, ast.Assign | ast.AugAssign) else quoted
                best = line if line is not None and _is_small(child) else child
                yield child, _Place(node, field, at, best)
            yield from _places(child, _quotable(node, child, quoted))


def _is_small(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant | ast.Name) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant | ast.Name)
    )


def _quotable(node: ast.AST, child: ast.AST, quoted: ast.AST | None) -> ast.AST | None:
    """Return which piece to quote for what stands in ``child``: it, or what it stands in."""
    whole = isinstance(child, ast.expr) and not isinstance(child, ast.Tuple | ast.List | ast.Slice)
    if whole and not _is_small(child):
        return child
    if isinstance(child, ast.expr | ast.keyword):
        return quoted
    return None


def _put(place: _Place, new: ast.AST) -> None:
    if place.at is None:
        setattr(place.holder, place.field, new)
    else:
        getattr(place.holder, place.field)[place.at] = new


def _slips_of_expressions(tree: ast.Module, known: Sequence[str]) -> Iterator[Slip]:
    count = len(list(_places(tree)))
    for i in range(count):
        node, _ = list(_places(tree))[i]
        for new in _instead(node):
            yield _replaced(tree, i, new)


_WRITTEN_OUT = (0.9, 0.99, 0.999, 0.1, 0.01, 0.001, 0.5, 1, 2, 10)


def _slips_of_names(tree: ast.Module, known: Sequence[str]) -> Iterator[Slip]:
    arguments = {each.arg for each in ast.walk(tree) if isinstance(each, ast.arg)}
    for i, (node, place) in enumerate(list(_places(tree))):
        called = isinstance(place.holder, ast.Call) and place.field == "func"
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and not called:
            for name in known:
                if name != node.id and node.id in known:
                    yield _replaced(tree, i, ast.Name(name, ast.Load()))
            if node.id in arguments:
                for number in _WRITTEN_OUT:
                    yield _replaced(tree, i, ast.Constant(number))
            if node.id in known and not isinstance(place.holder, ast.Return | ast.For):
                size = ast.Call(ast.Name("abs", ast.Load()), [node], [])
                yield _replaced(tree, i, size)
                yield _replaced(tree, i, ast.BinOp(node, ast.Pow(), ast.Constant(2)))


def _replaced(tree: ast.Module, i: int, new: ast.AST) -> Slip:
    """Return the program with another node in the i-th place for expressions."""
    other = copy.deepcopy(tree)
    node, place = list(_places(other))[i]
    before = ast.unparse(place.quoted)
    whole = place.quoted is node
    _put(place, copy.deepcopy(new))
    after = ast.unparse(new if whole else place.quoted)
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("where"):
        return Slip(_other_choice(node, new), other)
    return Slip(in_place_of(after, before), other)


def _other_choice(node: ast.Call, new: ast.AST) -> Text:
    """Say that a `where` has its branches swapped, or that one of them is taken always."""
    if isinstance(new, ast.Call) and ast.dump(new.func) == ast.dump(node.func):
        condition, yes, no = (_short(ast.unparse(each)) for each in node.args)
        return Text(
            f"That comes out when two branches have changed places: where `{condition}` holds it is"
            f" `{yes}`, elsewhere `{no}`.",
            f"두 갈래가 서로 바뀌었을 때 나오는 값이에요. `{condition}`인 곳에서는 `{yes}`, 아니면 `{no}`예요.",
        )
    return Text(
        f"That comes out when `{_short(ast.unparse(new))}` is taken everywhere, without a choice.",
        f"고르지 않고 어디서나 `{_short(ast.unparse(new))}`을(를) 쓸 때 나오는 값이에요.",
    )


def in_place_of(after: str, before: str) -> Text:
    """Say that one piece of a program stands where another belongs."""
    return Text(
        f"That is what `{_short(after)}` gives where `{_short(before)}` belongs.",
        f"`{_short(before)}` 자리에 `{_short(after)}`을(를) 쓰면 나오는 값이에요.",
    )


def _short(code: str) -> str:
    return " ".join(code.split()).replace("{", "(").replace("}", ")")


_ALIKE: tuple[tuple[str, ...], ...] = (
    ("mean", "sum", "max", "min", "median", "std"),
    ("reduce_mean", "reduce_sum", "reduce_max", "reduce_min"),
    ("argmax", "argmin"),
    ("all", "any"),
    ("sin", "cos", "tan", "tanh"),
    ("sqrt", "square"),
    ("log", "log10", "log2", "log1p", "exp"),
    ("relu", "sigmoid", "tanh", "softplus", "elu"),
    ("zeros_like", "ones_like"),
    ("zeros", "ones"),
    ("min", "max"),
    ("maximum", "minimum"),
    ("floor", "ceil", "round"),
    ("cumsum", "cumprod"),
)


def _instead(node: ast.expr) -> Iterator[ast.expr]:
    """Yield what a learner may have written in place of an expression."""
    if isinstance(node, ast.BinOp):
        yield from _instead_of_binary(node)
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield from map(ast.Constant, _other_numbers(node.value))
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        for op in (ast.LtE, ast.Lt, ast.GtE, ast.Gt, ast.Eq, ast.NotEq):
            if not isinstance(node.ops[0], op):
                yield ast.Compare(node.left, [op()], node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), list(node.values))
        yield from node.values
    elif isinstance(node, ast.IfExp):
        yield from (node.body, node.orelse, ast.IfExp(node.test, node.orelse, node.body))
    elif isinstance(node, ast.Call):
        yield from _instead_of_call(node)
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        yield node.value
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Name | ast.BinOp):
        yield node.value
        one = ast.Constant(1)
        for place in (
            ast.Constant(0),
            ast.UnaryOp(ast.USub(), ast.Constant(1)),
            ast.BinOp(node.slice, ast.Add(), one),
            ast.BinOp(node.slice, ast.Sub(), one),
        ):
            yield ast.Subscript(node.value, place, ast.Load())
    elif isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Load):
        if len(node.elts) == 2:
            yield type(node)(node.elts[::-1], ast.Load())
            yield from node.elts


def _instead_of_binary(node: ast.BinOp) -> Iterator[ast.expr]:
    left, right = node.left, node.right
    other: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
        ast.Add: (ast.Sub, ast.Mult),
        ast.Sub: (ast.Add, ast.Div, ast.Mult),
        ast.Mult: (ast.Add, ast.Div, ast.Sub, ast.Pow),
        ast.Div: (ast.Mult, ast.FloorDiv, ast.Sub),
        ast.Pow: (ast.Mult,),
        ast.MatMult: (ast.Mult,),
        ast.BitAnd: (ast.BitOr,),
        ast.BitOr: (ast.BitAnd,),
    }
    for op in other.get(type(node.op), ()):
        yield ast.BinOp(left, op(), right)
    yield from (left, right)
    if isinstance(node.op, ast.Sub | ast.Div | ast.Pow | ast.MatMult):
        yield ast.BinOp(right, node.op, left)
    if isinstance(node.op, ast.Sub):
        yield ast.Call(ast.Name("abs", ast.Load()), [node], [])
    yield from _without_brackets(node)
    if isinstance(node.op, ast.Mult) and ast.dump(left) == ast.dump(right):
        yield ast.BinOp(left, ast.Pow(), ast.Constant(3))
    if isinstance(node.op, ast.Mult | ast.Div) and not isinstance(right, ast.Constant):
        yield ast.BinOp(left, node.op, ast.BinOp(right, ast.Pow(), ast.Constant(2)))
        yield ast.BinOp(ast.BinOp(left, ast.Pow(), ast.Constant(2)), node.op, right)


def _without_brackets(node: ast.BinOp) -> Iterator[ast.expr]:
    """Yield what a calculation is when the brackets round one side of it are forgotten."""
    inner_ops = ast.Add | ast.Sub
    if isinstance(node.op, ast.Mult) and isinstance(inner := node.right, ast.BinOp):
        if isinstance(inner.op, inner_ops):
            first = ast.BinOp(node.left, node.op, inner.left)
            yield ast.BinOp(first, inner.op, inner.right)
    if isinstance(node.op, ast.Mult | ast.Div | ast.Pow) and isinstance(
        inner := node.left, ast.BinOp
    ):
        if isinstance(inner.op, inner_ops):
            yield ast.BinOp(inner.left, inner.op, ast.BinOp(inner.right, node.op, node.right))


def _other_numbers(value: float) -> list[float]:
    near = [value + 1, value - 1, 0, 1, 2 * value, value / 2, -value, value * 10, value / 10]
    if isinstance(value, float):
        near += [0.5, 2.0]
    kept = [int(each) if isinstance(value, int) and each == int(each) else each for each in near]
    return [each for each in dict.fromkeys(kept) if each != value]


def _instead_of_call(node: ast.Call) -> Iterator[ast.expr]:
    method = isinstance(node.func, ast.Attribute) and not (
        isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "tf")
    )
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name == "where" and len(node.args) == 3:
        condition, yes, no = node.args
        yield ast.Call(node.func, [condition, no, yes], node.keywords)
        yield from (yes, no)
        return
    if name == "range":
        yield from _other_ranges(node)
        return
    for family in _ALIKE:
        if name in family:
            for each in family:
                if each != name:
                    func = copy.deepcopy(node.func)
                    if isinstance(func, ast.Attribute):
                        func.attr = each
                    elif isinstance(func, ast.Name):
                        func.id = each
                    yield ast.Call(func, node.args, node.keywords)
    if method and isinstance(node.func, ast.Attribute):
        yield node.func.value
    elif len(node.args) == 1:
        yield node.args[0]
    for i in range(len(node.keywords)):
        yield ast.Call(node.func, node.args, node.keywords[:i] + node.keywords[i + 1 :])
    if len(node.args) == 2:
        yield ast.Call(node.func, node.args[::-1], node.keywords)
        yield from node.args


def _other_ranges(node: ast.Call) -> Iterator[ast.expr]:
    start = node.args[0] if len(node.args) > 1 else ast.Constant(0)
    stop = node.args[1] if len(node.args) > 1 else node.args[0]
    step = node.args[2:]

    def moved(end: ast.expr, by: int) -> ast.expr:
        if isinstance(end, ast.Constant) and isinstance(end.value, int):
            return ast.Constant(end.value + by)
        op = ast.Add() if by > 0 else ast.Sub()
        return ast.BinOp(end, op, ast.Constant(abs(by)))

    for shift in ((0, -1), (1, 0), (0, 1), (1, 1), (-1, 0)):
        begin = moved(start, shift[0]) if shift[0] else start
        end = moved(stop, shift[1]) if shift[1] else stop
        bare = isinstance(begin, ast.Constant) and begin.value == 0 and not step
        yield ast.Call(node.func, [end] if bare else [begin, end, *step], [])


def _slips_of_loops(tree: ast.Module, known: Sequence[str]) -> Iterator[Slip]:
    blocks = [each for each in ast.walk(tree) if isinstance(getattr(each, "body", None), list)]
    for i, block in enumerate(blocks):
        body: list[ast.stmt] = block.body  # type: ignore[attr-defined]
        for at, line in enumerate(body):
            code = ast.unparse(line).partition("\n")[0]
            if isinstance(line, ast.For):
                yield from _slips_of_a_loop(tree, i, at, code)
            if isinstance(line, ast.AugAssign):
                plain = ast.Assign([line.target], line.value, lineno=0)
                yield _changed(tree, i, at, [plain], in_place_of(ast.unparse(plain), code))
            inside = isinstance(block, ast.For | ast.If)
            if inside and isinstance(line, ast.Assign | ast.AugAssign) and len(body) > 1:
                text = Text(
                    f"That comes out without the line `{_short(code)}`.",
                    f"`{_short(code)}` 줄이 없으면 나오는 값이에요.",
                )
                yield _changed(tree, i, at, [], text)
        for (a, one), (_, two) in itertools.pairwise(enumerate(body)):
            if isinstance(block, ast.For) and not isinstance(two, ast.Return):
                text = Text(
                    f"That comes out with `{_line(two)}` before `{_line(one)}`: the order of the two"
                    " is the other way round.",
                    f"`{_line(two)}`이(가) `{_line(one)}`보다 먼저 올 때 나오는 값이에요. 둘의 순서가 바뀌었어요.",
                )
                yield _changed(tree, i, a, [two, one], text, 2)


def _line(statement: ast.stmt) -> str:
    return _short(ast.unparse(statement).partition("\n")[0])


def _slips_of_a_loop(tree: ast.Module, i: int, at: int, code: str) -> Iterator[Slip]:
    """Yield a loop that ends too early, leaves out a round, or forgets between the rounds."""
    line = _block(tree, i)[at]
    assert isinstance(line, ast.For)
    once = copy.deepcopy(line)
    once.body.append(ast.Break())
    text = Text(
        f"That comes out when the loop `{_short(code)}` ends after its first round: does a `return`"
        " stand inside it?",
        f"반복문 `{_short(code)}`이 한 번 만에 끝날 때 나오는 값이에요. `return`이 반복문 안에 있지 않나요?",
    )
    yield _changed(tree, i, at, [once], text)
    for place, choice in enumerate(line.body):
        if isinstance(choice, ast.If):
            once = copy.deepcopy(line)
            once.body[place].body.append(ast.Break())  # type: ignore[attr-defined]
            text = Text(
                f"That comes out when the loop `{_short(code)}` ends the first time that"
                f" `{_short(ast.unparse(choice.test))}` holds: does a `return` stand inside it?",
                f"반복문 `{_short(code)}`이 `{_short(ast.unparse(choice.test))}`인 첫 라운드에서 끝날 때 나오는 값이에요."
                " `return`이 반복문 안에 있지 않나요?",
            )
            yield _changed(tree, i, at, [once], text)
    for cut, english, korean in (
        (ast.Slice(ast.Constant(1)), "begins with the second", "두 번째부터 시작할"),
        (
            ast.Slice(None, ast.UnaryOp(ast.USub(), ast.Constant(1))),
            "stops before the last",
            "마지막 앞에서 끝날",
        ),
    ):
        fewer = copy.deepcopy(line)
        items = ast.Call(ast.Name("list", ast.Load()), [fewer.iter], [])
        fewer.iter = ast.Subscript(items, cut, ast.Load())
        text = Text(
            f"That comes out when the loop `{_short(code)}` {english} round.",
            f"반복문 `{_short(code)}`이 {korean} 때 나오는 값이에요.",
        )
        yield _changed(tree, i, at, [fewer], text)
    for earlier in _block(tree, i)[:at]:
        if isinstance(earlier, ast.Assign):
            again = copy.deepcopy(line)
            again.body.insert(0, copy.deepcopy(earlier))
            text = Text(
                f"That comes out when `{_line(earlier)}` stands inside the loop: it has to stand before it,"
                " or each round forgets the one before.",
                f"`{_line(earlier)}`이(가) 반복문 안에 있을 때 나오는 값이에요. 반복문 앞에 있어야 앞의 라운드를"
                " 잊지 않아요.",
            )
            yield _changed(tree, i, at, [again], text)


def _block(tree: ast.Module, i: int) -> list[ast.stmt]:
    blocks = [each for each in ast.walk(tree) if isinstance(getattr(each, "body", None), list)]
    return blocks[i].body  # type: ignore[attr-defined, no-any-return]


def _changed(
    tree: ast.Module, i: int, at: int, new: Sequence[ast.stmt], text: Text, old: int = 1
) -> Slip:
    """Return the program with other lines in place of ``old`` lines of its i-th block."""
    other = copy.deepcopy(tree)
    _block(other, i)[at : at + old] = [copy.deepcopy(each) for each in new]
    return Slip(text, other)
