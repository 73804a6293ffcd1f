"""Runs a learner's code: in silence, with a time limit, its errors shown at the learner's line."""

from __future__ import annotations

import contextlib
import dis
import functools
import inspect
import io
import itertools
import linecache
import logging
import os
import re
import signal
import sysconfig
import threading
import traceback
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

from utils.problems.problem import Finding
from utils.problems.text import Text
from utils.problems.values import is_blank, shorten, show

SECONDS = 40.0
"""How long one check may take, all cases together."""

OURS = tuple(str(Path(__file__).parents[2] / name) + os.sep for name in ("utils", "course"))
LIBRARIES = tuple(
    {sysconfig.get_paths()[name] + os.sep for name in ("stdlib", "purelib", "platlib")}
)

NOT_ATTEMPTED = Finding(
    "not_attempted",
    Text(
        "The blank is still there. Put your answer in place of the dots, run that cell, and then"
        " this one.",
        "아직 빈칸이 그대로 있어요. 점 세 개(...) 자리에 답을 쓰고 그 셀을 실행한 다음, 이 셀을 실행하세요.",
    ),
)

ENDLESS = Finding(
    "endless",
    Text(
        "Your code was still running after {seconds:g} seconds and has been stopped. Is there a loop"
        " whose condition never becomes false?",
        "코드가 {seconds:g}초가 지나도 끝나지 않아 멈추었어요. 조건이 거짓이 되지 않는 반복문이 있지 않나요?",
    ).format(seconds=SECONDS),
)


class TimeIsUp(BaseException):
    """Raised in a learner's code when its time is up; no ``except Exception`` catches it."""


def run(f: Callable[..., Any], *inputs: Any) -> Any:
    """Return what ``f(*inputs)`` returns, or a Finding where it raised an exception.

    A time-out is not caught here: `quietly` holds the time limit of the whole check.
    """
    try:
        return f(*inputs)
    except (Exception, SystemExit) as error:  # noqa: BLE001  whatever the learner's code raises
        return exception_finding(error)


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Hide what the learner's code prints, on every stream: a check tries it many times.

    nbgrader gives no point to a cell that wrote to standard error, be it a warning of TensorFlow,
    whose loggers keep the stream that they found when it was imported.
    """
    with (
        _nothing_reaches(2),
        silenced("tensorflow", "absl"),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        yield


@contextlib.contextmanager
def _nothing_reaches(descriptor: int) -> Iterator[None]:
    """Drop what is written to a descriptor, unless the learner's code has used all of them up."""
    try:
        kept, sink = os.dup(descriptor), os.open(os.devnull, os.O_WRONLY)
    except OSError:
        yield
        return
    try:
        os.dup2(sink, descriptor)
        os.close(sink)
        yield
    finally:
        os.dup2(kept, descriptor)
        os.close(kept)


@contextlib.contextmanager
def silenced(*names: str) -> Iterator[None]:
    """Have the loggers of these names drop what they are told."""
    before = {logger: logger.disabled for logger in map(logging.getLogger, names)}
    for logger in before:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, disabled in before.items():
            logger.disabled = disabled


@contextlib.contextmanager
def time_limit(seconds: float = SECONDS) -> Iterator[None]:
    """Raise TimeIsUp in the block after ``seconds``, again and again until it is left.

    It needs POSIX signals and the main thread. Elsewhere the limit that `course check` and the
    grader set for a cell is the only one.
    """
    if (
        not hasattr(signal, "setitimer")
        or threading.current_thread() is not threading.main_thread()
    ):
        yield
        return

    def stop(number: int, frame: object) -> None:
        raise TimeIsUp

    before = signal.signal(signal.SIGALRM, stop)
    remaining, _ = signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if remaining:
            signal.setitimer(signal.ITIMER_REAL, remaining)


Helper = TypeVar("Helper", bound=Callable[..., Any])


