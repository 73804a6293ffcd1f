"""A small set in Fashion-MNIST's format, and a web server that sends it well or badly."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from utils import data

ROOT = Path(__file__).parents[1]
NOWHERE = "http://127.0.0.1:1/"  # nobody listens there
ENVIRONMENT = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "COURSE_DATA_URL": NOWHERE}
SIZES = {"train": 300, "test": 100}  # enough for a download to be caught in its middle


def _small_set() -> tuple[dict[str, data.IdxFile], dict[str, bytes]]:
    files, content = {}, {}
    numbers = np.random.RandomState(1)
    for part, file in data.FILES.items():
        shape = (SIZES[part.split("_")[0]], *file.shape[1:])
        top = 10 if part.endswith("labels") else 256
        small = data.IdxFile(file.name, shape, "")
        body = small.header + bytes(numbers.randint(0, top, math.prod(shape)).tolist())
        blob = b"blob %d\0" % len(body) + body
        files[part] = small._replace(sha1=hashlib.sha1(blob).hexdigest())
        content[part] = body
    return files, content


SMALL_FILES, CONTENT = _small_set()
PACKED = {SMALL_FILES[part].name: gzip.compress(body, mtime=0) for part, body in CONTENT.items()}
# What a process changes in utils.data to work with the small set, and without long waits.
SMALL_COURSE = {
    "FILES": SMALL_FILES,
    "PAUSES": (0.0, 0.0, 0.0),
    "KNOCK_SECONDS": 2.0,
    "STALL_SECONDS": 1.0,
}

Answer = Callable[[BaseHTTPRequestHandler, bytes], None]


def send(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    """Answer as a server should."""
    promise(handler, len(body))
    handler.wfile.write(body)


def send_wrong(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    """Answer with the page of a hotel's network."""
    send(handler, b"<html>Please log in</html>")


def send_half(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    """Send a file that somebody has cut in two, and call it whole."""
    send(handler, body[: len(body) // 2])


def hang_up(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    """Promise the whole file, send half of it and close the connection."""
    promise(handler, len(body))
    handler.wfile.write(body[: len(body) // 2])


def refuse(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    """Answer that there is no such file."""
    handler.send_error(404)


def be_busy(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    """Answer that the service is unavailable at the moment."""
    handler.send_error(503)


def send_slowly(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    """Send the file in eight pieces, within a fifth of a second."""
    promise(handler, len(body))
    step = len(body) // 7
    for start in range(0, len(body), step):
        handler.wfile.write(body[start : start + step])
        time.sleep(0.025)


def promise(handler: BaseHTTPRequestHandler, length: int) -> None:
    """Send the head of an answer of ``length`` bytes."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(length))
    handler.end_headers()


class Server(ThreadingHTTPServer):
    """Serves PACKED; ``answers[name]`` are the ways to send a file, the last one for ever."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, list[Answer]] = {name: [send] for name in PACKED}
        self.downloads: list[str] = []
        self.closing = threading.Event()
        self._turn = threading.Lock()

    @property
    def url(self) -> str:
        """The address to give to COURSE_DATA_URL."""
        return f"http://127.0.0.1:{self.server_address[1]}/"

    def next_answer(self, name: str) -> Answer:
        """Note a download and return how it is to be answered."""
        with self._turn:
            self.downloads.append(name)
            answers = self.answers[name]
            return answers.pop(0) if len(answers) > 1 else answers[0]

    def stall(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        """Send half of the file and then nothing, with the connection open."""
        promise(handler, len(body))
        handler.wfile.write(body[: len(body) // 2])
        self.closing.wait()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing about clients that went away: tests kill them."""


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_HEAD(self) -> None:
        promise(self, 0)

    def do_GET(self) -> None:
        name = self.path.rsplit("/", 1)[1]
        self.server.next_answer(name)(self, PACKED[name])

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    """Run a server for the length of a ``with`` block."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


def small_course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, filled: bool) -> Path:
    """Make the course take the small set for Fashion-MNIST, and keep it to itself in ``tmp_path``.

    Nothing can be downloaded until a test sets COURSE_DATA_URL. Return the cache's folder, which
    holds the four files if ``filled``.
    """
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("COURSE_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    for name, value in (*SMALL_COURSE.items(), ("_said", set()), ("_source", None)):
        monkeypatch.setattr(data, name, value)
    folder = tmp_path / "keras" / "datasets" / "fashion-mnist"
    if filled:
        fill(folder)
    return folder


def fill(folder: Path) -> None:
    """Put the four sound files into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, packed in PACKED.items():
        (folder / name).write_bytes(packed)


def start_loading(folder: Path, url: str, *, small: bool = True) -> subprocess.Popen[str]:
    """Load in a process of its own, which prints the source and a digest of what it got.

    ``folder`` holds its cache, as in ``small_course``. With ``small=False`` it is after the real
    Fashion-MNIST and has the time-outs that a learner has.
    """
    code = LOADER if small else LOADER.replace("imitate()", "pass")
    environment = {
        **{name: value for name, value in os.environ.items() if name != "COURSE_DATA"},
        **ENVIRONMENT,
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), str(ROOT)]),
        "KERAS_HOME": str(folder / "keras"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "LOCALAPPDATA": str(folder / "cache"),
        "COURSE_DATA_URL": url,
    }
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def imitate() -> None:
    """Make the course in this process take the small set for Fashion-MNIST."""
    for name, value in SMALL_COURSE.items():
        setattr(data, name, value)
    data.STALL_SECONDS = 60.0


def digest(fashion: data.FashionMNIST) -> str:
    """Return a number for all images and labels."""
    return hashlib.sha256(b"".join(array.tobytes() for array in fashion[:4])).hexdigest()


LOADER = """
from data_server import digest, imitate
from utils import data
imitate()
fashion = data.load_fashion_mnist()
print(fashion.source, digest(fashion), sep="|")
"""
