"""Heads proposed on brain planes in review: the network that ships, and pictures of a ring and of none."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.measuring.heads import HeadProposals
from semc_core.errors import ModelFileError
from semc_core.measure.head import NO_HEAD, HeadFinder
from semc_core.picture import Picture
from semc_core.session.records import ACCEPTED, CORRECTED
from semc_core.types import FramePacket
from tests.app.conftest import speckle, write_video
from tests.app.review.test_measuring import at
from tests.app.review.test_page import CONTROL, KEY, WAIT_MS, press, wait_for_said

MIDDLE, AXES = (320.0, 220.0), (190.0, 145.0)


def head_frame(seed: int = 1) -> NDArray[np.uint8]:
    """(440, 640) gray: a bright ring with dark contents in speckle, as a skull is seen."""
    picture = np.full((440, 640), 50, np.uint8)
    cv2.ellipse(picture, (320, 220), (190, 145), 8.0, 0, 360, 70, -1)
    cv2.ellipse(picture, (320, 220), (184, 139), 8.0, 0, 360, 230, 12)
    cv2.line(picture, (150, 196), (490, 244), 120, 4)
    noise = np.random.default_rng(seed).rayleigh(0.8, picture.shape)
    return np.clip(picture * noise, 0, 255).astype(np.uint8)


def packet(pixels: NDArray[np.uint8], index: int = 0) -> FramePacket:
    return FramePacket("a", index, index / 25, time.monotonic(), Picture(pixels))


def open_plane(qtbot: QtBot, window: MainWindow, loop: Path, name: str) -> None:
    """Open a loop in review, add its first frame as this plane, and go there."""
    window.open_review(str(loop))
    qtbot.waitUntil(lambda: window.review.open is not None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not window.review.progress.running, timeout=WAIT_MS)
    commands, view = window.review_page.commands, window.review_page.view
    assert commands is not None
    press(window, KEY.Key_Home)
    qtbot.waitUntil(lambda: view.packet is not None and view.packet.index == 0, timeout=WAIT_MS)
    commands.add_as(name)
    wait_for_said(qtbot, window, "is added at")


@pytest.fixture(scope="module")
def heads_loop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("heads") / "heads.mkv", [head_frame(i) for i in range(12)])


def test_a_head_is_proposed_accepted_by_a_key_and_corrected(
    qtbot: QtBot, window: MainWindow, heads_loop: Path
) -> None:
    measuring = window.review_page.measuring
    open_plane(qtbot, window, heads_loop, "Trans-ventricular")
    qtbot.waitUntil(lambda: bool(measuring.values.rows), timeout=WAIT_MS)
    (row,) = measuring.values.rows
    assert row.title == "Head, proposed"
    assert [name for name, _ in row.lines] == ["HC", "OFD outer-outer", "BPD outer-outer"]
    assert "–" in row.lines[0][1], "with its interval"
    assert "Y accepts" in measuring.values.foot
    assert not window.review.snapshot.measurements, "nothing is kept unasked"

    press(window, KEY.Key_Y)
    qtbot.waitUntil(lambda: bool(window.review.snapshot.measurements), timeout=WAIT_MS)
    window.tick()
    (kept,) = window.review.snapshot.measurements
    assert (kept.structure, kept.made_by, kept.kind) == ("head", ACCEPTED, "ellipse")
    assert kept.error is not None
    assert kept.plane_id is not None
    assert [each.title for each in measuring.values.rows] == ["Head"]
    (x0, y0), (x1, y1) = kept.points[:2]
    assert ((x0 + x1) / 2, (y0 + y1) / 2) == pytest.approx(MIDDLE, abs=3)
    assert np.hypot(x1 - x0, y1 - y0) / 2 == pytest.approx(AXES[0], abs=4)

    press(window, KEY.Key_W, KEY.Key_Left, KEY.Key_Escape)
    qtbot.waitUntil(lambda: window.review.snapshot.measurements[0].made_by == CORRECTED, timeout=WAIT_MS)
    assert window.review.snapshot.measurements[0].error is None
    QTest.keyClick(window, KEY.Key_Z, CONTROL)
    qtbot.waitUntil(lambda: window.review.snapshot.measurements == (kept,), timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_Z, CONTROL)
    qtbot.waitUntil(
        lambda: bool(measuring.layer.shapes) and measuring.layer.shapes[0].proposed, timeout=WAIT_MS
    )


def test_a_handle_of_the_proposal_accepts_it(qtbot: QtBot, window: MainWindow, heads_loop: Path) -> None:
    measuring = window.review_page.measuring
    open_plane(qtbot, window, heads_loop, "Trans-thalamic")
    qtbot.waitUntil(lambda: bool(measuring.layer.shapes), timeout=WAIT_MS)
    x, y = measuring.layer.shapes[0].points[0]
    QTest.mouseClick(measuring.layer, Qt.MouseButton.LeftButton, pos=at(window, x, y) + QPoint(1, 1))
    qtbot.waitUntil(lambda: bool(window.review.snapshot.measurements), timeout=WAIT_MS)


@pytest.mark.parametrize("name", ["Abdominal", "Femur"])
def test_no_head_is_looked_for_on_other_planes(
    qtbot: QtBot, window: MainWindow, heads_loop: Path, name: str
) -> None:
    open_plane(qtbot, window, heads_loop, name)
    for _ in range(5):
        window.tick()
    assert window.review_page.measuring.values.rows == ()
    assert not window.review_page.measuring.values.isVisible()
    press(window, KEY.Key_Y)
    wait_for_said(qtbot, window, "No head is proposed")


def test_why_there_is_no_head_is_said(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    loop = write_video(tmp_path / "none.mkv", speckle(20))
    open_plane(qtbot, window, loop, "Trans-cerebellum")
    qtbot.waitUntil(lambda: NO_HEAD in window.review_page.measuring.values.foot, timeout=WAIT_MS)
    assert window.review_page.measuring.layer.shapes == ()


def test_a_head_is_looked_for_once_and_on_a_thread_of_its_own(qtbot: QtBot) -> None:
    posted: list[Callable[[], object]] = []
    arrived = threading.Event()
    threads: list[str] = []

    def make() -> HeadFinder:
        threads.append(threading.current_thread().name)
        return HeadFinder(threads=1)

    heads = HeadProposals(posted.append, arrived.set, make)
    try:
        frame = packet(head_frame())
        assert heads.of(frame) is None, "nobody waits"
        assert heads.of(frame) is None
        qtbot.waitUntil(lambda: bool(posted), timeout=WAIT_MS)
        for do in posted:
            do()
        found = heads.of(frame)
        assert found is not None
        assert found.outline is not None
        assert found.error > 0
        assert arrived.is_set()
    finally:
        heads.close()
    assert len(posted) == 1
    assert threads[0].startswith("heads")


def test_a_network_that_cannot_be_used_is_said_and_not_tried_for_ever(qtbot: QtBot) -> None:
    posted: list[Callable[[], object]] = []
    broken = "The outline model is damaged; install the program again."

    def make() -> HeadFinder:
        raise ModelFileError(broken)

    heads = HeadProposals(posted.append, lambda: None, make)
    try:
        heads.of(packet(head_frame()))
        qtbot.waitUntil(lambda: bool(posted), timeout=WAIT_MS)
        posted[0]()
        found = heads.of(packet(head_frame()))
        assert found is not None
        assert (found.outline, found.why) == (
            None,
            "The outline model is damaged; install the program again.",
        )
    finally:
        heads.close()
