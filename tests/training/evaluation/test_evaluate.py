"""A model file held against data: its runtime, the commands, the page and what finds nothing."""

from __future__ import annotations

import base64
import csv
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import av
import numpy as np
import pytest
import torch

from main import main
from semc_core.errors import UsageError
from semc_core.groups.bootstrap import GroupDraws
from semc_core.labels import LIVER_CLASSES, NON_STANDARD
from semc_core.model.file import read_model, read_spec, write_model
from semc_core.phantom.scan import SimulatedScan
from semc_core.runtime.load import load_runtime
from semc_core.types import Thresholds
from tests.training.data.data_sets import picture
from training.calibration import ThresholdChoice, choose_thresholds, fit_temperature
from training.cli.calibrate import found_in_words
from training.data.frame_set import FrameSet, Row
from training.data.index import DataIndex, Sample, make_index
from training.data.loading import load_frames
from training.data.readers import open_data
from training.evaluation.evaluate import chosen_split, evaluate_answers, matched, softmax
from training.evaluation.false_positives import false_positives, length_s
from training.evaluation.predictions import Predictions, open_predictor
from training.evaluation.recalibrate import recalibrate
from training.evaluation.reliability import reliability
from training.evaluation.report.charts import embed, sample
from training.evaluation.report.report import html_report, make_report

PLANES = ("FHP1", "LLP", NON_STANDARD)


def class_folders(folder: Path, split: str = "test", seed: int = 0) -> Path:
    """Three classes with two pictures of each of three patients."""
    for number, plane in enumerate(PLANES):
        for patient in range(3):
            for shot in range(2):
                name = folder / split / plane / f"{split}{patient}" / f"{shot}.png"
                picture(name, seed + 100 * number + 10 * patient + shot)
    return folder


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    return class_folders(tmp_path / "data")


