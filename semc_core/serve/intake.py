"""Takes what arrived, or says with which status it is refused. Knows no network."""

from __future__ import annotations

import datetime
import logging
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from semc_core.errors import PacsError, SaveError, SourceError
from semc_core.io.atomic import save_error
from semc_core.pacs.syntaxes import KINDS
from semc_core.serve.arrival import Arrival, Malformed
from semc_core.serve.inbox import Inbox, room_for
from semc_core.sources.dicom.content import Content, read_content

_log = logging.getLogger(__name__)

SUCCESS: Final = 0x0000
NO_ROOM: Final = 0xA700
OTHER_OBJECT: Final = 0xA900
NOT_UNDERSTOOD: Final = 0xC000
_MB: Final = 10**6
_STUDY: Final = re.compile(r"[0-9.]{1,64}")
_AHEAD: Final = datetime.timedelta(days=1)
"""Clocks of other time zones are so far ahead at most."""


def free_bytes(folder: Path) -> int:
    """Room on the disk of a folder."""
    return shutil.disk_usage(folder).free


class Intake:
    """Decides about each object that has arrived. Safe from any thread."""

    def __init__(
        self,
        inbox: Inbox,
        least_free_mb: int,
        came: Callable[[], None] = lambda: None,
        *,
        today: Callable[[], datetime.date] = datetime.date.today,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        """Put objects into `inbox`.

        Args:
            inbox: Held by this service.
            least_free_mb: With less room on the disk nothing is taken.
            came: Told of each new object.
            today: This machine's clock.
            free: Room on the disk, bytes.
        """
        self._inbox = inbox
        self._least = least_free_mb * _MB
        self._came = came
        self._today = today
        self._free = free

    def take(self, arrival: Arrival, sender: str) -> int:
        """Keep an object, or nothing of it. Returns the status of the answer.

        Args:
            arrival: All of it has come.
            sender: AE title of who sent it.
        """
        try:
            return self._take(arrival, sender)
        except (SaveError, PacsError) as error:
            _log.warning("An object from %s was refused: %s", sender, str(error))
            return NO_ROOM
        finally:
            arrival.discard()

    def _take(self, arrival: Arrival, sender: str) -> int:
        if arrival.too_large:
            _log.warning("An object from %s was refused: it is larger than the settings allow.", sender)
            return NO_ROOM
        try:
            room_for(self._inbox.folder, self._least, self._free)
            path = arrival.settle()
        except Malformed:
            _log.warning("An object from %s was refused: it is empty.", sender)
            return NOT_UNDERSTOOD
        except OSError as error:
            raise save_error(self._inbox.folder, error) from error
        try:
            content = read_content(path)
        except SourceError as error:
            _log.warning("An object from %s was refused: %s", sender, str(error))
            return NOT_UNDERSTOOD
        heading = arrival.heading
        said = (heading.sop_class, heading.sop_instance)
        is_said = (content.sop_class, content.sop_instance) == said
        if not _STUDY.fullmatch(content.study):
            # Results that name the patient are filed by it.
            _log.warning("An object from %s was refused: its Study Instance UID is missing, or none.", sender)
            return OTHER_OBJECT
        if not is_said or content.sop_class not in KINDS:
            _log.warning("An object from %s was refused: it is not the one that was announced.", sender)
            return OTHER_OBJECT
        self._tell_of_clock(content, sender)
        self._conclude(self._inbox.add(arrival, content, sender), sender)
        return SUCCESS

    def _conclude(self, state: str | None, sender: str) -> None:
        if state == "beside":
            _log.warning(
                "An object from %s has the UID of one that was received before, and other content: it is "
                "kept beside that, and not analysed.",
                sender,
            )
        elif state is not None:
            self._came()

    def _tell_of_clock(self, content: Content, sender: str) -> None:
        """A date to come shows that a clock is wrong. Nothing is decided by dates, so it is only told."""
        if content.date is None or content.date <= self._today() + _AHEAD:
            return
        days = (content.date - self._today()).days
        _log.warning(
            "An object from %s is dated %d days ahead of this machine's clock: one of the two clocks is "
            "wrong; set it right. The object is kept.",
            sender,
            days,
        )
