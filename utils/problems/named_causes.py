"""Compares a learner's words for why gradients are None with what `explain_none` finds."""

from __future__ import annotations

import difflib
import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from utils.problems.answers import NOT_ATTEMPTED
from utils.problems.judging import all_of
from utils.problems.problem import Finding
from utils.problems.text import Text
from utils.problems.values import is_blank, show


class Word(NamedTuple):
    """A word for a cause of None.

    Attributes:
        causes: what `explain_none` calls it.
        claim: what one would see in the code if the word were right.
        nudge: where to look in code that breaks in this way, without the word.
    """

    causes: tuple[str, ...]
    claim: Text
    nudge: Text


WORDS = {
    "whole number": Word(
        ("integer",),
        Text(
            "That needs a source made without a decimal point.",
            "그러려면 소스가 소수점 없이 만들어져야 해요.",
        ),
        Text(
            "Look at the number from which the source is made: what is its dtype?",
            "소스를 만든 숫자를 보세요. 자료형(dtype)이 무엇인가요?",
        ),
    ),
    "not watched": Word(
        ("constant_not_watched", "not_watched", "not_trainable"),
        Text(
            "That needs a source which is a plain constant, with no `tape.watch` for it.",
            "그러려면 소스가 상수이고 `tape.watch`가 없어야 해요.",
        ),
        Text(
            "What is the source, a variable or something that a tape ignores until it is told?",
            "소스가 변수인가요, 아니면 알려 주기 전에는 테이프가 무시하는 것인가요?",
        ),
    ),
    "watched late": Word(
        ("watch_too_late",),
        Text(
            "That needs a `tape.watch` that stands below the computation.",
            "그러려면 `tape.watch`가 계산보다 아래에 있어야 해요.",
        ),
        Text(
            "Read the block line by line: what has already happened when the tape hears about `x`?",
            "블록을 한 줄씩 읽어 보세요. 테이프가 `x`를 알게 될 때 이미 무슨 일이 일어났나요?",
        ),
    ),
    "outside": Word(
        ("outside_tape",),
        Text(
            "That needs a step of the computation that is not indented under `with`.",
            "그러려면 계산의 한 단계가 `with` 블록 밖에 있어야 해요.",
        ),
        Text(
            "The steps lead from `x` to the target: is every one of them indented under `with`?",
            "`x`에서 타깃까지의 모든 단계가 `with` 아래에 들여쓰여 있나요?",
        ),
    ),
    "replaced": Word(
        ("variable_replaced", "rebound"),
        Text(
            "That needs a line which gives the name `x` to a new tensor.",
            "그러려면 이름 `x`를 새 텐서에 붙이는 줄이 있어야 해요.",
        ),
        Text(
            "Put `print(type(x))` after each line that begins with `x =`.",
            "`x =`로 시작하는 줄마다 그 뒤에 `print(type(x))`를 넣어 보세요.",
        ),
    ),
    "left TensorFlow": Word(
        ("numpy", "python_number", "left_tensorflow", "numpy_function"),
        Text(
            "That needs NumPy, `float` or `.numpy()` somewhere between source and target.",
            "그러려면 소스와 타깃 사이에 NumPy나 `float`, `.numpy()`가 있어야 해요.",
        ),
        Text(
            "Follow the value from `x` to the target: is it TensorFlow that computes at every step?",
            "`x`에서 타깃까지 값을 따라가 보세요. 모든 단계를 TensorFlow가 계산하나요?",
        ),
    ),
    "copied": Word(
        ("variable_copy",),
        Text(
            "That needs a `tf.Variable(...)` made from `x` on the way.",
            "그러려면 도중에 `x`로 만든 새 `tf.Variable(...)`이 있어야 해요.",
        ),
        Text(
            "Every step stays in TensorFlow here. Which one takes the number of `x` and not its past?",
            "여기서는 모든 단계가 TensorFlow 안에 있어요. `x`의 과거는 두고 숫자만 가져가는 단계는 어디인가요?",
        ),
    ),
    "staircase": Word(
        ("rounding", "argmax", "integer_cast"),
        Text(
            "That needs a step that jumps: `round`, `floor`, `argmax` or a cast to whole numbers.",
            "그러려면 `round`, `floor`, `argmax`, 정수로의 변환처럼 값이 뛰는 단계가 있어야 해요.",
        ),
        Text(
            "Move `x` from 3.0 to 3.1 in your head: at which step does nothing change any more?",
            "머릿속에서 `x`를 3.0에서 3.1로 움직여 보세요. 어느 단계에서 더 이상 아무것도 변하지 않나요?",
        ),
    ),
    "stored": Word(
        ("state",),
        Text(
            "That needs an `assign` into a variable that is read afterwards.",
            "그러려면 변수에 `assign`한 뒤 그 변수를 다시 읽어야 해요.",
        ),
        Text(
            "Follow the value from `x`: where does it lie for a moment before it is read again?",
            "`x`의 값을 따라가 보세요. 다시 읽히기 전에 잠시 어디에 놓이나요?",
        ),
    ),
    "unconnected": Word(
        ("unconnected",),
        Text(
            "That needs a target that stays the same whatever `x` is; this one moves with `x`.",
            "그러려면 `x`가 무엇이든 타깃이 그대로여야 하는데, 이 타깃은 `x`에 따라 변해요.",
        ),
        Text(
            "Nothing is wrong with the recording here. Which variables does the target depend on?",
            "여기서 기록에는 문제가 없어요. 타깃은 어떤 변수에 따라 달라지나요?",
        ),
    ),
}

