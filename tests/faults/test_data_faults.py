"""Tests of utils.data where something is wrong: files, network, disk, other processes."""

from __future__ import annotations

import gzip
import os
import re
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from data_server import (
    CONTENT,
    NOWHERE,
    PACKED,
    SMALL_FILES,
    Server,
    be_busy,
    fill,
    hang_up,
    refuse,
    send,
    send_half,
    send_wrong,
    serving,
    small_course,
    start_loading,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from utils import data
from utils.data import data_source, load_fashion_mnist
from utils.errors import CourseError

Text = pytest.CaptureFixture[str]
LABELS = SMALL_FILES["train_labels"].name
IMAGES = SMALL_FILES["train_images"].name


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sound cache of a small set, and no network."""
    return small_course(tmp_path, monkeypatch, filled=True)


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No cache and no network."""
    return small_course(tmp_path, monkeypatch, filled=False)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A network with a server that has the set; a test may spoil its answers."""
    with serving() as running:
        monkeypatch.setenv("COURSE_DATA_URL", running.url)
        yield running


def is_whole(fashion: data.FashionMNIST) -> bool:
    """Tell whether this is the real (small) set, to the last byte."""
    parts = ("train_images", "train_labels", "test_images", "test_labels")
    return fashion.source == "Fashion-MNIST" and all(
        array.tobytes() == CONTENT[part][len(SMALL_FILES[part].header) :]
        for array, part in zip(fashion[:4], parts, strict=True)
    )


def is_sound(folder: Path) -> bool:
    """Tell whether ``folder`` holds the four files as they should be, and nothing else."""
    return {path.name: path.read_bytes() for path in folder.iterdir()} == PACKED


def other_magic(content: bytes) -> bytes:
    return struct.pack(">I", 0x0D03) + content[4:]


def other_shape(content: bytes) -> bytes:
    return content[:4] + struct.pack(">I", 59) + content[8:]


def other_pixel(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def repacked(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    return lambda packed: gzip.compress(change(gzip.decompress(packed)))


# What is done to a packed file, and what the message must say about it.
DAMAGE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "truncated": (lambda packed: packed[: len(packed) // 2], r"bytes .* breaks off after"),
    "truncated by one byte": (lambda packed: packed[:-1], r"breaks off after"),
    "truncated in its first bytes": (lambda packed: packed[:5], r"breaks off after 5 bytes"),
    "too short": (repacked(lambda content: content[:-7]), r"expected [\d,]+ bytes .* found [\d,]+"),
    "too long": (
        repacked(lambda content: content + b"\0"),
        r"expected [\d,]+ bytes .* found [\d,]+|more",
    ),
    "wrong magic number": (repacked(other_magic), r"magic number 0000080[13], found 00000d03"),
    "wrong shape": (repacked(other_shape), r"expected the shape \([13]00.* found \(59"),
    "one wrong pixel": (repacked(other_pixel), r"expected the SHA-1 \w{40}, found \w{40}"),
    "empty": (lambda packed: b"", r"expected [\d,]+ bytes .* found none"),
    "packed nothing": (lambda packed: gzip.compress(b""), r"found none"),
    "a web page": (lambda packed: b"<html>Please log in</html>", r"gzip .* does not unpack"),
    "unpacked": (gzip.decompress, r"gzip .* does not unpack"),
    "zeros in the middle": (
        lambda packed: packed[:40] + bytes(20) + packed[60:],
        r"expected .* found",
    ),
}


@pytest.mark.parametrize("part", SMALL_FILES)
@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_file_is_named_and_never_trained_on(
    cache: Path, kind: str, part: str, capsys: Text
) -> None:
    spoil, words = DAMAGE[kind]
    path = cache / SMALL_FILES[part].name
    path.write_bytes(spoil(path.read_bytes()))
    spoilt = path.read_bytes()
    with pytest.raises(CourseError) as caught:
        load_fashion_mnist()
    message = str(caught.value)
    assert f"{path} is damaged" in message
    assert re.search(words, message), message
    assert "127.0.0.1 cannot be reached" in message
    assert data_source() is None, "nothing was loaded, not even the stand-in"
    assert capsys.readouterr().out == ""
    assert path.read_bytes() == spoilt, "without a better one the old file stays"


@pytest.mark.parametrize("part", SMALL_FILES)
@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_file_is_replaced_when_a_download_works(
    cache: Path, server: Server, kind: str, part: str, capsys: Text
) -> None:
    path = cache / SMALL_FILES[part].name
    path.write_bytes(DAMAGE[kind][0](path.read_bytes()))
    assert is_whole(load_fashion_mnist())
    assert is_sound(cache)
    assert server.downloads == [path.name], "only what is damaged is downloaded"
    assert f"{path} is damaged (expected" in capsys.readouterr().out


@pytest.mark.parametrize("part", SMALL_FILES)
@pytest.mark.parametrize("other", SMALL_FILES)
def test_a_swapped_file_is_named_with_the_one_it_is(cache: Path, part: str, other: str) -> None:
    if part == other:
        assert is_whole(load_fashion_mnist())
        return
    name, found = SMALL_FILES[part].name, SMALL_FILES[other].name
    (cache / name).write_bytes(PACKED[found])
    with pytest.raises(CourseError) as caught:
        load_fashion_mnist()
    assert f"expected the content of {name}, found that of {found}" in str(caught.value)


def test_all_damaged_files_are_named_at_once(cache: Path) -> None:
    for name in (LABELS, IMAGES):
        (cache / name).write_bytes(b"")
    with pytest.raises(CourseError) as caught:
        load_fashion_mnist()
    assert LABELS in str(caught.value)
    assert IMAGES in str(caught.value)


def test_a_damaged_file_beside_a_missing_one_is_still_an_error(cache: Path) -> None:
    (cache / LABELS).unlink()
    (cache / IMAGES).write_bytes(b"")
    with pytest.raises(CourseError, match=IMAGES):
        load_fashion_mnist()


def test_a_wrong_download_never_replaces_a_damaged_file(cache: Path, server: Server) -> None:
    (cache / IMAGES).write_bytes(b"old and damaged")
    server.answers[IMAGES] = [send_wrong]
    with pytest.raises(CourseError) as caught:
        load_fashion_mnist()
    assert "sent something else" in str(caught.value)
    assert (cache / IMAGES).read_bytes() == b"old and damaged"
    assert len(list(cache.iterdir())) == 4, "no temporary file is left"


def test_the_stand_in_by_choice_does_not_look_at_damaged_files(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (cache / IMAGES).write_bytes(b"")
    monkeypatch.setenv("COURSE_DATA", "stand-in")
    assert load_fashion_mnist().source == "stand-in"


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.sampled_from(sorted(PACKED)), st.data())
def test_no_change_of_bytes_gets_past_the_check(
    cache: Path, name: str, draw: st.DataObject
) -> None:
    packed = PACKED[name]
    at = draw.draw(st.integers(0, len(packed) - 1))
    spoilt = (
        packed[:at]
        + draw.draw(st.binary(max_size=30))
        + packed[at + draw.draw(st.integers(0, 30)) :]
    )
    fill(cache)
    (cache / name).write_bytes(spoilt)
    try:
        fashion = load_fashion_mnist()
    except CourseError as error:
        assert f"{cache / name} is damaged (expected " in str(error)
    else:
        assert is_whole(fashion), "the content was the same, and perhaps its packing differed"


def test_a_folder_in_a_files_place_is_named(cache: Path) -> None:
    (cache / IMAGES).unlink()
    (cache / IMAGES).mkdir()
    with pytest.raises(CourseError, match="expected a file, found a folder"):
        load_fashion_mnist()


def test_a_folder_in_a_files_place_cannot_be_replaced_and_the_download_is_used(
    cache: Path, server: Server, capsys: Text
) -> None:
    (cache / IMAGES).unlink()
    (cache / IMAGES).mkdir()
    assert is_whole(load_fashion_mnist())
    assert f"{cache / IMAGES} could not be replaced" in capsys.readouterr().out
    assert len(list(cache.iterdir())) == 4


def test_a_file_that_may_not_be_read_is_named(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_open = gzip.open

    def forbidden(path: Path, *rest: str) -> object:
        if path == cache / IMAGES:
            raise PermissionError(13, "Permission denied")
        return real_open(path, *rest)

    monkeypatch.setattr(data.gzip, "open", forbidden)
    with pytest.raises(CourseError) as caught:
        load_fashion_mnist()
    assert f"{cache / IMAGES} is damaged" in str(caught.value)
    assert "Permission denied" in str(caught.value)


def test_a_file_without_read_permission_is_named_and_replaced(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (cache / IMAGES).chmod(0)
    if os.access(cache / IMAGES, os.R_OK):
        pytest.skip("permissions do not hold this user back")
    with pytest.raises(CourseError, match="Permission denied"):
        load_fashion_mnist()
    with serving() as server:
        monkeypatch.setenv("COURSE_DATA_URL", server.url)
        assert is_whole(load_fashion_mnist())
    assert is_sound(cache)


def test_a_full_cache_that_may_only_be_read_is_enough(cache: Path, capsys: Text) -> None:
    cache.chmod(0o555)
    if os.access(cache, os.W_OK):
        pytest.skip("permissions do not hold this user back")
    try:
        assert is_whole(load_fashion_mnist())
    finally:
        cache.chmod(0o755)
    assert capsys.readouterr().out == ""


def test_a_damaged_file_in_a_cache_that_may_only_be_read_is_replaced_elsewhere(
    cache: Path, server: Server, capsys: Text
) -> None:
    (cache / IMAGES).write_bytes(b"")
    cache.chmod(0o555)
    if os.access(cache, os.W_OK):
        pytest.skip("permissions do not hold this user back")
    try:
        assert is_whole(load_fashion_mnist())
        assert is_whole(load_fashion_mnist())
    finally:
        cache.chmod(0o755)
    assert server.downloads == [IMAGES], "the second time it was found where it had been kept"
    said = capsys.readouterr().out
    assert f"{cache} cannot be written to (Permission denied)" in said
    assert f"{cache / IMAGES} is damaged" in said


def test_where_keras_home_cannot_be_written_the_set_is_kept_elsewhere_and_that_is_said(
    empty_cache: Path,
    tmp_path: Path,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Text,
) -> None:
    (tmp_path / "a_file").touch()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "a_file"))
    assert is_whole(load_fashion_mnist())
    assert "a_file" in (said := capsys.readouterr().out)
    assert said.count("cannot be written to") == 1
    assert is_whole(load_fashion_mnist())
    assert len(server.downloads) == 4, "the second time it was found where it had been kept"


def test_where_nothing_can_be_written_the_download_is_used_once(
    empty_cache: Path,
    tmp_path: Path,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Text,
) -> None:
    (tmp_path / "a_file").touch()
    for name in ("KERAS_HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "a_file"))
    assert is_whole(load_fashion_mnist())
    assert capsys.readouterr().out.count("cannot be written to") == 2


def test_a_full_disk_is_named(
    empty_cache: Path, server: Server, monkeypatch: pytest.MonkeyPatch, capsys: Text
) -> None:
    def full(url: str, path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(data, "_fetch", full)
    assert load_fashion_mnist().source == "stand-in"
    assert "cannot be stored (No space left on device)" in capsys.readouterr().out
    assert list(empty_cache.iterdir()) == []


def test_an_empty_cache_is_filled_by_download(empty_cache: Path, server: Server) -> None:
    assert is_whole(load_fashion_mnist())
    assert is_sound(empty_cache)
    assert sorted(server.downloads) == sorted(PACKED)


def test_only_a_missing_file_is_downloaded(cache: Path, server: Server) -> None:
    (cache / LABELS).unlink()
    assert is_whole(load_fashion_mnist())
    assert is_sound(cache)
    assert server.downloads == [LABELS]


@pytest.mark.parametrize("answer", [be_busy, hang_up, send_half, send_wrong])
def test_a_download_that_fails_once_or_twice_is_tried_again(
    empty_cache: Path, server: Server, answer: Callable[[BaseHTTPRequestHandler, bytes], None]
) -> None:
    server.answers[IMAGES] = [answer, answer, send]
    assert is_whole(load_fashion_mnist())
    assert is_sound(empty_cache)
    assert server.downloads.count(IMAGES) == 3


def test_a_download_that_stands_still_is_given_up_and_tried_again(
    empty_cache: Path, server: Server
) -> None:
    server.answers[IMAGES] = [server.stall, send]
    start = time.perf_counter()
    assert is_whole(load_fashion_mnist())
    assert time.perf_counter() - start < 10
    assert is_sound(empty_cache)


@pytest.mark.parametrize(
    ("answer", "words", "attempts"),
    [
        (be_busy, "HTTP status 503", 3),
        (refuse, "HTTP status 404", 1),
        (hang_up, "broke off or stood still", 3),
        (send_half, r"sent something else .* breaks off", 3),
        (send_wrong, r"sent something else .* does not unpack", 3),
    ],
)
def test_a_download_that_keeps_failing_ends_in_the_stand_in_and_says_why(
    empty_cache: Path,
    server: Server,
    capsys: Text,
    answer: Callable[[BaseHTTPRequestHandler, bytes], None],
    words: str,
    attempts: int,
) -> None:
    server.answers[IMAGES] = [answer]
    assert load_fashion_mnist().source == "stand-in"
    said = capsys.readouterr().out
    assert re.search(words, said), said
    assert IMAGES in said
    assert "stand-in" in said
    assert server.downloads.count(IMAGES) == attempts
    assert not list(empty_cache.glob("*.part")), "no temporary file is left"
    assert not (empty_cache / IMAGES).exists()


def test_an_interrupted_download_leaves_no_temporary_file(
    empty_cache: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(url: str, path: Path) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(data, "_fetch", interrupt)
    with pytest.raises(KeyboardInterrupt):
        load_fashion_mnist()
    assert list(empty_cache.iterdir()) == []


def test_offline_with_an_empty_cache_the_stand_in_says_so_once(
    empty_cache: Path, capsys: Text
) -> None:
    assert load_fashion_mnist().source == data_source() == "stand-in"
    load_fashion_mnist()
    assert capsys.readouterr().out == (
        "Fashion-MNIST cannot be had because 127.0.0.1 cannot be reached, so what you see here"
        " is the stand-in: ten kinds of garments drawn by code.\n"
    )


def test_real_forbids_the_stand_in(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: Text
) -> None:
    monkeypatch.setenv("COURSE_DATA", "real")
    with pytest.raises(CourseError, match=r"COURSE_DATA=real .* 127\.0\.0\.1 cannot be reached"):
        load_fashion_mnist()
    assert data_source() is None
    assert capsys.readouterr().out == ""


def test_real_downloads_what_is_missing(
    empty_cache: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_DATA", "real")
    assert is_whole(load_fashion_mnist())


def seconds_offline(folder: Path, url: str) -> tuple[float, str]:
    start = time.perf_counter()
    process = start_loading(folder, url, small=False)
    said, _ = process.communicate(timeout=60)
    seconds = time.perf_counter() - start
    assert process.returncode == 0, said
    return seconds, said


def test_where_names_do_not_resolve_the_whole_stand_in_is_there_within_ten_seconds(
    tmp_path: Path,
) -> None:
    seconds, said = seconds_offline(tmp_path, "http://no-such-host.invalid/")
    print(f"{seconds:.2f} s from the start of Python")
    assert seconds < 10
    assert "no-such-host.invalid cannot be reached" in said
    assert "\nstand-in|" in said


def test_behind_a_silent_address_the_whole_stand_in_is_there_within_ten_seconds(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as black_hole:
        seconds, said = seconds_offline(
            tmp_path, f"http://127.0.0.1:{black_hole.getsockname()[1]}/"
        )
        black_hole.settimeout(0.2)
        knocks = 0
        try:
            while True:
                black_hole.accept()[0].close()
                knocks += 1
        except TimeoutError:
            pass
    print(f"{seconds:.2f} s from the start of Python")
    assert seconds < 10
    assert "\nstand-in|" in said
    assert knocks == 1, "where nothing can be reached nothing is tried again"


def test_a_name_look_up_that_never_ends_is_not_waited_for(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()

    def hang(*args: object, **options: object) -> list[object]:
        done.wait(60)
        raise OSError("no answer")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    monkeypatch.setenv("COURSE_DATA_URL", "http://data.example/")
    monkeypatch.setattr(data, "KNOCK_SECONDS", 0.5)
    start = time.perf_counter()
    assert load_fashion_mnist().source == "stand-in"
    seconds = time.perf_counter() - start
    done.set()
    assert seconds < 5


def test_processes_that_start_together_on_an_empty_cache_all_succeed(tmp_path: Path) -> None:
    meeting = threading.Barrier(3)

    def wait_for_the_others(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        meeting.wait(60)
        send(handler, body)

    with serving() as server:
        for answers in server.answers.values():
            answers[:] = [wait_for_the_others]
        processes = [start_loading(tmp_path, server.url) for _ in range(3)]
        said = [process.communicate(timeout=90)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
    assert len({text.splitlines()[-1] for text in said}) == 1
    assert all("Fashion-MNIST|" in text for text in said)
    assert is_sound(tmp_path / "keras" / "datasets" / "fashion-mnist")


def kill_while_half_written(tmp_path: Path, server: Server) -> Path:
    """Kill a process in the middle of a download; return the file it has left behind."""
    server.answers[IMAGES] = [server.stall]
    process = start_loading(tmp_path, server.url)
    folder = tmp_path / "keras" / "datasets" / "fashion-mnist"
    deadline = time.monotonic() + 60
    try:
        while not (half := [path for path in folder.glob(f"{IMAGES}.*") if path.stat().st_size]):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        process.kill()
        process.communicate()
    server.answers[IMAGES] = [send]
    if os.name == "posix":
        assert process.returncode == -signal.SIGKILL
    return half[0]


def test_a_process_killed_in_the_middle_of_a_download_does_no_harm(
    empty_cache: Path, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = kill_while_half_written(tmp_path, server)
    assert not (empty_cache / IMAGES).exists()
    assert is_whole(load_fashion_mnist())
    assert {path.name for path in empty_cache.iterdir()} == {*PACKED, half.name}


def test_what_a_killed_process_left_behind_is_removed_by_a_later_download(
    cache: Path, server: Server
) -> None:
    old, fresh = cache / f"{IMAGES}.0a1b2c3d.part", cache / f"{LABELS}.4e5f6a7b.part"
    for path in (old, fresh):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)
    (cache / LABELS).unlink()
    assert is_whole(load_fashion_mnist())
    assert {path.name for path in cache.iterdir()} == {*PACKED, fresh.name}


REAL_CACHE = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "datasets/fashion-mnist"


@pytest.fixture
def real_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of links to the real four files, and no network."""
    names = [file.name for file in data.FILES.values()]
    if not all((REAL_CACHE / name).exists() for name in names):
        pytest.skip("Fashion-MNIST is not in the cache of KERAS_HOME")
    folder = tmp_path / "keras" / "datasets" / "fashion-mnist"
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).symlink_to((REAL_CACHE / name).absolute())
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    monkeypatch.setenv("COURSE_DATA_URL", NOWHERE)
    monkeypatch.delenv("COURSE_DATA", raising=False)
    return folder


