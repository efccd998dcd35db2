"""Frames of a session as bytes: fixed rows, many to a batch. 126 bytes per frame with 7 classes, 3 experts.

Shapes: N frames, K classes, E experts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SessionError
from semc_core.labels import NON_STANDARD
from semc_core.language import _
from semc_core.pose import Pose
from semc_core.session.records import PICTURES, REASON_CODES, FrameTable
from semc_core.types import FrameResult, Quality

LAYOUT: Final = 2
"""Written with every batch; raised when the bytes mean something else. 1: sharpness in place of quality."""

_MOST_EXPERTS: Final = 16


@dataclass(frozen=True, slots=True, eq=False)
class FrameRow:
    """What is logged of one frame: a `FrameResult` without its pixels and maps.

    Its poses are no part of a batch; see `session.poses`.
    """

    index: int
    pts_s: float
    picture: str
    label: str
    confidence: float
    smoothed: NDArray[np.float32]
    probabilities: NDArray[np.float32] | None
    novelty: float
    expert_weights: NDArray[np.float32] | None
    crop: tuple[int, int, int, int]
    moving: bool
    quality: Quality | None
    poses: tuple[Pose, ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that were written together.

    Attributes:
        classes: K.
        experts: E; 0 if no frame of the batch was classified.
        count: N.
        rows: N rows of `row_type(K, E, layout)`.
        layout: What the bytes mean.
    """

    classes: int
    experts: int
    count: int
    rows: bytes
    layout: int = LAYOUT


def frame_row(result: FrameResult) -> FrameRow:
    """What is logged of `result`; does not keep the frame alive."""
    prediction, crop = result.prediction, result.crop
    return FrameRow(
        index=result.packet.index,
        pts_s=result.packet.pts_s,
        picture=result.picture,
        label=result.label,
        confidence=result.confidence,
        smoothed=result.smoothed,
        probabilities=None if prediction is None else prediction.probabilities,
        novelty=float("nan") if prediction is None else prediction.novelty,
        expert_weights=None if prediction is None else prediction.expert_weights,
        crop=(crop.left, crop.top, crop.width, crop.height),
        moving=result.moving,
        quality=result.quality,
        poses=result.packet.poses,
    )


@lru_cache(maxsize=64)
def row_type(classes: int, experts: int, layout: int = LAYOUT) -> np.dtype[Any]:
    """One frame's bytes, little endian, without gaps."""
    judged = [("sharpness", "<f8")] if layout == 1 else [("quality", "<f8"), ("reasons", "u1", (2,))]
    return np.dtype(
        [
            ("index", "<i8"),
            ("pts_s", "<f8"),
            *judged,
            ("picture", "u1"),
            ("moving", "u1"),
            ("label", "<i2"),
            ("confidence", "<f4"),
            ("novelty", "<f4"),
            ("crop", "<i4", (4,)),
            ("smoothed", "<f4", (classes,)),
            ("probabilities", "<f4", (classes,)),
            ("expert_weights", "<f4", (experts,)),
        ]
    )


def pack(rows: Sequence[FrameRow], classes: tuple[str, ...], none_class: str) -> Batch:
    """Rows as bytes.

    Raises:
        SessionError: A row has another number of classes or a label that the session's model does not have.
    """
    experts = max((0 if row.expert_weights is None else len(row.expert_weights) for row in rows), default=0)
    table = np.zeros(len(rows), row_type(len(classes), experts))
    numbers = {name: number for number, name in enumerate(classes)}
    numbers[NON_STANDARD] = numbers[none_class]
    nothing = np.full(len(classes), np.nan, np.float32)
    no_experts = np.full(experts, np.nan, np.float32)
    try:
        for name in ("index", "pts_s", "moving", "confidence", "novelty", "crop", "smoothed"):
            table[name] = [getattr(row, name) for row in rows]
        table["picture"] = [PICTURES.index(row.picture) for row in rows]
        table["label"] = [numbers[row.label] for row in rows]
        table["quality"] = [np.nan if row.quality is None else row.quality.score for row in rows]
        table["reasons"] = [_codes(row.quality) for row in rows]
        table["probabilities"] = [nothing if row.probabilities is None else row.probabilities for row in rows]
        weights = [no_experts if row.expert_weights is None else row.expert_weights for row in rows]
        table["expert_weights"] = np.array(weights, np.float32).reshape(len(rows), experts)
    except (KeyError, ValueError) as error:
        raise SessionError(
            _("These frames were not classified by the model of this session; begin a new session.")
        ) from error
    return Batch(len(classes), experts, len(rows), table.tobytes())


def _codes(quality: Quality | None) -> tuple[int, int]:
    codes = [REASON_CODES.index(name) for name in quality.reasons] if quality is not None else []
    first, second = (*codes, 0, 0)[:2]
    return first, second


def unpack(batches: Sequence[Batch], classes: int) -> FrameTable:
    """All frames of `batches` by rising index; of an index that is there twice the last counts.

    Raises:
        ValueError: The bytes of a batch are not what its numbers say.
    """
    for batch in batches:
        numbers = batch.classes == classes and 0 <= batch.experts <= _MOST_EXPERTS
        known = numbers and 1 <= batch.layout <= LAYOUT
        if not known or len(batch.rows) != batch.count * _type_of(batch).itemsize:
            raise ValueError("frames of another number or size")
    experts = max((batch.experts for batch in batches), default=0)
    kind = row_type(classes, experts)
    # Most sessions have one kind of batch: one copy then, whatever their number.
    if all(batch.experts == experts and batch.layout == LAYOUT for batch in batches):
        rows = np.frombuffer(b"".join(batch.rows for batch in batches), kind)
    else:
        kind = np.dtype([*((name, kind[name]) for name in kind.names or ()), ("sharpness", "<f8")])
        rows = np.concatenate([_widened(batch, kind) for batch in batches])
    if len(rows) > 1 and not bool(np.all(np.diff(rows["index"]) > 0)):
        rows = rows[np.argsort(rows["index"], kind="stable")]
        rows = rows[np.append(np.diff(rows["index"]) > 0, True)]
    columns: dict[str, Any] = {name: _read_only(rows[name]) for name in kind.names or ()}
    columns["moving"] = _read_only(columns["moving"].astype(np.bool_))
    columns.setdefault("sharpness", _read_only(np.full(len(rows), np.nan)))
    return FrameTable(**columns)


def _widened(batch: Batch, kind: np.dtype[Any]) -> NDArray[Any]:
    """The rows of an older batch, or of one without classified frames, with NaN for what is missing."""
    found = np.frombuffer(batch.rows, _type_of(batch))
    rows = np.zeros(batch.count, kind)
    rows["quality"] = rows["sharpness"] = np.nan
    for name in found.dtype.names or ():
        if name != "expert_weights":
            rows[name] = found[name]
    rows["expert_weights"] = np.nan
    rows["expert_weights"][:, : batch.experts] = found["expert_weights"]
    return rows


def _type_of(batch: Batch) -> np.dtype[Any]:
    return row_type(batch.classes, batch.experts, batch.layout)


def _read_only(column: NDArray[Any]) -> NDArray[Any]:
    kept = np.ascontiguousarray(column)
    kept.flags.writeable = False
    return kept
