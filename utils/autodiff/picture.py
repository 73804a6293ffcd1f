"""From a recording to what a picture of it shows: nodes, edges, and the path that was taken."""

from __future__ import annotations

import functools
import re
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from utils.autodiff.dependencies import CALLED, is_call, key_of, writes_state
from utils.autodiff.learner_inputs import named_inputs, reachable
from utils.autodiff.path_taken import path_taken
from utils.autodiff.recording import (
    NOT_COMPUTED,
    EagerTensor,
    Exit,
    Op,
    Recording,
    array_of,
    differentiable,
    is_variable,
    plain,
)
from utils.plotting.figures import short_number

TIMES, MINUS = "\u00d7", "\u2212"
_SYMBOLS = {
    "Add": "+",
    "AddN": "+",
    "AddV2": "+",
    "BatchMatMulV2": "matmul",
    "BatchMatMulV3": "matmul",
    "BiasAdd": "+ bias",
    "ConcatV2": "concat",
    "Div": "÷",
    "DivNoNan": "÷",
    "EagerPyFunc": "py_function",
    "Equal": "=",
    "GatherV2": "gather",
    "Greater": ">",
    "GreaterEqual": "≥",
    "Less": "<",
    "LessEqual": "≤",
    "MatMul": "matmul",
    "Max": "reduce_max",
    "Mean": "reduce_mean",
    "Min": "reduce_min",
    "Mul": TIMES,
    "Neg": f"{MINUS}( )",
    "NotEqual": "≠",
    "Pack": "stack",
    "Pow": "power",
    "Prod": "reduce_prod",
    "RealDiv": "÷",
    "ReluGrad": "relu'",
    "ResourceGather": "gather",
    "SelectV2": "where",
    "SigmoidGrad": "sigmoid'",
    "SoftmaxCrossEntropyWithLogits": "cross-entropy",
    "SparseSoftmaxCrossEntropyWithLogits": "cross-entropy",
    "SquaredDifference": f"(a {MINUS} b)²",
    "StridedSlice": "slice [ ]",
    "Sub": MINUS,
    "Sum": "reduce_sum",
    "TanhGrad": "tanh'",
    "Unpack": "unstack",
}
_SHAPE_OPS = {"Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike", "BroadcastGradientArgs"}


_BACKWARD = re.compile(r"_*backward_(\w+?)(?:_\d+)?")
_UNSEEN = (
    "The tape that was asked did not record the steps with dashed arrows; the gradients are those "
    "of a tape around everything."
)


@dataclass(eq=False)
class Node:
    """One box: `kind` is input, variable, constant, op, function, or exit."""

    kind: str
    title: str
    value: str = ""
    gradient: str | None = None  # None: not shown
    name: str | None = None
    output: bool = False
    faded: bool = False
    nested: bool = False  # computed by one of the learner's own tapes
    stops: bool = False  # the gradient is None though the value goes on
    notes: tuple[str, ...] = ()
    layer: int = 0


@dataclass(eq=False)
class Edge:
    start: Node
    end: Node
    kind: str = "plain"  # plain, faded, or stopped: the value passes, the gradient does not


@dataclass(eq=False)
class Picture:
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    target: str = "z"
    caption: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


def picture_of(
    f: Callable[..., Any],
    inputs: Sequence[Any],
    recording: Recording,
    targets: Sequence[Any],
    links: dict[int, Exit],
) -> Picture:
    """Return the boxes and arrows for a recording.

    `links` maps the id of a constant to the exit by which its value had left TensorFlow.
    """
    return _Painter(f, inputs, recording, targets, links).picture()


