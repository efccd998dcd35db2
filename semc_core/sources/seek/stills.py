"""DICOM loops and images at random: their frames are stored one by one, so each is read by itself."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Final, Protocol

from semc_core.errors import SourceError
from semc_core.language import _
from semc_core.sources.base import Grabbed
from semc_core.sources.seek.base import GiveUp, KnownTimes, Passed
from semc_core.sources.seek.cache import ByteCache
from semc_core.types import FramePacket, SourceInfo

_CACHE_BYTES: Final = 128 * 2**20


class FrameFile(Protocol):
    """A source whose frames are stored one by one."""

    @property
    def info(self) -> SourceInfo:
        """See `FrameSource.info`."""
        ...

    def times_s(self) -> list[float]:
        """The time of every frame, seconds."""
        ...

    def grab_at(self, index: int) -> Grabbed:
        """One frame.

        Raises:
            SourceError: It cannot be read.
        """
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


class SeekableLoop(KnownTimes):
    """See `SeekableSource`. Reading one frame is quick, so nothing is read ahead."""

    def __init__(self, source: FrameFile, cache_bytes: int = _CACHE_BYTES) -> None:
        super().__init__(source.times_s())
        self._source = source
        self._cache: ByteCache[FramePacket] = ByteCache(cache_bytes)
        self._lock = threading.Lock()
        self._closed = False

    @property
    def info(self) -> SourceInfo:
        """See `SeekableSource`."""
        return replace(self._source.info, frame_count=self.count)

    def number_of(self, index: int) -> int:
        """See `SeekableSource`."""
        return index

    def frame(self, index: int, give_up: GiveUp | None = None, passed: Passed | None = None) -> FramePacket:
        """See `SeekableSource`. Too quick to be given up, or to show anything meanwhile."""
        name = self._source.info.source_id
        if not 0 <= index < self.count:
            raise SourceError(
                _(
                    "{name} has no frame {index}; choose one below {count}.",
                    name=name,
                    index=index,
                    count=self.count,
                )
            )
        with self._lock:
            if self._closed:
                raise SourceError(_("{name} is closed; open it again to read from it.", name=name))
            kept = self._cache.get(index)
            if kept is not None:
                return kept.bare()
            picture = self._source.grab_at(index).picture
            packet = FramePacket(name, index, float(self._times_s[index]), time.monotonic(), picture)
            self._cache.put(index, packet.bare(), picture.nbytes)
            return packet

    def close(self) -> None:
        """See `SeekableSource`."""
        with self._lock:
            self._closed = True
            self._cache.clear()
            self._source.close()
