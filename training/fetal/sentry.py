"""The sentry of the fetal model: is a picture like nothing that it was made for?

It is the model file's `Novelty`, of the features' direction: how far that is from the nearest of some centres
of pictures with a fetus, whatever they show. It learns from no picture without a fetus, so an organ that
nobody thought of counts like one that was learned, and a hospital that was left out is not far away.

It is judged by networks that were taught without the pictures it is judged on (`runs.HALVES`), and its limit
is theirs: of the network that ships no picture was left out.

Shapes: N pictures, F features, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from semc_core.imaging.preprocess import normalised
from semc_core.labels import NON_STANDARD
from semc_core.model.file import Arrays, read_model, read_spec, write_model
from semc_core.model.spec import Calibration, ModelSpec
from semc_core.runtime.calibration import Calibrator, RawOutput
from semc_core.runtime.load import load_runtime
from training.calibration import Novelty, fit_novelty
from training.fetal.judge import Judged, called_a_plane, level_that_keeps, of_four, plain, share
from training.fetal.labels import BRAIN
from training.fetal.pictures import HEADS, SPAIN
from training.fetal.runs import HALVES, split_of
from training.fetal.taught import read_taught
from training.fetal.versions import Inputs, Prepared, Row

CENTRES: Final = 16
"""Of each of brain, abdomen, thorax, femur, cervix and other."""
PLANES: Final = (*BRAIN, "Abdominal", "4CH", "Femur", "Maternal cervix")
"""Of which there are pictures to learn from. Of the others (kidneys, spine, vessels) it says nothing."""
SLOPE: Final = 200.0
"""So steep that of a picture 2 % beyond the limit a fiftieth of what speaks for a plane is left."""
QUANTILE: Final = 0.99
"""Of the planes of known countries, on which the sentry is silent."""

_KNOWN: Final = "Spain and HC18"

Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a network gives of all pictures: float32 (N, K) and (N, F)."""

    logits: NDArray[np.float32]
    pooled: NDArray[np.float32]


def see(model: Path, inputs: Inputs, kept: Path, tell: Tell) -> Seen:
    """What the network in a model file gives of every picture, in the runtime that live uses.

    Args:
        model: Its file.
        inputs: uint8 (N, 1 + V, h, w); the pictures as they are count.
        kept: Folder where it is written down, and read when the same network is asked again.
        tell: Called with how many of how many are done.

    Raises:
        ModelFileError: The file is missing or damaged.
    """
    path = kept / f"{read_spec(model).sha256[:16]}.npz"
    if path.exists():
        with np.load(path) as file:
            return Seen(file["logits"], file["pooled"])
    runtime = load_runtime(model, "cpu", threads=1, precision="float32")
    answers = []
    for place in range(len(inputs)):
        frame = normalised(np.asarray(inputs[place, 0]), runtime.spec.preprocessing)
        answers.append(runtime.raw(frame[None]))
        tell(place + 1, len(inputs))
    runtime.close()
    seen = Seen(
        np.concatenate([answer.logits for answer in answers]),
        np.concatenate([answer.pooled for answer in answers]),
    )
    np.savez(path, allow_pickle=False, logits=seen.logits, pooled=seen.pooled)
    return seen


def fitted(seen: Seen, rows: list[Row], learned: NDArray[np.bool_], known: NDArray[np.bool_]) -> Novelty:
    """The sentry of pictures with a fetus.

    Args:
        seen: By one network.
        rows: N.
        learned: bool (N,), pictures that it may learn from; those without a fetus are not used.
        known: bool (N,), planes of patients that were left out, by which its limit is set.
    """
    names = np.array(["brain" if row.label in BRAIN else row.label for row in rows])
    own = learned & (names != NON_STANDARD)
    _, labels = np.unique(names[own], return_inverse=True)
    return fit_novelty(
        seen.pooled[own], labels.astype(np.int64), seen.pooled[known],
        centres_per_class=CENTRES, shrinkage=1.0, quantile=QUANTILE, of_direction=True,
    )  # fmt: skip


def guard(folder: Path, prepared: Prepared, model: Path, out: Path, tell: Tell) -> dict[str, Any]:
    """Fit the sentry of a fetal model, judge it, and write the model file with it.

    Args:
        folder: Of the prepared pictures, with both of `HALVES` taught.
        prepared: What it holds.
        model: The model's file.
        out: To write: the same weights, with the sentry and its figures.
        tell: Called with how many of how many pictures a network has seen.

    Returns:
        Figures as plain values.

    Raises:
        UsageError: A half was not taught.
        ModelFileError: A file cannot be read or written.
    """
    rows = prepared.rows
    spec, arrays = read_model(model)
    kept = folder / "seen"
    kept.mkdir(exist_ok=True)
    figures: dict[str, Any] = {}
    limits: list[NDArray[np.float32]] = []
    for half in HALVES:
        split = split_of(half, rows)
        file = kept / f"{half}.safetensors"
        write_model(file, _bare(spec), read_taught(folder, half).network)
        seen = see(file, prepared.inputs, kept, tell)
        sentry = fitted(seen, rows, split.train, split.test & _is_known(rows))
        limits.append(sentry.limit)
        figures[half] = judged_of(spec, seen, rows, np.flatnonzero(split.test), sentry)
    everything = np.ones(len(rows), bool)
    seen = see(model, prepared.inputs, kept, tell)
    sentry = replace(fitted(seen, rows, everything, everything), limit=max(limits, key=float))
    changed = replace(
        _with_sentry(spec),
        sha256="",
        metrics={**spec.metrics, "sentry": {"limit": float(sentry.limit), **figures}},
    )
    write_model(out, changed, arrays | sentry.tensors())
    return figures


