"""The same frames through a model here and in a new process, which runs this file as a module."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from semc_core.runtime.load import load_runtime
from semc_core.types import Prediction

ROOT = Path(__file__).resolve().parents[2]


def noise_frames(count: int) -> NDArray[np.float32]:
    """float32 (count, 1, 64, 64), for the tiny network; the same ones each time."""
    return np.random.default_rng(3).standard_normal((count, 1, 64, 64)).astype(np.float32)


def digest_of(predictions: Iterable[Prediction]) -> str:
    """Of every byte of every number."""
    digest = hashlib.sha256()
    for p in predictions:
        for values in (p.probabilities, p.maps, p.expert_weights, np.float64(p.novelty)):
            digest.update(values.tobytes())
    return digest.hexdigest()


def classified_elsewhere(model: Path, cache: Path) -> str:
    """The digest of two frames that a new process classifies on the CPU, where PyTorch must not be loaded."""
    arguments = [sys.executable, "-m", "tests.runtime.elsewhere", str(model), str(cache)]
    return subprocess.run(
        arguments, cwd=ROOT, check=True, capture_output=True, encoding="utf-8"
    ).stdout.strip()


def main() -> None:
    """What the new process does."""
    model, cache = map(Path, sys.argv[1:])
    with patch("semc_core.runtime.openvino.runtime.cache_folder", lambda: cache):
        runtime = load_runtime(model, "cpu", threads=1)
    print(digest_of(runtime.classify(noise_frames(2))))
    assert "torch" not in sys.modules, "PyTorch was imported"


if __name__ == "__main__":
    main()
