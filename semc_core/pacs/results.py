"""What became of sending, written into the log of the session that was sent."""

from __future__ import annotations

from semc_core.errors import SemcError
from semc_core.pacs.entries import Job
from semc_core.pacs.queue import SendQueue
from semc_core.session.session import Session

KIND = "dicom send"


def log_results(queue: SendQueue, session: Session) -> int:
    """Log the finished jobs of `session` that its log does not have yet. Returns how many.

    A job that is sent again after it failed is logged again, with the new result.

    Raises:
        SemcError: The session or the queue cannot be written.
    """
    logged = 0
    known = [(each.sha256, each.detail) for each in session.exports() if each.kind == KIND]
    for job in queue.jobs():
        if job.told or not job.finished or job.session != session.folder.resolve():
            continue
        detail = {"job": job.uid, "objects": job.total, **job.counts}
        # A kill may have come between the log and the queue.
        if (job.manifest, detail) not in known:
            session.record_export(KIND, f"sent to {job.destination}", job.manifest, detail)
            logged += 1
        queue.set_told(job.job_id)
    return logged


def log_all(queue: SendQueue) -> int:
    """Log all finished jobs whose sessions can be opened now. Returns how many jobs could not be logged.

    A session that is open elsewhere gets its entries later.
    """
    waiting = {job.session for job in queue.jobs() if _is_untold(job)}
    left = 0
    for folder in waiting:
        assert folder is not None
        try:
            with Session.open(folder) as session:
                log_results(queue, session)
        except SemcError:
            left += 1
    return left


def _is_untold(job: Job) -> bool:
    return job.finished and not job.told and job.session is not None
