"""Figures: what they say, for whom, and that nothing in them is cut off, hidden or doubled."""

import base64
import html
import io
import math
import re
import subprocess
import sys
from itertools import combinations
from types import SimpleNamespace

import matplotlib
import nbclient
import nbformat
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.text import Text
from PIL import Image, ImageOps

from utils import data, plotting
from utils.errors import CourseError
from utils.plotting import figures
from utils.plotting.figures import alt_text, figure_html, figure_png, short_number

NAMES = data.CLASS_NAMES
RNG = np.random.default_rng(1)
IMAGES = RNG.integers(0, 256, (15, 28, 28), dtype=np.uint8)
LABELS = np.arange(15) % 10
CURVES = {
    "loss": [0.5, 0.4, 0.3],
    "accuracy": [0.8, 0.85, 0.9],
    "val_loss": [0.45, 0.4, 0.41],
    "val_accuracy": [0.82, 0.86, 0.86],
}


def probabilities(predicted, confidence=0.91):
    """Give each image its predicted class with this confidence, the other nine the rest."""
    rows = np.full((len(predicted), 10), (1 - confidence) / 9)
    rows[np.arange(len(predicted)), predicted] = confidence
    return rows


def layer(name, shape, parameters, activation=None):
    """Return what draw_layers reads of a Keras layer."""
    kind = type("Dense", (SimpleNamespace,), {})
    output = SimpleNamespace(shape=shape)
    made = kind(name=name, output=output, count_params=lambda: parameters)
    if activation:
        made.activation = SimpleNamespace(__name__=activation)
    return made


def mlp(hidden=1):
    layers = [layer(f"hidden_{i}", (None, 128), 100_480, "relu") for i in range(hidden)]
    layers.append(layer("classes", (None, 10), 1_290, "softmax"))
    return SimpleNamespace(name="mlp", input_shape=(None, 784), layers=layers)


def quadratic(w, b):
    return (w - 3) ** 2 + 2 * (b - 2) ** 2


PATH = [(0.0, 0.0), (1.5, 1.6), (2.4, 1.9), (2.9, 2.0)]
JACOBIAN = np.einsum("ij,iok->iojk", np.eye(4), np.arange(1.0, 25.0).reshape(4, 3, 2) / 24)
LONG = "A title that goes on and on until it cannot stand on one line of the figure any more"

DRAWN = {
    "image": lambda: plotting.show_image(IMAGES[0], "Ankle boot", colourbar=True),
    "one pixel": lambda: plotting.show_image([[0.5]]),
    "colour image": lambda: plotting.show_image(np.zeros((4, 6, 3)), "Sky"),
    "sheet": lambda: plotting.show_images(IMAGES, [NAMES[i] for i in LABELS]),
    "sheet of one": lambda: plotting.show_images(IMAGES[:1]),
    "narrow sheet": lambda: plotting.show_images(IMAGES, ["quite a long name"] * 15, columns=8),
    "prediction": lambda: plotting.show_prediction(IMAGES[0], probabilities([0])[0], 0, NAMES),
    "wrong prediction": lambda: plotting.show_prediction(
        IMAGES[0], probabilities([9], 0.999)[0], 0, NAMES
    ),
    "predictions": lambda: plotting.show_predictions(
        IMAGES, probabilities((LABELS + (LABELS == 3)) % 10), LABELS, NAMES
    ),
    "one prediction": lambda: plotting.show_predictions(
        IMAGES[:1], probabilities([0]), LABELS[:1], NAMES
    ),
    "predictions, all wrong": lambda: plotting.show_predictions(
        IMAGES[:4], probabilities((LABELS[:4] + 9) % 10, 1.0), LABELS[:4], NAMES, columns=2
    ),
    "four columns": lambda: plotting.show_predictions(
        IMAGES[:8], probabilities(LABELS[:8] // 9, 1.0), LABELS[:8], NAMES, columns=4
    ),
    "probabilities": lambda: plotting.plot_probabilities(probabilities([9], 1.0)[0], 9, NAMES),
    "learning curves": lambda: plotting.plot_learning_curves(CURVES),
    "one epoch": lambda: plotting.plot_learning_curves({"loss": [0.5]}),
    "several histories": lambda: plotting.plot_learning_curves(
        {"SGD": CURVES, "SGD with momentum": CURVES, "Adam": SimpleNamespace(history=CURVES)}
    ),
    "confusion": lambda: plotting.plot_confusion_matrix(
        np.repeat(LABELS, 400), np.repeat((LABELS + (LABELS == 6)) % 10, 400), NAMES
    ),
    "two classes": lambda: plotting.plot_confusion_matrix([0, 1], [0, 1], ["no", "yes"]),
    "function": lambda: plotting.plot_function(
        lambda x: x**3 - 3 * x, lambda x: 3 * x**2 - 3, tangents_at=(-2, 0.5), title=LONG
    ),
    "constant function": lambda: plotting.plot_function(lambda x: 0.0, name="0"),
    "function with holes": lambda: plotting.plot_function(
        lambda x: np.where(x > 0, x, np.nan), interval=(-1, 1)
    ),
    "surface": lambda: plotting.plot_loss_surface(quadratic, PATH, title="Downhill"),
    "surface within limits": lambda: plotting.plot_loss_surface(
        quadratic, PATH, limits=((-4, 4), (-1, 4))
    ),
    "influence": lambda: plotting.show_influence(JACOBIAN, title="Blocks on the diagonal"),
    "influence everywhere": lambda: plotting.show_influence(np.ones((4, 3, 4, 2))),
    "no influence": lambda: plotting.show_influence(np.zeros((1, 1, 1, 1))),
    "descents": lambda: plotting.plot_descents(
        {"plain": 10 * 0.9 ** np.arange(51), "faster": 10 * 0.5 ** np.arange(31)}, title=LONG
    ),
    "surface without a step": lambda: plotting.plot_loss_surface(quadratic, PATH[:1]),
    "bars": lambda: plotting.plot_bars({"fit": 4.5, "XLA": 0.45}, unit="s", title="An epoch"),
    "long bars": lambda: plotting.plot_bars(
        {"a very long name for one of the bars": 1, "b": 0.3}, unit="seconds per epoch"
    ),
    "bars below zero": lambda: plotting.plot_bars({"down": -2.0, "up": 1_234_567.0}),
    "layers": lambda: plotting.draw_layers(mlp()),
    "many layers": lambda: plotting.draw_layers(mlp(hidden=40)),
    "no layers": lambda: plotting.draw_layers(SimpleNamespace(layers=[])),
}
every_figure = pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN.keys())


