"""A plane that could not be written is never shown as saved."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

import main
from app.main_window import MainWindow
from app.widgets.saved_strip import card_state

WAIT_MS = 30_000


def test_a_plane_that_was_not_written_is_not_called_saved(
    qtbot: QtBot, window: MainWindow, long_loop: Path, tmp_path: Path
) -> None:
    (tmp_path / "saved").write_text("a file where the folder should be")
    window.open_source(str(long_loop))
    page = window.live_page
    qtbot.waitUntil(lambda: bool(page.strip.cards), timeout=WAIT_MS)
    assert card_state(page.strip.cards[0].item) == "not written"
    assert page.strip.title == "Saved planes (1 not written)"
    assert page.traces.marks == ()
    assert page.readout.shown.title == "FHP1"
    assert not page.readout.shown.saved


@pytest.mark.usefixtures("qapp")
def test_a_run_without_a_display_fails_when_a_plane_was_not_written(
    cine_loop: Path,
    fhp1_model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("semc_core.paths.cache_folder", lambda: tmp_path / "cache")
    out = tmp_path / "saved"
    out.write_text("a file where the folder should be")
    picture = str(tmp_path / "window.png")
    given = ["live", str(cine_loop), "--offscreen", "--device", "cpu", "--screenshot", picture]
    assert main.main([*given, "--model", str(fhp1_model), "--out", str(out)]) == 1
    said = capsys.readouterr()
    assert "not written" in said.out
    assert "A plane was not saved." in said.err
