"""Every layout that a data set may have, made small."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from semc_core.errors import SourceError, UsageError
from semc_core.export import bundle
from semc_core.export.bundle import export_session
from semc_core.export.options import ExportOptions
from semc_core.imaging.preprocess import Preprocessing
from semc_core.labels import LIVER_CLASSES, NON_STANDARD
from semc_core.session.correcting.changes import AddPlane, MarkRegion, Reject, Relabel
from semc_core.session.examination import Examination
from semc_core.session.session import Session
from tests.export.scans import CROP, WIDTH, new_session, result, video_session
from tests.export.scans import frame as screen
from tests.skips import REAL_DATA
from tests.training.data.data_sets import PLANES_TABLE, camus, fetal_planes, fpus23, picture, volume
from tests.training.data.test_splits import shard
from training.data.images import read_pictures, read_volume
from training.data.index import DataIndex
from training.data.loading import load_frames
from training.data.readers import ReadOptions, open_data, open_many

ORGANS = REAL_DATA / "organs"


def labels(index: DataIndex) -> dict[str, int]:
    """How many pictures each class has."""
    return dict(Counter(sample.label for sample in index.samples))


def test_class_folders_give_classes_and_say_that_patients_are_unknown(tmp_path: Path) -> None:
    for seed, name in enumerate(("img2.png", "img10.png", "img1.jpg")):
        picture(tmp_path / "set" / "KIDNEY" / name, seed)
    picture(tmp_path / "set" / "other" / "1.png", 9)
    (tmp_path / "set" / "KIDNEY" / "notes.txt").write_text("no picture", encoding="utf-8")
    index = open_data(tmp_path)
    assert index.classes == ("KIDNEY", NON_STANDARD)
    assert [sample.path.name for sample in index.samples] == ["img1.jpg", "img2.png", "img10.png", "1.png"]
    assert len(index.groups) == 4
    assert any("same patient" in note for note in index.notes)
    assert any("other is used as NSP" in note for note in index.notes)


def test_folders_that_can_be_read_in_two_ways_are_said_to_be(tmp_path: Path) -> None:
    for seed, patient in enumerate(("P1", "P2", "P3", "P4")):
        picture(tmp_path / "set" / "LIVER" / patient / "1.png", seed)
    index = open_data(tmp_path / "set")
    assert index.classes == ("P1", "P2", "P3", "P4")  # as an archive unpacks
    assert index.notes[0].startswith(
        "The folders in LIVER are taken for classes (P1, P2, P3, ...). If LIVER is"
    )
    picture(tmp_path / "set" / "KIDNEY" / "7.png", 9)
    index = open_data(tmp_path / "set")
    assert index.classes == ("KIDNEY", "LIVER")
    assert index.groups == ("KIDNEY/7.png", "P1", "P2", "P3", "P4")
    assert [note.partition(":")[0] for note in index.notes] == [
        "Nothing says which pictures show the same patient in KIDNEY"
    ]
    for name in ("A", "B"):
        picture(tmp_path / "archive" / "unpacked" / "train" / name / "p1" / "1.png", 1)
    assert open_data(tmp_path / "archive").notes == ()


def test_class_folders_with_splits_and_patients(tmp_path: Path) -> None:
    for seed, (split, who) in enumerate((("Training", "p1"), ("val", "p2"), ("test", "p3"))):
        for name in ("A", "B"):
            picture(tmp_path / split / name / who / "1.png", seed)
    index = open_data(tmp_path)
    assert {sample.split for sample in index.samples} == {"train", "validation", "test"}
    assert index.groups == ("p1", "p2", "p3")
    assert index.notes == ()
    picture(tmp_path / "test" / "A" / "p1" / "2.png", 7)
    with pytest.raises(UsageError, match="p1 is in"):
        open_data(tmp_path)


def test_patients_are_found_in_file_names(tmp_path: Path) -> None:
    for number in range(4):
        picture(tmp_path / "A" / f"pat{number // 2}_{number}.png", number)
    assert open_data(tmp_path, ReadOptions(groups=r"pat\d+")).groups == ("pat0", "pat1")
    assert open_data(tmp_path, ReadOptions(groups=r"pat(\d+)")).groups == ("0", "1")
    with pytest.raises(UsageError, match="finds no group"):
        open_data(tmp_path, ReadOptions(groups="case"))
    with pytest.raises(UsageError, match="no regular expression"):
        open_data(tmp_path, ReadOptions(groups="("))


def test_lp2025_is_known_by_its_names(tmp_path: Path) -> None:
    for seed, name in enumerate(("fhp1", "FHP2", "LLP", "RLP", "LPV_S", "HRP", "nsp")):
        picture(tmp_path / "train" / name / "1.png", seed)
        picture(tmp_path / "test" / name / "1.png", 100 + seed)
    index = open_data(tmp_path)
    assert (index.name, index.classes, index.none_class) == ("LP2025", LIVER_CLASSES, NON_STANDARD)
    assert [split["train"] for split in index.counts().values()] == [1] * 7
    dealt = index.split(1)
    assert len(dealt.of_split("test")) == 7
    assert dealt.of_split("validation")


@pytest.mark.parametrize("suffix", [".nii.gz", ".mhd"])
def test_camus_views_from_loops_or_stills(tmp_path: Path, suffix: str) -> None:
    camus(tmp_path / "training", suffix)
    (tmp_path / "database_split").mkdir()
    (tmp_path / "database_split" / "subgroup_training.txt").write_text("patient0001\n", encoding="utf-8")
    (tmp_path / "database_split" / "subgroup_testing.txt").write_text("patient0002\n", encoding="utf-8")
    index = open_data(tmp_path)
    assert (index.name, index.classes, index.none_class) == ("CAMUS", ("2CH", "4CH"), None)
    assert index.groups == ("patient0001", "patient0002")
    assert index.counts() == {view: {"train": 5, "test": 2} for view in ("2CH", "4CH")}
    frames = load_frames(index, "train", Preprocessing(32, 32))
    assert frames.frames.shape == (10, 32, 32)
    rows = frames.frames[0].float().mean(dim=1)
    assert rows[4] > rows[8:].max() + 50, "the white row is at the top"
    stills = open_data(tmp_path, ReadOptions(sequences=False))
    assert labels(stills) == {"2CH": 4, "4CH": 4}


def test_pixels_that_are_not_square_are_shown_as_they_are_wide(tmp_path: Path) -> None:
    volume(tmp_path / "a.nii.gz", 2, 1, spacing=(0.3, 0.15))
    assert read_volume(tmp_path / "a.nii.gz").shape == (2, 30, 80)


def test_a_header_does_not_lead_out_of_its_folder(tmp_path: Path) -> None:
    volume(tmp_path / "in" / "a.mhd", 1, 1)
    header = tmp_path / "in" / "a.mhd"
    header.write_text(header.read_text(encoding="utf-8").replace("= a.raw", "= ../a.raw"), encoding="utf-8")
    with pytest.raises(SourceError, match="another folder"):
        read_volume(header)
    (tmp_path / "b.nii.gz").write_bytes(b"nothing")
    with pytest.raises(SourceError, match="cannot be read"):
        read_volume(tmp_path / "b.nii.gz")


def test_fpus23_planes_from_annotations(tmp_path: Path) -> None:
    fpus23(tmp_path)
    index = open_data(tmp_path)
    assert (index.name, index.classes) == ("FPUS23", ("head", "abdomen", NON_STANDARD))
    assert labels(index) == {"abdomen": 2, "head": 1, NON_STANDARD: 2}
    assert index.groups == ("stream_hdvb_aroundabd_h", "stream_huvf_aroundhead_v")
    assert index.notes == ("Not there: 1 annotated frame.",)
    for path in tmp_path.glob("annotation/*/annotations.xml"):
        path.write_text(
            path.read_text(encoding="utf-8").replace("diagnostic_plane", "location"), encoding="utf-8"
        )
    assert labels(open_data(tmp_path)) == {"abdomen": 5}
    next(tmp_path.glob("annotation/*/annotations.xml")).write_text("<annotations>", encoding="utf-8")
    with pytest.raises(UsageError, match="damaged"):
        open_data(tmp_path)


def test_fpus23_planes_from_its_class_folders(tmp_path: Path) -> None:
    for seed, name in enumerate(("BPD_PLANE", "AC_PLANE", "FL_PLANE", "NO_PLANE")):
        picture(tmp_path / name / "1.png", seed)
    assert set(open_data(tmp_path).classes) == {"head", "abdomen", "femur", NON_STANDARD}


def test_fetal_planes_db_with_its_own_splits(tmp_path: Path) -> None:
    fetal_planes(tmp_path / "db")
    index = open_data(tmp_path / "db")
    assert index.name == "FETAL_PLANES_DB"
    assert index.classes == ("Fetal brain", "Fetal femur", "Maternal cervix", NON_STANDARD)
    assert {sample.source for sample in index.samples} == {"Voluson E6", "Aloka"}
    assert index.counts()[NON_STANDARD] == {"test": 1}
    assert index.notes[0] == "Not there: 1 picture of the table."
    assert "Trans-thalamic" in open_data(tmp_path / "db", ReadOptions(fine=True)).classes


def test_fetal_planes_db_names_no_file_outside(tmp_path: Path) -> None:
    row = "../secret;1;Other;Not A Brain;Op;X;1\n"
    (tmp_path / "FETAL_PLANES_DB_data.csv").write_text(PLANES_TABLE + row, encoding="utf-8")
    with pytest.raises(UsageError, match="outside of Images"):
        open_data(tmp_path)


def test_hc18_numbers_are_counted_anew_in_each_set(tmp_path: Path) -> None:
    for seed, name in enumerate(("training_set/010_HC", "training_set/010_2HC", "test_set/010_HC")):
        picture(tmp_path / "HC18" / f"{name}.png", seed)
    picture(tmp_path / "HC18" / "training_set" / "010_HC_Annotation.png", 9)
    index = open_data(tmp_path / "HC18")
    assert index.counts() == {"fetal_head": {"train": 2, "test": 1}}
    assert index.groups == ("test-010", "train-010")


def test_a_rendered_set_keeps_its_splits_and_distances(tmp_path: Path) -> None:
    for patient in (3, 1005, 2001):
        shard(tmp_path, patient)
    index = open_data(tmp_path)
    assert index.classes == LIVER_CLASSES
    assert {split: len(index.of_split(split)) for split in ("train", "validation", "test")} == {
        "train": 8, "validation": 8, "test": 8,
    }  # fmt: skip
    frames = load_frames(index, "train", Preprocessing(16, 16))
    assert frames.families()[4:] == ["near", "far", "near", "negative"]
    assert np.all(frames.frames.numpy() == 3), "stored as live crops them: not cropped again"


def test_a_table_of_pictures(tmp_path: Path) -> None:
    data = tmp_path / "organs"
    for number in range(4):
        picture(data / "a" / f"{number}.png", number)
    lines = [f"organs/a/{number}.png,liver,scanner{number % 2},7,\n" for number in range(4)]
    (data / "index.csv").write_text("file,label,source,group,split\n" + "".join(lines), encoding="utf-8")
    index = open_data(data)
    assert index.groups == ("scanner0/7", "scanner1/7")
    assert labels(index) == {"liver": 4}
    for name in ("/etc/passwd", "../x.png", "a/../../x.png", "C:/x.png"):
        (data / "index.csv").write_text(f"file,label\n{name},liver\n", encoding="utf-8")
        with pytest.raises(UsageError, match="not below its folder"):
            open_data(data)
    (data / "index.csv").write_text("file,label\na/9.png,liver\n", encoding="utf-8")
    with pytest.raises(UsageError, match="lists 1 missing picture"):
        open_data(data)


def test_corrections_of_a_session_are_what_is_learned(tmp_path: Path, video_case: Session) -> None:
    with video_case as session:
        session.apply(Relabel(1, "LLP"))
        session.apply(Reject(2))
        session.apply(AddPlane("FHP2", result(9, screen(9))))
        session.apply(MarkRegion(0.0, 0.4, "FHP1"))
        session.apply(MarkRegion(0.5, 0.6, "shadow"))
        (tmp_path / "out").mkdir()
        export_session(session, tmp_path / "out" / "export", ExportOptions(), data=tmp_path / "key")
    index = open_data(tmp_path / "sessions")
    assert index.classes == ("FHP1", "FHP2", "LLP", NON_STANDARD)
    assert len(index.groups) == 1
    planes = {sample.label for sample in index.samples if sample.path.suffix == ".png"}
    assert planes == {"LLP", NON_STANDARD, "FHP2"}
    marked = [sample.frame for sample in index.samples if sample.path.is_dir()]
    assert marked == [0, 2, 4, 6, 8], "20 frames/s, ten of them a second"
    assert any("shadow" in note for note in index.notes)
    frames = load_frames(index, "", Preprocessing(64, 64))
    assert frames.frames.shape[0] == len(index.samples)
    assert labels(open_data(tmp_path / "out")) == {"LLP": 1, "FHP2": 1}


def test_the_region_that_was_classified_live_is_used(tmp_path: Path, video_case: Session) -> None:
    with video_case as session:
        number = session.apply(AddPlane("FHP2", result(9, screen(9))))
        (shown,) = read_pictures(session.folder, [0])
        assert number is not None
        saved = session.plane(number).png
        assert saved is not None
        (still,) = read_pictures(session.folder / saved, [0])
    assert shown.crop == still.crop == CROP
    assert np.array_equal(shown.picture.pixels, screen(0))
    assert still.picture.pixels.shape[1] == WIDTH


def test_sessions_of_one_patient_are_one_group_and_the_patient_is_named_nowhere(tmp_path: Path) -> None:
    """The second is of the loop of the first, the third of its patient, the last of nobody."""
    folder, frames = tmp_path / "sessions", [screen(index) for index in range(30)]
    folder.mkdir()
    with (
        video_session(folder / "1", name="a.mkv", count=30) as first,
        new_session(
            folder / "2", frames, source=first.source, planes={1: ("LLP", 8), 2: ("LLP", 9)}
        ) as second,
        video_session(folder / "3", name="b.mkv", count=31) as third,
        video_session(folder / "4", name="c.mkv", count=32) as fourth,
    ):
        for session in (first, second, third, fourth):
            session.apply(Reject(2))
        for session in (first, third):
            session.set_examination(Examination("Zxqvok^Anna", "Zxqvok4711"))
    index = open_data(folder)
    group = {sample.path.parts[len(folder.parts)]: sample.group for sample in index.samples}
    assert group["1"] == group["2"] == group["3"] != group["4"]
    assert not any("Zxqvok" in text for text in (*index.groups, *index.notes))


def test_a_session_that_nobody_corrected_teaches_nothing(tmp_path: Path, video_case: Session) -> None:
    video_case.close()
    with pytest.raises(UsageError, match="holds no pictures"):
        open_data(tmp_path / "sessions")


def test_data_sets_are_joined(tmp_path: Path) -> None:
    picture(tmp_path / "one" / "LLP" / "p1" / "1.png", 1)
    picture(tmp_path / "one" / "NSP" / "p1" / "1.png", 3)
    picture(tmp_path / "two" / "FHP1" / "p1" / "1.png", 2)
    both = open_many([tmp_path / "one", tmp_path / "two"])
    assert both.classes == ("FHP1", "LLP", NON_STANDARD)
    assert both.groups == ("one/p1", "two/p1")
    assert both.name == "one + two"


def test_what_is_no_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no data set"):
        open_data(tmp_path)
    with pytest.raises(UsageError, match="no folder"):
        open_data(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="number of patients"):
        open_data("simulated:two")


@pytest.mark.real_data("organs")
def test_real_pictures_of_organs_are_read() -> None:
    index = open_data(ORGANS, leaks_allowed=True)
    assert set(index.classes) == {"fetal_head", "liver", "lung", "muscle"}
    index.split(1, anew=True).check()


@pytest.fixture
def video_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session of a file with two planes, open for writing; nobody looks for text in its exports."""
    monkeypatch.setattr(bundle, "load_text_finder", lambda: None)
    return video_session(tmp_path / "sessions")
