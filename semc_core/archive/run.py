"""The analysis of an archive from its beginning, or from where it stopped, to its end."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from semc_core.archive.cluster import Cluster, Died, Outcome, Task
from semc_core.archive.loop import Found, How, OutOfReach, State, key_of, state_of
from semc_core.archive.page import PAGE_NAME, Progress, page_of
from semc_core.archive.store import ANALYSED, FAILED, SAME, SET_ASIDE, ArchiveStore, Made
from semc_core.errors import SaveError, SourceError
from semc_core.io.atomic import write_atomically

_ATTEMPTS: Final = 2
_PATIENCE_S: Final = 120.0
"""So long a file is waited for that cannot be reached."""
_AGAIN_S: Final = 5.0
_PASSING_S: Final = 0.5
_PAGE_EVERY_S: Final = 2.0
_MOST_TOLD: Final = 100


@dataclass(slots=True)
class _Away:
    """A loop out of reach, and when it is tried again."""

    task: Task
    again_s: float


class ArchiveRun:
    """Hands out loops and writes what comes back; what has its row already is passed over."""

    def __init__(self, out: Path, store: ArchiveStore, cluster: Cluster, how: How, made: Made) -> None:
        self._out = out
        self._store = store
        self._cluster = cluster
        self._how = how
        self._made = made
        self._again: deque[Task] = deque()
        self._alone: deque[Task] = deque()
        self._away: list[_Away] = []
        self._away_since: dict[Path, float] = {}
        self._page_s = 0.0
        self.progress = Progress()

    def run(self, paths: Iterable[Path], total: int, tell: Callable[[Progress], None]) -> Progress:
        """Analyse all of `paths`.

        Args:
            paths: Files and folders of pictures.
            total: How many these are.
            tell: Called with how it stands, after each step.

        Raises:
            SaveError: The results cannot be written.
            UsageError: The workers cannot do the work.
            RuntimeFault: They cannot run the model.
        """
        self.progress.total = total
        coming = iter(paths)
        more = True
        while more or self._again or self._alone or self._away or self._cluster.busy:
            more = self._hand_out(coming) and more
            for task, outcome in self._cluster.take():
                self._conclude(task, outcome)
            self._store.write_if_due()
            self._show(tell)
        self._show(tell, last=True)
        return self.progress

    def _hand_out(self, coming: Iterator[Path]) -> bool:
        """Give the workers what they have room for. False when nothing new is left."""
        now_s = time.monotonic()
        for one in [each for each in self._away if each.again_s <= now_s]:
            self._away.remove(one)
            (self._alone if one.task.alone else self._again).append(one.task)
        # What has its row takes no room: so that the workers are not left waiting while many are passed over.
        while self._cluster.room > 0 and time.monotonic() - now_s < _PASSING_S:
            again = self._next_again()
            if again is not None:
                self._cluster.give(again)
                continue
            path = next(coming, None)
            if path is None:
                return False
            if self._is_done(path):
                self.progress.passed_over += 1
            else:
                self._cluster.give(Task(path))
        return True

    def _next_again(self) -> Task | None:
        """The first that may be given again now; those that stay alone wait until a worker is idle."""
        if self._again:
            return self._again.popleft()
        return self._alone.popleft() if self._alone and self._cluster.idle else None

    def _is_done(self, path: Path) -> bool:
        try:
            return self._store.is_done(path, state_of(path))
        except (OutOfReach, SourceError):
            return False

    def _conclude(self, task: Task, outcome: Outcome | None) -> None:
        if outcome is None:
            self._alone.append(task)
        elif isinstance(outcome, Found):
            key = key_of(outcome.content, self._made.model_sha256, self._made.version, self._how)
            status = self._store.found(task.path, key, outcome, task.attempts + 1)
            self.progress.analysed += status == ANALYSED
            self.progress.same += status == SAME
            self.progress.frames += outcome.frames
            self.progress.planes += len(outcome.planes) if status == ANALYSED else 0
        elif isinstance(outcome, Died):
            task.attempts += 1
            if task.attempts < _ATTEMPTS:
                self._alone.append(task)
            else:
                self._fail(task, f"{outcome.why} It was tried {_ATTEMPTS} times and set aside.", SET_ASIDE)
        elif outcome.out_of_reach and self._is_waited_for(task):
            return
        else:
            self._fail(task, outcome.problem, FAILED)

    def _is_waited_for(self, task: Task) -> bool:
        now_s = time.monotonic()
        since_s = self._away_since.setdefault(task.path, now_s)
        if now_s - since_s > _PATIENCE_S:
            return False
        self._away.append(_Away(task, now_s + _AGAIN_S))
        return True

    def _fail(self, task: Task, problem: str, status: str) -> None:
        state: State | None = None
        with suppress(OutOfReach, SourceError):
            state = state_of(task.path)
        self._store.failed(task.path, state, problem, status, max(1, task.attempts))
        self.progress.failed += status == FAILED
        self.progress.set_aside += status == SET_ASIDE
        self.progress.problems.append((str(task.path), problem))
        del self.progress.problems[:-_MOST_TOLD]

    def _show(self, tell: Callable[[Progress], None], *, last: bool = False) -> None:
        tell(self.progress)
        now_s = time.monotonic()
        if last or now_s - self._page_s >= _PAGE_EVERY_S:
            self._page_s = now_s
            self.progress.over = last
            try:
                write_atomically(self._out / PAGE_NAME, page_of(self.progress).encode(), private=True)
            except SaveError:
                # The next one comes in two seconds; whether results can be written is the store's to say.
                return
