"""The training loss: alpha L_moe + (1 - alpha) (L_sup + lambda L_self), per sample (paper eq. 15, 18, 19).

By option the two parts are weighed by learned uncertainties, and an even use of the experts is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from semc_core.errors import UsageError
from semc_core.model.architecture import PROJECTION_OUT
from training.losses.alpha import AlphaNetwork, FixedAlpha, Uncertainties
from training.losses.area import area_weights, effective_areas, measurement
from training.losses.balance import uneven_use
from training.losses.config import CONTRASTS, Compared
from training.losses.config import LossOptions as LossOptions
from training.losses.contrastive import ALONE, Ranks
from training.losses.memory_bank import MemoryBank
from training.losses.moe import gated_cross_entropy, inverse_frequency
from training.losses.selfcon import pseudo_label_contrastive, self_contrastive
from training.losses.shike import balanced, excavation


class SemcOutputs(Protocol):
    """What the losses want of a network's `details`; see `semc_core.model.network.Details`."""

    @property
    def logits(self) -> Tensor:
        """float (B, K), gated."""

    @property
    def expert_logits(self) -> Tensor:
        """float (B, E, K)."""

    @property
    def expert_weights(self) -> Tensor:
        """float (B, E), the gate's shares."""

    @property
    def embeddings(self) -> Tensor | None:
        """float (B, E, D), L2-normalised; None if the network has no projection."""

    @property
    def fused_pooled(self) -> Tensor:
        """float (B, C)."""


@dataclass(frozen=True, slots=True, eq=False)
class LossParts:
    """The losses of a batch, each float (B,); `total` carries the gradient.

    `supcon` is whatever stands for L_sup. Without a contrastive loss it and `selfcon` are 0 and `alpha` 1.
    """

    total: Tensor
    moe: Tensor
    supcon: Tensor
    selfcon: Tensor
    alpha: Tensor


