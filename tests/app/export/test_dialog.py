"""Exporting from the window: the dialog as a user meets it, real sessions, real bundles."""

from __future__ import annotations

import errno
import threading
from datetime import datetime
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import JPEGBaseline8Bit
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.export.controller import ExportController, Subject
from app.export.dialog import ExportDialog
from app.export.presenter import Phase, why_no_report
from app.main_window import MainWindow
from semc_core.export.found_text import FoundText
from semc_core.export.manifest import check_bundle
from semc_core.export.masks import MaskBook, device_of
from semc_core.export.ocr import TextFinder
from semc_core.pipeline.state import Phase as ScanPhase
from semc_core.session.correcting.changes import Reject
from semc_core.session.files import read_png
from semc_core.session.records import Verification
from semc_core.session.session import Session
from semc_core.types import Crop
from tests.app.main_thread import PostedWork
from tests.export.scans import video_session

WAIT_MS = 60_000
KEY = Qt.Key


def dialog_of(qtbot: QtBot, window: MainWindow) -> ExportDialog:
    """The export dialog, once it knows what there is."""
    qtbot.waitUntil(lambda: isinstance(window.dialogs.dialog, ExportDialog), timeout=WAIT_MS)
    dialog = window.dialogs.dialog
    assert isinstance(dialog, ExportDialog)
    qtbot.waitUntil(dialog.go.isEnabled, timeout=WAIT_MS)
    return dialog


def opened(qtbot: QtBot, window: MainWindow, folder: Path) -> ExportDialog:
    """The export dialog of a new session in `folder` that is open in review."""
    video_session(folder / "session").close()
    window.open_review(folder / "session")
    qtbot.waitUntil(lambda: window.review.open is not None, timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_E)
    return dialog_of(qtbot, window)


def wait_for(qtbot: QtBot, window: MainWindow, phase: Phase) -> None:
    def there() -> bool:
        control = window.dialogs.exporting
        return control is not None and control.state.phase is phase

    qtbot.waitUntil(there, timeout=WAIT_MS)


def no_finder(monkeypatch: pytest.MonkeyPatch, finder: TextFinder | None = None) -> None:
    """Reading text takes seconds and has tests of its own."""
    monkeypatch.setattr("semc_core.export.bundle.load_text_finder", lambda: finder)


