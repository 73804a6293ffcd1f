"""Fashion-MNIST for the lessons: from Keras's cache, by download, or drawn as a stand-in.

Two environment variables choose (a third, ``KERAS_HOME``, is Keras's own and moves its cache):

``COURSE_DATA``      ``auto`` (or unset): cache, else download, else stand-in;
                     ``real``: never the stand-in; ``stand-in``: nothing else
``COURSE_DATA_URL``  the address of a mirror that holds the four files
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import math
import operator
import os
import secrets
import struct
import sys
import tempfile
import threading
import time
import types
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np

from utils.errors import CourseError
from utils.standin import draw_stand_in

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
REAL, STAND_IN = "Fashion-MNIST", "stand-in"

DATA_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"  # where Keras looks too
KNOCK_SECONDS = 3.0  # how long a server may take to show that it is there at all
STALL_SECONDS = 15.0  # how long a download may stand still
PAUSES = (0.0, 1.0, 3.0)  # seconds before each attempt at a download
MEMORY = "_fashion_mnist"  # the module, made by `read_beforehand`, of files that have been read
LEFTOVER_SECONDS = 3600.0  # a half-written file that nobody has touched for so long is nobody's


class IdxFile(NamedTuple):
    """One of the four files: its name, its array's shape, the git blob SHA-1 of its content."""

    name: str
    shape: tuple[int, ...]
    sha1: str

    @property
    def header(self) -> bytes:
        """The content's first bytes: the magic number of unsigned bytes, then the shape."""
        return struct.pack(f">{1 + len(self.shape)}I", 0x800 + len(self.shape), *self.shape)

    @property
    def size(self) -> int:
        """The content's length in bytes, uncompressed."""
        return len(self.header) + math.prod(self.shape)


# The hashes are those of the files that Zalando published, without compression.
FILES = {
    "train_labels": IdxFile(
        "train-labels-idx1-ubyte.gz", (60_000,), "30424ca2ea876655f5bba14f9f07132769687975"
    ),
    "train_images": IdxFile(
        "train-images-idx3-ubyte.gz", (60_000, 28, 28), "ff2f5a96367a3c1656f09c93649f07143ff8b11e"
    ),
    "test_labels": IdxFile(
        "t10k-labels-idx1-ubyte.gz", (10_000,), "2195a4d0957e013db98d03e51697e2315816cce2"
    ),
    "test_images": IdxFile(
        "t10k-images-idx3-ubyte.gz", (10_000, 28, 28), "37bac79bc6f002d965f363e0b20514904504a4d9"
    ),
}