@pytest.fixture(autouse=True)
def real_data(monkeypatch):
    """Let the figures show Fashion-MNIST unless a test says otherwise."""
    monkeypatch.setattr(figures, "data_source", lambda: "Fashion-MNIST")


@pytest.fixture
def stand_in(monkeypatch, real_data):
    monkeypatch.setattr(figures, "data_source", lambda: "stand-in")


@pytest.fixture
def own_figure():
    """A learner's own pyplot figure, closed afterwards."""
    with matplotlib.rc_context({"backend": "agg"}):
        yield plt.figure()
        plt.close("all")


def texts(figure):
    """Return the texts of a figure as they are drawn; of tick labels those of visible ticks."""
    figure.draw_without_rendering()
    ticks, visible = set(), []
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            ticks |= set(axis.findobj(Text)) - {axis.label}
            low, high = sorted(axis.get_view_interval())
            labels = zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
            visible += [label for place, label in labels if low <= place <= high and axes.axison]
    visible += [text for text in figure.findobj(Text) if text not in ticks]
    return [text for text in visible if text.get_visible() and text.get_text().strip()]


def words(figure):
    return " | ".join(text.get_text() for text in texts(figure)).replace("\n", " ")


@every_figure
def test_a_figure_is_described_in_a_sentence_and_pyplot_does_not_know_it(draw):
    figure = draw()
    alt = alt_text(figure)
    assert isinstance(figure, Figure) and not plt.get_fignums()
    assert alt == figure.get_label() and alt.endswith(".") and not alt[0].islower()
    assert len(alt) >= 8 and "None" not in alt and "nan" not in alt.split()


@every_figure
def test_no_text_is_cut_off_or_too_small_or_covers_another(draw):
    figure = draw()
    boxes = [(text, text.get_window_extent()) for text in texts(figure)]
    for text, box in boxes:
        where = f"{text.get_text()!r} at {box.extents.round()}"
        assert box.x0 >= -1 and box.y0 >= -1, where
        assert box.x1 <= figure.bbox.x1 + 1 and box.y1 <= figure.bbox.y1 + 1, where
        assert text.get_fontsize() >= 7, where
    upright = [(text, box.padded(-1.5)) for text, box in boxes if text.get_rotation() == 0]
    for (one, box), (other, other_box) in combinations(upright, 2):
        assert not box.overlaps(other_box), (one.get_text(), other.get_text())


@every_figure
def test_the_picture_is_small_sharp_and_the_same_each_time(draw):
    png = figure_png(draw())
    assert png == figure_png(draw())
    assert len(png) < 90_000
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.width <= 1400 and not picture.info.keys() & {"Software", "Creation Time"}
        assert len(picture.convert("L").getcolors(1 << 20)) > 3


@every_figure
def test_the_html_is_one_image_with_its_description_within_600_pixels(draw):
    figure = draw()
    text = figure_html(figure)
    assert text.count("<img") == 1
    assert html.unescape(re.search('alt="([^"]*)"', text)[1]) == alt_text(figure)
    assert int(re.search('width="([0-9]+)"', text)[1]) <= 600
    base64.b64decode(re.search('base64,([^"]+)', text)[1], validate=True)


