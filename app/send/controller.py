"""Sending while the window is open: the queue's service, and everything that is asked of it. No Qt here.

The queue is opened when something is sent, or at once where there is one from before: what waits goes on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.send.presenter import SendSnapshot, objects, sending_fault
from app.tasks import SOON, Job, SerialExecutor
from semc_core.errors import SemcError
from semc_core.pacs.destinations import Destination
from semc_core.pacs.queue_store import FOLDER_NAME, QUEUE_NAME
from semc_core.session.session import Session

if TYPE_CHECKING:
    from semc_core.pacs.service import SendService

_log = logging.getLogger(__name__)


class SendController:
    """Called by one thread; only `close` waits.

    Attributes:
        fault: What could not be done, or "".
    """

    def __init__(self, data: Path, reviewed: Callable[[], Session | None] = lambda: None) -> None:
        """Nothing is opened yet.

        Args:
            data: The user's data folder.
            reviewed: The session that is open in review, whose log gets its own results unless it is open
                for looking only; for any thread.
        """
        self._data = data
        self._reviewed = reviewed
        self._hand: SerialExecutor | None = None
        self._service: SendService | None = None
        self._test: Job[str] | None = None
        self._lock = threading.Lock()
        self._snapshot = SendSnapshot()
        self._said = ""
        self._failed_with = ""
        self._refreshing = False
        self._queueing = 0

    # Any time.

    def go_on(self) -> None:
        """Open the queue if there is one from before."""
        if (self._data / FOLDER_NAME / QUEUE_NAME).is_file():
            self.open()

    def open(self) -> None:
        """Open the queue, and begin to send what waits. May be called again."""
        if self._hand is None:
            self._hand = SerialExecutor(self._tell_fault, "pacs-hand")
            self._hand.do(self._open_service)

    @property
    def snapshot(self) -> SendSnapshot:
        """How it stands."""
        with self._lock:
            return self._snapshot

    @property
    def fault(self) -> str:
        """What the window should say, or ""."""
        with self._lock:
            return self._failed_with or sending_fault(self._snapshot)

    def take_said(self) -> str:
        """What was done, or could not be, since the last call; or ""."""
        with self._lock:
            said, self._said = self._said, ""
            return said

    @property
    def queueing(self) -> bool:
        """Whether an export is being put into the queue: its objects are read before that says so."""
        with self._lock:
            return self._queueing > 0

    @property
    def testing(self) -> bool:
        """Whether a server is being asked."""
        return self._test is not None

    def poll(self) -> None:
        """Take what is new: to be called often. Returns at once."""
        if self._test is not None and self._test.done:
            test, self._test = self._test, None
            try:
                self._say(test.result())
            except SemcError as error:
                self._say(str(error))

    def close(self) -> None:
        """End, and wait for it; what waits goes on at the next start."""
        if self._test is not None:
            test, self._test = self._test, None
            try:
                test.result()
            except SemcError as error:
                _log.info("A test of a server ended: %s", type(error).__name__)
        hand, self._hand = self._hand, None
        if hand is not None:
            hand.close()
        service, self._service = self._service, None
        if service is not None:
            service.stop()

    # What the user does.

    def send(self, bundle: Path, destination: str, session: Path | None, *, again: bool = False) -> None:
        """Queue the DICOM objects of an export; `session` gets the result into its log."""
        self.open()
        with self._lock:
            self._queueing += 1
        self._do(lambda service: self._queue(service, bundle, destination, session, again), self._queued)

    def put(self, destination: Destination) -> None:
        """Add a destination, or change the one of its name."""
        self.open()

        def put(service: SendService) -> None:
            service.book.put(destination)
            self._say(f"{destination.name} is kept.")

        self._do(put)

    def remove(self, name: str) -> None:
        """Forget a destination, unless something waits for it."""

        def remove(service: SendService) -> None:
            if waiting := service.queue.waiting_for(name):
                self._say(f"{objects(waiting)} still queued for {name}; cancel that first.")
                return
            service.book.remove(name)
            self._say(f"{name} is removed.")

        self._do(remove)

    def test(self, destination: Destination) -> None:
        """Ask a server whether it answers (C-ECHO). Nothing happens while another is asked."""
        if self._test is None:
            self._test = Job(lambda: _echo(destination), "pacs-test")

    def retry(self, job_id: int) -> None:
        """Try a job again now."""

        def retry(service: SendService) -> None:
            service.queue.retry(job_id)
            service.wake()

        self._do(retry)

    def cancel(self, job_id: int) -> None:
        """Send no more of a job."""

        def cancel(service: SendService) -> None:
            number = service.queue.cancel(job_id)
            self._say(f"{objects(number)} will not be sent.")

        self._do(cancel)

    def _do(self, work: Callable[[SendService], None], after: Callable[[], None] = lambda: None) -> None:
        """Do this on the hand's thread; `after` is called there in the end, whatever became of it."""
        if self._hand is None:
            return

        def run() -> None:
            try:
                self._work(work)
            finally:
                after()

        self._hand.do(run)

    # On the hand's thread, or the service's.

    def _open_service(self) -> None:
        # The network library takes a second to load: not in the window's thread, and not at its start.
        from semc_core.pacs.service import SendService

        service = SendService(self._data, self._changed)
        self._service = service
        service.start()
        self._look(service)

    def _work(self, work: Callable[[SendService], None]) -> None:
        if self._service is None:
            # It could not be opened before; the reason may be gone.
            self._open_service()
        service = self._service
        assert service is not None
        with self._lock:
            self._failed_with = ""
        try:
            work(service)
        finally:
            self._look(service)

    def _queued(self) -> None:
        with self._lock:
            self._queueing -= 1

    def _queue(
        self, service: SendService, bundle: Path, destination: str, session: Path | None, again: bool
    ) -> None:
        from semc_core.pacs.bundle import exported_objects

        found = exported_objects(bundle)
        added = service.queue.add(
            destination, found.objects, found.read, manifest=found.manifest, session=session, again=again
        )
        if added.job_id is None:
            self._say(f"{destination} was sent all of it before.")
        elif added.known:
            self._say(
                f"{objects(added.queued)} queued for {destination}; {objects(added.known)} sent before."
            )
        else:
            self._say(f"{objects(added.queued)} queued for {destination}.")
        service.wake()

    def _changed(self) -> None:
        """Something changed: look, but once for many changes."""
        hand = self._hand
        with self._lock:
            if hand is None or self._refreshing:
                return
            self._refreshing = True
        hand.do(self._refresh, SOON)

    def _refresh(self) -> None:
        with self._lock:
            self._refreshing = False
        if self._service is not None:
            self._look(self._service)

    def _look(self, service: SendService) -> None:
        """Read how it stands; results that are new go into the logs of their sessions."""
        jobs = service.queue.jobs()
        if any(job.finished and not job.told and job.session is not None for job in jobs):
            self._log_results(service)
        snapshot = SendSnapshot(True, service.book.all(), tuple(reversed(jobs)), service.state())
        with self._lock:
            self._snapshot = snapshot

    def _log_results(self, service: SendService) -> None:
        from semc_core.pacs.bundle import log_all, log_results

        session = self._reviewed()
        if session is not None and not session.read_only:
            log_results(service.queue, session)
        else:
            # One that is open elsewhere, and here for looking only, gets its entries later.
            log_all(service.queue)

    def _say(self, sentence: str) -> None:
        with self._lock:
            self._said = sentence

    def _tell_fault(self, sentence: str) -> None:
        with self._lock:
            self._said = self._failed_with = sentence


def _echo(destination: Destination) -> str:
    from semc_core.pacs.client import StorageAssociation

    with StorageAssociation(destination) as link:
        link.echo()
    return f"{destination.name} answers."
