"""Analyses of simulated scans, of real clips and of a DICOM loop: every frame, and what was saved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from pydicom import examples

from tests.record.pictures import digest, png, table, video
from tests.record.running import ON_CPU, SHARED, Place

QUICK: Final = ("scan7", "loop")
CLIPS: Final = {
    "clip1": SHARED / "data" / "cine" / "lung" / "Reg_Image_181739_trimmed_crop.mp4",
    "clip2": SHARED / "data" / "cine" / "lung" / "Reg_Image_181432_crop.mp4",
}
_SCANS: Final = {
    "scan7": ("--seed", 7, "--width", 240, "--height", 180, "--rate", 15),
    "scan23": ("--seed", 23, "--width", 320, "--height", 240, "--rate", 10),
    "scan2007": ("--seed", 2007, "--width", 640, "--height", 480, "--rate", 10, "--no-furniture"),
}
_SECONDS: Final = 12
_CHANGES: Final = ("versions", "saved_at", "png_sha256")


def record(place: Place, *, quick: bool) -> dict[str, Any]:
    """What is found in each scan. Clips that are not here are left out."""
    names = QUICK if quick else (*_SCANS, "loop", *(name for name, path in CLIPS.items() if path.exists()))
    found = {name: _of(place, name) for name in names}
    if not quick:
        found["by hand"] = _with_choices(place)
    return found


def _of(place: Place, name: str) -> dict[str, Any]:
    """Render it if need be, analyse it, and read what was written."""
    commands: list[tuple[object, ...]] = []
    path = place.folder / f"{name}.mp4"
    if name in _SCANS:
        commands.append(("phantom", "render", *_SCANS[name], "--seconds", _SECONDS, "--out", path))
    elif name == "loop":
        path = Path(examples.get_path("ybr_color"))
    else:
        path = CLIPS[name]
    out = place.folder / f"results of {name}"
    place.semc(*commands, ("analyse", path, "--out", out, *ON_CPU))
    found = results(out, name if name in _SCANS else path.stem)
    if name in _SCANS:
        truth = path.with_suffix(".csv").read_text(encoding="utf-8")
        found["rendered"] = {"video": video(path, exact=True), "truth": table(truth)}
    return found


def results(out: Path, name: str) -> dict[str, Any]:
    """Everything that an analysis wrote for one input, and that a machine reads."""
    folder = out / name
    files = sorted(path.name for path in folder.iterdir())
    found: dict[str, Any] = {
        "files": files,
        "frames": table((folder / "frames.csv").read_text(encoding="utf-8")),
    }
    for path in folder.glob("*.json"):
        found[path.name] = _without(json.loads(path.read_text(encoding="utf-8")))
    for path in folder.glob("*.png"):
        found[path.name] = png(path.read_bytes())
    summary = _without(json.loads((out / "summary.json").read_text(encoding="utf-8")))
    found["summary"] = {name: value for name, value in summary.items() if name != "inputs"}
    found["frames.csv_here"] = digest((folder / "frames.csv").read_bytes())
    return found


def _without(plain: Any) -> Any:
    """Without what differs from run to run."""
    if isinstance(plain, dict):
        return {name: _without(value) for name, value in plain.items() if name not in _CHANGES}
    return [_without(value) for value in plain] if isinstance(plain, list) else plain


def _with_choices(place: Place) -> dict[str, Any]:
    """A crop by hand, batches of another size, PyTorch, a protocol's checklist."""
    out = place.folder / "results by hand"
    (printed,) = place.semc(
        ("analyse", place.folder / "scan7.mp4", "--out", out, "--crop", "20,10,200,160", "--batch", 3,
         "--device", "torch-cpu", "--precision", "float32", "--threads", 1, "--protocol", "lp2025-liver"),
    )  # fmt: skip
    listed = printed[printed.index("Liver, six planes") :].splitlines()[:-1]
    found = results(out, "scan7")
    found["frames"] = {name: found["frames"][name] for name in ("label", "confidence", "novelty")}
    return {**found, "checklist": [" ".join(line.split()) for line in listed]}
