"""The settings of a site: written, read, locked, shown as set by the site, left out where damaged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app import keys
from app.main_window import MainWindow
from app.preferences.presenter import BY_SITE, Link
from app.scan_options import Overrides
from app.settings import Settings
from app.site import of_this_computer, read_site
from semc_core.errors import UsageError
from semc_core.io.video_quality import Quality
from semc_core.paths import site_file
from semc_core.session.erasing.rule import Retention
from tests.app.preferences.states import opened

HEAD = {"format": "semc-live-site", "version": 1}


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    yield
    keys.use({})


def written(folder: Path, **said: object) -> Path:
    path = folder / "site.json"
    path.write_text(json.dumps(HEAD | said), encoding="utf-8")
    return path


def settings_under(site: Path, file: Path) -> Settings:
    return Settings(QSettings(str(file), QSettings.Format.IniFormat), *of_this_computer(site))


def link(window: MainWindow, title: str) -> Link:
    return next(
        each for each in window.dialogs.preferred() if isinstance(each, Link) and each.title.startswith(title)
    )


def test_what_the_site_has_set_wins_and_stays(settings_file: Path, tmp_path: Path) -> None:
    user = Settings(QSettings(str(settings_file), QSettings.Format.IniFormat))
    user.quality, user.protocol, user.theme = Quality.COMPACT, "", "dark"
    user.write()
    site = written(
        tmp_path,
        quality="lossless",
        protocol="auto",
        keep_days=30,
        clips=False,
        tone=True,
        theme="light",
        text_percent=150,
    )
    settings = settings_under(site, settings_file)
    assert settings.faults == ()
    assert (settings.quality, settings.protocol, settings.clips) == (Quality.LOSSLESS, "auto", False)
    assert (settings.theme, settings.text_percent, settings.tone) == ("light", 150, True)
    assert settings.retention == Retention(days=30)
    settings.quality, settings.device = Quality.COMPACT, "cpu"
    settings.write()
    assert (settings.quality, settings.device) == (Quality.LOSSLESS, "cpu")
    without = settings_under(tmp_path / "none.json", settings_file)
    assert (without.quality, without.protocol, without.theme) == (Quality.COMPACT, "", "dark"), (
        "kept for later"
    )


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"password": "x"}, "unknown field 'password'"),
        ({"quality": "best"}, "'quality' must be 'compact' or 'lossless'"),
        ({"output_folder": "scans"}, "must be a whole path"),
        ({"version": 2}, "is of a newer version of this program"),
        ({"keys": [{"command": "class_1", "keys": ["F13"]}]}, "'keys[0].command'"),
    ],
)
def test_a_bad_file_is_told_and_nothing_of_it_counts(
    said: dict[str, object], why: str, settings_file: Path, tmp_path: Path
) -> None:
    site = written(tmp_path, **({"clips": False} | said))
    settings = settings_under(site, settings_file)
    (told,) = settings.faults
    assert why in told
    assert str(site) in told
    assert settings.clips
    with pytest.raises(UsageError, match=r"site\.json"):
        read_site(site)


def test_the_window_starts_with_a_bad_file_and_says_so(
    qtbot: QtBot, settings_file: Path, tmp_path: Path, fhp1_model: Path
) -> None:
    site = tmp_path / "site.json"
    site.write_bytes(b"{")
    window = MainWindow(
        settings_under(site, settings_file), Overrides(fhp1_model, "cpu", tmp_path, data=tmp_path / "data")
    )
    qtbot.addWidget(window)
    try:
        window.tick()
        assert window.banner.shown is not None
        assert "administrator corrects the file" in window.banner.shown.text
    finally:
        window.close()


def test_what_is_locked_is_shown_so_everywhere_and_cannot_be_changed(
    qtbot: QtBot, settings_file: Path, tmp_path: Path, fhp1_model: Path
) -> None:
    said = {"quality": "lossless", "keep_days": 30, "keys": [{"command": "freeze", "keys": ["F13"]}]}
    settings = settings_under(written(tmp_path, **said), settings_file)
    window = MainWindow(settings, Overrides(fhp1_model, None, tmp_path, data=tmp_path / "data"))
    qtbot.addWidget(window)
    dialog = opened(window)
    qtbot.addWidget(dialog)
    try:
        row = dialog.rows["record/quality"]
        assert not row.field.isEnabled()
        assert not row.reset.isEnabled()
        assert any(BY_SITE in label.text() for label in row.findChildren(QLabel))
        assert not dialog.rows["sessions/keep"].field.isEnabled()
        assert dialog.rows["record/clips"].field.isEnabled()
        start = window.start_page
        assert not start.recording.quality.isEnabled()
        assert not start.keeping.choice.isEnabled()
        assert start.recording.clips.isEnabled()
        assert keys.keys_of("freeze") == ("F13",)
        dialog.reset_all.click()
        assert settings.quality is Quality.LOSSLESS
        assert keys.keys_of("freeze") == ("F13",)
        window.choices.use_quality(Quality.COMPACT)
        assert window.choices.quality is Quality.LOSSLESS
    finally:
        dialog.done(0)
        window.close()


def test_settings_are_written_to_a_file_and_taken_from_it_and_taken_back(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    dialog = opened(window)
    qtbot.addWidget(dialog)
    by_key = {each.key: each for each in dialog.entries}
    dialog.change(by_key["record/quality"], "lossless")
    dialog.change(by_key["sessions/keep"], "90 0")
    dialog.change(by_key["keys/freeze"], "F13 Space")
    folder = tmp_path / "export"
    folder.mkdir()
    dialog._do(link(window, "Export"), str(folder))
    path = folder / "site.json"
    assert str(path) in dialog.said
    said = json.loads(path.read_text(encoding="utf-8"))
    assert (said["quality"], said["keep_days"], said["format"]) == ("lossless", 90, "semc-live-site")
    assert said["keys"] == [{"command": "freeze", "keys": ["F13", "Space"]}]
    dialog._do(link(window, "Export"), str(folder))
    assert "choose another folder" in dialog.said
    dialog.reset_everything()
    dialog._do(link(window, "Import"), str(path))
    assert window.choices.quality is Quality.LOSSLESS
    assert window.settings.retention == Retention(days=90)
    assert keys.keys_of("freeze") == ("F13", "Space")
    dialog.take_back()
    assert (keys.keys_of("freeze"), window.settings.retention) == (("Space", "F4", "PgUp"), Retention())
    path.write_bytes(b"[]")
    dialog._do(link(window, "Import"), str(path))
    assert "cannot be used" in dialog.said
    dialog.done(0)


def test_the_file_is_where_the_page_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "install.md").read_text(encoding="utf-8")
    monkeypatch.delenv("SEMC_SITE_FILE", raising=False)
    for system, start in {"linux": "/etc/semc-live/", "darwin": "/Library/Application Support/"}.items():
        monkeypatch.setattr("sys.platform", system)
        assert site_file().as_posix().startswith(start)
        assert site_file().as_posix() in page
    assert "%PROGRAMDATA%\\semc-live\\site.json" in page
    monkeypatch.setenv("SEMC_SITE_FILE", str(tmp_path / "own.json"))
    assert site_file() == tmp_path / "own.json"