def test_a_prediction_is_judged_by_mark_and_word_not_by_colour_alone():
    assert "✓ T-shirt/top 91%" in words(DRAWN["prediction"]())
    assert "91% ✓ predicted and true" in words(DRAWN["prediction"]())
    wrong = DRAWN["wrong prediction"]()
    assert "✗ Ankle boot 100% (true: T-shirt/top)" in words(wrong)
    assert "✗ predicted" in words(wrong) and "✓ true" in words(wrong)
    assert any(patch.get_hatch() for patch in wrong.axes[1].patches)


def test_a_sheet_of_predictions_marks_every_item_and_counts_them_in_words():
    figure = DRAWN["predictions"]()
    assert words(figure).count("✓") == 13 and words(figure).count("✗") == 2
    assert len(figure.axes) == 30
    assert alt_text(figure).startswith("15 images with predictions: 13 right, 2 wrong: Dress taken")


@pytest.mark.parametrize("sheet", ["predictions", "predictions, all wrong", "four columns"])
def test_no_bar_of_a_sheet_reaches_into_a_verdict(sheet):
    figure = DRAWN[sheet]()
    figure.draw_without_rendering()
    for image, bars in zip(figure.axes[::2], figure.axes[1::2], strict=True):
        if image.axison:
            verdict = image.findobj(lambda item: isinstance(item, Text) and "%" in item.get_text())
            assert verdict[0].get_window_extent().y0 >= bars.get_window_extent().y1 - 1


def test_a_sheet_has_an_axes_for_each_image_and_its_name_below():
    figure = DRAWN["sheet"]()
    assert len(figure.axes) == 15
    assert [axes.get_xlabel() for axes in figure.axes] == [NAMES[i] for i in LABELS]
    assert alt_text(figure).startswith("15 images in 3 rows of 5: T-shirt/top, Trouser")


@pytest.mark.parametrize(
    ("pixels", "limits"),
    [
        (np.array([[0, 128]], dtype=np.uint8), (0, 255)),
        (np.array([[0.1, 0.5]]), (0, 1)),
        (np.array([[-2.0, 3.0]]), (-2, 3)),
    ],
)
def test_greys_have_the_same_meaning_for_bytes_and_for_scaled_images(pixels, limits):
    figure = plotting.show_image(pixels, colourbar=True)
    assert figure.axes[0].images[0].get_clim() == limits


def test_learning_curves_say_where_each_began_and_ended():
    assert alt_text(DRAWN["learning curves"]()) == (
        "Learning curves over 3 epochs: training loss falls from 0.5 to 0.3; validation loss falls "
        "from 0.45 to 0.41 (lowest 0.4 in epoch 2); training accuracy rises from 0.8 to 0.9; "
        "validation accuracy rises "
        "from 0.82 to 0.86."
    )
    assert "1 epoch: training loss is 0.5." in alt_text(DRAWN["one epoch"]())
    back = plotting.plot_learning_curves({"accuracy": [0.5, 0.7, 0.5]})
    assert "training accuracy starts and ends at 0.5." in alt_text(back)


def test_a_training_that_diverged_is_still_drawn_and_described():
    figure = plotting.plot_learning_curves({"loss": [2.3, float("nan")]})
    assert "training loss goes from 2.3 to nan." in alt_text(figure)
    assert figure_png(figure)


@pytest.mark.parametrize("label", [0, np.uint8(9)])
def test_a_label_will_do_for_a_title(label: int) -> None:
    figure = plotting.show_image(np.zeros((28, 28)), label)
    assert figure.get_suptitle() == str(label)


def test_a_picture_is_what_savefig_draws_and_leaves_the_figure_as_it_was() -> None:
    figure, axes = plt.subplots(layout="constrained")
    axes.plot([1, 3, 2], label="x")
    axes.legend()
    before = figure.dpi, figure.canvas
    picture = figures._of_exact_size(figure, 150)
    assert (figure.dpi, figure.canvas) == before
    saved = io.BytesIO()
    figure.savefig(saved, dpi=150)
    assert np.array_equal(np.asarray(picture), np.asarray(Image.open(saved)))
    plt.close(figure)


