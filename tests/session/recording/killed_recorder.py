"""A scan that is recorded until the program is killed; and what must be left of it.

`python -m tests.session.killed_recorder FOLDER QUALITY` records; `python -m tests.session.killed_recorder`
records and kills twenty times, and says what was left.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from semc_core.io.video_quality import Quality
from semc_core.picture import Picture
from semc_core.session.recording.clips import ClipSettings
from semc_core.session.recording.parts import RecordedSource
from semc_core.session.session import Session
from semc_core.session.writer import SessionWriter
from semc_core.types import Crop, FramePacket, FrameResult, Prediction
from tests.session.killed_writer import event, origin
from tests.session.pictures import speckle

RATE = 30
SIZE = (240, 320)
ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Left:
    """What a kill left.

    Attributes:
        given: Frames that the program said it had given to the recorder.
        written: Frames that the recorder said it had written.
        recorded: Index of the last frame of the recording.
        logged: Index of the last frame in the session's log.
        wrong: Recorded frames that are not what was given, and gaps.
        gaps: Of them, frames that follow a gap: the machine was too busy to record what was missing.
        ok: Whether the session proves itself.
    """

    given: int
    written: int
    recorded: int
    logged: int
    wrong: int
    gaps: int
    ok: bool

    @property
    def lost_s(self) -> float:
        """Seconds of what was written that are gone."""
        return (self.written - 1 - self.recorded) / RATE


def record_until_killed(folder: Path, quality: Quality) -> None:
    """Record at 30 frames/s, log every frame and find a plane every second."""
    keeper = SessionWriter(folder, origin(), fresh=False, clips=ClipSettings())
    keeper.start_recording(quality)
    values = np.array([0.9, 0.04, 0.06], np.float32)
    answer = Prediction(values, 0.5, np.zeros((3, 2, 2), np.float32), np.ones(1, np.float32))
    tick, begun_s = threading.Event(), time.monotonic()
    for index in range(RATE * 600):
        packet = FramePacket("camera 0", index, index / RATE, 0.0, Picture(speckle(index, *SIZE)))
        keeper.captured(packet)
        keeper.classified(FrameResult(packet, answer, values, "A", 0.9, Crop(0, 0, 320, 240), "live", 0.0))
        if index % RATE == RATE - 1:
            keeper.submit(event(index // RATE + 1, index))
        state = keeper.recording
        print(index + 1, 0 if state is None else state.frames, flush=True)
        tick.wait(max(0.0, begun_s + (index + 1) / RATE - time.monotonic()))


def kill_one(folder: Path, quality: Quality, frames: int) -> Left:
    """Start a recording, kill it as it has written `frames` frames, and look at what is left."""
    command = [sys.executable, "-m", "tests.session.recording.killed_recorder", str(folder), str(quality)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", cwd=ROOT) as process:
        assert process.stdout is not None
        given = written = 0
        for line in process.stdout:
            given, written = (int(word) for word in line.split())
            if written >= frames:
                # What it says between here and its end is read, too.
                process.kill()
    return look_at(folder, given, written, exact=quality is Quality.LOSSLESS)


def look_at(folder: Path, given: int, written: int, *, exact: bool) -> Left:
    """What is in the recording and the session."""
    source = RecordedSource(folder)
    last, wrong, gaps = -1, 0, 0
    while (packet := source.read()) is not None:
        difference = np.abs(packet.pixels.astype(int) - speckle(packet.index, *SIZE))
        wrong += packet.index != last + 1 or float(difference.mean()) > (0 if exact else 5)
        gaps += packet.index != last + 1
        last = packet.index
    source.close()
    with Session.open(folder) as session:
        table = session.frames()
        logged = int(table.index[-1]) if len(table) else -1
        ok = session.verify().ok
    return Left(given, written, last, logged, wrong, gaps, ok)


def main() -> None:
    """Record, or kill twenty recordings at random moments."""
    if len(sys.argv) > 2:
        record_until_killed(Path(sys.argv[1]), Quality(sys.argv[2]))
        return
    chance = random.Random(5)
    for number in range(20):
        quality = (Quality.LOSSLESS, Quality.COMPACT)[number % 2]
        with tempfile.TemporaryDirectory() as folder:
            left = kill_one(Path(folder) / "scan", quality, chance.randrange(20, 120))
        print(
            f"{number + 1:2} {quality:8} killed with {left.given} frames given, {left.written} written: "
            f"{left.recorded + 1} recorded ({left.lost_s:.2f} s lost), logged to {left.logged}, "
            f"{left.wrong} wrong, "
            f"verify {'ok' if left.ok else 'FAILED'}",
            flush=True,
        )


if __name__ == "__main__":
    main()
