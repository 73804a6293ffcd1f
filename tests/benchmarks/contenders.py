"""The contenders of the training benchmark: `python contenders.py NAME FOLDER`.

Each function returns two: `epoch()` trains once through all images, and `accuracy()` is the share
of test images that are right (or None). Lines on standard input ask for one or the other; the
answer is one JSON value a line. This file runs in interpreters that have no TensorFlow.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

Pair = tuple[Callable[[], Any], Callable[[], float | None]]
BATCH, HIDDEN, CLASSES = 32, 128, 10


def lesson(folder: Path, *, halves: bool = True) -> Pair:
    """Lesson 7's own cells: its epoch, compiled by XLA, shuffled anew before each call."""
    import lesson as cells
    import tensorflow as tf

    model, optimizer = cells.fresh(cells.build_halves if halves else cells.build_model)
    compiled_epoch = tf.function(cells.train_epoch, jit_compile=True)

    def epoch() -> float:
        order = tf.random.shuffle(tf.range(cells.train_size))
        return float(compiled_epoch(model, optimizer, order))

    def accuracy() -> float:
        predicted = tf.argmax(model(cells.data.test_images), axis=1).numpy()
        return float(np.mean(predicted == cells.data.test_labels))

    return epoch, accuracy


def lesson_whole(folder: Path) -> Pair:
    """The same with the network in one piece, before the lesson cuts it into two halves."""
    return lesson(folder, halves=False)


def lesson_whole_alone(folder: Path, *, halves: bool = False) -> Pair:
    """The network in one piece on one processor: what the others bring to it."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    return lesson(folder, halves=halves)


def lesson_alone(folder: Path) -> Pair:
    """The two halves on one processor."""
    return lesson_whole_alone(folder, halves=True)


def fit(folder: Path) -> Pair:
    """`model.fit` of the lesson's model, with the defaults that the lesson uses."""
    import keras
    import lesson as cells

    model = cells.build_model()
    optimizer = keras.optimizers.Adam(cells.learning_rate)
    model.compile(optimizer, cells.loss_function, metrics=["accuracy"])
    data = cells.data

    def epoch() -> None:
        model.fit(data.train_images, data.train_labels, BATCH, verbose=0)

    def accuracy() -> float:
        return float(model.evaluate(data.test_images, data.test_labels, verbose=0)[1])

    return epoch, accuracy


