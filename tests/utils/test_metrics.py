"""A lesson's results: one table for people, one JSON for programs."""

import json

import numpy as np
import pytest

from utils import metrics
from utils.errors import CourseError
from utils.metrics import MIME_TYPE, report_metrics


@pytest.fixture
def shown(monkeypatch):
    """Collect what is displayed; no data set was loaded."""
    bundles = []
    monkeypatch.setattr(metrics, "display", lambda bundle, raw: bundles.append(bundle))
    monkeypatch.setattr(metrics, "data_source", lambda: None)
    return bundles


def test_results_reach_programs_as_json_and_people_as_a_table(shown):
    report_metrics(test_accuracy=0.87654321, epochs=5, history=[0.5, 0.25], optimizer="Adam")
    (bundle,) = shown
    assert bundle[MIME_TYPE] == {
        "test_accuracy": 0.87654321,
        "epochs": 5,
        "history": [0.5, 0.25],
        "optimizer": "Adam",
    }
    assert bundle["text/plain"].splitlines()[0].split() == ["test_accuracy", "0.8765"]
    assert "<th" in bundle["text/html"] and "test accuracy" in bundle["text/html"]


def test_the_stand_in_is_named_in_the_table_and_in_the_json(shown, monkeypatch):
    monkeypatch.setattr(metrics, "data_source", lambda: "stand-in")
    report_metrics(test_accuracy=0.8)
    (bundle,) = shown
    assert bundle[MIME_TYPE]["data"] == "stand-in"
    assert "stand-in" in bundle["text/plain"] and "stand-in" in bundle["text/html"]


def test_arrays_and_numpy_numbers_become_plain_json(shown):
    report_metrics(steps=np.int64(1875), loss=np.float32(0.5), curve=np.array([1.5, 2.5]))
    plain = json.loads(json.dumps(shown[0][MIME_TYPE]))
    assert plain == {"steps": 1875, "loss": 0.5, "curve": [1.5, 2.5]}
    assert isinstance(plain["steps"], int)


def test_nan_is_reported_as_text_because_json_has_no_nan(shown):
    report_metrics(loss=float("nan"), curve=[1.0, float("inf")])
    assert json.loads(json.dumps(shown[0][MIME_TYPE], allow_nan=False)) == {
        "loss": "nan",
        "curve": [1.0, "inf"],
    }


def test_text_is_escaped_in_the_table(shown):
    report_metrics(note="<script>&")
    assert "&lt;script&gt;&amp;" in shown[0]["text/html"]


@pytest.mark.parametrize("value", [None, {}, [[1.0]], True, object(), [], [[1], [2, 3]], [1, "b"]])
def test_what_is_no_metric_is_named_in_one_sentence(shown, value):
    with pytest.raises(CourseError, match="and loss is a "):
        report_metrics(loss=value)
    assert not shown


def test_a_report_of_nothing_says_how_to_report(shown):
    with pytest.raises(CourseError, match="needs a result"):
        report_metrics()
