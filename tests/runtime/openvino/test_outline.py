"""The outline network in OpenVINO gives what it gives in PyTorch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from semc_core.errors import RuntimeFault
from semc_core.model.outline import OutlineSpec, write_outline
from semc_core.runtime.openvino.outline import OutlineRuntime
from tests.model.test_outline import random_arrays
from training.measure.network import OutlineNetwork


@pytest.mark.long
@pytest.mark.parametrize("channels", [(4, 6, 8), (8, 12), (24, 48, 96, 128, 160)])
@pytest.mark.usefixtures("one_thread")
def test_both_give_the_same_masks_and_presence(tmp_path: Path, channels: tuple[int, ...]) -> None:
    spec = OutlineSpec(height=64, width=96, channels=channels)
    arrays = random_arrays(spec)
    path = tmp_path / "outline.safetensors"
    write_outline(path, spec, arrays)
    network = OutlineNetwork(spec)
    state = {name: torch.from_numpy(each) for name, each in arrays.items()}
    missing = network.load_state_dict(state, strict=False)
    assert not missing.unexpected_keys
    assert all(name.endswith("num_batches_tracked") for name in missing.missing_keys)
    inputs = np.random.default_rng(2).random((3, 1, 64, 96), np.float32)
    with torch.no_grad():
        masks, presences = network.eval()(torch.from_numpy(inputs))
    runtime = OutlineRuntime(path, threads=2)
    found_masks, found_presences = runtime.run(inputs)
    runtime.close()
    spread = float(masks.std())
    assert spread > 1e-3
    assert np.abs(found_masks - masks.numpy()).max() < 1e-3 * spread
    assert np.abs(found_presences - presences.numpy()).max() < 1e-4 * max(1.0, float(presences.abs().max()))


def test_a_closed_runtime_says_so(tmp_path: Path) -> None:
    spec = OutlineSpec(height=64, width=96, channels=(4, 6, 8))
    path = tmp_path / "outline.safetensors"
    write_outline(path, spec, random_arrays(spec))
    runtime = OutlineRuntime(path, threads=1)
    runtime.close()
    runtime.close()
    with pytest.raises(RuntimeFault, match="closed"):
        runtime.run(np.zeros((1, 1, 64, 96), np.float32))
