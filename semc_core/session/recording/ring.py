"""The last seconds of a scan, in memory, for clips of what has just been."""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SaveError
from semc_core.io.video_encoder import as_gray, is_gray
from semc_core.types import FramePacket

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
        pixels: uint8 (H, W) or (H, W, 3), the packet's own array; None if compressed.
        packed: The picture as JPEG or PNG if compressed, else b"".
        packed_gray: Whether the compressed picture has no colour.
    """

    index: int
    pts_s: float
    height: int
    width: int
    pixels: NDArray[np.uint8] | None
    packed: bytes = b""
    packed_gray: bool = False

    @property
    def size_bytes(self) -> int:
        """What it takes in memory."""
        return len(self.packed) if self.pixels is None else self.pixels.nbytes

    @property
    def gray(self) -> bool:
        """Whether the picture has no colour."""
        return self.packed_gray if self.pixels is None else is_gray(self.pixels)

    def picture(self) -> NDArray[np.uint8]:
        """uint8 (H, W) or (H, W, 3) RGB."""
        if self.pixels is not None:
            return self.pixels
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
            height, width = packet.pixels.shape[:2]
            self._frames.append(KeptFrame(packet.index, packet.pts_s, height, width, packet.pixels))
            self._bytes += packet.pixels.nbytes
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
        raise SaveError("A frame could not be compressed for a clip; choose another source.")
    return KeptFrame(frame.index, frame.pts_s, frame.height, frame.width, None, content.tobytes(), gray)


def _decompressed(packed: bytes) -> NDArray[np.uint8]:
    pixels = cv2.imdecode(np.frombuffer(packed, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise SaveError("A frame of a clip could not be read back; scan again.")
    shown = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    return np.asarray(shown, np.uint8)