def where_it_lives(helper: Helper) -> Helper:
    """Have a helper look at an answer, its first argument, in the process where the answer lives.

    A grader keeps a learner's code apart from what judges it. What stands for an answer of such a
    learner has a method ``course_there``, which calls helpers of this package over there.
    """

    @functools.wraps(helper)
    def look(answer: Any, *arguments: Any) -> Any:
        there = getattr(type(answer), "course_there", None)
        return there(answer, helper, *arguments) if there else helper(answer, *arguments)

    return cast(Helper, look)


@where_it_lives
def is_unwritten(f: Any) -> bool:
    """Tell whether a function is still the exercise's: nothing in it but the dots."""
    code = getattr(inspect.unwrap(f) if callable(f) else f, "__code__", None)
    if not isinstance(code, types.CodeType):
        return False
    work = [each for each in dis.get_instructions(code) if each.opname not in _IDLE]
    return all(each.opname in _RETURNS and each.argval in (None, ...) for each in work)


_RETURNS = ("LOAD_CONST", "RETURN_CONST")
_IDLE = ("RESUME", "NOP", "POP_TOP", "RETURN_VALUE", "COPY_FREE_VARS", "MAKE_CELL", "CACHE")


@where_it_lives
def returns_nothing(f: Any) -> bool:
    """Tell whether every way out of a Python function returns None, as one without ``return``."""
    code = getattr(f, "__code__", None)
    if not isinstance(code, types.CodeType):
        return False
    steps = list(dis.get_instructions(code))
    for before, step in itertools.pairwise(steps):
        if step.opname == "RETURN_VALUE" and not (
            before.opname == "LOAD_CONST" and before.argval is None and not step.is_jump_target
        ):
            return False
    return not any(s.opname == "RETURN_CONST" and s.argval is not None for s in steps)


@where_it_lives
def argument_names(f: Any) -> list[str]:
    """Return the names of a function's arguments, or none where they cannot be known."""
    try:
        return list(inspect.signature(f).parameters)
    except (TypeError, ValueError):
        return []


def exception_finding(error: BaseException) -> Finding:
    """Say what stopped the learner's code, in which of the learner's lines, and what it means."""
    place, line = learners_line(error)
    said = f"{type(error).__name__}: {shorten(_message(error), 200)}".rstrip(": ")
    if isinstance(error, SystemExit):
        said = "SystemExit"
    text = Text(
        f"Your code stopped with `{said}`",
        f"코드가 `{said}` 오류로 멈추었어요",
    )
    where = Text(".", ".")
    if place:
        where = Text(f", in line {place}: `{line}`.", f" ({place}번째 줄: `{line}`).")
    text = Text(text.en + where.en, text.ko + where.ko)
    for name, kind, pattern, meaning in _MEANINGS:
        if kind in [each.__name__ for each in type(error).__mro__] and re.search(
            pattern, str(error), re.DOTALL
        ):
            return Finding(name, text + meaning)
    return Finding("exception", text)


def _message(error: BaseException) -> str:
    """Return an error's words without colours, TensorFlow's node names and Keras's preamble."""
    text = re.sub(r"\x1b\[[0-9;]*m|\{\{.*?\}\} ?", "", str(error))
    return re.sub(r"^Exception encountered when calling [^\n]*\n+", "", text)


def learners_line(error: BaseException) -> tuple[int | None, str]:
    """Return number and text of the innermost line that is neither ours nor a library's."""
    if isinstance(told := getattr(error, "learners_line", None), tuple):
        return told  # by the process in which it was raised
    frames = traceback.extract_tb(error.__traceback__)
    own = [each for each in frames if not each.filename.startswith((*OURS, *LIBRARIES, "<frozen"))]
    if isinstance(error, SyntaxError) and error.lineno:
        return error.lineno, (error.text or "").strip()
    if not own:
        return None, ""
    line = own[-1].line or linecache.getline(own[-1].filename, own[-1].lineno or 0)
    return own[-1].lineno, line.strip()


