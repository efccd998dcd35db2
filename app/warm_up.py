"""Import on the main thread, before there is another, what the window's threads will need.

Python lets two threads import at once, and what is imported may look at what the other has imported in part:
while pydantic was loaded on one thread and OpenVINO on another, a scan sometimes could not begin
("cannot import name 'import_string' from partially initialized module"). And loading a library keeps Python
from doing anything else, on whichever thread it happens: 0.3 s for OpenVINO, more for PyTorch. Later the
window would stand still for it.
"""

from __future__ import annotations

import importlib
from typing import Final

from semc_core.extras import installed
from semc_core.io import documents
from semc_core.runtime.load import nvidia_gpu_present

_NEEDED: Final = (
    "semc_core.sources.open",
    "semc_core.model.catalogue",
    "semc_core.protocols.models",
    "semc_core.sources.video",
    "semc_core.sources.live.camera",
    "semc_core.sources.live.stream",
    "semc_core.sources.simulated",
    "semc_core.sources.devices.find",
    "semc_core.sources.devices.script",
    "semc_core.sources.devices.simulated",
    "numpy.random",
    "cryptography.hazmat.primitives.asymmetric.ed25519",
)
"""What the threads of a window import when they need it."""


def warm_up(device: str) -> None:
    """Import what scans, reviews and lists need; to be called before the window is made.

    Args:
        device: One of `semc_core.runtime.load.DEVICES`.
    """
    documents.load()
    on_gpu = device in ("auto", "cuda") and nvidia_gpu_present()
    by_torch = (on_gpu or device == "torch-cpu") and installed("torch")
    runtime = "torch" if by_torch else "openvino"
    for module in (f"semc_core.runtime.{runtime}.runtime", *_NEEDED):
        importlib.import_module(module)