CONFUSED: dict[tuple[str, str], Text] = {
    ("replaced", "not watched"): Text(
        "True as far as it goes: in the end nobody watches `x`. But it began as a variable, which is"
        " watched without asking. What happened to it?",
        "결과만 보면 맞아요. 마지막에는 아무도 `x`를 지켜보지 않아요. 하지만 처음에는 저절로 지켜보는"
        " 변수였어요. 그사이에 무슨 일이 있었나요?",
    ),
    ("replaced", "copied"): Text(
        "A copy would be another variable, made with `tf.Variable(x)`. Here the same name goes on to"
        " stand for something else.",
        "복사본이라면 `tf.Variable(x)`로 만든 다른 변수가 있어야 해요. 여기서는 같은 이름이 다른 것을"
        " 가리키게 돼요.",
    ),
    ("replaced", "stored"): Text(
        "If the new value had been stored with `assign_add`, `x` would still be a variable and all"
        " would be well. `x = x + ...` is something else.",
        "`assign_add`로 저장했다면 `x`는 여전히 변수이고 문제가 없어요. `x = x + ...`는 그것과 달라요.",
    ),
    ("replaced", "outside"): Text(
        "The line outside the block is not a step from `x` to this target. What does it do to the"
        " *name* `x`?",
        "블록 밖의 그 줄은 `x`에서 이 타깃으로 가는 단계가 아니에요. 그 줄이 *이름* `x`에 무엇을 하나요?",
    ),
    ("not watched", "watched late"): Text(
        "There is no `tape.watch` at all here, neither late nor early.",
        "여기에는 늦든 이르든 `tape.watch`가 아예 없어요.",
    ),
    ("watched late", "not watched"): Text(
        "It is watched, there is a `tape.watch`. Look at *when*.",
        "`tape.watch`가 있으니 지켜보기는 해요. *언제* 지켜보는지 보세요.",
    ),
    ("watched late", "outside"): Text(
        "The whole computation stands inside the block. What comes at the wrong moment is another"
        " line.",
        "계산은 모두 블록 안에 있어요. 때가 맞지 않는 것은 다른 줄이에요.",
    ),
    ("outside", "watched late"): Text(
        "`x` is a variable and needs no `tape.watch`. Something else comes before the tape is there.",
        "`x`는 변수라서 `tape.watch`가 필요 없어요. 다른 무언가가 테이프보다 먼저 나와요.",
    ),
    ("outside", "not watched"): Text(
        "`x` is a trainable variable, which a tape watches as soon as it is read in the block. Is it"
        " read there?",
        "`x`는 훈련 가능한 변수라서 블록 안에서 읽히는 순간 테이프가 지켜봐요. 블록 안에서 읽히나요?",
    ),
    ("outside", "unconnected"): Text(
        "The target does move with `x`: change `x` and the result changes. Only the record of it has a"
        " gap.",
        "타깃은 `x`에 따라 변해요. `x`를 바꾸면 결과도 바뀌죠. 기록에만 빈 곳이 있어요.",
    ),
    ("whole number", "not watched"): Text(
        "The source is a trainable variable, and those are watched without asking. Something is odd"
        " about the number in it.",
        "소스는 저절로 지켜보는 훈련 가능한 변수예요. 그 안의 숫자가 이상해요.",
    ),
    ("whole number", "staircase"): Text(
        "Multiplying is no staircase: no step here jumps. It is the source itself that cannot move a"
        " little.",
        "곱셈은 계단이 아니에요. 여기에는 뛰는 단계가 없어요. 조금씩 움직일 수 없는 것은 소스 자체예요.",
    ),
    ("staircase", "whole number"): Text(
        "The source itself is a float, 3.0, so it can move a little. It is a step *after* it that"
        " cannot follow.",
        "소스는 3.0이라는 실수라서 조금씩 움직일 수 있어요. 따라 움직이지 못하는 것은 그 *다음* 단계예요.",
    ),
    ("staircase", "left TensorFlow"): Text(
        "Each step is TensorFlow's own, so the tape records them all. One of them has no slope to give.",
        "모든 단계가 TensorFlow의 연산이라 테이프가 다 기록해요. 그중 하나에 기울기가 없어요.",
    ),
    ("staircase", "unconnected"): Text(
        "The target does depend on `x`: with x = 7.0 it is another number. But move `x` by 0.1 only.",
        "타깃은 `x`에 따라 달라져요. x = 7.0이면 다른 숫자예요. 하지만 `x`를 0.1만 움직여 보세요.",
    ),
    ("left TensorFlow", "staircase"): Text(
        "A square is smooth: no step here jumps. Who computes it?",
        "제곱은 매끄러워서 뛰는 단계가 없어요. 누가 그것을 계산하나요?",
    ),
    ("left TensorFlow", "copied"): Text(
        "A new tensor is made at the end, that is so; but where the number came from was lost one step"
        " before, and no `tf.Variable(x)` is to blame.",
        "끝에 새 텐서가 만들어지는 것은 맞아요. 하지만 숫자의 출처는 그 한 단계 앞에서 사라졌고,"
        " `tf.Variable(x)` 때문이 아니에요.",
    ),
    ("left TensorFlow", "not watched"): Text(
        "The source is a variable, watched without asking. What comes back at the end is a constant,"
        " because of what happened on the way.",
        "소스는 저절로 지켜보는 변수예요. 도중에 일어난 일 때문에 끝에 상수가 돌아와요.",
    ),
    ("copied", "left TensorFlow"): Text(
        "No NumPy, no `float`: the value never leaves TensorFlow. And still one line takes the number"
        " without its past.",
        "NumPy도 `float`도 없으니 값은 TensorFlow를 떠나지 않아요. 그래도 한 줄이 과거 없이 숫자만 가져가요.",
    ),
    ("copied", "stored"): Text(
        "Close: the value does end up in a variable. But nothing is assigned to one that was there"
        " before; the variable itself is new.",
        "비슷해요. 값이 변수 안으로 들어가기는 해요. 하지만 이미 있던 변수에 대입한 것이 아니라 변수 자체가 새것이에요.",
    ),
    ("copied", "replaced"): Text(
        "The name `x` stays with its variable all the time. It is another name that stands for"
        " something new.",
        "이름 `x`는 계속 자기 변수를 가리켜요. 새것을 가리키는 것은 다른 이름이에요.",
    ),
    ("stored", "copied"): Text(
        "Close: the value does go into another variable. But that one was made before; how does the"
        " value get into it?",
        "비슷해요. 값이 다른 변수로 들어가기는 해요. 하지만 그 변수는 미리 만들어져 있었어요. 값이 어떻게 들어가나요?",
    ),
    ("stored", "replaced"): Text(
        "No name is given to anything new: `x` and the other variable stay what they are. What changes"
        " is a content.",
        "이름이 새것을 가리키게 되지는 않아요. 두 변수는 그대로 있고, 바뀌는 것은 내용이에요.",
    ),
    ("unconnected", "not watched"): Text(
        "Watching more would not help: watched or not, `x` does not enter the computation.",
        "더 지켜보아도 소용없어요. 지켜보든 아니든 `x`는 계산에 들어가지 않아요.",
    ),
}


