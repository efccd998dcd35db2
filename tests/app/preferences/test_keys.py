"""Keys that are given to commands: pressed, refused, kept, shown, and left out where they make no sense."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QSettings, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app import keys
from app.commands import BINDINGS, EVERYWHERE
from app.formatting import Banner
from app.key_sequences import canonical, pressed, use_stored
from app.main_window import MainWindow
from app.preferences.dialog import PreferencesDialog
from tests.app.conftest import WAIT_MS
from tests.app.preferences.states import opened
from tests.app.test_looks import unnamed

NONE = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    yield
    keys.use({})


@pytest.fixture
def dialog(window: MainWindow, qtbot: QtBot) -> Iterator[PreferencesDialog]:
    made = opened(window)
    qtbot.addWidget(made)
    made.show()
    made.show_page(1)
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow, timeout=WAIT_MS)
    yield made
    made.done(0)


def choose(dialog: PreferencesDialog, name: str) -> None:
    entry = next(each for each in dialog.entries if each.key == f"keys/{name}")
    dialog.typed.setText("")
    dialog.keys.table.selectRow([each for each in dialog.entries if each.group == "Keys"].index(entry))


def test_usual_keys_are_as_qt_writes_them_and_none_is_refused() -> None:
    assert [key for one in BINDINGS for key in one.keys if canonical(key) != key] == []
    assert [why for one in keys.ASSIGNABLE if (why := keys.refusal(one.name, one.keys))] == []


@pytest.mark.parametrize(
    ("key", "held", "written"),
    [
        (Qt.Key.Key_F13, NONE, "F13"),
        (Qt.Key.Key_PageDown, NONE, "PgDown"),
        (Qt.Key.Key_B, NONE, "B"),
        (Qt.Key.Key_B, SHIFT, "Shift+B"),
        (Qt.Key.Key_Question, SHIFT, "?"),
        (Qt.Key.Key_5, Qt.KeyboardModifier.KeypadModifier, "5"),
        (Qt.Key.Key_Z, CONTROL | SHIFT, "Ctrl+Shift+Z"),
        (Qt.Key.Key_Shift, SHIFT, ""),
        (Qt.Key.Key_Tab, NONE, ""),
        (Qt.Key.Key_unknown, NONE, ""),
    ],
)
def test_what_is_pressed_is_written_as_it_is_read(
    key: Qt.Key, held: Qt.KeyboardModifier, written: str
) -> None:
    assert pressed(QKeyEvent(QEvent.Type.KeyPress, key, held)) == written


def test_a_foot_pedal_gets_a_command_and_every_place_shows_its_key(
    window: MainWindow, dialog: PreferencesDialog, settings_file: Path, new_window: Callable[[], MainWindow]
) -> None:
    choose(dialog, "open_file")
    dialog.keys.key_buttons[0].click()
    QTest.keyClick(dialog.keys.asks, Qt.Key.Key_F13)
    assert dialog.said == "Open file: F13. It counts at once."
    dialog.keys.add.click()
    QTest.keyClick(dialog.keys.asks, Qt.Key.Key_F14)
    assert keys.keys_of("open_file") == ("F13", "F14")
    action = window.actions_by_name["open_file"]
    assert [each.toString() for each in action.shortcuts()] == ["F13", "F14"]
    assert action.toolTip().endswith("(F13, F14)")
    assert "Play file …  (F13)" in [one.text() for one, *_ in window.start_page._with_keys]
    window.help.toggle("start")
    assert "F13   F14" in [label.text() for label in window.help.findChildren(QLabel)]
    window.settings.write()
    keys.use({})
    again = new_window()
    assert [each.toString() for each in again.actions_by_name["open_file"].shortcuts()] == ["F13", "F14"]


def test_the_pedal_acts(window: MainWindow, qtbot: QtBot) -> None:
    pressed_keys: list[bool] = []
    window.actions_by_name["full_screen"].triggered.connect(lambda *_: pressed_keys.append(True))
    assert window.use_keys({"full_screen": "F20"}) == ()
    qtbot.waitUntil(window.actions_by_name["full_screen"].isEnabled, timeout=WAIT_MS)
    QTest.keyClick(window, Qt.Key.Key_F)
    assert pressed_keys == [], "the usual key is free"
    QTest.keyClick(window, Qt.Key.Key_F20)
    assert len(pressed_keys) == 1


def test_banner_and_hints_say_the_key(window: MainWindow) -> None:
    window.use_keys({"source": "F15", "start_stop": "F16"})
    window.banner.show_banner(Banner("told", True, ("source", "start_stop", "change_folder"), ()))
    texts = [each.text() for each in window.banner._buttons]
    assert texts[:3] == ["Choose another source  (F15)", "Try again  (F16)", "Choose another folder"]


def test_a_key_of_another_command_is_refused_and_the_other_named(dialog: PreferencesDialog) -> None:
    choose(dialog, "freeze")
    dialog.keys.add.click()
    QTest.keyClick(dialog.keys.asks, Qt.Key.Key_F5)
    assert dialog.said == "“F5” is a key of “Capture” during a scan; give that another key first."
    assert keys.keys_of("freeze") == ("Space", "F4", "PgUp")
    dialog.keys.add.click()
    QTest.keyClick(dialog.keys.asks, Qt.Key.Key_7)
    assert dialog.said == "“7” names a plane during a scan; choose another key."


def test_a_key_that_is_taken_away_can_be_given_to_another_and_taken_back(
    dialog: PreferencesDialog,
) -> None:
    choose(dialog, "capture")
    at = [each.text() for each in dialog.keys.key_buttons].index("Page down")
    dialog.keys.key_buttons[at].click()
    dialog.keys.take_away.click()
    assert "PgDown" not in keys.keys_of("capture")
    choose(dialog, "freeze")
    dialog.keys.add.click()
    QTest.keyClick(dialog.keys.asks, Qt.Key.Key_PageDown)
    assert keys.keys_of("freeze") == ("Space", "F4", "PgUp", "PgDown")
    choose(dialog, "capture")
    dialog.keys.reset.click()
    assert "“Page down” is a key of “Freeze”" in dialog.said
    dialog.reset_all.click()
    assert all(keys.is_usual(one.name) for one in BINDINGS)
    dialog.take_back()
    assert keys.keys_of("freeze")[-1] == "PgDown"


def test_esc_and_a_click_elsewhere_leave_the_key_as_it_was(dialog: PreferencesDialog) -> None:
    choose(dialog, "freeze")
    dialog.keys.key_buttons[0].click()
    assert dialog.keys.asks.isVisible()
    QTest.keyClick(dialog.keys.asks, Qt.Key.Key_Escape)
    assert dialog.isVisible(), "Esc leaves one thing at each press"
    assert not dialog.keys.asks.isVisible()
    dialog.keys.key_buttons[0].click()
    dialog.typed.setFocus()
    assert not dialog.keys.asks.isVisible()
    dialog.keys.key_buttons[0].click()
    QTest.keyClick(dialog.keys.asks, Qt.Key.Key_Tab)
    assert "cannot be used" in dialog.said
    assert keys.keys_of("freeze") == ("Space", "F4", "PgUp")


def test_the_last_key_stays_and_esc_always_leads_back() -> None:
    assert "needs a key" in keys.refusal("quit", ())
    assert keys.refusal("escape", ("F9",)) == "Esc always leads back, so it stays."
    assert keys.refusal("escape", ("Esc", "F19")) == ""
    assert "the most" in keys.refusal("quit", tuple(f"F{n}" for n in range(13, 20)))


def test_the_keys_that_name_planes_are_nobody_elses(dialog: PreferencesDialog) -> None:
    names = {each.key for each in dialog.entries if each.group == "Keys"}
    assert not [name for name in names if "/name_" in name or "/class_" in name]
    assert {f"keys/{one.name}" for one in keys.ASSIGNABLE} == names


@pytest.mark.parametrize(
    ("stored", "sentence"),
    [
        ({"capture": "Ctrl+Foo"}, "The keys stored for “Capture” make no sense; its usual ones count."),
        ({"capture": "F13 Tab"}, "The keys stored for “Capture” make no sense"),
        ({"toast": "F13"}, "The keys stored for “toast” make no sense"),
        ({"class_1": "F13"}, "The keys stored for “Name” make no sense"),
        ({"freeze": "C"}, "The keys stored for “Freeze” cannot be: “C” is a key of “Capture” during a scan"),
        ({"freeze": "F13", "capture": "F13"}, "cannot be: “F13” is a key of"),
    ],
)
def test_what_is_stored_and_cannot_be_is_told_and_the_usual_keys_count(
    stored: dict[str, str], sentence: str
) -> None:
    (told,) = use_stored(stored)
    assert told.startswith(sentence) or sentence in told
    assert told.endswith("its usual ones count. Choose others in the preferences.")
    for page in EVERYWHERE:
        taken = [key for one in BINDINGS if page in one.pages for key in keys.keys_of(one.name)]
        assert len(taken) == len(set(taken)), page


def test_two_commands_may_change_their_keys_with_each_other() -> None:
    assert use_stored({"freeze": "C", "capture": "Space"}) == ()
    assert (keys.keys_of("freeze"), keys.keys_of("capture")) == (("C",), ("Space",))


def test_a_bad_value_in_the_settings_is_told_in_the_window(
    settings_file: Path, new_window: Callable[[], MainWindow], qtbot: QtBot
) -> None:
    store = QSettings(str(settings_file), QSettings.Format.IniFormat)
    store.setValue("keys/capture", "nonsense")
    store.sync()
    window = new_window()
    qtbot.waitUntil(lambda: window.banner.shown is not None, timeout=WAIT_MS)
    assert window.banner.shown is not None
    assert "“Capture” make no sense" in window.banner.shown.text
    assert QKeySequence("C") in window.actions_by_name["capture"].shortcuts()


def test_keys_are_found_by_name_and_by_key(dialog: PreferencesDialog) -> None:
    dialog.show_page(0)
    dialog.typed.setText("f11")
    assert dialog.keys.table.rowCount() == 1
    assert dialog.tabs[1].isChecked()
    assert dialog.tabs[1].text() == "Keys (1)"


def test_everything_on_the_page_has_a_name(dialog: PreferencesDialog) -> None:
    choose(dialog, "capture")
    assert unnamed(dialog) == []
