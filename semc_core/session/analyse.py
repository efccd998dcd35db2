"""A recorded scan into a session, in one call, for programs that use this one as a library."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from semc_core.errors import SourceError, UsageError
from semc_core.language import _
from semc_core.pipeline.batch import review
from semc_core.pipeline.stages import chosen_thresholds
from semc_core.runtime.base import Runtime
from semc_core.session.files import Origin
from semc_core.session.records import file_sha256
from semc_core.session.session import Session
from semc_core.session.writer import SessionWriter
from semc_core.sources.base import FrameSource
from semc_core.types import Crop


def analyse_source(
    source: FrameSource,
    folder: Path,
    runtime: Runtime,
    *,
    path: Path | None = None,
    crop: Crop | None = None,
    batch: int = 8,
) -> Session:
    """Classify every frame of a recorded scan, and keep them as a session with the planes that were found.

    The planes are those of `semc analyse`, and of a live scan that dropped nothing.

    Args:
        source: Open, and not live; it is read to its end and closed.
        folder: Of the session. Where it is taken, a number is added to its name: see `Session.folder`.
        runtime: The model; stays open.
        path: The file or folder that `source` reads: by it the session finds its frames again, for review,
            and for the clips of an export.
        crop: Region of interest; None finds it.
        batch: Frames per call of the model; the results do not depend on it.

    Returns:
        The session, open for writing; close it.

    Raises:
        SourceError: The source broke; what was analysed before stays as a session.
        RuntimeFault: The model could not be run.
        SaveError: The session could not be written.
        UsageError: The source is live, the batch is not at least 1, or `crop` lies outside the first picture.
    """
    with closing(source):
        if source.info.live:
            raise UsageError(
                _("{source} is live; open a file to analyse every frame of it.", source=source.info.source_id)
            )
        writer = SessionWriter(folder, origin_of(source, runtime, path))
        with closing(writer), closing(review(source, runtime, batch=batch, crop=crop)) as steps:
            for reviewed in steps:
                writer.add(reviewed)
            writer.finish(source.info)
    return Session.open(writer.folder)


def origin_of(source: FrameSource, runtime: Runtime, path: Path | None) -> Origin:
    """What the planes of a recorded scan have in common; `path` is what `source` reads.

    Raises:
        SourceError: The file cannot be read.
    """
    spec = runtime.spec
    thresholds = chosen_thresholds(spec, None, source.info)
    if path is None:
        return Origin(source.info, spec, thresholds, runtime.device_name)
    try:
        # A folder of images has no hash of its own.
        sha256 = file_sha256(path) if path.is_file() else None
    except OSError as error:
        raise SourceError(_("{name} may not be read; check its permissions.", name=path.name)) from error
    return Origin(source.info, spec, thresholds, runtime.device_name, path.absolute(), sha256)
