"""What the losses are put together from: shares, means, alpha, the queue, which loss is taken, limits."""

from __future__ import annotations

import inspect
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from semc_core.errors import UsageError
from tests.training.losses.test_losses_by_name import batch, details
from training.losses.alpha import AlphaNetwork
from training.losses.config import LossOptions
from training.losses.contrastive import anchors, contrast_set, log_shares, mean_over
from training.losses.gpaco import parametric_contrastive
from training.losses.memory_bank import MemoryBank
from training.losses.moe import gated_cross_entropy, inverse_frequency
from training.losses.nt_xent import anatomy_aware, simclr
from training.losses.selfcon import pseudo_label_contrastive, self_contrastive
from training.losses.semc import SemcLoss
from training.losses.supcon import supervised_contrastive
from training.losses.supmin import supervised_minority

NOTHING = (torch.zeros(0, 8), torch.zeros(0, dtype=torch.long))


def test_the_mean_is_over_the_positives_and_nothing_where_there_are_none() -> None:
    shares = torch.tensor([[-1.0, -2.0, -4.0]] * 3)
    positive = torch.tensor([[True, False, True], [False, True, False], [False, False, False]])
    assert mean_over(shares, positive).tolist() == [2.5, 2.0, 0.0]


def test_shares_are_logarithms_that_add_up_to_one_without_the_anchor_itself() -> None:
    embeddings, labels, queue = batch()
    contrast = contrast_set(embeddings, labels, queue)
    for every_view in (False, True):
        queries = anchors(embeddings, labels, contrast, every_view)
        shares = log_shares(queries, contrast, 0.3)
        own = ~queries.not_own(len(contrast.features))
        assert torch.equal(own.nonzero()[:, 1], queries.rows)
        assert shares[own].tolist() == [0.0] * len(queries.rows)
        assert shares.exp().masked_fill(own, 0).sum(dim=1).tolist() == pytest.approx([1.0] * len(shares))
        assert torch.equal(contrast.features[queries.rows], queries.features)
        assert torch.equal(contrast.labels[queries.rows], queries.labels)


def test_a_pairs_share_of_an_nt_xent_batch_by_hand() -> None:
    # Two frames with two equal views each, at right angles to the other: one neighbour at 1, two at 0.
    views = torch.eye(8)[:2, None].repeat(1, 2, 1)
    expected = -float(torch.log_softmax(torch.tensor([1.0, 0.0, 0.0]) / 0.5, 0)[0])
    assert simclr(views, 0.5).tolist() == pytest.approx([expected] * 2)


def test_known_anatomies_are_pulled_together_and_unknown_ones_to_themselves_alone() -> None:
    embeddings, _, _ = batch()
    anatomies = torch.tensor([0, -1, 1, 0, -1])
    ours = anatomy_aware(embeddings, anatomies, 0.2)
    supervised = supervised_contrastive(embeddings, anatomies, NOTHING, 0.2, every_view=True)
    alone = simclr(embeddings, 0.2)
    for sample, known in enumerate((True, False, True, True, False)):
        assert float(ours[sample]) == pytest.approx(float((supervised if known else alone)[sample]))
    assert not torch.allclose(supervised, alone)


def test_alpha_fills_its_bounds_and_the_usual_ones_are_a_twentieth_from_the_ends() -> None:
    alpha, pooled = AlphaNetwork(4), torch.ones(3, 4)
    for bias, bound in ((-1000.0, 0.05), (1000.0, 0.95)):
        alpha.layers[2].bias = torch.nn.Parameter(torch.tensor([bias]))
        assert alpha(pooled).tolist() == pytest.approx([bound] * 3)
    assert alpha.layers[0].out_features == 64
    middle = AlphaNetwork(4, (0.2, 0.4))
    for each in middle.parameters():
        torch.nn.init.zeros_(each)
    assert middle(pooled).tolist() == pytest.approx([0.3] * 3)


