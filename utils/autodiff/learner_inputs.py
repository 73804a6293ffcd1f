"""The learner's function and its inputs: names, tensors, and what the function can reach."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from utils.autodiff.recording import EagerTensor, is_variable, plain


def reachable(f: Any, depth: int = 3) -> Iterator[tuple[str, Any]]:
    """Give the names and values of tensors, variables and Keras layers that `f` can reach.

    Looks at closures, the global names its code mentions, bound objects, partial arguments, and
    the functions found there.
    """
    seen: set[int] = set()

    def look(name: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
        if id(value) in seen or isinstance(value, (types.ModuleType, type)):
            return
        seen.add(id(value))
        if is_variable(value) or isinstance(value, EagerTensor):
            yield name, value
        elif isinstance(value, keras.Layer):
            yield name, value
            yield from weights(name, value)
            for path, variable in plain_variables(value):
                yield f"{name}.{path}", variable
        elif depth > 0:
            for inner_name, inner in _parts(name, value):
                yield from look(inner_name, inner, depth - 1)

    if isinstance(f, keras.Layer):
        yield from look("model", f, depth)
    else:
        for name, value in _parts("", f):
            yield from look(name, value, depth)


def _parts(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, functools.partial):
        for i, part in enumerate(value.args):
            yield f"argument {i + 1}", part
        yield from value.keywords.items()
        yield "", value.func
        return
    if isinstance(value, types.MethodType):
        yield "self", value.__self__
        yield "", value.__func__
        return
    if hasattr(value, "python_function"):
        yield name, value.python_function
        return
    if isinstance(value, types.FunctionType):
        code = value.__code__
        for variable, cell in zip(code.co_freevars, value.__closure__ or (), strict=False):
            try:
                yield variable, cell.cell_contents
            except ValueError:  # a cell that is not filled yet
                continue
        names = set(code.co_names)
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                names |= set(constant.co_names)
        for used in sorted(names):
            if used in value.__globals__:
                yield used, value.__globals__[used]
        return
    if isinstance(value, dict):
        for key, part in list(value.items())[:200]:
            yield f"{name}[{key!r}]", part
    elif isinstance(value, (list, tuple)):
        for key, part in list(zip(_entries(value), value, strict=True))[:200]:
            yield f"{name}{key}", part
    elif hasattr(value, "__dict__") and not isinstance(value, np.ndarray):
        root = type(value).__module__.partition(".")[0]
        if root in ("tensorflow", "keras", "numpy"):
            return
        tracked = isinstance(value, (keras.Layer, tf.Module))
        for key, part in list(vars(value).items())[:200]:
            if not (tracked and key.startswith("_")):  # the library's own books
                yield f"{name}.{key}" if name else key, part
        if not name and callable(value):
            yield "", type(value).__call__


def _entries(value: Sequence[Any]) -> list[str]:
    """Return how the parts of a list or tuple are written: `[0]`, or `.w` of a named tuple."""
    return [f".{field}" for field in getattr(value, "_fields", ())] or [
        f"[{i}]" for i in range(len(value))
    ]


def weights(name: str, layer: keras.Layer) -> Iterator[tuple[str, Any]]:
    """Give the variables of a Keras layer or model with their names: `model.dense/kernel`."""
    for variable in layer.variables:
        yield f"{name}.{variable.path.removeprefix(f'{layer.path}/')}", variable


def held_layers(name: str, value: Any) -> Iterator[tuple[str, keras.Layer]]:
    """Give a Keras layer or model, or those that a learner's object holds: `self.model`."""
    if isinstance(value, keras.Layer):
        yield name, value
    elif not isinstance(value, (*_NO_CONTAINERS, list, tuple, dict)):
        for part_name, part in _parts(name, value):
            if isinstance(part, keras.Layer):
                yield part_name, part


def held(name: str, value: Any, depth: int = 3) -> Iterator[tuple[str, Any]]:
    """Give the tensors and variables in a list, dict or object, named: `params[0]`, `self.w`."""
    if is_variable(value) or isinstance(value, EagerTensor):
        yield name, value
    elif depth and not isinstance(value, _NO_CONTAINERS) and not hasattr(value, "python_function"):
        if not isinstance(value, (list, tuple, dict)) or len(value) <= 64:
            for inner_name, inner in _parts(name, value):
                if inner_name:
                    yield from held(inner_name, inner, depth - 1)


