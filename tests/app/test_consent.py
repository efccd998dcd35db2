"""The window before it opens a camera: it waits for what the system asks, and for nothing else."""

from __future__ import annotations

from collections.abc import Callable

from pytestqt.qtbot import QtBot

from app.consent import CameraConsent
from app.main_window import MainWindow
from semc_core.sources.devices.consent import Consent
from tests.app.conftest import WAIT_MS


class Asking:
    """A system that was not answered yet."""

    def __init__(self, said: Consent = Consent.UNASKED) -> None:
        self.said, self.thens = said, list[Callable[[], object]]()

    def consent(self) -> Consent:
        return self.said

    def ask(self, then: Callable[[], object]) -> None:
        self.thens.append(then)

    def answer(self, said: Consent) -> None:
        self.said = said
        self.thens.pop()()


def at_once(work: Callable[[], object]) -> None:
    work()


def test_a_scan_waits_for_the_answer_and_only_the_last_one_begins() -> None:
    asking, told, opened = Asking(), list[str](), list[str]()
    consent = CameraConsent(asking, at_once, told.append)
    consent.first("camera:0", lambda: opened.append("camera:0"))
    consent.first("camera:1", lambda: opened.append("camera:1"))
    assert opened == []
    assert "answer there" in told[-1]
    asking.answer(Consent.GIVEN)
    asking.answer(Consent.GIVEN)
    assert opened == ["camera:1"]
    assert told[-1] == ""
    consent.first("camera:0", lambda: opened.append("again"))
    assert opened[-1] == "again"


def test_what_was_chosen_meanwhile_is_not_replaced_by_a_late_answer() -> None:
    asking, opened = Asking(), list[str]()
    consent = CameraConsent(asking, at_once, lambda sentence: None)
    consent.first("camera:0", lambda: opened.append("camera"))
    consent.first("loop.mp4", lambda: opened.append("loop"))
    asking.answer(Consent.GIVEN)
    assert opened == ["loop"]


def test_the_window_stays_where_it_is_until_the_system_is_answered(qtbot: QtBot, window: MainWindow) -> None:
    asking = Asking()
    window.consent.privacy = asking
    before = window.page_name
    window.open_source("camera:77")
    window.tick()
    assert window.page_name == before
    assert not window.scan.running
    assert window.banner.shown is not None
    assert "answer there" in window.banner.shown.text
    asking.answer(Consent.DENIED)
    qtbot.waitUntil(lambda: window.page_name == "live", timeout=WAIT_MS)
    assert window.scan.options is not None
    assert window.scan.options.source == "camera:77"
