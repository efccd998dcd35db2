"""A service that is killed while it receives, analyses and answers: is everything there, once?

    python -m tests.pacs.serve_kills --objects 1000 --kills 50

Loops are sent by DICOM until each was answered with success; the service is killed (SIGKILL) at random
moments and started again. After every kill it is looked whether all that was answered is on the disk. Returns
1 where an object is missing or there twice, has another content, has no session or more than one, or where a
result did not arrive at the archive, or arrived twice.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pydicom
from pydicom.dataset import Dataset
from pynetdicom import AE, AllStoragePresentationContexts, evt

from semc_core.pacs.destinations import DestinationBook
from semc_core.pacs.quiet import silence
from semc_core.session.session import Session
from tests.pacs.servers import HOST, destination, free_port
from tests.serve.killed import serve
from tests.serve.models import scan, write_sure_model
from tests.serve.objects import sending

_PROCESSES: Final = multiprocessing.get_context("forkserver")
"""To start the whole program takes seconds; here all is imported once, in a process that others come from."""
_IMPORTED: Final = [
    "tests.serve.killed", "openvino", "highdicom", "semc_core.runtime.openvino.runtime",
    "semc_core.export.dicom.images", "semc_core.export.dicom.structured_report",
]  # fmt: skip
_FIND: Final = "1.2.840.10008.5.1.4.1.2.2.1"
_AT_ONCE: Final = 20
"""Objects of one association."""
_LOOKED_INTO: Final = 20
"""Sessions that are opened."""
_RESULTS: Final = 3
"""Of each loop: an image, a report, a key object selection."""
_PAUSE_S: Final = 0.25


@dataclass
class Archive:
    """A server that counts what it gets, and answers what it has."""

    stored: Counter[str] = field(default_factory=Counter)
    port: int = 0

    def take(self, event: Any) -> int:
        """C-STORE."""
        self.stored[str(event.request.AffectedSOPInstanceUID)] += 1
        return 0x0000

    def find(self, event: Any) -> Iterator[tuple[int, Dataset | None]]:
        """C-FIND for one object."""
        uid = str(event.identifier.SOPInstanceUID)
        if uid in self.stored:
            answer = Dataset()
            answer.QueryRetrieveLevel, answer.SOPInstanceUID = "IMAGE", uid
            yield 0xFF00, answer
        yield 0x0000, None


@contextmanager
def archiving() -> Iterator[Archive]:
    """Run it until the end of the context."""
    silence()
    made = Archive()
    entity = AE("ARCHIVE")
    entity.supported_contexts = AllStoragePresentationContexts
    entity.add_supported_context(_FIND)
    entity.add_supported_context("1.2.840.10008.1.1")
    handlers: list[Any] = [(evt.EVT_C_STORE, made.take), (evt.EVT_C_FIND, made.find)]
    server = entity.start_server((HOST, 0), block=False, evt_handlers=handlers)
    assert server is not None
    made.port = int(server.server_address[1])
    try:
        yield made
    finally:
        server.shutdown()


class Scanner(threading.Thread):
    """Sends objects until each was answered with success."""

    def __init__(self, port: int, count: int) -> None:
        super().__init__(name="scanner")
        self._port = port
        self._waiting = list(range(count))
        self._answered: set[str] = set()
        self._stopped = False
        self._lock = threading.Lock()

    def stop(self) -> None:
        """Send no more."""
        self._stopped = True

    def run(self) -> None:
        """Associations of a few objects, one after the other; what was not answered is sent again."""
        while self._waiting and not self._stopped:
            sent = 0
            with sending(self._port) as association:
                for number in self._waiting[:_AT_ONCE]:
                    if not association.is_established:
                        break
                    one = scan(number)
                    try:
                        status = association.send_c_store(one)
                    except RuntimeError:  # It was lost meanwhile.
                        break
                    if status.get("Status") != 0:
                        break
                    with self._lock:
                        self._answered.add(str(one.SOPInstanceUID))
                    sent += 1
            self._waiting = self._waiting[sent:]
            if not sent:
                time.sleep(_PAUSE_S)

    def answered(self) -> set[str]:
        """UIDs of what the service says that it has."""
        with self._lock:
            return set(self._answered)


@dataclass
class Place:
    """Where a service works, and how it is started."""

    folder: Path
    port: int

    @property
    def inbox(self) -> Path:
        """Of the service."""
        return self.folder / "inbox"

    def prepare(self, archive: int) -> None:
        """Settings, a model, and the archive among the servers."""
        model = write_sure_model(self.folder / "sure.safetensors")
        DestinationBook(self.data).put(destination(archive, "ARCHIVE"))
        values = {
            "format": "semc-live-serve", "version": 1, "folder": str(self.inbox), "port": self.port,
            "model": str(model), "destination": "archive",
        }  # fmt: skip
        lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
        lines += ["identified = true", "[[senders]]", 'title = "SCANNER"', 'addresses = ["127.0.0.1"]']
        lines += ["[limits]", "least_free_mb = 0", "objects_per_minute = 100000"]
        (self.folder / "serve.toml").write_text("\n".join(lines), encoding="utf-8")

    @property
    def data(self) -> Path:
        """The user's data folder of the service."""
        return self.folder / "data"

    def start(self) -> Any:
        """A process with the service, once it listens."""
        ready, tell = _PROCESSES.Pipe(duplex=False)
        service = _PROCESSES.Process(target=serve, args=(self.folder / "serve.toml", self.data, tell))
        service.start()
        tell.close()
        ready.recv()
        ready.close()
        return service

    def rows(self, what: str) -> list[tuple[Any, ...]]:
        """What the inbox says; nothing while there is none."""
        try:
            with closing(sqlite3.connect(f"file:{self.inbox / 'inbox.sqlite'}?mode=ro", uri=True)) as found:
                return found.execute(f"SELECT {what} FROM objects").fetchall()
        except sqlite3.OperationalError:
            return []

    def unsent(self) -> int:
        """Results that have not arrived."""
        with closing(
            sqlite3.connect(f"file:{self.data / 'pacs' / 'queue.sqlite'}?mode=ro", uri=True)
        ) as queue:
            (number,) = queue.execute("SELECT COUNT(*) FROM items WHERE state != 'sent'").fetchone()
        return int(number)


