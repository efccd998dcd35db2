"""The lists of the start page that take a moment: cameras, and sessions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.live.controller import Job, camera_choices
from app.start.page import SourcePage
from app.start.recent import RecentSession, recent_sessions
from semc_core.errors import SemcError


class SourceLists:
    """Makes them on other threads and shows them. Called by the window's thread; only `close` waits."""

    def __init__(self, page: SourcePage, report: Callable[[str], None]) -> None:
        """Show them on `page`, and `report` what goes wrong."""
        self._page = page
        self._report = report
        self._cameras: Job[list[tuple[str, str]]] | None = None
        self._sessions: Job[list[RecentSession]] | None = None

    def look_for_cameras(self) -> None:
        """List the cameras anew."""
        if self._cameras is None:
            self._cameras = Job(camera_choices, "camera-list")

    def look_for_sessions(self, root: Path) -> None:
        """List the sessions below `root` anew."""
        if self._sessions is None:
            self._sessions = Job(lambda: recent_sessions(root), "session-list")

    def poll(self) -> None:
        """Show what is ready: to be called often. Returns at once."""
        if self._sessions is not None and self._sessions.done:
            sessions, self._sessions = self._sessions, None
            self._page.show_sessions(sessions.result())
        if self._cameras is not None and self._cameras.done:
            cameras, self._cameras = self._cameras, None
            try:
                self._page.show_cameras(cameras.result())
            except SemcError as error:
                self._report(str(error))

    def close(self) -> None:
        """Wait for what is under way.

        Raises:
            SemcError: The cameras could not be listed.
        """
        if self._sessions is not None:
            self._sessions.result()
        if self._cameras is not None:
            self._cameras.result()
