"""Clients that know at once that a kernel is ready.

Jupyter's own go on waiting then, until it has been silent for 0.2 s.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import nbformat
import zmq
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.client import KernelClient
from jupyter_client.utils import run_sync

PATIENCE = 1.0  # seconds for an answer, before it is asked again
PUBLISHED = 0.2  # seconds after its answer within which it publishes that it has given it

# What comes of reading a message that is none.
ODD = (LookupError, TypeError, ValueError, AttributeError, nbformat.ValidationError)


async def _wait_for_ready(client: KernelClient, timeout: float | None = None) -> None:
    """Wait until the kernel has answered and what it publishes arrives.

    Raises:
        RuntimeError: when the kernel dies, or does not answer for ``timeout`` seconds.
    """
    end = time.monotonic() + (float("inf") if timeout is None else timeout)
    while await client._async_is_alive():
        request = client.kernel_info()
        if _hears(client, client.shell_channel.socket, request, PATIENCE) and _hears(
            client, client.iopub_channel.socket, request, PUBLISHED
        ):
            return
        if time.monotonic() > end:
            raise RuntimeError("it does not answer")
    raise RuntimeError("it died at its start")


def _hears(client: KernelClient, socket: Any, request: str, seconds: float) -> bool:
    """Tell whether a reply to ``request``, or word that it is done with, comes in so many s."""
    # The same socket, also if it is an asynchronous one.
    blocking: zmq.Socket[bytes] = zmq.Socket.shadow(socket.underlying)
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if not blocking.poll(int(1000 * left) + 1):
            return False
        with suppress(*ODD):
            _, message = client.session.recv(blocking)
            content = message["content"]
            if answered(message) == request and content.get("execution_state", "idle") == "idle":
                return True
    return False


def answered(message: Mapping[str, Any]) -> str | None:
    """Return which request a message belongs to, if it says so."""
    with suppress(*ODD):
        return str(message["parent_header"]["msg_id"])
    return None


class PromptClient(AsyncKernelClient):
    """An asynchronous client, for a manager's ``client_factory``."""

    wait_for_ready = _wait_for_ready


class PromptBlockingClient(BlockingKernelClient):
    """A blocking client, for a manager's ``client_factory``."""

    wait_for_ready = run_sync(_wait_for_ready)
