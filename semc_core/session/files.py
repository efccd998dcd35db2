"""The PNG and the JSON of a plane in a session's folder.

The JSON beside a saved frame: what was found, in what, by what.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import platform
import struct
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SaveError
from semc_core.imaging.score.parts import quality_values
from semc_core.io.atomic import save_error, write_atomically
from semc_core.io.documents import TOLERANT, Document, configured
from semc_core.io.regular import is_folder, read_regular
from semc_core.labels import full_name
from semc_core.language import _
from semc_core.model.spec import ModelSpec
from semc_core.session.examination import Examination
from semc_core.session.folder import safe_name
from semc_core.session.records import (
    MODEL,
    PERSON,
    ModelEntry,
    SourceEntry,
    file_sha256,
    model_entry,
    source_entry,
)
from semc_core.text import utc_now
from semc_core.types import Crop, HoldEvent, SourceInfo, Thresholds, read_only
from semc_core.version import VERSION

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_MOST_PIXELS: Final = 1 << 27
_PNG_OPTIONS: Final = (
    cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_SUB,
)  # fmt: skip
"""Somebody waits: to try every filter on each line takes twice as long, for the same size."""


@dataclass(frozen=True, slots=True)
class PlaneFiles:
    """A PNG and its JSON on disk: the PNG's name in the folder, and the SHA-256 of its and the JSON's bytes.

    The JSON's is "" where it was not written now.
    """

    png: str
    sha256: str
    json_sha256: str = ""

    @property
    def hashes(self) -> dict[str, str]:
        """What the log says of the JSON: its SHA-256 by its name."""
        return {json_name(self.png): self.json_sha256} if self.json_sha256 else {}


def json_name(png: str) -> str:
    """Name of the JSON beside a picture."""
    return f"{Path(png).stem}.json"


def write_plane(
    folder: Path,
    event: HoldEvent,
    source: SourceEntry,
    model: ModelEntry,
    known: PlaneFiles | None = None,
    chosen_by: str | None = None,
) -> PlaneFiles:
    """Write `003_FHP1_f000123.png` and `.json`, in full resolution as captured.

    The PNG comes first, then the JSON that names its hash, each whole or not at all; so a JSON that is there
    always has its PNG.

    Args:
        folder: Where.
        event: What was found.
        source: Where the frame comes from.
        model: What classified it.
        known: The pair of this hold that is there; its PNG is not written again if it is of the same frame.
        chosen_by: "model" or "person"; None takes it from the event.

    Raises:
        SaveError: They could not be written.
    """
    stem = f"{event.hold_id:03d}_{safe_name(event.plane)}_f{event.best.packet.index:06d}"
    png = f"{stem}.png"
    if known is None or known.png != png:
        content = encode_png(event.best.packet.pixels)
        write_atomically(folder / png, content, private=True)
        known = PlaneFiles(png, hashlib.sha256(content).hexdigest())
    record = plane_record(event, source, model, png, known.sha256)
    record["chosen_by"] = chosen_by or record["chosen_by"]
    content = json.dumps(record, indent=2, allow_nan=False).encode()
    write_atomically(folder / json_name(png), content, private=True)
    return replace(known, json_sha256=hashlib.sha256(content).hexdigest())


def remove_plane(folder: Path, png: str) -> None:
    """Remove a pair that a better one has replaced.

    Raises:
        SaveError: It could not be removed.
    """
    try:
        # The JSON first: one that is there must have its PNG.
        (folder / png).with_suffix(".json").unlink(missing_ok=True)
        (folder / png).unlink(missing_ok=True)
    except OSError as error:
        raise save_error(folder, error) from error


def read_png(path: Path, sha256: str | None = None) -> NDArray[np.uint8]:
    """The pixels of a picture file, uint8 (H, W) gray or (H, W, 3) RGB, read-only.

    Raises:
        SaveError: There is no such picture, it is damaged, or its bytes do not have the SHA-256 `sha256`.
    """
    try:
        content = read_regular(path)
    except OSError as error:
        raise SaveError(
            _(
                "{name} is missing; put it back into the session's folder, or reject the plane.",
                name=path.name,
            )
        ) from error
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise SaveError(
            _(
                "{name} was changed since it was saved; put the old one back, or reject the plane.",
                name=path.name,
            )
        )
    width, height = struct.unpack(">II", content[16:24]) if content[:8] == _PNG and content[24:] else (0, 0)
    if width * height > _MOST_PIXELS:
        raise SaveError(
            _(
                "{name} is damaged (it would unpack to {width} x {height} pixels); put the picture back, "
                "or reject the plane.",
                name=path.name,
                width=width,
                height=height,
            )
        )
    try:
        decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED) if width else None
    except cv2.error:  # larger than OpenCV takes
        decoded = None
    if decoded is None or decoded.dtype != np.uint8 or decoded.ndim not in (2, 3):
        raise SaveError(_("{name} is damaged; put the picture back, or reject the plane.", name=path.name))
    pixels = decoded if decoded.ndim == 2 else cv2.cvtColor(decoded[..., :3], cv2.COLOR_BGR2RGB)
    return read_only(pixels.astype(np.uint8, copy=False))


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG of exactly these pixels: uint8 (H, W) gray or (H, W, 3) RGB.

    Raises:
        SaveError: OpenCV could not encode them.
    """
    picture = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    done, content = cv2.imencode(".png", picture, _PNG_OPTIONS)
    if not done:
        raise SaveError(_("A frame could not be written as PNG; choose another source."))
    return content.tobytes()


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class StoredPlane:
    """What is read of the JSON beside a picture, when a plane that was not logged is taken over."""

    plane: str
    confidence: float
    frame_index: int
    time_s: float
    hold_id: int
    hold_start_s: float
    hold_end_s: float
    final: bool
    by_hand: bool
    chosen_by: str
    width: int
    height: int
    crop: Crop
    model_sha256: str
    png: str
    png_sha256: str


