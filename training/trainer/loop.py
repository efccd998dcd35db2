"""A training run: what learns (`training.trainer.module`) in what runs it (`training.trainer.trainer`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from semc_core.imaging.preprocess import Preprocessing
from semc_core.model.weights import AnyNetwork
from training.config import TrainOptions
from training.data.frame_set import FrameSet
from training.models import build
from training.trainer.ema import WeightAverage
from training.trainer.module import SemcModule
from training.trainer.trainer import ResumableRun, check_apart

_COLUMNS: Final = (
    "step", "elapsed_s", "side", "rate", "images_per_s", "loss", "moe", "supcon", "selfcon", "second",
    "alpha_mean", "alpha_std", "train_accuracy", "validation_accuracy", "validation_f1",
)  # fmt: skip


class Training(ResumableRun):
    """One training run in one folder. The best weights have the best macro F1 at full size.

    Args:
        options: See there.
        train: Frames of the training patients.
        validation: Frames of the validation patients; the best weights are chosen on them.
        folder: Of the run; made if missing.
        encoder: Pretrained weights to start from (`training.initialization`); None: from scratch.

    Raises:
        UsageError: A patient is in both, the classes differ, or the encoder is of another network.
    """

    def __init__(
        self,
        options: TrainOptions,
        train: FrameSet,
        validation: FrameSet,
        folder: Path,
        encoder: Path | None = None,
    ) -> None:
        check_apart(train, validation)
        self.options, self._classes = options, train.classes
        self._learner = SemcModule(options, train, validation.subset(~validation.is_ambiguous()), encoder)
        facts = {"classes": list(train.classes), "encoder": self._learner.encoder}
        super().__init__(options, self._learner, train, facts, _COLUMNS, folder)

    @property
    def network(self) -> AnyNetwork:
        """The network as the last step left it."""
        return self._learner.network

    @property
    def average(self) -> WeightAverage:
        """The average that is validated and kept."""
        return self._learner.average

    @property
    def preprocessing(self) -> Preprocessing:
        """Of the network's input."""
        return self._learner.preprocessing

    @property
    def encoder(self) -> dict[str, Any]:
        """What the encoder file said of itself; nothing if training began from scratch."""
        return self._learner.encoder

    def best_network(self) -> AnyNetwork:
        """A network with the averaged weights of `best.pt`, in evaluation mode, on the CPU.

        Raises:
            UsageError: There are none, or the file is damaged.
        """
        return self.with_best_weights(build(self.options.method, self.options.preset, self._classes))
