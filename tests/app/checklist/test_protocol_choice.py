"""What the model knows of the protocol: another model, or a mended one, is looked at anew."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings

from app.checklist import protocol_choice
from app.checklist.protocol_choice import ProtocolChoice
from app.choices import Choices
from app.scan_options import Overrides
from app.settings import Settings
from tests.app.main_thread import PostedWork


@pytest.fixture
def thread() -> PostedWork:
    return PostedWork()


@pytest.fixture
def looking(tmp_path: Path, thread: PostedWork) -> ProtocolChoice:
    stored = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    return ProtocolChoice(Choices(Settings(stored), Overrides(data=tmp_path)), thread.post)


def test_a_model_that_something_was_wrong_with_is_looked_at_again(
    looking: ProtocolChoice, thread: PostedWork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[tuple[str, ...] | str] = ["It is damaged.", "It is of no use."]
    monkeypatch.setattr(protocol_choice, "_planes_of", lambda model: found.pop(0))
    told: list[tuple[str, bool]] = []
    looking.on_note = lambda: told.append(looking.note)
    looking.look_at_model(tmp_path / "model")
    thread.run_until(lambda: told[-1:] == [("It is damaged.", True)])
    looking.look_at_model(tmp_path / "model")
    thread.run_until(lambda: told[-1:] == [("It is of no use.", True)])
    looking.close()
    assert not found


def test_a_model_chosen_while_another_is_looked_at_is_the_one_that_is_told_of(
    looking: ProtocolChoice, thread: PostedWork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def named(model: Path) -> str:
        assert go_on.wait(30)
        return model.name

    monkeypatch.setattr(protocol_choice, "_planes_of", named)
    told: list[str] = []
    looking.on_note = lambda: told.append(looking.note[0])
    looking.look_at_model(tmp_path / "first")
    looking.look_at_model(tmp_path / "second")
    go_on.set()
    thread.run_until(lambda: "second" in told)
    looking.close()
    assert "first" not in told
