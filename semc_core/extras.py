"""What only some users need: which package belongs to which extra, and the sentence that says how to get it.

A program without PyTorch is a fifth the size. Each part of it that needs more fails with this one sentence.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Final

from semc_core.language import _
from semc_core.paths import ASSETS

PROGRAM: Final = "semc-live"
_PINS: Final = "constraints.txt"
_TRAIN: Final = "train"
_CUDA: Final = "cuda"
_OCR: Final = "ocr"
_CLUSTER: Final = "cluster"
_ONNX: Final = "onnx"
_FHIR: Final = "fhir"
_SEARCH: Final = "search"
_HTTP: Final = "http"
_WEB: Final = "web"

_PACKAGES: Final = {
    "dicomweb_client": ("dicomweb-client", _WEB),
    "fastapi": ("FastAPI", _HTTP),
    "fhir": ("fhir.resources", _FHIR),
    "huggingface_hub": ("Hugging Face's hub", _TRAIN),
    "imagehash": ("ImageHash", _TRAIN),
    "lightning": ("Lightning", _TRAIN),
    "matplotlib": ("Matplotlib", _TRAIN),
    "nncf": ("NNCF", _TRAIN),
    "onnx": ("ONNX", _ONNX),
    "onnxruntime": ("ONNX Runtime", _ONNX),
    "optuna": ("Optuna", _SEARCH),
    "prometheus_client": ("prometheus_client", _HTTP),
    "pyarrow": ("PyArrow", _CLUSTER),
    "rapidocr": ("RapidOCR", _OCR),
    "ray": ("Ray", _CLUSTER),
    "scipy": ("SciPy", _TRAIN),
    "SimpleITK": ("SimpleITK", _TRAIN),
    "sklearn": ("scikit-learn", _TRAIN),
    "starlette": ("FastAPI", _HTTP),
    "tensorboard": ("TensorBoard", _TRAIN),
    "threadpoolctl": ("threadpoolctl", _TRAIN),
    "torch": ("PyTorch", _TRAIN),
    "torchmetrics": ("TorchMetrics", _TRAIN),
    "torchvision": ("torchvision", _TRAIN),
    "uvicorn": ("uvicorn", _HTTP),
}
"""For the name that is imported: its name for people, and the extra that installs it."""

OPTIONAL: Final = tuple(_PACKAGES)


def install_command(extra: str) -> str:
    """What a user types. pip takes the packages of the extra from the program as it is installed."""
    return f'pip install "{requirement(extra)}"'


def requirement(extra: str) -> str:
    """As pip takes it."""
    return f"{PROGRAM}[{extra}]"


INSTALL_TRAINING: Final = install_command(_TRAIN)
INSTALL_GPU: Final = install_command(_CUDA)
INSTALL_READING: Final = install_command(_OCR)
INSTALL_CLUSTER: Final = install_command(_CLUSTER)


def installed(package: str) -> bool:
    """Whether a package can be imported. It is not imported."""
    return importlib.util.find_spec(package) is not None


def needed(module: str | None, what: str = "") -> str:
    """What is said where a package is missing: 'This needs PyTorch: pip install "semc-live[train]"'.

    Args:
        module: What could not be imported, as `ModuleNotFoundError.name` has it.
        what: What cannot be done without; "" for "This".

    Returns:
        A sentence; "" where the package belongs to no extra, so that its absence is a fault.
    """
    package, extra = _PACKAGES.get((module or "").partition(".")[0], ("", ""))
    if not package:
        return ""
    command = install_command(extra)
    if not what:
        return _("This needs {package}: {command}", package=package, command=command)
    return _("{what} needs {package}: {command}", what=what, package=package, command=command)


def lacking(package: str, what: str) -> str:
    """What is said where a package is not installed, as `needed` says it; "" where it is."""
    return "" if installed(package) else needed(package, what)


def requirements(extra: str) -> tuple[str, ...]:
    """What an extra adds, as pip takes it, from what was installed; nothing where the program was not.

    The names themselves, not that of the program: of that, whoever has put something of the same name into an
    index must have nothing to say.
    """
    from importlib.metadata import PackageNotFoundError, requires

    try:
        lines = requires(PROGRAM) or []
    except PackageNotFoundError:
        return ()
    pairs = [line.partition(";") for line in lines]
    return tuple(
        name.strip()
        for name, _semicolon, when in pairs
        if when.replace("'", '"').strip() == f'extra == "{extra}"'
    )


def constraints() -> Path | None:
    """The file of the versions that were tested together; None where it is not there.

    It lies in the working tree, or where pip put it.
    """
    from importlib.metadata import PackageNotFoundError, files

    tree = ASSETS.parent / _PINS
    if tree.is_file():
        return tree
    try:
        held = files(PROGRAM) or []
    except PackageNotFoundError:
        return None
    found = (Path(str(path.locate())).resolve() for path in held if path.name == _PINS)
    return next((path for path in found if path.is_file()), None)