STORED_PLANE: Final = Document(StoredPlane, most_bytes=1_000_000)

_DIGITS: Final = 6
POSES: Final = "poses"
"""Key of where the frame was in space; only where a sender says so."""
_PACKAGES: Final = ("numpy", "opencv-python-headless", "av", "openvino", "torch", "pydicom")


@dataclass(frozen=True, slots=True)
class Origin:
    """What all planes of one scan have in common.

    Attributes:
        source: Where the frames come from.
        spec: The model.
        thresholds: When a plane counted as held.
        device: What the model ran on.
        path: The file that is analysed, or None.
        sha256: Of that file's bytes, or None: then it is made when the session is begun.
        examination: That the scan belongs to, or None.
    """

    source: SourceInfo
    spec: ModelSpec
    thresholds: Thresholds
    device: str
    path: Path | None = None
    sha256: str | None = None
    examination: Examination | None = None

    def entries(self) -> tuple[SourceEntry, ModelEntry]:
        """As a session keeps it. Reads the file where its hash is not known: not for a thread in a hurry."""
        spec = self.spec
        source = source_entry(self.source, self.path, self.sha256 or _sha256_of(self.path))
        return source, model_entry(spec, self.thresholds, self.device, versions())


def _sha256_of(path: Path | None) -> str | None:
    """Of a file's bytes; None of a folder, which has none, and of what cannot be read any more."""
    try:
        return None if path is None or is_folder(path) else file_sha256(path)
    except OSError:
        return None


def plane_record(
    event: HoldEvent, source: SourceEntry, model: ModelEntry, png_name: str, png_sha256: str
) -> dict[str, Any]:
    """Plain JSON values for one saved plane. Holds no path: the source's name only, the PNG lies beside."""
    best, classes = event.best, model.classes
    alone = None if best.prediction is None else best.prediction.probabilities
    return {
        "plane": event.plane,
        "full_name": full_name(event.plane),
        "confidence": round(event.confidence, _DIGITS),
        "probabilities": None if alone is None else by_class(classes, alone),
        "smoothed": by_class(classes, best.smoothed),
        "novelty": None if best.prediction is None else round(float(best.prediction.novelty), _DIGITS),
        "frame_index": best.packet.index,
        "time_s": round(best.packet.pts_s, _DIGITS),
        "hold_id": event.hold_id,
        "hold_start_s": round(event.start_s, _DIGITS),
        "hold_end_s": round(event.end_s, _DIGITS),
        "final": event.final,
        "by_hand": event.by_hand,
        "chosen_by": PERSON if event.by_hand else MODEL,
        "picture": best.picture,
        **quality_values(best.quality),
        "source": source.source_id,
        "source_kind": source.kind,
        "width": best.packet.picture.width,
        "height": best.packet.picture.height,
        "crop": asdict(best.crop),
        "model_sha256": model.sha256,
        "model_preset": model.preset,
        "model_notice": model.notice,
        "device": (best.prediction.device if best.prediction is not None else "") or model.device,
        "thresholds": asdict(model.thresholds),
        "versions": model.versions,
        "png": png_name,
        "png_sha256": png_sha256,
        "saved_at": utc_now(),
        **({POSES: [each.plain() for each in poses]} if (poses := best.packet.poses) else {}),
    }


def by_class(classes: tuple[str, ...], values: NDArray[np.float32]) -> dict[str, float]:
    """Class name -> value, rounded."""
    return {name: round(float(value), _DIGITS) for name, value in zip(classes, values, strict=True)}


def versions() -> dict[str, str]:
    """Versions of the program, of Python and of the packages that touch the frame; those installed."""
    return dict(_versions())


@functools.cache
def _versions() -> tuple[tuple[str, str], ...]:
    found = [("semc", VERSION), ("python", platform.python_version())]
    for name in _PACKAGES:
        # Asked of the installation, not of the module: torch is not imported for its number.
        for installed in importlib.metadata.distributions(name=name):
            found.append((name, installed.version))
            break
    return tuple(found)
