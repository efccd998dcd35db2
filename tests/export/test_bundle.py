"""An export is whole or is not there, says what it holds, and holds what it should."""

from __future__ import annotations

import csv
import errno
import gzip
import json
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray

from main import main
from semc_core.errors import ExportCancelled, ExportError, SaveError, SessionChanged
from semc_core.export import bundle
from semc_core.export import write as writing
from semc_core.export.bundle import export_session
from semc_core.export.deidentified import DeidentifiedScan
from semc_core.export.found_text import FoundText
from semc_core.export.manifest import MANIFEST_NAME, check_bundle
from semc_core.export.options import ExportOptions
from semc_core.export.staging import Staging
from semc_core.export.watch import Watch
from semc_core.io.atomic import save_error
from semc_core.protocols.loader import load_protocols
from semc_core.session.correcting.changes import AddPlane, Reject, Relabel, SetItem, SetNote
from semc_core.session.session import Session
from semc_core.types import Crop
from tests.export.kill_exports import kill_in_the_middle
from tests.export.scans import CLASSES, CROP, HEIGHT, WIDTH, frame, result, video_session


@pytest.fixture(autouse=True)
def nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the reader of text, as where it is not installed; test_identity.py has it."""
    monkeypatch.setattr(bundle, "load_text_finder", lambda: None)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with video_session(tmp_path / "scan") as made:
        yield made


def test_what_an_export_held_is_given_back_also_when_it_was_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_back: list[str] = []
    monkeypatch.setattr(bundle, "give_back_memory", lambda: given_back.append("all"))
    cancel = threading.Event()
    cancel.set()
    with video_session(tmp_path / "s") as session, pytest.raises(ExportCancelled):
        export_session(session, tmp_path / "out", ExportOptions(anyway=True), cancel=cancel, data=tmp_path)
    assert given_back == ["all"]


def test_a_bundle_holds_everything_and_its_manifest_proves_it(
    session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session.apply(Relabel(2, "FHP2"))
    target = tmp_path / "out"
    steps: list[str] = []
    done = export_session(
        session,
        target,
        ExportOptions(dicom=True),
        data=tmp_path,
        progress=lambda step, *_: steps.append(step),
    )
    names = {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}
    stems = ("001_FHP1_f000008", "002_FHP2_f000040")
    assert names == {
        MANIFEST_NAME, "planes.csv", "frames.csv.gz", "report.html", "report.pdf", "dicom/report.dcm",
        *(f"planes/{stem}{suffix}" for stem in stems for suffix in (".png", ".json")),
        *(f"clips/{stem}.mp4" for stem in stems),
        *(f"dicom/{stem}{suffix}" for stem in stems for suffix in (".dcm", "_clip.dcm")),
    }  # fmt: skip
    found = check_bundle(target)
    assert found.ok
    assert (found.files, done.files, done.planes) == (len(names) - 1, len(names), 2)
    assert main(["export", "--check", str(target)]) == 0
    assert f"All {done.files} files are as they were written." in capsys.readouterr().out
    (export,) = session.exports()
    assert export.sha256 == found.manifest_sha256 == done.manifest_sha256
    assert found.audit_head in {entry.hash for entry in session.audit()}
    assert session.verify(found.audit_head).ok
    assert {"Pictures and clips", "DICOM", "Report", "Writing"} <= set(steps)


@pytest.mark.parametrize(("asked", "written"), [(None, True), ("dicom", True), ("frames", False)])
def test_a_format_that_is_registered_is_written_where_it_is_asked_for_and_proved(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str | None, written: bool
) -> None:
    def own(scan: DeidentifiedScan, staging: Staging, watch: Watch) -> None:
        staging.write("own.txt", " ".join(plane.entry.plane for plane in scan.planes).encode())

    monkeypatch.setattr(writing, "FORMATS", (*writing.FORMATS, (asked, own)))
    target = tmp_path / "out"
    options = ExportOptions(dicom=True, frames=False, clips=False, report=False)
    export_session(session, target, options, data=tmp_path)
    assert check_bundle(target).ok
    assert (target / "own.txt").exists() == written
    if written:
        assert (target / "own.txt").read_text(encoding="utf-8") == "FHP1 LLP"
        assert "own.txt" in json.loads((target / MANIFEST_NAME).read_text(encoding="utf-8"))["files"]


def test_pictures_are_exact_inside_the_crop_and_black_round_it(session: Session, tmp_path: Path) -> None:
    mask = Crop(100, 60, 30, 20)
    export_session(
        session, tmp_path / "out", ExportOptions(masks=(mask,), clips=False, report=False), data=tmp_path
    )
    png = tmp_path / "out" / "planes" / "001_FHP1_f000008.png"
    pixels = cv2.imread(str(png), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    CROP.cut(expected)[:] = CROP.cut(frame(8))
    mask.cut(expected)[:] = 0
    np.testing.assert_array_equal(pixels, expected)
    record = json.loads(png.with_suffix(".json").read_text(encoding="utf-8"))
    assert record["plane"] == "FHP1"
    assert list(record["probabilities"]) == list(CLASSES)
    assert record["source"].startswith("ANON-")


def test_tables_say_what_the_session_says(session: Session, tmp_path: Path) -> None:
    session.apply(SetNote(1, "=1+1"))
    export_session(
        session, tmp_path / "out", ExportOptions(notes=True, clips=False, report=False), data=tmp_path
    )
    rows = list(csv.DictReader((tmp_path / "out" / "planes.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["plane_id"], row["plane"], row["frame_index"]) for row in rows] == [
        ("1", "FHP1", "8"),
        ("2", "LLP", "40"),
    ]
    assert rows[0]["note"] == "'=1+1"
    frames = gzip.decompress((tmp_path / "out" / "frames.csv.gz").read_bytes()).decode()
    table = list(csv.DictReader(frames.splitlines()))
    assert len(table) == 50
    assert (table[40]["label"], table[40]["picture"], table[40]["raw_LLP"]) == ("LLP", "live", "0.93")


def test_every_part_says_how_a_plane_came_to_its_name(session: Session, tmp_path: Path) -> None:
    session.apply(Relabel(1, "FHP1"))
    session.apply(Relabel(2, "FHP2"))
    session.apply(AddPlane("LLP", result(20, frame(20))))
    export_session(session, tmp_path / "out", ExportOptions(dicom=True, clips=False), data=tmp_path)
    words = {
        "1": "Found by the program, confirmed by a person",
        "2": "Found by the program, renamed by a person (was LLP)",
        "1001": "Added by a person",
    }
    rows = csv.DictReader((tmp_path / "out" / "planes.csv").read_text(encoding="utf-8").splitlines())
    stems = {
        row["plane_id"]: Path(row["png"]).stem for row in rows if row["decided"] == words[row["plane_id"]]
    }
    assert stems.keys() == words.keys()
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    report = str(pydicom.dcmread(tmp_path / "out" / "dicom" / "report.dcm"))
    for number, stem in stems.items():
        record = json.loads((tmp_path / "out" / "planes" / f"{stem}.json").read_text(encoding="utf-8"))
        assert record["decided"] == words[number]
        image = pydicom.dcmread(tmp_path / "out" / "dicom" / f"{stem}.dcm")
        assert f"; {words[number]};" in image.ImageComments
        assert page.count(words[number]) == 1
        assert words[number].removesuffix(" (was LLP)") in report


def test_a_clip_is_vp9_and_shows_nothing_round_the_crop(session: Session, tmp_path: Path) -> None:
    export_session(session, tmp_path / "out", ExportOptions(report=False), data=tmp_path)
    with av.open(str(tmp_path / "out" / "clips" / "002_LLP_f000040.mp4")) as clip:
        stream = clip.streams.video[0]
        context = stream.codec_context
        assert stream.codec.canonical_name == "vp9"
        assert (context.pix_fmt, context.width % 2, context.height % 2) == ("yuv420p", 0, 0)
        frames = [
            (float(each.time or 0), each.to_ndarray(format="gray").astype(np.uint8))
            for each in clip.decode(video=0)
        ]
    # Of 50 frames at 20 per second: from frame 0 (two seconds before frame 40) to the last.
    np.testing.assert_allclose([time_s for time_s, _ in frames], np.arange(50) / 20, atol=1e-3)
    outside = np.ones(frames[0][1].shape, np.uint8)
    # Lossy: up to a macroblock round it is coded together with the edge.
    Crop(CROP.left - 16, CROP.top - 16, CROP.width + 32, CROP.height + 32).cut(outside)[:] = 0
    assert max(int((pixels * outside).max()) for _, pixels in frames) <= 2
    inside = CROP.cut(frames[8][1]).astype(int)
    assert np.abs(inside - CROP.cut(frame(8)).astype(int)).mean() < 6


def test_colour_and_zip(tmp_path: Path) -> None:
    with video_session(tmp_path / "scan", colour=True, count=20) as session:
        done = export_session(session, tmp_path / "out.zip", ExportOptions(dicom=True), data=tmp_path)
        again = export_session(session, tmp_path / "again", ExportOptions(dicom=True), data=tmp_path)
    assert check_bundle(tmp_path / "out.zip").ok
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        same = [name for name in archive.namelist() if name.startswith(("planes/", "clips/", "planes.csv"))]
        assert len(same) == 7
        for name in same:
            assert archive.read(name) == (again.target / name).read_bytes()
        assert {each.date_time for each in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert done.size == sum(each.file_size for each in zipfile.ZipFile(tmp_path / "out.zip").infolist())


def test_the_check_of_an_export_that_is_not_there_says_so_and_not_that_it_is_damaged(tmp_path: Path) -> None:
    for name in ("study.zip", "study"):
        with pytest.raises(ExportError, match=f"{name} was not found; check the name"):
            check_bundle(tmp_path / name)


@pytest.mark.parametrize("packed", [False, True])
def test_a_check_finds_what_was_changed_added_or_taken_away(
    session: Session, tmp_path: Path, packed: bool
) -> None:
    folder = tmp_path / "out"
    export_session(session, folder, ExportOptions(clips=False, report=False), data=tmp_path)
    (folder / "planes.csv").write_text("plane_id\n", encoding="utf-8")
    (folder / "frames.csv.gz").unlink()
    (folder / "planes" / "more.png").write_bytes(b"x")
    given = folder
    if packed:
        given = tmp_path / "packed.zip"
        with zipfile.ZipFile(given, "w") as archive:
            for path in folder.rglob("*"):
                archive.write(path, path.relative_to(folder).as_posix())
    assert check_bundle(given).problems == (
        "frames.csv.gz is missing.",
        "planes.csv was changed.",
        "planes/more.png was added.",
    )


def test_what_is_no_bundle_is_told(tmp_path: Path) -> None:
    (tmp_path / "some.zip").write_bytes(b"PK")
    for path in (tmp_path, tmp_path / "some.zip"):
        with pytest.raises(ExportError, match="not a whole export"):
            check_bundle(path)


def test_nothing_that_is_there_is_written_over(session: Session, tmp_path: Path) -> None:
    for name in ("out", "out.zip"):
        (tmp_path / name).write_text("mine", encoding="utf-8")
        with pytest.raises(ExportError, match="is there already"):
            export_session(session, tmp_path / name, data=tmp_path)
        assert (tmp_path / name).read_text(encoding="utf-8") == "mine"
    with pytest.raises(ExportError, match="own folder"):
        export_session(session, session.folder / "out", data=tmp_path)


def test_a_session_without_a_plane_gives_a_bundle_that_says_so(session: Session, tmp_path: Path) -> None:
    session.apply(Reject(1))
    session.apply(Reject(2))
    done = export_session(session, tmp_path / "12:30.zip", ExportOptions(dicom=True), data=tmp_path)
    assert done.planes == 0
    assert any("No plane is exported" in notice for notice in done.notices)
    assert check_bundle(tmp_path / "12:30.zip").ok


def test_rejected_planes_stay_at_home(session: Session, tmp_path: Path) -> None:
    session.apply(Reject(1, "blurred"))
    assert export_session(session, tmp_path / "out", data=tmp_path).planes == 1
    names = [path.name for path in (tmp_path / "out").rglob("*")]
    assert not [name for name in names if name.startswith("001")]


def test_a_session_without_planes_can_be_exported(session: Session, tmp_path: Path) -> None:
    for number in (1, 2):
        session.apply(Reject(number))
    done = export_session(session, tmp_path / "out", ExportOptions(dicom=True), data=tmp_path)
    assert (done.planes, check_bundle(done.target).ok) == (0, True)


class FindsInTheSecond:
    """Sees a name in the picture of the session's second plane alone."""

    def find(self, pixels: NDArray[np.uint8]) -> tuple[FoundText, ...]:
        there = np.array_equal(CROP.cut(pixels), CROP.cut(frame(40)))
        return (FoundText(CROP, "JANE"),) if there else ()

    glance = find


