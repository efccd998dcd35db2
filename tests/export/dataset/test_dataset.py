"""Planes of sessions as a data set: as other programs read it, de-identified, whole groups dealt."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import main
from semc_core.errors import ExportError, SemcError, UsageError
from semc_core.export.dataset.bundle import DatasetOptions, export_dataset
from semc_core.export.dataset.formats import FORMATS, NO_PICTURE
from semc_core.export.manifest import check_bundle
from semc_core.export.masks import blanked
from semc_core.session.correcting.changes import AddMeasurement, Reject, Relabel, SetNote
from semc_core.session.examination import Examination
from semc_core.session.files import read_png
from semc_core.session.records import Proof
from semc_core.session.session import Session
from tests.export.scans import CROP, HEIGHT, WIDTH, frame, new_session, video_session

HEAD = ((100.0, 80.0), (180.0, 80.0), (140.0, 50.0))
"""Ends of the long axis of an ellipse, and one of the short one."""


@pytest.fixture(autouse=True)
def nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading pictures takes seconds, and tests of its own look at it."""
    monkeypatch.setattr("semc_core.export.dataset.bundle.load_text_finder", lambda: None)


@pytest.fixture
def sessions(tmp_path: Path) -> Iterator[tuple[Session, Session]]:
    """Two sessions of one loop, as two people looked at it, with a name where none belongs."""
    frames = [frame(index) for index in range(30)]
    planes = {1: ("FHP1", 8), 2: ("LLP", 20)}
    with (
        video_session(tmp_path / "Zxqvok one", name="Zxqvok.mkv", count=30) as one,
        new_session(tmp_path / "Zxqvok two", frames, source=one.source, planes=planes) as two,
    ):
        one.apply(AddMeasurement("ellipse", HEAD, 8, 0.4, WIDTH, HEIGHT, plane_id=1, structure="head"))
        one.apply(SetNote(1, "Zxqvok"))
        two.apply(Relabel(1, "FHP2"))
        yield one, two


def export(sessions: Sequence[Session], out: Path, kind: str, **chosen: Any) -> Path:
    options = DatasetOptions(**chosen)
    export_dataset(sessions, out, kind, FORMATS[kind], options, data=out.parent / "data")
    return out


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_coco_holds_planes_and_outlines_and_each_refers_to_a_picture(
    sessions: tuple[Session, Session], tmp_path: Path
) -> None:
    out = export(sessions, tmp_path / "out", "coco")
    coco = read_json(out / "annotations" / "instances_train.json")
    names = {each["id"]: (each["name"], each["supercategory"]) for each in coco["categories"]}
    assert list(names.values()) == [
        ("FHP1", "plane"), ("FHP2", "plane"), ("LLP", "plane"), ("head", "structure")
    ]  # fmt: skip
    images = {each["id"]: each for each in coco["images"]}
    found = [(images[a["image_id"]]["frame_index"], *names[a["category_id"]]) for a in coco["annotations"]]
    assert found == [
        (8, "FHP1", "plane"), (8, "head", "structure"), (20, "LLP", "plane"),
        (8, "FHP2", "plane"), (20, "LLP", "plane"),
    ]  # fmt: skip
    (head,) = (each for each in coco["annotations"] if names[each["category_id"]][0] == "head")
    np.testing.assert_allclose(head["bbox"], [100, 50, 80, 60], atol=0.02)
    np.testing.assert_allclose(head["area"], np.pi * 40 * 30, rtol=0.01)
    for each in coco["annotations"]:
        (outline,) = each["segmentation"]
        left, top, width, height = each["bbox"]
        np.testing.assert_allclose([min(outline[::2]), min(outline[1::2])], [left, top], atol=0.01)
        np.testing.assert_allclose(
            [max(outline[::2]), max(outline[1::2])], [left + width, top + height], atol=0.01
        )
    assert len(head["segmentation"][0]) == 2 * 64
    for image in images.values():
        picture = cv2.imread(str(out / "train" / image["file_name"]))
        assert picture is not None
        assert picture.shape[:2] == (image["height"], image["width"])


def test_pictures_are_blanked_and_nothing_names_anybody(
    sessions: tuple[Session, Session], tmp_path: Path
) -> None:
    out = export(sessions, tmp_path / "out", "imagefolder")
    line = json.loads((out / "train" / "metadata.jsonl").read_text(encoding="utf-8").splitlines()[0])
    one, plane = sessions[0], sessions[0].plane(1)
    assert plane.png is not None
    whole = read_png(one.folder / plane.png, plane.png_sha256)
    given = read_png(out / "train" / line["file_name"], None)
    np.testing.assert_array_equal(given, blanked(whole, CROP, ()))
    assert whole[10, 10] > 0 == given[10, 10]
    assert line["label"] == "FHP1"
    assert line["objects"]["categories"] == ["head"]
    assert line["group"].startswith("ANON-")
    for path in out.rglob("*"):
        assert "Zxqvok" not in path.name
        assert not path.is_file() or b"Zxqvok" not in path.read_bytes()


def test_yolo_has_a_folder_for_each_class_and_monai_a_list(
    sessions: tuple[Session, Session], tmp_path: Path
) -> None:
    yolo = export(sessions, tmp_path / "yolo", "yolo")
    held = {path.name: len(list(path.glob("*.png"))) for path in (yolo / "train").iterdir()}
    assert held == {"FHP1": 1, "FHP2": 1, "LLP": 2}
    monai = export(sessions, tmp_path / "monai", "monai")
    listed = read_json(monai / "dataset.json")
    assert listed["numTraining"] == len(listed["training"]) == 4
    assert {listed["labels"][str(each["label"])] for each in listed["training"]} == {"FHP1", "FHP2", "LLP"}
    assert all((monai / each["image"]).is_file() for each in listed["training"])
    assert all("" not in each.values() for each in listed["training"])