@pytest.fixture
def dialog(qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ExportDialog:
    """The export dialog of a session in review; no text is looked for."""
    no_finder(monkeypatch)
    return opened(qtbot, window, tmp_path)


def test_one_key_and_enter_export_the_session_in_review(
    qtbot: QtBot, window: MainWindow, dialog: ExportDialog
) -> None:
    qtbot.waitUntil(lambda: dialog.picture.pixels is not None, timeout=WAIT_MS)
    QTest.keyClick(dialog, KEY.Key_Return)
    wait_for(qtbot, window, Phase.DONE)
    control = window.dialogs.exporting
    assert control is not None
    result = control.state.result
    assert result is not None
    assert result.target == window.choices.output / "Exports" / "export-lp2025-liver-001"
    assert check_bundle(result.target).ok
    assert {path.name for path in result.target.iterdir()} >= {"dicom", "report.pdf", "planes.csv"}
    QTest.keyClick(dialog, KEY.Key_Return)
    qtbot.waitUntil(lambda: window.dialogs.dialog is None, timeout=WAIT_MS)
    assert window.review.open is not None
    (entry,) = window.review.open.session.exports()
    assert entry.sha256 == result.manifest_sha256


def test_the_report_opens_in_the_desktops_program_for_it(
    qtbot: QtBot, window: MainWindow, dialog: ExportDialog, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    answers = [True, False]

    def open_url(url: QUrl) -> bool:
        asked.append(url.toLocalFile())
        return answers.pop(0)

    monkeypatch.setattr("app.file_dialogs.QDesktopServices.openUrl", open_url)
    QTest.keyClick(dialog, KEY.Key_Return)
    wait_for(qtbot, window, Phase.DONE)
    report = window.choices.output / "Exports" / "export-lp2025-liver-001" / "report.html"
    dialog.done_page.report.click()
    assert (asked, dialog.message) == ([str(report)], "")
    dialog.done_page.report.click()
    assert dialog.message == f"No program here opens it; open {report} yourself."
    report.unlink()
    dialog.done_page.report.click()
    assert dialog.message == f"{report} is no longer there."
    assert len(asked) == 2


def test_a_report_that_cannot_be_opened_is_said_why(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("", encoding="utf-8")
    assert why_no_report(tmp_path) == ""
    assert "unpack that first" in why_no_report(tmp_path / "report.html")
    assert why_no_report(tmp_path / "other") == "This export was made without a report."


def test_a_session_that_was_changed_is_exported_only_when_that_is_wanted(
    qtbot: QtBot, window: MainWindow, dialog: ExportDialog
) -> None:
    assert window.review.open is not None
    qtbot.waitUntil(lambda: "session is proven by this machine" in dialog.proof, timeout=WAIT_MS)
    (window.review.open.session.folder / "added.png").write_bytes(b"x")
    assert not dialog.anyway.isVisibleTo(dialog)
    dialog.export()
    qtbot.waitUntil(lambda: dialog.anyway.isVisibleTo(dialog), timeout=WAIT_MS)
    assert "is not as it was written" in dialog.message
    assert "added.png" in dialog.message
    assert "--" not in dialog.message, "a word of the command line"
    dialog.anyway.click()
    wait_for(qtbot, window, Phase.DONE)
    control = window.dialogs.exporting
    assert control is not None
    assert control.state.result is not None
    assert control.state.result.notices[0].startswith("NOT AS IT WAS WRITTEN")
    assert not dialog.anyway.isVisibleTo(dialog)


def test_how_the_session_stands_is_said_before_export_is_pressed(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_finder(monkeypatch)
    asked_by = []
    verify = Session.verify

    def watched(session: Session) -> Verification:
        asked_by.append(threading.current_thread())
        return verify(session)

    monkeypatch.setattr(Session, "verify", watched)
    folder = tmp_path / "session"
    video_session(folder).close()
    (folder / "added.png").write_bytes(b"x")
    window.open_review(folder)
    qtbot.waitUntil(lambda: window.review.open is not None, timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_E)
    dialog = dialog_of(qtbot, window)
    qtbot.waitUntil(lambda: "not as it was written" in dialog.proof, timeout=WAIT_MS)
    assert "added.png" in dialog.proof
    assert asked_by
    assert threading.main_thread() not in asked_by


def test_a_mask_that_is_drawn_is_black_in_the_export_and_remembered(
    qtbot: QtBot, window: MainWindow, dialog: ExportDialog
) -> None:
    for part in ("dicom", "clips", "report"):
        dialog.page.parts[part].setChecked(False)
    qtbot.waitUntil(lambda: dialog.picture.pixels is not None, timeout=WAIT_MS)
    placed = dialog.picture.placed
    assert placed is not None
    for corner, act in ((100, QTest.mousePress), (140, QTest.mouseRelease)):
        at = QPoint(*map(round, placed.to_widget_point(corner, corner)))
        act(dialog.picture, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    dialog.page.as_zip.setChecked(True)
    dialog.export()
    wait_for(qtbot, window, Phase.DONE)
    assert (window.choices.output / "Exports" / "export-lp2025-liver-001.zip").is_file()
    assert window.review.open is not None
    device = device_of(window.review.open.session.source)
    (mask,) = MaskBook(window.choices.data).masks(device)
    assert (mask.left, mask.top, mask.width, mask.height) == pytest.approx((100, 100, 40, 40), abs=2)
    dialog.reject()
    # The key does nothing before the window's next tick.
    qtbot.waitUntil(
        lambda: window.isActiveWindow() and window.actions_by_name["export"].isEnabled(), timeout=WAIT_MS
    )
    QTest.keyClick(window, KEY.Key_E)
    again = dialog_of(qtbot, window)
    assert again.page.as_zip.isChecked(), "choices are remembered"
    again.page.as_folder.setChecked(True)
    again.export()
    wait_for(qtbot, window, Phase.DONE)
    (png, _) = sorted(
        (window.choices.output / "Exports" / "export-lp2025-liver-002" / "planes").glob("*.png")
    )
    assert not read_png(png)[105:135, 105:135].any()


def test_dicom_objects_are_compressed_and_their_dates_shifted_when_wanted(
    qtbot: QtBot, window: MainWindow, dialog: ExportDialog
) -> None:
    parts = dialog.page.parts
    assert not parts["jpeg"].isChecked()
    assert not parts["shift_dates"].isChecked()
    for part in ("jpeg", "shift_dates"):
        parts[part].setChecked(True)
    parts["dicom"].setChecked(False)
    assert not parts["jpeg"].isEnabled()
    assert not parts["shift_dates"].isEnabled()
    parts["dicom"].setChecked(True)
    for part in ("clips", "report"):
        parts[part].setChecked(False)
    dialog.export()
    wait_for(qtbot, window, Phase.DONE)
    image = pydicom.dcmread(
        next((window.choices.output / "Exports" / "export-lp2025-liver-001" / "dicom").glob("001*.dcm"))
    )
    assert image.file_meta.TransferSyntaxUID == JPEGBaseline8Bit
    assert image.LossyImageCompression == "01"
    assert image.LongitudinalTemporalInformationModified == "MODIFIED"
    dialog.page.identified.setChecked(True)
    assert not parts["shift_dates"].isVisibleTo(dialog), "dates are kept with the name"
    dialog.reject()
    # The key does nothing before the window's next tick.
    qtbot.waitUntil(
        lambda: window.isActiveWindow() and window.actions_by_name["export"].isEnabled(), timeout=WAIT_MS
    )
    QTest.keyClick(window, KEY.Key_E)
    again = dialog_of(qtbot, window)
    assert again.page.parts["jpeg"].isChecked(), "remembered"
    assert not again.page.parts["shift_dates"].isChecked(), "chosen each time"


class OneName:
    """Finds a name in every picture, and is as sure of it as is said."""

    def __init__(self, score: float = 1.0) -> None:
        self.box = Crop(90, 80, 60, 20)
        self._score = score

    def find(self, pixels: object) -> tuple[FoundText, ...]:
        """A name, until it is masked."""
        region = self.box.cut(pixels)  # type: ignore[arg-type]
        return (FoundText(self.box, "DOE", self._score),) if region.any() else ()

    def glance(self, pixels: object) -> tuple[FoundText, ...]:
        """The same."""
        return self.find(pixels)


def pictures_of(window: MainWindow, name: str) -> list[Path]:
    return sorted((window.choices.output / "Exports" / name / "planes").glob("*.png"))


def without_parts(dialog: ExportDialog) -> None:
    for part in ("dicom", "clips", "report"):
        dialog.page.parts[part].setChecked(False)


def test_what_is_surely_text_is_black_after_one_enter(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finder = OneName()
    no_finder(monkeypatch, finder)
    dialog = opened(qtbot, window, tmp_path)
    without_parts(dialog)
    QTest.keyClick(dialog, KEY.Key_Return)
    wait_for(qtbot, window, Phase.DONE)
    assert not dialog.done_page.answer.isVisibleTo(dialog)
    pictures = pictures_of(window, "export-lp2025-liver-001")
    assert len(pictures) == 2
    assert not any(finder.box.cut(read_png(png)).any() for png in pictures)


def test_planes_with_doubtful_text_wait_and_follow_when_they_are_answered(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finder = OneName(score=0.6)
    no_finder(monkeypatch, finder)
    dialog = opened(qtbot, window, tmp_path)
    without_parts(dialog)
    QTest.keyClick(dialog, KEY.Key_Return)
    wait_for(qtbot, window, Phase.DONE)
    assert dialog.done_page.answer.isVisibleTo(dialog)
    assert pictures_of(window, "export-lp2025-liver-001") == []
    assert "2 planes wait for your answer" in dialog.done_page._held.text()
    dialog.done_page.answer.click()
    wait_for(qtbot, window, Phase.TEXT)
    assert dialog.text_page._question.text().startswith("FHP1 at 0:00.4 was left out of the export")
    qtbot.waitUntil(lambda: dialog.picture.pixels is not None, timeout=WAIT_MS)
    assert dialog.picture._boxes == (finder.box,)
    QTest.keyClick(dialog, KEY.Key_Escape)
    wait_for(qtbot, window, Phase.DONE)
    dialog.done_page.answer.click()
    dialog.text_page.keep.click()
    assert dialog.text_page._question.text().startswith("LLP at 0:02.0 was left out of the export")
    assert dialog.text_page.mask_text.hasFocus()
    QTest.keyClick(dialog, KEY.Key_Return)
    wait_for(qtbot, window, Phase.DONE)
    assert not dialog.done_page.answer.isVisibleTo(dialog)
    kept, masked = map(read_png, pictures_of(window, "export-lp2025-liver-002"))
    assert finder.box.cut(kept).any()
    assert not finder.box.cut(masked).any()


def test_planes_that_are_left_out_for_good_make_no_second_export(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_finder(monkeypatch, OneName(score=0.6))
    dialog = opened(qtbot, window, tmp_path)
    without_parts(dialog)
    dialog.export()
    wait_for(qtbot, window, Phase.DONE)
    dialog.done_page.answer.click()
    dialog.step(1)
    assert dialog.text_page._question.text().startswith("LLP at")
    dialog.text_page.leave_out.click()
    assert dialog.text_page._question.text().startswith("FHP1 at")
    dialog.text_page.leave_out.click()
    wait_for(qtbot, window, Phase.DONE)
    assert dialog.done_page.answer.isVisibleTo(dialog)
    assert [path.name for path in (window.choices.output / "Exports").iterdir()] == [
        "export-lp2025-liver-001"
    ]


def test_what_is_wrong_is_said_in_the_dialog_and_can_be_set_right(
    qtbot: QtBot, window: MainWindow, dialog: ExportDialog, tmp_path: Path
) -> None:
    dialog.page.name.setText("a/b")
    dialog.export()
    assert "may not hold" in dialog.message
    in_the_way = tmp_path / "a file"
    in_the_way.touch()
    dialog.page.show_folder(in_the_way)
    dialog.export()
    qtbot.waitUntil(lambda: "choose another folder" in dialog.message, timeout=WAIT_MS)
    dialog.page.identified.setChecked(True)
    dialog.page.patient_form.birth_date.setText("1970")
    dialog.page.show_folder(tmp_path)
    dialog.export()
    assert "birth date" in dialog.message
    assert dialog.page.patient_form.birth_date.hasFocus()
    dialog.page.patient_form.birth_date.clear()
    dialog.export()
    assert "fill in the name or the patient ID" in dialog.message
    assert dialog.page.patient_form.name.hasFocus()
    assert not list(tmp_path.glob("identified*"))
    assert dialog.page.name.text() == f"identified-{datetime.now().astimezone():%Y-%m-%d}-lp2025-liver-001"


def test_a_cancelled_export_leaves_nothing_and_the_dialog_at_its_choices(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading, go_on = threading.Event(), threading.Event()

    def load() -> None:
        loading.set()
        assert go_on.wait(30)

    monkeypatch.setattr("semc_core.export.bundle.load_text_finder", load)
    dialog = opened(qtbot, window, tmp_path)
    dialog.export()
    assert loading.wait(30)
    QTest.keyClick(dialog, KEY.Key_Escape)
    go_on.set()
    wait_for(qtbot, window, Phase.CHOOSING)
    qtbot.waitUntil(lambda: "cancelled" in dialog.message, timeout=WAIT_MS)
    assert not list((window.choices.output / "Exports").glob("*"))


def test_a_scan_is_exported_from_the_live_page_when_it_is_over(
    qtbot: QtBot, window: MainWindow, long_loop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_finder(monkeypatch)
    window.open_source(str(long_loop))
    qtbot.waitUntil(lambda: bool(window.live_page.saved), timeout=WAIT_MS)
    assert not window.actions_by_name["export"].isEnabled()
    QTest.keyClick(window, KEY.Key_S)
    qtbot.waitUntil(window.actions_by_name["export"].isEnabled, timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_E)
    dialog = dialog_of(qtbot, window)
    dialog.page.parts["dicom"].setChecked(False)
    dialog.export()
    wait_for(qtbot, window, Phase.DONE)
    engine = window.scan.pipeline
    assert engine is not None
    assert engine.state.phase is ScanPhase.STOPPED
    folder = window.live_page.session_folder
    assert folder is not None
    with Session.open(folder, read_only=True) as session:
        assert len(session.exports()) == 1


def test_a_session_without_planes_says_so_and_can_be_exported(tmp_path: Path) -> None:
    with video_session(tmp_path / "session") as session:
        for plane in session.planes():
            session.apply(Reject(plane.plane_id))
    thread = PostedWork()
    control = ExportController(Subject(tmp_path / "session"), tmp_path / "data", thread.post)
    thread.run_until(lambda: control.material is not None)
    assert control.material is not None
    assert (control.material.planes, control.material.rejected) == ((), 2)
    control.close()


def test_a_loop_is_not_hashed_before_the_dialog_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: Path) -> str:
        raise OSError(errno.EIO, "read")

    monkeypatch.setattr("semc_core.review.loop.file_sha256", broken)
    video_session(tmp_path / "session").close()
    thread = PostedWork()
    control = ExportController(Subject(tmp_path / "session"), tmp_path / "data", thread.post)
    thread.run_until(lambda: not control.state.step)
    control.close()
    assert control.material is not None
    assert control.material.loop


def test_closing_the_window_ends_an_export_that_is_being_made(
    qtbot: QtBot, window: MainWindow, dialog: ExportDialog
) -> None:
    dialog.export()
    assert [each.name for each in threading.enumerate() if each.name.startswith("export")]
    window.close()
    assert not [each.name for each in threading.enumerate() if each.name.startswith("export")]
    assert not list((window.choices.output / "Exports").glob(".*"))
