"""Exporting a scan that was recorded: a plane added in review has its clip cut from the recording."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

import av
import cv2
import numpy as np
import pydicom
import pytest

from app.export.controller import ExportController, Subject
from app.export.presenter import contents
from semc_core.errors import ExportError
from semc_core.export import bundle
from semc_core.export.bundle import export_session
from semc_core.export.collect import collect
from semc_core.export.options import ExportOptions
from semc_core.io.video_encoder import as_rgb
from semc_core.io.video_quality import Quality
from semc_core.session.correcting.changes import AddPlane, ChooseFrame
from semc_core.session.files import write_plane
from semc_core.session.recording.parts import part_videos
from semc_core.session.recording.recorder import Recorder
from semc_core.session.records import SourceEntry
from semc_core.session.session import Session
from semc_core.types import HoldEvent
from tests.app.main_thread import PostedWork
from tests.export.dicom.validity import can_check, check_dicom
from tests.export.scans import CROP, HEIGHT, RATE, WIDTH, frame, new_session, result

_COUNT = 100
_ADDED_AT = 60
_INSIDE = slice(CROP.top, CROP.top + CROP.height), slice(CROP.left, CROP.left + CROP.width)


@pytest.fixture(autouse=True)
def nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the reader of text; test_identity.py has it."""
    monkeypatch.setattr(bundle, "load_text_finder", lambda: None)


def recorded_scan(
    folder: Path, quality: Quality = Quality.LOSSLESS, coloured: Container[int] = ()
) -> Session:
    """A live scan with a recording, no saved clip, and one plane that was added in review."""
    frames = [frame(index, colour=index in coloured) for index in range(_COUNT)]
    source = SourceEntry("a camera", "camera", WIDTH, HEIGHT, float(RATE), None, True, "", None, None)
    session = new_session(folder, frames, source=source, planes={})
    recorder = Recorder(lambda: folder, quality)
    for index, pixels in enumerate(frames):
        assert recorder.put(result(index, pixels).packet)
    recorder.close()
    session.record_recording([video.name for video in part_videos(folder)], {})
    session.apply(AddPlane("LLP", result(_ADDED_AT, frames[_ADDED_AT], "LLP")))
    return session


def test_a_plane_added_to_a_recorded_scan_gets_its_clip_from_the_recording(tmp_path: Path) -> None:
    with recorded_scan(tmp_path / "scan") as session:
        (plane,) = session.planes()
        assert plane.clip is None
        with collect(session, ExportOptions(), tmp_path) as scan:
            exact = list(scan.planes[0].frames())
        # Two seconds before the plane to one after it, at 20 frames per second.
        assert [packet.index for packet in exact] == list(range(20, 81))
        for packet in exact:
            np.testing.assert_array_equal(packet.pixels, frame(packet.index))
        done = export_session(session, tmp_path / "out", ExportOptions(dicom=True), data=tmp_path)
    assert not any("no clip" in notice for notice in done.notices)
    (clip,) = (tmp_path / "out" / "clips").iterdir()
    with av.open(str(clip)) as container:
        shown = [each.to_ndarray(format="gray") for each in container.decode(video=0)]
    assert len(shown) == 61
    for index in (20, 60, 80):
        wanted = frame(index)[_INSIDE].astype(int)
        assert np.abs(shown[index - 20][_INSIDE].astype(int) - wanted).mean() < 6
    (moving,) = (tmp_path / "out" / "dicom").glob("*_clip.dcm")
    dataset = pydicom.dcmread(moving)
    assert int(dataset.NumberOfFrames) == 61
    np.testing.assert_array_equal(dataset.pixel_array[40][_INSIDE], frame(_ADDED_AT)[_INSIDE])


@pytest.mark.parametrize("coloured", [range(30, 50), range(50, 70)])
def test_a_clip_in_which_colour_comes_and_goes_keeps_every_frame(tmp_path: Path, coloured: range) -> None:
    with recorded_scan(tmp_path / "scan", coloured=coloured) as session:
        export_session(
            session, tmp_path / "out", ExportOptions(dicom=True, report=False, frames=False), data=tmp_path
        )
    (moving,) = (tmp_path / "out" / "dicom").glob("*_clip.dcm")
    dataset = pydicom.dcmread(moving)
    assert (int(dataset.NumberOfFrames), dataset.PhotometricInterpretation) == (61, "RGB")
    for index in (20, 40, 60, 80):
        wanted = as_rgb(frame(index, colour=index in coloured))
        np.testing.assert_array_equal(dataset.pixel_array[index - 20][_INSIDE], wanted[_INSIDE])


