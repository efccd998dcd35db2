"""The tables of a comparison: paired differences, what does not help first, and what failed as a row."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score

from semc_core.errors import UsageError
from training.compare.page import PAGE, RESULT, TABLE, save
from training.compare.plan import Run, RunResult, further_runs, methods_of, planned, seeds_of
from training.compare.tables import MEASURES, as_csv, measured_run, sentences, summary
from training.models import NETWORKS

CLASSES, FRAMES, PATIENTS = 3, 240, 12
ABOUT: dict[str, Any] = {
    "data": {
        "name": "<b>toy</b>",
        "classes": ["A", "B", "NSP"],
        "splits": {name: {"frames": 80, "groups": 4} for name in ("train", "validation", "test")},
    },
    "choices": {"batch": 8, "encoder": ""},
    "machine": {"processor": "one"},
    "notes": ["A note."],
    "kept": {},
}


def result(method: str, seed: int, better: float, validation_f1: float = 0.5) -> RunResult:
    """Of a network whose answers are so much nearer to the truth than another's."""
    base = np.random.default_rng(1)  # the same frames for all
    truth = base.integers(0, CLASSES, FRAMES)
    group_of = base.integers(0, PATIENTS, FRAMES)
    hard = base.normal(size=(FRAMES, CLASSES)) * 1.5
    logits = hard + np.random.default_rng([seed, 1]).normal(size=hard.shape) * 0.2
    logits += (1 + better) * np.eye(CLASSES)[truth]
    values = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return RunResult(
        plan="p", method=method, seed=seed, steps=4, seconds=60.0, validation_f1=validation_f1,
        thresholds=[0.4] * CLASSES, parameters=1_500_000, milliseconds=2.5 + seed, ran_on="CPU, OpenVINO",
        model_sha256="", truth=truth.tolist(), group_of=group_of.tolist(), probabilities=values.tolist(),
    )  # fmt: skip


