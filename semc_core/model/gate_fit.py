"""Fit a gate (paper eq. 16-17) to a network whose gate was never saved; the rest of it stays as it is.

A gate is one linear layer on pooled features, and the experts' logits are fixed, so this is a small fit in
numpy and needs nothing of the training code.

Shapes: N pictures, C features, E experts, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from semc_core.errors import UsageError
from semc_core.imaging.crop import crop_and_sector
from semc_core.imaging.preprocess import prepare
from semc_core.model.file import NOVELTY, TRAINING_PREFIX, Arrays, read_model, write_model
from semc_core.model.importers import NO_GATE_NOTICE
from semc_core.model.network import SemcNetwork
from semc_core.model.presets import TOP1
from semc_core.model.spec import Architecture, ModelSpec
from semc_core.model.weights import build_network, network_arrays, verification_tensors
from semc_core.sources.images import ImageFolderSource
from semc_core.sources.pictures import SUFFIXES

_STEPS: Final = 400
_RATE: Final = 0.02
_SHRINKAGE: Final = 0.01
"""Weight of the squared gate weights, on standardised features, against the mean loss."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture of a labelled folder.

    Attributes:
        path: Of the picture.
        label: Index of its class.
        group: What must not be divided between fitting and holding out: a patient's folder, or the picture.
    """

    path: Path
    label: int
    group: str


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What the frozen network says of the pictures: features (N, C), expert logits (N, E, K), labels (N,)."""

    features: Floats
    expert_logits: Floats
    labels: NDArray[np.int64]

    def part(self, chosen: NDArray[np.bool_]) -> Seen:
        """The pictures where `chosen`, bool (N,), is true."""
        return Seen(self.features[chosen], self.expert_logits[chosen], self.labels[chosen])


@dataclass(frozen=True, slots=True)
class GateFit:
    """How good the gate is on the pictures that were held out.

    Attributes:
        fitted_on: Number of pictures the gate was fitted on.
        held_out: Number of the others.
        accuracy_before: On those, with the gate of the given file, 0-1.
        accuracy_after: With the fitted gate.
        loss_before: Cross-entropy, nats per picture.
        loss_after: The same with the fitted gate.
    """

    fitted_on: int
    held_out: int
    accuracy_before: float
    accuracy_after: float
    loss_before: float
    loss_after: float

    @property
    def better(self) -> bool:
        """Whether the fitted gate is worth having."""
        return self.accuracy_after >= self.accuracy_before and self.loss_after <= self.loss_before


def fit_gate_of_file(
    path: Path,
    folder: Path,
    out: Path,
    held_out: float = 0.3,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> GateFit:
    """Fit the gate of a model file and write the new file, if the gate is better on pictures held out.

    Args:
        path: The model file.
        folder: A sub-folder per class with pictures, or with a folder of pictures per patient.
        out: The model file to write.
        held_out: Share of the pictures to measure on, above 0, below 1.
        seed: Of the choice of these.
        progress: Called with (pictures seen, pictures) after each.

    Raises:
        ModelFileError: The model file cannot be read or the new one not be written.
        SourceError: A picture cannot be read.
        UsageError: The model has no gate, or the folder does not fit it.
    """
    spec, arrays = read_model(path)
    network = build_network(spec.architecture, len(spec.classes), arrays)
    if not isinstance(network, SemcNetwork) or spec.architecture.experts < 2:
        raise UsageError(f"{path.name} has no gate to fit; choose a SEMC model with several experts.")
    if spec.architecture.routing == TOP1:
        raise UsageError(
            f"The gate of {path.name} was trained together with the experts that it chooses from; train the "
            "network anew."
        )
    pictures = labelled_pictures(folder, spec.classes)
    apart = divided(pictures, held_out, seed)
    fitted = replace(spec.architecture, gate_input=_input_of(spec.architecture))
    seen, before = _look(network, spec, fitted, pictures, progress)
    weight, bias = fit_gate(seen.part(~apart), fitted.gate_temperature)
    measured = seen.part(apart)
    after = softmax((measured.features @ weight.T + bias) / fitted.gate_temperature)
    result = GateFit(int((~apart).sum()), int(apart.sum()), *_compared(measured, before[apart], after))
    if result.better:
        tensors = network_arrays(network) | {
            "gate.score.weight": weight.astype(np.float32),
            "gate.score.bias": bias.astype(np.float32),
        }
        _write(out, replace(spec, architecture=fitted), arrays, tensors, result)
    return result


def labelled_pictures(folder: Path, classes: Sequence[str]) -> list[Labelled]:
    """The pictures below `folder`, in order.

    Raises:
        UsageError: A sub-folder is not named for a class, or fewer than two classes have pictures.
    """
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}; give one with a sub-folder for each class.")
    pictures = []
    for place in sorted(child for child in folder.iterdir() if child.is_dir() and child.name[0] != "."):
        if place.name not in classes:
            raise UsageError(
                f"The folder {place.name} is not named for a class of the model ({', '.join(classes)}); "
                "rename it or move it away."
            )
        for path in sorted(p for p in place.rglob("*") if p.suffix.lower() in SUFFIXES):
            inside = path.relative_to(place).parts
            # Patients' folders have the same name in every class; single pictures are groups by themselves.
            group = inside[0] if len(inside) > 1 else f"{place.name}/{path.name}"
            pictures.append(Labelled(path, classes.index(place.name), group))
    if len({picture.label for picture in pictures}) < 2:
        raise UsageError(
            f"{folder.name} has pictures of fewer than two classes; add sub-folders with pictures."
        )
    return pictures


