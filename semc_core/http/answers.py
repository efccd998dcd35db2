"""What is answered, for the description of the interface (OpenAPI). A test holds it against what is sent."""

from __future__ import annotations

from typing import Any

# pydantic takes the standard library's own only from Python 3.12 on.
from typing_extensions import TypedDict


class Health(TypedDict):
    """Whether the service takes loops."""

    ok: bool


class Problem(TypedDict):
    """Why something was not done: a sentence."""

    ok: bool
    problem: str


class FoundPlane(TypedDict):
    """A standard plane; as in planes.json of `semc analyse`, without a picture."""

    hold_id: int
    plane: str
    full_name: str
    confidence: float
    frame_index: int
    time_s: float
    hold_start_s: float
    hold_end_s: float
    png: str | None
    quality: float | None
    quality_reasons: list[str]


class Planes(TypedDict):
    """One of `inputs` of `semc analyse --json`."""

    name: str
    ok: bool
    source: str
    source_kind: str
    source_notice: str
    picture_options: dict[str, Any]
    width: int | None
    height: int | None
    frames: int
    pictures: dict[str, int]
    planes: list[FoundPlane]
    thresholds: dict[str, Any]
    model_sha256: str
    model_preset: str
    model_notice: str
    device: str
    versions: dict[str, str]


class ListedSession(TypedDict):
    """One of `sessions` of `semc session list --json`."""

    name: str
    created_utc: str
    source: str
    frames: int
    planes: int
    closed: bool
    complete: bool
    corrections: int


class Sessions(TypedDict):
    """As `semc session list --json`."""

    folder: str
    sessions: list[ListedSession]
    problems: list[str]
