"""The YAML file that describes a batch, checked whole before anything runs."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from course.batch.declared import Declared, declared, objection
from course.catalog import Lesson, find_lessons, nearest
from course.limits import MEMORY, SECONDS, is_seconds, memory_size
from course.values import BadValue, NotYaml, compose, value_of
from utils.errors import CourseError
from utils.parameters import shortened, shown

KEYS = ("lessons", "parameters", "grid", "seeds", "runs", "timeout", "memory", "retries")
MAX_RUNS = 10_000
BAD: Any = object()  # a value about which something has been said already

Say = Callable[[Node, str], None]  # notes what is wrong at a node
Values = dict[str, tuple[Any, Node]]  # parameter -> its value and where it stands


class Run(NamedTuple):
    """One run that the file asks for."""

    lesson: Lesson
    parameters: dict[str, Any]  # those that the file gives
    effective: dict[str, Any]  # those and the lesson's own values


class Spec(NamedTuple):
    """A file without mistakes."""

    runs: list[Run]
    uses_data: bool  # whether a lesson loads Fashion-MNIST
    timeout: float | None  # seconds a run, where the file says it
    memory: int | None  # bytes a run
    retries: int | None  # of a run whose kernel died or did not start


def read_spec(path: Path) -> Spec:
    """Read a file and return its runs, lesson by lesson, in the order of the file.

    Raises:
        CourseError: the file cannot be read or has mistakes; the message names all of them, a
            line each.
    """
    try:
        text = path.read_text(encoding="utf-8")
        root = compose(text)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise CourseError(f"{path} cannot be read: {reason}.") from None
    except NotYaml as error:
        raise CourseError(f"{path} is no YAML: {error}.") from None
    if not isinstance(root, MappingNode):
        raise CourseError(f"{path} should hold names and values, as in `lessons: [05]`.")

    mistakes: list[tuple[int, str]] = []

    def say(node: Node, sentence: str) -> None:
        mistakes.append((node.start_mark.line + 1, sentence))

    spec = _spec(root, path.parent, say)
    if mistakes:
        lines = [f"  line {line}: {sentence}" for line, sentence in sorted(set(mistakes))]
        count = f"{len(lines)} mistake{'s' * (len(lines) != 1)}"
        raise CourseError("\n".join([f"{path} has {count}, and nothing was run:", *lines]))
    return spec


def _spec(root: MappingNode, folder: Path, say: Say) -> Spec:
    parts = _mapping(root, say)
    for name, (key, _) in parts.items():
        if name not in KEYS:
            say(key, f"there is no key {shown(name)}: {nearest(name, KEYS)}")
    nodes = {name: node for name, (_, node) in parts.items()}
    lessons = _lessons(root, nodes.get("lessons"), folder, say)
    known = {lesson: declared(lesson.path) for lesson in lessons}

    fixed = _values(nodes.get("parameters"), "parameters", say)
    grid = _grid(nodes.get("grid"), say)
    seeds = _list(nodes.get("seeds"), "seeds", "a list of whole numbers, as in [1, 2, 3]", say)
    explicit = [
        (node, _values(node, "a run", say))
        for node in _items(nodes.get("runs"), "runs", "a list of runs, as in [{epochs: 10}]", say)
    ]
    for name, options in grid.items():
        if name in fixed:
            say(options[0][1], f"{name} stands in `parameters` and in `grid`: keep one of them")
    if seeds and ("seed" in fixed or "seed" in grid):
        where = "parameters" if "seed" in fixed else "grid"
        say(nodes["seeds"], f"the seed stands in `{where}` and in `seeds`: keep one of them")
    if seeds and not grid and explicit and all("seed" in values for _, values in explicit):
        say(nodes["seeds"], "each of `runs` names its seed, and `seeds` another: keep one of them")

    given = [*fixed.items()]
    given += [(name, option) for name, options in grid.items() for option in options]
    given += [("seed", seed) for seed in seeds]
    given += [pair for _, values in explicit for pair in values.items()]
    for lesson, parameters in known.items():
        if parameters is not None:
            _check_values(lesson, parameters, given, say)

    numbers = _numbers(nodes, say)
    count = math.prod(len(options) for options in grid.values()) * max(1, len(seeds))
    if (count + len(explicit) * max(1, len(seeds))) * max(1, len(lessons)) > MAX_RUNS:
        say(nodes.get("grid", root), f"these are more than {MAX_RUNS:,} runs: split the file")
        return Spec([], False, *numbers)
    combined = list(_combinations(fixed, grid, seeds, explicit, root))
    runs = list(_runs(known, combined, say))
    return Spec(runs, any(each and each.uses_data for each in known.values()), *numbers)


def _combinations(
    fixed: Values,
    grid: Mapping[str, list[tuple[Any, Node]]],
    seeds: list[tuple[Any, Node]],
    explicit: list[tuple[Node, Values]],
    root: Node,
) -> Iterator[tuple[Node, dict[str, Any]]]:
    """Yield the parameters of each run, and where the file asks for it."""
    base = {name: value for name, (value, _) in fixed.items()}
    wanted: list[tuple[Node, dict[str, Any]]] = []
    if grid or not explicit:
        for options in itertools.product(*grid.values()):
            node = options[-1][1] if options else root
            wanted.append(
                (node, base | dict(zip(grid, (value for value, _ in options), strict=True)))
            )
    wanted += [
        (node, base | {name: value for name, (value, _) in values.items()})
        for node, values in explicit
    ]
    for node, parameters in wanted:
        if seeds and "seed" not in parameters:
            yield from ((node, parameters | {"seed": seed}) for seed, _ in seeds)
        else:
            yield node, parameters


def _runs(
    known: Mapping[Lesson, Declared | None],
    combined: list[tuple[Node, dict[str, Any]]],
    say: Say,
) -> Iterator[Run]:
    for lesson, parameters in known.items():
        defaults = parameters.defaults if parameters else {}
        seen: dict[str, int] = {}
        for node, values in combined:
            if any(value is BAD for value in values.values()):
                continue
            own = {
                name: float(value)
                if isinstance(defaults.get(name), float) and type(value) is int
                else value
                for name, value in values.items()
            }
            run = Run(lesson, own, defaults | own)
            identity = json.dumps(run.effective, sort_keys=True, default=repr)
            if identity in seen:
                what = shortened(", ".join(f"{name} {value}" for name, value in own.items()))
                say(
                    node,
                    f"{lesson.name} with {what or 'its own parameters'} is asked for twice"
                    f" (also in line {seen[identity]}): a lesson's own values count too",
                )
            seen.setdefault(identity, node.start_mark.line + 1)
            yield run


def _lessons(root: Node, node: Node | None, folder: Path, say: Say) -> list[Lesson]:
    if node is None:
        say(root, "`lessons` is missing: name at least one, as in `lessons: [05]`")
        return []
    found: dict[str, Lesson] = {}
    for item in _items(node, "lessons", "a list of lessons, as in [05_fashion_mnist_mlp]", say):
        if not isinstance(item, ScalarNode):
            say(item, "a lesson is a name, a number or the path of a notebook")
            continue
        name = item.value  # as it is written: YAML reads 05 as a number
        if name.endswith(".ipynb"):
            name = str(folder / Path(name).expanduser())
        try:
            (lesson,) = find_lessons([name])
        except CourseError as error:
            say(item, str(error))
            continue
        if lesson.name in found:
            same = found[lesson.name].path == lesson.path
            twice = f"{lesson.name} is named twice"
            say(item, twice if same else f"{twice}, for two files: put them into two batches")
        found.setdefault(lesson.name, lesson)
    return list(found.values())


def _check_values(
    lesson: Lesson, parameters: Declared, given: list[tuple[str, tuple[Any, Node]]], say: Say
) -> None:
    for name, (value, node) in given:
        wrong = name in parameters.names and value is BAD  # which has been said
        if not wrong and (sentence := objection(parameters, lesson.name, name, value)):
            say(node, sentence)


def _numbers(nodes: Mapping[str, Node], say: Say) -> tuple[float | None, int | None, int | None]:
    timeout: Any = None
    memory: Any = None
    retries: Any = None
    if node := nodes.get("timeout"):
        timeout = _value(node, say)
        if timeout is not BAD and not is_seconds(timeout):
            say(node, f"timeout = {shown(timeout)} should be {SECONDS}")
    if node := nodes.get("memory"):
        memory = memory_size(node.value) if isinstance(node, ScalarNode) else None
        if memory is None:
            given = node.value if isinstance(node, ScalarNode) else "this"
            say(node, f"memory = {shortened(given)} should be {MEMORY}")
    if node := nodes.get("retries"):
        retries = _value(node, say)
        if retries is not BAD and (type(retries) is not int or retries < 0):
            say(node, f"retries = {shown(retries)} should be a whole number, 0 or more")
    return timeout, memory, retries


def _grid(node: Node | None, say: Say) -> dict[str, list[tuple[Any, Node]]]:
    if node is None:
        return {}
    if not isinstance(node, MappingNode):
        say(node, "`grid` should be parameters with lists of values, as in {epochs: [1, 2]}")
        return {}
    if not node.value:
        say(node, "`grid` is empty: give it a parameter with a list of values, or leave it out")
    lists = {
        name: _list(values, name, f"a list in `grid`, as in {name}: [...]", say)
        for name, (_, values) in _mapping(node, say).items()
    }
    return {name: options for name, options in lists.items() if options}


def _list(node: Node | None, name: str, wanted: str, say: Say) -> list[tuple[Any, Node]]:
    """Return the values of a list that has at least one, without those named twice."""
    found: dict[str, tuple[Any, Node]] = {}
    for item in _items(node, name, wanted, say):
        value = _value(item, say)
        identity = json.dumps(value, sort_keys=True, default=repr)
        if identity in found and value is not BAD:
            say(item, f"{name} has {shown(value)} twice")
        found.setdefault(identity, (value, item))
    return list(found.values())


def _items(node: Node | None, name: str, wanted: str, say: Say) -> list[Node]:
    if node is None:
        return []
    if not isinstance(node, SequenceNode):
        say(node, f"{name} should be {wanted}")
        return []
    if not node.value:
        say(node, f"{name} is empty: it should be {wanted}")
    return node.value


def _values(node: Node | None, name: str, say: Say) -> Values:
    if node is None:
        return {}
    if not isinstance(node, MappingNode):
        say(node, f"{name} should be parameters with their values, as in {{epochs: 1}}")
        return {}
    return {key: (_value(value, say), value) for key, (_, value) in _mapping(node, say).items()}


def _mapping(node: MappingNode, say: Say) -> dict[str, tuple[Node, Node]]:
    """Return key and value nodes by the key's text; say which keys stand there twice."""
    found: dict[str, tuple[Node, Node]] = {}
    for key, value in node.value:
        if not isinstance(key, ScalarNode):
            say(key, "a name should stand here, with a colon after it")
            continue
        name = key.value
        if name in found:
            line = found[name][0].start_mark.line + 1
            say(key, f"{_subject(key)} stands here twice (also in line {line})")
        found.setdefault(name, (key, value))
    return found


def _value(node: Node, say: Say) -> Any:
    """Return what a node holds; say what is wrong with it."""
    try:
        return value_of(node)
    except BadValue as error:
        say(node, f"{_subject(node)} {error}")
        return BAD


def _subject(node: Node) -> str:
    text = node.value if isinstance(node, ScalarNode) else "this"
    return shortened(text.encode(errors="backslashreplace").decode())
