"""The MLP of lesson 05, trained on any ten classes of 28x28 images."""

from __future__ import annotations

import keras
import numpy as np


def accuracy_on_test_images(
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    *,
    seed: int,
    epochs: int,
) -> float:
    """Train 784-128-10 with Adam in batches of 32; return the share of test items it gets right.

    ``train`` and ``test`` are labels (n,) and uint8 images (n, 28, 28).
    """
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(train[1] / np.float32(255), train[0], epochs=epochs, verbose=0)
    _, accuracy = model.evaluate(test[1] / np.float32(255), test[0], verbose=0)
    return float(accuracy)
