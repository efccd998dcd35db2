"""All of the service: it receives, analyses and sends, each on threads of its own, until it is stopped."""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from pydicom.config import disable_value_validation

from semc_core.errors import SemcError
from semc_core.pacs.bundle import log_all
from semc_core.pacs.destinations import DestinationBook
from semc_core.pacs.service import SendService
from semc_core.serve.analyst import Analyst, model_file
from semc_core.serve.inbox import Inbox
from semc_core.serve.intake import Intake
from semc_core.serve.receiver import Receiver
from semc_core.serve.reply import Replies
from semc_core.serve.settings import BY_PICTURE, ServeSettings

_log = logging.getLogger(__name__)
_TELL_S: Final = 5.0
"""How often it is looked what became of sending, where something changed."""


class Service:
    """Serves from construction to the end of the context.

    Attributes:
        inbox: What was received.
    """

    def __init__(self, settings: ServeSettings, data: Path) -> None:
        """Check that all is there that the settings name, and begin.

        Args:
            settings: The user's.
            data: The user's data folder, with servers, the sending queue and the key of exports.

        Raises:
            SemcError: Something is not there, or cannot be used.
        """
        names = {settings.model, *(rule.model for rule in settings.rules), *settings.candidates}
        for name in names - {BY_PICTURE}:
            model_file(name)
        if settings.destination:
            DestinationBook(data).get(settings.destination)
        self._told: set[int] = set()
        self._sent = threading.Event()
        self._sender: SendService | None = None
        with ExitStack() as stack:
            # Where one thread is done with this it would be on again for all, and quote what it dislikes.
            stack.enter_context(disable_value_validation())
            self.inbox = Inbox(settings.place)
            stack.callback(self.inbox.close)
            self.inbox.hold()
            replies = self._replies(settings, data, stack)
            analyst = Analyst(settings, self.inbox, replies, self._queued)
            intake = Intake(self.inbox, settings.limits.least_free_mb, analyst.wake)
            analyst.start()
            stack.callback(analyst.stop)
            self._receiver = Receiver(settings, intake, self.inbox.incoming)
            stack.callback(self._receiver.close)
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Receive no more, and end what is under way; nothing is lost."""
        self._stack.close()

    @property
    def port(self) -> int:
        """At which it listens."""
        return self._receiver.port

    def watch(self, stop: threading.Event) -> None:
        """Wait for `stop`; meanwhile what became of sending goes into the log and the sessions' own."""
        while not stop.wait(_TELL_S):
            if self._sent.is_set():
                self._sent.clear()
                self.tell_of_sending()

    def tell_of_sending(self) -> None:
        """Log what was refused or given up, once, and write into each session what was sent of it."""
        if self._sender is None:
            return
        try:
            for job in self._sender.queue.jobs():
                unsent = job.counts.get("refused", 0) + job.counts.get("failed", 0)
                if job.finished and unsent and not job.told and job.job_id not in self._told:
                    self._told.add(job.job_id)
                    _log.warning(
                        "%d objects of job %d were not sent: %s They wait for: semc pacs retry %d.",
                        unsent, job.job_id, job.message, job.job_id,
                    )  # fmt: skip
            log_all(self._sender.queue)
        except SemcError as error:
            _log.warning("What became of sending could not be written down: %s", str(error))

    def _replies(self, settings: ServeSettings, data: Path, stack: ExitStack) -> Replies | None:
        if not settings.destination:
            return None
        sender = self._sender = SendService(data, self._sent.set)
        sender.start()
        stack.callback(sender.stop)
        return Replies(
            self.inbox.replies, data, sender.queue, settings.destination, identified=settings.identified
        )

    def _queued(self) -> None:
        if self._sender is not None:
            self._sender.wake()
