"""The end of the line in the learner's process: does what the judge asks, and says what came of it.

Whoever forges what is said here has to say what is right, for inputs that came a moment ago: what
decides is compared at the other end, and the references for it are in that process alone.
"""

from __future__ import annotations

import base64
import contextlib
import enum
import importlib
import io
import math
import pickle
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from course.grading.wire import MOST_NUMBERS, Line, Message
from utils.problems.answers import learners_line, quietly

DEEPEST = 40  # lists in lists
HELPERS = "utils.problems."  # where the functions are that the judge may have called here
SHARED_LIBRARIES = ("numpy", "tensorflow", "keras")

_read = tf.raw_ops.ReadVariableOp  # kept, whatever a cell makes of the library


class Broken(Exception):
    """What the judge sends cannot be taken in: a cell has spoiled something that this needs."""


class Answering:
    """What the judge has been told of this process, and what it has sent here.

    Things are known by numbers. Those of the learner are described; a model that was made by the
    judge and is handed to the learner lives here from then on, under a number below 0. What is
    shared (variables, and lists in which a function of the judge's takes notes) is at both ends,
    and each message brings what has changed.
    """

    def __init__(self, line: Line, names: Mapping[str, Any]) -> None:
        self._line = line
        self._names = names
        self._things: dict[int, Any] = {}
        self._numbers: dict[int, int] = {}  # id of a thing or of something shared -> its number
        self._shared: dict[int, Any] = {}
        self._known: dict[int, Any] = {}  # the states of what is shared that both ends know

    def serve(self) -> None:
        """Answer until the judge says that it has finished.

        Raises:
            LineDown: the judge is gone.
        """
        while True:
            try:
                message = self._line.receive()
            except KeyboardInterrupt:  # it was meant for what has ended in this moment
                continue
            if message["ask"] == "end":
                return
            reply: Message = {"number": message["number"], "changes": {}}
            try:
                reply["value"] = self._do(message)
            except Broken as error:
                self._line.send(reply | {"broken": str(error)})
                continue
            except BaseException as error:  # noqa: BLE001  whatever a learner's code raises
                reply["error"] = describe_error(error)
            try:
                self._line.send(reply | {"changes": self._changes()})
            except Exception as error:  # noqa: BLE001  what it gave cannot be told
                self._line.send(reply | {"value": None, "error": describe_error(error)})

    def _do(self, message: Message) -> Any:
        kind = message["ask"]
        self._update(message["changes"])
        if kind == "name":
            if message["name"] not in self._names:
                raise NameError(f"name {message['name']!r} is not defined")
            return self.describe(self._names[message["name"]])
        thing = self._things[message["of"]]
        if kind == "attribute":
            return self.describe(getattr(thing, message["name"]))
        arguments, named = self._unpickled(message["arguments"])
        if kind == "assign":
            return setattr(thing, message["name"], arguments[0])
        with quietly():
            if kind == "help":
                return self.describe(_helper(message["name"])(thing, *arguments, **named))
            return self._call(thing, arguments, named)

    def _call(self, f: Any, arguments: list[Any], named: dict[str, Any]) -> Message:
        arrays = [(i, a, a.copy()) for i, a in enumerate(arguments) if isinstance(a, np.ndarray)]
        returned = self.describe(f(*arguments, **named))
        written = {
            str(i): self.describe(now) for i, now, old in arrays if now.tobytes() != old.tobytes()
        }
        return {"returned": returned, "written": written}

    # -- what comes from the judge

    def _unpickled(self, text: str) -> Any:
        unpickler = pickle.Unpickler(io.BytesIO(base64.b64decode(text)))
        unpickler.persistent_load = self._load  # type: ignore[method-assign]
        try:
            return unpickler.load()
        except Exception as error:
            raise Broken(f"{type(error).__name__}: {error}") from error

    def _load(self, reference: tuple[Any, ...]) -> Any:
        kind, number, *parts = reference
        if kind == "thing":
            return self._things[number]
        if kind == "shared":
            return self._shared[number]
        if kind == "list":
            return self._share(number, list(parts[0]))
        if kind == "variable":
            return self._share(number, new_variable(*parts))
        assert kind == "model", kind
        model, variables = parts
        for each, variable in zip(variables, model.variables, strict=True):
            self._share(each, variable)
        self._things[number], self._numbers[id(model)] = model, number
        return model

    def _share(self, number: int, thing: Any) -> Any:
        self._shared[number], self._numbers[id(thing)] = thing, number
        self._known[number] = self._state(thing)
        return thing

    def _update(self, changes: Mapping[str, str]) -> None:
        for key, text in changes.items():
            thing = self._shared[int(key)]
            if isinstance(thing, list):
                thing[:] = self._unpickled(text)
            else:
                thing.assign(self._unpickled(text))
            self._known[int(key)] = self._state(thing)

    def _state(self, thing: Any) -> Any:
        """Return what is in a variable; of a list, as JSON, since its items may change, too."""
        return self.describe(list(thing)) if isinstance(thing, list) else held_by(thing)

    def _changes(self) -> dict[str, Any]:
        now = {number: self._state(thing) for number, thing in self._shared.items()}
        changed = {
            str(number): state if isinstance(state, dict) else self.describe(state)
            for number, state in now.items()
            if not _is_same(state, self._known[number])
        }
        self._known = now
        return changed

    # -- what goes to the judge

    def describe(self, value: Any, depth: int = 0) -> Any:
        """Return a value as JSON; of what is no plain value, its number and what it is like."""
        if isinstance(value, enum.Enum):
            value = value.value
        if value is None or value is True or value is False:
            return value
        if value is ...:
            return {"is": "blank"}
        if isinstance(value, np.ndarray | np.generic):
            scalar = isinstance(value, np.generic)
            return described_array(np.asarray(value), scalar) or self._thing(value)
        if isinstance(value, int):
            return {"is": "int", "text": str(int.__pos__(value))}
        if isinstance(value, float):
            return {"is": "float", "text": float.hex(value)}
        if isinstance(value, complex):
            return {"is": "complex", "text": complex.__repr__(value)}
        if isinstance(value, str):
            return {"is": "text", "text": str.__str__(value)}
        if isinstance(value, bytes):
            return {"is": "bytes", "data": base64.b64encode(value).decode()}
        if isinstance(value, range) and len(value) <= MOST_NUMBERS:
            return {"is": "range", "parts": [value.start, value.stop, value.step]}
        if (number := self._numbers.get(id(value))) is not None:
            return {"is": "known", "number": number, "shared": value is self._shared.get(number)}
        if isinstance(value, list | tuple | set | frozenset | Mapping) and depth < DEEPEST:
            return self._collection(value, depth + 1)
        return self._of_tensorflow(value) or self._thing(value)

    def _collection(self, value: Any, depth: int) -> Message:
        if isinstance(value, Mapping):
            pairs = [[self.describe(k, depth), self.describe(v, depth)] for k, v in value.items()]
            return {"is": "dict", "items": pairs}
        kind = next(each for each in (list, tuple, set, frozenset) if isinstance(value, each))
        return {"is": kind.__name__, "items": [self.describe(each, depth) for each in value]}

    def _of_tensorflow(self, value: Any) -> Message | None:
        if isinstance(value, tf.Variable | keras.Variable):
            number = self._number(value)
            self._shared[number] = value
            self._known[number] = self._state(value)
            state = self.describe(self._known[number])
            kind = "tensorflow" if isinstance(value, tf.Variable) else "keras"
            facts = [kind, value.name.partition(":")[0], bool(value.trainable)]
            return {"is": "variable", "number": number, "facts": facts, "state": state}
        if isinstance(value, tf.IndexedSlices) and _is_small(value):
            parts = [value.values, value.indices, value.dense_shape]
            return {"is": "slices", "parts": [self.describe(each) for each in parts]}
        if isinstance(value, tf.TensorShape):
            return {"is": "shape", "parts": value.as_list() if value.rank is not None else None}
        if tf.is_tensor(value) and hasattr(value, "numpy"):
            found = described_array(np.asarray(value.numpy()))
            return found and found | {"is": "tensor"}
        return None

    def _number(self, value: Any) -> int:
        number = self._numbers[id(value)] = len(self._numbers)
        self._things[number] = value
        return number

    def _thing(self, value: Any) -> Message:
        return {"is": "thing", "number": self._number(value)} | facts_of(value)


