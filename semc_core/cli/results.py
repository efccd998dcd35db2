"""The files that `semc analyse` writes for one input: whole, or none of them.

They are written in a hidden folder beside, which is renamed when all is there.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from semc_core.cli.folders import FRAMES_NAME, replace_folder, work_folder
from semc_core.cli.inputs import RESULTS_NAME
from semc_core.io.atomic import save_error, write_atomically
from semc_core.labels import full_name
from semc_core.pipeline.batch import Reviewed
from semc_core.session.record import Origin, versions
from semc_core.session.saved import SavedPlane
from semc_core.session.writer import SessionKeeper
from semc_core.sources.base import SourceInfo
from semc_core.types import FrameResult

_DIGITS: Final = 6


class ResultFolder:
    """Collects the results of one input and writes them. Use as a context: what is not kept is removed."""

    def __init__(self, target: Path, origin: Origin) -> None:
        """Prepare a hidden folder beside `target`.

        Raises:
            SaveError: It could not be made.
        """
        self._target = target
        self._origin = origin
        self._work = work_folder(target)
        self._text = io.StringIO()
        self._rows = csv.writer(self._text, lineterminator="\n")
        self._rows.writerow(_header(origin.spec.classes))
        self._pictures: Counter[str] = Counter()
        self._saved: list[SavedPlane] = []
        try:
            shutil.rmtree(self._work, ignore_errors=True)
            self._work.mkdir(parents=True)
        except OSError as error:
            raise save_error(target.parent, error) from error
        self._store = SessionKeeper(self._work, origin, fresh=False)

    def __enter__(self) -> ResultFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self._store.close()
        shutil.rmtree(self._work, ignore_errors=True)

    @property
    def frames(self) -> int:
        """Frames so far."""
        return self._pictures.total()

    def add(self, reviewed: Reviewed) -> None:
        """Take one batch. Only final planes are written: a file is read to its end before anybody looks.

        Raises:
            SaveError: A plane could not be written.
        """
        for result in reviewed.results:
            self._rows.writerow(_row(result))
            self._store.classified(result)
            self._pictures[result.picture] += 1
        for event in reviewed.events:
            if event.final:
                self._store.submit_waiting(event)
        self._saved += self._store.take_saved()
        self._store.raise_fault()

    def keep(self, source: SourceInfo) -> dict[str, Any]:
        """Write everything under the final name, in place of results of an earlier run.

        Args:
            source: What is known of the source now that it is read: its notice may have grown.

        Returns:
            What planes.json says.

        Raises:
            SaveError: Something could not be written; results of an earlier run are untouched.
        """
        self._store.finish(source)
        self._saved += self._store.take_saved()
        summary = self._summary(source)
        write_atomically(self._work / FRAMES_NAME, self._text.getvalue().encode())
        write_atomically(self._work / RESULTS_NAME, json.dumps(summary, indent=2).encode())
        try:
            replace_folder(self._work, self._target)
        except OSError as error:
            raise save_error(self._target, error) from error
        return summary

    def _summary(self, source: SourceInfo) -> dict[str, Any]:
        origin = self._origin
        return {
            "source": source.source_id,
            "source_kind": source.kind,
            "source_notice": source.notice,
            "width": source.width,
            "height": source.height,
            "frames": self.frames,
            "pictures": dict(self._pictures),
            "planes": [_plane(plane) for plane in self._saved],
            "thresholds": asdict(origin.thresholds),
            "model_sha256": origin.spec.sha256,
            "model_preset": origin.spec.architecture.preset,
            "model_notice": origin.spec.notice,
            "device": origin.device,
            "versions": versions(),
        }


def _header(classes: Iterable[str]) -> list[str]:
    names = list(classes)
    fixed = ["frame_index", "time_s", "picture", "label", "confidence", "novelty"]
    return [*fixed, *(f"raw_{name}" for name in names), *(f"smoothed_{name}" for name in names)]


def _row(result: FrameResult) -> list[object]:
    """Values of one frame; empty where the frame was not classified."""
    prediction, packet = result.prediction, result.packet
    raw: list[object] = [""] * len(result.smoothed)
    if prediction is not None:
        raw = [round(float(value), _DIGITS) for value in prediction.probabilities]
    return [
        packet.index,
        round(packet.pts_s, _DIGITS),
        result.picture,
        result.label,
        round(result.confidence, _DIGITS),
        "" if prediction is None else round(float(prediction.novelty), _DIGITS),
        *raw,
        *(round(float(value), _DIGITS) for value in result.smoothed),
    ]


def _plane(plane: SavedPlane) -> dict[str, Any]:
    return {
        "hold_id": plane.hold_id,
        "plane": plane.plane,
        "full_name": full_name(plane.plane),
        "confidence": round(plane.confidence, _DIGITS),
        "frame_index": plane.frame_index,
        "time_s": round(plane.time_s, _DIGITS),
        "hold_start_s": round(plane.hold_start_s, _DIGITS),
        "hold_end_s": round(plane.hold_end_s, _DIGITS),
        "png": None if plane.png is None else plane.png.name,
    }
