"""The demonstration loop: real planes of several countries, one after the other, each named and credited.

They are stills. Each is shown for a second and a half and moved by a few pixels, as a hand moves that
holds a plane; a strip under it says what the data set calls it and whose it is. `assets/demonstration` has
the loop and its licence.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SaveError, UsageError
from semc_core.io.atomic import write_atomically
from semc_core.picture import gray_of

WIDTH: Final = 640
HEIGHT: Final = 520
_PICTURE: Final = 480
"""Rows of the canvas for the picture; the credit stands under them."""
_RATE: Final = 20
FRAMES_EACH: Final = 30
_DRIFT_PX: Final = 4.0
_QUALITY: Final = "28"
"""Of VP9, 0 to 63, at a constant quality."""
_LOW_RESOURCE: Final = "Sendra-Balcells et al., Zenodo 7540448, CC BY 4.0, changed"
_FETAL_PLANES_DB: Final = "Burgos-Artizzu et al., Zenodo 3904280, CC BY 4.0, changed"


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture of the loop.

    Attributes:
        file: In the folder `fetal_planes`.
        title: What the data set calls it, and the country.
        credit: Whose it is, the licence, and that it was changed.
    """

    file: str
    title: str
    credit: str


SHOWN: Final = (
    Shown("Patient01079_Plane3_1_of_3.png", "Brain, Spain", _FETAL_PLANES_DB),
    Shown("patient033_GHA_plane1.png", "Brain, Ghana", _LOW_RESOURCE),
    Shown("patient012_EGY_plane1.png", "Brain, Egypt", _LOW_RESOURCE),
    Shown("patient012_DZA_plane0.png", "Abdomen, Algeria", _LOW_RESOURCE),
    Shown("patient001_EGY_plane3.png", "Thorax, Egypt", _LOW_RESOURCE),
    Shown("patient007_GHA_plane2.png", "Femur, Ghana", _LOW_RESOURCE),
    Shown("Patient00086_Plane4_1_of_1.png", "Cervix, Spain", _FETAL_PLANES_DB),
    Shown("patient063_UGA_plane0.png", "Abdomen, Uganda", _LOW_RESOURCE),
    Shown("patient018_DZA_plane3.png", "Thorax, Algeria", _LOW_RESOURCE),
    Shown("Patient00738_Plane5_1_of_1.png", "Femur, Spain", _FETAL_PLANES_DB),
    Shown("patient098_UGA_plane1.png", "Brain, Uganda", _LOW_RESOURCE),
)


def write_demonstration(planes: Path, out: Path) -> int:
    """Write the loop of the pictures in `planes` to `out`, a WebM file.

    Returns:
        How many bytes it has.

    Raises:
        UsageError: A picture is missing or damaged.
        SaveError: The file could not be encoded or written.
    """
    frames = [frame for shown in SHOWN for frame in _held(_read(planes / shown.file), shown)]
    content = _encoded(frames)
    write_atomically(out, content)
    return len(content)


def _read(path: Path) -> NDArray[np.uint8]:
    """Gray, uint8 (H, W)."""
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise UsageError(f"{path.name} is missing or damaged; complete the data.")
    return gray_of(np.ascontiguousarray(pixels[..., ::-1], dtype=np.uint8))


def _held(gray: NDArray[np.uint8], shown: Shown) -> Iterator[NDArray[np.uint8]]:
    """The frames of one picture, uint8 (HEIGHT, WIDTH)."""
    rows, columns = gray.shape
    scale = min((WIDTH - 2 * _DRIFT_PX) / columns, (_PICTURE - 2 * _DRIFT_PX) / rows)
    left, top = (WIDTH - scale * columns) / 2, (_PICTURE - scale * rows) / 2
    for index in range(FRAMES_EACH):
        turn = 2 * math.pi * index / FRAMES_EACH
        moved = np.array(
            [
                [scale, 0, left + _DRIFT_PX * math.sin(turn)],
                [0, scale, top + 0.5 * _DRIFT_PX * math.sin(2 * turn)],
            ]
        )
        canvas = np.zeros((HEIGHT, WIDTH), np.uint8)
        cv2.warpAffine(gray, moved, (WIDTH, _PICTURE), dst=canvas[:_PICTURE], flags=cv2.INTER_AREA)
        _letter(canvas, shown.title, HEIGHT - 24, 0.5)
        _letter(canvas, shown.credit, HEIGHT - 7, 0.42)
        yield canvas


def _letter(canvas: NDArray[np.uint8], text: str, row: int, size: float) -> None:
    cv2.putText(canvas, text, (10, row), cv2.FONT_HERSHEY_SIMPLEX, size, 190, 1, cv2.LINE_AA)


def _encoded(frames: list[NDArray[np.uint8]]) -> bytes:
    content = io.BytesIO()
    try:
        with av.open(content, "w", format="webm") as container:
            stream = container.add_stream("libvpx-vp9", rate=_RATE)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            stream.time_base = Fraction(1, _RATE)
            # Row-wise threads would make the bytes depend on the machine.
            stream.options = {"crf": _QUALITY, "b": "0", "threads": "1", "row-mt": "0", "g": str(FRAMES_EACH)}
            for index, pixels in enumerate(frames):
                frame = av.VideoFrame.from_ndarray(pixels, format="gray").reformat(format="yuv420p")
                frame.pts, frame.time_base = index, Fraction(1, _RATE)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    except (OSError, av.FFmpegError) as error:
        raise SaveError(f"The loop could not be encoded: {error}") from error
    return content.getvalue()
