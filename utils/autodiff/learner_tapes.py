"""What the learner's own tapes do while the function runs."""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import tensorflow as tf

from utils.autodiff.learner_frames import is_library, learner_frame, learner_places
from utils.autodiff.learner_inputs import held, held_layers, weights
from utils.autodiff.recording import GradientCall, Recording, TapeEvent, plain


class Observer(Protocol):
    """What the tapes tell: which of them are open, and the gradient call that runs."""

    recording: Recording
    thread: int
    active: dict[int, bool]
    call: int | None


def tape_methods(observer: Observer) -> dict[str, Any]:
    """Return methods for tf.GradientTape that note what the learner's tapes do."""
    cls, recording = tf.GradientTape, observer.recording
    ours = (recording.tape, recording.plain_tape)

    def note(kind: str, tape: Any, tensor: Any = None) -> None:
        places, _, _ = learner_places(sys._getframe(2))
        place = places[0] if places else None
        event = TapeEvent(kind, id(tape), len(recording.ops), tensor, place)
        recording.events.append(event)
        recording.alive += [tape, tensor]

    def foreign(tape: Any) -> bool:
        return tape in ours or threading.get_ident() != observer.thread

    def wrapped(name: str, wrapper: Callable[..., Any]) -> Callable[..., Any]:
        original = getattr(cls, name)

        @functools.wraps(original)
        def method(tape: Any, *args: Any, **kwargs: Any) -> Any:
            if foreign(tape):
                return original(tape, *args, **kwargs)
            return wrapper(original, tape, *args, **kwargs)

        return method

    def init(original: Any, tape: Any, *args: Any, **kwargs: Any) -> None:
        original(tape, *args, **kwargs)
        accessed = kwargs.get("watch_accessed_variables", args[1] if len(args) > 1 else True)
        recording.watch_accessed[id(tape)] = bool(accessed)

    def enter(original: Any, tape: Any) -> Any:
        result = original(tape)
        note("enter", tape)
        observer.active[id(tape)] = True
        return result

    def leave(original: Any, tape: Any, *args: Any) -> Any:
        note("exit", tape)
        observer.active[id(tape)] = False
        return original(tape, *args)

    def watch(original: Any, tape: Any, tensor: Any) -> Any:
        result = original(tape, tensor)
        if is_library(sys._getframe(2)):  # Keras's or py_function's own tape
            return result
        for part in tf.nest.flatten(tensor):
            note("watch", tape, plain(part))
            if recording.watches_along:
                recording.watch(part)
        return result

    def reset(original: Any, tape: Any) -> Any:
        note("reset", tape)
        return original(tape)

    @contextmanager
    def stop_recording(original: Any, tape: Any) -> Iterator[None]:
        note("pause", tape)
        was, observer.active[id(tape)] = observer.active.get(id(tape), False), False
        try:
            with original(tape):
                yield
        finally:
            observer.active[id(tape)] = was
            note("resume", tape)

    def gradient(name: str) -> Callable[..., Any]:
        def call_it(
            original: Any, tape: Any, target: Any, sources: Any, *args: Any, **kwargs: Any
        ) -> Any:
            if observer.call is not None:  # jacobian calls gradient itself
                return original(tape, target, sources, *args, **kwargs)
            places, _, _ = learner_places(sys._getframe(2))
            unconnected = [*args, *kwargs.values()]
            zero = tf.UnconnectedGradients.ZERO
            call = GradientCall(
                index=len(recording.calls),
                tape=tape,
                method=name,
                target=target,
                sources=sources,
                result=None,
                zeros=any(a is zero or (isinstance(a, str) and a == "zero") for a in unconnected),
                first_op=len(recording.ops),
                places=places,
            )
            frame = learner_frame(sys._getframe(2))
            if frame is not None:
                wanted = [id(plain(part)) for part in tf.nest.flatten((target, sources))]
                first = {i: recording.first_names.get((frame.f_code, i), "") for i in wanted}
                for scope in (frame.f_locals, frame.f_globals):
                    _note_names(scope, call.names, first)
                for local, value in list(frame.f_locals.items()):
                    for layer_name, layer in held_layers(local, value):
                        for weight_name, variable in weights(layer_name, layer):
                            call.names.setdefault(id(plain(variable)), weight_name)
            recording.calls.append(call)
            recording.alive += [tape, target, sources]
            observer.call = call.index
            eager = tf.config.functions_run_eagerly()
            if name != "gradient":  # a Jacobian is computed by a function of TensorFlow's own
                tf.config.run_functions_eagerly(False)
            try:
                call.result = original(tape, target, sources, *args, **kwargs)
            except Exception as error:
                call.error = error
                raise
            finally:
                observer.call = None
                tf.config.run_functions_eagerly(eager)
            recording.alive.append(call.result)
            return call.result

        return call_it

    methods: dict[str, Any] = {
        "__init__": init,
        "__enter__": enter,
        "__exit__": leave,
        "watch": watch,
        "reset": reset,
        "stop_recording": stop_recording,
        "gradient": gradient("gradient"),
        "jacobian": gradient("jacobian"),
        "batch_jacobian": gradient("batch_jacobian"),
    }
    return {name: wrapped(name, wrapper) for name, wrapper in methods.items()}


def _note_names(scope: dict[str, Any], names: dict[int, str], first: dict[int, str]) -> None:
    """Note what is called how in a scope: of several names the `first`, if it still holds."""
    found: dict[int, list[str]] = {i: [] for i in first}
    for name, value in list(scope.items()):
        if not name.startswith("_"):
            for part_name, part in held(name, value):
                if id(plain(part)) in found:
                    found[id(plain(part))].append(part_name)
    for key, called in found.items():
        if called:
            names.setdefault(key, first[key] if first[key] in called else called[0])
