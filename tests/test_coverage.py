"""Every idea of the course is taught where the index says, with the value that it must have."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
LESSONS = {path.stem[:2]: path for path in sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))}
FRAME = ("Recap", "What comes next", "Sources")

# The seed's ideas in its order: lesson, and what its stored outputs must show.
SEED = {
    "S1 y and z": ("01", r"y = 4\.0\s+z = 16\.0"),
    "S1 dz/dx in all four places": ("01", r"\[\[8\. 8\.\]\s+\[8\. 8\.\]\]"),
    "S2 dz/dy": ("01", r"dz/dy = 8\.0"),
    "S3 both derivatives": ("01", r"dz/dx = 108\.0\s+dy/dx = 6\.0"),
    "S3 a second call raises": ("01", r"can only be used to compute one set of gradients"),
    "S4 6, 5 and 4 iterations": ("02", r"rounds 6: 12\.0\s+rounds 5: 12\.0\s+rounds 4: 4\.0"),
    "S5 first and second derivative": ("03", r"first +3\.0\s+second +6\.0"),
    "S6 shape": ("04", r"the answer is \(3, 4\)"),
    "S6 zeros, layer by layer": (
        "04",
        r"layer1 gives \[0\. 0\.\]\s+layer2 gives \[0\. 0\. 0\.\]\s+"
        r"layer3 gives \[0\. 0\. 0\. 0\.\]",
    ),
    "S6 about a third of the seeds": ("04", r"(9|1[0-3]) of 32 seeds give a silent network"),
    "S6 inactive or dead": ("04", r"dead +active for +0\.0% of the inputs"),
    "S7 three layers": ("04", r"3 layers"),
    "S7 two after pop": ("04", r"the answer is 2\."),
    "S8 shapes": ("05", r"training images \(60000, 28, 28\)"),
    "S8 labels": ("05", r"training labels 60000\s+test images +\(10000, 28, 28\)"),
    "S8 class names": ("05", r"0 T-shirt/top"),
    "S8 item 0": ("05", r"Figure: Ankle boot: 28 by 28 grey pixels with values from 0 to 255"),
    "S9 scaled": ("05", r"float32 0\.0 to 1\.0"),
    "S9 sheet": ("05", r"25 images in 5 rows of 5: Ankle boot, T-shirt/top"),
    "S10 hidden layer": ("05", r"100,480 parameters"),
    "S10 output layer": ("05", r"1,290 parameters"),
    "S10 total": ("05", r"the answer is 101770"),
    "S11 a diagram with shapes": ("05", r"Layer diagram of mlp: 3 layers.*\(batch, 784\)"),
    "S12 steps": ("05", r"1875/1875.*accuracy"),
    "S13 steps": ("05", r"313/313"),
    "S14 ten probabilities": ("05", r"\(10000, 10\)[\s\S]+sum +1\.0000"),
    "S14 item 0": ("05", r"predicted 9 Ankle boot\s+true +9 Ankle boot"),
    "S15 item 0": ("05", r"An image of class Ankle boot and probabilities of 10 classes"),
    "S15 item 40": ("05", r"An image of class Shirt and probabilities of 10 classes"),
    "S15 sheet of 15": ("05", r"15 images with predictions: \d+ right, \d+ wrong"),
    "S16 versions": ("00", r"TensorFlow 2\.\d+\.\d+\s+Keras 3\.\d+\.\d+"),
}


def outputs(lesson: Path) -> str:
    """Return the text of all stored outputs of a lesson."""
    notebook = nbformat.read(lesson, as_version=4)
    return "\n".join(
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )


def sections(lesson: Path) -> list[str]:
    """Return the sections that teach something."""
    text = "\n".join(
        cell.source for cell in nbformat.read(lesson, 4).cells if cell.cell_type == "markdown"
    )
    return [name for name in re.findall(r"^## (.+)$", text, re.MULTILINE) if name not in FRAME]


def metrics(lesson: Path) -> dict[str, float]:
    from utils.metrics import MIME_TYPE

    found: dict[str, float] = {}
    for cell in nbformat.read(lesson, as_version=4).cells:
        for output in cell.get("outputs", []):
            found.update(output.get("data", {}).get(MIME_TYPE, {}))
    return found


@pytest.mark.parametrize("row", SEED)
def test_every_value_of_the_seed_stands_in_the_stored_outputs(row: str) -> None:
    lesson, pattern = SEED[row]
    assert re.search(pattern, outputs(LESSONS[lesson])), f"{row}: no {pattern} in lesson {lesson}"


def test_the_trained_figures_lie_in_the_range_that_the_seed_leads_to_expect() -> None:
    trained = metrics(LESSONS["05"])
    assert trained["data"] == "Fashion-MNIST"
    assert 0.84 <= trained["test_accuracy"] <= 0.90
    assert 0.32 <= trained["test_loss"] <= 0.45


@pytest.mark.parametrize("lesson", [name for name in LESSONS if name != "00"])
def test_the_index_leads_to_every_section_of_a_lesson(lesson: str) -> None:
    cells = {cell.id: cell.source for cell in nbformat.read(LESSONS["00"], as_version=4).cells}
    linked = re.findall(rf"\({LESSONS[lesson].name}#([^)]+)\)", cells["index"])
    named = {unquote(anchor).replace("-", " ") for anchor in linked}
    assert [name for name in sections(LESSONS[lesson]) if name.replace("-", " ") not in named] == []
