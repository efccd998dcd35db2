"""Which losses are taken, by name, and how they are put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from semc_core.errors import UsageError
from semc_core.text import short

if TYPE_CHECKING:
    from torch import Tensor

    from training.losses.contrastive import Queue, Ranks

CLASS_WEIGHTS: Final = ("none", "inverse", "area")
TAUGHT: Final = ("gated", "shike")
WEIGHINGS: Final = ("alpha", "uncertainty")


@dataclass(frozen=True, slots=True)
class LossOptions:
    """How the losses are put together.

    Attributes:
        weighing: Of L_moe against the contrastive losses: "alpha" (eq. 15), or "uncertainty": each over its
            own learned variance (Kendall et al. 2018), which has no bound to run to; then alpha says nothing.
        alpha: A fixed share of L_moe, 0-1, or None to learn it (eq. 19).
        alpha_bounds: Of the learned alpha, within 0-1.
        self_weight: lambda of eq. 15.
        temperature: Of the contrastive losses, above 0.
        queue_size: Keys remembered.
        queue_waits: The queue counts only once it is full, so that the first steps are not compared with a
            few batches alone.
        key_momentum: Decay of the moving average of the network that makes the queue's keys, as in MoCo (He
            et al. 2020; there 0.999), so that keys of different age are of nearly one encoder; 0 leaves that
            to the network that learns. The queries, and the keys of the same batch, are its own either way.
        smoothing: Label smoothing in L_moe.
        contrast: L_sup of eq. 13: "supcon" (the paper's), "gpaco" (the released code's), "supmin" (for data
            of which one class is most), or "none": cross-entropy alone, and alpha, L_self and the queue say
            nothing.
        every_view: Every view of a sample is a query of "supcon", "supmin" and L_self, and not O1 alone. With
            "gpaco" every view is.
        pseudo_labels: L_self takes the network's predictions for labels (see `losses.selfcon`).
        pair_weight: Of the pairs in "gpaco".
        pair_smoothing: Of the class terms in "gpaco".
        experts: What the experts are taught: "gated" (L_moe, eq. 18), or "shike" (see `losses.shike`), and
            then smoothing and class weights say nothing.
        class_weights: Of L_moe: "none", "inverse" to the classes' frequency, or "area": in the last fifth of
            the training inverse to the area that their features span (see `losses.area`).
        views: How often each frame is in a batch, changed each time anew: all frames once, then all again.
            Their projections count as views of one sample, beside the experts'.
        gate_start: Gumbel temperature at the beginning; it falls, by even factors, to the architecture's,
            which it has from half of the training on. None is the architecture's throughout.
        balance: Weight of what asks for an even use of the experts in each process's part of
            a step (see `losses.balance`); 0 asks for none.

    Raises:
        UsageError: A value is out of range, or there is no such name.
    """

    weighing: str = "alpha"
    alpha: float | None = 0.5
    alpha_bounds: tuple[float, float] = (0.05, 0.95)
    self_weight: float = 0.1
    temperature: float = 0.2
    queue_size: int = 2048
    queue_waits: bool = False
    key_momentum: float = 0.0
    smoothing: float = 0.05
    contrast: str = "supcon"
    every_view: bool = False
    pseudo_labels: bool = False
    pair_weight: float = 0.05
    pair_smoothing: float = 0.1
    experts: str = "gated"
    class_weights: str = "none"
    views: int = 1
    gate_start: float | None = None
    balance: float = 0.0

    def __post_init__(self) -> None:
        names = ("none", *CONTRASTS)
        if self.contrast not in names:
            raise UsageError(f"There is no loss {short(self.contrast)!r}; choose one of {', '.join(names)}.")
        if self.class_weights not in CLASS_WEIGHTS:
            raise UsageError(
                f"There are no class weights {short(self.class_weights)!r}; "
                f"choose one of {', '.join(CLASS_WEIGHTS)}."
            )
        if self.experts not in TAUGHT:
            raise UsageError(
                f"Experts are not taught as {short(self.experts)!r}; choose {' or '.join(TAUGHT)}."
            )
        if self.weighing not in WEIGHINGS:
            raise UsageError(
                f"There is no weighing {short(self.weighing)!r} of losses; choose {' or '.join(WEIGHINGS)}."
            )
        low, high = self.alpha_bounds
        if not (0 <= low < high <= 1 and (self.alpha is None or 0 <= self.alpha <= 1)):
            raise UsageError("Alpha and its bounds must lie within 0 and 1, the lower bound first.")
        shares = (self.smoothing, self.pair_smoothing, self.key_momentum)
        if not all(0 <= share < 1 for share in shares):
            raise UsageError("Label smoothing and the keys' momentum must be 0 or more and below 1.")
        if self.temperature <= 0 or (self.gate_start is not None and self.gate_start <= 0):
            raise UsageError("The temperatures of the losses and the gate must be above 0.")
        weights = (self.queue_size, self.self_weight, self.pair_weight, self.balance)
        if self.views < 1 or min(weights) < 0:
            raise UsageError("A frame needs one view or more; queue and loss weights must be 0 or more.")


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A batch, as whatever stands for L_sup sees it.

    Attributes:
        embeddings: float (B, E, D), L2-normalised, E at least 2.
        expert_logits: float (B, E, K).
        labels: int64 (B,).
        queue: Keys (Q, D) and labels (Q,) of batches before; Q may be 0.
        majority: The class of most samples; -1 if nobody counted them.
        ranks: The other processes that train.
        options: See there.
    """

    embeddings: Tensor
    expert_logits: Tensor
    labels: Tensor
    queue: Queue
    majority: int
    ranks: Ranks
    options: LossOptions


