"""What modules read once, at their import, which a warm kernel has behind it at its first cell."""

from __future__ import annotations

import re

# Variables that the interpreter, the dynamic linker or a preloaded module reads once, at its start.
# A kernel gets all others when it is forked.
READ_ONCE = re.compile(
    r"(PYTHON|LD_|GLIBC_|MALLOC_|LC_|TF_|XLA_|CUDA_|NVIDIA_|GRPC_|ABSL_|NPY_|NUMPY_|OMP_|GOMP_|KMP_"
    r"|MKL_|OPENBLAS_|BLIS_|PYDEVD?_|DEBUGPY_|IPYKERNEL_).*|LANG|LANGUAGE|TZ|KERAS_BACKEND|MPLBACKEND"
)
# Where modules look for their configuration; a parent is known by what it found there.
PLACES = ("HOME", "PATH", "KERAS_HOME", "MPLCONFIGDIR", "MATPLOTLIBRC", "XDG_CONFIG_HOME")

# How a cell sets a variable, as text that `ast` need not understand: magics are no Python.
SETTING = re.compile(
    r"""environ\[\s*["'](\w+)["']\s*\]\s*=(?!=)|(?:environ\.setdefault|putenv)\(\s*["'](\w+)["']"""
    r"""|^\s*%(?:set_)?env\s+(\w+)""",
    re.MULTILINE,
)


def sets_what_is_read_once(source: str) -> bool:
    """Tell whether a cell sets what modules read at their import, and so wants a fresh kernel.

    Those are variables, and the handlers of the root logger, of which TensorFlow takes notice.
    """
    names = ["".join(found) for found in SETTING.findall(source)]
    return "logging.basicConfig(" in source or any(
        READ_ONCE.fullmatch(name) or name in PLACES for name in names
    )
