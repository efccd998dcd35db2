"""The sending queue as whoever sends it sees it: what is due, and what became of it.

Before an object is sent, that is written down. So after a kill it is known which one may have arrived without
an answer; it is "unclear", and the server is asked for it before it is sent again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from semc_core.errors import PacsError, SessionError
from semc_core.io.lock import WriterLock
from semc_core.language import _
from semc_core.pacs.queue_store import ASK_FOR_S, Item, QueueStore
from semc_core.text import utc_now

FIRST_WAIT_S: Final = 5.0
LONGEST_WAIT_S: Final = 900.0
OBJECT_ATTEMPTS: Final = 5
_LEFT_OVER_AFTER_S: Final = 3600.0


def wait_after(failures: int) -> float:
    """Seconds to wait after so many failures in a row: each twice the last, up to a quarter of an hour."""
    return float(min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(failures - 1, 20)))


class SentElsewhere(PacsError):
    """Another program sends the queue."""


class Outbox:
    """The one sender's hold on the queue, from construction to `close`, or the end of its process."""

    def __init__(self, file: QueueStore, *, now: Callable[[], float] = time.time) -> None:
        """Take hold of it, and set right what a kill left.

        Args:
            file: The queue.
            now: Time of day, seconds: it goes on while no program runs.

        Raises:
            SentElsewhere: Another program, or another part of this one, has hold of it.
            SaveError: The queue cannot be written to.
        """
        self._file = file
        self._now = now
        try:
            self._lock = WriterLock(file.folder)
        except SessionError as error:
            raise SentElsewhere(_("Another SEMC Live sends the queue already; it sends this too.")) from error
        try:
            self._recover()
        except BaseException:
            self._lock.release()
            raise

    def close(self) -> None:
        """Let go of it."""
        self._lock.release()

    def due(self, most: int) -> tuple[Item, ...]:
        """The next objects to send, all for one destination; those that were tried before come last."""
        now = self._now()
        # A due time further away than any wait comes from a clock that was set back.
        where = (
            "state = 'waiting' AND (due_s <= :now OR due_s > :far) AND destination NOT IN"
            " (SELECT destination FROM links WHERE due_s > :now AND due_s <= :far)"
        )
        values: dict[str, object] = {"now": now, "far": now + 2 * LONGEST_WAIT_S, "most": most}
        with self._file.reading() as connection:
            first = connection.execute(
                f"SELECT destination FROM items WHERE {where} ORDER BY attempts, item_id LIMIT 1", values
            ).fetchone()
        if first is None:
            return ()
        values["destination"] = first[0]
        return self._file.items(
            f"{where} AND destination = :destination ORDER BY attempts, item_id LIMIT :most", values
        )

    def next_due_s(self) -> float | None:
        """Seconds until something is due, at most `LONGEST_WAIT_S`; 0 if it is, None if nothing waits."""
        with self._file.reading() as connection:
            (due_s,) = connection.execute(
                "SELECT MIN(MAX(items.due_s, COALESCE(links.due_s, 0))) FROM items LEFT JOIN links"
                " ON links.destination = items.destination WHERE state = 'waiting'"
            ).fetchone()
        return None if due_s is None else min(max(0.0, float(due_s) - self._now()), LONGEST_WAIT_S)

    def path(self, item: Item) -> Path:
        """The object's copy."""
        return self._file.objects / item.file

    def begin(self, item: Item) -> bool:
        """Write down that it is being sent. Returns whether it still is to be: it may have been cancelled."""
        with self._file.writing() as connection:
            changed = connection.execute(
                "UPDATE items SET state = 'sending' WHERE item_id = ? AND state = 'waiting'", (item.item_id,)
            )
            return changed.rowcount == 1

    def sent(self, item: Item, message: str = "", *, commit: bool = False) -> None:
        """The server has it. The copy is removed; with `commit`, once the server says that it keeps it."""
        asked = {
            "commitment": "due" if commit else "",
            "commitment_message": "",
            "asks": 0,
            "ask_due_s": 0,
            "ask_until_s": self._now() + ASK_FOR_S,
        }
        self._set(item, state="sent", unclear=0, message=message, done_utc=utc_now(), works=True, **asked)
        if not commit:
            self._file.remove_objects([item.file])

    def refused(self, item: Item, message: str) -> None:
        """The server will not take it."""
        self._set(item, state="refused", unclear=0, message=message, done_utc=utc_now(), works=True)

    def failed(self, item: Item, message: str) -> None:
        """It cannot be sent."""
        self._set(item, state="failed", message=message, done_utc=utc_now(), works=False)

    def put_off(self, item: Item, message: str) -> None:
        """The server could not take it now: later again, a few times."""
        over = item.attempts + 1 >= OBJECT_ATTEMPTS
        self._later(item, message, unclear=False, over=over)

    def broke_off(self, item: Item, message: str, attempts: int) -> None:
        """The connection was lost while it was sent: the server may have it. `attempts` is the limit."""
        self._later(item, message, unclear=True, over=item.attempts + 1 >= attempts)

    def link_failed(
        self, destination: str, message: str, attempts: int, *, permanent: bool, after_s: float = 0.0
    ) -> None:
        """There was no connection, or it was lost: all that waits for `destination` waits longer each time.

        After `attempts` failures in a row, or at once if it is `permanent`, it is given up until `retry`.
        It waits for `after_s` at least, which is the server's wish.
        """
        with self._file.writing() as connection:
            row = connection.execute(
                "SELECT failures FROM links WHERE destination = ?", (destination,)
            ).fetchone()
            failures = 1 if row is None else int(row[0]) + 1
            if not permanent and failures < attempts:
                due_s = self._now() + max(wait_after(failures), min(after_s, 2 * LONGEST_WAIT_S))
                connection.execute(
                    "INSERT OR REPLACE INTO links VALUES (?, ?, ?, ?)",
                    (destination, failures, due_s, message),
                )
                return
            connection.execute("DELETE FROM links WHERE destination = ?", (destination,))
            connection.execute(
                "UPDATE items SET state = ?, message = ?, done_utc = ? WHERE destination = ?"
                " AND state = 'waiting'",
                ("refused" if permanent else "failed", message, utc_now(), destination),
            )

    def _later(self, item: Item, message: str, *, unclear: bool, over: bool) -> None:
        attempts = item.attempts + 1
        self._set(
            item, state="failed" if over else "waiting", unclear=int(unclear), attempts=attempts,
            due_s=self._now() + wait_after(attempts), message=message, works=not unclear,
        )  # fmt: skip

    def _set(self, item: Item, *, works: bool, **values: object) -> None:
        """Change an item; `works` says that its destination answered."""
        settings = ", ".join(f"{name} = :{name}" for name in values)
        with self._file.writing() as connection:
            connection.execute(
                f"UPDATE items SET {settings} WHERE item_id = :item_id", {**values, "item_id": item.item_id}
            )
            if works:
                connection.execute("DELETE FROM links WHERE destination = ?", (item.destination,))

    def _recover(self) -> None:
        with self._file.writing() as connection:
            connection.execute("UPDATE items SET state = 'waiting', unclear = 1 WHERE state = 'sending'")
            # Nobody listened meanwhile: what was asked is asked again.
            connection.execute(
                "UPDATE items SET commitment = 'due', ask_due_s = 0 WHERE commitment IN ('due', 'asked')"
            )
            states = dict(
                connection.execute(
                    "SELECT file, CASE WHEN commitment IN ('', 'committed') THEN state ELSE 'kept' END"
                    " FROM items"
                )
            )
        self._file.remove_objects(self._superfluous(states))

    def _superfluous(self, states: dict[str, str]) -> list[str]:
        """Copies that no item needs. Young unknown ones may belong to a program that queues them now."""
        newest_s = time.time() - _LEFT_OVER_AFTER_S
        found = []
        for path in self._file.objects.glob("*/*.dcm"):
            name = path.relative_to(self._file.objects).as_posix()
            # It may go away while we look.
            with suppress(FileNotFoundError):
                state = states.get(name)
                if state in ("sent", "cancelled") or (state is None and path.stat().st_mtime <= newest_s):
                    found.append(name)
        return found