def test_the_dialog_promises_that_clip(tmp_path: Path) -> None:
    with recorded_scan(tmp_path / "scan") as session:
        thread = PostedWork()
        control = ExportController(Subject(session.folder, session), tmp_path, thread.post)
        thread.run_until(lambda: control.material is not None)
        control.close()
        assert control.material is not None
        assert contents(control.material, ExportOptions())[1] == "1 clip"


@pytest.mark.parametrize("quality", Quality)
def test_what_the_recording_lost_is_said_of_clips_and_stills_that_are_taken_from_it(
    tmp_path: Path, quality: Quality
) -> None:
    with recorded_scan(tmp_path / "scan", quality) as session:
        live = result(10, frame(10))
        event = HoldEvent(1, "FHP1", live, 0.9, 0.4, 0.6, True)
        saved = write_plane(session.folder, event, session.source, session.model)
        session.record_plane(event, saved.png, saved.sha256, saved.hashes)
        again = HoldEvent(2, "FHP2", result(30, frame(30)), 0.9, 1.4, 1.6, True)
        saved = write_plane(session.folder, again, session.source, session.model)
        session.record_plane(again, saved.png, saved.sha256, saved.hashes)
        session.apply(ChooseFrame(2, result(31, frame(31))))
        export_session(session, tmp_path / "out", ExportOptions(dicom=True), data=tmp_path)
    said = {
        path.stem: pydicom.dcmread(path).get("LossyImageCompressionMethod")
        for path in (tmp_path / "out" / "dicom").glob("*_f*.dcm")
    }
    lost = "ISO_10918_1" if quality is Quality.COMPACT else None
    stems = ("001_FHP1_f000010", "002_FHP2_f000031", "1001_LLP_f000060")
    assert said == {
        stems[0]: None, stems[1]: lost, stems[2]: lost, **{f"{stem}_clip": lost for stem in stems},
    }  # fmt: skip


def test_of_a_live_scan_nobody_knows_what_its_pictures_lost_before(tmp_path: Path) -> None:
    with recorded_scan(tmp_path / "scan") as session:
        export_session(
            session, tmp_path / "out", ExportOptions(dicom=True, report=False, frames=False), data=tmp_path
        )
    for path in (tmp_path / "out" / "dicom").glob("*_f*.dcm"):
        assert "LossyImageCompression" not in pydicom.dcmread(path)
        if can_check():
            assert check_dicom(path).errors == ()


def test_a_damaged_recording_is_told_and_the_export_goes_on_without_clips(tmp_path: Path) -> None:
    with recorded_scan(tmp_path / "scan") as session:
        (video,) = part_videos(session.folder)
        video.with_suffix(".csv").write_text("damaged\n", encoding="utf-8")
        with pytest.raises(ExportError, match=r"table of a recording .* leave out the clips"):
            export_session(session, tmp_path / "out", ExportOptions(anyway=True), data=tmp_path)
        assert not (tmp_path / "out").exists()
        export_session(
            session, tmp_path / "out", ExportOptions(clips=False, dicom=True, anyway=True), data=tmp_path
        )


def test_a_recording_that_is_gone_is_told_so(tmp_path: Path) -> None:
    with recorded_scan(tmp_path / "scan") as session:
        for video in part_videos(session.folder):
            video.unlink()
        done = export_session(session, tmp_path / "out", ExportOptions(anyway=True), data=tmp_path)
    assert any("no clip: the recording of this scan is gone; put its" in notice for notice in done.notices)


def test_a_recording_without_a_frame_is_none(tmp_path: Path) -> None:
    with recorded_scan(tmp_path / "scan") as session:
        (video,) = part_videos(session.folder)
        table = video.with_suffix(".csv")
        table.write_text(table.read_text(encoding="utf-8").split("\n")[0] + "\n", encoding="utf-8")
        done = export_session(session, tmp_path / "out", ExportOptions(anyway=True), data=tmp_path)
    why = "The plane has no clip: the recording of this scan holds no frame that can be shown."
    assert why in done.notices
    assert cv2.imread(str(next((tmp_path / "out" / "planes").glob("*.png")))) is not None
