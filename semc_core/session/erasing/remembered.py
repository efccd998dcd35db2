"""What the window's settings remember of a source, taken out of them.

The settings are Qt's, an INI file; the core has no Qt. Only whole lines go, the rest stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from semc_core.io.atomic import save_error, write_atomically
from semc_core.io.regular import read_regular

_ESCAPED: Final = re.compile(r"\\(x[0-9a-fA-F]{1,4}|.)")
_LETTERS: Final = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}


def forget_source(settings: Iterable[Path], names: Collection[str]) -> None:
    """Take out of the settings that a source of such a name was opened lately, the scale drawn in it,
    and in which folders anything was chosen.

    Args:
        settings: The files; one that is not there is left out.
        names: The source's file, as a name or a path.

    Raises:
        SaveError: One cannot be read or written.
    """
    wanted = {Path(name).name for name in names} - {""}
    for path in settings:
        try:
            before = read_regular(path) if path.exists() else b""
        except OSError as error:
            raise save_error(path, error) from error
        after = _without(before.decode("utf-8", "surrogateescape"), wanted).encode("utf-8", "surrogateescape")
        if after != before:
            write_atomically(path, after, private=True)


def _without(text: str, names: Collection[str]) -> str:
    section, kept = "", []
    for line in text.splitlines(keepends=True):
        if line.startswith("["):
            section = line.strip().strip("[]")
        key, _, value = line.partition("=")
        recent = section == "sources" and Path(_plain(value)).name in names
        # The key names the source, escaped once by the program and once by Qt.
        scale = section == "scale" and any(name in unquote(unquote(key)) for name in names)
        # A folder may be called as its patient: where files were chosen is forgotten as a whole.
        place = section == "places" and bool(names) and not line.startswith("[")
        if not recent and not scale and not place:
            kept.append(line)
    return "".join(kept)


def _plain(value: str) -> str:
    """A text as it was before Qt wrote it."""
    text = value.strip().strip('"')
    text = _ESCAPED.sub(lambda found: _letter(found[1]), text)
    return text.removeprefix("@") if text.startswith("@@") else text


def _letter(escape: str) -> str:
    return chr(int(escape[1:], 16)) if len(escape) > 1 else _LETTERS.get(escape, escape)