def divided(pictures: Sequence[Labelled], share: float, seed: int) -> NDArray[np.bool_]:
    """Which pictures are held out, bool (N,): about `share` of every class, and no group on both sides.

    Raises:
        UsageError: `share` is not between 0 and 1, or nothing is left to fit on or to measure on.
    """
    if not 0 < share < 1:
        raise UsageError("The share that is held out must be above 0 and below 1; 0.3 is usual.")
    rng = np.random.default_rng(seed)
    groups = sorted({picture.group for picture in pictures})
    totals: dict[int, int] = {}
    for picture in pictures:
        totals[picture.label] = totals.get(picture.label, 0) + 1
    taken = dict.fromkeys(totals, 0)
    chosen = set()
    for group in (groups[i] for i in rng.permutation(len(groups))):
        labels = [picture.label for picture in pictures if picture.group == group]
        if all(taken[label] + labels.count(label) <= share * totals[label] + 0.5 for label in set(labels)):
            chosen.add(group)
            for label in labels:
                taken[label] += 1
    apart = np.array([picture.group in chosen for picture in pictures])
    if apart.all() or not apart.any():
        raise UsageError("There are too few pictures or patients to hold some out; add more.")
    return apart


def fit_gate(seen: Seen, temperature: float) -> tuple[Floats, Floats]:
    """Weight (E, C) and bias (E,) of the gate with the least cross-entropy of the gated logits.

    It starts from equal shares and is fitted by Adam on all pictures at once, so it has one answer.

    Args:
        seen: The pictures to fit on.
        temperature: tau of eq. 16.
    """
    centre, spread = seen.features.mean(axis=0), seen.features.std(axis=0)
    scale = 1 / np.where(spread > 1e-9, spread, np.inf)  # what does not vary says nothing
    features = np.c_[(seen.features - centre) * scale, np.ones(len(seen.labels))]
    count, experts, classes = seen.expert_logits.shape
    wanted = np.eye(classes)[seen.labels]
    values = np.zeros((experts, features.shape[1]))
    first, second = np.zeros_like(values), np.zeros_like(values)
    for step in range(1, _STEPS + 1):
        shares = softmax(features @ values.T / temperature)
        error = softmax(np.einsum("ne,nek->nk", shares, seen.expert_logits)) - wanted
        blame = np.einsum("nk,nek->ne", error, seen.expert_logits)
        slope = shares * (blame - (shares * blame).sum(axis=1, keepdims=True)) / temperature
        gradient = slope.T @ features / count + 2 * _SHRINKAGE * values
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        values -= _RATE * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    weight = values[:, :-1] * scale
    return weight, values[:, -1] - weight @ centre


def softmax(scores: Floats) -> Floats:
    """Over the last axis."""
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    result: Floats = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return result


def _input_of(architecture: Architecture) -> str:
    """What the gate will see: as it was, or, where there was none, what the released code meant it to."""
    return "deep" if architecture.gate_input == "mean" else architecture.gate_input


def _look(
    network: SemcNetwork,
    spec: ModelSpec,
    fitted: Architecture,
    pictures: Sequence[Labelled],
    progress: Callable[[int, int], None] | None,
) -> tuple[Seen, Floats]:
    """What the network says of the pictures, and the shares (N, E) of the gate that it has."""
    features, logits, shares = [], [], []
    for done, picture in enumerate(pictures, start=1):
        source = ImageFolderSource(picture.path)
        try:
            packet = source.read()
        finally:
            source.close()
        assert packet is not None
        crop, outline = crop_and_sector(packet.picture)
        inputs = torch.from_numpy(prepare(packet.gray, crop, spec.preprocessing, outline)[None])
        with torch.inference_mode():
            details = network.details(inputs)
        pooled = details.deep_pooled if fitted.gate_input == "deep" else details.fused_pooled
        features.append(pooled[0].double().numpy())
        logits.append(details.expert_logits[0].double().numpy())
        shares.append(details.expert_weights[0].double().numpy())
        if progress is not None:
            progress(done, len(pictures))
    labels = np.array([picture.label for picture in pictures], np.int64)
    return Seen(np.stack(features), np.stack(logits), labels), np.stack(shares)


def _compared(seen: Seen, before: Floats, after: Floats) -> tuple[float, float, float, float]:
    """Accuracy before and after, and cross-entropy before and after."""
    rows = np.arange(len(seen.labels))
    accuracies, losses = [], []
    for shares in (before, after):
        likely = softmax(np.einsum("ne,nek->nk", shares, seen.expert_logits))
        accuracies.append(float((likely.argmax(axis=1) == seen.labels).mean()))
        losses.append(float(-np.log(np.maximum(likely[rows, seen.labels], 1e-300)).mean()))
    return accuracies[0], accuracies[1], losses[0], losses[1]


def _write(out: Path, spec: ModelSpec, arrays: Arrays, tensors: Arrays, result: GateFit) -> None:
    facts: dict[str, Any] = {
        "fitted_on": result.fitted_on,
        "held_out": result.held_out,
        "accuracy_before": result.accuracy_before,
        "accuracy_after": result.accuracy_after,
    }
    # The int8 tensors are left out below: how well they agree was measured with the old gate.
    provenance = {name: value for name, value in spec.provenance.items() if name != "int8"}
    metrics = {name: value for name, value in spec.metrics.items() if name != "int8"}
    spec = replace(
        spec,
        notice=spec.notice.replace(NO_GATE_NOTICE, "Its gate was fitted here.").strip(),
        provenance=provenance | {"gate": "fitted with semc model fit-gate", "gate_from": spec.sha256},
        metrics=metrics | {"gate": facts},
    )
    kept = {n: v for n, v in arrays.items() if n in NOVELTY or n.startswith(TRAINING_PREFIX)}
    network = build_network(spec.architecture, len(spec.classes), tensors)
    write_model(out, spec, {**tensors, **kept, **verification_tensors(network, spec)})
