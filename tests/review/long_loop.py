"""A long loop in review: memory and how long each action takes.

`python -m tests.review.long_loop [--minutes 30] [--group 30] [--rounds 5] [--whole] [--no-model]
[--cache-mib 256] [--rest 0] [--keep FILE]`
makes a 720p H.264 loop of a simulated scan of 30 frames/s, reviews it with the shipped model while it is
played, stepped, scrubbed and jumped in, and prints what it saw; with `--whole` until all is analysed, and
then once more; with `--rest` after seconds in which the analysis goes on.
The loop is made as the recorder makes it, or with `--group` as other programs do: with B-frames, and a key
picture every so many frames. Not part of the suite.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SemcError
from semc_core.io.video_encoder import VideoWriter
from semc_core.io.video_quality import Quality
from semc_core.paths import DEFAULT_MODEL
from semc_core.phantom.scan import SimulatedScan
from semc_core.review.analysis import LoopAnalysis
from semc_core.review.viewer import FrameViewer
from semc_core.runtime.load import load_runtime
from semc_core.session.correcting.changes import MarkRegion, SetNote
from semc_core.session.files import versions
from semc_core.session.records import model_entry, source_entry
from semc_core.session.session import Session
from semc_core.sources.seek.base import SeekableSource
from semc_core.sources.seek.video import SeekableVideo
from semc_core.sources.video import VideoSource
from semc_core.types import FramePacket, SourceInfo
from tests.action_times import ActionTimes, memory_mib

_PIECE: Final = 600
_SIZE: Final = (1280, 720)
_RATE: Final = 30
_POLL_S: Final = 0.004


def record_loop(path: Path, frames: int) -> None:
    """Write a loop as the recorder does: the same simulated scan over and over."""
    with VideoWriter(path, *_SIZE, gray=True, quality=Quality.COMPACT) as writer:
        piece = _piece()
        for index in range(frames):
            writer.write(piece[index % _PIECE], round(index * 1000 / _RATE))


def encode_loop(path: Path, frames: int, group: int) -> None:
    """Encode a piece of simulated scan once, as other programs do, then repeat its packets."""
    with av.open(str(path), "w") as container:
        keys = f"keyint={group}:min-keyint={group}:scenecut=0:bframes=3"
        options = {"preset": "veryfast", "x264-params": keys}
        stream = container.add_stream("libx264", rate=_RATE, options=options)
        assert isinstance(stream, av.VideoStream)
        (stream.width, stream.height), stream.pix_fmt = _SIZE, "yuv420p"
        packets = []
        for index, pixels in enumerate(_piece()):
            frame = av.VideoFrame.from_ndarray(pixels, format="gray").reformat(format="yuv420p")
            frame.pts = index
            packets += stream.encode(frame)
        packets += stream.encode()
        piece = [(packet.pts, packet.dts) for packet in packets]
        ticks = round(1 / (_RATE * packets[0].time_base)) * _PIECE
        for copy in range(-(-frames // _PIECE)):
            for packet, (pts, dts) in zip(packets, piece, strict=True):
                assert pts is not None
                assert dts is not None
                again = av.Packet(bytes(packet))
                again.stream, again.time_base, again.is_keyframe = (
                    stream,
                    packet.time_base,
                    packet.is_keyframe,
                )
                again.pts, again.dts = pts + copy * ticks, dts + copy * ticks
                container.mux(again)


def _piece() -> list[NDArray[np.uint8]]:
    """A simulated scan, uint8 (720, 1280) each."""
    scan = SimulatedScan(2007, None, *_SIZE, _RATE)
    return [scan.frame(index) for index in range(_PIECE)]


class Actions:
    """Does what a user does, as the window does it, and notes how long each took to be seen."""

    def __init__(self, source: SeekableSource, engine: LoopAnalysis, session: Session, rest_s: float) -> None:
        self._source, self._engine, self._session, self._rest_s = source, engine, session, rest_s
        self._viewer = FrameViewer(source, lambda sentence: print("FAULT", sentence))
        engine.give_way_to(self._viewer.wait_until_shown)
        self.times = ActionTimes()

    def close(self) -> None:
        """End the viewer."""
        self._viewer.close()

    def run(self, number: int, seed: int) -> None:
        """Some actions of each kind."""
        picked = random.Random(seed)
        last = self._source.count - 300
        for _ in range(number):
            place = picked.randrange(300, last)
            self._see("jump", place)
            for step in range(1, 6):
                self._see("step forward", place + step)
            for step in range(1, 6):
                self._see("step back", place + 5 - step)
        place = picked.randrange(300, last)
        for step in range(2 * number):
            self._see("scrub forward", place + 5 * step, 1 / 30)
        for step in range(2 * number):
            self._see("scrub back", place + 5 * (2 * number - step), 1 / 30)
        for step in range(5 * number):
            self._see("play", place + step, 1 / 30)
        self._note("table and state", lambda: (self._engine.table(), self._engine.state))
        self._note("mark", lambda: self._session.apply(MarkRegion(1.0, 2.0, "marked")))
        self._note("note", lambda: self._session.apply(SetNote(None, f"Note {seed}")))
        self._note("undo", self._session.undo)
        self._note("heat map", lambda: self._engine.look_at(place + 5 * number - 1))

    def _note(self, name: str, action: Callable[[], object]) -> None:
        time.sleep(self._rest_s)
        begun_s = self.times.begin()
        action()
        self.times.note(name, time.perf_counter() - begun_s)

    def _see(self, name: str, index: int, then_s: float = 0.0) -> None:
        """Ask for a frame and wait for it, or while scrubbing and playing only for the time to the next."""
        if not then_s:
            time.sleep(self._rest_s)
        before, begun_s = self._viewer.got, self.times.begin()
        self._viewer.ask(index)
        limit_s = then_s or 30.0
        seen_s = None
        while (passed_s := time.perf_counter() - begun_s) < limit_s:
            got: FramePacket | None = self._viewer.got
            if got is not before and seen_s is None:
                seen_s = passed_s
            if got is not None and got.index == index:
                self.times.note(f"{name}, exact", passed_s)
                break
            time.sleep(_POLL_S)
        if seen_s is not None:
            self.times.note(f"{name}, seen", seen_s)
        time.sleep(max(0.0, then_s - (time.perf_counter() - begun_s)))


def info_of(path: Path) -> SourceInfo:
    """What is known of a video."""
    with closing(VideoSource(path)) as source:
        return source.info


def main() -> int:
    """Returns 1 if something failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--actions", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--group", type=int, help="frames between key pictures; default: as recorded")
    parser.add_argument("--whole", action="store_true", help="so many rounds more, until all is analysed")
    parser.add_argument("--no-model", action="store_true", help="review without analysing")
    parser.add_argument("--cache-mib", type=int, default=256, help="for decoded frames (default: 256)")
    parser.add_argument("--rest", type=float, default=0.0, help="seconds between actions (default: 0)")
    parser.add_argument("--keep", type=Path, help="use this file, made if it is not there")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        path = args.keep or Path(scratch, "loop.mkv")
        if not path.exists():
            begun_s = time.perf_counter()
            frames = round(args.minutes * 60 * _RATE)
            if args.group is None:
                record_loop(path, frames)
            else:
                encode_loop(path, frames, args.group)
            print(f"made in {time.perf_counter() - begun_s:.0f} s, {path.stat().st_size / 2**20:.0f} MiB")
        try:
            _review(path, Path(scratch, "session"), args)
        except SemcError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def _review(path: Path, folder: Path, args: argparse.Namespace) -> None:
    begun_s = time.perf_counter()
    # Caches fill for many minutes, which hides what else grows: a small one shows it.
    source = SeekableVideo(path, info_of(path), args.cache_mib * 2**20)
    opened_s = time.perf_counter() - begun_s
    print(f"opened {source.count} frames in {opened_s:.2f} s, memory {memory_mib():.0f} MiB")
    runtime = load_runtime(DEFAULT_MODEL, "cpu")
    spec = runtime.spec
    model = model_entry(spec, spec.thresholds, runtime.device_name, versions())
    session = Session.create(folder, source_entry(source.info, path), model)
    if args.no_model:
        session.mark_complete()
    engine = LoopAnalysis(session, source, lambda: runtime)
    actions = Actions(source, engine, session, args.rest)
    try:
        number = 0
        while number < args.rounds or (args.whole and engine.state.running):
            actions.run(args.actions, number)
            state = engine.state
            print(
                f"round {number}: memory {memory_mib():.0f} MiB, {threading.active_count()} threads, "
                f"{state.done} of {state.total} frames analysed, {state.speed_x:.2f} x {state.message}",
                flush=True,
            )
            number += 1
        actions.times.tell("while it is analysed")
        if args.whole:
            actions.run(args.actions, number)
            print(f"memory {memory_mib():.0f} MiB")
            actions.times.tell("afterwards")
    finally:
        actions.close()
        engine.close()
        source.close()
        session.close()


if __name__ == "__main__":
    raise SystemExit(main())
