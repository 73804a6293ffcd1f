"""Every figure of the lessons that shows data, a function or a model; none needs TensorFlow.

Each function returns a matplotlib Figure that pyplot does not know of: as the last expression of
a cell it is shown exactly once, with alternative text (kept as the figure's label).
Arrays may be NumPy arrays, tensors or lists.
"""

from utils.plotting.functions import plot_function, plot_loss_surface, show_influence
from utils.plotting.images import (
    plot_probabilities,
    show_image,
    show_images,
    show_prediction,
    show_predictions,
)
from utils.plotting.layers import draw_layers
from utils.plotting.results import (
    plot_bars,
    plot_confusion_matrix,
    plot_descents,
    plot_learning_curves,
)

__all__ = [
    "draw_layers",
    "plot_bars",
    "plot_confusion_matrix",
    "plot_descents",
    "plot_function",
    "plot_learning_curves",
    "plot_loss_surface",
    "plot_probabilities",
    "show_image",
    "show_images",
    "show_influence",
    "show_prediction",
    "show_predictions",
]
