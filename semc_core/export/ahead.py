"""Reads the pictures of a session before anybody exports it, so that the export finds them read.

It goes through the first two steps of an export and keeps nothing of them but the readings: the same pictures
under the same masks, whatever they are, are those that the export reads.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semc_core.export.collect import CollectedPlane, collect
from semc_core.export.deidentify import deidentify
from semc_core.export.dicom.uids import KEY_BYTES, UidMaker
from semc_core.export.found_text import FoundText
from semc_core.export.ocr import RapidTextFinder, TextFinder, TextReadings
from semc_core.export.options import ExportOptions
from semc_core.export.text_search import TextSearch
from semc_core.export.watch import Watch
from semc_core.session.session import Session
from semc_core.types import Crop

Done = tuple[int, str | None, str | None, Crop, float, tuple[Crop, ...]]
"""What the pictures that are read of a plane depend on."""


class LateFinder:
    """The reader of text, loaded when the first picture is to be read: all may be known."""

    def __init__(self) -> None:
        self._finder: TextFinder | None = None

    def find(self, pixels: NDArray[np.uint8]) -> tuple[FoundText, ...]:
        """See `TextFinder`."""
        return self._loaded().find(pixels)

    def glance(self, pixels: NDArray[np.uint8]) -> tuple[FoundText, ...]:
        """See `TextFinder`."""
        return self._loaded().glance(pixels)

    def _loaded(self) -> TextFinder:
        if self._finder is None:
            self._finder = RapidTextFinder()
        return self._finder


def read_ahead(
    folder: Path,
    data: Path,
    finder: TextFinder,
    readings_of: Callable[[str], TextReadings],
    watch: Watch,
    done: set[Done],
) -> None:
    """Read what a de-identified export of a session would read, one plane after the other.

    Args:
        folder: Of the session, which is open only while it is looked up what there is: nobody else waits.
        data: Where masks are kept.
        finder: Reads.
        readings_of: Where it is kept for a session of this id; saved after each plane.
        watch: Ends it between any two pictures.
        done: What was gone through before, which is not again; gets what is now.

    Raises:
        ExportCancelled: It is to end.
        SemcError: Something could not be read; the export will say what.
    """
    options = ExportOptions()
    with ExitStack() as collected:
        with Session.open(folder, read_only=True) as session:
            scan, readings = collected.enter_context(collect(session, options, data)), readings_of(session.id)
        for plane in scan.planes:
            key = _key(plane, scan.masks)
            if key in done or plane.entry.png is None:
                continue
            alone = replace(scan, planes=(plane,), dicom_file=None, examination=None)
            search = TextSearch(finder, readings, watch)
            try:
                deidentify(alone, options, UidMaker(bytes(KEY_BYTES)), search, watch)
            finally:
                readings.save()
            done.add(key)


def _key(plane: CollectedPlane, masks: tuple[Crop, ...]) -> Done:
    entry = plane.entry
    return entry.plane_id, entry.png_sha256, entry.clip_sha256, entry.crop, entry.time_s, masks
