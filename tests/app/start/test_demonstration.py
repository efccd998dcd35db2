"""The demonstration on the start page: one click, real planes, credited, and no model or choice changed."""

from __future__ import annotations

from pathlib import Path

import av
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.commands import REVIEW
from app.main_window import MainWindow
from semc_core.model.file import read_spec
from semc_core.paths import DEMONSTRATION, FETAL_MODEL
from tests.app.conftest import WAIT_MS

LARGEST = 3_000_000


def demonstration_button(window: MainWindow) -> QPushButton:
    (found,) = [
        each for each in window.start_page.findChildren(QPushButton) if each.text() == "Demonstration"
    ]
    return found


def test_one_click_opens_the_demonstration_in_review_with_the_fetal_model(
    qtbot: QtBot, window: MainWindow
) -> None:
    chosen = window.choices.model
    assert chosen != FETAL_MODEL
    demonstration_button(window).click()
    assert window.page_name == REVIEW
    qtbot.waitUntil(lambda: window.review.open is not None or bool(window.review.fault), timeout=WAIT_MS)
    opened = window.review.open
    assert opened is not None, window.review.fault
    assert opened.source is not None
    assert Path(opened.session.source.path or "") == DEMONSTRATION
    assert opened.session.model.sha256 == read_spec(FETAL_MODEL).sha256
    assert window.choices.model == chosen


def test_the_demonstration_is_small_and_credits_every_picture() -> None:
    from training.fetal.demonstration import FRAMES_EACH, SHOWN

    assert 0 < DEMONSTRATION.stat().st_size <= LARGEST
    licence = (DEMONSTRATION.parent / "LICENCE.md").read_text(encoding="utf-8")
    assert "creativecommons.org/licenses/by/4.0" in licence
    for shown in SHOWN:
        assert f"| {shown.title} | {shown.file} " in licence
        assert "CC BY 4.0" in shown.credit
        assert "Zenodo" in shown.credit
    with av.open(str(DEMONSTRATION)) as container:
        assert sum(1 for _ in container.demux(video=0)) - 1 == FRAMES_EACH * len(SHOWN)
