"""The texts of the licences of all parts that run the program: for `make sbom`, and for the bundle."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import PackagePath, distribution
from pathlib import Path
from typing import Final

from semc_core.version import VERSION
from tests.licences import parts

WITHOUT_TEXT: Final = ("pyjpegls", "pyside6-essentials", "shiboken6")
"""Parts whose packages hold no text of a licence."""
_TEXTS: Final = re.compile(r"(licen[cs]e|copying|notice|copyright)", re.IGNORECASE)
_OF_THE_SYSTEM: Final = Path("/usr/share/common-licenses")
_SHARED_TEXTS: Final = ("LGPL-3", "GPL-3", "GPL-2")
"""Of Qt, PySide6, fpdf2, and of x264 and x265 in PyAV's wheel, which hold none."""
_RULE: Final = "=" * 80
_BEGIN: Final = """\
SEMC Live {version}: the licences of its parts, with their texts.

Made from the packages that are installed. Which part is under which licence, and what is said
of x264, x265 and FFmpeg: THIRD_PARTY.md.
"""
_NONE: Final = "Its package holds no text of the licence; its metadata say: {licence}."


def licence_texts() -> str:
    """The texts of all parts that run the program, and of the licences that parts name without their text."""
    return "\n".join((_BEGIN.format(version=VERSION), *_own(), *_shared()))


def _own() -> Iterator[str]:
    for part in parts([""]).values():
        yield f"{_RULE}\n{part.name} {part.version}: {part.licence.replace('LicenseRef-', '')}\n{_RULE}\n"
        found = list(texts_of(part.name))
        yield from found or [_NONE.format(licence=part.licence) + "\n"]


def texts_of(name: str) -> Iterator[str]:
    """The licence files in a package, each once."""
    seen: set[str] = set()
    for path in distribution(name).files or ():
        file = Path(str(path.locate()))
        if not _is_text(path) or not file.is_file():
            continue
        text = file.read_text(encoding="utf-8", errors="replace").strip()
        if text and text not in seen:
            seen.add(text)
            yield f"[{path}]\n\n{text}\n"


def _is_text(path: PackagePath) -> bool:
    return path.suffix not in (".py", ".pyc") and (
        _TEXTS.match(path.name) is not None or "licenses" in path.parts
    )


def _shared() -> Iterator[str]:
    for name in _SHARED_TEXTS:
        path = _OF_THE_SYSTEM / name
        yield f"{_RULE}\n{name}\n{_RULE}\n"
        yield path.read_text(encoding="utf-8") if path.is_file() else "Its text is not on this machine.\n"
