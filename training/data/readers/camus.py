"""CAMUS (Leclerc et al. 2019): apical two- and four-chamber views, a folder per patient, NIfTI or MetaImage::

    [training/|database_nifti/]patient0001/patient0001_{2CH,4CH}_{ED,ES,half_sequence,sequence}.{nii.gz,mhd}

Lists of patients in `database_split/subgroup_{training,validation,testing}.txt` or `subgroup_*.txt` give the
splits; masks (`_gt`) are left out.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from semc_core.errors import UsageError
from training.data.images import frame_count
from training.data.index import DataIndex, Sample, make_index
from training.data.readers.options import ReadOptions

_CLASSES: Final = ("2CH", "4CH")
_FILE: Final = re.compile(
    r"(?P<patient>patient\d+)_(?P<view>2CH|4CH)_(?P<what>ED|ES|half_sequence|sequence)\.(?:nii(?:\.gz)?|mhd)",
    re.IGNORECASE,
)
_LISTS: Final = {"training": "train", "validation": "validation", "testing": "test"}
_DEEPEST: Final = 3


def fits(folder: Path) -> bool:
    """Whether there is a patient's folder with a view in it."""
    return any(_FILE.fullmatch(path.name) for patient in _patients(folder) for path in patient.iterdir())


def read(folder: Path, options: ReadOptions) -> DataIndex:
    """Index the views; patients are groups.

    Args:
        folder: Of the data set.
        options: Without `sequences`, of a view with stills only these (end of diastole and of systole).

    Raises:
        UsageError: A patient is in two lists.
        SourceError: A file cannot be read.
    """
    splits = _splits(folder)
    samples = []
    for patient in _patients(folder):
        for path, count in _files(patient, options.sequences):
            found = _FILE.fullmatch(path.name)
            assert found is not None
            name = patient.name
            samples += [
                Sample(path, found["view"].upper(), name, "CAMUS", splits.get(name, ""), frame)
                for frame in range(count)
            ]
    return make_index("CAMUS", samples, folder, classes=_CLASSES)


def _files(patient: Path, sequences: bool) -> list[tuple[Path, int]]:
    """Files to use and their numbers of frames. The stills are frames of the loop, so one of both is used."""
    chosen: list[tuple[Path, int]] = []
    for view in _CLASSES:
        stills: list[Path] = []
        loops: list[Path] = []
        for path in sorted(patient.iterdir()):
            found = _FILE.fullmatch(path.name)
            if found is not None and found["view"].upper() == view:
                (stills if found["what"].upper() in ("ED", "ES") else loops).append(path)
        use_loops = bool(loops) and (sequences or not stills)
        chosen += [(path, frame_count(path)) for path in (loops if use_loops else stills)]
    return chosen


def _patients(folder: Path) -> list[Path]:
    """Folders of patients, at most three levels down."""
    found: dict[str, Path] = {}
    for depth in range(_DEEPEST):
        for path in sorted(folder.glob("/".join(["*"] * depth + ["patient*"]))):
            if path.is_dir():
                found.setdefault(path.as_posix(), path)
    return list(found.values())


def _splits(folder: Path) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for word, split in _LISTS.items():
        for path in [*folder.glob(f"subgroup_{word}.txt"), *folder.glob(f"*/subgroup_{word}.txt")]:
            try:
                names = path.read_text(encoding="utf-8").split()
            except (OSError, ValueError) as error:
                raise UsageError(f"{path.name} cannot be read; use the original lists.") from error
            for name in names:
                if chosen.setdefault(name, split) != split:
                    raise UsageError(f"{name} is in two lists of patients; use the original lists.")
    return chosen