def opened(
    make: Any,
    arguments: tuple[Any, ...],
    weights: list[Any],
    compiled: Mapping[str, Any] | None,
    classes: Mapping[str, type],
) -> Any:
    """Return a model as the judge had it; ``classes`` are those of it that Keras does not know."""
    with keras.saving.custom_object_scope(dict(classes)):
        model = make(*arguments)
    model.set_weights(weights)
    if compiled and not model.compiled:
        model.compile_from_config(compiled)
    return model


def held_by(variable: Any) -> np.ndarray:
    """Return a copy of a variable's value, three times as fast as its method ``numpy`` does."""
    return np.asarray(_read(resource=variable.handle, dtype=tf.as_dtype(variable.dtype)).numpy())


def _is_same(one: Any, two: Any) -> bool:
    if isinstance(one, dict):
        return bool(one == two)
    return bool(one.shape == two.shape and one.tobytes() == two.tobytes())


def _is_small(slices: tf.IndexedSlices) -> bool:
    """Tell whether slices of a large tensor may be made into that tensor."""
    shape = slices.dense_shape
    return shape is None or math.prod(np.asarray(shape).tolist()) <= MOST_NUMBERS


def _helper(name: str) -> Any:
    module, _, name = name.rpartition(".")
    if not module.startswith(HELPERS):
        raise ValueError(f"{module} is not where the judge's helpers are")
    return getattr(importlib.import_module(module), name).__wrapped__


