"""See a recorded function, ask why a gradient is None, and check a gradient against another.

The learner's function
    learner_inputs      its name, its inputs as tensors, the variables and layers it can reach
    learner_frames      which frames of a running program are the learner's, which the libraries'
    source_text         what their source says at a place: a call, its arguments, the statement
    learner_tapes       what the learner's own tapes do while it runs
What one call of it leaves behind
    recording           the ops, their places in the source, the tapes: the types, no machinery
    recorder            makes a recording; the only module with a private import of TensorFlow
    dependencies        what a value comes from, what comes of it, and the ops between
    path_taken          which branches Python took, and how many rounds of each loop
Why a gradient is None
    inquiry             `explain_none`: asks the modules below in turn
    trial               the function with its inputs: its first run, further runs, its names
    breaks              where the value goes on and the gradient does not
    exits               which of the values that left TensorFlow decides the result
    cause_in_op         ... because of the op there
    cause_in_tape       ... because the learner's tape did not see the computation
    cause_left_tensorflow   ... because the value left TensorFlow, and by which door
    cause_no_tensor     ... because target or source is no tensor
    cause_unused        ... because the result is not computed from the source
    present_gradients   gradients that are there: fine, zero, infinite, or never asked for
    lost_parts          gradients that are there, but of a part of the computation only
    explanation         `Explanation`: the answer in words, as text and in Jupyter
The picture
    picture             from a recording to boxes and arrows, without places
    picture_layout      where the boxes go
    picture_drawing     `draw_tape`: draws them
And
    finite_differences  `finite_difference` and `compare_gradients`
"""

from utils.autodiff.explanation import Explanation
from utils.autodiff.finite_differences import compare_gradients, finite_difference
from utils.autodiff.inquiry import explain_none
from utils.autodiff.picture_drawing import draw_tape

__all__ = [
    "Explanation",
    "compare_gradients",
    "draw_tape",
    "explain_none",
    "finite_difference",
]
