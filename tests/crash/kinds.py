"""What is killed: each starts a process, kills it at a random moment of its work, and looks what is left."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from semc_core.export.bundle import export_session
from semc_core.export.manifest import check_bundle
from semc_core.export.options import ExportOptions
from semc_core.io.video_quality import Quality
from semc_core.pacs.destinations import DestinationBook
from semc_core.pacs.outbox import Outbox
from semc_core.pacs.queue import SendQueue
from semc_core.pacs.queue_store import FOLDER_NAME, QueueStore
from semc_core.pacs.service import Sender
from semc_core.session.session import Session
from tests.export.kill_exports import PROGRAM
from tests.export.scans import video_session
from tests.pacs.kill_many import kill_sender
from tests.pacs.servers import destination, objects, put, storescp
from tests.session.kill_many import killed_after, look
from tests.session.recording.killed_recorder import kill_one

ROOT: Final = Path(__file__).resolve().parents[2]
_OBJECTS: Final = 40
_EXPORT: Final = ExportOptions(clips=False, report=False)


@dataclass(slots=True)
class Kept:
    """What the kills of one kind left.

    Attributes:
        kills: How many.
        lost_s: The most that one of them cost, seconds.
        lost: Planes, exports, steps or objects that were there before and are gone.
        left_over: Files and folders of dead processes that are still there after the next run.
        bad: Kills after which something does not open or does not prove itself.
    """

    kills: int = 0
    lost_s: float = 0.0
    lost: int = 0
    left_over: int = 0
    bad: int = 0


def scans(place: Path, kills: int, chance: random.Random) -> Kept:
    """Frames are logged, and planes saved ten times a second."""
    kept = Kept(kills)
    for number in range(kills):
        folder = place / str(number)
        left = look(folder, killed_after(folder, chance.randint(1, 40), chance.random()))
        kept.lost_s = max(kept.lost_s, left.lost_s)
        kept.lost += left.planes_lost
        kept.bad += bool(left.problems) or not left.said
        kept.left_over += leftovers(folder)
    return kept


def recordings(place: Path, kills: int, chance: random.Random) -> Kept:
    """A recording of each of the two qualities in turn, with clips."""
    kept = Kept(kills)
    for number in range(kills):
        quality = (Quality.LOSSLESS, Quality.COMPACT)[number % 2]
        left = kill_one(place / str(number), quality, chance.randrange(20, 90))
        kept.lost_s = max(kept.lost_s, left.lost_s)
        kept.bad += left.wrong > left.gaps or not left.ok
        kept.left_over += leftovers(place / str(number))
    return kept


def exports(place: Path, kills: int, chance: random.Random) -> Kept:
    """An export is there whole or not at all; the next one, of another name, finds nothing of it."""
    kept = Kept(kills)
    with video_session(place / "scan", count=20) as session:
        scan = session.folder
    longest_s = _export_for(scan, place / "whole", None)
    for number in range(kills):
        target = place / f"out{number}{'.zip' if number % 2 else ''}"
        _export_for(scan, target, chance.uniform(0, 1.1 * longest_s))
        kept.bad += target.exists() and not check_bundle(target).ok
        with Session.open(scan) as session:
            export_session(session, place / f"next{number}", _EXPORT, data=place)
            kept.bad += not session.verify().ok
        kept.left_over += leftovers(place)
    return kept


def _export_for(scan: Path, target: Path, seconds: float | None) -> float:
    """Export, and kill it after so many seconds from its beginning. Returns how long it took."""
    command = [sys.executable, "-c", PROGRAM, str(scan), str(target)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begin\n"
        begun_s = time.monotonic()
        if seconds is None:
            assert process.stdout.readline() == b"end\n"
        else:
            time.sleep(seconds)
            process.kill()
    return time.monotonic() - begun_s


def trainings(place: Path, kills: int, chance: random.Random) -> Kept:
    """A checkpoint after each step: the training goes on from the last but one that was told at worst."""
    from tests.training.trainer.training_to_kill import STEPS, training_in

    kept = Kept(kills)
    for number in range(kills):
        folder = place / str(number)
        told = _train_until_killed(folder, chance.randint(1, STEPS - 1), chance.random() / 20)
        again = training_in(folder)
        resumed = again.resume()
        kept.lost += max(0, told - 1 - (again.step if resumed else 0))
        kept.bad += not resumed or not again.fit()
        kept.left_over += leftovers(folder)
    return kept


def _train_until_killed(folder: Path, step: int, more_s: float) -> int:
    """Kill a training so long after a step. Returns the last step that it told of."""
    command = [sys.executable, "-m", "tests.training.trainer.training_to_kill", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        told = 0
        while told < step:
            told = int(process.stdout.readline())
        time.sleep(more_s)
        process.kill()
        return max([told, *map(int, process.stdout)])


def sendings(place: Path, kills: int, chance: random.Random) -> Kept:
    """All of a queue arrives in the end, at a storescp on this machine."""
    kept, contents = Kept(kills), objects(_OBJECTS)
    data = place / "data"
    with closing(QueueStore(data / FOLDER_NAME)) as store, storescp(place / "archive") as server:
        queue = SendQueue(store)
        put(queue, "archive", contents)
        DestinationBook(data).put(destination(server.port))
        for _ in range(kills):
            queue.retry()
            kill_sender(data, 1, chance.random() / 20)
        queue.retry()
        outbox = Outbox(store)
        while Sender(outbox, DestinationBook(data)).send_batch():
            pass
        outbox.close()
        kept.lost = len({one.sop_instance for one in contents} - set(server.kept()))
        kept.bad = sum(item.state != "sent" for item in queue.items(1))
    kept.left_over = leftovers(data)
    return kept


def leftovers(folder: Path) -> int:
    """Hidden or temporary files and folders below `folder` in which something was being prepared."""
    return sum(path.suffix in (".part", ".tmp", ".old") for path in folder.rglob("*"))


KINDS: Final[dict[str, Callable[[Path, int, random.Random], Kept]]] = {
    "scans": scans,
    "recordings": recordings,
    "exports": exports,
    "trainings": trainings,
    "sendings": sendings,
}