def new_variable(kind: str, name: str, trainable: bool, value: Any) -> Any:
    """Return a variable of TensorFlow's or Keras's."""
    if kind == "tensorflow":
        return tf.Variable(value, trainable=trainable, name=name)
    return keras.Variable(value, trainable=trainable, name=name)


def facts_of(value: Any) -> Message:
    """Return what a thing is like that stays here."""
    facts: Message = {
        "type": type(value).__name__,
        "classes": known_classes(type(value)),
        "callable": callable(value),
        "is_class": isinstance(value, type),
        "attributes": {},
    }
    for name in ("__name__", "__doc__"):
        with contextlib.suppress(Exception):
            if isinstance(given := getattr(value, name), str):
                facts["attributes"][name] = str.__str__(given)[:300]
    if not callable(value):
        with contextlib.suppress(Exception):
            facts["repr"] = repr(value)[:500]
        with contextlib.suppress(Exception):
            facts["array"] = described_array(np.asarray(value))
    return facts


def known_classes(kind: type) -> list[str]:
    """Return where a class's ancestors are that the judge knows too, as ``module:name``."""
    return [
        f"{each.__module__}:{each.__qualname__}"
        for each in kind.__mro__
        if each.__module__.partition(".")[0] in SHARED_LIBRARIES and each is not object
    ]


def described_array(array: np.ndarray, scalar: bool = False) -> Message | None:
    """Return an array as JSON, or None where it holds other things than numbers and texts."""
    known = array.dtype.kind in "biufcSU" or array.dtype.name == "bfloat16"
    if not known or array.dtype.names:
        return None
    return {
        "is": "array",
        "dtype": array.dtype.str if array.dtype.kind != "V" else array.dtype.name,
        "shape": list(array.shape),
        "data": base64.b64encode(array.tobytes()).decode(),
        "scalar": scalar,
    }


def describe_error(error: BaseException) -> Message:
    """Return an exception as JSON, with the learner's line that raised it."""
    place, line, said = None, "", ""
    with contextlib.suppress(Exception):
        place, line = learners_line(error)
    with contextlib.suppress(Exception):
        said = str(error)[:4000]
    return {
        "classes": [each.__name__ for each in type(error).__mro__],
        "said": said,
        "place": place,
        "line": line[:300],
    }
