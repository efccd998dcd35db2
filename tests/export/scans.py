"""A small session to export: real frames in a real file, a real log. Nothing of it was classified."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.model.architecture import new_spec
from semc_core.picture import Picture
from semc_core.session.files import encode_png, versions
from semc_core.session.records import SourceEntry, file_sha256, model_entry
from semc_core.session.session import Session
from semc_core.types import Crop, FramePacket, FrameResult, HoldEvent, Prediction

CLASSES = ("FHP1", "FHP2", "LLP", "NSP")
CROP = Crop(60, 40, 200, 161)
WIDTH, HEIGHT = 321, 241
RATE = 20


def frame(index: int, *, colour: bool = False) -> NDArray[np.uint8]:
    """A screen with a textured sector inside `CROP`, and bars round it. uint8 (241, 321) or (241, 321, 3)."""
    pixels = np.full((HEIGHT, WIDTH), 20, np.uint8)
    speckle = np.random.default_rng(index).integers(40, 120, (CROP.height, CROP.width), np.uint8)
    pixels[CROP.top : CROP.top + CROP.height, CROP.left : CROP.left + CROP.width] = cv2.GaussianBlur(
        speckle, (5, 5), 1.5
    )
    pixels[5:15, :] = 200
    if not colour:
        return pixels
    return np.stack([pixels, pixels // 2, pixels], axis=-1)


def write_text(pixels: NDArray[np.uint8], words: str, left: int, bottom: int) -> None:
    """Draw white letters, as a scanner does."""
    cv2.putText(pixels, words, (left, bottom), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1, cv2.LINE_AA)


def result(
    index: int, pixels: NDArray[np.uint8], plane: str = "FHP1", confidence: float = 0.93
) -> FrameResult:
    """What a model would say of it."""
    values = np.full(len(CLASSES), (1 - confidence) / (len(CLASSES) - 1), np.float32)
    values[CLASSES.index(plane)] = confidence
    answer = Prediction(values, 0.4, np.zeros((4, 2, 2), np.float32), np.full(3, 1 / 3, np.float32))
    packet = FramePacket("a source", index, index / RATE, 0.0, Picture(pixels))
    return FrameResult(packet, answer, values, plane, confidence, CROP, "live", 0.0)


def write_video(path: Path, frames: list[NDArray[np.uint8]]) -> None:
    """Lossless, with the frames' own pixels."""
    height, width = frames[0].shape[:2]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=RATE)
        stream.width, stream.height = width, height
        gray = frames[0].ndim == 2
        stream.pix_fmt = "gray" if gray else "bgr0"
        for index, pixels in enumerate(frames):
            made = av.VideoFrame.from_ndarray(pixels, "gray" if gray else "rgb24")
            made.pts, made.time_base = index, Fraction(1, RATE)
            container.mux(stream.encode(made.reformat(format=stream.pix_fmt)))
        container.mux(stream.encode(None))


def new_session(
    folder: Path, frames: list[NDArray[np.uint8]], *, source: SourceEntry, planes: dict[int, tuple[str, int]]
) -> Session:
    """A session of `frames`; `planes` is plane number -> class name and frame."""
    spec = new_spec("semc_tiny", CLASSES)
    session = Session.create(folder, source, model_entry(spec, spec.thresholds, "CPU", versions()))
    named = {index: plane for plane, index in planes.values()}
    results = [result(index, pixels, named.get(index, "NSP")) for index, pixels in enumerate(frames)]
    session.add_frames(results)
    session.flush()
    for number, (plane, index) in planes.items():
        best = results[index]
        png = f"{number:03d}_{plane}_f{index:06d}.png"
        content = encode_png(best.packet.pixels)
        (session.folder / png).write_bytes(content)
        start_s = max(0.0, best.packet.pts_s - 0.5)
        event = HoldEvent(number, plane, best, best.confidence, start_s, best.packet.pts_s + 0.3, True)
        session.record_plane(event, png, file_sha256(session.folder / png))
    return session


def video_session(folder: Path, *, colour: bool = False, name: str = "loop.mkv", count: int = 50) -> Session:
    """A reviewed video with two planes; the video lies beside the session's folder."""
    frames = [frame(index, colour=colour) for index in range(count)]
    path = folder.parent / name
    write_video(path, frames)
    source = SourceEntry(
        path.name, "video", WIDTH, HEIGHT, float(RATE), count, False, "", str(path), file_sha256(path)
    )
    return new_session(folder, frames, source=source, planes={1: ("FHP1", 8), 2: ("LLP", count - 10)})
