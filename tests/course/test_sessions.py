"""What a kernel may send, and what is heard of it."""

from __future__ import annotations

from typing import Any

import pytest
from nbformat.v4 import new_code_cell

from course.kernels.usual import OUTPUT_LIMIT, death
from course.sessions import Running, _waiting


def message(kind: str, **content: Any) -> dict[str, Any]:
    return {"header": {"msg_type": kind}, "msg_type": kind, "content": content}


@pytest.mark.parametrize(
    "odd",
    [
        {},
        message("status"),
        message("display_data", data={"text/plain": 5}, metadata={}),
        message("stream", name="stdout"),
        message("error", ename="E", evalue="", traceback=5),
        message("error", ename=None, evalue="", traceback=[]),
        message("execute_input", execution_count="one"),
        {"msg_type": "stream", "content": 5},
    ],
    ids=str,
)
def test_what_is_no_proper_message_is_left_out(odd: dict[str, Any]) -> None:
    running = Running(new_code_cell("1"), "id", OUTPUT_LIMIT)
    running.hear(odd)
    running.hear(message("stream", name="stdout", text="said"))
    assert [each.text for each in running.cell.outputs] == ["said"]


def test_errors_and_what_is_written_about_outputs_take_no_room_without_end() -> None:
    running = Running(new_code_cell("1"), "id", 1000)
    for _ in range(5):
        about = {"about": "x" * 10_000}
        running.hear(message("display_data", data={"text/plain": "x"}, metadata=about))
        running.hear(message("error", ename="E" * 5000, evalue="v" * 9000, traceback=["t" * 9000]))
    assert len(str(running.cell.outputs)) < 15_000


def test_a_channel_that_never_falls_silent_is_left_after_a_while() -> None:
    assert len(list(_waiting(dict))) == 1000


def test_what_cannot_be_read_is_no_message() -> None:
    answers = iter([ValueError("a forged signature"), KeyError("header"), {"a": 1}, None])

    def receive() -> dict[str, Any] | None:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert list(_waiting(receive)) == [{"a": 1}]


def test_a_death_by_a_signal_without_a_name_has_its_number() -> None:
    assert death(-40) == "the kernel died in this cell by signal 40"
