"""What the banner says: the most urgent of what went wrong that was not put away. No Qt here."""

from __future__ import annotations

from app.live.presenter import Banner, banner
from semc_core.pipeline.state import EngineState
from semc_core.sources.base import SourceInfo


class Messages:
    """Called by one thread.

    Attributes:
        seen_in_review: The fault that the page of the review showed last, or "".
    """

    def __init__(self) -> None:
        self.seen_in_review = ""
        self._fault = ""
        self._read: set[str] = set()

    def begin(self) -> None:
        """Something new is begun: what was said before does not matter any more."""
        self._fault = ""
        self._read.clear()

    def report(self, sentence: str) -> None:
        """Something went wrong outside of the scan and of the review."""
        self._fault = sentence
        self._read.discard(sentence)

    def put_away(self, shown: Banner | None) -> None:
        """The user has read this."""
        if shown is not None:
            self._read.add(shown.text)
        self._fault = ""

    def banner(
        self,
        state: EngineState | None,
        info: SourceInfo | None,
        *faults: tuple[str, str],
        notice: str = "",
    ) -> Banner | None:
        """What to say: of the window, of `faults` in order, of the scan and its source; or the notice.

        A fault is a sentence, and the name of the way out of it.
        """
        known = ((self._fault, "source"), *faults)
        unread = (one for one in known if one[0] and one[0] not in self._read)
        fault, way = next(unread, ("", ""))
        said = banner(state, info, fault, self._read, way)
        if said is None and notice and notice not in self._read:
            return Banner(notice, False)
        return said
