"""Tries a learner's function on inputs, and names the mistake behind what it gave."""

from __future__ import annotations

import copy
import functools
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from utils.problems.answers import (
    NOT_ATTEMPTED,
    argument_names,
    exception_finding,
    is_unwritten,
    not_a_function,
    returns_nothing,
    run,
)
from utils.problems.looking import depth_of_tapes
from utils.problems.missing_gradients import why_none
from utils.problems.problem import Finding
from utils.problems.text import Text
from utils.problems.values import agree, is_blank, numbers, plain, show
from utils.problems.variations import Recipe, Trial, slip_behind

Prepare = Callable[..., tuple[Any, ...]]


class Mistake(NamedTuple):
    """A foreseen wrong answer: what it gives for the inputs, and the thinking behind it.

    Attributes:
        name: a stable word for the misconception.
        value: takes the inputs of a case (as in ``cases``, before ``prepare``) and returns what a
            learner with this misconception gets; or that value itself, when it is the same for all.
        text: what the learner reads; may hold ``{value}`` (what the learner's code gave),
            ``{expected}`` and ``{inputs}`` of the first case that is wrong.
        share: of the points that such an answer earns.
    """

    name: str
    value: Any
    text: Text
    share: float = 0.0


def judge(
    f: Any,
    cases: Sequence[tuple[Any, ...]],
    right: Callable[..., Any],
    mistakes: Iterable[Mistake] = (),
    *,
    prepare: Prepare = lambda *inputs: inputs,
    tolerance: float = 1e-4,
    accept: Callable[[Any, tuple[Any, ...]], bool] | None = None,
    describe: Callable[..., str] | None = None,
    recipes: Sequence[Recipe] = (),
    tapes: int = 0,
) -> Finding | None:
    """Try ``f`` on every case and return what is wrong with it, or None when nothing is.

    A mistake is named when it gives the learner's value in every case, the right ones too. Without
    one the values themselves are looked at: None, NaN, shape, sign, a factor and so on.

    Args:
        f: the learner's function.
        cases: tuples of plain inputs.
        right: takes a case's inputs and returns the right value.
        mistakes: the foreseen wrong answers, the likeliest first.
        prepare: makes what ``f`` gets of a case's inputs, anew for every call (variables, tensors).
        tolerance: as in `values.agree`.
        accept: takes the learner's value (plain) and the case's inputs and tells whether it is
            right; by default it has to agree with ``right(*inputs)``.
        describe: takes a case's inputs and says in a few words, or in shapes, what ``f`` got, where
            the inputs themselves are not what a learner sees (a seed, for instance).
        recipes: right programs; a slip in one of them that gives the learner's values is named.
        tapes: how many tapes the right way has inside one another; slopes that are a little off
            with fewer of them were measured.
    """
    if is_blank(f) or is_unwritten(f):
        return NOT_ATTEMPTED
    if not callable(f):
        return not_a_function(f)

    def given(inputs: tuple[Any, ...]) -> tuple[Any, ...]:  # what f writes into is its own
        return prepare(*copy.deepcopy(inputs))

    tried: list[Tried] = []
    stopped = None
    for inputs in cases:
        value = run(f, *given(inputs))
        if isinstance(value, Finding):
            stopped = value
            if value.name == "none_used":
                cause = why_none(f, given(inputs))
                stopped = cause if cause.name != "none" else value
            break
        if is_blank(value):
            return NOT_ATTEMPTED
        expected = right(*inputs)
        fits = accept(plain(value), inputs) if accept else agree(value, expected, tolerance)
        shown = describe(*inputs) if describe else ", ".join(map(show, inputs))
        tried.append(Tried(inputs, plain(value), expected, fits, shown))
    wrong = [each for each in tried if not each.fits]
    if not wrong:
        return stopped
    first = wrong[0]
    for mistake in mistakes:
        if all(_explains(mistake, each, tolerance) for each in wrong) and all(
            _spares(mistake, each, accept, tolerance) for each in tried if each.fits
        ):
            return Finding(mistake.name, _filled(mistake.text, first), mistake.share)
    if stopped is not None:
        return stopped
    if first.value is None:
        if returns_nothing(f):
            return RETURNS_NOTHING
        return why_none(f, given(first.inputs))
    held = first.value.values() if isinstance(first.value, Mapping) else first.value
    if isinstance(first.value, list | tuple | Mapping) and any(each is None for each in held):
        return why_none(f, given(first.inputs))
    again = run(f, *given(first.inputs)) if _can_be_compared(first.value) else first.value
    if not isinstance(again, Finding) and not agree(again, first.value, tolerance):
        return Finding("changes_from_call_to_call", _said(first) + _changes(again))
    names = [] if describe else argument_names(f)
    finding = general_finding(tried, names)
    if finding.name in PLAIN_TO_SEE:
        return finding
    alike = [(t.inputs, _is_like(t, accept, tolerance)) for t in tried]
    a_factor = finding.name in ("sign", "factor_missing", "factor_too_many")
    other = _other_inputs(right, alike, names, () if a_factor else _OTHER_NUMBERS)
    if other is not None:
        return Finding("other_inputs", _said(first) + other)
    slip = slip_behind(recipes, alike)
    if slip:
        return Finding("slip", _said(first) + slip)
    if tapes and _somewhat_near(tried) and depth_of_tapes(f, *given(first.inputs)) < tapes:
        return Finding("difference_quotient", _said(first) + DIFFERENCE_QUOTIENT)
    return finding


def _can_be_compared(value: Any) -> bool:
    """Tell whether a value is no object of which another one is never the same, as a generator."""
    simple = isinstance(value, bool | str | bytes | list | tuple | Mapping) or value is None
    return simple or numbers(value) is not None


