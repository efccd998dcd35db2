"""Which device the user means, and what to say where it cannot be had."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from semc_core.errors import SourceError
from semc_core.sources.devices.base import CaptureDevice, DeviceSystem, Trouble
from semc_core.sources.devices.linux import LinuxDevices
from semc_core.sources.devices.named import NamedDevices

_SENTENCES: Final = {
    Trouble.MISSING: "{0} is not plugged in; plug it in, then look for it again.",
    Trouble.BUSY: "{0} is used by another program (a browser, OBS, another window); close that one, "
    "then start again.",
    Trouble.FORBIDDEN: "{0} may not be opened by you; {1}, then start again.",
    Trouble.UNKNOWN: "{0} cannot be opened, and its driver does not say why; unplug it and plug it in again, "
    "or try another port.",
}
_ALLOW: Final = {
    "linux": "have an administrator add you to the group video (sudo usermod -aG video $USER), log in anew",
    "darwin": "allow this program under System Settings, Privacy & Security, Camera",
}
_ALLOW_ELSEWHERE: Final = "allow desktop apps under Settings, Privacy & security, Camera"


def this_system() -> DeviceSystem:
    """The devices of this machine."""
    return LinuxDevices() if sys.platform.startswith("linux") else NamedDevices()


def sentence(trouble: Trouble, name: str) -> str:
    """What is wrong with the device that messages call `name`, and what to do."""
    return _SENTENCES[trouble].format(name, _ALLOW.get(sys.platform, _ALLOW_ELSEWHERE))


def find_device(text: str, system: DeviceSystem) -> CaptureDevice:
    """The device that the user typed.

    Args:
        text: Its number ("" is 0), identity, path (/dev/v4l/by-id/..., on Linux), or its name or a part of
            it that no other device has.
        system: Where to look.

    Raises:
        SourceError: None or several.
    """
    known = system.devices()
    if (text or "0").isdecimal():
        return _by_number(int(text or 0), known, system)
    if text.startswith("/dev/") and isinstance(system, LinuxDevices):
        number = system.number_of(Path(text))
        if number is None:
            raise SourceError(sentence(Trouble.MISSING, f"Camera {text}"))
        return _by_number(number, known, system)
    same = [device for device in known if device.identity.casefold() == text.casefold()]
    if same:
        return _only(text, same)
    if "@" in text:
        raise SourceError(_elsewhere(text, known))
    exact = [device for device in known if device.name.casefold() == text.casefold()]
    matching = exact or [device for device in known if text.casefold() in device.name.casefold()]
    if not matching:
        raise SourceError(f"No camera is called {text!r}; `semc devices` lists those that are there.")
    return _only(text, matching)


def _by_number(number: int, known: Sequence[CaptureDevice], system: DeviceSystem) -> CaptureDevice:
    for device in known:
        if device.index == number:
            return device
    if isinstance(system, NamedDevices) and (unlisted := system.by_number(number)) is not None:
        return unlisted
    raise SourceError(sentence(Trouble.MISSING, f"Camera {number}"))


def _only(text: str, matching: Sequence[CaptureDevice]) -> CaptureDevice:
    if len(matching) > 1:
        told_apart = len({device.identity for device in matching}) == len(matching)
        ways = [f"camera:{device.identity if told_apart else device.index}" for device in matching]
        raise SourceError(f"Several cameras are called {text!r}; use one of {', '.join(ways)}.")
    return matching[0]


def _elsewhere(identity: str, known: Sequence[CaptureDevice]) -> str:
    """Why no other device is taken in its place: it may be another card of the same make."""
    kind = identity.partition("@")[0].casefold()
    like = [device for device in known if device.identity.partition("@")[0].casefold() == kind]
    text = f"Camera {identity} is not plugged in where it was"
    if like:
        others = ", ".join(f"camera:{device.identity}" for device in like)
        return f"{text}; one like it is at another place: if that is the one, choose {others}."
    return f"{text}; plug it in there, then look for it again."
