"""The queue with a thread that sends it: what the window starts once and asks at any time.

Sends what the queue holds: one association for many objects, each outcome written down at once.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from semc_core.errors import PacsError, SemcError
from semc_core.language import _
from semc_core.pacs.association import AssociationFault, shut_down
from semc_core.pacs.client import MOST_OBJECTS
from semc_core.pacs.commitment.committer import Committer
from semc_core.pacs.commitment.ledger import CommitmentLedger
from semc_core.pacs.destinations import DestinationBook, Server
from semc_core.pacs.outbox import Outbox, SentElsewhere
from semc_core.pacs.queue import SendQueue
from semc_core.pacs.queue_store import FOLDER_NAME, Item, QueueStore
from semc_core.pacs.storage import Storage, open_storage
from semc_core.pacs.web_secret import kept_secret
from semc_core.session.records import file_sha256

_log = logging.getLogger(__name__)
_LOOK_S: Final = 10.0
"""Longest time until something is seen that another program put into the queue."""
_STOP_S: Final = 120.0  # A connection that is just being made is waited for.


@dataclass(frozen=True, slots=True)
class SendState:
    """What the thread does, for any thread to look at.

    Attributes:
        phase: It has nothing to do; it sends; it waits for the next attempt; another program sends instead;
            it ended with an error, or was stopped.
        destination: Where it sends to.
        done: Objects of the batch under way that are done.
        total: Objects in that batch.
        message: A sentence about what went wrong last; "" if nothing did.
    """

    phase: Literal["idle", "sending", "waiting", "elsewhere", "failed", "stopped"] = "idle"
    destination: str = ""
    done: int = 0
    total: int = 0
    message: str = ""


class SendService:
    """Sends the queue from a thread of its own. `start` once, `stop` once."""

    def __init__(self, data: Path, changed: Callable[[], None] | None = None) -> None:
        """Open the queue in the folder `data`.

        Args:
            data: The user's data folder (see `paths.data_folder`).
            changed: Called on the sending thread after each change; must return at once.

        Raises:
            PacsError: The queue is damaged or of a newer program.
            SaveError: It cannot be written.
        """
        self.book = DestinationBook(data)
        self._file = QueueStore(data / FOLDER_NAME)
        self.queue = SendQueue(self._file)
        self._changed = changed or (lambda: None)
        self._condition = threading.Condition()
        self._stopping = False
        self._woken = False
        self._sender: Sender | None = None
        self._committer: Committer | None = None
        self._state = SendState()
        self._thread = threading.Thread(target=self._run, name="pacs sender", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def wake(self) -> None:
        """Look at the queue now: something was added, or is to be tried again."""
        with self._condition:
            self._woken = True
            self._condition.notify_all()

    def state(self) -> SendState:
        """What it does now."""
        with self._condition:
            return self._state

    def stop(self) -> None:
        """End. What is under way is cut, and asked for at the next start; nothing is lost.

        Raises:
            RuntimeError: The thread did not end.
        """
        with self._condition:
            self._stopping = True
            sender, committer = self._sender, self._committer
            self._condition.notify_all()
        if sender is not None:
            sender.stop()
        if committer is not None:
            committer.stop()
        if self._thread.ident is not None:
            self._thread.join(_STOP_S)
            if self._thread.is_alive():
                raise RuntimeError("the sending thread is stuck")
        self._file.close()

    def _run(self) -> None:
        try:
            while not self._is_stopping():
                try:
                    outbox = Outbox(self._file)
                except SentElsewhere as error:
                    self._tell(SendState("elsewhere", message=str(error)))
                    self._wait(_LOOK_S)
                    continue
                try:
                    self._send(outbox)
                finally:
                    outbox.close()
        except SemcError as error:
            _log.error("Sending ended: %s", type(error).__name__)
            self._tell(SendState("failed", message=str(error)))
        except Exception as error:  # noqa: BLE001 - the thread's boundary
            # The type only: what libraries say quotes data sets.
            _log.error("Sending ended with a fault: %s", type(error).__name__)
            self._tell(
                SendState(
                    "failed", message=_("Sending ended with a fault ({fault}).", fault=type(error).__name__)
                )
            )
        else:
            self._tell(SendState("stopped"))

    def _send(self, outbox: Outbox) -> None:
        sender = Sender(outbox, self.book, self._watch)
        committer = Committer(CommitmentLedger(self._file), self.book, self._changed)
        with self._condition:
            self._sender, self._committer = sender, committer
            if self._stopping:
                return
        try:
            while not self._is_stopping():
                if sender.send_batch() or committer.ask_batch():
                    self._changed()
                    continue
                due_s = outbox.next_due_s()
                waits = SendState("waiting", message=self._problem())
                self._tell(SendState("idle") if due_s is None else waits)
                dues = [each for each in (due_s, committer.next_due_s()) if each is not None]
                self._wait(min([*dues, _LOOK_S]))
        finally:
            committer.close()

    def _problem(self) -> str:
        """What keeps the oldest job that waits from being sent."""
        return next((job.message for job in self.queue.jobs() if not job.finished), "")

    def _watch(self, destination: str, done: int, total: int) -> None:
        self._tell(SendState("sending", destination, done, total))

    def _tell(self, state: SendState) -> None:
        with self._condition:
            self._state = state
        self._changed()

    def _is_stopping(self) -> bool:
        with self._condition:
            return self._stopping

    def _wait(self, longest_s: float) -> None:
        """Until somebody wakes or stops it, or something is due."""
        with self._condition:
            self._condition.wait_for(lambda: self._woken or self._stopping, longest_s)
            self._woken = False


Watch = Callable[[str, int, int], None]
"""Told of a destination's name, how many objects of a batch are done, of how many."""