def _changes(again: Any) -> Text:
    return Text(
        f"Called once more with the same inputs it gives `{show(again)}`: something in it is drawn at random,"
        " such as the weights of a new layer, or is kept from one call to the next.",
        f"같은 입력으로 다시 부르면 `{show(again)}`이(가) 나와요. 새 층의 가중치처럼 무작위로 뽑히는 것이 있거나, 앞의 호출에서"
        " 남은 것이 있어요.",
    )


DIFFERENCE_QUOTIENT = Text(
    "That is near the right value without being it, and no tape has computed it: so come difference"
    " quotients out. float32 has seven digits; a small step leaves mostly rounding noise of them, most of"
    " all in second derivatives, and a wide one measures the bend. A tape has no step.",
    "맞는 값에 가깝지만 같지 않고, 테이프가 계산한 값이 아니에요. 차분으로 구하면 그렇게 돼요. float32는 일곱 자리뿐이라 간격이"
    " 작으면 반올림 잡음만 남고(이계도함수에서 더 심해요), 크면 휨을 재게 돼요. 테이프에는 간격이 없어요.",
)


def _somewhat_near(tried: Sequence[Tried]) -> bool:
    """Tell whether some value is off by a third of its size at most, where it is off."""
    for each in tried:
        mine, theirs = numbers(each.value), numbers(each.expected)
        if each.fits or mine is None or theirs is None or mine.shape != theirs.shape:
            continue
        if (np.abs(mine - theirs) <= np.abs(theirs).max() / 3).all():
            return True
    return False


def _other_inputs(
    right: Callable[..., Any],
    trials: Sequence[Trial],
    names: list[str],
    changes: Sequence[tuple[str, Callable[[Any], Any]]],
) -> Text | None:
    """Say that the answer is right for other inputs: two exchanged, one fixed, one changed."""
    count = len(trials[0][0])
    if len(names) != count or len(trials) < 2:
        return None

    def fits(change: Callable[[list[Any]], list[Any]]) -> bool:
        for inputs, is_like in trials:
            try:
                with np.errstate(all="ignore"):
                    if not is_like(right(*change(list(inputs)))):
                        return False
            except Exception:  # noqa: BLE001  such inputs may be impossible
                return False
        return True

    def put(place: int, value: Callable[[Any], Any]) -> Callable[[list[Any]], list[Any]]:
        return lambda inputs: [*inputs[:place], value(inputs[place]), *inputs[place + 1 :]]

    for a, b in itertools.combinations(range(count), 2):
        if fits(functools.partial(_exchanged, a, b)):
            return Text(
                f"That is right when `{names[a]}` and `{names[b]}` change places.",
                f"`{names[a]}`와(과) `{names[b]}`이(가) 서로 바뀌었을 때 맞는 값이에요.",
            )
    for place in range(count):
        given = [inputs[place] for inputs, _ in trials]
        if not all(type(each) in (int, float) for each in given):
            continue
        name = names[place]
        for value in dict.fromkeys([*given, *_USUAL_NUMBERS]):
            if fits(put(place, functools.partial(_instead_of, type(given[0])(value)))):
                return Text(
                    f"That is right for `{name}` = {value:g} alone, as if this number stood in the code:"
                    f" use `{name}` itself.",
                    f"`{name}` = {value:g}일 때만 맞아요. 이 숫자가 코드에 적혀 있는 것 같아요. `{name}`을(를) 그대로"
                    " 쓰세요.",
                )
        for said, change in changes:
            shown = said.format(name)
            if fits(put(place, change)):
                return Text(
                    f"That is right for `{shown}` in place of `{name}`.",
                    f"`{name}` 대신 `{shown}`일 때 맞는 값이에요.",
                )
    return None


def _exchanged(a: int, b: int, inputs: list[Any]) -> list[Any]:
    return [inputs[{a: b, b: a}.get(i, i)] for i in range(len(inputs))]


def _instead_of(value: Any, old: Any) -> Any:
    return value


_USUAL_NUMBERS = (0, 1, 2, 3, 10, 0.1, 0.01, 0.001, 0.2, 0.3, 0.5, 0.9, 0.99, 0.999)
_OTHER_NUMBERS: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("{} - 1", lambda value: value - 1),
    ("{} + 1", lambda value: value + 1),
    ("-{}", lambda value: -value),
    ("abs({})", abs),
    ("2 * {}", lambda value: 2 * value),
    ("{} / 2", lambda value: value / 2),
    ("{} ** 2", lambda value: value**2),
    ("1 - {}", lambda value: 1 - value),
    ("1 / {}", lambda value: 1 / value),
)


PLAIN_TO_SEE = (
    *("swapped", "transposed", "other_shape", "function_returned", "wrong_kind", "not_a_number"),
    *("missing_keys", "extra_keys", "none", "constant", "absolute", "reversed", "too_many_results"),
)
"""Findings about the values that say more than a slip in a formula could."""


def _is_like(
    tried: Tried, accept: Callable[[Any, tuple[Any, ...]], bool] | None, tolerance: float
) -> Callable[[Any], bool]:
    """Return a test of another program's value: is it the learner's, or as right as that?"""
    if not tried.fits:
        return lambda value: agree(tried.value, value, tolerance)
    if accept:
        return lambda value: accept(plain(value), tried.inputs)
    return lambda value: agree(value, tried.expected, tolerance)


class Tried(NamedTuple):
    """One case: its inputs, what the learner's function gave (plain), what is right."""

    inputs: tuple[Any, ...]
    value: Any
    expected: Any
    fits: bool
    shown: str = ""  # the inputs, as the learner reads of them


