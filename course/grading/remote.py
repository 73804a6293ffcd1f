"""Answers of a learner, seen from the judge's process: functions, models and variables over there.

What comes over the line is JSON and is never executed. What goes there is pickled, functions by
their code: the learner's process trusts the judge, and not the other way round.
"""

from __future__ import annotations

import base64
import builtins
import io
import itertools
import math
import sys
import types
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import cloudpickle
import keras
import numpy as np
import tensorflow as tf

from course.grading.answering import SHARED_LIBRARIES, held_by, new_variable, opened
from course.grading.wire import MOST_NUMBERS, Line, LineDown, Message

# Both processes have the libraries' submodules in memory, and looking through all modules for them,
# for each function, would take a tenth of the judge's time.
cloudpickle.cloudpickle._find_imported_submodules = lambda code, dependencies: []

OWN_MODULES = "utils.problems."  # what is defined there, the other process does not have

MOST_LINES = 10**6  # of a notebook's cell


class NotPortable(BaseException):
    """What a check hands over cannot go to another process: our mistake, not the learner's."""


class Remote:
    """The learner's process at the other end of a line."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._count = itertools.count(1)
        self.forget()

    def forget(self) -> None:
        """Let go of everything that was handed over, in either direction."""
        self._shared: dict[int, Any] = {}  # variables and lists that are at both ends
        self._known: dict[int, Any] = {}  # their states that both ends know
        self._numbers: dict[int, int] = {}  # id of what is shared or has moved -> its number
        self._things: dict[int, Any] = {}  # what stands here for a thing over there
        self._own = itertools.count(-1, -1)

    def name(self, name: str) -> Any:
        """Return what has this name in the learner's notebook.

        Raises:
            NameError: nothing has.
            LineDown: the process is gone, or what it says is no answer.
        """
        return self.ask("name", name=name)

    def end(self) -> None:
        """Say that there will be no more questions for now."""
        self._line.send({"ask": "end"})

    def ask(self, kind: str, **parts: Any) -> Any:
        """Have something done over there and return what came of it, or raise what was raised."""
        number = next(self._count)
        self._line.send({"ask": kind, "number": number, "changes": self._changes()} | parts)
        while (reply := self._line.receive()).get("number") != number:
            continue  # the answer to a question whose time was up
        if "broken" in reply:
            raise LineDown(f"a cell has spoiled what is needed to check: {reply['broken']}")
        try:
            self._update(reply["changes"])
            error = raised_there(reply["error"]) if "error" in reply else None
            value = None if error else self.value(reply["value"])
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as trouble:
            raise LineDown(f"what came is no answer: {trouble!r}") from trouble
        if error:
            raise error
        return value

    def call(self, number: int, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Call a thing over there; arrays that it writes into are written into here too."""
        done = self.ask("call", of=number, arguments=self.pickled((list(arguments), named)))
        for place, now in done["written"].items():
            arguments[int(place)][...] = now
        return done["returned"]

    # -- what goes there

    def pickled(self, value: Any) -> str:
        """Return a value as text that the other end can make into a value again.

        Raises:
            NotPortable: it cannot be pickled.
        """
        file = io.BytesIO()
        try:
            _Pickler(file, self).dump(value)
        except Exception as error:
            raise NotPortable(f"{value!r} cannot be handed to the learner: {error}") from error
        return base64.b64encode(file.getvalue()).decode()

    def reference(self, thing: Any) -> tuple[Any, ...] | None:
        """Return how a thing that is shared, or lives over there, is called in a pickle."""
        if (number := getattr(type(thing), "number_there", None)) is not None:
            return ("thing", number)
        if (number := self._numbers.get(id(thing))) is not None:
            return ("shared", number)
        if isinstance(thing, tf.Variable | keras.Variable):
            kind = "tensorflow" if isinstance(thing, tf.Variable) else "keras"
            name = thing.name.partition(":")[0]
            number = self._share(thing)
            return ("variable", number, kind, name, bool(thing.trainable), held_by(thing))
        if isinstance(thing, keras.Model):
            return self._move(thing)
        return None

    def list_reference(self, notes: list[Any]) -> tuple[Any, ...]:
        """Return how a list is called that is at both ends from now on."""
        if (number := self._numbers.get(id(notes))) is not None:
            return ("shared", number)
        return ("list", self._share(notes), tuple(notes))

    def _share(self, thing: Any) -> int:
        number = self._numbers[id(thing)] = next(self._own)
        self._shared[number] = thing
        self._known[number] = state_of(thing)
        return number

    def _move(self, model: Any) -> tuple[Any, ...]:
        """Hand a model over: what has its name here stands for the one over there, from now on."""
        number = next(self._own)
        variables = [self._share(each) for each in model.variables]
        twin = _Portable(model)
        self._things[number] = model
        _stand_for(model, self, number)
        return ("model", number, twin, variables)

    def _changes(self) -> dict[str, str]:
        now = {number: state_of(thing) for number, thing in self._shared.items()}
        changed = {k: v for k, v in now.items() if not same_state(v, self._known[k])}
        self._known = now
        return {str(number): self.pickled(state) for number, state in changed.items()}

    # -- what comes from there

    def value(self, said: Any) -> Any:
        """Return the value that was described, with objects of ours for things of theirs."""
        if said is None or isinstance(said, bool):
            return said
        if isinstance(said, dict) and "returned" in said:
            written = {place: self.value(each) for place, each in said["written"].items()}
            return {"returned": self.value(said["returned"]), "written": written}
        kind = said["is"]
        if kind in PLAIN:
            return PLAIN[kind](said)
        if kind in ("list", "tuple", "set", "frozenset"):
            parts = [self.value(each) for each in said["items"]]
            return getattr(builtins, kind)(map(_key, parts) if "set" in kind else parts)
        if kind == "dict":
            return {_key(self.value(key)): self.value(each) for key, each in said["items"]}
        if kind == "slices":
            return _slices(*(self.value(each) for each in said["parts"]))
        if kind == "known":
            return (self._shared if said["shared"] else self._things)[said["number"]]
        if kind == "variable":
            return self._variable(said)
        return self._thing(said)

    def _variable(self, said: Message) -> Any:
        kind, name, trainable = said["facts"]
        number, state = said["number"], self.value(said["state"])
        variable = new_variable(kind, str(name), bool(trainable), state)
        self._shared[number], self._known[number] = variable, state_of(variable)
        self._numbers[id(variable)] = number
        return variable

    def _thing(self, said: Message) -> Any:
        number = int(said["number"])
        if number not in self._things:
            self._things[number] = _new_thing(said, self, number)
        return self._things[number]

    def _update(self, changes: Mapping[str, Any]) -> None:
        for key, said in changes.items():
            thing, state = self._shared[int(key)], self.value(said)
            if isinstance(thing, list):
                thing[:] = state
            else:
                thing.assign(state)
            self._known[int(key)] = state_of(thing)


