"""Tests of utils.standin: what is drawn, how fast, and how hard it is."""

from __future__ import annotations

import hashlib
import time

import numpy as np
import pytest

from utils.standin import SIZES, draw_stand_in

Part = tuple[np.ndarray, np.ndarray]

# Of the first 600 training items. It changes only when the drawing is changed on purpose.
DIGEST = "4b6057c342c1f1645aabd20131ee5b68ac05ecabcb808e958cec470c0f405274"


@pytest.fixture(scope="module")
def train() -> Part:
    return draw_stand_in("train", 60_000)


@pytest.fixture(scope="module")
def test() -> Part:
    return draw_stand_in("test", 10_000)


def test_both_sets_are_drawn_within_five_seconds() -> None:
    start = time.perf_counter()
    for part, size in SIZES.items():
        draw_stand_in(part, size)
    seconds = time.perf_counter() - start
    print(f"70,000 images drawn in {seconds:.2f} s")
    assert seconds < 5


def test_shapes_and_types_are_those_of_fashion_mnist(train: Part, test: Part) -> None:
    for (labels, images), count in ((train, 60_000), (test, 10_000)):
        assert labels.shape == (count,)
        assert images.shape == (count, 28, 28)
        assert labels.dtype == images.dtype == np.uint8


def test_each_class_is_a_tenth_of_each_set(train: Part, test: Part) -> None:
    assert np.bincount(train[0]).tolist() == [6000] * 10
    assert np.bincount(test[0]).tolist() == [1000] * 10


def test_labels_are_mixed(train: Part) -> None:
    counts = [np.bincount(block, minlength=10) for block in train[0].reshape(60, 1000)]
    assert np.min(counts) > 60
    assert np.max(counts) < 150


def test_the_first_item_of_both_sets_is_an_ankle_boot(train: Part, test: Part) -> None:
    for labels, images in (train, test):
        assert labels[0] == 9
        widths = np.count_nonzero(images[0], axis=1)
        shaft = images[0, np.flatnonzero(widths)[0] + 2]
        assert shaft[:12].max() == 0, "nothing lies in front of the shaft"
        assert shaft[18:22].min() > 0
        assert widths[14:].max() >= 20, "the foot is long"


def test_a_smaller_set_is_the_beginning_of_a_larger_one(train: Part) -> None:
    for size in (1, 499, 500, 501, 1300):
        labels, images = draw_stand_in("train", size)
        np.testing.assert_array_equal(labels, train[0][:size])
        np.testing.assert_array_equal(images, train[1][:size])


def test_a_smaller_set_is_drawn_sooner() -> None:
    def seconds(size: int) -> float:
        start = time.perf_counter()
        draw_stand_in("train", size)
        return time.perf_counter() - start

    assert min(seconds(600) for _ in range(3)) < min(seconds(60_000) for _ in range(2))


def test_every_machine_draws_the_same_images() -> None:
    labels, images = draw_stand_in("train", 600)
    assert hashlib.sha256(labels.tobytes() + images.tobytes()).hexdigest() == DIGEST


def test_no_image_is_blank_or_appears_twice(train: Part, test: Part) -> None:
    images = np.concatenate([train[1], test[1]])
    assert np.count_nonzero(images, axis=(1, 2)).min() > 30
    assert len({image.tobytes() for image in images}) == len(images)


def test_black_is_the_ground_and_the_cloth_uses_the_grey_scale(train: Part) -> None:
    images = train[1]
    assert images.min() == 0
    assert images.max() == 255
    assert 0.4 < np.mean(images == 0) < 0.8
    assert np.mean(images[:, 0, 0] == 0) > 0.99


def test_classes_are_told_apart_by_shape_and_tops_are_the_hard_ones(
    train: Part, test: Part
) -> None:
    """The nearest mean silhouette, which knows nothing of tone, finds most classes."""
    shapes = (train[1] > 0).reshape(60_000, 784).astype(np.float32)
    means = np.stack([shapes[train[0] == label].mean(0) for label in range(10)])
    looks = (test[1] > 0).reshape(10_000, 784).astype(np.float32)
    distances = (means**2).sum(1) - 2 * looks @ means.T
    right = distances.argmin(1) == test[0]
    recall = {label: right[test[0] == label].mean() for label in range(10)}
    print({label: round(float(share), 2) for label, share in recall.items()})
    tops = np.mean([recall[label] for label in (0, 2, 4, 6)])
    others = np.mean([recall[label] for label in (1, 3, 5, 7, 8, 9)])
    assert 0.4 < tops < 0.9
    assert others > 0.85


@pytest.mark.parametrize("seed", [1, 2])
def test_one_epoch_of_the_lessons_mlp_lands_between_three_quarters_and_95_percent(
    train: Part, test: Part, seed: int
) -> None:
    from data_training import accuracy_on_test_images  # imports TensorFlow

    accuracy = accuracy_on_test_images(train, test, seed=seed, epochs=1)
    print(f"seed {seed}, 1 epoch: test accuracy {accuracy:.4f}")
    assert 0.75 < accuracy < 0.95
