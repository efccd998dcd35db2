"""What every source of frames promises. `tests/sources/test_source_contract.py` holds each of them to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from semc_core.types import FramePacket


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What is known of a source when it is open.

    Attributes:
        source_id: Short name for people and exports: a file's name, never its path; "camera 0".
        kind: "video", "dicom", "camera", "stream", "images" or "simulated".
        width: Pixels.
        height: Pixels.
        frame_rate: Nominal frames per second; None where the source does not say.
        frame_count: Number of frames; None where unknown (live, or a container that does not say).
        live: True if frames are lost unless read in time; False if the source waits for its reader.
        notice: A sentence the user should see (a header that contradicts itself, say), or "".
    """

    source_id: str
    kind: str
    width: int
    height: int
    frame_rate: float | None
    frame_count: int | None
    live: bool
    notice: str = ""


class FrameSource(Protocol):
    """Something that gives frames in order. Opened by its constructor; one reader thread.

    `pts_s` never decreases. `index` counts the frames from 0: a source that waits for its reader gives every
    one; a gap in a live one means that frames came and were replaced before they were read. Pixels are uint8,
    (H, W) gray or (H, W, 3) RGB, read-only.
    """

    @property
    def info(self) -> SourceInfo:
        """What is known of the source. Safe from any thread."""
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