class FashionMNIST(NamedTuple):
    """Grey images with their labels, in two sets, and where they come from.

    Images are uint8 (n, 28, 28) from 0 (black) to 255 (white), labels uint8 (n,) from 0 to 9: a
    label is an index into ``class_names``. ``source`` is "Fashion-MNIST" or "stand-in".
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    class_names: tuple[str, ...]
    source: str

    def __repr__(self) -> str:
        drawn = " (garments drawn by code, not the real set)" if self.source == STAND_IN else ""
        return (
            f"{self.source}{drawn}: {len(self.train_images):,} training and"
            f" {len(self.test_images):,} test images of 28x28 grey pixels (uint8, 0 to 255),"
            f" each with a label from 0 ({self.class_names[0]}) to 9 ({self.class_names[9]})"
        )


class _Damaged(Exception):
    """A file that is there and is not what it should be; says what was expected and found."""


class _Unavailable(Exception):
    """A download that cannot be had; the message completes a sentence after "because"."""


_source: str | None = None
_said: set[str] = set()


def load_fashion_mnist(train_size: int | None = None, test_size: int | None = None) -> FashionMNIST:
    """Return the first ``train_size`` training and ``test_size`` test items (default: all).

    The real set is taken from Keras's cache or downloaded into it, and never used unless each
    file has the published hash. Where it cannot be had, the stand-in takes its place and a
    printed sentence says so, unless ``COURSE_DATA`` says otherwise.

    Raises:
        CourseError: a size is not a whole number from 1 to 60,000 (10,000); a cached file is
            damaged and cannot be replaced; ``COURSE_DATA`` is unknown, or is "real" and the
            real set cannot be had.
    """
    global _source
    train = _check_size("train_size", train_size, FILES["train_labels"].shape[0])
    test = _check_size("test_size", test_size, FILES["test_labels"].shape[0])
    choice = os.environ.get("COURSE_DATA") or "auto"
    if choice not in ("auto", "real", STAND_IN):
        raise CourseError(
            f'COURSE_DATA is {choice!r}: set it to "auto", "real" or "stand-in", or remove it.'
        )
    content = None
    if choice != STAND_IN:
        try:
            content = _real_content()
        except _Unavailable as reason:
            if choice == "real":
                raise CourseError(
                    "COURSE_DATA=real asks for the real Fashion-MNIST, which cannot be had because"
                    f" {reason}: connect to the network and run this again, or set COURSE_DATA=auto"
                    " to go on with the stand-in."
                ) from None
            _say_once(
                f"Fashion-MNIST cannot be had because {reason}, so what you see here is the"
                " stand-in: ten kinds of garments drawn by code."
            )
    if content is None:
        _source = STAND_IN
        arrays = [*draw_stand_in("train", train), *draw_stand_in("test", test)]
    else:
        _source = REAL
        arrays = [
            np.frombuffer(content[part], np.uint8, offset=len(file.header))
            .reshape(file.shape)[: train if part.startswith("train") else test]
            .copy()
            for part, file in FILES.items()
        ]
    train_labels, train_images, test_labels, test_images = arrays
    return FashionMNIST(train_images, train_labels, test_images, test_labels, CLASS_NAMES, _source)


def data_source() -> str | None:
    """Return "Fashion-MNIST" or "stand-in", whichever was loaded last here; None before that."""
    return _source


def read_beforehand(cache: str | None) -> None:
    """Verify the files in a Keras cache and keep them in memory for the forks of this process.

    There they are not read again as long as they do not change. Takes 55 MB; does nothing where
    files are missing or damaged, and nothing twice.

    Args:
        cache: what ``KERAS_HOME`` will be.
    """
    memory = sys.modules.setdefault(MEMORY, types.ModuleType(MEMORY))
    for file in FILES.values():
        path = _folder(cache) / file.name
        with contextlib.suppress(OSError, _Damaged):
            key = _identity(path, file)
            vars(memory)[key] = _read(path, file)


def _identity(path: Path, file: IdxFile) -> str:
    """Return what is another text when ``path`` is another file, has changed or should differ."""
    facts = path.stat()
    return " ".join(
        map(str, (file.sha1, facts.st_dev, facts.st_ino, facts.st_size, facts.st_ctime_ns))
    )


def _check_size(name: str, size: Any, largest: int) -> int:
    if size is None:
        return largest
    try:
        count = 0 if isinstance(size, bool) else operator.index(size)
    except TypeError:
        count = 0
    if not 1 <= count <= largest:
        raise CourseError(
            f"{name} = {size!r} should be a whole number of images from 1 to {largest},"
            " or left out for all of them."
        )
    return count


def _say_once(sentence: str) -> None:
    if sentence not in _said:
        _said.add(sentence)
        print(sentence, flush=True)


def _real_content() -> dict[str, bytes]:
    """Return the verified content of the four files; download what is missing or damaged."""
    found = {part: _find(file) for part, file in FILES.items()}
    content = {part: sound for part, (sound, _) in found.items() if sound is not None}
    lacking = [part for part in FILES if part not in content]
    damage = [problem for part in lacking for problem in found[part][1]]
    try:
        if lacking:
            _knock(_address(FILES[lacking[0]]))
        for part in lacking:
            content[part] = _download(FILES[part])
    except _Unavailable as reason:
        if not damage:
            raise
        raise CourseError(
            f"{'; '.join(damage)}; no sound copy can be downloaded because {reason}:"
            " connect to the network and run this again, or delete what is damaged."
        ) from None
    for _, problems in found.values():
        for problem in problems:
            _say_once(f"{problem}; a sound copy is used in its place.")
    return content


def _folders() -> Iterator[Path]:
    """Yield where the files may lie: Keras's cache, then ours, should that be closed to us."""
    yield _folder(os.environ.get("KERAS_HOME"))
    pooch = _pooch()

    yield Path(pooch.os_cache("tape-to-mlp")).expanduser()


