"""`semc classify` as a user types it: a row a picture, and nothing of one picture in the next."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import main
from semc_core.labels import NON_STANDARD
from semc_core.model.file import read_model, write_model
from semc_core.phantom.scan import SimulatedScan
from semc_core.pipeline.batch import review
from semc_core.pipeline.stills import BELOW, NO_PICTURE, NONE_MORE_PROBABLE, UNLIKE, Still, answers
from semc_core.runtime.load import load_runtime
from semc_core.runtime.openvino.runtime import OpenVinoRuntime
from semc_core.sources.open import open_source
from semc_core.types import Thresholds
from tests.skips import REAL_DATA
from tests.sources.capture_clips import write_dicom, write_video

Rows = list[dict[str, str]]
Classify = Callable[..., tuple[int, Rows]]


@pytest.fixture(scope="module")
def easy_model(tiny_model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The untrained model, with a level that some pictures reach and others do not."""
    spec, tensors = read_model(tiny_model_path)
    path = tmp_path_factory.mktemp("easy") / "model.safetensors"
    write_model(path, replace(spec, thresholds=Thresholds(enter=0.165, leave=0.1)), tensors)
    return path


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frames of several simulated patients, two sizes, every kind of file; a black one; and a note."""
    folder = tmp_path_factory.mktemp("pictures")
    for seed in range(4):
        scan = SimulatedScan(seed=seed, seconds=9, width=160 + 80 * (seed % 2), height=120)
        suffix = ("png", "jpg", "bmp", "tif")[seed]
        assert cv2.imwrite(str(folder / f"patient {seed}.{suffix}"), scan.frame(200))
    (folder / "more").mkdir()
    frame = SimulatedScan(seed=9, seconds=9, width=160, height=120).frame(100)
    write_dicom(folder / "more" / "still", frame[None])
    assert cv2.imwrite(str(folder / "more" / "black.png"), np.zeros((120, 160), np.uint8))
    (folder / "notes.txt").write_text("no picture", encoding="utf-8")
    (folder / ".hidden.png").write_bytes(b"no picture")
    return folder


@pytest.fixture
def classify(easy_model: Path, tmp_path: Path) -> Classify:
    """Run the command; gives the exit code, and the rows of the table."""

    def run(*arguments: object, model: Path = easy_model) -> tuple[int, Rows]:
        out = tmp_path / "out.csv"
        common = ["--out", str(out), "--model", str(model), "--device", "cpu", "--threads", "1"]
        code = main.main(["classify", *map(str, arguments), *common])
        if not out.exists():
            return code, []
        with out.open(newline="", encoding="utf-8") as file:
            return code, list(csv.DictReader(file))

    return run


def test_every_picture_of_a_folder_has_a_row_and_what_is_none_is_told(
    classify: Classify, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pictures / "broken.png").write_bytes(b"no picture")
    code, rows = classify(pictures)
    (pictures / "broken.png").unlink()
    assert code == 0
    names = [Path(row["file"]).relative_to(pictures).as_posix() for row in rows]
    wanted = [*(f"patient {seed}.{suffix}" for seed, suffix in enumerate(("png", "jpg", "bmp", "tif")))]
    assert names == [*wanted, "more/black.png", "more/still"]
    assert {row["frame"] for row in rows} == {"0"}
    told = capsys.readouterr()
    assert "notes.txt is no picture" in told.err
    assert "broken.png cannot be read" in told.err
    assert "hidden" not in told.err
    assert "6 pictures" in told.out
    for row in rows:
        if row["why"] != NO_PICTURE:
            left, top, width, height = (int(row[name]) for name in ("left", "top", "width", "height"))
            corners = [tuple(map(int, corner.split(","))) for corner in row["polygon"].split()]
            assert corners[0] == (left, top)
            assert corners[2] == (left + width, top + height)
            assert float(row["quality"]) > 0
        assert row["mirrored"] == ""


def test_the_answers_are_those_of_review(classify: Classify, pictures: Path, easy_model: Path) -> None:
    _, rows = classify(pictures)
    runtime = load_runtime(easy_model, "cpu", 1)
    try:
        for row in rows:
            batches = list(review(open_source(row["file"]), runtime))
            (shown,) = batches[0].results
            answer = "none" if shown.label == NON_STANDARD else shown.label
            assert row["answer"] == answer
            if shown.prediction is not None:
                at = runtime.spec.classes.index(row["plane"])
                assert float(row["probability"]) == pytest.approx(
                    shown.prediction.probabilities[at], abs=1e-5
                )
                assert [int(row[name]) for name in ("left", "top", "width", "height")] == [
                    shown.crop.left,
                    shown.crop.top,
                    shown.crop.width,
                    shown.crop.height,
                ]
    finally:
        runtime.close()
    assert {row["answer"] for row in rows} > {"none"}, "some reach the level, and some do not"


@pytest.mark.parametrize("batch", [1, 3, 50])
def test_a_picture_is_answered_alone_as_among_others(batch: int, classify: Classify, pictures: Path) -> None:
    _, together = classify(pictures, "--batch", batch)
    for row in together:
        _, (alone,) = classify(row["file"])
        assert alone.pop("probability")[:6] == row.pop("probability")[:6]
        assert alone == row


def test_of_a_loop_every_so_many_frames_are_taken(classify: Classify, tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.mp4", 12)
    loop = write_dicom(
        tmp_path / "loop.dcm", np.stack([SimulatedScan(seed=2, width=160, height=120).frame(0)] * 5)
    )
    code, rows = classify(clip, loop, "--every", 5)
    assert code == 0
    assert [(Path(row["file"]).name, row["frame"]) for row in rows] == [
        ("clip.mp4", "0"),
        ("clip.mp4", "5"),
        ("clip.mp4", "10"),
        ("loop.dcm", "0"),
    ]
    _, rows = classify(loop)
    assert len(rows) == 5
    assert len({row["answer"] + row["probability"] for row in rows}) == 1, "a repeated picture is not frozen"


def _biased(like: Path, path: Path, name: str, by: float, **changes: Any) -> Path:
    """The untrained model, made to say one class everywhere by its bias."""
    spec, tensors = read_model(like)
    for key in tensors:
        if key.startswith("classifiers.") and key.endswith(".bias"):
            bias = np.zeros(len(spec.classes), np.float32)
            bias[spec.classes.index(name)] = by
            tensors[key] = bias
    write_model(path, replace(spec, **changes), tensors)
    return path


@pytest.mark.parametrize(
    ("name", "by", "limit", "why"),
    [
        ("LLP", 12.0, 1e6, ""),
        (NON_STANDARD, 12.0, 1e6, NONE_MORE_PROBABLE),
        ("LLP", 1.0, 1e6, BELOW),
        ("LLP", 12.0, 1e-3, UNLIKE),
    ],
)
def test_it_is_said_why_there_is_no_plane(
    name: str,
    by: float,
    limit: float,
    why: str,
    classify: Classify,
    pictures: Path,
    tiny_model_path: Path,
    tmp_path: Path,
) -> None:
    spec, tensors = read_model(tiny_model_path)
    path = _biased(
        tiny_model_path,
        tmp_path / "biased.safetensors",
        name,
        by,
        calibration=replace(spec.calibration, novelty_slope=16.0),
    )
    spec, tensors = read_model(path)
    write_model(path, spec, tensors | {"novelty.limit": np.array(limit, np.float32)})
    _, (row,) = classify(pictures / "patient 0.png", model=path)
    assert (row["why"], row["answer"]) == (why, "none" if why else "LLP")
    assert row["plane"] != NON_STANDARD
    _, (row,) = classify(pictures / "more" / "black.png", model=path)
    assert (row["why"], row["answer"], row["plane"], row["left"]) == (NO_PICTURE, "none", "", "")


def test_json_is_the_same_rows_and_nothing_else_on_standard_output(
    classify: Classify, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, rows = classify(pictures, "--json")
    printed = json.loads(capsys.readouterr().out)
    assert [
        {key: "" if value is None else str(value) for key, value in row.items()} for row in printed
    ] == rows


def test_without_any_picture_there_is_a_sentence_and_no_table(
    classify: Classify, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "note.txt").write_text("nothing", encoding="utf-8")
    for given in ("empty", "note.txt", "absent.png", "*.dcm"):
        assert classify(tmp_path / given) == (2, [])
        assert "There is no picture to classify" in capsys.readouterr().err


def test_a_picture_is_not_replaced_by_the_table(
    classify: Classify, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "out.csv"
    content = (pictures / "patient 0.png").read_bytes()
    picture.write_bytes(content)
    arguments = ["classify", str(tmp_path), "--out", str(picture)]
    assert main.main(arguments) == 2
    assert "is among what is to be classified" in capsys.readouterr().err
    assert picture.read_bytes() == content


def test_nothing_half_written_is_left_when_it_is_interrupted(
    classify: Classify, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    real = OpenVinoRuntime.classify

    def interrupted(self: OpenVinoRuntime, inputs: NDArray[np.float32]) -> Any:
        seen.append(len(inputs))
        if len(seen) == 3:
            raise KeyboardInterrupt
        return real(self, inputs)

    monkeypatch.setattr(OpenVinoRuntime, "classify", interrupted)
    before = b"of an earlier run"
    (tmp_path / "out.csv").write_bytes(before)
    code = main.main(
        ["classify", str(pictures), "--out", str(tmp_path / "out.csv"), "--batch", "1", "--device", "cpu"]
    )
    assert code == 130
    assert len(seen) == 3
    assert (tmp_path / "out.csv").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["out.csv"]


def test_no_more_is_read_ahead_than_two_batches(easy_model: Path) -> None:
    read = 0
    frame = open_source("simulated:3", seconds=1).read()
    assert frame is not None

    def pictures() -> Iterator[Still]:
        nonlocal read
        for _ in range(100):
            read += 1
            yield Still(frame)

    runtime = load_runtime(easy_model, "cpu", 1)
    found = answers(pictures(), runtime, 4)
    for _ in range(9):
        next(found)
    assert read <= 9 + 3 * 4
    assert sum(1 for _ in found) == 91
    runtime.close()


def test_it_stops_in_the_middle_without_reading_the_rest(easy_model: Path) -> None:
    read = []
    frame = open_source("simulated:3", seconds=1).read()
    assert frame is not None

    def pictures() -> Iterator[Still]:
        try:
            for number in range(100):
                read.append(number)
                yield Still(frame)
        finally:
            read.append(-1)

    runtime = load_runtime(easy_model, "cpu", 1)
    found = answers(pictures(), runtime, 2)
    next(found)
    found.close()
    assert read[-1] == -1, "the files are closed"
    assert len(read) < 10
    runtime.close()


@pytest.mark.real_data("sononet")
def test_sononet_answers_its_own_examples(classify: Classify, tmp_path: Path) -> None:
    from semc_core.model.importers import import_checkpoint

    model = tmp_path / "sononet.safetensors"
    import_checkpoint(REAL_DATA / "sononet" / "SonoNet16.pth", model)
    code, rows = classify(REAL_DATA / "sononet", model=model)
    assert code == 0
    assert len(rows) == 13
    assert sum(row["answer"] != "none" for row in rows) >= 9
