"""What makes TensorFlow quick at the small graphs of grading, each of which runs a few times."""

from __future__ import annotations

import functools
from typing import Any

import tensorflow as tf

ROWS = 32  # of a Jacobian; for more of them a graph is worth making


def leave_graphs_as_they_are() -> None:
    """Have TensorFlow run graphs without rewriting them first, which would take longer."""
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


def compute_few_rows_without_a_graph() -> None:
    """Have tapes compute a Jacobian of few rows one row after the other.

    TensorFlow makes a graph of each Jacobian, ten times slower than a few rows are. Values agree
    within rounding, and what a tape refuses it goes on refusing: it only keeps what it has recorded
    until the last row, as tapes with ``persistent=True`` do.
    """
    push, whole = tf.GradientTape._push_tape, tf.GradientTape.jacobian

    def push_keeping(self: Any) -> None:
        asked, self._persistent = self._persistent, True
        try:
            push(self)
        finally:
            self._persistent = asked

    @functools.wraps(whole)
    def jacobian(self: Any, target: Any, sources: Any, *options: Any, **named: Any) -> Any:
        if options or "experimental_use_pfor" in named or not _is_simple(self, target):
            return whole(self, target, sources, *options, **named)
        asked, self._persistent = self._persistent, True
        try:
            return whole(self, target, sources, experimental_use_pfor=False, **named)
        finally:
            self._persistent = asked
            if not asked:
                self._watched_variables, self._tape = self._tape.watched_variables(), None

    tf.GradientTape._push_tape, tf.GradientTape.jacobian = push_keeping, jacobian


def _is_simple(tape: Any, target: Any) -> bool:
    """Tell whether a tape, still unused, is asked outside of its block, for a few rows."""
    is_ready = tf.executing_eagerly() and tape._tape is not None and not tape._recording
    rows = getattr(getattr(target, "shape", None), "num_elements", int)()
    return is_ready and rows is not None and 0 < rows <= ROWS
