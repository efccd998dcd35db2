"""A short clip of the scan around every plane found, cut from the last seconds in memory.

The last seconds of a scan, in memory, for clips of what has just been.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SaveError, SemcError
from semc_core.io.atomic import save_error, write_atomically
from semc_core.io.private import make_private_folder
from semc_core.io.video_encoder import as_gray, encode_clip, is_gray
from semc_core.io.video_quality import Quality
from semc_core.language import _
from semc_core.picture import Picture
from semc_core.session.folder import CLIP_FOLDER, safe_name
from semc_core.types import FramePacket, HoldEvent

_log = logging.getLogger(__name__)
SETTLED_AFTER_S: Final = 2.0
"""A clip is written when its hold is over, or when no better frame came for so long."""

_LATE_S: Final = 3.0
"""How long after its frame a plane may be announced: improvements wait 1 s, ends for the merging gap."""

# Sums of frame times miss the round number by rounding.
_ROUNDING_S: Final = 1e-4


@dataclass(frozen=True, slots=True)
class ClipSettings:
    """What the user can choose.

    Attributes:
        before_s: Seconds before the saved frame.
        after_s: Seconds after it.
        quality: Compact or lossless.
        most_bytes: Bound of the seconds in memory. When frames take more than half of it, the older are
            compressed (JPEG of quality 95; PNG for lossless clips).
    """

    before_s: float = 2.0
    after_s: float = 1.0
    quality: Quality = Quality.COMPACT
    most_bytes: int = 256 * 2**20


@dataclass(slots=True)
class _Wanted:
    """A clip that is to be written."""

    hold_id: int
    plane: str
    frame_index: int
    start_s: float
    end_s: float
    announced_s: float
    final: bool
    hurry: bool = False

    def ready(self, now_s: float) -> bool:
        """Whether it can be written. `now_s` is the newest frame's time."""
        if self.hurry:
            return True
        return now_s >= self.end_s and (self.final or now_s - self.announced_s >= SETTLED_AFTER_S)


