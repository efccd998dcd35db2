"""Compares what was computed with what is stored, and stores it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from pathlib import Path
from typing import Any, Final

STORED: Final = Path(__file__).parent / "stored"
_TOLERANCES: Final = {"thumbnail": (1.0, 0.0), "steps": (2e-3, 3e-2), "weights": (2e-3, 2e-2)}
"""Below a name of these: absolute and relative tolerance of numbers."""

_USUAL: Final = (1e-3, 1e-3)
_LIBRARIES: Final = ("av", "numpy", "opencv-python-headless", "openvino", "torch", "torchvision", "lightning")
_MADE_ON: Final = "made_on"


def differences(stored: Any, found: Any, *, here: bool, name: str = "") -> list[str]:
    """A sentence for each place where `found` is not what is stored.

    Args:
        stored: Plain JSON values.
        found: The same.
        here: Whether to compare also what only holds on the kind of machine that stored it.
        name: Of the place.
    """
    return _differences(stored, found, here, name, _USUAL)


def _differences(stored: Any, found: Any, here: bool, name: str, tolerance: tuple[float, float]) -> list[str]:
    if isinstance(stored, dict) and isinstance(found, dict):
        told = [f"{name}/{key} is gone" for key in stored.keys() - found.keys()]
        told += [f"{name}/{key} is new" for key in found.keys() - stored.keys()]
        for key in stored.keys() & found.keys():
            if here or not key.endswith("_here"):
                own = _TOLERANCES.get(key, tolerance)
                told += _differences(stored[key], found[key], here, f"{name}/{key}", own)
        return sorted(told)
    if isinstance(stored, list) and isinstance(found, list) and len(stored) == len(found):
        pairs = enumerate(zip(stored, found, strict=True))
        return [one for i, (a, b) in pairs for one in _differences(a, b, here, f"{name}[{i}]", tolerance)]
    if _is_number(stored) and _is_number(found) and (isinstance(stored, float) or isinstance(found, float)):
        same = abs(stored - found) <= tolerance[0] + tolerance[1] * abs(stored)
    else:
        same = stored == found
    return [] if same else [f"{name} was {_short(stored)}, is {_short(found)}"]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 160 else f"{text[:150]} ... ({len(text)} letters)"


def read(part: str) -> tuple[dict[str, Any], bool]:
    """What is stored of a part, and whether it was stored on this kind of machine."""
    plain: dict[str, Any] = json.loads((STORED / f"{part}.json").read_text(encoding="utf-8"))
    return plain, plain.pop(_MADE_ON) == machine()


def write(part: str, found: dict[str, Any]) -> None:
    """Store a part; lists of plain values lie on one line."""
    STORED.mkdir(exist_ok=True)
    text = _text(rounded({_MADE_ON: machine(), **found}))
    (STORED / f"{part}.json").write_text(text + "\n", encoding="utf-8")


def rounded(value: Any) -> Any:
    """Floats with six digits, which is all that is compared."""
    if isinstance(value, dict):
        return {key: rounded(held) for key, held in value.items()}
    if isinstance(value, list):
        return [rounded(held) for held in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _text(value: Any, indent: str = "") -> str:
    if isinstance(value, dict) and value:
        deeper = indent + " "
        members = (f"{deeper}{json.dumps(key)}: {_text(held, deeper)}" for key, held in value.items())
        return "{\n" + ",\n".join(members) + f"\n{indent}}}"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def machine() -> str:
    """The kind of processor and the versions of libraries, as a hash."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = [platform.machine()]
    kind = next((line for line in lines if line.startswith("flags")), lines[0])
    versions = [f"{name} {importlib.metadata.version(name)}" for name in _LIBRARIES]
    return hashlib.sha256("\n".join([kind, *versions]).encode()).hexdigest()[:16]
