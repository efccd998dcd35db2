"""The sessions that were made lately, for the start page. No Qt here."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final

from semc_core.errors import SourceError
from semc_core.language import _, day_text, plural
from semc_core.session.listing import sessions_below

_LIMIT: Final = 4


@dataclass(frozen=True, slots=True)
class RecentSession:
    """One line of the list.

    Attributes:
        folder: Of the session.
        source_id: What was scanned or reviewed.
        when: Local time at which it began.
        planes: How many planes it holds, without the rejected ones.
    """

    folder: Path
    source_id: str
    when: datetime
    planes: int

    @property
    def text(self) -> str:
        """ "21 Nov 15:02   liver.mp4   5 planes"."""
        planes = _("no planes")
        if self.planes:
            planes = plural("{count} plane", "{count} planes", self.planes)
        return f"{day_text(self.when, year=False)} {self.when:%H:%M}   {self.source_id}   {planes}"


def recent_sessions(root: Path, limit: int = _LIMIT) -> list[RecentSession]:
    """The sessions below `root` that were changed last, newest first. Reads the disk: not for the window."""
    found = []
    for session in islice(sessions_below(root), limit):
        when = datetime.fromisoformat(session.created_utc).astimezone()
        planes = len(session.planes())
        found.append(RecentSession(session.folder, session.source.source_id, when, planes))
    return found


@dataclass(frozen=True, slots=True)
class CardModes:
    """What a capture card has.

    Attributes:
        identity: What is remembered is remembered by it; of a stream its address, without secrets.
        modes: As they are typed; none where it does not tell them.
        best: The one that is asked for unless the user chooses; "" if none is known.
        stream: It is a stream and no card: nothing can be asked of it.
    """

    identity: str
    modes: tuple[str, ...]
    best: str
    stream: bool = False


def card_modes(source: str) -> CardModes:
    """Ask the card that `source` names for its modes, which opens it and starts no stream. May take seconds.

    A stream is asked for nothing.

    Raises:
        SourceError: There is no such card.
    """
    from semc_core.sources.devices.modes import ranked
    from semc_core.sources.open import find_card, remembered_by

    if "://" in source:
        return CardModes(remembered_by(source), (), "", stream=True)
    found = find_card(source)
    if found is None:
        raise SourceError(
            _(
                "{source} is no camera or capture card and no address; choose a card from the list, or type "
                "an address, such as rtsp://host/live.",
                source=source,
            )
        )
    device, system = found
    modes = system.modes(device)
    best = ranked(modes, device.bus_mbps)
    return CardModes(
        device.identity,
        tuple(dict.fromkeys(mode.text for mode in modes)),
        best[0].text if best else "",
    )


def camera_choices() -> list[tuple[str, str]]:
    """The cameras of this machine: what `open_source` takes, and what to call it. Opens none of them.

    Each is opened by what it is, so that no other one is when numbers change.
    """
    from semc_core.sources.devices.find import this_system

    found = this_system().devices()
    names = Counter(device.name for device in found)
    identities = Counter(device.identity for device in found)
    choices = []
    for device in found:
        what = device.identity if identities[device.identity] == 1 else str(device.index)
        where = f"  ({device.place})" if names[device.name] > 1 and device.place else ""
        choices.append((f"camera:{what}", f"{device.index}  {device.name or _('Device')}{where}"))
    return choices
