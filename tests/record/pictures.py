"""What is recorded of a picture, of a video and of a table of frames."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

_ROWS, _COLUMNS = 4, 6
_LABELS: Final = ("picture", "label", "plane")


def picture(pixels: NDArray[np.generic]) -> dict[str, Any]:
    """Size, mean gray of 24 parts, and a hash of all pixels."""
    gray = np.asarray(pixels, np.float64)
    gray = gray if gray.ndim == 2 else gray.mean(axis=2)
    parts = [np.array_split(row, _COLUMNS, axis=1) for row in np.array_split(gray, _ROWS)]
    return {
        "shape": list(pixels.shape),
        "thumbnail": [round(float(part.mean()), 2) for row in parts for part in row],
        "sha256_here": digest(np.ascontiguousarray(pixels).tobytes()),
    }


def png(content: bytes) -> dict[str, Any]:
    """The pixels of a PNG file."""
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    return picture(pixels)


def video(path: Path, *, exact: bool = False) -> dict[str, Any]:
    """Number of frames, and the first and the last one in outline; with `exact` a hash of all pixels too."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        codec, rate = stream.codec_context.name, stream.average_rate
        frames = [np.asarray(frame.to_ndarray(format="rgb24")) for frame in container.decode(stream)]
    whole = {"sha256_here": digest(b"".join(frame.tobytes() for frame in frames))} if exact else {}
    return {
        **whole,
        "codec": codec,
        "rate": str(rate),
        "frames": len(frames),
        "first": {"thumbnail": picture(frames[0])["thumbnail"], "shape": list(frames[0].shape)},
        "last": {"thumbnail": picture(frames[-1])["thumbnail"]},
    }


def table(text: str) -> dict[str, Any]:
    """A CSV of frames by columns: labels as runs of equal ones, and numbers with four digits."""
    rows = list(csv.DictReader(io.StringIO(text)))
    columns: dict[str, Any] = {"rows": len(rows)}
    for name in rows[0]:
        values = [row[name] for row in rows]
        if name == "frame_index" and values == [str(index) for index in range(len(rows))]:
            columns[name] = "from 0 on"
        else:
            columns[name] = runs(values) if name in _LABELS else [_number(value) for value in values]
    return columns


def _number(text: str) -> str | float:
    """Of what is no number, the text."""
    try:
        value = round(float(text), 4)
    except ValueError:
        return text
    return int(value) if value in (0, 1) else value


def runs(values: Iterable[Any]) -> list[Any]:
    """Values in order, each with the number of times that it comes in a row."""
    return [[value, len(list(group))] for value, group in itertools.groupby(values)]


def digest(content: bytes) -> str:
    """Its SHA-256, shortened."""
    return hashlib.sha256(content).hexdigest()[:24]
