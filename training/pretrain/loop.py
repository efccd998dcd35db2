"""A pretraining run: what learns (`pretrain.learner`) and what runs it (`training.runner`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from semc_core.model.weights import AnyNetwork
from training.checkpoint import read_checkpoint
from training.data.frames import FrameSet
from training.loop import check_apart, fingerprint
from training.options import plain
from training.pretrain.learner import PretrainLearner
from training.pretrain.options import PretrainOptions
from training.runner import BEST, Plan, Runner, Tell, Told

_COLUMNS: Final = ("step", "elapsed_s", "images_per_s", "loss", "validation_loss")
_MAY_CHANGE: Final = ("budget", "threads", "patience")


class Pretraining:
    """One pretraining in one folder, which holds what a training's holds.

    Args:
        options: See there.
        train: Frames to learn from.
        validation: Frames of other patients; the best weights have the lowest loss on them.
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
        self.options, self._folder = options, folder
        self._learner = PretrainLearner(options, train, validation, coarse)
        given = plain(options)
        same: dict[str, Any] = {name: value for name, value in given.items() if name not in _MAY_CHANGE}
        same |= {"anatomies": dict(coarse or {}), "frames": fingerprint(train)}
        plan = Plan(options.budget, options.batch, options.validations, options.patience, _COLUMNS, same)
        self._runner = Runner(self._learner, plan, folder)

    @property
    def first(self) -> bool:
        """Whether this is the process that writes files and speaks."""
        return bool(self._learner.fabric.global_rank == 0)

    @property
    def step(self) -> int:
        """Steps done."""
        return self._runner.step

    @property
    def elapsed_s(self) -> float:
        """Seconds trained, sleep left out."""
        return self._runner.elapsed_s

    @property
    def best_loss(self) -> float:
        """Of the weights in `best.pt`, on the validation frames."""
        return -self._runner.best_score

    @property
    def labelled(self) -> float:
        """Which share of the training frames has an anatomy that is used, 0-1."""
        return self._learner.labelled

    def run(self, tell: Tell, told: Told) -> bool:
        """Run to the end; see `training.loop.Training.run`."""
        return self._runner.run(tell, told)

    def resume(self) -> bool:
        """Go on where `last.pt` stopped; see `training.loop.Training.resume`."""
        return self._runner.resume()

    def best_network(self) -> AnyNetwork:
        """The network with the weights of `best.pt`, in evaluation mode."""
        network = self._learner.network
        network.load_state_dict(read_checkpoint(self._folder / BEST)["network"])
        return network.eval()
