"""A model file that cannot be used: another model is offered, not another source; nothing stays loaded."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.review.session import LazyModel
from semc_core.pipeline.state import Phase
from semc_core.runtime.base import Runtime
from semc_core.runtime.load import load_runtime

WAIT_MS = 60_000


def offers(window: MainWindow) -> list[str]:
    """The banner's buttons."""
    return [button.text() for button in window.banner.findChildren(QPushButton) if button.isVisible()]


def test_a_damaged_model_file_offers_another_model_live_and_in_review(
    qtbot: QtBot, window: MainWindow, cine_loop: Path, fhp1_model: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(fhp1_model.read_bytes()[:1000])
    window.choices.use_model(str(damaged))
    window.open_source(str(cine_loop))
    qtbot.waitUntil(lambda: "Choose another model" in offers(window), timeout=WAIT_MS)
    engine = window.scan.pipeline
    assert engine is not None
    assert engine.state.phase is Phase.FAULT
    window.open_review(cine_loop)
    qtbot.waitUntil(lambda: window.review.way_out == "model", timeout=WAIT_MS)
    qtbot.waitUntil(lambda: "Choose another model" in offers(window), timeout=WAIT_MS)
    window.open_review(tmp_path / "not there.mp4")
    qtbot.waitUntil(lambda: "was not found" in window.review.fault, timeout=WAIT_MS)
    assert window.review.way_out != "model"


def test_a_model_that_nobody_took_is_released(fhp1_model: Path) -> None:
    closed: list[bool] = []

    def watched() -> Runtime:
        runtime = load_runtime(fhp1_model, "cpu")
        close = runtime.close

        def note() -> None:
            closed.append(True)
            close()

        runtime.close = note  # type: ignore[method-assign]
        return runtime

    LazyModel(watched, watched()).close()
    assert closed == [True]
    taken = LazyModel(watched, watched())
    runtime = taken()
    taken.close()
    assert closed == [True], "whoever took it releases it"
    runtime.close()
