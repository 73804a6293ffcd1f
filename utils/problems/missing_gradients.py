"""Says why a gradient in a learner's answer is None, in both languages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from utils.problems.answers import where_it_lives
from utils.problems.problem import Finding
from utils.problems.text import Text

NONE = Text(
    "Your code gives None where a gradient belongs:",
    "그래디언트가 있어야 할 자리에 None이 나왔어요:",
)

CAUSES: dict[str, Text] = {
    "integer": Text(
        "the source holds whole numbers, and whole numbers have no slopes. Make it a float, `3.0`.",
        "소스가 정수예요. 정수에는 기울기가 없으니 `3.0`처럼 실수로 만드세요.",
    ),
    "integer_cast": Text(
        "the value is cast to whole numbers on the way. Leave the cast out, or do it afterwards.",
        "계산 도중에 값이 정수로 바뀌어요. 그 변환을 빼거나 나중에 하세요.",
    ),
    "constant_not_watched": Text(
        "a tape watches only trainable variables without asking. Call `tape.watch` on the constant"
        " first; with nested tapes, in each of them.",
        "테이프는 훈련 가능한 변수만 자동으로 지켜봐요. 상수에는 먼저 `tape.watch`를 호출하세요."
        " 테이프를 겹쳐 쓸 때는 테이프마다 필요해요.",
    ),
    "not_watched": Text(
        "the tape was told not to watch by itself. Call `tape.watch` on the source first.",
        "테이프가 스스로 지켜보지 않도록 만들어졌어요. 먼저 소스에 `tape.watch`를 호출하세요.",
    ),
    "not_trainable": Text(
        "the variable was made with `trainable=False`, and no tape watches such a one by itself.",
        "이 변수는 `trainable=False`로 만들어져 테이프가 스스로 지켜보지 않아요.",
    ),
    "watch_too_late": Text(
        "`tape.watch` comes after the computation. Watch first, then compute.",
        "`tape.watch`가 계산보다 늦게 나와요. 먼저 지켜보게 하고 그다음에 계산하세요.",
    ),
    "outside_tape": Text(
        "the computation stands outside the `with tf.GradientTape()` block. Move it inside.",
        "계산이 `with tf.GradientTape()` 블록 밖에 있어요. 안으로 옮기세요.",
    ),
    "inner_gradient_outside": Text(
        "the inner gradient was taken outside the outer tape, so the outer one never saw it. Indent"
        " that line into the outer `with`.",
        "안쪽 그래디언트를 바깥 테이프 밖에서 구해서 바깥 테이프가 보지 못했어요."
        " 그 줄을 바깥 `with` 안으로 들여쓰세요.",
    ),
    "variable_replaced": Text(
        "the variable was replaced by a tensor (`x = x + 1`). Use `x.assign_add(1)`.",
        "변수가 텐서로 바뀌었어요(`x = x + 1`). `x.assign_add(1)`을 쓰세요.",
    ),
    "rebound": Text(
        "the name of the source was given another value before the result was computed from it.",
        "결과를 계산하기 전에 소스의 이름에 다른 값이 들어갔어요.",
    ),
    "variable_copy": Text(
        "`tf.Variable(...)` makes a copy that does not remember where it came from. Make variables"
        " before the tape begins.",
        "`tf.Variable(...)`은 어디서 왔는지 기억하지 않는 복사본을 만들어요. 변수는 테이프 전에 만드세요.",
    ),
    "numpy": Text(
        "the value passes through NumPy, where no tape can follow. Use TensorFlow's own ops.",
        "값이 NumPy를 지나가는데 테이프는 따라갈 수 없어요. TensorFlow 연산을 쓰세요.",
    ),
    "python_number": Text(
        "the value becomes a plain Python number, where no tape can follow. Keep the tensor.",
        "값이 파이썬 숫자가 되어 테이프가 따라갈 수 없어요. 텐서를 그대로 쓰세요.",
    ),
    "left_tensorflow": Text(
        "the value leaves TensorFlow on its way. Use TensorFlow's own ops from source to target.",
        "값이 도중에 TensorFlow를 벗어나요. 소스에서 타깃까지 TensorFlow 연산만 쓰세요.",
    ),
    "numpy_function": Text(
        "`tf.numpy_function` has no gradient. `tf.py_function` with TensorFlow's ops has one.",
        "`tf.numpy_function`에는 그래디언트가 없어요. TensorFlow 연산을 쓰는 `tf.py_function`에는 있어요.",
    ),
    "rounding": Text(
        "rounding makes a staircase, which is flat nearly everywhere and has no registered slope.",
        "반올림은 거의 어디서나 평평한 계단을 만들기 때문에 기울기가 없어요.",
    ),
    "argmax": Text(
        "`argmax` gives a position, and a position has no slope. Use the values themselves.",
        "`argmax`는 위치를 주는데, 위치에는 기울기가 없어요. 값 자체를 쓰세요.",
    ),
    "comparison": Text(
        "a comparison gives True or False, and those have no slope.",
        "비교의 결과는 True나 False이고, 여기에는 기울기가 없어요.",
    ),
    "condition": Text(
        "the source only decides which branch runs, and its value does not enter the result.",
        "소스는 어느 분기를 실행할지만 정하고, 그 값은 결과에 들어가지 않아요.",
    ),
    "branch_not_taken": Text(
        "the source stands in a branch that was not taken this time.",
        "소스가 이번에 실행되지 않은 분기에 있어요.",
    ),
    "stop_gradient": Text(
        "`tf.stop_gradient` cuts the path from the target to the source.",
        "`tf.stop_gradient`가 타깃에서 소스로 가는 길을 끊어요.",
    ),
    "stop_recording": Text(
        "the step was computed inside `tape.stop_recording()`, so the tape did not see it.",
        "이 단계가 `tape.stop_recording()` 안에서 계산되어 테이프가 보지 못했어요.",
    ),
    "reset": Text(
        "`tape.reset()` has thrown the record away.", "`tape.reset()`이 기록을 지웠어요."
    ),
    "state": Text(
        "a variable's `assign` keeps the value and not its history, so the path ends there.",
        "변수의 `assign`은 값만 보관하고 계산 과정은 기억하지 않아서 길이 끊겨요.",
    ),
    "swapped": Text(
        "target and source have changed places: it is `tape.gradient(target, source)`.",
        "타깃과 소스가 바뀌었어요. `tape.gradient(타깃, 소스)` 순서예요.",
    ),
    "unconnected": Text(
        "the target is not computed from the source: no path leads from one to the other.",
        "타깃이 소스로부터 계산되지 않았어요. 둘을 잇는 길이 없어요.",
    ),
    "untracked_variable": Text(
        "a `tf.Variable` kept in a Keras layer is not among its trainable variables. Make it with"
        " `self.add_weight`.",
        "Keras 층에 넣은 `tf.Variable`은 학습 변수로 등록되지 않아요. `self.add_weight`로 만드세요.",
    ),
    "no_tensor": Text(
        "what you differentiate is not a tensor any more.",
        "미분하려는 것이 더 이상 텐서가 아니에요.",
    ),
    "tape_used_up": Text(
        "a tape forgets after its first `gradient`.",
        "테이프는 `gradient`를 한 번 호출하면 기록을 잊어요.",
    ),
    "text": Text(
        "the number becomes text on its way, and text has no gradient.",
        "숫자가 도중에 문자열이 되는데, 문자열에는 그래디언트가 없어요.",
    ),
    "only_shape": Text(
        "only the shape of the source enters the result, not its values.",
        "소스의 모양만 결과에 들어가고 값은 들어가지 않아요.",
    ),
    "random": Text(
        "a random draw does not pass a gradient on to its parameters. Draw standard noise, then"
        " scale and shift it.",
        "난수 추출은 그래디언트를 전달하지 않아요. 표준 난수를 뽑은 뒤 크기와 위치를 바꾸세요.",
    ),
    "dataset": Text(
        "the value goes through a data pipeline, which no tape follows.",
        "값이 데이터 파이프라인을 지나가는데 테이프는 따라갈 수 없어요.",
    ),
    "no_gradient": Text(
        "an op on the way has no gradient.", "도중의 연산 하나에 그래디언트가 없어요."
    ),
    "no_registered_gradient": Text(
        "an op on the way has no registered gradient.",
        "도중의 연산 하나에 등록된 그래디언트가 없어요.",
    ),
    "no_sources": Text(
        "the list of sources is empty: does the layer have its weights yet?",
        "소스 목록이 비어 있어요. 층에 가중치가 만들어졌나요?",
    ),
}

UNKNOWN = Text(
    "no recorded path leads from the result back to the source.",
    "결과에서 소스로 돌아가는 기록된 길이 없어요.",
)


def why_none(f: Callable[..., Any], inputs: tuple[Any, ...]) -> Finding:
    """Return the cause of a None among the gradients that the learner's function ``f`` returns."""
    try:
        cause, line = cause_and_line(f, *inputs)
    except Exception:  # noqa: BLE001  the explanation is a service: without it the None still stands
        return Finding("none", NONE + UNKNOWN)
    text = NONE + CAUSES.get(cause, UNKNOWN)
    if line and cause in CAUSES:
        text += Text(f"(In your code: `{line}`)", f"(코드의 `{line}` 줄)")
    return Finding(f"none_{cause}" if cause in CAUSES else "none", text)


@where_it_lives
def cause_and_line(f: Callable[..., Any], *inputs: Any) -> tuple[str, str]:
    """Return the word for why a gradient is None, and the learner's line, which may be empty."""
    from utils.autodiff import explain_none

    found = explain_none(f, *inputs)
    return found.cause, str(found.line or "")
