"""`semc analyse` as a user types it, on real files, with an untrained model."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import main
from semc_core.cli.analyse import LOCK_NAME, parse_crop
from semc_core.cli.shared.inputs import wanted_inputs
from semc_core.errors import RuntimeFault, SaveError, UsageError
from semc_core.io.lock import WriterLock
from semc_core.model.file import read_model, write_model
from semc_core.phantom.scan import SimulatedScan
from semc_core.session.correcting.changes import SetNote
from semc_core.session.files import encode_png
from semc_core.session.session import Session
from semc_core.sources.base import FrameSource
from semc_core.sources.open import open_source
from semc_core.types import Crop, Thresholds

FRAMES = 30


@pytest.fixture(scope="module")
def easy_model(tiny_model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The untrained model with thresholds so low that it finds something."""
    spec, tensors = read_model(tiny_model_path)
    easy = Thresholds(enter=0.16, leave=0.1, min_hold_s=0.3, smoothing_s=0.1, merge_gap_s=0.2)
    path = tmp_path_factory.mktemp("easy") / "model.safetensors"
    write_model(path, replace(spec, thresholds=easy), tensors)
    return path


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second of a simulated scan."""
    scan = SimulatedScan(seed=4, seconds=1, width=160, height=120)
    path = tmp_path_factory.mktemp("video") / "scan.mp4"
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for index in range(FRAMES):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(scan.frame(index), format="gray")))
        container.mux(stream.encode())
    return path


@pytest.fixture
def analyse_into(easy_model: Path) -> Callable[..., int]:
    """Run the command with a folder for the results; returns the exit code."""

    def run(out: Path, *arguments: str | Path) -> int:
        common = ["--out", str(out), "--model", str(easy_model), "--device", "cpu", "--threads", "1"]
        return main.main(["analyse", *map(str, arguments), *common])

    return run


@pytest.fixture
def analyse(analyse_into: Callable[..., int], tmp_path: Path) -> Callable[..., tuple[int, Path]]:
    """Run the command; returns the exit code and the folder of results."""

    def run(*arguments: str | Path) -> tuple[int, Path]:
        out = tmp_path / "out"
        return analyse_into(out, *arguments), out

    return run


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_every_frame_is_in_the_csv_and_every_plane_has_its_files(
    analyse: Callable[..., tuple[int, Path]], video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = analyse(video)
    assert code == 0
    with (out / "scan" / "frames.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["frame_index"]) for row in rows] == list(range(FRAMES))
    assert float(rows[-1]["time_s"]) == pytest.approx((FRAMES - 1) / 30, abs=1e-3)
    for row in rows:
        assert sum(float(row[name]) for name in row if name.startswith("raw_")) == pytest.approx(1, abs=1e-4)
    found = read_json(out / "scan" / "planes.json")
    assert found["frames"] == FRAMES
    assert found["planes"], "the thresholds should let the untrained model find something"
    for plane in found["planes"]:
        beside = read_json((out / "scan" / plane["png"]).with_suffix(".json"))
        assert (beside["plane"], beside["frame_index"]) == (plane["plane"], plane["frame_index"])
        assert beside["final"]
        picture = cv2.imread(str(out / "scan" / plane["png"]))
        assert picture is not None
        assert picture.shape == (120, 160, 3)
    total = read_json(out / "summary.json")
    assert (total["frames"], total["failed"], total["planes"]) == (FRAMES, 0, len(found["planes"]))
    printed = capsys.readouterr().out
    assert found["planes"][0]["plane"] in printed
    assert "Untrained, for tests only." in printed


def test_one_bad_file_does_not_stop_the_rest_and_the_exit_code_says_so(
    analyse: Callable[..., tuple[int, Path]],
    video: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_text("not a video", encoding="utf-8")
    code, out = analyse(bad, tmp_path / "missing.mp4", str(tmp_path / "*.avi"), video)
    assert code == 1
    total = read_json(out / "summary.json")
    assert [each["ok"] for each in total["inputs"]] == [False, False, False, True]
    assert sorted(path.name for path in out.iterdir()) == ["scan", "summary.json"], "no half-made folders"
    assert "3 of 4 inputs could not be analysed" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform != "linux", reason="here every name is Unicode")
def test_names_of_any_kind_are_analysed_and_told(
    analyse: Callable[..., tuple[int, Path]],
    video: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As of an old USB stick: names that are no UTF-8, of a file that is good and of one that is not."""
    folder = tmp_path / os.fsdecode(b"stick\xfe")
    folder.mkdir()
    names = ["a.mp4", os.fsdecode(b"bad\xff.mp4"), "\u809d\u810f.mp4", "\N{GRINNING FACE}.mp4"]
    for name in names:
        shutil.copy(video, folder / name)
    (folder / os.fsdecode(b"no\xff.mp4")).write_text("no video", encoding="utf-8")
    code, out = analyse(folder)
    assert code == 1
    total = json.loads((out / "summary.json").read_bytes())
    told = {each["source"]: each for each in total["inputs"]}
    assert sorted(told) == sorted(["a.mp4", "bad\\xff.mp4", "no\\xff.mp4", *names[2:]])
    assert [name for name, each in told.items() if not each["ok"]] == ["no\\xff.mp4"]
    assert told["no\\xff.mp4"]["problem"].startswith("no\\xff.mp4 cannot be opened as a video")
    assert "stick\\xfe/no\\xff.mp4: " in capsys.readouterr().out
    with Session.open(out / "bad-xff", read_only=True) as session:
        assert session.source.source_id == "bad\\xff.mp4"
        assert session.source.path == str(folder / names[1])
        assert session.verify().ok
        assert session.frame_count == FRAMES
    with Session.open(out / "bad-xff") as session:
        session.moved(folder / names[2])
        session.moved(folder / names[1])
    with Session.open(out / "bad-xff", read_only=True) as session:
        assert Path(session.source.path or "").is_file()
    assert main.main(["session", "show", str(out / "bad-xff")]) == 0
    assert main.main(["session", "list", str(folder)]) == 0
    assert main.main(["session", "list", str(folder), "--json"]) == 0
    assert "stick\\\\xfe" in capsys.readouterr().out
    target = tmp_path / os.fsdecode(b"export\xff")
    assert main.main(["export", str(out / "bad-xff"), "--out", str(target), "--no-clips"]) == 0
    assert main.main(["export", "--check", str(target), str(out / "bad-xff")]) == 0