def test_what_is_not_said_is_as_published() -> None:
    said = inspect.signature(parametric_contrastive).parameters
    assert (said["pair_weight"].default, said["smoothing"].default) == (0.05, 0.1)
    for loss in (supervised_contrastive, self_contrastive, supervised_minority):
        assert inspect.signature(loss).parameters["every_view"].default is False
    usual = LossOptions()
    assert (usual.alpha, usual.alpha_bounds, usual.self_weight, usual.temperature) == (
        0.5, (0.05, 0.95), 0.1, 0.2,
    )  # fmt: skip
    assert (usual.queue_size, usual.smoothing, usual.pair_weight, usual.pair_smoothing) == (
        2048, 0.05, 0.05, 0.1,
    )  # fmt: skip
    assert (usual.every_view, usual.pseudo_labels, usual.views, usual.gate_start) == (False, False, 1, None)


@pytest.mark.parametrize("every_view", [False, True])
@pytest.mark.parametrize("contrast", ["supcon", "supmin", "gpaco"])
def test_the_named_loss_stands_for_l_sup_with_the_queue_as_it_was(contrast: str, every_view: bool) -> None:
    embeddings, labels, queue = batch(size=6, queued=9, features=128)
    counts = torch.tensor([3, 7, 5])
    options = LossOptions(contrast=contrast, every_view=every_view, queue_size=40)
    loss = SemcLoss(4, options, counts)
    loss.queue.add(*queue)
    found = details(embeddings)
    ours = loss(found, labels)
    expected = {
        "supcon": supervised_contrastive(embeddings, labels, queue, 0.2, every_view=every_view),
        "supmin": supervised_minority(embeddings, labels, queue, 0.2, 1, every_view=every_view),
        "gpaco": parametric_contrastive(embeddings, found.expert_logits, labels, queue, 0.2),
    }
    assert torch.allclose(ours.supcon, expected.pop(contrast))
    assert not any(torch.allclose(ours.supcon, other) for other in expected.values())
    alone = self_contrastive(embeddings, labels, queue, 0.2, every_view=every_view)
    assert torch.allclose(ours.selfcon, alone)
    assert len(loss.queue.contents()[0]) == 9 + 6 * 2


def test_guesses_are_taken_from_the_gated_logits_of_now_and_of_then() -> None:
    embeddings, labels, _ = batch(size=6, features=128)
    loss = SemcLoss(4, LossOptions(pseudo_labels=True, queue_size=20))
    first, second = details(embeddings, seed=1), details(embeddings.flip(0), seed=2)
    loss(first, labels)
    keys, guesses = (each.clone() for each in loss.queue.guessed())
    assert guesses.tolist() == first.logits.argmax(dim=1).repeat_interleave(2).tolist()
    assert torch.equal(keys, embeddings[:, 1:].flatten(0, 1))
    assert loss.queue.contents()[1].tolist() == labels.repeat_interleave(2).tolist()
    ours = loss(second, labels).selfcon
    named = second.logits.argmax(dim=1)
    assert torch.allclose(ours, pseudo_label_contrastive(embeddings.flip(0), named, (keys, guesses), 0.2))


def test_cross_entropy_alone_learns_no_alpha_and_remembers_nothing() -> None:
    embeddings, labels, _ = batch(size=6, features=128)
    loss = SemcLoss(4, LossOptions(contrast="none", alpha=None, smoothing=0.0))
    found = details(embeddings)
    parts = loss(found, labels)
    assert not list(loss.parameters())
    assert parts.alpha.tolist() == [1.0] * 6
    assert parts.supcon.tolist() == parts.selfcon.tolist() == [0.0] * 6
    assert torch.equal(parts.total, F.cross_entropy(found.logits, labels, reduction="none"))
    assert len(loss.queue.contents()[0]) == 0
    assert loss.alpha(found.fused_pooled).tolist() == [1.0] * 6


def test_a_network_without_projections_is_refused_where_they_are_needed() -> None:
    embeddings, labels, _ = batch(size=6, features=128)
    without = replace(details(embeddings), embeddings=None)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="has no projection"):
        SemcLoss(4, LossOptions())(without, labels)
    assert len(SemcLoss(4, LossOptions(contrast="none"))(without, labels).total) == 6


