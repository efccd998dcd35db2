"""Dialogs for files and folders begin where the user last was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from app.file_dialogs import Chooser, PathDialog, begin_in
from app.preferences.dialog import PreferencesDialog
from app.settings import Settings
from semc_core.session.erasing.remembered import forget_source


@pytest.fixture
def chooser(qtbot: QtBot, settings_file: Path) -> Chooser:
    return Chooser(shown(qtbot), kept(settings_file))


def kept(settings_file: Path) -> Settings:
    return Settings(QSettings(str(settings_file), QSettings.Format.IniFormat))


def shown(qtbot: QtBot) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    return window


def opened(chooser: Chooser) -> QFileDialog:
    assert chooser.paths.dialog is not None
    return chooser.paths.dialog


def choose(chooser: Chooser, path: Path) -> None:
    """As the user does: what is chosen is told, then the dialog is closed."""
    opened(chooser).filesSelected.emit([str(path)])
    opened(chooser).reject()


def begun_in(chooser: Chooser) -> Path:
    folder = Path(opened(chooser).directory().absolutePath())
    opened(chooser).reject()
    return folder


def no_use(path: str) -> None:
    """Nothing comes of it."""


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    made = {name: tmp_path / name for name in ("home", "loops", "stills", "models", "data", "output")}
    for folder in made.values():
        folder.mkdir()
    # Not by the environment: Qt would keep the place of the settings that it finds by it.
    monkeypatch.setattr(Path, "home", lambda: made["home"])
    return made


def test_at_first_a_dialog_begins_at_home(chooser: Chooser, folders: dict[str, Path]) -> None:
    chooser.loop_to_play(no_use)
    assert begun_in(chooser) == folders["home"]


def test_each_kind_has_its_own_place_also_after_the_next_start(
    qtbot: QtBot, chooser: Chooser, folders: dict[str, Path], settings_file: Path
) -> None:
    told: list[str] = []
    for ask, path in (
        (chooser.loop_to_play, folders["loops"] / "a, b.mp4"),
        (chooser.images_to_play, folders["stills"] / "monday"),
        (chooser.model, folders["models"] / "mine.safetensors"),
        (chooser.data, folders["data"] / "planes"),
        (chooser.output, folders["output"] / "scans"),
    ):
        ask(told.append)
        choose(chooser, path)
    assert [Path(each).name for each in told] == ["a, b.mp4", "monday", "mine.safetensors", "planes", "scans"]
    again = Chooser(shown(qtbot), kept(settings_file))
    asked: list[Path] = []
    questions: tuple[Callable[[Any], object], ...] = (
        again.loop_to_play, again.loops_to_review, again.images_to_play, again.folder_to_review,
        again.model, again.data, again.output,
    )  # fmt: skip
    for question in questions:
        question(no_use)
        asked.append(begun_in(again))
    assert [each.name for each in asked] == ["loops", "loops", "stills", "stills", "models", "data", "output"]


def test_what_is_cancelled_is_no_place(chooser: Chooser, folders: dict[str, Path]) -> None:
    chooser.loop_to_play(no_use)
    choose(chooser, folders["loops"] / "a.mp4")
    chooser.loop_to_play(no_use)
    opened(chooser).setDirectory(str(folders["stills"]))
    opened(chooser).reject()
    chooser.loop_to_play(no_use)
    assert begun_in(chooser) == folders["loops"]


def test_of_a_place_that_is_gone_the_nearest_folder_above_it_is_taken_else_home(
    folders: dict[str, Path],
) -> None:
    loops, home = folders["loops"], folders["home"]
    (loops / "a.mp4").touch()
    assert begin_in(str(loops)) == loops
    assert begin_in(str(loops / "stick" / "2026" / "november")) == loops
    assert begin_in(str(loops / "a.mp4")) == loops
    assert begin_in("/no-such-stick-here/loops") == home
    for wrong in ("", "loops", "\0", str(loops / ("x" * 300))):
        assert begin_in(wrong) == (loops if len(wrong) > 300 else home)


def test_what_is_forgotten_of_what_was_opened_is_forgotten_of_where_it_lay(
    chooser: Chooser, folders: dict[str, Path], settings_file: Path
) -> None:
    chooser.loop_to_play(no_use)
    choose(chooser, folders["loops"] / "a.mp4")
    settings = kept(settings_file)
    assert settings.place("loop") == str(folders["loops"])
    settings.forget_sources()
    settings.write()
    assert "loops" not in settings_file.read_text(encoding="utf-8")


def test_the_preferences_know_where_scans_were_kept_and_an_export_begins_beside_the_last(
    qtbot: QtBot, chooser: Chooser, folders: dict[str, Path], settings_file: Path
) -> None:
    chooser.output(no_use)
    choose(chooser, folders["output"] / "scans")
    window = shown(qtbot)
    dialog = PreferencesDialog((), lambda: False, window, kept(settings_file))
    dialog._paths.ask_folder("Folder", no_use, "output")
    assert dialog._paths.dialog is not None
    assert dialog._paths.dialog.directory().absolutePath() == str(folders["output"])
    dialog._paths.dialog.reject()

    alone: list[str] = []
    paths = PathDialog(window)
    paths.ask_folder("Where to export", alone.append, beside=folders["data"] / "gone" / "exports")
    assert paths.dialog is not None
    assert paths.dialog.directory().absolutePath() == str(folders["data"])
    paths.dialog.reject()


def test_with_a_forgotten_session_the_places_go_and_nothing_else(
    chooser: Chooser, folders: dict[str, Path], settings_file: Path
) -> None:
    chooser.loop_to_play(no_use)
    choose(chooser, folders["loops"] / "a.mp4")
    chooser.model(no_use)
    choose(chooser, folders["models"] / "mine.safetensors")
    settings = kept(settings_file)
    settings.remember_source("simulated:7")
    settings.write()
    forget_source([settings_file], ())
    assert kept(settings_file).place("loop") == str(folders["loops"])
    forget_source([settings_file], {str(folders["loops"] / "a.mp4")})
    text = settings_file.read_text(encoding="utf-8")
    assert str(folders["loops"]) not in text
    assert str(folders["models"]) not in text
    assert "recent0=simulated:7" in text
