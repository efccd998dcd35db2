"""Kill a sender, and the server, at random moments, and look at what arrives.

`python -m tests.pacs.kill_many [TIMES] [SEED]`

Sends 130 objects to Orthanc; the sender is killed TIMES times, and after every fourth time the server too.
The exit code says whether the server has each object exactly once at the end.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from semc_core.pacs.destinations import DestinationBook
from semc_core.pacs.outbox import Outbox
from semc_core.pacs.queue import SendQueue
from semc_core.pacs.queue_store import FOLDER_NAME, QueueStore
from semc_core.pacs.service import Sender
from tests.pacs.servers import destination, objects, orthanc, put

ROOT = Path(__file__).parents[2]
_OBJECTS = 130


def kill_sender(data: Path, lines: int, more_s: float) -> None:
    """Send in a process of its own, and kill that `more_s` after so many objects."""
    program = [sys.executable, "-m", "tests.pacs.killed_sender", str(data)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, cwd=ROOT) as sender:
        assert sender.stdout is not None
        for _ in range(lines):
            sender.stdout.readline()
        time.sleep(more_s)
        sender.kill()


def look(queue: SendQueue, number: int) -> None:
    """Say how far it is."""
    items = queue.items(1)
    states = [item.state for item in items]
    print(f"kill {number:2d}: {states.count('sent'):3d} sent, {states.count('sending')} under way")


def main() -> int:
    """Kill, look, tell."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    chance = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    contents = objects(_OBJECTS)
    with tempfile.TemporaryDirectory() as place:
        data, archive = Path(place) / "data", Path(place) / "archive"
        archive.mkdir()
        file = QueueStore(data / FOLDER_NAME)
        queue = SendQueue(file)
        put(queue, "archive", contents)
        number = 0
        while number < times:
            with orthanc(archive) as server:
                DestinationBook(data).put(destination(server.port, "ORTHANC"))
                for _ in range(min(4, times - number)):
                    number += 1
                    queue.retry()
                    kill_sender(data, chance.randint(1, 6), chance.random() / 20)
                    look(queue, number)
                server.kill()
        with orthanc(archive) as server:
            DestinationBook(data).put(destination(server.port, "ORTHANC"))
            queue.retry()
            outbox = Outbox(file)
            while Sender(outbox, DestinationBook(data)).send_batch():
                pass
            outbox.close()
            kept, asked = server.kept(), queue.items(1)
        file.close()
    wanted = sorted(one.sop_instance for one in contents)
    found = sum(bool(item.message) for item in asked)
    print(f"{len(kept)} of {len(wanted)} objects arrived, {len(kept) - len(set(kept))} of them twice;")
    print(f"of those under way at a kill, {found} were there already, and were not sent again.")
    return 0 if kept == wanted and all(item.state == "sent" for item in asked) else 1


if __name__ == "__main__":
    sys.exit(main())
