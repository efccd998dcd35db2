"""What a model finds where there is nothing to find: videos and pictures without its planes.

Every frame of a video goes through the stages that live has, to the detector; a picture through the model.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semc_core.cli.shared.inputs import wanted_inputs
from semc_core.errors import SourceError, UsageError
from semc_core.labels import NON_STANDARD
from semc_core.model.spec import ModelSpec
from semc_core.pipeline.batch import review
from semc_core.sources.images import natural_key
from semc_core.sources.open import open_source
from semc_core.sources.pictures import SUFFIXES
from semc_core.types import FrameResult, HoldEvent
from training.data.index import Sample, make_index
from training.data.loading import load_frames
from training.evaluation.predictions import Predictions, Predictor, Progress
from training.evaluation.result import FalsePositives

_log = logging.getLogger(__name__)


def false_positives(
    judge: Predictor, places: Sequence[Path], progress: Progress | None = None
) -> tuple[FalsePositives, ...]:
    """Look at data without planes.

    Args:
        judge: The model.
        places: Videos, pictures, or folders of either; a folder's own folders are told apart.
        progress: Told of each video or folder of pictures.

    Returns:
        For each place what was found in its videos, and for each of its folders what was found in its
        pictures.

    Raises:
        UsageError: There is nothing in a place, or a picture cannot be read.
        RuntimeFault: The model could not be run.
    """
    found: list[FalsePositives] = []
    for place in (each.expanduser() for each in places):
        videos, pictures = _contents(place)
        if videos:
            found.append(_of_videos(judge, _shown_name(place), videos, progress))
        for number, (name, paths) in enumerate(pictures.items(), 1):
            found.append(_of_pictures(judge, name, paths))
            if progress is not None:
                progress(number, len(pictures))
    return tuple(found)


def _contents(place: Path) -> tuple[list[Path], dict[str, list[Path]]]:
    """Videos, and pictures by the name of what they are told apart by."""
    videos: list[Path] = []
    pictures: dict[str, list[Path]] = {}
    for wanted in wanted_inputs([str(place)]):
        if wanted.problem or not wanted.path.exists():
            raise UsageError(wanted.problem or f"{place} was not found; check the name.")
        is_folder = wanted.path.is_dir()
        if not is_folder and wanted.path.suffix.lower() not in SUFFIXES:
            videos.append(wanted.path)
            continue
        below = wanted.path.is_relative_to(place) and wanted.path != place
        inside = wanted.path.relative_to(place).parts if below else ()
        name = "/".join((_shown_name(place), *inside[:1])) if is_folder else _shown_name(place)
        pictures.setdefault(name, []).extend(_images_in(wanted.path) if is_folder else [wanted.path])
    return videos, pictures


def _images_in(folder: Path) -> list[Path]:
    """Not those in its folders: these are found for themselves."""
    found = (path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.name[0] != ".")
    return sorted(found, key=lambda path: natural_key(path.name))


def _shown_name(place: Path) -> str:
    return place.resolve().name


def _of_pictures(judge: Predictor, name: str, paths: Sequence[Path]) -> FalsePositives:
    spec = judge.spec
    samples = [Sample(path, spec.none_class, str(number)) for number, path in enumerate(paths)]
    index = make_index(name, samples, paths[0].parent, classes=spec.classes)
    answers = judge.answer(load_frames(index, "", spec.preprocessing).frames)
    called = [spec.classes[int(best)] for best in answers.probabilities.argmax(axis=1)]
    planes = Counter(each for each in called if each != spec.none_class)
    return FalsePositives(
        name=name,
        kind="pictures",
        frames=len(paths),
        files=len({path.parent for path in paths}),
        called=sum(planes.values()),
        above_threshold=int((surest_plane(answers, spec) >= spec.thresholds.enter).sum()),
        minutes=0.0,
        saved=0,
        by_plane=dict(planes),
    )


def surest_plane(answers: Predictions, spec: ModelSpec) -> NDArray[np.float32]:
    """float32 (N,), the greatest probability of a plane."""
    none = spec.classes.index(spec.none_class)
    greatest: NDArray[np.float32] = np.delete(answers.probabilities, none, axis=1).max(axis=1)
    return greatest


@dataclass(slots=True)
class _Seen:
    """Counts over videos."""

    frames: int = 0
    called: int = 0
    above: int = 0
    seconds: float = 0.0
    files: int = 0
    skipped: int = 0
    saved: Counter[str] = field(default_factory=Counter)


def _of_videos(
    judge: Predictor, name: str, paths: Sequence[Path], progress: Progress | None
) -> FalsePositives:
    seen = _Seen()
    for number, path in enumerate(paths, 1):
        try:
            _look_through(judge, path, seen)
            seen.files += 1
        except SourceError as error:
            # One damaged clip does not undo the hour of the others; it is counted and shown.
            _log.warning("A video could not be read to its end: %s", type(error).__name__)
            seen.skipped += 1
        if progress is not None:
            progress(number, len(paths))
    if not seen.frames:
        raise UsageError(f"None of the videos in {name} can be read; choose others.")
    return FalsePositives(
        name=name,
        kind="video",
        frames=seen.frames,
        files=seen.files,
        called=seen.called,
        above_threshold=seen.above,
        minutes=seen.seconds / 60,
        saved=sum(seen.saved.values()),
        by_plane=dict(seen.saved),
        skipped=seen.skipped,
    )


def _look_through(judge: Predictor, path: Path, seen: _Seen) -> None:
    """One video; what was seen before a fault counts.

    Raises:
        SourceError: It cannot be read to its end.
    """
    spec = judge.spec
    planes = np.array([name != spec.none_class for name in spec.classes])
    times_s: list[float] = []
    events: dict[int, HoldEvent] = {}
    try:
        for batch in review(open_source(str(path)), judge.runtime):
            times_s += [result.packet.pts_s for result in batch.results]
            seen.called += sum(result.label != NON_STANDARD for result in batch.results)
            seen.above += sum(_reaches(result, planes, spec.thresholds.enter) for result in batch.results)
            events |= {event.hold_id: event for event in batch.events}
    finally:
        seen.frames += len(times_s)
        seen.seconds += length_s(times_s)
        seen.saved.update(event.plane for event in events.values())


def _reaches(result: FrameResult, planes: NDArray[np.bool_], enter: float) -> bool:
    return result.prediction is not None and bool(result.prediction.probabilities[planes].max() >= enter)


def length_s(times_s: Sequence[float]) -> float:
    """How long frames at these times are shown, the last as long as the others on average."""
    if len(times_s) < 2:
        return 0.0
    return (times_s[-1] - times_s[0]) * len(times_s) / (len(times_s) - 1)
