"""See a recorded function, ask why a gradient is None, and check a gradient against another."""

from utils.autodiff.explanation import Explanation
from utils.autodiff.finite_differences import compare_gradients, finite_difference
from utils.autodiff.gradient_explanation import explain_none
from utils.autodiff.tape_drawing import draw_tape

__all__ = [
    "Explanation",
    "compare_gradients",
    "draw_tape",
    "explain_none",
    "finite_difference",
]
