"""Sends what the queue holds: one association for many objects, each outcome written down at once."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence

from semc_core.errors import PacsError
from semc_core.pacs.client import MOST_OBJECTS, Link, LinkFault, shut_down
from semc_core.pacs.destinations import Destination, DestinationBook
from semc_core.pacs.entries import Item
from semc_core.pacs.outbox import Outbox
from semc_core.session.records import file_sha256

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
        except LinkFault as fault:
            if not self._stopped.is_set():
                self._failed(destination, fault, permanent=fault.permanent)
        except PacsError as error:
            # A file of certificates that cannot be used.
            self._failed(destination, error, permanent=True)
        finally:
            with self._lock:
                self._connection = None
        return True

    def _destination(self, name: str) -> Destination | None:
        """The destination; None where it was removed, which ends all that waits for it."""
        for each in self._book.all():
            if each.name == name:
                return each
        self._outbox.link_failed(name, "There is no such destination any more.", 1, permanent=True)
        return None

    def _failed(self, destination: Destination, error: PacsError, *, permanent: bool) -> None:
        self._outbox.link_failed(destination.name, str(error), destination.attempts, permanent=permanent)

    def _opened(self, connection: socket.socket) -> None:
        with self._lock:
            self._connection = connection
            if self._stopped.is_set():
                shut_down(connection)

    def _send(self, destination: Destination, items: Sequence[Item]) -> None:
        ask = any(item.unclear for item in items)
        offers = [item.what for item in items]
        with Link(destination, offers, ask=ask, opened=self._opened) as link:
            for done, item in enumerate(items):
                self._watch(destination.name, done, len(items))
                if self._stopped.is_set():
                    return
                self._send_one(link, destination, item)
            self._watch(destination.name, len(items), len(items))

    def _send_one(self, link: Link, destination: Destination, item: Item) -> None:
        if item.unclear and link.has(item.what):
            self._outbox.sent(item, "The answer was lost; the server said later that it has it.")
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
        except LinkFault as fault:
            self._outbox.broke_off(item, str(fault), destination.attempts)
            raise
        if answer.kind == "stored":
            self._outbox.sent(item, answer.sentence)
        elif answer.kind == "refused":
            self._outbox.refused(item, answer.sentence)
        elif answer.kind == "unreadable":
            self._outbox.failed(item, answer.sentence)
        else:
            self._outbox.put_off(item, answer.sentence)