@pytest.mark.parametrize(
    ("title", "drawn"), [("short", 1), ("long " * 40, 3)], ids=["inside", "beyond the figure"]
)
def test_a_learners_figure_is_cut_to_its_parts_as_savefig_does_it(title: str, drawn: int) -> None:
    figure = plt.figure(figsize=(4, 3), facecolor="red")
    plt.plot([1, 3, 2])
    plt.title(title)
    before = figure.dpi, figure.canvas, figure.get_facecolor()
    draws: list[int] = []
    figure.add_artist(_Counted(draws))
    saved = io.BytesIO()
    with plt.rc_context({"savefig.facecolor": "white"}):
        picture = figures._of_all_its_parts(figure, 150).convert("RGB")
        assert (figure.dpi, figure.canvas, figure.get_facecolor()) == before
        assert len(draws) == drawn
        figure.savefig(saved, dpi=150, bbox_inches="tight")
    theirs = Image.open(saved).convert("RGB")
    assert np.abs(np.subtract(picture.size, theirs.size)).max() <= 2
    assert picture.getpixel((0, 0)) == (255, 255, 255)
    content = [ImageOps.invert(each).getbbox() for each in (picture, theirs)]
    assert None not in content and np.abs(np.subtract(*content)).max() <= 2
    plt.close(figure)


class _Counted(Artist):
    def __init__(self, draws: list[int]) -> None:
        super().__init__()
        self.draws = draws

    def draw(self, renderer: object) -> None:
        self.draws.append(1)


@pytest.mark.parametrize("colours", [1, 100, 128, 129, 200, 255, 3000])
def test_a_picture_in_few_colours_looks_as_it_did(colours: int) -> None:
    random = np.random.default_rng(colours)
    pixels = random.integers(0, 256, (colours, 3))[random.integers(0, colours, (80, 200))]
    pixels[10:70, 20:180] = 255, 254, 253
    picture = Image.fromarray(pixels.astype(np.uint8))
    few = figures._in_few_colours(picture)
    assert few.mode == "P"
    difference = np.abs(np.asarray(few.convert("RGB")) - pixels)
    assert not difference[10:70, 20:180].any()
    assert difference.mean() < (10 if colours > 255 else 0.01)


def test_more_histories_than_colours_are_all_drawn():
    figure = plotting.plot_learning_curves({f"run {i}": {"loss": [2, 1]} for i in range(9)})
    assert len(figure.axes[0].lines) == 9 and "run 8" in words(figure)


@pytest.mark.parametrize(
    "epochs, ticks",
    [
        (1, [1]),
        (3, [1, 2, 3]),
        (12, [1, 2, 4, 6, 8, 10, 12]),
        (30, [1, 5, 10, 15, 20, 25, 30]),
        (99, [1, 20, 40, 60, 80]),
    ],
)
def test_the_axis_of_epochs_begins_at_1(epochs, ticks):
    figure = plotting.plot_learning_curves({"loss": [1.0] * epochs})
    assert figure.axes[0].get_xticks().tolist() == ticks


def test_no_line_joins_the_sides_of_a_jump():
    figure = plotting.plot_function(np.abs, np.sign, interval=(-1, 1))
    whole, jumping = (line.get_ydata() for line in figure.axes[0].lines[1:3])
    assert np.isfinite(whole).all()
    assert np.isnan(jumping).sum() == 2


def test_a_steep_curve_has_no_gap():
    figure = plotting.plot_function(lambda x: np.tanh(20 * x))
    assert np.isfinite(figure.axes[0].lines[1].get_ydata()).all()


def test_a_gap_in_a_function_is_no_alarm(recwarn):
    figure_png(plotting.plot_function(np.sqrt, lambda x: 0.5 / np.sqrt(x), name="√x"))
    assert not recwarn.list


def test_training_and_validation_differ_in_line_style_as_well():
    loss, accuracy = DRAWN["learning curves"]().axes
    assert [line.get_linestyle() for line in loss.lines] == ["-", "--"]
    assert [axes.get_title("left") for axes in (loss, accuracy)] == ["loss", "accuracy"]


def test_a_confusion_matrix_counts_each_pair_and_names_the_worst_mistake():
    figure = DRAWN["confusion"]()
    assert "5,600 of 6,000 images are right, 93.3%" in words(figure)
    assert "mistake is Shirt taken for Sneaker, 400 times." in alt_text(figure)
    assert "there is no mistake" in alt_text(DRAWN["two classes"]())


def test_a_tangent_has_its_slope_written_at_it():
    figure = DRAWN["function"]()
    assert "slope 9" in words(figure) and "slope -2.25" in words(figure)
    assert "tangents with slope 9 at x = -2 and -2.25 at x = 0.5." in alt_text(figure)


def test_a_descent_says_where_it_started_and_ended():
    figure = DRAWN["surface"]()
    assert "start: loss 17" in words(figure) and "after 3 steps: loss 0.01" in words(figure)
    assert "from w = 0, b = 0 (loss 17) to w = 2.9, b = 2 (loss 0.01)." in alt_text(figure)


def test_what_rounding_leaves_of_a_loss_is_nearly_0():
    for end in ((3.0, 2.0), (3.0 + 1e-7, 2.0)):
        figure = plotting.plot_loss_surface(quadratic, [(0.0, 0.0), end])
        assert "w = 3, b = 2 (loss nearly 0)." in alt_text(figure)


