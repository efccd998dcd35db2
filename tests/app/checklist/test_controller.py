"""What the model knows of the protocol: another model, or a mended one, is looked at anew."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from pytestqt.qtbot import QtBot

from app.checklist import controller
from app.checklist.controller import Protocols
from app.settings import Choices, Overrides, Settings

WAIT_MS = 30_000


@pytest.fixture
def looking(tmp_path: Path) -> Protocols:
    stored = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    return Protocols(Choices(Settings(stored), Overrides(data=tmp_path)), lambda text: None)


def wait_for(qtbot: QtBot, looking: Protocols, note: str) -> None:
    def there() -> bool:
        looking.poll()
        return looking.note == (note, True)

    qtbot.waitUntil(there, timeout=WAIT_MS)


def test_a_model_that_something_was_wrong_with_is_looked_at_again(
    looking: Protocols, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    found: list[tuple[str, ...] | str] = ["It is damaged.", "It is of no use."]
    monkeypatch.setattr(controller, "_planes_of", lambda model: found.pop(0))
    looking.look_at_model(tmp_path / "model")
    wait_for(qtbot, looking, "It is damaged.")
    looking.look_at_model(tmp_path / "model")
    wait_for(qtbot, looking, "It is of no use.")
    looking.close()
    assert not found


def test_a_model_chosen_while_another_is_looked_at_is_looked_at_next(
    looking: Protocols, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    go_on = threading.Event()

    def named(model: Path) -> str:
        assert go_on.wait(5)
        return model.name

    monkeypatch.setattr(controller, "_planes_of", named)
    looking.look_at_model(tmp_path / "first")
    looking.look_at_model(tmp_path / "second")
    go_on.set()
    wait_for(qtbot, looking, "second")
    looking.close()
