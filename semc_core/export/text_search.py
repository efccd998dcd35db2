"""Which pictures of a plane are read for text, and what masks cover what was found.

Of a clip these are its mean, and a few of the moments at which text appears. Text stands still, so a mean of
frames shows it better than any frame does. The mean of the whole clip shows what stays; what is there for a
moment only is faint in it. So every two frames that follow each other are looked at together: lines that are
bright in both, and that were not there just before, are news. Speckle that changes fast has none of them, and
speckle that changes slowly has had them before. The moments with the most news are read as well, unless a
picture chosen before shows the same lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.errors import ExportError
from semc_core.export.found_text import Answer, FoundText, TextFinding
from semc_core.export.ocr import SURE, TextFinder, TextReadings
from semc_core.export.sector import lies_beside, sector_of
from semc_core.export.watch import Watch
from semc_core.language import _
from semc_core.types import Crop

MOST_MOMENTS: Final = 4
"""With the clip's mean and the plane's own picture, six pictures are read at most."""

_MOST_KEPT: Final = 8
_LEAST_STEP: Final = 48
_LEAST_NEWS: Final = 1500
_STROKE_PX: Final = 11
_MOST_ROUNDS: Final = 3
_LARGEST_SURE: Final = 0.05
_BESIDE_PX: Final = 8

T = TypeVar("T", bound=np.generic)

Shown = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]


@dataclass(frozen=True, slots=True, eq=False)
class _Moment:
    """Two frames: how much their lines are news, their mean, and their lines, uint8 (H, W)."""

    news: int
    picture: NDArray[np.uint8]
    lines: NDArray[np.uint8]


class ClipLook:
    """Takes the frames of a clip one by one, and then gives the pictures to be read."""

    def __init__(self, shown: Shown) -> None:
        """No frame is there yet.

        Args:
            shown: Blanks in a picture what will not be exported of it: text there does not matter.
        """
        self._shown = shown
        self._total: NDArray[np.uint32] | None = None
        self._count = 0
        self._last: NDArray[np.uint8] | None = None
        self._before: NDArray[np.uint8] | None = None
        self._twice = False
        self._kept: list[_Moment] = []

    def add(self, pixels: NDArray[np.uint8]) -> None:
        """Take the next frame; one of another size than the first is left out, as it is of the clip.

        Args:
            pixels: uint8 (H, W) or (H, W, 3), as it is; colour may come and go.
        """
        if self._total is None:
            self._total = np.zeros(pixels.shape, np.uint32)
        if self._total.shape[:2] != pixels.shape[:2]:
            return
        if pixels.ndim > self._total.ndim:
            self._total = _coloured(self._total)
        elif pixels.ndim < self._total.ndim:
            pixels = _coloured(pixels)
        self._total += pixels
        self._count += 1
        last, self._last = self._last, pixels
        # A card that is faster than the scanner gives a frame twice; one that stands for longer was frozen.
        self._twice = not self._twice and last is not None and np.array_equal(last, pixels)
        if last is not None and not self._twice:
            self._add_pair(last if last.ndim == pixels.ndim else _coloured(last), pixels)

    def pictures(self) -> list[NDArray[np.uint8]]:
        """The pictures to be read, as they are; the mean of the clip first. None without a frame."""
        if self._total is None:
            return []
        mean = np.rint(self._total / self._count).astype(np.uint8)
        seen = self._shown(_lines(mean))
        chosen = [mean]
        while self._kept and len(chosen) <= MOST_MOMENTS:
            news = [_news(each.lines, seen) for each in self._kept]
            most = int(np.argmax(news))
            if news[most] < _LEAST_NEWS:
                break
            chosen.append(self._kept[most].picture)
            seen = np.maximum(seen, _spread(self._kept[most].lines))
        return chosen

    def _add_pair(self, last: NDArray[np.uint8], pixels: NDArray[np.uint8]) -> None:
        lines = self._shown(_lines(np.minimum(last, pixels)))
        before = np.zeros_like(lines) if self._before is None else self._before
        news, self._before = _news(lines, before), _spread(lines)
        if len(self._kept) == _MOST_KEPT:
            least = min(self._kept, key=lambda each: each.news)
            if news <= least.news:
                return
            self._kept.remove(least)
        self._kept.append(_Moment(news, _uint8(cv2.addWeighted(last, 0.5, pixels, 0.5, 0)), lines))


@dataclass(frozen=True, slots=True, eq=False)
class TextSeen:
    """Text in the pictures of a plane that is still to be seen.

    Attributes:
        found: The texts, under no mask.
        pictures: Those that hold them, uint8 (H, W) or (H, W, 3), without masks.
    """

    found: tuple[FoundText, ...] = ()
    pictures: tuple[NDArray[np.uint8], ...] = ()


NO_TEXT: Final = TextSeen()


@dataclass(frozen=True, slots=True)
class Settled:
    """What becomes of a plane whose pictures hold text.

    Attributes:
        kind: "masked" under `masks`; "kept" as it is; or "held": out of the export until somebody answers.
        masks: All that lie over it.
        doubtful: Why it is held: what may be text, or tissue that looks like it.
    """

    kind: Literal["masked", "kept", "held"]
    masks: tuple[Crop, ...]
    doubtful: tuple[FoundText, ...] = ()


class TextSearch:
    """Looks for text in the pictures of one export. Without a reader it finds none, and `reads` says so.

    Attributes:
        held: The planes that wait for an answer, each with what is doubtful in it.
    """

    def __init__(self, finder: TextFinder | None, readings: TextReadings, watch: Watch) -> None:
        """Begin.

        Args:
            finder: Reads; None where nobody does.
            readings: What was read before: no picture is read twice.
            watch: Asked before each reading, which takes a second or more.
        """
        self._finder = finder
        self._readings = readings
        self._watch = watch
        self.held: list[TextFinding] = []

    @property
    def reads(self) -> bool:
        """Whether somebody looks."""
        return self._finder is not None

    def look(self, pictures: Iterable[NDArray[np.uint8]], masks: tuple[Crop, ...]) -> TextSeen:
        """Read pictures, where no mask is."""
        if self._finder is None:
            return TextSeen()
        found: list[FoundText] = []
        with_text = []
        for pixels in pictures:
            self._watch.check()
            texts = self._readings.read(self._finder, pixels, masks)
            if texts:
                found += texts
                with_text.append(pixels)
        return TextSeen(tuple(found), tuple(with_text))

    def settle(
        self, seen: TextSeen, masks: tuple[Crop, ...], whose: str, answer: Answer | None = None
    ) -> Settled:
        """Decide what can be decided without a person, or was decided by one.

        Text beside the sector, and what is text beyond doubt, is masked. What is neither is held: masked, it
        could be tissue that is lost; kept, a name that is handed over. An answer is about that alone.

        Args:
            seen: What is to be seen in the plane's pictures under `masks`.
            masks: What lies over it.
            whose: What a sentence calls it.
            answer: What a person says now of what was held, which is remembered; None looks what was said.

        Raises:
            ExportError: A person wants it masked, and text is found again and again.
        """
        sectors = [sector_of(pixels) for pixels in seen.pictures]
        asking = _Asking(self._readings, seen.pictures, answer)
        kept: tuple[FoundText, ...] = ()
        found = seen.found
        for _round in range(_MOST_ROUNDS):
            apart = [
                text for text in found if not _at_the_edge(text, masks if found is not seen.found else ())
            ]
            if doubtful := _doubtful(apart, sectors):
                said = asking.said(doubtful)
                if said == "mask":
                    return Settled("masked", self.masks_over(seen, masks, whose))
                if said is None:
                    return Settled("held", masks, doubtful)
                kept += doubtful
            # A name that only touches what is kept is none of it.
            boxes = [text.box for text in found if not any(_mostly_in(text.box, each.box) for each in kept)]
            if not boxes:
                return Settled("kept" if kept else "masked", masks)
            masks = (*masks, *dict.fromkeys(boxes))
            found = self._left_in(seen, masks)
        return Settled("held", masks, found) if found else Settled("kept" if kept else "masked", masks)

    def masks_over(self, seen: TextSeen, masks: tuple[Crop, ...], whose: str) -> tuple[Crop, ...]:
        """`masks`, and those under which no text can be seen any more.

        The pictures that held it are read again under the new masks: the box of a word may miss its ends.

        Raises:
            ExportError: Text is found again and again; the sentence says `whose` picture it is in.
        """
        found = seen.found
        for _round in range(_MOST_ROUNDS):
            masks = (*masks, *dict.fromkeys(text.box for text in found))
            found = self._left_in(seen, masks)
            if not found:
                return masks
        raise ExportError(
            _(
                "Text in the picture of {plane} could not be masked; draw a mask over it, or leave the "
                "picture out.",
                plane=whose,
            )
        )

    def _left_in(self, seen: TextSeen, masks: tuple[Crop, ...]) -> tuple[FoundText, ...]:
        return tuple(text for pixels in seen.pictures for text in self._left(pixels, masks))

    def _left(self, pixels: NDArray[np.uint8], masks: tuple[Crop, ...]) -> tuple[FoundText, ...]:
        self._watch.check()
        return () if self._finder is None else self._readings.left(self._finder, pixels, masks)


class _Asking:
    """What was said of doubtful text in some pictures, or is said now: of what comes first and is new."""

    def __init__(
        self, readings: TextReadings, pictures: Sequence[NDArray[np.uint8]], answer: Answer | None
    ) -> None:
        self._readings, self._pictures, self._now = readings, pictures, answer

    def said(self, doubtful: Sequence[FoundText]) -> Answer | None:
        """The answer; None where somebody is still to be asked."""
        known = self._readings.answer(self._pictures, doubtful)
        if self._now is not None and known != self._now:
            known, self._now = self._now, None
            self._readings.remember(self._pictures, doubtful, known)
        return known


def _doubtful(found: Sequence[FoundText], sectors: Sequence[NDArray[np.uint8]]) -> tuple[FoundText, ...]:
    """What of it lies in a sector, and is not text beyond doubt.

    The same place is read in several views: one of them that is sure is enough. What covers much of the
    picture is never sure: a word is small.
    """
    most = min((_LARGEST_SURE * sector.size for sector in sectors), default=0.0)
    sure = [text.box for text in found if text.score >= SURE and text.box.width * text.box.height <= most]
    return tuple(
        text for text in found
        if not any(_mostly_in(text.box, box) for box in sure) and not lies_beside(text.box, sectors)
    )  # fmt: skip


def _mostly_in(box: Crop, other: Crop) -> bool:
    """Whether half of `box` or more lies in `other`."""
    width = min(box.left + box.width, other.left + other.width) - max(box.left, other.left)
    height = min(box.top + box.height, other.top + other.height) - max(box.top, other.top)
    return width > 0 and height > 0 and 2 * width * height >= box.width * box.height


def _at_the_edge(text: FoundText, boxes: Iterable[Crop]) -> bool:
    """Whether it touches one of them, or nearly does: as the end of a word does that was masked."""
    return any(_touches(text.box, box) for box in boxes)


def _touches(box: Crop, mask: Crop) -> bool:
    """Whether they overlap, or nearly do."""
    across = min(box.left + box.width, mask.left + mask.width) - max(box.left, mask.left)
    down = min(box.top + box.height, mask.top + mask.height) - max(box.top, mask.top)
    return across > -_BESIDE_PX and down > -_BESIDE_PX


def _coloured(gray: NDArray[T]) -> NDArray[T]:
    """(H, W) as (H, W, 3)."""
    return np.repeat(gray[:, :, np.newaxis], 3, axis=2)


def _news(lines: NDArray[np.uint8], seen: NDArray[np.uint8]) -> int:
    """By how much lines stand out beyond what was seen; a little more than before is no news."""
    return int(cv2.subtract(lines, cv2.add(seen, np.full_like(seen, _LEAST_STEP))).sum(dtype=np.int64))


def _lines(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """How far each pixel of a thin bright line stands out, 0 where that is little; uint8 (H, W)."""
    bright = pixels if pixels.ndim == 2 else pixels.max(axis=2)
    # A square costs a tenth of what a disc does, and this is done for every frame.
    letters = np.ones((_STROKE_PX, _STROKE_PX), np.uint8)
    return _uint8(cv2.morphologyEx(bright, cv2.MORPH_TOPHAT, letters))


def _spread(lines: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same, a pixel wider."""
    return _uint8(cv2.dilate(lines, np.ones((3, 3), np.uint8)))


def _uint8(values: Any) -> NDArray[np.uint8]:
    return np.asarray(values, np.uint8)