def test_two_surfaces_within_the_same_limits_show_the_same_valley():
    one, other = (
        plotting.plot_loss_surface(quadratic, path, limits=((-4, 4), (-1, 4))).axes[0]
        for path in (PATH, PATH[:2])
    )
    assert one.get_xlim() == other.get_xlim() == (-4, 4) and one.get_ylim() == (-1, 4)
    assert (one.collections[0].levels == other.collections[0].levels).all()


def test_influence_leaves_exact_zeros_white_and_no_other_slope():
    figure = DRAWN["influence"]()
    table = figure.axes[0].images[0]
    shown = table.get_array()
    assert shown.mask.sum() == 12 * 8 - 24
    palest = table.cmap(0.0)
    assert min(palest[:3]) < 0.8  # white is 1.0
    assert "24 are not zero within an example, none between examples." in alt_text(figure)
    everywhere = alt_text(DRAWN["influence everywhere"]())
    assert "24 are not zero within an example, 72 between examples." in everywhere


def test_descents_are_named_and_told_apart_without_colour():
    figure = DRAWN["descents"]()
    lines = figure.axes[0].lines
    assert len({(line.get_linestyle(), line.get_marker()) for line in lines}) == 2
    assert figure.axes[0].get_yscale() == "log" and figure.axes[0].get_xlabel() == "step"
    assert "the loss over 50 steps; plain falls from 10 to 0.0515; faster" in alt_text(figure)


def test_a_curve_under_another_one_is_seen():
    one, other = plotting.plot_learning_curves({"own": CURVES, "fit": CURVES}).axes[0].lines[::2]
    assert one.get_linewidth() > 2 * other.get_linewidth()
    apart = plotting.plot_learning_curves({"own": {"loss": [3, 2]}, "fit": {"loss": [2, 1]}})
    assert len({line.get_linewidth() for line in apart.axes[0].lines}) == 1


def test_bars_have_their_values_and_unit_written_at_them():
    assert "4.5 s" in words(DRAWN["bars"]())
    assert alt_text(DRAWN["bars"]()) == "An epoch: fit 4.5 s; XLA 0.45 s."


def test_a_layer_diagram_says_shapes_activations_and_parameters():
    figure = DRAWN["layers"]()
    for said in ("mlp: 2 layers, 101,770 parameters", "Dense, relu", "(batch, 128)", "100,480 par"):
        assert said in words(figure)
        assert said in alt_text(figure)


def test_a_long_model_is_folded_and_its_parameters_still_add_up():
    said = words(DRAWN["many layers"]())
    assert "... 31 more layers" in said
    assert f"{31 * 100_480:,} parameters" in said and "41 layers, 4,020,490 parameters" in said


def test_keras_models_are_drawn_built_or_not_and_branches_name_their_inputs():
    keras = pytest.importorskip("keras")
    stack = keras.Sequential([keras.layers.Dense(3, activation="relu"), keras.layers.Dense(4)])
    assert "2 layers, not built yet" in words(plotting.draw_layers(stack))
    stack(np.ones((3, 3), dtype="float32"))
    assert "2 layers, 28 parameters" in words(plotting.draw_layers(stack))
    inputs = keras.Input((8,), name="features")
    left = keras.layers.Dense(4, name="left")(inputs)
    right = keras.layers.Dense(4, name="right")(inputs)
    model = keras.Model(inputs, keras.layers.Add(name="sum")([left, right]))
    said = words(plotting.draw_layers(model))
    assert "from left and right" in said and "from features" in said


def test_a_skip_connection_is_an_arrow_that_passes_the_layers_between():
    keras = pytest.importorskip("keras")
    inputs = keras.Input((8,), name="features")
    hidden = keras.layers.Dense(8, name="hidden")(inputs)
    model = keras.Model(inputs, keras.layers.Add(name="sum")([inputs, hidden]))
    (axes,) = plotting.draw_layers(model).axes
    boxes = [p.get_bbox() for p in axes.patches if isinstance(p, FancyBboxPatch)]
    ways = [p.get_path().get_extents() for p in axes.patches if isinstance(p, FancyArrowPatch)]
    beside = max(box.x1 for box in boxes)
    (skip,) = [way for way in ways if way.x1 > beside]
    assert len(ways) == 3
    assert boxes[0].y0 < skip.y0 < boxes[0].y1 and boxes[2].y0 < skip.y1 < boxes[2].y1


def test_the_layers_of_a_chain_have_one_arrow_each_to_the_next():
    (axes,) = plotting.draw_layers(mlp(hidden=40)).axes
    arrows = [p for p in axes.patches if isinstance(p, FancyArrowPatch)]
    boxes = [p for p in axes.patches if isinstance(p, FancyBboxPatch)]
    assert len(arrows) == len(boxes) - 1 == plotting.layers.MOST_LAYERS - 1


