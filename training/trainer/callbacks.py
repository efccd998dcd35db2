"""Who is told how a fit goes: progress bars, the progress file, tests."""

from __future__ import annotations

from dataclasses import dataclass

Metrics = dict[str, float]
"""Numbers by name: of a step, or a row of the log."""


@dataclass(frozen=True, slots=True)
class FitState:
    """How far a fit is.

    Attributes:
        step: Steps done.
        progress: What part is done, 0-1.
        eta_s: Seconds left at the pace so far; NaN if unknown.
        kept: At a validation, whether its weights are the best so far, which are kept.
    """

    step: int
    progress: float
    eta_s: float
    kept: bool | None = None


class Callback:
    """Does nothing; override what is wanted. Called in the first process only, in the order given."""

    def on_train_start(self, state: FitState) -> None:
        """Before the first step of this fit."""

    def on_train_batch_end(self, state: FitState, metrics: Metrics) -> None:
        """After each step, with its means, "loss" among them."""

    def on_validation_end(self, state: FitState, row: Metrics) -> None:
        """After each validation, with its row of the log; the checkpoint is written."""

    def on_stop(self, state: FitState) -> None:
        """After a stop that `should_stop` asked for; the checkpoint is written."""

    def should_stop(self) -> bool:
        """Asked after each step: whether to stop before the end."""
        return False