class _Painter:
    def __init__(
        self,
        f: Callable[..., Any],
        inputs: Sequence[Any],
        recording: Recording,
        targets: Sequence[Any],
        links: dict[int, Exit],
    ) -> None:
        self.f, self.recording, self.targets, self.links = f, recording, list(targets), links
        self.names = dict(recording.names)
        self.sources: dict[int, tuple[str, str, Any]] = {}
        for name, value in named_inputs(f, inputs):
            value = plain(value)
            if is_variable(value):
                self.sources[id(value.handle)] = ("variable", name, value)
            elif isinstance(value, EagerTensor):
                self.sources[id(value)] = ("input", name, value)
        known = {id(plain(v)): n for n, v in reachable(f)}
        for variable in [*recording.tape.watched_variables(), *recording.variables.values()]:
            name = (
                recording.names.get(id(variable))
                or known.get(id(variable))
                or variable.name.partition(":")[0]
            )
            self.sources.setdefault(id(variable.handle), ("variable", name, variable))
        live = self._live()
        for call in recording.calls:
            for value in tf.nest.flatten(call.sources):
                self._add_input(plain(value), live, call.names)
        for event in recording.events:
            if event.kind == "watch":
                self._add_input(event.tensor, live, {})
        self.nodes: dict[int, Node] = {}  # id of a tensor or handle -> the box that gives it
        lost = recording.calls and any(r is None for r in tf.nest.flatten(recording.result))
        self.asked = id(recording.calls[-1].tape) if lost else None  # it answered None
        self.live = self._live()
        self.needed = self._needed()
        self.groups: dict[Any, Node] = {}
        self.result = Picture(target=self._target_name())

    def _add_input(self, value: Any, live: set[int], names: dict[int, str]) -> None:
        """Take a tensor for an input that was made inside the function, of nothing drawn."""
        if isinstance(value, EagerTensor) and id(value) not in live:
            name = names.get(id(value)) or self.recording.names.get(id(value)) or "x"
            self.sources.setdefault(id(value), ("input", name, value))

    def picture(self) -> Picture:
        drawn = [op for op in self.recording.ops if self._is_drawn(op)]
        self._gradients(drawn)
        for op in drawn:
            self._add(op)
        shown = {id(edge.start) for edge in self.result.edges}
        for key, (kind, name, value) in self.sources.items():
            if key not in self.nodes and kind == "input":
                node = self._source(key, kind, name, value)
                node.faded = True
            elif key in self.nodes and id(self.nodes[key]) not in shown:
                self.nodes[key].faded = True
        for target in self.targets:
            if (end := self._node_of(target)) is not None:
                end.output = True
        self._tidy()
        for node in self.result.nodes:
            self.result.counts[node.kind] = self.result.counts.get(node.kind, 0) + 1
        self.result.caption = path_taken(self.recording.steps)
        return self.result

    def _tidy(self) -> None:
        linked = {id(n) for e in self.result.edges for n in (e.start, e.end)}
        self.result.nodes = [
            n for n in self.result.nodes if id(n) in linked or n.kind != "constant" or n.output
        ]

    # -- what is drawn

    def _keys(self, op: Op) -> list[int]:
        return [self._key(value) for value in op.inputs]

    def _key(self, value: Any) -> int:
        """A tensor is known by its id, one that was read from a variable by the variable's."""
        handle = self.recording.variable_read(value)
        return id(value) if handle is None else handle

    def _live(self) -> set[int]:
        """Return the ids of tensors whose value comes from an input or a variable."""
        live = {*self.sources, *self.links}
        for op in self.recording.ops:
            if op.type in _SHAPE_OPS or op.type in ("VarHandleOp", "VarIsInitializedOp"):
                continue
            if writes_state(op):
                if any(key in live for key in self._keys(op)[1:]):
                    live.add(id(op.inputs[0]))
                continue
            if any(key in live for key in self._keys(op)):
                live.update(id(output) for output in op.outputs)
        return live

    def _needed(self) -> set[int]:
        """Return the ids of tensors that the targets come from, also by way of NumPy."""
        needed = {id(t) for t in self.targets}
        for op in reversed(self.recording.ops):
            for key in needed & set(self.links):
                needed.update(key_of(e.tensor) for e in self._same_door(self.links[key]))
            if any(id(o) in needed for o in op.outputs) or (
                writes_state(op) and id(op.inputs[0]) in needed
            ):
                needed.update(self._keys(op))
        return needed

    def _is_drawn(self, op: Op) -> bool:
        if op.type in _SHAPE_OPS or op.type in ("VarHandleOp", "VarIsInitializedOp"):
            return False
        if op.type == "AssignVariableOp" and not any(k in self.live for k in self._keys(op)[1:]):
            return False
        if op.call is not None and not any(id(o) in self.needed for o in op.outputs):
            return False
        return any(key in self.live for key in self._keys(op))

    def _gradients(self, drawn: Sequence[Op]) -> None:
        tensors = {id(t): t for op in drawn for t in (*op.inputs, *op.outputs)}
        tensors = {k: t for k, t in tensors.items() if differentiable(t.dtype)}
        sources = {
            key: value for key, (_, _, value) in self.sources.items() if differentiable(value.dtype)
        }
        wanted = {**tensors, **sources}
        self.gradient: dict[int, Any] = dict.fromkeys(wanted)
        try:
            found = self.recording.gradients(self.targets, list(wanted.values()))
            self.gradient.update(zip(wanted, found, strict=True))
        except LookupError as error:
            self.result.remarks.append(
                f"No gradient is drawn: {str(error).strip().splitlines()[0]}"
            )
        except NOT_COMPUTED as error:  # as when tf.py_function gives one of another shape
            self.gradient = {}
            reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
            self.result.remarks.append(
                f"No gradient is drawn: TensorFlow cannot compute all of them ({reason})."
            )

    # -- boxes

    def _add(self, op: Op) -> None:
        if op.type == "ReadVariableOp":
            handle = id(op.inputs[0])
            node = self.nodes.get(handle) or self._leaf(op.inputs[0], op)
            if node is not None:
                self.nodes[id(op.outputs[0])] = node
                if node.kind == "op":  # what was stored in the variable before
                    node.output |= op.outputs[0] in [t for t in self.targets if t is op.outputs[0]]
            return
        if op.custom is not None and op.custom in self.groups:
            node = self.groups[op.custom]
        else:
            node = Node("op", self._symbol(op))
            if op.custom is not None:
                self.groups[op.custom] = node
                node.title = op.places[0].function if op.places else "custom_gradient"
                node.notes = ("custom gradient",)
            self.result.nodes.append(node)
        node.nested = op.call is not None
        if is_call(op):
            node.kind = "function"
            node.title, node.notes = self._function(op)
        for value in op.inputs:
            start = self._start(value, op)
            if start is None or start is node:
                continue
            self.result.edges.append(Edge(start, node, self._edge_kind(op, value)))
        outputs = [o for o in op.outputs if o.dtype != tf.variant]
        if is_call(op):  # beside its results are counters that its gradient needs
            outputs = [o for o in outputs if differentiable(o.dtype)] or outputs
        if writes_state(op):
            self.nodes[id(op.inputs[0])] = node
            variable = self.recording.variables.get(id(op.inputs[0]))
            node.title = f"stored in {self.names.get(id(variable), 'a variable')}"
            node.value = _short(op.inputs[-1])
            node.faded = id(op.inputs[0]) not in self.needed
            return
        for output in op.outputs:
            self.nodes[id(output)] = node
        main = next((o for o in outputs if id(o) in self.needed), outputs[0] if outputs else None)
        if main is not None:
            node.name = self.names.get(id(main))
            node.value = _short(main)
            node.faded = not any(id(o) in self.needed for o in op.outputs)
            if op.custom is not None:
                group = [n for n in self.gradient if self.nodes.get(n) is node]
                node.faded = node.faded and not any(k in self.needed for k in group)
            self._set_gradient(node, main)
        node.stops = any(e.end is node and e.kind == "stopped" for e in self.result.edges)

    def _set_gradient(self, node: Node, tensor: Any, key: int | None = None) -> None:
        if node.faded or not self.gradient:
            return
        key = id(tensor) if key is None else key
        gradient = self.gradient.get(key)
        if gradient is not None:
            node.gradient = _short(gradient)
        else:
            node.gradient = "None"

    def _edge_kind(self, op: Op, value: Any) -> str:
        outputs = [o for o in op.outputs if id(o) in self.needed]
        if not outputs and not (writes_state(op) and id(op.inputs[0]) in self.needed):
            return "faded"
        key = self._key(value)
        if key not in self.live or key in self.links:
            return "plain"
        if self.asked is not None and (self.asked not in op.tapes or not self._watched(key)):
            if _UNSEEN not in self.result.remarks:
                self.result.remarks.append(_UNSEEN)
            return "stopped"
        if self.gradient.get(id(value)) is None and self.gradient.get(key) is None:
            return "stopped"
        return "plain"

    def _watched(self, key: int) -> bool:
        """Tell whether the tape that was asked watches a source; so it does all that follows."""
        kind, _, source = self.sources.get(key, ("op", "", None))
        recording = self.recording
        if (
            kind == "variable"
            and source.trainable
            and recording.watch_accessed.get(self.asked or 0, True)
        ):
            return True
        watched = (e.tensor for e in recording.events if (e.kind, e.tape) == ("watch", self.asked))
        return source is None or any(plain(tensor) is source for tensor in watched)

    def _start(self, value: Any, op: Op) -> Node | None:
        key = self._key(value)
        if value.dtype == tf.resource and writes_state(op):
            return None
        return self.nodes.get(key) or self._leaf(value, op)

    def _leaf(self, value: Any, op: Op) -> Node | None:
        key = self._key(value)
        if key in self.sources:
            return self._source(key, *self.sources[key])
        if value.dtype in (tf.resource, tf.variant):
            return None
        whole = not differentiable(value.dtype)
        if whole and any(differentiable(i.dtype) for i in op.inputs):
            if value.dtype != tf.bool and key not in self.names:
                return None  # an axis, a shape, an index
        exit_ = self.links.get(key)
        node = Node("constant", self.names.get(key, ""), _short(value))
        producer = self.recording.producer.get(key)
        if producer is not None and "andom" in producer.type:
            node.title = "random"
        node.nested = producer is not None and producer.call is not None
        self.result.nodes.append(node)
        self.nodes[key] = node
        if exit_ is not None:
            self._exit(exit_, node)
        return node

    def _exit(self, exit_: Exit, node: Node) -> None:
        group = ("exit", exit_.kind, exit_.places[0] if exit_.places else None)
        if group not in self.groups:
            place = exit_.places[0] if exit_.places else None
            expression = (place.expression if place else None) or exit_.kind
            door = Node("exit", expression, "leaves TensorFlow")
            door.gradient = "None"
            self.groups[group] = door
            self.result.nodes.insert(len(self.result.nodes) - 1, door)
            starts = {id(s): s for e in self._same_door(exit_) if (s := self._left_from(e.tensor))}
            self.result.edges += [Edge(start, door, "stopped") for start in starts.values()]
        self.result.edges.append(Edge(self.groups[group], node, "stopped"))

    def _same_door(self, exit_: Exit) -> list[Exit]:
        """Return the values that left by the same door in the same place, as in a loop."""
        site = (exit_.kind, exit_.places[:1])
        return [e for e in self.recording.exits if (e.kind, e.places[:1]) == site]

    def _left_from(self, tensor: Any) -> Node | None:
        key = key_of(tensor)
        if key not in self.nodes and not is_variable(tensor):
            key = self._key(tensor)
        start = self.nodes.get(key)
        if start is None and key in self.sources:
            start = self._source(key, *self.sources[key])
        return start

    def _source(self, key: int, kind: str, name: str, value: Any) -> Node:
        node = Node(kind, name, _short(value), name=name)
        self.nodes[key] = node
        self.result.nodes.append(node)
        self._set_gradient(node, value, key)
        if not differentiable(value.dtype):
            node.gradient = "None"
            node.notes = (value.dtype.name,)
        return node

    def _node_of(self, tensor: Any) -> Node | None:
        return self.nodes.get(id(tensor)) or (
            self._leaf(tensor, Op(0, "", [], [], {}, (), frozenset(), None, None))
        )

    def _target_name(self) -> str:
        if len(self.targets) == 1:
            named = self.recording.names.get(id(self.targets[0]))
            if named is not None:
                return named
        taken = set(self.recording.names.values())
        return next((name for name in ("z", "result") if name not in taken), "output")

    # -- words

    def _symbol(self, op: Op) -> str:
        if op.type == "Cast":
            return f"cast to {op.outputs[0].dtype.name}"
        if op.type in _SYMBOLS:
            return _SYMBOLS[op.type]
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", re.sub(r"V\d$", "", op.type)).lower()
        return words.removeprefix("_")

    def _function(self, op: Op) -> tuple[str, tuple[str, ...]]:
        match = CALLED.match(op.type)
        name = match[1] if match else "function"
        if backward := _BACKWARD.fullmatch(name):
            return f"the way back through {backward[1]}", ("one node, a whole graph",)
        found = _tf_function(self.f, name)
        if found is None:
            return f"tf.function {name}", ("one node, a whole graph",)
        tensors = [i for i in op.inputs if i.dtype != tf.resource]
        try:
            with tf.device(None):
                graph = found.get_concrete_function(*tensors).graph
        except (TypeError, ValueError, AttributeError, tf.errors.OpError):
            return f"tf.function {name}", ("one node, a whole graph",)
        return f"tf.function {name}", graph_words(graph)


