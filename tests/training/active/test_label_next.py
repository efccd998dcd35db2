"""`semc label-next`: what is asked of the model once, what is passed over, what is printed."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from torch import Tensor

from main import main
from semc_core.errors import UsageError
from semc_core.model.architecture import random_weights
from semc_core.model.file import read_model, write_model
from tests.training.toy_folder import write_toy_folder
from training.active import features
from training.active.features import Seen, seen
from training.active.queue import COLUMNS, Asked, asked, in_words, queue
from training.data.index import Sample
from training.evaluation.predictions import Predictor, open_predictor


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data set of twenty-four labelled pictures, and twelve without a label."""
    folder = write_toy_folder(tmp_path / "toy", 60, patients=5)
    for path in sorted((folder / "BAR").rglob("*.png"))[:12]:
        target = folder / "unlabelled" / path.parent.name / f"bar{path.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)
    return folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(features, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr("semc_core.runtime.openvino.runtime.cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache" / "label-next"


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many frames the model is asked about each time."""
    counts: list[int] = []
    answer = Predictor.answer

    def counted(self: Predictor, frames: Tensor) -> object:
        counts.append(len(frames))
        return answer(self, frames)

    monkeypatch.setattr(Predictor, "answer", counted)
    return counts


def again(model: Path, what: Asked, samples: Sequence[Sample] | None = None) -> Seen:
    with open_predictor(model, "cpu", 1) as predictor:
        return seen(samples or (*what.unlabelled, *what.labelled), predictor, what.folder)


def test_a_set_says_what_is_labelled_and_the_model_is_asked_once(
    data: Path, tiny_model_path: Path, tmp_path: Path, cache: Path, answered: list[int]
) -> None:
    what = asked(data)
    assert (len(what.unlabelled), len(what.labelled)) == (12, 48)
    first = again(tiny_model_path, what)
    assert (sum(answered), first.asked) == (60, 60)
    second = again(tiny_model_path, what)
    assert (sum(answered), second.asked) == (60, 0)
    assert np.array_equal(first.features, second.features)
    assert np.array_equal(first.logits, second.logits)
    # In another order, and a part of it: each frame has its own numbers.
    turned = again(tiny_model_path, what, what.unlabelled[::-1])
    assert np.array_equal(turned.features, first.features[:12][::-1])
    # A picture that was changed, and one that is new, are asked about, and no other.
    changed = what.unlabelled[3].path
    assert cv2.imwrite(str(changed), np.full((64, 64), 90, np.uint8))
    os.utime(changed, ns=(1, 1))
    assert cv2.imwrite(str(changed.with_name("new.png")), np.full((64, 64), 30, np.uint8))
    what = asked(data)
    third = again(tiny_model_path, what)
    assert (len(what.unlabelled), third.asked) == (13, 2)
    # Another model has answers of its own; a damaged file is made anew.
    spec, arrays = read_model(tiny_model_path)
    other = tmp_path / "other.safetensors"
    write_model(other, spec, arrays | random_weights(spec.architecture, len(spec.classes), seed=5))
    assert again(other, what).asked == 61
    for path in cache.glob("*.npz"):
        assert path.stat().st_mode & 0o077 == 0
        path.write_bytes(path.read_bytes()[:100])
    assert again(other, what).asked == 61


def test_what_cannot_be_read_is_passed_over_and_said(data: Path, tiny_model_path: Path) -> None:
    broken = data / "unlabelled" / "broken.png"
    broken.write_bytes(b"no picture")
    what = asked(data)
    gone = what.unlabelled[1].path
    assert broken not in (gone, what.unlabelled[2].path)
    gone.unlink()
    with open_predictor(tiny_model_path, "cpu", 1) as predictor:
        found = queue(what, predictor, 30)
    assert len(found.rows) == 11
    assert not {str(broken), str(gone)} & {row["file"] for row in found.rows}
    assert "2 files passed over" in found.notes[-1]
    for path in (data / "unlabelled").rglob("*.png"):
        path.write_bytes(b"no picture")
    with (
        open_predictor(tiny_model_path, "cpu", 1) as predictor,
        pytest.raises(UsageError, match="can be read"),
    ):
        queue(asked(data), predictor, 30)


def test_a_folder_of_pictures_is_unlike_the_sets_that_are_named(data: Path, tmp_path: Path) -> None:
    loops = data / "unlabelled"
    alone = asked(loops)
    assert (len(alone.unlabelled), len(alone.labelled)) == (12, 0)
    assert "Nothing says which frames are labelled" in alone.notes[0]
    against = asked(loops, [str(data)])
    assert (len(against.unlabelled), len(against.labelled), against.notes) == (12, 48, ())
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no picture or loop"):
        asked(tmp_path / "empty")
    with pytest.raises(UsageError, match="There is no folder"):
        asked(tmp_path / "none")


def test_the_command_prints_a_table_and_writes_the_same_as_csv_and_json(
    data: Path,
    tiny_model_path: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    out = tmp_path / "next.csv"
    given = ["label-next", str(data), "--budget", "5", "--model", str(tiny_model_path), "--threads", "1"]
    assert main([*given, "--out", str(out), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["rank"] for row in rows] == [1, 2, 3, 4, 5]
    assert all(tuple(row) == COLUMNS for row in rows)
    with out.open(newline="", encoding="utf-8") as table:
        written = list(csv.DictReader(table))
    assert [{name: str(value) for name, value in row.items()} for row in rows] == written
    assert all(Path(row["file"]).is_relative_to(data / "unlabelled") for row in rows)
    assert main(given) == 0
    told = capsys.readouterr()
    assert "12 frames without a label, 48 frames with one." in told.err.replace("\n", " ")
    for row in rows:
        assert in_words(row).split(" ")[0].rstrip(":") == row["reason"]
        assert Path(row["file"]).name in told.out