class ClipMaker:
    """Keep the last seconds of a scan, and write the clip of each plane as `clips/003_FHP1_f000123.mkv`.

    A clip is encoded on a thread of its own, after the frames that belong to it have come; it appears whole
    or not at all. When a hold gets a better frame its clip is made anew and the older one removed. All frames
    are in one ring, whose bytes are bounded; where that is too little, clips begin late.
    """

    def __init__(
        self,
        folder: Callable[[], Path],
        settings: ClipSettings,
        on_written: Callable[[int, str], None] | None = None,
    ) -> None:
        """Start the writer.

        Args:
            folder: Gives the session's folder, once it is there; called on the writer's thread, may wait.
                Raises SaveError if there will be none.
            settings: The user's choices.
            on_written: Called on the writer's thread with a plane's number and its clip's name, relative to
                the folder, with "/". May raise SemcError; the clip is removed then.
        """
        self._folder = folder
        self._settings = settings
        self._on_written = on_written
        kept_s = settings.before_s + settings.after_s + _LATE_S
        self._ring = FrameRing(kept_s, settings.most_bytes, lossless=settings.quality is Quality.LOSSLESS)
        self._changed = threading.Condition()
        self._wanted: dict[int, _Wanted] = {}
        self._written: dict[int, str] = {}
        self._done: dict[int, int] = {}
        self._now_s = 0.0
        self._closed = False
        self._fault = ""
        self._thread = threading.Thread(target=self._run, name="clip-writer")
        self._thread.start()

    @property
    def fault(self) -> str:
        """The sentence about the last clip that could not be written, or ""."""
        with self._changed:
            return self._fault

    def put(self, packet: FramePacket) -> None:
        """Take the newest frame, by reference; does not wait."""
        with self._changed:
            if self._closed:
                return
            self._now_s = packet.pts_s
            needed_s = min((wanted.start_s for wanted in self._wanted.values()), default=math.inf)
            self._ring.put(packet, needed_s)
            self._changed.notify_all()

    def found(self, event: HoldEvent) -> None:
        """A plane was found, or a better frame of it, or its hold is over. Does not wait."""
        best = event.best.packet
        with self._changed:
            if self._closed:
                return
            waiting = self._wanted.get(event.hold_id)
            if waiting is not None and waiting.frame_index == best.index:
                waiting.final = waiting.final or event.final
            elif self._done.get(event.hold_id) != best.index:
                start_s = best.pts_s - self._settings.before_s - _ROUNDING_S
                end_s = best.pts_s + self._settings.after_s + _ROUNDING_S
                self._wanted[event.hold_id] = _Wanted(
                    event.hold_id, event.plane, best.index, start_s, end_s, self._now_s, event.final
                )
            self._changed.notify_all()

    def close(self) -> None:
        """Write the clips that wait with the frames there are, then end. May be called twice."""
        with self._changed:
            self._closed = True
            for wanted in self._wanted.values():
                wanted.hurry = True
            self._changed.notify_all()
        self._thread.join()
        self._ring.clear()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._next() is not None or self._ring.crowded)
                wanted = self._next()
                frames: list[KeptFrame] = []
                if wanted is not None:
                    del self._wanted[wanted.hold_id]
                    self._done[wanted.hold_id] = wanted.frame_index
                    frames = _of_one_size(
                        self._ring.between(wanted.start_s, wanted.end_s), wanted.frame_index
                    )
                elif self._closed:
                    return
            if wanted is None:
                self._ring.compress_one()
            elif frames:
                self._try_write(wanted, frames)

    def _next(self) -> _Wanted | None:
        return next((one for one in self._wanted.values() if one.ready(self._now_s)), None)

    def _try_write(self, wanted: _Wanted, frames: list[KeptFrame]) -> None:
        fault = ""
        try:
            self._write(wanted, frames)
        except SemcError as error:
            fault = _("A clip was not saved. {fault}", fault=error)
        except Exception as error:  # noqa: BLE001 - the thread's boundary
            # The type only: an error may name a file, and a file may be named after a patient.
            _log.error("A clip could not be written: %s", type(error).__name__)
            fault = _("A clip was not saved because of an unexpected fault; see the log for details.")
        with self._changed:
            self._fault = fault

    def _write(self, wanted: _Wanted, frames: list[KeptFrame]) -> None:
        gray = all(frame.gray for frame in frames)
        content = encode_clip(
            self._pictures(frames),
            frames[0].width,
            frames[0].height,
            gray=gray,
            quality=self._settings.quality,
        )
        root = self._folder()
        folder = root / CLIP_FOLDER
        stem = f"{wanted.hold_id:03d}_{safe_name(wanted.plane)}_f{wanted.frame_index:06d}"
        name = f"{CLIP_FOLDER}/{stem}.mkv"
        try:
            make_private_folder(folder, parents=False)
        except OSError as error:
            raise save_error(folder, error) from error
        write_atomically(root / name, content, private=True)
        try:
            if self._on_written is not None:
                self._on_written(wanted.hold_id, name)
        except SemcError:
            _remove(root, name)
            raise
        older = self._written.get(wanted.hold_id)
        self._written[wanted.hold_id] = name
        if older is not None and older != name:
            _remove(root, older)

    def _pictures(self, frames: list[KeptFrame]) -> Iterator[tuple[NDArray[np.uint8], float]]:
        """Pixels and times; in between, the newer frames are compressed, which go on coming."""
        for frame in frames:
            yield frame.picture(), frame.pts_s
            self._ring.compress_one()


def _of_one_size(frames: list[KeptFrame], index: int) -> list[KeptFrame]:
    """The frames around that with `index`, or around the first, up to where the size changes."""
    place = next((number for number, frame in enumerate(frames) if frame.index == index), 0)
    size = [(frame.height, frame.width) for frame in frames]
    first = last = place
    while first > 0 and size[first - 1] == size[place]:
        first -= 1
    while last + 1 < len(frames) and size[last + 1] == size[place]:
        last += 1
    return frames[first : last + 1]