_NO_CONTAINERS = (
    *(types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.ModuleType),
    *(type, functools.partial, str, bytes, bool, int, float, complex, np.ndarray, np.generic),
)


def plain_variables(layer: Any) -> Iterator[tuple[str, Any]]:
    """Give the tf.Variables that a Keras layer or its sublayers hold as attributes."""
    own = {id(plain(v)) for v in layer.variables}
    seen = set()

    def look(path: str, value: Any) -> Iterator[tuple[str, Any]]:
        if id(value) in seen:
            return
        seen.add(id(value))
        if isinstance(value, tf.Variable):
            if id(value) not in own:
                yield path, value
        elif isinstance(value, keras.Layer):
            parts = {name: part for name, part in vars(value).items() if not name.startswith("_")}
            if isinstance(value, keras.Model):
                parts |= {layer.name: layer for layer in value.layers}
            for name, part in parts.items():
                yield from look(f"{path}.{name}" if path else name, part)
        elif isinstance(value, (list, tuple)):
            for i, part in enumerate(value):
                yield from look(f"{path}[{i}]", part)
        elif isinstance(value, dict):
            for name, part in value.items():
                yield from look(f"{path}[{name!r}]", part)

    yield from look("", layer)


def to_tensors(value: Any) -> Any:
    """Return an input with its floats, float arrays and rows of numbers as tensors."""
    if isinstance(value, (bool, int, str, bytes)) or value is None:
        return value
    if isinstance(value, (float, complex)):
        return tf.constant(float(value) if isinstance(value, float) else complex(value))
    if isinstance(value, (np.ndarray, np.generic)):
        return tf.constant(value) if value.dtype.kind in "fc" else value
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        if value and _all_numbers(value):
            if any(isinstance(part, float) for part in _flat(value)):
                try:
                    return tf.constant(value, dtype=tf.float32)
                except (TypeError, ValueError):  # rows of different lengths
                    pass
            else:
                return value
        return type(value)(to_tensors(part) for part in value)
    if isinstance(value, dict):
        return {key: to_tensors(part) for key, part in value.items()}
    return value


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from _flat(part)
    else:
        yield value


def _all_numbers(value: Any) -> bool:
    return all(
        isinstance(part, (float, int)) and not isinstance(part, bool) for part in _flat(value)
    )


def to_float32(value: Any) -> Any:
    """Return an input with float64 tensors as float32, the same object where there are none."""
    if isinstance(value, EagerTensor) and value.dtype == tf.float64:
        return tf.cast(value, tf.float32)
    if type(value) in (list, tuple):
        parts = type(value)(to_float32(part) for part in value)
        return parts if any(a is not b for a, b in zip(parts, value, strict=True)) else value
    return value


def named_inputs(f: Any, inputs: Sequence[Any]) -> list[tuple[str, Any]]:
    """Give each part of the inputs with the name it has in the learner's function."""
    try:
        shown = f.call if isinstance(f, keras.Layer) else f
        parameters = list(inspect.signature(shown).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names: list[str] = []
    for i in range(len(inputs)):
        parameter = parameters[min(i, len(parameters) - 1)] if parameters else None
        if parameter is None:
            names.append("x" if len(inputs) == 1 else f"input {i + 1}")
        elif parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            names.append(f"{parameter.name}[{i - parameters.index(parameter)}]")
        else:
            names.append(parameter.name)
    found: list[tuple[str, Any]] = []

    def look(name: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, part in value.items():
                look(f"{name}[{key!r}]", part)
        elif isinstance(value, (list, tuple)):
            for key, part in zip(_entries(value), value, strict=True):
                look(f"{name}{key}", part)
        else:
            found.append((name, plain(value)))

    for name, value in zip(names, inputs, strict=True):
        look(name, value)
    return found


def function_name(f: Any) -> str:
    """Return the name the learner gave a function; an empty text for a lambda."""
    while isinstance(f, functools.partial):
        f = f.func
    return getattr(f, "__name__", type(f).__name__).replace("<lambda>", "")
