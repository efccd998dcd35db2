"""What the command line takes and says: the help of every command, protocols, and a session in words."""

from __future__ import annotations

from typing import Any

from tests.cli.commands import all_commands
from tests.old_files.places import unpack
from tests.record.running import Place


def record(place: Place, *, quick: bool) -> dict[str, Any]:
    """Words by command, wherever their lines break."""
    typed = [name.split()[1:] for name in all_commands() if name.startswith("semc")]
    helps = place.semc(*((*words, "--help") for words in typed))
    session = unpack("sessions", place.folder) / "scan"
    told = {
        "protocols": ("protocols",),
        "protocol": ("protocols", "lp2025-liver", "--session", session),
        "session": ("session", "show", session),
        "sessions": ("session", "list", session.parent),
        "verify": ("session", "verify", session),
    }
    printed = {
        **{" ".join(words) or "semc": text for words, text in zip(typed, helps, strict=True)},
        **dict(zip(told, place.semc(*told.values()), strict=True)),
    }
    return {name: _words(text, place) for name, text in printed.items()}


def _words(text: str, place: Place) -> str:
    return " ".join(text.replace(str(place.folder), "FOLDER").split())
