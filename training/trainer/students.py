"""The network while it learns from frames without labels, too: two students and a teacher.

The labelled frames are learned as ever; the loss of those without labels is added (`losses.agreement`). What
is validated and kept is the first student's average, as in any other training.

Shapes: U frames without labels in a step.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim.swa_utils import AveragedModel

from semc_core.errors import UsageError
from semc_core.model.weights import AnyNetwork
from training.config import TrainOptions
from training.data.frame_set import FrameSet
from training.inference import normalised
from training.losses.agreement import (
    agreement,
    cross_labels,
    mixed,
    mixing_shares,
    ramp,
    soft_cross_entropy,
)
from training.losses.config import UnlabelledOptions
from training.models import build
from training.trainer.callbacks import Metrics
from training.trainer.ema import averaged
from training.trainer.semc import Objective, SemcModule
from training.trainer.trainer import fingerprint

_SECOND: Final = "resnet"
"""The other student: a plain network of the preset's depth and width, from scratch."""


class StudentsModule(SemcModule):
    """Learns to name planes from frames with labels and from others without.

    Args:
        options: See `SemcModule`.
        train: See there.
        validation: See there.
        unlabelled: Frames whose labels are not used, of none of the validation patients.
        encoder: See there; the second student begins from scratch.

    Raises:
        UsageError: See `SemcModule`; a patient is in `unlabelled` and in `validation`; or there are several
            processes.
    """

    columns: tuple[str, ...] = (*SemcModule.columns, "cross", "agreement", "mixed", "sure")

    def __init__(
        self,
        options: TrainOptions,
        train: FrameSet,
        validation: FrameSet,
        unlabelled: FrameSet,
        encoder: Path | None = None,
    ) -> None:
        shared = set(unlabelled.groups) & set(validation.groups)
        if shared:
            raise UsageError(f"{min(shared)} is in validation and without labels; leave it out of one.")
        self._unlabelled, self._ramp = unlabelled, 0.0
        super().__init__(options, train, validation, encoder)
        if self._world > 1:
            raise UsageError("Frames without labels are learned from in one process; leave torchrun out.")
        self.students.teacher.module.to(memory_format=torch.channels_last)
        self.students.other.to(memory_format=torch.channels_last)

    @property
    def students(self) -> StudentsObjective:
        """What is learned in a step."""
        return cast(StudentsObjective, self.objective)

    def _objective(self, second: bool) -> Objective:
        usual = super()._objective(second)
        other = build(_SECOND, self.options.preset, self.train_set.classes)
        teacher = averaged(self.network, self.options.unlabelled.teacher)
        return StudentsObjective(usual, self._views, self.options, other, teacher)

    def gradient(self, step: int, progress: float) -> Metrics:
        """See `SemcModule`."""
        self._ramp = ramp(progress, self.options.unlabelled.ramp)
        return super().gradient(step, progress)

    def _batch(self, chosen: Tensor, side: int) -> tuple[Tensor, ...]:
        """What `SemcModule` takes, and U others: pictures, partners (U,), shares (U,), and the ramp, ()."""
        usual = super()._batch(chosen, side)
        count = max(1, round(self.options.unlabelled.share * len(chosen)))
        places = torch.randint(len(self._unlabelled.labels), (count,), generator=self._pictures)
        pictures = self._change(self._unlabelled.frames[places], side)
        inputs = normalised(pictures, self.preprocessing).contiguous(memory_format=torch.channels_last)
        order = torch.randperm(count, generator=self._pictures)
        shares = mixing_shares(count, self._pictures)
        others: tuple[Tensor, ...] = self.fabric.to_device((inputs, order, shares, torch.tensor(self._ramp)))
        return (*usual, *others)

    def optimizer_step(self, step: int, progress: float) -> None:
        """See `SemcModule`; the teacher follows."""
        super().optimizer_step(step, progress)
        teacher = self.students.teacher
        teacher.n_averaged.fill_(step + 1)
        teacher.update_parameters(self.network)

    def facts(self) -> dict[str, Any]:
        """The frames without labels, too."""
        return super().facts() | {"frames without labels": fingerprint(self._unlabelled)}

    def remembered(self) -> dict[str, nn.Module]:
        """The second student and the teacher, too."""
        return super().remembered() | {"other": self.students.other, "teacher": self.students.teacher.module}


