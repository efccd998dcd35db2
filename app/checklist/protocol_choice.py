"""The protocols, which of them the next scan follows, and what its model knows of it. No Qt here."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import Future
from pathlib import Path

from app.checklist.presenter import brought_choice, choices, chosen_protocol
from app.choices import Choices
from app.tasks import Background, Post
from semc_core.errors import ModelFileError, ProtocolError
from semc_core.language import _, plural
from semc_core.protocols.loader import ProtocolBook, load_protocols
from semc_core.protocols.protocol import Protocol, unknown_sentence


def _planes_of(model: Path) -> tuple[str, ...] | str:
    """What a model file knows; or why it cannot be read, a sentence."""
    from semc_core.model.file import read_spec

    try:
        return read_spec(model).planes
    except ModelFileError as error:
        return str(error)


class ProtocolChoice:
    """Called by the window's thread; only `close` waits.

    Attributes:
        book: All protocols that could be read.
        problems: What is wrong with one, sentences.
        on_note: Called when `note` may be another.
    """

    def __init__(self, chosen: Choices, post: Post) -> None:
        """Read the protocols; `chosen` remembers which one is followed."""
        self._chosen = chosen
        self._looks = Background("model-look", post)
        self._model: Path | None = None
        self._planes: tuple[str, ...] | None = None
        self._fault = ""
        self._asked: tuple[str, Collection[str] | None] | None = None
        self._followed: Protocol | None = None
        self.on_note: Callable[[], None] = lambda: None
        self.problems: tuple[str, ...]
        try:
            self.book = load_protocols()
            left_out = _("A protocol was left out.")
            missing = (f"{left_out} {problem}" for problem in self.book.problems)
            self.problems = (*missing, *self.book.notices)
        except ProtocolError as error:
            self.book, self.problems = ProtocolBook(()), (str(error),)

    @property
    def choice(self) -> str:
        """Of the next scan: id of the protocol; or `presenter.AUTOMATIC` or `NO_PROTOCOL`."""
        return self._chosen.protocol

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """What can be chosen: id and title of each."""
        return choices(self.book)

    def choose(self, protocol_id: str) -> None:
        """Follow this protocol from the next scan on."""
        self._chosen.use_protocol(protocol_id)
        self.on_note()

    def brought(self, model_planes: Collection[str], said: str) -> str:
        """The choice that comes with a model; see `presenter.brought_choice`."""
        return brought_choice(self.book, self.choice, model_planes, said)

    def follow(self, choice: str, model_planes: Collection[str] | None) -> Protocol | None:
        """The protocol to follow with a model; None for none. See `presenter.chosen_protocol`."""
        asked = choice, model_planes
        # Both checklists ask with every picture; to compare all protocols with a model takes a millisecond.
        if asked != self._asked:
            self._asked, self._followed = asked, chosen_protocol(self.book, choice, model_planes)
        return self._followed

    def look_at_model(self, model: Path) -> None:
        """Learn which planes this model file knows, for `note`; again if something was wrong with it."""
        if model != self._model or self._fault:
            self._model, self._planes, self._fault = model, None, ""
            self._looks.start(lambda: _planes_of(model), lambda future: self._learn(model, future))
            self.on_note()

    @property
    def note(self) -> tuple[str, bool]:
        """A sentence on the protocol for the next scan, or that there is no model for one.

        Returns:
            The sentence or "", and whether it is a warning.
        """
        if self._fault:
            return self._fault, True
        planes = self._planes
        protocol = self.follow(self.choice, planes)
        if protocol is None or planes is None:
            return "", False
        if sentence := unknown_sentence(protocol, planes, most=3):
            return sentence, True
        sentence = plural(
            "{title}: the model knows all of its {count} planes.",
            "{title}: the model knows all of its {count} planes.",
            len(protocol.items),
            title=_(protocol.title),
        )
        return sentence, False

    def close(self) -> None:
        """Wait for what is under way."""
        self._looks.close(forget=True)

    def _learn(self, model: Path, future: Future[tuple[str, ...] | str]) -> None:
        learned = future.result()
        if model != self._model:
            return
        if isinstance(learned, str):
            self._fault = learned
        else:
            self._planes = learned
        self.on_note()
