"""The lists of the start page that take a moment: cameras, sessions, and models. No Qt here."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from threading import Event
from typing import Protocol

from app.start.models import ModelChoice, model_choices
from app.start.recent import CardModes, RecentSession, camera_choices, card_modes, recent_sessions
from app.tasks import Background, Post
from semc_core.errors import SemcError
from semc_core.language import _, decimal, plural
from semc_core.model.registry import ModelRegistry
from semc_core.paths import log_folder
from semc_core.protocols.loader import ProtocolBook
from semc_core.session.erasing.retention import Held, delete_old
from semc_core.session.erasing.rule import Retention


class SourceListView(Protocol):
    """Shows the lists."""

    def show_cameras(self, cameras: list[tuple[str, str]]) -> None:
        """Offer these: (what is opened, what is shown)."""
        ...

    def show_sessions(self, sessions: list[RecentSession]) -> None:
        """List the sessions made lately, newest first."""
        ...

    def show_models(self, models: list[ModelChoice]) -> None:
        """Offer these models."""
        ...

    def show_deleted(self, text: str) -> None:
        """Say which old sessions were deleted at this start."""
        ...


def _delete_old(root: Path, rule: Retention, data: Path, stopped: Callable[[], bool]) -> list[Held]:
    from semc_core.pacs.queue import sessions_that_wait

    return delete_old(root, rule, log_folder(), stopped, sessions_that_wait(data))


class SourceLists:
    """Makes them on other threads and shows them. Called by the window's thread; only `close` waits."""

    def __init__(self, view: SourceListView, post: Post, report: Callable[[str], None]) -> None:
        """Show them on `view`, and `report` what goes wrong."""
        self._view = view
        self._report = report
        self._cameras = Background("camera-list", post)
        self._sessions = Background("session-list", post)
        self._models = Background("model-list", post)
        self._keeping = Background("session-keeping", post, others_first=True)
        self._closing = Event()
        self._busy: set[str] = set()

    def look_for_cameras(self) -> None:
        """List the cameras anew, unless that is under way."""
        if "cameras" not in self._busy:
            self._busy.add("cameras")
            self._cameras.start(camera_choices, self._show_cameras)

    def look_at_card(
        self, source: str, show: Callable[[CardModes], None], fault: Callable[[str], None]
    ) -> None:
        """Ask a card for its modes: `show` them, or say why there are none."""

        def done(future: Future[CardModes]) -> None:
            try:
                show(future.result())
            except SemcError as error:
                fault(str(error))

        self._cameras.start(lambda: card_modes(source), done)

    def look_for_sessions(self, root: Path) -> None:
        """List the sessions below `root` anew, unless that is under way."""
        if "sessions" not in self._busy:
            self._busy.add("sessions")
            self._sessions.start(lambda: recent_sessions(root), self._show_sessions)

    def look_for_models(self, registry: ModelRegistry, book: ProtocolBook) -> None:
        """List the models anew, unless that is under way."""
        if "models" not in self._busy:
            self._busy.add("models")
            self._models.start(lambda: model_choices(registry, book), self._show_models)

    def delete_old_sessions(self, root: Path, rule: Retention, data: Path) -> None:
        """Delete the sessions below `root` that the user wants gone; nothing where all are to be kept.

        What waits in the queue of `data`, the user's data folder, to be sent stays.
        """
        if rule != Retention():
            self._keeping.start(
                lambda: _delete_old(root, rule, data, self._closing.is_set),
                lambda future: self._show_deleted(root, future),
            )

    def close(self) -> None:
        """Wait for what is under way."""
        self._closing.set()
        self._keeping.close(forget=True)
        self._models.close(forget=True)
        self._sessions.close()
        self._cameras.close()

    def _show_cameras(self, future: Future[list[tuple[str, str]]]) -> None:
        self._busy.discard("cameras")
        try:
            self._view.show_cameras(future.result())
        except SemcError as error:
            self._report(str(error))

    def _show_sessions(self, future: Future[list[RecentSession]]) -> None:
        self._busy.discard("sessions")
        self._view.show_sessions(future.result())

    def _show_models(self, future: Future[list[ModelChoice]]) -> None:
        self._busy.discard("models")
        self._view.show_models(future.result())

    def _show_deleted(self, root: Path, future: Future[list[Held]]) -> None:
        try:
            gone = future.result()
        except SemcError as error:
            self._report(_("Old sessions could not be deleted.") + f" {error}")
            return
        if gone:
            size = sum(each.size for each in gone) / 1e6
            self._view.show_deleted(
                plural(
                    "At this start {count} old session went, {size} MB in all.",
                    "At this start {count} old sessions went, {size} MB in all.",
                    len(gone),
                    size=decimal(size, 1),
                )
            )
            # Not `look_for_sessions`: a list that is being made may still hold what went.
            self._sessions.start(lambda: recent_sessions(root), self._show_sessions)
