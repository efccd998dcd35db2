"""Sending while the window is open: the queue's service, and everything that is asked of it. No Qt here.

The queue is opened when something is sent, or at once where there is one from before: what waits goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.send.presenter import SendSnapshot, objects, sending_fault
from app.tasks import Background, Post, fault_of
from semc_core.language import _, plural
from semc_core.pacs.destinations import Server, WebDestination
from semc_core.pacs.queue_store import FOLDER_NAME, QUEUE_NAME
from semc_core.pacs.web_secret import WebSecret, WebSecrets, kept_secret
from semc_core.session.session import Session

if TYPE_CHECKING:
    from semc_core.pacs.service import SendService


class SendController:
    """Called by the window's thread; only `close` waits.

    Attributes:
        snapshot: How it stands.
        on_message: Told what was done, or could not be, a sentence.
        on_change: Something of this is another.
    """

    def __init__(self, data: Path, post: Post, reviewed: Callable[[], Session | None] = lambda: None) -> None:
        """Nothing is opened yet.

        Args:
            data: The user's data folder.
            post: See `app.tasks`.
            reviewed: The session that is open in review, whose log gets its own results unless it is open
                for looking only; for any thread.
        """
        self._data = data
        self._post = post
        self._reviewed = reviewed
        self._orders = Background("pacs-orders", post)
        self._tests = Background("pacs-test", post)
        self._opened = False
        self._service: SendService | None = None  # of the thread of orders
        self._test: Future[str] | None = None
        self._look: Future[_Outcome] | None = None
        self._look_again = False
        self._failed_with = ""
        self._queueing = 0
        self.snapshot = SendSnapshot()
        self.on_message: Callable[[str], None] = lambda sentence: None
        self.on_change: Callable[[], None] = lambda: None

    # Any time.

    def go_on(self) -> None:
        """Open the queue if there is one from before."""
        if (self._data / FOLDER_NAME / QUEUE_NAME).is_file():
            self.open()

    def open(self) -> None:
        """Open the queue, and begin to send what waits. May be called again."""
        if not self._opened:
            self._opened = True
            self._do(lambda service: "")

    @property
    def fault(self) -> str:
        """What the window should say, or ""."""
        return self._failed_with or sending_fault(self.snapshot)

    @property
    def queueing(self) -> bool:
        """Whether an export is being put into the queue: its objects are read before that says so."""
        return self._queueing > 0

    @property
    def testing(self) -> bool:
        """Whether a server is being asked."""
        return self._test is not None

    def close(self) -> None:
        """End, and wait for it; what waits goes on at the next start."""
        if self._look is not None:
            self._look.cancel()
        self._tests.close()
        self._orders.close()
        if self._service is not None:
            self._service.stop()

    # What the user does.

    def send(self, bundle: Path, destination: str, session: Path | None, *, again: bool = False) -> None:
        """Queue the DICOM objects of an export; `session` gets the result into its log."""
        self.open()
        self._queueing += 1

        def queued(future: Future[_Outcome]) -> None:
            self._queueing -= 1
            self._done(future)

        self._do(lambda service: _queue(service, bundle, destination, session, again), queued)

    def put(self, destination: Server, secret: WebSecret | None = None) -> None:
        """Add a destination, or change the one of its name; a `secret` is of a DICOMweb service."""
        self.open()

        def put(service: SendService) -> str:
            if not isinstance(destination, WebDestination):
                WebSecrets(self._data).remove(destination.name)  # a service may have had the name
            elif secret is not None:
                WebSecrets(self._data).put(destination, secret)
            service.book.put(destination)
            return _("{server} is kept.", server=destination.name)

        self._do(put)

    def remove(self, name: str) -> None:
        """Forget a destination, unless something waits for it."""

        def remove(service: SendService) -> str:
            if waiting := service.queue.waiting_for(name):
                return plural(
                    "{count} object still queued for {server}; cancel that first.",
                    "{count} objects still queued for {server}; cancel that first.",
                    waiting,
                    server=name,
                )
            service.book.remove(name)
            WebSecrets(self._data).remove(name)
            return _("{server} is removed.", server=name)

        self._do(remove)

    def test(self, destination: Server, secret: WebSecret | None = None) -> None:
        """Ask a server whether it answers. Nothing happens while another is asked.

        Args:
            destination: The server.
            secret: Proves to a DICOMweb service who asks; None uses what is kept.
        """
        if self._test is None:
            self._test = self._tests.start(lambda: _echo(self._data, destination, secret), self._tested)
            self.on_change()

    def retry(self, job_id: int) -> None:
        """Try a job again now."""

        def retry(service: SendService) -> str:
            service.queue.retry(job_id)
            service.wake()
            return ""

        self._do(retry)

    def cancel(self, job_id: int) -> None:
        """Send no more of a job."""

        def cancel(service: SendService) -> str:
            left = service.queue.cancel(job_id)
            if not left:
                return _("Its server is asked for no confirmation.")
            return plural("{count} object will not be sent.", "{count} objects will not be sent.", left)

        self._do(cancel)

    def _do(
        self, work: Callable[[SendService], str], then: Callable[[Future[_Outcome]], None] | None = None
    ) -> None:
        """Do this on the thread of orders; it returns what to say, or ""."""
        if self._opened:
            self._orders.start(lambda: self._outcome(work), then or self._done)

    def _done(self, future: Future[_Outcome]) -> None:
        outcome = future.result()
        self._failed_with = outcome.fault
        self._show(outcome)

    def _show(self, outcome: _Outcome) -> None:
        if outcome.snapshot is not None:
            self.snapshot = outcome.snapshot
        if sentence := outcome.fault or outcome.message:
            self.on_message(sentence)
        self.on_change()

    def _tested(self, future: Future[str]) -> None:
        self._test = None
        error = future.exception()
        self.on_message(future.result() if error is None else fault_of(error))
        self.on_change()

    def _start_look(self) -> None:
        """Look how it stands: once for many changes."""
        self._look_again = self._look is not None
        if self._look is None:
            self._look = self._orders.start(lambda: self._outcome(lambda service: ""), self._looked)

    def _looked(self, future: Future[_Outcome]) -> None:
        self._look = None
        outcome = future.result()
        self._failed_with = outcome.fault or self._failed_with
        self._show(outcome)
        if self._look_again:
            self._start_look()

    # On the thread of orders.

    def _outcome(self, work: Callable[[SendService], str]) -> _Outcome:
        """Do this, and look how it stands then, whatever became of it."""
        message, fault, snapshot = "", "", None
        try:
            service = self._service or self._open_service()
            try:
                message = work(service)
            finally:
                snapshot = _look(service, self._reviewed)
        except Exception as error:  # noqa: BLE001 - the thread's boundary
            fault = fault_of(error)
        return _Outcome(message, fault, snapshot)

    def _open_service(self) -> SendService:
        """Where it could not be opened before, the reason may be gone."""
        # The network library takes a second to load: not in the window's thread, and not at its start.
        from semc_core.pacs.service import SendService

        service = SendService(self._data, lambda: self._post(self._start_look))
        self._service = service
        service.start()
        return service


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of an order.

    Attributes:
        message: What to say, or "".
        fault: What went wrong, or "".
        snapshot: How sending stands then; None where that could not be read.
    """

    message: str
    fault: str
    snapshot: SendSnapshot | None


