"""Looks for text that is left in the exported part of a picture: a name, a number, a date.

Reading text needs the optional packages of the extra `ocr`; without them nobody looks, and the export says
so.

What was read in pictures, so that none is read twice: reading one takes a second or more.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.errors import ExportError
from semc_core.export.found_text import Answer, FoundText, TextFinding
from semc_core.export.masks import blanked
from semc_core.extras import INSTALL_READING, installed
from semc_core.language import _, joined
from semc_core.types import Crop

SURE: Final = 0.85
"""A score from which a reading is text beyond doubt. Below it may be tissue that looks like letters."""

READER: Final = "rapidocr 3, 2"
"""Which reader it is, and how it is asked: what another one read is read again."""

_LEAST_SCORE: Final = 0.5
_LEAST_LETTERS: Final = 2
_LEAST_DIGITS: Final = 4
_MARGIN_PX: Final = 4
_ROUND_PX: Final = 24
_LONG_SIDE_PX: Final = 1280
_MOST_ENLARGED: Final = 2.0
_BLUR_PX: Final = 0.8
_STROKE_PX: Final = 15


class TextFound(ExportError):
    """The export waits for the user's word: pictures hold text. `findings` says which and where."""

    def __init__(self, findings: Sequence[TextFinding]) -> None:
        """Made from at least one finding. The words found are not in the message: it may be logged."""
        self.findings = tuple(findings)
        super().__init__(
            _(
                "These pictures hold text: {names}. Choose whether to mask the text, to leave these pictures "
                "out, or to export them as they are.",
                names=joined((each.plane for each in self.findings), ", "),
            )
        )


def not_looked() -> str:
    """The sentence for where nothing reads text."""
    return _(
        "Nobody looked for text inside the pictures: text reading is not installed ({install}). Look at "
        "every picture before you pass it on.",
        install=INSTALL_READING,
    )


class TextFinder(Protocol):
    """Reads text in pictures."""

    def find(self, pixels: NDArray[np.uint8]) -> tuple[FoundText, ...]:
        """The texts in `pixels`, uint8 (H, W) or (H, W, 3). Depth marks and single letters are none."""
        ...

    def glance(self, pixels: NDArray[np.uint8]) -> tuple[FoundText, ...]:
        """As `find`, in a third of the time: for what is left of words of which most was masked."""
        ...


def load_text_finder() -> TextFinder | None:
    """The reader of text; None if the extra `ocr` is not installed. Takes a few seconds."""
    return RapidTextFinder() if installed("rapidocr") else None


class RapidTextFinder:
    """RapidOCR's models (PaddleOCR's, part of its package: nothing is downloaded) on OpenVINO."""

    def __init__(self) -> None:
        """Load the models."""
        from rapidocr import EngineType, RapidOCR

        engine = EngineType.OPENVINO
        self._reader: Any = RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.use_cls": False,
                "Det.engine_type": engine,
                "Cls.engine_type": engine,
                "Rec.engine_type": engine,
                "Det.thresh": 0.2,
                "Det.box_thresh": 0.3,
                "EngineConfig.openvino.inference_num_threads": 2,
            }
        )

    def find(self, pixels: NDArray[np.uint8]) -> tuple[FoundText, ...]:
        """The texts in `pixels`, each with what it seems to say."""
        part = shown_part(pixels)
        if part is None:
            return ()
        return tuple(text for view in _views(part.cut(pixels)) for text in self._read(view, part, pixels))

    def glance(self, pixels: NDArray[np.uint8]) -> tuple[FoundText, ...]:
        """The texts in `pixels` as it is; over speckle some are missed."""
        part = shown_part(pixels)
        return () if part is None else tuple(self._read(next(_views(part.cut(pixels))), part, pixels))

    def _read(self, view: NDArray[np.uint8], part: Crop, pixels: NDArray[np.uint8]) -> list[FoundText]:
        """The texts in one view of a part of a picture, uint8 (h, w, 3)."""
        height, width = pixels.shape[:2]
        # Screens' letters are small; the models were trained on larger ones.
        scale = min(_MOST_ENLARGED, max(1.0, _LONG_SIDE_PX / max(height, width)))
        if scale > 1:
            view = cv2.resize(view, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC).astype(
                np.uint8, copy=False
            )
        answer = self._reader(cv2.cvtColor(view, cv2.COLOR_RGB2BGR), use_cls=False)
        if answer.boxes is None:
            return []
        corner = np.array([part.left, part.top])
        return [
            FoundText(_box(np.asarray(corners) / scale + corner, width, height), str(words), float(score))
            for corners, words, score in zip(answer.boxes, answer.txts, answer.scores, strict=True)
            if score >= _LEAST_SCORE and is_text(str(words))
        ]


def shown_part(pixels: NDArray[np.uint8]) -> Crop | None:
    """The part of a picture outside of which it is black, with a margin; None where all of it is.

    What lies round the region of interest is black in an export, and takes as long to read as the rest.
    """
    shown = pixels if pixels.ndim == 2 else pixels.max(axis=2)
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    if not rows.size:
        return None
    height, width = shown.shape
    left, top = max(0, int(columns[0]) - _ROUND_PX), max(0, int(rows[0]) - _ROUND_PX)
    right, bottom = min(width, int(columns[-1]) + 1 + _ROUND_PX), min(height, int(rows[-1]) + 1 + _ROUND_PX)
    return Crop(left, top, right - left, bottom - top)


