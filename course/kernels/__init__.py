"""Kernels that start warm: forked from a parent that has TensorFlow in memory already.

A Jupyter client meets them as a kernel provisioner (``provisioner``). It asks (``asking``) the
parent (``parent``) that fits its interpreter and environment (``fitting``) for a fork, and the fork
turns into the kernel that was asked for (``forked``). The folder ``python3`` holds the kernel
specification of a learner's JupyterLab.
"""

import sys

KERNEL = "ipykernel_launcher"
CAN_FORK = sys.platform == "linux"  # elsewhere system libraries do not survive it
PRELOADED = ("numpy", "matplotlib.pyplot", "tensorflow", "keras")
IDLE = 900.0  # seconds until a parent ends that nobody asks
