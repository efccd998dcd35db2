"""Bringing the signed heads of one session into the book outside of it, without holding anybody up."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from semc_core.session.database import DATABASE_NAME, SIGNED, WAL_NAME, local_value, open_database
from semc_core.session.records import file_sha256
from semc_core.session.signing import (
    SIGNED_HEAD,
    HeadBook,
    SignedHead,
    Signer,
    machine_signer,
    place_of,
)


class HeadKeeper:
    """Lists a session's heads in the book. `take` from any thread, `flushed` from one."""

    def __init__(self, folder: Path) -> None:
        """`folder` is the session's."""
        self._folder = folder
        self._book = HeadBook()
        self._due: tuple[Signer, SignedHead] | None = None

    def take(self, signer: Signer, head: SignedHead) -> None:
        """A head that is to be listed when it is on the disk, unless a newer one is taken before."""
        self._due = signer, head

    def flushed(self) -> None:
        """What was taken is on the disk."""
        due, self._due = self._due, None
        if due is not None:
            self._list(*due, "")

    def closed(self, signer: Signer, head: SignedHead) -> None:
        """The session was closed, and nobody writes to it: list its last head, with its database's hash.

        Where somebody reads it, SQLite has not put all into one file: then its bytes mean nothing.
        """
        whole = not (self._folder / WAL_NAME).exists()
        try:
            self._list(signer, head, file_sha256(self._folder / DATABASE_NAME) if whole else "")
        except OSError:
            self._list(signer, head, "")

    def _list(self, signer: Signer, head: SignedHead, database: str) -> None:
        place = place_of(self._folder)
        self._book.add(
            signer.sign_head(head.session, head.entries, head.hash, database=database, place=place)
        )


def list_place(folder: Path) -> None:
    """A session that is closed was moved to `folder`: the book lists where its end is now.

    Raises:
        SemcError: It cannot be read.
    """
    with closing(open_database(folder, read_only=True)) as connection:
        stored = local_value(connection, SIGNED)
    if stored is not None:
        HeadKeeper(folder).closed(machine_signer(), SIGNED_HEAD.parse(stored))