class StudentsObjective(Objective):
    """What is learned in a step, of both kinds of frames.

    Args:
        usual: Of the labelled ones.
        views: How often each labelled frame is in a batch.
        options: Of the training.
        other: The second student.
        teacher: The average of the first.

    Attributes:
        other: The second student; it learns from all frames, and is thrown away at the end.
        teacher: Learns nothing by a gradient.
    """

    def __init__(
        self,
        usual: Objective,
        views: int,
        options: TrainOptions,
        other: AnyNetwork,
        teacher: AveragedModel,
    ) -> None:
        super().__init__(
            usual.network, usual.loss, views, usual.second, options.second_weight, usual.key_encoder
        )
        self.other, self.teacher = other, teacher
        self._options: UnlabelledOptions = options.unlabelled

    def forward(  # type: ignore[override]
        self,
        inputs: Tensor,
        labels: Tensor,
        others: Tensor,
        order: Tensor,
        shares: Tensor,
        ramped: Tensor,
    ) -> dict[str, Tensor]:
        """As `Objective.forward`, with the parts "cross", "agreement", "mixed", and the share that is "sure".

        Args:
            inputs: See there.
            labels: See there.
            others: float (U, channels, s, s), frames without labels.
            order: int64 (U,), the partner of each.
            shares: float (U,), the share of each in its mixture.
            ramped: (), how much of the weight counts.
        """
        told = super().forward(inputs, labels)
        first = len(labels) // self._views
        own = F.cross_entropy(_logits(self.other, inputs[:first]), labels[:first])
        target, sure = self._taught(others)
        with statistics_kept(self.network, self.other):
            one, two = _logits(self.network, others), _logits(self.other, others)
            blended = mixed(others, order, shares)
            mixtures = _logits(self.network, blended), _logits(self.other, blended)
        goal, both = mixed(target, order, shares), sure * sure[order]
        parts = {
            "cross": (sure * cross_labels(one, two)).mean(),
            "agreement": (sure * agreement(one, two)).mean(),
            "mixed": sum((both * soft_cross_entropy(each, goal)).mean() for each in mixtures),
        }
        learned = cast(Tensor, sum(parts.values()))
        loss = told["loss"] + own + self._options.weight * ramped * learned
        shown = {name: cast(Tensor, part).detach() for name, part in parts.items()}
        return told | shown | {"loss": loss, "sure": sure.mean()}

    @torch.no_grad()
    def _taught(self, others: Tensor) -> tuple[Tensor, Tensor]:
        """The teacher's probabilities, (U, K), and 1 where it is sure enough, else 0, (U,)."""
        teacher = cast(AnyNetwork, self.teacher.module)
        target = torch.softmax(_logits(teacher, others), 1)
        return target, (target.max(1).values >= self._options.least_sure).to(target.dtype)

    def train(self, mode: bool = True) -> StudentsObjective:
        """The teacher is always in evaluation."""
        super().train(mode)
        self.teacher.module.eval()
        return self


def _logits(network: AnyNetwork, inputs: Tensor) -> Tensor:
    """In full precision, as losses need them."""
    return network.details(inputs).logits.float()


@contextmanager
def statistics_kept(*networks: nn.Module) -> Iterator[None]:
    """What these networks see meanwhile leaves no trace in the running statistics of their normalisation.

    Those go into the model file: they are to be of the labelled scans, whatever else was looked at.
    """
    with ExitStack() as stack:
        for network in networks:
            for module in network.modules():
                if isinstance(module, _BatchNorm):
                    stack.callback(setattr, module, "momentum", module.momentum)
                    module.momentum = 0.0
        yield
