"""Labels of other programs correct a session: all of them or none, and training finds them there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import main
from semc_core.errors import FrameDamaged, SessionError, UsageError
from semc_core.export.dataset.bundle import DatasetOptions, export_dataset
from semc_core.export.dataset.formats import write_coco
from semc_core.review.labels.apply import Labelled, label_session
from semc_core.review.labels.files import read_labels
from semc_core.review.loop import loop_of
from semc_core.session.session import Session
from semc_core.sources.seek.base import SeekableSource
from semc_core.types import FramePacket
from tests.export.scans import RATE, video_session

SHA = "ab" * 32


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """FHP1 at frame 8 and LLP at frame 20 of 30."""
    with video_session(tmp_path / "session", count=30) as made:
        yield made


def coco(path: Path, labels: Mapping[str, str], structure: str = "") -> Path:
    """A COCO file: picture -> label; `structure` is drawn into the first."""
    names = [*dict.fromkeys(labels.values())]
    categories = [{"id": n, "name": name} for n, name in enumerate(names)]
    annotations = [
        {"id": n, "image_id": n, "category_id": names.index(name), "bbox": [0, 0, 1, 1]}
        for n, name in enumerate(labels.values())
    ]
    if structure:
        categories.append({"id": 99, "name": structure, "supercategory": "structure"})
        annotations.append({"id": 99, "image_id": 0, "category_id": 99})
    images = [{"id": n, "file_name": name, "width": 1} for n, name in enumerate(labels)]
    path.write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": categories}), encoding="utf-8"
    )
    return path


def cvat(path: Path, labels: Mapping[str, str], inside: str = "") -> Path:
    images = "".join(
        f'<image id="{n}" name="{name}" width="9"><tag label="{label}" source="manual"/>{inside}</image>'
        for n, (name, label) in enumerate(labels.items())
    )
    path.write_text(
        f'<?xml version="1.0"?>\n<annotations><version>1.1</version>{images}</annotations>', encoding="utf-8"
    )
    return path


def applied(session: Session, path: Path, **meant: str) -> Labelled:
    return label_session(session, read_labels(path), meant, SHA)


def stands(session: Session) -> list[tuple[int, str, bool, str]]:
    return [(p.frame_index, p.plane, p.rejected, p.chosen_by) for p in session.planes(rejected=True)]


@pytest.mark.parametrize("write", [coco, cvat])
def test_labels_rename_confirm_reject_and_add_planes_and_mark_rows_of_frames(
    session: Session, tmp_path: Path, write: object
) -> None:
    assert callable(write)
    labels = {"frame_000008.png": "FHP2", "000020.png": "NSP", "f000003.png": "LLP", "x/frame_25.png": "NSP"}
    labels |= {f"frame_{index:06d}.jpg": "FHP1" for index in (12, 13, 14)}
    done = applied(session, write(tmp_path / "labels", labels))
    assert (done.frames, done.changes) == (7, 5)
    assert stands(session) == [
        (3, "LLP", False, "person"), (8, "FHP2", False, "person"), (20, "LLP", True, "person")
    ]  # fmt: skip
    marks = [(each.start_s, each.end_s, each.label) for each in session.regions()]
    assert marks == [(12 / RATE, 14 / RATE, "FHP1"), (25 / RATE, 25 / RATE, "NSP")]
    again = applied(session, tmp_path / "labels")
    assert (again.frames, again.changes) == (7, 0)
    assert session.verify().ok


def test_training_reads_what_was_labelled(session: Session, tmp_path: Path) -> None:
    from training.data.readers import sessions as reader  # slow to load
    from training.data.readers.options import ReadOptions

    applied(session, coco(tmp_path / "labels", {"f000003": "LLP", "f000008": "NSP", "f000012": "NSP"}))
    session.close()
    index = reader.read(session.folder, ReadOptions())
    found = sorted((sample.frame or 0, sample.label) for sample in index.samples)
    assert found == [(0, "LLP"), (0, "LLP"), (0, "NSP"), (12, "NSP")]


def test_labels_of_a_data_set_find_their_own_session(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Out as COCO, relabelled in another program, and back."""
    monkeypatch.setattr("semc_core.export.dataset.bundle.load_text_finder", lambda: None)  # slow to load
    options = DatasetOptions(text="keep")
    with video_session(tmp_path / "other", name="other.mkv", count=31) as other:
        export_dataset(
            [session, other], tmp_path / "out", "coco", write_coco, options, data=tmp_path / "data"
        )
    path = tmp_path / "out" / "annotations" / "instances_train.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    numbers = {each["name"]: each["id"] for each in document["categories"]}
    for annotation in document["annotations"]:
        if annotation["category_id"] == numbers["LLP"]:
            annotation["category_id"] = numbers["FHP2"]
    path.write_text(json.dumps(document), encoding="utf-8")
    done = applied(session, path)
    assert (done.frames, done.of_others) == (2, 2)
    assert [plane.plane for plane in session.planes()] == ["FHP1", "FHP2"]


