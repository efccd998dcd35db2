"""`semc devices`."""

from __future__ import annotations

import pytest

from semc_core.cli import devices
from semc_core.sources import camera
from semc_core.sources.camera import DeviceInfo
from tests.cli import commands


def _run(*arguments: str) -> int:
    return commands.run(devices.app, *arguments)


def test_no_device_is_said_clearly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(camera, "list_devices", lambda probe: [])
    assert _run() == 0
    assert "No camera or capture card was found" in capsys.readouterr().out


def test_devices_are_shown_with_how_to_open_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [DeviceInfo(0, "USB Capture HDMI", "1280x720 at 30 frames/s"), DeviceInfo(4, "Webcam")]
    monkeypatch.setattr(camera, "list_devices", lambda probe: found)
    monkeypatch.setenv("COLUMNS", "120")
    assert _run() == 0
    out = capsys.readouterr().out
    for words in ("USB Capture HDMI", "1280x720 at 30 frames/s", "camera:4", "cannot be opened"):
        assert words in out
