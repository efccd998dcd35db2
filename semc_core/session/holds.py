"""What the model found, as the log has it: apart from what a person made of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from semc_core.errors import SessionError
from semc_core.pipeline.detector import HoldEvent
from semc_core.session.records import MODEL, AuditEntry


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold as it was announced. Times in seconds.

    Attributes:
        plane: Class name.
        frame_index: Of its best frame.
        time_s: Of its best frame.
        confidence: Smoothed probability of `plane` at that frame.
        start_s: When it began.
        end_s: Its newest frame.
        final: Whether it was over.
    """

    plane: str
    frame_index: int
    time_s: float
    confidence: float
    start_s: float
    end_s: float
    final: bool


def hold_of(event: HoldEvent) -> Hold:
    """What is logged of `event`."""
    packet = event.best.packet
    return Hold(
        plane=event.plane,
        frame_index=packet.index,
        time_s=float(packet.pts_s),
        confidence=float(event.confidence),
        start_s=float(event.start_s),
        end_s=float(event.end_s),
        final=event.final,
    )


def hold_payload(event: HoldEvent) -> dict[str, Any]:
    """The payload of the log's entry for `event`, plain JSON values."""
    return {"plane_id": event.hold_id, "found": asdict(hold_of(event))}


def logged_holds(log: Iterable[AuditEntry]) -> list[Hold]:
    """The last word of the model on each of its holds, in order of their beginning.

    Raises:
        SessionError: An entry is not as this program writes it.
    """
    holds: dict[int, Hold] = {}
    for entry in log:
        if entry.who == MODEL and entry.kind == "plane":
            try:
                holds[int(entry.payload["plane_id"])] = Hold(**entry.payload["found"])
            except (LookupError, TypeError, ValueError) as error:
                raise SessionError("The log of the session is damaged; use a copy of it.") from error
    return sorted(holds.values(), key=lambda hold: (hold.start_s, hold.frame_index))
