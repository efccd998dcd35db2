"""Identifiers of exported objects: consistent within one project's key, and not to be traced without it.

Everything is a keyed hash (HMAC-SHA256), so that no table of old and new identifiers has to be kept.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Final

from semc_core.errors import SaveError
from semc_core.io.atomic import save_error
from semc_core.io.secret_file import read_or_make_secret
from semc_core.language import _

KEY_BYTES: Final = 32
_STANDARD_ROOT: Final = "1.2.840.10008."
_LONGEST_SHIFT_S: Final = 3650 * 24 * 3600


class UidMaker:
    """Makes the identifiers of one project. Safe from any thread."""

    def __init__(self, key: bytes) -> None:
        """Use `key`, `KEY_BYTES` random bytes that stay secret (see `load_key`)."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes")
        self._key = key

    def replaced(self, uid: str) -> str:
        """The new UID of an old one: always the same. UIDs of the standard itself stay as they are."""
        return uid if uid.startswith(_STANDARD_ROOT) else self.made("replaced", uid)

    def made(self, *parts: str) -> str:
        """A UID for whatever `parts` name: always the same for the same parts."""
        return _as_uid(self._digest("uid", *parts))

    def pseudonym(self, *parts: str) -> str:
        """A patient number that says nothing: "ANON-" and 12 characters."""
        return f"ANON-{self._digest('patient', *parts).hex()[:12].upper()}"

    def shift(self, *parts: str) -> timedelta:
        """By how much all dates and times of one patient are moved back: a second to ten years."""
        number = int.from_bytes(self._digest("shift", *parts)[:8], "big")
        return timedelta(seconds=1 + number % _LONGEST_SHIFT_S)

    def _digest(self, *parts: str) -> bytes:
        # Each part with its length, so that ("a", "bc") and ("ab", "c") differ.
        message = b"".join(len(part).to_bytes(4, "big") + part for part in (one.encode() for one in parts))
        return hmac.new(self._key, message, hashlib.sha256).digest()


def fixed_uid(name: str) -> str:
    """A UID that everybody can compute again from `name`, for things that are no secret (the program)."""
    return _as_uid(hashlib.sha256(name.encode()).digest())


def load_key(path: Path) -> bytes:
    """The project's key in `path`; it is made when there is none. Readable by its owner alone.

    Raises:
        SaveError: It can neither be read nor made, or the file is something else.
    """
    try:
        key = read_or_make_secret(path, KEY_BYTES)
    except OSError as error:
        raise save_error(path.parent, error) from error
    if len(key) != KEY_BYTES:
        raise SaveError(
            _(
                "{path} is not a key for exports; put the old file back, or remove it to begin with new "
                "numbers.",
                path=path,
            )
        )
    return key


def _as_uid(digest: bytes) -> str:
    """The UUID form of the standard (PS3.5 B.2); version 8, for UUIDs made in one's own way."""
    number = int.from_bytes(digest[:16], "big")
    number = number & ~(0xF << 76) | 0x8 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    return f"2.25.{uuid.UUID(int=number).int}"


IMPLEMENTATION_UID: Final = fixed_uid("SEMC Live")
