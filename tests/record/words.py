"""What the command line takes and says: the help of every command, protocols, and a session in words."""

from __future__ import annotations

import re
from typing import Any, Final

from tests.old_files.places import unpack
from tests.record.running import Place

_ACTIONS: Final = re.compile(r"^    ([a-z-]+) ", re.MULTILINE)


def record(place: Place, *, quick: bool) -> dict[str, Any]:
    """Words by command, wherever their lines break."""
    (top,) = place.semc(("--help",))
    commands = _ACTIONS.findall(top)
    helps = dict(zip(commands, place.semc(*((name, "--help") for name in commands)), strict=True))
    nested = [(name, action) for name in commands for action in _actions(helps[name])]
    deeper = place.semc(*((*words, "--help") for words in nested))
    session = unpack("sessions", place.folder) / "scan"
    told = {
        "protocols": ("protocols",),
        "protocol": ("protocols", "lp2025-liver", "--session", session),
        "session": ("session", "show", session),
        "sessions": ("session", "list", session.parent),
        "verify": ("session", "verify", session),
    }
    printed = {
        "semc": top,
        **helps,
        **{" ".join(words): text for words, text in zip(nested, deeper, strict=True)},
        **dict(zip(told, place.semc(*told.values()), strict=True)),
    }
    return {name: _words(text, place) for name, text in printed.items()}


def _actions(text: str) -> list[str]:
    return _ACTIONS.findall(text) if "ACTION" in text else []


def _words(text: str, place: Place) -> str:
    return " ".join(text.replace(str(place.folder), "FOLDER").split())
