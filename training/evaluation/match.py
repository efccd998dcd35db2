"""Data and model brought to the same classes, and the choice of what a model is judged on."""

from __future__ import annotations

from dataclasses import replace

from semc_core.errors import UsageError
from semc_core.model.spec import ModelSpec
from training.data.index import SPLITS, DataIndex

EVERYTHING = "all"


def matched(index: DataIndex, spec: ModelSpec) -> DataIndex:
    """The same pictures with the model's classes, in the model's order.

    The class for "none of these" may have another name in the data than in the model.

    Raises:
        UsageError: The data has classes that the model does not know.
    """
    names = {index.none_class: spec.none_class} if index.none_class is not None else {}
    samples = tuple(replace(one, label=names.get(one.label, one.label)) for one in index.samples)
    unknown = sorted({sample.label for sample in samples} - set(spec.classes))
    if unknown:
        raise UsageError(
            f"{index.name} has pictures of {', '.join(unknown)}, which the model does not know; choose other "
            "data, or, if none of its pictures shows one of the model's planes, give it as --no-planes."
        )
    return replace(index, samples=samples, classes=spec.classes, none_class=spec.none_class)


def chosen_split(index: DataIndex, wanted: str | None) -> tuple[str, str]:
    """Which split to judge on: its name for `load_frames`, and a sentence if it is not the test split.

    Args:
        index: The data.
        wanted: "train", "validation", "test", "all"; None takes test, or all where nothing is split.
    """
    has_splits = any(sample.split for sample in index.samples)
    if wanted is None and has_splits:
        return "test", ""
    if wanted is None or wanted == EVERYTHING:
        if has_splits and any(sample.split == "train" for sample in index.samples):
            return "", "Training pictures are among them: the model may know these."
        return "", "The data is not split: if the model was trained on some of it, the results are too good."
    if wanted == SPLITS[0]:
        return wanted, "These are training pictures: the model may know them."
    if wanted == SPLITS[1]:
        return (
            wanted,
            "These are validation pictures: weights, calibration and thresholds were chosen on them.",
        )
    return wanted, ""
