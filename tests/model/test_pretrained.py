"""An encoder that starts from a torchvision ResNet: from a file, or downloaded, or told why not."""

from __future__ import annotations

import urllib.error
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.models import resnet18, resnet50

from semc_core.cli import model
from semc_core.errors import ModelFileError, UsageError
from semc_core.model.architecture import PRESETS
from semc_core.model.file import read_model
from semc_core.model.importers import DOWNLOAD, start_pretrained
from semc_core.model.network import SemcNetwork
from tests.cli import commands

R18 = PRESETS["semc_r18"].architecture


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    weights: dict[str, Tensor] = resnet18().state_dict()
    return weights


def assert_starts_from(network: SemcNetwork, state: dict[str, Tensor]) -> None:
    ours = network.state_dict()
    for name in ("conv1.weight", "bn1.running_var", "layer3.1.conv2.weight"):
        assert torch.equal(ours[name], state[name])
    for expert in range(3):
        assert torch.equal(
            ours[f"experts.{expert}.0.downsample.0.weight"], state["layer4.0.downsample.0.weight"]
        )
        assert torch.equal(ours[f"experts.{expert}.1.bn2.running_mean"], state["layer4.1.bn2.running_mean"])


@pytest.mark.parametrize("wrapped", [False, True])
def test_every_expert_starts_from_the_stage_four_of_a_file(
    state: dict[str, Tensor], tmp_path: Path, wrapped: bool
) -> None:
    path = tmp_path / "resnet18.pth"
    torch.save({"state_dict": {f"module.{n}": v for n, v in state.items()}} if wrapped else state, path)
    network = SemcNetwork(R18, 7)
    start_pretrained(network, str(path))
    assert_starts_from(network, state)


def test_the_download_is_torchvisions_own_and_checked(
    state: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(url: str, **options: Any) -> dict[str, Tensor]:
        assert url.endswith("resnet18-f37072fd.pth")
        assert options["check_hash"]
        assert options["weights_only"]
        return state

    monkeypatch.setattr("torch.hub.load_state_dict_from_url", download)
    network = SemcNetwork(R18, 7)
    start_pretrained(network, DOWNLOAD)
    assert_starts_from(network, state)


def test_offline_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(url: str, **_: Any) -> NoReturn:
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr("torch.hub.load_state_dict_from_url", offline)
    with torch.device("meta"):
        network = SemcNetwork(PRESETS["semc_r50"].architecture, 7)
    said = r"could not be downloaded from https://\S+resnet50\S+ .*give the file"
    with pytest.raises(ModelFileError, match=said):
        start_pretrained(network, DOWNLOAD)


def test_what_is_no_such_resnet_is_refused(tmp_path: Path) -> None:
    with torch.device("meta"):
        network, narrow = SemcNetwork(R18, 7), SemcNetwork(replace(R18, width=32), 7)
        deeper = resnet50()
    with pytest.raises(UsageError, match="no ResNet of the form"):
        start_pretrained(narrow, DOWNLOAD)
    with pytest.raises(ModelFileError, match="There is no checkpoint"):
        start_pretrained(network, str(tmp_path / "none.pth"))
    path = tmp_path / "resnet50.pth"
    torch.save({n: torch.zeros(v.shape) for n, v in list(deeper.state_dict().items())[:60]}, path)
    with pytest.raises(ModelFileError, match=r"another shape|has no"):
        start_pretrained(network, str(path))


def test_a_file_to_start_a_training_from_says_that_it_is_not_trained(
    state: dict[str, Tensor], tmp_path: Path
) -> None:
    given, out = tmp_path / "resnet18.pth", tmp_path / "start.safetensors"
    torch.save(state, given)
    assert (
        run("start", "--preset", "semc_r18", "--resnet", str(given), "--classes", "A,NSP", "--out", str(out))
        == 0
    )
    spec, arrays = read_model(out)
    assert spec.classes == ("A", "NSP")
    assert spec.notice.startswith("Not trained")
    for expert in range(3):
        ours = arrays[f"experts.{expert}.1.conv2.weight"]
        assert np.array_equal(ours, state["layer4.1.conv2.weight"].numpy())
    with pytest.raises(UsageError, match="no ResNet of the form"):
        run("start", "--preset", "semc_live", "--resnet", DOWNLOAD, "--classes", "A,NSP", "--out", str(out))


def run(*arguments: str) -> int:
    return commands.run(model.app, *arguments)