def lost(place: Place, answered: set[str]) -> int:
    """How many objects that were answered are not on the disk."""
    there = {
        uid for uid, file in place.rows("sop_instance, file") if (place.inbox / "objects" / file).is_file()
    }
    return len(answered - there)


def killed_on_the_way(place: Place, scanner: Scanner, count: int, kills: int, rng: random.Random) -> int:
    """Run to the end, killed so often. Returns how many objects were missing after a kill."""
    moments = sorted(rng.uniform(0.02, 0.95) * 2 * count for _ in range(kills))
    missing = 0
    service = place.start()
    scanner.start()
    try:
        while True:
            time.sleep(_PAUSE_S * rng.random())
            assert service.is_alive(), "the service ended by itself"
            states = [state for (state,) in place.rows("state")]
            done = states.count("done")
            if moments and len(states) + done >= moments[0]:
                moments.pop(0)
                answered = scanner.answered()
                service.kill()
                service.join()
                missing += lost(place, answered)
                print(f"kill {kills - len(moments)}: {len(states)} received, {done} done", flush=True)
                service = place.start()
            if done == count and not moments and not place.unsent():
                return missing
    finally:
        service.kill()
        service.join()
        scanner.stop()
        scanner.join()


def differences(place: Place, count: int, rng: random.Random) -> dict[str, int]:
    """What is not as it must be, counted."""
    rows = place.rows("sop_instance, file, session, planes")
    sent = {str(one.SOPInstanceUID): bytes(one.PixelData) for one in map(scan, range(count))}
    kept = {uid: bytes(pydicom.dcmread(place.inbox / "objects" / file).PixelData) for uid, file, *_ in rows}
    sessions = {path.name for path in (place.inbox / "sessions").iterdir()}
    wrong = 0
    for name in rng.sample(sorted(sessions), min(_LOOKED_INTO, len(sessions))):
        with Session.open(place.inbox / "sessions" / name, read_only=True) as session:
            wrong += len(session.planes()) != 1 or not session.verify().ok
    return {
        "objects missing": len(sent.keys() - kept.keys()),
        "objects twice": len(rows) - len({uid for uid, *_ in rows}),
        "other content": sum(kept.get(uid) != pixels for uid, pixels in sent.items()),
        "files too many": len(list((place.inbox / "objects").iterdir())) - len(rows),
        "half files": len(list((place.inbox / "incoming").iterdir())),
        "sessions missing or too many": len({name for *_, name, _ in rows} ^ sessions),
        "loops without their plane": sum(planes != 1 for *_, planes in rows),
        "sessions that are not whole": wrong,
    }


def run(folder: Path, count: int, kills: int, seed: int) -> dict[str, int]:
    """All of it. Returns what is not as it must be, counted; the last number is only told."""
    rng = random.Random(seed)
    _PROCESSES.set_forkserver_preload(_IMPORTED)
    with archiving() as archive:
        place = Place(folder, free_port())
        place.prepare(archive.port)
        missing = killed_on_the_way(place, Scanner(place.port, count), count, kills, rng)
        found = {"answered, and not there after a kill": missing, **differences(place, count, rng)}
        found["results that did not arrive"] = _RESULTS * count - len(archive.stored)
        found["results that arrived twice"] = sum(number > 1 for number in archive.stored.values())
    return found


def main() -> int:
    """Run, and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.pacs.serve_kills")
    parser.add_argument("--objects", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    begun_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = run(Path(folder), given.objects, given.kills, given.seed)
    took_s = time.monotonic() - begun_s
    print(f"{given.objects} objects, {given.kills} kills, {took_s:.0f} s: {found}")
    return int(any(found.values()))


if __name__ == "__main__":
    sys.exit(main())
