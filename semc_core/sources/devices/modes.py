"""What a capture device can be asked for: size, rate and format; which of its modes is the best."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from semc_core.errors import UsageError
from semc_core.language import _

_BITS_PER_PIXEL: Final = {
    "YUYV": 16, "UYVY": 16, "YVYU": 16, "NV12": 12, "NV21": 12, "YU12": 12, "YV12": 12,
    "GREY": 8, "RGB3": 24, "BGR3": 24,
}  # fmt: skip
"""Uncompressed formats that OpenCV decodes, the ones with more colour first."""

_COMPRESSED: Final = ("MJPG", "JPEG")

_BUS_BYTES_PER_S: Final = ((12, 1.0e6), (480, 24.0e6), (5000, 350.0e6), (10_000, 800.0e6))
"""Speed of a USB in Mbit/s, and what it carries of pictures. USB 2: 3 x 1024 bytes in each of 8000 slots a
second, as the isochronous transfers of cameras may have at most."""

LIVELY_RATE: Final = 20.0
"""Frames per second below which a larger picture is no better: some cameras give their largest at 2."""

_TEXT: Final = re.compile(
    r"(?:(?P<width>\d{1,5})x(?P<height>\d{1,5}))?(?:@(?P<rate>\d{1,4}(?:\.\d+)?))?(?:(?:^|,)(?P<format>[A-Za-z]\w{2,3}))?"
)


@dataclass(frozen=True, slots=True)
class Mode:
    """One mode of a device.

    Attributes:
        width: Pixels.
        height: Pixels.
        rate: Frames per second; 0.0 where the device does not say.
        fourcc: Format in four capitals, such as "YUYV" or "MJPG".
    """

    width: int
    height: int
    rate: float
    fourcc: str

    @property
    def text(self) -> str:
        """As it is typed: "1920x1080@60,mjpg"."""
        return Wish(self.width, self.height, self.rate or None, self.fourcc).text

    @property
    def bytes_per_s(self) -> float | None:
        """What goes over the bus; None of a compressed or unknown format."""
        bits = _BITS_PER_PIXEL.get(self.fourcc)
        return None if bits is None else self.width * self.height * self.rate * bits / 8


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asks of a device; None leaves that to the program.

    Attributes:
        width: Pixels.
        height: Pixels.
        rate: Frames per second.
        fourcc: See `Mode`.
    """

    width: int | None = None
    height: int | None = None
    rate: float | None = None
    fourcc: str | None = None

    @property
    def text(self) -> str:
        """As it is typed; "" for no wish."""
        size = f"{self.width or 'any'}x{self.height or 'any'}" if self.width or self.height else ""
        rate = f"@{self.rate:g}" if self.rate else ""
        return ",".join(part for part in (size + rate, (self.fourcc or "").strip().lower()) if part)

    def fits(self, mode: Mode) -> bool:
        """Whether `mode` is what is wished for; rates to the nearest whole frame, as 59.94 is called 60."""
        return (
            self.width in (None, mode.width)
            and self.height in (None, mode.height)
            and self.fourcc in (None, mode.fourcc)
            and (self.rate is None or not mode.rate or abs(self.rate - mode.rate) < 1)
        )


def parse_wish(text: str) -> Wish:
    """The wish that "1920x1080@60,mjpg", or a part of it such as "1280x720" or "mjpg", says.

    Raises:
        UsageError: It is none.
    """
    found = _TEXT.fullmatch(text.strip())
    if not text.strip() or found is None or any(int(found[n] or 1) == 0 for n in ("width", "height")):
        raise UsageError(
            _("A mode looks like 1920x1080@60,mjpg, or a part of that; {text} does not.", text=repr(text))
        )
    rate = float(found["rate"]) if found["rate"] else None
    if rate == 0:
        raise UsageError(_("A mode needs a rate of more than 0 frames per second; leave @0 out."))
    width, height = (int(found[name]) if found[name] else None for name in ("width", "height"))
    return Wish(width, height, rate, found["format"].upper().ljust(4) if found["format"] else None)


def carried(mode: Mode, bus_mbps: float | None) -> bool:
    """Whether the bus is fast enough for `mode`; True where its speed or the format's is not known."""
    needed = mode.bytes_per_s
    if needed is None or bus_mbps is None:
        return True
    room = [most for speed, most in _BUS_BYTES_PER_S if bus_mbps >= speed]
    return needed <= (room[-1] if room else 0.0)


def ranked(modes: Sequence[Mode], bus_mbps: float | None, wish: Wish | None = None) -> list[Mode]:
    """Those of `modes` that can be used and fit `wish`, the best first.

    The largest size that comes with at least `LIVELY_RATE` (else the largest), of these the highest rate; at
    the same size and rate uncompressed before MJPG. What the bus does not carry comes last. A format of which
    nothing is known is used where it is wished for, or where the device has no other: OpenCV may decode it.

    Args:
        modes: All that the device has.
        bus_mbps: Speed of its bus, Mbit/s; None where that is not known.
        wish: The user's.
    """
    wish = wish or Wish()
    order = [*_BITS_PER_PIXEL, *_COMPRESSED]
    fit = [mode for mode in modes if wish.fits(mode)]
    usable = fit if wish.fourcc else [mode for mode in fit if mode.fourcc in order] or fit

    def worth(mode: Mode) -> tuple[bool, bool, int, float, int]:
        place = order.index(mode.fourcc) if mode.fourcc in order else len(order)
        lively = mode.rate >= LIVELY_RATE or not mode.rate
        # 59.94 and 60 frames/s are the same rate.
        return carried(mode, bus_mbps), lively, mode.width * mode.height, round(mode.rate), -place

    return sorted(usable, key=worth, reverse=True)
