"""What holds for every kernel of the course: its variables, its limits, and how its end is told."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import Any

TIMEOUT = 1800.0  # seconds a notebook may take
START_TIMEOUT = 120  # seconds a kernel may take to answer for the first time
OUTPUT_LIMIT = 2_000_000  # characters of a cell's outputs; its metrics come on top
LAST_WORDS = 12  # lines that a dying kernel wrote to its stderr

# What a kernel gets unless the environment says otherwise: TensorFlow without its log lines and
# with the same digits wherever oneDNN would reorder sums, Python without the debugger's warning.
KERNEL_ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}
# What it does not get: figures belong into the notebook whatever the shell's backend, a kernel that
# thinks it is being tested captures less, and TensorFlow takes 13 s to import without bytecode.
NOT_FOR_KERNELS = ("MPLBACKEND", "PYTEST_CURRENT_TEST", "PYTHONDONTWRITEBYTECODE")

# Log lines of TensorFlow's C++ code, which no log level silences: "I0000 00:00:1795425156.29 ...".
NATIVE_LOG = re.compile(
    r"^(?:WARNING: All log messages before absl::.*|[IWE]\d{4} \d\d:\d\d:\d+\.\d+ +\d+ .*)\n?",
    re.MULTILINE,
)


def kernel_environment() -> dict[str, str]:
    """Return the environment of a kernel, whose working directory is not ours."""
    environment = KERNEL_ENVIRONMENT | os.environ
    for name in NOT_FOR_KERNELS:
        environment.pop(name, None)
    if home := environment.get("KERAS_HOME"):
        environment["KERAS_HOME"] = str(Path(home).expanduser().absolute())
    return environment


def cut(message: dict[str, Any], room: int) -> int:
    """Cut what a message puts out to ``room`` characters; return how many are left after it."""
    from utils.metrics import MIME_TYPE  # IPython and NumPy come with it

    content = message["content"]
    if message["msg_type"] == "stream":
        size = len(content["text"])
        if size > room:
            note = f"\n[Only the first {OUTPUT_LIMIT:,} characters of this output were kept.]\n"
            content["text"] = content["text"][:room] + note * (room > 0)
    elif message["msg_type"] in ("display_data", "execute_result", "update_display_data"):
        data = content["data"]
        size = sum(len(str(value)) for mime, value in data.items() if mime != MIME_TYPE)
        if size > room:
            kept = {MIME_TYPE: data[MIME_TYPE]} if MIME_TYPE in data else {}
            content["data"] = kept | {"text/plain": "[An output too large to keep was left out.]"}
    elif message["msg_type"] == "error":
        size = sum(map(len, (content["ename"], content["evalue"], *content["traceback"])))
        if size > room:
            content["ename"], content["evalue"] = content["ename"][:200], content["evalue"][:2000]
            content["traceback"] = []
    else:
        return room
    return max(0, room - size)


def death(exit_status: int | None) -> str:
    """Say how a kernel's process ended. Linux sends SIGKILL to what takes too much memory."""
    if exit_status is None:
        return "the kernel died in this cell"
    if exit_status >= 0:
        return f"the kernel died in this cell with exit status {exit_status}"
    try:
        name = signal.Signals(-exit_status).name
    except ValueError:  # one of the real-time signals
        name = f"signal {-exit_status}"
    reason = " (was there too little memory?)" if name == "SIGKILL" else ""
    return f"the kernel died in this cell by {name}{reason}"
