"""The preferences: one setting wherever it is shown, found by typing, taken back, told when it counts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.preferences.dialog import PreferencesDialog
from app.preferences.presenter import NOTHING_FOUND
from app.settings import Settings
from semc_core.imaging.heatmap import HeatStyle
from semc_core.io.video_quality import Quality
from semc_core.session.erasing.rule import Retention
from tests.app.conftest import WAIT_MS
from tests.app.preferences.states import opened
from tests.app.test_looks import unnamed


@pytest.fixture
def dialog(window: MainWindow, qtbot: QtBot) -> PreferencesDialog:
    made = opened(window)
    qtbot.addWidget(made)
    return made


def stored(file: Path) -> Settings:
    return Settings(QSettings(str(file), QSettings.Format.IniFormat))


def choose(dialog: PreferencesDialog, key: str, value: str) -> None:
    dialog.change(next(each for each in dialog.entries if each.key == key), value)


def test_the_key_opens_them_and_only_then_they_are_loaded(window: MainWindow, qtbot: QtBot) -> None:
    window.actions_by_name["preferences"].trigger()
    qtbot.waitUntil(lambda: isinstance(window.dialogs.dialog, PreferencesDialog), timeout=WAIT_MS)
    assert window.actions_by_name["preferences"].shortcut().toString() == "Ctrl+,"


def test_everything_in_it_has_a_name(dialog: PreferencesDialog) -> None:
    assert unnamed(dialog) == []


def test_a_setting_is_the_one_of_the_start_page(
    window: MainWindow, dialog: PreferencesDialog, settings_file: Path, tmp_path: Path
) -> None:
    start = window.start_page
    choose(dialog, "record/quality", "lossless")
    choose(dialog, "record/clips", "false")
    choose(dialog, "sessions/keep", "90 0")
    choose(dialog, "output/folder", str(tmp_path / "elsewhere"))
    choose(dialog, "view/heat_map", "contour")
    assert start.recording.quality.currentText() == "lossless"
    assert not start.recording.clips.isChecked()
    assert start.keeping.choice.currentText() == "90 days"
    assert (window.choices.quality, window.choices.clips) == (Quality.LOSSLESS, False)
    assert window.choices.options("x").output == tmp_path / "elsewhere"
    assert window.look.heat is HeatStyle.CONTOUR
    window.settings.write()
    kept = stored(settings_file)
    assert (kept.quality, kept.clips, kept.retention) == (Quality.LOSSLESS, False, Retention(days=90))
    assert (kept.output_folder, kept.heat_style) == (tmp_path / "elsewhere", HeatStyle.CONTOUR)


def test_what_the_start_page_changes_is_shown_by_the_preferences(window: MainWindow, qtbot: QtBot) -> None:
    window.start_page.recording.clips.click()
    dialog = opened(window)
    qtbot.addWidget(dialog)
    field = dialog.rows["record/clips"].field
    assert isinstance(field, QCheckBox)
    assert field.isChecked() == window.choices.clips is False
    field.click()
    assert window.start_page.recording.clips.isChecked()


def test_a_change_says_from_when_it_counts(dialog: PreferencesDialog) -> None:
    choose(dialog, "record/quality", "lossless")
    assert dialog.said == (
        "Quality of recordings: lossless. It counts from the next scan on, the scan that runs goes on as it "
        "was begun."
    )
    choose(dialog, "view/heat_map", "true")
    assert dialog.said == "Heat map: As a light tint. It counts at once."


def test_every_change_and_every_reset_can_be_taken_back(
    window: MainWindow, dialog: PreferencesDialog, qtbot: QtBot
) -> None:
    assert not dialog.undo.isEnabled()
    choose(dialog, "record/quality", "lossless")
    choose(dialog, "sessions/keep", "30 0")
    dialog.rows["record/quality"].reset.click()
    assert window.start_page.recording.quality.currentText() == "compact"
    assert not dialog.rows["record/quality"].reset.isEnabled()
    dialog.take_back()
    assert window.choices.quality is Quality.LOSSLESS
    dialog.reset_all.click()
    assert (window.choices.quality, window.settings.retention) == (Quality.COMPACT, Retention())
    dialog.undo.click()
    assert (window.choices.quality, window.settings.retention) == (Quality.LOSSLESS, Retention(days=30))
    dialog.show()
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not window.actions_by_name["undo"].isEnabled(), timeout=WAIT_MS)
    QTest.keyClick(dialog, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert window.settings.retention == Retention()
    dialog.done(0)


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        ("LOSSLESS", {"record/quality"}),
        ("folder planes", {"output/folder"}),
        ("nvidia", {"model/device"}),
        ("zzz", set()),
    ],
)
def test_what_is_typed_finds_settings_by_title_sentence_group_and_choices(
    dialog: PreferencesDialog, words: str, keys: set[str]
) -> None:
    dialog.typed.setText(words)
    assert {key for key, row in dialog.rows.items() if not row.isHidden()} == keys
    assert dialog.said == ("" if keys else NOTHING_FOUND)
    dialog.typed.setText("")
    assert not any(row.isHidden() for row in dialog.rows.values())


def test_what_was_opened_lately_is_forgotten(
    window: MainWindow, dialog: PreferencesDialog, settings_file: Path
) -> None:
    window.settings.remember_source("/data/DOE_JANE.mp4")
    link = next(part for part in window.dialogs.preferred() if part.title == "Forget")
    follow: Callable[..., None] = dialog.follow
    follow(link)
    window.settings.write()
    assert stored(settings_file).recent_sources == []
    assert "forgotten" in dialog.said
    assert b"DOE" not in settings_file.read_bytes()
    assert window.start_page.last_opened == ""


def test_servers_are_opened_in_their_own_dialog(window: MainWindow, qtbot: QtBot) -> None:
    window.dialogs.show_preferences()
    qtbot.waitUntil(lambda: window.dialogs.dialog is not None, timeout=WAIT_MS)
    dialog = window.dialogs.dialog
    assert isinstance(dialog, PreferencesDialog)
    dialog.follow(next(part for part in window.dialogs.preferred() if part.title == "Servers …"))  # type: ignore[arg-type]
    qtbot.waitUntil(
        lambda: window.dialogs.dialog is not None and window.dialogs.dialog.windowTitle() == "Send to a PACS",
        timeout=WAIT_MS,
    )


def test_theme_and_size_of_texts_are_kept_for_the_next_start(
    window: MainWindow, dialog: PreferencesDialog, settings_file: Path
) -> None:
    choose(dialog, "view/theme", "light")
    assert dialog.said.startswith("Theme: Light. It counts from the next start of the program on")
    choose(dialog, "view/text_percent", "150")
    window.settings.write()
    kept = stored(settings_file)
    assert (kept.theme, kept.text_percent) == ("light", 150)


def test_a_theme_that_there_is_not_is_as_if_not_stored(settings_file: Path) -> None:
    store = QSettings(str(settings_file), QSettings.Format.IniFormat)
    store.setValue("view/theme", "pink")
    store.setValue("view/text_percent", "1000")
    settings = Settings(store)
    assert (settings.theme, settings.text_percent) == ("dark", 100)
