"""What was drawn on a picture is in a copy of it, texts only with free text; the picture is as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.export.annotated import burnt_in
from semc_core.export.bundle import export_session
from semc_core.export.deidentify import TEXTS_LEFT_OUT
from semc_core.export.options import ExportOptions, ExportResult, Patient
from semc_core.session.annotations import Annotation, Annotations
from semc_core.session.session import Session
from tests.export.scans import video_session


@pytest.fixture(autouse=True)
def nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("semc_core.export.bundle.load_text_finder", lambda: None)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """With all kinds on the first plane, and one on a frame that no plane shows."""
    made = video_session(tmp_path / "session", count=20)
    plane = made.planes()[0]
    at = (plane.frame_index, plane.width, plane.height, plane.plane_id)
    wide, high = float(plane.width), float(plane.height)
    drawn = (
        Annotation(1, "text", ((wide / 4, high / 2),), *at, text="Zwickel"),
        Annotation(2, "arrow", ((wide / 4, high / 4), (wide / 2, high / 2)), *at),
        Annotation(3, "mark", ((wide * 0.7, high * 0.7), (wide * 0.7, high * 0.7)), *at, figure="neck"),
        Annotation(4, "arrow", ((0.0, 0.0), (9.0, 9.0)), plane.frame_index + 1, *at[1:3]),
    )
    made.set_annotations(Annotations(drawn))
    return made


def exported(
    session: Session, tmp_path: Path, options: ExportOptions
) -> tuple[ExportResult, dict[str, object]]:
    result = export_session(session, tmp_path / "export", options, data=tmp_path / "data")
    session.close()
    records = [json.loads(path.read_text(encoding="utf-8")) for path in records_of(tmp_path)]
    assert "annotations" not in records[1]
    return result, records[0]


def records_of(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "export" / "planes").glob("*.json"))


def pictures(tmp_path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The plane's picture, and the copy that was drawn on."""
    (copy,) = (tmp_path / "export" / "annotated").glob("*.png")
    both = [cv2.imread(str(tmp_path / "export" / folder / copy.name)) for folder in ("planes", "annotated")]
    assert both[0] is not None
    assert both[1] is not None
    return np.asarray(both[0], np.uint8), np.asarray(both[1], np.uint8)


def kinds(record: dict[str, object]) -> list[str]:
    listed = record["annotations"]
    assert isinstance(listed, list)
    return [each["kind"] for each in listed]


def test_a_deidentified_export_leaves_texts_out_and_says_so(session: Session, tmp_path: Path) -> None:
    result, record = exported(session, tmp_path, ExportOptions(report=False))
    assert TEXTS_LEFT_OUT in result.notices
    assert kinds(record) == ["arrow", "mark"]
    assert record["annotated_png"] == record["png"]
    assert not [path for path in (tmp_path / "export").rglob("*") if path.is_file() and _names(path)]
    plain, drawn = pictures(tmp_path)
    assert (plain != drawn).any()


def test_with_free_text_they_are_in_it(session: Session, tmp_path: Path) -> None:
    without, _ = _drawn(session)
    options = ExportOptions(report=False, deidentify=False, patient=Patient("A^B", "1"))
    result, record = exported(session, tmp_path, options)
    assert TEXTS_LEFT_OUT not in result.notices
    assert kinds(record) == ["text", "arrow", "mark"]
    plain, drawn = pictures(tmp_path)
    assert (drawn != plain).any(axis=2).sum() > without, "the letters are in the copy"


def test_the_picture_itself_is_as_it_was(session: Session, tmp_path: Path) -> None:
    _, record = exported(session, tmp_path, ExportOptions(report=False, deidentify=False, notes=True))
    plain, _ = pictures(tmp_path)
    with Session.open(session.folder) as again:
        again.set_annotations(Annotations())
        options = ExportOptions(report=False, deidentify=False, notes=True)
        export_session(again, tmp_path / "bare", options, data=tmp_path / "data")
    assert not (tmp_path / "bare" / "annotated").exists()
    same = cv2.imread(str(tmp_path / "bare" / "planes" / str(record["png"])))
    assert same is not None
    assert np.array_equal(plain, same)


@pytest.mark.parametrize("colour", [False, True])
def test_burning_changes_a_copy_alone(colour: bool) -> None:
    pixels = np.full((240, 320, 3) if colour else (240, 320), 90, np.uint8)
    pixels.flags.writeable = False
    arrow = Annotation(1, "arrow", ((40.0, 120.5), (200.0, 120.5)), 0, 320, 240)
    made = burnt_in(pixels, (arrow, replace(arrow, kind="text", points=((40.0, 60.0),), text="Ä")))
    assert made.shape == (240, 320, 3)
    assert (pixels == 90).all()
    assert made[120, 100].max() > 200, "the line lies where it was drawn"
    assert (made[40:60, 40:60] != 90).any()
    assert (made[200:] == 90).all()


def _names(path: Path) -> bool:
    return b"Zwickel" in path.read_bytes()


def _drawn(session: Session) -> tuple[int, NDArray[np.uint8]]:
    """How many pixels the arrow and the mark change."""
    plane = session.planes()[0]
    pixels = np.zeros((plane.height, plane.width), np.uint8)
    made = burnt_in(pixels, session.annotations.items[1:3])
    return int((made != 0).any(axis=2).sum()), made
