"""What is said of sending to a PACS: pure data and functions. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from app.keys import first_key
from semc_core.language import N_, _, day_text, joined, plural
from semc_core.pacs.destinations import Server, WebDestination
from semc_core.pacs.faults import shown_fault
from semc_core.pacs.queue_store import Job
from semc_core.pacs.web_secret import WebSecret
from semc_core.text import readable

if TYPE_CHECKING:
    from semc_core.pacs.service import SendState

_STATE_WORDS: Final = {
    "sent": N_("sent"),
    "sending": N_("under way"),
    "waiting": N_("waiting"),
    "failed": N_("given up"),
    "refused": N_("refused"),
    "cancelled": N_("cancelled"),
    "safe": N_("sent, safe at {server}"),
    "not yet confirmed": N_("sent, not yet confirmed"),
    "not kept": N_("sent, but refused"),
    "never confirmed": N_("sent, never confirmed"),
}
_OPEN: Final = ("failed", "refused", "waiting", "not yet confirmed", "not kept", "never confirmed")
_GOOD: Final = {"sent", "safe"}


@dataclass(frozen=True, slots=True)
class SendSnapshot:
    """How sending stands. Read on a thread of its own, shown in the window.

    Attributes:
        ready: Whether the queue is open.
        destinations: In order of their names.
        jobs: The newest first.
        service: What the sending thread does; None before it is there.
    """

    ready: bool = False
    destinations: tuple[Server, ...] = ()
    jobs: tuple[Job, ...] = ()
    service: SendState | None = None

    def job(self, job_id: int | None) -> Job | None:
        """The job with this number, if there is one."""
        return next((job for job in self.jobs if job.job_id == job_id), None)


@dataclass(frozen=True, slots=True)
class JobRow:
    """A line of the queue.

    Attributes:
        job_id: Its number.
        when: Local time at which it was queued.
        destination: Name of the server.
        what: "12 objects".
        state: In words.
        message: What was last said of it, or "".
        tone: "good", "wait" or "fault".
        retry: Whether it can be tried again.
        cancel: Whether there is something to cancel.
    """

    job_id: int
    when: str
    destination: str
    what: str
    state: str
    message: str
    tone: str
    retry: bool
    cancel: bool


def objects(number: int) -> str:
    """ "1 object", "12 objects"."""
    return plural("{count} object", "{count} objects", number)


def job_row(job: Job, service: SendState | None = None) -> JobRow:
    """What the queue says of a job; `service` is what the sending thread does now."""
    counts = job.outcomes
    lost = counts.get("failed") or counts.get("refused") or job.unkept
    under_way = service is not None and service.phase == "sending" and service.destination == job.destination
    # Why it waited is over when it is sent again; why something was not sent stays.
    over = under_way and not job.finished and not lost
    when = datetime.fromisoformat(job.created_utc).astimezone()
    tone = "good" if counts and set(counts) <= _GOOD else "fault" if lost else "wait"
    return JobRow(
        job_id=job.job_id,
        when=f"{day_text(when, year=False)} {when:%H:%M}",
        destination=job.destination,
        what=objects(job.total),
        state=_words(job),
        message="" if over else shown_fault(job.message),
        tone=tone,
        retry=any(counts.get(state) for state in _OPEN),
        cancel=any(counts.get(state) for state in _OPEN),
    )


def _words(job: Job) -> str:
    """ "sent", or "12 sent, 18 waiting"; "2 sent, safe at archive; 1 sent, not yet confirmed"."""
    counts = job.outcomes
    known = [
        (counts[state], _(words, server=readable(job.destination)))
        for state, words in _STATE_WORDS.items()
        if counts.get(state)
    ]
    if len(known) == 1:
        return known[0][1]
    parts = [_("{count} {state}", count=number, state=words) for number, words in known]
    return ("; " if job.commitment else ", ").join(parts)


def service_words(snapshot: SendSnapshot, queueing: bool = False) -> str:
    """What is done now, a sentence.

    Args:
        snapshot: How sending stands.
        queueing: Whether an export is being put into the queue.
    """
    state = snapshot.service
    if not snapshot.ready or state is None:
        return _("Opening the queue …")
    if state.phase == "sending":
        return _(
            "Sending to {server}: {done} of {total}.",
            server=state.destination, done=state.done, total=state.total,
        )  # fmt: skip
    if state.phase == "waiting":
        return _("{problem} It is tried again by itself.", problem=shown_fault(state.message)).strip()
    if state.phase in ("failed", "elsewhere"):
        return state.message
    if queueing:
        return _("Reading the export …")
    if unsettled := sum(job.unsettled for job in snapshot.jobs):
        return plural(
            "All is sent; {count} object not yet confirmed.",
            "All is sent; {count} objects not yet confirmed.",
            unsettled,
        )
    return (
        _("Nothing waits.")
        if snapshot.jobs
        else _(
            "Nothing was sent yet. Export a session ({key}), and press Send to … on its last page.",
            key=first_key("export"),
        )
    )


def sending_now(snapshot: SendSnapshot) -> str:
    """What is being sent, perhaps since an earlier start of the program, a sentence; or ""."""
    state = snapshot.service
    sending = snapshot.ready and state is not None and state.phase == "sending"
    return service_words(snapshot) if sending else ""


def sending_fault(snapshot: SendSnapshot) -> str:
    """What the user should know without looking at the queue, a sentence; or ""."""
    state = snapshot.service
    if not snapshot.ready or state is None:
        return ""
    if state.phase == "failed":
        return state.message
    for job in snapshot.jobs:
        lost = job.counts.get("failed", 0) + job.counts.get("refused", 0)
        if lost:
            said = _(
                "{count} of {total} objects were not sent to {server}.",
                count=lost, total=job.total, server=job.destination,
            )  # fmt: skip
            return joined((said, shown_fault(job.message)))
        if job.unkept:
            said = _(
                "{count} of {total} objects sent to {server} may not be kept there.",
                count=job.unkept, total=job.total, server=job.destination,
            )  # fmt: skip
            return joined((said, shown_fault(job.message)))
    if state.phase == "waiting" and state.message:
        return _("{problem} Sending is tried again by itself.", problem=shown_fault(state.message))
    return ""


@dataclass(frozen=True, slots=True)
class TypedService:
    """A DICOMweb service as it was typed.

    Attributes:
        service: The service.
        secret: Proves to it who asks; None leaves what is kept as it is.
    """

    service: WebDestination
    secret: WebSecret | None


def destination_line(destination: Server) -> str:
    """ "Archive   PACS at 10.0.0.5:104, TLS"."""
    if isinstance(destination, WebDestination):
        return f"{destination.name}   {destination.url}"
    tls = ", TLS" if destination.tls is not None else ""
    address = f"{destination.host}:{destination.port}{tls}"
    return _("{name}   {title} at {address}", name=destination.name, title=destination.title, address=address)
