"""The benchmark of grading measures what it says: the same class, the same scores."""

from __future__ import annotations

from . import grading


def test_nbgrader_and_the_course_give_the_same_scores() -> None:
    theirs, ours, same = grading.compared(1)
    assert same
    assert min(theirs, ours) > 0.5
