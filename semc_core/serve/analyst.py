"""The thread that analyses what was received, one object after the other, and hands on what was found."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from semc_core.errors import SemcError, SourceError, SourceInterrupted
from semc_core.model.catalogue import model_path
from semc_core.model.registry import current_model
from semc_core.runtime.base import Runtime
from semc_core.runtime.load import load_runtime
from semc_core.serve.by_picture import best_of, known, sampled
from semc_core.serve.inbox import Inbox, Received
from semc_core.serve.reply import KEPT_HERE, NO_MODEL_KNOWS, NOTHING_FOUND, Replies
from semc_core.serve.rules import model_for
from semc_core.serve.settings import BY_PICTURE, ServeSettings
from semc_core.session.analyse import analyse_source
from semc_core.sources.base import FrameSource
from semc_core.sources.dicom.content import read_content
from semc_core.sources.open import open_source

_log = logging.getLogger(__name__)
IN_USE: Final = "in-use"
_REST_S: Final = 60.0
"""What could not be worked on now is tried again after so long, then after twice that."""
_MOST_DOUBLED: Final = 4
_STOP_S: Final = 120.0


def model_file(name: str) -> Path:
    """The file of a model as the settings name it.

    Raises:
        SemcError: There is no such model.
    """
    return current_model() if name == IN_USE else model_path(name)


class Analyst:
    """Works on the inbox. `start` once, `stop` once."""

    def __init__(
        self,
        settings: ServeSettings,
        inbox: Inbox,
        replies: Replies | None,
        queued: Callable[[], None] = lambda: None,
        *,
        rest_s: float = _REST_S,
    ) -> None:
        """Prepare.

        Args:
            settings: Models and limits.
            inbox: Held by this service.
            replies: None keeps results here.
            queued: Told when results were put into the sending queue.
            rest_s: See `_REST_S`.
        """
        self._settings = settings
        self._inbox = inbox
        self._replies = replies
        self._queued = queued
        self._rest_s = rest_s
        self._changed = threading.Condition()
        self._stopping = False
        self._woken = False
        self._source: FrameSource | None = None
        self._resting: dict[int, float] = {}
        self._rests: Counter[int] = Counter()
        self._models: dict[Path, Runtime] = {}
        self._thread = threading.Thread(target=self._run, name="serve analysis", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Something came."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def stop(self) -> None:
        """End. What is under way waits again, and is begun anew at the next start.

        Raises:
            RuntimeError: The thread did not end.
        """
        with self._changed:
            self._stopping = True
            source = self._source
            self._changed.notify_all()
        if source is not None:
            source.interrupt()
        if self._thread.ident is not None:
            self._thread.join(_STOP_S)
            if self._thread.is_alive():
                raise RuntimeError("the analysing thread is stuck")

    def _run(self) -> None:
        try:
            while not self._is_stopping():
                if not self._work_on_one():
                    self._wait()
        except Exception as error:  # noqa: BLE001 - the thread's boundary
            _log.error("The analysis ended with a fault: %s", type(error).__name__)
        finally:
            for runtime in self._models.values():
                runtime.close()

    def _work_on_one(self) -> bool:
        """Returns whether there was anything to do."""
        now_s = time.monotonic()
        self._resting = {number: until_s for number, until_s in self._resting.items() if until_s > now_s}
        try:
            one = self._inbox.begin(self._resting)
        except SemcError as error:
            _log.error("The inbox cannot be used: %s", str(error))
            return False
        if one is None:
            return False
        try:
            self._work_on(one)
        except SemcError as error:
            # The inbox took no entry: the disk is full, or the like.
            _log.error("What became of object %d could not be written down: %s", one.object_id, str(error))
            self._rest(one)
        return True

    def _work_on(self, one: Received) -> None:
        try:
            if one.state == "analysing":
                self._analyse(one)
            else:
                self._reply(one)
        except SourceInterrupted:
            if self._is_stopping():
                self._inbox.put_back(one, "")
            else:
                self._fail(one, f"Its analysis took more than {self._settings.limits.analysis_s:g} s.")
        except SourceError as error:
            self._fail(one, str(error))
        except SemcError as error:
            # The model, the disk or the queue: not the object's fault.
            self._inbox.put_back(one, str(error))
            self._rest(one)
            _log.warning("Object %d waits: %s", one.object_id, str(error))
        except Exception as error:  # noqa: BLE001 - the boundary of one object
            # The type only: an error may quote what is in the file.
            self._fail(one, f"It could not be analysed ({type(error).__name__}).")

    def _analyse(self, one: Received) -> None:
        path = self._inbox.path(one)
        name = model_for(self._settings, read_content(path))
        if name == BY_PICTURE:
            name = self._known_by(path)
            if not name:
                self._inbox.done(one, NO_MODEL_KNOWS)
                return
        model = model_file(name)
        runtime = self._runtime(model)
        folder = self._inbox.sessions / f"{one.object_id:08}"
        # What a kill left of an analysis that did not come to its end.
        shutil.rmtree(folder, ignore_errors=True)
        source = open_source(str(path))
        with (
            self._within_limits(source),
            analyse_source(source, folder, runtime, path=path) as session,
        ):
            planes, name = len(session.planes()), session.folder.name
        self._inbox.analysed(one, model.stem, name, planes)

    def _known_by(self, path: Path) -> str:
        """Name of the candidate that knows the pictures of an object; "" where none does."""
        with closing(open_source(str(path))) as source, self._within_limits(source):
            packets = sampled(source)
        names = self._settings.candidates
        best = best_of([known(packets, self._runtime(model_file(name))) for name in names])
        return "" if best is None else names[best]

    @contextmanager
    def _within_limits(self, source: FrameSource) -> Iterator[None]:
        """In here the source is interrupted when its time is over, and when the service ends."""
        limit = threading.Timer(self._settings.limits.analysis_s, source.interrupt)
        limit.daemon = True
        try:
            self._watch(source)
            limit.start()
            yield
        finally:
            limit.cancel()
            self._watch(None)

    def _reply(self, one: Received) -> None:
        if not one.planes:
            self._inbox.done(one, NOTHING_FOUND)
        elif self._replies is None:
            self._inbox.done(one, KEPT_HERE)
        else:
            folder = self._inbox.sessions / one.session
            self._inbox.done(one, self._replies.send(folder))
            self._replies.clear(folder)
            self._queued()

    def _runtime(self, path: Path) -> Runtime:
        """The model, loaded once.

        Raises:
            ModelFileError, RuntimeFault: It cannot be loaded.
        """
        if path not in self._models:
            self._models[path] = load_runtime(path)
        return self._models[path]

    def _fail(self, one: Received, message: str) -> None:
        _log.warning("Object %d could not be analysed: %s", one.object_id, message)
        self._inbox.failed(one, message)

    def _rest(self, one: Received) -> None:
        self._rests[one.object_id] += 1
        longer = 2 ** min(self._rests[one.object_id] - 1, _MOST_DOUBLED)
        self._resting[one.object_id] = time.monotonic() + self._rest_s * longer

    def _watch(self, source: FrameSource | None) -> None:
        with self._changed:
            self._source = source
            if source is not None and self._stopping:
                source.interrupt()

    def _is_stopping(self) -> bool:
        with self._changed:
            return self._stopping

    def _wait(self) -> None:
        """Until something comes, or a rest is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._woken or self._stopping, self._rest_s)
            self._woken = False
