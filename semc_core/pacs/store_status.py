"""What a server says of an object that was sent to it: the same statuses by C-STORE and by DICOMweb."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

SLOWEST_BYTES_PER_S: Final = 250_000
"""Of a line: so much time has an object for its bytes, beside the wait for an answer."""
_SUCCESS: Final = 0x0000
_WARNINGS: Final = (0xB000, 0xB006, 0xB007)
_DUPLICATE: Final = 0x0111
_NOT_ALLOWED: Final = 0x0124
_CLASS_NOT_SUPPORTED: Final = 0x0122
_SYNTAX_NOT_SUPPORTED: Final = 0xC122
_INVALID: Final = 0x0117


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server says of one object.

    Attributes:
        kind: It has the object; it will not take it; it could not now; the file here cannot be read.
        sentence: For the user; "" if all is well.
    """

    kind: Literal["stored", "refused", "not now", "unreadable"]
    sentence: str = ""


def answer_to_storing(server: str, status: int) -> Answer:
    """What a DICOM status means.

    Args:
        server: As the user calls it.
        status: Of C-STORE, or the Failure Reason of STOW-RS.
    """
    if status == _SUCCESS:
        return Answer("stored")
    if status in _WARNINGS:
        return Answer("stored", f"{server} changed or left out attributes (status {status:04X}).")
    if status == _DUPLICATE:
        return Answer("stored", f"{server} had it already.")
    if status == _NOT_ALLOWED:
        return Answer("refused", f"{server} does not allow this program to store; ask who runs it.")
    if status == _CLASS_NOT_SUPPORTED:
        return Answer("refused", f"{server} does not take objects of this kind.")
    if status == _SYNTAX_NOT_SUPPORTED:
        return Answer("refused", f"{server} does not take objects encoded so; have it added --uncompressed.")
    if status == _INVALID or status & 0xFF00 == 0xA900:
        return Answer("refused", f"{server} finds the object invalid (status {status:04X}).")
    if status & 0xFF00 == 0xA700:
        return Answer("not now", f"{server} has no room (status {status:04X}); ask who runs it.")
    return Answer("not now", f"{server} could not store it (status {status:04X}).")
