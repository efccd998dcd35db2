"""How an object must be encoded for a server: as its file is, or unpacked."""

from __future__ import annotations

import struct
from collections.abc import Container
from pathlib import Path
from typing import Final

import pydicom
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from semc_core.errors import PacsError

_LITTLE: Final = (str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian))
_UNREADABLE: Final = (
    AttributeError, EOFError, InvalidDicomError, KeyError, NotImplementedError, OSError, RuntimeError,
    TypeError, ValueError, struct.error,
)  # fmt: skip


class Unreadable(PacsError):
    """A file in the queue is not what was put there, or cannot be unpacked."""


def for_server(path: Path, syntax: str, accepted: Container[str]) -> Path | Dataset | None:
    """The object in a form that the server takes.

    Unpacking changes no pixel, and the object keeps its UID: it is the same object.

    Args:
        path: Its file.
        syntax: The transfer syntax of the file.
        accepted: Transfer syntaxes that the server takes for this kind of object.

    Returns:
        The file itself where it can be sent as it is; else the object without compression; None if the
        server takes neither.

    Raises:
        Unreadable: The file cannot be unpacked.
    """
    if syntax in accepted:
        return path
    if not any(plain in accepted for plain in _LITTLE):
        return None
    try:
        with disable_value_validation():
            dataset = pydicom.dcmread(path)
            if UID(syntax).is_compressed:
                dataset.decompress(generate_instance_uid=False)
    except _UNREADABLE:
        # The cause is left out: messages of this library quote values.
        raise Unreadable("An object cannot be unpacked for this server; export it again.") from None
    return dataset
