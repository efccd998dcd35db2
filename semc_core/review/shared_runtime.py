"""One model for two callers: the analysis in the background, and whoever waits to see one frame."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import RuntimeFault, SemcError
from semc_core.io.process import usable_cores
from semc_core.language import _
from semc_core.model.spec import ModelSpec
from semc_core.runtime.base import Runtime
from semc_core.session.records import FrameTable
from semc_core.types import Prediction

FRAMES_A_TURN: Final = usable_cores()
"""Frames that an analysis asks the model about before another may: one on each core, in the time of one."""


class SharedRuntime:
    """Loads a model when it is first needed, and lets one caller in at a time, the urgent one first."""

    def __init__(self, load: Callable[[], Runtime]) -> None:
        self._load = load
        self._turn = threading.Condition()
        self._busy = False
        self._urgent = 0
        self._closed = False
        self._runtime: Runtime | None = None
        self._failure: SemcError | None = None

    def spec(self) -> ModelSpec:
        """What the model says of itself. Loads it.

        Raises:
            SemcError: It cannot be loaded.
        """
        with self._entered(urgent=False) as runtime:
            return runtime.spec

    def classify(self, inputs: NDArray[np.float32], *, urgent: bool = False) -> list[Prediction]:
        """See `Runtime.classify`. Waits for its turn.

        Raises:
            SemcError: The model cannot be loaded or run.
        """
        with self._entered(urgent=urgent) as runtime:
            return runtime.classify(inputs)

    def close(self) -> None:
        """Release the model; waits for the caller that has it. May be called twice."""
        with self._turn:
            self._closed = True
            self._turn.notify_all()
            self._turn.wait_for(lambda: not self._busy)
            if self._runtime is not None:
                self._runtime.close()
                self._runtime = None

    def _loaded(self) -> Runtime:
        """The model; one that could not be loaded is not tried again. For the caller whose turn it is."""
        if self._failure is not None:
            raise self._failure
        if self._runtime is None:
            try:
                self._runtime = self._load()
            except SemcError as error:
                self._failure = error
                raise
        return self._runtime

    @contextmanager
    def _entered(self, *, urgent: bool) -> Iterator[Runtime]:
        with self._turn:
            self._urgent += urgent
            self._turn.wait_for(lambda: self._closed or (not self._busy and (urgent or not self._urgent)))
            self._urgent -= urgent
            if self._closed:
                raise RuntimeFault(_("The review was closed; open it again."))
            self._busy = True
        try:
            yield self._loaded()
        finally:
            with self._turn:
                self._busy = False
                self._turn.notify_all()


class ResumedRuntime:
    """A `Runtime` for an analysis that was interrupted: what was answered before is not computed again.

    The stages hand over the same frames in the same order each time, so the first answers are those logged.
    They have no class activation maps. The model is asked about a few frames at a time, so that whoever waits
    for it, or for the processor, soon has a turn.
    """

    def __init__(self, shared: SharedRuntime, known: FrameTable, give_way: Callable[[], None]) -> None:
        """Begin.

        Args:
            shared: The model.
            known: What was logged.
            give_way: Called before the model is asked; may wait.
        """
        self._shared = shared
        self._give_way = give_way
        self._spec = shared.spec()
        self._known = np.flatnonzero(~np.isnan(known.probabilities).any(axis=1))
        self._table = known
        self._given = 0

    @property
    def spec(self) -> ModelSpec:
        """See `Runtime`."""
        return self._spec

    @property
    def device_name(self) -> str:
        """See `Runtime`. Not told: whoever began the session has it."""
        return ""

    def classify(self, inputs: NDArray[np.float32]) -> list[Prediction]:
        """See `Runtime`."""
        rows = self._known[self._given : self._given + len(inputs)]
        self._given += len(rows)
        answers = [logged_prediction(self._table, int(row)) for row in rows]
        for first in range(len(rows), len(inputs), FRAMES_A_TURN):
            self._give_way()
            answers += self._shared.classify(inputs[first : first + FRAMES_A_TURN])
        return answers

    def close(self) -> None:
        """The model is closed by whoever shares it."""


def logged_prediction(table: FrameTable, row: int) -> Prediction:
    """What the model said of a frame that was classified, without its maps (all zero)."""
    probabilities = table.probabilities[row]
    maps = np.zeros((len(probabilities), 1, 1), np.float32)
    maps.flags.writeable = False
    return Prediction(probabilities, float(table.novelty[row]), maps, table.expert_weights[row])