def _folder(cache: str | None) -> Path:
    return Path(cache or "~/.keras").expanduser() / "datasets/fashion-mnist"


def _pooch() -> Any:
    """Import pooch when it is needed; tqdm's advice to install widgets is not for learners."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="IProgress not found")
        import pooch
    return pooch


def _find(file: IdxFile) -> tuple[bytes | None, list[str]]:
    """Return the content of the first sound copy, if any, and what is wrong with earlier ones."""
    problems: list[str] = []
    for folder in _folders():
        path = folder / file.name
        try:
            return _read(path, file), problems
        except (FileNotFoundError, NotADirectoryError):
            continue
        except _Damaged as damage:
            problems.append(f"{path} is damaged ({damage})")
    return None, problems


def _read(path: Path, file: IdxFile) -> bytes:
    """Return the uncompressed content of ``path`` once its hash is the published one.

    Raises:
        FileNotFoundError, NotADirectoryError: there is no such file.
        _Damaged: there is, and it is something else.
    """
    try:
        if path.is_dir():
            raise _Damaged("expected a file, found a folder")
        if (memory := sys.modules.get(MEMORY)) and (
            known := vars(memory).get(_identity(path, file))
        ):
            return bytes(known)
        with gzip.open(path) as stream:
            content = stream.read(1 + max(known.size for known in FILES.values()))
    except (FileNotFoundError, NotADirectoryError):
        raise
    except EOFError:
        raise _Damaged(
            f"expected {file.size:,} bytes of content,"
            f" found a compressed file that breaks off after {path.stat().st_size:,} bytes"
        ) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise _Damaged(
            f"expected a whole gzip file, found one that does not unpack: {error}"
        ) from None
    except OSError as error:
        raise _Damaged(
            f"expected a file that can be read, found an error: {error.strerror or error}"
        ) from None
    if _git_sha1(content) != file.sha1:
        raise _Damaged(_difference(content, file))
    return content


def _git_sha1(content: bytes) -> str:
    """Return the SHA-1 that git gives a file with this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _difference(content: bytes, file: IdxFile) -> str:
    """Say how content with the wrong hash differs from the file that it should be."""
    sha1 = _git_sha1(content)
    for other in FILES.values():
        if sha1 == other.sha1:
            return f"expected the content of {file.name}, found that of {other.name}"
    if not content:
        return f"expected {file.size:,} bytes of content, found none"
    if content[:4] != file.header[:4]:
        return f"expected the magic number {file.header[:4].hex()}, found {content[:4].hex()}"
    if len(content) != file.size:
        longest = max(known.size for known in FILES.values())
        found = f"{len(content):,}" if len(content) <= longest else "more"
        return f"expected {file.size:,} bytes of content, found {found}"
    if content[: len(file.header)] != file.header:
        shape = struct.unpack(f">{len(file.shape)}I", content[4 : len(file.header)])
        return f"expected the shape {file.shape}, found {shape}"
    return f"expected the SHA-1 {file.sha1}, found {sha1}"


def _address(file: IdxFile) -> str:
    return (os.environ.get("COURSE_DATA_URL") or DATA_URL).rstrip("/") + "/" + file.name