def test_the_batch_changes_nothing(analyse: Callable[..., tuple[int, Path]], video: Path) -> None:
    _, out = analyse(video, "--batch", "1")
    one = read_json(out / "scan" / "planes.json")
    _, out = analyse(video, "--batch", "7")
    assert read_json(out / "scan" / "planes.json") == one


def test_how_the_pictures_were_read_stands_in_results_and_session(
    analyse: Callable[..., tuple[int, Path]], video: Path
) -> None:
    code, out = analyse(video, "--range", "full", "--flip", "horizontal")
    assert code == 0
    found = read_json(out / "scan" / "planes.json")
    chosen = {"range": "full", "aspect": "auto", "deinterlace": "auto", "flip": "horizontal"}
    assert found["picture_options"] == chosen
    assert found["source_notice"] == "By the picture options: full range, flipped horizontally."
    with Session.open(out / "scan", read_only=True) as session:
        assert asdict(session.source)["picture_options"] == chosen
        (entry, *_) = session.audit()
        assert entry.payload["source"]["picture_options"] == chosen


def test_a_second_run_replaces_the_results_and_keeps_what_is_not_ours(
    analyse: Callable[..., tuple[int, Path]], video: Path
) -> None:
    _, out = analyse(video)
    before = sorted(path.name for path in (out / "scan").iterdir())
    (out / "scan" / "notes.txt").write_text("mine", encoding="utf-8")
    _, out = analyse(video, "--crop", "40,20,80,80")
    after = sorted(path.name for path in (out / "scan").iterdir())
    assert (out / "scan" / "notes.txt").read_text(encoding="utf-8") == "mine"
    planes = read_json(out / "scan" / "planes.json")["planes"]
    pairs = [name for plane in planes for name in (plane["png"], plane["png"].replace(".png", ".json"))]
    assert after == sorted(["frames.csv", "notes.txt", "planes.json", "session.sqlite", *pairs])
    assert len(before) >= 2
    assert all(
        read_json(path)["crop"] == {"left": 40, "top": 20, "width": 80, "height": 80}
        for path in (out / "scan").glob("0*.json")
    )


