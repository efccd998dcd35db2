"""How the stored values of a picture are meant; what the header leaves out is assumed, and told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pydicom.uid import UID

from semc_core.language import _
from semc_core.sources.dicom.elements import Elements

Tell = Callable[[str], None]
"""Takes a sentence for the user."""

_SAMPLES: Final = {
    "MONOCHROME1": 1, "MONOCHROME2": 1, "PALETTE COLOR": 1, "RGB": 3, "HSV": 3, "ARGB": 4, "CMYK": 4,
    "YBR_FULL": 3, "YBR_FULL_422": 3, "YBR_PARTIAL_422": 3, "YBR_PARTIAL_420": 3, "YBR_ICT": 3, "YBR_RCT": 3,
    "XYB": 3,
}  # fmt: skip
_HALVED: Final = {"YBR_FULL_422": 2.0, "YBR_PARTIAL_422": 2.0, "YBR_PARTIAL_420": 1.5}
"""Samples per pixel as they are stored without compression."""


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """Of every frame.

    Attributes:
        rows: Height, pixels; 0 where only the pictures themselves can tell.
        columns: Width, pixels; 0 likewise.
        samples: Per pixel: 1, 3 or 4.
        colour: The photometric interpretation.
        planar: Whether a frame holds one colour after the other, not pixel after pixel.
        allocated: Bits that a sample takes.
        stored: Bits of it that count.
        high_bit: Place of the highest of them.
        signed: Whether they are two's complement.
    """

    rows: int
    columns: int
    samples: int
    colour: str
    planar: bool
    allocated: int
    stored: int
    high_bit: int
    signed: bool

    @property
    def gray(self) -> bool:
        """Whether it is neither colour nor palette."""
        return self.samples == 1 and self.colour != "PALETTE COLOR"

    @property
    def per_pixel(self) -> float:
        """Samples per pixel as they are stored without compression."""
        return _HALVED.get(self.colour, float(self.samples)) if self.samples == 3 else float(self.samples)

    @property
    def frame_bits(self) -> int:
        """Of a frame that is not compressed."""
        return int(self.rows * self.columns * self.per_pixel) * self.allocated


def pixel_format(elements: Elements, syntax: UID | None, tell: Tell) -> PixelFormat:
    """What the header says; every default is told."""
    colour, samples = _colour(elements, tell)
    allocated, stored, high_bit = _bits(elements, tell)
    planar, signed = elements.whole("PlanarConfiguration"), elements.whole("PixelRepresentation")
    compressed = syntax is not None and syntax.is_compressed
    if samples > 1 and planar is None and not compressed:
        tell(
            _(
                "The header does not say how colours are ordered (Planar Configuration); pixel by "
                "pixel is assumed."
            )
        )
    if signed is None:
        tell(
            _(
                "The header does not say whether values are signed (Pixel Representation); unsigned is "
                "assumed."
            )
        )
    return PixelFormat(
        max(0, elements.whole("Rows") or 0), max(0, elements.whole("Columns") or 0), samples, colour,
        planar == 1, allocated, stored, high_bit, signed == 1,
    )  # fmt: skip


def _colour(elements: Elements, tell: Tell) -> tuple[str, int]:
    colour, samples = elements.text("PhotometricInterpretation"), elements.whole("SamplesPerPixel")
    if colour not in _SAMPLES:
        assumed = "RGB" if samples in (3, 4) else "MONOCHROME2"
        if colour:
            tell(
                _(
                    "The header has an unknown word for what its colours are (Photometric Interpretation); "
                    "{assumed} is assumed.",
                    assumed=assumed,
                )
            )
        else:
            tell(
                _(
                    "The header does not say what its colours are (Photometric Interpretation); {assumed} is "
                    "assumed.",
                    assumed=assumed,
                )
            )
        colour = assumed
    expected = _SAMPLES[colour]
    if samples is None:
        tell(
            _(
                "The header does not say how many samples a pixel has; {expected} is assumed.",
                expected=expected,
            )
        )
    elif samples != expected:
        tell(
            _(
                "The header says {colour} with {samples} samples per pixel; the samples are believed.",
                colour=colour,
                samples=samples,
            )
        )
        if samples in (1, 3):
            return ("MONOCHROME2" if samples == 1 else "RGB"), samples
    return colour, expected


def _bits(elements: Elements, tell: Tell) -> tuple[int, int, int]:
    allocated, stored = elements.whole("BitsAllocated"), elements.whole("BitsStored")
    if allocated is None or allocated < 1:
        allocated = 16 if stored is not None and stored > 8 else 8
        tell(
            _(
                "The header does not say how many bits a sample takes (Bits Allocated); {assumed} is "
                "assumed.",
                assumed=allocated,
            )
        )
    if stored is None or not 1 <= stored <= allocated:
        tell(
            _(
                "The header does not say how many bits of a sample count (Bits Stored); {assumed} is "
                "assumed.",
                assumed=allocated,
            )
        )
        stored = allocated
    high_bit = elements.whole("HighBit")
    if high_bit is None or not stored - 1 <= high_bit < allocated:
        tell(
            _(
                "The header does not say which bit is the highest (High Bit); {assumed} is assumed.",
                assumed=stored - 1,
            )
        )
        high_bit = stored - 1
    return allocated, stored, high_bit
