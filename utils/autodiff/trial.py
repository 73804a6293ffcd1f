"""The learner's function with its inputs: what it recorded, how to run it again, what it names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from utils.autodiff.learner_inputs import named_inputs, reachable, to_float32, to_tensors
from utils.autodiff.recorder import numbers_to_tensors, record
from utils.autodiff.recording import (
    EagerTensor,
    GradientCall,
    Recording,
    is_variable,
    numbers,
    plain,
)
from utils.autodiff.source_text import written


class Trial:
    """A first run of `f(*inputs)`: its `recording`, and the `sources` among the inputs by name."""

    inputs: list[Any]
    sources: list[tuple[str, Any]]
    recording: Recording

    def __init__(self, f: Callable[..., Any], inputs: Sequence[Any]) -> None:
        self.shown = f
        self.f = getattr(f, "python_function", f)  # the body of a tf.function
        self.reachable = dict(reachable(self.f))
        self._take([to_tensors(value) for value in inputs])
        if self.recording.error is not None and not self.recording.calls:
            smaller = [to_float32(value) for value in self.inputs]
            if any(a is not b for a, b in zip(smaller, self.inputs, strict=True)):
                error, kept = self.recording.error, (self.inputs, self.sources, self.recording)
                self._take(smaller)
                if self.recording.error is not None:
                    self.inputs, self.sources, self.recording = kept
                    self.recording.error = error

    def _take(self, inputs: list[Any]) -> None:
        self.inputs = inputs
        self.sources = [
            (name, value)
            for name, value in named_inputs(self.f, inputs)
            if is_variable(value) or isinstance(value, EagerTensor)
        ]
        self.recording = self.record()

    def record(
        self,
        inputs: Sequence[Any] | None = None,
        *,
        f: Callable[..., Any] | None = None,
        graph: bool = False,
        **options: Any,
    ) -> Recording:
        """Call the function, or `f` in its place; `options` are those of recorder.record."""
        watch = [value for _, value in self.sources] + [v for v in self.reachable.values()]
        recording = record(
            f or self.f,
            self.inputs if inputs is None else inputs,
            eager_functions=not graph,
            watch=[
                value for value in watch if is_variable(value) or isinstance(value, EagerTensor)
            ],
            sources=[value for _, value in self.sources],
            **options,
        )
        if self.shown is not self.f:  # a tf.function
            recording.result = numbers_to_tensors(recording.result)
            recording.opened.add("a tf.function")
        return recording

    # -- words

    def display(self, value: Any) -> str:
        """Return the learner's name of a tensor or variable, an empty text if it has none."""
        value = plain(value)
        for name, known in self.sources:
            if known is value:
                return name
        named = self.recording.names.get(id(value))
        if named:
            return named
        if not is_variable(value) and id(value) not in self.recording.producer:
            handle = self.recording.variable_read(value)
        else:
            op = self.recording.producer.get(id(value))
            handle = id(op.inputs[0]) if op is not None and op.type == "ReadVariableOp" else None
        if handle is not None and handle in self.recording.variables:
            return self.variable_name(self.recording.variables[handle])
        return ""

    def source_name(self, source: Any, index: int, count: int, call: GradientCall) -> str:
        """Return the name of the source number `index` of `count` in a call of gradient."""
        value = plain(source)
        texts = written(call.places[0] if call.places else None, 1, "sources", count)
        if not is_variable(value) and texts and texts[index].endswith(")"):
            if len(texts[index]) <= 40:
                return texts[index]  # a tensor made in the call itself
        named = call.names.get(id(value)) or self.display(value)
        if named:
            return named
        if isinstance(source, keras.Variable):
            return source.path
        if is_variable(value):
            return self.variable_name(value)
        op = self.recording.producer.get(id(value))
        expression = op.place.expression if op is not None and op.place else None
        if expression and len(expression) <= 40:
            return expression
        return "the source" if count == 1 else f"source number {index + 1}"

    def variable_name(self, variable: Any) -> str:
        """Return what the learner calls a variable, else the name that it was made with."""
        names = {id(plain(v)): n for n, v in self.reachable.items()}
        recorded = self.recording.names.get(id(variable))
        return names.get(id(variable)) or recorded or variable.name.partition(":")[0]


def outcome(recording: Recording, call: GradientCall | None) -> list[Any]:
    """Return the numbers that a run computed: its result, or what a call differentiates."""
    if call is None:
        return numbers(recording.result)
    if call.index >= len(recording.calls):
        return []
    return numbers(recording.calls[call.index].target)