@pytest.fixture(scope="module")
def plane_model(tiny_model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The untrained model, made to call everything a plane at once."""
    spec, arrays = read_model(tiny_model_path)
    path = tmp_path_factory.mktemp("plane") / "plane.safetensors"
    thresholds = Thresholds(enter=0.01, leave=0.005, min_hold_s=0.1)
    plain = replace(
        spec, sha256="", thresholds=thresholds, calibration=replace(spec.calibration, novelty_slope=0.0)
    )
    write_model(path, plain, arrays)
    return path


def test_what_is_judged_is_what_the_runtime_says(tiny_model_path: Path, data_folder: Path) -> None:
    spec = read_spec(tiny_model_path)
    samples = [Sample(path, path.parts[-3], path.parts[-2]) for path in sorted(data_folder.rglob("*.png"))]
    data = load_frames(make_index("x", samples, data_folder, classes=spec.classes), "", spec.preprocessing)
    with open_predictor(tiny_model_path, "cpu", threads=1) as judged:
        answers = judged.answer(data.frames)
    runtime = load_runtime(tiny_model_path, "cpu", threads=1)
    p = spec.preprocessing
    given = (data.frames[:, None].numpy() / np.float32(255) - p.mean[0]) / p.std[0]
    expected = runtime.classify(np.repeat(given, spec.architecture.in_channels, axis=1).astype(np.float32))
    runtime.close()
    assert np.allclose(answers.probabilities, [one.probabilities for one in expected], atol=1e-5)
    assert answers.novelties is not None
    assert np.allclose(answers.novelties, [one.novelty for one in expected], atol=1e-4)


def test_the_command_writes_a_page_numbers_and_every_answer(
    plane_model: Path, data_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing = tmp_path / "phantoms"
    for number in range(3):
        picture(nothing / "one" / f"{number}.png", 900 + number)
    out = tmp_path / "out"
    out.mkdir()  # of an evaluation before
    chosen = ["--device", "cpu", "--threads", "1", "--draws", "50", "--no-planes", str(nothing)]
    assert main(["eval", str(plane_model), str(data_folder), "--out", str(out), *chosen]) == 0
    said = capsys.readouterr().out
    assert "18 frames, 3 groups" in said
    classes = said[said.index("F1, 95 %") :]
    assert len(classes[: classes.index("└")].splitlines()) == 2 + len(LIVER_CLASSES), (
        "a line each in 80 columns"
    )
    found = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert (found["format"], found["frames"], found["groups"]) == (1, 18, 3)
    assert found["classes"] == list(LIVER_CLASSES)
    assert sum(map(sum, found["confusion"])) == 18
    assert [alarm["name"] for alarm in found["alarms"]] == ["phantoms/one"]
    assert found["data"]["split"] == "test"
    with (out / "predictions.csv").open(newline="", encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    right = sum(row["label"] == row["called"] for row in rows)
    assert found["scores"]["accuracy"]["value"] == pytest.approx(right / 18)
    page = (out / "report.html").read_text(encoding="utf-8")
    check_page(page)
    assert "The surest mistakes" in page
    assert "t-SNE" in page


def check_page(page: str) -> None:
    """Whole, and nothing in it leads out."""

    class Links(HTMLParser):
        depth = 0

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag not in ("script", "link", "iframe")
            for name, value in attrs:
                assert name not in ("src", "href") or (value or "").startswith("data:image/")

    Links().feed(page)
    assert page.rstrip().endswith("</html>")
    for drawn in re.findall(r"data:image/svg\+xml;base64,([^\"]+)", page):
        assert ElementTree.fromstring(base64.b64decode(drawn)).tag.endswith("svg")


def test_names_from_the_data_stay_words(tiny_model_path: Path, data_folder: Path) -> None:
    evil = "<script>alert(1)</script> $x_1$"
    spec = read_spec(tiny_model_path)
    frames = torch.zeros(12, 64, 64, dtype=torch.uint8)
    labels = torch.arange(12) % 3
    rows = [Row(f"{evil}{i % 4}", evil, spec.classes[int(labels[i])]) for i in range(12)]
    data = FrameSet(frames, labels, rows, spec.classes)
    with open_predictor(tiny_model_path, "cpu", threads=1) as judged:
        answers = judged.answer(data.frames)
        about = {"name": evil, "notes": [evil]}
        result = evaluate_answers(answers, data, spec, draws=20, about=about)
        page = html_report(make_report(result, (judged, data, answers))).decode()
    check_page(page)
    assert "&lt;script&gt;alert" in page


def test_frames_between_standard_and_not_are_counted_apart(tiny_model_path: Path) -> None:
    spec = read_spec(tiny_model_path)
    distances = (0.3, 0.3, 1.0, float("inf"))
    rows = [
        Row(f"p{i}", "simulated", "FHP1" if i < 2 else NON_STANDARD, "scan", d)
        for i, d in enumerate(distances)
    ]
    labels = torch.tensor([spec.classes.index(row.plane) for row in rows])
    data = FrameSet(torch.zeros(4, 8, 8, dtype=torch.uint8), labels, rows, spec.classes)
    called = [0, 0, 0, len(spec.classes) - 1]
    result = evaluate_answers(
        Predictions(np.eye(len(spec.classes), dtype=np.float32)[called]), data, spec, draws=20
    )
    assert (result.frames, result.scores.accuracy.value) == (3, 1.0)
    assert {part.name: part.accuracy.value for part in result.by_kind} == {
        "standard plane": 1.0, "between standard and not": 0.0, "far from every plane": 1.0,
    }  # fmt: skip
    assert "neither clearly standard" in result.notes[-1]
    page = html_report(make_report(result)).decode()
    check_page(page)
    # Nothing shows the other planes: the means are over these two, and the page says so.
    assert result.counted == ("FHP1", NON_STANDARD)
    assert result.scores.f1.value == 1.0
    assert f"the classes that frames are of: FHP1, {NON_STANDARD}." in page
    assert any(note.startswith("No frame is of FHP2, LLP") for note in result.notes)
    with pytest.raises(UsageError, match="the model's classes"):
        evaluate_answers(Predictions(np.eye(3, dtype=np.float32)), replace(data, classes=PLANES), spec)


def test_a_video_without_planes_counts_every_saved_one(plane_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "nothing"
    folder.mkdir()
    scan = SimulatedScan(seed=4, seconds=1, width=160, height=120)
    with av.open(folder / "loop.mp4", "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for index in range(30):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(scan.frame(index), format="gray")))
        container.mux(stream.encode())
    (folder / "broken.mp4").write_bytes(b"no video")
    with open_predictor(plane_model, "cpu", threads=1) as judged:
        (found,) = false_positives(judged, [folder])
        with pytest.raises(UsageError, match="not found"):
            false_positives(judged, [tmp_path / "none"])
    assert (found.kind, found.files, found.skipped) == ("video", 1, 1)
    assert found.frames == 30
    assert found.saved == sum(found.by_plane.values()) >= 1
    assert found.called > 0
    assert found.saved_per_minute == pytest.approx(found.saved / found.minutes)


def test_the_length_of_a_video_counts_its_last_frame() -> None:
    assert length_s([0.0, 0.1, 0.2]) == pytest.approx(0.3)
    assert length_s([5.0]) == 0.0


def test_data_and_model_must_know_the_same_planes(tiny_model_path: Path, data_folder: Path) -> None:
    spec = replace(read_spec(tiny_model_path), classes=("FHP1", "LLP", "none"), none_class="none")
    samples = tuple(Sample(data_folder / f"{name}.png", name, name) for name in PLANES)
    index = DataIndex("set", samples, PLANES, NON_STANDARD)
    assert [one.label for one in matched(index, spec).samples] == ["FHP1", "LLP", "none"]
    with pytest.raises(UsageError, match="does not know"):
        matched(index, replace(spec, classes=("FHP1", "none")))


def test_which_pictures_are_judged_and_what_is_said_of_it() -> None:
    plain = DataIndex("set", (Sample(Path("a.png"), "A", "a"),), ("A",))
    assert chosen_split(plain, None)[0] == ""
    assert "not split" in chosen_split(plain, None)[1]
    split = replace(plain, samples=(replace(plain.samples[0], split="train"),))
    assert chosen_split(split, None) == ("test", "")
    assert "training pictures" in chosen_split(split, "train")[1]
    assert "may know" in chosen_split(split, "all")[1]


def test_a_model_file_is_calibrated_under_another_name(
    tiny_model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = class_folders(tmp_path / "data", "validation"), tmp_path / "new.safetensors"
    given = ["calibrate", str(tiny_model_path), str(data), "--out", str(out), "--device", "cpu"]
    assert main([*given, "--threads", "1", "--precision", "0.95"]) == 1
    said = capsys.readouterr().out
    (before, weights), (after, same) = read_model(tiny_model_path), read_model(out)
    frames = load_frames(matched(open_data(data), before), "validation", before.preprocessing)
    with open_predictor(tiny_model_path, "cpu", threads=1) as judged:
        answers = judged.answer(frames.frames)
    assert answers.logits is not None
    temperature = fit_temperature(torch.from_numpy(answers.logits), frames.labels)
    assert after.calibration.temperature == pytest.approx(temperature, rel=1e-4)
    assert temperature != pytest.approx(before.calibration.temperature, rel=0.1)
    assert after.calibration.novelty_slope == before.calibration.novelty_slope
    facts = after.metrics["calibration"]
    assert (facts["frames"], facts["groups"], facts["precision_wanted"]) == (18, 3, 0.95)
    assert (facts["data"], facts["split"]) == ("LP2025", "validation")
    assert "No threshold reaches a precision of 95.0%" in said or "finds nothing" in said
    assert all(np.array_equal(same[name], weights[name]) for name in weights)
    assert f"temperature {temperature:.3f}" in out.with_suffix(".md").read_text(encoding="utf-8")
    elsewhere = class_folders(tmp_path / "tests")
    assert main(["calibrate", str(tiny_model_path), str(elsewhere), "--out", str(out)]) == 2


def test_thresholds_are_chosen_on_probabilities_of_the_new_temperature(
    plane_model: Path, tmp_path: Path
) -> None:
    spec, _ = read_model(plane_model)
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 7, 210)
    logits = (12 * (rng.normal(0, 1, (210, 7)) + 2 * np.eye(7)[labels])).astype(np.float32)
    features = np.zeros((210, 64), np.float32)
    rows = [Row(f"p{i % 7}", "", spec.classes[label]) for i, label in enumerate(labels)]
    data = FrameSet(torch.zeros(210, 4, 4, dtype=torch.uint8), torch.from_numpy(labels), rows, spec.classes)
    answers = Predictions(softmax(logits), logits, features)
    found = recalibrate(plane_model, tmp_path / "new.safetensors", answers, data, 0.9, {})
    temperature = fit_temperature(torch.from_numpy(logits), data.labels)
    assert temperature > 5
    none = spec.classes.index(spec.none_class)
    expected, with_the_old = (
        choose_thresholds(softmax(logits / np.float32(t)), labels, none, 0.9).thresholds.enter
        for t in (temperature, 1.0)
    )
    assert expected != with_the_old
    assert found.choice.thresholds.enter == found.spec.thresholds.enter == expected
    assert found.after.value is not None
    assert found.before.value is not None
    assert found.after.value < 0.5 * found.before.value
    draws = GroupDraws([row.group for row in rows])
    error = reliability(softmax(logits / np.float32(temperature)), labels, draws).error
    assert found.after.value == pytest.approx(error.value, abs=1e-5)
    assert found.after.low == pytest.approx(error.low, abs=1e-5)


def test_a_model_that_finds_nothing_is_not_said_to_be_precise() -> None:
    thresholds = Thresholds(enter=0.5)
    nothing = found_in_words(ThresholdChoice(thresholds, None, 0.0, reached=False), 0.95)
    assert nothing == "No frame reaches any threshold: the model finds nothing here."
    little = found_in_words(ThresholdChoice(thresholds, 0.5, 0.25, reached=False), 0.95)
    assert "50.0% of the frames found are right, 25.0%" in little
    assert "No threshold reaches a precision of 95.0%" in little


def test_points_show_every_class_and_alike_frames_together() -> None:
    labels = np.array([0] * 95 + [1] * 5)
    kept = sample(labels, 20, seed=1)
    assert (labels[kept] == 1).sum() == 5
    assert len(kept) == 20
    rng = np.random.default_rng(1)
    features = rng.normal(0, 1, (40, 8)).astype(np.float32)
    features[20:] += 12
    found = embed(features, np.repeat([0, 1], 20))
    assert found is not None
    first, second = found.points[:20], found.points[20:]
    spread = max(first.std(0).max(), second.std(0).max())
    assert np.linalg.norm(first.mean(0) - second.mean(0)) > 2 * spread
    assert embed(features[:4], np.zeros(4, np.int64)) is None