def test_every_split_of_yolo_numbers_the_planes_alike(
    sessions: tuple[Session, Session], tmp_path: Path
) -> None:
    with video_session(tmp_path / "three", name="other.mkv", count=31) as three:
        out = export([*sessions, three], tmp_path / "out", "yolo", shares=(1.0, 1.0, 0.0))
    folders = {split: sorted(path.name for path in (out / split).iterdir()) for split in ("train", "val")}
    assert folders["train"] == folders["val"] == ["FHP1", "FHP2", "LLP"]
    (left_out,) = out.rglob(NO_PICTURE)
    assert not list(left_out.parent.glob("*.png"))
    assert check_bundle(out).ok


def test_yolo_to_detect_has_the_box_of_what_was_drawn(
    sessions: tuple[Session, Session], tmp_path: Path
) -> None:
    out = export(sessions, tmp_path / "out", "yolo-detect")
    (labels,) = (out / "labels" / "train").iterdir()
    assert (out / "images" / "train" / f"{labels.stem}.png").is_file()
    number, *box = labels.read_text(encoding="utf-8").split()
    assert number == "0"
    expected = [140 / WIDTH, 80 / HEIGHT, 80 / WIDTH, 60 / HEIGHT]
    np.testing.assert_allclose([float(each) for each in box], expected, atol=1e-4)
    assert (out / "data.yaml").read_text(encoding="utf-8") == (
        'train: images/train\nval: images/train\nnames: ["head"]\n'
    )
    with pytest.raises(ExportError, match="No plane of these sessions has an outline"):
        export(sessions[1:], tmp_path / "none", "yolo-detect")
    assert not (tmp_path / "none").exists()


def test_sessions_of_one_loop_stay_in_one_split(sessions: tuple[Session, Session], tmp_path: Path) -> None:
    with video_session(tmp_path / "three", name="other.mkv", count=31) as three:
        out = export([*sessions, three], tmp_path / "out", "imagefolder", shares=(1.0, 1.0, 0.0))
    of_group: dict[str, set[str]] = {}
    for path in out.glob("*/metadata.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            of_group.setdefault(json.loads(line)["group"], set()).add(path.parent.name)
    assert sorted(map(sorted, of_group.values())) == [["train"], ["validation"]]
    with pytest.raises(UsageError, match="too few groups"):
        export(sessions, tmp_path / "two", "imagefolder", shares=(1.0, 1.0, 0.0))


def test_scans_of_one_patient_by_their_examinations_stay_in_one_split(tmp_path: Path) -> None:
    with (
        video_session(tmp_path / "one", name="one.mkv", count=30) as one,
        video_session(tmp_path / "two", name="two.mkv", count=31) as two,
        video_session(tmp_path / "three", name="three.mkv", count=32) as three,
    ):
        for session, number in ((one, "Zxqvok4711"), (two, "Zxqvok4711"), (three, "")):
            session.set_examination(Examination("Zxqvok^Anna", number))
        out = export((one, two, three), tmp_path / "out", "imagefolder")
    lines = (out / "train" / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
    groups = {line["file_name"].split("/")[-1][:8]: line["group"] for line in map(json.loads, lines)}
    assert groups[one.id[:8]] == groups[two.id[:8]] != groups[three.id[:8]]
    assert all(b"Zxqvok" not in path.read_bytes() for path in out.rglob("*") if path.is_file())


def test_a_data_set_is_proven_like_an_export_and_each_session_knows_it(
    sessions: tuple[Session, Session], tmp_path: Path
) -> None:
    out = export(sessions, tmp_path / "out.zip", "coco")
    found = check_bundle(out)
    assert (found.ok, found.proof, found.deidentified) == (True, Proof.PROVEN, True)
    for session in sessions:
        (known,) = session.exports()
        assert known.sha256 == found.manifest_sha256
        assert known.detail["data_set"] == "coco"
        assert session.verify().ok


def test_rejected_planes_are_left_out_and_with_none_left_nothing_is_written(
    sessions: tuple[Session, Session], tmp_path: Path
) -> None:
    one = sessions[0]
    one.apply(Reject(1))
    out = export([one], tmp_path / "out", "yolo")
    assert [path.name for path in (out / "train").iterdir()] == ["LLP"]
    one.apply(Reject(2))
    with pytest.raises(ExportError, match="no plane that is not rejected"):
        export([one], tmp_path / "none", "yolo")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (["--format", "voc"], "There is no format 'voc'; choose one of coco"),
        (["--format", "coco", "--split", "70,30"], "are no shares"),
        (["--format", "coco", "--split", "0,1,1"], "are no shares"),
        (["--format", "coco", "--mask", "1,2"], ""),
        (["--format", "coco"], "is no session and holds none"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    typed: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["dataset", str(tmp_path), "--out", str(tmp_path / "out"), *typed]) != 0
    said = capsys.readouterr().err
    assert says in said
    assert said.startswith("semc: ")
    assert said.count("\n") == 1


def test_the_command_takes_a_folder_of_sessions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "all").mkdir()
    for name in ("one", "two"):
        video_session(tmp_path / "all" / name, count=30).close()
    assert (
        main.main(["dataset", str(tmp_path / "all"), "--format", "coco", "--out", str(tmp_path / "o")]) == 0
    )
    assert "De-identified: 4 pictures of 2 sessions" in capsys.readouterr().out
    assert check_bundle(tmp_path / "o").ok


def test_a_session_and_its_copy_are_not_one_data_set(
    sessions: tuple[Session, Session], tmp_path: Path
) -> None:
    with pytest.raises(SemcError, match="given twice"):
        export([sessions[0], sessions[0]], tmp_path / "out", "coco")
