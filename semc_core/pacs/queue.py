"""The sending queue: which objects go where, and what became of each. It survives a restart and a kill.

An object's SOP Instance UID is the key: for one destination it is in the queue once.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from semc_core.errors import PacsError
from semc_core.io.atomic import flush, save_error
from semc_core.io.private import make_private_folder
from semc_core.io.regular import is_file
from semc_core.language import _
from semc_core.pacs.queue_store import (
    ASK_FOR_S,
    FOLDER_NAME,
    JOB,
    QUEUE_NAME,
    Added,
    DicomObject,
    Item,
    Job,
    QueueStore,
    write_private,
)
from semc_core.text import utc_now

_OPEN = "state IN ('waiting', 'failed', 'refused')"
_AGAIN = "(state IN ('waiting', 'failed', 'refused') OR commitment = 'refused')"


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
        with self._file.reading() as connection:
            counts = _counts(connection, "state", "1")
            commitments = _counts(connection, "commitment", "commitment != ''")
            messages = dict(
                connection.execute(
                    "SELECT job_id, COALESCE(NULLIF(commitment_message, ''), message) FROM items"
                    " WHERE message != '' OR commitment_message != '' ORDER BY item_id"
                )
            )
            links = dict(connection.execute("SELECT destination, message FROM links"))
            rows = connection.execute(
                "SELECT job_id, uid, created_utc, destination, session, manifest, told FROM jobs"
                " ORDER BY job_id"
            ).fetchall()
            return tuple(_job(row, counts, commitments, messages, links) for row in rows)

    def job(self, job_id: int) -> Job:
        """One job.

        Raises:
            PacsError: There is no such job.
        """
        for job in self.jobs():
            if job.job_id == job_id:
                return job
        raise PacsError(_('There is no job {number}; see "semc pacs list".', number=job_id))

    def items(self, job_id: int) -> tuple[Item, ...]:
        """The objects of a job."""
        return self._file.items("job_id = ? ORDER BY item_id", (job_id,))

    def waiting_for(self, destination: str) -> int:
        """How many objects wait for a destination, are on their way there, or wait for its confirmation."""
        with self._file.reading() as connection:
            (number,) = connection.execute(
                "SELECT COUNT(*) FROM items WHERE destination = ?"
                " AND (state IN ('waiting', 'sending') OR commitment IN ('due', 'asked'))",
                (destination,),
            ).fetchone()
        return int(number)

    def retry(self, job_id: int | None = None) -> int:
        """Send again what failed, was refused or is not kept, and at once what waits; of one job or all.

        What the server has not said to keep, it is asked again. Returns how many are sent.

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
                f" (SELECT job_id FROM items WHERE (state IN ('failed', 'refused')"
                f" OR commitment IN ('refused', 'given up')) AND {where})",
                values,
            )
            # An answer to what was asked before says nothing of what is sent now.
            connection.execute(
                f"DELETE FROM asked WHERE item_id IN (SELECT item_id FROM items WHERE {_AGAIN} AND {where})",
                values,
            )
            connection.execute(
                "UPDATE items SET commitment = 'due', asks = 0, ask_due_s = 0, ask_until_s = ?,"
                f" commitment_message = '' WHERE commitment IN ('due', 'asked', 'given up') AND {where}",
                (time.time() + ASK_FOR_S, *values),
            )
            changed = connection.execute(
                "UPDATE items SET state = 'waiting', attempts = 0, due_s = 0, message = '', done_utc = NULL,"
                f" commitment = '', commitment_message = '', asks = 0 WHERE {_AGAIN} AND {where}",
                values,
            )
            return int(changed.rowcount)

    def cancel(self, job_id: int) -> int:
        """Send no more of a job; what is on its way still arrives. Returns how many objects are not sent.

        Nor is its server asked any more whether it keeps what was sent.

        Raises:
            PacsError: There is no such job.
        """
        where, values = self._of_job(job_id)
        with self._file.writing() as connection:
            found = connection.execute(f"SELECT file FROM items WHERE {_OPEN} AND {where}", values)
            files = [str(file) for (file,) in found]
            asked = f"commitment NOT IN ('', 'committed') AND {where}"
            kept = [
                str(file) for (file,) in connection.execute(f"SELECT file FROM items WHERE {asked}", values)
            ]
            connection.execute(
                f"UPDATE items SET commitment = '', commitment_message = '' WHERE {asked}", values
            )
            connection.execute(
                f"UPDATE items SET state = 'cancelled', message = '', done_utc = ? WHERE {_OPEN} AND {where}",
                (utc_now(), *values),
            )
        self._file.remove_objects([*files, *kept])
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


_Counts = dict[int, dict[str, int]]


def sessions_that_wait(data: Path) -> frozenset[Path]:
    """Folders of sessions of which something waits to be sent, is not yet said to be kept, or is not logged.

    Args:
        data: The user's data folder; nothing waits where it has no queue.

    Raises:
        PacsError: The queue is damaged, or of a newer program.
        SaveError: It cannot be opened.
    """
    if not is_file(data / FOLDER_NAME / QUEUE_NAME):
        return frozenset()
    store = QueueStore(data / FOLDER_NAME)
    try:
        jobs = SendQueue(store).jobs()
    finally:
        store.close()
    waits = (job for job in jobs if not job.finished or job.unsettled or not job.told)
    return frozenset(job.session for job in waits if job.session is not None)


def _counts(connection: sqlite3.Connection, column: str, where: str) -> _Counts:
    """How many objects of each job have which value in a column."""
    found: _Counts = {}
    for job_id, value, number in connection.execute(
        f"SELECT job_id, {column}, COUNT(*) FROM items WHERE {where} GROUP BY job_id, {column}"
    ):
        found.setdefault(job_id, {})[value] = number
    return found


def _job(
    row: tuple[Any, ...],
    counts: _Counts,
    commitments: _Counts,
    messages: dict[int, str],
    links: dict[str, str],
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
            "commitment": commitments.get(job_id, {}),
        }
    )


def _is_wanted(connection: sqlite3.Connection, destination: str, one: DicomObject, *, again: bool) -> bool:
    """Whether an object is to be queued: not if it waits, or was sent, unless it is to be sent again."""
    found = connection.execute(
        "SELECT state, commitment = 'refused' FROM items WHERE destination = ? AND sop_instance = ?",
        (destination, one.sop_instance),
    ).fetchone()
    if found is None or found[0] in ("failed", "refused", "cancelled"):
        return True
    return bool(found[0] == "sent" and (again or found[1]))


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