def test_a_function_of_another_variable_has_its_name_on_the_axis_and_in_the_description():
    figure = plotting.plot_function(
        np.square, lambda p: 2 * p, tangents_at=[1], name="g(p)", variable="p"
    )
    assert figure.axes[0].get_xlabel() == "p"
    assert "at p = -3" in alt_text(figure) and "slope 2 at p = 1" in alt_text(figure)
    assert "x" not in alt_text(figure)


BAD = {
    "a batch for an image": (lambda: plotting.show_image(IMAGES), r"\(15, 28, 28\): that is a ba"),
    "an image for a batch": (lambda: plotting.show_images(IMAGES[0]), r"image\[None\]"),
    "a row of pixels": (lambda: plotting.show_image(IMAGES[0, 0]), "two axes"),
    "no image": (lambda: plotting.show_images(IMAGES[:0]), "empty array of shape"),
    "text": (lambda: plotting.show_image("boot"), "needs an array of numbers and got a str"),
    "NaN": (lambda: plotting.show_image([[np.nan]]), "NaN or infinity"),
    "too few names": (lambda: plotting.show_images(IMAGES, ["Bag"]), "there are 1 for 15"),
    "no columns": (lambda: plotting.show_images(IMAGES, columns=0), "1 to 15 columns: columns = 0"),
    "columns too narrow": (
        lambda: plotting.show_predictions(IMAGES, probabilities(LABELS), LABELS, NAMES, columns=6),
        "1 to 4 columns",
    ),
    "logits": (
        lambda: plotting.plot_probabilities(np.linspace(-3, 4, 10), 1, NAMES),
        "tf.nn.softmax",
    ),
    "all rows": (
        lambda: plotting.plot_probabilities(probabilities([1, 2]), 1, NAMES),
        r"probabilities\[0\]",
    ),
    "nine classes": (
        lambda: plotting.plot_probabilities(np.full(9, 1 / 9), 1, NAMES),
        "each of the 10 classes",
    ),
    "an eleventh class": (
        lambda: plotting.plot_probabilities(probabilities([1])[0], 10, NAMES),
        "class numbers from 10 to 10",
    ),
    "two labels": (
        lambda: plotting.plot_probabilities(probabilities([1])[0], [1, 2], NAMES),
        "needs one label",
    ),
    "fewer labels than images": (
        lambda: plotting.show_predictions(IMAGES, probabilities(LABELS), LABELS[:3], NAMES),
        "there are 3 for 15",
    ),
    "probabilities for predictions": (
        lambda: plotting.plot_confusion_matrix(LABELS, probabilities(LABELS), NAMES),
        r"probabilities.argmax\(axis=1\)",
    ),
    "no history": (lambda: plotting.plot_learning_curves([1, 2]), "not a list"),
    "other keys": (lambda: plotting.plot_learning_curves({"mae": [1.0]}), "none of the keys"),
    "an interval backwards": (
        lambda: plotting.plot_function(np.sin, interval=(1, -1)),
        "from low to high",
    ),
    "tangents alone": (lambda: plotting.plot_function(np.sin, tangents_at=[0]), "derivative"),
    "a derivative of None": (
        lambda: plotting.plot_function(np.sin, lambda x: None),
        "got None for the derivative",
    ),
    "one value for many": (
        lambda: plotting.plot_function(lambda x: x[:3]),
        "for each of 601 places",
    ),
    "a flat path": (lambda: plotting.plot_loss_surface(quadratic, [1, 2]), r"\(n, 2\)"),
    "a path to infinity": (
        lambda: plotting.plot_loss_surface(quadratic, [(0, 0), (np.inf, 1)]),
        "smaller learning rate",
    ),
    "a loss of one number": (
        lambda: plotting.plot_loss_surface(lambda w, b: 1.0, PATH),
        "returns the shape it is given",
    ),
    "limits backwards": (
        lambda: plotting.plot_loss_surface(quadratic, PATH, limits=((4, -4), (-1, 4))),
        "limits from low to high",
    ),
    "a gradient for a Jacobian": (
        lambda: plotting.show_influence(np.ones((4, 2))),
        r"\(n, outputs, n, inputs\)",
    ),
    "no descent": (lambda: plotting.plot_descents({}), "list of losses"),
    "a loss of zero": (lambda: plotting.plot_descents({"SGD": [1, 0]}), "'SGD' has others"),
    "no bars": (lambda: plotting.plot_bars({}), "at least one value"),
    "a bar of text": (lambda: plotting.plot_bars({"fit": "fast"}), "finite number for 'fit'"),
    "a list of descents": (
        lambda: plotting.plot_descents([3, 2]),
        "for each name a list of losses",
    ),
    "a ragged descent": (lambda: plotting.plot_descents({"a": [[1, 2], [3]]}), "list of losses"),
    "a list of bars": (lambda: plotting.plot_bars([1, 2]), "one value with its name"),
    "a huge bar": (lambda: plotting.plot_bars({"fit": 10**400}), "finite number for 'fit'"),
    "ragged curves": (
        lambda: plotting.plot_learning_curves({"loss": [[1, 2], [3]]}),
        "lists of numbers, and loss is none",
    ),
    "complex pixels": (
        lambda: plotting.show_image(IMAGES[0] + 1j),
        "real numbers and got complex128 values",
    ),
    "a function of one number": (
        lambda: plotting.plot_function(math.sin),
        "tf.sin instead of math",
    ),
    "a function with an if": (
        lambda: plotting.plot_function(lambda x: 1 if x > 0 else 0),
        "tf.where instead of if",
    ),
    "a function of text": (lambda: plotting.plot_function(lambda x: "x"), r"numbers of f\(x\)"),
    "an endless interval": (
        lambda: plotting.plot_function(np.sin, interval=(-np.inf, np.inf)),
        "from low to high",
    ),
    "no interval": (lambda: plotting.plot_function(np.sin, interval=None), "not None"),
    "a tangent at NaN": (
        lambda: plotting.plot_function(np.sin, np.cos, tangents_at=[np.nan]),
        "places of tangents",
    ),
    "limits of text": (
        lambda: plotting.plot_loss_surface(quadratic, PATH, limits="wide"),
        "limits from low to high",
    ),
    "a path of text": (lambda: plotting.plot_loss_surface(quadratic, "down"), r"\(n, 2\)"),
    "too many images": (
        lambda: plotting.show_images(np.zeros((201, 4, 4))),
        "room for 200 images and got 201: pass fewer",
    ),
    "too many bars": (
        lambda: plotting.plot_bars({str(n): n for n in range(101)}),
        "room for 100 bars and got 101",
    ),
    "too many descents": (
        lambda: plotting.plot_descents({str(n): [1] for n in range(101)}),
        "room for 100 descents",
    ),
    "too many classes": (
        lambda: plotting.plot_confusion_matrix([0], [0], ["a"] * 1000),
        "room for 100 classes and got 1,000",
    ),
    "no model": (lambda: plotting.draw_layers(3), "a model with layers"),
}


