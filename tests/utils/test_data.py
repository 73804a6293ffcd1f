"""Tests of utils.data where nothing goes wrong: what is loaded, from where, and how it is told."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import data_server
import numpy as np
import pytest

from utils import data
from utils.data import data_source, load_fashion_mnist
from utils.errors import CourseError

CACHE = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "datasets/fashion-mnist"
needs_the_real_set = pytest.mark.skipif(
    len(list(CACHE.glob("*.gz"))) < 4, reason="Fashion-MNIST is not in the cache of KERAS_HOME"
)


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_DATA", "stand-in")


@pytest.fixture
def small_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that holds a small set which the course takes for the real one; nothing else."""
    return data_server.small_course(tmp_path, monkeypatch, filled=True)


@pytest.mark.usefixtures("stand_in")
def test_the_whole_set_has_fashion_mnists_shapes_and_types() -> None:
    fashion = load_fashion_mnist()
    assert fashion.train_images.shape == (60_000, 28, 28)
    assert fashion.train_labels.shape == (60_000,)
    assert fashion.test_images.shape == (10_000, 28, 28)
    assert fashion.test_labels.shape == (10_000,)
    assert {array.dtype for array in fashion[:4]} == {np.dtype(np.uint8)}
    assert fashion.class_names[0] == "T-shirt/top"
    assert fashion.class_names[9] == "Ankle boot"
    assert len(fashion.class_names) == 10


@needs_the_real_set
def test_the_real_set_is_the_one_that_keras_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    import gzip

    monkeypatch.setenv("COURSE_DATA", "real")
    fashion = load_fashion_mnist()
    assert fashion.source == data_source() == "Fashion-MNIST"
    for array, part in zip(
        fashion[:4], ("train_images", "train_labels", "test_images", "test_labels"), strict=True
    ):
        file = data.FILES[part]
        with gzip.open(CACHE / file.name) as stream:
            stream.read(len(file.header))
            assert array.tobytes() == stream.read()
        assert array.shape == file.shape
    assert fashion.train_labels[0] == fashion.test_labels[0] == 9
    assert np.bincount(fashion.train_labels).tolist() == [6000] * 10


@needs_the_real_set
def test_the_real_set_is_read_and_verified_in_well_under_two_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COURSE_DATA", "real")
    start = time.perf_counter()
    load_fashion_mnist()
    seconds = time.perf_counter() - start
    print(f"read and verified in {seconds:.2f} s")
    assert seconds < 5  # about 0.3 s on an idle machine


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize(
    ("train_size", "test_size"), [(1, 1), (7, None), (None, 3), (60_000, 10_000)]
)
def test_sizes_cut_the_first_items(train_size: int | None, test_size: int | None) -> None:
    whole, part = load_fashion_mnist(), load_fashion_mnist(train_size, test_size)
    assert len(part.train_images) == len(part.train_labels) == (train_size or 60_000)
    assert len(part.test_images) == len(part.test_labels) == (test_size or 10_000)
    for few, all_items in zip(part[:4], whole[:4], strict=True):
        np.testing.assert_array_equal(few, all_items[: len(few)])


def test_sizes_cut_the_first_items_of_the_real_set_too(small_cache: Path) -> None:
    whole, part = load_fashion_mnist(), load_fashion_mnist(5, np.int64(3))
    assert whole.source == "Fashion-MNIST"
    assert whole.train_images.tobytes() == data_server.CONTENT["train_images"][16:]
    assert [len(array) for array in part[:4]] == [5, 5, 3, 3]
    for few, all_items in zip(part[:4], whole[:4], strict=True):
        np.testing.assert_array_equal(few, all_items[: len(few)])


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize(
    "size", [0, -1, 60_001, True, False, 1.0, "100", [5], np.True_, float("nan")]
)
def test_a_bad_train_size_is_answered_with_one_sentence(size: object) -> None:
    with pytest.raises(CourseError) as caught:
        load_fashion_mnist(train_size=size)  # type: ignore[arg-type]
    assert str(caught.value).startswith(f"train_size = {size!r} should be a whole number")
    assert "from 1 to 60000" in str(caught.value)


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize("size", [0, 10_001, "all", 2.5])
def test_a_bad_test_size_is_answered_with_one_sentence(size: object) -> None:
    with pytest.raises(CourseError, match=r"test_size = .* from 1 to 10000"):
        load_fashion_mnist(test_size=size)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["Real", "standin", "yes", "0"])
