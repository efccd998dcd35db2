"""The tables: what is asked of which networks, what helps and what does not, paired by seed and patient."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semc_core.errors import UsageError
from tests.training.test_ablation import SMALL
from training.ablation.intervals import difference, measured_by_seed
from training.ablation.measures import Predicted
from training.ablation.runs import Run, planned, read_results
from training.ablation.tables import headline, markdown, summary
from training.ablation.variants import TABLES, USUAL, VARIANTS, named, of_tables
from training.evaluation.nested import nested

CLASSES, FRAMES, PATIENTS = 3, 240, 12


def result(name: str, seed: int, better: float, best_expert: float | None = None) -> dict[str, Any]:
    """A run's, of a network whose answers are so much nearer to the truth than another's."""
    base = np.random.default_rng(1)  # the same frames for all
    truth = base.integers(0, CLASSES, FRAMES)
    groups = [f"{2000 + place:05d}" for place in range(PATIENTS)]
    group_of = base.integers(0, PATIENTS, FRAMES)
    hard = base.normal(size=(FRAMES, CLASSES)) * 1.5

    def said(better: float, place: int) -> dict[str, Any]:
        noise = np.random.default_rng([seed, place]).normal(size=hard.shape) * 0.2
        logits = hard + noise + (1 + better) * np.eye(CLASSES)[truth]
        values = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return {"probabilities": values.tolist(), "thresholds": [0.4] * CLASSES}

    test = dict.fromkeys(
        ("accuracy", "precision", "recall", "f1", "auroc", "average_precision", "f1_at_thresholds"), 0.5
    )
    return {
        "variant": name, "seed": seed, "fold": 0, "benchmark_digest": SMALL.digest(), "steps": 4,
        "seconds": 1.0, "train_accuracy": [0.5], "alpha_mean": [0.6], "alpha_std": [0.1],
        "validation": test, "test": test,
        "predictions": {
            "classes": ["A", "B", "NSP"], "truth": truth.tolist(), "groups": groups,
            "group_of": group_of.tolist(), "near": [-1] * FRAMES, "off": [0.0] * FRAMES,
            "mixture": said(better, 1),
            "best_expert": None if best_expert is None else said(best_expert, 2) | {"expert": 1},
        },
    }  # fmt: skip


def write_runs(out: Path, better: Mapping[str, float], seeds: tuple[int, ...]) -> None:
    """The results of an ablation, as its folder holds them."""
    for name, much in better.items():
        for seed in seeds:
            path = Run(VARIANTS[name], seed).path(out)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(result(name, seed, much, much - 1)), encoding="utf-8")


def found_of(better: Mapping[str, float], seeds: tuple[int, ...] = (1, 2, 3, 4, 5)) -> dict[str, Any]:
    results = {
        name: {seed: [result(name, seed, much, much - 1)] for seed in seeds} for name, much in better.items()
    }
    return summary(SMALL, results, {"device": "CPU"}, draws=300)


def test_what_helps_and_what_does_not_is_said_first() -> None:
    found = found_of({"plain": 0.0, "ace": 2.0, "ace-samc": 2.0, "ace-mc": 0.5})
    kinds = {each["what"]: each["differences"]["f1_at_thresholds"] for each in found["claims"]}
    assert kinds["ACE"]["low"] > 0
    assert kinds["L_mc, beside ACE,"]["high"] < 0
    assert kinds["SAMC, beside ACE,"]["low"] <= 0 <= kinds["SAMC, beside ACE,"]["high"]
    said = found["headline"]
    assert said.startswith("Not shown to help: SAMC, beside ACE, ")
    assert said.index("Harms: L_mc, beside ACE,") < said.index("Helps: ACE +")
    assert markdown(json.loads(json.dumps(found))).splitlines()[0] == said
    assert {each["test"]["measure"] for each in found["claims"]} == {"f1_at_thresholds"}
    assert "The first line goes by F1 " in markdown(found)
    assert headline([], "auroc") == "Nothing is compared yet."


def test_a_difference_is_paired_by_seed_and_patient() -> None:
    found = found_of({"plain": 0.0, "ace": 0.3})
    rows = {row["variant"]: row for row in found["table"]}
    own, apart = rows["ace"]["auroc"], rows["ace"]["differences"]["auroc"]
    assert rows["ace"]["differences"]["to"] == "plain"
    assert apart["mean"] == pytest.approx(own["mean"] - rows["plain"]["auroc"]["mean"])
    assert apart["high"] - apart["low"] < (own["high"] - own["low"]) / 2
    assert rows["plain"]["differences"] is None


def test_intervals_hold_both_patients_and_seeds() -> None:
    rng = np.random.default_rng(3)
    alike = [np.concatenate([[0.5], np.full(500, 0.5)]) for _ in range(5)]
    of_patients = [np.concatenate([[0.5], 0.5 + 0.1 * rng.normal(size=500)])] * 5
    of_seeds = [np.full(501, value) for value in (0.3, 0.4, 0.5, 0.6, 0.7)]
    assert nested(alike, 9).low == nested(alike, 9).high == 0.5
    for values in (of_patients, of_seeds):
        found = nested(values, 9)
        assert found.mean == pytest.approx(0.5)
        assert found.low is not None
        assert found.low < 0.42
    assert nested(of_patients, 1).low is None
    assert nested([np.array([0.5])] * 3, 9).low is None


def test_only_common_seeds_are_compared() -> None:
    def of(seeds: tuple[int, ...], better: float) -> Any:
        told = {seed: Predicted.of([result("plain", seed, better)["predictions"]]) for seed in seeds}
        return measured_by_seed({seed: each for seed, each in told.items() if each is not None}, 20)

    found = difference(of((1, 2, 3), 0.5), of((2, 3, 4), 0.0), "auroc", PATIENTS)
    assert found is not None
    assert found.seeds == 2
    assert difference(of((1,), 0.5), of((2,), 0.0), "auroc", PATIENTS) is None


def test_the_mixture_is_held_against_its_best_expert_without_a_training_of_its_own() -> None:
    assert [run.variant.name for run in planned(SMALL, ["best-expert", "all"])] == ["all", "all"]
    found = found_of({"all": 1.0, "gate-mean": 1.0})
    rows = {row["variant"]: row for row in found["tables"]["gates"]}
    assert set(rows) == {"all", "gate-mean", "best-expert"}
    assert rows["best-expert"]["auroc"]["mean"] < rows["all"]["auroc"]["mean"]
    assert rows["best-expert"]["f1"] is None
    text = markdown(found)
    assert "| best single expert of all | 5 |" in text
    assert "## How the experts' answers become one" in text


def test_every_table_is_whole() -> None:
    for table in TABLES.values():
        assert table.base in table.rows
        assert {name for claim in table.claims for name in (claim.new, claim.old)} <= set(table.rows)
        assert set(table.rows) <= set(VARIANTS)
        assert set(dict(table.titles)) <= set(table.rows)
    assert len(of_tables(list(TABLES))) == len(VARIANTS)
    assert set(USUAL) < set(TABLES)
    with pytest.raises(UsageError, match="no table 'part'"):
        of_tables(["part"])
    with pytest.raises(UsageError, match="no variant 'none'"):
        named("plain,none")


def test_a_seed_counts_once_all_its_folds_are_there(tmp_path: Path) -> None:
    from dataclasses import replace

    from training.benchmark import LeftOut

    folds = replace(SMALL, left_out=LeftOut(("A", "B"), ("disc", "bar")), seeds=(1, 2))
    runs = planned(folds, ["plain"])
    assert [(run.seed, run.fold) for run in runs] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    for run in runs[:3]:
        path = run.path(tmp_path)
        path.parent.mkdir(parents=True, exist_ok=True)
        told = result("plain", run.seed, 0.0) | {"benchmark_digest": folds.digest(), "fold": run.fold}
        path.write_text(json.dumps(told), encoding="utf-8")
    results = read_results(runs, folds, tmp_path)
    assert {seed: len(each) for seed, each in results["plain"].items()} == {1: 2}
    pooled = Predicted.of([fold["predictions"] for fold in results["plain"][1]])
    assert pooled is not None
    assert len(pooled.truth) == 2 * FRAMES
