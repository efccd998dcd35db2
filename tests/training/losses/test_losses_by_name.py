"""GPaCo, SupMin, pseudo-labels and the rest, against slow, obvious loops; several processes as one."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from semc_core.errors import UsageError
from semc_core.model.network import Details
from training.losses.config import CONTRASTS, LOSS_RECIPES, Compared, LossOptions, loss_recipe
from training.losses.contrastive import ALONE, Ranks
from training.losses.gpaco import parametric_contrastive
from training.losses.memory_bank import MemoryBank
from training.losses.moe import inverse_frequency
from training.losses.selfcon import pseudo_label_contrastive, self_contrastive
from training.losses.semc import LossParts, SemcLoss
from training.losses.supcon import supervised_contrastive
from training.losses.supmin import supervised_minority

TEMPERATURE = 0.2
CLASSES = 3
Queue = tuple[Tensor, Tensor]


def batch(seed: int = 0, size: int = 5, queued: int = 4, features: int = 8) -> tuple[Tensor, Tensor, Queue]:
    generator = torch.Generator().manual_seed(seed)
    embeddings = F.normalize(torch.randn(size, 3, features, generator=generator), dim=2)
    labels = torch.randint(0, CLASSES, (size,), generator=generator)
    keys = F.normalize(torch.randn(queued, features, generator=generator), dim=1)
    return embeddings, labels, (keys, torch.randint(0, CLASSES, (queued,), generator=generator))


def entries(embeddings: Tensor, labels: Tensor, queue: Queue) -> list[tuple[Tensor, int, tuple[int, int]]]:
    """Vector, label and (expert, sample) of everything in the contrast."""
    own = [
        (embeddings[sample, expert], int(labels[sample]), (expert, sample))
        for expert in range(embeddings.shape[1])
        for sample in range(len(labels))
    ]
    return own + [(key, int(label), (-1, -1)) for key, label in zip(*queue, strict=True)]


def obvious(
    embeddings: Tensor, labels: Tensor, queue: Queue, is_positive: Callable[[int, int, int, int], bool]
) -> list[float]:
    """The mean over every view as query; `is_positive` gets its sample and label, and an entry's."""
    everything = entries(embeddings, labels, queue)
    losses = []
    for sample, label in enumerate(labels.tolist()):
        of_views = []
        for view in range(embeddings.shape[1]):
            query = embeddings[sample, view]
            others = [entry for entry in everything if entry[2] != (view, sample)]
            total = sum(math.exp(float(query @ vector) / TEMPERATURE) for vector, _, _ in others)
            terms = [
                math.log(math.exp(float(query @ vector) / TEMPERATURE) / total)
                for vector, other, place in others
                if is_positive(sample, label, place[1], other)
            ]
            of_views.append(-sum(terms) / len(terms))
        losses.append(sum(of_views) / len(of_views))
    return losses


@pytest.mark.parametrize("queued", [0, 4])
def test_every_view_may_be_a_query(queued: int) -> None:
    embeddings, labels, queue = batch(queued=queued)
    ours = supervised_contrastive(embeddings, labels, queue, TEMPERATURE, every_view=True)
    expected = obvious(embeddings, labels, queue, lambda sample, label, other, theirs: label == theirs)
    assert ours.tolist() == pytest.approx(expected, rel=1e-4)
    ours = self_contrastive(embeddings, labels, queue, TEMPERATURE, every_view=True)
    expected = obvious(embeddings, labels, queue, lambda sample, label, other, theirs: sample == other)
    assert ours.tolist() == pytest.approx(expected, rel=1e-4)


def test_the_majority_is_pulled_together_by_its_own_views_alone() -> None:
    embeddings, labels, queue = batch(seed=1)
    majority = int(labels[0])

    def is_positive(sample: int, label: int, other: int, theirs: int) -> bool:
        return sample == other if label == majority else label == theirs

    ours = supervised_minority(embeddings, labels, queue, TEMPERATURE, majority, every_view=True)
    assert ours.tolist() == pytest.approx(obvious(embeddings, labels, queue, is_positive), rel=1e-4)


