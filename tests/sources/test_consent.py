"""Whether cameras may be used, as macOS and Windows say it: played by stand-ins for their modules."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import cv2
import pytest

from semc_core.sources.devices.base import CaptureDevice, Trouble, Way
from semc_core.sources.devices.consent import (
    Consent,
    MacPrivacy,
    NobodyAsks,
    WindowsPrivacy,
    is_asked_for,
    this_privacy,
)
from semc_core.sources.devices.find import sentence
from semc_core.sources.devices.named import NamedDevices

_DESKTOP = "NonPackaged"


class AVCaptureDevice:
    """As PyObjC has it; the answer is given by the test."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.answer: Callable[[bool], object] = lambda given: None

    def authorizationStatusForMediaType_(self, kind: str) -> int:  # noqa: N802
        assert kind == "vide"
        return self.status

    def requestAccessForMediaType_completionHandler_(  # noqa: N802
        self, kind: str, handler: Callable[[bool], object]
    ) -> None:
        assert kind == "vide"
        self.answer = handler


class Registry:
    """As `winreg`, with these values below the key of the camera."""

    HKEY_LOCAL_MACHINE, HKEY_CURRENT_USER = "machine", "user"

    def __init__(self, **values: str) -> None:
        self._values = values

    @contextmanager
    def OpenKey(self, hive: str, key: str) -> Any:  # noqa: N802
        name = f"{hive}_apps" if key.endswith(_DESKTOP) else hive
        if name not in self._values:
            raise FileNotFoundError(2, "no such key")
        yield self._values[name]

    def QueryValueEx(self, opened: str, name: str) -> tuple[str, int]:  # noqa: N802
        assert name == "Value"
        return opened, 1


def mac(status: int) -> MacPrivacy:
    return MacPrivacy(SimpleNamespace(AVCaptureDevice=AVCaptureDevice(status), AVMediaTypeVideo="vide"))


@pytest.mark.parametrize(
    ("status", "said"),
    [(0, Consent.UNASKED), (1, Consent.DENIED), (2, Consent.DENIED), (3, Consent.GIVEN), (9, Consent.DENIED)],
)
def test_what_macos_keeps(status: int, said: Consent) -> None:
    assert mac(status).consent() is said


def test_macos_is_asked_and_its_answer_waited_for() -> None:
    device, answered = AVCaptureDevice(0), list[bool]()
    MacPrivacy(SimpleNamespace(AVCaptureDevice=device, AVMediaTypeVideo="vide")).ask(
        lambda: answered.append(True)
    )
    assert not answered
    device.answer(False)
    assert answered == [True]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, Consent.GIVEN),
        ({"user": "Allow", "user_apps": "Allow", "machine": "Allow"}, Consent.GIVEN),
        ({"user": "Deny"}, Consent.DENIED),
        ({"user": "Allow", "user_apps": "Deny"}, Consent.DENIED),
        ({"user": "Allow", "machine": "Deny"}, Consent.DENIED),
    ],
)
def test_what_windows_keeps(values: dict[str, str], said: Consent) -> None:
    assert WindowsPrivacy(Registry(**values)).consent() is said


def test_each_system_has_its_own_and_without_its_module_nobody_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert isinstance(this_privacy("linux"), NobodyAsks)
    monkeypatch.setitem(sys.modules, "winreg", Registry(user="Deny"))
    assert this_privacy("win32").consent() is Consent.DENIED
    monkeypatch.setitem(sys.modules, "AVFoundation", None)
    assert isinstance(this_privacy("darwin"), NobodyAsks)


@pytest.mark.parametrize(
    ("source", "asked"),
    [("camera:0", True), ("camera", True), ("camera:simulated", False), ("camera:simulated:a.toml", False),
     ("rtsp://camera:1/", False), ("/tmp/camera.mp4", False)],
)  # fmt: skip
def test_only_for_a_real_camera_is_anybody_asked(source: str, asked: bool) -> None:
    assert is_asked_for(source, mac(0)) is asked
    assert not is_asked_for(source, mac(2))
    assert not is_asked_for(source, NobodyAsks())


def test_a_card_that_the_person_forbade_says_so_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    card = CaptureDevice(0, "HDMI", "a", ways=(Way(cv2.CAP_AVFOUNDATION, 0),))
    listed = [SimpleNamespace(index=0, name="HDMI", path="a")]
    for status, trouble in ((2, Trouble.FORBIDDEN), (3, Trouble.UNKNOWN)):
        system = NamedDevices(lambda back_end: listed, (cv2.CAP_AVFOUNDATION,), mac(status))
        assert system.trouble(card) is trouble
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "System Settings, Privacy & Security, Camera" in sentence(Trouble.FORBIDDEN, "HDMI")
