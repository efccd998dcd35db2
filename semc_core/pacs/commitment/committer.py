"""Asks servers whether they keep what they were sent, and hears their answers, while somebody sends."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Collection, Sequence
from typing import Final

from pydicom.uid import generate_uid

from semc_core.errors import PacsError
from semc_core.pacs.association import AssociationFault, shut_down
from semc_core.pacs.commitment.association import CommitmentAssociation
from semc_core.pacs.commitment.ledger import CommitmentLedger
from semc_core.pacs.commitment.listener import Place, ReportListener, place_for
from semc_core.pacs.commitment.reports import Report
from semc_core.pacs.destinations import Destination, DestinationBook
from semc_core.pacs.queue_store import Item

MOST_ASKED: Final = 200
"""Objects of one question."""
_ALSO_HERE_S: Final = 1.0
"""Wait over the connection of the question where the answer may come over another."""


class Committer:
    """Asks batch after batch. From one thread, but for `stop`."""

    def __init__(
        self, ledger: CommitmentLedger, book: DestinationBook, changed: Callable[[], None] = lambda: None
    ) -> None:
        """Nothing is asked, and nobody listened to yet.

        Args:
            ledger: What is to be asked.
            book: The servers.
            changed: Called after each answer, on any thread; must return at once.
        """
        self._ledger = ledger
        self._book = book
        self._changed = changed
        self._answered = threading.Condition()
        self._stopped = False
        self._reports = 0
        self._connection: socket.socket | None = None
        self._listeners: dict[Place, ReportListener] = {}

    def stop(self) -> None:
        """Ask no more, from any thread. A connection that is open is cut; what was asked is asked again."""
        with self._answered:
            self._stopped = True
            if self._connection is not None:
                shut_down(self._connection)
            self._answered.notify_all()

    def close(self) -> None:
        """Listen no more."""
        for listener in self._listeners.values():
            listener.close()
        self._listeners.clear()

    def ask_batch(self) -> bool:
        """Ask one server for what is due, and hear it for a while. Returns whether there was anything.

        Raises:
            PacsError: The list of servers cannot be read.
            SaveError: The queue cannot be written.
        """
        if self._stopped:
            return False
        awaited = self._ledger.awaited()
        servers = {each.name: each for each in self._book.all()} if awaited else {}
        problems = self._listen(awaited, servers)
        items = self._ledger.due(MOST_ASKED)
        if not items:
            return False
        name = items[0].destination
        server = servers.get(name)
        if server is None:
            self._ledger.give_up(name, "There is no such destination any more.")
        elif not server.commitment:
            self._ledger.forget(name)
        elif name in problems:
            self._ledger.put_off(items, problems[name])
        else:
            self._ask(server, items)
        return True

    def next_due_s(self) -> float | None:
        """Seconds until something is to be asked; None where nothing is."""
        return self._ledger.next_due_s()

    def wait(self, longest_s: float) -> None:
        """Until all that was asked is answered; or so long."""
        with self._answered:
            self._answered.wait_for(lambda: self._stopped or not self._ledger.awaited(), longest_s)

    def wait_for_change(self, longest_s: float) -> None:
        """Until a server has said something; or so long."""
        with self._answered:
            before = self._reports
            self._answered.wait_for(lambda: self._stopped or self._reports != before, longest_s)

    def _ask(self, server: Destination, items: Sequence[Item]) -> None:
        transaction = str(generate_uid(prefix=None))
        over = threading.Event()

        def closed() -> None:
            with self._answered:
                over.set()
                self._answered.notify_all()

        try:
            with CommitmentAssociation(
                server, lambda report: self._take((server.name,), report), closed, self._opened
            ) as link:
                # Before it is asked: its answer may come at once.
                self._ledger.begin(items, transaction)
                link.ask(transaction, [item.what for item in items])
                longest_s = server.answer_s if server.commitment_port is None else _ALSO_HERE_S
                with self._answered:
                    self._answered.wait_for(
                        lambda: self._stopped or over.is_set() or self._ledger.is_answered(transaction),
                        min(longest_s, server.answer_s),
                    )
        except AssociationFault as fault:
            if not self._stopped:
                self._failed(server, items, fault, permanent=fault.permanent)
        except PacsError as error:
            # A file of certificates that cannot be used.
            self._failed(server, items, error, permanent=True)
        finally:
            with self._answered:
                self._connection = None

    def _failed(
        self, server: Destination, items: Sequence[Item], error: PacsError, *, permanent: bool
    ) -> None:
        if permanent:
            self._ledger.give_up(server.name, str(error))
        else:
            self._ledger.put_off(items, str(error))
        self._changed()

    def _opened(self, connection: socket.socket) -> None:
        with self._answered:
            self._connection = connection
            if self._stopped:
                shut_down(connection)

    def _take(self, servers: Collection[str], report: Report) -> bool:
        known = self._ledger.take(servers, report)
        with self._answered:
            self._reports += 1
            self._answered.notify_all()
        self._changed()
        return known

    def _listen(self, awaited: Collection[str], servers: dict[str, Destination]) -> dict[str, str]:
        """Listen to the servers that are waited for, and to no other. Returns why one cannot be heard."""
        wanted: dict[Place, list[Destination]] = {}
        problems: dict[str, str] = {}
        for name in sorted(awaited):
            server = servers.get(name)
            if server is None or not server.commitment or server.commitment_port is None:
                continue
            try:
                wanted.setdefault(place_for(server), []).append(server)
            except (OSError, UnicodeError):
                problems[name] = f"{name} cannot be reached; check its host's name, and the network."
        for place in [each for each, one in self._listeners.items() if list(one.servers) != wanted.get(each)]:
            self._listeners.pop(place).close()
        for place, those in wanted.items():
            if place not in self._listeners:
                try:
                    self._listeners[place] = ReportListener(place, those, self._take)
                except PacsError as error:
                    problems.update({each.name: str(error) for each in those})
        return problems
