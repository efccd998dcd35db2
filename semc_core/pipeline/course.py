"""How a scan stands: its phase, and why it ended."""

from __future__ import annotations

import logging
import threading
from typing import Final

from semc_core.errors import ModelFileError, SemcError, told_of_system
from semc_core.io.log import TOLD
from semc_core.language import _
from semc_core.pipeline.state import Phase, PipelineState

_log = logging.getLogger(__name__)
_FINAL: Final = (Phase.ENDED, Phase.STOPPED, Phase.FAULT)


class Lifecycle:
    """From idle over starting and running to one end; what comes after the first end changes nothing.

    For any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state = PipelineState(Phase.IDLE)

    @property
    def state(self) -> PipelineState:
        """The phase; in a fault the sentence that says why."""
        with self._lock:
            return self._state

    def begin(self) -> None:
        """The scan is starting.

        Raises:
            SemcError: It was already started, or is over.
        """
        with self._lock:
            if self._state.phase is not Phase.IDLE:
                raise SemcError(_("The scan was already started; start a new one."))
            self._state = PipelineState(Phase.STARTING)

    def run(self) -> None:
        """All that it needs is there; a scan that is over stays so."""
        with self._lock:
            if self._state.phase is Phase.STARTING:
                self._state = PipelineState(Phase.RUNNING)

    def end(self, phase: Phase) -> None:
        """It has ended by itself, or was stopped."""
        self._end(PipelineState(phase))

    def fail(self, error: Exception) -> None:
        """A thread broke off: keep the sentence that says why, and log the fault."""
        if isinstance(error, SemcError):
            sentence = str(error)
            _log.warning("The scan was ended: %s.", type(error).__name__, extra=TOLD)
        else:
            told = told_of_system(error) if isinstance(error, OSError) else ""
            sentence = told or _(
                "An unexpected fault ({fault}) ended the scan; see the log.", fault=type(error).__name__
            )
            _log.error("The scan was ended by a fault.", exc_info=error)
        self._end(PipelineState(Phase.FAULT, sentence, isinstance(error, ModelFileError)))

    def _end(self, state: PipelineState) -> None:
        with self._lock:
            if self._state.phase not in _FINAL:
                self._state = state
