"""Mutants that a person read and found to do nothing that anybody could notice, each with the reason."""

from __future__ import annotations

from typing import Final

from tests.mutations.mutants import Mutant

_DETECTOR: Final = "semc_core/pipeline/detector.py"
_FILLED: Final = (
    "shares = shares.masked_fill(torch.cat([torch.zeros_like(classes, dtype=torch.bool), ~others], dim=1), "
)
_NEVER_EQUAL: Final = (
    "the two are equal only by chance: a probability is a float32, the margin and its difference are not"
)

EQUIVALENT: Final[dict[tuple[str, str, str], str]] = {
    (
        _DETECTOR,
        "planes = np.where(self._planes, smoothed, -1.0)",
        "planes = np.where(self._planes, smoothed, not 1.0)",
    ): "0 is below every threshold of entering, as -1 is",
    (
        _DETECTOR,
        "if self.best_confidence < least or (confidence >= least and sharp > self.best_sharpness):",
        "if self.best_confidence <= least or (confidence >= least and sharp > self.best_sharpness):",
    ): _NEVER_EQUAL,
    (
        _DETECTOR,
        "if self.best_confidence < least or (confidence >= least and sharp > self.best_sharpness):",
        "if self.best_confidence < least or (confidence > least and sharp > self.best_sharpness):",
    ): _NEVER_EQUAL,
    (_DETECTOR, "self._time_s = 0.0", "self._time_s = 1.0"): "read only once a frame has set it",
    (_DETECTOR, "self._time_s = 0.0", "self._time_s = -1.0"): "read only once a frame has set it",
    (
        _DETECTOR,
        "if hold.moving_s < self._thresholds.min_hold_s - 1e-6:",
        "if hold.moving_s <= self._thresholds.min_hold_s - 1e-6:",
    ): "no sum of frame times ends a millionth of a second before a hold's least length",
    (
        "training/losses/selfcon.py",
        "return queries.per_sample(mean_over(shares, own & queries.not_own(shares.shape[1])))",
        "return queries.per_sample(mean_over(shares, own * queries.not_own(shares.shape[1])))",
    ): "of true and false the product is the conjunction",
    (
        "training/losses/gpaco.py",
        f"{_FILLED}0.0)",
        f"{_FILLED}1.0)",
    ): "the weight of what is filled in is 0",
    (
        "training/calibration.py",
        "if not np.trace(covariance) > 0:",
        "if not np.trace(covariance) != 0:",
    ): "a sum of squares is never below 0",
    (
        "semc_core/runtime/calibration.py",
        "if NOVELTY[0] in arrays:",
        "if NOVELTY[ -1] in arrays:",
    ): "a model file has all of these arrays or none (its reader refuses others)",
    (
        "training/calibration.py",
        "left, right = low + (high - low) / 3, high - (high - low) / 3",
        "left, right = low + (high - low) / 2, high - (high - low) / 3",
    ): "the search drops other parts of the interval and ends at the same peak",
    (
        "semc_core/session/audit_log.py",
        "elif last[0] < head[0]:",
        "elif last[0] != head[0]:",
    ): "that it is greater was asked before",
}
"""By path, old and new text of a mutant: the reason."""


def is_equivalent(mutant: Mutant) -> bool:
    """Whether it stands in the list."""
    return (mutant.path, mutant.old, mutant.new) in EQUIVALENT
