"""Why an op lets a value through but no gradient: one cause, one sentence, one way to mend it."""

from __future__ import annotations

import ast
import re
from typing import Any

from utils.autodiff.dependencies import is_call, writes_state
from utils.autodiff.explanation import Finding
from utils.autodiff.recording import Op, Place, Recording, differentiable, is_variable
from utils.autodiff.source_text import node_at

_ROUNDING = {"Round", "Rint", "Floor", "Ceil", "FloorDiv", "TruncateDiv"}
_POSITIONS = {"ArgMax", "ArgMin", "Bucketize", "SearchSorted", "UpperBound", "LowerBound", "Where"}
_COMPARISONS = {
    *("Greater", "GreaterEqual", "Less", "LessEqual", "Equal", "NotEqual", "ApproximateEqual"),
    *("IsNan", "IsFinite", "IsInf", "LogicalAnd", "LogicalOr", "LogicalNot", "InTopKV2", "InTopK"),
}
_SHAPES = {"Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike"}
DRAWS = ("Random", "StatelessRandom", "Multinomial", "StatelessMulti", "StatefulRandom")


def redraw(kind: str) -> str:
    """Say what to do instead of a random op whose parameters have no gradient."""
    if any(each in kind for each in ("Multinomial", "Poisson", "Binomial")):
        return (
            "A draw of whole numbers has no slope. Differentiate the logarithm of its probability, "
            "times what the draw earned (the score function)."
        )
    return "Draw noise that depends on no parameter and scale it: mean + spread * noise."


def blocked(recording: Recording, op: Op, after: Op, name: str, source: Any) -> Finding:
    kind, place = op.type, op.place
    shown = quoted(op)
    if op.custom is not None:
        return Finding(
            "custom_gradient",
            f"{shown} runs inside a tf.custom_gradient function, and the gradient function "
            "that it returns gives None for this input.",
            "Let the inner grad function return a tensor for each input: upstream * derivative.",
            op.places[1] if len(op.places) > 1 and place is not None else place,
        )
    own = is_variable(source) and any(t is source.handle for t in (*op.inputs, *op.outputs))
    if own and after.custom is not None:
        return Finding(
            "custom_gradient",
            f"`{name}` is used inside a tf.custom_gradient function, and the gradient function "
            "that it returns gives None for this variable.",
            "Let the inner grad function return, beside a tensor for each input, a list with one "
            "for each variable: upstream * derivative.",
            after.places[1] if len(after.places) > 1 else after.place,
        )
    if kind == "StopGradient":
        return Finding(
            "stop_gradient",
            f"{shown} passes the value on and holds the gradient back: that is its purpose.",
            "Leave it out where the gradient has to flow.",
            place,
        )
    copy = _copy_made_of(recording, op)
    if copy is not None or kind in ("ReadVariableOp", "ResourceGather") or writes_state(op):
        write = copy or (op if writes_state(op) else write_before(recording, op))
        place = write.place if write is not None and write.place else place
        written = (place and place.expression) or ""
        scored = write is not None and write.door in ("metric", "accuracy")
        if write is not None and not scored and _makes_variable(recording, write):
            return Finding(
                "variable_copy",
                f"{_copier(written)} copies the value into a new variable. The copy does not know "
                "where its value came from, so the gradient ends there.",
                "Compute with the tensor itself; make variables before the tape, once.",
                place,
            )
        return Finding(
            "state",
            f"The value goes through a variable's memory: it is stored with assign and read "
            f"back. A tape follows ops, not memory, so the way from `{name}` ends at the store.",
            "A metric only keeps score: use the value of a loss function, such as "
            "keras.losses.MeanSquaredError()(y, prediction)."
            if scored
            else "Compute the result from the tensor that you assign, not from the variable.",
            place,
        )
    if kind in _ROUNDING:
        return Finding(
            "rounding",
            f"{shown} jumps from step to step and is flat in between: TensorFlow gives it no "
            "gradient.",
            "Leave the rounding out while differentiating, or round after the gradient is taken.",
            place,
        )
    if op.door == "accuracy":
        return Finding(
            "argmax" if kind in _POSITIONS else "comparison",
            f"{shown} is an accuracy: it counts hits, and their number does not change when "
            f"`{name}` changes by a little.",
            "Train with a smooth loss, such as a cross-entropy, and keep the accuracy for reports.",
            place,
        )
    whole = [o for o in op.outputs if not differentiable(o.dtype)]
    positions = len(whole) < len(op.outputs) and any(i is o for i in after.inputs for o in whole)
    if positions or kind in ("TopKV2", "TopK"):
        return Finding(
            "argmax",
            f"{shown} is used for the positions that it gives, whole numbers: they do not change "
            f"when `{name}` changes by a little.",
            "Use the values instead: the first result of tf.math.top_k, or tf.sort."
            if kind in ("TopKV2", "TopK")
            else "Use the values that it gives instead.",
            place,
        )
    if kind == "RandomShuffle":
        return Finding(
            "random",
            f"{shown} draws an order at random, and TensorFlow gives the shuffled values no "
            "gradient.",
            "Shuffle the numbers of the rows instead, order = tf.random.shuffle(tf.range(n)), and "
            f"fetch by them: tf.gather({name}, order).",
            place,
        )
    if kind in _POSITIONS:
        return Finding(
            "argmax",
            f"{shown} gives a position, a whole number: it does not change when "
            f"`{name}` changes by a little.",
            "Use something smooth: tf.reduce_max for the largest value, tf.nn.softmax for a "
            "soft choice.",
            place,
        )
    if kind in ("Cast", "Bitcast"):
        return Finding(
            "integer_cast",
            f"{shown} turns the numbers into {_output_type(op)}: whole numbers carry no gradient, "
            "and casting back to float does not bring it back.",
            "Stay with floating-point numbers all the way.",
            place,
        )
    if kind in _COMPARISONS:
        return Finding(
            "comparison",
            f"{shown} {'answers True or False' if _asks(place) else 'compares'}: the value of "
            f"`{name}` decides, but is not itself part of the result.",
            "A condition has no gradient. Let the value itself enter the result, or use a "
            "smooth switch such as tf.sigmoid.",
            place,
        )
    if kind in _SHAPES:
        return Finding(
            "only_shape",
            f"{shown} uses only the shape of `{name}`, not its values.",
            f"Compute with the values of `{name}`.",
            place,
        )
    if kind in ("AsString", "StringFormat", "StringToNumber"):
        return Finding(
            "text",
            f"{shown} turns the number into text, and text has no gradient.",
            "Stay with numbers all the way.",
            place,
        )
    if kind == "PyFunc" or kind == "PyFuncStateless":
        return numpy_function(place)
    if "Dataset" in kind or "Iterator" in kind or "Queue" in kind:
        return Finding(
            "dataset",
            f"{shown} sends the value through a pipeline of data, which no tape follows.",
            "Take the data out of the pipeline first, then compute inside the tape.",
            place,
        )
    if kind.startswith(DRAWS):
        return Finding(
            "random",
            f"{shown} draws at random: how `{name}` shifts the draw is not recorded.",
            redraw(kind),
            place,
        )
    if is_call(op):
        return Finding(
            "no_gradient",
            f"{shown} runs as a graph of its own, and a step in it lets the value through but no "
            "gradient: a rounding, a comparison, a cast to integers, a stop_gradient.",
            "Look for that step there; written as a plain loop, it is named line by line.",
            place,
        )
    return Finding(
        "no_gradient",
        f"{shown} lets the value through, but TensorFlow defines no gradient for this input "
        f"of the op {kind}.",
        "Use ops that have a gradient, or tf.custom_gradient.",
        place,
    )