@pytest.mark.parametrize(("draw", "sentence"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_drawn_is_said_in_one_sentence(draw, sentence):
    with pytest.raises(CourseError, match=sentence) as caught:
        draw()
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_an_error_of_the_learners_own_function_stays_what_it_is():
    with pytest.raises(TypeError, match="mine"):
        plotting.plot_function(own_error)


def own_error(x):
    raise TypeError("mine")


@pytest.mark.parametrize(
    "draw",
    [
        lambda text: plotting.show_image(IMAGES[0], text),
        lambda text: plotting.plot_bars({text: 1}),
        lambda text: plotting.plot_descents({text: [2, 1]}),
        lambda text: plotting.plot_function(np.sin, name=text, variable=text),
        lambda text: plotting.plot_probabilities(np.full(2, 0.5), 0, [text, "b"]),
    ],
    ids=["title", "bar", "legend", "axis", "class"],
)
@pytest.mark.parametrize("text", [r"$\bad{$", r"$\frac{$", "$x^2$", "5 $"])
def test_what_is_no_mathematics_is_shown_as_it_is_written(draw, text):
    assert figures.figure_png(draw(text))


SHOWS_DATA = [
    name
    for name in DRAWN
    if not any(w in name for w in ("layers", "func", "surface", "influ", "desc"))
]


@pytest.mark.parametrize("name", SHOWS_DATA)
def test_a_figure_of_the_stand_in_says_so_once_in_title_and_description(stand_in, name):
    figure = DRAWN[name]()
    figure_html(figure)
    assert words(figure).lower().count("stand-in data") == 1
    assert alt_text(figure).count("stand-in data") == 1


@pytest.mark.parametrize("name", ["function", "surface", "influence", "descents", "layers"])
def test_a_figure_without_data_does_not_speak_of_the_stand_in(stand_in, name):
    figure = DRAWN[name]()
    assert "stand-in" not in figure_html(figure) and "stand-in" not in words(figure)


@pytest.mark.parametrize("titles", ["figure", "axes", "several", "none"])
def test_a_learners_own_figure_of_the_stand_in_says_so_once(stand_in, own_figure, titles):
    for axes in own_figure.subplots(1, 2 if titles == "several" else 1, squeeze=False)[0]:
        axes.plot([1, 2])
        if titles in ("axes", "several"):
            axes.set_title("Mine")
    if titles == "figure":
        own_figure.suptitle("Mine")
    assert figure_html(own_figure) == figure_html(own_figure)
    assert words(own_figure).lower().count("stand-in data") == 1
    assert alt_text(own_figure).lower().count("stand-in data") == 1


def test_a_learners_own_figure_is_described_from_its_parts(own_figure):
    axes = own_figure.subplots()
    axes.plot([1, 5], [2, 3], label="training")
    axes.scatter([1, 2, 3], [2, 2, 2])
    axes.set(title='Loss & "more"', xlabel="epoch")
    assert alt_text(own_figure) == (
        'Loss & "more": 1 line and 3 points (training), x epoch from 1 to 5, y from 2 to 3.'
    )
    assert 'alt="Loss &amp; &quot;more&quot;: 1 line' in figure_html(own_figure)


def test_a_learners_own_sheet_of_images_is_described_by_its_labels(own_figure):
    for i, axes in enumerate(own_figure.subplots(1, 3)):
        axes.imshow(IMAGES[i])
        axes.set_xlabel(NAMES[i])
    assert alt_text(own_figure) == "3 images: T-shirt/top, Trouser, Pullover."


@pytest.mark.parametrize("make", [lambda axes: axes.bar([1, 2], [3, 4]), lambda axes: None])
def test_bars_and_empty_axes_are_described_too(own_figure, make):
    make(own_figure.subplots())
    assert alt_text(own_figure) in (
        "2 bars, x from 0.6 to 2.4, y from 0 to 4.",
        "Figure: no data is drawn.",
    )


def test_a_learners_own_words_win_over_the_description(own_figure):
    own_figure.subplots().plot([1, 2])
    own_figure.set_label("The loss doubles.")
    assert alt_text(own_figure) == "The loss doubles."
    own_figure.set_label("Loss")
    assert alt_text(own_figure).startswith("Loss: 1 line")


def test_a_learners_style_does_not_change_the_courses_figures():
    before = figure_png(DRAWN["bars"]())
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black"}):
        assert figure_png(DRAWN["bars"]()) == before


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-0.0, "0"),
        (8.0, "8"),
        (0.1 + 0.2, "0.3"),
        (-2.25, "-2.25"),
        (101770, "101,770"),
        (1234567.0, "1,234,567"),
        (1234567.8, "1.23e+06"),
        (0.00001234, "1.23e-05"),
        (99.999, "100"),
    ],
)
def test_numbers_are_short_and_have_no_minus_zero(value, text):
    assert short_number(value) == text


