"""What a model says of the data that it learned from. Of real patients no name or number, only how many."""

from __future__ import annotations

from typing import Any, Final

from semc_core.text import counted
from training.data.frame_set import FrameSet
from training.data.shards import SOURCE

_SIMULATED: Final = "simulated scans of this program"
_SIMULATED_NOTICE: Final = (
    "This model knows only the simulated scan: "
    "it was trained on simulated patients and must not be used on real ones."
)


def is_simulated(*data: FrameSet) -> bool:
    """Whether no frame is of a patient."""
    return all(row.source == SOURCE for each in data for row in each.rows)


def notice_of(train: FrameSet, validation: FrameSet) -> str:
    """The sentence that the window always shows."""
    if is_simulated(train, validation):
        return _SIMULATED_NOTICE
    pictures = counted(len(train.rows), "picture")
    groups = counted(len(train.groups), "patient or video", "patients or videos")
    return f"This model was trained on {pictures} of {groups} and has not been tested on others."


def data_facts(name: str, train: FrameSet, validation: FrameSet) -> dict[str, Any]:
    """For the provenance.

    Args:
        name: Of the data set; simulated scans are called what they are.
        train: Frames that were learned from.
        validation: Frames that everything else was chosen on.

    Returns:
        Plain JSON values. Of simulated patients the first, the last and how many; of others only how many:
        names of real groups may be names of files, and those of persons.
    """
    simulated = is_simulated(train, validation)

    def groups(data: FrameSet) -> Any:
        return [data.groups[0], data.groups[-1], len(data.groups)] if simulated else len(data.groups)

    return {
        "data": _SIMULATED if simulated else name,
        "train_patients": groups(train),
        "train_frames": len(train.rows),
        "validation_patients": groups(validation),
        "validation_frames": len(validation.rows),
    }
