"""Plays the file of a raw tap: what decoded it when it came decodes it again, so pictures are the same."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from semc_core.errors import SourceError
from semc_core.language import _
from semc_core.picture import Picture
from semc_core.picture_options import AS_IT_IS, PictureOptions
from semc_core.sources.base import BaseSource, Grabbed
from semc_core.sources.devices.buffers import COMPRESSED, BufferForm, pixels_of
from semc_core.sources.devices.pictures import CardPictures
from semc_core.sources.devices.stamps import Came
from semc_core.sources.frames.live_frames import Received
from semc_core.sources.raw.file import TapFile
from semc_core.sources.raw.packet_decoder import MOST_PIXELS, PacketDecoder
from semc_core.sources.raw.records import Coding, Raw
from semc_core.types import SourceInfo


class TapSource(BaseSource):
    """The pictures of a raw tap, at the times at which they came. Waits for its reader, as a video does.

    Args:
        path: The file.
        options: How its pictures are read; as they are leaves that to the file, which says how they were.

    Raises:
        SourceError: It cannot be read, is none, or holds no picture.
    """

    def __init__(self, path: Path, options: PictureOptions = AS_IT_IS) -> None:
        self._file = TapFile(path)
        self._options = self._file.origin.options if options == AS_IT_IS else options
        self._cards = CardPictures(self._options)
        self._told = self._noticed = ""
        self._pictures = self._played()
        try:
            first = next(self._pictures, None)
            if first is None:
                raise SourceError(
                    _("{name} holds no picture that can be decoded; ask for it again.", name=path.name)
                )
        except BaseException:
            self._file.close()
            raise
        self._first: Grabbed | None = first
        picture = first.picture
        known = SourceInfo(path.name, "video", picture.width, picture.height, None, None, live=False)
        super().__init__(known, self._options)

    @property
    def notes(self) -> tuple[str, ...]:
        """What happened, as far as it was read: "-0.213 s: asked for MJPG"."""
        return tuple(f"{note.time_s:.3f} s: {note.words}" for note in self._file.notes)

    def _grab(self) -> Grabbed | None:
        following, self._first = self._first, None
        if following is None:
            following = next(self._pictures, None)
        if self._told != self._noticed:
            self._replace_notice(self._noticed, self._told)
            self._noticed = self._told
        if following is None and self._file.cut_short:
            self._add_notice(
                _("{name} is cut short or damaged; what comes before is shown.", name=self._info.source_id)
            )
        return following

    def _release(self) -> None:
        self._file.close()

    def _played(self) -> Iterator[Grabbed]:
        coding: Coding | None = None
        decoder: PacketDecoder | None = None
        for raw in self._file.data():
            begins, coding = raw.coding != coding, raw.coding
            if coding.kind == "buffer":
                if begins:
                    self._cards.begin(BufferForm(coding.codec, coding.levels, coding.width, coding.height))
                yield from self._of_buffer(raw)
                self._told = self._cards.told
                continue
            if begins:
                # What its connection held back came before it was lost.
                yield from _grabbed(decoder.ended() if decoder is not None else iter(()))
                decoder = PacketDecoder(coding, self._options)
            assert decoder is not None
            yield from _grabbed(decoder.pictures(raw))
            self._told = decoder.told
        yield from _grabbed(decoder.ended() if decoder is not None else iter(()))
        yield from _of_card(self._cards.ended())

    def _of_buffer(self, raw: Raw) -> Iterator[Grabbed]:
        """The pictures that come of a card's buffer, if any do."""
        pixels = None if _is_bomb(raw) else pixels_of(raw.data, self._cards.form)
        if pixels is not None:
            yield from _of_card(self._cards.of(pixels, Came(raw.time_s)))


def _grabbed(received: Iterator[Received]) -> Iterator[Grabbed]:
    for one in received:
        yield Grabbed(one.picture, one.captured_s)


def _of_card(shown: list[tuple[Picture, Came]]) -> Iterator[Grabbed]:
    for picture, came in shown:
        yield Grabbed(picture, came.arrived_s)


def _is_bomb(raw: Raw) -> bool:
    """Whether it unpacks to far more than any card sends, or is damaged: who made the file is not known."""
    if raw.coding.codec not in COMPRESSED:
        return False
    try:
        with Image.open(io.BytesIO(raw.data.tobytes())) as jpeg:
            return jpeg.width * jpeg.height > MOST_PIXELS
    except (OSError, ValueError, Image.DecompressionBombError):
        return True
