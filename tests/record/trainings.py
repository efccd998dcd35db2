"""Twenty steps of every way to train: the losses of each step, and how large the weights are then."""

from __future__ import annotations

import csv
import json
import math
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

from safetensors.numpy import load_file

from tests.record.running import PLAIN, Place
from tests.training.toy_folder import write_toy_folder

_STEPS: Final = 20
# Of the program's own networks only: OpenVINO cannot compile all others when it is told so.
_PLAIN: Final = PLAIN | {"ONEDNN_MAX_CPU_ISA": "AVX2"}
_TIMES: Final = ("elapsed_s", "images_per_s")
_COMMON: Final = ("--preset", "semc_tiny", "--steps", _STEPS, "--threads", 1, "--batch", 8)
_LARGE: Final = ("resnet18", "resnet50", "sononet64")
"""Of these each row of the log is the mean of five steps: a checkpoint of each step takes too long."""

_METHODS: Final = (
    "semc", "semc-ace", "semc-plain", "resnet", "resnet18", "resnet50", "sononet16", "sononet32", "sononet64",
    "supcon", "supmin", "area", "shike",
)  # fmt: skip
_WAYS: Final[dict[str, tuple[object, ...]]] = {
    **{f"method {name}": ("train", "--method", name) for name in _METHODS},
    **{f"recipe {name}": ("train", "--recipe", name) for name in ("paper", "released")},
    "contrast gpaco": ("train", "--contrast", "gpaco", "--alpha", "learned"),
    "contrast supmin": ("train", "--contrast", "supmin", "--class-weights", "inverse", "--optimiser", "sgd"),
    "second task": ("train", "--second-task", "simclr", "--augment", "simclr", "--accumulate", 2),
    "ultrasound": ("train", "--augment", "none", "--ultrasound", "gain,time-gain,speckle,shadow,haze"),
    "pretrain simclr": ("pretrain", "--method", "simclr"),
    "pretrain awcl": ("pretrain", "--method", "awcl"),
    "pretrain awcl same": ("pretrain", "--method", "awcl", "--partners", "same", "--anatomy-ratio", 0.5),
    "pretrain sononet16": ("pretrain", "--network", "sononet16"),
}
_OPTIONS_OF: Final = ("method semc", "recipe paper", "recipe released", "second task")
QUICK: Final = ("method semc", "recipe released", "pretrain awcl")


def record(place: Place, *, quick: bool) -> dict[str, Any]:
    """For each way its log and its weights; for `train` also what was fitted at the end."""
    toys = write_toy_folder(place.folder / "toys", 60, 20)
    names = QUICK if quick else tuple(_WAYS)
    outs = {name: place.folder / f"{name}.safetensors" for name in names}
    commands = [_command(name, toys, out) for name, out in outs.items()]
    if not quick:
        outs["from an encoder"] = place.folder / "on.safetensors"
        encoder = ("--encoder", outs["pretrain simclr"])
        commands.append(("train", "--data", toys, "--out", outs["from an encoder"], *_COMMON, *encoder,
                         "--validations", _STEPS))  # fmt: skip
    place.semc(*commands, plain=_PLAIN)
    return {name: _of(place, out, "pretrain" not in name) for name, out in outs.items()}


def _command(name: str, toys: Path, out: Path) -> tuple[object, ...]:
    rows = _STEPS // 5 if name.split()[-1] in _LARGE else _STEPS
    return (*_WAYS[name], "--data", toys, "--out", out, *_COMMON, "--validations", rows)


def _of(place: Place, out: Path, model: bool) -> dict[str, Any]:
    steps = _steps(out)
    # Shares of a few frames: one that is named otherwise changes them by more than any tolerance.
    shares = {name: steps.pop(name) for name in tuple(steps) if name.endswith(("accuracy", "f1"))}
    found: dict[str, Any] = {"steps": steps, "weights": _weights(out), "shares_here": shares}
    if model:
        (told,) = place.semc(("model", "info", out, "--json"))
        described = json.loads(told)
        found["fitted_here"] = {name: described[name] for name in ("calibration", "thresholds")}
        if out.stem in _OPTIONS_OF:
            found["options"] = described["provenance"]["options"]
    return found


def _steps(out: Path) -> dict[str, list[float]]:
    """The log by columns; of the experts' use how uneven it is says enough."""
    with (out.with_suffix(".run") / "log.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    told = [name for name in rows[0] if name not in _TIMES and not name.startswith("use_")]
    return {name: [float(row[name]) for row in rows] for name in told}


def _weights(out: Path) -> dict[str, Any]:
    """For each part of the network: how many tensors and numbers, and their Euclidean norm."""
    parts: dict[str, list[Any]] = defaultdict(list)
    for name, tensor in load_file(out).items():
        # What says whom it learned from is different for every user.
        if not name.startswith(("novelty", "verify", "training")):
            parts[name.split(".")[0]].append(tensor.astype("float64"))
    return {
        part: [len(found), sum(one.size for one in found), math.sqrt(sum((one**2).sum() for one in found))]
        for part, found in sorted(parts.items())
    }
