"""The benchmark of grading measures what it says: the same class, the same scores."""

from __future__ import annotations

from benchmarks import grading


def test_nbgrader_and_the_course_give_the_same_scores() -> None:
    theirs, ours, same = grading.compared(12)
    assert same
    assert min(theirs, ours) > 0.5
