"""What is scanned: the choice on the start page, what is told of it, and the protocol that it brings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from app.choices import Choices
from app.main_window import MainWindow
from app.scan_options import Overrides
from app.settings import Settings
from app.start.models import model_choices
from semc_core.model.registry import INDEX_NAME, ModelRegistry
from semc_core.paths import DEFAULT_MODEL
from semc_core.protocols.loader import load_protocols
from tests.app.conftest import WAIT_MS
from tests.model.verified import write_verified

FETAL = ("Brain(Tv)", "Brain(Cb)", "Lips", "4CH", "LVOT", "RVOT", "NSP")


def choice_of(window: MainWindow) -> QComboBox:
    combos = window.start_page.findChildren(QComboBox)
    return next(each for each in combos if each.accessibleName() == "What is scanned")


def titles(combo: QComboBox) -> list[str]:
    return [combo.itemText(at) for at in range(combo.count())]


def pick(combo: QComboBox, words: str) -> None:
    at = next(at for at, title in enumerate(titles(combo)) if words in title)
    combo.setCurrentIndex(at)
    combo.activated.emit(at)


def test_every_model_is_offered_with_a_line_and_the_choice_is_used_and_remembered(
    qtbot: QtBot,
    new_window: Callable[[], MainWindow],
    tmp_path: Path,
    tiny_model_path: Path,
    settings_file: Path,
) -> None:
    own = write_verified(
        tmp_path / "own.safetensors", tiny_model_path,
        provenance={"scanned": "Liver, by us", "data": "our scans", "protocol": "adult-echo"},
        metrics={"in_words": "good enough"},
    )  # fmt: skip
    version = ModelRegistry(tmp_path / "data" / "models").add(own, name="ours")
    window = new_window()
    combo = choice_of(window)
    qtbot.waitUntil(lambda: any("ours" in title for title in titles(combo)), timeout=WAIT_MS)
    assert titles(combo)[:2] == ["Fetal mid-trimester · fetal", "Liver, six planes (LP2025) · live"]
    assert "Your model, version 1 · Liver, by us · ours" in titles(combo)
    assert titles(combo)[-1] == "always_fhp1.safetensors", "a file that was named is there, too"
    pick(combo, "ours")
    assert window.start_page.model_title.startswith(f"{window.choices.model_title} · "), "one name, always"
    assert window.start_page.model_line == "6 planes; our scans; good enough."
    assert window.choices.model == tmp_path / "data" / "models" / version.file
    assert window.choices.protocol == "adult-echo", "the model says that it was made for this one"
    pick(combo, "live")
    assert window.choices.model == DEFAULT_MODEL
    assert window.choices.protocol == "auto"
    pick(combo, "ours")
    window.settings.write()
    later = Choices(
        Settings(QSettings(str(settings_file), QSettings.Format.IniFormat)), Overrides(data=tmp_path / "data")
    )
    assert later.model == tmp_path / "data" / "models" / version.file


def test_what_ships_can_be_chosen_while_another_is_in_use(tmp_path: Path, tiny_model_path: Path) -> None:
    store = QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat)
    choices = Choices(Settings(store), Overrides(data=tmp_path))
    registry = ModelRegistry(tmp_path / "models")
    version = registry.add(tiny_model_path, use=True)
    assert choices.look_again()
    assert choices.model == registry.path(version)
    choices.use_model(str(DEFAULT_MODEL))
    assert choices.model == DEFAULT_MODEL
    assert store.value("model/file") == "semc_live", "kept by its name: the program may be moved"
    choices.use_model(str(registry.path(version)))
    assert store.value("model/file") == "", "what is in use is followed"
    assert choices.model == registry.path(version)
    registry.rollback()
    assert choices.look_again()
    assert choices.model == DEFAULT_MODEL


def test_settings_of_earlier_versions_name_a_file(tmp_path: Path, tiny_model_path: Path) -> None:
    store = QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat)
    store.setValue("model/file", str(tiny_model_path))
    assert Choices(Settings(store), Overrides(data=tmp_path)).model == tiny_model_path


def test_a_model_that_was_changed_is_shown_and_cannot_be_chosen(
    qtbot: QtBot, new_window: Callable[[], MainWindow], tmp_path: Path, tiny_model_path: Path
) -> None:
    folder = tmp_path / "data" / "models"
    version = ModelRegistry(folder).add(tiny_model_path, name="ours")
    (folder / version.file).write_bytes(b"changed")
    window = new_window()
    combo = choice_of(window)
    title = "Your model, version 1 · ours"
    qtbot.waitUntil(lambda: title in titles(combo), timeout=WAIT_MS)
    item = combo.model().index(titles(combo).index(title), 0)
    assert not combo.model().flags(item) & Qt.ItemFlag.ItemIsEnabled
    assert "was changed" in str(item.data(Qt.ItemDataRole.ToolTipRole))


def test_a_damaged_list_of_ones_own_leaves_what_ships(tmp_path: Path) -> None:
    (tmp_path / INDEX_NAME).write_text("{", encoding="utf-8")
    found = model_choices(ModelRegistry(tmp_path), load_protocols())
    assert [each.path.name for each in found] == ["fetal.safetensors", DEFAULT_MODEL.name]
    assert found[1].line.startswith("6 planes; simulated scans")
    assert "right in a country never seen" in found[0].line


def test_no_protocol_stays_no_protocol(qtbot: QtBot, new_window: Callable[[], MainWindow]) -> None:
    window = new_window()
    window.checklists.follow("")
    combo = choice_of(window)
    qtbot.waitUntil(lambda: combo.count() > 1, timeout=WAIT_MS)
    pick(combo, "live")
    assert window.choices.protocol == ""
