"""Where a session's frames are: one rule, for review, export, replay and training."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.review.session import LOOKING_ONLY, OpenReview, ReviewRequest, open_review
from semc_core.errors import SessionError, SourceError
from semc_core.export.collect import cut
from semc_core.io.video_quality import Quality
from semc_core.model.architecture import new_spec
from semc_core.picture_options import AS_IT_IS, BEFORE_OPTIONS, PictureOptions
from semc_core.review.loop import LoopPlace, loop_of, loop_place
from semc_core.session.files import encode_png, versions
from semc_core.session.recording.parts import unreadable
from semc_core.session.recording.recorder import Recorder
from semc_core.session.records import file_sha256, model_entry, source_entry
from semc_core.session.session import Session
from semc_core.sources.images import ImageFolderSource
from semc_core.sources.open import open_source
from tests.export import scans
from tests.session.pictures import packet, speckle
from tests.session.sessions import as_killed, filled_session
from tests.sources.capture_clips import read_all, write_video
from tests.sources.seek_clips import KINDS

GONE = "is no longer where it was; put it back, or open it in the window where it is now."


def indices(place: LoopPlace) -> list[int]:
    """Those of the frames that are read in order, which are the ones that are had at random."""
    with closing(place.in_order()) as source:
        read = []
        while (found := source.read()) is not None:
            read.append(found.index)
    with closing(place.seekable()) as loop:
        assert [loop.number_of(at) for at in range(loop.count)] == read
    return read


def record(session: Session, *, logged: bool = True) -> None:
    """Two recordings; the first has two parts."""
    for first, sizes in ((0, (48, 64)), (4, (48,))):
        recorder = Recorder(lambda: session.folder, Quality.LOSSLESS)
        for number, size in enumerate(sizes):
            recorder.put(packet(first + number, speckle(first + number, size, size)))
        state = recorder.close()
        if logged:
            session.record_recording(state.parts, {})


@pytest.fixture
def analysed(tmp_path: Path) -> Iterator[Session]:
    """Of a video `loop.mkv` beside it."""
    with scans.video_session(tmp_path / "session", count=12) as session:
        yield session


@pytest.fixture
def scanned(tmp_path: Path) -> Iterator[Session]:
    """Of a camera."""
    with filled_session(tmp_path / "scan") as session:
        yield session


def test_of_an_analysed_loop_it_is_the_file_while_that_is_the_same(analysed: Session) -> None:
    path = analysed.folder.parent / "loop.mkv"
    place = loop_place(analysed)
    assert place.path == path
    assert indices(place) == list(range(12))
    with Session.open(analysed.folder, read_only=True) as looked_at:
        assert loop_place(looked_at) == place
    with path.open("ab") as file:
        file.write(b"more")
    assert loop_place(analysed).missing.endswith(
        "loop.mkv was changed since it was analysed; put the old one back."
    )
    assert loop_of(analysed) is None
    path.unlink()
    place = loop_place(analysed)
    assert (place.path, place.missing) == (None, f"The loop loop.mkv {GONE}")
    with pytest.raises(SourceError, match="no longer where it was"):
        place.seekable()


@pytest.mark.parametrize("chosen", [PictureOptions(flip="180", aspect="16:9"), None])
def test_a_loop_is_read_again_as_it_was_analysed(tmp_path: Path, chosen: PictureOptions | None) -> None:
    """One that was analysed before there were options, with None, as it was then."""
    path = write_video(tmp_path / "a.mkv", 4)
    source = open_source(str(path), options=chosen or AS_IT_IS)
    read = read_all(source)
    spec = new_spec("semc_tiny", scans.CLASSES)
    model = model_entry(spec, spec.thresholds, "CPU", versions())
    entry = source_entry(replace(source.info, picture_options=chosen), path, file_sha256(path))
    Session.create(tmp_path / "session", entry, model).close()
    with Session.open(tmp_path / "session") as session:
        assert session.source.picture_options == chosen
        place = loop_place(session)
    assert place.options == (chosen or BEFORE_OPTIONS)
    with closing(place.seekable()) as loop, closing(place.in_order()) as again:
        for one in read:
            in_order = again.read()
            assert in_order is not None
            assert np.array_equal(in_order.pixels, one.pixels)
            assert np.array_equal(loop.frame(one.index).pixels, one.pixels)


@pytest.mark.parametrize("kind", ["hidden frames, vp8", "no times, avi", "damaged, mjpeg"])
def test_a_loop_that_must_be_decoded_to_be_known_is_waited_for(tmp_path: Path, kind: str) -> None:
    path = KINDS[kind](tmp_path)
    source = open_source(str(path))
    read = read_all(source)
    spec = new_spec("semc_tiny", scans.CLASSES)
    model = model_entry(spec, spec.thresholds, "CPU", versions())
    entry = source_entry(source.info, path, file_sha256(path))
    with Session.create(tmp_path / "session", entry, model) as session:
        session.add_frames([replace(scans.result(one.index, one.pixels), packet=one) for one in read])
        loop = loop_of(session)
        assert loop is not None
        with closing(loop):
            assert loop.settled
            # A damaged frame keeps its number and its time; it is in neither.
            by_number = {one.index: one for one in read}
            assert loop.times_s[list(by_number)].tolist() == [one.pts_s for one in read]
            part = list(cut(loop, read[37].pts_s, read[47].pts_s))
    assert [one.index for one in part] == [one.index for one in read[37:48]]
    for one in part:
        assert np.array_equal(one.pixels, by_number[one.index].pixels)


def test_why_a_loop_cannot_be_read_is_told(analysed: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path) -> str:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

    monkeypatch.setattr("semc_core.review.loop.file_sha256", broken)
    with pytest.raises(SourceError, match=r"The loop loop\.mkv cannot be read \(.+\)") as caught:
        loop_place(analysed)
    assert os.strerror(errno.EIO) in str(caught.value)


def test_a_loop_that_was_moved_is_found_where_it_is_known_to_be(analysed: Session, tmp_path: Path) -> None:
    moved = (tmp_path / "loop.mkv").rename(tmp_path / "moved.mkv")
    assert loop_place(analysed).path is None
    assert indices(loop_place(analysed, moved)) == list(range(12))
    analysed.moved(moved)
    assert loop_place(analysed).path == moved
    with Session.open(analysed.folder, read_only=True) as again:
        assert loop_place(again).path == moved
    assert analysed.verify().ok


def test_a_folder_of_images_is_known_by_its_place_and_keeps_its_rate(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    pictures = [scans.frame(index) for index in range(4)]
    for index, pixels in enumerate(pictures):
        (folder / f"{index}.png").write_bytes(encode_png(pixels))
    with closing(ImageFolderSource(folder, 10.0)) as source:
        entry = source_entry(source.info, folder)
    with scans.new_session(tmp_path / "session", pictures, source=entry, planes={}) as session:
        place = loop_place(session)
        assert indices(place) == [0, 1, 2, 3]
        with closing(place.seekable()) as loop:
            assert loop.times_s.tolist() == pytest.approx([0.0, 0.1, 0.2, 0.3])
        folder.rename(tmp_path / "moved")
        assert GONE in loop_place(session).missing


def test_of_a_recorded_scan_it_is_all_parts_of_the_recording(scanned: Session) -> None:
    record(scanned)
    place = loop_place(scanned)
    assert (place.path, place.recorded) == (scanned.folder, True)
    assert indices(place) == [0, 1, 4]
    with Session.open(scanned.folder, read_only=True) as looked_at:
        assert loop_place(looked_at) == place
    (scanned.folder / "recording.mkv").unlink()
    assert indices(loop_place(scanned)) == [1, 4]
    (scanned.folder / "recording-2.csv").write_text("damaged\n", encoding="utf-8")
    with pytest.raises(SessionError, match="table of a recording"):
        loop_place(scanned)


def test_why_a_scan_has_no_frames_is_said(scanned: Session, tmp_path: Path) -> None:
    assert loop_place(scanned) == LoopPlace(None, missing="This scan was not recorded.")
    record(scanned)
    for table in scanned.folder.glob("*.csv"):
        table.unlink()
    assert loop_place(scanned).missing == "The recording of this scan holds no frame that can be shown."
    for video in scanned.folder.glob("recording*.mkv"):
        video.unlink()
    gone = "The recording of this scan is gone; put its files back into the session's folder."
    assert loop_place(scanned).missing == gone
    with Session.open(scanned.folder, read_only=True) as looked_at:
        assert loop_place(looked_at).missing == gone


def test_a_scan_that_is_recorded_elsewhere_or_was_killed_shows_what_is_there(
    scanned: Session, tmp_path: Path
) -> None:
    record(scanned, logged=False)
    with Session.open(scanned.folder, read_only=True) as looked_at:
        assert indices(loop_place(looked_at)) == [0, 1, 4]
    with Session.open(as_killed(scanned, tmp_path / "killed")) as killed:
        assert indices(loop_place(killed)) == [0, 1, 4]
        assert killed.recordings == ("recording.mkv", "recording-2.mkv", "recording-3.mkv")


# In review.


def request(path: Path, model: Path) -> ReviewRequest:
    return ReviewRequest(path, model, "cpu", path.parent / "sessions")


def finished(opened: OpenReview) -> bool:
    """Whether the analysis came to its end."""
    assert opened.analysis is not None
    assert opened.analysis._thread is not None
    opened.analysis._thread.join(60)
    assert opened.analysis.state.message == ""
    return opened.session.complete


def test_a_loop_that_was_moved_is_reviewed_and_analysed_further_where_it_is(
    tmp_path: Path, tiny_model_path: Path
) -> None:
    path = tmp_path / "loop.mkv"
    scans.write_video(path, [scans.frame(index) for index in range(30)])
    with closing(open_review(request(path, tiny_model_path))) as opened:
        folder = opened.session.folder
    path = path.rename(tmp_path / "moved.mkv")
    with closing(open_review(request(path, tiny_model_path))) as opened:
        assert (opened.session.folder, opened.notice) == (folder, "")
        assert opened.session.source.path == str(path)
        assert opened.source is not None
        assert opened.session.complete or finished(opened)
    copy = Path(shutil.copy(path, tmp_path / "copy.mkv"))
    with closing(open_review(request(copy, tiny_model_path))) as opened:
        assert opened.session.source.path == str(path), "a copy may be on a disk that is soon gone"
        held = replace(request(folder, tiny_model_path), output=tmp_path / "sessions")
        with closing(open_review(held)) as looked_at:
            assert looked_at.looking_only
            assert (looked_at.source is not None, looked_at.notice) == (True, LOOKING_ONLY)
    with path.open("ab") as file:
        file.write(b"more")
    with closing(open_review(request(folder, tiny_model_path))) as opened:
        assert opened.source is None
        assert opened.notice == (
            "The loop loop.mkv was changed since it was analysed; put the old one back. "
            "Planes and time line are shown without the video."
        )


def test_all_that_is_to_be_said_of_a_killed_scan_is_said(
    scanned: Session, tmp_path: Path, tiny_model_path: Path
) -> None:
    killed = as_killed(scanned, tmp_path / "killed")
    with closing(open_review(request(killed, tiny_model_path))) as opened:
        assert opened.session.recovered
        assert opened.notice == (
            f"{opened.session.recovered} This scan was not recorded. "
            "Planes and time line are shown without the video."
        )


def test_a_part_of_a_recording_that_cannot_be_read_is_told_in_review(
    scanned: Session, tiny_model_path: Path
) -> None:
    record(scanned)
    scanned.close()
    second = scanned.folder / "recording-2.mkv"
    size = second.stat().st_size
    second.write_bytes(b"")
    with closing(open_review(request(scanned.folder, tiny_model_path))) as opened:
        assert opened.source is not None
        assert opened.source.count == 2
        assert opened.notice == (
            "This session is not as it was written: The recording recording-2.mkv was changed: "
            f"it has 0 bytes and had {size}. Put a copy of its folder back that is whole, or analyse the "
            f"loop anew. {unreadable(second)}"
        )


def test_a_recording_that_holds_nothing_is_told_in_review(scanned: Session, tiny_model_path: Path) -> None:
    record(scanned)
    scanned.close()
    for video in scanned.folder.glob("recording*.mkv"):
        video.write_bytes(b"")
    with closing(open_review(request(scanned.folder, tiny_model_path))) as opened:
        assert opened.source is None
        assert opened.notice.startswith("This session is not as it was written: The recording recording.mkv")
        assert opened.notice.endswith(
            "recording-3.mkv cannot be opened as a video; it is damaged, cut short, or in another format. "
            "Planes and time line are shown without the video."
        )
