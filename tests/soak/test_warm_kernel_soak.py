"""Many starts of warm kernels, eight at a time; KERNEL_STARTS sets how many."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from warm_kernels import is_warm, parent_of, running, wait_until

from course.kernels import PRELOADED, provisioner
from course.kernels.meeting import meeting_folder

STARTS = int(os.environ.get("KERNEL_STARTS", "1000"))
AT_A_TIME = 8
CODE = "import tensorflow as tf; int(tf.reduce_sum(tf.range({number})))"

pytestmark = [
    pytest.mark.skipif(not provisioner.CAN_FORK, reason="kernels are forked on Linux only"),
    pytest.mark.timeout(7200),
]


def start(number: int) -> tuple[str, int]:
    """Start a kernel and let it add; return what became of that, and its parent."""
    try:
        with running(list(PRELOADED)) as kernel:
            pid = kernel.process.pid
            if not is_warm(pid):
                return "cold", parent_of(pid)
            said = kernel.run(CODE.format(number=number))
            right = said == str(number * (number - 1) // 2)
            return "right" if right else f"wrong: {said}", parent_of(pid)
    except Exception as error:  # noqa: BLE001  # whatever it is, it counts as a failed start
        return f"{type(error).__name__}: {error}", 0


def test_a_thousand_starts_eight_at_a_time_fail_never_and_leave_nothing() -> None:
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        outcomes = list(pool.map(start, range(STARTS)))
    assert Counter(outcome for outcome, _ in outcomes) == {"right": STARTS}
    (parent,) = {parent for _, parent in outcomes}
    children = Path(f"/proc/{parent}/task/{parent}/children")
    assert wait_until(lambda: not children.read_text(), 2)
    assert not list(meeting_folder().glob("kernel-*"))