def test_class_weights_come_from_the_counts_and_are_kept_in_no_checkpoint() -> None:
    counts = torch.tensor([1, 0, 7])
    weighed = SemcLoss(4, LossOptions(class_weights="inverse"), counts)
    assert weighed.class_weights.tolist() == pytest.approx([3.0, 3.0, 9 / 21])  # type: ignore[operator]
    assert "class_weights" not in weighed.state_dict()
    assert weighed.majority == 2
    assert SemcLoss(4, LossOptions(), counts).class_weights is None
    assert SemcLoss(4, LossOptions()).majority == -1
    with pytest.raises(UsageError, match="number of samples of each class"):
        SemcLoss(4, LossOptions(class_weights="inverse"))
    with pytest.raises(UsageError, match="number of samples of each class"):
        SemcLoss(4, LossOptions(contrast="supmin"))
    assert inverse_frequency(torch.tensor([2, 0, 2])).tolist() == pytest.approx([5 / 6, 5 / 3, 5 / 6])


def test_label_smoothing_spreads_its_share_evenly() -> None:
    logits, labels = torch.tensor([[2.0, 0.0, -1.0]]), torch.tensor([1])
    logs = torch.log_softmax(logits[0], 0)
    expected = -float(0.7 * logs[1] + 0.3 * logs.mean())
    assert gated_cross_entropy(logits, labels, None, 0.3).tolist() == pytest.approx([expected])
    assert gated_cross_entropy(logits, labels).tolist() == pytest.approx([-float(logs[1])])


def rows(*values: int) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)[:, None].repeat(1, 2)


def test_the_queue_is_written_round_and_a_batch_larger_than_it_leaves_its_end() -> None:
    queue = MemoryBank(4, 2)
    for given, kept in (
        ((1, 2, 3), [1, 2, 3]),
        ((4, 5), [5, 2, 3, 4]),
        ((6, 7, 8, 9, 10, 11), [9, 10, 11, 8]),
    ):
        queue.add(rows(*given), torch.tensor(given), torch.tensor(given) + 100)
        keys, labels = queue.contents()
        assert keys[:, 0].tolist() == labels.tolist() == kept
        assert queue.guessed()[1].tolist() == [each + 100 for each in kept]
    assert int(queue.written) == 11
    assert set(queue.state_dict()) == {"keys", "labels", "guesses", "written"}


def test_a_queue_of_nothing_and_a_queue_of_one() -> None:
    nothing, one = MemoryBank(0, 2), MemoryBank(1, 2)
    for queue in (nothing, one):
        assert len(queue.contents()[0]) == 0
        queue.add(rows(1, 2).requires_grad_(), torch.tensor([1, 2]))
    assert (len(nothing.contents()[0]), int(nothing.written)) == (0, 0)
    assert one.contents()[1].tolist() == one.guessed()[1].tolist() == [2]
    assert not one.contents()[0].requires_grad


ALLOWED: tuple[dict[str, object], ...] = (
    {"alpha": 0.0}, {"alpha": 1.0}, {"alpha_bounds": (0.0, 1.0)}, {"smoothing": 0.0}, {"pair_smoothing": 0.0},
    {"temperature": 0.001}, {"gate_start": 0.001}, {"views": 1}, {"queue_size": 0}, {"self_weight": 0.0},
    {"pair_weight": 0.0}, {"smoothing": 0.99}, {"alpha": None, "alpha_bounds": (0.4, 0.5)},
)  # fmt: skip
REFUSED: tuple[dict[str, object], ...] = (
    {"alpha": -0.1}, {"alpha": 1.1}, {"alpha_bounds": (-0.1, 0.5)}, {"alpha_bounds": (0.5, 1.1)},
    {"alpha_bounds": (0.5, 0.5)}, {"alpha_bounds": (0.6, 0.5)}, {"smoothing": -0.1}, {"smoothing": 1.0},
    {"smoothing": 1.5}, {"pair_smoothing": 1.0}, {"pair_smoothing": -0.1}, {"temperature": 0.0},
    {"temperature": -1.0}, {"gate_start": 0.0}, {"gate_start": -1.0}, {"views": 0}, {"queue_size": -1},
    {"self_weight": -0.1}, {"pair_weight": -0.1}, {"contrast": "other"}, {"class_weights": "other"},
)  # fmt: skip


@pytest.mark.parametrize("given", ALLOWED, ids=str)
def test_the_limits_themselves_are_allowed(given: dict[str, object]) -> None:
    made = LossOptions(**given)  # type: ignore[arg-type]
    assert {name: getattr(made, name) for name in given} == given


@pytest.mark.parametrize("given", REFUSED, ids=str)
def test_beyond_the_limits_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        LossOptions(**given)  # type: ignore[arg-type]