def _views(pixels: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """The picture as it is, a little blurred, and its thin bright lines alone; uint8 (H, W, 3).

    Over speckle each of them shows letters that are missed in the others.
    """
    picture = pixels if pixels.ndim == 3 else cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)
    yield picture.astype(np.uint8, copy=False)
    yield cv2.GaussianBlur(picture, (0, 0), _BLUR_PX).astype(np.uint8, copy=False)
    bright = picture.max(axis=2)
    letters = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_STROKE_PX, _STROKE_PX))
    lines = cv2.morphologyEx(bright, cv2.MORPH_TOPHAT, letters)
    stretched = cv2.normalize(lines, np.zeros_like(lines), 0, 255, cv2.NORM_MINMAX)
    yield cv2.cvtColor(stretched, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False)


def is_text(words: str) -> bool:
    """Whether `words` could say who somebody is: two letters in a row, or four digits; no depth mark has."""
    letters = re.search(rf"[^\W\d_]{{{_LEAST_LETTERS},}}", words) is not None
    return letters or sum(letter.isdigit() for letter in words) >= _LEAST_DIGITS


def _box(corners: NDArray[np.float64], width: int, height: int) -> Crop:
    """The upright box round four corners, (4, 2) of x and y, a little larger, inside the frame."""
    left, top = np.floor(corners.min(axis=0)).astype(int) - _MARGIN_PX
    right, bottom = np.ceil(corners.max(axis=0)).astype(int) + _MARGIN_PX
    left, top = max(0, int(left)), max(0, int(top))
    return Crop(left, top, min(width, int(right)) - left, min(height, int(bottom)) - top)


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found in a picture while `masks` lay over it."""

    masks: frozenset[Crop]
    found: tuple[FoundText, ...]


class TextReadings:
    """Readings by the digest of the pixels, and what was said of them, in memory. For any thread.

    A reading holds for the same pixels under the same masks, or under more: then what they cover is gone.
    Other pixels, or a mask less, are read anew. An answer holds for the same pixels while all the text in
    them lies where it was when it was given.
    """

    def __init__(self) -> None:
        """Nothing was read yet."""
        self._lock = threading.RLock()
        self._known: dict[str, list[Reading]] = {}
        self._answers: dict[str, dict[Crop, Answer]] = {}

    def read(
        self, finder: TextFinder, pixels: NDArray[np.uint8], masks: Iterable[Crop]
    ) -> tuple[FoundText, ...]:
        """The texts in a picture that are not under masks.

        Args:
            finder: Reads what is not known.
            pixels: uint8 (H, W) or (H, W, 3), without the masks.
            masks: What is blanked in it.
        """
        laid, digest = frozenset(masks), _digest(pixels)
        with self._lock:
            for known in self._known.get(digest, ()):
                if known.masks <= laid:
                    return tuple(text for text in known.found if not covered(text.box, laid))
            found = finder.find(blanked(pixels, None, laid))
            self._keep(digest, Reading(laid, found))
            return found

    def left(
        self, finder: TextFinder, pixels: NDArray[np.uint8], masks: Iterable[Crop]
    ) -> tuple[FoundText, ...]:
        """As `left_under`, which is asked only of what is not known."""
        laid = frozenset(masks)
        digest = f"left {_digest(pixels)}"
        with self._lock:
            for known in self._known.get(digest, ()):
                if known.masks == laid:
                    return known.found
            found = left_under(finder, pixels, laid)
            self._keep(digest, Reading(laid, found))
            return found

    def answer(self, pictures: Sequence[NDArray[np.uint8]], found: Iterable[FoundText]) -> Answer | None:
        """What was said of these texts in these pictures; None where somebody is still to be asked."""
        boxes = {text.box for text in found}
        with self._lock:
            said = [self._answers.get(_digest(pixels), {}).get(box) for pixels in pictures for box in boxes]
        if not said or None in said:
            return None
        return "keep" if set(said) == {"keep"} else "mask"

    def remember(
        self, pictures: Iterable[NDArray[np.uint8]], found: Iterable[FoundText], answer: Answer
    ) -> None:
        """Keep what was said of these texts in these pictures."""
        said: dict[Crop, Answer] = {text.box: answer for text in found}
        with self._lock:
            for pixels in pictures:
                self._answered(_digest(pixels), said)

    def save(self) -> None:
        """Nothing is kept but in memory."""

    def _keep(self, digest: str, reading: Reading) -> None:
        self._known.setdefault(digest, []).append(reading)

    def _answered(self, digest: str, said: dict[Crop, Answer]) -> None:
        self._answers.setdefault(digest, {}).update(said)


def left_under(finder: TextFinder, pixels: NDArray[np.uint8], masks: Iterable[Crop]) -> tuple[FoundText, ...]:
    """What can still be read in a picture that held text, with masks over what was found.

    The box of a word may miss its ends. A glance finds most of what they leave; what passes it is read once
    more in every view before it counts as clean.
    """
    masked = blanked(pixels, None, masks)
    return finder.glance(masked) or finder.find(masked)


def covered(box: Crop, masks: Iterable[Crop]) -> bool:
    """Whether masks lie over all of `box`."""
    free = np.ones((box.height, box.width), np.bool_)
    for mask in masks:
        top, left = max(0, mask.top - box.top), max(0, mask.left - box.left)
        bottom, right = mask.top + mask.height - box.top, mask.left + mask.width - box.left
        if bottom > 0 and right > 0:
            free[top:bottom, left:right] = False
    return not bool(free.any())


def _digest(pixels: NDArray[np.uint8]) -> str:
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()