def state_of(thing: Any) -> Any:
    """Return a copy of what is in a variable or a list."""
    return list(thing) if isinstance(thing, list) else held_by(thing)


def same_state(one: Any, two: Any) -> bool:
    """Tell whether two states of the same thing are equal, NaN to NaN."""
    if isinstance(one, list):
        return len(one) == len(two) and all(map(_equal, one, two))
    return bool(one.shape == two.shape and one.tobytes() == two.tobytes())


def _equal(one: Any, two: Any) -> bool:
    try:
        return one is two or bool(one == two)
    except (TypeError, ValueError):
        return False


# -- things of theirs, seen from here


class There:
    """Stands for something in the learner's process; made by a class of its own for each."""

    number_there: int
    remote: Remote

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(self).remote.ask("attribute", of=type(self).number_there, name=name)

    def __setattr__(self, name: str, value: Any) -> None:
        remote = type(self).remote
        text = remote.pickled(([value], {}))
        remote.ask("assign", of=type(self).number_there, name=name, arguments=text)

    def __repr__(self) -> str:
        return str(self.__dict__.get("said", f"<{type(self).__name__}>"))


class ClassThere(type):
    """Stands for a class: called, it makes an object over there."""

    number_there: int
    remote: Remote

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        return cls.remote.call(cls.number_there, arguments, named)


