"""Which objects a server was asked to keep for good, and what it said: in the sending queue's file."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection, Sequence
from typing import Final

from semc_core.pacs.commitment.reports import Report, why_not
from semc_core.pacs.outbox import LONGEST_WAIT_S, wait_after
from semc_core.pacs.queue_store import Item, QueueStore

FIRST_PATIENCE_S: Final = 600.0
LONGEST_PATIENCE_S: Final = 6 * 3600.0
_LAST_TIME: Final = "CASE WHEN ask_until_s < ? THEN 0 ELSE ask_until_s END"
"""Once it is too late, the next question, or the next that cannot be asked, is the last: 0 says so."""
_UNSETTLED: Final = "commitment IN ('due', 'asked')"


def patience(asks: int) -> float:
    """Seconds to wait for an answer after so many questions: each twice the last, up to six hours."""
    return float(min(LONGEST_PATIENCE_S, FIRST_PATIENCE_S * 2.0 ** min(asks - 1, 20)))


class CommitmentLedger:
    """What is asked and answered. Safe from any thread; only the one who sends asks."""

    def __init__(self, file: QueueStore, *, now: Callable[[], float] = time.time) -> None:
        """Use an open queue; `now` is the time of day, seconds."""
        self._file = file
        self._now = now

    def awaited(self) -> frozenset[str]:
        """Names of the servers that have not said of all objects whether they keep them."""
        with self._file.reading() as connection:
            rows = connection.execute(f"SELECT DISTINCT destination FROM items WHERE {_UNSETTLED}").fetchall()
        return frozenset(str(name) for (name,) in rows)

    def due(self, most: int) -> tuple[Item, ...]:
        """The next objects to ask for, all of one server. What was asked for too long is given up.

        Not before it was asked a last time: the program may not have run for all the time until then.
        """
        now = self._now()
        with self._file.writing() as connection:
            connection.execute(
                "UPDATE items SET commitment = 'given up', commitment_message = destination ||"
                " ' did not say in time whether it keeps it; try again to ask once more.'"
                " WHERE commitment = 'asked' AND ask_until_s = 0 AND ask_due_s <= ?",
                (now,),
            )
            # A due time further away than any wait comes from a clock that was set back.
            where = f"{_UNSETTLED} AND (ask_due_s <= :now OR ask_due_s > :far)"
            values: dict[str, object] = {"now": now, "far": now + 2 * LONGEST_PATIENCE_S, "most": most}
            first = connection.execute(
                f"SELECT destination FROM items WHERE {where} ORDER BY ask_due_s, item_id LIMIT 1", values
            ).fetchone()
        if first is None:
            return ()
        values["destination"] = first[0]
        return self._file.items(
            f"{where} AND destination = :destination ORDER BY ask_due_s, item_id LIMIT :most", values
        )

    def next_due_s(self) -> float | None:
        """Seconds until something is to be asked; 0 if it is, None if nothing is."""
        with self._file.reading() as connection:
            (due_s,) = connection.execute(f"SELECT MIN(ask_due_s) FROM items WHERE {_UNSETTLED}").fetchone()
        return None if due_s is None else min(max(0.0, float(due_s) - self._now()), LONGEST_PATIENCE_S)

    def begin(self, items: Sequence[Item], transaction: str) -> None:
        """Write down that these are asked for under this UID, before they are."""
        now = self._now()
        with self._file.writing() as connection:
            for item in items:
                # It may have gone over to a newer job meanwhile.
                connection.execute(
                    "INSERT INTO asked SELECT ?, item_id FROM items WHERE item_id = ?",
                    (transaction, item.item_id),
                )
                connection.execute(
                    "UPDATE items SET commitment = 'asked', commitment_message = '', asks = ?, ask_due_s = ?,"
                    f" ask_until_s = {_LAST_TIME} WHERE item_id = ? AND {_UNSETTLED}",
                    (item.asks + 1, now + patience(item.asks + 1), now, item.item_id),
                )

    def put_off(self, items: Sequence[Item], message: str) -> None:
        """They could not be asked for now: later again, unless that was the last time.

        What was answered meanwhile stays.
        """
        now = self._now()
        with self._file.writing() as connection:
            for item in items:
                connection.execute(
                    "UPDATE items SET commitment = CASE ask_until_s WHEN 0 THEN 'given up' ELSE 'due' END,"
                    " commitment_message = ?, asks = ?, ask_due_s = ? + CASE WHEN ask_until_s < ? THEN ?"
                    f" ELSE ? END, ask_until_s = {_LAST_TIME} WHERE item_id = ? AND {_UNSETTLED}",
                    (
                        message,
                        item.asks + 1,
                        now,
                        now,
                        LONGEST_WAIT_S,
                        wait_after(item.asks + 1),
                        now,
                        item.item_id,
                    ),
                )

    def give_up(self, server: str, message: str) -> None:
        """Nothing more is asked of a server until the user says so."""
        with self._file.writing() as connection:
            connection.execute(
                "UPDATE items SET commitment = 'given up', commitment_message = ?"
                f" WHERE destination = ? AND {_UNSETTLED}",
                (message, server),
            )

    def forget(self, server: str) -> None:
        """Nobody asks this server any more: what it was sent counts as sent."""
        with self._file.writing() as connection:
            where = f"destination = ? AND {_UNSETTLED}"
            files = [
                str(file)
                for (file,) in connection.execute(f"SELECT file FROM items WHERE {where}", (server,))
            ]
            connection.execute(
                f"UPDATE items SET commitment = '', commitment_message = '' WHERE {where}", (server,)
            )
        self._file.remove_objects(files)

    def is_answered(self, transaction: str) -> bool:
        """Whether the server has said of all objects under this UID whether it keeps them."""
        with self._file.reading() as connection:
            (left,) = connection.execute(
                "SELECT COUNT(*) FROM asked JOIN items USING (item_id)"
                f" WHERE transaction_uid = ? AND {_UNSETTLED}",
                (transaction,),
            ).fetchone()
        return not left

    def take(self, servers: Collection[str], report: Report) -> bool:
        """Write down what a server said. Objects that were not asked for under its UID are passed over.

        Args:
            servers: The names under which it is known.
            report: What it said.

        Returns:
            Whether it was asked that.
        """
        done: list[str] = []
        with self._file.writing() as connection:
            rows = connection.execute(
                "SELECT item_id, job_id, destination, sop_instance, file, commitment FROM asked"
                " JOIN items USING (item_id) WHERE transaction_uid = ?",
                (report.transaction,),
            ).fetchall()
            ours = [row for row in rows if row[2] in servers]
            jobs = set()
            for item_id, job_id, destination, instance, file, commitment in ours:
                # What it once said to keep it keeps, whatever comes after.
                if commitment in ("", "committed") or not (
                    instance in report.kept or instance in report.refused
                ):
                    continue
                jobs.add(job_id)
                if instance in report.kept:
                    done.append(str(file))
                    _settle(connection, item_id, "committed", "")
                else:
                    _settle(connection, item_id, "refused", why_not(destination, report.refused[instance]))
            for job_id in jobs:
                # The session's log is to get it.
                connection.execute(
                    "UPDATE jobs SET told = 0 WHERE job_id = :job AND NOT EXISTS (SELECT 1 FROM items"
                    f" WHERE items.job_id = :job AND {_UNSETTLED})",
                    {"job": job_id},
                )
        self._file.remove_objects(done)
        return bool(ours)


def _settle(connection: sqlite3.Connection, item_id: int, commitment: str, message: str) -> None:
    connection.execute(
        "UPDATE items SET commitment = ?, commitment_message = ? WHERE item_id = ?",
        (commitment, message, item_id),
    )
