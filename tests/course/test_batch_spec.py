"""The file of a batch: what it expands to, and every mistake with its line."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest
from batch_runs import write_spec, write_tiny

from course.batch.spec import read_spec
from course.limits import address, memory_size, seconds
from utils.errors import CourseError

EXAMPLE = """\
lessons: [05_fashion_mnist_mlp]
parameters: {epochs: 1}
grid: {hidden_units: [64, 128], learning_rate: [0.001, 1e-2]}
seeds: [1, 2, 3]
runs: [{hidden_units: 512, epochs: 10}]
timeout: 600
memory: 2 GB
retries: 0
"""


def mistakes(tmp_path: Path, text: str) -> list[str]:
    """Return the lines about a file, without the first, which names it."""
    write_tiny(tmp_path)
    with pytest.raises(CourseError) as error:
        read_spec(write_spec(tmp_path, text))
    return [line.strip() for line in str(error.value).splitlines()[1:]]


def test_the_example_gives_grid_times_seeds_and_explicit_runs_times_seeds(tmp_path: Path) -> None:
    spec = read_spec(write_spec(tmp_path, EXAMPLE))
    assert (len(spec.runs), spec.timeout, spec.memory, spec.retries) == (15, 600, 2 * 10**9, 0)
    assert spec.uses_data
    first, last = spec.runs[0], spec.runs[-1]
    assert first.parameters == {"epochs": 1, "hidden_units": 64, "learning_rate": 0.001, "seed": 1}
    assert last.parameters == {"epochs": 10, "hidden_units": 512, "seed": 3}
    assert last.effective["batch_size"] == 32
    assert {run.parameters.get("learning_rate") for run in spec.runs} == {0.001, 0.01, None}


def test_explicit_runs_alone_need_no_grid_and_may_name_their_seed(tmp_path: Path) -> None:
    write_tiny(tmp_path)
    runs = "runs:\n- {rate: 1, seed: 7}\n- {rate: 2}\nseeds: [1, 2]\n"
    spec = read_spec(write_spec(tmp_path, runs))
    assert [(run.parameters["rate"], run.parameters["seed"]) for run in spec.runs] == [
        (1.0, 7),
        (2.0, 1),
        (2.0, 2),
    ]
    assert all(type(run.parameters["rate"]) is float for run in spec.runs)


def test_lessons_alone_run_once_as_they_are(tmp_path: Path) -> None:
    spec = read_spec(write_spec(tmp_path, "lessons: [01, 2]\n"))
    assert [(run.lesson.name[:2], run.parameters) for run in spec.runs] == [("01", {}), ("02", {})]
    assert not spec.uses_data


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("lessons: [05_fashion_mnist_mpl]", "line 1: There is no lesson '05_fashion_mnist_mpl': "
         "did you mean 05_fashion_mnist_mlp?"),
        ("lessons: [5, 05]", "line 1: 05_fashion_mnist_mlp is named twice"),
        ("lessons: [missing.ipynb]", "line 1: There is no notebook"),
        ("lessons: 5", "line 1: lessons should be a list"),
        ("lessons: []", "line 1: lessons is empty"),
        ("lessons: [5]\ngrid: {hiden_units: [1]}", "line 2: 05_fashion_mnist_mlp has no parameter "
         "'hiden_units': did you mean hidden_units?"),
        ("lessons: [5]\nparameters:\n  epochs: one", "line 3: epochs = 'one' should be a whole"),
        ("lessons: [5]\nparameters: {learning_rate: 0}", "should be a number above 0"),
        ("lessons: [5]\nseeds: [-1]", "line 2: seed = -1 should be a whole number from 0"),
        ("lessons: [5]\ngrid: {learning_rate: [.nan]}", "line 2: .nan should be a finite number"),
        ("lessons: [1]\nparameters: {epochs: 1}", "has no parameter 'epochs': there is seed."),
        ("parameters: {mode: 5}", "mode = 5 should be of type str, like 'ok' in tiny"),
        ("parameters: {rate: yes}", "rate = True should be of type float"),
        ("parameters: {seed: 1.5}", "seed = 1.5 should be of type int"),
        ("grid: {}", "line 2: `grid` is empty"),
        ("grid: {rate: []}", "line 2: rate is empty"),
        ("grid: {rate: 1}", "line 2: rate should be a list in `grid`"),
        ("grid:\n  rate: [1,\n    2, 1]", "line 4: rate has 1 twice"),
        ("seeds: [1, 1]", "line 2: seeds has 1 twice"),
        ("seeds: 3", "line 2: seeds should be a list of whole numbers"),
        ("runs: [5]", "line 2: a run should be parameters with their values"),
        ("runs: [{rate: 0.2}, {rate: 0.2}]", "is asked for twice (also in line 2)"),
        ("grid: {rate: [0.1, 0.2]}\nruns:\n- {mode: ok}", "line 4: tiny with mode ok is asked"),
        ("parameters: {rate: 1}\ngrid: {rate: [2]}", "line 3: rate stands in `parameters` and"),
        ("parameters: {seed: 1}\nseeds: [2]", "line 3: the seed stands in `parameters` and"),
        ("timout: 5", "line 2: there is no key 'timout': did you mean timeout?"),
        ("timeout: 0", "line 2: timeout = 0 should be a number of seconds from 1 to 604800"),
        ("timeout: no", "line 2: timeout = False should be a number of seconds from 1"),
        ("memory: 5", "line 2: memory = 5 should be a size such as 2GB or 500MB"),
        ("retries: -1", "line 2: retries = -1 should be a whole number, 0 or more"),
        ("timeout: 1\ntimeout: 2", "line 3: timeout stands here twice (also in line 2)"),
        ("seeds: [2]\nruns: [{seed: 3}]", "line 2: each of `runs` names its seed"),
        ("parameters: {mode: 2020-01-01}", "line 2: 2020-01-01 should be a finite number, a text"),
        ("parameters: {mode: !!binary aGVsbG8=}", "line 2: aGVsbG8= should be a finite number"),
        ("parameters: {seed: !!bool x}", "line 2: x should be a finite number"),
        ("parameters: {mode: !!timestamp x}", "line 2: x should be a finite number"),
        ("parameters: {mode: !!set {a}}", "line 2: this should be a finite number"),
        ("parameters: {mode: {1: 2}}", "line 2: this should be a finite number"),
        (f"parameters: {{rate: {'9' * 400}}}", "9999 ... 9999999999 should be a finite number"),
        (f"parameters: {{rate: {'9' * 5000}}}", "9999 ... 9999999999 should be a finite number"),
        ("parameters: {rate: 1e999}", "line 2: 1e999 should be a finite number"),
        (r'parameters: {mode: "a\ud800"}', r"line 2: a\ud800 is no text that can be written in"),
        (r'parameters: {mode: ["\ud800"]}', "line 2: this is no text that can be written in UTF-8"),
        ("parameters: {mode: &a [*a]}", "line 2: this holds more than 50 lists in each other"),
        (f"parameters: {{mode: {'[' * 60}{']' * 60}}}", "holds more than 50 lists in each other"),
        (f"parameters: {{mode: {list(range(20_000))}}}", "line 2: this holds more than 10,000"),
        (f"parameters: {{seed: {'x' * 20_000}}}", "xxxx ... xxxxxxxxx' should be of type int"),
        (f"parameters: {{{'x' * 100}: 1}}", "tiny has no parameter 'xxxx"),
        ("parameters: {seed: 010}", "line 2: 010 is 8 in YAML: write 8, or '010' if it is a text"),
        ("seeds: [010, 010]", "line 2: 010 is 8 in YAML"),
        ("parameters: {seed: 0x10}", "line 2: 0x10 is 16 in YAML"),
        ("parameters: {mode: [1:30]}", "this holds 1:30, which is 90 in YAML: write 90, or '1:30'"),
        ("timeout: .inf", "line 2: .inf should be a finite number"),
        ("timeout: 2020-01-01", "line 2: 2020-01-01 should be a finite number"),
        ("timeout: 1e300", "line 2: timeout = 1e+300 should be a number of seconds from 1"),
        ("retries: .nan", "line 2: .nan should be a finite number"),
        (f"memory: {'9' * 400} GB", " GB should be a size such as 2GB or 500MB"),
        ("memory: 1 MB", "line 2: memory = 1 MB should be a size such as 2GB or 500MB, and not"),
        ("? [a]\n: 1", "line 2: a name should stand here"),
        (f"lessons: [{'x' * 5000}.ipynb]", "line 1: There is no notebook /"),
        (f"grid: {{seed: {list(range(200))}, rate: {list(range(200))}}}", "more than 10,000 runs"),
    ],
    ids=lambda text: text[:60],
)  # fmt: skip
def test_each_mistake_is_a_sentence_with_its_line(text: str, sentence: str, tmp_path: Path) -> None:
    (only,) = mistakes(tmp_path, text)
    assert sentence in only


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = "lessons: [5]\nparameters: {epoch: 1}\ngrid: {hidden_units: [0]}\nseed: 1\n"
    told = mistakes(tmp_path, text)
    assert [line.split(":")[0] for line in told] == ["line 2", "line 3", "line 4"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"lessons: [5", "is no YAML: line 1: "),
        (b"lessons:\n\t- 5", "is no YAML: line 2: "),
        (b"- 5", "should hold names and values"),
        (b"", "should hold names and values"),
        (b"[" * 3000, "is no YAML: its lists lie too deep in each other."),
        (b"\xff\xfe", "it is no text in UTF-8"),
    ],
)
def test_what_is_no_spec_at_all_is_one_sentence(
    content: bytes, sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "spec.yaml"
    path.write_bytes(content)
    with pytest.raises(CourseError, match=sentence):
        read_spec(path)
    with pytest.raises(CourseError, match="cannot be read"):
        read_spec(tmp_path / "missing.yaml")


def test_an_alias_that_stands_for_millions_of_values_is_refused_at_once(tmp_path: Path) -> None:
    names = "abcdefgh"
    lists = [f"&{name} [{', '.join([f'*{before}'] * 9)}]" for before, name in pairwise(names)]
    text = "runs:\n- seed: &a [1, 2]\n" + "".join(f"- seed: {each}\n" for each in lists)
    began = time.monotonic()
    told = mistakes(tmp_path, text)
    assert time.monotonic() - began < 2
    assert "this holds more than 10,000 values" in told[-1] and max(map(len, told)) < 200


def test_numbers_that_yaml_and_people_read_alike_may_be_written(tmp_path: Path) -> None:
    write_tiny(tmp_path)
    spec = read_spec(
        write_spec(
            tmp_path,
            "grid: {rate: [1_000, .5, 5., 1e-3, -2.5e+1, 007, 10000000000000000000000001]}",
        )
    )
    assert [run.parameters["rate"] for run in spec.runs] == [1000, 0.5, 5, 0.001, -25, 7, 1e25]
    text = write_spec(tmp_path, "grid: {mode: ['010', '1:30', 1.2.3e4]}")
    assert [run.parameters["mode"] for run in read_spec(text).runs] == ["010", "1:30", "1.2.3e4"]


def test_a_notebook_that_cannot_be_read_is_left_to_its_run(tmp_path: Path) -> None:
    (tmp_path / "broken.ipynb").write_text("no notebook")
    spec = read_spec(write_spec(tmp_path, "lessons: [broken.ipynb]\nparameters: {any: 1}"))
    assert [run.lesson.name for run in spec.runs] == ["broken"]


@pytest.mark.parametrize(
    ("text", "size"),
    [
        *(("2 GB", 2 * 10**9), ("1.5gb", 15 * 10**8), ("500MB", 5 * 10**8)),
        *((text, None) for text in ("0 MB", "3", "", "1MB", "9" * 400 + "GB")),
    ],
)
def test_a_size_of_memory_has_a_unit(text: str, size: int | None) -> None:
    assert memory_size(text) == size


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("1", 1), ("2.5", 2.5), ("604800", 604_800)),
        *((text, None) for text in ("nan", "inf", "-inf", "0", "1e300", "9" * 400, "", "long")),
    ],
)
def test_a_time_is_a_number_of_seconds_in_a_week(text: str, number: float | None) -> None:
    assert seconds(text) == number


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        *(
            (text, True)
            for text in ("tcp://host:8786", "host:1", "tls://[::1]:80", "tcp://1.2.3.4:5")
        ),
        *((text, False) for text in ("", "nonsense", "tcp://host", "tcp://host:99999", "a b:1")),
    ],
)
def test_a_schedulers_address_has_a_host_and_a_port(text: str, fits: bool) -> None:
    assert address(text) == (text if fits else None)