def causes_named(answer: Any, functions: Sequence[Callable[[], Any]]) -> Finding | None:
    """Return what is wrong with a learner's words for the causes of None, or None.

    Args:
        answer: a word of `WORDS` for the name of each function.
        functions: each without arguments and returning a gradient that is None.
    """
    if not isinstance(answer, Mapping):
        return Finding(
            "not_a_dict",
            Text(
                "`{value}` is no dictionary. Keep the one of the exercise, with a word for each name.",
                "`{value}`은(는) 딕셔너리가 아니에요. 문제의 딕셔너리를 그대로 두고 이름마다 단어를 쓰세요.",
            ).format(value=show(answer)),
        )
    names = [getattr(f, "__name__", "?") for f in functions]
    strange = [name for name in answer if name not in names]
    if strange:
        return Finding(
            "unknown_name",
            Text(
                f"There is no function called `{strange[0]}`: the names are {', '.join(names)}.",
                f"`{strange[0]}`이라는 함수는 없어요. 이름은 {', '.join(names)}예요.",
            ),
        )
    parts = [_one(f, answer.get(name, ...)) for name, f in zip(names, functions, strict=True)]
    if all(part is NOT_ATTEMPTED for part in parts):
        return NOT_ATTEMPTED
    finding = all_of(*((1.0, part) for part in parts))
    if finding is None:
        return None
    right = sum(part is None for part in parts)
    count = Text(
        f"({right} of {len(parts)} are right.)", f"({len(parts)}개 중 {right}개가 맞아요.)"
    )
    return Finding(finding.name, finding.text + count, finding.share)