# Each imports its loss when it is computed: the command line shows the names, and PyTorch takes a second.


@dataclass(frozen=True, slots=True)
class UnlabelledOptions:
    """How frames without labels are learned from (`--unlabelled`); see `losses.agreement`.

    Attributes:
        weight: Of all that is learned from them, against the labelled frames.
        ramp: Share of the training in which that weight rises, along a sigmoid.
        share: Of them in a step, in parts of its batch.
        teacher: Decay of the teacher, the moving average of the network, per step.
        least_sure: Only frames of which the teacher is so sure are learned from, 0-1; 0 takes all, as
            published. What shows another organ is seldom sure.

    Raises:
        UsageError: A value is out of range.
    """

    weight: float = 1.0
    ramp: float = 0.4
    share: float = 1.0
    teacher: float = 0.99
    least_sure: float = 0.8

    def __post_init__(self) -> None:
        shares = (self.ramp, self.least_sure, self.teacher)
        if self.weight < 0 or self.share <= 0 or not all(0 <= value <= 1 for value in shares):
            raise UsageError(
                "Of frames without labels the weight must be 0 or more, their share of a step above 0, and "
                "ramp, teacher and least_sure from 0 to 1."
            )


def _supcon(batch: Compared) -> Tensor:
    from training.losses.supcon import supervised_contrastive

    o = batch.options
    return supervised_contrastive(
        batch.embeddings, batch.labels, batch.queue, o.temperature, batch.ranks, o.every_view
    )


def _gpaco(batch: Compared) -> Tensor:
    from training.losses.gpaco import parametric_contrastive

    o = batch.options
    return parametric_contrastive(
        batch.embeddings, batch.expert_logits, batch.labels, batch.queue,
        o.temperature, o.pair_weight, o.pair_smoothing, batch.ranks,
    )  # fmt: skip


def _supmin(batch: Compared) -> Tensor:
    from training.losses.supmin import supervised_minority

    o = batch.options
    return supervised_minority(
        batch.embeddings, batch.labels, batch.queue, o.temperature, batch.majority, batch.ranks, o.every_view
    )


CONTRASTS: Final[dict[str, Callable[[Compared], Tensor]]] = {
    "supcon": _supcon,
    "gpaco": _gpaco,
    "supmin": _supmin,
}
"""What may stand for L_sup (eq. 13), by name: the loss of each sample, float (B,)."""

LOSS_RECIPES: Final[dict[str, LossOptions]] = {
    # How the shipped model was made.
    "live": LossOptions(),
    # Equations 11-19; the paper does not give lambda, the temperature or the queue's size.
    "paper": LossOptions(alpha=None, smoothing=0.0),
    # The released code, but with an alpha that is learned and bounded: there it is in no optimiser.
    "released": LossOptions(
        alpha=None, contrast="gpaco", self_weight=0.0, smoothing=0.0, class_weights="inverse"
    ),
    "cross-entropy": LossOptions(contrast="none", smoothing=0.0),
}


def loss_recipe(name: str) -> LossOptions:
    """The losses of that name.

    Raises:
        UsageError: There are none.
    """
    try:
        return LOSS_RECIPES[name]
    except KeyError:
        raise UsageError(f"There are no losses {name!r}; choose one of {', '.join(LOSS_RECIPES)}.") from None
