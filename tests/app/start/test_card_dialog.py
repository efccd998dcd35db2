"""Mode and picture options of a capture card: chosen in the window, kept, used by scans."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.choices import Choices
from app.live.controller import ScanController, new_pipeline
from app.live.presenter import status_items, with_card
from app.main_window import MainWindow
from app.scan_options import CardChoice, Overrides, ScanOptions
from app.settings import Settings
from app.start.card_dialog import CardDialog
from app.start.recent import CardModes, card_modes
from semc_core.errors import SourceError
from semc_core.picture_options import PictureOptions
from semc_core.pipeline.state import Phase, PipelineState, Spread, Statistics
from semc_core.sources.open import open_source, remembered_by
from semc_core.types import CaptureInfo, Crop, SourceInfo
from tests.app.conftest import WAIT_MS
from tests.app.main_thread import PostedWork

CARD = """version = 1
[[device]]
identity = "cheap@port-1"
modes = ["160x120@50,yuyv", "320x240@50,mjpg", "160x120@100,mjpg"]
content = "count"
"""
CHOICE = CardChoice("160x120@100,mjpg", PictureOptions(aspect="16:9", flip="180"))


@pytest.fixture
def source(tmp_path: Path) -> str:
    (tmp_path / "card.toml").write_text(CARD, encoding="utf-8")
    return f"camera:simulated:{tmp_path / 'card.toml'}"


def settings_at(path: Path) -> Settings:
    return Settings(QSettings(str(path), QSettings.Format.IniFormat))


def test_what_is_chosen_is_kept_by_what_the_card_is(settings_file: Path) -> None:
    settings = settings_at(settings_file)
    settings.remember_card("usb-1:2@place/3", CHOICE)
    settings.write()
    again = settings_at(settings_file)
    assert again.card("usb-1:2@place/3") == CHOICE
    assert again.card("usb-1:2@place/4") == CardChoice()
    assert again.cards() == {"usb-1:2@place/3": CHOICE}


def test_what_makes_no_sense_is_as_if_nothing_was_chosen(settings_file: Path) -> None:
    store = QSettings(str(settings_file), QSettings.Format.IniFormat)
    store.setValue("card/a_mode", "0x0")
    store.setValue("card/b_picture", "range=tv")
    assert Settings(store).cards() == {"a": CardChoice(), "b": CardChoice()}


def test_a_scan_asks_the_card_for_what_was_chosen_unless_something_else_is_typed(
    source: str, tmp_path: Path, fhp1_model: Path, settings_file: Path
) -> None:
    settings = settings_at(settings_file)
    settings.remember_card("cheap@port-1", CHOICE)
    typed = Overrides(fhp1_model, "cpu", tmp_path, mode="320x240", options=PictureOptions(range="full"))
    for overrides, size, read_so in (
        (Overrides(fhp1_model, "cpu", tmp_path), (213, 120), CHOICE.options),
        (typed, (320, 240), PictureOptions(range="full")),
    ):
        pipeline = new_pipeline(Choices(settings, overrides).options(source))
        with closing(pipeline._source_factory()) as opened:
            assert (opened.info.width, opened.info.height) == size
            assert opened.info.picture_options == read_so
    assert ScanOptions(source, fhp1_model, "cpu", tmp_path).for_source("cheap@port-1") == CardChoice()


def test_the_window_shows_modes_and_measured_rate_and_keeps_what_is_chosen(
    window: MainWindow, source: str, qtbot: QtBot
) -> None:
    window.start_page.card_wanted.emit(source, "0  Cheap card")
    (dialog,) = window.findChildren(CardDialog)
    assert dialog.note.text() == "Asking the card for its modes \u2026"
    assert not dialog.save.isEnabled()
    qtbot.waitUntil(dialog.save.isEnabled, timeout=WAIT_MS)
    offered = [dialog.mode.itemText(at) for at in range(dialog.mode.count())]
    assert offered == [
        "the best (320x240@50,mjpg)", "160x120@50,yuyv", "320x240@50,mjpg", "160x120@100,mjpg",
    ]  # fmt: skip
    dialog.mode.setCurrentIndex(3)
    for field in ("aspect", "flip"):
        box = dialog.fields[field]
        box.setCurrentIndex(box.findData(getattr(CHOICE.options, field)))
    dialog.accept()
    assert window.settings.card("cheap@port-1") == CHOICE


def test_a_card_that_is_scanned_from_says_what_it_gives(qtbot: QtBot, settings_file: Path) -> None:
    settings = settings_at(settings_file)
    settings.remember_card("a", CHOICE)
    dialog = CardDialog("A card", settings)
    qtbot.addWidget(dialog)
    dialog.show_card(CardModes("a", (), ""), CaptureInfo("b", "", 1, 160, 120, 50.0))
    assert dialog.given.isHidden(), "it is another"
    assert dialog.choice == CHOICE, "also a mode that it does not tell of now"
    dialog.show_card(CardModes("a", (), ""), CaptureInfo("a", "160x120@100,mjpg", 1, 160, 120, 50.0))
    assert dialog.given.text() == (
        "Now it gives 160x120 at 50 frames/s, measured; 160x120@100,mjpg was asked for."
    )


def test_a_dialog_that_was_closed_is_not_written_to(qtbot: QtBot, settings_file: Path) -> None:
    dialog = CardDialog("A card", settings_at(settings_file))
    dialog.show()
    dialog.reject()
    qtbot.wait(10)
    dialog.show_card(CardModes("a", (), ""), None)
    dialog.show_fault("It is gone.")


class Sized:
    """A scan of a card whose pictures may change their size, and which says what region it was told."""

    def __init__(self) -> None:
        self.state = PipelineState(Phase.RUNNING)
        self.session = None
        self.told: list[Crop | None] = []
        self.become(320, 240)

    def become(self, width: int, height: int) -> None:
        capture = CaptureInfo("card@a", width=width, height=height)
        self.source_info = SourceInfo("a", "camera", width, height, None, None, live=True, capture=capture)

    def set_crop(self, crop: Crop | None) -> None:
        self.told.append(crop)

    def start(self) -> None:
        """Nothing is to be begun."""

    def stop(self) -> None:
        """Nothing is to be ended."""


def test_when_the_size_changes_in_the_middle_the_region_of_the_new_size_is_taken(
    settings_file: Path, tmp_path: Path
) -> None:
    settings = settings_at(settings_file)
    large, small = Crop(0, 0, 200, 200), Crop(5, 5, 60, 60)
    settings.remember_crop("camera", 320, 240, large, "card@a")
    settings.remember_crop("camera", 160, 120, small, "card@a")
    settings.remember_crop("camera", 640, 480, small, "card@b")
    scan, thread = Sized(), PostedWork()
    control = ScanController(thread.post, settings, lambda options: cast("Any", scan))
    control.begin(ScanOptions("camera:a", tmp_path, "cpu", tmp_path))
    for size, told in (((320, 240), large), ((160, 120), small), ((640, 480), None), ((320, 240), large)):
        scan.become(*size)
        control.tick()
        control.tick()
        assert scan.told[-1] == told
        assert control.region_by_hand == (told is not None)
    assert scan.told == [large, small, None, large], "each once"
    control.close()


def test_each_stream_has_its_own_region_by_its_address(settings_file: Path, tmp_path: Path) -> None:
    settings = settings_at(settings_file)

    def scanned(address: str, region: Crop | None = None) -> Crop | None:
        """What a scan of this address is told at first; then the user sets a region."""
        scan, thread = Sized(), PostedWork()
        scan.source_info = SourceInfo(address, "stream", 640, 480, None, None, live=True)
        control = ScanController(thread.post, settings, lambda options: cast("Any", scan))
        control.begin(ScanOptions(address, tmp_path, "cpu", tmp_path))
        control.tick()
        told = scan.told[-1] if scan.told else None
        if region is not None:
            control.set_region(region)
        control.close()
        return told

    first, second, own, old = "rtsp://room-1/live", "rtsp://room-2/live", Crop(5, 6, 70, 80), Crop(1, 2, 3, 4)
    assert scanned(first, own) is None
    assert scanned(second) is None
    assert scanned(first) == own
    settings.remember_crop("stream", 640, 480, old)  # as an earlier version kept it
    assert scanned(second) == old
    assert scanned(first) == own


def test_a_card_that_changes_its_size_says_so_at_once(tmp_path: Path) -> None:
    changing = (
        CARD
        + """
