"""Writing the planes that were found: PNG and JSON per plane, on a thread of its own."""

from __future__ import annotations

import hashlib
import itertools
import json
import logging
import re
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.capture.source import SourceInfo
from semc_core.engine.detector import HoldEvent
from semc_core.errors import SaveError, SemcError
from semc_core.model.spec import ModelSpec, Thresholds
from semc_core.session.atomic import remove_leftovers, save_error, write_atomically
from semc_core.session.keeper import KeeperFactory, PlaneKeeper, saved_plane
from semc_core.session.record import Origin, plane_record
from semc_core.session.saved import SavedPlane

_log = logging.getLogger(__name__)
_WAITING_LIMIT: Final = 16
_PNG_EFFORT: Final = 2


@dataclass(frozen=True, slots=True)
class _Pair:
    """A PNG and its JSON on disk."""

    stem: str
    png_sha256: str


class PlaneStore:
    """Write each plane of one scan as `003_FHP1_f000123.png` and `.json`, in full resolution as captured.

    The PNG comes first, then the JSON that names its hash, each whole or not at all; so a JSON that is there
    always has its PNG. A better frame of a hold gets a new pair, and the old pair is removed after. Events
    wait in a short queue in which a later event of a hold replaces the earlier, so the model never waits for
    the disk. What cannot be written is told by `fault`, and the scan goes on.
    """

    def __init__(self, folder: Path, origin: Origin, *, fresh: bool = True) -> None:
        """Start the writer. The folder is made when the first plane is written.

        Args:
            folder: Where the files go.
            origin: What goes into every JSON.
            fresh: Never use a folder that is already there: a number is added to the name.
        """
        self._folder = folder
        self._origin = origin
        self._fresh = fresh
        self._made = False
        self._changed = threading.Condition()
        self._waiting: dict[int, HoldEvent] = {}
        self._new: list[SavedPlane] = []
        self._written: dict[int, _Pair] = {}
        self._fault = ""
        self._closed = False
        self._writer = threading.Thread(target=self._write_all, name="plane-writer")
        self._writer.start()

    @property
    def folder(self) -> Path:
        """Where the files are, or will be once there is one."""
        with self._changed:
            return self._folder

    @property
    def fault(self) -> str:
        """The sentence about the last plane that could not be written, or ""."""
        with self._changed:
            return self._fault

    @property
    def kept(self) -> int:
        """Planes on disk."""
        with self._changed:
            return len(self._written)

    def submit(self, event: HoldEvent) -> bool:
        """Queue an event for writing; does not wait.

        Returns:
            False after `close`, or if the disk is so slow that too many planes wait (`fault` says so).
        """
        with self._changed:
            if self._closed:
                return False
            if event.hold_id not in self._waiting and len(self._waiting) >= _WAITING_LIMIT:
                self._fault = f"A plane was not saved: {self._folder} is too slow; choose another folder."
                return False
            self._waiting[event.hold_id] = event
            self._changed.notify_all()
            return True

    def submit_waiting(self, event: HoldEvent) -> None:
        """As `submit`, but wait for room: for files, where nothing else is in a hurry."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._waiting) < _WAITING_LIMIT)
        self.submit(event)

    def raise_fault(self) -> None:
        """Raises SaveError if a plane could not be written."""
        if fault := self.fault:
            raise SaveError(fault)

    def take_saved(self) -> list[SavedPlane]:
        """Planes written, or not writable (`png` is None), since the last call."""
        with self._changed:
            new, self._new = self._new, []
        return new

    def close(self) -> None:
        """Write what waits, then end the writer. May be called twice."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._writer.join()

    def _write_all(self) -> None:
        while (event := self._next()) is not None:
            fault, png = "", None
            try:
                png = self._write(event)
            except SemcError as error:
                fault = f"A plane was not saved. {error}"
            except Exception as error:  # noqa: BLE001 - the thread's boundary
                # The type only: an error may name a file, and a file may be named after a patient.
                _log.error("A plane could not be written: %s", type(error).__name__)
                fault = "A plane was not saved because of an unexpected fault; see the log for details."
            plane = saved_plane(event, png)
            with self._changed:
                self._fault = fault or self._fault
                self._new.append(plane)

    def _next(self) -> HoldEvent | None:
        """Wait for the hold that waits longest; None when closed and all is written."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or bool(self._waiting))
            if not self._waiting:
                return None
            event = self._waiting.pop(next(iter(self._waiting)))
            self._changed.notify_all()
            return event

    def _write(self, event: HoldEvent) -> Path:
        folder = self._made_folder()
        stem = f"{event.hold_id:03d}_{safe_name(event.plane)}_f{event.best.packet.index:06d}"
        png = folder / f"{stem}.png"
        old = self._written.get(event.hold_id)
        if old is not None and old.stem == stem:
            pair = old
        else:
            content = encode_png(event.best.packet.pixels)
            write_atomically(png, content)
            pair = _Pair(stem, hashlib.sha256(content).hexdigest())
        record = plane_record(event, self._origin, png.name, pair.png_sha256)
        write_atomically(folder / f"{stem}.json", json.dumps(record, indent=2, allow_nan=False).encode())
        with self._changed:
            self._written[event.hold_id] = pair
        if old is not None and old.stem != stem:
            self._remove_pair(folder, old.stem)
        return png

    def _remove_pair(self, folder: Path, stem: str) -> None:
        """Remove a pair that a better one has replaced. A failure is told, but the better one is there."""
        try:
            # The JSON first: one that is there must have its PNG.
            for suffix in (".json", ".png"):
                (folder / f"{stem}{suffix}").unlink(missing_ok=True)
        except OSError as error:
            with self._changed:
                self._fault = f"An older frame of a plane was not removed. {save_error(folder, error)}"

    def _made_folder(self) -> Path:
        if not self._made:
            try:
                folder = _new_folder(self._folder) if self._fresh else self._folder
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise save_error(self._folder, error) from error
            with self._changed:
                self._folder, self._made = folder, True
        return self._folder


def store_in(root: Path) -> KeeperFactory:
    """What `LiveEngine` needs to write each scan into a folder of its own below `root`.

    Temporary files that a killed program left there are removed.
    """

    def make(source: SourceInfo, spec: ModelSpec, thresholds: Thresholds, device: str) -> PlaneKeeper:
        try:
            remove_leftovers(root)
        except SaveError as error:
            # The scan can go on; the first plane will tell whether the folder is usable.
            _log.warning("Leftovers could not be removed: %s", type(error.__cause__ or error).__name__)
        return PlaneStore(scan_folder(root, source), Origin(source, spec, thresholds, device))

    return make


def scan_folder(root: Path, source: SourceInfo, now: datetime | None = None) -> Path:
    """A folder name for one scan: date, time, kind and name of the source. Nothing is made."""
    moment = (now or datetime.now().astimezone()).strftime("%Y%m%d-%H%M%S")
    return root / f"{moment}_{safe_name(source.kind)}_{safe_name(source.source_id)}"


def safe_name(text: str, longest: int = 60) -> str:
    """`text` as part of a file name on any system: letters, digits, `.`, `_` and `-`; never empty."""
    kept = re.sub(r"[^\w.-]+", "-", text, flags=re.ASCII).strip(".-")
    return kept[:longest].rstrip(".-") or "unnamed"


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG of exactly these pixels: uint8 (H, W) gray or (H, W, 3) RGB.

    Raises:
        SaveError: OpenCV could not encode them.
    """
    picture = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    done, content = cv2.imencode(".png", picture, (cv2.IMWRITE_PNG_COMPRESSION, _PNG_EFFORT))
    if not done:
        raise SaveError("A frame could not be written as PNG; choose another source.")
    return content.tobytes()


def _new_folder(wanted: Path) -> Path:
    """Make the folder `wanted`, or with a number added if there is one already."""
    wanted.parent.mkdir(parents=True, exist_ok=True)
    for number in itertools.count(1):
        folder = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise AssertionError("unreachable")
