"""explain_none leaves the learner's world as it was, and says things a learner can read."""

import doctest
import inspect
import io
import random
import threading
from contextlib import redirect_stdout
from pathlib import Path

import nbclient
import nbformat
import numpy as np
import pytest
import tensorflow as tf

from utils.autodiff import explain_none
from utils.errors import CourseError


def rounded(x):
    y = tf.round(x)
    return y * 2.0


ROWS = ["def spread(x):", "    # every price", "    y = tf.round(x) + 1.0", "    return y"]
CELL = "\n".join(ROWS)


def test_the_line_number_is_that_of_the_line_in_its_file():
    explanation = explain_none(rounded, 2.3)

    lines, first = inspect.getsourcelines(rounded)
    assert explanation.lineno == first + 1
    assert explanation.line == lines[1].strip() == "y = tf.round(x)"
    assert explanation.expression == "tf.round(x)"
    assert explanation.function == "rounded"


def test_the_whole_explanation_says_what_why_where_and_how_to_mend_it():
    text = str(explain_none(rounded, 2.3))

    assert "The gradient with respect to `x` is None." in text
    for word in ("Why:", "Where:", "Mend:", "y = tf.round(x)"):
        assert word in text


def test_a_line_of_a_file_is_quoted_once_with_the_name_of_the_file():
    explanation = explain_none(rounded, 2.3)

    place = f"line {explanation.lineno} of {Path(__file__).name}, in rounded"
    assert explanation.where == f"{place}: `y = tf.round(x)`"


