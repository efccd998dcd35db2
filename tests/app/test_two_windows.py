"""Two windows of one user: what one chooses is nothing that the other scans or shows unasked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.commands import REVIEW
from app.main_window import MainWindow
from semc_core.imaging.heatmap import HeatStyle
from semc_core.model.registry import INDEX_NAME, ModelRegistry
from tests.app.conftest import WAIT_MS

NewWindow = Callable[[], MainWindow]
ADULT_HEART = "Adult heart, transthoracic, basic"


def checklist_title(window: MainWindow) -> str:
    checklists = window.checklists
    view = (checklists.review if window.page_name == REVIEW else checklists.live).view
    return "" if view is None else view.title


def said(window: MainWindow) -> str:
    """What the banner says."""
    return "" if window.banner.shown is None else window.banner.shown.text


def end_of_scan(qtbot: QtBot, window: MainWindow) -> None:
    window.start_stop()
    qtbot.waitUntil(lambda: window.scan.over, timeout=WAIT_MS)


@pytest.fixture
def scanned(qtbot: QtBot, new_window: NewWindow, cine_loop: Path) -> MainWindow:
    """A window with a scan that is over, beside which stands the liver's checklist."""
    window = new_window()
    window.open_source(str(cine_loop))
    qtbot.waitUntil(lambda: "iver" in checklist_title(window), timeout=WAIT_MS)
    # Stopped before there is a session, there would be nothing to review, and a dialog would ask for a loop.
    qtbot.waitUntil(lambda: window.live_page.session_folder is not None, timeout=WAIT_MS)
    end_of_scan(qtbot, window)
    return window


def test_a_protocol_chosen_in_another_window_leaves_the_checklist_of_a_scan(
    qtbot: QtBot, scanned: MainWindow, new_window: NewWindow
) -> None:
    before = checklist_title(scanned)
    other = new_window()
    other.start_page.protocol_chosen.emit("adult-echo")
    scanned.tick()
    assert checklist_title(scanned) == before
    assert scanned.choices.protocol == "auto", "nor is it that of the next scan here"
    assert new_window().choices.protocol == "adult-echo", "windows opened later begin with it"


def test_a_protocol_for_the_next_scan_leaves_the_checklist_of_the_last_and_of_its_review(
    qtbot: QtBot, scanned: MainWindow, cine_loop: Path
) -> None:
    before = checklist_title(scanned)
    scanned.start_page.protocol_chosen.emit("adult-echo")
    scanned.tick()
    assert checklist_title(scanned) == before
    assert scanned.checklists.protocol_of_scan(()) != scanned.checklists.choice.book.get("adult-echo")
    scanned.review_this()
    qtbot.waitUntil(lambda: checklist_title(scanned) == before, timeout=WAIT_MS)
    scanned.open_source(str(cine_loop))
    qtbot.waitUntil(lambda: checklist_title(scanned) == ADULT_HEART, timeout=WAIT_MS)


def test_a_protocol_chosen_beside_a_scan_is_its_own_and_that_of_its_export(
    scanned: MainWindow, qtbot: QtBot
) -> None:
    scanned.checklists.live.protocol_chosen.emit("adult-echo")
    scanned.tick()
    assert checklist_title(scanned) == ADULT_HEART
    found = scanned.checklists.protocol_of_scan(())
    assert found is not None
    assert found.id == "adult-echo"


def test_a_folder_or_device_chosen_in_another_window_is_not_that_of_this_ones_scans(
    new_window: NewWindow, tmp_path: Path
) -> None:
    first, other = new_window(), new_window()
    for window in (first, other):
        window.choices.use_output(str(tmp_path / "before"))
        window.choices.use_device("cpu")
    other.choices.use_output(str(tmp_path / "elsewhere"))
    other.choices.use_device("auto")
    options = first.choices.options("simulated:1")
    assert (options.output, options.device) == (tmp_path / "before", "cpu")


def test_a_model_put_in_use_in_another_window_is_announced_before_it_counts(
    qtbot: QtBot, new_window: NewWindow, tiny_model_path: Path, tmp_path: Path
) -> None:
    registry = ModelRegistry(tmp_path / "data" / "models")
    first = new_window()
    first.choices.use_registered()
    first.show_sources()
    before = first.choices.options("simulated:1")
    assert before.model_name == "semc_live"
    version = registry.add(tiny_model_path, use=True)
    assert first.choices.options("simulated:1").model == before.model, "nobody was told of another"
    other = new_window()
    assert not other.banner.isVisible(), "it begins with the other"
    assert said(first) == ""
    first.activateWindow()
    qtbot.waitUntil(lambda: "“Your model, version 1”" in said(first), timeout=WAIT_MS)
    assert "no longer “The model that came with the program”" in said(first)
    # Its file was looked at or not: it begins with one name.
    qtbot.waitUntil(lambda: first.start_page.model_title.startswith("Your model, version 1"), timeout=WAIT_MS)
    after = first.choices.options("simulated:1")
    assert (after.model, after.model_name) == (registry.path(version), "Your model, version 1")


def test_a_scan_runs_the_model_that_was_shown_and_says_which_and_what_the_next_one_runs(
    qtbot: QtBot,
    new_window: NewWindow,
    fhp1_model: Path,
    tiny_model_path: Path,
    tmp_path: Path,
    cine_loop: Path,
) -> None:
    registry = ModelRegistry(tmp_path / "data" / "models")
    registry.add(fhp1_model, use=True)
    window = new_window()
    window.choices.use_registered()
    registry.add(tiny_model_path, use=True)
    window.open_source(str(cine_loop))
    qtbot.waitUntil(
        lambda: "“Your model, version 2”, no longer “Your model, version 1”" in said(window), timeout=WAIT_MS
    )
    qtbot.waitUntil(lambda: "Your model, version 1" in window.status.text, timeout=WAIT_MS)
    assert window.scan.options is not None
    assert window.scan.options.model.name.startswith("0001")
    end_of_scan(qtbot, window)
    window.start_stop()
    qtbot.waitUntil(lambda: "Your model, version 2" in window.status.text, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: said(window) == "", timeout=WAIT_MS)


def test_a_damaged_list_of_models_is_told_before_a_scan_fails_by_it(
    qtbot: QtBot, new_window: NewWindow, tiny_model_path: Path, tmp_path: Path
) -> None:
    registry = ModelRegistry(tmp_path / "data" / "models")
    registry.add(tiny_model_path, use=True)
    window = new_window()
    window.choices.use_registered()
    (registry.folder / INDEX_NAME).write_text("{", encoding="utf-8")
    window.show_sources()
    qtbot.waitUntil(lambda: "remove it to start again" in said(window), timeout=WAIT_MS)


def test_the_key_of_the_heat_map_turns_what_this_window_shows(window: MainWindow) -> None:
    window.settings.heat_style = HeatStyle.TINT  # as another window remembers it
    assert not window.live_page.heat.on
    window.look.next_heat()
    assert window.live_page.heat.style is HeatStyle.TINT
