"""The log of a session: only ever added to, each entry holding the hash of the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from semc_core.errors import SessionError
from semc_core.session.records import AuditEntry

FIRST_PREVIOUS: Final = "0" * 64
"""What the first entry names as the hash before it."""


def utc_now() -> str:
    """The moment, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces, so that equal values give equal text.

    Raises:
        SessionError: `value` holds something that JSON does not know, such as NaN.
    """
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise SessionError(f"The session cannot keep this ({error}); use plain, finite values.") from error


def entry_hash(entry: AuditEntry) -> str:
    """SHA-256 over the canonical JSON of everything in `entry` but its hash."""
    return _hash(entry.seq, entry.time_utc, entry.who, entry.kind, entry.payload, entry.previous)


def next_entry(
    last: tuple[int, str], time_utc: str, who: str, kind: str, payload: dict[str, Any]
) -> AuditEntry:
    """The entry that follows `last` (number and hash; number 0 begins the log)."""
    seq = last[0]
    previous = last[1] if seq else FIRST_PREVIOUS
    digest = _hash(seq + 1, time_utc, who, kind, payload, previous)
    return AuditEntry(seq + 1, time_utc, who, kind, payload, previous, digest)


def chain_problems(entries: Iterable[AuditEntry], head: tuple[int, str] | None) -> list[str]:
    """What is wrong with the chain; `head` is the number and hash that the last entry must have."""
    problems = []
    last: tuple[int, str] | None = None
    for entry in entries:
        seq, previous = (0, FIRST_PREVIOUS) if last is None else last
        if entry.seq != seq + 1:
            problems.append(f"Entries {seq + 1} to {entry.seq - 1} of the log are missing.")
        elif entry.previous != previous:
            problems.append(f"Entry {entry.seq} of the log does not follow entry {seq}.")
        if entry_hash(entry) != entry.hash:
            problems.append(f"Entry {entry.seq} of the log was changed.")
        last = entry.seq, entry.hash
    if last is None:
        problems.append("The log is empty.")
    elif head is None or last[0] > head[0]:
        problems.append("The log has entries that its head does not know.")
    elif last[0] < head[0]:
        problems.append(f"Entries {last[0] + 1} to {head[0]} of the log are missing.")
    elif last != head:
        problems.append("The last entry of the log is not the one that its head names.")
    return problems


def _hash(seq: int, time_utc: str, who: str, kind: str, payload: dict[str, Any], previous: str) -> str:
    text = canonical(
        {
            "seq": seq,
            "time_utc": time_utc,
            "who": who,
            "kind": kind,
            "payload": payload,
            "previous": previous,
        }
    )
    return hashlib.sha256(text.encode()).hexdigest()
