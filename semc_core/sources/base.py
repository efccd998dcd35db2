"""What every source of frames promises. `tests/sources/test_source_contract.py` holds each of them to it.

What all sources share: numbering, times that never run backwards, interruption, notices, closing.

Plays a source that would wait for its reader at its own speed, as if it were live.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from semc_core.errors import SourceError, SourceInterrupted
from semc_core.language import _, joined, replaced
from semc_core.picture import Picture
from semc_core.picture_options import AS_IT_IS, PictureOptions, picture_sentence
from semc_core.pose import Pose
from semc_core.types import Crop, FramePacket, SourceInfo


class FrameSource(Protocol):
    """Something that gives frames in order. Opened by its constructor; one reader thread.

    `pts_s` never decreases. `index` counts the frames from 0: a source that waits for its reader gives every
    one, and a gap is a frame that is damaged, which `info.notice` says; a gap in a live one means that frames
    came and were replaced before they were read, too. Pixels are uint8,
    (H, W) gray or (H, W, 3) RGB, read-only.
    """

    @property
    def info(self) -> SourceInfo:
        """What is known of the source. Safe from any thread."""
        ...

    @property
    def hinted_crop(self) -> Crop | None:
        """Where the source itself says that the picture is, as the header of a DICOM loop may; else None."""
        ...

    def read(self) -> FramePacket | None:
        """Wait for the next frame; None at the end, and from then on.

        Raises:
            SourceInterrupted: `interrupt` was called, before or during the read.
            SourceError: The source broke; its message tells the user why.
        """
        ...

    def interrupt(self) -> None:
        """End a blocked `read` soon (within a second), and every later one. From any thread."""
        ...

    def close(self) -> None:
        """Release the device or file. Called by the reader, after its last `read`. May be called twice."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Grabbed:
    """A picture on its way to becoming a packet.

    Attributes:
        picture: Belongs to whoever receives it: no buffer that is used again.
        pts_s: Presentation time, seconds.
        captured_s: See `FramePacket`; None takes the time of the read.
        index: Position in the source; None takes the one after the picture before.
        poses: See `FramePacket`.
    """

    picture: Picture
    pts_s: float
    captured_s: float | None = None
    index: int | None = None
    poses: tuple[Pose, ...] = ()


class BaseSource(ABC):
    """A `FrameSource` whose subclasses only say how to get the next picture and how to let go."""

    def __init__(self, info: SourceInfo, options: PictureOptions = AS_IT_IS) -> None:
        self._info = replace(info, picture_options=options)
        self._interrupted = threading.Event()
        self._ended = False
        self._closed = False
        self._failure: SourceError | None = None
        self._next_index = 0
        self._last_pts_s = 0.0
        self._add_notice(picture_sentence(options))

    @property
    def info(self) -> SourceInfo:
        """What is known of the source. Safe from any thread; the notice may grow while it is read."""
        return self._info

    @property
    def hinted_crop(self) -> Crop | None:
        """See `FrameSource.hinted_crop`."""
        return None

    @property
    def damaged(self) -> Sequence[int]:
        """The frames that were left out so far, because they are damaged; ascending."""
        return ()

    def read(self) -> FramePacket | None:
        """See `FrameSource.read`."""
        self._check_interrupted()
        if self._closed:
            raise SourceError(
                _("{name} is closed; open it again to read from it.", name=self._info.source_id)
            )
        if self._failure is not None:
            raise self._failure
        if self._ended:
            return None
        try:
            grabbed = self._grab()
        except SourceInterrupted:
            raise
        except SourceError as error:
            # A source that broke stays broken: what follows must not look like its end.
            self._failure = error
            raise
        self._check_interrupted()
        if grabbed is None:
            self._ended = True
            return None
        return self._packet(grabbed)

    def interrupt(self) -> None:
        """See `FrameSource.interrupt`."""
        self._interrupted.set()

    def close(self) -> None:
        """See `FrameSource.close`."""
        if not self._closed:
            self._closed = True
            self._release()

    @abstractmethod
    def _grab(self) -> Grabbed | None:
        """The next picture; None at the end. Not called again after the end."""

    @abstractmethod
    def _release(self) -> None:
        """Let go of the file or device. Called once."""

    def _check_interrupted(self) -> None:
        if self._interrupted.is_set():
            raise SourceInterrupted(f"Reading from {self._info.source_id} was stopped.")

    def _add_notice(self, sentence: str) -> None:
        """Tell the user once."""
        if sentence not in self._info.notice:
            self._info = replace(self._info, notice=joined((self._info.notice, sentence)))

    def _replace_notice(self, old: str, new: str) -> None:
        """Tell `new` where `old` was told before; "" is nothing."""
        notice = self._info.notice
        if old and old in notice:
            self._info = replace(self._info, notice=replaced(notice, old, new))
        else:
            self._add_notice(new)

    def _packet(self, grabbed: Grabbed) -> FramePacket:
        self._last_pts_s = max(self._last_pts_s, grabbed.pts_s)
        index = self._next_index if grabbed.index is None else grabbed.index
        packet = FramePacket(
            source_id=self._info.source_id,
            index=index,
            pts_s=self._last_pts_s,
            captured_s=time.monotonic() if grabbed.captured_s is None else grabbed.captured_s,
            picture=grabbed.picture,
            poses=grabbed.poses,
        )
        self._next_index = index + 1
        return packet


class WrappedSource:
    """A `FrameSource` that is `source` in all; what is made of it changes what it must."""

    def __init__(self, source: FrameSource) -> None:
        self._source = source

    @property
    def info(self) -> SourceInfo:
        """See `FrameSource.info`."""
        return self._source.info

    @property
    def hinted_crop(self) -> Crop | None:
        """See `FrameSource.hinted_crop`."""
        return self._source.hinted_crop

    def read(self) -> FramePacket | None:
        """See `FrameSource.read`."""
        return self._source.read()

    def interrupt(self) -> None:
        """See `FrameSource.interrupt`."""
        self._source.interrupt()

    def close(self) -> None:
        """See `FrameSource.close`."""
        self._source.close()


class PacedSource(WrappedSource):
    """Releases each frame of `source` when its time has come, stamped with the moment of release.

    The clock starts with the first frame. A frame that is late is given at once, so a slow reader catches up.
    """

    def __init__(self, source: FrameSource) -> None:
        super().__init__(source)
        self._interrupted = threading.Event()
        self._start_s: float | None = None

    @property
    def info(self) -> SourceInfo:
        """The source's, but live."""
        return replace(self._source.info, live=True)

    def read(self) -> FramePacket | None:
        """See `FrameSource.read`."""
        packet = self._source.read()
        if packet is None:
            return None
        now_s = time.monotonic()
        if self._start_s is None:
            self._start_s = now_s - packet.pts_s
        wait_s = self._start_s + packet.pts_s - now_s
        if wait_s > 0 and self._interrupted.wait(wait_s):
            raise SourceInterrupted(f"Reading from {packet.source_id} was stopped.")
        return replace(packet, captured_s=time.monotonic())

    def interrupt(self) -> None:
        """See `FrameSource.interrupt`."""
        self._interrupted.set()
        super().interrupt()
