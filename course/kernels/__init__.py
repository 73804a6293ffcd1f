"""Kernels that start warm: forked from a parent that has TensorFlow in memory already.

A Jupyter client meets them as a kernel provisioner (``provisioner``). It asks (``asking``) the
parent (``parent``) that fits its interpreter and environment (``fitting``) for a fork, and the fork
turns into the kernel that was asked for (``forked``); the parent has the data in memory, too
(``reading``). What looks after runs is forked in the same way, from a parent of its own. Our own
clients (``clients``) know at once when it is ready. A kernel that runs untrusted code goes into a
``sandbox`` before (``confine``, made of the calls in ``linux``); ``isolation`` finds by a ``trial``
how much of one a machine has, and SANDBOX.md says what it holds. The folder ``python3`` holds the
kernel specification of a learner's JupyterLab.
"""

import sys

KERNEL = "ipykernel_launcher"
CAN_FORK = sys.platform == "linux"  # elsewhere system libraries do not survive it
PRELOADED = ("numpy", "matplotlib.pyplot", "tensorflow", "keras")
IDLE = 900.0  # seconds until a parent ends that nobody asks
