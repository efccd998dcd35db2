"""Holding a log against its signature, and against what this machine signed of it before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from semc_core.io.documents import DocumentFault
from semc_core.language import _
from semc_core.session.database import DATABASE_NAME, WAL_NAME
from semc_core.session.records import AuditEntry, Proof, file_sha256
from semc_core.session.signing import (
    SIGNED_HEAD,
    HeadBook,
    SignedHead,
    fingerprint,
    machine_keys,
    places_of,
)

_KEY: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """What the signatures say.

    Attributes:
        problems: What is wrong, sentences.
        proof: What they prove where nothing is wrong.
        why: Why that is not more; or "".
        from_the_start: Whether a program that signs began the log.
    """

    problems: tuple[str, ...]
    proof: Proof
    why: str
    from_the_start: bool

    @classmethod
    def of(
        cls, folder: Path, entries: Sequence[AuditEntry], stored: str | None, book: HeadBook
    ) -> SignatureCheck:
        """Look at the signatures of a log.

        Args:
            folder: Of the session.
            entries: The whole log.
            stored: The signed head that the database holds, JSON; None if it holds none.
            book: As it was before the log was read: a session that is being written to goes on meanwhile.
        """
        signers = _signers(entries)
        began = bool(signers) and signers[0][0] == 1
        problems = [*_stored_problems(entries, stored, signers[-1][1] if signers else "")]
        if entries:
            problems += _book_problems(folder, entries, book)
        foreign = [key for _first, key in signers if key not in machine_keys()]
        if foreign:
            why = _("signed by another key, fingerprint {print}", print=fingerprint(foreign[0]))
        elif not signers:
            why = _("an older program wrote it, which signed nothing")
        elif not began:
            why = _(
                "an older program, which signed nothing, wrote its first {count} entries",
                count=signers[0][0] - 1,
            )
        else:
            why = ""
        return cls(tuple(problems), Proof.CONSISTENT if why else Proof.PROVEN, why, began)


def _signers(entries: Sequence[AuditEntry]) -> list[tuple[int, str]]:
    """Where a program began to write, and the public key that it says it signs with."""
    found = []
    for entry in entries:
        if entry.kind in ("created", "opened"):
            key = entry.payload.get("signer")
            if isinstance(key, str) and _KEY.fullmatch(key):
                found.append((entry.seq, key))
    return found


def _stored_problems(entries: Sequence[AuditEntry], stored: str | None, key: str) -> list[str]:
    """What is wrong with the signature in the session; `key` is that of who wrote last, or ""."""
    if stored is None:
        return ["The signature of the log is missing: it was removed."] if key else []
    try:
        head = SIGNED_HEAD.parse(stored)
    except DocumentFault as fault:
        return [f"The signature of the log cannot be read: it was changed ({fault})."]
    if head.key != key or not head.valid:
        return ["The signature of the log is not by the key that the log names: one of them was changed."]
    if not entries or (head.session, head.hash) != (entries[0].hash, entries[-1].hash):
        return ["The signature of the log is of another log: entries were changed, added or removed."]
    return []


def _book_problems(folder: Path, entries: Sequence[AuditEntry], book: HeadBook) -> list[str]:
    """What is not as this machine signed it before, and kept outside of the session."""
    known, places = book.of_session(entries[0].hash), places_of(folder)
    if not known:
        there = book.sessions_at(places)
        return ["This machine wrote another session in this folder: it was replaced."] if there else []
    # Of two copies that were both gone on with, each has its own end; opening an older one was logged. A copy
    # in a new place must hold what was signed last, and so all that led there: not what another copy signed.
    latest = known[-1].place
    known = [head for head in known if head.place in places] or [h for h in known if h.place == latest]
    hashes = {entry.seq: entry.hash for entry in entries}
    for head in known:
        if head.entries > entries[-1].seq:
            return [
                f"The log ends at its entry {entries[-1].seq}, and this machine signed an entry "
                f"{head.entries}: the end was cut off."
            ]
        if hashes.get(head.entries) != head.hash:
            return [f"Entry {head.entries} of the log is not the one that this machine signed."]
    last = next((head for head in reversed(known) if head.database), None)
    if last is not None and last.hash == entries[-1].hash:
        return _file_problems(folder, last)
    return []


def _file_problems(folder: Path, last: SignedHead) -> list[str]:
    """Whether the database's file is the one that was closed; where SQLite left two, nothing is said."""
    if (folder / WAL_NAME).exists() or file_sha256(folder / DATABASE_NAME) == last.database:
        return []
    return [f"{DATABASE_NAME} is not the file that was closed: bytes in it were changed."]
