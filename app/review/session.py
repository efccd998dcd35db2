"""What is reviewed: the session with its loop and its analysis, opened on a thread. No Qt here."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import ModelFileError, SemcError, SessionInUse, SourceError
from semc_core.io.process import give_back_memory
from semc_core.io.regular import is_folder, is_there
from semc_core.language import N_, _, plural
from semc_core.measure.calibration import NO_SOURCE_SCALE, SourceScale
from semc_core.model.file import read_spec
from semc_core.picture_options import AS_IT_IS, BEFORE_OPTIONS, PictureOptions
from semc_core.pipeline.stages import chosen_thresholds
from semc_core.review.analysis import LoopAnalysis
from semc_core.review.loop import LoopPlace, loop_place
from semc_core.runtime.base import Runtime
from semc_core.runtime.load import load_runtime
from semc_core.session.files import versions
from semc_core.session.folder import scan_folder
from semc_core.session.listing import is_session, sessions_below
from semc_core.session.proof.verify import verify_unopened
from semc_core.session.records import (
    FrameTable,
    Proof,
    Verification,
    file_sha256,
    model_entry,
    source_entry,
)
from semc_core.session.session import Session
from semc_core.sources.open import Images, open_seekable
from semc_core.sources.seek.base import SeekableSource

LOOKING_ONLY: Final = N_(
    "This session is open in another window or program, so it is shown for looking only: nothing can be "
    "changed here. To correct it, close it there and open it here again."
)
_WITHOUT: Final = N_("Planes and time line are shown without the video.")


def open_review(request: ReviewRequest) -> OpenReview:
    """Open the session in `request.path`, or the one of the loop there; a new one if there is none.

    Raises:
        SemcError: It cannot be opened; the message says why.
    """
    if is_session(request.path):
        return _from_session(_opened(request.path), request)
    if not is_there(request.path):
        raise SourceError(_("{name} was not found; check the name.", name=request.path.name))
    sha256 = None if is_folder(request.path) else _hash(request.path)
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
        # One of an older version is gone on with, unless something else is asked for than it did.
        read_so = request.options in (source.picture_options or BEFORE_OPTIONS, AS_IT_IS)
        if same and read_so and not source.live and session.model.sha256 == model:
            return session.folder
    return None


def _hash(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError as error:
        raise SourceError(_("{name} may not be read; check its permissions.", name=path.name)) from error


def _new(request: ReviewRequest, sha256: str | None) -> OpenReview:
    source = open_seekable(request.path, images=request.images, options=request.options)
    try:
        runtime = load_runtime(request.model, request.device)
        try:
            spec = runtime.spec
            model = model_entry(
                spec, chosen_thresholds(spec, None, source.info), runtime.device_name, versions()
            )
            folder = scan_folder(request.output, source.info)
            session = Session.create(folder, source_entry(source.info, request.path, sha256), model)
        except BaseException:
            runtime.close()
            raise
    except BaseException:
        source.close()
        raise
    ready = LazyModel(_loader(session, request), runtime)
    analysis = LoopAnalysis(session, source, ready)
    scale = _scale_of(source, request.path)
    return OpenReview(session, source, analysis, source.info.notice, again=False, model=ready, scale=scale)


def _scale_of(source: SeekableSource, path: Path) -> SourceScale:
    if source.info.kind != "dicom" or not path.is_file():
        return NO_SOURCE_SCALE
    from semc_core.measure.dicom_scale import source_scale  # the window opens without pydicom

    return source_scale(path)


def _opened(folder: Path) -> Session:
    """The session in `folder`; where another holds it, only to look at."""
    try:
        return Session.open(folder)
    except SessionInUse:
        session = Session.open(folder, read_only=True)
        # Only to be looked at, it is not looked through when it is opened.
        session.found = verify_unopened(folder)
        return session


def _from_session(session: Session, request: ReviewRequest, loop: Path | None = None) -> OpenReview:
    """Review a session; `loop` is where its loop is, if that is known."""
    later = LazyModel(_loader(session, request))
    with ExitStack() as undone:
        undone.callback(session.close)
        if loop is not None:
            _note_move(session, loop)
        place, source, notice = _frames_of(session, loop)
        analysis, scale = None, NO_SOURCE_SCALE
        if source is not None:
            if place.path is not None:
                scale = _scale_of(source, place.path)
            undone.callback(source.close)
            analysis = LoopAnalysis(session, source, later, place.in_order)
        undone.pop_all()
    held = _(LOOKING_ONLY) if session.read_only else ""
    of_source = "" if source is None else source.info.notice
    notices = (held, proof_notice(session.found), session.recovered, notice, of_source)
    told = " ".join(filter(None, notices))
    return OpenReview(session, source, analysis, told, model=later, scale=scale)


def proof_notice(found: Verification | None) -> str:
    """What the user should know of how the session stands; "" where this machine proves it."""
    if found is None or found.proof is Proof.PROVEN:
        return ""
    if found.ok:
        return _("This session is {words}.", words=found.words)
    first, more = found.problems[0], len(found.problems) - 1
    if not more:
        return _(
            "This session is not as it was written: {finding} "
            "Put a copy of its folder back that is whole, or analyse the loop anew.",
            finding=first,
        )
    return plural(
        "This session is not as it was written: {finding} ({count} more finding) "
        "Put a copy of its folder back that is whole, or analyse the loop anew.",
        "This session is not as it was written: {finding} ({count} more findings) "
        "Put a copy of its folder back that is whole, or analyse the loop anew.",
        more,
        finding=first,
    )


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
                _("This session was made with another model; choose that one to see heat maps and experts.")
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
        missing = _(place.missing)
    except SemcError as error:
        missing = str(error)
    return place, None, f"{missing} {_(_WITHOUT)}"


_NO_TIMES: Final = np.zeros(0, np.float64)


@dataclass(frozen=True, slots=True)
class ReviewRequest:
    """What to review, and with what.

    Attributes:
        path: A session's folder, a file, or a folder of images.
        model: Model file, for a loop that was not analysed yet.
        device: "auto", "cpu" or "cuda".
        output: Below it a new session gets its folder.
        images: What a folder of images is; see `semc_core.sources.open.open_source`.
        options: How the pictures of a file that was not analysed yet are read.
    """

    path: Path
    model: Path
    device: str
    output: Path
    images: Images = "auto"
    options: PictureOptions = AS_IT_IS


class LazyModel:
    """Hands the model over when it is first needed. For any thread.

    What is handed over belongs to whoever took it; `close` releases what nobody took.
    """

    def __init__(self, load: Callable[[], Runtime], loaded: Runtime | None = None) -> None:
        """Load it later; or hand over what is `loaded` already."""
        self._load = load
        self._lock = threading.Lock()
        self._loaded = loaded
        self._fault = ""

    @property
    def fault(self) -> str:
        """Why there is no model, where another model file would help; or ""."""
        with self._lock:
            return self._fault

    def __call__(self) -> Runtime:
        """The model.

        Raises:
            ModelFileError: Its file cannot be used here.
            SemcError: It cannot be loaded.
        """
        with self._lock:
            loaded, self._loaded = self._loaded, None
        if loaded is not None:
            return loaded
        try:
            return self._load()
        except ModelFileError as error:
            with self._lock:
                self._fault = str(error)
            raise

    def close(self) -> None:
        """Release the model if nobody took it. May be called twice."""
        with self._lock:
            loaded, self._loaded = self._loaded, None
        if loaded is not None:
            loaded.close()


@dataclass(frozen=True, slots=True, eq=False)
class OpenReview:
    """A session with all that belongs to it.

    Attributes:
        session: Open for writing; only for reading where another window or program holds it.
        source: Its frames; None if they are not there.
        analysis: The model at work on it; None where the frames are not there.
        notice: What the user should know of it, or "".
        again: Whether it was there before.
        model: Loads the model for the analysis.
        scale: What its source says of millimetres.
    """

    session: Session
    source: SeekableSource | None
    analysis: LoopAnalysis | None
    notice: str = ""
    again: bool = True
    model: LazyModel | None = None
    scale: SourceScale = NO_SOURCE_SCALE

    @property
    def looking_only(self) -> bool:
        """Whether nothing in it can be changed here."""
        return self.session.read_only

    @property
    def greeting(self) -> str:
        """The sentence for the status line when it is open."""
        if self.looking_only:
            made = N_("For looking only: {name}"), N_("For looking only: {name}, proven by this machine")
        elif self.again:
            made = N_("Taken up again: {name}"), N_("Taken up again: {name}, proven by this machine")
        else:
            made = N_("A new session: {name}"), N_("A new session: {name}, proven by this machine")
        found = self.session.found
        proven = found is not None and found.proof is Proof.PROVEN
        return _(made[proven], name=self.session.folder.name)

    @property
    def planes(self) -> tuple[str, ...]:
        """The model's planes, in the order of its classes."""
        model = self.session.model
        return tuple(name for name in model.classes if name != model.none_class)

    def times_s(self, table: FrameTable | None) -> NDArray[np.float64]:
        """The times of the frames that can be shown; of those analysed, where the loop is not there."""
        if self.source is not None:
            return self.source.times_s
        return _NO_TIMES if table is None else table.pts_s

    def frame_index(self, at: int, table: FrameTable | None) -> int:
        """The index in the source of the frame at place `at` of `times_s`."""
        if self.source is not None:
            return self.source.number_of(at)
        return int(table.index[at]) if table is not None and at < len(table) else at

    def close(self) -> None:
        """Let go of everything.

        Raises:
            SemcError: Something could not be written.
        """
        if self.analysis is not None:
            self.analysis.close()
        if self.model is not None:
            self.model.close()
        if self.source is not None:
            self.source.close()
        self.session.close()
        give_back_memory()
