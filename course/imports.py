"""Importing much at once."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected(*, aside: bool = False) -> Iterator[None]:
    """Import while the garbage collector rests, and have it leave alone what was imported.

    It would find next to nothing and take a sixth of the time, and a fifth more when Python ends.
    ``aside``: whether to leave a processor to another process, see `on_all_but_one`.
    """
    gc.disable()
    try:
        with on_all_but_one(aside):
            yield
    finally:
        gc.enable()
        gc.freeze()


@contextmanager
def on_all_but_one(aside: bool) -> Iterator[None]:
    """Leave a processor to another process that imports what takes longer, if ``aside``.

    On a machine with one processor there is none to leave.
    """
    if not aside or not hasattr(os, "sched_setaffinity"):
        yield
        return
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, ours - {min(ours)} or ours)
    try:
        yield
    finally:
        os.sched_setaffinity(0, ours)