def compare(
    answer: Any,
    right: Any,
    mistakes: Iterable[Mistake] = (),
    *,
    tolerance: float = 1e-4,
) -> Finding | None:
    """Return what is wrong with a value the learner computed or predicted, or None.

    The mistakes' values are plain ones here, or functions without arguments.
    """
    if is_blank(answer):
        return NOT_ATTEMPTED
    if agree(answer, right, tolerance):
        return None
    tried = Tried((), plain(answer), right, False)
    for mistake in mistakes:
        if _explains(mistake, tried, tolerance):
            return Finding(mistake.name, _filled(mistake.text, tried), mistake.share)
    return general_finding([tried])


def all_of(*parts: tuple[float, Finding | None]) -> Finding | None:
    """Put the parts of one problem together: each is a share of the points and what is wrong.

    The learner reads about the first part that is wrong, and earns the shares of those that are
    right; nothing is attempted only when no part is.
    """
    wrong = [(share, finding) for share, finding in parts if finding]
    if not wrong:
        return None
    attempted = [each for each in wrong if each[1].name != NOT_ATTEMPTED.name]
    if not attempted and len(wrong) == len(parts):
        return NOT_ATTEMPTED
    _, finding = (attempted or wrong)[0]
    earned = sum(share for share, each in parts if not each)
    earned += sum(share * each.share for share, each in wrong)
    if finding.name == NOT_ATTEMPTED.name:
        finding = SOME_BLANKS
    return Finding(finding.name, finding.text, earned / sum(share for share, _ in parts))


def guarded(f: Callable[..., Any], *arguments: Any) -> tuple[Any, Finding | None]:
    """Call the learner's code; return its value and None, or None and what went wrong."""
    value = run(f, *arguments)
    return (None, value) if isinstance(value, Finding) else (value, None)


SOME_BLANKS = Finding(
    "some_blanks",
    Text(
        "What you have is right so far; another blank of this problem is still there.",
        "지금까지 쓴 것은 맞아요. 이 문제의 다른 빈칸이 아직 남아 있어요.",
    ),
)

RETURNS_NOTHING = Finding(
    "returns_nothing",
    Text(
        "Your function gives back None, because no line in it returns anything: end it with"
        " `return` and the result.",
        "값을 돌려주는 줄이 없어서 함수가 None을 돌려줘요. 마지막에 `return`과 결과를 쓰세요.",
    ),
)


COMPUTES_NOTHING = {
    "generator": Text(
        "That is a generator: a function with `yield` in it computes nothing when it is called. Give the"
        " result back with `return`.",
        "제너레이터예요. `yield`가 든 함수는 불러도 아무것도 계산하지 않아요. 결과는 `return`으로 돌려주세요.",
    ),
    "coroutine": Text(
        "That is a coroutine: a function that begins with `async def` computes nothing when it is called."
        " Write a plain `def`.",
        "코루틴이에요. `async def`로 시작하는 함수는 불러도 아무것도 계산하지 않아요. 그냥 `def`로 쓰세요.",
    ),
}


def general_finding(tried: Sequence[Tried], names: Sequence[str] = ()) -> Finding:
    """Say what a stranger can tell from the values alone: their kind, shape, sign, a factor.

    ``names`` are those of the inputs, where the learner knows them by names.
    """
    first = next(each for each in tried if not each.fits)
    value, expected = first.value, first.expected
    name, remark = _kind_of_difference(tried, names)
    start = _said(first)
    if isinstance(expected, Mapping) != isinstance(value, Mapping) or (
        isinstance(expected, list | tuple) != isinstance(value, list | tuple)
    ):
        start = _said(first, with_expected=False)
    return Finding(name, start + remark)


