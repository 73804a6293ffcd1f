"""Which parent fits a kernel: what is read while modules are imported must be the same for both."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import site
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from course.kernels import PRELOADED
from course.kernels.read_once import PLACES, READ_ONCE

LIMITS = range(16)  # the numbers of Linux's resource limits

KERAS_DEFAULTS = {
    "floatx": "float32",
    "epsilon": 1e-07,
    "backend": "tensorflow",
    "image_data_format": "channels_last",
}


def parent_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a parent of kernels with this environment starts with.

    Modules see there what they would see in a notebook: figures belong into it, and the
    kernel has a client that it need not tell how to connect.
    """
    kept = {k: v for k, v in environment.items() if READ_ONCE.fullmatch(k) or k in PLACES}
    if not kept.get("MPLBACKEND"):
        kept["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    return kept | {"JPY_PARENT_PID": "1"}


def parent_name(
    options: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    modules: Sequence[str] = PRELOADED,
) -> str:
    """Return the name of the parent that fits kernels of this interpreter.

    Parents whose names differ after the dash alone are the same before and after something was
    installed.

    Args:
        options: of the interpreter, such as ``-Xfrozen_modules=off``.
        environment: the kernel's.
        folder: the kernel's working directory.
        modules: what the parent imports.
    """
    variables = {k: v for k, v in parent_environment(environment).items() if k not in PLACES}
    if not all(map(os.path.isabs, variables.get("PYTHONPATH", "/").split(os.pathsep))):
        variables["PWD"] = str(folder.absolute())
    wanted = {
        "interpreter": [sys.executable, sys.version, *options],
        "modules": list(modules),
        "variables": variables,
        "limits": [resource.getrlimit(limit)[1] for limit in LIMITS],
        "processors": sorted(os.sched_getaffinity(0)),
        "niceness": os.getpriority(os.PRIO_PROCESS, 0),
        "keras": _keras_configuration(environment),
        "matplotlib": _matplotlib_configuration(environment, folder),
    }
    ours = Path(__file__).parent.glob("*.py")
    installed = _times([*site.getsitepackages(), site.getusersitepackages(), *ours])
    return f"{_digest(wanted)}-{_digest(installed)}"


def _digest(content: object) -> str:
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _times(paths: Sequence[str | Path]) -> dict[str, int]:
    """Return when each folder or file that exists last changed, in ns."""
    return {str(path): os.stat(path).st_mtime_ns for path in paths if os.path.exists(path)}


def _keras_configuration(environment: Mapping[str, str]) -> object:
    """Return what ``keras.json`` sets; Keras writes one with the defaults where there is none."""
    home = environment.get("KERAS_HOME") or Path(_home(environment), ".keras")
    try:
        settings = json.loads(Path(home, "keras.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(settings, dict):
        return settings
    return {k: v for k, v in settings.items() if v and v != KERAS_DEFAULTS.get(k)}


def _matplotlib_configuration(environment: Mapping[str, str], folder: Path) -> str | None:
    """Return the content of the ``matplotlibrc`` that matplotlib would read, if there is one."""
    rc = environment.get("MATPLOTLIBRC")
    configuration = environment.get("XDG_CONFIG_HOME") or Path(_home(environment), ".config")
    candidates = [
        Path(folder, "matplotlibrc"),
        *([Path(rc), Path(rc, "matplotlibrc")] if rc else []),
        Path(environment.get("MPLCONFIGDIR") or Path(configuration, "matplotlib"), "matplotlibrc"),
    ]
    for path in candidates:
        try:
            return path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
    return None


def _home(environment: Mapping[str, str]) -> str:
    return environment.get("HOME") or os.path.expanduser("~")
