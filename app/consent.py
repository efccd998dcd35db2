"""Before a camera is opened: whether the system has to ask first, while the window goes on. No Qt here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from app.tasks import Post
from semc_core.language import N_, _
from semc_core.sources.devices.consent import Privacy, is_asked_for

_ASKED: Final = N_("The system asks whether this program may use cameras; answer there.")


class CameraConsent:
    """Called by the window's thread, on which macOS wants to be asked.

    Attributes:
        privacy: What the system keeps of a person's answer.
    """

    def __init__(self, privacy: Privacy, post: Post, tell: Callable[[str], None]) -> None:
        """Nobody is asked yet.

        Args:
            privacy: See the attribute.
            post: See `app.tasks`.
            tell: Told that the system asks, a sentence; and "" when that is answered.
        """
        self.privacy, self._post, self._tell = privacy, post, tell
        self._waits: Callable[[], object] | None = None

    def first(self, source: str, go_on: Callable[[], object]) -> None:
        """Have `go_on` done, now or when the system has asked. What waited before is forgotten.

        Where the answer is no, opening fails, and says what to do.

        Args:
            source: That is to be opened, as the user names it.
            go_on: Opens it.
        """
        self._waits = None
        if not is_asked_for(source, self.privacy):
            go_on()
            return
        self._waits = go_on
        self._tell(_(_ASKED))
        self.privacy.ask(lambda: self._post(lambda: self._answered(go_on)))

    def _answered(self, go_on: Callable[[], object]) -> None:
        if self._waits is go_on:
            self._waits = None
            self._tell("")
            go_on()
