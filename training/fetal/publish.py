"""From what was taught to figures, and to the model file.

For every run a network was taught without what the run leaves out, and is judged on that. The file holds the
one that learned from everything; its temperature and levels are of patients who were left out.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semc_core.errors import UsageError
from semc_core.labels import NON_STANDARD
from semc_core.model.architecture import SONONET16
from semc_core.model.file import Arrays, read_model, write_model
from semc_core.model.sononet import SonoNet
from semc_core.model.spec import Calibration, ModelSpec
from semc_core.model.weights import build_network, network_arrays, verification_tensors
from semc_core.types import Thresholds
from semc_core.version import VERSION
from training.fetal.judge import (
    Judged,
    calibration_error,
    called_a_plane,
    enter_level,
    four_planes,
    level_that_keeps,
    named_right,
    of_four,
    plain,
    share,
    three_brain_planes,
)
from training.fetal.labels import BRAIN, CLASSES, LABELS, label_log_likelihood
from training.fetal.pictures import COUNTRIES, HEADS
from training.fetal.runs import EVERYTHING, RUNS
from training.fetal.taught import is_taught, read_taught
from training.fetal.versions import Row

NOTICE: Final = (
    "Research software, not a medical device: for the fetal mid-trimester; see the model card for what it "
    "was tried on."
)
_TEMPERATURES: Final = np.exp(np.linspace(np.log(0.3), np.log(4.0), 80))
_LEAVE_SHARE: Final = 0.6


@dataclass(frozen=True, slots=True, eq=False)
class LeftOut:
    """What the runs say of what they left out, by run.

    Attributes:
        logits: float (M, K) each.
        places: int64 (M,) each, of the rows.
        temperature: At which all labels together are most probable.
    """

    logits: dict[str, Tensor]
    places: dict[str, NDArray[np.int64]]
    temperature: float


def left_out(folder: Path, rows: list[Row]) -> LeftOut:
    """What the runs that were taught say of what they left out.

    Raises:
        UsageError: Not every country was left out once, or no part of the patients of Spain.
    """
    runs = [run for run in RUNS if run != EVERYTHING and is_taught(folder, run)]
    if not set(COUNTRIES) < set(runs):
        raise UsageError("Teach every run that leaves a country out first, and one of a part.")
    taught = {run: read_taught(folder, run) for run in runs}
    logits = {run: torch.from_numpy(each.logits) for run, each in taught.items()}
    places = {run: each.places for run, each in taught.items()}
    every = torch.cat(list(logits.values()))
    labels = _labels(rows, np.concatenate(list(places.values())))
    return LeftOut(logits, places, fit_temperature(every, labels))


def tell_of(rows: list[Row], found: LeftOut) -> dict[str, Any]:
    """Figures of all runs, plain values, each with its 95 % interval over patients."""
    runs: dict[str, Any] = {}
    for run, own in found.logits.items():
        judged = _judged(own / found.temperature, rows, found.places[run])
        level = level_that_keeps(judged)
        runs[run] = {
            "pictures": len(judged.labels),
            "four planes": plain(four_planes(judged)),
            "by plane": {
                str(label): plain(share(named_right(part), part.groups))
                for label in ("brain", "abdomen", "thorax", "femur")
                if len((part := of_four(judged.where(judged.labels == label))).labels)
            },
            "calibration error": plain(calibration_error(judged)),
            "level that keeps 92 %": level,
            "without a fetus, at that level": plain(called_a_plane(judged, level)),
            "the same by source": {
                str(source): plain(called_a_plane(judged.where(judged.sources == source), level))
                for source in np.unique(judged.sources[judged.labels == NON_STANDARD])
            },
        }
        if np.isin(judged.labels, BRAIN).any():
            runs[run]["three brain planes"] = plain(three_brain_planes(judged))
        heads = judged.where(judged.sources == HEADS)
        if len(heads.labels):
            runs[run]["heads named brain"] = plain(share(named_right(heads), heads.groups))
    return {"temperature": found.temperature, "runs": runs}


def published(sononet: Path) -> tuple[ModelSpec, Arrays]:
    """SonoNet-16 from its model file.

    Raises:
        UsageError: The file holds another network.
        ModelFileError: The file is missing or damaged.
    """
    spec, arrays = read_model(sononet)
    if spec.architecture != SONONET16.architecture:
        raise UsageError(f"{sononet.name} is no SonoNet-16; make one of its checkpoint by semc model import.")
    return spec, arrays


def publish(folder: Path, rows: list[Row], sononet: Path, out: Path) -> ModelSpec:
    """Write the model file; its temperature and levels are of patients who were left out.

    Args:
        folder: With all runs taught.
        rows: Of its pictures.
        sononet: The published network's model file.
        out: To write.

    Raises:
        UsageError: `sononet` is another network, or a run was not taught.
        ModelFileError: A file cannot be read or written.
    """
    start, _ = published(sononet)
    found = left_out(folder, rows)
    every = np.concatenate(list(found.places.values()))
    together = torch.cat(list(found.logits.values())) / found.temperature
    enter = round(float(np.clip(enter_level(_judged(together, rows, every)), 0.35, 0.9)), 2)
    figures = tell_of(rows, found)
    spec = ModelSpec(
        start.architecture, CLASSES, SONONET16.preprocessing,
        Calibration(found.temperature),
        Thresholds(enter=enter, leave=round(_LEAVE_SHARE * enter, 2)), NOTICE,
        provenance={
            "scanned": "Fetal mid-trimester",
            "protocol": "fasp-20-week",
            "data": "real planes of Spain, Netherlands, Algeria, Egypt, Ghana and Uganda",
            "start": "SonoNet-16 (Baumgartner et al. 2017, Apache-2.0), its two lower stages unchanged",
            "versions": {"semc": VERSION, "torch": str(torch.__version__)},
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        },
        metrics={"in_words": _in_words(figures), "left_out": figures},
    )  # fmt: skip
    network = build_network(spec.architecture, len(CLASSES), read_taught(folder, EVERYTHING).network)
    assert isinstance(network, SonoNet)
    write_model(out, spec, network_arrays(network) | verification_tensors(network, spec))
    return spec


def _in_words(figures: dict[str, Any]) -> str:
    """For the list of models: how often the four planes were named right in countries that were left out."""
    shares = [figures["runs"][country]["four planes"][0] for country in COUNTRIES]
    return f"{min(shares):.0%} to {max(shares):.0%} of four planes right in a country never seen"


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """The temperature at which the labels, each the sum of its classes, are most probable."""
    losses = [-float(label_log_likelihood(logits / t, labels).mean()) for t in _TEMPERATURES]
    return float(_TEMPERATURES[int(np.argmin(losses))])


def _labels(rows: list[Row], places: NDArray[np.int64]) -> Tensor:
    names = list(LABELS)
    return torch.tensor([names.index(rows[int(i)].label) for i in places])


def _judged(logits: Tensor, rows: list[Row], places: NDArray[np.int64]) -> Judged:
    own = [rows[int(place)] for place in places]
    return Judged(
        np.array([row.label for row in own]),
        np.array([row.group for row in own]),
        np.array([row.country or row.source for row in own]),
        torch.softmax(logits.double(), dim=1).numpy(),
    )
