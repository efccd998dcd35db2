"""When a picture was taken, as the driver says it; and whether that can be believed.

Video4Linux stamps each buffer by the system's monotonic clock, the one that `time.monotonic` reads: for most
drivers when its picture began or ended to come in. OpenCV hands the stamp of the buffer that was read last
out as CAP_PROP_POS_MSEC. Drivers may leave it at 0, stamp by another clock, or repeat themselves; other back
ends count from the start of the stream.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2

_STAMPED_BY: Final = (cv2.CAP_ANY, cv2.CAP_V4L2)
"""Back ends whose stamps are of this clock. CAP_ANY is the simulated device's."""
_OLDEST_S: Final = 5.0
_AHEAD_S: Final = 0.001
"""So much a stamp may be in the future, as drivers round."""
_TRUSTED_AFTER: Final = 3
_TRUSTED_AGAIN_AFTER: Final = 100


def may_stamp(back_end: int) -> bool:
    """Whether a device that was opened by OpenCV's `back_end` may say when a picture was taken."""
    return back_end in _STAMPED_BY


@dataclass(frozen=True, slots=True)
class Came:
    """When a picture came.

    Attributes:
        arrived_s: In the program, `time.monotonic()`.
        taken_s: By the driver's stamp, on the same clock; None where there is none that can be believed.
    """

    arrived_s: float
    taken_s: float | None = None

    @property
    def captured_s(self) -> float:
        """The best that is known of when it was taken."""
        return self.arrived_s if self.taken_s is None else self.taken_s


class StampCheck:
    """Holds the stamps of one device against this machine's clock. For one thread.

    A stamp is believed when three in a row were on this clock, not in the future, at most five seconds old,
    and each later than the one before; after one that was not, only when a hundred were.
    """

    def __init__(self) -> None:
        self._last_s = -math.inf
        self._good, self._needed = 0, _TRUSTED_AFTER

    def came(self, stamp_s: float, arrived_s: float) -> Came:
        """What a picture's time is.

        Args:
            stamp_s: As the driver says, seconds.
            arrived_s: `time.monotonic()` when the picture was handed over.
        """
        right = self._last_s < stamp_s <= arrived_s + _AHEAD_S and arrived_s - stamp_s <= _OLDEST_S
        self._last_s = stamp_s if math.isfinite(stamp_s) else -math.inf
        if not right:
            if self._good:
                self._needed = _TRUSTED_AGAIN_AFTER
            self._good = 0
            return Came(arrived_s)
        self._good += 1
        return Came(arrived_s, min(stamp_s, arrived_s) if self._good >= self._needed else None)
