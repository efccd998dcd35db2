"""What is asked of a server, and what it says to that (PS3.4 J.3): data sets to data and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.uid import UID

from semc_core.errors import SemcError
from semc_core.pacs.association import SUCCESS
from semc_core.pacs.queue_store import DicomObject
from semc_core.sources.dicom.elements import UNREADABLE
from semc_core.sources.dicom.header import without_warnings

STORAGE_COMMITMENT: Final = UID("1.2.840.10008.1.20.1")  # Push Model
WELL_KNOWN: Final = UID("1.2.840.10008.1.20.1.1")
"""The one instance of it that there is."""
REQUEST: Final = 1
"""The one action of it."""
MOST_REPORTED: Final = 10_000
"""Objects of one answer; one that names more is not read."""
CANNOT: Final = 0x0110
NOT_UNDERSTOOD: Final = 0x0115
_REASONS: Final = {
    0x0110: "it failed to store it",
    0x0112: "it has no such object",
    0x0119: "it has it as another kind of object",
    0x0122: "it does not keep this kind of object",
    0x0131: "it was asked twice under one UID",
    0x0213: "it has no room",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What a server says of objects that it was asked to keep.

    Attributes:
        transaction: UID under which it was asked.
        kept: SOP Instance UIDs of those that it keeps for good.
        refused: SOP Instance UID of each other -> why, a number of PS3.3 C.14.1.1.
    """

    transaction: str
    kept: frozenset[str]
    refused: dict[str, int]


def request_of(transaction: str, objects: Iterable[DicomObject]) -> Dataset:
    """The question whether a server keeps these for good."""
    asked = Dataset()
    asked.TransactionUID = transaction
    asked.ReferencedSOPSequence = [_reference(one) for one in objects]
    return asked


def _reference(one: DicomObject) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = one.sop_class, one.sop_instance
    return item


def report_of(said: Dataset) -> Report | None:
    """What a data set says; None where it says nothing that can be understood."""
    try:
        with without_warnings(), disable_value_validation():
            transaction = str(said.TransactionUID)
            kept = [str(item.ReferencedSOPInstanceUID) for item in said.get("ReferencedSOPSequence") or ()]
            failed = said.get("FailedSOPSequence") or ()
            refused = {
                str(item.ReferencedSOPInstanceUID): int(item.get("FailureReason") or 0) for item in failed
            }
    except UNREADABLE:
        # Without a word of why: what libraries say quotes values.
        return None
    if not transaction or len(kept) + len(refused) > MOST_REPORTED:
        return None
    # One that is in both is not safe.
    return Report(transaction, frozenset(kept) - refused.keys(), refused)


def answer(event: Any, take: Callable[[Report], bool]) -> tuple[int, None]:
    """Answer an N-EVENT-REPORT.

    Args:
        event: As the network library tells it.
        take: Takes what it says; returns whether that was asked.

    Returns:
        A status, so that a server whose answer could not be written down says it again.
    """
    try:
        report = report_of(event.event_information)
        known = report is not None and take(report)
    except SemcError:
        return CANNOT, None
    except Exception:  # noqa: BLE001 - the boundary of what a server sends
        return NOT_UNDERSTOOD, None
    return SUCCESS if known else NOT_UNDERSTOOD, None


def why_not(server: str, reason: int) -> str:
    """Why a server does not keep an object, a sentence."""
    said = _REASONS.get(reason, "it gives no reason that is known here")
    return f"{server} does not keep it: {said} ({reason & 0xFFFF:04X}); try again to send it once more."