class CallableThere(There):
    """Stands for a function or a model."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return type(self).remote.call(type(self).number_there, arguments, named)

    def course_there(self, helper: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Have a helper of the judge's look at this where it lives."""
        remote = type(self).remote
        name = f"{helper.__module__}.{helper.__qualname__}"
        text = remote.pickled((list(arguments), named))
        return remote.ask("help", of=type(self).number_there, name=name, arguments=text)


def _new_thing(said: Message, remote: Remote, number: int) -> Any:
    """Return what stands for a thing; it passes for an instance of the libraries' classes."""
    ancestors = [known for name in said["classes"] if (known := known_class(name))]
    base = CallableThere if said["callable"] else There
    parts: dict[str, Any] = {"number_there": number, "remote": remote}
    if ancestors and not said["is_class"]:
        parts["__class__"] = property(lambda _: ancestors[0])
    if said["is_class"]:
        own = type(str(said["type"]), (ClassThere,), parts)
        return own(str(said["attributes"].get("__name__", "type")), (), {})
    if said.get("array"):
        array = remote.value(said["array"])
        parts["__array__"] = lambda self, dtype=None, copy=None: np.asarray(array, dtype)
    thing = type(str(said["type"]), (base,), parts)()
    for name in ("__name__", "__doc__"):
        if name in said["attributes"]:
            thing.__dict__[name] = str(said["attributes"][name])
    if "repr" in said:
        thing.__dict__["said"] = str(said["repr"])
    return thing


def known_class(name: str) -> type | None:
    """Return the class called ``module:name`` if one of the shared libraries has it in memory."""
    module, _, path = str(name).partition(":")
    if module.partition(".")[0] not in SHARED_LIBRARIES:
        return None
    found: Any = sys.modules.get(module)
    for part in path.split("."):
        found = getattr(found, part, None)
    return found if isinstance(found, type) else None


def _stand_for(model: Any, remote: Remote, number: int) -> None:
    """Make a model of ours stand for the one over there that it was copied to."""

    def look_up(self: Any, name: str) -> Any:
        if name.startswith("__") or name == "course_there":
            return object.__getattribute__(self, name)
        return remote.ask("attribute", of=number, name=name)

    parts = {
        "number_there": number,
        "remote": remote,
        "__getattribute__": look_up,
        "__setattr__": There.__setattr__,
        "__call__": CallableThere.__call__,
        "__repr__": lambda self: f"<{type(self).__name__}>",
        "course_there": CallableThere.course_there,
    }
    kind = type(type(model).__name__, (type(model),), parts)
    object.__setattr__(model, "__class__", kind)


# -- pickles


class _Portable:
    """A model on its way: pickled as its kind asks for, and opened as the model itself."""

    def __init__(self, model: Any) -> None:
        parts = [type(each) for each in (model, *model._flatten_layers())]
        classes = {each.__name__: each for each in parts if not each.__module__.startswith("keras")}
        compiled = model.get_compile_config() if model.compiled else None
        self.made = (*_made_by(model), model.get_weights(), compiled, classes)

    def __reduce__(self) -> Any:
        return opened, self.made