[[device.events]]
at_frame = 3
what = "size"
mode = "160x120@50,yuyv"
"""
    )
    (tmp_path / "changing.toml").write_text(changing, encoding="utf-8")
    options = PictureOptions(aspect="16:9")
    with closing(open_source(f"camera:simulated:{tmp_path / 'changing.toml'}", options=options)) as camera:
        sizes = []
        for _ in range(8):
            packet = camera.read()
            assert packet is not None
            sizes.append((packet.picture.width, packet.picture.height))
        assert (427, 240) in sizes
        assert sizes[-1] == (213, 120) == (camera.info.width, camera.info.height)


def test_a_card_that_is_not_there_says_so() -> None:
    with pytest.raises(SourceError, match="no camera or capture card"):
        card_modes("simulated:7")


def test_the_status_line_says_what_is_measured_beside_what_was_asked_for() -> None:
    items = status_items(Statistics(), Spread(), 0.0)

    def shown(rate: float | None, width: int = 1920) -> tuple[str, bool]:
        capture = CaptureInfo("a", "1920x1080@60,mjpg", 4, width, 1080, rate)
        info = SourceInfo("a", "camera", width, 1080, 60.0, None, live=True, capture=capture)
        (item,) = (each for each in with_card(items, info) if each.name == "Source")
        return item.value, item.worrying

    assert shown(59.9) == ("1920x1080@60", False)
    assert shown(30.0) == ("1920x1080@30 of 1920x1080@60", True)
    assert shown(60.0, 1280) == ("1280x1080@60 of 1920x1080@60", True)
    assert shown(None) == ("0.0 fps", False)
    assert with_card(items, None) == items


ADDRESS = "rtsp://doctor:secret@10.0.0.1:554/live?key=1"


def test_what_is_chosen_for_a_stream_is_kept_by_its_address_without_what_is_secret(
    window: MainWindow, settings_file: Path, qtbot: QtBot
) -> None:
    page = window.start_page
    page._address.setText(ADDRESS)
    next(each for each in page.findChildren(QPushButton) if "address" in each.toolTip()).click()
    (dialog,) = window.findChildren(CardDialog)
    qtbot.waitUntil(dialog.save.isEnabled, timeout=WAIT_MS)
    assert not dialog.mode.isVisibleTo(dialog)
    assert not dialog.note.isVisibleTo(dialog)
    assert "card" not in "".join(each.currentText() for each in dialog.fields.values()), "a stream is none"
    box = dialog.fields["flip"]
    box.setCurrentIndex(box.findData("180"))
    dialog.accept()
    chosen = CardChoice(options=PictureOptions(flip="180"))
    assert window.settings.cards() == {"rtsp://10.0.0.1:554/live": chosen}
    window.settings.write()
    stored = settings_file.read_text(encoding="utf-8")
    assert not any(secret in stored for secret in ("doctor", "secret", "key=1"))
    for source, remembered in ((ADDRESS, chosen), ("rtsp://10.0.0.1:554/other", CardChoice())):
        assert window.choices.options(source).for_source(remembered_by(source)) == remembered


def test_a_scan_of_a_stream_reads_it_as_was_chosen_for_its_address(
    tmp_path: Path, fhp1_model: Path, settings_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_at(settings_file)
    settings.remember_card("rtsp://10.0.0.1:554/live", CardChoice(options=PictureOptions(aspect="4:3")))
    opened: list[Any] = []
    monkeypatch.setattr("semc_core.sources.open.open_source", lambda *_, **given: opened.append(given))
    for overrides in (
        Overrides(fhp1_model, "cpu", tmp_path),
        Overrides(fhp1_model, "cpu", tmp_path, options=PictureOptions(range="full")),
    ):
        new_pipeline(Choices(settings, overrides).options(ADDRESS))._source_factory()
    assert [each["options"] for each in opened] == [
        PictureOptions(aspect="4:3"),
        PictureOptions(range="full"),
    ]
    assert [each["mode"] for each in opened] == [None, None]


def _says(label: QLabel, words: str) -> bool:
    return words in label.text()


def test_what_is_no_address_is_told_in_the_dialog(window: MainWindow, qtbot: QtBot) -> None:
    for address, told in (("rtsp://[::1", "check its brackets"), ("nothing", "such as rtsp://")):
        window.start_page.card_wanted.emit(address, "Network stream")
        dialog = window.findChildren(CardDialog)[-1]
        qtbot.waitUntil(partial(_says, dialog.note, told), timeout=WAIT_MS)
        assert not dialog.save.isEnabled()
        dialog.reject()
