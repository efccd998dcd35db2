"""What is drawn over a card's own picture, and what is said where two things are the matter."""

from __future__ import annotations

from pathlib import Path

from pytestqt.qtbot import QtBot

from app.formatting import Banner
from app.live.presenter import banner
from app.main_window import MainWindow
from app.widgets.panels import BannerBar
from app.widgets.plain import PlainLabel
from semc_core.pipeline.state import Phase, PipelineState
from semc_core.types import SourceInfo

WAIT_MS = 30_000
SCRIPT = """version = 1
[[device]]
modes = ["320x240@30,yuyv"]
[[device.events]]
at_frame = 0
what = "no_signal"
card = "bars"
seconds = 3000
"""


def test_no_region_is_drawn_over_the_picture_of_a_card_without_a_signal(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    script = tmp_path / "card.toml"
    script.write_text(SCRIPT, encoding="utf-8")
    page = window.live_page
    window.open_source(f"camera:simulated:{script}")
    qtbot.waitUntil(lambda: page.result is not None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: page.view.result is not None, timeout=WAIT_MS)
    assert page.result is not None
    assert page.result.picture == "no signal"
    assert page.view.crop is None
    pipeline = window.scan.pipeline
    assert pipeline is not None
    assert pipeline.crop is not None, "the scan has one, which is not drawn"


def test_a_sentence_about_saving_does_not_hide_that_there_is_one_about_the_source(qtbot: QtBot) -> None:
    state = PipelineState(Phase.RUNNING, "The disk is full.")
    info = SourceInfo("camera 0", "camera", 640, 480, 30.0, None, True, "Camera 0 is unplugged.")
    said = banner(state, info)
    assert said == Banner("The disk is full.", True, ("change_folder",), ("Camera 0 is unplugged.",))
    bar = BannerBar({"change_folder": "Change folder"})
    qtbot.addWidget(bar)
    bar.show_banner(said)
    text = bar.findChild(PlainLabel)
    assert text is not None
    assert text.text() == "The disk is full.  (+1)"
    assert text.toolTip() == "Camera 0 is unplugged."
    over = banner(PipelineState(Phase.RUNNING), info)
    bar.show_banner(over)
    assert (text.text(), text.toolTip()) == ("Camera 0 is unplugged.", ""), "it goes with its cause"
