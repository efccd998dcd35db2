"""The recording of the session in review can be deleted, after a question."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.review.recording_dialog import NO_RECORDING, DeleteRecordingDialog
from semc_core.io.video_quality import Quality
from semc_core.session.records import Proof
from semc_core.session.session import Session
from semc_core.session.writer import SessionWriter
from tests.app.conftest import WAIT_MS
from tests.session.killed_writer import origin
from tests.session.recording.test_proof import give


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A closed session with a recording."""
    keeper = SessionWriter(tmp_path / "scan", origin())
    keeper.start_recording(Quality.LOSSLESS)
    give(keeper, 0, 8)
    keeper.stop_recording()
    keeper.close()
    assert (tmp_path / "scan" / "recording.mkv").exists()
    return tmp_path / "scan"


def asked(qtbot: QtBot, window: MainWindow) -> DeleteRecordingDialog:
    qtbot.waitUntil(window.actions_by_name["delete_recording"].isEnabled, timeout=WAIT_MS)
    window.actions_by_name["delete_recording"].trigger()
    qtbot.waitUntil(lambda: bool(window.findChildren(DeleteRecordingDialog)), timeout=WAIT_MS)
    return window.findChildren(DeleteRecordingDialog)[0]


def test_a_recording_is_deleted_after_a_question_and_the_session_is_open_again_and_proven(
    qtbot: QtBot, window: MainWindow, recorded: Path
) -> None:
    window.open_review(recorded)
    qtbot.waitUntil(lambda: window.review.open is not None, timeout=WAIT_MS)
    before = window.review.open
    dialog = asked(qtbot, window)
    size = (recorded / "recording.mkv").stat().st_size
    assert f"frees {size / 1e6:,.1f} MB" in dialog.question.text()
    dialog.keep.click()
    assert (recorded / "recording.mkv").exists()
    qtbot.waitUntil(lambda: not window.findChildren(DeleteRecordingDialog), timeout=WAIT_MS)
    asked(qtbot, window).delete.click()
    qtbot.waitUntil(lambda: window.review.open not in (None, before), timeout=WAIT_MS)
    assert list(recorded.glob("recording*")) == []
    assert window.review.fault == ""
    with Session.open(recorded, read_only=True) as session:
        assert session.verify().proof is Proof.PROVEN
    qtbot.waitUntil(window.actions_by_name["delete_recording"].isEnabled, timeout=WAIT_MS)
    window.actions_by_name["delete_recording"].trigger()
    assert NO_RECORDING in window.status.text