def _kind_of_difference(tried: Sequence[Tried], names: Sequence[str] = ()) -> tuple[str, Text]:
    wrong = [each for each in tried if not each.fits]
    value, expected = wrong[0].value, wrong[0].expected
    if value is None:
        return "none", Text(
            "None means that there is no value at all, which is not the same as zero.",
            "None은 값이 아예 없다는 뜻으로, 0과는 달라요.",
        )
    if callable(value):
        return "function_returned", Text(
            "That is a function, not its value: call it with parentheses.",
            "이것은 값이 아니라 함수예요. 괄호를 붙여 호출하세요.",
        )
    if isinstance(expected, Mapping) != isinstance(value, Mapping):
        return "wrong_kind", _kind_asked_for(expected)
    if isinstance(expected, Mapping) and isinstance(value, Mapping):
        return _difference_of_dicts(value, expected)
    both = isinstance(expected, list | tuple) and isinstance(value, list | tuple)
    if _is_constant(tried) and numbers(value) is None:
        return "constant", CONSTANT
    if isinstance(expected, list | tuple) and (numbers(expected) is None or not both):
        if not both and (np.ndim(value) == 0 or numbers(expected) is None):
            return "wrong_kind", Text(
                f"{_results(len(expected))} asked for, in this order, as a tuple or a list.",
                f"결과 {len(expected)}개를 순서대로 튜플이나 리스트로 돌려주어야 해요.",
            )
        if both and len(value) > len(expected):
            for part, said in ((value[: len(expected)], FIRST), (value[-len(expected) :], LAST)):
                if agree(part, expected):
                    return "too_many_results", said
        if both and len(value) != len(expected):
            return "wrong_length", Text(
                f"{_results(len(expected))} asked for here, and yours has {len(value)}.",
                f"여기서 결과는 {len(expected)}개여야 하는데 {len(value)}개예요.",
            )
    if both:
        finding = _difference_of_items(tried)
        if finding:
            return finding
    mine, theirs = numbers(value), numbers(expected)
    among = _among_others(wrong)
    if among is not None:
        return "too_many_results", among
    if type(value).__name__ in COMPUTES_NOTHING:
        return "computes_nothing", COMPUTES_NOTHING[type(value).__name__]
    if theirs is not None and mine is None:
        return "not_a_number", Text(
            f"A number or an array is asked for, and this is of the type {type(value).__name__}.",
            f"숫자나 배열이 필요한데 {type(value).__name__} 형이에요.",
        )
    if mine is None or theirs is None:
        return "other", Text("", "")
    if np.isnan(mine).any() and not np.isnan(theirs).any():
        return "nan", Text(
            "`nan` comes from 0/0, infinity minus infinity, the logarithm or the root of a negative"
            " number: look for the step where it appears first.",
            "`nan`은 0/0, 무한대끼리의 뺄셈, 음수의 로그나 제곱근에서 생겨요. 처음 나타나는 단계를 찾아보세요.",
        )
    if np.isinf(mine).any() and not np.isinf(theirs).any():
        return "infinite", Text(
            "Something was divided by zero, or has grown beyond what a float32 can hold.",
            "0으로 나누었거나 float32가 담을 수 없을 만큼 커졌어요.",
        )
    if mine.shape != theirs.shape:
        return _difference_of_shapes(wrong)
    if mine.ndim == 2 and mine.shape[0] == mine.shape[1] and agree(mine.T, theirs):
        return "transposed", TRANSPOSED
    if all(_nearly(each) for each in wrong):
        return "nearly", Text(
            "That is close and not equal: gradients of a tape are exact to about six digits. Is a"
            " number rounded on the way, or a difference quotient in place of a gradient?",
            "비슷하지만 같지는 않아요. 테이프의 그래디언트는 여섯 자리쯤까지 정확해요. 도중에 반올림했거나"
            " 그래디언트 대신 차분을 쓰지 않았나요?",
        )
    ratio = _common_ratio(wrong)
    if ratio is not None and ratio != 1:
        if np.isclose(ratio, -1) and _only_where_negative(tried):
            return "absolute", _CHANGES[0][2]
        if np.isclose(ratio, -1) or _is_a_factor_everywhere(tried):
            return _factor(ratio)
    counted = _ratio_from_inputs(wrong, names)
    if counted is not None:
        return "factor_from_input", counted
    changed = _changed_afterwards(wrong)
    if changed is not None:
        return changed
    difference = _common_difference(wrong)
    if len(wrong) > 1 and difference is not None:
        return "constant_off", Text(
            f"In every case that was tried it is off by the same amount, {difference:g}.",
            f"시험한 모든 경우에 똑같이 {difference:g}만큼 차이가 나요.",
        ) + (COUNT_FROM_0 if difference == 1 and not (theirs % 1).any() else Text("", ""))
    if _is_constant(tried):
        return "constant", CONSTANT
    if mine.ndim and mine.shape[0] > 1 and all(_is_reversed(each) for each in wrong):
        return "reversed", Text(
            "The right numbers the wrong way round: the last comes first.",
            "숫자는 맞지만 순서가 거꾸로예요. 마지막이 처음에 와 있어요.",
        )
    if mine.ndim == 1 and mine.size > 1 and agree(np.sort(mine), np.sort(theirs)):
        return "other_order", Text(
            "The right numbers in another order.", "숫자는 맞지만 순서가 달라요."
        )
    if mine.ndim > 1 and all(_rows_in_another_order(each) for each in wrong):
        return "other_order", Text("The right rows in another order.", "행은 맞지만 순서가 달라요.")
    if len(wrong) < len(tried):
        right = next(each.shown for each in tried if each.fits)
        return "some_cases", Text(
            f"{len(tried) - len(wrong)} of the {len(tried)} inputs tried come out right, {right} for"
            " example, so look at what is special about this one.",
            f"시험한 입력 {len(tried)}개 중 {len(tried) - len(wrong)}개는 맞았어요({right}). 이 입력이"
            " 무엇이 다른지 살펴보세요.",
        )
    return "other", Text("", "")


def _difference_of_dicts(value: Mapping[Any, Any], expected: Mapping[Any, Any]) -> tuple[str, Text]:
    missing = [str(key) for key in expected if key not in value]
    if missing:
        names = ", ".join(missing)
        return "missing_keys", Text(f"`{names}` is missing.", f"`{names}`이(가) 빠져 있어요.")
    extra = [str(key) for key in value if key not in expected]
    if extra:
        names = ", ".join(extra)
        return "extra_keys", Text(f"`{names}` is not asked for.", f"`{names}`은(는) 필요 없어요.")
    key = next(key for key in expected if not agree(value[key], expected[key]))
    name, text = _kind_of_difference([Tried((), value[key], expected[key], False)])
    return name, Text(
        f"`{key}` is the first that differs. ", f"처음 다른 것은 `{key}`예요. "
    ) + text


FIRST = Text(
    "The right results are there, and more behind them: return only what is asked for.",
    "맞는 결과 뒤에 다른 것도 들어 있어요. 필요한 것만 돌려주세요.",
)
LAST = Text(
    "The right results are there, and more in front of them: return only what is asked for.",
    "맞는 결과 앞에 다른 것도 들어 있어요. 필요한 것만 돌려주세요.",
)


def _kind_asked_for(expected: Any) -> Text:
    if isinstance(expected, Mapping):
        return Text("A dictionary is asked for.", "딕셔너리가 필요해요.")
    if isinstance(expected, list | tuple):
        return Text(
            f"That is a dictionary. {_results(len(expected))} asked for, as a tuple or a list.",
            f"이것은 딕셔너리예요. 결과 {len(expected)}개를 튜플이나 리스트로 돌려주세요.",
        )
    if np.ndim(expected):
        return Text(
            f"That is a dictionary. An array of the shape {np.shape(expected)} is asked for.",
            f"이것은 딕셔너리예요. 모양이 {np.shape(expected)}인 배열이 필요해요.",
        )
    return Text(
        "That is a dictionary. One value is asked for.", "이것은 딕셔너리예요. 값 하나가 필요해요."
    )