def test_the_results_are_a_session(analyse: Callable[..., tuple[int, Path]], video: Path) -> None:
    _, out = analyse(video)
    found = read_json(out / "scan" / "planes.json")["planes"]
    with Session.open(out / "scan", read_only=True) as session:
        assert session.frames().index.tolist() == list(range(FRAMES))
        assert [plane.png for plane in sorted(session.planes(), key=lambda plane: plane.plane_id)] == [
            plane["png"] for plane in sorted(found, key=lambda plane: plane["hold_id"])
        ]
        assert session.complete
        assert session.closed
        assert session.source.path == str(video)
        assert session.source.sha256 == hashlib.sha256(video.read_bytes()).hexdigest()
        assert session.verify().ok


def test_what_a_person_corrected_is_not_replaced(
    analyse: Callable[..., tuple[int, Path]], video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out = analyse(video)
    with Session.open(out / "scan") as session:
        assert analyse(video)[0] != 0
        assert "is open elsewhere" in capsys.readouterr().err
        session.apply(SetNote(None, "second look"))
    before = contents(out)
    assert analyse(video)[0] != 0
    assert "holds corrections that a person made" in capsys.readouterr().err
    assert contents(out) == before


def test_folders_patterns_and_equal_names(video: Path, tmp_path: Path) -> None:
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "scan.mp4").write_bytes(video.read_bytes())
    (tmp_path / "a" / "notes.txt").write_text("", encoding="utf-8")
    (tmp_path / "a" / "IM0001").write_bytes(b"\0" * 128 + b"DICM")
    stills, earlier = tmp_path / "b" / "stills", tmp_path / "b" / "earlier"
    for folder in (stills, earlier):
        folder.mkdir()
        cv2.imwrite(str(folder / "1.png"), np.zeros((8, 8), np.uint8))
    (earlier / "planes.json").write_text("{}", encoding="utf-8")
    wanted = wanted_inputs([str(tmp_path), str(tmp_path / "*" / "*.mp4")])
    assert [(each.path.relative_to(tmp_path).as_posix(), each.name) for each in wanted] == [
        ("a/IM0001", "IM0001"),
        ("a/scan.mp4", "scan"),
        ("b/scan.mp4", "scan-2"),
        ("b/stills", "stills"),
    ]
    (nothing,) = wanted_inputs([str(tmp_path / "*.mkv")])
    assert "Nothing matches" in nothing.problem
    (tmp_path / "empty").mkdir()
    (empty,) = wanted_inputs([str(tmp_path / "empty")])
    assert "holds no video" in empty.problem


