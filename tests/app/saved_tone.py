"""The tone that is heard when a plane is saved: `python -m tests.app.saved_tone` writes it."""

from __future__ import annotations

import io
import math
import struct
import wave
from typing import Final

from app.live.tone import FILE

RATE_HZ: Final = 16_000
_LOW_HZ, _HIGH_HZ = 587.33, 880.0
_SECONDS: Final = 0.22
_LOUD: Final = 0.18


def samples() -> list[int]:
    """A fifth, struck softly: begins and ends at nothing, so that it does not click."""
    count = round(RATE_HZ * _SECONDS)
    made = []
    for at in range(count):
        seconds, done = at / RATE_HZ, at / count
        swell = min(1.0, done / 0.08) * (0.5 + 0.5 * math.cos(math.pi * done))
        both = math.sin(2 * math.pi * _LOW_HZ * seconds) + 0.5 * math.sin(2 * math.pi * _HIGH_HZ * seconds)
        made.append(round(32767 * _LOUD * swell * both))
    return made


def wav() -> bytes:
    """As a file: one channel, 16 bits."""
    made = samples()
    whole = io.BytesIO()
    with wave.open(whole, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(struct.pack(f"<{len(made)}h", *made))
    return whole.getvalue()


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_bytes(wav())