@pytest.mark.parametrize("queued", [0, 4])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_gpaco_is_the_obvious_sum(queued: int, smoothing: float) -> None:
    embeddings, labels, queue = batch(seed=2, queued=queued)
    logits = torch.randn(5, 3, CLASSES, generator=torch.Generator().manual_seed(7)) * 3
    everything = entries(embeddings, labels, queue)
    ours = parametric_contrastive(embeddings, logits, labels, queue, TEMPERATURE, 0.05, smoothing)
    for sample, loss in enumerate(ours):
        label, of_views = int(labels[sample]), []
        for view in range(3):
            others = [entry for entry in everything if entry[2] != (view, sample)]
            scores = [float(z) for z in logits[sample, view]]
            scores += [float(embeddings[sample, view] @ vector) / TEMPERATURE for vector, _, _ in others]
            weights = [1 - smoothing if k == label else smoothing / (CLASSES - 1) for k in range(CLASSES)]
            weights += [0.05 * (other == label) for _, other, _ in others]
            total = math.log(sum(math.exp(score) for score in scores))
            summed = sum(w * (score - total) for w, score in zip(weights, scores, strict=True))
            of_views.append(-summed / sum(weights))
        assert float(loss) == pytest.approx(sum(of_views) / 3, rel=1e-4)