def judged_of(
    spec: ModelSpec, seen: Seen, rows: list[Row], places: NDArray[np.int64], sentry: Novelty
) -> dict[str, Any]:
    """How a sentry does on pictures that were left out, all figures with 95 % intervals over patients.

    Args:
        spec: Of the model; its temperature and its enter level count.
        seen: All pictures, by the network that did not learn from these.
        rows: N.
        places: int64 (M,), of the pictures that were left out.
        sentry: Fitted without them.
    """
    without, _ = _judged(_bare(spec), {}, seen, rows, places)
    within, speaks = _judged(_with_sentry(spec), sentry.tensors(), seen, rows, places)
    none = without.labels == NON_STANDARD
    found: dict[str, Any] = {"limit": float(sentry.limit), "planes": {}, "none": {}}
    for name, own in _parts(without.sources, none):
        planes = own & np.isin(without.labels, of_four(without).labels)
        if not planes.any():
            continue
        both = planes | none
        found["planes"][name] = {
            "pictures": int(planes.sum()),
            "speaks": plain(share(speaks[planes], without.groups[planes])),
            "saved": [_saved(one.where(planes), spec.thresholds.enter) for one in (without, within)],
            "none called": [_called(one.where(both)) for one in (without, within)],
        }
    level = spec.thresholds.enter
    for source in np.unique(without.sources[none]):
        own = none & (without.sources == source)
        found["none"][str(source)] = {
            "pictures": int(own.sum()),
            "speaks": plain(share(speaks[own], without.groups[own])),
            "called at the enter level": [
                plain(called_a_plane(one.where(own), level)) for one in (without, within)
            ],
        }
    return found


def lines_of(figures: dict[str, Any]) -> Iterator[str]:
    """Two tables in Markdown of what `guard` gives."""
    yield _line("left out", "planes", "sentry speaks", *_pair("saved"), *_pair("none called a plane"))
    yield _line(*["---"] * 7)
    for number, half in enumerate(figures.values(), 1):
        for place, told in half["planes"].items():
            name = f"{place}, fifth {number}" if place == _KNOWN else place
            saved, called = map(_told, told["saved"]), map(_told, told["none called"])
            yield _line(name, str(told["pictures"]), _told(told["speaks"]), *saved, *called)
    yield ""
    yield _line("source left out", "pictures", "sentry speaks", *_pair("called at the enter level"))
    yield _line(*["---"] * 5)
    for half in figures.values():
        for name, told in half["none"].items():
            called = map(_told, told["called at the enter level"])
            yield _line(name, str(told["pictures"]), _told(told["speaks"]), *called)


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _pair(what: str) -> tuple[str, str]:
    return f"{what}, without", "with it"


def _bare(spec: ModelSpec) -> ModelSpec:
    return replace(spec, calibration=Calibration(spec.calibration.temperature))


def _with_sentry(spec: ModelSpec) -> ModelSpec:
    temperature = spec.calibration.temperature
    return replace(spec, calibration=Calibration(temperature, SLOPE, True, PLANES))


def _is_known(rows: list[Row]) -> NDArray[np.bool_]:
    """bool (N,): planes of hospitals of which other patients are learned from in every half."""
    named = {"other", NON_STANDARD}
    return np.array([row.country in (SPAIN, HEADS) and row.label not in named for row in rows])


def _parts(sources: NDArray[Any], none: NDArray[np.bool_]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    known = np.isin(sources, (SPAIN, HEADS))
    for country in np.unique(sources[~none & ~known]):
        yield str(country), sources == country
    yield _KNOWN, known


def _judged(
    spec: ModelSpec, tensors: Arrays, seen: Seen, rows: list[Row], places: NDArray[np.int64]
) -> tuple[Judged, NDArray[np.bool_]]:
    """Calibrated answers, and bool (M,): whether the sentry speaks."""
    count = len(places)
    raw = RawOutput(
        seen.logits[places],
        np.ones((count, 1), np.float32),
        np.zeros((count, len(spec.classes), 1, 1), np.float32),
        seen.pooled[places],
    )
    predictions = Calibrator(spec, tensors).predictions(raw)
    own = [rows[int(place)] for place in places]
    judged = Judged(
        np.array([row.label for row in own]),
        np.array([row.group for row in own]),
        np.array([row.country or row.source for row in own]),
        np.array([each.probabilities for each in predictions], np.float64),
    )
    return judged, np.array([each.novelty > 1 for each in predictions])


def _saved(judged: Judged, enter: float) -> list[float | None]:
    surest = judged.probabilities[:, :-1].max(axis=1)
    return plain(share(surest >= enter, judged.groups))


def _called(judged: Judged) -> list[float | None]:
    return plain(called_a_plane(judged, level_that_keeps(judged)))


def _told(estimate: list[float]) -> str:
    value, low, high = (100 * each for each in estimate)
    return f"{value:.1f} % ({low:.1f} to {high:.1f})"
