"""The parts of the record by name."""

from __future__ import annotations

from typing import Any, Final, Protocol

from tests.record import exports, networks, scans, trainings, words
from tests.record.running import Place


class Part(Protocol):
    """Computes a part."""

    def __call__(self, place: Place, *, quick: bool) -> dict[str, Any]:
        """In an empty place; `quick` leaves out what takes long."""


PARTS: Final[dict[str, Part]] = {
    "words": words.record,
    "networks": networks.record,
    "scans": scans.record,
    "exports": exports.record,
    "trainings": trainings.record,
}
WITHOUT_CLIPS: Final = frozenset(scans.CLIPS)
"""What is left out where there are no real clips."""
