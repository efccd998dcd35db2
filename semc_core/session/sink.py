"""What a live scan is written by: a session of its own for each scan."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from semc_core.errors import SaveError
from semc_core.io.atomic import remove_leftovers
from semc_core.model.spec import ModelSpec
from semc_core.pipeline.sink import PlaneSink, SinkFactory
from semc_core.session.examination import Examination
from semc_core.session.files import Origin
from semc_core.session.folder import scan_folder
from semc_core.session.recording.clips import ClipSettings
from semc_core.session.session import Session
from semc_core.session.whose import check_same_patient
from semc_core.session.writer import SessionWriter
from semc_core.types import SourceInfo, Thresholds

_log = logging.getLogger(__name__)
_CLIPS: Final = ClipSettings()


def session_sink(
    root: Path,
    clips: ClipSettings | None = _CLIPS,
    path: Path | None = None,
    examination: Examination | None = None,
) -> SinkFactory[Session]:
    """What `LivePipeline` needs to write each scan into a folder of its own below `root`.

    Temporary files that a killed program left there are removed.

    Args:
        root: Folder of the sessions.
        clips: Around each plane a clip is saved, unless this is None.
        path: The file or folder that is played: by it review finds the frames again.
        examination: That the scan belongs to, or None. A DICOM file of another patient is refused: what is
            made of it raises a `SessionError`, so that the scan does not begin.
    """

    def make(source: SourceInfo, spec: ModelSpec, thresholds: Thresholds, device: str) -> PlaneSink[Session]:
        check_same_patient(path, examination)
        try:
            remove_leftovers(root)
        except SaveError as error:
            # The scan can go on; the first plane will tell whether the folder is usable.
            _log.warning("Leftovers could not be removed: %s", type(error.__cause__ or error).__name__)
        origin = Origin(source, spec, thresholds, device, path, examination=examination)
        return SessionWriter(scan_folder(root, source), origin, clips=clips)

    return make
