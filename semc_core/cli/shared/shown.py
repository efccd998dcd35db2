"""Words from files and strangers, in a table on the terminal."""

from __future__ import annotations

from semc_core.text import readable


def escape(text: str) -> str:
    """`text` so that neither rich nor the terminal takes a part of it for a command."""
    import rich.markup

    return rich.markup.escape(readable(text))
