"""Messages between the judge and the process in which a learner's code runs."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

MOST = 16_000_000  # bytes of a message
MOST_NUMBERS = 1_000_000  # of what is told in few words, as a range is, and not number by number
HEAD = struct.Struct("!I")

Message = dict[str, Any]


class LineDown(BaseException):
    """The process at the other end is gone, or sends what is no message.

    No ``except Exception`` of a check may take it for an error in the learner's code.
    """


class Line:
    """A connected stream socket over which JSON objects go, each after its length."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = bytearray()  # outlives an exception, such as that of a time limit

    def send(self, message: Message) -> None:
        """Send a message.

        Raises:
            ValueError: it is too long, or not JSON.
            LineDown: nobody is there.
        """
        data = json.dumps(message).encode()
        if len(data) > MOST:
            raise ValueError(f"a message of {len(data):,} bytes is too long")
        try:
            self._connection.sendall(HEAD.pack(len(data)) + data)
        except OSError as error:
            raise LineDown(str(error)) from error

    def receive(self) -> Message:
        """Wait for the next message.

        Raises:
            LineDown: nobody is there, or what came is no message.
        """
        (length,) = HEAD.unpack(self._take(HEAD.size, keep=True))
        if length > MOST:
            raise LineDown(f"a message of {length:,} bytes was announced")
        data = self._take(HEAD.size + length)[HEAD.size :]
        try:
            message = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise LineDown("what came is no JSON") from error
        if not isinstance(message, dict):
            raise LineDown("what came is no message")
        return message

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _take(self, count: int, *, keep: bool = False) -> bytes:
        while len(self._received) < count:
            try:
                part = self._connection.recv(1 << 20)
            except OSError as error:
                raise LineDown(str(error)) from error
            if not part:
                raise LineDown("the other end has hung up")
            self._received += part
        taken = bytes(self._received[:count])
        if not keep:
            del self._received[:count]
        return taken