def _one(f: Callable[[], Any], said: Any) -> Finding | None:
    from utils.autodiff import explain_none

    name = f.__name__
    if is_blank(said):
        return NOT_ATTEMPTED
    word = _word(said)
    if word is None:
        near = difflib.get_close_matches(str(said).lower(), WORDS, n=1)
        return Finding(
            "not_one_of_the_words",
            Text(
                f"For `{name}` you say `{show(said)}`, which is not one of the words."
                + (f" Did you mean “{near[0]}”?" if near else ""),
                f"`{name}`에 쓴 `{show(said)}`은(는) 목록에 없는 단어예요."
                + (f" “{near[0]}”을(를) 쓰려고 했나요?" if near else ""),
            ),
        )
    found = explain_none(f).cause
    truth = next((each for each, meant in WORDS.items() if found in meant.causes), None)
    if truth is None:
        return Finding(
            "function_changed",
            Text(
                f"`{name}` is not the function that was handed out any more: run the cells with the"
                " functions again as they were.",
                f"`{name}`이(가) 처음 받은 함수와 달라졌어요. 함수가 있는 셀을 처음 그대로 다시 실행하세요.",
            ),
        )
    if word == truth:
        return None
    start = Text(f"For `{name}` you say “{word}”.", f"`{name}`에 “{word}”라고 썼어요.")
    why = CONFUSED.get((truth, word)) or WORDS[word].claim + WORDS[truth].nudge
    return Finding(f"{truth}_taken_for_{word}".replace(" ", "_").lower(), start + why)


def _word(said: Any) -> str | None:
    """Return the word that was meant: capitals, spaces, hyphens and underscores are alike."""
    if isinstance(said, enum.Enum):
        said = said.value
    meant = " ".join(str(said).lower().replace("_", " ").replace("-", " ").split())
    return next((word for word in WORDS if word.lower() == meant), None)
