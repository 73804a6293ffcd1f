"""Predict, run, explain: every kind of guess against every kind of answer."""

import math

import numpy as np
import pytest

from utils.predict import compare_guess

EIGHTS = np.full((2, 2), 8.0, dtype=np.float32)


@pytest.mark.parametrize(
    ("guess", "answer"),
    [
        (8, 8.0),
        (8.0, EIGHTS),
        ([[8, 8], [8, 8]], EIGHTS),
        (0.667, 2 / 3),
        (0, 0.0),
        (1e-9, 0.0),
        (1875.0, 1875),
        (math.nan, np.float32("nan")),
        (math.inf, math.inf),
        (math.nan, "nan"),
        ("NaN", math.nan),
        ("-inf", -math.inf),
        ("None", None),
        (None, None),
        ("yes", True),
        ("No", np.bool_(False)),
        (True, True),
        (" Trouser ", "trouser"),
        ((3, 4), (3, 4)),
        ([3, 4], (3, 4)),
        ((None, 10), (None, 10)),
        ([8.0], 8.0),
        ("float32", np.dtype("float32")),
        ([True, False], np.array([True, False])),
        (np.array([1j, 2]), np.array([1j, 2])),
    ],
)
def test_a_right_guess_is_confirmed(guess, answer):
    result = compare_guess(guess, answer)
    assert result.right is True
    assert str(result).startswith("✓ Right: the answer is ")


@pytest.mark.parametrize(
    ("guess", "answer"),
    [
        (4.0, EIGHTS),
        (1875, 1876),
        (101_771, 101_770),
        (True, 1),
        (1, True),
        (0, None),
        (None, 0.0),
        ("None", 0.0),
        (0, math.nan),
        (math.inf, -math.inf),
        ((4, 3), (3, 4)),
        ((3, 4), (3, 4, 1)),
        (3, (3, 4)),
        ([8.0, 8.0], EIGHTS),
        (8.0, np.zeros(0)),
        ("8", 8.0),
        (print, 8.0),
        ({"a": 1}, 8.0),
        ([1, [2]], 8.0),
        (3 + 2j, 3.0),
        (object(), "word"),
        (np.array([True, False]), np.array([True, True])),
        ([True, [False]], np.array([True, True])),
        (np.array([1j, 2]), np.array([1j, 3])),
        (np.array([1j, 2]), 1j),
    ],
)
def test_a_wrong_guess_of_any_type_is_told_kindly_and_never_raises(guess, answer):
    result = compare_guess(guess, answer)
    assert result.right is False
    assert str(result).startswith("✗ Not this time: you said ")
    assert "and the answer is " in str(result)


@pytest.mark.parametrize("blank", [..., "...", "", (..., 4), [...]])
def test_without_a_guess_the_answer_is_shown_and_the_lesson_goes_on(blank):
    result = compare_guess(blank, 8.0, because={4.0: "never shown"})
    assert result.right is None
    assert str(result) == (
        "No guess yet: the answer is 8.0. "
        "Next time put your number in place of the dots before you run this."
    )


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        ("Bag", "your word"),
        (None, "your guess"),
        (True, "True or False"),
        ((3, 4), "your tuple"),
        (np.arange(3.0), "your guess"),
    ],
)
def test_the_invitation_to_guess_says_what_to_write(answer, what):
    assert f"Next time put {what}" in str(compare_guess(..., answer))


@pytest.mark.parametrize(
    "wrong", [4.0, 0, -8, "four", None, (2, 2), "yes"], ids=lambda wrong: repr(wrong)
)
def test_a_foreseen_wrong_guess_gets_the_thinking_behind_it(wrong):
    result = compare_guess(wrong, EIGHTS, because={1.25: "other", wrong: "That forgot a factor."})
    assert result.right is False
    assert str(result).endswith("That forgot a factor.")


def test_a_right_guess_is_not_explained_away_when_the_foreseen_one_has_become_right():
    assert compare_guess(8.0, 8.0, because={8.0: "wrong"}).right is True


@pytest.mark.parametrize(
    ("guess", "answer", "hint"),
    [
        (-8, 8.0, "the sign is not"),
        (4, EIGHTS, "half of it"),
        (16, EIGHTS, "twice as much"),
        ("8", 8.0, "leave out the quotation marks"),
        ("eight", 8.0, "The answer is a number, and your guess is text"),
        (True, 1.0, "yours is a bool"),
        (1, True, "yours is a number"),
        ([[1, 2, 3], [4, 5, 6]], np.array([[1.0, 4], [2, 5], [3, 6]]), "transpose"),
        ([[1, 2], [3, 4]], np.array([[1.0, 3], [2, 4]]), "transpose"),
        ([8, 8, 8, 8], EIGHTS, "another shape: the answer has the shape (2, 2), yours (4,)"),
        ((4, 3), (3, 4), "another order"),
        (0, None, "not the same as zero"),
        (None, (3, 4), ""),
    ],
)
def test_an_unforeseen_wrong_guess_gets_what_can_be_told_from_it(guess, answer, hint):
    assert hint in str(compare_guess(guess, answer))


def test_nothing_is_claimed_about_a_guess_that_is_just_wrong():
    assert str(compare_guess(3.0, 8.0)).endswith("the answer is 8.0.")
    assert str(compare_guess(3.0, 0.0)).endswith("the answer is 0.0.")


def test_equal_values_are_said_once():
    assert "8.0 in all four places" in str(compare_guess(8, EIGHTS))
    assert "1.0 in both places" in str(compare_guess(8, np.ones(2)))
    assert "0.0 in all 100 places" in str(compare_guess(8, np.zeros((10, 10))))
    assert "an array of shape (20,)" in str(compare_guess(8, np.arange(20.0)))


def test_the_tolerance_is_relative():
    assert compare_guess(1000.5, 1000.0).right
    assert not compare_guess(0.0015, 0.001).right
    assert compare_guess(0.9, 1.0, tolerance=0.2).right


def test_tensors_and_shapes_are_compared_like_numbers_and_tuples():
    tf = pytest.importorskip("tensorflow")
    assert compare_guess(8, tf.constant(EIGHTS)).right
    assert compare_guess(3, tf.Variable(3.0)).right
    assert compare_guess((3, 4), tf.zeros((3, 4)).shape).right
    assert compare_guess(tf.constant(9), 9).right
    assert compare_guess("float32", tf.float32).right
    assert not compare_guess(8, tf.IndexedSlices(tf.ones((1, 2)), tf.constant([0]))).right


def test_the_box_tells_right_from_wrong_without_colour_and_escapes_its_text():
    right = compare_guess(8, 8.0)._repr_html_()
    wrong = compare_guess(4, 8.0, because={4: "`x<y` & more"})._repr_html_()
    assert "✓ Right" in right and "✗ Not this time" in wrong
    assert "<code>x&lt;y</code> &amp; more" in wrong


def test_the_result_prints_as_its_sentence():
    result = compare_guess(8, 8.0)
    assert repr(result) == str(result) == "✓ Right: the answer is 8.0."