def _knock(url: str) -> None:
    """Raise _Unavailable within KNOCK_SECONDS unless something answers at ``url``.

    A look-up of the name and a connection to each of its addresses have time-outs of their own
    that add up to minutes behind a firewall that drops packets; hence the thread.
    """
    pooch = _pooch()

    outcome: list[OSError | None] = []

    def knock() -> None:
        try:
            pooch.HTTPDownloader(timeout=KNOCK_SECONDS)(url, None, None, check_only=True)
            outcome.append(None)
        except OSError as error:
            outcome.append(error)

    thread = threading.Thread(target=knock, daemon=True)
    thread.start()
    thread.join(KNOCK_SECONDS)
    if outcome != [None]:
        raise _Unavailable(f"{urlsplit(url).hostname} cannot be reached")


def _download(file: IdxFile) -> bytes:
    """Fetch one file, verify it, and put it where later runs find it; return its content.

    It is written under a name of its own and takes the place of an old file in one step, so a
    killed process and processes that do the same at the same time leave sound files behind.
    """
    url = _address(file)
    for pause in PAUSES:
        time.sleep(pause)
        temporary, kept = _temporary(file)
        try:
            _fetch(url, temporary)
            content = _read(temporary, file)
            if kept:
                _keep(temporary, temporary.parent / file.name)
            return content
        except (OSError, _Damaged) as error:
            reason = _words(error, str(urlsplit(url).hostname), file)
            if 400 <= (_status(error) or 0) < 500:
                break  # the server has understood, and will not
        finally:
            temporary.unlink(missing_ok=True)
    raise _Unavailable(reason)


def _temporary(file: IdxFile) -> tuple[Path, bool]:
    """Create an empty file beside the place where ``file`` will be kept; False: kept nowhere."""
    for folder in _folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"{file.name}.{secrets.token_hex(4)}.part"
            path.touch(exist_ok=False)
        except OSError as error:
            _say_once(
                f"{folder} cannot be written to ({error.strerror}),"
                " so Fashion-MNIST is not kept there."
            )
            continue
        _sweep(folder)
        return path, True
    handle, name = tempfile.mkstemp(suffix=".part")
    os.close(handle)
    return Path(name), False


def _sweep(folder: Path) -> None:
    """Remove what killed processes have left half-written."""
    for path in folder.glob("*.gz.*.part"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > LEFTOVER_SECONDS:
                path.unlink()


def _fetch(url: str, path: Path) -> None:
    """Download ``url`` into ``path`` with a progress bar on standard output.

    Raises:
        OSError: the server refuses, breaks off or stands still, or the disk is full.
    """
    pooch = _pooch()
    from tqdm import tqdm

    bar = tqdm(
        desc=url.rsplit("/", 1)[1],
        total=1,  # until pooch knows better; a bar without a total counts as no bar
        unit="B",
        unit_scale=True,
        ncols=79,
        leave=False,
        file=sys.stdout,
    )
    with bar:
        fetch = pooch.HTTPDownloader(
            progressbar=bar,
            chunk_size=65_536,
            timeout=(KNOCK_SECONDS, STALL_SECONDS),
            headers={"Accept-Encoding": "identity"},  # the file as it is stored, still compressed
        )
        fetch(url, path, None)


def _keep(temporary: Path, path: Path) -> None:
    """Put a verified file in place. Its content is in memory, so failing to is no disaster."""
    try:
        os.replace(temporary, path)
    except OSError as error:
        _say_once(f"{path} could not be replaced ({error.strerror}); the next run downloads again.")


def _words(error: Exception, server: str, file: IdxFile) -> str:
    """Say what went wrong with a download, to follow "because"."""
    if isinstance(error, _Damaged):
        return f"{server} sent something else as {file.name} ({error})"
    status = _status(error)
    if status is not None:
        return f"{server} answered with HTTP status {status} for {file.name}"
    if isinstance(error, OSError) and error.errno is not None and not hasattr(error, "response"):
        return f"{file.name} cannot be stored ({error.strerror})"
    return f"{server} broke off or stood still while sending {file.name}"


def _status(error: Exception) -> int | None:
    """Return the HTTP status that a server answered with, if that was the trouble."""
    return getattr(getattr(error, "response", None), "status_code", None)
