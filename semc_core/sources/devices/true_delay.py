"""What `semc bench glass` measured of each card or stream: the delay from its screen to the overlay here.

Kept in a small file among the user's own data, under the identity of a card, or the address of a stream
without user name, password and query.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from semc_core.io.atomic import write_atomically
from semc_core.io.documents import TOLERANT, Document, DocumentFault
from semc_core.io.private import make_private_folder
from semc_core.io.rules import within
from semc_core.language import N_, _, decimal
from semc_core.types import SourceInfo, TimedBy

_BOOK_NAME: Final = "true_delays.json"
_MOST_BYTES: Final = 1_000_000

_FROM: Final[dict[TimedBy, str]] = {
    "driver": N_("from the driver's stamp"),
    "arrival": N_("from arrival in the program"),
}


@dataclass(frozen=True, slots=True)
class DelaySpread:
    """Of some frames, milliseconds."""

    p50_ms: Annotated[float, within(0)]
    p95_ms: Annotated[float, within(0)]
    worst_ms: Annotated[float, within(0)]


@dataclass(frozen=True, slots=True)
class TrueDelay:
    """What was measured of one device.

    Attributes:
        measured_utc: When, ISO 8601.
        arrival: From the screen to the frame's arrival in the program.
        overlay: From the screen to the overlay of that frame, painted.
        program: What the program itself knew of that: from `timed_by` to the overlay.
        timed_by: See `SourceInfo`.
        frames: That came.
        read: Of these, those from which the clock was read.
        painted: Of these, those whose overlay was painted.
    """

    measured_utc: Annotated[str, within(10, 40)]
    arrival: DelaySpread
    overlay: DelaySpread
    program: DelaySpread
    timed_by: TimedBy
    frames: Annotated[int, within(0)]
    read: Annotated[int, within(0)]
    painted: Annotated[int, within(0)]

    @property
    def unreadable(self) -> int:
        """How many frames came in which the clock could not be read."""
        return self.frames - self.read

    @property
    def sentence(self) -> str:
        """ "glass to overlay 120 ms (measured 2026-11-30)"."""
        return _(
            "glass to overlay {delay} ms (measured {date})",
            delay=decimal(self.overlay.p50_ms, 0),
            date=self.measured_utc[:10],
        )

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "unreadable": self.unreadable}


def delay_begins(timed_by: TimedBy) -> str:
    """Where the program's own figure of the delay begins, in words."""
    return _(_FROM[timed_by])


DELAYS: Final = Document(dict[str, TrueDelay], most_bytes=_MOST_BYTES, config=TOLERANT)
"""By `device_key`."""


def device_key(info: SourceInfo) -> str:
    """Under what the delay of a source is kept; "" of what is neither card nor stream."""
    return info.known_by


def read_delays(folder: Path) -> dict[str, TrueDelay]:
    """All that was measured, by `device_key`; what cannot be understood is as if it had not been.

    Args:
        folder: Of what the program remembers for its user, `paths.data_folder`.
    """
    try:
        return DELAYS.read(folder / _BOOK_NAME)
    except (OSError, DocumentFault):
        return {}


def remember_delay(folder: Path, key: str, delay: TrueDelay) -> None:
    """Keep it in place of what was measured before.

    Raises:
        SaveError: It cannot be written.
        OSError: The folder cannot be made.
    """
    known = {**read_delays(folder), key: delay}
    make_private_folder(folder)
    text = json.dumps({name: asdict(each) for name, each in sorted(known.items())}, indent=2)
    write_atomically(folder / _BOOK_NAME, text.encode(), private=True)
