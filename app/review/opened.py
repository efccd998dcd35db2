"""What is reviewed: the request, and the session with its loop and its analysis. No Qt here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import ModelFileError
from semc_core.review.analysis import ReviewEngine
from semc_core.runtime.base import Runtime
from semc_core.session.records import FrameTable
from semc_core.session.session import Session
from semc_core.sources.seek.base import SeekableSource

_NO_TIMES: Final = np.zeros(0, np.float64)


@dataclass(frozen=True, slots=True)
class ReviewRequest:
    """What to review, and with what.

    Attributes:
        path: A session's folder, a file, or a folder of images.
        model: Model file, for a loop that was not analysed yet.
        device: "auto", "cpu" or "cuda".
        output: Below it a new session gets its folder.
    """

    path: Path
    model: Path
    device: str
    output: Path


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
    """

    session: Session
    source: SeekableSource | None
    analysis: ReviewEngine | None
    notice: str = ""
    again: bool = True
    model: LazyModel | None = None

    @property
    def looking_only(self) -> bool:
        """Whether nothing in it can be changed here."""
        return self.session.read_only

    @property
    def greeting(self) -> str:
        """The sentence for the status line when it is open."""
        made = "Taken up again" if self.again else "A new session"
        if self.looking_only:
            made = "For looking only"
        return f"{made}: {self.session.folder.name}"

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
