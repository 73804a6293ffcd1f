"""Code and stress in the texts of checks, hints, guesses and pages of feedback."""

from __future__ import annotations

import pytest

from utils.boxes import box, marked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Use `tf.abs(x)` *after* it.", "Use <code>tf.abs(x)</code> <em>after</em> it."),
        ("걸음을 옮긴 *뒤*의 손실", "걸음을 옮긴 <em>뒤</em>의 손실"),
        ("the *mean squared* error", "the <em>mean squared</em> error"),
        ("`2*x*y` and `a * b`", "<code>2*x*y</code> and <code>a * b</code>"),
        ("n * n * n numbers, x**2, 2*x*y", "n * n * n numbers, x**2, 2*x*y"),
        ("`<b>` & <i>", "<code>&lt;b&gt;</code> &amp; &lt;i&gt;"),
    ],
)
def test_code_and_stress_are_set_and_all_else_is_as_it_was(text: str, shown: str) -> None:
    assert marked(text) == shown


def test_a_box_has_its_title_text_and_what_comes_after() -> None:
    shown = box("#000", "<Right>", "It is *so*.", "<p>after</p>")
    assert "<b>&lt;Right&gt;:</b> It is <em>so</em>.<p>after</p></div>" in shown
