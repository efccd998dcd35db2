"""`semc devices`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from semc_core.cli import devices
from semc_core.sources.devices import find
from semc_core.sources.devices.linux import LinuxDevices
from semc_core.sources.devices.true_delay import DelaySpread, TrueDelay, remember_delay
from tests.cli import commands
from tests.sources.device_trees import Card, plug_in


def _run(*arguments: str) -> int:
    return commands.run(devices.app, *arguments)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(find, "this_system", lambda: LinuxDevices(tmp_path))
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path


def test_no_device_is_said_clearly(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run() == 0
    assert "No camera or capture card was found" in capsys.readouterr().out


def test_devices_are_shown_with_where_they_are_and_how_to_open_them(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plug_in(root, Card("USB Capture HDMI", "2"), 0)
    plug_in(root, Card("USB Capture HDMI", "3"), 4)
    for arguments in ((), ("--no-probe",), ("--modes",)):
        assert _run(*arguments) == 0
        out = capsys.readouterr().out
        for words in (
            "USB Capture HDMI",
            "USB port 1-3",
            "camera:4",
            "camera:usb-534d:2109@0000:00:14.0-usb2-3-1.0",
        ):
            assert words in out
        assert ("does not tell its modes" in out) == ("--modes" in arguments)


def test_a_delay_that_was_measured_is_shown_with_its_device(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_in(root, Card("USB Capture HDMI", "2"), 0)
    plug_in(root, Card("USB Capture HDMI", "3"), 4)
    monkeypatch.setattr("semc_core.paths.data_folder", lambda: root / "data")
    some = DelaySpread(100, 110, 120)
    delay = TrueDelay("2026-11-30T07:00:00+00:00", some, DelaySpread(120, 150, 200), some, "driver", 9, 9, 9)
    remember_delay(root / "data", "usb-534d:2109@0000:00:14.0-usb2-3-1.0", delay)
    assert _run() == 0
    out = capsys.readouterr().out
    assert "camera:4: glass to overlay 120 ms (measured 2026-11-30)." in out
    assert out.count("glass to overlay") == 1
    assert _run("--json") == 0
    first, second = json.loads(capsys.readouterr().out)
    assert first["glass"] is None
    assert second["glass"] == delay.plain()