class SemcLoss(nn.Module):
    """The losses with what they remember and learn: the queue and alpha. Used in training only.

    Args:
        features: C, channels of the pooled fused features.
        options: See there.
        class_counts: (K,), training samples of each class; for class weights and "supmin".
        ranks: The other processes that train.
        drawn: float (K,), how often each class is drawn, in any unit; None: as often as it has samples.

    Attributes:
        balances: Of experts that are taught as in SHIKE: whether only the classifiers still learn.

    Raises:
        UsageError: The options need `class_counts` and there are none.
    """

    def __init__(
        self,
        features: int,
        options: LossOptions,
        class_counts: Tensor | None = None,
        ranks: Ranks = ALONE,
        drawn: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.options, self.ranks = options, ranks
        self.queue = MemoryBank(options.queue_size, PROJECTION_OUT, options.queue_waits)
        # Cross-entropy alone has nothing to weigh, and a weight without a gradient stops several processes.
        fixed = 1.0 if options.contrast == "none" else options.alpha
        learned = fixed is None and options.weighing == "alpha"
        self.alpha: nn.Module = (
            AlphaNetwork(features, options.alpha_bounds) if learned else FixedAlpha(fixed or 0.0)
        )
        weighs_both = options.contrast != "none" and options.weighing == "uncertainty"
        self.uncertainties = Uncertainties() if weighs_both else None
        if class_counts is None and (
            options.class_weights != "none" or options.contrast == "supmin" or options.experts == "shike"
        ):
            raise UsageError(
                "Class weights and the losses supmin and shike need the number of samples of each class."
            )
        weighs = class_counts is not None and options.class_weights == "inverse"
        weights = inverse_frequency(class_counts) if weighs and class_counts is not None else None
        by_area = options.class_weights == "area" and class_counts is not None
        if by_area and class_counts is not None:
            weights = torch.ones(len(class_counts))
            self.register_buffer("areas_measured", torch.zeros((), dtype=torch.int64))
        self.register_buffer("class_weights", weights, persistent=by_area)  # a run that goes on needs those
        self.register_buffer("drawn", class_counts if drawn is None else drawn, persistent=False)
        self.balances = False
        self._keys_a_step = 0
        self.majority = -1 if class_counts is None else int(class_counts.argmax())

    def forward(self, details: SemcOutputs, labels: Tensor, keys: Tensor | None = None) -> LossParts:
        """The losses of a batch; afterwards all views but the first enter the queue.

        Args:
            details: Of the batch, from a network in training mode. With `options.views` V above 1, of V B
                frames: all once, then all again.
            labels: int64 (B,), or (V B,) in the same order.
            keys: float (V B, E, D), L2-normalised, in the same order: embeddings by another encoder, which
                enter the queue in place of the batch's own.

        Raises:
            UsageError: The network has no projection for the contrastive loss.
        """
        views = self.options.views
        samples = len(details.logits) // views
        once = labels[:samples]
        weights = self.class_weights if isinstance(self.class_weights, Tensor) else None
        moe = self._per_sample(self._taught(details, once.repeat(views), weights))
        asked = self.options.balance * uneven_use(details.expert_weights) if self.options.balance else 0.0
        if self.options.contrast == "none":
            none = torch.zeros_like(moe)
            return LossParts(moe + asked, moe, none, none, torch.ones_like(moe))
        if details.embeddings is None:
            raise UsageError('This network has no projection; train it with the loss "none" (cross-entropy).')
        # In half precision the sums over the queue would lose what tells one key from another.
        embeddings = _side_by_side(details.embeddings.float(), views)
        guesses = _side_by_side(details.logits.detach()[:, None], views).mean(dim=1).argmax(dim=1)
        supcon = self._supervised(embeddings, details.expert_logits, once)
        selfcon = self._unsupervised(embeddings, once, guesses)
        contrast = supcon + self.options.self_weight * selfcon
        if self.uncertainties is not None:
            total, alpha = self.uncertainties(moe, contrast)
        else:
            alpha = self._per_sample(self.alpha(details.fused_pooled))
            total = alpha * moe + (1 - alpha) * contrast
        entering = embeddings if keys is None else _side_by_side(keys.float(), views)
        self._remember(entering, once, guesses)
        return LossParts(total + asked, moe, supcon, selfcon, alpha)

    @property
    def oldest_key_steps(self) -> float:
        """How many steps ago the oldest key of the queue was made; 0 while nothing is compared with it."""
        keys, _ = self.queue.contents()
        return 0.0 if self._keys_a_step == 0 else len(keys) / self._keys_a_step

    def _taught(self, details: SemcOutputs, labels: Tensor, weights: Tensor | None) -> Tensor:
        """What the experts are taught, float (V B,)."""
        if self.options.experts == "gated":
            return gated_cross_entropy(details.logits, labels, weights, self.options.smoothing)
        if not self.balances:
            return excavation(details.expert_logits, labels)
        assert isinstance(self.drawn, Tensor)
        return balanced(details.expert_logits, labels, self.drawn)

    def areas_are_due(self, progress: float) -> bool:
        """Whether the classes' areas are to be measured at this progress (0-1) of the training."""
        known = getattr(self, "areas_measured", None)
        return isinstance(known, Tensor) and measurement(progress) > int(known)

    def weigh_by_area(self, features: Tensor, labels: Tensor, progress: float) -> None:
        """Weigh the classes by the areas that their features span (see `losses.area`).

        Args:
            features: float (N, C), of all training frames.
            labels: int64 (N,).
            progress: Of the training, 0-1, when they were computed.
        """
        assert isinstance(self.class_weights, Tensor)
        assert isinstance(self.areas_measured, Tensor)
        weights = area_weights(effective_areas(features, labels, len(self.class_weights)))
        self.class_weights.copy_(weights)
        self.areas_measured.fill_(measurement(progress))

    def _supervised(self, embeddings: Tensor, expert_logits: Tensor, labels: Tensor) -> Tensor:
        """L_sup, or what the options put in its place, float (B,)."""
        logits = _side_by_side(expert_logits.float(), self.options.views)
        queue = _copied(self.queue.contents())
        return CONTRASTS[self.options.contrast](
            Compared(embeddings, logits, labels, queue, self.majority, self.ranks, self.options)
        )

    def _unsupervised(self, embeddings: Tensor, labels: Tensor, guesses: Tensor) -> Tensor:
        """L_self, float (B,)."""
        o = self.options
        if o.pseudo_labels:
            queue = _copied(self.queue.guessed())
            return pseudo_label_contrastive(embeddings, guesses, queue, o.temperature, self.ranks)
        queue = _copied(self.queue.contents())
        return self_contrastive(embeddings, labels, queue, o.temperature, self.ranks, o.every_view)

    def _remember(self, embeddings: Tensor, labels: Tensor, guesses: Tensor) -> None:
        """Let the keys of all processes enter the queue: so it is the same everywhere."""
        others = embeddings.shape[1] - 1
        keys, labels, guesses = (self.ranks.gather(each) for each in (embeddings.detach(), labels, guesses))
        self._keys_a_step = keys[:, 1:].shape[:2].numel()
        self.queue.add(
            keys[:, 1:].flatten(0, 1), labels.repeat_interleave(others), guesses.repeat_interleave(others)
        )

    def _per_sample(self, values: Tensor) -> Tensor:
        """(V B,) -> (B,), the mean over views."""
        return values.reshape(self.options.views, -1).mean(dim=0)


def _side_by_side(values: Tensor, views: int) -> Tensor:
    """(V B, E, D) -> (B, V E, D): what was seen of a sample in all its views, beside each other."""
    return torch.cat(values.chunk(views), dim=1)


def _copied(queue: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Copies: the queue is written before the gradient is taken, and that still needs what was read."""
    return queue[0].clone(), queue[1].clone()