def _results(count: int) -> str:
    return "1 result is" if count == 1 else f"{count} results are"


def _difference_of_items(tried: Sequence[Tried]) -> tuple[str, Text] | None:
    """Look at lists and tuples item by item: swapped, or one of them wrong."""
    wrong = [each for each in tried if not each.fits]
    value, expected = wrong[0].value, wrong[0].expected
    lengths = {len(side) for each in wrong for side in (each.value, each.expected) if _listed(side)}
    if len(lengths) != 1 or not all(_listed(each.value) for each in wrong):
        return None
    if len(value) == 2 and all(agree(tuple(each.value[::-1]), each.expected) for each in wrong):
        return "swapped", Text(
            "Both values are right, and in the wrong order: the first is where the second belongs.",
            "두 값은 맞지만 순서가 바뀌었어요.",
        )
    places = [i for i in range(len(value)) if not agree(value[i], expected[i])]
    if not places:
        return None
    if len(places) == len(value) > 1:
        return _alike_in_all(wrong)
    place = places[0]
    items = [
        Tried(
            each.inputs,
            each.value[place],
            each.expected[place],
            agree(each.value[place], each.expected[place]),
            each.shown,
        )
        for each in tried
        if _listed(each.value) and len(each.value) == len(value)
    ]
    name, text = _kind_of_difference(items)
    number = place + 1
    return name, Text(
        f"Number {number} of the {len(value)} results is the first that differs.",
        f"결과 {len(value)}개 중 {number}번째가 처음으로 달라요.",
    ) + text


def _among_others(wrong: Sequence[Tried]) -> Text | None:
    """Say that one thing is asked for, and stands at one place of a tuple or list with others."""
    value = wrong[0].value
    if _listed(wrong[0].expected) or not _listed(value) or not 1 < len(value) < 5:
        return None
    for place in range(len(value)):
        if all(
            _listed(each.value)
            and len(each.value) == len(value)
            and agree(each.value[place], each.expected)
            for each in wrong
        ):
            return Text(
                f"The right result is number {place + 1} of the {len(value)} that you return: return it"
                " alone.",
                f"돌려준 {len(value)}개 중 {place + 1}번째가 맞는 결과예요. 그것만 돌려주세요.",
            )
    return None


def _alike_in_all(wrong: Sequence[Tried]) -> tuple[str, Text] | None:
    """Say what is wrong with results that are all wrong in the same way; numbers are no such."""
    value, expected = wrong[0].value, wrong[0].expected
    if numbers(expected) is not None and numbers(value) is not None:
        return None
    kinds = [
        _kind_of_difference(
            [Tried(t.inputs, t.value[i], t.expected[i], False, t.shown) for t in wrong]
        )
        for i in range(len(value))
    ]
    name, text = kinds[0]
    if name in ("other", "some_cases") or any(other != name for other, _ in kinds):
        return None
    return name, Text(
        ("Both" if len(value) == 2 else f"All {len(value)}")
        + " results differ, and alike. The first:",
        f"결과 {len(value)}개가 모두 같은 방식으로 달라요. 첫 번째:",
    ) + text


def _listed(value: Any) -> bool:
    return isinstance(value, list | tuple)


COUNT_FROM_0 = Text("Places and classes count from 0.", "자리와 클래스는 0부터 세요.")
CONSTANT = Text(
    "It gives the same value whatever goes in: use the function's argument, not a value worked out for one"
    " case.",
    "무엇을 넣어도 같은 값이 나와요. 한 경우에 정해 둔 값 대신 함수의 인자를 사용하세요.",
)


def _is_constant(tried: Sequence[Tried]) -> bool:
    """Tell whether one value came out of every case, where several are right."""
    first = tried[0]
    return (
        len(tried) > 2
        and all(agree(each.value, first.value) for each in tried)
        and not all(agree(each.expected, first.expected) for each in tried)
    )


def _only_where_negative(tried: Sequence[Tried]) -> bool:
    """Tell whether just the values that should be negative are wrong, and some are not."""
    right = [(each.fits, numbers(each.expected)) for each in tried]
    return any(fits for fits, _ in right) and all(
        value is not None and bool(((value >= 0) if fits else (value <= 0)).all())
        for fits, value in right
    )


def _rows_in_another_order(tried: Tried) -> bool:
    mine, theirs = numbers(tried.value), numbers(tried.expected)
    if mine is None or theirs is None or mine.ndim < 2 or mine.shape != theirs.shape:
        return False
    one, two = (
        sorted(np.round(each.reshape(len(each), -1), 3).tolist()) for each in (mine, theirs)
    )
    return agree(one, two, 1e-2)


def _is_a_factor_everywhere(tried: Sequence[Tried]) -> bool:
    """Tell whether a factor that wrong cases have in common means something.

    Any two numbers have a factor; and a case that is right without it speaks against it.
    """
    right = [numbers(each.expected) for each in tried if each.fits]
    wrong = [numbers(each.expected) for each in tried if not each.fits]
    many = sum(np.count_nonzero(v) for v in wrong if v is not None) > 1
    if not many and len(tried) == 1:  # a single number: only a factor that somebody would lose
        ratio = _common_ratio(tried) or 0.0
        size = max(abs(ratio), 1 / abs(ratio)) if ratio else 0.0
        many = bool(1 < size <= 1000 and abs(size - round(size)) < 1e-3)
    return bool(many) and not any(value is not None and value.any() for value in right)


def _is_reversed(tried: Tried) -> bool:
    mine, theirs = numbers(tried.value), numbers(tried.expected)
    return mine is not None and theirs is not None and mine.ndim > 0 and agree(mine[::-1], theirs)


