"""Opening a loop or a session for review; everything slow happens here, on a thread. No Qt here."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from app.review.opened import LazyModel, OpenReview, ReviewRequest
from app.start.recent import is_session, sessions_below
from semc_core.errors import ModelFileError, SemcError, SessionInUse, SourceError
from semc_core.model.file import read_spec
from semc_core.review.analysis import ReviewEngine
from semc_core.review.loop import LoopPlace, loop_place
from semc_core.runtime.base import Runtime
from semc_core.runtime.load import load_runtime
from semc_core.session.folder import scan_folder
from semc_core.session.record import versions
from semc_core.session.records import file_sha256, model_entry, source_entry
from semc_core.session.session import Session
from semc_core.sources.seek.base import SeekableSource, open_seekable

LOOKING_ONLY: Final = (
    "This session is open in another window or program, so it is shown for looking only: nothing can be "
    "changed here. To correct it, close it there and open it here again."
)
_WITHOUT: Final = "Planes and time line are shown without the video."


def open_review(request: ReviewRequest) -> OpenReview:
    """Open the session in `request.path`, or the one of the loop there; a new one if there is none.

    Raises:
        SemcError: It cannot be opened; the message says why.
    """
    if is_session(request.path):
        return _from_session(_opened(request.path), request)
    if not request.path.exists():
        raise SourceError(f"{request.path.name} was not found; check the name.")
    sha256 = None if request.path.is_dir() else _hash(request.path)
    known = known_session(request, sha256)
    if known is not None:
        # It may have been moved since; a folder is known by its place.
        return _from_session(_opened(known), request, None if sha256 is None else request.path)
    return _new(request, sha256)


def known_session(request: ReviewRequest, sha256: str | None) -> Path | None:
    """The session that was made last from the same loop with the same model, if there is one.

    Args:
        request: The loop, the model, and where sessions are.
        sha256: Of the loop's bytes; None for a folder, which is known by its place.
    """
    model = read_spec(request.model).sha256
    path = str(request.path.absolute())
    for session in sessions_below(request.output):
        source = session.source
        same = source.sha256 == sha256 if sha256 is not None else source.path == path
        if same and not source.live and session.model.sha256 == model:
            return session.folder
    return None


def _hash(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError as error:
        raise SourceError(f"{path.name} may not be read; check its permissions.") from error


def _new(request: ReviewRequest, sha256: str | None) -> OpenReview:
    source = open_seekable(request.path)
    try:
        runtime = load_runtime(request.model, request.device)
        try:
            spec = runtime.spec
            model = model_entry(spec, spec.thresholds, runtime.device_name, versions())
            folder = scan_folder(request.output, source.info)
            session = Session.create(folder, source_entry(source.info, request.path, sha256), model)
        except BaseException:
            runtime.close()
            raise
    except BaseException:
        source.close()
        raise
    ready = LazyModel(_loader(session, request), runtime)
    engine = ReviewEngine(session, source, ready)
    return OpenReview(session, source, engine, source.info.notice, again=False, model=ready)


def _opened(folder: Path) -> Session:
    """The session in `folder`; where another holds it, only to look at."""
    try:
        return Session.open(folder)
    except SessionInUse:
        return Session.open(folder, read_only=True)


def _from_session(session: Session, request: ReviewRequest, loop: Path | None = None) -> OpenReview:
    """Review a session; `loop` is where its loop is, if that is known."""
    later = LazyModel(_loader(session, request))
    with ExitStack() as undone:
        undone.callback(session.close)
        if loop is not None:
            _note_move(session, loop)
        place, source, notice = _frames_of(session, loop)
        engine = None
        if source is not None:
            undone.callback(source.close)
            engine = ReviewEngine(session, source, later, place.in_order)
        undone.pop_all()
    held = LOOKING_ONLY if session.read_only else ""
    of_source = "" if source is None else source.info.notice
    said = (held, session.recovered, notice, of_source)
    return OpenReview(session, source, engine, " ".join(filter(None, said)), model=later)


def _note_move(session: Session, loop: Path) -> None:
    """Where a loop was moved, not copied, its session knows it by its new place from now on."""
    before = session.source.path
    if before is not None and not session.read_only and not os.path.exists(before):  # noqa: PTH110 - never raises
        session.moved(loop)


def _loader(session: Session, request: ReviewRequest) -> Callable[[], Runtime]:
    """Loads the chosen model, if it is the session's: another one's maps would not belong to its labels."""

    def load() -> Runtime:
        if read_spec(request.model).sha256 != session.model.sha256:
            raise ModelFileError(
                "This session was made with another model; choose that one to see heat maps and experts."
            )
        return load_runtime(request.model, request.device)

    return load


def _frames_of(session: Session, loop: Path | None) -> tuple[LoopPlace, SeekableSource | None, str]:
    """Where the frames of a session are, and the frames; without them, the sentence that says why."""
    place = LoopPlace(None)
    try:
        place = loop_place(session, loop)
        if place.path is not None:
            return place, place.seekable(), ""
        missing = place.missing
    except SemcError as error:
        missing = str(error)
    return place, None, f"{missing} {_WITHOUT}"