_MEANINGS: list[tuple[str, str, str, Text]] = [
    (
        "calls_itself",
        "RecursionError",
        "",
        Text(
            "The function calls itself without ever coming to an end. A recursion needs a case that"
            " stops; and a lambda looks a name up when it is called, so `f = lambda x: ... f(x)`"
            " calls itself.",
            "함수가 끝없이 자기 자신을 호출해요. 재귀에는 멈추는 경우가 필요해요. 그리고 lambda는 호출될 때"
            " 이름을 찾기 때문에 `f = lambda x: ... f(x)`는 자기 자신을 불러요.",
        ),
    ),
    (
        "tape_used_up",
        "RuntimeError",
        "non-persistent",
        Text(
            "A tape forgets after its first `gradient`. Ask once for all sources in a list, or make"
            " the tape with `persistent=True`.",
            "테이프는 `gradient`를 한 번 호출하면 기록을 잊어요. 소스를 리스트로 한 번에 요청하거나"
            " `persistent=True`로 테이프를 만드세요.",
        ),
    ),
    (
        "no_registered_gradient",
        "LookupError",
        "gradient registry has no entry|no gradient defined",
        Text(
            "This op has no gradient at all; another way to compute the same value is needed.",
            "이 연산에는 등록된 그래디언트가 없어요. 같은 값을 다른 방법으로 계산해야 해요.",
        ),
    ),
    (
        "none_used",
        "Exception",
        r"NoneType|None values not supported|\(None\) with an unsupported type"
        r"|received None|No gradients provided|Argument `grads` should|None for input|must not be None",
        Text(
            "Something in this line is None: most often a gradient that the tape could not find, or"
            " a function without a `return`.",
            "이 줄에 None이 있어요. 대부분 테이프가 찾지 못한 그래디언트이거나 `return`이 없는 함수예요.",
        ),
    ),
    (
        "graph_if",
        "Exception",
        "symbolic .*tf.Tensor.* as a Python|Python `?bool`? is not allowed",
        Text(
            "Inside a graph a tensor has no value yet, so Python's `if` and `while` cannot look at"
            " it: use `tf.cond`, `tf.where` or `tf.while_loop`.",
            "그래프 안에서는 텐서에 아직 값이 없어 파이썬의 `if`와 `while`이 볼 수 없어요."
            " `tf.cond`, `tf.where`, `tf.while_loop`를 쓰세요.",
        ),
    ),
    (
        "numpy_in_a_graph",
        "Exception",
        r"no attribute 'numpy'|numpy\(\) is only available|[Cc]annot convert a symbolic|"
        r"NumPy call, which is not supported|float\(\) argument must be",
        Text(
            "Inside a graph a tensor has no value yet that NumPy or Python could look at: stay with"
            " TensorFlow's ops.",
            "그래프 안에서는 텐서에 아직 값이 없어 NumPy나 파이썬이 볼 수 없어요. TensorFlow 연산을 쓰세요.",
        ),
    ),
    (
        "branch_is_no_function",
        "TypeError",
        "true_fn|false_fn|must be callable",
        Text(
            "`tf.cond` wants two *functions*, so that it can run one of them: put `lambda:` before"
            " each.",
            "`tf.cond`에는 둘 중 하나만 실행할 수 있도록 *함수* 두 개가 필요해요. 각각 앞에 `lambda:`를 붙이세요.",
        ),
    ),
    (
        "signature",
        "TypeError",
        "positional argument|unexpected keyword argument|required keyword",
        Text(
            "The number of arguments does not fit: compare the function's first line with how the"
            " problem calls it.",
            "인자의 개수가 맞지 않아요. 함수의 첫 줄과 문제에서 호출하는 방법을 비교해 보세요.",
        ),
    ),
    (
        "xor_for_power",
        "Exception",
        r"allowed values: int8, int16|BitwiseXor|for \^:|ufunc 'bitwise_xor'",
        Text(
            "In Python `^` is no power: write two stars, as in `x**2`.",
            "파이썬에서 `^`는 거듭제곱이 아니에요. `x**2`처럼 별 두 개로 쓰세요.",
        ),
    ),
    (
        "not_called",
        "TypeError",
        "'(type|function)' object does not support the context|type\\(s\\) for .*'(function|type)'",
        Text(
            "A pair of parentheses is missing: without `()` a name stands for the thing itself and is not"
            " called.",
            "괄호가 빠졌어요. `()`가 없으면 호출하지 않고 그 자체를 가리켜요.",
        ),
    ),
    (
        "undefined_name",
        "NameError",
        "",
        Text(
            "Python does not know this name here: is it spelt as where it was made, and made before"
            " this line, in every branch? If another cell makes it, has that cell been run?",
            "파이썬이 이 이름을 몰라요. 철자가 같은지, 이 줄보다 먼저 (모든 분기에서) 만들어졌는지 보세요."
            " 다른 셀에서 만드는 이름이라면 그 셀을 실행했는지도 확인하세요.",
        ),
    ),
    (
        "matrices_do_not_fit",
        "Exception",
        r"[Mm]atrix size-incompatible|matmul: Input operand 1 has a mismatch",
        Text(
            "In a product `a @ b` the columns of `a` have to be as many as the rows of `b`. The two shapes"
            " in the message do not fit: have `a` and `b` changed places, or was one of them transposed?",
            "곱 `a @ b`에서는 `a`의 열의 수와 `b`의 행의 수가 같아야 해요. 메시지의 두 모양이 맞지 않아요. `a`와 `b`의"
            " 순서가 바뀌었거나 하나를 전치(transpose)하지 않았나요?",
        ),
    ),
    (
        "product_by_entries",
        "Exception",
        r"[Ii]ncompatible shapes.*Op:Mul\]",
        Text(
            "`*` multiplies entry by entry, which needs two like shapes, and these differ. A product of"
            " matrices, rows by columns, is written `@`.",
            "`*`는 원소끼리 곱하므로 두 모양이 같아야 하는데 서로 달라요. 행과 열을 곱하는 행렬곱은 `@`로 써요.",
        ),
    ),
    (
        "labels_as_rows",
        "ValueError",
        "must have the same rank",
        Text(
            "This loss compares rows with rows: it expects each label as a row of ten with a single 1. For"
            " labels that are whole numbers there is the loss with *sparse* in its name.",
            "이 손실은 행과 행을 비교하므로 레이블이 1 하나뿐인 열 칸짜리 행이어야 해요. 정수 레이블에는 이름에 *sparse*가 든"
            " 손실을 쓰세요.",
        ),
    ),
    (
        "shapes_do_not_fit",
        "Exception",
        r"[Ii]ncompatible shapes|[Mm]atrix size-incompatible|must be equal|not broadcastable|could not be broadcast"
        r"|incompatible with the layer|expected (axis|min_ndim|shape)|Dimensions .* not compatible",
        Text(
            "The shapes do not fit together: print `.shape` of both sides just before this line.",
            "모양(shape)이 서로 맞지 않아요. 이 줄 바로 앞에서 양쪽의 `.shape`를 출력해 보세요.",
        ),
    ),
    (
        "dtypes_differ",
        "Exception",
        r"expected to be a? ?\w+ tensor but is|cannot compute \w+ as input|incompatible type conversion"
        r"|must have the same dtype|conversion requested dtype|float_input|of type float\d+ that does not match|expected .*float",
        Text(
            "Two kinds of numbers meet here, whole ones and floats or float32 and float64:"
            " `tf.cast` makes one like the other.",
            "여기서 정수와 실수, 또는 float32와 float64처럼 서로 다른 자료형이 만났어요."
            " `tf.cast`로 한쪽을 맞추세요.",
        ),
    ),
    (
        "in_place",
        "TypeError",
        r"[Cc]annot cast ufunc .* output|casting rule",
        Text(
            "The result does not fit into the array it should go back into: whole numbers cannot hold"
            " fractions. Write `a = a / b`, which makes a new array, in place of `a /= b`.",
            "결과를 원래 배열에 다시 담을 수 없어요. 정수 배열에는 소수가 들어가지 않아요. `a /= b` 대신 새 배열을 만드는"
            " `a = a / b`를 쓰세요.",
        ),
    ),
    (
        "divided_by_zero",
        "ZeroDivisionError",
        "negative power",
        Text(
            "0 to a negative power is 1 divided by 0: where the exponent falls below 0, the formula does"
            " not hold and the case needs a line of its own.",
            "0의 음수 거듭제곱은 1을 0으로 나누는 것과 같아요. 지수가 0보다 작아지면 식이 맞지 않으니 따로 다루세요.",
        ),
    ),
    (
        "divided_by_zero",
        "ZeroDivisionError",
        "",
        Text(
            "Something is divided by 0: which number in this line can become 0, and what is the answer then?",
            "0으로 나누었어요. 이 줄의 어떤 수가 0이 될 수 있고, 그때 답은 무엇인가요?",
        ),
    ),
    (
        "index_beyond_the_end",
        "Exception",
        r"slice index \d+ of dimension \d+ out of bounds|index \d+ is out of bounds|index out of range"
        r"|indices\[.*\] = .* is not in",
        Text(
            "That place does not exist: what comes in may be shorter than in the example, so take its"
            " length from the input and count from 0.",
            "그런 자리는 없어요. 입력은 예시보다 짧을 수 있으니 길이는 입력에서 구하고, 0부터 세세요.",
        ),
    ),
    (
        "truth_of_an_array",
        "ValueError",
        "truth value of an array|Multiple elements",
        Text(
            "An `if`, `and` or `not` wants one True or False, and here are many: use `&`, `|`, `~` or a"
            " mask for arrays, `.any()` or `.all()` for one answer.",
            "`if`, `and`, `not`에는 참이나 거짓 하나가 필요한데 여기에는 여러 개가 있어요. 배열에는 `&`, `|`, `~`나 마스크를,"
            " 하나의 답에는 `.any()`나 `.all()`을 쓰세요.",
        ),
    ),
    (
        "numpy_already",
        "AttributeError",
        r"'numpy\.\w+' object has no attribute",
        Text(
            "That is a NumPy array, which has none of a tensor's or a list's own methods.",
            "이것은 NumPy 배열이라 텐서나 리스트의 메서드가 없어요.",
        ),
    ),
    (
        "python_number",
        "AttributeError",
        r"'(float|int|NoneType)' object has no attribute",
        Text(
            "A plain Python number has none of a tensor's methods: make it a tensor with"
            " `tf.constant` or a variable with `tf.Variable` first.",
            "파이썬 숫자에는 텐서의 메서드가 없어요. 먼저 `tf.constant`나 `tf.Variable`로 만드세요.",
        ),
    ),
    (
        "tensor_not_changed",
        "AttributeError",
        r"Tensor' object has no attribute 'assign",
        Text(
            "A tensor cannot be changed, only a `tf.Variable` can: `assign` and its kin belong to variables."
            " Here the name stands for a tensor, the result of a calculation.",
            "텐서는 바꿀 수 없고 `tf.Variable`만 바꿀 수 있어요. `assign` 종류는 변수의 것이에요. 여기서 이 이름은 계산 결과인"
            " 텐서를 가리켜요.",
        ),
    ),
    (
        "tensor_not_changed",
        "TypeError",
        "does not support item assignment",
        Text(
            "The entries of this cannot be set one by one, as those of a tensor or a tuple cannot: make a new"
            " one, with `tf.where`, or from a list with `tf.stack`.",
            "텐서나 튜플처럼 원소를 하나씩 바꿀 수 없는 것이에요. `tf.where`나, 리스트를 모아 `tf.stack`으로 새로 만드세요.",
        ),
    ),
    (
        "number_for_a_list",
        "TypeError",
        r"not subscriptable|not iterable|iterating over a scalar|cannot unpack non-iterable|has no len\(\)"
        r"|len\(\) of unsized|iteration over a 0-d|Scalar tensor has no `len",
        Text(
            "Something here is a single thing, such as one number, and is used as if it had entries. Print it"
            " just before this line.",
            "여기에 있는 것은 숫자 하나 같은 하나의 값인데 원소가 있는 것처럼 쓰였어요. 이 줄 바로 앞에서 출력해 보세요.",
        ),
    ),
    (
        "not_a_function_here",
        "TypeError",
        "object is not callable",
        Text(
            "Something that is no function stands before a pair of parentheses, so it is called: is a `*`"
            " missing, or has a name been given to another thing?",
            "함수가 아닌 것 뒤에 괄호가 있어서 호출되었어요. `*`가 빠졌거나, 이름을 다른 것에 쓰지 않았나요?",
        ),
    ),
    (
        "no_such_key",
        "KeyError",
        "",
        Text(
            "There is nothing under this name in the dictionary: compare the spelling with the names it has.",
            "딕셔너리에 이 이름이 없어요. 들어 있는 이름과 철자를 비교해 보세요.",
        ),
    ),
    (
        "list_for_an_array",
        "TypeError",
        r"can't multiply sequence|unsupported operand type\(s\) for .*'(list|tuple)'"
        r"|can only concatenate (list|tuple)|bad operand type for .*'(list|tuple)'",
        Text(
            "A list or tuple is no array: to calculate with all its entries, make it one with `np.array` or"
            " `tf.constant`, or go through it in a loop.",
            "리스트나 튜플은 배열이 아니에요. 모든 원소로 계산하려면 `np.array`나 `tf.constant`로 만들거나 반복문을 쓰세요.",
        ),
    ),
    (
        "other_number_of_values",
        "ValueError",
        "values to unpack",
        Text(
            "On the left of the `=` stand more or fewer names than there are values on the right.",
            "`=` 왼쪽의 이름 수와 오른쪽의 값의 수가 달라요.",
        ),
    ),
    (
        "whole_number_needed",
        "TypeError",
        r"cannot be interpreted as an integer|slice indices must be integers|list indices must be integers"
        r"|only integer scalar arrays",
        Text(
            "A place or a count has to be a whole number here: `//` divides without a rest, `int(...)` cuts the"
            " decimals off.",
            "여기서 자리나 개수는 정수여야 해요. `//`는 몫만 구하고 `int(...)`는 소수를 잘라요.",
        ),
    ),
    (
        "no_such_axis",
        "Exception",
        r"axis \d+ is out of bounds|Invalid reduction dimension",
        Text(
            "There is no such axis here: the axes count from 0, a vector has only axis 0, and a single number"
            " none.",
            "그런 축은 없어요. 축은 0부터 세고, 벡터에는 0번 축만, 숫자 하나에는 축이 없어요.",
        ),
    ),
    (
        "ragged",
        "ValueError",
        "inhomogeneous shape|setting an array element with a sequence",
        Text(
            "The parts have different shapes, so they do not fit into one array.",
            "부분들의 모양이 서로 달라 하나의 배열에 담을 수 없어요.",
        ),
    ),
    (
        "no_such_attribute",
        "AttributeError",
        "has no attribute",
        Text(
            "What stands before the dot has nothing of this name: compare the spelling, and print what it is.",
            "점 앞에 있는 것에는 이런 이름이 없어요. 철자를 확인하고 그것이 무엇인지 출력해 보세요.",
        ),
    ),
]


def unattempted(*answers: Any) -> bool:
    """Tell whether any of the answers is still the blank."""
    return any(is_blank(answer) or is_unwritten(answer) for answer in answers)


def not_a_function(answer: Any) -> Finding:
    """Say that a function was asked for, and what is there instead."""
    return Finding(
        "not_a_function",
        Text(
            "A function is asked for here, and the name holds `{value}`. Keep the `def` line of the"
            " exercise and write inside it.",
            "여기서는 함수가 필요한데 이 이름에는 `{value}`가 들어 있어요. 연습문제의 `def` 줄을 그대로 두고 그 안에 쓰세요.",
        ).format(value=show(answer)),
    )
