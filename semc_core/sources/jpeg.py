"""JPEG whose end is missing: the picture where all of it is there, an error where some of it is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_END: Final = b"\xff\xd9"
_PADDINGS: Final = (b"\0" * 64, b"\x55" * 64, bytes(range(17, 254, 3)))
"""Continuations of what is cut short: they give different pictures, unless nothing of it is missing."""
_PROGRESSIVE: Final = b"\xff\xc2"
_SCAN: Final = b"\xff\xda"
_BLOCK: Final = 8
_FILLED: Final = 128


def decoded(data: bytes, decode: Callable[[bytes], NDArray[Any]]) -> NDArray[Any]:
    """What `decode` makes of a JPEG; (H, W) or (H, W, samples).

    libjpeg refuses what ends without the marker of the end, whole or not, and fills in with gray, without a
    word, what is missing before that marker.

    Args:
        data: The file.
        decode: Makes pixels of a file, not yet turned; raises OSError where it is cut short.

    Raises:
        ValueError: Some of the picture is missing.
        OSError: As `decode` does.
    """
    try:
        pixels = decode(data)
    except OSError:
        pass
    else:
        if not _filled_at_end(pixels):
            return pixels
    body = _without_end(data)
    pixels, *others = (decode(body + padding + _END) for padding in _PADDINGS)
    if not _refined(body) or not all(np.array_equal(pixels, other) for other in others):
        raise ValueError("a JPEG is cut short")
    return pixels


def _filled_at_end(pixels: NDArray[Any]) -> bool:
    return bool((pixels[-_BLOCK:, -_BLOCK:] == _FILLED).all())


def _refined(data: bytes) -> bool:
    """Whether a progressive JPEG has all of its scans: each component's last bits of both kinds of values.

    Within a scan a byte of 255 is no beginning of a marker, so that the scans can be searched for.
    """
    frame = data.find(_PROGRESSIVE)
    if frame < 0 or len(data) < frame + 10:
        return True
    finished: set[tuple[int, bool]] = set()
    place = frame
    while (place := data.find(_SCAN, place + 2)) >= 0:
        many = data[place + 4] if place + 4 < len(data) else 0
        head = data[place + 5 : place + 8 + 2 * many]
        if len(head) == 2 * many + 3 and head[-1] & 0x0F == 0:
            finished.update((head[2 * number], head[-3] == 0) for number in range(many))
    return len(finished) == 2 * data[frame + 9]


def _without_end(data: bytes) -> bytes:
    body = data.rstrip(b"\0").removesuffix(_END).rstrip(b"\0")
    # A byte of 255 within the picture is followed by one of 0.
    return body + b"\0" if body.endswith(b"\xff") else body
