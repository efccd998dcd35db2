"""How long the machine has slept. The clock that a scan goes by stands still meanwhile, and says nothing."""

from __future__ import annotations

import sys
import time
from typing import Final

from semc_core.language import _

if sys.platform == "win32":
    import ctypes

    def _asleep_s() -> float:
        awake = ctypes.c_ulonglong()
        if not ctypes.windll.kernel32.QueryUnbiasedInterruptTime(ctypes.byref(awake)):
            return 0.0
        get_tick_count = ctypes.windll.kernel32.GetTickCount64
        get_tick_count.restype = ctypes.c_ulonglong
        return float(get_tick_count()) / 1e3 - awake.value / 1e7

elif sys.platform == "darwin":

    def _asleep_s() -> float:
        return time.clock_gettime(time.CLOCK_MONOTONIC) - time.clock_gettime(time.CLOCK_UPTIME_RAW)

else:

    def _asleep_s() -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)


_LEAST_S: Final = 0.5
"""Two clocks are read one after the other: what differs by less is no sleep."""
_counted_s = 0.0
_pretended_s = 0.0


def asleep_s() -> float:
    """Seconds that the machine has slept since it was started; only differences mean something.

    While it does not sleep the answer is the same to the bit.
    """
    global _counted_s
    now_s = _asleep_s()
    if abs(now_s - _counted_s) > _LEAST_S:
        _counted_s = now_s
    return _counted_s + _pretended_s


def pretend(seconds: float) -> None:
    """From now on the machine has slept so much longer: what a simulated device does."""
    global _pretended_s
    _pretended_s += seconds


def slept_sentence(seconds: float) -> str:
    """What is told of it."""
    return _("The machine slept for {seconds} s; the scan went on.", seconds=f"{seconds:.0f}")
