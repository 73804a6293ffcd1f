"""Arrays that a lesson hands to a figure, checked: what does not fit is said in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from utils.errors import CourseError

Array = NDArray[Any]


NO_NUMBERS = (TypeError, ValueError, ArithmeticError, NotImplementedError)
MOST_ON_A_SHEET = 200  # on a sheet
MOST_ROWS = 100  # of bars, or of a table


def floats(values: Any, needed: str) -> Array:
    """Return numbers as an array of floats, or say what is needed."""
    try:
        array = np.asarray(values)
        if array.dtype.kind != "c":
            return array.astype(float)
    except NO_NUMBERS:
        pass
    raise CourseError(needed)


def check_room(where: str, number: int, most: int, what: str) -> None:
    """Raise CourseError where there is more than a figure has room for."""
    if number > most:
        raise CourseError(f"{where} has room for {most} {what} and got {number:,}: pass fewer.")


def one_image(image: ArrayLike, where: str) -> Array:
    """Return one image as (height, width) or (height, width, 3)."""
    pixels = finite_numbers(image, where)
    if pixels.ndim == 3 and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[-1] == 3):
        return pixels
    advice = (
        "that is a batch, so pass one of its images, as in images[0]"
        if pixels.ndim in (3, 4)
        else "an image has two axes, as in images[0]"
    )
    raise CourseError(
        f"{where} needs one image of shape (height, width) and got shape {pixels.shape}: {advice}."
    )


def batch_of_images(images: ArrayLike, where: str) -> Array:
    """Return a batch of images as (n, height, width) or (n, height, width, 3), n at least 1."""
    pixels = finite_numbers(images, where)
    if pixels.ndim == 4 and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    if not (pixels.ndim == 3 or (pixels.ndim == 4 and pixels.shape[-1] == 3)):
        advice = (
            "a single image gets its batch axis by image[None]"
            if pixels.ndim == 2
            else "pass a slice of the images, as in images[:25]"
        )
        raise CourseError(
            f"{where} needs images of shape (n, height, width) and got shape {pixels.shape}: "
            f"{advice}."
        )
    if not len(pixels):
        raise CourseError(f"{where} got no image at all: its shape is {pixels.shape}.")
    check_room(where, len(pixels), MOST_ON_A_SHEET, "images")
    return pixels


def finite_numbers(values: ArrayLike, where: str) -> Array:
    """Return numbers as an array of at least one finite element, or say what is wrong."""
    try:
        array = np.asarray(values)
        finite = np.isfinite(array).all()
    except NO_NUMBERS:
        raise CourseError(
            f"{where} needs an array of numbers and got a {type(values).__name__}."
        ) from None
    if array.dtype.kind not in "biuf":
        raise CourseError(f"{where} needs an array of real numbers and got {array.dtype} values.")
    if array.dtype == bool:
        array = array.astype(float)
    if not array.size:
        raise CourseError(f"{where} got an empty array of shape {array.shape}.")
    if not finite:
        raise CourseError(f"{where} got NaN or infinity among its values: look where they arose.")
    return array


def one_prediction(
    probabilities: ArrayLike, label: ArrayLike, class_names: Sequence[str], where: str
) -> tuple[Array, int]:
    chances = finite_numbers(probabilities, where)
    if chances.ndim == 2:
        raise CourseError(
            f"{where} needs the probabilities of one image and got shape {chances.shape}: "
            "pass one row, as in probabilities[0]."
        )
    truths = class_numbers(np.reshape(np.asarray(label), -1), class_names, where)
    if len(truths) != 1:
        raise CourseError(f"{where} needs one label, as in labels[0], and got {len(truths)}.")
    return table_of_probabilities(chances[None], class_names, where)[0], int(truths[0])


def table_of_probabilities(
    probabilities: ArrayLike, class_names: Sequence[str], where: str
) -> Array:
    chances = finite_numbers(probabilities, where)
    if chances.ndim != 2 or chances.shape[1] != len(class_names):
        raise CourseError(
            f"{where} needs one probability for each of the {len(class_names)} classes, "
            f"and got an array of shape {chances.shape}."
        )
    sums = chances.sum(axis=1)
    odd = int(np.abs(sums - 1).argmax())
    if chances.min() < 0 or abs(sums[odd] - 1) > 0.01:
        raise CourseError(
            f"{where} got values that are no probabilities (the lowest is {chances.min():.3g}, "
            f"and a row has the sum {sums[odd]:.3g} instead of 1): if these are logits, pass "
            "tf.nn.softmax(logits) instead."
        )
    return chances


def class_numbers(labels: ArrayLike, class_names: Sequence[str], where: str) -> Array:
    numbers = finite_numbers(labels, where)
    if numbers.ndim == 2 and numbers.shape[1] == 1:
        numbers = numbers[:, 0]
    if numbers.ndim != 1 or (numbers != np.round(numbers)).any():
        raise CourseError(
            f"{where} needs one class number an image and got an array of shape {numbers.shape} "
            f"and type {numbers.dtype}: of probabilities, take probabilities.argmax(axis=1)."
        )
    if numbers.min() < 0 or numbers.max() >= len(class_names):
        raise CourseError(
            f"{where} got class numbers from {numbers.min()} to {numbers.max()}, but the "
            f"{len(class_names)} class names are for 0 to {len(class_names) - 1}."
        )
    return numbers.astype(int)


def check_lengths(where: str, images: Array, **others: Any) -> None:
    for name, values in others.items():
        if values is not None and len(values) != len(images):
            raise CourseError(
                f"{where} needs as many {name} as images or labels: "
                f"there are {len(values)} for {len(images)}."
            )


def whole_columns(columns: int, most: int, where: str) -> int:
    """Return the number of columns, or say how many a sheet 600 pixels wide has room for."""
    if not isinstance(columns, int) or not 1 <= columns <= most:
        raise CourseError(
            f"{where} has room for 1 to {most} columns: columns = {columns!r} is not one of these."
        )
    return columns
