"""The sending queue: which objects go where, and what became of each. It survives a restart and a kill.

An object's SOP Instance UID is the key: for one destination it is in the queue once.

The sending queue as whoever sends it sees it: what is due, and what became of it.

Before an object is sent, that is written down. So after a kill it is known which one may have arrived without
an answer; it is "unclear", and the server is asked for it before it is sent again.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from semc_core.errors import PacsError, SessionError
from semc_core.io.atomic import flush, save_error
from semc_core.io.lock import WriterLock
from semc_core.io.private import make_private_folder
from semc_core.pacs.queue_store import JOB, Added, DicomObject, Item, Job, QueueStore, write_private
from semc_core.text import utc_now

_OPEN = "state IN ('waiting', 'failed', 'refused')"


class SendQueue:
    """The queue as the user sees it. Safe from any thread; several programs may use it."""

    def __init__(self, file: QueueStore) -> None:
        """Use an open queue."""
        self._file = file

    def add(
        self,
        destination: str,
        objects: Sequence[DicomObject],
        read: Callable[[DicomObject], bytes],
        *,
        manifest: str,
        session: Path | None = None,
        again: bool = False,
    ) -> Added:
        """Queue objects for a destination: all of them or none. They are copied, the originals may go.

        Args:
            destination: Its name.
            objects: What to send.
            read: Gives the bytes of one.
            manifest: SHA-256 of the export's manifest.
            session: Folder of the session that was exported, whose log is to get the result.
            again: Send also what was sent to this destination before.

        Raises:
            SaveError: They cannot be written.
        """
        with self._file.reading() as connection:
            wanted = [one for one in objects if _is_wanted(connection, destination, one, again=again)]
        if not wanted:
            return Added(None, 0, len(objects))
        uid = uuid.uuid4().hex
        place = self._file.objects / uid
        files = {one.sop_instance: f"{uid}/{number}.dcm" for number, one in enumerate(wanted)}
        try:
            make_private_folder(place, parents=False)
            for one in wanted:
                write_private(self._file.objects / files[one.sop_instance], read(one))
            flush(place)
            flush(self._file.objects)
        except OSError as error:
            shutil.rmtree(place, ignore_errors=True)
            raise save_error(self._file.folder, error) from error
        row = (uid, utc_now(), destination, None if session is None else str(session.resolve()), manifest)
        job_id, queued = self._insert(row, files, wanted, again=again)
        return Added(job_id if queued else None, queued, len(objects) - queued)

    def _insert(
        self, job: tuple[Any, ...], files: dict[str, str], wanted: Sequence[DicomObject], *, again: bool
    ) -> tuple[int, int]:
        """Number of the job, and how many objects it has."""
        superfluous: list[str] = []
        destination = str(job[2])
        with self._file.writing() as connection:
            cursor = connection.execute(
                "INSERT INTO jobs (uid, created_utc, destination, session, manifest) VALUES (?, ?, ?, ?, ?)",
                job,
            )
            job_id = int(cursor.lastrowid or 0)
            for one in wanted:
                file = files[one.sop_instance]
                # Asked again: another program may have queued it meanwhile.
                if not _is_wanted(connection, destination, one, again=again):
                    superfluous.append(file)
                    continue
                unclear = _take_out(connection, destination, one, superfluous)
                connection.execute(
                    "INSERT INTO items (job_id, destination, sop_class, sop_instance, study, series, syntax,"
                    " sha256, size, file, unclear, state)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting')",
                    (job_id, destination, one.sop_class, one.sop_instance, one.study, one.series, one.syntax,
                     one.sha256, one.size, file, unclear and not again),
                )  # fmt: skip
            # A job whose objects have all gone over to a newer one; this one, if another program was faster.
            connection.execute(
                "DELETE FROM jobs WHERE NOT EXISTS (SELECT 1 FROM items WHERE items.job_id = jobs.job_id)"
            )
            (queued,) = connection.execute(
                "SELECT COUNT(*) FROM items WHERE job_id = ?", (job_id,)
            ).fetchone()
        self._file.remove_objects(superfluous)
        return job_id, int(queued)

    def jobs(self) -> tuple[Job, ...]:
        """All jobs, the oldest first."""
        counts: dict[int, dict[str, int]] = {}
        with self._file.reading() as connection:
            for job_id, state, number in connection.execute(
                "SELECT job_id, state, COUNT(*) FROM items GROUP BY job_id, state"
            ):
                counts.setdefault(job_id, {})[state] = number
            messages = dict(
                connection.execute("SELECT job_id, message FROM items WHERE message != '' ORDER BY item_id")
            )
            links = dict(connection.execute("SELECT destination, message FROM links"))
            rows = connection.execute(
                "SELECT job_id, uid, created_utc, destination, session, manifest, told FROM jobs"
                " ORDER BY job_id"
            ).fetchall()
            return tuple(_job(row, counts, messages, links) for row in rows)

    def job(self, job_id: int) -> Job:
        """One job.

        Raises:
            PacsError: There is no such job.
        """
        for job in self.jobs():
            if job.job_id == job_id:
                return job
        raise PacsError(f'There is no job {job_id}; see "semc pacs list".')

    def items(self, job_id: int) -> tuple[Item, ...]:
        """The objects of a job."""
        return self._file.items("job_id = ? ORDER BY item_id", (job_id,))

    def waiting_for(self, destination: str) -> int:
        """How many objects wait for a destination, or are on their way there."""
        with self._file.reading() as connection:
            (number,) = connection.execute(
                "SELECT COUNT(*) FROM items WHERE destination = ? AND state IN ('waiting', 'sending')",
                (destination,),
            ).fetchone()
        return int(number)

    def retry(self, job_id: int | None = None) -> int:
        """Send again what failed or was refused, and at once what waits; of one job or all. Returns how many.

        Raises:
            PacsError: There is no such job.
        """
        where, values = self._of_job(job_id)
        with self._file.writing() as connection:
            connection.execute(
                f"DELETE FROM links WHERE destination IN (SELECT destination FROM items WHERE {where})",
                values,
            )
            connection.execute(
                "UPDATE jobs SET told = 0 WHERE job_id IN"
                f" (SELECT job_id FROM items WHERE state IN ('failed', 'refused') AND {where})",
                values,
            )
            changed = connection.execute(
                "UPDATE items SET state = 'waiting', attempts = 0, due_s = 0, message = '', done_utc = NULL"
                f" WHERE {_OPEN} AND {where}",
                values,
            )
            return int(changed.rowcount)

    def cancel(self, job_id: int) -> int:
        """Send no more of a job; what is on its way still arrives. Returns how many objects are not sent.

        Raises:
            PacsError: There is no such job.
        """
        where, values = self._of_job(job_id)
        with self._file.writing() as connection:
            found = connection.execute(f"SELECT file FROM items WHERE {_OPEN} AND {where}", values)
            files = [str(file) for (file,) in found]
            connection.execute(
                f"UPDATE items SET state = 'cancelled', message = '', done_utc = ? WHERE {_OPEN} AND {where}",
                (utc_now(), *values),
            )
        self._file.remove_objects(files)
        return len(files)

    def set_told(self, job_id: int) -> None:
        """The session's log has the result of this job."""
        with self._file.writing() as connection:
            connection.execute("UPDATE jobs SET told = 1 WHERE job_id = ?", (job_id,))

    def _of_job(self, job_id: int | None) -> tuple[str, tuple[int, ...]]:
        """SQL for the objects of a job, or of all."""
        if job_id is None:
            return "1", ()
        self.job(job_id)
        return "job_id = ?", (job_id,)


