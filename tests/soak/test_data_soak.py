"""Long campaigns against utils.data: kills, crowds, damage; and the stand-in's difficulty.

ROUNDS in the environment sets their length: 200 by default, some ten minutes in all.
"""

from __future__ import annotations

import gzip
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from data_server import PACKED, SMALL_FILES, digest, fill, send_slowly, serving, small_course
from data_server import start_loading as start

from utils.data import load_fashion_mnist
from utils.errors import CourseError
from utils.standin import draw_stand_in

ROUNDS = int(os.environ.get("ROUNDS", "200"))
pytestmark = pytest.mark.timeout(7200)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sound cache of a small set, and no network."""
    return small_course(tmp_path, monkeypatch, filled=True)


def unsound(folder: Path) -> list[str]:
    """Return the names of files that are in their place and not what they should be."""
    there = [folder / name for name in PACKED if (folder / name).exists()]
    return [path.name for path in there if path.read_bytes() != PACKED[path.name]]


def spoil(folder: Path, draw: random.Random) -> None:
    """Put a damaged file in the place of one of the four."""
    name = draw.choice(sorted(PACKED))
    packed = PACKED[name]
    (folder / name).write_bytes(packed[: draw.randrange(len(packed))])


def test_killed_at_any_moment_it_never_leaves_a_damaged_file(tmp_path: Path) -> None:
    folder = tmp_path / "keras" / "datasets" / "fashion-mnist"
    draw = random.Random(1)
    finished = 0
    with serving() as server:
        for answers in server.answers.values():
            answers[:] = [send_slowly]
        for _ in range(ROUNDS):
            process = start(tmp_path, server.url)
            time.sleep(draw.uniform(0.1, 1.5))
            process.kill()
            said, _ = process.communicate()
            finished += "Fashion-MNIST|" in said
            assert "stand-in" not in said
            assert unsound(folder) == []
            if draw.random() < 0.5:  # begin anew
                for path in folder.glob("*.gz"):
                    path.unlink()
        halves = len(list(folder.glob("*.part")))
        process = start(tmp_path, server.url)
        said, _ = process.communicate(timeout=120)
    print(f"{ROUNDS} kills: {finished} had finished before, {halves} half-written files were left")
    assert "Fashion-MNIST|" in said
    assert {path.name: path.read_bytes() for path in folder.glob("*.gz")} == PACKED
    assert halves > ROUNDS // 20, "few kills came in the middle of a download: change the delays"


def test_crowds_with_kills_and_damage_among_them_leave_one_sound_set(tmp_path: Path) -> None:
    folder = tmp_path / "keras" / "datasets" / "fashion-mnist"
    draw = random.Random(2)
    crowd, starts = 6, 0
    with serving() as server:
        for answers in server.answers.values():
            answers[:] = [send_slowly]
        for _ in range(max(1, ROUNDS // 10)):
            for path in folder.glob("*.gz"):
                path.unlink()
            if folder.exists():
                spoil(folder, draw)
            processes = [start(tmp_path, server.url) for _ in range(crowd)]
            starts += crowd
            victim = draw.choice(processes)
            time.sleep(draw.uniform(0.5, 3.0))
            victim.kill()
            results = set()
            for process in processes:
                said, _ = process.communicate(timeout=120)
                if process is not victim:
                    assert process.returncode == 0, said
                    results.add(said.splitlines()[-1])
            assert len(results) == 1, results
            assert results.pop().startswith("Fashion-MNIST|")
            assert {path.name: path.read_bytes() for path in folder.glob("*.gz")} == PACKED
    print(f"{starts} starts in crowds of {crowd}")


def test_random_damage_is_always_noticed(cache: Path) -> None:
    draw = random.Random(3)
    whole = digest(load_fashion_mnist())
    noticed = 0
    for _ in range(20 * ROUNDS):
        fill(cache)
        name = draw.choice(sorted(PACKED))
        packed = bytearray(PACKED[name])
        for _ in range(draw.choice((1, 1, 2, 10))):
            packed[draw.randrange(len(packed))] ^= 1 << draw.randrange(8)
        if draw.random() < 0.3:
            del packed[draw.randrange(len(packed)) :]
        (cache / name).write_bytes(packed)
        try:
            assert digest(load_fashion_mnist()) == whole
        except CourseError as error:
            noticed += 1
            assert f"{cache / name} is damaged (expected " in str(error)
    print(
        f"{noticed} of {20 * ROUNDS} damaged files noticed; the others unpack to the same content"
    )
    assert noticed > 19 * ROUNDS


def test_damage_inside_sound_packing_is_always_noticed(cache: Path) -> None:
    draw = random.Random(4)
    for _ in range(10 * ROUNDS):
        fill(cache)
        part = draw.choice(sorted(SMALL_FILES))
        path = cache / SMALL_FILES[part].name
        content = bytearray(gzip.decompress(PACKED[path.name]))
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        path.write_bytes(gzip.compress(bytes(content), 1))
        with pytest.raises(CourseError, match="is damaged"):
            load_fashion_mnist()


def test_a_hundred_offline_starts_stay_within_ten_seconds(tmp_path: Path) -> None:
    times = []
    for _ in range(max(1, ROUNDS // 2)):
        begin = time.perf_counter()
        process = start(tmp_path, "http://no-such-host.invalid/", small=False)
        said, _ = process.communicate(timeout=60)
        times.append(time.perf_counter() - begin)
        assert "\nstand-in|" in said
    print(f"offline start: median {np.median(times):.2f} s, longest {max(times):.2f} s")
    assert max(times) < 10


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_five_epochs_on_the_stand_in_land_between_three_quarters_and_95_percent(seed: int) -> None:
    from data_training import accuracy_on_test_images  # imports TensorFlow

    accuracy = accuracy_on_test_images(
        draw_stand_in("train", 60_000), draw_stand_in("test", 10_000), seed=seed, epochs=5
    )
    print(f"seed {seed}, 5 epochs: test accuracy {accuracy:.4f}")
    assert 0.75 < accuracy < 0.95


def test_the_stand_in_is_drawn_alike_by_many_processes_at_once() -> None:
    code = """
import hashlib
from utils.standin import draw_stand_in
labels, images = draw_stand_in("train", 5000)
print(hashlib.sha256(labels.tobytes() + images.tobytes()).hexdigest())
"""
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(8)
    ]
    assert len({process.communicate(timeout=120)[0] for process in processes}) == 1