def _asks(place: Place | None) -> bool:
    """Tell a comparison of the learner's own from one inside a library's function."""
    node = node_at(place)
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func).rpartition(".")[2]
        return called.startswith(("greater", "less", "equal", "not_equal", "is", "logical", "in_"))
    return True


def write_before(recording: Recording, read: Op) -> Op | None:
    writes = [
        o
        for o in recording.ops[: read.index]
        if writes_state(o) and any(o.inputs[0] is i for i in read.inputs)
    ]
    return writes[-1] if writes else None


def _makes_variable(recording: Recording, write: Op) -> bool:
    """Tell whether a step stores the first value, which tf.Variable(...) itself assigns."""
    return id(write.inputs[0]) in recording.variables_made.get(write.place, ())


def _copier(written: str) -> str:
    """Return what an expression makes variables with."""
    found = re.search(r"[\w.]*(?:Variable|copy|clone_model)\(", written)
    if found:
        return f"{found[0]}...)"
    return f"`{written}`" if 0 < len(written) <= 60 else "What is built here"


def _copy_made_of(recording: Recording, op: Op) -> Op | None:
    """Return the step of tf.Variable([x, y]) that stores what another step of it computes."""
    making = next((place for place in op.places if place in recording.variables_made), None)
    if making is None:
        return None
    own = {id(output) for output in op.outputs}
    for later in recording.ops[op.index + 1 :]:
        if making not in later.places:
            return None
        if any(id(i) in own for i in later.inputs):
            own.update(id(output) for output in later.outputs)
            if writes_state(later) and _makes_variable(recording, later):
                return later
    return None


def quoted(op: Op) -> str:
    expression = op.place.expression if op.place else None
    if expression and len(expression) <= 60:
        return f"`{expression}`"
    return f"The op {op.type}"


def numpy_function(place: Place | None) -> Finding:
    return Finding(
        "numpy_function",
        "tf.numpy_function runs plain NumPy code, which no tape can follow.",
        "Use TensorFlow's ops, or tf.py_function, which runs the code under a tape of its own.",
        place,
    )


def _output_type(op: Op) -> str:
    return op.outputs[0].dtype.name if op.outputs else "whole numbers"
