"""What every network that ships says of 64 frames of a simulated scan, in every runtime of the CPU."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from tests.record.pictures import table
from tests.record.running import ROOT, Place

_FRAMES: Final = 64
_RATE: Final = 4
_LEFT_OUT: Final = ("file", "size_mb", "provenance")
RUNTIMES: Final = ("cpu", "torch-cpu")


def networks() -> list[Path]:
    """The model files of this version that name planes, wherever they lie."""
    skipped = ("tests", ".venv", "build")
    found = (path for path in ROOT.glob("**/*.safetensors") if path.relative_to(ROOT).parts[0] not in skipped)
    return sorted(path for path in found if path.parent.name not in ("region", "measure"))


def record(place: Place, *, quick: bool) -> dict[str, Any]:
    """For each network what is said of it, and its probabilities of each frame."""
    scan = place.folder / "frames.mp4"
    place.semc(
        ("phantom", "render", "--seed", 11, "--seconds", _FRAMES / _RATE, "--rate", _RATE, "--width", 320,
         "--height", 240, "--out", scan),
    )  # fmt: skip
    return {path.stem: _of(place, path, scan) for path in networks()}


def _of(place: Place, network: Path, scan: Path) -> dict[str, Any]:
    options = ("--model", network, "--precision", "float32", "--threads", 1)
    out = place.folder / network.stem
    told, *_ = place.semc(
        ("model", "info", network, "--json"),
        *(("analyse", scan, "--out", out / device, "--device", device, *options) for device in RUNTIMES),
    )
    described = {name: value for name, value in json.loads(told).items() if name not in _LEFT_OUT}
    frames = {
        device: table((out / device / "frames" / "frames.csv").read_text(encoding="utf-8"))
        for device in RUNTIMES
    }
    kept = ("label", "novelty", *(f"raw_{name}" for name in described["classes"]))
    return {
        "info": described,
        **{device: {name: columns[name] for name in kept} for device, columns in frames.items()},
    }