def found_of(
    better: Mapping[str, float],
    seeds: tuple[int, ...] = (1, 2, 3),
    problems: Mapping[str, str] | None = None,
    against: str = "semc",
    validation: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    chosen = validation or {}
    results = {
        name: {seed: result(name, seed, much, chosen.get(name, 0.5)) for seed in seeds}
        for name, much in better.items()
    }
    methods = (*better, *(problems or {}))
    return summary(methods, results, problems or {}, against, ABOUT, draws=300)


def rows_of(found: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["method"]: row for row in found["methods"]}


def test_the_measures_are_scikit_learns() -> None:
    one = result("semc", 1, 0.5)
    truth, values = np.array(one["truth"]), np.array(one["probabilities"])
    called, thresholds = values.argmax(axis=1), np.array(one["thresholds"])
    found = {name: float(of[0]) for name, of in measured_run(one, 0).items()}
    assert set(found) == set(MEASURES)
    assert found["accuracy"] == pytest.approx((called == truth).mean())
    macro: dict[str, Any] = {"average": "macro"}
    assert found["precision"] == pytest.approx(precision_score(truth, called, **macro))
    assert found["recall"] == pytest.approx(recall_score(truth, called, **macro))
    assert found["f1"] == pytest.approx(f1_score(truth, called, **macro))
    one_hot = np.eye(CLASSES)[truth]
    assert found["auroc"] == pytest.approx(roc_auc_score(one_hot, values, **macro), abs=1e-6)
    assert found["f1_at_thresholds"] == pytest.approx(f1_score(one_hot, values >= thresholds, **macro))


def test_what_does_not_help_is_said_first() -> None:
    found = found_of({"semc": 0.5, "resnet": 0.5, "sononet16": -0.7, "supcon": 2.0})
    said = found["headline"]
    assert said.startswith("Not shown to help: resnet in place of semc +0.0 ")
    assert said.index("Harms: sononet16 in place of semc -") < said.index("Helps: supcon in place of semc +")


def test_a_difference_is_paired_and_narrower_than_the_intervals() -> None:
    rows = rows_of(found_of({"semc": 0.0, "resnet": 0.3}))
    own, apart = rows["resnet"]["f1"], rows["resnet"]["differences"]["f1"]
    assert apart["mean"] == pytest.approx(own["mean"] - rows["semc"]["f1"]["mean"])
    assert apart["high"] - apart["low"] < (own["high"] - own["low"]) / 2
    assert own["low"] < own["mean"] < own["high"] <= 1
    assert rows["semc"]["differences"] is None


def test_the_best_is_chosen_on_the_validation_patients() -> None:
    found = found_of({"semc": 2.0, "resnet": 0.0}, against="best", validation={"semc": 0.6, "resnet": 0.7})
    assert found["against"] == found["best_on_validation"] == "resnet"
    assert rows_of(found)["semc"]["differences"]["f1"]["mean"] > 0


def test_a_method_that_failed_is_a_row_with_the_reason(tmp_path: Path) -> None:
    found = found_of({"semc": 0.0, "resnet": 0.0}, problems={"supmin": "It needs the extra <x>."})
    row = rows_of(found)["supmin"]
    assert row["problem"] == "It needs the extra <x>."
    assert row["seeds"] == []
    assert row["f1"] is None
    assert sentences(found)[0] == "No result of supmin: It needs the extra <x>."
    save(tmp_path, found)
    page = (tmp_path / PAGE).read_text(encoding="utf-8")
    assert "It needs the extra &lt;x&gt;." in page
    assert "&lt;b&gt;toy&lt;/b&gt;" in page
    assert page.count("data:image/svg+xml") == 3
    assert json.loads((tmp_path / RESULT).read_text(encoding="utf-8")) == json.loads(json.dumps(found))
    lines = list(csv.DictReader(io.StringIO((tmp_path / TABLE).read_text(encoding="utf-8"))))
    assert [line["method"] for line in lines] == ["semc", "resnet", "supmin"]
    assert lines[2]["problem"] == "It needs the extra <x>."
    assert float(lines[1]["f1_low"]) == pytest.approx(rows_of(found)["resnet"]["f1"]["low"], abs=1e-5)
    assert lines[0]["difference_to"] == ""
    assert lines[1]["difference_to"] == "semc"


def test_without_the_method_to_compare_with_that_is_said() -> None:
    found = found_of({"resnet": 0.0}, problems={"semc": "Too large."})
    assert found["headline"] == "Nothing is compared: there is no result of semc."
    assert as_csv(found).splitlines()[1].startswith("resnet,1 2 3,")


def test_what_openvino_cannot_run_is_said() -> None:
    results = {"semc": {1: result("semc", 1, 0.0)}, "resnet": {1: result("resnet", 1, 0.0)}}
    results["resnet"][1]["ran_on"] = "CPU, PyTorch float32"
    said = sentences(summary(("semc", "resnet"), results, {}, "semc", ABOUT, draws=20))
    assert "OpenVINO cannot run resnet: timed by PyTorch (CPU, PyTorch float32)." in said
    assert "With one seed the intervals say nothing of other seeds." in said
    assert said[-1] == "A note."


def test_all_methods_are_those_of_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    assert methods_of("all") == tuple(NETWORKS)
    monkeypatch.setitem(NETWORKS, "another", "one more")
    assert methods_of("all")[-1] == "another"
    assert methods_of("resnet,semc,resnet") == ("resnet", "semc")
    with pytest.raises(UsageError, match="no method 'vgg'; choose from semc, "):
        methods_of("semc,vgg")


@pytest.mark.parametrize(
    ("text", "seeds"), [("3", (1, 2, 3)), ("1", (1,)), ("4,7", (4, 7)), ("5,", (5,)), ("0,2,2", (0, 2))]
)
def test_seeds_are_how_many_or_which(text: str, seeds: tuple[int, ...]) -> None:
    assert seeds_of(text) == seeds
    assert planned(("a", "b"), seeds)[:2] == [Run("a", seeds[0]), Run("b", seeds[0])]


@pytest.mark.parametrize("text", ["", "0", "many", "1,x", "-1,2", ","])
def test_seeds_that_are_neither_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--seeds"):
        seeds_of(text)


def test_the_best_on_validation_and_semc_get_more_seeds() -> None:
    scores = {"semc": 0.5, "resnet": 0.9, "supcon": 0.7, "sononet16": 0.8}
    results = {name: {seed: result(name, seed, 0, f1) for seed in (1, 2, 4)} for name, f1 in scores.items()}
    more = further_runs(results, (1, 2, 4), total=5, best=2)
    assert {run.method for run in more} == {"semc", "resnet", "sononet16"}
    assert sorted({run.seed for run in more}) == [3, 5]
    # Seeds that came later, or that few have, choose nothing: the same command chooses the same again.
    for seed in (3, 5, 6):
        results["supcon"][seed] = result("supcon", seed, 0, 1.0)
    results["semc-ace"] = {1: result("semc-ace", 1, 0, 1.0)}
    assert further_runs(results, (1, 2, 4), total=5, best=2) == more