def graph_words(graph: Any) -> tuple[str, ...]:
    """Say how many ops a graph holds, and whether it holds an `if` or a loop."""
    skip = ("Placeholder", "Const", "Identity", "NoOp", "ReadVariableOp")
    kinds = [op.type for op in graph.get_operations() if op.type not in skip]
    words = [f"a graph of {len(kinds)} op" + "s" * (len(kinds) != 1)]
    if any(kind in ("If", "StatelessIf", "Case", "StatelessCase") for kind in kinds):
        words.append("tf.cond: both branches are in it")
    if any(kind in ("While", "StatelessWhile") for kind in kinds):
        words.append("tf.while_loop: its body once")
    return tuple(words)


def _tf_function(f: Any, name: str) -> Any:
    """Find the tf.function of this name that `f` is or can reach by a name of its code."""
    seen: list[Any] = [f]
    for depth in range(3):
        for value in list(seen):
            inner = getattr(value, "python_function", None)
            if inner is not None and getattr(inner, "__name__", "") == name:
                return value
            value = inner or value
            value = value.func if isinstance(value, functools.partial) else value
            value = getattr(value, "__func__", value)
            if not isinstance(value, types.FunctionType) or depth == 2:
                continue
            cells = [c.cell_contents for c in value.__closure__ or () if _filled(c)]
            found = [value.__globals__.get(n) for n in value.__code__.co_names]
            seen += [v for v in (*cells, *found) if callable(v) and v not in seen]
    return None


def _filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _short(value: Any) -> str:
    """Return a value in a few characters: a number, or numbers, or a shape and some numbers."""
    if isinstance(value, tf.IndexedSlices):
        return f"rows {_short(value.indices)}"
    array = array_of(plain(value))
    if array.dtype.kind == "O" or array.dtype.kind in "SU":
        return "text"
    if array.dtype.kind == "c":
        return f"complex {array.shape}" if array.ndim else f"{array.item():.3g}"
    if array.ndim == 0:
        return str(array.item()) if array.dtype.kind == "b" else short_number(array.item())
    shape = TIMES.join(map(str, array.shape))
    if array.size == 0:
        return f"{shape}: empty"
    if array.dtype.kind == "b":
        return f"{shape}: {int(array.sum())} of {array.size} True"
    if array.size > 1 and (array == array.flat[0]).all():
        return f"{shape}: all {short_number(array.flat[0])}"
    if array.ndim == 1 and array.size <= 3:
        return "[" + ", ".join(_brief(v) for v in array) + "]"
    return f"{shape}: {', '.join(_brief(v) for v in array.flat[:2])}" + (", …" * (array.size > 2))


def _brief(value: float) -> str:
    return f"{float(value) + 0.0:.3g}"