def test_plotting_imports_no_tensorflow_and_takes_less_than_a_second():
    code = (
        "import time; start = time.process_time(); import utils.plotting; "
        "import sys; print(time.process_time() - start, 'tensorflow' in sys.modules)"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    seconds, with_tensorflow = zip(*(run.stdout.split() for run in runs), strict=True)
    print(f"import utils.plotting: {min(map(float, seconds)):.2f} s of processor time")
    assert set(with_tensorflow) == {"False"}
    assert min(map(float, seconds)) < 1


PLOT = "import matplotlib.pyplot as plt; plt.plot([1, 2]); plt.title('A & B')"
ORDERS = {
    "plotting first": ["import utils.plotting", PLOT, "plt.plot([3]); plt.show()"],
    "pyplot first": ["import matplotlib.pyplot as plt", "import utils.plotting", PLOT],
    "inline afterwards": ["import utils.plotting", "%matplotlib inline", PLOT],
    "inline before": ["%matplotlib inline", "import utils.plotting", PLOT],
    "another back end before": [
        "import matplotlib; matplotlib.use('agg'); import utils.plotting\n%matplotlib inline",
        PLOT,
    ],
    "all in one cell": [f"import utils.plotting\n{PLOT}\nplt.show()"],
    "another format": [
        "import utils.plotting",
        "%matplotlib inline\n%config InlineBackend.figure_formats = ['svg', 'retina']",
        PLOT,
    ],
    "ours": [
        "import utils.plotting as p; figure = p.plot_bars({'fit': 4.5})",
        "figure",
        "display(figure)",
        "p.plot_function(lambda x: x)",
    ],
}
PICTURES = {"plotting first": 2, "ours": 3}


@pytest.mark.parametrize("order", ORDERS)
def test_every_figure_reaches_jupyter_once_as_an_image_with_words(order):
    cells = [nbformat.v4.new_code_cell(source) for source in ORDERS[order]]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, kernel_name="python3", timeout=60).execute()
    outputs = [output.data for cell in cells for output in cell.outputs]
    pictures = [data for data in outputs if "text/html" in data]
    assert len(pictures) == PICTURES.get(order, 1)
    assert all(re.match(r'<img alt="[^"]{10,}\." width="', data["text/html"]) for data in pictures)
    assert not any(kind.startswith("image/") for data in outputs for kind in data)
    assert not any(data["text/plain"].startswith("<Figure") for data in outputs)