def test_a_plane_that_is_left_out_is_not_said_to_be_not_found(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "load_text_finder", FindsInTheSecond)
    options = ExportOptions(clips=False, frames=False, text="leave out")
    assert export_session(session, tmp_path / "one", options, data=tmp_path).planes == 1
    page = (tmp_path / "one" / "report.html").read_text(encoding="utf-8")
    assert "1; not found: FHP2" in page
    assert "not found: FHP2 (Second porta hepatis)</dd>" in page, "LLP was found, and left out"
    session.apply(Reject(1))
    export_session(session, tmp_path / "none", options, data=tmp_path)
    page = (tmp_path / "none" / "report.html").read_text(encoding="utf-8")
    assert "This report shows no plane." in page
    assert "No standard plane was found" not in page


def test_the_report_says_that_it_may_name_somebody(session: Session, tmp_path: Path) -> None:
    for name, identified in (("a", False), ("b", True)):
        options = ExportOptions(deidentify=not identified, clips=False, frames=False)
        export_session(session, tmp_path / name, options, data=tmp_path)
        page = (tmp_path / name / "report.html").read_text(encoding="utf-8")
        assert ("NOT de-identified" in page) == identified


def test_a_picture_that_was_changed_is_not_exported(session: Session, tmp_path: Path) -> None:
    name = session.plane(1).png
    assert name is not None
    picture = session.folder / name
    good = picture.read_bytes()
    picture.write_bytes(good[:-20] + b"x" * 20)
    with pytest.raises(SessionChanged, match=f"The picture {name} was changed"):
        export_session(session, tmp_path / "out", data=tmp_path)
    anyway = ExportOptions(anyway=True)
    with pytest.raises(SaveError, match="was changed since"):
        export_session(session, tmp_path / "out", anyway, data=tmp_path)
    picture.unlink()
    with pytest.raises(SessionChanged, match=f"The picture {name} is missing"):
        export_session(session, tmp_path / "out", data=tmp_path)
    with pytest.raises(SaveError, match="is missing"):
        export_session(session, tmp_path / "out", anyway, data=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"scan", "loop.mkv", "export.key"}
    assert not session.exports()


