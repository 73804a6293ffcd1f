"""A parameter's value as people write it, in YAML: after -p, or in the file of a batch."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

MOST = 10_000  # values in a list, those of inner lists and of aliases among them
DEEPEST = 50  # lists in lists
VALUE = "should be a finite number, a text, true, false, null or a list of these"
POWER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")  # of ten; a text to YAML without a point
NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
UNREADABLE = (yaml.YAMLError, TypeError, ValueError, ArithmeticError, AttributeError, LookupError)


class BadValue(Exception):
    """A value that no parameter can have; its text says what is wrong, without its subject."""


class NotYaml(Exception):
    """A text that is no YAML; its text says where and why."""


def compose(text: str) -> Node | None:
    """Read YAML without making values of it yet.

    Raises:
        NotYaml: it cannot be read.
    """
    try:
        node: Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except RecursionError:
        raise NotYaml("its lists lie too deep in each other") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise NotYaml(f"{line}{problem}") from None
    return node


def value_of(node: Node) -> Any:
    """Return what a node holds, with 1e-3 as the number it is in Python.

    Raises:
        BadValue: it is nothing that a notebook could be given, or means something else in YAML
            than it does to people.
    """
    inner = list(_inner(node))
    loader = yaml.SafeLoader("")
    try:
        value = loader.construct_object(node, deep=True)
    except UNREADABLE:
        raise BadValue(VALUE) from None
    finally:
        loader.dispose()
    _check(value)
    for each in inner:
        _check_spelling(each, "is" if each is node else f"holds {each.value}, which is")
    if isinstance(node, ScalarNode) and node.style is None and POWER.fullmatch(str(value)):
        value = float(value)
        _check(value)
    return value


def _inner(node: Node) -> Iterator[ScalarNode]:
    """Yield the scalars of a node; raise BadValue where there are too many, or they lie too deep.

    A list that holds itself is too deep.
    """
    waiting, count = [(node, 0)], 0
    while waiting:
        each, depth = waiting.pop()
        count += 1
        if count > MOST:
            raise BadValue(f"holds more than {MOST:,} values")
        if depth > DEEPEST:
            raise BadValue(f"holds more than {DEEPEST} lists in each other")
        if isinstance(each, ScalarNode):
            yield each
        elif isinstance(each, SequenceNode):
            waiting += [(item, depth + 1) for item in each.value]
        elif isinstance(each, MappingNode):
            waiting += [(item, depth + 1) for pair in each.value for item in pair]


def _check(value: Any) -> None:
    """Raise BadValue for what JSON or a file in UTF-8 cannot hold."""
    if isinstance(value, list):
        for item in value:
            _check(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if not isinstance(name, str):
                raise BadValue(VALUE)
            _check(name)
            _check(item)
    elif isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise BadValue("is no text that can be written in UTF-8") from None
    elif isinstance(value, int | float):
        if not abs(value) <= sys.float_info.max:
            raise BadValue(VALUE)
    elif value is not None:
        raise BadValue(VALUE)


def _check_spelling(node: ScalarNode, which_is: str) -> None:
    """Raise BadValue for a number that is another one in YAML: 010 is 8, 1:30 is 90."""
    if node.style is not None or node.tag not in NUMBERS:
        return
    value = yaml.safe_load(node.value)
    try:
        same = float(node.value) == float(value)
    except ValueError:
        same = False
    if not same:
        raise BadValue(
            f"{which_is} {value} in YAML: write {value}, or '{node.value}' if it is a text"
        )