def test_a_line_of_a_cell_is_counted_from_the_top_of_that_cell():
    cells = ["import tensorflow as tf\nfrom utils.autodiff import explain_none", CELL]
    cells += ["# another cell\n\n\nprint(explain_none(spread, 2.3).where)"]
    cells += ["print(explain_none(\n    lambda x: tf.floor(x), 2.3).where)"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    nbclient.NotebookClient(notebook, timeout=120).execute()

    said, of_lambda = ("".join(o.text for o in c.outputs) for c in notebook.cells[2:])
    assert said == "line 3 of the cell that defines spread: `y = tf.round(x) + 1.0`\n"
    assert of_lambda == "line 2 of the cell: `lambda x: tf.floor(x), 2.3).where)`\n"


def test_a_line_of_a_doctest_is_counted_from_the_top_of_its_example():
    text = "".join(f"{'>>>' if i == 0 else '...'} {row}\n" for i, row in enumerate(ROWS))
    text += ">>> print(explain_none(spread, 2.3).where)\n"
    text += "line 3 of the example that defines spread: `y = tf.round(x) + 1.0`\n"
    names = {"tf": tf, "explain_none": explain_none}
    example = doctest.DocTestParser().get_doctest(text, names, "spread", None, None)
    told = io.StringIO()

    assert doctest.DocTestRunner().run(example, out=told.write).attempted == 2
    assert told.getvalue() == ""


def test_jupyter_shows_the_code_of_the_learner_escaped():
    def compared(x):
        return tf.cast(x < 3.0, tf.float32)

    page = explain_none(compared, 2.0)._repr_html_()

    assert "x &lt; 3.0" in page and "x < 3.0" not in page


def test_a_part_of_a_long_expression_over_several_lines_is_quoted_whole():
    def spread(x):
        return 2.0 * tf.round(
            x + 1.0,
        )

    explanation = explain_none(spread, 2.3)
    assert explanation.expression == "tf.round( x + 1.0, )"
    assert (explanation.where or "").endswith(", in spread: `tf.round( x + 1.0, )`")


def test_variables_keep_their_values_through_all_reruns():
    total = tf.Variable(1.0)
    seen = tf.Variable([0.0, 0.0])

    def counting(x):
        total.assign_add(1.0)
        seen.scatter_nd_update([[0]], [float(x)])
        return tf.constant(np.sin(x)) * total

    assert explain_none(counting, 2.0).cause == "numpy"
    assert total.numpy() == 1.0
    assert seen.numpy().tolist() == [0.0, 0.0]


def test_variables_keep_their_values_where_the_function_raises():
    total = tf.Variable(1.0)

    def failing(x):
        total.assign(5.0)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        explain_none(failing, 2.0)
    assert total.numpy() == 1.0


def test_what_the_function_prints_is_printed_once():
    def talking(x):
        print("hello")
        return tf.constant(np.sin(x))

    out = io.StringIO()
    with redirect_stdout(out):
        assert explain_none(talking, 2.0).cause == "numpy"
    assert out.getvalue() == "hello\n"


def test_random_numbers_go_on_as_if_nothing_had_happened():
    def noisy(x):
        return tf.constant(np.sin(x) + np.random.rand() + random.random())

    np.random.seed(1)
    random.seed(1)
    explain_none(noisy, 2.0)
    after = np.random.rand(), random.random()
    np.random.seed(1)
    random.seed(1)
    assert after == (np.random.rand(), random.random())


def test_random_ops_do_not_hide_where_the_value_left():
    def dropped(x):
        return tf.constant(float(x)) * tf.random.uniform([])

    assert explain_none(dropped, 2.0).cause == "python_number"


@pytest.mark.parametrize("fails", [False, True])
def test_every_patch_is_taken_back(fails):
    tensor, variable = type(tf.constant(1.0)), type(tf.Variable(1.0))
    watched = [
        *[(cls, name) for cls in (*tensor.__mro__, *variable.__mro__) for name in vars(cls)],
        *[(np, name) for name in ("array", "asarray")],
        *[(tf, name) for name in ("constant", "convert_to_tensor", "print", "py_function")],
        *[(tf.GradientTape, name) for name in vars(tf.GradientTape)],
    ]

    def state():
        return [vars(owner).get(name) for owner, name in watched]

    before, count = state(), [len(vars(cls)) for cls in tensor.__mro__]

    def f(x):
        if fails:
            raise ZeroDivisionError
        return tf.constant(np.sin(x))

    try:
        explain_none(f, 2.0)
    except ZeroDivisionError:
        assert fails
    assert all(a is b for a, b in zip(before, state(), strict=True))
    assert count == [len(vars(cls)) for cls in tensor.__mro__]
    assert not tf.config.functions_run_eagerly()


def test_an_error_of_the_function_itself_passes_through_untouched():
    error = RuntimeError("mine, not the tape's")

    def failing(x):
        raise error

    with pytest.raises(RuntimeError) as caught:
        explain_none(failing, 2.0)
    assert caught.value is error


def test_the_error_that_follows_a_none_is_explained_by_the_none():
    def step(x):
        with tf.GradientTape() as tape:
            y = x * x
        return x - 0.1 * tape.gradient(y, x)

    assert explain_none(step, 2.0).cause == "constant_not_watched"


@pytest.mark.parametrize(
    "f, inputs, said",
    [
        (tf.constant(3.0), (), "the function itself"),
        (lambda x: None, (2.0,), "returned None"),
        (lambda x: "text", (2.0,), "not a tensor"),
        (lambda: tf.constant(3.0), (), "nothing to differentiate"),
    ],
)
def test_what_cannot_be_explained_is_said_in_a_sentence(f, inputs, said):
    with pytest.raises(CourseError, match=said):
        explain_none(f, *inputs)


def test_each_none_of_several_sources_is_named():
    def two(a, b, c):
        return a * tf.round(b) + tf.stop_gradient(c)

    explanation = explain_none(two, 2.0, 3.3, 4.0)

    assert explanation.source == "b"
    assert "2 of 3" in explanation.what
    assert any("`c`" in note for note in explanation.notes)
    assert any("`a`" in note and "is there" in note for note in explanation.notes)


def test_other_threads_do_not_disturb_it():
    stop = threading.Event()
    failures = []

    def busy():
        while not stop.is_set():
            if float(np.sum(tf.constant([1.0, 2.0]))) != 3.0:
                failures.append("wrong sum")

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        causes = {explain_none(rounded, 2.3).cause for _ in range(5)}
    finally:
        stop.set()
        thread.join()
    assert causes == {"rounding"} and not failures


def test_a_tf_function_is_explained_by_its_python_lines():
    @tf.function
    def compiled(x):
        return tf.floor(x) * 2.0

    assert "tf.floor(x)" in explain_none(compiled, 2.5).line
