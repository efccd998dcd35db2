"""A plane that could not be written is never shown as saved."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

import main
from app.application import write_screenshot
from app.cli import _recorded
from app.main_window import MainWindow
from app.widgets.saved_strip import card_state
from semc_core.errors import SaveError
from semc_core.io.video_quality import Quality
from semc_core.pipeline.sink import RecordingState
from semc_core.session.files import read_png

WAIT_MS = 60_000


def test_a_plane_that_was_not_written_is_not_called_saved(
    qtbot: QtBot, window: MainWindow, long_loop: Path, tmp_path: Path
) -> None:
    (tmp_path / "saved").write_text("a file where the folder should be", encoding="utf-8")
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
    out.write_text("a file where the folder should be", encoding="utf-8")
    picture = str(tmp_path / "window.png")
    given = ["live", str(cine_loop), "--offscreen", "--device", "cpu", "--screenshot", picture]
    assert main.main([*given, "--model", str(fhp1_model), "--out", str(out)]) == 1
    said = capsys.readouterr()
    assert "not written" in said.out
    assert "A plane was not saved." in said.err


@pytest.mark.long
@pytest.mark.usefixtures("qapp")
def test_a_run_on_a_full_disk_says_so_and_what_it_found_all_the_same(
    cine_loop: Path,
    fhp1_model: Path,
    tmp_path: Path,
    small_disk: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("semc_core.paths.cache_folder", lambda: tmp_path / "cache")
    with contextlib.suppress(OSError), (small_disk / "full").open("wb") as file:
        file.write(bytes(4_000_000))
    given = ["live", str(cine_loop), "--offscreen", "--device", "cpu", "--record", "lossless"]
    assert main.main([*given, "--model", str(fhp1_model), "--out", str(small_disk / "l")]) == 1
    said = capfd.readouterr()
    assert "frames, " in said.out
    assert "Nothing was recorded; " in said.out
    assert "The recording was stopped." in said.out
    assert "not written" in said.out
    assert "The disk is full" in said.err
    assert "libpng" not in said.out + said.err
    assert "screenshot.png" not in said.out + said.err


def test_a_recording_is_told_with_the_names_of_its_files_or_without_any() -> None:
    whole = RecordingState(False, Quality.COMPACT, 30, 2, 1.0, 2_000_000, ("recording.mkv",))
    assert _recorded(whole) == "Recorded 30 frames (1.0 s, compact, 2 MB) as recording.mkv; 2 lost."
    none = RecordingState(False, Quality.LOSSLESS, lost=1, fault="The recording was stopped.")
    assert _recorded(none) == "Nothing was recorded; 1 frame lost. The recording was stopped."


@pytest.mark.usefixtures("qapp")
def test_a_picture_of_the_window_that_finds_no_room_says_so(
    window: MainWindow, small_disk: Path, tmp_path: Path
) -> None:
    write_screenshot(window, tmp_path / "window.png")
    assert read_png(tmp_path / "window.png").ndim == 3
    with contextlib.suppress(OSError), (small_disk / "full").open("wb") as file:
        file.write(bytes(4_000_000))
    with pytest.raises(SaveError, match=r"^The disk is full"):
        write_screenshot(window, small_disk / "window.png")
    with pytest.raises(SaveError, match=r"another name ending in \.png"):
        write_screenshot(window, tmp_path / "window.odd")
