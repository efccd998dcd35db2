"""Reference pictures of a protocol's planes: files beside the protocol's own, that come from anybody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from semc_core.errors import ProtocolError, SourceError
from semc_core.io.regular import open_regular
from semc_core.language import _
from semc_core.protocols.protocol import Protocol, ProtocolItem

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_BYTES: Final = 1_000_000
MOST_PIXELS: Final = 16_000_000
_BEGINNINGS: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")


def picture_notices(protocol: Protocol, *, decode: bool = False) -> tuple[str, ...]:
    """A sentence for each picture that is named and cannot be shown.

    Args:
        protocol: Whose pictures they are.
        decode: Whether each is read whole; else, which takes no time, whether it is there, of a size that is
            shown, and begins as such a file does.
    """
    faults = []
    for item in protocol.items:
        try:
            if decode:
                read_picture(protocol, item)
            else:
                _found(protocol, item)
        except ProtocolError as error:
            faults.append(str(error))
    return tuple(faults)


def read_picture(protocol: Protocol, item: ProtocolItem) -> NDArray[np.uint8] | None:
    """The reference picture of an item: uint8 (H, W) gray or (H, W, 3) RGB; None where it has none.

    Raises:
        ProtocolError: It cannot be shown; the message says why.
    """
    path = _found(protocol, item)
    if path is None:
        return None
    from semc_core.sources.pictures import PictureFile  # protocols are read before the window is painted

    try:
        picture = PictureFile(path)
        try:
            if picture.size[0] * picture.size[1] > MOST_PIXELS:
                raise ProtocolError(_too_large(protocol, path.name))
            return picture.pixels(0)
        finally:
            picture.close()
    except SourceError as error:
        raise ProtocolError(_no_picture(protocol, path.name)) from error


def _found(protocol: Protocol, item: ProtocolItem) -> Path | None:
    """Where it is, if a picture can be there; None where the item has none.

    Raises:
        ProtocolError: It is not there, lies elsewhere, is too large, or begins as no PNG or JPEG file does.
    """
    if item.picture is None or protocol.folder is None:
        return None
    path = protocol.folder / item.picture
    try:
        if path.resolve().parent != protocol.folder.resolve():
            raise ProtocolError(
                _(
                    "{protocol}: the picture {file} is a link to another folder, so it is not shown; put the "
                    "file itself beside the protocol.",
                    protocol=_(protocol.title),
                    file=path.name,
                )
            )
        with open_regular(path) as file:
            begins = file.read(len(_BEGINNINGS[0]))
            size = file.seek(0, 2)
    except FileNotFoundError as error:
        raise ProtocolError(
            _(
                "{protocol}: the picture {file} is not there; put it beside the protocol's file.",
                protocol=_(protocol.title),
                file=path.name,
            )
        ) from error
    except (OSError, RuntimeError) as error:  # the second of links in a circle
        raise ProtocolError(_no_picture(protocol, path.name)) from error
    if size > MOST_BYTES:
        raise ProtocolError(_too_large(protocol, path.name))
    if not begins.startswith(_BEGINNINGS):
        raise ProtocolError(_no_picture(protocol, path.name))
    return path


def _too_large(protocol: Protocol, file: str) -> str:
    return _(
        "{protocol}: the picture {file} has more than {megabytes} MB or {pixels} million pixels; save a "
        "smaller one.",
        protocol=_(protocol.title),
        file=file,
        megabytes=MOST_BYTES // 10**6,
        pixels=MOST_PIXELS // 10**6,
    )


def _no_picture(protocol: Protocol, file: str) -> str:
    return _(
        "{protocol}: the picture {file} cannot be read as PNG or JPEG; save it anew.",
        protocol=_(protocol.title),
        file=file,
    )
