"""Real pictures with a source left out: nobody is learned from and tested on, every source is tested."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from main import main
from semc_core.errors import UsageError
from tests.skips import REAL_DATA
from training.ablation.countries import load_left_out
from training.benchmark import Benchmark, LeftOut, read_benchmark

SOURCES, LABELS = ("Aland", "Bland", "Cland"), ("round", "straight")
TOML = (
    'name = "own"\n[left_out]\nsources = ["Aland", "Bland", "Cland"]\nclasses = ["round", "straight"]\n'
    '[training]\npreset = "semc_tiny"\nsteps = 2\nbatch = 8\nrate = 0.002\nseeds = [1]\n'
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six patients of each source, one picture of each plane; the second shares one with the first."""
    folder = tmp_path_factory.mktemp("planes")
    rng = np.random.default_rng(1)
    rows = []
    for source in SOURCES:
        for patient in range(6):
            for label in (*LABELS, "other"):
                picture = rng.integers(20, 60, (80, 100), dtype=np.uint8)
                if label == "round":
                    cv2.circle(picture, (50, 40), 12 + patient, 200, -1)
                elif label == "straight":
                    cv2.line(picture, (10, 20 + patient), (90, 60), 200, 5)
                name = f"{source}{patient}{label}.png"
                if (patient, label) == (1, "round"):
                    shutil.copy(folder / f"{source}0round.png", folder / name)
                else:
                    cv2.imwrite(str(folder / name), picture)
                rows.append((name, label, source, f"p{patient}"))
    with (folder / "index.csv").open("w", newline="", encoding="utf-8") as table:
        csv.writer(table).writerows([("file", "label", "source", "group"), *rows])
    return folder


def own(tmp_path: Path) -> Benchmark:
    (tmp_path / "own.toml").write_text(TOML, encoding="utf-8")
    return read_benchmark(str(tmp_path / "own.toml"))


def test_each_source_is_tested_on_by_those_who_never_saw_it(folder: Path, tmp_path: Path) -> None:
    folds = load_left_out(own(tmp_path), folder)
    assert list(folds) == [1, 2, 3]
    for fold, source in enumerate(SOURCES, start=1):
        frames = folds[fold]
        assert {row.source for row in frames.test.rows} == {source}
        assert len(frames.test.labels) == 12  # of two labels; "other" is not used
        assert frames.test.classes == LABELS
        learned = {row.source for row in (*frames.train.rows, *frames.validation.rows)}
        assert learned == set(SOURCES) - {source}
        assert {row.source for row in frames.validation.rows} == learned
        groups = [set(each.groups) for each in (frames.train, frames.validation, frames.test)]
        assert sum(map(len, groups)) == len(set.union(*groups))


def test_patients_who_share_a_picture_are_one(folder: Path, tmp_path: Path) -> None:
    groups = {row.group for row in load_left_out(own(tmp_path), folder)[1].test.rows}
    assert groups == {"Aland/p0", "Aland/p2", "Aland/p3", "Aland/p4", "Aland/p5"}


def test_a_source_or_class_that_is_not_there_is_named(folder: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    for given, message in (
        (LeftOut(("Aland", "Dland"), LABELS), "no pictures of the source Dland"),
        (LeftOut(SOURCES, ("round", "femur")), "no pictures of the class femur"),
    ):
        with pytest.raises(UsageError, match=message):
            load_left_out(replace(own(tmp_path), left_out=given), folder)


def test_the_command_trains_every_fold_and_judges_all_patients_together(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own(tmp_path)
    out = tmp_path / "out"
    given = ["ablate", "--benchmark", str(tmp_path / "own.toml"), "--data", str(folder), "--out", str(out)]
    assert main([*given, "--only", "plain"]) == 0
    assert sorted(path.name for path in (out / "runs").iterdir()) == [
        f"plain_seed1_fold{fold}.json" for fold in (1, 2, 3)
    ]
    found = json.loads((out / "ablation.json").read_bytes())
    assert found["patients"] == 15
    assert found["decides"] == "auroc"
    assert "Aland, Bland, Cland" in capsys.readouterr().out


@pytest.mark.real_data("fetal_planes")
def test_the_real_planes_are_read_and_no_country_is_on_both_sides() -> None:
    folds = load_left_out(read_benchmark("fetal_country"), REAL_DATA / "fetal_planes")
    tested = {row.source for frames in folds.values() for row in frames.test.rows}
    assert tested == {"Algeria", "Egypt", "Ghana", "Uganda", "Spain"}
    assert sum(len(frames.test.labels) for frames in folds.values()) == 420
    for frames in folds.values():
        assert not set(frames.test.groups) & {*frames.train.groups, *frames.validation.groups}
        assert len(frames.validation.labels) > 50