@pytest.mark.parametrize("after", [0, 1, 60])
def test_a_cancelled_export_leaves_nothing(session: Session, tmp_path: Path, after: int) -> None:
    class After(threading.Event):
        left = after

        def is_set(self) -> bool:
            self.left -= 1
            return self.left < 0

    with pytest.raises(ExportCancelled):
        export_session(session, tmp_path / "out.zip", data=tmp_path, cancel=After())
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]
    assert not session.exports()


def test_without_the_source_there_are_no_clips_and_the_user_is_told(session: Session, tmp_path: Path) -> None:
    with (tmp_path / "loop.mkv").open("ab") as file:
        file.write(b"more")
    done = export_session(session, tmp_path / "out", ExportOptions(dicom=True), data=tmp_path)
    why = "2 of 2 planes have no clip: the loop that was analysed is no longer there, or was changed."
    assert why in done.notices
    assert not (tmp_path / "out" / "clips").exists()


def test_a_clip_that_cannot_be_cut_since_the_region_moved_is_said_everywhere(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = replace(result(45, frame(45)), crop=Crop(0, 0, CROP.left, CROP.top))
    session.add_frames([elsewhere])
    session.close()
    monkeypatch.setattr(bundle, "data_folder", lambda: tmp_path)
    why = (
        "1 of 2 planes has no clip: the region of interest moved meanwhile, so no part of the picture was "
        "inside it all through the clip."
    )
    assert main(["export", str(session.folder), "--out", str(tmp_path / "out")]) == 0
    assert why in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "out" / "clips").iterdir()] == ["001_FHP1_f000008.mp4"]
    assert why in json.loads((tmp_path / "out" / MANIFEST_NAME).read_text(encoding="utf-8"))["notices"]
    assert why in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_a_bundle_of_more_or_larger_files_than_an_export_has_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "study.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"{number}.csv", bytes(1 << 20))
    for bound, most in (("_MOST_FILES", 2), ("_MOST_BYTES", 3_000_000)):
        with monkeypatch.context() as patched:
            patched.setattr(f"semc_core.export.manifest.{bound}", most)
            with pytest.raises(ExportError, match="holds 3 files of"):
                check_bundle(path)


