"""The protocols, which of them was chosen, and what the model knows of it. No Qt here."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from app.checklist.presenter import choices, chosen_protocol
from app.choices import Choices
from app.live.controller import Job
from semc_core.errors import ModelFileError, ProtocolError
from semc_core.protocols.loader import ProtocolBook, load_protocols
from semc_core.protocols.protocol import Protocol, unknown_sentence


def _planes_of(model: Path) -> tuple[str, ...] | str:
    """What a model file knows; or why it cannot be read, a sentence."""
    from semc_core.model.file import read_spec

    try:
        return read_spec(model).planes
    except ModelFileError as error:
        return str(error)


class Protocols:
    """Called by one thread; only `close` waits.

    Attributes:
        book: All protocols that could be read.
    """

    def __init__(self, chosen: Choices, report: Callable[[str], None]) -> None:
        """Read the protocols, and `report` what is wrong with one."""
        self._chosen = chosen
        self._job: Job[tuple[str, ...] | str] | None = None
        self._model: Path | None = None
        self._looked_at: Path | None = None
        self._planes: tuple[str, ...] | None = None
        self._fault = ""
        try:
            self.book = load_protocols()
        except ProtocolError as error:
            self.book = ProtocolBook(())
            report(str(error))
        for problem in self.book.problems:
            report(f"A protocol was left out. {problem}")

    @property
    def choice(self) -> str:
        """Id of the protocol; or `checklist_state.AUTOMATIC` or `NO_PROTOCOL`."""
        return self._chosen.protocol

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """What can be chosen: id and title of each."""
        return choices(self.book)

    def choose(self, protocol_id: str) -> None:
        """Follow this protocol from now on."""
        self._chosen.use_protocol(protocol_id)

    def follow(self, model_planes: Collection[str] | None) -> Protocol | None:
        """The protocol to follow with a model; None for none. See `checklist_state.chosen_protocol`."""
        return chosen_protocol(self.book, self.choice, model_planes)

    def look_at_model(self, model: Path) -> None:
        """Learn which planes this model file knows, for `note`; again if something was wrong with it."""
        self._model = model
        if self._job is None and (model != self._looked_at or self._fault):
            self._look(model)

    def poll(self) -> None:
        """Take what was learned: to be called often. Returns at once."""
        if self._job is not None and self._job.done:
            job, self._job = self._job, None
            learned = job.result()
            if self._model is not None and self._model != self._looked_at:
                self._look(self._model)
            elif isinstance(learned, str):
                self._fault = learned
            else:
                self._planes = learned

    @property
    def note(self) -> tuple[str, bool]:
        """A sentence on the protocol for the next scan, or that there is no model for one.

        Returns:
            The sentence or "", and whether it is a warning.
        """
        if self._fault:
            return self._fault, True
        planes = self._planes
        protocol = self.follow(planes)
        if protocol is None or planes is None:
            return "", False
        if sentence := unknown_sentence(protocol, planes, most=3):
            return sentence, True
        return f"{protocol.title}: the model knows all of its {len(protocol.items)} planes.", False

    def _look(self, model: Path) -> None:
        self._looked_at, self._planes, self._fault = model, None, ""
        self._job = Job(lambda: _planes_of(model), "model-look")

    def close(self) -> None:
        """Wait for what is under way."""
        if self._job is not None:
            self._job.result()
