"""What we rely on of tensorflow.python.framework.op_callbacks, and what a recording holds."""

import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import op_callbacks

import utils
from utils.autodiff.recorder import record
from utils.autodiff.recording import Place

x = tf.constant(3.0)
v = tf.Variable(2.0)


def test_tensorflow_python_framework_op_callbacks_calls_back_after_every_eager_op():
    seen = []

    def callback(op_type, inputs, attrs, outputs, op_name=None, graph=None):
        seen.append((op_type, len(inputs), outputs[0].numpy(), graph))

    op_callbacks.add_op_callback(callback)
    try:
        y = tf.square(x) * 2.0
    finally:
        op_callbacks.remove_op_callback(callback)
    tf.square(x)

    assert seen == [("Square", 1, 9.0, None), ("Mul", 2, 18.0, None)]
    assert y.numpy() == 18.0


def test_the_outputs_a_callback_sees_are_the_tensors_the_learner_gets():
    recording = record(lambda: tf.square(x), [])

    assert recording.ops[0].outputs[0] is recording.result
    assert recording.ops[0].inputs[0] is x


def test_no_other_module_imports_a_private_part_of_tensorflow():
    private = re.compile(r"(from|import) (tensorflow\.python|keras\.src)")
    folder = Path(utils.__file__).parent

    found = [path.name for path in folder.rglob("*.py") if private.search(path.read_text())]

    assert found == ["recorder.py"]


def test_each_op_knows_the_expression_that_made_it():
    def f(a):
        b = tf.square(a) + 1.0
        return helper(b)

    def helper(c):
        return tf.sin(c)

    recording = record(f, [x])

    assert [op.place.expression for op in recording.ops] == [
        "tf.square(a)",
        "tf.square(a) + 1.0",
        "tf.sin(c)",
    ]
    assert [place.expression for place in recording.ops[2].places] == ["tf.sin(c)", "helper(b)"]


def test_tensors_are_known_by_the_learners_names():
    def f(a):
        b = a * 2.0
        return b

    recording = record(f, [x])

    assert recording.names[id(recording.result)] == "b"
    assert recording.names[id(x)] == "a"


def test_the_tape_that_watches_all_finds_gradients_of_intermediate_results():
    def f(a):
        b = a * a
        return b * b

    recording = record(f, [x], watch=[x])
    b = recording.ops[0].outputs[0]

    gradients = recording.gradients([recording.result], [x, b])
    assert [gradient.numpy() for gradient in gradients] == [108.0, 18.0]


def test_a_variable_read_without_a_callback_is_known_as_its_variable():
    recording = record(lambda: x * v, [])

    read = recording.ops[-1].inputs[1]
    assert recording.variable_read(read) == id(v.handle)
    assert recording.variable_read(recording.ops[-1].inputs[0]) is None


@pytest.mark.parametrize(
    "leave, kind",
    [
        (lambda t: np.sin(t), "np.sin"),
        (lambda t: np.mean(t), "np.mean"),
        (lambda t: np.array(t), "np.array"),
        (lambda t: np.asarray([t, t]), "np.asarray"),
        (lambda t: t.numpy(), "numpy"),
        (lambda t: float(t), "__float__"),
        (lambda t: int(t), "__int__"),
        (lambda t: bool(t), "__bool__"),
        (lambda t: f"{t:.1f}", "__format__"),
        (lambda t: range(int(t)), "__int__"),
        (lambda t: [1, 2, 3, 4][tf.cast(t, tf.int32)], "__index__"),
    ],
)
def test_each_door_out_of_tensorflow_is_seen(leave, kind):
    recording = record(leave, [x])

    assert recording.error is None
    assert kind in [exit_.kind for exit_ in recording.exits]
    assert all(exit_.places for exit_ in recording.exits)


def test_a_numpy_number_times_a_tensor_stays_a_tensor():
    recording = record(lambda: np.float32(2.0) * x + np.array(1.0, dtype=np.float32), [])

    assert isinstance(recording.result, tf.Tensor) and recording.result.numpy() == 7.0
    assert not recording.exits


def test_numpy_gets_the_same_values_as_without_us():
    def f(t):
        return np.sin(t), np.array([t, t]), np.stack([t, t]), np.float64(t), t.numpy()

    for ours, own in zip(record(f, [x]).result, f(x), strict=True):
        np.testing.assert_array_equal(ours, own)
        assert np.asarray(ours).dtype == np.asarray(own).dtype


def test_tapes_are_followed_in_order():
    def f(a):
        with tf.GradientTape() as tape:
            tape.watch(a)
            with tape.stop_recording():
                a * 2.0
            y = a * a
        return tape.gradient(y, a)

    recording = record(f, [x])

    kinds = [event.kind for event in recording.events]
    assert kinds == ["enter", "watch", "pause", "resume", "exit"]
    assert [len(op.tapes) for op in recording.ops[:2]] == [0, 1]
    (call,) = recording.calls
    assert call.names == {id(a): n for a, n in [(x, "a"), (call.target, "y")]}
    assert call.result.numpy() == 6.0


def test_a_place_without_source_still_has_its_line_number():
    code = compile("def f(a):\n    return a + 1\n", "<nowhere>", "exec").co_consts[0]

    place = Place(code, len(code.co_code) - 2)
    assert (place.lineno, place.line, place.expression) == (2, None, None)
