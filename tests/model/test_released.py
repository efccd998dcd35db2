"""`load_released`, on a small network with the released names. Parity with the real one is tested beside."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from semc_core.errors import ModelFileError
from semc_core.model.importers import load_released
from tests.model.checkpoints import released_state, shrink_released


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    shrink_released(monkeypatch)
    return released_state()


@pytest.mark.parametrize("size", [(33, 33), (65, 40), (97, 131)])
@pytest.mark.parametrize("count", [1, 3])
def test_frames_of_any_size_and_number_have_details(
    state: dict[str, Tensor], size: tuple[int, int], count: int
) -> None:
    network = load_released(state)
    assert not any(module.training for module in network.modules())
    frames = torch.from_numpy(np.random.default_rng(4).standard_normal((count, 3, *size), np.float32))
    with torch.inference_mode():
        details, logits = network.details(frames), network(frames)
    assert torch.equal(details.logits, logits)
    torch.testing.assert_close(details.logits, details.expert_logits.mean(dim=1))
    assert details.expert_logits.shape == (count, 3, 7)
    assert details.embeddings.shape == (count, 3, 128)
    assert details.deep_pooled.shape == (count, 256)
    assert details.maps.shape == (count, 7, *(-(-length // 32) for length in size))
    biases = torch.stack([network.get_parameter(f"classifiers.{e}.bias").detach() for e in range(3)])
    with torch.inference_mode():
        summed = details.maps.mean(dim=(2, 3)) + details.expert_weights @ biases
    torch.testing.assert_close(summed, logits, rtol=0, atol=1e-4)


@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.float64])
def test_the_network_is_a_float32_copy_whatever_the_checkpoint_is(
    state: dict[str, Tensor], kind: torch.dtype
) -> None:
    given = {name: v.to(kind) if v.is_floating_point() else v for name, v in state.items()}
    before = {name: value.clone() for name, value in given.items()}
    network = load_released(given)
    with torch.no_grad():
        for value in network.state_dict().values():
            assert value.dtype in (torch.float32, torch.int64)
            value.add_(1)
    for name, value in given.items():
        assert torch.equal(value, before[name]), name


def test_what_does_not_fit_is_refused_by_name(state: dict[str, Tensor]) -> None:
    for changed, named in (
        ({name: value for name, value in state.items() if name != "conv1.weight"}, "conv1.weight"),
        (state | {"conv1.weight": torch.zeros(8, 1, 7, 7)}, "conv1.weight"),
        (state | {"classifiers.1.weight": torch.zeros(9, 256)}, "classifiers.1.weight"),
        (state | {"cab.fc1.weight": state["cab.fc1.weight"].int()}, "samc.0.channel.fc1.weight"),
        (state | {"extra": torch.zeros(1)}, "extra"),
    ):
        with pytest.raises(ModelFileError, match=named):
            load_released(changed)


def test_a_checkpoint_of_something_else_is_refused(state: dict[str, Tensor]) -> None:
    for given in ({"epoch": 3}, {"model": state}, None, [1, 2]):
        with pytest.raises(ModelFileError, match="not a state dict"):
            load_released(given)  # type: ignore[arg-type]
    with pytest.raises(ModelFileError, match="not a checkpoint of the released"):
        load_released({"conv1.weight": torch.zeros(64, 3, 7, 7)})
