"""Reads frames of the session in review on threads; the window asks, and takes what is there. No Qt here."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Final

from app.review.presenter import Candidate
from app.review.session import OpenReview
from app.tasks import LatestTask
from semc_core.errors import SourceError
from semc_core.imaging.thumbnail import thumbnail
from semc_core.language import _
from semc_core.picture import Picture
from semc_core.review.analysis import LoopAnalysis
from semc_core.review.viewer import FrameViewer
from semc_core.session.files import read_png
from semc_core.types import FramePacket, FrameResult

_CANDIDATES: Final = 12


class ReviewReader:
    """Called by one thread; only `close` waits."""

    def __init__(
        self, opened: OpenReview, failed: Callable[[str], None], arrived: Callable[[], None] = lambda: None
    ) -> None:
        """Read of this session.

        Args:
            opened: Outlives the reader.
            failed: Told what could not be read, a sentence; called on the reader's threads.
            arrived: Called on a thread when `frame` has another; returns at once.
        """
        self._source, self._failed, self._arrived = opened.source, failed, arrived
        self._frames: FrameViewer | None = None
        self._beside: FrameViewer | None = None
        self._looks: LatestTask[FrameResult] | None = None
        self._saved: LatestTask[FramePacket] | None = None
        self._better: LatestTask[tuple[int, list[Candidate]]] | None = None
        if opened.source is not None:
            self._frames = FrameViewer(opened.source, failed, arrived)
            if opened.analysis is not None:
                opened.analysis.give_way_to(self._frames.wait_until_shown)
        else:
            self._saved = LatestTask(partial(saved_frame, opened), "review-saved", failed)
        if opened.analysis is not None:
            self._looks = LatestTask(opened.analysis.look_at, "review-looks", failed)
            self._better = LatestTask(partial(_better, opened.analysis), "review-better", failed)

    def frame(self, index: int) -> FramePacket | None:
        """The newest frame that was read, maybe one near `index`, which is asked for and comes soon."""
        if self._frames is None:
            return None
        self._frames.ask(index)
        return self._frames.got

    def wait_until_shown(self, limit_s: float) -> None:
        """Wait while a frame that was asked for is not there, so long at most; for any thread."""
        if self._frames is not None:
            self._frames.wait_until_shown(limit_s)

    def beside(self, index: int) -> FramePacket | None:
        """As `frame`, for a second picture; it begins with the first call."""
        if self._source is None:
            return None
        if self._beside is None:
            self._beside = FrameViewer(self._source, self._failed, self._arrived)
        self._beside.ask(index)
        return self._beside.got

    def read_again(self) -> None:
        """The frames that were read last may be others now: more is known of the loop."""
        for frames in (self._frames, self._beside):
            if frames is not None:
                frames.ask_again()

    def saved(self, plane_id: int) -> FramePacket | None:
        """The newest saved frame that was read, where the loop is not there; `plane_id`'s comes soon."""
        if self._saved is None:
            return None
        self._saved.ask(plane_id)
        return self._saved.got

    def read_saved_again(self) -> None:
        """The plane whose saved frame was read last may have another now. For any thread."""
        if self._saved is not None:
            self._saved.ask_again()

    def look(self, index: int) -> FrameResult | None:
        """The newest frame that was looked at; `index` is asked for and comes soon."""
        if self._looks is None:
            return None
        self._looks.ask(index)
        return self._looks.got

    @property
    def newest_look(self) -> FrameResult | None:
        """The newest frame that was looked at."""
        return None if self._looks is None else self._looks.got

    def look_again(self) -> None:
        """More is known of the frame that was looked at last."""
        if self._looks is not None:
            self._looks.ask_again()

    def find_better(self, plane_id: int) -> None:
        """Find the best frames of a hold, by what is known of them now."""
        if self._better is not None:
            self._better.ask_again()
            self._better.ask(plane_id)

    def better(self, plane_id: int) -> list[Candidate]:
        """The best frames of a hold in order of time, once they are found."""
        found = None if self._better is None else self._better.got
        return found[1] if found is not None and found[0] == plane_id else []

    def close(self) -> None:
        """End its threads."""
        for fetcher in (self._frames, self._beside, self._looks, self._saved, self._better):
            if fetcher is not None:
                fetcher.close()


def _better(analysis: LoopAnalysis, plane_id: int) -> tuple[int, list[Candidate]]:
    return plane_id, [
        Candidate(one.packet.index, one.packet.pts_s, one.score, thumbnail(one.packet.pixels))
        for one in analysis.candidates(plane_id, _CANDIDATES)
    ]


def saved_frame(opened: OpenReview, plane_id: int) -> FramePacket:
    """The frame that was saved for a plane, read from its PNG.

    Raises:
        SourceError: There is none.
        SaveError: It is not there any more, or damaged.
        SessionError: There is no such plane.
    """
    plane = opened.session.plane(plane_id)
    if plane.png is None:
        raise SourceError(
            _(
                "The picture of {plane} is missing; put the session's files back, or choose another frame.",
                plane=plane.plane,
            )
        )
    pixels = read_png(opened.session.folder / plane.png)
    source_id = opened.session.source.source_id
    return FramePacket(source_id, plane.frame_index, plane.time_s, time.monotonic(), Picture(pixels))
