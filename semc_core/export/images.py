"""The pictures and clips of a bundle: blanked, looked at for text, written into the prepared folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import ExportError, SemcError
from semc_core.export.clips import AFTER_S, BEFORE_S, ClipLook, cut, kept_clip, saved_clip, write_clip
from semc_core.export.masks import blanked, shared_region
from semc_core.export.ocr import FoundText, TextFinder, TextFinding, TextReadings, left_under
from semc_core.export.options import ExportOptions
from semc_core.export.staging import Staging
from semc_core.review.loop import LoopPlace, loop_place
from semc_core.session.files import encode_png, read_png
from semc_core.session.folder import safe_name
from semc_core.session.records import FrameTable, PlaneEntry, file_sha256
from semc_core.session.session import Session
from semc_core.sources.seek.base import SeekableSource
from semc_core.types import Crop, FramePacket

LOOP_GONE: Final = "the loop that was analysed is no longer there, or was changed"
NO_FRAME: Final = "the loop has no frame of that time in the size of the picture"
NO_REGION: Final = (
    "the region of interest moved meanwhile, so no part of the picture was inside it all through the clip"
)
"""Why a plane has no clip."""

_MOST_ROUNDS: Final = 3


@dataclass(slots=True)
class Exported:
    """A plane on its way into the bundle.

    Attributes:
        plane: As it stands in the session.
        stem: What the names of its files begin with.
        png: Its picture in the bundle.
        png_sha256: Of that picture's bytes.
        clip: Its clip in the bundle, or "".
        why_no_clip: Why there is none although clips are wanted; or "".
        coloured: Whether a frame of the clip has colour: then all are written with it.
        region: What is kept of each frame of the clip; None keeps all.
        masks: What is blanked, text included.
        found: Text that is still to be seen.
        with_text: The pictures that hold it, without `masks`.
    """

    plane: PlaneEntry
    stem: str
    masks: tuple[Crop, ...]
    png: str = ""
    png_sha256: str = ""
    clip: str = ""
    why_no_clip: str = ""
    coloured: bool = False
    region: Crop | None = None
    found: list[FoundText] = field(default_factory=list)
    with_text: list[NDArray[np.uint8]] = field(default_factory=list)

    @property
    def finding(self) -> TextFinding:
        """What the user is asked about."""
        return TextFinding(self.plane.plane_id, self.plane.plane, tuple(self.found))


class Pictures:
    """Writes pictures and clips of one session. Use as a context, which closes the loop."""

    def __init__(
        self,
        session: Session,
        staging: Staging,
        options: ExportOptions,
        masks: tuple[Crop, ...],
        finder: TextFinder | None,
        readings: TextReadings,
        step: Callable[[], None],
    ) -> None:
        """Prepare for writing.

        Args:
            session: Whose planes.
            staging: Where to.
            options: The user's choices.
            masks: The device's and the user's.
            finder: Looks for text; None does not.
            readings: What was read before.
            step: Called often; raises when the user has had enough.
        """
        self._session = session
        self._staging = staging
        self._options = options
        self._masks = masks
        self._finder = finder
        self._readings = readings
        self._step = step
        self._open = ExitStack()
        self._found_loop: SeekableSource | None = None
        self._loop_sought = False
        self._why_no_loop = ""
        self._table: FrameTable | None = None

    def __enter__(self) -> Pictures:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def write(self, plane: PlaneEntry) -> Exported:
        """Write a plane's picture and, if wanted and to be had, its clip. Look for text in both.

        Raises:
            ExportError: The picture is not what was saved.
            SemcError: Something could not be read or written.
        """
        stem = f"{plane.plane_id:03d}_{safe_name(plane.plane)}_f{plane.frame_index:06d}"
        made = Exported(plane, stem, self._masks)
        self._write_picture(made)
        if self._options.clips:
            self._write_clip(made)
        return made

    def mask_text(self, made: Exported) -> None:
        """Blank the text that was found, and look in the pictures that held it for what is left of a word.

        Raises:
            ExportError: Text is found again and again.
        """
        for _ in range(_MOST_ROUNDS):
            made.masks = (*made.masks, *dict.fromkeys(text.box for text in made.found))
            made.found.clear()
            for pixels in made.with_text:
                self._step()
                if self._finder is not None:
                    made.found += left_under(self._finder, pixels, made.masks)
            if made.found:
                continue
            self._write_picture(made)
            if made.clip:
                self._write_clip(made)
            if not made.found:
                return
        raise ExportError(
            f"Text in the picture of {made.plane.plane} ({made.plane.plane_id}) could not be masked; "
            "draw a mask over it, or leave the picture out."
        )

    def leave_out(self, made: Exported) -> None:
        """Remove what was written of a plane."""
        for name in (made.png, made.clip):
            if name:
                (self._staging.folder / name).unlink()

    def clip_frames(self, made: Exported) -> Iterator[FramePacket]:
        """The frames of a plane's clip as they are, not blanked; none if there is no clip.

        Raises:
            ExportError: The saved clip is not what was saved.
            SemcError: It cannot be read.
        """
        plane = made.plane
        path = saved_clip(self._session.folder, plane)
        if path is not None:
            try:
                changed = file_sha256(path) != plane.clip_sha256
            except OSError as error:
                raise ExportError(
                    f"The clip of {plane.plane} ({plane.plane_id}) cannot be read; put it back, or export "
                    "without clips."
                ) from error
            if changed:
                raise ExportError(
                    f"The clip of {plane.plane} ({plane.plane_id}) was changed since it was saved; put the "
                    "old one back, or export without clips."
                )
            yield from self._watched(kept_clip(path))
            return
        loop = self._loop()
        if loop is not None:
            near = cut(loop, plane.time_s - BEFORE_S, plane.time_s + AFTER_S)
            # A recording may change its size; a clip has the plane's.
            size = plane.height, plane.width
            yield from self._watched(packet for packet in near if packet.pixels.shape[:2] == size)

    def exported_frame(self, made: Exported, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A frame of a plane's clip as it may leave the machine."""
        return blanked(pixels, made.region, made.masks)

    def _write_picture(self, made: Exported) -> None:
        plane = made.plane
        if plane.png is None:
            raise ExportError(
                f"{plane.plane} ({plane.plane_id}) has no picture; choose a frame for it, or reject it."
            )
        pixels = read_png(self._session.folder / plane.png, plane.png_sha256)
        kept = blanked(pixels, plane.crop if self._options.deidentify else None, ())
        # Encoded anew: what the file said beside its pixels is gone.
        png = encode_png(blanked(kept, None, made.masks))
        made.png, made.png_sha256 = f"planes/{made.stem}.png", hashlib.sha256(png).hexdigest()
        self._staging.write(made.png, png)
        self._look(made, kept)

    def _write_clip(self, made: Exported) -> None:
        """Write the clip, if there are frames and they have some part in common."""
        made.clip, made.why_no_clip, made.coloured = "", "", False
        if self._options.deidentify:
            made.region = self._region_of_clip(made.plane)
            if made.region is None:
                made.why_no_clip = NO_REGION
                return
        name = f"clips/{made.stem}.mp4"
        path = self._staging.folder / name
        if write_clip(path, self._looked(made), lambda pixels: self.exported_frame(made, pixels)):
            made.clip = name
        else:
            made.why_no_clip = self._why_no_loop if self._loop() is None else NO_FRAME

    def _looked(self, made: Exported) -> Iterator[FramePacket]:
        """The clip's frames. In the end a few pictures made of them are looked at for text."""
        # Chosen without the masks over text that was found: so the choice stays, and nothing is read again.
        look = ClipLook(lambda pixels: blanked(pixels, made.region, self._masks))
        for packet in self.clip_frames(made):
            made.coloured = made.coloured or packet.pixels.ndim == 3
            if self._finder is not None:
                look.add(packet.pixels)
            yield packet
        for pixels in look.pictures():
            self._look(made, blanked(pixels, made.region, ()))

    def _look(self, made: Exported, kept: NDArray[np.uint8]) -> None:
        """Look for text in what is kept of a picture, where no mask is."""
        if self._finder is None:
            return
        self._step()
        found = self._readings.read(self._finder, kept, made.masks)
        if found:
            made.found += found
            made.with_text.append(kept)

    def _region_of_clip(self, plane: PlaneEntry) -> Crop | None:
        """What was inside the region of interest all through the clip: the screen may have changed."""
        table = self._table if self._table is not None else self._session.frames()
        self._table = table
        near = table.between(plane.time_s - BEFORE_S, plane.time_s + AFTER_S)
        return shared_region([plane.crop, *(Crop(*map(int, row)) for row in np.unique(near.crop, axis=0))])

    def _loop(self) -> SeekableSource | None:
        """The frames of the whole session, if they are there."""
        if not self._loop_sought:
            self._loop_sought = True
            try:
                place = loop_place(self._session)
                self._found_loop = None if place.path is None else place.seekable()
            except SemcError as error:
                raise ExportError(f"{error} To export without them, leave out the clips.") from error
            if self._found_loop is None:
                self._why_no_loop = self._why_gone(place)
            else:
                self._open.callback(self._found_loop.close)
        return self._found_loop

    def _why_gone(self, place: LoopPlace) -> str:
        """Why there is no loop. A file's name may tell who was examined: it stays out of the bundle."""
        if self._session.source.path is not None:
            return LOOP_GONE
        return place.missing[:1].lower() + place.missing[1:].rstrip(".")

    def _watched(self, frames: Iterable[FramePacket]) -> Iterator[FramePacket]:
        for packet in frames:
            self._step()
            yield packet
