"""How much of a sandbox this machine has, found by trying to break out of one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from course.kernels.sandbox import KEPT

Level = Literal["full", "partial", "none"]

# What holds a kernel, by name; SANDBOX.md says what each is for.
PROTECTIONS = (
    "user namespace",
    "network",
    "processes",
    "mounts",
    "Landlock: files",
    "Landlock: signals",
    "Landlock: abstract sockets",
    "unusual sockets",
    "limits",
    "no new privileges",
)

ROOT = Path(__file__).parents[2]
TRY = "import sys; sys.path.insert(0, sys.argv[1]); from course.kernels.trial import main; main()"
SECONDS = 60.0  # for the trial


class Isolation(NamedTuple):
    """How well sandboxed kernels are isolated on this machine."""

    level: Level
    holds: Mapping[str, bool]  # for each of ``PROTECTIONS``
    sentence: str  # says it to a person
    way: tuple[bool, int, bool]  # into a sandbox: see ``confine.Way``


@cache
def isolation() -> Isolation:
    """Try on this machine what a sandbox can hold; that takes a fraction of a second, once."""
    if sys.platform != "linux":
        return _none(f"{sys.platform} has nothing that this course uses for it")
    try:
        done = subprocess.run(
            [sys.executable, "-c", TRY, str(ROOT)],
            cwd="/",
            env={k: v for k, v in os.environ.items() if KEPT.fullmatch(k)} | {"PATH": os.defpath},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
        )
        found = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return _none(f"the trial failed: {error}")
    holds = {name: found["holds"].get(name, False) for name in PROTECTIONS}
    missing = [name for name, held in holds.items() if not held]
    reasons = "; ".join(found["reasons"])
    if not missing:
        level: Level = "full"
        sentence = f"Kernels are fully isolated ({', '.join(PROTECTIONS)})."
    elif holds["mounts"] or holds["Landlock: files"]:
        level = "partial"
        sentence = f"Kernels are isolated in part, without {', '.join(missing)} ({reasons})."
    else:
        return _none(reasons)
    return Isolation(level, holds, sentence, tuple(found["way"]))


def _none(reason: str) -> Isolation:
    sentence = (
        f"Kernels are not isolated ({reason}): each is an ordinary process of yours with limits,"
        " which can read and change whatever you can, and reach the network."
    )
    return Isolation("none", dict.fromkeys(PROTECTIONS, False), sentence, (False, 0, False))