def test_a_folder_of_images_is_one_input(analyse: Callable[..., tuple[int, Path]], tmp_path: Path) -> None:
    folder = tmp_path / "stills"
    folder.mkdir()
    scan = SimulatedScan(seed=4, seconds=1, width=160, height=120)
    for index in range(3):
        cv2.imwrite(str(folder / f"{index}.png"), scan.frame(index))
    code, out = analyse(folder)
    assert code == 0
    assert read_json(out / "stills" / "planes.json")["frames"] == 3


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("out", [".", "images", "images/below"])
def test_a_folder_of_images_is_never_written_to(
    analyse_into: Callable[..., int], tmp_path: Path, out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    cv2.imwrite(str(folder / "000.png"), np.zeros((64, 64), np.uint8))
    (folder / "000.json").write_text("{}", encoding="utf-8")
    before = contents(tmp_path)
    assert analyse_into(tmp_path / out, folder) != 0
    assert "what is to be analysed; choose another folder" in capsys.readouterr().err
    assert contents(tmp_path) == before


def test_a_file_without_suffix_and_one_in_its_own_results_are_never_replaced(
    analyse_into: Callable[..., int], video: Path, tmp_path: Path
) -> None:
    plain, inside = tmp_path / "IM_0001", tmp_path / "scan" / "scan.mp4"
    link = tmp_path / "linked" / "linked.mp4"
    plain.write_bytes(video.read_bytes())
    for path in (inside, link):
        path.parent.mkdir()
    inside.write_bytes(video.read_bytes())
    link.symlink_to(inside)
    before = contents(tmp_path)
    for path in (plain, inside, link):
        assert analyse_into(tmp_path, path) != 0
    assert contents(tmp_path) == before


def test_a_folder_that_holds_no_results_is_left_alone(
    analyse: Callable[..., tuple[int, Path]],
    video: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    own = tmp_path / "out" / "scan"
    own.mkdir(parents=True)
    (own / "thesis.txt").write_text("mine", encoding="utf-8")
    (own / "planes.json").write_text("{}", encoding="utf-8")
    before = contents(tmp_path)
    assert analyse(video)[0] != 0
    assert "holds no earlier results" in capsys.readouterr().err
    assert contents(tmp_path) == before


def test_a_file_cut_short_is_told(
    analyse: Callable[..., tuple[int, Path]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, cut = tmp_path / "whole.ts", tmp_path / "cut.ts"
    scan = SimulatedScan(seed=4, seconds=2, width=160, height=120)
    with av.open(whole, "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for index in range(2 * FRAMES):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(scan.frame(index), format="gray")))
        container.mux(stream.encode())
    data = whole.read_bytes()
    cut.write_bytes(data[: len(data) // 2])
    code, out = analyse(cut)
    assert code == 0
    found = read_json(out / "cut" / "planes.json")
    assert 0 < found["frames"] < 2 * FRAMES
    assert "damaged and left out" in found["source_notice"]
    assert "damaged and left out" in capsys.readouterr().out


@pytest.mark.parametrize("error", [RuntimeFault("Try another device."), ZeroDivisionError("Meier.mp4")])
def test_a_fault_in_one_input_keeps_the_others(
    analyse: Callable[..., tuple[int, Path]],
    video: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(video.read_bytes())

    def broken(path: str, **given: Any) -> FrameSource:
        if path == str(bad):
            raise error
        return open_source(path, **given)

    monkeypatch.setattr("semc_core.sources.open.open_source", broken)
    code, out = analyse(bad, video)
    assert code == 1
    total = read_json(out / "summary.json")
    assert [each["ok"] for each in total["inputs"]] == [False, True]
    assert "Meier" not in caplog.text
    assert "Meier" not in json.dumps(total)


def test_a_run_that_breaks_off_leaves_a_summary_of_what_is_done(
    analyse: Callable[..., tuple[int, Path]],
    video: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    second, third = tmp_path / "second.mp4", tmp_path / "third.mp4"
    for path in (second, third):
        path.write_bytes(video.read_bytes())

    def encode(pixels: NDArray[np.uint8]) -> bytes:
        if (tmp_path / "out" / "scan").exists():
            raise SaveError("The disk is full; free space.")
        return encode_png(pixels)

    monkeypatch.setattr("semc_core.session.files.encode_png", encode)
    code, out = analyse(video, second, third)
    assert code == 1
    total = read_json(out / "summary.json")
    assert [(each["name"], each["ok"]) for each in total["inputs"]] == [("scan", True), ("second", False)]
    assert sorted(path.name for path in out.iterdir()) == ["scan", "summary.json"]


def test_the_region_of_interest_is_checked() -> None:
    assert parse_crop("1,2,30,40") == Crop(1, 2, 30, 40)
    assert parse_crop(None) is None
    for text in ("1,2,3", "a,b,c,d", "1,2,0,4", "-1,2,3,4"):
        with pytest.raises(UsageError, match="--crop"):
            parse_crop(text)


def test_files_of_a_folder_that_are_not_analysed_are_named(
    analyse: Callable[..., tuple[int, Path]],
    video: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    shutil.copy(video, folder / "scan")  # known by what is in it
    (folder / "notes.txt").write_text("words", encoding="utf-8")
    cv2.imwrite(str(folder / "photo.png"), np.zeros((40, 40), np.uint8))
    code, out = analyse(folder)
    assert code == 0
    assert (out / "scan" / "planes.json").is_file()
    told = capsys.readouterr().out
    assert "notes.txt" in told
    assert "photo.png" in told


def test_of_two_runs_into_one_folder_at_once_the_second_is_refused(
    analyse_into: Callable[..., int], video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results"
    out.mkdir()
    lock = WriterLock(out, LOCK_NAME)
    try:
        assert analyse_into(out, video) == 2
        assert "Another semc analyse is writing its results into" in capsys.readouterr().err
        assert list(out.glob("*/planes.json")) == []
    finally:
        lock.release()
    assert analyse_into(out, video) == 0
    assert len(list(out.glob("*/planes.json"))) == 1
    assert not (out / LOCK_NAME).exists()
