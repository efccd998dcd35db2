"""The JSON beside a saved frame: what was found, in what, by what."""

from __future__ import annotations

import functools
import importlib.metadata
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from semc_core.labels import full_name
from semc_core.model.spec import ModelSpec, Thresholds
from semc_core.pipeline.detector import HoldEvent
from semc_core.session.audit_log import utc_now
from semc_core.session.records import MODEL, PERSON, ModelEntry, SourceEntry, model_entry, source_entry
from semc_core.sources.base import SourceInfo
from semc_core.version import VERSION

_DIGITS: Final = 6
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
        sha256: Of that file's bytes, or None.
    """

    source: SourceInfo
    spec: ModelSpec
    thresholds: Thresholds
    device: str
    path: Path | None = None
    sha256: str | None = None

    def entries(self) -> tuple[SourceEntry, ModelEntry]:
        """As a session keeps it."""
        spec = self.spec
        source = source_entry(self.source, self.path, self.sha256)
        return source, model_entry(spec, self.thresholds, self.device, versions())


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
        "source": source.source_id,
        "source_kind": source.kind,
        "width": best.packet.pixels.shape[1],
        "height": best.packet.pixels.shape[0],
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
