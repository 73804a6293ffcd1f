"""A small assignment for the tests: problem 1.1 and a written question."""

from __future__ import annotations

from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course.release import facts_line
from utils.problems.problem import problems_of

NAME = "01_gradient_tape"
SOLUTION = """\
def slope_of_a_polynomial(x):
    ### BEGIN SOLUTION
    # A constant is not watched by itself.
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x**3 + 2 * x
    return tape.gradient(y, x)
    ### END SOLUTION"""
CHECK = """\
### BEGIN HIDDEN TESTS
from utils.checks import other_cases

other_cases("1.1", (3.25,))
### END HIDDEN TESTS
check("1.1", slope_of_a_polynomial)"""


def small_solution() -> NotebookNode:
    """Return the solution notebook of an assignment that has only problem 1.1."""
    problem = problems_of("1")["1.1"]
    statement = f"## 1.1 The slope of a polynomial\n\n{facts_line(problem)}\n\nReturn dy/dx."
    written = "### BEGIN SOLUTION\nBecause no path leads there.\n### END SOLUTION"
    setup = "import tensorflow as tf\n\nfrom utils.checks import check, hint"
    node = new_notebook(
        cells=[
            new_markdown_cell("# Exercises", id="title", metadata=metadata("title")),
            new_code_cell(setup, id="setup", metadata=metadata("setup")),
            new_markdown_cell(statement, id="problem-1-1", metadata=metadata("problem-1-1")),
            new_code_cell(
                SOLUTION,
                id="answer-1-1",
                metadata=metadata("answer-1-1", solution=True, locked=False),
            ),
            new_code_cell(
                CHECK,
                id="check-1-1",
                metadata=metadata("check-1-1", grade=True, points=problem.points),
            ),
            new_markdown_cell(
                written,
                id="written-1-2",
                metadata=metadata("written-1-2", grade=True, solution=True, locked=False, points=2),
            ),
        ]
    )
    node.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return node


def metadata(grade_id: str, **more: Any) -> dict[str, Any]:
    """Return nbgrader's metadata of a cell, read-only unless said otherwise."""
    base = {"grade": False, "locked": True, "schema_version": 3, "solution": False, "task": False}
    return {"nbgrader": base | {"grade_id": grade_id} | more}


def cell_of(node: NotebookNode, name: str) -> NotebookNode:
    """Return the cell whose id is ``name``."""
    return next(cell for cell in node.cells if cell.id == name)


def answered(exercise: NotebookNode, answer: str) -> NotebookNode:
    """Return an exercise in which problem 1.1 has this answer."""
    node = nbformat.from_dict(exercise)
    cell_of(node, "answer-1-1").source = answer
    return node
