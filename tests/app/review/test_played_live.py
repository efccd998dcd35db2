"""What was played live, from a file or a folder, in review."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from semc_core.pipeline.state import Phase
from tests.app.conftest import speckle, write_video

WAIT_MS = 60_000


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_was_played_live_is_reviewed_with_its_pictures(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, kind: str
) -> None:
    if kind == "file":
        played = write_video(tmp_path / "short.mkv", speckle(12))
    else:
        played = tmp_path / "pictures"
        played.mkdir()
        for number, frame in enumerate(speckle(12)):
            cv2.imwrite(str(played / f"{number:03d}.png"), frame)
    window.open_source(str(played))
    qtbot.waitUntil(
        lambda: window.scan.pipeline is not None and window.scan.pipeline.state.phase is Phase.ENDED,
        timeout=WAIT_MS,
    )
    qtbot.waitUntil(window.actions_by_name["review"].isEnabled, timeout=WAIT_MS)
    QTest.keyClick(window, Qt.Key.Key_V)
    qtbot.waitUntil(lambda: window.review.open is not None, timeout=WAIT_MS)
    made = window.review.open
    assert made is not None
    assert made.source is not None, made.notice
    assert made.source.count == 12

    window.open_review(str(played))
    qtbot.waitUntil(
        lambda: window.review.open is not None and window.review.open is not made, timeout=WAIT_MS
    )
    again = window.review.open
    assert again is not None
    assert again.source is not None
    assert again.source.count == 12