def _made_by(model: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Return a function and its arguments that make such a model; Keras's own way is a zip file."""
    if type(model).__reduce__ is not keras.Model.__reduce__:
        make, arguments, *_ = model.__reduce__()
        return make, arguments
    make = partial(keras.saving.deserialize_keras_object, safe_mode=False)
    return make, (keras.saving.serialize_keras_object(model),)


@cache
def _pickle_own_modules_by_value(known: int) -> None:
    """Have our modules pickled by their code; to be called when more modules are ``known``."""
    for name, module in list(sys.modules.items()):
        if name.startswith(OWN_MODULES):
            cloudpickle.register_pickle_by_value(module)


class _Pickler(cloudpickle.Pickler):
    """Pickles functions by their code, and refers to what is shared or lives over there."""

    def __init__(self, file: io.BytesIO, remote: Remote) -> None:
        super().__init__(file)
        _pickle_own_modules_by_value(len(sys.modules))
        self._remote = remote
        self._notes: set[int] = set()  # ids of lists into which a function writes

    def persistent_id(self, thing: Any) -> Any:
        if isinstance(thing, list):
            return self._remote.list_reference(thing) if id(thing) in self._notes else None
        if isinstance(thing, str | bytes | int | float | tuple | dict | np.ndarray):
            return None
        return self._remote.reference(thing)

    def reducer_override(self, thing: Any) -> Any:
        if isinstance(thing, types.FunctionType):
            held = [cell.cell_contents for cell in thing.__closure__ or ()]
            self._notes |= {id(each) for each in held if isinstance(each, list)}
        if isinstance(thing, keras.optimizers.Optimizer | keras.losses.Loss | keras.metrics.Metric):
            return type(thing).from_config, (thing.get_config(),)
        return super().reducer_override(thing)


# -- what was described


def _array(said: Message) -> Any:
    name = said["dtype"]
    kind = np.dtype(tf.bfloat16.as_numpy_dtype if name == "bfloat16" else str(name))
    if kind.kind not in "biufcSU" and name != "bfloat16":
        raise ValueError(f"an array of {kind}")
    flat = np.frombuffer(base64.b64decode(said["data"]), kind)
    shape = [int(each) for each in said["shape"]]
    if not flat.size:
        _small(math.prod(max(1, each) for each in shape))
    array = flat.reshape(shape).copy()
    if said["is"] == "tensor":
        return tf.constant(array)
    return array[()] if said["scalar"] else array


def _key(value: Any) -> Any:
    """Return a value as something that a set can hold; an Enum's own may be a list."""
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value


def _slices(values: Any, indices: Any, shape: Any) -> tf.IndexedSlices:
    if shape is not None:
        _small(math.prod(np.asarray(shape).tolist()))
    return tf.IndexedSlices(values, indices, shape)


def _range(said: Message) -> range:
    found = range(*map(int, said["parts"]))
    _small(len(found))
    return found


def _small(count: int) -> None:
    if count > MOST_NUMBERS:
        raise ValueError(f"{count:,} numbers in a few words")


PLAIN: dict[str, Callable[[Message], Any]] = {
    "blank": lambda _: ...,
    "int": lambda said: int(said["text"]),
    "float": lambda said: float.fromhex(said["text"]),
    "complex": lambda said: complex(said["text"]),
    "text": lambda said: str(said["text"]),
    "bytes": lambda said: base64.b64decode(said["data"]),
    "range": _range,
    "shape": lambda said: tf.TensorShape(said["parts"]),
    "array": _array,
    "tensor": _array,
}


class RaisedThere:
    """What an exception is that a learner's code raised; it is also an exception of Python's."""

    learners_line: tuple[int | None, str]
    said: str

    def __str__(self) -> str:
        return self.said


def raised_there(described: Message) -> BaseException:
    """Return an exception with the name, ancestors, words and line of the one over there."""
    names = [str(each) for each in described["classes"]]
    kinds = (getattr(builtins, name, None) for name in names)
    allowed = Exception, SystemExit
    pythons = next(
        (
            kind
            for kind in kinds
            if isinstance(kind, type)
            and issubclass(kind, allowed)
            and not issubclass(kind, BaseExceptionGroup)  # it cannot be made without its members
        ),
        Exception,
    )
    kind: Any = type(pythons.__name__, (RaisedThere, pythons), {})
    for name in reversed(list(itertools.takewhile(lambda n: n != pythons.__name__, names))):
        kind = type(name, (kind,), {})
    error = kind.__new__(kind)
    place = described["place"]
    known = type(place) is int and 0 < place <= MOST_LINES
    error.learners_line = (place if known else None, str(described["line"]))
    error.said = str(described["said"])
    return error
