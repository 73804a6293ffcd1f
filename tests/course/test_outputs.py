"""What counts as the same output, and what does not."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from course.figures import figure_difference
from course.outputs import differences

METRICS = "application/vnd.tape-to-mlp.metrics+json"


def printed(text: str, name: str = "stdout") -> dict:
    return {"output_type": "stream", "name": name, "text": text}


def shown(**data: object) -> dict:
    mimes = {"text": "text/plain", "html": "text/html", "png": "image/png", "metrics": METRICS}
    return {
        "output_type": "display_data",
        "data": {mimes[name]: value for name, value in data.items()},
        "metadata": {},
    }


def same(stored: str, fresh: str, *tags: str) -> bool:
    as_text = not differences([printed(stored)], [printed(fresh)], set(tags))
    as_result = not differences([shown(text=stored)], [shown(text=fresh)], set(tags))
    assert as_text == as_result
    return as_text


def draw(power: int = 3, colour: str = "blue", title: str = "A function", **style: object) -> bytes:
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(6, 4))
        axes = figure.subplots()
        x = np.linspace(-2, 2, 100)
        axes.plot(x, x**power, color=colour)
        axes.set_title(title)
        return png(figure)


def png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def image(picture: bytes, alt: str | None = "A curve from -8 to 8.") -> dict:
    words = "" if alt is None else f'alt="{alt}" '
    data = base64.b64encode(picture).decode()
    return shown(html=f'<img {words}width="600" src="data:image/png;base64,{data}">')


@pytest.mark.parametrize(
    ("stored", "fresh"),
    [
        ("z = 16.0", "z = 16.0000004"),
        ("[8. 8.]", "[7.9999995 8.0000005]"),
        ("[[1.  2.5]\n [3.  4. ]]", "[[1. 2.5]\n  [3. 4.]]"),
        ("loss 3.14159e-05", "loss 3.14160e-05"),
        ("-0.0", "0.0"),
        ("\x1b[1mModel\x1b[0m", "Model"),
        ("<Sequential at 0x7f49288094a8>", "<Sequential at 0x7f5011223344>"),
        ("File /tmp/ipykernel_12/345.py, line 3", "File /var/ipykernel_99/1.py, line 3"),
        ("1875/1875 - 4s - 2ms/step - loss: 0.6348", "1875/1875 - 12s - 812us/step - loss: 0.6348"),
    ],
)
def test_rounding_white_space_and_what_no_program_repeats_is_no_difference(
    stored: str, fresh: str
) -> None:
    assert same(stored, fresh)


@pytest.mark.parametrize(
    ("stored", "fresh"),
    [
        ("y = 4", "y = 5"),
        ("y = 4.0", "y = 4"),
        ("y = 4.0", "y = 4.01"),
        ("y = 4.0", "y = -4.0"),
        ("101770 parameters", "101771 parameters"),
        ("1,875.0 steps", "1,876.0 steps"),
        ("There are 101770.", "There are 101771."),
        ("x", "y"),
        ("a gradient", "a gradient of 3.0"),
        ("3.0", "None"),
        ("nan", "0.5"),
        ("1 2 3", "1 2"),
        ("dense_3", "dense_4"),
        ("float32", "float64"),
        ("epoch 1 - loss: 0.6348", "epoch 1 - loss: 0.5348"),
    ],
)
def test_a_changed_number_or_word_is_a_difference(stored: str, fresh: str) -> None:
    assert not same(stored, fresh)


def test_a_difference_is_told_in_a_sentence_with_what_was_stored_and_what_came() -> None:
    assert differences([printed("y = 4.0\n")], [printed("y = 5.0\n")], set()) == [
        "The printed text differs: stored 'y = 4.0', now 'y = 5.0'."
    ]


def test_text_on_stderr_is_not_compared() -> None:
    assert not differences([printed("a warning", "stderr")], [printed("a log line", "stderr")])
    assert not differences([], [printed("a log line", "stderr")])
    assert differences([], [printed("a result")])


def test_text_printed_in_pieces_is_the_same_as_in_one() -> None:
    assert not differences([printed("a\n"), printed("b\n")], [printed("a\nb\n")])


def test_of_a_progress_bar_only_what_stays_on_the_screen_is_compared() -> None:
    stored = [printed("[    ] 0 s\r[====] 2/2\n")]
    assert not differences(stored, [printed("[==  ] 1 s\r[====] 2/2\n")])
    assert differences(stored, [printed("[==  ] 1 s\r[====] 3/3\n")])


def test_a_result_that_is_missing_or_new_is_a_difference() -> None:
    assert differences([shown(text="4")], [])
    assert differences([], [shown(text="4")])
    assert differences([shown(text="4", html="<b>4</b>")], [shown(text="4")])


def test_an_error_is_compared_by_its_message() -> None:
    def error(message: str, traceback: str) -> dict:
        return {
            "output_type": "error",
            "ename": "ValueError",
            "evalue": message,
            "traceback": [traceback],
        }

    assert not differences([error("no rank", "line 3")], [error("no rank", "line 4")])
    assert differences([error("no rank", "line 3")], [error("no shape", "line 3")])


@pytest.mark.parametrize(
    "style",
    [{}, {"text.hinting": "none"}, {"text.hinting": "force_autohint"}, {"text.antialiased": False}],
)
def test_a_figure_drawn_again_with_other_antialiasing_is_the_same(style: dict) -> None:
    assert not differences([image(draw())], [image(draw(**style))])


@pytest.mark.parametrize(
    "changed",
    [{"power": 2}, {"colour": "green"}, {"title": "Its derivative"}, {"lines.linewidth": 4}],
)
def test_a_figure_that_visibly_changed_is_told_and_kept(changed: dict, tmp_path: Path) -> None:
    (sentence,) = differences([image(draw())], [image(draw(**changed))], pictures=tmp_path / "cell")
    assert "looks different" in sentence
    assert str(tmp_path / "cell-1.png") in sentence
    assert (tmp_path / "cell-1.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("tags", [set(), {"trained"}, {"timing"}])
@pytest.mark.parametrize("picture", [png(Figure()), b"", draw()[:500]])
def test_a_blank_or_broken_figure_is_a_difference_whatever_the_tags(
    picture: bytes, tags: set[str]
) -> None:
    assert differences([image(draw())], [image(picture)], tags)


@pytest.mark.parametrize("tags", [set(), {"trained"}, {"timing"}])
@pytest.mark.parametrize("alt", [None, "", "  "])
def test_a_figure_without_alt_text_is_a_difference_whatever_the_tags(
    alt: str | None, tags: set[str]
) -> None:
    assert "no alt text" in " ".join(differences([image(draw())], [image(draw(), alt)], tags))


def test_a_png_that_jupyterlab_would_show_without_alt_text_is_a_difference() -> None:
    bare = [shown(png=base64.b64encode(draw()).decode())]
    assert "no alt text" in " ".join(differences(bare, bare))


def test_alt_text_compares_as_text_with_rounding() -> None:
    stored = [image(draw(), "A curve from 0.5 to 8.")]
    assert not differences(stored, [image(draw(), "A curve from 0.5000001 to 8.")])
    assert differences(stored, [image(draw(), "A curve from 0.6 to 8.")])
    assert differences(stored, [image(draw(), "A line from 0.5 to 8.")])


def test_a_figure_of_another_size_is_a_difference() -> None:
    assert differences([image(draw())], [image(draw(**{"savefig.dpi": 150}))])


@pytest.mark.parametrize("tag", ["timing", "trained"])
def test_numbers_of_a_tagged_cell_may_differ_and_words_may_not(tag: str) -> None:
    assert same("fit takes 4.51 s, the loop 900 ms", "fit takes 12 s, the loop 1.2 s", tag)
    assert same("[0.1 0.25 nan 3e-05]", "[1.0e+00 2 3 4]", tag)
    assert not same("fit takes 4.51 s", "the loop takes 4.51 s", tag)
    assert not same("accuracy 0.87", "accuracy None", tag)


@pytest.mark.parametrize("tag", ["timing", "trained"])
def test_a_figure_of_a_tagged_cell_may_look_different_and_say_other_things(tag: str) -> None:
    fresh = [image(draw(power=2), "Something else.")]
    assert not differences([image(draw())], fresh, {tag})


def test_class_names_and_verdicts_of_a_trained_cell_may_differ() -> None:
    assert same("✓ Ankle boot 93%", "✗ Sneaker 51%", "trained")
    assert same("wrong: Shirt, Coat", "wrong: Coat", "trained")
    assert not same("✓ Ankle boot 93%", "✓ Toaster 93%", "trained")
    right, wrong = "Bag with 90%, which is right.", "Bag with 90%, which is wrong"
    assert same(right, f"{wrong}: the true class Coat has 8%.", "trained")
    assert not same("✓ Ankle boot 93%", "✗ Sneaker 51%", "timing")


def test_metrics_of_a_tagged_cell_keep_their_names_and_types() -> None:
    stored = [shown(metrics={"accuracy": 0.87, "data": "Fashion-MNIST"}, text="accuracy 0.87")]
    fresh = [shown(metrics={"accuracy": 0.85, "data": "Fashion-MNIST"}, text="accuracy 0.85")]
    renamed = [shown(metrics={"test_accuracy": 0.87}, text="accuracy 0.87")]
    retyped = [shown(metrics={"accuracy": "0.87", "data": "Fashion-MNIST"}, text="accuracy 0.87")]
    assert differences(stored, fresh)
    for tag in ("trained", "timing"):
        assert not differences(stored, fresh, {tag})
        assert differences(stored, renamed, {tag})
        assert differences(stored, retyped, {tag})


def test_a_figure_without_a_background_is_one_on_white() -> None:
    clear = Image.new("RGBA", (60, 40), (255, 0, 0, 0))
    clear.paste((0, 0, 0, 255), (10, 10, 30, 30))
    white = Image.new("RGB", (60, 40), "white")
    white.paste((0, 0, 0), (10, 10, 30, 30))
    clear_png, white_png = io.BytesIO(), io.BytesIO()
    clear.save(clear_png, "png")
    white.save(white_png, "png")
    assert figure_difference(white_png.getvalue(), clear_png.getvalue()) == ("", None)