def _ratio_from_inputs(wrong: Sequence[Tried], names: Sequence[str]) -> Text | None:
    """Say that the values are off by a factor that is one of the inputs, or an input's length."""
    ratios = [_common_ratio([each]) for each in wrong]
    if len(wrong) < 2 or any(ratio is None for ratio in ratios):
        return None
    for place in range(len(wrong[0].inputs)):
        named = f"`{names[place]}`" if len(names) == len(wrong[0].inputs) else ""
        for count, english, korean in (
            (
                lambda value: len(value),
                f"the number of entries of {named}" if named else "the number of entries",
                f"{named} 원소의 개수".strip(),
            ),
            (lambda value: float(value), named or "an input", named or "입력값"),
        ):
            try:
                sizes = [float(count(each.inputs[place])) for each in wrong]
            except (TypeError, ValueError):
                continue
            if len(set(sizes)) == 1 or 0 in sizes:
                continue
            given = ", ".join(f"{size:g}" for size in dict.fromkeys(sizes))
            if np.allclose(np.array(ratios, float), sizes, rtol=1e-3):
                return Text(
                    f"Yours is too small by a factor that goes with the inputs, {given}: you have"
                    f" divided by {english} once too often, or it is not multiplied in.",
                    f"입력에 따라 {given}배씩 작아요. {korean}(으)로 한 번 더 나누었거나 곱하지 않았어요.",
                )
            if np.allclose(np.array(ratios, float) * sizes, 1.0, rtol=1e-3):
                return Text(
                    f"Yours is too large by a factor that goes with the inputs, {given}: it is multiplied"
                    f" by {english} once too often, or not divided by it.",
                    f"입력에 따라 {given}배씩 커요. {korean}을(를) 한 번 더 곱했거나 나누지 않았어요.",
                )
    return None


_CHANGES: tuple[tuple[str, Callable[[Any], Any], Text], ...] = (
    (
        "absolute",
        np.abs,
        Text(
            "The sizes are right and the signs are gone: an absolute value was taken, and the right"
            " number may be negative.",
            "크기는 맞지만 부호가 사라졌어요. 절댓값을 취했는데, 맞는 값은 음수일 수 있어요.",
        ),
    ),
    (
        "negatives_cut_off",
        lambda right: np.maximum(right, 0),
        Text(
            "What should be negative comes out as 0: something cuts negative numbers off.",
            "음수여야 할 값이 0으로 나와요. 무언가가 음수를 잘라 내고 있어요.",
        ),
    ),
    (
        "squared",
        np.square,
        Text("That is the square of what is asked for.", "구해야 할 값을 제곱한 값이에요."),
    ),
    (
        "root_taken",
        lambda right: np.sqrt(right),
        Text("That is the root of what is asked for.", "구해야 할 값의 제곱근이에요."),
    ),
    (
        "inverse",
        lambda right: 1 / right,
        Text(
            "That is 1 divided by what is asked for: a fraction is upside down.",
            "1을 구해야 할 값으로 나눈 값이에요. 분수가 뒤집혔어요.",
        ),
    ),
    (
        "one_minus",
        lambda right: 1 - right,
        Text(
            "That is 1 minus what is asked for: it was turned round.",
            "1에서 구해야 할 값을 뺀 값이에요. 거꾸로 뒤집혔어요.",
        ),
    ),
    (
        "logarithm",
        np.log,
        Text("That is the logarithm of what is asked for.", "구해야 할 값의 로그예요."),
    ),
    (
        "exponential",
        np.exp,
        Text(
            "That is e to the power of what is asked for: an `exp` too many.",
            "구해야 할 값을 지수로 하는 e의 거듭제곱이에요. `exp`가 더 들어갔어요.",
        ),
    ),
    *(
        (
            "rounded",
            lambda right, digits=digits: np.round(right, digits),
            Text(
                "The right number has been rounded: give it as it is.",
                "맞는 값을 반올림했어요. 그대로 돌려주세요.",
            ),
        )
        for digits in (0, 1, 2, 3)
    ),
    (
        "cut_to_whole",
        np.trunc,
        Text(
            "The right number has lost its decimals: leave `int` and `//` out.",
            "맞는 값에서 소수 부분이 사라졌어요. `int`나 `//`를 빼세요.",
        ),
    ),
    (
        "added_up_on_the_way",
        lambda right: np.cumsum(right, 0) if np.ndim(right) else right,
        Text(
            "Only the first entry is right; each later one holds those before it too: something is added"
            " up from one to the next.",
            "첫 값만 맞고, 그다음 값마다 앞의 값들이 더해져 있어요. 차례로 쌓이고 있어요.",
        ),
    ),
    (
        "first_repeated",
        lambda right: np.broadcast_to(right[:1], right.shape) if np.ndim(right) else right,
        Text(
            "The first entry is right, and all others repeat it: use the loop's variable.",
            "첫 값은 맞지만 나머지가 모두 같은 값이에요. 반복 변수를 쓰세요.",
        ),
    ),
    (
        "last_repeated",
        lambda right: np.broadcast_to(right[-1:], right.shape) if np.ndim(right) else right,
        Text(
            "All entries are the last one: each round has overwritten those before.",
            "모든 값이 마지막 값과 같아요. 반복할 때마다 앞의 값을 덮어썼어요.",
        ),
    ),
    *(
        (
            "shifted",
            lambda right, by=by: np.roll(right, by, 0) if np.ndim(right) else right,
            Text(
                "The right entries, each one place away from where it belongs.",
                "값은 맞지만 모두 한 칸씩 밀려 있어요.",
            ),
        )
        for by in (1, -1)
    ),
)


def _changed_afterwards(wrong: Sequence[Tried]) -> tuple[str, Text] | None:
    """Say what was done to the right values, if that makes the learner's of them in every case."""
    for name, change, text in _CHANGES:
        if all(_makes(change, each) for each in wrong):
            return name, text
    return None