def not_watched(destination: str, done: int, total: int) -> None:
    """For callers who do not watch."""


class Sender:
    """Sends batch after batch. From one thread, but for `stop`."""

    def __init__(self, outbox: Outbox, book: DestinationBook, watch: Watch = not_watched) -> None:
        """Send from `outbox`, to the destinations in `book`."""
        self._outbox = outbox
        self._book = book
        self._watch = watch
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None

    def stop(self) -> None:
        """Send no more, from any thread. A connection that is open is cut; what was under way is unclear."""
        with self._lock:
            self._stopped.set()
            if self._connection is not None:
                shut_down(self._connection)

    def send_batch(self) -> bool:
        """Send what is due for one destination, once. Returns whether there was anything.

        Raises:
            PacsError: The list of destinations cannot be read.
            SaveError: The queue cannot be written.
        """
        if self._stopped.is_set():
            return False
        items = self._outbox.due(MOST_OBJECTS)
        if not items:
            return False
        destination = self._destination(items[0].destination)
        if destination is None:
            return True
        try:
            self._send(destination, items)
        except AssociationFault as fault:
            if not self._stopped.is_set():
                self._failed(destination, fault, permanent=fault.permanent, after_s=fault.after_s)
        except PacsError as error:
            # A file of certificates that cannot be used.
            self._failed(destination, error, permanent=True)
        finally:
            with self._lock:
                self._connection = None
        return True

    def _destination(self, name: str) -> Server | None:
        """The destination; None where it was removed, which ends all that waits for it."""
        for each in self._book.every():
            if each.name == name:
                return each
        self._outbox.link_failed(name, "There is no such destination any more.", 1, permanent=True)
        return None

    def _failed(
        self, destination: Server, error: PacsError, *, permanent: bool, after_s: float = 0.0
    ) -> None:
        self._outbox.link_failed(
            destination.name, str(error), destination.attempts, permanent=permanent, after_s=after_s
        )

    def _opened(self, connection: socket.socket) -> None:
        with self._lock:
            self._connection = connection
            if self._stopped.is_set():
                shut_down(connection)

    def _send(self, destination: Server, items: Sequence[Item]) -> None:
        ask = any(item.unclear for item in items)
        offers = [item.what for item in items]
        secret = kept_secret(self._book.folder, destination)
        with open_storage(destination, secret, offers, ask=ask, opened=self._opened) as link:
            for done, item in enumerate(items):
                self._watch(destination.name, done, len(items))
                if self._stopped.is_set():
                    return
                self._send_one(link, destination, item)
            self._watch(destination.name, len(items), len(items))

    def _send_one(self, link: Storage, destination: Server, item: Item) -> None:
        if item.unclear and link.has(item.what):
            said = "The answer was lost; the server said later that it has it."
            self._outbox.sent(item, said, commit=destination.commitment)
            return
        path = self._outbox.path(item)
        try:
            whole = file_sha256(path) == item.what.sha256
        except OSError:
            whole = False
        if not whole:
            self._outbox.failed(item, "The copy in the queue is gone or damaged; send the export again.")
            return
        if not self._outbox.begin(item):
            return
        try:
            answer = link.store(item.what, path)
        except AssociationFault as fault:
            self._outbox.broke_off(item, str(fault), destination.attempts)
            raise
        if answer.kind == "stored":
            self._outbox.sent(item, answer.sentence, commit=destination.commitment)
        elif answer.kind == "refused":
            self._outbox.refused(item, answer.sentence)
        elif answer.kind == "unreadable":
            self._outbox.failed(item, answer.sentence)
        else:
            self._outbox.put_off(item, answer.sentence)