def _remove(folder: Path, name: str) -> None:
    try:
        (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise save_error(folder, error) from error


_JPEG: Final = (".jpg", cv2.IMWRITE_JPEG_QUALITY, 95)
_PNG: Final = (".png", cv2.IMWRITE_PNG_COMPRESSION, 1)


@dataclass(frozen=True, slots=True, eq=False)
class KeptFrame:
    """A frame in the ring: as it came, or compressed.

    Attributes:
        index: Index in the source.
        pts_s: Presentation time, seconds.
        height: Pixels.
        width: Pixels.
        kept: The packet's own picture; None if compressed.
        packed: The picture as JPEG or PNG if compressed, else b"".
        packed_gray: Whether the compressed picture has no colour.
    """

    index: int
    pts_s: float
    height: int
    width: int
    kept: Picture | None
    packed: bytes = b""
    packed_gray: bool = False

    @property
    def size_bytes(self) -> int:
        """What it takes in memory."""
        return len(self.packed) if self.kept is None else self.kept.nbytes

    @property
    def gray(self) -> bool:
        """Whether the picture has no colour."""
        return self.packed_gray if self.kept is None else is_gray(self.picture())

    def picture(self) -> NDArray[np.uint8]:
        """uint8 (H, W) or (H, W, 3) RGB. What is made of it does not stay in the ring."""
        if self.kept is not None:
            return self.kept.bare().pixels
        return _decompressed(self.packed)


class FrameRing:
    """Keep the newest frames, bounded in seconds and in bytes.

    Frames are kept by reference, which costs nothing, until they take more than half of the bytes; then
    whoever owns the ring compresses the older ones (`compress_one`), on a thread that has time. Where that is
    too slow the oldest frames go.
    """

    def __init__(self, seconds: float, most_bytes: int, *, lossless: bool = False) -> None:
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._lossless = lossless
        self._lock = threading.Lock()
        self._frames: deque[KeptFrame] = deque()
        self._bytes = 0
        self._compressed = 0

    @property
    def size_bytes(self) -> int:
        """What all frames take in memory."""
        with self._lock:
            return self._bytes

    @property
    def crowded(self) -> bool:
        """Whether there is a frame that should be compressed."""
        with self._lock:
            return self._crowded()

    def put(self, packet: FramePacket, keep_from_s: float = math.inf) -> None:
        """Take the newest frame.

        Args:
            packet: Kept by reference.
            keep_from_s: Frames from this time on stay even if they are older than the ring's seconds; not if
                there are too many bytes.
        """
        with self._lock:
            height, width = packet.picture.height, packet.picture.width
            self._frames.append(KeptFrame(packet.index, packet.pts_s, height, width, packet.picture.bare()))
            self._bytes += packet.picture.nbytes
            oldest_s = min(packet.pts_s - self._seconds, keep_from_s)
            while len(self._frames) > 1 and (
                self._frames[0].pts_s < oldest_s or self._bytes > self._most_bytes
            ):
                self._bytes -= self._frames.popleft().size_bytes
                self._compressed = max(0, self._compressed - 1)

    def between(self, start_s: float, end_s: float) -> list[KeptFrame]:
        """The frames there are from `start_s` to `end_s`, both inside, in order."""
        with self._lock:
            return [frame for frame in self._frames if start_s <= frame.pts_s <= end_s]

    def compress_one(self) -> bool:
        """Compress the oldest frame that is not yet, if the ring is crowded. False if there was none."""
        with self._lock:
            if not self._crowded():
                return False
            frame = self._frames[self._compressed]
        small = compressed(frame, lossless=self._lossless)
        with self._lock:
            place = self._place_of(frame)
            if place is not None:
                self._frames[place] = small
                self._bytes += small.size_bytes - frame.size_bytes
                self._compressed = place + 1
        return True

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._frames.clear()
            self._bytes = self._compressed = 0

    def _crowded(self) -> bool:
        return 2 * self._bytes > self._most_bytes and self._compressed < len(self._frames)

    def _place_of(self, frame: KeptFrame) -> int | None:
        """Where `frame` is now: older ones may have gone meanwhile, and so may it."""
        for place in range(min(self._compressed + 1, len(self._frames))):
            if self._frames[place] is frame:
                return place
        return None


def compressed(frame: KeptFrame, *, lossless: bool = False) -> KeptFrame:
    """The frame as JPEG or, lossless, as PNG; gray if it has no colour.

    Raises:
        SaveError: OpenCV could not compress it.
    """
    pixels, gray = frame.picture(), frame.gray
    picture = as_gray(pixels) if gray else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    kind, *options = _PNG if lossless else _JPEG
    done, content = cv2.imencode(kind, picture, options)
    if not done:
        raise SaveError(_("A frame could not be compressed for a clip; choose another source."))
    return KeptFrame(frame.index, frame.pts_s, frame.height, frame.width, None, content.tobytes(), gray)


def _decompressed(packed: bytes) -> NDArray[np.uint8]:
    pixels = cv2.imdecode(np.frombuffer(packed, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise SaveError(_("A frame of a clip could not be read back; scan again."))
    shown = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    return np.asarray(shown, np.uint8)
