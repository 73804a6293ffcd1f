"""See a recorded function, ask why a gradient is None, and check a gradient against another."""

from utils.explanation import Explanation
from utils.finite_differences import compare_gradients, finite_difference
from utils.gradient_explanation import explain_none
from utils.tape_drawing import draw_tape

__all__ = [
    "Explanation",
    "compare_gradients",
    "draw_tape",
    "explain_none",
    "finite_difference",
]