def torch_eager(folder: Path, **options: bool) -> Pair:
    """PyTorch without a compiler; the images are scaled once, before the first epoch."""
    import torch
    from torch import nn
    from torch.nn.functional import cross_entropy

    data = np.load(folder / "data.npz")
    torch.manual_seed(1)
    images = torch.from_numpy(data["train_images"]).float() / 255
    labels = torch.from_numpy(data["train_labels"]).long()
    model = nn.Sequential(nn.Linear(784, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, CLASSES))
    for layer in (model[0], model[2]):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7, **options)

    def epoch() -> float:
        total = torch.zeros(())
        for rows in torch.randperm(len(images)).split(BATCH):
            loss = cross_entropy(model(images[rows]), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(rows)
        return float(total / len(images))

    def accuracy() -> float:
        with torch.inference_mode():
            predicted = model(torch.from_numpy(data["test_images"]).float() / 255).argmax(1)
        return float(np.mean(predicted.numpy() == data["test_labels"]))

    return epoch, accuracy


def torch_fused(folder: Path) -> Pair:
    """The same with the Adam that PyTorch wrote as one C++ loop."""
    return torch_eager(folder, fused=True)


def jax_scan(folder: Path, *, scaled: bool = True) -> Pair:
    """A whole epoch in one `jit`: `scan` over the steps; the images are scaled once, before."""
    import jax
    import jax.numpy as jnp

    data = np.load(folder / "data.npz")
    images, labels = jnp.asarray(data["train_images"]), jnp.asarray(data["train_labels"])
    if scaled:
        images = images.astype(jnp.float32) / 255
    steps = len(images) // BATCH
    initialise = jax.nn.initializers.glorot_uniform()
    first, second, start = jax.random.split(jax.random.key(1), 3)
    parameters = {
        "w1": initialise(first, (784, HIDDEN)),
        "b1": jnp.zeros(HIDDEN),
        "w2": initialise(second, (HIDDEN, CLASSES)),
        "b2": jnp.zeros(CLASSES),
    }

    def logits(p: Any, x: Any) -> Any:
        x = x if x.dtype == jnp.float32 else x.astype(jnp.float32) / 255
        hidden = jax.nn.relu(x @ p["w1"] + p["b1"])
        return hidden @ p["w2"] + p["b2"]

    def loss_function(p: Any, x: Any, y: Any) -> Any:
        log_chances = jax.nn.log_softmax(logits(p, x))
        return -jnp.take_along_axis(log_chances, y[:, None], axis=1).mean()

    def one_epoch(state: Any, key: Any, images: Any, labels: Any) -> Any:
        def step(state: Any, rows: Any) -> Any:
            p, m, v, t = state
            t = t + 1
            loss, g = jax.value_and_grad(loss_function)(p, images[rows], labels[rows])
            rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
            m = jax.tree.map(lambda m, g: m + 0.1 * (g - m), m, g)
            v = jax.tree.map(lambda v, g: v + 0.001 * (g * g - v), v, g)
            p = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-7), p, m, v)
            return (p, m, v, t), loss

        order = jax.random.permutation(key, len(images))[: steps * BATCH]
        state, losses = jax.lax.scan(step, state, order.reshape(steps, BATCH))
        return state, losses.mean()

    compiled = jax.jit(one_epoch, donate_argnums=0)
    zeros = jax.tree.map(jnp.zeros_like, parameters)
    now = {"state": (parameters, zeros, jax.tree.map(jnp.copy, zeros), 0.0), "key": start}

    def epoch() -> float:
        now["key"], key = jax.random.split(now["key"])
        now["state"], loss = compiled(now["state"], key, images, labels)
        return float(loss)

    def accuracy() -> float:
        predicted = np.asarray(logits(now["state"][0], jnp.asarray(data["test_images"]))).argmax(1)
        return float(np.mean(predicted == data["test_labels"]))

    return epoch, accuracy


def jax_scan_bytes(folder: Path) -> Pair:
    """The same with the lesson's trick: batches are gathered as bytes and scaled in the graph."""
    return jax_scan(folder, scaled=False)


def products(folder: Path) -> Pair:
    """The five matrix products of each step, with NumPy, and nothing else: the floor."""
    steps = -(-len(np.load(folder / "data.npz")["train_labels"]) // BATCH)
    x, w1 = np.ones((BATCH, 784), np.float32), np.ones((784, HIDDEN), np.float32)
    hidden, w2 = np.empty((BATCH, HIDDEN), np.float32), np.ones((HIDDEN, CLASSES), np.float32)
    logits, d_hidden = np.empty((BATCH, CLASSES), np.float32), np.empty_like(hidden)
    d_w1, d_w2 = np.empty_like(w1), np.empty_like(w2)  # fresh memory a step costs more than its use

    def epoch() -> None:
        for _ in range(steps):
            np.matmul(x, w1, out=hidden)
            np.matmul(hidden, w2, out=logits)
            np.matmul(hidden.T, logits, out=d_w2)
            np.matmul(logits, w2.T, out=d_hidden)
            np.matmul(x.T, d_hidden, out=d_w1)

    return epoch, lambda: None


def main() -> None:
    """Prepare the contender, then answer one question a line."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    sys.path.insert(0, str(folder))
    with contextlib.redirect_stdout(sys.stderr):  # the stand-in is announced in words
        epoch, accuracy = globals()[name](folder)
    for line in sys.stdin:
        if line.strip() == "accuracy":
            answer = accuracy()
        else:
            start = perf_counter()
            epoch()
            answer = perf_counter() - start
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