def _makes(change: Callable[[Any], Any], tried: Tried) -> bool:
    right = numbers(tried.expected)
    if right is None or not right.size:
        return False
    with np.errstate(all="ignore"):
        return agree(tried.value, change(right))


def _difference_of_shapes(wrong: Sequence[Tried]) -> tuple[str, Text]:
    pairs = [(numbers(each.value), numbers(each.expected)) for each in wrong]
    mine, theirs = pairs[0]
    assert mine is not None and theirs is not None
    if mine.ndim == theirs.ndim > 0 and mine.shape[1:] == theirs.shape[1:]:
        found = _entries_missing(mine, theirs) or _entries_missing(theirs, mine, False)
        if found is not None:
            return found
    places = _other_places(mine, theirs)
    if places is not None:
        return "other_places", places
    if mine.ndim == 2 and mine.T.shape == theirs.shape and agree(mine.T, theirs):
        return "transposed", TRANSPOSED
    if mine.size == theirs.size and agree(mine.ravel(), theirs.ravel()):
        return "other_shape", Text(
            f"The numbers are right, the shape is not: {theirs.shape} is asked for, yours is"
            f" {mine.shape}.",
            f"숫자는 맞지만 모양이 달라요. {theirs.shape}이어야 하는데 {mine.shape}이에요.",
        )
    if theirs.ndim == 0 and agree(mine.sum(), theirs):
        return "not_summed", Text(
            "One number is asked for, and yours add up to it: a `tf.reduce_sum` is missing.",
            "숫자 하나가 필요한데, 당신의 값을 모두 더하면 그 숫자가 돼요. `tf.reduce_sum`이 빠졌어요.",
        )
    if theirs.ndim == 0 and agree(mine.mean(), theirs):
        return "not_averaged", Text(
            "One number is asked for, and yours average to it: a `tf.reduce_mean` is missing.",
            "숫자 하나가 필요한데, 당신의 값을 평균하면 그 숫자가 돼요. `tf.reduce_mean`이 빠졌어요.",
        )
    for axis in (None, *range(theirs.ndim if theirs.ndim > 1 else 0)):
        for name, reduce, english, korean in _REDUCED[: None if axis is None else 5]:
            if theirs.size > 1 and all(_is_reduced(one, two, reduce, axis) for one, two in pairs):
                return name, _reduced_text(axis, theirs.shape, english, korean)
    if mine.ndim == 0 and agree(theirs.sum(), mine):
        return "summed", Text(
            "That is the sum of the values that are asked for: somewhere they were added up.",
            "구해야 할 값들을 모두 더한 값이에요. 어딘가에서 합쳐졌어요.",
        )
    return "shape", Text(
        f"The shape {theirs.shape} is asked for, and yours is {mine.shape}.",
        f"모양이 {theirs.shape}이어야 하는데 {mine.shape}이에요.",
    )


def _other_places(mine: Any, theirs: Any) -> Text | None:
    """Say which whole numbers of a list do not belong there, and which are missing."""
    if not mine.ndim == theirs.ndim == 1 or not (np.r_[mine, theirs] % 1 == 0).all():
        return None
    more, less = (
        ", ".join(f"{each:g}" for each in np.setdiff1d(one, other))
        for one, other in ((mine, theirs), (theirs, mine))
    )
    if not more and not less:
        return None
    english = [f"{more} should not be in it"] if more else []
    english += [f"{less} should"] if less and more else [f"{less} should be in it"] if less else []
    korean = [f"{more}은(는) 없어야 해요."] if more else []
    korean += [f"{less}이(가) 있어야 해요."] if less else []
    return Text(" and ".join(english).capitalize() + ".", " ".join(korean))


def _is_reduced(mine: Any, theirs: Any, reduce: Callable[[Any], Any], axis: int | None) -> bool:
    """Tell whether ``mine`` is what a function of many numbers makes of ``theirs`` along an axis."""
    if mine is None or theirs is None or (axis is not None and axis >= theirs.ndim):
        return False
    found = reduce(theirs) if axis is None else np.apply_along_axis(reduce, axis, theirs)
    return agree(mine, found)


def _reduced_text(axis: int | None, shape: tuple[int, ...], english: str, korean: str) -> Text:
    if axis is None:
        return Text(
            f"One number came out, {english} of the values that are asked for, in the shape {shape}.",
            f"구해야 할 값들({shape} 모양)의 {korean} 하나만 나왔어요.",
        )
    return Text(
        f"One axis is gone: yours is {english} along `axis={axis}` of what is asked for, which has the"
        f" shape {shape}.",
        f"축 하나가 사라졌어요. 구해야 할 값({shape} 모양)을 `axis={axis}`로 묶은 {korean}이에요.",
    )


def _trace(values: Any) -> Any:
    return np.trace(values) if np.ndim(values) == 2 else np.nan


_REDUCED: tuple[tuple[str, Callable[[Any], Any], str, str], ...] = (
    ("averaged", np.mean, "the mean", "평균"),
    ("summed", np.sum, "the sum", "합"),
    ("length_taken", lambda values: np.sqrt((values**2).sum()), "the length (norm)", "길이(norm)"),
    ("first_only", lambda values: values.ravel()[0], "the first", "첫 값"),
    ("last_only", lambda values: values.ravel()[-1], "the last", "마지막 값"),
    ("trace_taken", _trace, "the sum of the diagonal", "대각선의 합"),
    ("largest_taken", np.max, "the largest", "최댓값"),
    ("smallest_taken", np.min, "the smallest", "최솟값"),
)


