"""What is told of an analysed scan: planes.json, `semc analyse --json` and `semc http` say the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final

from semc_core.imaging.score.parts import quality_values
from semc_core.labels import full_name
from semc_core.picture_options import AS_IT_IS
from semc_core.session.files import Origin, versions
from semc_core.types import SavedPlane, SourceInfo

DIGITS: Final = 6
"""After the point, of confidences and seconds."""


def results_document(
    origin: Origin, source: SourceInfo, pictures: Mapping[str, int], planes: Iterable[SavedPlane]
) -> dict[str, Any]:
    """The document; docs/json.md lists its keys.

    Args:
        origin: What the planes have in common.
        source: What is known of the source now that it is read: its notice may have grown.
        pictures: How many frames there are of each kind of picture.
        planes: In their order.
    """
    return {
        "source": source.source_id,
        "source_kind": source.kind,
        "source_notice": source.notice,
        "picture_options": asdict(source.picture_options or AS_IT_IS),
        "width": source.width,
        "height": source.height,
        "frames": sum(pictures.values()),
        "pictures": dict(pictures),
        "planes": [_plane(plane) for plane in planes],
        "thresholds": asdict(origin.thresholds),
        "model_sha256": origin.spec.sha256,
        "model_preset": origin.spec.architecture.preset,
        "model_notice": origin.spec.notice,
        "device": origin.device,
        "versions": versions(),
    }


def _plane(plane: SavedPlane) -> dict[str, Any]:
    return {
        "hold_id": plane.hold_id,
        "plane": plane.plane,
        "full_name": full_name(plane.plane),
        "confidence": round(plane.confidence, DIGITS),
        "frame_index": plane.frame_index,
        "time_s": round(plane.time_s, DIGITS),
        "hold_start_s": round(plane.hold_start_s, DIGITS),
        "hold_end_s": round(plane.hold_end_s, DIGITS),
        "png": None if plane.png is None else plane.png.name,
        **quality_values(plane.quality),
    }