def test_gpaco_has_the_gradient_of_small_differences() -> None:
    embeddings, labels, queue = batch(seed=3)
    logits = torch.randn(5, 3, CLASSES, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    keys = queue[0].double()

    def loss(own: Tensor, classes: Tensor) -> Tensor:
        return parametric_contrastive(own, classes, labels, (keys, queue[1]), TEMPERATURE)

    given = (embeddings.double().requires_grad_(), logits.requires_grad_())
    assert torch.autograd.gradcheck(loss, given)


@pytest.mark.parametrize(("queued", "seed"), [(0, 4), (4, 4)])
def test_pseudo_labels_take_the_place_of_labels(queued: int, seed: int) -> None:
    embeddings, _, (keys, _) = batch(seed=seed, queued=queued)
    guesses = torch.tensor([0, 2, 0, 1, 2])
    queue = keys, torch.arange(queued) % CLASSES
    everything = entries(embeddings, guesses, queue)
    ours = pseudo_label_contrastive(embeddings, guesses, queue, TEMPERATURE)
    for sample, loss in enumerate(ours):
        others = [entry for entry in everything if entry[2] != (0, sample)]
        shares = [math.exp(float(embeddings[sample, 0] @ vector) / TEMPERATURE) for vector, _, _ in others]
        own = [share for share, entry in zip(shares, others, strict=True) if entry[1] == guesses[sample]]
        expected = -sum(math.log(share / sum(shares)) for share in own) / len(own)
        assert float(loss) == pytest.approx(expected, rel=1e-4)


def test_pseudo_labels_are_what_the_network_names_and_not_the_labels() -> None:
    embeddings, labels, _ = batch(features=128)
    found, loss = details(embeddings), loss_of(LossOptions(pseudo_labels=True, queue_size=0))
    named = found.logits.argmax(dim=1)
    assert not torch.equal(named, labels)
    queue = torch.zeros(0, 128), torch.zeros(0, dtype=torch.long)
    expected = supervised_contrastive(embeddings, named, queue, 0.2)
    torch.testing.assert_close(loss(found, labels).selfcon, expected)
    torch.testing.assert_close(loss(found, (labels + 1) % CLASSES).selfcon, expected)


def test_a_sample_without_positives_costs_nothing() -> None:
    embeddings, _, _ = batch(size=3)
    queue = torch.zeros(0, 8), torch.zeros(0, dtype=torch.long)
    single = supervised_contrastive(embeddings[:, :1], torch.arange(3), queue, TEMPERATURE)
    assert single.tolist() == [0, 0, 0]


def test_class_weights_leave_the_mean_loss_as_it_is() -> None:
    counts = torch.tensor([652, 239, 688, 303, 663, 580, 2940])
    weights = inverse_frequency(counts)
    assert float((weights * counts).sum() / counts.sum()) == pytest.approx(1)
    assert float(weights[1] / weights[6]) == pytest.approx(2940 / 239)


def test_the_queue_keeps_guesses_beside_labels() -> None:
    queue = MemoryBank(3, 2)
    queue.add(torch.rand(4, 2), torch.tensor([1, 2, 0, 1]), torch.tensor([5, 6, 7, 8]))
    assert sorted(queue.guessed()[1].tolist()) == [6, 7, 8]
    nothing = MemoryBank(0, 2)
    nothing.add(torch.rand(4, 2), torch.tensor([1, 2, 0, 1]))
    assert len(nothing.contents()[0]) == 0


def details(embeddings: Tensor, seed: int = 9) -> Details:
    generator = torch.Generator().manual_seed(seed)
    empty, count = torch.zeros(0), len(embeddings)
    experts = torch.randn(count, embeddings.shape[1], CLASSES, generator=generator)
    pooled = torch.randn(count, 4, generator=generator)
    return Details(experts.mean(dim=1), experts, empty, embeddings, empty, pooled, empty)


def some(found: Details, chosen: slice) -> Details:
    return Details(
        *(getattr(found, name)[chosen] for name in ("logits", "expert_logits", "expert_weights")),
        *(getattr(found, name)[chosen] for name in ("embeddings", "deep_pooled", "fused_pooled", "maps")),
    )


def loss_of(options: LossOptions, ranks: Ranks = ALONE) -> SemcLoss:
    torch.manual_seed(5)
    return SemcLoss(4, options, torch.tensor([5, 3, 9]), ranks)


@pytest.mark.parametrize("name", LOSS_RECIPES)
def test_recipes_of_losses_learn(name: str) -> None:
    embeddings, labels, _ = batch(features=128)
    found = details(embeddings.requires_grad_())
    loss = loss_of(loss_recipe(name))
    first = loss(found, labels)
    parts = loss(found, labels)
    assert parts.total.shape == (5,)
    assert torch.equal(parts.moe, first.moe)
    if loss.options.contrast == "none":
        assert torch.equal(parts.total, first.total)
        assert torch.equal(parts.total, parts.moe)
        return
    assert len(loss.queue.contents()[0]) == 20
    assert bool((parts.supcon > first.supcon).all())  # compared with the keys of the first time, too
    (gradient,) = torch.autograd.grad(parts.total.mean(), embeddings, retain_graph=True)
    (of_contrast,) = torch.autograd.grad(((1 - parts.alpha) * parts.supcon).mean(), embeddings)
    assert float(gradient.norm()) > 1e-3
    assert float(of_contrast.norm()) > 1e-3


def test_the_recipes_of_losses_are_the_papers_the_released_codes_and_this_programs() -> None:
    assert {
        "live": LossOptions(
            alpha=0.5, self_weight=0.1, temperature=0.2, queue_size=2048, smoothing=0.05, contrast="supcon"
        ),
        "paper": LossOptions(
            alpha=None, self_weight=0.1, temperature=0.2, queue_size=2048, smoothing=0.0, contrast="supcon"
        ),
        "released": LossOptions(
            alpha=None, self_weight=0.0, temperature=0.2, queue_size=2048, smoothing=0.0, contrast="gpaco",
            pair_weight=0.05, pair_smoothing=0.1, class_weights="inverse",
        ),
        "cross-entropy": LossOptions(smoothing=0.0, contrast="none"),
    } == LOSS_RECIPES  # fmt: skip
    assert {recipe.class_weights for name, recipe in LOSS_RECIPES.items() if name != "released"} == {"none"}


@pytest.mark.parametrize("weight", [0.05, 0.6])
def test_pairs_count_in_gpaco_as_the_options_say(weight: float) -> None:
    embeddings, labels, _ = batch(features=128)
    found, queue = details(embeddings), (torch.zeros(0, 128), torch.zeros(0, dtype=torch.long))
    loss = loss_of(LossOptions(contrast="gpaco", pair_weight=weight, pair_smoothing=0.2))
    expected = parametric_contrastive(embeddings, found.expert_logits, labels, queue, 0.2, weight, 0.2)
    torch.testing.assert_close(loss(found, labels).supcon, expected)


def test_class_weights_multiply_the_cross_entropy_of_rare_classes() -> None:
    embeddings, labels, _ = batch(features=128)
    found = details(embeddings)
    losses = [loss_of(LossOptions(smoothing=0.0, class_weights=name)) for name in ("none", "inverse")]
    plain, weighed = (loss(found, labels).moe for loss in losses)
    counts = torch.tensor([5.0, 3.0, 9.0])  # see `loss_of`
    torch.testing.assert_close(weighed / plain, (17 / (3 * counts))[labels])


def test_a_loss_that_is_registered_stands_for_l_sup(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Compared] = []

    def own(batch: Compared) -> Tensor:
        seen.append(batch)
        return batch.embeddings[:, 0, 0]

    monkeypatch.setitem(CONTRASTS, "own", own)
    embeddings, labels, _ = batch(features=128)
    found = details(embeddings)
    loss = loss_of(LossOptions(contrast="own", temperature=0.3))
    assert torch.equal(loss(found, labels).supcon, embeddings[:, 0, 0])
    loss(found, labels)
    first, second = seen
    assert torch.equal(first.expert_logits, found.expert_logits)
    assert torch.equal(first.labels, labels)
    assert (first.majority, first.options.temperature) == (2, 0.3)
    assert (len(first.queue[0]), len(second.queue[0])) == (0, 10), "keys of batches before"


def test_two_views_of_a_frame_are_positives_of_each_other() -> None:
    embeddings, labels, _ = batch(size=4, features=128)
    options = LossOptions(views=2, every_view=True, self_weight=1.0, queue_size=0)
    parts = loss_of(options)(details(embeddings[:, :1]), labels[:2].repeat(2))
    views = torch.stack([embeddings[:2, 0], embeddings[2:, 0]], dim=1)
    queue = torch.zeros(0, 128), torch.zeros(0, dtype=torch.long)
    assert torch.allclose(parts.supcon, supervised_contrastive(views, labels[:2], queue, 0.2, ALONE, True))
    assert torch.allclose(parts.selfcon, self_contrastive(views, labels[:2], queue, 0.2, ALONE, True))


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.1, 0.2, 0.5])
def test_a_fixed_alpha_is_what_is_asked_for(alpha: float) -> None:
    embeddings, labels, _ = batch(features=128)
    assert torch.allclose(
        loss_of(LossOptions(alpha=alpha))(details(embeddings), labels).alpha, torch.tensor(alpha)
    )


