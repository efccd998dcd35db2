"""Names and folders of sessions."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import unquote_to_bytes

from semc_core.io.atomic import save_error
from semc_core.io.private import make_private_folder
from semc_core.io.regular import is_folder
from semc_core.text import readable
from semc_core.types import SourceInfo

_PICTURE: Final = re.compile(r"\d{3,}_[\w.-]+_f\d{6,}\.png", re.ASCII)
_ADDRESS: Final = "file://"
_CLIP: Final = re.compile(r"clips/[\w-][\w.-]*\.mkv", re.ASCII)


def scan_folder(root: Path, source: SourceInfo, now: datetime | None = None) -> Path:
    """A folder name for one scan: date, time, kind and name of the source. Nothing is made."""
    moment = (now or datetime.now().astimezone()).strftime("%Y%m%d-%H%M%S")
    return root / f"{moment}_{safe_name(source.kind)}_{folder_name(source.source_id)}"


def safe_name(text: str, longest: int = 60) -> str:
    """`text` as part of a file name on any system: letters, digits, `.`, `_` and `-`; never empty."""
    kept = re.sub(r"[^\w.-]+", "-", text, flags=re.ASCII).strip(".-")
    return kept[:longest].rstrip(".-") or "unnamed"


def folder_name(text: str) -> str:
    """`text` as a folder's name on any system, which still tells which: any script's letters and emoji stay.

    What no file system or terminal takes well becomes a dash. Never empty; of a long name the first part
    stays, with a checksum of the whole.
    """
    halves = (readable(each) if unicodedata.category(each) == "Cs" else each for each in text)
    text = unicodedata.normalize("NFC", "".join(halves))
    kept = re.sub(r"-+", "-", "".join(map(_kept, text))).strip(".-")
    if not kept:
        kept = "-".join(f"u{ord(character):04x}" for character in text[:_MOST_CODES]) or "unnamed"
    data = kept.encode()
    if len(data) > _LONGEST_BYTES:
        start = data[: _LONGEST_BYTES - _CHECKSUM_BYTES].decode(errors="ignore").rstrip(".-")
        kept = f"{start}-{zlib.crc32(text.encode()):08x}"
    return f"{kept}_" if kept.partition(".")[0].upper() in _RESERVED else kept


def _kept(character: str) -> str:
    """The character where it may stand in a folder's name; nothing for one that is not seen; else a dash."""
    if character in "._-":
        return character
    kind = unicodedata.category(character)
    if kind == "Cf" or character in _VARIATIONS:
        return ""
    return character if kind[0] in "LMN" or kind == "So" or (kind == "Sk" and character > "\uffff") else "-"


_LONGEST_BYTES: Final = 150
"""Short enough to leave room for what is added to it, and for what stands in the folder."""
_CHECKSUM_BYTES: Final = 9
_MOST_CODES: Final = 16
_VARIATIONS: Final = "\ufe0e\ufe0f"
"""They choose how an emoji is drawn."""
_RESERVED: Final = frozenset(
    ("CON", "PRN", "AUX", "NUL", *(f"{name}{number}" for name in ("COM", "LPT") for number in range(1, 10)))
)
"""Names that Windows gives to devices, with any suffix."""


def is_picture(name: object) -> bool:
    """Whether this is the name of a picture in a session's folder, such as "003_FHP1_f000512.png".

    A session may come from a stranger, and pictures are read, and removed where a better one came: no name of
    another file may pass.
    """
    return isinstance(name, str) and _PICTURE.fullmatch(name) is not None


def is_clip(name: object) -> bool:
    """Whether this is what a session calls a clip, such as "clips/003_FHP1_f000512.mkv"."""
    return isinstance(name, str) and _CLIP.fullmatch(name) is not None


def path_as_text(path: str) -> str:
    """An absolute path as a database takes it: as it is, or as a file: address if it is no UTF-8."""
    return path if readable(path) == path else Path(path).as_uri()


def path_of_text(text: str) -> str:
    """The path that `path_as_text` wrote."""
    # No absolute path begins so.
    return os.fsdecode(unquote_to_bytes(text[len(_ADDRESS) :])) if text.startswith(_ADDRESS) else text


def claim_folder(wanted: Path, *, fresh: bool) -> Path:
    """Make the folder `wanted`; with `fresh`, one with a number added if there is one already.

    Raises:
        SaveError: It could not be made.
    """
    try:
        if fresh:
            return _new_folder(wanted)
        make_private_folder(wanted)
    except OSError as error:
        raise save_error(wanted, error) from error
    return wanted


@contextlib.contextmanager
def whole_or_gone(folder: Path, names: Sequence[str], *, fresh: bool) -> Iterator[None]:
    """What cannot be made inside leaves nothing, so that the next try finds room, and not half a session.

    Args:
        folder: Where it is made.
        names: Of its files, the first of which tells whether it was there before; then nothing is removed.
        fresh: Whether the folder was made for it, and goes, too.
    """
    there = (folder / names[0]).exists()
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            for name in () if there else names:
                (folder / name).unlink(missing_ok=True)
            if fresh:
                folder.rmdir()
        raise


def _new_folder(wanted: Path) -> Path:
    if not is_folder(wanted.parent):
        make_private_folder(wanted.parent)
    for number in itertools.count(1):
        folder = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        try:
            make_private_folder(folder, exist_ok=False)
        except FileExistsError:
            continue
        return folder
    raise AssertionError("unreachable")


CLIP_FOLDER: Final = "clips"
