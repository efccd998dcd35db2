"""The first entry of a log: source, model, program; and reading it back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from semc_core.model.spec import Preprocessing, Thresholds
from semc_core.session.records import ModelEntry, SourceEntry
from semc_core.version import VERSION


def origin_payload(source: SourceEntry, model: ModelEntry) -> dict[str, Any]:
    """Plain JSON values. The path is left out: it stays on this machine, and a log may travel."""
    told = asdict(source)
    del told["path"]
    # Tuples as lists, as they come back from the file.
    preprocessing = {**asdict(model.preprocessing)}
    for name in ("mean", "std"):
        preprocessing[name] = list(preprocessing[name])
    return {
        "program": VERSION,
        "source": told,
        "model": {**asdict(model), "classes": list(model.classes), "preprocessing": preprocessing},
    }


def origin_from_payload(payload: dict[str, Any]) -> tuple[SourceEntry, ModelEntry]:
    """The source and the model of a first entry. Raises KeyError or TypeError if it is none."""
    found = dict(payload["model"])
    preprocessing = dict(found.pop("preprocessing"))
    for name in ("mean", "std"):
        preprocessing[name] = tuple(preprocessing[name])
    model = ModelEntry(
        **{
            **found,
            "classes": tuple(found["classes"]),
            "thresholds": Thresholds(**found["thresholds"]),
            "preprocessing": Preprocessing(**preprocessing),
        }
    )
    return SourceEntry(**payload["source"]), model
