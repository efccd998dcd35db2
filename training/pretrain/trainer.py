"""A pretraining run: what learns (`pretrain.learner`) in what runs it (`training.trainer.trainer`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from semc_core.model.weights import AnyNetwork
from training.data.frame_set import FrameSet
from training.pretrain.config import PretrainOptions
from training.pretrain.module import PretrainModule
from training.trainer.trainer import ResumableRun, check_apart

_COLUMNS: Final = ("step", "elapsed_s", "images_per_s", "loss", "validation_loss")


class Pretraining(ResumableRun):
    """One pretraining in one folder. The best weights have the lowest loss on the validation frames.

    Args:
        options: See there.
        train: Frames to learn from.
        validation: Frames of other patients.
        folder: Of the run; made if missing.
        coarse: For each class name its coarse anatomy; None: anatomies are the classes.

    Raises:
        UsageError: A patient is in both.
    """

    def __init__(
        self,
        options: PretrainOptions,
        train: FrameSet,
        validation: FrameSet,
        folder: Path,
        coarse: Mapping[str, str] | None = None,
    ) -> None:
        check_apart(train, validation)
        self.options = options
        self._learner = PretrainModule(options, train, validation, coarse)
        super().__init__(options, self._learner, train, {"anatomies": dict(coarse or {})}, _COLUMNS, folder)

    @property
    def best_loss(self) -> float:
        """Of the weights in `best.pt`, on the validation frames."""
        return -self.best_score

    @property
    def labelled(self) -> float:
        """Which share of the training frames has an anatomy that is used, 0-1."""
        return self._learner.labelled

    def best_network(self) -> AnyNetwork:
        """The network with the weights of `best.pt`, in evaluation mode.

        Raises:
            UsageError: There are none, or the file is damaged.
        """
        return self.with_best_weights(self._learner.network)