def _entries_missing(fewer: Any, more: Any, mine: bool = True) -> tuple[str, Text] | None:
    """Say that one list is the other without its first or last entries."""
    gap = len(more) - len(fewer)
    if gap <= 0 or not len(fewer):
        return None
    at_front, at_end = agree(fewer, more[gap:]), agree(fewer, more[:-gap])
    if not (at_front or at_end):
        return None
    entries = ("entry", "") if gap == 1 else (f"{gap} entries", f" {gap}개")
    where = ("first", "맨 앞", "beginning", "시작") if at_front else ("last", "맨 뒤", "end", "끝")
    if mine:
        return "one_missing", Text(
            f"The {where[0]} {entries[0]} of {len(more)} {'is' if gap == 1 else 'are'} missing, the"
            " others are right. What leaves it out:"
            f" the {where[2]} of a loop or a slice, or a condition?",
            f"{len(more)}개 중 {where[1]}의 값{entries[1]}이 빠졌고 나머지는 맞아요. 반복문이나 슬라이스의"
            f" {where[3]}, 아니면 조건 때문인가요?",
        )
    return "one_too_many", Text(
        f"The {where[0]} {entries[0]} of yours {'is' if gap == 1 else 'are'} too many, the others are"
        " right.",
        f"{where[1]}의 값{entries[1]}이 남고 나머지는 맞아요.",
    )


TRANSPOSED = Text(
    "Yours is its transpose: rows and columns have changed places.",
    "행과 열이 바뀐 전치(transpose)예요.",
)


def _nearly(tried: Tried) -> bool:
    mine, theirs = numbers(tried.value), numbers(tried.expected)
    return (
        mine is not None
        and theirs is not None
        and mine.shape == theirs.shape
        and bool((np.abs(mine - theirs) <= 0.01 * np.abs(theirs)).all())
    )


def _common_ratio(wrong: Sequence[Tried]) -> float | None:
    """Return ``right / mine`` where it is one number for all values of all wrong cases."""
    ratios: list[float] = []
    for each in wrong:
        mine, theirs = numbers(each.value), numbers(each.expected)
        if mine is None or theirs is None or mine.shape != theirs.shape:
            return None
        if ((mine == 0) != (theirs == 0)).any():
            return None
        nonzero = mine != 0
        ratios += (theirs[nonzero] / mine[nonzero]).ravel().tolist()
    if ratios and np.allclose(ratios, ratios[0], rtol=1e-3):
        return float(ratios[0])
    return None


def _common_difference(wrong: Sequence[Tried]) -> float | None:
    """Return ``mine - right`` where it is one number for all values of all wrong cases."""
    differences: list[float] = []
    for each in wrong:
        mine, theirs = numbers(each.value), numbers(each.expected)
        if mine is None or theirs is None or mine.shape != theirs.shape:
            return None
        differences += (mine - theirs).ravel().tolist()
    if differences and np.allclose(differences, differences[0], rtol=1e-3, atol=1e-5):
        return float(differences[0])
    return None


def _factor(ratio: float) -> tuple[str, Text]:
    if np.isclose(ratio, -1):
        return "sign", Text("The size is right, the sign is not.", "크기는 맞지만 부호가 반대예요.")
    size = abs(ratio)
    many = 1 / size if size < 1 else size
    if abs(many - round(many)) < 1e-3 * many:
        many = round(many)
    sign = Text(" and the sign is wrong", "이고 부호도 반대") if ratio < 0 else Text("", "")
    if size < 1:
        return "factor_too_many", Text(
            f"Yours is {many:g} times as much{sign.en}: a factor {many:g} too many.",
            f"{many:g}배 더 커요{sign.ko}: 인수 {many:g}이(가) 더 들어갔어요.",
        )
    return "factor_missing", Text(
        f"Yours is {many:g} times too small{sign.en}: a factor {many:g} is missing.",
        f"{many:g}배 더 작아요{sign.ko}: 인수 {many:g}이(가) 빠졌어요.",
    )


def _spares(mistake: Mistake, tried: Tried, accept: Any, tolerance: float) -> bool:
    """Tell whether a mistake would have left a case right that the learner has right."""
    value = mistake.value
    try:
        value = value(*tried.inputs) if callable(value) else value
    except Exception:  # noqa: BLE001  impossible for this case
        return True
    found = numbers(value)
    if found is not None and np.isnan(found).all():
        return True  # a symptom, which needs not show in every case
    return _is_like(tried, accept, tolerance)(value)


def _explains(mistake: Mistake, tried: Tried, tolerance: float) -> bool:
    value = mistake.value
    if callable(value):
        try:
            value = value(*tried.inputs)
        except OverflowError:
            value = np.inf
        except Exception:  # noqa: BLE001  impossible for this case
            return False
    return agree(tried.value, value, tolerance)


def _filled(text: Text, tried: Tried) -> Text:
    return text.format(
        value=show(tried.value),
        expected=show(tried.expected),
        inputs=tried.shown,
    )


def _said(tried: Tried, with_expected: bool = True) -> Text:
    """Quote what the learner's code gave, for which inputs, and what is right."""
    inputs = tried.shown
    value, expected = show(tried.value), show(tried.expected)
    given = (
        Text(f"For {inputs} your code gives", f"입력 {inputs}에 대해 코드가 준 값은")
        if inputs
        else (Text("Your answer is", "당신의 답은"))
    )
    text = Text(f"{given.en} `{value}`", f"{given.ko} `{value}`")
    if with_expected and value != expected and len(expected) < 200:
        return Text(
            f"{text.en}, where `{expected}` is right.",
            f"{text.ko}인데, 맞는 값은 `{expected}`예요.",
        )
    return Text(f"{text.en}.", f"{text.ko}예요.")


__all__ = [
    "Mistake",
    "Tried",
    "all_of",
    "compare",
    "exception_finding",
    "general_finding",
    "guarded",
    "judge",
]
