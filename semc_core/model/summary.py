"""What a model knows, from where, and how good it is, in a few words out of its own file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from semc_core.language import N_, _, decimal, plural
from semc_core.model.spec import ModelSpec

_LONGEST: Final = 160
_NOT_SAID: Final = N_("where from is not said")
_NOT_MEASURED: Final = N_("how good is not measured")


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """For a list to choose from.

    Attributes:
        scanned: What is scanned, as the file says it (`provenance.scanned`), or "".
        planes: Its standard planes.
        origin: What it was made of (`provenance.data`, or what it was imported from).
        quality: How good it is: `metrics.in_words`, or the F1 of the pictures that it was judged on.
        notice: The sentence that the window always shows, or "".
        protocol: Id of the protocol that it was made for (`provenance.protocol`), or "".
    """

    scanned: str
    planes: tuple[str, ...]
    origin: str
    quality: str
    notice: str
    protocol: str

    @property
    def knows(self) -> str:
        """ "6 planes"."""
        return plural("{count} plane", "{count} planes", len(self.planes))

    @property
    def line(self) -> str:
        """All of it in one line."""
        return f"{self.knows}; {self.origin}; {self.quality}."


def summary_of(spec: ModelSpec) -> ModelSummary:
    """What a model's description says. A file may say anything there: only text is taken, and cut short."""
    said = spec.provenance
    return ModelSummary(
        scanned=_text(said.get("scanned")),
        planes=spec.planes,
        origin=_origin(said),
        quality=_text(spec.metrics.get("in_words")) or _f1(spec.metrics),
        notice=spec.notice,
        protocol=_text(said.get("protocol")),
    )


def _origin(said: Mapping[str, Any]) -> str:
    data = said.get("data")
    texts = [_text(each) for each in data] if isinstance(data, list) else [_text(data)]
    if words := ", ".join(filter(None, texts)):
        return words[:_LONGEST]
    imported = _text(said.get("imported_from"))
    return _("imported from {name}", name=imported) if imported else _(_NOT_SAID)


def _f1(metrics: Mapping[str, Any]) -> str:
    """Of the test pictures, or else of those that chose between its versions."""
    for name in ("test", "validation"):
        judged = metrics.get(name)
        if not isinstance(judged, dict):
            continue
        f1, frames = judged.get("f1"), judged.get("frames")
        if isinstance(f1, float | int) and isinstance(frames, int):
            return plural(
                "F1 {f1} on {count} picture held out",
                "F1 {f1} on {count} pictures held out",
                frames,
                f1=decimal(f1, 2),
            )
    return _(_NOT_MEASURED)


def _text(value: object) -> str:
    return " ".join(value.split())[:_LONGEST] if isinstance(value, str) else ""
