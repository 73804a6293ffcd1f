"""Lessons are found in the folders, by every name that a person would try."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from course.catalog import exercises, find_lessons, lessons
from utils.errors import CourseError

WriteNotebook = Callable[..., Path]


@pytest.fixture
def checkout(write_notebook: WriteNotebook, tmp_path: Path) -> Path:
    """A checkout with two lessons, a file that is no lesson, and an exercise."""
    write_notebook("05_fashion_mnist_mlp", "# 5. A Fashion-MNIST classifier")
    write_notebook("01_gradient_tape", "some_code", "# 1. The gradient tape  \n\nMore")
    write_notebook("scratch", "# No lesson")
    write_notebook("01_gradient_tape", "# Exercises", folder="exercises/01_gradient_tape")
    return tmp_path


def test_lessons_come_in_order_with_their_titles(checkout: Path) -> None:
    found = [(lesson.name, lesson.title) for lesson in lessons(checkout)]
    assert found == [
        ("01_gradient_tape", "1. The gradient tape"),
        ("05_fashion_mnist_mlp", "5. A Fashion-MNIST classifier"),
    ]


def test_exercises_are_the_notebooks_called_like_their_folder(checkout: Path) -> None:
    assert [exercise.name for exercise in exercises(checkout)] == ["01_gradient_tape"]


@pytest.mark.parametrize("name", ["5", "05", "05_fashion_mnist_mlp"])
def test_a_lesson_answers_to_its_number_and_its_name(name: str, checkout: Path) -> None:
    assert [lesson.name for lesson in find_lessons([name], checkout)] == ["05_fashion_mnist_mlp"]


def test_the_path_of_a_lesson_is_that_lesson_and_naming_it_twice_is_naming_it_once(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(checkout / "notebooks")
    assert find_lessons(["5", "05_fashion_mnist_mlp.ipynb"], checkout) == find_lessons(
        ["05"], checkout
    )


def test_any_notebook_can_be_named_by_its_path(checkout: Path) -> None:
    (found,) = find_lessons([str(checkout / "notebooks" / "scratch.ipynb")], checkout)
    assert (found.name, found.title) == ("scratch", "No lesson")


@pytest.mark.parametrize("name", ["05_fashion_mnist", "05_fashion_mnist_mpl.ipynb"])
def test_an_unknown_name_is_answered_with_the_nearest(name: str, checkout: Path) -> None:
    with pytest.raises(CourseError, match=r"did you mean 05_fashion_mnist_mlp\?"):
        find_lessons([name], checkout)


def test_an_unknown_number_is_answered_with_all_lessons(checkout: Path) -> None:
    with pytest.raises(CourseError, match="01_gradient_tape, 05_fashion_mnist_mlp"):
        find_lessons(["9"], checkout)


def test_two_notebooks_of_one_name_are_refused(checkout: Path) -> None:
    with pytest.raises(CourseError, match="Two of the notebooks are called 01_gradient_tape"):
        find_lessons(["1", str(exercises(checkout)[0].path)], checkout)


def test_a_checkout_without_lessons_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="pip install --editable"):
        find_lessons((), tmp_path)