def test_an_unknown_course_data_is_named_with_the_values_there_are(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("COURSE_DATA", value)
    with pytest.raises(CourseError) as caught:
        load_fashion_mnist(1, 1)
    assert all(word in str(caught.value) for word in (repr(value), "auto", "real", "stand-in"))


def test_a_sound_cache_is_used_in_silence(
    small_cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for choice in ("auto", "real", ""):
        monkeypatch.setenv("COURSE_DATA", choice)
        assert load_fashion_mnist().source == "Fashion-MNIST"
    assert capsys.readouterr() == ("", "")


def test_stand_in_by_choice_wins_over_a_sound_cache_and_needs_no_words(
    small_cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COURSE_DATA", "stand-in")
    assert load_fashion_mnist(1, 1).source == "stand-in"
    assert capsys.readouterr() == ("", "")


def test_keras_home_may_begin_with_a_tilde(
    small_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", "~/keras")
    assert load_fashion_mnist().source == "Fashion-MNIST"


def test_without_keras_home_keras_own_default_folder_is_used(
    small_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "keras").rename(tmp_path / ".keras")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.delenv("KERAS_HOME")
    assert load_fashion_mnist().source == "Fashion-MNIST"


@pytest.mark.usefixtures("stand_in")
def test_the_arrays_belong_to_the_learner_who_may_change_them() -> None:
    first = load_fashion_mnist(10, 10)
    for array in first[:4]:
        array[:] = 0
    assert load_fashion_mnist(10, 10).train_labels[0] == 9


def test_the_real_arrays_may_be_changed_too(small_cache: Path) -> None:
    load_fashion_mnist().train_images[0] = 0
    assert load_fashion_mnist().train_images[0].any()


def test_data_source_is_none_until_something_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "_source", None)
    monkeypatch.setenv("COURSE_DATA", "stand-in")
    assert data_source() is None
    load_fashion_mnist(1, 1)
    assert data_source() == "stand-in"


def test_data_source_follows_the_last_load(
    small_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_fashion_mnist()
    assert data_source() == "Fashion-MNIST"
    monkeypatch.setenv("COURSE_DATA", "stand-in")
    load_fashion_mnist(1, 1)
    assert data_source() == "stand-in"


@pytest.mark.usefixtures("stand_in")
def test_the_repr_is_a_short_paragraph_that_says_stand_in() -> None:
    shown = repr(load_fashion_mnist(1000, 100))
    assert len(shown) < 300
    assert shown.startswith("stand-in (")
    assert "1,000 training" in shown
    assert "100 test" in shown
    assert "array" not in shown


def test_the_repr_of_the_real_set_says_its_name(small_cache: Path) -> None:
    shown = repr(load_fashion_mnist())
    assert shown.startswith("Fashion-MNIST: 300 training and 100 test images")
    assert "stand-in" not in shown


def test_the_repr_is_what_jupyter_shows(small_cache: Path) -> None:
    from IPython.lib.pretty import pretty

    fashion = load_fashion_mnist()
    assert pretty(fashion) == repr(fashion)


def test_the_published_files_are_described_to_the_byte() -> None:
    sizes = {part: file.size for part, file in data.FILES.items()}
    assert sizes == {
        "train_labels": 60_008,
        "train_images": 47_040_016,
        "test_labels": 10_008,
        "test_images": 7_840_016,
    }
    assert data.FILES["train_images"].header.hex() == "000008030000ea600000001c0000001c"
    assert data.FILES["test_labels"].header.hex() == "0000080100002710"


def test_importing_it_brings_in_neither_tensorflow_nor_a_download_library() -> None:
    code = (
        "import sys, utils.data;"
        "print([m for m in ('tensorflow', 'keras', 'pooch', 'requests') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_what_was_read_beforehand_is_not_read_again_until_it_changes(
    small_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, data.MEMORY, raising=False)
    data.read_beforehand(os.environ["KERAS_HOME"])
    read: list[str] = []
    whole = data.gzip.open
    monkeypatch.setattr(data.gzip, "open", lambda path: read.append(path.name) or whole(path))
    before = load_fashion_mnist()
    assert read == []
    before.train_images[:] = 0
    assert load_fashion_mnist().train_images.any()

    images = data.FILES["train_images"]
    path = next(small_cache.rglob(images.name))
    path.write_bytes(path.read_bytes())
    load_fashion_mnist()
    assert read == [images.name]
    path.write_bytes(b"damaged")
    with pytest.raises(CourseError, match="is damaged"):
        load_fashion_mnist()
    monkeypatch.delitem(sys.modules, data.MEMORY)


def test_a_file_under_another_files_name_is_noticed_whatever_was_read_beforehand(
    small_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, data.MEMORY, raising=False)
    data.read_beforehand(os.environ["KERAS_HOME"])
    images, others = data.FILES["train_images"], data.FILES["test_images"]
    path = next(small_cache.rglob(images.name))
    path.unlink()
    path.hardlink_to(next(small_cache.rglob(others.name)))
    with pytest.raises(CourseError, match=f"found that of {others.name}"):
        load_fashion_mnist()
    monkeypatch.delitem(sys.modules, data.MEMORY)
