"""Whether the person at this computer lets the program use cameras, where the system asks for that.

macOS asks once and keeps the answer; Windows keeps a switch for all desktop apps; Linux asks nobody (there
the group of `/dev/video*` decides). Made after what the systems say of themselves, and not tried on one.
"""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Callable
from enum import Enum
from typing import Any, Final, Protocol

_log = logging.getLogger(__name__)


class Consent(Enum):
    """What a person said."""

    GIVEN = "given"
    DENIED = "denied"
    UNASKED = "unasked"


class Privacy(Protocol):
    """What a system keeps of it."""

    def consent(self) -> Consent:
        """What was said; asks nobody. For any thread."""
        ...

    def ask(self, then: Callable[[], object]) -> None:
        """Have the system ask, on the main thread; `then` is called after the answer, on any thread."""
        ...


class NobodyAsks:
    """A system that asks nobody."""

    def consent(self) -> Consent:
        """See `Privacy`."""
        return Consent.GIVEN

    def ask(self, then: Callable[[], object]) -> None:
        """See `Privacy`."""
        then()


class MacPrivacy:
    """What AVFoundation says.

    Args:
        foundation: The module `AVFoundation` of PyObjC, which cv2-enumerate-cameras needs as well.
    """

    _STATUS: Final = {0: Consent.UNASKED, 3: Consent.GIVEN}
    """`AVAuthorizationStatus`; 1 is restricted, 2 denied."""

    def __init__(self, foundation: Any) -> None:
        self._device, self._video = foundation.AVCaptureDevice, foundation.AVMediaTypeVideo

    def consent(self) -> Consent:
        """See `Privacy`."""
        status = self._device.authorizationStatusForMediaType_(self._video)
        return self._STATUS.get(int(status), Consent.DENIED)

    def ask(self, then: Callable[[], object]) -> None:
        """See `Privacy`."""
        self._device.requestAccessForMediaType_completionHandler_(self._video, lambda given: then())


class WindowsPrivacy:
    """What the settings of Windows say; a desktop app cannot have them asked for.

    Args:
        registry: The module `winreg`.
    """

    _KEY: Final = r"SOFTWARE\Microsoft\Windows\CurrentVersion\CapabilityAccessManager\ConsentStore\webcam"

    def __init__(self, registry: Any) -> None:
        self._registry = registry

    def consent(self) -> Consent:
        """See `Privacy`: denied to all, by this user or for the computer, or to desktop apps."""
        hives = (self._registry.HKEY_LOCAL_MACHINE, self._registry.HKEY_CURRENT_USER)
        denied = any(
            self._said(hive, key) == "Deny"
            for hive in hives
            for key in (self._KEY, rf"{self._KEY}\NonPackaged")
        )
        return Consent.DENIED if denied else Consent.GIVEN

    def ask(self, then: Callable[[], object]) -> None:
        """See `Privacy`."""
        then()

    def _said(self, hive: Any, key: str) -> str:
        try:
            with self._registry.OpenKey(hive, key) as opened:
                return str(self._registry.QueryValueEx(opened, "Value")[0])
        except OSError:
            return ""  # Nobody touched the switch.


def this_privacy(system: str = sys.platform) -> Privacy:
    """That of this system.

    Args:
        system: As `sys.platform` calls it.
    """
    try:
        if system == "darwin":
            return MacPrivacy(importlib.import_module("AVFoundation"))
        if system == "win32":
            return WindowsPrivacy(importlib.import_module("winreg"))
    except (ImportError, AttributeError) as error:
        _log.warning("Whether cameras may be used is not known: %s.", error)
    return NobodyAsks()


def is_asked_for(text: str, privacy: Privacy) -> bool:
    """Whether a person is to be asked before what `text` names is opened.

    Args:
        text: As `sources.open.open_source` takes it.
        privacy: See there.
    """
    word, _, rest = text.partition(":")
    return word == "camera" and rest.partition(":")[0] != "simulated" and privacy.consent() is Consent.UNASKED