@pytest.mark.long
def test_a_kill_leaves_no_half_bundle(tmp_path: Path) -> None:
    # How many came too late is a matter of luck; none may leave half of one.
    assert kill_in_the_middle(tmp_path, times=2) <= 2


def test_the_command_exports_and_checks(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    session.close()
    monkeypatch.setattr("semc_core.export.bundle.data_folder", lambda: tmp_path / "data")
    out = tmp_path / "out.zip"
    assert main(["export", str(session.folder), "--out", str(out), "--dicom", "--mask", "0,0,9,9"]) == 0
    assert "De-identified: 2 planes" in capsys.readouterr().out
    assert main(["export", str(session.folder), "--check", str(out)]) == 0
    assert main(["export", str(session.folder), "--out", str(out)]) == 1
    assert main(["export", str(session.folder), "--out", str(out), "--patient-name", "Doe^Jane"]) == 2
    (tmp_path / "other").mkdir()
    with video_session(tmp_path / "other" / "scan") as other:
        other.close()
    assert main(["export", str(other.folder), "--check", str(out)]) == 1
    assert "another session" in capsys.readouterr().out


def test_a_bundle_that_appeared_just_before_a_kill_is_known_to_the_log(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(session, "record_export", killed)
    with pytest.raises(KeyboardInterrupt):
        export_session(session, tmp_path / "out", ExportOptions(clips=False, report=False), data=tmp_path)
    session.close()
    assert main(["export", str(session.folder), "--check", str(tmp_path / "out")]) == 0


def test_reasons_go_only_with_the_notes(session: Session, tmp_path: Path) -> None:
    session.apply(SetItem("lp2025-liver", "right-lobe", "not possible", "Mrs Doe has gas"))
    options = ExportOptions(protocol=load_protocols(tmp_path).named("lp2025-liver"), clips=False)
    done = export_session(session, tmp_path / "out", options, data=tmp_path)
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "not possible" in page
    assert "Mrs Doe" not in page
    assert any("free text" in notice for notice in done.notices)


def test_the_exporter_starts_without_pytorch() -> None:
    program = "import sys, semc_core.export.bundle; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])


def test_a_full_disk_is_said_of_the_folder_that_the_user_chose(tmp_path: Path) -> None:
    def write_onto_a_full_disk(staging: Staging) -> None:
        full = OSError(errno.ENOSPC, "No space left on device")
        raise save_error(staging.folder / "clips", full) from full

    with pytest.raises(SaveError, match="disk is full") as told, Staging(tmp_path / "study") as staging:
        write_onto_a_full_disk(staging)
    assert ".part" not in str(told.value)
    assert list(tmp_path.iterdir()) == []