def test_the_real_files_are_found_sound_through_links(real_cache: Path) -> None:
    assert load_fashion_mnist(1, 1).source == "Fashion-MNIST"


@pytest.mark.parametrize(
    ("place", "file"),
    [
        ("train_labels", "test_labels"),
        ("test_images", "train_images"),
        ("test_labels", "test_images"),
    ],
)
def test_the_real_files_swapped_are_found_out(real_cache: Path, place: str, file: str) -> None:
    name, other = data.FILES[place].name, data.FILES[file].name
    (real_cache / name).unlink()
    (real_cache / name).symlink_to((REAL_CACHE / other).absolute())
    with pytest.raises(CourseError) as caught:
        load_fashion_mnist(1, 1)
    message = str(caught.value)
    assert f"{real_cache / name} is damaged" in message
    assert f"expected the content of {name}, found that of {other}" in message


@pytest.mark.parametrize("part", ["test_images", "train_labels"])
def test_a_real_file_that_is_cut_or_changed_is_found_out(real_cache: Path, part: str) -> None:
    path = real_cache / data.FILES[part].name
    packed = path.read_bytes()
    for spoilt in (packed[:-1000], packed[:2000] + b"\xff" + packed[2001:], packed[:0]):
        path.unlink()
        path.write_bytes(spoilt)
        with pytest.raises(CourseError) as caught:
            load_fashion_mnist(1, 1)
        assert f"{path} is damaged (expected " in str(caught.value)


def test_a_fault_reaches_jupyter_as_one_sentence(cache: Path) -> None:
    (cache / IMAGES).write_bytes(b"")
    with pytest.raises(CourseError) as caught:
        load_fashion_mnist()
    assert "\n" not in str(caught.value)
    assert caught.value.__suppress_context__, "no second traceback above the sentence"
