"""Which device the user means, and what to say where it cannot be had."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from semc_core.errors import SourceError
from semc_core.language import N_, _
from semc_core.sources.devices.base import CaptureDevice, DeviceSystem, Trouble
from semc_core.sources.devices.linux import LinuxDevices
from semc_core.sources.devices.named import NamedDevices

_SENTENCES: Final = {
    Trouble.MISSING: N_("{name} is not plugged in; plug it in, then look for it again."),
    Trouble.BUSY: N_(
        "{name} is used by another program (a browser, OBS, another window); close that one, then start "
        "again."
    ),
    Trouble.UNKNOWN: N_(
        "{name} cannot be opened, and its driver does not say why; unplug it and plug it in again, or try "
        "another port."
    ),
}
_ALLOW: Final = {
    "linux": N_(
        "{name} may not be opened by you; have an administrator add you to the group video "
        "(sudo usermod -aG video $USER), log in anew, then start again."
    ),
    "darwin": N_(
        "{name} may not be opened by you; allow this program under System Settings, Privacy & Security, "
        "Camera, then start again."
    ),
}
_NO_REASON: Final = {
    "darwin": N_(
        "{name} cannot be opened, and macOS does not say why: allow this program under System Settings, "
        "Privacy & Security, Camera, close other programs that use it, or try another port."
    ),
    "win32": N_(
        "{name} cannot be opened, and Windows does not say why: allow desktop apps under Settings, Privacy & "
        "security, Camera, close other programs that use it, or try another port."
    ),
}
"""Where nothing tells apart a device that may not be opened, and one that another program has."""
_ALLOW_ELSEWHERE: Final = N_(
    "{name} may not be opened by you; allow desktop apps under Settings, Privacy & security, Camera, then "
    "start again."
)


def this_system() -> DeviceSystem:
    """The devices of this machine."""
    return LinuxDevices() if sys.platform.startswith("linux") else NamedDevices()


def sentence(trouble: Trouble, name: str) -> str:
    """What is wrong with the device that messages call `name`, and what to do."""
    if trouble is Trouble.FORBIDDEN:
        return _(_ALLOW.get(sys.platform, _ALLOW_ELSEWHERE), name=name)
    text = _NO_REASON.get(sys.platform, "") if trouble is Trouble.UNKNOWN else ""
    return _(text or _SENTENCES[trouble], name=name)


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
            raise SourceError(sentence(Trouble.MISSING, _("Camera {number}", number=text)))
        return _by_number(number, known, system)
    same = [device for device in known if device.identity.casefold() == text.casefold()]
    if same:
        return _only(text, same)
    if "@" in text:
        raise SourceError(_elsewhere(text, known))
    exact = [device for device in known if device.name.casefold() == text.casefold()]
    matching = exact or [device for device in known if text.casefold() in device.name.casefold()]
    if not matching:
        raise SourceError(
            _("No camera is called {text}; `semc devices` lists those that are there.", text=repr(text))
        )
    return _only(text, matching)


def _by_number(number: int, known: Sequence[CaptureDevice], system: DeviceSystem) -> CaptureDevice:
    for device in known:
        if device.index == number:
            return device
    if isinstance(system, NamedDevices) and (unlisted := system.by_number(number)) is not None:
        return unlisted
    raise SourceError(sentence(Trouble.MISSING, _("Camera {number}", number=number)))


def _only(text: str, matching: Sequence[CaptureDevice]) -> CaptureDevice:
    if len(matching) > 1:
        told_apart = len({device.identity for device in matching}) == len(matching)
        ways = [f"camera:{device.identity if told_apart else device.index}" for device in matching]
        raise SourceError(
            _("Several cameras are called {text}; use one of {ways}.", text=repr(text), ways=", ".join(ways))
        )
    return matching[0]


def _elsewhere(identity: str, known: Sequence[CaptureDevice]) -> str:
    """Why no other device is taken in its place: it may be another card of the same make."""
    kind = identity.partition("@")[0].casefold()
    like = [device for device in known if device.identity.partition("@")[0].casefold() == kind]
    if like:
        others = ", ".join(f"camera:{device.identity}" for device in like)
        return _(
            "Camera {number} is not plugged in where it was; one like it is at another place: if that is the "
            "one, choose {others}.",
            number=identity,
            others=others,
        )
    return _(
        "Camera {number} is not plugged in where it was; plug it in there, then look for it again.",
        number=identity,
    )
