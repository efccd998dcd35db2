"""Contrastive pretraining: losses by the publication's equations, pairs by its algorithm, and encoders."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from semc_core.errors import UsageError
from semc_core.labels import NON_STANDARD
from semc_core.model.file import read_model, write_model
from semc_core.model.weights import network_arrays
from tests.training.toys import Rows, toy
from training.data.frame_set import FrameSet
from training.initialization import is_head, read_encoder, start_from, write_encoder
from training.losses.nt_xent import UNKNOWN, anatomy_aware, simclr
from training.models import build, new_spec_of
from training.pretrain.config import PretrainOptions
from training.pretrain.module import Partners, PretrainModule, anatomies, kept, read_coarse
from training.schedule import Budget
from training.trainer.callbacks import Callback, FitState, Metrics
from training.trainer.checkpoint import read_checkpoint
from training.trainer.semc import SecondTask
from training.trainer.trainer import BEST, Trainer


def slow_loss(projections: Tensor, known: list[int], tau: float) -> list[float]:
    """Equations 1-3 of arXiv 2208.10642 as they are written, one view after the other."""
    views = [(i, z) for z_pair in (0, 1) for i, z in enumerate(projections[:, z_pair])]
    per_frame = [0.0] * len(projections)
    for n, (i, z_i) in enumerate(views):
        below = sum(math.exp(float(z_i @ z_k) / tau) for k, (_, z_k) in enumerate(views) if k != n)
        # A(i); without an anatomy, the other view of the frame alone (eq. 1).
        positives = [
            z_a
            for a, (j, z_a) in enumerate(views)
            if a != n and (known[j] == known[i] if known[i] != UNKNOWN else j == i)
        ]
        terms = [math.log(math.exp(float(z_i @ z_a) / tau) / below) for z_a in positives]
        per_frame[i] -= sum(terms) / len(positives) / 2
    return per_frame


def projections(count: int) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return F.normalize(torch.randn(count, 2, 128, generator=generator, dtype=torch.float64), dim=2)


@pytest.mark.parametrize("known", [[0, 1, 0, UNKNOWN, 2, UNKNOWN, 1], [UNKNOWN] * 7, [0] * 7])
def test_awcl_is_equations_1_to_3(known: list[int]) -> None:
    z = projections(7)
    expected = torch.tensor(slow_loss(z, known, 0.5), dtype=torch.float64)
    assert torch.allclose(anatomy_aware(z, torch.tensor(known), 0.5), expected, atol=1e-9)


def test_simclr_is_equation_1() -> None:
    z = projections(6)
    expected = torch.tensor(slow_loss(z, [UNKNOWN] * 6, 0.2), dtype=torch.float64)
    assert torch.allclose(simclr(z, 0.2), expected, atol=1e-9)


def test_the_second_task_is_simclr_of_the_pooled_features() -> None:
    torch.manual_seed(1)
    task = SecondTask(features=16)
    pooled = torch.randn(10, 16)  # five frames, then the same again
    z = task.head(pooled)
    assert torch.allclose(task(pooled, views=2), simclr(torch.stack([z[:5], z[5:]], dim=1), 0.5))


def test_partners_are_other_frames_of_the_anatomy_and_else_the_frame_itself() -> None:
    known = torch.tensor([0, 0, 0, 1, UNKNOWN, 2, 2])
    partners = Partners(known)
    generator = torch.Generator().manual_seed(1)
    seen: dict[int, set[int]] = {place: set() for place in range(7)}
    for _ in range(60):
        chosen = torch.randperm(7, generator=generator)
        found = partners.of(chosen, known[chosen], generator)
        for place, partner in zip(chosen.tolist(), found.tolist(), strict=True):
            seen[place].add(partner)
    assert seen == {0: {1, 2}, 1: {0, 2}, 2: {0, 1}, 3: {3}, 4: {4}, 5: {6}, 6: {5}}


def test_the_anatomy_ratio_says_how_often_labels_are_used() -> None:
    known = torch.tensor([3, UNKNOWN]).repeat(2000)
    used = kept(known, 0.3, torch.Generator().manual_seed(1))
    assert float((used[::2] == 3).float().mean()) == pytest.approx(0.3, abs=0.04)
    assert (used[1::2] == UNKNOWN).all()


def test_anatomies_are_fine_or_coarse_and_unknown_without_a_label(tmp_path: Path) -> None:
    classes = ("brain-tv", "brain-tc", "femur", "unlabelled", NON_STANDARD)
    labels = torch.tensor([0, 1, 2, 3, 4])
    data = FrameSet(torch.zeros(5, 4, 4, dtype=torch.uint8), labels, [], classes)
    fine = anatomies(data).tolist()
    assert len(set(fine[:3])) == 3
    assert fine[3:] == [UNKNOWN, UNKNOWN]
    (tmp_path / "coarse.csv").write_text(
        "label,anatomy\nbrain-tv,brain\nbrain-tc,brain\nNSP,background\n", encoding="utf-8"
    )
    coarse = anatomies(data, read_coarse(tmp_path / "coarse.csv")).tolist()
    assert coarse[0] == coarse[1] != coarse[2]
    assert coarse[3] == UNKNOWN != coarse[4]
    with pytest.raises(UsageError, match="label and anatomy"):
        read_coarse(tmp_path / "none.csv")


def pretrained(folder: Path, method: str, steps: int = 6, **changed: object) -> Trainer[PretrainModule]:
    given = {"preset": "semc_tiny", "method": method, "batch": 8, "threads": 1, "validations": 2} | changed
    options = PretrainOptions(Budget(steps=steps), **given)  # type: ignore[arg-type]
    return Trainer(PretrainModule(options, toy(0, 30, seed=1), toy(1000, 12, seed=2)), folder)


def seen_by_the_loss(steps: int, **changed: object) -> list[tuple[Tensor, Tensor, Tensor]]:
    """First views, second views and anatomies of some steps, of pictures that are not changed."""
    given = {"method": "awcl", "preset": "semc_tiny", "batch": 8, "threads": 1, "recipe": "none"} | changed
    options = PretrainOptions(Budget(steps=steps), **given)  # type: ignore[arg-type]
    module = PretrainModule(options, toy(0, 30, seed=1), toy(1000, 12, seed=2))
    seen: list[tuple[Tensor, Tensor, Tensor]] = []

    def look(contrast: torch.nn.Module, arguments: tuple[Tensor, Tensor]) -> None:
        first, second = arguments[0].chunk(2)
        seen.append((first, second, arguments[1]))

    module.contrast.register_forward_pre_hook(look)
    for step in range(steps):
        module.gradient(step, 0.0)
    return seen


def test_awcl_shows_two_frames_of_one_anatomy_and_of_the_unknown_one_twice() -> None:
    for first, second, known in seen_by_the_loss(4):
        same = torch.tensor([torch.equal(one, other) for one, other in zip(first, second, strict=True)])
        assert torch.equal(same, known == UNKNOWN)
        assert bool((known == UNKNOWN).any())
        assert bool((known != UNKNOWN).any())
    for first, second, known in seen_by_the_loss(2, partners="same"):
        assert torch.equal(first, second)
        assert bool((known != UNKNOWN).any())
    for first, second, known in seen_by_the_loss(2, method="simclr"):
        assert torch.equal(first, second)
        assert bool((known == UNKNOWN).all())


@pytest.mark.parametrize("ratio", [0.0, 0.4, 1.0])
def test_awcl_uses_labels_as_often_as_it_is_told(ratio: float) -> None:
    known = torch.cat([known for _, _, known in seen_by_the_loss(30, anatomy_ratio=ratio)])
    assert float((known != UNKNOWN).float().mean()) == pytest.approx(ratio * 2 / 3, abs=0.1)


def test_a_step_of_pretraining_changes_encoder_and_projection_head_and_no_classifier() -> None:
    options = PretrainOptions(Budget(steps=1), "semc_tiny", method="simclr", batch=8, threads=1)
    module = PretrainModule(options, toy(0, 30, seed=1), toy(1000, 12, seed=2))
    before = {name: each.detach().clone() for name, each in module.contrast.named_parameters()}
    assert any(name.startswith("head.") for name in before)
    module.training_step(0, 0.0)
    same = {name for name, each in module.contrast.named_parameters() if torch.equal(each, before[name])}
    assert {name.split(".")[1] for name in same} == {"classifiers", "gate", "projection"}
    assert all(is_head(name.removeprefix("network.")) for name in same)


@pytest.mark.parametrize("method", ["simclr", "awcl"])
def test_a_pretrained_resnet_starts_every_expert_of_semc(method: str, tmp_path: Path) -> None:
    training = pretrained(tmp_path, method)
    assert training.module.labelled == pytest.approx(2 / 3 if method == "awcl" else 0)  # noise alone is NSP
    log = Rows()
    assert training.fit([log])
    assert len(log.rows) == 2
    assert all(np.isfinite(row["validation_loss"]) for row in log.rows)
    path = tmp_path / "encoder.safetensors"
    write_encoder(path, training.best_network(), {"method": method})
    arrays, facts, classes = read_encoder(path)
    assert facts == {"method": method}
    assert classes == ()
    assert not any(name.startswith(("classifiers", "projection", "gate")) for name in arrays)
    best = read_checkpoint(tmp_path / BEST)["network"]
    assert all(np.array_equal(value, best[name].numpy()) for name, value in arrays.items())

    semc = build("semc", "semc_tiny", ("A", "B", "C"))
    before = {name: value.clone() for name, value in semc.state_dict().items()}
    assert start_from(semc, path, ("A", "B", "C")) == {"method": method}
    after = semc.state_dict()
    weight = torch.from_numpy(arrays["experts.0.0.conv1.weight"])
    assert all(torch.equal(after[f"experts.{e}.0.conv1.weight"], weight) for e in range(3))
    assert torch.equal(after["conv1.weight"], torch.from_numpy(arrays["conv1.weight"]))
    for name in ("classifiers.0.weight", "gate.score.weight", "ace.0.out_proj.0.weight"):
        assert torch.equal(after[name], before[name])


def test_pretraining_may_start_from_an_encoder_or_a_model(tmp_path: Path, tiny_model_path: Path) -> None:
    first = pretrained(tmp_path / "first", "simclr")
    assert first.fit()
    path = tmp_path / "encoder.safetensors"
    write_encoder(path, first.best_network(), {"method": "simclr"})
    options = first.module.options
    data = toy(0, 30, seed=1), toy(1000, 12, seed=2)
    second = PretrainModule(options, *data, encoder=path)
    assert second.encoder == second.facts()["encoder"] == {"method": "simclr"}
    started, best = second.network.state_dict(), first.best_network().state_dict()
    same = [name for name in best if not is_head(name) and not name.endswith("num_batches_tracked")]
    assert len(same) > 10
    assert all(torch.equal(started[name], best[name]) for name in same)
    scratch = PretrainModule(options, *data).network.state_dict()
    assert not torch.equal(started["conv1.weight"], scratch["conv1.weight"])
    # The stages of a model's network, too; its ACE and SAMC a plain encoder has no place for.
    model = PretrainModule(options, *data, encoder=tiny_model_path)
    arrays = read_model(tiny_model_path)[1]
    weight = torch.from_numpy(np.array(arrays["conv1.weight"], np.float32))
    assert torch.equal(model.network.state_dict()["conv1.weight"], weight)
    assert set(model.encoder) == {"model_sha256"}
    wrong = replace(options, preset="semc_small")
    with pytest.raises(UsageError, match="is of another network"):
        PretrainModule(wrong, *data, encoder=path)


def test_pretraining_goes_on_where_it_stopped(tmp_path: Path) -> None:
    whole = pretrained(tmp_path / "whole", "awcl")
    assert whole.fit()

    class StoppedError(Exception):
        pass

    class Stop(Callback):
        def on_validation_end(self, state: FitState, row: Metrics) -> None:
            raise StoppedError

    first = pretrained(tmp_path / "parts", "awcl")
    with pytest.raises(StoppedError):
        first.fit([Stop()])
    second = pretrained(tmp_path / "parts", "awcl")
    assert second.resume()
    assert second.step == 3
    assert second.fit()
    assert second.best_score == whole.best_score
    expected, got = whole.best_network().state_dict(), second.best_network().state_dict()
    assert all(torch.equal(got[name], value) for name, value in expected.items())


def test_an_encoder_file_holds_the_weights_as_they_are_however_they_lie_in_memory(tmp_path: Path) -> None:
    network = build("resnet", "semc_tiny", ("A", "B"))
    wanted = {name: value.clone() for name, value in network.state_dict().items()}
    network.to(memory_format=torch.channels_last)
    write_encoder(tmp_path / "encoder.safetensors", network, {})
    arrays, _, _ = read_encoder(tmp_path / "encoder.safetensors")
    assert any(value.ndim == 4 and value.shape[2] == 3 for value in arrays.values())
    assert all(np.array_equal(value, wanted[name].numpy()) for name, value in arrays.items())


def test_a_training_may_start_from_a_model_with_its_heads_if_the_classes_are_the_same(tmp_path: Path) -> None:
    classes = ("DISC", NON_STANDARD)
    model = build("semc", "semc_tiny", classes)
    path = tmp_path / "model.safetensors"
    write_model(path, new_spec_of("semc", "semc_tiny", classes), network_arrays(model))
    same, other = (build("semc", "semc_tiny", names) for names in (classes, ("BAR", NON_STANDARD)))
    start_from(same, path, classes)
    start_from(other, path, ("BAR", NON_STANDARD))
    wanted = model.state_dict()
    assert torch.equal(same.state_dict()["classifiers.1.weight"], wanted["classifiers.1.weight"])
    assert not torch.equal(other.state_dict()["classifiers.1.weight"], wanted["classifiers.1.weight"])
    assert torch.equal(other.state_dict()["ace.0.out_proj.0.weight"], wanted["ace.0.out_proj.0.weight"])


def test_an_encoder_of_another_network_or_a_damaged_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "encoder.safetensors"
    write_encoder(path, build("resnet", "semc_live", ("A", "B")), {})
    network = build("semc", "semc_tiny", ("A", "B"))
    with pytest.raises(UsageError, match="another network"):
        start_from(network, path, ("A", "B"))
    path.write_bytes(b"damaged")
    with pytest.raises(UsageError, match="cannot be read as an encoder"):
        start_from(network, path, ("A", "B"))