def _queue(service: SendService, bundle: Path, destination: str, session: Path | None, again: bool) -> str:
    from semc_core.pacs.bundle import exported_objects

    found = exported_objects(bundle)
    added = service.queue.add(
        destination, found.objects, found.read, manifest=found.manifest, session=session, again=again
    )
    service.wake()
    if added.job_id is None:
        return _("{server} was sent all of it before.", server=destination)
    if added.known:
        return plural(
            "{count} object queued for {server}; {known} sent before.",
            "{count} objects queued for {server}; {known} sent before.",
            added.queued, server=destination, known=objects(added.known),
        )  # fmt: skip
    return plural(
        "{count} object queued for {server}.",
        "{count} objects queued for {server}.",
        added.queued, server=destination,
    )  # fmt: skip


def _look(service: SendService, reviewed: Callable[[], Session | None]) -> SendSnapshot:
    """Read how it stands; results that are new go into the logs of their sessions."""
    jobs = service.queue.jobs()
    if any(job.finished and not job.told and job.session is not None for job in jobs):
        _log_results(service, reviewed())
    return SendSnapshot(True, service.book.every(), tuple(reversed(jobs)), service.state())


def _log_results(service: SendService, session: Session | None) -> None:
    from semc_core.pacs.bundle import log_all, log_results

    if session is not None and not session.read_only:
        log_results(service.queue, session)
    else:
        # One that is open elsewhere, and here for looking only, gets its entries later.
        log_all(service.queue)


def _echo(data: Path, destination: Server, secret: WebSecret | None) -> str:
    from semc_core.pacs.storage import open_storage

    proof = kept_secret(data, destination) if secret is None else secret
    with open_storage(destination, proof) as link:
        link.echo()
    return _("{server} answers.", server=destination.name)
