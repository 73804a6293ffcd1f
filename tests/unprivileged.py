"""Runs a command of root's as a user who may do nothing in particular."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from course.kernels import linux

NOBODY = 65534
ROOT = Path(__file__).parents[1]


def run_as_nobody(command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command as nobody, who can reach this Python and this checkout.

    Where a folder on the way is closed to others, another one with nothing else in it stands in
    its place, for this command alone.
    """
    with tempfile.TemporaryDirectory(prefix="nobody-", dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        home, stage = Path(folder, "home"), Path(folder, "stage")
        home.mkdir()
        os.chown(home, NOBODY, NOBODY)
        stage.mkdir(mode=0o755)
        needed = [Path(each).resolve() for each in (sys.prefix, sys.base_prefix, ROOT)]

        def become_nobody() -> None:
            linux.unshare(linux.CLONE_NEWNS)
            linux.make_private("/")
            stages: dict[Path, Path] = {}
            for path in needed:
                closed = [each for each in path.parents if not each.stat().st_mode & stat.S_IXOTH]
                if closed:
                    stages.setdefault(closed[-1], stage / str(len(stages)))
                    place = stages[closed[-1]] / path.relative_to(closed[-1])
                    place.mkdir(parents=True, exist_ok=True)
                    linux.bind(str(path), str(place))
            for folder, stand_in in stages.items():
                linux.bind(str(stand_in), str(folder))
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)

        kept = {name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"}
        return subprocess.run(
            command,
            preexec_fn=become_nobody,
            env=kept | {"HOME": str(home), "TMPDIR": str(home)},
            text=True,
            check=False,
            **options,
        )
