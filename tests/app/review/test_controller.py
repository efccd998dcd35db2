"""What stands behind the review page, without the page."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.review.controller import ReviewController
from app.review.session import OpenReview, ReviewRequest
from semc_core.errors import SessionError
from semc_core.session.changes import Relabel
from semc_core.session.session import Session
from tests.session.sessions import filled_session

WAIT_MS = 30_000


def test_a_session_opened_while_the_one_before_was_busy_is_shown(qtbot: QtBot, tmp_path: Path) -> None:
    for name in ("first", "second"):
        filled_session(tmp_path / name).close()
    control = ReviewController(lambda request: OpenReview(Session.open(request.path), None, None))

    def polled(holds: Callable[[], bool]) -> Callable[[], bool]:
        def poll() -> bool:
            control.poll(time.monotonic())
            return holds()

        return poll

    def begin(name: str) -> None:
        control.begin(ReviewRequest(tmp_path / name, tmp_path / "model", "cpu", tmp_path))

    def busy() -> None:
        assert go_on.wait(30)

    begin("first")
    qtbot.waitUntil(polled(lambda: control.snapshot.table is not None), timeout=WAIT_MS)
    hand, go_on = control._hand, threading.Event()
    assert hand is not None
    qtbot.waitUntil(lambda: not control._refreshing, timeout=WAIT_MS)
    control._do(busy)
    control._refresh()
    begin("second")
    qtbot.waitUntil(hand._closing.is_set, timeout=WAIT_MS)
    go_on.set()
    qtbot.waitUntil(polled(lambda: control.snapshot.table is not None), timeout=WAIT_MS)
    assert control.open is not None
    assert control.open.session.folder.name == "second"
    control.close()


def test_the_window_is_woken_when_a_correction_can_be_seen(qtbot: QtBot, tmp_path: Path) -> None:
    filled_session(tmp_path / "session").close()
    control = ReviewController(lambda request: OpenReview(Session.open(request.path), None, None))
    seen: list[str] = []

    def arrived() -> None:
        plane = control.snapshot.plane(1)
        seen.append("" if plane is None else plane.plane)

    def opened() -> bool:
        control.poll(time.monotonic())
        return control.snapshot.plane(1) is not None

    control.begin(ReviewRequest(tmp_path / "session", tmp_path / "model", "cpu", tmp_path))
    qtbot.waitUntil(opened, timeout=WAIT_MS)
    control.arrived = arrived
    control.apply(Relabel(1, "B"))
    qtbot.waitUntil(lambda: seen == ["B"], timeout=WAIT_MS)
    control.undo()
    qtbot.waitUntil(lambda: seen == ["B", "A"], timeout=WAIT_MS)
    control.close()


def test_what_another_program_wrote_is_shown_although_it_could_not_be_read_at_first(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "session"
    with filled_session(folder) as holder:
        looked_at = Session.open(folder, read_only=True)
        control = ReviewController(lambda request: OpenReview(looked_at, None, None))
        control.begin(ReviewRequest(folder, tmp_path / "model", "cpu", tmp_path))

        def seen(name: str) -> bool:
            control.poll(time.monotonic())
            plane = control.snapshot.plane(1)
            return plane is not None and plane.plane == name

        qtbot.waitUntil(lambda: seen("A"), timeout=WAIT_MS)

        def busy(start_s: float | None = None, end_s: float | None = None) -> None:
            monkeypatch.delattr(looked_at, "frames")
            raise SessionError("It is busy.")

        monkeypatch.setattr(looked_at, "frames", busy, raising=False)
        holder.apply(Relabel(1, "B"))
        qtbot.waitUntil(lambda: seen("B"), timeout=WAIT_MS)
        assert control.fault == "It is busy."
        control.close()
