"""Run-length coding (DICOM PS3.5, annex G). Its segments are decoded one by one: whole frames of which one is
damaged end pylibjpeg's decoder with a panic, which no caller can tell from the end of the program.
"""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rle.rle import decode_segment

from semc_core.sources.dicom.pixel_format import PixelFormat

_HEADER_BYTES: Final = 64


def decode_run_length(data: bytes, form: PixelFormat) -> NDArray[Any]:
    """The values of a frame, (H, W) or (H, W, samples).

    Raises:
        ValueError: It is damaged, or no frame of this form.
    """
    if len(data) < _HEADER_BYTES:
        raise ValueError("the frame is cut short")
    count, *offsets = struct.unpack("<16I", data[:_HEADER_BYTES])
    width = form.allocated // 8
    if width not in (1, 2, 4) or count != width * form.samples:
        raise ValueError("the frame has another number of segments")
    parts = [
        _segment(data[first:last], form.rows * form.columns)
        for first, last in pairwise([*offsets[:count], len(data)])
    ]
    # Of every sample the highest byte comes first, a segment each.
    values = np.stack(parts).reshape(form.samples, width, form.rows, form.columns)
    values = np.ascontiguousarray(values.transpose(2, 3, 0, 1))
    values = values.view(f">{'i' if form.signed else 'u'}{width}")[..., 0]
    return np.asarray(values[..., 0] if form.samples == 1 else values).astype(values.dtype.newbyteorder("="))


def _segment(data: bytes, size: int) -> NDArray[np.uint8]:
    """`size` bytes."""
    if not data:
        raise ValueError("a segment is empty")
    try:
        decoded = decode_segment(data)
    except ValueError:
        # A segment of an odd length is followed by a zero, which would begin another run.
        if len(data) == 1:
            raise
        decoded = decode_segment(data[:-1])
    if len(decoded) < size:
        raise ValueError("a segment is cut short")
    return np.frombuffer(decoded, np.uint8, size)
