"""What is kept of a card or a stream, undecoded: data, how they are coded, and what happened meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

import numpy as np
from numpy.typing import NDArray

from semc_core.io.documents import STRICT, Document, configured
from semc_core.io.rules import format_number, matching, within
from semc_core.picture_options import AS_IT_IS, PictureOptions

MARK: Final = b"SEMCTAP1\n"
"""Begins the file of a raw tap."""
_LARGEST: Final = 32_768
_LONGEST_NAME: Final = 40
_LONGEST_NOTE: Final = 500
Pair = tuple[Annotated[int, within(0, 2**31 - 1)], Annotated[int, within(1, 2**31 - 1)]]
"""A number as numerator and denominator."""


@configured(STRICT)
@dataclass(frozen=True, slots=True)
class Coding:
    """How the data that follow are coded.

    Attributes:
        kind: "buffer": what a card's driver handed over. "packet": of a stream.
        codec: Of buffers the format in four capitals, "MJPG"; "BGR3" where the system decoded it. Of packets
            FFmpeg's name of the codec.
        width: As announced, pixels.
        height: As announced, pixels.
        rate: As announced, frames per second; None where it is not.
        aspect: Width over height of a pixel; None where it is not known.
        time_base: Of the packets' times, seconds.
        pixel_format: FFmpeg's name, of packets that are not compressed; else "".
        extra: What the decoder needs beside the packets, as hexadecimal digits.
        levels: What black and white are of what a card sends, by its format: "limited", 16 and 235.
        opening: How often the source had been opened before; what came before is no neighbour.
    """

    kind: Literal["buffer", "packet"]
    codec: Annotated[str, within(1, _LONGEST_NAME)]
    width: Annotated[int, within(0, _LARGEST)]
    height: Annotated[int, within(0, _LARGEST)]
    rate: Pair | None = None
    aspect: Pair | None = None
    time_base: Pair | None = None
    pixel_format: Annotated[str, within(0, _LONGEST_NAME)] = ""
    extra: Annotated[str, matching("(?:[0-9a-f]{2})*")] = ""
    levels: Literal["full", "limited"] = "full"
    opening: Annotated[int, within(0, 2**31 - 1)] = 0


@configured(STRICT)
@dataclass(frozen=True, slots=True)
class Origin:
    """Where the data come from, without names, addresses and serial numbers.

    Attributes:
        source: "camera" or "stream".
        system: "Linux", "Windows" or "Darwin".
        hardware: Vendor and product of a card on USB, "usb-534d:2109"; the scheme of a stream's address,
            "udp"; or "".
        modes: What the card offers, as it is typed.
        options: How its pictures were read, as the user wanted it.
        program: Version of this program.
        version: Of the file's form.
    """

    source: Literal["camera", "stream"]
    system: Annotated[str, within(0, _LONGEST_NAME)] = ""
    hardware: Annotated[str, within(0, _LONGEST_NAME)] = ""
    modes: tuple[Annotated[str, within(0, _LONGEST_NAME)], ...] = ()
    options: PictureOptions = AS_IT_IS
    program: Annotated[str, within(0, _LONGEST_NAME)] = ""
    version: Annotated[int, format_number(1)] = 1


@configured(STRICT)
@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened.

    Attributes:
        time_s: On the same clock as the data, seconds.
        words: What, without names.
    """

    time_s: Annotated[float, within(-1e12, 1e12)]
    words: Annotated[str, within(0, _LONGEST_NOTE)]


@dataclass(frozen=True, slots=True, eq=False)
class Raw:
    """One buffer or packet.

    Attributes:
        coding: How it is coded.
        time_s: When it came, `time.monotonic()`; in a file from its first on.
        data: Of a buffer the array that the driver gave, of one or two bytes a number; of a packet its
            bytes, uint8 (N,).
        key: Whether decoding may begin with it.
        pts: Of a packet, in `coding.time_base`; None where it has none.
        dts: As `pts`.
        corrupt: Whether the demultiplexer knows that it is damaged.
    """

    coding: Coding
    time_s: float
    data: NDArray[np.generic]
    key: bool = True
    pts: int | None = None
    dts: int | None = None
    corrupt: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Tapped:
    """What was kept, whole.

    Attributes:
        origin: Where it comes from.
        notes: What happened since the source was opened, in order.
        data: The newest, in order; begins with one that can be decoded.
    """

    origin: Origin
    notes: tuple[Note, ...]
    data: tuple[Raw, ...]

    @property
    def seconds(self) -> float:
        """From the first to the last."""
        return self.data[-1].time_s - self.data[0].time_s if self.data else 0.0

    @property
    def nbytes(self) -> int:
        """Of all data."""
        return sum(raw.data.nbytes for raw in self.data)


CODING: Final = Document(Coding, most_bytes=500_000)
ORIGIN: Final = Document(Origin, most_bytes=100_000)
NOTE: Final = Document(Note, most_bytes=10_000)