def _job(
    row: tuple[Any, ...], counts: dict[int, dict[str, int]], messages: dict[int, str], links: dict[str, str]
) -> Job:
    """Raises DocumentFault where a damaged file says something else."""
    job_id, uid, created, destination, session, manifest, told = row
    held = counts.get(job_id, {})
    waits = held.get("waiting") or held.get("sending")
    return JOB.from_plain(
        {
            "job_id": job_id,
            "uid": uid,
            "created_utc": created,
            "destination": destination,
            "session": session,
            "manifest": manifest,
            "counts": held,
            "message": (links.get(destination) if waits else None) or messages.get(job_id, ""),
            "told": bool(told),
        }
    )


def _is_wanted(connection: sqlite3.Connection, destination: str, one: DicomObject, *, again: bool) -> bool:
    """Whether an object is to be queued: not if it waits, or was sent, unless it is to be sent again."""
    found = connection.execute(
        "SELECT state FROM items WHERE destination = ? AND sop_instance = ?", (destination, one.sop_instance)
    ).fetchone()
    return found is None or found[0] in ("failed", "refused", "cancelled") or (again and found[0] == "sent")


def _take_out(connection: sqlite3.Connection, destination: str, one: DicomObject, files: list[str]) -> bool:
    """Take an object out of an older job; its copy goes to `files`. Returns whether it may have been sent."""
    key = destination, one.sop_instance
    where = "destination = ? AND sop_instance = ?"
    row = connection.execute(f"SELECT file, unclear FROM items WHERE {where}", key).fetchone()
    if row is None:
        return False
    connection.execute(f"DELETE FROM items WHERE {where}", key)
    files.append(str(row[0]))
    return bool(row[1])


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
            raise SentElsewhere("Another SEMC Live sends the queue already; it sends this too.") from error
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

    def sent(self, item: Item, message: str = "") -> None:
        """The server has it; the copy is removed."""
        self._set(item, state="sent", unclear=0, message=message, done_utc=utc_now(), works=True)
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

    def link_failed(self, destination: str, message: str, attempts: int, *, permanent: bool) -> None:
        """There was no connection, or it was lost: all that waits for `destination` waits longer each time.

        After `attempts` failures in a row, or at once if it is `permanent`, it is given up until `retry`.
        """
        with self._file.writing() as connection:
            row = connection.execute(
                "SELECT failures FROM links WHERE destination = ?", (destination,)
            ).fetchone()
            failures = 1 if row is None else int(row[0]) + 1
            if not permanent and failures < attempts:
                due_s = self._now() + wait_after(failures)
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
            states = dict(connection.execute("SELECT file, state FROM items"))
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
