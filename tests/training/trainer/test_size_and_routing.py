"""Pictures of another size than the preset's, and a gate that chooses one expert, in a training."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from main import main
from semc_core.errors import UsageError
from semc_core.model.file import read_spec
from semc_core.model.network import SemcNetwork
from semc_core.model.sononet import SonoNet
from semc_core.runtime.openvino.runtime import OpenVinoRuntime
from semc_core.runtime.torch.runtime import TorchRuntime
from tests.training.toy_folder import write_toy_folder
from tests.training.toys import CLASSES, options, toy, toy_trainer
from training.data.frame_set import FrameSet
from training.inference import classify
from training.losses.config import LossOptions
from training.models import preset_of
from training.publish import finish
from training.schedule import Budget
from training.trainer.semc import SemcModule
from training.transforms.augment import Augmenter, to_side
from training.transforms.config import AugmentOptions
from training.transforms.recipes import RECIPES, make_recipe

pytestmark = pytest.mark.usefixtures("one_thread")
WIDE = (64, 96)


def wide(data: FrameSet) -> FrameSet:
    """The same pictures with black beside them, as a letterbox has."""
    return replace(data, frames=torch.nn.functional.pad(data.frames, (16, 16)))


def module_of(**given: Any) -> SemcModule:
    told = options(10, batch=8, **given)
    return SemcModule(told, wide(toy(0, 30, seed=1)), wide(toy(1000, 12, seed=2)))


@pytest.mark.parametrize("progress", [0.1, 0.9])
def test_a_network_learns_and_is_judged_at_the_size_that_is_asked_for(progress: float) -> None:
    module = module_of(method="sononet16", size=WIDE, progressive=True)
    assert (module.preprocessing.height, module.preprocessing.width) == WIDE
    seen: list[tuple[int, ...]] = []
    for network in (module.network, module.best_network()):
        assert isinstance(network, SonoNet)
        network.features.register_forward_pre_hook(lambda _, given: seen.append(tuple(given[0].shape)))
    assert np.isfinite(module.training_step(0, progress)["loss"])
    module.validate(progress)
    assert seen == [(8, 1, *WIDE), (12, 1, *WIDE)]  # 0.8 of 64 rows, rounded to whole 32, is 64


def test_the_size_is_in_the_model_file_that_a_training_writes(tmp_path: Path) -> None:
    out = tmp_path / "sononet.safetensors"
    given = ["--preset", "semc_tiny", "--method", "sononet16", "--set", "size=[64, 96]", "--steps", "2"]
    given += ["--batch", "8", "--validations", "1", "--threads", "1", "--out", str(out)]
    assert main(["train", "--data", str(write_toy_folder(tmp_path / "toy", 60)), *given]) == 0
    spec = read_spec(out)
    assert (spec.preprocessing.height, spec.preprocessing.width) == WIDE
    assert "size = [64, 96]" in (out.with_suffix(".run") / "config.toml").read_text(encoding="utf-8")
    runtime = OpenVinoRuntime(out, threads=1)
    try:
        assert len(runtime.classify(np.zeros((1, 1, *WIDE), np.float32))) == 1
    finally:
        runtime.close()


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_keeps_the_shape_of_the_pictures(name: str) -> None:
    frames = wide(toy(0, 6, seed=1)).frames
    change = make_recipe(name, torch.Generator().manual_seed(1))
    assert change(frames, 64).shape == (6, 1, 64, 96)
    assert change(frames, 32).shape == (6, 1, 32, 48)


def test_what_is_turned_in_a_wide_picture_keeps_its_shape() -> None:
    rows, columns = np.mgrid[0:64, 0:96]
    disc = (np.hypot(rows - 31.5, columns - 47.5) < 20).astype(np.uint8) * 255
    still = {"scale": (1.0, 1.0), "shift": 0.0, "stretch": 0.0, "gamma": 1.0, "gain": 1.0, "tilt": 0.0}
    turned = AugmentOptions(turn_deg=90.0, noise=0.0, erase=0.0, shadow=0.0, blur=0.0, **still)  # type: ignore[arg-type]
    found = Augmenter(torch.Generator().manual_seed(2), turned)(
        torch.from_numpy(disc)[None].repeat(8, 1, 1), 64
    )
    apart = (found - to_side(torch.from_numpy(disc)[None], 64)).abs()
    assert float(apart.mean()) < 0.02


def test_a_size_that_no_network_takes_is_refused() -> None:
    with pytest.raises(UsageError, match="must be 32 to 2048"):
        options(1, size=(16, 64))


def chosen(module: SemcModule, frames: Tensor) -> Tensor:
    """int64 (N,), the expert that the gate of the kept network chooses for each frame."""
    with torch.no_grad():
        pictures = to_side(frames, 64)
        return module.best_network().eval().details(pictures).expert_weights.argmax(dim=1)


def test_a_training_by_top1_logs_each_experts_use_and_ends_in_a_file_that_both_runtimes_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semc_core.runtime.openvino.runtime.cache_folder", lambda: tmp_path / "cache")
    told = options(6, batch=16, routing="top1", average=0.0, losses=LossOptions(queue_size=64, balance=0.1))
    trainer = toy_trainer(told, tmp_path / "run")
    assert trainer.fit()
    with (tmp_path / "run" / "log.csv").open(newline="", encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    for row in rows:
        shares = [float(row[f"use_{number}"]) for number in (1, 2, 3)]
        assert sum(shares) == pytest.approx(1, abs=1e-4)
        # Every frame goes to one expert: shares are whole numbers of the frames that were seen.
        assert [share * 16 * 3 for share in shares] == pytest.approx(
            [round(share * 16 * 3) for share in shares], abs=1e-3
        )
    path, data = tmp_path / "top1.safetensors", trainer.module.validation_set
    train = trainer.module.train_set
    network = trainer.best_network()
    spec = finish(network, told, train, data, path, "toy", {})
    assert (spec.architecture.routing, spec.architecture.preset) == ("top1", "semc_tiny top1")
    expected = torch.softmax(classify(network, data.frames, spec.preprocessing).logits, 1)
    inputs = ((to_side(data.frames, 64) - spec.preprocessing.mean[0]) / spec.preprocessing.std[0]).numpy()
    for runtime in (OpenVinoRuntime(path, threads=1), TorchRuntime(path, "cpu", threads=1)):
        found = torch.softmax(torch.from_numpy(runtime.raw(inputs).logits), 1)
        np.testing.assert_allclose(found, expected, atol=1e-4)
        runtime.close()


def test_a_network_without_experts_has_none_to_choose() -> None:
    with pytest.raises(UsageError, match="no experts to choose one from"):
        preset_of(options(1, method="resnet", routing="top1"))
    with pytest.raises(UsageError, match="no routing 'switch'"):
        options(1, routing="switch")
    assert preset_of(options(1, method="semc-plain", routing="top1")).architecture.routing == "top1"


def test_a_training_that_chooses_starts_from_a_mixture_with_a_gate_of_its_own(tmp_path: Path) -> None:
    mixture = toy_trainer(options(1, batch=8), tmp_path / "run")
    assert mixture.fit()
    path = tmp_path / "mixture.safetensors"
    finish(mixture.best_network(), mixture.module.options, mixture.module.train_set,
           mixture.module.validation_set, path, "toy", {})  # fmt: skip
    module = SemcModule(
        replace(options(1, batch=8, routing="top1"), budget=Budget(steps=1)), toy(0, 30, seed=1),
        toy(1000, 12, seed=2), path,
    )  # fmt: skip
    kept = mixture.best_network()
    name = "experts.1.0.conv1.weight"
    torch.testing.assert_close(module.network.get_parameter(name), kept.get_parameter(name))
    assert isinstance(module.network, SemcNetwork)
    assert module.network.gate.score.weight.shape[1] == 32  # of F3, and not of stage 4
    assert module.train_set.classes == CLASSES