@pytest.mark.parametrize(
    "options",
    [
        LossOptions(alpha=None, self_weight=0.5),
        LossOptions(alpha=None, contrast="gpaco", class_weights="inverse"),
        LossOptions(contrast="supmin", every_view=True, self_weight=0.0),
        LossOptions(pseudo_labels=True, self_weight=0.5),
    ],
    ids=["supcon", "gpaco", "supmin", "pseudo-labels"],
)
def test_two_processes_give_the_gradients_of_one(options: LossOptions) -> None:
    embeddings, labels, _ = batch(seed=6, size=6, features=128)
    alone, whole = embeddings.clone().requires_grad_(), loss_of(options)
    for _ in range(2):  # the second time with a queue
        parts = whole(details(alone), labels)
    parts.total.mean().backward()

    shared, halves = embeddings.clone().requires_grad_(), in_two_threads(options)
    for _ in range(2):
        both = halves(details(shared), labels)
    ((both[0].total.mean() + both[1].total.mean()) / 2).backward()  # type: ignore[no-untyped-call]
    assert alone.grad is not None
    assert shared.grad is not None
    torch.testing.assert_close(shared.grad, alone.grad, rtol=1e-5, atol=1e-7)
    assert torch.allclose(torch.cat([both[0].total, both[1].total]), parts.total, atol=1e-6)


def in_two_threads(options: LossOptions) -> Callable[[Details, Tensor], list[LossParts]]:
    """The losses of two processes, each a thread, that hand each other their rows with their graphs."""
    meeting, rows = threading.Barrier(2, timeout=60), [torch.zeros(0)] * 2

    def gather_at(rank: int) -> Callable[[Tensor], Tensor]:
        def gather(own: Tensor) -> Tensor:
            rows[rank] = own
            meeting.wait()
            everyone = torch.cat(rows)
            meeting.wait()
            return everyone

        return gather

    losses = [loss_of(options, Ranks(gather_at(rank), rank)) for rank in (0, 1)]

    def run(found: Details, labels: Tensor) -> list[LossParts]:
        half, results = len(labels) // 2, {}

        def one(rank: int) -> None:
            mine = slice(rank * half, (rank + 1) * half)
            results[rank] = losses[rank](some(found, mine), labels[mine])

        threads = [threading.Thread(target=one, args=(rank,)) for rank in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [results[0], results[1]]

    return run


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"contrast": "triplet"}, "no loss 'triplet'"),
        ({"class_weights": "many"}, "no class weights"),
        ({"alpha": 1.5}, "Alpha"),
        ({"alpha_bounds": (0.9, 0.1)}, "Alpha"),
        ({"smoothing": 1.0}, "smoothing"),
        ({"temperature": 0.0}, "temperatures"),
        ({"views": 0}, "one view"),
    ],
)
def test_options_that_make_no_sense_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        LossOptions(**given)  # type: ignore[arg-type]


def test_unknown_recipes_and_missing_counts_are_refused() -> None:
    with pytest.raises(UsageError, match="no losses 'best'"):
        loss_recipe("best")
    with pytest.raises(UsageError, match="number of samples"):
        SemcLoss(4, LossOptions(contrast="supmin"))
