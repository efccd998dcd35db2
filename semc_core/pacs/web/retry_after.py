"""How long a service asks to be left alone: the header Retry-After of its answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

MOST_S: Final = 1800.0
"""So long at most it is left alone: a service that says more is asked in between whether it still is so."""


def asked_wait_s(headers: Mapping[str, str]) -> float:
    """Seconds from now; 0 where nothing is asked, or nothing that makes sense.

    Args:
        headers: Of the answer. A day and time is held against the service's own clock, where it says it.
    """
    said = headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdecimal():
        wait_s = float(said[:9])
    else:
        until, now = _time(said), _time(headers.get("Date", "")) or datetime.now(UTC)
        wait_s = 0.0 if until is None else (until - now).total_seconds()
    return min(max(wait_s, 0.0), MOST_S)


def _time(said: str) -> datetime | None:
    try:
        time = parsedate_to_datetime(said)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