def test_a_label_may_mean_another_plane_and_what_was_drawn_is_left_out(
    session: Session, tmp_path: Path
) -> None:
    path = coco(tmp_path / "labels", {"f000008": "view two", "f000020": "poor"}, structure="vessel")
    done = applied(session, path, **{"view two": "FHP2", "poor": ""})
    assert (done.frames, done.drawn) == (1, 1)
    assert [plane.plane for plane in session.planes()] == ["FHP2", "LLP"]
    assert "1 label of what was drawn" in done.sentence


def test_a_label_cannot_mean_a_plane_that_nobody_knows(session: Session, tmp_path: Path) -> None:
    before = stands(session)
    path = coco(tmp_path / "labels", {"f000008": "view two"}, structure="vessel")
    for meant in ({"view two": "FPH2"}, {"view two": "FHP2", "vessel": "FPH2"}):
        with pytest.raises(UsageError, match="knows no plane FPH2; say which"):
            applied(session, path, **meant)
    assert stands(session) == before


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ({"f000008": "FHP2", "f000009": "liver"}, "knows no plane liver; say which"),
        ({"f000008": "FHP2", "f000099": "LLP"}, "shows frame 99, which is not in this session"),
        ({"f000008": "FHP2", "8.png": "LLP"}, "is labelled FHP2 and LLP"),
        ({"f000008": "FHP2", "clip.png": "LLP"}, "does not end with the number of a frame"),
    ],
)
def test_labels_that_do_not_fit_change_nothing(
    session: Session, tmp_path: Path, labels: dict[str, str], says: str
) -> None:
    before = stands(session)
    for write in (coco, cvat):
        with pytest.raises(UsageError, match=says):
            applied(session, write(tmp_path / "labels", labels))
    assert stands(session) == before
    assert session.regions() == ()


def test_without_its_loop_a_session_gets_no_plane_added_and_no_other_change(
    session: Session, tmp_path: Path
) -> None:
    (tmp_path / "loop.mkv").unlink()
    with pytest.raises(SessionError, match="pictures are nowhere"):
        applied(session, coco(tmp_path / "labels", {"f000003": "LLP", "f000008": "FHP2"}))
    assert session.corrections == 0
    assert applied(session, coco(tmp_path / "labels", {"f000008": "FHP2"})).changes == 1


def test_a_frame_that_cannot_be_read_changes_nothing(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(place: Session) -> SeekableSource:
        loop = loop_of(place)
        assert loop is not None
        read = loop.frame

        def frame(index: int) -> FramePacket:
            if index == 12:
                raise FrameDamaged("Frame 12 is damaged.")
            return read(index)

        monkeypatch.setattr(loop, "frame", frame)
        return loop

    monkeypatch.setattr("semc_core.review.labels.apply.loop_of", damaged)
    before = stands(session)
    with pytest.raises(FrameDamaged):
        applied(session, coco(tmp_path / "labels", {"f000003": "LLP", "f000008": "FHP2", "f000012": "LLP"}))
    assert stands(session) == before
    assert session.corrections == 0


BOMB = '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;">]><annotations>&c;</annotations>'


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "no labels that can be read"),
        ("{}", "no labels that can be read"),
        ('{"images": [], "annotations": [{"image_id": 1, "category_id": 1}], "categories": []}', "not both"),
        ("[" * 100_000, "no labels that can be read"),
        ("<annotations><image", "damaged as XML"),
        ('<?xml version="1.0" encoding="no-such"?><annotations/>', "damaged as XML"),
        ("<annotations><track/></annotations>", "CVAT for images 1.1"),
        (BOMB, "declares a document type"),
    ],
)
def test_a_file_that_holds_no_labels_is_one_sentence(
    content: str, says: str, session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "labels"
    path.write_text(content, encoding="utf-8")
    session.close()
    assert main.main(["session", "label", str(session.folder), str(path)]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


def test_the_command_says_what_it_did(
    session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = cvat(tmp_path / "labels.xml", {"frame_8": "two"}, '<box label="vessel" xtl="0"/>')
    session.close()
    assert main.main(["session", "label", str(session.folder), str(path), "--map", "two=FHP2"]) == 0
    assert capsys.readouterr().out == (
        "1 frame labelled, 1 correction made. Left out: 1 label of what was drawn into pictures.\n"
    )
    assert main.main(["session", "label", str(session.folder), str(path), "--map", "two"]) == 2
    assert "write LABEL=PLANE" in capsys.readouterr().err
