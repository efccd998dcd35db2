"""The system's keyring, where one answers at once and asks nobody. Who finds none keeps secrets in a file."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

T = TypeVar("T")

SERVICE: Final = "SEMC Live"
"""The name under which this program keeps its secrets there."""
_WAIT_S: Final = 2.0
_SECRET_SERVICE: Final = "keyring.backends.SecretService"
_KEYRINGS: Final = (_SECRET_SERVICE, "keyring.backends.macOS", "keyring.backends.Windows")

_log = logging.getLogger(__name__)


def ask_keyring(question: Callable[[KeyringBackend], T | None]) -> T | None:
    """What `question` makes of the keyring; None where none works, or where it does not answer at once."""
    found: list[T | None] = []
    # A daemon: a keyring that never answers holds up neither this nor the end of the program.
    thread = threading.Thread(target=lambda: found.append(_answer(question)), name="keyring", daemon=True)
    thread.start()
    thread.join(_WAIT_S)
    return found[0] if found else None


def _answer(question: Callable[[KeyringBackend], T | None]) -> T | None:
    try:
        backend = _working_keyring()
        return None if backend is None else question(backend)
    except Exception as error:  # noqa: BLE001 - the thread's boundary, and another program's answer
        _log.warning("The keyring was of no use: %s", type(error).__name__)
        return None


def _working_keyring() -> KeyringBackend | None:
    """The system's keyring, if it would ask nobody for a password; None without a desktop."""
    if "CI" in os.environ:
        return None
    if sys.platform == "linux":
        desktop = {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys()
        if not desktop or "DBUS_SESSION_BUS_ADDRESS" not in os.environ:
            return None
    import keyring

    chosen = keyring.get_keyring()
    for backend in getattr(chosen, "backends", [chosen]):
        name = type(backend).__module__
        if name in _KEYRINGS and not (name == _SECRET_SERVICE and _is_locked()):
            working: KeyringBackend = backend
            return working
    return None


def _is_locked() -> bool:
    """Whether the keyring of a Linux desktop would ask for its password, or for a new one."""
    import secretstorage

    # Not `get_default_collection`, which makes one, and asks.
    return bool(secretstorage.Collection(secretstorage.dbus_init()).is_locked())
