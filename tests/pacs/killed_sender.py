"""Sends a queue until it is killed. Started by tests and by kill_many.py as a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

from semc_core.pacs.destinations import DestinationBook
from semc_core.pacs.outbox import Outbox
from semc_core.pacs.queue_store import FOLDER_NAME, QueueStore
from semc_core.pacs.service import Sender


def main() -> None:
    """Print a line before each object."""
    data = Path(sys.argv[1])

    def tell(_: str, done: int, total: int) -> None:
        print(done, total, flush=True)

    sender = Sender(Outbox(QueueStore(data / FOLDER_NAME)), DestinationBook(data), tell)
    while sender.send_batch():
        pass


if __name__ == "__main__":
    main()
