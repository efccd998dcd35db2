"""Workers on a cluster, by Ray: they are started, given loops, watched, and replaced when they die."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

# Ray tells its makers nothing of where and how it is used.
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
import ray
from ray.exceptions import OutOfMemoryError, RayActorError

from semc_core.archive.loop import Found, How
from semc_core.archive.worker import About, Failed, LoopWorker
from semc_core.errors import RuntimeFault, UsageError
from semc_core.version import VERSION

LOCAL: Final = "local"
_AHEAD: Final = 2
"""Loops that a worker has at a time: the next one lies there when it is done."""
_ANSWER_S: Final = 10.0
_LOOK_S: Final = 0.2
_MOST_ENDED_EARLY: Final = 5
"""Of workers, one after the other, before they were ready."""


@dataclass(frozen=True, slots=True)
class Model:
    """The model of all workers, and on what it runs."""

    content: bytes
    device: str
    precision: str
    threads: int | None


@dataclass(slots=True)
class Task:
    """A loop on its way."""

    path: Path
    attempts: int = 0
    """How often a worker died of it, or was too slow."""
    alone: bool = False
    """Whether a worker that had it died: then a worker has nothing else beside it, and what dies is its."""


@dataclass(frozen=True, slots=True)
class Died:
    """A worker died while it analysed a loop."""

    why: str


Outcome = Found | Failed | Died


@dataclass(slots=True, eq=False)
class _Worker:
    """One worker and what it was given, the first of it in work."""

    actor: Any
    about: Any
    ready: bool = False
    given: deque[tuple[Any, Task]] = field(default_factory=deque)
    begun_s: float = field(default_factory=time.monotonic)


class Cluster:
    """The workers. Close it."""

    def __init__(
        self,
        address: str,
        workers: int | None,
        model: Model,
        how: How,
        limit_s: float,
        kind: type[LoopWorker] = LoopWorker,
    ) -> None:
        """Start or find the cluster, and as many workers as it has room for.

        Args:
            address: `LOCAL` for this machine, else Ray's own, as ray://head:10001. A program that is
                connected already stays where it is.
            workers: How many; None for one a core, and one a GPU where the model may run there.
            model: That they run.
            how: How they analyse.
            limit_s: Longest time for one loop.
            kind: What runs on each worker.

        Raises:
            UsageError: There is no cluster at that address, none starts here, or no room for a worker.
        """
        self._limit_s = limit_s
        self._kind = kind
        self._ended_early = 0
        self._begin(address, workers)
        self._content = ray.put(model.content)
        self._model = model
        self._how = how
        kinds = self._kinds(workers)
        self._workers = [self._start(gpu) for gpu in kinds]
        self._gpu = {id(worker): gpu for worker, gpu in zip(self._workers, kinds, strict=True)}
        self.left_out: list[str] = []

    @property
    def size(self) -> int:
        """How many workers there are."""
        return len(self._workers)

    @property
    def room(self) -> int:
        """How many loops may be given now."""
        return sum(_room(worker) for worker in self._workers)

    @property
    def idle(self) -> bool:
        """Whether a worker has nothing to do."""
        return any(worker.ready and not worker.given for worker in self._workers)

    @property
    def busy(self) -> bool:
        """Whether a loop is on its way."""
        return any(worker.given for worker in self._workers)

    def give(self, task: Task) -> None:
        """Hand a loop to the worker that has least, where there is room. Never waits.

        A loop that stays alone is for an idle worker only.
        """
        worker = max(self._workers, key=_room)
        if not worker.given:
            worker.begun_s = time.monotonic()
        worker.given.append((worker.actor.analyse.remote(os.fspath(task.path)), task))

    def take(self) -> Iterator[tuple[Task, Outcome | None]]:
        """What is done since; None for a loop that must be given again, perhaps through no fault of its own.

        Raises:
            UsageError: No worker runs this version of the program.
            RuntimeFault: No worker can run the model.
        """
        first = [worker.given[0][0] for worker in self._workers if worker.given]
        waiting = first + [worker.about for worker in self._workers if not worker.ready]
        if not waiting:
            time.sleep(_LOOK_S)
        ready, _ = ray.wait(waiting, num_returns=1, timeout=_LOOK_S) if waiting else ([], [])
        for worker in list(self._workers):
            if not worker.ready and worker.about in ready:
                self._check(worker)
            while worker.given and (worker.given[0][0] in ready or self._is_there(worker.given[0][0])):
                yield from self._finished(worker)
            if worker.given and time.monotonic() - worker.begun_s > self._limit_s:
                yield from self._replace(worker, f"It took more than {self._limit_s:g} s.")

    def close(self) -> None:
        """End all workers, and what of the cluster was started for them."""
        for worker in self._workers:
            ray.kill(worker.actor)
        if self._is_ours:
            ray.shutdown()

    def processes(self) -> list[int]:
        """Process numbers of the workers that are ready."""
        ready = [worker for worker in self._workers if worker.ready]
        return [ray.get(worker.about).process for worker in ready]

    def _begin(self, address: str, workers: int | None) -> None:
        self._is_ours = not ray.is_initialized()
        if not self._is_ours:
            return
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        try:
            _reach(address)
            if address == LOCAL:
                ray.init(address="local", num_cpus=workers, include_dashboard=False, **quiet)
            else:
                ray.init(address=address, **quiet)
        except Exception as error:  # Ray's border: that it does not start has no type of its own
            if address == LOCAL:
                raise UsageError(
                    "Ray did not start on this machine; wait until it has less to do, or free memory, then "
                    "start again."
                ) from error
            raise UsageError(
                f"There is no cluster at {address}; start one (ray start --head), or take --cluster local."
            ) from error

    def _kinds(self, workers: int | None) -> list[bool]:
        """Of each worker whether it has a GPU."""
        there: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
        gpus = 0 if self._model.device == "cpu" else int(there.get("GPU", 0))
        count = workers or gpus or int(there.get("CPU", 0)) // (self._model.threads or 1)
        if count < 1:
            raise UsageError("The cluster has no room for a worker; free a core, or take fewer --threads.")
        return [number < gpus for number in range(count)]

    def _start(self, gpu: bool) -> _Worker:
        threads = self._model.threads or 1
        made = ray.remote(self._kind).options(
            num_cpus=0 if gpu else threads, num_gpus=int(gpu), max_restarts=0, max_concurrency=1
        )
        device = "cuda" if gpu else self._model.device
        actor: Any = made.remote(self._content, device, threads, self._model.precision, self._how)
        return _Worker(actor, actor.about.remote())

    def _check(self, worker: _Worker) -> None:
        """A new worker says what it runs; before that it is given nothing."""
        try:
            about: About = ray.get(worker.about)
        except RayActorError as error:
            self._ended_early += 1
            if error.actor_init_failed or self._ended_early > _MOST_ENDED_EARLY:
                self._drop(worker, "A worker could not load the model", RuntimeFault, error)
            else:
                list(self._replace(worker, ""))
            return
        if about.version != VERSION:
            self._drop(worker, f"A worker runs version {about.version}, not {VERSION}", UsageError, None)
            return
        worker.ready = True
        self._ended_early = 0

    def _drop(
        self, worker: _Worker, why: str, wrong: type[UsageError | RuntimeFault], error: Exception | None
    ) -> None:
        """Go on without a worker that cannot do the work; without any there is no going on."""
        ray.kill(worker.actor)
        self._workers.remove(worker)
        self.left_out.append(f"{why}; it is left out.")
        if not self._workers:
            raise wrong(
                f"{why}; install the same version and what the model needs on every machine."
            ) from error

    @staticmethod
    def _is_there(answer: Any) -> bool:
        return bool(ray.wait([answer], timeout=0)[0])

    def _finished(self, worker: _Worker) -> Iterator[tuple[Task, Outcome | None]]:
        answer, task = worker.given[0]
        try:
            outcome: Outcome = ray.get(answer)
        except (OutOfMemoryError, MemoryError):  # Ray ended it, or it was refused more
            yield from self._replace(worker, "The worker ran out of memory.")
            return
        except RayActorError:
            yield from self._replace(worker, "The worker ended.")
            return
        worker.given.popleft()
        worker.begun_s = time.monotonic()
        yield task, outcome

    def _replace(self, worker: _Worker, why: str) -> Iterator[tuple[Task, Outcome | None]]:
        """End a worker and start another. What it had in work is told, what waited there is handed back.

        Which of the two it died of is not sure: the answer to the first can be lost with a worker that
        dies of the second. So each of them is alone from now on.
        """
        ray.kill(worker.actor)
        place = self._workers.index(worker)
        gpu = self._gpu.pop(id(worker))
        new = self._workers[place] = self._start(gpu)
        self._gpu[id(new)] = gpu
        given, worker.given = worker.given, deque()
        for number, (_, task) in enumerate(given):
            task.alone = True
            yield task, Died(why) if number == 0 else None


def _room(worker: _Worker) -> int:
    """How many loops it may be given now."""
    if not worker.ready or any(task.alone for _, task in worker.given):
        return 0
    return _AHEAD - len(worker.given)


def _reach(address: str) -> None:
    """Ray itself waits for minutes where nobody answers. Raises OSError, ValueError."""
    where = urlsplit(address if "://" in address else f"ray://{address}")
    if where.port is not None:
        socket.create_connection((where.hostname or "", where.port), _ANSWER_S).close()
