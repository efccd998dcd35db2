"""A network of another program, chosen as a model: imported, used, and refused in a sentence."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.start import importing
from app.start.importing import ModelImport
from semc_core.model.file import read_spec
from semc_core.model.registry import ModelRegistry
from tests.app.conftest import WAIT_MS
from tests.app.main_thread import PostedWork
from tests.model.checkpoints import sononet_checkpoint


@pytest.fixture
def work() -> PostedWork:
    return PostedWork()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def imports(tmp_path: Path, work: PostedWork, said: list[str]) -> Iterator[ModelImport]:
    made = ModelImport(lambda: ModelRegistry(tmp_path / "models"), work.post, said.append, said.append)
    yield made
    made.close()


@pytest.mark.long
def test_a_sononet_is_chosen_in_the_window_and_becomes_the_model_of_the_next_scan(
    qtbot: QtBot, new_window: Callable[[], MainWindow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "SonoNet16.pth"
    torch.save(sononet_checkpoint(), path)
    window = new_window()
    monkeypatch.setattr(window.choose, "model", lambda use: use(str(path)))
    window.start_page.model_wanted.emit()
    qtbot.waitUntil(
        lambda: window.banner.shown is not None and "is being imported" in window.banner.shown.text,
        timeout=WAIT_MS,
    )
    before = window.choices.model
    qtbot.waitUntil(lambda: window.choices.model != before, timeout=3 * WAIT_MS)
    (version,) = window.choices.registry.versions()
    assert window.choices.model == window.choices.registry.path(version)
    assert version.note == "SonoNet16.pth"
    spec = read_spec(window.choices.model)
    assert (spec.architecture.kind, spec.none_class) == ("sononet", "Background")
    qtbot.waitUntil(
        lambda: window.banner.shown is not None and "SonoNet16.pth is imported." in window.banner.shown.text,
        timeout=WAIT_MS,
    )
    assert window.start_page.model_title.startswith("Your model, version 1")


def test_what_is_no_checkpoint_is_used_as_it_is(imports: ModelImport, said: list[str]) -> None:
    used: list[str] = []
    imports.take("/models/own.safetensors", used.append)
    assert (used, said) == (["/models/own.safetensors"], [])


def test_what_is_refused_is_told_in_the_words_of_the_command_and_nothing_is_used(
    imports: ModelImport, work: PostedWork, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[str] = []
    # As the command ends with a damaged file: see tests/model/test_importers.py.
    command = "import sys; print('a warning', file=sys.stderr); sys.exit('semc: damaged.pth is damaged.')"
    monkeypatch.setattr(importing, "own_command", lambda: [sys.executable, "-c", command])
    imports.take(str(tmp_path / "damaged.pth"), used.append)
    work.run_until(lambda: len(said) == 3)
    assert said[:2] == ["damaged.pth is being imported as a model; the window goes on meanwhile.", ""]
    assert said[2] == "damaged.pth is damaged."
    assert used == []
    assert ModelRegistry(tmp_path / "models").versions() == ()


def test_one_whose_planes_have_no_names_is_left_to_the_command(
    imports: ModelImport, work: PostedWork, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As the command ends where the names of the classes are to be given: see tests/model/test_importers.py.
    monkeypatch.setattr(importing, "own_command", lambda: [sys.executable, "-c", "import sys; sys.exit(2)"])
    imports.take(str(tmp_path / "released.pth.tar"), lambda path: None)
    work.run_until(lambda: len(said) == 3)
    assert "semc model import, which takes their names" in said[2]


def test_without_pytorch_it_is_said_how_to_get_it(
    imports: ModelImport, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "installed", lambda name: False)
    imports.take("/networks/SonoNet16.pth", lambda path: None)
    (sentence,) = said
    assert sentence.startswith("Importing a network needs PyTorch")


def test_a_window_that_closes_does_not_wait_for_it(
    imports: ModelImport, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = "import time; time.sleep(600)"
    monkeypatch.setattr(importing, "own_command", lambda: [sys.executable, "-c", command])
    imports.take(str(tmp_path / "SonoNet16.pth"), lambda path: None)
    imports.close()
    assert ModelRegistry(tmp_path / "models").versions() == ()
