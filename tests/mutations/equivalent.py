"""Mutants that a person read and found to do nothing that anybody could notice, each with the reason."""

from __future__ import annotations

from typing import Final

from tests.mutations.mutants import Mutant

_DETECTOR: Final = "semc_core/pipeline/detector.py"
_FILLED: Final = (
    "shares = shares.masked_fill(torch.cat([torch.zeros_like(classes, dtype=torch.bool), ~others], dim=1), "
)
_MASKS: Final = "write_atomically(self._path, json.dumps(plain, indent=2).encode(), private=True)"
_PLANES: Final = "planes = np.where(self._planes, smoothed, -1.0)"
_SPACES: Final = "how many spaces are in the file says nothing"
_NEVER_EQUAL: Final = (
    "the two are equal only by chance: a probability is a float32, the margin and its difference are not"
)

EQUIVALENT: Final[dict[tuple[str, str, str], str]] = {
    (
        _DETECTOR,
        _PLANES,
        "planes = np.where(self._planes, smoothed, not 1.0)",
    ): "0 is below every threshold of entering, as -1 is",
    (_DETECTOR, _PLANES, "planes = np.where(self._planes, smoothed, - 0.0)"): "0 is below them too",
    (_DETECTOR, _PLANES, "planes = np.where(self._planes, smoothed, - 2.0)"): "so is -2",
    (
        _DETECTOR,
        "if self.best_confidence < least or (confidence >= least and quality > self.best_quality):",
        "if self.best_confidence <= least or (confidence >= least and quality > self.best_quality):",
    ): _NEVER_EQUAL,
    (
        _DETECTOR,
        "if self.best_confidence < least or (confidence >= least and quality > self.best_quality):",
        "if self.best_confidence < least or (confidence > least and quality > self.best_quality):",
    ): _NEVER_EQUAL,
    (_DETECTOR, "self._time_s = 0.0", "self._time_s = 1.0"): "read only once a frame has set it",
    (_DETECTOR, "self._time_s = 0.0", "self._time_s = -1.0"): "read only once a frame has set it",
    (
        _DETECTOR,
        "if hold.moving_s < self._thresholds.min_hold_s - 1e-6:",
        "if hold.moving_s <= self._thresholds.min_hold_s - 1e-6:",
    ): "no sum of frame times ends a millionth of a second before a hold's least length",
    (
        "semc_core/export/deidentify.py",
        "coloured: bool = False",
        "coloured: bool = True",
    ): "read only of a clip, and then it was set",
    (
        "semc_core/export/masks.py",
        "header = pydicom.dcmread(source.path, stop_before_pixels=True, specific_tags=list(wanted))",
        "header = pydicom.dcmread(source.path, stop_before_pixels=False, specific_tags=list(wanted))",
    ): "of the named tags alone anything is kept; it only takes longer",
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
    (
        "semc_core/export/text_search.py",
        "elif pixels.ndim < self._total.ndim:",
        "elif pixels.ndim != self._total.ndim:",
    ): "that it is greater was asked before",
    (
        "semc_core/export/text_search.py",
        "if news <= least.news:",
        "if news < least.news:",
    ): "of two moments with the same news either is as good",
    ("semc_core/export/masks.py", _MASKS, _MASKS.replace("=2", "= 1")): _SPACES,
    ("semc_core/export/masks.py", _MASKS, _MASKS.replace("=2", "= 3")): _SPACES,
    (
        "semc_core/export/dicom/uids.py",
        "number = number & ~(0x3 << 62) | 0x2 << 62",
        "number = number & ~(0x3 << 62) ^ 0x2 << 62",
    ): "the bits were cleared just before",
    (
        "semc_core/export/dicom/confidentiality.py",
        "if element.tag.is_private or element.tag.group & 0xFF00 in (0x5000, 0x6000):",
        "if element.tag.is_private or element.tag.group & 65281 in (0x5000, 0x6000):",
    ): "an odd group is private",
}
"""By path, old and new text of a mutant: the reason."""


def is_equivalent(mutant: Mutant) -> bool:
    """Whether it stands in the list."""
    return (mutant.path, mutant.old, mutant.new) in EQUIVALENT
