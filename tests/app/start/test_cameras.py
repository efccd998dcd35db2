"""The list of cameras on the start page."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from app.start.page import StartPage
from app.start.recent import camera_choices
from semc_core.sources.devices import find
from semc_core.sources.devices.linux import LinuxDevices
from tests.sources.device_trees import Card, plug_in, plug_in_virtual


def test_cameras_are_offered_by_what_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(tmp_path, Card("HDMI", "2"), 0)
    plug_in(tmp_path, Card("HDMI", "3"), 2)
    plug_in(tmp_path, Card("Webcam", "4", vendor="046d"), 4)
    for number in (7, 8):
        plug_in_virtual(tmp_path, "Loop", number)
    monkeypatch.setattr(find, "this_system", lambda: LinuxDevices(tmp_path))
    assert camera_choices() == [
        ("camera:usb-534d:2109@0000:00:14.0-usb2-2-1.0", "0  HDMI  (USB port 1-2)"),
        ("camera:usb-534d:2109@0000:00:14.0-usb2-3-1.0", "2  HDMI  (USB port 1-3)"),
        ("camera:usb-046d:2109@0000:00:14.0-usb2-4-1.0", "4  Webcam"),
        ("camera:7", "7  Loop  (made by a program)"),
        ("camera:8", "8  Loop  (made by a program)"),
    ]


def test_the_camera_that_was_used_last_or_is_chosen_stays_chosen(qtbot: QtBot) -> None:
    page = StartPage()
    qtbot.addWidget(page)
    (box,) = (each for each in page.findChildren(QComboBox) if each.accessibleName() == "Camera")
    page.show_recent(["simulated:7", "camera:b"])
    page.show_cameras([("camera:a", "0  A"), ("camera:b", "1  B"), ("camera:c", "2  C")])
    assert box.currentData() == "camera:b"
    box.setCurrentIndex(2)
    page.show_cameras([("camera:c", "0  C"), ("camera:b", "1  B")])
    assert box.currentData() == "camera:c", "its number is another, it is the same"
    page.show_cameras([("camera:a", "0  A")])
    assert box.currentData() == "camera:a"
